"""A version of a plan as sheets (`strategy.workbook`), and what the application knows that a workbook may name."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from onatc.models import Code, District, Municipality
from stakeholders.models import Institution
from strategy import computed
from strategy.models import (
    BudgetLine,
    Goal,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasureDependency,
    MeasureNorm,
    MeasurePartner,
    MeasureRisk,
    MeasureTag,
    Milestone,
    Norm,
    Objective,
    PlanVersion,
    ServedMeasure,
    VersionState,
)
from strategy.workbook import LANGUAGES, SHEETS, YES_NO, Known, Sheets, euro, settled


def version_as_sheets(version: PlanVersion) -> Sheets:
    """All that a version says, in the order in which its pages show it; one query a sheet, whatever its size."""
    sheets: Sheets = {name: [] for name in SHEETS}
    sheets["Plan"] = [_plan(version)]
    for goal in Goal.objects.filter(version=version).order_by("position", "code"):
        sheets["Goals"].append({"position": str(goal.position), "code": goal.code, **_texts(goal, "title")})
    objectives = Objective.objects.filter(goal__version=version).select_related("goal")
    for objective in objectives.order_by("goal__position", "position", "code"):
        sheets["Objectives"].append(
            {
                "goal_code": objective.goal.code,
                "position": str(objective.position),
                "code": objective.code,
                **_texts(objective, "title"),
            }
        )
    measures = Measure.objects.filter(version=version).select_related("objective__goal", "lead")
    for measure in measures.order_by("position", "code"):
        sheets["Measures"].append(
            {
                "goal_code": measure.objective.goal.code,
                "objective_code": measure.objective.code,
                "position": str(measure.position),
                "code": measure.code,
                **_texts(measure, "title"),
                **_texts(measure, "description"),
                "lead": measure.lead.code,
                **_days(measure, "starts_on", "ends_on"),
                "state": measure.state,
                "source": settled(measure.source),
                "key": str(measure.lineage),
            }
        )
    _details(version, sheets)
    return sheets


def _plan(version: PlanVersion) -> dict[str, str]:
    plan, strategy = version.plan, version.plan.strategy
    return {
        "plan_code": plan.code,
        "kind": plan.kind,
        **_texts(plan, "title"),
        **_days(plan, "starts_on", "ends_on"),
        "owner": _code(plan.owner),
        "district": plan.district_id or "",
        "municipality": plan.municipality_id or "",
        "languages": "; ".join(plan.languages),
        "strategy_code": strategy.code,
        "strategy_kind": strategy.kind,
        **{f"strategy_{name}": text for name, text in _texts(strategy, "title").items()},
        **{f"strategy_{name}": day for name, day in _days(strategy, "starts_on", "ends_on").items()},
    }


def _details(version: PlanVersion, sheets: Sheets) -> None:
    of_version: dict[str, Any] = {"measure__version": version}
    order = ("measure__position", "measure__code")
    for partner in (
        MeasurePartner.objects.filter(**of_version)
        .select_related("measure", "institution")
        .order_by(*order, "position", "pk")
    ):
        sheets["Partners"].append(
            {
                "measure_code": partner.measure.code,
                "position": str(partner.position),
                "institution": partner.institution.code,
                **_texts(partner, "part"),
            }
        )
    for indicator in (
        Indicator.objects.filter(**of_version).select_related("measure", "reported_by").order_by(*order, "position")
    ):
        sheets["Indicators"].append(_indicator(indicator))
    targets = IndicatorTarget.objects.filter(indicator__measure__version=version).select_related("indicator__measure")
    for target in targets.order_by(*(f"indicator__{one}" for one in order), "indicator__position", "ends_on"):
        sheets["Targets"].append(
            {
                "measure_code": target.indicator.measure.code,
                "indicator_number": str(target.indicator.position),
                **_days(target, "starts_on", "ends_on"),
                "value": f"{target.value:.2f}",
            }
        )
    for line in (
        BudgetLine.objects.filter(**of_version)
        .select_related("measure", "funder")
        .order_by(*order, "year", "source", "pk")
    ):
        sheets["Budget"].append(
            {
                "measure_code": line.measure.code,
                "year": str(line.year or ""),
                "source": line.source,
                "reference": settled(line.reference),
                "funder": _code(line.funder),
                "planned_eur": euro(line.planned_cents),
                "key": str(line.lineage),
            }
        )
    for milestone in Milestone.objects.filter(**of_version).select_related("measure").order_by(*order, "due_on", "pk"):
        sheets["Milestones"].append(
            {
                "measure_code": milestone.measure.code,
                **_days(milestone, "due_on"),
                **_texts(milestone, "title"),
                "key": str(milestone.lineage),
            }
        )
    for one in (
        MeasureDependency.objects.filter(**of_version)
        .select_related("measure", "needs")
        .order_by(*order, "needs__position")
    ):
        sheets["Dependencies"].append(
            {"measure_code": one.measure.code, "needs": one.needs.code, "note": settled(one.note)}
        )
    for served in (
        MeasureNorm.objects.filter(**of_version).select_related("measure", "norm").order_by(*order, "norm__act", "pk")
    ):
        norm = served.norm
        sheets["Norms"].append(
            {
                "measure_code": served.measure.code,
                "act": settled(norm.act),
                "reference": settled(norm.reference),
                "kind": norm.kind,
                **_texts(norm, "title"),
            }
        )
    for risk in MeasureRisk.objects.filter(**of_version).select_related("measure").order_by(*order, "kind", "pk"):
        sheets["Risks"].append(
            {
                "measure_code": risk.measure.code,
                "kind": risk.kind,
                "level": risk.level,
                **_texts(risk, "text"),
                **_texts(risk, "response"),
            }
        )
    for tagged in (
        MeasureTag.objects.filter(**of_version).select_related("measure", "tag").order_by(*order, "tag__position", "pk")
    ):
        sheets["Tags"].append({"measure_code": tagged.measure.code, "tag": tagged.tag.code})
    for up in (
        ServedMeasure.objects.filter(**of_version)
        .select_related("measure", "serves__version__plan")
        .order_by(*order, "serves__code", "pk")
    ):
        sheets["Serves"].append(
            {
                "measure_code": up.measure.code,
                "plan_code": up.serves.version.plan.code,
                "serves": up.serves.code,
            }
        )


def _indicator(indicator: Indicator) -> dict[str, str]:
    baseline = indicator.baseline
    return {
        "measure_code": indicator.measure.code,
        "number": str(indicator.position),
        **_texts(indicator, "name"),
        "unit": indicator.unit,
        "counting": indicator.counting,
        "lower_is_better": YES_NO[indicator.lower_is_better],
        **_texts(indicator, "definition"),
        **_texts(indicator, "numerator"),
        **_texts(indicator, "denominator"),
        "baseline": "" if baseline is None else f"{baseline:.2f}",
        **_days(indicator, "baseline_on"),
        "disaggregation": "; ".join(indicator.disaggregation),
        "value_source": indicator.value_source,
        "computed_by": indicator.computed_by,
        "reported_by": _code(indicator.reported_by),
        "frequency": indicator.frequency,
        "key": str(indicator.lineage),
    }


def _texts(record: Any, base: str) -> dict[str, str]:
    return {f"{base}_{language}": settled(getattr(record, f"{base}_{language}")) for language in LANGUAGES}


def _days(record: Any, *names: str) -> dict[str, str]:
    days = {name: getattr(record, name) for name in names}
    return {name: day.isoformat() if day else "" for name, day in days.items()}


def _code(institution: Institution | None) -> str:
    return institution.code if institution else ""


def what_is_known() -> Known:
    """Institutions, places, tags and norms by the codes that a workbook uses; measures of other plans when asked."""
    institutions = list(Institution.objects.select_related("successor"))
    today = timezone.localdate()
    return Known(
        institutions={one.code: one.dissolved_on for one in institutions},
        names={one.code: str(one.name) for one in institutions},
        successors={one.code: one.successor.code for one in institutions if one.successor},
        districts=frozenset(District.objects.values_list("code", flat=True)),
        municipalities=frozenset(Municipality.objects.values_list("code", flat=True)),
        tags={
            code: retired is None or retired > today
            for code, retired in Code.objects.filter(code_list="measure_tag").values_list("code", "retired_on")
        },
        norms=frozenset((settled(act), settled(one)) for act, one in Norm.objects.values_list("act", "reference")),
        measures_of=lambda plan: frozenset(served_measures(plan)),
        queries=frozenset(query.key for query in computed.known()),
    )


def served_measures(plan_code: str) -> dict[str, Measure]:
    """The measures of a plan that a local plan may point to, by code: of the version in force, else of the newest that was
    adopted before, so that what was pointed to stays pointed to."""
    found: dict[str, Measure] = {}
    states = [VersionState.SUPERSEDED, VersionState.ADOPTED]
    measures = Measure.objects.filter(version__plan__code=plan_code, version__state__in=states)
    for measure in measures.order_by("version__number"):
        found[measure.code] = measure
    if not found:
        for measure in Measure.objects.filter(version__plan__code=plan_code, version__state=VersionState.DRAFT):
            found[measure.code] = measure
    return found
