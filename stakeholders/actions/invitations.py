"""Calls to meetings and the answers to them: by a link without signing in, signed in, told to the office, from a calendar;
and the minutes, laid before those who were there.

A call goes to a person once for each sequence of the meeting. Its link is signed for one attendee and one time of the
meeting: it opens as long as the time is the same, and records one answer.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext, override

from onatc import jobs, mail
from onatc.errors import Refused, require
from onatc.models import Message, MessageState
from stakeholders import access, ics
from stakeholders.models import Answer, AnswerWay, Attendee, AttendeeRole, Meeting, MeetingState, MinutesState, User

BATCH = 100  # mails that are queued in one transaction
AT_ONCE = 200  # so many are queued in the request; more by a job
MINUTES_OPEN = timedelta(days=30)  # so long after the last day for remarks the link to minutes opens
SEAL_BYTES = 16
HAS_ADDRESS = Q(contact__user__isnull=False) | Q(contact__isnull=False) & ~Q(contact__email="")
IS_PRESENT = Q(contact__isnull=True) | Q(contact__removed_at__isnull=True)
READS_MINUTES = Q(was_present=True) | Q(
    role__in=[AttendeeRole.MEMBER, AttendeeRole.DEPUTY]
)  # members answer for them, there or not


def when_in_words(meeting: Meeting) -> str:
    """When it is, by the office's clock, in the active language; with both days when it lasts over midnight."""
    start, end = timezone.localtime(meeting.starts_at), timezone.localtime(meeting.ends_at)
    begin = f"{date_format(start, 'DATE_FORMAT')}, {date_format(start, 'TIME_FORMAT')}"
    if start.date() == end.date():
        return f"{begin}–{date_format(end, 'TIME_FORMAT')}"
    return f"{begin} – {date_format(end, 'DATE_FORMAT')}, {date_format(end, 'TIME_FORMAT')}"


def language_of(attendee: Attendee) -> str:
    """In which they are written to: that of the account, else that of the contact."""
    contact = attendee.contact
    if contact is None:
        return settings.LANGUAGE_CODE
    return contact.user.language if contact.user is not None else contact.language


# When the mails go


def kind_of_mail(meeting: Meeting) -> str:
    """Nobody learns after the night of a meeting that begins, or did before it was moved, in the night or at its end."""
    now = timezone.now()
    morning = mail.next_morning(now)
    if meeting.starts_at <= morning:
        return mail.Kind.SOON
    told = Meeting.pgh_event_model.objects.filter(pgh_obj_id=meeting.pk, state=MeetingState.CALLED)  # type: ignore[attr-defined]
    return mail.Kind.SOON if told.filter(starts_at__gt=now, starts_at__lte=morning).exists() else mail.Kind.MEETING


def mails_wait_until(meeting: Meeting) -> datetime | None:
    """When the mails about a meeting that are queued now go out; None when they go at once."""
    now = timezone.now()
    if not mail.is_night(now) or kind_of_mail(meeting) in mail.AT_NIGHT_TOO:
        return None
    return mail.not_at_night(now)


# Who is called


def to_call(meeting: Meeting) -> QuerySet[Attendee]:
    """Those to whom the present call has not been mailed, and can be."""
    found = meeting.attendees.filter(HAS_ADDRESS, IS_PRESENT, called_sequence__lt=meeting.sequence)
    return found.select_related("contact__user").order_by("pk")


def to_telephone(meeting: Meeting) -> QuerySet[Attendee]:
    """Those whom no mail can reach: the office tells them."""
    return meeting.attendees.filter(~HAS_ADDRESS, IS_PRESENT).select_related("contact", "institution").order_by("pk")


def not_delivered(meeting: Meeting) -> list[Attendee]:
    """Those whose call failed or came back: the office tells them too."""
    occasion = Concat(Value("meeting-call:"), Cast(OuterRef("pk"), models.CharField()), Value(f":{meeting.sequence}"))
    lost = Message.objects.filter(occasion=occasion, state__in=[MessageState.FAILED, MessageState.BOUNCED])
    return list(meeting.attendees.filter(Exists(lost)).select_related("contact", "institution").order_by("pk")[:100])


def send_calls(meeting: Meeting, *, by: User) -> int:
    """Mail the present call to every attendee with an address who has not got it; how many are called by this.

    Again is the same as once. Many are called by a job. Raises Refused unless the meeting is called and lies ahead.
    """
    return _send("meeting-calls", meeting, by=by, title=gettext("Calls to a meeting"))


def send_cancellation(meeting: Meeting, *, by: User) -> int:
    """Mail to all who were called that the meeting does not take place; how many mails. Again is the same as once."""
    return _send("meeting-cancellations", meeting, by=by, title=gettext("Cancellation of a meeting"))


def _to_tell(meeting: Meeting) -> QuerySet[Attendee]:
    """Those who were called and for whom no mail says yet that it is cancelled; the outbox keeps every occasion."""
    occasion = Concat(
        Value("meeting-cancelled:"), Cast(OuterRef("pk"), models.CharField()), Value(f":{meeting.sequence}")
    )
    found = meeting.attendees.filter(HAS_ADDRESS, IS_PRESENT, called_sequence__gte=0)
    found = found.exclude(Exists(Message.objects.filter(occasion=occasion)))
    return found.select_related("contact__user").order_by("pk")


def _send(kind: str, meeting: Meeting, *, by: User, title: str) -> int:
    waiting, batch = KINDS[kind]
    require(access.may_send_calls(by, meeting))
    given = meeting
    with transaction.atomic():
        meeting = Meeting.objects.select_for_update(of=("self",)).get(pk=given.pk)
        _refuse_unless_right(kind, meeting)
        if not meeting.answer_salt:
            meeting.answer_salt = new_salt()
            meeting.save(update_fields=["answer_salt"])
        given.answer_salt = meeting.answer_salt  # whoever saves the whole record afterwards keeps the links alive
        if kind == "meeting-calls":
            _ask_again(meeting)
        total = waiting(meeting).count()
        if total > AT_ONCE:
            jobs.enqueue(
                kind, key=f"{kind} {meeting.pk} {meeting.sequence}", title=title, by=by, params={"meeting": str(meeting.pk)},
                total=total, target_url=meeting.get_absolute_url(),
            )  # fmt: skip
            return total
        done = 0
        while count := batch(meeting.pk):
            done += count
    return done


def _ask_again(meeting: Meeting) -> None:
    """An answer is about a time: those given before the meeting was moved to its present one are open again. The history
    keeps them."""
    if (moved_at := _moved_at(meeting)) is not None:
        meeting.attendees.filter(answered_at__lt=moved_at).update(
            answer=Answer.NONE, answer_way="", answer_note="", answered_at=None
        )


def _moved_at(meeting: Meeting) -> datetime | None:
    """When it got its present time, by its history; None when it never had another one."""
    since = None
    events = Meeting.pgh_event_model.objects.filter(pgh_obj_id=meeting.pk)  # type: ignore[attr-defined]
    for at, *times in events.order_by("-pgh_id").values_list("pgh_created_at", "starts_at", "ends_at"):
        if times != [meeting.starts_at, meeting.ends_at]:
            return since
        since = at
    return None


def _refuse_unless_right(kind: str, meeting: Meeting) -> None:
    if kind == "meeting-calls":
        if meeting.state != MeetingState.CALLED:
            raise Refused(gettext("Only a meeting that is called has calls to send."))
        if meeting.starts_at <= timezone.now():
            raise Refused(gettext("The meeting has begun; nobody is called to it any more."))
    elif meeting.state != MeetingState.CANCELLED:
        raise Refused(gettext("Only a meeting that is cancelled is told to be."))


def send_in_batches(job: jobs.Job, progress: jobs.Progress) -> None:
    """Each batch is a transaction that queues its mails and marks whom they go to: what is killed between two of them
    goes on with the next, and nobody is written to twice."""
    waiting, batch = KINDS[job.kind]
    meeting = Meeting.objects.get(pk=job.params["meeting"])
    require(access.may_send_calls(job.actor, meeting))
    done, total = 0, waiting(meeting).count()
    while True:
        with transaction.atomic():
            _refuse_unless_right(job.kind, Meeting.objects.select_for_update(of=("self",)).get(pk=meeting.pk))
            count = batch(meeting.pk)
            done += count
            progress(min(done, total), total)
        if not count:
            return


def _call_batch(pk: uuid.UUID) -> int:
    meeting = _with_agenda(pk)
    batch = list(to_call(meeting).select_for_update(of=("self",))[:BATCH])
    kind = kind_of_mail(meeting)
    for attendee in batch:
        _mail_call(meeting, attendee, kind)
    Attendee.objects.filter(pk__in=[one.pk for one in batch]).update(called_sequence=meeting.sequence)
    return len(batch)


def _cancel_batch(pk: uuid.UUID) -> int:
    meeting = _with_agenda(pk)
    batch = list(_to_tell(meeting).select_for_update(of=("self",))[:BATCH])
    kind = kind_of_mail(meeting)
    for attendee in batch:
        _mail_cancellation(meeting, attendee, kind)
    return len(batch)


# By kind of job: whom it still concerns, and what does the next batch of them.
KINDS: dict[str, tuple[Callable[[Meeting], QuerySet[Attendee]], Callable[[uuid.UUID], int]]] = {
    "meeting-calls": (to_call, _call_batch),
    "meeting-cancellations": (_to_tell, _cancel_batch),
}


def _with_agenda(pk: uuid.UUID) -> Meeting:
    return Meeting.objects.prefetch_related("items").get(pk=pk)


def _mail_call(meeting: Meeting, attendee: Attendee, kind: str) -> None:
    contact = attendee.contact
    assert contact is not None
    with override(language_of(attendee)):
        answer_url = settings.SITE_URL.rstrip("/") + reverse("stakeholders:answer", args=[key_of(meeting, attendee)])
        url = _page_of(meeting, contact.user) or answer_url
        calendar = ics.invitation(meeting, attendee, contact.address, answer_url=answer_url, url=url)
        context = {
            "meeting": meeting,
            "when": when_in_words(meeting),
            "items": list(meeting.items.all()),
            "is_update": attendee.called_sequence >= 0,
            "answer_url": answer_url,
            "page_url": _page_of(meeting, contact.user),
        }
    enclosed = mail.Enclosed(calendar, "REQUEST", ics.office_address())
    _queue(meeting, attendee, "call", "meeting_call", context, kind, enclosed)


def _mail_cancellation(meeting: Meeting, attendee: Attendee, kind: str) -> None:
    contact = attendee.contact
    assert contact is not None
    with override(language_of(attendee)):
        calendar = ics.cancellation(meeting, attendee, contact.address, url=_page_of(meeting, contact.user))
        context = {"meeting": meeting, "when": when_in_words(meeting)}
    enclosed = mail.Enclosed(calendar, "CANCEL", ics.office_address())
    _queue(meeting, attendee, "cancelled", "meeting_cancelled", context, kind, enclosed)


def send_minutes(meeting: Meeting) -> int:
    """Tell who was called and can sign in that the minutes are open for remarks, and until when; once for each such day.
    Members, those who stand in, and who else was there read them without an account by a link of their own."""
    called = meeting.attendees.filter(HAS_ADDRESS, IS_PRESENT, contact__user__is_active=True)
    told = sum(
        mail.queue(
            attendee.contact.user,  # type: ignore[union-attr]
            occasion=f"minutes:{attendee.pk}:{meeting.comments_until}",
            template="minutes_circulated",
            context={"meeting": meeting, "page_url": _page_of(meeting, attendee.contact.user)},  # type: ignore[union-attr]
            kind=mail.Kind.MEETING,
        )
        for attendee in called.select_related("contact__user").order_by("pk")
    )
    there = meeting.attendees.filter(HAS_ADDRESS, IS_PRESENT, READS_MINUTES, contact__user__isnull=True)
    return told + sum(_mail_minutes(meeting, one) for one in there.select_related("contact").order_by("pk"))


def to_tell_of_minutes(meeting: Meeting) -> QuerySet[Attendee]:
    """Those who should read the minutes and whom no mail reaches: the office gives them the minutes."""
    by_mail = Q(contact__user__is_active=True) | (HAS_ADDRESS & Q(contact__user__isnull=True))
    there = meeting.attendees.filter(~by_mail, IS_PRESENT, READS_MINUTES)
    return there.select_related("contact", "institution").order_by("pk")


def _mail_minutes(meeting: Meeting, attendee: Attendee) -> bool:
    contact = attendee.contact
    assert contact is not None
    until = last_day_of_minutes(meeting)
    link = settings.SITE_URL.rstrip("/") + reverse(
        "stakeholders:minutes-read", args=[minutes_key_of(meeting, attendee)]
    )
    return mail.queue(
        None,
        occasion=f"minutes:{attendee.pk}:{meeting.comments_until}",
        template="minutes_to_read",
        context={
            "meeting": meeting,
            "link": link,
            "until": until,
            "office": ics.office_address(),
            "was_there": attendee.was_present,
        },
        kind=mail.Kind.MEETING,
        address=contact.address,
        language=contact.language,
        name=contact.full_name,
        is_secret=True,
    )


def last_day_of_minutes(meeting: Meeting) -> date:
    return (meeting.comments_until or timezone.localdate()) + MINUTES_OPEN


def _queue(
    meeting: Meeting, attendee: Attendee, what: str, template: str, context: dict[str, Any], kind: str,
    enclosed: mail.Enclosed,
) -> None:  # fmt: skip
    contact = attendee.contact
    assert contact is not None
    mail.queue(
        contact.user,
        occasion=f"meeting-{what}:{attendee.pk}:{meeting.sequence}",
        template=template,
        context=context,
        kind=kind,
        address=contact.address,
        language=contact.language,
        name=contact.full_name,
        enclosed=enclosed,
        is_secret=what == "call",  # its link answers in their name
    )


def _page_of(meeting: Meeting, user: User | None) -> str:
    """The meeting's page, for whoever can sign in; empty for all others."""
    if user is None or not user.is_active:
        return ""
    return settings.SITE_URL.rstrip("/") + meeting.get_absolute_url()


# The link


@dataclass(frozen=True)
class Opened:
    """What a genuine link opens. `state`: open, answered, late (the day to answer by is over), begun, cancelled, newer
    (the meeting was moved since), or closed (the person's data was removed, or the call taken back)."""

    attendee: Attendee
    state: str


def new_salt() -> str:
    """Of a meeting: without it no link of the meeting opens."""
    return secrets.token_urlsafe(24)


def key_of(meeting: Meeting, attendee: Attendee) -> str:
    """The key of the link by which one attendee answers for the time that the meeting has now."""
    head = attendee.pk.bytes + _times(meeting)
    return _packed(head + _seal(head, meeting))


def _times(meeting: Meeting) -> bytes:
    """Beginning and length in minutes."""
    begin = int(meeting.starts_at.timestamp()) // 60
    length = int((meeting.ends_at - meeting.starts_at).total_seconds()) // 60
    return begin.to_bytes(4, "big") + length.to_bytes(4, "big")


def _seal(head: bytes, meeting: Meeting, to: str = "answer") -> bytes:
    return salted_hmac(f"onatc {to} {meeting.pk}", head.hex() + meeting.answer_salt, algorithm="sha256").digest()[
        :SEAL_BYTES
    ]


def minutes_key_of(meeting: Meeting, attendee: Attendee) -> str:
    """The key of the link by which one reads the minutes without an account."""
    return _packed(attendee.pk.bytes + _seal(attendee.pk.bytes, meeting, "minutes"))


def minutes_opened(key: str) -> Attendee | None:
    """Who reads by this key; None for one that nobody was given, one that is too old, and one of somebody whose data was
    removed or who is neither a member nor was there after all."""
    raw = _unpacked(key, 16 + SEAL_BYTES)
    if raw is None:
        return None
    found = Attendee.objects.filter(IS_PRESENT, READS_MINUTES, pk=uuid.UUID(bytes=raw[:16]))
    attendee = found.select_related("meeting__body", "contact__user").first()
    if attendee is None or attendee.contact is None or not attendee.meeting.answer_salt:
        return None
    meeting = attendee.meeting
    is_out = meeting.minutes_state in (MinutesState.CIRCULATED, MinutesState.ADOPTED)
    if not is_out or last_day_of_minutes(meeting) < timezone.localdate():
        return None
    return attendee if hmac.compare_digest(_seal(raw[:16], meeting, "minutes"), raw[16:]) else None


def _unpacked(key: str, length: int) -> bytes | None:
    """The bytes of a key, which is written in one way alone: the last letter of another may say the same."""
    try:
        raw = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == length and _packed(raw) == key else None


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def opened(key: str) -> Opened | None:
    """What the key opens; None for one that nobody was given."""
    raw = _unpacked(key, 16 + 8 + SEAL_BYTES)
    if raw is None:
        return None
    head, seal = raw[:-SEAL_BYTES], raw[-SEAL_BYTES:]
    attendee = Attendee.objects.select_related("meeting", "contact__user").filter(pk=uuid.UUID(bytes=raw[:16])).first()
    if attendee is None or not attendee.meeting.answer_salt:
        return None
    if not hmac.compare_digest(_seal(head, attendee.meeting), seal):
        return None
    return Opened(attendee, _state(attendee, raw[16:24]))


def _state(attendee: Attendee, times: bytes) -> str:
    meeting = attendee.meeting
    if attendee.contact is None or attendee.contact.removed_at is not None or meeting.state == MeetingState.DRAFT:
        return "closed"
    if meeting.state == MeetingState.CANCELLED:
        return "cancelled"
    if times != _times(meeting):
        return "newer"
    if meeting.state == MeetingState.HELD or meeting.starts_at <= timezone.now():
        return "begun"
    if attendee.answered_at is not None:
        return "answered"
    if meeting.answer_by is not None and meeting.answer_by < timezone.localdate():
        return "late"
    return "open"


# Answers


@transaction.atomic
def answer_by_link(key: str, *, answer: str, note: str) -> Opened | None:
    """Record the answer that the link gives, once: one who pressed twice has answered once, and the first answer stays."""
    found = opened(key)
    if found is None:
        return None
    Attendee.objects.select_for_update(of=("self",)).get(pk=found.attendee.pk)
    found = opened(key)  # as it is now that nobody else writes
    if found is not None and found.state == "open":
        _write(found.attendee, answer, note, AnswerWay.LINK)
        return Opened(found.attendee, "answered")
    return found


@transaction.atomic
def answer_for_oneself(meeting: Meeting, *, by: User, answer: str, note: str) -> Attendee:
    """Signed in: an answer may be changed until the meeting begins. Raises Refused for who was not called."""
    attendee = _locked(Q(meeting=meeting, contact__user=by))
    if attendee is None:
        raise Refused(gettext("You were not called to this meeting by name; tell the office who comes."))
    _refuse_unless_ahead(attendee.meeting)
    _write(attendee, answer, note, AnswerWay.PAGE)
    return attendee


@transaction.atomic
def answer_told(attendee: Attendee, *, by: User, answer: str, note: str) -> Attendee:
    """What somebody told the office by telephone or wrote to it; until the meeting begins."""
    require(access.may_send_calls(by, attendee.meeting))
    found = _locked(Q(pk=attendee.pk))
    if found is None:
        raise Refused(gettext("This person is not called any more."))
    _refuse_unless_ahead(found.meeting)
    _write(found, answer, note, AnswerWay.OFFICE)
    return found


@transaction.atomic
def take_reply(meeting: Meeting, raw: bytes, *, by: User) -> Attendee:
    """Record what a calendar program answered (a file with METHOD:REPLY). Raises Refused, with a sentence, for a file that
    is no answer, is about another meeting or an earlier time of it, or comes from somebody who was not called."""
    require(access.may_send_calls(by, meeting))
    reply = ics.reply_in(raw)
    if reply.meeting_id != meeting.pk:
        raise Refused(gettext("This answer is about another meeting."))
    address = Q(contact__user__email__iexact=reply.address) | Q(
        contact__user__isnull=True, contact__email__iexact=reply.address
    )
    attendee = _locked(Q(meeting=meeting) & address) if reply.address else None
    if attendee is None:
        raise Refused(gettext("Nobody with the address in this file was called to this meeting."))
    meeting = attendee.meeting
    if meeting.state == MeetingState.CANCELLED:
        raise Refused(gettext("The meeting is cancelled; the answer was not recorded."))
    _refuse_unless_ahead(meeting)
    if reply.sequence != meeting.sequence and reply.starts_at != meeting.starts_at:
        raise Refused(gettext("This answers an earlier call; the meeting was changed since."))
    if (attendee.answer, attendee.answer_note) != (reply.answer, reply.note):
        _write(attendee, reply.answer, reply.note, AnswerWay.CALENDAR)
    return attendee


def _locked(which: Q) -> Attendee | None:
    found: Attendee | None = (
        Attendee.objects.select_for_update(of=("self",)).select_related("meeting").filter(which).order_by("pk").first()
    )
    return found


def _refuse_unless_ahead(meeting: Meeting) -> None:
    if meeting.state == MeetingState.CANCELLED:
        raise Refused(gettext("The meeting is cancelled; there is nothing to answer."))
    if meeting.state != MeetingState.CALLED or meeting.starts_at <= timezone.now():
        raise Refused(gettext("Answers are taken from the call until the meeting begins."))


def _write(attendee: Attendee, answer: str, note: str, way: models.TextChoices) -> None:
    attendee.answer, attendee.answer_note, attendee.answer_way = answer, note, way
    attendee.answered_at = timezone.now()
    attendee.save(update_fields=["answer", "answer_note", "answer_way", "answered_at"])
