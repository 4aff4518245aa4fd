"""The plain rules of meetings: quorum, when the next one is due, how long one lasts and how its time is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stakeholders.meeting_rules import (
    Seat,
    Standing,
    duration,
    lasts,
    next_due,
    standing,
    votes_present,
    voting_seats,
    when,
)
from stakeholders.models import Body

HERE = ZoneInfo("Europe/Belgrade")
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


# Quorum


@pytest.mark.parametrize(
    ("pct", "more", "fixed", "voting", "needed"),
    [
        (50, True, None, 10, 6),  # more than half of ten
        (50, True, None, 11, 6),
        (50, False, None, 10, 5),
        (50, False, None, 11, 6),
        (67, False, None, 3, 3),  # two of three are 66.7 %
        (66, False, None, 3, 2),
        (100, True, None, 7, 7),  # never more than there are
        (100, False, None, 7, 7),
        (1, False, None, 1000, 10),
        (50, True, None, 1, 1),
        (50, True, None, 0, 1),  # a body without members never has one
        (50, True, 8, 30, 8),
    ],
)
def test_worked_quorums(pct, more, fixed, voting, needed):
    assert Body(quorum_pct=pct, quorum_is_more_than=more, quorum_count=fixed).quorum_of(voting) == needed


@given(pct=st.integers(1, 100), more=st.booleans(), voting=st.integers(0, 500))
def test_a_quorum_is_the_least_number_that_makes_up_the_share(pct, more, voting):
    needed = Body(quorum_pct=pct, quorum_is_more_than=more).quorum_of(voting)
    assert 1 <= needed <= max(1, voting)

    def enough(number):
        share = number * 100
        return share > voting * pct if more else share >= voting * pct

    assert enough(needed) or needed == voting or not voting
    assert needed == 1 or not enough(needed - 1)


@given(pct=st.integers(1, 100), more=st.booleans(), voting=st.integers(0, 500))
def test_a_larger_body_never_needs_fewer(pct, more, voting):
    body = Body(quorum_pct=pct, quorum_is_more_than=more)
    assert body.quorum_of(voting) <= body.quorum_of(voting + 1)


SEATS = st.lists(st.builds(Seat, st.integers(0, 99), st.booleans(), st.booleans()), unique_by=lambda seat: seat.key)


@given(seats=SEATS, taken=st.lists(st.integers(0, 120)))
def test_a_seat_has_one_voice_and_a_vacant_one_none(seats, taken):
    there = votes_present(seats, taken)
    assert 0 <= there <= voting_seats(seats) <= len(seats)
    assert votes_present(seats, taken + taken) == there  # member and deputy, ticked twice
    assert votes_present(seats, [seat.key for seat in seats]) == voting_seats(seats)
    vacant = [Seat(seat.key, seat.votes, True) for seat in seats]
    assert voting_seats(vacant) == votes_present(vacant, taken) == 0


# When the next one is due


@pytest.mark.parametrize(
    ("last", "months", "due"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 3, 26), 12, date(2027, 3, 26)),
    ],
)
def test_worked_due_days(last, months, due):
    assert next_due(last, months, date(2000, 1, 1)) == due


def test_before_the_first_meeting_the_day_since_which_it_is_owed_counts():
    assert next_due(None, 3, date(2026, 1, 31)) == date(2026, 4, 30)
    assert next_due(None, None, date(2026, 1, 31)) is None


@given(first=DAYS, second=DAYS, months=st.integers(1, 60))
def test_who_met_later_is_due_no_earlier(first, second, months):
    earlier, later = sorted((first, second))
    assert next_due(earlier, months, earlier) <= next_due(later, months, later)


def test_the_due_day_itself_is_not_overdue():
    due = date(2026, 6, 30)
    assert standing(due, date(2026, 5, 30)) == Standing.DONE
    assert standing(due, date(2026, 5, 31)) == Standing.SOON
    assert standing(due, due) == Standing.SOON
    assert standing(due, date(2026, 7, 1)) == Standing.OVERDUE
    assert standing(due, date(2026, 7, 1), ends_on=date(2026, 6, 30)) == Standing.ENDED
    assert standing(None, due) == Standing.NO_RULE


# Time


def test_over_midnight_both_days_are_named():
    begins, ends = datetime(2027, 3, 12, 23, tzinfo=HERE), datetime(2027, 3, 13, 1, 30, tzinfo=HERE)
    assert when(begins, ends) == "12 March 2027, 23:00 – 13 March 2027, 01:30"
    assert duration(begins, ends) == "2 h 30 min"


def test_the_hour_that_is_skipped_in_march_does_not_lengthen_the_meeting():
    begins, ends = datetime(2027, 3, 28, 1, tzinfo=HERE), datetime(2027, 3, 28, 4, tzinfo=HERE)
    assert when(begins, ends) == "28 March 2027, 01:00 CET–04:00 CEST"
    assert (duration(begins, ends), lasts(begins, ends)) == ("2 h", timedelta(hours=2))


def test_the_hour_that_comes_twice_in_october_is_told_apart():
    begins = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 for the first time
    ends = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 again
    assert when(begins, ends) == "25 October 2026, 02:30 CEST–02:30 CET"
    assert duration(begins, ends) == "1 h"
    night = datetime(2026, 10, 24, 22, tzinfo=HERE), datetime(2026, 10, 25, 4, tzinfo=HERE)
    assert when(*night) == "24 October 2026, 22:00 CEST – 25 October 2026, 04:00 CET"
    assert duration(*night) == "7 h"


def test_a_short_meeting_is_said_in_minutes():
    begins = datetime(2027, 3, 12, 10, tzinfo=HERE)
    assert when(begins, begins + timedelta(minutes=45)) == "12 March 2027, 10:00–10:45"
    assert duration(begins, begins + timedelta(minutes=45)) == "45 min"
