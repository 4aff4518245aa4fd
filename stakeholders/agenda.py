"""Open points from which an agenda is made: each app names what it has that waits for a meeting.

Overdue action points, decisions due, minutes to adopt; measures that are late and proposals that wait come from the apps
above, which register their own sources when they are ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise

from stakeholders.models import Meeting


@dataclass(frozen=True)
class OpenPoint:
    """One thing that waits. `key` is the same as long as it waits, so that it stands on an agenda once; `title` is by
    column of the language; `kind` one of `AgendaKind`; `why` says in the reader's language why it is offered."""

    key: str
    title: dict[str, str]
    kind: str
    url: str
    why: str
    due_on: date | None = None


@dataclass(frozen=True)
class Source:
    """A kind of open point: `points(meeting, user, limit)` gives those that concern the meeting and that `user` may see, the
    most pressing first; the record keys it gives are made unique by `key`."""

    key: str
    label: str | Promise
    rank: int  # where the kind stands among the others: what a meeting takes first, first
    points: Callable[[Meeting, Any, int], Iterable[OpenPoint]]


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Called when an app is ready."""
    _sources[source.key] = source


def known() -> list[Source]:
    return sorted(_sources.values(), key=lambda one: one.rank)
