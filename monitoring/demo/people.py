"""Accounts of the demonstration: functions instead of names, one password for all."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import make_password

from onatc.models import Municipality
from stakeholders.models import NEEDS_SECOND_FACTOR, Institution, Role, RoleAssignment, User

PASSWORD = "Demonstration-2026"  # nosec B105: a demonstration only; production refuses to start with DEMO

OFFICE = [
    ("natc@onatc.example", "Koordinatori Kombëtar", Role.NATC, "NATC"),
    ("director@onatc.example", "Drejtoresha e Zyrës", Role.DIRECTOR, "ONATC"),
    ("planning@onatc.example", "Zyrtari për planifikim strategjik", Role.PLANNING, "ONATC"),
    ("monitoring@onatc.example", "Zyrtarja për monitorim dhe vlerësim", Role.MONITORING, "ONATC"),
    ("child@onatc.example", "Zyrtarja për mbrojtjen e fëmijëve", Role.CHILD, "ONATC"),
    ("information@onatc.example", "Zyrtari për informim", Role.INFORMATION, "ONATC"),
    ("local@demo.example", "Koordinatorja lokale, Prishtinë", Role.LOCAL, "MUN-PRN"),
    ("observer@demo.example", "Vëzhguesi, OSBE", Role.OBSERVER, "OSCE"),
    ("administrator@demo.example", "Administratori i sistemit", Role.ADMINISTRATOR, "MIA"),
]
# Institutions that report in Serbian, so that texts in both official languages stand beside each other.
IN_SERBIAN = {"MLGA", "VPAO", "KJC"}


def make_people(leads: list[Institution], today: date) -> dict[str, User]:
    """Everybody by e-mail: the office, and a focal point in each institution that leads a measure or sits in the
    Authority. Roles began two years ago; the observer's end in a year."""
    institutions = {institution.code: institution for institution in Institution.objects.all()}
    focal_points = {institution.code: institution for institution in leads}
    for institution in institutions.values():
        if institution.is_authority_member and institution.dissolved_on is None:
            focal_points.setdefault(institution.code, institution)
    focal_points.pop("NATC", None)
    password = make_password(PASSWORD)
    users, roles = [], []
    since = today.replace(year=today.year - 2, day=1)
    for email, name, role, code in OFFICE:
        user = User(email=email, full_name=name, language="sq", password=password)
        users.append(user)
        roles.append(
            RoleAssignment(
                user=user,
                role=role,
                institution=institutions[code],
                municipality=Municipality.objects.get(pk="PRN") if role == Role.LOCAL else None,
                starts_on=since,
                ends_on=today + timedelta(days=365) if role == Role.OBSERVER else None,
            )
        )
    for code, institution in sorted(focal_points.items()):
        language = "sr-latn" if code in IN_SERBIAN else "sq"
        title = "Kontakt osoba" if language == "sr-latn" else "Pika fokale"
        user = User(
            email=f"{code.lower()}@demo.example",
            full_name=f"{title}, {institution.code}",
            language=language,
            password=password,
        )
        users.append(user)
        roles.append(RoleAssignment(user=user, role=Role.FOCAL_POINT, institution=institution, starts_on=since))
    # The Coordinator's own measures are reported by the office's planning officer.
    planning = next(user for user in users if user.email == "planning@onatc.example")
    for code in ("NATC",):
        roles.append(
            RoleAssignment(user=planning, role=Role.FOCAL_POINT, institution=institutions[code], starts_on=since)
        )
    User.objects.bulk_create(users)
    RoleAssignment.objects.bulk_create(roles)
    _set_up_factors(users, roles)
    return {user.email: user for user in users}


def _set_up_factors(users: list[User], roles: list[RoleAssignment]) -> None:
    """An authenticator app for whoever must have one; in a demonstration the sign-in page shows its code."""
    obliged = {role.user_id for role in roles if role.role in NEEDS_SECOND_FACTOR}
    for user in users:
        if user.pk in obliged:
            give_factor(user)
    assert Authenticator.objects.count() == len(obliged)


def give_factor(user: User) -> None:
    """An authenticator app whose codes the sign-in page of the demonstration shows."""
    TOTP.activate(user, base64.b32encode(hashlib.sha1(user.email.encode()).digest()).decode())  # nosec B324
