"""Finished pages are kept for their reader until a record changes; what is shown is never older than the database.

Each transaction that changes a tracked record leaves one row in `RecordChange`, by trigger (`onatc.history.tracked`).
The stamp of what a reader may see is the first of these rows and how many there are: a commit adds a row and so
changes the stamp at the moment when its changes become visible, in whatever order transactions end. A page is kept
under reader, day, language, address and stamp, so that a change of data, of a role or of the date makes it anew.

For pages of the plan alone: a page that must leave a trace of having been read, or that holds a case, is never kept.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import pgtrigger
import redis
from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.db import connection, models
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.translation import get_language

log = logging.getLogger(__name__)

TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value=)"[^"]*"')
KEPT_DAYS = 2  # longer than any transaction lives and any page is kept


class RecordChange(models.Model):
    """A transaction that changed records; its number is that of PostgreSQL."""

    id = models.BigIntegerField(primary_key=True)
    noted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.pk)


def note_change() -> pgtrigger.Trigger:
    """The trigger of a table whose content pages show: one row for each transaction that touches it."""
    return pgtrigger.Trigger(
        name="note_change",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func="INSERT INTO onatc_recordchange (id) VALUES (pg_current_xact_id()::text::bigint) "
        "ON CONFLICT DO NOTHING; RETURN NULL;",
    )


def stamp() -> str:
    """Two stamps are equal only when no change became visible between them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), count(*) FROM onatc_recordchange")
        return "{}-{}".format(*cursor.fetchone())


def forget_old_changes() -> int:
    """Keep the table short; the stamp changes with it, which costs each page one more making."""
    old = RecordChange.objects.filter(noted_at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    return old.delete()[0]


def kept_until_change(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """View decorator, for pages that are opened often and made from many records.

    The first reading after a change makes the page, with its rights; the next ones by the same reader get it back with
    a fresh form token. A page with a message to the reader, a part asked for by htmx, and anything but a plain 200 are
    not kept. Without Valkey each reading makes the page.
    """

    @wraps(view)
    def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.KEEP_PAGES_SECONDS or request.method != "GET" or request.htmx or len(get_messages(request)):  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)
        key = _key(request)
        try:
            if page := cache.get(key):
                return HttpResponse(TOKEN.sub(rb'\1"%b"' % get_token(request).encode(), page))
        except redis.RedisError as error:
            log.warning("pages are not kept: %s", error)
            return view(request, *args, **kwargs)
        response = view(request, *args, **kwargs)
        if response.status_code == 200 and not response.streaming and not response.has_header("Content-Disposition"):
            try:
                cache.set(key, TOKEN.sub(rb'\1""', response.content), settings.KEEP_PAGES_SECONDS)
            except redis.RedisError as error:
                log.warning("a page is not kept: %s", error)
        return response

    return kept


def _key(request: HttpRequest) -> str:
    user: Any = request.user
    parts = (
        stamp(),
        timezone.localdate().isoformat(),
        str(user.pk),
        str(user.acting_for.pk if user.acting_for else ""),
        get_language() or "",
        request.get_full_path(),
        getattr(staticfiles_storage, "manifest_hash", ""),
    )
    return "page-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()
