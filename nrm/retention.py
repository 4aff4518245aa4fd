"""When something may no longer be kept: plain rules of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from onatc.periods import months_after

# Defaults of the office until the Director sets others: months after the closing. To be confirmed with the Agency.
DEFAULT_MONTHS = {"case": 120, "file_number": 60, "token": 60, "referral_file": 24, "screening": 60}  # nosec B105: months
REQUEST_DAYS = 30  # Law 06/L-082: a person's request is answered within a month
NOTICE_HOURS = 72


def falls_due_on(closed_on: date, months: int) -> date:
    """The first day on which what belongs to a case is no longer kept."""
    return months_after(closed_on, months) + timedelta(days=1)


def closed_by(today: date, months: int) -> date:
    """The latest closing day of what falls due by `today`: `falls_due_on(day, months) <= today` for it and all before."""
    guess = months_after(today, -months) + timedelta(days=3)
    while falls_due_on(guess, months) > today:
        guess -= timedelta(days=1)
    return guess


@dataclass(frozen=True)
class NoticeClock:
    """The 72 hours of a breach: whole hours left, none when over; `is_over` from the very second on."""

    due_at: datetime
    hours_left: int
    is_over: bool


def notice_clock(known_at: datetime, now: datetime) -> NoticeClock:
    """Counted in real hours from the moment the breach became known, across a change of the clock too."""
    # In UTC: two moments of one local zone are subtracted by the wall clock.
    due_at = known_at.astimezone(UTC) + timedelta(hours=NOTICE_HOURS)
    left = (due_at - now.astimezone(UTC)).total_seconds()
    return NoticeClock(due_at, max(0, int(left // 3600)), left < 0)
