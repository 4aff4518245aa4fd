"""The five ways in which a day may be written in a file. The day stands before the month, always."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from django.utils.translation import gettext as _

EARLIEST = date(1980, 1, 1)
SERIAL_ZERO = date(1899, 12, 30)  # of spreadsheet programs, for days after February 1900
FIRST_SERIAL, LAST_SERIAL = 30_000, 60_000

ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.A)
LONG = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})\.?", re.A)
SHORT = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{2})\.?", re.A)
SERIAL = re.compile(r"\d{5}", re.A)


class NoDate(ValueError):
    """The text is no day; the message says in a sentence why."""


@lru_cache(maxsize=20_000)
def read_date(text: str) -> date:
    """`2026-03-05`, `05.03.2026`, `05/03/2026`, `5.3.26` (always 20YY) or `46086`, the number of the day in a spreadsheet.

    13 in the place of the month is an error, not a swap. Raises NoDate."""
    if match := ISO.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := LONG.fullmatch(text):
        return _day(int(match[4]), int(match[3]), int(match[1]))
    if match := SHORT.fullmatch(text):
        return _day(2000 + int(match[3]), int(match[2]), int(match[1]))
    if SERIAL.fullmatch(text):
        if FIRST_SERIAL <= int(text) <= LAST_SERIAL:
            return SERIAL_ZERO + timedelta(days=int(text))
        raise NoDate(_("This number is no day of a spreadsheet: those go from 30000 to 60000."))
    raise NoDate(
        _(
            "This is no date. Write 2026-03-05, 05.03.2026, 05/03/2026, 5.3.26 or the number of the day in a spreadsheet."
        )
    )


def _day(year: int, month: int, day: int) -> date:
    if not 1 <= month <= 12:
        raise NoDate(_("There is no such month. The day stands before the month; nothing is swapped."))
    try:
        found = date(year, month, day)
    except ValueError:
        raise NoDate(_("There is no such day in that month.")) from None
    if found < EARLIEST:
        raise NoDate(_("This day lies before 1980."))
    return found
