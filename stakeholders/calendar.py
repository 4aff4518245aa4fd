"""What has a day: each app names what it has, and one calendar, one feed and the homes read it.

Meetings, events, international days, holidays, agreements that end, action points and answers that are due; rounds and
milestones come from the apps above, which register their own sources when they are ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True)
class Entry:
    """One thing on a day, or between two moments. `key` is the same for the same thing however often it is read; `url` is
    empty for what has no page. Titles name no person and no case."""

    key: str
    title: str
    starts_on: date
    ends_on: date
    url: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str = ""
    is_cancelled: bool = False


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
