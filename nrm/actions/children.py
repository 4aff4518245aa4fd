"""Children: an age in doubt, guardians, the child protection unit, the best interest, and coming of age."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note, refuse_impossible
from nrm.actions.identification import made_before, recording_for
from nrm.ages import age_group_of, comes_of_age_between, is_age
from nrm.deciding import groups_on
from nrm.models import (
    AgeCheck,
    AgeFinding,
    BestInterest,
    Case,
    CaseParty,
    EventKind,
    Guardianship,
    Happening,
    PartyRole,
    Track,
)
from nrm.queries import identification as queries
from nrm.queries.children import turned_adult
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save
from stakeholders.models import Institution, User

# Within so many days of the referral the age that a check found is the age at the referral too: it is an estimate.
SAME_AGE_DAYS = 31


def treat_as_child(case: Case, *, on: date, by: User | None, institution: Institution | None) -> None:
    """From a doubt about the age on a locked case is a child's, and counted as of unknown age, until the age is checked."""
    if case.track == Track.UNKNOWN:
        return
    if turned_adult(case) is not None:
        raise Refused(_("The person came of age during the procedure: there is no doubt about the age."), "kind")
    was_child = case.is_child_procedure
    case.track, case.is_child_procedure, case.age_group_at_referral = Track.UNKNOWN, True, "AGE_U"
    if case.age_at_referral is not None:
        case.age_at_referral = None
        case.missing = case.missing | {"age_at_referral": "NA_UNKNOWN"}
    case.save(update_fields=["track", "is_child_procedure", "age_group_at_referral", "age_at_referral", "missing"])
    if not was_child:
        note(case, EventKind.CHILD, on=on, by=by, institution=institution)


@transaction.atomic
def check_age(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    checked_on: date,
    finding: str,
    age: int | None = None,
    checked_by: Institution,
    institution: Institution | None = None,
) -> tuple[AgeCheck, bool]:
    """Add what a check of the age found, and let the procedure follow: a child's from then on, an adult's from then on, or
    as before when the doubt remains. Raises PermissionDenied and Refused."""
    case = locked(case)
    if by is not None:
        require(access.may_check_age(by, case))
    if (existing := made_before(AgeCheck(), key, case, by)) is not None:
        return existing, False
    refuse_impossible(case, checked_on, "checked_on")
    refuse_dissolved(checked_by, checked_on, "checked_by")
    if by is not None and checked_by not in queries.with_function(case, access.CHECKS_AGE, checked_on):
        raise Refused(_("This institution does not check ages."), "checked_by")
    if age is not None and (not is_age(age) or finding == AgeFinding.DOUBT or age_group_of(age) != finding):
        raise Refused(_("The age and the finding do not agree."), "age")
    if turned_adult(case) is not None:
        raise Refused(_("The person came of age during the procedure and keeps the protection of a child."), "finding")
    later = AgeCheck.objects.filter(case=case, checked_on__gt=checked_on).exists()
    own = recording_for(by, case, institution)
    check, is_new = make_once(
        AgeCheck(
            case=case, checked_on=checked_on, finding=finding, age=age, institution=checked_by, recorded_by=by,
            recorded_for=own,
        ),
        key,
        maker="recorded_by",
    )  # fmt: skip
    if not is_new:
        return check, False
    became_child = False
    if not later:  # what an older check found is kept, and changes nothing any more
        became_child = finding != AgeFinding.ADULT and not case.is_child_procedure
        take_over(case, check)
    note(case, EventKind.AGE_CHECKED, on=checked_on, by=by, institution=own, record=check)
    if became_child:
        note(case, EventKind.CHILD, on=checked_on, by=by, institution=own, record=check)
    return check, True


def take_over(case: Case, check: AgeCheck) -> None:
    """Let track, procedure and age of a locked case follow from the latest check. Raises Refused."""
    case.track = Track(check.finding)
    case.is_child_procedure = check.finding != AgeFinding.ADULT
    case.age_at_referral = None
    case.age_group_at_referral = check.finding
    if check.age is not None:
        if abs((check.checked_on - case.opened_on).days) <= SAME_AGE_DAYS:
            case.age_at_referral = check.age
        possible = groups_on(check.age, check.checked_on, case.opened_on)
        if len(possible) == 1:  # an adult of today may have been a child when referred, long ago
            case.age_group_at_referral = possible.pop()
        if case.age_at_referral is not None:
            case.age_group_at_referral = age_group_of(case.age_at_referral)
    if case.age_at_exploitation is not None and check.age is not None and case.age_at_exploitation > check.age:
        raise Refused(_("By this age the person was younger than when the acts are said to have begun."), "age")
    missing = dict(case.missing)
    if case.age_at_referral is None:
        missing["age_at_referral"] = "NA_UNKNOWN"
    else:
        missing.pop("age_at_referral", None)
    case.missing = missing
    case.save(update_fields=["track", "is_child_procedure", "age_at_referral", "age_group_at_referral", "missing"])


@transaction.atomic
def come_of_age(
    case: Case, *, by: User, key: uuid.UUID, on: date, institution: Institution | None = None
) -> tuple[Happening, bool]:
    """Record the day on which a child turned 18. No birth date is held, so nobody but those who work with the person knows
    it: it is recorded by hand, and must agree with the age at the referral. The procedure stays that of a child, with the
    protection that the SOP gives. Raises PermissionDenied and Refused."""
    case = locked(case)
    require(access.may_record(by, case))
    if (existing := made_before(Happening(), key, case, by)) is not None:
        return existing, False
    if not case.is_child_procedure:
        raise Refused(_("This is not the procedure of a child."))
    if case.track == Track.UNKNOWN:
        raise Refused(_("The age is in doubt: record what a check found instead."))
    if turned_adult(case) is not None:
        raise Refused(_("It is recorded already that the person came of age."))
    refuse_impossible(case, on, "on")
    if on <= case.opened_on:
        raise Refused(_("A child at the referral comes of age after it."), "on")
    if case.age_at_referral is not None:
        # A day to both sides: whoever was born on 29 February turns 18 on 28 February or on 1 March, as one counts.
        possible, margin = comes_of_age_between(case.age_at_referral, case.opened_on), timedelta(days=1)
        if possible is None or not possible[0] - margin <= on <= possible[1] + margin:
            raise Refused(_("By the age at the referral the person does not turn 18 on that day."), "on")
    own = recording_for(by, case, institution)
    return note(case, EventKind.TURNED_ADULT, on=on, by=by, institution=own, key=key), True


@transaction.atomic
def name_guardian(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    kind: str,
    appointed_by: Institution,
    starts_on: date,
    institution: Institution | None = None,
) -> tuple[Guardianship, bool]:
    """Record that a child has a guardian from a day on. The Centre for Social Work that named the guardian takes part in the
    case from then on. Raises PermissionDenied and Refused."""
    case = locked(case)
    if by is not None:
        require(access.may_care_for_child(by, case))
    if (existing := made_before(Guardianship(), key, case, by)) is not None:
        return existing, False
    _refuse_unfit(case, appointed_by, starts_on, "appointed_by", "starts_on", is_recorded=by is not None)
    overlapping = Guardianship.objects.filter(case=case, ends_on__gt=starts_on)
    if overlapping.exists():
        raise Refused(_("The child has another guardian on that day."), "starts_on")
    own = recording_for(by, case, institution)
    guardianship, is_new = make_once(
        Guardianship(
            case=case, kind=kind, appointed_by=appointed_by, starts_on=starts_on, recorded_by=by, recorded_for=own
        ),
        key,
        maker="recorded_by",
    )
    if is_new:
        _takes_part(case, appointed_by, by=by, institution=own)
        note(case, EventKind.GUARDIAN_NAMED, on=starts_on, by=by, institution=own, record=guardianship)
    return guardianship, is_new


@transaction.atomic
def end_guardianship(guardianship: Guardianship, *, by: User, ends_on: date) -> Guardianship:
    """Raises PermissionDenied and Refused."""
    case = locked(guardianship.case)
    require(access.may_care_for_child(by, case))
    guardianship = locked(guardianship)
    if guardianship.ends_on == ends_on:
        return guardianship
    if guardianship.ends_on is not None:
        raise Refused(_("A colleague recorded another day meanwhile."), "ends_on")
    refuse_future(ends_on, "ends_on")
    if ends_on < guardianship.starts_on:
        raise Refused(_("The end must not lie before the start."), "ends_on")
    guardianship.ends_on = ends_on
    return save(guardianship)


@transaction.atomic
def name_child_unit(case: Case, *, by: User, unit: Institution) -> CaseParty:
    """Let the child protection unit of the municipality take part in a child's case at once, without waiting for an answer:
    it sees the case and records in it. The responsibility is handed over by a referral. Raises PermissionDenied and
    Refused."""
    case = locked(case)
    require(access.may_record(by, case))
    if not case.is_child_procedure:
        raise Refused(_("This is not the procedure of a child."))
    if unit not in queries.with_function(case, access.CARES_FOR_CHILD):
        raise Refused(_("This institution has no child protection unit for the municipality of the case."), "unit")
    return _takes_part(case, unit, by=by, institution=recording_for(by, case, None) if _has_one(by, case) else None)


def _has_one(by: User, case: Case) -> bool:
    return access.takes_part(by, case) and len(list(queries.records_for(by, case))) == 1


def _takes_part(case: Case, unit: Institution, *, by: User | None, institution: Institution | None) -> CaseParty:
    there = CaseParty.objects.filter(case=case, institution=unit, until__isnull=True).first()
    return there or CaseParty.objects.create(
        case=case,
        institution=unit,
        role=PartyRole.JOINT,
        since=timezone.now(),
        recorded_by=by,
        recorded_for=institution,
    )


@transaction.atomic
def determine_best_interest(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    determined_on: date,
    finding: str,
    determined_by: Institution,
    child_was_heard: bool = True,
    review_on: date | None = None,
    institution: Institution | None = None,
) -> tuple[BestInterest, bool]:
    """Add a determination of what is best for the child. Raises PermissionDenied and Refused."""
    case = locked(case)
    if by is not None:
        require(access.may_care_for_child(by, case))
    if (existing := made_before(BestInterest(), key, case, by)) is not None:
        return existing, False
    _refuse_unfit(case, determined_by, determined_on, "determined_by", "determined_on", is_recorded=by is not None)
    if review_on is not None and review_on <= determined_on:
        raise Refused(_("The next review lies after the determination."), "review_on")
    own = recording_for(by, case, institution)
    found, is_new = make_once(
        BestInterest(
            case=case, determined_on=determined_on, finding=finding, institution=determined_by,
            child_was_heard=child_was_heard, review_on=review_on, recorded_by=by, recorded_for=own,
        ),
        key,
        maker="recorded_by",
    )  # fmt: skip
    if is_new:
        note(case, EventKind.BEST_INTEREST, on=determined_on, by=by, institution=own, record=found)
    return found, is_new


def _refuse_unfit(
    case: Case, body: Institution, on: date, body_field: str, day_field: str, *, is_recorded: bool
) -> None:
    """What a Centre for Social Work does for a child, on a day of the child's procedure."""
    if not case.is_child_procedure:
        raise Refused(_("This is not the procedure of a child."))
    refuse_impossible(case, on, day_field)
    refuse_dissolved(body, on, body_field)
    if is_recorded and body not in queries.with_function(case, access.CARES_FOR_CHILD, on):
        raise Refused(_("The Centre for Social Work does this for a child."), body_field)
