"""The published rule of the signal: where a measure stands on a day, and why. Plain functions, no database.

The rule, in the order in which it is asked:

1. *dropped* when a decision dropped the measure; *completed* when the lead institution reported it completed and the office
   accepted that.
2. *not yet due to start* before its start.
3. *late* when the deadline has passed.
4. *no news* when nothing was accepted within `first_days` of the start, or when the latest accepted report is about
   a period that ended more than `news_days` days ago.
5. *at risk* when a milestone whose date has passed is not reached, when the lead reported that the work has not started
   although `start_share` per cent of its time is gone, or when the share achieved is more than `tolerance` points behind
   the share of time gone; the reason is the first of these that holds.
6. *on time* otherwise.

A milestone is overdue from the day after its date until the day on which it was reached; that day itself it is reached.

Share achieved = (value - baseline) / (target - baseline) in per cent, from the latest accepted values; of values counted in
each period, their sum / the target (`strategy.indicators`); with several indicators, the mean over those that can be
computed. A baseline or target that is not known gives no share, never zero; a sum in which periods are missing is a lower
bound, and when that is behind, the share is not known.

Where a third person checked a report, the state and the values that the check found count in place of those reported; a value
that the check did not confirm does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

from strategy.indicators import share_of_way
from strategy.models.plan import MeasureState
from strategy.models.signals import Signal


@dataclass(frozen=True)
class Limits:
    """The numbers of the rule; each is a dated setting, and these are the ones that ship."""

    tolerance: int = 20
    news_days: int = 200  # two quarters and the fifteen days in which a report is due
    first_days: int = 120  # one quarter and its fifteen days, and two weeks for the review
    start_share: int = 25


SHIPPED = Limits()


@dataclass(frozen=True)
class Reading:
    """The standing of an indicator by its accepted values; any of the three may be unknown, and the value of a sum be only
    the least that it can be."""

    value: Decimal | None
    baseline: Decimal | None
    target: Decimal | None
    is_at_least: bool = False


@dataclass(frozen=True)
class MeasureFacts:
    """What is known of a measure on a day. `reported_state` and `latest_period_end` come from the lead's latest accepted
    report, the state from its check where there was one; both are None when there is none. `milestones` are pairs: due on,
    reached on (None: not reached)."""

    starts_on: date
    ends_on: date
    reported_state: str | None = None
    latest_period_end: date | None = None
    readings: Sequence[Reading] = ()
    milestones: Sequence[tuple[date, date | None]] = ()
    is_dropped: bool = False


@dataclass(frozen=True)
class Judgement:
    signal: Signal
    reason: str
    values: dict[str, Any] = field(default_factory=dict)
    achieved_pct: Decimal | None = None


def achieved_pct(reading: Reading) -> Decimal | None:
    """Share of the way from baseline to target, 0.0–100.0; None when it cannot be known (`indicators.share_of_way`)."""
    return share_of_way(reading.value, reading.baseline, reading.target)


def mean_achieved_pct(readings: Sequence[Reading]) -> Decimal | None:
    shares = [share for reading in readings if (share := achieved_pct(reading)) is not None]
    if not shares:
        return None
    return (sum(shares, Decimal(0)) / len(shares)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def elapsed_pct(starts_on: date, ends_on: date, on: date) -> Decimal:
    """Share of the time gone, both days included: the first day counts, the last day is 100."""
    days = (ends_on - starts_on).days + 1
    gone = min(max((on - starts_on).days + 1, 0), days)
    return (Decimal(gone) / days * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)


def overdue_milestone(milestones: Sequence[tuple[date, date | None]], on: date) -> date | None:
    """The date of the oldest milestone that lies behind `on` and was not reached by then."""
    return min((due for due, reached in milestones if due < on and (reached is None or reached > on)), default=None)


def compute(facts: MeasureFacts, on: date, *, limits: Limits = SHIPPED) -> Judgement:
    """The signal of a measure on a day, by the rule of this module and the limits in force."""
    share = mean_achieved_pct(facts.readings)
    if facts.is_dropped or facts.reported_state == MeasureState.DROPPED:
        return Judgement(Signal.DROPPED, "dropped", {}, share)
    if facts.reported_state == MeasureState.COMPLETED:
        return Judgement(Signal.COMPLETED, "reported_completed", {}, share)
    if on < facts.starts_on:
        return Judgement(Signal.NOT_STARTED, "starts_later", {"date": facts.starts_on.isoformat()}, share)
    if on > facts.ends_on:
        days = (on - facts.ends_on).days
        return Judgement(Signal.LATE, "deadline_passed", {"date": facts.ends_on.isoformat(), "days": days}, share)
    gone = elapsed_pct(facts.starts_on, facts.ends_on, on)
    behind = None
    if (due := overdue_milestone(facts.milestones, on)) is not None:
        values = {"date": due.isoformat(), "days": (on - due).days}
        behind = Judgement(Signal.AT_RISK, "milestone_overdue", values, share)
    if facts.latest_period_end is None:
        if (on - facts.starts_on).days > limits.first_days:
            return Judgement(Signal.NO_NEWS, "never_reported", {}, share)
        if behind is not None:
            return behind
        return Judgement(Signal.ON_TIME, "first_report_not_due", {}, share)
    if (on - facts.latest_period_end).days > limits.news_days:
        return Judgement(Signal.NO_NEWS, "report_is_old", {"date": facts.latest_period_end.isoformat()}, share)
    if behind is not None:
        return behind
    if facts.reported_state == MeasureState.PLANNED and gone > limits.start_share:
        return Judgement(Signal.AT_RISK, "not_started", {"elapsed": str(gone)}, share)
    if share is None:
        return Judgement(Signal.ON_TIME, "no_share", {}, None)
    if share < gone - limits.tolerance:
        if any(reading.is_at_least and achieved_pct(reading) is not None for reading in facts.readings):
            return Judgement(Signal.ON_TIME, "incomplete", {"achieved": str(share), "elapsed": str(gone)}, share)
        return Judgement(Signal.AT_RISK, "behind", {"achieved": str(share), "elapsed": str(gone)}, share)
    return Judgement(Signal.ON_TIME, "in_step", {"achieved": str(share), "elapsed": str(gone)}, share)


def reason_text(reason: str, values: dict[str, Any]) -> str:
    """The reason of a judgement as a sentence in the active language."""
    shown = {key: _shown(key, value) for key, value in values.items()}
    sentence = {
        "dropped": gettext("The measure was dropped by a decision."),
        "reported_completed": gettext("The lead institution reported it completed, and the office accepted that."),
        "starts_later": gettext("It starts on %(date)s."),
        "deadline_passed": gettext("The deadline of %(date)s has passed, %(days)s days ago."),
        "never_reported": gettext("No report on it was ever accepted."),
        "first_report_not_due": gettext("It has begun; its first report is not due yet."),
        "report_is_old": gettext("The latest accepted report is about the period that ended on %(date)s."),
        "milestone_overdue": gettext("Behind: the milestone of %(date)s is not reached, %(days)s days after its date."),
        "not_started": gettext("The work has not started although %(elapsed)s%% of the time is gone."),
        "no_share": gettext(
            "It is reported on; a share cannot be computed because a baseline, a target or a value is unknown."
        ),
        "behind": gettext("%(achieved)s%% is achieved while %(elapsed)s%% of the time is gone."),
        "incomplete": gettext(
            "At least %(achieved)s%% is achieved while %(elapsed)s%% of the time is gone; periods without a value are"
            " missing, so that the share is not known."
        ),
        "in_step": gettext("%(achieved)s%% is achieved while %(elapsed)s%% of the time is gone."),
    }.get(reason, "")
    return sentence % shown if shown else sentence.replace("%%", "%")


def _shown(key: str, value: Any) -> str:
    if key == "date":
        return date_format(date.fromisoformat(value), "DATE_FORMAT")
    if key in ("achieved", "elapsed"):
        return number_format(Decimal(value), 1)
    return number_format(value)
