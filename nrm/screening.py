"""Operational indicators of trafficking: a prompt for referral by a trained officer, never a verdict. Plain rules, no database.

The indicators are `nrm/data/indicators.csv`: four sets (adult or child, labour or sexual exploitation), six dimensions, a
strength for each indicator *in its set*. The idea is that of the International Labour Office and the European Commission,
"Operational indicators of trafficking in human beings", March 2009, revised September 2009; the wording is ours and short, in
three languages, and an expert is to compare it with the printed list before use. `SET_VERSION` changes with every change of
the file and is stored with each screening.

**A dimension is positive** when, among the ticked indicators of one set in that dimension, there are

1. two strong, or
2. one strong and one medium or weak, or
3. three medium, or
4. two medium and one weak.

Everything else is not positive: one strong alone, two medium alone, one medium with any number of weak, any number of weak.

**The result** is one of three words:

- `indicates_referral`: exploitation is positive, and for an adult also one of the means (deceptive or coercive recruitment,
  recruitment by abuse of vulnerability, coercion or abuse of vulnerability at destination). For a child exploitation alone is
  enough; the means are recorded and not required. Consent never lowers the result: it is not asked for here.
- `insufficient_information`: not the above, and it would be wrong to say that there is nothing. Either a dimension is positive
  but not all that is needed; or too little was asked: the set has nothing to score yet, nothing at all was ticked or answered,
  or in a dimension that could decide fewer than half of the indicators were answered.
- `no_dimension_positive_now`: enough was asked, and no dimension is positive *now*. It never says "not a victim".

More ticks never lower a result once `indicates_referral` was reached, and never lower any result while the same questions are
answered (`no_dimension_positive_now` < `insufficient_information` < `indicates_referral`).

Indicators with `scorable=no` are shown as prompts and never counted. The two sexual exploitation sets are drafts that consist
of such indicators alone, so for now they always give `insufficient_information`: whether to refer is then for the officer.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from django.db import models
from django.utils.translation import gettext_lazy as _

from onatc.texts import Text, choose

DATA = Path(__file__).parent / "data" / "indicators.csv"
SET_VERSION = "2026-11"
"""Of the indicators and of the rule together: a stored screening is read with the version that made it."""
ANSWERED_SHARE = 0.5
"""So much of each dimension that could decide is to be answered before the tool says that none is positive."""


class Dimension(models.TextChoices):
    """The six groups of indicators, in the order of the printed list."""

    DECEPTIVE_RECRUITMENT = "deceptive_recruitment", _("deceptive recruitment")
    COERCIVE_RECRUITMENT = "coercive_recruitment", _("coercive recruitment")
    RECRUITMENT_ABUSE = "recruitment_abuse_of_vulnerability", _("recruitment by abuse of vulnerability")
    EXPLOITATION = "exploitation", _("exploitation")
    COERCION = "coercion_at_destination", _("coercion at destination")
    ABUSE = "abuse_of_vulnerability_at_destination", _("abuse of vulnerability at destination")


MEANS = frozenset(Dimension) - {Dimension.EXPLOITATION}


class Result(StrEnum):
    """What a screening says. A prompt, stored with version, ticks, role and time; never a status, never counted as a victim.
    Its words for people are those of `nrm.models.ScreeningResult`, which stores it."""

    INDICATES_REFERRAL = "indicates_referral"
    INSUFFICIENT_INFORMATION = "insufficient_information"
    NO_DIMENSION_POSITIVE_NOW = "no_dimension_positive_now"


class IndicatorSet(models.TextChoices):
    """Which indicators are asked; ticks of two sets are never counted together."""

    ADULT_LABOUR = "adult_labour", _("adults, labour exploitation")
    CHILD_LABOUR = "child_labour", _("children, labour exploitation")
    ADULT_SEXUAL = "adult_sexual", _("adults, sexual exploitation")
    CHILD_SEXUAL = "child_sexual", _("children, sexual exploitation")

    @property
    def is_child(self) -> bool:
        return self in (self.CHILD_LABOUR, self.CHILD_SEXUAL)


@dataclass(frozen=True)
class Indicator:
    """One row of the file. `concept` ties the same idea across the sets; `strength` (strong, medium, weak) belongs to the set.
    `verification` says how sure the strength is; `is_scorable` whether it may be counted."""

    code: str
    dimension: Dimension
    strength: str
    text_en: str
    text_sq: str
    text_sr: str
    concept: str
    verification: str
    is_scorable: bool

    @property
    def text(self) -> Text:
        """In the active language."""
        return choose({"sq": self.text_sq, "sr": self.text_sr, "en": self.text_en})


def choose_set(exploitation: str, is_child: bool) -> IndicatorSet:
    """The set for a suspected form of exploitation, a code of the list `exploitation`. SEX and its finer codes have sets of
    their own; all else is asked by the labour sets, the only other ones there are. A person whose age is in doubt, or who
    turned 18 during the acts, is asked as a child: `is_child` says so (`nrm.ages.procedure_track`)."""
    if exploitation == "SEX" or exploitation.startswith("SEX_"):
        return IndicatorSet.CHILD_SEXUAL if is_child else IndicatorSet.ADULT_SEXUAL
    return IndicatorSet.CHILD_LABOUR if is_child else IndicatorSet.ADULT_LABOUR


@lru_cache
def indicators(of: str) -> tuple[Indicator, ...]:
    """The indicators of a set, in the order of the file, which is that of dimensions. Raises ValueError for an unknown set."""
    wanted = IndicatorSet(of)
    with DATA.open(encoding="utf-8", newline="") as file:
        return tuple(
            Indicator(
                code=row["code"],
                dimension=Dimension(row["dimension"]),
                strength=row["strength"],
                text_en=row["text"],
                text_sq=row["text_sq"],
                text_sr=row["text_sr"],
                concept=row["concept"],
                verification=row["verification"],
                is_scorable=row["scorable"] == "yes",
            )
            for row in csv.DictReader(file)
            if row["population"] == wanted
        )


def dimension_is_positive(strong: int, medium: int, weak: int) -> bool:
    """The rule for one dimension of one set, by the number of its ticked indicators of each strength."""
    return strong >= 2 or (strong >= 1 and medium + weak >= 1) or medium >= 3 or (medium >= 2 and weak >= 1)


def positive_dimensions(of: str, ticks: Collection[str]) -> frozenset[Dimension]:
    """The dimensions of the set that are positive by what is ticked (codes). Codes that are not of the set raise ValueError:
    ticks of two sets must not be mixed."""
    known = _by_code(of)
    if strange := set(ticks) - known.keys():
        raise ValueError(f"not indicators of {of}: {', '.join(sorted(strange))}")
    counts = Counter((known[code].dimension, known[code].strength) for code in set(ticks) if known[code].is_scorable)
    return frozenset(
        dimension
        for dimension in Dimension
        if dimension_is_positive(*(counts[(dimension, strength)] for strength in ("strong", "medium", "weak")))
    )


def result(of: str, ticks: Collection[str], answered: Collection[str] | None = None) -> Result:
    """What the screening says: the set, the codes of ticked indicators, and the codes that were answered at all, yes or no.

    `answered` is None where the form has only ticks: it is then taken that all was asked as soon as anything was ticked. A tick
    is an answer, whether `answered` names it or not. Raises ValueError for codes of another set.
    """
    positive = positive_dimensions(of, ticks)
    needs_means = not IndicatorSet(of).is_child
    if Dimension.EXPLOITATION in positive and (not needs_means or positive & MEANS):
        return Result.INDICATES_REFERRAL
    if positive or not _is_enough_asked(of, set(ticks), None if answered is None else set(answered) | set(ticks)):
        return Result.INSUFFICIENT_INFORMATION
    return Result.NO_DIMENSION_POSITIVE_NOW


def _is_enough_asked(of: str, ticks: set[str], answered: set[str] | None) -> bool:
    """Whether "no dimension is positive" can be said. For a child the means could not decide, so only exploitation counts."""
    scorable = [indicator for indicator in indicators(of) if indicator.is_scorable]
    if not scorable:
        return False
    if answered is None:
        return bool(ticks)
    deciding = {Dimension.EXPLOITATION} if IndicatorSet(of).is_child else set(Dimension)
    for dimension in deciding:
        codes = {indicator.code for indicator in scorable if indicator.dimension == dimension}
        if len(codes & answered) < ANSWERED_SHARE * len(codes):
            return False
    return True


@lru_cache
def _by_code(of: str) -> dict[str, Indicator]:
    return {indicator.code: indicator for indicator in indicators(of)}
