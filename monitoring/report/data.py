"""Everything a report shows, collected once as plain JSON: the pages are made from this and the texts alone.

Names and titles are kept in their three languages. The data holds no moment of its own making: the same rows give the
same data, however often and wherever it is collected. `as_of` is the day on which signals are judged.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from monitoring.queries.dashboard import ORDER, reporting
from monitoring.report import cooperation
from onatc.dated_settings import SettingName, setting
from onatc.periods import Period
from onatc.texts import COLUMNS, column_of
from stakeholders.models import FormerName, Institution
from strategy.actions.signals import rule_limits
from strategy.models import (
    Goal,
    Indicator,
    Measure,
    MeasureSignal,
    Plan,
    PlanVersion,
    ProgressEntry,
    ProgressValue,
    Round,
    RoundState,
    Signal,
    SignalOverride,
    VersionState,
)


def collect(plan: Plan, period: Period, *, on: date | None = None) -> dict[str, Any]:
    """The data of a report on `period`; raises LookupError when no version of the plan was ever adopted."""
    today = on or timezone.localdate()
    as_of = min(period.end, today)
    quarter = Period.quarter_of(as_of)
    version = _version(plan, as_of)
    names = _Names(as_of)
    signals = {
        signal.measure_id: signal
        for signal in MeasureSignal.objects.filter(
            measure__version=version, starts_on=quarter.start, ends_on=quarter.end
        )
    }
    measures = _measures(version)
    entries = _entries(measures, as_of, quarter)
    overrides = {
        override.measure_id: override.reason
        for override in SignalOverride.objects.filter(measure__version=version, starts_on=quarter.start)
    }
    goals: list[dict[str, Any]] = []
    for goal in Goal.objects.filter(version=version).order_by("position"):
        rows = [
            _measure(measure, signals.get(measure.pk), entries, overrides, names, period)
            for measure in measures
            if measure.objective.goal_id == goal.pk
        ]
        goals.append({"code": goal.code, "title": _texts(goal, "title"), "measures": rows, "counts": _counts(rows)})
    every = [row for goal in goals for row in goal["measures"]]
    rounds = _rounds(plan, period, as_of, names)
    received = sum(row["on_time"] + row["later"] for one in rounds for row in one["rows"])
    asked = sum(row["asked"] for one in rounds for row in one["rows"])
    before = quarter.previous()
    return {
        "period": period.label,
        "quarter": quarter.label,
        "as_of": as_of.isoformat(),
        "is_running": period.end > as_of,
        "office": {
            "name": setting(SettingName.OFFICE_NAME, as_of),
            "signatory": setting(SettingName.SIGNATORY, as_of),
            "logo": setting(SettingName.LOGO, as_of),
        },
        "plan": {
            "id": str(plan.pk),
            "code": plan.code,
            "title": _texts(plan, "title"),
            "is_demonstration": plan.is_demonstration,
            "version": version.number,
            "version_id": str(version.pk),
            "adopted_on": version.adopted_on.isoformat() if version.adopted_on else None,
            "adopted_by": names.of(version.adopted_by) if version.adopted_by else None,
            "decision": version.decision_reference,
        },
        "counts": _counts(every),
        "counts_before": _counts_of(version, before),
        "quarter_before": before.label,
        "goals": goals,
        "rounds": rounds,
        "asked": asked,
        "received": received,
        "nil": sum(row["nil"] for one in rounds for row in one["rows"]),
        "accepted": len({row["entry"]["id"] for row in every if row["entry"] and row["entry"]["in_period"]}),
        "budget_cents": sum(row["budget_cents"] for row in every),
        "rule": asdict(rule_limits(quarter.end)),
        "cooperation": cooperation.collect(plan, version, period, as_of, names.of),
    }


def sha256_of(data: dict[str, Any]) -> str:
    """The fingerprint printed in the report: of the data in one canonical spelling."""
    spelled = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(spelled.encode()).hexdigest()


def _version(plan: Plan, as_of: date) -> PlanVersion:
    """The version in force on the day: the last one adopted by then, else the first ever adopted."""
    adopted = PlanVersion.objects.filter(
        plan=plan, state__in=[VersionState.ADOPTED, VersionState.SUPERSEDED]
    ).select_related("adopted_by")
    version = adopted.filter(adopted_on__lte=as_of).order_by("-adopted_on", "-number").first()
    version = version or adopted.order_by("adopted_on", "number").first()
    if version is None:
        raise LookupError(plan.code)
    return version


class _Names:
    """Names of institutions as they were on a day."""

    def __init__(self, day: date) -> None:
        self.former: dict[Any, FormerName] = {}
        for former in FormerName.objects.filter(valid_to__gte=day).order_by("-valid_to"):
            if former.valid_from is None or former.valid_from <= day:
                self.former[former.institution_id] = former

    def of(self, institution: Institution) -> dict[str, str]:
        return _texts(self.former.get(institution.pk, institution), "name")


def _texts(record: Any, name: str) -> dict[str, str]:
    return {column: getattr(record, f"{name}_{column}") for column in COLUMNS}


def _measures(version: PlanVersion) -> list[Measure]:
    return list(
        Measure.objects.filter(version=version)
        .select_related("objective", "lead")
        .prefetch_related("budget_lines", Prefetch("indicators", Indicator.objects.prefetch_related("targets")))
        .order_by("position")
    )


def _entries(measures: list[Measure], as_of: date, quarter: Period) -> dict[Any, list[ProgressEntry]]:
    """The lead's accepted entries by lineage, newest period first, of periods that ended by the end of the quarter."""
    leads = {measure.lineage: measure.lead_id for measure in measures}
    found: dict[Any, list[ProgressEntry]] = {}
    for entry in (
        ProgressEntry.objects.final()
        .filter(request__measure__lineage__in=leads, request__round__ends_on__lte=quarter.end)
        .select_related("request__round", "request__measure")
        .prefetch_related(
            "translations", Prefetch("values", ProgressValue.objects.select_related("requested__indicator"))
        )
        .order_by("-request__round__ends_on", "-accepted_at", "pk")
    ):
        lineage = entry.request.measure.lineage
        if entry.request.institution_id == leads[lineage]:
            found.setdefault(lineage, []).append(entry)
    return found


def _measure(
    measure: Measure,
    signal: MeasureSignal | None,
    entries: dict[Any, list[ProgressEntry]],
    overrides: dict[Any, str],
    names: _Names,
    period: Period,
) -> dict[str, Any]:
    history = entries.get(measure.lineage, [])
    latest = history[0] if history else None
    values = {key: value for key, value in (signal.reason_values if signal else {}).items() if key != "computed"}
    return {
        "id": str(measure.pk),
        "code": measure.code,
        "title": _texts(measure, "title"),
        "lead": names.of(measure.lead),
        "ends_on": measure.ends_on.isoformat(),
        "signal": signal.signal if signal else str(Signal.NO_NEWS),
        "reason": signal.reason if signal else "never_reported",
        "reason_values": values,
        "override": overrides.get(measure.pk, ""),
        "achieved_pct": str(signal.achieved_pct) if signal and signal.achieved_pct is not None else None,
        "budget_cents": sum(line.planned_cents for line in measure.budget_lines.all()),
        "indicators": [_indicator(indicator, history) for indicator in measure.indicators.all()],
        "entry": _entry(latest, period) if latest else None,
    }


def _indicator(indicator: Indicator, history: list[ProgressEntry]) -> dict[str, Any]:
    target = list(indicator.targets.all())
    value, period, checked = None, None, None
    for entry in history:
        for reported in entry.values.all():
            if reported.requested.indicator.lineage == indicator.lineage and reported.value is not None:
                value, period = str(reported.value), entry.request.round.period.label
                checked = None if reported.verified_value is None else str(reported.verified_value)
                break
        if value is not None:
            break
    return {
        "name": _texts(indicator, "name"),
        "unit": indicator.unit,
        "baseline": None if indicator.baseline is None else str(indicator.baseline),
        "target": str(target[-1].value) if target else None,
        "value": value,
        "checked": checked,
        "period": period,
    }


def _entry(entry: ProgressEntry, period: Period) -> dict[str, Any]:
    texts = {
        column_of(entry.language): {
            "done": entry.done,
            "difficulties": entry.difficulties,
            "next_steps": entry.next_steps,
        }
    }
    for translation in entry.translations.all():
        texts[column_of(translation.language)] = {
            "done": translation.done,
            "difficulties": translation.difficulties,
            "next_steps": translation.next_steps,
        }
    return {
        "id": str(entry.pk),
        "period": entry.request.round.period.label,
        "in_period": period.start <= entry.request.round.ends_on <= period.end,
        "is_nil": entry.is_nil,
        "state": entry.state,
        "measure_state": entry.measure_state,
        "finding": entry.finding,
        "found_state": entry.verified_measure_state,
        "found": entry.finding_text,
        "language": column_of(entry.language),
        "texts": texts,
    }


def _counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    counted = Counter(row["signal"] for row in rows)
    return {str(signal): counted.get(signal, 0) for signal in ORDER}


def _counts_of(version: PlanVersion, quarter: Period) -> dict[str, int] | None:
    """The counts at the end of an earlier quarter; None when there are none."""
    counted = Counter(
        MeasureSignal.objects.filter(
            measure__version=version, starts_on=quarter.start, ends_on=quarter.end
        ).values_list("signal", flat=True)
    )
    if not counted:
        return None
    return {str(signal): counted.get(signal, 0) for signal in ORDER}


def _rounds(plan: Plan, period: Period, as_of: date, names: _Names) -> list[dict[str, Any]]:
    """The rounds about the period, or, when it has none of its own yet, the newest before it."""
    opened = Round.objects.filter(plan=plan, state__in=[RoundState.OPEN, RoundState.CLOSED])
    rounds = list(opened.filter(starts_on__gte=period.start, ends_on__lte=period.end).order_by("ends_on"))
    if not rounds:
        rounds = list(opened.filter(ends_on__lte=as_of).order_by("-ends_on")[:1])
    institutions = {one.code: one for one in Institution.objects.all()}
    return [
        {
            "id": str(one.pk),
            "period": one.period.label,
            "due_on": one.due_on.isoformat(),
            "is_open": one.is_open,
            "rows": [
                {
                    "code": row.code,
                    "name": names.of(institutions[row.code]),
                    "asked": row.asked,
                    "on_time": row.on_time,
                    "later": row.later,
                    "missing": row.missing,
                    "nil": row.nil,
                }
                for row in reporting(one)
            ],
        }
        for one in rounds
    ]
