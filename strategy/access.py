"""Who may do what in strategy and action plan. Each predicate says why not when it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import Role
from strategy.models import (
    Comment,
    Consultation,
    EntryState,
    Measure,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    Proposal,
    VersionState,
)

if TYPE_CHECKING:
    from stakeholders.models import User

Allowed = bool | Denied


def may_import(user: User) -> Allowed:
    """Director and strategic planning officer: they draft the plan (Article 8.4.2)."""
    return user.imports_plans or Denied(_("Only the Director and the strategic planning officer bring a plan in."))


def may_adopt(user: User, version: PlanVersion) -> Allowed:
    """The Director records the decision by which a body adopted the plan."""
    if version.state != VersionState.DRAFT:
        return Denied(_("Only a draft can be adopted."))
    return user.has_role(Role.DIRECTOR) or Denied(_("Only the Director records the adoption of a plan."))


def may_manage_rounds(user: User) -> Allowed:
    return user.manages_rounds or Denied(_("Only the Director and the strategic planning officer run rounds."))


def may_report(user: User, request: ProgressRequest) -> Allowed:
    """Focal points and local coordinators, for their own institution."""
    return request.institution_id in user.institution_ids or Denied(
        _("Only the focal point of the institution writes its progress.")
    )


def may_see_readers(user: User, entry: ProgressEntry) -> Allowed:
    """The institution whose record it is sees who read it; the Director sees it in the trail, with a purpose."""
    return may_report(user, entry.request)


def may_edit(user: User, entry: ProgressEntry) -> Allowed:
    if not entry.is_editable:
        return Denied(_("What was submitted can be changed only when it is returned."))
    return may_report(user, entry.request)


def may_review(user: User, entry: ProgressEntry | None = None) -> Allowed:
    """Director, strategic planning and M&E officers accept or return; nobody reviews what they submitted."""
    if not user.reviews_progress:
        return Denied(_("Only the secretariat accepts or returns progress."))
    if entry is not None and entry.submitted_by_id == user.pk:
        return Denied(_("Nobody reviews what they submitted."))
    return True


def may_verify(user: User, entry: ProgressEntry) -> Allowed:
    """The M&E officer or the Director, who neither wrote nor accepted the entry."""
    if entry.state != EntryState.ACCEPTED:
        return Denied(_("Only an accepted entry can be verified."))
    if user.pk in (entry.author_id, entry.submitted_by_id, entry.accepted_by_id):
        return Denied(_("Whoever wrote or accepted an entry cannot verify it."))
    return user.has_role(Role.DIRECTOR, Role.MONITORING) or Denied(
        _("Only the Director and the monitoring and evaluation officer verify progress.")
    )


def may_override_signal(user: User) -> Allowed:
    return user.reviews_progress or Denied(_("Only the secretariat overrides a signal."))


# Drafting with others


def may_consult(user: User) -> Allowed:
    """Director and strategic planning officer open, extend and close a consultation and publish its answers."""
    return user.imports_plans or Denied(_("Only the Director and the strategic planning officer run consultations."))


def may_comment(user: User, consultation: Consultation) -> Allowed:
    """Focal points, local coordinators and observers of an invited institution, in its name."""
    invited = consultation.invitations.filter(institution__in=user.consulted_institution_ids)
    return invited.exists() or Denied(_("Only institutions that were invited comment."))


def may_change_comment(user: User, comment: Comment) -> Allowed:
    """Everybody who comments in the name of its institution: it is the institution's comment."""
    return comment.institution_id in user.consulted_institution_ids or Denied(
        _("Only the institution that commented changes or withdraws its comment.")
    )


def may_answer(user: User, comment: Comment | None = None) -> Allowed:
    """Those who run the consultation; nobody answers what they wrote in an institution's name."""
    if not user.imports_plans:
        return Denied(_("Only the Director and the strategic planning officer answer comments."))
    if comment is not None and comment.author_id == user.pk:
        return Denied(_("Nobody answers a comment of their own."))
    return True


def may_propose(user: User, measure: Measure | None = None) -> Allowed:
    """The secretariat on anything, an institution on the measures it takes part in."""
    if user.is_secretariat:
        return True
    takes_part = measure is not None and (
        measure.lead_id in user.institution_ids
        or measure.partnerships.filter(institution__in=user.institution_ids).exists()
    )
    return takes_part or Denied(_("An institution proposes changes to the measures in which it takes part."))


def may_decide_proposal(user: User, proposal: Proposal | None = None) -> Allowed:
    """The NATC or the Director; nobody decides what they proposed."""
    if not (user.is_natc or user.has_role(Role.DIRECTOR)):
        return Denied(_("Only the National Coordinator and the Director decide proposals."))
    if proposal is not None and proposal.author_id == user.pk:
        return Denied(_("Nobody decides a proposal of their own."))
    return True


def may_withdraw_proposal(user: User, proposal: Proposal) -> Allowed:
    return proposal.author_id == user.pk or Denied(_("Only its author withdraws a proposal."))


def may_amend(user: User) -> Allowed:
    """Who drafts the plan puts accepted proposals into the draft."""
    return user.imports_plans or Denied(_("Only the Director and the strategic planning officer change a draft."))
