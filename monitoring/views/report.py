"""Pages of reports."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitoring import access, actions
from monitoring.forms import ReportForm, TextForm
from monitoring.models import Report, ReportFile, ReportText
from monitoring.queries.cooperation import named_in
from monitoring.report import document
from onatc.errors import Refused, proof_required, refusals_on, require
from onatc.files import serve
from onatc.history import history_of
from onatc.http import with_revision
from onatc.texts import DJANGO_CODES
from stakeholders.accounts import SignedInRequest

SECTION_TITLES = {"summary": gettext_lazy("Summary"), "conclusions": gettext_lazy("Conclusions")}


@require_safe
def report_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_reports)
    reports = Report.objects.visible_to(request.user).defer("data").select_related("plan", "issued_by")
    page = Paginator(reports, 50).get_page(request.GET.get("page"))
    return render(
        request, "monitoring/report_list.html", {"page": page, "may_draft": bool(access.may_draft(request.user))}
    )


@require_http_methods(["GET", "POST"])
def report_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_draft(request.user))
    form = ReportForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            report = actions.draft_report(form.cleaned_data["plan"], form.cleaned_data["period"], by=request.user)
            return redirect(report)
    return render(
        request, "monitoring/report_create.html", {"form": form, "cancel_url": reverse("monitoring:report-list")}
    )


@require_safe
def report_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    report = get_object_or_404(
        Report.objects.visible_to(request.user).select_related("plan", "job", "created_by", "issued_by"), pk=pk
    )
    texts: dict[str, dict[str, ReportText]] = {}
    for text in report.texts.all():
        texts.setdefault(text.section, {})[text.language] = text
    sections = [
        (section, title, [texts[section][code] for code in DJANGO_CODES.values()])
        for section, title in SECTION_TITLES.items()
        if section in texts
    ]
    decisions, points = named_in(report, request.user)
    return render(
        request,
        "monitoring/report_detail.html",
        {
            "report": report,
            "decisions": decisions,
            "points": points,
            "files": ReportFile.objects.visible_to(request.user).filter(report=report),
            "sections": sections,
            "job": report.job,
            "owns_job": report.job is not None and report.job.owner_id == request.user.pk,
            "may_edit": bool(access.may_edit(request.user, report)),
            "may_issue": bool(access.may_issue(request.user, report)),
            "missing": report.data.get("asked", 0) - report.data.get("received", 0),
            "history": history_of(report, *[text for rows in texts.values() for text in rows.values()]),
        },
    )


@require_safe
def report_preview(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The document in the reader's language as a page, for reading on a screen; the PDF is what counts."""
    report = get_object_or_404(Report.objects.visible_to(request.user).select_related("plan"), pk=pk)
    language = get_language() or "sq"
    texts = dict(report.texts.filter(language=language).values_list("section", "text"))
    return HttpResponse(
        document.html(
            report.data,
            texts,
            language,
            fingerprint=report.data_sha256,
            is_draft=report.is_draft,
            issue=report.issue,
            on_screen=True,
        )
    )


@require_http_methods(["GET", "POST"])
def report_text(request: SignedInRequest, pk: uuid.UUID, section: str) -> HttpResponse:
    """A section in three languages side by side; of two who edit at once the second sees both texts."""
    report = get_object_or_404(Report.objects.visible_to(request.user).select_related("plan"), pk=pk)
    require(access.may_edit(request.user, report))
    rows = {row.language: row for row in report.texts.filter(section=section)}
    if section not in SECTION_TITLES or not rows:
        raise Http404
    revision = sum(row.revision for row in rows.values())
    initial = {TextForm.name_of(language): row.text for language, row in rows.items()} | {"revision": revision}
    form = TextForm(request.POST or None, initial=initial)
    theirs = None
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_text(report, section, form.texts(), by=request.user, revision=form.cleaned_data["revision"])
            messages.success(request, _("The text is saved; the PDF files are made anew."))
            return redirect(report)
        except actions.StaleText as stale:
            theirs = stale.theirs
            form.add_error(None, str(stale))
            form.data = with_revision(request.POST, revision)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(
        request,
        "monitoring/report_text.html",
        {
            "form": form,
            "report": report,
            "title": SECTION_TITLES[section],
            "theirs": theirs,
            "cancel_url": report.get_absolute_url(),
        },
    )


@require_POST
def report_refresh(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    report = get_object_or_404(Report.objects.visible_to(request.user), pk=pk)
    require(access.may_edit(request.user, report))
    try:
        report = actions.refresh_report(report, by=request.user)
        messages.success(request, _("The data was collected again; the PDF files are made anew."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(report)


@require_http_methods(["GET", "POST"])
@proof_required
def report_issue(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    report = get_object_or_404(Report.objects.visible_to(request.user).select_related("plan"), pk=pk)
    require(access.may_issue(request.user, report))
    if request.method == "POST":
        try:
            job = actions.request_issue(report, by=request.user)
            # Pressed by two, it is one job; its page is open to whoever pressed first.
            return redirect(job if job.owner_id == request.user.pk else report)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(report)
    return render(
        request,
        "pages/confirm.html",
        {
            "title": str(report),
            "question": _("Once issued, the report and its data never change. Issue it?"),
            "confirm_label": _("Issue the report"),
            "cancel_url": report.get_absolute_url(),
        },
    )


@require_safe
def report_download(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    # Whoever sees the report may have it; which copy went to whom is on record.
    return serve(get_object_or_404(ReportFile.objects.visible_to(request.user), pk=pk), to=request.user, plain=True)
