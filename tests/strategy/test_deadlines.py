"""When an answer is due, and how late it is: worked examples, edges and properties."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onatc.dated_settings import is_working_day
from strategy.deadlines import ANSWER_DAYS, days_late, usual_due_day

DAYS = st.dates(date(2015, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("asked_on", "due_on", "holidays"),
    [
        (date(2026, 3, 2), date(2026, 3, 17), set()),  # Monday → Tuesday two weeks on
        (date(2026, 3, 6), date(2026, 3, 23), set()),  # falls on a Saturday
        (date(2025, 12, 19), date(2026, 1, 5), {date(2026, 1, 1), date(2026, 1, 2)}),  # over the year's end
        (date(2028, 2, 14), date(2028, 2, 29), set()),  # the day that only a leap year has
        (
            date(2026, 4, 24),
            date(2026, 5, 12),
            {date(2026, 5, 9), date(2026, 5, 11)},
        ),  # Saturday, Sunday, a moved holiday
    ],
)
def test_fifteen_days_and_then_the_next_day_on_which_the_office_is_open(asked_on, due_on, holidays):
    assert usual_due_day(asked_on, holidays) == due_on


@given(DAYS, st.sets(DAYS, max_size=5))
def test_it_is_due_on_a_working_day_never_earlier_and_not_much_later(asked_on, holidays):
    due = usual_due_day(asked_on, holidays)
    assert is_working_day(due, holidays)
    assert ANSWER_DAYS <= (due - asked_on).days <= ANSWER_DAYS + 2 + 3 * len(holidays)


@pytest.mark.parametrize(
    ("due_on", "today", "sent_on", "late"),
    [
        (date(2026, 3, 17), date(2026, 3, 17), None, 0),  # the due day itself is in time
        (date(2026, 3, 17), date(2026, 3, 18), None, 1),
        (date(2025, 12, 31), date(2026, 1, 1), None, 1),
        (date(2028, 2, 28), date(2028, 3, 1), None, 2),  # with 29 February
        (date(2026, 3, 17), date(2027, 1, 1), date(2026, 3, 16), 0),  # sent in time stays in time
        (date(2026, 3, 17), date(2027, 1, 1), date(2026, 3, 20), 3),
    ],
)
def test_days_late(due_on, today, sent_on, late):
    assert days_late(due_on, today, sent_on) == late


@given(DAYS, DAYS)
def test_each_day_that_passes_adds_one_once_it_is_late(due_on, today):
    late = days_late(due_on, today)
    assert late >= 0 and days_late(due_on, today + timedelta(days=1)) == (late + 1 if today >= due_on else 0)
