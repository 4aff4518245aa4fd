"""Records of the apps above that belong to a record of this one: the measures of an action point, the proposals that follow
from a decision, the reports in which it stands.

Each source names the kind of record on whose page it is shown; it is registered when its app is ready. Pages below know
nothing of what they show: a title, an address, a few words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, Q
from django.utils.functional import Promise


@dataclass(frozen=True)
class Act:
    """What may be done with a related record, or to have one more: a link, or a button that sends an empty form."""

    label: str
    url: str
    sends: bool = False


@dataclass(frozen=True)
class Related:
    """One related record, as a reader who may see it is shown it; `short` is what a list shows of it, `state` the code of
    its pill."""

    title: str
    url: str
    short: str = ""
    note: str = ""
    state: str = ""
    state_label: str = ""
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Source:
    """`found(records, user)` gives, for several records at once, what of it `user` may see, by the record's key.

    `acts(record, user)` are offered below them, such as the way to the form that links one more. `empty` is what stands
    there when nothing is related; without it the section is left out. `is_evidence`: what it gives can prove that the
    record is done. `choices(user)` and `narrow(value)` let a list be asked for the records of one related thing.
    """

    key: str
    of: type[Model]
    label: str | Promise
    found: Callable[[Collection[Any], Any], dict[Any, list[Related]]]
    acts: Callable[[Any, Any], Iterable[Act]] = lambda _record, _user: ()
    empty: str | Promise = ""
    is_evidence: bool = False
    choices: Callable[[Any], list[tuple[str, str]]] | None = None
    narrow: Callable[[str], Q] | None = None


@dataclass(frozen=True)
class Section:
    """What one source shows on the page of a record."""

    source: Source
    rows: list[Related] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)


_sources: dict[tuple[type[Model], str], Source] = {}


def register(source: Source) -> None:
    """Called when an app is ready."""
    _sources[source.of, source.key] = source


def sources_of(kind: type[Model]) -> list[Source]:
    return [source for (of, _key), source in _sources.items() if of is kind]


def sections_of(record: Any, user: Any) -> list[Section]:
    """The sections of a record's page, in the order in which the apps registered them."""
    sections = []
    for source in sources_of(type(record)):
        rows = source.found([record], user).get(record.pk, [])
        acts = list(source.acts(record, user))
        if rows or acts or source.empty:
            sections.append(Section(source, rows, acts))
    return sections


def evidence_for(record: Any, user: Any) -> list[Related]:
    """What is recorded elsewhere and proves that the record is done."""
    found = []
    for source in sources_of(type(record)):
        if source.is_evidence:
            found += source.found([record], user).get(record.pk, [])
    return found
