"""The assessment of the mechanism: its versions, their chapters, and the way to the Authority (Article 8.3)."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import assessment as actions
from nrm.forms.oversight import ApproveForm, BeginForm, ChapterForm, CompareForm
from nrm.models import Assessment, AssessmentFile, AssessmentState, Chapter
from nrm.queries.assessment import chapters_of, compared, stamp_of
from nrm.queries.mechanism import shown_figures, shown_roles
from onatc.errors import proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import COLUMNS, DJANGO_CODES, column_of
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Decision
from stakeholders.views.records import confirm_page, form_page, list_page

LANGUAGE_WORDS = {"sq": "Shqip", "sr": "Srpski", "en": "English"}


def _filter(request: SignedInRequest) -> RegisterFilter:
    return RegisterFilter(
        request.GET,
        Assessment.objects.visible_to(request.user),
        selects={"state": (_("State"), list(AssessmentState.choices))},
        narrow={"state": "state"},
        counted="state",
        searched=("chapters__text_sq", "chapters__text_sr", "chapters__text_en"),
        sorts={"number": "number", "as_of": "as_of"},
        usual="-number",
    )


@require_safe
def assessment_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    rows = Assessment.objects.visible_to(request.user)
    found = _filter(request)
    may_write = bool(access.may_write_assessment(request.user))
    in_work = rows.exclude(state=AssessmentState.APPROVED).exists()
    return list_page(
        request,
        "nrm/assessment_list.html",
        found,
        found.ordered().select_related("decision").distinct(),
        may_begin=may_write and not in_work,
        may_compare=rows.count() > 1,
    )


@require_http_methods(["GET", "POST"])
def assessment_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_write_assessment(request.user))
    form = BeginForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.begin(form.cleaned_data["key"], by=request.user, as_of=form.cleaned_data["as_of"]),
        title=_("Begin a new version"),
        lead=_("It begins as a copy of the latest version."),
        cancel_url=reverse("nrm:assessment-list"),
        done=_("The new version is begun."),
        submit=_("Begin"),
    )


def _assessment(request: SignedInRequest, pk: uuid.UUID) -> Assessment:
    require(request.user.sees_mechanism)
    return get_object_or_404(
        Assessment.objects.visible_to(request.user).select_related("decision", "based_on", "created_by"), pk=pk
    )


@require_safe
def assessment_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one, user = _assessment(request, pk), request.user
    keeps = bool(access.may_keep_mechanism(user))
    chapters = chapters_of(one)
    files = {file.language: file for file in _files(request, one)}
    decision = Decision.objects.visible_to(user).filter(pk=one.decision_id).first() if one.decision_id else None
    return render(
        request,
        "nrm/assessment_detail.html",
        {
            "one": one,
            "chapters": chapters,
            "groups": shown_figures(one.figures),
            "roles": shown_roles(one.figures),
            "decision": decision,
            "languages": LANGUAGE_WORDS.items(),
            "papers": [
                (column, language, files.get(DJANGO_CODES[column])) for column, language in LANGUAGE_WORDS.items()
            ],
            "may_write": bool(access.may_write_assessment(user, one)),
            "may_take_back": keeps and one.state == AssessmentState.LAID,
            "may_approve": bool(access.may_approve_assessment(user)) and one.state == AssessmentState.LAID,
            "history": history_of(one, *chapters) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def chapter_edit(request: SignedInRequest, pk: uuid.UUID, column: str) -> HttpResponse:
    require(request.user.sees_mechanism)
    if column not in COLUMNS:
        raise Http404
    chapter = get_object_or_404(Chapter.objects.visible_to(request.user).select_related("assessment"), pk=pk)
    require(access.may_write_assessment(request.user, chapter.assessment))
    form = ChapterForm(request.POST or None, chapter=chapter, column=column)

    def act() -> Assessment:
        actions.write_chapter(
            chapter,
            by=request.user,
            column=column,
            text=form.cleaned_data["text"],
            revision=form.cleaned_data["revision"],
        )
        return chapter.assessment

    return form_page(
        request,
        form,
        act,
        title=_("%(chapter)s, in %(language)s")
        % {"chapter": chapter.get_kind_display(), "language": LANGUAGE_WORDS[column]},
        cancel_url=chapter.assessment.get_absolute_url(),
        done=_("The chapter is saved."),
    )


@require_http_methods(["GET", "POST"])
def assessment_figures(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _assessment(request, pk)
    require(access.may_write_assessment(request.user, one))
    return confirm_page(
        request,
        lambda: actions.take_figures(one, by=request.user),
        title=_("Take the figures of the day"),
        question=_("Put today’s figures into this version? Small counts are hidden in it for everybody."),
        label=_("Take the figures"),
        back=one,
        done=_("The figures of the day are in the version."),
    )


@require_http_methods(["GET", "POST"])
def assessment_lay(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _assessment(request, pk)
    require(access.may_keep_mechanism(request.user))
    return confirm_page(
        request,
        lambda: actions.lay(one, by=request.user),
        title=_("Lay before the Authority"),
        question=_(
            "Lay this version before the National Authority, with the figures of today? It is then not written on."
        ),
        label=_("Lay before the Authority"),
        back=one,
        done=_("The version is before the National Authority; agendas of its meetings offer it."),
    )


@require_http_methods(["GET", "POST"])
def assessment_take_back(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _assessment(request, pk)
    require(access.may_keep_mechanism(request.user))
    return confirm_page(
        request,
        lambda: actions.take_back(one, by=request.user),
        title=_("Write on"),
        question=_("Take the version back from the Authority, to write on it?"),
        label=_("Take it back"),
        back=one,
        done=_("The version is being written again."),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def assessment_approve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _assessment(request, pk)
    require(access.may_approve_assessment(request.user))
    form = ApproveForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.approve(one, by=request.user, decision=form.cleaned_data["decision"]),
        title=_("Record the approval"),
        lead=_("From then on nobody changes this version."),
        cancel_url=one.get_absolute_url(),
        done=_("The version is approved."),
        submit=_("Approve"),
        is_grave=True,
    )


@require_safe
def assessment_compare(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    there = list(Assessment.objects.visible_to(request.user).order_by("-number"))
    if len(there) < 2:
        return render(request, "nrm/assessment_compare.html", {"page": {"object_list": []}})
    choices = [(str(one.number), str(one)) for one in there]
    given = {"older": str(there[1].number), "newer": str(there[0].number)} | request.GET.dict()
    form = CompareForm(given, older=choices, newer=choices)
    form.is_valid()
    by_number = {str(one.number): one for one in there}
    older = by_number.get(form.cleaned_data.get("older") or "", there[1])
    newer = by_number.get(form.cleaned_data.get("newer") or "", there[0])
    return render(
        request,
        "nrm/assessment_compare.html",
        {
            "filter": {"form": form},
            "older": older,
            "newer": newer,
            "page": {"object_list": compared(older, newer)},
        },
    )


@require_http_methods(["GET", "POST"])
def assessment_document(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The version as PDF, in the language of the reader or the one that is asked for: asked for by POST it is made by a job,
    and taken by GET once it is there."""
    one = _assessment(request, pk)
    asked = request.POST if request.method == "POST" else request.GET
    column = asked.get("language") or column_of(get_language())
    if column not in COLUMNS:
        raise Http404
    language = DJANGO_CODES[column]
    if request.method == "POST":
        return redirect(actions.request_file(one, language, by=request.user))
    file = _files(request, one).filter(language=language).first()
    if file is None:
        messages.info(request, _("It is not made yet, or the version changed since: make it first."))
        return redirect(one)
    return serve(file, to=request.user, plain=True)


def _files(request: SignedInRequest, one: Assessment) -> QuerySet[AssessmentFile]:
    """The papers of a version as it is now."""
    return AssessmentFile.objects.visible_to(request.user).filter(assessment=one, stamp=stamp_of(one))
