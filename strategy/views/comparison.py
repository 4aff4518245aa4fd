"""Pages that set versions of a plan, or of a measure, side by side."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from onatc import exports
from onatc.kept import kept_until_change
from stakeholders.accounts import SignedInRequest
from strategy.forms.drafts import CompareForm
from strategy.models import SHOWN_STATES, Measure, Plan, PlanVersion
from strategy.queries.comparison import as_table, compare, follow

PAGE_SIZE = 50


def _chosen(request: SignedInRequest, plan: Plan) -> tuple[list[PlanVersion], PlanVersion | None, PlanVersion | None]:
    """All versions that the reader sees, oldest first, and the two named in the address, the older one first; else the
    newest two."""
    versions = list(
        PlanVersion.objects.visible_to(request.user)
        .filter(plan=plan, state__in=SHOWN_STATES)
        .select_related("adopted_by")
        .order_by("number")
    )
    by_number = {str(one.number): one for one in versions}
    two = [by_number.get(request.GET.get(name, "")) for name in ("from", "to")]
    if two[0] is None or two[1] is None:
        newest = [None, None, *versions][-2:]
        two = [two[0] or newest[0], two[1] or newest[1]]
    if two[0] is not None and two[1] is not None and two[0].number > two[1].number:
        two.reverse()
    return versions, two[0], two[1]


@require_safe
@kept_until_change
def plan_compare(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    plan = get_object_or_404(Plan.objects.visible_to(request.user), pk=pk)
    versions, old, new = _chosen(request, plan)
    context: dict[str, Any] = {"plan": plan, "old": old, "new": new, "page": None, "form": None}
    if old is not None and new is not None:
        found = compare(old, new, request.user)
        context["page"] = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        context["total"] = len(found)
        context["form"] = CompareForm({"from": str(old.number), "to": str(new.number)}, versions)
    return render(request, "strategy/plan_compare.html", context)


@require_safe
def plan_compare_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Every field that differs as a row: `?from=1&to=2&format=csv` or `xlsx`."""
    plan = get_object_or_404(Plan.objects.visible_to(request.user), pk=pk)
    _versions, old, new = _chosen(request, plan)
    if old is None or new is None:
        raise Http404
    head, rows = as_table(compare(old, new, request.user))
    name = f"versions-{old.number}-{new.number}"
    return exports.as_file(name, head, rows, form=request.GET.get("format", ""), to=request.user, of=new)


@require_safe
def measure_versions(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    measure = get_object_or_404(Measure.objects.visible_to(request.user).select_related("version__plan"), pk=pk)
    steps, before, after = follow(measure, request.user)
    return render(
        request,
        "strategy/measure_versions.html",
        {"measure": measure, "steps": list(reversed(steps)), "before": before, "after": after},
    )
