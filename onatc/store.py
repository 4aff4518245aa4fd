"""Where attachments lie: a folder, or an S3-compatible server named by `STORAGE_URL`; the same bytes lie there once.

Names are made from the content with a key, so that equal files share one place and a name tells nothing. With
`ENCRYPT_FILES=1` what is written is sealed; what was written before stays readable, and the other way round.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.deconstruct import deconstructible
from s3transfer.exceptions import RetriesExceededError
from urllib3.exceptions import HTTPError

from onatc.keys import ID_BYTES, Unreadable, derived, seal, sealing_key_id, unseal

UNFINISHED = ".part-"
SEALED = b"onatc-sealed-1\n"
AWAY = (OSError, Boto3Error, BotoCoreError, ClientError, RetriesExceededError, HTTPError, Unreadable, ValueError)
PROBE_BYTES = 64 * 1024  # on a full disk a file can be made, but not written
LOCK = 0x4F4E45  # shared by who keeps a file until its row is there; alone for who takes an orphan away
COLLECT_AFTER = timedelta(days=30)  # longer than any backup that may be restored beside a newer database


class WholeFiles(FileSystemStorage):
    """A folder in which a file is there whole or not at all, also after the power went (threats.md R12)."""

    def _save(self, name: str, content: File) -> str:
        target = self.path(name)
        folder = os.path.dirname(target)
        os.makedirs(folder, exist_ok=True)
        handle, hidden = tempfile.mkstemp(dir=folder, prefix=UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(hidden, target)
        except BaseException:
            if os.path.exists(hidden):
                os.unlink(hidden)
            raise
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # made from the content: what is there under it is replaced, in one step

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders, files = super().listdir(path)
        return folders, [name for name in files if not name.startswith(UNFINISHED)]

    def remove_unfinished(self, before: datetime) -> int:
        """What a process that was killed in the middle of writing has left behind; how many."""
        left = [
            path
            for path in Path(self.location).rglob(f"{UNFINISHED}*")
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before
        ]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


def _inner(address: str) -> Storage:
    """The store that `STORAGE_URL` names; the folder of this installation when it names none."""
    parts = urlsplit(address)
    if parts.scheme in ("", "file"):
        return WholeFiles(location=unquote(parts.path) or settings.MEDIA_ROOT)
    if parts.scheme != "s3" or not parts.hostname or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "STORAGE_URL is file:///folder or s3://KEY:SECRET@host:port/bucket?region=…&https=0&timeout=5"
        )
    from botocore.config import Config
    from storages.backends.s3 import S3Storage

    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    scheme = "http" if options.get("https") == "0" else "https"
    seconds = float(options.get("timeout", 5))
    return S3Storage(
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        bucket_name=parts.path.strip("/"),
        region_name=options.get("region", "us-east-1"),
        endpoint_url=f"{scheme}://{parts.hostname}:{parts.port or (80 if scheme == 'http' else 443)}",
        default_acl=None,
        querystring_auth=True,
        file_overwrite=True,
        # A reader waits for these in front of the page: for a server that is silent twice so long, then comes a sentence.
        client_config=Config(connect_timeout=seconds, read_timeout=seconds, s3={"addressing_style": "path"},
                             retries={"total_max_attempts": 2, "mode": "standard"}),
    )  # fmt: skip


@deconstructible
class AttachmentStorage(Storage):
    """What every attachment is kept in; reads and writes whole files, of at most the upload limit."""

    @cached_property
    def _made(self) -> dict[tuple[str, str], Storage]:
        return {}

    @property
    def inner(self) -> Storage:
        place = (settings.STORAGE_URL, str(settings.MEDIA_ROOT))
        if place not in self._made:
            self._made[place] = _inner(settings.STORAGE_URL)
        return self._made[place]

    def _open(self, name: str, mode: str = "rb") -> File:
        with self.inner.open(name, "rb") as stored:
            body = stored.read()
        if body.startswith(SEALED):
            body = unseal(body[len(SEALED) :], f"file {name}")
        return ContentFile(body, name=name)

    def _save(self, name: str, content: IO[bytes] | File) -> str:
        content.seek(0)
        body = content.read()
        if settings.ENCRYPT_FILES:
            body = SEALED + seal(body, f"file {name}")
        return self.inner.save(name, ContentFile(body))

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def keep(self, content: IO[bytes] | File) -> tuple[str, str, int]:
        """Store bytes once; their name, SHA-256 and size. Raises one of `AWAY` when the store cannot take them.

        Written also when they are there: that takes as long for what somebody else has added before as for what is new,
        seals what lies unsealed, mends what cannot be read any more, and makes an orphan young again.
        """
        content.seek(0)
        body = content.read()
        digest = hashlib.sha256(body)
        key = derived(settings.FIELD_KEYS[-1], "file names")
        place = hmac.new(key, digest.digest(), hashlib.sha256).hexdigest()
        name = f"{place[:2]}/{place[2:4]}/{place}"
        self.save(name, ContentFile(body))
        return name, digest.hexdigest(), len(body)

    def delete(self, name: str) -> None:
        self.inner.delete(name)

    def exists(self, name: str) -> bool:
        return self.inner.exists(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return self.inner.listdir(path)

    def size(self, name: str) -> int:
        return self.inner.size(name)

    def get_modified_time(self, name: str) -> datetime:
        return self.inner.get_modified_time(name)

    def url(self, name: str | None) -> str:
        raise NotImplementedError("attachments are served by views that check the reader's right")


def is_well() -> str:
    """ "ok", or what is wrong with the store or with the place where uploads arrive; for /readyz."""
    from django.core.files.storage import default_storage

    arriving = settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir()
    try:
        inner = default_storage.inner  # type: ignore[attr-defined]
        if isinstance(inner, WholeFiles):
            os.makedirs(inner.location, exist_ok=True)
            folders = [str(inner.location), arriving]
        else:
            inner.exists("probe")
            folders = [arriving]
        for folder in folders:
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(bytes(PROBE_BYTES))
            if shutil.disk_usage(folder).free < settings.UPLOAD_LIMIT_BYTES:
                return "no room"
    except AWAY as error:
        return "no room" if has_no_room(error) else f"no answer: {type(error).__name__}"
    return "ok"


def has_no_room(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def keeping() -> None:
    """Inside the transaction that keeps a file: until it ends, no file is taken away (`collect`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])


def orphans(age: timedelta, *, now: datetime | None = None) -> list[str]:
    """Files to which no attachment refers and that are older than `age`; their names."""
    from django.core.files.storage import default_storage

    from onatc.backup import stored_files
    from onatc.files import kinds

    used = {name for kind in kinds() for name in kind._default_manager.values_list("file", flat=True)}
    limit = (now or timezone.now()) - age
    return [name for name in stored_files() if name not in used and default_storage.get_modified_time(name) < limit]


def collect(*, now: datetime | None = None) -> list[str]:
    """Remove files to which no attachment refers and that are older than a backup may be; their names."""
    from django.core.files.storage import default_storage

    from onatc.files import kinds

    moment = now or timezone.now()
    if isinstance(default_storage.inner, WholeFiles):  # type: ignore[attr-defined]
        default_storage.inner.remove_unfinished(moment - timedelta(days=1))  # type: ignore[attr-defined]
    limit, removed = moment - COLLECT_AFTER, []
    for name in orphans(COLLECT_AFTER, now=moment):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                # The same content may have come in again since.
                if any(kind._default_manager.filter(file=name).exists() for kind in kinds()):
                    continue
                if default_storage.get_modified_time(name) < limit:
                    default_storage.delete(name)
                    removed.append(name)
        except OperationalError:
            continue  # somebody is keeping files just now: the next run takes it
    return removed


def seal_again() -> int:
    """Write every file as the settings say now: sealed with the first key, or open; how many were not so before."""
    from django.core.files.storage import default_storage

    from onatc.backup import stored_files

    changed = 0
    for name in list(stored_files()):
        with default_storage.inner.open(name, "rb") as stored:  # type: ignore[attr-defined]
            head = stored.read(len(SEALED) + ID_BYTES)
        wanted = SEALED + sealing_key_id() if settings.ENCRYPT_FILES else b""
        if head == wanted or (not settings.ENCRYPT_FILES and not head.startswith(SEALED)):
            continue
        with default_storage.open(name) as stored:
            default_storage.save(name, ContentFile(stored.read()))
        changed += 1
    return changed
