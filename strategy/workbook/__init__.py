"""A version of a plan as a workbook and back, without loss: what its sheets hold, how they are written, read and checked.

A version is carried as *sheets*: the name of a sheet → its rows, each the name of a column → a text in one settled form
(days in ISO, money and numbers with two decimals, yes or no, "" for nothing). The database is read into that form by
`strategy.queries.workbook` and written from it by `strategy.actions.content`; files, comparison and the simple table
(`strategy.imports`) know nothing else. The order of rows means nothing: where order matters there is a column for it.
Reads only.
"""

from strategy.workbook.cells import WorkbookReading, amount
from strategy.workbook.changes import compare, new_measures
from strategy.workbook.reading import is_workbook, read
from strategy.workbook.sheets import (
    DETAILS,
    LANGUAGES,
    SHEETS,
    YES_NO,
    Known,
    Sheets,
    cents,
    euro,
    fingerprint,
    settled,
)
from strategy.workbook.table import as_table, beyond_table, sheets_of_table, table_rows
from strategy.workbook.writing import write

__all__ = [
    "DETAILS",
    "LANGUAGES",
    "SHEETS",
    "YES_NO",
    "Known",
    "Sheets",
    "WorkbookReading",
    "amount",
    "as_table",
    "beyond_table",
    "cents",
    "compare",
    "euro",
    "fingerprint",
    "is_workbook",
    "new_measures",
    "read",
    "settled",
    "sheets_of_table",
    "table_rows",
    "write",
]
