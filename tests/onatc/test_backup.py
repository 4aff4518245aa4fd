"""Backup and restore (threats T38, R20): what comes back is what was there, and nothing damaged comes in."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pyrage
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from onatc import backup, mail, search, trail
from onatc.services import Postgres, Valkey

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def made(world, tmp_path, settings):
    """A backup of a small office with one file in the store."""
    from strategy.models import Evidence
    from tests.strategy.steps import submitted

    submitted(world.request(), world.focal_point)
    settings.VAR_DIR = tmp_path / "var"
    folder = Path(settings.MEDIA_ROOT) / "evidence"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"a,b\n1,2\n")
    assert Evidence.objects.count() == 0
    target = tmp_path / "b" / "office.backup"
    backup.make(target)
    return target


def elsewhere(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command on an empty machine: another folder, another embedded server."""
    hidden = ("DATABASE_URL", "REDIS_URL", "OWNER_DATABASE_URL")
    clean = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=clean | {"VAR_DIR": str(folder), "DEMO": "1", "DJANGO_SETTINGS_MODULE": "onatc.settings"} | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def empty_machine():
    """A folder that the account which runs PostgreSQL can enter."""
    with tempfile.TemporaryDirectory(prefix="onatc-machine-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        Valkey(Path(name) / "valkey").stop()
        Postgres(Path(name) / "pg").stop()


def test_it_comes_back_whole_on_an_empty_machine_and_only_once_by_itself(made, empty_machine):
    done = elsewhere(empty_machine, "restore", str(made))
    assert done.returncode == 0, done.stderr
    assert "restored and compared" in done.stdout
    assert (empty_machine / "files" / "evidence" / "a.csv").read_bytes() == b"a,b\n1,2\n"
    again = elsewhere(empty_machine, "restore", str(made))
    assert again.returncode == 1 and "--replace" in again.stderr
    assert elsewhere(empty_machine, "restore", str(made), "--replace").returncode == 0


AFTERWARDS = """
import json
from django.db import connection
from onatc import kept, mail, models, search, trail
cursor = connection.cursor()
cursor.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'")
counted = cursor.fetchone()[0]
cursor.execute("SELECT defaclrole::regrole::text FROM pg_default_acl")
print(json.dumps({
    "counted": counted > 100,
    "rows": models.Message.objects.count(), "waiting": models.Message.objects.filter(state="queued").count(),
    "last": trail.TrailEntry.objects.order_by("-sequence").first().act, "entries": trail.head()[0],
    "changes": kept.RecordChange.objects.count(), "progress": search.SearchProgress.objects.count(),
    "found": search.catch_up(), "owners": sorted({row[0] for row in cursor.fetchall()}),
}))
"""


@pytest.mark.thorough
def test_a_backup_made_under_load_is_of_one_moment(world, empty_machine, tmp_path, settings):
    """R20: writers go on meanwhile; rows, trail and anchors of the backup end at one moment, and the search begins anew.

    The owner of the tables has another name there, and numbers of transactions begin again.
    """
    settings.VAR_DIR = tmp_path / "var"
    search.catch_up()
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE another_owner")
        cursor.execute(
            "ALTER DEFAULT PRIVILEGES FOR ROLE another_owner IN SCHEMA public GRANT SELECT ON TABLES TO onatc_application"
        )
    go_on, written = threading.Event(), threading.Barrier(4)
    people = [world.director, world.planning, world.monitoring]

    def write(number: int) -> None:
        first = True
        while first or not go_on.is_set():
            trail.record(trail.Act.READ, by=people[number], purpose="load")
            mail.queue_text(user=people[number], address="x@example.org", subject="x", text="x", kind=mail.Kind.ACCOUNT)
            if first:
                written.wait()
            first = False
        connection.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    try:
        for writer in writers:
            writer.start()
        written.wait()
        before, _seal = trail.head()
        made = backup.make(tmp_path / "load.backup")
        after, _seal = trail.head()
    finally:
        go_on.set()
        for writer in writers:
            writer.join()
        with connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY another_owner; DROP ROLE another_owner")
    assert after > before
    done = elsewhere(empty_machine, "restore", str(made.path))
    assert done.returncode == 0, done.stderr
    whole = elsewhere(empty_machine, "verify_audit")
    assert whole.returncode == 0, whole.stdout
    asked = elsewhere(empty_machine, "shell", "-v", "0", "-c", AFTERWARDS)
    assert asked.returncode == 0, asked.stderr
    there = json.loads(asked.stdout)
    assert there["waiting"] == 0 and there["rows"] >= 3
    assert there["last"] == "restored" and before <= there["entries"] - 1 <= after
    assert there["counted"] and (there["changes"], there["progress"]) == (0, 0) and there["found"] > 50
    assert "another_owner" not in there["owners"]


def test_one_changed_byte_anywhere_is_found_before_anything_is_touched(made, world):
    """Bad input: a backup with one byte changed. Every byte of the first line and of the container's head, in its lowest
    bit and in the one between capital and small letters; then places all over the file, and its end."""
    body = made.read_bytes()
    head = body.index(b"\n") + 400
    places = [*range(head), *range(head, len(body), len(body) // 150), *range(len(body) - 40, len(body))]
    unnoticed = []
    for place in places:
        for bit in (1, 32) if place < head else (1,):
            changed = bytearray(body)
            changed[place] ^= bit
            made.write_bytes(changed)
            try:
                backup.restore(made, replace=True)
            except backup.BackupError:
                continue
            unnoticed.append((place, bit))
    assert unnoticed == []
    assert world.director


def test_a_backup_that_somebody_else_wrote_for_our_public_key_is_refused(world, settings, tmp_path):
    """T38: whoever knows the public key can encrypt to it; the manifest is signed."""
    owner = pyrage.x25519.Identity.generate()
    settings.VAR_DIR, settings.BACKUP_RECIPIENTS = tmp_path / "var", [str(owner.to_public())]
    ours, settings.FIELD_KEYS = settings.FIELD_KEYS, ["somebody-else-" * 4]
    forged = backup.make(tmp_path / "forged.backup")
    settings.FIELD_KEYS = ours
    identity = tmp_path / "key.txt"
    identity.write_text(f"{owner}\n")
    with pytest.raises(CommandError, match="not among the FIELD_KEYS"):
        call_command("restore", str(forged.path), "--replace", "--identity", str(identity))
    assert world.director


def test_a_table_that_differs_leaves_the_database_as_it_was(made, world):
    """The comparison is part of the transaction that loads."""
    with backup._workplace() as folder:
        backup._decrypt(made, folder / "backup.tar", None)
        manifest = backup._unpack(folder / "backup.tar", folder)
        rows, _checksum = manifest["tables"]["stakeholders_institution"]
        manifest["tables"]["stakeholders_institution"] = [rows, "1"]
        backup._pack(folder, folder / "other.tar", manifest)
        backup._encrypt(folder / "other.tar", made)
    with pytest.raises(CommandError, match="stakeholders_institution"):
        call_command("restore", str(made), "--replace")
    assert world.director
    assert not trail.TrailEntry.objects.filter(act="restored").exists()


def test_what_a_killed_backup_left_is_removed_by_the_next(world, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    left, in_use = tmp_path / "var" / "backup-left", tmp_path / "var" / "backup-in-use"
    for folder in (left, in_use):
        folder.mkdir(parents=True)
        (folder / "lock").touch()
        (folder / "database.dump").write_bytes(b"plain")
    with (in_use / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        backup.make(tmp_path / "x.backup")
    assert not left.exists() and in_use.exists()


def test_a_store_that_is_away_fails_the_backup_and_says_so(world, settings, tmp_path):
    settings.VAR_DIR, settings.STORAGE_URL = tmp_path / "var", "s3://k:s@127.0.0.1:1/bucket?https=0"
    with pytest.raises(CommandError):
        call_command("backup", str(tmp_path / "x.backup"))
    assert backup.BackupRun.objects.get().state == "failed"


@pytest.mark.parametrize(
    "change", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"PK\x03\x04" + b, lambda b: b + b"x"]
)
def test_a_cut_or_strange_file_is_refused(made, change, world):
    made.write_bytes(change(made.read_bytes()))
    with pytest.raises(CommandError):
        call_command("restore", str(made), "--replace")
    assert world.director


def test_a_file_that_is_not_there_is_said(world, tmp_path):
    with pytest.raises(CommandError, match=r"gone\.backup"):
        call_command("restore", str(tmp_path / "gone.backup"), "--replace")


def test_another_key_does_not_open_it(made, settings, world):
    settings.FIELD_KEYS = ["z" * 40]
    with pytest.raises(CommandError, match="None of the FIELD_KEYS"):
        call_command("restore", str(made), "--replace")


def test_for_a_public_key_only_the_private_one_opens_it(world, settings, tmp_path):
    owner = pyrage.x25519.Identity.generate()
    settings.BACKUP_RECIPIENTS = [str(owner.to_public())]
    target = tmp_path / "office.backup"
    backup.make(target)
    with pytest.raises(CommandError, match="--identity"):
        call_command("restore", str(target), "--replace")
    wrong, right = tmp_path / "wrong.txt", tmp_path / "right.txt"
    wrong.write_text(f"# another\n{pyrage.x25519.Identity.generate()}\n")
    right.write_text(f"{owner}\n")
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(target), "--replace", "--identity", str(wrong))
    with backup._workplace() as folder:
        backup._decrypt(target, folder / "plain", right)
        assert backup._unpack(folder / "plain", folder)["tables"]["stakeholders_user"][0] > 20


def test_neither_keys_nor_names_are_readable_in_it(made, settings):
    body = made.read_bytes()
    assert settings.SECRET_KEY.encode() not in body and b"director@onatc.example" not in body
    with backup._workplace() as folder:
        backup._decrypt(made, folder / "plain", None)
        assert settings.SECRET_KEY.encode() not in (folder / "plain").read_bytes()


def test_a_backup_that_fails_leaves_nothing_and_says_so(world, tmp_path, settings):
    target = tmp_path / "file"
    target.write_text("not a folder")
    with pytest.raises(CommandError):
        call_command("backup", str(target / "x.backup"))
    assert backup.BackupRun.objects.get().state == "failed"


def test_old_nightly_backups_expire(tmp_path):
    for name, age in (("onatc-1.backup", 40), ("onatc-2.backup", 1), ("other.backup", 90)):
        file = tmp_path / name
        file.write_bytes(b"")
        os.utime(file, (file.stat().st_atime, file.stat().st_mtime - age * 86400))
    assert backup.remove_old(tmp_path) == 1
    assert {file.name for file in tmp_path.iterdir()} == {"onatc-2.backup", "other.backup"}
