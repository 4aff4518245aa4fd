"""How records with a revision are made once and changed knowingly, however often and by however many a form is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from onatc.errors import Refused
from onatc.files import Attachment
from stakeholders.models import Institution

M = TypeVar("M", bound=models.Model)


class Stale(Refused):
    """Somebody else changed the record since the form was made; `changed` is what stands there now, (label, text), where
    it differs from what was typed."""

    def __init__(self, record: Any, changed: list[tuple[str, str]]) -> None:
        super().__init__(
            _("A colleague changed this while you were writing. Yours is not saved yet; compare and save.")
        )
        self.revision: int = record.revision
        self.changed = changed


def locked(record: M) -> M:
    """The row as it is now, for this transaction alone."""
    return type(record)._default_manager.select_for_update(of=("self",)).get(pk=record.pk)


def save(record: M, *, is_new: bool = False) -> M:
    """Raises Refused with the sentence of the constraint that the database held against it."""
    try:
        with transaction.atomic():
            record.save(force_insert=is_new)
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        for constraint in record._meta.constraints:
            if constraint.name == name:
                raise Refused(str(constraint.get_violation_error_message())) from error
        raise
    return record


def make_once(record: Any, key: uuid.UUID, *, maker: str = "") -> tuple[Any, bool]:
    """The new record, or the one that the same form made already; `maker` names the field of the person, where there is
    one.

    Raises Refused when the key is that of somebody else's record.
    """
    record.pk = key
    try:
        return save(record, is_new=True), True
    except (Refused, IntegrityError):
        existing = type(record)._default_manager.filter(pk=key).first()
        if existing is None:
            raise
        if maker and getattr(existing, f"{maker}_id") != getattr(record, f"{maker}_id"):
            raise Refused(_("This form was used already. Open it anew.")) from None
        return existing, False


def set_fields(record: Any, values: dict[str, Any], revision: int) -> set[str]:
    """Put the values into a locked record and say which fields changed; the caller saves it.

    Raises Stale when the record is another one than the form was made from, unless it says the same already.
    """
    changed = {name for name, value in values.items() if getattr(record, name) != value}
    if record.revision != revision and changed:
        raise Stale(record, [_stands(record, name) for name in values if name in changed])
    for name in changed:
        setattr(record, name, values[name])
    if changed:
        record.revision += 1
    return changed


def _stands(record: Any, name: str) -> tuple[str, str]:
    field, value = record._meta.get_field(name), getattr(record, name)
    if field.choices:
        value = getattr(record, f"get_{name}_display")()
    elif isinstance(value, date):
        value = date_format(value, "DATE_FORMAT")
    return str(field.verbose_name), _("empty") if value in (None, "") else str(value)


def keep_files(kind: type[Attachment], files: Iterable[UploadedFile], /, *, by: Any, **fields: Any) -> None:
    for file in files:
        kind.keep(file, by=by, **fields)


def refuse_future(day: date, field: str = "") -> None:
    if day > timezone.localdate():
        raise Refused(_("This day lies in the future."), field)


def refuse_dissolved(institution: Institution | None, on: date, field: str = "") -> None:
    """An institution cannot act after the day on which it was dissolved."""
    if institution is not None and institution.dissolved_on is not None and institution.dissolved_on < on:
        raise Refused(
            _("%(institution)s was dissolved on %(day)s.")
            % {"institution": institution, "day": date_format(institution.dissolved_on, "DATE_FORMAT")},
            field,
        )
