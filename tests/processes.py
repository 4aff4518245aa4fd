"""A real Celery worker on the test's own database and queue."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Ask again and again until it holds; fails with `what` when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        threading.Event().wait(0.05)


def start_worker(app: str = "onatc", log: int | IO[bytes] = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    database = connection.settings_dict
    address = f"{database['USER']}:{database['PASSWORD']}" if database["PASSWORD"] else database["USER"]
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{address}@{database['HOST']}:{database['PORT']}/{database['NAME']}",
        "DJANGO_SETTINGS_MODULE": "tests.worker_settings",
        "TEST_MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "JOB_HEARTBEAT_SECONDS": "0.3",
        "JOB_SILENT_SECONDS": "1.5",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "-q", "-A", app, "worker", "-l", "error", "-c", "1", "--without-gossip",
         "--without-mingle"],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )  # fmt: skip


def kill(worker: subprocess.Popen[bytes], how: signal.Signals = signal.SIGKILL) -> None:
    """The whole process group at once, as a machine that loses power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, how)
    worker.wait(30)


@contextlib.contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    process = start_worker()
    try:
        yield process
    finally:
        kill(process)
