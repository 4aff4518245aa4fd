"""What status a person has: the rule of data_dictionary.md, sections 1 (rule 7) and 3.2, without the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class Decided:
    """A decision as the rule sees it; ordered by its own day, then by the order in which it was recorded."""

    on: date
    order: int
    outcome: str
    stage: int


# What each outcome makes of the status. D_SUSP and D_INSUF leave it as it is: the procedure goes on.
GIVES = {
    "D1_POS": "PRESUMED",
    "D1_NEG": "NOT_VICTIM",
    "D2_POS": "IDENTIFIED",
    "D2_NEG": "NOT_VICTIM",
    "D_RECON_POS": "IDENTIFIED",
    "D_RECON_NEG": "NOT_VICTIM",
    "D_DECL": "DECLINED_ID",
    "D_DISC": "DISCONTINUED",
}


def status_of(decisions: Iterable[Decided]) -> str:
    """The status that the latest decision by its own date gives; POTENTIAL when nothing was decided."""
    telling = [one for one in decisions if one.outcome in GIVES]
    return GIVES[max(telling).outcome] if telling else "POTENTIAL"
