"""Who may do what in strategy and action plan. Each predicate says why not when it can."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.access import may_keep_events
from stakeholders.models import ActionPoint, Role
from strategy.models import (
    Comment,
    Consultation,
    EntryState,
    FilteredPage,
    LegalInput,
    LegalInputState,
    Measure,
    Plan,
    PlanKind,
    PlanVersion,
    PointMeasure,
    Practice,
    ProgressEntry,
    ProgressRequest,
    Proposal,
    Round,
    SavedFilter,
    Study,
    Trend,
    TrendState,
    VersionState,
)
from strategy.models.seeing import RIGHTS

if TYPE_CHECKING:
    from stakeholders.models import User

Allowed = bool | Denied


def may_import(user: User) -> Allowed:
    """Director and strategic planning officer: they draft the plan (Article 8.4.2)."""
    return user.imports_plans or Denied(_("Only the Director and the strategic planning officer bring a plan in."))


def may_take_out(user: User) -> Allowed:
    """A plan as a file shows every measure: for those who see the whole plan."""
    return user.sees_whole_plan or Denied(_("Only those who see the whole plan take it out as a file."))


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


def may_see_checks(user: User) -> Allowed:
    """The office and the NATC: which entries are checked, and what was said and what was found."""
    return user.is_office or Denied(_("Only the office sees which reports are checked."))


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


def may_report_in(user: User, round_: Round, institution_id: uuid.UUID) -> Allowed:
    """Focal points and local coordinators of an institution that was asked: its workbook, its asking for more time."""
    return (
        institution_id in user.institution_ids
        and round_.requests.filter(institution=institution_id, waived_reason="").exists()
    ) or Denied(_("Only the focal point of an institution that was asked reports in this round."))


def may_delegate(user: User, request: ProgressRequest) -> Allowed:
    """Whoever reports for the institution hands a request to a colleague who does too."""
    if request.is_waived or not request.round.is_open:
        return Denied(_("Only what is asked for in an open round is handed to a colleague."))
    return may_report(user, request)


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


def may_edit_content(user: User, version: PlanVersion) -> Allowed:
    """Whoever drafts the plan, on what belongs to the measures of a draft, unless it lies before others in a consultation:
    who comments and who answers must look at the same text."""
    if version.state != VersionState.DRAFT:
        return Denied(_("Only a draft can be changed. A plan in force is amended by a new version."))
    allowed = may_draft(user, version.plan)
    if allowed and version.open_consultation is not None:
        return Denied(_("The draft is in consultation and does not change until that is over."))
    return allowed


def may_record_on(user: User, measure: Measure) -> Allowed:
    """Milestones reached, money committed and spent: those who report for the lead institution, and those who review;
    on the version in force alone."""
    if measure.version.state != VersionState.ADOPTED:
        return Denied(_("This is recorded on the version in force."))
    return _leads_or_reviews(user, measure)


def may_add_document(user: User, measure: Measure) -> Allowed:
    """The whole secretariat and those who report for the lead institution, also on a draft for whoever sees it; not on a
    version that is over."""
    if measure.version.state not in (VersionState.DRAFT, VersionState.ADOPTED):
        return Denied(_("This version is no longer in force."))
    return user.is_secretariat or _leads_or_reviews(user, measure)


def _leads_or_reviews(user: User, measure: Measure) -> Allowed:
    return (
        user.reviews_progress
        or measure.lead_id in user.institution_ids
        or Denied(_("Only the focal point of the lead institution and the office record this."))
    )


def may_assess_rights(user: User, measure: Measure | None = None) -> Allowed:
    """Director, strategic planning and M&E officers (Article 8.4.7 is the office's task), on a draft too: what is wrong
    should be found before a plan is adopted."""
    if not user.reviews_progress:
        return Denied(_("Only the office checks a measure against human rights."))
    if measure is not None and measure.version.state not in (VersionState.DRAFT, VersionState.ADOPTED):
        return Denied(_("This version is no longer in force."))
    return True


def may_keep_recommendations(user: User) -> Allowed:
    """The whole secretariat: whoever reads a report of GRETA or answers a questionnaire enters what it recommends."""
    return user.is_secretariat or Denied(_("Only the office keeps the recommendations."))


# Legal inputs (Article 8.4.1) and research (Article 8.4.3)


def may_keep_legal(user: User) -> Allowed:
    """Director and strategic planning officer keep the register of legal acts and write the office's answers."""
    return user.has_role(Role.DIRECTOR, Role.PLANNING) or Denied(
        _("Only the Director and the strategic planning officer keep the register of legal acts.")
    )


def may_take_back_stage(user: User) -> Allowed:
    return user.has_role(Role.DIRECTOR) or Denied(_("Only the Director takes a stage back."))


def may_edit_input(user: User, input_: LegalInput) -> Allowed:
    if input_.is_sent:
        return Denied(_("What was sent never changes; correct it by a new input."))
    return may_keep_legal(user)


def may_decide_input(user: User, input_: LegalInput) -> Allowed:
    """The Director approves what leaves the office, or gives it back."""
    if input_.state not in (LegalInputState.DRAFT, LegalInputState.SUBMITTED):
        return Denied(_("Only what is not approved yet can be approved or given back."))
    return user.has_role(Role.DIRECTOR) or Denied(_("Only the Director approves what the office sends."))


def may_send_input(user: User, input_: LegalInput) -> Allowed:
    if input_.state != LegalInputState.APPROVED:
        return Denied(_("Only what the Director approved is sent."))
    return may_keep_legal(user)


def may_follow_input(user: User, input_: LegalInput) -> Allowed:
    """What became of an answer, and its correction."""
    if not input_.is_sent:
        return Denied(_("It was not sent yet."))
    return may_keep_legal(user)


def may_research(user: User) -> Allowed:
    """Director, strategic planning and M&E officers keep studies, practices and trends."""
    return user.has_role(Role.DIRECTOR, Role.PLANNING, Role.MONITORING) or Denied(
        _("Only the Director, the strategic planning and the monitoring and evaluation officers keep research.")
    )


def may_edit_publication(user: User, record: Study | Practice) -> Allowed:
    if record.published_on is not None:
        return Denied(_("What is published does not change; the Director takes the publication back first."))
    return may_research(user)


def may_decide_research(user: User) -> Allowed:
    """The Director approves studies and publishes them, and best practices."""
    return user.has_role(Role.DIRECTOR) or Denied(_("Only the Director approves studies and publishes research."))


def may_review_trend(user: User, trend: Trend) -> Allowed:
    if trend.noted_by_id == user.pk:
        return Denied(_("Nobody reviews what they noted."))
    return may_research(user)


def may_edit_trend(user: User, trend: Trend) -> Allowed:
    if trend.state != TrendState.NOTED:
        return Denied(_("A reviewed trend does not change; review it again, or note a new one."))
    return may_research(user)


def may_see_matrix(user: User) -> Allowed:
    """How every institution reports is for the office and the NATC; an institution sees its own rounds."""
    return user.sees_matrix or Denied(_("Only the secretariat and the NATC see how all institutions report."))


def may_open_page(user: User, page: str) -> Allowed:
    """A filter is kept of a page that its owner may open."""
    return page in RIGHTS and bool(getattr(user, RIGHTS[FilteredPage(page)]))


def may_change_filter(user: User, saved: SavedFilter) -> Allowed:
    return saved.owner_id == user.pk or Denied(_("Only its owner changes or deletes a saved filter."))


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


def may_link_point(user: User, point: ActionPoint) -> Allowed:
    """The office, and whoever reports for the owner of the action point."""
    return (
        user.is_secretariat
        or point.owner_id in user.institution_ids
        or Denied(_("Only the office and the owner of the action point link it with measures."))
    )


def may_unlink_point(user: User, link: PointMeasure) -> Allowed:
    """The office, and whoever linked them while they report for the owner."""
    return (
        user.is_secretariat
        or (link.by_id == user.pk and link.point.owner_id in user.institution_ids)
        or Denied(_("Only the office and whoever linked them take it off."))
    )


# Events and campaigns


def may_link_event(user: User) -> bool | Denied:
    """Who keeps events says which measures they carry out."""
    return may_keep_events(user)
