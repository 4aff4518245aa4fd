"""Referrals as tests need them: the police of the focal point refer to the ministry of health of the other one."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from nrm.actions import referrals
from nrm.models import Case, Referral
from stakeholders.models import Role, RoleAssignment, User
from tests.nrm.cases import institution


def today(days: int = 0) -> Any:
    return timezone.localdate() + timedelta(days=days)


def sent(world: Any, case: Case, **fields: Any) -> Referral:
    by = fields.pop("by", None) or world.focal_point
    values = {
        "sender": institution("KP-THB"), "addressee": institution("MOH"), "purpose": "health", "referred_on": today(-2),
    } | fields  # fmt: skip
    return referrals.send(case, values.pop("key", uuid.uuid4()), by=by, **values)


def colleague(code: str, email: str, **fields: Any) -> User:
    """One more who reports for an institution."""
    person = User.objects.create(email=email, full_name=email, language="en")
    RoleAssignment.objects.create(
        user=person, role=Role.FOCAL_POINT, institution=institution(code), starts_on=today(-30), **fields
    )
    return person


def overdue(referral: Referral, hours: int = 1) -> Referral:
    Referral.objects.filter(pk=referral.pk).update(answer_due_at=timezone.now() - timedelta(hours=hours))
    referral.refresh_from_db()
    return referral
