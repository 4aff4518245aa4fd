"""Pages of legal acts in preparation and of the office's inputs to them (Article 8.4.1)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count, Prefetch, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import (
    as_file,
    choices_of,
    confirm_page,
    file_remove_page,
    form_page,
    list_page,
    posted_revision,
)
from strategy import access
from strategy.actions import legal as actions
from strategy.deadlines import days_late
from strategy.forms.legal import ActForm, FollowForm, InputForm, ReturnInputForm, SendForm, StageForm
from strategy.models import (
    InputOutcome,
    LegalAct,
    LegalActKind,
    LegalInput,
    LegalInputFile,
    LegalInputKind,
    LegalInputState,
    LegalStageKind,
)


def _acts(request: SignedInRequest) -> RegisterFilter:
    acts = LegalAct.objects.visible_to(request.user)
    return RegisterFilter(
        request.GET,
        acts,
        selects={
            "stage": (_("Stage"), list(LegalStageKind.choices)),
            "kind": (_("Kind"), list(LegalActKind.choices)),
            "lead": (_("Body in charge"), choices_of(acts, "lead")),
        },
        narrow={"stage": "stage", "kind": "kind", "lead": "lead"},
        counted="stage",
        searched=("title_sq", "title_sr", "title_en", "number", "gazette"),
        sorts={"title": "~title", "kind": "kind", "lead": "lead__code", "stage": "stage", "recorded": "created_at"},
        usual="-recorded",
    )


@require_safe
def legal_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    found = _acts(request)
    rows = found.ordered().select_related("lead").prefetch_related("stages")
    visible = Q(inputs__in=LegalInput.objects.visible_to(request.user).values("pk"))
    rows = rows.annotate(input_count=Count("inputs", filter=visible))
    return list_page(
        request, "strategy/legal_list.html", found, rows, may_keep=bool(access.may_keep_legal(request.user))
    )


@require_safe
def legal_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_plan)
    head = [
        _("title"), _("kind"), _("number"), _("body in charge"), _("stage"), _("at this stage since"),
        _("why it matters"), _("link"), _("Official Gazette"), _("published on"), _("in force on"),
    ]  # fmt: skip
    rows = _acts(request).ordered().select_related("lead").prefetch_related("stages")

    def row(one: LegalAct) -> list[Any]:
        since = next((stage.on for stage in one.stages.all()), None)
        return [
            str(one.title), one.get_kind_display(), one.number, str(one.lead.name), one.get_stage_display(), since,
            str(one.basis), one.link, one.gazette, one.published_on, one.in_force_on,
        ]  # fmt: skip

    return as_file(request, "legal-acts", head, rows, row)


def _act(request: SignedInRequest, pk: uuid.UUID) -> LegalAct:
    return get_object_or_404(LegalAct.objects.visible_to(request.user).select_related("lead", "created_by"), pk=pk)


@require_safe
def legal_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    act = _act(request, pk)
    stages = list(act.stages.select_related("by"))
    is_office = request.user.is_office
    inputs = LegalInput.objects.visible_to(request.user).filter(act=act).select_related("asked_by")
    return render(
        request,
        "strategy/legal_detail.html",
        {
            "act": act,
            "stages": stages,
            "inputs": _with_lateness(inputs[:200]),
            "may_keep": bool(access.may_keep_legal(request.user)),
            "may_take_back": len(stages) > 1 and bool(access.may_take_back_stage(request.user)),
            "history": history_of(act, *stages) if is_office else None,
        },
    )


def _with_lateness(inputs: Iterable[Any]) -> list[Any]:
    """Each with `late`, the days after its due day."""
    today, rows = timezone.localdate(), list(inputs)
    for one in rows:
        one.late = days_late(one.due_on, today, one.sent_on)
    return rows


@require_http_methods(["GET", "POST"])
def legal_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_legal(request.user))
    form = ActForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.register_act(
            form.cleaned_data["key"], form.values(), by=request.user, **form.said("stage", "on")
        ),
        title=_("Register a legal act"),
        lead=_("A law or sub-legal act that is being prepared and matters for the fight against trafficking."),
        cancel_url=reverse("strategy:legal-list"),
        done=_("The act is in the register."),
        submit=_("Register"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def legal_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    act = _act(request, pk)
    require(access.may_keep_legal(request.user))
    form = ActForm(request.POST or None, user=request.user, instance=act)
    return form_page(
        request,
        form,
        lambda: actions.change_act(act, form.values(), by=request.user, **form.said("revision")),
        title=str(act.title),
        cancel_url=act.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def legal_stage(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    act = _act(request, pk)
    require(access.may_keep_legal(request.user))
    form = StageForm(request.POST or None, act=act, language=request.user.language)
    return form_page(
        request,
        form,
        lambda: actions.record_stage(
            act, by=request.user, **form.said("stage", "on", "note", "language", "gazette", "in_force_on")
        ),
        title=_("Record a stage"),
        lead=_("“%(act)s” stands at: %(stage)s.") % {"act": act.title, "stage": act.get_stage_display()},
        cancel_url=act.get_absolute_url(),
        done=_("The stage is on record."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
def legal_stage_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    act = _act(request, pk)
    require(access.may_take_back_stage(request.user))
    return confirm_page(
        request,
        lambda: actions.take_back_stage(act, by=request.user, revision=posted_revision(request)),
        title=str(act.title),
        question=_("The last stage, “%(stage)s”, goes, and the one before it stands again. Take it back?")
        % {"stage": act.get_stage_display()},
        label=_("Take the stage back"),
        back=act,
        done=_("The stage was taken back."),
        is_grave=True,
        revision=act.revision,
    )


# Inputs


def _by_due_day(today: date) -> dict[str, Q]:
    unsent = ~Q(state=LegalInputState.SENT)
    return {"overdue": unsent & Q(due_on__lt=today), "open": unsent}


def _inputs(request: SignedInRequest) -> RegisterFilter:
    inputs = LegalInput.objects.visible_to(request.user)
    by_due_day = _by_due_day(timezone.localdate())
    return RegisterFilter(
        request.GET,
        inputs,
        selects={
            "state": (_("State"), list(LegalInputState.choices)),
            "due": (_("Due"), [("overdue", _("overdue")), ("open", _("not sent yet"))]),
            "kind": (_("Kind"), list(LegalInputKind.choices)),
            "asked_by": (_("Asked by"), choices_of(inputs, "asked_by")),
            "outcome": (_("What became of it"), list(InputOutcome.choices)),
        },
        narrow={
            "state": "state",
            "due": by_due_day.__getitem__,
            "kind": "kind",
            "asked_by": "asked_by",
            "outcome": lambda value: Q(outcome=value, state=LegalInputState.SENT),
        },
        counted="state",
        searched=("question", "answer", "reference", "act__title_sq", "act__title_sr", "act__title_en"),
        sorts={"asked": "asked_on", "due": "due_on", "by": "asked_by__code", "sent": "sent_on", "kind": "kind"},
        usual="-asked",
    )


@require_safe
def legal_input_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    found = _inputs(request)
    rows = found.ordered().select_related("act", "asked_by").defer("question", "answer")
    return list_page(request, "strategy/legal_input_list.html", found, rows, prepare=_with_lateness)


@require_safe
def legal_input_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_plan)
    head = [
        _("legal act"), _("kind"), _("asked by"), _("asked on"), _("due on"), _("what was asked"), _("state"),
        _("sent on"), _("number of the letter"), _("days late"), _("what became of it"), _("known since"),
        _("note on the outcome"),
    ]  # fmt: skip
    rows, today = _inputs(request).ordered().select_related("act", "asked_by"), timezone.localdate()

    def row(one: LegalInput) -> list[Any]:
        return [
            str(one.act.title), one.get_kind_display(), str(one.asked_by.name), one.asked_on, one.due_on,
            one.question, one.get_state_display(), one.sent_on, one.reference,
            days_late(one.due_on, today, one.sent_on), one.get_outcome_display() if one.is_sent else "",
            one.outcome_on, one.outcome_note,
        ]  # fmt: skip

    return as_file(request, "legal-inputs", head, rows, row)


def _input(request: SignedInRequest, pk: uuid.UUID) -> LegalInput:
    return get_object_or_404(
        LegalInput.objects.visible_to(request.user)
        .select_related("act__lead", "asked_by", "author", "approved_by", "sent_by", "corrects__act")
        .prefetch_related(Prefetch("files", LegalInputFile.objects.visible_to(request.user))),
        pk=pk,
    )


@require_safe
def legal_input_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    user, is_office = request.user, request.user.is_office
    may_keep = bool(access.may_keep_legal(user))
    return render(
        request,
        "strategy/legal_input_detail.html",
        {
            "input": input_,
            "late": days_late(input_.due_on, timezone.localdate(), input_.sent_on),
            "sees_act": LegalAct.objects.visible_to(user).filter(pk=input_.act_id).exists(),
            "correction": LegalInput.objects.visible_to(user).filter(corrects=input_).select_related("act").first(),
            "is_office": is_office,
            "may_edit": bool(access.may_edit_input(user, input_)),
            "may_submit": input_.state == LegalInputState.DRAFT and bool(input_.answer) and may_keep,
            "may_decide": bool(input_.answer) and bool(access.may_decide_input(user, input_)),
            "may_send": bool(access.may_send_input(user, input_)),
            "may_follow": bool(access.may_follow_input(user, input_)),
            "history": history_of(input_) if is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def legal_input_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    act = _act(request, pk)
    require(access.may_keep_legal(request.user))
    form = InputForm(request.POST or None, request.FILES or None, user=request.user, instance=LegalInput(act=act))
    return form_page(
        request,
        form,
        lambda: actions.record_request(
            form.cleaned_data["key"], act, form.values(), by=request.user, files=form.cleaned_data["attachments"]
        ),
        title=_("What the office is asked"),
        lead=str(act.title),
        cancel_url=act.get_absolute_url(),
        done=_("The request is on record."),
    )


@require_http_methods(["GET", "POST"])
def legal_input_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    require(access.may_edit_input(request.user, input_))
    form = InputForm(request.POST or None, request.FILES or None, user=request.user, instance=input_)
    lead = str(input_.act.title)
    if input_.state != LegalInputState.DRAFT:
        lead = _("What you change here goes to the Director for approval anew.")
    return form_page(
        request,
        form,
        lambda: actions.change_input(
            input_, form.values(), by=request.user, **form.said("revision"),
            files=form.cleaned_data["attachments"],
        ),
        title=str(input_),
        lead=lead,
        cancel_url=input_.get_absolute_url(),
        done=_("Saved."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def legal_input_submit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    require(access.may_edit_input(request.user, input_))
    return confirm_page(
        request,
        lambda: actions.submit_input(input_, by=request.user),
        title=str(input_),
        question=_("The Director reads the answer and approves it, or gives it back. Submit it for approval?"),
        label=_("Submit for approval"),
        back=input_,
        done=_("Submitted. The Director was given it for approval."),
    )


@require_http_methods(["GET", "POST"])
def legal_input_return(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    require(access.may_decide_input(request.user, input_))
    form = ReturnInputForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.return_input(input_, by=request.user, **form.said("note")),
        title=_("Give it back"),
        lead=str(input_),
        cancel_url=input_.get_absolute_url(),
        done=_("Given back with your remark."),
        submit=_("Give it back"),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def legal_input_approve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    require(access.may_decide_input(request.user, input_))
    return confirm_page(
        request,
        lambda: actions.approve_input(input_, by=request.user, revision=posted_revision(request)),
        title=str(input_),
        question=_("The answer leaves the office as you read it. Approve it?"),
        label=_("Approve"),
        back=input_,
        done=_("Approved. It can be sent."),
        revision=input_.revision,
        template="pages/answer_confirm.html",
        asked=input_.question,
        asked_language=input_.language,
        answer=input_.answer,
        language=input_.answer_language,
        files=input_.files.all(),
    )


@require_http_methods(["GET", "POST"])
def legal_input_send(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    if not input_.is_sent:  # who pressed a moment later is told by the act
        require(access.may_send_input(request.user, input_))
    require(access.may_keep_legal(request.user))
    form = SendForm(request.POST or None, input_=input_)
    return form_page(
        request,
        form,
        lambda: actions.send_input(input_, by=request.user, **form.said("sent_on", "reference")),
        title=_("Record that it was sent"),
        lead=_("From then on it never changes: a correction is a new input. Record it on the day it leaves."),
        cancel_url=input_.get_absolute_url(),
        done=_("Sent, and on record."),
        submit=_("Record as sent"),
        template="strategy/legal_input_send.html",
    )


@require_http_methods(["GET", "POST"])
def legal_input_correct(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    require(access.may_follow_input(request.user, input_))
    return confirm_page(
        request,
        lambda: actions.start_correction(input_, by=request.user),
        title=str(input_),
        question=_(
            "What was sent stays as it is. A new input to the same question is made, which points at it. Go on?"
        ),
        label=_("Make a correction"),
        back=input_,
        done=_("The correction is a draft. Change what is wrong and submit it."),
    )


@require_http_methods(["GET", "POST"])
def legal_input_follow(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    input_ = _input(request, pk)
    require(access.may_follow_input(request.user, input_))
    form = FollowForm(request.POST or None, user=request.user, instance=input_)
    return form_page(
        request,
        form,
        lambda: actions.follow_input(input_, by=request.user, **form.said("revision"), **form.values()),
        title=_("What became of it"),
        lead=str(input_),
        cancel_url=input_.get_absolute_url(),
        done=_("The outcome is on record."),
    )


@require_safe
def legal_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(LegalInputFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def legal_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = get_object_or_404(LegalInputFile.objects.visible_to(request.user).select_related("input__act"), pk=pk)
    require(access.may_edit_input(request.user, file.input))
    return file_remove_page(
        request,
        lambda: actions.remove_file(file, by=request.user),
        file,
        question=_("The file is taken off the answer. Go on?"),
        back=file.input,
    )
