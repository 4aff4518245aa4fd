"""The trail as the Director sees it: patterns and lines, never content; and where a reader states a purpose."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc import trail, unusual
from onatc.errors import require
from onatc.forms import plain_helper

SCOPES = {
    "trail": _("the trail"),
    "trail-of": _("what one person read and did"),
    "case": _("a case"),
    "service-address": _("the address of a service"),
}
PATTERN_DAYS = 30


class PurposeForm(forms.Form):
    purpose = forms.CharField(
        label=_("Why do you read this?"),
        min_length=5,
        max_length=300,
        help_text=_("One sentence, without names. It is kept in the trail with your name and holds for an hour."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


@require_http_methods(["GET", "POST"])
def state_purpose(request: HttpRequest) -> HttpResponse:
    scope, target = request.GET.get("scope", ""), request.GET.get("next", "")
    kind = scope.partition(":")[0]
    if kind not in SCOPES or not url_has_allowed_host_and_scheme(target, None) or not target.startswith("/"):
        raise Http404
    form = PurposeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        trail.state_purpose(request, scope, form.cleaned_data["purpose"])
        return redirect(target)
    return render(request, "onatc/state_purpose.html", {"form": form, "what": SCOPES[kind], "cancel_url": "/"})


@require_safe
def trail_page(request: HttpRequest) -> HttpResponse:
    """Patterns and lines of everybody; with `?person=`, the lines of one, for which a purpose of its own is stated."""
    user: Any = request.user
    require(user.sees_trail)
    if not (wanted := request.GET.get("person", "")):
        return trail.reading(request, lambda: _trail(request, None), scope="trail")
    try:
        people: Any = get_user_model()._default_manager
        person = get_object_or_404(people.visible_to(user), pk=uuid.UUID(wanted))
    except ValueError as error:
        raise Http404 from error
    return trail.reading(request, lambda: _trail(request, person), scope="trail-of", of=person)


def _trail(request: HttpRequest, person: Any) -> HttpResponse:
    entries = trail.TrailEntry.objects.visible_to(request.user).select_related("actor", "on_behalf_of")
    if person is not None:
        entries = entries.filter(actor=person)
    if act := request.GET.get("act", ""):
        entries = entries.filter(act=act) if act in trail.Act.values else entries
    page = Paginator(entries.order_by("-sequence"), 50).get_page(request.GET.get("page"))
    sequence, seal = trail.head()
    today = timezone.localdate()
    return render(
        request,
        "onatc/trail.html",
        {
            "patterns": unusual.patterns(today - timedelta(days=PATTERN_DAYS), today) if person is None else [],
            "person": person,
            "page": page,
            "acts": trail.Act.choices,
            "chosen": act,
            "sequence": sequence,
            "seal": seal,
        },
    )
