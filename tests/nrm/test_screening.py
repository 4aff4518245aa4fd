"""Operational indicators: the rule of `ilo_indicators_notes.md` on its own examples, its edges, and that more ticks never lower it."""

from collections import Counter

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from nrm import screening
from nrm.models import ScreeningResult
from nrm.screening import Dimension, IndicatorSet, Result, choose_set, dimension_is_positive, indicators, result

COUNTS = st.integers(0, 12)
ORDER = [Result.NO_DIMENSION_POSITIVE_NOW, Result.INSUFFICIENT_INFORMATION, Result.INDICATES_REFERRAL]


def codes(of, dimension=None):
    return [one.code for one in indicators(of) if dimension in (None, one.dimension)]


@pytest.mark.parametrize(
    ("strong", "medium", "weak", "positive"),
    [
        (2, 0, 0, True),
        (1, 0, 0, False),
        (1, 0, 1, True),
        (1, 1, 0, True),
        (0, 3, 0, True),
        (0, 2, 0, False),
        (0, 2, 1, True),
        (0, 1, 5, False),
        (0, 0, 9, False),
        (0, 0, 0, False),
    ],
)
def test_the_worked_checks_of_the_notes(strong, medium, weak, positive):
    assert dimension_is_positive(strong, medium, weak) == positive


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_positive_dimension_stays_positive_with_more_ticks(strong, medium, weak, more, further, still):
    if dimension_is_positive(strong, medium, weak):
        assert dimension_is_positive(strong + more, medium + further, weak + still)


@given(COUNTS, COUNTS, COUNTS)
def test_a_stronger_indicator_in_place_of_a_weaker_one_never_lowers(strong, medium, weak):
    """A weak one becomes medium, a medium one strong."""
    if dimension_is_positive(strong, medium, weak):
        assert not weak or dimension_is_positive(strong, medium + 1, weak - 1)
        assert not medium or dimension_is_positive(strong + 1, medium - 1, weak)


def test_the_shipped_indicators_have_the_published_numbers_and_three_languages():
    sizes = {of: Counter(one.dimension for one in indicators(of)) for of in IndicatorSet}
    assert [sizes[IndicatorSet.ADULT_LABOUR][dimension] for dimension in Dimension] == [10, 10, 16, 9, 15, 7]
    assert [sizes[IndicatorSet.CHILD_LABOUR][dimension] for dimension in Dimension] == [10, 10, 15, 8, 15, 7]
    every = [one for of in IndicatorSet for one in indicators(of)]
    assert len(every) == 264 == len({one.code for one in every})
    assert {one.strength for one in every} == {"strong", "medium", "weak"}
    assert not any(one.strength == "weak" for one in indicators(IndicatorSet.CHILD_LABOUR))
    for one in every:
        assert len({one.text_en, one.text_sq, one.text_sr}) == 3 and all((one.text_en, one.text_sq, one.text_sr))


def test_the_same_words_are_translated_alike_in_every_set():
    for column in ("text_sq", "text_sr"):
        pairs = {(one.text_en, getattr(one, column)) for of in IndicatorSet for one in indicators(of)}
        assert len(pairs) == len({english for english, _ in pairs}) == len({other for _, other in pairs}) == 59


def test_an_indicator_is_read_in_the_readers_language():
    first = indicators("adult_labour")[0]
    with translation.override("sq"):
        assert first.text.startswith("Mashtrim")
    with translation.override("sr-latn"):
        assert first.text.startswith("Obmana") and Dimension.COERCION.label == "prinuda na odredištu"
    with translation.override("en"):
        assert first.text.startswith("Misled")


@pytest.mark.parametrize(
    ("exploitation", "is_child", "of"),
    [
        ("SEX", False, "adult_sexual"),
        ("SEX_ONLINE", True, "child_sexual"),
        ("LAB", False, "adult_labour"),
        ("BEG", True, "child_labour"),
        ("EXP_U", False, "adult_labour"),
        ("INTENT", True, "child_labour"),
    ],
)
def test_the_set_follows_exploitation_and_age(exploitation, is_child, of):
    assert choose_set(exploitation, is_child) == of
    assert IndicatorSet(of).is_child == is_child


EXPLOITED = ["AL-EX01", "AL-EX02"]  # one strong and one medium
COERCED = ["AL-CD01", "AL-CD02"]  # two strong


def test_an_adult_needs_exploitation_and_a_means():
    assert result("adult_labour", EXPLOITED + COERCED) == Result.INDICATES_REFERRAL
    assert result("adult_labour", EXPLOITED) == Result.INSUFFICIENT_INFORMATION
    assert result("adult_labour", COERCED) == Result.INSUFFICIENT_INFORMATION
    for means in screening.MEANS:
        assert result("adult_labour", EXPLOITED + codes("adult_labour", means)) == Result.INDICATES_REFERRAL


def test_for_a_child_exploitation_is_enough():
    assert result("child_labour", ["CL-EX01", "CL-EX02"]) == Result.INDICATES_REFERRAL
    assert result("child_labour", codes("child_labour", Dimension.COERCION)) == Result.INSUFFICIENT_INFORMATION
    assert result("child_labour", ["CL-EX01"]) == Result.NO_DIMENSION_POSITIVE_NOW


def test_ticks_in_different_dimensions_do_not_add_up():
    """A strong one here and a strong one there: neither dimension is positive."""
    assert screening.positive_dimensions("adult_labour", ["AL-EX01", "AL-CD01", "AL-CR01", "AL-DR01"]) == frozenset()


def test_nothing_ticked_is_no_information_unless_enough_was_asked():
    everything = codes("adult_labour")
    assert result("adult_labour", []) == Result.INSUFFICIENT_INFORMATION
    assert result("adult_labour", [], answered=[]) == Result.INSUFFICIENT_INFORMATION
    assert result("adult_labour", [], answered=everything) == Result.NO_DIMENSION_POSITIVE_NOW
    assert result("adult_labour", ["AL-AV06"]) == Result.NO_DIMENSION_POSITIVE_NOW


def test_half_of_each_dimension_that_could_decide_is_to_be_asked():
    asked = [code for dimension in Dimension for code in codes("adult_labour", dimension)[::2]]
    assert result("adult_labour", [], answered=asked) == Result.NO_DIMENSION_POSITIVE_NOW
    without = [code for code in asked if not code.startswith("AL-DR")]
    assert result("adult_labour", [], answered=without) == Result.INSUFFICIENT_INFORMATION
    exploitation = codes("child_labour", Dimension.EXPLOITATION)
    assert result("child_labour", [], answered=exploitation[:4]) == Result.NO_DIMENSION_POSITIVE_NOW
    assert result("child_labour", [], answered=exploitation[:3]) == Result.INSUFFICIENT_INFORMATION


@pytest.mark.parametrize("of", ["adult_sexual", "child_sexual"])
def test_drafts_are_shown_and_never_counted(of):
    assert len(indicators(of)) > 60 and not any(one.is_scorable for one in indicators(of))
    assert screening.positive_dimensions(of, codes(of)) == frozenset()
    assert result(of, codes(of)) == result(of, codes(of), codes(of)) == Result.INSUFFICIENT_INFORMATION


def test_ticks_of_another_set_are_refused():
    with pytest.raises(ValueError, match="CL-EX01"):
        result("adult_labour", ["CL-EX01"])
    with pytest.raises(ValueError, match="adult_organ"):
        indicators("adult_organ")


def test_the_same_tick_twice_counts_once():
    assert screening.positive_dimensions("adult_labour", ["AL-EX01", "AL-EX01"]) == frozenset()


TICKS = {of: st.sets(st.sampled_from(codes(of))) for of in ("adult_labour", "child_labour")}


@given(st.sampled_from(["adult_labour", "child_labour"]).flatmap(lambda of: st.tuples(st.just(of), TICKS[of], TICKS[of], TICKS[of])))  # fmt: skip
def test_more_ticks_never_lower_the_result(drawn):
    of, ticks, more, answered = drawn
    every = answered | ticks | more
    assert ORDER.index(result(of, ticks | more, every)) >= ORDER.index(result(of, ticks, every))
    if result(of, ticks) == Result.INDICATES_REFERRAL:
        assert result(of, ticks | more) == result(of, ticks | more, answered) == Result.INDICATES_REFERRAL
    assert screening.positive_dimensions(of, ticks) <= screening.positive_dimensions(of, ticks | more)


def test_no_result_says_that_somebody_is_not_a_victim():
    assert {*Result} == {"indicates_referral", "insufficient_information", "no_dimension_positive_now"}
    assert {*Result} == {*ScreeningResult.values}
    assert not any("not a victim" in str(label).lower() for label in ScreeningResult.labels)
