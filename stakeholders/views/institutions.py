"""The directory of institutions, with what they were called, what they became and where they sit."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import refusals_on, require
from onatc.history import history_of
from onatc.texts import SortKey
from stakeholders import access, seats
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import directory as actions
from stakeholders.forms.institutions import (
    DissolveForm,
    InstitutionFilterForm,
    InstitutionForm,
    MergeForm,
    OnForm,
    RenameForm,
)
from stakeholders.models import (
    ActionPoint,
    Agreement,
    BodyMember,
    ContactFunction,
    Institution,
    Obligation,
    RoleAssignment,
    User,
)
from stakeholders.views.records import as_file, confirm_page, form_page

MOST = 100  # rows of a block on the page of a record


def day_asked(request: SignedInRequest) -> tuple[OnForm, date]:
    """The day of `?on=`, today when none is asked or when it is no day; the form says so at the field."""
    form = OnForm(request.GET)
    day = form.cleaned_data.get("on") if form.is_valid() else None
    return form, day or timezone.localdate()


def _found(request: SignedInRequest) -> tuple[InstitutionFilterForm, Any]:
    form = InstitutionFilterForm(request.GET)
    form.is_valid()
    institutions = Institution.objects.visible_to(request.user)
    if words := (form.cleaned_data.get("q") or "").strip():
        found = Q(code__iexact=words) | Q(short__icontains=words)
        for column in ("name_sq", "name_sr", "name_en"):
            found |= Q(**{f"{column}__unaccent__icontains": words})
        institutions = institutions.filter(found)
    if kind := form.cleaned_data.get("kind"):
        institutions = institutions.filter(kind=kind)
    return form, institutions.order_by(SortKey("name"), "code")


@require_safe
def institution_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_institutions)
    form, institutions = _found(request)
    page = Paginator(institutions, 50).get_page(request.GET.get("page"))
    may_edit = bool(access.may_edit_institutions(request.user))
    context = {"page": page, "filter": {"form": form}, "may_edit": may_edit}
    return render(request, "stakeholders/institution_list.html", context)


@require_safe
def institution_export(request: SignedInRequest) -> HttpResponseBase:
    """Whoever only administers takes nothing away."""
    require(request.user.sees_cooperation)
    head = [
        _("code"), _("name"), _("short name"), _("kind"), _("level"), _("member of the National Authority"),
        _("dissolved on"), _("successor"),
    ]  # fmt: skip
    _form, institutions = _found(request)

    def row(one: Institution) -> list[Any]:
        return [
            one.code, str(one.name), one.short, one.get_kind_display(), one.get_level_display(),
            _("yes") if one.is_authority_member else _("no"), one.dissolved_on,
            str(one.successor.name) if one.successor else "",
        ]  # fmt: skip

    return as_file(request, "institutions", head, institutions.select_related("successor"), row)


def _institution(request: SignedInRequest, pk: uuid.UUID) -> Institution:
    return get_object_or_404(Institution.objects.visible_to(request.user), pk=pk)


@require_safe
def institution_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    institution = get_object_or_404(
        Institution.objects.visible_to(request.user)
        .select_related("successor", "country")
        .prefetch_related("former_names", "predecessors"),
        pk=pk,
    )
    user, (form, day) = request.user, day_asked(request)
    people = (
        RoleAssignment.objects.visible_to(user)
        .active()
        .filter(institution=institution, user__is_active=True)
        .select_related("user", "district", "municipality")
        .order_by("user__full_name")
    )
    sitting = BodyMember.objects.visible_to(user).on(day).filter(institution=institution)
    functions = ContactFunction.objects.visible_to(user).active(day).filter(institution=institution)
    contacts = functions.select_related("contact").order_by("contact__full_name", "pk")[:MOST]
    is_over = institution.dissolved_on is not None and institution.dissolved_on < timezone.localdate()
    left = list(seats.ordered(actions.seats_to_move(institution)))[:MOST] if is_over and user.is_office else []
    binding = _binding(institution, user) if is_over and user.is_office else {}
    heirs_of = Institution.objects.visible_to(user).filter(successor=institution)
    to_move = [one for one in heirs_of[:MOST] if actions.seats_to_move(one).exists()] if user.is_office else []
    return render(
        request,
        "stakeholders/institution_detail.html",
        {
            "institution": institution,
            "people": people,
            "on_form": form,
            "day": day,
            "name_then": institution.name_on(day),
            "seats": seats.as_seen(seats.ordered(sitting)[:MOST], user, day),
            "contacts": contacts,
            "left": left,
            **binding,
            "to_move": [one for one in to_move if one.dissolved_on and one.dissolved_on < timezone.localdate()],
            "may_keep": bool(access.may_keep_contacts(user)),
            "is_over": is_over,
            "may_edit": bool(access.may_edit_institutions(user)),
            "may_move": bool(left) and institution.successor_id and bool(access.may_keep_contacts(user)),
            "history": history_of(institution, *institution.former_names.all()),
        },
    )


def _binding(institution: Institution, user: User) -> dict[str, Any]:
    """What still binds one that was dissolved: agreements in force, open action points, open obligations."""
    agreements = Agreement.objects.visible_to(user).in_force()
    obligations = Obligation.objects.visible_to(user).filter(agreement__in=agreements.values("pk"), ended_on=None)
    return {
        "bound": list(agreements.filter(parties__institution=institution).order_by("-signed_on", "pk")[:MOST]),
        "to_do": list(ActionPoint.objects.visible_to(user).open().filter(owner=institution).order_by("due_on")[:MOST]),
        "owing": list(obligations.filter(institution=institution).select_related("agreement").order_by("pk")[:MOST]),
    }


@require_http_methods(["GET", "POST"])
def institution_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_edit_institutions(request.user))
    form = InstitutionForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.create(form.cleaned_data["key"], form.values(), by=request.user),
        title=_("Add an institution"),
        cancel_url=reverse("stakeholders:institution-list"),
        done=_("The institution is in the directory."),
        submit=_("Add"),
    )


@require_http_methods(["GET", "POST"])
def institution_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    institution = _institution(request, pk)
    require(access.may_edit_institutions(request.user))
    form = InstitutionForm(
        request.POST or None, user=request.user, instance=institution, is_used=actions.is_used(institution)
    )
    return form_page(
        request,
        form,
        lambda: actions.change(institution, form.values(), by=request.user, revision=form.cleaned_data["revision"]),
        title=str(institution.name),
        cancel_url=institution.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def institution_rename(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    institution = _institution(request, pk)
    require(access.may_edit_institutions(request.user))
    initial = {name: getattr(institution, name) for name in ("name_sq", "name_sr", "name_en", "short", "revision")}
    form = RenameForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            actions.rename(institution, by=request.user, **form.cleaned_data)
            messages.success(request, _("The new name is kept; the old one stays on record."))
            return redirect(institution)
    return render(
        request,
        "stakeholders/institution_rename.html",
        {"form": form, "institution": institution, "cancel_url": institution.get_absolute_url()},
    )


@require_http_methods(["GET", "POST"])
def institution_dissolve(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    institution = _institution(request, pk)
    require(access.may_edit_institutions(request.user))
    form = DissolveForm(request.POST or None, user=request.user, institution=institution)
    return form_page(
        request,
        form,
        lambda: actions.dissolve(institution, by=request.user, **form.said("dissolved_on", "successor", "revision")),
        title=_("Record that it was dissolved"),
        lead=_("“%(institution)s” cannot be chosen for anything new after its last day. What it owes and did stays.")
        % {"institution": institution},
        cancel_url=institution.get_absolute_url(),
        done=_("The last day is on record."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
def institution_merge(request: SignedInRequest) -> HttpResponse:
    require(access.may_edit_institutions(request.user))
    form = MergeForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.merge(by=request.user, **form.said("merged", "into", "on")),
        title=_("Record a merger"),
        cancel_url=reverse("stakeholders:institution-list"),
        done=_("The merger is on record."),
        submit=_("Record it"),
    )


@require_http_methods(["GET", "POST"])
def institution_move_seats(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    institution = _institution(request, pk)
    require(access.may_keep_contacts(request.user))

    def act() -> Any:
        moved, ended = actions.move_seats(institution, by=request.user)
        if moved or not ended:
            messages.success(
                request, ngettext("%(n)s seat was moved.", "%(n)s seats were moved.", moved) % {"n": moved}
            )
        for body in ended:
            only_ended = _("The successor sits in “%(body)s” already: the old seat ended, and its people did not move.")
            messages.warning(request, only_ended % {"body": body.name})

    return confirm_page(
        request,
        act,
        title=str(institution.name),
        question=_(
            "Its seats in bodies end on its last day, and the successor takes them from the day after, with the same "
            "people. Where the successor sits already, the old seat only ends. Move them?"
        ),
        label=_("Move the seats to the successor"),
        back=institution,
        done=_("Look at the people in the seats: they may have changed too."),
    )
