"""The published rule of the signal on worked examples, at its edges, and by properties."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.models import MeasureState, Signal
from strategy.signal import MeasureFacts, Reading, achieved_pct, compute, elapsed_pct, mean_achieved_pct, reason_text

START, END = date(2022, 1, 1), date(2026, 12, 31)


def facts(value: object = None, *, baseline: object = 0, target: object = 100, **changes: object) -> MeasureFacts:
    reading = Reading(*(None if part is None else Decimal(str(part)) for part in (value, baseline, target)))
    fields = {
        "starts_on": START,
        "ends_on": END,
        "reported_state": MeasureState.UNDER_WAY,
        "latest_period_end": date(2024, 3, 31),
        "readings": [reading],
    }
    return MeasureFacts(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "baseline", "target", "expected"),
    [
        (7, 5, 7, "100.0"),
        (6, 5, 7, "50.0"),
        (5, 5, 7, "0.0"),
        (4, 5, 7, "0.0"),
        (9, 5, 7, "100.0"),
        (15, 25, 10, "66.7"),  # lower is better: from 25 days to 10
        (1, 0, 3, "33.3"),
        (2, 0, 3, "66.7"),
        (1, 0, 1, "100.0"),
        (5, 5, 5, "100.0"),
        (4, 5, 5, None),
        (None, 0, 10, None),
        (3, None, 10, None),
        (3, 0, None, None),
    ],
)
def test_achieved_share_on_worked_examples(value, baseline, target, expected):
    reading = Reading(*(None if part is None else Decimal(part) for part in (value, baseline, target)))
    assert achieved_pct(reading) == (None if expected is None else Decimal(expected))


def test_unknown_readings_are_left_out_of_the_mean_and_are_not_zero():
    known = Reading(Decimal(50), Decimal(0), Decimal(100))
    assert mean_achieved_pct([known, Reading(None, Decimal(0), Decimal(10))]) == Decimal("50.0")
    assert mean_achieved_pct([]) is None


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_a_higher_value_never_achieves_less(value, more, target):
    share = achieved_pct(Reading(Decimal(value), Decimal(0), Decimal(target)))
    assert share <= achieved_pct(Reading(Decimal(value + more), Decimal(0), Decimal(target)))
    assert 0 <= share <= 100


def test_time_gone_counts_both_ends():
    assert elapsed_pct(date(2024, 2, 28), date(2024, 3, 1), date(2024, 2, 27)) == 0
    assert elapsed_pct(date(2024, 2, 28), date(2024, 3, 1), date(2024, 2, 29)) == Decimal("66.7")  # a leap year
    assert elapsed_pct(date(2023, 2, 28), date(2023, 3, 1), date(2023, 2, 28)) == Decimal("50.0")
    assert elapsed_pct(START, END, END) == 100
    assert elapsed_pct(START, START, START) == 100


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 4000))
def test_time_never_runs_backwards(day, later):
    assert elapsed_pct(START, END, day) <= elapsed_pct(START, END, min(day + timedelta(days=later), date(2040, 1, 1)))


@pytest.mark.parametrize(
    ("known", "on", "signal", "reason"),
    [
        (facts(50, is_dropped=True), date(2024, 6, 30), Signal.DROPPED, "dropped"),
        (facts(50, reported_state=MeasureState.COMPLETED), date(2027, 1, 1), Signal.COMPLETED, "reported_completed"),
        (facts(), date(2021, 12, 31), Signal.NOT_STARTED, "starts_later"),
        (facts(99), date(2027, 1, 1), Signal.LATE, "deadline_passed"),
        (facts(99, latest_period_end=date(2026, 9, 30)), END, Signal.ON_TIME, "in_step"),
        (facts(latest_period_end=None, reported_state=None), date(2022, 5, 1), Signal.ON_TIME, "first_report_not_due"),
        (facts(latest_period_end=None, reported_state=None), date(2022, 5, 2), Signal.NO_NEWS, "never_reported"),
        (facts(50), date(2024, 10, 17), Signal.ON_TIME, "in_step"),  # day 200 of the news
        (facts(50), date(2024, 10, 18), Signal.NO_NEWS, "report_is_old"),
        (facts(0, reported_state=MeasureState.PLANNED), date(2024, 6, 30), Signal.AT_RISK, "not_started"),
        (facts(None), date(2024, 6, 30), Signal.ON_TIME, "no_share"),
        (facts(29), date(2024, 6, 30), Signal.AT_RISK, "behind"),  # 49.9 % of the time is gone
        (facts(30), date(2024, 6, 30), Signal.ON_TIME, "in_step"),
    ],
)
def test_the_rule_on_worked_examples(known, on, signal, reason):
    judgement = compute(known, on)
    assert (judgement.signal, judgement.reason) == (signal, reason)
    assert reason_text(judgement.reason, judgement.values)


@given(st.dates(START, END), st.integers(0, 100), st.sampled_from(MeasureState.values))
def test_nothing_is_late_before_its_deadline(on, value, state):
    assert compute(facts(value, reported_state=state), on).signal != Signal.LATE


def test_reasons_are_sentences_with_figures_in_the_readers_way():
    from django.utils import translation

    judgement = compute(facts(29), date(2024, 6, 30))
    assert reason_text(judgement.reason, judgement.values) == "29.0% is achieved while 49.9% of the time is gone."
    with translation.override("sq"):
        assert "29,0%" in reason_text(judgement.reason, judgement.values)
