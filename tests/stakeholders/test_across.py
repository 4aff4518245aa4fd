"""What lies across meetings, agreements and enquiries: handed over, found, counted, shown as evidence, and always true."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pgtrigger
import pytest
from django.db import connection
from django.utils import timezone

from onatc import search
from onatc.periods import Period
from stakeholders import invariants, ownership
from stakeholders.actions import accounts
from stakeholders.models import (
    Agreement,
    Attendee,
    BodyMember,
    Circular,
    CircularRecipient,
    Contact,
    Enquiry,
    Meeting,
    Questionnaire,
)
from strategy import computed, evidence
from tests.stakeholders.gathered import (
    a_body,
    a_decision,
    a_meeting,
    a_point,
    a_series,
    an_attendee,
    an_item,
    day,
    done,
    institution,
    moment,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def thawed_minutes():
    """Records may be put into a meeting whose minutes stand as adopted already."""
    names = ("Meeting", "AgendaItem", "Attendee", "MinutesComment")
    with pgtrigger.ignore(*(f"stakeholders.{name}:frozen_once_minutes_adopted" for name in names)):
        yield


# Handed over


def test_what_a_leaver_holds_of_cooperation_goes_to_the_heir_and_what_is_over_stays(world):
    leaver, heir = world.information, world.planning
    prepared, held = a_meeting(leaver, 10, "draft"), a_meeting(leaver, -10)
    running = Agreement.objects.create(kind="memorandum", title_sq="M", responsible=leaver)
    over = Agreement.objects.create(
        kind="memorandum",
        title_sq="M",
        responsible=leaver,
        signed_on=day(-900),
        in_force_on=day(-900),
        expires_on=day(-1),
    )
    asked = {
        "way": "email",
        "sender_kind": "press",
        "subject": "S",
        "question": "Q",
        "year": 2026,
        "assigned_to": leaver,
    }
    asked |= {"received_on": day(-3), "due_on": day(9)}
    open_, closed = (
        Enquiry.objects.create(number=1, state="assigned", **asked),
        Enquiry.objects.create(number=2, state="closed", close_reason="Spam", **asked),
    )
    form = Questionnaire.objects.create(
        title="GRETA", asked_by=institution("OSCE"), received_on=day(-3), due_on=day(9), responsible=leaver
    )
    circular = Circular.objects.create(title_sq="Qarkore", created_by=leaver)
    holdings = {kind.key for kind, _records in ownership.held_by(leaver)}
    assert holdings == {"meeting", "agreement", "enquiry", "questionnaire", "circular"}
    accounts.close_account(leaver, by=world.director, successors=dict.fromkeys(holdings, heir.pk))
    for record, field in (
        (prepared, "created_by"), (running, "responsible"), (open_, "assigned_to"), (form, "responsible"),
        (circular, "created_by"),
    ):  # fmt: skip
        record.refresh_from_db()
        assert getattr(record, field) == heir, record
    for record, field in ((held, "created_by"), (over, "responsible"), (closed, "assigned_to")):
        record.refresh_from_db()
        assert getattr(record, field) == leaver, record


def test_an_action_point_in_ones_own_name_stays_with_the_institution_when_nobody_takes_it_over(world):
    meeting = a_meeting(world.director)
    point = a_point(meeting, world.director, person=world.focal_point)
    assert [kind.key for kind, _records in ownership.held_by(world.focal_point)] == ["action-point"]
    accounts.close_account(world.focal_point, by=world.director, successors={})
    point.refresh_from_db()
    assert point.owner.code == "KP-THB" and not point.person.is_active


# Evidence


def test_a_meeting_that_was_held_is_evidence_for_whoever_may_see_it(thawed_minutes, world):
    meeting = a_meeting(world.director, -3, minutes_state="adopted", minutes_adopted_at=moment(-1))
    an_attendee(meeting, "KP-THB")
    a_meeting(world.director, 3, "called")
    a_meeting(world.director, -9, title_sq="Tjetra")
    found = evidence.found_records(world.director, kind="meeting")
    assert found[0].title.endswith("minutes adopted") and len(found) == 2
    assert [one.record for one in evidence.found_records(world.focal_point, kind="meeting")] == [meeting]
    assert not evidence.found_records(world.other_focal_point, kind="meeting")
    assert evidence.record_of("meeting", meeting.pk, world.other_focal_point) is None
    assert [one.record.title_sq for one in evidence.found_records(world.director, "tjetra", kind="meeting")] == [
        "Tjetra"
    ]


# Computed indicators, each against numbers counted by hand


def figure(world, key: str, period: Period) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    found = computed.figure_of(key, world.plan, period)
    return found.value, found.numerator, found.denominator


def test_meetings_are_counted_by_the_kind_of_their_series_and_by_the_day_they_began(world):
    authority, other, table = a_series(), a_series(name_sq="Jashtëzakonshme"), a_series("round_table")
    year = timezone.localdate().year - 1

    def held(series, *when: int, hour: int = 10, state: str = "held") -> Meeting:
        begins = timezone.make_aware(timezone.datetime(year, *when, hour))
        meeting = a_meeting(world.director, state=state, series=series)
        Meeting.objects.filter(pk=meeting.pk).update(starts_at=begins, ends_at=begins + timedelta(hours=3))
        return meeting

    held(authority, 3, 15)
    held(other, 3, 31, hour=23)  # the last evening of the quarter, over midnight
    held(authority, 4, 1, hour=0)
    held(table, 2, 1)
    held(None, 2, 2)
    held(authority, 2, 3, state="cancelled")
    held(authority, 2, 4, state="called")
    first, second = Period.parse(f"{year}Q1"), Period.parse(f"{year}Q2")
    assert figure(world, "meetings-of-the-authority", first) == (2, None, None)
    assert figure(world, "meetings-of-the-authority", second) == (1, None, None)
    assert figure(world, "round-tables", first) == (1, None, None)
    assert figure(world, "round-tables", second) == (0, None, None)


def test_the_share_of_action_points_done_in_time(world):
    """Seven were due: done on the day, done before, done a day late, open and overdue make four; dropped, due today and
    open, due later and open do not count. Two of four: 50 per cent."""
    meeting, by = a_meeting(world.director), world.director
    done(a_point(meeting, by, due=-10), by, -10)
    done(a_point(meeting, by, due=-10), by, -20)
    done(a_point(meeting, by, due=-10), by, -9)
    a_point(meeting, by, due=-1)
    done(a_point(meeting, by, due=-10), by, -11, "dropped")
    a_point(meeting, by, due=0)
    a_point(meeting, by, due=5)
    done(a_point(meeting, by, due=-400), by, -401)  # of another period
    period = Period(day(-100), day(100))
    assert figure(world, "action-points-in-time", period) == (Decimal("50"), 2, 4)
    assert figure(world, "action-points-in-time", Period(day(-900), day(-800))) == (None, None, None)


def test_the_attendance_of_the_authority_is_of_seats_and_of_its_meetings_alone(world):
    authority, group = a_body("NA-1"), a_body("WG-1", kind="group")
    a_meeting(world.director, -40, body=authority, voting_members=20, voting_present=15, quorum_needed=11)
    a_meeting(world.director, -20, body=authority, voting_members=21, voting_present=12, quorum_needed=11)
    a_meeting(world.director, -20, body=group, voting_members=9, voting_present=1, quorum_needed=5)
    a_meeting(world.director, 20, "called", body=authority)
    period = Period(day(-60), day(30))
    assert figure(world, "authority-attendance", period) == (Decimal("65.85"), 27, 41)
    assert figure(world, "authority-attendance", Period(date(2001, 1, 1), date(2001, 3, 31))) == (None, None, None)


# Always true


def planted(name: str) -> list[str]:
    return list(getattr(invariants, name)())


def test_all_rules_hold_for_records_as_they_should_be(thawed_minutes, world):
    body = a_body()
    meeting = a_meeting(world.director, body=body)
    for number in (1, 2, 3):
        a_decision(meeting, world.director, number)
    item = an_item(meeting, minutes_sq="U diskutua.")
    Meeting.objects.filter(pk=meeting.pk).update(minutes_state="adopted", minutes_adopted_at=timezone.now())
    item.position = 4
    item.save()
    done(a_point(meeting, world.director, due=-1), world.director, -1)
    seat = {"body": body, "institution": institution("MOH"), "person": Contact.objects.create(full_name="Dikush")}
    BodyMember.objects.create(starts_on=day(-90), ends_on=day(-31), **seat)
    BodyMember.objects.create(starts_on=day(-30), **seat)
    for name in (
        "decisions_are_numbered_one_by_one", "adopted_minutes_are_as_adopted", "points_end_by_a_step",
        "attendance_is_within_the_seats", "decisions_have_their_quorum", "nobody_sits_twice",
        "circulars_went_to_each_once",
    ):  # fmt: skip
        assert planted(name) == [], name


@pytest.mark.parametrize("numbers", [(1, 3), (2,), (2, 3)])
def test_a_hole_in_the_numbers_of_decisions_is_found(world, numbers):
    meeting = a_meeting(world.director, body=a_body())
    for number in numbers:
        a_decision(meeting, world.director, number)
    assert len(planted("decisions_are_numbered_one_by_one")) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["minutes", "decision"])
def test_minutes_and_decisions_written_anew_after_they_were_adopted_are_found(world, what):
    meeting = a_meeting(world.director, body=a_body())
    item, decision = an_item(meeting, minutes_sq="U diskutua."), a_decision(meeting, world.director)
    Meeting.objects.filter(pk=meeting.pk).update(minutes_state="adopted", minutes_adopted_at=timezone.now())
    assert planted("adopted_minutes_are_as_adopted") == []
    if what == "minutes":
        item.minutes_sq = "U vendos ndryshe."
        with pgtrigger.ignore("stakeholders.AgendaItem:frozen_once_minutes_adopted"):  # a restored one may have lost it
            item.save()
    else:
        decision.text_sq = "Vendoset ndryshe."
        decision.save()
    assert len(planted("adopted_minutes_are_as_adopted")) == 1


def test_a_point_that_ended_without_a_step_and_more_present_than_there_are_seats_are_found(world):
    meeting = a_meeting(world.director, body=a_body(), voting_members=3, voting_present=4)
    a_point(meeting, world.director, state="done", closed_at=timezone.now(), outcome="U krye.")
    assert len(planted("points_end_by_a_step")) == len(planted("attendance_is_within_the_seats")) == 1


def test_a_person_with_two_seats_is_found(world):
    with connection.cursor() as cursor:  # the database refuses it; a restored one may have lost the rule
        cursor.execute("ALTER TABLE stakeholders_bodymember DROP CONSTRAINT body_person_sits_once_at_a_time")
    body, person = a_body(), Contact.objects.create(full_name="Dikush")
    for code, starts in (("MOH", -90), ("MOJ", -30)):
        BodyMember.objects.create(body=body, institution=institution(code), person=person, starts_on=day(starts))
    assert len(planted("nobody_sits_twice")) == 1


def test_a_recipient_who_was_left_out_and_a_key_of_two_are_found(world):
    circular = Circular.objects.create(
        title_sq="Q", created_by=world.director, state="sent", sent_at=timezone.now(), sent_by=world.director
    )
    for mailed, key in ((timezone.now(), "k"), (None, "k")):
        CircularRecipient.objects.create(
            circular=circular,
            contact=Contact.objects.create(full_name="D"),
            language="sq",
            mailed_at=mailed,
            key_hash=key,
        )
    found = planted("circulars_went_to_each_once")
    assert len(found) == 2 and "nothing went to them" in found[0] and "share a key" in found[1]


# Found


def titles(user, typed: str) -> list[str]:
    return [str(one.title) for one in search.ask(user, typed).results]


@pytest.mark.django_db(transaction=True)
def test_minutes_are_found_once_they_are_circulated_and_by_whoever_is_called(world):
    meeting = a_meeting(world.director, body=a_body())
    an_item(meeting, title_sq="Buxheti i vitit", minutes_sq="Flitet për gjirafat.")
    seat = an_attendee(meeting, "KP-THB")
    search.rebuild()
    assert (
        titles(world.focal_point, "buxheti") == ["Buxheti i vitit"] and titles(world.other_focal_point, "buxheti") == []
    )
    assert titles(world.focal_point, "gjirafat") == [] == titles(world.director, "gjirafat")
    Meeting.objects.filter(pk=meeting.pk).update(minutes_state="circulated")
    search.catch_up()
    assert titles(world.focal_point, "gjirafat") == ["Buxheti i vitit"]
    Attendee.objects.filter(pk=seat.pk).delete()
    search.catch_up()
    words = search.SearchEntry.objects.filter(kind__in=["meeting", "agenda_item"]).values_list("words", flat=True)
    token = f"{search.SCOPE}c{institution('KP-THB').pk.hex}"
    assert len(words) == 2 and all(token not in one for one in words)
    assert titles(world.focal_point, "buxheti") == []
