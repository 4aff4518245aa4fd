"""The measures of a plan by goal, in pieces that can be drawn: which page holds which part of which goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, QuerySet

from strategy.filters import MeasureFilter
from strategy.models import Goal, Milestone, MilestoneReached

A_PAGE = 40  # bars that one drawing holds


@dataclass(frozen=True)
class Piece:
    """A page of the timeline: `A_PAGE` measures of one goal from `offset` on."""

    goal: Goal
    offset: int
    number: int  # measures of the goal in all


def pieces(found: MeasureFilter) -> list[Piece]:
    """The pages of the timeline under a filter, in the plan's order; two queries."""
    numbers = dict(found.rows.order_by().values_list("objective__goal").annotate(number=Count("pk", distinct=True)))
    return [
        Piece(goal, offset, numbers[goal.pk])
        for goal in Goal.objects.filter(version=found.version).order_by("position")
        if goal.pk in numbers
        for offset in range(0, numbers[goal.pk], A_PAGE)
    ]


def measures_of(found: MeasureFilter, piece: Piece) -> QuerySet[Any]:
    """The measures of a page, with lead and milestones."""
    rows = found.rows.filter(objective__goal=piece.goal).select_related("lead").order_by("position", "pk")
    return rows.prefetch_related(Prefetch("milestones", Milestone.objects.order_by("due_on")))[
        piece.offset : piece.offset + A_PAGE
    ]


def reached_of(measures: Sequence[Any]) -> dict[Any, Any]:
    """Lineage of a milestone → the day on which it was reached, in whatever version that was said."""
    lineages = [step.lineage for measure in measures for step in measure.milestones.all()]
    if not lineages:
        return {}
    return dict(
        MilestoneReached.objects.filter(milestone__lineage__in=lineages).values_list("milestone__lineage", "reached_on")
    )
