"""Editing what belongs to a measure of a draft: one page for each kind, with its rows and a form to add one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from onatc.errors import Refused, refusals_on, require
from onatc.history import history_of_all
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions import parts as actions
from strategy.forms.parts import KINDS, PartForm, PartKind
from strategy.models import Measure


def _measure(request: SignedInRequest, pk: uuid.UUID, kind: str) -> tuple[Measure, PartKind]:
    if kind not in KINDS:
        raise Http404
    measure = get_object_or_404(
        Measure.objects.visible_to(request.user).select_related("version__plan", "lead", "objective__goal"), pk=pk
    )
    require(access.may_edit_content(request.user, measure.version))
    return measure, KINDS[kind]


def _row(measure: Measure, kind: PartKind, pk: str) -> Any:
    rows = kind.model._default_manager.filter(measure=measure).select_related(*kind.linked)
    try:
        return rows.filter(pk=pk).first()
    except (ValueError, ValidationError) as error:
        raise Http404 from error


def _address(measure: Measure, kind: PartKind) -> str:
    return reverse("strategy:measure-parts", args=[measure.pk, kind.key])


@require_http_methods(["GET", "POST"])
def part_list(request: SignedInRequest, pk: uuid.UUID, kind: str) -> HttpResponse:
    measure, of = _measure(request, pk, kind)
    form = of.form(request.POST or None, measure=measure, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.add_part(of.model, measure, form.values(), by=request.user)
            messages.success(request, _("Added to the draft."))
            return redirect(_address(measure, of))
    return _page(request, measure, of, form)


@require_http_methods(["GET", "POST"])
def part_edit(request: SignedInRequest, pk: uuid.UUID, kind: str, row: str) -> HttpResponse:
    measure, of = _measure(request, pk, kind)
    found = _row(measure, of, row)
    if found is None or not of.is_changed:
        raise Http404
    form = of.form(request.POST or None, measure=measure, user=request.user, row=found)
    theirs = None
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_part(found, form.values(), by=request.user, seal=form.cleaned_data["seal"])
            messages.success(request, _("The draft was changed."))
            return redirect(_address(measure, of))
        except actions.StaleRow as stale:
            theirs = stale.theirs
            form = _typed_again(request, form, of, measure, theirs)
            form.add_error(None, str(stale))
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return _page(request, measure, of, form, edited=found, theirs=theirs)


def _typed_again(request: SignedInRequest, form: PartForm, of: PartKind, measure: Measure, theirs: Any) -> PartForm:
    """What was typed, on a form that knows what the row says now: saved again, it is meant."""
    data = request.POST.copy()
    data["seal"] = actions.seal_of(theirs)
    again = of.form(data, measure=measure, user=request.user, row=theirs)
    again.is_valid()
    return again


@require_POST
def part_remove(request: SignedInRequest, pk: uuid.UUID, kind: str, row: str) -> HttpResponse:
    measure, of = _measure(request, pk, kind)
    found = _row(measure, of, row)
    if found is not None:  # pressed twice: it is out already
        try:
            actions.remove_part(found, by=request.user)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(_address(measure, of))
    messages.success(request, _("Taken out of the draft."))
    return redirect(_address(measure, of))


def _page(
    request: SignedInRequest, measure: Measure, of: PartKind, form: PartForm, *, edited: Any = None, theirs: Any = None
) -> HttpResponse:
    rows = of.model._default_manager.filter(measure=measure).select_related(*of.linked)
    return render(
        request,
        "strategy/measure_parts.html",
        {
            "measure": measure,
            "kind": of,
            "kinds": list(KINDS.values()),
            "rows": rows,
            "form": form,
            "edited": edited,
            "theirs": theirs,
            "cancel_url": _address(measure, of) if edited else measure.get_absolute_url(),
            "history": history_of_all(of.model, measure_id=measure.pk),
        },
    )
