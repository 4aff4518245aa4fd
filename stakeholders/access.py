"""Who may change institutions, accounts and roles."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import Deputyship, Invitation, Recovery, Role, RoleAssignment, User

OFFICE_ONLY = _("Only the Director and administrators keep accounts.")


def may_edit_institutions(user: User) -> bool | Denied:
    """The Director and the strategic planning officer keep the directory; administrators do so in Django admin."""
    return user.has_role(Role.DIRECTOR, Role.PLANNING) or Denied(
        _("Only the Director and the strategic planning officer change institutions.")
    )


def may_invite(user: User) -> bool | Denied:
    """The Director, whose invitations go out at once, and administrators, whose invitations the Director approves."""
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_review_access(user: User) -> bool | Denied:
    """Who has access to what: the Director, administrators and the NATC."""
    return user.reviews_access or Denied(OFFICE_ONLY)


def may_approve(user: User, invitation: Invitation) -> bool | Denied:
    """The Director, never of an own invitation nor of one to the own address; the NATC where the Director's own role is
    at stake."""
    if user.pk == invitation.invited_by_id or user.email == invitation.email:
        return Denied(_("Nobody approves what they asked for themselves."))
    if invitation.role == Role.DIRECTOR:
        return user.has_role(Role.NATC, Role.DIRECTOR) or Denied(_("The Director or the Coordinator approves this."))
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director approves accounts."))


def may_keep_role(user: User, assignment: RoleAssignment) -> bool | Denied:
    """Confirm or end a role of somebody else; an own role is confirmed and ended by another."""
    if assignment.user_id in (user.pk, user.acting_for.pk if user.acting_for else None):
        return Denied(_("Nobody confirms or ends a role of their own."))
    if assignment.role == Role.DIRECTOR and user.has_role(Role.NATC):
        return True
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_appoint_deputy(user: User, principal: User) -> bool | Denied:
    """For oneself, or the Director and administrators for whoever is away."""
    return user.pk == principal.pk or user.manages_accounts or Denied(OFFICE_ONLY)


def may_end_deputyship(user: User, deputyship: Deputyship) -> bool | Denied:
    return user.pk in (deputyship.principal_id, deputyship.deputy_id) or user.manages_accounts or Denied(OFFICE_ONLY)


def may_ask_recovery(user: User, person: User) -> bool | Denied:
    """For another, by the office: whoever lost the factor cannot sign in to ask."""
    if user.pk == person.pk:
        return Denied(_("Nobody recovers their own account."))
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_approve_recovery(user: User, recovery: Recovery) -> bool | Denied:
    """A second person: the Director, an administrator or the NATC; neither who asked nor whose account it is."""
    if user.pk in (recovery.asked_by_id, recovery.user_id):
        return Denied(_("A second person approves a recovery."))
    return user.manages_accounts or user.is_natc or Denied(OFFICE_ONLY)


def may_close(user: User, person: User) -> bool | Denied:
    if user.pk == person.pk:
        return Denied(_("Nobody closes their own account."))
    return user.manages_accounts or Denied(OFFICE_ONLY)
