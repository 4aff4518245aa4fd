"""Proposals for change while a plan runs: submitted, decided with a reason, put into an amendment, in the plan with it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail
from onatc.errors import Refused, require
from stakeholders.models import Decision, Institution, User
from strategy import access
from strategy.actions.consultation import LONGEST_REASON, Remark, check_remark, write_wording
from strategy.models import (
    Measure,
    Plan,
    PlanVersion,
    Proposal,
    ProposalOrigin,
    ProposalState,
    VersionState,
)
from strategy.queries.drafting import Thing, and_replaced_before, draft_of


@transaction.atomic
def propose(
    plan: Plan,
    remark: Remark,
    *,
    by: User,
    origin: str = ProposalOrigin.INSTITUTION,
    origin_reference: str = "",
    institution: Institution | None = None,
    decision: Decision | None = None,
) -> Proposal:
    """A proposal on a measure in force, or (the secretariat's) on the plan. The same form sent twice is one proposal."""
    measure = remark.thing if isinstance(remark.thing, Measure) else None
    require(access.may_propose(by, measure))
    Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    if not plan.versions.filter(state=VersionState.ADOPTED).exists():
        raise Refused(_("The plan is not in force; what is to change in a draft is said in its consultation."))
    if remark.thing is not None and (measure is None or measure.version.plan_id != plan.pk):
        raise Refused(_("The measure belongs to another plan."))
    if measure is not None and measure.version.state != VersionState.ADOPTED:
        raise Refused(_("Propose on the measure as it is in force."))
    check_remark(remark)
    if origin not in ProposalOrigin.values:
        raise Refused(_("Say where the proposal comes from."))
    if origin == ProposalOrigin.INSTITUTION and institution is None:
        raise Refused(_("Say which institution proposes it."))
    if origin != ProposalOrigin.INSTITUTION and not origin_reference.strip():
        raise Refused(_("Say which review or meeting it comes from."))
    if decision is not None and origin != ProposalOrigin.MEETING:
        raise Refused(_("Only what comes from a meeting names a decision."))
    if not by.is_secretariat and (origin != ProposalOrigin.INSTITUTION or institution.pk not in by.institution_ids):  # type: ignore[union-attr]
        raise Refused(_("You propose in the name of your own institution."))
    values: dict[str, Any] = {
        "plan": plan, "measure": measure, "origin": origin, "origin_reference": origin_reference.strip(),
        "institution": institution, "author": by, "field": remark.field, "text": remark.text.strip(),
        "proposed": remark.proposed.strip(), "decision": decision,
    }  # fmt: skip
    same = Proposal.objects.filter(**values, state=ProposalState.SUBMITTED).first()
    if same is not None:
        return same
    return Proposal.objects.create(
        **values, wording=remark.wording if remark.proposed.strip() else "", language=remark.language
    )


@transaction.atomic
def decide_proposal(proposal: Proposal, *, by: User, is_accepted: bool, reason: str) -> Proposal:
    """Accept or refuse, with the reason. An accepted one goes into the open draft of the plan; when there is none it waits
    for the next. Of two who decide at once one wins and the other is told."""
    proposal = _locked(proposal)
    require(access.may_decide_proposal(by, proposal))
    if proposal.state != ProposalState.SUBMITTED:
        raise Refused(_already(proposal))
    if not reason.strip():
        raise Refused(_("A decision needs a reason."))
    if len(reason) > LONGEST_REASON:
        raise Refused(_("A text holds at most %(count)d characters.") % {"count": LONGEST_REASON})
    proposal.state = ProposalState.ACCEPTED if is_accepted else ProposalState.REFUSED
    proposal.decided_by, proposal.decided_at, proposal.reason = by, timezone.now(), reason.strip()
    proposal.amendment = draft_of(proposal.plan_id) if is_accepted else None
    proposal.save(update_fields=["state", "decided_by", "decided_at", "reason", "amendment"])
    if proposal.author_id != by.pk and proposal.author.is_active:
        mail.queue(
            proposal.author,
            occasion=f"proposal-decided:{proposal.pk}:{proposal.author_id}",
            template="proposal_decided",
            context={"proposal": proposal},
            kind=mail.Kind.REVIEW,
        )
    return proposal


@transaction.atomic
def withdraw_proposal(proposal: Proposal, *, by: User) -> None:
    """Its author takes it back before it is decided. Pressed twice it is withdrawn once."""
    proposal = _locked(proposal)
    require(access.may_withdraw_proposal(by, proposal))
    if proposal.state == ProposalState.WITHDRAWN:
        return
    if proposal.state != ProposalState.SUBMITTED:
        raise Refused(_already(proposal))
    proposal.state = ProposalState.WITHDRAWN
    proposal.save(update_fields=["state"])


@transaction.atomic
def put_into_amendment(proposal: Proposal, *, by: User) -> PlanVersion:
    """Attach an accepted proposal that waited to the draft that is open now."""
    require(access.may_amend(by))
    proposal = _locked(proposal)
    if proposal.state != ProposalState.ACCEPTED:
        raise Refused(_("Only an accepted proposal goes into an amendment."))
    draft = draft_of(proposal.plan_id)
    if draft is None:
        raise Refused(_("There is no draft of this plan now. The proposal waits for the next amendment."))
    if proposal.amendment_id != draft.pk:
        proposal.amendment = draft
        proposal.save(update_fields=["amendment"])
    return draft


@transaction.atomic
def take_over(proposal: Proposal, *, by: User) -> Thing:
    """Write the wording of an accepted proposal into the draft. Raises Moved when the draft says something else by now."""
    draft = put_into_amendment(proposal, by=by)
    return write_wording(draft, proposal.measure, proposal)


def attach_accepted(plan: Plan) -> int:
    """Accepted proposals that are not in the plan yet belong to its open draft. Called whenever a draft comes to be, is
    replaced or goes; without one they wait. How many there are."""
    return Proposal.objects.filter(plan=plan, state=ProposalState.ACCEPTED).update(amendment=draft_of(plan.pk))


def enact_proposals(version: PlanVersion) -> int:
    """When a version is adopted, the accepted proposals put into it are in the plan. Called in the transaction that adopts
    it; how many."""
    return Proposal.objects.filter(amendment__in=and_replaced_before(version), state=ProposalState.ACCEPTED).update(
        state=ProposalState.ENACTED, amendment=version
    )


def _locked(proposal: Proposal) -> Proposal:
    """Without who decided: after a wait for the lock, a join would still say that nobody did."""
    return (
        Proposal.objects.select_for_update(of=("self",))
        .select_related("author", "plan", "measure__lead", "measure__version")
        .get(pk=proposal.pk)
    )


def _already(proposal: Proposal) -> Any:
    """What happened to it, in a sentence."""
    if proposal.decided_by is None:
        return _("The proposal was withdrawn meanwhile.")
    return _("This was decided already: %(state)s by %(who)s.") % {
        "state": proposal.get_state_display(),
        "who": proposal.decided_by,
    }
