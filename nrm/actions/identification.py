"""Decisions on identification by the competent body, screening by indicators, and plain steps of a case."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, time
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm import access, deciding, screening
from nrm.actions.happenings import note, refuse_impossible, restate, strike_out
from nrm.actions.procedure import follow
from nrm.deciding import FORMAL
from nrm.models import (
    PLAIN_STEPS,
    REVIEWS,
    Case,
    CaseDecision,
    CaseParty,
    EventKind,
    Function,
    Happening,
    Outcome,
    Referral,
    Screening,
    Track,
)
from nrm.queries import identification as queries
from nrm.standing import Decided
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save
from stakeholders.models import Institution, User

# What each outcome is on the way of the case. "Not enough information" is none: it leaves the procedure where it is, so that
# the clock of the decision runs on.
TELLS = {
    Outcome.D1_POS: EventKind.PRESUMED,
    Outcome.D1_NEG: EventKind.NOT_PRESUMED,
    Outcome.D2_POS: EventKind.IDENTIFIED,
    Outcome.D2_NEG: EventKind.NOT_VICTIM,
    Outcome.SUSPENDED: EventKind.SUSPENDED,
    Outcome.DISCONTINUED: EventKind.DISCONTINUED,
    Outcome.DECLINED: EventKind.WITHDREW,
    Outcome.RECON_POS: EventKind.REVIEWED,
    Outcome.RECON_NEG: EventKind.REVIEWED,
}
# A review tells what the person is found to be from then on as well: by it clocks fall away, as by the decision itself.
FINDS = {Outcome.RECON_POS: EventKind.IDENTIFIED, Outcome.RECON_NEG: EventKind.NOT_VICTIM}
COURT = "DM_COURT"


def recording_for(user: User | None, case: Case, institution: Institution | None) -> Institution | None:
    """For which institution a fact is recorded: the one named, else the only one of the user's own that takes part.

    Raises Refused when the one named is not theirs, or when several are and none is named.
    """
    if user is None:
        return institution
    possible = list(queries.records_for(user, case))
    if institution is not None:
        if institution not in possible:
            raise Refused(_("This institution does not take part in the case."), "institution")
        return institution
    if access.takes_part(user, case):
        if len(possible) > 1:
            raise Refused(_("Say for which institution you record this."), "institution")
        return possible[0]
    return None


def made_before(record: Any, key: uuid.UUID, case: Case, by: User | None) -> Any:
    """What the same form made already; None when it is new. Raises Refused for the key of another record."""
    existing = type(record).objects.filter(pk=key).first()
    if existing is not None and (existing.case_id != case.pk or existing.recorded_by_id != (by.pk if by else None)):
        raise Refused(_("This form was used already. Open it anew."))
    return existing


# Decisions


@transaction.atomic
def decide(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    stage: int,
    outcome: str,
    decided_on: date,
    decision_maker: str,
    institution: Institution | None,
    age_group_at_decision: str = "",
    reason: str = "",
    review_of: CaseDecision | None = None,
    is_without_referral: bool = False,
    informed_on: date | None = None,
    seen: int | None = None,
) -> tuple[CaseDecision, bool]:
    """Add a decision of the competent body `institution`, and let the status follow; whether it is new.

    `seen` is how many decisions there were when the form was made: whoever decides on what a colleague changed meanwhile is
    told. A decision before the referral is one of somebody identified without referral: it then counts as referred on the
    day of the decision. Of a closed case a review decides, or a court: the person's status and every count follow, whereas
    nothing is owed any more.

    Raises PermissionDenied and Refused.
    """
    case = locked(case)
    if by is not None:
        require(access.may_decide(by, case))
    if (existing := made_before(CaseDecision(), key, case, by)) is not None:
        return existing, False
    goes_on = case.closed_on is not None and (outcome in REVIEWS or (decision_maker == COURT and outcome in FORMAL))
    if case.closed_on is not None and not goes_on:
        raise Refused(_("This case is closed: only a review, or a court's formal decision, is added to it."), "outcome")
    found = queries.decisions_of(case)
    if seen is not None and seen != len(found):
        raise Refused(_("A colleague recorded a decision meanwhile: look at it before you decide."))
    if by is not None and (institution is None or institution not in queries.deciding_bodies(by, case)):
        raise Refused(_("This institution does not decide on identification in this case."), "institution")
    stage = deciding.stage_of(outcome, stage)
    refuse_future(decided_on, "decided_on")
    refuse_dissolved(institution, decided_on, "institution")
    _refuse_maker(decision_maker, stage, institution, case, is_recorded=by is not None)
    if informed_on is not None:
        refuse_future(informed_on, "informed_on")
    if outcome in (Outcome.DISCONTINUED, Outcome.SUSPENDED, *REVIEWS) and not reason.strip():
        raise Refused(_("Say why."), "reason")
    if is_without_referral or decided_on < case.opened_on:
        _without_referral(case, decided_on, outcome, is_without_referral, found)
    refuse_impossible(case, decided_on, "decided_on", goes_on=goes_on)
    group = _age_group(case, decided_on, age_group_at_decision)
    as_decided = queries.decided(found)
    reviewed = next((one for one, row in zip(as_decided, found, strict=True) if review_of == row), None)
    if review_of is not None and reviewed is None:
        raise Refused(_("A review names the formal decision that it changes."), "review_of")
    new = Decided(decided_on, len(found), outcome, stage)
    if (why := deciding.problem(as_decided, new, reviewed)) is not None:
        raise Refused(why, "review_of" if outcome in REVIEWS else "outcome")
    own = recording_for(by, case, institution if _takes_part(case, institution) else None) if by else institution
    decision = CaseDecision(
        case=case, stage=stage, outcome=outcome, decided_on=decided_on, decision_maker=decision_maker,
        institution=institution, age_group_at_decision=group, review_of=review_of, reason=reason,
        is_without_referral=is_without_referral, informed_on=informed_on, recorded_by=by, recorded_for=own,
    )  # fmt: skip
    decision, is_new = make_once(decision, key, maker="recorded_by")
    if is_new:
        if is_without_referral:
            _date_the_referral(case, decided_on, by=by, institution=own)
        restate(case)
        for told in (TELLS, FINDS):
            if outcome in told:
                kind = told[Outcome(outcome)]
                note(case, kind, on=decided_on, by=by, institution=own, record=decision, goes_on=goes_on)
    return decision, is_new


def _takes_part(case: Case, institution: Institution | None) -> bool:
    return CaseParty.objects.filter(case=case, institution=institution, until__isnull=True).exists()


def _refuse_maker(maker: str, stage: int, institution: Institution | None, case: Case, *, is_recorded: bool) -> None:
    """A court recognises by its judgment, which is a formal decision; nobody else does so in its name."""
    if maker == COURT and stage != 2:
        raise Refused(_("A court's recognition is a formal decision."), "decision_maker")
    if not is_recorded or institution is None:
        return
    is_court = institution in queries.with_function(case, (Function.COURT,))
    if is_court != (maker == COURT):
        raise Refused(_("The kind of body and the institution do not belong together."), "decision_maker")


def _without_referral(
    case: Case, decided_on: date, outcome: str, is_without_referral: bool, found: list[CaseDecision]
) -> None:
    """Refuse what section 2 does: a decision before the referral, unless the person was identified without one."""
    if not is_without_referral:
        raise Refused(
            _("The person was referred on %(day)s. A decision before that day is one without referral: mark it so.")
            % {"day": date_format(case.opened_on, "DATE_FORMAT")},
            "decided_on",
        )
    if decided_on > case.opened_on:
        raise Refused(
            _("The person was referred before that day, on %(day)s.")
            % {"day": date_format(case.opened_on, "DATE_FORMAT")},
            "is_without_referral",
        )
    if outcome not in deciding.POSITIVE or outcome in REVIEWS or found:
        raise Refused(
            _("Only the first decision, and a positive one, can come without a referral."), "is_without_referral"
        )


def _date_the_referral(case: Case, day: date, *, by: User | None, institution: Institution | None) -> None:
    """Somebody identified without referral counts as referred on the day of the decision."""
    if case.opened_on == day:
        return
    case.opened_on = day
    case.save(update_fields=["opened_on"])
    Referral.objects.filter(case=case, brings_in=True).update(referred_on=day)
    why = _("identified without referral: referred on the day of the decision")
    struck = Happening.objects.filter(case=case, kind=EventKind.REFERRED, struck_at__isnull=True)
    for one in struck:
        strike_out(one, by=by, why=why)
    record = struck[0].record if struck else None
    note(case, EventKind.REFERRED, on=day, by=by, institution=institution, record=record)


def possible_age_groups(case: Case, day: date) -> set[str]:
    """Adult, child or unknown: what the person can be on a day by what the case says of the age. An age in doubt stays
    unknown until it is checked; a child whose years are not known may have come of age meanwhile."""
    if case.track == Track.UNKNOWN:
        return {"AGE_U"}
    if case.age_at_referral is not None:
        return deciding.groups_on(case.age_at_referral, case.opened_on, day)
    return {"ADULT"} if case.age_group_at_referral == "ADULT" else {"CHILD", "ADULT"}


def _age_group(case: Case, day: date, stated: str) -> str:
    possible = possible_age_groups(case, day)
    if not stated:
        usual = "CHILD" if case.is_child_procedure else "ADULT"
        return usual if usual in possible else next(iter(possible), "AGE_U")
    if stated not in possible:
        raise Refused(
            _("By the age that the case has, this is not possible on that day. An age in doubt is checked first."),
            "age_group_at_decision",
        )
    return stated


@transaction.atomic
def inform(decision: CaseDecision, *, by: User, informed_on: date) -> CaseDecision:
    """Record the day on which the person was told, also after the case was closed. Raises PermissionDenied and Refused."""
    case = locked(decision.case)
    require(access.may_go_on(by, case))
    decision = locked(decision)
    if decision.informed_on == informed_on:
        return decision
    if decision.informed_on is not None:
        raise Refused(_("A colleague recorded another day meanwhile."), "informed_on")
    refuse_future(informed_on, "informed_on")
    decision.informed_on = informed_on
    return save(decision)


# Screening


@transaction.atomic
def screen(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    on: date,
    indicator_set: str,
    ticks: Iterable[str],
    answered: Iterable[str] | None = None,
    role: str = "",
    institution: Institution | None = None,
) -> tuple[Screening, bool]:
    """Keep a screening by the operational indicators with what its rule says (nrm/screening.py). It prompts a referral: it
    changes no status and is counted nowhere. Raises PermissionDenied and Refused."""
    case = locked(case)
    if by is not None:
        require(access.may_record(by, case))
    if (existing := made_before(Screening(), key, case, by)) is not None:
        return existing, False
    refuse_impossible(case, on, "on")
    if indicator_set not in queries.sets_for(case):
        raise Refused(_("A child, and somebody whose age is in doubt, is screened with the indicators for children."))
    chosen = set(ticks)
    try:
        result = screening.result(indicator_set, chosen, None if answered is None else set(answered))
    except ValueError:
        raise Refused(_("These are not indicators of this set. Open the form anew.")) from None
    own = recording_for(by, case, institution)
    kept, is_new = make_once(
        Screening(
            case=case, set_version=screening.SET_VERSION, indicator_set=indicator_set, ticks=sorted(chosen),
            result=result.value, role=role, on=on, recorded_by=by, recorded_for=own,
        ),
        key,
        maker="recorded_by",
    )  # fmt: skip
    if is_new:
        note(case, EventKind.SCREENED, on=on, by=by, institution=own, record=kept)
    return kept, is_new


# Plain steps


@transaction.atomic
def record_step(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    kind: str,
    on: date,
    at: time | None = None,
    text: str = "",
    institution: Institution | None = None,
) -> tuple[Happening, bool]:
    """Record a step that consists of its day, and where it matters of its time. A doubt about the age makes the procedure
    that of a child at once. Raises PermissionDenied and Refused."""
    from nrm.actions.children import treat_as_child

    case = locked(case)
    if by is not None:
        require(access.may_record(by, case))
    if (existing := made_before(Happening(), key, case, by)) is not None:
        return existing, False
    if kind not in PLAIN_STEPS:
        raise Refused(_("This is recorded on a page of its own."), "kind")
    refuse_impossible(case, on, "on")
    if on == timezone.localdate() and at is not None and at > timezone.localtime().time():
        raise Refused(_("This time lies in the future."), "at")
    own = recording_for(by, case, institution)
    if kind == EventKind.AGE_DOUBTED:
        treat_as_child(case, on=on, by=by, institution=own)
    return note(case, kind, on=on, at=at, by=by, institution=own, text=text, key=key), True


@transaction.atomic
def strike(happening: Happening, *, by: User, reason: str) -> Happening:
    """Take back a step that was wrong; it stays, struck, with the reason. Raises PermissionDenied and Refused."""
    case = locked(happening.case)
    happening = locked(happening)
    require(access.may_strike(by, case, happening))
    if happening.struck_at is not None:
        return happening
    if happening.record is not None or happening.kind not in (*PLAIN_STEPS, EventKind.TURNED_ADULT):
        raise Refused(_("This step is corrected where it was recorded."))
    if not reason.strip():
        raise Refused(_("Say why."), "reason")
    strike_out(happening, by=by, why=reason)
    follow(case, by=by)
    return happening
