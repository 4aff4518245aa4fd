"""The case marker: random, spoken without mistakes, and nothing mistyped by one sign or by two that changed places passes."""

import math
from itertools import combinations, pairwise

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from nrm import markers
from onatc.ids import from_seed, random_bits

GIVEN = st.integers(min_value=0).map(lambda seed: _from(seed))


def _from(seed: int) -> str:
    with from_seed(seed):
        return markers.new_marker()


def test_a_marker_has_sixty_random_bits_and_no_vowel_or_sign_that_is_mistaken_for_another():
    assert math.log2(len(markers.ALPHABET)) * (markers.LENGTH - 1) > 61
    assert len(set(markers.ALPHABET)) == 17
    assert not set(markers.ALPHABET) & set("AEIOUYBDGLNQSZPTVHJ")


def test_a_worked_example():
    """0…01 and its check sign: the weight of place 14 is 3**14 = 2 (mod 17), that of place 15 is 6; 2 + 6·c ≡ 0 gives c = 11."""
    assert 3**14 % 17 == 2 and 3**15 % 17 == 6 and (2 + 6 * 11) % 17 == 0
    assert markers.is_valid("0" * 14 + "1" + markers.ALPHABET[11])
    assert [sign for sign in markers.ALPHABET if markers.is_valid("0" * 14 + "1" + sign)] == ["F"]


def test_markers_are_valid_and_no_two_are_equal_or_of_digits_alone():
    made = [markers.new_marker() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    assert all(markers.is_valid(marker) and not marker.isdigit() for marker in made)


def test_no_place_of_a_marker_follows_the_order_in_which_markers_are_given():
    """T32: the rank correlation of each sign with the order is what chance gives (four standard deviations)."""
    with from_seed("order"):
        made = [markers.new_marker() for _ in range(10_000)]
    count = len(made)
    mean, spread = (count - 1) / 2, math.sqrt((count**2 - 1) / 12)
    for place in range(markers.LENGTH):
        values = [markers.ALPHABET.index(marker[place]) for marker in made]
        middle = sum(values) / count
        deviation = math.sqrt(sum((value - middle) ** 2 for value in values) / count)
        together = sum((number - mean) * (value - middle) for number, value in enumerate(values)) / count
        assert abs(together / (spread * deviation)) < 4 / math.sqrt(count)
        assert set(values) == set(range(17))


@given(GIVEN)
def test_every_single_wrong_sign_is_found(marker):
    """All 16 × 16 of each marker tried; by linearity of the sum what holds for one marker holds for all."""
    for place in range(markers.LENGTH):
        for sign in markers.ALPHABET:
            if sign != marker[place]:
                assert not markers.is_valid(marker[:place] + sign + marker[place + 1 :])


@given(GIVEN)
def test_every_pair_of_signs_that_changed_places_is_found(marker):
    """Neighbours and all others."""
    for first, second in combinations(range(markers.LENGTH), 2):
        signs = list(marker)
        signs[first], signs[second] = signs[second], signs[first]
        assert markers.is_valid("".join(signs)) == (marker[first] == marker[second])


def test_the_proof_for_all_markers_at_once():
    """An error changes the sum by weight × difference: never divisible by 17, for each weight and each difference."""
    weights = [pow(3, place, 17) for place in range(markers.LENGTH)]
    differences = range(1, 17)
    assert all(weight * difference % 17 for weight in weights for difference in differences)
    assert all((a - b) * difference % 17 for a, b in combinations(weights, 2) for difference in differences)
    assert all((a + b) * d % 17 for a, b in pairwise(weights) for d in differences)
    assert all((a + b) * d % 17 for a, b in zip(weights, weights[2:], strict=False) for d in differences)


@given(GIVEN)
def test_what_is_spoken_and_written_down_is_read_again(marker):
    said = markers.spoken(marker)
    assert len(said) == 19 and said.count("-") == 3
    mistaken = said.replace("0", "o").replace("1", "l").replace("5", "S").replace("8", "b").replace("2", "z")
    for text in (said, f" {said.lower()}\n", said.replace("-", " – "), said.replace("-", "."), mistaken):
        assert markers.normalised(text) == marker
        assert markers.where(text) == ""


@given(st.text())
def test_any_text_can_be_typed(text):
    once = markers.normalised(text)
    assert markers.is_valid(once) == (markers.where(text) == "")


@given(GIVEN)
def test_a_cyrillic_keyboard_gives_the_same_marker(marker):
    assert markers.normalised(marker.translate(str.maketrans("FKMRX0C", "ФКМРХОЦ"))) == marker


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "too short: it has 0 signs"),
        ("4KM7-R0X2", "too short: it has 8 signs"),
        ("4KM7-R0X2-91CW-F35K-1", "too long: it has 17 signs"),
        ("4KM7-A0X2-91CW-F35K", "the sign “A”, which is sign number 5"),
        ("4KM7-R0X2-91CW-F35С", "the sign “С”, which is sign number 16"),
        ("4KM7-R0X2-19CW-F353", "two signs have changed places"),
    ],
)
def test_what_is_wrong_is_said(text, sentence):
    assert sentence in markers.where(text)


@pytest.mark.parametrize(("language", "sentence"), [("sq", "tepër e shkurtër"), ("sr-latn", "prekratka")])
def test_what_is_wrong_is_said_in_the_readers_language(language, sentence):
    with translation.override(language):
        assert sentence in markers.where("4KM7")


def test_demonstration_data_has_the_same_markers_each_time():
    assert _from(7) == _from(7) != _from(8)
    assert markers.new_marker() != markers.new_marker()


def test_bits_are_within_their_range():
    with from_seed("bits"):
        drawn = {random_bits(3) for _ in range(200)}
    assert drawn == set(range(8))
    assert {random_bits(1) for _ in range(200)} == {0, 1}
