"""Questions about indicators: the cells of breakdowns, where indicators stand, how far targets were reached."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from onatc.models import Code, District, Municipality
from onatc.periods import Period
from onatc.texts import SortKey
from strategy.computed import Computed, query_of
from strategy.indicators import (
    DIMENSIONS,
    UNKNOWN,
    Achievement,
    Dimension,
    Reported,
    Standing,
    Target,
    achievement,
    counted,
    counts_anew,
    rule_text,
    standing,
)
from strategy.models import (
    Breakdown,
    CountingRule,
    Indicator,
    Measure,
    ProgressEntry,
    ProgressValue,
    RequestedIndicator,
    ValueSource,
)

# Breakdowns


def cells_of(dimensions: Iterable[Dimension], held: Iterable[tuple[str, str]] = ()) -> dict[str, list[tuple[str, str]]]:
    """The cells of each breakdown, (code, label) in the list's order, "not known" last where the list has no code for it.
    `held` are (breakdown, code) that a record has already, retired or not. At most three queries."""
    wanted = {one.name: one for one in dimensions}
    kept: dict[str, set[str]] = defaultdict(set)
    for name, code in held:
        kept[name].add(code)
    lists = {one.code_list for one in wanted.values() if one.code_list}
    by_list: dict[str, list[Code]] = defaultdict(list)
    if lists:
        for row in Code.objects.filter(code_list__in=lists).order_by("position", "code"):
            by_list[row.code_list_id].append(row)
    today = timezone.localdate()
    found: dict[str, list[tuple[str, str]]] = {}
    for name, one in wanted.items():
        if name == "district":
            cells = [(place.pk, str(place.name)) for place in District.objects.order_by(SortKey("name"))]
        elif name == "municipality":
            cells = [(area.pk, str(area.name)) for area in Municipality.objects.order_by(SortKey("name"))]
        else:
            cells = [
                (each.code, str(each.label))
                for each in by_list[one.code_list]
                if each.retired_on is None or each.retired_on > today or each.code in kept[name]
            ]
        if one.unknown == UNKNOWN:
            cells.append((UNKNOWN, gettext("not known")))
        found[name] = cells
    return found


# Values that count


@dataclass
class Values:
    """What was accepted of one indicator (by lineage), oldest period first, and for which periods it was asked."""

    reported: list[Reported] = field(default_factory=list)
    asked: set[Period] = field(default_factory=set)

    def until(self, day: date) -> tuple[list[Reported], set[Period]]:
        return [one for one in self.reported if one.period.end <= day], {one for one in self.asked if one.end <= day}


def values_by_indicator(lineages: Iterable[uuid.UUID]) -> dict[uuid.UUID, Values]:
    """The values that count of the indicators of measures (all by lineage): of the institution that reports the indicator,
    as the check found them where there was one. Two queries."""
    found: dict[uuid.UUID, Values] = defaultdict(Values)
    lineages = list(lineages)
    reporter = Q(request__institution=F("indicator__reported_by")) | Q(request__institution=F("request__measure__lead"))
    requested = RequestedIndicator.objects.filter(reporter, request__measure__lineage__in=lineages)
    for lineage, start, end in requested.filter(counting=CountingRule.IN_PERIOD).values_list(
        "indicator__lineage", "request__round__starts_on", "request__round__ends_on"
    ):
        found[lineage].asked.add(Period(start, end))
    reporter = Q(entry__request__institution=F("requested__indicator__reported_by")) | Q(
        entry__request__institution=F("entry__request__measure__lead")
    )
    rows = (
        ProgressValue.objects.filter(
            reporter,
            Q(value__isnull=False) | Q(verified_value__isnull=False),
            # Said again outside, so that the database begins at the few measures and not at all values.
            entry__request__measure__lineage__in=lineages,
            entry__in=ProgressEntry.objects.final().filter(request__measure__lineage__in=lineages).values("pk"),
        )
        .order_by("entry__request__round__ends_on", "entry__accepted_at")
        .values_list(
            "requested__indicator__lineage", "entry__request__round__starts_on", "entry__request__round__ends_on",
            "value", "verified_value", "entry__finding", "numerator", "denominator",
        )
    )  # fmt: skip
    for lineage, start, end, value, verified, finding, top, bottom in rows:
        number = counted(value, verified, finding)
        found[lineage].reported.append(Reported(Period(start, end), number, top, bottom))
    return found


# An indicator as a page shows it


@dataclass(frozen=True)
class Shown:
    """An indicator of a measure with where it stands, each target beside what was reached in its period, and its rule."""

    indicator: Indicator
    standing: Standing
    said: Decimal | None  # the latest value as reported, when the check found another
    targets: list[Achievement]
    rule: str
    query: Computed | None


def shown_indicators(measure: Measure, on: date) -> list[Shown]:
    """The indicators of a measure as of a day. Reads prefetched targets; two queries for the values, one for what was said."""
    indicators = list(measure.indicators.all())
    if not indicators:
        return []
    values = values_by_indicator([measure.lineage])
    said = {
        lineage: (ends_on, value)
        for lineage, ends_on, value in ProgressValue.objects.filter(
            entry__in=ProgressEntry.objects.final().filter(request__measure__lineage=measure.lineage).values("pk"),
            verified_value__isnull=False,
        )
        .order_by("entry__request__round__ends_on")
        .values_list("requested__indicator__lineage", "entry__request__round__ends_on", "value")
    }
    return [_shown(one, values.get(one.lineage, Values()), said.get(one.lineage), on) for one in indicators]


def _shown(one: Indicator, values: Values, said: tuple[date, Decimal | None] | None, on: date) -> Shown:
    has_two = one.has_two_numbers
    reported, asked = values.until(on)
    targets = []
    for row in one.targets.all():
        target = Target(Period(row.starts_on, row.ends_on), row.value)
        reached = standing(one.unit, one.counting, reported, asked=asked, within=target.period, has_two_numbers=has_two)
        targets.append(
            achievement(
                target,
                reached,
                baseline=one.baseline,
                lower_is_better=one.lower_is_better,
                is_sum=counts_anew(one.unit, one.counting),
            )
        )
    stands = standing(one.unit, one.counting, reported, asked=asked, has_two_numbers=has_two)
    return Shown(
        one,
        stands,
        said[1] if said and said[0] == stands.as_of else None,
        targets,
        rule_text(one.unit, one.counting, lower_is_better=one.lower_is_better, has_two_numbers=has_two),
        query_of(one.computed_by) if one.value_source == ValueSource.COMPUTED else None,
    )


def value_rows(entry: ProgressEntry) -> list[dict[str, Any]]:
    """The values of an entry with the cells of their breakdowns in words, for its page. Reads prefetched values and parts."""
    values = list(entry.values.all())
    held = [(part.dimension, part.code) for value in values for part in value.parts.all()]
    labels = {
        name: dict(cells)
        for name, cells in cells_of(
            [DIMENSIONS[name] for name in {name for name, _code in held} if name in DIMENSIONS], held
        ).items()
    }
    rows = []
    for value in values:
        parts: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        for part in value.parts.all():
            parts[part.dimension].append((labels.get(part.dimension, {}).get(part.code, part.code), part))
        found = [(Breakdown(name).label if name in Breakdown.values else name, cells) for name, cells in parts.items()]
        rows.append({"value": value, "parts": found})
    return rows
