"""How a case is opened: with the referral that brought the person, under a marker that nobody can guess."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions import referral_notices
from nrm.actions.consent import refuse_without_basis, said_at_opening
from nrm.actions.happenings import note, refuse_impossible
from nrm.ages import age_group_of, procedure_track
from nrm.markers import new_marker
from nrm.models import (
    Case,
    CaseParty,
    ConsentBy,
    ConsentState,
    EventKind,
    PartyRole,
    Person,
    Purpose,
    Referral,
    ReferralState,
    Share,
    Urgency,
)
from nrm.referring import shares_detail
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, refuse_dissolved, refuse_future
from stakeholders.models import Institution, InstitutionKind, User

ANSWER_WITHIN = {
    Urgency.IMMEDIATE: timedelta(hours=4),
    Urgency.URGENT: timedelta(hours=24),
    Urgency.ORDINARY: timedelta(hours=72),
}
TRIES = 5  # a marker that is there already is drawn again


@transaction.atomic
def open_case(
    *,
    by: User | None,
    key: uuid.UUID,
    institution: Institution,
    referred_on: date,
    signal_on: date | None = None,
    referring_entity: str = "E_U",
    addressee: Institution | None = None,
    urgency: str = Urgency.ORDINARY,
    purpose: str = Purpose.IDENTIFICATION,
    reason: str = "",
    consent_state: str = ConsentState.NOT_ASKED,
    consent_by: str = ConsentBy.PERSON,
    legal_basis: str = "",
    earlier: Case | None = None,
    profile: dict[str, Any] | None = None,
) -> tuple[Case, bool]:
    """Open a case with the referral that brings the person in; whether it is new, since a form may be sent twice.

    `institution` opens and is responsible until another one accepts the responsibility. With an `addressee` the referral
    waits for its answer; without one the person came to the institution itself. `profile` are fields of the case. What was
    said of consent is put on record with who said it, by the rules of any later consent. `earlier` is a closed case of the
    same person, who came again: the new one is their next episode.

    Raises PermissionDenied and Refused.
    """
    if by is not None:
        require(access.may_open_case(by))
        require(access.may_open_for(by, institution))
    existing = Case.objects.filter(pk=key).first()
    if existing is not None:
        return _same(existing, by), False
    if earlier is not None:
        earlier = locked(earlier)
        if by is not None:
            require(access.may_open_again(by, earlier))
        if earlier.closed_on is not None and referred_on < earlier.closed_on:
            raise Refused(
                _("The earlier episode was closed on %(day)s: a referral before that day belongs to it.")
                % {"day": date_format(earlier.closed_on, "DATE_FORMAT")},
                "referred_on",
            )
    for day, field in ((referred_on, "referred_on"), (signal_on, "signal_on")):
        if day is not None:
            refuse_future(day, field)
    if signal_on is not None and signal_on > referred_on:
        raise Refused(_("Signs are noticed before the person is referred."), "signal_on")
    refuse_dissolved(institution, referred_on, "institution")
    refuse_dissolved(addressee, timezone.localdate(), "addressee")
    if addressee is not None and addressee.pk == institution.pk:
        raise Refused(_("An institution does not refer to itself."), "addressee")
    refuse_abroad(addressee)
    if addressee is not None and reason and not shares_detail(consent_state):
        raise Refused(
            _("The person does not consent: the referral goes without a reason and files. Leave both empty."), "reason"
        )
    refuse_without_basis(consent_state, legal_basis)
    values = dict(profile or {})
    group = age_group_of(values.get("age_at_referral"), values.get("age_group_at_referral", "AGE_U"))
    values["age_group_at_referral"] = group
    track = procedure_track(group)
    try:
        with transaction.atomic():
            whose = earlier.person if earlier is not None else Person.objects.create()
            case = _with_marker(
                Case(
                    pk=key,
                    person=whose,
                    own_person=earlier.own_person if earlier is not None else whose,
                    episode=Case.objects.counted().filter(person=whose).count() + 1,
                    opened_on=referred_on,
                    opened_by=institution,
                    responsible=institution,
                    recorded_by=by,
                    track=group,
                    is_child_procedure=track == "CHILD",
                    **values,
                )
            )
    except IntegrityError:
        existing = Case.objects.filter(pk=key).first()  # the same form, sent twice at once
        if existing is None:
            raise
        return _same(existing, by), False
    for role in (PartyRole.OPENED, PartyRole.RESPONSIBLE):
        CaseParty.objects.create(
            case=case, institution=institution, role=role, recorded_by=by, recorded_for=institution
        )
    now = timezone.now()
    is_own = addressee is None
    referral = Referral.objects.create(
        case=case,
        brings_in=True,
        sender=None if is_own else institution,
        addressee=institution if is_own else addressee,
        referring_entity=referring_entity,
        referred_on=referred_on,
        received_on=referred_on if is_own else None,
        accepted_on=referred_on if is_own else None,
        state=ReferralState.ACCEPTED if is_own else ReferralState.SENT,
        answered_at=now if is_own else None,
        answered_by=by if is_own else None,
        answer_due_at=None if is_own else now + ANSWER_WITHIN[Urgency(urgency)],
        purpose=purpose,
        share=Share.HANDOVER,
        urgency=urgency,
        reason=reason,
        consent_state=consent_state,
        legal_basis=legal_basis,
        recorded_by=by,
        recorded_for=institution,
    )
    if signal_on is not None:
        note(case, EventKind.SIGNAL, on=signal_on, by=by, institution=institution)
    note(case, EventKind.REFERRED, on=referred_on, by=by, institution=institution, record=referral)
    if is_own:
        note(case, EventKind.RECEIVED, on=referred_on, by=by, institution=institution, record=referral)
    if track == "CHILD":
        note(case, EventKind.CHILD, on=referred_on, by=by, institution=institution)
    if group == "AGE_U":
        note(case, EventKind.AGE_DOUBTED, on=referred_on, by=by, institution=institution)
    refuse_impossible(case, referred_on, "referred_on")
    said_at_opening(referral, given_by=consent_by, by=by)
    if not is_own:
        referral_notices.came(referral)
    return case, True


def _same(existing: Case, by: User | None) -> Case:
    if existing.recorded_by_id != (by.pk if by else None):
        raise Refused(_("This form was used already. Open it anew."))
    return existing


def refuse_abroad(addressee: Institution | None) -> None:
    """An office abroad is referred to across the border, never as one of the country."""
    if addressee is not None and addressee.kind == InstitutionKind.COORDINATOR_ABROAD:
        raise Refused(
            _("This office is abroad: refer across the border, with what is shared and on what basis."), "addressee"
        )


def _with_marker(case: Case) -> Case:
    for tries in range(TRIES):
        case.marker = new_marker()
        try:
            with transaction.atomic():
                case.save(force_insert=True)
            return case
        except IntegrityError:
            if tries == TRIES - 1 or not Case.objects.filter(marker=case.marker).exists():
                raise
    raise AssertionError("unreachable")
