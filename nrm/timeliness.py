"""Timeliness of very many clocks: durations in classes, and the Kaplan–Meier estimate over counts. No database.

A duration is rounded up to a whole hour up to four days, to a whole day up to two months, to a week up to 400 days and to
thirty days beyond: no more classes than some two hundred, however many clocks there are, and a median is right within one
class. The estimate is that of nrm/survival.py, which takes each clock by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

HOUR, DAY, WEEK, MONTH = 1, 24, 168, 720
CLASSES = ((96, HOUR), (60 * DAY, DAY), (400 * DAY, WEEK))

# The same as `whole_hours`, for a duration in seconds named `seconds`.
SQL_HOURS = (
    "CASE WHEN {s} <= 345600 THEN ceil({s} / 3600.0) WHEN {s} <= 5184000 THEN ceil({s} / 86400.0) * 24 "
    "WHEN {s} <= 34560000 THEN ceil({s} / 604800.0) * 168 ELSE ceil({s} / 2592000.0) * 720 END::int"
)


def whole_hours(duration: timedelta) -> int:
    """The upper end of the class, in hours."""
    seconds = max(duration.total_seconds(), 0.0)
    width = next((width for most, width in CLASSES if seconds <= most * 3600), MONTH)
    return int(-(-seconds // (width * 3600))) * width


@dataclass(frozen=True)
class Estimate:
    """`count` clocks, `finished` of them done. A quantile is None when so many were not done yet: it lies beyond
    `longest`, in hours."""

    count: int
    finished: int
    median: int | None
    ninetieth: int | None
    longest: int | None


def estimate(observed: Iterable[tuple[int, bool, int]]) -> Estimate:
    """Over (hours, finished, count). What is censored at a duration is at risk at that duration."""
    done: dict[int, int] = {}
    left: dict[int, int] = {}
    for hours, finished, count in observed:
        left[hours] = left.get(hours, 0) + count
        if finished:
            done[hours] = done.get(hours, 0) + count
    at_risk = total = sum(left.values())
    remaining = Fraction(1)
    median = ninetieth = None
    for hours in sorted(left):
        if hours in done:
            remaining *= Fraction(at_risk - done[hours], at_risk)
            if median is None and 1 - remaining >= Fraction(1, 2):
                median = hours
            if ninetieth is None and 1 - remaining >= Fraction(9, 10):
                ninetieth = hours
        at_risk -= left[hours]
    return Estimate(total, sum(done.values()), median, ninetieth, max(left, default=None))
