"""The plain rules of a measure's depth: amounts as they are typed, sums that add up, circles, the human-rights check."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onatc.money import LARGEST_CENTS, NotAnAmount, as_typed, cents_of
from strategy import rights
from strategy.budget import Line, Statement, Total, not_known, of_line, that_counts, total, totals
from strategy.dependencies import circle_with
from strategy.models import BudgetSource, MeasureState, RightsOutcome, Signal
from strategy.signal import MeasureFacts, compute, overdue_milestone, reason_text

SQ = {"decimal": ",", "thousand": "."}
EN = {"decimal": ".", "thousand": ","}


@pytest.mark.parametrize(
    ("text", "language", "cents"),
    [
        ("1.234,50", SQ, 123_450),
        ("1,234.50", EN, 123_450),
        ("1234,5", SQ, 123_450),
        ("1234,50", EN, 123_450),  # a comma before two digits is a decimal comma in every language
        ("1.234,50", EN, 123_450),
        ("1.234", SQ, 123_400),
        ("1,234", EN, 123_400),
        ("1.234.567", EN, 123_456_700),
        ("1 234 567,89 €", SQ, 123_456_789),
        ("0,07", SQ, 7),
        ("12", SQ, 1_200),
        ("9.999.999.999,99", SQ, LARGEST_CENTS),
    ],
)
def test_an_amount_is_read_as_it_is_written(text, language, cents):
    assert cents_of(text, **language) == cents


@pytest.mark.parametrize(
    ("text", "language", "why"),
    [
        ("rreth 5000", SQ, "text"),
        ("", SQ, "text"),
        ("1e5", EN, "text"),
        ("=1+1", SQ, "text"),
        ("NaN", EN, "text"),
        ("١٢٣", EN, "text"),
        ("-5", SQ, "negative"),
        ("−5,00", SQ, "negative"),
        ("1,234", SQ, "fine"),
        ("1.234", EN, "fine"),
        ("0.005", EN, "fine"),
        ("1.23.456", SQ, "text"),
        ("12.34,5", SQ, "text"),
        ("10000000000", SQ, "large"),
        ("9" * 400, SQ, "large"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(text, language, why):
    with pytest.raises(NotAnAmount) as caught:
        cents_of(text, **language)
    assert caught.value.why == why


@given(st.integers(0, LARGEST_CENTS), st.sampled_from([SQ, EN]))
def test_what_a_form_shows_is_read_back_to_the_cent(cents, language):
    assert cents_of(as_typed(cents, **language), **language) == cents


# Sums


def line(planned: int = 0, *, source: str = BudgetSource.STATE, year: int | None = 2026, **more) -> Line:
    places = {"key": 1, "measure": "M1", "objective": "O1", "goal": "G1"}
    return Line(year=year, source=source, planned=planned, **(places | more))


def test_the_sums_of_a_worked_example():
    lines = [
        line(1_000_00, committed=600_00, spent=200_00),
        line(500_00, source=BudgetSource.DONOR, committed=700_00, spent=700_00),  # more than planned
        line(300_00, source=BudgetSource.NOT_FUNDED),
        line(250_00, source=BudgetSource.NOT_FUNDED, committed=50_00, spent=0),
        line(100_00, source=BudgetSource.OWN),  # nothing stated
        line(0, source=BudgetSource.OWN),  # regular work: nothing more is needed
    ]
    found = total(lines)
    assert found.planned == 2_150_00
    assert (found.committed, found.spent) == (1_350_00, 900_00)
    assert found.gap == 500_00  # 300 and 250 - 50; the donor's surplus fills no gap
    assert found.waiting == 400_00
    assert (found.stated, found.unstated) == (3, 3)


def test_what_nobody_said_is_not_zero():
    assert total([]).planned is None and total([]).gap is None and total([]).spent is None
    assert total([line(0)]).planned == 0
    assert total([line(5)]).committed is None and total([line(5)]).planned == 5
    assert total([line(5, committed=0, spent=0)]).committed == 0
    assert not_known(["M1", "M2", "M3"], [line(5), line(0, measure="M2")]) == {"M3"}


cents = st.integers(0, 10**13)


@st.composite
def lines_of_a_plan(draw) -> list[Line]:
    found = []
    for key in range(draw(st.integers(0, 25))):
        goal = draw(st.integers(1, 3))
        objective = goal * 10 + draw(st.integers(1, 2))
        committed = draw(st.none() | cents)
        found.append(
            Line(
                key=key,
                measure=objective * 10 + draw(st.integers(1, 3)),
                objective=objective,
                goal=goal,
                year=draw(st.none() | st.integers(2022, 2026)),
                source=draw(st.sampled_from(BudgetSource.values)),
                planned=draw(cents),
                committed=committed,
                spent=None if committed is None else draw(st.integers(0, committed)),
            )
        )
    return found


GROUPINGS = {
    "line": lambda one: one.key,
    "measure": lambda one: one.measure,
    "objective": lambda one: one.objective,
    "goal": lambda one: one.goal,
    "year": lambda one: one.year,
    "source": lambda one: one.source,
    "source and year": lambda one: (one.source, one.year),
}


@pytest.mark.parametrize("name", GROUPINGS)
@given(lines=lines_of_a_plan())
def test_the_parts_make_up_the_total_whatever_they_are(name, lines):
    parts = totals(lines, GROUPINGS[name])
    assert sum(parts.values(), Total()) == total(lines)


@given(lines_of_a_plan())
def test_a_goal_is_the_sum_of_its_objectives_and_these_of_their_measures(lines):
    for goal, of_goal in totals(lines, lambda one: one.goal).items():
        inside = [one for one in lines if one.goal == goal]
        assert sum(totals(inside, lambda one: one.objective).values(), Total()) == of_goal
        assert sum(totals(inside, lambda one: one.measure).values(), Total()) == of_goal


@given(lines_of_a_plan())
def test_a_gap_is_never_negative_nor_more_than_is_planned(lines):
    for one in map(of_line, lines):
        assert 0 <= one.gap_cents + one.waiting_cents <= one.planned_cents
        assert one.spent_cents <= one.committed_cents


@given(lines_of_a_plan())
def test_planned_splits_into_committed_waiting_and_gap_where_everything_is_stated(lines):
    stated = [one for one in lines if one.committed is not None and one.committed <= one.planned]
    found = total(stated)
    assert found.planned_cents == found.committed_cents + found.waiting_cents + found.gap_cents


def test_the_statement_that_counts_is_the_latest_and_a_correction_stands_for_what_it_corrects():
    def said(as_of: date, hour: int, spent: int) -> Statement:
        return Statement(as_of, datetime(2026, 7, 1, hour, tzinfo=UTC), 100, spent)

    first, corrected = said(date(2026, 3, 31), 8, 10), said(date(2026, 3, 31), 9, 12)
    later, about_earlier = said(date(2026, 6, 30), 10, 40), said(date(2025, 12, 31), 11, 5)
    known = [first, corrected, later, about_earlier]
    assert that_counts(known, date(2026, 7, 1)) is later
    assert that_counts(known, date(2026, 6, 29)) is corrected
    assert that_counts(known, date(2025, 12, 31)) is about_earlier
    assert that_counts(known, date(2025, 12, 30)) is None


# Dependencies


def test_a_circle_is_named_with_its_way():
    needs = [("B", "C"), ("C", "A"), ("X", "Y")]
    assert circle_with(needs, "A", "B") == ["A", "B", "C", "A"]
    assert circle_with(needs, "A", "X") == []
    assert circle_with([], "A", "A") == ["A", "A"]
    assert circle_with([("B", "C"), ("C", "B")], "A", "B") == []  # goes round, but not through A


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_what_is_let_in_never_makes_a_circle(pairs):
    kept: list[tuple[int, int]] = []
    for one, other in pairs:
        way = circle_with(kept, one, other)
        if way:
            assert way[0] == way[-1] == one and way[1] == other
            assert all(step in [*kept, (one, other)] for step in pairwise(way))
        else:
            kept.append((one, other))
    # Without circles there is an order: take away again and again what needs nothing that is left.
    left = {node for pair in kept for node in pair}
    while left:
        free = {node for node in left if not any(one == node and other in left for one, other in kept)}
        assert free
        left -= free


# The human-rights check

ALL_YES = {question.key: rights.YES for question in rights.QUESTIONS}


def test_a_check_rests_on_every_question_and_a_no_is_not_in_line():
    some_no = ALL_YES | {"privacy": rights.NO}
    assert rights.problem_of(ALL_YES, RightsOutcome.IN_LINE, "") == ""
    assert rights.problem_of(ALL_YES | {"child": rights.NOT_APPLICABLE}, RightsOutcome.IN_LINE, "") == ""
    assert rights.problem_of({}, RightsOutcome.IN_LINE, "") == "unanswered"
    assert rights.problem_of(ALL_YES | {"child": "maybe"}, RightsOutcome.IN_LINE, "") == "unanswered"
    assert rights.problem_of(some_no, RightsOutcome.IN_LINE, "x") == "against"
    assert rights.problem_of(some_no, RightsOutcome.CONDITIONS, " ") == "remarks"
    assert rights.problem_of(some_no, RightsOutcome.CONDITIONS, "Only with a data protection agreement.") == ""


def test_a_check_holds_a_year_also_over_a_leap_day():
    assert not rights.is_old(date(2025, 3, 1), date(2026, 3, 1))
    assert rights.is_old(date(2025, 3, 1), date(2026, 3, 2))
    assert rights.is_old(date(2024, 2, 29), date(2025, 3, 1))
    assert not rights.is_old(date(2024, 2, 29), date(2025, 2, 28))


def test_the_questions_are_a_dozen_with_keys_of_their_own():
    keys = [one.key for one in (*rights.QUESTIONS, *rights.FORMER)]
    assert 12 <= len(rights.QUESTIONS) <= 15 and len(keys) == len(set(keys))
    assert [answer for _question, answer in rights.answered({"privacy": "no", "gone": "yes"})] == ["no"]


# Milestones in the signal

START, END = date(2025, 1, 1), date(2026, 12, 31)


def facts(**changes) -> MeasureFacts:
    fields = {"reported_state": MeasureState.UNDER_WAY, "latest_period_end": date(2025, 12, 31)}
    return MeasureFacts(START, END, **(fields | changes))


@pytest.mark.parametrize(
    ("milestones", "on", "signal"),
    [
        ([(date(2026, 1, 31), None)], date(2026, 1, 31), Signal.ON_TIME),  # its own day
        ([(date(2026, 1, 31), None)], date(2026, 2, 1), Signal.AT_RISK),
        ([(date(2026, 1, 31), date(2026, 2, 1))], date(2026, 2, 1), Signal.ON_TIME),  # reached late, but reached
        (
            [(date(2026, 1, 31), date(2026, 2, 5))],
            date(2026, 2, 1),
            Signal.AT_RISK,
        ),  # as it was known to stand that day
        ([(date(2026, 1, 31), date(2025, 12, 1))], date(2026, 2, 1), Signal.ON_TIME),
    ],
)
def test_an_overdue_milestone_puts_a_measure_at_risk(milestones, on, signal):
    assert compute(facts(milestones=milestones), on).signal == signal


def test_the_oldest_overdue_milestone_gives_the_reason_with_its_days():
    known = facts(milestones=[(date(2026, 2, 1), None), (date(2026, 1, 1), None), (date(2026, 6, 1), None)])
    judgement = compute(known, date(2026, 3, 1))
    assert judgement.reason == "milestone_overdue" and judgement.values == {"date": "2026-01-01", "days": 59}
    assert "59 days" in reason_text(judgement.reason, judgement.values)
    assert overdue_milestone([], date(2026, 3, 1)) is None


def test_what_comes_earlier_in_the_rule_is_not_hidden_by_a_milestone():
    late = [(date(2025, 6, 1), None)]
    assert compute(facts(milestones=late), date(2027, 1, 1)).signal == Signal.LATE
    assert compute(facts(milestones=late, reported_state=MeasureState.COMPLETED), END).signal == Signal.COMPLETED
    assert compute(facts(milestones=late, latest_period_end=None), date(2026, 2, 1)).signal == Signal.NO_NEWS
    young = facts(milestones=[(date(2025, 2, 1), None)], latest_period_end=None, reported_state=None)
    assert compute(young, date(2025, 3, 1)).reason == "milestone_overdue"
