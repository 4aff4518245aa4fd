"""The rows of a version, written in bulk from sheets (`strategy.workbook`), whatever file they came from."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.conf import settings

from onatc.ids import new_id
from onatc.models import Code
from stakeholders.models import Institution
from strategy.models import (
    BudgetLine,
    Goal,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasureDependency,
    MeasureNorm,
    MeasureOrigin,
    MeasurePartner,
    MeasureRisk,
    MeasureState,
    MeasureTag,
    Milestone,
    Norm,
    Objective,
    Plan,
    PlanVersion,
    ServedMeasure,
    Strategy,
)
from strategy.queries.workbook import served_measures
from strategy.workbook import LANGUAGES, Sheets, cents

BATCH = 1_000


def plan_of_sheets(sheets: Sheets) -> Plan:
    """A new plan as its sheet says; the strategy of that code when there is one. A code that is taken gets a number."""
    row = sheets["Plan"][0]
    strategy, _created = Strategy.objects.get_or_create(
        code=row["strategy_code"],
        defaults={
            "kind": row["strategy_kind"],
            **{f"title_{one}": row[f"strategy_title_{one}"] for one in LANGUAGES},
            "starts_on": date.fromisoformat(row["strategy_starts_on"]),
            "ends_on": date.fromisoformat(row["strategy_ends_on"]),
        },
    )
    code, number = row["plan_code"], 1
    while Plan.objects.filter(code=code).exists():
        number += 1
        code = f"{row['plan_code'][:36]}-{number}"
    return Plan.objects.create(
        strategy=strategy,
        code=code,
        kind=row["kind"],
        **_texts(row, "title"),
        owner=Institution.objects.filter(code=row["owner"]).first(),
        district_id=row["district"] or None,
        municipality_id=row["municipality"] or None,
        languages=row["languages"].split("; "),
        starts_on=date.fromisoformat(row["starts_on"]),
        ends_on=date.fromisoformat(row["ends_on"]),
        is_demonstration=settings.DEMO,
    )


def write_version(version: PlanVersion, sheets: Sheets, before: PlanVersion | None) -> None:
    """All rows of a new version. A record whose key `before` or nobody holds keeps it as its lineage; measures keep their
    state, and in a draft that is replaced where they came from."""
    _Writer(version, sheets, before).write()


class _Writer:
    def __init__(self, version: PlanVersion, sheets: Sheets, before: PlanVersion | None) -> None:
        self.version, self.sheets, self.before = version, sheets, before
        self.institutions = {one.code: one for one in Institution.objects.all()}
        self.measures: dict[str, Measure] = {}

    def write(self) -> None:
        self._write_measures()
        self._write_partners()
        self._write_indicators()
        self._write_budget()
        self._write_links()
        self._write_texts()
        if self.before is not None and self.before.state != "adopted":
            self._keep_origins()

    def _ours(self, model: Any, rows: list[dict[str, str]], plan_path: str) -> Any:
        """A function from a row's key to its lineage: the key unless a record of another plan holds it."""
        wanted = {row["key"] for row in rows if row["key"]}
        foreign = {
            str(lineage)
            for lineage in model.objects.filter(lineage__in=wanted)
            .exclude(**{plan_path: self.version.plan_id})
            .values_list("lineage", flat=True)
        }
        return lambda key: uuid.UUID(key) if key and key not in foreign else new_id()

    def _write_measures(self) -> None:
        sheets, version = self.sheets, self.version
        goals = {
            row["code"]: Goal(version=version, code=row["code"], position=int(row["position"]), **_texts(row, "title"))
            for row in sheets["Goals"]
        }
        objectives = {
            (row["goal_code"], row["code"]): Objective(
                goal=goals[row["goal_code"]],
                code=row["code"],
                position=int(row["position"]),
                **_texts(row, "title"),
            )
            for row in sheets["Objectives"]
        }
        lineage = self._ours(Measure, sheets["Measures"], "version__plan")
        for row in sheets["Measures"]:
            self.measures[row["code"]] = Measure(
                version=version,
                lineage=lineage(row["key"]),
                objective=objectives[row["goal_code"], row["objective_code"]],
                code=row["code"],
                position=int(row["position"]),
                **_texts(row, "title"),
                **_texts(row, "description"),
                lead=self.institutions[row["lead"]],
                starts_on=date.fromisoformat(row["starts_on"]),
                ends_on=date.fromisoformat(row["ends_on"]),
                state=row["state"] or MeasureState.PLANNED,
                source=row["source"],
            )
        Goal.objects.bulk_create(goals.values(), BATCH)
        Objective.objects.bulk_create(objectives.values(), BATCH)
        Measure.objects.bulk_create(self.measures.values(), BATCH)

    def _write_partners(self) -> None:
        MeasurePartner.objects.bulk_create(
            (
                MeasurePartner(
                    measure=self.measures[row["measure_code"]],
                    institution=self.institutions[row["institution"]],
                    position=int(row["position"]),
                    **_texts(row, "part"),
                )
                for row in self.sheets["Partners"]
            ),
            BATCH,
        )

    def _write_indicators(self) -> None:
        lineage = self._ours(Indicator, self.sheets["Indicators"], "measure__version__plan")
        indicators = {
            (row["measure_code"], row["number"]): Indicator(
                measure=self.measures[row["measure_code"]],
                lineage=lineage(row["key"]),
                position=int(row["number"]),
                **_texts(row, "name"),
                unit=row["unit"],
                counting=row["counting"],
                lower_is_better=row["lower_is_better"] == "yes",
                **_texts(row, "definition"),
                **_texts(row, "numerator"),
                **_texts(row, "denominator"),
                baseline=row["baseline"] or None,
                baseline_on=row["baseline_on"] or None,
                disaggregation=[one for one in row["disaggregation"].split("; ") if one],
                value_source=row["value_source"],
                computed_by=row["computed_by"],
                reported_by=self.institutions.get(row["reported_by"]),
                frequency=row["frequency"],
            )
            for row in self.sheets["Indicators"]
        }
        Indicator.objects.bulk_create(indicators.values(), BATCH)
        IndicatorTarget.objects.bulk_create(
            (
                IndicatorTarget(
                    indicator=indicators[row["measure_code"], row["indicator_number"]],
                    starts_on=row["starts_on"],
                    ends_on=row["ends_on"],
                    value=row["value"],
                )
                for row in self.sheets["Targets"]
            ),
            BATCH,
        )

    def _write_budget(self) -> None:
        lineage = self._ours(BudgetLine, self.sheets["Budget"], "measure__version__plan")
        BudgetLine.objects.bulk_create(
            (
                BudgetLine(
                    measure=self.measures[row["measure_code"]],
                    lineage=lineage(row["key"]),
                    year=int(row["year"]) if row["year"] else None,
                    source=row["source"],
                    reference=row["reference"],
                    funder=self.institutions.get(row["funder"]),
                    planned_cents=cents(row["planned_eur"]),
                )
                for row in self.sheets["Budget"]
            ),
            BATCH,
        )

    def _write_links(self) -> None:
        """What points to other records: measures of this plan and of others, norms, tags."""
        measures = self.measures
        MeasureDependency.objects.bulk_create(
            (
                MeasureDependency(measure=measures[row["measure_code"]], needs=measures[row["needs"]], note=row["note"])
                for row in self.sheets["Dependencies"]
            ),
            BATCH,
        )
        norms = {(norm.act, norm.reference): norm for norm in Norm.objects.all()}
        for row in self.sheets["Norms"]:
            if (row["act"], row["reference"]) not in norms:
                norms[row["act"], row["reference"]] = Norm.objects.create(
                    act=row["act"], reference=row["reference"], kind=row["kind"], **_texts(row, "title")
                )
        MeasureNorm.objects.bulk_create(
            (
                MeasureNorm(measure=measures[row["measure_code"]], norm=norms[row["act"], row["reference"]])
                for row in self.sheets["Norms"]
            ),
            BATCH,
        )
        tags = {tag.code: tag for tag in Code.objects.filter(code_list="measure_tag")}
        MeasureTag.objects.bulk_create(
            (MeasureTag(measure=measures[row["measure_code"]], tag=tags[row["tag"]]) for row in self.sheets["Tags"]),
            BATCH,
        )
        plans = {row["plan_code"] for row in self.sheets["Serves"]}
        served = {plan: served_measures(plan) for plan in plans}
        ServedMeasure.objects.bulk_create(
            (
                ServedMeasure(measure=measures[row["measure_code"]], serves=served[row["plan_code"]][row["serves"]])
                for row in self.sheets["Serves"]
            ),
            BATCH,
        )

    def _write_texts(self) -> None:
        lineage = self._ours(Milestone, self.sheets["Milestones"], "measure__version__plan")
        Milestone.objects.bulk_create(
            (
                Milestone(
                    measure=self.measures[row["measure_code"]],
                    lineage=lineage(row["key"]),
                    due_on=row["due_on"],
                    **_texts(row, "title"),
                )
                for row in self.sheets["Milestones"]
            ),
            BATCH,
        )
        MeasureRisk.objects.bulk_create(
            (
                MeasureRisk(
                    measure=self.measures[row["measure_code"]],
                    kind=row["kind"],
                    level=row["level"],
                    **_texts(row, "text"),
                    **_texts(row, "response"),
                )
                for row in self.sheets["Risks"]
            ),
            BATCH,
        )

    def _keep_origins(self) -> None:
        by_lineage = {measure.lineage: measure for measure in self.measures.values()}
        MeasureOrigin.objects.bulk_create(
            (
                MeasureOrigin(measure=by_lineage[one.measure.lineage], origin=one.origin, kind=one.kind)
                for one in MeasureOrigin.objects.filter(measure__version=self.before).select_related(
                    "measure", "origin"
                )
                if one.measure.lineage in by_lineage
            ),
            BATCH,
        )


def _texts(row: dict[str, str], base: str) -> dict[str, str]:
    return {f"{base}_{language}": row[f"{base}_{language}"] for language in LANGUAGES}
