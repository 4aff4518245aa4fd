"""Opening a case: under a marker, with the referral that brings the person in, once however often the form is sent."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from nrm import markers
from nrm.actions.cases import open_case
from nrm.models import Case, Competence, EventKind, Happening, Referral, SopVersion
from onatc.errors import Refused
from tests.nrm.cases import institution, opened


def test_the_first_version_of_the_sop_ships_with_its_steps_and_their_sources(world):
    version = SopVersion.objects.in_force(timezone.localdate())
    steps = list(version.steps.all())
    assert [one.number for one in steps] == list(range(1, 24))
    assert all(one.source and one.name_sq and one.name_sr and one.name_en for one in steps)
    assert Competence.objects.filter(function="child_unit", institution__code="CSW").exists()


def test_a_case_is_opened_with_its_referral_and_seen_by_its_institution_alone(world):
    case = opened(world.focal_point)
    assert markers.is_valid(case.marker) and case.status == "POTENTIAL" and not case.is_child_procedure
    assert Referral.objects.get(case=case).brings_in
    assert set(Happening.objects.filter(case=case).values_list("kind", flat=True)) == {
        EventKind.REFERRED, EventKind.RECEIVED
    }  # fmt: skip
    sees = {
        name: Case.objects.visible_to(getattr(world, name)).filter(pk=case.pk).exists()
        for name in ("focal_point", "other_focal_point", "director", "monitoring", "child", "natc", "planning", "observer",
                     "information", "local", "administrator")
    }  # fmt: skip
    assert {name for name, may in sees.items() if may} == {"focal_point", "director", "monitoring"}


def test_children_are_seen_by_the_child_officer_and_the_coordinator_of_their_area(world):
    child = opened(world.focal_point, profile={"age_at_referral": None, "age_group_at_referral": "AGE_U"})
    assert child.is_child_procedure and child.track == "AGE_U"
    for name, sees in (("child", True), ("local", True), ("planning", False)):
        assert Case.objects.visible_to(getattr(world, name)).filter(pk=child.pk).exists() is sees


def test_opening_is_refused_for_the_future_for_oneself_and_for_strangers(world):
    today, own = timezone.localdate(), institution("KP-THB")
    arguments = {"key": uuid.uuid4(), "institution": own, "referred_on": today}
    with pytest.raises(PermissionDenied):
        open_case(by=world.observer, **arguments)
    with pytest.raises(Refused, match="future"):
        open_case(by=world.focal_point, **arguments | {"referred_on": today + timedelta(days=1)})
    with pytest.raises(Refused, match="itself"):
        open_case(by=world.focal_point, **arguments, addressee=own)
    case, is_new = open_case(by=world.focal_point, **arguments)
    assert is_new and open_case(by=world.focal_point, **arguments) == (case, False)
