"""Questionnaires of many questions (GRETA, the US report): the office's pages, and those of the institutions asked."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Case, Count, Prefetch, Q, Value, When
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import SortKey
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import questionnaires as actions
from stakeholders.forms.enquiries import (
    AssignmentForm,
    LoadForm,
    NoteForm,
    PutForm,
    QuestionAnswerForm,
    QuestionForm,
    QuestionnaireForm,
    SentForm,
    WithdrawForm,
)
from stakeholders.models import (
    AssignmentFile,
    AssignmentState,
    Institution,
    Question,
    QuestionAssignment,
    Questionnaire,
    QuestionnaireFile,
    QuestionnaireFormat,
    QuestionnaireState,
    QuestionState,
)
from stakeholders.queries.enquiries import earlier_answers, given_before, standing
from stakeholders.views.records import choices_of, confirm_page, form_page, list_page, posted_revision


@require_safe
def questionnaire_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.keeps_cooperation)
    rows = Questionnaire.objects.visible_to(request.user)
    found = RegisterFilter(
        request.GET,
        rows,
        selects={
            "state": (_("State"), list(QuestionnaireState.choices)),
            "asked_by": (_("Asked by"), choices_of(rows, "asked_by")),
        },
        narrow={"state": "state", "asked_by": "asked_by"},
        counted="state",
        searched=("title", "period"),
        sorts={"title": "~title", "received": "received_on", "due": "due_on"},
        usual="-received",
    )
    shown = (
        found.ordered()
        .select_related("asked_by")
        .annotate(total=Count("questions"), done=Count("questions", filter=Q(questions__state=QuestionState.APPROVED)))
    )
    may_keep = bool(access.may_keep_enquiries(request.user))
    return list_page(request, "stakeholders/questionnaire_list.html", found, shown, may_keep=may_keep)


def _questionnaire(request: SignedInRequest, pk: uuid.UUID) -> Questionnaire:
    """The page of the whole is the office's; an institution has its own list."""
    found = get_object_or_404(
        Questionnaire.objects.visible_to(request.user).select_related("asked_by", "responsible", "sent_by", "earlier"),
        pk=pk,
    )
    require(request.user.keeps_cooperation)
    return found


@require_safe
def questionnaire_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """An institution is led to its own list."""
    if not request.user.keeps_cooperation:
        get_object_or_404(Questionnaire.objects.visible_to(request.user), pk=pk)
        return redirect("stakeholders:assignment-list")
    one, user = _questionnaire(request, pk), request.user
    rows = Question.objects.visible_to(user).filter(questionnaire=one).defer("answer")
    assignments = QuestionAssignment.objects.visible_to(user).select_related("institution").defer("answer")
    asked = request.GET.get("state", "")
    if asked in QuestionState.values:
        rows = rows.filter(state=asked)
    elif asked in AssignmentState.values:
        rows = rows.filter(assignments__state=asked).distinct()
    context = {
        "one": one,
        "questions": rows.order_by("position", "pk").prefetch_related(Prefetch("assignments", assignments)),
        "asked": asked,
        "standing": standing(one),
        "files": QuestionnaireFile.objects.visible_to(user).filter(questionnaire=one)[:6],
        "may_edit": bool(access.may_edit_questionnaire(user, one)),
        "may_keep": bool(access.may_keep_enquiries(user)),
        "may_send": bool(access.may_approve_questions(user, one)),
        "history": history_of(one),
    }
    return render(request, "stakeholders/questionnaire_detail.html", context)


@require_http_methods(["GET", "POST"])
def questionnaire_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_enquiries(request.user))
    form = QuestionnaireForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.create_questionnaire(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a questionnaire"),
        cancel_url=reverse("stakeholders:questionnaire-list"),
        done=_("The questionnaire is on record. Add its questions now."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
def questionnaire_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _questionnaire(request, pk)
    require(access.may_edit_questionnaire(request.user, one))
    form = QuestionnaireForm(request.POST or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.change_questionnaire(
            one, form.values(), by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=str(one),
        cancel_url=one.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def questionnaire_load(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _questionnaire(request, pk)
    require(access.may_edit_questionnaire(request.user, one))
    form = LoadForm(request.POST or None, request.FILES or None, questionnaire=one)
    return form_page(
        request,
        form,
        lambda: actions.load_questions(one, form.rows, by=request.user, revision=form.cleaned_data["revision"]),
        title=_("Add questions"),
        lead=str(one),
        cancel_url=one.get_absolute_url(),
        done=_("The questions were added."),
        submit=_("Add"),
    )


@require_http_methods(["GET", "POST"])
def questionnaire_put(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _questionnaire(request, pk)
    require(access.may_edit_questionnaire(request.user, one))
    today = timezone.localdate()
    form = PutForm(
        request.POST or None,
        user=request.user,
        chosen=Question.objects.visible_to(request.user).filter(questionnaire=one).order_by("position", "pk"),
        institutions=Institution.objects.visible_to(request.user)
        .filter(Q(dissolved_on__isnull=True) | Q(dissolved_on__gte=today))
        .order_by(SortKey("name")),
        due_on=max(today, one.due_on),
    )

    def act() -> Questionnaire:
        number = actions.put_questions(
            one, form.cleaned_data["questions"], form.cleaned_data["institutions"],
            due_on=form.cleaned_data["due_on"], note=form.cleaned_data["note"], by=request.user,
        )  # fmt: skip
        messages.info(
            request,
            ngettext("%(number)d question was put.", "%(number)d questions were put.", number) % {"number": number},
        )
        return one

    return form_page(
        request, form, act, title=_("Put questions to institutions"), lead=str(one),
        cancel_url=one.get_absolute_url(), done=_("Their focal points were told."), submit=_("Put the questions"),
    )  # fmt: skip


@require_POST
def questionnaire_make(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The file, or the page of the job that makes it."""
    one = _questionnaire(request, pk)
    require(access.may_keep_enquiries(request.user))
    form = request.POST.get("format", "")
    if form not in QuestionnaireFormat.values:
        return redirect(one)
    return redirect(actions.queue_file(one, form, by=request.user))


@require_safe
def questionnaire_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(QuestionnaireFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
@proof_required
def questionnaire_send(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _questionnaire(request, pk)
    if one.is_open:  # who pressed a moment later is told by the act
        require(access.may_approve_questions(request.user, one))
    require(access.may_keep_enquiries(request.user))
    form = SentForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.send_questionnaire(one, by=request.user, sent_on=form.cleaned_data["sent_on"]),
        title=_("Record that it was sent"),
        lead=_("From then on nothing of it changes. Make the file before you send it."),
        cancel_url=one.get_absolute_url(),
        done=_("Sent, and on record."),
        submit=_("Record as sent"),
    )


# A question, for the office


def _question(request: SignedInRequest, pk: uuid.UUID) -> Question:
    found = get_object_or_404(
        Question.objects.visible_to(request.user).select_related(
            "questionnaire__asked_by", "approved_by", "reuses__questionnaire"
        ),
        pk=pk,
    )
    require(request.user.keeps_cooperation)
    return found


@require_safe
def question_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """An institution is led to what was put to it: the office's answer beside it is not its business."""
    if not request.user.keeps_cooperation:
        put = QuestionAssignment.objects.visible_to(request.user).filter(question=pk)
        return redirect(get_object_or_404(put.order_by("pk")[:1]))
    one, user = _question(request, pk), request.user
    questionnaire = one.questionnaire
    may_edit = bool(access.may_edit_questionnaire(user, questionnaire))
    assignments = (
        QuestionAssignment.objects.visible_to(user)
        .filter(question=one)
        .select_related("institution", "answered_by")
        .prefetch_related(Prefetch("files", AssignmentFile.objects.visible_to(user)))
    )
    near = Question.objects.visible_to(user).filter(questionnaire=questionnaire)
    context = {
        "one": one,
        "assignments": assignments,
        "earlier": earlier_answers(one, user) if may_edit else [],
        "given_before": given_before(one, user) if may_edit else [],
        "may_edit": may_edit,
        "may_remove": may_edit and not one.answer.strip() and not assignments,
        "may_approve": one.state == QuestionState.DRAFTED and bool(access.may_approve_questions(user, questionnaire)),
        "before": near.filter(position__lt=one.position).order_by("-position").first(),
        "after": near.filter(position__gt=one.position).order_by("position").first(),
        "history": history_of(one),
    }
    return render(request, "stakeholders/question_detail.html", context)


@require_http_methods(["GET", "POST"])
def question_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _question(request, pk)
    require(access.may_edit_questionnaire(request.user, one.questionnaire))
    form = QuestionForm(request.POST or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.change_question(one, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=_("Change the question"),
        lead=str(one.questionnaire),
        cancel_url=one.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def question_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _question(request, pk)
    require(access.may_edit_questionnaire(request.user, one.questionnaire))
    return confirm_page(
        request,
        lambda: actions.remove_question(one, by=request.user),
        title=str(one),
        question=_("Take this question off the questionnaire?"),
        label=_("Take it off"),
        back=one,
        done=_("The question was taken off."),
        is_grave=True,
    )


@require_http_methods(["GET", "POST"])
def question_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _question(request, pk)
    require(access.may_edit_questionnaire(request.user, one.questionnaire))
    form = QuestionAnswerForm(request.POST or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.answer_question(
            one, by=request.user, revision=form.cleaned_data["revision"], answer=form.cleaned_data["answer"]
        ),
        title=_("Answer of the office"),
        lead=f"{one.number} {one.text}".strip(),
        cancel_url=one.get_absolute_url(),
        done=_("Saved."),
    )


def _done(request: SignedInRequest, act: Any, sentence: str, back: Any) -> HttpResponse:
    try:
        act()
        messages.success(request, sentence)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(back)


@require_POST
def question_move(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _question(request, pk)
    require(access.may_edit_questionnaire(request.user, one.questionnaire))
    up = request.POST.get("up") == "1"
    return _done(request, lambda: actions.move_question(one, by=request.user, up=up), _("Moved."), one.questionnaire)


@require_POST
def question_approve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _question(request, pk)
    require(access.may_approve_questions(request.user, one.questionnaire))
    return _done(
        request,
        lambda: actions.approve_question(one, by=request.user, revision=posted_revision(request)),
        _("Approved."),
        one,
    )


@require_POST
def question_take_over(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """An earlier answer (`earlier`) or an institution's (`assignment`), by its key."""
    one, user = _question(request, pk), request.user
    require(access.may_edit_questionnaire(user, one.questionnaire))
    revision = posted_revision(request)
    earlier = (
        Question.objects.visible_to(user)
        .select_related("questionnaire")
        .filter(pk__in=_keys(request, "earlier"))
        .first()
    )
    assignment = (
        QuestionAssignment.objects.visible_to(user).filter(pk__in=_keys(request, "assignment"), question=one).first()
    )

    def act() -> None:
        if earlier is not None:
            actions.take_over_earlier(one, earlier, by=user, revision=revision)
        elif assignment is not None:
            actions.take_over_assignment(assignment, by=user, revision=revision)
        else:
            raise Refused(_("There is no earlier answer to take over."))

    said = _("Taken over. Check it before it is approved.")
    taken_from = earlier.questionnaire.language if earlier else assignment.language if assignment else ""
    if taken_from and taken_from != one.questionnaire.language:
        said = _(
            "Taken over, in %(taken)s. The questionnaire is answered in %(asked)s: translate it before it is approved."
        )
        names = dict(settings.LANGUAGES)
        said %= {"taken": names[taken_from], "asked": names[one.questionnaire.language]}
    return _done(request, act, said, one)


def _keys(request: SignedInRequest, name: str) -> list[uuid.UUID]:
    """The key that a button names; none when it names nothing that is one."""
    try:
        return [uuid.UUID(request.POST.get(name, ""))]
    except ValueError:
        return []


# Questions put to institutions

# Without a wish, what an institution still owes comes before what it handed in, and that before what is dealt with.
OWED_FIRST = (
    Case(
        When(state__in=actions.WAITING, then=Value(0)),
        When(state=AssignmentState.ANSWERED, then=Value(1)),
        default=Value(2),
    ),
    "due_on",
    "pk",
)


@require_safe
def assignment_list(request: SignedInRequest) -> HttpResponse:
    """What was put to one's own institution; for the office, to all."""
    require(request.user.sees_cooperation)
    rows, today = QuestionAssignment.objects.visible_to(request.user), timezone.localdate()
    waiting = Q(state__in=[AssignmentState.ASKED, AssignmentState.RETURNED])
    late = {"overdue": waiting & Q(due_on__lt=today), "waiting": waiting}
    selects: dict[str, tuple[Any, list[tuple[Any, Any]]]] = {
        "state": (_("State"), list(AssignmentState.choices)),
        "due": (_("Show"), [("waiting", _("not answered")), ("overdue", _("overdue"))]),
    }
    narrow: dict[str, Any] = {"state": "state", "due": lambda value: late[value]}
    if request.user.is_office:
        selects["institution"] = (_("Institution"), choices_of(rows, "institution"))
        narrow["institution"] = "institution"
    found = RegisterFilter(
        request.GET,
        rows,
        selects=selects,
        narrow=narrow,
        counted="state",
        searched=("question__text", "question__number"),
        sorts={"due": "due_on", "institution": "institution__code", "question": "question__position"},
        usual="due",
    )
    shown = found.ordered() if found.chosen.get("sort") else found.rows.order_by(*OWED_FIRST)
    shown = shown.select_related("question__questionnaire", "institution").defer("answer")
    return list_page(
        request, "stakeholders/assignment_list.html", found, shown, today=today, is_office=request.user.is_office
    )


def _assignment(request: SignedInRequest, pk: uuid.UUID) -> QuestionAssignment:
    return get_object_or_404(
        QuestionAssignment.objects.visible_to(request.user)
        .select_related("question__questionnaire__asked_by", "institution", "answered_by")
        .prefetch_related(Prefetch("files", AssignmentFile.objects.visible_to(request.user))),
        pk=pk,
    )


@require_safe
def assignment_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one, user = _assignment(request, pk), request.user
    waits = one.state == AssignmentState.ANSWERED
    may_keep = bool(access.may_edit_questionnaire(user, one.question.questionnaire))
    may_answer = bool(access.may_answer_assignment(user, one))
    context = {
        "one": one,
        "before": given_before(one.question, user, by=one.institution) if may_answer else [],
        "is_office": request.user.is_office,
        "is_late": one.state in actions.WAITING and one.due_on < timezone.localdate(),
        "may_answer": may_answer,
        "may_review": waits and may_keep,
        "may_withdraw": one.state != AssignmentState.WITHDRAWN and bool(access.may_withdraw_assignment(user, one)),
        "may_take_over": may_keep and one.state in (AssignmentState.ANSWERED, AssignmentState.ACCEPTED),
        "history": history_of(one),
    }
    return render(request, "stakeholders/assignment_detail.html", context)


@require_http_methods(["GET", "POST"])
def assignment_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Written anew, or begun with what the institution answered to a question like it (`?earlier=`)."""
    one = _assignment(request, pk)
    require(access.may_answer_assignment(request.user, one))
    form = AssignmentForm(request.POST or None, request.FILES or None, user=request.user, instance=one)
    form.before = given_before(one.question, request.user, by=one.institution)
    form.begin_with(request.GET.get("earlier", ""))

    def act() -> QuestionAssignment:
        return actions.write_assignment(
            one, by=request.user, revision=form.cleaned_data["revision"], answer=form.cleaned_data["answer"],
            language=form.cleaned_data["language"], is_final="draft" not in request.POST,
            files=form.cleaned_data["attachments"],
        )  # fmt: skip

    return form_page(
        request, form, act, title=_("Answer"), lead=f"{one.question.number} {one.question.text}".strip(),
        cancel_url=one.get_absolute_url(),
        done=_("Saved as a draft.") if "draft" in request.POST else _("Handed in to the office."),
        submit=_("Hand in"), template="stakeholders/assignment_answer.html",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def assignment_return(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _assignment(request, pk)
    require(access.may_edit_questionnaire(request.user, one.question.questionnaire))
    form = NoteForm(request.POST or None)
    return form_page(
        request, form, lambda: actions.return_assignment(one, by=request.user, note=form.cleaned_data["note"]),
        title=_("Give it back"), lead=f"{one.institution.name}: {one.question}", cancel_url=one.get_absolute_url(),
        done=_("Given back with your remark."), submit=_("Give it back"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def assignment_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _assignment(request, pk)
    require(access.may_withdraw_assignment(request.user, one))
    form = WithdrawForm(request.POST or None)
    return form_page(
        request, form, lambda: actions.withdraw_assignment(one, by=request.user, why=form.cleaned_data["why"]),
        title=_("Take the question back"), lead=f"{one.institution.name}: {one.question}",
        cancel_url=one.get_absolute_url(), done=_("Taken back; the institution is told."),
        submit=_("Take it back"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def assignment_accept(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _assignment(request, pk)
    require(access.may_edit_questionnaire(request.user, one.question.questionnaire))
    return confirm_page(
        request,
        lambda: actions.accept_assignment(one, by=request.user, revision=posted_revision(request)),
        title=str(one),
        question=_("The institution cannot change its answer any more. Accept it?"),
        label=_("Accept"),
        back=one,
        done=_("Accepted."),
        revision=one.revision,
        template="pages/answer_confirm.html",
        asked=f"{one.question.number} {one.question.text}".strip(),
        asked_language=one.question.questionnaire.language,
        answer=one.answer,
        language=one.language,
        files=one.files.all(),
    )


@require_safe
def assignment_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(AssignmentFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)
