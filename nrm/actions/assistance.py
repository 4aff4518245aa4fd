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
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note, refuse_impossible, tell
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
    Happening,
    PermitState,
    ResidencePermit,
    Response,
    Return,
    RiskAssessment,
    Service,
    Stay,
)
from nrm.models.identification import BestInterestFinding, RiskLevel
from nrm.queries.assistance import NO_SHELTER, open_ends
from onatc.errors import Refused, require
from onatc.periods import months_after
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import Institution, User

FOLLOW_UP_MONTHS = (3, 6, 12)  # domain.md, step 22
# What goes on after an episode was closed, and so does not keep it from being closed before.
GOES_ON = (
    EventKind.FOLLOWED_UP, EventKind.REVIEWED, EventKind.MERGED, EventKind.UNMERGED, EventKind.ESCALATED, EventKind.CHARGED, EventKind.PROCEEDING, EventKind.HEARING,
    EventKind.PROTECTION_ASKED, EventKind.PROTECTION_DECIDED, EventKind.PERMIT_ASKED, EventKind.PERMIT_DECIDED,
    EventKind.COMPENSATION_ASKED, EventKind.COMPENSATION_DECIDED, EventKind.COMPENSATION_PAID,
)  # fmt: skip
# What an act sets by itself and nobody types.
KEPT_FIELDS = frozenset({"id", "case", "recorded_at", "recorded_by", "recorded_for", "revision"})
STATE_SHELTER = "SH_SECURE"
SAFE_PLACE = "AS_SHELTER"  # of the list `assistance`
# Outcomes of the list `return_outcome` by which somebody has gone to, or come from, another country.
RETURNS = ("RT_VOL", "RT_IN", "RT_FORCED")
ABROAD = ("RT_VOL", "RT_FORCED")


def begin(case: Case, by: User, *, goes_on: bool = False) -> tuple[Case, Institution | None]:
    """The case, locked, for whoever may record facts of it, or what `goes_on` after the closing, and the institution for which
    that person writes."""
    case = locked(case)
    require(access.may_go_on(by, case) if goes_on else access.may_record(by, case))
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
        tell(case, made, _spell_days(made), by=by, institution=institution)
    return made  # type: ignore[no-any-return]


def _spell_days(spell: Assistance) -> dict[EventKind, date | None]:
    return {
        EventKind.OFFERED: spell.offered_on,
        EventKind.HELPED: spell.starts_on,
        EventKind.HELP_ENDED: spell.ends_on,
    }


def _check_spell(case: Case, values: dict[str, Any]) -> None:
    for name in ("offered_on", "starts_on", "ends_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name)
    if values.get("response") == Response.NONE and values.get("provider"):
        raise Refused(_("Nothing was offered: leave the provider empty."), "provider")
    if values.get("response") == Response.NONE and values.get("offered_on"):
        raise Refused(_("Nothing was offered: leave the day of the offer empty."), "offered_on")
    if values.get("municipality") is not None and _is_secret(values):
        raise Refused(_("The place of this help is kept secret: leave the municipality empty."), "municipality")
    if values.get("starts_on") is None and values.get("ends_on") is not None:
        raise Refused(_("Help that ended has begun: say when."), "starts_on")
    if values.get("provider") is not None and values.get("starts_on") is not None:
        refuse_dissolved(values["provider"], values["starts_on"], "provider")


def _is_secret(values: dict[str, Any]) -> bool:
    """Whether the municipality would point to a shelter (threats.md T35): of a safe place, and of whoever runs one."""
    hidden = Service.objects.current().filter(hides_place=True, provider=values.get("provider"))
    return values.get("kind") == SAFE_PLACE or (values.get("provider") is not None and hidden.exists())


@transaction.atomic
def change_assistance(spell: Assistance, values: dict[str, Any], *, by: User, revision: int) -> Assistance:
    """The answer that came later, the day on which help began or ended. Raises Refused, and Stale for another revision."""
    case, institution = begin(spell.case, by)
    spell = locked(spell)
    _check_spell(case, whole(spell, values))
    set_fields(spell, values, revision)
    save(spell)
    tell(case, spell, _spell_days(spell), by=by, institution=institution)
    return spell


# Accommodation


@transaction.atomic
def record_stay(
    case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User, approved_by: Iterable[Institution] = ()
) -> Stay:
    """Somebody came to a place, and has left it when that is recorded late; "no shelter needed or wanted" is a stay too, and
    meets the step of the placement. Raises Refused."""
    case, institution = begin(case, by)
    stay = Stay(**values, case=case)
    stay.pk = key
    _check_stay(case, stay)
    made, is_new = _keep(stay, key, case, by, institution)
    if is_new:
        _settle(case, made, approved_by, by=by, institution=institution)
    return made  # type: ignore[no-any-return]


def _check_stay(case: Case, stay: Stay) -> None:
    refuse_impossible(case, stay.came_on, "came_on")
    if stay.provider is not None:
        refuse_dissolved(stay.provider, stay.came_on, "provider")
    if stay.left_on is not None:
        refuse_impossible(case, stay.left_on, "left_on")
        if stay.left_on < stay.came_on:
            raise Refused(_("Nobody leaves before they came."), "left_on")
    if stay.shelter_type == NO_SHELTER:
        return
    others = Stay.objects.filter(case=case).exclude(pk=stay.pk).exclude(shelter_type=NO_SHELTER)
    if stay.left_on is not None:
        others = others.filter(came_on__lt=stay.left_on)
    # Of two that last, the database refuses the second one; the night counts where it ends, so that a move takes one day.
    for other in others.filter(Q(left_on__gt=stay.came_on) | Q(left_on=None)):
        if other.left_on is not None or stay.left_on is not None:
            field = "came_on" if other.came_on <= stay.came_on else "left_on"
            raise Refused(
                _("The person was accommodated elsewhere on that day.")
                if field == "came_on" or stay.left_on is not None
                else _("The person came to another place on %(day)s: say when this stay ended.")
                % {"day": date_format(other.came_on, "DATE_FORMAT")},
                field,
            )


def _settle(
    case: Case, stay: Stay, approved_by: Iterable[Institution], *, by: User, institution: Institution | None
) -> None:
    """What follows from the days of a stay: the approvals of its end, the way of the case, the follow-ups."""
    is_shelter = stay.shelter_type != NO_SHELTER
    approving = list(approved_by) if stay.left_on is not None else []
    if (
        stay.left_on is not None
        and stay.shelter_type == STATE_SHELTER
        and _risk_on(case, stay.left_on) == RiskLevel.HIGH
    ):
        _require_approval(approving, stay.left_on)
    stay.exit_approved_by.set(approving)
    days = {EventKind.PLACED: stay.came_on, EventKind.LEFT_SHELTER: stay.left_on if is_shelter else None}
    tell(case, stay, days, by=by, institution=institution)
    ended = Stay.objects.filter(case=case, left_on__isnull=False).exclude(shelter_type=NO_SHELTER)
    last = ended.order_by("left_on").last()
    if last is not None and last.left_on is not None:
        _plan_follow_ups(case, FollowUpAfter.SHELTER, last.left_on, by=by, institution=last.provider)
    else:  # that somebody left was taken back
        FollowUp.objects.filter(case=case, after=FollowUpAfter.SHELTER, done_on=None).delete()


@transaction.atomic
def change_stay(
    stay: Stay, values: dict[str, Any], *, by: User, revision: int, approved_by: Iterable[Institution] = ()
) -> Stay:
    """Somebody left, or what was written of the stay was wrong. From the state shelter at high risk only with the approval of
    prosecution and police; follow-ups are due after 3, 6 and 12 months. Raises Refused, and Stale for another revision."""
    case, institution = begin(stay.case, by)
    stay = locked(stay)
    set_fields(stay, values, revision)
    _check_stay(case, stay)
    save(stay)
    _settle(case, stay, approved_by, by=by, institution=institution)
    return stay


def _last_risk(case: Case, day: date) -> RiskAssessment | None:
    before = RiskAssessment.objects.filter(case=case, assessed_on__lte=day)
    return before.order_by("-assessed_on", "-recorded_at").first()


def _risk_on(case: Case, day: date) -> str:
    last = _last_risk(case, day)
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
    require(access.may_go_on(by, case))
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
    values = values | _grounds_of_return(case, values)
    made, is_new = _keep(Return(**values), key, case, by, institution)
    if is_new:
        _tell_of_return(case, made, by, institution, is_new=made.carried_out_on is not None)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def change_return(record: Return, values: dict[str, Any], *, by: User, revision: int) -> Return:
    case, institution = begin(record.case, by)
    record = locked(record)
    values = whole(record, values)
    if record.carried_out_on is not None and values["carried_out_on"] != record.carried_out_on:
        raise Refused(_("It is on record already when the return was carried out."), "carried_out_on")
    changed = set_fields(record, values | _grounds_of_return(case, values), revision)
    save(record)
    _tell_of_return(case, record, by, institution, is_new="carried_out_on" in changed)
    return record


def _grounds_of_return(case: Case, values: dict[str, Any]) -> dict[str, Any]:
    """On which assessment of the risk, and for a child on which determination, a return abroad rests: the latest ones by its
    day. Raises Refused where there is none, or the determination says otherwise."""
    for name in ("decided_on", "carried_out_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name)
    carried = values.get("carried_out_on")
    if values["outcome"] in ABROAD and values.get("country") is None:
        raise Refused(_("Say to which country the person returns."), "country")
    if values["outcome"] not in ABROAD or carried is None:
        return {}
    risk = _last_risk(case, carried)
    if risk is None:
        raise Refused(_("Nobody returns before the risk was assessed."), "carried_out_on")
    found = None
    if case.is_child_procedure:
        before = BestInterest.objects.filter(case=case, determined_on__lte=carried)
        found = before.order_by("-determined_on", "-recorded_at").first()
        if found is None or found.finding != BestInterestFinding.RETURN:
            raise Refused(
                _("A child returns only after it was determined that this is in the child's best interest."),
                "carried_out_on",
            )
    return {"risk_assessment": risk, "best_interest": found}


def _tell_of_return(case: Case, record: Return, by: User, institution: Institution | None, *, is_new: bool) -> None:
    days = {EventKind.RETURN_DECIDED: record.decided_on, EventKind.RETURNED: record.carried_out_on}
    tell(case, record, days, by=by, institution=institution)
    if is_new and record.carried_out_on is not None and record.outcome in RETURNS:
        _plan_follow_ups(case, FollowUpAfter.RETURN, record.carried_out_on, by=by, institution=institution)


# Residence and compensation


@transaction.atomic
def record_permit(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> ResidencePermit:
    """A permit that was asked for, and its decision when there is one. Raises Refused."""
    case, institution = begin(case, by, goes_on=True)
    _check_permit(case, values)
    made, is_new = _keep(ResidencePermit(**values), key, case, by, institution)
    if is_new:
        _tell_of_permit(case, made, by, institution)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def change_permit(permit: ResidencePermit, values: dict[str, Any], *, by: User, revision: int) -> ResidencePermit:
    case, institution = begin(permit.case, by, goes_on=True)
    permit = locked(permit)
    _check_permit(case, whole(permit, values))
    set_fields(permit, values, revision)
    save(permit)
    _tell_of_permit(case, permit, by, institution)
    return permit


def _check_permit(case: Case, values: dict[str, Any]) -> None:
    for name in ("asked_on", "decided_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name, goes_on=True)
    if (values["state"] == PermitState.ASKED) != (values.get("decided_on") is None):
        raise Refused(_("A permit that was decided has the day of the decision, and only such a one."), "decided_on")
    decided, until = values.get("decided_on"), values.get("valid_until")
    if until is not None and (decided is None or until < decided):
        raise Refused(_("A permit is valid from its decision on."), "valid_until")


def _tell_of_permit(case: Case, permit: ResidencePermit, by: User, institution: Institution | None) -> None:
    days = {EventKind.PERMIT_ASKED: permit.asked_on, EventKind.PERMIT_DECIDED: permit.decided_on}
    tell(case, permit, days, by=by, institution=institution, goes_on=True)


@transaction.atomic
def record_claim(case: Case, key: uuid.UUID, values: dict[str, Any], *, by: User) -> CompensationClaim:
    """A claim of compensation with the sums known so far, in cents. Raises Refused."""
    case, institution = begin(case, by, goes_on=True)
    _check_claim(case, values)
    made, is_new = _keep(CompensationClaim(**values), key, case, by, institution)
    if is_new:
        _tell_of_claim(case, made, by, institution)
    return made  # type: ignore[no-any-return]


@transaction.atomic
def change_claim(claim: CompensationClaim, values: dict[str, Any], *, by: User, revision: int) -> CompensationClaim:
    case, institution = begin(claim.case, by, goes_on=True)
    claim = locked(claim)
    _check_claim(case, whole(claim, values))
    set_fields(claim, values, revision)
    save(claim)
    _tell_of_claim(case, claim, by, institution)
    return claim


def _check_claim(case: Case, values: dict[str, Any]) -> None:
    for name in ("filed_on", "decided_on", "paid_on"):
        if values.get(name) is not None:
            refuse_impossible(case, values[name], name, goes_on=True)
    decided, paid = values.get("decided_on"), values.get("paid_on")
    if values.get("awarded_cents") is not None and decided is None:
        raise Refused(_("What was awarded was decided on a day: say which."), "decided_on")
    if paid is not None and (decided is None or paid < decided):
        raise Refused(_("Nothing is paid before the decision."), "paid_on")
    if (values.get("paid_cents") or 0) > (values.get("awarded_cents") or 0):
        raise Refused(_("More was paid than awarded: check the sums."), "paid_cents")


def _tell_of_claim(case: Case, claim: CompensationClaim, by: User, institution: Institution | None) -> None:
    days = {
        EventKind.COMPENSATION_ASKED: claim.filed_on,
        EventKind.COMPENSATION_DECIDED: claim.decided_on,
        EventKind.COMPENSATION_PAID: claim.paid_on,
    }
    tell(case, claim, days, by=by, institution=institution, goes_on=True)


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
    bound = Happening.objects.filter(case=case, struck_at__isnull=True).exclude(kind__in=GOES_ON)
    last = bound.order_by("happened_at", "recorded_at").last()
    if last is not None and last.happened_on > closed_on:
        raise Refused(
            _("On %(day)s something is on record still: %(what)s. The case is not closed before that day.")
            % {"day": date_format(last.happened_on, "DATE_FORMAT"), "what": last.get_kind_display()},
            "closed_on",
        )
    if ends := open_ends(case):
        raise Refused(" ".join(ends))
    note(case, EventKind.CLOSED, on=closed_on, by=by, institution=speaks_for(by, case))
    case.refresh_from_db()
    set_fields(case, {"closed_on": closed_on, "outcome": outcome, "closing_note": note_text}, revision)
    CaseManagement.objects.filter(case=case, until__isnull=True).update(until=timezone.now())
    case.next_due_at = None
    return save(case)
