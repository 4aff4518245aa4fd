"""Pages of proposals for change: the list, the form, the decision, the way into an amendment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc import exports
from onatc.errors import Refused, refusals_on, require
from onatc.history import history_of
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Decision, Institution
from stakeholders.views.records import confirm_page
from strategy import access
from strategy.actions import proposals as actions
from strategy.actions.consultation import is_in_draft
from strategy.forms.drafting import DecisionForm, ProposalFilterForm, ProposalForm
from strategy.models import Measure, Plan, Proposal, ProposalOrigin, ProposalState
from strategy.queries import drafting
from strategy.queries.drafting import field_label
from strategy.queries.plan import current_plan
from strategy.views.take_over import take_over_page

PAGE_SIZE = 50


def _list(request: SignedInRequest) -> tuple[Any, Any, Any]:
    """The filter, the proposals before the state is asked, and after."""
    require(request.user.sees_plan)
    visible = Proposal.objects.visible_to(request.user)
    bodies = (
        Institution.objects.visible_to(request.user)
        .filter(pk__in=visible.order_by().values("institution"))
        .order_by(SortKey("name"))
    )
    form = ProposalFilterForm(request.GET, user=request.user, institutions=bodies)
    rows = drafting.narrowed_proposals(visible, form.cleaned_data)
    state = form.cleaned_data.get("state")
    chosen = rows.filter(state=state) if state else rows
    return form, rows, chosen.select_related("measure", "institution", "author", "plan").order_by("-submitted_at", "pk")


@require_safe
def proposal_list(request: SignedInRequest) -> HttpResponse:
    form, before, rows = _list(request)
    counts = dict(before.order_by().values_list("state").annotate(Count("pk")))
    return render(
        request,
        "strategy/proposal_list.html",
        {
            "filter": {"form": form, "chosen": form.cleaned_data},
            "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
            "counts": [(code, label, counts[code]) for code, label in ProposalState.choices if counts.get(code)],
            "total": sum(counts.values()),
            "may_propose": request.user.is_secretariat,
        },
    )


@require_safe
def proposal_export(request: SignedInRequest) -> HttpResponseBase:
    _form, _before, rows = _list(request)
    plan = current_plan(request.user)
    if plan is None:
        raise Http404
    head = [
        _("submitted"), _("action plan"), _("code"), _("measure"), _("comes from"), _("which review or meeting"),
        _("institution"), _("what it is about"), _("proposal"), _("wording then"), _("proposed wording"), _("state"),
        _("decided"), _("decided by"), _("reason"),
    ]  # fmt: skip

    def table() -> Iterator[list[Any]]:
        for one in rows.select_related("decided_by").iterator(chunk_size=500):
            yield [
                timezone.localdate(one.submitted_at),
                str(one.plan.title),
                one.measure.code if one.measure else "",
                str(one.measure.title) if one.measure else _("the plan as a whole"),
                one.get_origin_display(),
                one.origin_reference,
                str(one.institution.name) if one.institution else "",
                field_label(one.field),
                one.text,
                one.wording,
                one.proposed,
                one.get_state_display(),
                timezone.localdate(one.decided_at) if one.decided_at else None,
                str(one.decided_by or ""),
                one.reason,
            ]

    return exports.as_file("proposals", head, table(), form=request.GET.get("format", ""), to=request.user, of=plan)


@require_http_methods(["GET", "POST"])
def proposal_create(request: SignedInRequest) -> HttpResponse:
    """On the measure that the address names; the secretariat also on a plan as a whole."""
    require(request.user.sees_plan)
    measure = plan = None
    if request.GET.get("measure"):
        measure = _named(
            Measure.objects.visible_to(request.user).select_related("version__plan", "lead"), request.GET["measure"]
        )
        plan = measure.version.plan
    elif request.GET.get("plan"):
        plan = _named(Plan.objects.visible_to(request.user), request.GET["plan"])
    else:
        plan = current_plan(request.user)
    require(access.may_propose(request.user, measure))
    if plan is None:
        raise Http404
    bodies: list[Any] = []
    if measure is not None:
        near = {measure.lead_id, *measure.partnerships.values_list("institution", flat=True)}
        bodies = list(near & request.user.institution_ids)
    form = ProposalForm(
        request.POST or None,
        thing=measure,
        institutions=bodies,
        user=request.user,
        key=request.GET.get("field", ""),
        decision=_asked_decision(request),
        initial={"origin": ProposalOrigin.REVIEW} if request.user.is_secretariat else {},
    )
    if request.method == "POST" and form.is_valid() and "preview" not in request.POST:
        names = ("origin", "origin_reference", "institution", "decision")
        said = {name: form.cleaned_data[name] for name in names if name in form.cleaned_data}
        with refusals_on(form):
            proposal = actions.propose(plan, form.remark(), by=request.user, **said)
            messages.success(request, _("The proposal waits for a decision."))
            return redirect(proposal)
    return render(
        request,
        "strategy/proposal_create.html",
        {
            "form": form,
            "plan": plan,
            "measure": measure,
            "wordings": form.wordings(),
            "shown": form.shown_difference(),
            "cancel_url": measure.get_absolute_url() if measure else reverse("strategy:proposal-list"),
        },
    )


def _named(rows: Any, value: str) -> Any:
    try:
        return get_object_or_404(rows, pk=uuid.UUID(value))
    except ValueError as error:
        raise Http404 from error


def _proposal(request: SignedInRequest, pk: uuid.UUID) -> Proposal:
    return get_object_or_404(
        Proposal.objects.visible_to(request.user).select_related(
            "plan",
            "measure__lead",
            "measure__version__plan",
            "institution",
            "author",
            "decided_by",
            "amendment__plan",
            "decision",
        ),
        pk=pk,
    )


@require_safe
def proposal_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    user = request.user
    is_accepted = proposal.state == ProposalState.ACCEPTED
    draft = drafting.draft_of(proposal.plan_id) if is_accepted else None
    may_amend = is_accepted and draft is not None and bool(access.may_amend(user))
    is_written = is_accepted and is_in_draft(draft, proposal.measure, proposal)
    return render(
        request,
        "strategy/proposal_detail.html",
        {
            "proposal": proposal,
            "sees_decision": proposal.decision_id
            and Decision.objects.visible_to(user).filter(pk=proposal.decision_id).exists(),
            "sees_measure": Measure.objects.visible_to(user).filter(proposals=proposal).exists(),
            "may_decide": proposal.state == ProposalState.SUBMITTED
            and bool(access.may_decide_proposal(user, proposal)),
            "may_withdraw": proposal.state == ProposalState.SUBMITTED
            and bool(access.may_withdraw_proposal(user, proposal)),
            "may_attach": may_amend and draft is not None and proposal.amendment_id != draft.pk,
            "may_take_over": may_amend
            and not is_written
            and bool(proposal.proposed)
            and drafting.can_be_taken_over(proposal.field),
            "is_written": is_written,
            "waits": is_accepted and proposal.amendment is None,
            "sees_draft": user.is_office,
            "history": history_of(proposal),
        },
    )


@require_http_methods(["GET", "POST"])
def proposal_decide(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    require(access.may_decide_proposal(request.user, proposal))
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        is_accepted = form.cleaned_data["decision"] == "accept"
        with refusals_on(form):
            actions.decide_proposal(
                proposal, by=request.user, is_accepted=is_accepted, reason=form.cleaned_data["reason"]
            )
            messages.success(
                request,
                _("The proposal is accepted.") if is_accepted else _("The proposal is refused, with your reason."),
            )
            return redirect(proposal)
    return render(
        request,
        "strategy/proposal_decide.html",
        {"form": form, "proposal": proposal, "cancel_url": proposal.get_absolute_url()},
    )


@require_http_methods(["GET", "POST"])
def proposal_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    require(access.may_withdraw_proposal(request.user, proposal))
    return confirm_page(
        request,
        lambda: actions.withdraw_proposal(proposal, by=request.user),
        title=_("Withdraw the proposal"),
        question=_("Nobody decides it then; it stays in the list as withdrawn. Withdraw it?"),
        label=_("Withdraw"),
        back=proposal,
        done=_("The proposal is withdrawn."),
    )


@require_POST
def proposal_attach(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    require(access.may_amend(request.user))
    try:
        draft = actions.put_into_amendment(proposal, by=request.user)
        messages.success(
            request, _("The proposal belongs to the draft of version %(number)d.") % {"number": draft.number}
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(proposal)


@require_http_methods(["GET", "POST"])
def proposal_take_over(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    proposal = _proposal(request, pk)
    require(access.may_amend(request.user))
    return take_over_page(
        request,
        lambda: actions.take_over(proposal, by=request.user),
        proposal,
        thing=proposal.measure,
        back=proposal.get_absolute_url(),
    )


def _asked_decision(request: SignedInRequest) -> Decision | None:
    """The decision of a meeting that the address names."""
    if not request.GET.get("decision"):
        return None
    return _named(Decision.objects.visible_to(request.user), request.GET["decision"])  # type: ignore[no-any-return]
