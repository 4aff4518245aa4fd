"""What people hold of strategy, to be handed over when they leave (stakeholders.ownership)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from stakeholders import ownership
from stakeholders.models import REPORTERS, Role, RoleAssignment, User
from strategy.models import EntryState, ImportState, LegalInput, PlanImport, ProgressEntry, Study, StudyState


def _reporters_beside(records: list[Any]) -> QuerySet[User]:
    """Who reports for each of the institutions that the entries belong to."""
    people = User.objects.filter(is_active=True)
    for institution in {entry.request.institution_id for entry in records}:
        there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=institution)
        people = people.filter(pk__in=there.values("user"))
    return people


def register() -> None:
    ownership.register(
        ownership.Holding(
            key="progress",
            label=_("progress entries that are not submitted"),
            held_by=lambda user: ProgressEntry.objects.filter(
                author=user, state__in=[EntryState.DRAFT, EntryState.RETURNED]
            ).select_related("request"),
            field="author",
            heirs=_reporters_beside,
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
    ownership.register(
        ownership.Holding(
            key="legal_input",
            label=_("legal inputs that are not sent"),
            held_by=lambda user: LegalInput.objects.unsent().filter(author=user).select_related("act"),
            field="author",
            heirs=ownership.holders_of(Role.DIRECTOR, Role.PLANNING),
        )
    )
    ownership.register(
        ownership.Holding(
            key="study",
            label=_("studies that are not done"),
            held_by=lambda user: Study.objects.filter(author=user).exclude(
                state__in=[StudyState.DONE, StudyState.DROPPED]
            ),
            field="author",
            heirs=ownership.holders_of(Role.DIRECTOR, Role.PLANNING, Role.MONITORING),
        )
    )
