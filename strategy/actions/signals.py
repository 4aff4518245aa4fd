"""Writing the signals that `strategy.signal` computes, for measures and quarters; constant in queries."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.dated_settings import SettingName, setting, settings_between
from onatc.errors import Refused, require
from onatc.periods import Period
from stakeholders.models import User
from strategy import access
from strategy.indicators import counts_anew, standing
from strategy.models import (
    IndicatorTarget,
    Measure,
    MeasureSignal,
    MeasureState,
    Milestone,
    MilestoneReached,
    PlanVersion,
    ProgressEntry,
    Signal,
    SignalOverride,
    VersionState,
)
from strategy.queries.indicators import Values, values_by_indicator
from strategy.signal import Limits, MeasureFacts, Reading, compute


def refresh_version(version: PlanVersion, *, on: date | None = None) -> None:
    """Recompute every measure of a version for every quarter from the plan's start to today."""
    day = on or timezone.localdate()
    start, end = version.plan.starts_on, min(max(day, version.plan.starts_on), version.plan.ends_on)
    refresh(Measure.objects.filter(version=version), Period(start, end).quarters(), on=day)


def refresh_current(*, on: date | None = None) -> None:
    """The nightly run: the running quarter of every plan in force; time alone can change a signal."""
    day = on or timezone.localdate()
    measures = Measure.objects.filter(version__state__in=[VersionState.ADOPTED, VersionState.DRAFT])
    refresh(measures, [Period.quarter_of(day)], on=day)


def refresh_measure(measure: Measure, *, since: date) -> None:
    """The signals of one measure for all quarters that something of that day can have a part in."""
    plan, today = measure.version.plan, timezone.localdate()
    start = min(max(since, plan.starts_on), today)
    refresh([measure], Period(start, max(min(today, plan.ends_on), start)).quarters())


@transaction.atomic
def refresh(measures: Iterable[Measure], quarters: list[Period], *, on: date | None = None) -> None:
    """Compute and store the signals of `measures` for `quarters`.

    A quarter is judged on its last day, the running one today; only reports on periods that ended by then count.
    Reports on the same measure in other versions of the plan count too (`lineage`).
    """
    day = on or timezone.localdate()
    rows = list(measures)
    milestones = _milestones_by_measure([measure.pk for measure in rows])
    lineages = {measure.lineage for measure in rows}
    entries = _entries_by_lineage(lineages)
    values = values_by_indicator(lineages)
    measured = _measured([measure.pk for measure in rows])
    overrides = {
        (override.measure_id, override.starts_on, override.ends_on): override
        for override in SignalOverride.objects.filter(
            measure__in=[measure.pk for measure in rows], starts_on__in=[quarter.start for quarter in quarters]
        )
    }
    limits = _limits_of(quarters)
    signals = []
    for measure in rows:
        history = entries.get(measure.lineage, [])
        for quarter in quarters:
            judged_on = min(quarter.end, day)
            known = [found for found in history if found["ends_on"] <= quarter.end]
            latest = known[-1] if known else None
            facts = MeasureFacts(
                starts_on=measure.starts_on,
                ends_on=measure.ends_on,
                reported_state=latest["measure_state"] if latest else None,
                latest_period_end=latest["ends_on"] if latest else None,
                milestones=milestones.get(measure.pk, []),
                readings=[_reading(one, values, quarter.end) for one in measured.get(measure.pk, [])],
                is_dropped=measure.state == MeasureState.DROPPED and judged_on == day,
            )
            judgement = compute(facts, judged_on, limits=limits[quarter])
            override = overrides.get((measure.pk, quarter.start, quarter.end))
            signals.append(
                MeasureSignal(
                    measure=measure,
                    starts_on=quarter.start,
                    ends_on=quarter.end,
                    signal=override.signal if override else judgement.signal,
                    reason=judgement.reason,
                    reason_values=judgement.values | ({"computed": str(judgement.signal)} if override else {}),
                    achieved_pct=judgement.achieved_pct,
                    latest_entry_id=latest["pk"] if latest else None,
                    is_overridden=override is not None,
                    computed_at=timezone.now(),
                )
            )
    MeasureSignal.objects.bulk_create(
        signals,
        batch_size=2_000,
        update_conflicts=True,
        unique_fields=["measure", "starts_on", "ends_on"],
        update_fields=[
            "signal",
            "reason",
            "reason_values",
            "achieved_pct",
            "latest_entry",
            "is_overridden",
            "computed_at",
        ],
    )


def rule_limits(day: date) -> Limits:
    """The limits of the rule that hold on a day."""
    return Limits(
        tolerance=setting(SettingName.SIGNAL_TOLERANCE, day),
        news_days=setting(SettingName.SIGNAL_NEWS_DAYS, day),
        first_days=setting(SettingName.SIGNAL_FIRST_DAYS, day),
        start_share=setting(SettingName.SIGNAL_START_SHARE, day),
    )


def _limits_of(quarters: list[Period]) -> dict[Period, Limits]:
    """The same for the last day of each quarter, in four queries however many there are."""
    if not quarters:
        return {}
    span = min(one.end for one in quarters), max(one.end for one in quarters)
    tolerance, news_days, first_days, start_share = (
        settings_between(name, *span)
        for name in (
            SettingName.SIGNAL_TOLERANCE,
            SettingName.SIGNAL_NEWS_DAYS,
            SettingName.SIGNAL_FIRST_DAYS,
            SettingName.SIGNAL_START_SHARE,
        )
    )
    return {
        quarter: Limits(
            tolerance=tolerance(quarter.end),
            news_days=news_days(quarter.end),
            first_days=first_days(quarter.end),
            start_share=start_share(quarter.end),
        )
        for quarter in quarters
    }


def _entries_by_lineage(lineages: set[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """The lead's accepted entries of each measure, oldest period first, with the state that counts: the verified one if
    there is one. Only the lead's report sets the status; partners' reports are shown beside it."""
    grouped: dict[uuid.UUID, list[dict[str, Any]]] = defaultdict(list)
    for pk, lineage, ends_on, said, found in (
        ProgressEntry.objects.final()
        .filter(request__measure__lineage__in=lineages, request__institution=F("request__measure__lead"))
        .order_by("request__round__ends_on", "accepted_at")
        .values_list(
            "pk", "request__measure__lineage", "request__round__ends_on", "measure_state", "verified_measure_state"
        )
    ):
        grouped[lineage].append({"pk": pk, "measure_state": found or said, "ends_on": ends_on})
    return grouped


def _milestones_by_measure(measures: list[uuid.UUID]) -> dict[uuid.UUID, list[tuple[date, date | None]]]:
    """For each measure, when each of its milestones is due and when it was reached, whichever version said so."""
    found = list(Milestone.objects.filter(measure__in=measures).values_list("measure", "lineage", "due_on"))
    lineages = {lineage for _measure, lineage, _due in found}
    reached = dict(
        MilestoneReached.objects.filter(milestone__lineage__in=lineages)
        .order_by("-reached_on")
        .values_list("milestone__lineage", "reached_on")
    )
    grouped: dict[uuid.UUID, list[tuple[date, date | None]]] = defaultdict(list)
    for measure, lineage, due in found:
        grouped[measure].append((due, reached.get(lineage)))
    return grouped


@dataclass
class _Measured:
    """What of an indicator a reading needs."""

    lineage: uuid.UUID
    unit: str
    counting: str
    baseline: Decimal | None
    lower_is_better: bool
    has_two_numbers: bool
    targets: list[Decimal] = field(default_factory=list)


def _measured(measures: list[uuid.UUID]) -> dict[uuid.UUID, list[_Measured]]:
    """The indicators of each measure that have a target, with their targets, the earliest first."""
    grouped: dict[uuid.UUID, dict[uuid.UUID, _Measured]] = defaultdict(dict)
    for target in (
        IndicatorTarget.objects.filter(indicator__measure__in=measures)
        .select_related("indicator")
        .order_by("indicator__position", "ends_on")
    ):
        one = target.indicator
        known = grouped[one.measure_id].setdefault(
            one.lineage,
            _Measured(one.lineage, one.unit, one.counting, one.baseline, one.lower_is_better, one.has_two_numbers),
        )
        known.targets.append(target.value)
    return {measure: list(found.values()) for measure, found in grouped.items()}


def _reading(one: _Measured, values: dict[uuid.UUID, Values], day: date) -> Reading:
    """An indicator as of a day beside the last target; a sum beside the sum of its targets, from nought."""
    reported, asked = values[one.lineage].until(day) if one.lineage in values else ([], set())
    stands = standing(one.unit, one.counting, reported, asked=asked, has_two_numbers=one.has_two_numbers)
    if not counts_anew(one.unit, one.counting):
        return Reading(stands.value, one.baseline, one.targets[-1], stands.is_at_least)
    if one.lower_is_better:
        return Reading(None, one.baseline, one.targets[-1])
    return Reading(stands.value, Decimal(0), sum(one.targets, Decimal(0)), stands.is_at_least)


@transaction.atomic
def override_signal(measure: Measure, period: Period, *, by: User, signal: str, reason: str) -> None:
    """Set another signal for one period, with a reason that is shown beside it; an empty signal takes it back."""
    require(access.may_override_signal(by))
    Measure.objects.select_for_update(of=("self",)).get(pk=measure.pk)
    existing = SignalOverride.objects.filter(measure=measure, starts_on=period.start, ends_on=period.end).first()
    if not signal:
        if existing is None:
            raise Refused(_("There is no override to take back."))
        existing.delete()
    else:
        if signal not in Signal.values or not reason.strip():
            raise Refused(_("An override needs a signal and a reason."))
        SignalOverride.objects.update_or_create(
            measure=measure,
            starts_on=period.start,
            ends_on=period.end,
            defaults={"signal": signal, "reason": reason.strip(), "by": by, "at": timezone.now()},
        )
    refresh([measure], [period])
