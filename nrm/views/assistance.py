"""Help, accommodation, residence, return, compensation and the closing: forms under a case."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from nrm import access
from nrm.actions import assistance as actions
from nrm.forms.assistance import (
    AssistanceForm,
    ClaimForm,
    CloseForm,
    FollowUpForm,
    PermitForm,
    ReturnForm,
    StayForm,
)
from nrm.models import Assistance, CompensationClaim, FollowUp, ResidencePermit, Return, Stay
from nrm.queries.assistance import NO_SHELTER
from nrm.views.reading import act_page, case_to, of_case
from stakeholders.accounts import SignedInRequest


@require_http_methods(["GET", "POST"])
def assistance_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker)
    form = AssistanceForm(request.POST or None, user=request.user, instance=Assistance(case=case))
    return act_page(
        request,
        case,
        form,
        lambda: actions.record_assistance(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record help"),
        done=_("The help is on record."),
    )


@require_http_methods(["GET", "POST"])
def assistance_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    spell = of_case(request, Assistance, pk)
    form = AssistanceForm(request.POST or None, user=request.user, instance=spell)
    return act_page(
        request,
        spell.case,
        form,
        lambda: actions.change_assistance(spell, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the help"),
        done=_("The help is on record."),
    )


@require_http_methods(["GET", "POST"])
def stay_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker)
    form = StayForm(request.POST or None, user=request.user, instance=Stay(case=case))
    return act_page(
        request,
        case,
        form,
        lambda: actions.record_stay(
            case, form.cleaned_data["key"], form.values(), by=request.user, **form.said("approved_by")
        ),
        title=_("Record accommodation"),
        done=_("The accommodation is on record."),
    )


@require_http_methods(["GET", "POST"])
def stay_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    stay = of_case(request, Stay, pk)
    form = StayForm(request.POST or None, user=request.user, instance=stay)
    return act_page(
        request,
        stay.case,
        form,
        lambda: actions.change_stay(stay, form.values(), by=request.user, **form.said("revision", "approved_by")),
        title=_("Record that the person left")
        if stay.left_on is None
        else _("Change what is recorded of the accommodation"),
        done=_told_of_stay,
    )


def _told_of_stay(made: Stay) -> str:
    if made.left_on is None or made.shelter_type == NO_SHELTER:
        return _("The accommodation is on record.")
    return _("It is on record that the person left. Follow-ups are due after 3, 6 and 12 months.")


@require_http_methods(["GET", "POST"])
def follow_up_record(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = of_case(request, FollowUp, pk, access.may_go_on)
    form = FollowUpForm(request.POST or None, one=one)
    return act_page(
        request,
        one.case,
        form,
        lambda: actions.follow_up(one, by=request.user, **form.said("done_on", "result")),
        title=_("Record a follow-up"),
        done=_("The follow-up is on record."),
    )


@require_http_methods(["GET", "POST"])
def return_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker)
    form = ReturnForm(request.POST or None, user=request.user, instance=Return(case=case))
    return act_page(
        request,
        case,
        form,
        lambda: actions.record_return(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a return or what came instead"),
        done=_("The return is on record."),
    )


@require_http_methods(["GET", "POST"])
def return_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    record = of_case(request, Return, pk)
    form = ReturnForm(request.POST or None, user=request.user, instance=record)
    return act_page(
        request,
        record.case,
        form,
        lambda: actions.change_return(record, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the return"),
        done=_("The return is on record."),
    )


@require_http_methods(["GET", "POST"])
def permit_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_go_on)
    form = PermitForm(request.POST or None, user=request.user, instance=ResidencePermit(case=case))
    return act_page(
        request,
        case,
        form,
        lambda: actions.record_permit(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a residence permit"),
        done=_("The residence permit is on record."),
    )


@require_http_methods(["GET", "POST"])
def permit_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    permit = of_case(request, ResidencePermit, pk, access.may_go_on)
    form = PermitForm(request.POST or None, user=request.user, instance=permit)
    return act_page(
        request,
        permit.case,
        form,
        lambda: actions.change_permit(permit, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the residence permit"),
        done=_("The residence permit is on record."),
    )


@require_http_methods(["GET", "POST"])
def claim_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_go_on)
    form = ClaimForm(request.POST or None, user=request.user, instance=CompensationClaim(case=case))
    return act_page(
        request,
        case,
        form,
        lambda: actions.record_claim(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a claim of compensation"),
        done=_("The claim is on record."),
    )


@require_http_methods(["GET", "POST"])
def claim_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    claim = of_case(request, CompensationClaim, pk, access.may_go_on)
    form = ClaimForm(request.POST or None, user=request.user, instance=claim)
    return act_page(
        request,
        claim.case,
        form,
        lambda: actions.change_claim(claim, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the claim"),
        done=_("The claim is on record."),
    )


@require_http_methods(["GET", "POST"])
def case_close(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_close_case)
    form = CloseForm(request.POST or None, revision=case.revision)
    return act_page(
        request,
        case,
        form,
        lambda: actions.close(case, by=request.user, **form.said("closed_on", "outcome", "note_text", "revision")),
        title=_("Close the case"),
        done=_("The case is closed. It still counts."),
        submit=_("Close the case"),
    )
