from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onatc.periods import Period, PeriodError, PeriodField, months_after

YEARS = st.integers(1900, 2200)
LABELS = st.one_of(
    YEARS.map(lambda y: f"{y}"),
    st.tuples(YEARS, st.integers(1, 2)).map(lambda p: f"{p[0]}H{p[1]}"),
    st.tuples(YEARS, st.integers(1, 4)).map(lambda p: f"{p[0]}Q{p[1]}"),
    st.tuples(YEARS, st.integers(1, 12)).map(lambda p: f"{p[0]}-{p[1]:02d}"),
    YEARS.map(lambda y: f"{y}/{(y + 1) % 100:02d}"),
)
DAYS = st.dates(date(1950, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("label", "start", "end"),
    [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026H1", "2026-01-01", "2026-06-30"),
        ("2026h2", "2026-07-01", "2026-12-31"),
        ("2026Q3", "2026-07-01", "2026-09-30"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2026/27", "2026-04-01", "2027-03-31"),
        ("1999/00", "1999-04-01", "2000-03-31"),
        ("2026-01-15..2026-02-10", "2026-01-15", "2026-02-10"),
        ("2024-02-29..2024-02-29", "2024-02-29", "2024-02-29"),
    ],
)
def test_labels_are_date_ranges(label, start, end):
    assert Period.parse(label) == Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    "text",
    ["", "20", "2026Q5", "2026Q0", "2026H3", "2026-13", "2026-00", "2026/28", "2026-02-30..2026-03-01",
     "2026-03-01..2026-02-01", "Q3 2026", "٢٠٢٦", "2026Q3; drop", "0000", "9999/00", "x" * 1000],
)  # fmt: skip
def test_what_is_no_period_is_refused(text):
    with pytest.raises(PeriodError):
        Period.parse(text)


@given(LABELS)
def test_a_label_comes_back_as_it_was(label):
    assert Period.parse(label).label == label
    assert Period.parse(Period.parse(label).label) == Period.parse(label)


@given(LABELS)
def test_next_and_previous_touch_and_undo_each_other(label):
    period = Period.parse(label)
    assert period.next().start == period.end + timedelta(days=1)
    assert period.next().previous() == period
    assert period.next().kind == period.kind


@given(YEARS)
def test_four_quarters_tile_a_year(year):
    quarters = Period.parse(str(year)).quarters()
    assert [quarter.label for quarter in quarters] == [f"{year}Q{number}" for number in (1, 2, 3, 4)]
    assert sum(quarter.days for quarter in quarters) == Period.parse(str(year)).days


@given(DAYS)
def test_each_day_lies_in_its_quarter(day):
    assert Period.quarter_of(day).contains(day)


@given(DAYS, st.integers(0, 800))
def test_a_free_range_keeps_its_length(day, length):
    period = Period(day, day + timedelta(days=length))
    assert period.next().days in (period.days, *(p.days for p in [period.next()]))
    assert Period.parse(period.label) == period


def test_the_same_period_last_year_survives_leap_days():
    assert Period.parse("2024-02").same_last_year() == Period.parse("2023-02")
    assert Period.parse("2025-02").same_last_year() == Period.parse("2024-02")
    assert Period.parse("2024-02-29..2024-03-01").same_last_year() == Period.parse("2023-02-28..2023-03-01")


def test_the_field_gives_a_period_or_says_what_to_write():
    field = PeriodField(required=False)
    assert field.clean("2026q3") == Period.parse("2026Q3")
    assert field.clean("") is None
    with pytest.raises(Exception, match="is not a period"):
        field.clean("soon")


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 11, 30), 3, date(2025, 2, 28)),
        (date(2024, 12, 15), 12, date(2025, 12, 15)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2024, 3, 31), -24, date(2022, 3, 31)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(9999, 11, 30), 1, date(9999, 12, 30)),
    ],
)
def test_the_same_day_so_many_months_on(day, months, expected):
    assert months_after(day, months) == expected


def test_beyond_the_calendar_there_is_no_day():
    with pytest.raises(ValueError, match="year"):
        months_after(date(9999, 12, 1), 1)


@given(day=st.dates(date(1990, 1, 1), date(2100, 12, 31)), months=st.integers(-120, 120))
def test_months_on_lie_in_the_right_month_on_the_same_or_its_last_day(day, months):
    found = months_after(day, months)
    assert (found.year - day.year) * 12 + found.month - day.month == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)
