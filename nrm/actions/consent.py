"""What the person agreed to. Consent opens and closes detail; a count never hangs on it (data_dictionary.md, 1, rule 8)."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note, refuse_impossible
from nrm.actions.parties import join
from nrm.models import (
    Case,
    Consent,
    ConsentBy,
    ConsentState,
    EventKind,
    PartyRole,
    Referral,
    ReferralState,
    Share,
)
from nrm.queries.referrals import consent_of, consent_state
from nrm.referring import shares_detail
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once
from stakeholders.models import Institution, User


@transaction.atomic
def record_consent(
    case: Case,
    key: uuid.UUID,
    *,
    by: User,
    institution: Institution,
    purpose: str,
    state: str,
    given_by: str = ConsentBy.PERSON,
    on: date,
    referral: Referral | None = None,
) -> Consent:
    """Record that consent was given, refused, withdrawn or is not needed; a form sent twice records one.

    The latest one holds. Referrals of that purpose that wait for an answer follow it at once: after a withdrawal their
    addressee sees no detail any more, after consent it does. What was shared before is not taken back, no referral
    vanishes, and no status changes. Raises PermissionDenied and Refused.
    """
    case = locked(case)
    require(access.may_record(by, case))
    existing = Consent.objects.filter(pk=key).first()
    if existing is None:
        refuse_impossible(case, on, "on")
        _refuse_contradiction(case, purpose, state, given_by, on)
    made, is_new = make_once(
        Consent(
            case=case,
            referral=referral,
            purpose=purpose,
            state=state,
            given_by=given_by,
            on=on,
            recorded_by=by,
            recorded_for=institution,
        ),
        key,
        maker="recorded_by",
    )
    if is_new:
        _tell(made)
        _follow(case, purpose, by=by)
    return made  # type: ignore[no-any-return]


def said_at_opening(referral: Referral, *, given_by: str, by: User | None) -> None:
    """Put on record what was said of consent when a case is opened, as what was said later is: by whom, for what, on which
    day. Where nobody was asked there is nothing to record. Raises Refused."""
    case, state = referral.case, referral.consent_state
    if state == ConsentState.NOT_ASKED:
        return
    if state == ConsentState.WITHDRAWN:
        raise Refused(_("No consent to this is on record that could be withdrawn."), "consent_state")
    _refuse_for_child(case, state, given_by, "consent_by")
    _tell(
        Consent.objects.create(
            case=case,
            referral=referral,
            purpose=referral.purpose,
            state=state,
            given_by=given_by,
            on=referral.referred_on,
            recorded_by=by,
            recorded_for=referral.recorded_for,
        )
    )


def refuse_without_basis(state: str, legal_basis: str) -> None:
    if state == ConsentState.NOT_NEEDED and not legal_basis.strip():
        raise Refused(_("Say by which provision consent is not needed."), "legal_basis")


def _tell(made: Consent) -> None:
    kind = {ConsentState.GIVEN: EventKind.CONSENT_GIVEN, ConsentState.WITHDRAWN: EventKind.CONSENT_WITHDRAWN}
    if made.state in kind:
        institution = made.recorded_for
        note(
            made.case,
            kind[ConsentState(made.state)],
            on=made.on,
            by=made.recorded_by,
            institution=institution,
            record=made,
        )


def _refuse_for_child(case: Case, state: str, given_by: str, field: str) -> None:
    if state == ConsentState.GIVEN and given_by == ConsentBy.PERSON and case.is_child_procedure:
        raise Refused(_("For a child the guardian or the custodian body consents; the child is heard."), field)


def _refuse_contradiction(case: Case, purpose: str, state: str, given_by: str, on: date) -> None:
    if state == ConsentState.NOT_ASKED:
        raise Refused(_("Say what the answer was."), "state")
    _refuse_for_child(case, state, given_by, "given_by")
    held = consent_of(case, purpose)
    if state == ConsentState.WITHDRAWN and consent_state(case, purpose) != ConsentState.GIVEN:
        raise Refused(_("No consent to this is on record that could be withdrawn."), "state")
    if state == ConsentState.WITHDRAWN and held is not None and on < held.on:
        raise Refused(_("Consent is not withdrawn before it was given."), "on")


def _follow(case: Case, purpose: str, *, by: User) -> None:
    """Referrals that wait take on the consent that holds now; who accepted without detail gets it with the consent."""
    state = consent_state(case, purpose)
    referrals = Referral.objects.filter(case=case, purpose=purpose)
    for one in referrals.filter(state=ReferralState.SENT).exclude(consent_state=state):
        one.consent_state = state
        one.save(update_fields=["consent_state"])
    if not shares_detail(state):
        return
    for one in referrals.filter(state=ReferralState.ACCEPTED).select_related("addressee"):
        if not shares_detail(one.consent_state) and one.addressee is not None:
            join(case, one.addressee, PartyRole.JOINT if one.share == Share.JOINT else PartyRole.HELPS, by=by)
            one.consent_state = state
            one.save(update_fields=["consent_state"])
