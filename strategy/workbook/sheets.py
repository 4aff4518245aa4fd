"""What a version of a plan consists of as sheets: their columns, what they may hold, and small readings of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onatc.texts import COLUMNS as LANGUAGES
from strategy.models import (
    BudgetSource,
    CountingRule,
    Frequency,
    Level,
    MeasureState,
    NormKind,
    PlanKind,
    RiskKind,
    Unit,
    ValueSource,
)

Sheets = dict[str, list[dict[str, str]]]
FORMAT = "1"
KEY, LISTS = "Key", "Lists"
YES_NO = ("no", "yes")
# What XML cannot say, and what a spreadsheet program would read as the escape of another sign.
UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
ESCAPED = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True)
class Column:
    """`kind`: text, code, whole, number, money, date, choice, institution, measure, words, key. `required` cells may not
    be empty; a text is at most `limit` signs long."""

    name: str
    kind: str = "text"
    limit: int = 500
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """`identity`: the columns that no two rows of the sheet share."""

    name: str
    about: str | Promise
    columns: tuple[Column, ...]
    identity: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        return next(one for one in self.columns if one.name == name)

    @property
    def has_key(self) -> bool:
        return any(one.kind == "key" for one in self.columns)


def _texts(base: str, limit: int = 500) -> tuple[Column, ...]:
    return tuple(Column(f"{base}_{language}", limit=limit) for language in LANGUAGES)


def _choice(name: str, choices: Iterable[str], *, required: bool = True) -> Column:
    return Column(name, "choice", required=required, choices=tuple(choices))


_measure = Column("measure_code", "measure", 20, True)
_key = Column("key", "key", 36)

SHEETS = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            "Plan",
            _("The plan and its strategy, one row. For a plan that exists it only says which one is meant."),
            (
                Column("plan_code", "code", 40, True),
                _choice("kind", PlanKind.values),
                *_texts("title", 300),
                Column("starts_on", "date", required=True),
                Column("ends_on", "date", required=True),
                Column("owner", "institution", 20),
                Column("district", "place", 20),
                Column("municipality", "place", 20),
                Column("languages", "words", 60),
                Column("strategy_code", "code", 40, True),
                _choice("strategy_kind", PlanKind.values),
                *_texts("strategy_title", 300),
                Column("strategy_starts_on", "date", required=True),
                Column("strategy_ends_on", "date", required=True),
            ),
        ),
        Sheet(
            "Goals",
            _("One goal a row. The position gives the order; empty, a new row stands last."),
            (Column("position", "whole"), Column("code", "code", 20, True), *_texts("title")),
            ("code",),
        ),
        Sheet(
            "Objectives",
            _("One objective a row, under the goal that it names."),
            (
                Column("goal_code", "code", 20, True),
                Column("position", "whole"),
                Column("code", "code", 20, True),
                *_texts("title"),
            ),
            ("goal_code", "code"),
        ),
        Sheet(
            "Measures",
            _("One measure a row. Its state follows from reports: leave it as it is."),
            (
                Column("goal_code", "code", 20, True),
                Column("objective_code", "code", 20, True),
                Column("position", "whole"),
                Column("code", "code", 20, True),
                *_texts("title"),
                *_texts("description", 3000),
                Column("lead", "institution", 20, True),
                Column("starts_on", "date", required=True),
                Column("ends_on", "date", required=True),
                _choice("state", MeasureState.values, required=False),
                Column("source", limit=300),
                _key,
            ),
            ("code",),
        ),
        Sheet(
            "Partners",
            _("One partner institution of a measure a row, with its part."),
            (
                _measure,
                Column("position", "whole"),
                Column("institution", "institution", 20, True),
                *_texts("part", 300),
            ),
            ("measure_code", "institution"),
        ),
        Sheet(
            "Indicators",
            _("One indicator a row, numbered within its measure. An empty baseline is not known, which is not zero."),
            (
                _measure,
                Column("number", "whole", required=True),
                *_texts("name", 300),
                _choice("unit", Unit.values),
                _choice("counting", CountingRule.values),
                _choice("lower_is_better", YES_NO),
                *_texts("definition", 1000),
                *_texts("numerator", 300),
                *_texts("denominator", 300),
                Column("baseline", "number"),
                Column("baseline_on", "date"),
                Column("disaggregation", "words", 600),
                _choice("value_source", ValueSource.values),
                Column("computed_by", "code", 60),
                Column("reported_by", "institution", 20),
                _choice("frequency", Frequency.values),
                _key,
            ),
            ("measure_code", "number"),
        ),
        Sheet(
            "Targets",
            _("What an indicator is to reach by the end of a period."),
            (
                _measure,
                Column("indicator_number", "whole", required=True),
                Column("starts_on", "date", required=True),
                Column("ends_on", "date", required=True),
                Column("value", "number", required=True),
            ),
            ("measure_code", "indicator_number", "ends_on"),
        ),
        Sheet(
            "Budget",
            _("What is planned of one source in one year, in euro. An empty year is the whole term."),
            (
                _measure,
                Column("year", "whole"),
                _choice("source", BudgetSource.values),
                Column("reference", limit=60),
                Column("funder", "institution", 20),
                Column("planned_eur", "money", required=True),
                _key,
            ),
            ("measure_code", "year", "source", "reference", "funder"),
        ),
        Sheet(
            "Milestones",
            _("Dated steps of a measure."),
            (_measure, Column("due_on", "date", required=True), *_texts("title", 300), _key),
        ),
        Sheet(
            "Dependencies",
            _("A measure that cannot be finished before another one of this plan."),
            (_measure, Column("needs", "measure", 20, True), Column("note", limit=300)),
            ("measure_code", "needs"),
        ),
        Sheet(
            "Norms",
            _("Norms that a measure serves. One that the register does not know needs its kind and its title."),
            (
                _measure,
                Column("act", limit=120, required=True),
                Column("reference", limit=60, required=True),
                _choice("kind", NormKind.values, required=False),
                *_texts("title", 300),
            ),
            ("measure_code", "act", "reference"),
        ),
        Sheet(
            "Risks",
            _("Risks and assumptions of a measure, and the response to them."),
            (
                _measure,
                _choice("kind", RiskKind.values),
                _choice("level", Level.values),
                *_texts("text"),
                *_texts("response"),
            ),
        ),
        Sheet(
            "Tags",
            _("Words by which measures are gathered across goals."),
            (_measure, Column("tag", "tag", 40, True)),
            ("measure_code", "tag"),
        ),
        Sheet(
            "Serves",
            _("The measure of another plan that a measure of a local plan serves."),
            (_measure, Column("plan_code", "code", 40, True), Column("serves", "code", 20, True)),
            ("measure_code", "plan_code", "serves"),
        ),
    )
}
DETAILS = tuple(name for name, sheet in SHEETS.items() if sheet.columns[0] == _measure)
# One of these texts must be there: a record has a name in some language, a plan and a norm in Albanian.
NAMED = {"Goals": "title", "Objectives": "title", "Measures": "title", "Indicators": "name", "Milestones": "title",
         "Risks": "text"}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What the application knows that a workbook may name."""

    institutions: dict[str, date | None]
    names: dict[str, str] = field(default_factory=dict)
    successors: dict[str, str] = field(default_factory=dict)
    districts: frozenset[str] = frozenset()
    municipalities: frozenset[str] = frozenset()
    tags: dict[str, bool] = field(default_factory=dict)
    norms: frozenset[tuple[str, str]] = frozenset()
    queries: frozenset[str] | None = None
    measures_of: Callable[[str], frozenset[str]] = lambda plan_code: frozenset()


def settled(value: Any) -> str:
    """A text in the form that a workbook can hold: line ends as one sign, nothing that cannot be shown, no blank ends."""
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    return UNSHOWABLE.sub(" ", text).strip()


def fingerprint(sheets: Sheets) -> str:
    """SHA-256 of what the sheets say, whatever the order of their rows."""
    ordered = {name: sorted(json.dumps(row, sort_keys=True) for row in sheets.get(name, [])) for name in SHEETS}
    return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()


def by_measure(sheets: Sheets) -> dict[str, dict[str, list[dict[str, str]]]]:
    found: dict[str, dict[str, list[dict[str, str]]]] = {name: defaultdict(list) for name in DETAILS}
    for name in DETAILS:
        for row in sheets.get(name, []):
            found[name][row["measure_code"]].append(row)
    return found


def in_columns(base: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{base}_{language}": texts.get(language, "") for language in LANGUAGES}


def of_columns(row: dict[str, str], base: str) -> dict[str, str]:
    return {language: row[f"{base}_{language}"] for language in LANGUAGES}


def euro(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def cents(text: str) -> int:
    return int(Decimal(text) * 100)
