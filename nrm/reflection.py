"""The reflection period: how its events give where it stands and when it ends (data_dictionary.md, section 2).

A rule without the database and without a clock: days only. The length is that of the law in force on the day of the start
and stands on the start; the planned end is start + length, the start being day 0, so that the day of the planned end still
belongs to the period. A pause moves the planned end by exactly the days between it and its resumption, an extension by what
it says. Nothing else does: a later rule neither lengthens nor shortens a period that runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OFFER, START, EXTENSION, PAUSE, RESUMPTION = "RF_OFFER", "RF_START", "RF_EXT", "RF_PAUSE", "RF_RESUME"
END, WAIVER, STOP = "RF_END", "RF_WAIVE", "RF_STOP"
ENDS = {END: "ended", WAIVER: "waived", STOP: "stopped"}
# On one day an offer comes before the start, both before what changes the period, and what ends it comes last.
RANK = {OFFER: 0, START: 1, END: 3, WAIVER: 3, STOP: 3}


@dataclass(frozen=True)
class Event:
    """An event of the period; `order` tells two events of one day apart, as they were recorded."""

    kind: str
    on: date
    days: int | None = None
    order: int = 0


@dataclass(frozen=True)
class Standing:
    """Where a reflection period stands: none, offered, running, paused, ended (as planned), waived or stopped.

    `planned_end` holds while it runs; while it is paused it moves on by a day each day, and `paused_on` says since when.
    `length` is the length by law, in days.
    """

    state: str = "none"
    offered_on: date | None = None
    started_on: date | None = None
    length: int = 0
    extended: int = 0
    paused: int = 0
    paused_on: date | None = None
    planned_end: date | None = None
    ended_on: date | None = None

    @property
    def is_running(self) -> bool:
        return self.state in ("running", "paused")

    def planned_end_on(self, day: date) -> date | None:
        """The planned end as it is known on a day: a pause that lasts has moved it by the days until then."""
        if self.planned_end is None or self.paused_on is None:
            return self.planned_end
        return self.planned_end + max(day - self.paused_on, timedelta())

    def days_left(self, day: date) -> int | None:
        """From a day until the planned end, 0 on its day; none unless it runs."""
        end = self.planned_end_on(day) if self.is_running else None
        return max((end - day).days, 0) if end is not None else None

    def is_over(self, day: date) -> bool:
        """It has reached its planned end by that day and was neither paused nor ended before."""
        return self.state == "running" and self.planned_end is not None and self.planned_end <= day


def in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda one: (one.on, RANK.get(one.kind, 2), one.order))


def standing(events: Iterable[Event]) -> Standing:
    """Where the period stands after all its events. What is impossible, imported from elsewhere, is passed over."""
    found = Standing()
    for one in in_order(events):
        if _problem(found, one) is None:
            found = _after(found, one)
    return found


def problem(events: Iterable[Event]) -> str | Promise | None:
    """Why these events cannot have happened in this order, as a sentence; None when they can."""
    found = Standing()
    for one in in_order(events):
        if (why := _problem(found, one)) is not None:
            return why
        found = _after(found, one)
    return None


def _problem(before: Standing, one: Event) -> str | Promise | None:
    if before.ended_on is not None:
        return _("Nothing changes a reflection period after it ended.")
    if one.kind == OFFER:
        return _("The reflection period was offered already.") if before.state != "none" else None
    if one.kind == START:
        return _("The reflection period has started already.") if before.is_running else None
    if one.kind == WAIVER and not before.is_running:
        return None
    if not before.is_running:
        return _("The reflection period has not started by that day.")
    if before.state == "running" and before.planned_end is not None and one.on > before.planned_end:
        return _("The reflection period had ended as planned before that day.")
    if one.kind == PAUSE and before.state == "paused":
        return _("The reflection period is paused already.")
    if one.kind == RESUMPTION and before.state != "paused":
        return _("Only a paused reflection period is resumed.")
    if one.kind == END and (before.state == "paused" or one.on != before.planned_end):
        return _("A reflection period ends as planned on the day of its planned end.")
    return None


def _after(before: Standing, one: Event) -> Standing:
    if one.kind == OFFER:
        return replace(before, state="offered", offered_on=one.on)
    if one.kind == START:
        length = one.days or 0
        return replace(
            before, state="running", started_on=one.on, length=length, planned_end=one.on + timedelta(days=length)
        )
    changed: dict[str, Any]
    if one.kind == EXTENSION:
        days = one.days or 0
        changed = {"extended": before.extended + days, "planned_end": _later(before.planned_end, days)}
    elif one.kind == PAUSE:
        changed = {"state": "paused", "paused_on": one.on}
    else:
        days = (one.on - before.paused_on).days if before.paused_on is not None else 0
        changed = {"paused": before.paused + days, "paused_on": None, "planned_end": _later(before.planned_end, days)}
        changed |= {"state": "running"} if one.kind == RESUMPTION else {"state": ENDS[one.kind], "ended_on": one.on}
    return replace(before, **changed)


def _later(day: date | None, days: int) -> date | None:
    return day + timedelta(days=days) if day is not None else None
