"""What a person holds, so that nothing is left behind when they leave: each app names its own kinds of holding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise

from stakeholders.models import User


@dataclass(frozen=True)
class Holding:
    """A kind of record that somebody answers for. `field` names the user's foreign key; `to_roles` who may take over."""

    label: Promise
    held_by: Callable[[User], models.QuerySet[models.Model]]
    field: str
    to_roles: frozenset[str]

    @property
    def key(self) -> str:
        return f"{self.held_by.__module__}.{self.held_by.__name__}"


_kinds: list[Holding] = []


def register(kind: Holding) -> None:
    """Called when an app is ready; upper apps add what only they know of."""
    _kinds.append(kind)


def held_by(user: User) -> list[tuple[Holding, list[models.Model]]]:
    """Each kind of which the person holds something, with the records."""
    found = [(kind, list(kind.held_by(user))) for kind in _kinds]
    return [(kind, records) for kind, records in found if records]
