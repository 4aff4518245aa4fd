"""Timeliness with what is still running counted properly: the Kaplan–Meier estimate. Plain functions, no database.

Of a step, some clocks have finished and some still run. To leave the running ones out makes an office look quick when it only
has not dealt with its long cases; to count them as if they ended today is as wrong. The product-limit estimate uses of a
running clock what it tells: that it took *at least* so long.

Source: E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", Journal of the American Statistical
Association 53 (1958), 457–481. With d finished of n at risk at a duration, S falls by the factor (n - d) / n; whoever is
censored at a duration is at risk at that duration. The arithmetic is exact (`fractions.Fraction`), so that a figure of a report
is the same on every machine and a quantile does not hang on a rounding.

**Units** are the caller's: hours, days or working days, all of one kind in one call, zero or more.

**What is finished.** `finished` is true when the step was done, late or not. False (*censored*) is a clock that still runs, and
also one that ended otherwise, because the case was closed or the step became not applicable before it was done: the
competing end. Censoring it answers "how long does the step take where it is done", and supposes that those cases would have
taken as long as the others. Where many cases end otherwise that is not so, and the share done by a limit is too high;
a page that shows these figures therefore shows the number censored beside them. A clock that is paused is given with the
time that counted so far.

**Small numbers** are the reader's matter: who may not see cases is shown a quantile or share by the rules of disclosure control
only (base of 10 or more).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Duration: TypeAlias = int | float | Fraction


@dataclass(frozen=True)
class Step:
    """The estimate from `duration` on, until the next step. `at_risk`: how many had lasted at least so long; of them `finished`
    were done then. `remaining` is the share not yet done after it, 0 to 1."""

    duration: Duration
    at_risk: int
    finished: int
    remaining: Fraction


@dataclass(frozen=True)
class Quantile:
    """By when a share was done. `value` is None when that share is not reached: then it takes more than `more_than`, the
    longest duration seen (None when nothing was)."""

    value: Duration | None
    more_than: Duration | None = None


@dataclass(frozen=True)
class Share:
    """The share done by a limit, 0 to 1, and how many had lasted at least until the limit: with none or few of them the share
    rests on little. `done` is None when nobody was followed so far: no clock, or all that did not finish are shorter than the
    limit and the estimate does not reach it."""

    done: Fraction | None
    at_risk: int


@dataclass(frozen=True)
class Timeliness:
    """What a page or report shows of a step."""

    count: int
    finished: int
    censored: int
    median: Quantile
    ninetieth: Quantile
    steps: tuple[Step, ...]


def steps(observed: Iterable[tuple[Duration, bool]]) -> tuple[Step, ...]:
    """The estimate over pairs of duration and finished, one step for each duration at which something finished, in ascending
    order; whatever the order of the pairs. Raises ValueError for a duration below zero or that is not a number."""
    pairs = _checked(observed)
    leaving = Counter(duration for duration, _finished in pairs)
    done = Counter(duration for duration, finished in pairs if finished)
    at_risk, remaining, made = len(pairs), Fraction(1), []
    for duration in sorted(leaving):
        if finished := done[duration]:
            remaining *= Fraction(at_risk - finished, at_risk)
            made.append(Step(duration, at_risk, finished, remaining))
        at_risk -= leaving[duration]
    return tuple(made)


def quantile(observed: Iterable[tuple[Duration, bool]], share: Fraction) -> Quantile:
    """The shortest duration by which at least `share` (above 0, up to 1) was done; with nothing censored, the empirical
    quantile. Where two durations would do, as in a median of an even number, it is the shorter one."""
    if not 0 < share <= 1:
        raise ValueError("a share above 0, up to 1")
    pairs = _checked(observed)
    for step in steps(pairs):
        if 1 - step.remaining >= share:
            return Quantile(step.duration)
    return Quantile(None, max((duration for duration, _finished in pairs), default=None))


def done_by(observed: Iterable[tuple[Duration, bool]], limit: Duration) -> Share:
    """The share done by the limit, the limit itself included."""
    pairs = _checked(observed)
    longest = max((duration for duration, _finished in pairs), default=None)
    at_risk = sum(duration >= limit for duration, _finished in pairs)
    remaining = Fraction(1)
    for step in steps(pairs):
        if step.duration <= limit:
            remaining = step.remaining
    if longest is None or (longest < limit and remaining):
        return Share(None, at_risk)
    return Share(1 - remaining, at_risk)


def timeliness(observed: Iterable[tuple[Duration, bool]]) -> Timeliness:
    """Numbers, median, 90th percentile and steps of one list, read once."""
    pairs = _checked(observed)
    finished = sum(is_finished for _duration, is_finished in pairs)
    return Timeliness(
        count=len(pairs),
        finished=finished,
        censored=len(pairs) - finished,
        median=quantile(pairs, Fraction(1, 2)),
        ninetieth=quantile(pairs, Fraction(9, 10)),
        steps=steps(pairs),
    )


def _checked(observed: Iterable[tuple[Duration, bool]]) -> list[tuple[Duration, bool]]:
    pairs = [(duration, bool(finished)) for duration, finished in observed]
    # A comparison with "not a number" is false as well.
    if not all(0 <= duration < float("inf") for duration, _finished in pairs):
        raise ValueError("a duration is a number of zero or more")
    return pairs
