"""What the rules of problems and the effects of adaptations are asked with: clocks, referrals and cases that wait."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from nrm import problems, survival
from nrm.models import (
    Clock,
    ClockPause,
    ClockState,
    Deviation,
    EventKind,
    Guardianship,
    Happening,
    Measured,
    Referral,
    ReferralState,
    SopState,
    SopStep,
)
from nrm.problems import Ran

DAY = timedelta(days=1)
PIECE = 1000  # rows that are read at a time
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


def with_pauses(clocks: Any) -> Any:
    """With `stood`, how long a clock stood still in pauses that are over, and `stands_since`, since when it stands still now:
    asked with the clock itself, so that pauses are never read for all clocks at once."""
    of_clock = ClockPause.objects.filter(clock=OuterRef("pk")).order_by().values("clock")
    over = of_clock.filter(ends_at__isnull=False).annotate(length=Sum(F("ends_at") - F("starts_at")))
    now = ClockPause.objects.filter(clock=OuterRef("pk"), ends_at__isnull=True)
    return clocks.annotate(stood=Subquery(over.values("length")), stands_since=Subquery(now.values("starts_at")[:1]))


def ran(clocks: QuerySet[Clock], now: datetime) -> Iterator[tuple[uuid.UUID | None, Any, uuid.UUID, Ran]]:
    """(who owes it, lineage of the step, case, clock) of clocks that have a limit, in the order of `clocks`; one query, read in
    pieces. What stands still now is owed later by as long as it has stood."""
    rows = with_pauses(clocks.filter(due_at__isnull=False))
    for owner, lineage, case, is_child, started, due, state, met, ended, stood, since in rows.values_list(
        "owner",
        "step__lineage",
        "case",
        "case__is_child_procedure",
        "started_at",
        "due_at",
        "state",
        "met_at",
        "ended_at",
        "stood",
        "stands_since",
    ).iterator(chunk_size=2000):
        is_met = state == ClockState.MET
        over = met if is_met else ended if state in OVER else None
        stands = max(now - since, timedelta()) if since is not None and over is None else timedelta()
        stood = (stood or timedelta()) + stands
        yield owner, lineage, case, Ran(started, due + stands, over, is_met, case, stood, is_child)


@dataclass(frozen=True)
class Pattern:
    rule: str
    institution: uuid.UUID
    step: uuid.UUID | None  # as the version in force has it
    lineage: uuid.UUID | None
    figures: dict[str, int]


def patterns(now: datetime) -> list[Pattern]:
    """What the rules on many clocks and referrals find at this moment, by institution and step: the same step in whatever
    version. Four queries; the clocks of one institution and step are in memory at a time."""
    since = now - timedelta(days=problems.WINDOW_DAYS)
    adopted = SopStep.objects.filter(
        version__state=SopState.ADOPTED, version__in_force_from__lte=timezone.localdate(now)
    )
    latest = dict(adopted.order_by("version__in_force_from").values_list("lineage", "pk"))
    clocks = watched(Clock.objects.filter(owner__isnull=False))
    found = []
    for rule, asked, chosen in (
        (problems.LATE, problems.late_often, clocks.filter(due_at__gte=since, due_at__lte=now)),
        (problems.LONG, problems.takes_too_long, clocks.filter(started_at__gte=since, started_at__lte=now)),
    ):
        in_order = chosen.order_by("owner", "step__lineage", "pk")
        for (owner, lineage), group in groupby(ran(in_order, now), key=lambda one: one[:2]):
            if owner is not None and (figures := asked([one[3] for one in group], now)) is not None:
                found.append(Pattern(rule, owner, latest[lineage], lineage, figures))
    late = Q(state=ReferralState.SENT, answer_due_at__lt=now)
    sent = Referral.objects.filter(
        sent_at__gte=since,
        sent_at__lte=now,
        addressee__isnull=False,
        case__duplicate_of__isnull=True,
        case__is_imported=False,
    ).exclude(state=ReferralState.WITHDRAWN)
    declined, child = Q(state=ReferralState.DECLINED), Q(case__is_child_procedure=True)
    counted = sent.order_by().values_list("addressee").annotate(
        all=Count("pk"), declined=Count("pk", filter=declined), silent=Count("pk", filter=late),
        part_children=Count("pk", filter=child & (declined | late)), children=Count("pk", filter=child),
    )  # fmt: skip
    for addressee, referrals, refused, silent, *of_children in counted:
        if (figures := problems.unanswered(refused, silent, referrals, tuple(of_children))) is not None:
            found.append(Pattern(problems.UNANSWERED, addressee, None, None, figures))
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


def in_cases() -> tuple[Callable[[datetime], Iterator[InCase]], ...]:
    """The rules on single cases, each to be asked for what it finds at a moment and nobody has recorded yet, in one query that
    is read in pieces. The repeated risk assessment stands before the clock that is far too late, since a clock is one
    deviation: what one rule found is recorded before the next is asked."""
    return (_risk, _far, _guardian, _reflection)


WHERE = ("case", "owner", "case__responsible", "case__municipality", "pk", "step")


def _unrecorded(clocks: Any) -> Any:
    return watched(clocks).exclude(Exists(Deviation.objects.filter(clock=OuterRef("pk")))).order_by("due_at", "pk")


def _risk(now: datetime) -> Iterator[InCase]:
    again = Clock.objects.filter(
        state=ClockState.RUNNING, case__closed_on__isnull=True, step__repeats=True,
        step__trigger=EventKind.RISK_ASSESSED, due_at__lt=now,
    )  # problems.risk_not_repeated, asked of the database  # fmt: skip
    for case, owner, responsible, place, clock, step in _unrecorded(again).values_list(*WHERE).iterator(PIECE):
        yield InCase(problems.RISK, case, owner or responsible, place, clock, step)


def _far(now: datetime) -> Iterator[InCase]:
    """Of clocks that are late and run, or were met late within the window; a guardian and a reflection period have rules of
    their own."""
    since = now - timedelta(days=problems.WINDOW_DAYS)
    late = Q(state=ClockState.RUNNING, due_at__lt=now, case__closed_on__isnull=True) | Q(
        state=ClockState.MET, met_at__gte=since, met_at__gt=F("due_at")
    )
    clocks = _unrecorded(with_pauses(Clock.objects.filter(late, due_at__isnull=False)))
    clocks = clocks.exclude(step__met_by__overlap=[EventKind.GUARDIAN_NAMED, EventKind.REFLECTION_STARTED])
    for case, owner, responsible, place, pk, step, started, due, met, stood in clocks.values_list(
        *WHERE, "started_at", "due_at", "met_at", "stood"
    ).iterator(PIECE):
        clock = Ran(started, due, met, met is not None, case, stood or timedelta())
        if problems.far_too_late(clock, now):
            yield InCase(problems.FAR, case, owner or responsible, place, pk, step)


def _waiting(rule: str, kind: str, done: Any, until: datetime, **also: Any) -> Iterator[tuple[InCase, datetime]]:
    """Open cases in which something happened by `until`, and what should have followed did not; with its first moment."""
    known = Deviation.objects.filter(rule=rule, case=OuterRef("case"), clock__isnull=True)
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
        .exclude(Exists(known))
        .order_by("case_id", "happened_at", "pk")
        .distinct("case_id")
    )
    for case, responsible, place, at, has_time in events.values_list(
        "case", "case__responsible", "case__municipality", "happened_at", "has_time"
    ).iterator(PIECE):
        # Nobody is made late by an hour that nobody knows.
        since = at if has_time else first_moment(timezone.localdate(at) + DAY)
        yield InCase(rule, case, responsible, place), since


def _guardian(now: datetime) -> Iterator[InCase]:
    done = Guardianship.objects.filter(case=OuterRef("case"))
    until = now - timedelta(hours=problems.GUARDIAN_HOURS)
    for one, since in _waiting(problems.GUARDIAN, EventKind.CHILD, done, until, case__is_child_procedure=True):
        if problems.without_guardian(since, now):
            yield one


def _reflection(now: datetime) -> Iterator[InCase]:
    done = Happening.objects.filter(
        case=OuterRef("case"),
        struck_at__isnull=True,
        kind__in=(
            EventKind.REFLECTION_OFFERED, EventKind.REFLECTION_STARTED, EventKind.REFLECTION_WAIVED,
            EventKind.IDENTIFIED, EventKind.NOT_PRESUMED, EventKind.NOT_VICTIM, EventKind.WITHDREW,
            EventKind.DISCONTINUED,
        ),
    )  # fmt: skip
    until = now - timedelta(days=problems.REFLECTION_DAYS)
    for one, since in _waiting(problems.REFLECTION, EventKind.PRESUMED, done, until):
        if problems.reflection_not_offered(since, now):
            yield one


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
