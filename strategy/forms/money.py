"""A field for an amount of euro."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _

from strategy.money import NotAnAmount, as_typed, cents_of

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
