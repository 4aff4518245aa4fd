"""Questions about plans and their versions."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone

from strategy.models import (
    SHOWN_STATES,
    Plan,
    PlanKind,
    PlanVersion,
    VersionState,
)


def newest_version(plan: Plan) -> PlanVersion | None:
    """The open draft if there is one, else the version in force: what a new file is compared with."""
    return plan.versions.filter(state__in=[VersionState.DRAFT, VersionState.ADOPTED]).order_by("-number").first()


def current_plan(user: Any, on: Any = None) -> Plan | None:
    """The plan that a page shows when none is named: in force and running, a national one before those for children and
    for one area, else the newest one visible."""
    day = on or timezone.localdate()
    adopted = PlanVersion.objects.filter(plan=OuterRef("pk"), state=VersionState.ADOPTED)
    return (
        Plan.objects.visible_to(user)
        .annotate(
            is_in_force=Exists(adopted),
            is_running=Case(
                When(Q(starts_on__lte=day, ends_on__gte=day), then=Value(True)),
                default=Value(False),
                output_field=BooleanField(),
            ),
        )
        .annotate(is_national=Q(kind=PlanKind.NATIONAL))
        .order_by("-is_in_force", "-is_running", "-is_national", "-starts_on", "code")
        .first()
    )


def national_plan(on: Any = None) -> Plan | None:
    """The national plan that is in force and runs on a day, if there is exactly one."""
    day = on or timezone.localdate()
    adopted = PlanVersion.objects.filter(plan=OuterRef("pk"), state=VersionState.ADOPTED)
    running = Plan.objects.filter(Exists(adopted), kind=PlanKind.NATIONAL, starts_on__lte=day, ends_on__gte=day)
    found = list(running[:2])
    return found[0] if len(found) == 1 else None


def shown_version(plan: Plan, user: Any, number: int | None = None) -> PlanVersion | None:
    """The version to show: the named one, else the one in force, else the newest the user may see."""
    versions = plan.versions.visible_to(user).filter(state__in=SHOWN_STATES)  # type: ignore[attr-defined]
    if number is not None:
        return versions.filter(number=number).first()
    return versions.filter(state=VersionState.ADOPTED).first() or versions.order_by("-number").first()
