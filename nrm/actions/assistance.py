"""Help, accommodation, residence, return with follow-ups, compensation, and how a case is closed.

Each act locks the case, so that two people who record at once come after each other, and adds a happening from which the
clocks follow. Refused or declined help takes nothing from any count (data_dictionary.md, section 1, rule 8).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note, refuse_impossible
from nrm.models import (
    Assistance,
    BestInterest,
    Case,
    CaseManagement,
    CaseParty,
    CompensationClaim,
    Competence,
    EventKind,
    FollowUp,
    FollowUpAfter,
    Function,
    PermitState,
    ResidencePermit,
    Response,
    Return,
    RiskAssessment,
    Stay,
)
from nrm.models.identification import BestInterestFinding, RiskLevel
from nrm.queries.assistance import NO_SHELTER, open_ends
from onatc.errors import Refused, require
from onatc.periods import months_after
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import Institution, User

FOLLOW_UP_MONTHS = (3, 6, 12)  # domain.md, step 22
# What an act sets by itself and nobody types.
KEPT_FIELDS = frozenset({"id", "case", "recorded_at", "recorded_by", "recorded_for", "revision"})
STATE_SHELTER = "SH_SECURE"
# Outcomes of the list `return_outcome` by which somebody has gone to, or come from, another country.
RETURNS = ("RT_VOL", "RT_IN", "RT_FORCED")
ABROAD = ("RT_VOL", "RT_FORCED")


def begin(case: Case, by: User) -> tuple[Case, Institution | None]:
    """The case, locked, for whoever may record facts of it, and the institution for which that person writes."""
    case = locked(case)
    require(access.may_record(by, case))
    return case, speaks_for(by, case)


def speaks_for(by: User, case: Case) -> Institution | None:
    """The institution for which somebody records: one of theirs that takes part, the responsible one first; None for the
    office."""
    own = CaseParty.objects.filter(case=case, institution__in=by.institution_ids, until__isnull=True)
    found = own.select_related("institution").order_by("since", "pk")
    return next(
        (one.institution for one in sorted(found, key=lambda one: one.institution_id != case.responsible_id)), None
    )


def _keep(row: Any, key: uuid.UUID, case: Case, by: User, institution: Institution | None) -> tuple[Any, bool]:
    row.case, row.recorded_by, row.recorded_for = case, by, institution
    return make_once(row, key, maker="recorded_by")


def whole(record: Any, values: dict[str, Any]) -> dict[str, Any]:
    """What a record says once `values` are put into it: the fields that people write."""
    names = (field.name for field in record._meta.concrete_fields if field.name not in KEPT_FIELDS)
    return {name: getattr(record, name) for name in names} | values


# Help


@transaction.atomic
def record_assistance(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> Assistance:
    """What was offered, and what the person said to it. Raises Refused for days that cannot be."""
    case, institution = begin(case, by)
    _check_spell(case, values)
    made, is_new = _keep(Assistance(**values), key, case, by, institution)
    if is_new:
        offered, begun, ended = (values.get(name) for name in ("offered_on", "starts_on", "ends_on"))
        if offered is not None:
            note(case, EventKind.OFFERED, on=offered, by=by, institution=institution, record=made)
        if begun is not None:
            note(case, EventKind.HELPED, on=begun, by=by, institution=institution, record=made)
        if ended is not None:
            note(case, EventKind.HELP_ENDED, on=ended, by=by, institution=institution, record=made)
    return made  # type: ignore[no-any-return]


def _check_spell(case: Case, values: dict[str, Any]) -> None:
    for name in ("offered_on", "starts_on", "ends_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name)
    if values.get("response") == Response.NONE and values.get("provider"):
        raise Refused(_("Nothing was offered: leave the provider empty."), "provider")
    if values.get("starts_on") is None and values.get("ends_on") is not None:
        raise Refused(_("Help that ended has begun: say when."), "starts_on")
    if values.get("provider") is not None and values.get("starts_on") is not None:
        refuse_dissolved(values["provider"], values["starts_on"], "provider")


@transaction.atomic
def change_assistance(spell: Assistance, values: dict[str, Any], *, by: User, revision: int) -> Assistance:
    """The answer that came later, the day on which help began or ended. Raises Refused, and Stale for another revision."""
    case, institution = begin(spell.case, by)
    spell = locked(spell)
    _check_spell(case, whole(spell, values))
    before = {name: getattr(spell, name) for name in ("starts_on", "ends_on")}
    changed = set_fields(spell, values, revision)
    save(spell)
    for name, kind in (("starts_on", EventKind.HELPED), ("ends_on", EventKind.HELP_ENDED)):
        if name in changed and before[name] is None and values[name] is not None:
            note(case, kind, on=values[name], by=by, institution=institution, record=spell)
    return spell


# Accommodation


@transaction.atomic
def record_stay(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> Stay:
    """Somebody came to a place; "no shelter needed or wanted" is a stay too, and meets the step of the placement."""
    case, institution = begin(case, by)
    came = values["came_on"]
    refuse_impossible(case, came, "came_on")
    if values.get("provider") is not None:
        refuse_dissolved(values["provider"], came, "provider")
    overlapping = Stay.objects.filter(case=case, came_on__lt=came).exclude(pk=key).exclude(shelter_type=NO_SHELTER)
    if values["shelter_type"] != NO_SHELTER and overlapping.filter(left_on__gt=came).exists():
        raise Refused(_("The person was accommodated elsewhere on that day."), "came_on")
    made, is_new = _keep(Stay(**values), key, case, by, institution)
    if is_new:
        note(case, EventKind.PLACED, on=came, by=by, institution=institution, record=made)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def end_stay(
    stay: Stay, *, by: User, left_on: date, reason: str, revision: int, approved_by: Iterable[Institution] = ()
) -> Stay:
    """Somebody left. From the state shelter at high risk only with the approval of prosecution and police; follow-ups
    are then due after 3, 6 and 12 months. Raises Refused."""
    case, institution = begin(stay.case, by)
    stay = locked(stay)
    if stay.left_on is not None:
        if stay.left_on == left_on:
            return stay
        raise Refused(_("It is on record already when the person left."), "left_on")
    refuse_impossible(case, left_on, "left_on")
    if left_on < stay.came_on:
        raise Refused(_("Nobody leaves before they came."), "left_on")
    approving = list(approved_by)
    if stay.shelter_type == STATE_SHELTER and _risk_on(case, left_on) == RiskLevel.HIGH:
        _require_approval(approving, left_on)
    set_fields(stay, {"left_on": left_on, "exit_reason": reason}, revision)
    save(stay)
    stay.exit_approved_by.set(approving)
    note(case, EventKind.LEFT_SHELTER, on=left_on, by=by, institution=institution, record=stay)
    _plan_follow_ups(case, FollowUpAfter.SHELTER, left_on, by=by, institution=stay.provider)
    return stay


def _risk_on(case: Case, day: date) -> str:
    last = (
        RiskAssessment.objects.filter(case=case, assessed_on__lte=day).order_by("-assessed_on", "-recorded_at").first()
    )
    return last.level if last else RiskLevel.NOT_ASSESSED


def _require_approval(approving: list[Institution], on: date) -> None:
    """Leaving the state shelter at high risk is approved by a prosecutor and by the police (domain.md, part b)."""
    held = set(
        Competence.objects.on(on)
        .filter(institution__in=approving, function__in=(Function.PROSECUTION, Function.POLICE))
        .values_list("function", flat=True)
    )
    if held != {Function.PROSECUTION, Function.POLICE}:
        raise Refused(
            _("The risk is high: leaving the state shelter is approved by a prosecution and by the police."),
            "approved_by",
        )


def _plan_follow_ups(case: Case, after: str, day: date, *, by: User | None, institution: Institution | None) -> None:
    """Due 3, 6 and 12 months after the day; a later exit or return moves those that were not done yet."""
    done = set(FollowUp.objects.filter(case=case, after=after, done_on__isnull=False).values_list("months", flat=True))
    for months in FOLLOW_UP_MONTHS:
        if months not in done:
            FollowUp.objects.update_or_create(
                case=case,
                after=after,
                months=months,
                defaults={"due_on": months_after(day, months), "institution": institution},
                create_defaults={
                    "due_on": months_after(day, months),
                    "institution": institution,
                    "recorded_by": by,
                    "recorded_for": institution,
                },
            )


@transaction.atomic
def follow_up(
    one: FollowUp, *, by: User, done_on: date, result: str, institution: Institution | None = None
) -> FollowUp:
    """How the person is. It may be done while the case is closed: follow-ups reach beyond the closing."""
    case = locked(one.case)
    one = locked(one)
    require(access.may_follow_up(by, case))
    if one.done_on is not None:
        if (one.done_on, one.result) == (done_on, result):
            return one
        raise Refused(_("A colleague recorded this follow-up already."), "done_on")
    refuse_future(done_on, "done_on")
    if done_on < months_after(one.due_on, -one.months):
        raise Refused(_("This day lies before the person left or returned."), "done_on")
    one.done_on, one.result = done_on, result
    one.institution = institution or one.institution or speaks_for(by, case)
    save(one)
    if case.closed_on is None:
        note(case, EventKind.FOLLOWED_UP, on=done_on, by=by, institution=one.institution, record=one)
    return one


# Return


@transaction.atomic
def record_return(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> Return:
    """A return that was decided or carried out, or what came instead. Raises Refused.

    No child returns without a determination that this is in its interest (SOP, step 19), and nobody without an
    assessment of the risk.
    """
    case, institution = begin(case, by)
    _check_return(case, values)
    made, is_new = _keep(Return(**values), key, case, by, institution)
    if is_new:
        _tell_of_return(case, made, {"decided_on", "carried_out_on"}, by, institution)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def change_return(record: Return, values: dict[str, Any], *, by: User, revision: int) -> Return:
    case, institution = begin(record.case, by)
    record = locked(record)
    values = whole(record, values)
    if record.carried_out_on is not None and values["carried_out_on"] != record.carried_out_on:
        raise Refused(_("It is on record already when the return was carried out."), "carried_out_on")
    _check_return(case, values)
    changed = {name for name in set_fields(record, values, revision) if name in ("decided_on", "carried_out_on")}
    save(record)
    _tell_of_return(case, record, changed, by, institution)
    return record


def _check_return(case: Case, values: dict[str, Any]) -> None:
    for name in ("decided_on", "carried_out_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name)
    carried = values.get("carried_out_on")
    if values["outcome"] in ABROAD and values.get("country") is None:
        raise Refused(_("Say to which country the person returns."), "country")
    if values["outcome"] not in ABROAD or carried is None:
        return
    if not RiskAssessment.objects.filter(case=case, assessed_on__lte=carried).exists():
        raise Refused(_("Nobody returns before the risk was assessed."), "carried_out_on")
    if case.is_child_procedure:
        found = BestInterest.objects.filter(case=case, determined_on__lte=carried).order_by("-determined_on").first()
        if found is None or found.finding != BestInterestFinding.RETURN:
            raise Refused(
                _("A child returns only after it was determined that this is in the child's best interest."),
                "carried_out_on",
            )


def _tell_of_return(case: Case, record: Return, days: set[str], by: User, institution: Institution | None) -> None:
    if "decided_on" in days and record.decided_on is not None:
        note(case, EventKind.RETURN_DECIDED, on=record.decided_on, by=by, institution=institution, record=record)
    if "carried_out_on" in days and record.carried_out_on is not None:
        note(case, EventKind.RETURNED, on=record.carried_out_on, by=by, institution=institution, record=record)
        if record.outcome in RETURNS:
            _plan_follow_ups(case, FollowUpAfter.RETURN, record.carried_out_on, by=by, institution=institution)


# Residence and compensation


@transaction.atomic
def record_permit(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> ResidencePermit:
    """A permit that was asked for, and its decision when there is one. Raises Refused."""
    case, institution = begin(case, by)
    _check_permit(case, values)
    made, is_new = _keep(ResidencePermit(**values), key, case, by, institution)
    if is_new:
        note(case, EventKind.PERMIT_ASKED, on=made.asked_on, by=by, institution=institution, record=made)
        _tell_of_permit(case, made, by, institution)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def change_permit(permit: ResidencePermit, values: dict[str, Any], *, by: User, revision: int) -> ResidencePermit:
    case, institution = begin(permit.case, by)
    permit = locked(permit)
    was_open = permit.decided_on is None
    _check_permit(case, whole(permit, values))
    set_fields(permit, values, revision)
    save(permit)
    if was_open:
        _tell_of_permit(case, permit, by, institution)
    return permit


def _check_permit(case: Case, values: dict[str, Any]) -> None:
    for name in ("asked_on", "decided_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name)
    if (values["state"] == PermitState.ASKED) != (values.get("decided_on") is None):
        raise Refused(_("A permit that was decided has the day of the decision, and only such a one."), "decided_on")
    decided, until = values.get("decided_on"), values.get("valid_until")
    if until is not None and (decided is None or until < decided):
        raise Refused(_("A permit is valid from its decision on."), "valid_until")


def _tell_of_permit(case: Case, permit: ResidencePermit, by: User, institution: Institution | None) -> None:
    if permit.decided_on is not None:
        note(case, EventKind.PERMIT_DECIDED, on=permit.decided_on, by=by, institution=institution, record=permit)


@transaction.atomic
def record_claim(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> CompensationClaim:
    """A claim of compensation with the sums known so far, in cents. Raises Refused."""
    case, institution = begin(case, by)
    _check_claim(case, values)
    made, is_new = _keep(CompensationClaim(**values), key, case, by, institution)
    if is_new:
        note(case, EventKind.COMPENSATION_ASKED, on=made.filed_on, by=by, institution=institution, record=made)
        _tell_of_claim(case, made, {"decided_on", "paid_on"}, by, institution)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def change_claim(claim: CompensationClaim, values: dict[str, Any], *, by: User, revision: int) -> CompensationClaim:
    case, institution = begin(claim.case, by)
    claim = locked(claim)
    before = {name for name in ("decided_on", "paid_on") if getattr(claim, name) is not None}
    _check_claim(case, whole(claim, values))
    set_fields(claim, values, revision)
    save(claim)
    _tell_of_claim(case, claim, {"decided_on", "paid_on"} - before, by, institution)
    return claim


def _check_claim(case: Case, values: dict[str, Any]) -> None:
    for name in ("filed_on", "decided_on", "paid_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name)
    decided, paid = values.get("decided_on"), values.get("paid_on")
    if values.get("awarded_cents") is not None and decided is None:
        raise Refused(_("What was awarded was decided on a day: say which."), "decided_on")
    if paid is not None and (decided is None or paid < decided):
        raise Refused(_("Nothing is paid before the decision."), "paid_on")
    if (values.get("paid_cents") or 0) > (values.get("awarded_cents") or 0):
        raise Refused(_("More was paid than awarded: check the sums."), "paid_cents")


def _tell_of_claim(
    case: Case, claim: CompensationClaim, days: set[str], by: User, institution: Institution | None
) -> None:
    for name, kind in (("decided_on", EventKind.COMPENSATION_DECIDED), ("paid_on", EventKind.COMPENSATION_PAID)):
        if name in days and getattr(claim, name) is not None:
            note(case, kind, on=getattr(claim, name), by=by, institution=institution, record=claim)


# The end of an episode


@transaction.atomic
def close(case: Case, *, by: User, closed_on: date, outcome: str, note_text: str, revision: int) -> Case:
    """End the episode with its outcome (codes of `return_outcome`); it still counts. Raises Refused, naming what is open."""
    case = locked(case)
    if case.closed_on is not None:
        if (case.closed_on, case.outcome) == (closed_on, outcome):
            return case
        raise Refused(_("A colleague closed this case already."))
    require(access.may_close_case(by, case))
    refuse_impossible(case, closed_on, "closed_on")
    if closed_on < case.opened_on:
        raise Refused(_("The case must not be closed before it was opened."), "closed_on")
    if ends := open_ends(case):
        raise Refused(" ".join(ends))
    note(case, EventKind.CLOSED, on=closed_on, by=by, institution=speaks_for(by, case))
    case.refresh_from_db()
    set_fields(case, {"closed_on": closed_on, "outcome": outcome, "closing_note": note_text}, revision)
    CaseManagement.objects.filter(case=case, until__isnull=True).update(until=timezone.now())
    case.next_due_at = None
    return save(case)
