"""Tables as CSV and XLSX that are safe to open in a spreadsheet program.

A text that such a program would run as a formula gets a quote in front where the format cannot say "this is text"
(CSV); numbers stay numbers, negative ones too.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import models
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from onatc import trail

# What may stand before a formula sign without hiding it from the spreadsheet program.
INVISIBLE = re.compile(r"^[\s\ufeff\u200b-\u200f\u2028-\u202e\u2060-\u2064\u00ad]+")
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
ILLEGAL_IN_XLSX = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet program might take the text for a formula, counting full-width signs and what is unseen."""
    if text.startswith(("\t", "\r", "\n")):
        return True
    visible = unicodedata.normalize("NFKC", INVISIBLE.sub("", text))
    return INVISIBLE.sub("", visible).startswith(FORMULA_SIGNS)


def safe_text(text: str) -> str:
    """The text as a CSV cell that is read as text; `safe_text(safe_text(x)) == safe_text(x)`."""
    return f"'{text}" if is_formula_like(text) else text


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    return safe_text(str(value))


class _Echo:
    def write(self, value: str) -> str:
        return value


def as_file(
    filename: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    form: str,
    to: Any,
    of: models.Model | None = None,
) -> HttpResponseBase:
    """The table as XLSX when `form` says so, else as CSV; in the trail before its first byte leaves.

    `of` is the record that the table is about. What it shows, the reader sees on pages too: it needs no purpose.
    """
    form = "xlsx" if form == "xlsx" else "csv"
    trail.record(trail.Act.EXPORTED, by=to, record=of, what=filename, format=form, plain=True)
    return as_xlsx(filename, head, rows) if form == "xlsx" else as_csv(filename, head, rows)


def as_workbook(
    filename: str, body: bytes, *, what: str, to: Any, of: models.Model, owner_id: Any = None
) -> HttpResponse:
    """A workbook that was made whole, as a download; in the trail like every table that leaves."""
    trail.record(trail.Act.EXPORTED, by=to, record=of, owner_id=owner_id, what=what, format="xlsx", plain=True)
    response = HttpResponse(body, content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def as_csv(filename: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark, by which spreadsheet programs know it; streamed, whatever the number of rows."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow([safe_text(str(cell)) for cell in head])
        for row in rows:
            yield writer.writerow([_csv_cell(cell) for cell in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}.csv"'
    return response


def as_xlsx(filename: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """One sheet with a heading that stays; texts are written as texts, so nothing in them can run."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_xlsx_cell(sheet, str(cell), bold=True) for cell in head])
    for row in rows:
        sheet.append([_xlsx_cell(sheet, cell) for cell in row])
    buffer = io.BytesIO()
    book.save(buffer)
    response = HttpResponse(buffer.getvalue(), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}.xlsx"'
    return response


def _xlsx_cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    if isinstance(value, datetime.datetime) and timezone.is_aware(value):
        value = timezone.make_naive(value)  # Excel knows no time zones: the office's clock
    if isinstance(value, str):
        value = ILLEGAL_IN_XLSX.sub(" ", value)[:32_767]
    elif not (value is None or isinstance(value, bool | int | float | Decimal | datetime.date | datetime.datetime)):
        value = ILLEGAL_IN_XLSX.sub(" ", str(value))[:32_767]
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"  # also for a text that begins with "="
    if bold:
        cell.font = Font(bold=True)
    return cell
