"""A plan's version as a tree of goals and objectives with counted signals; measures only where they are asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Subquery

from strategy.filters import MeasureFilter
from strategy.models import EntryState, Goal, Objective, ProgressEntry, Signal

WHOLE = 200  # a plan of up to so many measures is drawn whole; of a larger one, one objective at a time


@dataclass(frozen=True)
class Counted:
    """So many measures of a signal, and the query of the list that shows them."""

    code: str
    label: str
    number: int
    query: str


@dataclass
class Branch:
    """A goal or an objective; `measures` is None when it is not drawn, `more` how many of an opened one are not."""

    record: Any
    number: int
    query: str
    counts: list[Counted]
    branches: list[Branch] = field(default_factory=list)
    measures: list[Any] | None = None
    is_open: bool = False

    @property
    def more(self) -> int:
        return self.number - len(self.measures) if self.measures is not None else 0


def plan_tree(found: MeasureFilter, opened: str = "") -> tuple[list[Branch], bool]:
    """The branches under the filter, and whether all measures are drawn. `opened` is "goal code/objective code".

    Three queries, and one for the measures drawn."""
    counts: dict[Any, Counter[str | None]] = defaultdict(Counter)
    for objective, signal, number in (
        found.rows.order_by().values_list("objective", "signal").annotate(number=Count("pk", distinct=True))
    ):
        counts[objective][signal] += number
    is_whole = sum(sum(one.values()) for one in counts.values()) <= WHOLE
    tree, drawn = [], {}
    goals = Goal.objects.filter(version=found.version).prefetch_related(Prefetch("objectives", Objective.objects.all()))
    for goal in goals:
        branch = Branch(goal, 0, "", [])
        sums: Counter[str | None] = Counter()
        for objective in goal.objectives.all():
            if objective.pk not in counts:
                continue
            here = {"goal": goal.code, "objective": objective.code}
            leaf = Branch(
                objective, sum(counts[objective.pk].values()), found.list_query(**here),
                _counted(found, counts[objective.pk], here), is_open=opened == f"{goal.code}/{objective.code}",
            )  # fmt: skip
            if is_whole or leaf.is_open:
                leaf.measures = []
                drawn[objective.pk] = leaf
            branch.branches.append(leaf)
            branch.is_open = branch.is_open or leaf.is_open
            sums += counts[objective.pk]
        if branch.branches:
            branch.number = sum(sums.values())
            branch.query = found.list_query(goal=goal.code)
            branch.counts = _counted(found, sums, {"goal": goal.code})
            tree.append(branch)
    if drawn:
        rows = found.rows.filter(objective__in=list(drawn)).select_related("lead").order_by("position", "pk")
        for measure in rows.annotate(verified_state=_verified_state())[:WHOLE]:
            leaf = drawn[measure.objective_id]
            if leaf.measures is not None:
                leaf.measures.append(measure)
    return tree, is_whole


def _counted(found: MeasureFilter, counts: Counter[str | None], here: dict[str, str]) -> list[Counted]:
    return [
        Counted(code, str(label), counts[code], found.list_query(**here, signal=code))
        for code, label in Signal.choices
        if counts.get(code)
    ]


def _verified_state() -> Subquery:
    """The state of the measure that the latest check of a report of its lead institution found; empty without one."""
    checked = ProgressEntry.objects.filter(
        request__measure__lineage=OuterRef("lineage"), request__institution=OuterRef("lead"), state=EntryState.VERIFIED
    )
    return Subquery(checked.order_by("-request__round__ends_on", "-verified_at").values("verified_measure_state")[:1])
