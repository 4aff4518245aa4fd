"""A version of a plan as a workbook and back, without loss: what its sheets hold, how they are written, read and checked.

A version is carried as *sheets*: the name of a sheet → its rows, each the name of a column → a text in one settled form
(days in ISO, money and numbers with two decimals, yes or no, "" for nothing). The database is read into that form by
`strategy.queries.workbook` and written from it by `strategy.actions.content`; files, comparison and the simple table
(`strategy.imports`) know nothing else. The order of rows means nothing: where order matters there is a column for it.
Reads only.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import re
import uuid
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from onatc.exports import is_formula_like
from onatc.files import check_archive
from onatc.texts import choose
from strategy.imports import (
    CODE,
    COLUMNS,
    MAX_BYTES,
    MAX_ROWS,
    OPTIONAL,
    Changes,
    FieldDifference,
    Problem,
    Reading,
    counting_of,
)
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
LANGUAGES = ("sq", "sr", "en")
MAX_DETAILS = 60_000  # rows of a sheet whose rows belong to measures
MAX_PROBLEMS = 2_000
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


@dataclass
class WorkbookReading(Reading):
    """`sheets` are whole when there are no problems; `notes` say what the reader should know before it is applied."""

    sheets: Sheets = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_content(self) -> Any:
        return {"format": FORMAT, "sheets": self.sheets, "rows": self.numbers.get("Measures", [])}


def settled(value: Any) -> str:
    """A text in the form that a workbook can hold: line ends as one sign, nothing that cannot be shown, no blank ends."""
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    return UNSHOWABLE.sub(" ", text).strip()


def fingerprint(sheets: Sheets) -> str:
    """SHA-256 of what the sheets say, whatever the order of their rows."""
    ordered = {name: sorted(json.dumps(row, sort_keys=True) for row in sheets.get(name, [])) for name in SHEETS}
    return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()


# Writing


def write(sheets: Sheets, known: Known, *, version: str, number: int) -> bytes:
    """The workbook of a version, explained in the active language; texts are texts, whatever they begin with."""
    book = Workbook(write_only=True)
    _read_me(book)
    for sheet in SHEETS.values():
        _write_sheet(book, sheet, sheets.get(sheet.name, []), known)
    lists = book.create_sheet(LISTS)
    _widths(lists, (16, 60, 24, 24, 24))
    lists.append([_bold(lists, name) for name in ("institution", "name", "district", "municipality", "tag")])
    columns = _lists(known)
    for place in range(max(len(one) for one in columns)):
        lists.append([_text_cell(lists, one[place]) if place < len(one) else None for one in columns])
    hidden = book.create_sheet(KEY)
    hidden.sheet_state = "hidden"
    plan = sheets["Plan"][0]["plan_code"] if sheets.get("Plan") else ""
    facts = {"format": FORMAT, "plan": plan, "version": version, "number": str(number), "sha256": fingerprint(sheets)}
    for name, value in facts.items():
        hidden.append([_text_cell(hidden, name), _text_cell(hidden, value)])
    for row in sheets.get("Measures", []):
        hidden.append([_text_cell(hidden, one) for one in ("measure", row["code"], row["key"])])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _read_me(book: Workbook) -> None:
    sheet = book.create_sheet("Read me")
    _widths(sheet, (24, 100))
    lines = (
        gettext("This workbook holds a version of an action plan whole. It can be changed and brought in again."),
        gettext("Leave the names of the sheets and the first row of each sheet as they are."),
        gettext("The order of the rows means nothing; the columns named position say the order."),
        gettext("The grey column key says which record a row is, so that a measure may get another code. Leave it empty in new rows."),
        gettext("Write values, no formulas. Days are written 2026-01-31, money in euro with at most two decimals."),
        gettext("A row that you remove is removed from the next draft. Nothing changes before you have seen what would."),
    )  # fmt: skip
    for line in lines:
        sheet.append([None, _text_cell(sheet, line)])
    sheet.append([])
    for one in SHEETS.values():
        sheet.append([_bold(sheet, one.name), _text_cell(sheet, str(one.about))])
        for column in one.columns:
            known = ", ".join(column.choices)
            sheet.append([_text_cell(sheet, column.name), _text_cell(sheet, known) if known else None])


def _lists(known: Known) -> list[list[str]]:
    open_codes = [code for code, dissolved in sorted(known.institutions.items()) if dissolved is None]
    return [
        open_codes,
        [known.names.get(code, "") for code in open_codes],
        sorted(known.districts),
        sorted(known.municipalities),
        sorted(code for code, in_use in known.tags.items() if in_use),
    ]


def _write_sheet(book: Workbook, sheet: Sheet, rows: list[dict[str, str]], known: Known) -> None:
    target = book.create_sheet(sheet.name)
    target.freeze_panes = "A2"
    wide = {"text": 40, "words": 24, "date": 12, "money": 16, "number": 14, "whole": 9}
    for place, column in enumerate(sheet.columns, 1):
        dimension = target.column_dimensions[get_column_letter(place)]
        dimension.width = wide.get(column.kind, 16)
        dimension.hidden = column.kind == "key"
        if column.kind not in ("date", "money", "number", "whole"):
            dimension.number_format = "@"  # what is typed into a new row stays the text that was typed
        _validate(target, column, get_column_letter(place), known)
    target.append([_bold(target, column.name) for column in sheet.columns])
    for row in rows:
        target.append([_cell(target, column, row[column.name]) for column in sheet.columns])


def _validate(target: Any, column: Column, letter: str, known: Known) -> None:
    formula = ""
    if column.choices:
        formula = f'"{",".join(column.choices)}"'
    elif column.kind == "institution":
        formula = f"{LISTS}!$A$2:$A${max(2, sum(one is None for one in known.institutions.values()) + 1)}"
    elif column.kind == "tag" and known.tags:
        formula = f"{LISTS}!$E$2:$E${len(known.tags) + 1}"
    elif column.kind == "measure":
        code = get_column_letter([one.name for one in SHEETS["Measures"].columns].index("code") + 1)
        formula = f"Measures!${code}$2:${code}${MAX_ROWS}"
    if formula:
        rule = DataValidation("list", formula1=formula, allow_blank=not column.required, showErrorMessage=True)
        rule.add(f"{letter}2:{letter}{MAX_ROWS}")
        target.data_validations.append(rule)


def _cell(target: Any, column: Column, text: str) -> Any:
    if not text:
        return None
    value: Any
    if column.kind == "date":
        value = date.fromisoformat(text)
        cell = WriteOnlyCell(target, value=value)
        cell.number_format = "yyyy-mm-dd"
    elif column.kind == "whole":
        cell = WriteOnlyCell(target, value=int(text))
    elif column.kind in ("number", "money") and len(text) <= 16:  # beyond, a spreadsheet would lose the cents
        value = Decimal(text)
        cell = WriteOnlyCell(target, value=value)
        cell.number_format = "#,##0.00"
    else:
        cell = _text_cell(target, text)
        if column.kind == "key":
            cell.font = Font(color="00808080")
    return cell


def _text_cell(target: Any, text: str) -> Any:
    cell = WriteOnlyCell(target, value=ESCAPE.sub("_x005F_", text))
    cell.data_type = "s"  # also for a text that begins with "="
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top", wrap_text=len(text) > 40)
    return cell


def _bold(target: Any, text: str) -> Any:
    cell = WriteOnlyCell(target, value=text)
    cell.font = Font(bold=True, color="00FFFFFF")
    cell.fill = PatternFill("solid", fgColor="0012365C")
    return cell


def _widths(target: Any, widths: Iterable[int]) -> None:
    for place, width in enumerate(widths, 1):
        target.column_dimensions[get_column_letter(place)].width = width


# Reading


def is_workbook(data: bytes) -> bool:
    """Whether a file is a workbook of many sheets, and not the simple table of one; never raises."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_archive(archive, members=500, unpacked=50 * 1024 * 1024)
            if archive.getinfo("xl/workbook.xml").file_size > 1024 * 1024:
                return False
            head = archive.read("xl/workbook.xml")
    except Exception:  # what a damaged file raises is told by the reading
        return False
    names = set(re.findall(rb'name="([^"]+)"', head))
    return len(names & {name.encode() for name in (*SHEETS, KEY)}) >= 2


def read(data: bytes, known: Known, *, base: Sheets | None, plan: str = "", newest: str = "") -> WorkbookReading:
    """Read and check a workbook against what is known and against `base`, the newest version of the plan `plan`; never
    raises for anything that may stand in a file. `newest` is the key of that version."""
    reading = WorkbookReading()
    try:
        raw, facts, extra = _raw(data, reading)
    except ValidationError as error:
        reading.problems = [Problem(None, "", " ".join(one.messages)) for one in error.error_list]
        return reading
    checker = _Checker(reading, known, base, plan)
    checker.check(raw, facts)
    if extra:
        reading.notes.append(gettext("Sheets that are not read: %(names)s.") % {"names": ", ".join(sorted(extra)[:20])})
    if base is not None and facts.get("sha256") and facts["sha256"] != fingerprint(base):
        sentence = (
            gettext(
                "The draft was changed after this workbook was made from it. What is changed there would be undone."
            )
            if facts.get("version") == newest
            else gettext("This workbook was made from version %(number)s. What was changed since would be undone.")
            % {"number": facts.get("number", "?")}
        )
        reading.notes.append(sentence)
    if len(reading.problems) > MAX_PROBLEMS:
        count = len(reading.problems)
        reading.problems = reading.problems[:MAX_PROBLEMS]
        reading.problems.append(
            Problem(None, "", gettext("There are %(count)d problems; the first of them are shown.") % {"count": count})
        )
    if reading.problems:
        reading.sheets = {}
    return reading


@dataclass(frozen=True)
class _Formula:
    text: str = ""


Raw = dict[str, tuple[dict[str, int], list[tuple[int, list[Any]]]]]


def _raw(data: bytes, reading: WorkbookReading) -> tuple[Raw, dict[str, Any], set[str]]:
    """The cells of each known sheet below its header, by row number; the facts of the key sheet; the other sheets."""
    broken = ValidationError(gettext("This is not an Excel workbook, or it is damaged."))
    if len(data) > MAX_BYTES:
        raise ValidationError(gettext("The file is larger than 8 MB."))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_archive(archive, members=500, unpacked=50 * 1024 * 1024)
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        present = {sheet.title: sheet for sheet in book.worksheets}
        raw: Raw = {}
        for name, sheet in SHEETS.items():
            if name not in present:
                reading.problems.append(Problem(None, "", gettext("The sheet is missing."), name))
                continue
            rows = _cells(present[name], len(sheet.columns) + 5, MAX_DETAILS if name in DETAILS else MAX_ROWS, name)
            header = next(rows, (1, []))[1]
            places = _places(sheet, header, reading)
            raw[name] = (places, [(number, cells) for number, cells in rows if any(c not in (None, "") for c in cells)])
        facts: dict[str, Any] = {"measures": {}}
        if KEY in present:
            for _number, cells in _cells(present[KEY], 3, MAX_ROWS + 10, KEY):
                name, value, more = (str(one or "") for one in (*cells, None, None, None)[:3])
                if name == "measure":
                    facts["measures"][more] = value
                elif name:
                    facts[name] = value
    except ValidationError:
        raise
    except Exception as error:  # openpyxl raises a dozen kinds for a damaged file
        raise broken from error
    return raw, facts, set(present) - {*SHEETS, KEY, LISTS, "Read me"}


def _cells(sheet: Any, width: int, limit: int, name: str) -> Iterator[tuple[int, list[Any]]]:
    sheet.reset_dimensions()
    filled = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=width), 1):
        values = [_value(cell) for cell in cells]
        filled += any(value not in (None, "") for value in values)
        if filled > limit + 1 or number > 4 * MAX_DETAILS:
            raise ValidationError(
                gettext("The sheet %(name)s has more than %(count)d rows.") % {"name": name, "count": limit}
            )
        yield number, values


def _value(cell: Any) -> Any:
    if cell.data_type == "f" or not isinstance(cell.value, str | int | float | bool | datetime | date | None):
        return _Formula(str(cell.value))
    if cell.data_type == "e":
        return _Formula(str(cell.value))
    return cell.value


def _places(sheet: Sheet, header: list[Any], reading: WorkbookReading) -> dict[str, int]:
    names = [str(cell.text if isinstance(cell, _Formula) else "" if cell is None else cell).strip() for cell in header]
    known = [column.name for column in sheet.columns]
    for name in dict.fromkeys(one for one in names if one):
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = gettext(" Did you mean %(name)s?") % {"name": close[0]} if close else ""
            reading.problems.append(Problem(1, name[:60], gettext("The column is not known.") + hint, sheet.name))
        elif names.count(name) > 1:
            reading.problems.append(Problem(1, name, gettext("The column stands in the header twice."), sheet.name))
    for name in known:
        if name not in names:
            reading.problems.append(Problem(1, name, gettext("The column is missing."), sheet.name))
    return {name: names.index(name) for name in known if name in names}


AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>\d+|\d{1,3}(?:(?P<group>[.,' ])\d{3})(?:(?P=group)\d{3})*)(?:(?P<point>[.,])(?P<cents>\d{1,2}))?")  # fmt: skip


def amount(text: str) -> Decimal | None:
    """A number as people write it: 1234.5, 1234,50, 1.234,50, 1 234 567. None when it is no number, or when it could be
    read in two ways: "1.234" is a thousand here and a little more than one there."""
    text = text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")
    text = re.sub(r"\s*(€|eur|euro)\s*$|^\s*(€|eur)\s*", "", text.strip(), flags=re.I)
    match = AMOUNT.fullmatch(text)
    if match is None or not text.isascii():
        return None
    group, point = match["group"], match["point"]
    if group and point == group:
        return None
    if group in (".", ",") and not point and text.count(group) == 1:
        return None
    whole = match["whole"].replace(group, "") if group else match["whole"]
    return Decimal(f"{match['sign']}{whole}.{match['cents'] or '0'}")


class _Checker:
    """Checks the cells of each sheet, then what must agree between rows and sheets."""

    def __init__(self, reading: WorkbookReading, known: Known, base: Sheets | None, plan: str) -> None:
        self.reading, self.known, self.base, self.plan = reading, known, base, plan
        self.by_folded = {code.casefold(): code for code in known.institutions}
        self.bad: set[tuple[str, int]] = set()
        self.sheet = SHEETS["Plan"]
        self.number = 0
        # What the newest version holds already is not refused when it comes back as it is.
        self.held: dict[str, Counter[tuple[str, ...]]] = {
            name: Counter(_without_key(row) for row in rows) for name, rows in (base or {}).items() if name in SHEETS
        }

    def check(self, raw: Raw, facts: dict[str, Any]) -> None:
        sheets: Sheets = {name: [] for name in SHEETS}
        numbers: dict[str, list[int]] = {name: [] for name in SHEETS}
        for name, (places, rows) in raw.items():
            self.sheet = SHEETS[name]
            first: dict[tuple[str, ...], int] = {}
            for number, cells in rows:
                self.number = number
                row = self._row(places, cells)
                if not any(row.values()):
                    continue
                sheets[name].append(row)
                numbers[name].append(number)
                identity = tuple(row[column] for column in self.sheet.identity)
                earlier = first.setdefault(identity, number) if self.sheet.identity and any(identity) else number
                if earlier != number:
                    self._problem(
                        self.sheet.identity[-1],
                        gettext("%(code)s stands in row %(row)d already.")
                        % {"code": " ".join(filter(None, identity)), "row": earlier},
                    )
        self.reading.sheets, self.reading.numbers = sheets, numbers
        if set(raw) != set(SHEETS) or any(len(raw[name][0]) < len(SHEETS[name].columns) for name in raw):
            return  # what hangs together cannot be judged where a part is missing
        self._positions(sheets)
        self._whose(sheets, facts)
        self._plan(sheets, facts)
        self._structure(sheets)
        self._measures(sheets)
        self._details(sheets)

    def _problem(self, column: str, reason: str) -> None:
        self.reading.problems.append(Problem(self.number, column, reason, self.sheet.name))
        self.bad.add((self.sheet.name, self.number))

    # One cell

    def _row(self, places: dict[str, int], cells: list[Any]) -> dict[str, str]:
        row = {}
        for column in self.sheet.columns:
            place = places.get(column.name)
            raw = cells[place] if place is not None and place < len(cells) else None
            row[column.name] = self._cell(column, raw)
        if not any(row.values()) and (self.sheet.name, self.number) not in self.bad:
            return row
        for column in self.sheet.columns:
            if column.required and not row[column.name] and not self._named(column.name):
                self._problem(column.name, gettext("The cell is empty."))
        base = NAMED.get(self.sheet.name)
        if base and not any(row[f"{base}_{language}"] for language in LANGUAGES) and not self._named(f"{base}_sq"):
            self._problem(f"{base}_sq", gettext("There is no text in any language."))
        if "ends_on" in row and row["starts_on"] and row["ends_on"] and row["ends_on"] < row["starts_on"]:
            self._problem("ends_on", gettext("The end lies before the start."))
        return row

    def _named(self, column: str) -> bool:
        return any(
            one.row == self.number and one.column == column and one.sheet == self.sheet.name
            for one in self.reading.problems[-40:]
        )

    def _cell(self, column: Column, raw: Any) -> str:
        if isinstance(raw, _Formula):
            self._problem(column.name, gettext("The cell holds a formula; write its value."))
            return ""
        if raw is None or raw == "":
            return ""
        if column.kind == "date":
            return self._day(column.name, raw)
        if column.kind in ("number", "money", "whole"):
            return self._number(column, raw)
        text = self._text(column, raw)
        return text and getattr(self, f"_as_{column.kind}")(column, text)

    def _text(self, column: Column, raw: Any) -> str:
        if isinstance(raw, bool):
            raw = YES_NO[raw] if column.choices == YES_NO else int(raw)
        if isinstance(raw, datetime | date):
            raw = raw.isoformat()[:10]
        if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
            raw = int(raw)
        text = ESCAPED.sub("_", str(raw)).replace("\r\n", "\n").replace("\r", "\n").strip()
        if UNSHOWABLE.search(text):
            self._problem(column.name, gettext("The cell holds signs that cannot be shown."))
            return ""
        if len(text) > column.limit:
            self._problem(
                column.name, gettext("The text is longer than %(limit)d characters.") % {"limit": column.limit}
            )
            return ""
        return text

    def _as_text(self, column: Column, text: str) -> str:
        return text

    def _as_code(self, column: Column, text: str) -> str:
        if CODE.fullmatch(text):
            return text
        self._problem(column.name, gettext("A code holds letters without accents, digits, dots and hyphens only."))
        return ""

    _as_measure = _as_code

    def _as_place(self, column: Column, text: str) -> str:
        known = self.known.districts if column.name == "district" else self.known.municipalities
        if text in known:
            return text
        self._problem(column.name, gettext("“%(value)s” is not known here.") % {"value": text[:40]})
        return ""

    def _as_tag(self, column: Column, text: str) -> str:
        return text

    def _as_choice(self, column: Column, text: str) -> str:
        if text.lower() in column.choices:
            return text.lower()
        self._problem(
            column.name,
            gettext("“%(value)s” is not among the choices: %(choices)s.")
            % {"value": text[:30], "choices": ", ".join(column.choices)},
        )
        return ""

    def _as_words(self, column: Column, text: str) -> str:
        words = list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
        languages = dict(settings.LANGUAGES)
        for word in words:
            if column.name == "languages" and word not in languages:
                self._problem(column.name, gettext("“%(value)s” is not a language here.") % {"value": word[:30]})
            elif column.name != "languages" and not re.fullmatch(r"[a-z_]{1,40}", word, re.A):
                self._problem(
                    column.name, gettext("“%(value)s” is not the name of a breakdown.") % {"value": word[:30]}
                )
        return "; ".join(words)

    def _as_key(self, column: Column, text: str) -> str:
        try:
            return str(uuid.UUID(text))
        except ValueError:
            self._problem(column.name, gettext("The key is filled in by the application: leave it, or leave it empty."))
            return ""

    def _as_institution(self, column: Column, text: str) -> str:
        code = self.by_folded.get(text.casefold())
        if code:
            return code
        close = difflib.get_close_matches(text, self.known.institutions, 1)
        hint = gettext(" Did you mean %(name)s?") % {"name": close[0]} if close else ""
        self._problem(
            column.name,
            gettext("There is no institution with the code “%(code)s”.") % {"code": text[:40]} + hint,
        )
        return ""

    def _day(self, column: str, raw: Any) -> str:
        found: date | None = None
        if isinstance(raw, datetime | date):
            found = raw.date() if isinstance(raw, datetime) else raw
        else:
            text = str(raw).strip()
            try:
                if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.A):
                    found = date.fromisoformat(text)
                elif match := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", text, re.A):
                    found = date(int(match[3]), int(match[2]), int(match[1]))
            except ValueError:
                found = None
        if found is None or not 1990 <= found.year <= 2100:
            self._problem(
                column, gettext("“%(value)s” is not a date. Write 2026-01-31 or 31.1.2026.") % {"value": str(raw)[:30]}
            )
            return ""
        return found.isoformat()

    def _number(self, column: Column, raw: Any) -> str:
        found: Decimal | None = None
        if isinstance(raw, str):
            found = amount(raw)
        elif not isinstance(raw, bool | datetime | date):
            try:
                found = Decimal(format(raw, ".15g") if isinstance(raw, float) else raw)
            except InvalidOperation:
                found = None
        shown = str(raw)[:30]
        if found is None or not found.is_finite():
            sentence = (
                gettext("“%(value)s” can be read in two ways. Write 1234 or 1.23.")
                if isinstance(raw, str) and re.fullmatch(r"-?\d{1,3}[.,]\d{3}", raw.strip(), re.A)
                else gettext("“%(value)s” is not a number.")
            )
            self._problem(column.name, sentence % {"value": shown})
        elif found < 0:
            self._problem(column.name, gettext("The number must not be negative."))
        elif column.kind == "whole":
            if found == int(found) and found <= 32_767:
                return str(int(found))
            self._problem(column.name, gettext("“%(value)s” is not a whole number in reach.") % {"value": shown})
        elif found >= (Decimal("9e16") if column.kind == "money" else Decimal("1e12")):
            self._problem(column.name, gettext("The number is too large."))
        elif found != found.quantize(Decimal("0.01")):
            self._problem(column.name, gettext("At most two decimals can be kept."))
        else:
            return f"{found:.2f}"
        return ""

    # Rows that hang together

    def _rows(self, sheets: Sheets, name: str) -> Iterator[dict[str, str]]:
        self.sheet = SHEETS[name]
        for row, number in zip(sheets[name], self.reading.numbers[name], strict=True):
            self.number = number
            yield row

    def _is_held(self, row: dict[str, str]) -> bool:
        return self.sheet.name in self.held and self.held[self.sheet.name][_without_key(row)] > 0

    def _positions(self, sheets: Sheets) -> None:
        """An empty position stands last, in the order of the rows; partners are counted within their measure."""
        for name in ("Goals", "Objectives", "Measures", "Partners"):
            last: dict[str, int] = defaultdict(int)
            group = "measure_code" if name == "Partners" else ""
            for row in sheets[name]:
                last[row.get(group, "")] = max(last[row.get(group, "")], int(row["position"] or 0))
            for row in self._rows(sheets, name):
                if not row["position"]:
                    last[row.get(group, "")] += 1
                    row["position"] = str(last[row.get(group, "")])
                    if last[row.get(group, "")] > 32_767:
                        self._problem("position", gettext("The number is too large."))

    def _whose(self, sheets: Sheets, facts: dict[str, Any]) -> None:
        """Give each row the key of the record it is: its own, or by what it is called; a copied row is a new one."""
        base = self.base or {}
        keys = {row["key"]: row["code"] for row in base.get("Measures", [])}
        by_code = {code: key for key, code in keys.items()}
        exported: dict[str, str] = facts["measures"] | keys
        rows: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
        for row in self._rows(sheets, "Measures"):
            if row["key"]:
                rows[row["key"]].append((self.number, row))
        for key, same in rows.items():
            if len(same) > 1:
                own = [row for _number, row in same if row["code"] == exported.get(key)] or [same[0][1]]
                for _number, row in same:
                    if row is not own[0]:
                        row["key"] = ""
        taken = {row["key"] for row in sheets["Measures"] if row["key"]}
        for row in sheets["Measures"]:
            if not row["key"] and by_code.get(row["code"], "") not in taken | {""}:
                row["key"] = by_code[row["code"]]
                taken.add(row["key"])
        measures = {row["code"]: row["key"] for row in sheets["Measures"]}
        old_code = {row["code"]: row["key"] for row in base.get("Measures", [])}
        for name in ("Indicators", "Budget", "Milestones"):
            self._whose_detail(sheets, name, measures, base.get(name, []), old_code)

    def _whose_detail(
        self,
        sheets: Sheets,
        name: str,
        measures: dict[str, str],
        before: list[dict[str, str]],
        old_measures: dict[str, str],
    ) -> None:
        sheet = SHEETS[name]
        called = sheet.identity[1:] or tuple(one.name for one in sheet.columns[1:] if one.kind != "key")
        owner = {row["key"]: old_measures[row["measure_code"]] for row in before}
        by_name = {(old_measures[row["measure_code"]], *(row[one] for one in called)): row["key"] for row in before}
        taken: set[str] = set()
        for row in sheets[name]:
            measure = measures.get(row["measure_code"], "")
            if row["key"] and (row["key"] in taken or owner.get(row["key"], measure) != measure):
                row["key"] = ""
            taken.add(row["key"])
        for row in sheets[name]:
            wanted = by_name.get((measures.get(row["measure_code"], ""), *(row[one] for one in called)), "")
            if not row["key"] and wanted and wanted not in taken:
                row["key"] = wanted
                taken.add(wanted)

    def _plan(self, sheets: Sheets, facts: dict[str, Any]) -> None:
        self.sheet, self.number = SHEETS["Plan"], 1
        if len(sheets["Plan"]) != 1:
            self._problem("", gettext("The sheet holds one row: the plan."))
            return
        row = next(self._rows(sheets, "Plan"))
        if self.base is not None:
            codes = {code for code in (row["plan_code"], facts.get("plan")) if code}
            if codes - {self.plan}:
                self._problem(
                    "plan_code",
                    gettext("This workbook is of another plan: %(code)s.") % {"code": ", ".join(codes - {self.plan})},
                )
            mine = self.base["Plan"][0]
            different = [name for name in row if row[name] != mine[name]]
            if different and codes == {self.plan}:
                self.reading.notes.append(
                    gettext("What the sheet Plan says otherwise is not brought in: %(columns)s.")
                    % {"columns": ", ".join(different)}
                )
            return
        if not row["title_sq"] or not row["strategy_title_sq"]:
            self._problem("title_sq" if not row["title_sq"] else "strategy_title_sq", gettext("The cell is empty."))
        if row["strategy_ends_on"] < row["strategy_starts_on"]:
            self._problem("strategy_ends_on", gettext("The end lies before the start."))
        places = bool(row["district"]) + bool(row["municipality"])
        if places != (row["kind"] == PlanKind.LOCAL):
            self._problem(
                "district", gettext("A local plan is of one district or one municipality; other plans of none.")
            )
        if not row["languages"]:
            row["languages"] = "; ".join(code for code, _name in settings.LANGUAGES)

    def _structure(self, sheets: Sheets) -> None:
        goals = {row["code"] for row in sheets["Goals"]}
        objectives = {(row["goal_code"], row["code"]) for row in sheets["Objectives"]}
        for row in self._rows(sheets, "Objectives"):
            if row["goal_code"] and row["goal_code"] not in goals:
                self._problem("goal_code", self._not_there("Goals", row["goal_code"]))
        for row in self._rows(sheets, "Measures"):
            if row["goal_code"] and row["goal_code"] not in goals:
                self._problem("goal_code", self._not_there("Goals", row["goal_code"]))
            elif (
                row["objective_code"]
                and row["goal_code"]
                and (row["goal_code"], row["objective_code"]) not in objectives
            ):
                self._problem("objective_code", self._not_there("Objectives", row["objective_code"]))
        if not any((sheets["Goals"], sheets["Measures"])):
            self.sheet, self.number = SHEETS["Measures"], 1
            self._problem("", gettext("The file has a header but no measures."))

    def _not_there(self, sheet: str, code: str) -> str:
        return gettext("“%(code)s” does not stand in the sheet %(sheet)s.") % {"code": code, "sheet": sheet}

    def _measures(self, sheets: Sheets) -> None:
        states = {row["key"]: row["state"] for row in (self.base or {}).get("Measures", [])}
        for row in self._rows(sheets, "Measures"):
            self._exists("lead", row["lead"], row)
            if self.base is None:
                row["state"] = row["state"] or MeasureState.PLANNED
                continue
            state = states.get(row["key"], MeasureState.PLANNED.value)
            if row["state"] not in ("", state):
                self._problem("state", gettext("The state follows from reports; it is “%(state)s”.") % {"state": state})
            row["state"] = state

    def _exists(self, column: str, code: str, measure: dict[str, str]) -> None:
        """An institution takes part while it exists: to the last day of the measure that has come."""
        dissolved = self.known.institutions.get(code) if code else None
        if dissolved is None or not measure["ends_on"] or self._held_by(column, code, measure):
            return
        last = min(date.fromisoformat(measure["ends_on"]), date.today())
        if dissolved < max(last, date.fromisoformat(measure["starts_on"] or measure["ends_on"])):
            successor = self.known.successors.get(code)
            hint = gettext(" Its successor is %(name)s.") % {"name": successor} if successor else ""
            self._problem(
                column,
                gettext("%(code)s was dissolved on %(day)s.") % {"code": code, "day": dissolved.isoformat()} + hint,
            )

    def _held_by(self, column: str, code: str, measure: dict[str, str]) -> bool:
        """Whether the newest version names the institution in this very place already."""
        if self.base is None:
            return False
        old = next((row for row in self.base["Measures"] if row["key"] == measure["key"]), None)
        if old is None:
            return False
        rows = [old] if self.sheet.name == "Measures" else self.base[self.sheet.name]
        return any(row.get(column) == code and row.get("measure_code", old["code"]) == old["code"] for row in rows)

    def _details(self, sheets: Sheets) -> None:
        measures = {row["code"]: row for row in sheets["Measures"] if row["code"]}
        for name in DETAILS:
            for row in self._rows(sheets, name):
                if row["measure_code"] and row["measure_code"] not in measures:
                    self._problem("measure_code", self._not_there("Measures", row["measure_code"]))
        for row in self._rows(sheets, "Partners"):
            measure = measures.get(row["measure_code"])
            if measure and row["institution"]:
                if row["institution"] == measure["lead"]:
                    self._problem("institution", gettext("The lead institution cannot be its own partner."))
                self._exists("institution", row["institution"], measure)
        indicators = self._indicators(sheets, measures)
        self._targets(sheets, indicators)
        for row in self._rows(sheets, "Budget"):
            if row["year"] and not 1990 <= int(row["year"]) <= 2100:
                self._problem("year", gettext("“%(value)s” is not a year.") % {"value": row["year"]})
        for row in self._rows(sheets, "Dependencies"):
            if row["needs"] and row["needs"] not in measures:
                self._problem("needs", self._not_there("Measures", row["needs"]))
            elif row["needs"] and row["needs"] == row["measure_code"]:
                self._problem("needs", gettext("A measure cannot wait for itself."))
        self._no_circle(sheets)
        for row in self._rows(sheets, "Norms"):
            if (row["act"], row["reference"]) not in self.known.norms and not (row["kind"] and row["title_sq"]):
                self._problem(
                    "reference",
                    gettext(
                        "The register does not know this norm. Give its kind and its Albanian title, or correct it."
                    ),
                )
        for row in self._rows(sheets, "Tags"):
            if row["tag"] and not self.known.tags.get(row["tag"], False) and not self._is_held(row):
                self._problem("tag", gettext("“%(value)s” is not a tag in use.") % {"value": row["tag"][:40]})
        served: dict[str, frozenset[str]] = {}
        for row in self._rows(sheets, "Serves"):
            codes = served.setdefault(row["plan_code"], self.known.measures_of(row["plan_code"]))
            own = self.plan or (sheets["Plan"][0]["plan_code"] if sheets["Plan"] else "")
            if row["plan_code"] == own:
                self._problem("plan_code", gettext("A measure serves one of another plan."))
            elif row["serves"] and row["serves"] not in codes:
                self._problem(
                    "serves",
                    gettext("There is no measure %(code)s in the plan %(plan)s.")
                    % {"code": row["serves"], "plan": row["plan_code"]},
                )

    def _no_circle(self, sheets: Sheets) -> None:
        needs: dict[str, set[str]] = defaultdict(set)
        for row in sheets["Dependencies"]:
            needs[row["measure_code"]].add(row["needs"])
        done: set[str] = set()
        for row in self._rows(sheets, "Dependencies"):
            if row["measure_code"] in done or self._is_held(row):
                continue
            seen, ahead = set(), list(needs[row["measure_code"]])
            while ahead:
                one = ahead.pop()
                if one == row["measure_code"] != row["needs"]:
                    self._problem("needs", gettext("The measures wait for each other in a circle."))
                    done.add(row["measure_code"])
                    break
                if one not in seen:
                    seen.add(one)
                    ahead += needs.get(one, ())

    def _indicators(self, sheets: Sheets, measures: dict[str, dict[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
        found = {}
        for row in self._rows(sheets, "Indicators"):
            found[row["measure_code"], row["number"]] = row
            self._in_bounds(row["unit"], "baseline", row["baseline"])
            if (row["value_source"] == ValueSource.COMPUTED) != bool(row["computed_by"]) and row["value_source"]:
                self._problem(
                    "computed_by", gettext("The name of a query stands exactly where the source is “computed”.")
                )
            elif row["computed_by"] and self.known.queries is not None and row["computed_by"] not in self.known.queries:
                self._problem("computed_by", gettext("“%(value)s” is not known here.") % {"value": row["computed_by"]})
            if row["reported_by"] and row["measure_code"] in measures:
                self._exists("reported_by", row["reported_by"], measures[row["measure_code"]])
        return found

    def _in_bounds(self, unit: str, column: str, value: str) -> None:
        if value and unit == Unit.YES_NO and Decimal(value) not in (0, 1):
            self._problem(column, gettext("For yes or no write 1 or 0."))
        if value and unit == Unit.PERCENT and Decimal(value) > 100:
            self._problem(column, gettext("A percentage lies between 0 and 100."))

    def _targets(self, sheets: Sheets, indicators: dict[tuple[str, str], dict[str, str]]) -> None:
        """A target lies on the side of the baseline to which the indicator is meant to move; counts of single periods
        have no such side."""
        old = {(row["measure_code"], row["number"]): row for row in (self.base or {}).get("Indicators", [])}
        for row in self._rows(sheets, "Targets"):
            indicator = indicators.get((row["measure_code"], row["indicator_number"]))
            if indicator is None:
                if row["measure_code"] and row["indicator_number"]:
                    self._problem(
                        "indicator_number",
                        gettext("The measure %(code)s has no indicator %(number)s.")
                        % {"code": row["measure_code"], "number": row["indicator_number"]},
                    )
                continue
            self._in_bounds(indicator["unit"], "value", row["value"])
            before = old.get((row["measure_code"], row["indicator_number"]), {})
            same = ("baseline", "lower_is_better", "counting")
            if not row["value"] or not indicator["baseline"] or indicator["counting"] == CountingRule.IN_PERIOD:
                continue
            if self._is_held(row) and all(before.get(name) == indicator[name] for name in same):
                continue
            target, baseline = Decimal(row["value"]), Decimal(indicator["baseline"])
            if indicator["lower_is_better"] == "yes" and target > baseline:
                self._problem("value", gettext("The target lies above the baseline, but lower is better."))
            elif indicator["lower_is_better"] == "no" and target < baseline:
                self._problem("value", gettext("The target lies below the baseline, but higher is better."))


def _without_key(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(value for name, value in row.items() if name != "key")


# What a workbook changes


def compare(old: Sheets, new: Sheets) -> Changes:
    """What `new` changes against `old`: measures by their key, what belongs to a measure by its own key or by what it is
    called, goals and objectives by code. Changed codes of goals show as one goal less and another more."""
    changes = Changes()
    before = {row["key"]: row for row in old.get("Measures", [])}
    old_details, new_details = _by_measure(old), _by_measure(new)
    kept = set()
    for row in new.get("Measures", []):
        earlier = before.get(row["key"]) if row["key"] else None
        if earlier is None:
            changes.new.append(row["code"])
            continue
        kept.add(row["key"])
        fields = _differing(SHEETS["Measures"], earlier, row)
        for name in DETAILS:
            fields += _detail_differences(
                SHEETS[name], old_details[name][earlier["code"]], new_details[name][row["code"]]
            )
        if fields:
            changes.changed[row["code"]] = fields
        else:
            changes.unchanged += 1
    changes.removed = [row["code"] for key, row in before.items() if key not in kept]
    for name in ("Goals", "Objectives"):
        for one in _detail_differences(SHEETS[name], old.get(name, []), new.get(name, [])):
            changes.structure.append(one)
    return changes


def _by_measure(sheets: Sheets) -> dict[str, dict[str, list[dict[str, str]]]]:
    found: dict[str, dict[str, list[dict[str, str]]]] = {name: defaultdict(list) for name in DETAILS}
    for name in DETAILS:
        for row in sheets.get(name, []):
            found[name][row["measure_code"]].append(row)
    return found


def _differing(sheet: Sheet, old: dict[str, str], new: dict[str, str], prefix: str = "") -> list[FieldDifference]:
    names = [one.name for one in sheet.columns if one.name not in ("key", "state", "measure_code")]
    return [
        FieldDifference(f"{prefix}{name}", old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def _detail_differences(sheet: Sheet, old: list[dict[str, str]], new: list[dict[str, str]]) -> list[FieldDifference]:
    if old == new:
        return []
    names = [one.name for one in sheet.columns if one.name not in ("key", "measure_code")]
    called = [name for name in sheet.identity if name != "measure_code"]

    def identity(row: dict[str, str]) -> tuple[str, ...]:
        if sheet.has_key and row["key"]:
            return (row["key"],)
        return tuple(row[name] for name in called or names)

    def said(row: dict[str, str]) -> str:
        return " · ".join(row[name] for name in names if row[name])

    left: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for row in old:
        left[identity(row)].append(row)
    found: list[FieldDifference] = []
    for row in new:
        same = left.get(identity(row))
        if not same:
            found.append(FieldDifference(sheet.name, "", said(row)))
            continue
        earlier = same.pop(0)
        label = " ".join(earlier[name] for name in called[:2] if earlier[name]) or earlier.get("due_on", "")
        found += _differing(sheet, earlier, row, f"{sheet.name} {label}: ".replace(" :", ":"))
    found += [FieldDifference(sheet.name, said(row), "") for rows in left.values() for row in rows]
    return found


def new_measures(content: Any, codes: Iterable[str]) -> list[dict[str, Any]]:
    """Of the kept content of an import, whatever its form, the rows of the measures with these codes, for its preview."""
    if isinstance(content, dict):
        numbers = content["rows"]
        rows: Any = (
            {
                "row": number,
                "code": row["code"],
                "title": choose(_of_columns(row, "title")),
                **{name: row[name] for name in ("lead", "starts_on", "ends_on")},
            }
            for row, number in zip(content["sheets"]["Measures"], numbers, strict=True)
        )
    else:
        rows = (row | {"title": choose(row["title"])} for row in content)
    by_code = {row["code"]: row for row in rows}
    return [by_code[code] for code in codes]


# The simple table


def sheets_of_table(rows: list[dict[str, Any]], base: Sheets | None) -> Sheets:
    """The rows of a simple table (`imports.MeasureRow`) as sheets. What such a table cannot say of a measure that is there
    already stays as it is: only what differs from the table's view of the base is taken over."""
    sheets: Sheets = {name: [] for name in SHEETS}
    before = base or {name: [] for name in SHEETS}
    old = {row["code"]: row for row in before["Measures"]}
    seen = table_rows(before)
    details = _by_measure(before)
    goals: dict[str, dict[str, str]] = {}
    objectives: dict[tuple[str, str], dict[str, str]] = {}
    for place, row in enumerate(rows, 1):
        goal, objective = row["goal_code"], (row["goal_code"], row["objective_code"])
        goals.setdefault(goal, {"position": str(len(goals) + 1), "code": goal, **_in_columns("title", row["goal"])})
        objectives.setdefault(
            objective,
            {
                "goal_code": goal,
                "position": str(len(objectives) + 1),
                "code": row["objective_code"],
                **_in_columns("title", row["objective"]),
            },
        )
        earlier = old.get(row["code"])
        sheets["Measures"].append(
            {
                **_empty("Measures", **(earlier or {"state": MeasureState.PLANNED.value})),
                "goal_code": goal,
                "objective_code": row["objective_code"],
                "position": str(place),
                "code": row["code"],
                **_in_columns("title", row["title"]),
                **{name: row[name] for name in ("lead", "starts_on", "ends_on", "source")},
            }
        )
        mine = {name: [dict(one) for one in details[name][row["code"]]] for name in DETAILS}
        _overlay(mine, row, earlier, seen.get(row["code"]))
        for name in DETAILS:
            sheets[name] += mine[name]
    codes = {row["code"] for row in sheets["Measures"]}
    sheets["Dependencies"] = [row for row in sheets["Dependencies"] if row["needs"] in codes]
    _keep_empty_branches(before, goals, objectives)
    sheets["Goals"], sheets["Objectives"] = list(goals.values()), list(objectives.values())
    sheets["Plan"] = before["Plan"]
    return sheets


def _empty(sheet: str, **values: str) -> dict[str, str]:
    return {column.name: values.get(column.name, "") for column in SHEETS[sheet].columns}


def _in_columns(base: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{base}_{language}": texts.get(language, "") for language in LANGUAGES}


def _keep_empty_branches(
    before: Sheets, goals: dict[str, dict[str, str]], objectives: dict[tuple[str, str], dict[str, str]]
) -> None:
    """Goals and objectives without measures do not stand in a table, and are not taken away by one."""
    used = {(row["goal_code"], row["objective_code"]) for row in before["Measures"]}
    used_goals = {goal for goal, _objective in used} | {row["goal_code"] for row in before["Objectives"]}
    texts = {row["code"]: row for row in before["Goals"]}
    for row in before["Objectives"]:
        if (row["goal_code"], row["code"]) not in used:
            goals.setdefault(row["goal_code"], texts[row["goal_code"]] | {"position": str(len(goals) + 1)})
            objectives.setdefault((row["goal_code"], row["code"]), row | {"position": str(len(objectives) + 1)})
    for row in before["Goals"]:
        if row["code"] not in used_goals:
            goals.setdefault(row["code"], row | {"position": str(len(goals) + 1)})


def _overlay(mine: Sheets, row: dict[str, Any], earlier: dict[str, str] | None, seen: dict[str, Any] | None) -> None:
    """Take over from a row of a table what it says otherwise than the measure's own rows `mine`."""
    code = row["code"]
    if seen is None or sorted(seen["partners"]) != sorted(row["partners"]):
        parts = {one["institution"]: one for one in mine["Partners"]}
        mine["Partners"] = [
            _empty("Partners", **parts.get(one, {})) | {"measure_code": code, "position": str(n), "institution": one}
            for n, one in enumerate(row["partners"], 1)
        ]
    first = min(mine["Indicators"], key=lambda one: int(one["number"]), default=None)
    number = first["number"] if first else "1"
    targets = sorted(
        (one for one in mine["Targets"] if one["indicator_number"] == number), key=lambda one: one["ends_on"]
    )
    if earlier is not None and targets and (earlier["starts_on"], earlier["ends_on"]) == (
        targets[-1]["starts_on"], targets[-1]["ends_on"]
    ):  # fmt: skip
        # The target of the whole term moves with the term.
        targets[-1] |= {"starts_on": row["starts_on"], "ends_on": row["ends_on"]}
    if seen is None or seen["indicator"] != row["indicator"]:
        said = row["indicator"]
        if said is None:
            mine["Indicators"] = [one for one in mine["Indicators"] if one is not first]
            mine["Targets"] = [one for one in mine["Targets"] if one["indicator_number"] != number]
        else:
            if first is None:
                first = _empty("Indicators", value_source=ValueSource.TYPED.value, frequency=Frequency.QUARTER.value)
                mine["Indicators"].append(first)
            first |= {
                "measure_code": code,
                "number": number,
                **_in_columns("name", said["name"]),
                "unit": said["unit"],
                "counting": said["counting"],
                "lower_is_better": YES_NO[said["lower_is_better"]],
                "baseline": said["baseline"] or "",
                "disaggregation": "; ".join(said["disaggregation"]),
            }
            if said["target"] is None:
                mine["Targets"] = [one for one in mine["Targets"] if not targets or one is not targets[-1]]
            elif targets:
                targets[-1]["value"] = said["target"]
            else:
                term = {"starts_on": row["starts_on"], "ends_on": row["ends_on"]}
                mine["Targets"].append(
                    {"measure_code": code, "indicator_number": number, **term, "value": said["target"]}
                )
    # A table knows the total alone: lines by year and source stay while they make it up, else one line takes their place.
    is_same = seen is not None and seen["budget_cents"] == row["budget_cents"]
    if not is_same or (len(mine["Budget"]) == 1 and mine["Budget"][0]["source"] != row["budget_source"]):
        line = mine["Budget"][0] if len(mine["Budget"]) == 1 else _empty("Budget", measure_code=code)
        mine["Budget"] = []
        if row["budget_source"] and row["budget_cents"] is not None:  # what is not known is no line, and not zero
            mine["Budget"] = [line | {"source": row["budget_source"], "planned_eur": euro(row["budget_cents"])}]


def euro(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def cents(text: str) -> int:
    return int(Decimal(text) * 100)


def table_rows(sheets: Sheets) -> dict[str, dict[str, Any]]:
    """What a simple table can say of each measure, in the form of `imports.MeasureRow`, by code: of several indicators
    the first, of several targets the last, of several budget lines their total."""
    goals = {row["code"]: row for row in sheets["Goals"]}
    objectives = {(row["goal_code"], row["code"]): row for row in sheets["Objectives"]}
    details = _by_measure(sheets)
    found = {}
    for row in sorted(sheets["Measures"], key=lambda one: int(one["position"])):
        code = row["code"]
        indicator = min(details["Indicators"][code], key=lambda one: int(one["number"]), default=None)
        budget = details["Budget"][code]
        said = None
        if indicator is not None:
            targets = [one for one in details["Targets"][code] if one["indicator_number"] == indicator["number"]]
            last = max(targets, key=lambda one: one["ends_on"], default=None)
            said = {
                "name": _of_columns(indicator, "name"),
                "unit": indicator["unit"],
                "counting": indicator["counting"],
                "lower_is_better": indicator["lower_is_better"] == "yes",
                "baseline": indicator["baseline"] or None,
                "target": last["value"] if last else None,
                "disaggregation": [one for one in indicator["disaggregation"].split("; ") if one],
            }
        found[code] = {
            "row": 0,
            "goal_code": row["goal_code"],
            "goal": _of_columns(goals[row["goal_code"]], "title"),
            "objective_code": row["objective_code"],
            "objective": _of_columns(objectives[row["goal_code"], row["objective_code"]], "title"),
            "code": code,
            "title": _of_columns(row, "title"),
            "lead": row["lead"],
            "partners": [
                one["institution"] for one in sorted(details["Partners"][code], key=lambda one: int(one["position"]))
            ],
            "starts_on": row["starts_on"],
            "ends_on": row["ends_on"],
            "source": row["source"],
            "indicator": said,
            "budget_source": _source_of(budget),
            "budget_cents": sum(cents(line["planned_eur"]) for line in budget) if budget else None,
        }
    return found


def _source_of(lines: list[dict[str, str]]) -> str:
    """The source that a table names for several lines: their common one, else budget and donor together."""
    sources = {line["source"] for line in lines}
    return sources.pop() if len(sources) == 1 else BudgetSource.STATE_AND_DONOR.value if sources else ""


def _of_columns(row: dict[str, str], base: str) -> dict[str, str]:
    return {language: row[f"{base}_{language}"] for language in LANGUAGES}


def as_table(sheets: Sheets) -> Iterator[list[Any]]:
    """The rows of the simple table, in the order of `COLUMNS` and `OPTIONAL`."""
    for row in table_rows(sheets).values():
        said = row["indicator"] or {"name": {}, "unit": "", "baseline": None, "target": None, "disaggregation": []}
        budget = row["budget_cents"]
        values = {
            "goal": row["goal"]["en"],
            "objective": row["objective"]["en"],
            "measure_code": row["code"],
            "lead_institution": row["lead"],
            "partner_institutions": ";".join(row["partners"]),
            "start": row["starts_on"],
            "end": row["ends_on"],
            "indicator": said["name"].get("en", ""),
            "unit": said["unit"],
            "baseline": said["baseline"] or "",
            "target": said["target"] or "",
            "disaggregation": ";".join(said["disaggregation"]),
            "budget_eur": "" if budget is None else euro(budget),
            **{name: row[name] for name in ("goal_code", "objective_code", "budget_source", "source")},
            **{f"measure_{language}": row["title"][language] for language in LANGUAGES},
            **{f"{part}_{one}": row[part][one] for part in ("goal", "objective") for one in ("sq", "sr")},
            **{f"indicator_{one}": said["name"].get(one, "") for one in ("sq", "sr")},
        }
        yield [values[name] for name in (*COLUMNS, *OPTIONAL)]


def _says_more(indicator: dict[str, str]) -> bool:
    """Whether a row of the sheet of indicators says what a table leaves out or works out by itself."""
    counting, lower = counting_of(indicator["unit"], indicator["name_en"])
    usual = {
        "counting": str(counting),
        "lower_is_better": YES_NO[lower],
        "value_source": ValueSource.TYPED.value,
        "frequency": Frequency.QUARTER.value,
    }
    told = ("baseline_on", "computed_by", "reported_by", *(f"{part}_{one}" for part in PARTS for one in LANGUAGES))
    return any(indicator[name] != value for name, value in usual.items()) or any(indicator[name] for name in told)


PARTS = ("definition", "numerator", "denominator")


def beyond_table(sheets: Sheets) -> list[tuple[str | Promise, int]]:
    """What of a version the simple table cannot hold, with how many there are."""
    details = _by_measure(sheets)
    measures = sheets["Measures"]
    used = {(row["goal_code"], row["objective_code"]) for row in measures}
    several = defaultdict(set)
    for row in sheets["Objectives"]:
        several[row["code"]].add(row["goal_code"])
    texts = [
        row[name]
        for sheet in ("Goals", "Objectives", "Measures", "Indicators")
        for row in sheets[sheet]
        for name in row
        if name.startswith(("title_", "name_", "source"))
    ]
    first = {row["measure_code"] for row in sheets["Indicators"]}
    found: list[tuple[str | Promise, int]] = [
        (_("goals and objectives without measures"), sum((row["goal_code"], row["code"]) not in used for row in sheets["Objectives"])
            + len({row["code"] for row in sheets["Goals"]} - {row["goal_code"] for row in sheets["Objectives"]})),
        (_("objectives whose code stands under several goals"), sum(len(goals) > 1 for goals in several.values())),
        (_("measures without an Albanian title, goals or objectives without an English one"),
            sum(not row["title_sq"] for row in measures)
            + sum(not row["title_en"] for name in ("Goals", "Objectives") for row in sheets[name])
            + sum(not row["name_en"] for row in sheets["Indicators"])),
        (_("descriptions"), sum(any(row[f"description_{one}"] for one in LANGUAGES) for row in measures)),
        (_("parts of partners"), sum(any(row[f"part_{one}"] for one in LANGUAGES) for row in sheets["Partners"])),
        (_("further indicators"), len(sheets["Indicators"]) - len(first)),
        (_("further targets"), sum(max(0, len(rows) - 1) for rows in details["Targets"].values())),
        (_("further budget lines, years, references and donors"), sum(max(0, len(rows) - 1) for rows in details["Budget"].values())
            + sum(any(row[name] for name in ("year", "reference", "funder")) for row in sheets["Budget"])),
        (_("facts of indicators beyond unit, baseline and target"), sum(map(_says_more, sheets["Indicators"]))),
        (_("milestones"), len(sheets["Milestones"])),
        (_("dependencies"), len(sheets["Dependencies"])),
        (_("norms"), len(sheets["Norms"])),
        (_("risks and assumptions"), len(sheets["Risks"])),
        (_("tags"), len(sheets["Tags"])),
        (_("measures of other plans that are served"), len(sheets["Serves"])),
        (_("texts with line breaks, or that begin like a formula"), sum(text != " ".join(text.split()) or is_formula_like(text) for text in texts)),
    ]  # fmt: skip
    return [(what, count) for what, count in found if count]
