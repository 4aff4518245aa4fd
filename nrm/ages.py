"""What follows from an age: the age group, and whose procedure is followed."""

from __future__ import annotations


def age_group_of(age: int | None, stated: str = "AGE_U") -> str:
    """CHILD below 18 years, ADULT from 18 on; without an age what was stated, AGE_U when nothing is known."""
    if age is not None:
        return "CHILD" if age < 18 else "ADULT"
    return stated or "AGE_U"


def procedure_track(age_group: str) -> str:
    """ADULT or CHILD: an age in doubt is treated as a child."""
    return "ADULT" if age_group == "ADULT" else "CHILD"
