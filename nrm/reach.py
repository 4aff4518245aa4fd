"""What a training reached, as plain rules: shares, the gain between two tests, people against need, certificate numbers.

Nothing here knows the database. A share is never shown without what it is a share of; what is not known is None, never 0.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from onatc.ids import new_id

TENTH = Decimal("0.1")


def share(part: int, whole: int | None) -> Decimal | None:
    """`part` of `whole` in percent, one decimal, half up; None when `whole` is not known or nothing."""
    if not whole:
        return None
    return (Decimal(100) * part / whole).quantize(TENTH, ROUND_HALF_UP)


def mean(numbers: Iterable[int]) -> Decimal | None:
    """One decimal, half up; None of nothing."""
    found = list(numbers)
    return (Decimal(sum(found)) / len(found)).quantize(TENTH, ROUND_HALF_UP) if found else None


@dataclass(frozen=True)
class Sexes:
    """People by sex as it was recorded; the total is their sum, never typed."""

    women: int = 0
    men: int = 0
    others: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        return self.women + self.men + self.others + self.unknown

    def __add__(self, other: Sexes) -> Sexes:
        return Sexes(
            self.women + other.women,
            self.men + other.men,
            self.others + other.others,
            self.unknown + other.unknown,
        )

    @property
    def parts(self) -> tuple[int, int, int, int]:
        return self.women, self.men, self.others, self.unknown

    @property
    def women_pct(self) -> Decimal | None:
        """Of those whose sex is known."""
        return share(self.women, self.total - self.unknown)


COLUMN_OF_SEX = {"F": "women", "M": "men", "X": "others", "U": "unknown"}


def of_sex(code: str, number: int = 1) -> Sexes:
    """`number` people of a sex (codes of `stakeholders.Sex`)."""
    return Sexes(**{COLUMN_OF_SEX[code]: number})


@dataclass(frozen=True)
class Gain:
    """From the test before to the test after, of those alone who took both (`both` of `people`). Points of 100; `gain` is the
    mean of the differences. None where nobody took both."""

    people: int
    both: int
    before: Decimal | None
    after: Decimal | None
    gain: Decimal | None
    improved: int


def gain_of(scores: Iterable[tuple[int | None, int | None]]) -> Gain:
    """`scores` are (before, after) of each participant; who lacks one of them is a participant and no more."""
    given = list(scores)
    pairs = [(before, after) for before, after in given if before is not None and after is not None]
    return Gain(
        people=len(given),
        both=len(pairs),
        before=mean(before for before, _after in pairs),
        after=mean(after for _before, after in pairs),
        gain=mean(after - before for before, after in pairs),
        improved=sum(after > before for before, after in pairs),
    )


@dataclass(frozen=True)
class Reach:
    """Trained people against those who need it.

    `need` is None where nobody said how many: that is not a need of zero, and has no share. `distinct` are people each
    counted once; `uncoded` took part without numbers, so that some of them may have come before: between `distinct` and
    `distinct + uncoded` people were trained. More than the need may be trained: a share can exceed 100.
    """

    need: int | None = None
    distinct: int = 0
    uncoded: int = 0

    @property
    def most(self) -> int:
        return self.distinct + self.uncoded

    @property
    def is_exact(self) -> bool:
        return self.uncoded == 0

    @property
    def pct(self) -> Decimal | None:
        """At least so much of the need."""
        return share(self.distinct, self.need)

    @property
    def most_pct(self) -> Decimal | None:
        return share(self.most, self.need)

    @property
    def left(self) -> int | None:
        """How many are still to be trained at most; None where the need is not known."""
        return None if self.need is None else max(0, self.need - self.distinct)

    def __add__(self, other: Reach) -> Reach:
        """The need of both together is known only in so far as each is: what is unknown adds nothing."""
        known = [one.need for one in (self, other) if one.need is not None]
        return Reach(sum(known) if known else None, self.distinct + other.distinct, self.uncoded + other.uncoded)


# Certificates. Twelve signs, eleven drawn by chance and one that checks them, so that a number typed wrong is found; no
# vowel makes a word, and no sign looks like another. The number says neither whose it is nor how many there are.

ALPHABET = "0123456789CFKMRWX"
LENGTH, GROUP = 12, 4
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
_WEIGHTS = [pow(3, place, len(ALPHABET)) for place in range(LENGTH)]
_MEANT = str.maketrans("OQILZSGB", "00112568")


def _check(signs: str) -> str:
    total = sum(_VALUE[sign] * weight for sign, weight in zip(signs, _WEIGHTS, strict=False))
    base = len(ALPHABET)
    return ALPHABET[-total * pow(_WEIGHTS[-1], -1, base) % base]


def new_certificate_number() -> str:
    number, signs = new_id().int, ""
    for _place in range(LENGTH - 1):
        number, value = divmod(number, len(ALPHABET))
        signs += ALPHABET[value]
    return signs + _check(signs)


def read_certificate_number(typed: str) -> str:
    """The number as it is kept; "" for what cannot be one. Dashes, spaces and small letters are as good."""
    signs = unicodedata.normalize("NFKC", typed)[:60].upper().translate(_MEANT)
    signs = "".join(sign for sign in signs if not sign.isspace() and unicodedata.category(sign) not in ("Pd", "Cf"))
    if len(signs) != LENGTH or any(sign not in _VALUE for sign in signs) or _check(signs[:-1]) != signs[-1]:
        return ""
    return signs


def spoken(number: str) -> str:
    """In groups of four, as it is printed."""
    return "-".join(number[start : start + GROUP] for start in range(0, len(number), GROUP))
