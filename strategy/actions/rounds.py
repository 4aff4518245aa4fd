"""The life of a reporting round: scheduled, open, closed; and its reminders."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.dated_settings import SettingName, due_day, setting
from onatc.errors import Refused, require
from onatc.periods import Period
from stakeholders.models import REPORTERS, Institution, RoleAssignment, User
from strategy import access
from strategy.actions.indicators import asked_of, reporter_of, request_for, requested
from strategy.actions.signals import refresh
from strategy.actions.verification import draw_sample
from strategy.due import period_of, periods_to_schedule
from strategy.indicators import is_due
from strategy.models import (
    EntryState,
    Measure,
    MeasurePartner,
    MeasureState,
    Plan,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    RequestedIndicator,
    Round,
    RoundSeries,
    RoundState,
    VersionState,
)


def schedule_round(
    plan: Plan, period: Period, *, by: User | None, due_on: date, series: RoundSeries | None = None
) -> Round:
    """Plan a round; it opens by itself on the day after its period ends, or earlier by hand. A round of a period that has
    not begun can be scheduled and not opened."""
    if by is not None:
        require(access.may_manage_rounds(by))
    if due_on <= period.end:
        raise Refused(_("The due date must lie after the period."))
    if period.end < plan.starts_on or period.start > plan.ends_on:
        raise Refused(_("The period lies outside the plan."))
    if series is not None and series.plan_id != plan.pk:
        raise Refused(_("The series belongs to another plan."))
    if series is not None and period != period_of(series.frequency, period.start):
        raise Refused(_("The period is not one of the series."))
    try:
        with transaction.atomic():
            return Round.objects.create(
                plan=plan, series=series, starts_on=period.start, ends_on=period.end, due_on=due_on
            )
    except IntegrityError as error:
        raise Refused(_("There is a round for this period already.")) from error


@transaction.atomic
def save_series(series: RoundSeries, *, by: User) -> RoundSeries:
    """Keep a new or changed template of rounds. Rounds that are there keep the due day they have."""
    require(access.may_manage_rounds(by))
    if series._state.adding:
        if not Plan.objects.filter(pk=series.plan_id).exists():
            raise Refused(_("There is no such plan."))
    else:
        kept = RoundSeries.objects.select_for_update(of=("self",)).get(pk=series.pk)
        if (kept.plan_id, kept.frequency) != (series.plan_id, series.frequency) and kept.rounds.exists():
            raise Refused(_("The series has rounds already; its plan and how often it comes stay."))
    try:
        with transaction.atomic():
            series.save()
    except IntegrityError as error:
        raise Refused(_("The plan has such a series already.")) from error
    return series


def schedule_series(*, on: date | None = None) -> int:
    """Schedule the round of the running period for each series in use, and those missed since its newest one. Returns how
    many were scheduled; run again it schedules nothing more."""
    day = on or timezone.localdate()
    scheduled = 0
    for series in RoundSeries.objects.filter(is_active=True).select_related("plan").order_by("plan__code", "frequency"):
        newest = Round.objects.filter(series=series).order_by("-ends_on").first()
        for period in periods_to_schedule(
            series.frequency,
            newest.period if newest else None,
            starts_on=series.plan.starts_on,
            ends_on=series.plan.ends_on,
            today=day,
        ):
            try:
                schedule_round(
                    series.plan, period, by=None, due_on=usual_due_date(period, series.due_days), series=series
                )
                scheduled += 1
            except Refused:  # by hand, with or without the series
                continue
    return scheduled


@transaction.atomic
def open_round(round_: Round, *, by: User | None, at: datetime | None = None) -> None:
    """Ask every lead institution for progress on each measure that runs, with wording and targets as of now; where the
    series says so, each partner for its part.

    `by` is None for beat; `at` is the moment on record, now unless told.
    """
    if by is not None:
        require(access.may_manage_rounds(by))
    moment = at or timezone.now()
    round_ = Round.objects.select_for_update(of=("self",)).select_related("plan", "series").get(pk=round_.pk)
    if round_.state != RoundState.SCHEDULED:
        raise Refused(_("The round was opened already."))
    if round_.starts_on > timezone.localdate(moment):
        raise Refused(_("The period has not begun yet."))
    version = PlanVersion.objects.filter(plan=round_.plan, state=VersionState.ADOPTED).first()
    if version is None:
        raise Refused(_("The plan was not adopted yet; there is nothing to report on."))
    round_.version, round_.state, round_.opened_at = version, RoundState.OPEN, moment
    _save_open(round_, ["version", "state", "opened_at"])
    _ask(round_, version)


def _save_open(round_: Round, fields: list[str]) -> None:
    """Of each series, and of the rounds of a plan without one, one is open at a time; the database has the last word."""
    if Round.objects.filter(plan=round_.plan_id, series=round_.series_id, state=RoundState.OPEN).exists():
        raise Refused(_("Another round of this series is open. Close it first."))
    try:
        with transaction.atomic():
            round_.save(update_fields=fields)
    except IntegrityError as error:
        raise Refused(_("Another round of this series is open. Close it first.")) from error


def _ask(round_: Round, version: PlanVersion) -> None:
    measures = list(
        Measure.objects.filter(version=version, starts_on__lte=round_.ends_on)
        .exclude(state__in=[MeasureState.COMPLETED, MeasureState.DROPPED])
        .prefetch_related(
            "indicators__targets",
            Prefetch("partnerships", MeasurePartner.objects.select_related("institution")),
        )
    )
    asks_partners = round_.series is not None and round_.series.asks_partners
    requests: list[ProgressRequest] = []
    indicators: list[RequestedIndicator] = []
    for measure in measures:
        asked = {measure.lead_id: request_for(round_, measure, measure.lead_id)}
        for partner in measure.partnerships.all() if asks_partners else ():
            dissolved_on = partner.institution.dissolved_on
            if partner.institution_id != measure.lead_id and (dissolved_on is None or dissolved_on >= round_.ends_on):
                asked[partner.institution_id] = request_for(round_, measure, partner.institution_id, partner)
        indicators += asked_of(asked, measure, round_)
        requests += asked.values()
    ProgressRequest.objects.bulk_create(requests, batch_size=1_000)
    RequestedIndicator.objects.bulk_create(indicators, batch_size=1_000)


def ask(request: ProgressRequest) -> None:
    """Keep a request that is made besides, with the indicators that its institution reports."""
    request.save(force_insert=True)
    RequestedIndicator.objects.bulk_create(
        requested(request, indicator, request.round.ends_on)
        for indicator in request.measure.indicators.all()
        if is_due(indicator.frequency, request.round.period)
        and reporter_of(indicator, request.measure) == request.institution_id
    )


@transaction.atomic
def close_round(round_: Round, *, by: User | None, at: datetime | None = None) -> None:
    """No more submissions; drafts stay drafts and can be read, what was submitted can still be accepted. Whoever was
    writing is told that the text is kept and was not handed in."""
    if by is not None:
        require(access.may_manage_rounds(by))
    round_ = Round.objects.select_for_update(of=("self",)).get(pk=round_.pk)
    if round_.state != RoundState.OPEN:
        raise Refused(_("Only an open round can be closed."))
    round_.state, round_.closed_at = RoundState.CLOSED, at or timezone.now()
    round_.save(update_fields=["state", "closed_at"])
    _tell_writers(round_)
    refresh(Measure.objects.filter(version=round_.version), [round_.period])
    draw_sample(round_, by=None)


def _tell_writers(round_: Round) -> None:
    assert round_.closed_at is not None
    if timezone.now() - round_.closed_at > timedelta(days=1):
        return  # brought in from the past: nobody is told today
    drafts: dict[User, list[ProgressEntry]] = defaultdict(list)
    for entry in (
        ProgressEntry.objects.filter(request__round=round_, state=EntryState.DRAFT, corrects__isnull=True)
        .select_related("author", "request")
        .order_by("request__measure__position")
    ):
        drafts[entry.author].append(entry)
    for user, entries in drafts.items():
        mail.queue(
            user,
            occasion=f"round-closed:{round_.pk}:{round_.closed_at.isoformat()}:{user.pk}",
            template="round_closed",
            context={"round": round_, "entries": entries},
            kind=mail.Kind.REMINDER,
        )


@transaction.atomic
def reopen_round(
    round_: Round,
    *,
    by: User,
    reason: str,
    until: date | None = None,
    institutions: Collection[uuid.UUID] = (),
    at: datetime | None = None,
) -> None:
    """Open a closed round again, with the reason on record: for all, or for the named institutions alone. With `until`,
    what they have not handed in is owed by that day."""
    require(access.may_manage_rounds(by))
    moment = at or timezone.now()
    round_ = Round.objects.select_for_update(of=("self",)).get(pk=round_.pk)
    if round_.state != RoundState.CLOSED:
        raise Refused(_("Only a closed round is opened again."))
    if not reason.strip():
        raise Refused(_("Say why the round is opened again."))
    if until is not None and until < timezone.localdate(moment):
        raise Refused(_("The new day lies in the past."))
    asked = set(round_.requests.values_list("institution", flat=True))
    if not set(institutions) <= asked:
        raise Refused(_("An institution was asked nothing in this round."))
    round_.state, round_.reopened_at, round_.reopening_reason = RoundState.OPEN, moment, reason.strip()
    round_.reopened_for = sorted(institutions)
    _save_open(round_, ["state", "reopened_at", "reopening_reason", "reopened_for"])
    requests = unanswered(round_)
    if institutions:
        requests = requests.filter(institution__in=list(institutions))
    if until is not None:
        earlier = Q(extended_until__isnull=True, round__due_on__lt=until) | Q(extended_until__lt=until)
        ProgressRequest.objects.filter(earlier, pk__in=list(requests.values_list("pk", flat=True))).update(
            extended_until=until
        )
    owing = set(requests.values_list("institution", flat=True))
    for user in reporters_of(owing):
        mail.queue(
            user,
            occasion=f"round-reopened:{round_.pk}:{moment.isoformat()}:{user.pk}",
            template="round_reopened",
            context={"round": round_, "until": until},
            kind=mail.Kind.REMINDER,
        )


def unanswered(round_: Round) -> QuerySet[ProgressRequest]:
    """What is still asked for in a round and was not handed in."""
    return ProgressRequest.objects.filter(round=round_, waived_reason="", is_handed_in=False)


def usual_due_date(period: Period, days: int | None = None) -> date:
    """The due date by the series' number of days, or by the setting in force at the period's end (practice: fifteen days
    after the quarter), moved as `due_day` says when the office is closed on it."""
    if days is None:
        days = setting(SettingName.DUE_DAYS, period.end)
    return due_day(period.end + timedelta(days=days))


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


def occasion_on(due_on: date, day: date) -> date | None:
    """The newest day of a reminder that is not older than six days; None when none is."""
    passed = [occasion for occasion in reminder_days(due_on) if occasion <= day]
    return passed[-1] if passed and day - passed[-1] <= timedelta(days=6) else None


def remind(*, on: date | None = None) -> int:
    """One mail a person for each open round that has an occasion by now, listing all that the person owes, each with the
    day by which it is owed.

    Run as often as you like: an occasion is served once. After days without a run, only the newest occasion is served.
    """
    day = on or timezone.localdate()
    queued = 0
    for round_ in Round.objects.filter(state=RoundState.OPEN).select_related("plan"):
        for user, requests in _owed_by_person(round_).items():
            occasions = {occasion_on(due_on, day) for due_on in {request.due_on for request in requests}} - {None}
            if occasions:
                newest = max(one for one in occasions if one)
                queued += _remind(user, round_, requests, occasion=newest.isoformat(), day=day)
    return queued


def remind_institution(round_: Round, institution: Institution, *, by: User) -> int:
    """Remind one institution now; at most once a day however often it is pressed."""
    require(access.may_manage_rounds(by) or access.may_review(by))
    if round_.state != RoundState.OPEN:
        raise Refused(_("Only in an open round is there something to remind of."))
    day = timezone.localdate()
    return sum(
        _remind(user, round_, requests, occasion=f"by-hand-{day.isoformat()}", day=day)
        for user, requests in _owed_by_person(round_, only=institution.pk).items()
    )


def _owed_by_person(round_: Round, *, only: uuid.UUID | None = None) -> dict[User, list[ProgressRequest]]:
    owed: dict[uuid.UUID, list[ProgressRequest]] = defaultdict(list)
    for request in unanswered(round_).order_by("measure__position").select_related("institution", "delegated_to"):
        request.round = round_
        if request.is_open and only in (None, request.institution_id):
            owed[request.institution_id].append(request)
    return {
        user: [request for institution in institutions for request in owed[institution]]
        for user, institutions in reporters_of(owed).items()
    }


def _remind(user: User, round_: Round, requests: list[ProgressRequest], *, occasion: str, day: date) -> int:
    due_on = min(request.due_on for request in requests)
    return mail.queue(
        user,
        occasion=f"reminder:{round_.pk}:{occasion}:{user.pk}",
        template="reminder",
        context={"round": round_, "requests": requests, "due_on": due_on, "days": (due_on - day).days},
        kind=mail.Kind.REMINDER,
    )


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
