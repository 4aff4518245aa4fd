"""Decisions on identification: by the competent body, added and never overwritten; plain steps and their correction."""

from __future__ import annotations

import uuid
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone, translation

from nrm import deciding
from nrm.actions.assistance import close
from nrm.actions.identification import decide, inform, record_step, strike
from nrm.invariants import closed_cases_have_nothing_open
from nrm.models import Case, CaseDecision, CaseParty, Clock, Competence, EventKind, Happening, Referral
from nrm.standing import Decided
from onatc.errors import Refused
from tests.nrm.cases import institution, opened
from tests.nrm.test_cases import read
from tests.stakeholders.decided import at_once


def ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def decided(case: Any, by: Any, outcome: str, on: date, **fields: Any) -> CaseDecision:
    values = {
        "stage": 2, "decision_maker": "DM_POLICE", "institution": institution("KP-THB"), "key": uuid.uuid4(),
        "reason": "Sipas provave",
    } | fields  # fmt: skip
    return decide(case, by=by, outcome=outcome, decided_on=on, **values)[0]


def status(case: Any) -> str:
    return Case.objects.get(pk=case.pk).status


# The rule


D = date(2026, 2, 1)


def at(day: int, outcome: str, stage: int = 2, order: int = 0) -> Decided:
    return Decided(D + timedelta(days=day), order, outcome, stage)


@pytest.mark.parametrize(
    ("found", "new", "reviewed", "sentence"),
    [
        ([], at(0, "D1_POS", 1), None, None),
        ([], at(0, "D2_POS"), None, None),
        ([at(0, "D1_POS", 1)], at(0, "D2_POS", 2, 1), None, None),
        ([at(5, "D1_POS", 1)], at(0, "D2_POS"), None, "lies after this day"),
        ([at(5, "D2_POS")], at(0, "D1_POS", 1), None, None),  # recorded late
        ([at(5, "D2_POS")], at(9, "D1_POS", 1), None, "ended the procedure"),
        ([at(5, "D2_POS")], at(9, "D2_NEG"), None, "ended the procedure"),
        ([at(5, "D2_POS")], at(2, "D2_NEG"), None, "was taken on"),
        ([at(0, "D1_POS", 1)], at(3, "D1_POS", 1), None, "says this already"),
        ([at(5, "D1_POS", 1)], at(3, "D1_POS", 1), None, "says this already"),
        ([at(0, "D_INSUF", 1)], at(3, "D_INSUF", 1), None, None),
        ([at(0, "D_DECL")], at(9, "D2_POS"), None, None),  # changed their mind
        ([at(0, "D1_NEG", 1)], at(9, "D1_POS", 1), None, None),  # new facts
        ([at(0, "D2_NEG")], at(9, "D_RECON_POS"), None, "names the formal decision"),
        ([at(0, "D1_NEG", 1)], at(9, "D_RECON_POS"), at(0, "D1_NEG", 1), "names the formal decision"),
        ([at(5, "D2_NEG")], at(2, "D_RECON_POS"), at(5, "D2_NEG"), "does not lie before"),
        ([at(0, "D2_NEG")], at(9, "D_RECON_NEG"), at(0, "D2_NEG"), "says this already"),
        ([at(0, "D2_NEG")], at(9, "D_RECON_POS"), at(0, "D2_NEG"), None),
        ([at(0, "D2_NEG"), at(9, "D_RECON_POS")], at(20, "D_RECON_NEG"), at(0, "D2_NEG"), "reviewed already"),
        ([at(0, "D2_NEG"), at(9, "D_RECON_POS")], at(20, "D_RECON_NEG"), at(9, "D_RECON_POS"), None),
        ([at(0, "D2_NEG")], at(9, "D2_POS"), at(0, "D2_NEG"), "Only a review"),
    ],
)
def test_which_decision_can_follow_which(found, new, reviewed, sentence):
    why = deciding.problem(found, new, reviewed)
    assert why is None if sentence is None else why is not None and sentence in why


def test_which_age_group_somebody_can_be_on_a_day():
    assert deciding.groups_on(17, date(2026, 1, 10), date(2026, 1, 10)) == {"CHILD"}
    assert deciding.groups_on(17, date(2026, 1, 10), date(2026, 6, 1)) == {"CHILD", "ADULT"}
    assert deciding.groups_on(17, date(2024, 2, 29), date(2025, 3, 1)) == {"ADULT"}
    assert deciding.groups_on(24, date(2026, 1, 10), date(2026, 6, 1)) == {"ADULT"}
    assert deciding.groups_on(3, date(2026, 1, 10), date(2020, 6, 1)) == set()


# In a case


def test_presumed_then_identified_then_reviewed(world):
    case, by = opened(world.focal_point), world.focal_point
    first = decided(case, by, "D1_POS", ago(8), stage=1)
    assert status(case) == "PRESUMED" and first.stage == 1 and first.age_group_at_decision == "ADULT"
    second = decided(case, by, "D2_NEG", ago(5), informed_on=ago(4))
    assert status(case) == "NOT_VICTIM" and second.recorded_at.date() >= ago(0) - timedelta(days=1)
    third = decided(case, by, "D_RECON_POS", ago(2), review_of=second)
    assert status(case) == "IDENTIFIED" and third.review_of == second
    assert CaseDecision.objects.filter(case=case).count() == 3  # added, never overwritten
    kinds = Happening.objects.filter(case=case, record__isnull=False).values_list("kind", flat=True)
    assert {EventKind.PRESUMED, EventKind.NOT_VICTIM, EventKind.REVIEWED} <= set(kinds)
    decided(case, by, "D_RECON_NEG", ago(0), review_of=third)
    assert status(case) == "NOT_VICTIM"


@pytest.mark.parametrize(
    ("outcome", "then", "kind"),
    [
        ("D_DECL", "DECLINED_ID", EventKind.WITHDREW),
        ("D_DISC", "DISCONTINUED", EventKind.DISCONTINUED),
        ("D_SUSP", "PRESUMED", EventKind.SUSPENDED),
        ("D_INSUF", "PRESUMED", None),
    ],
)
def test_withdrawn_stopped_suspended_and_not_enough(world, outcome, then, kind):
    case, by = opened(world.focal_point), world.focal_point
    decided(case, by, "D1_POS", ago(8), stage=1)
    decided(case, by, outcome, ago(5))
    assert status(case) == then
    assert kind is None or Happening.objects.filter(case=case, kind=kind).exists()
    decided(case, by, "D2_POS", ago(1))
    assert status(case) == "IDENTIFIED"


def test_one_recorded_late_is_judged_by_its_own_day(world):
    case, by = opened(world.focal_point), world.focal_point
    decided(case, by, "D2_POS", ago(3))
    decided(case, by, "D1_POS", ago(6), stage=1)
    assert status(case) == "IDENTIFIED"  # the latest by its own day
    with pytest.raises(Refused, match="ended the procedure"):
        decided(case, by, "D_DISC", ago(1))


def test_a_decision_before_the_referral_is_refused_unless_there_was_none(world):
    case, by = opened(world.focal_point), world.focal_point
    with pytest.raises(Refused, match="without referral: mark it so") as refusal:
        decided(case, by, "D2_POS", ago(12))
    assert refusal.value.field == "decided_on"
    with pytest.raises(Refused, match="positive"):
        decided(case, by, "D2_NEG", ago(12), is_without_referral=True)
    with pytest.raises(Refused, match="before that day"):
        decided(case, by, "D2_POS", ago(3), is_without_referral=True)
    decision = decided(case, by, "D2_POS", ago(12), is_without_referral=True)
    case.refresh_from_db()
    referral = Referral.objects.get(case=case, brings_in=True)
    assert decision.is_without_referral and referral.referred_on == case.opened_on == ago(12)
    told = Happening.objects.filter(case=case, kind=EventKind.REFERRED)
    assert [(one.happened_on, one.struck_at is None) for one in told] == [(ago(12), True), (ago(10), False)]


def test_days_that_cannot_be_are_refused(world):
    case, by = opened(world.focal_point), world.focal_point
    with pytest.raises(Refused, match="future"):
        decided(case, by, "D1_POS", ago(-1), stage=1)
    with pytest.raises(Refused, match="future"):
        decided(case, by, "D1_POS", ago(2), stage=1, informed_on=ago(-1))
    with pytest.raises(Refused, match="not informed before"):
        decided(case, by, "D1_POS", ago(2), stage=1, informed_on=ago(3))
    with pytest.raises(Refused, match="more than a year"):
        decided(case, by, "D2_POS", ago(500), is_without_referral=True)


def test_nothing_happened_before_the_person_can_have_been_born(world):
    by = world.focal_point
    child = opened(by, profile={"age_at_referral": 0})
    with pytest.raises(Refused, match="not born"):
        record_step(child, by=by, key=uuid.uuid4(), kind=EventKind.NEEDS_MET, on=ago(10 + 366))
    three = opened(by, profile={"age_at_referral": 3})
    with pytest.raises(Refused, match="not possible on that day"):
        decided(three, by, "D1_POS", ago(1), stage=1, age_group_at_decision="ADULT")
    assert decided(three, by, "D1_POS", ago(1), stage=1).age_group_at_decision == "CHILD"
    with pytest.raises(Refused, match="older when the acts began"):
        from stakeholders.actions.records import save

        three.age_at_exploitation = 8
        save(three)


def test_29_february_and_a_child_of_seventeen_who_is_eighteen_at_the_decision(world):
    by = world.focal_point
    case = opened(by, on=date(2024, 2, 29), profile={"age_at_referral": 17})
    record_step(case, by=by, key=uuid.uuid4(), kind=EventKind.INFORMED, on=date(2024, 2, 29))
    decision = decided(case, by, "D2_POS", date(2025, 3, 1), age_group_at_decision="ADULT")
    case.refresh_from_db()
    assert decision.age_group_at_decision == "ADULT" and case.age_group_at_referral == "CHILD"


@pytest.mark.parametrize(
    ("profile", "groups"),
    [
        ({"sex": "U", "age_at_referral": None, "age_group_at_referral": "AGE_U"}, {"AGE_U"}),
        ({"sex": "U", "age_at_referral": None, "age_group_at_referral": "CHILD"}, {"CHILD", "ADULT"}),
        ({"sex": "U", "age_at_referral": None, "age_group_at_referral": "ADULT"}, {"ADULT"}),
    ],
)
def test_unknown_sex_and_age_are_decided_on_too(world, profile, groups):
    for group in ("CHILD", "ADULT", "AGE_U"):
        case = opened(world.focal_point, profile=profile)
        if group in groups:
            assert decided(case, world.focal_point, "D2_POS", ago(1), age_group_at_decision=group)
            continue
        with pytest.raises(Refused, match="age"):
            decided(case, world.focal_point, "D2_POS", ago(1), age_group_at_decision=group)


def test_who_decides(world):
    case = opened(world.focal_point)
    with pytest.raises(PermissionDenied, match="take part"):
        decided(case, world.other_focal_point, "D2_POS", ago(1))
    CaseParty.objects.create(case=case, institution=institution("MOH"), role="helps")
    with pytest.raises(PermissionDenied, match="competent"):
        decided(case, world.other_focal_point, "D2_POS", ago(1), institution=institution("MOH"))
    with pytest.raises(Refused, match="does not decide"):
        decided(case, world.focal_point, "D2_POS", ago(1), institution=institution("MOH"))
    with pytest.raises(Refused, match="does not decide"):
        decided(case, world.focal_point, "D2_POS", ago(1), institution=institution("VPAO"))  # not theirs
    with pytest.raises(Refused, match="belong together"):
        decided(case, world.focal_point, "D2_POS", ago(1), institution=institution("CT-PR"))
    with pytest.raises(Refused, match="formal decision"):
        decided(case, world.focal_point, "D1_POS", ago(1), stage=1, institution=institution("CT-PR"),
                decision_maker="DM_COURT")  # fmt: skip
    found = decided(
        case, world.monitoring, "D1_POS", ago(3), stage=1, institution=institution("VPAO"), decision_maker="DM_TEAM"
    )
    assert found.institution == institution("VPAO") and found.recorded_for is None
    court = decided(
        case, world.focal_point, "D2_POS", ago(1), institution=institution("CT-PR"), decision_maker="DM_COURT"
    )
    assert court.recorded_for == institution("KP-THB")


def test_a_competence_of_another_municipality_does_not_count(world):
    case = opened(world.focal_point)
    CaseParty.objects.create(case=case, institution=institution("MOH"), role="helps")
    Competence.objects.create(institution=institution("MOH"), function="advocate", municipality_id="PEJ")
    with pytest.raises(PermissionDenied, match="competent"):
        decided(case, world.other_focal_point, "D2_POS", ago(1), institution=institution("MOH"))
    Case.objects.filter(pk=case.pk).update(municipality_id="PEJ")
    assert decided(
        case, world.other_focal_point, "D2_POS", ago(1), institution=institution("MOH"), decision_maker="DM_TEAM"
    )


def test_of_a_closed_case_a_review_decides_or_a_court_and_nobody_else(world):
    case = opened(world.focal_point)
    close(case, by=world.focal_point, closed_on=ago(5), outcome="RT_U", note_text="", revision=case.revision)
    case.refresh_from_db()
    for outcome, stage in (("D2_POS", 2), ("D1_POS", 1), ("D_DISC", 2)):
        for day in (ago(6), ago(1)):
            with pytest.raises(Refused, match="closed"):
                decided(case, world.focal_point, outcome, day, stage=stage, reason="New facts.")
    with pytest.raises(PermissionDenied):
        decided(case, world.other_focal_point, "D2_POS", ago(1))
    court = {"institution": institution("CT-PR"), "decision_maker": "DM_COURT"}
    first = decided(case, world.focal_point, "D2_POS", ago(3), **court)
    case.refresh_from_db()
    assert (case.status, case.next_due_at) == ("IDENTIFIED", None)
    review = decided(case, world.focal_point, "D_RECON_NEG", ago(1), review_of=first, reason="New facts.")
    case.refresh_from_db()
    assert case.status == "NOT_VICTIM" and case.closed_on == ago(5)
    assert inform(review, by=world.focal_point, informed_on=ago(0)).informed_on == ago(0)
    told = Happening.objects.filter(case=case, record__in=(first.pk, review.pk)).order_by("happened_at")
    assert {one.kind for one in told} == {EventKind.IDENTIFIED, EventKind.REVIEWED, EventKind.NOT_VICTIM}
    assert not Clock.objects.filter(case=case).open().exists()


def test_a_form_sent_twice_decides_once_and_a_key_of_another_is_refused(world):
    case, key = opened(world.focal_point), uuid.uuid4()
    first = decided(case, world.focal_point, "D1_POS", ago(1), stage=1, key=key)
    assert decided(case, world.focal_point, "D1_POS", ago(1), stage=1, key=key) == first
    assert Happening.objects.filter(case=case, kind=EventKind.PRESUMED).count() == 1
    with pytest.raises(Refused, match="used already"):
        decided(opened(world.focal_point), world.focal_point, "D1_POS", ago(1), stage=1, key=key)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_is_told(world):
    case = opened(world.focal_point)

    def press(name: str, outcome: str) -> CaseDecision:
        with translation.override("en"):  # a thread has a language of its own
            return decided(case, getattr(world, name), outcome, ago(1), stage=1, seen=0)

    results = at_once(lambda: press("focal_point", "D1_POS"), lambda: press("monitoring", "D1_NEG"))
    assert sorted(type(one).__name__ for one in results) == ["CaseDecision", "Refused"]
    told = next(one for one in results if isinstance(one, Refused))
    assert "meanwhile" in str(told) and CaseDecision.objects.filter(case=case).count() == 1


def test_the_person_is_informed_later_and_once(world):
    case = opened(world.focal_point)
    decision = decided(case, world.focal_point, "D1_POS", ago(3), stage=1)
    with pytest.raises(Refused, match="not informed before"):
        inform(decision, by=world.focal_point, informed_on=ago(4))
    for _again in range(2):
        inform(decision, by=world.focal_point, informed_on=ago(2))
    with pytest.raises(Refused, match="another day"):
        inform(decision, by=world.focal_point, informed_on=ago(1))


# Plain steps


def test_a_step_is_its_day_and_its_time_and_is_struck_with_a_reason(world):
    case, by, key = opened(world.focal_point), world.focal_point, uuid.uuid4()
    for _again in range(2):
        step, is_new = record_step(case, by=by, key=key, kind=EventKind.NOTIFIED, on=ago(9), at=time(14, 30))
    assert not is_new and step.has_time and timezone.localtime(step.happened_at).hour == 14
    assert step.recorded_for == institution("KP-THB")
    with pytest.raises(Refused, match="page of its own"):
        record_step(case, by=by, key=uuid.uuid4(), kind=EventKind.IDENTIFIED, on=ago(1))
    with pytest.raises(Refused, match="future"):
        record_step(case, by=by, key=uuid.uuid4(), kind=EventKind.NOTIFIED, on=ago(-1))
    with pytest.raises(Refused, match="Say why"):
        strike(step, by=by, reason=" ")
    with pytest.raises(PermissionDenied):
        strike(step, by=world.other_focal_point, reason="Gabim")
    CaseParty.objects.create(case=case, institution=institution("MOH"), role="helps")
    with pytest.raises(PermissionDenied, match="corrects it"):
        strike(step, by=world.other_focal_point, reason="Gabim")
    assert strike(step, by=by, reason="Data e gabuar").struck_at is not None
    assert Happening.objects.filter(pk=step.pk).exists()
    referred = Happening.objects.get(case=case, kind=EventKind.REFERRED)
    with pytest.raises(Refused, match="where it was recorded"):
        strike(referred, by=by, reason="Gabim")


# After the closing


def closed_as_no_victim(world):
    case = opened(world.focal_point, on=ago(60))
    decision = decided(case, world.focal_point, "D2_NEG", ago(50))
    case.refresh_from_db()
    close(case, by=world.focal_point, closed_on=ago(40), outcome="RT_U", note_text="", revision=case.revision)
    case.refresh_from_db()
    return case, decision


def test_a_review_comes_as_late_as_somebody_asks_for_it_and_moves_no_clock(world, client_for):
    """Who was found not to be a victim asks for a review when the case is long closed; it is of the decision of that
    episode (data_dictionary.md, section 4: review_on), whose status follows."""
    case, decision = closed_as_no_victim(world)
    client, address = client_for("focal_point"), reverse("nrm:case-decide", args=[case.marker])
    before = list(Clock.objects.filter(case=case).order_by("pk").values())
    page = read(client, case).content.decode()
    assert "Record a later decision" in page and address in page and "<dd>RT_U" not in page
    form = client.get(address).context["form"]
    assert [code for code, _label in form.fields["outcome"].widget.choices] == ["", "D_RECON_POS", "D_RECON_NEG"]
    typed = {
        "key": form["key"].value(), "seen": 1, "outcome": "D_RECON_POS", "review_of": str(decision.pk),
        "decided_on": ago(3), "institution": institution("KP-THB").pk, "decision_maker": "DM_POLICE",
        "age_group_at_decision": "ADULT", "reason": "Prova te reja",
    }  # fmt: skip
    assert client.post(address, typed).url == case.get_absolute_url()
    assert client.post(address, typed).url == case.get_absolute_url()  # pressed twice
    assert status(case) == "IDENTIFIED" and CaseDecision.objects.filter(case=case).count() == 2
    assert Happening.objects.get(case=case, kind=EventKind.REVIEWED).record is not None
    assert list(Clock.objects.filter(case=case).order_by("pk").values()) == before
    review = CaseDecision.objects.get(case=case, outcome="D_RECON_POS")
    inform(review, by=world.focal_point, informed_on=ago(1))
    assert not list(closed_cases_have_nothing_open())


def test_a_review_of_a_closed_case_lies_after_what_it_reviews(world):
    case, decision = closed_as_no_victim(world)
    with pytest.raises(Refused, match="does not lie before"):
        decided(case, world.focal_point, "D_RECON_POS", ago(55), review_of=decision)
