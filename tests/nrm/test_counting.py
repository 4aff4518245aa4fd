"""Counting by section 3 of the data dictionary: worked examples with figures found by hand, properties, and a second way."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nrm.counting.facts import AccusedFact, Facts
from nrm.counting.populations import POPULATIONS, STAGES
from nrm.counting.table import TOTAL, Nonsense, Question, count
from tests.nrm.counting_reference import facts_of, reference

TODAY = date(2026, 6, 30)
YEAR = (date(2025, 1, 1), date(2025, 12, 31))
POS, NEG, FORMAL, NOT = "D1_POS", "D1_NEG", "D2_POS", "D2_NEG"


def d(text: str) -> date:
    """`3-15` is in 2025."""
    parts = [int(one) for one in text.split("-")]
    return date(*parts) if len(parts) == 3 else date(2025, *parts)


def row(ref: str, referred: str, **more: Any) -> dict[str, Any]:
    found = {"ref": ref, "person": ref, "referred": d(referred), "sex": "F", **more}
    for step in ("preliminary", "formal", "review"):
        if step in found:
            found[step] = (found[step][0], d(found[step][1]))
    for step, outcome in (("declined", "D_DECL"), ("discontinued", "D_DISC")):
        if step in found:
            found[step] = (outcome, d(found[step]))
    return found


def table(rows: list[dict[str, Any]], population: str, *by: str, **asked: Any) -> dict[tuple[str, ...], int]:
    start, end = asked.pop("period", YEAR)
    question = Question(
        population, start, end, by, asked.pop("unit", ""), asked.pop("rule", ""), asked.pop("as_of", None)
    )
    return {cell.values: cell.count for cell in count(facts_of(rows), question, TODAY)}


def total(rows: list[dict[str, Any]], population: str, **asked: Any) -> int:
    return table(rows, population, **asked)[()]


# Populations and date rules


PLAIN = [
    row("a", "1-10", preliminary=(POS, "1-12"), formal=(FORMAL, "2-20"), age=24),
    row("b", "2-01", preliminary=(POS, "2-03"), formal=(NOT, "5-05"), age=16),
    row("c", "3-31", preliminary=(NEG, "4-01"), sex="M"),
    row("d", "5-15", preliminary=(POS, "5-16"), declined="7-01", sex="M", age=30),
    row("e", "2024-12-20", preliminary=(POS, "2024-12-30"), formal=(FORMAL, "1-03"), age=17),
    row("f", "12-31"),
    row("g", "11-11", preliminary=(POS, "11-12"), discontinued="12-01"),
]


@pytest.mark.parametrize(
    "population, expected",
    [
        ("referred", 6),  # all but e, who was referred in 2024
        ("potential", 6),
        ("presumed", 4),  # a, b, d, g; e was presumed in 2024
        ("identified", 2),  # a and e, by the day of the decision
        ("not_victim", 2),  # b by the formal decision, c by the preliminary one with which it ended
        ("declined_identification", 1),
        ("registered_eu", 3),  # a, d, g; e was registered in 2024, b was found not to be a victim
        ("decisions", 8),  # a 2, b 2, c 1, d 1, g 1, and that of e in 2025; declined and discontinued are none
    ],
)
def test_each_population_counts_its_persons_by_its_own_day(population, expected):
    assert total(PLAIN, population) == expected


def test_the_first_and_the_last_day_belong_to_the_period():
    rows = [row("a", "1-01"), row("b", "12-31"), row("c", "2024-12-31"), row("d", "2026-01-01")]
    assert total(rows, "referred") == 2


def test_the_status_is_that_of_the_latest_decision_and_is_dated_by_it():
    reviewed = [
        row("a", "1-10", preliminary=(POS, "1-12"), formal=(NOT, "3-10"), review=("D_RECON_POS", "8-08")),
        row("b", "1-10", preliminary=(POS, "1-12"), formal=(FORMAL, "3-10"), review=("D_RECON_NEG", "8-08")),
    ]
    assert table(reviewed, "identified", "period") == {("2025Q3",): 1, (TOTAL,): 1}
    assert table(reviewed, "not_victim", "period") == {("2025Q3",): 1, (TOTAL,): 1}
    # As of the end of May the reviews were not known.
    before = {"as_of": d("5-31")}
    assert table(reviewed, "identified", "period", **before) == {("2025Q1",): 1, (TOTAL,): 1}
    assert total(reviewed, "identified", as_of=d("3-09")) == 0


def test_identified_can_be_dated_by_the_referral_of_the_episode_that_gave_the_status():
    rows = [
        row("a", "2024-05-01", person="p", preliminary=(POS, "2024-05-02"), formal=(FORMAL, "2024-06-01")),
        row("b", "2-01", person="p", preliminary=(POS, "4-02"), formal=(FORMAL, "7-01")),
    ]
    assert table(rows, "identified", "period") == {("2025Q3",): 1, (TOTAL,): 1}
    assert table(rows, "identified", "period", rule="referral") == {("2025Q1",): 1, (TOTAL,): 1}
    assert table(rows, "identified", "period", rule="first_preliminary") == {("2025Q2",): 1, (TOTAL,): 1}
    assert total(rows, "identified", period=(d("2024-01-01"), d("2024-12-31"))) == 0
    assert total(rows, "identified", period=(d("2024-01-01"), d("2024-12-31")), as_of=d("2024-12-31")) == 1


def test_quarters_of_persons_need_not_add_up_and_referrals_do():
    again = [
        row("a", "1-10", person="p", preliminary=(POS, "1-12")),
        row("b", "8-10", person="p", preliminary=(POS, "8-12")),
    ]
    assert table(again, "potential", "period") == {("2025Q1",): 1, ("2025Q3",): 1, (TOTAL,): 1}
    assert table(again, "presumed", "period") == {("2025Q1",): 1, ("2025Q3",): 1, (TOTAL,): 1}
    assert table(again, "referred", "period") == {("2025Q1",): 1, ("2025Q3",): 1, (TOTAL,): 2}
    assert total(again, "referred", unit="CU_PERSON") == 1
    assert table(again, "decisions", "period") == {("2025Q1",): 1, ("2025Q3",): 1, (TOTAL,): 2}


def test_an_episode_is_registered_once_in_its_life():
    """Presumed in 2024 and identified in 2025: the year of the first counts, with the highest status."""
    rows = [row("a", "2024-11-01", preliminary=(POS, "2024-11-02"), formal=(FORMAL, "2-01"))]
    assert total(rows, "registered_eu") == 0
    in_2024 = {"period": (d("2024-01-01"), d("2024-12-31"))}
    assert table(rows, "registered_eu", "decision_outcome", **in_2024) == {(FORMAL,): 1, (TOTAL,): 1}
    assert table(rows, "registered_eu", "decision_outcome", **in_2024, as_of=d("2024-12-31")) == {
        (POS,): 1,
        (TOTAL,): 1,
    }
    refused = [row("b", "2-01", preliminary=(POS, "2-02"), formal=(NOT, "3-01"))]
    assert total(refused, "registered_eu") == 0 and total(refused, "registered_eu", as_of=d("2-28")) == 1


def test_what_is_suspended_discontinued_or_declined_is_no_decision_of_that_table():
    rows = [
        row(
            "a",
            "1-10",
            preliminary=("D_INSUF", "1-12"),
            formal=("D_SUSP", "2-01"),
            declined="3-01",
            discontinued="4-01",
        ),
    ]
    assert table(rows, "decisions", "decision_outcome") == {("D_INSUF",): 1, (TOTAL,): 1}


# Help


def test_help_counts_where_its_days_meet_the_period_and_persons_once():
    rows = [
        row("a", "1-10", assistance=[("AS_MED", d("2-01"), d("5-05")), ("AS_PSY", d("3-01"), None)]),
        row("b", "1-10", stays=[("SH_NGO", d("2024-12-01"), d("1-01")), ("SH_NGO", d("3-31"), d("4-01"))]),
    ]
    assert total(rows, "assisted") == 1 and total(rows, "assisted", unit="CU_SPELL") == 2
    quarters = {("2025Q1",): 2, ("2025Q2",): 2, ("2025Q3",): 1, ("2025Q4",): 1, (TOTAL,): 2}
    assert table(rows, "assisted", "period", unit="CU_SPELL") == quarters
    assert total(rows, "assisted", period=(d("1-01"), d("1-31"))) == 0
    assert table(rows, "sheltered", "period") == {("2025Q1",): 1, ("2025Q2",): 1, (TOTAL,): 1}
    assert total(rows, "sheltered", period=(d("2024-12-31"), d("2024-12-31"))) == 1
    # Neither fills the other.
    assert total(rows[:1], "sheltered") == 0 and total(rows[1:], "assisted") == 0


def test_running_help_reaches_to_the_day_that_is_known_and_no_further():
    rows = [row("a", "1-10", stays=[("SH_NGO", d("2-01"), None)])]
    assert total(rows, "sheltered", period=(d("4-01"), d("6-30")), as_of=d("3-31")) == 0
    assert total(rows, "sheltered", period=(d("4-01"), d("6-30")), as_of=d("4-01")) == 1


def test_stock_is_the_situation_on_the_last_day():
    rows = [
        row("a", "1-10", preliminary=(POS, "1-12"), closed=d("6-30"), stays=[("SH_NGO", d("2-01"), d("3-31"))]),
        row("b", "2-10", preliminary=(POS, "2-12"), formal=(FORMAL, "5-05"), stays=[("SH_NGO", d("3-01"), None)]),
    ]
    assert table(rows, "potential", "period", rule="stock") == {
        ("2025Q1",): 2, ("2025Q2",): 1, ("2025Q3",): 1, ("2025Q4",): 1, (TOTAL,): 1
    }  # fmt: skip
    assert table(rows, "presumed", "period", rule="stock") == {("2025Q1",): 2, (TOTAL,): 0}
    assert total(rows, "identified", rule="stock") == 1
    # Who leaves on the last day is not there for the night.
    assert total(rows, "sheltered", rule="stock", period=(d("1-01"), d("3-31"))) == 1
    assert total(rows, "sheltered", rule="stock", period=(d("1-01"), d("3-30"))) == 2


def test_reflection_counts_by_its_start_and_its_stock_by_the_planned_end():
    rows = [row("a", "1-10", reflection=d("1-20"))]  # 90 days: until 20 April
    assert total(rows, "reflection") == 1 and total(rows, "reflection", period=(d("2-01"), d("3-31"))) == 0
    assert total(rows, "reflection", rule="stock", period=(d("2-01"), d("4-20"))) == 1
    assert total(rows, "reflection", rule="stock", period=(d("2-01"), d("4-21"))) == 0


def test_only_a_return_that_was_carried_out_counts():
    rows = [
        row("a", "1-10", returned=("RT_VOL", d("6-01"))),
        row("b", "1-10", returned=("RT_STAY", d("6-01"))),
        row("c", "1-10", returned=("RT_IN", d("2026-01-01"))),
    ]
    assert total(rows, "returned") == 1 and total(rows, "returned", rule="referral") == 2


# Merges


def test_a_duplicate_leaves_every_population_and_the_survivor_keeps_the_earliest_dates():
    rows = [
        row("a", "4-02", preliminary=(POS, "4-10"), formal=(FORMAL, "7-02"), stays=[("SH_NGO", d("4-05"), d("4-20"))]),
        row("b", "3-30", merge=("a", "duplicate_record"), preliminary=(POS, "4-08"), formal=(FORMAL, "6-30")),
    ]
    assert table(rows, "referred", "period") == {("2025Q1",): 1, (TOTAL,): 1}
    assert table(rows, "identified", "period") == {("2025Q2",): 1, (TOTAL,): 1}
    assert total(rows, "decisions") == 2 and total(rows, "sheltered") == 1
    # The merge is known from the later of the two referrals on.
    assert table(rows, "referred", "period", as_of=d("4-01")) == {("2025Q1",): 1, (TOTAL,): 1}


def test_what_only_the_duplicate_held_is_not_lost():
    rows = [
        row("a", "4-02", preliminary=(POS, "4-10")),
        row(
            "b",
            "4-03",
            merge=("a", "duplicate_record"),
            stays=[("SH_NGO", d("4-05"), d("4-20"))],
            formal=(FORMAL, "6-30"),
        ),
    ]
    assert total(rows, "sheltered") == 1 and total(rows, "identified") == 1 and total(rows, "referred") == 1


def test_of_one_person_both_referrals_stay_and_the_person_counts_once():
    rows = [
        row("a", "2-01", preliminary=(POS, "2-02"), formal=(FORMAL, "3-03")),
        row("b", "5-01", preliminary=(POS, "5-02"), formal=(NOT, "6-06"), merge=("a", "same_person")),
    ]
    assert total(rows, "referred") == 2 and total(rows, "potential") == 1 and total(rows, "presumed") == 1
    assert total(rows, "identified") == 0 and total(rows, "not_victim") == 1 and total(rows, "registered_eu") == 0
    assert total(rows, "decisions") == 4
    rows[1]["undone"] = d("9-09")
    assert total(rows, "identified") == 1 and total(rows, "potential") == 2
    assert total(rows, "identified", as_of=d("9-08")) == 0  # as it was known that day


# Dimensions


def test_ages_are_those_at_the_referral_and_an_age_in_doubt_is_not_known():
    rows = [
        row("a", "1-10", age=17), row("b", "1-10", age=18), row("c", "1-10", group="CHILD"), row("d", "1-10", group="ADULT"),
        row("e", "1-10"), row("f", "1-10", age=0), row("g", "1-10", age=60),
    ]  # fmt: skip
    assert table(rows, "potential", "age_group") == {("ADULT",): 3, ("AGE_U",): 1, ("CHILD",): 3, (TOTAL,): 7}
    assert table(rows, "potential", "age_band") == {
        ("A00_09",): 1, ("A15_17",): 1, ("A18_24",): 1, ("A60P",): 1, ("A_ADULT_U",): 1, ("A_CHILD_U",): 1, ("A_U",): 1, (TOTAL,): 7,
    }  # fmt: skip


def test_unknown_stays_in_the_total_and_the_other_absences_are_not_shown_as_unknown():
    rows = [
        row("a", "1-10", sex="U", missing={"sex": "NA_UNKNOWN"}),
        row("b", "1-10", sex="U", missing={"sex": "NA_NOTCOLL"}),
        row("c", "1-10", sex="U", missing={"sex": "NA_REFUSED"}),
        row("d", "1-10", sex="X"),
    ]
    assert table(rows, "referred", "sex") == {("NA_NOTCOLL",): 1, ("U",): 2, ("X",): 1, (TOTAL,): 4}


def test_main_forms_add_up_and_mentions_do_not():
    rows = [row("a", "1-10", forms=("SEX", "LAB")), row("b", "1-10", forms=("LAB",)), row("c", "1-10")]
    assert table(rows, "potential", "form_main") == {("EXP_U",): 1, ("LAB",): 1, ("SEX",): 1, (TOTAL,): 3}
    assert table(rows, "potential", "form_any") == {("EXP_U",): 1, ("LAB",): 2, ("SEX",): 1, (TOTAL,): 3}
    mentions = table(rows, "potential", "form_any", unit="CU_MENTION")
    assert mentions == {("EXP_U",): 1, ("LAB",): 2, ("SEX",): 1, (TOTAL,): 4}


def test_citizenship_is_the_first_and_its_group_that_of_the_day():
    rows = [
        row("a", "1-10", citizenship=("XK", "AL")), row("b", "1-10", citizenship=("AL",)), row("c", "1-10", citizenship=("HR",)),
        row("d", "1-10", citizenship=("STATELESS",)), row("e", "1-10"), row("f", "1-10", citizenship=("MD",)),
    ]  # fmt: skip
    assert table(rows, "referred", "citizenship_group") == {
        ("EU",): 1, ("OTH",): 1, ("OWN",): 1, ("ST_U",): 2, ("WB",): 1, (TOTAL,): 6
    }  # fmt: skip
    assert table(rows, "referred", "citizenship")[("XK",)] == 1


def test_every_margin_of_several_dimensions_is_there_and_quarters_are_cut_by_the_range():
    rows = [row("a", "2-20", sex="F", age=20), row("b", "4-01", sex="M", age=20), row("c", "4-02", sex="M", age=10)]
    found = table(rows, "referred", "sex", "age_group", period=(d("2-15"), d("4-30")))
    assert found == {
        ("F", "ADULT"): 1, ("F", TOTAL): 1, ("M", "ADULT"): 1, ("M", "CHILD"): 1, ("M", TOTAL): 2,
        (TOTAL, "ADULT"): 2, (TOTAL, "CHILD"): 1, (TOTAL, TOTAL): 3,
    }  # fmt: skip
    cut = table(rows, "referred", "period", period=(d("2-15"), d("4-30")))
    assert cut == {("2025-02-15..2025-03-31",): 1, ("2025-04",): 2, (TOTAL,): 3}


def test_nobody_is_a_total_of_zero():
    assert table([], "identified", "sex", "age_band") == {(TOTAL, TOTAL): 0}


def test_accused_persons_count_once_in_a_period_at_each_stage():
    facts = Facts(
        accused=[
            AccusedFact("x", "P_SUSPECT", d("1-10"), d("1-10"), "M", "ADULT", "XK"),
            AccusedFact("x", "P_SUSPECT", d("2-10"), d("2-10"), "M", "ADULT", "XK"),
            AccusedFact("x", "P_CONV1", d("9-10"), d("9-20"), "M", "ADULT", "XK"),
            AccusedFact("y", "P_SUSPECT", d("3-10"), d("3-10")),
        ]
    )

    def of(population: str, as_of: date | None = None) -> dict[tuple[str, ...], int]:
        asked = Question(population, *YEAR, ("sex", "citizenship_group"), as_of=as_of)
        return {cell.values: cell.count for cell in count(facts, asked, TODAY)}

    assert of("suspects")[("M", "OWN")] == 1 and of("suspects")[("U", "ST_U")] == 1
    assert of("convicted")[(TOTAL, TOTAL)] == 1 and of("convicted", d("9-19"))[(TOTAL, TOTAL)] == 0
    assert of("acquitted")[(TOTAL, TOTAL)] == 0


# Nonsense


@pytest.mark.parametrize(
    "asked, says",
    [
        ({"population": "victims"}, "no population"),
        ({"population": "identified", "by": ("sexe",)}, "no dimension"),
        ({"population": "identified", "by": ("sex", "sex")}, "twice"),
        ({"population": "identified", "rule": "yesterday"}, "no date rule"),
        ({"population": "referred", "rule": "first_formal"}, "no date rule for referred"),
        ({"population": "identified", "unit": "CU_SPELL"}, "no unit for identified"),
        ({"population": "identified", "unit": "CU_MENTION"}, "--by"),
        ({"population": "suspects", "by": ("form_main",)}, "no dimension of suspects"),
        ({"population": "identified", "start": d("2-02"), "end": d("2-01")}, "end before"),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_sentence(asked, says):
    whole = {"start": YEAR[0], "end": YEAR[1], **asked}
    with pytest.raises(Nonsense, match=says):
        Question(**whole)


# Properties, on small countries made by chance


def country(seed: int, size: int = 12) -> list[dict[str, Any]]:
    """Rows of a few persons over two years; within a row everything is in order."""
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(size):
        ref = f"r{number:02d}"
        day = date(2024, 1, 1) + timedelta(days=number % 3 + 3 * rng.randrange(240))
        one: dict[str, Any] = {
            "ref": ref, "person": f"p{rng.randrange(size)}", "referred": day, "sex": rng.choice("FMUX"),
            "age": rng.choice([None, 9, 16, 17, 18, 35]), "group": rng.choice(["CHILD", "ADULT", "AGE_U"]),
            "forms": tuple(rng.sample(["SEX", "LAB", "BEG"], rng.randrange(3))), "entity": rng.choice(["E_NGO", "E_POLICE"]),
        }  # fmt: skip
        later = [day + timedelta(days=rng.randrange(1 + 20 * step)) for step in range(6)]
        later.sort()
        if rng.random() < 0.8:
            one["preliminary"] = (rng.choice([POS, POS, NEG]), later[0])
        if rng.random() < 0.6:
            one["formal"] = (rng.choice([FORMAL, FORMAL, NOT]), later[1])
            if rng.random() < 0.3:
                one["review"] = ("D_RECON_NEG" if one["formal"][0] == FORMAL else "D_RECON_POS", later[2])
        if rng.random() < 0.2:
            one["declined"] = ("D_DECL", later[3])
        if rng.random() < 0.1:
            one["discontinued"] = ("D_DISC", later[4])
        if rng.random() < 0.4:
            one["assistance"] = [(kind, later[1], rng.choice([None, later[4]])) for kind in rng.sample(["AS_MED", "AS_PSY"], rng.randrange(1, 3))]  # fmt: skip
        if rng.random() < 0.4:
            one["stays"] = [("SH_NGO", later[0], later[1]), ("SH_MEN", later[2], rng.choice([None, later[5]]))]
        if rng.random() < 0.4:
            one["reflection"] = later[1]
        if rng.random() < 0.3:
            one["returned"] = (rng.choice(["RT_VOL", "RT_STAY"]), later[5])
        if rows and rng.random() < 0.3:
            one["merge"] = (rng.choice(rows)["ref"], rng.choice(["duplicate_record", "same_person"]))
            if rng.random() < 0.3:
                one["undone"] = day + timedelta(days=300)
        rows.append(one)
    return rows


SEEDS = st.integers(0, 10_000)
CALM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
OF_PERSONS = [name for name in POPULATIONS if name not in STAGES]
ADDITIVE = ("sex", "age_group", "form_main", "decision_outcome", "referring_entity")
RANGE = (date(2024, 2, 10), date(2025, 11, 20))


@given(
    SEEDS,
    st.sampled_from(OF_PERSONS),
    st.lists(st.sampled_from(["sex", "age_group", "form_main", "form_any", "period"]), max_size=3, unique=True),
    st.sampled_from([None, date(2024, 12, 31), date(2025, 6, 15)]),
    st.data(),
)
@settings(CALM, max_examples=400)
def test_a_second_way_of_counting_finds_the_same(seed, population, by, as_of, data):
    known = POPULATIONS[population]
    rule = data.draw(st.sampled_from([name for name in known.rules if name != "stock"]))
    unit = data.draw(st.sampled_from([name for name in known.units if name != "CU_MENTION" or "form_any" in by]))
    rows = country(seed)
    found = table(rows, population, *by, period=RANGE, rule=rule, unit=unit, as_of=as_of)
    other = reference(rows, population, tuple(by), *RANGE, rule=rule, unit=unit, today=TODAY, as_of=as_of)
    assert found == other


@given(SEEDS, st.sampled_from(OF_PERSONS), st.sampled_from(ADDITIVE), st.sampled_from(ADDITIVE))
@CALM
def test_the_parts_of_a_dimension_that_adds_up_sum_to_the_total(seed, population, one, other):
    by = tuple(dict.fromkeys((one, other)))
    found = table(country(seed), population, *by, period=RANGE)
    for cell, number in found.items():
        for place, value in enumerate(cell):
            if value == TOTAL and number:
                parts = [n for c, n in found.items() if c[:place] + c[place + 1 :] == cell[:place] + cell[place + 1 :]]
                assert sum(parts) - number == number


@given(SEEDS, st.sampled_from(OF_PERSONS))
@CALM
def test_the_order_of_rows_is_of_no_account(seed, population):
    rows = country(seed)
    mixed = rows[:]
    random.Random(seed).shuffle(mixed)
    by = ("sex", "age_group", "period")
    assert table(mixed, population, *by) == table(rows, population, *by)


@given(SEEDS, st.sampled_from(OF_PERSONS), st.integers(0, 11))
@CALM
def test_a_record_entered_twice_changes_nothing(seed, population, which):
    rows = country(seed)
    twice = {**rows[which], "ref": "twice", "person": "somebody", "merge": (rows[which]["ref"], "duplicate_record")}
    twice.pop("undone", None)
    by = ("sex", "form_any", "period")
    assert table([*rows, twice], population, *by) == table(rows, population, *by)


@given(SEEDS, st.sampled_from(OF_PERSONS))
@CALM
def test_a_merge_that_was_undone_leaves_everything_as_before(seed, population):
    rows = country(seed)
    undone = [{**one, "undone": date(2026, 1, 1)} if one.get("merge") else one for one in rows]
    never = [{name: value for name, value in one.items() if name != "merge"} for one in rows]
    assert table(undone, population, "sex", "period") == table(never, population, "sex", "period")
    held = [{name: value for name, value in one.items() if name != "undone"} for one in rows]
    as_of = date(2025, 12, 31)
    assert table(undone, population, "sex", as_of=as_of) == table(held, population, "sex", as_of=as_of)


@given(SEEDS, st.sampled_from(["referred", "decisions", "reflection", "returned", "assisted", "sheltered"]))
@CALM
def test_without_merges_a_later_as_of_day_only_adds_what_happened(seed, population):
    rows = [{name: value for name, value in one.items() if name != "merge"} for one in country(seed)]
    days = [date(2024, 6, 30), date(2024, 12, 31), date(2025, 6, 30), date(2025, 12, 31)]
    figures = [total(rows, population, period=RANGE, as_of=day) for day in days]
    assert figures == sorted(figures)


@given(SEEDS, st.sampled_from(OF_PERSONS))
@CALM
def test_a_fact_recorded_after_the_as_of_day_is_as_if_it_were_not_there(seed, population):
    rows = country(seed)
    day = date(2025, 3, 31)
    facts = facts_of(rows)
    late = replace(
        facts,
        decisions=[one for one in facts.decisions if one.recorded <= day],
        referrals=[one for one in facts.referrals if one.recorded <= day],
        cases=[one for one in facts.cases if one.recorded <= day],
        merges=[one for one in facts.merges if one.recorded <= day],
        assistance=[one for one in facts.assistance if one.recorded <= day],
        stays=[one for one in facts.stays if one.recorded <= day],
        reflections=[one for one in facts.reflections if one.recorded <= day],
        returns=[one for one in facts.returns if one.recorded <= day],
    )
    asked = Question(population, *RANGE, ("sex",), as_of=day)
    assert count(facts, asked, TODAY) == count(late, asked, TODAY)


@given(SEEDS, st.sampled_from(OF_PERSONS))
@CALM
def test_the_same_four_years_later_counts_the_same(seed, population):
    """Leap years come every four years: each day has its like."""

    def later(value: Any) -> Any:
        if isinstance(value, date):
            return value.replace(year=value.year + 4)
        if isinstance(value, tuple | list):
            return type(value)(later(one) for one in value)
        return value

    rows = country(seed)
    moved = [{name: later(value) for name, value in one.items()} for one in rows]
    period = (date(2028, 2, 10), date(2029, 11, 20))
    question = Question(population, *period, ("sex", "age_group"))
    found = {cell.values: cell.count for cell in count(facts_of(moved), question, later(TODAY))}
    assert found == table(rows, population, "sex", "age_group", period=RANGE)
