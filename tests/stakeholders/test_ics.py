"""Invitations and feeds as iCalendar objects: an independent parser accepts them, a CalDAV server keeps them and a client
library reads them back; over midnight, over both changes of the clock, changed and cancelled."""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime, timedelta

import caldav
import pytest
import vobject
from django.conf import settings
from django.utils import timezone, translation
from icalendar import Calendar

from onatc.errors import Refused
from stakeholders import ics
from stakeholders.calendar import Entry
from stakeholders.models import Answer
from tests.processes import until
from tests.stakeholders.calls import OFFICE, call, contact, meeting, moment, officer

pytestmark = pytest.mark.django_db
LINK = "https://office.example/answer/" + "k" * 60 + "/"
TIMES = {
    "in summer": (moment(2031, 6, 10, 10), moment(2031, 6, 10, 12)),
    "over midnight": (moment(2031, 6, 10, 22), moment(2031, 6, 11, 1, 30)),
    "over the spring change": (moment(2031, 3, 30, 1), moment(2031, 3, 30, 4)),
    "over the autumn change": (moment(2031, 10, 26, 1), moment(2031, 10, 26, 4)),
    "over the year's end": (moment(2031, 12, 31, 23), moment(2032, 1, 1, 1)),
}


@pytest.fixture
def called(reference_data):
    return meeting(officer(), note="Sillni dokumentet; faleminderit, me ë dhe č.\nRreshti i dytë\\ me vijë.")


def made(called, *, language="sq", sequence=None, method="REQUEST", address="a.b@example.org", role="member"):
    attendee = called.attendees.first() or call(called, contact("Arta Bytyqi"), role=role)
    if sequence is not None:
        called.sequence = sequence
    with translation.override(language):
        if method == "CANCEL":
            return ics.cancellation(called, attendee, address, url="")
        return ics.invitation(called, attendee, address, answer_url=LINK, url=LINK)


def parsed(text: str):
    return vobject.readOne(text)


@pytest.mark.parametrize("when", TIMES)
def test_an_independent_parser_finds_the_same_moments(called, when):
    called.starts_at, called.ends_at = TIMES[when]
    event = parsed(made(called)).vevent
    assert event.dtstart.value.astimezone(UTC) == called.starts_at
    assert event.dtend.value.astimezone(UTC) == called.ends_at
    assert event.dtstart.params["X-VOBJ-ORIGINAL-TZID"] == ["Europe/Belgrade"]


def test_the_rules_of_the_zone_in_the_file_say_what_the_zone_does(called):
    """Read by its own rules alone, without the name of the zone: each day of twenty years at noon and midnight."""
    zone = parsed(made(called)).vtimezone.gettzinfo()
    for number in range(0, 365 * 20, 3):
        for hour in (0, 12):
            local = datetime(2024, 1, 1, hour) + timedelta(days=number)  # noqa: DTZ001  # a clock on the wall
            assert zone.utcoffset(local) == local.replace(tzinfo=OFFICE).utcoffset(), local


def test_what_an_invitation_says(called):
    text = made(called)
    calendar = parsed(text)
    event = calendar.vevent
    assert calendar.method.value == "REQUEST" and event.status.value == "CONFIRMED"
    assert event.uid.value == f"meeting-{called.pk}@onatc" and event.sequence.value == "0"
    assert event.summary.value == "Takimi i Autoritetit; pikë, vijë dhe ë"
    assert event.location.value == "Salla A, kati 2; Prishtinë"
    assert LINK in event.description.value and "Rreshti i dytë\\ me vijë." in event.description.value
    assert "\n" in event.description.value
    assert event.organizer.value == f"mailto:{ics.office_address()}"
    (attendee,) = event.attendee_list
    assert attendee.value == "mailto:a.b@example.org"
    assert attendee.params["PARTSTAT"] == ["NEEDS-ACTION"] and attendee.params["RSVP"] == ["TRUE"]
    assert "Arta" not in text  # no person's name, not even the reader's
    # Both parsers of the standard agree, and no line is longer than 75 octets.
    assert Calendar.from_ical(text).walk("VEVENT")[0]["summary"] == event.summary.value
    lines = text.encode().split(b"\r\n")
    assert all(len(line) <= 75 for line in lines) and b"\n" not in text.encode().replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("language", "word", "title"),
    [
        ("sq", "Për të", "Takimi i Autoritetit"),
        ("sr-latn", "Za odgovor", "Sastanak Uprave; čas, šest i žaba"),
        ("en", "To answer without signing in", "Meeting of the Authority"),
    ],
)
def test_each_reader_gets_it_in_their_language(called, language, word, title):
    event = parsed(made(called, language=language)).vevent
    assert event.summary.value.startswith(title) and word in event.description.value


def test_an_update_keeps_the_uid_and_raises_the_sequence_and_a_cancellation_goes_above(called):
    first, second = parsed(made(called)).vevent, parsed(made(called, sequence=1)).vevent
    called.cancel_reason = "Shtyhet."
    last = parsed(made(called, method="CANCEL"))
    assert first.uid.value == second.uid.value == last.vevent.uid.value
    assert [int(one.sequence.value) for one in (first, second, last.vevent)] == [0, 1, 2]
    assert last.method.value == "CANCEL" and last.vevent.status.value == "CANCELLED"


def test_a_given_answer_and_a_guest_are_told_to_the_calendar(called):
    attendee = call(called, contact("B C"), role="guest", answer=Answer.MAYBE)
    text = ics.invitation(called, attendee, "b@example.org", answer_url=LINK, url="")
    (one,) = parsed(text).vevent.attendee_list
    assert one.params["PARTSTAT"] == ["TENTATIVE"] and one.params["ROLE"] == ["OPT-PARTICIPANT"]


@pytest.mark.parametrize("field", ["title_sq", "place", "note"])
def test_nothing_typed_becomes_a_line_of_its_own(called, field):
    """T24."""
    setattr(called, field, "x\r\nATTENDEE:mailto:evil@example.org\r\nEND:VEVENT\x00\x1b")
    text = made(called)
    event = parsed(text).vevent
    assert len(event.attendee_list) == 1 and "\x00" not in text and "\x1b" not in text
    assert text.split("\r\n").count("END:VEVENT") == 1


def test_a_feed_has_whole_days_hours_places_and_what_was_cancelled():
    start = moment(2031, 6, 10, 10)
    entries = [
        Entry("event-1", "Fushata; ë", date(2031, 6, 10), date(2031, 6, 12), "/events/1/", place="Pejë"),
        Entry("meeting-1", "Takimi", date(2031, 6, 10), date(2031, 6, 10), "/m/", start, start + timedelta(hours=1), "", True),
    ]  # fmt: skip
    text = ics.feed(entries, name="ONATC", site_url="https://office.example")
    calendar = parsed(text)
    days, hours = calendar.vevent_list
    assert calendar.method.value == "PUBLISH"
    assert days.dtstart.value == date(2031, 6, 10) and days.dtend.value == date(2031, 6, 13)
    assert days.url.value == "https://office.example/events/1/" and days.location.value == "Pejë"
    assert hours.dtstart.value == start and hours.status.value == "CANCELLED"
    assert ics.feed(entries, name="ONATC", site_url="https://office.example") == text
    assert parsed(ics.feed([], name="Zbrazët", site_url="")).method.value == "PUBLISH"


# A real server and a real client


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Radicale on a free port, open to everybody, on a folder of its own."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    folder = tmp_path_factory.mktemp("radicale")
    process = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", "", f"--server-hosts=127.0.0.1:{port}",
         f"--storage-filesystem-folder={folder}", "--auth-type=none", "--rights-type=authenticated"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: answers(port), "the calendar server answers", 60)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def shelf(server):
    """An empty calendar on the server, by the client."""
    with caldav.DAVClient(url=server, username="reader", password="any") as client:
        yield client.principal().make_calendar(name=f"calls {uuid.uuid4().hex}")


def put(shelf, text: str) -> None:
    """As a calendar program does that takes in what an organiser sends: the sequence is the organiser's."""
    address = shelf.url.join("call.ics")
    assert (
        shelf.client.put(str(address), without_method(text), {"Content-Type": "text/calendar; charset=utf-8"}).status
        < 300
    )


def without_method(text: str) -> str:
    """As a calendar program stores it (RFC 4791, 4.1: no METHOD in what is stored)."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("METHOD:"))


@pytest.mark.parametrize("when", TIMES)
def test_a_calendar_server_takes_it_and_a_client_reads_the_same(called, shelf, when):
    called.starts_at, called.ends_at = TIMES[when]
    shelf.save_event(without_method(made(called)))
    (found,) = shelf.search(
        start=called.starts_at - timedelta(hours=1), end=called.ends_at + timedelta(hours=1), event=True
    )
    event = found.icalendar_component
    assert (
        event["dtstart"].dt.astimezone(UTC) == called.starts_at and event["dtend"].dt.astimezone(UTC) == called.ends_at
    )
    assert event["summary"] == called.title_sq and called.note.split("\n")[0] in event["description"]
    assert (
        shelf.search(start=called.ends_at + timedelta(hours=1), end=called.ends_at + timedelta(days=2), event=True)
        == []
    )


def test_on_a_server_an_update_takes_the_place_of_the_call_and_a_cancellation_of_both(called, shelf):
    put(shelf, made(called))
    called.starts_at, called.ends_at = called.starts_at + timedelta(days=1), called.ends_at + timedelta(days=1)
    put(shelf, made(called, sequence=1))
    (found,) = shelf.events()
    assert found.icalendar_component["sequence"] == 1
    assert found.icalendar_component["dtstart"].dt.astimezone(UTC) == called.starts_at.astimezone(UTC)
    put(shelf, made(called, method="CANCEL"))
    (found,) = shelf.events()
    assert found.icalendar_component["status"] == "CANCELLED" and found.icalendar_component["sequence"] == 2


# What comes back


def reply(called, *, address="arta.bytyqi@example.org", answer="ACCEPTED", sequence=0, method="REPLY", uid="", extra="", comment="") -> bytes:  # fmt: skip
    """As calendar programs write it."""
    comment = f"COMMENT:{comment}\r\n" if comment else ""
    return (
        f"BEGIN:VCALENDAR\r\nPRODID:-//Other//EN\r\nVERSION:2.0\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid or ics.uid_of(called)}\r\nSEQUENCE:{sequence}\r\nDTSTAMP:20260101T000000Z\r\n{extra}"
        f"ATTENDEE;PARTSTAT={answer};CN=Arta:MAILTO:{address}\r\n{comment}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def test_an_answer_of_a_calendar_program_is_read(called):
    found = ics.reply_in(b"\xef\xbb\xbf" + reply(called, answer="declined", comment="Jam jashtë\\, me ë.\\nRreshti"))
    assert (found.meeting_id, found.address, found.answer) == (called.pk, "arta.bytyqi@example.org", Answer.NO)
    assert found.note == "Jam jashtë, me ë. Rreshti"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda called: b"", "not a file of a calendar program"),
        (lambda called: b"\x89PNG\r\n\x1a\n", "not a file of a calendar program"),
        (lambda called: b"MZ" + reply(called), "not a file of a calendar program"),
        (lambda called: reply(called) + b" " * 70_000, "too large"),
        (lambda called: reply(called, method="REQUEST"), "its method is not REPLY"),
        (lambda called: reply(called, answer="NEEDS-ACTION"), "does not say whether"),
        (lambda called: reply(called, answer="DELEGATED"), "does not say whether"),
        (lambda called: reply(called, uid="somebody@elsewhere"), "not called from here"),
        (lambda called: reply(called, uid="meeting-" + "-" * 36 + "@onatc"), "not called from here"),
        (lambda called: reply(called).replace(b"END:VEVENT\r\n", b"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\n"), "about one meeting"),
        (lambda called: reply(called, extra="ATTENDEE;PARTSTAT=ACCEPTED:mailto:x@example.org\r\n"), "from one attendee"),
        (lambda called: b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 4000, ""),
        (lambda called: b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nDTSTART:nonsense\r\nEND:VEVENT\r\nEND:VCALENDAR", ""),
        (lambda called: b"BEGIN:VCALENDAR\r\n\xff\xfe\x00\r\nEND:VCALENDAR", ""),
        (lambda called: reply(called)[: len(reply(called)) // 2], ""),
        (lambda called: base64.b64encode(reply(called)), "not a file of a calendar program"),
    ],
)  # fmt: skip
def test_whatever_else_is_given_is_refused_with_a_sentence(called, spoil, sentence):
    with pytest.raises(Refused) as refusal:
        ics.reply_in(spoil(called))
    assert sentence in str(refusal.value) and str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    "odd", ["SEQUENCE:x", "SEQUENCE:" + "9" * 400, "DTSTART:20310610T100000", "COMMENT:a\r\nCOMMENT:b"]
)
def test_an_odd_line_does_no_harm(called, odd):
    try:
        assert ics.reply_in(reply(called, extra=odd + "\r\n")).answer == Answer.YES
    except Refused as refusal:
        assert str(refusal).endswith(".")


def test_the_office_s_zone_is_the_one_of_the_application():
    assert settings.TIME_ZONE == ics.ZONE == str(timezone.get_default_timezone())
