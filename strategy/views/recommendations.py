"""The register of recommendations of international and national bodies."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc import exports
from onatc.errors import Refused, refusals_on, require
from onatc.files import serve
from onatc.history import history_of
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions import recommendations as actions
from strategy.filters import quarter_of
from strategy.forms.recommendations import FilesForm, LinkForm, RecommendationForm, StepForm
from strategy.models import Recommendation, RecommendationFile
from strategy.queries.measure import newest_of_lineages
from strategy.recommendation_filter import RecommendationFilter, with_answers

PAGE_SIZE = 50


@require_safe
def recommendation_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    found = RecommendationFilter(request.GET, user=request.user)
    states, total, unanswered = found.counts()
    return render(
        request,
        "strategy/recommendation_list.html",
        {
            "filter": found,
            "page": Paginator(found.rows, PAGE_SIZE).get_page(request.GET.get("page")),
            "states": states,
            "total": total,
            "unanswered": unanswered,
            "today": timezone.localdate(),
            "may_keep": bool(access.may_keep_recommendations(request.user)),
        },
    )


@require_safe
def recommendation_export(request: SignedInRequest) -> HttpResponseBase:
    """The list with its filter as a file, whole. The texts are public: it is nothing that is taken away."""
    require(request.user.sees_plan)
    found = RecommendationFilter(request.GET, user=request.user)
    head = [
        _("body"), _("report"), _("published on"), _("number"), _("paragraph"), _("recommendation"), _("addressee"),
        _("answer due on"), _("state"), _("unanswered"), _("still unanswered"), _("measures that answer"),
    ]  # fmt: skip
    rows = found.rows.prefetch_related("answers__measure")

    def table() -> Iterator[list[Any]]:
        for row in rows.iterator(chunk_size=500):
            yield [
                row.get_body_display(),
                row.report,
                row.published_on,
                row.number,
                row.paragraph,
                str(row.text),
                str(row.addressee.name) if row.addressee else "",
                row.due_on,
                row.get_state_display(),
                _("yes") if row.is_unanswered else _("no"),
                row.left,
                "; ".join(answer.measure.code for answer in row.answers.all()) if request.user.sees_whole_plan else "",
            ]

    return exports.as_file(
        "recommendations", head, table(), form=request.GET.get("format", ""), to=request.user, of=request.user
    )


def _recommendation(request: SignedInRequest, pk: uuid.UUID) -> Recommendation:
    return get_object_or_404(Recommendation.objects.visible_to(request.user).select_related("addressee"), pk=pk)


@require_safe
def recommendation_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(
        with_answers(Recommendation.objects.visible_to(request.user)).select_related("addressee"), pk=pk
    )
    answers = list(found.answers.select_related("measure"))
    newest = newest_of_lineages({answer.measure.lineage for answer in answers}, request.user, quarter_of(None))
    steps = list(found.steps.select_related("by"))
    return render(
        request,
        "strategy/recommendation_detail.html",
        {
            "recommendation": found,
            # What the reader may not see is not told of either.
            "answers": [
                (answer, newest[answer.measure.lineage]) for answer in answers if answer.measure.lineage in newest
            ],
            "steps": steps,
            "files": RecommendationFile.objects.visible_to(request.user)
            .filter(recommendation=found)
            .select_related("uploaded_by"),
            "today": timezone.localdate(),
            "may_keep": bool(access.may_keep_recommendations(request.user)),
            "history": history_of(found, *answers, *steps),
        },
    )


@require_http_methods(["GET", "POST"])
def recommendation_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_recommendations(request.user))
    form = RecommendationForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            found = actions.save_recommendation(None, form.values(), by=request.user)
            messages.success(request, _("The recommendation was entered."))
            return redirect(found)
    return _edit(request, form, _("Enter a recommendation"), reverse("strategy:recommendation-list"))


@require_http_methods(["GET", "POST"])
def recommendation_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = _recommendation(request, pk)
    require(access.may_keep_recommendations(request.user))
    initial = {"revision": found.revision}
    form = RecommendationForm(request.POST or None, user=request.user, instance=found, initial=initial)
    theirs = None
    if request.method == "POST" and form.is_valid():
        revision = form.cleaned_data["revision"] or 0
        try:
            actions.save_recommendation(found, form.values(), by=request.user, revision=revision)
            messages.success(request, _("The recommendation was changed."))
            return redirect(found)
        except actions.StaleRecommendation as stale:
            theirs = stale.theirs
            data = request.POST.copy()
            data["revision"] = str(theirs.revision)
            form = RecommendationForm(data, user=request.user, instance=found)
            form.is_valid()
            form.add_error(None, str(stale))
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return _edit(request, form, _("Change the recommendation"), found.get_absolute_url(), found=found, theirs=theirs)


@require_http_methods(["GET", "POST"])
def recommendation_step(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = _recommendation(request, pk)
    require(access.may_keep_recommendations(request.user))
    latest = found.steps.first()
    initial = {"state": found.state, "on": timezone.localdate(), "language": request.user.language}
    if latest is not None:
        initial["unanswered"] = latest.unanswered
    form = StepForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.add_step(found, by=request.user, **form.cleaned_data)
            messages.success(request, _("The step was recorded."))
            return redirect(found)
    return _edit(request, form, _("Record a step"), found.get_absolute_url(), found=found)


@require_http_methods(["GET", "POST"])
def recommendation_link(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = _recommendation(request, pk)
    require(access.may_keep_recommendations(request.user))
    form = LinkForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.link_measure(found, form.cleaned_data["measure"], by=request.user, note=form.cleaned_data["note"])
            messages.success(request, _("The measure is linked as an answer."))
            return redirect(found)
    return _edit(request, form, _("Link a measure that answers"), found.get_absolute_url(), found=found)


@require_POST
def recommendation_unlink(request: SignedInRequest, pk: uuid.UUID, answer: int) -> HttpResponse:
    found = _recommendation(request, pk)
    require(access.may_keep_recommendations(request.user))
    linked = found.answers.filter(pk=answer).first()
    if linked is not None:  # pressed twice: it is gone already
        actions.unlink_measure(linked, by=request.user)
    messages.success(request, _("The measure is no longer linked."))
    return redirect(found)


@require_http_methods(["GET", "POST"])
def recommendation_upload(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = _recommendation(request, pk)
    require(access.may_keep_recommendations(request.user))
    form = FilesForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.add_files(found, form.cleaned_data["file"], by=request.user)
            messages.success(request, _("The file was added."))
            return redirect(found)
    return _edit(request, form, _("Add a file"), found.get_absolute_url(), found=found)


def _file(request: SignedInRequest, pk: uuid.UUID) -> RecommendationFile:
    files = RecommendationFile.objects.visible_to(request.user).select_related("recommendation")
    return get_object_or_404(files, pk=pk)


@require_safe
def recommendation_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    return serve(_file(request, pk), to=request.user, plain=True)


@require_POST
def recommendation_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = _file(request, pk)
    require(access.may_keep_recommendations(request.user))
    actions.remove_file(file, by=request.user)
    messages.success(request, _("The file was taken off."))
    return redirect(file.recommendation)


def _edit(request: SignedInRequest, form: Any, title: str, cancel_url: str, **context: Any) -> HttpResponse:
    return render(
        request,
        "strategy/recommendation_edit.html",
        {"form": form, "title": title, "cancel_url": cancel_url, "found": None, "theirs": None} | context,
    )
