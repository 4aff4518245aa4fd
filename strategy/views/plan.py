"""Pages of plans, measures and imports."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, Count, Prefetch, Q, When
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc import charts, exports
from onatc.errors import Refused, proof_required, proof_required_to_open, refusals_on, require
from onatc.history import history_of
from onatc.kept import kept_until_change
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution
from strategy import access
from strategy.actions import plan as actions
from strategy.actions.plan import obstacles
from strategy.actions.signals import rule_limits
from strategy.event_measures import events_of
from strategy.filters import MeasureFilter, quarter_of
from strategy.forms.drafts import PlanFilterForm
from strategy.forms.plan import AdoptionForm, ImportForm
from strategy.models import (
    SHOWN_STATES,
    Consultation,
    Goal,
    Measure,
    MeasurePartner,
    MeasureSignal,
    Plan,
    PlanImport,
    PlanKind,
    PlanVersion,
    Signal,
    SignalOverride,
    VersionState,
)
from strategy.queries.cooperation import points_of_measure
from strategy.queries.drafting import proposals_on
from strategy.queries.drafts import serving_of, statuses_of, with_status
from strategy.queries.indicators import shown_indicators
from strategy.queries.measure import depth_of
from strategy.queries.plan import current_plan, shown_version
from strategy.queries.progress import progress_of
from strategy.queries.tree import plan_tree
from strategy.signal import reason_text
from strategy.workbook import new_measures

PAGE_SIZE, PRINTED = 50, 1_000


def page_size(request: SignedInRequest, usual: int = PAGE_SIZE) -> int:
    """Rows of a page of a list; many more when it is asked for in order to be printed."""
    return PRINTED if "print" in request.GET else usual


@require_safe
def plan_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    form = PlanFilterForm(request.GET)
    form.is_valid()
    chosen = {name: value for name, value in form.cleaned_data.items() if value}
    versions = PlanVersion.objects.visible_to(request.user).filter(state__in=SHOWN_STATES).order_by("-number")
    plans = (
        with_status(Plan.objects.visible_to(request.user), request.user, chosen.get("status", ""))
        .filter(**{name: chosen[name] for name in chosen if name == "kind"})
        .select_related("strategy", "owner", "district", "municipality")
        .prefetch_related(Prefetch("versions", versions))
        .annotate(place=Case(*(When(kind=kind, then=n) for n, kind in enumerate(PlanKind.values)), default=9))
        .order_by("place", "-starts_on", "code")
    )
    page = Paginator(plans, page_size(request)).get_page(request.GET.get("page"))
    names = dict(settings.LANGUAGES)
    for plan in page.object_list:
        plan.statuses = statuses_of(plan)  # type: ignore[attr-defined]
        plan.spoken = ", ".join(str(names[code]) for code in plan.languages)  # type: ignore[attr-defined]
    return render(
        request,
        "strategy/plan_list.html",
        {
            "page": page,
            "filter": {"form": form, "is_narrowed": bool(chosen)},
            "may_import": bool(access.may_import(request.user)),
            "may_plan": bool(access.may_plan_locally(request.user)),
        },
    )


def _version(request: SignedInRequest, plan: Plan) -> PlanVersion:
    version = shown_version(plan, request.user, _number(request))
    if version is None:
        raise Http404
    return version


def _number(request: SignedInRequest) -> int | None:
    number = request.GET.get("version", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 5 else None


def filter_choices(request: SignedInRequest, version: PlanVersion) -> dict[str, list[tuple[str, str]]]:
    """The goals of a version and the institutions that take part in it, for a filter to offer."""
    taking_part = Institution.objects.visible_to(request.user).filter(
        Q(pk__in=Measure.objects.filter(version=version).values("lead"))
        | Q(pk__in=MeasurePartner.objects.filter(measure__version=version).values("institution"))
    )
    return {
        "goals": [(goal.code, f"{goal.code} {goal.title}") for goal in Goal.objects.filter(version=version)],
        "institutions": [(one.code, str(one.name)) for one in taking_part.order_by(SortKey("name"))],
    }


def measure_filter(request: SignedInRequest, version: PlanVersion) -> MeasureFilter:
    return MeasureFilter(request.GET, version=version, user=request.user, **filter_choices(request, version))


@require_safe
@kept_until_change
def plan_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The plan as a tree; search and filters narrow it as they do the list."""
    shown = ("strategy", "owner", "district", "municipality")
    plan = get_object_or_404(Plan.objects.visible_to(request.user).select_related(*shown), pk=pk)
    versions = list(
        PlanVersion.objects.visible_to(request.user).filter(plan=plan, state__in=SHOWN_STATES).order_by("-number")
    )
    draft = next((one for one in versions if one.is_draft), None)
    drafting = {
        "plan": plan,
        "versions": versions,
        "draft": draft,
        "may_draft": bool(access.may_draft(request.user, plan)),
    }
    if not versions:
        return render(request, "strategy/plan_empty.html", drafting | {"history": history_of(plan)})
    version = _version(request, plan)
    found = measure_filter(request, version)
    tree, is_whole = plan_tree(found, request.GET.get("open", ""))
    is_narrowed = any(found.chosen.get(name) for name in ("q", "goal", "institution", "signal", "state", "tag"))
    return render(
        request,
        "strategy/plan_detail.html",
        {
            **drafting,
            "version": version,
            "filter": found,
            "tree": tree,
            "is_whole": is_whole,
            "is_narrowed": is_narrowed,
            "may_take_out": bool(access.may_take_out(request.user)),
            "consultation": Consultation.objects.visible_to(request.user).filter(version=version).first(),
            "may_consult": bool(access.may_consult(request.user)),
            "may_adopt": bool(access.may_adopt(request.user, version)) and not obstacles(version),
            "history": history_of(plan, version),
        },
    )


def _signal_counts(counts: Any) -> list[tuple[str, str, int]]:
    return [(code, str(label), counts[code]) for code, label in Signal.choices if counts.get(code)]


@require_http_methods(["GET", "POST"])
@proof_required
def plan_adopt(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = get_object_or_404(PlanVersion.objects.visible_to(request.user).select_related("plan"), pk=pk)
    require(access.may_adopt(request.user, version))
    form = AdoptionForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.adopt_version(version, by=request.user, **form.cleaned_data)
            messages.success(request, _("The plan is in force."))
            return redirect(version.plan)
    return render(
        request,
        "strategy/plan_adopt.html",
        {"form": form, "version": version, "cancel_url": version.plan.get_absolute_url()},
    )


@require_safe
@kept_until_change
def measure_list(request: SignedInRequest) -> HttpResponse:
    plan, version = chosen_plan(request)
    if version is None:
        return render(request, "strategy/measure_list.html", {"page": None, "plan": plan})
    found = measure_filter(request, version)
    counts = dict(found.without_signal.order_by().values_list("signal").annotate(number=Count("pk", distinct=True)))
    rows = found.ordered().select_related("lead").only(
        "code", "title_sq", "title_sr", "title_en", "ends_on", "state",
        "lead__code", "lead__name_sq", "lead__name_sr", "lead__name_en", "lead__short",
    )  # fmt: skip
    paginator = Paginator(rows, page_size(request))
    # The signals' counts give the total: one query less on the page that is opened most.
    chosen = found.chosen.get("signal")
    paginator.count = counts.get(chosen, 0) if chosen else sum(counts.values())  # type: ignore[misc]
    return render(
        request,
        "strategy/measure_list.html",
        {
            "plan": plan,
            "version": version,
            "filter": found,
            "page": paginator.get_page(request.GET.get("page")),
            "counts": _signal_counts(counts),
            "total": sum(counts.values()),
            "today": timezone.localdate(),
        },
    )


def chosen_plan(request: SignedInRequest) -> tuple[Plan | None, PlanVersion | None]:
    """The plan named in the address, else the current one; no plan at all is an empty page, not an error."""
    plan = None
    if named := request.GET.get("plan"):
        try:
            plan = get_object_or_404(Plan.objects.visible_to(request.user), pk=uuid.UUID(named))
        except ValueError as error:
            raise Http404 from error
    elif request.user.sees_plan:
        plan = current_plan(request.user)
    else:
        require(request.user.sees_plan)
    if plan is None:
        return None, None
    return plan, shown_version(plan, request.user, _number(request))


@require_safe
@proof_required_to_open
def measure_export(request: SignedInRequest) -> HttpResponseBase:
    """The list with its filter as a file, whole: `?format=csv` or `xlsx`."""
    _plan, version = chosen_plan(request)
    if version is None:
        raise Http404
    found = measure_filter(request, version)
    head = [
        _("code"), _("goal"), _("objective"), _("measure"), _("lead institution"), _("partner institutions"),
        _("start"), _("deadline"), _("state"), _("period"), _("signal"), _("achieved"),
    ]  # fmt: skip
    rows = (
        found.ordered()
        .select_related("lead", "objective__goal")
        .prefetch_related(Prefetch("partnerships", MeasurePartner.objects.select_related("institution")))
    )
    labels = dict(Signal.choices)

    def table() -> Iterator[list[Any]]:
        for row in rows.iterator(chunk_size=1_000):
            yield [
                row.code,
                f"{row.objective.goal.code} {row.objective.goal.title}",
                f"{row.objective.code} {row.objective.title}",
                str(row.title),
                str(row.lead.name),
                "; ".join(str(partner.institution.name) for partner in row.partnerships.all()),
                row.starts_on,
                row.ends_on,
                row.get_state_display(),
                found.quarter.label,
                str(labels.get(row.signal, "")),
                row.achieved_pct,
            ]

    return exports.as_file("measures", head, table(), form=request.GET.get("format", ""), to=request.user, of=version)


@require_safe
def measure_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure = get_object_or_404(
        Measure.objects.visible_to(request.user)
        .select_related("objective__goal", "lead", "version__plan")
        .prefetch_related(
            "indicators__targets",
            Prefetch("partnerships", MeasurePartner.objects.select_related("institution")),
        ),
        pk=pk,
    )
    quarter = quarter_of(None)
    signals = list(MeasureSignal.objects.visible_to(request.user).filter(measure=measure).order_by("starts_on"))
    current = next((one for one in signals if one.starts_on == quarter.start), signals[-1] if signals else None)
    override = None
    if current is not None and current.is_overridden:
        override = (
            SignalOverride.objects.filter(measure=measure, starts_on=current.starts_on).select_related("by").first()
        )
    entries = progress_of(measure, request.user)
    return render(
        request,
        "strategy/measure_detail.html",
        {
            "measure": measure,
            "signal": current,
            "override": override,
            "reason": reason_text(current.reason, _without(current.reason_values)) if current else "",
            "computed": dict(Signal.choices).get(current.reason_values.get("computed", "")) if current else "",
            "entries": entries,
            "indicators": shown_indicators(measure, timezone.localdate()),
            "may_edit_indicators": bool(access.may_edit_content(request.user, measure.version)),
            "chart": _chart(measure, entries),
            "signals": signals[-8:],
            **depth_of(measure, request.user),
            "may_edit_parts": bool(access.may_edit_content(request.user, measure.version)),
            "may_record": bool(access.may_record_on(request.user, measure)),
            "may_add_document": bool(access.may_add_document(request.user, measure)),
            "may_assess": bool(access.may_assess_rights(request.user, measure)),
            "may_override": bool(access.may_override_signal(request.user)) and current is not None,
            "other_versions": Measure.objects.visible_to(request.user)
            .filter(lineage=measure.lineage)
            .exclude(pk=measure.pk)
            .select_related("version__plan")
            .order_by("version__number"),
            "proposals": proposals_on(measure, request.user),
            "points": points_of_measure(measure, request.user),
            "may_propose": measure.version.state == VersionState.ADOPTED
            and bool(access.may_propose(request.user, measure)),
            "serving": serving_of(measure, request.user),
            "events": list(events_of(measure, request.user)[:50]),
            "history": history_of(measure),
        },
    )


def _without(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != "computed"}


def _chart(measure: Measure, entries: list[Any]) -> charts.Chart | None:
    """The reported values of the first indicator over the rounds, oldest first, and what checks found instead."""
    indicator = next(iter(measure.indicators.all()), None)
    if indicator is None:
        return None
    points = []
    for entry in reversed(entries):
        if entry.state in ("accepted", "verified") and entry.request.institution_id == measure.lead_id:
            for value in entry.values.all():
                if value.requested.position == indicator.position:
                    points.append((entry.request.round.period.label, value.value, value.verified_value))
    if not any(value is not None for _label, value, _found in points):
        return None
    series = [charts.Series(_("reported value"), [value for _label, value, _found in points], "1", dark=True)]
    if any(found is not None for _label, _value, found in points):
        series.append(charts.Series(_("verified value"), [found for _label, _value, found in points], "2"))
    return charts.columns(
        str(indicator.name),
        indicator.get_unit_display(),
        [label for label, _value, _found in points],
        series,
        head=_("period"),
    )


# Imports


@require_safe
def import_list(request: SignedInRequest) -> HttpResponse:
    require(access.may_import(request.user))
    imports = PlanImport.objects.visible_to(request.user).defer("content", "changes", "problems")
    page = Paginator(imports.select_related("plan", "created_by"), page_size(request)).get_page(request.GET.get("page"))
    return render(request, "strategy/import_list.html", {"page": page})


@require_http_methods(["GET", "POST"])
def import_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_import(request.user))
    form = ImportForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        return redirect(actions.preview_import(file, file.name, plan=form.cleaned_data["plan"], by=request.user))
    return render(request, "strategy/import_create.html", {"form": form, "cancel_url": reverse("strategy:import-list")})


@require_safe
def import_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_import(request.user))
    found = get_object_or_404(
        PlanImport.objects.visible_to(request.user).select_related(
            "plan", "version__plan", "compared_with", "created_by"
        ),
        pk=pk,
    )
    new = new_measures(found.content, found.changes.get("new", []))
    return render(
        request,
        "strategy/import_detail.html",
        {
            "found": found,
            "new": new,
            "changed": found.changes.get("changed", {}),
            "removed": found.changes.get("removed", []),
            "structure": found.changes.get("structure", []),
            "notes": found.changes.get("notes", []),
            "has_sheets": any(one.get("sheet") for one in found.problems),
            "problems": Paginator(found.problems, 200).get_page(request.GET.get("page")),
            "is_empty": actions.changes_nothing(found.changes),
            "history": history_of(found),
        },
    )


@require_POST
def import_apply(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_import(request.user))
    found = get_object_or_404(PlanImport.objects.visible_to(request.user), pk=pk)
    try:
        version = actions.apply_import(found, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    count = version.measures.count()
    messages.success(
        request,
        ngettext("The draft holds %(count)d measure.", "The draft holds %(count)d measures.", count) % {"count": count},
    )
    return redirect(found)


@require_POST
def import_undo(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_import(request.user))
    found = get_object_or_404(PlanImport.objects.visible_to(request.user), pk=pk)
    try:
        actions.undo_import(found, by=request.user)
        messages.success(request, _("The import was undone; the plan is as it was before."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(found)


@require_safe
def signal_rule(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_plan)
    return render(request, "strategy/signal_rule.html", {"limits": rule_limits(quarter_of(None).end)})
