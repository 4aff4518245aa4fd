"""Open points that the plan offers for an agenda: measures that are late or without news, proposals that wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onatc import merged
from onatc.texts import COLUMNS, column_of
from stakeholders.agenda import OpenPoint, Source, register
from stakeholders.models import AgendaKind, BodyKind, BodyMember, Meeting
from strategy.actions.signals import rule_limits
from strategy.filters import quarter_of
from strategy.models import Measure, MeasureSignal, Proposal, ProposalState, Signal
from strategy.queries import late
from strategy.queries.plan import current_plan, shown_version


def _measures_of(meeting: Meeting) -> Any:
    """Measures that concern the meeting: all for the National Authority and for a meeting without a body; otherwise those
    led by an institution that sits in the body."""
    if meeting.body is None or meeting.body.kind == BodyKind.AUTHORITY:
        return Measure.objects.all()
    return Measure.objects.filter(
        lead__in=BodyMember.objects.filter(body=meeting.body).on(meeting.day).values("institution")
    )


def late_measures(meeting: Meeting, user: Any, limit: int) -> Iterable[OpenPoint]:
    """Measures in force whose signal is late or without news, the longest late first. The key is the measure's lineage: it
    is the same measure in the next version of the plan."""
    plan = current_plan(user)
    version = shown_version(plan, user) if plan is not None else None
    if version is None:
        return
    quarter = quarter_of(None)
    asked = late.Question(user, version, quarter, timezone.localdate(), rule_limits(quarter.end))
    concerned = MeasureSignal.objects.filter(measure__in=_measures_of(meeting).filter(version=version).values("pk"))
    keys = {str(pk) for pk in concerned.filter(signal__in=(Signal.LATE, Signal.NO_NEWS)).values_list("pk", flat=True)}
    rows = [
        row
        for what in (late.Lateness.LATE, late.Lateness.NO_NEWS)
        for row in late.late_rows(asked, what=what.value)
        if row[merged.KEY] in keys
    ][:limit]
    signals = {
        str(one.pk): one.measure
        for one in concerned.filter(pk__in=[row[merged.KEY] for row in rows]).select_related("measure")
    }
    for row, one in zip(rows, late.shown(rows, asked), strict=True):
        measure = signals[row[merged.KEY]]
        titles = {
            column: f"{measure.code} {text}" if (text := getattr(measure, f"title_{column}")) else ""
            for column in COLUMNS
        }
        yield OpenPoint(
            str(measure.lineage), titles, AgendaKind.DISCUSSION, one.url, f"{one.label}: {one.reason}", one.due_on
        )


def waiting_proposals(meeting: Meeting, user: Any, limit: int) -> Iterable[OpenPoint]:
    """Proposals to change a plan that nobody has decided, the oldest first."""
    found = (
        Proposal.objects.visible_to(user).filter(state=ProposalState.SUBMITTED).select_related("institution", "measure")
    )
    if meeting.body is not None and meeting.body.kind != BodyKind.AUTHORITY:
        sits = BodyMember.objects.filter(body=meeting.body).on(meeting.day).values("institution")
        found = found.filter(institution__in=sits)
    for one in found.order_by("submitted_at", "pk")[:limit]:
        text = Truncator(one.text).chars(200)
        about = f"{one.measure.code}: {text}" if one.measure is not None else text
        values = {
            "who": one.institution.name if one.institution is not None else one.get_origin_display(),
            "date": date_format(timezone.localtime(one.submitted_at), "DATE_FORMAT"),
        }
        yield OpenPoint(
            str(one.pk), {column_of(one.language): about}, AgendaKind.DECISION, one.get_absolute_url(),
            _("Proposed by %(who)s on %(date)s; it waits for a decision.") % values,
        )  # fmt: skip


def register_own() -> None:
    register(Source("measures", gettext_lazy("measures late or without news"), 50, late_measures))
    register(Source("proposals", gettext_lazy("proposals that wait"), 40, waiting_proposals))
