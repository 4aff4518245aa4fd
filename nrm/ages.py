"""What follows from an age: the age group, whose procedure is followed, and when somebody can have been born."""

from __future__ import annotations

from datetime import date

from onatc.periods import months_after

FULL_AGE = 18


def age_group_of(age: int | None, stated: str = "AGE_U") -> str:
    """CHILD below 18 years, ADULT from 18 on; without an age what was stated, AGE_U when nothing is known."""
    if age is not None:
        return "CHILD" if age < FULL_AGE else "ADULT"
    return stated or "AGE_U"


def procedure_track(age_group: str) -> str:
    """ADULT or CHILD: an age in doubt is treated as a child."""
    return "ADULT" if age_group == "ADULT" else "CHILD"


def births(age: int, on: date) -> tuple[date, date]:
    """The earliest and the latest day on which somebody of that age on that day can have been born. Whoever was born on
    29 February has the anniversary on the 28th in other years: a day is left to both sides of it."""
    return months_after(on, -12 * (age + 1)), months_after(on, -12 * age)


def groups_on(age: int, known_on: date, day: date) -> set[str]:
    """Which of CHILD and ADULT somebody of an age on one day can be on another day; empty before they can be born."""
    earliest, latest = births(age, known_on)
    if day < earliest:
        return set()
    found = set()
    if day >= months_after(earliest, 12 * FULL_AGE):
        found.add("ADULT")
    if day <= months_after(latest, 12 * FULL_AGE):
        found.add("CHILD")
    return found
