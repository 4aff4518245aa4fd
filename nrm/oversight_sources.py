"""What deviations, adaptations and the assessment put on agendas and into the calendar. No marker and no count of cases stands
in a title: agendas go to many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db.models import F, Min, QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from nrm.models import (
    Adaptation,
    AdaptationState,
    Assessment,
    AssessmentState,
    Deviation,
    DeviationState,
    SopStep,
)
from nrm.problems import RULES
from onatc.texts import COLUMNS, DJANGO_CODES, choose, column_of
from stakeholders import agenda, calendar
from stakeholders.calendar import Entry
from stakeholders.calendar_sources import on_day
from stakeholders.models import AgendaKind, BodyKind, BodyMember, Meeting, SeriesKind

# Meetings that hear of the whole mechanism, whoever sits in them.
OF_ALL = (SeriesKind.NRM_PROGRESS, SeriesKind.AUTHORITY, SeriesKind.ROUND_TABLE)
MOST = 1000


def _in_languages(title: Any) -> dict[str, str]:
    """`title` made in each language of an agenda."""
    titles = {}
    for column in COLUMNS:
        with override(DJANGO_CODES[column]):
            titles[column] = title(column)
    return titles


def _hears_of_all(meeting: Meeting) -> bool:
    if meeting.body is None or meeting.body.kind == BodyKind.AUTHORITY:
        return True
    return meeting.series is not None and meeting.series.kind in OF_ALL


def _concerning(meeting: Meeting, user: Any) -> QuerySet[Deviation]:
    """Open deviations of institutions that sit in the body, or of all for a meeting on the whole mechanism."""
    found = Deviation.objects.visible_to(user).open()
    if _hears_of_all(meeting):
        return found
    sits = BodyMember.objects.filter(body=meeting.body).on(meeting.day).values("institution")
    return found.filter(institution__in=sits)


def open_deviations(meeting: Meeting, user: Any, limit: int) -> Iterable[agenda.OpenPoint]:
    """What is about an institution each by itself, what is overdue first; then by step what is about cases, all together:
    how many cases that are is not said."""
    found = _concerning(meeting, user)
    patterns = found.filter(case__isnull=True).select_related("institution", "step")
    shown = list(patterns.order_by(F("due_on").asc(nulls_last=True), "found_on", "pk")[:limit])
    for one in shown:
        yield agenda.OpenPoint(
            str(one.pk), _title_of(one), AgendaKind.DISCUSSION, one.get_absolute_url(), _why(one), one.due_on
        )
    in_cases = found.filter(case__isnull=False, step__isnull=False).order_by()
    steps = in_cases.values_list("step__lineage").annotate(first=Min("found_on")).order_by("first")
    dates = dict(steps[: max(0, limit - len(shown))])
    latest: dict[Any, SopStep] = {}
    for step in SopStep.objects.filter(lineage__in=dates).order_by("version__number"):
        latest[step.lineage] = step
    for lineage, since in dates.items():
        step = latest[lineage]
        yield agenda.OpenPoint(
            f"step-{lineage}",
            _in_languages(
                lambda column, step=step: (
                    _("Deviations in cases: %(step)s") % {"step": f"{step.number}. {_name(step, column)}"}
                )
            ),
            AgendaKind.DISCUSSION,
            reverse("nrm:deviation-list") + "?about=case",
            _("Open since %(date)s.") % {"date": date_format(since, "DATE_FORMAT")},
        )


def _name(record: Any, column: str, stem: str = "name") -> str:
    return str(choose({one: getattr(record, f"{stem}_{one}") for one in COLUMNS}, column))


def _title_of(one: Deviation) -> dict[str, str]:
    if one.what:
        return {column_of(one.language): one.what}

    def title(column: str) -> str:
        rule = str(RULES[one.rule].title) if one.rule in RULES else _("Deviation")
        where = str(one.institution.short)
        return f"{where}: {rule}" + (f" ({one.step.number}. {_name(one.step, column)})" if one.step else "")

    return _in_languages(title)


def _why(one: Deviation) -> str:
    if one.is_overdue and one.due_on is not None:
        return _("Its correction was due on %(date)s.") % {"date": date_format(one.due_on, "DATE_FORMAT")}
    if one.state == DeviationState.OPEN:
        return _("Found on %(date)s; nothing is done about it yet.") % {
            "date": date_format(one.found_on, "DATE_FORMAT")
        }
    return _("Found on %(date)s; it is being corrected.") % {"date": date_format(one.found_on, "DATE_FORMAT")}


def waiting_adaptations(meeting: Meeting, user: Any, limit: int) -> Iterable[agenda.OpenPoint]:
    """Proposals that nobody has decided: those laid before this meeting, and those laid before none, where the meeting hears
    of the whole mechanism."""
    found = Adaptation.objects.visible_to(user).filter(state=AdaptationState.PROPOSED)
    here = found.filter(meeting=meeting)
    chosen = here | found.filter(meeting__isnull=True) if _hears_of_all(meeting) else here
    for one in chosen.order_by("proposed_on", "pk")[:limit]:
        yield agenda.OpenPoint(
            str(one.pk),
            {column: getattr(one, f"title_{column}") for column in COLUMNS},
            AgendaKind.DECISION,
            one.get_absolute_url(),
            _("Proposed on %(date)s; it waits for a decision.") % {"date": date_format(one.proposed_on, "DATE_FORMAT")},
        )


def effects_due(meeting: Meeting, user: Any, limit: int) -> Iterable[agenda.OpenPoint]:
    """Adaptations in place whose effect can be measured by the day of the meeting, and is not on record."""
    if not _hears_of_all(meeting):
        return
    found = Adaptation.objects.visible_to(user).filter(
        state=AdaptationState.IN_PLACE, effect_checked_on__isnull=True, effect_due_on__lte=meeting.day
    )
    for one in found.order_by("effect_due_on", "pk")[:limit]:
        yield agenda.OpenPoint(
            str(one.pk),
            {column: getattr(one, f"title_{column}") for column in COLUMNS},
            AgendaKind.INFORMATION,
            one.get_absolute_url(),
            _("In place; its effect is to be checked from %(date)s on.")
            % {"date": date_format(one.effect_due_on, "DATE_FORMAT")},
            one.effect_due_on,
        )


def laid_assessments(meeting: Meeting, user: Any, limit: int) -> Iterable[agenda.OpenPoint]:
    """A version that waits for the Authority, at its own meetings."""
    if meeting.body is None or meeting.body.kind != BodyKind.AUTHORITY:
        return
    for one in Assessment.objects.visible_to(user).filter(state=AssessmentState.LAID)[:limit]:
        yield agenda.OpenPoint(
            str(one.pk),
            _in_languages(
                lambda _column, one=one: (
                    _("Approval of the assessment of the mechanism, version %(number)s") % {"number": one.number}
                )
            ),
            AgendaKind.DECISION,
            one.get_absolute_url(),
            _("It was laid before the Authority on %(date)s.") % {"date": date_format(one.laid_on, "DATE_FORMAT")},
        )


# The calendar


def _corrections(user: Any, start: date, end: date) -> Iterator[Entry]:
    if not user.sees_deviations:
        return
    waits = (DeviationState.OPEN, DeviationState.CORRECTING)
    rows = Deviation.objects.visible_to(user).filter(state__in=waits, due_on__range=(start, end))
    for one in rows.select_related("institution").order_by("due_on", "pk")[:MOST]:
        title = _("Correction due: %(institution)s") % {"institution": one.institution.short}
        yield on_day(f"deviation-{one.pk}", title, one.due_on, one.get_absolute_url())  # type: ignore[arg-type]


def _effects(user: Any, start: date, end: date) -> Iterator[Entry]:
    rows = Adaptation.objects.visible_to(user).filter(
        state=AdaptationState.IN_PLACE, effect_checked_on__isnull=True, effect_due_on__range=(start, end)
    )
    for one in rows.order_by("effect_due_on", "pk")[:MOST]:
        title = _("Effect to be checked: %(title)s") % {"title": one.title}
        yield on_day(f"adaptation-{one.pk}", title, one.effect_due_on, one.get_absolute_url())  # type: ignore[arg-type]


def register_own() -> None:
    """Called when the app is ready."""
    for key, label, rank, points in (
        ("assessments", gettext_lazy("the assessment of the mechanism"), 34, laid_assessments),
        ("adaptations", gettext_lazy("proposals to adapt the mechanism"), 36, waiting_adaptations),
        ("deviations", gettext_lazy("deviations from the SOP"), 44, open_deviations),
        ("effects", gettext_lazy("effects to be checked"), 46, effects_due),
    ):
        agenda.register(agenda.Source(key, label, rank, points))
    calendar.register(calendar.Source("corrections", gettext_lazy("Corrections due"), _corrections))
    calendar.register(calendar.Source("effects", gettext_lazy("Effects to be checked"), _effects))
