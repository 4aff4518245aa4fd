"""The outbox: a mail is a row first, written in the transaction of the act it tells of, and sent afterwards.

`occasion` makes a mail unique: it is queued once however often the job that asks for it runs. A resend carries the same
Message-ID, so that a mail which was sent just before a crash shows up once.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from email.utils import make_msgid
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import models, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from onatc.ids import new_id

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8


class MessageState(models.TextChoices):
    QUEUED = "queued", _("waiting")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")


class Message(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("to"))
    occasion = models.CharField(_("occasion"), max_length=200, unique=True)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    message_id = models.CharField(max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=MessageState, default=MessageState.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent on"), null=True, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="message_to_send")]

    def __str__(self) -> str:
        return self.subject


def queue(user: Any, *, occasion: str, template: str, context: dict[str, Any]) -> bool:
    """Put a mail to `user`, in the user's language, into the outbox; False when that occasion was served before.

    Reads `mail/<template>.subject`, `.txt` and `.html`. A mail holds no content that is confidential, only links.
    """
    with override(user.language):
        data = {"user": user, "site_url": settings.SITE_URL.rstrip("/"), **context}
        subject = " ".join(render_to_string(f"mail/{template}.subject", data).split())
        text = render_to_string(f"mail/{template}.txt", data).strip() + "\n"
        html = render_to_string(f"mail/{template}.html", data)
    message = Message(
        to=user,
        occasion=occasion,
        subject=subject[:200],
        text=text,
        html=html,
        message_id=make_msgid(domain="onatc"),
    )
    if Message.objects.filter(occasion=occasion).exists():
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
                Message.objects.select_for_update(skip_locked=True)
                .filter(Q(state=MessageState.QUEUED) | Q(state=MessageState.SENDING), next_attempt_at__lte=now)
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


def _send(message: Message) -> int:
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        settings.DEFAULT_FROM_EMAIL,
        [message.to.email],
        headers={"Message-ID": message.message_id},
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    try:
        mail.send()
    except Exception as error:
        # Whatever the mail server or the way to it did wrong: later again, and visibly failed in the end.
        message.error = type(error).__name__
        if message.attempts >= MAX_ATTEMPTS:
            message.state = MessageState.FAILED
        else:
            message.state = MessageState.QUEUED
            message.next_attempt_at = timezone.now() + timedelta(minutes=2**message.attempts)
        message.save(update_fields=["state", "error", "next_attempt_at"])
        logger.warning("message %s was not sent: %s", message.pk, message.error)
        return 0
    message.state, message.error, message.sent_at = MessageState.SENT, "", timezone.now()
    message.save(update_fields=["state", "error", "sent_at"])
    return 1
