"""What falls due in cases on a day, beside the clocks of the SOP: on the calendar, and in the list that it opens.

In the calendar there is one entry for a kind and a day, whatever the number of cases: it goes to calendar programs outside,
and neither a marker nor a number of cases goes with it. Its address opens the list of these very cases.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q
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

Days = Iterable[tuple[uuid.UUID, date]]


@dataclass(frozen=True)
class Kind:
    """`days(cases, start, end)` gives (case, day) for what falls due of these cases from `start` to `end`, both included."""

    key: str
    label: str | Promise
    days: Callable[[CaseQuerySet, date, date], Days]


def _latest(rows: Any, day: str) -> Any:
    """Of each case the record that holds: the last one by its own day, and of one day the one that was recorded last."""
    later = rows.model.objects.filter(case=OuterRef("case")).filter(
        Q(**{f"{day}__gt": OuterRef(day)}) | Q(**{day: OuterRef(day), "recorded_at__gt": OuterRef("recorded_at")})
    )
    return rows.filter(~Exists(later))


def _risks(cases: CaseQuerySet, start: date, end: date) -> Days:
    rows = RiskAssessment.objects.filter(case__in=cases.open(), next_due__range=(start, end))
    return _latest(rows, "assessed_on").values_list("case", "next_due")  # type: ignore[no-any-return]


def _reflections(cases: CaseQuerySet, start: date, end: date) -> Days:
    """Of those that run: while a period is paused nobody knows its end."""
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


def _follow_ups(cases: CaseQuerySet, start: date, end: date) -> Days:
    """They reach beyond the closing."""
    rows = FollowUp.objects.filter(case__in=cases.counted(), done_on=None, due_on__range=(start, end))
    return rows.values_list("case", "due_on")


def _interests(cases: CaseQuerySet, start: date, end: date) -> Days:
    children = cases.open().filter(is_child_procedure=True)
    rows = BestInterest.objects.filter(case__in=children, review_on__range=(start, end))
    return _latest(rows, "determined_on").values_list("case", "review_on")  # type: ignore[no-any-return]


def _permits(cases: CaseQuerySet, start: date, end: date) -> Days:
    rows = ResidencePermit.objects.filter(
        case__in=cases.open(),
        state=PermitState.GRANTED,
        valid_until__range=(start, end),
    )
    longer = ResidencePermit.objects.filter(
        case=OuterRef("case"), state=PermitState.GRANTED, valid_until__gt=OuterRef("valid_until")
    )
    return rows.filter(~Exists(longer)).values_list("case", "valid_until")  # type: ignore[return-value]


def _measures(cases: CaseQuerySet, start: date, end: date) -> Days:
    rows = RiskMeasure.objects.filter(case__in=cases.open(), done_on=None, due_on__range=(start, end))
    return rows.values_list("case", "due_on")


KINDS = {
    one.key: one
    for one in (
        Kind("risk", _("risk to be assessed again"), _risks),
        Kind("measure", _("measure against a risk"), _measures),
        Kind("reflection", _("end of a reflection period"), _reflections),
        Kind("interest", _("best interest to be reviewed"), _interests),
        Kind("permit", _("end of a residence permit"), _permits),
        Kind("follow-up", _("follow-up after return or shelter"), _follow_ups),
    )
}
EVER = (date(1900, 1, 1), date(2999, 12, 31))


def due_in(cases: Any, key: str, day: date | None = None) -> Q:
    """Which of the cases have something of a kind that falls due, on a day or on any; for the list of cases."""
    start, end = (day, day) if day is not None else EVER
    return Q(pk__in=[case for case, _day in KINDS[key].days(cases, start, end)])


def _entries(user: Any, start: date, end: date) -> Iterator[Entry]:
    if not user.sees_cases:
        return
    cases = Case.objects.visible_to(user)
    for kind in KINDS.values():
        for day in sorted({day for _case, day in kind.days(cases, start, end)}):
            address = f"{reverse('nrm:case-list')}?{urlencode({'falls': kind.key, 'falls_on': day.isoformat()})}"
            yield on_day(f"case-{kind.key}-{day}", capfirst(kind.label), day, address)


def register_days() -> None:
    """Called when the app is ready."""
    calendar.register(calendar.Source("cases", _("What falls due in cases"), _entries))
