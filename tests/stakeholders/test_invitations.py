"""Calls to meetings and the answers to them: once each, by link, signed in, told, from a calendar; and their refusals."""

from __future__ import annotations

import string
import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

import stakeholders.tasks  # noqa: F401  # the worker's registration of jobs
from onatc import jobs, mail
from onatc.errors import Refused
from onatc.models import Job, JobState, Message
from stakeholders.actions import invitations as actions
from stakeholders.actions import meetings
from stakeholders.models import Answer, AnswerWay, Attendee, Institution, MeetingState, User
from tests.stakeholders.calls import call, contact, meeting, moment, officer
from tests.stakeholders.meeting_steps import a_body, a_meeting, a_seat, an_item, at
from tests.stakeholders.test_ics import reply

KEY_LETTERS = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def office(reference_data):
    return officer()


@pytest.fixture
def called(office):
    found = meeting(office)
    call(found, contact("Arta Bytyqi"))
    return found


def key(called, attendee=None) -> str:
    called.refresh_from_db()
    return actions.key_of(called, attendee or called.attendees.get())


def link(called, attendee=None) -> str:
    return reverse("stakeholders:answer", args=[key(called, attendee)])


# Calls


@pytest.mark.django_db
def test_everybody_with_an_address_is_mailed_once_however_often_it_is_asked(office, called):
    account = User.objects.create_user("b@example.org", full_name="Blerim", language="sr-latn")
    call(called, contact("Blerim", email="", user=account))
    call(called, contact("Pa Adresë", email=""))
    call(called, guest_name="Mysafiri", role="guest")
    gone = contact("Iku", email="gone@example.org")
    call(called, gone)
    type(gone).objects.filter(pk=gone.pk).update(full_name="", email="", removed_at=timezone.now())
    assert actions.send_calls(called, by=office) == 2
    assert actions.send_calls(called, by=office) == 0
    assert set(Message.objects.values_list("address", flat=True)) == {"arta.bytyqi@example.org", "b@example.org"}
    # Who has no address is not lost: the office tells them.
    assert {str(one) for one in actions.to_telephone(called)} == {"Pa Adresë", "Mysafiri"}
    message = Message.objects.get(to=account)
    assert message.calendar_method == "REQUEST" and "\r\nMETHOD:REQUEST\r\n" in message.calendar and message.is_secret
    assert message.subject.startswith(("Poziv", "Call")) and str(called.title_sr)[:10] in message.subject
    assert "Blerim" not in message.subject and message.reply_to


@pytest.mark.django_db
@pytest.mark.parametrize("first", [0, 1])
def test_who_sits_in_two_bodies_is_called_once_and_counts_once_in_each(office, first):
    both = contact("Arta Bytyqi")
    bodies = [a_body(code, quorum_count=2) for code in ("FIRST", "SECOND")]
    for number, body in enumerate(bodies):
        a_seat(body, "KP-THB", both)
        a_seat(body, "MOH", contact(f"Tjetri {number}"))
        a_seat(body, "MOJ", contact(f"E treta {number}"))
    own, other = bodies[first], bodies[1 - first]
    joint = a_meeting(office, own, days=5)
    an_item(joint, office)
    assert meetings.call_members_of(joint, other, by=office) == 2
    joint = meetings.call_meeting(joint, by=office)
    assert meetings.call_members_of(joint, other, by=office) == 0 and actions.send_calls(joint, by=office) == 0
    assert Message.objects.filter(address=both.email).count() == 1 and Message.objects.count() == 5
    called = joint.attendees.get(contact=both)
    assert called.seat == own.members.get(person=both)
    with freeze_time(joint.starts_at + timedelta(hours=3)):
        others = joint.attendees.filter(role="guest")
        there = {one.pk: meetings.Presence(True) for one in (called, *others)}
        joint = meetings.record_attendance(joint, there, by=office, revision=joint.revision)
        # Of the body that meets one voice is there, however many seats elsewhere.
        assert (joint.voting_members, joint.voting_present, joint.has_quorum) == (3, 1, False)
        there[joint.attendees.exclude(pk__in=there).first().pk] = meetings.Presence(True)
        joint = meetings.record_attendance(joint, there, by=office, revision=joint.revision)
        assert (joint.voting_present, joint.has_quorum) == (2, True)


@pytest.mark.django_db
def test_a_changed_meeting_is_mailed_again_once_as_an_update(office, called):
    actions.send_calls(called, by=office)
    called.refresh_from_db()
    called.sequence += 1
    called.save()
    late = call(called, contact("Vonë"))
    assert actions.send_calls(called, by=office) == 2 and actions.send_calls(called, by=office) == 0
    first, second = Message.objects.filter(address="arta.bytyqi@example.org").order_by("created_at")
    assert "SEQUENCE:0" in first.calendar and "SEQUENCE:1" in second.calendar
    assert "takes the place" in second.text or "changed" in second.text or second.subject != first.subject
    late.refresh_from_db()
    assert late.called_sequence == 1


@pytest.mark.django_db(transaction=True)
def test_when_a_meeting_moves_everybody_is_asked_again_and_otherwise_nobody(reference_data):
    office = officer()
    found = meeting(office)
    arta = call(found, contact("Arta"))
    guest = call(found, guest_name="Mysafiri", role="guest")
    actions.send_calls(found, by=office)
    old = key(found, arta)
    actions.answer_by_link(old, answer="yes", note="x")
    actions.answer_told(guest, by=office, answer="no", note="")
    found.refresh_from_db()
    found.sequence, found.place = 1, "Pejë"
    found.save()
    actions.send_calls(found, by=office)
    assert set(found.attendees.values_list("answer", flat=True)) == {"yes", "no"}
    found.sequence, found.starts_at = 2, found.starts_at + timedelta(hours=1)
    found.save()
    actions.send_calls(found, by=office)
    assert set(found.attendees.values_list("answer", "answered_at", "answer_way")) == {("none", None, "")}
    assert actions.opened(old).state == "newer" and actions.opened(key(found, arta)).state == "open"
    actions.answer_by_link(key(found, arta), answer="maybe", note="")
    actions.send_calls(found, by=office)  # again changes nothing
    assert found.attendees.get(pk=arta.pk).answer == "maybe"


@pytest.mark.django_db
def test_a_cancellation_goes_to_who_was_called_once(office, called):
    actions.send_calls(called, by=office)
    call(called, contact("Nuk U Thirr"))
    called.refresh_from_db()
    called.state, called.cancelled_at, called.cancel_reason = MeetingState.CANCELLED, timezone.now(), "Shtyhet; ë."
    called.save()
    assert actions.send_cancellation(called, by=office) == 1 and actions.send_cancellation(called, by=office) == 0
    message = Message.objects.get(calendar_method="CANCEL")
    assert message.address == "arta.bytyqi@example.org" and "Shtyhet; ë." in message.text
    assert not message.is_secret and "STATUS:CANCELLED" in message.calendar


@pytest.mark.django_db
def test_calls_and_cancellations_are_refused_when_the_state_does_not_allow_them(office, called):
    with pytest.raises(Refused, match="cancelled"):
        actions.send_cancellation(called, by=office)
    for state in (MeetingState.DRAFT, MeetingState.HELD):
        type(called).objects.filter(pk=called.pk).update(state=state)
        with pytest.raises(Refused, match="called"):
            actions.send_calls(called, by=office)
    past = timezone.now() - timedelta(hours=1)
    type(called).objects.filter(pk=called.pk).update(state="called", starts_at=past, ends_at=past + timedelta(hours=3))
    with pytest.raises(Refused, match="begun"):
        actions.send_calls(called, by=office)
    with pytest.raises(PermissionDenied):
        actions.send_calls(called, by=User.objects.create_user("x@example.org", full_name="X"))
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_meeting_over_midnight_names_both_days(office):
    found = meeting(office, starts_at=moment(2031, 12, 31, 22), ends_at=moment(2032, 1, 1, 1, 30))
    assert actions.when_in_words(found) == "31 December 2031, 22:00 – 1 January 2032, 01:30"
    found.ends_at = moment(2031, 12, 31, 23)
    assert actions.when_in_words(found) == "31 December 2031, 22:00–23:00"


@pytest.mark.django_db(transaction=True)
def test_many_are_called_by_a_job_that_dies_between_batches_and_runs_twice_without_a_second_mail(
    reference_data, monkeypatch
):
    office = officer()
    found = meeting(office)
    people = [contact(f"Person {number}") for number in range(250)]
    Attendee.objects.bulk_create([Attendee(meeting=found, contact=one) for one in people])
    assert actions.send_calls(found, by=office) == 250 and actions.send_calls(found, by=office) == 250
    job = Job.objects.get()  # pressed twice, one job
    assert not Message.objects.exists()
    whole, batches = actions._call_batch, []

    class Killed(BaseException):
        """As SIGKILL: nothing after it runs, and the open transaction is gone."""

    def dies(pk):
        batches.append(whole(pk))
        if len(batches) == 2:
            raise Killed
        return batches[-1]

    monkeypatch.setitem(actions.KINDS, "meeting-calls", (actions.to_call, dies))
    with pytest.raises(Killed):
        jobs.run(str(job.pk))
    assert Message.objects.count() == actions.BATCH  # the second batch went with its transaction
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == JobState.DONE and Message.objects.count() == 250
    assert Message.objects.values("address").distinct().count() == 250
    assert actions.send_calls(found, by=office) == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_call_at_the_same_moment_send_each_mail_once(reference_data):
    office = officer()
    found = meeting(office)
    for number in range(20):
        call(found, contact(f"Person {number}"))
    start, sent = threading.Barrier(2), []

    def press():
        start.wait()
        sent.append(actions.send_calls(found, by=User.objects.get(pk=office.pk)))
        connections.close_all()

    threads = [threading.Thread(target=press) for _number in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(sent) == [0, 20] and Message.objects.count() == 20


# At night


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "hour", "goes"), [(2, 10, False), (1, 7, True), (1, 5, True)])
def test_at_night_only_news_of_a_meeting_that_begins_before_the_morning_goes_at_once(office, days, hour, goes):
    with freeze_time(at(0, 23)):
        begin = at(days, hour)
        found = meeting(office, starts_at=begin, ends_at=begin + timedelta(hours=2))
        call(found, contact("Arta Bytyqi"))
        actions.send_calls(found, by=office)
        assert actions.mails_wait_until(found) == (None if goes else at(1, 7))
        assert mail.send_waiting() == goes
        assert Message.objects.get().kind == (mail.Kind.SOON if goes else mail.Kind.MEETING)
    with freeze_time(at(1, 7)):
        assert mail.send_waiting() == (not goes) and actions.mails_wait_until(found) is None


@pytest.mark.django_db(transaction=True)
def test_who_would_come_in_the_night_learns_at_once_that_the_meeting_is_moved(reference_data):
    office = officer()
    with freeze_time(at(0, 20)):
        found = meeting(office, starts_at=at(1, 6), ends_at=at(1, 8))
        call(found, contact("Arta Bytyqi"))
        actions.send_calls(found, by=office)
        assert mail.send_waiting() == 1
    with freeze_time(at(0, 23)):
        found.refresh_from_db()
        found.sequence, found.starts_at, found.ends_at = 1, at(8), at(8, 12)
        found.save()
        actions.send_calls(found, by=office)
        assert mail.send_waiting() == 1 and actions.mails_wait_until(found) is None


# The link


@pytest.mark.django_db
def test_opening_the_link_answers_nothing_and_a_button_answers_once(office, called):
    """Mail scanners follow links; a page with buttons is all they get."""
    actions.send_calls(called, by=office)
    visitor, address = Client(), link(called)
    for _time in range(3):
        page = visitor.get(address)
        assert page.status_code == 200 and visitor.head(address).status_code in (200, 405)
    attendee = called.attendees.get()
    assert attendee.answer == Answer.NONE
    response = visitor.post(address, {"answer": "yes", "note": "Me zëvendës; <b>ë</b>"})
    assert response.status_code == 302
    attendee.refresh_from_db()
    assert (attendee.answer, attendee.answer_way, attendee.answer_note) == ("yes", "link", "Me zëvendës; <b>ë</b>")
    page = visitor.get(address).content.decode()
    assert "&lt;b&gt;ë&lt;/b&gt;" in page and "<b>ë" not in page and 'name="answer"' not in page
    visitor.post(address, {"answer": "no"})
    attendee.refresh_from_db()
    assert attendee.answer == "yes"


@pytest.mark.django_db
@pytest.mark.parametrize("data", [{}, {"answer": "none"}, {"answer": "x"}, {"answer": "yes", "note": "x" * 301}])
def test_what_is_no_answer_is_told_on_the_page(office, called, data):
    actions.send_calls(called, by=office)
    response = Client().post(link(called), data)
    assert response.status_code == 200 and "error-summary" in response.content.decode()
    assert called.attendees.get().answered_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda: {"state": MeetingState.CANCELLED, "cancelled_at": timezone.now(), "cancel_reason": "x"}, "cancelled"),
        (lambda: {"state": MeetingState.DRAFT}, "closed"),
        (lambda: {"state": MeetingState.HELD}, "begun"),
        (lambda: {"answer_by": timezone.localdate() - timedelta(days=1)}, "late"),
        (lambda: {"answer_by": timezone.localdate()}, "open"),  # the day itself counts
        (lambda: {"starts_at": timezone.now() + timedelta(days=3)}, "newer"),
        (lambda: {"ends_at": timezone.now() + timedelta(days=30)}, "newer"),
        (lambda: {"sequence": 4, "place": "Elsewhere"}, "open"),  # another call, the same time
    ],
)
def test_what_an_old_link_says(office, called, change, state):
    actions.send_calls(called, by=office)
    address, opened = link(called), key(called)
    type(called).objects.filter(pk=called.pk).update(**change())  # of today, whenever the tests were collected
    assert actions.opened(opened).state == state
    visitor = Client()
    assert visitor.get(address).status_code == 200
    assert visitor.post(address, {"answer": "yes"}).status_code == 302
    assert (called.attendees.get().answer == "yes") == (state == "open")


@pytest.mark.django_db
def test_the_link_ends_with_the_beginning_of_the_meeting(office, called):
    actions.send_calls(called, by=office)
    opened = key(called)
    with freeze_time(called.starts_at - timedelta(seconds=1)):
        assert actions.opened(opened).state == "open"
    with freeze_time(called.starts_at):
        assert actions.opened(opened).state == "begun"
        assert Client().get(reverse("stakeholders:answer", args=[opened])).status_code == 200


@pytest.mark.django_db
def test_a_person_whose_data_was_removed_learns_nothing_and_is_told_so(office, called):
    actions.send_calls(called, by=office)
    address, who = link(called), called.attendees.get().contact
    type(who).objects.filter(pk=who.pk).update(full_name="", email="", removed_at=timezone.now())
    page = Client().get(address)
    assert page.status_code == 200 and called.title_sq.split(";")[0] not in page.content.decode()


@pytest.mark.django_db
def test_a_key_that_nobody_was_given_is_like_any_other_address(office, called):
    actions.send_calls(called, by=office)
    good = key(called)
    other = meeting(office, answer_salt="s")
    stranger = call(other, contact("Tjetër"))
    assert all(actions.opened(good[:-1] + last) is None for last in KEY_LETTERS if last != good[-1])
    wrong = [good[:-1] + ("A" if good[-1] != "A" else "B"), good[:-2], good + "AAAA", "x", "é" * 10, "a" * 500, "." * 54,
             actions.key_of(called, stranger), "A" * len(good)]  # fmt: skip
    for one in wrong:
        page = Client().get(reverse("stakeholders:answer", args=[one]), headers={"accept-language": "en"})
        assert page.status_code == 404, one
        said = page.content.decode()
        assert reverse("account_login") in said and "To my home page" not in said and "For internal use" not in said
        assert Client().post(reverse("stakeholders:answer", args=[one]), {"answer": "yes"}).status_code == 404
    assert actions.opened("") is None
    type(called).objects.filter(pk=called.pk).update(answer_salt="another")  # all links of a meeting can be closed
    assert Client().get(reverse("stakeholders:answer", args=[good])).status_code == 404


@pytest.mark.django_db
def test_the_page_speaks_the_language_of_who_was_called_whatever_the_browser_says(office, called):
    actions.send_calls(called, by=office)
    page = Client().get(link(called), headers={"accept-language": "en"}).content.decode()
    assert 'lang="sq"' in page and called.title_sq in page.replace("&#x27;", "'")
    english = call(called, contact("John", language="en"))
    actions.send_calls(called, by=office)
    page = Client().get(link(called, english), headers={"accept-language": "sq"}).content.decode()
    assert 'lang="en"' in page and "Will you come?" in page


@pytest.mark.django_db
def test_a_link_that_is_opened_too_often_waits(office, called):
    actions.send_calls(called, by=office)
    visitor, address = Client(), link(called)
    statuses = [visitor.get(address).status_code for _time in range(35)]
    assert statuses[0] == 200 and statuses[-1] == 429


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_press_at_once_one_answer_is_kept(reference_data):
    office = officer()
    found = meeting(office)
    call(found, contact("Arta"))
    actions.send_calls(found, by=office)
    opened, start = key(found), threading.Barrier(8)

    def press(answer):
        start.wait()
        actions.answer_by_link(opened, answer=answer, note=answer)
        connections.close_all()

    threads = [threading.Thread(target=press, args=[one]) for one in ["yes", "no"] * 4]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    attendee = found.attendees.get()
    assert attendee.answer == attendee.answer_note and attendee.answer in ("yes", "no")
    events = Attendee.pgh_event_model.objects.filter(pgh_obj=attendee, pgh_label="update").exclude(answer="none")
    assert events.count() == 1


# Signed in, told, from a calendar


@pytest.mark.django_db
def test_whoever_is_signed_in_may_change_an_answer_until_it_begins(world, client_for):
    found = meeting(world.planning)
    mine = call(
        found, contact("Blerim", email="", user=world.focal_point), institution=Institution.objects.get(code="MOH")
    )
    client, address = client_for("focal_point"), reverse("stakeholders:meeting-answer", args=[found.pk])
    for one in ("yes", "no", "maybe"):
        assert client.post(address, {"answer": one}).status_code == 302
        mine.refresh_from_db()
        assert (mine.answer, mine.answer_way) == (one, AnswerWay.PAGE)
    client.post(address, {"answer": "nonsense"})
    answer = client.post(address, {"answer": "yes", "note": "Zëvendësi " + "x" * 300})
    page = answer.content.decode()
    assert answer.status_code == 200 and 'value="Zëvendësi xxx' in page and "error-summary" in page
    assert 'aria-describedby="answer-note-help answer-note-error"' in page
    with freeze_time(found.starts_at + timedelta(minutes=1)), pytest.raises(Refused):
        actions.answer_for_oneself(found, by=world.focal_point, answer="yes", note="")
    mine.refresh_from_db()
    assert mine.answer == "maybe"
    with pytest.raises(Refused, match="not called"):
        actions.answer_for_oneself(found, by=world.director, answer="yes", note="")
    assert client_for("observer").post(address, {"answer": "yes"}).status_code == 404
    assert client.get(address).status_code == 405


@pytest.mark.django_db
def test_the_office_writes_down_what_it_was_told_and_what_calendars_send(world, client_for):
    found = meeting(world.planning)
    arta = call(found, contact("Arta Bytyqi"))
    guest = call(found, guest_name="Mysafiri", role="guest")
    other = call(meeting(world.planning), contact("Tjetër"))
    client, address = client_for("planning"), reverse("stakeholders:meeting-replies", args=[found.pk])
    page = client.get(address).content.decode()
    assert "Mysafiri" in page and "call them" in page
    assert client.post(address, {"told": "1", "attendee": str(guest.pk), "answer": "yes"}).status_code == 302
    guest.refresh_from_db()
    assert (guest.answer, guest.answer_way) == ("yes", AnswerWay.OFFICE)
    assert client.post(address, {"told": "1", "attendee": str(other.pk), "answer": "yes"}).status_code == 200
    file = SimpleUploadedFile("a.ics", reply(found, answer="DECLINED"))
    assert client.post(address, {"sent": "1", "reply": file}).status_code == 302
    arta.refresh_from_db()
    assert (arta.answer, arta.answer_way) == ("no", AnswerWay.CALENDAR)
    for content, sentence in [
        (b"x" * 100_000, "too large"),
        (b"MZ\x90\x00", "not a file of a calendar program"),
        (reply(found, address="nobody@example.org"), "Nobody with the address"),
        (reply(other.meeting), "another meeting"),
        (reply(found, sequence=3), "earlier call"),
    ]:
        answer = client.post(address, {"sent": "1", "reply": SimpleUploadedFile("a.ics", content)})
        assert answer.status_code == 200 and sentence in answer.content.decode(), sentence
    assert client.post(address, {"sent": "1"}).status_code == 200
    type(found).objects.filter(pk=found.pk).update(state="cancelled", cancelled_at=timezone.now(), cancel_reason="x")
    answer = client.post(address, {"sent": "1", "reply": SimpleUploadedFile("a.ics", reply(found))})
    assert "The meeting is cancelled; the answer was not recorded." in answer.content.decode()
    assert client_for("focal_point").get(address).status_code == 404  # their institution is not called
    arta.refresh_from_db()
    assert arta.answer == "no"


@pytest.mark.django_db
def test_an_answer_to_an_earlier_call_counts_while_the_time_is_the_same(office, called):
    called.sequence = 2
    called.save()
    same = "DTSTART:" + called.starts_at.astimezone(timezone.get_fixed_timezone(0)).strftime("%Y%m%dT%H%M%SZ") + "\r\n"
    assert actions.take_reply(called, reply(called, sequence=1, extra=same), by=office).answer == "yes"
    with pytest.raises(Refused, match="earlier call"):
        actions.take_reply(called, reply(called, sequence=1, extra="DTSTART:20310101T100000Z\r\n"), by=office)
    once = Attendee.objects.get().answered_at
    actions.take_reply(called, reply(called, sequence=2), by=office)  # the same again changes nothing
    assert Attendee.objects.get().answered_at == once


@pytest.mark.django_db
def test_the_page_of_answers_costs_the_same_for_many(world, client_for, django_assert_max_num_queries):
    found = meeting(world.planning)
    for number in range(60):
        call(
            found,
            contact(f"Person {number}", email="" if number % 2 else None),
            institution=Institution.objects.first(),
        )
    client = client_for("planning")
    client.get(reverse("stakeholders:meeting-replies", args=[found.pk]))
    with django_assert_max_num_queries(16):
        assert client.get(reverse("stakeholders:meeting-replies", args=[found.pk])).status_code == 200
