"""Persons with their episodes, as they were known on a day: late facts left out, merges applied (section 3.4).

A record that was entered twice leaves everything that is counted, and its survivor keeps the earliest dates: of a fact that
both records hold the earlier day counts; a fact that only the record that leaves holds (a stay that the shelter entered under
its own record) is the survivor's from then on, since nothing that happened gets lost by a merge. Facts are the same when they
are of one kind: the preliminary decision, the formal one, a review, the start of the reflection period, a kind of help.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any

from nrm.counting.facts import (
    DUPLICATE,
    CaseFact,
    DecisionFact,
    Facts,
    Key,
    MergeFact,
    ReferralFact,
    ReflectionFact,
    ReturnFact,
    SpellFact,
)
from nrm.standing import GIVES


@dataclass(slots=True)
class Episode:
    """One case that counts, with its facts in the order of their days."""

    case: CaseFact
    referrals: list[ReferralFact] = field(default_factory=list)
    decisions: list[DecisionFact] = field(default_factory=list)
    assistance: list[SpellFact] = field(default_factory=list)
    stays: list[SpellFact] = field(default_factory=list)
    reflections: list[ReflectionFact] = field(default_factory=list)
    returns: list[ReturnFact] = field(default_factory=list)
    referred_on: date = date.min

    @property
    def entity(self) -> str:
        return self.referrals[0].entity if self.referrals else "E_U"

    def first(self, *outcomes: str) -> DecisionFact | None:
        return next((one for one in self.decisions if one.outcome in outcomes), None)

    @property
    def latest(self) -> DecisionFact | None:
        """The last decision of this episode that gives a status."""
        return next((one for one in reversed(self.decisions) if one.outcome in GIVES), None)

    def is_open_on(self, day: date) -> bool:
        return self.referred_on <= day and (self.case.closed_on is None or self.case.closed_on > day)


@dataclass(slots=True)
class Person:
    episodes: list[Episode]

    def status_on(self, day: date | None = None) -> tuple[str, Episode | None, DecisionFact | None]:
        """The status that the latest decision by its own date gives, over all episodes, with the episode and decision that
        gave it; by a day, or by all that is known."""
        found: tuple[Any, Episode, DecisionFact] | None = None
        for episode in self.episodes:
            for one in reversed(episode.decisions):
                if one.outcome in GIVES and (day is None or one.on <= day):
                    place = (_place(one), episode.referred_on)
                    if found is None or place > found[0]:
                        found = (place, episode, one)
                    break
        if found is None:
            return "POTENTIAL", None, None
        return GIVES[found[2].outcome], found[1], found[2]


def _place(one: DecisionFact) -> tuple[Any, ...]:
    return (one.on, one.order, one.stage, one.outcome)


def persons_of(facts: Facts, as_of: date | None) -> list[Person]:
    """Each person once, with the episodes that count; `as_of` None knows everything. Merges in a circle, which the database
    does not hold, are passed over."""
    known = {one.key: one for one in _known(facts.cases, as_of)}
    merges = [
        one
        for one in _known(facts.merges, as_of)
        if one.case in known
        and one.into in known
        and (one.undone is None or (as_of is not None and one.undone > as_of))
    ]
    survivor = _survivors(merges)
    episodes = {key: Episode(case) for key, case in known.items() if key not in survivor}
    twice: dict[Key, list[Key]] = defaultdict(list)
    for key, into in survivor.items():
        twice[into].append(key)
    for others in twice.values():
        others.sort(key=lambda key: (known[key].opened_on, str(key)))
    for name, rows, slot in (
        ("referrals", facts.referrals, None),
        ("decisions", facts.decisions, _slot_of_decision),
        ("assistance", facts.assistance, itemgetter(1)),
        ("stays", facts.stays, itemgetter(1)),
        ("reflections", facts.reflections, itemgetter(1)),
        ("returns", facts.returns, None),
    ):
        _give(episodes, twice, name, _known(rows, as_of), slot)
    for key, episode in episodes.items():
        _settle(episode, [known[other] for other in twice.get(key, ())])
    return _by_person(episodes, known, survivor, merges)


def _known(rows: Iterable[Any], as_of: date | None) -> Iterator[Any]:
    return iter(rows) if as_of is None else (one for one in rows if one.recorded <= as_of)


def _survivors(merges: Iterable[MergeFact]) -> dict[Key, Key]:
    """Each record that leaves, with the record that stays in its place at the end of all its merges."""
    into = {one.case: one.into for one in merges if one.kind == DUPLICATE}
    found: dict[Key, Key] = {}
    for key in into:
        seen, here = {key}, into[key]
        while here in into and here not in seen:
            seen.add(here)
            here = into[here]
        if here not in seen:
            found[key] = here
    return found


def _slot_of_decision(one: DecisionFact) -> str:
    """Which fact a decision is: of these, two records of one referral hold the same."""
    return one.outcome if one.outcome in ("D_DECL", "D_DISC", "D_SUSP", "D_INSUF") else (
        "review" if one.outcome.startswith("D_RECON") else f"stage {one.stage}"
    )  # fmt: skip


def _give(
    episodes: dict[Key, Episode], twice: dict[Key, list[Key]], name: str, rows: Iterable[Any], slot: Callable[[Any], Any] | None
) -> None:  # fmt: skip
    aside: dict[Key, list[Any]] = defaultdict(list)
    for one in rows:
        episode = episodes.get(one.case)
        if episode is not None:
            getattr(episode, name).append(one)
        else:
            aside[one.case].append(one)
    for key, others in twice.items():
        for other in others:
            if other in aside:
                episode = episodes[key]
                setattr(episode, name, _joined(getattr(episode, name), aside[other], slot))


def _joined(own: list[Any], theirs: list[Any], slot: Callable[[Any], Any] | None) -> list[Any]:
    """The survivor's facts with the earliest dates of both, and what only the other record held."""
    kind = slot or (lambda _one: None)
    held, brought = _by_kind(own, kind), _by_kind(theirs, kind)
    for name, others in brought.items():
        if name not in held:
            held[name] = others
        elif _day(others[0]) < _day(first := held[name][0]):
            held[name][0] = first._replace(**{"starts" if isinstance(first, SpellFact) else "on": _day(others[0])})
    return [one for rows in held.values() for one in rows]


def _by_kind(rows: list[Any], kind: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for one in sorted(rows, key=_in_order):
        found[kind(one)].append(one)
    return found


def _in_order(one: Any) -> tuple[Any, ...]:
    return (_day(one), repr(one))


def _day(one: Any) -> date:
    day: date = one.starts if isinstance(one, SpellFact) else one.on
    return day


def _settle(episode: Episode, entered_twice: list[CaseFact]) -> None:
    episode.referrals.sort(key=lambda one: (one.on, one.entity))
    episode.decisions.sort(key=_place)
    episode.reflections.sort(key=lambda one: (one.on, one.kind != "RF_START", one.kind))
    days = [one.on for one in episode.referrals[:1]] or [one.opened_on for one in (episode.case, *entered_twice)]
    episode.referred_on = min(days)


def _by_person(
    episodes: dict[Key, Episode], known: dict[Key, CaseFact], survivor: dict[Key, Key], merges: list[MergeFact]
) -> list[Person]:
    leader: dict[Key, Key] = {}

    def lead(person: Key) -> Key:
        while (above := leader.get(person, person)) != person:
            leader[person] = leader.get(above, above)
            person = above
        return person

    for one in merges:
        if one.kind != DUPLICATE or one.case in survivor:
            leader[lead(known[one.case].person)] = lead(known[one.into].person)
    grouped: dict[Key, list[Episode]] = defaultdict(list)
    for episode in episodes.values():
        grouped[lead(episode.case.person)].append(episode)
    for found in grouped.values():
        if len(found) > 1:
            found.sort(key=_episode_order)
    return [Person(found) for found in grouped.values()]


def _episode_order(one: Episode) -> tuple[Any, ...]:
    """By the day of the referral; of two on one day by what is recorded, so that the order of rows is of no account."""
    return (one.referred_on, repr(one.case[4:-1]), repr(sorted(one.case.missing.items())), str(one.case.key))
