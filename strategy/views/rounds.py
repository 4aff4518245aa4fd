"""Pages of reporting rounds."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, refusals_on, require
from onatc.history import history_of
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution
from strategy import access
from strategy.actions import rounds as actions
from strategy.forms.progress import RoundForm
from strategy.models import Round
from strategy.queries.progress import hidden_states, round_counts, round_matrix

# Each row counts what was asked and what came in its round, which may be thousands: a page is a few years of one plan.
ON_A_PAGE = 10


@require_safe
def round_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_rounds)
    rounds = Round.objects.visible_to(request.user).select_related("plan").order_by("-ends_on", "plan")
    page = Paginator(rounds, ON_A_PAGE).get_page(request.GET.get("page"))
    counts = round_counts(list(page), request.user)
    for round_ in page:
        round_.owed, round_.handed_in = counts.get(round_.pk, (0, 0))  # type: ignore[attr-defined]
    return render(
        request, "strategy/round_list.html", {"page": page, "may_manage": bool(access.may_manage_rounds(request.user))}
    )


@require_http_methods(["GET", "POST"])
def round_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_manage_rounds(request.user))
    form = RoundForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        period = form.cleaned_data["period"]
        due_on = form.cleaned_data["due_on"] or actions.usual_due_date(period)
        with refusals_on(form):
            return redirect(actions.schedule_round(form.cleaned_data["plan"], period, by=request.user, due_on=due_on))
    return render(request, "strategy/round_create.html", {"form": form, "cancel_url": reverse("strategy:round-list")})


@require_safe
def round_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    round_ = get_object_or_404(Round.objects.visible_to(request.user).select_related("plan", "version"), pk=pk)
    rows = round_matrix(round_, request.user)
    return render(
        request,
        "strategy/round_detail.html",
        {
            "round": round_,
            "rows": rows,
            "owed": sum(row.owed for row in rows),
            "outstanding": sum(row.outstanding for row in rows),
            # Links only to what the reader may open; a draft or a returned text is the institution's own.
            "hidden_states": hidden_states(request.user),
            "may_manage": bool(access.may_manage_rounds(request.user)),
            "may_remind": round_.is_open
            and bool(access.may_manage_rounds(request.user) or access.may_review(request.user)),
            "history": history_of(round_),
        },
    )


def _act(request: SignedInRequest, pk: uuid.UUID, act: str) -> HttpResponse:
    """Ask first, then open or close."""
    require(access.may_manage_rounds(request.user))
    round_ = get_object_or_404(Round.objects.visible_to(request.user), pk=pk)
    if request.method == "POST":
        try:
            if act == "open":
                actions.open_round(round_, by=request.user)
                messages.success(request, _("The round is open; the institutions find it on their home page."))
            else:
                actions.close_round(round_, by=request.user)
                messages.success(request, _("The round is closed."))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect(round_)
    question = {
        "open": _("Every lead institution is asked for progress on each measure that runs. Open the round?"),
        "close": _("After this nobody can submit for this period. Drafts stay as they are. Close the round?"),
    }[act]
    return render(
        request,
        "pages/confirm.html",
        {
            "title": str(round_),
            "question": question,
            "confirm_label": _("Open the round") if act == "open" else _("Close the round"),
            "cancel_url": round_.get_absolute_url(),
            "is_grave": act == "close",
        },
    )


@require_http_methods(["GET", "POST"])
def round_open(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    return _act(request, pk, "open")


@require_http_methods(["GET", "POST"])
def round_close(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    return _act(request, pk, "close")


@require_POST
def round_remind(request: SignedInRequest, pk: uuid.UUID, institution: uuid.UUID) -> HttpResponse:
    require(access.may_manage_rounds(request.user) or access.may_review(request.user))
    round_ = get_object_or_404(Round.objects.visible_to(request.user), pk=pk)
    body = get_object_or_404(Institution.objects.visible_to(request.user), pk=institution)
    try:
        count = actions.remind_institution(round_, body, by=request.user)
        if count:
            messages.success(
                request,
                ngettext("%(count)d person was reminded.", "%(count)d people were reminded.", count) % {"count": count},
            )
        else:
            messages.info(
                request,
                _("Nobody was reminded: there is no focal point, nothing is owed, or it was done today already."),
            )
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(round_)
