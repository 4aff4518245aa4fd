"""One row of a file of cases in plain values: codes, days and whole years."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class Spell:
    """`starts` is the day of the offer where the help was not accepted."""

    kind: str
    response: str
    starts: date | None
    ends: date | None


@dataclass(slots=True)
class Stayed:
    kind: str
    starts: date | None
    ends: date | None


@dataclass(slots=True)
class Row:
    """One episode, with the names of the columns; an absent value is empty, its reason in `missing`."""

    number: int
    case_ref: str = ""
    person_ref: str = ""
    merge_into: str = ""
    merge_kind: str = ""
    referred_on: date | None = None
    referring_entity: str = ""
    referring_institution: str = ""
    municipality: str = ""
    sex: str = ""
    age_at_referral: int | None = None
    age_group_at_referral: str = ""
    age_at_exploitation: int | None = None
    age_group_at_exploitation: str = ""
    citizenship: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    labour_sector: tuple[str, ...] = ()
    recruitment_methods: tuple[str, ...] = ()
    means_of_control: tuple[str, ...] = ()
    recruiter_relations: tuple[str, ...] = ()
    geography: str = ""
    preliminary_outcome: str = ""
    preliminary_on: date | None = None
    formal_outcome: str = ""
    formal_on: date | None = None
    decision_maker: str = ""
    age_group_at_decision: str = ""
    review_outcome: str = ""
    review_on: date | None = None
    declined_identification_on: date | None = None
    discontinued_on: date | None = None
    risk_level: str = ""
    risk_on: date | None = None
    reflection_start: date | None = None
    reflection_waived_on: date | None = None
    assistance: list[Spell] = field(default_factory=list)
    shelter: list[Stayed] = field(default_factory=list)
    return_outcome: str = ""
    return_on: date | None = None
    closed_on: date | None = None
    missing: dict[str, str] = field(default_factory=dict)
