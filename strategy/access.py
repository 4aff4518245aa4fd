"""Who may do what in strategy and action plan. Each predicate says why not when it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import Role
from strategy.models import EntryState, Plan, PlanKind, PlanVersion, ProgressEntry, ProgressRequest, VersionState

if TYPE_CHECKING:
    from stakeholders.models import User

Allowed = bool | Denied


def may_import(user: User) -> Allowed:
    """Director and strategic planning officer: they draft the plan (Article 8.4.2)."""
    return user.imports_plans or Denied(_("Only the Director and the strategic planning officer bring a plan in."))


def may_plan(user: User) -> Allowed:
    """Director and strategic planning officer create strategies and plans (Article 8.4.2)."""
    return user.imports_plans or Denied(
        _("Only the Director and the strategic planning officer create strategies and plans.")
    )


def may_plan_locally(user: User) -> Allowed:
    """Whoever drafts plans, and local coordinators for a plan of their area."""
    return (
        user.imports_plans
        or bool(user.district_codes or user.municipality_codes)
        or Denied(_("Only the office and local coordinators create plans."))
    )


def is_in_area(user: User, plan: Plan) -> bool:
    """Whether the plan is one of the area that this person is local coordinator of (`strategy.models.in_area` in SQL)."""
    if plan.kind != PlanKind.LOCAL:
        return False
    if plan.municipality is None:
        return plan.district_id in user.district_codes
    return plan.municipality_id in user.municipality_codes or plan.municipality.district_id in user.district_codes


def may_draft(user: User, plan: Plan) -> Allowed:
    """The Director and the strategic planning officer draft every plan, a local coordinator those of the own area."""
    return (
        user.imports_plans
        or is_in_area(user, plan)
        or Denied(
            _("Only the Director and the strategic planning officer draft a plan; a local one also its coordinator.")
        )
    )


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
