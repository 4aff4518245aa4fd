"""What pages of the SOP tell: two versions side by side, and what a draft would have done to past cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nrm import clocks
from nrm.models import (
    Case,
    Clock,
    ClockPause,
    ClockState,
    EventKind,
    Function,
    LimitUnit,
    SopStep,
    SopTrial,
    SopVersion,
    Who,
)
from nrm.protected import Count, safe_row
from nrm.queries.procedure import as_step, first_day, given, holidays_for, versions_in_force

AT_ONCE = 500  # cases that are read together
KINDS = dict(EventKind.choices)
FUNCTIONS = dict(Function.choices)


def limit_of(step: SopStep) -> str:
    """The limit in words."""
    amounts = ", ".join(str(one) for one in step.amounts)
    last = step.amounts[-1] if step.amounts else 0
    match step.unit:
        case LimitUnit.HOURS:
            words = ngettext("%(amounts)s hour", "%(amounts)s hours", last)
        case LimitUnit.DAYS:
            words = ngettext("%(amounts)s day", "%(amounts)s days", last)
        case LimitUnit.WORKING_DAYS:
            words = ngettext("%(amounts)s working day", "%(amounts)s working days", last)
        case LimitUnit.MONTHS:
            words = ngettext("%(amounts)s month", "%(amounts)s months", last)
        case LimitUnit.BEFORE:
            return gettext("before: %(event)s") % {"event": KINDS.get(step.before, step.before)}
        case _:
            return str(step.get_unit_display())
    return words % {"amounts": amounts}


def events_in_words(codes: Iterable[str]) -> str:
    return ", ".join(str(KINDS.get(code, code)) for code in codes)


def functions_in_words(codes: Iterable[str]) -> str:
    return ", ".join(str(FUNCTIONS.get(code, code)) for code in codes)


def conditions_of(step: SopStep) -> list[str]:
    """When the step applies, in words; nothing for a step that concerns everybody."""
    found = [str(step.get_who_display())] if step.who != Who.ALL else []
    if step.foreigners_only:
        found.append(gettext("foreign nationals only"))
    if step.applies_risk:
        found.append(gettext("at these risks only: %(codes)s") % {"codes": ", ".join(step.applies_risk)})
    if step.applies_forms:
        found.append(gettext("at these forms only: %(codes)s") % {"codes": ", ".join(step.applies_forms)})
    return found


# What of a step is compared, with its words.
COMPARED: tuple[tuple[Any, Callable[[SopStep], str]], ...] = (
    (_("name"), lambda one: str(one.name)),
    (_("starts with"), lambda one: events_in_words([one.trigger])),
    (_("is met by"), lambda one: events_in_words(one.met_by)),
    (_("who owes it"), lambda one: functions_in_words(one.actors)),
    (_("time limit"), limit_of),
    (_("starts anew each time it is met"), lambda one: gettext("yes") if one.repeats else gettext("no")),
    (_("falls away with"), lambda one: events_in_words(one.ends_on)),
    (_("pauses with"), lambda one: events_in_words(one.pauses_on)),
    (_("goes on with"), lambda one: events_in_words(one.resumes_on)),
    (_("who may pause it"), lambda one: functions_in_words(one.may_pause)),
    (_("applies to"), lambda one: "; ".join(conditions_of(one))),
    (_("evidence"), lambda one: str(one.evidence)),
    (_("source of the limit"), lambda one: one.source),
)


@dataclass(frozen=True)
class Difference:
    """One step in two versions: either is None where the step is new, or gone; `changes` are (what, before, after)."""

    before: SopStep | None
    after: SopStep | None
    changes: list[tuple[Any, str, str]]

    @property
    def step(self) -> SopStep:
        found = self.after or self.before
        assert found is not None
        return found


def differences(old: SopVersion, new: SopVersion) -> list[Difference]:
    """What `new` says otherwise than `old`, step by step in the order of the new one."""
    before = {one.lineage: one for one in old.steps.all()}
    after = {one.lineage: one for one in new.steps.all()}
    found = []
    for lineage in [*after, *(one for one in before if one not in after)]:
        was, now = before.get(lineage), after.get(lineage)
        changes = []
        if was is not None and now is not None:
            changes = [
                (label, was_said, now_said)
                for label, said in COMPARED
                if (was_said := said(was)) != (now_said := said(now))
            ]
        if was is None or now is None or changes:
            found.append(Difference(was, now, changes))
    return found


# Trials


def late_by_step(
    version: SopVersion, from_day: date, to_day: date, *, now: datetime, told: Callable[[int, int], Any]
) -> tuple[int, list[dict[str, Any]]]:
    """How many cases opened between two days, and for each step in how many of them it was owed and late: as the draft
    says (`cases`, `late`), and as the rules said under which the cases were (`cases_before`, `late_before`).

    A case counts once for a step, however many clocks it has. Steps that somebody set aside in a case are left out of it.
    """
    steps = list(version.steps.all())
    drafted = [clocks.Version(date.min, tuple(as_step(one) for one in steps))]
    in_force, _rows = versions_in_force()
    keys = list(
        Case.objects.counted()
        .filter(opened_on__range=(from_day, to_day), destroyed_on__isnull=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    counts: dict[Any, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("cases", "late", "cases_before", "late_before"), 0)
    )
    for start in range(0, len(keys), AT_ONCE):
        cases = list(Case.objects.filter(pk__in=keys[start : start + AT_ONCE]).order_by("pk"))
        found = given(cases)
        holidays = holidays_for([*drafted, *in_force], (), first_day(found))
        aside, by_hand = _by_hand(cases)
        for case in cases:
            for versions, owed, late in ((drafted, "cases", "late"), (in_force, "cases_before", "late_before")):
                made = clocks.clocks_of(
                    versions, found.events[case.pk], found.facts[case.pk], holidays=holidays, by_hand=by_hand[case.pk]
                )
                made = [one for one in made if one.state != clocks.ENDED]
                lineages = {one.step.lineage for one in made} - aside[case.pk]
                for lineage in lineages:
                    counts[lineage][owed] += 1
                    counts[lineage][late] += any(one.is_late(now) for one in made if one.step.lineage == lineage)
        told(min(start + AT_ONCE, len(keys)), max(len(keys), 1))
    names = {one.lineage: one for one in SopStep.objects.filter(lineage__in=counts).order_by("version__number")}
    names |= {one.lineage: one for one in steps}
    result = [
        {
            "lineage": str(lineage), "number": step.number, "name_sq": step.name_sq, "name_sr": step.name_sr,
            "name_en": step.name_en, "is_gone": step.version_id != version.pk, **counts[lineage],
        }
        for lineage, step in names.items()
        if lineage in counts
    ]  # fmt: skip
    return len(keys), sorted(result, key=lambda one: (one["number"], one["lineage"]))


def _by_hand(cases: list[Case]) -> tuple[dict[Any, set[Any]], dict[Any, dict[Any, tuple[clocks.Pause, ...]]]]:
    """By case: the steps that were set aside, and the pauses that somebody made."""
    aside: dict[Any, set[Any]] = defaultdict(set)
    set_aside = Clock.objects.filter(case__in=cases, state=ClockState.NOT_APPLICABLE)
    for case, lineage in set_aside.values_list("case_id", "step__lineage"):
        aside[case].add(lineage)
    pauses: dict[Any, dict[Any, tuple[clocks.Pause, ...]]] = defaultdict(dict)
    rows = ClockPause.objects.filter(clock__case__in=cases).select_related("clock__step")
    for one in rows:
        if one.by_event_id is None or one.ended_by_id is not None:
            name = (one.clock.step.lineage, one.clock.trigger_event_id, one.clock.occurrence)
            mine = pauses[one.clock.case_id]
            mine[name] = (*mine.get(name, ()), clocks.Pause(one.starts_at, one.ends_at, one.by_event_id))
    return aside, pauses


@dataclass(frozen=True)
class TrialRow:
    """One step of a trial as a reader may see it: None where a count is hidden."""

    number: int
    name: Any
    is_gone: bool
    cases: Count
    late: Count
    cases_before: Count
    late_before: Count

    @property
    def is_worse(self) -> bool:
        return self.late is not None and self.late_before is not None and self.late > self.late_before


class Told:
    """What earlier trials have told to whoever may not see cases. Trials of other days or limits differ by the cases in
    between: a count that differs by a few from one that was told is a small count, and is not told."""

    def __init__(self, threshold: int) -> None:
        self.threshold = threshold
        self._counts: dict[Any, set[int]] = defaultdict(set)

    def tell(self, counts: Mapping[Any, int]) -> bool:
        """Tell these counts together, or none of them; whether they may be told."""
        near = (abs(count - one) for what, count in counts.items() for one in self._counts[what])
        if any(0 < distance < self.threshold for distance in near):
            return False
        for what, count in counts.items():
            self._counts[what].add(count)
        return True

    def row(self, step: str, whole: int, part: int) -> tuple[Count, Count]:
        """Of so many cases so many late, as far as both, and the rest, may be told."""
        seen, late = safe_row(whole, part, self.threshold)
        if seen is None or not self.tell({(step, "cases"): seen}):
            return None, None
        if late is not None and not self.tell({(step, "late"): late, (step, "in time"): seen - late}):
            late = None
        return seen, late


def trial_rows(
    result: list[dict[str, Any]], name_of: Callable[[dict[str, Any]], Any], told: Told | None
) -> list[TrialRow]:
    """With what was told before, small counts are hidden; None for whoever may see the cases."""
    rows = []
    for one in result:
        shown: list[Count] = [one["cases"], one["late"], one["cases_before"], one["late_before"]]
        if told is not None:
            step = one["lineage"]
            shown = [
                *told.row(step, one["cases"], one["late"]),
                *told.row(step, one["cases_before"], one["late_before"]),
            ]
        rows.append(TrialRow(one["number"], name_of(one), one["is_gone"], *shown))
    return rows


def told_before(trial: SopTrial, user: Any, threshold: int) -> Told:
    """What the trials before this one have told, in the order in which they were made; one query."""
    told = Told(threshold)
    earlier = SopTrial.objects.visible_to(user).filter(tried_at__lt=trial.tried_at).order_by("tried_at", "pk")
    for cases, result in earlier.values_list("cases", "result"):
        trial_rows(result, str, told)
        tell_cases(cases, told)
    return told


def tell_cases(cases: int, told: Told) -> Count:
    """The number of cases of a trial, as far as it may be told."""
    is_told = not 0 < cases < told.threshold and told.tell({"cases": cases})
    return cases if is_told else None
