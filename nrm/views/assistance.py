"""Help, accommodation, residence, return, compensation and the closing: forms under a case."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
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
    StayEndForm,
    StayForm,
)
from nrm.models import Assistance, Case, CompensationClaim, FollowUp, ResidencePermit, Return, Stay
from nrm.views.reading import case_of
from onatc.errors import require
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import form_page


def case_form(
    request: SignedInRequest, case: Case, form: Form, act: Callable[[], Any], *, title: str, done: str, submit: str = ""
) -> HttpResponse:
    """A form about a case, which goes back to its page."""

    def then() -> Case:
        act()
        return case

    return form_page(
        request, form, then, title=title, lead=str(case), cancel_url=case.get_absolute_url(), done=done, submit=submit
    )


def of_case(request: SignedInRequest, model: Any, pk: uuid.UUID) -> Any:
    """A visible record of a case, for whoever may record in that case."""
    found = get_object_or_404(model.objects.visible_to(request.user).select_related("case"), pk=pk)
    require(access.may_record(request.user, found.case))
    return found


def to_record_in(request: SignedInRequest, marker: str) -> Case:
    case = case_of(request, marker)
    require(access.may_record(request.user, case))
    return case


@require_http_methods(["GET", "POST"])
def assistance_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = to_record_in(request, marker)
    form = AssistanceForm(request.POST or None, user=request.user, instance=Assistance(case=case))
    return case_form(
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
    return case_form(
        request,
        spell.case,
        form,
        lambda: actions.change_assistance(spell, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the help"),
        done=_("The help is on record."),
    )


@require_http_methods(["GET", "POST"])
def stay_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = to_record_in(request, marker)
    form = StayForm(request.POST or None, user=request.user, instance=Stay(case=case))
    return case_form(
        request,
        case,
        form,
        lambda: actions.record_stay(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record accommodation"),
        done=_("The accommodation is on record."),
    )


@require_http_methods(["GET", "POST"])
def stay_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    stay = of_case(request, Stay, pk)
    form = StayEndForm(request.POST or None, user=request.user, stay=stay)
    return case_form(
        request,
        stay.case,
        form,
        lambda: actions.end_stay(stay, by=request.user, **form.said("left_on", "reason", "revision", "approved_by")),
        title=_("Record that the person left"),
        done=_("It is on record that the person left. Follow-ups are due after 3, 6 and 12 months."),
    )


@require_http_methods(["GET", "POST"])
def follow_up_record(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(FollowUp.objects.visible_to(request.user).select_related("case"), pk=pk)
    require(access.may_follow_up(request.user, one.case))
    form = FollowUpForm(request.POST or None, one=one)
    return case_form(
        request,
        one.case,
        form,
        lambda: actions.follow_up(one, by=request.user, **form.said("done_on", "result")),
        title=_("Record a follow-up"),
        done=_("The follow-up is on record."),
    )


@require_http_methods(["GET", "POST"])
def return_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = to_record_in(request, marker)
    form = ReturnForm(request.POST or None, user=request.user, instance=Return(case=case))
    return case_form(
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
    return case_form(
        request,
        record.case,
        form,
        lambda: actions.change_return(record, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the return"),
        done=_("The return is on record."),
    )


@require_http_methods(["GET", "POST"])
def permit_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = to_record_in(request, marker)
    form = PermitForm(request.POST or None, user=request.user, instance=ResidencePermit(case=case))
    return case_form(
        request,
        case,
        form,
        lambda: actions.record_permit(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a residence permit"),
        done=_("The residence permit is on record."),
    )


@require_http_methods(["GET", "POST"])
def permit_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    permit = of_case(request, ResidencePermit, pk)
    form = PermitForm(request.POST or None, user=request.user, instance=permit)
    return case_form(
        request,
        permit.case,
        form,
        lambda: actions.change_permit(permit, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the residence permit"),
        done=_("The residence permit is on record."),
    )


@require_http_methods(["GET", "POST"])
def claim_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = to_record_in(request, marker)
    form = ClaimForm(request.POST or None, user=request.user, instance=CompensationClaim(case=case))
    return case_form(
        request,
        case,
        form,
        lambda: actions.record_claim(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a claim of compensation"),
        done=_("The claim is on record."),
    )


@require_http_methods(["GET", "POST"])
def claim_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    claim = of_case(request, CompensationClaim, pk)
    form = ClaimForm(request.POST or None, user=request.user, instance=claim)
    return case_form(
        request,
        claim.case,
        form,
        lambda: actions.change_claim(claim, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the claim"),
        done=_("The claim is on record."),
    )


@require_http_methods(["GET", "POST"])
def case_close(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    require(access.may_close_case(request.user, case))
    form = CloseForm(request.POST or None, revision=case.revision)
    return case_form(
        request,
        case,
        form,
        lambda: actions.close(case, by=request.user, **form.said("closed_on", "outcome", "note_text", "revision")),
        title=_("Close the case"),
        done=_("The case is closed. It still counts."),
        submit=_("Close the case"),
    )
