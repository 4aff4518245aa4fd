"""When a body, or the office with a counterpart, must meet next: a plain rule over days, without the database."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

YEARLY = 12


class DutyState(StrEnum):
    DONE = "done"
    DUE = "due"
    LATE = "late"


@dataclass(frozen=True)
class MeetingDuty:
    """`last_on` is the last meeting that was held, None when there was none; `due_on` the last day for the next one;
    `days_late` counts the days after it, 0 when it is not late."""

    state: DutyState
    last_on: date | None
    due_on: date
    days_late: int = 0


def months_after(day: date, months: int) -> date:
    """The same day so many months later, the month's last day at most."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def at_least_every(months: int, *, held: date | None, since: date, today: date) -> MeetingDuty:
    """A body that must meet every so many months: counted from its last meeting, from its founding when it never met.

    It has no state "done": the next meeting is always due. Source: the body's own rule (`Body.meets_every_months`).
    """
    due = months_after(held or since, months)
    late = max(0, (today - due).days)
    return MeetingDuty(DutyState.LATE if late else DutyState.DUE, held, due, late)


def once_a_year(*, held: date | None, since: date, today: date) -> MeetingDuty:
    """The face-to-face meeting with a counterpart, at least once in each calendar year (Article 8.4.5-iv).

    Held in this year: done, the next one by the end of the next year. Not held this year, but last year, or first owed
    this year: due by 31 December. Otherwise it is late since the end of the first year without one.
    """
    if held is not None and held.year >= today.year:
        return MeetingDuty(DutyState.DONE, held, date(held.year + 1, 12, 31))
    first = (held.year + 1) if held is not None else since.year
    due = date(max(first, 1), 12, 31)
    late = max(0, (today - due).days)
    return MeetingDuty(DutyState.LATE if late else DutyState.DUE, held, due, late)
