"""Pytest plugin: throw-away PostgreSQL and Valkey before the settings are read; named by `-p tests.services`.

Nothing is started in an xdist worker, nor for what `DATABASE_URL` or `REDIS_URL` names already.
"""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

# Before anything of ours is imported: the Celery application falls back to the product's settings.
os.environ["DJANGO_SETTINGS_MODULE"] = os.environ.get("BENCH_SETTINGS", "tests.settings")

MEMORY = Path("/dev/shm")  # a database of 2,600 files is copied there ten times as fast as on a disk
NEEDED = 4 * 1024**3


def place() -> str | None:
    """Memory, where the machine has it as a folder and enough of it; else the usual place."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < NEEDED:
        return None
    available = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    return str(MEMORY) if available and int(available[1]) * 1024 > 2 * NEEDED else None


if "PYTEST_XDIST_WORKER" not in os.environ:
    folder = Path(tempfile.mkdtemp(prefix="onatc-test-", dir=place()))
    folder.chmod(0o755)
    (folder / "static").mkdir()
    # Handlers run last in, first out: the servers stop before their folder goes.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DEMO"] = "1"
    os.environ["VAR_DIR"] = str(folder)

    from onatc.services import ensure

    ensure(folder, throw_away=True)
else:
    # Each worker has a database of its own; so it must have a queue of its own.
    base, _slash, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{base}/{int(os.environ['PYTEST_XDIST_WORKER'].removeprefix('gw')) + 1}"
