"""Pages on which strategies and plans are created and drafts are written."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, require
from onatc.history import history_of
from stakeholders.accounts import SignedInRequest
from strategy import access
from strategy.actions import drafts as actions
from strategy.actions.plan import obstacles
from strategy.forms.drafts import HeadingForm, MeasureForm, MergeForm, PlanForm, RevisedForm, SplitForm, StrategyForm
from strategy.models import Goal, Measure, Objective, Plan, PlanVersion, Strategy
from strategy.queries.drafts import why_closed

PAGE_SIZE = 50


def _edit(request: SignedInRequest, form: RevisedForm, title: str, cancel_url: str, **context: Any) -> HttpResponse:
    template = context.pop("template", "strategy/draft_form.html")
    return render(request, template, {"form": form, "title": title, "cancel_url": cancel_url, **context})


# Strategies and plans


@require_safe
def strategy_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    plans = Prefetch("plans", Plan.objects.visible_to(request.user).order_by("kind", "-starts_on", "code"))
    strategies = Strategy.objects.visible_to(request.user).prefetch_related(plans)
    page = Paginator(strategies, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request, "strategy/strategy_list.html", {"page": page, "may_plan": bool(access.may_plan(request.user))}
    )


@require_http_methods(["GET", "POST"])
def strategy_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_plan(request.user))
    return _strategy(request, None, _("New strategy"))


@require_http_methods(["GET", "POST"])
def strategy_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    strategy = get_object_or_404(Strategy.objects.visible_to(request.user), pk=pk)
    require(access.may_plan(request.user))
    return _strategy(request, strategy, _("Edit the strategy"), history=history_of(strategy))


def _strategy(request: SignedInRequest, strategy: Strategy | None, title: str, **context: Any) -> HttpResponse:
    form = StrategyForm(request.POST or None, record=strategy)
    back = reverse("strategy:strategy-list")
    if (
        request.method == "POST"
        and form.is_valid()
        and form.attempt(lambda: actions.save_strategy(strategy, by=request.user, **form.cleaned_data))
    ):
        messages.success(request, _("The strategy is saved."))
        return redirect(back)
    return _edit(request, form, title, back, **context)


@require_http_methods(["GET", "POST"])
def plan_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_plan_locally(request.user))
    form = PlanForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        plan = form.attempt(lambda: actions.create_plan(by=request.user, **form.values()))
        if plan is not None:
            messages.success(request, _("The plan is there, with an empty draft."))
            return redirect("strategy:draft-detail", plan.versions.get().pk)
    return _edit(request, form, _("New plan"), reverse("strategy:plan-list"))


def _plan(request: SignedInRequest, pk: uuid.UUID) -> Plan:
    plans = Plan.objects.visible_to(request.user).select_related("municipality", "owner")
    return get_object_or_404(plans, pk=pk)


@require_http_methods(["GET", "POST"])
def plan_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan = _plan(request, pk)
    require(access.may_draft(request.user, plan))
    form = PlanForm(request.POST or None, user=request.user, record=plan)
    if request.method == "POST" and form.is_valid():

        def save() -> bool:
            revision = form.cleaned_data["revision"]
            actions.edit_plan(plan, by=request.user, revision=revision, **form.values())
            return True

        if form.attempt(save):
            messages.success(request, _("The plan is saved."))
            return redirect(plan)
    return _edit(request, form, _("Edit the plan"), plan.get_absolute_url(), history=history_of(plan))


@require_http_methods(["GET", "POST"])
def plan_amend(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask first, then begin a draft from the version in force."""
    plan = _plan(request, pk)
    require(access.may_draft(request.user, plan))
    if request.method == "POST":
        try:
            draft = actions.start_draft(plan, by=request.user)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(plan)
        messages.success(
            request, _("The draft holds what is in force. What you change in it holds once it is adopted.")
        )
        return redirect("strategy:draft-detail", draft.pk)
    return _confirm(
        request, _("Begin a draft"),
        _("A new draft of “%(plan)s” begins with everything that the version in force says. Begin it?")
        % {"plan": plan.title},
        _("Begin a draft"), plan.get_absolute_url(),
    )  # fmt: skip


def _confirm(
    request: SignedInRequest, title: str, question: str, label: str, cancel_url: str, is_grave: bool = False
) -> HttpResponse:
    context = {
        "title": title,
        "question": question,
        "confirm_label": label,
        "cancel_url": cancel_url,
        "is_grave": is_grave,
    }
    return render(request, "pages/confirm.html", context)


# A draft


def _version(request: SignedInRequest, pk: Any) -> PlanVersion:
    """A version that the reader sees and may draft."""
    versions = PlanVersion.objects.visible_to(request.user).select_related("plan__municipality", "plan__strategy")
    version = get_object_or_404(versions, pk=pk)
    require(access.may_draft(request.user, version.plan))
    return version


def _draft_url(version: PlanVersion, place: Any = None) -> str:
    return reverse("strategy:draft-detail", args=[version.pk]) + (f"#{place}" if place else "")


@require_safe
def draft_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The draft as a tree, with what can be done at each place."""
    version = _version(request, pk)
    measures = Measure.objects.visible_to(request.user).select_related("lead").order_by("position")
    goals = Goal.objects.filter(version=version).prefetch_related(
        Prefetch("objectives", Objective.objects.prefetch_related(Prefetch("measures", measures)))
    )
    return render(
        request,
        "strategy/draft_detail.html",
        {
            "version": version,
            "plan": version.plan,
            "goals": goals,
            "why_closed": why_closed(version),
            "obstacles": obstacles(version) if version.is_draft else [],
            "may_adopt": bool(access.may_adopt(request.user, version)),
        },
    )


@require_http_methods(["GET", "POST"])
def draft_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _version(request, pk)
    if request.method == "POST":
        try:
            actions.discard_draft(version, by=request.user)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(_draft_url(version))
        messages.success(request, _("The draft is discarded."))
        return redirect(version.plan)
    count = version.measures.count()
    question = ngettext(
        "The draft of “%(plan)s” with its %(count)d measure is put away for good. What is in force stays. Discard it?",
        "The draft of “%(plan)s” with its %(count)d measures is put away for good. What is in force stays. Discard it?",
        count,
    ) % {"count": count, "plan": version.plan.title}
    return _confirm(request, _("Discard the draft"), question, _("Discard"), _draft_url(version), is_grave=True)


KINDS: dict[str, Any] = {"goal": Goal, "objective": Objective, "measure": Measure}


@require_POST
def draft_order(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Move what `kind` and `record` name one place up or down."""
    version = _version(request, pk)
    record = _record(request, request.POST.get("kind", ""), request.POST.get("record", ""), version)
    try:
        actions.shift(record, by=request.user, is_up=request.POST.get("to") == "up")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(_draft_url(version, record.pk))


def _record(request: SignedInRequest, kind: str, key: str, version: PlanVersion) -> Any:
    try:
        pk = uuid.UUID(key)
    except ValueError:
        pk = uuid.UUID(int=0)
    if kind == "goal":
        return get_object_or_404(Goal.objects.filter(version=version), pk=pk)
    if kind == "objective":
        return get_object_or_404(Objective.objects.filter(goal__version=version), pk=pk)
    return get_object_or_404(Measure.objects.visible_to(request.user).filter(version=version), pk=pk)


def _closed(request: SignedInRequest, version: PlanVersion) -> HttpResponse | None:
    """Back to the draft with the reason when nothing can be changed in it; what was sent is not written either."""
    if reason := why_closed(version):
        messages.error(request, reason)
        return redirect(_draft_url(version))
    return None


def _goal(request: SignedInRequest, pk: uuid.UUID) -> tuple[Goal, PlanVersion]:
    seen = PlanVersion.objects.visible_to(request.user).values("pk")
    goal = get_object_or_404(Goal.objects.filter(version__in=seen), pk=pk)
    return goal, _version(request, goal.version_id)


def _objective(request: SignedInRequest, pk: uuid.UUID) -> tuple[Objective, PlanVersion]:
    seen = PlanVersion.objects.visible_to(request.user).values("pk")
    found = Objective.objects.filter(goal__version__in=seen).select_related("goal")
    objective = get_object_or_404(found, pk=pk)
    return objective, _version(request, objective.goal.version_id)


def _measure(request: SignedInRequest, pk: uuid.UUID) -> tuple[Measure, PlanVersion]:
    seen = Measure.objects.visible_to(request.user).select_related("objective__goal", "lead")
    measure = get_object_or_404(seen, pk=pk)
    return measure, _version(request, measure.version_id)


def _heading(
    request: SignedInRequest, version: PlanVersion, form: HeadingForm, title: str, save: Callable[[], Any]
) -> HttpResponse:
    if closed := _closed(request, version):
        return closed
    if request.method == "POST" and form.is_valid():
        saved = form.attempt(save)
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect(_draft_url(version, saved.pk))
    return _edit(request, form, title, _draft_url(version))


@require_http_methods(["GET", "POST"])
def goal_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _version(request, pk)
    form = HeadingForm(request.POST or None)
    return _heading(
        request, version, form, _("New goal"),
        lambda: actions.save_goal(version, None, by=request.user, **form.values()),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def goal_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    goal, version = _goal(request, pk)
    form = HeadingForm(request.POST or None, record=goal)
    return _heading(
        request, version, form, _("Edit the goal"),
        lambda: actions.save_goal(
            version, goal, by=request.user, revision=form.cleaned_data["revision"], **form.values()
        ),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def objective_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    goal, version = _goal(request, pk)
    form = HeadingForm(request.POST or None)
    return _heading(
        request, version, form, _("New objective of “%(goal)s”") % {"goal": goal},
        lambda: actions.save_objective(goal, None, by=request.user, **form.values()),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def objective_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    objective, version = _objective(request, pk)
    goals = {str(one.pk): one for one in Goal.objects.filter(version=version)}
    form = HeadingForm(request.POST or None, record=objective, goals=[(key, str(one)) for key, one in goals.items()])
    return _heading(
        request, version, form, _("Edit the objective"),
        lambda: actions.save_objective(
            goals[form.cleaned_data["goal"]], objective, by=request.user, revision=form.cleaned_data["revision"],
            **form.values(),
        ),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def measure_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    objective, version = _objective(request, pk)
    return _measure_form(request, version, objective, None, _("New measure"))


@require_http_methods(["GET", "POST"])
def measure_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure, version = _measure(request, pk)
    title = _("Edit measure %(code)s") % {"code": measure.code}
    return _measure_form(request, version, measure.objective, measure, title)


def _measure_form(
    request: SignedInRequest,
    version: PlanVersion,
    objective: Objective,
    measure: Measure | None,
    title: str,
) -> HttpResponse:
    if closed := _closed(request, version):
        return closed
    form = MeasureForm(request.POST or None, user=request.user, version=version, objective=objective, record=measure)
    if request.method == "POST" and form.is_valid():
        place = form.objectives[form.cleaned_data["objective"]]
        revision = form.cleaned_data["revision"]
        saved = form.attempt(
            lambda: actions.save_measure(place, measure, by=request.user, revision=revision, **form.values())
        )
        if saved is not None:
            messages.success(request, _("Measure %(code)s is saved.") % {"code": saved.code})
            return redirect(_draft_url(version, saved.pk))
    return _edit(
        request, form, title, _draft_url(version, measure.pk if measure else None),
        template="strategy/draft_measure.html", measure=measure,
    )  # fmt: skip


def _remove(request: SignedInRequest, record: Any, version: PlanVersion, question: str) -> HttpResponse:
    if closed := _closed(request, version):
        return closed
    if request.method == "POST":
        try:
            actions.remove(record, by=request.user)
            messages.success(request, _("Taken out of the draft."))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect(_draft_url(version))
    title = _("Take “%(title)s” out of the draft") % {"title": record}
    return _confirm(request, title, question, _("Take out"), _draft_url(version, record.pk), is_grave=True)


def _with_measures(count: int) -> str:
    return ngettext(
        "%(count)d measure goes with it. The version in force stays as it is. Take it out?",
        "%(count)d measures go with it. The version in force stays as it is. Take it out?",
        count,
    ) % {"count": count}


@require_http_methods(["GET", "POST"])
def goal_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    goal, version = _goal(request, pk)
    count = goal.objectives.aggregate(count=Count("measures"))["count"]
    return _remove(request, goal, version, _with_measures(count))


@require_http_methods(["GET", "POST"])
def objective_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    objective, version = _objective(request, pk)
    return _remove(request, objective, version, _with_measures(objective.measures.count()))


@require_http_methods(["GET", "POST"])
def measure_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure, version = _measure(request, pk)
    question = _("All that belongs to the measure goes with it. The version in force stays as it is. Take it out?")
    return _remove(request, measure, version, question)


@require_http_methods(["GET", "POST"])
def measure_split(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure, version = _measure(request, pk)
    if closed := _closed(request, version):
        return closed
    form = SplitForm(request.POST or None, record=measure)
    if request.method == "POST" and form.is_valid():
        second = form.attempt(lambda: actions.split_measure(measure, by=request.user, **form.values()))
        if second is not None:
            messages.success(request, _("Measure %(code)s was split off.") % {"code": second.code})
            return redirect("strategy:draft-measure-edit", second.pk)
    lead = _("“%(measure)s” goes on under its code. What you name below becomes a measure of its own, with the same lead, partners and dates.") % {"measure": measure}  # fmt: skip
    return _edit(
        request, form, _("Split measure %(code)s") % {"code": measure.code}, _draft_url(version, measure.pk),
        lead=lead, submit=_("Split"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def measure_merge(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure, version = _measure(request, pk)
    if closed := _closed(request, version):
        return closed
    others = Measure.objects.visible_to(request.user).filter(version=version).exclude(pk=measure.pk)
    form = MergeForm(request.POST or None, record=measure, others=others.order_by("position"))
    if request.method == "POST" and form.is_valid():
        other = form.others[form.cleaned_data["other"]]

        def merge() -> bool:
            actions.merge_measures(measure, other, by=request.user)
            return True

        if form.attempt(merge):
            said = _("Measure %(other)s was merged into %(code)s.") % {"other": other.code, "code": measure.code}
            messages.success(request, said)
            return redirect("strategy:draft-measure-edit", measure.pk)
    lead = _("“%(measure)s” goes on; the measure that you choose is taken out of the draft.") % {"measure": measure}
    return _edit(
        request, form, _("Merge another measure into %(code)s") % {"code": measure.code},
        _draft_url(version, measure.pk), lead=lead, submit=_("Merge"),
    )  # fmt: skip
