"""Refusals: what a user is told when the state of a record, or a right, does not allow an act; and what is so grave that
whoever does it shows once more who they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

View = TypeVar("View", bound=Callable[..., Any])


class Refused(Exception):
    """The act is not possible now; the message is a sentence in the user's language. `field` is what it concerns, where
    that is one field of the record: a form that has it shows the sentence there."""

    def __init__(self, sentence: str | Promise, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field

    def tell(self, form: BaseForm) -> None:
        form.add_error(self.field if self.field in form.fields else None, str(self))

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
        refusal.tell(form)


def proof_required(view: View) -> View:
    """Mark a view whose act is grave: it waits until the strongest proof that the account has was given within the last
    ten minutes, and is then done as it was asked (threats.md T15; `stakeholders.sessions` asks)."""
    view.proof_required_for = ("POST",)  # type: ignore[attr-defined]
    return view


def proof_required_to_open(view: View) -> View:
    """The same for a page that is grave to open: a file that takes much away, a form whose content must not wait."""
    view.proof_required_for = ("GET", "HEAD", "POST")  # type: ignore[attr-defined]
    return view


def factor_required(view: View) -> View:
    """Mark a view that opens only in a session that showed the second factor, whatever roles the reader has: pages of
    cases (threats.md, "phished focal point"; `stakeholders.sessions` asks)."""
    view.factor_required = True  # type: ignore[attr-defined]
    return view
