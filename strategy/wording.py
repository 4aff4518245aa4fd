"""The difference of two wordings, word by word."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

WORD = re.compile(r"\s+|\w+|[^\w\s]", re.U)
LONGEST = 4_000  # words; beyond that the texts are shown one after the other


@dataclass(frozen=True)
class Piece:
    """A run of text that stayed (`same`), went (`del`) or came (`ins`)."""

    kind: str
    text: str


def difference(old: str, new: str) -> list[Piece]:
    """What became of `old` in `new`: what stayed and what went give `old` again, what stayed and what came give `new`.

    Words are kept whole, and a lone space between two changed words is counted as changed, so that a rewritten phrase
    reads as one. Texts of more than LONGEST words are not compared in detail.
    """
    before, after = WORD.findall(old), WORD.findall(new)
    if max(len(before), len(after)) > LONGEST:
        before, after = [old], [new]
    pieces: list[tuple[str, str, str]] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        was, now = "".join(before[i:j]), "".join(after[k:m])
        is_gap = tag == "equal" and was.isspace() and pieces and j < len(before) and m < len(after)
        pieces.append(("equal" if tag == "equal" and not is_gap else "changed", was, now))
    found: list[Piece] = []
    gone = came = ""
    for kind, was, now in [*pieces, ("equal", "", "")]:
        if kind == "changed":
            gone, came = gone + was, came + now
            continue
        found += [Piece(tag, text) for tag, text in (("del", gone), ("ins", came)) if text]
        gone = came = ""
        if was:
            found.append(Piece("same", was))
    return found
