"""The simple table of measures (`strategy.imports`) made of sheets, and sheets made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onatc.exports import is_formula_like
from strategy.imports import COLUMNS, OPTIONAL, counting_of
from strategy.models import BudgetSource, Frequency, MeasureState, ValueSource
from strategy.workbook.sheets import (
    DETAILS,
    LANGUAGES,
    SHEETS,
    YES_NO,
    Sheets,
    by_measure,
    cents,
    euro,
    in_columns,
    of_columns,
)


def sheets_of_table(rows: list[dict[str, Any]], base: Sheets | None) -> Sheets:
    """The rows of a simple table (`imports.MeasureRow`) as sheets. What such a table cannot say of a measure that is there
    already stays as it is: only what differs from the table's view of the base is taken over."""
    sheets: Sheets = {name: [] for name in SHEETS}
    before = base or {name: [] for name in SHEETS}
    old = {row["code"]: row for row in before["Measures"]}
    seen = table_rows(before)
    details = by_measure(before)
    goals: dict[str, dict[str, str]] = {}
    objectives: dict[tuple[str, str], dict[str, str]] = {}
    for place, row in enumerate(rows, 1):
        goal, objective = row["goal_code"], (row["goal_code"], row["objective_code"])
        goals.setdefault(goal, {"position": str(len(goals) + 1), "code": goal, **in_columns("title", row["goal"])})
        objectives.setdefault(
            objective,
            {
                "goal_code": goal,
                "position": str(len(objectives) + 1),
                "code": row["objective_code"],
                **in_columns("title", row["objective"]),
            },
        )
        earlier = old.get(row["code"])
        sheets["Measures"].append(
            {
                **_empty("Measures", **(earlier or {"state": MeasureState.PLANNED.value})),
                "goal_code": goal,
                "objective_code": row["objective_code"],
                "position": str(place),
                "code": row["code"],
                **in_columns("title", row["title"]),
                **{name: row[name] for name in ("lead", "starts_on", "ends_on", "source")},
            }
        )
        mine = {name: [dict(one) for one in details[name][row["code"]]] for name in DETAILS}
        _overlay(mine, row, earlier, seen.get(row["code"]))
        for name in DETAILS:
            sheets[name] += mine[name]
    codes = {row["code"] for row in sheets["Measures"]}
    sheets["Dependencies"] = [row for row in sheets["Dependencies"] if row["needs"] in codes]
    _keep_empty_branches(before, goals, objectives)
    sheets["Goals"], sheets["Objectives"] = list(goals.values()), list(objectives.values())
    sheets["Plan"] = before["Plan"]
    return sheets


def _empty(sheet: str, **values: str) -> dict[str, str]:
    return {column.name: values.get(column.name, "") for column in SHEETS[sheet].columns}


def _keep_empty_branches(
    before: Sheets, goals: dict[str, dict[str, str]], objectives: dict[tuple[str, str], dict[str, str]]
) -> None:
    """Goals and objectives without measures do not stand in a table, and are not taken away by one."""
    used = {(row["goal_code"], row["objective_code"]) for row in before["Measures"]}
    used_goals = {goal for goal, _objective in used} | {row["goal_code"] for row in before["Objectives"]}
    texts = {row["code"]: row for row in before["Goals"]}
    for row in before["Objectives"]:
        if (row["goal_code"], row["code"]) not in used:
            goals.setdefault(row["goal_code"], texts[row["goal_code"]] | {"position": str(len(goals) + 1)})
            objectives.setdefault((row["goal_code"], row["code"]), row | {"position": str(len(objectives) + 1)})
    for row in before["Goals"]:
        if row["code"] not in used_goals:
            goals.setdefault(row["code"], row | {"position": str(len(goals) + 1)})


def _overlay(mine: Sheets, row: dict[str, Any], earlier: dict[str, str] | None, seen: dict[str, Any] | None) -> None:
    """Take over from a row of a table what it says otherwise than the measure's own rows `mine`."""
    code = row["code"]
    if seen is None or sorted(seen["partners"]) != sorted(row["partners"]):
        parts = {one["institution"]: one for one in mine["Partners"]}
        mine["Partners"] = [
            _empty("Partners", **parts.get(one, {})) | {"measure_code": code, "position": str(n), "institution": one}
            for n, one in enumerate(row["partners"], 1)
        ]
    first = min(mine["Indicators"], key=lambda one: int(one["number"]), default=None)
    number = first["number"] if first else "1"
    targets = sorted(
        (one for one in mine["Targets"] if one["indicator_number"] == number), key=lambda one: one["ends_on"]
    )
    if earlier is not None and targets and (earlier["starts_on"], earlier["ends_on"]) == (
        targets[-1]["starts_on"], targets[-1]["ends_on"]
    ):  # fmt: skip
        # The target of the whole term moves with the term.
        targets[-1] |= {"starts_on": row["starts_on"], "ends_on": row["ends_on"]}
    if seen is None or seen["indicator"] != row["indicator"]:
        said = row["indicator"]
        if said is None:
            mine["Indicators"] = [one for one in mine["Indicators"] if one is not first]
            mine["Targets"] = [one for one in mine["Targets"] if one["indicator_number"] != number]
        else:
            if first is None:
                first = _empty("Indicators", value_source=ValueSource.TYPED.value, frequency=Frequency.QUARTER.value)
                mine["Indicators"].append(first)
            first |= {
                "measure_code": code,
                "number": number,
                **in_columns("name", said["name"]),
                "unit": said["unit"],
                "counting": said["counting"],
                "lower_is_better": YES_NO[said["lower_is_better"]],
                "baseline": said["baseline"] or "",
                "disaggregation": "; ".join(said["disaggregation"]),
            }
            if said["target"] is None:
                mine["Targets"] = [one for one in mine["Targets"] if not targets or one is not targets[-1]]
            elif targets:
                targets[-1]["value"] = said["target"]
            else:
                term = {"starts_on": row["starts_on"], "ends_on": row["ends_on"]}
                mine["Targets"].append(
                    {"measure_code": code, "indicator_number": number, **term, "value": said["target"]}
                )
    # A table knows the total alone: lines by year and source stay while they make it up, else one line takes their place.
    is_same = seen is not None and seen["budget_cents"] == row["budget_cents"]
    if not is_same or (len(mine["Budget"]) == 1 and mine["Budget"][0]["source"] != row["budget_source"]):
        line = mine["Budget"][0] if len(mine["Budget"]) == 1 else _empty("Budget", measure_code=code)
        mine["Budget"] = []
        if row["budget_source"] and row["budget_cents"] is not None:  # what is not known is no line, and not zero
            mine["Budget"] = [line | {"source": row["budget_source"], "planned_eur": euro(row["budget_cents"])}]


def table_rows(sheets: Sheets) -> dict[str, dict[str, Any]]:
    """What a simple table can say of each measure, in the form of `imports.MeasureRow`, by code: of several indicators
    the first, of several targets the last, of several budget lines their total."""
    goals = {row["code"]: row for row in sheets["Goals"]}
    objectives = {(row["goal_code"], row["code"]): row for row in sheets["Objectives"]}
    details = by_measure(sheets)
    found = {}
    for row in sorted(sheets["Measures"], key=lambda one: int(one["position"])):
        code = row["code"]
        indicator = min(details["Indicators"][code], key=lambda one: int(one["number"]), default=None)
        budget = details["Budget"][code]
        said = None
        if indicator is not None:
            targets = [one for one in details["Targets"][code] if one["indicator_number"] == indicator["number"]]
            last = max(targets, key=lambda one: one["ends_on"], default=None)
            said = {
                "name": of_columns(indicator, "name"),
                "unit": indicator["unit"],
                "counting": indicator["counting"],
                "lower_is_better": indicator["lower_is_better"] == "yes",
                "baseline": indicator["baseline"] or None,
                "target": last["value"] if last else None,
                "disaggregation": [one for one in indicator["disaggregation"].split("; ") if one],
            }
        found[code] = {
            "row": 0,
            "goal_code": row["goal_code"],
            "goal": of_columns(goals[row["goal_code"]], "title"),
            "objective_code": row["objective_code"],
            "objective": of_columns(objectives[row["goal_code"], row["objective_code"]], "title"),
            "code": code,
            "title": of_columns(row, "title"),
            "lead": row["lead"],
            "partners": [
                one["institution"] for one in sorted(details["Partners"][code], key=lambda one: int(one["position"]))
            ],
            "starts_on": row["starts_on"],
            "ends_on": row["ends_on"],
            "source": row["source"],
            "indicator": said,
            "budget_source": _source_of(budget),
            "budget_cents": sum(cents(line["planned_eur"]) for line in budget) if budget else None,
        }
    return found


def _source_of(lines: list[dict[str, str]]) -> str:
    """The source that a table names for several lines: their common one, else budget and donor together."""
    sources = {line["source"] for line in lines}
    return sources.pop() if len(sources) == 1 else BudgetSource.STATE_AND_DONOR.value if sources else ""


def as_table(sheets: Sheets) -> Iterator[list[Any]]:
    """The rows of the simple table, in the order of `COLUMNS` and `OPTIONAL`."""
    for row in table_rows(sheets).values():
        said = row["indicator"] or {"name": {}, "unit": "", "baseline": None, "target": None, "disaggregation": []}
        budget = row["budget_cents"]
        values = {
            "goal": row["goal"]["en"],
            "objective": row["objective"]["en"],
            "measure_code": row["code"],
            "lead_institution": row["lead"],
            "partner_institutions": ";".join(row["partners"]),
            "start": row["starts_on"],
            "end": row["ends_on"],
            "indicator": said["name"].get("en", ""),
            "unit": said["unit"],
            "baseline": said["baseline"] or "",
            "target": said["target"] or "",
            "disaggregation": ";".join(said["disaggregation"]),
            "budget_eur": "" if budget is None else euro(budget),
            **{name: row[name] for name in ("goal_code", "objective_code", "budget_source", "source")},
            **{f"measure_{language}": row["title"][language] for language in LANGUAGES},
            **{f"{part}_{one}": row[part][one] for part in ("goal", "objective") for one in ("sq", "sr")},
            **{f"indicator_{one}": said["name"].get(one, "") for one in ("sq", "sr")},
        }
        yield [values[name] for name in (*COLUMNS, *OPTIONAL)]


def _says_more(indicator: dict[str, str]) -> bool:
    """Whether a row of the sheet of indicators says what a table leaves out or works out by itself."""
    counting, lower = counting_of(indicator["unit"], indicator["name_en"])
    usual = {
        "counting": str(counting),
        "lower_is_better": YES_NO[lower],
        "value_source": ValueSource.TYPED.value,
        "frequency": Frequency.QUARTER.value,
    }
    told = ("baseline_on", "computed_by", "reported_by", *(f"{part}_{one}" for part in PARTS for one in LANGUAGES))
    return any(indicator[name] != value for name, value in usual.items()) or any(indicator[name] for name in told)


PARTS = ("definition", "numerator", "denominator")


def beyond_table(sheets: Sheets) -> list[tuple[str | Promise, int]]:
    """What of a version the simple table cannot hold, with how many there are."""
    details = by_measure(sheets)
    measures = sheets["Measures"]
    used = {(row["goal_code"], row["objective_code"]) for row in measures}
    several = defaultdict(set)
    for row in sheets["Objectives"]:
        several[row["code"]].add(row["goal_code"])
    texts = [
        row[name]
        for sheet in ("Goals", "Objectives", "Measures", "Indicators")
        for row in sheets[sheet]
        for name in row
        if name.startswith(("title_", "name_", "source"))
    ]
    first = {row["measure_code"] for row in sheets["Indicators"]}
    found: list[tuple[str | Promise, int]] = [
        (_("goals and objectives without measures"), sum((row["goal_code"], row["code"]) not in used for row in sheets["Objectives"])
            + len({row["code"] for row in sheets["Goals"]} - {row["goal_code"] for row in sheets["Objectives"]})),
        (_("objectives whose code stands under several goals"), sum(len(goals) > 1 for goals in several.values())),
        (_("measures without an Albanian title, goals or objectives without an English one"),
            sum(not row["title_sq"] for row in measures)
            + sum(not row["title_en"] for name in ("Goals", "Objectives") for row in sheets[name])
            + sum(not row["name_en"] for row in sheets["Indicators"])),
        (_("descriptions"), sum(any(row[f"description_{one}"] for one in LANGUAGES) for row in measures)),
        (_("parts of partners"), sum(any(row[f"part_{one}"] for one in LANGUAGES) for row in sheets["Partners"])),
        (_("further indicators"), len(sheets["Indicators"]) - len(first)),
        (_("further targets"), sum(max(0, len(rows) - 1) for rows in details["Targets"].values())),
        (_("further budget lines, years, references and donors"), sum(max(0, len(rows) - 1) for rows in details["Budget"].values())
            + sum(any(row[name] for name in ("year", "reference", "funder")) for row in sheets["Budget"])),
        (_("facts of indicators beyond unit, baseline and target"), sum(map(_says_more, sheets["Indicators"]))),
        (_("milestones"), len(sheets["Milestones"])),
        (_("dependencies"), len(sheets["Dependencies"])),
        (_("norms"), len(sheets["Norms"])),
        (_("risks and assumptions"), len(sheets["Risks"])),
        (_("tags"), len(sheets["Tags"])),
        (_("measures of other plans that are served"), len(sheets["Serves"])),
        (_("texts with line breaks, or that begin like a formula"), sum(text != " ".join(text.split()) or is_formula_like(text) for text in texts)),
    ]  # fmt: skip
    return [(what, count) for what, count in found if count]
