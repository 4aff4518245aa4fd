"""The trail: who read or exported what, why, and what was done to accounts; nobody can change it unseen.

Each entry is sealed with HMAC over the seal of the one before, a gapless number and its content (threats.md T27–T29).
It is written in the transaction of the reading itself: no entry, no page. The seal of each committed entry goes to a
file outside the database, the head goes daily by mail and into each issued report; `verify` compares them all.
Changes of records are not here: `onatc.history` keeps those.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial, wraps
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.dated_settings import SettingName, holidays_between, is_working_day, setting
from onatc.keys import derived, key_id

logger = logging.getLogger(__name__)

LOCK = 0x4F4E41  # one writer at a time gives the numbers; held until the transaction ends
START = "0" * 64
PURPOSE_MINUTES = 60  # how long a stated purpose holds for the same thing
OFFICE_HOURS = range(7, 19)


class Act(models.TextChoices):
    READ = "read", _("read")
    EXPORTED = "exported", _("exported")
    DOWNLOADED = "downloaded", _("downloaded")
    SIGNED_IN = "signed_in", _("signed in")
    SESSIONS_ENDED = "sessions_ended", _("ended sessions")
    FACTOR_ADDED = "factor_added", _("added a second factor")
    FACTOR_REMOVED = "factor_removed", _("removed a second factor")
    PASSWORD_CHANGED = "password_changed", _("changed the password")
    INVITED = "invited", _("invited")
    APPROVED = "approved", _("approved")
    WITHDRAWN = "withdrawn", _("withdrew")
    JOINED = "joined", _("accepted the invitation")
    CONFIRMED = "confirmed", _("confirmed a role")
    ENDED = "ended", _("ended")
    DEPUTISED = "deputised", _("appointed a deputy")
    RECOVERY_ASKED = "recovery_asked", _("asked for recovery")
    RECOVERED = "recovered", _("recovered an account")
    HANDED_OVER = "handed_over", _("handed over")
    CLOSED = "closed", _("closed an account")
    CHANGED_SETTING = "changed_setting", _("changed a setting")
    RESTORED = "restored", _("restored a backup")


class TrailQuerySet(models.QuerySet["TrailEntry"]):
    def visible_to(self, user: Any) -> Self:
        """All for the Director; for everybody else what they did themselves."""
        if not user.is_authenticated:
            return self.none()
        return self if user.sees_trail else self.filter(actor=user)


class TrailEntry(models.Model):
    """One line of the trail. It names records by kind and key and holds nothing of their content."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(_("when"))
    act = models.CharField(_("act"), max_length=20, choices=Act)
    # No constraint: the trail outlives the account and is not touched when one goes.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    record_kind = models.CharField(max_length=60, blank=True)
    record_id = models.CharField(max_length=40, blank=True)
    owner_id = models.UUIDField(null=True)
    purpose = models.CharField(_("purpose"), max_length=300, blank=True)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)
    key = models.CharField(max_length=8)

    objects = TrailQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of the trail")
        verbose_name_plural = _("trail")
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["record_kind", "record_id"], name="trail_of_record"),
            models.Index(fields=["actor", "at"], name="trail_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}"

    @property
    def kind_name(self) -> str:
        """What kind of record it was, in the reader's language."""
        if not self.record_kind:
            return ""
        try:
            return str(apps.get_model(self.record_kind)._meta.verbose_name)
        except LookupError:
            return self.record_kind

    def content(self) -> str:
        """What is sealed, in one spelling."""
        return json.dumps(
            {
                "sequence": self.sequence,
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "act": self.act,
                "actor": str(self.actor_id or ""),
                "on_behalf_of": str(self.on_behalf_of_id or ""),
                "record": [self.record_kind, self.record_id],
                "owner": str(self.owner_id or ""),
                "purpose": self.purpose,
                "details": self.details,
            },
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )


def seal_of(content: str, previous: str, key: bytes) -> str:
    return hmac.new(key, f"{previous}\n{content}".encode(), hashlib.sha256).hexdigest()


def _trail_keys() -> dict[str, bytes]:
    """Key id → key; the first one writes."""
    keys = [derived(secret, "trail") for secret in settings.TRAIL_KEYS]
    return {key_id(key).hex(): key for key in keys}


def record(
    act: Act,
    *,
    by: Any,
    record: models.Model | None = None,
    owner_id: uuid.UUID | None = None,
    purpose: str = "",
    **details: Any,
) -> TrailEntry:
    """Write an entry at the end of the chain, in the transaction that is open; on commit its seal leaves the database.

    `owner_id` is the institution whose record it is. `details` are codes and numbers, never content.
    """
    number, key = next(iter(_trail_keys().items()))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = TrailEntry.objects.order_by("-sequence").first()
        entry = TrailEntry(
            sequence=last.sequence + 1 if last else 1,
            at=timezone.now(),
            act=act,
            actor=by if getattr(by, "pk", None) else None,
            on_behalf_of=getattr(by, "acting_for", None),
            record_kind=record._meta.label_lower if record is not None else "",
            record_id=str(record.pk) if record is not None else "",
            owner_id=owner_id,
            purpose=purpose[:300],
            details=details,
            previous=last.seal if last else START,
            key=number,
        )
        entry.seal = seal_of(entry.content(), entry.previous, key)
        entry.save(force_insert=True)
        transaction.on_commit(partial(_leave_seal, entry.sequence, entry.seal))
    return entry


@dataclass(frozen=True)
class Anchor:
    """A number and the seal it had, kept where the database's owner cannot write."""

    sequence: int
    seal: str
    source: str


def head() -> tuple[int, str]:
    """The last number and its seal: what issued reports print and the daily mail carries. (0, zeros) when empty."""
    last = TrailEntry.objects.order_by("-sequence").values_list("sequence", "seal").first()
    return last or (0, START)


def mail_head() -> int:
    """The day's anchor, by mail to people who cannot write to the database: the head as of now."""
    sequence, seal = head()
    if not sequence:
        return 0
    queued = 0
    for user in get_user_model()._default_manager.holding("director", "natc", "administrator"):  # type: ignore[attr-defined]
        queued += mail.queue(
            user,
            occasion=f"trail {timezone.localdate().isoformat()} {user.pk}",
            template="trail_head",
            context={"sequence": sequence, "seal": seal},
        )
    return queued


def _leave_seal(sequence: int, seal: str) -> None:
    path = Path(settings.TRAIL_ANCHOR_FILE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as file:
            file.write(f"{sequence} {seal}\n")
    except OSError as error:
        logger.error("the seal of trail entry %s was not written outside the database: %s", sequence, error.strerror)


def anchors_in(path: Path) -> Iterator[Anchor]:
    """The anchors of a file of lines `number seal`, as `var/anchors/trail.log` or a saved mail holds them."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                words = line.replace(":", " ").split()
                for number, seal in pairwise(words):
                    if number.isdigit() and len(seal) == 64:
                        yield Anchor(int(number), seal, path.name)
    except FileNotFoundError:
        return


@dataclass(frozen=True)
class Break:
    """Where the chain is broken: `kind` is altered, removed, inserted, cut or unknown_key."""

    sequence: int
    kind: str

    def __str__(self) -> str:
        return {
            "altered": gettext("Entry %(n)s was altered: its content does not match its seal."),
            "removed": gettext("Entry %(n)s was removed."),
            "inserted": gettext("Entry %(n)s was inserted: the application did not seal it there."),
            "cut": gettext("The chain was cut short: entry %(n)s was anchored outside the database and is not there."),
            "rebuilt": gettext("The chain was rebuilt: entry %(n)s has another seal than the one anchored outside."),
            "unknown_key": gettext("Entry %(n)s is sealed with a key that is not configured."),
        }[self.kind] % {"n": self.sequence}


def verify(anchors: Iterable[Anchor] = ()) -> list[Break]:
    """Every broken link, in order; empty when the trail is whole and holds every anchor."""
    keys, found, expected, before = _trail_keys(), [], 1, START
    wanted: dict[int, set[str]] = {}
    for anchor in anchors:
        if anchor.sequence:
            wanted.setdefault(anchor.sequence, set()).add(anchor.seal)
    entries = TrailEntry.objects.order_by("sequence").iterator(chunk_size=2000)
    entry, last = next(entries, None), 0
    while entry is not None:
        following = next(entries, None)
        for missing in range(expected, entry.sequence):
            found.append(Break(missing, "removed"))
        gap = entry.sequence != expected
        key = keys.get(entry.key)
        sealed = key is not None and hmac.compare_digest(seal_of(entry.content(), entry.previous, key), entry.seal)
        if key is None:
            found.append(Break(entry.sequence, "unknown_key"))
        elif not sealed:
            # The next entry names the seal of the one it was written after: that tells a changed row from a strange one.
            follows = following is not None and following.previous == entry.seal
            anchored = entry.seal in wanted.get(entry.sequence, ())
            found.append(Break(entry.sequence, "altered" if follows or anchored else "inserted"))
        elif entry.previous != before and not gap and not (found and found[-1].sequence == entry.sequence - 1):
            found.append(Break(entry.sequence, "inserted"))
        if sealed and entry.sequence in wanted and entry.seal not in wanted[entry.sequence]:
            found.append(Break(entry.sequence, "rebuilt"))
        expected, before, last = entry.sequence + 1, entry.seal, entry.sequence
        entry = following
    found += [Break(number, "cut") for number in sorted(wanted) if number > last][:1]
    return found


# Reading with a purpose


def stated_purpose(request: HttpRequest, scope: str) -> str:
    """The purpose this session stated for `scope` within the last hour, or an empty string."""
    stated = request.session.get("purposes", {}).get(scope)
    if not stated or stated["at"] < (timezone.now() - timedelta(minutes=PURPOSE_MINUTES)).timestamp():
        return ""
    return str(stated["purpose"])


def state_purpose(request: HttpRequest, scope: str, purpose: str) -> None:
    request.session["purposes"] = request.session.get("purposes", {}) | {
        scope: {"purpose": purpose, "at": timezone.now().timestamp()}
    }


def read_with_purpose(scope: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """View decorator: the reader first says why; each reading is an entry in the transaction that makes the page."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            from django.shortcuts import redirect
            from django.urls import reverse
            from django.utils.http import urlencode

            purpose = stated_purpose(request, scope)
            if not purpose:
                return redirect(
                    f"{reverse('state-purpose')}?{urlencode({'scope': scope, 'next': request.get_full_path()})}"
                )
            with transaction.atomic():
                response = view(request, *args, **kwargs)
                if response.status_code == 200:
                    record(Act.READ, by=request.user, purpose=purpose, what=scope)
            return response

        return wrapped

    return decorate


# What the Director sees


@dataclass(frozen=True)
class Pattern:
    """A person's readings in a span of days, by what is unusual about them; counts, never content."""

    person: str
    readings: int
    out_of_hours: int
    busiest_hour: int
    foreign: int
    many: int  # how many in an hour are too many, by the setting

    @property
    def is_unusual(self) -> bool:
        return self.out_of_hours > 0 or self.busiest_hour > self.many or self.foreign > 0


READINGS = (Act.READ, Act.EXPORTED, Act.DOWNLOADED)


def is_out_of_hours(at: datetime, holidays: set[date]) -> bool:
    """Before seven, from seven in the evening on, on a weekend or a holiday, by the office's clock."""
    local = timezone.localtime(at)
    return local.hour not in OFFICE_HOURS or not is_working_day(local.date(), holidays)


def patterns(since: datetime) -> list[Pattern]:
    """One row a person, the unusual ones first. `foreign` counts readings that their place marked as of another area."""
    rows: dict[Any, list[tuple[datetime, bool]]] = {}
    names: dict[Any, str] = {}
    found = TrailEntry.objects.filter(at__gte=since, act__in=READINGS).select_related("actor").order_by("sequence")
    for entry in found.iterator(chunk_size=2000):
        rows.setdefault(entry.actor_id, []).append((entry.at, bool(entry.details.get("foreign"))))
        names.setdefault(entry.actor_id, str(entry.actor) if entry.actor_id and entry.actor else gettext("a job"))
    today = timezone.localdate()
    many = setting(SettingName.MANY_READINGS, today)
    closed = holidays_between(timezone.localtime(since).date(), today)
    shown = []
    for actor, readings in rows.items():
        hours: dict[Any, int] = {}
        for at, _foreign in readings:
            hour = at.replace(minute=0, second=0, microsecond=0)
            hours[hour] = hours.get(hour, 0) + 1
        shown.append(
            Pattern(
                person=names[actor],
                readings=len(readings),
                out_of_hours=sum(is_out_of_hours(at, closed) for at, _foreign in readings),
                busiest_hour=max(hours.values()),
                foreign=sum(foreign for _at, foreign in readings),
                many=many,
            )
        )
    return sorted(shown, key=lambda one: (not one.is_unusual, -one.readings, one.person))


def readers_of(*records: models.Model, limit: int = 20) -> list[TrailEntry]:
    """Who read, exported or downloaded the records, newest first: for the page of whoever owns them."""
    if not records:
        return []
    kind = records[0]._meta.label_lower
    return list(
        TrailEntry.objects.filter(record_kind=kind, record_id__in=[str(one.pk) for one in records], act__in=READINGS)
        .select_related("actor", "on_behalf_of")
        .order_by("-sequence")[:limit]
    )
