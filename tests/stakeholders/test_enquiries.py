"""Enquiries (Article 8.4.6): days, numbers, four eyes, sending, closing, forgetting; bad input and two at once."""

from __future__ import annotations

import threading
import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onatc import search
from onatc.errors import Refused
from onatc.history import history_of
from onatc.models import DatedSetting, Holiday, Message
from onatc.periods import Period
from stakeholders import deadlines, ownership, tasks
from stakeholders.actions import enquiries
from stakeholders.deadlines import Answered, AnswerTimes, answer_times, days_to_answer
from stakeholders.models import Contact, Enquiry, EnquiryFile, RoleAssignment, User
from strategy import computed
from tests.samples import document
from tests.stakeholders.asking import a_drafted_enquiry, an_approved_enquiry, an_enquiry, days_ago, institution
from tests.stakeholders.cooperation import a_contact

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


# Days


@pytest.mark.parametrize(
    ("received", "days", "holidays", "due"),
    [
        (date(2026, 3, 2), 15, set(), date(2026, 3, 17)),
        (date(2026, 3, 6), 15, set(), date(2026, 3, 23)),  # a Saturday moves to Monday
        (date(2026, 3, 2), 15, {date(2026, 3, 17), date(2026, 3, 18)}, date(2026, 3, 19)),
        (date(2025, 12, 17), 15, {date(2026, 1, 1), date(2026, 1, 2)}, date(2026, 1, 5)),  # over the year's end
        (date(2028, 2, 14), 15, set(), date(2028, 2, 29)),
        (date(2026, 3, 2), 1, set(), date(2026, 3, 3)),
    ],
)
def test_an_answer_is_due_on_a_working_day(db, received, days, holidays, due):
    Holiday.objects.all().delete()
    Holiday.objects.bulk_create(Holiday(day=day, name_sq="Festë") for day in holidays)
    DatedSetting.objects.create(name="enquiry_days", value=days, valid_from=received)
    assert deadlines.enquiry_due_day(received) == due


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_of_answers_the_share_lies_between_none_and_all_and_the_median_between_the_ends(rows):
    day = date(2026, 1, 1)
    found = answer_times(Answered(day, day + timedelta(due), day + timedelta(took)) for due, took in rows)
    if not rows:
        assert found == AnswerTimes(0, 0, None, None)
        return
    took = [one[1] for one in rows]
    assert found.count == len(rows) and min(took) <= found.median <= max(took)
    assert found.in_time == sum(took <= due for due, took in rows)
    assert 0 <= found.in_time_pct <= 100 and (found.in_time_pct == 100) >= (found.in_time == found.count)


@pytest.mark.parametrize(
    ("took", "language", "said"),
    [
        ([1], "en", "half of them within 1 day;"),
        ([1, 2], "en", "half of them within 1.5 days;"),
        ([0], "en", "half of them within 0 days;"),
        ([1], "sq", "gjysma e tyre brenda 1 dite;"),
        ([21], "sq", "gjysma e tyre brenda 21 ditësh;"),
        ([1], "sr-latn", "polovina u roku od 1 dana;"),
    ],
)
def test_the_list_says_in_how_many_days_half_was_answered(world, client_for, took, language, said):
    for days in took:
        one = an_approved_enquiry(world.information, world.director, received_on=days_ago(days))
        enquiries.send_answer(one, by=world.information, way="phone", answered_on=days_ago(0))
    User.objects.filter(pk=world.planning.pk).update(language=language)
    assert said in client_for("planning").get(url("enquiry-list")).content.decode()


def test_the_days_are_counted_from_the_day_it_came():
    assert days_to_answer(date(2026, 3, 2), date(2026, 3, 2)) == 0
    assert days_to_answer(date(2025, 12, 31), date(2026, 1, 2)) == 2
    day = date(2026, 1, 1)
    two = [
        Answered(day, day + timedelta(15), day + timedelta(4)),
        Answered(day, day + timedelta(15), day + timedelta(21)),
    ]
    assert answer_times(two) == AnswerTimes(2, 1, 12.5, 50)


def test_the_days_are_those_of_the_setting_on_the_day_it_came(world):
    day = days_ago(0)
    DatedSetting.objects.create(name="enquiry_days", value=3, valid_from=day)
    assert deadlines.enquiry_due_day(day) <= day + timedelta(days=3 + 31)
    assert deadlines.enquiry_due_day(day) < deadlines.enquiry_due_day(day - timedelta(days=1)) + timedelta(days=1)


# The life of an enquiry


def test_from_its_number_to_the_mail(world, client_for):
    client = client_for("information")
    form = {
        "key": str(uuid.uuid4()), "received_on": days_ago(3).isoformat(), "due_on": "", "way": "email",
        "sender_kind": "press", "sender_name": "", "sender_email": "press@example.org", "subject": "Shifra",
        "question": "Sa raste?", "language": "sq",
    }  # fmt: skip
    client.post(url("enquiry-create"), form)
    client.post(url("enquiry-create"), form)
    one = Enquiry.objects.get()
    assert one.due_on == deadlines.enquiry_due_day(days_ago(3)) and one.label == f"1/{days_ago(3).year}"
    client.post(url("enquiry-assign", one.pk), {"person": world.monitoring.pk})
    assert refresh(one).state == "assigned" and Message.objects.filter(to=world.monitoring).count() == 1
    writer = client_for("monitoring")
    early = writer.get(url("enquiry-submit", one.pk), follow=True)
    assert early.redirect_chain and "There is no answer yet" in early.content.decode()
    said = {"revision": one.revision, "answer": "Pesë raste.", "answer_language": "sq"}
    assert one.question in writer.get(url("enquiry-answer", one.pk)).content.decode()  # read beside the answer
    writer.post(url("enquiry-answer", one.pk), said | {"attachments": SimpleUploadedFile("t.pdf", document())})
    writer.post(url("enquiry-submit", one.pk))
    writer.post(url("enquiry-submit", one.pk))
    assert refresh(one).state == "drafted" and one.drafted_by == world.monitoring
    assert writer.get(url("enquiry-approve", one.pk)).status_code == 403
    client_for("director").post(url("enquiry-return", one.pk), {"note": "Shto vitin."})
    assert refresh(one).state == "assigned" and "Shto vitin." in writer.get(one.get_absolute_url()).content.decode()
    writer.post(url("enquiry-answer", one.pk), said | {"revision": one.revision, "answer": "Pesë raste në 2025."})
    writer.post(url("enquiry-submit", one.pk))
    page = client_for("natc").get(url("enquiry-approve", one.pk)).content.decode()  # what is approved
    assert one.question in page and "Pesë raste në 2025." in page and "t.pdf" in page and one.sender_email in page
    client_for("natc").post(url("enquiry-approve", one.pk), {"revision": refresh(one).revision})
    assert refresh(one).state == "approved" and one.approved_by == world.natc
    send = {"way": "email", "answered_on": days_ago(0).isoformat()}
    page = client.get(url("enquiry-send", one.pk)).content.decode()  # what leaves, and to whom
    assert one.question in page and "Pesë raste në 2025." in page and "t.pdf" in page and one.sender_email in page
    assert client.post(url("enquiry-send", one.pk), send).status_code == 302
    client.post(url("enquiry-send", one.pk), send)  # twice is once
    assert refresh(one).state == "answered" and one.answered_on == days_ago(0)
    mail = Message.objects.get(address="press@example.org")
    assert "Pesë raste në 2025." in mail.text and one.label in mail.subject
    assert [file["name"] for file in mail.attachments] == ["t.pdf"] and mail.attachments[0]["file"]
    assert client.get(url("enquiry-edit", one.pk)).status_code == 403  # frozen


def test_nobody_approves_what_they_drafted_unless_they_are_the_last(world):
    one = a_drafted_enquiry(world.director)
    with pytest.raises(PermissionDenied, match="themselves"):
        enquiries.approve_answer(one, by=world.director, revision=one.revision)
    RoleAssignment.objects.filter(role="natc").update(ends_on=days_ago(1))
    enquiries.approve_answer(one, by=world.director, revision=one.revision)
    assert refresh(one).state == "approved"


def test_each_step_of_an_answer_is_told_once_to_whom_it_concerns(world):
    def told(template):
        return [one.to for one in Message.objects.filter(occasion__startswith=template)]

    one = a_drafted_enquiry(world.information)
    enquiries.submit_answer(one, by=world.information)
    assert {one.email for one in told("enquiry_to_approve")} == {world.director.email, world.natc.email}
    assert len(told("enquiry_to_approve")) == 2
    enquiries.return_answer(one, by=world.director, note="Shto vitin.")
    assert told("enquiry_returned") == [world.information]
    assert "Shto vitin." not in Message.objects.get(occasion__startswith="enquiry_returned").text
    enquiries.submit_answer(refresh(one), by=world.information)  # handed in anew: told anew
    assert len(told("enquiry_to_approve")) == 4
    for _time in range(2):
        enquiries.approve_answer(refresh(one), by=world.natc, revision=one.revision)
    assert told("enquiry_approved") == [world.information]


def test_nobody_is_told_of_a_step_of_their_own(world):
    one = a_drafted_enquiry(world.director)
    assert [mail.to for mail in Message.objects.all()] == [world.natc]
    RoleAssignment.objects.filter(role="natc").update(ends_on=days_ago(1))
    enquiries.approve_answer(one, by=world.director, revision=one.revision)
    assert Message.objects.count() == 1


def test_what_was_approved_is_what_was_read(world):
    one = a_drafted_enquiry(world.information)
    with pytest.raises(Refused, match="changed since"):
        enquiries.approve_answer(one, by=world.director, revision=one.revision - 1)
    enquiries.approve_answer(one, by=world.director, revision=one.revision)
    with pytest.raises(Refused, match="approved already"):
        enquiries.submit_answer(one, by=world.information)
    enquiries.draft_answer(refresh(one), {"answer": "Tjetër"}, by=world.information, revision=one.revision)
    assert refresh(one).state == "assigned" and one.approved_by is None
    with pytest.raises(PermissionDenied):
        enquiries.send_answer(one, by=world.information, way="email", answered_on=days_ago(0))


def test_a_letter_is_recorded_and_an_address_is_needed_for_a_mail(world, client_for):
    one = an_approved_enquiry(world.information, world.director, sender_email="")
    with pytest.raises(Refused, match="no e-mail address"):
        enquiries.send_answer(one, by=world.information, way="email", answered_on=days_ago(0))
    client = client_for("information")
    page = client.post(url("enquiry-send", one.pk), {"way": "letter", "answered_on": days_ago(6).isoformat()})
    assert "The answer cannot lie before the question." in page.content.decode()
    enquiries.send_answer(one, by=world.information, way="letter", answered_on=days_ago(1))
    assert refresh(one).answered_on == days_ago(1)
    with pytest.raises(Refused, match="answered already"):
        enquiries.send_answer(one, by=world.director, way="phone", answered_on=days_ago(0))
    assert not Message.objects.filter(to=None).exists()


def test_it_is_closed_with_a_reason(world, client_for):
    one = an_enquiry(world.information)
    client = client_for("information")
    page = client.post(url("enquiry-close", one.pk), {"why": "other", "more": ""})
    assert "Say which." in page.content.decode()
    client.post(url("enquiry-close", one.pk), {"why": "spam", "more": ""})
    client.post(url("enquiry-close", one.pk), {"why": "spam", "more": ""})
    assert refresh(one).state == "closed" and one.close_reason == "Spam, or makes no sense" and one.closed_on
    with pytest.raises(PermissionDenied):
        enquiries.draft_answer(one, {"answer": "x"}, by=world.information, revision=one.revision)


def test_open_ones_stand_first_and_times_are_of_the_year(world, client_for):
    over = an_approved_enquiry(world.information, world.director, received_on=days_ago(2))
    enquiries.send_answer(over, by=world.information, way="phone", answered_on=days_ago(0))
    late = an_enquiry(world.information, received_on=days_ago(60), due_on=days_ago(40))
    soon = an_enquiry(world.information)
    client = client_for("information")
    page = client.get(url("enquiry-list"))
    assert [one.pk for one in page.context["page"]] == [late.pk, soon.pk, over.pk]
    assert page.context["times"] == AnswerTimes(1, 1, 2.0, 100)
    assert [one.pk for one in client.get(url("enquiry-list"), {"due": "overdue"}).context["page"]] == [late.pk]
    assert not list(client.get(url("enquiry-list"), {"due": "mine"}).context["page"])
    file = b"".join(client.get(url("enquiry-export"), {"format": "csv"}).streaming_content).decode()
    assert "sender@example.org" not in file and "Sa viktima" not in file and file.count("\n") == 4
    figure = computed.figure_of("enquiries-in-time", world.plan, Period.parse(str(days_ago(0).year)))  # fmt: skip
    assert (figure.numerator, figure.denominator) == (1, 1)


def test_an_open_enquiry_is_handed_over_at_the_leaving(world):
    one = an_enquiry(world.information)
    enquiries.assign_enquiry(one, world.information, by=world.director)
    kinds = {kind.key for kind, _records in ownership.held_by(world.information)}
    assert "enquiry" in kinds
    with pytest.raises(Refused):
        enquiries.assign_enquiry(one, world.child, by=world.director)


# Forgetting


def test_a_private_sender_is_forgotten_and_stands_nowhere(world, client_for):
    one = an_approved_enquiry(world.information, world.director, received_on=days_ago(3))
    file = SimpleUploadedFile("Sender Sample.pdf", document())
    file.checked_type = "application/pdf"
    enquiries.add_files(one, [file], by=world.information, direction="in")
    assert EnquiryFile.objects.get().original_name == f"{one.number}-{one.year}-1.pdf"
    enquiries.send_answer(one, by=world.information, way="email", answered_on=days_ago(0))
    Message.objects.update(state="sent")
    official = an_enquiry(world.information, institution=institution("MOJ"))
    known = a_contact(world.director, "Sender Sample", at="MOJ")
    enquiries.close_enquiry(official, by=world.information, reason="x")
    assert enquiries.forget_private_senders(days_ago(-179)) == 0
    assert (
        enquiries.forget_private_senders(days_ago(-180)) == 1 and enquiries.forget_private_senders(days_ago(-180)) == 0
    )
    one = refresh(one)
    assert (one.sender_name, one.sender_email, one.question) == ("", "", "") and one.answer and one.forgotten_at
    assert not EnquiryFile.objects.exists() and refresh(official).sender_name == "Sender Sample"
    assert not Message.objects.filter(address="sender@example.org").exists()
    history = str([(field.old, field.new) for change in history_of(one) for field in change.fields])
    search.catch_up()
    found = str(list(search.SearchEntry.objects.filter(kind="enquiry").values()))
    for text in (history, found):
        assert "Sender Sample" not in text and "sender@example.org" not in text and "Sa viktima" not in text
    page = client_for("information").get(one.get_absolute_url()).content.decode()
    assert "personal data removed on" in page
    # Who wrote for an institution is forgotten too once they are no contact; what it asked stays.
    Contact.objects.filter(pk=known.pk).update(full_name="", email="", removed_at=timezone.now())
    assert enquiries.forget_private_senders(days_ago(-180)) == 1
    assert enquiries.forget_private_senders(days_ago(-180)) == 0
    official = refresh(official)
    assert (official.sender_name, official.sender_email) == ("", "") and official.question and official.forgotten_at


def test_a_contact_is_known_by_the_address_or_by_the_name_at_the_institution(world):
    a_contact(world.director, "Somebody", at="MOH", email="KNOWN@example.org")
    a_contact(world.director, "Same Name", at="MOH")
    kept = an_enquiry(world.information, institution=institution("MOJ"), sender_email="known@example.org")
    gone = an_enquiry(world.information, institution=institution("MOJ"), sender_name="Same Name", sender_email="")
    silent = an_enquiry(world.information, institution=institution("MOJ"), sender_name="", sender_email="")
    for one in (kept, gone, silent):
        enquiries.close_enquiry(one, by=world.information, reason="x")
    assert enquiries.forget_private_senders(days_ago(-180)) == 1
    assert [refresh(one).forgotten_at is None for one in (kept, gone, silent)] == [True, False, True]


# Two at once


@pytest.mark.django_db(transaction=True)
def test_two_who_record_at_once_get_two_numbers(world):
    people, numbers, barrier = [world.information, world.planning], [], threading.Barrier(2, timeout=10)

    def record(person):
        barrier.wait()
        try:
            numbers.append(an_enquiry(person).number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=record, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(numbers) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_at_once_one_wins_and_one_mail_goes(world):
    one = an_approved_enquiry(world.information, world.director)
    people, ends, barrier = [world.information, world.planning], [], threading.Barrier(2, timeout=10)

    def send(person):
        barrier.wait()
        try:
            enquiries.send_answer(one, by=person, way="email", answered_on=days_ago(0))
            ends.append("sent")
        except Refused:
            ends.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(ends) == ["refused", "sent"]
    assert Message.objects.filter(address="sender@example.org").count() == 1


def test_the_number_begins_anew_with_the_year(world):
    with freeze_time(timezone.now().replace(year=2027, month=1, day=4)):
        old = an_enquiry(world.information, received_on=date(2026, 12, 31))
        new = an_enquiry(world.information, received_on=date(2027, 1, 4))
    assert (old.label, new.label) == ("1/2026", "1/2027") and old.due_on == date(2027, 1, 15)


def test_the_form_says_who_asks_in_words_that_are_no_time(world, client_for):
    form = client_for("information").get(url("enquiry-create")).context["form"]
    assert form.fields["sender_kind"].label == "Who asks"


def test_what_was_typed_into_a_form_that_came_too_late_is_given_back(world, client_for):
    enquiry = an_enquiry(world.information)
    type(enquiry).objects.filter(pk=enquiry.pk).delete()
    typed = "Përgjigje e gjatë <b>e shkruar</b> për një orë."
    form = {"answer": typed, "answer_language": "sq", "revision": 0, "password": "a secret of some length"}
    late = client_for("planning").post(url("enquiry-answer", enquiry.pk), form)
    page = late.content.decode()
    assert late.status_code == 404 and "It was not saved." in page and "secret" not in page
    assert "Përgjigje e gjatë &lt;b&gt;e shkruar&lt;/b&gt; për një orë." in page
    denied = client_for("natc").post(url("enquiry-answer", an_enquiry(world.information).pk), form)
    assert denied.status_code == 403 and "Përgjigje e gjatë" in denied.content.decode()
    assert "It was not saved." not in client_for("natc").get(url("enquiry-answer", enquiry.pk)).content.decode()


# The mail with the answer came back


def test_an_answer_whose_mail_came_back_is_shown_and_goes_again_or_another_way(world, client_for):
    one = an_approved_enquiry(world.information, world.director)
    enquiries.send_answer(one, by=world.information, way="email", answered_on=days_ago(0))
    office, warning = client_for("information"), "the sender has not got it"
    mails = Message.objects.filter(occasion=f"enquiry {one.pk} answer")
    assert warning not in office.get(one.get_absolute_url()).content.decode()
    mails.update(state="bounced")
    assert warning in office.get(one.get_absolute_url()).content.decode()
    assert "did not arrive" in office.get(url("enquiry-send", one.pk)).content.decode()
    today = days_ago(0).isoformat()
    office.post(url("enquiry-send", one.pk), {"way": "email", "answered_on": today})
    assert mails.get().state == "queued" and warning not in office.get(one.get_absolute_url()).content.decode()
    with pytest.raises(Refused, match="answered already"):
        enquiries.send_answer(one, by=world.director, way="letter", answered_on=days_ago(0))
    mails.update(state="failed", text="")
    with pytest.raises(Refused, match="was forgotten"):
        enquiries.send_answer(one, by=world.director, way="email", answered_on=days_ago(0))
    with pytest.raises(PermissionDenied):
        enquiries.send_answer(one, by=world.focal_point, way="letter", answered_on=days_ago(0))
    Enquiry.objects.update(answered_on=days_ago(2))  # the day of the answer, which counts, stays
    office.post(url("enquiry-send", one.pk), {"way": "phone", "answered_on": today})
    assert (refresh(one).answered_way, one.answered_on) == ("phone", days_ago(2))
    assert warning not in office.get(one.get_absolute_url()).content.decode()


# Reminders


def test_whoever_answers_is_reminded_before_the_day_and_after_it_once_each(world):
    one = an_enquiry(world.information, received_on=days_ago(20))
    Enquiry.objects.update(due_on=days_ago(-3))
    enquiries.assign_enquiry(one, world.planning, by=world.information)
    Message.objects.all().delete()
    assert enquiries.remind() == 0
    assert enquiries.remind(days_ago(-1)) == 1 and enquiries.remind(days_ago(-2)) == enquiries.remind(days_ago(-3)) == 0
    message = Message.objects.get()
    assert (message.to, message.kind) == (world.planning, "reminder") and one.label in message.text
    tasks.remind_of_enquiries()
    assert enquiries.remind(days_ago(-4)) == 1 and enquiries.remind(days_ago(-5)) == 0
    RoleAssignment.objects.filter(user=world.planning).update(ends_on=days_ago(1))  # whoever answers left
    Message.objects.all().delete()
    assert enquiries.remind(days_ago(-4)) == 2
    assert {one.to for one in Message.objects.all()} == {world.director, world.information}


def test_of_what_nobody_answers_the_director_and_the_information_officer_are_reminded(world):
    open_, spam, closed = (an_enquiry(world.information, received_on=days_ago(20)) for _number in range(3))
    enquiries.close_enquiry(closed, by=world.information, reason="x")
    Enquiry.objects.update(due_on=days_ago(1))
    Enquiry.objects.filter(pk=spam.pk).update(is_suspicious=True)
    Message.objects.all().delete()
    tasks.remind_of_enquiries()
    tasks.remind_of_enquiries()
    assert {one.to for one in Message.objects.all()} == {world.director, world.information}
    assert Message.objects.count() == 2 and all(open_.label in one.text for one in Message.objects.all())
