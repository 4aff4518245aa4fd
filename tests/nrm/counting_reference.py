"""Counting a second time, slowly and on other ways, to compare with: rows as in a file, plain loops, one cell at a time.

Nothing of `nrm.counting` is used but the rows (`facts_of`) that go into it. A row is a dictionary: `ref`, `person`,
`referred`, and whatever else it has.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any

from nrm.counting.facts import (
    CaseFact,
    DecisionFact,
    Facts,
    MergeFact,
    ReferralFact,
    ReflectionFact,
    ReturnFact,
    SpellFact,
)

TIME = date.max
STATUS = {
    "D1_POS": "PRESUMED", "D1_NEG": "NOT_VICTIM", "D2_POS": "IDENTIFIED", "D2_NEG": "NOT_VICTIM", "D_RECON_POS": "IDENTIFIED",
    "D_RECON_NEG": "NOT_VICTIM", "D_DECL": "DECLINED_ID", "D_DISC": "DISCONTINUED",
}  # fmt: skip
STEPS = ("preliminary", "formal", "review", "declined", "discontinued")


def decisions_of(row: dict[str, Any]) -> list[tuple[date, int, str]]:
    """Day, place in the procedure, outcome."""
    return [(row[step][1], STEPS.index(step), row[step][0]) for step in STEPS if row.get(step)]


def facts_of(rows: list[dict[str, Any]]) -> Facts:
    """What an import would record of the rows: each fact on its own day."""
    facts = Facts()
    whole = {row["ref"]: row for row in rows}
    for row in rows:
        on = row["referred"]
        facts.cases.append(
            CaseFact(
                row["ref"], row["person"], on, on, row.get("closed"), row.get("sex", "U"), row.get("age"),
                row.get("group", "AGE_U"), citizenship=row.get("citizenship", ()), forms=row.get("forms", ()),
                missing=row.get("missing", {}),
            )
        )  # fmt: skip
        facts.referrals.append(ReferralFact(row["ref"], on, on, row.get("entity", "E_U")))
        for day, order, outcome in decisions_of(row):
            facts.decisions.append(
                DecisionFact(row["ref"], day, day, outcome, 1 if order == 0 else 2, row.get("maker", ""), order=order)
            )
        for name, where in (("assistance", facts.assistance), ("stays", facts.stays)):
            for kind, first, last in row.get(name, ()):
                where.append(SpellFact(row["ref"], kind, first, last, first))
        if row.get("reflection"):
            facts.reflections.append(ReflectionFact(row["ref"], "RF_START", row["reflection"], 90, row["reflection"]))
        if row.get("returned"):
            facts.returns.append(ReturnFact(row["ref"], *row["returned"], row["returned"][1]))
        if row.get("merge"):
            into, kind = row["merge"]
            day = max(on, whole[into]["referred"])
            facts.merges.append(MergeFact(row["ref"], into, kind, day, row.get("undone")))
    return facts


def known(rows: list[dict[str, Any]], as_of: date | None) -> list[dict[str, Any]]:
    """The rows as they stood on a day, duplicates folded into their survivors, persons joined."""
    limit = as_of or TIME
    whole = {row["ref"]: row for row in rows}
    seen = []
    for row in rows:
        if row["referred"] > limit:
            continue
        now = {**row, "given": row["referred"]}
        for step in STEPS:
            if row.get(step) and row[step][1] > limit:
                now[step] = None
        for name in ("assistance", "stays"):
            now[name] = [
                (kind, first, last if last and last <= limit else None)
                for kind, first, last in row.get(name, ())
                if first <= limit
            ]
        if row.get("reflection") and row["reflection"] > limit:
            now["reflection"] = None
        if row.get("returned") and row["returned"][1] > limit:
            now["returned"] = None
        merge = row.get("merge")
        if merge:
            made = max(row["referred"], whole[merge[0]]["referred"])
            undone = row.get("undone")
            if made > limit or (undone and undone <= limit):
                now["merge"] = None
        seen.append(now)
    _join_persons(seen)
    return _fold_duplicates(seen)


def _join_persons(rows: list[dict[str, Any]]) -> None:
    by_ref = {row["ref"]: row for row in rows}
    changed = True
    while changed:
        changed = False
        for row in rows:
            if row.get("merge"):
                other = by_ref[row["merge"][0]]
                one, two = sorted((str(row["person"]), str(other["person"])))
                if one != two:
                    for any_row in rows:
                        if str(any_row["person"]) == two:
                            any_row["person"] = one
                    changed = True


def _fold_duplicates(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_ref = {row["ref"]: row for row in rows}
    group: dict[str, list[dict[str, Any]]] = {}
    stay = []
    for row in rows:
        end = row
        while end.get("merge") and end["merge"][1] == "duplicate_record":
            end = by_ref[end["merge"][0]]
        if end is row:
            stay.append(row)
        else:
            group.setdefault(end["ref"], []).append(row)
    for row in stay:
        given = {one["ref"]: one["given"] for one in rows}
        for other in sorted(group.get(row["ref"], ()), key=lambda one: (given[one["ref"]], one["ref"])):
            row["referred"] = min(row["referred"], other["referred"])
            for step in STEPS:
                if other.get(step):
                    own = row.get(step)
                    row[step] = (own[0], min(own[1], other[step][1])) if own else other[step]
            if other.get("reflection"):
                row["reflection"] = min(row.get("reflection") or TIME, other["reflection"])
            for name in ("assistance", "stays"):
                before = {kind for kind, _first, _last in row[name]}
                mine = {kind: first for kind, first, _last in sorted(row[name], key=lambda one: one[1], reverse=True)}
                for kind, first, last in sorted(other[name], key=lambda one: one[1]):
                    if kind not in before:
                        row[name] = [*row[name], (kind, first, last)]
                    elif first < mine[kind]:
                        position = min(
                            (place for place, one in enumerate(row[name]) if one[0] == kind),
                            key=lambda place: row[name][place][1],
                        )
                        row[name][position] = (kind, first, row[name][position][2])
                        mine[kind] = first
            if other.get("returned"):
                own = row.get("returned")
                row["returned"] = (own[0], min(own[1], other["returned"][1])) if own else other["returned"]
    return stay


def latest(rows: list[dict[str, Any]]) -> tuple[str, dict[str, Any] | None, date | None, str]:
    """Status, row, day and outcome of the latest decision over the rows of a person."""
    found = [
        (day, order, row["referred"], row["ref"], outcome, row)
        for row in rows
        for day, order, outcome in decisions_of(row)
        if outcome in STATUS
    ]
    if not found:
        return "POTENTIAL", None, None, ""
    day, _order, _referred, _ref, outcome, row = max(found, key=lambda one: (one[0], one[1], 1 if one[1] == 0 else 2, one[4], one[2]))  # fmt: skip
    return STATUS[outcome], row, day, outcome


def qualifying(row: dict[str, Any]) -> date | None:
    days = [
        row[step][1]
        for step, outcomes in (
            ("preliminary", ("D1_POS",)), ("formal", ("D2_POS",)), ("review", ("D_RECON_POS",)), ("declined", ("D_DECL",))
        )
        if row.get(step) and row[step][0] in outcomes
    ]  # fmt: skip
    return min(days) if days else None


def things(
    rows: list[dict[str, Any]], population: str, rule: str, today: date
) -> list[tuple[Any, date, date, Any, str]]:
    """Person, first day, last day, row, outcome."""
    persons: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        persons.setdefault(str(row["person"]), []).append(row)
    found: list[tuple[Any, date, date, Any, str]] = []

    def add(row: dict[str, Any], first: date | None, last: date | None = None, outcome: str = "") -> None:
        if first is not None:
            found.append((str(row["person"]), first, last or first, row, outcome))

    for mine in persons.values():
        status, at, day, outcome = latest(mine)
        for row in mine:
            preliminary = row.get("preliminary")
            d1 = preliminary[1] if preliminary and preliminary[0] == "D1_POS" else None
            declined = row["declined"][1] if row.get("declined") else None
            on = {"referral": row["referred"], "first_preliminary": d1, "first_qualifying": qualifying(row)}
            if population in ("referred", "potential"):
                add(row, row["referred"])
            elif population == "presumed" and d1:
                add(row, d1 if rule == "event" else on[rule], outcome="D1_POS")
            elif population == "declined_identification" and declined:
                add(row, declined if rule == "event" else on[rule], outcome="D_DECL")
            elif population == "registered_eu" and status != "NOT_VICTIM" and qualifying(row):
                add(row, row["referred"] if rule == "referral" else qualifying(row))
            elif population in ("identified", "not_victim") and row is at:
                if status == ("IDENTIFIED" if population == "identified" else "NOT_VICTIM"):
                    add(row, day if rule in ("event", "first_formal") else on[rule], outcome=outcome)
            elif population == "decisions":
                for when, _order, what in decisions_of(row):
                    if what not in ("D_DECL", "D_DISC", "D_SUSP"):
                        add(row, when if rule == "event" else row["referred"], outcome=what)
            elif population in ("assisted", "sheltered"):
                for _kind, first, last in row["assistance" if population == "assisted" else "stays"]:
                    if rule == "referral":
                        add(row, row["referred"])
                    else:
                        add(row, first, last or max(today, first))
            elif population == "reflection" and row.get("reflection"):
                add(row, row["reflection"] if rule == "event" else row["referred"])
            elif (
                population == "returned"
                and row.get("returned")
                and row["returned"][0] in ("RT_VOL", "RT_IN", "RT_FORCED")
            ):
                add(row, row["returned"][1] if rule == "event" else row["referred"])
    return found


def value_of(name: str, row: dict[str, Any], outcome: str) -> tuple[str, ...]:
    if name == "sex":
        return (row.get("sex") or "U",)
    if name == "age_group":
        age = row.get("age")
        return ((row.get("group") or "AGE_U") if age is None else "CHILD" if age < 18 else "ADULT",)
    if name == "form_main":
        return (row.get("forms") or ("EXP_U",))[:1]
    if name == "form_any":
        return tuple(sorted(set(row.get("forms") or ("EXP_U",))))
    if name == "referring_entity":
        return (row.get("entity") or "E_U",)
    assert name == "decision_outcome"
    return (outcome,)


def reference(
    rows: list[dict[str, Any]], population: str, by: tuple[str, ...], start: date, end: date, *,
    rule: str, unit: str, today: date, as_of: date | None = None,
) -> dict[tuple[str, ...], int]:  # fmt: skip
    """Every cell above 0 and the grand total, found by asking for each cell anew."""
    all_things = things(known(rows, as_of), population, rule, min(as_of or today, today))
    ranges = {"TOTAL": (start, end)}
    if "period" in by:
        day = start
        while day <= end:
            month = (day.month - 1) // 3 * 3 + 3
            last = (date(day.year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            whole = day.day == 1 and day.month == month - 2 and last <= end
            label = f"{day.year}Q{month // 3}" if whole else f"{day}..{min(last, end)}"
            ranges[label] = (day, min(last, end))
            day = last + timedelta(days=1)
    table: dict[tuple[str, ...], int] = {}
    for label, (first, last) in ranges.items():
        inside = [one for one in all_things if one[1] <= last and one[2] >= first]
        if unit in ("CU_PERSON", "CU_MENTION"):
            chosen = []
            for person in {one[0] for one in inside}:
                mine = [one for one in inside if one[0] == person]
                chosen.append(min(mine, key=lambda one: (one[1], one[3]["referred"], order_of(one[3]))))
            inside = chosen
        options: list[list[str]] = []
        for name in by:
            if name == "period":
                options.append([label])
            else:
                options.append(sorted({v for one in inside for v in value_of(name, one[3], one[4])} | {"TOTAL"}))
        for cell in product(*options):
            count = 0
            for one in inside:
                fits = 1
                for name, wanted in zip(by, cell, strict=True):
                    values = value_of(name, one[3], one[4]) if name != "period" else (label,)
                    if wanted == "TOTAL":
                        fits *= len(values) if unit == "CU_MENTION" else 1
                    elif wanted not in values:
                        fits = 0
                count += fits
            if count:
                table[cell] = count
    table.setdefault(("TOTAL",) * len(by), 0)
    return table


def order_of(row: dict[str, Any]) -> str:
    """Of two episodes that begin on one day; the tests give them the same profile or other days."""
    return str(row["ref"])
