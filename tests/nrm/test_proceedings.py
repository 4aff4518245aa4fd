"""Criminal proceedings: opaque, by stages, with accused persons who have numbers instead of names."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from nrm import markers
from nrm.actions import proceedings as actions
from nrm.models import EventKind, Happening, Proceeding, ProceedingStage, ProtectiveMeasure
from onatc.errors import Refused
from tests.nrm.cases import opened


@pytest.fixture
def case(world):
    return opened(world.focal_point)


@pytest.fixture
def proceeding(world, case) -> Proceeding:
    return actions.open_proceeding(case, uuid.uuid4(), by=world.focal_point, opened_on=case.opened_on, role="witness")


def test_a_proceeding_has_a_marker_of_its_own_and_begins_with_the_recorded_offence(world, case, proceeding):
    assert markers.is_valid(proceeding.marker) and proceeding.marker != case.marker
    assert [one.stage for one in proceeding.stages.all()] == ["P_REPORT"]


def test_an_indictment_is_a_charge_in_each_linked_case(world, case, proceeding):
    other = opened(world.focal_point)
    actions.join_by_marker(other, proceeding.marker, by=world.focal_point, role="injured", on=timezone.localdate())
    actions.add_stage(
        proceeding, uuid.uuid4(), {"stage": "P_INDICT", "on": timezone.localdate(), "unit": "CU_CASE"},
        by=world.focal_point,
    )  # fmt: skip
    for one in (case, other):
        assert Happening.objects.filter(case=one, kind=EventKind.CHARGED).count() == 1


def test_stages_say_what_they_count_and_about_whom(world, proceeding):
    today = timezone.localdate()
    accused = actions.add_accused(proceeding, uuid.uuid4(), {"sex": "M", "age_group": "ADULT"}, by=world.focal_point)
    assert accused.number == 1
    for wrong, field in (
        ({"unit": "CU_ACCUSED"}, "accused"),
        ({"unit": "CU_CASE", "accused": accused}, "accused"),
        ({"unit": "CU_CASE", "on": today + timedelta(days=1)}, "on"),
        ({"unit": "CU_CASE", "on": proceeding.opened_on - timedelta(days=1)}, "on"),
        ({"unit": "CU_CASE", "sentence_months": 12}, "sentence_months"),
    ):
        with pytest.raises(Refused) as refusal:
            actions.add_stage(
                proceeding, uuid.uuid4(), {"stage": "P_INDICT", "on": today} | wrong, by=world.focal_point
            )
        assert refusal.value.field == field
    actions.add_stage(
        proceeding, uuid.uuid4(),
        {"stage": "P_CONV1", "on": today, "unit": "CU_ACCUSED", "accused": accused, "sentence_months": 60},
        by=world.focal_point,
    )  # fmt: skip
    assert ProceedingStage.objects.get(stage="P_CONV1").accused == accused


def test_a_wrong_marker_is_told_from_one_that_was_never_given(world, case, client_for):
    client, url = client_for("focal_point"), reverse("nrm:proceeding-join", args=[case.marker])
    data = {"on": timezone.localdate().isoformat(), "role": "witness"}
    page = client.post(url, data | {"marker": "4KM7"}).content.decode()
    assert "too short" in page
    page = client.post(url, data | {"marker": markers.new_marker()}).content.decode()
    assert "no proceeding with this marker" in page


def test_protection_is_asked_for_and_decided(world, case):
    today = timezone.localdate()
    with pytest.raises(Refused, match="granted"):
        actions.record_protection(
            case, uuid.uuid4(), {"kind": "screen", "asked_on": today, "decided_on": today}, by=world.focal_point
        )
    actions.record_protection(case, uuid.uuid4(), {"kind": "screen", "asked_on": today}, by=world.focal_point)
    measure = ProtectiveMeasure.objects.get()
    actions.change_protection(measure, {"decided_on": today, "was_granted": True}, by=world.focal_point, revision=0)
    assert Happening.objects.filter(case=case, kind=EventKind.PROTECTION_DECIDED).count() == 1


def test_another_institution_sees_and_changes_nothing(world, proceeding, client_for):
    assert client_for("other_focal_point").get(proceeding.get_absolute_url()).status_code == 404
    assert client_for("focal_point").get(proceeding.get_absolute_url()).status_code == 200
    with pytest.raises(PermissionDenied):
        actions.add_accused(proceeding, uuid.uuid4(), {}, by=world.other_focal_point)
