"""The embedded servers: found again, shared, adopted after `kill -9`, and one clear line for what cannot work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
import redis

from onatc.services import Postgres, Valkey, process_is
from tests.processes import ROOT, until

# Holds the servers until a line comes in; says where they are.
HOLD = """
import os, sys
from pathlib import Path
from onatc.services import ServiceError, ensure
try:
    ensure(Path(sys.argv[1]), throw_away=True)
except ServiceError as error:
    sys.exit(f"onatc: {error}")
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.readline()
"""


class User:
    """A command that uses the servers of a folder."""

    def __init__(self, folder: Path) -> None:
        hidden = ("DATABASE_URL", "REDIS_URL")
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in hidden},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def addresses(self) -> tuple[str, str]:
        database, broker = self.process.stdout.readline().split()
        return database, broker

    def end(self) -> None:
        self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


@pytest.fixture
def folder():
    """A folder that the account which runs PostgreSQL can enter, as /srv or /tmp; what runs in it is stopped."""
    with tempfile.TemporaryDirectory(prefix="onatc-services-") as name:
        place = Path(name)
        place.chmod(0o755)
        yield place
        Valkey(place / "valkey").stop()
        Postgres(place / "pg").stop()


def answers(database: str, broker: str) -> bool:
    with psycopg.connect(database) as link:
        link.execute("SELECT 1")
    with redis.Redis.from_url(broker) as client:
        return bool(client.ping())


def pids(folder: Path) -> tuple[int, int]:
    return (
        int((folder / "pg" / "postmaster.pid").read_text().splitlines()[0]),
        int((folder / "valkey" / "server.pid").read_text().split()[0]),
    )


def alive(pair: tuple[int, int]) -> bool:
    return process_is(pair[0], "postgres") or process_is(pair[1], "valkey-server")


def test_commands_share_the_servers_and_the_last_one_stops_them(folder):
    first, second = User(folder), User(folder)  # started at once
    assert first.addresses() == second.addresses()
    servers = pids(folder)
    first.end()
    assert alive(servers)
    second.end()
    assert not alive(servers)


def test_servers_left_by_a_killed_command_are_adopted_and_stopped_by_the_next(folder):
    killed = User(folder)
    addresses = killed.addresses()
    servers = pids(folder)
    killed.kill()
    after = User(folder)
    assert after.addresses() == addresses and answers(*addresses)
    after.end()
    assert not alive(servers)


def test_pid_files_of_killed_servers_are_no_hindrance(folder):
    user = User(folder)
    user.addresses()
    servers = pids(folder)
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    user.kill()
    until(lambda: not alive(servers), "the servers end")
    assert (folder / "pg" / "postmaster.pid").exists() and (folder / "valkey" / "server.pid").exists()
    again = User(folder)
    assert answers(*again.addresses())
    assert set(pids(folder)).isdisjoint(servers)
    again.end()


def test_a_folder_that_is_a_file_is_one_clear_line(tmp_path):
    place = tmp_path / "var"
    place.write_text("not a folder")
    user = User(place)
    _out, message = user.process.communicate(timeout=60)
    assert user.process.returncode == 1
    assert message.startswith("onatc: ") and str(place) in message and len(message.splitlines()) == 1
