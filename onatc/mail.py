"""The outbox: a mail is a row first, written in the transaction of the act it tells of, and sent afterwards.

`occasion` makes a mail unique: it is queued once however often the job that asks for it runs. When nobody knows whether a
mail went out (the line broke after its content, or the sender died), it goes once more under the same Message-ID, and if
that is unclear too it fails visibly. What the server refuses for good fails at once; what passes by itself is tried again
for four days. While the server is away one mail at a time finds out, so that nothing else waits for it.

What can wait is not sent at night; who chose one mail a day gets a digest in the morning; who does not want a kind of
mail does not get it, where the kind may be refused at all. What a mail said is forgotten thirty days later.

A mail may carry a calendar object and files of the store. The object goes twice, as calendar programs want it: as a part
beside text and HTML, whose type names the method (RFC 6047, 2.4; Outlook and Google show the buttons by it), and as the file
`invite.ics` for whoever opens it by hand. Files are read when the mail is sent: one that is gone fails the mail visibly.
"""

from __future__ import annotations

import email.policy
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import make_msgid
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.defaultfilters import linebreaks_filter, urlize
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from onatc.delivery import Delivery, Result, deliver
from onatc.ids import new_id
from onatc.store import AWAY as AWAY_STORE

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(days=4)  # RFC 5321, 4.5.4.1
MAX_PAUSE = timedelta(hours=6)
PAUSE_WHILE_AWAY = timedelta(minutes=5)  # asking a server that is away costs one try a minute, however many wait
SENDING_TAKES = timedelta(minutes=10)  # after that a mail that is still "being sent" was interrupted
SECONDS_A_TASK = 240  # a slow server holds the worker for no longer
CLOCK_SLACK = timedelta(seconds=5)
AWAY, UNCLEAR = "away: ", "unclear: "  # how the reason of what is tried again begins
FILE_GONE = "a file that goes with it is not in the store"
WHAT_IT_SAID: dict[str, Any] = {"text": "", "html": "", "calendar": "", "attachments": []}  # once it is forgotten
FORGET_AFTER, FORGET_SECRETS_AFTER = timedelta(days=30), timedelta(days=7)
NIGHT_BEGINS, NIGHT_ENDS = 21, 7  # by the office's clock


class Kind(models.TextChoices):
    """What a mail is about. Mails on the account, on what the law obliges an institution to report, calls to meetings and
    referrals come always."""

    ACCOUNT = "account", _("your account and its security")
    REMINDER = "reminder", _("reminders of reports that are due")
    REVIEW = "review", _("answers to what you submitted")
    NOTICE = "notice", _("notices of the office")
    MEETING = "meeting", _("calls to meetings")
    SOON = "soon", _("news of a meeting that begins before the next morning")
    REFERRAL = "referral", _("referrals that wait for an answer")
    DIGEST = "digest", _("daily digest")


NEVER_IN_DIGEST = frozenset({Kind.ACCOUNT, Kind.DIGEST, Kind.MEETING, Kind.SOON, Kind.REFERRAL})
AT_NIGHT_TOO = frozenset({Kind.ACCOUNT, Kind.SOON, Kind.REFERRAL})
REFUSABLE = (Kind.REVIEW, Kind.NOTICE)


def may_refuse(user: Any, kind: str) -> bool:
    """Reviews and notices may be refused by all; reminders only by whoever owes no reports."""
    return kind in REFUSABLE or (kind == Kind.REMINDER and not user.is_reporter)


class MessageState(models.TextChoices):
    QUEUED = "queued", _("waiting")
    HELD = "held", _("waiting for the digest")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    BOUNCED = "bounced", _("came back")


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: Any) -> Self:
        """One's own; nobody reads another's mail here."""
        return self.filter(to=user) if user.is_authenticated else self.none()


class Message(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("mail", "to"),
    )
    address = models.EmailField(_("e-mail address"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.NOTICE)
    occasion = models.CharField(_("occasion"), max_length=200, unique=True)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True, default="", db_default="")  # an iCalendar object that goes with it
    calendar_method = models.CharField(
        max_length=10, blank=True, default="", db_default=""
    )  # REQUEST, CANCEL (RFC 5546)
    reply_to = models.EmailField(blank=True, default="", db_default="")
    attachments = models.JSONField(
        default=list, blank=True, db_default=[]
    )  # of {"file": name in the store, "name", "type"}
    is_secret = models.BooleanField(default=False)  # holds a link that opens something: forgotten once sent
    message_id = models.CharField(max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=MessageState, default=MessageState.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now, db_default=Now())  # since when it is tried
    unclear = models.PositiveSmallIntegerField(default=0, db_default=0)  # times it may have gone out or not
    remote_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    error = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent on"), null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="message_to_send")]

    def __str__(self) -> str:
        return str(self.get_kind_display())  # never the subject: lists of administrators and logs show it


def is_night(at: datetime) -> bool:
    hour = timezone.localtime(at).hour
    return hour >= NIGHT_BEGINS or hour < NIGHT_ENDS


def next_morning(at: datetime) -> datetime:
    """The next end of a night after `at`, by the office's clock."""
    local = timezone.localtime(at)
    day = local.date() if local.hour < NIGHT_ENDS else local.date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, time(NIGHT_ENDS)))


def not_at_night(at: datetime) -> datetime:
    """`at`, or the next morning at seven when `at` lies in the night, by the office's clock."""
    return next_morning(at) if is_night(at) else at


@dataclass(frozen=True)
class Enclosed:
    """What goes with a mail: an iCalendar object with its method, files of the store, whom an answer goes to.

    `files` are dictionaries of `file` (its name in the store), `name` and `type`.
    """

    calendar: str = ""
    method: str = ""
    reply_to: str = ""
    files: Sequence[dict[str, str]] = ()


NOTHING = Enclosed()


def queue(
    user: Any,
    *,
    occasion: str,
    template: str,
    context: dict[str, Any],
    kind: str = Kind.NOTICE,
    address: str = "",
    language: str = "",
    name: str = "",
    enclosed: Enclosed = NOTHING,
    is_secret: bool = False,
) -> bool:
    """Put a mail to `user`, in the user's language, into the outbox; False when that occasion was served before, or the
    user does not want that kind. Whoever has no account (`user` None) is written to by `address`, `language` and `name`.

    Reads `mail/<template>.subject`, `.txt` and, where the HTML is more than the text's paragraphs, `.html`: what stands
    between greeting and signature (`mail/frame.*`). A mail holds no content that is confidential, only links.
    """
    if user is not None and kind in user.mail_refused and may_refuse(user, kind):
        return False
    with override(user.language if user is not None else language or settings.LANGUAGE_CODE):
        data = {"user": user, "site_url": settings.SITE_URL.rstrip("/"), **context}
        subject = render_to_string(f"mail/{template}.subject", data)
        text = render_to_string(f"mail/{template}.txt", data)
        try:
            html: str | None = render_to_string(f"mail/{template}.html", data)
        except TemplateDoesNotExist:
            html = None
        if user is not None:
            address, name = user.email, user.full_name
        return _put(
            user, address, occasion, subject, text, html, kind, name=name, enclosed=enclosed, is_secret=is_secret
        )


def queue_text(
    *,
    user: Any,
    address: str,
    subject: str,
    text: str,
    kind: str,
    occasion: str = "",
    is_secret: bool = False,
    language: str = "",
    name: str = "",
    enclosed: Enclosed = NOTHING,
) -> bool:
    """Put a mail that is written already into the outbox; `user` is None for whoever has no account yet."""
    with override(language or (user.language if user else settings.LANGUAGE_CODE)):
        return _put(
            user, address, occasion or f"{kind} {new_id()}", subject, text, None, kind, is_secret=is_secret, name=name,
            enclosed=enclosed,
        )  # fmt: skip


def _put(
    user: Any,
    address: str,
    occasion: str,
    subject: str,
    text: str,
    html: str | None,
    kind: str,
    *,
    is_secret: bool = False,
    name: str = "",
    enclosed: Enclosed = NOTHING,
) -> bool:
    """Called in the reader's language. What waits for the digest is kept without greeting and signature; what carries a
    calendar object or a file does not wait, since a digest carries neither."""
    waits = user is not None and user.mail_digest and kind not in NEVER_IN_DIGEST and enclosed == NOTHING
    subject, text = " ".join(subject.split())[:200], text.strip()
    html = html or linebreaks_filter(urlize(text))
    if not waits:
        text, html = _framed("txt", subject, text, user, name), _framed("html", subject, html, user, name)
    message = Message(
        to=user,
        address=address,
        kind=kind,
        occasion=occasion[:200],
        subject=subject,
        text=text,
        html=html,
        calendar=enclosed.calendar,
        calendar_method=enclosed.method,
        reply_to=enclosed.reply_to,
        attachments=list(enclosed.files),
        is_secret=is_secret,
        message_id=make_msgid(domain="onatc"),
        state=MessageState.HELD if waits else MessageState.QUEUED,
        next_attempt_at=_due(timezone.now(), kind),
    )
    if Message.objects.filter(occasion=message.occasion).exists():
        return False
    Message.objects.bulk_create([message], ignore_conflicts=True)
    if not Message.objects.filter(pk=message.pk).exists():
        return False
    transaction.on_commit(partial(_nudge))
    return True


def _framed(form: str, subject: str, body: str, user: Any, name: str) -> str:
    """The body with greeting, signature, and the way to choose which mails one gets."""
    language = {"sr-latn": "sr-Latn"}.get(get_language() or "", get_language())
    data = {
        "subject": subject,
        "name": name,
        "language": language,
        "preferences_url": preferences_url() if user is not None else "",
        "body": body,  # HTML was escaped where it was made: by its template, or by urlize
    }
    return render_to_string(f"mail/frame.{form}", data).strip() + "\n"


def preferences_url() -> str:
    return settings.SITE_URL.rstrip("/") + reverse("mail-preferences")


def _due(at: datetime, kind: str) -> datetime:
    return at if kind in AT_NIGHT_TOO else not_at_night(at)


def _nudge() -> None:
    from onatc.tasks import send_messages

    try:
        send_messages.apply_async(retry=False)
    except Exception as error:
        # The outbox is the truth; beat sends what waits.
        logger.warning("the mail task could not be published: %s", type(error).__name__)


def send_waiting(limit: int = 200) -> int:
    """Send what is due, one row at a time; how many went out. Safe to run twice at once.

    When the server itself fails, the rest waits for the next minute's try; when it answers again, what it kept waiting
    goes at once.
    """
    _follow_a_clock_set_back()
    sent, began = 0, monotonic()
    for _index in range(limit):
        message = _claim() if monotonic() - began < SECONDS_A_TASK else None
        if message is None:
            break
        result = _send(message)
        if result in (Result.AWAY, Result.UNKNOWN):
            break
        if result is Result.TAKEN:
            sent += 1
            if sent == 1:
                Message.objects.filter(state=MessageState.QUEUED, error__startswith=AWAY).update(
                    next_attempt_at=timezone.now()
                )
    return sent


def _claim() -> Message | None:
    """The mail that has been due for longest, now "being sent" by the caller."""
    while True:
        now = timezone.now()
        with transaction.atomic():
            due = Message.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                state__in=[MessageState.QUEUED, MessageState.SENDING], next_attempt_at__lte=now
            )
            if is_night(now):
                due = due.filter(kind__in=AT_NIGHT_TOO)
            # The key first: sorting thousands of whole mails to take one of them costs more than sending it.
            number = due.order_by("next_attempt_at", "created_at").values_list("pk", flat=True).first()
            if number is None:
                return None
            message = Message.objects.select_related("to").get(pk=number)
            if message.state == MessageState.SENDING:
                message.unclear += 1
            message.state = MessageState.SENDING
            if message.unclear > 1:
                message.state, message.error = MessageState.FAILED, UNCLEAR + "interrupted"
            else:
                message.attempts += 1
                message.next_attempt_at = now + SENDING_TAKES
            message.save(update_fields=["state", "error", "attempts", "unclear", "next_attempt_at"])
        if message.state == MessageState.SENDING:
            return message


def _follow_a_clock_set_back() -> None:
    """A moment further ahead than any pause is long was written before the clock was set back: it becomes now."""
    now = timezone.now()
    longest = MAX_PAUSE + timedelta(hours=24 - NIGHT_BEGINS + NIGHT_ENDS + 1) + CLOCK_SLACK
    Message.objects.filter(state=MessageState.QUEUED, next_attempt_at__gt=now + longest).update(next_attempt_at=now)
    Message.objects.filter(state=MessageState.SENDING, next_attempt_at__gt=now + SENDING_TAKES + CLOCK_SLACK).update(
        next_attempt_at=now + SENDING_TAKES
    )


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many failures: 2, 4, 8 … minutes, six hours at most."""
    return min(timedelta(minutes=2 ** min(attempts, 9)), MAX_PAUSE)


def _send(message: Message) -> Result:
    headers = {"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"}
    if message.to is not None and may_refuse(message.to, message.kind):
        headers["List-Unsubscribe"] = f"<{preferences_url()}>"
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        settings.DEFAULT_FROM_EMAIL,
        [message.to.email if message.to else message.address],
        headers=headers,
        reply_to=[message.reply_to] if message.reply_to else None,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    try:
        _enclose(mail, message)
    except FileNotFoundError:
        delivery = Delivery(Result.REFUSED, FILE_GONE)
    except AWAY_STORE as error:
        delivery = Delivery(Result.LATER, f"store: {type(error).__name__}")
    else:
        delivery = deliver(mail)
    if delivery.result is not Result.TAKEN:
        logger.warning("message %s was not sent: %s %s", message.pk, delivery.result.value, delivery.reason)
    _write_down(message, delivery)
    return delivery.result


def _enclose(mail: EmailMultiAlternatives, message: Message) -> None:
    """Put the calendar object and the files into the mail. Raises FileNotFoundError for a file that is not in the store,
    and what the store raises when it does not answer."""
    if message.calendar:
        # The part has lines as the mail has them; the file has those of the standard.
        mail.attach_alternative(
            message.calendar.replace("\r\n", "\n"), f"text/calendar; method={message.calendar_method}"
        )
        mail.attach("invite.ics", message.calendar.encode(), "application/ics")
    for one in message.attachments:
        if not default_storage.exists(one["file"]):
            raise FileNotFoundError
        with default_storage.open(one["file"], "rb") as file:
            mail.attach(one["name"], file.read(), one["type"])


def _write_down(message: Message, delivery: Delivery) -> None:
    now, result = timezone.now(), delivery.result
    values: dict[str, Any] = {"error": delivery.reason[:200]}
    if result is Result.TAKEN:
        values = {"state": MessageState.SENT, "error": "", "sent_at": now, "remote_id": delivery.remote_id[:200]}
        if message.is_secret:
            values |= WHAT_IT_SAID
    elif result is Result.BOUNCED:
        values["state"] = MessageState.BOUNCED
    elif result is Result.REFUSED or now - message.queued_at > GIVE_UP_AFTER:
        values["state"] = MessageState.FAILED
    elif result is Result.UNKNOWN and message.unclear:
        values |= {"state": MessageState.FAILED, "unclear": message.unclear + 1, "error": UNCLEAR + delivery.reason}
    else:
        values["state"] = MessageState.QUEUED
        values["next_attempt_at"] = _due(now + pause_after(message.attempts), message.kind)
        if result is Result.AWAY:  # which says nothing about this mail
            values["error"], values["attempts"] = (AWAY + delivery.reason)[:200], message.attempts - 1
            values["next_attempt_at"] = _due(now + PAUSE_WHILE_AWAY, message.kind)
        if result is Result.UNKNOWN:
            values |= {"unclear": message.unclear + 1, "error": UNCLEAR + delivery.reason}
    # The moment of the claim is part of the condition: who was given up on and wakes up late changes nothing.
    mine = Message.objects.filter(
        pk=message.pk,
        state=MessageState.SENDING,
        attempts=message.attempts,
        next_attempt_at=message.next_attempt_at,
    )
    if mine.update(**values) and result is Result.BOUNCED:
        _mark_reader(message.to_id)


def _mark_reader(user_id: Any) -> None:
    """The office sees on "People and access" whom mails do not reach."""
    if user_id is not None:
        get_user_model()._default_manager.filter(pk=user_id, mail_failing_since__isnull=True).update(
            mail_failing_since=timezone.now()
        )


def try_again(message: Message) -> bool:
    """Put a failed mail back into the queue; False when it has not failed, or its link was forgotten."""
    return bool(
        Message.objects.filter(pk=message.pk, state__in=[MessageState.FAILED, MessageState.BOUNCED])
        .exclude(text="")
        .update(
            state=MessageState.QUEUED,
            attempts=0,
            unclear=0,
            error="",
            next_attempt_at=timezone.now(),
            queued_at=timezone.now(),
        )
    )


def send_digests() -> int:
    """One mail for each person with held messages: their subjects and links, whole. Run each morning; how many."""
    users = get_user_model()._default_manager.filter(
        pk__in=Message.objects.filter(state=MessageState.HELD).values("to")
    )
    count = 0
    for user in users:
        with transaction.atomic():
            held = list(
                Message.objects.select_for_update().filter(to=user, state=MessageState.HELD).order_by("created_at")
            )
            if not held:
                continue
            count += queue(
                user,
                occasion=f"digest {user.pk} {held[-1].pk}",
                template="digest",
                context={"held": held},
                kind=Kind.DIGEST,
            )
            Message.objects.filter(pk__in=[one.pk for one in held]).update(
                state=MessageState.SENT, sent_at=timezone.now()
            )
    return count


def note_bounce(message_id: str, reason: str) -> bool:
    """A mail came back: its row says so, and its reader is marked. `message_id` is ours, or the mail service's."""
    number = message_id.strip()
    with transaction.atomic():
        message = (
            Message.objects.select_for_update().filter(Q(message_id=number) | Q(remote_id=number)).first()
            if number
            else None
        )
        if message is None:
            return False
        message.state, message.error = MessageState.BOUNCED, reason[:200]
        message.save(update_fields=["state", "error"])
        _mark_reader(message.to_id)
    return True


def note_service_event(sender: Any, event: Any, **_kwargs: Any) -> None:
    """What a mail service tells by its webhook (django-anymail): only that a mail did not arrive is of interest."""
    if event.event_type in ("bounced", "rejected", "failed"):
        note_bounce(event.message_id or "", event.reject_reason or event.event_type)


def forget_person(address: str) -> None:
    """The data of somebody without an account is removed: what waits for the address is never sent, and what was sent is
    forgotten as `forget_old` does. A mail that is being sent at this moment is left to its sender."""
    if not address:
        return
    mails = Message.objects.filter(to=None, address__iexact=address)
    mails.filter(state__in=[MessageState.QUEUED, MessageState.HELD]).delete()
    mails.exclude(state=MessageState.SENDING).update(**WHAT_IT_SAID, address="", subject="", reply_to="")


def forget_old() -> int:
    """What mails said and whom without an account they went to is forgotten, a link that was never sent sooner; that
    and when there was a mail stays, so that no occasion is served twice. Run each day; how many."""
    now = timezone.now()
    return (
        Message.objects.filter(state__in=[MessageState.SENT, MessageState.FAILED, MessageState.BOUNCED])
        .filter(Q(created_at__lt=now - FORGET_AFTER) | Q(is_secret=True, created_at__lt=now - FORGET_SECRETS_AFTER))
        .exclude(**WHAT_IT_SAID, address="", subject="", reply_to="")
        .update(**WHAT_IT_SAID, address="", subject="", reply_to="")
    )


def bounce_in(raw: bytes) -> tuple[str, str] | None:
    """(Message-ID, reason) of a delivery status notification (RFC 3464) that says "failed"; None for any other mail."""
    mail = message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    status, original, failed = "", "", False
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in part.get_payload():  # type: ignore[union-attr]
                failed = failed or str(block.get("Action", "")).strip().lower() == "failed"  # type: ignore[union-attr]
                status = status or str(block.get("Status", "")).strip()  # type: ignore[union-attr]
        elif kind == "message/rfc822" and (inner := part.get_payload()):
            original = original or str(inner[0].get("Message-ID", ""))  # type: ignore[index,union-attr]
        elif kind == "text/rfc822-headers":
            headers = message_from_bytes(
                part.get_content().encode() if isinstance(part.get_content(), str) else part.get_content()
            )
            original = original or str(headers.get("Message-ID", ""))
    if not failed or not original:
        return None
    return original, status or "failed"


def demonstration_mails(limit: int = 50) -> list[dict[str, str]]:
    """What a demonstration would have sent: the newest mails of the folder that stands for the mail server."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", "") or "missing")
    found: list[dict[str, str]] = []
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True) if folder.is_dir() else []
    for file in files[:limit]:
        for raw in reversed(re.split(rb"\n-{79}\n", file.read_bytes())):
            if not raw.strip():
                continue
            one = message_from_bytes(raw.lstrip(), policy=email.policy.default)
            body = one.get_body(("plain",))  # type: ignore[attr-defined]
            found.append(
                {
                    "subject": str(one["Subject"]),
                    "to": str(one["To"]),
                    "date": str(one["Date"]),
                    "text": body.get_content() if body else "",
                }
            )
    return found[:limit]


@login_not_required
@require_safe
def demo_mail(request: HttpRequest) -> HttpResponse:
    """Open to all in a demonstration, since whoever is invited reads the mail before there is an account."""
    if not settings.DEMO:
        raise Http404
    waiting = Message.objects.filter(state=MessageState.QUEUED).count() if is_night(timezone.now()) else 0
    return render(request, "onatc/demo_mail.html", {"mails": demonstration_mails(), "waiting": waiting})


def stuck() -> models.QuerySet[Message]:
    """Mails that should have gone out an hour ago, or for which the mail server has been away so long."""
    hour_ago = timezone.now() - timedelta(hours=1)
    return Message.objects.filter(
        Q(next_attempt_at__lt=hour_ago) | Q(error__startswith=AWAY, queued_at__lt=hour_ago),
        state__in=[MessageState.QUEUED, MessageState.SENDING],
    )
