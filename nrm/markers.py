"""The case marker: what people say over the telephone in place of a name. Plain rules, no database.

Sixteen signs, spoken and printed in four groups of four: `4KM7-R0X2-91CW-F353`. Fifteen are drawn by chance, 61.3 bits,
the last one is the check sign. A marker carries nothing: no date, no order, no place, no initials (threats.md T32).

**The alphabet** has 17 signs, the ten digits and seven consonants. No vowel, so that no marker is a word. No letter that
looks like a digit or another letter (B 8, D O Q 0, G 6, I L 1, S 5, Z 2, U V W Y). Of letters that sound alike in
Albanian, Serbian or English, one at most: of C P T V only C (P is close to "pet" and "pesë", T to "tre" and "tetë"), of M N
only M (N is close to "një" and "nëntë"), of H K only K (H is close to "eight"), no J (close to "një" and to K).

**The check sign.** The value of sign i (from the left, 0 to 15) is multiplied by 3 to the power of i modulo 17; the sum of
the products is divisible by 17. 17 is a prime number and 3 a primitive root of it, so the sixteen weights are the numbers
1 to 16, each once. It follows that these are always found, and `tests/nrm/test_markers.py` tries them all:

- any single wrong sign, since no weight is divisible by 17;
- any two signs that changed places, neighbours or not, since no two weights are equal;
- a doubled sign that became another doubled sign (11 → 22), also around one in between, since no weight and the weight one
  or two places on add up to 17.

What else happens passes by chance in one of 17 cases; a marker that was never given is then simply not found. The scheme is
that of ISO 7064 with one check character, made for an alphabet of 17.
"""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

from onatc.ids import random_bits

ALPHABET = "0123456789CFKMRWX"
LENGTH = 16
GROUP = 4

_BASE = len(ALPHABET)
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, place, _BASE) for place in range(LENGTH))
_DRAWN = _BASE ** (LENGTH - 1)
_BITS = _DRAWN.bit_length()

# What is typed for a sign of the alphabet because it looks like it (Latin), or because the keyboard was Cyrillic. Not here is
# the Cyrillic С: it looks like C and is an S, which looks like 5.
_MEANT = str.maketrans("OQILZSGBОФКМРХЦ", "00112568" + "0FKMRXC")
_LEFT_OUT = {"Zs", "Pd", "Cf", "Cc", "Po", "Pc"}


def new_marker() -> str:
    """A marker that was not given before, but for a chance of one in 10**18; the database's uniqueness decides, and a caller
    draws again. Without dashes. Never of digits alone: a spreadsheet would round it like a number."""
    while True:
        number = random_bits(_BITS)
        if number >= _DRAWN:
            continue
        signs = ""
        for _place in range(LENGTH - 1):
            number, value = divmod(number, _BASE)
            signs += ALPHABET[value]
        if not signs.isdigit():
            return signs + _check_sign(signs)


def normalised(text: str) -> str:
    """`text` as a marker is stored: capital letters, without spaces, dashes and dots, with what is commonly mistaken put right
    (O → 0, I and L → 1, Z → 2, S → 5, G → 6, B → 8, Cyrillic letters). Whether it is a marker, `is_valid` says; a sign that no
    marker has stays, for `where` to name it."""
    kept = "".join(
        sign for sign in unicodedata.normalize("NFKC", text).upper() if unicodedata.category(sign) not in _LEFT_OUT
    )
    return kept.translate(_MEANT)


def is_valid(marker: str) -> bool:
    """Whether `marker`, as it is stored, has the right length, signs and check sign. Says nothing of whether it was given."""
    return (
        len(marker) == LENGTH
        and all(sign in _VALUE for sign in marker)
        and sum(weight * _VALUE[sign] for weight, sign in zip(_WEIGHTS, marker, strict=True)) % _BASE == 0
    )


def spoken(marker: str) -> str:
    """The marker in groups of four, as it is printed and read out."""
    return "-".join(marker[start : start + GROUP] for start in range(0, len(marker), GROUP))


def where(text: str) -> str:
    """What is wrong with a marker that somebody typed, as a sentence in the active language; empty when nothing is.

    A sign that no marker has is named first, with its place, since it may be the reason for a wrong length.
    """
    marker = normalised(text)
    for place, sign in enumerate(marker, 1):
        if sign not in _VALUE:
            return _("No case marker has the sign “%(sign)s”, which is sign number %(place)d here.") % {
                "sign": sign,
                "place": place,
            }
    if len(marker) < LENGTH:
        return _("This marker is too short: it has %(count)d signs, and a case marker has %(length)d.") % {
            "count": len(marker),
            "length": LENGTH,
        }
    if len(marker) > LENGTH:
        return _("This marker is too long: it has %(count)d signs, and a case marker has %(length)d.") % {
            "count": len(marker),
            "length": LENGTH,
        }
    if not is_valid(marker):
        return _(
            "This is no case marker: a sign is wrong, or two signs have changed places. Compare it sign by sign with the original."
        )
    return ""


def _check_sign(signs: str) -> str:
    """The sixteenth sign that makes the weighted sum divisible by 17."""
    total = sum(weight * _VALUE[sign] for weight, sign in zip(_WEIGHTS, signs, strict=False))
    return ALPHABET[-total * pow(_WEIGHTS[-1], -1, _BASE) % _BASE]
