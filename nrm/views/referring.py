"""Pages from which somebody is referred, consent is recorded, a case manager is named and a part in a case ends."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from nrm import access
from nrm.actions import parties
from nrm.actions import referrals as actions
from nrm.actions.cases import open_case
from nrm.actions.consent import record_consent
from nrm.forms.referrals import AbroadForm, ConsentForm, EnterForm, ManagerForm, SendForm
from nrm.models import Case, CaseParty, Referral, ReferralState
from nrm.views.reading import case_of
from nrm.views.referrals import referral_of
from onatc.errors import require
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import confirm_page, form_page


def _send_page(request: SignedInRequest, case: Case, after: Referral | None) -> HttpResponse:
    form = SendForm(
        request.POST or None, request.FILES or None, user=request.user, case=case, asked=request.GET.dict(), after=after
    )
    return form_page(
        request,
        form,
        lambda: actions.send(case, form.cleaned_data["key"], by=request.user, after=after, **form.arguments()),
        title=_("Refer on to the next addressee") if after is not None else _("Refer to an institution"),
        lead=_("The addressee sees the purpose, the urgency and a short profile, and the case once it has accepted."),
        submit=_("Refer"),
        cancel_url=after.get_absolute_url() if after is not None else case.get_absolute_url(),
        done=_("The referral was sent. The addressee was told."),
        template="nrm/referral_send.html",
    )


@require_http_methods(["GET", "POST"])
def referral_send(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    require(access.may_refer(request.user, case))
    return _send_page(request, case, None)


@require_http_methods(["GET", "POST"])
def referral_on(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The same form for the next addressee of a referral that was declined."""
    declined = referral_of(request, pk)
    require(access.may_refer(request.user, declined.case))
    if declined.state != ReferralState.DECLINED and request.method == "GET":
        return _only_declined(request, declined)
    return _send_page(request, declined.case, declined)


def _only_declined(request: SignedInRequest, referral: Referral) -> HttpResponse:
    messages.error(request, _("Only a declined referral goes on to the next addressee."))
    return redirect(referral)


@require_http_methods(["GET", "POST"])
def referral_abroad(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    require(access.may_refer(request.user, case))
    form = AbroadForm(request.POST or None, request.FILES or None, user=request.user, case=case)
    return form_page(
        request,
        form,
        lambda: actions.send_abroad(case, form.cleaned_data["key"], by=request.user, **form.arguments()),
        title=_("Refer across the border"),
        lead=_(
            "This records that the person was referred to a counterpart abroad: which kinds of data were shared, and on what legal basis. The data go by the way that the agreement names, not from here."
        ),
        submit=_("Record the referral"),
        cancel_url=case.get_absolute_url(),
        done=_("The referral across the border is on record."),
    )


@require_http_methods(["GET", "POST"])
def referral_enter(request: SignedInRequest) -> HttpResponse:
    """A person who was reported by themselves, the family, a helpline or a platform: a case is opened with it."""
    require(access.may_open_case(request.user))
    form = EnterForm(request.POST or None, user=request.user)

    def act() -> Case:
        case, _new = open_case(by=request.user, key=form.cleaned_data["key"], **form.arguments())
        return case

    return form_page(
        request,
        form,
        act,
        title=_("Self-referral or report of a helpline"),
        lead=_("A case is opened under a new marker. Never write down who the person is."),
        submit=_("Open the case"),
        cancel_url=reverse("nrm:referral-list"),
        done=lambda case: _("The case was opened. Its marker is %(marker)s.") % {"marker": case},
    )


@require_http_methods(["GET", "POST"])
def consent_record(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    require(access.may_record(request.user, case))
    form = ConsentForm(request.POST or None, user=request.user, case=case)

    def act() -> Any:
        record_consent(
            case,
            form.cleaned_data["key"],
            by=request.user,
            **form.said("institution", "purpose", "state", "given_by", "on"),
        )
        return case

    return form_page(
        request,
        form,
        act,
        title=_("Record consent"),
        lead=_(
            "What the person, or who speaks for a child, agreed to. It may be withdrawn at any time; no count changes by it."
        ),
        cancel_url=case.get_absolute_url(),
        done=_("The consent is on record."),
    )


@require_http_methods(["GET", "POST"])
def manager_name(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    require(access.may_manage(request.user, case))
    form = ManagerForm(request.POST or None, case=case)
    return form_page(
        request,
        form,
        lambda: parties.name_manager(case, by=request.user, **form.said("manager", "instead_of", "on")),
        title=_("Name the case manager"),
        lead=_("Somebody who reports for the responsible institution. One person manages a case at a time."),
        cancel_url=case.get_absolute_url(),
        done=_("The case manager is named."),
    )


@require_http_methods(["GET", "POST"])
def party_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    party = get_object_or_404(CaseParty.objects.visible_to(request.user).select_related("case", "institution"), pk=pk)
    require(access.may_record(request.user, party.case))
    if party.institution_id not in request.user.institution_ids:
        require(access.may_manage(request.user, party.case))

    def act() -> str | None:
        parties.end_part(party, by=request.user)
        still_sees = Case.objects.visible_to(request.user).filter(pk=party.case_id).exists()
        return None if still_sees else reverse("nrm:referral-list")

    return confirm_page(
        request,
        act,
        title=_("End the part in the case"),
        question=_(
            "%(institution)s takes no part in the case any more and sees it no longer. What it did stays on record. End it?"
        )
        % {"institution": party.institution.name},
        label=_("End it"),
        back=party.case,
        done=_("The part in the case has ended."),
        is_grave=True,
    )
