"""What the money of measures is, and what is known of it by now."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db.models import QuerySet

from strategy.budget import Line
from strategy.models import BudgetExecution, BudgetLine


def statements_of(lines: QuerySet[BudgetLine], on: date | None = None) -> dict[uuid.UUID, BudgetExecution]:
    """The statement that counts for each line, by the lineage of the line (strategy.budget.that_counts says which)."""
    found = BudgetExecution.objects.filter(line__lineage__in=lines.order_by().values("lineage"))
    if on is not None:
        found = found.filter(as_of__lte=on)
    ordered = found.select_related("line", "by").order_by("line__lineage", "-as_of", "-at")
    return {one.line.lineage: one for one in ordered.distinct("line__lineage")}


def rows_of(lines: QuerySet[BudgetLine], on: date | None = None) -> list[Line]:
    """The lines as `strategy.budget` counts them, in two queries however many there are."""
    executions = BudgetExecution.objects.filter(line__lineage__in=lines.order_by().values("lineage"))
    if on is not None:
        executions = executions.filter(as_of__lte=on)
    latest = {
        lineage: (committed, spent)
        for lineage, committed, spent in executions.order_by("line__lineage", "-as_of", "-at")
        .distinct("line__lineage")
        .values_list("line__lineage", "committed_cents", "spent_cents")
    }
    columns = ("pk", "measure", "measure__objective", "measure__objective__goal", "year", "source", "planned_cents")
    return [_line(row[:-1], latest.get(row[-1])) for row in lines.order_by().values_list(*columns, "lineage")]


def _line(row: tuple[Any, ...], stated: tuple[int, int] | None) -> Line:
    return Line(*row, *(stated or (None, None)))
