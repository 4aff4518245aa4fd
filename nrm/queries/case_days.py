"""What falls due in cases on a day, beside the clocks of the SOP: on the calendar, and in the list that it opens.

In the calendar there is one entry for a kind and a day, whatever the number of cases: it goes to calendar programs outside,
and neither a marker nor a number of cases goes with it. Its address opens the list of these very cases.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from nrm.models import (
    BestInterest,
    Case,
    FollowUp,
    PermitState,
    ReflectionEvent,
    ReflectionKind,
    ResidencePermit,
    RiskAssessment,
    RiskMeasure,
)
from nrm.models.cases import CaseQuerySet
from nrm.queries.identification import events_of
from nrm.reflection import ENDS, standing
from stakeholders import calendar
from stakeholders.calendar import Entry
from stakeholders.calendar_sources import on_day


@dataclass(frozen=True)
class Kind:
    """What can fall due. `rows(cases, start, end)` are the records of these cases that do from `start` to `end`, both
    included, each with its `case` and its day in the field `day`; none for what no record says by itself."""

    key: str
    label: str | Promise
    rows: Callable[[CaseQuerySet, date, date], QuerySet[Any]] | None = None
    day: str = "due_on"


def _latest(rows: Any, day: str) -> Any:
    """Of each case the record that holds: the last one by its own day, and of one day the one that was recorded last."""
    later = rows.model.objects.filter(case=OuterRef("case")).filter(
        Q(**{f"{day}__gt": OuterRef(day)}) | Q(**{day: OuterRef(day), "recorded_at__gt": OuterRef("recorded_at")})
    )
    return rows.filter(~Exists(later))


def _risks(cases: CaseQuerySet, start: date, end: date) -> Any:
    rows = RiskAssessment.objects.filter(case__in=cases.open(), next_due__range=(start, end))
    return _latest(rows, "assessed_on")


def _follow_ups(cases: CaseQuerySet, start: date, end: date) -> Any:
    """They reach beyond the closing."""
    return FollowUp.objects.filter(case__in=cases.counted(), done_on=None, due_on__range=(start, end))


def _interests(cases: CaseQuerySet, start: date, end: date) -> Any:
    children = cases.open().filter(is_child_procedure=True)
    return _latest(BestInterest.objects.filter(case__in=children, review_on__range=(start, end)), "determined_on")


def _permits(cases: CaseQuerySet, start: date, end: date) -> Any:
    granted = ResidencePermit.objects.filter(state=PermitState.GRANTED)
    longer = granted.filter(case=OuterRef("case"), valid_until__gt=OuterRef("valid_until"))
    return granted.filter(~Exists(longer), case__in=cases.open(), valid_until__range=(start, end))


def _measures(cases: CaseQuerySet, start: date, end: date) -> Any:
    return RiskMeasure.objects.filter(case__in=cases.open(), done_on=None, due_on__range=(start, end))


REFLECTION = "reflection"
KINDS = {
    one.key: one
    for one in (
        Kind("risk", _("risk to be assessed again"), _risks, "next_due"),
        Kind("measure", _("measure against a risk"), _measures),
        Kind(REFLECTION, _("end of a reflection period")),
        Kind("interest", _("best interest to be reviewed"), _interests, "review_on"),
        Kind("permit", _("end of a residence permit"), _permits, "valid_until"),
        Kind("follow-up", _("follow-up after return or shelter"), _follow_ups),
    )
}


def _ends_of_reflection(cases: CaseQuerySet, start: date, end: date) -> Iterator[tuple[uuid.UUID, date]]:
    """Case and planned end of the periods that run, as their events give it: while one is paused nobody knows its end."""
    over = ReflectionEvent.objects.filter(case=OuterRef("case"), kind__in=ENDS)
    running = ReflectionEvent.objects.filter(~Exists(over), kind=ReflectionKind.START, case__in=cases.open())
    rows = ReflectionEvent.objects.filter(case__in=running.values("case")).order_by("recorded_at", "pk")
    by_case: dict[uuid.UUID, list[ReflectionEvent]] = defaultdict(list)
    for row in rows:
        by_case[row.case_id].append(row)
    for case, events in by_case.items():
        found = standing(events_of(events))
        if found.state == "running" and found.planned_end is not None and start <= found.planned_end <= end:
            yield case, found.planned_end


EVER = (date(1900, 1, 1), date(2999, 12, 31))


def due_in(cases: Any, key: str, day: date | None = None) -> Q:
    """Which of the cases have something of a kind that falls due, on a day or on any; for the list of cases."""
    within, kind = (day, day) if day is not None else EVER, KINDS[key]
    if kind.rows is not None:
        return Q(pk__in=kind.rows(cases, *within).order_by().values("case"))
    return Q(pk__in=[case for case, _day in _ends_of_reflection(cases, *within)])


def _entries(user: Any, start: date, end: date) -> Iterator[Entry]:
    """Two questions, whatever there is."""
    if not user.sees_cases:
        return
    cases = Case.objects.visible_to(user)
    asked = [
        one.rows(cases, start, end).order_by().values_list(Value(one.key), one.day)
        for one in KINDS.values()
        if one.rows is not None
    ]
    found = set(asked[0].union(*asked[1:]))
    found |= {(REFLECTION, day) for _case, day in _ends_of_reflection(cases, start, end)}
    for key, day in sorted(found, key=lambda one: (one[1], one[0])):
        address = f"{reverse('nrm:case-list')}?{urlencode({'falls': key, 'falls_on': day.isoformat()})}"
        yield on_day(f"case-{key}-{day}", capfirst(str(KINDS[key].label)), day, address)


def register_days() -> None:
    """Called when the app is ready."""
    calendar.register(calendar.Source("cases", _("What falls due in cases"), _entries))
