"""The money of a plan: by source and year, by goal, and the lines behind each figure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onatc import charts, exports
from onatc.errors import proof_required_to_open
from onatc.kept import kept_until_change
from stakeholders.accounts import SignedInRequest
from strategy.budget import Line, Total, of_line, total, totals
from strategy.budget_filter import GAP, UNSTATED, WAITING, WHOLE_TERM, BudgetFilter
from strategy.models import BudgetSource, Plan
from strategy.queries.budget import rows_of, statements_of
from strategy.queries.plan import shown_version

PAGE_SIZE = 50


def _filter(request: SignedInRequest, pk: uuid.UUID) -> tuple[Plan, BudgetFilter]:
    plan = get_object_or_404(Plan.objects.visible_to(request.user).select_related("strategy"), pk=pk)
    number = request.GET.get("version", "")
    named = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else None
    version = shown_version(plan, request.user, named)
    if version is None:
        raise Http404
    version.plan = plan
    return plan, BudgetFilter(request.GET, version=version, user=request.user)


@dataclass(frozen=True)
class Cell:
    """A figure of the page with the address of what is behind it."""

    total: Total
    url: str


@require_safe
@kept_until_change
def plan_budget(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan, found = _filter(request, pk)
    lines = rows_of(found.lines)
    measures = list(found.measures.values_list("pk", "objective__goal"))
    unknown = set(found.of_unknown_budget.values_list("pk", flat=True))
    return render(
        request,
        "strategy/plan_budget.html",
        {
            "plan": plan,
            "version": found.version,
            "filter": found,
            "total": Cell(total(lines), found.link()),
            "years": [_year_name(year) for year in _years(lines)],
            "table": _by_source_and_year(found, lines),
            "goals": _by_goal(found, lines, measures, unknown),
            "measure_count": len(measures),
            "unknown_count": len(unknown),
            "unknown_url": found.link("strategy:budget-unknown", source="", year="", show=""),
            "gap_url": found.link(show=GAP),
            "waiting_url": found.link(show=WAITING),
            "unstated_url": found.link(show=UNSTATED),
            "chart": _chart(lines),
            "sees_all": request.user.sees_whole_plan,
        },
    )


def _years(lines: list[Line]) -> list[int | None]:
    """The years that lines name, in order; the whole term comes last."""
    return sorted({line.year for line in lines}, key=lambda year: (year is None, year))


def _year_name(year: int | None) -> str:
    return _("whole term") if year is None else str(year)


def _year_key(year: int | None) -> str:
    return WHOLE_TERM if year is None else str(year)


def _by_source_and_year(found: BudgetFilter, lines: list[Line]) -> list[tuple[str, list[Cell | None], Cell]]:
    """A row for each source that has lines, and the row of all: its cells by year, None where there is no line."""
    years = _years(lines)
    cells = totals(lines, lambda line: (line.source, line.year))
    by_year, by_source = totals(lines, lambda line: line.year), totals(lines, lambda line: line.source)
    rows: list[tuple[str, list[Cell | None], Cell]] = []
    for source, label in BudgetSource.choices:
        if source not in by_source:
            continue
        row: list[Cell | None] = []
        for year in years:
            one = cells.get((source, year))
            row.append(Cell(one, found.link(source=source, year=_year_key(year))) if one else None)
        rows.append((str(label), row, Cell(by_source[source], found.link(source=source))))
    bottom: list[Cell | None] = [Cell(by_year[year], found.link(year=_year_key(year))) for year in years]
    return [*rows, (_("all sources"), bottom, Cell(total(lines), found.link()))]


@dataclass(frozen=True)
class GoalRow:
    goal: Any
    measures: int
    unknown: int
    cell: Cell


def _by_goal(
    found: BudgetFilter, lines: list[Line], measures: list[tuple[Any, Any]], unknown: set[Any]
) -> list[GoalRow]:
    of_goal = totals(lines, lambda line: line.goal)
    rows = []
    for goal in found.goals:
        inside = [measure for measure, its_goal in measures if its_goal == goal.pk]
        if inside:
            cell = Cell(of_goal.get(goal.pk, Total()), found.link(goal=goal.code))
            rows.append(GoalRow(goal, len(inside), len(unknown.intersection(inside)), cell))
    return rows


def _chart(lines: list[Line]) -> charts.Chart | None:
    if not lines:
        return None
    by_year, years = totals(lines, lambda line: line.year), _years(lines)

    def thousands(cents: int | None) -> Decimal | None:
        return None if cents is None else (Decimal(cents) / 100_000).quantize(Decimal("0.1"))

    return charts.columns(
        _("Planned, committed and spent by year"),
        _("thousand euro"),
        [_year_name(year) for year in years],
        [
            charts.Series(_("planned"), [thousands(by_year[year].planned) for year in years], "4"),
            charts.Series(_("committed"), [thousands(by_year[year].committed) for year in years], "2"),
            charts.Series(_("spent"), [thousands(by_year[year].spent) for year in years], "1", dark=True),
        ],
        head=_("year"),
    )


@require_safe
def budget_lines(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The lines behind a figure, with their sums: those of the page before."""
    plan, found = _filter(request, pk)
    page = Paginator(_ordered(found), PAGE_SIZE).get_page(request.GET.get("page"))
    said = statements_of(found.lines.filter(pk__in=[line.pk for line in page.object_list]))
    return render(
        request,
        "strategy/budget_lines.html",
        {
            "plan": plan,
            "version": found.version,
            "filter": found,
            "page": page,
            "rows": [_row(line, said.get(line.lineage)) for line in page.object_list],
            "total": total(rows_of(found.lines)),
            "back_url": found.link("strategy:plan-budget", show=""),
        },
    )


def _ordered(found: BudgetFilter) -> QuerySet[Any]:
    lines = found.lines.select_related("measure__lead", "measure__objective__goal", "funder")
    return lines.order_by("measure__position", "year", "source", "pk")


def _row(line: Any, said: Any) -> dict[str, Any]:
    counted = Line(
        line.pk, line.measure_id, None, None, line.year, line.source, line.planned_cents,
        said.committed_cents if said else None, said.spent_cents if said else None,
    )  # fmt: skip
    return {"line": line, "said": said, "total": of_line(counted)}


@require_safe
def budget_unknown(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The measures that have no budget line."""
    plan, found = _filter(request, pk)
    measures = found.of_unknown_budget.select_related("lead", "objective__goal").order_by("position")
    page = Paginator(measures, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "strategy/budget_unknown.html",
        {"plan": plan, "version": found.version, "page": page, "back_url": found.link("strategy:plan-budget")},
    )


@require_safe
@proof_required_to_open
def budget_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The lines with their filter as a file: `?format=csv` or `xlsx`; amounts are numbers in euro."""
    _plan, found = _filter(request, pk)
    head = [
        _("code"), _("goal"), _("measure"), _("lead institution"), _("year"), _("source of funds"),
        _("budget line or project"), _("donor"), _("planned, euro"), _("committed, euro"), _("spent, euro"), _("as of"),
        _("not yet committed, euro"), _("gap to fund, euro"),
    ]  # fmt: skip
    said = statements_of(found.lines)

    def euro(cents: int | None) -> Decimal | None:
        return None if cents is None else Decimal(cents) / 100

    def table() -> Iterator[list[Any]]:
        for line in _ordered(found).iterator(chunk_size=1_000):
            row = _row(line, said.get(line.lineage))
            sums, measure = row["total"], line.measure
            yield [
                measure.code,
                f"{measure.objective.goal.code} {measure.objective.goal.title}",
                str(measure.title),
                str(measure.lead.name),
                _year_name(line.year),
                line.get_source_display(),
                line.reference,
                str(line.funder.name) if line.funder else "",
                euro(sums.planned),
                euro(sums.committed),
                euro(sums.spent),
                row["said"].as_of if row["said"] else None,
                euro(sums.waiting),
                euro(sums.gap),
            ]

    return exports.as_file(
        "budget", head, table(), form=request.GET.get("format", ""), to=request.user, of=found.version
    )
