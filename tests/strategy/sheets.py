"""Plans as sheets (`strategy.workbook`) for tests: one with everything in it, and generated ones."""

from __future__ import annotations

import string
import uuid
from typing import Any

from hypothesis import strategies as st

from strategy.models import (
    BudgetSource,
    CountingRule,
    Frequency,
    Level,
    NormKind,
    RiskKind,
    Unit,
)
from strategy.workbook import DETAILS, LANGUAGES, SHEETS, Known, Sheets, settled

BODIES = ("ONATC", "MIA", "KP", "MOH", "IOM", "OSCE")
TAGS = ("children", "border")
KNOWN = Known(
    institutions={**dict.fromkeys(BODIES, None)},
    tags=dict.fromkeys(TAGS, True),
    norms=frozenset({("Law 04/L-218", "Art. 8")}),
    measures_of=lambda plan: frozenset({"N1", "N2"} if plan == "NAP" else ()),
)


def row(sheet: str, **values: Any) -> dict[str, str]:
    assert set(values) <= {one.name for one in SHEETS[sheet].columns}, values
    return {one.name: str(values.get(one.name, "")) for one in SHEETS[sheet].columns}


def key(number: int) -> str:
    return str(uuid.UUID(int=number, version=4))


def plan_row(**values: Any) -> dict[str, str]:
    return row(
        "Plan",
        **{
            "plan_code": "AP-T", "kind": "national", "title_sq": "Plani", "starts_on": "2024-01-01",
            "ends_on": "2027-12-31", "languages": "sq; sr-latn; en", "strategy_code": "NS-T",
            "strategy_kind": "national", "strategy_title_sq": "Strategjia", "strategy_starts_on": "2024-01-01",
            "strategy_ends_on": "2027-12-31",
        } | values,
    )  # fmt: skip


def full_plan() -> Sheets:
    """Two measures under one goal, a goal without objectives, and of all else what a simple table cannot hold."""
    indicator = {
        "unit": "number", "counting": "to_date", "lower_is_better": "no", "value_source": "typed", "frequency": "quarter",
    }  # fmt: skip
    return {
        "Plan": [plan_row()],
        "Goals": [
            row("Goals", position=1, code="G1", title_sq="Parandalimi", title_en="=Prevention"),
            row("Goals", position=5, code="G2", title_sq="Pa objektiva"),
        ],
        "Objectives": [row("Objectives", goal_code="G1", position=1, code="O1", title_sq="Ngritja e vetëdijes")],
        "Measures": [
            row("Measures", goal_code="G1", objective_code="O1", position=1, code="M1", title_sq="Fushata",
                title_sr="Kampanja čćšđž", title_en='+"quoted", -x', description_en="one\ntwo", lead="ONATC",
                starts_on="2024-02-29", ends_on="2026-12-31", state="planned", source="@source", key=key(1)),
            row("Measures", goal_code="G1", objective_code="O1", position=3, code="M2", title_en="Checks", lead="KP",
                starts_on="2025-01-01", ends_on="2025-12-31", state="planned", key=key(2)),
        ],
        "Partners": [
            row("Partners", measure_code="M1", position=1, institution="MIA", part_sq="Pjesa", part_en="Its part"),
            row("Partners", measure_code="M1", position=2, institution="IOM"),
        ],
        "Indicators": [
            row("Indicators", measure_code="M1", number=1, name_en="Events", baseline="0.00", key=key(11), **indicator),
            row("Indicators", measure_code="M1", number=2, name_en="Days", key=key(12), definition_en="From call to visit",
                baseline="30.50", baseline_on="2023-12-31", disaggregation="sex; age_group",
                reported_by="MIA", **indicator | {"unit": "days", "counting": "at_date", "lower_is_better": "yes"}),
        ],
        "Targets": [
            row("Targets", measure_code="M1", indicator_number=1, starts_on="2024-01-01", ends_on="2024-12-31", value="4.00"),
            row("Targets", measure_code="M1", indicator_number=1, starts_on="2025-01-01", ends_on="2025-12-31", value="8.00"),
            row("Targets", measure_code="M1", indicator_number=2, starts_on="2024-01-01", ends_on="2026-12-31", value="10.25"),
        ],
        "Budget": [
            row("Budget", measure_code="M1", year=2024, source="state", reference="13000/1", planned_eur="1234.56", key=key(21)),
            row("Budget", measure_code="M1", year=2024, source="donor", funder="IOM", planned_eur="0.00", key=key(22)),
            row("Budget", measure_code="M2", source="own", planned_eur="92233720368547.07", key=key(23)),
        ],
        "Milestones": [
            row("Milestones", measure_code="M1", due_on="2024-06-30", title_sq="Fillimi", key=key(31)),
            row("Milestones", measure_code="M1", due_on="2025-06-30", title_sr="Kraj", key=key(32)),
        ],
        "Dependencies": [row("Dependencies", measure_code="M1", needs="M2", note="first checks")],
        "Norms": [row("Norms", measure_code="M1", act="Law 04/L-218", reference="Art. 9", kind="law", title_sq="Neni 9")],
        "Risks": [
            row("Risks", measure_code="M1", kind="risk", level="high", text_sq="Rreziku", response_sq="Përgjigjja"),
            row("Risks", measure_code="M1", kind="assumption", level="low", text_en="Money comes"),
        ],
        "Tags": [row("Tags", measure_code="M1", tag="children")],
        "Serves": [row("Serves", measure_code="M2", plan_code="NAP", serves="N1")],
    }  # fmt: skip


# Generated plans

LETTERS = string.ascii_letters + string.digits + "ëËçÇčćšđžČĆŠĐŽ=+-@'\"’„“;,.:<>&%_ \n\t\u00a0\u200b–€😀"
text = st.text(LETTERS, min_size=1, max_size=60).map(settled).filter(bool)
long_text = st.builds(lambda one, times: settled((one + " ") * times)[:3000].strip(), text, st.integers(1, 60))
maybe = text | st.just("")
number = st.decimals(0, 99_999_999, places=2).map(lambda one: f"{one:.2f}")
money = st.integers(0, 10**17).map(lambda one: f"{one // 100}.{one % 100:02d}")
day = st.dates(min_value=__import__("datetime").date(2000, 1, 1), max_value=__import__("datetime").date(2040, 12, 31))


@st.composite
def texts(draw: Any, base: str, limit: int = 300, *, required: bool = True) -> dict[str, str]:
    found = {f"{base}_{one}": draw(maybe)[:limit].strip() for one in LANGUAGES}
    if required and not any(found.values()):
        found[f"{base}_sr"] = draw(text)
    return found


@st.composite
def term(draw: Any) -> dict[str, str]:
    first, last = sorted((draw(day), draw(day)))
    return {"starts_on": first.isoformat(), "ends_on": last.isoformat()}


@st.composite
def plans(draw: Any) -> Sheets:
    """Valid sheets of every kind, keys of all records included."""
    keys = iter(range(1, 10_000))
    sheets: Sheets = {name: [] for name in SHEETS}
    sheets["Plan"] = [
        plan_row(**{**draw(texts("title")), "title_sq": draw(text), "owner": draw(st.sampled_from(("", *BODIES)))})
    ]
    for g in range(draw(st.integers(1, 2))):
        goal = f"G{g}"
        sheets["Goals"].append(row("Goals", position=g * 2 + 1, code=goal, **draw(texts("title"))))
        for o in range(draw(st.integers(0, 2))):
            # The same code under two goals: it is the goal that tells them apart.
            sheets["Objectives"].append(
                row("Objectives", goal_code=goal, position=o + 1, code=f"O{o}", **draw(texts("title")))
            )
            for _m in range(draw(st.integers(0, 2))):
                code = f"M{len(sheets['Measures'])}"
                sheets["Measures"].append(
                    row("Measures", goal_code=goal, objective_code=f"O{o}", position=len(sheets["Measures"]) + 1,
                        code=code, lead="ONATC", state="planned", source=draw(maybe), key=key(next(keys)),
                        **draw(texts("title")), **draw(term()),
                        **{f"description_{one}": draw(long_text | st.just("")) for one in LANGUAGES})
                )  # fmt: skip
                draw(details(sheets, code, keys))
    codes = [one["code"] for one in sheets["Measures"]]
    if len(codes) > 1 and draw(st.booleans()):
        sheets["Dependencies"].append(row("Dependencies", measure_code=codes[0], needs=codes[1], note=draw(maybe)))
    return sheets


@st.composite
def details(draw: Any, sheets: Sheets, code: str, keys: Any) -> None:
    pick = lambda choices: draw(st.sampled_from(list(choices)))  # noqa: E731
    for place, body in enumerate(draw(st.lists(st.sampled_from(BODIES[1:]), unique=True, max_size=3)), 1):
        sheets["Partners"].append(
            row("Partners", measure_code=code, position=place, institution=body, **draw(texts("part", required=False)))
        )
    for n in range(1, draw(st.integers(0, 2)) + 1):
        lower, baseline = draw(st.booleans()), draw(st.just("") | number)
        sheets["Indicators"].append(
            row("Indicators", measure_code=code, number=n, unit=pick([Unit.NUMBER, Unit.DAYS]), counting=pick(CountingRule),
                lower_is_better="yes" if lower else "no", baseline=baseline, value_source=pick(["typed", "return"]),
                frequency=pick(Frequency), disaggregation=pick(["", "sex", "sex; age_group"]), key=key(next(keys)),
                baseline_on=pick(["", "2023-12-31"]), reported_by=pick(["", "MIA"]), **draw(texts("name")),
                **draw(texts("definition", required=False)), **draw(texts("numerator", required=False)))
        )  # fmt: skip
        for year in range(2024, 2024 + draw(st.integers(0, 2))):
            value = draw(number)
            if baseline and (float(value) > float(baseline)) == lower:
                value = baseline
            sheets["Targets"].append(
                row("Targets", measure_code=code, indicator_number=n, starts_on=f"{year}-01-01", ends_on=f"{year}-12-31", value=value)
            )  # fmt: skip
    for year, source in draw(
        st.lists(st.tuples(st.sampled_from(["", "2024", "2025"]), st.sampled_from(list(BudgetSource))), unique=True, max_size=3)
    ):  # fmt: skip
        sheets["Budget"].append(
            row("Budget", measure_code=code, year=year, source=source, reference=draw(maybe), funder=pick(["", "IOM"]),
                planned_eur=draw(money), key=key(next(keys)))
        )  # fmt: skip
    for _n in range(draw(st.integers(0, 2))):
        sheets["Milestones"].append(
            row("Milestones", measure_code=code, due_on=draw(day), key=key(next(keys)), **draw(texts("title")))
        )
        sheets["Risks"].append(
            row("Risks", measure_code=code, kind=pick(RiskKind), level=pick(Level), **draw(texts("text")),
                **draw(texts("response", required=False)))
        )  # fmt: skip
    if draw(st.booleans()):
        sheets["Norms"].append(
            row("Norms", measure_code=code, act="Act " + draw(text)[:40].strip(), reference="1", kind=pick(NormKind), title_sq="N")
        )  # fmt: skip
        sheets["Tags"].append(row("Tags", measure_code=code, tag=pick(TAGS)))


def in_order(sheets: Sheets) -> dict[str, list[tuple[tuple[str, str], ...]]]:
    """Sheets as they can be compared: rows in any order."""
    return {name: sorted(tuple(sorted(one.items())) for one in sheets[name]) for name in SHEETS}


__all__ = ["BODIES", "DETAILS", "KNOWN", "TAGS", "full_plan", "in_order", "key", "plan_row", "plans", "row"]
