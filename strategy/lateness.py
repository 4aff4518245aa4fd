"""How many days something is late. Plain functions, no database; days are those of the calendar in Kosovo (Europe/Belgrade).

What a thing was due on:

- a measure whose signal is *late*: its deadline;
- a measure with *no news*: the day by which the rule of signals expected news (strategy.signal): `first_days` after
  the start when nothing was ever accepted, else `news_days` after the end of the period last reported on;
- a measure *at risk*: no day has passed yet, so it has none, and is 0 days late;
- a milestone: its day; a report: the round's due date, or the institution's own when it was extended.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from strategy.models.signals import Signal
from strategy.signal import Limits


def days_late(due_on: date | None, on: date) -> int:
    """Whole days after the due day; the due day itself is in time (0), and so is what has no due day."""
    return max((on - due_on).days, 0) if due_on is not None else 0


def due_day(
    signal: str, reason: str, values: dict[str, Any], starts_on: date, ends_on: date, limits: Limits
) -> date | None:
    """The day that a measure's signal counts from; None when no day has passed.

    `reason` and `values` are the computed ones (strategy.signal.Judgement); under an override to *late* the deadline
    counts, and under one to *no news* the day on which news would have been due, if the computed reason knows it."""
    if signal == Signal.LATE:
        return ends_on
    if signal == Signal.NO_NEWS:
        if reason == "never_reported":
            return starts_on + timedelta(days=limits.first_days)
        if reason == "report_is_old":
            return date.fromisoformat(values["date"]) + timedelta(days=limits.news_days)
    return None
