"""When an enquiry is due, how long it took, and what share came in time. Plain functions of days, and the settings that feed them.

Source: Article 8.4.6; fifteen days are the office's working default, a dated setting and no limit of the law.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from onatc.dated_settings import SettingName, due_day, setting


@dataclass(frozen=True)
class Answered:
    """What one enquiry says: when it came, by when it was due, when it was answered."""

    received_on: date
    due_on: date
    answered_on: date


@dataclass(frozen=True)
class AnswerTimes:
    """Of the enquiries answered in a period: how many, the median of their days, how many and which share in time.

    `median` counts calendar days, half days where the number is even; `in_time_pct` is 0–100, half up to a whole. Both are
    None when nothing was answered, which is not zero.
    """

    count: int
    in_time: int
    median: float | None
    in_time_pct: int | None

    @property
    def median_up(self) -> int:
        """For the word after the median: between one day and two are days."""
        return math.ceil(self.median or 0)


def days_to_answer(received_on: date, answered_on: date) -> int:
    """Calendar days from the day it came to the day it was answered: 0 when on the same day."""
    return (answered_on - received_on).days


def answer_times(answered: Iterable[Answered]) -> AnswerTimes:
    rows = list(answered)
    if not rows:
        return AnswerTimes(0, 0, None, None)
    in_time = sum(one.answered_on <= one.due_on for one in rows)
    median = float(statistics.median(days_to_answer(one.received_on, one.answered_on) for one in rows))
    return AnswerTimes(len(rows), in_time, median, (200 * in_time + len(rows)) // (2 * len(rows)))


def enquiry_due_day(received_on: date) -> date:
    """Calendar days from the day after it came, as many as the setting of that day says; moved as due days are, never
    before the day it came."""
    days = setting(SettingName.ENQUIRY_DAYS, on=received_on)
    return due_day(received_on + timedelta(days=days), not_before=received_on)
