"""What the rules of the clocks are asked with: versions, events and facts, of many cases in as many queries as of one."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from nrm import clocks
from nrm.models import (
    Case,
    EventKind,
    FollowUp,
    Happening,
    ReflectionEvent,
    ReflectionKind,
    RiskAssessment,
    SopState,
    SopStep,
    SopVersion,
)
from onatc.models import Holiday

HOME = "XK"
NO_COUNTRY = {"", "CIT_U"}  # nothing is known of the citizenship


def as_step(row: SopStep) -> clocks.Step:
    return clocks.Step(
        key=row.pk,
        lineage=row.lineage,
        number=row.number,
        trigger=row.trigger,
        met_by=tuple(row.met_by),
        unit=row.unit,
        amounts=tuple(row.amounts),
        before=row.before,
        repeats=row.repeats,
        ends_on=tuple(row.ends_on),
        pauses_on=tuple(row.pauses_on),
        resumes_on=tuple(row.resumes_on),
        who=row.who,
        foreigners_only=row.foreigners_only,
        applies_risk=tuple(row.applies_risk),
        applies_forms=tuple(row.applies_forms),
    )


def as_version(version: SopVersion, rows: Iterable[SopStep], start: date) -> clocks.Version:
    return clocks.Version(start, tuple(as_step(row) for row in rows))


def versions_in_force() -> tuple[list[clocks.Version], dict[Any, SopStep]]:
    """The adopted versions as the rules see them, and their steps by key."""
    adopted = {
        one.pk: one.in_force_from
        for one in SopVersion.objects.filter(state=SopState.ADOPTED)
        if one.in_force_from is not None
    }
    by_version: dict[Any, list[SopStep]] = defaultdict(list)
    steps = {}
    for row in SopStep.objects.filter(version__in=adopted).order_by("number"):
        by_version[row.version_id].append(row)
        steps[row.pk] = row
    found = [clocks.Version(start, tuple(map(as_step, by_version[pk]))) for pk, start in adopted.items()]
    return found, steps


@dataclass
class Given:
    """The events and facts of cases, by the key of the case."""

    events: dict[uuid.UUID, list[clocks.Event]] = field(default_factory=lambda: defaultdict(list))
    facts: dict[uuid.UUID, clocks.Facts] = field(default_factory=dict)
    kinds: dict[uuid.UUID, str] = field(default_factory=dict)  # of an event
    by_whom: dict[uuid.UUID, Any] = field(default_factory=dict)  # the institution for which an event was recorded


def given(cases: Sequence[Case]) -> Given:
    """Four queries, however many cases."""
    keys, found = [one.pk for one in cases], Given()
    follow_ups = dict(FollowUp.objects.filter(case__in=keys, done_on__isnull=False).values_list("pk", "months"))
    happened = Happening.objects.filter(case__in=keys, struck_at__isnull=True).order_by()
    for pk, case, kind, at, has_time, record, institution in happened.values_list(
        "pk", "case_id", "kind", "happened_at", "has_time", "record", "recorded_for_id"
    ):
        amount = follow_ups.get(record) if kind == EventKind.FOLLOWED_UP and record is not None else None
        found.events[case].append(clocks.Event(pk, kind, at, has_time, amount))
        found.kinds[pk], found.by_whom[pk] = kind, institution
    risks: dict[uuid.UUID, list[tuple[date, int, str]]] = defaultdict(list)
    assessed = RiskAssessment.objects.filter(case__in=keys).order_by("recorded_at", "pk")
    for order, (case, on, level) in enumerate(assessed.values_list("case_id", "assessed_on", "level")):
        risks[case].append((on, order, level))
    starts: dict[uuid.UUID, tuple[date, int]] = {}
    changes: dict[uuid.UUID, list[tuple[date, str, int]]] = defaultdict(list)
    reflection = ReflectionEvent.objects.filter(case__in=keys).order_by()
    for case, kind, on, days in reflection.values_list("case_id", "kind", "on", "days"):
        if kind == ReflectionKind.START:
            starts[case] = (on, days or 0)
        else:
            changes[case].append((on, kind, days or 0))
    for one in cases:
        start = starts.get(one.pk)
        found.facts[one.pk] = clocks.Facts(
            is_child=one.is_child_procedure,
            is_foreigner=is_foreigner(one.citizenship),
            risks=tuple(risks.get(one.pk, ())),
            forms=tuple(one.forms),
            planned_end=clocks.planned_end(start[0], start[1], changes[one.pk]) if start is not None else None,
            over_at=_over_at(one, found.events[one.pk]),
        )
    return found


def is_foreigner(citizenship: Sequence[str]) -> bool:
    """Of another country or of none, and not of Kosovo; who is not known to be a foreigner is none."""
    known = [code for code in citizenship if code not in NO_COUNTRY]
    return bool(known) and HOME not in known


def _over_at(case: Case, events: Sequence[clocks.Event]) -> datetime | None:
    """A case that is closed owes nothing from then on; a record that was entered twice, nothing after its last event: the
    other one does."""
    if case.closed_on is not None:
        return clocks.last_moment(case.closed_on)
    if case.duplicate_of_id is None:
        return None
    return max((event.latest for event in events), default=clocks.first_moment(case.opened_on))


def holidays_for(
    versions: Iterable[clocks.Version], kept: Iterable[clocks.Step], since: date | None
) -> frozenset[date]:
    """The holidays from a day on; none are read while no step counts working days."""
    steps = [step for version in versions for step in version.steps]
    if since is None or all(step.unit != "working_days" for step in [*steps, *kept]):
        return frozenset()
    return frozenset(Holiday.objects.filter(day__gte=since).values_list("day", flat=True))


def first_day(found: Given) -> date | None:
    return min((event.day for events in found.events.values() for event in events), default=None)


def risk_again(since: date) -> Callable[[Case, date, str], date | None]:
    """By which day a risk that was found on a day, at a level, is assessed again; None where no version says so. It is asked
    for any number of days from `since` on, with two queries, or three where working days count."""
    versions, _steps = versions_in_force()
    holidays = holidays_for(versions, (), since)

    def on(case: Case, day: date, level: str) -> date | None:
        facts = clocks.Facts(
            is_child=case.is_child_procedure,
            is_foreigner=is_foreigner(case.citizenship),
            risks=((day, 0, level),),
            forms=tuple(case.forms),
        )
        return clocks.again_by(versions, EventKind.RISK_ASSESSED, day, facts, holidays=holidays)

    return on
