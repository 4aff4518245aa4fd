"""How late an answer is: worked examples, edges and properties."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.deadlines import days_late

DAYS = st.dates(date(2015, 1, 1), date(2060, 12, 31))


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
