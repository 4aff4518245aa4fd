"""Criminal proceedings: opaque, by stages, with accused persons who have numbers instead of names."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from nrm import markers
from nrm.actions import proceedings as actions
from nrm.models import Case, EventKind, Happening, Proceeding, ProceedingStage, ProceedingVictim, ProtectiveMeasure
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


def test_days_of_a_proceeding_that_cannot_be_are_refused(world, case, proceeding):
    by, today = world.focal_point, timezone.localdate()
    other = opened(world.focal_point)
    with pytest.raises(Refused, match="opened after that day") as refusal:
        actions.join_proceeding(other, proceeding, by=by, role="witness", on=proceeding.opened_on - timedelta(days=1))
    assert refusal.value.field == "on"
    with pytest.raises(Refused, match="not born") as refusal:
        actions.open_proceeding(case, uuid.uuid4(), by=by, opened_on=date(1951, 2, 28), role="injured")
    assert refusal.value.field == "opened_on"
    with pytest.raises(Refused) as refusal:
        actions.record_protection(
            case, uuid.uuid4(), {"kind": "police", "asked_on": today, "ends_on": today - timedelta(days=1)}, by=by
        )
    assert refusal.value.field == "ends_on"


def test_the_part_of_the_person_is_changed_knowingly_and_after_the_closing_too(world, case, proceeding, client_for):
    link = ProceedingVictim.objects.get(case=case)
    page = reverse("nrm:proceeding-part", args=[link.pk])
    client = client_for("focal_point")
    client.post(client.get(page)["Location"], {"purpose": "The hearing"})
    form = client.get(page).context["form"]
    actions.set_part(link, by=world.focal_point, role="protected", has_advocate=True)  # a colleague, meanwhile
    answer = client.post(page, form.initial | {"role": "witness", "has_advocate": "true"})
    assert answer.status_code == 200 and "A colleague changed the part" in answer.content.decode()
    link.refresh_from_db()
    assert link.role == "protected"
    Case.objects.filter(pk=case.pk).update(closed_on=timezone.localdate(), outcome="RT_INDEP")
    fresh = client.get(page).context["form"]
    assert client.post(page, fresh.initial | {"role": "witness", "has_advocate": "true"}).status_code == 302
    link.refresh_from_db()
    assert link.role == "witness"


def test_a_protection_that_was_dated_wrongly_is_corrected_in_the_way_too(world, case):
    today, by = timezone.localdate(), world.focal_point
    values = {"kind": "screen", "asked_on": today - timedelta(days=3)}
    measure = actions.record_protection(case, uuid.uuid4(), values, by=by)
    actions.change_protection(measure, {"asked_on": today}, by=by, revision=0)
    told = Happening.objects.filter(case=case, kind=EventKind.PROTECTION_ASKED, struck_at__isnull=True)
    assert [one.happened_on for one in told] == [today]
