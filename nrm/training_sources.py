"""Where trainings show outside their own pages: the search, the calendar, the page of a joint event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nrm import access
from nrm.models import (
    AnswerState,
    Course,
    CourseFile,
    NeedsAnswer,
    TrainingFollowUp,
    TrainingSession,
    TrainingState,
)
from nrm.queries.training import with_people
from onatc.search import Found, Kind, joined, text_of_file
from onatc.search import register as findable
from onatc.texts import COLUMNS
from stakeholders.calendar import Entry
from stakeholders.calendar import Source as CalendarSource
from stakeholders.calendar import register as in_calendar
from stakeholders.models import Event, EventKind, EventState
from stakeholders.related import Act, Related
from stakeholders.related import Source as RelatedSource
from stakeholders.related import register as related

EVERYBODY = ("office", "plan_reader")  # whoever works in the mechanism, or looks at it


def register() -> None:
    findable(Kind("course", _("course"), Course, _course, lambda: Course.objects.all()))
    findable(
        Kind(
            "course_file", _("material of a course"), CourseFile, _course_file,
            lambda: CourseFile.objects.select_related("course"), {Course: "course"}, reads_files=True,
        )
    )  # fmt: skip
    in_calendar(CalendarSource("trainings", _("Trainings"), _entries))
    related(
        RelatedSource(
            "training-sessions", Event, _("Training sessions"), _of_events, acts=_acts,
        )
    )  # fmt: skip


def _titles(one: Course) -> dict[str, str]:
    return {column: getattr(one, f"title_{column}") for column in COLUMNS}


def _course(one: Course) -> Found:
    return Found(_titles(one), joined([*_titles(one).values(), one.about]), one.get_absolute_url(), EVERYBODY)


def _course_file(one: CourseFile) -> Found:
    text = joined([one.title, *_titles(one.course).values(), text_of_file(one)])
    return Found(dict.fromkeys(COLUMNS, one.original_name), text, one.course.get_absolute_url(), EVERYBODY)


def _entries(user: Any, start: date, end: date) -> Iterator[Entry]:
    """Sessions; the last day of answers on needs, and the day of a follow-up, of one's own institution or all for the office.
    A session that belongs to a joint event stands there with the event."""
    sessions = TrainingSession.objects.visible_to(user).filter(starts_on__lte=end, ends_on__gte=start, event=None)
    for one in sessions.select_related("course", "municipality"):
        title = gettext("Training: %(course)s") % {"course": one.course.title}
        yield Entry(
            f"training-{one.pk}", title, one.starts_on, one.ends_on, one.get_absolute_url(),
            place=str(one.municipality or one.place), is_cancelled=one.state == TrainingState.CANCELLED,
            quoted=one.course.title,
        )  # fmt: skip
    answers = (
        NeedsAnswer.objects.visible_to(user)
        .filter(
            assessment__state="open", assessment__closes_on__range=(start, end), institution__in=user.institution_ids
        )
        .exclude(state=AnswerState.SUBMITTED)
    )
    for answer in answers.select_related("assessment", "institution"):
        day = answer.assessment.closes_on
        title = gettext("Training needs: answer of %(institution)s") % {"institution": answer.institution.short}
        yield Entry(f"training-needs-{answer.pk}", title, day, day, answer.get_absolute_url())
    follow_ups = TrainingFollowUp.objects.visible_to(user).waiting().filter(due_on__range=(start, end))
    for follow_up in follow_ups.select_related("session__course", "institution"):
        title = gettext("Six months after a training: %(institution)s") % {"institution": follow_up.institution.short}
        yield Entry(
            f"training-follow-up-{follow_up.pk}",
            title,
            follow_up.due_on,
            follow_up.due_on,
            follow_up.get_absolute_url(),
        )


def _of_events(events: Collection[Event], user: Any) -> dict[Any, list[Related]]:
    found: dict[Any, list[Related]] = {}
    sessions = TrainingSession.objects.visible_to(user).filter(event__in=[one.pk for one in events])
    with_numbers: Any = with_people(sessions, user).select_related("course")
    for one in with_numbers:
        note = ""
        if one.people:
            sentence = (
                _("%(number)d took part") if access.sees_all_trained(user) else _("%(number)d of yours took part")
            )
            note = str(sentence) % {"number": one.people}
        found.setdefault(one.event_id, []).append(
            Related(
                one.course.title,
                one.get_absolute_url(),
                note=note,
                state=one.state,
                state_label=one.get_state_display(),
            )
        )
    return found


def _acts(event: Event, user: Any) -> Iterable[Act]:
    if event.kind == EventKind.TRAINING and event.state != EventState.CANCELLED and access.may_keep_mechanism(user):
        yield Act(gettext("Plan a session of it"), f"{reverse('nrm:training-session-create')}?event={event.pk}")
