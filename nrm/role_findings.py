"""Where nobody is in charge and where two are: gaps and overlaps of the matrix of roles. Plain functions, no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

# Whoever is responsible for the case, or receives the referral, does the step: no function that somebody must hold.
ANYBODY = frozenset({"responsible", "receiver"})
LEADS = "leads"


class FindingKind(StrEnum):
    NO_LEAD = "no_lead"  # a gap: no institution leads the step
    NOBODY_COMPETENT = "nobody_competent"  # a gap: no institution has a function that the SOP names for the step
    NO_PART = "no_part"  # a gap: an institution with a competence has no part in any step
    TWO_LEAD = "two_lead"  # an overlap: several institutions lead the step


GAPS = (FindingKind.NO_LEAD, FindingKind.NOBODY_COMPETENT, FindingKind.NO_PART)


@dataclass(frozen=True)
class Finding:
    """A gap or an overlap: of a step, with the function or the institutions concerned, or of an institution."""

    kind: FindingKind
    step: Hashable = None
    function: str = ""
    institutions: tuple[Hashable, ...] = ()

    @property
    def is_gap(self) -> bool:
        return self.kind in GAPS


def findings(
    steps: Mapping[Hashable, Collection[str]],
    parts: Iterable[tuple[Hashable, Hashable, str]],
    competent: Iterable[tuple[str, Hashable]],
) -> list[Finding]:
    """Gaps and overlaps in the order of the steps, then of the institutions as they were given.

    `steps` are the steps with the functions that the SOP names for them, `parts` are (step, institution, part), `competent`
    (function, institution) as of a day.
    """
    leading: dict[Hashable, list[Hashable]] = defaultdict(list)
    taking_part = set()
    for step, institution, part in parts:
        taking_part.add(institution)
        if part == LEADS:
            leading[step].append(institution)
    by_function: dict[str, list[Hashable]] = defaultdict(list)
    for function, institution in competent:
        by_function[function].append(institution)
    found = []
    for step, functions in steps.items():
        leaders = leading[step]
        if not leaders:
            found.append(Finding(FindingKind.NO_LEAD, step))
        elif len(leaders) > 1:
            found.append(Finding(FindingKind.TWO_LEAD, step, institutions=tuple(leaders)))
        found += [
            Finding(FindingKind.NOBODY_COMPETENT, step, function)
            for function in functions
            if function not in ANYBODY and not by_function[function]
        ]
    idle = dict.fromkeys(one for able in by_function.values() for one in able if one not in taking_part)
    return [*found, *(Finding(FindingKind.NO_PART, institutions=(one,)) for one in idle)]


def proposed(
    steps: Mapping[Hashable, Iterable[str]], competent: Iterable[tuple[str, Hashable]]
) -> dict[tuple[Hashable, Hashable], str]:
    """The parts that competences and SOP suggest, by (step, institution): whoever alone has the first function of a step
    leads it, everybody else with a function of it takes part. Where several have it, people say who leads."""
    by_function: dict[str, list[Hashable]] = defaultdict(list)
    for function, institution in competent:
        if institution not in by_function[function]:
            by_function[function].append(institution)
    made: dict[tuple[Hashable, Hashable], str] = {}
    for step, functions in steps.items():
        for place, function in enumerate(functions):
            able = by_function[function]
            for institution in able:
                leads = place == 0 and len(able) == 1
                made.setdefault((step, institution), LEADS if leads else "takes_part")
    return made
