"""What the plan on paper is made from, frozen."""

from __future__ import annotations

from datetime import date
from typing import Any

from onatc.dated_settings import SettingName, setting
from onatc.models import Code
from onatc.periods import Period
from stakeholders.models import Institution
from strategy.models import MeasureSignal, PlanVersion
from strategy.queries.workbook import version_as_sheets
from strategy.workbook import LANGUAGES


def document_data(version: PlanVersion, as_of: date) -> dict[str, Any]:
    """All that `strategy.document` shows of a version, as JSON, with the signals of the quarter of `as_of`."""
    sheets = version_as_sheets(version)
    quarter = Period.quarter_of(as_of)
    plan = version.plan
    area = plan.municipality or plan.district
    signals = MeasureSignal.objects.filter(
        measure__version=version, starts_on=quarter.start, ends_on=quarter.end
    ).values_list("measure__code", "signal")
    tags = {row["tag"] for row in sheets["Tags"]}
    return {
        "sheets": sheets,
        "version": {
            "number": version.number,
            "state": version.state,
            "adopted_on": version.adopted_on.isoformat() if version.adopted_on else "",
            "adopted_by": _names(version.adopted_by, "name") if version.adopted_by else None,
            "decision": version.decision_reference,
        },
        "is_demonstration": plan.is_demonstration,
        "area": _names(area, "name") if area else None,
        "as_of": as_of.isoformat(),
        "quarter": quarter.label,
        "office": {"name": setting(SettingName.OFFICE_NAME, as_of), "logo": setting(SettingName.LOGO, as_of)},
        "signals": dict(signals),
        "institutions": {one.code: _names(one, "name") for one in Institution.objects.filter(code__in=_named(sheets))},
        "tags": {one.code: _names(one, "label") for one in Code.objects.filter(code_list="measure_tag", code__in=tags)},
    }


def _named(sheets: Any) -> set[str]:
    places = {
        "Plan": "owner",
        "Measures": "lead",
        "Partners": "institution",
        "Indicators": "reported_by",
        "Budget": "funder",
    }
    return {row[column] for sheet, column in places.items() for row in sheets[sheet]}


def _names(record: Any, base: str) -> dict[str, str]:
    return {one: getattr(record, f"{base}_{one}") for one in LANGUAGES}
