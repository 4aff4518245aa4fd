"""The SOP in the browser: its versions and steps, trials of a draft on past cases, the adoption, and competences."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import sop as actions
from nrm.forms.sop import AdoptForm, CompetenceForm, EndCompetenceForm, StepForm, TrialForm, VersionForm
from nrm.models import Competence, Function, SopState, SopStep, SopTrial, SopVersion
from nrm.queries.sop import (
    conditions_of,
    differences,
    events_in_words,
    functions_in_words,
    limit_of,
    tell_cases,
    told_before,
    trial_rows,
)
from onatc.dated_settings import SettingName, setting
from onatc.errors import proof_required, require
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import choose, column_of
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import choices_of, confirm_page, form_page, list_page


def _version(request: SignedInRequest, pk: uuid.UUID) -> SopVersion:
    require(request.user.sees_mechanism)
    return get_object_or_404(SopVersion.objects.visible_to(request.user).select_related("decision", "based_on"), pk=pk)


@require_safe
def sop_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    versions = SopVersion.objects.visible_to(request.user)
    in_force = versions.in_force(timezone.localdate())
    rows = versions.annotate(step_count=Count("steps")).select_related("decision").order_by("-number")
    has_draft = any(one.state == SopState.DRAFT for one in rows)
    return render(
        request,
        "nrm/sop_list.html",
        {
            "rows": rows,
            "in_force": in_force,
            "may_draft": bool(access.may_keep_mechanism(request.user)) and not has_draft,
        },
    )


def _steps(version: SopVersion) -> list[dict[str, Any]]:
    return [
        {
            "step": one,
            "limit": limit_of(one),
            "trigger": events_in_words([one.trigger]),
            "met_by": events_in_words(one.met_by),
            "actors": functions_in_words(one.actors),
            "may_pause": functions_in_words(one.may_pause),
            "conditions": "; ".join(conditions_of(one)),
        }
        for one in version.steps.all()
    ]


@require_safe
def sop_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version, user = _version(request, pk), request.user
    is_draft = version.state == SopState.DRAFT
    may_edit = is_draft and bool(access.may_keep_mechanism(user))
    steps = _steps(version)
    trials = list(SopTrial.objects.visible_to(user).filter(version=version).select_related("tried_by")[:10])
    return render(
        request,
        "nrm/sop_detail.html",
        {
            "version": version,
            "steps": steps,
            "confirmed": sum(one["step"].is_confirmed for one in steps),
            "is_draft": is_draft,
            "is_in_force": SopVersion.objects.visible_to(user).in_force(timezone.localdate()) == version,
            "may_edit": may_edit,
            "may_adopt": is_draft and bool(access.may_adopt_sop(user)),
            "trials": trials,
            "history": history_of(version),
        },
    )


@require_http_methods(["GET", "POST"])
def sop_draft(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    base = SopVersion.objects.visible_to(request.user).in_force(timezone.localdate())
    form = VersionForm(request.POST or None, user=request.user)
    if base is not None and request.method == "GET":
        form.initial.update({name: getattr(base, name) for name in ("title_sq", "title_sr", "title_en")})
    return form_page(
        request,
        form,
        lambda: actions.draft_version(form.cleaned_data["key"], form.values(), by=request.user)[0],
        title=_("Write a new version of the SOP"),
        lead=_("It begins with the steps of the version in force. Nothing changes until it is adopted."),
        cancel_url=reverse("nrm:sop-list"),
        done=_("The draft is there. Change its steps, and try them on past cases."),
        submit=_("Begin the draft"),
    )


@require_http_methods(["GET", "POST"])
def sop_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _version(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = VersionForm(request.POST or None, user=request.user, instance=version)
    return form_page(
        request,
        form,
        lambda: actions.change_version(version, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=_("Change the title of the version"),
        cancel_url=version.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def sop_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _version(request, pk)
    require(access.may_keep_mechanism(request.user))

    def act() -> Any:
        actions.discard_draft(version, by=request.user)
        return reverse("nrm:sop-list")

    return confirm_page(
        request, act, title=str(version), question=_("The draft goes with its steps and trials. Discard it?"),
        label=_("Discard the draft"), back=version, done=_("The draft was discarded."), is_grave=True,
    )  # fmt: skip


@require_safe
def sop_compare(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """With the version it is based on, or the one that `?with=` names."""
    version = _version(request, pk)
    others = list(SopVersion.objects.visible_to(request.user).exclude(pk=version.pk).order_by("-number"))
    asked = request.GET.get("with", "")
    other = next((one for one in others if str(one.pk) == asked), None)
    if other is None:
        other = next((one for one in others if one.pk == version.based_on_id), others[0] if others else None)
    return render(
        request,
        "nrm/sop_compare.html",
        {
            "version": version,
            "other": other,
            "others": others,
            "differences": differences(other, version) if other is not None else [],
        },
    )


@require_http_methods(["GET", "POST"])
def step_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _version(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = StepForm(request.POST or None, user=request.user, instance=SopStep(version=version))
    return form_page(
        request,
        form,
        lambda: actions.add_step(form.cleaned_data["key"], version, form.values(), by=request.user)[0].version,
        title=_("Add a step"),
        lead=str(version),
        cancel_url=version.get_absolute_url(),
        done=_("The step was added."),
    )


def _step(request: SignedInRequest, pk: uuid.UUID) -> SopStep:
    require(access.may_keep_mechanism(request.user))
    return get_object_or_404(SopStep.objects.visible_to(request.user).select_related("version"), pk=pk)


@require_http_methods(["GET", "POST"])
def step_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    step = _step(request, pk)
    form = StepForm(request.POST or None, user=request.user, instance=step)
    return form_page(
        request,
        form,
        lambda: (
            actions.change_step(step, form.values(), by=request.user, revision=form.cleaned_data["revision"]).version
        ),
        title=str(step),
        lead=str(step.version),
        cancel_url=step.version.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def step_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    step = _step(request, pk)
    return confirm_page(
        request, lambda: actions.remove_step(step, by=request.user), title=str(step),
        question=_("From the day on which this version holds the step is owed no more. Take it out of the draft?"),
        label=_("Take it out"), back=step.version, done=_("The step was taken out."), is_grave=True,
    )  # fmt: skip


# Trials and the adoption


@require_http_methods(["GET", "POST"])
def sop_trial(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _version(request, pk)
    require(access.may_keep_mechanism(request.user))
    form = TrialForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.try_on_past_cases(
            version, by=request.user, from_day=form.cleaned_data["from_day"], to_day=form.cleaned_data["to_day"]
        ),
        title=_("Try the draft on past cases"),
        lead=_("The clocks of these cases are computed as if the draft had held. No case changes."),
        cancel_url=version.get_absolute_url(),
        done=_("The trial was begun. Its result stands on the page of the draft."),
        submit=_("Begin the trial"),
    )


@require_safe
def trial_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(request.user.is_office)
    trial = get_object_or_404(SopTrial.objects.visible_to(request.user).select_related("version", "tried_by"), pk=pk)
    is_raw = access.sees_all_cases(request.user)
    threshold = setting(SettingName.SMALL_COUNT, timezone.localdate())
    column = column_of(get_language())
    told = None if is_raw else told_before(trial, request.user, threshold)
    rows = trial_rows(
        trial.result, lambda one: choose({name: one[f"name_{name}"] for name in ("sq", "sr", "en")}, column), told
    )
    cases = trial.cases if told is None else tell_cases(trial.cases, told)
    return render(
        request,
        "nrm/trial_detail.html",
        {
            "trial": trial,
            "rows": rows,
            "cases": cases,
            "is_protected": not is_raw,
            "threshold": threshold,
            "is_old": trial.revision_tried != trial.version.revision,
        },
    )


@require_http_methods(["GET", "POST"])
@proof_required
def sop_adopt(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _version(request, pk)
    require(access.may_adopt_sop(request.user))
    if version.state == SopState.ADOPTED and request.method == "GET":
        messages.info(request, _("This version is adopted already."))
        return redirect(version)
    form = AdoptForm(request.POST or None, user=request.user, version=version)
    tried = SopTrial.objects.visible_to(request.user).filter(version=version, revision_tried=version.revision).exists()
    return form_page(
        request,
        form,
        lambda: actions.adopt(
            version,
            by=request.user,
            **form.said("revision", "in_force_from", "adopted_on", "decision", "decision_reference"),
        ),
        title=_("Adopt the version"),
        lead=_(
            "From that day on it holds for what happens then, and it never changes again. Clocks that run keep their rule."
        )
        if tried
        else _("This wording was not tried on past cases yet. From its day on it holds, and it never changes again."),
        cancel_url=version.get_absolute_url(),
        done=_("The version is adopted."),
        submit=_("Adopt it"),
        is_grave=True,
    )


# Competences


@require_safe
def competence_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    rows = Competence.objects.visible_to(request.user)
    today = timezone.localdate()
    found = RegisterFilter(
        request.GET,
        rows,
        selects={
            "function": (_("Function"), list(Function.choices)),
            "institution": (_("Institution"), choices_of(rows, "institution")),
            "when": (_("Show"), [("now", _("in force today")), ("over", _("over"))]),
        },
        narrow={
            "function": "function",
            "institution": "institution",
            "when": lambda value: _in_force(today) if value == "now" else ~_in_force(today),
        },
        counted="function",
        searched=("institution__short",),
        sorts={"function": "function", "institution": "institution__code"},
        usual="function",
    )
    return list_page(
        request,
        "nrm/competence_list.html",
        found,
        found.ordered().select_related("institution", "municipality"),
        may_edit=bool(access.may_keep_mechanism(request.user)),
        today=today,
    )


def _in_force(day: Any) -> Any:
    return (Q(starts_on__isnull=True) | Q(starts_on__lte=day)) & (Q(ends_on__isnull=True) | Q(ends_on__gte=day))


@require_http_methods(["GET", "POST"])
def competence_add(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    form = CompetenceForm(request.POST or None, user=request.user)

    def act() -> str:
        actions.add_competence(form.cleaned_data["key"], form.values(), by=request.user)
        return reverse("nrm:competence-list")

    return form_page(
        request, form, act, title=_("Add a competence"), cancel_url=reverse("nrm:competence-list"), done=_("Saved."),
        lead=_("Who has a function owes the steps that name it, in cases of the municipality."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def competence_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_keep_mechanism(request.user))
    found = Competence.objects.visible_to(request.user).select_related("institution")
    competence = get_object_or_404(found, pk=pk)
    form = EndCompetenceForm(request.POST or None)

    def act() -> str:
        actions.end_competence(competence, by=request.user, ends_on=form.cleaned_data["ends_on"])
        return reverse("nrm:competence-list")

    return form_page(
        request, form, act, title=_("End the competence"), lead=str(competence),
        cancel_url=reverse("nrm:competence-list"), done=_("Saved."),
    )  # fmt: skip
