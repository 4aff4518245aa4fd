"""A file of results of a training as rows, or all that is wrong with it. Reads only; nothing of it is kept when a row is bad.

Columns: `institution` (code), `number` (the running number that the institution gives the person), `function`, `sex`,
`municipality`, `pre`, `post`. The first four are needed. Values are codes or labels in any of the three languages, without
regard to case and diacritics. No column takes a name: one that would is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext

from onatc.search import fold

COLUMNS = ("institution", "number", "function", "sex", "municipality", "pre", "post")
NEEDED = COLUMNS[:4]
MAX_BYTES, MAX_ROWS, MOST_PROBLEMS = 4 * 1024 * 1024, 20_000, 200
PERSONAL = re.compile(r"^(name|surname|emri|mbiemri|ime|prezime|birth.*|document.*|e-?mail|phone|telefon.*)$")


@dataclass(frozen=True)
class Problem:
    """`row` as the spreadsheet counts them, the header is row 1; None when the whole file is meant."""

    row: int | None
    column: str
    reason: str

    def __str__(self) -> str:
        where = gettext("row %(row)d") % {"row": self.row} if self.row is not None else ""
        if self.column:
            where += (", " if where else "") + gettext("column %(column)s") % {"column": self.column}
        return f"{where}: {self.reason}" if where else self.reason


@dataclass(frozen=True)
class ResultRow:
    """One participant: codes as they are kept; None for a test that was not taken, "" for a municipality not given."""

    institution: str
    number: int
    function: str
    sex: str
    municipality: str = ""
    pre: int | None = None
    post: int | None = None


@dataclass
class Reading:
    """`numbers` are the rows of the file, as a spreadsheet counts them, from which `rows` come."""

    rows: list[ResultRow] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_results(data: bytes, known: Mapping[str, Mapping[str, str]]) -> Reading:
    """`known` gives for each of institution, function, sex and municipality what may be written (folded) and its code.

    Never raises for anything that may stand in a file; all problems at once, the first two hundred of them.
    """
    reading = Reading()
    if len(data) > MAX_BYTES:
        return Reading(problems=[Problem(None, "", gettext("The file is larger than 4 MB."))])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        return Reading(problems=[Problem(row, "", gettext("The file is not in UTF-8. Save it as “CSV UTF-8”."))])
    if "\x00" in text:
        return Reading(problems=[Problem(None, "", gettext("This is not a CSV file, whatever its name says."))])
    first = text.split("\n", 1)[0]
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True
    )
    places: dict[str, int] = {}
    seen: dict[tuple[str, int], int] = {}
    number = 0
    try:
        for number, cells in enumerate(lines, 1):
            if not places:
                places = _places(cells, reading.problems)
                if reading.problems:
                    return reading
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if number > MAX_ROWS + 1:
                reading.problems.append(
                    Problem(None, "", gettext("The file has more than %(count)d rows.") % {"count": MAX_ROWS})
                )
                break
            if len(cells) > len(places) and any(cell.strip() for cell in cells[len(places) :]):
                reading.problems.append(Problem(number, "", gettext("The row has more cells than the header.")))
                continue
            _read(
                number,
                {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()},
                known,
                seen,
                reading,
            )
            if len(reading.problems) >= MOST_PROBLEMS:
                break
    except csv.Error:
        reading.problems.append(Problem(number + 1, "", gettext("This row cannot be read: check its quotes.")))
    if not reading.rows and not reading.problems:
        reading.problems.append(Problem(None, "", gettext("The file has no participants.")))
    if reading.problems:
        reading.rows = []
    return reading


def _places(cells: list[str], problems: list[Problem]) -> dict[str, int]:
    names = [fold(cell.strip()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    for name in names:
        if PERSONAL.match(name):
            reason = gettext("The office keeps no names and no addresses of participants. Take this column out.")
            problems.append(Problem(1, name[:60], reason))
        elif name not in COLUMNS:
            problems.append(Problem(1, name[:60], gettext("The column is not known.")))
        elif names.count(name) > 1:
            problems.append(Problem(1, name, gettext("The column stands in the header twice.")))
    problems += [Problem(1, name, gettext("The column is missing.")) for name in NEEDED if name not in names]
    return {name: place for place, name in enumerate(names)}


def _read(
    row: int,
    cells: dict[str, str],
    known: Mapping[str, Mapping[str, str]],
    seen: dict[tuple[str, int], int],
    reading: Reading,
) -> None:
    before = len(reading.problems)

    def refuse(column: str, reason: str) -> None:
        reading.problems.append(Problem(row, column, reason))

    found: dict[str, str] = {}
    for column in ("institution", "function", "sex", "municipality"):
        typed = cells.get(column, "")
        if not typed:
            found[column] = ""
            if column in NEEDED:
                refuse(column, gettext("This cell is empty."))
        elif (code := known[column].get(fold(typed))) is None:
            refuse(column, gettext("“%(typed)s” is not known.") % {"typed": typed[:60]})
        else:
            found[column] = code
    number = _whole(cells.get("number", ""), 1, 999_999)
    if number is None:
        refuse("number", gettext("Write the person's number at the institution, from 1 to 999999."))
    points: dict[str, int | None] = {}
    for column in ("pre", "post"):
        typed = cells.get(column, "")
        points[column] = _whole(typed, 0, 100) if typed else None
        if typed and points[column] is None:
            refuse(column, gettext("“%(typed)s” is no number of points from 0 to 100.") % {"typed": typed[:60]})
    if len(reading.problems) > before or number is None:
        return
    key = (found["institution"], number)
    if key in seen:
        refuse("number", gettext("This person stands in row %(row)d already.") % {"row": seen[key]})
        return
    seen[key] = row
    reading.numbers.append(row)
    reading.rows.append(ResultRow(number=number, pre=points["pre"], post=points["post"], **found))


def _whole(typed: str, least: int, most: int) -> int | None:
    """A whole number within bounds; a spreadsheet may have written 80 as 80.0."""
    match = re.fullmatch(r"(\d{1,7})(?:[.,]0{1,6})?", typed, re.A)
    value = int(match[1]) if match else -1
    return value if least <= value <= most else None
