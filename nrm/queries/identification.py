"""Identification, risk and the reflection period as pages and acts ask for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from nrm import access
from nrm.models import (
    Case,
    CaseDecision,
    CaseParty,
    Competence,
    EventKind,
    Function,
    LimitUnit,
    ReflectionEvent,
    SopStep,
    SopVersion,
    Who,
)
from nrm.reflection import Event, Standing, standing
from nrm.standing import Decided
from onatc.dated_settings import holidays_between, is_working_day
from onatc.periods import months_after
from onatc.texts import SortKey
from stakeholders.models import Institution, User


def with_function(case: Case, functions: Iterable[str], day: date | None = None) -> Any:
    """Institutions that have such a function on a day, in the whole country or where the case is, by name."""
    found = Competence.objects.on(day or timezone.localdate()).filter(
        institution=OuterRef("pk"), function__in=tuple(functions)
    )
    if case.municipality_id is not None:
        found = found.filter(Q(municipality=None) | Q(municipality=case.municipality_id))
    return Institution.objects.filter(Exists(found)).order_by(SortKey("name"))


def records_for(user: User, case: Case) -> Any:
    """The institutions for which `user` records in this case: their own that take part; for the office all that do."""
    parties = CaseParty.objects.filter(case=case, institution=OuterRef("pk"), until__isnull=True)
    found = Institution.objects.filter(Exists(parties)).order_by(SortKey("name"))
    own = found.filter(pk__in=user.institution_ids)
    return own if access.takes_part(user, case) else found


def deciding_bodies(user: User, case: Case) -> Any:
    """Whose decision `user` may record: that of their own competent institution and, for those that are competent, of a
    court; the office that of every competent body."""
    competent = with_function(case, access.DECIDES)
    if not access.takes_part(user, case):
        return competent
    courts = with_function(case, (Function.COURT,)).values("pk")
    return competent.filter(Q(pk__in=user.institution_ids) | Q(pk__in=courts))


def decided(decisions: Iterable[CaseDecision]) -> list[Decided]:
    """Decisions as the rules see them, given in the order of their days and of their recording."""
    return [Decided(one.decided_on, order, one.outcome, one.stage) for order, one in enumerate(decisions)]


def events_of(rows: Iterable[ReflectionEvent]) -> list[Event]:
    """Events of a reflection period as the rule sees them, given in the order of their recording."""
    return [Event(one.kind, one.on, one.days, order) for order, one in enumerate(rows)]


def reflection_of(case: Case) -> Standing:
    rows = ReflectionEvent.objects.filter(case=case).order_by("recorded_at", "pk")
    return standing(events_of(rows))


def next_risk_assessment(case: Case, assessed_on: date, level: str) -> date | None:
    """When the risk is assessed again: the repeated step of the SOP version in force on the day of the assessment, so far
    as it concerns this case; None when that version repeats nothing."""
    version = SopVersion.objects.in_force(assessed_on)
    if version is None:
        return None
    for step in SopStep.objects.filter(version=version, repeats=True, trigger=EventKind.RISK_ASSESSED):
        concerns = step.who == Who.ALL or (step.who == Who.CHILD) == case.is_child_procedure
        if EventKind.RISK_ASSESSED not in step.met_by or not concerns or not step.amounts:
            continue
        if not step.applies_risk or level in step.applies_risk:
            return _later(assessed_on, step)
    return None


def _later(day: date, step: SopStep) -> date | None:
    amount = min(step.amounts)
    if step.unit == LimitUnit.MONTHS:
        return months_after(day, amount)
    if step.unit == LimitUnit.HOURS:
        return day + timedelta(days=-(-amount // 24))
    if step.unit == LimitUnit.WORKING_DAYS:
        return _working_days_after(day, amount)
    return day + timedelta(days=amount) if step.unit == LimitUnit.DAYS else None


def _working_days_after(day: date, amount: int) -> date:
    holidays = holidays_between(day, day + timedelta(days=amount * 3 + 14))
    while amount:
        day += timedelta(days=1)
        amount -= is_working_day(day, holidays)
    return day
