"""What the values of an indicator amount to: the rules of counting, of targets and of breakdowns. Plain functions, no database.

Standing of an indicator at the end of a period (Article 8.4.2: the office monitors the plan; the rule is shown beside each
value):

1. *Total since the start* and *situation on the last day*: the latest accepted value.
2. *Counted in the period*: the sum of the periods, each once; where a longer period and shorter ones inside it were both
   reported, the longer one counts. A period that was asked for and has no value makes the sum a lower bound: "at least".
3. A percentage is never summed: numerators and denominators are, and then divided. Without the two numbers, and for days
   and yes-or-no answers, the latest value stands also when it was counted in the period.
4. Where a check found another value, that value counts; what a check did not confirm does not count (`counted`).

Shares are half-up to the stored decimals. What is missing is never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.periods import Period
from strategy.models.plan import CountingRule, Frequency, Unit

CENT, TENTH = Decimal("0.01"), Decimal("0.1")
UNKNOWN = "UNKNOWN"  # the cell of a list that has no code of its own for what is not known


# Percentages


def percentage(numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
    """Numerator of denominator in per cent, two decimals, half-up; None when a number is missing or there is nothing to
    divide by."""
    if numerator is None or denominator is None or denominator == 0:
        return None
    return (numerator / denominator * 100).quantize(CENT, ROUND_HALF_UP)


# Standing


@dataclass(frozen=True)
class Reported:
    """One accepted value with the period that it is about."""

    period: Period
    value: Decimal | None
    numerator: Decimal | None = None
    denominator: Decimal | None = None


@dataclass(frozen=True)
class Standing:
    """What an indicator amounts to. `missing` counts the periods of a sum that were asked for and have no value; the value
    is then the least that it can be. `as_of` is the end of the newest period in it."""

    value: Decimal | None = None
    periods: int = 0
    missing: int = 0
    as_of: date | None = None

    @property
    def is_at_least(self) -> bool:
        return self.value is not None and self.missing > 0


def counted(value: Decimal | None, verified: Decimal | None, finding: str) -> Decimal | None:
    """The value that counts: what the check found; without it what was reported, unless the check did not confirm it."""
    if verified is not None:
        return verified
    return None if finding == "not" else value


def is_summed(unit: str, counting: str, *, has_two_numbers: bool = False) -> bool:
    """Whether the values of several periods are added up."""
    if counting != CountingRule.IN_PERIOD:
        return False
    return unit == Unit.NUMBER or (unit == Unit.PERCENT and has_two_numbers)


def counts_anew(unit: str, counting: str) -> bool:
    """Whether it is a count that begins at nought in each period, so that a baseline is not where it starts from."""
    return unit == Unit.NUMBER and counting == CountingRule.IN_PERIOD


def once_each(reported: Iterable[Reported]) -> list[Reported]:
    """Of values about overlapping periods those that are added up: the longest first, then the earliest; of two about the
    same period the later one in the list. No day is counted twice."""
    by_period = {one.period: one for one in reported if one.value is not None}
    kept: list[Reported] = []
    for one in sorted(by_period.values(), key=lambda each: (-each.period.days, each.period.start)):
        if all(one.period.end < other.period.start or other.period.end < one.period.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda each: each.period)


def standing(
    unit: str,
    counting: str,
    reported: Sequence[Reported],
    *,
    asked: Iterable[Period] = (),
    within: Period | None = None,
    has_two_numbers: bool = False,
) -> Standing:
    """Where an indicator stands by its accepted values, oldest first. `asked` are the periods for which it was asked, of use
    for sums alone; `within` leaves aside what was reported about other times."""
    values = [one for one in reported if within is None or within.start <= one.period.end <= within.end]
    if not is_summed(unit, counting, has_two_numbers=has_two_numbers):
        known = [one for one in values if one.value is not None]
        if not known:
            return Standing()
        latest = max(known, key=lambda one: one.period.end)
        return Standing(latest.value, 1, 0, latest.period.end)
    if within is not None:
        values = [one for one in values if within.start <= one.period.start]
    parts = once_each(values)
    covered = {
        period: sum(_days_in_common(period, part.period) for part in parts)
        for period in set(asked)
        if within is None or (within.start <= period.start and period.end <= within.end)
    }
    missing = sum(days < period.days for period, days in covered.items())
    if not parts:
        return Standing(None, 0, missing)
    total: Decimal | None
    if unit == Unit.PERCENT:
        numbers = [_two_numbers(part) for part in parts]
        total = percentage(
            sum((top for top, _bottom in numbers), Decimal(0)), sum((bottom for _top, bottom in numbers), Decimal(0))
        )
    else:
        total = sum((part.value for part in parts if part.value is not None), Decimal(0))
    return Standing(total, len(parts), missing, max(part.period.end for part in parts))


def _days_in_common(one: Period, other: Period) -> int:
    return max((min(one.end, other.end) - max(one.start, other.start)).days + 1, 0)


def _two_numbers(one: Reported) -> tuple[Decimal, Decimal]:
    """Numerator and denominator of a percentage; a verified percentage keeps the denominator and moves the numerator."""
    bottom = one.denominator or Decimal(0)
    if one.value is not None and one.value != percentage(one.numerator, one.denominator):
        return one.value * bottom / 100, bottom
    return one.numerator or Decimal(0), bottom


# Targets


@dataclass(frozen=True)
class Target:
    period: Period
    value: Decimal


@dataclass(frozen=True)
class Achievement:
    """A target beside what was reached in its period. `share` is 0–100 with one decimal; `is_reached` is None while it
    cannot be known."""

    target: Target
    standing: Standing
    share: Decimal | None
    is_reached: bool | None


def share_of_way(value: Decimal | None, baseline: Decimal | None, target: Decimal | None) -> Decimal | None:
    """Share of the way from baseline to target, 0.0–100.0, half-up; None when a part is unknown or the two are equal
    (then reaching the target is all there is: 100 when the value is at it, else unknown)."""
    if value is None or target is None or baseline is None:
        return None
    way = target - baseline
    if way == 0:
        return Decimal("100.0") if value == target else None
    return min(max((value - baseline) / way * 100, Decimal(0)), Decimal(100)).quantize(TENTH, ROUND_HALF_UP)


def achievement(
    target: Target,
    reached: Standing,
    *,
    baseline: Decimal | None,
    lower_is_better: bool,
    is_sum: bool,
) -> Achievement:
    """How far the target of a period was reached. A sum of counts (`is_sum`) is measured against the target alone, since counting begins anew in
    each period; of a sum that should stay low there is no share, only whether it stayed below."""
    value, share = reached.value, None
    if not is_sum:
        share = share_of_way(value, baseline, target.value)
    elif not lower_is_better:
        share = share_of_way(value, Decimal(0), target.value)
    is_reached: bool | None = None
    if value is not None:
        is_reached = value <= target.value if lower_is_better else value >= target.value
        # A sum that is only "at least" can still rise: above the target is certain, below it is not.
        if is_sum and reached.is_at_least and is_reached == lower_is_better:
            is_reached = None
    return Achievement(target, reached, share, is_reached)


def rule_text(unit: str, counting: str, *, lower_is_better: bool, has_two_numbers: bool = False) -> str:
    """The rule of an indicator as sentences in the active language."""
    how = gettext("The latest accepted value counts.")
    against = gettext("Achieved = (latest value − baseline) / (target − baseline).")
    if is_summed(unit, counting, has_two_numbers=has_two_numbers):
        if unit == Unit.PERCENT:
            how = gettext(
                "The numerators and the denominators of the periods are added up, each period once, and divided."
            )
        else:
            how = gettext(
                "The values of the periods are added up, each period once; a period without a value is missing, not zero."
            )
            against = gettext("Achieved = sum / target of the same time.")
            if lower_is_better:
                against = gettext("The sum should stay at the target or below it.")
    return f"{how} {against}"


def target_problem(unit: str, *, baseline: Decimal | None, target: Decimal, lower_is_better: bool, is_sum: bool) -> Any:
    """Why a target cannot be one, as a sentence; None when it can. The baseline of a count is another period's, and says
    nothing about the target of this one."""
    if unit == Unit.PERCENT and target > 100:
        return _("A percentage lies between 0 and 100.")
    if unit == Unit.YES_NO and target not in (0, 1):
        return _("The target of a yes-or-no indicator is 1 for yes or 0 for no.")
    if baseline is None or is_sum:
        return None
    if lower_is_better and target > baseline:
        return _("Lower is better here, but this target lies above the baseline.")
    if not lower_is_better and target < baseline:
        return _("Higher is better here, but this target lies below the baseline. Is lower better?")
    return None


def is_due(frequency: str, period: Period) -> bool:
    """Whether an indicator that is reported so often is asked in a round about the period: one by half-years in periods
    that end a half-year, one by years in those that end a year."""
    if frequency == Frequency.YEAR:
        return (period.end.month, period.end.day) == (12, 31)
    if frequency == Frequency.HALF:
        return (period.end.month, period.end.day) in ((6, 30), (12, 31))
    return True


# Breakdowns


@dataclass(frozen=True)
class Dimension:
    """One way to break a value down: the code list whose codes are its cells, or the places of the country. `unknown` is the
    code for what is not known; where the list has none, a cell is added."""

    name: str
    code_list: str = ""
    unknown: str = UNKNOWN


DIMENSIONS = {
    one.name: one
    for one in (
        Dimension("sex", "sex", "U"),
        Dimension("age_group", "age_group", "AGE_U"),
        Dimension("age_band", "age_band", "A_U"),
        # The groups by which tables on citizenship are published; single countries would name people.
        Dimension("citizenship", "citizenship_group", "ST_U"),
        Dimension("form_of_exploitation", "exploitation", "EXP_U"),
        Dimension("risk_level", "risk_level", "RISK_NA"),
        Dimension("shelter", "shelter_type"),
        Dimension("sector", "labour_sector", "ISIC_NK"),
        Dimension("district"),
        Dimension("municipality"),
    )
}


def broken_down(unit: str, disaggregation: Iterable[str], *, has_two_numbers: bool = False) -> list[Dimension]:
    """The breakdowns of which cells are asked: those with a list, of what can be taken apart. A percentage of two numbers is
    broken down by its numerator; single percentages, days and yes-or-no answers have no parts."""
    if unit != Unit.NUMBER and not (unit == Unit.PERCENT and has_two_numbers):
        return []
    return [DIMENSIONS[name] for name in disaggregation if name in DIMENSIONS]


@dataclass(frozen=True)
class Sum:
    """What the cells of one breakdown make up beside the total: `over` is never right, `short` needs a reason."""

    dimension: str
    total: Decimal | None
    known: Decimal
    cells: int
    without_value: int

    @property
    def is_over(self) -> bool:
        return self.total is not None and self.known > self.total

    @property
    def is_short(self) -> bool:
        """Less than the total, or no cell at all; a cell with a reason of its own explains what is lacking."""
        if not self.total or self.is_over:
            return False  # without a total, or when it is nought, there is nothing to take apart
        return self.cells == 0 or (self.known < self.total and self.without_value == 0)

    @property
    def difference(self) -> Decimal | None:
        return None if self.total is None else self.total - self.known


def agree(
    total: Decimal | None,
    parts: Mapping[tuple[str, str], tuple[Decimal | None, Any]],
    dimensions: Iterable[str],
) -> list[Sum]:
    """For each breakdown whether its cells make up the total. `parts` maps (breakdown, code) to (count, reason)."""
    sums = []
    for dimension in dimensions:
        cells = [said for (name, _code), said in parts.items() if name == dimension]
        known = sum((count for count, _reason in cells if count is not None), Decimal(0))
        sums.append(Sum(dimension, total, known, len(cells), sum(count is None for count, _reason in cells)))
    return sums


# Sampling


@dataclass(frozen=True)
class Candidate:
    """An accepted entry that may be checked: whether it came late, how often it was returned, by how many per cent a value
    changed since last time (None when nothing can be compared)."""

    key: str
    is_late: bool = False
    returns: int = 0
    change_pct: Decimal | None = None

    def is_risky(self, change_limit: int) -> bool:
        changed = self.change_pct is not None and abs(self.change_pct) >= change_limit
        return self.is_late or self.returns >= 2 or changed


def change_pct(value: Decimal | None, before: Decimal | None) -> Decimal | None:
    """The change since the value before, in per cent of it; None when one is unknown, a rise from nothing is 100."""
    if value is None or before is None:
        return None
    if before == 0:
        return Decimal(0) if value == 0 else Decimal(100)
    return ((value - before) / before * 100).quantize(TENTH, ROUND_HALF_UP)


def drawn(
    candidates: Sequence[Candidate], *, share: int, change_limit: int, lot: Callable[[str], str]
) -> dict[str, bool]:
    """Which entries are checked: key → whether as a risk. All risky ones, and of the others `share` per cent, rounded up, in
    the order of their lots; the same candidates give the same sample, and a larger share holds every smaller one."""
    found = {one.key: True for one in candidates if one.is_risky(change_limit)}
    others = sorted((one.key for one in candidates if one.key not in found), key=lot)
    found |= dict.fromkeys(others[: -(-len(others) * share // 100)], False)
    return found
