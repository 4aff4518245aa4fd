"""Bodies, people and meetings for tests, made as the office makes them."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from onatc.ids import new_id
from stakeholders.actions import agenda, meetings, minutes
from stakeholders.actions.meetings import Presence
from stakeholders.models import AgendaItem, Body, BodyMember, Contact, Institution, Meeting, User


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def at(days: int, hour: int = 10) -> datetime:
    """A moment so many days from today, by the office's clock."""
    day = timezone.localdate() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, time(hour)))


def a_body(code: str = "AUTHORITY", **fields: Any) -> Body:
    values: dict[str, Any] = {"name_sq": "Autoriteti Kombëtar", "kind": "authority", "founded_on": days_ago(2000)}
    return Body.objects.create(code=code, **(values | fields))


def a_contact(name: str, email: str = "", sex: str = "F", **fields: Any) -> Contact:
    return Contact.objects.create(full_name=name, email=email, sex=sex, **fields)


def a_seat(
    body: Body, code: str, person: Contact | None = None, deputy: Contact | None = None, **fields: Any
) -> BodyMember:
    values: dict[str, Any] = {"starts_on": days_ago(1000)}
    return BodyMember.objects.create(
        body=body, institution=institution(code), person=person, deputy=deputy, **(values | fields)
    )


def a_full_body(**fields: Any) -> Body:
    """Five seats: a chair, three members of whom one has a deputy, and a vacant one."""
    body = a_body(**fields)
    a_seat(body, "NATC", a_contact("Agim Kryesuesi", "chair@x.example", "M"), function="chair")
    a_seat(
        body, "KP-THB", a_contact("Besa Policia", "besa@x.example"), a_contact("Dren Zëvendësi", "dren@x.example", "M")
    )
    a_seat(body, "MOH", a_contact("Cene Shëndeti", "cene@x.example", "M"))
    a_seat(body, "MOJ", a_contact("Drita Drejtësia", ""))
    a_seat(body, "MFLT")
    return body


def a_meeting(by: User, body: Body | None = None, days: int = 20, **fields: Any) -> Meeting:
    values: dict[str, Any] = {
        "title_sq": "Mbledhja", "starts_at": at(days), "ends_at": at(days, 12), "body": body, "place": "Prishtinë",
    }  # fmt: skip
    return meetings.make_meeting(new_id(), values | fields, by=by)


def an_item(meeting: Meeting, by: User, title: str = "Pika e parë", **fields: Any) -> AgendaItem:
    return agenda.add_item(meeting, uuid.uuid4(), {"title_sq": title, "kind": "discussion", **fields}, by=by)


def a_called_meeting(by: User, body: Body | None = None, **fields: Any) -> Meeting:
    meeting = a_meeting(by, body, **fields)
    an_item(meeting, by)
    return meetings.call_meeting(meeting, by=by)


def a_held_meeting(
    by: User, body: Body | None = None, days: int = -1, absent: tuple[str, ...] = (), **fields: Any
) -> Meeting:
    """Held with every member there, but for those named; deputies stayed away."""
    meeting = a_meeting(by, body, days=days, **fields)
    an_item(meeting, by)
    people = {
        one.pk: Presence(one.role != "deputy" and str(one) not in absent)
        for one in meeting.attendees.select_related("contact")
    }
    return meetings.record_attendance(meeting, people, by=by, revision=meeting.revision)


def written(item: AgendaItem, by: User, text: str = "U diskutua.") -> AgendaItem:
    texts = {"minutes_sq": text, "minutes_sr": "", "minutes_en": ""}
    item = AgendaItem.objects.select_related("meeting").get(pk=item.pk)
    return minutes.save_minutes(item, texts, revision=item.revision, by=by)


def circulated(meeting: Meeting, by: User) -> Meeting:
    for item in meeting.items.all():
        written(item, by)
    return minutes.circulate(meeting, comments_until=days_ago(-7), by=by)
