"""The sheets of a version as an Excel file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from strategy.imports import MAX_ROWS
from strategy.workbook.sheets import ESCAPE, FORMAT, KEY, LISTS, SHEETS, Column, Known, Sheet, Sheets, fingerprint


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
