"""What a person holds, so that nothing is left behind when they leave: each app names its own kinds of holding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.functional import Promise

from stakeholders.models import SECRETARIAT, Agreement, Invitation, Role, User


@dataclass(frozen=True)
class Holding:
    """A kind of record that somebody answers for.

    `field` is the foreign key that names the person; `heirs` gives who may take such records over. What `stays` with an
    institution may be left without a person: the next one who acts for it finds it.
    """

    key: str
    label: str | Promise
    held_by: Callable[[User], models.QuerySet[Any]]
    field: str
    heirs: Callable[[list[Any]], models.QuerySet[User]]
    stays: bool = False


_kinds: dict[str, Holding] = {}


def register(kind: Holding) -> None:
    """Called when an app is ready; upper apps add what only they know of."""
    _kinds[kind.key] = kind


def held_by(user: User) -> list[tuple[Holding, list[Any]]]:
    """Each kind of which the person holds something, with the records."""
    found = [(kind, list(kind.held_by(user))) for kind in _kinds.values()]
    return [(kind, records) for kind, records in found if records]


def holders_of(*roles: str) -> Callable[[list[Any]], models.QuerySet[User]]:
    return lambda _records: User.objects.holding(*roles)


def register_own() -> None:
    from django.utils.translation import gettext_lazy as _

    register(
        Holding(
            key="invitation",
            label=_("invitations under way"),
            held_by=lambda user: Invitation.objects.waiting().filter(invited_by=user),
            field="invited_by",
            heirs=holders_of(Role.DIRECTOR, Role.ADMINISTRATOR),
        )
    )
    register(
        Holding(
            key="agreement",
            label=_("agreements that are not over"),
            held_by=lambda user: Agreement.objects.filter(responsible=user).not_over(),
            field="responsible",
            heirs=holders_of(*SECRETARIAT),
        )
    )
