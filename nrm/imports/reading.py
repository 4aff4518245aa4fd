"""A file of cases row by row: UTF-8, a header, commas. Every problem is named by row, column and reason, all at once."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from django.utils.translation import gettext as _

from nrm.imports.checking import problems_of, remarks_on
from nrm.imports.columns import (
    AGES,
    CODES,
    COLUMNS,
    DATES,
    LISTS,
    REQUIRED,
    SPELLS,
    TEXTS,
    WITH_REASON,
    is_identity,
)
from nrm.imports.dates import NoDate, read_date
from nrm.imports.row import Row, Spell, Stayed
from nrm.imports.words import Vocabulary, Words

MAX_ROWS = 200_000
MAX_CELL = 4_000
MAX_REF = 200
NOT_ASKED = "NA_NOTASKED"
SEVERAL, PART = ";", ":"


@dataclass(frozen=True)
class Problem:
    """`row` counts as a spreadsheet does, the header is row 1; it is None when the whole file is meant."""

    row: int | None
    column: str
    reason: str

    def __str__(self) -> str:
        where = []
        if self.row is not None:
            where.append(_("row %(row)d") % {"row": self.row})
        if self.column:
            where.append(_("column %(column)s") % {"column": self.column})
        return f"{', '.join(where)}: {self.reason}" if where else self.reason


@dataclass
class Reading:
    """The good rows, and all problems: with one of them nothing is written. What is only odd is a remark."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    count: int = 0


class Unfit(Exception):
    """The file cannot be read as a table of cases; the message says in a sentence why."""

    def __init__(self, reason: str, row: int | None = None, column: str = "") -> None:
        super().__init__(reason)
        self.problem = Problem(row, column, reason)


def read_cases(file: BinaryIO, vocabulary: Vocabulary, today: date) -> Reading:
    """Read and check a file; never raises for anything that may stand in it."""
    reading = Reading()
    try:
        table = _table(file)
        header = next(table, None)
        if header is None:
            raise Unfit(_("The file is empty."))
        names = _header(header[1], reading)
        if reading.problems:
            return reading
        for number, cells in table:
            if any(cell.strip() for cell in cells):
                reading.count += 1
                if reading.count > MAX_ROWS:
                    raise Unfit(_("The file has more than %(count)d rows. Divide it.") % {"count": MAX_ROWS})
                _row(number, names, cells, vocabulary, today, reading)
        if not reading.count:
            raise Unfit(_("The file has a header but no cases."))
        _across(reading)
    except Unfit as unfit:
        reading.problems.append(unfit.problem)
    reading.problems.sort(key=lambda one: (one.row or 0, COLUMNS.index(one.column) if one.column in COLUMNS else -1))
    return reading


def _table(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers, as they come: the file is never held whole."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    number = 1
    try:
        for number, cells in enumerate(csv.reader(text, strict=True), 1):
            if any("\0" in cell or len(cell) > MAX_CELL for cell in cells):
                raise Unfit(_("This row has a cell that is longer than any, or is damaged."), number)
            yield number, cells
    except UnicodeDecodeError:
        raise Unfit(
            _("The file is not in UTF-8. In the spreadsheet program choose “CSV UTF-8” when you save it.")
        ) from None
    except csv.Error:
        raise Unfit(_("After this row the file is no table any more: a quotation mark is missing or stands alone."), number) from None  # fmt: skip
    finally:
        text.detach()


def _header(cells: list[str], reading: Reading) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) <= 1 and any(sign in "".join(names) for sign in (";", "\t", "|")):
        raise Unfit(_("The columns of the file are not separated by commas. Save it as CSV with commas."), 1)
    if not any(name in COLUMNS or is_identity(name) or _near(name) for name in names):
        # Of a file without a header the first row is somebody's: it is not repeated, nor kept with the problems.
        raise Unfit(_("The first row is no header: it has none of the columns of a file of cases."), 1)
    for place, name in enumerate(names):
        if name in COLUMNS:
            if name in names[:place]:
                reading.problems.append(Problem(1, name, _("This column is there twice.")))
        elif is_identity(name):
            reading.problems.append(
                Problem(
                    1,
                    cells[place].strip()[:60],
                    _(
                        "This column would bring identities in. For privacy no name, birth date or document of a victim "
                        "is ever kept here: nothing of the file was kept. Take the column out and bring the file again."
                    ),
                )
            )
        else:
            reading.problems.append(Problem(1, cells[place].strip()[:60], _unknown_column(name)))
    for name in REQUIRED:
        if name not in names:
            reading.problems.append(Problem(1, name, _("This column is missing.")))
    return names


def _unknown_column(name: str) -> str:
    if near := _near(name):
        return _("There is no such column. Is %(near)s meant?") % {"near": near[0]}
    return _("There is no such column. Take it out: what has no column is not kept.")


def _near(name: str) -> list[str]:
    return difflib.get_close_matches(name, COLUMNS, 1, 0.75)


def _row(
    number: int, names: list[str], cells: list[str], vocabulary: Vocabulary, today: date, reading: Reading
) -> None:  # fmt: skip
    if any(cell.strip() for cell in cells[len(names) :]):
        reading.problems.append(
            Problem(
                number,
                "",
                _("This row has %(cells)d cells, the header has %(names)d.")
                % {"cells": len(cells), "names": len(names)},
            )
        )
        return
    # Spreadsheet programs leave commas away at the end of a row whose last cells are empty.
    cells += [""] * (len(names) - len(cells))
    reader = _Cells(number, {name: cell.strip() for name, cell in zip(names, cells, strict=False)}, vocabulary)
    row = reader.row()
    bad = {one.column for one in reader.problems}
    reader.problems += [
        Problem(number, column, reason)
        for column, reason, *others in problems_of(row, vocabulary, today)
        if not bad & {column, *others}
    ]
    reading.problems += reader.problems
    reading.remarks += [Problem(number, column, reason) for column, reason in remarks_on(row)]
    reading.rows.append(row)


class _Cells:
    """The cells of one row."""

    def __init__(self, number: int, cells: dict[str, str], vocabulary: Vocabulary) -> None:
        self.number, self.cells, self.vocabulary = number, cells, vocabulary
        self.problems: list[Problem] = []
        self.missing: dict[str, str] = {}

    def say(self, column: str, reason: str) -> None:
        self.problems.append(Problem(self.number, column, reason))

    def row(self) -> Row:
        row = Row(self.number)
        for name in TEXTS:
            setattr(row, name, self._text(name))
        for name in DATES:
            setattr(row, name, self._date(name))
        for name in AGES:
            setattr(row, name, self._age(name))
        for name, code_list in CODES.items():
            setattr(row, name, self._code(name, code_list))
        for name, code_list in LISTS.items():
            setattr(row, name, self._several(name, code_list))
        row.assistance = self._assistance()
        row.shelter = self._shelter()
        row.missing = {name: reason for name, reason in self.missing.items() if name in WITH_REASON}
        return row

    def _given(self, name: str) -> str:
        """The text of a cell; empty when it is absent, whose reason is then in `missing`."""
        text = self.cells.get(name)
        if text is None:
            return ""
        if not text:
            self.missing[name] = NOT_ASKED
            return ""
        reason = self._reason(name, text)
        if reason is None:
            return text
        self.missing[name] = reason
        return ""

    def _reason(self, name: str, text: str) -> str | None:
        """Why the value is absent, if the cell says so; a label of the column's own list is a value."""
        reasons = self.vocabulary["missing_reason"]
        if text[:3].upper() == "NA_":
            return reasons.read(text)
        own = CODES.get(name) or LISTS.get(name)
        return reasons.read(text) if own and text not in self.vocabulary[own] else None

    def _text(self, name: str) -> str:
        text = self._given(name)
        if not text and name in REQUIRED:
            self.say(name, _("This is required."))
        if len(text) > MAX_REF:
            self.say(name, _("This is longer than %(count)d signs.") % {"count": MAX_REF})
        return text

    def _date(self, name: str) -> date | None:
        text = self._given(name)
        if not text:
            if name in REQUIRED:
                self.say(name, _("This is required."))
            return None
        return self._day(name, text)

    def _day(self, name: str, text: str) -> date | None:
        try:
            return read_date(text)
        except NoDate as no_date:
            self.say(name, str(no_date))
            return None

    def _age(self, name: str) -> int | None:
        text = self._given(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 110):
            self.say(name, _("An age is a whole number of years from 0 to 110."))
            return None
        return int(text)

    def _code(self, name: str, code_list: str) -> str:
        text = self._given(name)
        return self._one(name, text, code_list) if text else ""

    def _one(self, name: str, text: str, code_list: str) -> str:
        words = self.vocabulary[code_list]
        code = words.read(text)
        if code is None:
            self.say(name, _not_understood(words, text))
        return code or ""

    def _several(self, name: str, code_list: str) -> tuple[str, ...]:
        text = self._given(name)
        parts = [part.strip() for part in text.split(SEVERAL)]
        return tuple(dict.fromkeys(code for part in parts if part and (code := self._one(name, part, code_list))))

    def _assistance(self) -> list[Spell]:
        """`code:response:start:end` joined with `;`; the end may be empty."""
        found = []
        for parts in self._spells("assistance", 4, _("Write kind:response:start:end, several with ; between them.")):
            kind = self._one("assistance", parts[0], "assistance")
            response = self._one("assistance", parts[1], "assistance_response")
            starts, ends = self._days("assistance", parts[2:])
            found.append(Spell(kind, response, starts, ends))
        return found

    def _shelter(self) -> list[Stayed]:
        """`type:in:out` joined with `;`; the day of leaving may be empty."""
        found = []
        for parts in self._spells("shelter", 3, _("Write kind:came:left, several with ; between them.")):
            kind = self._one("shelter", parts[0], "shelter_type")
            starts, ends = self._days("shelter", parts[1:])
            found.append(Stayed(kind, starts, ends))
        return found

    def _spells(self, name: str, places: int, form: str) -> Iterator[list[str]]:
        for text in self._given(name).split(SEVERAL):
            if text.strip():
                parts = [part.strip() for part in text.split(PART)]
                if len(parts) == places - 1:
                    parts.append("")
                if len(parts) != places:
                    self.say(name, form)
                else:
                    yield parts

    def _days(self, name: str, texts: list[str]) -> tuple[date | None, date | None]:
        first, last = (self._day(name, text) if text else None for text in texts)
        return first, last


def _not_understood(words: Words, text: str) -> str:
    if words.is_ambiguous(text):
        return _("This label stands for two codes of the list: write the code.")
    if len(words.known) <= 20:
        return _("This is no code or label of the list. Codes: %(codes)s.") % {"codes": ", ".join(words.known)}
    return _("This is no code or label of the list.")


def _across(reading: Reading) -> None:
    """What concerns several rows: the same reference twice, and merges."""
    first: dict[str, Row] = {}
    for row in reading.rows:
        if not row.case_ref:
            continue
        if row.case_ref in first:
            reading.problems.append(
                Problem(row.number, "case_ref", _("Row %(row)d has this reference already.") % {"row": first[row.case_ref].number})
            )  # fmt: skip
        else:
            first[row.case_ref] = row
    for row in reading.rows:
        if row.merge_into and row.merge_into not in first:
            reading.problems.append(Problem(row.number, "merge_into", _("No row of the file has this reference.")))
        elif row.merge_into and row.merge_into == row.case_ref:
            reading.problems.append(Problem(row.number, "merge_into", _("A case cannot be merged with itself.")))
    into = {ref: row.merge_into for ref, row in first.items() if row.merge_into in first and row.merge_into != ref}
    settled: set[str] = set()
    for start in into:
        path: dict[str, None] = {}
        here = start
        while here in into and here not in settled and here not in path:
            path[here] = None
            here = into[here]
        if here in path:
            way = list(path)
            for ref in way[way.index(here) :]:
                reading.problems.append(
                    Problem(first[ref].number, "merge_into", _("These merges go round in a circle."))
                )
        settled |= set(path)


assert set(COLUMNS) == {*TEXTS, *DATES, *AGES, *CODES, *LISTS, *SPELLS}
