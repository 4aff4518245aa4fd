"""Meetings and what else has a day as iCalendar objects (RFC 5545), and what calendar programs send back (RFC 5546).

A meeting keeps its UID for good; its SEQUENCE is that of its calls, by which a calendar puts a later one in the place of an
earlier one. Moments are written by the clock of the office, with the rules of the zone beside them, since not every program
knows the name. An invitation names its reader alone as attendee: who else was called is nobody's business but the office's.
Titles name no person.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, gettext
from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vText

from onatc.dated_settings import SettingName, setting
from onatc.errors import Refused
from onatc.texts import choose, column_of
from stakeholders.calendar import Entry
from stakeholders.models import Answer, Attendee, AttendeeRole, Meeting

ZONE = "Europe/Belgrade"
OFFICE = ZoneInfo(ZONE)
PRODUCT = "-//ONATC//Calendar//EN"
HOST = "onatc"
PARTSTAT = {
    Answer.NONE: "NEEDS-ACTION",
    Answer.YES: "ACCEPTED",
    Answer.NO: "DECLINED",
    Answer.MAYBE: "TENTATIVE",
}
ANSWERS = {code: answer for answer, code in PARTSTAT.items() if answer != Answer.NONE}
MAX_REPLY_BYTES = 64 * 1024
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def office_address() -> str:
    """Where calls come from, and where calendar programs send their answers."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def uid_of(meeting: Meeting) -> str:
    return f"meeting-{meeting.pk}@{HOST}"


def invitation(meeting: Meeting, attendee: Attendee, address: str, *, answer_url: str, url: str) -> str:
    """The call of a meeting to one attendee, in the active language; with the method REQUEST."""
    event = _event(meeting, attendee, address, url=url, sequence=meeting.sequence)
    event.add("status", "CONFIRMED")
    event.add("description", _text(_description(meeting, answer_url)))
    return _calendar("REQUEST", [event])


def cancellation(meeting: Meeting, attendee: Attendee, address: str, *, url: str) -> str:
    """That a meeting does not take place, to one attendee, in the active language; with the method CANCEL, and a sequence
    above that of the last call (RFC 5546, 3.2.5)."""
    event = _event(meeting, attendee, address, url=url, sequence=meeting.sequence + 1)
    event.add("status", "CANCELLED")
    event.add("description", _text(meeting.cancel_reason))
    return _calendar("CANCEL", [event])


def _event(meeting: Meeting, attendee: Attendee, address: str, *, url: str, sequence: int) -> Event:
    event = Event()
    event.add("uid", uid_of(meeting))
    event.add("sequence", sequence)
    event.add("dtstamp", timezone.now())
    event.add("dtstart", meeting.starts_at.astimezone(OFFICE))
    event.add("dtend", meeting.ends_at.astimezone(OFFICE))
    event.add("summary", _text(meeting.title))
    if place := meeting.place or meeting.link:
        event.add("location", _text(place))
    if url:
        event.add("url", url)
    organizer = vCalAddress(f"mailto:{office_address()}")
    name = setting(SettingName.OFFICE_NAME, timezone.localdate())
    organizer.params["CN"] = vText(_parameter(str(choose(name, column_of(get_language())))))
    event.add("organizer", organizer)
    reader = vCalAddress(f"mailto:{address}")
    reader.params["CUTYPE"] = vText("INDIVIDUAL")
    reader.params["ROLE"] = vText("OPT-PARTICIPANT" if attendee.role == AttendeeRole.GUEST else "REQ-PARTICIPANT")
    reader.params["PARTSTAT"] = vText(PARTSTAT[Answer(attendee.answer)])
    reader.params["RSVP"] = vText("TRUE")
    event.add("attendee", reader)
    return event


def _description(meeting: Meeting, answer_url: str) -> str:
    lines = [meeting.note] if meeting.note else []
    if meeting.link:
        lines.append(gettext("To join: %(link)s") % {"link": meeting.link})
    lines.append(gettext("To answer without signing in: %(link)s") % {"link": answer_url})
    return "\n\n".join(lines)


def _text(text: Any) -> str:
    """What somebody typed, with newlines as the standard has them and without other control signs (threats.md T24)."""
    return CONTROL.sub("", str(text).replace("\r\n", "\n").replace("\r", "\n"))


def _parameter(text: str) -> str:
    """A text as the value of a parameter, which can hold neither quotation marks nor control signs."""
    return re.sub(r"[\x00-\x1f\x7f\"]", "", text)


def _calendar(method: str, events: Iterable[Event], *, name: str = "") -> str:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", _text(name))
        calendar.add("x-wr-timezone", ZONE)
        calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT1H")
    calendar.add_component(_zone())
    for event in events:
        calendar.add_component(event)
    return calendar.to_ical().decode()


def _zone() -> Timezone:
    """Central European Time as it is kept since 1996, by the two rules that every program understands."""
    zone = Timezone()
    zone.add("tzid", ZONE)
    for part, name, month, hour, offsets in (
        (TimezoneDaylight(), "CEST", 3, 2, (1, 2)),
        (TimezoneStandard(), "CET", 10, 3, (2, 1)),
    ):
        part.add("tzname", name)
        part.add("dtstart", datetime(1996, month, 31 if month == 3 else 27, hour))  # noqa: DTZ001  # local by definition
        part.add("tzoffsetfrom", timedelta(hours=offsets[0]))
        part.add("tzoffsetto", timedelta(hours=offsets[1]))
        part.add("rrule", {"freq": "yearly", "bymonth": month, "byday": "-1su"})
        zone.add_component(part)
    return zone


def feed(entries: Iterable[Entry], *, name: str, site_url: str) -> str:
    """What somebody may see, to be read by a calendar program; with the method PUBLISH.

    Equal entries give equal bytes: the stamp is that of the day, not of the reading.
    """
    stamp = timezone.make_aware(datetime.combine(timezone.localdate(), time.min))
    return _calendar("PUBLISH", [_published(entry, stamp, site_url) for entry in entries], name=name)


def _published(entry: Entry, stamp: datetime, site_url: str) -> Event:
    event = Event()
    event.add("uid", f"{entry.key}@{HOST}")
    event.add("dtstamp", stamp)
    if entry.starts_at is not None and entry.ends_at is not None:
        event.add("dtstart", entry.starts_at.astimezone(OFFICE))
        event.add("dtend", entry.ends_at.astimezone(OFFICE))
    else:
        event.add("dtstart", entry.starts_on)
        event.add("dtend", entry.ends_on + timedelta(days=1))  # the day after the last one
        event.add("transp", "TRANSPARENT")
    event.add("summary", _text(entry.title))
    if entry.place:
        event.add("location", _text(entry.place))
    if entry.url:
        event.add("url", site_url + entry.url)
    event.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
    return event


# What comes back


@dataclass(frozen=True)
class Reply:
    """One attendee's answer, as a calendar program sent it."""

    meeting_id: uuid.UUID
    sequence: int
    starts_at: datetime | None  # where the program repeats when the meeting is
    address: str
    answer: Answer
    note: str


def reply_in(raw: bytes) -> Reply:
    """The answer that an .ics file holds. Raises Refused, with a sentence, for everything else."""
    if len(raw) > MAX_REPLY_BYTES:
        raise Refused(gettext("This file is too large for an answer from a calendar."))
    if not raw.lstrip(b"\xef\xbb\xbf \r\n\t").upper().startswith(b"BEGIN:VCALENDAR"):
        raise Refused(gettext("This is not a file of a calendar program."))
    try:
        calendar = Calendar.from_ical(raw.lstrip(b"\xef\xbb\xbf"))
        events = calendar.walk("VEVENT")
        method = str(calendar.get("method", "")).upper()
    except Exception as error:  # a parser meets whatever somebody made up
        raise Refused(gettext("This file of a calendar program cannot be read.")) from error
    if method != "REPLY":
        raise Refused(gettext("This file is not an answer to a call: its method is not REPLY."))
    if len(events) != 1:
        raise Refused(gettext("An answer is about one meeting; this file is not."))
    return _reply(events[0])


def _reply(event: Any) -> Reply:
    number = re.fullmatch(rf"meeting-([0-9a-f-]{{36}})@{HOST}", str(event.get("uid", "")).strip().lower())
    try:
        meeting_id = uuid.UUID(number[1]) if number else None
    except ValueError:
        meeting_id = None
    if meeting_id is None:
        raise Refused(gettext("This answer is about a meeting that was not called from here."))
    attendees = event.get("attendee")
    if isinstance(attendees, list) or attendees is None:
        raise Refused(gettext("An answer comes from one attendee; this file does not say from whom."))
    address = re.sub(r"^mailto:", "", str(attendees).strip(), flags=re.I).lower()
    answer = ANSWERS.get(str(attendees.params.get("PARTSTAT", "")).upper())
    if answer is None:
        raise Refused(gettext("This file does not say whether somebody comes."))
    try:
        sequence = int(event.get("sequence", 0))
    except (TypeError, ValueError):
        sequence = 0
    begin = getattr(event.get("dtstart"), "dt", None)
    starts_at = begin if isinstance(begin, datetime) and begin.tzinfo is not None else None
    comment = event.get("comment", "")
    note = _text(comment[0] if isinstance(comment, list) and comment else comment)
    return Reply(meeting_id, sequence, starts_at, address, answer, " ".join(note.split())[:300])
