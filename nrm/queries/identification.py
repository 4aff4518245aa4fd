"""Identification, risk and the reflection period as pages and acts ask for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nrm import access
from nrm.ages import age_group_of
from nrm.models import (
    PLAIN_STEPS,
    Case,
    CaseDecision,
    CaseParty,
    Competence,
    EventKind,
    Function,
    Happening,
    ReflectionEvent,
    RiskAssessment,
    RiskFactor,
    RiskMeasure,
    Screening,
    Status,
)
from nrm.queries.cases import labels_of, may_record
from nrm.reflection import Event, Standing, standing
from nrm.screening import IndicatorSet
from nrm.sections import PROCEDURE, Act, Section, register
from nrm.standing import GIVES, Decided
from onatc.texts import SortKey
from stakeholders.models import Institution, User

SHOWN = 30  # of one kind of record in a section


def with_function(case: Case, functions: Iterable[str], day: date | None = None) -> Any:
    """Institutions that have such a function on a day, in the whole country or where the case is, by name."""
    found = Competence.objects.on(day or timezone.localdate()).filter(
        institution=OuterRef("pk"), function__in=tuple(functions)
    )
    if case.municipality_id is not None:
        found = found.filter(Q(municipality=None) | Q(municipality=case.municipality_id))
    return Institution.objects.filter(Exists(found)).order_by(SortKey("name"))


def records_for(user: User, case: Case) -> Any:
    """The institutions for which `user` records in this case: their own that take part; for the office all that do."""
    parties = CaseParty.objects.filter(case=case, institution=OuterRef("pk"), until__isnull=True)
    found = Institution.objects.filter(Exists(parties)).order_by(SortKey("name"))
    own = found.filter(pk__in=user.institution_ids)
    return own if access.takes_part(user, case) else found


def deciding_bodies(user: User, case: Case) -> Any:
    """Whose decision `user` may record: that of their own competent institution and, for those that are competent, of a
    court; the office that of every competent body."""
    competent = with_function(case, access.DECIDES)
    if not access.takes_part(user, case):
        return competent
    courts = with_function(case, (Function.COURT,)).values("pk")
    return competent.filter(Q(pk__in=user.institution_ids) | Q(pk__in=courts))


def decisions_of(case: Case) -> list[CaseDecision]:
    """In the order of their days; the last one recorded for a day comes last."""
    return list(CaseDecision.objects.filter(case=case).order_by("decided_on", "recorded_at", "pk"))


def risk_assessors(case: Case) -> Any:
    """Who may have assessed the risk: those whose function it is, and whoever takes part in the case."""
    whose = with_function(case, access.ASSESSES_RISK)
    return Institution.objects.filter(Q(pk__in=whose.values("pk")) | Q(pk__in=_parties(case))).order_by(SortKey("name"))


def acting(case: Case) -> Any:
    """Who may carry out a measure: whoever takes part or has a function in the mechanism where the case is."""
    whose = with_function(case, Function.values)
    return Institution.objects.filter(Q(pk__in=whose.values("pk")) | Q(pk__in=_parties(case))).order_by(SortKey("name"))


def _parties(case: Case) -> Any:
    return CaseParty.objects.filter(case=case, until__isnull=True).values("institution")


def decided(decisions: Iterable[CaseDecision]) -> list[Decided]:
    """Decisions as the rules see them, given in the order of their days and of their recording."""
    return [Decided(one.decided_on, order, one.outcome, one.stage) for order, one in enumerate(decisions)]


def events_of(rows: Iterable[ReflectionEvent]) -> list[Event]:
    """Events of a reflection period as the rule sees them, given in the order of their recording."""
    return [Event(one.kind, one.on, one.days, order) for order, one in enumerate(rows)]


def reflection_of(case: Case) -> Standing:
    rows = ReflectionEvent.objects.filter(case=case).order_by("recorded_at", "pk")
    return standing(events_of(rows))


# What stands on the page of a case


@dataclass(frozen=True)
class Told:
    """A decision as the page tells it: who decided and what, in words."""

    decision: CaseDecision
    maker: str
    age_group: str
    holds: bool


def _decisions(case: Case, user: User) -> dict[str, Any]:
    rows = list(
        CaseDecision.objects.filter(case=case)
        .select_related("institution", "review_of")
        .order_by("decided_on", "recorded_at", "pk")
    )
    if not rows:
        return {}
    labels = labels_of("decision_maker", "age_group")
    telling = [one for one in rows if one.outcome in GIVES]
    return {
        "decisions": [
            Told(
                one,
                labels.get(("decision_maker", one.decision_maker), one.decision_maker),
                labels.get(("age_group", one.age_group_at_decision), one.age_group_at_decision),
                bool(telling) and one == telling[-1],
            )
            for one in reversed(rows)
        ],
        "may_inform": bool(access.may_go_on(user, case)),
    }


def _deciding(case: Case, user: User) -> Iterable[Act]:
    if access.may_decide(user, case):
        waits = case.is_open and case.status in (Status.POTENTIAL, Status.PRESUMED)
        label = _("Record a decision") if case.closed_on is None else _("Record a later decision")
        yield Act(label, _url("case-decide", case), is_next=waits)


def sets_for(case: Case) -> list[str]:
    """The sets of indicators that fit: those for children, when the person is treated as one or was one when the acts
    began; otherwise those for adults."""
    is_child = case.is_child_procedure or "CHILD" in (
        case.age_group_at_exploitation,
        age_group_of(case.age_at_exploitation, "AGE_U"),
    )
    return [one.value for one in IndicatorSet if one.is_child == is_child]


def _screenings(case: Case, _user: User) -> dict[str, Any]:
    rows = list(Screening.objects.filter(case=case).select_related("recorded_for")[:SHOWN])
    return {"screenings": [(one, set_label(one.indicator_set), len(one.ticks)) for one in rows]}


def _screening(case: Case, user: User) -> Iterable[Act]:
    if may_record(case, user):
        yield Act(_("Screen by indicators"), _url("case-screen", case))


@dataclass(frozen=True)
class Assessed:
    """An assessment of risk as the page tells it, with the plan that follows."""

    assessment: RiskAssessment
    assessors: str
    factors: list[str]
    placement: str
    measures: list[RiskMeasure]


def risks_of(case: Case) -> list[Assessed]:
    """The assessments of a case, the one that holds first."""
    measures = RiskMeasure.objects.select_related("institution").order_by("due_on", "pk")
    rows = list(
        RiskAssessment.objects.filter(case=case).prefetch_related("assessors", Prefetch("measures", measures))[:SHOWN]
    )
    labels = labels_of("shelter_type") if any(one.placement for one in rows) else {}
    return [
        Assessed(
            one,
            ", ".join(sorted(body.short for body in one.assessors.all())),
            [str(RiskFactor(code).label) for code in one.factors if code in RiskFactor.values],
            labels.get(("shelter_type", one.placement), one.placement),
            list(one.measures.all()),
        )
        for one in rows
    ]


def new_facts(case: Case, latest: RiskAssessment) -> date | None:
    """Since when facts about the risk are known that the latest assessment did not know yet: the SOP has it assessed again
    then, too (domain.md, step 14)."""
    told = Happening.objects.filter(case=case, kind=EventKind.RISK_CHANGED, struck_at__isnull=True)
    later = Q(happened_at__date__gt=latest.assessed_on) | Q(
        happened_at__date=latest.assessed_on, recorded_at__gt=latest.recorded_at
    )
    first = told.filter(later).order_by("happened_at").first()
    return first.happened_on if first is not None else None


def _risk(case: Case, user: User) -> dict[str, Any]:
    found = risks_of(case)
    if not found:
        return {}
    due = found[0].assessment.next_due
    today = timezone.localdate()
    return {
        "risk": found[0],
        "new_facts": new_facts(case, found[0].assessment) if case.is_open else None,
        "earlier": found[1:],
        "due": due if case.is_open else None,
        "is_late": due is not None and due < today,  # on the day itself there is time until its end
        "today": today,
        "may_plan": may_record(case, user),
    }


def _assessing(case: Case, user: User) -> Iterable[Act]:
    if not access.may_assess_risk(user, case):
        return
    latest = RiskAssessment.objects.filter(case=case).first()
    is_due = latest is not None and latest.next_due is not None and latest.next_due <= timezone.localdate()
    waits = is_due or (latest is not None and new_facts(case, latest) is not None)
    yield Act(_("Assess the risk"), _url("case-risk", case), is_next=waits)
    if may_record(case, user) and latest is not None:
        yield Act(_("Add to the plan"), _url("case-risk-plan", case))


def _reflection(case: Case, _user: User) -> dict[str, Any]:
    rows = list(ReflectionEvent.objects.filter(case=case).select_related("decided_by").order_by("recorded_at", "pk"))
    if not rows:
        return {}
    today = timezone.localdate()
    found = standing(events_of(rows))
    return {
        "reflection": found,
        "state": reflection_words(found, today),
        "planned_end": found.planned_end_on(today),
        "days_left": found.days_left(today),
        "events": sorted(rows, key=lambda one: one.on, reverse=True),
    }


def reflection_words(found: Standing, today: date) -> str:
    """Where a reflection period stands, as a sentence with the days that are left."""
    if found.state == "offered":
        return str(_("It was offered and has not started."))
    if found.state == "waived":
        return str(_("The person gave it up."))
    if found.state == "stopped":
        return str(_("It was ended early by decision."))
    if found.state == "ended":
        return str(_("It ended as planned."))
    if found.state == "none":
        return ""
    left = found.days_left(today) or 0
    if found.state == "paused":
        sentence = ngettext(
            "It is paused; %(count)d day is left when it goes on.",
            "It is paused; %(count)d days are left when it goes on.",
            left,
        )
        return sentence % {"count": left}
    if left == 0:
        return str(_("It ends today."))
    return ngettext("It runs; %(count)d day is left.", "It runs; %(count)d days are left.", left) % {"count": left}


def possible_events(case: Case, user: User) -> list[str]:
    """What can happen to the reflection period next, so far as the user may record it; an end comes by itself. What is
    recorded late can be more than that: after an end by the calendar also what happened before it."""
    found = reflection_of(case)
    kinds = {
        "none": ("RF_OFFER", "RF_START", "RF_WAIVE"),
        "offered": ("RF_START", "RF_WAIVE"),
        "running": ("RF_PAUSE", "RF_EXT", "RF_WAIVE", "RF_STOP"),
        "paused": ("RF_RESUME", "RF_EXT", "RF_WAIVE", "RF_STOP"),
        "ended": ("RF_PAUSE", "RF_EXT", "RF_WAIVE", "RF_STOP"),
    }.get(found.state, ())
    if found.started_on is not None and found.offered_on is None and found.state != "waived":
        kinds = (*kinds, "RF_OFFER")
    if not access.may_grant_reflection(user, case):
        kinds = tuple(one for one in kinds if one in ("RF_WAIVE", "RF_OFFER"))
    return list(kinds)


def _reflecting(case: Case, user: User) -> Iterable[Act]:
    if may_record(case, user) and possible_events(case, user):
        yield Act(_("Record what happened to the period"), _url("case-reflection", case))


def _steps(case: Case, user: User) -> dict[str, Any]:
    kinds = (*PLAIN_STEPS, EventKind.TURNED_ADULT)
    rows = list(
        Happening.objects.filter(case=case, kind__in=kinds, record__isnull=True)
        .select_related("recorded_for")
        .order_by("-happened_at", "-recorded_at")[:SHOWN]
    )
    may = may_record(case, user)
    own, keeps = user.institution_ids, user.has_role(*access.CASE_KEEPERS)
    return {
        "steps": [
            (one, may and not one.struck_at and (keeps or one.recorded_by_id == user.pk or one.recorded_for_id in own))
            for one in rows
        ]
    }


def _stepping(case: Case, user: User) -> Iterable[Act]:
    if may_record(case, user):
        yield Act(_("Record a step"), _url("case-step", case))


def set_label(code: str) -> str:
    return str(IndicatorSet(code).label) if code in IndicatorSet.values else code


def _url(name: str, case: Case) -> str:
    return reverse(f"nrm:{name}", args=[case.marker])


def register_sections() -> None:
    here = "nrm/sections/"
    for section in (
        Section("steps", _("Steps recorded by hand"), f"{here}steps.html", _steps, _stepping, place=PROCEDURE, order=50),
        Section("screening", _("Screening by indicators"), f"{here}screening.html", _screenings, _screening, order=20),
        Section(
            "identification", _("Identification"), f"{here}identification.html", _decisions, _deciding,
            _("Nothing is decided yet."), order=25,
        ),
        Section("risk", _("Risk"), f"{here}risk.html", _risk, _assessing, _("The risk is not assessed yet."), order=30),
        Section("reflection", _("Reflection period"), f"{here}reflection.html", _reflection, _reflecting, order=35),
    ):  # fmt: skip
        register(section)
