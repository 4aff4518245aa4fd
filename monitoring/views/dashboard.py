"""The dashboard of a plan: goals and institutions by signal, trend, reporting; every number opens its list."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.queries import dashboard as queries
from onatc.errors import require
from onatc.kept import kept_until_change
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution
from strategy.filters import MeasureFilter
from strategy.models import Goal, Measure, Round, RoundState, Signal
from strategy.views.plan import chosen_plan


@require_safe
@kept_until_change
def dashboard(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_dashboard)
    plan, version = chosen_plan(request)
    if version is None:
        return render(request, "monitoring/dashboard.html", {"plan": plan})
    goals = [(goal.code, f"{goal.code} {goal.title}") for goal in Goal.objects.filter(version=version)]
    leads = Institution.objects.visible_to(request.user).filter(
        pk__in=Measure.objects.filter(version=version).values("lead")
    )
    institutions = [(one.code, str(one.name)) for one in leads.order_by(SortKey("name"))]
    found = MeasureFilter(request.GET, version=version, user=request.user, goals=goals, institutions=institutions)
    tallies = queries.tally(found)
    goal_rows = queries.by_goal(found, tallies)
    round_ = _round(request, plan, found.quarter)
    context: dict[str, Any] = {
        "plan": plan,
        "version": version,
        "filter": found,
        "standing": queries.standing(found, goal_rows),
        "signals": [(str(signal), signal.label) for signal in queries.ORDER],
        "goal_rows": goal_rows,
        "goals_chart": queries.goals_chart(goal_rows),
        "institution_rows": queries.by_institution(found, tallies),
        "trend": queries.trend(version, found.quarter, request.user),
        "round": round_,
        "reporting": queries.reporting(round_) if round_ else [],
        "is_running": found.quarter.end >= found.today,
        "all_signals": Signal.choices,
    }
    return render(request, "monitoring/dashboard.html", context)


def _round(request: SignedInRequest, plan: Any, quarter: Any) -> Round | None:
    """The round about the quarter shown, or the newest one that was opened before it ended."""
    return (
        Round.objects.visible_to(request.user)
        .filter(plan=plan, state__in=[RoundState.OPEN, RoundState.CLOSED], ends_on__lte=quarter.end)
        .order_by("-ends_on")
        .first()
    )
