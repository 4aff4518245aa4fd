"""Filters under a name: kept from the page that they filter, opened, renamed, shared, deleted.

A page takes part when PAGES has its form; its template includes `strategy/parts/saved_filters.html`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import refusals_on, require
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions import saved_filters as actions
from strategy.filters import MeasureFilterForm
from strategy.forms.seeing import LateForm, MatrixForm, SavedFilterForm
from strategy.models import FilteredPage, Plan, PlanVersion, SavedFilter
from strategy.queries.plan import current_plan, shown_version
from strategy.recommendation_filter import RecommendationFilter
from strategy.views.plan import filter_choices


def _version(request: SignedInRequest, data: QueryDict) -> PlanVersion:
    """The version whose goals and institutions a filter may name."""
    plan = None
    if named := data.get("plan"):
        try:
            plan = Plan.objects.visible_to(request.user).filter(pk=uuid.UUID(named)).first()
        except ValueError:
            plan = None
    plan = plan or current_plan(request.user)
    version = shown_version(plan, request.user) if plan else None
    if version is None:
        raise Http404
    return version


def _measures(request: SignedInRequest, data: QueryDict) -> forms.Form:
    return MeasureFilterForm(data, **filter_choices(request, _version(request, data)))


def _late(request: SignedInRequest, data: QueryDict) -> forms.Form:
    return LateForm(data, **filter_choices(request, _version(request, data)))


def _matrix(request: SignedInRequest, data: QueryDict) -> forms.Form:
    plans = Plan.objects.visible_to(request.user)
    return MatrixForm(data, plans=[(str(one.pk), str(one.title)) for one in plans])


PAGES: dict[str, Callable[[SignedInRequest, QueryDict], forms.Form]] = {
    FilteredPage.MEASURES: _measures,
    FilteredPage.TIMELINE: _measures,
    FilteredPage.LATE: _late,
    FilteredPage.MATRIX: _matrix,
    FilteredPage.RECOMMENDATIONS: lambda request, data: RecommendationFilter(data, user=request.user).form,
}


def understood(request: SignedInRequest, page: str, query: str) -> dict[str, str]:
    """What the page's own form understands of a query; keys that it does not know and values that it refuses are dropped."""
    data = QueryDict(query[:4_000])
    form = PAGES[page](request, data)
    form.is_valid()
    return {
        name: data[name].strip() for name in form.fields if name in form.cleaned_data and data.get(name, "").strip()
    }


@require_safe
def saved_filter_list(request: SignedInRequest) -> HttpResponse:
    """One's own and those that others share with the reader."""
    require(request.user.sees_plan)
    saved = SavedFilter.objects.visible_to(request.user).filter(page__in=list(PAGES))
    rows = saved.select_related("owner", "institution").order_by("page", "name", "pk")
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "strategy/saved_filter_list.html", {"page": page})


@require_http_methods(["GET", "POST"])
def saved_filter_create(request: SignedInRequest) -> HttpResponse:
    """Names what stands in the address of a page: `page` is the name of its URL, `query` its filter."""
    given = request.POST if request.method == "POST" else request.GET
    page = given.get("page", "")
    require(request.user.sees_plan)
    if page not in PAGES:
        raise Http404
    require(access.may_open_page(request.user, page))
    chosen = understood(request, page, given.get("query", ""))
    form = SavedFilterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            saved = actions.save_filter(page, chosen, by=request.user, **form.cleaned_data)
            messages.success(request, _("The filter is kept as “%(name)s”.") % {"name": saved.name})
            return redirect(saved.get_absolute_url())
    query = SavedFilter.query_of(chosen)
    context = {"form": form, "page_name": page, "query": query, "cancel_url": f"{reverse(page)}?{query}"}
    context |= {"page_label": FilteredPage(page).label, "parts": SavedFilter(query=query).parts}
    return render(request, "strategy/saved_filter_create.html", context)


def _own(request: SignedInRequest, pk: uuid.UUID) -> SavedFilter:
    saved = get_object_or_404(SavedFilter.objects.visible_to(request.user), pk=pk)
    require(access.may_change_filter(request.user, saved))
    return saved


@require_http_methods(["GET", "POST"])
def saved_filter_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    saved = _own(request, pk)
    initial: dict[str, Any] = {"name": saved.name, "shared_with": saved.shared_with}
    form = SavedFilterForm(request.POST or None, initial=initial)
    back = reverse("strategy:saved-filter-list")
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.change_filter(saved, by=request.user, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect(back)
    return render(request, "strategy/saved_filter_edit.html", {"form": form, "saved": saved, "cancel_url": back})


@require_http_methods(["GET", "POST"])
def saved_filter_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    saved = _own(request, pk)
    back = reverse("strategy:saved-filter-list")
    if request.method == "POST":
        actions.delete_filter(saved, by=request.user)
        messages.success(request, _("The filter is deleted."))
        return redirect(back)
    context = {
        "title": _("Delete the filter “%(name)s”") % {"name": saved.name},
        "question": _("Nobody will find it in their list any more; the records that it shows stay as they are."),
        "confirm_label": _("Delete"),
        "cancel_url": back,
        "is_grave": True,
    }
    return render(request, "pages/confirm.html", context)
