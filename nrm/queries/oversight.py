"""What the rules of problems and the effects of adaptations are asked with: clocks, referrals and cases that wait."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from nrm import problems, survival
from nrm.models import (
    Case,
    Clock,
    ClockPause,
    ClockState,
    EventKind,
    Guardianship,
    Happening,
    Measured,
    Referral,
    ReferralState,
)
from nrm.problems import Ran

DAY = timedelta(days=1)
CENT = Decimal("0.01")
OVER = (ClockState.MET, ClockState.ENDED, ClockState.NOT_APPLICABLE)


def first_moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def of_real_cases(clocks: QuerySet[Clock]) -> QuerySet[Clock]:
    """A record that was entered twice is the other one's affair, and what does not apply is nobody's."""
    return clocks.filter(case__duplicate_of__isnull=True).exclude(state=ClockState.NOT_APPLICABLE)


def watched(clocks: QuerySet[Clock]) -> QuerySet[Clock]:
    """The rules of problems leave out what a file brought in: nobody could have mended it while it was late."""
    return of_real_cases(clocks).filter(case__is_imported=False)


def ran(clocks: QuerySet[Clock], now: datetime) -> Iterator[tuple[uuid.UUID | None, Any, uuid.UUID, Ran]]:
    """(who owes it, step, case, clock) of clocks that have a limit; two queries, however many there are."""
    pauses: dict[uuid.UUID, timedelta] = defaultdict(timedelta)
    stood = ClockPause.objects.filter(clock__in=clocks.values("pk"))
    for key, start, end in stood.values_list("clock", "starts_at", "ends_at"):
        pauses[key] += max((end or now) - start, timedelta())
    rows = clocks.filter(due_at__isnull=False).values_list(
        "pk", "owner", "step", "case", "started_at", "due_at", "state", "met_at", "ended_at"
    )
    for key, owner, step, case, started, due, state, met, ended in rows.iterator(chunk_size=2000):
        is_met = state == ClockState.MET
        over = met if is_met else ended if state in OVER else None
        if due is not None:
            yield owner, step, case, Ran(started, due, over, is_met, case, pauses.get(key, timedelta()))


@dataclass(frozen=True)
class Pattern:
    rule: str
    institution: uuid.UUID
    step: uuid.UUID | None
    figures: dict[str, int]


def patterns(now: datetime) -> list[Pattern]:
    """What the rules on many clocks and referrals find at this moment, by institution and step."""
    since = now - timedelta(days=problems.WINDOW_DAYS)
    clocks = watched(Clock.objects.filter(owner__isnull=False))
    found = []
    for rule, asked, chosen in (
        (problems.LATE, problems.late_often, clocks.filter(due_at__gte=since, due_at__lte=now)),
        (problems.LONG, problems.takes_too_long, clocks.filter(started_at__gte=since, started_at__lte=now)),
    ):
        groups: dict[tuple[Any, Any], list[Ran]] = defaultdict(list)
        for owner, step, _case, one in ran(chosen, now):
            groups[owner, step].append(one)
        for (owner, step), group in sorted(groups.items(), key=str):
            if (figures := asked(group, now)) is not None:
                found.append(Pattern(rule, owner, step, figures))
    late = Q(state=ReferralState.SENT, answer_due_at__lt=now)
    sent = Referral.objects.filter(
        sent_at__gte=since,
        sent_at__lte=now,
        addressee__isnull=False,
        case__duplicate_of__isnull=True,
        case__is_imported=False,
    ).exclude(state=ReferralState.WITHDRAWN)
    counted = (
        sent.order_by()
        .values("addressee")
        .annotate(
            referrals=Count("pk"),
            declined=Count("pk", filter=Q(state=ReferralState.DECLINED)),
            unanswered=Count("pk", filter=late),
        )
    )
    for addressee, referrals, declined, unanswered in counted.values_list(
        "addressee", "referrals", "declined", "unanswered"
    ):
        if (figures := problems.unanswered(declined, unanswered, referrals)) is not None:
            found.append(Pattern(problems.UNANSWERED, addressee, None, figures))
    return found


@dataclass(frozen=True)
class InCase:
    """A deviation of one case; `clock` and `step` are there where a clock shows it."""

    rule: str
    case: uuid.UUID
    institution: uuid.UUID
    municipality: str | None
    clock: uuid.UUID | None = None
    step: uuid.UUID | None = None


def in_cases(now: datetime) -> list[InCase]:
    """What the rules on single cases find at this moment; the repeated risk assessment stands before the clock that is far
    too late, since a clock is one deviation."""
    return [*_risk(now), *_far(now), *_guardian(now), *_reflection(now)]


def _open_clocks() -> QuerySet[Clock]:
    return watched(Clock.objects.filter(case__closed_on__isnull=True, state=ClockState.RUNNING))


def _risk(now: datetime) -> Iterator[InCase]:
    again = _open_clocks().filter(
        step__repeats=True, step__trigger=EventKind.RISK_ASSESSED, due_at__lt=now
    )  # problems.risk_not_repeated, asked of the database
    for one in again.select_related("case").order_by("due_at", "pk"):
        yield InCase(
            problems.RISK, one.case_id, one.owner_id or one.case.responsible_id, one.case.municipality_id, one.pk,
            one.step_id,
        )  # fmt: skip


def _far(now: datetime) -> Iterator[InCase]:
    """Of clocks that are late and run, or were met late within the window; a guardian and a reflection period have rules of
    their own."""
    since = now - timedelta(days=problems.WINDOW_DAYS)
    late = Q(state=ClockState.RUNNING, due_at__lt=now, case__closed_on__isnull=True) | Q(
        state=ClockState.MET, met_at__gte=since, met_at__gt=F("due_at")
    )
    clocks = watched(Clock.objects.filter(late)).filter(due_at__isnull=False)
    clocks = clocks.exclude(step__met_by__overlap=[EventKind.GUARDIAN_NAMED, EventKind.REFLECTION_STARTED])
    stood: dict[uuid.UUID, timedelta] = defaultdict(timedelta)
    for key, start, end in ClockPause.objects.filter(clock__in=clocks.values("pk")).values_list(
        "clock", "starts_at", "ends_at"
    ):
        stood[key] += max((end or now) - start, timedelta())
    for one in clocks.select_related("case").order_by("due_at", "pk").iterator(chunk_size=1000):
        clock = Ran(one.started_at, one.due_at, one.met_at, one.met_at is not None, one.case_id, stood[one.pk])  # type: ignore[arg-type]
        if problems.far_too_late(clock, now):
            yield InCase(
                problems.FAR, one.case_id, one.owner_id or one.case.responsible_id, one.case.municipality_id, one.pk,
                one.step_id,
            )  # fmt: skip


def _waiting(kind: str, done: Any, until: datetime, **also: Any) -> Iterator[tuple[Case, datetime]]:
    """Open cases in which something happened by `until`, and what should have followed did not; with its first moment."""
    events = (
        Happening.objects.filter(
            kind=kind,
            struck_at__isnull=True,
            happened_at__lt=until,
            case__closed_on__isnull=True,
            case__duplicate_of__isnull=True,
            case__is_imported=False,
            **also,
        )
        .exclude(Exists(done))
        .select_related("case")
        .order_by("case_id", "happened_at", "pk")
    )
    for one in events.distinct("case_id"):
        # Nobody is made late by an hour that nobody knows.
        yield one.case, one.happened_at if one.has_time else first_moment(one.happened_on + DAY)


def _guardian(now: datetime) -> Iterator[InCase]:
    done = Guardianship.objects.filter(case=OuterRef("case"))
    until = now - timedelta(hours=problems.GUARDIAN_HOURS)
    for case, since in _waiting(EventKind.CHILD, done, until, case__is_child_procedure=True):
        if problems.without_guardian(since, now):
            yield InCase(problems.GUARDIAN, case.pk, case.responsible_id, case.municipality_id)


def _reflection(now: datetime) -> Iterator[InCase]:
    done = Happening.objects.filter(
        case=OuterRef("case"),
        struck_at__isnull=True,
        kind__in=(
            EventKind.REFLECTION_OFFERED, EventKind.REFLECTION_STARTED, EventKind.REFLECTION_WAIVED,
            EventKind.IDENTIFIED, EventKind.NOT_VICTIM, EventKind.WITHDREW, EventKind.DISCONTINUED,
        ),
    )  # fmt: skip
    until = now - timedelta(days=problems.REFLECTION_DAYS)
    for case, since in _waiting(EventKind.PRESUMED, done, until):
        if problems.reflection_not_offered(since, now):
            yield InCase(problems.REFLECTION, case.pk, case.responsible_id, case.municipality_id)


# The effect of an adaptation


def measured(measure: str, lineage: uuid.UUID, start: date, end: date, now: datetime) -> tuple[Decimal | None, int]:
    """The value of a measure over the clocks of a step that started from `start` to before `end`, and in how many cases.

    IN_TIME is the share done within the limit, in per cent; MEDIAN the days in which half of them did it; both count what
    still runs for as long as it has run (nrm/survival.py). Two decimals, half up; None when the clocks give no value.
    """
    clocks = of_real_cases(Clock.objects.filter(step__lineage=lineage)).filter(
        started_at__gte=first_moment(start), started_at__lt=first_moment(end)
    )
    seen = [one for _owner, _step, _case, one in ran(clocks, now) if one.limit or measure == Measured.MEDIAN]
    value: Any
    if measure == Measured.IN_TIME:
        observed = [(Fraction(one.took(now) / one.limit), one.is_met) for one in seen]
        value = survival.done_by(observed, Fraction(1)).done
        value = None if value is None else value * 100
    else:
        value = survival.quantile([(Fraction(one.took(now) / DAY), one.is_met) for one in seen], Fraction(1, 2)).value
    cases = len({one.case for one in seen})
    if value is None:
        return None, cases
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(CENT, ROUND_HALF_UP), cases
