"""The difference between two wordings, word by word: what goes, what comes, what stays. Plain functions, no database."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# Above so many pairs of equal words (a text of one word repeated), the middle is shown as replaced whole: the search for
# the longest common run costs a step for each pair.
MOST_PAIRS = 1_000_000


class Kind(StrEnum):
    SAME = "same"
    GONE = "del"
    NEW = "ins"


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str


def difference(before: str, after: str) -> list[Piece]:
    """The pieces that lead from one wording to the other, in reading order.

    `SAME` and `GONE` together are the wording before, letter by letter, `SAME` and `NEW` the one after
    (`before_of`, `after_of`). Two neighbours are never of one kind, and what goes stands before what comes.
    """
    old, new = WORDS.findall(before), WORDS.findall(after)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = _steps(old[start : len(old) - end], new[start : len(new) - end])
    kept = "".join(old[:start]), "".join(old[len(old) - end :])
    return _joined([("", "", kept[0]), *middle, ("", "", kept[1])])


def _steps(old: list[str], new: list[str]) -> list[tuple[str, str, str]]:
    """Triples of what goes, what comes, and what stays after it."""
    count, other = Counter(old), Counter(new)
    if sum(number * other[word] for word, number in count.items()) > MOST_PAIRS:
        return [("".join(old), "".join(new), "")]
    steps = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            steps.append(("", "", "".join(old[i1:i2])))
        else:
            steps.append(("".join(old[i1:i2]), "".join(new[j1:j2]), ""))
    return steps


def _joined(steps: list[tuple[str, str, str]]) -> list[Piece]:
    """One piece for what belongs together: a space or a comma between two changes is part of both, or each word of a new
    sentence would stand alone."""
    pieces: list[Piece] = []
    gone = new = same = ""

    def flush() -> None:
        nonlocal gone, new
        pieces.extend(Piece(kind, text) for kind, text in ((Kind.GONE, gone), (Kind.NEW, new)) if text)
        gone = new = ""

    for goes, comes, stays in steps:
        if goes or comes:
            if (gone or new) and same and not re.search(r"\w", same):
                gone, new = gone + same, new + same
            elif same:
                flush()
                pieces.append(Piece(Kind.SAME, same))
            same = ""
            gone, new = gone + goes, new + comes
        same += stays
    flush()
    if same:
        pieces.append(Piece(Kind.SAME, same))
    return pieces


def before_of(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != Kind.NEW)


def after_of(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != Kind.GONE)
