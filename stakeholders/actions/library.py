"""The library: documents kept current by versions, for everybody or for the members of bodies."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.actions.records import Stale, locked, make_once, refuse_future, save, set_fields
from stakeholders.models import Body, LibraryDocument, LibraryFile, LibraryReader, User


@transaction.atomic
def add_document(key: uuid.UUID, values: dict[str, Any], *, by: User, bodies: Iterable[Body] = ()) -> LibraryDocument:
    """A form sent twice adds one."""
    require(access.may_keep_library(by))
    document, is_new = make_once(LibraryDocument(**values, created_by=by), key, maker="created_by")
    if is_new:
        _set_readers(document, bodies)
    return document  # type: ignore[no-any-return]


def _set_readers(document: LibraryDocument, bodies: Iterable[Body]) -> bool:
    """The bodies whose members may read it, none when it is for all; whether anything changed."""
    wanted = set() if document.is_for_all else {one.pk for one in bodies}
    if not document.is_for_all and not wanted:
        raise Refused(_("Say for whom it is: all institutions, or the members of a body."))
    held = set(document.readers.values_list("body", flat=True))
    if wanted == held:
        return False
    document.readers.exclude(body__in=wanted).delete()
    LibraryReader.objects.bulk_create(LibraryReader(document=document, body_id=key) for key in wanted - held)
    return True


@transaction.atomic
def change_document(
    document: LibraryDocument, values: dict[str, Any], *, by: User, revision: int, bodies: Iterable[Body] = ()
) -> LibraryDocument:
    """Whoever is no longer among the readers loses it at once."""
    document = locked(document)
    require(access.may_keep_library(by))
    changed = set_fields(document, values, revision)
    was = document.revision
    if _set_readers(document, bodies) and not changed:
        if was != revision:
            raise Stale(document, [])
        document.revision += 1
    return save(document)


@transaction.atomic
def add_version(
    document: LibraryDocument, upload: UploadedFile, *, by: User, language: str, on: date, note: str = ""
) -> LibraryDocument:
    """The next version in a language; the one before stays. The file that holds already is not added again."""
    document = locked(document)
    require(access.may_keep_library(by))
    refuse_future(on)
    held = document.files.filter(language=language).order_by("-number").first()
    if held is not None and held.sha256 == _digest(upload):
        raise Refused(_("This very file is the current version already."))
    number = held.number + 1 if held is not None else 1
    LibraryFile.keep(upload, by=by, document=document, number=number, language=language, on=on, note=note)
    return document


def _digest(upload: UploadedFile) -> str:
    found = hashlib.sha256()
    for chunk in upload.chunks():
        found.update(chunk)
    upload.seek(0)
    return found.hexdigest()
