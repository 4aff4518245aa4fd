"""Deviations from the SOP: found by rule or recorded, corrected by an institution, checked and closed by the office."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access, problems
from nrm.models import Case, Cause, Deviation, DeviationSource, DeviationState
from nrm.queries import oversight
from onatc import mail
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import REPORTERS, Institution, Role, RoleAssignment, User

PIECE = 500  # deviations that are written at a time
REMIND_BEFORE = timedelta(days=7)
FARTHEST = timedelta(days=3 * 366)  # no correction is given longer


# Found by rule


def find(now: datetime | None = None) -> int:
    """Ask the published rules and record what they find; how many are new. Run as often as you like, and twice at once: a
    pattern is open once, a clock is one deviation, and a case has each rule once. A pattern that was closed is left alone
    for a quarter, so that the correction can show."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    gone = set(Institution.objects.filter(dissolved_on__lte=today).values_list("pk", flat=True))
    recorded = _record(_new_patterns(now, today, gone))
    for rule in oversight.in_cases():
        recorded += _record(_in_case(one, today) for one in rule(now) if one.institution not in gone)
    return recorded


def _record(found: Iterable[Deviation]) -> int:
    """Write them piece by piece, however many there are; what somebody else wrote meanwhile is left as it is."""
    recorded, left = 0, iter(found)
    while piece := list(islice(left, PIECE)):
        Deviation.objects.bulk_create(piece, ignore_conflicts=True)
        recorded += Deviation.objects.filter(pk__in=[one.pk for one in piece]).count()
    return recorded


def _new_patterns(now: datetime, today: date, gone: set[uuid.UUID]) -> list[Deviation]:
    quiet_since = today - timedelta(days=problems.QUIET_DAYS)
    known = {
        (rule, institution, lineage)
        for rule, institution, lineage in Deviation.objects.filter(case__isnull=True)
        .exclude(rule="")
        .exclude(state=DeviationState.CLOSED, checked_on__lte=quiet_since)
        .values_list("rule", "institution", "step__lineage")
    }
    return [
        Deviation(
            source=DeviationSource.RULE, rule=one.rule, institution_id=one.institution, step_id=one.step,
            figures=one.figures, found_on=today,
        )
        for one in oversight.patterns(now)
        if one.institution not in gone and (one.rule, one.institution, one.lineage) not in known
    ]  # fmt: skip


def _in_case(one: oversight.InCase, today: date) -> Deviation:
    return Deviation(
        source=DeviationSource.RULE, rule=one.rule, case_id=one.case, clock_id=one.clock, step_id=one.step,
        institution_id=one.institution, municipality_id=one.municipality, found_on=today,
    )  # fmt: skip


# Recorded by hand


@transaction.atomic
def record(key: uuid.UUID, values: dict[str, Any], *, by: User, case: Case | None = None) -> Deviation:
    """What somebody of the office saw, in a case or without one. A form sent twice records one."""
    require(access.may_record_deviation(by, case))
    refuse_future(values["found_on"], "found_on")
    refuse_dissolved(values["institution"], values["found_on"], "institution")
    if case is not None and values["found_on"] < case.opened_on:
        raise Refused(_("The case was opened after that day."), "found_on")
    made, _is_new = make_once(
        Deviation(**{"source": DeviationSource.PERSON} | values, case=case, recorded_by=by), key, maker="recorded_by"
    )
    return made  # type: ignore[no-any-return]


# Its correction


def _of(deviation: Deviation) -> Deviation:
    return locked(deviation)


@transaction.atomic
def correct(deviation: Deviation, values: dict[str, Any], *, by: User, revision: int) -> Deviation:
    """Why it happened, what is done about it, by whom and by when; the institution is told. Said again, it changes what was
    said, as long as it is not reported as done."""
    found = _of(deviation)
    require(access.may_steer_deviation(by, found))
    if found.state not in (DeviationState.OPEN, DeviationState.CORRECTING):
        raise Refused(_("It is corrected already. Check it, or open it again."))
    _refuse_due(values.get("due_on"), found.due_on)
    refuse_dissolved(values["institution"], timezone.localdate(), "institution")
    changed = set_fields(found, values, revision)
    if not changed and found.state == DeviationState.CORRECTING:
        return found
    found.state = DeviationState.CORRECTING
    save(found)
    if changed & {"action", "due_on", "institution"}:
        _tell(found, "to correct", by=by)
    return found


def _refuse_due(due_on: date | None, before: date | None) -> None:
    today = timezone.localdate()
    if due_on is None:
        raise Refused(_("Say by when it is corrected."), "due_on")
    if due_on < today and due_on != before:
        raise Refused(_("This day is over already."), "due_on")
    if due_on > today + FARTHEST:
        raise Refused(_("This day lies more than three years ahead."), "due_on")


@transaction.atomic
def report_done(deviation: Deviation, *, by: User, done_on: date, done_note: str) -> Deviation:
    """The institution says what it did; the office checks it. Of two who say so at once one is on record."""
    found = _of(deviation)
    require(access.may_report_correction(by, found))
    if found.state == DeviationState.DONE and found.done_by_id == by.pk and found.done_note == done_note:
        return found
    if found.state != DeviationState.CORRECTING:
        raise Refused(_NOT_NOW[DeviationState(found.state)]())
    refuse_future(done_on, "done_on")
    if done_on < found.found_on:
        raise Refused(_("It was not corrected before it was found."), "done_on")
    if not done_note.strip():
        raise Refused(_("Say what was done."), "done_note")
    found.state, found.done_on, found.done_note, found.done_by = DeviationState.DONE, done_on, done_note, by
    found.revision += 1
    return save(found)


_NOT_NOW = {
    DeviationState.OPEN: lambda: _("It is not said yet what is to be done."),
    DeviationState.DONE: lambda: _("A colleague reported already that it was corrected."),
    DeviationState.CLOSED: lambda: _("It is closed already."),
}


@transaction.atomic
def check(
    deviation: Deviation, *, by: User, is_corrected: bool, check_note: str, due_on: date | None = None
) -> Deviation:
    """The office looked: it is corrected and closed, or goes back with a new day. Whoever reported the correction does not
    check it."""
    found = _of(deviation)
    require(access.may_steer_deviation(by, found))
    if found.state == DeviationState.CLOSED and found.closed_by_id == by.pk and found.check_note == check_note:
        return found
    if found.state == DeviationState.CLOSED:
        raise Refused(_("It is closed already."))
    if found.state != DeviationState.DONE:
        raise Refused(_("Nobody has reported yet that it was corrected."))
    if found.done_by_id == by.pk:
        raise Refused(_("You reported the correction yourself; somebody else checks it."))
    _refuse_empty_check(check_note)
    found.checked_on, found.check_note = timezone.localdate(), check_note
    found.revision += 1
    if is_corrected:
        found.state, found.closed_by = DeviationState.CLOSED, by
        return save(found)
    _refuse_due(due_on, None)
    found.state, found.due_on, found.done_on, found.done_by = DeviationState.CORRECTING, due_on, None, None
    save(found)
    _tell(found, "again", by=by)
    return found


def _refuse_empty_check(check_note: str) -> None:
    if not check_note.strip():
        raise Refused(_("Say what the check found."), "check_note")


@transaction.atomic
def close_without_correction(deviation: Deviation, *, by: User, cause: str, check_note: str) -> Deviation:
    """Nothing is to be corrected, with the cause and the reason: it was done in time and recorded late, say."""
    found = _of(deviation)
    require(access.may_steer_deviation(by, found))
    if found.state == DeviationState.CLOSED:
        if found.closed_by_id == by.pk and found.check_note == check_note:
            return found
        raise Refused(_("It is closed already."))
    if found.state == DeviationState.DONE:
        raise Refused(_("It is reported as corrected: check it."))
    if cause not in Cause.values:
        raise Refused(_("Say the cause."), "cause")
    _refuse_empty_check(check_note)
    found.state, found.closed_by, found.cause = DeviationState.CLOSED, by, cause
    found.checked_on, found.check_note = timezone.localdate(), check_note
    found.revision += 1
    return save(found)


@transaction.atomic
def reopen(deviation: Deviation, *, by: User, reason: str, due_on: date | None) -> Deviation:
    """It was closed too early: it is to be corrected again, by a day. What had no correction yet is open again. Reopened
    twice is once."""
    found = _of(deviation)
    require(access.may_steer_deviation(by, found))
    if found.state != DeviationState.CLOSED:
        return found
    if not reason.strip():
        raise Refused(_("Say why it is opened again."), "reason")
    same_step: dict[str, Any] = {"step": None} if found.step is None else {"step__lineage": found.step.lineage}
    clash = Deviation.objects.open().filter(rule=found.rule, case=None, institution=found.institution_id, **same_step)
    if found.rule and found.case_id is None and clash.exists():
        raise Refused(_("The same pattern was found again meanwhile; go on with that record."))
    if found.action:
        _refuse_due(due_on, None)
        found.state, found.due_on = DeviationState.CORRECTING, due_on
    else:
        found.state = DeviationState.OPEN
    found.closed_by, found.done_on, found.done_by, found.check_note = None, None, None, reason
    found.revision += 1
    save(found)
    if found.state == DeviationState.CORRECTING:
        _tell(found, "again", by=by)
    return found


# When a case is destroyed


def forget_words(cases: Iterable[Case]) -> list[uuid.UUID]:
    """What people typed about deviations of these cases goes; rule, step, institution, days and cause stay and count. The
    keys of the deviations, whose history goes as well."""
    rows = Deviation.objects.filter(case__in=list(cases))
    keys = list(rows.values_list("pk", flat=True))
    gone = "-"  # where a word must stand
    rows.filter(rule="").update(what=gone)
    rows.exclude(action="").update(action=gone)
    rows.exclude(check_note="").update(check_note=gone)
    rows.update(cause_note="", done_note="", recorded_by=None, done_by=None, closed_by=None)
    return keys


# Mails


def _people(institution: uuid.UUID) -> Iterable[User]:
    """Who reports for an institution; of the office itself, whoever keeps cases."""
    holders = RoleAssignment.objects.active().filter(institution=institution, user__is_active=True)
    held = holders.filter(role__in=(*REPORTERS, Role.DIRECTOR, Role.MONITORING)).values("user")
    return User.objects.filter(pk__in=held).order_by("pk")


def _tell(deviation: Deviation, what: str, *, by: User) -> None:
    for person in _people(deviation.institution_id):
        if person.pk != by.pk:
            mail.queue(
                person,
                occasion=f"deviation {deviation.pk} {what} {deviation.revision} {person.pk}",
                template="deviation_to_correct",
                context={"deviation": deviation},
            )


def remind(today: date | None = None) -> int:
    """A correction that is not reported is spoken of twice: a week before it is due, and on the day after; each once, to
    whoever reports for the institution. How many mails."""
    today = today or timezone.localdate()
    near = Deviation.objects.filter(state=DeviationState.CORRECTING, due_on__lte=today + REMIND_BEFORE)
    sent = 0
    for deviation in near.order_by("due_on", "pk"):
        is_overdue = deviation.due_on is not None and deviation.due_on < today
        for person in _people(deviation.institution_id):
            sent += mail.queue(
                person,
                occasion=f"deviation {deviation.pk} {'overdue' if is_overdue else 'due'} {deviation.due_on} {person.pk}",
                template="deviation_due",
                context={"deviation": deviation, "is_overdue": is_overdue},
                kind=mail.Kind.REMINDER,
            )
    return sent
