"""Emergency access, retention and destruction, what a person may ask for, and breaches of data.

Source: Law 06/L-082 on the protection of personal data; threats.md, T26, T37 and T38.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access, destroyed
from nrm.actions import deviations
from nrm.markers import new_marker
from nrm.models import (
    Assistance,
    Breach,
    BreachState,
    Case,
    CaseDecision,
    CaseManagement,
    Clock,
    ClockPause,
    Destruction,
    Deviation,
    EmergencyAccess,
    Happening,
    Merge,
    OwnFileNumber,
    PersonRequest,
    PersonRequestState,
    Referral,
    ReferralFile,
    ReferralReceipt,
    ReflectionEvent,
    RetainedKind,
    RetentionRule,
    Return,
    RiskAssessment,
    RiskMeasure,
    Screening,
    Stay,
    TwinToken,
)
from nrm.queries.care import falling_due
from nrm.retention import REQUEST_DAYS, notice_clock
from onatc import mail, trail
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_future, save, set_fields
from stakeholders.models import Institution, Role, User

EMERGENCY_HOURS = 4
EMERGENCIES_A_DAY = 5
WARN_HOURS = (48, 24, 6)  # before the 72 hours are over


# Emergency access


def case_for_emergency(marker: str) -> Case:
    """The case of a whole and right marker, also one that the asker does not see. Raises Refused when there is none."""
    found = Case.objects.filter(marker=marker, destroyed_on__isnull=True).first()
    if found is None:
        raise Refused(_("There is no such case marker."), "marker")
    return found


@transaction.atomic
def open_in_emergency(case: Case, *, by: User, reason: str) -> EmergencyAccess:
    """Let somebody into a case that is not theirs for some hours, and tell the Director at once. Raises Refused."""
    require(access.may_open_in_emergency(by))
    User.objects.select_for_update().get(pk=by.pk)  # the limit holds for two windows at once too
    now = timezone.now()
    held = EmergencyAccess.objects.filter(user=by, case=case, ends_at__gt=now).first()
    if held is not None:
        return held
    if EmergencyAccess.objects.filter(user=by, opened_at__gt=now - timedelta(days=1)).count() >= EMERGENCIES_A_DAY:
        raise Refused(_("You opened several cases in emergency today: ask the Director."))
    made = EmergencyAccess.objects.create(
        case=case, user=by, reason=reason, ends_at=now + timedelta(hours=EMERGENCY_HOURS)
    )
    trail.record(trail.Act.READ, by=by, record=case, owner_id=case.responsible_id, purpose=reason, what="emergency")
    directors = [one for one in User.objects.holding(Role.DIRECTOR) if one.pk != by.pk]
    for person in directors or User.objects.holding(Role.NATC):
        mail.queue(
            person,
            occasion=f"emergency {made.pk} {person.pk}",
            template="emergency_access",
            context={"path": reverse("nrm:emergency-list")},
            kind=mail.Kind.ACCOUNT,
        )
    return made


@transaction.atomic
def review_emergency(one: EmergencyAccess, *, by: User, was_justified: bool, note: str) -> EmergencyAccess:
    """The Director says whether it was justified; never of their own."""
    one = locked(one)
    require(access.may_review_emergency(by, one))
    if one.reviewed_at is not None:
        if one.was_justified == was_justified and one.review_note == note:
            return one
        raise Refused(_("A colleague looked at this already."))
    if not was_justified and not note:
        raise Refused(_("Say why it was not justified."), "note")
    one.reviewed_at, one.reviewed_by, one.was_justified, one.review_note = timezone.now(), by, was_justified, note
    if not was_justified:
        one.ends_at = min(one.ends_at, max(timezone.now(), one.opened_at + timedelta(microseconds=1)))
    return save(one)


# Retention and destruction


@transaction.atomic
def set_rule(*, by: User, kind: str, months: int, basis: str, valid_from: date) -> RetentionRule:
    """From a day on something is kept for so many months after the closing. Raises Refused for a day in the past."""
    require(access.may_set_retention(by))
    if valid_from < timezone.localdate():
        raise Refused(_("A rule holds from today or a later day on."), "valid_from")
    existing = RetentionRule.objects.filter(kind=kind, valid_from=valid_from).first()
    if existing is not None and (existing.months, existing.basis) == (months, basis):
        return existing
    return save(RetentionRule(kind=kind, months=months, basis=basis, valid_from=valid_from, set_by=by))


@transaction.atomic
def prepare_destruction(kind: str, *, by: User, reason: str) -> Destruction:
    """The list of what falls due today, to be approved by another person; nothing is destroyed yet. Raises Refused."""
    require(access.may_prepare_destruction(by))
    found = falling_due(kind)
    cases = [str(pk) for pk in found.cases]
    if not cases:
        raise Refused(_("Nothing of this kind falls due."))
    rule = RetentionRule.objects.in_force(kind)
    return save(Destruction(kind=kind, rule=rule, reason=reason, count=found.count, cases=cases, prepared_by=by))


@transaction.atomic
def withdraw_destruction(one: Destruction, *, by: User) -> None:
    require(access.may_prepare_destruction(by))
    one = locked(one)
    if one.destroyed_at is not None:
        raise Refused(_("It is destroyed already."))
    one.delete()


@transaction.atomic
def destroy(one: Destruction, *, by: User) -> Destruction:
    """Approve a prepared destruction and carry it out, for cases that still fall due. Counts stay as they were.

    Raises PermissionDenied for whoever prepared it.
    """
    one = locked(one)
    if one.destroyed_at is not None:
        return one
    require(access.may_approve_destruction(by, one))
    still = {str(pk) for pk in falling_due(one.kind).cases}
    keys = [uuid.UUID(key) for key in one.cases if key in still]
    cases = list(Case.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    one.count = DESTROYS[RetainedKind(one.kind)](cases)
    one.cases = [str(case.pk) for case in cases]
    one.approved_by, one.destroyed_at = by, timezone.now()
    save(one)
    transaction.on_commit(lambda: destroyed.note(one.kind, one.cases))
    return one


def destroy_again(kind: str, keys: list[uuid.UUID]) -> int:
    """After an older backup was restored: what was destroyed since then goes once more (T38)."""
    with transaction.atomic():
        cases = list(Case.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
        return DESTROYS[RetainedKind(kind)](cases)


def destroy_all_again() -> int:
    """Go through the whole list that stands outside the database; how many cases were concerned."""
    return sum(destroy_again(kind, keys) for kind, keys in destroyed.noted() if kind in RetainedKind.values)


def _with_history(model: Any, **found: Any) -> int:
    """Delete rows and what the history holds of them; how many rows there were."""
    keys = list(model.objects.filter(**found).values_list("pk", flat=True))
    model.objects.filter(pk__in=keys).delete()
    _forget(model, keys)
    return len(keys)


def _forget(model: Any, keys: list[Any]) -> None:
    if hasattr(model, "pgh_event_model"):
        model.pgh_event_model.objects.filter(pgh_obj_id__in=keys).delete()


def _file_numbers(cases: list[Case]) -> int:
    return _with_history(OwnFileNumber, case__in=cases)


def _tokens(cases: list[Case]) -> int:
    return _with_history(TwinToken, case__in=cases)


def _screenings(cases: list[Case]) -> int:
    return _with_history(Screening, case__in=cases)


def _referral_files(cases: list[Case]) -> int:
    """The rows; the collector takes the files once no row names them (onatc.files). Receipts, which tell what the referral
    says and are made anew when somebody asks for one, go with them."""
    _with_history(ReferralReceipt, referral__case__in=cases)
    return _with_history(ReferralFile, referral__case__in=cases)


# Words that people typed, by model: emptied when a case is destroyed, with the history that holds earlier ones. Each field
# with words of a record of a case is here, or goes with its record, or is said to stay (tests/nrm/test_care.py).
WORDS: tuple[tuple[Any, str, tuple[str, ...]], ...] = (
    (Referral, "case", ("reason", "answer_note", "withdrawn_reason")),
    (CaseDecision, "case", ("reason",)),
    (ReflectionEvent, "case", ("reason",)),
    (RiskAssessment, "case", ("incomplete_reason",)),
    (RiskMeasure, "case", ("what",)),
    (Assistance, "case", ("note",)),
    (Stay, "case", ("exit_reason",)),
    (Return, "case", ("handed_over_to",)),
    (PersonRequest, "case", ("note",)),
    (Happening, "case", ("note", "struck_reason")),
)
GONE = "-"  # where a word must stand
MUST_STAND: tuple[tuple[Any, str, tuple[str, ...]], ...] = (
    (Referral, "case", ("shared", "legal_basis")),
    (Merge, "case", ("reason", "undone_reason")),
    (Merge, "into", ("reason", "undone_reason")),
    (Clock, "case", ("reason",)),
    (ClockPause, "clock__case", ("reason",)),
)
BY_RULE = "="  # begins a reason that a rule gave, as a code


def _empty_words(cases: list[Case]) -> None:
    changed: dict[Any, list[Any]] = defaultdict(list)
    for model, path, fields in WORDS:
        rows = model.objects.filter(**{f"{path}__in": cases})
        changed[model] += rows.values_list("pk", flat=True)
        rows.update(**dict.fromkeys(fields, ""), recorded_by=None)
    for model, path, fields in MUST_STAND:
        rows = model.objects.filter(**{f"{path}__in": cases})
        changed[model] += rows.values_list("pk", flat=True)
        for field in fields:
            said = rows.exclude(**{field: ""}).exclude(**{f"{field}__startswith": BY_RULE})
            said.update(**{field: GONE})
    Merge.objects.filter(case__in=cases).update(recorded_by=None, undone_by=None)
    Referral.objects.filter(case__in=cases).update(manager=None, answered_by=None)
    for model, keys in changed.items():
        _forget(model, keys)


def _cases(cases: list[Case]) -> int:
    """Strip cases to what is counted: codes and days stay, marker, people, words, numbers, tokens and files go.

    The keyed token of a case that came with a file stays: by it the same file does not bring the case in again.
    """
    for part in (_file_numbers, _tokens, _screenings, _referral_files):
        part(cases)
    _empty_words(cases)
    _forget(Deviation, deviations.forget_words(cases))
    _with_history(CaseManagement, case__in=cases)
    today = timezone.localdate()
    for case in cases:
        case.marker = new_marker()  # the one that people know leads nowhere
        case.note = case.closing_note = case.needs_interpreter = ""
        case.vulnerabilities, case.manager, case.recorded_by = [], None, None
        case.destroyed_on = case.destroyed_on or today
        case.save()
    _forget(Case, [case.pk for case in cases])
    return len(cases)


DESTROYS: dict[RetainedKind, Callable[[list[Case]], int]] = {
    RetainedKind.CASE: _cases,
    RetainedKind.FILE_NUMBER: _file_numbers,
    RetainedKind.TOKEN: _tokens,
    RetainedKind.REFERRAL_FILE: _referral_files,
    RetainedKind.SCREENING: _screenings,
}


# What a person asks for


@transaction.atomic
def record_request(
    case: Case, key: uuid.UUID, *, by: User, institution: Institution, received_on: date, note: str = ""
) -> PersonRequest:
    """A person asks, through an institution of the case, what is held about them. Due within a month."""
    require(access.may_bring_request(by, case))
    refuse_future(received_on, "received_on")
    row = PersonRequest(
        case=case,
        brought_by=institution,
        received_on=received_on,
        due_on=received_on + timedelta(days=REQUEST_DAYS),
        note=note,
        recorded_by=by,
    )
    made, _is_new = make_once(row, key, maker="recorded_by")
    return made  # type: ignore[no-any-return]


@transaction.atomic
def answer_request(
    request: PersonRequest, *, by: User, state: str, answered_on: date, note: str, revision: int
) -> PersonRequest:
    """Given, or refused with its reason."""
    request = locked(request)
    require(access.may_answer_request(by))
    if request.state != PersonRequestState.OPEN:
        if (request.state, request.answered_on) == (state, answered_on):
            return request
        raise Refused(_("A colleague answered this request already."))
    refuse_future(answered_on, "answered_on")
    if state == PersonRequestState.REFUSED and not note:
        raise Refused(_("Say why it was refused."), "note")
    set_fields(request, {"state": state, "answered_on": answered_on, "note": note}, revision)
    return save(request)


# Breaches


@transaction.atomic
def report_breach(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Breach:
    """A breach that became known; its 72 hours run from that moment. Anybody with an account reports one."""
    require(access.may_report_breach(by))
    _check_times(values["known_at"], values.get("happened_at"))
    Institution.objects.select_for_update().get(code="ONATC")  # numbers are given one after the other
    number = (Breach.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    made, is_new = make_once(Breach(number=number, reported_by=by, **values), key, maker="reported_by")
    if is_new:
        _tell_of_breach(made, "new")
    return made  # type: ignore[no-any-return]


def _check_times(known_at: datetime, happened_at: datetime | None) -> None:
    if known_at > timezone.now():
        raise Refused(_("This moment lies in the future."), "known_at")
    if happened_at is not None and happened_at > known_at:
        raise Refused(_("It did not happen after it became known."), "happened_at")


@transaction.atomic
def change_breach(breach: Breach, values: dict[str, Any], *, by: User, revision: int) -> Breach:
    breach = locked(breach)
    require(access.may_keep_breaches(by))
    if breach.state == BreachState.CLOSED:
        raise Refused(_("This breach is closed."))
    _check_times(values.get("known_at", breach.known_at), values.get("happened_at", breach.happened_at))
    set_fields(breach, values, revision)
    return save(breach)


@transaction.atomic
def notify_agency(breach: Breach, *, by: User, notified_at: datetime, late_reason: str, revision: int) -> Breach:
    """The Agency was told. After the 72 hours the reason is given with it (Law 06/L-082)."""
    breach = locked(breach)
    require(access.may_keep_breaches(by))
    if breach.notified_at is not None:
        if breach.notified_at == notified_at:
            return breach
        raise Refused(_("It is on record already when the Agency was notified."))
    if notified_at > timezone.now():
        raise Refused(_("This moment lies in the future."), "notified_at")
    if notified_at < breach.known_at:
        raise Refused(_("The Agency was not notified before the breach became known."), "notified_at")
    if notice_clock(breach.known_at, notified_at).is_over and not late_reason:
        raise Refused(_("More than 72 hours have passed: say why."), "late_reason")
    set_fields(
        breach, {"notified_at": notified_at, "late_reason": late_reason, "state": BreachState.NOTIFIED}, revision
    )
    return save(breach)


@transaction.atomic
def need_no_notice(breach: Breach, *, by: User, reason: str, revision: int) -> Breach:
    """No risk to the rights of persons follows from it: the Agency is not told, and the reason stays."""
    breach = locked(breach)
    require(access.may_keep_breaches(by))
    if breach.state not in (BreachState.OPEN, BreachState.NOT_NOTIFIABLE):
        raise Refused(_("The Agency was notified already."))
    set_fields(breach, {"state": BreachState.NOT_NOTIFIABLE, "not_notified_reason": reason}, revision)
    return save(breach)


@transaction.atomic
def close_breach(breach: Breach, *, by: User, closed_on: date, lessons: str, revision: int) -> Breach:
    breach = locked(breach)
    require(access.may_keep_breaches(by))
    if breach.state == BreachState.CLOSED:
        return breach
    if breach.state == BreachState.OPEN:
        raise Refused(_("First notify the Agency, or say why no notice is needed."))
    refuse_future(closed_on, "closed_on")
    set_fields(breach, {"state": BreachState.CLOSED, "closed_on": closed_on, "lessons": lessons}, revision)
    return save(breach)


def _tell_of_breach(breach: Breach, occasion: str) -> int:
    queued = 0
    for person in User.objects.holding(Role.DIRECTOR, Role.ADMINISTRATOR):
        queued += mail.queue(
            person,
            occasion=f"breach {breach.pk} {occasion} {person.pk}",
            template="breach",
            context={
                "path": breach.get_absolute_url(),
                "number": breach.number,
                "clock": notice_clock(breach.known_at, timezone.now()),
            },
            kind=mail.Kind.ACCOUNT,
        )
    return queued


def warn_of_breaches(now: datetime | None = None) -> int:
    """Mails before the 72 hours of a breach are over: at 48, 24 and 6 hours left, and once when they are; each once."""
    now, queued = now or timezone.now(), 0
    for breach in Breach.objects.running():
        clock = notice_clock(breach.known_at, now)
        passed = [hours for hours in WARN_HOURS if clock.hours_left < hours]
        if clock.is_over:
            queued += _tell_of_breach(breach, "over")
        elif passed:
            queued += _tell_of_breach(breach, f"{min(passed)}")
    return queued
