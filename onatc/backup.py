"""Backup and restore: the database, the files and the anchors of the trail in one encrypted file; keys by reference only.

A file is one line of JSON and an age container (X25519, ChaCha20-Poly1305). With `BACKUP_RECIPIENTS` only the private key,
which is not on the server, opens it; without, a key made for this one file is kept in its first line, sealed with
`FIELD_KEYS`. Inside is a tar: the dump, the files, and a manifest with the SHA-256 of each, and of each table the number
and the checksum of its rows; the manifest is signed with `FIELD_KEYS`, since anybody who knows a public key can encrypt to
it. Restoring checks all of it before anything is touched, and the tables in the transaction that loads them (threats.md
T38, R20).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import django
import psycopg.sql
import pyrage
import redis
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onatc import services, trail
from onatc.keys import Unreadable, derived, key_id, seal, unseal
from onatc.store import AWAY

FORMAT = 2
CHUNK = 1024 * 1024
DUMP, MANIFEST, SIGNATURE = "database.dump", "manifest.json", "manifest.signature"
KEEP_DAYS = 30
FAILURES = (*AWAY, DatabaseError, subprocess.SubprocessError)
# Rows as text are the same on every machine only when these are.
SPELLING = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1"


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
        digest = _sha256_of(target)
        BackupRun.objects.filter(pk=run.pk).update(
            state=BackupState.DONE, finished_at=timezone.now(), size=target.stat().st_size, sha256=digest
        )
    except (*FAILURES, BackupError) as error:
        connection.close_if_unusable_or_obsolete()
        with contextlib.suppress(DatabaseError):  # away: the run stays "running", which is not "done" either
            BackupRun.objects.filter(pk=run.pk).update(
                state=BackupState.FAILED, finished_at=timezone.now(), error=str(error)[:200]
            )
        raise BackupError(str(error)) from error
    return Made(target, digest, _rows(manifest), len(manifest["files"]), time.monotonic() - started)


# What the apps above do once an older state is back, such as destroying again what was destroyed since (threats.md T38).
after_restore: list[Callable[[], object]] = []


def restore(source: Path, *, replace: bool = False, identity: Path | None = None) -> Restored:
    """Check the whole file, then put files and database in place and compare them with its manifest.

    The files come first: one more than the records know of does no harm, and when one cannot be put the database is as it
    was. The database changes in one transaction, which compares every table before it ends.
    """
    started = time.monotonic()
    try:
        if is_filled() and not replace:
            raise BackupError(_("This database is not empty. Add --replace to put the backup in its place."))
        with _workplace() as folder:
            plain = folder / "backup.tar"
            _decrypt(source, plain, identity)
            manifest = _unpack(plain, folder)
            plain.unlink()
            _check_versions(manifest)
            _put_files(manifest, folder / "files")
            _load(folder, manifest)
            _replace_anchors(folder / "anchors")
    except FAILURES as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BackupError(_("The database was left as it was: %(reason)s") % {"reason": reason}) from error
    connection.close()
    for redo in after_restore:
        redo()
    trail.record(trail.Act.RESTORED, by=None, made_at=manifest["made_at"], head=manifest["trail"][0])
    with contextlib.suppress(redis.RedisError):
        cache.clear()  # pages of what was there before, and nudges for work that has ended
    return Restored(
        rows=_rows(manifest),
        files=len(manifest["files"]),
        made_at=datetime.fromisoformat(manifest["made_at"]),
        newest=manifest["newest"],
        seconds=time.monotonic() - started,
    )


def _rows(manifest: dict[str, Any]) -> int:
    return sum(rows for rows, _checksum in manifest["tables"].values())


def is_filled() -> bool:
    """Whether there are accounts, or another application's tables: what migrations load by themselves does not count."""
    tables = connection.introspection.table_names()
    if "stakeholders_user" not in tables:
        return bool(set(tables) - {"django_migrations"})
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
    """A folder for nobody else, gone afterwards whatever happens: what a killed command left is removed by the next one."""
    base = Path(settings.VAR_DIR)
    base.mkdir(parents=True, exist_ok=True)
    for left in base.glob("backup-*"):
        with contextlib.suppress(OSError), (left / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="backup-", dir=base) as name, (Path(name) / "lock").open("w") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        yield Path(name)


def _collect(folder: Path) -> dict[str, Any]:
    """The dump, the rows it holds, and the files; rows are counted in the very snapshot that is dumped."""
    dump = folder / DUMP
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # a large dump takes longer than a page may
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        _run("pg_dump", "-Fc", "-f", str(dump), f"--snapshot={snapshot}", "--no-owner")
        cursor.execute(SPELLING)
        tables = _contents(cursor)
        cursor.execute(
            "SELECT greatest((SELECT max(created_at) FROM pghistory_context), (SELECT max(noted_at) FROM onatc_recordchange))"
        )
        newest = cursor.fetchone()[0]
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
        migrations = [row[0] for row in cursor.fetchall()]
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0])
        head = trail.head()
    files = {}
    for name in stored_files():
        copy = folder / "files" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        with default_storage.open(name) as stored, copy.open("wb") as file:
            shutil.copyfileobj(stored, file, CHUNK)
        files[name] = _sha256_of(copy)
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
        "anchors": _copy_anchors(folder, head[0]),
        "keys": key_names(),
        "trail": list(head),
    }


def _copy_anchors(folder: Path, last: int) -> str:
    """The anchors up to the entry that the dump ends with; those of entries written meanwhile would look like a cut."""
    copy = folder / "anchors" / "trail.log"
    copy.parent.mkdir()
    there = Path(settings.TRAIL_ANCHOR_FILE)
    # That they are away is for /readyz and verify_audit to say; a backup without them is better than none.
    known = trail.anchors_in(there) if there.exists() else ()
    lines = (f"{one.sequence} {one.seal}\n" for one in known if one.sequence <= last)
    copy.write_text("".join(lines), encoding="ascii")
    return _sha256_of(copy)


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
    number, key = next(iter(_signing_keys().items()))
    signature = f"{number} {hmac.new(key, body, hashlib.sha256).hexdigest()}\n".encode()
    with tarfile.open(target, "w") as archive:
        for name, content in ((MANIFEST, body), (SIGNATURE, signature)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name in (DUMP, "files", "anchors"):
            if (folder / name).exists():
                archive.add(folder / name, name)


def _signing_keys() -> dict[str, bytes]:
    """Name of the key as `key_names` gives it → key; the first one signs."""
    return {
        name: derived(secret, "backup manifest") for name, secret in zip(key_names(), settings.FIELD_KEYS, strict=True)
    }


def _encrypt(source: Path, target: Path) -> None:
    recipients = [pyrage.x25519.Recipient.from_str(one) for one in settings.BACKUP_RECIPIENTS]
    header: dict[str, Any] = {"onatc": "backup", "format": FORMAT}
    if not recipients:
        own = pyrage.x25519.Identity.generate()
        recipients = [own.to_public()]
        header["identity"] = seal(str(own).encode(), "backup").hex()
    with source.open("rb") as plain, target.open("wb") as file:
        file.write(_spelt(header))
        pyrage.encrypt_io(plain, file, recipients)
        file.flush()
        os.fsync(file.fileno())


def _spelt(header: dict[str, Any]) -> bytes:
    return json.dumps(header).encode() + b"\n"


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
            # The first line alone is not sealed: it must be spelt as it was written, to the letter.
            if line != _spelt(header) or header.get("identity", "") != header.get("identity", "").lower():
                raise BackupError(_("The backup is damaged, or the key is not the right one. Nothing was changed."))
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
    except (ValueError, AttributeError, StopIteration) as error:
        raise BackupError(not_one) from error
    except OSError as error:
        # pyrage reports a cut or changed container as an input error of the stream.
        text = error.strerror or _("The backup is damaged, or the key is not the right one. Nothing was changed.")
        raise BackupError(f"{source.name}: {text}") from error


def _unpack(plain: Path, folder: Path) -> dict[str, Any]:
    damaged = _("The backup is damaged: %(name)s is not what its manifest says. Nothing was changed.")
    try:
        with tarfile.open(plain) as archive:
            _extract(archive, folder)
        body = (folder / MANIFEST).read_bytes()
        _check_signature(body, (folder / SIGNATURE).read_text(encoding="ascii"))
        manifest: dict[str, Any] = json.loads(body)
        expected = {DUMP: manifest["dump"], "anchors/trail.log": manifest["anchors"]}
        expected |= {f"files/{name}": one for name, one in manifest["files"].items()}
    except (tarfile.TarError, OSError, ValueError, KeyError) as error:
        raise BackupError(damaged % {"name": MANIFEST}) from error
    for name, digest in expected.items():
        if not (folder / name).is_file() or _sha256_of(folder / name) != digest:
            raise BackupError(damaged % {"name": name})
    return manifest


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Plain files inside the folder and nothing else; by hand, since the filters of tarfile are younger than Python 3.11."""
    for member in archive:
        place = PurePosixPath(member.name)
        if member.isdir():
            continue
        packed = archive.extractfile(member) if member.isreg() else None
        if packed is None or place.is_absolute() or ".." in place.parts:
            raise ValueError(member.name)
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file, CHUNK)


def _check_signature(body: bytes, signature: str) -> None:
    """That the manifest was written with one of our FIELD_KEYS: an encrypted file alone proves nothing of its maker."""
    number, _space, digest = signature.strip().partition(" ")
    key = _signing_keys().get(number)
    if key is None:
        raise BackupError(
            _("This backup was signed with the key %(key)s, which is not among the FIELD_KEYS. Nothing was changed.")
            % {"key": number[:8]}
        )
    if not hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest(), digest):
        raise ValueError


def _check_versions(manifest: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        present = int(cursor.fetchone()[0])
    if present // 10000 < manifest["server"] // 10000:
        raise BackupError(
            _("The backup is from PostgreSQL %(then)s, this is %(now)s: restore into the same version or a later one.")
            % {"then": manifest["server"] // 10000, "now": present // 10000}
        )


def _load(folder: Path, manifest: dict[str, Any]) -> None:
    """Everything in one transaction, with the comparison: a restore that fails leaves what was there."""
    dump = folder / DUMP
    # Privileges that are given by default name the owner of the tables, who has another name on another machine.
    parts = _run("pg_restore", "-l", str(dump)).splitlines()
    (folder / "parts").write_text("\n".join(part for part in parts if " DEFAULT ACL " not in part) + "\n")
    _run("pg_restore", "-f", str(folder / "load.sql"), "--no-owner", "-L", str(folder / "parts"), str(dump))
    (folder / "before.sql").write_text(BEFORE)
    (folder / "after.sql").write_text(f"{AFTER}\n{_comparison(manifest)}\n{_settling()}")
    files = [part for name in ("before", "load", "after") for part in ("-f", str(folder / f"{name}.sql"))]
    _run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-o", os.devnull, *files)


BEFORE = """
SET lock_timeout = '10s';
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onatc_application') THEN
CREATE ROLE onatc_application NOLOGIN; END IF; END $$;
DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO onatc_application;
"""
# What migration 0008 gives to tables still to come.
AFTER = """
SET search_path = public;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO onatc_application;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO onatc_application;
"""


def _comparison(manifest: dict[str, Any]) -> str:
    """Ends the transaction unless each table holds the rows that were counted when it was dumped, and no other."""
    name, literal = connection.ops.quote_name, _literal
    differs = _("The table %(name)s is not the one of the backup.")
    checks = [
        f"IF ({_content_of(name(table))}) IS DISTINCT FROM {literal(f'{rows} {checksum}')} "
        f"THEN RAISE EXCEPTION '%', {literal(differs % {'name': table})}; END IF;"
        for table, (rows, checksum) in manifest["tables"].items()
    ]
    tables = ", ".join(literal(table) for table in manifest["tables"])
    checks.append(  # literals of our own signed manifest
        "IF EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' "  # nosec B608
        f"AND tablename NOT IN ({tables})) THEN RAISE EXCEPTION 'there is a table too many'; END IF;"
    )
    return f"{SPELLING};\nDO {literal('BEGIN ' + chr(10).join(checks) + ' END')};"


def _settling() -> str:
    """What was under way then is not done again now: mails are not sent twice, sessions and work have ended.

    The numbers of transactions are those of another server: what follows them (kept pages, search) begins anew. The tables
    are counted: until then PostgreSQL plans for empty ones.
    """
    stopped = _literal(_("A backup was restored while this waited. Start it again."))
    return f"""
UPDATE onatc_message SET state = 'failed', error = 'restored' WHERE state IN ('queued', 'sending', 'held');
UPDATE onatc_job SET state = 'failed', error = {stopped}, finished_at = now() WHERE state IN ('queued', 'running');
DELETE FROM django_session; DELETE FROM usersessions_usersession;
DELETE FROM onatc_recordchange; DELETE FROM onatc_searchprogress;
ANALYZE;
"""  # noqa: S608  # nosec B608


def _literal(text: str) -> str:
    return psycopg.sql.Literal(text).as_string(None)


def _put_files(manifest: dict[str, Any], folder: Path) -> None:
    """Each file into the store, and back out of it to compare."""
    for name, digest in manifest["files"].items():
        if _stored_digest(name) == digest:
            continue
        if default_storage.exists(name):
            default_storage.delete(name)
        with (folder / name).open("rb") as file:
            default_storage.save(name, File(file))
        if _stored_digest(name) != digest:
            raise BackupError(_("The file %(name)s cannot be put into the store as it was.") % {"name": name})


def _stored_digest(name: str) -> str:
    """SHA-256 of a file in the store; empty when there is none, or none that can be read."""
    try:
        with default_storage.open(name) as stored:
            return hashlib.file_digest(stored, "sha256").hexdigest()  # type: ignore[arg-type]
    except (FileNotFoundError, Unreadable):
        return ""


def _replace_anchors(folder: Path) -> None:
    """The anchors of what is restored; those of what was there before stay beside them under another name."""
    present = Path(settings.TRAIL_ANCHOR_FILE)
    if present.is_file():
        present.rename(present.with_name(f"{present.name}.before-restore-{int(time.time())}"))
    if (folder / "trail.log").is_file():
        present.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "trail.log", present)


# The server's own programs


def _contents(cursor: Any) -> dict[str, list[str]]:
    """Each table with its rows counted and their checksum, in whatever order they lie."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    found = {}
    for (table,) in cursor.fetchall():
        cursor.execute(_content_of(connection.ops.quote_name(table)))
        rows, checksum = cursor.fetchone()[0].split()
        found[table] = [int(rows), checksum]
    return found


def _content_of(table: str) -> str:
    """A query for "rows checksum": the sum of the first half of each row's MD5, against damage and not against an attacker."""
    each = "('x' || left(md5(backup_row::text), 16))::bit(64)::bigint::numeric"
    return f"SELECT count(*) || ' ' || coalesce(sum({each}), 0) FROM {table} AS backup_row"  # noqa: S608  # nosec B608


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
    for option in ("sslmode", "sslrootcert", "sslcert", "sslkey"):
        named[f"PG{option.upper()}"] = database["OPTIONS"].get(option, "")
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"} | {name: str(one) for name, one in named.items() if one}


def _run(program: str, *arguments: str) -> str:
    """What the program says; BackupError with its last complaint when it fails."""
    done = subprocess.run([_program(program), *arguments], env=_environment(), capture_output=True)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()] or [
            program
        ]
        reason = next((line for line in lines if "ERROR" in line or "FATAL" in line), lines[-1])
        raise BackupError(
            _("%(program)s: %(reason)s. The database is as it was.")
            % {"program": program, "reason": reason.rpartition("ERROR:")[2].strip().rstrip(".")}
        )
    return done.stdout.decode(errors="replace")


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
