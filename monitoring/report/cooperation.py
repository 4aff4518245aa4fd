"""What was decided and what came of it: the part of a report that is about meetings, as plain JSON and for its pages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from onatc.periods import Period
from onatc.texts import COLUMNS, HTML_CODES, Text, choose, column_of
from stakeholders.models import (
    ActionPoint,
    Body,
    Decision,
    DecisionState,
    DecisionWay,
    Institution,
    Meeting,
    PointState,
    PointStep,
    PointStepKind,
)
from stakeholders.queries.decisions import OVERDUE, STANDINGS, stood
from strategy.models import Measure, Plan, PlanKind, PlanVersion, PointMeasure

Names = Callable[[Institution], dict[str, str]]
WORDED = (PointStepKind.CLOSED, PointStepKind.DROPPED)


def collect(plan: Plan, version: PlanVersion, period: Period, as_of: date, names: Names) -> dict[str, Any]:
    """Decisions of the period with their action points; points without a decision that were agreed in it; earlier points that
    ended in it or are overdue. `counts` are of the period up to `as_of`: decisions taken, points agreed, done and dropped in
    it, and at its end open (overdue included) and overdue. `ids` are all that is named, so that a record finds its reports.

    A past day is told as it was: what was done or moved later counts as not yet done. A national plan's report speaks of
    all bodies, a local plan's of those of its area.
    """
    bodies = _bodies(plan)
    decisions = list(
        Decision.objects.filter(bodies, decided_on__range=(period.start, as_of))
        .select_related("body", "ended_by")
        .order_by("decided_on", "body__code", "year", "number")
    )
    agreed: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    others: list[dict[str, Any]] = []
    earlier: list[dict[str, Any]] = []
    counts: Counter[str] = Counter(decisions=len(decisions))
    codes = _measure_codes(version)
    shown = {one.pk for one in decisions}
    for point in _points(bodies, period, as_of):
        row = _point(point, as_of, names, codes)
        is_agreed = point.meeting.day >= period.start
        ended = date.fromisoformat(row["ended_on"]) if row["ended_on"] else None
        if ended is not None and ended < period.start:
            continue
        is_open = ended is None
        counts.update(["agreed"] * is_agreed + ["open"] * is_open)
        if row["standing"] != PointState.OPEN:
            counts[row["standing"]] += 1
        if point.decision_id in shown:
            agreed[point.decision_id].append(row)
        elif is_agreed:
            others.append(row)
        elif row["standing"] != PointState.OPEN:
            earlier.append(row)
    rows = [_decision(one, as_of) | {"points": agreed[one.pk]} for one in decisions]
    named = [point for one in rows for point in one["points"]] + others + earlier
    return {
        "counts": {name: counts[name] for name in ("decisions", "agreed", "done", "dropped", "open", OVERDUE)},
        "decisions": rows,
        "points": others,
        "earlier": earlier,
        "ids": [one["id"] for one in rows + named],
    }


def _bodies(plan: Plan) -> Q:
    if plan.kind != PlanKind.LOCAL:
        return Q()
    area = Q(municipality=plan.municipality_id) if plan.municipality_id else Q(district=plan.district_id)
    return Q(body__in=Body.objects.filter(area).values("pk"))


def _points(bodies: Q, period: Period, as_of: date) -> QuerySet[ActionPoint]:
    """Those that could stand in the report: open ones, and those that ended since the period began."""
    of_bodies = Q(meeting__in=Meeting.objects.filter(bodies).values("pk")) if bodies else Q()
    return (
        ActionPoint.objects.filter(
            of_bodies,
            Q(state=PointState.OPEN) | Q(closed_at__date__gte=period.start),
            meeting__starts_at__date__lte=as_of,
        )
        .select_related("owner", "meeting")
        .prefetch_related(Prefetch("steps", PointStep.objects.order_by("at", "pk"), to_attr="in_order"))
        .order_by("due_on", "pk")
    )


def _measure_codes(version: PlanVersion) -> dict[Any, list[str]]:
    """The codes in this version of the plan of the measures that each point serves."""
    codes = dict(Measure.objects.filter(version=version).values_list("lineage", "code"))
    found: dict[Any, list[str]] = defaultdict(list)
    for point, lineage in PointMeasure.objects.filter(lineage__in=codes).values_list("point", "lineage"):
        found[point].append(codes[lineage])
    return {point: sorted(held) for point, held in found.items()}


def _texts(record: Any, name: str) -> dict[str, str]:
    return {column: getattr(record, f"{name}_{column}") for column in COLUMNS}


def _decision(one: Decision, as_of: date) -> dict[str, Any]:
    ended = one.ended_by is not None and one.ended_by.decided_on <= as_of
    votes = [one.votes_for, one.votes_against, one.votes_abstained] if one.way == DecisionWay.VOTE else None
    return {
        "id": str(one.pk),
        "label": one.label,
        "body": _texts(one.body, "name") if one.body else None,
        "decided_on": one.decided_on.isoformat(),
        "text": _texts(one, "text"),
        "way": one.way,
        "votes": votes,
        "state": one.state if ended else str(DecisionState.IN_FORCE),
        "ended_by": one.ended_by.label if ended and one.ended_by else "",
    }


def _point(point: ActionPoint, as_of: date, names: Names, codes: dict[Any, list[str]]) -> dict[str, Any]:
    steps: list[PointStep] = point.in_order  # type: ignore[attr-defined]
    then = stood(point, steps, as_of)
    said = [one for one in steps if one.kind in WORDED] if then.ended_on else []
    return {
        "id": str(point.pk),
        "title": _texts(point, "title"),
        "owner": names(point.owner),
        "due_on": then.due_on.isoformat(),
        "standing": then.standing,
        "ended_on": then.ended_on.isoformat() if then.ended_on else None,
        "outcome": said[-1].text if said else "",
        "language": column_of(said[-1].language) if said else "",
        "measures": codes.get(point.pk, []),
    }


# For the pages


def shown(data: dict[str, Any] | None, column: str) -> dict[str, Any] | None:
    """The part in a language; None for reports from before there was one."""
    if data is None:
        return None
    labels = {str(code): str(label) for code, label in STANDINGS}
    return {
        "counts": data["counts"],
        "decisions": [
            one
            | {
                "body": choose(one["body"], column) if one["body"] else "",
                "decided_on": date.fromisoformat(one["decided_on"]),
                "text": choose(one["text"], column),
                "way": str(DecisionWay(one["way"]).label),
                "state_label": str(DecisionState(one["state"]).label),
                "points": _shown_points(one["points"], column, labels),
            }
            for one in data["decisions"]
        ],
        "points": _shown_points(data["points"], column, labels),
        "earlier": _shown_points(data["earlier"], column, labels),
    }


def _shown_points(rows: Iterable[dict[str, Any]], column: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    return [
        row
        | {
            "title": choose(row["title"], column),
            "owner": choose(row["owner"], column),
            "due_on": date.fromisoformat(row["due_on"]),
            "label": labels[row["standing"]],
            "outcome": Text(row["outcome"], HTML_CODES[row["language"]], row["language"] != column)
            if row["outcome"]
            else "",
        }
        for row in rows
    ]
