"""Pages on which the indicators of a draft are written."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from onatc.errors import refusals_on, require
from stakeholders.accounts import SignedInRequest
from strategy import access, computed
from strategy.actions import indicators as actions
from strategy.forms.indicators import IndicatorForm
from strategy.models import Indicator, Measure


@require_http_methods(["GET", "POST"])
def indicator_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure = get_object_or_404(
        Measure.objects.visible_to(request.user).select_related("version", "lead").prefetch_related("partnerships"),
        pk=pk,
    )
    return _edit(request, measure, None)


@require_http_methods(["GET", "POST"])
def indicator_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    indicator = get_object_or_404(
        Indicator.objects.visible_to(request.user)
        .select_related("measure__version", "measure__lead")
        .prefetch_related("targets", "measure__partnerships"),
        pk=pk,
    )
    return _edit(request, indicator.measure, indicator)


def _edit(request: SignedInRequest, measure: Measure, indicator: Indicator | None) -> HttpResponse:
    require(access.may_edit_content(request.user, measure.version))
    form = IndicatorForm(request.POST or None, measure=measure, indicator=indicator, user=request.user)
    present = None
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.save_indicator(
                measure,
                form.wording(),
                by=request.user,
                indicator=indicator,
                mark=form.cleaned_data["mark"],
            )
            messages.success(request, _("The indicator is saved."))
            return redirect(measure)
        present = indicator
    return render(
        request,
        "strategy/indicator_edit.html",
        {
            "form": form,
            "measure": measure,
            "indicator": indicator,
            "present": present,
            "queries": computed.known(),
            "cancel_url": measure.get_absolute_url(),
        },
    )


@require_http_methods(["GET", "POST"])
def indicator_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    indicator = get_object_or_404(Indicator.objects.visible_to(request.user).select_related("measure__version"), pk=pk)
    require(access.may_edit_content(request.user, indicator.measure.version))
    if request.method == "POST":
        actions.remove_indicator(indicator, by=request.user)
        messages.success(request, _("The indicator was taken out of the draft."))
        return redirect(indicator.measure)
    return render(
        request,
        "pages/confirm.html",
        {
            "title": str(indicator),
            "question": _("The indicator and its targets are taken out of this draft. Take it out?"),
            "confirm_label": _("Take it out"),
            "cancel_url": indicator.measure.get_absolute_url(),
            "is_grave": True,
        },
    )
