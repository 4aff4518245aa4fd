"""The workbook of a round as cells: what is written into it and what comes back. What the cells may say is checked by the
form of an entry (strategy.forms.round_workbook).

Sheets: instructions, one row a report, one row a value, and two hidden ones: the lists of choices, and the mark by which a
workbook is known (which round, which institution, and how each report stood when the workbook was made). Row 1 of a table
is hidden and names its columns for the machine; row 2 names them for people. No text in it can run: a text is written as a
text whatever it begins with, and a formula that comes back is refused where it stands.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from onatc.exports import ILLEGAL_IN_XLSX, is_formula_like
from strategy.excel import opened

FORMAT = "onatc round 1"
MARK, LISTS = "_onatc", "_lists"
FIRST_ROW = 3
MAX_ROWS = 5_000
MAX_COLUMNS = 60
GIVEN, OPEN = PatternFill("solid", fgColor="EEF1F5"), PatternFill("solid", fgColor="FFFDF0")


@dataclass(frozen=True)
class Column:
    """`choices` names a list of the workbook; `is_open` may be filled where the row is open."""

    name: str
    label: str
    width: int = 14
    is_open: bool = False
    choices: str = ""
    longest: int = 0


@dataclass
class Line:
    """A row of a table: its key, the cells by column, and which of the open columns may be filled; `choices` overrides the
    list of a column in this row."""

    key: str
    cells: dict[str, Any]
    open: frozenset[str] = frozenset()
    choices: dict[str, str] = field(default_factory=dict)


@dataclass
class Table:
    title: str
    columns: Sequence[Column]
    lines: list[Line]


@dataclass(frozen=True)
class Stamp:
    """How a report stood when the workbook was made: its entry, and a digest of what it said."""

    request: str
    entry: str
    digest: str


# Writing


def write(
    *,
    round_id: uuid.UUID,
    institution_id: uuid.UUID,
    instructions: tuple[str, list[str]],
    tables: list[Table],
    lists: dict[str, list[str]],
    stamps: list[Stamp],
    made_at: datetime,
) -> bytes:
    """The file. `instructions` are a title for the sheet and its lines, the first a heading."""
    book = Workbook()
    first = book.active
    first.title = instructions[0]  # type: ignore[union-attr]
    _write_instructions(first, instructions[1])
    places = _write_lists(book.create_sheet(LISTS), lists)
    for table in tables:
        _write_table(book.create_sheet(table.title), table, places)
    book.move_sheet(LISTS, offset=len(tables))
    mark = book.create_sheet(MARK)
    mark.sheet_state = "veryHidden"
    head = [FORMAT, str(round_id), str(institution_id), made_at.isoformat(), *(table.title for table in tables)]
    for number, text in enumerate(head, 1):
        _put(mark.cell(number, 1), text)
    for number, stamp in enumerate(stamps, 1):
        for column, text in enumerate((stamp.request, stamp.entry, stamp.digest), 2):
            _put(mark.cell(number, column), text)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _put(cell: Any, value: Any) -> None:
    """A value as what it is; a text never as a formula, also when somebody edits the cell later."""
    if isinstance(value, str):
        text = ILLEGAL_IN_XLSX.sub(" ", value)[:32_767]
        cell.value = text or None
        if text:
            cell.data_type = "s"
            cell.quotePrefix = is_formula_like(text)
    else:
        cell.value = value


def _write_instructions(sheet: Any, lines: list[str]) -> None:
    sheet.column_dimensions["A"].width = 100
    for number, line in enumerate(lines, 1):
        cell = sheet.cell(number, 1)
        _put(cell, line)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if number == 1:
            cell.font = Font(bold=True, size=14)
    sheet.protection.sheet = True


def _write_lists(sheet: Any, lists: dict[str, list[str]]) -> dict[str, str]:
    """Each list in a column of its own; returns where the cells of each are."""
    sheet.sheet_state = "veryHidden"
    places = {}
    for column, (name, values) in enumerate(lists.items(), 1):
        for number, text in enumerate(values, 1):
            _put(sheet.cell(number, column), text)
        letter = get_column_letter(column)
        places[name] = f"'{LISTS}'!${letter}$1:${letter}${max(len(values), 1)}"
    return places


def _write_table(sheet: Any, table: Table, places: dict[str, str]) -> None:
    sheet.row_dimensions[1].hidden = True
    rules: dict[tuple[str, int], DataValidation] = {}
    for number, column in enumerate(table.columns, 1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = column.width
        sheet.column_dimensions[letter].hidden = column.name == "key"
        _put(sheet.cell(1, number), column.name)
        head = sheet.cell(2, number)
        _put(head, column.label)
        head.font = Font(bold=True)
        head.alignment = Alignment(wrap_text=True, vertical="top")
        head.fill = OPEN if column.is_open else GIVEN
    for row, line in enumerate(table.lines, FIRST_ROW):
        for number, column in enumerate(table.columns, 1):
            cell = sheet.cell(row, number)
            _put(cell, line.key if column.name == "key" else line.cells.get(column.name))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            is_open = column.is_open and column.name in line.open
            cell.fill = OPEN if is_open else GIVEN
            if is_open:
                cell.protection = Protection(locked=False)
                if column.longest and not line.choices.get(column.name):
                    cell.number_format = "@" if column.longest > 20 else "General"
                _rule(rules, line.choices.get(column.name, column.choices), column.longest, places).add(cell.coordinate)
    for rule in rules.values():
        if rule.type:
            sheet.add_data_validation(rule)
    sheet.freeze_panes = sheet.cell(FIRST_ROW, 4)
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = sheet.protection.formatCells = False
    sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = "landscape", 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "2:2"


def _rule(
    rules: dict[tuple[str, int], DataValidation], choices: str, longest: int, places: dict[str, str]
) -> DataValidation:
    """The check that the spreadsheet program itself makes; one for all cells that share it."""
    if (choices, longest) not in rules:
        if choices:
            rule = DataValidation(type="list", formula1=places[choices], allow_blank=True)
            rule.error = gettext("Choose one of the list.")
        elif longest:
            rule = DataValidation(
                type="textLength", operator="lessThanOrEqual", formula1=str(longest), allow_blank=True
            )
            rule.error = gettext("At most %(count)d signs.") % {"count": longest}
        else:
            rule = DataValidation()
        rule.showErrorMessage = True
        rules[(choices, longest)] = rule
    return rules[(choices, longest)]


# Reading


@dataclass(frozen=True)
class Cell:
    """What came back in a cell: its text, or a number, and whether it is something that is never taken."""

    value: Any = None
    refused: str = ""
    is_percent: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.refused and (self.value is None or not str(self.value).strip())

    @property
    def text(self) -> str:
        value = self.value
        if value is None:
            return ""
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, datetime):
            return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat(" ")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, float):
            return f"{plain_number(value):f}"
        return str(value).replace("\r\n", "\n").replace("_x000D_", "")

    @property
    def number(self) -> Decimal | None:
        """The number of a cell that holds one; a percentage typed with its sign counts hundred times what is stored."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return None
        found = plain_number(self.value)
        return (found * 100).normalize() if self.is_percent else found


def plain_number(value: float) -> Decimal:
    """What a spreadsheet shows of a number: fifteen digits, without the dust of binary fractions."""
    try:
        return Decimal(f"{value:.15g}")
    except InvalidOperation:  # infinite or not a number
        return Decimal(0)


@dataclass
class Row:
    sheet: str
    number: int
    cells: dict[str, Cell]

    @property
    def key(self) -> str:
        return self.cells.get("key", Cell()).text.strip()


@dataclass
class Filled:
    """A workbook that came back: whose it is, its rows by table, and how the reports stood when it was made. `labels` are
    the headings of the columns as the workbook shows them."""

    round: str
    institution: str
    tables: list[list[Row]]
    labels: dict[str, str]
    stamps: dict[str, Stamp]


def read(data: bytes) -> Filled:
    """The rows of a filled workbook. Raises ValidationError, in a sentence, for what is no such workbook."""
    with opened(data) as book:
        return _filled(book)


def _filled(book: Any) -> Filled:
    other = ValidationError(
        gettext("This is not the workbook of a round. Download it from the page of the round and fill that one in.")
    )
    if MARK not in book.sheetnames:
        raise other
    sheet = book[MARK]
    sheet.reset_dimensions()
    head, stamps = [], {}
    for number, cells in enumerate(sheet.iter_rows(max_col=4, values_only=True), 1):
        if number > MAX_ROWS:
            raise other
        first, *stamp = ("" if value is None else str(value) for value in (*cells, None, None, None, None)[:4])
        if number <= 6:
            head.append(first)
        if stamp[0]:
            stamps[stamp[0]] = Stamp(*stamp)
    if len(head) < 6 or head[0] != FORMAT:
        raise other
    labels: dict[str, str] = {}
    tables = []
    for title in head[4:6]:
        if title not in book.sheetnames:
            raise ValidationError(gettext("The sheet “%(title)s” is missing.") % {"title": title[:60]})
        tables.append(list(_rows(book[title], title, labels)))
    return Filled(head[1], head[2], tables, labels, stamps)


def _rows(sheet: Any, title: str, labels: dict[str, str]) -> Iterator[Row]:
    sheet.reset_dimensions()
    names: list[str] = []
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), 1):
        if number > MAX_ROWS + FIRST_ROW:
            raise ValidationError(
                gettext("The sheet “%(title)s” has more than %(count)d rows.") % {"title": title, "count": MAX_ROWS}
            )
        if number == 1:
            names = [str(cell.value or "") for cell in cells]
            if "key" not in names:
                raise ValidationError(
                    gettext("The sheet “%(title)s” has lost its hidden first row; download the workbook anew.")
                    % {"title": title}
                )
        elif number == 2:
            labels |= {name: str(cell.value or name) for name, cell in zip(names, cells, strict=False) if name}
        else:
            row = Row(title, number, {name: _cell(cell) for name, cell in zip(names, cells, strict=False) if name})
            if any(not cell.is_empty for cell in row.cells.values()):
                yield row


def _cell(cell: Any) -> Cell:
    kind, value = cell.data_type, cell.value
    if kind == "f" or (value is not None and not isinstance(value, str | bool | int | float | date)):
        return Cell(str(value), gettext("A formula is not taken; write the text or the number itself."))
    if kind == "e":
        return Cell(str(value), gettext("The cell holds an error of the spreadsheet program."))
    return Cell(value, is_percent="%" in str(getattr(cell, "number_format", "") or ""))
