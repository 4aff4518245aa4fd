"""Minutes: written point by point, kept while they are typed, circulated, remarked on, adopted at a later meeting."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from onatc import jobs
from onatc.dated_settings import due_day
from onatc.errors import Refused, require
from onatc.models import Job
from onatc.texts import COLUMNS, DJANGO_CODES, column_of
from stakeholders import access, minutes_document
from stakeholders.actions.invitations import new_salt, send_minutes
from stakeholders.actions.meetings import locked_meeting
from stakeholders.actions.records import Stale, locked, make_once, save, set_fields
from stakeholders.models import (
    AgendaItem,
    AgendaKind,
    Attendee,
    Institution,
    Meeting,
    MeetingState,
    MinutesComment,
    MinutesDraft,
    MinutesFile,
    MinutesState,
    User,
)
from stakeholders.queries.meetings import before

FIELDS = tuple(f"minutes_{column}" for column in COLUMNS)
LONGEST = 20000


def _writable(item: AgendaItem, by: User) -> tuple[Meeting, AgendaItem]:
    """The meeting, locked, and the point as it is now."""
    meeting = locked_meeting(item.meeting)
    require(access.may_write_minutes(by, meeting))
    return meeting, locked(item)


@dataclass(frozen=True)
class Kept:
    """That a draft was kept, when, and whether somebody else saved the point since the writing began."""

    at: Any
    revision: int
    is_stale: bool


@transaction.atomic
def keep_draft(item: AgendaItem, texts: dict[str, str], *, revision: int, by: User) -> Kept:
    """What somebody is typing on a point, for them alone: it survives a session that ended and a browser that closed. It
    never touches the minutes, so that it can be kept whatever a colleague does meanwhile."""
    require(access.may_write_minutes(by, item.meeting))
    item = AgendaItem.objects.get(pk=item.pk)
    draft, _new = MinutesDraft.objects.update_or_create(
        item=item, by=by, defaults={**{name: texts[name] for name in FIELDS}, "base_revision": revision}
    )
    differs = any(texts[name] != getattr(item, name) for name in FIELDS)
    return Kept(draft.saved_at, item.revision, item.revision != revision and differs)


@transaction.atomic
def save_minutes(item: AgendaItem, texts: dict[str, str], *, revision: int, by: User) -> AgendaItem:
    """The text becomes the minutes of the point. Raises Stale when a colleague saved another text since this one was begun;
    the draft stays until the writer saves knowingly."""
    meeting, item = _writable(item, by)
    changed = {name for name in FIELDS if getattr(item, name) != texts[name]}
    if changed and item.revision != revision:
        raise Stale(item, [])
    if changed:
        for name in changed:
            setattr(item, name, texts[name])
        item.revision += 1
        save(item)
    MinutesDraft.objects.filter(item=item, by=by).delete()
    if changed and meeting.minutes_state == MinutesState.NONE:
        meeting.minutes_state = MinutesState.DRAFT
        save(meeting)
    return item


@transaction.atomic
def drop_draft(item: AgendaItem, *, by: User) -> None:
    """The writer prefers what stands in the minutes."""
    MinutesDraft.objects.filter(item=item, by=by).delete()


@transaction.atomic
def circulate(meeting: Meeting, *, comments_until: date, by: User, revision: int | None = None) -> Meeting:
    """Lay the minutes before everybody called, also before members and who was there without an account; again with another day, as
    long as they are not adopted. `revision` is that of the page: whom a colleague was quicker than sees that day before
    everybody is told of a second one. The day moves as due days do."""
    meeting = locked_meeting(meeting)
    require(access.may_write_minutes(by, meeting))
    if meeting.minutes_state == MinutesState.NONE:
        raise Refused(_("Nothing is written yet."))
    if comments_until < timezone.localdate():
        raise Refused(_("This day is over. Give the institutions time to read."))
    comments_until = due_day(comments_until, not_before=timezone.localdate())
    if meeting.minutes_state == MinutesState.CIRCULATED and revision is not None:
        set_fields(meeting, {"comments_until": comments_until}, revision)
    meeting.minutes_state, meeting.comments_until = MinutesState.CIRCULATED, comments_until
    meeting.circulated_at = meeting.circulated_at or timezone.now()
    meeting.answer_salt = meeting.answer_salt or new_salt()
    meeting.revision += 1
    save(meeting)
    send_minutes(meeting)
    return meeting


@transaction.atomic
def remark(
    meeting: Meeting, key: uuid.UUID, values: dict[str, Any], *, institution: Institution, by: User
) -> MinutesComment:
    """What an institution that was called says about circulated minutes. A form sent twice says it once, and so does one that
    the browser's back button made anew: what one person said already and nobody answered is not said again."""
    meeting = locked_meeting(meeting)
    require(access.may_remark_on_minutes(by, meeting))
    was_called = Attendee.objects.filter(meeting=meeting, institution=institution).exists()
    if not was_called or institution.pk not in by.consulted_institution_ids:
        raise Refused(_("Only institutions that were called remark on minutes."))
    comment = MinutesComment(meeting=meeting, institution=institution, by=by, **values)
    if comment.item is not None and comment.item.meeting_id != meeting.pk:
        raise Refused(_("This point stands on another agenda."))
    said = meeting.minutes_comments.standing().filter(  # type: ignore[attr-defined]
        by=by, institution=institution, item=comment.item, text=comment.text, answered_at__isnull=True
    )
    made = said.first() or make_once(comment, key, maker="by")[0]
    if made.withdrawn_at is not None:
        raise Refused(_("You took this remark back. Open the form anew to send it again."))
    return made


@transaction.atomic
def withdraw_remark(comment: MinutesComment, *, by: User) -> MinutesComment:
    """Its author takes it back; it stays on record as taken back. Twice is once."""
    meeting = locked_meeting(comment.meeting)
    comment = locked(comment)
    if comment.withdrawn_at is not None and comment.by_id == by.pk:
        return comment
    require(access.may_withdraw_remark(by, comment, meeting))
    comment.withdrawn_at = timezone.now()
    return save(comment)


@transaction.atomic
def answer_remark(comment: MinutesComment, *, is_taken_over: bool, answer: str, by: User) -> MinutesComment:
    """Taken over, or not and why. It can be answered anew until the minutes are adopted."""
    meeting = locked_meeting(comment.meeting)
    require(access.may_write_minutes(by, meeting))
    comment = locked(comment)
    if comment.withdrawn_at is not None:
        raise Refused(_("Whoever made this remark took it back; it needs no answer."))
    if not is_taken_over and not answer.strip():
        raise Refused(_("Say why the remark is not taken over."))
    comment.is_taken_over, comment.answer = is_taken_over, answer.strip()
    comment.answered_by, comment.answered_at = by, timezone.now()
    return save(comment)


def adopting_meetings(meeting: Meeting) -> Any:
    """Later meetings of the circle that were held and had these minutes on their agenda."""
    items = AgendaItem.objects.filter(
        kind=AgendaKind.MINUTES, minutes_of=meeting, meeting__state=MeetingState.HELD,
        meeting__starts_at__gt=meeting.starts_at,
    )  # fmt: skip
    return Meeting.objects.filter(pk__in=items.values("meeting"))


@transaction.atomic
def adopt_minutes(meeting: Meeting, *, adopted_in: Meeting, by: User) -> Meeting:
    """The later meeting adopted the minutes: from then on neither they nor what they rest on changes, and the PDF in each
    language is kept for good.

    Raises Refused unless they were circulated, every remark is answered, and the later meeting was held with its quorum
    and had them on its agenda.
    """
    meeting = locked_meeting(meeting)
    require(access.may_adopt_minutes(by))
    if meeting.minutes_state == MinutesState.ADOPTED:
        raise Refused(_("These minutes are adopted already."))
    if meeting.minutes_state != MinutesState.CIRCULATED:
        raise Refused(_("Only minutes that were circulated can be adopted."))
    later = adopting_meetings(meeting).filter(pk=adopted_in.pk).first()
    if later is None or not before(later).filter(pk=meeting.pk).exists():
        raise Refused(_("Minutes are adopted by a later meeting that was held and had them on its agenda."))
    if later.has_quorum is False:
        raise Refused(_("That meeting had no quorum; it could not adopt minutes."))
    if meeting.minutes_comments.standing().filter(answered_at__isnull=True).exists():  # type: ignore[attr-defined]
        raise Refused(_("Answer every remark first."))
    MinutesDraft.objects.filter(item__meeting=meeting).delete()
    meeting.minutes_state, meeting.minutes_adopted_at = MinutesState.ADOPTED, timezone.now()
    meeting.minutes_adopted_in = later
    meeting.revision += 1
    save(meeting)
    for language in DJANGO_CODES.values():
        request_file(meeting, language, by=by)
    return meeting


# As a file


def file_name(meeting: Meeting, language: str) -> str:
    """Says the body and the day, no person."""
    body = meeting.body.code.lower() if meeting.body is not None else "meeting"
    return f"minutes-{body}-{meeting.day:%Y-%m-%d}-{column_of(language)}.pdf"


@transaction.atomic
def request_file(meeting: Meeting, language: str, *, by: User) -> MinutesFile | Job:
    """The minutes in a language: the file there is while nothing changed, else the job that makes it."""
    meeting = Meeting.objects.select_related("body", "country", "minutes_adopted_in", "chair").get(pk=meeting.pk)
    require(access.may_read_minutes(by, meeting))
    if meeting.minutes_state == MinutesState.NONE:
        raise Refused(_("Nothing is written yet."))
    stamp = minutes_document.stamp_of(minutes_document.data_of(meeting))
    existing = _existing(meeting, language, stamp)
    if existing is not None:
        return existing
    return jobs.enqueue(
        "minutes_file",
        key=f"minutes:{meeting.pk}:{language}:{stamp[:16]}",
        title=_("Making the minutes as PDF: %(name)s") % {"name": file_name(meeting, language)},
        by=by,
        params={"meeting": str(meeting.pk), "language": language},
        total=2,
        target_url=reverse("stakeholders:meeting-minutes", args=[meeting.pk]),
    )


def _existing(meeting: Meeting, language: str, stamp: str) -> MinutesFile | None:
    """The file that still says what stands. That of adopted minutes is kept for good, also when the data of a person who
    was there has been removed since."""
    files = MinutesFile.objects.filter(meeting=meeting, language=language)
    is_adopted = meeting.minutes_state == MinutesState.ADOPTED
    return files.filter(is_adopted=True).first() if is_adopted else files.filter(stamp=stamp).first()


def build_file(found: Job, progress: jobs.Progress) -> None:
    """Make the file that a job is about; made twice, there is one. The right is read again at that moment."""
    by, language = found.actor, found.params["language"]
    meeting = (
        Meeting.objects.visible_to(by)
        .select_related("body", "country", "minutes_adopted_in", "chair")
        .filter(pk=found.params["meeting"])
        .first()
    )
    if meeting is None:
        raise Refused(_("The meeting is no longer there."))
    require(access.may_read_minutes(by, meeting))
    data = minutes_document.data_of(meeting)
    progress(1, 2)
    body, _pages = minutes_document.pdf(data, language)
    with transaction.atomic():
        Meeting.objects.select_for_update(of=("self",)).get(pk=meeting.pk)
        progress(2, 2)  # ends here when another worker took over meanwhile
        stamp = minutes_document.stamp_of(data)
        if _existing(meeting, language, stamp) is not None:
            return
        MinutesFile.objects.filter(meeting=meeting, language=language, is_adopted=False).delete()
        MinutesFile.keep_content(
            ContentFile(body),
            name=file_name(meeting, language),
            content_type="application/pdf",
            meeting=meeting,
            language=language,
            stamp=stamp,
            is_adopted=meeting.minutes_state == MinutesState.ADOPTED,
        )
