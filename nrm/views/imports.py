"""Bringing a file of cases in, with what it would bring before anything changes; and unprotected counts for the office."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nrm import access
from nrm.actions import imports as actions
from nrm.counting.dimensions import MENTIONED
from nrm.counting.table import rows
from nrm.forms.imports import CasesFileForm, QuestionForm
from nrm.imports.columns import COLUMNS
from nrm.models import CaseImport, Status
from nrm.queries.counting import counted
from onatc import exports
from onatc.errors import Refused, factor_required, refusals_on, require
from onatc.history import history_of
from onatc.models import Job
from stakeholders.accounts import SignedInRequest

MOST_CELLS = 500


@require_http_methods(["GET", "POST"])
def import_upload(request: SignedInRequest) -> HttpResponse:
    require(access.may_import_cases(request.user))
    form = CasesFileForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        with refusals_on(form):
            return redirect(
                actions.keep_file(cleaned["file"], cleaned["institution"], by=request.user, key=cleaned["key"])
            )
    before = (
        CaseImport.objects.visible_to(request.user)
        .defer("sealed", "problems")
        .select_related("brought_by", "institution")
    )
    context = {"form": form, "cancel_url": reverse("nrm:case-list"), "before": before[:20], "columns": COLUMNS}
    return render(request, "nrm/import_upload.html", context)


@require_safe
def import_preview(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_import_cases(request.user))
    found = get_object_or_404(
        CaseImport.objects.visible_to(request.user)
        .defer("sealed")
        .select_related("institution", "brought_by", "applied_by"),
        pk=pk,
    )
    labels = dict(Status.choices)
    job = Job.objects.visible_to(request.user).filter(key=f"import of cases {found.pk}").first()
    context = {
        "found": found,
        "by_status": [(labels[code], number) for code, number in found.counts.get("by_status", {}).items()],
        "problems": Paginator(found.problems, 200).get_page(request.GET.get("page")),
        "job": job,
        "is_kept": found.state == "previewed" and found.ends_at > timezone.now(),
        "history": history_of(found),
    }
    return render(request, "nrm/import_preview.html", context)


@require_POST
def import_apply(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_import_cases(request.user))
    found = get_object_or_404(CaseImport.objects.visible_to(request.user).defer("sealed"), pk=pk)
    try:
        return redirect(actions.ask_to_apply(found, by=request.user))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(found)


@require_safe
@factor_required
def statistics(request: SignedInRequest) -> HttpResponseBase:
    """What `manage.py statistics` counts, for whoever sees all cases; never for others: nothing is protected here."""
    require(access.may_count_cases(request.user))
    form = QuestionForm(request.GET if "population" in request.GET else None)
    context: dict[str, object] = {"form": form}
    if form.is_bound and form.is_valid():
        question, today = form.cleaned_data["question"], timezone.localdate()
        table = list(rows(question, counted(question), today))
        if request.GET.get("format"):
            name = f"statistics-{question.population}-{question.start}-{question.end}"
            return exports.as_file(
                name, question.head, table, form=request.GET["format"], to=request.user, of=request.user
            )
        shown = [(one[7:-2], one[-2]) for one in table]
        context |= {
            "question": question, "cells": shown[:MOST_CELLS], "count": len(shown), "as_of": question.as_of or today,
            "is_cut": len(shown) > MOST_CELLS, "adds_up": not {"period", *MENTIONED} & set(question.by),
        }  # fmt: skip
    return render(request, "nrm/statistics.html", context)
