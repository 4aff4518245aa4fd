"""Proposals to adapt the mechanism, the decisions on them, and what they changed."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import adaptation as actions
from nrm.forms.oversight import AdaptationForm, DecideForm, EffectForm, InPlaceForm, LayForm, StepForm
from nrm.models import Adaptation, AdaptationState, Deviation
from nrm.queries.adaptation import effect_of
from nrm.queries.deviations import for_list, told
from onatc.errors import require
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import written_in
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Decision, Meeting
from stakeholders.views.records import as_file, form_page, list_page

TITLES = ("title_sq", "title_sr", "title_en")


def _filter(request: SignedInRequest) -> RegisterFilter:
    today = timezone.localdate()
    due = Q(state=AdaptationState.IN_PLACE, effect_checked_on__isnull=True)
    asked = {
        "due": due & Q(effect_due_on__lte=today),
        "later": due & Q(effect_due_on__gt=today),
        "checked": Q(effect_checked_on__isnull=False),
    }
    return RegisterFilter(
        request.GET,
        Adaptation.objects.visible_to(request.user),
        selects={
            "state": (_("State"), list(AdaptationState.choices)),
            "effect": (
                _("Effect"),
                [("due", _("to be checked now")), ("later", _("to be checked later")), ("checked", _("on record"))],
            ),
        },
        narrow={"state": "state", "effect": lambda value: asked[value]},
        counted="state",
        searched=(*TITLES, "proposal"),
        sorts={"title": "~title", "proposed": "proposed_on", "decided": "decided_on", "effect": "effect_due_on"},
        usual="-proposed",
    )


@require_safe
def adaptation_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    found = _filter(request)
    rows = found.ordered().select_related("proposed_for", "step")
    return list_page(
        request, "nrm/adaptation_list.html", found, rows, may_propose=bool(access.may_propose_adaptation(request.user))
    )


@require_safe
def adaptation_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_mechanism)
    head = [
        _("title"), _("proposed on"), _("proposed by"), _("step"), _("state"), _("decided on"),
        _("reason of the decision"), _("in place since"), _("measured by"), _("before"), _("afterwards"),
        _("effect checked on"), _("what the effect was"),
    ]  # fmt: skip
    rows = _filter(request).ordered().select_related("proposed_for", "step")

    def row(one: Adaptation) -> list[Any]:
        effect = effect_of(one, request.user)
        return [
            str(one.title), one.proposed_on, str(one.proposed_for.name) if one.proposed_for else "", str(one.step or ""),
            one.get_state_display(), one.decided_on, one.decision_note, one.in_place_on, one.get_measure_display(),
            effect.before, effect.afterwards, one.effect_checked_on, one.effect_note,
        ]  # fmt: skip

    return as_file(request, "adaptations", head, rows, row)


def _adaptation(request: SignedInRequest, pk: uuid.UUID) -> Adaptation:
    require(request.user.sees_mechanism)
    return get_object_or_404(
        Adaptation.objects.visible_to(request.user).select_related(
            "step", "proposed_for", "proposed_by", "meeting", "decision", "version"
        ),
        pk=pk,
    )


@require_safe
def adaptation_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one, user = _adaptation(request, pk), request.user
    keeps = bool(access.may_keep_mechanism(user))
    linked = Deviation.objects.visible_to(user).filter(adaptations=one.pk)
    all_linked = one.deviations.count()
    shown = told(for_list(linked).order_by("-found_on", "pk"), user)
    today = timezone.localdate()
    is_due = one.state == AdaptationState.IN_PLACE and one.effect_checked_on is None
    return render(
        request,
        "nrm/adaptation_detail.html",
        {
            "one": one,
            "proposal": written_in(one.proposal, one.language),
            "evidence": written_in(one.evidence, one.language),
            "deviations": shown,
            "is_more_linked": all_linked > len(shown),
            "effect": effect_of(one, user),
            "meeting": Meeting.objects.visible_to(user).filter(pk=one.meeting_id).first() if one.meeting_id else None,
            "decision": Decision.objects.visible_to(user).filter(pk=one.decision_id).first()
            if one.decision_id
            else None,
            "may_edit": bool(access.may_edit_adaptation(user, one)),
            "may_lay": keeps and one.state == AdaptationState.PROPOSED,
            "may_decide": bool(access.may_decide_adaptation(user)) and one.state == AdaptationState.PROPOSED,
            "may_put": keeps and one.state == AdaptationState.AGREED,
            "may_check": keeps and is_due and one.effect_due_on is not None and one.effect_due_on <= today,
            "waits_for_effect": is_due,
            "history": history_of(one) if access.sees_all_cases(user) else None,
        },
    )


def _asked_for(request: SignedInRequest) -> list[uuid.UUID]:
    """The deviation on whose page the proposal was begun; the form offers it if it is open and the reader sees it."""
    try:
        return [uuid.UUID(request.GET.get("deviation", ""))]
    except ValueError:
        return []


@require_http_methods(["GET", "POST"])
def adaptation_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_propose_adaptation(request.user))
    form = AdaptationForm(request.POST or None, user=request.user, initial={"deviations": _asked_for(request)})
    return form_page(
        request,
        form,
        lambda: actions.propose(
            form.cleaned_data["key"],
            form.values(),
            by=request.user,
            proposed_for=form.cleaned_data.get("proposed_for"),
            deviations=form.cleaned_data["deviations"],
        ),
        title=_("Propose to adapt the mechanism"),
        cancel_url=reverse("nrm:adaptation-list"),
        done=_("The proposal is on record."),
        submit=_("Propose"),
    )


@require_http_methods(["GET", "POST"])
def adaptation_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _adaptation(request, pk)
    require(access.may_edit_adaptation(request.user, one))
    form = AdaptationForm(request.POST or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.change(
            one, form.values(), by=request.user, deviations=form.cleaned_data["deviations"], **form.said("revision")
        ),
        title=_("Change the proposal"),
        cancel_url=one.get_absolute_url(),
        done=_("The proposal is on record."),
    )


@require_http_methods(["GET", "POST"])
def adaptation_lay(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _adaptation(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = LayForm(request.POST or None, user=request.user, adaptation=one)
    return form_page(
        request,
        form,
        lambda: actions.lay_before(one, form.cleaned_data["meeting"], by=request.user),
        title=_("Lay before a meeting"),
        lead=_("The agenda of that meeting then offers the proposal."),
        cancel_url=one.get_absolute_url(),
        done=_("It is on record which meeting decides the proposal."),
    )


@require_http_methods(["GET", "POST"])
def adaptation_decide(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _adaptation(request, pk)
    require(access.may_decide_adaptation(request.user))
    form = DecideForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.decide(
            one, by=request.user, **form.said("is_agreed", "decision", "decided_on", "decision_note")
        ),
        title=_("Record the decision"),
        cancel_url=one.get_absolute_url(),
        done=_("The decision is on record."),
    )


@require_http_methods(["GET", "POST"])
def adaptation_step(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _adaptation(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = StepForm(request.POST or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.name_step(one, form.values(), by=request.user, **form.said("revision")),
        title=_("Name the step that is measured"),
        cancel_url=one.get_absolute_url(),
        done=_("The step is on record."),
    )


@require_http_methods(["GET", "POST"])
def adaptation_in_place(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _adaptation(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = InPlaceForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.put_in_place(one, by=request.user, **form.said("in_place_on", "version", "measure", "months")),
        title=_("Record that it is in place"),
        cancel_url=one.get_absolute_url(),
        done=_("It is in place. The value before is on record; the effect is measured when the months are over."),
    )


@require_http_methods(["GET", "POST"])
def adaptation_effect(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _adaptation(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = EffectForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.record_effect(one, by=request.user, **form.said("effect_note")),
        title=_("Record the effect"),
        lead=_("The value afterwards is computed from the clocks of the step when you save."),
        cancel_url=one.get_absolute_url(),
        done=_("The effect is on record."),
    )
