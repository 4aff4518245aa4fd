"""Pages of decisions and of the action points that follow from them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from onatc import exports
from onatc.errors import proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import written_in
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import decisions as actions
from stakeholders.forms.decisions import (
    CloseForm,
    DecisionForm,
    DropForm,
    EndForm,
    GiveForm,
    MoveForm,
    PointForm,
    ProgressForm,
    ReopenForm,
    StepForm,
)
from stakeholders.models import (
    ActionPoint,
    AgendaItem,
    Decision,
    DecisionState,
    Meeting,
    PointFile,
    PointState,
    PointStep,
)
from stakeholders.queries.decisions import STANDINGS, bodies_in, mine, stands, with_standing
from stakeholders.related import evidence_for, sections_of, sources_of
from stakeholders.views.records import as_file, choices_of, form_page, in_order, list_page

# Decisions


def _decisions(request: SignedInRequest) -> RegisterFilter:
    decisions = Decision.objects.visible_to(request.user)
    years = decisions.order_by("-year").values_list("year", flat=True).distinct()
    return RegisterFilter(
        request.GET,
        decisions,
        selects={
            "state": (_("State"), list(DecisionState.choices)),
            "body": (_("Body"), bodies_in(decisions, "body")),
            "year": (_("Year"), [(year, str(year)) for year in years]),
        },
        narrow={"state": "state", "body": "body", "year": "year"},
        counted="state",
        kept="words",
        sorts={"number": "number", "decided": "decided_on", "body": "body__code", "state": "state"},
        usual="-decided",
    )


def _visible_points(user: Any) -> Q:
    return Q(action_points__in=ActionPoint.objects.visible_to(user).values("pk"))


@require_safe
def decision_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found, user = _decisions(request), request.user
    return list_page(
        request, "stakeholders/decision_list.html", found, found.keys(), prepare=lambda keys: _with_points(keys, user)
    )


def _with_points(keys: Any, user: Any) -> list[Any]:
    """The decisions of a page, each with the number of its visible points and of those that are done."""
    shown = list(keys)
    points = ActionPoint.objects.visible_to(user).filter(decision__in=shown).order_by()
    counted = points.values_list("decision").annotate(of=Count("pk"), done=Count("pk", filter=Q(state=PointState.DONE)))
    counts = {decision: (of, done) for decision, of, done in counted}
    rows: list[Any] = in_order(Decision.objects.select_related("body", "meeting"), shown)
    for row in rows:
        row.point_count, row.done_count = counts.get(row.pk, (0, 0))
    return rows


@require_safe
def decision_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("number"), _("body"), _("decided on"), _("decision"), _("basis"), _("how it was taken"), _("votes for"),
        _("votes against"), _("abstentions"), _("state"), _("replaced or revoked by"), _("meeting"),
        _("action points"), _("of which done"),
    ]  # fmt: skip
    rows = _decisions(request).ordered().select_related("body", "meeting", "ended_by")
    shown = _visible_points(request.user)
    rows = rows.annotate(
        point_count=Count("action_points", filter=shown),
        done_count=Count("action_points", filter=shown & Q(action_points__state=PointState.DONE)),
    )

    def row(one: Any) -> list[Any]:
        return [
            one.label, str(one.body or ""), one.decided_on, str(one.text), one.basis, one.get_way_display(),
            one.votes_for, one.votes_against, one.votes_abstained, one.get_state_display(),
            one.ended_by.label if one.ended_by else "", str(one.meeting), one.point_count, one.done_count,
        ]  # fmt: skip

    return as_file(request, "decisions", head, rows, row)


def _decision(request: SignedInRequest, pk: uuid.UUID) -> Decision:
    return get_object_or_404(
        Decision.objects.visible_to(request.user).select_related(
            "meeting__body", "body", "item", "ended_by", "created_by"
        ),
        pk=pk,
    )


def _sees_meeting(user: Any, record: Any) -> bool:
    """What gave an institution something to do, it sees; the meeting itself only who was called."""
    return Meeting.objects.visible_to(user).filter(pk=record.meeting_id).exists()


@require_safe
def decision_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    decision, user = _decision(request, pk), request.user
    is_office = user.is_secretariat or user.is_natc
    points = with_standing(ActionPoint.objects.visible_to(user).filter(decision=decision))
    visible = Decision.objects.visible_to(user)
    return render(
        request,
        "stakeholders/decision_detail.html",
        {
            "decision": decision,
            "points": list(points.select_related("owner").order_by("due_on", "pk")),
            "sees_meeting": _sees_meeting(user, decision),
            "sees_later": decision.ended_by_id and visible.filter(pk=decision.ended_by_id).exists(),
            "ends": list(visible.filter(ended_by=decision)),
            "sections": sections_of(decision, user),
            "may_edit": bool(access.may_decide_at(user, decision.meeting)),
            "may_end": decision.state == DecisionState.IN_FORCE and bool(access.may_end_decision(user, decision)),
            "may_give_points": bool(access.may_give_points(user, decision.meeting)),
            "history": history_of(decision) if is_office else None,
        },
    )


def _meeting(request: SignedInRequest, pk: uuid.UUID) -> Meeting:
    return get_object_or_404(Meeting.objects.visible_to(request.user).select_related("body"), pk=pk)


def _named(request: SignedInRequest, name: str, records: Any) -> Any:
    """The record whose key the address names, if it is one of these."""
    try:
        return records.filter(pk=uuid.UUID(request.GET.get(name, ""))).first()
    except ValueError:
        return None


@require_http_methods(["GET", "POST"])
def decision_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Of the meeting that the address names; `?item=` is the point of the agenda."""
    meeting = _meeting(request, pk)
    require(access.may_decide_at(request.user, meeting))
    item = _named(request, "item", AgendaItem.objects.visible_to(request.user).filter(meeting=meeting))
    form = DecisionForm(request.POST or None, user=request.user, instance=Decision(meeting=meeting, item=item))
    return form_page(
        request,
        form,
        lambda: actions.record_decision(form.cleaned_data["key"], meeting, form.values(), by=request.user),
        title=_("Record a decision"),
        lead=_("Decided by the meeting “%(meeting)s”. The number is given automatically.") % {"meeting": meeting},
        cancel_url=meeting.get_absolute_url(),
        done=_("The decision is on record with its number."),
        submit=_("Record the decision"),
    )


@require_http_methods(["GET", "POST"])
def decision_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    decision = _decision(request, pk)
    require(access.may_decide_at(request.user, decision.meeting))
    form = DecisionForm(request.POST or None, user=request.user, instance=decision)
    return form_page(
        request,
        form,
        lambda: actions.change_decision(
            decision, form.values(), by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=_("Decision %(number)s") % {"number": decision.label},
        lead=_("Until the minutes are adopted, what was written can be corrected."),
        cancel_url=decision.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
@proof_required
def decision_end(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    decision = _decision(request, pk)
    require(access.may_end_decision(request.user, decision))
    form = EndForm(request.POST or None, decision=decision, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.end_decision(decision, by=request.user, **form.cleaned_data),
        title=_("Replace or revoke decision %(number)s") % {"number": decision.label},
        lead=_("A decision stays on record as it was taken. A later one takes its place; this cannot be taken back."),
        cancel_url=decision.get_absolute_url(),
        done=_("The decision is not in force any more."),
        submit=_("Replace or revoke"),
    )


# Action points


def _points(request: SignedInRequest) -> RegisterFilter:
    user, today = request.user, timezone.localdate()
    points = with_standing(ActionPoint.objects.visible_to(user))
    selects: dict[str, Any] = {
        "standing": (_("State"), STANDINGS),
        "due": (_("Due"), [("open", _("open, overdue or not")), ("week", _("within seven days"))]),
        "whose": (_("Whose"), [("mine", _("mine")), ("person", _("given to me"))]),
        "body": (_("Body"), bodies_in(points, "meeting__body")),
        "owner": (pgettext("action point", "Owner"), choices_of(points, "owner")),
    }
    narrow: dict[str, Any] = {
        "standing": lambda value: stands(value, today),
        "due": lambda value: (
            Q(state=PointState.OPEN) & (Q(due_on__range=(today, today + timedelta(days=7))) if value == "week" else Q())
        ),
        "whose": lambda value: mine(user) if value == "mine" else Q(person=user),
        "body": "meeting__body",
        "owner": "owner",
    }
    for source in sources_of(ActionPoint):
        if source.choices is not None and source.narrow is not None:
            selects[source.key] = (source.label, source.choices(user))
            narrow[source.key] = source.narrow
    return RegisterFilter(
        request.GET,
        points,
        selects=selects,
        narrow=narrow,
        counted="standing",
        kept="words",
        sorts={
            "open": "open_due",
            "due": "due_on",
            "owner": "owner__code",
            "closed": "closed_at",
            "recorded": "created_at",
        },
        usual="open",
    )


def _with_related(points: list[ActionPoint], user: Any) -> list[ActionPoint]:
    """Each with `related`, what lists show of it: the records by which a list can be asked."""
    rows = list(points)
    for source in sources_of(ActionPoint):
        if source.narrow is not None:
            found = source.found(rows, user)
            for row in rows:
                row.related = [*getattr(row, "related", []), *found.get(row.pk, [])]  # type: ignore[attr-defined]
    return rows


@require_safe
def action_point_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _points(request)
    whole = with_standing(ActionPoint.objects.select_related("owner", "decision", "meeting__body"))
    return list_page(
        request,
        "stakeholders/action_point_list.html",
        found,
        found.keys(),
        prepare=lambda keys: _with_related(in_order(whole, keys), request.user),
        today=timezone.localdate(),
    )


@require_safe
def action_point_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [
        _("what is to be done"), pgettext("action point", "owner"), _("due on"), _("first due on"), _("state"), _("closed on"),
        _("what came of it"), _("decision"), _("body"), _("meeting"), _("related records"),
    ]  # fmt: skip
    rows = _points(request).ordered().select_related("owner", "decision", "meeting__body")
    labels = dict(STANDINGS)

    def table() -> Iterator[list[Any]]:
        start = 0
        while page := _with_related(list(rows[start : start + 500]), request.user):
            start += 500
            for one in page:
                yield [
                    str(one.title), str(one.owner.name), one.due_on, one.first_due_on, str(labels[one.standing]),  # type: ignore[attr-defined]
                    timezone.localdate(one.closed_at) if one.closed_at else None, one.outcome,
                    one.decision.label if one.decision else "", str(one.meeting.body or ""), str(one.meeting),
                    ", ".join(related.short for related in one.related),  # type: ignore[attr-defined]
                ]  # fmt: skip

    return exports.as_file(
        "action-points", [str(one) for one in head], table(), form=request.GET.get("format", ""),
        to=request.user, of=request.user,
    )  # fmt: skip


def _point(request: SignedInRequest, pk: uuid.UUID) -> ActionPoint:
    return get_object_or_404(
        with_standing(ActionPoint.objects.visible_to(request.user)).select_related(
            "meeting__body", "item", "decision", "owner", "person", "closed_by", "created_by"
        ),
        pk=pk,
    )


@require_safe
def action_point_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point, user = _point(request, pk), request.user
    is_office = user.is_secretariat or user.is_natc
    steps = list(
        PointStep.objects.visible_to(user)
        .filter(point=point)
        .select_related("by")
        .prefetch_related(Prefetch("files", PointFile.objects.visible_to(user)))
        .order_by("at", "pk")
    )
    sections = sections_of(point, user)
    recorded = {row.url: row for section in sections for row in section.rows if section.source.is_evidence}
    for step in steps:
        # An address within the application is that of a record, shown to whoever may see it.
        step.record = recorded.get(step.link) if step.link.startswith("/") else None  # type: ignore[attr-defined]
    return render(
        request,
        "stakeholders/action_point_detail.html",
        {
            "point": point,
            "standing_label": dict(STANDINGS)[point.standing],  # type: ignore[attr-defined]
            "steps": steps,
            "outcome": _outcome(point, steps),
            "sections": sections,
            "sees_meeting": _sees_meeting(user, point),
            "sees_decision": point.decision_id
            and Decision.objects.visible_to(user).filter(pk=point.decision_id).exists(),
            "may_work": bool(access.may_work_on(user, point)),
            "may_steer": bool(access.may_steer(user, point)),
            "may_word": bool(access.may_word_point(user, point)),
            "is_owner": point.owner_id in user.institution_ids,
            "days_late": (timezone.localdate() - point.due_on).days if point.is_overdue else 0,
            "history": history_of(point, *steps) if is_office else None,
        },
    )


def _outcome(point: ActionPoint, steps: list[PointStep]) -> str:
    """What came of it, in the language of the step that said so."""
    said = [step.language for step in steps if step.text == point.outcome]
    return written_in(point.outcome, said[-1]) if said else point.outcome


@require_http_methods(["GET", "POST"])
def action_point_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """From the meeting that the address names; `?decision=` or `?item=` is what it comes from."""
    meeting = _meeting(request, pk)
    require(access.may_give_points(request.user, meeting))
    decision = _named(request, "decision", Decision.objects.visible_to(request.user).filter(meeting=meeting))
    item = _named(request, "item", AgendaItem.objects.visible_to(request.user).filter(meeting=meeting))
    point = ActionPoint(meeting=meeting, decision=decision, item=item or (decision.item if decision else None))
    form = PointForm(request.POST or None, user=request.user, instance=point)
    return form_page(
        request,
        form,
        lambda: actions.make_point(form.cleaned_data["key"], meeting, form.values(), by=request.user),
        title=_("Add an action point"),
        lead=str(decision) if decision else str(meeting),
        cancel_url=(decision or meeting).get_absolute_url(),
        done=_("The action point is on record; its owner sees it."),
        submit=_("Add it"),
    )


@require_http_methods(["GET", "POST"])
def action_point_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = _point(request, pk)
    require(access.may_word_point(request.user, point))
    form = PointForm(request.POST or None, user=request.user, instance=point)
    return form_page(
        request,
        form,
        lambda: actions.word_point(point, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=_("Change the action point"),
        lead=_("Until the minutes are adopted, what was written can be corrected."),
        cancel_url=point.get_absolute_url(),
        done=_("Saved."),
    )


def _step_page(
    request: SignedInRequest, point: ActionPoint, form: StepForm, act: Callable[[dict[str, Any]], ActionPoint], **words: Any
) -> HttpResponse:  # fmt: skip
    return form_page(
        request, form, lambda: act(form.cleaned_data), lead=str(point.title), cancel_url=point.get_absolute_url(), **words
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def action_point_progress(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = _point(request, pk)
    require(access.may_work_on(request.user, point))
    form = ProgressForm(request.POST or None, request.FILES or None, point=point, user=request.user)
    return _step_page(
        request,
        point,
        form,
        lambda said: actions.record_progress(
            said["key"], point, by=request.user, text=said["text"], language=said["language"], link=said["link"],
            files=said["attachments"],
        ),
        title=_("Record progress"),
        done=_("The progress is on record."),
        submit=_("Record it"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def action_point_close(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = _point(request, pk)
    require(access.may_work_on(request.user, point))
    form = CloseForm(
        request.POST or None, request.FILES or None, point=point, user=request.user,
        recorded=evidence_for(point, request.user), has_evidence=actions.has_evidence(point),
    )  # fmt: skip
    return _step_page(
        request,
        point,
        form,
        lambda said: actions.close_point(
            point, by=request.user, outcome=said["text"], language=said["language"],
            link=said["link"] or said.get("record", ""), files=said["attachments"],
        ),
        title=_("Close the action point"),
        done=_("The action point is done."),
        submit=_("It is done"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def action_point_move(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = _point(request, pk)
    require(access.may_steer(request.user, point))
    form = MoveForm(request.POST or None, point=point, user=request.user)
    return _step_page(
        request,
        point,
        form,
        lambda said: actions.move_point(
            point, by=request.user, due_on=said["due_on"], reason=said["text"], language=said["language"],
            revision=said["revision"],
        ),
        title=_("Give a new date"),
        done=_("The action point has its new date."),
        submit=_("Give the new date"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def action_point_give(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = _point(request, pk)
    require(access.may_steer(request.user, point))
    form = GiveForm(request.POST or None, point=point, user=request.user)
    return _step_page(
        request,
        point,
        form,
        lambda said: actions.give_point(
            point, by=request.user, owner=said["owner"], person=said["person"], reason=said["text"],
            language=said["language"], revision=said["revision"],
        ),
        title=_("Give the action point to another owner"),
        done=_("The action point has its new owner."),
        submit=_("Give it to another"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def action_point_drop(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = _point(request, pk)
    require(access.may_steer(request.user, point))
    form = DropForm(request.POST or None, point=point, user=request.user)
    return _step_page(
        request,
        point,
        form,
        lambda said: actions.drop_point(point, by=request.user, reason=said["text"], language=said["language"]),
        title=_("Drop the action point"),
        done=_("The action point is dropped."),
        submit=_("Drop it"),
    )


@require_http_methods(["GET", "POST"])
def action_point_reopen(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    point = _point(request, pk)
    require(access.may_steer(request.user, point))
    form = ReopenForm(request.POST or None, point=point, user=request.user)
    return _step_page(
        request,
        point,
        form,
        lambda said: actions.reopen_point(
            point, by=request.user, due_on=said["due_on"], reason=said["text"], language=said["language"],
            revision=said["revision"],
        ),
        title=_("Open the action point again"),
        done=_("The action point is open again."),
        submit=_("Open it again"),
    )  # fmt: skip


@require_safe
def action_point_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(PointFile.objects.visible_to(request.user).select_related("point"), pk=pk)
    return serve(file, to=request.user, owner_id=file.point.owner_id, plain=True)
