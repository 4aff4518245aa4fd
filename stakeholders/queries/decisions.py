"""Questions about decisions and action points: what somebody has to do, how a point stood on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, F, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.registers import standing_in
from onatc.texts import SortKey
from stakeholders.models import (
    ActionPoint,
    Body,
    Decision,
    DecisionState,
    DecisionWay,
    Meeting,
    PointState,
    PointStep,
    PointStepKind,
)

OVERDUE = "overdue"
# How a point stands: its state, where an open one whose day has passed is overdue.
STANDINGS = [
    (OVERDUE, _("overdue")),
    (PointState.OPEN.value, pgettext_lazy("action point", "open, in time")),
    (PointState.DONE.value, PointState.DONE.label),
    (PointState.DROPPED.value, PointState.DROPPED.label),
]
ENDS = {PointStepKind.CLOSED: PointState.DONE, PointStepKind.DROPPED: PointState.DROPPED}
DATES = (PointStepKind.MOVED, PointStepKind.REOPENED)


def stands(standing: str, on: date) -> Q:
    """The points that stand so on a day, asked by their fields, which have an index."""
    if standing == OVERDUE:
        return Q(state=PointState.OPEN, due_on__lt=on)
    return Q(state=standing, due_on__gte=on) if standing == PointState.OPEN else Q(state=standing)


def with_standing(points: QuerySet[ActionPoint], on: date | None = None) -> QuerySet[ActionPoint]:
    """Points with `standing`, one of STANDINGS, as of today, and `open_due`, by which those that wait come first."""
    is_overdue = stands(OVERDUE, on or timezone.localdate())
    return points.annotate(
        open_due=Case(When(state=PointState.OPEN, then="due_on")),
        standing=Case(When(is_overdue, then=Value(OVERDUE)), default="state", output_field=CharField()),
    )


def with_number(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """Decisions with `cited`, the number as words look for it: 3/2026."""
    return decisions.annotate(
        cited=Concat(Cast("number", CharField()), Value("/"), Cast("year", CharField()), output_field=CharField())
    )


def without_support(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """Decisions in force that the attendance of their meeting does not carry: it had no quorum, or more votes were cast than
    members with a vote were there."""
    cast = F("votes_for") + F("votes_against") + F("votes_abstained")
    no_quorum = Q(meeting__voting_present__lt=F("meeting__quorum_needed"))
    too_many = Q(way=DecisionWay.VOTE, cast__gt=F("meeting__voting_present"))
    return decisions.filter(state=DecisionState.IN_FORCE).annotate(cast=cast).filter(no_quorum | too_many)


def bodies_in(records: QuerySet[Any], path: str) -> list[tuple[Any, str]]:
    """The bodies to which visible records belong, by name: what a filter offers."""
    found = standing_in(records, path, Body.objects.all())
    return [(one.pk, str(one)) for one in found.order_by(SortKey("name"))]


def mine(user: Any) -> Q:
    """Points that this person answers for: of the institutions in which they hold a role, or given to themselves."""
    return Q(owner__in={one.institution_id for one in user.assignments}) | Q(person=user)


@dataclass(frozen=True)
class OwnPoints:
    """The open action points of a person: the first few by their due day, how many there are, where the list is."""

    rows: list[ActionPoint]
    open_count: int
    overdue_count: int
    url: str


def action_points_for(user: Any, limit: int = 8) -> OwnPoints:
    """What the home page shows: open points that the person answers for. Two queries, however many there are."""
    points = ActionPoint.objects.visible_to(user).open().filter(mine(user))
    counts = points.aggregate(all=Count("pk"), late=Count("pk", filter=Q(due_on__lt=timezone.localdate())))
    rows = list(points.select_related("owner", "decision", "meeting__body").order_by("due_on", "pk")[:limit])
    address = reverse("stakeholders:action-point-list") + "?whose=mine&due=open"
    return OwnPoints(rows, counts["all"], counts["late"], address)


@dataclass(frozen=True)
class Stood:
    """How a point stood at the end of a day: one of STANDINGS, its due day then, and when it ended."""

    standing: str
    due_on: date
    ended_on: date | None


def stood(point: ActionPoint, steps: Iterable[PointStep], on: date) -> Stood:
    """From its steps alone, so that a past day can be asked for: what was done or moved later counts as not yet done.

    `steps` are in their order. A day counts whole: what was recorded on it counts.
    """
    due_on, state, ended_on = point.first_due_on, PointState.OPEN, None
    for step in steps:
        day = timezone.localdate(step.at)
        if day > on:
            break
        if step.kind in DATES and step.due_on is not None:
            due_on = step.due_on
        if step.kind in ENDS:
            state, ended_on = ENDS[PointStepKind(step.kind)], day
        elif step.kind == PointStepKind.REOPENED:
            state, ended_on = PointState.OPEN, None
    standing = OVERDUE if state == PointState.OPEN and due_on < on else state.value
    return Stood(standing, due_on, ended_on)


@dataclass(frozen=True)
class Decided:
    """What a meeting decided: its decisions with their points, and the points that come from none."""

    decisions: Sequence[Decision]
    others: Sequence[ActionPoint]


def decided_at(meeting: Meeting, user: Any) -> Decided:
    """Three queries, however much was decided."""
    points = with_standing(ActionPoint.objects.visible_to(user)).select_related("owner").order_by("due_on", "pk")
    decisions = list(
        Decision.objects.visible_to(user)
        .filter(meeting=meeting)
        .select_related("item")
        .prefetch_related(Prefetch("action_points", points, to_attr="points"))
        .order_by("year", "number")
    )
    seen = [one.pk for one in decisions]
    return Decided(decisions, list(points.filter(meeting=meeting).exclude(decision__in=seen).select_related("item")))


def reminder_days(due_on: date, until: date) -> list[date]:
    """The days on which a point that is still open is recalled: a week before, on the day after its due day, then every two
    weeks. Those up to `until`."""
    days, day = [due_on - timedelta(days=7)], due_on + timedelta(days=1)
    while day <= until:
        days.append(day)
        day += timedelta(days=14)
    return [one for one in days if one <= until]


def occasion_on(due_on: date, since: date, day: date) -> date | None:
    """The newest day of a reminder that is not older than six days. A point that was made, given, moved or opened again on
    `since` is recalled from the day after at the earliest: nobody is reminded twice for it, nor before they know of it."""
    passed = reminder_days(due_on, day)
    if not passed or since >= day:
        return None
    newest = max(passed[-1], since + timedelta(days=1))
    return newest if day - newest <= timedelta(days=6) else None
