"""Deviations from the SOP: what the rules and people found, its correction and its check."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import deviations as actions
from nrm.forms.oversight import CheckForm, CloseForm, CorrectionForm, DeviationForm, DoneForm, ReopenForm
from nrm.models import Adaptation, Deviation, DeviationSource, DeviationState
from nrm.problems import RULES
from nrm.queries.deviations import for_list, may_of, told
from nrm.views.reading import act_page, case_to
from onatc import exports
from onatc.errors import require
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders.accounts import SignedInRequest
from stakeholders.models import ActionPoint
from stakeholders.views.records import choices_of, form_page, list_page


def _filter(request: SignedInRequest) -> RegisterFilter:
    visible = Deviation.objects.visible_to(request.user)
    waits = Q(state__in=(DeviationState.OPEN, DeviationState.CORRECTING))
    today = timezone.localdate()
    due = {
        "overdue": waits & Q(due_on__lt=today),
        "soon": waits & Q(due_on__gte=today, due_on__lte=today + actions.REMIND_BEFORE),
        "none": waits & Q(due_on__isnull=True),
    }
    return RegisterFilter(
        request.GET,
        visible,
        selects={
            "state": (_("State"), list(DeviationState.choices)),
            "rule": (_("Rule"), [(one.key, one.title) for one in RULES.values()]),
            "institution": (_("Institution"), choices_of(visible, "institution")),
            "source": (_("How it was found"), list(DeviationSource.choices)),
            "about": (_("About"), [("pattern", _("an institution")), ("case", _("one case"))]),
            "due": (
                _("Correction"),
                [("overdue", _("overdue")), ("soon", _("due within a week")), ("none", _("no day yet"))],
            ),
        },
        narrow={
            "state": "state",
            "rule": "rule",
            "institution": "institution",
            "source": "source",
            "about": lambda value: Q(case__isnull=value == "pattern"),
            "due": lambda value: due[value],
        },
        counted="state",
        searched=("what", "action", "institution__short"),
        sorts={"found": "found_on", "due": "due_on", "institution": "institution__code", "state": "state"},
        usual="-found",
    )


@require_safe
def deviation_list(request: SignedInRequest) -> HttpResponse:
    require(access.may_see_deviations(request.user))
    found, user = _filter(request), request.user
    return list_page(
        request,
        "nrm/deviation_list.html",
        found,
        for_list(found.ordered()),
        prepare=lambda rows: told(rows, user),
        overdue=Deviation.objects.visible_to(user).overdue().count(),
        may_record=bool(access.may_record_deviation(user)),
    )


@require_safe
def deviation_export(request: SignedInRequest) -> HttpResponseBase:
    require(access.may_see_deviations(request.user))
    head = [
        _("found on"), _("how it was found"), _("rule"), _("case"), _("institution"), _("municipality"), _("step"),
        _("what was found"), _("cause"), _("cause in words"), _("corrective action"), _("to be corrected by"),
        _("overdue"), _("corrected on"), _("what was done"), _("checked on"), _("what the check found"), _("state"),
    ]  # fmt: skip
    rows = for_list(_filter(request).ordered())[:10_000]

    def row(one: Any) -> list[Any]:
        return [
            one.found_on, one.get_source_display(), str(one.rule_title), str(one.shown_case or ""),
            str(one.institution.name), str(one.municipality.name) if one.municipality else "", str(one.step or ""),
            str(one.said), one.get_cause_display(), one.cause_note, one.action, one.due_on,
            _("yes") if one.is_overdue else "", one.done_on, one.done_note, one.checked_on, one.check_note,
            one.get_state_display(),
        ]  # fmt: skip

    return exports.as_file(
        "deviations", head, map(row, told(rows, request.user)), form=request.GET.get("format", ""), to=request.user,
        of=request.user,
    )  # fmt: skip


@require_safe
def problem_rules(request: SignedInRequest) -> HttpResponse:
    """The published rules with their words, and how many of what they found is open."""
    require(access.may_see_deviations(request.user))
    visible = Deviation.objects.visible_to(request.user).open().exclude(rule="").order_by()
    counts = dict(visible.values_list("rule").annotate(Count("pk")))
    rules = [(one, counts.get(one.key, 0)) for one in RULES.values()]
    return render(request, "nrm/problem_rules.html", {"rules": rules})


def _deviation(request: SignedInRequest, pk: uuid.UUID) -> Deviation:
    require(access.may_see_deviations(request.user))
    return get_object_or_404(
        for_list(Deviation.objects.visible_to(request.user)).select_related(
            "point", "recorded_by", "done_by", "closed_by"
        ),
        pk=pk,
    )


@require_safe
def deviation_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    user = request.user
    one: Any = told([_deviation(request, pk)], user)[0]
    sees_all = access.sees_figures_of(user, one)
    point = ActionPoint.objects.visible_to(user).filter(pk=one.point_id).first() if one.point_id else None
    return render(
        request,
        "nrm/deviation_detail.html",
        {
            "one": one,
            "point": point,
            "rule": RULES.get(one.rule),
            "adaptations": Adaptation.objects.visible_to(user).filter(deviations=one.pk),
            "may_propose": bool(access.may_propose_adaptation(user)),
            "history": history_of(one) if sees_all and user.is_office else None,
            **may_of(one, user),
        },
    )


@require_http_methods(["GET", "POST"])
def deviation_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_record_deviation(request.user))
    form = DeviationForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.record(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Record a deviation"),
        lead=_("What is about one case is recorded on the page of the case."),
        cancel_url=reverse("nrm:deviation-list"),
        done=_("The deviation is on record."),
    )


@require_http_methods(["GET", "POST"])
def case_deviation(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_to(request, marker, access.may_record_deviation)
    form = DeviationForm(
        request.POST or None, user=request.user, instance=Deviation(institution=case.responsible), initial={}
    )
    return act_page(
        request,
        case,
        form,
        lambda: actions.record(form.cleaned_data["key"], form.values(), by=request.user, case=case),
        title=_("Record a deviation"),
        done=_("The deviation is on record."),
    )


@require_http_methods(["GET", "POST"])
def deviation_correct(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _deviation(request, pk)
    require(access.may_steer_deviation(request.user, one))
    form = CorrectionForm(request.POST or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.correct(one, form.values(), by=request.user, **form.said("revision")),
        title=_("State cause and correction"),
        lead=str(told([one], request.user)[0].said),  # type: ignore[attr-defined]
        cancel_url=one.get_absolute_url(),
        done=_("The correction is on record, and the institution is told."),
    )


@require_http_methods(["GET", "POST"])
def deviation_done(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _deviation(request, pk)
    require(access.may_report_correction(request.user, one))
    form = DoneForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.report_done(one, by=request.user, **form.said("done_on", "done_note")),
        title=_("Report that it is corrected"),
        lead=one.action,
        cancel_url=one.get_absolute_url(),
        done=_("It is on record. The office checks it."),
    )


@require_http_methods(["GET", "POST"])
def deviation_check(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _deviation(request, pk)
    require(access.may_steer_deviation(request.user, one))
    form = CheckForm(request.POST or None)
    return form_page(
        request,
        form,
        lambda: actions.check(one, by=request.user, **form.said("is_corrected", "check_note", "due_on")),
        title=_("Check the correction"),
        lead=one.done_note,
        cancel_url=one.get_absolute_url(),
        done=_("The check is on record."),
    )


@require_http_methods(["GET", "POST"])
def deviation_close(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _deviation(request, pk)
    require(access.may_steer_deviation(request.user, one))
    form = CloseForm(request.POST or None, deviation=one)
    return form_page(
        request,
        form,
        lambda: actions.close_without_correction(one, by=request.user, **form.said("cause", "check_note")),
        title=_("Close without a correction"),
        lead=_("For what was no deviation after all, or what nobody can correct."),
        cancel_url=one.get_absolute_url(),
        done=_("The deviation is closed."),
        submit=_("Close"),
    )


@require_http_methods(["GET", "POST"])
def deviation_reopen(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _deviation(request, pk)
    require(access.may_steer_deviation(request.user, one))
    form = ReopenForm(request.POST or None, deviation=one)
    return form_page(
        request,
        form,
        lambda: actions.reopen(
            one, by=request.user, reason=form.cleaned_data["reason"], due_on=form.cleaned_data.get("due_on")
        ),
        title=_("Open it again"),
        cancel_url=one.get_absolute_url(),
        done=_("The deviation is open again."),
    )
