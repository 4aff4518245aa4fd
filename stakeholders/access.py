"""Who may change institutions and accounts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import Role, RoleAssignment, User


def may_edit_institutions(user: User) -> bool | Denied:
    """The Director and the strategic planning officer keep the directory; administrators do so in Django admin."""
    return user.has_role(Role.DIRECTOR, Role.PLANNING) or Denied(
        _("Only the Director and the strategic planning officer change institutions.")
    )


def may_assign(user: User, assignment: RoleAssignment | None = None) -> bool:
    """Administrators give roles, but never to themselves."""
    return user.is_administrator and (assignment is None or assignment.user_id != user.pk)
