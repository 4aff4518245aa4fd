"""What stands on the page of a case: each area registers its sections, and the page knows nothing of what they hold.

A section costs a number of queries that does not grow with its rows; a case page has some twenty of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

from nrm.models import Case
from stakeholders.models import User

PROCEDURE, MAIN, ASIDE = "procedure", "main", "aside"


@dataclass(frozen=True)
class Act:
    """What may be done in a section: a link, or a button that sends an empty form.

    `missing` says, as a sentence, which condition is not met yet: the act is then shown without its link, with the
    sentence. An act that the reader may never do here is not given at all. `is_next` marks the one that the case waits
    for; the page shows the first of them on top.
    """

    label: str | Promise
    url: str
    sends: bool = False
    missing: str | Promise = ""
    is_next: bool = False


@dataclass(frozen=True)
class Section:
    """`rows(case, user)` gives the context of `template` (a part without `extends`, which finds `case`, `section` and
    `request` too); with an empty result, and no acts, the section is left out unless `empty` says what stands there.

    `place`: PROCEDURE is the left column (steps and clocks), MAIN the right one, ASIDE below the facts. `order` sorts
    within a place; sections of the same order stand as they were registered.
    """

    key: str
    title: str | Promise
    template: str
    rows: Callable[[Case, User], dict[str, Any]]
    acts: Callable[[Case, User], Iterable[Act]] = lambda _case, _user: ()
    empty: str | Promise = ""
    place: str = MAIN
    order: int = 100


@dataclass(frozen=True)
class Shown:
    """A section as one reader is shown it."""

    section: Section
    rows: dict[str, Any] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)

    @property
    def is_filled(self) -> bool:
        """Whether there is anything to show besides the sentence for nothing."""
        return any(self.rows.values())


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Called when the app is ready; a key that is there already is replaced."""
    _sections[section.key] = section


def sections_of(case: Case, user: User, place: str) -> list[Shown]:
    """The sections of one place on the page of a case that `user` may see, in their order."""
    found = []
    for section in sorted(_sections.values(), key=lambda one: one.order):
        if section.place != place:
            continue
        shown = Shown(section, section.rows(case, user), list(section.acts(case, user)))
        if shown.is_filled or shown.acts or section.empty:
            found.append(shown)
    return found
