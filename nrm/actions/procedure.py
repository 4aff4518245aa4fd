"""How the clocks of a case follow from what happened in it, and how they are paused and set aside by hand.

Whoever adds an event holds the lock of the case; the clocks change in the same transaction. Nothing of a clock that exists is
taken from a version that was adopted later: it keeps the step under which it began.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access, clocks
from nrm.actions.timeliness import note_changes
from nrm.models import Case, CaseParty, Clock, ClockPause, ClockState, Competence, Function, SopStep
from nrm.queries.procedure import Given, as_step, first_day, given, holidays_for, versions_in_force
from onatc.errors import Refused, require
from stakeholders.actions.records import locked
from stakeholders.models import User

AT_ONCE = 200  # cases in one transaction
KEPT_FIELDS = ("state", "started_at", "due_at", "met_event_id", "met_at", "ended_at", "reason", "owner_id")
OPEN = (ClockState.RUNNING, ClockState.PAUSED)

_waiting: ContextVar[set[uuid.UUID] | None] = ContextVar("cases whose clocks follow later", default=None)


def follow(case: Case, *, by: User | None) -> None:
    """Start, meet, pause and end the clocks of a locked case as its happenings say, and keep its next deadline.

    Within `following_later` it is noted that this is to be done.
    """
    waiting = _waiting.get()
    if waiting is not None:
        waiting.add(case.pk)
    else:
        follow_many([case], by=by)


@contextmanager
def following_later(*, by: User | None, told: Callable[[int, int], None] | None = None) -> Iterator[None]:
    """Whoever records very many events lets the clocks follow once at the end, and not after each event."""
    waiting: set[uuid.UUID] = set()
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    keys = sorted(waiting)
    for start in range(0, len(keys), AT_ONCE):
        with transaction.atomic():
            cases = Case.objects.select_for_update(of=("self",)).filter(pk__in=keys[start : start + AT_ONCE])
            follow_many(list(cases.order_by("pk")), by=by)
        if told is not None:
            told(min(start + AT_ONCE, len(keys)), len(keys))


def follow_many(cases: Sequence[Case], *, by: User | None) -> None:
    """The same for locked cases together: as many queries for many as for one."""
    if not cases:
        return
    rows: dict[uuid.UUID, list[Clock]] = defaultdict(list)
    for row in Clock.objects.filter(case__in=cases).select_related("step").order_by("started_at", "pk"):
        rows[row.case_id].append(row)
    pauses: dict[uuid.UUID, list[ClockPause]] = defaultdict(list)
    for pause in ClockPause.objects.filter(clock__case__in=cases):
        pauses[pause.clock_id].append(pause)
    found = given(cases)
    versions, steps = versions_in_force()
    kept_steps = {row.step_id: as_step(row.step) for mine in rows.values() for row in mine}
    steps |= {row.step_id: row.step for mine in rows.values() for row in mine}
    holidays = holidays_for(versions, kept_steps.values(), first_day(found))
    owners = Owners(cases)
    changes = _Changes()
    for case in cases:
        mine = rows[case.pk]

        def by_the_rules(case: Case = case, mine: list[Clock] = mine) -> list[clocks.Timed]:
            return clocks.clocks_of(
                versions,
                found.events[case.pk],
                found.facts[case.pk],
                holidays=holidays,
                kept={(row.step.lineage, row.trigger_event_id): kept_steps[row.step_id] for row in mine},
                by_hand={
                    (row.step.lineage, row.trigger_event_id, row.occurrence): tuple(
                        clocks.Pause(one.starts_at, one.ends_at, one.by_event_id)
                        for one in pauses[row.pk]
                        if one.by_event_id is None or one.ended_by_id is not None
                    )
                    for row in mine
                },
            )

        wanted = by_the_rules()
        moved = _move(wanted, mine, found)
        if moved:
            wanted = by_the_rules()  # the pauses by hand go with the clock
        changes.changed += moved
        _reconcile(case, wanted, mine, pauses, found, owners, steps, changes, by)
    changes.write()


@dataclass
class _Changes:
    """What is written at the end, each kind in one statement."""

    new: list[Clock] = field(default_factory=list)
    changed: list[Clock] = field(default_factory=list)
    new_pauses: list[ClockPause] = field(default_factory=list)
    changed_pauses: list[ClockPause] = field(default_factory=list)
    lost_pauses: list[uuid.UUID] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    def write(self) -> None:
        Clock.objects.bulk_create(self.new, batch_size=1000)
        note_changes([*self.new, *self.changed])
        names = [name.removesuffix("_id") for name in KEPT_FIELDS]
        Clock.objects.bulk_update(dict.fromkeys(self.changed), [*names, "trigger_event", "warned_at"], batch_size=500)
        if self.lost_pauses:
            ClockPause.objects.filter(pk__in=self.lost_pauses).delete()
        ClockPause.objects.bulk_update(self.changed_pauses, ["starts_at", "ends_at"], batch_size=500)
        ClockPause.objects.bulk_create(self.new_pauses)
        Case.objects.bulk_update(self.cases, ["next_due_at"], batch_size=500)


def _reconcile(
    case: Case,
    wanted: list[clocks.Timed],
    rows: list[Clock],
    pauses: dict[uuid.UUID, list[ClockPause]],
    found: Given,
    owners: Owners,
    steps: dict[Any, SopStep],
    changes: _Changes,
    by: User | None,
) -> None:
    existing = {(row.step_id, row.trigger_event_id, row.occurrence): row for row in rows}
    names = {(one.step.key, one.trigger, one.occurrence) for one in wanted}
    left = {name: row for name, row in existing.items() if name not in names}
    now_open: list[Clock] = []
    for timed in wanted:
        name = (timed.step.key, timed.trigger, timed.occurrence)
        row = existing.get(name)
        is_new = row is None
        if row is None:
            row = Clock(
                case=case, step=steps[timed.step.key], occurrence=timed.occurrence, trigger_event_id=timed.trigger,
                recorded_by=by,
            )  # fmt: skip
        before = [getattr(row, name) for name in KEPT_FIELDS]
        _take(row, timed)
        if is_new or row.state in OPEN:
            row.owner_id = owners.of(case, steps[timed.step.key], found.by_whom.get(timed.trigger))
        if is_new:
            changes.new.append(row)
        elif before != [getattr(row, name) for name in KEPT_FIELDS]:
            if row.due_at != before[2]:
                row.warned_at = None
            changes.changed.append(row)
        _reconcile_pauses(row, timed, pauses.get(row.pk, []), found, changes)
        if row.state in OPEN:
            now_open.append(row)
    for row in left.values():
        if row.state == ClockState.ENDED:
            continue
        struck = row.trigger_event_id not in found.kinds
        row.state, row.ended_at, row.reason = (
            ClockState.ENDED,
            timezone.now(),
            "=struck" if struck else "=not_concerned",
        )
        row.met_at = row.met_event_id = None
        changes.changed.append(row)
        for pause in pauses.get(row.pk, []):
            if pause.ends_at is None:
                pause.ends_at = max(pause.starts_at, row.ended_at)
                changes.changed_pauses.append(pause)
    due = min((row.due_at for row in now_open if row.due_at and row.state == ClockState.RUNNING), default=None)
    if case.next_due_at != due:
        case.next_due_at = due
        changes.cases.append(case)


def _move(wanted: list[clocks.Timed], rows: list[Clock], found: Given) -> list[Clock]:
    """The clocks that began with a later event, when an earlier one was recorded afterwards: each stays the same clock and
    begins with the earlier event now. Those that moved."""
    existing = {(row.step_id, row.trigger_event_id, row.occurrence) for row in rows}
    names = {(one.step.key, one.trigger, one.occurrence) for one in wanted}
    moved = []
    for one in wanted:
        if (one.step.key, one.trigger, one.occurrence) in existing:
            continue
        for row in rows:
            is_left = (row.step_id, row.trigger_event_id, row.occurrence) not in names
            same = row.step_id == one.step.key and row.occurrence == one.occurrence
            if is_left and same and row.state != ClockState.ENDED and row.trigger_event_id in found.kinds:
                row.trigger_event_id = one.trigger
                moved.append(row)
                break
    return moved


def _take(row: Clock, timed: clocks.Timed) -> None:
    """Let a row say what the rule found; one that was set aside by hand stays so."""
    row.started_at, row.due_at = timed.started_at, timed.due_at
    if row.state == ClockState.NOT_APPLICABLE:
        return
    row.state = timed.state
    row.met_event_id, row.met_at, row.ended_at = timed.met_by, timed.met_at, timed.ended_at
    row.reason = f"={timed.ended_by}" if timed.ended_by else ""


def _reconcile_pauses(row: Clock, timed: clocks.Timed, rows: list[ClockPause], found: Given, changes: _Changes) -> None:
    wanted = {pause.event: pause for pause in timed.pauses if pause.event is not None}
    over = timed.met_at or timed.ended_at
    standing = False
    for one in rows:
        before = (one.starts_at, one.ends_at)
        if one.by_event_id is not None and one.ended_by_id is None:
            pause = wanted.pop(one.by_event_id, None)
            if pause is None:
                changes.lost_pauses.append(one.pk)
                continue
            one.starts_at, one.ends_at = pause.start, pause.end
        else:
            wanted.pop(one.by_event_id, None)
            if one.ends_at is None and over is not None:
                one.ends_at = max(one.starts_at, over)
        standing |= one.ends_at is None
        if before != (one.starts_at, one.ends_at):
            changes.changed_pauses.append(one)
    for pause in wanted.values():
        if pause.end is None and standing:
            continue  # it stands still already
        standing |= pause.end is None
        changes.new_pauses.append(
            ClockPause(
                clock=row,
                starts_at=pause.start,
                ends_at=pause.end,
                by_event_id=pause.event,
                reason=f"={found.kinds[pause.event]}",
            )
        )


class Owners:
    """Who owes a step: the first of its actors that takes part in the case, else who is competent for the municipality,
    else the responsible institution. Two queries for all cases."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.parties: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        now = CaseParty.objects.filter(case__in=cases, until__isnull=True).order_by("since", "pk")
        for case, institution in now.values_list("case_id", "institution_id"):
            self.parties[case].append(institution)
        self.competent: dict[str, list[tuple[uuid.UUID, str | None]]] = defaultdict(list)
        today = timezone.localdate()
        rows = Competence.objects.on(today).filter(institution__dissolved_on__isnull=True)
        for function, institution, place in rows.order_by("institution__code").values_list(
            "function", "institution_id", "municipality_id"
        ):
            self.competent[function].append((institution, place))

    def of(self, case: Case, step: SopStep, receiver: uuid.UUID | None) -> uuid.UUID:
        parties = self.parties[case.pk]
        for actor in step.actors:
            if actor == Function.RESPONSIBLE:
                return case.responsible_id
            if actor == Function.RECEIVER:
                return receiver if receiver in parties else case.responsible_id
            able = {
                institution for institution, place in self.competent[actor] if place in (None, case.municipality_id)
            }
            # Who is responsible stands before who merely takes part.
            if case.responsible_id in able:
                return case.responsible_id
            mine = next((one for one in parties if one in able), None)
            if mine is not None:
                return mine
        for actor in step.actors:
            here = [one for one, place in self.competent[actor] if place is not None and place == case.municipality_id]
            everywhere = [one for one, place in self.competent[actor] if place is None]
            if here or len(everywhere) == 1:
                return (here or everywhere)[0]
        return case.responsible_id


# By hand


def _of_locked_case(clock: Clock) -> tuple[Case, Clock]:
    """The case first, then its clock: the order in which every act takes them."""
    case = locked(Case(pk=clock.case_id))
    return case, Clock.objects.select_for_update(of=("self",)).select_related("step").get(pk=clock.pk)


@transaction.atomic
def pause(clock: Clock, *, by: User, reason: str) -> Clock:
    """Let a clock stand still until somebody lets it go on; by whom and why is kept. Twice by the same person is once."""
    case, found = _of_locked_case(clock)
    require(access.may_pause(by, case, found.step))
    reason = reason.strip()
    if not reason:
        raise Refused(_("Say why the clock stands still."), "reason")
    standing = ClockPause.objects.filter(clock=found, ends_at__isnull=True).first()
    if standing is not None:
        if standing.paused_by_id == by.pk and standing.reason == reason[:200]:
            return found
        raise Refused(_("The clock stands still already."))
    if found.state != ClockState.RUNNING:
        raise Refused(_("Only a running clock can stand still."))
    now = timezone.now()
    if found.due_at is not None and found.due_at < now:
        raise Refused(
            _("The time is over: what is late does not stand still. Do the step, or say why it does not apply.")
        )
    ClockPause.objects.create(clock=found, starts_at=now, reason=reason[:200], paused_by=by)
    follow(case, by=by)
    return Clock.objects.get(pk=found.pk)


@transaction.atomic
def resume(clock: Clock, *, by: User) -> Clock:
    """Let a clock go on; its limit moves by the time that it stood still. Twice is once."""
    case, found = _of_locked_case(clock)
    require(access.may_pause(by, case, found.step))
    standing = ClockPause.objects.select_for_update().filter(clock=found, ends_at__isnull=True).first()
    if standing is None:
        return found
    standing.ends_at, standing.ended_by = max(standing.starts_at, timezone.now()), by
    standing.save(update_fields=["ends_at", "ended_by"])
    follow(case, by=by)
    return Clock.objects.get(pk=found.pk)


@transaction.atomic
def set_aside(clock: Clock, *, by: User, reason: str) -> Clock:
    """A step does not apply to this case, and why: a normal answer, which counts as neither met nor late."""
    case, found = _of_locked_case(clock)
    require(access.may_record(by, case))
    reason = reason.strip().lstrip("=")
    if not reason:
        raise Refused(_("Say why the step does not apply."), "reason")
    if found.state == ClockState.NOT_APPLICABLE:
        if found.reason == reason[:200]:
            return found
        raise Refused(_("A colleague said meanwhile that it does not apply: %(reason)s") % {"reason": found.reason})
    if found.state not in OPEN:
        raise Refused(_("This step is over already."))
    now = timezone.now()
    for standing in ClockPause.objects.select_for_update().filter(clock=found, ends_at__isnull=True):
        standing.ends_at, standing.ended_by = max(standing.starts_at, now), by
        standing.save(update_fields=["ends_at", "ended_by"])
    found.state, found.reason, found.ended_at, found.recorded_by = ClockState.NOT_APPLICABLE, reason[:200], now, by
    found.save(update_fields=["state", "reason", "ended_at", "recorded_by"])
    note_changes([found])
    follow(case, by=by)
    return found


@transaction.atomic
def take_up(clock: Clock, *, by: User) -> Clock:
    """The step applies after all: its clock runs as if it had never been set aside. Twice is once."""
    case, found = _of_locked_case(clock)
    require(access.may_record(by, case))
    if found.state == ClockState.NOT_APPLICABLE:
        found.state, found.reason, found.ended_at = ClockState.RUNNING, "", None
        found.save(update_fields=["state", "reason", "ended_at"])
        follow(case, by=by)
    return Clock.objects.get(pk=found.pk)
