"""Two records of one referral, or two episodes of one person, become one in every count; undone, both are as before.

data_dictionary.md, section 3.4. A merge destroys nothing: whom a case was opened for stays in `own_person`, and whose case it
is counted as follows from the merges that hold. So any merge can be undone, also one in the middle of several.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import moment, restate
from nrm.actions.procedure import follow
from nrm.models import (
    Case,
    CaseDecision,
    CaseParty,
    EventKind,
    Happening,
    Merge,
    MergeKind,
    PartyRole,
    Referral,
    ReferralState,
)
from onatc.errors import Refused, require
from stakeholders.actions.records import save
from stakeholders.models import User

LOCK = 0x4F4E4D  # merges are rare: one at a time, so that no two rearrange the same persons


@transaction.atomic
def merge(case: Case, into: Case, kind: str, *, by: User, key: uuid.UUID, reason: str) -> Merge:
    """Merge `case` into `into`.

    A duplicate leaves every count; the survivor keeps the earliest dates, and the duplicate's institutions take part in
    it from now on. Two referrals of the same person both stay, as episodes of one person. A duplicate is not merged
    while a referral of it waits for its answer: the addressee would answer for a record that is none any more.

    Raises PermissionDenied and Refused.
    """
    require(access.may_merge(by))
    _one_at_a_time()
    if (existing := Merge.objects.filter(pk=key).first()) is not None:
        return existing
    if case.pk == into.pk:
        raise Refused(_("A case cannot be merged with itself."), "into")
    case, into = _both(case, into)
    for one in (case, into):
        if one.destroyed_on is not None:
            raise Refused(_("There is no such case marker."), "into")
    if case.duplicate_of_id is not None:
        raise Refused(_("This case is merged already."))
    if into.duplicate_of_id is not None:
        raise Refused(
            _("The other record was entered twice itself: merge into the one that it was merged into."), "into"
        )
    if kind == MergeKind.SAME_PERSON and case.person_id == into.person_id:
        raise Refused(_("These two are episodes of one person already."), "into")
    made = Merge(
        pk=key, case=case, into=into, kind=kind, reason=reason, person_before=case.person, person_after=into.person,
        recorded_by=by, recorded_for=None,
    )  # fmt: skip
    if kind == MergeKind.DUPLICATE:
        _refuse_duplicate(case, into)
        made.kept = _earliest(case, into) | {"parties": _bring_parties(case, into, by)}
        case.duplicate_of, case.next_due_at = into, None
        case.save(update_fields=["duplicate_of", "next_due_at"])
    moved = [] if case.person_id == into.person_id else list(Case.objects.filter(person=case.person_id).order_by("pk"))
    made.moved = [str(one.pk) for one in moved]
    save(made, is_new=True)
    _count_anew({case.person_id, into.person_id})
    for one in (case, into):
        _tell(one, EventKind.MERGED, by=by, record=made)
    return made


@transaction.atomic
def unmerge(made: Merge, *, by: User, reason: str) -> Merge:
    """Undo a merge: both cases are counted as before, with what was recorded in each meanwhile. Doing it twice changes
    nothing. Raises PermissionDenied and Refused."""
    require(access.may_merge(by))
    _one_at_a_time()
    made = Merge.objects.select_for_update(of=("self",)).get(pk=made.pk)
    if made.undone_at is not None:
        return made
    if not reason.strip():
        raise Refused(_("Say why the merge was wrong."), "reason")
    case, into = _both(made.case, made.into)
    persons = {case.person_id, into.person_id}
    made.undone_at, made.undone_by, made.undone_reason = timezone.now(), by, reason
    made.save(update_fields=["undone_at", "undone_by", "undone_reason"])
    if made.kind == MergeKind.DUPLICATE:
        case.duplicate_of = None
        case.save(update_fields=["duplicate_of"])
        _give_back(made, into)
    _count_anew(persons)
    for one in (case, into):
        _tell(one, EventKind.UNMERGED, by=by, record=made)
    return made


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _both(case: Case, into: Case) -> tuple[Case, Case]:
    """Both rows locked, in the order of their keys."""
    rows = {one.pk: one for one in _locked([case.pk, into.pk])}
    return rows[case.pk], rows[into.pk]


def _locked(keys: Iterable[uuid.UUID]) -> list[Case]:
    return list(Case.objects.select_for_update(of=("self",)).filter(pk__in=list(keys)).order_by("pk"))


def _refuse_duplicate(case: Case, into: Case) -> None:
    if Referral.objects.filter(case=case, state=ReferralState.SENT).exists():
        raise Refused(
            _(
                "A referral of this case still waits for its answer: it is accepted, declined or withdrawn before the merge."
            )
        )
    if Merge.objects.filter(into=case, undone_at__isnull=True, kind=MergeKind.DUPLICATE).exists():
        raise Refused(_("Another record was merged into this one: undo that first, or merge the other way round."))
    if CaseDecision.objects.filter(case=case).exists() and not CaseDecision.objects.filter(case=into).exists():
        raise Refused(
            _(
                "Decisions are recorded in this case and none in the other: merge the other way round, so that they still count."
            )
        )


# What the survivor takes over, and gives back


def _earliest(case: Case, into: Case) -> dict[str, Any]:
    """Put the earliest dates of both into the survivor; what stood there before."""
    kept: dict[str, Any] = {}
    if case.opened_on < into.opened_on:
        kept["opened_on"] = into.opened_on.isoformat()
        into.opened_on = case.opened_on
        into.save(update_fields=["opened_on"])
    first = {one: Referral.objects.filter(case=one, brings_in=True).order_by("referred_on", "pk").first() for one in (case, into)}  # fmt: skip
    theirs, ours = first[case], first[into]
    if theirs is not None and ours is not None and theirs.referred_on < ours.referred_on:
        kept["referral"] = [str(ours.pk), ours.referred_on.isoformat()]
        ours.referred_on = theirs.referred_on
        ours.save(update_fields=["referred_on"])
    kept["decisions"] = {}
    earlier: dict[tuple[int, str], date] = {}
    for one in CaseDecision.objects.filter(case=case):
        named = (one.stage, one.outcome)
        earlier[named] = min(one.decided_on, earlier.get(named, one.decided_on))
    for one in CaseDecision.objects.filter(case=into).order_by("decided_on", "recorded_at"):
        day = earlier.pop((one.stage, one.outcome), None)  # of several equal ones, the first keeps the earliest day
        if day is not None and day < one.decided_on:
            kept["decisions"][str(one.pk)] = one.decided_on.isoformat()
            one.decided_on = day
            one.save(update_fields=["decided_on"])
    if kept["decisions"]:
        restate(into)
    return kept


def _bring_parties(case: Case, into: Case, by: User) -> list[str]:
    """The duplicate's institutions take part in the survivor; the keys of the parties that were made."""
    there = set(CaseParty.objects.filter(case=into, until__isnull=True).values_list("institution", flat=True))
    made = []
    for party in CaseParty.objects.filter(case=case, until__isnull=True).order_by("since"):
        if party.institution_id not in there:
            there.add(party.institution_id)
            new = CaseParty.objects.create(
                case=into, institution_id=party.institution_id, role=PartyRole.JOINT, recorded_by=by
            )
            made.append(str(new.pk))
    return made


def _give_back(made: Merge, into: Case) -> None:
    kept = made.kept
    if day := kept.get("opened_on"):
        into.opened_on = date.fromisoformat(day)
        into.save(update_fields=["opened_on"])
    if found := kept.get("referral"):
        Referral.objects.filter(pk=found[0]).update(referred_on=date.fromisoformat(found[1]))
    for pk, day in kept.get("decisions", {}).items():
        CaseDecision.objects.filter(pk=pk).update(decided_on=date.fromisoformat(day))
    if kept.get("decisions"):
        restate(into)
    CaseParty.objects.filter(pk__in=kept.get("parties", []), until__isnull=True).update(until=timezone.now())


# Whose cases they are


def _count_anew(persons: set[uuid.UUID]) -> None:
    """Whose cases these are, from whom each was opened for and the merges that hold, in their order; and the number of
    each episode."""
    cases = _locked(Case.objects.filter(person__in=persons).values_list("pk", flat=True))
    whose = {one.own_person_id: one.own_person_id for one in cases}

    def counted_as(person: uuid.UUID) -> uuid.UUID:
        while whose[person] != person:
            person = whose[person]
        return person

    own = {one.pk: one.own_person_id for one in cases}
    holding = Merge.objects.filter(case__in=own, into__in=own, undone_at__isnull=True).order_by("recorded_at", "pk")
    for case_id, into_id in holding.values_list("case", "into"):
        whose[counted_as(own[case_id])] = counted_as(own[into_id])
    numbers: dict[uuid.UUID, int] = {}
    for one in sorted(cases, key=lambda case: (case.opened_on, case.recorded_at, case.pk)):
        person, episode = counted_as(one.own_person_id), one.episode
        if one.duplicate_of_id is None:
            episode = numbers[person] = numbers.get(person, 0) + 1
        if (one.person_id, one.episode) != (person, episode):
            one.person_id, one.episode = person, episode
            one.save(update_fields=["person", "episode"])


def _tell(case: Case, kind: EventKind, *, by: User, record: Merge) -> None:
    """Also in a closed case, in which nothing else happens any more."""
    today = timezone.localdate()
    Happening.objects.create(
        case=case,
        kind=kind,
        happened_at=moment(today),
        recorded_by=by,
        record=record.pk,
        note=record.get_kind_display(),
    )
    case.refresh_from_db()
    if case.is_open:
        follow(case, by=by)
