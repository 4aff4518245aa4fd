"""Days late: worked examples, edges, and what holds for any days."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from strategy.lateness import days_late, due_day
from strategy.signal import SHIPPED

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("due", "on", "days"),
    [
        (date(2026, 11, 26), date(2026, 11, 26), 0),  # the due day itself
        (date(2026, 11, 25), date(2026, 11, 26), 1),
        (date(2026, 11, 27), date(2026, 11, 26), 0),
        (date(2024, 2, 28), date(2024, 3, 1), 2),  # leap year
        (date(2025, 2, 28), date(2025, 3, 1), 1),
        (date(2025, 12, 31), date(2026, 1, 1), 1),
        (date(2026, 10, 24), date(2026, 10, 26), 2),  # the clock goes back in between
        (None, date(2026, 1, 1), 0),
    ],
)
def test_worked_examples(due, on, days):
    assert days_late(due, on) == days


@given(due=DAYS, on=DAYS, later=st.integers(0, 5_000))
def test_never_below_zero_and_one_more_each_day_after_the_due_day(due, on, later):
    assert days_late(due, on) >= 0
    assert days_late(due, due + timedelta(days=later)) == later


@pytest.mark.parametrize(("hour", "day"), [(22, 25), (23, 26)])
def test_a_day_begins_at_midnight_in_kosovo(hour, day):
    """23:30 UTC is half past midnight there: a report due on the 25th is then a day late."""
    with freeze_time(datetime(2026, 11, 25, hour, 30, tzinfo=ZoneInfo("UTC"))):
        assert timezone.localdate() == date(2026, 11, day)
        assert days_late(date(2026, 11, 25), timezone.localdate()) == day - 25


@pytest.mark.parametrize(
    ("signal", "reason", "values", "due"),
    [
        ("late", "deadline_passed", {}, date(2026, 6, 30)),
        ("late", "in_step", {}, date(2026, 6, 30)),  # overridden
        ("no_news", "never_reported", {}, date(2026, 1, 1) + timedelta(days=120)),
        ("no_news", "report_is_old", {"date": "2026-03-31"}, date(2026, 3, 31) + timedelta(days=200)),
        ("no_news", "in_step", {}, None),  # overridden: the rule expected none
        ("at_risk", "behind", {}, None),
    ],
)
def test_the_day_that_a_signal_counts_from(signal, reason, values, due):
    assert due_day(signal, reason, values, date(2026, 1, 1), date(2026, 6, 30), SHIPPED) == due
