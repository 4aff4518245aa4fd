"""What a version of a plan consists of, said once: copying, freezing and comparing versions all go by `CONTENT`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from onatc.ids import new_id
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
    MeasureTag,
    Milestone,
    Objective,
    PlanVersion,
    ServedMeasure,
)

BATCH = 1_000
# Says nothing of what the plan says: keys, order, counters, and what is reported.
NOT_CONTENT = frozenset({"id", "lineage", "position", "revision", "state"})


@dataclass(frozen=True)
class Part:
    """A table that belongs to a version.

    `version` is the path to it, `measure` the path to the measure ("" for what stands above measures). `inside` are the
    fields that point at rows of the same version; in a copy they point at the copies. `key` finds the same row in another
    version: a field, or a path to the lineage of what a field points at.
    """

    model: type[models.Model]
    version: str
    key: tuple[str, ...]
    measure: str = ""
    inside: tuple[str, ...] = field(default=("measure",))

    @property
    def name(self) -> str:
        return self.model._meta.model_name or ""

    @property
    def compared(self) -> list[models.Field[Any, Any]]:
        """The fields whose values two versions are compared by."""
        left_out = NOT_CONTENT | set(self.inside) | {one for one in self.key if "__" not in one and one != "lineage"}
        return [one for one in self.model._meta.concrete_fields if one.name not in left_out]


def _of_measure(model: type[models.Model], *key: str, inside: tuple[str, ...] = ("measure",)) -> Part:
    return Part(model, "measure__version", key, "measure", inside)


# In an order in which each row's links inside the version stand before it.
CONTENT: tuple[Part, ...] = (
    Part(Goal, "version", ("code",), inside=("version",)),
    Part(Objective, "goal__version", ("code",), inside=("goal",)),
    Part(Measure, "version", ("lineage",), inside=("version", "objective")),
    _of_measure(MeasurePartner, "institution"),
    _of_measure(Indicator, "lineage"),
    Part(
        IndicatorTarget,
        "indicator__measure__version",
        ("indicator__lineage", "ends_on"),
        "indicator__measure",
        ("indicator",),
    ),
    _of_measure(BudgetLine, "lineage"),
    _of_measure(Milestone, "lineage"),
    _of_measure(MeasureDependency, "needs__lineage", inside=("measure", "needs")),
    _of_measure(MeasureNorm, "norm"),
    _of_measure(MeasureTag, "tag"),
    _of_measure(MeasureRisk, "kind", "text_sq", "text_sr", "text_en"),
    _of_measure(ServedMeasure, "serves__lineage"),
)
# The triggers that hold an adopted version as it is (strategy.models.plan.frozen), for whoever may lift them: nobody but
# what fills a demonstration.
FREEZES = tuple(
    f"strategy.{part.model.__name__}:frozen_once_adopted" for part in (*CONTENT, Part(MeasureOrigin, "", ()))
)


def rows_of(part: Part, versions: Iterable[PlanVersion]) -> models.QuerySet[Any]:
    """The rows of a part in versions."""
    path = part.version
    return part.model._default_manager.filter(**{f"{path}__in": [version.pk for version in versions]})


def copy_content(source: PlanVersion, into: PlanVersion) -> None:
    """Everything that `source` says, in bulk, into an empty draft; a constant number of queries.

    Lineages stay: the measure, the indicator, the milestone and the budget line go on. Where a measure came from by a
    split or a merger is about the step to `source`, and is not copied.
    """
    made: dict[Any, Any] = {source.pk: into.pk}
    for part in CONTENT:
        fresh = []
        for row in rows_of(part, [source]).order_by("pk"):
            values = {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields if one.name != "id"}
            for link in part.inside:
                values[f"{link}_id"] = made[values[f"{link}_id"]]
            if "revision" in values:
                values["revision"] = 0
            copied = part.model(**values)
            if isinstance(row.pk, uuid.UUID):
                copied.pk = new_id()
                made[row.pk] = copied.pk
            fresh.append(copied)
        part.model._default_manager.bulk_create(fresh, BATCH)
