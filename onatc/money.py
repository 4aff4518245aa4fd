"""Amounts of euro as people write them, and the field that reads them; kept in cents, never as floating-point numbers."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _

LARGEST_CENTS = 999_999_999_999  # 9,999,999,999.99 €


class NotAnAmount(ValueError):
    """`why`: `text`, `negative`, `fine` (finer than a cent) or `large`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def cents_of(text: str, *, decimal: str, thousand: str) -> int:
    """The cents of an amount; `decimal` and `thousand` are the signs of the reader's language.

    A sign that stands before one or two last digits is a decimal sign in every language ("1234,50" in English too). One
    that stands once before exactly three digits is read as the language has it: 1.234 is a thousand and more in
    Albanian, and refused in English as finer than a cent. With both signs the last one is the decimal sign.
    Raises NotAnAmount.
    """
    text = re.sub(r"[\s\u00a0\u202f']|€|EUR\b", "", text.strip(), flags=re.I)
    if re.fullmatch(r"[-−–][\d.,]+", text):
        raise NotAnAmount("negative")
    if not re.fullmatch(r"\d[\d.,]*", text, re.A):
        raise NotAnAmount("text")
    whole, fraction = _parted(text, decimal, thousand)
    if len(fraction) > 2:
        raise NotAnAmount("fine")
    if len(whole) > 20:
        raise NotAnAmount("large")
    cents = int(whole) * 100 + int(fraction.ljust(2, "0") or "0")
    if cents > LARGEST_CENTS:
        raise NotAnAmount("large")
    return cents


def _parted(text: str, decimal: str, thousand: str) -> tuple[str, str]:
    """Digits before and after the decimal sign."""
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return text, ""
    sign = text[last]
    other = "," if sign == "." else "."
    before, after = text[:last], text[last + 1 :]
    if text.count(sign) > 1:  # 1.234.567: only groups of three are written with a sign that comes twice
        return _ungrouped(text, sign), ""
    if other in before:  # 1.234,50 and 1,234.50
        return _ungrouped(before, other), after
    if len(after) == 3 and sign == thousand and sign != decimal:
        return _ungrouped(text, sign), ""
    return before, after


def _ungrouped(text: str, sign: str) -> str:
    if not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(sign)}\d{{3}})+", text, re.A):
        raise NotAnAmount("text")
    return text.replace(sign, "")


def as_typed(cents: int, *, decimal: str, thousand: str) -> str:
    """The amount as the language writes it, without a sign of currency: what a form shows and reads back."""
    return f"{cents // 100:,}".replace(",", thousand) + f"{decimal}{cents % 100:02d}"


PROBLEMS = {
    "negative": _("An amount cannot be less than nothing."),
    "fine": _("An amount has two decimals at most: euro and cents."),
    "large": _("The amount is too large."),
}


def _signs() -> dict[str, str]:
    return {"decimal": get_format("DECIMAL_SEPARATOR"), "thousand": get_format("THOUSAND_SEPARATOR")}


class MoneyField(forms.CharField):
    """Euro and cents written as the reader's language writes them; gives cents, or None when it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(**kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        return as_typed(value, **_signs()) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:  # type: ignore[override]
        text = super().clean(value)
        if not text:
            return None
        try:
            return cents_of(text, **_signs())
        except NotAnAmount as problem:
            fallback = _("Write an amount of euro in figures, for example %(example)s.")
            sentence = PROBLEMS.get(problem.why, fallback) % {"example": as_typed(123_450, **_signs())}
            raise ValidationError(sentence) from problem
