"""The cells of an Excel file, before anything is known of what they mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from strategy.excel import opened
from strategy.imports import MAX_ROWS, Problem, Reading
from strategy.workbook.sheets import DETAILS, FORMAT, KEY, LISTS, SHEETS, Sheet, Sheets

MAX_DETAILS = 60_000  # rows of a sheet whose rows belong to measures


@dataclass
class WorkbookReading(Reading):
    """`sheets` are whole when there are no problems; `notes` say what the reader should know before it is applied."""

    sheets: Sheets = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_content(self) -> Any:
        return {"format": FORMAT, "sheets": self.sheets, "rows": self.numbers.get("Measures", [])}


@dataclass(frozen=True)
class Formula:
    """A formula, or anything else that is no value: it is refused, not worked out."""

    text: str = ""


Raw = dict[str, tuple[dict[str, int], list[tuple[int, list[Any]]]]]


def raw_of(data: bytes, reading: WorkbookReading) -> tuple[Raw, dict[str, Any], set[str]]:
    """The cells of each known sheet below its header, by row number; the facts of the key sheet; the other sheets."""
    with opened(data) as book:
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
        return Formula(str(cell.value))
    if cell.data_type == "e":
        return Formula(str(cell.value))
    return cell.value


def _places(sheet: Sheet, header: list[Any], reading: WorkbookReading) -> dict[str, int]:
    names = [str(cell.text if isinstance(cell, Formula) else "" if cell is None else cell).strip() for cell in header]
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
