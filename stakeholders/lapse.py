"""When something that holds for a time is spoken of before it lapses, and when what returns is due again. Functions of days.

An agreement holds on its last day too. Sources: Article 8.3/2c (cooperation agreements, reviewed yearly); the notices at
180, 90 and 30 days are the office's own rule.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date

END_NOTICES = (180, 90, 30)  # days before the last day
FOCAL_NOTICE = 90  # from here on the focal persons of the parties are told too
REVIEW_NOTICE = 30


def notice_at(last_day: date, today: date, steps: Iterable[int] = END_NOTICES) -> int | None:
    """The notice that is due on a day: the nearest of the steps that the last day has come within; None when it lies
    further away than all of them, or is over.

    Whoever serves each step once therefore speaks three times of an agreement that was recorded early, and of one that
    was recorded forty days before its end twice: at once, and thirty days before. After days without a run only the
    newest notice goes out.
    """
    left = (last_day - today).days
    return min((step for step in steps if step >= left), default=None) if left >= 0 else None


def months_after(day: date, months: int) -> date | None:
    """The same day so many months on, or the month's last day where it has fewer; None beyond the calendar."""
    place = day.year * 12 + day.month - 1 + months
    year, month = place // 12, place % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1])) if year <= date.max.year else None


def next_due(first: date, every_months: int, after: date) -> date | None:
    """The first day after `after` on which something is due that is due on `first` and every so many months from then.

    Counted from the first day, so that the 31st comes back after a shorter month, and 29 February every fourth year.
    """
    if after < first:
        return first
    passed = (after.year - first.year) * 12 + after.month - first.month
    turn = passed // every_months
    while (day := months_after(first, turn * every_months)) is not None and day <= after:
        turn += 1
    return day
