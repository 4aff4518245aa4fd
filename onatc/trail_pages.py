"""The trail as the Director sees it: patterns and lines, never content; and where a reader states a purpose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc import trail
from onatc.errors import require
from onatc.forms import plain_helper

SCOPES = {"trail": _("the trail")}


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
    if scope not in SCOPES or not url_has_allowed_host_and_scheme(target, None) or not target.startswith("/"):
        raise Http404
    form = PurposeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        trail.state_purpose(request, scope, form.cleaned_data["purpose"])
        return redirect(target)
    return render(request, "onatc/state_purpose.html", {"form": form, "what": SCOPES[scope], "cancel_url": "/"})


@require_safe
def trail_page(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require(user.sees_trail)
    return _trail(request)


@trail.read_with_purpose("trail")
def _trail(request: HttpRequest) -> HttpResponse:
    since = timezone.now() - timedelta(days=30)
    entries = trail.TrailEntry.objects.visible_to(request.user).select_related("actor", "on_behalf_of")
    if act := request.GET.get("act", ""):
        entries = entries.filter(act=act) if act in trail.Act.values else entries
    page = Paginator(entries.order_by("-sequence"), 50).get_page(request.GET.get("page"))
    sequence, seal = trail.head()
    return render(
        request,
        "onatc/trail.html",
        {
            "patterns": trail.patterns(since),
            "page": page,
            "acts": trail.Act.choices,
            "chosen": act,
            "sequence": sequence,
            "seal": seal,
        },
    )
