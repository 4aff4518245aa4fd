"""Plans in mass, for measuring: so many plans, measures, rounds and entries, the same at each run.

The newest plan is in force and runs; its newest round is open, all others are closed, as after years of work. Each plan has
the same number of measures, each round asks the same number of institutions for each measure. Rows are made by the
database itself from one row of each kind, so that a new column needs no line here. The triggers
and checks of the copies rest meanwhile: with them a million rows take a quarter of an hour.
"""

# ruff: noqa: S608 (statements are put together from what is written here)
from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pgtrigger
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from onatc.periods import Period
from stakeholders.models import Institution, User
from strategy.models import (
    BudgetLine,
    Goal,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasurePartner,
    MeasureSignal,
    Objective,
    Plan,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    ProgressValue,
    RequestedIndicator,
    ReviewNote,
    Round,
    Strategy,
)
from strategy.versioning import FREEZES

QUARTERS = 8  # of signals behind each measure
SIGNALS = ("completed", "on_time", "at_risk", "late", "no_news", "not_started")
# Of ten entries in an open round; in a closed one all but the drafts were accepted.
OPEN = ("draft", "submitted", "returned", *["accepted"] * 7)
CLOSED = ("draft", *["accepted"] * 9)


@transaction.atomic
@pgtrigger.ignore(*FREEZES)
def fill(
    *, plans: int, measures: int, rounds: int, entries: int, author: User, reviewer: User, series: str = "MASS"
) -> Plan:
    """Fill a database that has institutions; returns the plan that runs. Numbers are totals and divide evenly;
    `series` tells two fillings of one database apart."""
    today = timezone.localdate()
    each, rounds_each = measures // plans, rounds // plans
    asked = entries // (rounds * each)
    bodies = list(Institution.objects.filter(dissolved_on=None).order_by("code")[:40])
    assert asked <= len(bodies) and each * rounds * asked == entries
    strategy = Strategy.objects.create(
        code=series, title_sq="Strategjia", starts_on=date(2000, 1, 1), ends_on=date(today.year + 2, 12, 31)
    )
    running = None
    for number in range(plans):
        plan = _plan(strategy, number, today, bodies[0])
        running = running or plan
        _measures(plan, each, bodies, today)
        for back in range(rounds_each):
            _round(plan, number, back, asked, bodies, today, author, reviewer)
    assert running is not None
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE (SKIP_LOCKED)")  # what autovacuum does within a minute of so many new rows
    return running


def _plan(strategy: Strategy, number: int, today: date, office: Institution) -> Plan:
    first = today.year - 2 - number
    plan = Plan.objects.create(
        strategy=strategy,
        code=f"{strategy.code}-{number:02d}",
        title_sq=f"Plani i veprimit {first}",
        title_en=f"Action plan {first}",
        starts_on=date(first, 1, 1),
        ends_on=date(first + 4, 12, 31),
    )
    version = PlanVersion.objects.create(
        plan=plan,
        number=1,
        state="adopted",
        adopted_on=date(first, 1, 1),
        adopted_by=office,
        decision_reference=f"{number}/{first}",
    )
    for place in range(1, 6):
        goal = Goal.objects.create(
            version=version, code=f"G{place}", position=place, title_sq=f"Qëllimi {place}", title_en=f"Goal {place}"
        )
        for inner in range(1, 5):
            Objective.objects.create(
                goal=goal,
                code=f"O{place}.{inner}",
                position=place * 4 + inner,
                title_sq="Objektivi",
                title_en="Objective",
            )
    return plan


def _multiply(pattern: Any, columns: dict[str, str], source: str) -> None:
    """Rows like `pattern` (kept as it is) for each row of `source`, with these columns computed from it by SQL."""
    table = pattern._meta.db_table
    names = [field.column for field in pattern._meta.concrete_fields if not field.generated]
    values = {name: f'pattern."{name}"' for name in names} | columns
    if "id" not in columns:
        values["id"] = f"nextval(pg_get_serial_sequence('{table}', 'id'))"
    into, said = ", ".join(f'"{name}"' for name in names), ", ".join(values[name] for name in names)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        # The wrapper that lifts the freezing passes parameters: per cent signs are doubled.
        cursor.execute(
            (
                f"INSERT INTO {table} ({into}) SELECT {said} "
                f"FROM {table} AS pattern, ({source}) AS made WHERE pattern.id = '{pattern.pk}'"
            ).replace("%", "%%"),
            [],
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def _key(kind: str, *parts: str) -> str:
    return f"md5(concat_ws('-', '{kind}', {', '.join(parts)}))::uuid"


def _measures(plan: Plan, count: int, bodies: list[Institution], today: date) -> None:
    version, code = plan.versions.get(), f"'{plan.code}'"
    objectives = list(Objective.objects.filter(goal__version=version).order_by("position"))
    pattern = Measure.objects.create(
        version=version, objective=objectives[0], code="B0000", position=0, lead=bodies[0], state="under_way",
        title_sq="Masa 0 për mbrojtjen e viktimave në të gjitha komunat",
        title_en="Measure 0 on protecting victims in all municipalities",
        starts_on=plan.starts_on, ends_on=plan.ends_on,
    )  # fmt: skip
    leads = "ARRAY[" + ", ".join(f"'{one.pk}'" for one in bodies) + "]::uuid[]"
    branches = "ARRAY[" + ", ".join(f"'{one.pk}'" for one in objectives) + "]::uuid[]"
    _multiply(
        pattern,
        {
            "id": _key("measure", code, "n"),
            "lineage": _key("lineage", code, "n"),
            "code": "'B' || lpad(n::text, 4, '0')",
            "position": "n",
            "title_sq": "'Masa ' || n || ' për mbrojtjen e viktimave në të gjitha komunat'",
            "title_en": "'Measure ' || n || ' on protecting victims in all municipalities'",
            "lead_id": f"({leads})[1 + n % {len(bodies)}]",
            "objective_id": f"({branches})[1 + n * {len(objectives)} / {count}]",
            "state": "CASE n % 5 WHEN 0 THEN 'completed' WHEN 1 THEN 'planned' ELSE 'under_way' END",
            "ends_on": f"date '{plan.ends_on}' - n",
        },
        f"SELECT n FROM generate_series(1, {count - 1}) AS n",
    )
    each = f"SELECT id, position AS n FROM strategy_measure WHERE version_id = '{version.pk}' AND position > 0"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE strategy_measure")
    partner = MeasurePartner.objects.create(measure=pattern, institution=bodies[1], position=1)
    _multiply(
        partner,
        {
            "measure_id": "made.id",
            "institution_id": f"({leads})[1 + (n + k) % {len(bodies)}]",
            "position": "k",
        },
        f"SELECT m.*, k FROM ({each}) AS m, generate_series(1, 3) AS k",
    )
    indicator = Indicator.objects.create(
        measure=pattern, name_sq="Treguesi", name_en="Indicator", unit="number", baseline=0
    )
    _multiply(
        indicator,
        {
            "id": _key("indicator", code, "n"),
            "lineage": _key("indicator lineage", code, "n"),
            "measure_id": "made.id",
        },
        each,
    )
    indicators = f"SELECT i.id FROM strategy_indicator i JOIN ({each}) AS m ON i.measure_id = m.id"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE strategy_indicator")
    target = IndicatorTarget.objects.create(
        indicator=indicator, starts_on=plan.starts_on, ends_on=plan.ends_on, value=100
    )
    _multiply(target, {"indicator_id": "made.id"}, indicators)
    line = BudgetLine.objects.create(measure=pattern, year=plan.starts_on.year, source="state", planned_cents=100_000)
    _multiply(
        line,
        {"measure_id": "made.id", "year": f"{plan.starts_on.year} + k", "lineage": "gen_random_uuid()"},
        f"SELECT m.id, k FROM ({each}) AS m, generate_series(0, 1) AS k",
    )
    quarter = Period.quarter_of(today)
    names = "ARRAY[" + ", ".join(f"'{one}'" for one in SIGNALS) + "]"
    for back in range(QUARTERS):
        signal = MeasureSignal.objects.create(
            measure=pattern, starts_on=quarter.start, ends_on=quarter.end, signal="on_time", reason="no_entry"
        )
        _multiply(signal, {"measure_id": "made.id", "signal": f"({names})[1 + (n + {back}) % {len(SIGNALS)}]"}, each)
        quarter = quarter.previous()


def _round(
    plan: Plan, number: int, back: int, asked: int, bodies: list[Institution], today: date, author: User, reviewer: User
) -> None:
    """A round of a plan, `back` quarters before the last one that is over."""
    version = plan.versions.get()
    is_open = number == 0 and back == 0
    quarter = Period.quarter_of(today).previous()
    for _step in range(back + number):
        quarter = quarter.previous()
    at = timezone.make_aware(datetime.combine(quarter.end, time(12)))
    round_ = Round.objects.create(
        plan=plan, version=version, starts_on=quarter.start, ends_on=quarter.end,
        due_on=today + timedelta(days=5) if is_open else quarter.end + timedelta(days=15),
        state="open" if is_open else "closed", opened_at=at, closed_at=None if is_open else at,
    )  # fmt: skip
    first = Measure.objects.get(version=version, position=0)
    states = OPEN if is_open else CLOSED
    request = ProgressRequest.objects.create(
        round=round_, measure=first, institution=bodies[0], measure_code=first.code, measure_title_sq=first.title_sq,
        measure_ends_on=first.ends_on,
    )  # fmt: skip
    leads = "ARRAY[" + ", ".join(f"'{one.pk}'" for one in bodies) + "]::uuid[]"
    key = f"{plan.code}-{back}"
    slots = (
        f"SELECT m.id, m.code, m.title_sq, m.title_en, m.position AS n, k, i.id AS indicator FROM strategy_measure m "
        f"JOIN strategy_indicator i ON i.measure_id = m.id, generate_series(0, {asked - 1}) AS k "
        f"WHERE m.version_id = '{version.pk}' AND (m.position > 0 OR k > 0)"
    )
    _multiply(
        request,
        {
            "id": _key("request", f"'{key}'", "n", "k"),
            "measure_id": "made.id",
            "measure_code": "made.code",
            "measure_title_sq": "made.title_sq",
            "measure_title_en": "made.title_en",
            "institution_id": f"({leads})[1 + (n + k) % {len(bodies)}]",
            "part": "CASE WHEN k = 0 THEN 'whole' ELSE 'part' END",
        },
        slots,
    )
    wanted = RequestedIndicator.objects.create(
        request=request, indicator=Indicator.objects.get(measure=first), name_sq="Treguesi", unit="number", target=100,
        counting="to_date",
    )  # fmt: skip
    _multiply(
        wanted,
        {"request_id": _key("request", f"'{key}'", "n", "k"), "indicator_id": "made.indicator"},
        slots,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE strategy_requestedindicator")
    entry = ProgressEntry.objects.create(
        request=request, state="accepted", done="U mbajtën takimet e planifikuara.", author=author, submitted_by=author,
        submitted_at=at, accepted_by=reviewer, accepted_at=at,
    )  # fmt: skip
    names = "ARRAY[" + ", ".join(f"'{one}'" for one in states) + "]"
    _multiply(
        entry,
        {
            "id": _key("entry", f"'{key}'", "n", "k"),
            "request_id": _key("request", f"'{key}'", "n", "k"),
            "state": f"({names})[1 + (n * 3 + k) % {len(states)}]",
        },
        slots,
    )
    # What the trigger of the entries does, which rested.
    answered = ProgressEntry.objects.filter(request=OuterRef("pk"), state__in=["submitted", "accepted"])
    ProgressRequest.objects.filter(Exists(answered), round=round_).update(is_handed_in=True)
    value = ProgressValue.objects.create(entry=entry, requested=wanted, value=12)
    _multiply(
        value,
        {"entry_id": _key("entry", f"'{key}'", "n", "k"), "requested_id": "made.wanted", "value": "1 + (n + k) % 90"},
        f"SELECT s.n, s.k, r.id AS wanted FROM ({slots}) AS s JOIN strategy_requestedindicator r "
        "ON r.request_id = " + _key("request", f"'{key}'", "s.n", "s.k"),
    )
    note = ReviewNote.objects.create(entry=entry, kind="submitted", by=author, at=at)
    _multiply(note, {"entry_id": _key("entry", f"'{key}'", "n", "k")}, slots)
    returned = ReviewNote.objects.create(entry=entry, kind="returned", comment="Shtoni vlerat.", by=reviewer, at=at)
    _multiply(
        returned,
        {"entry_id": "made.id"},
        f"SELECT e.id FROM strategy_progressentry e JOIN strategy_progressrequest r ON r.id = e.request_id "
        f"WHERE r.round_id = '{round_.pk}' AND e.state = 'returned'",
    )
