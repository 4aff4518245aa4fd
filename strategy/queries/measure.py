"""Everything that belongs to a measure, for its page; constant in queries."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, DateField, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone

from strategy.budget import Line, Total, total
from strategy.models import (
    BudgetExecution,
    BudgetLine,
    Measure,
    MeasureDependency,
    MeasureDocument,
    MeasureSignal,
    Milestone,
    MilestoneReached,
    Norm,
    Recommendation,
    RightsCheck,
    VersionState,
)
from strategy.queries.budget import statements_of
from strategy.rights import answered, is_old


@dataclass(frozen=True)
class MilestoneRow:
    milestone: Milestone
    reached: MilestoneReached | None
    days_late: int  # since its date if it is not reached, or until it was; 0 in time

    @property
    def is_overdue(self) -> bool:
        return self.reached is None and self.days_late > 0


@dataclass(frozen=True)
class MoneyRow:
    line: BudgetLine
    said: BudgetExecution | None
    counted: Line


def milestones_of(measure: Measure, today: date | None = None) -> list[MilestoneRow]:
    today = today or timezone.localdate()
    milestones = list(measure.milestones.all())
    reached = {
        one.milestone.lineage: one
        for one in MilestoneReached.objects.filter(
            milestone__lineage__in=[one.lineage for one in milestones]
        ).select_related("milestone", "by")
    }
    rows = []
    for one in milestones:
        found = reached.get(one.lineage)
        rows.append(MilestoneRow(one, found, max(((found.reached_on if found else today) - one.due_on).days, 0)))
    return rows


def money_of(measure: Measure) -> tuple[list[MoneyRow], Total]:
    lines = measure.budget_lines.select_related("funder")
    said = statements_of(lines)
    rows = []
    for line in lines:
        one = said.get(line.lineage)
        counted = Line(
            line.pk, measure.pk, None, None, line.year, line.source, line.planned_cents,
            one.committed_cents if one else None, one.spent_cents if one else None,
        )  # fmt: skip
        rows.append(MoneyRow(line, one, counted))
    return rows, total(row.counted for row in rows)


def statements_on(line: BudgetLine) -> QuerySet[BudgetExecution]:
    """All statements on a line in any version; the first one counts."""
    said = BudgetExecution.objects.filter(line__lineage=line.lineage)
    return said.select_related("by").order_by("-as_of", "-at")


def checks_of(measure: Measure) -> list[tuple[RightsCheck, list[Any], bool]]:
    """The human-rights checks in any version, newest first: each with its answers, and whether it is old."""
    checks = RightsCheck.objects.filter(measure__lineage=measure.lineage).select_related("assessed_by")
    today = timezone.localdate()
    return [(one, answered(one.answers), is_old(one.assessed_on, today)) for one in checks]


def depth_of(measure: Measure, user: Any) -> dict[str, Any]:
    """What the measure's page shows of its depth. Dependencies name measures that the reader may see; how many others there
    are is not told."""
    seen = Measure.objects.visible_to(user).filter(version=measure.version_id)
    needs = MeasureDependency.objects.select_related("needs__lead", "measure__lead")
    money, sums = money_of(measure)
    return {
        "milestones": milestones_of(measure),
        "money": money,
        "money_total": sums,
        "needs": list(needs.filter(measure=measure, needs__in=seen.values("pk"))),
        "needed_by": list(needs.filter(needs=measure, measure__in=seen.values("pk")).order_by("measure__position")),
        "norms": [one.norm for one in measure.norms.select_related("norm")],
        "tags": [one.tag for one in measure.tags.select_related("tag")],
        "risks": list(measure.risks.all()),
        "documents": list(
            MeasureDocument.objects.visible_to(user)
            .filter(measure__lineage=measure.lineage)
            .select_related("uploaded_by")
        ),
        "rights_checks": checks_of(measure),
        "recommendations": list(
            Recommendation.objects.visible_to(user).filter(answers__measure__lineage=measure.lineage).distinct()
        ),
    }


def with_latest_check(measures: QuerySet[Measure]) -> QuerySet[Any]:
    """Measures with `checked_on` and `outcome` of the latest human-rights check in any version; None without one."""
    checks = RightsCheck.objects.filter(measure__lineage=OuterRef("lineage")).order_by("-assessed_on", "-at")
    return measures.annotate(
        checked_on=Subquery(checks.values("assessed_on")[:1], output_field=DateField()),
        outcome=Subquery(checks.values("outcome")[:1]),
    )


def newest_of_lineages(lineages: set[uuid.UUID], user: Any, quarter: Any) -> dict[uuid.UUID, Any]:
    """Of each lineage the measure that counts now, if the reader may see it: in force, else the newest; with its `signal`."""
    signal = MeasureSignal.objects.filter(measure=OuterRef("pk"), starts_on=quarter.start, ends_on=quarter.end)
    in_force = Case(
        When(version__state=VersionState.ADOPTED, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    found: QuerySet[Any] = (
        Measure.objects.visible_to(user)
        .filter(lineage__in=lineages)
        .annotate(signal=Subquery(signal.values("signal")[:1]), in_force=in_force)
        .select_related("lead", "version__plan")
        .order_by("in_force", "version__number")
    )
    return {one.lineage: one for one in found}


def serving(norm: Norm, user: Any) -> QuerySet[Measure]:
    """The measures of plans in force that serve a norm and that the reader may see."""
    return (
        Measure.objects.visible_to(user)
        .current()
        .filter(norms__norm=norm)
        .select_related("lead", "version__plan")
        .order_by("version__plan__code", "position")
    )
