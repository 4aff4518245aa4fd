"""Six past quarters of reports and the running one: on time, late, missing, returned, disputed, nil, corrected."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from monitoring.demo import settle, texts
from monitoring.demo.rounds import quarterly_series
from onatc.models import Code
from onatc.periods import Period
from onatc.texts import column_of
from stakeholders.models import User
from strategy.actions import rounds as round_actions
from strategy.actions.signals import refresh_version
from strategy.due import is_late
from strategy.models import (
    EntryState,
    EntryTranslation,
    Evidence,
    Measure,
    MeasureState,
    NoteKind,
    Plan,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    ProgressValue,
    ReviewNote,
    Round,
    SignalOverride,
)

LANGUAGES = ("sq", "sr-latn", "en")


def moment(day: date, hour: int = 10, minute: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour, minute)))


@dataclass
class Made:
    """Rows collected for one round and written in bulk."""

    entries: list[ProgressEntry] = field(default_factory=list)
    values: list[ProgressValue] = field(default_factory=list)
    notes: list[ReviewNote] = field(default_factory=list)
    translations: list[EntryTranslation] = field(default_factory=list)
    states: dict[Any, str] = field(default_factory=dict)
    with_evidence: list[ProgressEntry] = field(default_factory=list)


class Story:
    """How each institution and measure behaves, drawn once from the seed."""

    def __init__(self, plan: Plan, version: PlanVersion, people: dict[str, User], seed: int, today: date) -> None:
        self.plan, self.version, self.people, self.today = plan, version, people, today
        self.random = random.Random(f"progress-{seed}")
        self.reviewers = [people["monitoring@onatc.example"], people["planning@onatc.example"]]
        self.director = people["director@onatc.example"]
        self.not_known = Code.objects.get(code_list="missing_reason", code="NA_NOTCOLL")
        self.writers: dict[Any, User] = {}
        for user in people.values():
            for assignment in user.assignments:
                if assignment.role in ("focal_point", "local"):
                    self.writers.setdefault(assignment.institution_id, user)
        measures = list(Measure.objects.filter(version=version).order_by("position"))
        # One institution in six reports badly; the others differ a little.
        self.diligence: dict[Any, float] = {}
        for measure in measures:
            if measure.lead_id not in self.diligence:
                self.diligence[measure.lead_id] = self.random.choice([0.45, 0.8, 0.88, 0.92, 0.95, 0.98])
        self.series = quarterly_series(plan)
        self.pace = {measure.pk: self.random.choice([0.55, 0.8, 0.92, 1.0, 1.05, 1.15]) for measure in measures}

    def tell(self, quarters: int = 6) -> None:
        running = Period.quarter_of(self.today)
        period = running
        for _index in range(quarters):
            period = period.previous()
        while period < running:
            self._past_round(period)
            period = period.next()
        self._running_round(running)
        self._corrections()
        refresh_version(self.version, on=self.today)
        self._overrides(running)

    def _past_round(self, period: Period) -> None:
        due_on = round_actions.usual_due_date(period)
        round_ = round_actions.schedule_round(self.plan, period, by=None, due_on=due_on, series=self.series)
        round_actions.open_round(round_, by=None, at=moment(period.end + timedelta(days=1), 8))
        made = Made()
        for request in self._requests(round_):
            self._answer(request, period, due_on, made)
        self._write(made)
        settle()
        closed_on = min(due_on + timedelta(days=30), self.today)
        round_actions.close_round(round_, by=None, at=moment(closed_on, 16))

    def _requests(self, round_: Round) -> list[ProgressRequest]:
        return list(
            ProgressRequest.objects.filter(round=round_)
            .select_related("measure", "round")
            .prefetch_related("indicators")
            .order_by("measure__position")
        )

    def _answer(self, request: ProgressRequest, period: Period, due_on: date, made: Made) -> None:
        """One institution's answer in a round that is over."""
        draw = self.random.random()
        diligence = self.diligence[request.institution_id]
        if draw > diligence:
            if draw > (1 + diligence) / 2:
                return  # silence
            entry = self._entry(request, period, made, nil=False)  # written, never handed in
            made.entries.append(entry)
            return
        nil = self.random.random() < 0.07
        entry = self._entry(request, period, made, nil=nil)
        late = self.random.random() > diligence
        day = (
            due_on + timedelta(days=self.random.randint(1, 14))
            if late
            else due_on - timedelta(days=self.random.randint(0, 9))
        )
        self._submit(entry, request, moment(day, self.random.randint(8, 15), self.random.randint(0, 59)), made)
        fate = self.random.random()
        if fate < 0.05:
            self._return(entry, made, day + timedelta(days=2))
        elif fate < 0.2:
            self._return(entry, made, day + timedelta(days=2))
            if fate < 0.08:
                self._submit(entry, request, moment(day + timedelta(days=5), 11), made)
                self._return(entry, made, day + timedelta(days=7), texts.DISPUTE)
            self._submit(entry, request, moment(day + timedelta(days=9), 14), made)
            self._accept(entry, made, day + timedelta(days=11))
        else:
            self._accept(entry, made, day + timedelta(days=self.random.randint(1, 6)))
        made.entries.append(entry)

    def _running_round(self, period: Period) -> None:
        """The round that is open now: some answers are early, one is returned, most are still owed."""
        due_on = round_actions.usual_due_date(period)
        round_ = round_actions.schedule_round(self.plan, period, by=None, due_on=due_on, series=self.series)
        opened_on = max(period.start, self.today - timedelta(days=10))
        round_actions.open_round(round_, by=None, at=moment(opened_on, 8))
        made = Made()
        requests = self._requests(round_)
        for number, request in enumerate(requests):
            kind = {2: "submitted", 9: "submitted", 15: "submitted", 21: "draft", 27: "submitted", 33: "returned"}.get(
                number
            )
            if kind is None:
                continue
            entry = self._entry(request, period, made, nil=number == 27)
            if kind != "draft":
                self._submit(entry, request, moment(self.today - timedelta(days=2), 9 + number % 6), made)
            if kind == "returned":
                self._return(entry, made, self.today - timedelta(days=1))
            made.entries.append(entry)
        self._write(made)

    def _entry(self, request: ProgressRequest, period: Period, made: Made, *, nil: bool) -> ProgressEntry:
        measure = request.measure
        writer = self.writers.get(request.institution_id, self.director)
        share = self._share(measure, period)
        figures: dict[str, str] = {"value": "–", "target": "–"}
        entry = ProgressEntry(request=request, author=writer, language=writer.language, is_nil=nil, revision=1)
        for indicator in request.indicators.all():
            value = None if nil or self.random.random() < 0.03 else self._value(indicator, share)
            reported = ProgressValue(entry=entry, requested=indicator, value=value)
            if value is None:
                reported.missing_reason = self.not_known
            made.values.append(reported)
            figures = {
                "value": "–" if value is None else f"{value.normalize():f}",
                "target": "–" if indicator.target is None else f"{indicator.target.normalize():f}",
            }
        entry.measure_state = self._state(measure, share, period)
        said = self._said(measure, share, figures, nil)
        own = LANGUAGES.index(writer.language)
        entry.done, entry.difficulties, entry.next_steps = (part[own] for part in said)
        if self.random.random() < 0.85:
            for index, language in enumerate(LANGUAGES):
                if language != writer.language:
                    made.translations.append(
                        EntryTranslation(
                            entry=entry,
                            language=language,
                            done=said[0][index],
                            difficulties=said[1][index],
                            next_steps=said[2][index],
                            by=self.people["information@onatc.example"],
                        )
                    )
        return entry

    def _share(self, measure: Measure, period: Period) -> float:
        days = (measure.ends_on - measure.starts_on).days or 1
        gone = min(max((period.end - measure.starts_on).days / days, 0.0), 1.3)
        return min(gone * self.pace[measure.pk], 1.0)

    @staticmethod
    def _value(indicator: Any, share: float) -> Decimal | None:
        target = indicator.target
        if target is None:
            return None
        baseline = indicator.baseline if indicator.baseline is not None else target * Decimal("2.5")
        if indicator.unit == "yes_no":
            return Decimal(1 if share >= 0.95 else 0)
        value = baseline + (target - baseline) * Decimal(str(round(share, 4)))
        return value.quantize(Decimal(1), ROUND_HALF_UP)

    @staticmethod
    def _state(measure: Measure, share: float, period: Period) -> str:
        if share >= 1.0 and (
            measure.ends_on <= period.end or (share >= 1.0 and measure.ends_on < date(measure.ends_on.year, 12, 31))
        ):
            return MeasureState.COMPLETED
        return MeasureState.PLANNED if share < 0.05 else MeasureState.UNDER_WAY

    def _said(self, measure: Measure, share: float, figures: dict[str, str], nil: bool) -> tuple[Any, Any, Any]:
        empty = ("", "", "")
        if nil:
            return self.random.choice(texts.NIL), empty, self.random.choice(texts.NEXT) if share < 0.95 else empty
        stage = "early" if share < 0.3 else "late" if share >= 0.95 else "middle"
        kind = texts.KIND_OF.get(measure.code, "coordination")
        done = tuple(text.format(**figures) for text in self.random.choice(texts.DONE[kind][stage]))
        hard = self.pace[measure.pk] < 0.9 or self.random.random() < 0.2
        difficulties = self.random.choice(texts.DIFFICULTIES) if hard else empty
        return done, difficulties, self.random.choice(texts.NEXT) if stage != "late" else empty

    def _submit(self, entry: ProgressEntry, request: ProgressRequest, at: datetime, made: Made) -> None:
        again = entry.submitted_at is not None
        at = min(at, moment(self.today, 7))
        entry.state, entry.submitted_by, entry.submitted_at = EntryState.SUBMITTED, entry.author, at
        if not again:
            entry.is_late = is_late(at, request.due_on)
        kind = NoteKind.RESUBMITTED if again else NoteKind.SUBMITTED
        made.notes.append(ReviewNote(entry=entry, kind=kind, by=entry.author, at=at))
        if not again and not entry.is_nil and self.random.random() < 0.25:
            made.with_evidence.append(entry)

    def _return(self, entry: ProgressEntry, made: Made, day: date, comment: tuple[str, str] | None = None) -> None:
        chosen = comment or self.random.choice(texts.RETURNS)
        entry.state = EntryState.RETURNED
        made.notes.append(
            ReviewNote(
                entry=entry,
                kind=NoteKind.RETURNED,
                comment=chosen[1 if column_of(entry.language) == "sr" else 0],
                by=self.reviewers[0],
                at=min(moment(day, 12), moment(self.today, 7, 30)),
            )
        )

    def _accept(self, entry: ProgressEntry, made: Made, day: date) -> None:
        # The planning officer accepts, so that the monitoring officer may check.
        by = next(reviewer for reviewer in reversed(self.reviewers) if reviewer.pk != entry.author_id)
        at = min(moment(day, 13), moment(self.today, 8))
        entry.state, entry.accepted_by, entry.accepted_at = EntryState.ACCEPTED, by, at
        made.notes.append(ReviewNote(entry=entry, kind=NoteKind.ACCEPTED, by=by, at=at))
        made.states[entry.request.measure_id] = entry.measure_state

    def _write(self, made: Made) -> None:
        ProgressEntry.objects.bulk_create(made.entries)
        kept = {entry.pk for entry in made.entries}
        ProgressValue.objects.bulk_create(value for value in made.values if value.entry_id in kept)
        ReviewNote.objects.bulk_create(note for note in made.notes if note.entry_id in kept)
        accepted = {entry.pk for entry in made.entries if entry.state in (EntryState.ACCEPTED, EntryState.VERIFIED)}
        EntryTranslation.objects.bulk_create(one for one in made.translations if one.entry_id in accepted)
        for state in set(made.states.values()):
            Measure.objects.filter(pk__in=[pk for pk, each in made.states.items() if each == state]).update(state=state)
        for entry in made.with_evidence:
            if entry.pk in kept:
                self._evidence(entry)

    def _evidence(self, entry: ProgressEntry) -> None:
        name = self.random.choice(texts.EVIDENCE)
        rows = ["data,vendi,pjesemarres,femra,meshkuj"]
        for _index in range(self.random.randint(2, 6)):
            women, men = self.random.randint(2, 14), self.random.randint(2, 14)
            place = self.random.choice(["Prishtinë", "Prizren", "Pejë", "Gjakovë", "Ferizaj", "Gjilan", "Mitrovicë"])
            rows.append(f"{entry.request.round.ends_on.isoformat()},{place},{women + men},{women},{men}")
        upload = SimpleUploadedFile(f"{name}-{entry.request.measure_code}.csv", "\n".join(rows).encode() + b"\n")
        upload.checked_type = "text/csv"  # type: ignore[attr-defined]
        Evidence.keep(upload, by=entry.author, entry=entry)

    def _corrections(self) -> None:
        """Two accepted entries were corrected later: the old one stays, the new one points at it."""
        accepted = (
            ProgressEntry.objects.filter(state=EntryState.ACCEPTED, is_nil=False, values__value__gt=3)
            .select_related("request__round")
            .order_by("request__round__ends_on", "request__measure__position")
        )
        for old in list(accepted)[5:60:45]:
            assert old.accepted_at is not None and old.accepted_by is not None
            at = old.accepted_at + timedelta(days=20)
            new = ProgressEntry.objects.create(
                request=old.request,
                corrects=old,
                author=old.author,
                language=old.language,
                measure_state=old.measure_state,
                done=old.done,
                difficulties=old.difficulties,
                next_steps=old.next_steps,
                state=EntryState.ACCEPTED,
                submitted_by=old.author,
                submitted_at=at,
                accepted_by=old.accepted_by,
                accepted_at=at + timedelta(days=1),
                revision=1,
            )
            for value in old.values.all():
                ProgressValue.objects.create(
                    entry=new,
                    requested=value.requested,
                    value=value.value - 1 if value.value else value.value,
                    missing_reason=value.missing_reason,
                )
            ReviewNote.objects.create(entry=new, kind=NoteKind.SUBMITTED, by=old.author, at=at)
            ReviewNote.objects.create(entry=new, kind=NoteKind.ACCEPTED, by=old.accepted_by, at=at + timedelta(days=1))

    def _overrides(self, period: Period) -> None:
        measures = Measure.objects.filter(version=self.version, code__in=["M2.2.4", "M3.2.1"]).order_by("position")
        for measure, (signal, reason) in zip(measures, texts.OVERRIDES, strict=False):
            SignalOverride.objects.create(
                measure=measure,
                starts_on=period.start,
                ends_on=period.end,
                signal=signal,
                reason=reason,
                by=self.director,
                at=moment(self.today, 8),
            )
        refresh_version(self.version, on=self.today)
