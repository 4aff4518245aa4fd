"""What is due in cases: the list of clocks, and the acts on one clock."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import procedure as actions
from nrm.forms.sop import ReasonForm
from nrm.models import Case, Clock, ClockState, SopState, SopStep
from nrm.queries.cases import in_words
from nrm.queries.clocks import open_clocks, step_choices
from nrm.views.reading import case_of
from onatc.errors import require
from onatc.models import Municipality
from onatc.registers import RegisterFilter
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution
from stakeholders.views.records import as_file, confirm_page, form_page, list_page


def _found(request: SignedInRequest) -> RegisterFilter:
    require(request.user.sees_cases)
    user, now = request.user, timezone.now()
    rows = open_clocks(user)
    institutions = Institution.objects.visible_to(user).filter(dissolved_on__isnull=True)
    places = Municipality.objects.all()
    steps = SopStep.objects.visible_to(user).filter(version__state=SopState.ADOPTED)
    late = Q(state=ClockState.RUNNING, due_at__lt=now)
    asked = {
        "late": late,
        "soon": Q(state=ClockState.RUNNING, due_at__gte=now, due_at__lt=now + timedelta(days=3)),
        "undated": Q(due_at__isnull=True),
    }
    own = [("own", _("owed by my institution"))] if user.institution_ids else []
    return RegisterFilter(
        request.GET,
        rows,
        selects={
            "state": (_("State"), [(ClockState.RUNNING, _("running")), (ClockState.PAUSED, _("paused"))]),
            "due": (
                _("Show"),
                [("late", _("late")), ("soon", _("due within three days")), ("undated", _("without a day yet")), *own],
            ),
            "step": (_("Step"), step_choices(steps)),
            "institution": (
                _("Institution"),
                [(one.pk, str(one.name)) for one in institutions.order_by(SortKey("name"))],
            ),
            "municipality": (_("Municipality"), [(one.pk, str(one)) for one in places.order_by(SortKey("name"))]),
        },
        narrow={
            "state": "state",
            "due": lambda value: asked[value] if value in asked else Q(owner__in=user.institution_ids),
            "step": "step__lineage",
            "institution": "owner",
            "municipality": "case__municipality",
        },
        counted="state",
        sorts={"due": "due_at", "step": "step__number", "institution": "owner__code", "started": "started_at"},
        usual="due",
    )


READ_WITH = ("case__responsible", "case__municipality", "step", "owner")


@require_safe
def clock_list(request: SignedInRequest) -> HttpResponse:
    """What is due first stands first, so that what is late is on top."""
    found = _found(request)
    now = timezone.now()

    def prepare(keys: Any) -> list[Any]:
        rows: Any = Clock.objects.visible_to(request.user).select_related(*READ_WITH)
        by_key = {one.pk: one for one in rows.filter(pk__in=list(keys))}
        shown = [by_key[key] for key in keys if key in by_key]
        for one in shown:
            one.when = in_words(one.due_at, now) if one.due_at is not None else ""
        return shown

    return list_page(request, "nrm/clock_list.html", found, found.keys(), prepare=prepare)


@require_safe
def clock_export(request: SignedInRequest) -> HttpResponseBase:
    found = _found(request)
    head = [
        pgettext("nrm", "case"),
        _("step"),
        _("started"),
        _("due"),
        _("state"),
        _("late"),
        _("owed by"),
        _("municipality"),
    ]

    def row(one: Clock) -> list[Any]:
        return [
            str(one.case), str(one.step), timezone.localtime(one.started_at).replace(tzinfo=None),
            timezone.localtime(one.due_at).replace(tzinfo=None) if one.due_at else None, one.get_state_display(),
            _("yes") if one.is_late else _("no"), str(one.owner.name) if one.owner else "",
            str(one.case.municipality or ""),
        ]  # fmt: skip

    return as_file(request, "deadlines", head, found.ordered().select_related(*READ_WITH), row)


# Acts on one clock


def _clock(request: SignedInRequest, marker: str, pk: uuid.UUID) -> tuple[Case, Clock]:
    case = case_of(request, marker)
    found = Clock.objects.visible_to(request.user).filter(case=case).select_related("step")
    return case, get_object_or_404(found, pk=pk)


def _reason_page(
    request: SignedInRequest, case: Case, clock: Any, act: Callable[[str], Any], *, title: str, done: str, submit: str
) -> HttpResponse:
    form = ReasonForm(request.POST or None)

    def run() -> Case:
        act(form.cleaned_data["reason"])
        return case

    return form_page(
        request, form, run, title=title, lead=str(clock), cancel_url=case.get_absolute_url(), done=done, submit=submit
    )


@require_http_methods(["GET", "POST"])
def clock_pause(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case, clock = _clock(request, marker, pk)
    require(access.may_pause(request.user, case, clock.step))
    return _reason_page(
        request, case, clock.step, lambda reason: actions.pause(clock, by=request.user, reason=reason),
        title=_("Let the clock stand still"), done=_("The clock stands still."), submit=_("Pause"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def clock_resume(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case, clock = _clock(request, marker, pk)
    require(access.may_pause(request.user, case, clock.step))

    def act() -> None:
        actions.resume(clock, by=request.user)

    return confirm_page(
        request, act, title=_("Let the clock go on"),
        question=_("The limit moves by the time that the clock stood still. Go on?"), label=_("Let it go on"), back=case,
        done=_("The clock goes on."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def clock_set_aside(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case, clock = _clock(request, marker, pk)
    require(access.may_record(request.user, case))
    return _reason_page(
        request, case, clock.step, lambda reason: actions.set_aside(clock, by=request.user, reason=reason),
        title=_("The step does not apply"), done=_("It is on record that the step does not apply."), submit=_("Save"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def clock_take_up(request: SignedInRequest, marker: str, pk: uuid.UUID) -> HttpResponse:
    case, clock = _clock(request, marker, pk)
    require(access.may_record(request.user, case))

    def act() -> None:
        actions.take_up(clock, by=request.user)

    return confirm_page(
        request, act, title=_("The step applies after all"),
        question=_("Its clock runs as if it had never been set aside. Go on?"), label=_("Take it up again"), back=case,
        done=_("The clock runs again."),
    )  # fmt: skip
