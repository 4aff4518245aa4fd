"""Pages of series of meetings: by what duty they are held, when the last one was, and by when the next one is owed."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import require
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import meetings as actions
from stakeholders.forms.meetings import (
    EndSeriesForm,
    SeriesForm,
)
from stakeholders.meeting_rules import YEARLY
from stakeholders.models import (
    Country,
    Meeting,
    MeetingSeries,
    SeriesKind,
)
from stakeholders.queries.meetings import (
    due_of_series,
    series_owing,
    with_last_held,
)
from stakeholders.views.meetings import with_times
from stakeholders.views.records import as_file, form_page, list_page


def _series_list(request: SignedInRequest) -> RegisterFilter:
    return RegisterFilter(
        request.GET,
        MeetingSeries.objects.visible_to(request.user),
        selects={
            "kind": (_("Kind"), list(SeriesKind.choices)),
            "ended": (_("Shown"), [("no", _("running")), ("yes", _("ended"))]),
            "due": (_("Next meeting"), [("owed", _("overdue or due within 30 days"))]),
        },
        narrow={
            "kind": "kind",
            "ended": lambda value: Q(ends_on__isnull=value == "no"),
            "due": lambda _value: Q(pk__in=series_owing(request.user)),
        },
        counted="kind",
        searched=("name_sq", "name_sr", "name_en", "duty"),
        sorts={"name": "~name", "kind": "kind", "duty": "duty", "since": "starts_on"},
        usual="kind",
    )


def _with_due(rows: Any) -> list[Any]:
    """Each with `due`: when the next meeting is owed, and whether that day is over."""
    today, found = timezone.localdate(), list(rows)
    for one in found:
        one.due = due_of_series(one, today)
    return found


@require_safe
def series_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _series_list(request)
    rows = _with_due(with_last_held(found.ordered().select_related("body", "country")))
    if not found.chosen.get("sort"):  # what is overdue first; all of them are read for it, some dozens at most
        rows.sort(key=lambda one: not one.due.is_overdue)
    may_keep = bool(access.may_keep_series(request.user))
    return list_page(request, "stakeholders/series_list.html", found, rows, may_keep=may_keep)


@require_safe
def series_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("name"), _("kind"), _("duty"), _("body"), _("country"), _("at least every … months"), _("since"), _("until"),
        _("last held"), _("next due"), _("standing"),
    ]  # fmt: skip
    today = timezone.localdate()

    def row(one: Any) -> list[Any]:
        due = due_of_series(one, today)
        return [
            str(one.name), one.get_kind_display(), one.duty, str(one.body.name) if one.body else "",
            str(one.country) if one.country else "", one.every_months, one.starts_on, one.ends_on, due.last_held,
            due.due_on, due.label,
        ]  # fmt: skip

    rows = with_last_held(_series_list(request).ordered().select_related("body", "country"))
    return as_file(request, "meeting-series", head, rows, row)


def _series(request: SignedInRequest, pk: uuid.UUID) -> MeetingSeries:
    return get_object_or_404(
        with_last_held(MeetingSeries.objects.visible_to(request.user).select_related("body", "country")), pk=pk
    )


@require_safe
def series_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    series = _series(request, pk)
    meetings = Meeting.objects.visible_to(request.user).filter(series=series)
    is_office = request.user.keeps_cooperation
    return render(
        request,
        "stakeholders/series_detail.html",
        {
            "series": _with_due([series])[0],
            "meetings": with_times(meetings.select_related("body", "country")[:50]),
            "meeting_count": meetings.count(),
            "may_keep": bool(access.may_keep_series(request.user)),
            "history": history_of(series) if is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def series_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_series(request.user))
    form = SeriesForm(request.POST or None, user=request.user, instance=_series_asked_for(request))
    return form_page(
        request,
        form,
        lambda: actions.make_series(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("New series of meetings"),
        lead=_("Meetings that must be held again and again: by what duty, of which body or with which country."),
        cancel_url=reverse("stakeholders:series-list"),
        done=_("The series is on record."),
    )


def _series_asked_for(request: SignedInRequest) -> MeetingSeries:
    """What the form begins with: the yearly meetings with the country whose page led here."""
    country = Country.objects.visible_to(request.user).filter(pk=request.GET.get("country", "")).first()
    if country is None:
        return MeetingSeries()
    return MeetingSeries(kind=SeriesKind.FACE_TO_FACE, country=country, every_months=YEARLY)


@require_http_methods(["GET", "POST"])
def series_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    series = _series(request, pk)
    require(access.may_keep_series(request.user))
    form = SeriesForm(request.POST or None, user=request.user, instance=series)
    return form_page(
        request,
        form,
        lambda: actions.change_series(series, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(series.name),
        cancel_url=series.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def series_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    series = _series(request, pk)
    require(access.may_keep_series(request.user))
    form = EndSeriesForm(request.POST or None, series=series)
    return form_page(
        request,
        form,
        lambda: actions.end_series(series, ends_on=form.cleaned_data["ends_on"], by=request.user),
        title=_("End the series"),
        lead=_("From then on nothing is owed any more. Its meetings stay on record."),
        cancel_url=series.get_absolute_url(),
        done=_("The series has ended."),
        submit=_("End the series"),
    )
