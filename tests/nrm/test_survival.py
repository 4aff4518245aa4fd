"""Timeliness with running clocks counted properly: textbook examples, and what must hold for all."""

import itertools
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm import survival
from nrm.survival import Quantile, Share, Step

OBSERVED = st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=25)
SHARES = st.fractions(min_value=F(1, 100), max_value=1)

# Weeks of remission of 21 patients with 6-MP (Freireich and others 1963), the standard example: Cox and Oakes, "Analysis of
# Survival Data" (1984), table 1.1; Kleinbaum and Klein, "Survival Analysis", chapter 2. `+` is censored.
REMISSION = [
    (int(text.rstrip("+")), not text.endswith("+"))
    for text in "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()
]
PLACEBO = [(weeks, True) for weeks in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


def test_the_textbook_example():
    made = survival.steps(REMISSION)
    assert [(step.duration, step.at_risk, step.finished) for step in made] == [
        (6, 21, 3), (7, 17, 1), (10, 15, 1), (13, 12, 1), (16, 11, 1), (22, 7, 1), (23, 6, 1),
    ]  # fmt: skip
    assert [round(float(step.remaining), 4) for step in made] == [
        0.8571,
        0.8067,
        0.7529,
        0.6902,
        0.6275,
        0.5378,
        0.4482,
    ]
    assert survival.quantile(REMISSION, F(1, 2)) == Quantile(23)
    assert survival.quantile(REMISSION, F(9, 10)) == Quantile(None, more_than=35)
    assert survival.quantile(PLACEBO, F(1, 2)) == Quantile(8)


def test_the_share_done_by_a_limit():
    assert survival.done_by(REMISSION, 10) == Share(1 - F(18, 21) * F(16, 17) * F(14, 15), at_risk=15)
    assert survival.done_by(REMISSION, 5) == Share(F(0), 21)
    assert survival.done_by(REMISSION, 35).at_risk == 1
    assert survival.done_by(REMISSION, 36) == Share(None, 0)
    assert survival.done_by(PLACEBO, 100) == Share(F(1), 0)


def test_leaving_out_what_still_runs_would_be_too_good():
    """Four done in 1 to 4 days, six running for 10 days: of the finished all took 4 days at most; in truth 4 of 10 did."""
    observed = [(days, True) for days in (1, 2, 3, 4)] + [(10, False)] * 6
    assert survival.done_by(observed, 5) == Share(F(4, 10), 6)
    summary = survival.timeliness(observed)
    assert (summary.count, summary.finished, summary.censored) == (10, 4, 6)
    assert summary.median == summary.ninetieth == Quantile(None, more_than=10)


def test_whoever_is_censored_at_a_duration_is_at_risk_at_it():
    assert survival.steps([(5, True), (5, False)]) == (Step(5, 2, 1, F(1, 2)),)


def test_nothing_and_nothing_finished():
    empty = survival.timeliness([])
    assert empty.steps == () and empty.median == Quantile(None, None)
    assert survival.done_by([], 3) == Share(None, 0)
    assert survival.steps([(4, False), (9, False)]) == ()
    assert survival.quantile([(4, False), (9, False)], F(1, 2)) == Quantile(None, more_than=9)
    assert survival.done_by([(0, True)], 0) == Share(F(1), 1)


@pytest.mark.parametrize("duration", [-1, float("nan"), float("inf")])
def test_a_duration_is_a_number_of_zero_or_more(duration):
    with pytest.raises(ValueError, match="zero or more"):
        survival.steps([(duration, True)])


@pytest.mark.parametrize("share", [F(0), F(-1, 2), F(3, 2)])
def test_a_share_is_above_zero_and_up_to_one(share):
    with pytest.raises(ValueError, match="share"):
        survival.quantile([(1, True)], share)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=25), SHARES)
def test_with_nothing_running_it_is_the_empirical_quantile(durations, share):
    ordered = sorted(durations)
    needed = -(-share * len(ordered) // 1)
    assert survival.quantile([(one, True) for one in durations], share) == Quantile(ordered[int(needed) - 1])
    for limit in range(31):
        done = survival.done_by([(one, True) for one in durations], limit).done
        assert done == F(sum(one <= limit for one in durations), len(durations))


@given(OBSERVED)
def test_the_estimate_falls_from_one_and_never_below_zero(observed):
    made = survival.steps(observed)
    remaining = [F(1)] + [step.remaining for step in made]
    assert all(before > after >= 0 for before, after in itertools.pairwise(remaining))
    assert [step.duration for step in made] == sorted({duration for duration, finished in observed if finished})
    assert sum(step.finished for step in made) == sum(finished for _, finished in observed)


@given(OBSERVED, st.randoms(use_true_random=False), SHARES)
def test_the_order_of_what_was_observed_does_not_matter(observed, chance, share):
    shuffled = list(observed)
    chance.shuffle(shuffled)
    assert survival.timeliness(shuffled) == survival.timeliness(observed)
    assert survival.quantile(iter(shuffled), share) == survival.quantile(observed, share)


@given(OBSERVED, SHARES, SHARES)
def test_a_greater_share_takes_no_less_time(observed, one, other):
    less, more = (survival.quantile(observed, share) for share in sorted((one, other)))
    if more.value is not None:
        assert less.value is not None and less.value <= more.value


@given(OBSERVED, st.integers(0, 30), st.integers(0, 30))
def test_more_is_done_by_a_later_limit(observed, one, other):
    earlier, later = (survival.done_by(observed, limit) for limit in sorted((one, other)))
    assert earlier.at_risk >= later.at_risk
    if later.done is not None:
        assert earlier.done is not None and earlier.done <= later.done


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=25), st.integers(0, 30))
def test_it_lies_between_counting_the_running_as_never_done_and_as_done(observed, limit):
    share = survival.done_by(observed, limit).done
    if share is not None:
        surely = sum(finished and duration <= limit for duration, finished in observed)
        perhaps = sum(duration <= limit for duration, _ in observed)
        assert F(surely, len(observed)) <= share <= F(perhaps, len(observed))
