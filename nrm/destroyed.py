"""What was destroyed, noted outside the database: a backup that is restored later must not bring it back (T38).

One line for each destruction: the kind and the keys of the cases, nothing else.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)


def _path() -> Path:
    return Path(settings.TRAIL_ANCHOR_FILE).with_name("destroyed.log")


def note(kind: str, cases: list[str]) -> None:
    """Add a line; that it could not be written is logged, and `/readyz` of the trail's folder says the same."""
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as file:
            file.write(json.dumps({"kind": kind, "cases": cases}) + "\n")
    except OSError as error:
        logger.error("a destruction was not noted outside the database: %s", error.strerror)


def noted() -> Iterator[tuple[str, list[uuid.UUID]]]:
    """All of them, oldest first; a line that cannot be read is logged and left out."""
    path = _path()
    if not path.exists():
        return
    with path.open(encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
                yield str(row["kind"]), [uuid.UUID(key) for key in row["cases"]]
            except (ValueError, KeyError, TypeError):
                logger.error("line %d of the list of destructions cannot be read", number)
