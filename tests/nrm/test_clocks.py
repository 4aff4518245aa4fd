"""The clocks of the SOP as a rule: hours, days, working days, pauses, and what holds whatever happens in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm import clocks
from nrm.clocks import ENDED, LOCAL, MET, PAUSED, RUNNING, Event, Facts, Pause, Step, Version, clocks_of

keys = count(1)
NOTHING = Facts()


def step(
    trigger: str = "received", met_by: Any = ("notified",), unit: str = "hours", *amounts: int, **more: Any
) -> Step:
    key = more.pop("key", "S")
    fields = {"number": 1, "ends_on": ("closed", "not_victim")} | more
    return Step(key, more.get("lineage", key), trigger=trigger, met_by=tuple(met_by), unit=unit, amounts=amounts,
                **{name: value for name, value in fields.items() if name != "lineage"})  # fmt: skip


def at(text: str, kind: str = "received", key: Any = None, **more: Any) -> Event:
    """An event on a day, or at a local time when the text has one."""
    moment = datetime.fromisoformat(text)
    has_time = len(text) > 10
    moment = moment if has_time else moment.replace(hour=12)
    return Event(
        key if key is not None else f"{kind} {text} {next(keys)}", kind, moment.replace(tzinfo=LOCAL), has_time, **more
    )


def the_clock(steps: Step | list[Step], *events: Event, facts: Facts = NOTHING, **more: Any) -> clocks.Timed:
    found = all_of(steps, *events, facts=facts, **more)
    assert len(found) == 1
    return found[0]


def all_of(steps: Step | list[Step], *events: Event, facts: Facts = NOTHING, **more: Any) -> list[clocks.Timed]:
    table = tuple(steps if isinstance(steps, list) else [steps])
    return clocks_of([Version(date(2013, 1, 1), table)], events, facts, **more)


def local(moment: datetime | None) -> str:
    assert moment is not None
    return moment.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("unit", "amount", "trigger", "due"),
    [
        ("hours", 24, "2026-03-10 15:30", "2026-03-11 15:30"),
        # the hour is not known: it may have been the last moment of the day
        ("hours", 24, "2026-03-10", "2026-03-11 23:59"),
        ("days", 10, "2026-03-10 15:30", "2026-03-20 23:59"),
        ("days", 3, "2024-02-27", "2024-03-01 23:59"),  # over 29 February
        ("days", 1, "2025-12-31", "2026-01-01 23:59"),
        ("months", 6, "2026-08-31", "2027-02-28 23:59"),
        ("months", 12, "2024-02-29", "2025-02-28 23:59"),
        ("same_day", 0, "2026-03-10 23:59", "2026-03-10 23:59"),
        # hours pass as they pass: an hour is lost in March and won in October
        ("hours", 24, "2026-03-28 15:00", "2026-03-29 16:00"),
        ("hours", 24, "2026-10-24 15:00", "2026-10-25 14:00"),
        # days end with their day, however long it is
        ("days", 1, "2026-03-28 15:00", "2026-03-29 23:59"),
        ("working_days", 3, "2026-03-06", "2026-03-11 23:59"),  # a Friday
        ("working_days", 1, "2026-02-16", "2026-02-18 23:59"),  # before Independence Day
    ],
)
def test_limits_run_by_the_clock_and_by_the_calendar(unit, amount, trigger, due):
    found = the_clock(step("received", ["notified"], unit, amount), at(trigger), holidays={date(2026, 2, 17)})
    assert local(found.due_at) == due and found.state == RUNNING


def test_nobody_is_late_by_an_hour_that_is_not_known():
    one = step("received", ["notified"], "hours", 24)
    assert not the_clock(one, at("2026-03-10"), at("2026-03-11", "notified")).is_late(datetime.now(UTC))
    assert the_clock(one, at("2026-03-10"), at("2026-03-12", "notified")).is_late(datetime.now(UTC))
    # due at ten, done on that day
    assert not the_clock(one, at("2026-03-10 10:00"), at("2026-03-11", "notified")).is_late(datetime.now(UTC))
    assert not the_clock(one, at("2026-03-10 10:00"), at("2026-03-11 10:00", "notified")).is_late(datetime.now(UTC))
    assert the_clock(one, at("2026-03-10 10:00"), at("2026-03-11 10:01", "notified")).is_late(datetime.now(UTC))
    # the day after the last day is late, whatever its hour
    days = step("received", ["notified"], "days", 1)
    assert the_clock(days, at("2026-03-10"), at("2026-03-12 00:00", "notified")).is_late(datetime.now(UTC))


def test_what_was_done_before_its_trigger_meets_it_and_what_comes_twice_is_owed_once():
    one = step("risk_assessed", ["placed"], "hours", 24)
    early = the_clock(one, at("2026-03-10 09:00", "placed"), at("2026-03-11 10:00", "risk_assessed"))
    assert early.state == MET and early.met_at == early.started_at
    again = the_clock(
        one, at("2026-03-10", "risk_assessed"), at("2026-03-11", "placed"), at("2026-04-10", "risk_assessed")
    )
    assert again.state == MET
    # after it fell away the next trigger starts it anew, and what was done before does not count again
    later = all_of(
        one, at("2026-03-10", "risk_assessed"), at("2026-03-11", "not_victim"), at("2026-05-10", "risk_assessed")
    )
    assert [clock.state for clock in later] == [ENDED, RUNNING] and later[0].ended_by == "not_victim"


def test_a_step_that_repeats_starts_with_each_event_that_meets_it_until_it_falls_away():
    one = step("risk_assessed", ["risk_assessed"], "days", 30, repeats=True)
    found = all_of(
        one, at("2026-01-01", "risk_assessed"), at("2026-01-20", "risk_assessed"), at("2026-03-10", "risk_assessed"),
        at("2026-03-20", "closed"),
    )  # fmt: skip
    assert [clock.state for clock in found] == [MET, MET, ENDED]
    assert [clock.is_late(datetime.now(UTC)) for clock in found] == [False, True, False]


def test_each_follow_up_meets_the_limit_that_it_names():
    one = step("left_shelter", ["followed_up"], "months", 3, 6, 12)
    left = at("2025-01-10", "left_shelter")
    found = all_of(one, left, at("2025-07-01", "followed_up", amount=6))
    assert [clock.state for clock in found] == [RUNNING, MET, RUNNING]
    found = all_of(one, left, at("2025-04-01", "followed_up"), at("2025-12-01", "followed_up"))
    assert [(clock.state, clock.is_late(datetime(2026, 1, 1, tzinfo=UTC))) for clock in found] == [
        (MET, False), (MET, True), (RUNNING, False)
    ]  # fmt: skip


def test_limits_that_hang_on_something_else():
    before = step("charged", ["protection_asked"], "before", before="hearing")
    assert the_clock(before, at("2026-03-01", "charged")).due_at is None
    fixed = the_clock(before, at("2026-03-01", "charged"), at("2026-05-01", "hearing"))
    assert local(fixed.due_at) == "2026-05-01 23:59"
    end = step("reflection_started", ["cooperation_decided"], "planned_end")
    started = at("2026-03-01", "reflection_started")
    assert the_clock(end, started).due_at is None
    assert local(the_clock(end, started, facts=Facts(planned_end=date(2026, 5, 30))).due_at) == "2026-05-30 23:59"
    assert clocks.planned_end(date(2026, 3, 1), 90, []) == date(2026, 5, 30)
    changes = [(date(2026, 4, 11), "RF_RESUME", 0), (date(2026, 4, 1), "RF_PAUSE", 0), (date(2026, 5, 1), "RF_EXT", 5)]
    assert clocks.planned_end(date(2026, 3, 1), 90, changes) == date(2026, 6, 14)


def test_steps_concern_whom_they_say():
    event = at("2026-03-10", "risk_assessed")
    base = step("risk_assessed", ["placed"], "hours", 24)
    for more, fits, not_fits in (
        ({"who": "child"}, Facts(is_child=True), Facts()),
        ({"who": "adult"}, Facts(), Facts(is_child=True)),
        ({"foreigners_only": True}, Facts(is_foreigner=True), Facts()),
        ({"applies_forms": ("SEX",)}, Facts(forms=("LAB", "SEX")), Facts(forms=("LAB",))),
        (
            {"applies_risk": ("RISK_HIGH",)},
            Facts(risks=((date(2026, 3, 10), 2, "RISK_HIGH"), (date(2026, 3, 10), 1, "RISK_LOW"))),
            Facts(risks=((date(2026, 3, 11), 1, "RISK_HIGH"),)),  # known a day later
        ),
    ):
        one = replace(base, **more)
        assert len(all_of(one, event, facts=fits)) == 1 and not all_of(one, event, facts=not_fits)


def test_a_version_holds_for_what_happens_from_its_day_on_and_changes_no_clock_that_runs():
    old, new = (
        step("received", ["notified"], "hours", 24),
        step("received", ["notified"], "hours", 2, key="N", lineage="S"),
    )
    versions = [Version(date(2026, 6, 1), (new,)), Version(date(2013, 1, 1), (old,))]
    before, after = at("2026-05-31", key="before"), at("2026-06-01", key="after")
    assert clocks_of(versions, [before], Facts())[0].step == old
    assert clocks_of(versions, [after], Facts())[0].step == new
    assert clocks_of(versions, [after], Facts(), kept={("S", "after"): old})[0].step == old


def test_pauses_move_the_limit_and_overlap_once():
    one = step("ready", ["identified"], "days", 10, pauses_on=("suspended",), resumes_on=("ready",))
    ready = at("2026-03-01 10:00", "ready", key="r")
    stopped = at("2026-03-05 10:00", "suspended", key="s")
    paused = the_clock(one, ready, stopped)
    assert paused.state == PAUSED and not paused.is_late(datetime(2030, 1, 1, tzinfo=UTC))
    on = the_clock(one, ready, stopped, at("2026-03-06 16:00", "ready"))
    assert local(on.due_at) == "2026-03-13 05:59" and on.state == RUNNING
    hour = timedelta(hours=1)
    within = Pause(stopped.at + hour, stopped.at + 3 * hour)
    beyond = Pause(stopped.at + 29 * hour, stopped.at + 31 * hour)
    both = the_clock(one, ready, stopped, at("2026-03-06 16:00", "ready"), by_hand={("S", "r", 1): (within, beyond)})
    assert local(both.due_at) == "2026-03-13 06:59"
    # what is late already does not stand still any more
    late = the_clock(one, ready, at("2026-04-05 10:00", "suspended"))
    assert late.state == RUNNING and late.is_late(datetime(2026, 5, 1, tzinfo=UTC))
    by_hand = the_clock(one, ready, stopped, by_hand={("S", "r", 1): (Pause(stopped.at, stopped.at + 2 * hour, "s"),)})
    assert by_hand.state == RUNNING and local(by_hand.due_at) == "2026-03-12 01:59"


# Properties

KINDS = ("received", "notified", "risk_assessed", "placed", "left_shelter", "followed_up", "ready", "identified",
         "not_victim", "suspended", "hearing", "charged", "protection_asked", "closed")  # fmt: skip
SOP = [
    step("received", ["notified"], "hours", 24, key="1"),
    step("risk_assessed", ["placed"], "working_days", 3, key="2"),
    step("risk_assessed", ["risk_assessed"], "days", 30, key="3", repeats=True),
    step("left_shelter", ["followed_up"], "months", 3, 6, 12, key="4"),
    step("ready", ["identified", "not_victim"], "days", 10, key="5", pauses_on=("suspended",)),
    step("charged", ["protection_asked"], "before", key="6", before="hearing"),
    step("received", ["placed"], "hours", 12, key="7", who="child"),
]
MOVING = ("hearing", "suspended", "ready")  # what moves limits by its nature
moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(minute=0, second=0, microsecond=0, tzinfo=LOCAL)
)


@st.composite
def ways(draw: Any) -> list[Event]:
    rows = draw(st.lists(st.tuples(st.sampled_from(KINDS), moments, st.booleans()), max_size=14))
    return [
        Event(number, kind, moment if has_time else moment.replace(hour=12), has_time)
        for number, (kind, moment, has_time) in enumerate(rows)
    ]


@given(ways(), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_same_events_give_the_same_clocks_in_whatever_order_they_were_recorded(events, order, is_child):
    facts = Facts(is_child=is_child)
    found = all_of(SOP, *events, facts=facts)
    shuffled = list(events)
    order.shuffle(shuffled)
    assert all_of(SOP, *shuffled, facts=facts) == found
    kept = {(one.step.lineage, one.trigger): one.step for one in found}
    assert all_of(SOP, *events, facts=facts, kept=kept) == found
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert one.met_at is None or one.met_at >= one.started_at
        assert one.ended_at is None or one.ended_at >= one.started_at
        assert (one.state == MET) == (one.met_at is not None) == (one.met_by is not None)
        assert is_child or one.step.who != "child"
        assert all(pause.end is None or pause.end >= pause.start for pause in one.pauses)


@given(ways(), st.sampled_from(KINDS), st.integers(1, 400), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_later_event_changes_no_limit_and_undoes_nothing_that_was_met(events, kind, days, has_time):
    last = max((one.at for one in events), default=datetime(2026, 1, 1, 12, tzinfo=LOCAL))
    later = Event("later", kind, (last + timedelta(days=days)).replace(hour=12), has_time)
    before = all_of(SOP, *events)
    after = {one.name: one for one in all_of(SOP, *events, later)}
    for one in before:
        now = after[one.name]
        assert now.started_at == one.started_at and now.step == one.step
        if one.state in (MET, ENDED):
            assert now == one or one.due_at is None
        elif kind not in MOVING:
            assert now.due_at == one.due_at


@given(moments, st.integers(1, 200), st.integers(1, 100), st.integers(0, 90))
@settings(max_examples=200, deadline=None)
def test_a_pause_of_some_hours_moves_the_limit_by_as_many(start, amount, hours, after):
    ready = Event("r", "ready", start, True)
    one = step("ready", ["identified"], "hours", amount)
    begins = ready.earliest + timedelta(hours=min(after, amount))
    pause = Pause(begins, begins + timedelta(hours=hours))
    plain, moved = the_clock(one, ready), the_clock(one, ready, by_hand={("S", "r", 1): (pause,)})
    assert plain.due_at is not None and moved.due_at == plain.due_at + timedelta(hours=hours)
