"""A plan file as rows, its problems, and what it would change. Reads only; `strategy.actions.plan` writes.

The file is a table with one measure a row (`COLUMNS`; `OPTIONAL` adds the texts in the other languages). Every problem is
named by row (as the spreadsheet counts them, the header is row 1), column and reason, all at once.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from onatc.exports import is_formula_like
from strategy.excel import MAX_BYTES, opened
from strategy.models import BudgetSource, CountingRule, Unit

COLUMNS = (
    "goal_code goal objective_code objective measure_code measure_sq measure_en lead_institution partner_institutions "
    "start end indicator unit baseline target disaggregation budget_eur budget_source source"
).split()
OPTIONAL = "goal_sq goal_sr objective_sq objective_sr measure_sr indicator_sq indicator_sr".split()
REQUIRED_CELLS = "goal_code goal objective_code objective measure_code measure_sq lead_institution start end".split()
LENGTHS = {
    "goal_code": 20,
    "objective_code": 20,
    "measure_code": 20,
    "indicator": 300,
    "indicator_sq": 300,
    "indicator_sr": 300,
    "source": 300,
}
MAX_ROWS = 20_000
MAX_CELL = 2_000
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.A)
BUDGET_SOURCES = {
    "kosovo budget": BudgetSource.STATE,
    "donor": BudgetSource.DONOR,
    "kosovo budget and donor": BudgetSource.STATE_AND_DONOR,
    "not yet funded": BudgetSource.NOT_FUNDED,
    **{value: BudgetSource(value) for value in BudgetSource.values},
}
YEARLY = re.compile(r"\b(each year|in the year|yearly)\b", re.I)


@dataclass(frozen=True)
class Problem:
    """`row` and `column` are empty when the whole file or a whole row is meant; `sheet` when there is only one."""

    row: int | None
    column: str
    reason: str
    sheet: str = ""

    def __str__(self) -> str:
        where = gettext("sheet %(sheet)s") % {"sheet": self.sheet} if self.sheet else ""
        if self.row is not None:
            where += (", " if where else "") + gettext("row %(row)d") % {"row": self.row}
        if self.column:
            where += (", " if where else "") + gettext("column %(column)s") % {"column": self.column}
        return f"{where}: {self.reason}" if where else self.reason


@dataclass
class MeasureRow:
    """One good row, in plain values that JSON can hold: dates in ISO, numbers as text, money in cents."""

    row: int
    goal_code: str
    goal: dict[str, str]
    objective_code: str
    objective: dict[str, str]
    code: str
    title: dict[str, str]
    lead: str
    partners: list[str]
    starts_on: str
    ends_on: str
    source: str
    indicator: dict[str, Any] | None
    budget_source: str
    budget_cents: int | None


@dataclass
class Reading:
    """`columns` are those that the file has: what one that is not there could say is not said, which is not empty."""

    rows: list[MeasureRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    columns: frozenset[str] = frozenset()

    def as_content(self) -> Any:
        return [asdict(row) for row in self.rows]


def read_plan(file: BinaryIO, name: str, institutions: Iterable[str]) -> Reading:
    """Read and check a .csv or .xlsx; never raises for anything that may stand in a file."""
    reading = Reading()
    try:
        table = _table(file, name)
        header = next(table, None)
        if header is None:
            raise ValidationError(gettext("The file is empty."))
        places = _places(header[1])
        reading.columns = frozenset(places)
        checker = _Checker(set(institutions), places)
        count = 0
        for number, cells in table:
            if not any(_text(cell).strip() for cell in cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise ValidationError(gettext("The file has more than %(count)d rows.") % {"count": MAX_ROWS})
            row = checker.check(number, cells)
            if row is not None:
                reading.rows.append(row)
        reading.problems = checker.problems
        if not count and not reading.problems:
            raise ValidationError(gettext("The file has a header but no measures."))
    except ValidationError as error:
        reading.problems += [Problem(*_where(one), " ".join(one.messages)) for one in error.error_list]
        reading.rows = []
    return reading


def _where(error: ValidationError) -> tuple[int | None, str]:
    params = error.params or {}
    return params.get("row"), params.get("column", "")


def _at(row: int | None, column: str, reason: str) -> ValidationError:
    return ValidationError(reason.replace("%", "%%"), params={"row": row, "column": column})


# The table of a file


def _table(file: BinaryIO, name: str) -> Iterator[tuple[int, list[Any]]]:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValidationError(gettext("The file is larger than 8 MB."))
    if not data.strip():
        raise ValidationError(gettext("The file is empty."))
    extension = PurePosixPath(name.lower()).suffix
    if extension == ".xlsx":
        return _xlsx_table(data)
    if extension == ".csv":
        return _csv_table(data)
    raise ValidationError(gettext("Only .csv and .xlsx files can be read."))


def _csv_table(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise ValidationError(gettext("This is not a CSV file, whatever its name says."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise _at(
            row,
            "",
            gettext("The file is not in UTF-8; it may be Windows-1250. Save it as “CSV UTF-8” and try again."),
        ) from error
    if "\x00" in text:
        raise ValidationError(gettext("This is not a CSV file, whatever its name says."))
    first_line = text.split("\n", 1)[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)

    def rows() -> Iterator[tuple[int, list[Any]]]:
        number = 0
        try:
            for cells in reader:
                number += 1
                yield number, list(cells)
        except csv.Error as error:
            raise _at(
                number + 1, "", gettext("The quotes of this row do not close; the rest of the file cannot be read.")
            ) from error

    return rows()


def _xlsx_table(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    with opened(data) as book:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(max_col=len(COLUMNS) + len(OPTIONAL) + 20), 1):
            yield number, [_Formula(cell.value) if cell.data_type == "f" else cell.value for cell in cells]
            if number > MAX_ROWS + 1_000:
                raise ValidationError(gettext("The file has more than %(count)d rows.") % {"count": MAX_ROWS})


class _Formula(str):
    """The text of a formula cell of a workbook."""


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def _places(header: list[Any]) -> dict[str, int]:
    names = [_text(cell).strip().lower() for cell in header]
    while names and not names[-1]:
        names.pop()
    problems = []
    for name in dict.fromkeys(names):
        if name and names.count(name) > 1:
            problems.append(_at(1, name, gettext("The column stands in the header twice.")))
        elif name not in COLUMNS and name not in OPTIONAL:
            close = difflib.get_close_matches(name, COLUMNS + OPTIONAL, 1)
            hint = gettext(" Did you mean %(name)s?") % {"name": close[0]} if close else ""
            problems.append(_at(1, name[:60], gettext("The column is not known.") + hint))
    for name in COLUMNS:
        if name not in names:
            problems.append(_at(1, name, gettext("The column is missing.")))
    if problems:
        raise ValidationError(problems)
    return {name: index for index, name in enumerate(names)}


# The rows


def counting_of(unit: str, name: str) -> tuple[CountingRule, bool]:
    """How a table's indicator is counted, and whether lower is better: worked out, since no column says it."""
    at_date = unit != Unit.NUMBER or YEARLY.search(name)
    return CountingRule.AT_DATE if at_date else CountingRule.TO_DATE, unit == Unit.DAYS


class _Checker:
    """Checks row after row, and what must agree between rows."""

    def __init__(self, institutions: set[str], places: dict[str, int]) -> None:
        self.institutions = institutions
        self.by_folded = {code.casefold(): code for code in institutions}
        self.places = places
        self.problems: list[Problem] = []
        self.measures: dict[str, int] = {}
        self.goals: dict[str, tuple[int, dict[str, str]]] = {}
        self.objectives: dict[str, tuple[int, dict[str, str], str]] = {}

    def check(self, number: int, cells: list[Any]) -> MeasureRow | None:
        before = len(self.problems)
        if any(_text(cell).strip() for cell in cells[len(self.places) :]):
            self._problem(number, "", gettext("The row has more cells than the header."))
        values = {name: self._cell(number, name, cells) for name in self.places}
        for name in REQUIRED_CELLS:
            if not values[name] and not self._has_problem(number, name):
                self._problem(number, name, gettext("The cell is empty."))
        code = self._code(number, "measure_code", values["measure_code"])
        goal_code = self._code(number, "goal_code", values["goal_code"])
        objective_code = self._code(number, "objective_code", values["objective_code"])
        if code:
            first = self.measures.setdefault(code, number)
            if first != number:
                self._problem(
                    number,
                    "measure_code",
                    gettext("%(code)s stands in row %(row)d already.") % {"code": code, "row": first},
                )
        starts_on, ends_on = self._day(number, "start", values["start"]), self._day(number, "end", values["end"])
        if starts_on and ends_on and ends_on < starts_on:
            self._problem(number, "end", gettext("The end lies before the start."))
        goal = self._texts(values, "goal", "goal")
        objective = self._texts(values, "objective", "objective")
        self._same(number, goal_code, goal, objective_code, objective)
        lead = self._institution(number, "lead_institution", values["lead_institution"])
        partners = self._partners(number, values["partner_institutions"], lead)
        indicator = self._indicator(number, values)
        cents, source = self._budget(number, values)
        if len(self.problems) > before:
            return None
        assert starts_on is not None and ends_on is not None
        return MeasureRow(
            row=number,
            goal_code=goal_code,
            goal=goal,
            objective_code=objective_code,
            objective=objective,
            code=code,
            title={"sq": values["measure_sq"], "sr": values.get("measure_sr", ""), "en": values["measure_en"]},
            lead=lead,
            partners=partners,
            starts_on=starts_on.isoformat(),
            ends_on=ends_on.isoformat(),
            source=values["source"],
            indicator=indicator,
            budget_source=source,
            budget_cents=cents,
        )

    def _problem(self, row: int, column: str, reason: str) -> None:
        self.problems.append(Problem(row, column, reason))

    def _has_problem(self, row: int, column: str) -> bool:
        return any(problem.row == row and problem.column == column for problem in self.problems[-30:])

    def _cell(self, number: int, name: str, cells: list[Any]) -> str:
        place = self.places[name]
        raw = cells[place] if place < len(cells) else None
        text = _text(raw)[: MAX_CELL + 1].strip()
        limit = LENGTHS.get(name, 500)
        is_number = name in ("baseline", "target", "budget_eur")
        if isinstance(raw, _Formula) or (not is_number and is_formula_like(text)):
            self._problem(number, name, gettext("The cell begins like a formula; write it as plain text."))
            return ""
        if any((ord(sign) < 32 and sign not in "\n\t\r") or ord(sign) == 127 for sign in text):
            self._problem(number, name, gettext("The cell holds signs that cannot be shown."))
            return ""
        if len(text) > limit:
            self._problem(number, name, gettext("The text is longer than %(limit)d characters.") % {"limit": limit})
            return ""
        return " ".join(text.split())

    def _code(self, number: int, column: str, value: str) -> str:
        if value and not CODE.fullmatch(value):
            self._problem(
                number, column, gettext("A code holds letters without accents, digits, dots and hyphens only.")
            )
            return ""
        return value

    def _day(self, number: int, column: str, value: str) -> date | None:
        """ISO, or day.month.year; the day stands before the month, always."""
        if not value:
            return None
        found: date | None = None
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.A):
                found = date.fromisoformat(value)
            elif match := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", value, re.A):
                found = date(int(match[3]), int(match[2]), int(match[1]))
        except ValueError:
            found = None
        if found is None or not 1990 <= found.year <= 2100:
            self._problem(
                number,
                column,
                gettext("“%(value)s” is not a date. Write 2026-01-31 or 31.1.2026.") % {"value": value[:30]},
            )
            return None
        return found

    def _texts(self, values: dict[str, str], english: str, base: str) -> dict[str, str]:
        return {
            "sq": values.get(f"{base}_sq", ""),
            "sr": values.get(f"{base}_sr", ""),
            "en": values[english],
        }

    def _same(
        self, number: int, goal_code: str, goal: dict[str, str], objective_code: str, objective: dict[str, str]
    ) -> None:
        """A goal or objective has one wording, and an objective one goal, throughout the file."""
        if goal_code:
            row, texts = self.goals.setdefault(goal_code, (number, goal))
            if texts != goal:
                self._problem(
                    number,
                    "goal",
                    gettext("%(code)s is worded otherwise in row %(row)d.") % {"code": goal_code, "row": row},
                )
        if objective_code:
            row, texts, parent = self.objectives.setdefault(objective_code, (number, objective, goal_code))
            if texts != objective:
                self._problem(
                    number,
                    "objective",
                    gettext("%(code)s is worded otherwise in row %(row)d.") % {"code": objective_code, "row": row},
                )
            elif goal_code and parent and parent != goal_code:
                self._problem(
                    number,
                    "goal_code",
                    gettext("%(code)s belongs to %(goal)s in row %(row)d.")
                    % {"code": objective_code, "goal": parent, "row": row},
                )

    def _institution(self, number: int, column: str, value: str) -> str:
        if not value:
            return ""
        if value in self.institutions:
            return value
        if value.casefold() in self.by_folded:
            return self.by_folded[value.casefold()]
        close = difflib.get_close_matches(value, self.institutions, 1)
        hint = gettext(" Did you mean %(name)s?") % {"name": close[0]} if close else ""
        self._problem(
            number, column, gettext("There is no institution with the code “%(code)s”.") % {"code": value[:40]} + hint
        )
        return ""

    def _partners(self, number: int, value: str, lead: str) -> list[str]:
        found = []
        for part in value.split(";"):
            code = self._institution(number, "partner_institutions", part.strip())
            if code and code == lead:
                self._problem(
                    number, "partner_institutions", gettext("The lead institution cannot be its own partner.")
                )
            elif code in found:
                self._problem(number, "partner_institutions", gettext("%(code)s stands there twice.") % {"code": code})
            elif code:
                found.append(code)
        return found

    def _number(self, number: int, column: str, value: str) -> Decimal | None:
        if not value:
            return None
        try:
            found = Decimal(value)
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or not re.fullmatch(r"-?[0-9.]+", value, re.A):
            self._problem(number, column, gettext("“%(value)s” is not a number.") % {"value": value[:30]})
            return None
        if found < 0:
            self._problem(number, column, gettext("The number must not be negative."))
            return None
        if found >= Decimal("1e10"):
            self._problem(number, column, gettext("The number is too large."))
            return None
        if found != found.quantize(Decimal("0.01")):
            self._problem(number, column, gettext("At most two decimals can be kept."))
            return None
        return found

    def _indicator(self, number: int, values: dict[str, str]) -> dict[str, Any] | None:
        baseline = self._number(number, "baseline", values["baseline"])
        target = self._number(number, "target", values["target"])
        name, unit = values["indicator"], values["unit"].lower()
        if not name:
            if unit or values["baseline"] or values["target"]:
                self._problem(number, "indicator", gettext("There is a unit or a value but no indicator."))
            return None
        if unit not in Unit.values:
            self._problem(
                number,
                "unit",
                gettext("“%(value)s” is not a unit. Known are: %(units)s.")
                % {"value": values["unit"][:30], "units": ", ".join(Unit.values)},
            )
            return None
        for column, value in (("baseline", baseline), ("target", target)):
            if value is None:
                continue
            if unit == Unit.YES_NO and value not in (0, 1):
                self._problem(number, column, gettext("For yes or no write 1 or 0."))
            if unit == Unit.PERCENT and value > 100:
                self._problem(number, column, gettext("A percentage lies between 0 and 100."))
        counting, lower_is_better = counting_of(unit, name)
        return {
            "name": {"sq": values.get("indicator_sq", ""), "sr": values.get("indicator_sr", ""), "en": name},
            "unit": unit,
            "counting": str(counting),
            "lower_is_better": lower_is_better,
            "baseline": None if baseline is None else f"{baseline:.2f}",
            "target": None if target is None else f"{target:.2f}",
            "disaggregation": self._breakdown(number, values["disaggregation"]),
        }

    def _breakdown(self, number: int, value: str) -> list[str]:
        parts = [part.strip() for part in value.split(";") if part.strip()]
        for part in parts:
            if not re.fullmatch(r"[a-z_]{1,40}", part, re.A):
                self._problem(
                    number,
                    "disaggregation",
                    gettext("“%(value)s” is not the name of a breakdown.") % {"value": part[:30]},
                )
        return list(dict.fromkeys(parts))

    def _budget(self, number: int, values: dict[str, str]) -> tuple[int | None, str]:
        amount = self._number(number, "budget_eur", values["budget_eur"])
        text = values["budget_source"]
        source = BUDGET_SOURCES.get(text.lower())
        if text and source is None:
            self._problem(
                number,
                "budget_source",
                gettext("“%(value)s” is not a source of funds.") % {"value": text[:30]},
            )
        if amount is not None and not text:
            self._problem(number, "budget_source", gettext("There is an amount but no source of funds."))
        cents = None if amount is None else int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))
        # A source without an amount makes no line: what is not known is not zero.
        return cents, "" if cents is None else str(source or "")


# What a file changes


@dataclass(frozen=True)
class FieldDifference:
    field: str
    old: str
    new: str


@dataclass
class Changes:
    """Codes of measures that are new or removed, the fields of those that changed, and what changed in goals and
    objectives (`structure`)."""

    new: list[str] = field(default_factory=list)
    changed: dict[str, list[FieldDifference]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    structure: list[FieldDifference] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.changed or self.removed or self.structure)

    def as_json(self) -> dict[str, Any]:
        return {
            "new": self.new,
            "changed": {code: [asdict(one) for one in fields] for code, fields in self.changed.items()},
            "removed": self.removed,
            "unchanged": self.unchanged,
            "structure": [asdict(one) for one in self.structure],
        }


def compare(old: dict[str, dict[str, Any]], new: list[dict[str, Any]]) -> Changes:
    """What `new` rows change against `old` ones, both in the form of `MeasureRow`, the old ones by code.

    A different order of the rows, or of the partners, is no change.
    """
    changes = Changes()
    codes = set()
    for row in new:
        code = row["code"]
        codes.add(code)
        if code not in old:
            changes.new.append(code)
            continue
        before, after = _flat(old[code]), _flat(row)
        fields = [
            FieldDifference(name, before.get(name, ""), after.get(name, ""))
            for name in dict.fromkeys([*before, *after])
            if before.get(name, "") != after.get(name, "")
        ]
        if fields:
            changes.changed[code] = fields
        else:
            changes.unchanged += 1
    changes.removed = [code for code in old if code not in codes]
    return changes


def _flat(row: dict[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in row.items():
        if name in ("row", "code"):
            continue
        if name == "partners":
            flat[name] = "; ".join(sorted(value))
        elif name in ("goal", "objective", "title"):
            flat |= {f"{name}_{language}": text for language, text in value.items()}
        elif name == "indicator":
            for part, inner in (value or {}).items():
                if part == "name":
                    flat |= {f"indicator_{language}": text for language, text in inner.items()}
                elif part == "disaggregation":
                    flat["indicator_disaggregation"] = "; ".join(inner)
                else:
                    flat[f"indicator_{part}"] = "" if inner is None else str(inner)
        elif name == "budget_cents":
            flat["budget_eur"] = "" if value is None else f"{value // 100}.{value % 100:02d}"
        else:
            flat[name] = "" if value is None else str(value)
    return flat
