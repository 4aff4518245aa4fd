"""What stands in the columns of a table: the dimensions of section 4, each by codes of `codelists.json`.

An absent value is the "not known" of its list and stays in the total (section 1, rule 2). What does not apply or was not
collected is another absence: it stands under its own code, `NA_NOTAPP` or `NA_NOTCOLL`. Where a list has no "not known"
(municipality, district, who decided) it is `NA_UNKNOWN`. The decision of somebody about whom nothing was decided: `NA_NOTAPP`.
"""

from __future__ import annotations

from collections.abc import Callable

from nrm.ages import age_band, age_group_of, citizenship_group
from nrm.counting.facts import CaseFact
from nrm.counting.populations import Qualifying

PERIOD = "period"
NOT_KNOWN, NOT_APPLICABLE, NOT_COLLECTED = "NA_UNKNOWN", "NA_NOTAPP", "NA_NOTCOLL"
OWN_ABSENCES = (NOT_APPLICABLE, NOT_COLLECTED)
Values = tuple[str, ...]


def _value(case: CaseFact, found: str, name: str, unknown: str) -> Values:
    if found and found != unknown:
        return (found,)
    reason = case.missing.get(name, "")
    return (reason if reason in OWN_ABSENCES else unknown,)


def _of_case(name: str, unknown: str, stored: str = "") -> Callable[[Qualifying], Values]:
    def values(one: Qualifying) -> Values:
        case = _case(one)
        return _value(case, getattr(case, name), stored or name, unknown)

    return values


def _first_of(name: str, unknown: str) -> Callable[[Qualifying], Values]:
    """The main one of several: adds up."""

    def values(one: Qualifying) -> Values:
        case = _case(one)
        return _value(case, next(iter(getattr(case, name)), ""), name, unknown)

    return values


def _each_of(name: str, unknown: str) -> Callable[[Qualifying], Values]:
    """All that are mentioned, each once: does not add up."""

    def values(one: Qualifying) -> Values:
        case = _case(one)
        several: Values = getattr(case, name)
        return tuple(dict.fromkeys(several)) if len(several) > 1 else _value(case, "".join(several), name, unknown)

    return values


def _case(one: Qualifying) -> CaseFact:
    assert one.episode is not None
    return one.episode.case


def _age_group(one: Qualifying) -> Values:
    case = _case(one)
    return _value(case, age_group_of(case.age, case.age_group), "age_group_at_referral", "AGE_U")


def _age_band(one: Qualifying) -> Values:
    case = _case(one)
    return _value(case, age_band(case.age, case.age_group), "age_group_at_referral", "A_U")


def _age_group_at_exploitation(one: Qualifying) -> Values:
    case = _case(one)
    group = age_group_of(case.age_at_exploitation, case.age_group_at_exploitation)
    return _value(case, group, "age_group_at_exploitation", "AGE_U")


def _citizenship_group(one: Qualifying) -> Values:
    """By the membership of the European Union on the day that counts."""
    case = _case(one)
    first = next(iter(case.citizenship), "CIT_U")
    return _value(case, citizenship_group(first, one.on), "citizenship" if first == "CIT_U" else "", "ST_U")


def _entity(one: Qualifying) -> Values:
    assert one.episode is not None
    return _value(one.episode.case, one.entity or one.episode.entity, "referring_entity", "E_U")


def _outcome(one: Qualifying) -> Values:
    return (one.decision.outcome if one.decision else NOT_APPLICABLE,)


def _maker(one: Qualifying) -> Values:
    if one.decision is None:
        return (NOT_APPLICABLE,)
    return _value(_case(one), one.decision.maker, "decision_maker", NOT_KNOWN)


def _age_group_at_decision(one: Qualifying) -> Values:
    if one.decision is None:
        return (NOT_APPLICABLE,)
    return _value(_case(one), one.decision.age_group, "age_group_at_decision", "AGE_U")


DIMENSIONS: dict[str, Callable[[Qualifying], Values]] = {
    "sex": _of_case("sex", "U"),
    "age_group": _age_group,
    "age_band": _age_band,
    "age_group_at_decision": _age_group_at_decision,
    "age_group_at_exploitation": _age_group_at_exploitation,
    "citizenship": _first_of("citizenship", "CIT_U"),
    "citizenship_group": _citizenship_group,
    "form_main": _first_of("forms", "EXP_U"),
    "form_any": _each_of("forms", "EXP_U"),
    "labour_sector": _first_of("labour_sector", "ISIC_NK"),
    "geography": _of_case("geography", "GEO_U"),
    "municipality": _of_case("municipality", NOT_KNOWN),
    "district": _of_case("district", NOT_KNOWN, "municipality"),
    "referring_entity": _entity,
    "decision_maker": _maker,
    "decision_outcome": _outcome,
    "recruitment_method": _each_of("recruitment_methods", "R_U"),
    "means_of_control": _each_of("means_of_control", "C_U"),
    "recruiter_relation": _each_of("recruiter_relations", "REL_U"),
}
# Somebody may stand in several rows of these: the rows do not add up to the total.
MENTIONED = ("form_any", "recruitment_method", "means_of_control", "recruiter_relation")
NAMES = (*DIMENSIONS, PERIOD)


def _of_accused(name: str, unknown: str) -> Callable[[Qualifying], Values]:
    def values(one: Qualifying) -> Values:
        return (getattr(one.accused, name) or unknown,)

    return values


def _group_of_accused(one: Qualifying) -> Values:
    assert one.accused is not None
    return (citizenship_group(one.accused.citizenship or "CIT_U", one.on),)


OF_ACCUSED: dict[str, Callable[[Qualifying], Values]] = {
    "sex": _of_accused("sex", "U"),
    "age_group": _of_accused("age_group", "AGE_U"),
    "citizenship": _of_accused("citizenship", "CIT_U"),
    "citizenship_group": _group_of_accused,
}
