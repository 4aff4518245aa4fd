"""Cases in mass, for measuring: each with the same number of happenings and clocks, spread over ten years.

Ten times as many cases are ten times as much of everything. Rows are made as in `tests/mass.py`.
"""

# ruff: noqa: S608 (statements are put together from what is written here)
from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from nrm.markers import ALPHABET, new_marker
from nrm.models import (
    Assistance,
    Case,
    CaseDecision,
    CaseParty,
    Clock,
    Happening,
    Person,
    Referral,
    RiskAssessment,
    SopVersion,
    Stay,
)
from stakeholders.models import User
from tests.mass import _key, _multiply
from tests.mass_cooperation import Filling, _analyse, _series

HAPPENINGS, CLOCKS = 20, 10  # of a case
DAYS = 3_650  # over which the cases are spread
OPEN = "n % 10 < 2"  # of ten cases two are open
FORMS = "(ARRAY['SEX', 'LAB', 'BEG', 'DOM', 'MARR'])"
KINDS = (
    "signal", "referred", "received", "accepted", "notified", "needs_met", "informed", "risk_assessed", "placed", "presumed",
    "reflection_started", "ready", "identified", "case_plan", "stable", "reintegration_plan", "services_reviewed",
    "left_shelter", "followed_up", "finished",
)  # fmt: skip


def _marker(number: str) -> str:
    """Sixteen signs from a hash; whether the last one checks does not matter here."""
    signs = " || ".join(
        f"substr('{ALPHABET}', 1 + (('x' || substr(md5('m' || {number}), {2 * place + 1}, 2))::bit(8)::int) % {len(ALPHABET)}, 1)"
        for place in range(15)
    )
    return f"({signs} || 'X')"


@transaction.atomic
def fill_cases(*, cases: int, by: User) -> dict[str, list[Any]]:
    """Fill a database that has institutions and the first SOP. Gives, by the beginning of a page's name, the argument of a
    record that its page is asked for."""
    filling = Filling(by)
    own = filling.institutions[0]
    start = filling.today - timedelta(days=DAYS)
    person = Person.objects.create()
    _multiply(person, {"id": _key("person", "n")}, _series(1, cases - 1))
    opened = f"({filling.day} - (n * 7919 % {DAYS}))::date"
    case = Case.objects.create(
        marker=new_marker(), person=person, own_person=person, opened_on=start, opened_by=own, responsible=own, sex="F",
        status="IDENTIFIED", age_at_referral=24, age_group_at_referral="ADULT", track="ADULT", citizenship=["XK"], forms=["SEX"],
        municipality_id="PRN", recorded_by=by,
    )  # fmt: skip
    _multiply(
        case,
        {
            "id": _key("case", "n"), "marker": _marker("n"), "person_id": _key("person", "n"),
            "own_person_id": _key("person", "n"), "opened_on": opened, "recorded_at": f"{opened}::timestamptz",
            "opened_by_id": filling.of("n"), "responsible_id": filling.of("n / 3"),
            "sex": "(ARRAY['F', 'F', 'F', 'M'])[1 + n % 4]", "age_at_referral": "5 + n % 50",
            "age_group_at_referral": "CASE WHEN 5 + n % 50 < 18 THEN 'CHILD' ELSE 'ADULT' END",
            "track": "CASE WHEN 5 + n % 50 < 18 THEN 'CHILD' ELSE 'ADULT' END", "is_child_procedure": "5 + n % 50 < 18",
            "forms": f"ARRAY[{FORMS}[1 + n % 5]]",
            "municipality_id": "(SELECT code FROM onatc_municipality ORDER BY code OFFSET n % 38 LIMIT 1)",
            "status": "(ARRAY['POTENTIAL', 'PRESUMED', 'IDENTIFIED', 'IDENTIFIED', 'NOT_VICTIM'])[1 + n % 5]",
            "closed_on": f"CASE WHEN {OPEN} THEN NULL ELSE {opened} END", "outcome": f"CASE WHEN {OPEN} THEN '' ELSE 'RT_INDEP' END",
        },
        _series(1, cases - 1),
    )  # fmt: skip
    each = f"SELECT id, opened_on, recorded_at, responsible_id, opened_by_id, closed_on, status, row_number() OVER (ORDER BY id) AS n FROM {Case._meta.db_table}"
    rest = f"SELECT * FROM ({each}) AS x WHERE id <> '{case.pk}'"
    _analyse(Case, Person)
    _of_each(filling, case, rest)
    happening = _happenings(case, rest)
    _clocks(case, rest, happening)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Case._meta.db_table} AS c SET next_due_at = d.first FROM (SELECT case_id, min(due_at) AS first "
            f"FROM {Clock._meta.db_table} WHERE state = 'running' GROUP BY 1) AS d WHERE d.case_id = c.id"
        )
    _analyse(CaseParty, Referral, CaseDecision, RiskAssessment, Assistance, Stay, Happening, Clock)
    referral = Referral.objects.filter(case=case).get()
    return {"case": [case.marker], "referral": [referral.pk]}


def _of_each(filling: Filling, case: Case, rest: str) -> None:
    """A party, an accepted referral, a decision, a risk, help and a stay of every case."""
    own, day, waits = filling.institutions[0], case.opened_on, "(made.closed_on IS NULL AND n % 10 = 0)"
    party = CaseParty.objects.create(case=case, institution=own, role="responsible")
    _multiply(
        party,
        {
            "id": _key("party", "n"),
            "case_id": "made.id",
            "institution_id": "made.responsible_id",
            "since": "made.recorded_at",
        },
        rest,
    )
    referral = Referral.objects.create(
        case=case, brings_in=True, sender=own, addressee=filling.institutions[1], referring_entity="E_POLICE",
        referred_on=day, accepted_on=day, state="accepted", share="handover",
    )  # fmt: skip
    _multiply(
        referral,
        {
            "id": _key("referral", "n"), "case_id": "made.id", "referred_on": "made.opened_on",
            "accepted_on": f"CASE WHEN {waits} THEN NULL ELSE made.opened_on END",
            "state": f"CASE WHEN {waits} THEN 'sent' ELSE 'accepted' END", "sent_at": "made.recorded_at",
            "answer_due_at": "made.recorded_at + interval '3 days'", "sender_id": filling.of("n"),
            "addressee_id": filling.of("n + 1"),
        },
        rest,
    )  # fmt: skip
    decision = CaseDecision.objects.create(
        case=case, stage=2, outcome="D2_POS", decided_on=day, decision_maker="DM_POLICE", age_group_at_decision="ADULT"
    )
    _multiply(
        decision,
        {
            "id": _key("decision", "n"), "case_id": "made.id", "decided_on": "made.opened_on + 20",
            "stage": "CASE WHEN made.status = 'PRESUMED' THEN 1 ELSE 2 END",
            "outcome": "CASE made.status WHEN 'POTENTIAL' THEN 'D_INSUF' WHEN 'PRESUMED' THEN 'D1_POS'"
            " WHEN 'IDENTIFIED' THEN 'D2_POS' ELSE 'D2_NEG' END",
        },
        rest,
    )  # fmt: skip
    risk = RiskAssessment.objects.create(case=case, assessed_on=day, level="RISK_MED")
    _multiply(
        risk,
        {
            "id": _key("risk", "n"), "case_id": "made.id", "assessed_on": "made.opened_on + 2",
            "level": "(ARRAY['RISK_LOW', 'RISK_MED', 'RISK_HIGH'])[1 + n % 3]",
        },
        rest,
    )  # fmt: skip
    help_given = Assistance.objects.create(case=case, kind="AS_MED", response="RESP_ACC", offered_on=day, starts_on=day)
    _multiply(
        help_given,
        {
            "id": _key("help", "n"), "case_id": "made.id", "offered_on": "made.opened_on", "starts_on": "made.opened_on",
            "ends_on": "made.closed_on",
        },
        rest,
    )  # fmt: skip
    stay = Stay.objects.create(case=case, shelter_type="SH_NGO", came_on=day)
    _multiply(
        stay,
        {"id": _key("stay", "n"), "case_id": "made.id", "came_on": "made.opened_on", "left_on": "made.closed_on"},
        rest,
    )


def _happenings(case: Case, rest: str) -> Happening:
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    pattern = Happening.objects.create(case=case, kind="referred", happened_at=case.recorded_at)
    _multiply(
        pattern,
        {
            "id": _key("happening", "n", "k"), "case_id": "made.id", "kind": f"(ARRAY[{kinds}])[k]",
            "happened_at": "made.recorded_at + k * interval '1 day' + (n % 20) * interval '3 hours'",
            "recorded_at": "made.recorded_at + k * interval '1 day' + (n % 20) * interval '5 hours'",
        },
        f"SELECT x.*, k FROM ({rest}) AS x, generate_series(1, {HAPPENINGS}) AS k",
    )  # fmt: skip
    return pattern


def _clocks(case: Case, rest: str, happening: Happening) -> None:
    """Clocks of the first steps of the SOP in force: most are met, a fifth too late; those of open cases partly run."""
    version = SopVersion.objects.get(number=1)
    steps = list(version.steps.order_by("number")[:CLOCKS])
    keys = ", ".join(f"'{one.pk}'" for one in steps)
    clock = Clock.objects.create(
        case=case, step=steps[0], trigger_event=happening, started_at=case.recorded_at, owner=case.responsible
    )
    started = "made.recorded_at + k * interval '1 day'"
    runs = f"(made.closed_on IS NULL AND k > {CLOCKS - 3})"
    _multiply(
        clock,
        {
            "id": _key("clock", "n", "k"), "case_id": "made.id", "step_id": f"(ARRAY[{keys}]::uuid[])[k]",
            "trigger_event_id": _key("happening", "n", "k"), "started_at": started, "owner_id": "made.responsible_id",
            "due_at": f"{started} + interval '2 days'", "state": f"CASE WHEN {runs} THEN 'running' ELSE 'met' END",
            "met_at": f"CASE WHEN {runs} THEN NULL ELSE {started} + (1 + (n * k) % 60) * interval '1 hour' END",
        },
        f"SELECT x.*, k FROM ({rest}) AS x, generate_series(1, {CLOCKS}) AS k",
    )  # fmt: skip
