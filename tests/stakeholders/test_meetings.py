"""Series and meetings: who is called, the call, changes, cancelling, papers, attendance with its quorum, rights."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from onatc.errors import Refused
from onatc.models import Message, Municipality
from stakeholders.actions import decisions, meetings
from stakeholders.actions.meetings import Presence
from stakeholders.actions.records import Stale
from stakeholders.invariants import decisions_have_their_quorum
from stakeholders.models import Attendee, BodyMember, Contact, Decision, Meeting, MeetingFile, MeetingSeries
from stakeholders.queries.meetings import (
    attendance,
    due_of_series,
    people_called,
    replies,
    with_last_held,
)
from tests.samples import document
from tests.stakeholders.meeting_steps import (
    a_body,
    a_called_meeting,
    a_contact,
    a_full_body,
    a_held_meeting,
    a_meeting,
    a_seat,
    an_item,
    at,
    days_ago,
    institution,
)

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


def called(meeting: Meeting) -> dict[str, str]:
    return {str(one): one.role for one in meeting.attendees.select_related("contact")}


def meeting_form(**changes):
    return {
        "key": str(uuid.uuid4()), "title_sq": "Mbledhja e tretë", "title_sr": "", "title_en": "", "language": "sq",
        "starts_at": "2027-03-12T10:00", "ends_at": "2027-03-12T12:00", "place": "Prishtinë", "link": "", "note": "",
        "series": "", "body": "", "country": "", "answer_by": "",
    } | changes  # fmt: skip


# Series


def series_form(**changes):
    return {
        "key": str(uuid.uuid4()), "kind": "authority", "duty": "8.3/2a-i", "name_sq": "Mbledhjet e Autoritetit",
        "name_sr": "", "name_en": "", "body": "", "country": "", "usual_place": "", "every_months": "3",
        "starts_on": days_ago(500).isoformat(),
    } | changes  # fmt: skip


def test_a_series_is_made_once_and_says_when_the_next_meeting_is_due(world, client_for):
    client, form = client_for("planning"), series_form(body=a_full_body().pk)
    assert "The series is on record." in client.post(url("series-create"), form, follow=True).content.decode()
    client.post(url("series-create"), form)
    series = MeetingSeries.objects.get()
    today = timezone.localdate()
    due = due_of_series(with_last_held(MeetingSeries.objects.all()).get(), today)
    assert due.is_overdue and due.last_held is None
    a_held_meeting(world.planning, series.body, days=-10, series=series)
    due = due_of_series(with_last_held(MeetingSeries.objects.all()).get(), today)
    assert (due.last_held, due.standing) == (days_ago(10), "done")
    page = client.get(url("series-list")).content.decode()
    assert "in time" in page and "8.3/2a-i" in page
    client.post(url("series-create"), series_form(kind="other", name_sq="Tjetra"))
    listed = client.get(url("series-list")).context["page"].object_list
    assert [str(one.name) for one in listed] == ["Tjetra", "Mbledhjet e Autoritetit"]  # overdue first
    listed = client.get(url("series-list"), {"sort": "name"}).context["page"].object_list
    assert [str(one.name) for one in listed] == ["Mbledhjet e Autoritetit", "Tjetra"]
    meetings.end_series(series, ends_on=days_ago(1), by=world.director)
    assert "pill-due_ended" in client.get(series.get_absolute_url()).content.decode()
    with pytest.raises(Refused, match="ended already"):
        meetings.end_series(series, ends_on=days_ago(1), by=world.director)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"every_months": "0"}, "greater than or equal to 1"),
        ({"every_months": "61"}, "less than or equal to 60"),
        ({"kind": "face_to_face"}, "Name the country of the counterpart."),
        ({"kind": "party"}, "Select a valid choice"),
        ({"starts_on": "30.02.2026"}, "Enter a valid date."),
        ({"name_sq": ""}, "This field is required."),
        ({"body": "nonsense"}, "is not a valid UUID"),
    ],
)
def test_bad_series_are_told_at_the_field(world, client_for, changes, sentence):
    answer = client_for("planning").post(url("series-create"), series_form(**changes))
    assert answer.status_code == 200 and sentence in answer.content.decode()
    assert not MeetingSeries.objects.exists()


def test_a_series_ends_after_it_began_and_a_stale_form_is_shown_again(world, client_for):
    series = meetings.make_series(
        uuid.uuid4(), {"kind": "other", "name_sq": "X", "starts_on": days_ago(5)}, by=world.planning
    )
    answer = client_for("planning").post(url("series-end", series.pk), {"ends_on": days_ago(6).isoformat()})
    assert "The end must not lie before the start." in answer.content.decode()
    with pytest.raises(Stale):
        meetings.change_series(series, {"name_sq": "Y"}, by=world.planning, revision=7)
    with pytest.raises(PermissionDenied):
        meetings.change_series(series, {"name_sq": "Y"}, by=world.natc, revision=0)


def test_a_body_is_overdue_by_its_own_rule(world, client_for):
    body = a_full_body(meets_every_months=3)
    client = client_for("planning")
    assert client.get(body.get_absolute_url()).context["body"].duty.is_overdue
    a_held_meeting(world.planning, body, days=-3)
    assert client.get(body.get_absolute_url()).context["body"].duty.standing == "done"


def test_a_body_met_also_when_the_reader_was_not_called(world, client_for):
    """A focal point sees the body and none of its meetings; it is not overdue for them."""
    body = a_body("WG-DATA", kind="group", meets_every_months=3)
    a_seat(body, "KP-THB", a_contact("Besa Policia"), starts_on=days_ago(1))
    a_seat(body, "MOH", a_contact("Cene Shëndeti"))
    a_held_meeting(world.planning, body, days=-30)
    client = client_for("focal_point")
    assert not client.get(url("meeting-list")).context["page"].object_list
    assert client.get(body.get_absolute_url()).context["body"].last_met == days_ago(30)
    assert "pill-due_overdue" not in client.get(url("body-list")).content.decode()


def test_a_meeting_without_its_quorum_fulfils_no_duty(world, client_for):
    body = a_full_body(meets_every_months=3)
    series = meetings.make_series(uuid.uuid4(), {"kind": "other", "name_sq": "X", "body": body}, by=world.planning)
    a_held_meeting(world.planning, body, series=series, absent=("Agim Kryesuesi", "Cene Shëndeti", "Drita Drejtësia"))
    page = client_for("planning").get(body.get_absolute_url())
    assert page.context["body"].duty.is_overdue and page.context["body"].last_met is None
    assert with_last_held(MeetingSeries.objects.all()).get().last_held_at is None


def test_the_page_of_a_body_states_the_quorum_that_its_meetings_use(world, client_for):
    meeting = a_held_meeting(world.planning, body := a_full_body())
    context = client_for("planning").get(body.get_absolute_url()).context
    assert context["voting"] == meeting.voting_members == 4
    assert f"{meeting.quorum_needed} of 4" in context["quorum"]


# Who is called


def test_members_on_the_day_are_called_with_their_deputies_and_vacant_seats_are_shown(world, client_for):
    meeting = a_meeting(world.planning, a_full_body())
    assert called(meeting) == {
        "Agim Kryesuesi": "member", "Besa Policia": "member", "Dren Zëvendësi": "deputy", "Cene Shëndeti": "member",
        "Drita Drejtësia": "member",
    }  # fmt: skip
    assert str(meeting.chair) == "Agim Kryesuesi"
    page = client_for("planning").get(meeting.get_absolute_url()).content.decode()
    assert "Vacant seats" in page and str(institution("MFLT").name_en) in page
    assert "no e-mail address" in page and "Drita" in page


def test_a_member_who_left_last_week_is_not_called(world):
    """Bad input: also when the list was made before they left."""
    body = a_full_body()
    meeting = a_meeting(world.planning, body)
    an_item(meeting, world.planning)
    seat = BodyMember.objects.get(body=body, institution__code="MOH")
    BodyMember.objects.filter(pk=seat.pk).update(ends_on=days_ago(7))
    a_seat(body, "MOH", a_contact("Fitim Pasuesi"), starts_on=days_ago(6))
    meetings.call_meeting(meeting, by=world.planning)
    assert "Cene Shëndeti" not in called(meeting) and called(meeting)["Fitim Pasuesi"] == "member"


def test_a_member_who_came_in_after_the_call_votes_and_one_who_left_does_not(world, client_for):
    """Bad input: a seat ended last week with a successor, recorded after the call went out."""
    body = a_full_body()
    meeting = a_called_meeting(world.planning, body)
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=at(0, 0), ends_at=at(0, 1))
    BodyMember.objects.filter(body=body, institution__code__in=["MOH", "NATC"]).update(ends_on=days_ago(7))
    new = a_contact("Fitim Pasuesi")
    a_seat(body, "MOH", new, starts_on=days_ago(6))
    chair = a_seat(body, "NATC", a_contact("Liri Kryesuesja"), starts_on=days_ago(6), function="chair").person
    client = client_for("planning")
    rows = client.get(url("meeting-attendance", meeting.pk)).context["rows"]
    roles = {str(row["person"]): row["person"].role for row in rows}
    assert (roles["Fitim Pasuesi"], roles["Cene Shëndeti"]) == ("member", "guest")
    assert "Fitim Pasuesi" not in called(meeting)  # looking changes nothing
    form = {"revision": meeting.revision}
    for row in rows:
        form[f"sex_{row['person'].pk}"] = "U"
        if str(row["person"]) in ("Fitim Pasuesi", "Cene Shëndeti", "Besa Policia", "Liri Kryesuesja"):
            form[f"there_{row['person'].pk}"] = "on"
    page = client.post(url("meeting-attendance", meeting.pk), form, follow=True).content.decode()
    assert "3 of 4 members with a vote, 3 needed" in page
    assert refresh(meeting).chair == chair
    assert refresh(meeting.attendees.get(contact=new)).was_present
    assert called(meeting)["Cene Shëndeti"] == "guest"


def test_the_list_of_a_called_meeting_is_brought_up_to_date_and_the_new_are_called(world, client_for):
    body = a_full_body()
    meeting = a_called_meeting(world.planning, body)
    BodyMember.objects.filter(body=body, institution__code="MOH").update(ends_on=days_ago(7))
    a_seat(body, "MOH", a_contact("Fitim Pasuesi", "fitim@x.example"), starts_on=days_ago(6))
    client = client_for("planning")
    assert "Bring the list up to date" in client.get(meeting.get_absolute_url()).content.decode()
    for _again in range(2):
        page = client.post(url("meeting-refresh", meeting.pk), follow=True).content.decode()
        assert "The list is up to date" in page
    assert (called(meeting)["Fitim Pasuesi"], called(meeting)["Cene Shëndeti"]) == ("member", "guest")
    assert meeting.attendees.get(contact__full_name="Fitim Pasuesi").called_sequence == 0
    assert Message.objects.filter(address="fitim@x.example").count() == 1
    assert client_for("focal_point").post(url("meeting-refresh", meeting.pk)).status_code == 403


def test_whoever_holds_a_free_seat_takes_it_when_added_as_a_guest(world):
    body = a_full_body()
    held = a_held_meeting(world.planning, body)
    new = a_contact("Fitim Pasuesi")
    a_seat(body, "LI", new, starts_on=days_ago(6))
    deputy = a_contact("Zana Zëvendësja")
    BodyMember.objects.filter(body=body, institution__code="MOH").update(deputy=deputy)
    one = meetings.add_guest(held, by=world.planning, contact=new)
    assert (one.role, one.seat.institution.code) == ("member", "LI")
    assert (refresh(held).voting_members, held.voting_present) == (5, 5)
    assert meetings.add_guest(held, by=world.planning, contact=deputy).role == "guest"  # the member sits there
    assert refresh(held).voting_present == 5


def test_a_person_in_two_bodies_is_called_once(world):
    """Bad input: an invitee in two bodies, and one who holds a seat and stands in for another."""
    body, other = a_full_body(), a_body("WG-DATA", kind="group")
    besa = BodyMember.objects.get(body=body, institution__code="KP-THB").person
    a_seat(body, "LI", a_contact("Gezim Puna"), besa)  # Besa also stands in for Gezim
    a_seat(other, "KP-THB", besa)
    a_seat(other, "KAS", a_contact("Hana Statistika"))
    meeting = a_meeting(world.planning, body)
    assert meetings.call_members_of(meeting, other, by=world.planning) == 1
    assert meetings.call_members_of(meeting, other, by=world.planning) == 0
    people = called(meeting)
    assert people["Besa Policia"] == "member" and people["Hana Statistika"] == "guest" and len(people) == 7
    with pytest.raises(IntegrityError), transaction.atomic():
        Attendee.objects.create(meeting=meeting, contact=besa, role="guest")


def test_another_day_makes_the_list_anew_and_guests_stay(world):
    body = a_full_body()
    BodyMember.objects.filter(body=body, institution__code="MOJ").update(ends_on=days_ago(-30))
    meeting = a_meeting(world.planning, body, days=20)
    meetings.add_guest(meeting, by=world.planning, name="Ekspertja", institution=institution("OSCE"))
    assert "Drita Drejtësia" in called(meeting)
    values = {"starts_at": at(40), "ends_at": at(40, 11)}
    meetings.change_meeting(meeting, values, by=world.planning, revision=meeting.revision)
    assert "Drita Drejtësia" not in called(meeting) and called(meeting)["Ekspertja"] == "guest"


def test_only_guests_who_were_not_written_to_are_taken_off_the_list(world, client_for):
    meeting = a_meeting(world.planning, a_full_body())
    guest = meetings.add_guest(meeting, by=world.planning, name="Ekspertja")
    client_for("planning").post(url("attendee-remove", guest.pk))
    assert "Ekspertja" not in called(meeting)
    with pytest.raises(Refused, match="as long as the seat is held"):
        meetings.remove_guest(meeting.attendees.filter(role="member").first(), by=world.planning)
    with pytest.raises(Refused, match="Choose a person or write a name"):
        meetings.add_guest(meeting, by=world.planning, name="  ")
    contact = a_contact("Ilir Ftuari")
    first = meetings.add_guest(meeting, by=world.planning, contact=contact)
    assert meetings.add_guest(meeting, by=world.planning, contact=contact) == first
    Attendee.objects.filter(pk=first.pk).update(called_sequence=0)
    with pytest.raises(Refused, match="was sent the call"):
        meetings.remove_guest(first, by=world.planning)


# Prepared, called, changed, cancelled


def test_a_meeting_is_prepared_once_however_often_the_form_is_sent(world, client_for):
    client, form = client_for("planning"), meeting_form(body=a_full_body().pk)
    page = client.post(url("meeting-create"), form, follow=True).content.decode()
    assert "The meeting is being prepared." in page and "12 March 2027, 10:00–12:00" in page
    client.post(url("meeting-create"), form)
    assert Meeting.objects.count() == 1 and Attendee.objects.count() == 5
    series = meetings.make_series(
        uuid.uuid4(), {"kind": "other", "name_sq": "Seria", "usual_place": "Salla 1"}, by=world.planning
    )
    page = client.get(url("meeting-create") + f"?series={series.pk}").content.decode()
    assert 'value="Salla 1"' in page and 'value="Seria"' in page
    assert client.get(url("meeting-create") + "?series=nonsense").status_code == 200


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends_at": "2027-03-12T10:00"}, "The meeting must end after it begins."),
        ({"ends_at": "2027-03-30T10:00"}, "A meeting lasts a week at most."),
        ({"starts_at": "2027-03-28T02:30", "ends_at": "2027-03-28T05:00"}, "interpreted in time zone Europe/Belgrade"),
        ({"starts_at": "2026-10-25T02:30", "ends_at": "2026-10-25T05:00"}, "interpreted in time zone Europe/Belgrade"),
        ({"starts_at": "0001-01-01T10:00", "ends_at": "0001-01-01T11:00"}, "Check the year."),
        ({"starts_at": "tomorrow"}, "Enter a valid date/time."),
        ({"title_sq": " "}, "Write the title in one language at least."),
        ({"title_sq": "x" * 201}, "at most 200 characters"),
        ({"link": "http://example.org"}, "https://"),
        ({"link": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"answer_by": "2027-03-13"}, "Answers are asked for before the meeting."),
        ({"answer_by": "2020-03-13"}, "This day has passed."),
        ({"body": "00000000-0000-4000-8000-000000000000"}, "Select a valid choice"),
        ({"language": "de"}, "Select a valid choice"),
    ],
)
def test_bad_meetings_are_told_at_the_field(world, client_for, changes, sentence):
    answer = client_for("planning").post(url("meeting-create"), meeting_form(**changes))
    assert answer.status_code == 200 and sentence in answer.content.decode()
    assert not Meeting.objects.exists()


def test_a_missing_title_and_a_time_that_is_over_stand_at_their_fields(world, client_for):
    client = client_for("planning")
    form = client.post(url("meeting-create"), meeting_form(title_sq=" ")).context["form"]
    assert form.errors == {"title_en": ["Write the title in one language at least."]}
    meeting = a_called_meeting(world.planning, a_full_body())
    changes = {"starts_at": "2020-03-12T10:00", "ends_at": "2020-03-12T12:00", "revision": meeting.revision}
    form = client.post(url("meeting-edit", meeting.pk), meeting_form(**changes)).context["form"]
    assert list(form.errors) == ["starts_at"] and "moved to a time to come" in form.errors["starts_at"][0]
    assert refresh(meeting).sequence == 0


def test_members_stand_before_who_stands_in_for_them_where_attendance_is_taken(world, client_for):
    meeting = a_meeting(world.planning, a_full_body(), days=0)
    rows = client_for("planning").get(url("meeting-attendance", meeting.pk)).context["rows"]
    names = [str(row["person"]) for row in rows]
    assert names == ["Agim Kryesuesi", "Besa Policia", "Dren Zëvendësi", "Cene Shëndeti", "Drita Drejtësia"]


def test_whoever_is_called_answers_in_the_own_words(world, client_for):
    body = a_full_body()
    a_seat(
        body,
        "KP",
        Contact.objects.get(user=world.focal_point)
        if Contact.objects.filter(user=world.focal_point).exists()
        else a_contact("Fatmir", user=world.focal_point),
    )
    meeting = a_called_meeting(world.planning, body)
    page = client_for("focal_point").get(meeting.get_absolute_url()).content.decode()
    assert "I will come" in page and "I will not come" in page and "Perhaps" in page


def test_a_meeting_over_midnight_and_over_the_clock_change_is_shown_rightly(world, client_for):
    """Bad input: 28 March 2027, when the clock goes from 02:00 to 03:00."""
    client = client_for("planning")
    form = meeting_form(starts_at="2027-03-27T23:00", ends_at="2027-03-28T04:00")
    page = client.post(url("meeting-create"), form, follow=True).content.decode()
    assert "27 March 2027, 23:00 CET – 28 March 2027, 04:00 CEST" in page and "(4 h)" in page
    assert Meeting.objects.get().day.isoformat() == "2027-03-27"
    assert "(4 h)" in client.get(url("meeting-list")).content.decode()


def test_a_body_of_another_time_has_no_meeting(world, client_for):
    body = a_full_body(dissolved_on=days_ago(10))
    answer = client_for("planning").post(url("meeting-create"), meeting_form(body=body.pk))
    assert "The body does not exist on that day." in answer.content.decode()


def test_the_call_asks_first_and_is_made_once(world, client_for):
    client, meeting = client_for("planning"), a_meeting(world.planning, a_full_body())
    with pytest.raises(Refused, match="The agenda is empty"):
        meetings.call_meeting(meeting, by=world.planning)
    an_item(meeting, world.planning, "Raporti vjetor")
    page = client.get(url("meeting-call", meeting.pk)).content.decode()
    assert "4 people get the invitation" in page and "Raporti vjetor" in page
    assert "Without an e-mail address" in page and "Drita" in page
    assert refresh(meeting).state == "draft"
    assert "The meeting is called:" in client.post(url("meeting-call", meeting.pk), follow=True).content.decode()
    assert (refresh(meeting).state, meeting.sequence, meeting.number, meeting.called_by) == (
        "called",
        0,
        1,
        world.planning,
    )
    assert "called already" in client.post(url("meeting-call", meeting.pk), follow=True).content.decode()
    other = a_called_meeting(world.planning, meeting.body, days=21)
    assert (other.number, other.day.year == meeting.day.year) in [(2, True), (1, False)]


def test_whoever_calls_moves_or_cancels_at_night_is_told_when_the_mails_go(world, client_for):
    meeting = a_meeting(world.planning, a_full_body())
    soon = a_meeting(world.planning, meeting.body, days=1)
    an_item(meeting, world.planning)
    an_item(soon, world.planning)
    with freeze_time(at(0, 23)):
        client = client_for("planning")

        def told(name, one, data=None):
            return client.post(url(name, one.pk), data, follow=True).content.decode()

        assert "the invitations go out by e-mail at 07:00" in told("meeting-call", meeting)
        moved = meeting_form(revision=refresh(meeting).revision, body=meeting.body.pk)
        assert "everybody who was called is told at 07:00" in told("meeting-edit", meeting, moved)
        early = {"starts_at": f"{days_ago(-1)}T06:00", "ends_at": f"{days_ago(-1)}T08:00"}
        told("meeting-edit", soon, meeting_form(revision=refresh(soon).revision, body=soon.body.pk, **early))
        assert "the invitations go out by e-mail now" in told("meeting-call", soon)
        assert "The meeting is cancelled." in (page := told("meeting-cancel", soon, {"reason": "x"}))
        assert "07:00" not in page.split("<h1>")[0]
        assert "everybody who was called is told at 07:00" in told("meeting-cancel", meeting, {"reason": "x"})


def test_what_cannot_be_called(world):
    past = a_meeting(world.planning, a_full_body(), days=-2)
    an_item(past, world.planning)
    with pytest.raises(Refused, match="This time is over"):
        meetings.call_meeting(past, by=world.planning)
    alone = a_meeting(world.planning)
    an_item(alone, world.planning)
    with pytest.raises(Refused, match="Nobody would be called"):
        meetings.call_meeting(alone, by=world.planning)
    for person in (world.natc, world.focal_point, world.observer, world.administrator):
        with pytest.raises(PermissionDenied):
            meetings.call_meeting(alone, by=person)


def test_a_new_time_after_the_call_raises_the_sequence_and_tells_everybody(world, client_for, monkeypatch):
    told = []
    monkeypatch.setattr(meetings.invitations, "send_calls", lambda meeting, *, by: told.append(meeting.sequence) or 0)
    monkeypatch.setattr(meetings.invitations, "send_cancellation", lambda meeting, *, by: told.append("off") or 0)
    meeting = a_called_meeting(world.planning, a_full_body())
    change = {"starts_at": at(25), "ends_at": at(25, 12)}
    meeting = meetings.change_called(meeting, change, by=world.planning, revision=meeting.revision)
    assert meeting.sequence == 1
    same = meetings.change_called(meeting, change, by=world.planning, revision=meeting.revision)
    assert same.sequence == 1
    silent = meetings.change_called(meeting, {"language": "en"}, by=world.planning, revision=meeting.revision)
    assert silent.sequence == 1 and told == [0, 1]
    with pytest.raises(Stale):
        meetings.change_called(meeting, {"place": "X"}, by=world.planning, revision=0)
    with pytest.raises(Refused, match="This time is over"):
        past = {"starts_at": at(-1), "ends_at": at(-1, 12)}
        meetings.change_called(meeting, past, by=world.planning, revision=silent.revision)
    answer = client_for("planning").post(url("meeting-cancel", meeting.pk), {"reason": " "})
    assert "This field is required." in answer.content.decode()
    client_for("planning").post(url("meeting-cancel", meeting.pk), {"reason": "Zgjedhjet"})
    assert (refresh(meeting).state, meeting.sequence, meeting.cancel_reason) == ("cancelled", 2, "Zgjedhjet")
    with pytest.raises(Refused, match="is cancelled"):
        meetings.cancel_meeting(meeting, by=world.planning, reason="again")
    with pytest.raises(Refused, match="is cancelled"):
        meetings.record_attendance(meeting, {}, by=world.planning, revision=meeting.revision)
    assert told == [0, 1, "off"]


def test_a_draft_is_cancelled_without_telling_anybody(world, monkeypatch):
    told = []
    monkeypatch.setattr(meetings.invitations, "send_cancellation", lambda meeting, *, by: told.append(1) or 0)
    meeting = meetings.cancel_meeting(a_meeting(world.planning), by=world.planning, reason="x")
    assert (meeting.sequence, told) == (0, [])


# Attendance


def test_attendance_is_recorded_with_quorum_sex_and_role(world, client_for):
    """Five seats with a vote, one of them vacant: three of four are needed."""
    meeting = a_called_meeting(world.planning, a_full_body(), days=1)
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=at(-1), ends_at=at(-1, 12))
    people = {str(one): one for one in meeting.attendees.select_related("contact")}
    form = {"revision": meeting.revision}
    for name, one in people.items():
        form[f"sex_{one.pk}"] = one.contact.sex
        if name in ("Agim Kryesuesi", "Dren Zëvendësi", "Drita Drejtësia"):
            form[f"there_{one.pk}"] = "on"
    client = client_for("planning")
    page = client.post(url("meeting-attendance", meeting.pk), form, follow=True).content.decode()
    assert "Attendance is on record." in page and "3 of 4 members with a vote, 3 needed" in page
    refresh(meeting)
    assert (meeting.state, meeting.quorum_needed, meeting.voting_members, meeting.voting_present) == ("held", 3, 4, 3)
    assert meeting.has_quorum
    counts = attendance(meeting.attendees.all())
    assert [str(sex) for sex in counts.sexes] == ["female", "male"]
    assert [(str(row.label), row.by_sex, row.total) for row in counts.rows] == [
        ("member", [1, 1], 2),
        ("stands in", [0, 1], 1),
    ]
    assert counts.total.by_sex == [1, 2]
    # What the body becomes later changes nothing of what was.
    BodyMember.objects.filter(body=meeting.body).update(ends_on=days_ago(0))
    assert refresh(meeting).voting_members == 4


def test_member_and_deputy_never_both_take_the_seat(world, client_for):
    meeting = a_meeting(world.planning, a_full_body(), days=-1)
    people = {str(one): one for one in meeting.attendees.select_related("contact")}
    form = {"revision": meeting.revision} | {f"sex_{one.pk}": "U" for one in people.values()}
    form |= {f"there_{people[name].pk}": "on" for name in ("Besa Policia", "Dren Zëvendësi")}
    answer = client_for("planning").post(url("meeting-attendance", meeting.pk), form)
    said = "</a>: The member and the deputy cannot both take the seat."  # of whom, at the head of the page
    assert f"Dren Zëvendësi{said}" in answer.content.decode() or f"Besa Policia{said}" in answer.content.decode()
    assert refresh(meeting).state == "draft"
    both = {people[name].pk: Presence(True) for name in ("Besa Policia", "Dren Zëvendësi")}
    with pytest.raises(Refused, match="cannot both take the seat"):
        meetings.record_attendance(meeting, both, by=world.planning, revision=meeting.revision)
    with pytest.raises(IntegrityError), transaction.atomic():  # and the database says no last
        meeting.attendees.filter(pk__in=both).update(was_present=True)


def test_who_could_take_two_seats_takes_one(world, client_for):
    body = a_full_body()
    cene = BodyMember.objects.get(body=body, institution__code="MOH").person
    other = a_seat(body, "LI", a_contact("Gezim Puna"), cene)
    meeting = a_meeting(world.planning, body, days=-1)
    one = meeting.attendees.get(contact=cene)
    page = client_for("planning").get(url("meeting-attendance", meeting.pk)).content.decode()
    assert f'name="seat_{one.pk}"' in page
    moved = {one.pk: Presence(True, seat=other.pk)}
    meetings.record_attendance(meeting, moved, by=world.planning, revision=meeting.revision)
    assert (refresh(one).seat, one.role, refresh(meeting).voting_present) == (other, "deputy", 1)
    strange = BodyMember.objects.get(body=body, institution__code="MOJ")
    with pytest.raises(Refused, match="does not hold that seat"):
        meetings.record_attendance(
            meeting, {one.pk: Presence(True, seat=strange.pk)}, by=world.planning, revision=meeting.revision
        )


def test_who_really_chaired_is_recorded_with_attendance(world, client_for):
    meeting = a_meeting(world.planning, a_full_body(), days=-1)
    client, people = client_for("planning"), {str(one): one for one in meeting.attendees.select_related("contact")}
    page = client.get(url("meeting-attendance", meeting.pk))
    assert page.context["form"]["chair"].value() == str(meeting.chair_id) and "Who chaired" in page.content.decode()
    form = {"revision": meeting.revision, "chair": str(meeting.chair_id)}
    form |= {f"sex_{one.pk}": "U" for one in people.values()}
    form |= {f"there_{people[name].pk}": "on" for name in ("Besa Policia", "Cene Shëndeti", "Drita Drejtësia")}
    answer = client.post(url("meeting-attendance", meeting.pk), form)
    assert "Whoever chaired was there" in answer.content.decode() and refresh(meeting).state == "draft"
    besa = people["Besa Policia"].contact
    client.post(url("meeting-attendance", meeting.pk), form | {"chair": str(besa.pk)})
    assert (refresh(meeting).state, meeting.chair) == ("held", besa)
    with pytest.raises(Refused, match="not on the list"):
        meetings.record_attendance(
            meeting, {}, by=world.planning, revision=meeting.revision, chair=a_contact("Askush").pk
        )


def test_a_chair_who_left_is_followed_by_that_of_the_body(world):
    body = a_full_body()
    meeting = a_called_meeting(world.planning, body)
    BodyMember.objects.filter(body=body, function="chair").update(ends_on=days_ago(7))
    new = a_seat(body, "NATC", a_contact("Liri Kryesuesja"), starts_on=days_ago(6), function="chair").person
    meetings.bring_up_to_date(meeting, by=world.planning)
    assert refresh(meeting).chair == new
    guest = meetings.add_guest(meeting, by=world.planning, contact=a_contact("Ministri"))
    Meeting.objects.filter(pk=meeting.pk).update(chair=guest.contact)  # chosen, though a guest
    meetings.bring_up_to_date(meeting, by=world.planning)
    assert refresh(meeting).chair == guest.contact


def test_another_change_by_a_local_coordinator_leaves_the_chair(world, client_for):
    body = a_body("REG-PRN", kind="regional", level="municipal", municipality=Municipality.objects.get(pk="PRN"))
    chair = a_seat(body, "KP-THB", a_contact("Besa Policia"), function="chair").person
    meeting = a_meeting(world.local, body)
    client = client_for("local")
    form = client.get(url("meeting-edit", meeting.pk)).context["form"]
    assert chair in form.fields["chair"].queryset
    sent = meeting_form(body=body.pk, place="Gjakovë", revision=meeting.revision, chair=form["chair"].value())
    client.post(url("meeting-edit", meeting.pk), sent)
    assert (refresh(meeting).place, meeting.chair) == ("Gjakovë", chair)


def test_a_meeting_that_moves_into_another_year_gets_a_number_of_that_year(world):
    body = a_full_body()
    with freeze_time("2026-11-02 10:00"):
        coming = a_called_meeting(world.planning, body, days=90)  # in 2027
        meeting = a_called_meeting(world.planning, body, days=20)
        assert (coming.number, meeting.number) == (1, 1)
        values = {"starts_at": at(85), "ends_at": at(85, 12)}
        meeting = meetings.change_called(meeting, values, by=world.planning, revision=meeting.revision)
        assert (meeting.day.year, refresh(meeting).number) == (2027, 2)
        values = {"starts_at": at(86), "ends_at": at(86, 12)}
        meetings.change_called(meeting, values, by=world.planning, revision=meeting.revision)
        assert refresh(meeting).number == 2


def test_a_meeting_that_was_never_called_gets_its_number_with_the_attendance(world):
    body = a_full_body()
    first = a_held_meeting(world.planning, body)
    assert first.number == 1
    people = {one.pk: Presence(one.was_present) for one in first.attendees.all()}
    again = meetings.record_attendance(first, people, by=world.planning, revision=first.revision)
    assert again.number == 1


def test_attendance_of_nobody_is_refused(world, client_for):
    meeting = a_meeting(world.planning, a_full_body(), days=-1)
    form = {"revision": meeting.revision} | {f"sex_{one.pk}": "U" for one in meeting.attendees.all()}
    answer = client_for("planning").post(url("meeting-attendance", meeting.pk), form)
    assert "Tick at least one person who was there." in answer.content.decode()
    assert refresh(meeting).state == "draft"


def test_a_correction_leaves_decisions_their_quorum_and_their_votes(world):
    held = a_held_meeting(world.planning, a_full_body())
    values = {"text_sq": "U vendos.", "decided_on": held.day, "way": "vote"}
    votes = {"votes_for": 3, "votes_against": 1, "votes_abstained": 0}
    decision = decisions.record_decision(uuid.uuid4(), held, values | votes, by=world.planning)
    people = {str(one): one.pk for one in held.attendees.select_related("contact") if one.was_present}

    def correct(*absent):
        there = {pk: Presence(name not in absent) for name, pk in people.items()}
        return meetings.record_attendance(held, there, by=world.planning, revision=refresh(held).revision)

    with pytest.raises(Refused, match=f"Decision {decision.label} is in force"):
        correct("Cene Shëndeti")
    assert refresh(held).voting_present == 4
    Decision.objects.filter(pk=decision.pk).update(votes_for=2, votes_against=0)
    assert correct("Cene Shëndeti").voting_present == 3
    with pytest.raises(Refused, match="is in force"):
        correct("Cene Shëndeti", "Besa Policia")
    assert not list(decisions_have_their_quorum())
    Meeting.objects.filter(pk=held.pk).update(voting_present=1)
    assert [str(decision.pk) in one for one in decisions_have_their_quorum()] == [True]


def test_a_guest_with_a_seat_leaves_decisions_their_quorum(world):
    """Seats recorded late make the body larger: one more present is no quorum any more."""
    body = a_full_body()
    held = a_held_meeting(world.planning, body, absent=("Cene Shëndeti",))
    values = {"text_sq": "U vendos.", "decided_on": held.day, "way": "consensus"}
    decisions.record_decision(uuid.uuid4(), held, values, by=world.planning)
    people = [a_contact(f"Anëtari {number}") for number in range(6)]
    for person in people:
        a_seat(body, "LI", person)
    with pytest.raises(Refused, match="is in force"):
        meetings.add_guest(held, by=world.planning, contact=people[0])
    assert refresh(held).voting_members == 4 and not held.attendees.filter(contact=people[0]).exists()


def test_guests_with_and_without_contact_are_counted_and_have_no_vote(world):
    meeting = a_held_meeting(world.planning, a_full_body(), absent=("Cene Shëndeti",))
    before = meeting.voting_present
    meetings.add_guest(meeting, by=world.planning, name="Ekspertja", sex="F", institution=institution("OSCE"))
    meetings.add_guest(meeting, by=world.planning, contact=a_contact("Ilir Ftuari", sex="M"))
    counts = attendance(meeting.attendees.all())
    assert [(str(row.label), row.total) for row in counts.rows] == [("member", 3), ("guest", 2)]
    assert refresh(meeting).voting_present == before == 3


def test_attendance_is_of_a_day_that_has_come_and_a_stale_list_is_refused(world):
    coming = a_called_meeting(world.planning, a_full_body(), days=3)
    with pytest.raises(Refused, match="on the day of the meeting or after"):
        meetings.record_attendance(coming, {}, by=world.planning, revision=coming.revision)
    held = a_held_meeting(world.planning, coming.body)
    with pytest.raises(Refused, match="meanwhile"):
        meetings.record_attendance(held, {}, by=world.planning, revision=held.revision - 1)


def test_counts_outlive_the_removal_of_a_persons_data(world):
    meeting = a_held_meeting(world.planning, a_full_body())
    for contact in [one.contact for one in meeting.attendees.select_related("contact")]:
        contact.full_name = contact.email = contact.phone = ""
        contact.sex, contact.removed_at = "U", timezone.now()
        contact.save()
    assert attendance(meeting.attendees.all()).total.by_sex == [2, 2]


@pytest.mark.django_db(transaction=True)
def test_two_who_record_one_seat_at_once_leave_one_voice(world):
    """Two connections: one says that the member is there, the other the deputy."""
    meeting = a_meeting(world.planning, a_full_body(), days=-1)
    people = {str(one): one.pk for one in meeting.attendees.select_related("contact")}
    ready, outcomes = threading.Barrier(2), []

    def record(user, name) -> None:
        try:
            ready.wait(10)
            meetings.record_attendance(meeting, {people[name]: Presence(True)}, by=user, revision=meeting.revision)
            outcomes.append("recorded")
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    pairs = [(world.planning, "Besa Policia"), (world.director, "Dren Zëvendësi")]
    threads = [threading.Thread(target=record, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    assert sorted(outcomes) == ["recorded", "told"]
    assert meeting.attendees.filter(was_present=True).count() == refresh(meeting).voting_present == 1


# Papers


def test_papers_lie_with_their_point_and_internal_ones_stay_in_the_office(world, client_for):
    body = a_full_body()
    meeting = a_meeting(world.planning, body)
    item, client = an_item(meeting, world.planning), client_for("planning")
    for name, point, internal in (("raporti.pdf", item.pk, ""), ("shenime.pdf", "", "on")):
        upload = SimpleUploadedFile(name, document(), "application/pdf")
        answer = client.post(
            url("meeting-paper-add", meeting.pk), {"papers": upload, "item": point, "is_internal": internal}
        )
        assert answer.status_code == 302
    meetings.call_meeting(meeting, by=world.planning)
    shown, hidden = MeetingFile.objects.get(is_internal=False), MeetingFile.objects.get(is_internal=True)
    assert shown.item == item and hidden.item is None
    member = client_for("focal_point")
    page = member.get(meeting.get_absolute_url()).content.decode()
    assert "raporti.pdf" in page and "shenime.pdf" not in page
    assert member.get(url("meeting-file", shown.pk)).status_code == 200
    assert member.get(url("meeting-file", hidden.pk)).status_code == 404
    assert client.get(url("meeting-file", hidden.pk)).status_code == 200
    client.post(url("meeting-file-remove", shown.pk))
    assert not MeetingFile.objects.filter(pk=shown.pk).exists()


def test_an_agenda_file_of_200_mb_and_a_disguised_executable_are_refused_with_a_sentence(world, client_for):
    """Bad input."""
    meeting, client = a_meeting(world.planning), client_for("planning")
    answer = client.post(url("meeting-paper-add", meeting.pk), {"papers": _large()})
    assert answer.status_code == 200 and "is larger than 20.0" in answer.content.decode()
    program = SimpleUploadedFile("agjenda.pdf", b"MZ\x90\x00" + b"\0" * 200, "application/pdf")
    answer = client.post(url("meeting-paper-add", meeting.pk), {"papers": program})
    assert answer.status_code == 200 and "is no PDF file, whatever its name says" in answer.content.decode()
    script = SimpleUploadedFile("agjenda.pdf", b"a plain text", "application/pdf")
    answer = client.post(url("meeting-paper-add", meeting.pk), {"papers": script})
    assert "whatever its name says" in answer.content.decode()
    assert not MeetingFile.objects.exists()


def _large() -> SimpleUploadedFile:
    return SimpleUploadedFile("agjenda.pdf", b"%PDF-1.7\n" + b"\0" * (200 * 1024 * 1024), "application/pdf")


# Rights, list, cost


def test_who_sees_and_prepares_a_meeting(world, client_for):
    body = a_full_body()
    draft, meeting = a_meeting(world.planning, body, days=50), a_called_meeting(world.planning, body)
    held = a_held_meeting(world.planning, body)
    see = {
        "director": 200, "natc": 200, "focal_point": 200, "other_focal_point": 200, "observer": 404, "local": 404,
        "stranger": 404, "administrator": 404,
    }  # fmt: skip
    for name, status in see.items():
        client = client_for(name)
        assert client.get(meeting.get_absolute_url()).status_code == status, name
        assert client.get(held.get_absolute_url()).status_code == status, name
        hidden = status if name in ("director", "natc") else 404
        assert client.get(draft.get_absolute_url()).status_code == hidden, name
    assert client_for("natc").get(url("meeting-edit", draft.pk)).status_code == 403
    assert client_for("focal_point").get(url("meeting-call", meeting.pk)).status_code == 403
    assert client_for("focal_point").get(url("meeting-create")).status_code == 403
    assert client_for("administrator").get(url("meeting-list")).status_code == 403


def test_a_local_coordinator_prepares_the_meetings_of_the_own_area(world, client_for):
    mine = a_body("REG-PRN", kind="regional", level="municipal", municipality=Municipality.objects.get(pk="PRN"))
    other = a_body(
        "REG-PZ", kind="regional", level="municipal", municipality=Municipality.objects.exclude(pk="PRN").first()
    )
    a_seat(mine, "MUN-PRN", a_contact("Jeta Komuna"))
    client = client_for("local")
    answer = client.post(url("meeting-create"), meeting_form(body=other.pk))
    assert answer.status_code == 200 and "Select a valid choice" in answer.content.decode()
    assert "This field is required." in client.post(url("meeting-create"), meeting_form()).content.decode()
    client.post(url("meeting-create"), meeting_form(body=mine.pk))
    meeting = Meeting.objects.get()
    assert client.get(meeting.get_absolute_url()).status_code == 200
    an_item(meeting, world.local)
    assert client.post(url("meeting-call", meeting.pk)).status_code == 302 and refresh(meeting).state == "called"
    with pytest.raises(PermissionDenied):
        meetings.make_meeting(uuid.uuid4(), {"title_sq": "X", "starts_at": at(1), "ends_at": at(1, 11), "body": other}, by=world.local)  # fmt: skip


def test_the_list_filters_counts_and_is_saved(world, client_for):
    body = a_full_body()
    a_meeting(world.planning, body, days=60)
    a_called_meeting(world.planning, body)
    a_held_meeting(world.planning, body)
    client = client_for("director")
    page = client.get(url("meeting-list"), {"state": "called"})
    assert [one.state for one in page.context["page"]] == ["called"]
    assert {code: number for code, _label, number in page.context["filter"].counts} == {
        "draft": 1,
        "called": 1,
        "held": 1,
    }
    assert len(client.get(url("meeting-list"), {"minutes": "none"}).context["page"]) == 1
    assert len(client.get(url("meeting-list"), {"body": body.pk}).context["page"]) == 3
    assert (
        len(client.get(url("meeting-list"), {"body": "nonsense", "sort": "nonsense", "q": "\0x"}).context["page"]) >= 0
    )
    saved = client.get(url("meeting-export"), {"format": "csv", "state": "held"})
    assert saved.status_code == 200 and b"4" in b"".join(saved)
    assert client.get(url("series-export"), {"format": "xlsx"}).status_code == 200
    empty = client_for("observer").get(url("meeting-list")).content.decode()
    assert "There is no meeting that you may see." in empty


def cost(client, address: str) -> list[str]:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return sorted(one["sql"][:60] for one in captured)


def test_pages_cost_the_same_however_much_there_is(world, client_for):
    body, client = a_full_body(), client_for("director")
    meeting = a_called_meeting(world.planning, body, days=1)
    still_to_come = {"starts_at": meeting.starts_at, "ends_at": meeting.ends_at}
    has_begun = {"starts_at": at(-1), "ends_at": at(-1, 12)}  # so that attendance is asked for
    Meeting.objects.filter(pk=meeting.pk).update(**has_begun)
    series = meetings.make_series(uuid.uuid4(), {"kind": "other", "name_sq": "X", "body": body}, by=world.planning)
    a_held_meeting(world.planning, body, series=series)
    pages = [
        url("meeting-list"), url("series-list"), series.get_absolute_url(), meeting.get_absolute_url(),
        url("meeting-attendance", meeting.pk),
    ]  # fmt: skip
    before = [cost(client, address) for address in pages]
    Meeting.objects.filter(pk=meeting.pk).update(**still_to_come)
    meeting = refresh(meeting)
    for number in range(8):
        a_seat(body, "LI", a_contact(f"Person {number}"))
        an_item(meeting, world.planning, f"Pika {number}")
        a_held_meeting(world.planning, body, days=-2 - number, series=series)
        meetings.make_series(uuid.uuid4(), {"kind": "other", "name_sq": "X", "body": body}, by=world.planning)
        meetings.add_guest(
            meeting, by=world.planning, contact=a_contact(f"Guest {number}"), institution=institution("OSCE")
        )
    meetings.refresh_called(refresh(meeting))
    Meeting.objects.filter(pk=meeting.pk).update(**has_begun)
    assert [cost(client, address) for address in pages] == before
    assert max(len(one) for one in before) < 20


def test_days_are_those_of_the_offices_clock():
    """23:30 in Kosovo is another day in UTC for half the year."""
    meeting = Meeting(starts_at=at(0, 0) + timedelta(minutes=30))
    assert meeting.day == timezone.localdate()


def test_the_answers_say_whether_a_quorum_is_announced_and_a_seat_counts_once(world, client_for):
    meeting = a_called_meeting(world.planning, a_full_body())
    people = people_called(meeting, world.planning)
    assert [str(one) for one in people] == [
        "Agim Kryesuesi", "Besa Policia", "Dren Zëvendësi", "Cene Shëndeti", "Drita Drejtësia",
    ]  # fmt: skip
    page = client_for("planning").get(meeting.get_absolute_url())
    found = page.context["replies"]
    assert (found.votes, found.members, found.needed, found.is_enough) == (0, 4, 3, False)
    for name in ("Besa Policia", "Dren Zëvendësi"):  # of one seat
        Attendee.objects.filter(meeting=meeting, contact__full_name=name).update(answer="yes")
    Attendee.objects.filter(meeting=meeting, contact__full_name="Cene Shëndeti").update(answer="maybe")
    found = replies(meeting, people_called(meeting, world.planning))
    assert [number for _code, _label, number in found.counts] == [2, 1, 0, 2] and found.votes == 1
    Attendee.objects.filter(meeting=meeting).update(answer="yes")
    found = replies(meeting, people_called(meeting, world.planning))
    assert (found.votes, found.is_enough) == (4, True)
    assert client_for("focal_point").get(meeting.get_absolute_url()).context.get("replies") is None
