"""Codes by what somebody wrote: the code itself or its label in one of the three languages, without regard to case, signs
above letters and spaces."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

PLAIN = str.maketrans({"đ": "d", "ð": "d", "ł": "l", "ı": "i", "’": "'", "‘": "'", "`": "'", "–": "-", "—": "-"})


def folded(text: str) -> str:
    """Small letters without signs; `Gjilan / Gnjilane` and `gjilan  / gnjilane` are the same."""
    small = unicodedata.normalize("NFKC", text).casefold().translate(PLAIN)
    bare = "".join(sign for sign in unicodedata.normalize("NFD", small) if not unicodedata.combining(sign))
    return " ".join(bare.split())


@dataclass
class Words:
    """The codes of one list. What means two codes is in `ambiguous` and is not understood."""

    codes: dict[str, str] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, Iterable[str]]]) -> Words:
        """From codes with their labels. A code wins over a label that reads alike."""
        known = [(code, [label for label in labels if label]) for code, labels in rows]
        found = cls({folded(code): code for code, _labels in known})
        own = set(found.codes)
        for code, labels in known:
            for label in labels:
                for written in {folded(label), folded(label.replace("đ", "dj").replace("Đ", "Dj"))} - own:
                    if found.codes.setdefault(written, code) != code:
                        found.ambiguous.add(written)
        for written in found.ambiguous:
            del found.codes[written]
        return found

    def __contains__(self, text: str) -> bool:
        return folded(text) in self.codes

    def read(self, text: str) -> str | None:
        return self.codes.get(folded(text))

    def is_ambiguous(self, text: str) -> bool:
        return folded(text) in self.ambiguous

    @property
    def known(self) -> list[str]:
        return list(dict.fromkeys(self.codes.values()))


@dataclass(frozen=True)
class Vocabulary:
    """The lists by their names, as `nrm.queries.imports.vocabulary` loads them; `dissolved` are days by institution."""

    lists: Mapping[str, Words]
    dissolved: Mapping[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Words:
        return self.lists[name]
