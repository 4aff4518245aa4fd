"""What stakeholders puts into the calendar: meetings, events, international and holidays, and what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.dated_settings import Holiday
from onatc.texts import written_in
from stakeholders.calendar import Entry, Source, register
from stakeholders.models import (
    ActionPoint,
    Agreement,
    AssignmentState,
    Body,
    Enquiry,
    Event,
    EventState,
    InternationalDay,
    Meeting,
    MeetingSeries,
    MeetingState,
    Obligation,
    QuestionAssignment,
    Questionnaire,
    QuestionnaireState,
)
from stakeholders.queries.meetings import due_of_series, with_last_held

Entries = Callable[[Any, date, date], Iterable[Entry]]


def register_own() -> None:
    for key, label, entries in (
        ("meetings", _("Meetings"), meetings),
        ("series", _("Meetings that are owed"), _series),
        ("events", _("Events"), _events),
        ("days", _("International days"), _days),
        ("holidays", _("Holidays"), _holidays),
        ("agreements", _("Agreements"), _agreements),
        ("obligations", _("Obligations of agreements"), _obligations),
        ("action-points", _("Action points"), _action_points),
        ("enquiries", _("Enquiries and questionnaires"), _enquiries),
    ):
        register(Source(key, label, entries))


def on_day(key: str, title: Any, day: date, url: str = "", **more: Any) -> Entry:
    return Entry(key, str(title), day, day, url, **more)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def meetings(user: Any, start: date, end: date) -> Iterator[Entry]:
    return _meetings(Meeting.objects.visible_to(user), start, end)


def meetings_of_body(body: Body) -> Entries:
    """Those of one body alone, for its feed."""
    return lambda user, start, end: _meetings(Meeting.objects.visible_to(user).filter(body=body), start, end)


def _meetings(found: QuerySet[Meeting], start: date, end: date) -> Iterator[Entry]:
    """Which are called or were; one that is being prepared is on the calendar of those who prepare it."""
    rows = found.filter(starts_at__lt=_midnight(end + timedelta(days=1)), ends_at__gt=_midnight(start))
    for one in rows.order_by("starts_at", "pk"):
        until = timezone.localtime(one.ends_at)
        last = until.date() if until.time() > time.min else until.date() - timedelta(days=1)
        title = gettext("%(title)s (being prepared)") if one.state == MeetingState.DRAFT else "%(title)s"
        yield Entry(
            f"meeting-{one.pk}", title % {"title": one.title}, one.day, max(one.day, last), one.get_absolute_url(), one.starts_at,
            one.ends_at, one.place or one.link, one.state == MeetingState.CANCELLED, one.title,
        )  # fmt: skip


def _series(user: Any, start: date, end: date) -> Iterator[Entry]:
    """The day by which the next meeting of a series must be held."""
    today = timezone.localdate()
    for one in with_last_held(MeetingSeries.objects.visible_to(user)).order_by("pk"):
        day = due_of_series(one, today).due_on
        if day is not None and start <= day <= end:
            yield on_day(f"series-{one.pk}", _due(one.name), day, one.get_absolute_url(), quoted=one.name)


def _events(user: Any, start: date, end: date) -> Iterator[Entry]:
    rows = Event.objects.visible_to(user).filter(starts_on__lte=end, ends_on__gte=start)
    for one in rows.order_by("starts_on", "pk"):
        yield Entry(
            f"event-{one.pk}", str(one.title), one.starts_on, one.ends_on, one.get_absolute_url(), place=one.place,
            is_cancelled=one.state == EventState.CANCELLED, quoted=one.title,
        )  # fmt: skip


def _days(user: Any, start: date, end: date) -> Iterator[Entry]:
    """Each year anew."""
    rows = list(InternationalDay.objects.visible_to(user).filter(is_observed=True))
    for year in range(start.year, end.year + 1):
        for one in rows:
            day = one.in_year(year)
            if start <= day <= end:
                yield on_day(f"day-{one.pk}-{year}", one.name, day, one.get_absolute_url(), quoted=one.name)


def _holidays(user: Any, start: date, end: date) -> Iterator[Entry]:
    for one in Holiday.objects.visible_to(user).filter(day__range=(start, end)).order_by("day"):
        yield on_day(f"holiday-{one.pk}", one, one.day)


def _agreements(user: Any, start: date, end: date) -> Iterator[Entry]:
    within = (start, end)
    rows = Agreement.objects.visible_to(user).filter(
        Q(review_on__range=within) | Q(expires_on__range=within), signed_on__isnull=False, ended_on__isnull=True
    )
    for one in rows.order_by("pk"):
        for what, day, words in (
            ("review", one.review_on, gettext("Review due: %(title)s")),
            ("end", one.expires_on, gettext("Last day: %(title)s")),
        ):
            if day is not None and start <= day <= end:
                said = words % {"title": one.title}
                yield on_day(f"agreement-{what}-{one.pk}", said, day, one.get_absolute_url(), quoted=one.title)


def _obligations(user: Any, start: date, end: date) -> Iterator[Entry]:
    """Of agreements that bind on the day on which it is due."""
    rows = Obligation.objects.visible_to(user).open().filter(
        Q(agreement__expires_on__isnull=True) | Q(agreement__expires_on__gte=F("due_on")),
        due_on__range=(start, end), agreement__signed_on__isnull=False, agreement__ended_on__isnull=True,
    )  # fmt: skip
    for one in rows.select_related("agreement", "institution").order_by("due_on", "pk"):
        if one.due_on is not None:
            text = written_in(one.text[:120], one.agreement.language)
            words = gettext("Obligation of %(institution)s: %(text)s") % {
                "institution": one.institution.short,
                "text": text,
            }
            yield on_day(f"obligation-{one.pk}", words, one.due_on, one.agreement.get_absolute_url(), quoted=text)


def _action_points(user: Any, start: date, end: date) -> Iterator[Entry]:
    rows = ActionPoint.objects.visible_to(user).open().filter(due_on__range=(start, end))
    # One at a time: who shows but the first few hundred (stakeholders.calendar.MOST) reads no more of them.
    shown = rows.only("title_sq", "title_sr", "title_en", "due_on")
    for one in shown.order_by("due_on", "pk").iterator(chunk_size=250):
        yield on_day(f"action-point-{one.pk}", _due(one.title), one.due_on, one.get_absolute_url(), quoted=one.title)


def _enquiries(user: Any, start: date, end: date) -> Iterator[Entry]:
    """An enquiry by its number: its subject may name who asks."""
    within = (start, end)
    for enquiry in Enquiry.objects.visible_to(user).open().filter(due_on__range=within):
        words = gettext("Answer due: enquiry %(number)s") % {"number": enquiry.label}
        yield on_day(f"enquiry-{enquiry.pk}", words, enquiry.due_on, enquiry.get_absolute_url())
    asked = Questionnaire.objects.visible_to(user).filter(due_on__range=within, state=QuestionnaireState.OPEN)
    for questionnaire in asked:
        yield on_day(
            f"questionnaire-{questionnaire.pk}", _due(questionnaire.title), questionnaire.due_on,
            questionnaire.get_absolute_url(),
        )  # fmt: skip
    if user.keeps_cooperation:
        return  # the office answers for the whole; each question is the institutions'
    put = QuestionAssignment.objects.visible_to(user).filter(due_on__range=within)
    put = put.filter(state__in=[AssignmentState.ASKED, AssignmentState.RETURNED]).select_related("question")
    for one in put:
        words = gettext("Answer due: question %(number)s") % {"number": one.question.label}
        yield on_day(f"assignment-{one.pk}", words, one.due_on, one.get_absolute_url())


def _due(title: Any) -> str:
    return gettext("Due: %(title)s") % {"title": title}
