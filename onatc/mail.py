"""The outbox: a mail is a row first, written in the transaction of the act it tells of, and sent afterwards.

`occasion` makes a mail unique: it is queued once however often the job that asks for it runs. A resend carries the same
Message-ID, so that a mail which was sent just before a crash shows up once.

What can wait is not sent at night; who chose one mail a day gets a digest in the morning; who does not want a kind of
mail does not get it, where the kind may be refused at all.
"""

from __future__ import annotations

import email.policy
import logging
import re
from datetime import datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import make_msgid
from functools import partial
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.mail import EmailMultiAlternatives
from django.db import models, transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from onatc.ids import new_id

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 12  # the last one comes more than a day after the first
MAX_PAUSE = timedelta(hours=6)
NIGHT_BEGINS, NIGHT_ENDS = 21, 7  # by the office's clock


class Kind(models.TextChoices):
    """What a mail is about. Mails on the account and on what the law obliges an institution to report come always."""

    ACCOUNT = "account", _("your account and its security")
    REMINDER = "reminder", _("reminders of reports that are due")
    REVIEW = "review", _("answers to what you submitted")
    NOTICE = "notice", _("notices of the office")
    DIGEST = "digest", _("daily digest")


AT_ONCE = frozenset({Kind.ACCOUNT, Kind.DIGEST})  # at night too, and never in a digest
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
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("to")
    )
    address = models.EmailField(_("e-mail address"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.NOTICE)
    occasion = models.CharField(_("occasion"), max_length=200, unique=True)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    is_secret = models.BooleanField(default=False)  # holds a link that opens something: forgotten once sent
    message_id = models.CharField(max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=MessageState, default=MessageState.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
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


def not_at_night(at: datetime) -> datetime:
    """`at`, or the next morning at seven when `at` lies in the night, by the office's clock."""
    if not is_night(at):
        return at
    local = timezone.localtime(at)
    day = local.date() + timedelta(days=1) if local.hour >= NIGHT_BEGINS else local.date()
    return timezone.make_aware(datetime.combine(day, time(NIGHT_ENDS)))


def queue(user: Any, *, occasion: str, template: str, context: dict[str, Any], kind: str = Kind.NOTICE) -> bool:
    """Put a mail to `user`, in the user's language, into the outbox; False when that occasion was served before, or the
    user does not want that kind.

    Reads `mail/<template>.subject`, `.txt` and `.html`. A mail holds no content that is confidential, only links.
    """
    if kind in user.mail_refused and may_refuse(user, kind):
        return False
    with override(user.language):
        data = {"user": user, "site_url": settings.SITE_URL.rstrip("/"), **context}
        subject = " ".join(render_to_string(f"mail/{template}.subject", data).split())
        text = render_to_string(f"mail/{template}.txt", data).strip() + "\n"
        html = render_to_string(f"mail/{template}.html", data)
    return _put(user, user.email, occasion, subject, text, html, kind, is_secret=False)


def queue_text(
    *, user: Any, address: str, subject: str, text: str, kind: str, occasion: str = "", is_secret: bool = False
) -> bool:
    """Put a mail that is written already into the outbox; `user` is None for whoever has no account yet."""
    number = str(new_id())
    return _put(user, address, occasion or f"{kind} {number}", subject, text.strip() + "\n", "", kind, is_secret)


def _put(
    user: Any, address: str, occasion: str, subject: str, text: str, html: str, kind: str, is_secret: bool
) -> bool:
    waits = user is not None and user.mail_digest and kind not in AT_ONCE
    message = Message(
        to=user,
        address=address,
        kind=kind,
        occasion=occasion[:200],
        subject=" ".join(subject.split())[:200],
        text=text,
        html=html,
        is_secret=is_secret,
        message_id=make_msgid(domain="onatc"),
        state=MessageState.HELD if waits else MessageState.QUEUED,
        next_attempt_at=timezone.now() if kind in AT_ONCE else not_at_night(timezone.now()),
    )
    if Message.objects.filter(occasion=message.occasion).exists():
        return False
    Message.objects.bulk_create([message], ignore_conflicts=True)
    if not Message.objects.filter(pk=message.pk).exists():
        return False
    transaction.on_commit(partial(_nudge))
    return True


def _nudge() -> None:
    from onatc.tasks import send_messages

    try:
        send_messages.apply_async(retry=False)
    except Exception as error:
        # The outbox is the truth; beat sends what waits.
        logger.warning("the mail task could not be published: %s", type(error).__name__)


def send_waiting(limit: int = 200) -> int:
    """Send what is due, one row at a time; how many went out. Safe to run twice at once."""
    sent = 0
    for _index in range(limit):
        now = timezone.now()
        with transaction.atomic():
            # One that is still "being sent" after ten minutes was interrupted: it goes again under the same id.
            message = (
                Message.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(state__in=[MessageState.QUEUED, MessageState.SENDING], next_attempt_at__lte=now)
                .select_related("to")
                .order_by("created_at")
                .first()
            )
            if message is None:
                return sent
            message.state = MessageState.SENDING
            message.attempts += 1
            message.next_attempt_at = now + timedelta(minutes=10)
            message.save(update_fields=["state", "attempts", "next_attempt_at"])
        sent += _send(message)
    return sent


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many failures: 2, 4, 8 … minutes, six hours at most."""
    return min(timedelta(minutes=2**attempts), MAX_PAUSE)


def _send(message: Message) -> int:
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        settings.DEFAULT_FROM_EMAIL,
        [message.to.email if message.to else message.address],
        headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    # The attempt is part of the condition: who was given up on and wakes up late changes nothing.
    mine = Message.objects.filter(pk=message.pk, state=MessageState.SENDING, attempts=message.attempts)
    try:
        mail.send()
    except Exception as error:
        # Whatever the mail server or the way to it did wrong: later again, and visibly failed in the end.
        reason = type(error).__name__
        if message.attempts >= MAX_ATTEMPTS:
            mine.update(state=MessageState.FAILED, error=reason)
        else:
            mine.update(
                state=MessageState.QUEUED, error=reason, next_attempt_at=timezone.now() + pause_after(message.attempts)
            )
        logger.warning("message %s was not sent: %s", message.pk, reason)
        return 0
    forgotten = {"text": "", "html": ""} if message.is_secret else {}
    mine.update(state=MessageState.SENT, error="", sent_at=timezone.now(), **forgotten)
    return 1


def try_again(message: Message) -> bool:
    """Put a failed mail back into the queue; False when it has not failed, or its link was forgotten."""
    return bool(
        Message.objects.filter(pk=message.pk, state__in=[MessageState.FAILED, MessageState.BOUNCED])
        .exclude(text="")
        .update(state=MessageState.QUEUED, attempts=0, error="", next_attempt_at=timezone.now())
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
    """A mail came back: its row says so, and its reader is marked, so that the office sees whom mails do not reach."""
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(message_id=message_id.strip()).first()
        if message is None:
            return False
        message.state, message.error = MessageState.BOUNCED, reason[:200]
        message.save(update_fields=["state", "error"])
        if message.to_id:
            get_user_model()._default_manager.filter(pk=message.to_id, mail_failing_since__isnull=True).update(
                mail_failing_since=timezone.now()
            )
    return True


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
    return render(request, "onatc/demo_mail.html", {"mails": demonstration_mails()})


def stuck() -> models.QuerySet[Message]:
    """Mails that should have gone out an hour ago, for the status page."""
    return Message.objects.filter(
        Q(state=MessageState.QUEUED) | Q(state=MessageState.SENDING),
        next_attempt_at__lt=timezone.now() - timedelta(hours=1),
    )
