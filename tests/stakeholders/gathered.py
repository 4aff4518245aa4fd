"""Meetings, decisions, action points and what else stands between institutions, as rows; tests say what matters to them.

By rows and not by the office's acts: what is asked of them here is read, counted and found, whatever act they came from.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    Attendee,
    Body,
    Contact,
    Decision,
    Institution,
    Meeting,
    MeetingSeries,
    PointStep,
    User,
)


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def day(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def moment(days: int, hour: int = 10) -> datetime:
    return timezone.make_aware(datetime.combine(day(days), time(hour)))


def a_body(code: str = "NA", **values: Any) -> Body:
    fields: dict[str, Any] = {"name_sq": "Autoriteti", "kind": "authority", "founded_on": day(-3_000)}
    return Body.objects.create(code=code, **(fields | values))


def a_series(kind: str = "authority", **values: Any) -> MeetingSeries:
    return MeetingSeries.objects.create(kind=kind, **({"name_sq": f"Seria {kind}"} | values))


def a_meeting(by: User, days: int = -30, state: str = "held", **values: Any) -> Meeting:
    begins = moment(days)
    fields: dict[str, Any] = {
        "title_sq": "Mbledhja e rregullt", "starts_at": begins, "ends_at": begins + timedelta(hours=2), "state": state,
        "created_by": by,
    }  # fmt: skip
    if state in ("called", "held"):
        fields |= {"called_at": begins - timedelta(days=14), "called_by": by, "sequence": 1}
    if state == "cancelled":
        fields |= {"cancelled_at": begins, "cancel_reason": "Salla"}
    if state == "held":
        fields |= {"held_at": begins}
    return Meeting.objects.create(**(fields | values))


def an_attendee(meeting: Meeting, code: str = "KP-THB", user: User | None = None, **values: Any) -> Attendee:
    """Somebody of an institution; with `user`, the contact of that account, and of no institution unless told."""
    if user is not None:
        contact, _made = Contact.objects.get_or_create(user=user, defaults={"full_name": user.full_name})
        fields: dict[str, Any] = {"contact": contact}
    else:
        contact = Contact.objects.create(full_name="Dikush Tjetër")
        fields = {"contact": contact, "institution": institution(code)}
    return Attendee.objects.create(meeting=meeting, **(fields | values))


def an_item(meeting: Meeting, position: int = 1, **values: Any) -> AgendaItem:
    fields: dict[str, Any] = {"title_sq": "Një pikë e rendit", "position": position}
    return AgendaItem.objects.create(meeting=meeting, **(fields | values))


def a_decision(meeting: Meeting, by: User, number: int = 1, **values: Any) -> Decision:
    fields: dict[str, Any] = {
        "body": meeting.body, "year": meeting.day.year, "number": number, "decided_on": meeting.day,
        "text_sq": "Vendoset ndërtimi i strehimores", "created_by": by,
    }  # fmt: skip
    return Decision.objects.create(meeting=meeting, **(fields | values))


def a_point(meeting: Meeting, by: User, due: int = 10, owner: str = "KP-THB", **values: Any) -> ActionPoint:
    fields: dict[str, Any] = {
        "title_sq": "Të hartohet udhëzuesi", "owner": institution(owner), "due_on": day(due), "first_due_on": day(due),
        "created_by": by,
    }  # fmt: skip
    return ActionPoint.objects.create(meeting=meeting, **(fields | values))


def done(point: ActionPoint, by: User, days: int, state: str = "done") -> ActionPoint:
    point.state, point.closed_at, point.closed_by, point.outcome = state, moment(days), by, "U krye."
    point.save()
    kind = "closed" if state == "done" else "dropped"
    PointStep.objects.create(point=point, kind=kind, text="U krye.", by=by, at=moment(days))
    return point


def meetings_of_each(by: User, *, called: list[User], local: User) -> None:
    """Meetings in each state with all that hangs on them, some of which each reader may not see: of an area, of a person
    called in their own name, of an institution, and of the office alone."""
    role = next(one for one in local.assignments if one.district_id or one.municipality_id)
    area = {"district_id": role.district_id, "municipality_id": role.municipality_id}
    bodies = [a_body("GATHERED-NA"), a_body("GATHERED-RC", kind="regional", name_sq="Komiteti rajonal", **area), None]
    for place, state in enumerate(["draft", "called", "held", "held", "cancelled"]):
        body = bodies[place % len(bodies)]
        minutes = {"minutes_state": "circulated", "circulated_at": moment(-3)} if place == 2 else {}
        meeting = a_meeting(by, days=-20 + place, state=state, body=body, **minutes)
        item = an_item(meeting, minutes_sq="U diskutua xhirafa e mbledhjes.")
        an_attendee(meeting, "MOH" if place % 2 else "KP-THB")
        if place in (1, 3):
            for person in called:
                an_attendee(meeting, user=person)
        decision = a_decision(meeting, by, number=place + 1, item=item)
        point = a_point(meeting, by, owner="MOJ" if place else "KP-THB", item=item, decision=decision)
        a_point(meeting, by, due=-5, owner="MOH")
        PointStep.objects.create(point=point, kind="progress", text="Filloi puna.", by=by)
