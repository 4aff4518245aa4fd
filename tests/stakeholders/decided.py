"""Bodies, meetings that were held, decisions and action points as the actions make them; tests say only what matters."""

from __future__ import annotations

import threading
import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stakeholders.actions import decisions
from stakeholders.models import ActionPoint, AgendaItem, Attendee, Body, Contact, Decision, Institution, Meeting, User


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def a_body(code: str = "na", **values: Any) -> Body:
    fields = {"name_sq": "Autoriteti Kombëtar", "name_en": "National Authority", "kind": "authority"}
    return Body.objects.get_or_create(code=code, defaults={"founded_on": date(2014, 1, 1)} | fields | values)[0]


def at(day: date, hour: int = 10) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


def a_meeting(
    by: User, *, on: date | None = None, body: Body | None = None, called: str = "", **values: Any
) -> Meeting:
    """Held, of the National Authority unless told; `called` is the code of an institution that was called to it."""
    on = on or days_ago(20)
    fields: dict[str, Any] = {
        "title_sq": "Takimi i Autoritetit Kombëtar", "title_en": "Meeting of the National Authority",
        "starts_at": at(on), "ends_at": at(on, 12), "state": "held", "called_at": at(on), "held_at": at(on, 12),
        "quorum_needed": 7, "voting_members": 13, "voting_present": 9, "minutes_state": "draft",
    }  # fmt: skip
    meeting = Meeting.objects.create(body=body or a_body(), created_by=by, **fields | values)
    if called:
        contact = Contact.objects.create(full_name="Anëtari")
        Attendee.objects.create(meeting=meeting, contact=contact, institution=institution(called))
    return meeting


def a_draft(by: User, *, days: int = 10, body: Body | None = None) -> Meeting:
    """A meeting of the body to come, still being prepared."""
    on = days_ago(-days)
    return Meeting.objects.create(
        body=body or a_body(), created_by=by, title_sq="Takimi i ardhshëm", starts_at=at(on), ends_at=at(on, 12)
    )


def an_item(meeting: Meeting, position: int = 1, **values: Any) -> AgendaItem:
    return AgendaItem.objects.create(meeting=meeting, position=position, **{"title_sq": "Raportimi"} | values)


def a_decision(meeting: Meeting, by: User, **values: Any) -> Decision:
    fields = {
        "decided_on": meeting.day,
        "text_sq": "Raportohet çdo tremujor.",
        "text_en": "Report each quarter.",
        "way": "consensus",
    }
    return decisions.record_decision(uuid.uuid4(), meeting, fields | values, by=by)


def a_point(meeting: Meeting, by: User, *, owner: str = "KP-THB", due: int = -30, **values: Any) -> ActionPoint:
    """Due `due` days ago: below zero in days to come. What was due before today is put there past its own rule on
    working days, so that tests count whole days."""
    fields = {"title_sq": "Të hartohet lista e treguesve", "title_en": "Draw up the list of indicators"}
    values = {"owner": institution(owner), "due_on": days_ago(due)} | fields | values
    point = decisions.make_point(uuid.uuid4(), meeting, values, by=by)
    ActionPoint.objects.filter(pk=point.pk).update(due_on=days_ago(due), first_due_on=days_ago(due))
    point.refresh_from_db()
    return point


def at_once(*acts: Any) -> list[Any]:
    """Each in a thread with a connection of its own; what it raised, by its place."""
    results: list[Any]
    results, barrier = [None] * len(acts), threading.Barrier(len(acts))

    def run(place: int, act: Any) -> None:
        try:
            barrier.wait(10)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def cost_of(client: Any, page: str) -> int:
    """The queries of a page that was opened before. Whether there is maintenance is looked up by the clock, and not counted."""
    client.get(page)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200
    return sum("onatc_maintenance" not in one["sql"] for one in queries)
