"""Periods: two dates, both inside, with a label that scripts and people use.

Labels: `2026`, `2026H1`, `2026Q3`, `2026-07`, `2026/27` (1 April 2026 to 31 March 2027) and any
`2026-01-15..2026-02-10`. No table has a year as a stored grain; a model stores the two dates.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class PeriodError(ValueError):
    """The text is not a period; the message says so in the active language."""


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def months_after(day: date, months: int) -> date:
    """The same day so many months on, or back; the last day of a month that has no such day (31 January → 28 February).

    Raises ValueError beyond the calendar.
    """
    years, month = divmod(day.month - 1 + months, 12)
    last = _last_day(day.year + years, month + 1)
    return last.replace(day=min(day.day, last.day))


def _months(year: int, first: int, count: int) -> Period:
    return Period(date(year, first, 1), _last_day(year, first + count - 1))


@dataclass(frozen=True, order=True)
class Period:
    """From `start` to `end`, both days included. Ordered by start, then end."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise PeriodError(gettext("A period must not end before it starts."))

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read a label; raise PeriodError for anything that is not one."""
        text = text.strip()
        try:
            if match := re.fullmatch(r"(\d{4})", text, re.A):
                return _months(int(match[1]), 1, 12)
            if match := re.fullmatch(r"(\d{4})[Hh]([12])", text, re.A):
                return _months(int(match[1]), int(match[2]) * 6 - 5, 6)
            if match := re.fullmatch(r"(\d{4})[Qq]([1-4])", text, re.A):
                return _months(int(match[1]), int(match[2]) * 3 - 2, 3)
            if match := re.fullmatch(r"(\d{4})-(\d{2})", text, re.A):
                return _months(int(match[1]), int(match[2]), 1)
            if match := re.fullmatch(r"(\d{4})/(\d{2})", text, re.A):
                year = int(match[1])
                if (year + 1) % 100 == int(match[2]):
                    return cls(date(year, 4, 1), date(year + 1, 3, 31))
            if match := re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:\.\.|/)(\d{4}-\d{2}-\d{2})", text, re.A):
                return cls(date.fromisoformat(match[1]), date.fromisoformat(match[2]))
        except PeriodError:
            raise
        except ValueError:
            pass
        raise PeriodError(
            gettext(
                "“%(text)s” is not a period. Write 2026, 2026H1, 2026Q3, 2026-07, 2026/27 or two dates as 2026-01-15..2026-06-30."
            )
            % {"text": text[:40]}
        )

    @classmethod
    def quarter_of(cls, day: date) -> Period:
        return _months(day.year, (day.month - 1) // 3 * 3 + 1, 3)

    @property
    def kind(self) -> str:
        """`year`, `half`, `quarter`, `month`, `april_march` or `range`."""
        if self.start.day == 1 and self.end == _last_day(self.end.year, self.end.month):
            months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1
            if self.start.year == self.end.year:
                if months == 12:
                    return "year"
                if months == 6 and self.start.month in (1, 7):
                    return "half"
                if months == 3 and self.start.month in (1, 4, 7, 10):
                    return "quarter"
                if months == 1:
                    return "month"
            if months == 12 and self.start.month == 4:
                return "april_march"
        return "range"

    @property
    def label(self) -> str:
        """The canonical label; `Period.parse(period.label) == period`."""
        year, month = self.start.year, self.start.month
        match self.kind:
            case "year":
                return f"{year:04d}"
            case "half":
                return f"{year:04d}H{(month + 5) // 6}"
            case "quarter":
                return f"{year:04d}Q{(month + 2) // 3}"
            case "month":
                return f"{year:04d}-{month:02d}"
            case "april_march":
                return f"{year:04d}/{(year + 1) % 100:02d}"
        return f"{self.start.isoformat()}..{self.end.isoformat()}"

    @property
    def title(self) -> str:
        """The period in words of the active language."""
        year, month = self.start.year, self.start.month
        match self.kind:
            case "year":
                return str(year)
            case "half":
                return gettext("half-year %(number)d of %(year)d") % {"number": (month + 5) // 6, "year": year}
            case "quarter":
                return gettext("quarter %(number)d of %(year)d") % {"number": (month + 2) // 3, "year": year}
            case "month":
                return date_format(self.start, "F Y")
        return gettext("%(start)s to %(end)s") % {
            "start": date_format(self.start, "DATE_FORMAT"),
            "end": date_format(self.end, "DATE_FORMAT"),
        }

    def __str__(self) -> str:
        return self.label

    def contains(self, day: date) -> bool:
        return self.start <= day <= self.end

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def next(self) -> Period:
        """The period of the same kind that follows; a free range is followed by one of as many days."""
        return self._moved(1)

    def previous(self) -> Period:
        return self._moved(-1)

    def same_last_year(self) -> Period:
        """The same label one year earlier; a 29 February becomes the 28th."""
        if self.kind != "range":
            end = _last_day(self.end.year - 1, self.end.month)
        else:
            end = _year_before(self.end)
        return Period(_year_before(self.start), end)

    def _moved(self, by: int) -> Period:
        if self.kind == "range":
            shift = timedelta(days=self.days * by)
            return Period(self.start + shift, self.end + shift)
        months = {"year": 12, "half": 6, "quarter": 3, "month": 1, "april_march": 12}[self.kind]
        first = self.start.year * 12 + self.start.month - 1 + months * by
        last = first + months - 1
        return Period(date(first // 12, first % 12 + 1, 1), _last_day(last // 12, last % 12 + 1))

    def quarters(self) -> list[Period]:
        """The calendar quarters that touch the period, in order."""
        quarter, found = Period.quarter_of(self.start), []
        while quarter.start <= self.end:
            found.append(quarter)
            quarter = quarter.next()
        return found


def _year_before(day: date) -> date:
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


class PeriodField(forms.CharField):
    """A text field that takes a label and gives a Period, or None when it is empty and may be."""

    default_error_messages = {"required": _("Name a period, for example 2026Q3.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 22)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return Period.parse(text)
        except PeriodError as error:
            raise ValidationError(str(error), code="invalid") from error

    def prepare_value(self, value: Any) -> Any:
        return value.label if isinstance(value, Period) else value

    def run_validators(self, value: Any) -> None:
        if isinstance(value, str):
            super().run_validators(value)
