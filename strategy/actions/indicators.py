"""Indicators of a draft, and what of them is copied when a round opens."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.periods import Period
from onatc.texts import COLUMNS
from stakeholders.models import User
from strategy import access
from strategy.computed import query_of
from strategy.indicators import Target, counts_anew, is_due, target_problem
from strategy.models import (
    Breakdown,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasurePartner,
    Part,
    PlanVersion,
    ProgressRequest,
    RequestedIndicator,
    Round,
    ValueSource,
)

# What of an indicator is edited; the targets come beside it.
FIELDS = (
    "name_sq", "name_sr", "name_en", "definition_sq", "definition_sr", "definition_en",
    "unit", "counting", "lower_is_better",
    "numerator_sq", "numerator_sr", "numerator_en", "denominator_sq", "denominator_sr", "denominator_en",
    "baseline", "baseline_on", "disaggregation", "value_source", "computed_by", "reported_by_id", "frequency",
)  # fmt: skip
COPIED = (
    "position", "name_sq", "name_sr", "name_en", "unit", "counting", "lower_is_better", "baseline",
    "definition_sq", "definition_sr", "definition_en", "numerator_sq", "numerator_sr", "numerator_en",
    "denominator_sq", "denominator_sr", "denominator_en", "disaggregation",
)  # fmt: skip


@dataclass(frozen=True)
class Wording:
    """What an indicator is to say: `fields` by their names (FIELDS), and a target a period."""

    fields: dict[str, Any]
    targets: Sequence[Target] = field(default_factory=tuple)


def seen(indicator: Indicator | None) -> str:
    """A mark of what an indicator says now, by which a form knows whether somebody changed it meanwhile."""
    if indicator is None:
        return ""
    return _mark(
        {name: getattr(indicator, name) for name in FIELDS},
        [Target(Period(one.starts_on, one.ends_on), one.value) for one in indicator.targets.all()],
    )


def _mark(fields: dict[str, Any], targets: Iterable[Target]) -> str:
    said: list[Any] = [fields.get(name) for name in FIELDS]
    for target in sorted(targets, key=lambda one: one.period.end):
        said += [target.period.label, target.value]
    spelled = [f"{one:.2f}" if isinstance(one, Decimal) else str(one) for one in said]
    return hashlib.sha256("\n".join(spelled).encode()).hexdigest()[:16]


@transaction.atomic
def save_indicator(
    measure: Measure, wording: Wording, *, by: User, indicator: Indicator | None = None, mark: str = ""
) -> Indicator:
    """Write an indicator of a draft, new or changed, with all its targets. `mark` is what the form saw (`seen`)."""
    version = _locked_version(measure, by)
    measure = Measure.objects.get(pk=measure.pk, version=version)
    if indicator is not None:
        present = Indicator.objects.select_for_update(of=("self",)).filter(pk=indicator.pk, measure=measure).first()
        if present is None:
            raise Refused(_("A colleague removed this indicator meanwhile."))
        # A form sent twice finds what it wants already there, and is no conflict.
        if seen(present) not in (mark, _mark(wording.fields, wording.targets)):
            raise Refused(
                _(
                    "A colleague changed this indicator while you were writing. What it says now is shown below the form."
                )
            )
        indicator = present
    problem = wording_problem(measure, wording)
    if problem:
        raise Refused(problem)
    if indicator is None:
        last = measure.indicators.aggregate(last=Max("position"))["last"] or 0
        indicator = Indicator(measure=measure, position=last + 1)
    for name in FIELDS:
        if name in wording.fields:
            setattr(indicator, name, wording.fields[name])
    indicator.save()
    wanted = {target.period: target.value for target in wording.targets}
    stored = {Period(one.starts_on, one.ends_on): one for one in indicator.targets.all()}
    for period, one in stored.items():
        if period not in wanted:
            one.delete()
        elif one.value != wanted[period]:
            one.value = wanted[period]
            one.save(update_fields=["value"])
    IndicatorTarget.objects.bulk_create(
        IndicatorTarget(indicator=indicator, starts_on=period.start, ends_on=period.end, value=value)
        for period, value in wanted.items()
        if period not in stored
    )
    return indicator


@transaction.atomic
def remove_indicator(indicator: Indicator, *, by: User) -> None:
    """Take an indicator out of a draft; pressed twice it is gone once."""
    _locked_version(indicator.measure, by)
    Indicator.objects.filter(pk=indicator.pk).delete()


def _locked_version(measure: Measure, by: User) -> PlanVersion:
    version = PlanVersion.objects.select_for_update(of=("self",)).get(pk=measure.version_id)
    require(access.may_edit_content(by, version))
    return version


def wording_problem(measure: Measure, wording: Wording) -> Any:
    """Why an indicator cannot say this, as a sentence; None when it can."""
    said = wording.fields
    if not any(said.get(f"name_{column}") for column in COLUMNS):
        return _("Name the indicator in at least one language.")
    if any(name not in Breakdown.values for name in said.get("disaggregation") or []):
        return _("This breakdown is not known.")
    if said.get("value_source") == ValueSource.COMPUTED:
        query = query_of(said.get("computed_by") or "")
        if query is None:
            return _("Choose the query by which it is computed.")
        if query.unit != said["unit"]:
            return _("The query gives another unit than the indicator has.")
    return next((text for _number, text in target_problems(measure, said, wording.targets)), None)


def target_problems(measure: Measure, said: dict[str, Any], targets: Iterable[Target]) -> list[tuple[int, Any]]:
    """What is wrong with which target (by its place): two for one period, outside the measure's time, the wrong side of the
    baseline; targets of counts must not overlap, since they are added up."""
    found: list[tuple[int, Any]] = []
    ends: dict[Any, Period] = {}
    earlier: list[Period] = []
    is_sum = counts_anew(said["unit"], said["counting"])
    for number, target in enumerate(targets):
        period = target.period
        problem = target_problem(
            said["unit"],
            baseline=said.get("baseline"),
            target=target.value,
            lower_is_better=bool(said.get("lower_is_better")),
            is_sum=is_sum,
        )
        if period.end in ends:
            problem = _("There are two targets for one period.")
        elif period.end < measure.starts_on or period.start > measure.ends_on:
            problem = _("The period of this target lies outside the time of the measure.")
        elif is_sum and any(period.start <= other.end and other.start <= period.end for other in earlier):
            problem = _("Counts of periods are added up: their targets must not overlap.")
        if problem:
            found.append((number, problem))
        ends[period.end] = period
        earlier.append(period)
    return found


# Rounds


def request_for(
    round_: Round, measure: Measure, institution_id: uuid.UUID, partner: MeasurePartner | None = None
) -> ProgressRequest:
    """What an institution is asked on a measure, worded as it stands now: the whole, or as a partner its part."""
    return ProgressRequest(
        round=round_,
        measure=measure,
        institution_id=institution_id,
        measure_code=measure.code,
        measure_title_sq=measure.title_sq,
        measure_title_sr=measure.title_sr,
        measure_title_en=measure.title_en,
        measure_ends_on=measure.ends_on,
        part=Part.PART if partner is not None else Part.WHOLE,
        part_sq=partner.part_sq if partner is not None else "",
        part_sr=partner.part_sr if partner is not None else "",
        part_en=partner.part_en if partner is not None else "",
    )


def reporter_of(indicator: Indicator, measure: Measure) -> uuid.UUID:
    """Who reports an indicator: the partner that it names, else the lead. Reads prefetched partnerships."""
    partners = {partner.institution_id for partner in measure.partnerships.all()}
    return indicator.reported_by_id if indicator.reported_by_id in partners else measure.lead_id  # type: ignore[return-value]


def asked_of(requests: dict[uuid.UUID, ProgressRequest], measure: Measure, round_: Round) -> list[RequestedIndicator]:
    """What of a measure's indicators is asked in a round: copies as they stand, each with the target of the round's time, in
    the request of the institution that reports it.

    `requests` are those of the measure by institution, the lead's among them. A partner that reports an indicator and is
    not asked yet gets a request for its part, which is added to them. Reads prefetched targets and partnerships.
    """
    copies: list[RequestedIndicator] = []
    for indicator in measure.indicators.all():
        if not is_due(indicator.frequency, round_.period):
            continue
        reporter = reporter_of(indicator, measure)
        if reporter not in requests:
            partner = next(one for one in measure.partnerships.all() if one.institution_id == reporter)
            requests[reporter] = request_for(round_, measure, reporter, partner)
        copies.append(requested(requests[reporter], indicator, round_.ends_on))
    return copies


def requested(request: ProgressRequest, indicator: Indicator, ends_on: Any) -> RequestedIndicator:
    """A copy of an indicator as it stands, with the next target from a day on, else the last one."""
    targets = sorted(indicator.targets.all(), key=lambda one: one.ends_on)
    target = next((one for one in targets if one.ends_on >= ends_on), targets[-1] if targets else None)
    return RequestedIndicator(
        request=request,
        indicator=indicator,
        target=target.value if target else None,
        target_on=target.ends_on if target else None,
        **{name: getattr(indicator, name) for name in COPIED},
    )
