"""An Excel file read and checked."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from strategy.excel import PART, archive_of
from strategy.imports import Problem
from strategy.workbook.cells import WorkbookReading, raw_of
from strategy.workbook.checking import Checker
from strategy.workbook.sheets import KEY, SHEETS, Known, Sheets, fingerprint

MAX_PROBLEMS = 2_000


def is_workbook(data: bytes) -> bool:
    """Whether a file is a workbook of many sheets, and not the simple table of one; never raises."""
    try:
        with archive_of(data) as archive:
            if archive.getinfo(PART).file_size > 1024 * 1024:
                return False
            head = archive.read(PART)
    except Exception:  # what a damaged file raises is told by the reading
        return False
    names = set(re.findall(rb'name="([^"]+)"', head))
    return len(names & {name.encode() for name in (*SHEETS, KEY)}) >= 2


def read(data: bytes, known: Known, *, base: Sheets | None, plan: str = "", newest: str = "") -> WorkbookReading:
    """Read and check a workbook against what is known and against `base`, the newest version of the plan `plan`; never
    raises for anything that may stand in a file. `newest` is the key of that version."""
    reading = WorkbookReading()
    try:
        raw, facts, extra = raw_of(data, reading)
    except ValidationError as error:
        reading.problems = [Problem(None, "", " ".join(one.messages)) for one in error.error_list]
        return reading
    checker = Checker(reading, known, base, plan)
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
