"""The agenda of a meeting: its points in their order, and the open points that the keeper takes up."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from onatc.errors import Refused, require
from stakeholders import access, agenda
from stakeholders.actions.meetings import locked_meeting
from stakeholders.actions.records import locked, save, set_fields
from stakeholders.models import AgendaItem, AgendaKind, Meeting, MeetingState, MinutesState, User
from stakeholders.queries.meetings import before

OFFERED = 50  # of each source


def _open(meeting: Meeting, by: User) -> Meeting:
    """The locked meeting, whose agenda may still change: also while it is held, for what comes up there."""
    meeting = locked_meeting(meeting)
    require(access.may_prepare_meeting(by, meeting))
    if meeting.state == MeetingState.CANCELLED:
        raise Refused(_("The meeting is cancelled."))
    if meeting.minutes_state == MinutesState.ADOPTED:
        raise Refused(_("The minutes of this meeting were adopted; nothing changes any more."))
    return meeting


def _append(meeting: Meeting, item: AgendaItem) -> AgendaItem:
    item.meeting = meeting
    item.position = (meeting.items.aggregate(last=Max("position"))["last"] or 0) + 1
    return save(item, is_new=True)


@transaction.atomic
def add_item(meeting: Meeting, key: uuid.UUID, values: dict[str, Any], *, by: User) -> AgendaItem:
    """A point at the end of the agenda; a form sent twice adds one."""
    meeting = _open(meeting, by)
    existing = AgendaItem.objects.filter(pk=key, meeting=meeting).first()
    if existing is not None:
        return existing
    return _append(meeting, _checked(meeting, AgendaItem(pk=key, **values)))


def _checked(meeting: Meeting, item: AgendaItem) -> AgendaItem:
    """Adoption of minutes names the minutes of an earlier meeting of the same circle; nothing else does."""
    if item.kind != AgendaKind.MINUTES:
        item.minutes_of = None
    elif item.minutes_of_id is None:
        raise Refused(_("Say which meeting's minutes are to be adopted."))
    elif not before(meeting).filter(pk=item.minutes_of_id).exists():
        raise Refused(_("Only minutes of an earlier meeting of the same body or series are adopted here."))
    return item


@transaction.atomic
def change_item(item: AgendaItem, values: dict[str, Any], *, by: User, revision: int) -> AgendaItem:
    meeting = _open(item.meeting, by)
    item = locked(item)
    set_fields(item, values, revision)
    return save(_checked(meeting, item))


@transaction.atomic
def remove_item(item: AgendaItem, *, by: User) -> Meeting:
    """Removed twice is removed once. What was minuted, decided or remarked on stays."""
    meeting = _open(item.meeting, by)
    found = AgendaItem.objects.filter(pk=item.pk).first()
    if found is None:
        return meeting
    if found.minutes_sq or found.minutes_sr or found.minutes_en:
        raise Refused(_("The minutes say something on this point; it stays on the agenda."))
    if found.decisions.exists() or found.action_points.exists() or found.comments.exists():
        raise Refused(_("Something was decided or remarked on this point; it stays on the agenda."))
    found.delete()
    _number(list(meeting.items.all()))
    return meeting


def _number(items: list[AgendaItem]) -> None:
    for position, one in enumerate(items, 1):
        if one.position != position:
            one.position = position
            one.save(update_fields=["position"])


@transaction.atomic
def move_item(item: AgendaItem, *, by: User, up: bool) -> Meeting:
    """One place up or down; the first stays first and the last stays last."""
    meeting = _open(item.meeting, by)
    items = list(meeting.items.all())
    place = next((number for number, one in enumerate(items) if one.pk == item.pk), None)
    other = None if place is None else place + (-1 if up else 1)
    if place is not None and other is not None and 0 <= other < len(items):
        items[place], items[other] = items[other], items[place]
    _number(items)
    return meeting


def source_of(kind: agenda.Source, point: agenda.OpenPoint) -> str:
    """What stands in `AgendaItem.source`, so that one open point is on one agenda once."""
    return f"{kind.key}:{point.key}"


@transaction.atomic
def take_up(meeting: Meeting, wanted: set[str], *, by: User) -> int:
    """Put the open points whose `source_of` is wanted on the agenda, in the order in which they are offered; what is there
    already stays once. What does not wait any more is left out. Gives how many were added."""
    meeting = _open(meeting, by)
    there = set(meeting.items.exclude(source="").values_list("source", flat=True))
    added = 0
    for kind in agenda.known():
        if not any(one.startswith(f"{kind.key}:") for one in wanted):
            continue
        for point in kind.points(meeting, by, OFFERED):
            source = source_of(kind, point)
            if source not in wanted or source in there:
                continue
            there.add(source)
            titles = {f"title_{column}": text[:300] for column, text in point.title.items()}
            item = AgendaItem(kind=point.kind, source=source, source_url=point.url, **titles)
            if point.kind == AgendaKind.MINUTES:
                item.minutes_of = Meeting.objects.get(pk=point.key)
            _append(meeting, item)
            added += 1
    return added
