"""What follows from an age, a citizenship and the countries of a case. Plain rules, no database; codes of `codelists.json`.

Ages are whole completed years, 0 to 110, at a dated event; no birth date is known. A case has up to three: when the acts began,
at the referral, at the decision. National tables use the age at referral.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from onatc.periods import months_after

OLDEST = 110
OF_AGE = 18

_BANDS = (
    ("A00_09", 0, 9),
    ("A10_14", 10, 14),
    ("A15_17", 15, 17),
    ("A18_24", 18, 24),
    ("A25_29", 25, 29),
    ("A30_39", 30, 39),
    ("A40_49", 40, 49),
    ("A50_59", 50, 59),
    ("A60P", 60, OLDEST),
)
_BAND_OF_GROUP = {"CHILD": "A_CHILD_U", "ADULT": "A_ADULT_U"}

# First and last day of membership of the European Union and of the Communities before it. The United Kingdom left at the end
# of 31 January 2020 (Agreement on the withdrawal, OJ L 29, 31.1.2020); accession treaties of 1972, 1979, 1985, 1994, 2003, 2005, 2011.
_MEMBERS: dict[str, tuple[date, date]] = {
    code: (since, date(2020, 1, 31) if code == "GB" else date.max)
    for since, codes in (
        (date(1958, 1, 1), "BE DE FR IT LU NL"),
        (date(1973, 1, 1), "DK GB IE"),
        (date(1981, 1, 1), "GR"),
        (date(1986, 1, 1), "ES PT"),
        (date(1995, 1, 1), "AT FI SE"),
        (date(2004, 5, 1), "CY CZ EE HU LT LV MT PL SI SK"),
        (date(2007, 1, 1), "BG RO"),
        (date(2013, 7, 1), "HR"),
    )
    for code in codes.split()
}
# What the European Union calls the Western Balkans, without Kosovo itself; Croatia until it joined.
_WESTERN_BALKANS = frozenset("AL BA HR ME MK RS".split())
_OTHER_NAMES = {"EL": "GR", "UK": "GB"}  # as Eurostat writes them
_NO_CITIZENSHIP = frozenset(("", "STATELESS", "CIT_U"))
HOME = "XK"


def age_group_of(age: int | None, stated: str = "AGE_U") -> str:
    """CHILD below 18 years, ADULT from 18 on; without an age what was stated, AGE_U when nothing is known."""
    if age is not None:
        return "CHILD" if age < OF_AGE else "ADULT"
    return stated or "AGE_U"


def procedure_track(age_group: str) -> str:
    """ADULT or CHILD: an age in doubt is treated as a child."""
    return "ADULT" if age_group == "ADULT" else "CHILD"


def age_band(age: int | None, age_group: str = "AGE_U") -> str:
    """The band of the list `age_band`, never typed: by the age, else by the group alone (A_CHILD_U, A_ADULT_U), else A_U.
    Raises ValueError for an age that is not possible."""
    if age is None:
        return _BAND_OF_GROUP.get(age_group, "A_U")
    for code, first, last in _BANDS:
        if first <= age <= last:
            return code
    raise ValueError(f"no age: {age}")


def citizenship_group(code: str, on: date) -> str:
    """OWN, WB, EU, OTH or ST_U for a code of the list `citizenship` (ISO 3166-1 alpha-2, XK, STATELESS, CIT_U), as the European
    Union was on that day: Croatia from 1 July 2013 (WB before), the United Kingdom until 31 January 2020. A code that was never
    given or a reason why it is missing (NA_…) is ST_U. Raises ValueError for what is no code."""
    code = _OTHER_NAMES.get(code, code)
    if code in _NO_CITIZENSHIP or code.startswith("NA_"):
        return "ST_U"
    if len(code) != 2 or not (code.isascii() and code.isalpha() and code.isupper()):
        raise ValueError(f"no code of a citizenship: {code}")
    if code == HOME:
        return "OWN"
    if code in _MEMBERS and _MEMBERS[code][0] <= on <= _MEMBERS[code][1]:
        return "EU"
    return "WB" if code in _WESTERN_BALKANS else "OTH"


def geography_of(
    recruitment: Iterable[str], transit: Iterable[str], exploitation: Iterable[str], stated: str = "GEO_U"
) -> str:
    """The code of the list `geography` that follows from the countries; what was stated where nothing follows.

    It follows only when at least one country of recruitment and one of exploitation are known:

    | recruited in | exploited in | code |
    |---|---|---|
    | Kosovo | Kosovo, and no other country on the way or beside | GEO_INT |
    | elsewhere | Kosovo, perhaps elsewhere too | GEO_IN |
    | Kosovo and elsewhere | Kosovo alone | GEO_IN |
    | Kosovo, perhaps elsewhere too | elsewhere, perhaps Kosovo too | GEO_OUT |
    | elsewhere | elsewhere, through Kosovo | GEO_TRANSIT |
    | elsewhere | elsewhere, not through Kosovo | GEO_ABROAD |

    Recruited and exploited in Kosovo alone, but taken through another country: no code says that, so what was stated counts.
    """
    recruited, through, exploited = (_countries(codes) for codes in (recruitment, transit, exploitation))
    if not recruited or not exploited:
        return stated or "GEO_U"
    if HOME in exploited and HOME not in recruited:
        return "GEO_IN"
    if HOME in recruited and exploited != {HOME}:
        return "GEO_OUT"
    if HOME in recruited:
        if recruited != {HOME}:
            return "GEO_IN"
        return "GEO_INT" if through <= {HOME} else stated or "GEO_U"
    return "GEO_TRANSIT" if HOME in through else "GEO_ABROAD"


def _countries(codes: Iterable[str]) -> set[str]:
    """Countries alone: what is not known is left out."""
    return {_OTHER_NAMES.get(code, code) for code in codes if len(code) == 2}


# --- what is possible -----------------------------------------------------------------------------------------------------


def is_age(age: int) -> bool:
    """Whether it is an age at all: 0 to 110 completed years."""
    return 0 <= age <= OLDEST


def born_between(age: int, on: date) -> tuple[date, date]:
    """The first and the last day on which somebody of that age on that day can be born. Of 17 years on 1 March 2026: from
    2 March 2008 to 1 March 2009. Raises ValueError for an age that is not possible."""
    if not is_age(age):
        raise ValueError(f"no age: {age}")
    first = months_after(on, -12 * (age + 1)) + timedelta(days=1)
    return first, months_after(on, -12 * age)


def was_born_by(day: date, age: int, on: date) -> bool:
    """Whether somebody of that age on the day `on` can have been born by `day`: nothing happens to a person before."""
    return day >= born_between(age, on)[0]


def age_range(age: int, on: date, other: date) -> tuple[int, int] | None:
    """The least and greatest age on another day, earlier or later, of somebody of that age on the day `on`; None when not born
    yet. Of 17 years on 1 March 2026: 16 or 17 on 1 September 2025."""
    first, last = born_between(age, on)
    if other < first:
        return None
    return max(0, _completed(last, other)), _completed(first, other)


def ages_agree(
    earlier: int | None, later: int | None, earlier_on: date | None = None, later_on: date | None = None
) -> bool:
    """Whether two ages of one person can both be true: the earlier one is not above the later one, and with both days they
    differ by the years between them, or by one year more. What is not known contradicts nothing."""
    if earlier is None or later is None:
        return True
    if not is_age(earlier) or not is_age(later) or earlier > later:
        return False
    if earlier_on is None or later_on is None:
        return True
    possible = age_range(later, later_on, earlier_on)
    return possible is not None and possible[0] <= earlier <= possible[1]


def groups_agree(earlier: str, later: str) -> bool:
    """Whether two age groups of one person can both be true: an adult is never a child afterwards. AGE_U agrees with all."""
    return not (earlier == "ADULT" and later == "CHILD")


def comes_of_age_between(age: int, on: date) -> tuple[date, date] | None:
    """The first and the last day on which somebody of that age on that day can turn 18; None for whoever has. What protects a
    child is kept until the last one at least."""
    if age >= OF_AGE:
        return None
    first, last = born_between(age, on)
    return _turns(first, OF_AGE), _turns(last, OF_AGE)


def _turns(born: date, years: int) -> date:
    """The birthday; of somebody born on 29 February, 1 March in a year without that day."""
    day = months_after(born, 12 * years)
    return day + timedelta(days=1) if born.day == 29 and day.day == 28 else day


def _completed(born: date, on: date) -> int:
    """Completed years; below zero before the birth."""
    years = on.year - born.year
    return years - 1 if (on.month, on.day) < (born.month, born.day) else years
