"""The minutes of a meeting on paper: attendance, quorum, points, decisions and action points, in one language.

`data_of` is plain JSON in all languages; the same data gives the same bytes (`onatc.documents`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import Any

from django.db.models import prefetch_related_objects
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from onatc import documents
from onatc.dated_settings import SettingName, logo_bytes, setting
from onatc.texts import COLUMNS, DJANGO_CODES, HTML_CODES, Text, choose, column_of
from stakeholders.meeting_rules import duration, when
from stakeholders.models import AttendeeRole, DecisionWay, Meeting, Sex
from stakeholders.queries.meetings import in_order


def _texts(record: Any, name: str) -> dict[str, str]:
    return {column: getattr(record, f"{name}_{column}") for column in COLUMNS}


def _names(record: Any) -> dict[str, str] | None:
    return None if record is None else _texts(record, "name")


def data_of(meeting: Meeting) -> dict[str, Any]:
    """All that the pages show. The office's name and mark, and the names of institutions, are those of the day of the
    meeting."""
    day = meeting.day
    people = in_order(meeting.attendees.all(), meeting)
    points = list(meeting.action_points.select_related("owner").order_by("due_on", "pk"))
    named = [one.institution for one in people if one.institution is not None] + [one.owner for one in points]
    prefetch_related_objects(named, "former_names")
    decisions = list(meeting.decisions.order_by("year", "number"))
    adopted_in = meeting.minutes_adopted_in
    return {
        "office": {"name": setting(SettingName.OFFICE_NAME, day), "logo": setting(SettingName.LOGO, day)},
        "title": _texts(meeting, "title"),
        "body": _names(meeting.body),
        "number": meeting.number,
        "starts_at": meeting.starts_at.isoformat(),
        "ends_at": meeting.ends_at.isoformat(),
        "place": meeting.place,
        "chair": str(meeting.chair) if meeting.chair is not None else "",
        "state": meeting.minutes_state,
        "adopted_on": timezone.localtime(meeting.minutes_adopted_at).date().isoformat()
        if meeting.minutes_adopted_at
        else "",
        "adopted_in": [adopted_in.starts_at.isoformat(), adopted_in.ends_at.isoformat()] if adopted_in else None,
        "quorum": [meeting.quorum_needed, meeting.voting_members, meeting.voting_present],
        "people": [
            {
                "name": str(one),
                "institution": _names(one.institution and one.institution.named_on(day)),
                "role": one.role,
                "sex": one.sex,
                "present": one.was_present,
                "stands_for": str(one.seat.person)
                if one.role == AttendeeRole.DEPUTY and one.seat is not None and one.seat.person is not None
                else "",
            }
            for one in people
        ],
        "items": [
            {
                "key": str(one.pk),
                "title": _texts(one, "title"),
                "minutes": _texts(one, "minutes"),
                "kind": one.kind,
                "decisions": [_decision(decision) for decision in decisions if decision.item_id == one.pk],
                "points": [_point(point, day) for point in points if point.item_id == one.pk],
            }
            for one in meeting.items.all()
        ],
        "decisions": [_decision(decision) for decision in decisions if decision.item_id is None],
        "points": [_point(point, day) for point in points if point.item_id is None],
    }


def _decision(decision: Any) -> dict[str, Any]:
    return {
        "label": decision.label,
        "text": _texts(decision, "text"),
        "basis": decision.basis,
        "way": decision.way,
        "votes": [decision.votes_for, decision.votes_against, decision.votes_abstained],
    }


def _point(point: Any, day: date) -> dict[str, Any]:
    """As it was given: what became of it since is no part of the minutes."""
    return {
        "title": _texts(point, "title"),
        "owner": _names(point.owner.named_on(day)),
        "due_on": point.first_due_on.isoformat(),
    }


def stamp_of(data: dict[str, Any]) -> str:
    """SHA-256 of what the pages are made from."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def pdf(data: dict[str, Any], language: str) -> tuple[bytes, int]:
    """The minutes as PDF/UA in a language, and the number of pages."""
    stamp, made = stamp_of(data), html(data, language)
    with override(DJANGO_CODES[column_of(language)]):
        return documents.pdf(made, fingerprint=f"{stamp}:{language}", logo=logo_bytes(data["office"]["logo"]))


def html(data: dict[str, Any], language: str) -> str:
    column = column_of(language)
    with override(DJANGO_CODES[column]):
        return render_to_string("stakeholders/minutes_document.html", _context(data, column))


def shown(data: dict[str, Any], language: str) -> dict[str, Any]:
    """The same for a page, in a language."""
    return _context(data, column_of(language))


def _context(data: dict[str, Any], column: str) -> dict[str, Any]:
    def text(texts: dict[str, str] | None) -> Text | str:
        return choose(texts, column) if texts else ""

    def decision(one: dict[str, Any]) -> dict[str, Any]:
        return one | {"text": text(one["text"]), "way": DecisionWay(one["way"]).label, "is_vote": one["way"] == "vote"}

    def point(one: dict[str, Any]) -> dict[str, Any]:
        return {"title": text(one["title"]), "owner": text(one["owner"]), "due_on": date.fromisoformat(one["due_on"])}

    starts_at, ends_at = (datetime.fromisoformat(data[name]) for name in ("starts_at", "ends_at"))
    needed, members, present = data["quorum"]
    there = [one for one in data["people"] if one["present"]]
    sexes = [sex for sex in Sex if any(one["sex"] == sex for one in there)]
    return {
        "language": HTML_CODES[column],
        "stamp": stamp_of(data),
        "office": {"name": text(data["office"]["name"]), "logo": bool(data["office"]["logo"])},
        "title": text(data["title"]),
        "body": text(data["body"]),
        "number": data["number"],
        "day": timezone.localtime(starts_at).date(),
        "when": when(starts_at, ends_at),
        "duration": duration(starts_at, ends_at),
        "place": data["place"],
        "chair": data["chair"],
        "is_adopted": data["state"] == "adopted",
        "adopted_on": date.fromisoformat(data["adopted_on"]) if data["adopted_on"] else None,
        "adopted_in": when(*(datetime.fromisoformat(one) for one in data["adopted_in"])) if data["adopted_in"] else "",
        "quorum": {
            "needed": needed,
            "members": members,
            "present": present,
            "is_there": (present or 0) >= (needed or 0),
        }
        if needed is not None
        else None,
        "people": [
            one | {"institution": text(one["institution"]), "role": AttendeeRole(one["role"]).label} for one in there
        ],
        "absent": [
            one | {"institution": text(one["institution"])}
            for one in data["people"]
            if not one["present"] and one["role"] == AttendeeRole.MEMBER
        ],
        "sexes": [sex.label for sex in sexes],
        "counts": [
            (role.label, [sum(1 for one in mine if one["sex"] == sex) for sex in sexes], len(mine))
            for role in AttendeeRole
            if (mine := [one for one in there if one["role"] == role])
        ],
        "total": ([sum(1 for one in there if one["sex"] == sex) for sex in sexes], len(there)),
        "items": [
            one
            | {
                "title": text(one["title"]),
                "minutes": text(one["minutes"]),
                "decisions": [decision(each) for each in one["decisions"]],
                "points": [point(each) for each in one["points"]],
            }
            for one in data["items"]
        ],
        "decisions": [decision(each) for each in data["decisions"]],
        "points": [point(each) for each in data["points"]],
    }
