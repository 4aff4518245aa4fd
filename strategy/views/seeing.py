"""Pages that show a plan's course: timeline, institutions × rounds, a measure's story, what changed, what is late."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onatc import charts, merged
from onatc.errors import require
from onatc.kept import kept_until_change
from onatc.trail import Act, TrailEntry
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions.signals import rule_limits
from strategy.filters import quarter_of
from strategy.forms.seeing import ChangesForm, LateForm, MatrixForm, StoryForm
from strategy.models import Measure, Plan, PlanVersion, Round, RoundState, Signal
from strategy.queries import happenings, late
from strategy.queries.happenings import Scope, What
from strategy.queries.plan import current_plan, shown_version
from strategy.queries.submissions import Matrix, submissions
from strategy.queries.timeline import Piece, measures_of, pieces, reached_of
from strategy.views.plan import chosen_plan, filter_choices, measure_filter, page_size

ROUNDS_A_PAGE = 6
DAYS_BACK = 30


# Timeline


@require_safe
@kept_until_change
def measure_timeline(request: SignedInRequest) -> HttpResponse:
    """The measures of one goal as bars, under the filter of the measure list; `?year=` draws one year."""
    plan, version = chosen_plan(request)
    if plan is None or version is None:
        return render(request, "strategy/measure_timeline.html", {"page": None, "plan": plan})
    found = measure_filter(request, version)
    drawn = pieces(found)
    page = Paginator(drawn, 1).get_page(request.GET.get("page"))
    piece = page.object_list[0] if page.object_list else None
    years = list(range(plan.starts_on.year, min(plan.ends_on.year, plan.starts_on.year + 40) + 1))
    named = request.GET.get("year", "")
    year = next((one for one in years if str(one) == named), None)
    first: dict[Any, tuple[int, Piece]] = {}
    for number, one in enumerate(drawn, 1):
        first.setdefault(one.goal.pk, (number, one))
    rows = _with_marks(list(measures_of(found, piece)) if piece else [])
    return render(
        request,
        "strategy/measure_timeline.html",
        {
            "plan": plan,
            "version": version,
            "filter": found,
            "page": page,
            "piece": piece,
            "goals": list(first.values()),
            "years": years,
            "year": year,
            "rows": rows,
            "chart": _timeline(piece, rows, plan, year) if piece else None,
        },
    )


def _with_marks(measures: list[Any]) -> list[tuple[Any, list[charts.Mark]]]:
    reached = reached_of(measures)
    return [
        (measure, [_mark(step, reached.get(step.lineage)) for step in measure.milestones.all()]) for measure in measures
    ]


def _mark(step: Any, reached_on: date | None) -> charts.Mark:
    day = {"title": step.title, "date": date_format(reached_on or step.due_on, "SHORT_DATE_FORMAT")}
    said = _("%(title)s: reached on %(date)s") % day if reached_on else _("%(title)s: due on %(date)s") % day
    return charts.Mark(reached_on or step.due_on, said, reached_on is not None)


def _timeline(piece: Piece, rows: list[tuple[Any, list[charts.Mark]]], plan: Plan, year: int | None) -> charts.Chart:
    labels = dict(Signal.choices)
    spans = [
        charts.Span(
            f"{measure.code} {measure.title}",
            measure.starts_on,
            measure.ends_on,
            measure.signal or "not_started",
            str(labels[measure.signal]) if measure.signal else _("no signal yet"),
            marks,
        )
        for measure, marks in rows
    ]
    start, end = (date(year, 1, 1), date(year, 12, 31)) if year else (plan.starts_on, plan.ends_on)
    title = _("Timeline of goal %(goal)s") % {"goal": piece.goal}
    return charts.timeline(title, spans, start, end, today=timezone.localdate(), head=_("measure"))


# Institutions × rounds


@dataclass(frozen=True)
class MatrixPage:
    plan: Plan | None
    form: MatrixForm
    page: Any
    matrix: Matrix


def matrix_page(request: SignedInRequest) -> MatrixPage:
    """The rounds of a plan, six a page, the newest last; an unknown plan is told and the one in force shown."""
    plans = Plan.objects.visible_to(request.user)
    form = MatrixForm(request.GET, plans=[(str(one.pk), str(one.title)) for one in plans])
    named = form.chosen.get("plan")
    plan = next((one for one in plans if str(one.pk) == named), None) or current_plan(request.user)
    rounds = Round.objects.visible_to(request.user).filter(plan=plan, state__in=[RoundState.OPEN, RoundState.CLOSED])
    page = Paginator(rounds.order_by("-ends_on", "pk"), ROUNDS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(reversed(page.object_list))
    return MatrixPage(plan, form, page, submissions(shown, request.user, timezone.localdate()))


@require_safe
def round_matrix(request: SignedInRequest) -> HttpResponse:
    require(access.may_see_matrix(request.user))
    found = matrix_page(request)
    context = {"plan": found.plan, "page": found.page, "matrix": found.matrix, "filter": {"form": found.form}}
    return render(request, "strategy/round_matrix.html", context)


# Story of a measure and what changed in a plan


@dataclass(frozen=True)
class Told:
    """What a page of happenings shows: `rows` in the database, ordered; `counts` of each kind under the same days."""

    scope: Scope
    form: Any
    rows: QuerySet[Any] | None
    counts: list[tuple[str, str, int]]
    total: int
    kind: str

    def page(self, request: SignedInRequest) -> Any:
        rows: Any = self.rows if self.rows is not None else []
        paginator = Paginator(rows, page_size(request))
        # The counts give the total: one query less.
        number = self.total
        if self.kind:
            number = next((count for code, _label, count in self.counts if code == self.kind), 0)
        paginator.count = number  # type: ignore[misc]
        page = paginator.get_page(request.GET.get("page"))
        page.object_list = happenings.told(page.object_list, self.scope)
        return page

    def all(self) -> Iterator[happenings.Happening]:
        """Everything, a thousand at a time, for a file."""
        step, start = 1_000, 0
        while self.rows is not None and (piece := list(self.rows[start : start + step])):
            yield from happenings.told(piece, self.scope)
            start += step


def _told(scope: Scope, form: Any, order: tuple[str, ...]) -> Told:
    kind = form.chosen.get("kind") or ""
    if not form.is_valid():
        return Told(scope, form, None, [], 0, "")
    parts = happenings.parts(scope)
    numbers = merged.counts(parts)
    counts = [(code, str(label), numbers[code]) for code, label in What.choices if numbers.get(code)]
    return Told(scope, form, merged.merged(parts, kind).order_by(*order), counts, sum(numbers.values()), kind)


def story_of(request: SignedInRequest, measure: Measure) -> Told:
    form = StoryForm(request.GET)
    period = form.chosen.get("period")
    scope = Scope(
        request.user, measure.version.plan, measure.version, measure,
        period.start if period else None, period.end if period else None,
    )  # fmt: skip
    return _told(scope, form, ("merged_place", "-merged_at", merged.SOURCE, merged.KEY))


def story_measure(request: SignedInRequest, pk: uuid.UUID) -> Measure:
    measures = Measure.objects.visible_to(request.user).select_related("version__plan", "objective__goal", "lead")
    return get_object_or_404(measures, pk=pk)


@require_safe
def measure_story(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """All that happened to a measure in all versions of its plan, with what came of it and what it came from by splits and
    mergers, as far as the reader may see it; each measure's part newest first."""
    measure = story_measure(request, pk)
    told = story_of(request, measure)
    return render(
        request,
        "strategy/measure_story.html",
        {
            "measure": measure,
            "told": told,
            "kin": [chapter for chapter in told.scope.chapters if chapter.kin],
            "page": told.page(request),
            "filter": {"form": told.form},
            "story_query": f"&measure={measure.pk}",
        },
    )


def last_visit(request: SignedInRequest) -> date | None:
    """The day of the sign-in before this one."""
    before = (
        TrailEntry.objects.visible_to(request.user)
        .filter(actor=request.user, act=Act.SIGNED_IN)
        .order_by("-sequence")
        .values_list("at", flat=True)[1:2]
    )
    return next((timezone.localdate(at) for at in before), None)


def changes_in(request: SignedInRequest, plan: Plan) -> Told:
    """Without any day it is the last thirty."""
    data = request.GET.copy()
    if not data.get("since") and not data.get("until"):
        data["since"] = (timezone.localdate() - timedelta(days=DAYS_BACK)).isoformat()
    form = ChangesForm(data)
    scope = Scope(
        request.user, plan, shown_version(plan, request.user), None, form.chosen.get("since"), form.chosen.get("until")
    )
    return _told(scope, form, ("merged_place", "merged_lineage", "-merged_at", merged.SOURCE, merged.KEY))


@require_safe
def plan_changes(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What happened in a plan from a day on, by measure."""
    plan = get_object_or_404(Plan.objects.visible_to(request.user), pk=pk)
    told = changes_in(request, plan)
    today = timezone.localdate()
    shortcuts = [
        (_("the last seven days"), today - timedelta(days=7)),
        (_("the last thirty days"), today - timedelta(days=DAYS_BACK)),
        (_("this year"), today.replace(month=1, day=1)),
    ]
    if day := last_visit(request):
        shortcuts.insert(0, (_("since my last visit"), day))
    return render(
        request,
        "strategy/plan_changes.html",
        {
            "plan": plan,
            "told": told,
            "page": told.page(request),
            "filter": {"form": told.form},
            "shortcuts": shortcuts,
            "changes_query": f"&plan={plan.pk}",
        },
    )


# What is late


@dataclass(frozen=True)
class LatePage:
    plan: Plan | None
    asked: late.Question | None
    form: LateForm
    counts: dict[str, int]

    @property
    def kind(self) -> str:
        return str(self.form.chosen.get("kind") or "")

    @property
    def rows(self) -> QuerySet[Any]:
        assert self.asked is not None
        return late.late_rows(self.asked, what=self.kind, sort=self.form.chosen.get("sort") or "days")

    def all(self) -> Iterator[late.Late]:
        assert self.asked is not None
        step, start, rows = 1_000, 0, self.rows
        while piece := list(rows[start : start + step]):
            yield from late.shown(piece, self.asked)
            start += step


def late_page(request: SignedInRequest) -> LatePage:
    plan, version = chosen_plan(request)
    if version is None:
        return LatePage(plan, None, LateForm(request.GET, institutions=[], goals=[]), {})
    form = LateForm(request.GET, **filter_choices(request, version))
    asked = late_question(request.user, version, form.chosen.get("institution") or "", form.chosen.get("goal") or "")
    return LatePage(plan, asked, form, merged.counts(late.parts(asked)))


def late_question(user: Any, version: PlanVersion, institution: str = "", goal: str = "") -> late.Question:
    """Today's lateness in a version, by the limits of the rule that hold now."""
    quarter = quarter_of(None)
    return late.Question(user, version, quarter, timezone.localdate(), rule_limits(quarter.end), institution, goal)


@require_safe
def late_list(request: SignedInRequest) -> HttpResponse:
    """Measures, milestones, reports and extensions that are late, with days and reasons."""
    found = late_page(request)
    page = None
    if found.asked is not None:
        paginator = Paginator(found.rows, page_size(request))
        paginator.count = found.counts.get(found.kind, 0) if found.kind else sum(found.counts.values())  # type: ignore[misc]
        page = paginator.get_page(request.GET.get("page"))
        page.object_list = late.shown(page.object_list, found.asked)  # type: ignore[assignment]
    counts = [(code, str(label), found.counts[code]) for code, label in late.Lateness.choices if found.counts.get(code)]
    return render(
        request,
        "strategy/late_list.html",
        {
            "plan": found.plan,
            "page": page,
            "counts": counts,
            "total": sum(found.counts.values()),
            "kind": found.kind,
            "filter": {"form": found.form} if found.asked is not None else None,
            "today": timezone.localdate(),
        },
    )
