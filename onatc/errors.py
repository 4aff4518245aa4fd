"""Refusals: what a user is told when the state of a record, or a right, does not allow an act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """The act is not possible now; the message is a sentence in the user's language."""

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


@dataclass(frozen=True)
class Denied:
    """What a predicate returns instead of False when it can say why; it is falsy."""

    reason: str | Promise

    def __bool__(self) -> bool:
        return False


def require(allowed: bool | Denied) -> None:
    """Raise PermissionDenied with the predicate's reason unless it holds; the 403 page shows the reason."""
    if not allowed:
        raise PermissionDenied(
            str(allowed.reason if isinstance(allowed, Denied) else _("Your role does not allow this."))
        )


@contextmanager
def refusals_on(form: BaseForm) -> Iterator[None]:
    """Turn a refusal into an error of the form, so that nothing typed is lost."""
    try:
        yield
    except Refused as refusal:
        form.add_error(None, str(refusal))
