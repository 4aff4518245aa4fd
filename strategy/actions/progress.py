"""The life of a progress entry: draft, submitted, returned, accepted, verified, corrected.

Every step is one transaction on the locked row, on record as a `ReviewNote`, and told to the other side by mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.errors import Refused, require
from onatc.periods import Period
from stakeholders.models import User
from strategy import access
from strategy.actions.rounds import reporters_of
from strategy.actions.signals import refresh
from strategy.due import is_late
from strategy.models import (
    FINAL_STATES,
    EntryState,
    EntryTranslation,
    Evidence,
    Measure,
    NoteKind,
    ProgressEntry,
    ProgressPart,
    ProgressRequest,
    ProgressValue,
    RequestedIndicator,
    ReviewNote,
    Round,
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
    entry: ProgressEntry, answer: Answer, *, by: User, revision: int, evidence: Iterable[UploadedFile] = ()
) -> ProgressEntry:
    """Keep what was written so far; nothing need be complete. Raises Stale when somebody else saved in between."""
    entry = _locked(entry)
    require(access.may_edit(by, entry))
    if entry.revision != revision and not _same(entry, answer):
        raise Stale(entry)
    _keep(entry, answer, by)
    for upload in evidence:
        Evidence.keep(upload, by=by, entry=entry)
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


def missing_part(entry: ProgressEntry) -> Any:
    """What a complete entry still lacks, as a sentence; None when it can be handed in."""
    if not entry.done.strip():
        if entry.is_nil:
            return _("Say in a sentence why there is nothing to report.")
        return _("Say what was done in the period, or mark that there is nothing to report.")
    if entry.is_nil:
        return None
    answered = {
        value.requested_id
        for value in entry.values.all()
        if value.value is not None or value.missing_reason_id is not None
    }
    if any(pk not in answered for pk in entry.request.indicators.values_list("pk", flat=True)):
        return _("Each indicator needs a value, or the reason why there is none.")
    return None


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
    """The lead's newest accepted report gives the measure its state; signals follow, from its period to today."""
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
    if entry.request.institution_id == measure.lead_id and not newer and measure.state != entry.measure_state:
        measure.state = entry.measure_state
        measure.save(update_fields=["state"])
    # An amendment may have come into force since the round opened: what is reported goes on with the lineage.
    now = list(Measure.objects.current().filter(lineage=measure.lineage).exclude(pk=measure.pk))
    for one in now:
        if one.state != measure.state:
            Measure.objects.filter(pk=one.pk).update(state=measure.state)
            one.state = measure.state
    start, today = entry.request.round.starts_on, timezone.localdate()
    refresh([measure, *now], Period(start, max(start, today)).quarters())


@transaction.atomic
def verify_entry(entry: ProgressEntry, *, by: User, comment: str = "", at: datetime | None = None) -> None:
    """A third person has checked the evidence of an accepted entry."""
    entry = _locked(entry)
    if entry.state == EntryState.VERIFIED:
        raise Refused(_already(entry))
    require(access.may_verify(by, entry))
    entry.state = EntryState.VERIFIED
    entry.verified_by, entry.verified_at = by, at or timezone.now()
    entry.save(update_fields=["state", "verified_by", "verified_at", "updated_at"])
    _note(entry, NoteKind.VERIFIED, by, comment.strip(), at=entry.verified_at)


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
    given = {pk: one for pk, one in answer.values.items() if not one.is_empty}
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
    known = set(RequestedIndicator.objects.filter(request=entry.request).values_list("pk", flat=True))
    for pk, given in answer.values.items():
        if pk in known:
            _keep_value(entry, pk, given)


def given_of(entry: ProgressEntry) -> dict[int, Given]:
    """What an entry says for each indicator, in the form of an answer."""
    return {
        value.requested_id: Given(
            value.value,
            value.missing_reason_id,
            value.numerator,
            value.denominator,
            {(part.dimension, part.code): (part.count, part.missing_reason_id) for part in value.parts.all()},
            value.parts_note,
        )
        for value in entry.values.prefetch_related("parts")
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
