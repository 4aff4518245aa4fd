"""The reflection period: the rule in days, its properties, and its events in a case."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from nrm.actions import reflection as actions
from nrm.actions.identification import decide
from nrm.models import CaseParty, EventKind, Happening, ReflectionEvent
from nrm.queries.identification import reflection_of
from nrm.reflection import Event, problem, standing
from nrm.tasks import end_reflection_periods
from onatc.dated_settings import DatedSetting, SettingName
from onatc.errors import Refused
from tests.nrm.cases import institution, opened
from tests.stakeholders.decided import at_once

DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))


def ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def add(case: Any, by: Any, kind: str, on: date, **fields: Any) -> ReflectionEvent:
    decided = kind in ("RF_EXT", "RF_PAUSE", "RF_STOP", "RF_RESUME", "RF_START")
    fields = ({"decided_by": institution("KP-THB"), "reason": "Vendim"} if decided else {}) | fields
    return actions.record_event(case, by=by, key=uuid.uuid4(), kind=kind, on=on, **fields)[0]


# The rule


@given(start=DAYS, length=st.integers(1, 365))
def test_the_start_is_day_zero(start, length):
    found = standing([Event("RF_START", start, length)])
    assert found.planned_end is not None and (found.planned_end - start).days == length
    assert found.days_left(start) == length and found.days_left(found.planned_end) == 0
    assert found.is_over(found.planned_end) and not found.is_over(found.planned_end - timedelta(days=1))


@given(
    start=DAYS,
    length=st.integers(30, 90),
    gaps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400)), max_size=5),
    extensions=st.lists(st.integers(1, 60), max_size=3),
)
def test_pauses_and_extensions_add_exactly_their_days(start, length, gaps, extensions):
    """Over the end of the year, leap days and both changes of the clock: days are days."""
    events, day, paused = [Event("RF_START", start, length)], start, 0
    for before, pause in gaps:
        day += timedelta(days=before)
        events.append(Event("RF_PAUSE", day, order=len(events)))
        day += timedelta(days=pause)
        events.append(Event("RF_RESUME", day, order=len(events)))
        paused += pause
    events += [Event("RF_EXT", day, days, len(events) + more) for more, days in enumerate(extensions)]
    found = standing(events)
    assert problem(events) is None
    assert found.planned_end == start + timedelta(days=length + paused + sum(extensions))
    assert found.paused == paused and found.extended == sum(extensions) and found.state == "running"
    assert standing(reversed(events)) == found  # the order in which they are read does not matter


@given(start=DAYS, length=st.integers(1, 90), waited=st.integers(0, 90), asked=st.integers(0, 500))
def test_while_it_is_paused_the_days_left_stand_still(start, length, waited, asked):
    on = start + timedelta(days=min(waited, length))
    found = standing([Event("RF_START", start, length), Event("RF_PAUSE", on, order=1)])
    left = length - min(waited, length)
    assert found.days_left(on + timedelta(days=asked)) == left and not found.is_over(on + timedelta(days=asked))
    resumed = standing([
        Event("RF_START", start, length), Event("RF_PAUSE", on, order=1),
        Event("RF_RESUME", on + timedelta(days=asked), order=2),
    ])  # fmt: skip
    assert resumed.planned_end == found.planned_end_on(on + timedelta(days=asked))


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        (date(2023, 12, 15), 30, date(2024, 1, 14)),  # over the end of the year
        (date(2024, 2, 15), 30, date(2024, 3, 16)),  # over 29 February
        (date(2024, 2, 29), 90, date(2024, 5, 29)),  # from 29 February
        (date(2026, 3, 20), 30, date(2026, 4, 19)),  # the clock goes forward
        (date(2026, 10, 10), 90, date(2027, 1, 8)),  # the clock goes back
    ],
)
def test_worked_examples(start, length, end):
    assert standing([Event("RF_START", start, length)]).planned_end == end


S = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ([("RF_PAUSE", 0)], "not started"),
        ([("RF_START", 0), ("RF_START", 3)], "started already"),
        ([("RF_START", 0), ("RF_RESUME", 3)], "Only a paused"),
        ([("RF_START", 0), ("RF_PAUSE", 3), ("RF_PAUSE", 5)], "paused already"),
        ([("RF_START", 0), ("RF_WAIVE", 3), ("RF_EXT", 5)], "after it ended"),
        ([("RF_START", 0), ("RF_PAUSE", 31)], "had ended as planned"),
        ([("RF_START", 0), ("RF_END", 29)], "on the day of its planned end"),
        ([("RF_START", 5), ("RF_PAUSE", 3)], "not started"),
        ([("RF_OFFER", 0), ("RF_START", 0), ("RF_PAUSE", 30), ("RF_RESUME", 90), ("RF_END", 90)], None),
        ([("RF_OFFER", 0), ("RF_WAIVE", 0)], None),
        ([("RF_START", 0), ("RF_PAUSE", 3), ("RF_STOP", 9)], None),
    ],
)
def test_what_cannot_have_happened_in_this_order_is_told(kinds, sentence):
    events = [
        Event(kind, S + timedelta(days=day), 30 if kind in ("RF_START", "RF_EXT") else None, order)
        for order, (kind, day) in enumerate(kinds)
    ]
    found = problem(events)
    assert (found is None) if sentence is None else sentence in str(found)


# In a case


@pytest.mark.parametrize(("start", "length"), [(date(2023, 12, 31), 30), (date(2024, 1, 1), 90)])
def test_the_length_is_that_of_the_law_on_the_day_of_the_start(world, start, length):
    case = opened(world.focal_point, on=start)
    event = add(case, world.focal_point, "RF_START", start)
    assert event.days == length
    assert reflection_of(case).planned_end == start + timedelta(days=length)


def test_a_later_rule_changes_no_period_that_runs(world):
    case = opened(world.focal_point)
    add(case, world.focal_point, "RF_START", ago(5))
    before = reflection_of(case)
    DatedSetting.objects.create(name=SettingName.SOP_REFLECTION, value=10, valid_from=ago(4))
    assert reflection_of(case) == before and before.length == 90
    assert actions.length_on(ago(4)) == 10 and actions.length_on(ago(5)) == 90
    add(case, world.focal_point, "RF_EXT", ago(3), days=20)
    assert reflection_of(case).planned_end == ago(5) + timedelta(days=110)


def test_it_ends_by_itself_on_its_day_once(world):
    case = opened(world.focal_point, on=ago(100))
    add(case, world.focal_point, "RF_START", ago(90))
    assert reflection_of(case).state == "running"  # its last day
    for _again in range(3):
        end_reflection_periods()
        actions.end_those_over()
    assert [(one.kind, one.on) for one in ReflectionEvent.objects.filter(case=case)] == [
        ("RF_START", ago(90)), ("RF_END", ago(0)),
    ]  # fmt: skip
    assert Happening.objects.filter(case=case, kind=EventKind.REFLECTION_ENDED).count() == 1
    assert reflection_of(case).state == "ended"


def test_on_its_last_day_it_can_still_be_extended(world):
    case = opened(world.focal_point, on=ago(100))
    add(case, world.focal_point, "RF_START", ago(90))
    end_reflection_periods()
    add(case, world.focal_point, "RF_EXT", ago(0), days=15)
    assert reflection_of(case).planned_end == ago(-15)


def test_one_recorded_late_ends_on_the_day_that_was_planned(world):
    case = opened(world.focal_point, on=ago(300))
    add(case, world.focal_point, "RF_START", ago(290))
    found = reflection_of(case)
    assert (found.state, found.ended_on) == ("ended", ago(200))


def test_a_pause_recorded_late_takes_the_end_back(world):
    case = opened(world.focal_point, on=ago(100))
    add(case, world.focal_point, "RF_START", ago(95))
    assert reflection_of(case).state == "ended"
    with pytest.raises(Refused, match="after it ended"):
        add(case, world.focal_point, "RF_EXT", ago(2), days=30)
    add(case, world.focal_point, "RF_PAUSE", ago(20))
    add(case, world.focal_point, "RF_RESUME", ago(10))
    found = reflection_of(case)
    assert (found.state, found.planned_end) == ("running", ago(-5))
    ended = Happening.objects.filter(case=case, kind=EventKind.REFLECTION_ENDED)
    assert [one.struck_at is not None for one in ended] == [True]


def test_the_person_gives_it_up_and_a_decision_stops_it(world):
    first, second = opened(world.focal_point), opened(world.focal_point)
    for case in (first, second):
        add(case, world.focal_point, "RF_START", ago(5))
    add(first, world.focal_point, "RF_WAIVE", ago(1))
    assert reflection_of(first).state == "waived"
    with pytest.raises(Refused, match="Say why"):
        add(second, world.focal_point, "RF_STOP", ago(1), reason="")
    with pytest.raises(Refused, match="Say who"):
        add(second, world.focal_point, "RF_STOP", ago(1), decided_by=None)
    add(second, world.focal_point, "RF_STOP", ago(1))
    assert reflection_of(second).state == "stopped"
    kinds = set(Happening.objects.filter(case__in=(first, second)).values_list("kind", flat=True))
    assert {EventKind.REFLECTION_WAIVED, EventKind.REFLECTION_ENDED} <= kinds
    actions.end_those_over(ago(-200))
    assert not ReflectionEvent.objects.filter(kind="RF_END").exists()


def test_what_is_refused(world):
    case, by = opened(world.focal_point), world.focal_point
    with pytest.raises(Refused, match="future"):
        add(case, by, "RF_START", ago(-1))
    with pytest.raises(Refused, match="after the referral"):
        add(case, by, "RF_START", ago(11))
    add(case, by, "RF_START", ago(5))
    with pytest.raises(Refused, match="started already"):
        add(case, by, "RF_START", ago(4))
    with pytest.raises(Refused, match="by itself"):
        add(case, by, "RF_END", ago(1))
    for days in (None, 0, 366):
        with pytest.raises(Refused, match="how many days"):
            add(case, by, "RF_EXT", ago(1), days=days)
    lost = opened(by)
    decide(
        lost, by=by, key=uuid.uuid4(), stage=2, outcome="D2_NEG", decided_on=ago(3), decision_maker="DM_POLICE",
        institution=institution("KP-THB"),
    )  # fmt: skip
    with pytest.raises(Refused, match="not to be a victim"):
        add(lost, by, "RF_START", ago(1))


def test_a_body_without_the_competence_records_wishes_only(world):
    case = opened(world.focal_point)
    CaseParty.objects.create(case=case, institution=institution("MOH"), role="helps")
    with pytest.raises(PermissionDenied, match="directorate"):
        add(case, world.other_focal_point, "RF_START", ago(1))
    add(case, world.other_focal_point, "RF_WAIVE", ago(1))
    assert reflection_of(case).state == "waived"


def test_a_form_sent_twice_adds_one_event(world):
    case, key = opened(world.focal_point), uuid.uuid4()
    made = [
        actions.record_event(case, by=world.focal_point, key=key, kind="RF_START", on=ago(2)) for _again in range(2)
    ]
    assert [is_new for _one, is_new in made] == [True, False] and made[0][0] == made[1][0]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_start_it_at_once_one_is_told(world):
    case, by = opened(world.focal_point), world.focal_point
    results = at_once(*(lambda day=day: add(case, by, "RF_START", ago(day)) for day in (1, 2)))
    assert sorted(type(one).__name__ for one in results) == ["ReflectionEvent", "Refused"]
    assert ReflectionEvent.objects.filter(case=case, kind="RF_START").count() == 1
