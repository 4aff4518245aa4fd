"""The demonstration shows deviations in all states, an effect, an approved assessment, a gap and an overlap."""

from __future__ import annotations

import pytest
from django.utils import timezone

from monitoring.demo.nrm_oversight import add_oversight
from nrm.models import Adaptation, AdaptationState, Assessment, Chapter, Deviation, DeviationState, SopVersion
from nrm.queries.mechanism import found_in
from nrm.role_findings import FindingKind
from stakeholders.models import User
from tests.nrm.cases import opened
from tests.nrm.watching import a_step
from tests.stakeholders.decided import a_decision, a_meeting, days_ago

pytestmark = pytest.mark.django_db


def test_the_demonstration_of_the_oversight(world):
    today = timezone.localdate()
    for ago in (300, 150, 12):
        a_decision(a_meeting(world.director, on=days_ago(ago)), world.director)
    opened(world.focal_point)
    add_oversight({user.email: user for user in User.objects.all()}, 1, today)
    assert set(Deviation.objects.values_list("state", flat=True)) == set(DeviationState.values)
    assert Deviation.objects.overdue().exists() and Deviation.objects.filter(case__isnull=False).count() == 2
    assert set(Adaptation.objects.values_list("state", flat=True)) == {
        AdaptationState.PROPOSED, AdaptationState.IN_PLACE, AdaptationState.REFUSED,
    }  # fmt: skip
    checked = Adaptation.objects.get(effect_checked_on__isnull=False)
    assert checked.before is not None and checked.afterwards is not None
    assert list(Assessment.objects.order_by("number").values_list("state", flat=True)) == ["approved", "draft"]
    assert Chapter.objects.filter(text_sr__gt="").count() == 11
    found = found_in(SopVersion.objects.get(number=1), today)
    overlaps = [one.step for one in found if one.kind == FindingKind.TWO_LEAD]
    assert overlaps == [a_step(18).lineage]
    assert [one.step for one in found if one.kind == FindingKind.NO_LEAD] == [a_step(6).lineage]
