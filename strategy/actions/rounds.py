"""The life of a reporting round: scheduled, open, closed; and its reminders."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.dated_settings import SettingName, holidays_between, next_working_day, setting
from onatc.errors import Refused, require
from onatc.periods import Period
from stakeholders.models import REPORTERS, Institution, RoleAssignment, User
from strategy import access
from strategy.actions.indicators import asked_of
from strategy.actions.signals import refresh
from strategy.actions.verification import draw_sample
from strategy.models import (
    FINAL_STATES,
    EntryState,
    Measure,
    MeasureState,
    Plan,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    RequestedIndicator,
    Round,
    RoundState,
    VersionState,
)


def schedule_round(plan: Plan, period: Period, *, by: User | None, due_on: date) -> Round:
    """Plan a round; it opens by itself on the day after its period ends, or earlier by hand."""
    if by is not None:
        require(access.may_manage_rounds(by))
    if due_on <= period.end:
        raise Refused(_("The due date must lie after the period."))
    if period.end < plan.starts_on or period.start > plan.ends_on:
        raise Refused(_("The period lies outside the plan."))
    try:
        with transaction.atomic():
            return Round.objects.create(plan=plan, starts_on=period.start, ends_on=period.end, due_on=due_on)
    except IntegrityError as error:
        raise Refused(_("There is a round for this period already.")) from error


@transaction.atomic
def open_round(round_: Round, *, by: User | None, at: datetime | None = None) -> None:
    """Ask every lead institution for progress on each measure that runs, with wording and targets as of now.

    `by` is None for beat; `at` is the moment on record, now unless told.
    """
    if by is not None:
        require(access.may_manage_rounds(by))
    moment = at or timezone.now()
    round_ = Round.objects.select_for_update(of=("self",)).select_related("plan").get(pk=round_.pk)
    if round_.state != RoundState.SCHEDULED:
        raise Refused(_("The round was opened already."))
    if round_.starts_on > timezone.localdate(moment):
        raise Refused(_("The period has not begun yet."))
    if Round.objects.filter(plan=round_.plan, state=RoundState.OPEN).exists():
        raise Refused(_("Another round of this plan is open. Close it first."))
    version = PlanVersion.objects.filter(plan=round_.plan, state=VersionState.ADOPTED).first()
    if version is None:
        raise Refused(_("The plan was not adopted yet; there is nothing to report on."))
    round_.version, round_.state, round_.opened_at = version, RoundState.OPEN, moment
    try:
        with transaction.atomic():
            round_.save(update_fields=["version", "state", "opened_at"])
    except IntegrityError as error:
        raise Refused(_("Another round of this plan is open. Close it first.")) from error
    _ask(round_, version)


def _ask(round_: Round, version: PlanVersion) -> None:
    measures = list(
        Measure.objects.filter(version=version, starts_on__lte=round_.ends_on)
        .exclude(state__in=[MeasureState.COMPLETED, MeasureState.DROPPED])
        .prefetch_related("indicators__targets", "partnerships")
    )
    requests: list[ProgressRequest] = []
    indicators: list[RequestedIndicator] = []
    for measure in measures:
        request = ProgressRequest(
            round=round_,
            measure=measure,
            institution_id=measure.lead_id,
            measure_code=measure.code,
            measure_title_sq=measure.title_sq,
            measure_title_sr=measure.title_sr,
            measure_title_en=measure.title_en,
            measure_ends_on=measure.ends_on,
        )
        requests.append(request)
        more, copies = asked_of({measure.lead_id: request}, measure, round_)
        requests += more
        indicators += copies
    ProgressRequest.objects.bulk_create(requests, batch_size=1_000)
    RequestedIndicator.objects.bulk_create(indicators, batch_size=1_000)


@transaction.atomic
def close_round(round_: Round, *, by: User | None, at: datetime | None = None) -> None:
    """No more submissions; drafts stay drafts and can be read, what was submitted can still be accepted."""
    if by is not None:
        require(access.may_manage_rounds(by))
    round_ = Round.objects.select_for_update(of=("self",)).get(pk=round_.pk)
    if round_.state != RoundState.OPEN:
        raise Refused(_("Only an open round can be closed."))
    round_.state, round_.closed_at = RoundState.CLOSED, at or timezone.now()
    round_.save(update_fields=["state", "closed_at"])
    refresh(Measure.objects.filter(version=round_.version), [round_.period])
    draw_sample(round_, by=None)


def usual_due_date(period: Period) -> date:
    """The due date by the setting in force at the period's end (practice: fifteen days after the quarter); when the office
    is closed on that day, the next day on which it is open."""
    day = period.end + timedelta(days=setting(SettingName.DUE_DAYS, period.end))
    return next_working_day(day, holidays_between(day, day + timedelta(days=31)))


def open_due_rounds(*, on: date | None = None) -> int:
    """Open each scheduled round whose period is over; what cannot open yet waits. Returns how many were opened."""
    day = on or timezone.localdate()
    opened = 0
    for round_ in Round.objects.filter(state=RoundState.SCHEDULED, ends_on__lt=day).order_by("ends_on"):
        try:
            open_round(round_, by=None)
            opened += 1
        except Refused:
            continue
    return opened


# Reminders


def reminder_days(due_on: date) -> list[date]:
    """The days on which a reminder goes out: a week before, on the day, three days after, then weekly for eight weeks."""
    after = [due_on + timedelta(days=3 + 7 * week) for week in range(9)]
    return [due_on - timedelta(days=7), due_on, *after]


def remind(*, on: date | None = None) -> int:
    """One mail a person for each open round that has an occasion by now, listing all that the person owes.

    Run as often as you like: an occasion is served once. After days without a run, only the newest occasion is served.
    """
    day = on or timezone.localdate()
    queued = 0
    for round_ in Round.objects.filter(state=RoundState.OPEN).select_related("plan"):
        passed = [occasion for occasion in reminder_days(round_.due_on) if occasion <= day]
        if passed and day - passed[-1] <= timedelta(days=6):
            queued += _remind_round(round_, occasion=passed[-1].isoformat(), day=day)
    return queued


def remind_institution(round_: Round, institution: Institution, *, by: User) -> int:
    """Remind one institution now; at most once a day however often it is pressed."""
    require(access.may_manage_rounds(by) or access.may_review(by))
    if round_.state != RoundState.OPEN:
        raise Refused(_("Only in an open round is there something to remind of."))
    day = timezone.localdate()
    return _remind_round(round_, occasion=f"by-hand-{day.isoformat()}", day=day, only=institution.pk)


def _remind_round(round_: Round, *, occasion: str, day: date, only: uuid.UUID | None = None) -> int:
    handed_in = ProgressEntry.objects.filter(
        request__round=round_, state__in=[EntryState.SUBMITTED, *FINAL_STATES]
    ).values("request")
    owed: dict[uuid.UUID, list[ProgressRequest]] = defaultdict(list)
    requests = (
        ProgressRequest.objects.filter(round=round_)
        .exclude(pk__in=handed_in)
        .order_by("measure__position")
        .select_related("institution")
    )
    for request in requests:
        owed[request.institution_id].append(request)
    if only is not None:
        owed = defaultdict(list, {only: owed.get(only, [])})
    queued = 0
    for user, institutions in reporters_of(owed).items():
        items = [request for institution in institutions for request in owed[institution]]
        if items:
            queued += mail.queue(
                user,
                occasion=f"reminder:{round_.pk}:{occasion}:{user.pk}",
                template="reminder",
                context={"round": round_, "requests": items, "days": (round_.due_on - day).days},
                kind=mail.Kind.REMINDER,
            )
    return queued


def reporters_of(institutions: Iterable[uuid.UUID]) -> dict[Any, list[uuid.UUID]]:
    """Who reports today for which of the institutions; each person once."""
    found: dict[User, list[uuid.UUID]] = defaultdict(list)
    for assignment in (
        RoleAssignment.objects.active()
        .filter(role__in=REPORTERS, institution__in=list(institutions), user__is_active=True)
        .select_related("user")
        .order_by("user__email")
    ):
        if assignment.institution_id not in found[assignment.user]:
            found[assignment.user].append(assignment.institution_id)
    return found
