"""What a workbook changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from onatc.texts import choose
from strategy.imports import Changes, FieldDifference
from strategy.workbook.sheets import DETAILS, SHEETS, Sheet, Sheets, by_measure, of_columns


def compare(old: Sheets, new: Sheets) -> Changes:
    """What `new` changes against `old`: measures by their key, what belongs to a measure by its own key or by what it is
    called, goals and objectives by code. Changed codes of goals show as one goal less and another more."""
    changes = Changes()
    before = {row["key"]: row for row in old.get("Measures", [])}
    old_details, new_details = by_measure(old), by_measure(new)
    kept = set()
    for row in new.get("Measures", []):
        earlier = before.get(row["key"]) if row["key"] else None
        if earlier is None:
            changes.new.append(row["code"])
            continue
        kept.add(row["key"])
        fields = _differing(SHEETS["Measures"], earlier, row)
        for name in DETAILS:
            fields += _detail_differences(
                SHEETS[name], old_details[name][earlier["code"]], new_details[name][row["code"]]
            )
        if fields:
            changes.changed[row["code"]] = fields
        else:
            changes.unchanged += 1
    changes.removed = [row["code"] for key, row in before.items() if key not in kept]
    for name in ("Goals", "Objectives"):
        for one in _detail_differences(SHEETS[name], old.get(name, []), new.get(name, [])):
            changes.structure.append(one)
    return changes


def _differing(sheet: Sheet, old: dict[str, str], new: dict[str, str], prefix: str = "") -> list[FieldDifference]:
    names = [one.name for one in sheet.columns if one.name not in ("key", "state", "measure_code")]
    return [
        FieldDifference(f"{prefix}{name}", old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def _detail_differences(sheet: Sheet, old: list[dict[str, str]], new: list[dict[str, str]]) -> list[FieldDifference]:
    if old == new:
        return []
    names = [one.name for one in sheet.columns if one.name not in ("key", "measure_code")]
    called = [name for name in sheet.identity if name != "measure_code"]

    def identity(row: dict[str, str]) -> tuple[str, ...]:
        if sheet.has_key and row["key"]:
            return (row["key"],)
        return tuple(row[name] for name in called or names)

    def said(row: dict[str, str]) -> str:
        return " · ".join(row[name] for name in names if row[name])

    left: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for row in old:
        left[identity(row)].append(row)
    found: list[FieldDifference] = []
    for row in new:
        same = left.get(identity(row))
        if not same:
            found.append(FieldDifference(sheet.name, "", said(row)))
            continue
        earlier = same.pop(0)
        label = " ".join(earlier[name] for name in called[:2] if earlier[name]) or earlier.get("due_on", "")
        found += _differing(sheet, earlier, row, f"{sheet.name} {label}: ".replace(" :", ":"))
    found += [FieldDifference(sheet.name, said(row), "") for rows in left.values() for row in rows]
    return found


def new_measures(content: Any, codes: Iterable[str]) -> list[dict[str, Any]]:
    """Of the kept content of an import, whatever its form, the rows of the measures with these codes, for its preview."""
    if isinstance(content, dict):
        numbers = content["rows"]
        rows: Any = (
            {
                "row": number,
                "code": row["code"],
                "title": choose(of_columns(row, "title")),
                **{name: row[name] for name in ("lead", "starts_on", "ends_on")},
            }
            for row, number in zip(content["sheets"]["Measures"], numbers, strict=True)
        )
    else:
        rows = (row | {"title": choose(row["title"])} for row in content)
    by_code = {row["code"]: row for row in rows}
    return [by_code[code] for code in codes]
