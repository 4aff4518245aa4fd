"""Pages of reporting rounds."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, refusals_on, require
from onatc.history import history_of
from stakeholders.accounts import SignedInRequest
from stakeholders.models import REPORTERS, Institution, RoleAssignment, User
from strategy import access
from strategy.actions import obligations
from strategy.actions import rounds as actions
from strategy.forms.progress import RoundForm
from strategy.forms.rounds import (
    AskForm,
    DelegationForm,
    ReopenForm,
    SeriesForm,
    TimeDecisionForm,
    TimeForm,
    WaiveForm,
)
from strategy.models import DueExtension, ProgressRequest, Round, RoundSeries
from strategy.queries.plan import current_plan
from strategy.queries.progress import (
    extensions_of,
    hidden_states,
    round_matrix,
    round_requests,
    with_answers,
    workbooks_of,
)
from strategy.queries.submissions import counted, rounds_of
from strategy.views.plan import page_size

# Each row counts what was asked and what came in its round, which may be thousands: a page is a few years of one plan.
ON_A_PAGE = 10
# More than an institution owes in most rounds, so that its own list is whole.
REPORTS_ON_A_PAGE = 100


@require_safe
def round_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_rounds)
    page = Paginator(rounds_of(request.user), page_size(request, ON_A_PAGE)).get_page(request.GET.get("page"))
    return render(
        request,
        "strategy/round_list.html",
        {
            "page": page,
            "rounds": counted(page, request.user),
            "series": RoundSeries.objects.visible_to(request.user).select_related("plan"),
            "may_manage": bool(access.may_manage_rounds(request.user)),
        },
    )


@require_http_methods(["GET", "POST"])
def round_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_manage_rounds(request.user))
    form = RoundForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        period, series = form.cleaned_data["period"], form.cleaned_data["series"]
        days = series.due_days if series is not None else None
        due_on = form.cleaned_data["due_on"] or actions.usual_due_date(period, days)
        with refusals_on(form):
            return redirect(
                actions.schedule_round(form.cleaned_data["plan"], period, by=request.user, due_on=due_on, series=series)
            )
    return render(request, "strategy/round_create.html", {"form": form, "cancel_url": reverse("strategy:round-list")})


@require_safe
def round_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    round_ = get_object_or_404(
        Round.objects.visible_to(request.user).select_related("plan", "version", "series"), pk=pk
    )
    chosen = request.GET.get("institution", "")
    rows = round_matrix(round_, request.user, chosen)
    requests = Paginator(round_requests(round_, request.user, chosen), page_size(request, REPORTS_ON_A_PAGE))
    page = requests.get_page(request.GET.get("page"))
    mine = [row for row in rows if row.institution.pk in request.user.institution_ids and row.owed]
    return render(
        request,
        "strategy/round_detail.html",
        {
            "round": round_,
            "rows": rows,
            "page": page,
            "asked": with_answers(page),
            "is_narrowed": bool(chosen),
            "owed": sum(row.owed for row in rows),
            "outstanding": sum(row.outstanding for row in rows),
            # Links only to what the reader may open; a draft or a returned text is the institution's own.
            "hidden_states": hidden_states(request.user),
            "may_manage": bool(access.may_manage_rounds(request.user)),
            "may_see_checks": bool(access.may_see_checks(request.user)),
            "may_remind": round_.is_open
            and bool(access.may_manage_rounds(request.user) or access.may_review(request.user)),
            "mine": mine,
            "extensions": extensions_of(round_, request.user),
            "workbooks": workbooks_of(round_, request.user),
            "reopened_for": [row.institution for row in rows if row.institution.pk in round_.reopened_for],
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


def _page(request: SignedInRequest, form: Any, *, title: Any, lead: Any, submit: Any, back: str) -> HttpResponse:
    """A short form about a round: the skeleton of a form with its words."""
    context = {"form": form, "title": title, "lead": lead, "submit": submit, "cancel_url": back}
    return render(request, "strategy/round_form.html", context)


def _round(request: SignedInRequest, pk: uuid.UUID) -> Round:
    return get_object_or_404(Round.objects.visible_to(request.user).select_related("plan", "series"), pk=pk)


@require_http_methods(["GET", "POST"])
def series_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_manage_rounds(request.user))
    return _series(request, RoundSeries(plan=current_plan(request.user)))


@require_http_methods(["GET", "POST"])
def series_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    series = get_object_or_404(RoundSeries.objects.visible_to(request.user).select_related("plan"), pk=pk)
    require(access.may_manage_rounds(request.user))
    return _series(request, series)


def _series(request: SignedInRequest, series: RoundSeries) -> HttpResponse:
    form = SeriesForm(request.POST or None, instance=series, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.save_series(form.instance, by=request.user)
            messages.success(request, _("The series is kept."))
            return redirect("strategy:round-list")
    return _page(
        request,
        form,
        title=_("New series of rounds") if series._state.adding else str(series),
        lead=_(
            "While a series is in use, its next round is scheduled by itself. One round of a series is open at a time."
        ),
        submit=_("Save"),
        back=reverse("strategy:round-list"),
    )


@require_http_methods(["GET", "POST"])
def round_reopen(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    round_ = _round(request, pk)
    require(access.may_manage_rounds(request.user))
    form = ReopenForm(request.POST or None, round_=round_, user=request.user)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data | {"institutions": [one.pk for one in form.cleaned_data["institutions"]]}
        with refusals_on(form):
            actions.reopen_round(round_, by=request.user, **chosen)
            messages.success(request, _("The round is open again; the institutions were told."))
            return redirect(round_)
    return _page(
        request,
        form,
        title=_("Open the round again"),
        lead=_("What was accepted stays as it is. What was not handed in can be submitted again."),
        submit=_("Open the round again"),
        back=round_.get_absolute_url(),
    )


@require_http_methods(["GET", "POST"])
def round_ask(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    round_ = _round(request, pk)
    require(access.may_manage_rounds(request.user))
    form = AskForm(request.POST or None, round_=round_, user=request.user)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        with refusals_on(form):
            obligations.ask_besides(
                round_, chosen["measure"], chosen["institution"], by=request.user, reason=chosen["reason"]
            )
            messages.success(request, _("The institution is asked and was told."))
            return redirect(round_)
    return _page(
        request,
        form,
        title=_("Ask for a report besides"),
        lead=_("The plan says who reports on which measure. Here you ask one institution for one measure more."),
        submit=_("Ask"),
        back=round_.get_absolute_url(),
    )


@require_http_methods(["GET", "POST"])
def request_waive(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    asked = get_object_or_404(
        ProgressRequest.objects.visible_to(request.user).select_related("round", "institution"), pk=pk
    )
    require(access.may_manage_rounds(request.user))
    form = WaiveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            obligations.waive(asked, by=request.user, reason=form.cleaned_data["reason"])
            messages.success(request, _("The report is no longer asked for; the institution was told."))
            return redirect(asked.round)
    return _page(
        request,
        form,
        title=f"{asked.measure_code} {asked.measure_title}",
        lead=_("%(who)s no longer owes this report. What it wrote so far stays with it.")
        % {"who": asked.institution.name},
        submit=_("Ask no longer"),
        back=asked.round.get_absolute_url(),
    )


@require_http_methods(["GET", "POST"])
def request_delegate(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    asked = get_object_or_404(
        ProgressRequest.objects.visible_to(request.user).select_related("round", "institution"), pk=pk
    )
    require(access.may_delegate(request.user, asked))
    reporting = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=asked.institution_id)
    colleagues = User.objects.visible_to(request.user).filter(is_active=True, pk__in=reporting.values("user"))
    form = DelegationForm(request.POST or None, colleagues=colleagues, initial={"to": asked.delegated_to_id})
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            obligations.delegate(asked, form.cleaned_data["to"], by=request.user)
            if form.cleaned_data["to"] in (None, request.user):
                messages.success(request, _("Kept."))
            else:
                messages.success(request, _("Kept. The colleague was told by mail."))
            return redirect("strategy:progress-list")
    return _page(
        request,
        form,
        title=f"{asked.measure_code} {asked.measure_title}",
        lead=_("Hand this report to a colleague who reports for your institution. It ends when the colleague leaves."),
        submit=_("Save"),
        back=reverse("strategy:progress-list"),
    )


@require_http_methods(["GET", "POST"])
def extension_ask(request: SignedInRequest, pk: uuid.UUID, institution: uuid.UUID) -> HttpResponse:
    """An institution asks for more time."""
    round_ = _round(request, pk)
    body = get_object_or_404(Institution.objects.visible_to(request.user), pk=institution)
    require(access.may_report_in(request.user, round_, body.pk))
    form = TimeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            obligations.ask_for_time(round_, body, by=request.user, **form.cleaned_data)
            messages.success(request, _("The secretariat was asked; its answer comes by mail."))
            return redirect(round_)
    due_on = obligations.due_for(round_, body.pk)
    return _page(
        request,
        form,
        title=_("Ask for more time"),
        lead=_("The reports of %(who)s are due on %(date)s. Say until when you need time, and why.")
        % {"who": body.name, "date": date_format(due_on, "DATE_FORMAT")},
        submit=_("Ask for more time"),
        back=round_.get_absolute_url(),
    )


@require_http_methods(["GET", "POST"])
def extension_give(request: SignedInRequest, pk: uuid.UUID, institution: uuid.UUID) -> HttpResponse:
    """The office gives an institution more time by itself."""
    round_ = _round(request, pk)
    require(access.may_manage_rounds(request.user))
    body = get_object_or_404(Institution.objects.visible_to(request.user), pk=institution)
    form = TimeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            obligations.give_time(round_, body, by=request.user, **form.cleaned_data)
            messages.success(request, _("The institution has more time and was told."))
            return redirect(round_)
    due_on = obligations.due_for(round_, body.pk)
    return _page(
        request,
        form,
        title=_("Give more time"),
        lead=_("The reports of %(who)s are due on %(date)s.")
        % {"who": body.name, "date": date_format(due_on, "DATE_FORMAT")},
        submit=_("Give more time"),
        back=round_.get_absolute_url(),
    )


@require_http_methods(["GET", "POST"])
def extension_decide(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    extension = get_object_or_404(
        DueExtension.objects.visible_to(request.user).select_related("round", "institution", "asked_by"), pk=pk
    )
    require(access.may_manage_rounds(request.user))
    form = TimeDecisionForm(request.POST or None, initial={"until": extension.until})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        with refusals_on(form):
            obligations.decide_on_time(
                extension,
                by=request.user,
                grant=chosen["decision"] == "grant",
                until=chosen["until"],
                reason=chosen["reason"],
            )
            messages.success(request, _("The decision is kept; the institution was told."))
            return redirect(extension.round)
    return _page(
        request,
        form,
        title=_("More time for %(who)s") % {"who": extension.institution.name},
        lead=_("%(who)s asks for time until %(date)s: “%(reason)s”")
        % {
            "who": extension.asked_by,
            "date": date_format(extension.until, "DATE_FORMAT"),
            "reason": extension.reason,
        },
        submit=_("Decide"),
        back=extension.round.get_absolute_url(),
    )


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
