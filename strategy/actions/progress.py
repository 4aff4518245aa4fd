"""The life of a progress entry: draft, submitted, returned, accepted, verified, corrected.

Every step is one transaction on the locked row, on record as a `ReviewNote`, and told to the other side by mail.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.errors import Refused, require
from onatc.models import Code
from onatc.periods import Period
from stakeholders.models import User
from strategy import access
from strategy.actions.rounds import reporters_of
from strategy.actions.signals import refresh
from strategy.computed import figure_of
from strategy.due import is_late
from strategy.evidence import record_of
from strategy.indicators import Sum, agree, broken_down, percentage
from strategy.models import (
    FINAL_STATES,
    Breakdown,
    EntryState,
    EntryTranslation,
    Evidence,
    EvidenceLink,
    Finding,
    Measure,
    NoteKind,
    ProgressEntry,
    ProgressPart,
    ProgressRequest,
    ProgressValue,
    RequestedIndicator,
    ReviewNote,
    Round,
    ValueSource,
)


class Stale(Refused):
    """Somebody else changed the entry since the form was made; `theirs` is what it says now."""

    def __init__(self, theirs: ProgressEntry) -> None:
        super().__init__(
            _("A colleague changed this entry while you were writing. Both texts are shown; yours is not saved yet.")
        )
        self.theirs = theirs


@dataclass(frozen=True)
class Given:
    """What is said for one indicator: a value, or the key of the reason why there is none. A percentage of two numbers
    comes with both; `parts` are the cells of its breakdowns, (dimension, code) → (count, key of a reason), and `parts_note`
    says why they do not make up the total when they do not."""

    value: Decimal | None = None
    reason: int | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    parts: dict[tuple[str, str], tuple[Decimal | None, int | None]] = field(default_factory=dict)
    parts_note: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Given(parts_note=self.parts_note)


@dataclass(frozen=True)
class Answer:
    """What a writer says. `values` maps a requested indicator to what is said for it."""

    language: str
    measure_state: str
    done: str = ""
    difficulties: str = ""
    next_steps: str = ""
    is_nil: bool = False
    values: dict[int, Given] = field(default_factory=dict)


@transaction.atomic
def start_entry(request: ProgressRequest, *, by: User) -> ProgressEntry:
    """The open entry of a request: the one there is, or a new draft. Pressed twice, there is one."""
    require(access.may_report(by, request))
    request = (
        ProgressRequest.objects.select_for_update(of=("self",)).select_related("round", "measure").get(pk=request.pk)
    )
    existing = request.entries.filter(corrects__isnull=True).order_by("-updated_at").first()
    if existing is not None:
        return existing
    if request.is_waived:
        raise Refused(_("This is no longer asked for: “%(why)s”") % {"why": request.waived_reason})
    if not request.is_open:
        raise Refused(_("The round is closed. Ask the secretariat to open it again."))
    previous = _previous(request)
    return ProgressEntry.objects.create(
        request=request,
        author=by,
        language=by.language,
        measure_state=previous.measure_state if previous else request.measure.state,
    )


def _previous(request: ProgressRequest) -> ProgressEntry | None:
    return (
        ProgressEntry.objects.final()
        .filter(
            request__measure__lineage=request.measure.lineage,
            request__institution=request.institution_id,
            request__round__ends_on__lt=request.round.ends_on,
        )
        .order_by("-request__round__ends_on")
        .first()
    )


@transaction.atomic
def save_entry(
    entry: ProgressEntry,
    answer: Answer,
    *,
    by: User,
    revision: int,
    evidence: Iterable[UploadedFile] = (),
    address: str = "",
    address_title: str = "",
) -> ProgressEntry:
    """Keep what was written so far, with new files and an address as evidence; nothing need be complete. Raises Stale when
    somebody else saved in between."""
    entry = _locked(entry)
    require(access.may_edit(by, entry))
    if entry.revision != revision and not _same(entry, answer):
        raise Stale(entry)
    _keep(entry, answer, by)
    for upload in evidence:
        Evidence.keep(upload, by=by, entry=entry)
    if address and not entry.evidence_links.filter(address=address).exists():
        EvidenceLink.objects.create(
            entry=entry, address=address, title=address_title.strip() or address[:300], added_by=by
        )
    return entry


@transaction.atomic
def submit_entry(entry: ProgressEntry, *, by: User, at: datetime | None = None) -> ProgressEntry:
    """Hand a saved entry in. Pressed twice it is handed in once; incomplete or late it is refused with the reason."""
    entry = _locked(entry)
    if entry.state == EntryState.SUBMITTED and entry.submitted_by_id == by.pk:
        return entry
    require(access.may_edit(by, entry))
    round_ = Round.objects.select_for_update(of=("self",)).get(pk=entry.request.round_id)
    entry.request.refresh_from_db(fields=["extended_until", "waived_reason"])
    is_first = entry.submitted_at is None and entry.corrects_id is None
    if is_first and entry.request.is_waived:
        raise Refused(
            _("This is no longer asked for: “%(why)s” Your text is kept as a draft.")
            % {"why": entry.request.waived_reason}
        )
    is_open = round_.is_open_for(entry.request.institution_id)
    if not is_open and entry.state != EntryState.RETURNED and entry.corrects_id is None:
        raise Refused(
            _("The round was closed before this was submitted. Your text is kept as a draft; ask the secretariat.")
        )
    _compute(entry)
    problem = missing_part(entry)
    if problem:
        raise Refused(problem)
    again = entry.notes.filter(kind=NoteKind.SUBMITTED).exists()
    entry.state = EntryState.SUBMITTED
    entry.submitted_by, entry.submitted_at = by, at or timezone.now()
    if is_first:  # a return asks again of what came in time; a correction is owed by no day
        entry.request.round = round_
        entry.is_late = is_late(entry.submitted_at, entry.request.due_on)
    entry.revision += 1
    entry.save(update_fields=["state", "submitted_by", "submitted_at", "is_late", "revision", "updated_at"])
    _note(entry, NoteKind.RESUBMITTED if again else NoteKind.SUBMITTED, by, at=entry.submitted_at)
    return entry


def _compute(entry: ProgressEntry) -> None:
    """What is computed from the records is taken at the moment of handing in, whatever was typed."""
    asked = entry.request.indicators.filter(indicator__value_source=ValueSource.COMPUTED).select_related("indicator")
    for requested in asked:
        plan, period = entry.request.round.plan, entry.request.round.period
        figure = figure_of(requested.indicator.computed_by, plan, period)
        reason = None
        if figure.value is None:
            reason = Code.objects.get(code_list="missing_reason", code="NA_NOTAPP").pk
        given = Given(figure.value, reason, figure.numerator, figure.denominator)
        _keep_value(entry, requested.pk, given)


def missing_part(entry: ProgressEntry) -> Any:
    """What a complete entry still lacks, as a sentence; None when it can be handed in."""
    if not entry.done.strip():
        if entry.is_nil:
            return _("Say in a sentence why there is nothing to report.")
        return _("Say what was done in the period, or mark that there is nothing to report.")
    if entry.is_nil:
        return None
    given = given_of(entry)
    for indicator in entry.request.indicators.all():
        said = given.get(indicator.pk, Given())
        if said.value is None and said.reason is None:
            return _("Each indicator needs a value, or the reason why there is none.")
        if problem := parts_problem(indicator, said):
            return problem
    return None


def parts_problem(indicator: RequestedIndicator, said: Given) -> Any:
    """Why what is said of an indicator cannot be handed in, as a sentence that names it; None when it can: numbers of a
    percentage in order, no part above the total, and a reason where parts do not make up the total."""
    names: dict[str, Any] = {"indicator": indicator.name}
    if indicator.has_two_numbers and said.value is not None:
        if said.numerator is None or said.denominator is None:
            return _("“%(indicator)s” needs its numerator and its denominator.") % names
        if said.numerator > said.denominator:
            return _("“%(indicator)s”: the numerator is above the denominator.") % names
    for found in sums_of(indicator, said):
        names["breakdown"] = Breakdown(found.dimension).label
        if found.is_over:
            return _("“%(indicator)s”: the parts by %(breakdown)s are more than the total.") % names
        if found.is_short and not said.parts_note.strip():
            return (
                _(
                    "“%(indicator)s”: the parts by %(breakdown)s do not make up the total. Complete them, or say why not."
                )
                % names
            )
    return None


def sums_of(indicator: RequestedIndicator, said: Given) -> list[Sum]:
    """What the cells of each breakdown make up beside the total that they are parts of."""
    total = said.numerator if indicator.has_two_numbers else said.value
    asked = broken_down(indicator.unit, indicator.disaggregation, has_two_numbers=indicator.has_two_numbers)
    return agree(total, said.parts, [dimension.name for dimension in asked])


@transaction.atomic
def return_entry(entry: ProgressEntry, *, by: User, comment: str, at: datetime | None = None) -> None:
    """Send an entry back with a comment that says what is asked for."""
    entry = _locked(entry)
    require(access.may_review(by, entry))
    if entry.state != EntryState.SUBMITTED:
        raise Refused(_already(entry))
    if not comment.strip():
        raise Refused(_("Say what the institution should change."))
    entry.state = EntryState.RETURNED
    entry.revision += 1
    entry.save(update_fields=["state", "revision", "updated_at"])
    note = _note(entry, NoteKind.RETURNED, by, comment.strip(), at=at)
    _tell_institution(entry, note)


@transaction.atomic
def accept_entry(entry: ProgressEntry, *, by: User, comment: str = "", at: datetime | None = None) -> None:
    """Accept an entry: from now on it never changes. Of two who press at once one wins and the other is told."""
    entry = _locked(entry)
    if entry.state in FINAL_STATES:
        raise Refused(_already(entry))
    require(access.may_review(by, entry))
    if entry.state != EntryState.SUBMITTED:
        raise Refused(_already(entry))
    entry.state = EntryState.ACCEPTED
    entry.accepted_by, entry.accepted_at = by, at or timezone.now()
    entry.save(update_fields=["state", "accepted_by", "accepted_at", "updated_at"])
    note = _note(entry, NoteKind.ACCEPTED, by, comment.strip(), at=entry.accepted_at)
    _carry_to_measure(entry)
    _tell_institution(entry, note)


def _carry_to_measure(entry: ProgressEntry) -> None:
    """The lead's newest accepted report, or its check, gives the measure its state; signals follow, from its period to
    today."""
    measure = Measure.objects.select_for_update(of=("self",)).get(pk=entry.request.measure_id)
    newer = (
        ProgressEntry.objects.final()
        .filter(
            request__measure__lineage=measure.lineage,
            request__institution=measure.lead_id,
            request__round__ends_on__gt=entry.request.round.ends_on,
        )
        .exists()
    )
    if entry.request.institution_id == measure.lead_id and not newer and measure.state != entry.counted_state:
        measure.state = entry.counted_state
        measure.save(update_fields=["state"])
    # An amendment may have come into force since the round opened: what is reported goes on with the lineage.
    now = list(Measure.objects.current().filter(lineage=measure.lineage).exclude(pk=measure.pk))
    for one in now:
        if one.state != measure.state:
            Measure.objects.filter(pk=one.pk).update(state=measure.state)
            one.state = measure.state
    start, today = entry.request.round.starts_on, timezone.localdate()
    refresh([measure, *now], Period(start, max(start, today)).quarters())


@dataclass(frozen=True)
class Check:
    """What a check found: whether all of it, some or nothing was verified, in words, and where it is otherwise the state of
    the measure and the values (by requested indicator)."""

    finding: str = Finding.VERIFIED
    text: str = ""
    measure_state: str = ""
    values: dict[int, Decimal] = field(default_factory=dict)


@transaction.atomic
def verify_entry(
    entry: ProgressEntry, *, by: User, check: Check | None = None, comment: str = "", at: datetime | None = None
) -> None:
    """A third person has checked an accepted entry. What was said stays; what was found stands beside it, and counts.

    Of two who press at once one wins and the other is told.
    """
    check = check or Check(text=comment)
    entry = _locked(entry)
    if entry.state == EntryState.VERIFIED:
        raise Refused(_already(entry))
    require(access.may_verify(by, entry))
    text = check.text.strip()
    said = {value.requested_id: value for value in entry.values.all()}
    other = {pk: value for pk, value in check.values.items() if pk in said and said[pk].value != value}
    state = check.measure_state if check.measure_state != entry.measure_state else ""
    if check.finding not in Finding.values:
        raise Refused(_("Choose what was found."))
    if check.finding == Finding.VERIFIED and (other or state):
        raise Refused(
            _("Something was found otherwise than reported: the report is then verified in part or not at all.")
        )
    if check.finding != Finding.VERIFIED and not text:
        raise Refused(_("Say what was found."))
    entry.state = EntryState.VERIFIED
    entry.verified_by, entry.verified_at = by, at or timezone.now()
    entry.finding, entry.finding_text, entry.verified_measure_state = check.finding, text, state
    entry.save(
        update_fields=[
            "state", "verified_by", "verified_at", "finding", "finding_text", "verified_measure_state", "updated_at"
        ]
    )  # fmt: skip
    for pk, value in other.items():
        ProgressValue.objects.filter(pk=said[pk].pk).update(verified_value=value)
    note = _note(entry, NoteKind.VERIFIED, by, text, at=entry.verified_at)
    _carry_to_measure(entry)
    _tell_institution(entry, note)


@transaction.atomic
def add_record(entry: ProgressEntry, *, by: User, kind: str, record: uuid.UUID) -> EvidenceLink:
    """Name a record of the application as evidence; the same one twice is one."""
    entry = _locked(entry)
    require(access.may_edit(by, entry))
    found = record_of(kind, record, by)
    if found is None:
        raise Refused(_("There is no such record that you may see."))
    link, _created = EvidenceLink.objects.get_or_create(
        entry=entry, kind=kind, record=record, defaults={"title": found.title[:300], "added_by": by}
    )
    return link


@transaction.atomic
def remove_link(link: EvidenceLink, *, by: User) -> None:
    """Take a link off an entry that is not handed in."""
    entry = _locked(link.entry)
    require(access.may_edit(by, entry))
    link.delete()


@transaction.atomic
def start_correction(entry: ProgressEntry, *, by: User) -> ProgressEntry:
    """A new draft that points at an accepted entry and begins with its words; the accepted one stays as it is."""
    entry = _locked(entry)
    require(access.may_report(by, entry.request))
    if entry.state not in FINAL_STATES:
        raise Refused(_("Only an accepted entry is corrected; this one can still be changed."))
    existing = ProgressEntry.objects.filter(corrects=entry).first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            correction = ProgressEntry.objects.create(
                request=entry.request,
                corrects=entry,
                author=by,
                is_nil=entry.is_nil,
                language=entry.language,
                measure_state=entry.measure_state,
                done=entry.done,
                difficulties=entry.difficulties,
                next_steps=entry.next_steps,
            )
    except IntegrityError as error:
        raise Refused(_("Another entry for this request is open. Finish it first.")) from error
    for pk, given in given_of(entry).items():
        _keep_value(correction, pk, given)
    return correction


@transaction.atomic
def translate_entry(
    entry: ProgressEntry, *, by: User, language: str, done: str, difficulties: str, next_steps: str
) -> None:
    """Put an accepted text into another language for the report; the original stays as it was written."""
    entry = _locked(entry)
    require(access.may_review(by))
    if entry.state not in FINAL_STATES:
        raise Refused(_("Only an accepted entry is translated."))
    if language == entry.language:
        raise Refused(_("The entry is written in that language."))
    EntryTranslation.objects.update_or_create(
        entry=entry,
        language=language,
        defaults={"done": done, "difficulties": difficulties, "next_steps": next_steps, "by": by},
    )


@transaction.atomic
def remove_evidence(evidence: Evidence, *, by: User) -> None:
    """Take a file off an entry that is not handed in; the collector takes the file from the store later."""
    entry = _locked(evidence.entry)
    require(access.may_edit(by, entry))
    evidence.delete()


def _locked(entry: ProgressEntry) -> ProgressEntry:
    return (
        ProgressEntry.objects.select_for_update(of=("self",))
        .select_related("request__round", "request__measure", "request__institution", "author")
        .get(pk=entry.pk)
    )


def _same(entry: ProgressEntry, answer: Answer) -> bool:
    """Whether the entry says already what the answer says: a form sent twice is not a conflict."""
    stored = given_of(entry)
    known = {one.pk: one for one in entry.request.indicators.all()}
    given = {pk: settled(known[pk], one) for pk, one in answer.values.items() if pk in known and not one.is_empty}
    return (
        (entry.done, entry.difficulties, entry.next_steps) == (answer.done, answer.difficulties, answer.next_steps)
        and (entry.is_nil, entry.language, entry.measure_state)
        == (answer.is_nil, answer.language, answer.measure_state)
        and stored == given
    )


def _keep(entry: ProgressEntry, answer: Answer, by: User) -> None:
    entry.language, entry.measure_state, entry.is_nil = answer.language, answer.measure_state, answer.is_nil
    entry.done, entry.difficulties, entry.next_steps = answer.done, answer.difficulties, answer.next_steps
    entry.revision += 1
    entry.save()
    known = {
        one.pk: one
        for one in RequestedIndicator.objects.filter(request=entry.request).exclude(
            indicator__value_source=ValueSource.COMPUTED
        )
    }
    for pk, given in answer.values.items():
        if pk in known:
            _keep_value(entry, pk, settled(known[pk], given))


def settled(indicator: RequestedIndicator, given: Given) -> Given:
    """A percentage of two numbers is computed from them, whatever else was typed."""
    if not indicator.has_two_numbers or (given.numerator is None and given.denominator is None):
        return given
    return replace(given, value=percentage(given.numerator, given.denominator))


def given_of(entry: ProgressEntry) -> dict[int, Given]:
    """What an entry says for each indicator, in the form of an answer."""
    return given_by(entry.values.prefetch_related("parts"))


def given_by(values: Iterable[ProgressValue]) -> dict[int, Given]:
    """What values say, by indicator; their parts should be fetched with them."""
    return {
        value.requested_id: Given(
            value.value,
            value.missing_reason_id,
            value.numerator,
            value.denominator,
            {(part.dimension, part.code): (part.count, part.missing_reason_id) for part in value.parts.all()},
            value.parts_note,
        )
        for value in values
    }


def _keep_value(entry: ProgressEntry, requested: int, given: Given) -> None:
    if given.is_empty:
        ProgressValue.objects.filter(entry=entry, requested=requested).delete()
        return
    value, _created = ProgressValue.objects.update_or_create(
        entry=entry,
        requested_id=requested,
        defaults={
            "value": given.value,
            "missing_reason_id": given.reason,
            "numerator": given.numerator,
            "denominator": given.denominator,
            "parts_note": given.parts_note,
        },
    )
    stored = {(part.dimension, part.code): (part.count, part.missing_reason_id) for part in value.parts.all()}
    wanted = {cell: said for cell, said in given.parts.items() if said != (None, None)}
    if stored != wanted:
        value.parts.all().delete()
        ProgressPart.objects.bulk_create(
            ProgressPart(value=value, dimension=dimension, code=code, count=count, missing_reason_id=reason)
            for (dimension, code), (count, reason) in wanted.items()
        )


def _note(entry: ProgressEntry, kind: str, by: User, comment: str = "", *, at: datetime | None = None) -> ReviewNote:
    return ReviewNote.objects.create(entry=entry, kind=kind, comment=comment, by=by, at=at or timezone.now())


def _already(entry: ProgressEntry) -> Any:
    """Who was faster, in a sentence."""
    note = entry.notes.select_related("by").order_by("-at", "-pk").first()
    if note is None:
        return _("The entry was not submitted.")
    return _("This was done already: %(step)s by %(who)s.") % {"step": note.get_kind_display(), "who": note.by}


def _tell_institution(entry: ProgressEntry, note: ReviewNote) -> None:
    if timezone.now() - note.at > timedelta(days=1):
        return  # brought in from the past: nobody is told today
    for user in reporters_of([entry.request.institution_id]):
        mail.queue(
            user,
            occasion=f"review:{note.pk}:{user.pk}",
            template="review",
            context={"entry": entry, "note": note},
            kind=mail.Kind.REVIEW,
        )
