"""Backup and restore (threats T38, R20): what comes back is what was there, and nothing damaged comes in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from onatc import backup

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


def restore_elsewhere(
    source: Path, folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """On an empty machine: another folder, another embedded server."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "OWNER_DATABASE_URL")
    }
    return subprocess.run(
        [sys.executable, "manage.py", "restore", str(source), *arguments],
        cwd=ROOT,
        env=clean | {"VAR_DIR": str(folder), "DEMO": "1", "DJANGO_SETTINGS_MODULE": "onatc.settings"} | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def empty_machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine")
    for part in (folder, *folder.parents[:2]):
        part.chmod(0o755)
    return folder


def test_it_comes_back_whole_on_an_empty_machine_and_only_once_by_itself(made, empty_machine):
    done = restore_elsewhere(made, empty_machine)
    assert done.returncode == 0, done.stderr
    assert "restored and compared" in done.stdout
    assert (empty_machine / "files" / "evidence" / "a.csv").read_bytes() == b"a,b\n1,2\n"
    again = restore_elsewhere(made, empty_machine)
    assert again.returncode == 1 and "--replace" in again.stderr
    assert restore_elsewhere(made, empty_machine, "--replace").returncode == 0


@pytest.mark.parametrize("place", [0.02, 0.5, 0.99])
def test_one_changed_byte_is_found_before_anything_is_touched(made, place, world):
    """Bad input: a backup with one byte changed."""
    body = bytearray(made.read_bytes())
    body[int(len(body) * place)] ^= 1
    made.write_bytes(body)
    before = len(world.people)
    with pytest.raises(CommandError):
        call_command("restore", str(made), "--replace")
    assert world.director and before


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
        assert backup._unpack(folder / "plain", folder)["tables"]["stakeholders_user"] > 20


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
