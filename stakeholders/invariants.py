"""What must always be true of meetings, decisions, action points and circulars (onatc.operation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Exists, F, Max, Model, OuterRef, Q, QuerySet, Subquery

from onatc.operation import invariant
from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    BodyMember,
    CircularRecipient,
    CircularState,
    Decision,
    Meeting,
    MinutesState,
    PointState,
    PointStep,
    PointStepKind,
)
from stakeholders.queries.decisions import without_support

TEXTS = ("sq", "sr", "en")
ENDS = {PointState.DONE: PointStepKind.CLOSED, PointState.DROPPED: PointStepKind.DROPPED}


def register() -> None:
    for rule in (
        decisions_are_numbered_one_by_one,
        adopted_minutes_are_as_adopted,
        points_end_by_a_step,
        attendance_is_within_the_seats,
        decisions_have_their_quorum,
        nobody_sits_twice,
        circulars_went_to_each_once,
    ):
        invariant(rule)


def decisions_are_numbered_one_by_one() -> Iterator[str]:
    """The decisions of a body in a year are 1, 2, 3 …: none is missing and none is there twice."""
    series = Decision.objects.order_by("body", "year").values("body", "year")
    for one in series.annotate(last=Max("number"), count=Count("pk"), different=Count("number", distinct=True)):
        if not one["last"] == one["count"] == one["different"]:
            yield (
                f"decisions of body {one['body']} in {one['year']}: {one['count']} of them, numbered up to {one['last']}"
            )


def _changed_since(records: QuerySet[Any], adopted_at: str, field: str) -> Iterator[Any]:
    """Keys of records whose text is not what it was when the minutes were adopted, by the table of changes."""
    event: type[Model] = records.model.pgh_event_model
    then = event._default_manager.filter(pgh_obj_id=OuterRef("pk"), pgh_created_at__lte=OuterRef(adopted_at)).order_by(
        "-pgh_id"
    )
    names = [f"{field}_{column}" for column in TEXTS]
    differs = Q()
    for name in names:  # what was recorded with a day in the past has no change from before it
        differs |= Q(**{f"adopted_{name}__isnull": False}) & ~Q(**{name: F(f"adopted_{name}")})
    found = records.annotate(**{f"adopted_{name}": Subquery(then.values(name)[:1]) for name in names})
    return found.filter(differs).order_by().values_list("pk", flat=True).iterator()


def adopted_minutes_are_as_adopted() -> Iterator[str]:
    """What adopted minutes say, and the decisions in them, nobody wrote anew."""
    adopted = {"meeting__minutes_state": MinutesState.ADOPTED}
    for pk in _changed_since(AgendaItem.objects.filter(**adopted), "meeting__minutes_adopted_at", "minutes"):
        yield f"agenda item {pk}: its minutes are not what was adopted"
    for pk in _changed_since(Decision.objects.filter(**adopted), "meeting__minutes_adopted_at", "text"):
        yield f"decision {pk}: it is not what was adopted with the minutes"


def points_end_by_a_step() -> Iterator[str]:
    """An action point that is done or dropped has the step that says so."""
    for state, kind in ENDS.items():
        step = PointStep.objects.filter(point=OuterRef("pk"), kind=kind)
        wrong = ActionPoint.objects.filter(~Exists(step), state=state)
        for pk in wrong.order_by().values_list("pk", flat=True).iterator():
            yield f"action point {pk}: it is {state.value}, and no step says so"


def attendance_is_within_the_seats() -> Iterator[str]:
    """No more seats were taken at a meeting than there are."""
    wrong = Meeting.objects.filter(voting_present__gt=F("voting_members"))
    for pk in wrong.order_by().values_list("pk", flat=True).iterator():
        yield f"meeting {pk}: more members were present than sit in the body"


def decisions_have_their_quorum() -> Iterator[str]:
    """What is in force was decided with the quorum, and no more voted than members with a vote were there."""
    for pk in without_support(Decision.objects.all()).order_by().values_list("pk", flat=True).iterator():
        yield f"decision {pk}: the attendance of its meeting does not carry it"


def nobody_sits_twice() -> Iterator[str]:
    """A person has one seat in a body at a time."""
    other = BodyMember.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=OuterRef("starts_on")),
        body=OuterRef("body"),
        person=OuterRef("person"),
        starts_on__lte=OuterRef("starts_on"),
    ).exclude(pk=OuterRef("pk"))
    for pk in BodyMember.objects.filter(Exists(other)).order_by().values_list("pk", flat=True).iterator():
        yield f"seat {pk}: its person sits in the body already at that time"


def circulars_went_to_each_once() -> Iterator[str]:
    """Of a circular that was sent, each recipient was mailed or is known to have no address; each key opens one."""
    to = CircularRecipient.objects.filter(circular__state=CircularState.SENT)
    missed = to.filter(mailed_at__isnull=True, has_no_address=False, contact__removed_at__isnull=True)
    for pk in missed.order_by().values_list("pk", flat=True).iterator():
        yield f"recipient {pk}: the circular is sent, and nothing went to them"
    doubled = CircularRecipient.objects.exclude(key_hash="").order_by("key_hash").values("key_hash")
    if doubled.annotate(count=Count("pk")).filter(count__gt=1).exists():
        yield "recipients of circulars: two of them share a key"
