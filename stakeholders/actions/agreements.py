"""The life of an agreement: prepared, signed, in force, reviewed, renewed, ended; its wordings, annexes and obligations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from onatc.dated_settings import due_day
from onatc.errors import Refused, require
from onatc.ids import new_id
from stakeholders import access
from stakeholders.actions.records import (
    Stale,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.lapse import next_due
from stakeholders.models import (
    Agreement,
    AgreementFile,
    AgreementKind,
    AgreementParty,
    AgreementStanding,
    AgreementVersion,
    Contact,
    Institution,
    Obligation,
    ObligationMet,
    User,
)

# What was agreed: once it is signed, other words in it are a new wording.
TERMS = {"subject", "data_shared", "data_basis", "data_protection"}


@dataclass(frozen=True)
class Party:
    """An institution that is to be bound."""

    institution: Institution
    signed_as: str = ""
    focal_person: Contact | None = None


def _refuse_over(agreement: Agreement) -> None:
    if agreement.standing in (AgreementStanding.EXPIRED, AgreementStanding.ENDED):
        raise Refused(_("It is over: what it says does not change any more."))


def _refuse_changed(agreement: Agreement, revision: int) -> None:
    if agreement.revision != revision:
        raise Refused(_("The agreement was changed since you opened it. Read it again."))


# Preparing


@transaction.atomic
def prepare(
    key: uuid.UUID, values: dict[str, Any], parties: Iterable[Party], *, by: User, renews: Agreement | None = None
) -> Agreement:
    """A new agreement, not signed yet; a form sent twice prepares one. At most one renewal of an agreement is on its way."""
    require(access.may_keep_agreements(by))
    parties = _checked(parties)
    if renews is not None:
        renews = locked(renews)
        if renews.signed_on is None:
            raise Refused(_("An agreement that was not signed yet needs no renewal: change it instead."))
        if renews.renewed_by.exclude(pk=key).filter(ended_on__isnull=True).exists():
            raise Refused(_("A renewal of this agreement is there already."))
    agreement, is_new = make_once(Agreement(**values, renews=renews), key, maker="responsible")
    if is_new:
        for party in parties:
            refuse_dissolved(party.institution, timezone.localdate())
        _put(agreement, parties)
    return agreement  # type: ignore[no-any-return]


def _checked(parties: Iterable[Party]) -> list[Party]:
    found = list(parties)
    if not found:
        raise Refused(_("Name at least one party."))
    if len({one.institution.pk for one in found}) < len(found):
        raise Refused(_("An institution is a party once."))
    return found


def _put(agreement: Agreement, parties: list[Party]) -> None:
    """The parties as they are to be; rows that stay keep their history."""
    there = {one.institution_id: one for one in agreement.parties.all()}
    for wanted in parties:
        row = there.pop(wanted.institution.pk, None) or AgreementParty(
            agreement=agreement, institution=wanted.institution
        )
        is_new = row._state.adding
        if is_new or (row.signed_as, row.focal_person) != (wanted.signed_as, wanted.focal_person):
            row.signed_as, row.focal_person = wanted.signed_as, wanted.focal_person
            save(row, is_new=is_new)
    for gone in there.values():
        if agreement.obligations.filter(institution=gone.institution).exists():
            raise Refused(
                _("%(institution)s owes something under this agreement and stays a party.")
                % {"institution": gone.institution}
            )
        gone.delete()


@transaction.atomic
def change(
    agreement: Agreement, values: dict[str, Any], parties: Iterable[Party], *, by: User, revision: int, note: str = ""
) -> Agreement:
    """What it says and who is bound by it. Raises Stale when a colleague changed one of them meanwhile. Once it is signed,
    other terms or parties are a new wording, of which `note` says what changed; what is over does not change."""
    agreement = locked(agreement)
    require(access.may_keep_agreements(by))
    _refuse_over(agreement)
    parties = _checked(parties)
    if agreement.signed_on is not None and len(parties) < 2:
        raise Refused(_("An agreement has two parties at least."))
    before = agreement.revision
    rows = list(agreement.parties.select_related("institution"))
    stands = {(one.institution_id, one.signed_as, one.focal_person_id) for one in rows}
    wanted = {(one.institution.pk, one.signed_as, one.focal_person.pk if one.focal_person else None) for one in parties}
    others = [(_("parties"), ", ".join(str(one.institution) for one in rows))] if stands != wanted else []
    try:
        changed = set_fields(agreement, values, revision)
    except Stale as stale:
        raise Stale(agreement, stale.changed + others) from stale
    if others:
        if before != revision:
            raise Stale(agreement, others)
        known = {one.institution_id for one in rows}
        for party in parties:
            if party.institution.pk not in known:
                refuse_dissolved(party.institution, timezone.localdate())
        _put(agreement, parties)
        if not changed:
            agreement.revision += 1
    is_reworded = bool(set(changed) & TERMS) or {one.institution_id for one in rows} != {
        one.institution.pk for one in parties
    }
    if agreement.signed_on is not None and is_reworded:
        if not note:
            raise Refused(_("It is signed: say what changed and why; it becomes a new wording."), "note")
        _new_version(new_id(), agreement, by=by, on=timezone.localdate(), note=note, files=())
    return save(agreement)


@transaction.atomic
def remove(agreement: Agreement, *, by: User, revision: int) -> None:
    """What never came to be signed goes; the history keeps it. Gone already is the same as going."""
    found = Agreement.objects.select_for_update().filter(pk=agreement.pk).first()
    require(access.may_keep_agreements(by))
    if found is None:
        return
    if found.signed_on is not None:
        raise Refused(_("A signed agreement stays on record: end it instead."))
    _refuse_changed(found, revision)
    found.files.all().delete()
    found.versions.all().delete()
    found.delete()


# Signing, force, review, end


@transaction.atomic
def sign(
    agreement: Agreement,
    *,
    by: User,
    revision: int,
    signed_on: date,
    in_force_on: date | None,
    expires_on: date | None,
    review_on: date | None,
    files: Iterable[UploadedFile] = (),
) -> Agreement:
    """It was signed, with the text as signed. The same again changes nothing; of two who record it one is told."""
    agreement = locked(agreement)
    require(access.may_conclude_agreement(by))
    dates = {"signed_on": signed_on, "in_force_on": in_force_on, "expires_on": expires_on, "review_on": review_on}
    if agreement.signed_on is not None:
        if all(getattr(agreement, name) == day for name, day in dates.items()):
            return agreement
        raise Refused(_("That it was signed is on record already."))
    _refuse_changed(agreement, revision)
    refuse_future(signed_on)
    _refuse_late_review(review_on, expires_on)
    if agreement.parties.count() < 2:
        raise Refused(_("An agreement has two parties at least. Name them first."))
    if agreement.kind == AgreementKind.DATA_SHARING and not (agreement.data_shared and agreement.data_basis):
        raise Refused(_("An agreement on sharing data says which data and on what legal basis."))
    set_fields(agreement, dates, revision)
    save(agreement)
    files = list(files)
    if files:
        _new_version(new_id(), agreement, by=by, on=signed_on, note=_("as signed"), files=files)
    return agreement


@transaction.atomic
def set_dates(
    agreement: Agreement,
    *,
    by: User,
    revision: int,
    in_force_on: date | None,
    expires_on: date | None,
    review_on: date | None,
) -> Agreement:
    """Put a signed agreement in force, or move its last day or its review; notices follow the new days."""
    agreement = locked(agreement)
    require(access.may_keep_agreements(by))
    _refuse_unless_running(agreement)
    _refuse_late_review(review_on, expires_on)
    set_fields(agreement, {"in_force_on": in_force_on, "expires_on": expires_on, "review_on": review_on}, revision)
    return save(agreement)


def _refuse_late_review(review_on: date | None, expires_on: date | None) -> None:
    if review_on is not None and expires_on is not None and review_on > expires_on:
        raise Refused(_("The review must not lie after the agreement's last day."), "review_on")


def _refuse_unless_running(agreement: Agreement) -> None:
    if agreement.signed_on is None:
        raise Refused(_("It was not signed yet."))
    if agreement.ended_on is not None:
        raise Refused(_("It was ended already."))


@transaction.atomic
def review_done(agreement: Agreement, *, by: User, revision: int, review_on: date | None) -> Agreement:
    """It was reviewed; the next review is on another day, or there is none. The same again changes nothing."""
    agreement = locked(agreement)
    require(access.may_keep_agreements(by))
    _refuse_unless_running(agreement)
    if agreement.review_on == review_on:
        return agreement
    if review_on is not None and review_on <= timezone.localdate():
        raise Refused(_("The next review is on a day to come."), "review_on")
    _refuse_late_review(review_on, agreement.expires_on)
    set_fields(agreement, {"review_on": review_on}, revision)
    return save(agreement)


@transaction.atomic
def end(agreement: Agreement, *, by: User, revision: int, ended_on: date, reason: str) -> Agreement:
    """It ends on a day, from which it holds no more, for a reason. The same again changes nothing."""
    agreement = locked(agreement)
    require(access.may_conclude_agreement(by))
    if (agreement.ended_on, agreement.end_reason) == (ended_on, reason):
        return agreement
    _refuse_unless_running(agreement)
    _refuse_changed(agreement, revision)
    if agreement.standing == AgreementStanding.EXPIRED:
        raise Refused(_("Its last day is over: it ended by itself."))
    set_fields(agreement, {"ended_on": ended_on, "end_reason": reason}, revision)
    return save(agreement)


# Wordings and files


@transaction.atomic
def add_version(
    key: uuid.UUID, agreement: Agreement, *, by: User, on: date, note: str, files: Iterable[UploadedFile]
) -> Agreement:
    """A new wording; a form sent twice adds one."""
    agreement = locked(agreement)
    require(access.may_keep_agreements(by))
    refuse_future(on)
    if agreement.last_day is not None and on > agreement.last_day:
        raise Refused(_("It is over: what it says does not change any more."), "on")
    if not AgreementVersion.objects.filter(pk=key).exists():
        _new_version(key, agreement, by=by, on=on, note=note, files=files)
    return agreement


def _new_version(
    key: uuid.UUID, agreement: Agreement, *, by: User, on: date, note: str, files: Iterable[UploadedFile]
) -> None:
    number = (agreement.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = AgreementVersion.objects.create(id=key, agreement=agreement, number=number, on=on, note=note, by=by)
    for file in files:
        AgreementFile.keep(file, by=by, agreement=agreement, version=version)


@transaction.atomic
def add_annex(
    key: uuid.UUID, agreement: Agreement, *, by: User, title: str, files: Iterable[UploadedFile]
) -> Agreement:
    """Annexes; a form sent twice adds them once: the first of them bears the form's key."""
    agreement = locked(agreement)
    require(access.may_keep_agreements(by))
    if not AgreementFile.objects.filter(pk=key).exists():
        for number, file in enumerate(files):
            own = {"id": key} if number == 0 else {}
            AgreementFile.keep(file, by=by, agreement=agreement, is_annex=True, title=title, **own)
    return agreement


@transaction.atomic
def remove_file(file: AgreementFile, *, by: User) -> Agreement:
    """Before it is signed anything; afterwards an annex that was added by mistake, never a wording."""
    agreement = locked(file.agreement)
    require(access.may_keep_agreements(by))
    if agreement.signed_on is not None and not file.is_annex:
        raise Refused(_("The text of a signed agreement stays. Add a new wording instead."))
    AgreementFile.objects.filter(pk=file.pk).delete()
    return agreement


# Obligations


def _refuse_stranger(agreement: Agreement, institution: Institution) -> None:
    if not agreement.parties.filter(institution=institution).exists():
        raise Refused(_("Only a party of the agreement owes something under it."))


def _next_due_day(first: date, every_months: int, after: date) -> date | None:
    """The rhythm counts from the first day as it was given; each of its days then moves as due days do. `after` was moved
    too: the day of the rhythm that moves back to it is over."""
    day = next_due(first, every_months, after)
    while day is not None and due_day(day) <= after:
        day = next_due(first, every_months, day)
    return None if day is None else due_day(day)


@transaction.atomic
def add_obligation(key: uuid.UUID, agreement: Agreement, values: dict[str, Any], *, by: User) -> Obligation:
    """What a party owes; a form sent twice adds it once."""
    agreement = locked(agreement)
    require(access.may_keep_agreements(by))
    _refuse_stranger(agreement, values["institution"])
    first = values.get("first_due_on")
    made = Obligation(**values, agreement=agreement, due_on=due_day(first) if first else None)
    obligation, _is_new = make_once(made, key, maker="agreement")
    return obligation  # type: ignore[no-any-return]


@transaction.atomic
def change_obligation(obligation: Obligation, values: dict[str, Any], *, by: User, revision: int) -> Obligation:
    """The next day follows from the first one and from what was met already."""
    obligation = locked(obligation)
    require(access.may_keep_agreements(by))
    if obligation.ended_on is not None:
        raise Refused(_("It was met for good and does not change any more."))
    _refuse_stranger(obligation.agreement, values["institution"])
    if set_fields(obligation, values, revision) & {"first_due_on", "every_months"}:
        last = obligation.met.aggregate(last=Max("due_on"))["last"]
        first, every = obligation.first_due_on, obligation.every_months
        if first and every and last:
            obligation.due_on = _next_due_day(first, every, last)
        else:
            obligation.due_on = due_day(first) if first else None
    return save(obligation)


@transaction.atomic
def meet(obligation: Obligation, *, by: User, due_on: date | None, met_on: date, note: str = "") -> Obligation:
    """It was met for the day on which it was due; what returns is then due on its next day. Recorded once for each day:
    the same person again changes nothing, another one is told."""
    obligation = locked(obligation)
    require(access.may_meet_obligation(by, obligation))
    known = obligation.met.filter(due_on=due_on).select_related("by").first() if due_on else obligation.met.first()
    if known is not None:
        if known.by_id == by.pk:
            return obligation
        raise Refused(_("This is recorded as met already, by %(person)s.") % {"person": known.by})
    if obligation.ended_on is not None or obligation.due_on != due_on:
        raise Refused(_("The obligation was changed since you opened it. Look at it again."))
    if obligation.agreement.signed_on is None:
        raise Refused(_("The agreement was not signed yet: nothing is owed under it."))
    refuse_future(met_on)
    ObligationMet.objects.create(obligation=obligation, due_on=due_on, met_on=met_on, note=note, by=by)
    following = None
    if obligation.every_months and obligation.first_due_on and due_on:
        following = _next_due_day(obligation.first_due_on, obligation.every_months, due_on)
    if following is None:
        obligation.ended_on = met_on
    else:
        obligation.due_on = following
    obligation.revision += 1
    return save(obligation)
