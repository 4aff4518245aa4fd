"""What is recorded on a measure: milestones reached, money, documents, the human-rights check; and the norms it serves."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, refusals_on, require
from onatc.files import serve
from onatc.history import history_of
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions import measure as actions
from strategy.forms.measure import DocumentForm, ExecutionForm, ReachedForm, RightsForm, TakeBackForm
from strategy.models import Measure, MeasureDocument, Norm, NormKind, PlanVersion, RightsOutcome
from strategy.queries.measure import milestones_of, money_of, serving, statements_on, with_latest_check
from strategy.rights import VALID_DAYS
from strategy.views.plan import chosen_plan

PAGE_SIZE = 50


def _measure(request: SignedInRequest, pk: uuid.UUID) -> Measure:
    return get_object_or_404(
        Measure.objects.visible_to(request.user).select_related("version__plan", "lead", "objective__goal"), pk=pk
    )


def _edit(request: SignedInRequest, measure: Measure, form: Any, **context: Any) -> HttpResponse:
    """The page of one of the small forms on a measure."""
    return render(
        request,
        "strategy/measure_record.html",
        {"form": form, "measure": measure, "cancel_url": measure.get_absolute_url()} | context,
    )


# Milestones


@require_http_methods(["GET", "POST"])
def milestone_reach(request: SignedInRequest, pk: uuid.UUID, milestone: uuid.UUID) -> HttpResponse:
    measure = _measure(request, pk)
    found = get_object_or_404(measure.milestones, pk=milestone)
    require(access.may_record_on(request.user, measure))
    form = ReachedForm(request.POST or None, initial={"reached_on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.reach_milestone(found, by=request.user, **form.cleaned_data)
            messages.success(request, _("The milestone is recorded as reached."))
            return redirect(measure)
    lead = _("%(milestone)s, due on %(date)s") % {"milestone": found.title, "date": _date(found.due_on)}
    return _edit(request, measure, form, title=_("Milestone reached"), lead=lead)


@require_http_methods(["GET", "POST"])
def milestone_take_back(request: SignedInRequest, pk: uuid.UUID, milestone: uuid.UUID) -> HttpResponse:
    measure = _measure(request, pk)
    found = get_object_or_404(measure.milestones, pk=milestone)
    require(access.may_record_on(request.user, measure))
    row = next(one for one in milestones_of(measure) if one.milestone.pk == found.pk)
    form = TakeBackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.take_milestone_back(found, by=request.user, **form.cleaned_data)
            messages.success(request, _("The milestone counts as not reached again."))
            return redirect(measure)
    lead = str(found.title)
    if row.reached:
        lead = _("%(milestone)s, reached on %(date)s") % {"milestone": lead, "date": _date(row.reached.reached_on)}
    return _edit(request, measure, form, title=_("Take back: milestone reached"), lead=lead)


def _date(day: Any) -> str:
    return date_format(day, "DATE_FORMAT")


# Money


@require_http_methods(["GET", "POST"])
def execution_create(request: SignedInRequest, pk: uuid.UUID, line: int) -> HttpResponse:
    """What of a budget line is committed and spent; the earlier statements stand below and stay."""
    measure = _measure(request, pk)
    found = get_object_or_404(measure.budget_lines.select_related("funder"), pk=line)
    require(access.may_record_on(request.user, measure))
    row = next(one for one in money_of(measure)[0] if one.line.pk == found.pk)
    initial: dict[str, Any] = {"as_of": timezone.localdate()}
    if row.said:
        initial |= {"committed_cents": row.said.committed_cents, "spent_cents": row.said.spent_cents}
    form = ExecutionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.state_execution(found, by=request.user, **form.cleaned_data)
            messages.success(request, _("What is committed and spent was recorded."))
            return redirect(measure)
    return _edit(
        request,
        measure,
        form,
        title=_("Committed and spent"),
        line=found,
        statements=statements_on(found),
    )


# Documents


@require_http_methods(["GET", "POST"])
def document_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure = _measure(request, pk)
    require(access.may_add_document(request.user, measure))
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.add_documents(measure, form.cleaned_data["file"], by=request.user, title=form.cleaned_data["title"])
            messages.success(request, _("The document was added."))
            return redirect(measure)
    return _edit(request, measure, form, title=_("Add a document"))


def _document(request: SignedInRequest, pk: uuid.UUID) -> MeasureDocument:
    return get_object_or_404(
        MeasureDocument.objects.visible_to(request.user).select_related("measure__version", "measure__lead"), pk=pk
    )


@require_safe
def document_download(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    document = _document(request, pk)
    owner_id = document.measure.lead_id
    return serve(document, to=request.user, owner_id=owner_id, plain=True)


@require_POST
def document_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    document = _document(request, pk)
    require(access.may_add_document(request.user, document.measure))
    shown = Measure.objects.visible_to(request.user).filter(lineage=document.measure.lineage)
    try:
        actions.remove_document(document, by=request.user)
        messages.success(request, _("The document was taken off."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(shown.order_by("-version__number")[0])


# The human-rights check


@require_http_methods(["GET", "POST"])
def rights_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure = _measure(request, pk)
    require(access.may_assess_rights(request.user, measure))
    form = RightsForm(request.POST or None, language=request.user.language)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.assess_rights(measure, by=request.user, answers=form.answers(), **form.rest())
            messages.success(request, _("The human-rights check was recorded."))
            return redirect(measure)
    lead = _(
        "Each question is worded so that “yes” is in line with human rights. Earlier checks stay on the measure's page."
    )
    return _edit(request, measure, form, title=_("Human-rights check"), lead=lead)


@require_safe
def rights_list(request: SignedInRequest) -> HttpResponse:
    """The measures of a plan by their human-rights check: without one, with one older than a year, with an outcome."""
    plan, version = chosen_plan(request)
    kind = request.GET.get("check", "")
    context: dict[str, Any] = {"plan": plan, "version": version, "chosen": kind, "page": None}
    if version is not None:
        rows = _checked(request, version)
        kinds = _kinds_of_check()
        context["counts"] = [(code, label, rows.filter(narrowed).count()) for code, label, narrowed in kinds]
        context["total"] = sum(count for code, _label, count in context["counts"] if code != "due")
        narrowed = next((one for code, _label, one in kinds if code == kind), Q())
        paginator = Paginator(rows.filter(narrowed).select_related("lead").order_by("position"), PAGE_SIZE)
        context["page"] = paginator.get_page(request.GET.get("page"))
        context["outcomes"] = dict(RightsOutcome.choices)
        context["may_assess"] = bool(access.may_assess_rights(request.user))
        context["old_before"] = _old_before()
    return render(request, "strategy/rights_list.html", context)


def _old_before() -> Any:
    return timezone.localdate() - timedelta(days=VALID_DAYS)


def _checked(request: SignedInRequest, version: PlanVersion) -> QuerySet[Any]:
    return with_latest_check(Measure.objects.visible_to(request.user).filter(version=version))


def _kinds_of_check() -> list[tuple[str, str, Q]]:
    """Code, name and condition; the first five part the measures, the last gathers what is to be done."""
    missing, old = Q(checked_on__isnull=True), Q(checked_on__lt=_old_before())
    now = Q(checked_on__gte=_old_before())
    outcomes = [(code, str(label), now & Q(outcome=code)) for code, label in RightsOutcome.choices]
    return [
        ("none", _("without a check"), missing),
        ("old", _("check older than a year"), old),
        *outcomes,
        ("due", _("to be checked: none, or older than a year"), missing | old),
    ]


# Norms


@require_safe
def norm_list(request: SignedInRequest) -> HttpResponse:
    """The articles with the measures in force that serve each, or those that no measure serves."""
    require(request.user.sees_plan)
    norms = _norms_with_counts(request)
    kind, unserved = request.GET.get("kind", ""), request.GET.get("unserved", "")
    chosen = norms.filter(kind=kind) if kind in NormKind.values else norms
    missing = chosen.filter(served=0)
    page = Paginator(missing if unserved else chosen, 100).get_page(request.GET.get("page"))
    return render(
        request,
        "strategy/norm_list.html",
        {
            "page": page,
            "kinds": NormKind.choices,
            "kind": kind,
            "unserved": bool(unserved),
            "total": chosen.count(),
            "unserved_count": missing.count(),
        },
    )


def _norms_with_counts(request: SignedInRequest) -> QuerySet[Any]:
    seen = Measure.objects.visible_to(request.user).current().values("pk")
    return Norm.objects.annotate(
        served=Count("measures", filter=Q(measures__measure__in=seen), distinct=True)
    ).order_by("kind", "act", "position", "reference")


@require_safe
def norm_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(request.user.sees_plan)
    norm = get_object_or_404(Norm, pk=pk)
    page = Paginator(serving(norm, request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "strategy/norm_detail.html",
        {"norm": norm, "page": page, "today": timezone.localdate(), "history": history_of(norm)},
    )
