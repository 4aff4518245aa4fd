"""What of strategy can be found (onatc.search)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from onatc.search import Found, Kind, register, text_of_file
from strategy.models import Evidence, Indicator, Measure, MeasurePartner, Plan, ProgressEntry


def _texts(record: Any, field: str) -> dict[str, str]:
    return {column: getattr(record, f"{field}_{column}") for column in ("sq", "sr", "en")}


def _plan(one: Plan) -> Found:
    return Found(_texts(one, "title"), one.code, one.get_absolute_url(), ["all"])


def _near(measure: Measure) -> list[str]:
    """Who may come near a measure: the office, observers, the institutions that take part."""
    institutions = {measure.lead_id, *(partner.pk for partner in measure.partners.all())}
    return ["office", "observer", *(f"i{one.hex}" for one in institutions)]


def _measure(one: Measure) -> Found:
    title = {column: f"{one.code} {text}" if text else "" for column, text in _texts(one, "title").items()}
    around = [one.lead.short, *_texts(one.objective, "title").values()]
    around += [text for indicator in one.indicators.all() for text in _texts(indicator, "name").values()]
    return Found(title, " ".join(around), one.get_absolute_url(), _near(one))


def _entry(one: ProgressEntry) -> Found:
    asked = one.request
    title = {
        column: f"{asked.measure_code} {text}" if text else ""
        for column, text in _texts(asked.measure, "title").items()
    }
    translated = [
        part for other in one.translations.all() for part in (other.done, other.difficulties, other.next_steps)
    ]
    text = " ".join([asked.round.period.label, one.done, one.difficulties, one.next_steps, *translated])
    return Found(title, text, one.get_absolute_url(), [*_near(asked.measure), f"i{asked.institution_id.hex}"])


def _evidence(one: Evidence) -> Found:
    asked = one.entry.request
    near = [*_near(asked.measure), f"i{asked.institution_id.hex}"]
    return Found(
        {"sq": one.original_name}, f"{asked.measure_code} {text_of_file(one)}", one.entry.get_absolute_url(), near
    )


def register_own() -> None:
    register(Kind("plan", _("action plan"), Plan, _plan, Plan.objects.all))
    register(
        Kind(
            "measure", _("measure"), Measure, _measure,
            lambda: Measure.objects.select_related("lead", "objective").prefetch_related("partners", "indicators"),
            {MeasurePartner: "partnerships", Indicator: "indicators"},
        )
    )  # fmt: skip
    entries = ("request__measure", "request__round", "request__institution")
    register(
        Kind(
            "entry", _("progress entry"), ProgressEntry, _entry,
            lambda: ProgressEntry.objects.select_related(*entries).prefetch_related(
                "request__measure__partners", "translations"
            ),
        )
    )  # fmt: skip
    register(
        Kind(
            "evidence", _("evidence"), Evidence, _evidence,
            lambda: Evidence.objects.select_related("entry__request__measure").prefetch_related(
                "entry__request__measure__partners"
            ),
        )
    )  # fmt: skip
