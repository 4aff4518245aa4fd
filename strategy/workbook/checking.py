"""Whether the rows of a workbook agree with each other, with the newest version and with what is known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from strategy.models import CountingRule, MeasureState, PlanKind, Unit, ValueSource
from strategy.workbook.cells import Raw, WorkbookReading
from strategy.workbook.rows import Place, RowReader
from strategy.workbook.sheets import DETAILS, SHEETS, Known, Sheets


class Checker(Place):
    """Checks a workbook against `base`, the newest version of the plan `plan`, where there is one."""

    def __init__(self, reading: WorkbookReading, known: Known, base: Sheets | None, plan: str) -> None:
        super().__init__(reading, known)
        self.base, self.plan = base, plan
        # What the newest version holds already is not refused when it comes back as it is.
        self.held: dict[str, Counter[tuple[str, ...]]] = {
            name: Counter(_without_key(row) for row in rows) for name, rows in (base or {}).items() if name in SHEETS
        }

    def check(self, raw: Raw, facts: dict[str, Any]) -> None:
        RowReader(self.reading, self.known).read(raw)
        if set(raw) != set(SHEETS) or any(len(raw[name][0]) < len(SHEETS[name].columns) for name in raw):
            return  # what hangs together cannot be judged where a part is missing
        sheets = self.reading.sheets
        self._positions(sheets)
        self._whose(sheets, facts)
        self._plan(sheets, facts)
        self._structure(sheets)
        self._measures(sheets)
        self._details(sheets)

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
