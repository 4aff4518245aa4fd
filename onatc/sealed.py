"""What is sealed in the database, by who keeps it, for the change of FIELD_KEYS (threats.md T33).

An app registers, when it is ready, a function that seals its cells anew with the first key. Such a function works in chunks,
changes a cell only while it is still the one that was read, and may be stopped and repeated. It gives how many cells it
sealed, and how many it could not open.
"""

from __future__ import annotations

from collections.abc import Callable

Reseal = Callable[[int], tuple[int, int]]

KEPT: dict[str, Reseal] = {}
PASSES = 5  # what changed under the hands of one pass is sealed by the next


def register(name: str, reseal: Reseal) -> None:
    KEPT[name] = reseal


def rotate(chunk: int = 500) -> dict[str, tuple[int, int]]:
    """Seal all that is kept with the first of FIELD_KEYS: name → (sealed anew, unreadable).

    Each is passed over until a pass finds nothing more to seal: a cell that changed between its reading and its writing was
    left alone by that pass, and may still be under the old key, as a recovery code that was used meanwhile is."""
    found = {}
    for name, reseal in KEPT.items():
        done = unreadable = 0
        for _pass in range(PASSES):
            sealed, unreadable = reseal(chunk)
            done += sealed
            if not sealed and _pass:
                break
        found[name] = (done, unreadable)
    return found
