"""What is owed by when: the periods of a series, its due days, and when a report came late. Dates only, no database."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from onatc.periods import Period

# The clock of Kosovo: CET, and CEST from the last Sunday of March to that of October.
OFFICE = ZoneInfo("Europe/Belgrade")
MONTHS = {"quarter": 3, "half": 6, "year": 12}
CAUGHT_UP = 8  # periods of a series that are made up for at most, after a long standstill


def is_late(submitted_at: datetime, due_on: date) -> bool:
    """Whether a report came after the day by which it was owed. The whole day counts, to its last second by the office's
    clock: a moment is put on the calendar of Kosovo, summer or winter, before the days are compared."""
    return submitted_at.astimezone(OFFICE).date() > due_on


def period_of(frequency: str, day: date) -> Period:
    """The period of a series (`quarter`, `half` or `year`) in which a day lies."""
    months = MONTHS[frequency]
    first = (day.month - 1) // months * months + 1
    following = date(day.year + (first + months > 12), (first + months - 1) % 12 + 1, 1)
    return Period(date(day.year, first, 1), following - timedelta(days=1))


def periods_to_schedule(
    frequency: str, newest: Period | None, *, starts_on: date, ends_on: date, today: date
) -> list[Period]:
    """The periods of a series up to the running one that have no round yet, oldest first.

    `newest` is the period of its newest round; without one the series begins with the running period. A period that lies
    outside the plan (`starts_on` to `ends_on`) gets no round.
    """
    running = period_of(frequency, today)
    periods, period = [], running
    while (newest is None and period == running) or (newest is not None and period.start > newest.end):
        periods.append(period)
        period = period_of(frequency, period.start - timedelta(days=1))
        if len(periods) == CAUGHT_UP:
            break
    return [one for one in reversed(periods) if one.end >= starts_on and one.start <= ends_on]
