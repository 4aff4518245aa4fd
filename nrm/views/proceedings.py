"""Criminal proceedings: from a case, on a page of their own, stage by stage."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access, markers
from nrm.actions import proceedings as actions
from nrm.forms.assistance import (
    AccusedForm,
    PartForm,
    ProceedingJoinForm,
    ProceedingOpenForm,
    ProtectionForm,
    StageForm,
)
from nrm.models import Accused, Proceeding, ProceedingStage, ProceedingVictim, ProtectiveMeasure
from nrm.queries.assistance import labels_of
from nrm.views.reading import act_page, case_to, of_case
from onatc.errors import Refused, require
from onatc.history import history_of
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import form_page


def _proceeding(request: SignedInRequest, pk: uuid.UUID) -> Proceeding:
    found = Proceeding.objects.visible_to(request.user).select_related("reported_by")
    return get_object_or_404(found, pk=pk)


@require_http_methods(["GET", "POST"])
def proceeding_open(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_go_on)
    form = ProceedingOpenForm(request.POST or None)
    return act_page(
        request,
        case,
        form,
        lambda: actions.open_proceeding(
            case, form.cleaned_data["key"], by=request.user, **form.said("opened_on", "role")
        ),
        title=_("Record a criminal proceeding"),
        done=_("The proceeding is on record."),
    )


@require_http_methods(["GET", "POST"])
def proceeding_join(request: SignedInRequest, marker: str) -> HttpResponse:
    """By the proceeding's marker, which is told by whoever reported it: any marker that is right may be joined."""
    case = case_to(request, marker, access.may_go_on)
    form = ProceedingJoinForm(request.POST or None)

    def act() -> Any:
        wanted = markers.normalised(form.cleaned_data["marker"])
        if sentence := markers.where(wanted):
            raise Refused(sentence, "marker")
        return actions.join_by_marker(case, wanted, by=request.user, **form.said("on", "role"))

    return act_page(
        request,
        case,
        form,
        act,
        title=_("Link the case to a proceeding"),
        done=_("The case is linked to the proceeding."),
    )


@require_safe
def proceeding_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(request.user.sees_cases)
    proceeding = _proceeding(request, pk)
    stages: list[Any] = list(
        ProceedingStage.objects.visible_to(request.user).filter(proceeding=proceeding).select_related("accused")
    )
    accused: list[Any] = list(Accused.objects.visible_to(request.user).filter(proceeding=proceeding))
    links = ProceedingVictim.objects.visible_to(request.user).filter(proceeding=proceeding).select_related("case")
    labels = labels_of("proceeding_stage", "sex", "age_group")
    for stage in stages:
        stage.stage_name = labels.get(stage.stage, stage.stage)
    for one in accused:
        one.sex_name, one.age_name = labels.get(one.sex, ""), labels.get(one.age_group, "")
    return render(
        request,
        "nrm/proceeding_detail.html",
        {
            "proceeding": proceeding,
            "spoken": markers.spoken(proceeding.marker),
            "stages": stages,
            "accused": accused,
            "links": list(links),
            "history": history_of(proceeding, *stages, *accused),
            "may_keep": bool(access.may_keep_proceeding(request.user, proceeding)),
        },
    )


@require_http_methods(["GET", "POST"])
def stage_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    proceeding = _proceeding(request, pk)
    require(access.may_keep_proceeding(request.user, proceeding))
    form = StageForm(request.POST or None, user=request.user, instance=ProceedingStage(proceeding=proceeding))

    def act() -> Proceeding:
        actions.add_stage(proceeding, form.cleaned_data["key"], form.values(), by=request.user)
        return proceeding

    return form_page(
        request,
        form,
        act,
        title=_("Record a stage"),
        lead=markers.spoken(proceeding.marker),
        cancel_url=proceeding.get_absolute_url(),
        done=_("The stage is on record."),
    )


@require_http_methods(["GET", "POST"])
def accused_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    proceeding = _proceeding(request, pk)
    require(access.may_keep_proceeding(request.user, proceeding))
    form = AccusedForm(request.POST or None, user=request.user, instance=Accused(proceeding=proceeding))

    def act() -> Proceeding:
        actions.add_accused(proceeding, form.cleaned_data["key"], form.values(), by=request.user)
        return proceeding

    return form_page(
        request,
        form,
        act,
        title=_("Add an accused"),
        lead=markers.spoken(proceeding.marker),
        cancel_url=proceeding.get_absolute_url(),
        done=_("The accused is on record."),
    )


@require_http_methods(["GET", "POST"])
def proceeding_part(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    link = of_case(request, ProceedingVictim, pk, access.may_go_on)
    form = PartForm(request.POST or None, link=link)
    return act_page(
        request,
        link.case,
        form,
        lambda: actions.set_part(link, by=request.user, **form.said("role", "has_advocate", "seen")),
        title=_("Part of the person in the proceeding"),
        done=_("The part is on record."),
    )


@require_http_methods(["GET", "POST"])
def protection_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_go_on)
    form = ProtectionForm(request.POST or None, user=request.user, instance=ProtectiveMeasure(case=case))
    return act_page(
        request,
        case,
        form,
        lambda: actions.record_protection(case, form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a protective measure"),
        done=_("The protective measure is on record."),
    )


@require_http_methods(["GET", "POST"])
def protection_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure = of_case(request, ProtectiveMeasure, pk, access.may_go_on)
    form = ProtectionForm(request.POST or None, user=request.user, instance=measure)
    return act_page(
        request,
        measure.case,
        form,
        lambda: actions.change_protection(measure, form.values(), by=request.user, **form.said("revision")),
        title=_("Change what is recorded of the measure"),
        done=_("The protective measure is on record."),
    )
