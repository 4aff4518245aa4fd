"""Accreditations of services, inspections, and what has to be put right (Minimum Standards of Care)."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from nrm import access
from nrm.actions import accreditation as actions
from nrm.forms.accreditation import (
    AccreditationForm,
    CorrectiveDoneForm,
    CorrectiveForm,
    InspectionForm,
    WithdrawForm,
)
from nrm.models import Accreditation, CorrectiveMeasure, Inspection, Service
from onatc.errors import require
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import form_page


def _service(request: SignedInRequest, pk: uuid.UUID) -> Service:
    return get_object_or_404(Service.objects.visible_to(request.user), pk=pk)


@require_http_methods(["GET", "POST"])
def accreditation_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = AccreditationForm(request.POST or None, user=request.user)

    def act() -> Accreditation:
        names = ("number", "given_by", "decision", "valid_from", "valid_until")
        return actions.accredit(form.cleaned_data["key"], service, form.said(*names), by=request.user)

    return form_page(
        request,
        form,
        act,
        title=_("Record an accreditation"),
        lead=_("“%(name)s”, by the Minimum Standards of Care.") % {"name": service.name},
        cancel_url=service.get_absolute_url(),
        done=_("The accreditation is on record."),
    )


@require_http_methods(["GET", "POST"])
def accreditation_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = Accreditation.objects.visible_to(request.user).select_related("service")
    accreditation = get_object_or_404(found, pk=pk)
    require(access.may_keep_mechanism(request.user))
    form = WithdrawForm(request.POST or None, record=accreditation, initial={"withdrawn_on": timezone.localdate()})
    return form_page(
        request,
        form,
        lambda: actions.withdraw_accreditation(
            accreditation, by=request.user, **form.said("revision", "withdrawn_on", "reason")
        ),
        title=_("Record that the accreditation was withdrawn"),
        lead=_("“%(name)s”, accreditation %(number)s.")
        % {"name": accreditation.service.name, "number": accreditation.number},
        cancel_url=accreditation.service.get_absolute_url(),
        done=_("The withdrawal is on record."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
def inspection_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    service = _service(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = InspectionForm(request.POST or None, user=request.user)

    def act() -> Inspection:
        values = form.said("on", "inspected_by", "findings", "language")
        return actions.record_inspection(
            form.cleaned_data["key"], service, values, form.found_of_standards, by=request.user
        )

    return form_page(
        request,
        form,
        act,
        title=_("Record an inspection"),
        lead=_("“%(name)s”: what was found, standard by standard.") % {"name": service.name},
        cancel_url=service.get_absolute_url(),
        done=_("The inspection is on record."),
    )


@require_http_methods(["GET", "POST"])
def corrective_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = Inspection.objects.visible_to(request.user).select_related("service")
    inspection = get_object_or_404(found, pk=pk)
    require(access.may_keep_mechanism(request.user))
    form = CorrectiveForm(request.POST or None)

    def act() -> Inspection:
        actions.add_corrective(form.cleaned_data["key"], inspection, by=request.user, **form.said("text", "due_on"))
        return inspection

    return form_page(
        request,
        form,
        act,
        title=_("Add what has to be put right"),
        lead=str(inspection.service.name),
        cancel_url=inspection.get_absolute_url(),
        done=_("It is on record."),
    )


@require_http_methods(["GET", "POST"])
def corrective_done(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    found = CorrectiveMeasure.objects.visible_to(request.user).select_related("inspection__service")
    corrective = get_object_or_404(found, pk=pk)
    require(access.may_keep_mechanism(request.user))
    form = CorrectiveDoneForm(request.POST or None)

    def act() -> Inspection:
        actions.corrective_done(corrective, by=request.user, **form.said("done_on", "note"))
        return corrective.inspection

    return form_page(
        request,
        form,
        act,
        title=_("Record that it was put right"),
        lead=corrective.text,
        cancel_url=corrective.inspection.get_absolute_url(),
        done=_("It is on record as put right."),
        submit=_("Record it"),
    )
