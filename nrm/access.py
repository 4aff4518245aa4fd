"""Who may do what with cases, and with what the office keeps about the mechanism."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from nrm.models import Service
from onatc.errors import Denied
from stakeholders.models import Role, User

MECHANISM_KEEPERS = (Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD)


def may_keep_mechanism(user: User) -> bool | Denied:
    """The office keeps the services directory, the trainings, the SOP and the assessment of the mechanism."""
    return user.has_role(*MECHANISM_KEEPERS) or Denied(_("The office keeps what is recorded about the mechanism."))


# The services directory


def is_of_provider(user: User, service: Service) -> bool:
    """Reports for the institution that gives the service."""
    return service.provider_id in user.institution_ids


def may_tell_of_service(user: User, service: Service) -> bool | Denied:
    """How many places are free, and that an entry is still right: who reports for the provider, and the office, which is
    told by telephone."""
    return (
        is_of_provider(user, service)
        or user.has_role(*MECHANISM_KEEPERS)
        or Denied(_("The provider, or the office, says this of a service."))
    )


def may_propose_change(user: User, service: Service) -> bool | Denied:
    """The provider's own people; the office changes the entry itself."""
    return is_of_provider(user, service) or Denied(_("The provider proposes what is to be changed in its entry."))


def may_see_reserved(user: User) -> bool:
    """How institutions reach a service: the office, and who reports for an institution; an observer does not refer."""
    return user.is_office or user.is_reporter


def may_read_address(user: User, service: Service) -> bool | Denied:
    """The Director and the monitoring officer; the child protection officer where children are helped; the provider's own
    people. Whoever refers somebody is told by telephone (threats.md T35). `ServiceAddress.objects.visible_to` says the
    same to the database."""
    return (
        user.has_role(Role.DIRECTOR, Role.MONITORING)
        or (user.has_role(Role.CHILD) and service.for_children)
        or is_of_provider(user, service)
        or Denied(_("The address of a service is for few. Whoever refers somebody asks the provider by telephone."))
    )
