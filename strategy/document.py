"""A version of a plan on paper: its pages as HTML, from data frozen when they were asked for.

`data` is plain JSON: the sheets of the version (`strategy.workbook`), the names of institutions and tags, the signals as of
a day. The same data gives the same bytes (`onatc.documents`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from onatc import documents
from onatc.dated_settings import logo_bytes
from onatc.periods import Period
from onatc.texts import DJANGO_CODES, HTML_CODES, Text, choose, column_of
from strategy.models import (
    Breakdown,
    BudgetSource,
    CountingRule,
    Frequency,
    Level,
    PlanKind,
    RiskKind,
    Signal,
    VersionState,
)
from strategy.workbook import DETAILS, LANGUAGES, cents

STYLES = (*documents.STYLES, "plan-document.css")


def fingerprint_of(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def pdf(data: dict[str, Any], language: str) -> tuple[bytes, int]:
    """The plan as PDF/UA in a language (a code of Django's or a column), and its number of pages."""
    fingerprint = fingerprint_of(data)
    made = html(data, language)
    with override(DJANGO_CODES[column_of(language)]):
        return documents.pdf(
            made,
            fingerprint=f"{fingerprint}:{language}",
            logo=logo_bytes(data["office"]["logo"]),
            styles=STYLES,
        )


def html(data: dict[str, Any], language: str) -> str:
    column = column_of(language)
    with override(DJANGO_CODES[column]):
        return render_to_string(
            "strategy/plan_document.html",
            {
                **_Pages(data, column).context(),
                "language": HTML_CODES[column],
                "fingerprint": fingerprint_of(data),
            },
        )


class _Pages:
    """What the pages show, in one language; `_text` marks what is not translated."""

    def __init__(self, data: dict[str, Any], column: str) -> None:
        self.data, self.column, self.sheets = data, column, data["sheets"]
        self.details: dict[str, dict[str, list[dict[str, str]]]] = {name: defaultdict(list) for name in DETAILS}
        for name in DETAILS:
            for row in self.sheets[name]:
                self.details[name][row["measure_code"]].append(row)

    def context(self) -> dict[str, Any]:
        data, plan, version = self.data, self.sheets["Plan"][0], self.data["version"]
        measures = {row["code"]: self._measure(row) for row in self.sheets["Measures"]}
        goals = [self._goal(row, measures) for row in self.sheets["Goals"]]
        sources = [one for one in BudgetSource if any(one in goal["sources"] for goal in goals)]
        office = data["office"]
        return {
            "office": {"name": choose(office["name"], self.column), "logo": bool(office["logo"])},
            "plan": {
                "title": self._text(plan, "title"),
                "strategy": self._text(plan, "strategy_title"),
                "kind": PlanKind(plan["kind"]).label,
                "starts_on": _day(plan["starts_on"]),
                "ends_on": _day(plan["ends_on"]),
                "owner": self._institution(plan["owner"]),
                "area": choose(data["area"], self.column) if data["area"] else "",
                "is_demonstration": data["is_demonstration"],
            },
            "version": version
            | {
                "adopted_on": _day(version["adopted_on"]),
                "adopted_by": choose(version["adopted_by"], self.column) if version["adopted_by"] else "",
                "state": VersionState(version["state"]).label,
            },
            "is_draft": version["state"] not in (VersionState.ADOPTED, VersionState.SUPERSEDED),
            "as_of": _day(data["as_of"]),
            "quarter": Period.parse(data["quarter"]).title,
            "goals": goals,
            "sources": [one.label for one in sources],
            "overview": [
                goal
                | {"amounts": [goal["sources"].get(one, 0) for one in sources], "total": sum(goal["sources"].values())}
                for goal in goals
            ],
            "totals": [sum(goal["sources"].get(one, 0) for goal in goals) for one in sources],
            "total": sum(sum(goal["sources"].values()) for goal in goals),
            "measure_count": len(measures),
            "signals": _counts(measures.values()),
        }

    def _goal(self, row: dict[str, str], measures: dict[str, dict[str, Any]]) -> dict[str, Any]:
        objectives = [
            {
                "code": one["code"],
                "title": self._text(one, "title"),
                "measures": [
                    measures[measure["code"]]
                    for measure in self.sheets["Measures"]
                    if (measure["goal_code"], measure["objective_code"]) == (row["code"], one["code"])
                ],
            }
            for one in self.sheets["Objectives"]
            if one["goal_code"] == row["code"]
        ]
        mine = [measure for one in objectives for measure in one["measures"]]
        sources: Counter[str] = Counter()
        for measure in mine:
            sources.update(measure["sources"])
        return {
            "code": row["code"],
            "title": self._text(row, "title"),
            "objectives": objectives,
            "count": len(mine),
            "sources": dict(sources),
            "signals": _counts(mine),
        }

    def _measure(self, row: dict[str, str]) -> dict[str, Any]:
        rows = {name: self.details[name][row["code"]] for name in DETAILS}
        signal = self.data["signals"].get(row["code"], "")
        sources: Counter[str] = Counter()
        for line in rows["Budget"]:
            sources[line["source"]] += cents(line["planned_eur"])
        return {
            "code": row["code"],
            "title": self._text(row, "title"),
            "description": self._text(row, "description"),
            "lead": self._institution(row["lead"]),
            "starts_on": _day(row["starts_on"]),
            "ends_on": _day(row["ends_on"]),
            "source": row["source"],
            "signal": signal,
            "signal_label": Signal(signal).label if signal else "",
            "partners": [
                {"name": self._institution(one["institution"]), "part": self._text(one, "part")}
                for one in rows["Partners"]
            ],
            "indicators": [
                self._indicator(one, [t for t in rows["Targets"] if t["indicator_number"] == one["number"]])
                for one in rows["Indicators"]
            ],
            "sources": dict(sources),
            "budget": [
                {
                    "year": one["year"],
                    "source": BudgetSource(one["source"]).label,
                    "note": ", ".join(filter(None, (one["reference"], str(self._institution(one["funder"]))))),
                    "cents": cents(one["planned_eur"]),
                }
                for one in rows["Budget"]
            ],
            "budget_cents": sum(sources.values()),
            "milestones": [
                {"due_on": _day(one["due_on"]), "title": self._text(one, "title")} for one in rows["Milestones"]
            ],
            "needs": [{"code": one["needs"], "note": one["note"]} for one in rows["Dependencies"]],
            "serves": [f"{one['plan_code']} {one['serves']}" for one in rows["Serves"]],
            "norms": [
                {"name": f"{one['act']}, {one['reference']}", "title": self._text(one, "title")}
                for one in rows["Norms"]
            ],
            "risks": [
                {
                    "kind": RiskKind(one["kind"]).label,
                    "level": Level(one["level"]).label,
                    "text": self._text(one, "text"),
                    "response": self._text(one, "response"),
                }
                for one in rows["Risks"]
            ],
            "tags": [choose(self.data["tags"][one["tag"]], self.column) for one in rows["Tags"]],
        }

    def _indicator(self, row: dict[str, str], targets: list[dict[str, str]]) -> dict[str, Any]:
        labels = dict(Breakdown.choices)
        return {
            "name": self._text(row, "name"),
            "definition": self._text(row, "definition"),
            "unit": row["unit"],
            "counting": CountingRule(row["counting"]).label,
            "baseline": Decimal(row["baseline"]) if row["baseline"] else None,
            "baseline_on": _day(row["baseline_on"]),
            "breakdown": ", ".join(
                str(labels.get(one, one.replace("_", " "))) for one in row["disaggregation"].split("; ") if one
            ),
            "reported_by": self._institution(row["reported_by"]),
            "frequency": Frequency(row["frequency"]).label,
            "lower": row["lower_is_better"] == "yes",
            "targets": [{"ends_on": _day(one["ends_on"]), "value": Decimal(one["value"])} for one in targets],
        }

    def _text(self, row: dict[str, str], base: str) -> Text:
        return choose({one: row[f"{base}_{one}"] for one in LANGUAGES}, self.column)

    def _institution(self, code: str) -> Text | str:
        return choose(self.data["institutions"][code], self.column) if code else ""


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _counts(measures: Iterable[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """How many measures have which signal; those without one (of a draft) are counted as such."""
    counts = Counter(measure["signal"] for measure in measures)
    found = [(str(one), str(one.label), counts[one]) for one in Signal if counts[one]]
    return found + ([("", _("without signal"), counts[""])] if counts[""] else [])
