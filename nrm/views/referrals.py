"""Inbox and outbox of referrals, the page of one, its answer and its receipt."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from nrm import access, receipts
from nrm.actions import receipts as receipt_actions
from nrm.actions import referral_dates as date_actions
from nrm.actions import referral_files as file_actions
from nrm.actions import referrals as actions
from nrm.forms.referrals import AcceptForm, DatesForm, DeclineForm, FilesForm, WithdrawForm
from nrm.models import (
    Purpose,
    Referral,
    ReferralFile,
    ReferralReceipt,
    ReferralState,
    Share,
    Urgency,
)
from nrm.queries import referrals as queries
from nrm.referring import shares_detail
from onatc import trail
from onatc.errors import Refused, require
from onatc.files import serve
from onatc.history import history_of
from onatc.models import Job
from onatc.registers import RegisterFilter
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import as_file, choices_of, confirm_page, form_page, in_order, list_page

RELATED = (
    "case",
    "sender",
    "addressee",
    "country",
    "manager",
    "recorded_for",
    "recorded_by",
    "answered_by",
    "after__addressee",
)


# Lists


def _filter(request: SignedInRequest, rows: Any) -> RegisterFilter:
    def asked(value: str) -> Q:
        wanted = {
            "open": rows.waiting,
            "escalated": lambda: queries.escalated(rows),
            "alone": lambda: queries.to_pass_on(rows),
        }
        return Q(pk__in=wanted[value]().values("pk"))

    known = queries.offered(request.user, rows)
    standings = [("overdue", _("answer overdue")), *((state.value, state.label) for state in ReferralState)]
    return RegisterFilter(
        request.GET,
        rows.with_standing(),
        selects={
            "stands": (_("State"), standings),
            "what": (
                _("Waits for"),
                [("open", _("an answer")), ("alone", _("the next addressee")), ("escalated", _("the office"))],
            ),
            "purpose": (_("For what"), list(Purpose.choices)),
            "urgency": (_("Urgency"), list(Urgency.choices)),
            "share": (_("What is taken on"), list(Share.choices)),
            "sender": (_("From"), choices_of(known, "sender")),
            "addressee": (pgettext("addressee", "To"), choices_of(known, "addressee")),
        },
        narrow={
            "stands": "stands", "what": asked, "purpose": "purpose", "urgency": "urgency", "share": "share",
            "sender": "sender", "addressee": "addressee",
        },
        counted="stands",
        sorts={"turn": "turn", "sent": "sent_at", "purpose": "purpose", "due": "answer_due_at"},
        usual="turn",
    )  # fmt: skip


def _page(request: SignedInRequest, rows: Any, here: str) -> HttpResponse:
    found = _filter(request, rows)

    def shown(keys: Any) -> list[Any]:
        records = queries.named(in_order(Referral.objects.visible_to(request.user).select_related(*RELATED[:5]), keys))
        for one in records:
            one.took = queries.answer_time(one)
        return records

    return list_page(
        request,
        "nrm/referral_list.html",
        found,
        found.keys(),
        prepare=shown,
        here=here,
        has_inbox=bool(request.user.institution_ids),
        may_enter=bool(access.may_open_case(request.user)),
    )


@require_safe
def referral_list(request: SignedInRequest) -> HttpResponse:
    """What was addressed to the own institutions, what waits longest first; for the office's case roles all."""
    require(request.user.sees_cases)
    user = request.user
    rows = queries.inbox(user) if user.institution_ids else Referral.objects.visible_to(user)
    return _page(request, rows, "inbox")


@require_safe
def referral_sent(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cases)
    return _page(request, queries.outbox(request.user), "sent")


@require_safe
def referral_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cases)
    user = request.user
    is_sent = request.GET.get("box") == "sent" or not user.institution_ids
    rows = _filter(request, queries.outbox(user) if is_sent else queries.inbox(user)).ordered()
    head = [
        _("case"), _("from"), pgettext("addressee", "to"), _("country"), _("purpose"), _("what is taken on"), _("urgency"), _("referred on"),
        _("received on"), _("state"), _("answer due"), _("answered"), _("reason for declining"), _("consent"),
    ]  # fmt: skip

    def row(one: Any) -> list[Any]:
        return [
            str(one.case), one.from_whom, str(one.addressee.name) if one.addressee else "",
            str(one.country.name) if one.country else "", one.get_purpose_display(), one.get_share_display(),
            one.get_urgency_display(), one.referred_on, one.received_on, one.standing_label, one.answer_due_at,
            one.answered_at, one.get_decline_reason_display(), one.get_consent_state_display(),
        ]  # fmt: skip

    return as_file(request, "referrals", head, rows.select_related("case", "sender", "addressee", "country"), row)


# One referral


def referral_of(request: SignedInRequest, pk: uuid.UUID) -> Referral:
    require(request.user.sees_cases)
    return get_object_or_404(
        Referral.objects.visible_to(request.user).select_related(*RELATED, "case__responsible"), pk=pk
    )


def _reading(request: SignedInRequest, referral: Referral, page: Callable[[], HttpResponse]) -> HttpResponse:
    """The purpose is that of the case: whoever stated it there need not state it again here."""
    return trail.reading(
        request, page, scope="case", of=referral.case, owner_id=referral.case.responsible_id, part="referral"
    )


@require_safe
def referral_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    referral = referral_of(request, pk)
    return _reading(request, referral, lambda: _referral_page(request, referral))


def _referral_page(request: SignedInRequest, referral: Referral) -> HttpResponse:
    user, case = request.user, referral.case
    sees_case = queries.has_part(user, case)
    is_addressee = referral.addressee_id in user.institution_ids
    waits = referral.state == ReferralState.SENT and case.closed_on is None
    may_refer = sees_case and bool(access.may_refer(user, case))
    went_on = list(Referral.objects.visible_to(user).filter(after=referral).select_related("addressee"))
    is_alone = referral.state == ReferralState.DECLINED and all(one.state == ReferralState.WITHDRAWN for one in went_on)
    detail = shares_detail(referral.consent_state)
    left_out = [one.pk for one in (referral.sender, referral.recorded_for) if one is not None]
    return render(
        request,
        "nrm/referral_detail.html",
        {
            "referral": referral,
            "case": case,
            "sees_case": sees_case,
            "profile": queries.shown_before_acceptance(referral) if not sees_case else [],
            # An addressee reads the reason while it decides, and afterwards when it takes part.
            "shows_reason": sees_case or (detail and referral.state == ReferralState.SENT),
            "has_no_consent": not detail,
            "files": list(ReferralFile.objects.visible_to(user).filter(referral=referral)),
            "took": queries.answer_time(referral),
            "went_on": went_on,
            "is_alone": is_alone and case.is_open,
            "proposals": queries.proposals(case, referral.purpose, excluding=left_out)
            if is_alone and may_refer
            else [],
            "may_answer": waits and bool(access.may_answer(user, referral)),
            "answers_for": waits and not is_addressee and bool(access.may_answer(user, referral)),
            "may_receive": waits and is_addressee and referral.received_on is None,
            "may_withdraw": waits and bool(access.may_withdraw(user, referral)),
            "may_correct": bool(date_actions.correctable(referral, user)),
            "may_refer_on": is_alone and may_refer,
            "may_add_files": may_refer and detail and referral.state in (ReferralState.SENT, ReferralState.ACCEPTED),
            "is_closed_duplicate": case.duplicate_of_id is not None,
            "history": history_of(referral) if sees_case else None,
        },
    )


@require_POST
def referral_receive(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    referral = referral_of(request, pk)
    require(access.may_answer(request.user, referral))
    try:
        actions.receive(referral, by=request.user)
        messages.success(request, _("The receipt is on record. Accept or decline as soon as you can."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(referral)


@require_http_methods(["GET", "POST"])
def referral_accept(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    referral = referral_of(request, pk)
    require(access.may_answer(request.user, referral))
    form = AcceptForm(request.POST or None, referral=referral, user=request.user)
    is_handover = actions.takes_responsibility(referral)
    return form_page(
        request,
        form,
        lambda: actions.accept(
            referral,
            by=request.user,
            accepted_on=form.cleaned_data["accepted_on"],
            manager=form.cleaned_data.get("manager"),
            answer_note=form.cleaned_data["answer_note"],
        ),
        title=_("Accept the responsibility") if is_handover else _("Accept the referral"),
        lead=_("From then on your institution is responsible for the case, and the person you name manages it.")
        if is_handover
        else _("From then on your institution takes part in the case and sees it."),
        submit=_("Accept"),
        cancel_url=referral.get_absolute_url(),
        done=_("The referral is accepted. The sender was told."),
    )


@require_http_methods(["GET", "POST"])
def referral_decline(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    referral = referral_of(request, pk)
    require(access.may_answer(request.user, referral))
    form = DeclineForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.decline(referral, by=request.user, **form.said("declined_on", "reason", "answer_note")),
        title=_("Decline the referral"),
        lead=_("The sender is told at once, so that the person is not left without help."),
        submit=_("Decline"),
        cancel_url=referral.get_absolute_url(),
        done=_("The referral is declined. The sender was told."),
    )


@require_http_methods(["GET", "POST"])
def referral_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    referral = referral_of(request, pk)
    require(access.may_withdraw(request.user, referral))
    form = WithdrawForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.withdraw(referral, by=request.user, reason=form.cleaned_data["reason"]),
        title=_("Withdraw the referral"),
        lead=_("The addressee is told and cannot accept it any more."),
        submit=_("Withdraw"),
        is_grave=True,
        cancel_url=referral.get_absolute_url(),
        done=_("The referral is withdrawn."),
    )


@require_http_methods(["GET", "POST"])
def referral_correct(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """A day that was typed wrongly is put right; the old one stays on record, struck."""
    referral = referral_of(request, pk)
    names = date_actions.correctable(referral, request.user)
    if not names:
        require(access.may_correct_sending(request.user, referral))
    form = DatesForm(request.POST or None, referral=referral, names=names)
    return form_page(
        request,
        form,
        lambda: date_actions.correct_dates(referral, by=request.user, **form.arguments()),
        title=_("Correct the days of the referral"),
        lead=_("The wrong day stays on record, struck, with your reason. Counts and deadlines follow the right one; figures that were released do not change."),
        cancel_url=referral.get_absolute_url(),
        done=_("The days are corrected."),
    )  # fmt: skip


# Files


@require_http_methods(["GET", "POST"])
def referral_add_files(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    referral = referral_of(request, pk)
    require(access.may_refer(request.user, referral.case))
    form = FilesForm(request.POST or None, request.FILES or None)
    return form_page(
        request,
        form,
        lambda: file_actions.add_files(referral, form.cleaned_data["attachments"], by=request.user),
        title=_("Add files to the referral"),
        lead=_("Forms without identities only. They are read by the two institutions of the referral and nobody else."),
        cancel_url=referral.get_absolute_url(),
        done=_("The files were added."),
    )


def _file(request: SignedInRequest, pk: uuid.UUID) -> ReferralFile:
    require(request.user.sees_cases)
    return get_object_or_404(ReferralFile.objects.visible_to(request.user).select_related("referral__case"), pk=pk)


@require_safe
def referral_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = _file(request, pk)
    case = file.referral.case
    if not trail.stated_purpose(request, f"case:{case.pk}"):
        return redirect(file.referral)  # its page asks for the purpose
    return serve(file, to=request.user, owner_id=case.responsible_id)


@require_http_methods(["GET", "POST"])
def referral_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = _file(request, pk)
    require(access.may_withdraw(request.user, file.referral))
    return confirm_page(
        request,
        lambda: file_actions.remove_file(file, by=request.user),
        title=_("Take a file off the referral"),
        question=_("The file is taken off the referral. Take it off?"),
        label=_("Take it off"),
        back=file.referral,
        done=_("The file was taken off."),
        is_grave=True,
    )


# The receipt


@require_safe
def referral_receipt(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """A page to print for both institutions: marker, dates, institutions and purpose, never who the person is."""
    referral = referral_of(request, pk)
    files = ReferralReceipt.objects.visible_to(request.user).filter(referral=referral)
    stamp = receipts.stamp_of(referral)
    return _reading(
        request,
        referral,
        lambda: render(
            request,
            "nrm/referral_receipt.html",
            {"referral": referral, "files": list(files.filter(stamp=stamp)), "languages": settings.LANGUAGES},
        ),
    )


@require_POST
def referral_receipt_make(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the PDF in a language; what is there and still true stays."""
    referral = referral_of(request, pk)
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise Http404
    made = receipt_actions.request_file(referral, language, by=request.user)
    return redirect(made if isinstance(made, Job) else reverse("nrm:referral-receipt", args=[referral.pk]))


@require_safe
def referral_receipt_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    require(request.user.sees_cases)
    file = get_object_or_404(ReferralReceipt.objects.visible_to(request.user).select_related("referral__case"), pk=pk)
    case = file.referral.case
    if not trail.stated_purpose(request, f"case:{case.pk}"):
        return redirect(file.referral)  # its page asks for the purpose
    return serve(file, to=request.user, owner_id=case.responsible_id)
