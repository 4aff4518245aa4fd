"""What strategy puts into the calendar: days on which reports are due, milestones, consultations that close."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stakeholders.calendar import Entry, Source, register
from stakeholders.calendar_sources import on_day
from strategy.models import (
    Consultation,
    ConsultationState,
    Measure,
    Milestone,
    MilestoneReached,
    PlanVersion,
    Round,
    RoundState,
    VersionState,
)


def register_own() -> None:
    register(Source("rounds", _("Due dates of rounds"), _rounds))
    register(Source("milestones", _("Milestones"), _milestones))
    register(Source("consultations", _("Consultations"), _consultations))


def _rounds(user: Any, start: date, end: date) -> Iterator[Entry]:
    rows = Round.objects.visible_to(user).filter(due_on__range=(start, end)).exclude(state=RoundState.CLOSED)
    for one in rows.select_related("plan").order_by("due_on", "pk"):
        yield on_day(
            f"round-{one.pk}", gettext("Reports due: %(title)s") % {"title": one}, one.due_on, one.get_absolute_url()
        )


def _milestones(user: Any, start: date, end: date) -> Iterator[Entry]:
    """Of measures in force, until they are reached."""
    in_force = PlanVersion.objects.visible_to(user).filter(state=VersionState.ADOPTED)
    measures = Measure.objects.visible_to(user).filter(version__in=in_force.values("pk"))
    reached = MilestoneReached.objects.filter(milestone__lineage=OuterRef("lineage"))
    rows = Milestone.objects.filter(due_on__range=(start, end), measure__in=measures.values("pk"))
    for one in rows.exclude(Exists(reached)).select_related("measure").order_by("due_on", "pk"):
        yield on_day(
            f"milestone-{one.pk}", f"{one.measure.code}: {one.title}", one.due_on, one.measure.get_absolute_url()
        )


def _consultations(user: Any, start: date, end: date) -> Iterator[Entry]:
    rows = Consultation.objects.visible_to(user).filter(closes_on__range=(start, end), state=ConsultationState.OPEN)
    for one in rows.select_related("version__plan").order_by("closes_on", "pk"):
        yield on_day(
            f"consultation-{one.pk}", gettext("Comments close: %(title)s") % {"title": one.version.plan}, one.closes_on,
            one.get_absolute_url(),
        )  # fmt: skip
