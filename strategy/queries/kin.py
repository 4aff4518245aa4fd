"""Which measures one came from and which came of it, by the splits and mergers of its plan.

What the page of a measure calls its kin is kept apart in time: of a measure that something was split off from, or that
was merged into another, only what was before belongs to the descendant; of a measure that took another one in, only what
came after belongs to the one taken in. So a row is told once, and never the history of a mere sibling.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from strategy.models import Measure, MeasureOrigin, PlanVersion


@dataclass(frozen=True)
class Kin:
    """A measure that another came from (`is_before`), or that came of it, as it stood at the split or merger nearest to the
    measure asked about; `generation` 1 is directly. Its own versions that count lie before `number`, or from it on."""

    origin: MeasureOrigin
    is_before: bool
    generation: int
    number: int

    @property
    def kind(self) -> str:
        return self.origin.kind

    @property
    def measure(self) -> Measure:
        return self.origin.origin if self.is_before else self.origin.measure

    @property
    def version(self) -> PlanVersion:
        """The version by which the split or merger was made."""
        return self.origin.measure.version

    @property
    def said(self) -> str:
        sentence = {
            (True, MeasureOrigin.Kind.SPLIT): gettext("%(taker)s was split off from it by version %(number)d."),
            (True, MeasureOrigin.Kind.MERGED): gettext("It was merged into %(taker)s by version %(number)d."),
            (False, MeasureOrigin.Kind.SPLIT): gettext("It was split off from %(giver)s by version %(number)d."),
            (False, MeasureOrigin.Kind.MERGED): gettext("%(giver)s was merged into it by version %(number)d."),
        }[self.is_before, MeasureOrigin.Kind(self.kind)]
        return sentence % {
            "taker": self.origin.measure.code, "giver": self.origin.origin.code, "number": self.version.number
        }  # fmt: skip

    def made(self, measure: Measure) -> bool:
        """Whether `measure` came to be by being split off from this one."""
        is_split = self.kind == MeasureOrigin.Kind.SPLIT
        return self.is_before and is_split and self.origin.measure.lineage == measure.lineage

    def covers(self, number: int) -> bool:
        return number < self.number if self.is_before else number >= self.number


def kin_of(measure: Measure, user: Any) -> tuple[list[Kin], list[Kin]]:
    """What the measure came from and what came of it, nearest first, across all splits and mergers of the plan, as far as
    the reader sees both sides of each; one query."""
    seen = Measure.objects.visible_to(user).values("pk")
    rows = list(
        MeasureOrigin.objects.filter(measure__version__plan=measure.version.plan_id, measure__in=seen, origin__in=seen)
        .select_related("measure__version", "origin__version")
        .order_by("measure__version__number", "pk")
    )
    return _walk(measure, rows, is_before=True), _walk(measure, rows, is_before=False)


def _walk(measure: Measure, rows: Iterable[MeasureOrigin], *, is_before: bool) -> list[Kin]:
    """Going back, a split or merger counts if it was made before the kin's own end; going on, if after its beginning.
    Where two ways lead to the same measure, the nearer names it and the wider term counts."""
    beyond: Callable[[int, int], bool] = (lambda one, two: one < two) if is_before else (lambda one, two: one > two)
    found: dict[uuid.UUID, Kin] = {}
    edge: dict[uuid.UUID, int | None] = {measure.lineage: None}
    generation = 0
    while edge:
        generation += 1
        following: dict[uuid.UUID, int | None] = {}
        for row in rows:
            here, there = (row.measure, row.origin) if is_before else (row.origin, row.measure)
            number = row.measure.version.number
            if here.lineage not in edge or there.lineage == measure.lineage:
                continue
            bound = edge[here.lineage]
            if bound is not None and not beyond(number, bound):
                continue
            known = found.get(there.lineage)
            if known is None:
                found[there.lineage] = Kin(row, is_before, generation, number)
            elif beyond(known.number, number):
                found[there.lineage] = Kin(known.origin, is_before, known.generation, number)
            else:
                continue
            following[there.lineage] = number
        edge = following
    return list(found.values())


@dataclass
class Chapter:
    """One measure's part of a story: the measure itself (`kin` is None) or a kin; `keys` are its rows in the versions that
    count, the newest first."""

    measure: Measure
    kin: Kin | None
    rows: list[Measure] = field(default_factory=list)

    @property
    def keys(self) -> list[Any]:
        return [row.pk for row in self.rows]


def chapters(measure: Measure, user: Any) -> list[Chapter]:
    """The measure in all its versions, then what came of it, then what it came from; each row in one chapter alone. Two
    queries, however many kin there are."""
    before, after = kin_of(measure, user)
    told = [Chapter(measure, None), *(Chapter(kin.measure, kin) for kin in (*after, *before))]
    by_lineage: dict[uuid.UUID, list[Chapter]] = {}
    for chapter in told:
        by_lineage.setdefault(chapter.measure.lineage, []).append(chapter)
    rows = (
        Measure.objects.visible_to(user)
        .filter(lineage__in=by_lineage, version__plan=measure.version.plan_id)
        .select_related("version")
        .order_by("-version__number")
    )
    for row in rows:
        for chapter in by_lineage[row.lineage]:
            if chapter.kin is None or chapter.kin.covers(row.version.number):
                chapter.rows.append(row)
                break
    return told
