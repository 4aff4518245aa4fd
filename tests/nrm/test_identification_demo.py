"""The demonstration of identification says nothing that the rules refuse."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from monitoring.demo.nrm_identification import add_identification
from nrm import deciding
from nrm.models import Case, CaseDecision, Happening, ReflectionEvent, RiskAssessment
from nrm.queries.identification import decided, events_of
from nrm.reflection import problem
from tests.nrm.cases import opened


def test_what_is_shown_could_have_happened(world):
    today = timezone.localdate()
    ages = (
        {"age_at_referral": 24},
        {"age_at_referral": 13},
        {"age_at_referral": None, "age_group_at_referral": "AGE_U"},
    )
    for number in range(24):
        opened(world.focal_point, on=today - timedelta(days=5 + number * 17), profile=ages[number % 3])
    add_identification({}, 1, today)
    assert CaseDecision.objects.count() > 20 and RiskAssessment.objects.count() > 30
    assert ReflectionEvent.objects.filter(kind="RF_END").exists()
    for case in Case.objects.all():
        decisions = list(CaseDecision.objects.filter(case=case).order_by("decided_on", "recorded_at", "pk"))
        for place, row in enumerate(decisions):
            seen = decided(decisions[: place + 1])
            reviewed = next(
                (one for one, before in zip(seen, decisions, strict=False) if before == row.review_of), None
            )
            assert deciding.problem(seen[:-1], seen[-1], reviewed) is None
            assert row.informed_on is None or row.informed_on <= today
        events = list(ReflectionEvent.objects.filter(case=case).order_by("recorded_at", "pk"))
        assert problem(events_of(events)) is None, [(one.kind, one.on) for one in events]
        assert case.is_child_procedure == (case.track != "ADULT")
    assert not Happening.objects.filter(happened_at__gt=timezone.now() + timedelta(hours=12)).exists()
    assert not Happening.objects.filter(recorded_at__gt=timezone.now()).exists()
