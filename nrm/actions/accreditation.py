"""Accreditations of services by the Minimum Standards of Care, inspections, and what has to be put right after them."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import STANDARDS, Accreditation, CorrectiveMeasure, Found, Inspection, Service, StandardFound
from onatc.errors import Refused, require
from onatc.vocabulary import Code
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import User


@transaction.atomic
def accredit(key: uuid.UUID, service: Service, values: dict[str, Any], *, by: User) -> Accreditation:
    """A form sent twice records one; a number is recorded once for a service."""
    service = locked(service)
    require(access.may_keep_mechanism(by))
    refuse_dissolved(values["given_by"], values["valid_from"], "given_by")
    made = Accreditation(**values, service=service, created_by=by)
    return make_once(made, key, maker="created_by")[0]  # type: ignore[no-any-return]


@transaction.atomic
def withdraw_accreditation(
    accreditation: Accreditation, *, by: User, revision: int, withdrawn_on: date, reason: str
) -> Accreditation:
    """It holds no more from a day on, for a reason. The same again changes nothing."""
    accreditation = locked(accreditation)
    require(access.may_keep_mechanism(by))
    if (accreditation.withdrawn_on, accreditation.withdrawal_reason) == (withdrawn_on, reason):
        return accreditation
    if accreditation.withdrawn_on is not None:
        raise Refused(_("It was withdrawn already."))
    if withdrawn_on > accreditation.valid_until:
        raise Refused(_("By that day it has expired by itself."), "withdrawn_on")
    set_fields(accreditation, {"withdrawn_on": withdrawn_on, "withdrawal_reason": reason}, revision)
    return save(accreditation)


@transaction.atomic
def record_inspection(
    key: uuid.UUID, service: Service, values: dict[str, Any], found: dict[str, str], *, by: User
) -> Inspection:
    """`found` says of each standard that was looked at whether it is met; a form sent twice records one."""
    service = locked(service)
    require(access.may_keep_mechanism(by))
    refuse_future(values["on"], "on")
    refuse_dissolved(values["inspected_by"], values["on"], "inspected_by")
    if values["inspected_by"].pk == service.provider_id:
        raise Refused(_("A provider does not inspect itself."), "inspected_by")
    if not found:
        raise Refused(_("Say of one standard at least what was found."))
    known = set(Code.objects.of(STANDARDS, on=values["on"]).values_list("code", flat=True))
    if set(found) - known or set(found.values()) - set(Found.values):
        raise Refused(_("This is not in the list any more: choose again."))
    inspection, is_new = make_once(Inspection(**values, service=service, created_by=by), key, maker="created_by")
    if is_new:
        StandardFound.objects.bulk_create(
            [StandardFound(inspection=inspection, standard=code, found=value) for code, value in sorted(found.items())]
        )
    return inspection  # type: ignore[no-any-return]


@transaction.atomic
def add_corrective(key: uuid.UUID, inspection: Inspection, *, by: User, text: str, due_on: date) -> CorrectiveMeasure:
    inspection = locked(inspection)
    require(access.may_keep_mechanism(by))
    if due_on < inspection.on:
        raise Refused(_("The inspection was after that day."), "due_on")
    return make_once(CorrectiveMeasure(inspection=inspection, text=text, due_on=due_on), key)[0]  # type: ignore[no-any-return]


@transaction.atomic
def corrective_done(corrective: CorrectiveMeasure, *, by: User, done_on: date, note: str) -> CorrectiveMeasure:
    """It was put right. The same again changes nothing; of two who record it one is told."""
    corrective = locked(corrective)
    require(access.may_keep_mechanism(by))
    if corrective.done_on is not None:
        if (corrective.done_on, corrective.note) == (done_on, note):
            return corrective
        raise Refused(_("This is recorded as done already."))
    refuse_future(done_on, "done_on")
    if done_on < corrective.inspection.on:
        raise Refused(_("The inspection was after that day."), "done_on")
    corrective.done_on, corrective.note, corrective.done_by = done_on, note, by
    return save(corrective)
