"""What makes the demonstration's indicators whole: definitions, yearly targets, cells of breakdowns, addresses as evidence, and
checks of past rounds, some of which found something else than was reported."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pgtrigger
from django.utils import timezone

from onatc.periods import Period
from onatc.texts import column_of
from stakeholders.models import User
from strategy.actions.signals import refresh_version
from strategy.actions.verification import draw_sample
from strategy.indicators import UNKNOWN, broken_down
from strategy.models import (
    EntryState,
    EvidenceLink,
    Finding,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasureState,
    NoteKind,
    Plan,
    PlanVersion,
    ProgressEntry,
    ProgressPart,
    ProgressValue,
    RequestedIndicator,
    ReviewNote,
    Round,
    RoundState,
    VerificationSample,
)
from strategy.queries.indicators import cells_of

DEFINITION = (
    "Numërohet gjithçka që mbaroi brenda periudhës dhe për të cilën ka dokument; çdo rast një herë.",
    "Broji se sve što je završeno u periodu i za šta postoji dokument; svaki slučaj jednom.",
    "Everything that was finished in the period and is documented counts; each once.",
)
NO_PARTS = {
    "sq": "Ndarja nuk u mblodh për të gjitha rastet.",
    "sr": "Podela nije prikupljena za sve slučajeve.",
    "en": "The breakdown was not collected for all.",
}
CONFIRMED = {
    "sq": "U shikuan listat e pjesëmarrësve dhe procesverbalet; përputhen.",
    "sr": "Pregledane su liste učesnika i zapisnici; slažu se.",
    "en": "The lists of participants and the minutes were seen; they agree.",
}
PARTLY = {
    "sq": "Dokumentet mbulojnë vetëm një pjesë të asaj që u raportua.",
    "sr": "Dokumenti pokrivaju samo deo onoga što je prijavljeno.",
    "en": "The documents cover a part of what was reported.",
}
NOT_CONFIRMED = {
    "sq": "Institucioni nuk mundi të tregonte asnjë dëshmi për periudhën.",
    "sr": "Institucija nije mogla da pokaže nijedan dokaz za period.",
    "en": "The institution could show no evidence for the period.",
}
ADDRESSES = (
    ("https://mpb.rks-gov.net/lajme", "Njoftim i institucionit"),
    ("https://www.kosovopolice.com/komunikata", "Komunikatë për media"),
    ("https://kallxo.com/lajm", "Artikull në media"),
)


def add_indicators(plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
    """Fill in what the story of the progress left out; deterministic by seed and day."""
    chance = random.Random(f"indicators-{seed}")
    _define(version)
    _break_down(version, chance)
    _addresses(version, chance)
    for round_ in Round.objects.filter(plan=plan, state=RoundState.CLOSED).order_by("ends_on"):
        draw_sample(round_, by=None)
        _check(round_, people, chance, today)
    refresh_version(version, on=today)


def _define(version: PlanVersion) -> None:
    """Definitions in three languages, and of counts a target for each year on the way to the last one."""
    targets = []
    indicators = list(
        Indicator.objects.filter(measure__version=version)
        .select_related("measure")
        .prefetch_related("targets")
        .order_by("measure__position")
    )
    for one in indicators:
        one.definition_sq, one.definition_sr, one.definition_en = DEFINITION
        one.baseline_on = date(one.measure.starts_on.year - 1, 12, 31)
        last = list(one.targets.all())
        if one.unit != "number" or one.baseline is None or not last:
            continue
        years = range(one.measure.starts_on.year, one.measure.ends_on.year)
        for step, year in enumerate(years, 1):
            way = (last[-1].value - one.baseline) * step / (len(years) + 1)
            value = (one.baseline + way).quantize(Decimal(1), ROUND_HALF_UP)
            targets.append(
                IndicatorTarget(indicator=one, starts_on=date(year, 1, 1), ends_on=date(year, 12, 31), value=value)
            )
    Indicator.objects.bulk_update(
        indicators, ["definition_sq", "definition_sr", "definition_en", "baseline_on"], batch_size=500
    )
    IndicatorTarget.objects.bulk_create(targets)
    # Asked already, and so copied as they will be asked from now on.
    asked = list(RequestedIndicator.objects.filter(request__measure__version=version).select_related("indicator"))
    for copy in asked:
        copy.definition_sq, copy.definition_sr, copy.definition_en = DEFINITION
        copy.disaggregation = copy.indicator.disaggregation
    RequestedIndicator.objects.bulk_update(
        asked, ["definition_sq", "definition_sr", "definition_en", "disaggregation"], batch_size=500
    )


def _break_down(version: PlanVersion, chance: random.Random) -> None:
    """Cells for nine in ten accepted values that have a breakdown; for the others the reason why there are none."""
    values = list(
        ProgressValue.objects.filter(
            entry__request__measure__version=version, value__isnull=False, entry__state=EntryState.ACCEPTED
        )
        .select_related("requested", "entry")
        .order_by("entry__request__round__ends_on", "entry__request__measure__position", "pk")
    )
    dimensions = {}
    for value in values:
        for one in broken_down(value.requested.unit, value.requested.disaggregation):
            dimensions[one.name] = one
    cells = cells_of(dimensions.values())
    parts, noted = [], []
    for value in values:
        names = [one.name for one in broken_down(value.requested.unit, value.requested.disaggregation)]
        total = int(value.value or 0)
        if not names:
            continue
        if chance.random() < 0.1:
            value.parts_note = NO_PARTS[column_of(value.entry.language)]
            noted.append(value)
            continue
        for name in names:
            codes = [code for code, _label in cells[name] if code not in (UNKNOWN, "X")][:10]
            for code, count in _split(total, codes, chance).items():
                parts.append(ProgressPart(value=value, dimension=name, code=code, count=Decimal(count)))
    # The entries are accepted already: the past is written here in one go.
    with pgtrigger.ignore("strategy.ProgressPart:part_is_frozen", "strategy.ProgressValue:value_is_frozen"):
        ProgressPart.objects.bulk_create(parts, batch_size=1_000)
        ProgressValue.objects.bulk_update(noted, ["parts_note"], batch_size=500)


def _split(total: int, codes: list[str], chance: random.Random) -> dict[str, int]:
    """A total spread over cells, so that they make it up."""
    weights = [chance.random() ** 2 + 0.05 for _code in codes]
    counts = [int(total * weight / sum(weights)) for weight in weights]
    for index in range(total - sum(counts)):
        counts[index % len(counts)] += 1
    return {code: count for code, count in zip(codes, counts, strict=True) if count}


def _addresses(version: PlanVersion, chance: random.Random) -> None:
    entries = ProgressEntry.objects.filter(
        request__measure__version=version, state=EntryState.ACCEPTED, is_nil=False
    ).order_by("request__round__ends_on", "request__measure__position", "pk")
    links = []
    for entry in entries:
        if chance.random() < 0.2:
            address, title = chance.choice(ADDRESSES)
            address = f"{address}/{entry.pk.hex[:8]}"
            links.append(EvidenceLink(entry=entry, address=address, title=title, added_by_id=entry.author_id))
    EvidenceLink.objects.bulk_create(links)


def _check(round_: Round, people: dict[str, User], chance: random.Random, today: date) -> None:
    """What was chosen in a round is checked six weeks after its due date, all but a few; one in four finds something else."""
    checkers = [people["monitoring@onatc.example"], people["director@onatc.example"]]
    day = min(round_.due_on + timedelta(days=45), today - timedelta(days=1))
    at = timezone.make_aware(datetime.combine(day, time(11)))
    newest = round_.ends_on >= Period.quarter_of(today).previous().start
    notes, dropped = [], []
    samples = VerificationSample.objects.filter(round=round_).select_related("entry__request__measure")
    for sample in samples.order_by("entry__request__measure__position", "pk"):
        if chance.random() < (0.5 if newest else 0.1):
            continue  # waits
        entry = sample.entry
        involved = {entry.author_id, entry.submitted_by_id, entry.accepted_by_id}
        by = next((one for one in checkers if one.pk not in involved), None)
        if by is None or entry.accepted_at is None:
            continue
        moment = max(at, entry.accepted_at + timedelta(days=1))
        draw = chance.random()
        finding = Finding.VERIFIED if draw < 0.72 or entry.is_nil else Finding.PARTLY if draw < 0.94 else Finding.NOT
        text = {Finding.VERIFIED: CONFIRMED, Finding.PARTLY: PARTLY, Finding.NOT: NOT_CONFIRMED}[finding]
        entry.state, entry.verified_by, entry.verified_at = EntryState.VERIFIED, by, moment
        entry.finding, entry.finding_text = finding, text[column_of(by.language)]
        if finding != Finding.VERIFIED:
            entry.verified_measure_state = _found_state(entry, finding)
            if finding == Finding.PARTLY:
                _found_values(entry, chance)
            if entry.verified_measure_state:
                dropped.append(entry)
        entry.save(
            update_fields=[
                "state", "verified_by", "verified_at", "finding", "finding_text", "verified_measure_state"
            ]
        )  # fmt: skip
        notes.append(ReviewNote(entry=entry, kind=NoteKind.VERIFIED, comment=entry.finding_text, by=by, at=moment))
    ReviewNote.objects.bulk_create(notes)
    for entry in dropped:
        newer = ProgressEntry.objects.final().filter(
            request__measure=entry.request.measure_id, request__round__ends_on__gt=round_.ends_on
        )
        if not newer.exists():
            Measure.objects.filter(pk=entry.request.measure_id).update(state=entry.verified_measure_state)


def _found_state(entry: ProgressEntry, finding: str) -> str:
    """What was reported completed is found under way; what was reported under way without evidence, not started."""
    if entry.measure_state == MeasureState.COMPLETED:
        return str(MeasureState.UNDER_WAY)
    if entry.measure_state == MeasureState.UNDER_WAY and finding == Finding.NOT:
        return str(MeasureState.PLANNED)
    return ""


def _found_values(entry: ProgressEntry, chance: random.Random) -> None:
    for value in entry.values.select_related("requested"):
        said: Any = value.value
        if said is None or said < 2 or value.requested.unit == "yes_no":
            continue
        found = (said * Decimal(chance.choice(["0.6", "0.75", "0.85"]))).quantize(Decimal(1), ROUND_HALF_UP)
        ProgressValue.objects.filter(pk=value.pk).update(verified_value=found)
