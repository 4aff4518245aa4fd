"""How the clocks of a case follow from its events, by the steps of the SOP: plain rules without the database.

Times. Clock changes are those of Kosovo: hours are hours that pass, days are days of the calendar. An event whose hour
nobody knows may have happened at any moment of its day, and nobody is made late by that: it starts a clock at the end of
its day, and meets, pauses and precedes one at the beginning. A limit in hours runs from the moment of the event; days,
working days and months end with their last day (`last_moment`); the day of the event is not counted. What is done at the
very moment of the limit is in time.

Which events count. A step that does not repeat is owed once: the first event of its trigger starts it, and a later one only
after it fell away. What was done before the trigger meets it at once: a person who is safe already need not be placed again.
A step that repeats starts anew with each event that meets it, and what was done before does not count. Of several limits
(3, 6 and 12 months) each event meets one: the one that it names, else the first that is open.

The functions are deterministic and do not depend on the order of recording: the same events give the same clocks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from onatc.periods import months_after

LOCAL = ZoneInfo("Europe/Belgrade")
TICK = timedelta(microseconds=1)
CLOSED = "closed"  # ends every clock, whatever the step says
LATEST = date(9000, 1, 1)  # no limit goes further: beyond it the calendar ends

RUNNING, PAUSED, MET, ENDED = "running", "paused", "met", "ended"


def first_moment(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL).astimezone(UTC)


def last_moment(day: date) -> datetime:
    """The last moment of a day: what is due by then is due on that day, also to a reader."""
    return first_moment(day + timedelta(days=1)) - TICK


@dataclass(frozen=True)
class Step:
    """A step of a version, as nrm.models.SopStep has it; `lineage` is the same step in every version."""

    key: Any
    lineage: Any
    number: int
    trigger: str
    met_by: tuple[str, ...]
    unit: str
    amounts: tuple[int, ...] = ()
    before: str = ""
    repeats: bool = False
    ends_on: tuple[str, ...] = ()
    pauses_on: tuple[str, ...] = ()
    resumes_on: tuple[str, ...] = ()
    who: str = "all"
    foreigners_only: bool = False
    applies_risk: tuple[str, ...] = ()
    applies_forms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """The steps that hold for what happens from a day on."""

    in_force_from: date
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Event:
    """Something that happened. `amount` is the limit that it answers (6: the follow-up after six months), if it says so."""

    key: Any
    kind: str
    at: datetime
    has_time: bool = False
    amount: int | None = None

    @property
    def day(self) -> date:
        return self.at.astimezone(LOCAL).date()

    @property
    def earliest(self) -> datetime:
        return self.at.astimezone(UTC) if self.has_time else first_moment(self.day)

    @property
    def latest(self) -> datetime:
        return self.at.astimezone(UTC) if self.has_time else last_moment(self.day)

    @property
    def place(self) -> tuple[datetime, datetime, str, str]:
        """Where it stands in the way of the case; the same whoever recorded what first."""
        return (self.earliest, self.latest, self.kind, str(self.key))


@dataclass(frozen=True)
class Facts:
    """What a case is, for the question which steps concern it. `risks` are (day, order of recording, level)."""

    is_child: bool = False
    is_foreigner: bool = False
    risks: tuple[tuple[date, int, str], ...] = ()
    forms: tuple[str, ...] = ()
    planned_end: date | None = None  # of the reflection period
    over_at: datetime | None = None  # closed, or found to be entered twice

    def risk_on(self, day: date) -> str:
        """The level that was known on a day: the latest assessment by then; empty when there was none."""
        return max((one for one in self.risks if one[0] <= day), default=(day, 0, ""))[2]


@dataclass(frozen=True)
class Pause:
    """A clock stands still; `event` is the key of the event that stopped it, None for a pause by hand."""

    start: datetime
    end: datetime | None = None
    event: Any = None


@dataclass(frozen=True)
class Timed:
    """A clock. `due_at` is None while the limit hangs on something that has no day yet."""

    step: Step
    trigger: Any
    occurrence: int
    started_at: datetime
    due_at: datetime | None
    state: str = RUNNING
    pauses: tuple[Pause, ...] = ()
    met_by: Any = None
    met_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""  # the kind of the event with which it fell away

    @property
    def name(self) -> tuple[Any, Any, int]:
        return (self.step.lineage, self.trigger, self.occurrence)

    def is_late(self, now: datetime) -> bool:
        """Met after its time, or past it and running. Never stored."""
        if self.due_at is None:
            return False
        if self.met_at is not None:
            return self.met_at > self.due_at
        return self.state == RUNNING and self.due_at < now


ByHand = Mapping[tuple[Any, Any, int], tuple[Pause, ...]]


@dataclass
class _Case:
    """What is asked again and again about one case."""

    events: list[Event]
    facts: Facts
    holidays: Collection[date]
    by_hand: ByHand
    by_kind: dict[str, list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in self.events:
            self.by_kind.setdefault(event.kind, []).append(event)

    def of(self, kinds: Iterable[str]) -> list[Event]:
        found = [event for kind in dict.fromkeys(kinds) for event in self.by_kind.get(kind, ())]
        return sorted(found, key=lambda event: event.place)


def clocks_of(
    versions: Sequence[Version],
    events: Iterable[Event],
    facts: Facts,
    *,
    holidays: Collection[date] = frozenset(),
    kept: Mapping[tuple[Any, Any], Step] | None = None,
    by_hand: ByHand | None = None,
) -> list[Timed]:
    """All clocks of a case. `events` are those that were not struck.

    Each clock has the step of the version in force on the day of its trigger; `kept` names, by (lineage, trigger), the steps
    of clocks that exist already: no later version changes them. `by_hand` are pauses that somebody made, by the clock's
    name; those with an `event` say when somebody ended by hand what that event had stopped.
    """
    kept = kept or {}
    in_order = sorted(versions, key=lambda version: version.in_force_from)
    case = _Case(sorted(events, key=lambda event: event.place), facts, holidays, by_hand or {})
    tables = [(version.in_force_from, {step.lineage: step for step in version.steps}) for version in in_order]

    def step_for(lineage: Any, event: Event) -> Step | None:
        if (lineage, event.key) in kept:
            return kept[lineage, event.key]
        table = next((steps for start, steps in reversed(tables) if start <= event.day), None)
        return table.get(lineage) if table is not None else None

    lineages = {step.lineage: step.number for step in kept.values()}
    for _start, steps in tables:
        lineages |= {lineage: step.number for lineage, step in steps.items()}
    found: list[Timed] = []
    for lineage in sorted(lineages, key=lambda one: (lineages[one], str(one))):
        found += _of_step(lineage, case, step_for)
    return found


def applies(step: Step, facts: Facts, day: date) -> bool:
    """Whether a step concerns the case; the risk is the one known on the day of the trigger."""
    return (
        (step.who == "all" or (step.who == "child") == facts.is_child)
        and (facts.is_foreigner or not step.foreigners_only)
        and (not step.applies_forms or not set(step.applies_forms).isdisjoint(facts.forms))
        and (not step.applies_risk or facts.risk_on(day) in step.applies_risk)
    )


def again_by(
    versions: Sequence[Version], kind: str, day: date, facts: Facts, *, holidays: Collection[date] = frozenset()
) -> date | None:
    """By which day what happened on a day is to happen again: by the step of the version in force then that repeats it, so
    far as the step concerns the case; None where none does. It is the limit that the clock of that step has."""
    version = max(
        (one for one in versions if one.in_force_from <= day), key=lambda one: one.in_force_from, default=None
    )
    event = Event(key=None, kind=kind, at=first_moment(day))
    for step in version.steps if version is not None else ():
        repeats = step.repeats and step.trigger == kind and kind in step.met_by
        if repeats and step.amounts and applies(step, facts, day):
            due = _due(step, step.amounts[0], event, _Case([event], facts, holidays, {}))
            return due.astimezone(LOCAL).date() if due is not None else None
    return None


def _of_step(lineage: Any, case: _Case, step_for: Any) -> list[Timed]:
    found: list[Timed] = []
    last: list[Timed] = []
    since: datetime | None = None  # what happened before belongs to clocks that fell away
    for event in case.events:
        step = step_for(lineage, event)
        if step is None or event.kind != step.trigger or not applies(step, case.facts, event.day):
            continue
        if last:
            ended = [one.ended_at for one in last if one.ended_at is not None]
            is_open = any(one.state in (RUNNING, PAUSED) for one in last)
            if is_open or not ended or event.latest <= max(ended) or event.key == last[0].trigger:
                continue
            since = max(ended)
        last = _start(step, event, case, since)
        found += last
        while step.repeats and len(last) == 1 and last[0].met_by is not None:
            met = next(one for one in case.events if one.key == last[0].met_by)
            step = step_for(lineage, met)
            if step is None or not step.repeats or not applies(step, case.facts, met.day):
                break
            last = _start(step, met, case, since)
            found += last
    return found


def _start(step: Step, trigger: Event, case: _Case, since: datetime | None) -> list[Timed]:
    """The clocks that one event starts, one for each limit, as far as they came."""
    started = trigger.earliest
    end_at, ended_by = _end(step, trigger, case, since)
    candidates = []
    for event in case.of(step.met_by):
        if event.key == trigger.key or (since is not None and event.latest <= since):
            continue
        if step.repeats and event.place <= trigger.place:
            continue
        done_at = max(started, event.earliest)
        if end_at is None or done_at <= end_at:
            candidates.append((done_at, event))
    candidates.sort(key=lambda pair: (pair[0], pair[1].place))
    amounts = step.amounts[:1] if step.repeats else step.amounts
    met = _shared_out(candidates, amounts or (0,))
    clocks = []
    for occurrence, amount in enumerate(amounts or (0,), 1):
        due = _due(step, amount, trigger, case)
        found = met.get(occurrence)
        met_at, met_event = found if found is not None else (None, None)
        over = met_at if met_at is not None else end_at
        pauses = _pauses(step, trigger, occurrence, case, started, over)
        due, pauses = _moved(due, pauses, moves=step.unit not in ("planned_end", "before"))
        if met_at is not None:
            state = MET
        elif end_at is not None:
            state = ENDED
        else:
            state = PAUSED if pauses and pauses[-1].end is None else RUNNING
        clocks.append(
            Timed(
                step=step,
                trigger=trigger.key,
                occurrence=occurrence,
                started_at=started,
                due_at=due,
                state=state,
                pauses=pauses,
                met_by=met_event.key if met_event is not None else None,
                met_at=met_at,
                ended_at=end_at if state == ENDED else None,
                ended_by=ended_by if state == ENDED else "",
            )
        )
    return clocks


def _shared_out(candidates: list[tuple[datetime, Event]], amounts: Sequence[int]) -> dict[int, tuple[datetime, Event]]:
    """Which event meets which limit, by its place from one on."""
    met: dict[int, tuple[datetime, Event]] = {}
    for met_at, event in candidates:
        open_ones = [place for place in range(1, len(amounts) + 1) if place not in met]
        if event.amount is not None and len(amounts) > 1:
            open_ones = [place for place in open_ones if amounts[place - 1] == event.amount]
        if open_ones:
            met[open_ones[0]] = (met_at, event)
    return met


def _end(step: Step, trigger: Event, case: _Case, since: datetime | None) -> tuple[datetime | None, str]:
    """When the clocks of a trigger fall away, and with what; what falls on the same day without an hour comes after."""
    ends = [
        (max(trigger.earliest, event.latest), event.kind)
        for event in case.of((*step.ends_on, CLOSED))
        if event.key != trigger.key and event.latest >= trigger.earliest
        and (since is None or event.latest > since)
    ]  # fmt: skip
    if case.facts.over_at is not None:
        ends.append((max(trigger.earliest, case.facts.over_at), CLOSED))
    return min(ends, default=(None, ""))  # type: ignore[type-var]


def _due(step: Step, amount: int, trigger: Event, case: _Case) -> datetime | None:
    """By when, before pauses."""
    day = trigger.day
    match step.unit:
        case "hours":
            start = trigger.at.astimezone(UTC) if trigger.has_time else last_moment(day)
            return start + timedelta(hours=amount)
        case "days":
            return last_moment(min(day + timedelta(days=amount), LATEST))
        case "working_days":
            return last_moment(working_day_after(day, amount, case.holidays))
        case "months":
            return last_moment(months_after(day, amount))
        case "same_day":
            return last_moment(day)
        case "planned_end":
            return last_moment(case.facts.planned_end) if case.facts.planned_end is not None else None
        case "before":
            event = next((one for one in case.of([step.before]) if one.latest >= trigger.earliest), None)
            return event.latest if event is not None else None
    raise ValueError(f"no such unit: {step.unit}")


def working_day_after(day: date, count: int, holidays: Collection[date]) -> date:
    """The `count`-th day after `day` that is neither Saturday, Sunday nor a holiday; `day` itself for none."""
    left = count
    while left > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            left -= 1
    return day


def _pauses(
    step: Step, trigger: Event, occurrence: int, case: _Case, started: datetime, over: datetime | None
) -> tuple[Pause, ...]:
    """The pauses of a clock in order, those by hand and those by events, within its run."""
    found = list(case.by_hand.get((step.lineage, trigger.key, occurrence), ()))
    ended_by_hand = {one.event: one.end for one in found if one.event is not None}
    found = [one for one in found if one.event is None]
    resumes = case.of(step.resumes_on or (step.trigger,))
    for event in case.of(step.pauses_on):
        if event.key == trigger.key or event.latest < started:
            continue
        on = next((one for one in resumes if one.key != event.key and one.place > event.place), None)
        end = on.latest if on is not None else None
        by_hand = ended_by_hand.get(event.key)
        if by_hand is not None:
            end = min(by_hand, end) if end is not None else by_hand
        found.append(Pause(max(started, event.earliest), end, event.key))
    within = []
    for pause in found:
        start, end = max(started, pause.start), pause.end
        if over is not None:
            if start >= over:
                continue
            end = min(end, over) if end is not None else over
        if end is None or end >= start:
            within.append(replace(pause, start=start, end=end))
    return tuple(
        sorted(within, key=lambda pause: (pause.start, pause.end is None, pause.end or pause.start, str(pause.event)))
    )


def _moved(
    due: datetime | None, pauses: tuple[Pause, ...], *, moves: bool
) -> tuple[datetime | None, tuple[Pause, ...]]:
    """The limit moved by as many hours as the clock stood still, overlaps counted once, and the pauses that count: what is
    late already does not stand still any more. A limit that is the day of something else stays with that day."""
    counted: list[Pause] = []
    until: datetime | None = None  # to where the pauses so far have been counted
    for pause in pauses:
        if until is None or pause.start > until:
            if due is not None and pause.start > due:
                break
            start = pause.start
        else:
            start = until
        counted.append(pause)
        if pause.end is None:
            # Later ones lie within it; the one that is open stands last.
            break
        if pause.end > start:
            if due is not None and moves:
                due += pause.end - start
            until = pause.end
        elif until is None:
            until = start
    return due, tuple(counted)


def planned_end(start: date, days: int, changes: Iterable[tuple[date, str, int]]) -> date:
    """The planned end of a reflection period of so many days: moved by extensions and by the days that it stood still.

    `changes` are (day, kind, days) with the kinds of nrm.models.ReflectionKind; a pause that is open moves it when it ends.
    """
    end, paused_on = start + timedelta(days=days), None
    for day, kind, more in sorted(changes):
        if kind == "RF_EXT":
            end += timedelta(days=more)
        elif kind == "RF_PAUSE" and paused_on is None:
            paused_on = day
        elif kind == "RF_RESUME" and paused_on is not None:
            end += day - paused_on
            paused_on = None
    return end
