"""Emergency access, retention, requests of persons and breaches."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Case as Choose
from django.db.models import CharField, Value, When
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access, markers
from nrm.actions import care as actions
from nrm.forms.care import (
    AnswerRequestForm,
    BreachForm,
    CloseBreachForm,
    DestructionForm,
    EmergencyForm,
    EmergencyReviewForm,
    NoNoticeForm,
    NotifyForm,
    RequestForm,
    RuleForm,
)
from nrm.models import (
    Breach,
    BreachState,
    Case,
    CaseParty,
    Destruction,
    EmergencyAccess,
    PersonRequest,
    RetainedKind,
    RetentionRule,
)
from nrm.queries.care import due_cases, falling_due, held_about, months_of
from nrm.retention import notice_clock
from nrm.views.reading import case_of, too_many, too_many_tries, tries_used_up
from onatc import exports, trail
from onatc.errors import Refused, proof_required, proof_required_to_open, require
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders.accounts import SignedInRequest
from stakeholders.views.records import confirm_page, form_page, list_page

# Emergency access


@require_http_methods(["GET", "POST"])
@proof_required
def emergency_open(request: SignedInRequest) -> HttpResponse:
    """A case that is not one's own, by its marker, for a reason; the Director is told before the page opens."""
    require(access.may_open_in_emergency(request.user))
    form = EmergencyForm(request.POST or None)
    is_barred = request.method == "POST" and _tried_too_often(request, form)
    if is_barred:
        form.full_clean()
        form.add_error(None, too_many())

    def act() -> Case:
        case = actions.case_for_emergency(form.cleaned_data["marker"])
        actions.open_in_emergency(case, by=request.user, reason=form.cleaned_data["reason"])
        trail.state_purpose(request, f"case:{case.pk}", form.cleaned_data["reason"][:300])
        return case

    page = form_page(
        request,
        form,
        act,
        title=_("Open a case in an emergency"),
        lead=_("For a person in danger, when the institution of the case cannot be reached. It opens for four hours."),
        cancel_url=reverse("nrm:case-list"),
        done=_("The case is open to you for four hours. The Director was told."),
        submit=_("Open the case and tell the Director"),
        is_grave=True,
    )
    if is_barred:
        page.status_code = 429
    return page


def _tried_too_often(request: SignedInRequest, form: EmergencyForm) -> bool:
    """Markers are not guessed here either (T32): wrong ones count as on any page of cases. Once there were too many, a right
    one is refused too, since whoever tries by chance would be shown each hit."""
    wanted = markers.normalised(request.POST.get("marker", ""))
    if not wanted or tries_used_up(request):
        return bool(wanted)
    try:
        actions.case_for_emergency(wanted)
    except Refused:
        return too_many_tries(request, wanted)
    return False


@require_safe
def emergency_list(request: SignedInRequest) -> HttpResponse:
    require(access.may_open_in_emergency(request.user))
    review = Choose(When(reviewed_at__isnull=True, then=Value("open")), default=Value("done"), output_field=CharField())
    found = RegisterFilter(
        request.GET,
        EmergencyAccess.objects.visible_to(request.user).annotate(review=review),
        selects={"review": (_("Looked at"), [("open", _("not yet")), ("done", _("looked at"))])},
        narrow={"review": "review"},
        counted="review",
        sorts={"opened": "opened_at"},
        usual="-opened",
    )
    rows = found.ordered().select_related("case", "user", "reviewed_by")
    return list_page(request, "nrm/emergency_list.html", found, rows, is_director=request.user.sees_trail)


@require_http_methods(["GET", "POST"])
def emergency_review(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(EmergencyAccess.objects.visible_to(request.user).select_related("case", "user"), pk=pk)
    require(access.may_review_emergency(request.user, one))
    form = EmergencyReviewForm(request.POST or None)

    def act() -> Any:
        actions.review_emergency(one, by=request.user, **form.said("was_justified", "note"))
        return reverse("nrm:emergency-list")

    return form_page(
        request,
        form,
        act,
        title=_("Look at an emergency access"),
        lead=f"{one.user}: {one.reason}",
        cancel_url=reverse("nrm:emergency-list"),
        done=_("It is on record that you looked at it."),
    )


# Retention


@require_safe
def retention(request: SignedInRequest) -> HttpResponse:
    """For how long what is kept, what falls due, and what was destroyed."""
    require(access.may_see_retention(request.user))
    prepared = {
        one.kind: one
        for one in Destruction.objects.visible_to(request.user)
        .filter(destroyed_at__isnull=True)
        .select_related("prepared_by")
    }
    due = [falling_due(kind) for kind in RetainedKind]
    return render(
        request,
        "nrm/retention.html",
        {
            "due": [(one, prepared.get(one.kind)) for one in due],
            "rules": RetentionRule.objects.visible_to(request.user),
            "destroyed": Destruction.objects.visible_to(request.user)
            .filter(destroyed_at__isnull=False)
            .select_related("prepared_by", "approved_by")[:100],
            "may_set": bool(access.may_set_retention(request.user)),
            "me": request.user,
        },
    )


@require_http_methods(["GET", "POST"])
@proof_required
def retention_set(request: SignedInRequest) -> HttpResponse:
    require(access.may_set_retention(request.user))
    asked = request.GET.get("kind", "")
    form = RuleForm(request.POST or None, kind=asked if asked in RetainedKind.values else RetainedKind.CASE)

    def act() -> Any:
        actions.set_rule(by=request.user, **form.said("kind", "months", "basis", "valid_from"))
        return reverse("nrm:retention")

    return form_page(
        request,
        form,
        act,
        title=_("Set for how long something is kept"),
        cancel_url=reverse("nrm:retention"),
        done=_("The rule is on record."),
    )


@require_http_methods(["GET", "POST"])
def destruction_prepare(request: SignedInRequest, kind: str) -> HttpResponse:
    require(access.may_prepare_destruction(request.user))
    chosen = get_kind(kind)
    form = DestructionForm(request.POST or None)
    found = falling_due(chosen)
    form.due = due_cases(found.cases, found.months, request.user)  # type: ignore[attr-defined]

    def act() -> Any:
        actions.prepare_destruction(chosen, by=request.user, **form.said("reason"))
        return reverse("nrm:retention")

    return form_page(
        request,
        form,
        act,
        title=_("Prepare a destruction"),
        lead=_("%(what)s: %(count)d. Another person approves it; nothing is destroyed before.")
        % {"what": found.label, "count": found.count},
        cancel_url=reverse("nrm:retention"),
        done=_("The destruction is prepared. Another person approves it."),
        template="nrm/destruction_prepare.html",
    )


def get_kind(kind: str) -> RetainedKind:
    if kind not in RetainedKind.values:
        raise Http404
    return RetainedKind(kind)


@require_http_methods(["GET", "POST"])
@proof_required
def destruction_approve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(Destruction.objects.visible_to(request.user), pk=pk)
    require(access.may_approve_destruction(request.user, one))
    still = set(falling_due(one.kind).cases)
    cases = [key for key in map(uuid.UUID, one.cases) if key in still]
    return confirm_page(
        request,
        lambda: actions.destroy(one, by=request.user) and None,
        title=_("Approve a destruction"),
        question=_("%(what)s: %(count)d. This cannot be undone; the counts stay as they are.")
        % {"what": one.get_kind_display(), "count": one.count},
        label=_("Destroy"),
        back=one,
        done=_("It is destroyed, and on record."),
        is_grave=True,
        template="nrm/destruction_confirm.html",
        due=due_cases(cases, months_of(one.kind), request.user),
    )


@require_http_methods(["GET", "POST"])
def destruction_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(Destruction.objects.visible_to(request.user), pk=pk)
    require(access.may_prepare_destruction(request.user))
    return confirm_page(
        request,
        lambda: actions.withdraw_destruction(one, by=request.user),
        title=_("Take a prepared destruction back"),
        question=_("Nothing was destroyed. Take it back?"),
        label=_("Take it back"),
        back=one,
        done=_("It was taken back."),
    )


# Requests of persons


@require_safe
def request_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cases)
    found = RegisterFilter(
        request.GET,
        PersonRequest.objects.visible_to(request.user),
        selects={"state": (_("State"), list(PersonRequest._meta.get_field("state").choices))},  # type: ignore[arg-type]
        narrow={"state": "state"},
        counted="state",
        sorts={"received": "received_on", "due": "due_on"},
        usual="-received",
    )
    rows = found.ordered().select_related("case", "brought_by")
    return list_page(
        request,
        "nrm/request_list.html",
        found,
        rows,
        may_answer=bool(access.may_answer_request(request.user)),
        day=timezone.localdate(),
    )


@require_http_methods(["GET", "POST"])
def request_create(request: SignedInRequest, marker: str) -> HttpResponse:
    case = case_of(request, marker)
    require(access.may_bring_request(request.user, case))
    parties = CaseParty.objects.visible_to(request.user).filter(case=case)
    if not request.user.has_role("director"):
        parties = parties.filter(institution__in=request.user.institution_ids)
    form = RequestForm(request.POST or None, user=request.user, institutions=parties.values("institution"))

    def act() -> Case:
        actions.record_request(
            case, form.cleaned_data["key"], by=request.user, **form.said("institution", "received_on", "note")
        )
        return case

    return form_page(
        request,
        form,
        act,
        title=_("Record that the person asks what is held"),
        lead=str(case),
        cancel_url=case.get_absolute_url(),
        done=_("The request is on record. It is answered within a month."),
    )


@require_http_methods(["GET", "POST"])
def request_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(PersonRequest.objects.visible_to(request.user).select_related("case"), pk=pk)
    require(access.may_answer_request(request.user))
    form = AnswerRequestForm(request.POST or None, request=one)

    def act() -> Any:
        actions.answer_request(one, by=request.user, **form.said("state", "answered_on", "note", "revision"))
        return reverse("nrm:request-list")

    return form_page(
        request,
        form,
        act,
        title=_("Answer a request of a person"),
        lead=str(one.case),
        cancel_url=reverse("nrm:request-list"),
        done=_("The answer is on record."),
    )


@require_safe
@proof_required_to_open
def request_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """All that is held about the marker, as a table; the Director hands it to the institution that brought the request."""
    one = get_object_or_404(PersonRequest.objects.visible_to(request.user).select_related("case"), pk=pk)
    require(access.may_answer_request(request.user))
    head = [_("record"), _("what"), _("value"), _("recorded"), _("institution")]
    rows = (
        [
            row.record,
            row.field,
            row.value,
            row.recorded_at and timezone.localtime(row.recorded_at).replace(tzinfo=None),
            row.institution,
        ]
        for row in held_about(one.case)
    )
    return exports.as_file("held", head, rows, form=request.GET.get("format", "csv"), to=request.user, of=one.case)


# Breaches


@require_safe
def breach_list(request: SignedInRequest) -> HttpResponse:
    require(access.may_report_breach(request.user))
    found = RegisterFilter(
        request.GET,
        Breach.objects.visible_to(request.user),
        selects={"state": (_("State"), list(BreachState.choices))},
        narrow={"state": "state"},
        counted="state",
        sorts={"number": "number", "known": "known_at"},
        usual="-number",
    )
    now = timezone.now()

    def prepared(rows: Any) -> list[Any]:
        shown = list(rows)
        for one in shown:
            one.clock = notice_clock(one.known_at, now) if one.state == BreachState.OPEN else None
        return shown

    return list_page(request, "nrm/breach_list.html", found, found.ordered(), prepare=prepared)


@require_http_methods(["GET", "POST"])
def breach_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_report_breach(request.user))
    form = BreachForm(request.POST or None, user=request.user, instance=Breach(reported_by=request.user))
    return form_page(
        request,
        form,
        lambda: actions.report_breach(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Report a breach of data"),
        cancel_url=reverse("nrm:breach-list"),
        done=_("The breach is on record, and the Director was told."),
    )


def _breach(request: SignedInRequest, pk: uuid.UUID) -> Breach:
    return get_object_or_404(
        Breach.objects.visible_to(request.user).select_related("institution", "reported_by"), pk=pk
    )


@require_safe
def breach_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """The breach with its clock, and the notice to the Agency as it would be sent."""
    breach = _breach(request, pk)
    return render(
        request,
        "nrm/breach_detail.html",
        {
            "breach": breach,
            "clock": notice_clock(breach.known_at, timezone.now()) if breach.state == BreachState.OPEN else None,
            "may_keep": bool(access.may_keep_breaches(request.user)) and breach.state != BreachState.CLOSED,
            "history": history_of(breach),
        },
    )


def _breach_form(request: SignedInRequest, breach: Breach, form: Any, act: Any, title: str, done: str) -> HttpResponse:
    return form_page(request, form, act, title=title, lead=str(breach), cancel_url=breach.get_absolute_url(), done=done)


@require_http_methods(["GET", "POST"])
def breach_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    breach = _breach(request, pk)
    require(access.may_keep_breaches(request.user))
    form = BreachForm(request.POST or None, user=request.user, instance=breach)

    def act() -> Breach:
        return actions.change_breach(breach, form.values(), by=request.user, **form.said("revision"))

    return _breach_form(request, breach, form, act, _("Change a breach of data"), _("The breach is on record."))


@require_http_methods(["GET", "POST"])
def breach_notify(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    breach = _breach(request, pk)
    require(access.may_keep_breaches(request.user))
    form = NotifyForm(request.POST or None, breach=breach)

    def act() -> Breach:
        return actions.notify_agency(breach, by=request.user, **form.said("notified_at", "late_reason", "revision"))

    return _breach_form(
        request, breach, form, act, _("Record that the Agency was notified"), _("The notice is on record.")
    )


@require_http_methods(["GET", "POST"])
def breach_no_notice(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    breach = _breach(request, pk)
    require(access.may_keep_breaches(request.user))
    form = NoNoticeForm(request.POST or None, breach=breach)

    def act() -> Breach:
        return actions.need_no_notice(breach, by=request.user, **form.said("reason", "revision"))

    return _breach_form(request, breach, form, act, _("Record that no notice is needed"), _("The reason is on record."))


@require_http_methods(["GET", "POST"])
def breach_close(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    breach = _breach(request, pk)
    require(access.may_keep_breaches(request.user))
    form = CloseBreachForm(request.POST or None, breach=breach)

    def act() -> Breach:
        return actions.close_breach(breach, by=request.user, **form.said("closed_on", "lessons", "revision"))

    return _breach_form(request, breach, form, act, _("Close a breach of data"), _("The breach is closed."))
