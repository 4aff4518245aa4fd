"""Open points that stakeholders offers for an agenda: overdue action points, decisions that wait, minutes to adopt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from onatc.texts import COLUMNS, DJANGO_CODES
from stakeholders.agenda import OpenPoint, Source, register
from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    AgendaKind,
    BodyMember,
    Decision,
    Meeting,
    MeetingState,
    MinutesState,
)
from stakeholders.queries.meetings import before, of_circle


def _titles(record: Any, name: str = "title") -> dict[str, str]:
    return {column: getattr(record, f"{name}_{column}") for column in COLUMNS}


def overdue_points(meeting: Meeting, user: Any, limit: int) -> Iterable[OpenPoint]:
    """Action points that were due before today, of the same body, or whose owner sits in it; of a meeting without a body
    those of its earlier meetings. The longest overdue first."""
    if meeting.body is not None:
        sits = BodyMember.objects.filter(body=meeting.body).on(meeting.day).values("institution")
        theirs = Q(meeting__body=meeting.body) | Q(owner__in=sits)
    else:
        theirs = Q(meeting__in=before(meeting).values("pk"))
    found = (
        ActionPoint.objects.visible_to(user).overdue().filter(theirs).select_related("owner").order_by("due_on", "pk")
    )
    for one in found[:limit]:
        values = {"owner": one.owner.name, "date": date_format(one.due_on, "DATE_FORMAT")}
        yield OpenPoint(
            str(one.pk), _titles(one), AgendaKind.DISCUSSION, one.get_absolute_url(),
            _("%(owner)s owed it by %(date)s.") % values, one.due_on,
        )  # fmt: skip


def waiting_decisions(meeting: Meeting, user: Any, limit: int) -> Iterable[OpenPoint]:
    """What earlier meetings had on their agenda for decision and ended without deciding, and what those cancelled since the
    last one had; the newest first. What another agenda took up waits there."""
    last = before(meeting).order_by("-starts_at").first()
    cancelled = of_circle(meeting).filter(state=MeetingState.CANCELLED)
    if last is not None:
        cancelled = cancelled.filter(starts_at__gt=last.starts_at)
    taken = Decision.objects.filter(item=OuterRef("pk"))
    source = Concat(Value("decisions:"), Cast(OuterRef("pk"), CharField()))
    elsewhere = AgendaItem.objects.filter(source=source).exclude(meeting=meeting)
    found = AgendaItem.objects.visible_to(user).filter(
        ~Exists(taken),
        ~Exists(elsewhere),
        Q(meeting__in=before(meeting).values("pk")) | Q(meeting__in=cancelled.values("pk")),
        kind=AgendaKind.DECISION,
    )
    for one in found.select_related("meeting").order_by("-meeting__starts_at", "position", "pk")[:limit]:
        date = {"date": date_format(one.meeting.day, "DATE_FORMAT")}
        yield OpenPoint(
            str(one.pk), _titles(one), AgendaKind.DECISION, one.meeting.get_absolute_url(),
            _("It was for decision on %(date)s; that meeting was cancelled.") % date
            if one.meeting.state == MeetingState.CANCELLED
            else _("It was for decision on %(date)s, and nothing was decided.") % date,
        )  # fmt: skip


def unadopted_minutes(meeting: Meeting, user: Any, limit: int) -> Iterable[OpenPoint]:
    """Minutes of earlier meetings of the circle that were written and not adopted, the oldest first. The key is the
    meeting's."""
    found = before(meeting).filter(
        pk__in=Meeting.objects.visible_to(user).values("pk"),
        state=MeetingState.HELD,
        minutes_state__in=[MinutesState.DRAFT, MinutesState.CIRCULATED],
    )
    for one in found.order_by("starts_at", "pk")[:limit]:
        titles = {}
        for column in COLUMNS:
            with override(DJANGO_CODES[column]):
                titles[column] = _("Adoption of the minutes of %(date)s") % {
                    "date": date_format(one.day, "DATE_FORMAT")
                }
        why = _("They were circulated.") if one.circulated_at else _("They are written and not circulated yet.")
        yield OpenPoint(str(one.pk), titles, AgendaKind.MINUTES, one.get_absolute_url(), why, None)


def register_own() -> None:
    register(Source("minutes", gettext_lazy("minutes to adopt"), 10, unadopted_minutes))
    register(Source("action-point", gettext_lazy("overdue action points"), 30, overdue_points))
    register(Source("decisions", gettext_lazy("decisions that wait"), 20, waiting_decisions))
