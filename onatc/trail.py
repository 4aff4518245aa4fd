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
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from email import policy
from email.parser import BytesParser
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.keys import derived, key_id

logger = logging.getLogger(__name__)

LOCK = 0x4F4E41  # one writer at a time gives the numbers; held until the transaction ends
START = "0" * 64
PURPOSE_MINUTES = 60  # how long a stated purpose holds for the same thing
ANCHORED_WITHIN = timedelta(hours=2)  # what is older and has no seal outside the database is named
MOST_BREAKS = 1_000
NEAR = (1, -1, 2, -2, 3, -3, 4, -4, 5, -5)  # how far away an entry is looked for under the number it was sealed with
FAR = 10_000
SEAL = re.compile(r"[0-9a-f]{64}")


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

    def is_sealed(self, key: bytes, *, as_number: int | None = None) -> bool:
        """Whether the seal is that of the content, under its own number or another."""
        return hmac.compare_digest(seal_of(self.content(as_number), self.previous, key), self.seal)

    def content(self, as_number: int | None = None) -> str:
        """What is sealed, in one spelling."""
        return json.dumps(
            {
                "sequence": self.sequence if as_number is None else as_number,
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
    plain: bool = False,
    **details: Any,
) -> TrailEntry:
    """Write an entry at the end of the chain, in the transaction that is open; on commit its seal leaves the database.

    `owner_id` is the institution whose record it is. `details` are codes and numbers, never content; `plain` says of a
    reading that it needs no purpose: an own record, a list that others see on their pages, an issued report.
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
            details=details | ({"plain": True} if plain else {}),
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
            kind=mail.Kind.ACCOUNT,  # nobody may refuse it
        )
    return queued


def _leave_seal(sequence: int, seal: str) -> None:
    path = Path(settings.TRAIL_ANCHOR_FILE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as file:
            file.write(f"{sequence} {seal}\n")
    except OSError as error:
        # What was done stands; /readyz and the status page say it until the file can be written again.
        logger.error("the seal of trail entry %s was not written outside the database: %s", sequence, error.strerror)


def leave_head() -> None:
    """The hour's anchor: once more the head, for seals that could not leave when their entries were committed."""
    sequence, seal = head()
    last = _last_anchor(Path(settings.TRAIL_ANCHOR_FILE))
    if sequence and (last is None or last.sequence < sequence):
        _leave_seal(sequence, seal)


def anchors_are_well() -> str:
    """Whether the file outside the database can be written and goes with the trail: "ok", or what is wrong, in a word."""
    path = Path(settings.TRAIL_ANCHOR_FILE)
    newest = TrailEntry.objects.order_by("-sequence").first()
    if newest is None:
        return "ok"
    sequence = newest.sequence
    if newest.at > timezone.now() + timedelta(minutes=5):
        return gettext_noop("the clock stands before the last entry")
    if not path.exists():
        return gettext_noop("missing")
    if not os.access(path, os.W_OK):
        return gettext_noop("cannot be written")
    last = _last_anchor(path)
    if last is None:
        return gettext_noop("holds no seal")
    if last.sequence > sequence:
        return gettext_noop("is ahead of the trail")
    if TrailEntry.objects.filter(sequence=last.sequence, seal=last.seal).exists():
        late = TrailEntry.objects.filter(sequence__gt=last.sequence, at__lt=timezone.now() - ANCHORED_WITHIN)
        return gettext_noop("is behind the trail") if late.exists() else "ok"
    return gettext_noop("differs from the trail")


def _last_anchor(path: Path) -> Anchor | None:
    """The highest number among the last lines: entries committed together leave their seals in any order."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8_192))
            lines = file.read().decode("ascii", errors="replace").splitlines()
    except OSError:
        return None
    return max(_anchors_of(lines, path.name), key=lambda one: one.sequence, default=None)


def anchors_in(path: Path) -> Iterator[Anchor]:
    """The anchors of `var/anchors/trail.log`, of a saved mail, of an issued report (PDF, or its text), one at a time.

    Raises FileNotFoundError.
    """
    with path.open("rb") as file:
        start = file.read(5)
        file.seek(0)
        if start.startswith(b"%PDF"):
            from pypdf import PdfReader

            for page in PdfReader(file).pages:
                yield from _anchors_of([page.extract_text()], path.name)
        elif path.suffix in (".eml", ".log", ".txt") and (mailed := _text_of_mail(path)):
            yield from _anchors_of(mailed.splitlines(), path.name)
        else:
            yield from _anchors_of((line.decode("utf-8", errors="replace") for line in file), path.name)


def _text_of_mail(path: Path) -> str:
    """The plain text of a saved mail, however it was encoded for its way; empty when the file is none."""
    with path.open("rb") as file:
        first = file.readline(1_000)
        if not re.match(rb"[A-Za-z-]+: ", first):
            return ""
        message: Any = BytesParser(policy=policy.default).parsebytes(first + file.read(1_000_000))
    body = message.get_body(preferencelist=("plain",))
    return str(body.get_content()) if body is not None else ""


def _anchors_of(lines: Iterable[str], source: str) -> Iterator[Anchor]:
    for line in lines:
        for number, seal in pairwise(line.replace(":", " ").replace(",", " ").split()):
            if number.isdecimal() and len(number) < 19 and SEAL.fullmatch(seal):
                yield Anchor(int(number), seal, source)


@dataclass(frozen=True)
class Break:
    """Where the chain is broken: altered, removed, inserted, moved, cut, rebuilt or unknown_key.

    `other` is the number under which a moved entry was sealed; `source` names the anchor that says so.
    """

    sequence: int
    kind: str
    other: int = 0
    source: str = ""

    def __str__(self) -> str:
        return {
            "altered": gettext("Entry %(n)s was altered: its content does not match its seal."),
            "removed": gettext("Entry %(n)s was removed."),
            "inserted": gettext("Entry %(n)s was inserted: the application did not seal it there."),
            "moved": gettext("From entry %(n)s on entries carry other numbers: this one was sealed as %(other)s."),
            "cut": gettext("The chain was cut short: entry %(n)s was anchored outside the database and is not there."),
            "rebuilt": gettext(
                "Entry %(n)s has another seal than the one anchored outside (%(source)s): the chain was rebuilt, or "
                "the anchor was changed."
            ),
            "unknown_key": gettext("Entry %(n)s is sealed with a key that is not configured."),
        }[self.kind] % {"n": self.sequence, "other": self.other, "source": self.source}


def verify(anchors: Iterable[Anchor] = ()) -> list[Break]:
    """Every broken link in order of the numbers, a thousand at most; empty when the trail is whole and holds every anchor.

    The chain and the anchors are each gone through once, in pieces: memory does not grow with them.
    """
    walk = _Walk(_trail_keys())
    entries = TrailEntry.objects.order_by("sequence").iterator(chunk_size=2_000)
    entry = next(entries, None)
    while entry is not None and len(walk.found) + len(walk.missing) < MOST_BREAKS:
        following = next(entries, None)
        walk.step(entry, following)
        entry = following
    is_through = entry is None
    found = walk.result()
    known = {one.sequence for one in found}
    cut: Anchor | None = None
    remaining = iter(anchors)
    while piece := list(islice(remaining, 2_000)):
        seals = dict(
            TrailEntry.objects.filter(sequence__in={one.sequence for one in piece}).values_list("sequence", "seal")
        )
        for anchor in piece:
            number = anchor.sequence
            if number in walk.unsure:  # an entry of that number was written once: it is not a new one
                found = [replace(one, kind="altered") if one.sequence == number else one for one in found]
            elif number in known or not number or walk.is_moved(number) or seals.get(number) == anchor.seal:
                continue  # also what was written since the walk passed
            elif number >= walk.expected:
                if is_through and (cut is None or number < cut.sequence):
                    cut = anchor
            elif len(found) < MOST_BREAKS:
                known.add(number)
                found.append(Break(number, "rebuilt", source=anchor.source))
    found.sort(key=lambda one: one.sequence)
    return found + ([Break(cut.sequence, "cut", source=cut.source)] if cut is not None else [])


class _Walk:
    """The chain from its first entry on. `expected` is the next number that was given when the entries were written."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self.keys = keys
        self.found: list[Break] = []
        self.missing: set[int] = set()
        self.unsure: set[int] = set()  # neither sealed nor named by a follower: altered, or inserted?
        self.moved_from: int | None = None
        self.moved: list[range] = []
        self.expected, self.shift, self.before, self.was_flagged = 1, 0, START, False
        self.searches = 5

    def step(self, entry: TrailEntry, following: TrailEntry | None) -> None:
        key, flagged = self.keys.get(entry.key), False
        original: int | None = entry.sequence
        if key is None:
            flagged = True
            self.found.append(Break(entry.sequence, "unknown_key"))
        elif not entry.is_sealed(key):
            flagged = True
            original = self._original(entry, key, following)
            if original is not None:
                if original - entry.sequence != self.shift:
                    self.found.append(Break(entry.sequence, "moved", other=original))
            else:
                # The next entry names the seal of the one it was written after: that tells a changed row from a strange one.
                is_altered = following is not None and following.previous == entry.seal
                self.found.append(Break(entry.sequence, "altered" if is_altered else "inserted"))
                if is_altered:
                    original = entry.sequence + self.shift
                else:
                    self.unsure.add(entry.sequence)
        elif entry.previous != self.before and entry.sequence == self.expected and not self.was_flagged:
            flagged = True
            self.found.append(Break(entry.sequence, "inserted"))
        self._place(entry.sequence, original)
        self.before, self.was_flagged = entry.seal, flagged

    def _original(self, entry: TrailEntry, key: bytes, following: TrailEntry | None) -> int | None:
        """The number that an entry was sealed with; far away it is looked for only when the next one moved too."""
        near: tuple[int, ...] = (self.shift, *NEAR)
        if self.searches and following is not None and not following.is_sealed(key):
            self.searches -= 1
            near += tuple(sign * by for by in range(6, FAR) for sign in (1, -1))
        return next(
            (entry.sequence + by for by in near if by and entry.is_sealed(key, as_number=entry.sequence + by)), None
        )

    def _place(self, number: int, original: int | None) -> None:
        if original is None:
            return
        self.shift = original - number
        if self.shift and self.moved_from is None:
            self.moved_from = number
        elif not self.shift and self.moved_from is not None:
            self.moved.append(range(self.moved_from, number))
            self.moved_from = None
        if self.shift:
            self.unsure.discard(original)  # its own entry stands here: the strange one under its number was put in
        if original >= self.expected:
            self.missing.update(islice(range(self.expected, original), MOST_BREAKS))
            self.expected = original + 1
        else:
            self.missing.discard(original)

    def is_moved(self, number: int) -> bool:
        return (self.moved_from is not None and number >= self.moved_from) or any(number in span for span in self.moved)

    def result(self) -> list[Break]:
        """In order. A strange entry under a number whose own entry is nowhere is that entry, altered."""
        found = [
            replace(one, kind="altered") if one.kind == "inserted" and one.sequence in self.missing else one
            for one in self.found
        ]
        at_place = {one.sequence for one in found if one.kind == "altered"}
        gone = [Break(number, "removed") for number in self.missing - at_place]
        return sorted([*found, *gone], key=lambda one: one.sequence)[:MOST_BREAKS]


# Reading with a purpose


def stated_purpose(request: HttpRequest, scope: str) -> str:
    """The purpose this session stated for `scope` within the last hour, or an empty string."""
    stated = request.session.get("purposes", {}).get(scope)
    if not stated:
        return ""
    age = timezone.now().timestamp() - stated["at"]
    return str(stated["purpose"]) if 0 <= age < PURPOSE_MINUTES * 60 else ""  # a clock set back does not prolong it


def state_purpose(request: HttpRequest, scope: str, purpose: str) -> None:
    request.session["purposes"] = request.session.get("purposes", {}) | {
        scope: {"purpose": purpose, "at": timezone.now().timestamp()}
    }


def reading(
    request: HttpRequest,
    page: Callable[[], HttpResponse],
    *,
    scope: str,
    of: models.Model | None = None,
    owner_id: uuid.UUID | None = None,
    **details: Any,
) -> HttpResponse:
    """A page of a record that needs a purpose: the reader first says why, and each reading is an entry in the transaction
    that makes the page. The purpose holds for the one record `of`, or, without one, for the whole of `scope`.
    """
    named = f"{scope}:{of.pk}" if of is not None else scope
    purpose = stated_purpose(request, named)
    if not purpose:
        return redirect(f"{reverse('state-purpose')}?{urlencode({'scope': named, 'next': request.get_full_path()})}")
    with transaction.atomic():
        response = page()
        if response.status_code == 200:
            record(Act.READ, by=request.user, record=of, owner_id=owner_id, purpose=purpose, what=scope, **details)
    return response


# What an owner sees


READINGS = (Act.READ, Act.EXPORTED, Act.DOWNLOADED)


def readers_of(*records: models.Model, limit: int = 20) -> list[TrailEntry]:
    """Who read, exported or downloaded the records, newest first: for the page of whoever owns them.

    What their own people did is not among it.
    """
    if not records:
        return []
    kind = records[0]._meta.label_lower
    return list(
        TrailEntry.objects.filter(record_kind=kind, record_id__in=[str(one.pk) for one in records], act__in=READINGS)
        .exclude(details__contains={"plain": True})
        .select_related("actor", "on_behalf_of")
        .order_by("-sequence")[:limit]
    )
