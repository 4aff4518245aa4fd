"""The money of a plan: what is planned, committed and spent, and what is missing. Plain functions, no database.

All sums are whole cents, so that the parts of every table make up its total exactly. The rule, as the page shows it:

- *planned* is what the lines of the plan say. A line of 0 says that the measure costs nothing beyond regular work.
- *committed* and *spent* are what was last stated of a line. A line without a statement is not known, never zero; it counts
  nothing into either sum and is counted as `unstated`.
- *gap to fund* is what is planned of the source "not yet funded", less what was committed to it all the same.
- *not yet committed* is what is planned of a named source and not committed as last stated, line by line, never
  less than nothing: more committed to one line does not hide that another waits. It is not part of the gap. A line
  without a statement adds nothing: what of it is committed is not known.
- a measure without any line is a measure whose budget is *not known*; totals say how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from strategy.models.measure import BudgetSource

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Line:
    """A line with what was last stated of it. `year` None is the whole term; `committed` and `spent` None are not known."""

    key: Any
    measure: Any
    objective: Any
    goal: Any
    year: int | None
    source: str
    planned: int
    committed: int | None = None
    spent: int | None = None

    @property
    def gap(self) -> int:
        if self.source != BudgetSource.NOT_FUNDED:
            return 0
        return max(self.planned - (self.committed or 0), 0)

    @property
    def waiting(self) -> int:
        """Not yet committed of a named source."""
        if self.source == BudgetSource.NOT_FUNDED or self.committed is None:
            return 0
        return max(self.planned - self.committed, 0)


@dataclass(frozen=True)
class Total:
    """Sums in cents; `stated` and `unstated` count the lines with and without a statement. What rests on no line or no
    statement at all is None when it is shown, not zero."""

    planned_cents: int = 0
    committed_cents: int = 0
    spent_cents: int = 0
    gap_cents: int = 0
    waiting_cents: int = 0
    stated: int = 0
    unstated: int = 0

    def __add__(self, other: Total) -> Total:
        return Total(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    @property
    def parts(self) -> tuple[int, ...]:
        return (
            self.planned_cents, self.committed_cents, self.spent_cents, self.gap_cents, self.waiting_cents,
            self.stated, self.unstated,
        )  # fmt: skip

    @property
    def lines(self) -> int:
        return self.stated + self.unstated

    @property
    def planned(self) -> int | None:
        return self.planned_cents if self.lines else None

    @property
    def committed(self) -> int | None:
        return self.committed_cents if self.stated else None

    @property
    def spent(self) -> int | None:
        return self.spent_cents if self.stated else None

    @property
    def gap(self) -> int | None:
        return self.gap_cents if self.lines else None

    @property
    def waiting(self) -> int | None:
        return self.waiting_cents if self.stated else None


def of_line(line: Line) -> Total:
    is_stated = line.committed is not None
    return Total(
        planned_cents=line.planned,
        committed_cents=line.committed or 0,
        spent_cents=line.spent or 0,
        gap_cents=line.gap,
        waiting_cents=line.waiting,
        stated=int(is_stated),
        unstated=int(not is_stated),
    )


def total(lines: Iterable[Line]) -> Total:
    return sum((of_line(line) for line in lines), Total())


def totals(lines: Iterable[Line], by: Callable[[Line], K]) -> dict[K, Total]:
    """The total of each group; the groups' totals make up `total` whatever `by` is."""
    found: dict[K, Total] = {}
    for line in lines:
        key = by(line)
        found[key] = found.get(key, Total()) + of_line(line)
    return found


def not_known(measures: Iterable[K], lines: Iterable[Line]) -> set[K]:
    """The measures that have no line."""
    return set(measures) - {line.measure for line in lines}


@dataclass(frozen=True)
class Statement:
    """What was committed and spent of a line as of a day, said at a moment."""

    as_of: date
    at: datetime
    committed_cents: int
    spent_cents: int


def that_counts(statements: Iterable[Statement], on: date) -> Statement | None:
    """Of all statements on a line the one with the latest `as_of` not after `on`, then the one made last: a correction."""
    known = [one for one in statements if one.as_of <= on]
    return max(known, key=lambda one: (one.as_of, one.at), default=None)
