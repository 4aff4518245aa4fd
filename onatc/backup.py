"""Backup and restore: the database, the files and the anchors of the trail in one encrypted file; keys by reference only.

A file is one line of JSON and an age container (X25519, ChaCha20-Poly1305). With `BACKUP_RECIPIENTS` only the private key,
which is not on the server, opens it; without, a key made for this one file is kept in its first line, sealed with
`FIELD_KEYS`. Inside is a tar: the dump, the files, and a manifest with the SHA-256 of each and the rows of each table.
Restoring checks all of it before anything is touched (threats.md T38, R20).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import django
import pyrage
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onatc import services, trail
from onatc.keys import Unreadable, derived, key_id, seal, unseal

FORMAT = 1
CHUNK = 1024 * 1024
DUMP, MANIFEST = "database.dump", "manifest.json"
KEEP_DAYS = 30


class BackupError(Exception):
    """One sentence for whoever runs the command; nothing was changed unless it says so."""


class BackupState(models.TextChoices):
    RUNNING = "running", gettext_lazy("running")
    DONE = "done", gettext_lazy("done")
    FAILED = "failed", gettext_lazy("failed")


class BackupRun(models.Model):
    """A backup that was made, for the status page; the file itself lies elsewhere."""

    started_at = models.DateTimeField(gettext_lazy("started"), default=timezone.now)
    finished_at = models.DateTimeField(gettext_lazy("finished"), null=True)
    state = models.CharField(gettext_lazy("state"), max_length=10, choices=BackupState, default=BackupState.RUNNING)
    size = models.BigIntegerField(gettext_lazy("size"), null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    error = models.CharField(gettext_lazy("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = gettext_lazy("backup")
        verbose_name_plural = gettext_lazy("backups")
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Made:
    path: Path
    sha256: str
    rows: int
    files: int
    seconds: float


@dataclass(frozen=True)
class Restored:
    rows: int
    files: int
    made_at: datetime
    newest: str
    seconds: float


def make(target: Path) -> Made:
    """Write a backup to `target`, whole or not at all."""
    started = time.monotonic()
    run = BackupRun.objects.create()
    try:
        with _workplace() as folder:
            manifest = _collect(folder)
            plain = folder / "backup.tar"
            _pack(folder, plain, manifest)
            hidden = target.with_name(f".{target.name}.part")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                _encrypt(plain, hidden)
                os.replace(hidden, target)
            finally:
                hidden.unlink(missing_ok=True)
    except (OSError, BackupError, subprocess.SubprocessError) as error:
        BackupRun.objects.filter(pk=run.pk).update(
            state=BackupState.FAILED, finished_at=timezone.now(), error=str(error)[:200]
        )
        raise BackupError(str(error)) from error
    digest = _sha256_of(target)
    BackupRun.objects.filter(pk=run.pk).update(
        state=BackupState.DONE, finished_at=timezone.now(), size=target.stat().st_size, sha256=digest
    )
    return Made(target, digest, sum(manifest["tables"].values()), len(manifest["files"]), time.monotonic() - started)


def restore(source: Path, *, replace: bool = False, identity: Path | None = None) -> Restored:
    """Check the whole file, then put database and files in place and compare them with its manifest."""
    started = time.monotonic()
    if is_filled() and not replace:
        raise BackupError(_("This database holds accounts. Add --replace to put the backup in its place."))
    with _workplace() as folder:
        plain = folder / "backup.tar"
        _decrypt(source, plain, identity)
        manifest = _unpack(plain, folder)
        _check_versions(manifest)
        _load(folder / DUMP)
        for name in manifest["files"]:
            _put_file(name, folder / "files" / name)
        _replace_anchors(folder / "anchors")
    connection.close()
    _settle_after_restore()
    _compare(manifest)
    return Restored(
        rows=sum(manifest["tables"].values()),
        files=len(manifest["files"]),
        made_at=datetime.fromisoformat(manifest["made_at"]),
        newest=manifest["newest"],
        seconds=time.monotonic() - started,
    )


def is_filled() -> bool:
    """Whether there are accounts: what migrations load by themselves does not count."""
    if "stakeholders_user" not in connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM stakeholders_user)")
        return bool(cursor.fetchone()[0])


def key_names() -> list[str]:
    """The keys by reference: short hashes that tell which of them are needed, and nothing about them."""
    return [key_id(derived(secret, "fields")).hex() for secret in settings.FIELD_KEYS]


def remove_old(folder: Path, *, keep_days: int = KEEP_DAYS) -> int:
    """Old nightly backups expire; how many went."""
    limit = time.time() - timedelta(days=keep_days).total_seconds()
    old = [file for file in folder.glob("onatc-*.backup") if file.stat().st_mtime < limit]
    for file in old:
        file.unlink()
    return len(old)


# Making


@contextmanager
def _workplace() -> Iterator[Path]:
    """A folder for nobody else, gone afterwards whatever happens."""
    base = Path(settings.VAR_DIR)
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="backup-", dir=base) as name:
        yield Path(name)


def _collect(folder: Path) -> dict[str, Any]:
    """The dump, the rows it holds, and the files; rows are counted in the very snapshot that is dumped."""
    dump = folder / DUMP
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        _run("pg_dump", "-Fc", "-f", str(dump), f"--snapshot={snapshot}", "--no-owner")
        tables = _counts(cursor)
        cursor.execute("SELECT max(created_at) FROM pghistory_context")
        newest = cursor.fetchone()[0]
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
        migrations = [row[0] for row in cursor.fetchall()]
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0])
    files = {}
    for name in stored_files():
        copy = folder / "files" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        with default_storage.open(name) as stored, copy.open("wb") as file:
            shutil.copyfileobj(stored, file, CHUNK)
        files[name] = _sha256_of(copy)
    anchors = Path(settings.TRAIL_ANCHOR_FILE)
    if anchors.is_file():
        (folder / "anchors").mkdir()
        shutil.copyfile(anchors, folder / "anchors" / "trail.log")
    return {
        "format": FORMAT,
        "made_at": timezone.now().astimezone(UTC).isoformat(),
        "newest": str(newest),
        "django": django.get_version(),
        "server": server,
        "migrations": migrations,
        "tables": tables,
        "files": files,
        "dump": _sha256_of(dump),
        "keys": key_names(),
        "trail": list(trail.head()),
    }


def stored_files(folder: str = "") -> Iterator[str]:
    """Every file of the store by its name, in order."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(files):
        yield str(PurePosixPath(folder) / name)
    for name in sorted(folders):
        yield from stored_files(str(PurePosixPath(folder) / name))


def _pack(folder: Path, target: Path, manifest: dict[str, Any]) -> None:
    body = json.dumps(manifest, sort_keys=True).encode()
    with tarfile.open(target, "w") as archive:
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))
        for name in (DUMP, "files", "anchors"):
            if (folder / name).exists():
                archive.add(folder / name, name)


def _encrypt(source: Path, target: Path) -> None:
    recipients = [pyrage.x25519.Recipient.from_str(one) for one in settings.BACKUP_RECIPIENTS]
    header: dict[str, Any] = {"onatc": "backup", "format": FORMAT}
    if not recipients:
        own = pyrage.x25519.Identity.generate()
        recipients = [own.to_public()]
        header["identity"] = seal(str(own).encode(), "backup").hex()
    with source.open("rb") as plain, target.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        pyrage.encrypt_io(plain, file, recipients)
        file.flush()
        os.fsync(file.fileno())


# Restoring


def _decrypt(source: Path, target: Path, identity: Path | None) -> None:
    not_one = _("%(file)s is not a backup of this application.") % {"file": source.name}
    try:
        file: BinaryIO
        with source.open("rb") as file:
            line = file.readline(100_000)
            header = json.loads(line)
            if not isinstance(header, dict) or header.get("onatc") != "backup":
                raise BackupError(not_one)
            if header.get("format") != FORMAT:
                raise BackupError(_("This backup was made by another version of the application."))
            if identity is not None:
                lines = identity.read_text(encoding="ascii").splitlines()
                secret = next(one.strip() for one in lines if one.startswith("AGE-SECRET-KEY-"))
            elif "identity" in header:
                secret = unseal(bytes.fromhex(header["identity"]), "backup").decode()
            else:
                raise BackupError(_("This backup opens with a private key alone: name it with --identity FILE."))
            with target.open("wb") as plain:
                pyrage.decrypt_io(file, plain, [pyrage.x25519.Identity.from_str(secret)])
    except Unreadable as error:
        raise BackupError(_("None of the FIELD_KEYS opens this backup.")) from error
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise BackupError(_("The backup is damaged, or the key is not the right one. Nothing was changed.")) from error
    except (ValueError, StopIteration) as error:
        raise BackupError(not_one) from error
    except OSError as error:
        # pyrage reports a cut or changed container as an input error of the stream.
        text = error.strerror or _("The backup is damaged, or the key is not the right one. Nothing was changed.")
        raise BackupError(f"{source.name}: {text}") from error


def _unpack(plain: Path, folder: Path) -> dict[str, Any]:
    damaged = _("The backup is damaged: %(name)s is not what its manifest says. Nothing was changed.")
    try:
        with tarfile.open(plain) as archive:
            archive.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        expected = {DUMP: manifest["dump"]} | {f"files/{name}": one for name, one in manifest["files"].items()}
    except (tarfile.TarError, OSError, ValueError, KeyError) as error:
        raise BackupError(damaged % {"name": MANIFEST}) from error
    for name, digest in expected.items():
        if not (folder / name).is_file() or _sha256_of(folder / name) != digest:
            raise BackupError(damaged % {"name": name})
    return manifest


def _check_versions(manifest: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        present = int(cursor.fetchone()[0])
    if present // 10000 < manifest["server"] // 10000:
        raise BackupError(
            _("The backup is from PostgreSQL %(then)s, this is %(now)s: restore into the same version or a later one.")
            % {"then": manifest["server"] // 10000, "now": present // 10000}
        )


def _load(dump: Path) -> None:
    """Everything in one transaction: a restore that fails leaves what was there."""
    script = subprocess.run(
        [_program("pg_restore"), "-f", "-", "--no-owner", str(dump)], env=_environment(), capture_output=True
    )
    if script.returncode:
        raise BackupError(script.stderr.decode(errors="replace").strip().splitlines()[-1])
    role = (
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onatc_application') THEN "
        "CREATE ROLE onatc_application NOLOGIN; END IF; END $$;"
    )
    # The dump sets an empty search path; what it brings names every schema.
    before = (
        f"{role} DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO onatc_application;"
    )
    done = subprocess.run(
        [_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-o", os.devnull, "-f", "-"],
        env=_environment(),
        input=before.encode() + b"\n" + script.stdout,
        capture_output=True,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise BackupError(_("The database was left as it was: %(reason)s") % {"reason": lines[-1] if lines else ""})


def _put_file(name: str, source: Path) -> None:
    if default_storage.exists(name):
        with default_storage.open(name) as stored:
            same = hashlib.file_digest(stored, "sha256").hexdigest() == _sha256_of(source)  # type: ignore[arg-type]
        if same:
            return
        default_storage.delete(name)
    with source.open("rb") as file:
        default_storage.save(name, File(file))


def _replace_anchors(folder: Path) -> None:
    """The anchors of what is restored; those of what was there before stay beside them under another name."""
    present = Path(settings.TRAIL_ANCHOR_FILE)
    if present.is_file():
        present.rename(present.with_name(f"{present.name}.before-restore-{int(time.time())}"))
    if (folder / "trail.log").is_file():
        present.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "trail.log", present)


def _settle_after_restore() -> None:
    """What was under way then is not done again now: mails are not sent twice, sessions and work have ended."""
    from onatc.models import Job, JobState, Message, MessageState

    with transaction.atomic(), connection.cursor() as cursor:
        waiting = [MessageState.QUEUED, MessageState.SENDING, MessageState.HELD]
        Message.objects.filter(state__in=waiting).update(state=MessageState.FAILED, error="restored")
        Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING]).update(
            state=JobState.FAILED, error=_("A backup was restored while this waited. Start it again.")
        )
        cursor.execute("DELETE FROM django_session")
        cursor.execute("DELETE FROM usersessions_usersession")


def _compare(manifest: dict[str, Any]) -> None:
    """Rows of every table and SHA-256 of every file, against the manifest."""
    emptied = {"django_session", "usersessions_usersession"}
    with connection.cursor() as cursor:
        present = _counts(cursor)
    for table, rows in manifest["tables"].items():
        # Letting the waiting mails and jobs rest is itself on record, in the tables of changes.
        if table not in emptied and present.get(table, -1) < rows:
            raise BackupError(_("After restoring, the table %(name)s lacks rows.") % {"name": table})
    for name, digest in manifest["files"].items():
        with default_storage.open(name) as stored:
            if hashlib.file_digest(stored, "sha256").hexdigest() != digest:  # type: ignore[arg-type]
                raise BackupError(
                    _("After restoring, the file %(name)s is not the one of the backup.") % {"name": name}
                )


# The server's own programs


def _counts(cursor: Any) -> dict[str, int]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    counted = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  # nosec B608
        counted[table] = cursor.fetchone()[0]
    return counted


def _program(name: str) -> str:
    found = services.program(name)
    if found is None:
        raise BackupError(_("%(name)s is missing: install the client programs of PostgreSQL.") % {"name": name})
    return found


def _environment() -> dict[str, str]:
    database = connection.settings_dict
    named = {
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"] or ""),
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
    }
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"} | {name: str(one) for name, one in named.items() if one}


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([_program(program), *arguments], env=_environment(), capture_output=True)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise BackupError(lines[-1] if lines else f"{program} failed")


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
