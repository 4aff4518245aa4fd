"""Where a due day goes on which the office is closed: worked examples, edges, properties, and the setting over time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from onatc.dated_settings import (
    DatedSetting,
    Holiday,
    Moves,
    SettingName,
    due_day,
    is_working_day,
    moved,
    setting,
)
from onatc.periods import Period
from strategy.actions.legal import due_day as answer_due_day
from strategy.actions.rounds import usual_due_date

DAYS = st.dates(date(2015, 1, 1), date(2060, 12, 31))
NEW_YEAR = {date(2026, 1, 1), date(2026, 1, 2)}


@pytest.mark.parametrize(
    ("day", "holidays", "following", "before"),
    [
        (date(2026, 3, 17), set(), date(2026, 3, 17), date(2026, 3, 17)),
        (date(2026, 3, 21), set(), date(2026, 3, 23), date(2026, 3, 20)),  # a Saturday
        (date(2026, 1, 3), NEW_YEAR, date(2026, 1, 5), date(2025, 12, 31)),  # over the year's end, both ways
        (date(2028, 2, 29), set(), date(2028, 2, 29), date(2028, 2, 29)),
        (date(2026, 5, 9), {date(2026, 5, 9), date(2026, 5, 11)}, date(2026, 5, 12), date(2026, 5, 8)),
        (date(2026, 4, 15), {date(2026, 4, 15), date(2026, 4, 16)}, date(2026, 4, 17), date(2026, 4, 14)),
    ],
)
def test_each_way_of_the_setting(day, holidays, following, before):
    assert moved(day, holidays, Moves.NEXT) == following
    assert moved(day, holidays, Moves.BEFORE) == before
    assert moved(day, holidays, Moves.STAYS) == day


@given(DAYS, st.sets(DAYS, max_size=5))
def test_a_day_that_moves_becomes_the_nearest_working_day_on_its_side(day, holidays):
    after, before = moved(day, holidays, Moves.NEXT), moved(day, holidays, Moves.BEFORE)
    assert is_working_day(after, holidays) and is_working_day(before, holidays) and before <= day <= after
    between = [before + timedelta(days=number) for number in range(1, (after - before).days)]
    assert not any(is_working_day(one, holidays) for one in between)
    assert (after == day) == (before == day) == is_working_day(day, holidays)


def close(start: date, days: int) -> None:
    Holiday.objects.bulk_create(
        [Holiday(day=start + timedelta(days=number), name_sq="Mbyllur") for number in range(days)],
        ignore_conflicts=True,
    )


@pytest.mark.django_db
def test_a_long_chain_of_holidays_is_crossed_in_both_directions():
    """Two months closed, longer than any month that is looked at by habit."""
    close(date(2031, 3, 1), 61)  # 1 March to 30 April; 1 May 2031 is a Thursday and Labour Day
    close(date(2031, 5, 1), 1)
    assert due_day(date(2031, 3, 20)) == date(2031, 5, 2)
    DatedSetting.objects.create(name=SettingName.DUE_DAY_MOVES, choice=Moves.BEFORE, valid_from=date(2031, 1, 1))
    assert due_day(date(2031, 4, 20)) == date(2031, 2, 28)


@pytest.mark.django_db
def test_the_setting_counts_that_is_in_force_on_the_due_day_itself(django_assert_num_queries):
    """Changed midway: the Saturday before goes on, the Saturdays after go back, then stay."""
    for day, how in [(date(2031, 6, 10), Moves.BEFORE), (date(2031, 7, 1), Moves.STAYS)]:
        DatedSetting.objects.create(name=SettingName.DUE_DAY_MOVES, choice=how, valid_from=day)
    assert setting(SettingName.DUE_DAY_MOVES, date(2031, 6, 9)) == Moves.NEXT
    assert due_day(date(2031, 6, 7)) == date(2031, 6, 9)
    assert due_day(date(2031, 6, 14)) == date(2031, 6, 13)
    with django_assert_num_queries(2):
        assert due_day(date(2031, 7, 5)) == date(2031, 7, 5)


@pytest.mark.django_db
def test_rounds_and_legal_inputs_follow_it():
    quarter = Period.parse("2031Q1")
    Holiday.objects.filter(day__year=2031).delete()
    assert usual_due_date(quarter, 15) == date(2031, 4, 15)
    assert usual_due_date(quarter, 19) == date(2031, 4, 21)  # a Saturday
    assert answer_due_day(date(2031, 4, 4)) == date(2031, 4, 21)
    DatedSetting.objects.create(name=SettingName.DUE_DAY_MOVES, choice=Moves.BEFORE, valid_from=date(2031, 1, 1))
    assert usual_due_date(quarter, 19) == date(2031, 4, 18) == answer_due_day(date(2031, 4, 4))


@pytest.mark.django_db
def test_the_setting_is_changed_on_its_page_and_what_is_no_choice_is_refused(client_for):
    director = client_for("director")
    address = reverse("settings-change", args=["due_day_moves"])
    assert b"moves to the next working day" in director.get(address).content
    today = timezone.localdate()
    refused = director.post(address, {"choice": "never", "valid_from": today.isoformat()})
    assert refused.status_code == 200 and not DatedSetting.objects.exists()
    assert director.post(address, {"choice": "before", "valid_from": today.isoformat()}).status_code == 302
    assert setting(SettingName.DUE_DAY_MOVES, today) == Moves.BEFORE
    assert b"moves to the working day before" in director.get(reverse("settings-list")).content
