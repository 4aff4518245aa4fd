"""Pages of a consultation: the draft laid before institutions, their comments, the table of answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from onatc import exports
from onatc.errors import Denied, Refused, proof_required, refusals_on, require
from onatc.history import history_of
from onatc.http import with_revision
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution
from stakeholders.sessions import keep_text
from stakeholders.views.records import confirm_page
from strategy import access
from strategy.actions import consultation as actions
from strategy.forms.drafting import (
    AnswerForm,
    CommentFilterForm,
    ConsultationForm,
    ExtensionForm,
    InviteMoreForm,
    RemarkForm,
)
from strategy.models import Comment, Consultation, ConsultationState, Goal, PlanVersion
from strategy.queries import drafting
from strategy.queries.drafting import Thing, field_label, fields_of, wording_of
from strategy.views.take_over import take_over_page

PAGE_SIZE = 50


@require_safe
def consultation_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    mine = Q() if request.user.is_office else Q(comments__institution__in=request.user.consulted_institution_ids)
    rows = (
        Consultation.objects.visible_to(request.user)
        .select_related("version__plan")
        .annotate(invited=Count("invitations", distinct=True), said=Count("comments", filter=mine, distinct=True))
        .order_by("-closes_on", "-opened_at")
    )
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    drafts = PlanVersion.objects.none()
    if access.may_consult(request.user):
        drafts = (
            PlanVersion.objects.visible_to(request.user)
            .filter(state="draft")
            .exclude(consultations__state=ConsultationState.OPEN)
            .select_related("plan")
        )
    return render(request, "strategy/consultation_list.html", {"page": page, "drafts": drafts})


@require_http_methods(["GET", "POST"])
def consultation_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = get_object_or_404(PlanVersion.objects.visible_to(request.user).select_related("plan"), pk=pk)
    require(access.may_consult(request.user))
    form = ConsultationForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        said = {name: form.cleaned_data[name] for name in ("opens_on", "closes_on", "note", "language")}
        with refusals_on(form):
            consultation = actions.open_consultation(version, by=request.user, institutions=form.institutions(), **said)
            messages.success(request, _("The consultation is open; the people of the institutions get a mail."))
            return redirect(consultation)
    return render(
        request,
        "strategy/consultation_create.html",
        {"form": form, "version": version, "cancel_url": version.plan.get_absolute_url()},
    )


def _consultation(request: SignedInRequest, pk: uuid.UUID) -> Consultation:
    return get_object_or_404(
        Consultation.objects.visible_to(request.user).select_related("version__plan", "opened_by"), pk=pk
    )


@require_safe
def consultation_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    user = request.user
    is_office = user.is_office
    on_plan, tree = drafting.consultation_tree(consultation, user)
    invited = drafting.invited_to(consultation)
    own = [one for one in invited if one.invitation.institution_id in user.consulted_institution_ids]
    answered, total = drafting.answered_share(consultation)
    own_comments = Comment.objects.visible_to(user).filter(
        consultation=consultation, institution__in=user.consulted_institution_ids
    )
    return render(
        request,
        "strategy/consultation_detail.html",
        {
            "consultation": consultation,
            "on_plan": on_plan,
            "tree": tree,
            "invited": invited if is_office else [],
            "silent": sum(one.state == "silent" for one in invited),
            "own": own,
            "own_comments": list(drafting.in_plan_order(own_comments)) if own else [],
            "takes_comments": bool(own) and consultation.takes_comments(timezone.localdate()),
            "sees_answers": bool(_sees_answers(request, consultation)),
            "sees_version": PlanVersion.objects.visible_to(user).filter(pk=consultation.version_id).exists(),
            "may_consult": bool(access.may_consult(user)),
            "answered": answered,
            "total": total,
            "last_day": consultation.closes_on,
            "history": history_of(consultation) if is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def consultation_invite(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    require(access.may_consult(request.user))
    form = InviteMoreForm(request.POST or None, user=request.user, consultation=consultation)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            count = actions.invite_more(consultation, by=request.user, **form.cleaned_data)
            messages.success(
                request,
                ngettext("%(count)d institution was invited.", "%(count)d institutions were invited.", count)
                % {"count": count},
            )
            return redirect(consultation)
    return _edit(request, form, consultation, _("Invite others"), _("Invite"))


@require_http_methods(["GET", "POST"])
def consultation_extend(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    require(access.may_consult(request.user))
    later = max(consultation.closes_on, timezone.localdate()) + timedelta(days=7)
    form = ExtensionForm(request.POST or None, initial={"closes_on": later})
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.extend_term(consultation, by=request.user, **form.cleaned_data)
            messages.success(request, _("The term is extended; all who were invited get a mail."))
            return redirect(consultation)
    return _edit(request, form, consultation, _("Extend the term"), _("Extend"))


def _edit(request: SignedInRequest, form: Any, consultation: Consultation, title: str, label: str) -> HttpResponse:
    context = {"form": form, "consultation": consultation, "title": title, "label": label}
    return render(request, "strategy/consultation_edit.html", context | {"cancel_url": consultation.get_absolute_url()})


@require_http_methods(["GET", "POST"])
def consultation_close(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    require(access.may_consult(request.user))
    return confirm_page(
        request,
        lambda: actions.close_consultation(consultation, by=request.user),
        title=str(consultation),
        question=_("After this no institution can comment, before the last day too. Close the consultation?"),
        label=_("Close the consultation"),
        is_grave=True,
        back=consultation,
        done=_("The consultation is closed."),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def consultation_publish(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    require(access.may_consult(request.user))
    return confirm_page(
        request,
        lambda: actions.publish_answers(consultation, by=request.user),
        title=str(consultation),
        question=_(
            "All institutions that were invited then see all comments and answers, and none of it can be changed any more."
            " Publish the answers?"
        ),
        label=_("Publish the answers"),
        is_grave=True,
        back=consultation,
        done=_("The answers are published; all who were invited get a mail."),
    )


@require_http_methods(["GET", "POST"])
def consultation_nothing(request: SignedInRequest, pk: uuid.UUID, institution: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    require(access.may_comment(request.user, consultation))
    body = get_object_or_404(
        Institution.objects.visible_to(request.user).filter(pk__in=request.user.consulted_institution_ids),
        pk=institution,
    )
    return confirm_page(
        request,
        lambda: actions.sign_nothing(consultation, institution=body, by=request.user),
        title=str(consultation),
        question=_("You sign in the name of %(institution)s that it has nothing, or nothing more, to remark.")
        % {"institution": body.name},
        label=_("Sign"),
        back=consultation,
        done=_("It is on record that your institution has nothing more to remark."),
    )


# Comments


def _thing(request: SignedInRequest, consultation: Consultation) -> Thing:
    """What the address names of the draft; nothing is the plan as a whole, two things at once are none."""
    named = [(key, request.GET[key]) for key in ("goal", "objective", "measure") if request.GET.get(key)]
    if not named:
        return None
    if len(named) > 1:
        raise Http404
    key, value = named[0]
    try:
        thing = drafting.thing_of(consultation.version, key, uuid.UUID(value))
    except ValueError as error:
        raise Http404 from error
    if thing is None:
        raise Http404
    return thing


def _own_bodies(request: SignedInRequest, consultation: Consultation) -> list[Any]:
    invited = consultation.invitations.filter(institution__in=request.user.consulted_institution_ids)
    return list(invited.values_list("institution", flat=True))


@require_http_methods(["GET", "POST"])
def comment_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    require(access.may_comment(request.user, consultation))
    thing = _thing(request, consultation)
    form = RemarkForm(
        request.POST or None,
        thing=thing,
        institutions=_own_bodies(request, consultation),
        user=request.user,
        key=request.GET.get("field", ""),
    )

    def act() -> None:
        actions.add_comment(consultation, form.remark(), institution=form.cleaned_data["institution"], by=request.user)

    return _remark_page(request, consultation, form, act)


@require_http_methods(["GET", "POST"])
def comment_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    comment = _comment(request, pk)
    require(access.may_change_comment(request.user, comment))
    key = request.GET.get("field", "")
    initial = {"field": comment.field or "other", "text": comment.text, "proposed": comment.proposed,
               "language": comment.language, "revision": comment.revision}  # fmt: skip
    if key in fields_of(comment.about):
        initial |= {"field": key, "proposed": wording_of(comment.about, key, comment.language)}
    form = RemarkForm(
        request.POST or None,
        thing=comment.about,
        institutions=[comment.institution_id],
        user=request.user,
        initial=initial,
    )

    def act() -> None:
        revision = form.cleaned_data["revision"]
        actions.edit_comment(comment, form.remark(), by=request.user, revision=-1 if revision is None else revision)

    return _remark_page(request, comment.consultation, form, act, comment)


def _remark_page(
    request: SignedInRequest, consultation: Consultation, form: RemarkForm, act: Any, comment: Comment | None = None
) -> HttpResponse:
    """The form of a comment. What comes after the end of the term is refused, kept for its writer, and told."""
    theirs = kept = None
    if request.method == "POST" and form.is_valid() and "preview" not in request.POST:
        try:
            act()
            messages.success(
                request, _("Your comment is with the office. You can change it until the end of the term.")
            )
            return redirect(consultation)
        except actions.Stale as stale:
            theirs = stale.theirs
            form.add_error(None, str(stale))
            form.data = with_revision(request.POST, stale.theirs.revision)
        except actions.TermOver as over:
            kept = keep_text(request, request.user)
            form.add_error(None, str(over))
        except Refused as refusal:
            form.add_error(None, str(refusal))
    elif request.method == "GET" and not consultation.takes_comments(timezone.localdate()):
        messages.info(request, _("Comments are taken from the first to the last day of the term."))
        return redirect(consultation)
    thing = form.thing
    return render(
        request,
        "strategy/comment_edit.html",
        {
            "form": form,
            "consultation": consultation,
            "comment": comment,
            "thing": thing,
            "wordings": form.wordings(),
            "shown": form.shown_difference(),
            "theirs": theirs,
            "kept": kept,
            "cancel_url": consultation.get_absolute_url(),
        },
    )


def _comment(request: SignedInRequest, pk: uuid.UUID) -> Comment:
    return get_object_or_404(
        Comment.objects.visible_to(request.user).select_related(
            "consultation__version__plan", "institution", "author", "answered_by", "goal", "objective__goal",
            "measure__lead", "measure__objective__goal",
        ),
        pk=pk,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def comment_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    comment = _comment(request, pk)
    require(access.may_change_comment(request.user, comment))
    return confirm_page(
        request,
        lambda: actions.withdraw_comment(comment, by=request.user),
        title=str(comment.consultation),
        question=_("The office then no longer sees this comment: “%(text)s”. Withdraw it?") % {"text": str(comment)},
        label=_("Withdraw"),
        back=comment.consultation,
        done=_("The comment is withdrawn."),
    )


# The table of answers


def _sees_answers(request: SignedInRequest, consultation: Consultation) -> bool | Denied:
    """The office at any time; those who were invited once the answers are published."""
    if request.user.is_office:
        return True
    return consultation.state == ConsultationState.PUBLISHED or Denied(_("The answers are not published yet."))


class _Table:
    """The comments of a consultation, as the address narrows them."""

    def __init__(self, request: SignedInRequest, consultation: Consultation) -> None:
        self.all = Comment.objects.visible_to(request.user).filter(consultation=consultation)
        bodies = (
            Institution.objects.visible_to(request.user)
            .filter(pk__in=self.all.order_by().values("institution"))
            .order_by(SortKey("name"))
        )
        goals = Goal.objects.filter(version=consultation.version_id)
        self.form = CommentFilterForm(
            request.GET,
            institutions=[(one.code, str(one.name)) for one in bodies],
            goals=[(one.code, f"{one.code} {one.title}") for one in goals],
        )
        self.rows = drafting.in_plan_order(drafting.narrowed(self.all, self.form.cleaned_data))


@require_safe
def consultation_answers(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    consultation = _consultation(request, pk)
    require(_sees_answers(request, consultation))
    table = _Table(request, consultation)
    page = Paginator(table.rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return _answers(request, consultation, page, table)


@require_safe
def consultation_print(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The whole table on one page, for paper."""
    consultation = _consultation(request, pk)
    require(_sees_answers(request, consultation))
    table = _Table(request, consultation)
    page = Paginator(table.rows, max(1, table.rows.count())).get_page(1)
    return _answers(request, consultation, page, table, is_print=True)


def _answers(
    request: SignedInRequest, consultation: Consultation, page: Any, table: _Table, *, is_print: bool = False
) -> HttpResponse:
    answered, total = drafting.answered_share(consultation)
    may_answer = bool(access.may_answer(request.user)) and consultation.state == ConsultationState.CLOSED
    draft = drafting.draft_of(consultation.version.plan_id) if access.may_amend(request.user) else None
    return render(
        request,
        "strategy/consultation_answers.html",
        {
            "consultation": consultation,
            "page": page,
            "filter": None if is_print else table,
            "answered": answered,
            "total": total,
            "may_answer": may_answer,
            "may_publish": may_answer and answered == total,
            "draft": draft,
            "taken_over": drafting.taken_over(page.object_list, draft),
            "is_print": is_print,
        },
    )


@require_safe
def consultation_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    consultation = _consultation(request, pk)
    require(_sees_answers(request, consultation))
    table = _Table(request, consultation)
    head = [
        _("institution"), _("code"), _("goal, objective or measure"), _("what it is about"), _("comment"), _("wording then"),
        _("proposed wording"), _("language"), _("written on"), _("answer"), _("reason"), _("answered"),
    ]  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for one in table.rows.iterator(chunk_size=500):
            thing = one.about
            yield [
                str(one.institution.name),
                thing.code if thing else "",
                str(thing.title) if thing else _("the plan as a whole"),
                field_label(one.field),
                one.text,
                one.wording,
                one.proposed,
                one.get_language_display(),
                timezone.localdate(one.created_at),
                one.get_answer_display() if one.answer else "",
                one.reason,
                timezone.localdate(one.answered_at) if one.answered_at else None,
            ]

    form = request.GET.get("format", "")
    return exports.as_file("answers", head, rows(), form=form, to=request.user, of=consultation)


@require_http_methods(["GET", "POST"])
def comment_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """One comment with its answer; "save and next" goes through what the filter leaves unanswered."""
    comment = _comment(request, pk)
    require(access.may_answer(request.user, comment))
    consultation = comment.consultation
    language = comment.answer_language if comment.answer else comment.language
    initial = {"answer": comment.answer, "reason": comment.reason, "language": language, "revision": comment.revision}
    form = AnswerForm(request.POST or None, initial=initial)
    theirs = None
    if request.method == "POST" and form.is_valid():
        try:
            actions.answer_comment(comment, by=request.user, **form.cleaned_data)
            following = _next_unanswered(request, comment) if "next" in request.POST else None
            messages.success(request, _("The answer is kept."))
            if following is not None:
                address = redirect("strategy:comment-answer", following.pk)
                address["Location"] += _query(request)
                return address
            back = redirect("strategy:consultation-answers", consultation.pk)
            back["Location"] += _query(request)
            return back
        except actions.Stale as stale:
            theirs = stale.theirs
            form.add_error(None, str(stale))
            form.data = with_revision(request.POST, stale.theirs.revision)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    answered, total = drafting.answered_share(consultation)
    return render(
        request,
        "strategy/comment_answer.html",
        {
            "form": form,
            "comment": comment,
            "consultation": consultation,
            "theirs": theirs,
            "answered": answered,
            "total": total,
            "query": _query(request),
        },
    )


def _query(request: SignedInRequest) -> str:
    """The filter of the table that one came from."""
    query = request.GET.copy()
    query.pop("page", None)
    return f"?{query.urlencode()}" if query else ""


def _next_unanswered(request: SignedInRequest, comment: Comment) -> Comment | None:
    """The next one without an answer that this person may answer, in the order of the table; from the top when the end is
    reached."""
    table = _Table(request, comment.consultation)
    chosen = table.form.cleaned_data | {"answer": ""}
    rows = list(drafting.in_plan_order(drafting.narrowed(table.all, chosen)).values_list("pk", "answer", "author"))
    place = next((index for index, row in enumerate(rows) if row[0] == comment.pk), -1)
    for pk, answer, author in rows[place + 1 :] + rows[: place + 1]:
        if not answer and author != request.user.pk:
            return table.all.get(pk=pk)
    return None


@require_http_methods(["GET", "POST"])
def comment_take_over(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """An accepted wording into the draft, by one button; when the draft moved on, both are shown and nothing is written."""
    comment = _comment(request, pk)
    require(access.may_amend(request.user))
    return take_over_page(
        request,
        lambda: actions.take_over(comment, by=request.user),
        comment,
        thing=comment.about,
        back=reverse("strategy:consultation-answers", args=[comment.consultation_id]),
    )
