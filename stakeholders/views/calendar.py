"""The calendar of a month, and the private feeds that a calendar program reads."""

from __future__ import annotations

import re
import uuid
from datetime import date
from typing import Any

from allauth.core.internal import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, proof_required, refusals_on, require
from stakeholders import access, calendar
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import feeds
from stakeholders.forms.invitations import FeedForm
from stakeholders.models import CalendarFeed


def _month_asked(text: str) -> date:
    """The first day of `2026-11`; this month for what is no month."""
    if re.fullmatch(r"(19[5-9]\d|20\d\d)-(0[1-9]|1[0-2])", text):
        return date(int(text[:4]), int(text[5:]), 1)
    return timezone.localdate().replace(day=1)


def _day_asked(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@require_safe
def calendar_page(request: SignedInRequest) -> HttpResponse:
    """A month as a table, or as a list; of all sources or one; `day` narrows the list to one day."""
    require(access.may_keep_feeds(request.user))
    asked = request.GET
    month = calendar.month_of(request.user, _month_asked(asked.get("month", "")))
    source = asked.get("source", "") if asked.get("source", "") in month.found else ""
    day = _day_asked(asked.get("day", ""))
    shown = [one for one in month.entries(source) if one.starts_on <= month.last and one.ends_on >= month.first]
    if day is not None:
        shown = [one for one in month.entries(source) if one.starts_on <= day <= one.ends_on]
    return render(
        request,
        "stakeholders/calendar.html",
        {
            "month": month,
            "weeks": month.weeks(source),
            "entries": shown,
            "day": day,
            "source": source,
            "sources": [(one.key, one.label, len(month.found[one.key])) for one in calendar.known()],
            "total": sum(len(entries) for entries in month.found.values()),
            "most": calendar.MOST,
            "is_cut": any(len(entries) >= calendar.MOST for entries in month.found.values()),
            "is_list": day is not None or asked.get("view") == "list",
            "today": timezone.localdate(),
        },
    )


@require_http_methods(["GET", "POST"])
@proof_required
def feed_list(request: SignedInRequest) -> HttpResponse:
    """One's own feeds; a new one shows its address, this once."""
    require(access.may_keep_feeds(request.user))
    form = FeedForm(request.POST or None, user=request.user)
    key = ""
    if request.method == "POST":
        form = FeedForm(request.POST, user=request.user)
        if form.is_valid():
            with refusals_on(form):
                key = feeds.open_feed(by=request.user, body=form.cleaned_data["body"])
    return _feeds_page(request, form, key)


def _feeds_page(request: SignedInRequest, form: FeedForm, key: str) -> HttpResponse:
    found = CalendarFeed.objects.visible_to(request.user).open().select_related("body")
    context: dict[str, Any] = {
        "feeds": found,
        "form": FeedForm(user=request.user) if key else form,
        "address": feeds.address_of(key) if key else "",
        "cancel_url": reverse("stakeholders:calendar"),
    }
    return render(request, "stakeholders/feed_list.html", context)


@require_POST
@proof_required
def feed_renew(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_keep_feeds(request.user))
    found = get_object_or_404(CalendarFeed.objects.visible_to(request.user).open().select_related("body"), pk=pk)
    try:
        key = feeds.renew(found, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("stakeholders:feed-list")
    return _feeds_page(request, FeedForm(user=request.user), key)


@require_POST
def feed_revoke(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(CalendarFeed.objects.visible_to(request.user), pk=pk)
    feeds.revoke(found, by=request.user)
    messages.success(request, _("The feed is closed; its address opens nothing any more."))
    return redirect("stakeholders:feed-list")


@login_not_required
@require_safe
def feed(request: HttpRequest, key: str) -> HttpResponse:
    """For calendar programs, which cannot sign in: the key is all they have."""
    if not ratelimit.consume(request, app="allauth.account", action="calendar_feed", key=key, limit_get=True):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    found = feeds.feed_of(key)
    if found is None:
        raise Http404
    body = feeds.content_of(found)
    feeds.note_reading(found)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    for name, value in feeds.validators_of(found, body).items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "private, max-age=900"
    response.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    answer = get_conditional_response(
        request, response.headers["ETag"], feeds.last_change_of(response.headers["Last-Modified"]), response
    )
    return answer if isinstance(answer, HttpResponse | HttpResponseNotModified) else response
