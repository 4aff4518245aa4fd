"""The life of a referral: sent, received, accepted once or declined with a reason, passed on, withdrawn.

Every act locks the case and then the referral, so that of two who answer, or of whoever withdraws while another accepts, the
second finds what the first one did.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime, time

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions import referral_notices as notices
from nrm.actions.cases import ANSWER_WITHIN, refuse_abroad
from nrm.actions.consent import record_consent, refuse_without_basis
from nrm.actions.happenings import note, refuse_impossible, take_to
from nrm.actions.parties import hand_over, join
from nrm.models import (
    Case,
    CaseParty,
    ConsentBy,
    ConsentState,
    DeclineReason,
    EventKind,
    Happening,
    PartyRole,
    Referral,
    ReferralFile,
    ReferralState,
    Share,
    Urgency,
)
from nrm.queries import referrals as queries
from nrm.referring import ANSWER_ABROAD_WITHIN, shares_detail
from onatc.errors import Denied, Refused, require
from onatc.ids import new_id
from stakeholders.actions.records import (
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
)
from stakeholders.models import Country, Institution, User

TRIES = 5  # a referral whose case is merged between the reading and the lock is looked up again


def held(referral: Referral) -> tuple[Referral, Case]:
    """The referral and its case, both locked, the case first."""
    for _number in range(TRIES):
        case = Case.objects.select_for_update(of=("self",)).get(
            pk=Referral.objects.values_list("case", flat=True).get(pk=referral.pk)
        )
        found = Referral.objects.select_for_update(of=("self",)).get(pk=referral.pk)
        if found.case_id == case.pk:
            found.case = case
            return found, case
    raise Refused(_("The case is being merged just now. Try again in a moment."))


def _survivor(case: Case) -> Case:
    """The locked case that goes on: itself, or the one as which it was entered twice."""
    while case.duplicate_of_id is not None:
        case = Case.objects.select_for_update(of=("self",)).get(pk=case.duplicate_of_id)
    return case


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


# Sending


@transaction.atomic
def send(
    case: Case,
    key: uuid.UUID,
    *,
    by: User,
    sender: Institution | None,
    addressee: Institution,
    purpose: str,
    share: str = Share.HELP,
    urgency: str = Urgency.ORDINARY,
    reason: str = "",
    referred_on: date,
    consent: str = "",
    consent_by: str = ConsentBy.PERSON,
    legal_basis: str = "",
    referring_entity: str = "",
    files: Iterable[UploadedFile] = (),
    after: Referral | None = None,
) -> Referral:
    """Refer the person of an open case to an institution; a form sent twice refers once.

    `sender` is one of the institutions in whose name `by` acts; None when the person, the family or a helpline asked for it
    (`referring_entity`). `consent` is what was said about this purpose now; without it the consent on record holds. After a
    refusal or a withdrawal the referral goes without reason, files and profile. `after` is a declined one that this follows.

    Raises PermissionDenied and Refused.
    """
    case = locked(case)
    if (existing := Referral.objects.filter(pk=key).first()) is not None:
        return _same(existing, by)
    require(access.may_refer(by, case))
    own = queries.speaks_for(by, case)
    institution = sender or (own[0] if own else None)
    if institution is None or institution.pk not in {one.pk for one in own}:
        require(Denied(_("You refer in the name of an institution that takes part in the case.")))
        raise AssertionError("unreachable")
    if sender is None and not referring_entity:
        raise Refused(_("Say who asked for it."), "referring_entity")
    refuse_future(referred_on, "referred_on")
    refuse_impossible(case, referred_on, "referred_on")
    if referred_on < case.opened_on:
        raise Refused(
            _("The case was opened on %(day)s: a referral from it is not older.") % {"day": _day(case.opened_on)},
            "referred_on",
        )
    files = list(files)
    _refuse_addressee(case, sender, addressee, purpose, share, by=by)
    after = _declined(after, case)
    state = _consent(case, by, institution, purpose, consent, consent_by, referred_on, legal_basis)
    if not shares_detail(state) and (reason or files):
        raise Refused(
            _("The person does not consent: the referral goes without a reason and files. Leave both empty."), "reason"
        )
    now = timezone.now()
    referral = Referral(
        case=case,
        sender=sender,
        referring_entity=referring_entity or queries.entity_code(institution),
        addressee=addressee,
        referred_on=referred_on,
        sent_at=now,
        purpose=purpose,
        share=share,
        urgency=urgency,
        reason=reason,
        legal_basis=legal_basis,
        answer_due_at=now + ANSWER_WITHIN[Urgency(urgency)],
        consent_state=state,
        after=after,
        recorded_by=by,
        recorded_for=institution,
    )
    referral, _new = make_once(referral, key, maker="recorded_by")
    keep_files(ReferralFile, files, by=by, referral=referral)
    if after is not None and shares_detail(state):
        _take_over_files(after, referral)
    note(case, EventKind.REFERRED, on=referred_on, by=by, institution=institution, record=referral)
    notices.came(referral)
    return referral


def _same(existing: Referral, by: User) -> Referral:
    if existing.recorded_by_id != by.pk:
        raise Refused(_("This form was used already. Open it anew."))
    return existing


def _refuse_addressee(
    case: Case, sender: Institution | None, addressee: Institution, purpose: str, share: str, *, by: User
) -> None:
    if sender is not None and sender.pk == addressee.pk:
        raise Refused(_("An institution does not refer to itself."), "addressee")
    refuse_dissolved(addressee, timezone.localdate(), "addressee")
    refuse_abroad(addressee)
    waiting = Referral.objects.filter(case=case, state=ReferralState.SENT)
    if waiting.filter(addressee=addressee, purpose=purpose).exists():
        raise Refused(
            _("A referral to this institution for the same purpose waits for an answer already."), "addressee"
        )
    taking_part = CaseParty.objects.filter(case=case, institution=addressee, until__isnull=True)
    if share == Share.JOINT and taking_part.filter(role=PartyRole.JOINT).exists():
        raise Refused(_("This institution works on the case already."), "addressee")
    if share != Share.HANDOVER:
        return
    require(access.may_hand_over(by, case))
    if case.responsible_id == addressee.pk:
        raise Refused(_("This institution is responsible for the case already."), "addressee")
    if queries.waiting_handover(case) is not None:
        raise Refused(_("The responsibility was offered to another institution, which has not answered yet."), "share")
    if not queries.hands_over_to(addressee):
        raise Refused(
            _(
                "Nobody of this institution has an account here who could be case manager: it can help, not be responsible."
            ),
            "addressee",
        )


def _declined(after: Referral | None, case: Case) -> Referral | None:
    """The locked referral that is passed on: declined, of this case, and passed on once."""
    if after is None:
        return None
    found = locked(after)
    if found.case_id != case.pk or found.state != ReferralState.DECLINED:
        raise Refused(_("Only a declined referral goes on to the next addressee."))
    if found.followed_by.exclude(state=ReferralState.WITHDRAWN).exists():  # type: ignore[attr-defined]
        raise Refused(_("This referral went on to another institution already."))
    return found


def _consent(
    case: Case, by: User, institution: Institution, purpose: str, said: str, said_by: str, on: date, legal_basis: str
) -> str:
    """The consent that holds for the purpose, after what was said now was recorded where it says something new."""
    held = queries.consent_state(case, purpose)
    if not said or said == held:
        state = held
    elif said == ConsentState.NOT_ASKED:
        raise Refused(_("An answer is on record already: choose it, or record a new one."), "consent")
    else:
        record_consent(
            case, new_id(), by=by, institution=institution, purpose=purpose, state=said, given_by=said_by, on=on
        )
        state = queries.consent_state(case, purpose)
    refuse_without_basis(state, legal_basis)
    return state


def _take_over_files(old: Referral, new: Referral) -> None:
    """What was attached to the declined referral goes on with it; the content is kept once."""
    for one in ReferralFile.objects.filter(referral=old):
        ReferralFile.objects.create(
            referral=new,
            file=one.file.name,
            original_name=one.original_name,
            content_type=one.content_type,
            size=one.size,
            sha256=one.sha256,
            uploaded_by=one.uploaded_by,
        )


@transaction.atomic
def send_abroad(
    case: Case,
    key: uuid.UUID,
    *,
    by: User,
    sender: Institution,
    country: Country,
    addressee: Institution | None = None,
    purpose: str,
    urgency: str = Urgency.ORDINARY,
    shared: str,
    legal_basis: str,
    referred_on: date,
    consent: str = "",
    consent_by: str = ConsentBy.PERSON,
    files: Iterable[UploadedFile] = (),
) -> Referral:
    """Refer to a counterpart abroad: what was shared and on what legal basis is part of it. Nothing is shared across a
    border against the will of the person, nor before it was asked. The answer is recorded by whoever takes part here.

    Raises PermissionDenied and Refused.
    """
    case = locked(case)
    if (existing := Referral.objects.filter(pk=key).first()) is not None:
        return _same(existing, by)
    require(access.may_refer(by, case))
    if sender.pk not in {one.pk for one in queries.speaks_for(by, case)}:
        require(Denied(_("You refer in the name of an institution that takes part in the case.")))
    refuse_future(referred_on, "referred_on")
    refuse_impossible(case, referred_on, "referred_on")
    if referred_on < case.opened_on:
        raise Refused(
            _("The case was opened on %(day)s: a referral from it is not older.") % {"day": _day(case.opened_on)},
            "referred_on",
        )
    if not shared.strip() or not legal_basis.strip():
        raise Refused(
            _("A referral across the border says what was shared and on what legal basis."),
            "legal_basis" if shared.strip() else "shared",
        )
    if country.pk == "XK":
        raise Refused(_("This is a referral within the country."), "country")
    refuse_dissolved(addressee, timezone.localdate(), "addressee")
    if addressee is not None and addressee.country_id != country.pk:
        raise Refused(_("This office is not of that country."), "addressee")
    waiting = Referral.objects.filter(case=case, state=ReferralState.SENT, country=country, addressee=addressee)
    if waiting.filter(purpose=purpose).exists():
        raise Refused(
            _("A referral to this institution for the same purpose waits for an answer already."), "addressee"
        )
    state = _consent(case, by, sender, purpose, consent, consent_by, referred_on, legal_basis)
    if state not in (ConsentState.GIVEN, ConsentState.NOT_NEEDED):
        raise Refused(
            _("Nothing is shared across the border before the person, or who speaks for a child, has consented, or a law says that consent is not needed."),
            "consent",
        )  # fmt: skip
    now = timezone.now()
    referral, _new = make_once(
        Referral(
            case=case,
            sender=sender,
            referring_entity=queries.entity_code(sender),
            addressee=addressee,
            country=country,
            referred_on=referred_on,
            sent_at=now,
            purpose=purpose,
            share=Share.HELP,
            urgency=urgency,
            shared=shared,
            legal_basis=legal_basis,
            answer_due_at=now + ANSWER_ABROAD_WITHIN[urgency],
            consent_state=state,
            recorded_by=by,
            recorded_for=sender,
        ),
        key,
        maker="recorded_by",
    )
    keep_files(ReferralFile, files, by=by, referral=referral)
    note(case, EventKind.REFERRED, on=referred_on, by=by, institution=sender, record=referral)
    return referral  # type: ignore[no-any-return]


# Answering


def _refuse_unless_waiting(referral: Referral, case: Case) -> None:
    """A sentence for each way in which a referral is no longer to be answered."""
    moment = (
        date_format(timezone.localtime(referral.answered_at), "SHORT_DATETIME_FORMAT") if referral.answered_at else ""
    )
    sentences = {
        ReferralState.ACCEPTED: _("This referral was accepted already, %(moment)s."),
        ReferralState.DECLINED: _("This referral was declined already, %(moment)s."),
        ReferralState.WITHDRAWN: _("The sender withdrew this referral, %(moment)s: it is not answered any more."),
    }
    if referral.state != ReferralState.SENT:
        raise Refused(sentences[ReferralState(referral.state)] % {"moment": moment})
    if case.closed_on is not None:
        raise Refused(
            _("The case was closed on %(day)s: its referrals are not answered any more.")
            % {"day": _day(case.closed_on)}
        )


def _refuse_day(referral: Referral, on: date, field: str) -> None:
    refuse_future(on, field)
    if on < referral.referred_on:
        raise Refused(
            _("The referral was made on %(day)s: it is not answered before.") % {"day": _day(referral.referred_on)},
            field,
        )
    refuse_dissolved(referral.addressee, on, "")


def _received_by(referral: Referral, on: date, by: User) -> date:
    """When whoever answers has received: on the day of the answer at the latest, though the button was pressed later."""
    if referral.received_on is not None and referral.received_on > on:
        receipts = Happening.objects.filter(kind=EventKind.RECEIVED, record=referral.pk, struck_at__isnull=True)
        take_to(receipts, on, by=by, why=_("answered on that day already"))
        referral.received_on = on
    referral.received_on = referral.received_on or on
    return referral.received_on


def _note_receipt(referral: Referral, case: Case, on: date, at: time | None, *, by: User) -> None:
    """The first receipt of a case starts its procedures; what institutions pass on afterwards does not start them anew."""
    if not Happening.objects.filter(case=case, kind=EventKind.RECEIVED, struck_at__isnull=True).exists():
        note(case, EventKind.RECEIVED, on=on, at=at, by=by, institution=referral.addressee, record=referral)


@transaction.atomic
def receive(referral: Referral, *, by: User, received_on: date | None = None) -> Referral:
    """The addressee has it and has not answered yet. Twice is once."""
    referral, case = held(referral)
    require(access.may_answer(by, referral))
    if referral.state == ReferralState.SENT and referral.received_on is not None:
        return referral
    _refuse_unless_waiting(referral, case)
    day = received_on or timezone.localdate()
    _refuse_day(referral, day, "received_on")
    referral.received_on = day
    referral.save(update_fields=["received_on"])
    _note_receipt(referral, _survivor(case), day, None, by=by)
    return referral


@transaction.atomic
def accept(
    referral: Referral,
    *,
    by: User,
    accepted_on: date,
    at: time | None = None,
    manager: User | None = None,
    answer_note: str = "",
) -> Referral:
    """Accept once: the addressee takes part in the case from now on, or is responsible for it with a named case manager.

    The same person pressing twice gets the same answer; anybody else is told that it was answered. Where the case was found
    to be another one entered twice, the acceptance holds for the one that goes on, and the addressee keeps its receipt.
    Without consent to the help the addressee sees no more of the case until consent is recorded.

    Raises PermissionDenied and Refused.
    """
    referral, own_case = held(referral)
    require(access.may_answer(by, referral))
    if referral.state == ReferralState.ACCEPTED and referral.answered_by_id == by.pk:
        return referral
    _refuse_unless_waiting(referral, own_case)
    case = _survivor(own_case)
    if case is not own_case:
        _refuse_unless_waiting(referral, case)
    _refuse_day(referral, accepted_on, "accepted_on")
    is_handover = takes_responsibility(referral)
    if is_handover:
        _refuse_handover(referral, case, manager)
    elif manager is not None and not queries.people_of(referral.addressee).filter(pk=manager.pk).exists():
        raise Refused(_("The case manager is somebody who reports for the institution that accepts."), "manager")
    referral.state = ReferralState.ACCEPTED
    received_on = _received_by(referral, accepted_on, by)
    referral.accepted_on = accepted_on
    referral.manager = manager
    _answered(referral, by, answer_note)
    _note_receipt(referral, case, received_on, None, by=by)
    note(case, EventKind.ACCEPTED, on=accepted_on, at=at, by=by, institution=referral.addressee, record=referral)
    if is_handover and referral.addressee is not None:
        hand_over(case, referral.addressee, manager, by=by, on=accepted_on)
    elif referral.addressee is not None and referral.country_id is None and shares_detail(referral.consent_state):
        join(case, referral.addressee, PartyRole.JOINT if referral.share == Share.JOINT else PartyRole.HELPS, by=by)
    notices.answered(referral)
    return referral


def takes_responsibility(referral: Referral) -> bool:
    """Whether who accepts becomes responsible. An institution where nobody has an account helps, and responsible stays
    whoever sent it: somebody there can be asked."""
    there = referral.addressee
    return referral.share == Share.HANDOVER and there is not None and queries.hands_over_to(there)


def _refuse_handover(referral: Referral, case: Case, manager: User | None) -> None:
    moved_at: datetime | None = (
        CaseParty.objects.filter(case=case, role=PartyRole.RESPONSIBLE, until__isnull=True)
        .values_list("since", flat=True)
        .first()
    )
    if case.responsible_id != referral.addressee_id and moved_at is not None and moved_at > referral.sent_at:
        raise Refused(
            _(
                "Another institution has become responsible since this was sent. Decline it, or ask the sender for a new referral."
            )
        )
    if manager is None:
        raise Refused(
            _("Name who manages the case with you: without a case manager the responsibility is not taken over."),
            "manager",
        )
    if not queries.people_of(referral.addressee).filter(pk=manager.pk).exists():
        raise Refused(_("The case manager is somebody who reports for the institution that accepts."), "manager")


def _answered(referral: Referral, by: User, answer_note: str) -> None:
    referral.answered_at, referral.answered_by, referral.answer_note = timezone.now(), by, answer_note
    referral.revision += 1
    referral.save()


@transaction.atomic
def decline(referral: Referral, *, by: User, declined_on: date, reason: str, answer_note: str = "") -> Referral:
    """Decline with a reason: the sender is told at once, and who could be asked next is proposed on its page.

    Raises PermissionDenied and Refused.
    """
    referral, case = held(referral)
    require(access.may_answer(by, referral))
    if referral.state == ReferralState.DECLINED and referral.answered_by_id == by.pk:
        return referral
    _refuse_unless_waiting(referral, case)
    _refuse_day(referral, declined_on, "declined_on")
    if reason not in DeclineReason.values:
        raise Refused(_("A referral is declined with a reason."), "reason")
    if reason == DeclineReason.OTHER and not answer_note:
        raise Refused(_("Say in a sentence which other reason."), "answer_note")
    referral.state = ReferralState.DECLINED
    _received_by(referral, declined_on, by)
    referral.declined_on, referral.decline_reason = declined_on, reason
    _answered(referral, by, answer_note)
    case = _survivor(case)
    if case.is_open:
        note(case, EventKind.DECLINED, on=declined_on, by=by, institution=referral.addressee, record=referral)
    notices.answered(referral)
    return referral


@transaction.atomic
def withdraw(referral: Referral, *, by: User, reason: str) -> Referral:
    """The sender takes it back while nobody has answered; the addressee is told. Twice is once.

    Raises PermissionDenied and Refused.
    """
    referral, case = held(referral)
    require(access.may_withdraw(by, referral))
    if referral.state == ReferralState.WITHDRAWN:
        return referral
    _refuse_unless_waiting(referral, case)
    if not reason.strip():
        raise Refused(_("Say why the referral is withdrawn."), "reason")
    referral.state, referral.withdrawn_reason = ReferralState.WITHDRAWN, reason
    _answered(referral, by, "")
    note(
        _survivor(case),
        EventKind.WITHDRAWN,
        on=timezone.localdate(),
        by=by,
        institution=referral.sender,
        record=referral,
    )
    notices.withdrawn(referral)
    return referral
