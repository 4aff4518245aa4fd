"""What has a day: each app names what it has, and one calendar, one feed and the homes read it.

Meetings, events, international days, holidays, agreements that end, action points and answers that are due; rounds and
milestones come from the apps above, which register their own sources when they are ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.utils.functional import Promise

from onatc.dated_settings import holidays_between


@dataclass(frozen=True)
class Entry:
    """One thing on a day, or between two moments. `key` is the same for the same thing however often it is read; `url` is
    empty for what has no page; `quoted` is the content text that the title quotes, with its language. Titles name no person
    and no case."""

    key: str
    title: str
    starts_on: date
    ends_on: date
    url: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str = ""
    is_cancelled: bool = False
    quoted: str = ""


@dataclass(frozen=True)
class Source:
    """`entries(user, start, end)` are those that touch the days from `start` to `end`, both included, and that `user` may
    see."""

    key: str
    label: str | Promise
    entries: Callable[[Any, date, date], Iterable[Entry]]


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Called when an app is ready."""
    _sources[source.key] = source


def known() -> list[Source]:
    return list(_sources.values())


# One month


@dataclass(frozen=True)
class Day:
    """A day of the page; `entries` are those shown, `more` how many there are besides. `is_open`: the office works."""

    date: date
    in_month: bool
    is_open: bool
    entries: list[Entry]
    more: int


SHOWN = 4  # entries in one cell
MOST = 500  # entries of one source on one page


@dataclass(frozen=True)
class Month:
    """A month as whole weeks from Monday to Sunday, with what is in them by source."""

    first: date
    found: dict[str, list[Entry]]
    closed: frozenset[date]

    @property
    def last(self) -> date:
        return self.after - timedelta(days=1)

    @property
    def before(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def after(self) -> date:
        return (self.first + timedelta(days=31)).replace(day=1)

    def weeks(self, source: str = "") -> list[list[Day]]:
        by_day: dict[date, list[Entry]] = {}
        for entry in self.entries(source):
            for number in range((entry.ends_on - entry.starts_on).days + 1):
                by_day.setdefault(entry.starts_on + timedelta(days=number), []).append(entry)
        start, end = whole_weeks(self.first)
        days = []
        for number in range((end - start).days + 1):
            day = start + timedelta(days=number)
            entries = by_day.get(day, [])
            is_open = day.weekday() < 5 and day not in self.closed
            days.append(Day(day, day.month == self.first.month, is_open, entries[:SHOWN], max(0, len(entries) - SHOWN)))
        return [days[number : number + 7] for number in range(0, len(days), 7)]

    def entries(self, source: str = "") -> list[Entry]:
        """Of one source or all, the day's first first; what lasts the whole day stands before what has an hour."""
        found = self.found.get(source, []) if source else [one for entries in self.found.values() for one in entries]
        return sorted(
            found, key=lambda one: (one.starts_on, one.starts_at is not None, str(one.starts_at or ""), one.title)
        )


def whole_weeks(first: date) -> tuple[date, date]:
    """From the Monday before the month to the Sunday after it."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def month_of(user: Any, first: date) -> Month:
    """The month that begins on `first`, as `user` sees it."""
    start, end = whole_weeks(first)
    found = {one.key: list(islice(one.entries(user, start, end), MOST)) for one in known()}
    return Month(first, found, frozenset(holidays_between(start, end)))
