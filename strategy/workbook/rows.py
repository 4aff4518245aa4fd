"""The rows of a workbook's sheets as texts, each cell in its settled form."""

from __future__ import annotations

import difflib
import re
import uuid
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from strategy.imports import CODE, Problem
from strategy.workbook.cells import Formula, Raw, WorkbookReading, amount
from strategy.workbook.sheets import (
    ESCAPED,
    LANGUAGES,
    NAMED,
    SHEETS,
    UNSHOWABLE,
    YES_NO,
    Column,
    Known,
    Sheets,
)


class Place:
    """The row that is looked at; a problem is noted with it."""

    def __init__(self, reading: WorkbookReading, known: Known) -> None:
        self.reading, self.known = reading, known
        self.sheet = SHEETS["Plan"]
        self.number = 0

    def _problem(self, column: str, reason: str) -> None:
        self.reading.problems.append(Problem(self.number, column, reason, self.sheet.name))


class RowReader(Place):
    """Reads the rows one by one, and says of each cell what is wrong with it alone."""

    def __init__(self, reading: WorkbookReading, known: Known) -> None:
        super().__init__(reading, known)
        self.by_folded = {code.casefold(): code for code in known.institutions}

    def read(self, raw: Raw) -> None:
        """Fill the reading's sheets and the numbers of their rows; no two rows share what the sheet calls them by."""
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

    def _row(self, places: dict[str, int], cells: list[Any]) -> dict[str, str]:
        row, before = {}, len(self.reading.problems)
        for column in self.sheet.columns:
            place = places.get(column.name)
            raw = cells[place] if place is not None and place < len(cells) else None
            row[column.name] = self._cell(column, raw)
        named = {problem.column for problem in self.reading.problems[before:]}
        if not any(row.values()) and not named:
            return row
        for column in self.sheet.columns:
            if column.required and not row[column.name] and column.name not in named:
                self._problem(column.name, gettext("The cell is empty."))
        base = NAMED.get(self.sheet.name)
        if base and not any(row[f"{base}_{language}"] for language in LANGUAGES) and f"{base}_sq" not in named:
            self._problem(f"{base}_sq", gettext("There is no text in any language."))
        if "ends_on" in row and row["starts_on"] and row["ends_on"] and row["ends_on"] < row["starts_on"]:
            self._problem("ends_on", gettext("The end lies before the start."))
        return row

    def _cell(self, column: Column, raw: Any) -> str:
        if isinstance(raw, Formula):
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
