from stakeholders.models.accounts import Deputyship, Invitation, KeptText, Recovery
from stakeholders.models.institutions import FormerName, Institution, InstitutionKind, Level
from stakeholders.models.people import (
    NEEDS_SECOND_FACTOR,
    REPORTERS,
    SECRETARIAT,
    Role,
    RoleAssignment,
    User,
    normalise_email,
    review_day,
)

__all__ = [
    "NEEDS_SECOND_FACTOR",
    "REPORTERS",
    "SECRETARIAT",
    "Deputyship",
    "FormerName",
    "Institution",
    "InstitutionKind",
    "Invitation",
    "KeptText",
    "Level",
    "Recovery",
    "Role",
    "RoleAssignment",
    "User",
    "normalise_email",
    "review_day",
]
