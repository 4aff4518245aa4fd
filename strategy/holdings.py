"""What people hold of strategy, to be handed over when they leave (stakeholders.ownership)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from stakeholders import ownership
from stakeholders.models import REPORTERS, Role, RoleAssignment, User
from strategy.models import EntryState, ImportState, PlanImport, ProgressEntry, ProgressRequest, RoundState


def _reporters_of(institutions: set[Any]) -> QuerySet[User]:
    """Who reports for each of the institutions."""
    people = User.objects.filter(is_active=True)
    for institution in institutions:
        there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=institution)
        people = people.filter(pk__in=there.values("user"))
    return people


def register() -> None:
    ownership.register(
        ownership.Holding(
            key="delegation",
            label=_("reports that a colleague handed on"),
            held_by=lambda user: ProgressRequest.objects.filter(
                delegated_to=user, round__state=RoundState.OPEN, waived_reason=""
            ),
            field="delegated_to",
            heirs=lambda records: _reporters_of({request.institution_id for request in records}),
            stays=True,
        )
    )
    ownership.register(
        ownership.Holding(
            key="progress",
            label=_("progress entries that are not submitted"),
            held_by=lambda user: ProgressEntry.objects.filter(
                author=user, state__in=[EntryState.DRAFT, EntryState.RETURNED]
            ).select_related("request"),
            field="author",
            heirs=lambda records: _reporters_of({entry.request.institution_id for entry in records}),
            stays=True,
        )
    )
    ownership.register(
        ownership.Holding(
            key="import",
            label=_("imports that are not applied"),
            held_by=lambda user: PlanImport.objects.filter(created_by=user, state=ImportState.PREVIEWED),
            field="created_by",
            heirs=ownership.holders_of(Role.DIRECTOR, Role.PLANNING),
        )
    )
