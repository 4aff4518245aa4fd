"""The library of documents, with their versions."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Max, OuterRef, Q, Subquery
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onatc.errors import require
from onatc.files import serve
from onatc.history import history_of
from onatc.registers import RegisterFilter
from stakeholders import access
from stakeholders.accounts import SignedInRequest
from stakeholders.actions import library as actions
from stakeholders.forms.circulars import DocumentForm, VersionForm
from stakeholders.models import Body, LibraryDocument, LibraryFile, LibraryKind
from stakeholders.views.records import as_file, form_page, list_page


def _documents(request: SignedInRequest) -> RegisterFilter:
    documents = LibraryDocument.objects.visible_to(request.user)
    bodies = Body.objects.visible_to(request.user).filter(pk__in=documents.values("readers__body"))
    return RegisterFilter(
        request.GET,
        documents,
        selects={
            "kind": (_("Kind"), list(LibraryKind.choices)),
            "body": (_("For the members of"), [(one.pk, str(one.name)) for one in bodies]),
        },
        narrow={"kind": "kind", "body": lambda value: Q(readers__body=value)},
        counted="kind",
        searched=("title_sq", "title_sr", "title_en", "about"),
        sorts={"title": "~title", "kind": "kind", "latest": "latest"},
        usual="title",
    )


def _rows(request: SignedInRequest, found: RegisterFilter) -> Any:
    latest = LibraryFile.objects.visible_to(request.user).filter(document=OuterRef("pk")).order_by().values("document")
    found.rows = found.rows.annotate(latest=Subquery(latest.annotate(last=Max("on")).values("last")))
    return found.ordered().prefetch_related("readers__body", "files")


@require_safe
def document_list(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_cooperation)
    found = _documents(request)
    return list_page(
        request,
        "stakeholders/document_list.html",
        found,
        _rows(request, found),
        may_keep=bool(access.may_keep_library(request.user)),
    )


@require_safe
def document_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_cooperation)
    head = [_("title"), _("kind"), _("about"), _("readers"), _("latest version"), _("languages")]
    found = _documents(request)

    def row(one: Any) -> list[Any]:
        readers = (
            _("all institutions")
            if one.is_for_all
            else ", ".join(str(reader.body.name) for reader in one.readers.all())
        )
        languages = sorted({file.get_language_display() for file in one.files.all()})
        return [str(one.title), one.get_kind_display(), one.about, readers, one.latest, ", ".join(map(str, languages))]

    return as_file(request, "library", head, _rows(request, found), row)


def _document(request: SignedInRequest, pk: uuid.UUID) -> LibraryDocument:
    return get_object_or_404(LibraryDocument.objects.visible_to(request.user).select_related("created_by"), pk=pk)


@require_safe
def document_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    document, user = _document(request, pk), request.user
    files = list(document.files.select_related("uploaded_by").order_by("-number", "language"))
    newest: dict[str, LibraryFile] = {}
    for one in files:
        newest.setdefault(one.language, one)
    # The reader's own language first.
    holding = sorted(newest.values(), key=lambda one: (one.language != user.language, one.language))
    return render(
        request,
        "stakeholders/document_detail.html",
        {
            "document": document,
            "holding": holding,
            "earlier": [one for one in files if newest[one.language].pk != one.pk],
            "readers": [one.body for one in document.readers.select_related("body")],
            "is_office": user.is_office,
            "may_keep": bool(access.may_keep_library(user)),
            "history": history_of(document, *files) if user.is_office else None,
        },
    )


@require_http_methods(["GET", "POST"])
def document_create(request: SignedInRequest) -> HttpResponse:
    require(access.may_keep_library(request.user))
    form = DocumentForm(request.POST or None, user=request.user)
    return form_page(
        request,
        form,
        lambda: actions.add_document(form.cleaned_data["key"], form.values(), by=request.user, **form.said("bodies")),
        title=_("Add a document"),
        lead=_("Say what it is and who may read it; then add its first version."),
        cancel_url=reverse("stakeholders:document-list"),
        done=_("The document is in the library. Add its first version."),
    )


@require_http_methods(["GET", "POST"])
def document_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    document = _document(request, pk)
    require(access.may_keep_library(request.user))
    form = DocumentForm(request.POST or None, user=request.user, instance=document)
    return form_page(
        request,
        form,
        lambda: actions.change_document(document, form.values(), by=request.user, **form.said("revision", "bodies")),
        title=str(document.title),
        cancel_url=document.get_absolute_url(),
        done=_("Saved."),
    )


@require_http_methods(["GET", "POST"])
def document_upload(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    document = _document(request, pk)
    require(access.may_keep_library(request.user))
    form = VersionForm(request.POST or None, request.FILES or None, document=document)
    return form_page(
        request,
        form,
        lambda: actions.add_version(
            document, form.cleaned_data["attachments"][0], by=request.user, **form.said("language", "on", "note")
        ),
        title=_("Add a version"),
        lead=str(document.title),
        cancel_url=document.get_absolute_url(),
        done=_("The version is added; it holds from now on."),
    )


@require_safe
def library_file(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    file = get_object_or_404(LibraryFile.objects.visible_to(request.user), pk=pk)
    return serve(file, to=request.user, plain=True)
