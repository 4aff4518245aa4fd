"""What a training reached, as plain rules (nrm/reach.py), and the file of results (nrm/results_file.py)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrm.reach import (
    ALPHABET,
    LENGTH,
    Reach,
    Sexes,
    gain_of,
    mean,
    new_certificate_number,
    of_sex,
    read_certificate_number,
    share,
    spoken,
)
from nrm.results_file import MAX_ROWS, read_results

people = st.builds(Sexes, *[st.integers(0, 5_000)] * 4)
points = st.none() | st.integers(0, 100)
KNOWN = {
    "institution": {"kp": "KP", "moh": "MOH"},
    "function": {"police": "police", "polici": "police"},
    "sex": {"f": "F", "m": "M", "femer": "F"},
    "municipality": {"prn": "PRN", "prishtine": "PRN"},
}
HEAD = "institution,number,function,sex,municipality,pre,post\n"


@given(st.lists(people, max_size=8))
def test_parts_sum_to_totals(rows):
    total = sum(rows, Sexes())
    assert total.total == sum(row.total for row in rows) == sum(total.parts)


@given(st.integers(0, 10_000), st.none() | st.integers(0, 10_000))
def test_a_share_comes_from_its_numerator_and_denominator(part, whole):
    found = share(part, whole)
    if not whole:
        assert found is None
    else:
        assert abs(found - Decimal(100) * part / whole) <= Decimal("0.05")


def test_half_is_rounded_up():
    assert share(1, 2000) == Decimal("0.1") and share(1, 8) == Decimal("12.5") and mean([0, 0, 0, 1]) == Decimal("0.3")
    assert mean([]) is None and share(3, 0) is None


@given(st.lists(st.tuples(points, points), max_size=30))
def test_gain_is_of_those_alone_who_took_both(scores):
    found = gain_of(scores)
    both = [(before, after) for before, after in scores if before is not None and after is not None]
    assert (found.people, found.both) == (len(scores), len(both))
    assert gain_of(both).gain == found.gain and (found.gain is None) == (not both)
    if both:
        assert abs(found.gain - (found.after - found.before)) <= Decimal("0.15")
        assert found.improved == sum(after > before for before, after in both)


@given(
    st.lists(st.builds(Reach, st.none() | st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)), max_size=6)
)
def test_reach_adds_up_and_an_unknown_need_is_no_zero(rows):
    total = sum(rows, Reach())
    assert total.distinct == sum(one.distinct for one in rows) and total.most >= total.distinct
    known = [one.need for one in rows if one.need is not None]
    assert total.need == (sum(known) if known else None)
    if total.need is None:
        assert total.pct is None and total.left is None


def test_reach_says_a_range_where_some_have_no_number():
    assert (Reach(40, 10, 10).pct, Reach(40, 10, 10).most_pct) == (Decimal("25.0"), Decimal("50.0"))
    assert Reach(40, 10).is_exact and Reach(10, 12).pct == Decimal("120.0") and Reach(10, 12).left == 0
    assert Reach(0, 3).pct is None and Reach(0, 3).left == 0 and Reach(None, 3).pct is None
    assert of_sex("U", 3) == Sexes(unknown=3) and Sexes(1, 1, 0, 8).women_pct == Decimal("50.0")


def test_a_number_typed_wrong_by_one_sign_is_no_number():
    number = new_certificate_number()
    assert len(number) == LENGTH and read_certificate_number(spoken(number).lower()) == number
    assert read_certificate_number(f" {number[:4]} {number[4:]}\u200b") == number
    for place in range(LENGTH):
        for sign in ALPHABET:
            if sign != number[place]:
                assert read_certificate_number(number[:place] + sign + number[place + 1 :]) == ""
    for place in range(LENGTH - 1):
        a, b = number[place], number[place + 1]
        if a != b:
            assert read_certificate_number(number[:place] + b + a + number[place + 2 :]) == ""
    for wrong in ("", "x", "0" * 500, "ç" * 12, "٣" * 12):
        assert read_certificate_number(wrong) == ""


def reasons(text: str | bytes) -> list[str]:
    return [str(one) for one in read_results(text if isinstance(text, bytes) else text.encode(), KNOWN).problems]


def test_a_file_is_read_with_labels_in_any_language_and_without_case():
    found = read_results((HEAD + "kp,7,Polici,Femër,PRISHTINË,40,80.0\nMOH,1,police,m,,,\n").encode("utf-8-sig"), KNOWN)
    assert not found.problems and found.numbers == [2, 3]
    assert (found.rows[0].institution, found.rows[0].municipality, found.rows[0].post) == ("KP", "PRN", 80)
    assert found.rows[1].pre is None and found.rows[1].municipality == ""
    assert len(read_results(HEAD.replace(",", ";").encode() + b"KP;7;police;F;PRN;40;80\n", KNOWN).rows) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD, "no participants"),
        ("", "no participants"),
        (HEAD + "XX,1,police,F,PRN,1,1\n", "row 2, column institution: “XX” is not known."),
        (HEAD + "KP,0,police,F,PRN,1,1\n", "row 2, column number"),
        (HEAD + "KP,1,police,F,PRN,1,101\n", "row 2, column post: “101” is no number of points"),
        (HEAD + "KP,1,police,F,PRN,-1,1\n", "column pre"),
        (HEAD + "KP,1,police,F,PRN,80.5,1\n", "column pre"),
        (HEAD + "KP,1,,F,PRN,1,1\n", "row 2, column function: This cell is empty."),
        (HEAD + "KP,1,police,F,PRN,1,1,9\n", "more cells than the header"),
        (HEAD + "KP,1,police,F,PRN,1,1\nKP,1,police,F,PRN,1,1\n", "row 3, column number: This person stands in row 2"),
        (HEAD + 'KP,"1,police\n', "check its quotes"),
        ("institution,number,function\nKP,1,police\n", "column sex: The column is missing."),
        ("institution,number,function,sex,emri\nKP,1,police,F,x\n", "keeps no names"),
        ("institution,number,function,sex,birth_date\nKP,1,police,F,x\n", "keeps no names"),
        ("institution,number,function,sex,colour\nKP,1,police,F,x\n", "column is not known"),
        ("institution,number,function,sex,sex\nKP,1,police,F,x\n", "stands in the header twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_with_row_and_column(text, reason):
    assert any(reason in one for one in reasons(text)), reasons(text)
    assert not read_results(text.encode(), KNOWN).rows


def test_a_file_that_is_none_is_refused():
    assert "not in UTF-8" in reasons(HEAD.encode() + b"\xff\xfe")[0]
    assert "not a CSV file" in reasons(HEAD + "KP\x00")[0]
    assert "larger than 4 MB" in reasons(b"x" * (4 * 1024 * 1024 + 1))[0]
    rows = "".join(f"KP,{number},police,F,,,\n" for number in range(1, MAX_ROWS + 2))
    assert any("more than" in one for one in reasons(HEAD + rows))


@given(st.binary(max_size=300))
def test_nothing_that_stands_in_a_file_breaks_the_reading(data):
    for text in (data, HEAD.encode() + data):
        found = read_results(text, KNOWN)
        assert bool(found.rows) != bool(found.problems)
