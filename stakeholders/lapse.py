"""When something that holds for a time is spoken of before it lapses, and when what returns is due again. Functions of days.

An agreement holds on its last day too. Sources: Article 8.3/2c (cooperation agreements, reviewed yearly); the notices at
180, 90 and 30 days are the office's own rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from onatc.periods import months_after

END_NOTICES = (180, 90, 30)  # days before the last day
FOCAL_NOTICE = 90  # from here on the focal persons of the parties are told too
REVIEW_NOTICE = 30
LAPSED_DAYS = 365  # so long the office is shown what expired and was not renewed
LAPSED_NOTICE = 7  # days after the last day in which those who were told hear that it is over, once


def notice_at(last_day: date, today: date, steps: Iterable[int] = END_NOTICES) -> int | None:
    """The notice that is due on a day: the nearest of the steps that the last day has come within; None when it lies
    further away than all of them, or is over.

    Whoever serves each step once therefore speaks three times of an agreement that was recorded early, and of one that
    was recorded forty days before its end twice: at once, and thirty days before. After days without a run only the
    newest notice goes out.
    """
    left = (last_day - today).days
    return min((step for step in steps if step >= left), default=None) if left >= 0 else None


def next_due(first: date, every_months: int, after: date) -> date | None:
    """The first day after `after` on which something is due that is due on `first` and every so many months from then.

    Counted from the first day, so that the 31st comes back after a shorter month, and 29 February every fourth year. None
    beyond the calendar.
    """
    if after < first:
        return first
    passed = (after.year - first.year) * 12 + after.month - first.month
    turn = passed // every_months
    try:
        while (day := months_after(first, turn * every_months)) <= after:
            turn += 1
    except ValueError:
        return None
    return day
