"""Criminal proceedings under an opaque marker: stages, accused persons without names, the victims' part, protection.

A stage counts offences, criminal cases or accused persons, each on its own; a requalification is a stage, so that
trafficking and related offences stay apart (data_dictionary.md, section 2).
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.assistance import begin, whole
from nrm.actions.happenings import note, refuse_impossible, tell
from nrm.ages import was_born_by
from nrm.markers import new_marker
from nrm.models import (
    Accused,
    Case,
    EventKind,
    Proceeding,
    ProceedingStage,
    ProceedingVictim,
    ProtectiveMeasure,
    StageUnit,
)
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_future, save, set_fields
from stakeholders.models import Institution, User

CHARGED = ("P_INDICT",)
FIRST = ("P_REPORT", "P_INVEST", "P_SUSPECT")
TRIES = 5


@transaction.atomic
def open_proceeding(
    case: Case, key: uuid.UUID, *, by: User, opened_on: date, role: str, institution: Institution | None = None
) -> Proceeding:
    """A proceeding about what was done to the person of this case. Raises Refused."""
    case, own = begin(case, by, goes_on=True)
    reporting = own or institution or case.responsible
    refuse_future(opened_on, "opened_on")
    if case.age_at_referral is not None and not was_born_by(opened_on, case.age_at_referral, case.opened_on):
        raise Refused(_("By the age at the referral the person was not born on that day."), "opened_on")
    existing = Proceeding.objects.filter(pk=key).first()
    if existing is None:
        existing = _with_marker(Proceeding(pk=key, reported_by=reporting, opened_on=opened_on))
        ProceedingStage.objects.create(proceeding=existing, stage=FIRST[0], on=opened_on, unit=StageUnit.CASE)
    _link(case, existing, role, by=by, institution=own, on=opened_on)
    return existing


def _with_marker(proceeding: Proceeding) -> Proceeding:
    for tries in range(TRIES):
        proceeding.marker = new_marker()
        try:
            with transaction.atomic():
                proceeding.save(force_insert=True)
            return proceeding
        except IntegrityError:
            if tries == TRIES - 1 or not Proceeding.objects.filter(marker=proceeding.marker).exists():
                raise
    raise AssertionError("unreachable")


@transaction.atomic
def join_proceeding(case: Case, proceeding: Proceeding, *, by: User, role: str, on: date) -> ProceedingVictim:
    """The person of this case is a victim in a proceeding that is there. Raises Refused when they are linked already."""
    case, own = begin(case, by, goes_on=True)
    refuse_impossible(case, on, "on", goes_on=True)
    if on < proceeding.opened_on:
        raise Refused(_("The proceeding was opened after that day."), "on")
    return _link(case, proceeding, role, by=by, institution=own, on=on)


@transaction.atomic
def join_by_marker(case: Case, marker: str, *, by: User, role: str, on: date) -> ProceedingVictim:
    """The same by the marker that was read out. Raises Refused for one that was never given."""
    found = Proceeding.objects.filter(marker=marker).first()
    if found is None:
        raise Refused(_("There is no proceeding with this marker."), "marker")
    return join_proceeding(case, found, by=by, role=role, on=on)


def _link(
    case: Case, proceeding: Proceeding, role: str, *, by: User, institution: Institution | None, on: date
) -> ProceedingVictim:
    link, is_new = ProceedingVictim.objects.get_or_create(
        proceeding=proceeding, case=case, defaults={"role": role, "recorded_by": by, "recorded_for": institution}
    )
    if is_new:
        day = max(on, case.opened_on)
        note(case, EventKind.PROCEEDING, on=day, by=by, institution=institution, record=proceeding, goes_on=True)
    return link


def seen_part(link: ProceedingVictim) -> str:
    """What a form says of the part that stood there when it was made."""
    return f"{link.role} {link.has_advocate}"


@transaction.atomic
def set_part(
    link: ProceedingVictim, *, by: User, role: str, has_advocate: bool | None, seen: str = ""
) -> ProceedingVictim:
    """Raises Refused when a colleague changed the part since it was `seen`."""
    begin(link.case, by, goes_on=True)
    link = locked(link)
    if (link.role, link.has_advocate) == (role, has_advocate):
        return link
    if seen and seen != seen_part(link):
        raise Refused(_("A colleague changed the part meanwhile: open the form anew."), "role")
    link.role, link.has_advocate = role, has_advocate
    return save(link)


@transaction.atomic
def add_accused(proceeding: Proceeding, key: uuid.UUID, values: dict[str, Any], *, by: User) -> Accused:
    """An accused person or company by number, never by name."""
    proceeding = locked(proceeding)
    require(access.may_keep_proceeding(by, proceeding))
    number = (proceeding.accused.aggregate(last=Max("number"))["last"] or 0) + 1
    if values.get("is_legal_person") and (values.get("sex") or values.get("age_group")):
        raise Refused(_("A company has neither sex nor age."), "is_legal_person")
    made, _is_new = make_once(Accused(proceeding=proceeding, number=number, **values), key)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def add_stage(proceeding: Proceeding, key: uuid.UUID, values: dict[str, Any], *, by: User) -> ProceedingStage:
    """A dated event of the proceeding. An indictment tells every linked case, whose clocks follow. Raises Refused."""
    proceeding = locked(proceeding)
    require(access.may_keep_proceeding(by, proceeding))
    on = values["on"]
    refuse_future(on, "on")
    if on < proceeding.opened_on:
        raise Refused(_("The proceeding was opened after that day."), "on")
    if values.get("accused") is not None and values["accused"].proceeding_id != proceeding.pk:
        raise Refused(_("Choose an accused of this proceeding."), "accused")
    if (values.get("unit") == StageUnit.ACCUSED) != (values.get("accused") is not None):
        raise Refused(_("Say which accused this is about, or count the case."), "accused")
    if values.get("sentence_months") is not None and values["stage"] not in ("P_CONV1", "P_FINAL", "P_APPEAL"):
        raise Refused(_("A sentence stands with a conviction or a judgment."), "sentence_months")
    made, is_new = make_once(ProceedingStage(proceeding=proceeding, **values), key)
    if is_new:
        kind = EventKind.CHARGED if values["stage"] in CHARGED else EventKind.PROCEEDING
        links = ProceedingVictim.objects.filter(proceeding=proceeding).select_related("case").order_by("case")
        for link in links:
            case = locked(link.case)
            if case.closed_on is None and on >= case.opened_on:
                note(case, kind, on=on, by=by, record=made)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def record_protection(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> ProtectiveMeasure:
    """A protective measure that was asked for, and its decision. Raises Refused."""
    case, own = begin(case, by, goes_on=True)
    _check_protection(case, values)
    row = ProtectiveMeasure(**values, case=case, recorded_by=by, recorded_for=own)
    made, is_new = make_once(row, key, maker="recorded_by")
    if is_new:
        tell(case, made, _protection_days(made), by=by, institution=own, goes_on=True)
    return made  # type: ignore[no-any-return]


def _protection_days(measure: ProtectiveMeasure) -> dict[EventKind, date | None]:
    return {EventKind.PROTECTION_ASKED: measure.asked_on, EventKind.PROTECTION_DECIDED: measure.decided_on}


@transaction.atomic
def change_protection(
    measure: ProtectiveMeasure, values: dict[str, Any], *, by: User, revision: int
) -> ProtectiveMeasure:
    case, own = begin(measure.case, by, goes_on=True)
    measure = locked(measure)
    _check_protection(case, whole(measure, values))
    set_fields(measure, values, revision)
    save(measure)
    tell(case, measure, _protection_days(measure), by=by, institution=own, goes_on=True)
    return measure


def _check_protection(case: Case, values: dict[str, Any]) -> None:
    for name in ("asked_on", "decided_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name, goes_on=True)
    if (ends := values.get("ends_on")) is not None and ends < (values.get("decided_on") or values["asked_on"]):
        raise Refused(_("A measure does not end before it begins."), "ends_on")
    if (values.get("decided_on") is None) != (values.get("was_granted") is None):
        raise Refused(_("A decision has its day and says whether the measure was granted."), "decided_on")
