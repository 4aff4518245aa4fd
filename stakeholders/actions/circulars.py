"""Circulars and newsletters: written, sent once to those whom they are for, opened and confirmed by them.

Sending settles whom it goes to, in one transaction with the press of the button; a job then queues the mails, a batch a
transaction that also marks whom they went to. What is killed between two batches goes on at the next, what is killed inside
one leaves nothing of it; the occasion of each mail is its recipient, so nothing goes out twice (onatc.mail).
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import override

from onatc import jobs, mail
from onatc.dated_settings import due_day
from onatc.errors import Refused, require
from onatc.mail import Message, MessageState
from onatc.models import Job
from onatc.texts import COLUMNS
from stakeholders import access
from stakeholders.actions.records import Stale, keep_files, locked, make_once, save, set_fields
from stakeholders.audience import audience_of, is_for_members_only, keep_contact
from stakeholders.models import (
    Body,
    Circular,
    CircularFile,
    CircularKind,
    CircularRecipient,
    CircularState,
    Institution,
    User,
)
from stakeholders.models.accounts import hashed

BATCH = 100  # mails that are queued in one transaction
LINK_DAYS = 90  # for so long after the sending a link of a mail opens it


def _draft(circular: Circular, by: User) -> Circular:
    circular = locked(circular)
    require(access.may_write_circular(by))
    if circular.state != CircularState.DRAFT:
        raise Refused(_("It was sent; what was sent does not change."))
    return circular


def _set_audience(circular: Circular, bodies: Iterable[Body], institutions: Iterable[Institution]) -> bool:
    """Whether anything changed."""
    changed = False
    pairs: tuple[tuple[Any, Iterable[Any]], ...] = ((circular.bodies, bodies), (circular.institutions, institutions))
    for relation, wanted in pairs:
        keys = {one.pk for one in wanted}
        if set(relation.values_list("pk", flat=True)) != keys:
            relation.set(keys)
            changed = True
    return changed


def _moved(values: dict[str, Any]) -> dict[str, Any]:
    """The day to confirm by moves as due days do."""
    day = values.get("confirm_by")
    return values | {"confirm_by": due_day(day, not_before=timezone.localdate())} if day else values


@transaction.atomic
def write(
    key: uuid.UUID, values: dict[str, Any], *, by: User, bodies: Iterable[Body] = (), institutions: Iterable[Institution] = ()
) -> Circular:  # fmt: skip
    """A draft; a form sent twice writes one."""
    require(access.may_write_circular(by))
    circular, is_new = make_once(Circular(**_moved(values), created_by=by), key, maker="created_by")
    if is_new:
        _set_audience(circular, bodies, institutions)
    return circular  # type: ignore[no-any-return]


@transaction.atomic
def change(
    circular: Circular, values: dict[str, Any], *, by: User, revision: int, bodies: Iterable[Body] = (),
    institutions: Iterable[Institution] = (),
) -> Circular:  # fmt: skip
    circular = _draft(circular, by)
    changed = set_fields(circular, _moved(values), revision)
    if circular.revision != revision and not changed:
        raise Stale(circular, [])
    if _set_audience(circular, bodies, institutions) and not changed:
        circular.revision += 1
    return save(circular)


@transaction.atomic
def discard(circular: Circular, *, by: User, revision: int) -> None:
    circular = _draft(circular, by)
    if circular.revision != revision:
        raise Refused(_("It was changed since you opened it. Look at it again."))
    circular.files.all().delete()
    circular.delete()


@transaction.atomic
def add_files(circular: Circular, files: Iterable[UploadedFile], *, by: User, language: str = "") -> Circular:
    circular = _draft(circular, by)
    keep_files(CircularFile, files, by=by, circular=circular, language=language)
    return circular


@transaction.atomic
def remove_file(file: CircularFile, *, by: User) -> Circular:
    circular = _draft(file.circular, by)
    CircularFile.objects.filter(pk=file.pk).delete()
    return circular


def why_not_ready(circular: Circular) -> str:
    """What is missing before it can be sent; empty when nothing is."""
    written = [one for one in COLUMNS if getattr(circular, f"text_{one}").strip()]
    if not written:
        return _("Write the text in one language at least.")
    if any(not getattr(circular, f"title_{one}").strip() for one in written):
        return _("Each language in which there is a text needs a title.")
    if any(getattr(circular, f"title_{one}").strip() for one in COLUMNS if one not in written):
        return _("Each language in which there is a title needs a text. Write it, or take the title away.")
    if circular.asks_confirmation and circular.confirm_by and circular.confirm_by < timezone.localdate():
        return _("The day to confirm by has passed.")
    return ""


@transaction.atomic
def send(circular: Circular, *, by: User, revision: int) -> Job | None:
    """Settle whom it goes to and let a job send it; once, however often the button is pressed. Where the sending was
    stopped, it goes on. Gives the job, none when everything went out."""
    circular = locked(circular)
    require(access.may_send_circular(by))
    if circular.state == CircularState.SENT:
        return None
    if circular.state == CircularState.DRAFT:
        if circular.revision != revision:
            raise Refused(_("It was changed since you opened it. Look at it again."))
        if missing := why_not_ready(circular):
            raise Refused(missing)
        people = audience_of(circular).people
        if not people:
            raise Refused(_("Nobody would get it. Choose bodies or institutions where somebody is known."))
        CircularRecipient.objects.bulk_create(
            (
                CircularRecipient(
                    circular=circular, contact=keep_contact(one.contact), institution_id=one.institution_id, language=one.language,
                    has_no_address=not one.contact.address,
                )
                for one in people
            ),
            batch_size=1000,
        )  # fmt: skip
        circular.state, circular.sent_at, circular.sent_by = CircularState.SENDING, timezone.now(), by
        circular.revision += 1
        save(circular)
    return jobs.enqueue(
        "send_circular",
        key=f"circular {circular.pk}",
        title=_("Send: %(title)s") % {"title": circular.title},
        by=by,
        params={"circular": str(circular.pk)},
        total=circular.recipients.count(),
        target_url=circular.get_absolute_url(),
    )


def deliver(circular: Circular, progress: Callable[[int, int], None], *, by: User | None) -> None:
    """Queue the mails that are still to be queued; then it is sent. Rights are read again: whoever may send no longer, does
    not."""
    require(by is not None and access.may_send_circular(by))
    is_closed = is_for_members_only(circular)

    def queue(one: CircularRecipient) -> None:
        key = key_of(one)
        one.key_hash = hashed(key)
        user = one.contact.user
        wants = user is None or circular.kind != CircularKind.NEWSLETTER or mail.Kind.NOTICE not in user.mail_refused
        if wants:
            _mail(circular, one, key, f"circular {one.pk}", "circular", is_closed=is_closed)
            one.mailed_at = timezone.now()

    _in_batches(circular.recipients.filter(mailed_at__isnull=True), circular, progress, queue)
    with transaction.atomic():
        circular = locked(circular)
        if circular.state == CircularState.SENDING:
            circular.state = CircularState.SENT
            circular.revision += 1
            save(circular)


def _in_batches(
    rows: Any, circular: Circular, progress: Callable[[int, int], None], queue: Callable[[CircularRecipient], None]
) -> None:
    """Each batch is a transaction: its mails and its marks are there together, or neither is."""
    total = circular.recipients.count()
    rows = rows.filter(has_no_address=False).order_by("pk")
    done, last = total - rows.count(), None
    while True:
        with transaction.atomic():
            batch = list(
                (rows.filter(pk__gt=last) if last else rows)
                .select_for_update(of=("self",))
                .select_related("contact__user")[:BATCH]
            )
            for one in batch:
                if one.contact.removed_at is None and one.contact.address:
                    queue(one)
            CircularRecipient.objects.bulk_update(batch, ["key_hash", "mailed_at"])
            done += len(batch)
            progress(done, total)
        if len(batch) < BATCH:
            return
        last = batch[-1].pk


def key_of(recipient: CircularRecipient) -> str:
    """256 bits that the server's secret makes of the recipient, so that a reminder opens by the same link; what the
    database holds is the hash."""
    digest = salted_hmac("onatc circular", str(recipient.pk), algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _mail(
    circular: Circular, one: CircularRecipient, key: str, occasion: str, template: str, *, is_closed: bool
) -> None:
    """A notice and a link. What is for members of a body alone is not named in it."""
    contact = one.contact
    with override(one.language):
        link = settings.SITE_URL.rstrip("/") + reverse("stakeholders:circular-read", args=[key])
        data = {"circular": circular, "link": link, "is_closed": is_closed, "days": LINK_DAYS}
        subject = render_to_string(f"mail/{template}.subject", data)
        text = render_to_string(f"mail/{template}.txt", data)
    mail.queue_text(
        user=contact.user,
        address=contact.address,
        subject=subject,
        text=text,
        kind=mail.Kind.NOTICE,
        occasion=occasion,
        is_secret=True,
        language=one.language,
        name=contact.full_name,
    )


# What came back


def with_lost(rows: Any, circular: Circular) -> Any:
    """Recipients with `is_lost`: their mail failed or came back, no reminder arrived since, and they did not open it."""
    key = Cast(OuterRef("pk"), models.CharField())
    days = Job.objects.filter(key__startswith=f"remind {circular.pk} ").values_list("params__day", flat=True)
    reminders = [Concat(Value("circular "), key, Value(f" {day}")) for day in sorted(set(days))]
    first = Message.objects.filter(occasion=Concat(Value("circular "), key))
    lost = Q(Exists(first.filter(state__in=[MessageState.FAILED, MessageState.BOUNCED])), opened_at__isnull=True)
    if reminders:
        lost &= ~Q(Exists(Message.objects.filter(occasion__in=reminders, state=MessageState.SENT)))
    return rows.annotate(is_lost=models.ExpressionWrapper(lost, output_field=models.BooleanField()))


# Reminding


@transaction.atomic
def remind(circular: Circular, *, by: User) -> Job:
    """Ask those once more who have not confirmed; once a day at most. Pressed twice, it is one job."""
    circular = locked(circular)
    require(access.may_send_circular(by))
    if circular.state != CircularState.SENT or not circular.asks_confirmation:
        raise Refused(_("Only a circular that was sent and asks for a confirmation has somebody to remind."))
    if is_over(circular):
        raise Refused(_("Its links no longer open: it was sent more than %(days)s days ago.") % {"days": LINK_DAYS})
    key = f"remind {circular.pk} {timezone.localdate()}"
    today = Job.objects.filter(key=key).exclude(state__in=[jobs.JobState.FAILED, jobs.JobState.CANCELLED])
    if today.exists():
        raise Refused(_("They were reminded today already."))
    waiting = _unconfirmed(circular).count()
    if not waiting:
        raise Refused(_("Everybody who can be reminded has confirmed."))
    return jobs.enqueue(
        "remind_circular",
        key=key,
        title=_("Remind: %(title)s") % {"title": circular.title},
        by=by,
        params={"circular": str(circular.pk), "day": timezone.localdate().isoformat()},
        total=circular.recipients.count(),
        target_url=circular.get_absolute_url(),
    )


def _unconfirmed(circular: Circular) -> Any:
    return circular.recipients.filter(
        confirmed_at__isnull=True, mailed_at__isnull=False, has_no_address=False, contact__removed_at__isnull=True
    )


def deliver_reminders(circular: Circular, day: str, progress: Callable[[int, int], None], *, by: User | None) -> None:
    require(by is not None and access.may_send_circular(by))
    is_closed = is_for_members_only(circular)

    def queue(one: CircularRecipient) -> None:
        _mail(circular, one, key_of(one), f"circular {one.pk} {day}", "circular_reminder", is_closed=is_closed)

    _in_batches(_unconfirmed(circular), circular, progress, queue)


# Reading


def is_over(circular: Circular) -> bool:
    return circular.sent_at is None or circular.sent_at < timezone.now() - timedelta(days=LINK_DAYS)


@dataclass(frozen=True)
class Reading:
    recipient: CircularRecipient
    circular: Circular


def reading_of(key: str) -> Reading | None:
    """What a link of a mail opens; None for a wrong key, one that is too old, and one of somebody whose data was removed."""
    found = (
        CircularRecipient.objects.filter(key_hash=hashed(key), contact__removed_at__isnull=True)
        .select_related("circular", "contact__user")
        .first()
        if key
        else None
    )
    return None if found is None or is_over(found.circular) else Reading(found, found.circular)


def own_copy(circular: Circular, user: User) -> CircularRecipient | None:
    return circular.recipients.filter(contact__user=user).first()


def opened(recipient: CircularRecipient) -> None:
    """The first time counts."""
    CircularRecipient.objects.filter(pk=recipient.pk, opened_at__isnull=True).update(opened_at=timezone.now())


@transaction.atomic
def confirm(recipient: CircularRecipient) -> bool:
    """By the click of whoever has the link or is signed in as the recipient; the first time counts. Whether this was it."""
    recipient = CircularRecipient.objects.select_for_update(of=("self",)).get(pk=recipient.pk)
    if not recipient.circular.asks_confirmation:
        raise Refused(_("This one asks for no confirmation."))
    if recipient.confirmed_at is not None:
        return False
    now = timezone.now()
    recipient.confirmed_at, recipient.opened_at = now, recipient.opened_at or now
    recipient.save(update_fields=["confirmed_at", "opened_at"])
    return True
