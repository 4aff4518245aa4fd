"""Pages of circulars and newsletters: written, previewed and sent by the office, read and confirmed by those they are for."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onatc.errors import Refused, proof_required, require
from onatc.files import serve
from onatc.history import history_of
from onatc.http import speak
from onatc.jobs import Job
from onatc.registers import RegisterFilter
from onatc.texts import column_of
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import circulars as actions
from stakeholders.audience import audience_of, is_for_members_only
from stakeholders.forms.circulars import CircularFileForm, CircularForm
from stakeholders.models import (
    Circular,
    CircularFile,
    CircularKind,
    CircularRecipient,
    CircularState,
    InstitutionKind,
    Level,
)
from stakeholders.views.records import (
    PAGE_SIZE,
    as_file,
    confirm_page,
    file_remove_page,
    form_page,
    list_page,
    posted_revision,
)


def _circulars(request: SignedInRequest) -> RegisterFilter:
    circulars = Circular.objects.visible_to(request.user)
    return RegisterFilter(
        request.GET,
        circulars,
        selects={
            "state": (_("State"), list(CircularState.choices)),
            "kind": (_("Kind"), list(CircularKind.choices)),
        },
        narrow={"state": "state", "kind": "kind"},
        counted="state",
        searched=("title_sq", "title_sr", "title_en", "text_sq", "text_sr", "text_en"),
        sorts={"title": "~title", "kind": "kind", "sent": "sent_at", "recorded": "created_at"},
        usual="-recorded",
    )


def _listed(found: RegisterFilter, user: Any) -> Any:
    """The rows without their texts; for the office with how many got and confirmed each."""
    rows = found.ordered().defer("text_sq", "text_sr", "text_en")
    if not user.is_office:
        return rows
    return rows.annotate(
        got=Count("recipients"), confirmed=Count("recipients", filter=Q(recipients__confirmed_at__isnull=False))
    )


@require_safe
def circular_export(request: SignedInRequest) -> HttpResponseBase:
    """What everybody sees of those they may see; how many got and confirmed it is the office's to know."""
    require(request.user.sees_cooperation)
    user = request.user
    head = [_("title"), _("kind"), _("state"), _("sent on"), _("confirm by")]
    if user.is_office:
        head += [_("recipients"), _("confirmed")]

    def row(one: Any) -> list[Any]:
        sent_on = timezone.localdate(one.sent_at) if one.sent_at else None
        shown = [str(one.title), one.get_kind_display(), one.get_state_display(), sent_on, one.confirm_by]
        return [*shown, one.got, one.confirmed] if user.is_office else shown

    return as_file(request, "circulars", head, _listed(_circulars(request), user), row)


@require_safe
def circular_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found, user = _circulars(request), request.user
    rows = _listed(found, user)
    own = CircularRecipient.objects.visible_to(user).filter(contact__user=user)
    context: dict[str, Any] = {
        "may_write": bool(access.may_write_circular(user)),
        "is_office": user.is_office,
        "to_confirm": set(own.filter(confirmed_at__isnull=True).values_list("circular", flat=True)),
    }
    return list_page(request, "stakeholders/circular_list.html", found, rows, **context)


def _circular(request: SignedInRequest, pk: uuid.UUID) -> Circular:
    return get_object_or_404(Circular.objects.visible_to(request.user).select_related("created_by", "sent_by"), pk=pk)


@require_http_methods(["GET"])
def circular_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Opened signed in is opened too; what the page shows of others' copies is for the office."""
    circular, user = _circular(request, pk), request.user
    own = actions.own_copy(circular, user) if circular.state == CircularState.SENT else None
    if own is not None and own.opened_at is None:
        actions.opened(own)
    counts = _counts(circular) if user.is_office and circular.state != CircularState.DRAFT else None
    job = None
    if circular.state == CircularState.SENDING:
        job = Job.objects.visible_to(user).filter(key=f"circular {circular.pk}").order_by("-created_at").first()
    files = list(circular.files.all())
    return render(
        request,
        "stakeholders/circular_detail.html",
        {
            "circular": circular,
            "own": own,
            "files": files if user.is_office else _for_reader(files, user.language),
            "counts": counts,
            "job": job,
            "missing": actions.why_not_ready(circular) if circular.state == CircularState.DRAFT else "",
            "asked_kinds": [InstitutionKind(one).label for one in circular.kinds if one in InstitutionKind.values],
            "asked_levels": [Level(one).label for one in circular.levels if one in Level.values],
            "written": [label for code, label in settings.LANGUAGES if getattr(circular, f"text_{column_of(code)}")],
            "is_office": user.is_office,
            "may_write": circular.state == CircularState.DRAFT and bool(access.may_write_circular(user)),
            "may_send": circular.state != CircularState.SENT and bool(access.may_send_circular(user)),
            "may_remind": circular.state == CircularState.SENT
            and circular.asks_confirmation
            and not actions.is_over(circular)
            and bool(access.may_send_circular(user)),
            "history": history_of(circular, *files) if user.is_office else None,
        },
    )


def _for_reader(files: list[CircularFile], language: str) -> list[CircularFile]:
    """Those for everybody and for the reader's language; all of them where there is none of either."""
    return [one for one in files if one.language in ("", language)] or files


def _counts(circular: Circular) -> dict[str, int]:
    return actions.with_lost(circular.recipients, circular).aggregate(  # type: ignore[no-any-return]
        all=Count("pk"),
        mailed=Count("pk", filter=Q(mailed_at__isnull=False)),
        no_address=Count("pk", filter=Q(has_no_address=True)),
        lost=Count("pk", filter=Q(is_lost=True)),
        opened=Count("pk", filter=Q(opened_at__isnull=False)),
        confirmed=Count("pk", filter=Q(confirmed_at__isnull=False)),
    )


@require_http_methods(["GET", "POST"])
def circular_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_write_circular(request.user))
    form = CircularForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.write(
            form.cleaned_data["key"], form.values(), by=request.user, **form.said("bodies", "institutions")
        ),
        title=_("Write a circular"),
        lead=_("Write it in one language or more: each reader gets their own, else the first there is, marked."),
        cancel_url=reverse("stakeholders:circular-list"),
        done=_("The draft is kept. Look at who gets it before it is sent."),
    )


@require_http_methods(["GET", "POST"])
def circular_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    circular = _circular(request, pk)
    require(access.may_write_circular(request.user))
    if circular.state != CircularState.DRAFT:
        messages.error(request, _("It was sent; what was sent does not change."))
        return redirect(circular)
    form = CircularForm(request.POST or None, user=request.user, instance=circular)
    return form_page(
        request,
        form,
        lambda: actions.change(
            circular, form.values(), by=request.user, **form.said("revision", "bodies", "institutions")
        ),
        title=str(circular.title),
        cancel_url=circular.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def circular_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    circular = _circular(request, pk)
    require(access.may_write_circular(request.user))
    if circular.state != CircularState.DRAFT:
        messages.error(request, _("It was sent; what was sent does not change."))
        return redirect(circular)

    def act() -> str:
        actions.discard(circular, by=request.user, revision=posted_revision(request))
        return reverse("stakeholders:circular-list")

    return confirm_page(
        request,
        act,
        title=str(circular.title),
        question=_("The draft is removed with its files. Discard it?"),
        label=_("Discard it"),
        back=circular,
        done=_("The draft was discarded."),
        is_grave=True,
        revision=circular.revision,
    )


@require_http_methods(["GET", "POST"])
def circular_file_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    circular = _circular(request, pk)
    require(access.may_write_circular(request.user))
    if circular.state != CircularState.DRAFT:
        messages.error(request, _("It was sent; what was sent does not change."))
        return redirect(circular)
    form = CircularFileForm(request.POST or None, request.FILES or None)
    return form_page(
        request,
        form,
        lambda: actions.add_files(circular, form.cleaned_data["attachments"], by=request.user, **form.said("language")),
        title=_("Add files"),
        lead=str(circular.title),
        cancel_url=circular.get_absolute_url(),
        done=_("The files were added."),
    )


def _file(request: SignedInRequest, pk: uuid.UUID) -> CircularFile:
    return get_object_or_404(CircularFile.objects.visible_to(request.user).select_related("circular"), pk=pk)


@require_safe
def circular_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    return serve(_file(request, pk), to=request.user)


@require_http_methods(["GET", "POST"])
def circular_file_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    file = _file(request, pk)
    require(access.may_write_circular(request.user))
    if file.circular.state != CircularState.DRAFT:
        messages.error(request, _("It was sent; what was sent does not change."))
        return redirect(file.circular)
    return file_remove_page(
        request,
        lambda: actions.remove_file(file, by=request.user),
        file,
        question=_("The file no longer goes with the circular. Take it off?"),
        back=file.circular,
    )


@require_http_methods(["GET", "POST"])
@proof_required
def circular_send(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Who gets it, a page at a time, and the button."""
    circular = _circular(request, pk)
    require(access.may_write_circular(request.user))
    if request.method == "POST":
        try:
            job = actions.send(circular, by=request.user, revision=posted_revision(request))
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect(circular)
        return redirect(job or circular)
    if circular.state != CircularState.DRAFT:
        return redirect(circular)
    audience = audience_of(circular)
    return render(
        request,
        "stakeholders/circular_send.html",
        {
            "circular": circular,
            "page": Paginator(audience.people, PAGE_SIZE).get_page(request.GET.get("page")),
            "number": len(audience.people),
            "without_address": audience.without_address,
            "silent": audience.silent,
            "is_closed": is_for_members_only(circular),
            "missing": actions.why_not_ready(circular),
            "may_send": bool(access.may_send_circular(request.user)),
        },
    )


@require_POST
def circular_remind(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    circular = _circular(request, pk)
    require(access.may_send_circular(request.user))
    try:
        return redirect(actions.remind(circular, by=request.user))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(circular)


@require_POST
def circular_confirm(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Signed in, for oneself: a deputy does not confirm for whom they act for."""
    circular = _circular(request, pk)
    own = actions.own_copy(circular, request.user) if circular.state == CircularState.SENT else None
    if own is None:
        raise Http404
    try:
        actions.confirm(own)
        messages.success(request, _("Your confirmation is on record."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(circular)


# Who got it

STANDINGS = {
    "confirmed": Q(confirmed_at__isnull=False),
    "opened": Q(opened_at__isnull=False, confirmed_at__isnull=True),
    "unopened": Q(opened_at__isnull=True, has_no_address=False, is_lost=False),
    "not_delivered": Q(is_lost=True),
    "no_address": Q(has_no_address=True),
}


def _standing_labels() -> dict[str, str]:
    return {
        "confirmed": _("confirmed"),
        "opened": _("opened"),
        "unopened": _("not opened"),
        "not_delivered": _("not delivered"),
        "no_address": _("no address"),
    }


def _recipients(request: SignedInRequest, circular: Circular) -> tuple[Any, str]:
    rows = actions.with_lost(CircularRecipient.objects.visible_to(request.user).filter(circular=circular), circular)
    standing = request.GET.get("standing", "")
    if standing in STANDINGS:
        rows = rows.filter(STANDINGS[standing])
    else:
        standing = ""
    return rows.select_related("contact__user", "institution").order_by("contact__full_name", "pk"), standing


@require_safe
def circular_recipients(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    require(access.may_see_recipients(request.user))
    circular = _circular(request, pk)
    rows, standing = _recipients(request, circular)
    counted = actions.with_lost(
        CircularRecipient.objects.visible_to(request.user).filter(circular=circular), circular
    ).aggregate(all=Count("pk"), **{code: Count("pk", filter=asked) for code, asked in STANDINGS.items()})
    return render(
        request,
        "stakeholders/circular_recipients.html",
        {
            "circular": circular,
            "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
            "standing": standing,
            "total": counted["all"],
            "counts": [(code, label, counted[code]) for code, label in _standing_labels().items() if counted[code]],
        },
    )


@require_safe
def circular_recipients_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    require(access.may_see_recipients(request.user))
    circular = _circular(request, pk)
    head = [
        _("name"), _("institution"), _("language"), _("mailed on"), _("no address"), _("not delivered"),
        _("opened on"), _("confirmed on"),
    ]  # fmt: skip

    def row(one: Any) -> list[Any]:
        return [
            str(one.contact), str(one.institution.name) if one.institution else "", one.get_language_display(),
            one.mailed_at, one.has_no_address, one.is_lost, one.opened_at, one.confirmed_at,
        ]  # fmt: skip

    rows, _standing = _recipients(request, circular)
    return as_file(request, "recipients", head, rows, row)


# By the link of a mail


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def circular_read(request: HttpRequest, key: str) -> HttpResponse:
    """The text in the reader's language, and the button by which they confirm; a wrong key and one that is too old are
    answered alike."""
    if not ratelimit.consume(request, app="allauth.account", action="circular", key=key, limit_get=True):
        return render(request, "stakeholders/circular_busy.html", status=429)
    reading = actions.reading_of(key)
    if reading is None:
        raise Http404
    language = speak(request, reading.recipient.language)
    if request.method == "POST":
        try:
            actions.confirm(reading.recipient)
            messages.success(request, _("Your confirmation is on record."))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("stakeholders:circular-read", key=key)
    actions.opened(reading.recipient)
    files = _for_reader(list(reading.circular.files.all()), language)
    context = {"circular": reading.circular, "recipient": reading.recipient, "files": files, "key": key}
    return render(request, "stakeholders/circular_read.html", context)


@login_not_required
@never_cache
@require_safe
def circular_read_file(request: HttpRequest, key: str, pk: uuid.UUID) -> HttpResponseBase:
    if not ratelimit.consume(request, app="allauth.account", action="circular", key=key, limit_get=True):
        return render(request, "stakeholders/circular_busy.html", status=429)
    reading = actions.reading_of(key)
    file = next((one for one in reading.circular.files.all() if one.pk == pk), None) if reading else None
    if reading is None or file is None:
        raise Http404
    return serve(file, to=reading.recipient.contact.user, plain=True)
