"""Who belongs to a population, and on which day by a date rule (sections 3.1 to 3.3). Plain rules, no database.

A population gives, for each person, what qualifies: a day (or, for help, the days from–to), the episode, and the decision that
it hangs on. The table then takes within each period the first of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from nrm.counting.episodes import Episode, Person
from nrm.counting.facts import AccusedFact, DecisionFact, ReflectionFact, SpellFact

PERSON, REFERRAL, DECISION, SPELL = "CU_PERSON", "CU_REFERRAL", "CU_DECISION", "CU_SPELL"
MENTION, ACCUSED = "CU_MENTION", "CU_ACCUSED"

BY_REFERRAL, FIRST_PRELIMINARY, FIRST_FORMAL = "referral", "first_preliminary", "first_formal"
FIRST_QUALIFYING, EVENT, STOCK = "first_qualifying", "event", "stock"
DATE_RULES = (BY_REFERRAL, FIRST_PRELIMINARY, FIRST_FORMAL, FIRST_QUALIFYING, EVENT, STOCK)

FORMAL_POSITIVE = ("D2_POS", "D_RECON_POS")
COUNTED_DECISIONS = frozenset(("D1_POS", "D1_NEG", "D2_POS", "D2_NEG", "D_INSUF", "D_RECON_POS", "D_RECON_NEG"))
CARRIED_OUT = frozenset(("RT_VOL", "RT_IN", "RT_FORCED"))  # the others say what came instead of a return
STAGES = {"suspects": "P_SUSPECT", "prosecuted": "P_INDICT", "convicted": "P_CONV1", "acquitted": "P_ACQ"}


class Qualifying(NamedTuple):
    """One thing that qualifies: on a day, or from a day until another one (both included; for `stock` the last day is the
    one before `until`'s end, see `table`). `entity` is who referred, where the thing is a referral."""

    on: date
    until: date | None
    episode: Episode | None
    decision: DecisionFact | None = None
    entity: str = ""
    accused: AccusedFact | None = None


Given = Iterator[Qualifying]


@dataclass(frozen=True)
class Population:
    """`rules` gives for each date rule that makes sense here how the qualifying things of a person are found."""

    name: str
    unit: str
    rule: str
    units: tuple[str, ...]
    rules: dict[str, Callable[[Person, date | None], Given]]
    is_of_persons: bool = True


def _day(on: date, episode: Episode, decision: DecisionFact | None = None, entity: str = "") -> Qualifying:
    return Qualifying(on, on, episode, decision if decision is not None else episode.latest, entity)


# --- referred, potential ---------------------------------------------------------------------------------------------------


def _referrals(person: Person, _as_of: date | None) -> Given:
    for episode in person.episodes:
        for one in episode.referrals:
            yield _day(one.on, episode, None, one.entity)


def _episodes(person: Person, _as_of: date | None) -> Given:
    for episode in person.episodes:
        yield _day(episode.referred_on, episode)


def _open(person: Person, _as_of: date | None) -> Given:
    for episode in person.episodes:
        yield Qualifying(episode.referred_on, episode.case.closed_on, episode, episode.latest)


# --- presumed, declined, registered: what happened in an episode -----------------------------------------------------------


def _first_qualifying(episode: Episode) -> date | None:
    """The earliest of the first D1_POS, the first positive formal decision and the day of declining."""
    days = [
        one.on
        for one in (episode.first("D1_POS"), episode.first(*FORMAL_POSITIVE), episode.first("D_DECL"))
        if one is not None
    ]
    return min(days, default=None)


Dated = Callable[[Episode, DecisionFact], Iterable[date | None]]


def _first_preliminary(episode: Episode, _one: DecisionFact) -> Iterable[date | None]:
    first = episode.first("D1_POS")
    return (first.on if first else None,)


DATED: dict[str, Dated] = {
    BY_REFERRAL: lambda episode, _one: (episode.referred_on,),
    FIRST_PRELIMINARY: _first_preliminary,
    FIRST_FORMAL: lambda _episode, one: (one.on,),
    FIRST_QUALIFYING: lambda episode, _one: (_first_qualifying(episode),),
}


def _with(outcome: str, rule: str) -> Callable[[Person, date | None], Given]:
    """Episodes with a decision of that outcome: the first one counts, by `event` each of them."""

    def found(person: Person, _as_of: date | None) -> Given:
        for episode in person.episodes:
            if rule == EVENT:
                for one in episode.decisions:
                    if one.outcome == outcome:
                        yield _day(one.on, episode, one)
            elif (first := episode.first(outcome)) is not None:
                for on in DATED[rule](episode, first):
                    if on is not None:
                        yield _day(on, episode, first)

    return found


# What the status of an episode in `registered_eu` is, the highest one first.
HIGHEST = (FORMAL_POSITIVE, ("D1_POS",), ("D_DECL",))


def _highest(episode: Episode) -> DecisionFact | None:
    return next((one for outcomes in HIGHEST if (one := episode.first(*outcomes)) is not None), None)


def _registered(rule: str) -> Callable[[Person, date | None], Given]:
    def found(person: Person, _as_of: date | None) -> Given:
        if person.status_on()[0] == "NOT_VICTIM":
            return
        for episode in person.episodes:
            on = _first_qualifying(episode)
            if on is not None:
                yield _day(episode.referred_on if rule == BY_REFERRAL else on, episode, _highest(episode))

    return found


# --- identified, not_victim: the status at the as-of date -------------------------------------------------------------------


def _holding(status: str, rule: str) -> Callable[[Person, date | None], Given]:
    """The status that the person holds; its date and its referral date are those of the episode that gave it."""

    def found(person: Person, _as_of: date | None) -> Given:
        held, episode, decision = person.status_on()
        if held == status and episode is not None and decision is not None:
            for on in DATED[FIRST_FORMAL if rule == EVENT else rule](episode, decision):
                if on is not None:
                    yield _day(on, episode, decision)

    return found


def _standing(*statuses: str) -> Callable[[Person, date | None], Given]:
    """For `stock`: the days on which a person with an open episode holds one of the statuses."""

    def found(person: Person, _as_of: date | None) -> Given:
        days = sorted({one.on for episode in person.episodes for one in episode.decisions})
        for day, following in zip(days, [*days[1:], None], strict=True):
            held, episode, decision = person.status_on(day)
            if held not in statuses or episode is None:
                continue
            for other in person.episodes:
                closed = other.case.closed_on
                until = min((one for one in (following, closed) if one is not None), default=None)
                if until is None or until > max(day, other.referred_on):
                    yield Qualifying(max(day, other.referred_on), until, episode, decision)

    return found


# --- decisions, help, reflection, return ------------------------------------------------------------------------------------


def _decisions(rule: str) -> Callable[[Person, date | None], Given]:
    def found(person: Person, _as_of: date | None) -> Given:
        for episode in person.episodes:
            for one in episode.decisions:
                if one.outcome in COUNTED_DECISIONS:
                    yield _day(one.on if rule == EVENT else episode.referred_on, episode, one)

    return found


def _spells(name: str, rule: str) -> Callable[[Person, date | None], Given]:
    """By `event` the days of the spell; what still runs reaches to the as-of date, since nobody knows further."""

    def found(person: Person, as_of: date | None) -> Given:
        for episode in person.episodes:
            one: SpellFact
            for one in getattr(episode, name):
                runs = one.ends is None or (as_of is not None and one.ends > as_of)
                if rule == BY_REFERRAL:
                    yield _day(episode.referred_on, episode)
                elif rule == STOCK:
                    yield Qualifying(one.starts, None if runs else one.ends, episode, episode.latest)
                else:
                    yield Qualifying(one.starts, as_of if runs else one.ends, episode, episode.latest)

    return found


def _reflections(rule: str) -> Callable[[Person, date | None], Given]:
    def found(person: Person, _as_of: date | None) -> Given:
        for episode in person.episodes:
            start = next((one for one in episode.reflections if one.kind == "RF_START"), None)
            if start is None:
                continue
            if rule == STOCK:
                yield Qualifying(start.on, _reflection_until(episode.reflections, start), episode, episode.latest)
            else:
                yield _day(start.on if rule == EVENT else episode.referred_on, episode)

    return found


def _reflection_until(events: Iterable[ReflectionFact], start: ReflectionFact) -> date | None:
    """The first day that no longer belongs to the period: what ended it, else the day after the planned end, which
    extensions and pauses move. None while it stands still."""
    days, paused_on = start.days or 0, None
    for one in events:
        if one.on < start.on or one is start:
            continue
        if one.kind in ("RF_END", "RF_WAIVE", "RF_STOP"):
            return one.on
        if one.kind == "RF_EXT":
            days += one.days or 0
        elif one.kind == "RF_PAUSE" and paused_on is None:
            paused_on = one.on
        elif one.kind == "RF_RESUME" and paused_on is not None:
            days, paused_on = days + (one.on - paused_on).days, None
    return None if paused_on is not None else start.on + timedelta(days=days + 1)


def _returns(rule: str) -> Callable[[Person, date | None], Given]:
    def found(person: Person, _as_of: date | None) -> Given:
        for episode in person.episodes:
            for one in episode.returns:
                if one.outcome in CARRIED_OUT:
                    yield _day(one.on if rule == EVENT else episode.referred_on, episode)

    return found


def _of(
    name: str, unit: str, rule: str, units: Iterable[str], rules: dict[str, Any], is_of_persons: bool = True
) -> Any:
    return name, Population(name, unit, rule, (unit, *units), rules, is_of_persons)


def _by(make: Callable[..., Any], argument: str, *rules: str) -> dict[str, Any]:
    return {rule: make(argument, rule) for rule in rules}


STATUS_RULES = (FIRST_FORMAL, EVENT, BY_REFERRAL, FIRST_PRELIMINARY)
POPULATIONS: dict[str, Population] = dict(
    [
        _of("referred", REFERRAL, BY_REFERRAL, (PERSON, MENTION), {BY_REFERRAL: _referrals, EVENT: _referrals}),
        _of("potential", PERSON, BY_REFERRAL, (MENTION,), {BY_REFERRAL: _episodes, EVENT: _episodes, STOCK: _open}),
        _of("presumed", PERSON, FIRST_PRELIMINARY, (MENTION,),
            _by(_with, "D1_POS", FIRST_PRELIMINARY, EVENT, BY_REFERRAL, FIRST_QUALIFYING) | {STOCK: _standing("PRESUMED")}),
        _of("identified", PERSON, FIRST_FORMAL, (MENTION,),
            _by(_holding, "IDENTIFIED", *STATUS_RULES, FIRST_QUALIFYING) | {STOCK: _standing("IDENTIFIED")}),
        _of("not_victim", PERSON, FIRST_FORMAL, (MENTION,),
            _by(_holding, "NOT_VICTIM", *STATUS_RULES) | {STOCK: _standing("NOT_VICTIM")}),
        _of("declined_identification", PERSON, EVENT, (MENTION,),
            _by(_with, "D_DECL", EVENT, BY_REFERRAL, FIRST_PRELIMINARY, FIRST_QUALIFYING)
            | {STOCK: _standing("DECLINED_ID")}),
        _of("registered_eu", PERSON, FIRST_QUALIFYING, (MENTION,),
            {rule: _registered(rule) for rule in (FIRST_QUALIFYING, EVENT, BY_REFERRAL)}
            | {STOCK: _standing("IDENTIFIED", "PRESUMED", "DECLINED_ID")}),
        _of("decisions", DECISION, EVENT, (PERSON, MENTION), {rule: _decisions(rule) for rule in (EVENT, BY_REFERRAL)}),
        _of("assisted", PERSON, EVENT, (SPELL, MENTION), _by(_spells, "assistance", EVENT, BY_REFERRAL, STOCK)),
        _of("sheltered", PERSON, EVENT, (SPELL, MENTION), _by(_spells, "stays", EVENT, BY_REFERRAL, STOCK)),
        _of("reflection", PERSON, EVENT, (MENTION,), {rule: _reflections(rule) for rule in (EVENT, BY_REFERRAL, STOCK)}),
        _of("returned", PERSON, EVENT, (MENTION,), {rule: _returns(rule) for rule in (EVENT, BY_REFERRAL)}),
        *(_of(name, ACCUSED, EVENT, (), {EVENT: None}, is_of_persons=False) for name in STAGES),
    ]
)  # fmt: skip


def accused_at(stage: str, rows: Iterable[AccusedFact]) -> Iterator[tuple[Any, Qualifying]]:
    for one in rows:
        if one.stage == stage:
            yield one.accused, Qualifying(one.on, one.on, None, accused=one)
