"""How the clocks of a case follow from what happened in it."""

from __future__ import annotations

from nrm.models import Case
from stakeholders.models import User


def follow(case: Case, *, by: User | None) -> None:
    """Start, meet, pause and end the clocks of a locked case as its happenings say, and keep its next deadline."""
