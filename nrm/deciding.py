"""Which decision on identification can follow which: the rule without the database (data_dictionary.md, sections 1 and 2).

A decision is added, never overwritten. A formal one ends the procedure; after it only a review changes what holds, and a
review names the decision that it reviews. What is recorded late is judged by its own day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm.ages import age_group_of, age_range
from nrm.standing import Decided

PRELIMINARY, FORMAL, REVIEWED = ("D1_POS", "D1_NEG"), ("D2_POS", "D2_NEG"), ("D_RECON_POS", "D_RECON_NEG")
POSITIVE = ("D1_POS", "D2_POS", "D_RECON_POS")
STAGES = dict.fromkeys(PRELIMINARY, 1) | dict.fromkeys((*FORMAL, *REVIEWED), 2)


def stage_of(outcome: str, stated: int) -> int:
    """The stage that an outcome belongs to; what can happen at both is at the stage that was stated."""
    return STAGES.get(outcome, stated)


def problem(found: Iterable[Decided], new: Decided, reviewed: Decided | None = None) -> str | None:
    """Why `new` cannot stand among the decisions that are there, as a sentence; None when it can."""
    decisions = sorted(found)
    if new.outcome in REVIEWED:
        return _review_problem(decisions, new, reviewed)
    if reviewed is not None:
        return _("Only a review names the decision that it changes.")
    formal = [one for one in decisions if one.outcome in (*FORMAL, *REVIEWED)]
    if before := [one for one in formal if one.on <= new.on]:
        return _("The formal decision of %(day)s ended the procedure: only a review changes it.") % _day(before[-1])
    if formal and new.outcome in FORMAL:
        return _("A formal decision was taken on %(day)s: only a review changes it.") % _day(formal[0])
    preliminary = [one for one in decisions if one.outcome in PRELIMINARY and one.on > new.on]
    if preliminary and new.outcome in FORMAL:
        return _("The preliminary decision of %(day)s lies after this day.") % _day(preliminary[0])
    around = [one for one in decisions if one.on <= new.on][-1:] + [one for one in decisions if one.on > new.on][:1]
    for one in around:
        if one.outcome == new.outcome and one.stage == new.stage and new.outcome != "D_INSUF":
            return _("The decision of %(day)s says this already.") % _day(one)
    return None


def _review_problem(decisions: list[Decided], new: Decided, reviewed: Decided | None) -> str | None:
    if reviewed is None or reviewed.outcome not in (*FORMAL, *REVIEWED):
        return _("A review names the formal decision that it changes.")
    if reviewed.on > new.on:
        return _("A review does not lie before the decision that it changes.")
    latest = [one for one in decisions if one.outcome in (*FORMAL, *REVIEWED)][-1]
    if latest != reviewed:
        return _("That decision was reviewed already, on %(day)s: name the latest one.") % _day(latest)
    if (reviewed.outcome in POSITIVE) == (new.outcome in POSITIVE):
        return _("The decision that is reviewed says this already.")
    return None


def _day(one: Decided) -> dict[str, str]:
    return {"day": date_format(one.on, "DATE_FORMAT")}


def groups_on(age: int, known_on: date, day: date) -> set[str]:
    """Which of CHILD and ADULT somebody of an age on one day can be on another day; none before they can be born."""
    possible = age_range(age, known_on, day)
    return {age_group_of(one) for one in possible} if possible is not None else set()
