"""What people hold of the referral mechanism, to be handed over when they leave (stakeholders.ownership)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from nrm.actions.parties import take_over_management
from nrm.models import CaseManagement
from nrm.queries.referrals import people_of
from stakeholders import ownership
from stakeholders.models import User


def _managed(user: User) -> QuerySet[CaseManagement]:
    open_ones: QuerySet[CaseManagement] = CaseManagement.objects.filter(
        until__isnull=True, case__closed_on__isnull=True
    )
    return open_ones.filter(manager=user).select_related("case", "institution")


def _colleagues(managements: list[Any]) -> QuerySet[User]:
    """Who reports for each of the institutions at which the cases are managed."""
    people = User.objects.filter(is_active=True)
    for institution in {one.institution for one in managements}:
        people = people.filter(pk__in=people_of(institution).values("pk"))
    return people


def register() -> None:
    """Called when the app is ready."""
    ownership.register(
        ownership.Holding(
            key="case-management",
            label=_("cases that they manage"),
            held_by=_managed,
            field="manager",
            heirs=_colleagues,
            stays=True,
            take_over=take_over_management,
        )
    )
