"""Pages on which identification, risk, the reflection period and plain steps of a case are recorded."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access, screening
from nrm.actions import identification as actions
from nrm.actions import reflection, risk
from nrm.forms.identification import (
    DayForm,
    DecideForm,
    MeasureForm,
    ReflectionForm,
    RiskForm,
    ScreenForm,
    StepForm,
    StrikeForm,
)
from nrm.models import Case, CaseDecision, Happening, RiskAssessment, RiskMeasure, Screening, ScreeningResult
from nrm.queries import identification as queries
from nrm.views.reading import act_page, case_of, case_to, reading_case
from onatc.errors import Denied, require
from stakeholders.accounts import SignedInRequest
from stakeholders.models import User

# Decisions


@require_http_methods(["GET", "POST"])
def decide(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_decide)
    form = DecideForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: actions.decide(case, by=request.user, **form.arguments()),
        title=_("Record a decision on identification"),
        lead=_(
            "A decision is added and never overwritten; the status follows from it. A formal decision is changed by a review only."
        ),
        done=_("The decision is recorded."),
        submit=_("Record the decision"),
    )


@require_http_methods(["GET", "POST"])
def decision_inform(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case = case_of(request, marker)
    decision = get_object_or_404(CaseDecision.objects.visible_to(request.user), case=case, pk=pk)
    require(access.may_go_on(request.user, case))
    form = DayForm(
        request.POST or None, user=request.user, case=case, name="informed_on", label=_("Person informed on")
    )
    return act_page(
        request,
        case,
        form,
        lambda: actions.inform(decision, by=request.user, **form.said("informed_on")),
        title=_("The person was informed of the decision"),
        done=_("It is recorded when the person was informed."),
    )


# Screening


@require_safe
def screen(request: SignedInRequest, marker: str) -> HttpResponse:
    """Which set of indicators is asked: by the form of exploitation that is suspected."""
    case = case_to(request, marker)
    sets = [(code, queries.set_label(code)) for code in queries.sets_for(case)]
    usual = screening.choose_set(case.forms[0], is_child=sets[0][0].startswith("child")) if case.forms else ""
    context = {"case": case, "sets": sets, "usual": usual}
    return reading_case(request, case, lambda: render(request, "nrm/screen_choose.html", context))


@require_http_methods(["GET", "POST"])
def screen_set(request: SignedInRequest, marker: str, indicator_set: str) -> HttpResponse:
    case = case_to(request, marker)
    if indicator_set not in queries.sets_for(case):
        return redirect("nrm:case-screen", marker=case.marker)
    form = ScreenForm(request.POST or None, user=request.user, case=case, indicator_set=indicator_set)
    return act_page(
        request,
        case,
        form,
        lambda: actions.screen(case, by=request.user, indicator_set=indicator_set, **form.arguments()),
        title=_("Screen by indicators"),
        lead=_(
            "Tick what was seen or told. What comes out prompts a referral; it never decides that somebody is a victim, or is not."
        ),
        done=_says,
        submit=_("Keep the screening"),
        template="nrm/screen.html",
    )


def _says(made: Screening) -> str:
    if made.result == ScreeningResult.REFER:
        return _("The indicators indicate referral. This is not a verdict: refer the person.")
    if made.result == ScreeningResult.INSUFFICIENT:
        return _("There is not enough information yet. This is not a verdict: whether to refer is for you to judge.")
    return _("No dimension is positive now. This is not a verdict: it does not say that the person is not a victim.")


# Risk


@require_http_methods(["GET", "POST"])
def assess_risk(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_assess_risk)
    form = RiskForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: risk.assess(case, by=request.user, **form.arguments()),
        title=_("Assess the risk"),
        lead=_("Police and victim advocate assess together, for a child with the Centre for Social Work."),
        done=_told_when_again,
        submit=_("Keep the assessment"),
    )


def _told_when_again(made: RiskAssessment) -> str:
    if made.next_due is None:
        return _("The assessment is kept.")
    return _("The assessment is kept. The risk is assessed again by %(day)s.") % {
        "day": date_format(made.next_due, "DATE_FORMAT")
    }


@require_http_methods(["GET", "POST"])
def risk_plan(request: SignedInRequest, marker: str) -> HttpResponse:
    """A further measure, in the plan of the assessment that holds."""
    case = case_to(request, marker)
    latest = RiskAssessment.objects.visible_to(request.user).filter(case=case).first()
    if latest is None:
        return redirect("nrm:case-risk", marker=case.marker)
    form = MeasureForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: risk.add_measure(latest, form.planned(), by=request.user, **form.common()),
        title=_("Add to the plan against the risk"),
        done=_("The measure is part of the plan."),
    )


@require_http_methods(["GET", "POST"])
def risk_done(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case = case_of(request, marker)
    measure = get_object_or_404(RiskMeasure.objects.visible_to(request.user), case=case, pk=pk)
    require(access.may_record(request.user, case))
    form = DayForm(request.POST or None, user=request.user, case=case, name="done_on", label=_("Done on"))
    return act_page(
        request,
        case,
        form,
        lambda: risk.measure_done(measure, by=request.user, **form.said("done_on")),
        title=_("The measure was carried out"),
        lead=measure.what,
        done=_("It is recorded when the measure was carried out."),
    )


# Reflection period


@require_http_methods(["GET", "POST"])
def record_reflection(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, _may_reflect)
    form = ReflectionForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: reflection.record_event(case, by=request.user, **form.arguments()),
        title=_("Reflection period"),
        lead=_reflection_lead(case),
        done=_("It is recorded. The page of the case shows the planned end."),
        submit=_("Record it"),
    )


def _may_reflect(user: User, case: Case) -> bool | Denied:
    """Whoever records in the case records the person's own wish; the rest is for the competent bodies."""
    if not (recording := access.may_record(user, case)):
        return recording
    return bool(queries.possible_events(case, user)) or access.may_grant_reflection(user, case)


def _reflection_lead(case: Case) -> str:
    today = timezone.localdate()
    stands = queries.reflection_words(queries.reflection_of(case), today)
    days = reflection.length_on(today)
    law = ngettext(
        "By the rule in force a period that starts today has %(count)d day.",
        "By the rule in force a period that starts today has %(count)d days.",
        days,
    )
    return stands or law % {"count": days}


# Plain steps


@require_http_methods(["GET", "POST"])
def record_step(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker)
    form = StepForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: actions.record_step(case, by=request.user, **form.arguments()),
        title=_("Record a step"),
        lead=_("For steps that consist of their day. What was wrong is struck afterwards, with the reason, and stays."),
        done=_("The step is recorded."),
        submit=_("Record the step"),
    )


@require_http_methods(["GET", "POST"])
def strike_step(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case = case_of(request, marker)
    step = get_object_or_404(Happening.objects.visible_to(request.user), case=case, pk=pk)
    require(access.may_strike(request.user, case, step))
    form = StrikeForm(request.POST or None, user=request.user, case=case)
    return act_page(
        request,
        case,
        form,
        lambda: actions.strike(step, by=request.user, reason=form.cleaned_data["reason"]),
        title=_("Strike a step"),
        lead=_("%(step)s, %(day)s. It stays in the case, crossed out, with your reason.")
        % {"step": step.get_kind_display(), "day": date_format(step.happened_on, "DATE_FORMAT")},
        done=_("The step is struck."),
        submit=_("Strike it"),
    )
