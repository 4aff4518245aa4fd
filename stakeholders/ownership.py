"""What a person holds, so that nothing is left behind when they leave: each app names its own kinds of holding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.functional import Promise

from stakeholders.models import (
    REPORTERS,
    SECRETARIAT,
    ActionPoint,
    Agreement,
    Circular,
    CircularState,
    Enquiry,
    EnquiryState,
    Invitation,
    Meeting,
    MeetingState,
    Questionnaire,
    QuestionnaireState,
    Role,
    RoleAssignment,
    User,
)


@dataclass(frozen=True)
class Holding:
    """A kind of record that somebody answers for.

    `field` is the foreign key that names the person; `heirs` gives who may take such records over. What `stays` with an
    institution may be left without a person: the next one who acts for it finds it. `take_over(record, heir, by)` says how
    a record changes hands where that is more than another name in the field.
    """

    key: str
    label: str | Promise
    held_by: Callable[[User], models.QuerySet[Any]]
    field: str
    heirs: Callable[[list[Any]], models.QuerySet[User]]
    stays: bool = False
    take_over: Callable[[Any, User, User], None] | None = None


_kinds: dict[str, Holding] = {}


def register(kind: Holding) -> None:
    """Called when an app is ready; upper apps add what only they know of."""
    _kinds[kind.key] = kind


def held_by(user: User) -> list[tuple[Holding, list[Any]]]:
    """Each kind of which the person holds something, with the records."""
    found = [(kind, list(kind.held_by(user))) for kind in _kinds.values()]
    return [(kind, records) for kind, records in found if records]


def holders_of(*roles: str) -> Callable[[list[Any]], models.QuerySet[User]]:
    return lambda _records: User.objects.holding(*roles)


def register_own() -> None:
    from django.utils.translation import gettext_lazy as _

    register(
        Holding(
            key="invitation",
            label=_("invitations under way"),
            held_by=lambda user: Invitation.objects.waiting().filter(invited_by=user),
            field="invited_by",
            heirs=holders_of(Role.DIRECTOR, Role.ADMINISTRATOR),
        )
    )
    keepers = (Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.INFORMATION)
    register(
        Holding(
            key="enquiry",
            label=_("enquiries to answer"),
            held_by=lambda user: Enquiry.objects.filter(assigned_to=user).exclude(
                state__in=[EnquiryState.ANSWERED, EnquiryState.CLOSED]
            ),
            field="assigned_to",
            heirs=holders_of(*keepers),
        )
    )
    register(
        Holding(
            key="questionnaire",
            label=_("questionnaires to answer"),
            held_by=lambda user: Questionnaire.objects.filter(responsible=user, state=QuestionnaireState.OPEN),
            field="responsible",
            heirs=holders_of(*keepers),
        )
    )
    register(
        Holding(
            key="action-point",
            label=_("action points in their own name"),
            held_by=lambda user: ActionPoint.objects.open().filter(person=user),
            field="person",
            heirs=_colleagues_at_owners,
            stays=True,
        )
    )
    register(
        Holding(
            key="agreement",
            label=_("agreements that are not over"),
            held_by=lambda user: Agreement.objects.not_over().filter(responsible=user),
            field="responsible",
            heirs=holders_of(*SECRETARIAT),
        )
    )
    for key, label, held, field in (
        (
            "meeting",
            _("meetings that were not held yet"),
            lambda user: Meeting.objects.filter(created_by=user, state__in=[MeetingState.DRAFT, MeetingState.CALLED]),
            "created_by",
        ),
        (
            "circular",
            _("circulars that were not sent yet"),
            lambda user: Circular.objects.filter(created_by=user, state=CircularState.DRAFT),
            "created_by",
        ),
    ):
        register(Holding(key=key, label=label, held_by=held, field=field, heirs=holders_of(*SECRETARIAT)))


def _colleagues_at_owners(points: list[Any]) -> models.QuerySet[User]:
    """Who reports for each of the institutions that own the action points."""
    people = User.objects.filter(is_active=True)
    for owner in {point.owner_id for point in points}:
        there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=owner)
        people = people.filter(pk__in=there.values("user"))
    return people
