"""What was recorded about cases, as rows: each with its own date and the day on which it was recorded."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

Key = Hashable
DUPLICATE, SAME_PERSON = "duplicate_record", "same_person"


class CaseFact(NamedTuple):
    """An episode and its profile. `person` is whom the case was opened for, before any merge; `missing` says by the field's
    name why a value is absent."""

    key: Key
    person: Key
    recorded: date
    opened_on: date
    closed_on: date | None = None
    sex: str = "U"
    age: int | None = None
    age_group: str = "AGE_U"
    age_at_exploitation: int | None = None
    age_group_at_exploitation: str = ""
    citizenship: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    labour_sector: tuple[str, ...] = ()
    recruitment_methods: tuple[str, ...] = ()
    means_of_control: tuple[str, ...] = ()
    recruiter_relations: tuple[str, ...] = ()
    geography: str = "GEO_U"
    municipality: str = ""
    district: str = ""
    missing: dict[str, str] = {}


class ReferralFact(NamedTuple):
    """A referral that brought the person into the mechanism."""

    case: Key
    on: date
    recorded: date
    entity: str = "E_U"


class DecisionFact(NamedTuple):
    """`order` tells decisions of one day apart: the order in which they were recorded."""

    case: Key
    on: date
    recorded: date
    outcome: str
    stage: int
    maker: str = ""
    age_group: str = "AGE_U"
    order: float = 0


class SpellFact(NamedTuple):
    """Help that was accepted, or a stay in a shelter, from a day to a day; `ends` is None while it runs."""

    case: Key
    kind: str
    starts: date
    ends: date | None
    recorded: date


class ReflectionFact(NamedTuple):
    case: Key
    kind: str
    on: date
    days: int | None
    recorded: date


class ReturnFact(NamedTuple):
    """A return that was carried out."""

    case: Key
    outcome: str
    on: date
    recorded: date


class MergeFact(NamedTuple):
    case: Key
    into: Key
    kind: str
    recorded: date
    undone: date | None = None


class AccusedFact(NamedTuple):
    """That an accused person reached a stage of a proceeding for trafficking in human beings."""

    accused: Key
    stage: str
    on: date
    recorded: date
    sex: str = ""
    age_group: str = ""
    citizenship: str = ""


@dataclass(slots=True)
class Facts:
    """Everything that a table may need; the order of the rows is of no account."""

    cases: list[CaseFact] = field(default_factory=list)
    referrals: list[ReferralFact] = field(default_factory=list)
    decisions: list[DecisionFact] = field(default_factory=list)
    merges: list[MergeFact] = field(default_factory=list)
    assistance: list[SpellFact] = field(default_factory=list)
    stays: list[SpellFact] = field(default_factory=list)
    reflections: list[ReflectionFact] = field(default_factory=list)
    returns: list[ReturnFact] = field(default_factory=list)
    accused: list[AccusedFact] = field(default_factory=list)
