"""Private calendar feeds: an address that only its owner knows, from which a calendar program reads what they may see.

The key is shown once and kept as a hash. What a feed shows follows its owner's rights at each reading; a closed account, a
role that ended or a revoked feed answers like an address that never was.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date, parse_http_date_safe, quote_etag
from django.utils.translation import gettext, override

from onatc import trail
from onatc.errors import Refused, require
from onatc.ids import new_id
from stakeholders import access, calendar, ics
from stakeholders.calendar_sources import meetings_of_body
from stakeholders.models import Body, CalendarFeed, User
from stakeholders.models.accounts import hashed, new_token

BACK, AHEAD = timedelta(days=90), timedelta(days=400)
MOST = 2_000  # entries of one source in a feed, the next ones first
NOTED_EVERY = timedelta(minutes=15)  # how exactly it is known when a feed was last read


@transaction.atomic
def open_feed(*, by: User, body: Body | None) -> str:
    """A new feed of the person, or of one body they may see; its key, which nobody can find again.

    Raises Refused when there is one already.
    """
    require(access.may_keep_feeds(by))
    key = new_token()
    try:
        with transaction.atomic():
            feed = CalendarFeed.objects.create(id=new_id(), user=by, body=body, key_hash=hashed(key))
    except IntegrityError as error:
        raise Refused(gettext("There is such a feed already. Renew it to get a new address.")) from error
    trail.record(trail.Act.EXPORTED, by=by, record=feed, what="calendar-feed-opened", plain=True)
    return key


@transaction.atomic
def renew(feed: CalendarFeed, *, by: User) -> str:
    """Another address in place of the present one, which closes. Raises Refused for one that was closed."""
    revoke(feed, by=by)
    return open_feed(by=by, body=feed.body)


@transaction.atomic
def revoke(feed: CalendarFeed, *, by: User) -> None:
    """Close the address; twice is the same as once."""
    found = CalendarFeed.objects.visible_to(by).select_for_update(of=("self",)).get(pk=feed.pk)
    if found.revoked_at is None:
        found.revoked_at = timezone.now()
        found.save(update_fields=["revoked_at"])


def feed_of(key: str) -> CalendarFeed | None:
    """The open feed of a key whose owner may still see what it shows; None for every other key."""
    found = CalendarFeed.objects.open().select_related("user", "body").filter(key_hash=hashed(key)).first()
    if found is None or not found.user.is_active or not access.may_keep_feeds(found.user):
        return None
    if found.body_id and not Body.objects.visible_to(found.user).filter(pk=found.body_id).exists():
        return None
    return found


@transaction.atomic
def note_reading(feed: CalendarFeed) -> None:
    """When it was last read; the first reading of a day leaves a trace, since programs read many times a day."""
    now = timezone.now()
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    mine = CalendarFeed.objects.filter(pk=feed.pk)
    if mine.filter(Q(last_read_at__isnull=True) | Q(last_read_at__lt=day)).update(last_read_at=now):
        trail.record(trail.Act.EXPORTED, by=feed.user, record=feed, what="calendar-feed", format="ics", plain=True)
    elif feed.last_read_at is None or feed.last_read_at < now - NOTED_EVERY:
        mine.update(last_read_at=now)


def content_of(feed: CalendarFeed) -> str:
    """The feed as an iCalendar object, in the language of its owner."""
    today = timezone.localdate()
    with override(feed.user.language):
        if feed.body is not None:
            found = meetings_of_body(feed.body)(feed.user, today - BACK, today + AHEAD)
            entries, name = list(found), str(feed.body.name)
        else:
            entries, name = _entries(feed.user, today), gettext("ONATC")
        return ics.feed(entries, name=name, site_url=settings.SITE_URL.rstrip("/"))


def _entries(user: User, today: date) -> list[calendar.Entry]:
    found: list[calendar.Entry] = []
    for source in calendar.known():
        entries = sorted(
            source.entries(user, today - BACK, today + AHEAD), key=lambda one: (one.ends_on < today, one.starts_on)
        )
        found += entries[:MOST]
    return sorted(found, key=lambda one: (one.starts_on, one.key))


def validators_of(feed: CalendarFeed, body: str) -> dict[str, str]:
    """ETag of the bytes, and since when they are the same as far as is known."""
    etag = hashed(body)[:32]
    kept: Any = cache.get(f"feed:{feed.pk}")
    if not kept or kept[0] != etag:
        kept = (etag, int(timezone.now().timestamp()))
        cache.set(f"feed:{feed.pk}", kept, 30 * 86400)
    return {"ETag": quote_etag(etag), "Last-Modified": http_date(kept[1])}


def last_change_of(text: str) -> int | None:
    """Seconds of a date as HTTP writes it."""
    return parse_http_date_safe(text)


def address_of(key: str) -> str:
    return settings.SITE_URL.rstrip("/") + reverse("stakeholders:feed", args=[key])
