"""A report's pages as HTML, from its frozen data and texts alone; `onatc.documents` makes them a PDF.

The same data and texts give the same bytes: every date in the file is one of the data, the identifier is made from its
fingerprint. Nothing is fetched but our own fonts and stylesheets, from memory.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from monitoring.queries.dashboard import DARK, ORDER
from monitoring.report import cooperation
from onatc import charts
from onatc.dated_settings import DEFINITIONS
from onatc.periods import Period
from onatc.texts import DJANGO_CODES, HTML_CODES, Text, choose, column_of
from strategy.models import Finding, MeasureState, Signal
from strategy.signal import Limits, reason_text

LATE = (Signal.LATE, Signal.NO_NEWS)


def html(
    data: dict[str, Any],
    texts: dict[str, str],
    language: str,
    *,
    fingerprint: str,
    is_draft: bool,
    issue: int,
    on_screen: bool = False,
    trail: dict[str, Any] | None = None,
) -> str:
    """The whole document in a language (`sq`, `sr`, `en`); `texts` are the sections by name."""
    column = column_of(language)
    with override(DJANGO_CODES[column]):
        return render_to_string(
            "report/report.html",
            {
                **_context(data, column),
                "texts": texts,
                "language": HTML_CODES[column],
                "fingerprint": fingerprint,
                "is_draft": is_draft,
                "issue": issue,
                "on_screen": on_screen,
                "trail": trail,
            },
        )


def _context(data: dict[str, Any], column: str) -> dict[str, Any]:
    labels = {str(signal): str(signal.label) for signal in ORDER}
    goals = [_goal(goal, column, labels) for goal in data["goals"]]
    measures = [measure for goal in goals for measure in goal["measures"]]
    period = Period.parse(data["period"])
    # Reports frozen before the office could set its name carry the one that shipped.
    office = data.get("office") or {
        "name": DEFINITIONS["office_name"].default, "signatory": DEFINITIONS["signatory"].default, "logo": ""
    }  # fmt: skip
    return {
        "office": {
            "name": choose(office["name"], column),
            "signatory": choose(office["signatory"], column),
            "logo": bool(office["logo"]),
        },
        "period": period,
        "as_of": date.fromisoformat(data["as_of"]),
        "is_running": data["is_running"],
        "plan": data["plan"]
        | {
            "title": choose(data["plan"]["title"], column),
            "adopted_by": choose(data["plan"]["adopted_by"], column) if data["plan"]["adopted_by"] else "",
            "adopted_on": date.fromisoformat(data["plan"]["adopted_on"]) if data["plan"]["adopted_on"] else None,
        },
        "signals": [(signal, labels[signal], data["counts"][signal]) for signal in labels],
        "total": sum(data["counts"].values()),
        "goals": goals,
        "chart": _signals_chart(data, column, labels),
        "change_chart": _change_chart(data, labels),
        "late": [measure for measure in measures if measure["signal"] in LATE],
        "rounds": [
            one
            | {
                "title": Period.parse(one["period"]).title,
                "due_on": date.fromisoformat(one["due_on"]),
                "rows": [row | {"name": choose(row["name"], column)} for row in one["rows"]],
            }
            for one in data["rounds"]
        ],
        "asked": data["asked"],
        "received": data["received"],
        "nil": data["nil"],
        "accepted": data["accepted"],
        "limits": Limits(
            **data["rule"]
        ),  # of a report of before: the ones that were not settings yet are what they were
        "budget_cents": data["budget_cents"],
        "measure_count": len(measures),
        "cooperation": cooperation.shown(data.get("cooperation"), column),
    }


def _goal(goal: dict[str, Any], column: str, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "code": goal["code"],
        "title": choose(goal["title"], column),
        "counts": [
            (signal, label, goal["counts"][signal]) for signal, label in labels.items() if goal["counts"][signal]
        ],
        "measures": [_measure(measure, column, labels) for measure in goal["measures"]],
    }


def _measure(measure: dict[str, Any], column: str, labels: dict[str, str]) -> dict[str, Any]:
    entry = measure["entry"]
    return measure | {
        "title": choose(measure["title"], column),
        "lead": choose(measure["lead"], column),
        "ends_on": date.fromisoformat(measure["ends_on"]),
        "label": labels[measure["signal"]],
        "reason_text": reason_text(measure["reason"], measure["reason_values"]),
        "achieved_pct": None if measure["achieved_pct"] is None else Decimal(measure["achieved_pct"]),
        "indicators": [
            one
            | {
                "name": choose(one["name"], column),
                # Reports from before there were findings lack the last one.
                **{
                    key: None if one.get(key) is None else Decimal(one[key])
                    for key in ("baseline", "target", "value", "checked")
                },
            }
            for one in measure["indicators"]
        ],
        "entry": entry
        and {
            "period": Period.parse(entry["period"]).title,
            "id": entry["id"],
            "is_nil": entry["is_nil"],
            "finding": _label(Finding, entry.get("finding")),
            "said_state": _label(MeasureState, entry.get("measure_state")),
            "found_state": _label(MeasureState, entry.get("found_state")),
            "found": entry.get("found", ""),
            **{name: _said(entry, name, column) for name in ("done", "difficulties", "next_steps")},
        },
    }


def _label(choices: type[TextChoices], code: str | None) -> str:
    return str(choices(code).label) if code else ""


def _said(entry: dict[str, Any], name: str, column: str) -> Text:
    """The text in the report's language, else the original, marked with its language."""
    for candidate in (column, entry["language"]):
        if text := entry["texts"].get(candidate, {}).get(name):
            return Text(text, HTML_CODES[candidate], candidate != column)
    return Text("", HTML_CODES[column])


def _signals_chart(data: dict[str, Any], column: str, labels: dict[str, str]) -> charts.Chart:
    return charts.stacked_bars(
        _("Measures by goal and signal"),
        _("number of measures"),
        [f"{goal['code']} {choose(goal['title'], column)}" for goal in data["goals"]],
        [
            charts.Series(label, [goal["counts"][signal] for goal in data["goals"]], signal, Signal(signal) in DARK)
            for signal, label in labels.items()
            if any(goal["counts"][signal] for goal in data["goals"])
        ],
        head=_("goal"),
    )


def _change_chart(data: dict[str, Any], labels: dict[str, str]) -> charts.Chart | None:
    before, now = data["counts_before"], data["counts"]
    if before is None:
        return None
    return charts.stacked_bars(
        _("Measures by signal, compared with the quarter before"),
        _("number of measures"),
        [Period.parse(data["quarter_before"]).title, Period.parse(data["quarter"]).title],
        [
            charts.Series(label, [before[signal], now[signal]], signal, Signal(signal) in DARK)
            for signal, label in labels.items()
            if before[signal] or now[signal]
        ],
        head=_("period"),
    )
