"""What is owed by when: worked examples, edges and properties of the plain rules."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onatc.periods import Period
from strategy.due import OFFICE, is_late, period_of, periods_to_schedule

DAYS = st.dates(date(2015, 1, 1), date(2050, 12, 31))
FREQUENCIES = st.sampled_from(["quarter", "half", "year"])


@pytest.mark.parametrize(
    ("at", "late"),
    [
        (datetime(2026, 4, 15, 23, 59, 59, tzinfo=OFFICE), False),
        (datetime(2026, 4, 16, 0, 0, tzinfo=OFFICE), True),
        (datetime(2026, 4, 15, 22, 30, tzinfo=UTC), True),  # half past midnight in Prishtina, in summer
        (datetime(2026, 4, 15, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 4, 16, 5, 0, tzinfo=ZoneInfo("Asia/Tokyo")), False),  # ten in the evening of the 15th
        (datetime(2026, 1, 1, tzinfo=OFFICE), False),
    ],
)
def test_the_whole_due_day_counts_by_the_clock_of_the_office(at, late):
    assert is_late(at, date(2026, 4, 15)) == late


def test_the_change_of_the_clock_moves_no_due_day():
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert not is_late(datetime(2026, 3, 29, 21, 59, tzinfo=UTC), spring)  # 23:59 in summer time
    assert is_late(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), spring)
    assert not is_late(datetime(2026, 10, 25, 22, 59, tzinfo=UTC), autumn)  # 23:59 in winter time
    assert is_late(datetime(2026, 10, 25, 23, 0, tzinfo=UTC), autumn)
    assert not is_late(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=OFFICE), autumn)


@given(DAYS, st.integers(0, 24 * 60 - 1))
def test_a_moment_of_the_due_day_is_never_late_and_one_of_the_next_always(day, minute):
    moment = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=OFFICE)
    assert not is_late(moment, day)
    assert is_late(moment, day - timedelta(days=1))


@pytest.mark.parametrize(
    ("frequency", "day", "label"),
    [
        ("quarter", date(2024, 2, 29), "2024Q1"),
        ("quarter", date(2026, 12, 31), "2026Q4"),
        ("half", date(2026, 6, 30), "2026H1"),
        ("half", date(2026, 7, 1), "2026H2"),
        ("year", date(2026, 1, 1), "2026"),
    ],
)
def test_the_period_of_a_day(frequency, day, label):
    assert period_of(frequency, day).label == label


@given(FREQUENCIES, DAYS)
def test_periods_of_a_series_leave_no_gap(frequency, day):
    period = period_of(frequency, day)
    assert period.contains(day) and period.kind == frequency
    assert period_of(frequency, period.end + timedelta(days=1)) == period.next()


def test_a_new_series_begins_with_the_running_period_and_makes_up_what_was_missed():
    plan = {"starts_on": date(2022, 1, 1), "ends_on": date(2026, 12, 31)}
    labels = lambda newest, today: [  # noqa: E731
        one.label for one in periods_to_schedule("quarter", newest and Period.parse(newest), today=today, **plan)
    ]
    assert labels(None, date(2026, 8, 1)) == ["2026Q3"]
    assert labels("2026Q2", date(2026, 8, 1)) == ["2026Q3"]
    assert labels("2026Q3", date(2026, 8, 1)) == []
    assert labels("2027Q1", date(2026, 8, 1)) == []  # somebody scheduled ahead
    assert labels("2025Q4", date(2026, 8, 1)) == ["2026Q1", "2026Q2", "2026Q3"]
    assert labels("2026Q4", date(2027, 2, 1)) == []  # the plan is over
    assert labels(None, date(2021, 12, 31)) == []  # and has not begun
    assert len(labels("2022Q1", date(2026, 8, 1))) == 8


@given(FREQUENCIES, DAYS, DAYS)
def test_what_is_scheduled_ends_with_the_running_period_and_repeats_nothing(frequency, before, today):
    newest = period_of(frequency, min(before, today))
    found = periods_to_schedule(frequency, newest, starts_on=date(2000, 1, 1), ends_on=date(2060, 1, 1), today=today)
    assert all(one.start > newest.end for one in found)
    assert not found or found[-1] == period_of(frequency, today)
    assert all(first.next() == second for first, second in pairwise(found))
