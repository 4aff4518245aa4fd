"""Questions about plans and their versions."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Prefetch, Q, Value, When
from django.utils import timezone

from strategy.models import (
    SHOWN_STATES,
    BudgetLine,
    Indicator,
    Measure,
    MeasurePartner,
    Plan,
    PlanKind,
    PlanVersion,
    VersionState,
)


def newest_version(plan: Plan) -> PlanVersion | None:
    """The open draft if there is one, else the version in force: what a new file is compared with."""
    return plan.versions.filter(state__in=[VersionState.DRAFT, VersionState.ADOPTED]).order_by("-number").first()


def current_plan(user: Any, on: Any = None) -> Plan | None:
    """The plan that a page shows when none is named: in force and running, a national one before those for children and
    for one area, else the newest one visible."""
    day = on or timezone.localdate()
    adopted = PlanVersion.objects.filter(plan=OuterRef("pk"), state=VersionState.ADOPTED)
    return (
        Plan.objects.visible_to(user)
        .annotate(
            is_in_force=Exists(adopted),
            is_running=Case(
                When(Q(starts_on__lte=day, ends_on__gte=day), then=Value(True)),
                default=Value(False),
                output_field=BooleanField(),
            ),
        )
        .annotate(is_national=Q(kind=PlanKind.NATIONAL))
        .order_by("-is_in_force", "-is_running", "-is_national", "-starts_on", "code")
        .first()
    )


def shown_version(plan: Plan, user: Any, number: int | None = None) -> PlanVersion | None:
    """The version to show: the named one, else the one in force, else the newest the user may see."""
    versions = plan.versions.visible_to(user).filter(state__in=SHOWN_STATES)  # type: ignore[attr-defined]
    if number is not None:
        return versions.filter(number=number).first()
    return versions.filter(state=VersionState.ADOPTED).first() or versions.order_by("-number").first()


def version_as_rows(version: PlanVersion) -> dict[str, dict[str, Any]]:
    """A version in the form of `imports.MeasureRow`, by the code of the measure."""
    measures = (
        Measure.objects.filter(version=version)
        .select_related("objective__goal", "lead")
        .prefetch_related(
            Prefetch("partnerships", MeasurePartner.objects.select_related("institution")),
            Prefetch("indicators", Indicator.objects.prefetch_related("targets")),
            Prefetch("budget_lines", BudgetLine.objects.all()),
        )
    )
    return {measure.code: _as_row(measure) for measure in measures}


def _as_row(measure: Measure) -> dict[str, Any]:
    goal, objective = measure.objective.goal, measure.objective
    indicator = next(iter(measure.indicators.all()), None)
    budget = next(iter(measure.budget_lines.all()), None)
    found = None
    if indicator is not None:
        target = list(indicator.targets.all())
        found = {
            "name": _texts(indicator, "name"),
            "unit": indicator.unit,
            "counting": indicator.counting,
            "lower_is_better": indicator.lower_is_better,
            "baseline": None if indicator.baseline is None else f"{indicator.baseline:.2f}",
            "target": f"{target[-1].value:.2f}" if target else None,
            "disaggregation": indicator.disaggregation,
        }
    return {
        "row": 0,
        "goal_code": goal.code,
        "goal": _texts(goal, "title"),
        "objective_code": objective.code,
        "objective": _texts(objective, "title"),
        "code": measure.code,
        "title": _texts(measure, "title"),
        "lead": measure.lead.code,
        "partners": [partner.institution.code for partner in measure.partnerships.all()],
        "starts_on": measure.starts_on.isoformat(),
        "ends_on": measure.ends_on.isoformat(),
        "source": measure.source,
        "indicator": found,
        "budget_source": budget.source if budget else "",
        "budget_cents": budget.planned_cents if budget else None,
    }


def _texts(record: Any, name: str) -> dict[str, str]:
    return {language: getattr(record, f"{name}_{language}") for language in ("sq", "sr", "en")}
