"""A table: the question with all that every figure states (section 1, rule 3), and its cells and margins (section 4)."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any, TextIO

from django.utils.translation import gettext as _

from nrm.counting.dimensions import DIMENSIONS, MENTIONED, NAMES, OF_ACCUSED, PERIOD
from nrm.counting.episodes import persons_of
from nrm.counting.facts import Facts
from nrm.counting.populations import (
    DATE_RULES,
    DECISION,
    MENTION,
    POPULATIONS,
    REFERRAL,
    SPELL,
    STAGES,
    STOCK,
    Qualifying,
    accused_at,
)
from onatc.periods import Period

TOTAL = "TOTAL"
BY_THING = (REFERRAL, DECISION, SPELL)  # each thing counts; of persons and accused the first thing in the period
PROVISIONAL, VALUE = "PROV", "V_VALUE"
BEFORE = ("population", "unit", "date_rule", "as_of", "period_start", "period_end", "figure_status")
AFTER = ("count", "cell_status")


class Nonsense(ValueError):
    """The question cannot be answered; the message says in a sentence why."""


@dataclass(frozen=True)
class Question:
    """What is asked. `as_of` None is now. Raises Nonsense for what is unknown or does not go together."""

    population: str
    start: date
    end: date
    by: tuple[str, ...] = ()
    unit: str = ""
    rule: str = ""
    as_of: date | None = None

    def __post_init__(self) -> None:
        known = POPULATIONS.get(self.population)
        if known is None:
            raise Nonsense(
                _unknown(_("There is no population “%(name)s”. Known: %(known)s."), self.population, POPULATIONS)
            )
        if self.end < self.start:
            raise Nonsense(_("A period must not end before it starts."))
        object.__setattr__(self, "unit", self.unit or known.unit)
        object.__setattr__(self, "rule", self.rule or known.rule)
        if self.rule not in DATE_RULES:
            raise Nonsense(_unknown(_("There is no date rule “%(name)s”. Known: %(known)s."), self.rule, DATE_RULES))
        if self.rule not in known.rules:
            raise Nonsense(_not_here(_("“%(name)s” is no date rule for %(population)s. Possible: %(known)s."), self.rule, known.rules, self.population))  # fmt: skip
        if self.unit not in known.units:
            raise Nonsense(_not_here(_("“%(name)s” is no unit for %(population)s. Possible: %(known)s."), self.unit, known.units, self.population))  # fmt: skip
        if unknown := [name for name in self.by if name not in NAMES]:
            raise Nonsense(_unknown(_("There is no dimension “%(name)s”. Known: %(known)s."), unknown[0], NAMES))
        offered = NAMES if known.is_of_persons else (*OF_ACCUSED, PERIOD)
        if others := [name for name in self.by if name not in offered]:
            raise Nonsense(_not_here(_("“%(name)s” is no dimension of %(population)s. Possible: %(known)s."), others[0], offered, self.population))  # fmt: skip
        if twice := [name for name, times in Counter(self.by).items() if times > 1]:
            raise Nonsense(_("The dimension “%(name)s” is named twice.") % {"name": twice[0]})
        if self.unit == MENTION and not set(self.by) & set(MENTIONED):
            raise Nonsense(
                _("Mentions are counted of something: name one of %(known)s with --by.")
                % {"known": ", ".join(MENTIONED)}
            )

    @property
    def head(self) -> list[str]:
        return [*BEFORE, *self.by, *AFTER]


@dataclass(frozen=True)
class Cell:
    values: tuple[str, ...]
    count: int


def _unknown(sentence: str, name: str, known: Iterable[str]) -> str:
    return sentence % {"name": name[:60], "known": ", ".join(known)}


def _not_here(sentence: str, name: str, known: Iterable[str], population: str) -> str:
    return sentence % {"name": name[:60], "known": ", ".join(known), "population": population}


def quarters(start: date, end: date) -> list[Period]:
    """The quarters of a range; the first and the last one are cut where the range cuts them."""
    found, day = [], start
    while day <= end:
        quarter = Period.quarter_of(day)
        found.append(Period(day, min(quarter.end, end)))
        day = quarter.end + timedelta(days=1)
    return found


def count(facts: Facts, question: Question, today: date) -> list[Cell]:
    """Cells above 0, and all margins, the grand total also when it is 0; ordered by value, each total last."""
    asked = set(question.by)
    values = DIMENSIONS if POPULATIONS[question.population].is_of_persons else OF_ACCUSED
    dimensions = [values.get(name) for name in question.by]
    ranges = [(TOTAL, Period(question.start, question.end))]
    if PERIOD in asked:
        ranges += [(one.label, one) for one in quarters(question.start, question.end)]
    things = list(_things(facts, question, today))
    found: Counter[tuple[str, ...]] = Counter()
    for label, period in ranges:
        alike = Counter(
            tuple((label,) if of is None else of(one) for of in dimensions) for one in _chosen(things, period, question)
        )
        for each, times in alike.items():
            for cell in _cells(each, question):
                found[cell] += times
    found.setdefault((TOTAL,) * len(question.by), 0)
    return [Cell(cell, found[cell]) for cell in sorted(found, key=lambda cell: [(v == TOTAL, v) for v in cell])]


def _things(facts: Facts, question: Question, today: date) -> Iterator[tuple[Hashable, Qualifying]]:
    """Everything that qualifies, with whom it is about."""
    if question.population in STAGES:
        known = [one for one in facts.accused if question.as_of is None or one.recorded <= question.as_of]
        yield from accused_at(STAGES[question.population], known)
        return
    give = POPULATIONS[question.population].rules[question.rule]
    as_of = min(question.as_of or today, today)
    for number, person in enumerate(persons_of(facts, question.as_of)):
        for one in give(person, as_of):
            yield number, one


def _chosen(things: list[tuple[Hashable, Qualifying]], period: Period, question: Question) -> Iterable[Qualifying]:
    """What counts in a period: each thing, or of each person the first one."""
    if question.rule == STOCK:
        inside = [
            (who, one) for who, one in things if one.on <= period.end and (one.until is None or one.until > period.end)
        ]
    else:
        inside = [
            (who, one)
            for who, one in things
            if one.on <= period.end and one.until is not None and one.until >= period.start
        ]
    if question.unit in BY_THING:
        return (one for _who, one in inside)
    first: dict[Hashable, Qualifying] = {}
    for who, one in inside:
        held = first.get(who)
        if held is None or one.on < held.on:  # of one day the episode that was opened first, as they are given in order
            first[who] = one
    return first.values()


def _cells(each: tuple[tuple[str, ...], ...], question: Question) -> Iterator[tuple[str, ...]]:
    """The cells in which one thing, or several alike, stands: with each value and each margin. In the margin of a dimension
    in which a person is mentioned several times the person counts once; counted in mentions, each mention."""
    is_period = [name == PERIOD for name in question.by]
    if question.unit != MENTION:
        yield from product(
            *(values if whole else (*values, TOTAL) for values, whole in zip(each, is_period, strict=True))
        )
        return
    for mention in product(*each):
        yield from product(
            *((value,) if whole else (value, TOTAL) for value, whole in zip(mention, is_period, strict=True))
        )


def write(out: TextIO, question: Question, cells: Iterable[Cell], today: date) -> None:
    """The table as CSV with the columns of section 4."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(question.head)
    writer.writerows(rows(question, cells, today))


def rows(question: Question, cells: Iterable[Cell], today: date) -> Iterator[list[Any]]:
    stated = [
        question.population, question.unit, question.rule, (question.as_of or today).isoformat(),
        question.start.isoformat(), question.end.isoformat(), PROVISIONAL,
    ]  # fmt: skip
    for cell in cells:
        yield [*stated, *cell.values, cell.count, VALUE]
