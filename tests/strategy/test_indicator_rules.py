"""What values amount to: worked examples, edges and properties of the rules of counting, targets, breakdowns and samples."""

from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onatc.periods import Period
from strategy.indicators import (
    Candidate,
    Reported,
    Standing,
    Target,
    achievement,
    agree,
    broken_down,
    change_pct,
    counted,
    drawn,
    is_due,
    once_each,
    percentage,
    rule_text,
    share_of_way,
    standing,
    target_problem,
)


def said(label, value, top=None, bottom=None):
    numbers = [None if one is None else Decimal(str(one)) for one in (value, top, bottom)]
    return Reported(Period.parse(label), *numbers)


def asked(*labels):
    return [Period.parse(label) for label in labels]


@pytest.mark.parametrize(
    ("counting", "value", "as_of"),
    [("to_date", 9, date(2025, 6, 30)), ("at_date", 9, date(2025, 6, 30)), ("in_period", 24, date(2025, 6, 30))],
)
def test_the_latest_counts_or_the_sum_by_the_rule(counting, value, as_of):
    found = standing("number", counting, [said("2025Q1", 15), said("2025Q2", 9)])
    assert (found.value, found.as_of, found.missing) == (Decimal(value), as_of, 0)


def test_a_period_without_a_value_makes_a_sum_a_lower_bound_and_is_never_zero():
    found = standing(
        "number",
        "in_period",
        [said("2024Q4", 5), said("2025Q1", None)],
        asked=asked("2024Q4", "2025Q1", "2025Q2"),
    )
    assert found == Standing(Decimal(5), 1, 2, date(2024, 12, 31))
    assert found.is_at_least
    assert standing("number", "in_period", [], asked=asked("2025Q1")) == Standing(None, 0, 1, None)


def test_each_period_is_counted_once():
    values = [said("2025Q1", 5), said("2025Q2", 7), said("2025H1", 13), said("2025Q3", 2), said("2025Q3", 3)]
    found = standing("number", "in_period", values, asked=asked("2025Q1", "2025H1", "2025Q3"))
    assert (found.value, found.periods, found.missing) == (Decimal(16), 2, 0)
    # A half-year asked for is there when both of its quarters are.
    quarters = standing("number", "in_period", values[:2], asked=asked("2025H1"))
    assert (quarters.value, quarters.missing) == (Decimal(12), 0)


def test_a_percentage_is_never_summed():
    values = [said("2025Q1", 50, 1, 2), said("2025Q2", "33.33", 1, 3)]
    found = standing("percent", "in_period", values, has_two_numbers=True)
    assert found.value == Decimal("40.00")  # 2 of 5, not 83.33
    assert standing("percent", "in_period", values).value == Decimal("33.33")
    assert standing("days", "in_period", values).value == Decimal("33.33")
    # A check found 100 % of the two in the first quarter: 3 of 5.
    verified = [Reported(values[0].period, Decimal(100), Decimal(1), Decimal(2)), values[1]]
    assert standing("percent", "in_period", verified, has_two_numbers=True).value == Decimal("60.00")


@pytest.mark.parametrize(
    ("top", "bottom", "value"),
    [(1, 3, "33.33"), (2, 3, "66.67"), (1, 8, "12.50"), (0, 5, "0.00"), (5, 0, None), (None, 5, None), (5, None, None)],
)
def test_percentages_are_half_up(top, bottom, value):
    numbers = [None if one is None else Decimal(one) for one in (top, bottom)]
    assert percentage(*numbers) == (None if value is None else Decimal(value))


def test_only_what_was_reported_in_the_time_of_a_target_counts_for_it():
    values = [said("2023Q4", 8), said("2024Q1", 2), said("2024Q4", 3)]
    year = Period.parse("2024")
    assert standing("number", "in_period", values, within=year).value == 5
    assert standing("number", "to_date", values, within=year).value == 3
    assert standing("number", "to_date", values, within=Period.parse("2025")).value is None


@pytest.mark.parametrize(
    ("value", "baseline", "target", "lower", "is_sum", "missing", "share", "reached"),
    [
        (8, 5, 10, False, False, 0, "60.0", False),
        (10, 5, 10, False, False, 0, "100.0", True),
        (15, 25, 10, True, False, 0, "66.7", False),
        (9, 25, 10, True, False, 0, "100.0", True),
        (8, 5, 10, False, True, 0, "80.0", False),  # counting begins anew: the baseline is another year's
        (8, 5, 10, False, True, 1, "80.0", None),  # at least 8: it may have been reached
        (12, 5, 10, False, True, 1, "100.0", True),
        (8, 5, 10, True, True, 0, None, True),
        (8, 5, 10, True, True, 1, None, None),
        (12, 5, 10, True, True, 1, None, False),
        (None, 5, 10, False, False, 0, None, None),
        (8, None, 10, False, False, 0, None, False),
    ],
)
def test_a_target_beside_what_was_reached(value, baseline, target, lower, is_sum, missing, share, reached):
    found = achievement(
        Target(Period.parse("2025"), Decimal(target)),
        Standing(None if value is None else Decimal(value), 1, missing),
        baseline=None if baseline is None else Decimal(baseline),
        lower_is_better=lower,
        is_sum=is_sum,
    )
    assert (found.share, found.is_reached) == (None if share is None else Decimal(share), reached)


@pytest.mark.parametrize(
    ("unit", "baseline", "target", "lower", "is_sum", "part"),
    [
        ("number", 10, 20, False, False, None),
        ("number", 10, 5, False, False, "below the baseline"),
        ("number", 10, 5, True, False, None),  # a falling indicator: below the baseline is right
        ("number", 10, 20, True, False, "above the baseline"),
        ("number", 10, 10, True, False, None),
        ("number", None, 20, True, False, None),
        ("number", 10, 5, False, True, None),
        ("percent", 10, 101, False, False, "between 0 and 100"),
        ("yes_no", 0, 2, False, False, "1 for yes"),
    ],
)
def test_a_target_on_the_wrong_side_of_the_baseline_is_named(unit, baseline, target, lower, is_sum, part):
    problem = target_problem(
        unit,
        baseline=None if baseline is None else Decimal(baseline),
        target=Decimal(target),
        lower_is_better=lower,
        is_sum=is_sum,
    )
    assert problem is None if part is None else part in str(problem)


@pytest.mark.parametrize(
    ("frequency", "label", "due"),
    [
        ("quarter", "2025Q1", True), ("half", "2025Q1", False), ("half", "2025Q2", True), ("half", "2025H1", True),
        ("half", "2025Q4", True), ("year", "2025Q2", False), ("year", "2025H2", True), ("year", "2024", True),
        ("year", "2024-02", False), ("half", "2024-12", True),
    ],
)  # fmt: skip
def test_less_frequent_indicators_are_asked_where_their_time_ends(frequency, label, due):
    assert is_due(frequency, Period.parse(label)) is due


def test_what_a_check_did_not_confirm_does_not_count():
    assert counted(Decimal(8), None, "") == 8
    assert counted(Decimal(8), Decimal(5), "partly") == 5
    assert counted(Decimal(8), None, "partly") == 8
    assert counted(Decimal(8), None, "not") is None
    assert counted(None, Decimal(5), "not") == 5
    assert counted(Decimal(8), Decimal(0), "not") == 0  # found to be nothing: a number, not missing


def cells(**counts):
    return {("sex", code): (None if n is None else Decimal(n), 1 if n is None else None) for code, n in counts.items()}


@pytest.mark.parametrize(
    ("total", "parts", "is_over", "is_short"),
    [
        (10, cells(F=6, M=4), False, False),
        (10, cells(F=6, M=3), False, True),
        (10, cells(F=6, M=3, U=1), False, False),
        (10, cells(F=6, M=None), False, False),  # the cell says why
        (10, cells(F=8, M=4), True, False),
        (10, {}, False, True),
        (0, {}, False, False),
        (None, cells(F=3), False, False),
        (10, {("district", "PRN"): (Decimal(10), None)}, False, True),
    ],
)
def test_parts_make_up_the_total_or_need_a_reason(total, parts, is_over, is_short):
    (found,) = agree(None if total is None else Decimal(total), parts, ["sex"])
    assert (found.is_over, found.is_short) == (is_over, is_short)


def test_what_has_no_parts_is_not_broken_down():
    assert [one.name for one in broken_down("number", ["sex", "community", "district"])] == ["sex", "district"]
    assert broken_down("percent", ["sex"]) == []
    assert [one.name for one in broken_down("percent", ["sex"], has_two_numbers=True)] == ["sex"]
    assert broken_down("days", ["sex"]) == broken_down("yes_no", ["sex"]) == []


@pytest.mark.parametrize(
    ("value", "before", "pct"),
    [(15, 10, "50.0"), (5, 10, "-50.0"), (1, 0, "100"), (0, 0, "0"), (None, 3, None), (3, None, None), (1, 3, "-66.7")],
)
def test_a_change_in_per_cent(value, before, pct):
    numbers = [None if one is None else Decimal(one) for one in (value, before)]
    assert change_pct(*numbers) == (None if pct is None else Decimal(pct))


def lot(key):
    return sha256(key.encode()).hexdigest()


def test_risky_entries_are_always_checked():
    found = [
        Candidate("late", is_late=True), Candidate("disputed", returns=2), Candidate("changed", change_pct=Decimal(-60)),
        Candidate("once", returns=1), Candidate("plain", change_pct=Decimal(49)),
    ]  # fmt: skip
    chosen = drawn(found, share=1, change_limit=50, lot=lot)
    assert {key for key, is_risk in chosen.items() if is_risk} == {"late", "disputed", "changed"}
    assert sum(not is_risk for is_risk in chosen.values()) == 1  # rounded up


@given(st.integers(0, 60), st.integers(1, 100), st.integers(0, 100), st.randoms())
def test_a_sample_is_the_same_in_any_order_and_grows_with_the_share(number, share, more, random):
    found = [Candidate(str(one)) for one in range(number)]
    chosen = drawn(found, share=share, change_limit=50, lot=lot)
    assert len(chosen) == -(-number * share // 100)
    larger = drawn(found, share=min(share + more, 100), change_limit=50, lot=lot)
    assert set(chosen) <= set(larger)
    random.shuffle(found)
    assert drawn(found, share=share, change_limit=50, lot=lot) == chosen


periods = st.sampled_from(
    [Period.parse(one) for one in "2024Q1 2024Q2 2024H1 2024Q3 2024Q4 2024H2 2024 2025Q1".split()]
)
values = st.lists(st.builds(Reported, periods, st.one_of(st.none(), st.integers(0, 99).map(Decimal))), max_size=12)


@given(values)
def test_no_day_is_summed_twice(reported):
    kept = once_each(reported)
    for index, one in enumerate(kept):
        assert one.value is not None
        assert all(one.period.end < later.period.start for later in kept[index + 1 :])
    assert {one.period for one in kept} <= {one.period for one in reported}


@given(values, st.sets(periods))
def test_a_sum_without_values_is_unknown_and_missing_periods_never_change_it(reported, wanted):
    found = standing("number", "in_period", reported, asked=wanted)
    assert found.value == standing("number", "in_period", reported).value
    assert (found.value is None) == all(one.value is None for one in reported)
    assert 0 <= found.missing <= len(wanted)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_a_share_lies_between_nothing_and_all(value, baseline, target):
    share = share_of_way(Decimal(value), Decimal(baseline), Decimal(target))
    assert share is None or 0 <= share <= 100


@given(st.integers(1, 200), st.dictionaries(st.sampled_from("FMXU"), st.integers(0, 60), max_size=4))
def test_parts_are_over_short_or_agree_and_never_two_of_them(total, counts):
    (found,) = agree(Decimal(total), cells(**counts), ["sex"])
    assert not (found.is_over and found.is_short)
    assert (not found.is_over and not found.is_short) == (sum(counts.values()) == total)


def test_each_rule_is_a_sentence():
    texts = {
        rule_text(unit, counting, lower_is_better=lower, has_two_numbers=two)
        for unit in ("number", "percent", "days", "yes_no")
        for counting in ("to_date", "at_date", "in_period")
        for lower in (True, False)
        for two in (True, False)
    }
    assert len(texts) == 4
