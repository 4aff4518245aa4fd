"""Each role's first page: what waits for me, and where the country stands."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from monitoring.models import Report, ReportState
from monitoring.queries import dashboard, waiting
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Role
from strategy.access import may_decide_proposal
from strategy.filters import MeasureFilter
from strategy.models import ImportState, Measure, PlanImport, Round, RoundState
from strategy.queries.drafting import open_consultations, to_decide, to_publish
from strategy.queries.late import kept_drafts
from strategy.queries.legal import waiting_inputs
from strategy.queries.plan import current_plan, shown_version
from strategy.queries.progress import owed_by, review_inbox, round_matrix
from strategy.queries.verification import to_check


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """NATC, secretariat, focal point, observer, administrator; somebody with several roles gets the first that fits."""
    user = request.user
    if user.is_natc:
        return render(request, "monitoring/home_natc.html", _natc(user))
    if user.is_secretariat:
        return render(request, "monitoring/home_secretariat.html", _secretariat(user))
    if user.is_reporter:
        return render(request, "monitoring/home_focal_point.html", _focal_point(user))
    if user.is_observer:
        return render(request, "monitoring/home_observer.html", _observer(user))
    return render(request, "monitoring/home_other.html", {})


def _standing(user: Any) -> dict[str, Any]:
    plan = current_plan(user)
    version = shown_version(plan, user) if plan else None
    if version is None:
        return {"plan": plan, "standing": None}
    found = MeasureFilter(QueryDict(), version=version, user=user)
    goals = dashboard.by_goal(found, dashboard.tally(found))
    return {
        "plan": plan,
        "version": version,
        "standing": dashboard.standing(found, goals),
        "goals": goals,
        "chart": dashboard.goals_chart(goals),
        "late": dashboard.late_measures(version, found.quarter, user),
        "reports": list(Report.objects.visible_to(user).defer("data").select_related("plan")[:3]),
    }


def _observer(user: Any) -> dict[str, Any]:
    return _standing(user) | {"consultations": list(open_consultations(user))}


def _natc(user: Any) -> dict[str, Any]:
    context = _standing(user) | {"cooperation": waiting.for_the_coordinator(user)}
    context["proposals_to_decide"] = list(to_decide(user)[:8])
    context["to_issue"] = list(
        Report.objects.visible_to(user).filter(state=ReportState.DRAFT).defer("data").select_related("plan")[:5]
    )
    context["rounds"] = list(
        Round.objects.visible_to(user)
        .filter(state__in=[RoundState.OPEN, RoundState.SCHEDULED])
        .select_related("plan")
        .order_by("due_on")[:3]
    )
    return context


def _secretariat(user: Any) -> dict[str, Any]:
    context = _standing(user)
    inbox = review_inbox(user)
    open_round = (
        Round.objects.visible_to(user).filter(state=RoundState.OPEN).select_related("plan").order_by("due_on").first()
    )
    rows = round_matrix(open_round, user) if open_round else []
    context |= {
        "cooperation": waiting.for_the_office(user),
        "inbox_count": inbox.count(),
        "inbox": list(inbox[:8]),
        "round": open_round,
        "rows": rows[:12],
        "row_count": len(rows),
        "outstanding": sum(row.outstanding for row in rows),
        "owed": sum(row.owed for row in rows),
        "today": timezone.localdate(),
        "may_remind": user.reviews_progress,
        "legal_inputs": waiting_inputs(user, timezone.localdate()),
        "consultations_to_publish": list(to_publish(user)[:8]),
        "proposals_to_decide": list(to_decide(user)[:8]) if may_decide_proposal(user) else [],
        "imports": list(
            PlanImport.objects.visible_to(user)
            .filter(state=ImportState.PREVIEWED)
            .defer("content", "changes", "problems")[:5]
        ),
        "to_check": to_check(user) if user.has_role(Role.MONITORING, Role.DIRECTOR) else None,
        "next_round": Round.objects.visible_to(user).filter(state=RoundState.SCHEDULED).order_by("ends_on").first(),
    }
    return context


def _focal_point(user: Any) -> dict[str, Any]:
    owed = owed_by(user)
    today = timezone.localdate()
    due = [one for one in owed if one.state in ("owed", "overdue", "draft", "returned")]
    # What was returned has its own sentence: the day on which it was due may lie years back, in a round that is closed.
    asked = [one.request.due_on for one in due if one.state != "returned"]
    first = min(asked, default=None)
    # A plan whose time is over has no successor to its measures; nothing is to be done on them.
    measures = (
        Measure.objects.visible_to(user)
        .current()
        .filter(version__plan__ends_on__gte=today)
        .select_related("lead")
        .order_by("version", "position")
    )
    return {
        "cooperation": waiting.for_an_institution(user),
        "consultations": list(open_consultations(user)),
        "owed": owed,
        "kept": kept_drafts(user),
        "waiting": len(due),
        "done": len(owed) - len(due),
        "returned": sum(one.state == "returned" for one in owed),
        "due_on": first,
        "due_first": asked.count(first),
        "due_later": len(asked) - asked.count(first),
        "last_due_on": max(asked, default=None),
        "today": today,
        "measures": list(measures[:60]),
        "measure_count": measures.count(),
    }
    due = [one for one in owed if one.state in ("owed", "overdue", "draft", "returned")]
    measures = Measure.objects.visible_to(user).current().select_related("lead").order_by("version", "position")
    return {
        "cooperation": waiting.for_an_institution(user),
        "consultations": list(open_consultations(user)),
        "owed": owed,
        "waiting": len(due),
        "done": len(owed) - len(due),
        "returned": sum(one.state == "returned" for one in owed),
        "due_on": min((one.request.due_on for one in due if one.request.is_open), default=None),
        "today": timezone.localdate(),
        "measures": list(measures[:60]),
        "measure_count": measures.count(),
    }
