"""What follows from an age, a citizenship and the countries of a case, and which ages cannot both be true."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import onatc
from nrm import ages

LISTS = {
    one["id"]: one["values"]
    for one in json.loads((Path(onatc.__file__).parent / "data" / "codelists.json").read_text())["lists"]
}
AGES = st.integers(0, ages.OLDEST)
DAYS = st.dates(date(2000, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("age", "stated", "group", "track"),
    [
        (0, "", "CHILD", "CHILD"),
        (17, "ADULT", "CHILD", "CHILD"),
        (18, "CHILD", "ADULT", "ADULT"),
        (None, "CHILD", "CHILD", "CHILD"),
        (None, "ADULT", "ADULT", "ADULT"),
        (None, "AGE_U", "AGE_U", "CHILD"),
        (None, "", "AGE_U", "CHILD"),
    ],
)
def test_group_and_procedure_follow_from_the_age_and_doubt_is_a_child(age, stated, group, track):
    assert ages.age_group_of(age, stated) == group
    assert ages.procedure_track(group) == track


@pytest.mark.parametrize(
    "band", [value for value in LISTS["age_band"] if "min_age" in value], ids=lambda band: band["code"]
)
def test_bands_are_those_of_the_list(band):
    last = ages.OLDEST if band["max_age"] is None else band["max_age"]
    for age in (band["min_age"], last):
        assert ages.age_band(age, "AGE_U") == band["code"]
        assert ages.age_group_of(age) == band["parent"]


def test_without_an_age_the_band_is_that_of_the_group():
    assert [ages.age_band(None, group) for group in ("CHILD", "ADULT", "AGE_U", "")] == [
        "A_CHILD_U",
        "A_ADULT_U",
        "A_U",
        "A_U",
    ]
    codes = {value["code"] for value in LISTS["age_band"]}
    assert {ages.age_band(age) for age in range(111)} | {"A_CHILD_U", "A_ADULT_U", "A_U"} == codes


@pytest.mark.parametrize("age", [-1, 111])
def test_an_age_that_is_none_has_no_band(age):
    assert not ages.is_age(age)
    for rule in (ages.age_band, lambda of: ages.born_between(of, date(2026, 1, 1))):
        with pytest.raises(ValueError, match="no age"):
            rule(age)


@pytest.mark.parametrize(
    ("code", "on", "group"),
    [
        ("XK", date(2026, 1, 1), "OWN"),
        ("AL", date(2026, 1, 1), "WB"),
        ("RS", date(2026, 1, 1), "WB"),
        ("HR", date(2013, 6, 30), "WB"),
        ("HR", date(2013, 7, 1), "EU"),
        ("GB", date(2020, 1, 31), "EU"),
        ("GB", date(2020, 2, 1), "OTH"),
        ("UK", date(2020, 1, 31), "EU"),
        ("EL", date(2026, 1, 1), "EU"),
        ("BG", date(2006, 12, 31), "OTH"),
        ("BG", date(2007, 1, 1), "EU"),
        ("SI", date(2004, 4, 30), "OTH"),
        ("SI", date(2004, 5, 1), "EU"),
        ("TR", date(2026, 1, 1), "OTH"),
        ("CH", date(2026, 1, 1), "OTH"),
        ("STATELESS", date(2026, 1, 1), "ST_U"),
        ("CIT_U", date(2026, 1, 1), "ST_U"),
        ("NA_REFUSED", date(2026, 1, 1), "ST_U"),
        ("", date(2026, 1, 1), "ST_U"),
    ],
)
def test_the_group_of_a_citizenship_is_that_of_the_day(code, on, group):
    assert ages.citizenship_group(code, on) == group


@pytest.mark.parametrize(("year", "members"), [(1957, 0), (1958, 6), (1973, 9), (1981, 10), (1986, 12), (1995, 15), (2005, 25), (2008, 27), (2014, 28), (2021, 27)])  # fmt: skip
def test_the_union_had_so_many_members(year, members):
    pairs = (f"{one}{two}" for one in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for two in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    groups = {code: ages.citizenship_group(code, date(year, 6, 1)) for code in pairs if code not in ("EL", "UK")}
    assert sum(group == "EU" for group in groups.values()) == members
    assert set(groups.values()) <= {value["code"] for value in LISTS["citizenship_group"]}


@pytest.mark.parametrize("code", ["Kosovo", "xk", "X", "ÄÖ", "1A", "ISO3166"])
def test_what_is_no_code_of_a_citizenship_is_refused(code):
    with pytest.raises(ValueError, match="no code"):
        ages.citizenship_group(code, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("recruitment", "transit", "exploitation", "code"),
    [
        ("XK", "", "XK", "GEO_INT"),
        ("XK", "XK", "XK", "GEO_INT"),
        ("AL", "", "XK", "GEO_IN"),
        ("MD", "RS AL", "XK", "GEO_IN"),
        ("AL", "", "XK IT", "GEO_IN"),
        ("XK AL", "", "XK", "GEO_IN"),
        ("XK", "", "IT", "GEO_OUT"),
        ("XK", "AL", "XK IT", "GEO_OUT"),
        ("XK RS", "", "IT", "GEO_OUT"),
        ("MD", "RS XK", "IT", "GEO_TRANSIT"),
        ("MD", "RS", "IT", "GEO_ABROAD"),
        ("AL", "", "AL", "GEO_ABROAD"),
    ],
)
def test_geography_follows_from_the_countries(recruitment, transit, exploitation, code):
    assert ages.geography_of(recruitment.split(), transit.split(), exploitation.split(), "GEO_U") == code


@pytest.mark.parametrize(
    ("recruitment", "transit", "exploitation"),
    [("", "", ""), ("XK", "", ""), ("", "", "XK"), ("", "XK", "IT"), ("CIT_U", "", "XK"), ("XK", "AL", "XK")],
)
def test_geography_is_what_was_stated_where_nothing_follows(recruitment, transit, exploitation):
    lists = recruitment.split(), transit.split(), exploitation.split()
    assert ages.geography_of(*lists) == "GEO_U" == ages.geography_of(*lists, "")
    assert ages.geography_of(*lists, "GEO_INT") == "GEO_INT"


COUNTRIES = st.lists(st.sampled_from(["XK", "AL", "RS", "IT"]), max_size=3)


@given(COUNTRIES, COUNTRIES, COUNTRIES)
def test_geography_is_a_code_of_the_list_whatever_the_order(recruitment, transit, exploitation):
    code = ages.geography_of(recruitment, transit, exploitation)
    assert code in {value["code"] for value in LISTS["geography"]}
    assert code == ages.geography_of(recruitment[::-1], transit[::-1], exploitation[::-1])
    if code == "GEO_INT":
        assert {*recruitment, *transit, *exploitation} == {"XK"}


# --- what is possible -----------------------------------------------------------------------------------------------------


def test_worked_examples_of_births():
    assert ages.born_between(17, date(2026, 3, 1)) == (date(2008, 3, 2), date(2009, 3, 1))
    assert ages.born_between(0, date(2024, 2, 29)) == (date(2023, 3, 1), date(2024, 2, 29))
    assert ages.age_range(17, date(2026, 3, 1), date(2025, 9, 1)) == (16, 17)
    assert ages.age_range(17, date(2026, 3, 1), date(2026, 3, 1)) == (17, 17)
    assert ages.age_range(17, date(2026, 3, 1), date(2008, 3, 1)) is None
    assert ages.comes_of_age_between(17, date(2026, 3, 1)) == (date(2026, 3, 2), date(2027, 3, 1))
    assert ages.comes_of_age_between(18, date(2026, 3, 1)) is None


def test_nothing_happens_before_the_birth():
    assert ages.was_born_by(date(2008, 3, 2), 17, date(2026, 3, 1))
    assert not ages.was_born_by(date(2008, 3, 1), 17, date(2026, 3, 1))


@pytest.mark.parametrize(
    ("earlier", "later", "earlier_on", "later_on", "agree"),
    [
        (16, 17, None, None, True),
        (17, 17, None, None, True),
        (18, 17, None, None, False),
        (None, 17, None, None, True),
        (16, None, None, None, True),
        (16, 111, None, None, False),
        (15, 17, date(2024, 3, 1), date(2026, 3, 1), True),
        (14, 17, date(2024, 3, 2), date(2026, 3, 1), False),
        (15, 17, date(2025, 3, 2), date(2026, 3, 1), False),
        (16, 17, date(2025, 3, 2), date(2026, 3, 1), True),
        (17, 17, date(2025, 3, 1), date(2026, 3, 1), False),
        (17, 17, date(2025, 3, 2), date(2026, 3, 1), True),
        (0, 17, date(2008, 3, 1), date(2026, 3, 1), False),
    ],
)
def test_two_ages_of_one_person(earlier, later, earlier_on, later_on, agree):
    assert ages.ages_agree(earlier, later, earlier_on, later_on) == agree


def test_two_groups_of_one_person():
    assert not ages.groups_agree("ADULT", "CHILD")
    assert all(ages.groups_agree(*pair) for pair in [("CHILD", "ADULT"), ("AGE_U", "CHILD"), ("ADULT", "AGE_U"), ("CHILD", "CHILD")])  # fmt: skip


def completed(born: date, on: date) -> int:
    """Counted birthday by birthday; of 29 February the birthday is 1 March in other years."""
    years = 0
    while True:
        try:
            birthday = born.replace(year=born.year + years + 1)
        except ValueError:
            birthday = date(born.year + years + 1, 3, 1)
        if birthday > on:
            return years
        years += 1


@given(st.dates(date(1950, 1, 1), date(2025, 12, 31)), DAYS, DAYS)
@example(date(2004, 2, 29), date(2022, 2, 28), date(2022, 3, 1))
@example(date(2004, 2, 29), date(2024, 2, 28), date(2024, 2, 29))
@example(date(2004, 3, 1), date(2024, 2, 29), date(2025, 2, 28))
@example(date(2004, 2, 28), date(2024, 2, 29), date(2025, 2, 28))
def test_the_ages_of_a_real_birth_date_always_agree(born, one, other):
    earlier_on, later_on = sorted((one, other))
    assume(born <= earlier_on)
    earlier, later = completed(born, earlier_on), completed(born, later_on)
    first, last = ages.born_between(later, later_on)
    assert first <= born <= last
    assert ages.ages_agree(earlier, later, earlier_on, later_on)
    low, high = ages.age_range(earlier, earlier_on, later_on)
    assert low <= later <= high and high - low <= 1
    if earlier < 18:
        soonest, latest = ages.comes_of_age_between(earlier, earlier_on)
        assert soonest <= next(d for d in days_from(soonest) if completed(born, d) >= 18) <= latest
        assert completed(born, soonest - timedelta(days=1)) < 18


def days_from(day: date):
    while True:
        yield day
        day += timedelta(days=1)


@given(AGES, DAYS)
def test_everybody_of_an_age_was_born_within_a_year(age, on):
    first, last = ages.born_between(age, on)
    assert 364 <= (last - first).days <= 366
    assert completed(first, on) == completed(last, on) == age
    assert completed(first - timedelta(days=1), on) == age + 1
    assert last == on or completed(last + timedelta(days=1), on) == age - 1
