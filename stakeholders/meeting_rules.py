"""The rules of meetings as plain functions without the database: when the next one is due, how long one lasts, quorum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from onatc.periods import months_after

SOON_DAYS = 30
YEARLY = 12  # months


def next_due(last_held: date | None, every_months: int | None, since: date) -> date | None:
    """The day by which the next meeting must be held: so many months after the last one, or after the day since which
    meetings are owed when none was held yet. None when there is no rule."""
    return None if every_months is None else months_after(last_held or since, every_months)


class Standing(StrEnum):
    """How a duty to meet stands on a day; a code of a pill. `HELD` is of what is owed once in each year."""

    HELD = "held"
    DONE = "done"
    SOON = "soon"
    OVERDUE = "overdue"
    NO_RULE = "no_rule"
    ENDED = "ended"


def standing(due_on: date | None, today: date, ends_on: date | None = None) -> Standing:
    """Overdue from the day after the due day; `SOON` within the 30 days before it. What ended owes nothing."""
    if ends_on is not None and ends_on < today:
        return Standing.ENDED
    if due_on is None:
        return Standing.NO_RULE
    if due_on < today:
        return Standing.OVERDUE
    return Standing.SOON if due_on <= today + timedelta(days=SOON_DAYS) else Standing.DONE


def standing_label(code: str) -> str:
    return {
        Standing.HELD: _("held this year"),
        Standing.DONE: _("in time"),
        Standing.SOON: _("due soon"),
        Standing.OVERDUE: _("overdue"),
        Standing.NO_RULE: _("no rule"),
        Standing.ENDED: _("ended"),
    }[Standing(code)]


@dataclass(frozen=True)
class Due:
    """How a duty to meet stands: when they met last, by when they must meet next, and the code of its pill."""

    last_held: date | None
    due_on: date | None
    standing: Standing

    @property
    def label(self) -> str:
        return standing_label(self.standing)

    @property
    def is_overdue(self) -> bool:
        return self.standing == Standing.OVERDUE

    @property
    def is_owed(self) -> bool:
        """Overdue, or due soon."""
        return self.standing in (Standing.OVERDUE, Standing.SOON)


def due(
    last_held: date | None, every_months: int | None, *, since: date, today: date, ends_on: date | None = None
) -> Due:
    """A body or a series that must meet every so many months, by its own rule."""
    due_on = next_due(last_held, every_months, since)
    code = standing(due_on, today, ends_on)
    return Due(last_held, None if code == Standing.ENDED else due_on, code)


def due_each_year(last_held: date | None, *, since: date, today: date, ends_on: date | None = None) -> Due:
    """The face-to-face meeting with a counterpart, at least once in each calendar year (Article 8.4.5-iv).

    Held in this year: the next one is due by the end of the next year. Otherwise by the end of the first year without
    one: the one after the last meeting, or the one in which it is first owed.
    """
    due_on = date(since.year if last_held is None else last_held.year + 1, 12, 31)
    code = standing(due_on, today, ends_on)
    if code == Standing.ENDED:
        return Due(last_held, None, code)
    return Due(last_held, due_on, Standing.HELD if due_on.year > today.year and last_held else code)


@dataclass(frozen=True)
class Seat:
    """A seat on the day of a meeting: whether it has a vote, and whether anybody is named for it."""

    key: object
    votes: bool
    is_vacant: bool


def voting_seats(seats: Iterable[Seat]) -> int:
    """How many members with a vote the body has on the day. A vacant seat is no voting member: nobody could cast its
    vote, and a body would lose its quorum by appointments that an institution delays."""
    return sum(1 for seat in seats if seat.votes and not seat.is_vacant)


def votes_present(seats: Iterable[Seat], taken: Iterable[object]) -> int:
    """How many votes are in the room: seats with a vote that somebody takes, member or deputy, each once."""
    return len({seat.key for seat in seats if seat.votes and not seat.is_vacant} & set(taken))


def lasts(starts_at: datetime, ends_at: datetime) -> timedelta:
    """Real time between the two moments, whatever the clock on the wall does in between."""
    return ends_at.astimezone(UTC) - starts_at.astimezone(UTC)


def duration(starts_at: datetime, ends_at: datetime) -> str:
    """In hours and minutes: 1 h 30 min."""
    hours, minutes = divmod(int(lasts(starts_at, ends_at).total_seconds()) // 60, 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": minutes}
    if not minutes:
        return _("%(hours)s h") % {"hours": hours}
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}


def when(starts_at: datetime, ends_at: datetime) -> str:
    """Day and time by the office's clock. Over midnight both days are named; over a change of the clock the zone stands
    behind each time, since 02:30 comes twice in October."""
    begins, ends = timezone.localtime(starts_at), timezone.localtime(ends_at)
    changes = begins.utcoffset() != ends.utcoffset()

    def time(moment: datetime) -> str:
        shown = date_format(moment, "H:i")
        return f"{shown} {moment.tzname()}" if changes else shown

    first = f"{date_format(begins, 'DATE_FORMAT')}, {time(begins)}"
    if begins.date() == ends.date():
        return f"{first}–{time(ends)}"
    return f"{first} – {date_format(ends, 'DATE_FORMAT')}, {time(ends)}"
