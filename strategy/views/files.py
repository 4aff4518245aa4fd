"""A version of a plan as a file: workbook, simple table, PDF."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from onatc import exports
from onatc.errors import Refused, proof_required_to_open, require
from onatc.files import serve
from onatc.models import Job
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions import files as actions
from strategy.imports import COLUMNS, OPTIONAL
from strategy.models import PlanFile, PlanFileKind, PlanVersion
from strategy.queries.workbook import version_as_sheets
from strategy.workbook import as_table, beyond_table


def _version(request: SignedInRequest, pk: uuid.UUID) -> PlanVersion:
    version = get_object_or_404(
        PlanVersion.objects.visible_to(request.user).select_related("plan__strategy", "plan__owner"), pk=pk
    )
    require(access.may_take_out(request.user))
    return version


@require_safe
def plan_files(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """What of a version can be taken away: its workbook, the simple table with what that leaves out, PDFs."""
    version = _version(request, pk)
    sheets = version_as_sheets(version)
    files = PlanFile.objects.visible_to(request.user).filter(version=version)
    return render(
        request,
        "strategy/plan_files.html",
        {
            "version": version,
            "is_large": len(sheets["Measures"]) > actions.LARGE,
            "beyond": beyond_table(sheets),
            "documents": [one for one in files if one.kind == PlanFileKind.DOCUMENT],
            "workbooks": [one for one in files if one.kind == PlanFileKind.WORKBOOK],
            "languages": settings.LANGUAGES,
            "language": get_language(),
            "jobs": Job.objects.visible_to(request.user).filter(
                kind="plan_file", params__version=str(version.pk), state__in=["queued", "running"]
            ),
        },
    )


@require_POST
def plan_file_make(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for a file in a language; what is there and still true is given at once."""
    version = _version(request, pk)
    kind, language = request.POST.get("kind", ""), request.POST.get("language", "")
    if kind not in PlanFileKind.values or language not in dict(settings.LANGUAGES):
        messages.error(request, _("Choose a language."))
        return redirect("strategy:plan-files", pk=version.pk)
    try:
        made = actions.request_file(version, kind, language, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("strategy:plan-files", pk=version.pk)
    if isinstance(made, Job):
        return redirect(made)
    messages.info(request, _("The file is there already, and nothing changed since."))
    return redirect("strategy:plan-files", pk=version.pk)


@require_safe
@proof_required_to_open
def plan_workbook(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The workbook at once; that of a large plan is made by a job."""
    version = _version(request, pk)
    if actions.is_large(version):
        messages.info(request, _("The workbook of a plan of this size is made in the background."))
        return redirect("strategy:plan-files", pk=version.pk)
    language = get_language() or settings.LANGUAGE_CODE
    return exports.as_workbook(
        actions.file_name(version, PlanFileKind.WORKBOOK, language),
        actions.workbook_of(version, language),
        what="plan workbook",
        to=request.user,
        of=version,
    )


@require_safe
@proof_required_to_open
def plan_table(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The simple table of one measure a row, as the import reads it."""
    version = _version(request, pk)
    return exports.as_file(
        f"{version.plan.code}-v{version.number}",
        [*COLUMNS, *OPTIONAL],
        as_table(version_as_sheets(version)),
        form="csv",
        to=request.user,
        of=version,
    )


@require_safe
@proof_required_to_open
def plan_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    found = PlanFile.objects.visible_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return serve(found, to=request.user, plain=True)
