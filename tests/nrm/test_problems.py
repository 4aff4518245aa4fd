"""The published rules that find problems, and what of their figures a reader is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nrm import problems
from nrm.problems import Ran

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def days(count: float) -> timedelta:
    return timedelta(days=count)


def clock(limit: float, took: float | None, *, started: float = 40, case: object = None, met: bool = True) -> Ran:
    begun = NOW - days(started)
    ended = None if took is None else begun + days(took)
    return Ran(begun, begun + days(limit), ended, ended is not None and met, case or object())


def test_a_step_is_often_late_from_a_third_of_five_clocks_on():
    in_time, late = clock(10, 5), clock(10, 12)
    assert problems.late_often([in_time] * 3 + [late], NOW) is None  # four are chance
    assert problems.late_often([in_time] * 4 + [late], NOW) is None  # a fifth
    found = problems.late_often([in_time] * 4 + [late] * 2, NOW)  # exactly a third
    assert found is not None and (found["part"], found["whole"]) == (2, 6)


def test_what_runs_past_its_time_is_late_and_what_fell_away_counts_as_nothing():
    running, gone = clock(10, None), clock(10, 5, met=False)
    assert problems.late_often([running] * 5, NOW)["part"] == 5  # type: ignore[index]
    assert problems.late_often([running] * 4 + [gone] * 5, NOW) is None
    not_due = clock(60, None)
    assert problems.late_often([running] * 4 + [not_due] * 5, NOW) is None


def test_met_at_the_very_moment_of_the_limit_is_in_time():
    assert not clock(10, 10).is_late(NOW) and clock(10, 10.001).is_late(NOW)


def test_several_clocks_of_one_case_are_one_case_behind_the_figures():
    case = object()
    found = problems.late_often([clock(10, 12, case=case)] * 6, NOW)
    assert found is not None and (found["part"], found["part_cases"]) == (6, 1)


def test_half_take_longer_than_the_limit_with_what_still_runs_counted_for_as_long_as_it_has_run():
    assert problems.takes_too_long([clock(10, 9)] * 3 + [clock(10, 30)] * 2, NOW) is None
    found = problems.takes_too_long([clock(10, 9)] * 2 + [clock(10, 30)] * 3, NOW)
    assert found is not None and found["times"] == 300 and found["part"] == 3
    # Left out, the two that still run would make it look quick.
    slow = [clock(10, 5), clock(10, 15), clock(10, 16)] + [clock(10, None, started=20)] * 3
    assert problems.takes_too_long(slow, NOW)["times"] == 160  # type: ignore[index]
    never = [clock(10, None, started=25)] * 5
    assert problems.takes_too_long(never, NOW)["times"] == 250  # type: ignore[index]


def test_time_for_which_a_clock_stood_still_is_not_held_against_anybody():
    begun = NOW - days(40)
    stood = Ran(begun, begun + days(30), begun + days(28), True, None, days(20))  # ten days, of which eight were used
    assert stood.limit == days(10) and stood.took(NOW) == days(8)
    assert problems.takes_too_long([stood] * 5, NOW) is None


@pytest.mark.parametrize(
    ("declined", "silent", "referrals", "found"),
    [(2, 0, 4, False), (1, 1, 6, False), (1, 2, 6, True), (3, 0, 5, True), (0, 0, 0, False), (0, 2, 5, True)],
)
def test_referrals_declined_or_not_answered_in_more_than_a_third(declined, silent, referrals, found):
    assert (problems.unanswered(declined, silent, referrals) is not None) == found


def test_late_by_more_than_its_own_limit_again():
    assert not problems.far_too_late(clock(10, 20), NOW)
    assert problems.far_too_late(clock(10, 20.1), NOW) and problems.far_too_late(clock(10, None), NOW)
    assert not problems.far_too_late(clock(0, 5), NOW)  # a limit of nothing has no double


def test_single_cases_are_found_after_their_time_and_not_at_it():
    hours = timedelta(hours=24)
    assert not problems.without_guardian(NOW - hours, NOW)
    assert problems.without_guardian(NOW - hours - timedelta(seconds=1), NOW)
    assert not problems.reflection_not_offered(NOW - days(3), NOW)
    assert problems.reflection_not_offered(NOW - days(3.1), NOW)
    assert not problems.risk_not_repeated(None, NOW) and problems.risk_not_repeated(NOW - days(1), NOW)


def told(part: int, whole: int, threshold: int | None = 5, rule: str = problems.LATE) -> str:
    figures = {"part": part, "whole": whole, "part_cases": part, "whole_cases": whole, "times": 210}
    return problems.sentence(rule, figures, threshold=threshold)


@pytest.mark.parametrize("rule", [problems.LATE, problems.LONG, problems.UNANSWERED])
def test_small_counts_and_what_gives_them_away_are_not_told(rule):
    assert "3" in told(3, 7, None, rule) and "7" in told(3, 7, None, rule)
    assert "3 of" not in told(3, 7, rule=rule)  # small
    assert "6 of" not in told(6, 8, rule=rule)  # the two that are left would be known
    assert "4" not in told(4, 4, rule=rule)  # the whole is small itself
    assert "7" in told(7, 20, rule=rule) and "20" in told(7, 20, rule=rule)


def test_many_clocks_of_few_cases_are_small_too():
    figures = {"part": 8, "whole": 20, "part_cases": 2, "whole_cases": 9}
    assert "8" not in problems.sentence(problems.LATE, figures, threshold=5)


@pytest.mark.parametrize("rule", [problems.LATE, problems.LONG, problems.UNANSWERED])
def test_who_knows_the_children_does_not_find_the_few_adults_by_subtracting_them(rule):
    figures = {
        "part": 12,
        "whole": 40,
        "part_cases": 12,
        "whole_cases": 40,
        "part_children": 9,
        "whole_children": 20,
        "times": 210,
    }
    assert "12" in problems.sentence(rule, figures, threshold=5)
    assert "12" not in problems.sentence(rule, figures, threshold=5, knows_children=True)  # three adults would be left
    many = figures | {"part_children": 2}
    assert "12" in problems.sentence(rule, many, threshold=5, knows_children=True)
    for few in ({"part_children": 12, "whole_children": 37}, {}):
        counts = {name: count for name, count in figures.items() if not name.endswith("children")} | few
        assert "40" not in problems.sentence(rule, counts, threshold=5, knows_children=True)


def test_each_rule_is_published_with_words_and_says_what_it_found():
    for rule in problems.RULES.values():
        assert str(rule.title) and str(rule.words).endswith(".")
        figures = {"part": 5, "whole": 12, "part_cases": 5, "whole_cases": 12, "times": 150} if rule.is_pattern else {}
        assert problems.sentence(rule.key, figures, threshold=5).endswith(".")
