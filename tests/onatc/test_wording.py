"""The difference of two wordings."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from onatc.wording import Kind, Piece, after_of, before_of, difference

TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(["masa", "e", "re", ",", " ", "\n", "komunë", "."]), max_size=40).map("".join),
)


def marked(before: str, after: str) -> str:
    signs = {Kind.SAME: "{}", Kind.GONE: "[-{}-]", Kind.NEW: "[+{}+]"}
    return "".join(signs[piece.kind].format(piece.text) for piece in difference(before, after))


def test_a_word_that_goes_stands_before_the_one_that_comes():
    assert marked("Trajnimi i gjyqtarëve", "Trajnimi i prokurorëve") == "Trajnimi i [-gjyqtarëve-][+prokurorëve+]"


def test_words_are_added_and_taken_out():
    assert marked("Kontrolle në terren", "Kontrolle mujore në terren") == "Kontrolle [+mujore +]në terren"
    assert marked("do kraja godine", "do kraja") == "do kraja[- godine-]"


def test_a_new_sentence_is_one_piece_and_not_a_word_at_a_time():
    assert marked("a b c", "x y z") == "[-a b c-][+x y z+]"


def test_nothing_changed_nothing_there():
    assert difference("", "") == []
    assert difference("njësoj", "njësoj") == [Piece(Kind.SAME, "njësoj")]
    assert difference("", "krejt e re") == [Piece(Kind.NEW, "krejt e re")]
    assert difference("jashtë", "") == [Piece(Kind.GONE, "jashtë")]


@given(TEXTS, TEXTS)
def test_applied_it_gives_back_both_wordings(before, after):
    pieces = difference(before, after)
    assert before_of(pieces) == before and after_of(pieces) == after


@given(TEXTS, TEXTS)
def test_pieces_alternate_and_are_never_empty(before, after):
    kinds = [piece.kind for piece in difference(before, after)]
    assert all(piece.text for piece in difference(before, after))
    assert all(one != other for one, other in pairwise(kinds))
    assert (Kind.NEW, Kind.GONE) not in list(pairwise(kinds))


def test_a_text_of_one_word_repeated_costs_no_time():
    began = time.monotonic()
    pieces = difference("a b " * 1_000, "b a " * 1_000)
    assert time.monotonic() - began < 3 and before_of(pieces) == "a b " * 1_000
