"""Risk: assessed together, repeated on the day the SOP says, with a plan that is done."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from nrm.actions import care
from nrm.actions.identification import record_step, strike
from nrm.actions.risk import Planned, add_measure, assess, measure_done
from nrm.models import Case, CaseParty, Clock, EventKind, Happening, RetainedKind, RiskAssessment, RiskMeasure, SopStep
from nrm.queries.identification import _assessing, _risk
from onatc.errors import Refused
from tests.nrm.cases import institution, opened
from tests.stakeholders.decided import at_once


def ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def assessed(
    case: Any, by: Any, on: date, level: str = "RISK_MED", who: tuple[str, ...] = ("KP-THB", "VPAO"), **fields: Any
) -> Any:
    values = {"key": uuid.uuid4(), "assessors": [institution(code) for code in who]} | fields
    return assess(case, by=by, assessed_on=on, level=level, **values)[0]


def test_the_latest_one_holds_and_is_repeated_by_the_sop(world):
    case, by = opened(world.focal_point), world.focal_point
    first = assessed(case, by, ago(9), "RISK_HIGH", factors=["threats", "at_large"], placement="SH_SECURE")
    assert first.next_due == ago(9 - 30) and set(first.factors) == {"threats", "at_large"}
    SopStep.objects.filter(number=14).update(unit="months", amounts=[2])
    second = assessed(case, by, ago(2), "RISK_LOW")
    assert second.next_due is not None and second.next_due.day <= ago(2).day
    late = assessed(case, by, ago(5))  # recorded late, by its own day it is not the latest
    assert RiskAssessment.objects.filter(case=case).first() == second != late
    assert Happening.objects.filter(case=case, kind=EventKind.RISK_ASSESSED).count() == 3
    SopStep.objects.filter(number=14).update(repeats=False)
    assert assessed(case, by, ago(1)).next_due is None


def test_working_days_skip_weekends_and_holidays(world):
    case = opened(world.focal_point, on=date(2026, 4, 1))
    SopStep.objects.filter(number=14).update(unit="working_days", amounts=[3])
    # Friday 24 April 2026: Monday, Tuesday, Wednesday.
    assert assessed(case, world.focal_point, date(2026, 4, 24)).next_due == date(2026, 4, 29)


def test_police_and_advocate_assess_together_and_for_a_child_the_centre_too(world):
    case, by = opened(world.focal_point), world.focal_point
    with pytest.raises(Refused, match="victim advocate") as refusal:
        assessed(case, by, ago(1), who=("KP-THB",))
    assert refusal.value.field == "incomplete_reason"
    with pytest.raises(Refused, match="not among those"):
        assessed(case, by, ago(1), who=("VPAO",))
    child = opened(by, profile={"age_at_referral": 12})
    with pytest.raises(Refused, match="social work"):
        assessed(child, by, ago(1))
    found = assessed(child, by, ago(2), incomplete_reason="Qendra nuk u përgjigj brenda natës")
    assert found.incomplete_reason
    whole = assessed(child, by, ago(1), who=("KP-THB", "VPAO", "CSW"), incomplete_reason="e panevojshme")
    assert whole.incomplete_reason == "" and whole.assessors.count() == 3


def test_what_is_refused(world):
    case, by = opened(world.focal_point), world.focal_point
    for level in ("RISK_NA", "high"):
        with pytest.raises(Refused, match="low, medium or high"):
            assessed(case, by, ago(1), level)
    with pytest.raises(Refused, match="factor"):
        assessed(case, by, ago(1), factors=["emri"])
    with pytest.raises(Refused, match="future"):
        assessed(case, by, ago(-1))
    with pytest.raises(Refused, match="who assessed"):
        assessed(case, by, ago(1), who=())
    CaseParty.objects.create(case=case, institution=institution("MOH"), role="helps")
    with pytest.raises(PermissionDenied, match="together"):
        assessed(case, world.other_focal_point, ago(1))


def test_the_plan_follows_and_is_done(world):
    case, by, key = opened(world.focal_point), world.focal_point, uuid.uuid4()
    plan = [Planned("Ndërrimi i numrit të telefonit", institution("KP-THB"), ago(-2))]
    for _again in range(2):
        found = assessed(case, by, ago(3), plan=plan, key=key)
    measure = RiskMeasure.objects.get(assessment=found)
    for _again in range(2):
        measure_done(measure, by=by, done_on=ago(1))
    with pytest.raises(Refused, match="meanwhile"):
        measure_done(measure, by=by, done_on=ago(0))
    with pytest.raises(Refused, match="not due before"):
        add_measure(found, Planned("Shoqërim", institution("VPAO"), ago(5)), by=by, key=uuid.uuid4())
    more, _new = add_measure(found, Planned("Shoqërim", institution("VPAO"), ago(-5)), by=by, key=uuid.uuid4())
    for day, word in ((ago(4), "before the assessment"), (ago(-1), "future")):
        with pytest.raises(Refused, match=word):
            measure_done(more, by=by, done_on=day)


def test_what_was_typed_goes_when_the_case_is_destroyed(world):
    case, by = opened(world.focal_point), world.focal_point
    plan = [Planned("Shoqërim", institution("KP-THB"), ago(0))]
    found = assessed(case, by, ago(1), who=("KP-THB",), incomplete_reason="Mbrojtësi në rrugë", plan=plan)
    care.DESTROYS[RetainedKind.CASE]([Case.objects.get(pk=case.pk)])
    found.refresh_from_db()
    assert found.level == "RISK_MED" and found.incomplete_reason == RiskMeasure.objects.get(case=case).what == ""


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_at_once_assesses_once(world):
    case, by, key = opened(world.focal_point), world.focal_point, uuid.uuid4()
    results = at_once(*(lambda: assessed(case, by, ago(1), key=key) for _again in range(2)))
    assert results[0] == results[1] and RiskAssessment.objects.filter(case=case).count() == 1
    assert Happening.objects.filter(case=case, kind=EventKind.RISK_ASSESSED).count() == 1


@pytest.mark.parametrize(
    ("step", "profile", "is_repeated"),
    [
        ({"foreigners_only": True}, {"citizenship": ["XK"]}, False),
        ({"foreigners_only": True}, {"citizenship": ["AL"]}, True),
        ({"foreigners_only": True}, {"citizenship": ["CIT_U"]}, False),
        ({"applies_forms": ["BEG"]}, {"forms": ["SEX"]}, False),
        ({"applies_forms": ["BEG", "SEX"]}, {"forms": ["SEX"]}, True),
        ({"applies_risk": ["RISK_HIGH"]}, {}, False),
        ({"who": "child"}, {}, False),
        ({"met_by": ["placed"]}, {}, False),
    ],
)
def test_it_is_repeated_for_those_alone_whom_the_step_concerns(world, step, profile, is_repeated):
    """The day on the assessment and the clock of the step are one rule."""
    SopStep.objects.filter(number=14).update(**step)
    case = opened(world.focal_point, profile=profile)
    due = assessed(case, world.focal_point, ago(2)).next_due
    assert due == (ago(2 - 30) if is_repeated else None)
    clock = Clock.objects.filter(case=case, step__number=14, state="running").first()
    assert (timezone.localtime(clock.due_at).date() if clock and clock.due_at else None) == due or "met_by" in step


def test_new_facts_ask_for_another_assessment_until_there_is_one(world):
    case, by = opened(world.focal_point), world.focal_point
    assessed(case, by, ago(5))

    def asks() -> tuple[date | None, bool]:
        act = next(one for one in _assessing(case, by) if "Assess" in str(one.label))
        return _risk(case, by)["new_facts"], act.is_next

    record_step(case, by=by, key=uuid.uuid4(), kind="risk_changed", on=ago(6))  # known to the assessment
    assert asks() == (None, False)
    step, _new = record_step(case, by=by, key=uuid.uuid4(), kind="risk_changed", on=ago(5))  # told after it
    assert asks() == (ago(5), True)
    strike(step, by=by, reason="A mistake.")
    assert asks() == (None, False)
    record_step(case, by=by, key=uuid.uuid4(), kind="risk_changed", on=ago(2))
    assert asks() == (ago(2), True)
    assessed(case, by, ago(1))
    assert asks() == (None, False)
