"""What the measuring fills in stands as if people had done it: as many as were asked for, and nothing that must not be."""

from __future__ import annotations

import pytest

from stakeholders import invariants
from stakeholders.models import ActionPoint, Agreement, Attendee, Body, Contact, Decision, Enquiry, Event, Meeting
from tests.mass_cooperation import ATTENDEES, MEMBERS, fill_cooperation

pytestmark = pytest.mark.django_db


def test_what_is_filled_in_is_as_many_as_asked_for_and_as_it_must_be(world):
    numbers = {
        "bodies": 5, "meetings": 30, "points": 200, "agreements": 40, "communications": 30, "enquiries": 90, "events": 40,
        "circulars": 4,
    }  # fmt: skip
    made = fill_cooperation(**numbers, by=world.director)
    for model, count in (
        (Body, 5), (Meeting, 30), (ActionPoint, 200), (Agreement, 40), (Enquiry, 90), (Event, 40), (Contact, 5 * MEMBERS + 1),
    ):  # fmt: skip
        assert model.objects.count() == count, model
    assert Attendee.objects.count() == 29 * ATTENDEES + 1 and Decision.objects.count() > 30
    assert Meeting.objects.visible_to(world.focal_point).exists() and ActionPoint.objects.overdue().exists()
    assert Meeting.objects.filter(pk__in=made["meeting"]).exists()
    for name in (
        "decisions_are_numbered_one_by_one", "adopted_minutes_are_as_adopted", "points_end_by_a_step",
        "attendance_is_within_the_seats", "decisions_have_their_quorum", "nobody_sits_twice",
        "circulars_went_to_each_once",
    ):  # fmt: skip
        assert list(getattr(invariants, name)()) == [], name
