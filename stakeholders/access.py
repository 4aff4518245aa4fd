"""Who may change institutions, accounts and roles; and what a person sees and may do, in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import REPORTERS, Deputyship, Invitation, Recovery, Role, RoleAssignment, User

OFFICE_ONLY = _("Only the Director and administrators keep accounts.")


def _is_oneself(user: User, *people: Any) -> bool:
    """Whether one of `people` (keys) is the user, or whom the user acts for: a deputy is nobody's second person."""
    return not {user.pk, user.acting_for.pk if user.acting_for else user.pk}.isdisjoint(people)


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
    addresses = (user.email, user.acting_for.email if user.acting_for else "")
    if _is_oneself(user, invitation.invited_by_id) or invitation.email in addresses:
        return Denied(_("Nobody approves what they asked for themselves."))
    if invitation.role == Role.DIRECTOR:
        return user.has_role(Role.NATC, Role.DIRECTOR) or Denied(_("The Director or the Coordinator approves this."))
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director approves accounts."))


def may_keep_role(user: User, assignment: RoleAssignment) -> bool | Denied:
    """Confirm or end a role of somebody else; an own role is confirmed and ended by another."""
    if _is_oneself(user, assignment.user_id):
        return Denied(_("Nobody confirms or ends a role of their own."))
    if assignment.role == Role.DIRECTOR and user.has_role(Role.NATC):
        return True
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_appoint_deputy(user: User, principal: User) -> bool | Denied:
    """For oneself, or the Director and administrators for whoever is away. A deputy lends nobody what was lent."""
    if user.acting_for is not None and user.pk != principal.pk:
        return Denied(_("Whoever acts for another appoints deputies for themselves only."))
    return user.pk == principal.pk or user.manages_accounts or Denied(OFFICE_ONLY)


def may_end_deputyship(user: User, deputyship: Deputyship) -> bool | Denied:
    return user.pk in (deputyship.principal_id, deputyship.deputy_id) or user.manages_accounts or Denied(OFFICE_ONLY)


def may_ask_recovery(user: User, person: User) -> bool | Denied:
    """For another, by the office: whoever lost the factor cannot sign in to ask."""
    if _is_oneself(user, person.pk):
        return Denied(_("Nobody recovers their own account."))
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_approve_recovery(user: User, recovery: Recovery) -> bool | Denied:
    """A second person: the Director, an administrator or the NATC; neither who asked nor whose account it is."""
    if _is_oneself(user, recovery.asked_by_id, recovery.user_id):
        return Denied(_("A second person approves a recovery."))
    return user.manages_accounts or user.is_natc or Denied(OFFICE_ONLY)


def may_close(user: User, person: User) -> bool | Denied:
    if _is_oneself(user, person.pk):
        return Denied(_("Nobody closes their own account."))
    return user.manages_accounts or Denied(OFFICE_ONLY)


def in_words(person: User) -> list[str]:
    """What somebody sees and may do today, for the review of access: read from the rights themselves, one sentence each.
    The roles of the person alone, without those of whom they act for."""
    names = ", ".join(sorted({one.institution.short for one in person.assignments if one.role in REPORTERS}))
    sees_all = person.is_office
    sentences: list[tuple[bool, Any]] = [
        (sees_all, _("Sees the whole action plan with its drafts, all rounds, accepted progress and all reports.")),
        (person.is_observer and not sees_all, _("Sees the plan in force, accepted progress and issued reports.")),
        (person.is_reporter, _("Reports progress for %(names)s and sees its measures.") % {"names": names}),
        (person.reviews_progress, _("Reviews, returns and accepts progress, and drafts reports.")),
        (person.has_role(Role.DIRECTOR, Role.MONITORING), _("Verifies accepted progress.")),
        (person.manages_rounds, _("Brings plans in and runs the reporting rounds.")),
        (person.has_role(Role.DIRECTOR), _("Records the adoption of a plan and approves accounts.")),
        (person.is_natc, _("Issues reports; confirms or ends the Director's role.")),
        (person.manages_accounts, _("Invites people, confirms and ends roles, recovers and closes accounts.")),
        (person.sees_trail, _("Sees who read what.")),
        (person.changes_settings, _("Changes settings and holidays, and sees the state of the system.")),
        (person.is_administrator, _("Keeps code lists and institutions; sees no plan, no progress and no report.")),
    ]
    return [str(sentence) for holds, sentence in sentences if holds]


# Events and campaigns, circulars, the library

OUTREACH = (Role.DIRECTOR, Role.PLANNING, Role.CHILD, Role.INFORMATION)


def may_keep_events(user: User) -> bool | Denied:
    """Events, what they reached, their files, and international days: who works with the public, plans or protects
    children, and the Director."""
    return user.has_role(*OUTREACH) or Denied(
        _("The information officer, the planning and child protection officers and the Director keep this.")
    )


def may_write_circular(user: User) -> bool | Denied:
    return may_keep_events(user)


def may_send_circular(user: User) -> bool | Denied:
    """What goes out in the office's name is sent by the information officer or the Director."""
    return user.has_role(Role.DIRECTOR, Role.INFORMATION) or Denied(
        _("The information officer or the Director sends circulars.")
    )


def may_see_recipients(user: User) -> bool | Denied:
    return user.keeps_cooperation or Denied(_("Who got a circular is for the office."))


def may_keep_library(user: User) -> bool | Denied:
    return may_keep_events(user)
