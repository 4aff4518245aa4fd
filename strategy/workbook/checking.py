"""Whether the cells of a workbook make a whole version, and which: each problem with its sheet, row and column."""

from __future__ import annotations

import difflib
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from strategy.imports import CODE, Problem
from strategy.models import CountingRule, MeasureState, PlanKind, Unit, ValueSource
from strategy.workbook.cells import Raw, WorkbookReading, _Formula, amount
from strategy.workbook.sheets import (
    DETAILS,
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


class _Checker:
    """Checks the cells of each sheet, then what must agree between rows and sheets."""

    def __init__(self, reading: WorkbookReading, known: Known, base: Sheets | None, plan: str) -> None:
        self.reading, self.known, self.base, self.plan = reading, known, base, plan
        self.by_folded = {code.casefold(): code for code in known.institutions}
        self.bad: set[tuple[str, int]] = set()
        self.sheet = SHEETS["Plan"]
        self.number = 0
        # What the newest version holds already is not refused when it comes back as it is.
        self.held: dict[str, Counter[tuple[str, ...]]] = {
            name: Counter(_without_key(row) for row in rows) for name, rows in (base or {}).items() if name in SHEETS
        }

    def check(self, raw: Raw, facts: dict[str, Any]) -> None:
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
        if set(raw) != set(SHEETS) or any(len(raw[name][0]) < len(SHEETS[name].columns) for name in raw):
            return  # what hangs together cannot be judged where a part is missing
        self._positions(sheets)
        self._whose(sheets, facts)
        self._plan(sheets, facts)
        self._structure(sheets)
        self._measures(sheets)
        self._details(sheets)

    def _problem(self, column: str, reason: str) -> None:
        self.reading.problems.append(Problem(self.number, column, reason, self.sheet.name))
        self.bad.add((self.sheet.name, self.number))

    # One cell

    def _row(self, places: dict[str, int], cells: list[Any]) -> dict[str, str]:
        row = {}
        for column in self.sheet.columns:
            place = places.get(column.name)
            raw = cells[place] if place is not None and place < len(cells) else None
            row[column.name] = self._cell(column, raw)
        if not any(row.values()) and (self.sheet.name, self.number) not in self.bad:
            return row
        for column in self.sheet.columns:
            if column.required and not row[column.name] and not self._named(column.name):
                self._problem(column.name, gettext("The cell is empty."))
        base = NAMED.get(self.sheet.name)
        if base and not any(row[f"{base}_{language}"] for language in LANGUAGES) and not self._named(f"{base}_sq"):
            self._problem(f"{base}_sq", gettext("There is no text in any language."))
        if "ends_on" in row and row["starts_on"] and row["ends_on"] and row["ends_on"] < row["starts_on"]:
            self._problem("ends_on", gettext("The end lies before the start."))
        return row

    def _named(self, column: str) -> bool:
        return any(
            one.row == self.number and one.column == column and one.sheet == self.sheet.name
            for one in self.reading.problems[-40:]
        )

    def _cell(self, column: Column, raw: Any) -> str:
        if isinstance(raw, _Formula):
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

    # Rows that hang together

    def _rows(self, sheets: Sheets, name: str) -> Iterator[dict[str, str]]:
        self.sheet = SHEETS[name]
        for row, number in zip(sheets[name], self.reading.numbers[name], strict=True):
            self.number = number
            yield row

    def _is_held(self, row: dict[str, str]) -> bool:
        return self.sheet.name in self.held and self.held[self.sheet.name][_without_key(row)] > 0

    def _positions(self, sheets: Sheets) -> None:
        """An empty position stands last, in the order of the rows; partners are counted within their measure."""
        for name in ("Goals", "Objectives", "Measures", "Partners"):
            last: dict[str, int] = defaultdict(int)
            group = "measure_code" if name == "Partners" else ""
            for row in sheets[name]:
                last[row.get(group, "")] = max(last[row.get(group, "")], int(row["position"] or 0))
            for row in self._rows(sheets, name):
                if not row["position"]:
                    last[row.get(group, "")] += 1
                    row["position"] = str(last[row.get(group, "")])
                    if last[row.get(group, "")] > 32_767:
                        self._problem("position", gettext("The number is too large."))

    def _whose(self, sheets: Sheets, facts: dict[str, Any]) -> None:
        """Give each row the key of the record it is: its own, or by what it is called; a copied row is a new one."""
        base = self.base or {}
        keys = {row["key"]: row["code"] for row in base.get("Measures", [])}
        by_code = {code: key for key, code in keys.items()}
        exported: dict[str, str] = facts["measures"] | keys
        rows: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
        for row in self._rows(sheets, "Measures"):
            if row["key"]:
                rows[row["key"]].append((self.number, row))
        for key, same in rows.items():
            if len(same) > 1:
                own = [row for _number, row in same if row["code"] == exported.get(key)] or [same[0][1]]
                for _number, row in same:
                    if row is not own[0]:
                        row["key"] = ""
        taken = {row["key"] for row in sheets["Measures"] if row["key"]}
        for row in sheets["Measures"]:
            if not row["key"] and by_code.get(row["code"], "") not in taken | {""}:
                row["key"] = by_code[row["code"]]
                taken.add(row["key"])
        measures = {row["code"]: row["key"] for row in sheets["Measures"]}
        old_code = {row["code"]: row["key"] for row in base.get("Measures", [])}
        for name in ("Indicators", "Budget", "Milestones"):
            self._whose_detail(sheets, name, measures, base.get(name, []), old_code)

    def _whose_detail(
        self,
        sheets: Sheets,
        name: str,
        measures: dict[str, str],
        before: list[dict[str, str]],
        old_measures: dict[str, str],
    ) -> None:
        sheet = SHEETS[name]
        called = sheet.identity[1:] or tuple(one.name for one in sheet.columns[1:] if one.kind != "key")
        owner = {row["key"]: old_measures[row["measure_code"]] for row in before}
        by_name = {(old_measures[row["measure_code"]], *(row[one] for one in called)): row["key"] for row in before}
        taken: set[str] = set()
        for row in sheets[name]:
            measure = measures.get(row["measure_code"], "")
            if row["key"] and (row["key"] in taken or owner.get(row["key"], measure) != measure):
                row["key"] = ""
            taken.add(row["key"])
        for row in sheets[name]:
            wanted = by_name.get((measures.get(row["measure_code"], ""), *(row[one] for one in called)), "")
            if not row["key"] and wanted and wanted not in taken:
                row["key"] = wanted
                taken.add(wanted)

    def _plan(self, sheets: Sheets, facts: dict[str, Any]) -> None:
        self.sheet, self.number = SHEETS["Plan"], 1
        if len(sheets["Plan"]) != 1:
            self._problem("", gettext("The sheet holds one row: the plan."))
            return
        row = next(self._rows(sheets, "Plan"))
        if self.base is not None:
            codes = {code for code in (row["plan_code"], facts.get("plan")) if code}
            if codes - {self.plan}:
                self._problem(
                    "plan_code",
                    gettext("This workbook is of another plan: %(code)s.") % {"code": ", ".join(codes - {self.plan})},
                )
            mine = self.base["Plan"][0]
            different = [name for name in row if row[name] != mine[name]]
            if different and codes == {self.plan}:
                self.reading.notes.append(
                    gettext("What the sheet Plan says otherwise is not brought in: %(columns)s.")
                    % {"columns": ", ".join(different)}
                )
            return
        if not row["title_sq"] or not row["strategy_title_sq"]:
            self._problem("title_sq" if not row["title_sq"] else "strategy_title_sq", gettext("The cell is empty."))
        if row["strategy_ends_on"] < row["strategy_starts_on"]:
            self._problem("strategy_ends_on", gettext("The end lies before the start."))
        places = bool(row["district"]) + bool(row["municipality"])
        if places != (row["kind"] == PlanKind.LOCAL):
            self._problem(
                "district", gettext("A local plan is of one district or one municipality; other plans of none.")
            )
        if not row["languages"]:
            row["languages"] = "; ".join(code for code, _name in settings.LANGUAGES)

    def _structure(self, sheets: Sheets) -> None:
        goals = {row["code"] for row in sheets["Goals"]}
        objectives = {(row["goal_code"], row["code"]) for row in sheets["Objectives"]}
        for row in self._rows(sheets, "Objectives"):
            if row["goal_code"] and row["goal_code"] not in goals:
                self._problem("goal_code", self._not_there("Goals", row["goal_code"]))
        for row in self._rows(sheets, "Measures"):
            if row["goal_code"] and row["goal_code"] not in goals:
                self._problem("goal_code", self._not_there("Goals", row["goal_code"]))
            elif (
                row["objective_code"]
                and row["goal_code"]
                and (row["goal_code"], row["objective_code"]) not in objectives
            ):
                self._problem("objective_code", self._not_there("Objectives", row["objective_code"]))
        if not any((sheets["Goals"], sheets["Measures"])):
            self.sheet, self.number = SHEETS["Measures"], 1
            self._problem("", gettext("The file has a header but no measures."))

    def _not_there(self, sheet: str, code: str) -> str:
        return gettext("“%(code)s” does not stand in the sheet %(sheet)s.") % {"code": code, "sheet": sheet}

    def _measures(self, sheets: Sheets) -> None:
        states = {row["key"]: row["state"] for row in (self.base or {}).get("Measures", [])}
        for row in self._rows(sheets, "Measures"):
            self._exists("lead", row["lead"], row)
            if self.base is None:
                row["state"] = row["state"] or MeasureState.PLANNED
                continue
            state = states.get(row["key"], MeasureState.PLANNED.value)
            if row["state"] not in ("", state):
                self._problem("state", gettext("The state follows from reports; it is “%(state)s”.") % {"state": state})
            row["state"] = state

    def _exists(self, column: str, code: str, measure: dict[str, str]) -> None:
        """An institution takes part while it exists: to the last day of the measure that has come."""
        dissolved = self.known.institutions.get(code) if code else None
        if dissolved is None or not measure["ends_on"] or self._held_by(column, code, measure):
            return
        last = min(date.fromisoformat(measure["ends_on"]), date.today())
        if dissolved < max(last, date.fromisoformat(measure["starts_on"] or measure["ends_on"])):
            successor = self.known.successors.get(code)
            hint = gettext(" Its successor is %(name)s.") % {"name": successor} if successor else ""
            self._problem(
                column,
                gettext("%(code)s was dissolved on %(day)s.") % {"code": code, "day": dissolved.isoformat()} + hint,
            )

    def _held_by(self, column: str, code: str, measure: dict[str, str]) -> bool:
        """Whether the newest version names the institution in this very place already."""
        if self.base is None:
            return False
        old = next((row for row in self.base["Measures"] if row["key"] == measure["key"]), None)
        if old is None:
            return False
        rows = [old] if self.sheet.name == "Measures" else self.base[self.sheet.name]
        return any(row.get(column) == code and row.get("measure_code", old["code"]) == old["code"] for row in rows)

    def _details(self, sheets: Sheets) -> None:
        measures = {row["code"]: row for row in sheets["Measures"] if row["code"]}
        for name in DETAILS:
            for row in self._rows(sheets, name):
                if row["measure_code"] and row["measure_code"] not in measures:
                    self._problem("measure_code", self._not_there("Measures", row["measure_code"]))
        for row in self._rows(sheets, "Partners"):
            measure = measures.get(row["measure_code"])
            if measure and row["institution"]:
                if row["institution"] == measure["lead"]:
                    self._problem("institution", gettext("The lead institution cannot be its own partner."))
                self._exists("institution", row["institution"], measure)
        indicators = self._indicators(sheets, measures)
        self._targets(sheets, indicators)
        for row in self._rows(sheets, "Budget"):
            if row["year"] and not 1990 <= int(row["year"]) <= 2100:
                self._problem("year", gettext("“%(value)s” is not a year.") % {"value": row["year"]})
        for row in self._rows(sheets, "Dependencies"):
            if row["needs"] and row["needs"] not in measures:
                self._problem("needs", self._not_there("Measures", row["needs"]))
            elif row["needs"] and row["needs"] == row["measure_code"]:
                self._problem("needs", gettext("A measure cannot wait for itself."))
        self._no_circle(sheets)
        for row in self._rows(sheets, "Norms"):
            if (row["act"], row["reference"]) not in self.known.norms and not (row["kind"] and row["title_sq"]):
                self._problem(
                    "reference",
                    gettext(
                        "The register does not know this norm. Give its kind and its Albanian title, or correct it."
                    ),
                )
        for row in self._rows(sheets, "Tags"):
            if row["tag"] and not self.known.tags.get(row["tag"], False) and not self._is_held(row):
                self._problem("tag", gettext("“%(value)s” is not a tag in use.") % {"value": row["tag"][:40]})
        served: dict[str, frozenset[str]] = {}
        for row in self._rows(sheets, "Serves"):
            codes = served.setdefault(row["plan_code"], self.known.measures_of(row["plan_code"]))
            own = self.plan or (sheets["Plan"][0]["plan_code"] if sheets["Plan"] else "")
            if row["plan_code"] == own:
                self._problem("plan_code", gettext("A measure serves one of another plan."))
            elif row["serves"] and row["serves"] not in codes:
                self._problem(
                    "serves",
                    gettext("There is no measure %(code)s in the plan %(plan)s.")
                    % {"code": row["serves"], "plan": row["plan_code"]},
                )

    def _no_circle(self, sheets: Sheets) -> None:
        needs: dict[str, set[str]] = defaultdict(set)
        for row in sheets["Dependencies"]:
            needs[row["measure_code"]].add(row["needs"])
        done: set[str] = set()
        for row in self._rows(sheets, "Dependencies"):
            if row["measure_code"] in done or self._is_held(row):
                continue
            seen, ahead = set(), list(needs[row["measure_code"]])
            while ahead:
                one = ahead.pop()
                if one == row["measure_code"] != row["needs"]:
                    self._problem("needs", gettext("The measures wait for each other in a circle."))
                    done.add(row["measure_code"])
                    break
                if one not in seen:
                    seen.add(one)
                    ahead += needs.get(one, ())

    def _indicators(self, sheets: Sheets, measures: dict[str, dict[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
        found = {}
        for row in self._rows(sheets, "Indicators"):
            found[row["measure_code"], row["number"]] = row
            self._in_bounds(row["unit"], "baseline", row["baseline"])
            if (row["value_source"] == ValueSource.COMPUTED) != bool(row["computed_by"]) and row["value_source"]:
                self._problem(
                    "computed_by", gettext("The name of a query stands exactly where the source is “computed”.")
                )
            elif row["computed_by"] and self.known.queries is not None and row["computed_by"] not in self.known.queries:
                self._problem("computed_by", gettext("“%(value)s” is not known here.") % {"value": row["computed_by"]})
            if row["reported_by"] and row["measure_code"] in measures:
                self._exists("reported_by", row["reported_by"], measures[row["measure_code"]])
        return found

    def _in_bounds(self, unit: str, column: str, value: str) -> None:
        if value and unit == Unit.YES_NO and Decimal(value) not in (0, 1):
            self._problem(column, gettext("For yes or no write 1 or 0."))
        if value and unit == Unit.PERCENT and Decimal(value) > 100:
            self._problem(column, gettext("A percentage lies between 0 and 100."))

    def _targets(self, sheets: Sheets, indicators: dict[tuple[str, str], dict[str, str]]) -> None:
        """A target lies on the side of the baseline to which the indicator is meant to move; counts of single periods
        have no such side."""
        old = {(row["measure_code"], row["number"]): row for row in (self.base or {}).get("Indicators", [])}
        for row in self._rows(sheets, "Targets"):
            indicator = indicators.get((row["measure_code"], row["indicator_number"]))
            if indicator is None:
                if row["measure_code"] and row["indicator_number"]:
                    self._problem(
                        "indicator_number",
                        gettext("The measure %(code)s has no indicator %(number)s.")
                        % {"code": row["measure_code"], "number": row["indicator_number"]},
                    )
                continue
            self._in_bounds(indicator["unit"], "value", row["value"])
            before = old.get((row["measure_code"], row["indicator_number"]), {})
            same = ("baseline", "lower_is_better", "counting")
            if not row["value"] or not indicator["baseline"] or indicator["counting"] == CountingRule.IN_PERIOD:
                continue
            if self._is_held(row) and all(before.get(name) == indicator[name] for name in same):
                continue
            target, baseline = Decimal(row["value"]), Decimal(indicator["baseline"])
            if indicator["lower_is_better"] == "yes" and target > baseline:
                self._problem("value", gettext("The target lies above the baseline, but lower is better."))
            elif indicator["lower_is_better"] == "no" and target < baseline:
                self._problem("value", gettext("The target lies below the baseline, but higher is better."))


def _without_key(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(value for name, value in row.items() if name != "key")
