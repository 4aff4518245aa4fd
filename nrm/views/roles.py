"""Who does what in the mechanism: the matrix of steps and institutions, its gaps and overlaps (Article 8.3)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from nrm import access
from nrm.actions import assessment as actions
from nrm.forms.oversight import MatrixForm, NewPartForm, PartForm
from nrm.models import RolePlace, SopState, SopStep, SopVersion
from nrm.queries.mechanism import KIND_WORDS, latest_versions, matrix
from onatc import exports
from onatc.errors import require
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution
from stakeholders.views.records import confirm_page, form_page


class _Back:
    """The matrix of a version, as the place to which a form goes back."""

    def __init__(self, version: SopVersion) -> None:
        self.version = version

    def get_absolute_url(self) -> str:
        return f"{reverse('nrm:role-matrix')}?version={self.version.number}"


def _version(request: SignedInRequest) -> tuple[SopVersion, MatrixForm]:
    """The version that the address asks for, else the one in force, else the newest."""
    there = latest_versions(request.user)
    if not there:
        raise Http404(_("There is no version of the SOP yet."))
    form = MatrixForm(request.GET, version=[(str(one.number), f"{one.number}. {one.title}") for one in there])
    form.is_valid()
    asked = form.cleaned_data.get("version")
    by_number = {str(one.number): one for one in there}
    today = timezone.localdate()
    in_force = next(
        (one for one in there if one.state == SopState.ADOPTED and one.in_force_from and one.in_force_from <= today),
        there[0],
    )
    return by_number.get(asked or "", in_force), form


@require_safe
def role_matrix(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    version, form = _version(request)
    found = matrix(version, request.user, timezone.localdate())
    return render(
        request,
        "nrm/role_matrix.html",
        {
            "filter": {"form": form},
            "matrix": found,
            "page": {"object_list": found.rows},
            "kinds": KIND_WORDS,
            "gaps": sum(one.is_gap for one in found.findings),
            "overlaps": sum(not one.is_gap for one in found.findings),
            "may_keep": bool(access.may_keep_mechanism(request.user)),
        },
    )


@require_safe
def role_matrix_export(request: SignedInRequest) -> HttpResponseBase:
    """Steps by institutions; below them the gaps and overlaps, each in a row of its own."""
    require(request.user.sees_mechanism)
    version, _form = _version(request)
    found = matrix(version, request.user, timezone.localdate())
    head = [_("step"), *(one.short for one in found.columns)]
    rows: list[list[Any]] = [
        [str(row.step), *(cell.place.get_part_display() if cell.place else "" for cell in row.cells)]
        for row in found.rows
    ]
    rows += [[one.sentence] for one in found.findings]
    return exports.as_file(
        "who-does-what", head, rows, form=request.GET.get("format", ""), to=request.user, of=request.user
    )


def _kept_version(request: SignedInRequest, pk: uuid.UUID) -> SopVersion:
    require(request.user.sees_mechanism)
    version = get_object_or_404(SopVersion.objects.visible_to(request.user), pk=pk)
    require(access.may_keep_mechanism(request.user))
    return version


def _part_page(
    request: SignedInRequest, form: PartForm, act: Callable[[], Any], version: SopVersion, title: str, lead: str
) -> HttpResponse:
    def then() -> _Back:
        act()
        return _Back(version)

    return form_page(
        request, form, then, title=title, lead=lead, cancel_url=_Back(version).get_absolute_url(),
        done=_("The matrix is changed."),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def role_part(request: SignedInRequest, pk: uuid.UUID, lineage: uuid.UUID, institution: uuid.UUID) -> HttpResponse:
    version = _kept_version(request, pk)
    step = get_object_or_404(SopStep.objects.visible_to(request.user), version=version, lineage=lineage)
    who = get_object_or_404(Institution.objects.visible_to(request.user), pk=institution)
    place = (
        RolePlace.objects.visible_to(request.user)
        .filter(version=version, step_lineage=lineage, institution=who)
        .first()
    )
    form = PartForm(request.POST or None, user=request.user, place=place)
    return _part_page(
        request,
        form,
        lambda: actions.set_part(
            version, lineage, who, form.said("part", "basis", "language"), by=request.user, **form.said("revision")
        ),
        version,
        str(step),
        str(who.name),
    )


@require_http_methods(["GET", "POST"])
def role_part_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _kept_version(request, pk)
    form = NewPartForm(request.POST or None, user=request.user, version=version)
    return _part_page(
        request,
        form,
        lambda: actions.set_part(
            version,
            form.cleaned_data["step"].lineage,
            form.cleaned_data["institution"],
            form.said("part", "basis", "language"),
            by=request.user,
            **form.said("revision"),
        ),
        version,
        _("Give an institution a part"),
        str(version),
    )


@require_http_methods(["GET", "POST"])
def role_prefill(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    version = _kept_version(request, pk)

    def act() -> Any:
        actions.prefill(version, by=request.user)
        return _Back(version)

    return confirm_page(
        request,
        act,
        title=_("Fill from SOP and competences"),
        question=_(
            "Give parts to all institutions that have a function of a step and no part in it yet? What is written stays."
        ),
        label=_("Fill"),
        back=_Back(version),
        done=_("The matrix is filled."),
    )
