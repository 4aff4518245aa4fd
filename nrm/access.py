"""Who may do what with cases, and with what the office keeps about the mechanism."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import Role, User

MECHANISM_KEEPERS = (Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD)


def may_keep_mechanism(user: User) -> bool | Denied:
    """The office keeps the services directory, the trainings, the SOP and the assessment of the mechanism."""
    return user.has_role(*MECHANISM_KEEPERS) or Denied(_("The office keeps what is recorded about the mechanism."))
