"""Who may do what in strategy and action plan. Each predicate says why not when it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import Role
from strategy.models import (
    ConsultationState,
    EntryState,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
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


def may_edit_indicators(user: User, version: PlanVersion) -> Allowed:
    """Whoever drafts the plan, while the draft lies before nobody: during a consultation it does not change."""
    if not user.imports_plans:
        return Denied(_("Only the Director and the strategic planning officer write the indicators of a plan."))
    if version.state != VersionState.DRAFT:
        return Denied(_("Indicators are changed in a draft alone; a plan in force is changed by an amendment."))
    if version.consultations.filter(state=ConsultationState.OPEN).exists():
        return Denied(_("The draft is open for consultation and does not change until it is over."))
    return True


def may_see_checks(user: User) -> Allowed:
    """The office and the NATC: which entries are checked, and what was said and what was found."""
    return user.is_secretariat or user.is_natc or Denied(_("Only the office sees which reports are checked."))


def may_draw_sample(user: User) -> Allowed:
    """The M&E officer and the Director choose what is checked."""
    return user.has_role(Role.DIRECTOR, Role.MONITORING) or Denied(
        _("Only the Director and the monitoring and evaluation officer choose what is checked.")
    )


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
