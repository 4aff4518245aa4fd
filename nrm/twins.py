"""A person counted twice is found without identities. Plain rules, no database.

An institution types names, birth date and document number for a moment. From them this module makes *tokens*: keyed hashes
from which nothing that was typed can be read. Only tokens are stored; two cases whose tokens agree are asked about. What was
typed is not kept: `Typed` shows nothing of itself and refuses to be pickled, so that it cannot get into a session, a cache or
a queue (threats.md T26).

**Keys** (T30). Fewer than two million people live in Kosovo: an unkeyed hash of a name and a date is a telephone book. Each
combination of fields is an HMAC-SHA256 under a key of its own, derived from `TOKEN_KEYS`, which stand in the environment
alone and are neither `SECRET_KEY` nor `FIELD_KEYS`: a copy of the database or a backup cannot test a guess. The first key
makes what is stored; `tokens_to_find` gives the tokens under all keys. Tokens cannot be made anew under another key, since
what was typed is gone: rotation is by re-entry only (docs/operation.md).

**Spelling.** A word is folded so that its Albanian and Serbian spellings, with and without diacritics, are one: Cyrillic is
transliterated; š sh s, ž zh z, q ç č ć ch c, xh gj dž dz đ dj x, dh d, th t, ll l, rr r, nj n, lj l, ë e, y i, w v, ph f, ck k
are each one; j is i, an h that does not begin the word and doubled letters go. `sound` is coarser: the ending of a surname
(-ov, -ova, -ev, -eva, -ski, -ska, -ić, -aj, -i, -u, -a …) is taken off, only the first letter and the consonants are left,
one vowel at the beginning is as good as another, and x is d, since đ is often typed as d.

Each given name is paired with each surname, whichever stands first: several given names, hyphenated surnames, a father's name
and a given name in the surname's place give at least one pair in common. The pairs are combined with the birth date:

| kind | what agrees | alone a match? |
|---|---|---|
| `DOCUMENT` | the document's number | yes |
| `SOUND_DATE` | sound of a pair, date, day and month in either order | yes |
| `NAMES_DIGIT` | all folded words, date but for one digit (the first two of the year apart), or for the order of the year's digits; not on 1 January, which stands in registers for a day that is not known | yes |
| `NAMES_MONTH` | folded pair, month and year, where the day is not known on one side at least | yes |
| `NAMES_YEAR` | folded pair, year, where the month is not known on one side at least | yes |
| `WHOLE_MONTH`, `WHOLE_YEAR` | the same where both dates are known in full, and so differ | no |

A date known in full contradicts another one; only a date that says less than the other may agree with it. Hence a token of
month or year says in its kind whether the day was known. That, and by the number of tokens how many names were typed and whether
a document was, is all that stored tokens tell.

Measured with `python -m tests.nrm.twin_measure 20000 1000 8` on eight made-up populations of 20,000 people with 1,000 planted
twins: 958 to 964 found, 14 to 25 false pairs of 200 million, more than half of them by `NAMES_DIGIT`. False pairs grow with the
square of the number of people: among 2,000 there is one in four populations. What it cannot find: a person without a
birth date and without a document on one side, another name altogether (marriage without the former name), two errors at once
in name or date beyond the above. A match is a question to two institutions, never a fact.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from functools import lru_cache
from itertools import product
from typing import NoReturn

from django.conf import settings
from django.utils.translation import gettext as _

from onatc.keys import ID_BYTES, derived, key_id

HASH_BYTES = 16
WORDS = 3
"""So many given names and so many surnames are used; further ones are left out."""
SHORTEST_DOCUMENT = 5
"""A shorter number is a number in a list, not of a document."""


class Kind(StrEnum):
    """What two records have in common when a token of this kind agrees. Stored with the token."""

    DOCUMENT = "document"
    SOUND_DATE = "sound_date"
    NAMES_DIGIT = "names_digit"
    NAMES_MONTH = "names_month"
    NAMES_YEAR = "names_year"
    WHOLE_MONTH = "whole_month"
    WHOLE_YEAR = "whole_year"


class Strength(IntEnum):
    """How much speaks for one person, from nothing to a document's number."""

    NONE = 0
    WEAK = 1
    LIKELY = 2
    STRONG = 3
    CERTAIN = 4


_STRENGTH = {
    Kind.DOCUMENT: Strength.CERTAIN,
    Kind.SOUND_DATE: Strength.STRONG,
    Kind.NAMES_DIGIT: Strength.LIKELY,
    Kind.NAMES_MONTH: Strength.LIKELY,
    Kind.NAMES_YEAR: Strength.LIKELY,
    Kind.WHOLE_MONTH: Strength.WEAK,
    Kind.WHOLE_YEAR: Strength.WEAK,
}
# The same hash on both sides, and a kind that depends on how much of the date was known.
_LESS_KNOWN = {Kind.WHOLE_MONTH: Kind.NAMES_MONTH, Kind.WHOLE_YEAR: Kind.NAMES_YEAR}


class BornUnreadable(ValueError):
    """The birth date is none; the message says so in the active language, and does not repeat what was typed."""


@dataclass(frozen=True, repr=False, eq=False)
class Typed:
    """What an institution typed, for as long as tokens are made of it. `born` may be a date, a month and year, a year, or
    empty (`birth_of`); any field may be empty."""

    given: str
    family: str
    born: str = ""
    document: str = ""

    def __repr__(self) -> str:
        return "Typed(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("What was typed for a moment is not stored or sent anywhere.")


@dataclass(frozen=True, order=True)
class Token:
    """`value`: 20 bytes. The first four name the key it was made with, so that tokens of a former key can be told and, after a
    leak, deleted; the others are the hash."""

    kind: Kind
    value: bytes

    @property
    def key(self) -> bytes:
        return self.value[:ID_BYTES]


@dataclass(frozen=True, repr=False)
class Birth:
    """As much of a birth date as is known, day and month as they were typed unless only the other order is a date."""

    year: int
    month: int | None = None
    day: int | None = None

    def __repr__(self) -> str:
        return "Birth(…)"


def tokens_of(typed: Typed) -> list[Token]:
    """The tokens to store: made with the first of `TOKEN_KEYS`, each once, in an order that tells nothing.

    Raises BornUnreadable. Nothing is made of names without a birth date, nor of a date without both names.
    """
    return _under(_secrets()[0], typed)


def tokens_to_find(typed: Typed) -> list[Token]:
    """The tokens to look up: those of `tokens_of` under each of `TOKEN_KEYS`, for cases typed before the key was changed.

    They are looked up by `value` alone, never by kind and value: the kind of a stored token may be another one, and
    `kinds_in_common` says what that means."""
    return [token for secret in _secrets() for token in _under(secret, typed)]


def kinds_in_common(ours: Iterable[Token], theirs: Iterable[Token]) -> frozenset[Kind]:
    """In which kinds two records agree. Where one side knew less of the date than the other it is the kind that says so."""
    kinds_of = {token.value: token.kind for token in theirs}
    return frozenset(
        # `NAMES_MONTH` on one side and `WHOLE_MONTH` on the other are one value.
        token.kind if token.kind == kind else _LESS_KNOWN.get(token.kind, token.kind)
        for token in ours
        if (kind := kinds_of.get(token.value)) is not None
    )


def score(kinds: Collection[Kind]) -> Strength:
    """The strength of the strongest of `kinds_in_common`; more kinds never make it weaker."""
    return max((_STRENGTH[Kind(kind)] for kind in kinds), default=Strength.NONE)


def is_match(kinds: Collection[Kind]) -> bool:
    """Whether the two institutions are to be asked."""
    return score(kinds) >= Strength.LIKELY


def birth_of(text: str) -> Birth | None:
    """Read what is known of a birth date; None for an empty text.

    `05.11.1999`, `5/11/1999`, `1999-11-05`, `5.11.99`; without the day `11.1999`, `1999-11`, `00.11.1999`; `1999` alone. Day
    and month may be exchanged. A year of two digits is the latest one that is not to come. Raises BornUnreadable for
    anything else, a month that does not exist, and a birth before 1900 or to come.
    """
    text = unicodedata.normalize("NFKC", text).strip().rstrip(".")
    if not text:
        return None
    numbers = re.split(r"\s*[./\-\s]\s*", text)
    if not all(re.fullmatch(r"\d{1,4}", number, re.A) for number in numbers) or len(numbers) > 3:
        raise _unreadable()
    if len(numbers[0]) > 2:
        numbers.reverse()
    *rest, last = numbers
    year = int(last)
    today = date.today()
    if len(last) <= 2 and len(rest) == 2:
        year += 2000 if year <= today.year % 100 else 1900
    if not 1900 <= year <= today.year or any(len(number) > 2 for number in rest):
        raise _unreadable()
    match [int(number) for number in rest if int(number)]:
        case []:
            return Birth(year)
        case [month] if month <= 12 and int(rest[-1]):
            return Birth(year, month)
        case [day, month]:
            for second, first in ((month, day), (day, month)):
                if second <= 12 and first <= calendar.monthrange(year, second)[1]:
                    return Birth(year, second, first)
    raise _unreadable()


def folded(word: str) -> str:
    """A word of a name in the one spelling that its Albanian and Serbian, Latin and Cyrillic ones share; a to z only."""
    text = word.casefold()
    for pattern, replacement in _BEFORE_MARKS:
        text = text.replace(pattern, replacement)
    text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    text = re.sub(r"[^a-z]", "", text.translate(_CYRILLIC_LEFT))
    for expression, replacement in _SPELLING:
        text = expression.sub(replacement, text)
    return text


def sound(fold: str) -> str:
    """Of a folded word the first letter and the consonants that follow, without the ending of a surname."""
    root = fold
    for endings in _ENDINGS:
        ending = next((ending for ending in endings if root.endswith(ending)), "")
        if len(root) - len(ending) >= 3:
            root = root.removesuffix(ending)
    first = re.sub(r"[aeiou]", "a", root[:1])
    return (first + re.sub(r"[aeiouh]", "", root[1:])).replace("x", "d")


def words_of(name: str) -> list[str]:
    """The folded words of a name, each once, the first three: spaces and hyphens part them, apostrophes do not."""
    parts = re.split(r"[\s\-‐-―_/,.;()]+", unicodedata.normalize("NFKC", name))
    words = [fold for part in parts if len(fold := folded(part)) > 1]
    return list(dict.fromkeys(words))[:WORDS]


def document_of(text: str) -> str:
    """A document's number as letters and digits; what looks alike is one sign. Empty when it is too
    short to be one, a word, or one sign again and again, which is typed where there is no number."""
    text = unicodedata.normalize("NFKC", text).upper()
    number = re.sub(r"[^A-Z0-9]", "", text.translate(_LOOKS_LIKE))
    is_number = len(number) >= SHORTEST_DOCUMENT and len(set(number)) > 1 and re.search(r"[0-9]", text)
    return number if is_number else ""


# --- tokens ---------------------------------------------------------------------------------------------------------------


def _secrets() -> list[str]:
    if not settings.TOKEN_KEYS:
        raise RuntimeError("TOKEN_KEYS is empty.")
    return settings.TOKEN_KEYS


def _under(secret: str, typed: Typed) -> list[Token]:
    values = {_token(secret, kind, combination, *fields) for kind, combination, fields in _fields(typed)}
    return sorted(values, key=lambda token: token.value)


def _fields(typed: Typed) -> Iterable[tuple[Kind, str, tuple[str, ...]]]:
    """Kind, combination of fields (which has a key of its own) and the fields of each token."""
    if number := document_of(typed.document):
        yield Kind.DOCUMENT, "document", (number,)
    birth = birth_of(typed.born)
    if birth is None:
        return
    given, family = words_of(typed.given), words_of(typed.family)
    pairs = {(first, second) if first < second else (second, first) for first, second in product(given, family)}
    year, month, day = (f"{part or 0:02d}" for part in (birth.year, birth.month, birth.day))
    for pair in pairs:
        yield Kind.WHOLE_YEAR if birth.month else Kind.NAMES_YEAR, "names year", (*pair, year)
        if birth.day:
            yield Kind.SOUND_DATE, "sound date", (*sorted(map(sound, pair)), year, *sorted((month, day)))
            for either in {month, day} if birth.day <= 12 else {month}:
                yield Kind.WHOLE_MONTH, "names month", (*pair, year, either)
        elif birth.month:
            yield Kind.NAMES_MONTH, "names month", (*pair, year, month)
    if pairs and birth.day and (month, day) != ("01", "01"):
        for variant in _but_for_one_digit(year, month, day):
            yield Kind.NAMES_DIGIT, "names digit", (*sorted({*given, *family}), *variant)


def _but_for_one_digit(year: str, month: str, day: str) -> Iterable[tuple[str, str, str]]:
    """The date with one digit blotted out, and with the year's digits in ascending order."""
    yield year[:3] + "?", month, day
    yield year[:2] + "?" + year[3], month, day
    yield "".join(sorted(year)), month, day
    yield year, month[0] + "?", day
    yield year, "?" + month[1], day
    yield year, month, day[0] + "?"
    yield year, month, "?" + day[1]


def _token(secret: str, kind: Kind, combination: str, *fields: str) -> Token:
    key, name = _key(secret, combination)
    value = hmac.new(key, "\x1f".join(fields).encode(), hashlib.sha256).digest()
    return Token(kind, name + value[:HASH_BYTES])


@lru_cache(maxsize=64)
def _key(secret: str, combination: str) -> tuple[bytes, bytes]:
    return derived(secret, f"twin token {combination}"), key_id(derived(secret, "twin token"))


def _unreadable() -> BornUnreadable:
    return BornUnreadable(_("This is no birth date. Write it as 05.11.1999, as 11.1999 or as 1999."))


# --- spelling -------------------------------------------------------------------------------------------------------------

_CYRILLIC = dict(
    zip(
        "абвгдђежзијклљмнњопрстћуфхцчџш",
        "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š".split(),
        strict=True,
    )
) | {"ѓ": "gj", "ќ": "q", "ѕ": "xh", "й": "j", "ы": "i", "э": "e", "ю": "ju", "я": "ja", "щ": "š", "ё": "e"}
# Before diacritics are taken off, which would make d of đ and c of ç alike.
_BEFORE_MARKS = [
    *_CYRILLIC.items(),
    ("đ", "x"),
    ("ð", "x"),
    ("ł", "l"),
    ("ø", "o"),
    ("ß", "ss"),
    ("ı", "i"),
    ("æ", "e"),
]
_CYRILLIC_LEFT = {ord("ь"): "", ord("ъ"): ""}
_SPELLING = [
    (re.compile(expression), replacement)
    for expression, replacement in (
        (r"sch|sh", "s"),
        (r"zh", "z"),
        (r"xh|gj|dz|dj|dzh", "x"),
        (r"tch|ch|tj|q", "c"),
        (r"dh", "d"),
        (r"th", "t"),
        (r"ph", "f"),
        (r"ck|kh", "k"),
        (r"w", "v"),
        (r"y", "i"),
        (r"(?<=[nl])j", ""),
        (r"j", "i"),
        (r"(?<=.)h", ""),
        (r"(.)\1+", r"\1"),
    )
]
# One of each, in this order: Petrova, Petrović and Petrov are petr-; Krasniqi and Krasnić krasn-; Hoxha, Hoxhaj and Hodžić hox-.
_ENDINGS = (("ai", "a", "e", "i", "o", "u"), ("ic",), ("ov", "ev", "sk"))
_LOOKS_LIKE = str.maketrans("АВЕКМНОРСТХІЈOIL", "ABEKM" + "H0PCTX1J011")
