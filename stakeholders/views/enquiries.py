"""The log of communications, and enquiries from their number to their answer (Article 8.4.6)."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Case, DateField, F, Prefetch, Q, Value, When
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import Refused, proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from onatc.texts import SortKey, column_of
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import enquiries as actions
from stakeholders.deadlines import days_to_answer
from stakeholders.forms.enquiries import (
    AnswerForm,
    AssignEnquiryForm,
    CloseForm,
    CommunicationForm,
    EnquiryForm,
    NoteForm,
    QuickForm,
    SendAnswerForm,
    TemplateForm,
)
from stakeholders.models import (
    AnswerTemplate,
    Channel,
    Communication,
    CommunicationFile,
    Country,
    Direction,
    Enquiry,
    EnquiryFile,
    EnquiryFrom,
    EnquiryState,
    EnquiryWay,
    Role,
    User,
)
from stakeholders.queries.enquiries import times_between
from stakeholders.views.records import (
    as_file,
    choices_of,
    confirm_page,
    file_remove_page,
    form_page,
    list_page,
    posted_revision,
)

OVER = (EnquiryState.ANSWERED, EnquiryState.CLOSED)


def _years() -> list[tuple[str, str]]:
    this = timezone.localdate().year
    return [(str(year), str(year)) for year in range(this, this - 6, -1)]


# Communications


def _communications(request: SignedInRequest) -> RegisterFilter:
    rows = Communication.objects.visible_to(request.user)
    countries = Country.objects.visible_to(request.user).filter(pk__in=rows.order_by().values("country"))
    return RegisterFilter(
        request.GET,
        rows,
        selects={
            "channel": (_("Channel"), list(Channel.choices)),
            "direction": (_("Direction"), list(Direction.choices)),
            "institution": (_("Institution"), choices_of(rows, "institution")),
            "country": (_("Country"), [(one.pk, str(one)) for one in countries.order_by(SortKey("name"))]),
            "year": (_("Year"), _years()),
            "who": (_("Recorded by"), [("me", _("me"))]),
        },
        narrow={
            "channel": "channel",
            "direction": "direction",
            "institution": "institution",
            "country": "country",
            "year": "on__year",
            "who": lambda _value: Q(by=request.user),
        },
        counted="channel",
        searched=("about", "note", "institution__short", "with_whom"),
        sorts={"on": "on", "channel": "channel", "about": "~about", "institution": "institution__code"},
        usual="-on",
    )


@require_http_methods(["GET", "POST"])
def communication_list(request: SignedInRequest) -> HttpResponse:
    """The form on top of the list: six fields, Enter, and back on the list."""
    require(request.user.keeps_cooperation)
    may_keep = bool(access.may_keep_enquiries(request.user))
    if request.method == "POST":
        require(access.may_keep_enquiries(request.user))
    form = QuickForm(request.POST or None, request.FILES or None, user=request.user) if may_keep else None
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            actions.record_communication(
                form.cleaned_data["key"], form.values(), by=request.user, files=form.cleaned_data["attachments"]
            )
            messages.success(request, _("Recorded."))
            return redirect(request.get_full_path())
        except Refused as refusal:
            form.add_error(None, str(refusal))
    found = _communications(request)
    rows = found.ordered().select_related("institution", "country", "by")
    return list_page(request, "stakeholders/communication_list.html", found, rows, form=form, quick=form)


@require_safe
def communication_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.keeps_cooperation)
    head = [
        _("date"), _("channel"), _("direction"), _("institution"), _("country"), _("with whom"), _("about what"),
        _("note"), _("recorded by"),
    ]  # fmt: skip
    rows = _communications(request).ordered().select_related("institution", "country", "by")

    def row(one: Communication) -> list[Any]:
        return [
            one.on, one.get_channel_display(), one.get_direction_display(),
            str(one.institution.name) if one.institution else "", str(one.country or ""), one.with_whom, one.about,
            one.note, str(one.by),
        ]  # fmt: skip

    return as_file(request, "communications", head, rows, row)


def _communication(request: SignedInRequest, pk: uuid.UUID) -> Communication:
    return get_object_or_404(
        Communication.objects.visible_to(request.user)
        .select_related("institution", "country", "contact", "by")
        .prefetch_related(Prefetch("files", CommunicationFile.objects.visible_to(request.user))),
        pk=pk,
    )


@require_safe
def communication_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _communication(request, pk)
    context = {
        "one": one,
        "may_edit": bool(access.may_edit_communication(request.user, one)),
        "history": history_of(one),
    }
    return render(request, "stakeholders/communication_detail.html", context)


@require_http_methods(["GET", "POST"])
def communication_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _communication(request, pk)
    require(access.may_edit_communication(request.user, one))
    form = CommunicationForm(request.POST or None, request.FILES or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.change_communication(
            one, form.values(), by=request.user, revision=form.cleaned_data["revision"],
            files=form.cleaned_data["attachments"],
        ),
        title=_("Change the communication"),
        cancel_url=one.get_absolute_url(),
        done=_("Saved."),
    )  # fmt: skip


@require_safe
def communication_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(CommunicationFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def communication_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    files = CommunicationFile.objects.visible_to(request.user).select_related("communication")
    file = get_object_or_404(files, pk=pk)
    require(access.may_edit_communication(request.user, file.communication))
    return file_remove_page(
        request,
        lambda: actions.remove_communication_file(file, by=request.user),
        file,
        question=_("The file is taken off the communication. Go on?"),
        back=file.communication,
    )


# Enquiries


def _enquiries(request: SignedInRequest) -> RegisterFilter:
    """What looks like spam is on no list but its own, until somebody assigns, answers or closes it."""
    is_open = ~Q(state__in=OVER)
    doubtful = is_open & Q(is_suspicious=True)
    rows, today = Enquiry.objects.visible_to(request.user), timezone.localdate()
    rows = rows.filter(doubtful) if request.GET.get("due") == "doubtful" else rows.exclude(doubtful)
    asked = {
        "open": is_open,
        "overdue": is_open & Q(due_on__lt=today),
        "mine": is_open & Q(assigned_to=request.user),
        "doubtful": doubtful,
    }
    return RegisterFilter(
        request.GET,
        rows,
        selects={
            "state": (_("State"), list(EnquiryState.choices)),
            "due": (
                _("Show"),
                [
                    ("open", _("open")),
                    ("overdue", _("overdue")),
                    ("mine", _("assigned to me")),
                    ("doubtful", _("looks like spam")),
                ],
            ),
            "sender": (_("From"), list(EnquiryFrom.choices)),
            "way": (_("How it came"), list(EnquiryWay.choices)),
            "year": (_("Year"), _years()),
        },
        narrow={
            "state": "state",
            "due": lambda value: asked[value],
            "sender": "sender_kind",
            "way": "way",
            "year": "year",
        },
        counted="state",
        searched=("subject", "answer", "institution__short"),
        sorts={"number": "received_on", "due": "due_on", "subject": "~subject", "sender": "sender_kind"},
        usual="-number",
    )


def _in_order(found: RegisterFilter) -> Any:
    """What is open first, what is due first on top; then what is over, newest first. Or as the address asks."""
    if found.chosen.get("sort"):
        return found.ordered()
    is_over = Q(state__in=OVER)
    return found.rows.order_by(
        Case(When(is_over, then=Value(1)), default=Value(0)),
        Case(When(is_over, then=None), default=F("due_on"), output_field=DateField()),
        "-received_on",
        "-number",
        "pk",
    )


@require_safe
def enquiry_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.keeps_cooperation)
    found = _enquiries(request)
    year = int(found.chosen.get("year") or timezone.localdate().year)
    rows = _in_order(found).select_related("institution", "assigned_to").defer("question", "answer")
    return list_page(
        request,
        "stakeholders/enquiry_list.html",
        found,
        rows,
        times=times_between(Enquiry.objects.visible_to(request.user), date(year, 1, 1), date(year, 12, 31)),
        times_year=year,
        doubtful=Enquiry.objects.visible_to(request.user).filter(is_suspicious=True).exclude(state__in=OVER).count(),
        may_keep=bool(access.may_keep_enquiries(request.user)),
    )


@require_safe
def enquiry_export(request: SignedInRequest) -> HttpResponseBase:
    """Without name, address and question: what leaves here would not be forgotten with them."""
    require(request.user.keeps_cooperation)
    head = [
        _("number"), _("received on"), _("due on"), _("how it came"), _("from"), _("institution"), _("subject"),
        _("state"), _("answered on"), _("days to answer"), _("in time"),
    ]  # fmt: skip
    rows = _in_order(_enquiries(request)).select_related("institution").defer("question", "answer")

    def row(one: Enquiry) -> list[Any]:
        answered_on = one.answered_on
        return [
            one.label, one.received_on, one.due_on, one.get_way_display(), one.get_sender_kind_display(),
            str(one.institution.name) if one.institution else "", one.subject, one.get_state_display(), answered_on,
            days_to_answer(one.received_on, answered_on) if answered_on else None,
            (_("yes") if answered_on <= one.due_on else _("no")) if answered_on else "",
        ]  # fmt: skip

    return as_file(request, "enquiries", head, rows, row)


def _enquiry(request: SignedInRequest, pk: uuid.UUID) -> Enquiry:
    return get_object_or_404(
        Enquiry.objects.visible_to(request.user)
        .select_related("institution", "assigned_to", "drafted_by", "approved_by", "answered_by", "created_by")
        .prefetch_related(Prefetch("files", EnquiryFile.objects.visible_to(request.user))),
        pk=pk,
    )


@require_safe
def enquiry_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one, user = _enquiry(request, pk), request.user
    may_edit = bool(access.may_edit_enquiry(user, one))
    context = {
        "one": one,
        "days": days_to_answer(one.received_on, one.answered_on) if one.answered_on else None,
        "may_edit": may_edit,
        "may_submit": may_edit and one.state in (EnquiryState.RECEIVED, EnquiryState.ASSIGNED) and bool(one.answer),
        "may_decide": bool(access.may_decide_enquiry(user, one)),
        "may_send": bool(access.may_send_enquiry(user, one)),
        "is_lost": actions.answer_was_lost(one),
        "may_keep": bool(access.may_keep_enquiries(user)),
        "templates": AnswerTemplate.objects.visible_to(user).filter(is_offered=True) if may_edit else [],
        "history": history_of(one),
    }
    return render(request, "stakeholders/enquiry_detail.html", context)


@require_http_methods(["GET", "POST"])
def enquiry_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_enquiries(request.user))
    form = EnquiryForm(request.POST or None, request.FILES or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.record_enquiry(
            form.cleaned_data["key"], form.values(), by=request.user, files=form.cleaned_data["attachments"]
        ),
        title=_("Record an enquiry"),
        cancel_url=reverse("stakeholders:enquiry-list"),
        done=_("The enquiry is on record."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
def enquiry_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _enquiry(request, pk)
    require(access.may_edit_enquiry(request.user, one))
    form = EnquiryForm(request.POST or None, request.FILES or None, user=request.user, instance=one)
    return form_page(
        request,
        form,
        lambda: actions.change_enquiry(
            one, form.values(), by=request.user, revision=form.cleaned_data["revision"],
            files=form.cleaned_data["attachments"],
        ),
        title=_("Change enquiry %(number)s") % {"number": one.label},
        cancel_url=one.get_absolute_url(),
        done=_("Saved."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def enquiry_assign(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _enquiry(request, pk)
    require(access.may_edit_enquiry(request.user, one))
    people = User.objects.visible_to(request.user).holding(
        Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.INFORMATION
    )
    form = AssignEnquiryForm(request.POST or None, user=request.user, people=people, enquiry=one)
    return form_page(
        request,
        form,
        lambda: actions.assign_enquiry(one, form.cleaned_data["person"], by=request.user),
        title=_("Assign the enquiry"),
        lead=str(one),
        cancel_url=one.get_absolute_url(),
        done=_("Assigned."),
        submit=_("Assign"),
    )


@require_http_methods(["GET", "POST"])
def enquiry_answer(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Written anew, or begun with a template in the language of the question (`?template=`)."""
    one = _enquiry(request, pk)
    require(access.may_edit_enquiry(request.user, one))
    form = AnswerForm(request.POST or None, request.FILES or None, user=request.user, instance=one)
    if not one.answer:
        form.initial["answer_language"] = one.language
        form.initial["answer"] = _template_text(request, one)
    lead = str(one)
    if one.state in (EnquiryState.DRAFTED, EnquiryState.APPROVED):
        lead = _("What you change here is approved anew.")
    return form_page(
        request,
        form,
        lambda: actions.draft_answer(
            one, form.values(), by=request.user, revision=form.cleaned_data["revision"],
            files=form.cleaned_data["attachments"],
        ),
        title=_("Write the answer"),
        lead=lead,
        cancel_url=one.get_absolute_url(),
        done=_("Saved."),
        template="stakeholders/enquiry_answer.html",
    )  # fmt: skip


def _template_text(request: SignedInRequest, enquiry: Enquiry) -> str:
    try:
        key = uuid.UUID(request.GET.get("template", ""))
    except ValueError:
        return ""
    template = AnswerTemplate.objects.visible_to(request.user).filter(pk=key).first()
    if template is None:
        return ""
    return getattr(template, f"text_{column_of(enquiry.language)}") or template.text_sq


@require_http_methods(["GET", "POST"])
def enquiry_submit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _enquiry(request, pk)
    require(access.may_edit_enquiry(request.user, one))
    if not one.answer.strip():
        messages.error(request, _("There is no answer yet. Write it first."))
        return redirect(one)
    return confirm_page(
        request,
        lambda: actions.submit_answer(one, by=request.user),
        title=str(one),
        question=_("Somebody who did not write it reads and approves the answer. Submit it for approval?"),
        label=_("Submit for approval"),
        back=one,
        done=_("Submitted for approval."),
    )


@require_http_methods(["GET", "POST"])
def enquiry_return(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _enquiry(request, pk)
    require(access.may_decide_enquiry(request.user, one))
    form = NoteForm(request.POST or None)
    return form_page(
        request, form, lambda: actions.return_answer(one, by=request.user, note=form.cleaned_data["note"]),
        title=_("Give it back"), lead=str(one), cancel_url=one.get_absolute_url(),
        done=_("Given back with your remark."), submit=_("Give it back"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@proof_required
def enquiry_approve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _enquiry(request, pk)
    if one.state != EnquiryState.APPROVED:  # who pressed twice is told by the act
        require(access.may_decide_enquiry(request.user, one))
    else:
        require(request.user.has_role(Role.DIRECTOR, Role.NATC))
    return confirm_page(
        request,
        lambda: actions.approve_answer(one, by=request.user, revision=posted_revision(request)),
        title=str(one),
        question=_("The answer leaves the office as you read it. Approve it?"),
        label=_("Approve"),
        back=one,
        done=_("Approved. It can be sent."),
        revision=one.revision,
        template="pages/answer_confirm.html",
        asked=one.question,
        asked_language=one.language,
        answer=one.answer,
        language=one.answer_language,
        files=one.files_out,
        address=one.sender_email,
    )


@require_http_methods(["GET", "POST"])
def enquiry_send(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _enquiry(request, pk)
    if one.state != EnquiryState.ANSWERED:  # who pressed a moment later is told by the act
        require(access.may_send_enquiry(request.user, one))
    require(access.may_keep_enquiries(request.user))
    form = SendAnswerForm(request.POST or None, enquiry=one)
    return form_page(
        request,
        form,
        lambda: actions.send_answer(
            one, by=request.user, way=form.cleaned_data["way"], answered_on=form.cleaned_data["answered_on"]
        ),
        title=_("Send the answer"),
        lead=_("The mail did not arrive. Send it again, or record how the sender got the answer; its day stays.")
        if actions.answer_was_lost(one)
        else _("From then on it never changes."),
        cancel_url=one.get_absolute_url(),
        done=_("Answered, and on record."),
        submit=_("Send"),
        template="stakeholders/enquiry_send.html",
    )


@require_http_methods(["GET", "POST"])
def enquiry_close(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    one = _enquiry(request, pk)
    require(access.may_edit_enquiry(request.user, one))
    form = CloseForm(request.POST or None)
    return form_page(
        request, form, lambda: actions.close_enquiry(one, by=request.user, reason=form.reason),
        title=_("Close without an answer"), lead=str(one), cancel_url=one.get_absolute_url(),
        done=_("Closed."), submit=_("Close"),
    )  # fmt: skip


@require_safe
def enquiry_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(EnquiryFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)


@require_http_methods(["GET", "POST"])
def enquiry_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = get_object_or_404(EnquiryFile.objects.visible_to(request.user).select_related("enquiry"), pk=pk)
    require(access.may_edit_enquiry(request.user, file.enquiry))
    return file_remove_page(
        request,
        lambda: actions.remove_file(file, by=request.user),
        file,
        question=_("The file is taken off the enquiry. Go on?"),
        back=file.enquiry,
    )


# Templates of answers


@require_safe
def template_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.keeps_cooperation)
    return render(
        request,
        "stakeholders/template_list.html",
        {
            "rows": AnswerTemplate.objects.visible_to(request.user).order_by(SortKey("title")),
            "may_keep": bool(access.may_keep_enquiries(request.user)),
        },
    )


@require_http_methods(["GET", "POST"])
def template_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_enquiries(request.user))
    form = TemplateForm(request.POST or None, user=request.user)
    return form_page(
        request, form, lambda: actions.make_template(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("New template of an answer"), cancel_url=reverse("stakeholders:template-list"), done=_("Saved."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def template_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    template = get_object_or_404(AnswerTemplate.objects.visible_to(request.user), pk=pk)
    require(access.may_keep_enquiries(request.user))
    form = TemplateForm(request.POST or None, user=request.user, instance=template)
    return form_page(
        request,
        form,
        lambda: actions.change_template(
            template, form.values(), by=request.user, revision=form.cleaned_data["revision"]
        ),
        title=str(template),
        cancel_url=reverse("stakeholders:template-list"),
        done=_("Saved."),
    )
