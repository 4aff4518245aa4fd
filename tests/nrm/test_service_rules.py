"""Plain rules of the services directory: how fresh an entry is, how far two places lie apart."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.distance import kilometres
from nrm.freshness import Freshness, freshness, is_reminded, last_day_to_confirm
from onatc.periods import Period

days = st.dates(date(2000, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("confirmed", "today", "said"),
    [
        (date(2026, 10, 1), date(2026, 10, 1), Freshness.FRESH),
        (date(2026, 10, 1), date(2026, 12, 31), Freshness.FRESH),
        (date(2026, 9, 30), date(2026, 10, 1), Freshness.DUE),  # one day later, but another quarter
        (date(2026, 7, 1), date(2026, 12, 31), Freshness.DUE),
        (date(2026, 6, 30), date(2026, 10, 1), Freshness.AGEING),
        (date(2026, 9, 30), date(2027, 1, 1), Freshness.AGEING),
        (date(2026, 12, 31), date(2027, 1, 1), Freshness.DUE),
        (date(2028, 2, 29), date(2028, 3, 31), Freshness.FRESH),  # leap day
        (date(2028, 2, 29), date(2028, 6, 30), Freshness.DUE),
        (date(2028, 2, 29), date(2028, 7, 1), Freshness.AGEING),
        (None, date(2026, 10, 1), Freshness.AGEING),
        (date(2026, 10, 5), date(2026, 10, 1), Freshness.FRESH),  # the clock was set back
    ],
)
def test_what_was_confirmed_stays_fresh_until_its_quarter_ends(confirmed, today, said):
    assert freshness(confirmed, today) == said


@given(confirmed=days, today=days)
def test_an_entry_never_becomes_fresher_by_itself(confirmed, today):
    order = [Freshness.FRESH, Freshness.DUE, Freshness.AGEING]
    now, later = freshness(confirmed, today), freshness(confirmed, today + timedelta(days=1))
    assert order.index(later) >= order.index(now)
    assert (now == Freshness.FRESH) == (confirmed >= Period.quarter_of(today).start)


def test_providers_are_reminded_from_the_second_month_of_a_quarter_on():
    assert [month for month in range(1, 13) if is_reminded(date(2026, month, 1))] == [2, 3, 5, 6, 8, 9, 11, 12]
    assert last_day_to_confirm(date(2028, 2, 29)) == date(2028, 3, 31)


PRISTINA, PRIZREN, PEJA = (42.6667, 21.1667), (42.2139, 20.7397), (42.6591, 20.2883)


@pytest.mark.parametrize(
    ("here", "there", "about"),
    [(PRISTINA, PRISTINA, 0), (PRISTINA, PRIZREN, 61.4), (PRISTINA, PEJA, 71.8), ((0, 0), (0, 180), 20015.1)],
)
def test_distances_are_those_of_the_map(here, there, about):
    assert kilometres(*here, *there) == pytest.approx(about, abs=0.2)


points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(here=points, there=points)
def test_a_distance_is_the_same_both_ways_and_never_more_than_half_the_earth(here, there):
    far = kilometres(*here, *there)
    assert far == pytest.approx(kilometres(*there, *here), abs=1e-6) and 0 <= far <= 20_016
