"""The directory of institutions."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import refusals_on, require
from onatc.history import history_of
from onatc.texts import SortKey
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import directory as actions
from stakeholders.forms.institutions import InstitutionFilterForm, RenameForm
from stakeholders.models import Institution, RoleAssignment


@require_safe
def institution_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_institutions)
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
    page = Paginator(institutions.order_by(SortKey("name"), "code"), 50).get_page(request.GET.get("page"))
    return render(request, "stakeholders/institution_list.html", {"page": page, "filter": {"form": form}})


@require_safe
def institution_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    institution = get_object_or_404(
        Institution.objects.visible_to(request.user)
        .select_related("successor")
        .prefetch_related("former_names", "predecessors"),
        pk=pk,
    )
    people = (
        RoleAssignment.objects.visible_to(request.user)
        .active()
        .filter(institution=institution, user__is_active=True)
        .select_related("user", "district", "municipality")
        .order_by("user__full_name")
    )
    return render(
        request,
        "stakeholders/institution_detail.html",
        {
            "institution": institution,
            "people": people,
            "may_edit": bool(access.may_edit_institutions(request.user)),
            "history": history_of(institution),
        },
    )


@require_http_methods(["GET", "POST"])
def institution_rename(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    institution = get_object_or_404(Institution.objects.visible_to(request.user), pk=pk)
    require(access.may_edit_institutions(request.user))
    initial = {name: getattr(institution, name) for name in ("name_sq", "name_sr", "name_en", "short")}
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
