"""What people hold of strategy, to be handed over when they leave (stakeholders.ownership)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from stakeholders import ownership
from stakeholders.models import REPORTERS, SECRETARIAT, Role, RoleAssignment, User
from strategy.models import (
    EntryState,
    ImportState,
    LegalInput,
    PlanImport,
    ProgressEntry,
    ProgressRequest,
    Proposal,
    ProposalState,
    RoundState,
    SavedFilter,
    SharedWith,
    Study,
    StudyState,
)


def _reporters_of(institutions: set[Any]) -> QuerySet[User]:
    """Who reports for each of the institutions."""
    people = User.objects.filter(is_active=True)
    for institution in institutions:
        there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=institution)
        people = people.filter(pk__in=there.values("user"))
    return people


def _colleagues_of_owners(records: list[Any]) -> QuerySet[User]:
    """Who holds a role where the owners of the filters hold one."""
    owners = RoleAssignment.objects.filter(user__in={saved.owner_id for saved in records})
    there = RoleAssignment.objects.active().filter(institution__in=owners.values("institution"))
    return User.objects.filter(is_active=True, pk__in=there.values("user"))


def _colleagues_of_proposals(records: list[Any]) -> QuerySet[User]:
    """Who reports for each of the institutions that propose; for the office's own proposals, its people."""
    people = User.objects.filter(is_active=True)
    for institution in {proposal.institution_id for proposal in records if not proposal.author.is_secretariat}:
        there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=institution)
        people = people.filter(pk__in=there.values("user"))
    if any(proposal.author.is_secretariat for proposal in records):
        people = people.filter(pk__in=User.objects.holding(*SECRETARIAT).values("pk"))
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
    # What only its owner saw needs nobody; what others use may go on with one of them.
    ownership.register(
        ownership.Holding(
            key="saved_filter",
            label=_("saved filters that others use"),
            held_by=lambda user: SavedFilter.objects.filter(owner=user).exclude(shared_with=SharedWith.NOBODY),
            field="owner",
            heirs=_colleagues_of_owners,
            stays=True,
        )
    )
    ownership.register(
        ownership.Holding(
            key="proposal",
            label=_("proposals for change that are not decided"),
            held_by=lambda user: Proposal.objects.filter(author=user, state=ProposalState.SUBMITTED).select_related(
                "author"
            ),
            field="author",
            heirs=_colleagues_of_proposals,
            stays=True,
        )
    )
