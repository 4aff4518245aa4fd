"""Who changed what: triggers of django-pghistory write every change, this module shows them on the record's page."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import pghistory
import pgtrigger
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.kept import note_change

M = TypeVar("M", bound=models.Model)

LABELS: dict[str, Promise] = {"insert": _("created"), "update": _("changed"), "delete": _("deleted")}
NOISE = frozenset({"id", "updated_at", "revision", "lineage", "sha256", "data_sha256", "last_login", "created_at"})


@overload
def tracked(model: type[M]) -> type[M]: ...
@overload
def tracked(*, exclude: Sequence[str]) -> Callable[[type[M]], type[M]]: ...
def tracked(model: Any = None, *, exclude: Sequence[str] = ()) -> Any:
    """Class decorator: inserts, updates and deletes of the model are recorded by triggers, with the acting user;
    pages that were kept from before are made anew (onatc.kept).

    `exclude` names fields whose content must not be copied (secrets) or is too large to copy (whole files, texts that
    are saved every few seconds).
    """

    def decorate(cls: Any) -> Any:
        # The metadata of model classes is not complete while they are being made: ask for it by field names only.
        options: dict[str, Any] = {"exclude": list(exclude)} if exclude else {}
        pgtrigger.register(note_change())(cls)
        return pghistory.track(
            pghistory.InsertEvent("insert"),
            pghistory.UpdateEvent("update"),
            pghistory.DeleteEvent("delete"),
            **options,
        )(cls)

    return decorate(model) if model is not None else decorate


@contextmanager
def acting(user: Any, **context: Any) -> Iterator[None]:
    """Jobs and commands say on whose behalf they write; pages do so by middleware."""
    principal = getattr(user, "acting_for", None)
    if principal is not None:
        context["on_behalf_of"] = str(principal.pk)
    with pghistory.context(user=str(user.pk) if user is not None else None, **context):
        yield


@dataclass(frozen=True)
class FieldChange:
    """`old` is empty when the record came with it, `new` when it went with it."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """One row of a history: `who` is empty when a job or a command wrote it on nobody's behalf."""

    when: datetime.datetime
    who: str
    label: str
    record: str
    fields: list[FieldChange]


def history_of(*records: models.Model, limit: int = 50) -> list[Change]:
    """What happened to one record and those given with it, newest first.

    Costs one query for each kind of record, one for the names of people and one for each kind of linked record named.
    """
    by_model: dict[type[models.Model], list[models.Model]] = {}
    for record in records:
        by_model.setdefault(type(record), []).append(record)
    events: list[Event] = []
    for model, rows in by_model.items():
        events += _events(model, pgh_obj_id__in=[row.pk for row in rows])
    return _as_changes(events, limit)


def history_of_all(model: type[models.Model], *, limit: int = 50, **fields: Any) -> list[Change]:
    """What happened to every record of a model with these fields, also to those that are gone; with the values that came
    and went."""
    return _as_changes(_events(model, **fields), limit, is_whole=True, known=frozenset(fields))


Event = tuple[type[models.Model], Any, Any]  # model, event, the event before it of the same record


def _events(model: type[models.Model], **fields: Any) -> list[Event]:
    found = (
        model.pgh_event_model.objects.filter(**fields)  # type: ignore[attr-defined]
        .select_related("pgh_context")
        .order_by("pgh_obj_id", "pgh_created_at", "pgh_id")
    )
    events: list[Event] = []
    previous: Any = None
    for event in found:
        same = previous is not None and previous.pgh_obj_id == event.pgh_obj_id
        events.append((model, event, previous if same else None))
        previous = event
    return events


def _as_changes(
    events: list[Event], limit: int, *, is_whole: bool = False, known: frozenset[str] = frozenset()
) -> list[Change]:
    """`known` are fields that the reader knows already from where the history stands."""
    events.sort(key=lambda item: (item[1].pgh_created_at, item[1].pgh_id), reverse=True)
    events = events[:limit]
    changes = [(model, event, _changed_fields(model, event, before, is_whole)) for model, event, before in events]
    names = _names_of_linked([change for _model, _event, fields in changes for change in fields])
    people = _people([event for _model, event, _fields in changes])
    shown = []
    for model, event, fields in changes:
        if event.pgh_label == "update" and not fields:
            continue
        shown.append(
            Change(
                when=event.pgh_created_at,
                who=_who(event, people),
                label=str(LABELS.get(event.pgh_label, event.pgh_label)),
                record=str(model._meta.verbose_name),
                fields=[
                    FieldChange(
                        str(field.verbose_name),
                        "" if event.pgh_label == "insert" else _shown(field, old, names),
                        "" if event.pgh_label == "delete" else _shown(field, new, names),
                    )
                    for field, old, new in fields
                    if field.name not in known
                ],
            )
        )
    return shown


def _user_of(event: Any) -> str:
    context = event.pgh_context
    return str(context.metadata.get("user") or "") if context else ""


def _principal_of(event: Any) -> str:
    context = event.pgh_context
    return str(context.metadata.get("on_behalf_of") or "") if context else ""


def _who(event: Any, people: dict[str, str]) -> str:
    """The person, and for whom they acted when they did so as a deputy."""
    name, principal = people.get(_user_of(event), ""), people.get(_principal_of(event), "")
    return gettext("%(deputy)s, for %(person)s") % {"deputy": name, "person": principal} if principal else name


def _people(events: list[Any]) -> dict[str, str]:
    ids = {one for event in events for one in (_user_of(event), _principal_of(event)) if one}
    if not ids:
        return {}
    return {str(user.pk): str(user) for user in get_user_model()._default_manager.filter(pk__in=ids)}


def _changed_fields(
    model: type[models.Model], event: Any, before: Any, is_whole: bool
) -> list[tuple[models.Field[Any, Any], Any, Any]]:
    """What an update changed; `is_whole`: also what a record held when it came and when it went."""
    is_update = event.pgh_label == "update"
    if (is_update and before is None) or not (is_update or is_whole):
        return []
    recorded = {field.attname for field in event._meta.concrete_fields}
    fields = []
    for field in model._meta.concrete_fields:
        if field.name in NOISE or field.attname not in recorded:
            continue
        old = getattr(before, field.attname) if is_update else None
        new = getattr(event, field.attname)
        if event.pgh_label == "delete":
            old, new = new, None
        if (old or None) != (new or None) if not is_update else old != new:
            fields.append((field, old, new))
    return fields


def _names_of_linked(fields: list[tuple[models.Field[Any, Any], Any, Any]]) -> dict[tuple[Any, Any], str]:
    """(model, primary key) → name, for every foreign key among the changes; one query for each model."""
    wanted: dict[Any, set[Any]] = {}
    for field, old, new in fields:
        if field.related_model is not None:
            wanted.setdefault(field.related_model, set()).update(value for value in (old, new) if value is not None)
    return {
        (model, row.pk): str(row) for model, ids in wanted.items() for row in model._default_manager.filter(pk__in=ids)
    }


def _shown(field: models.Field[Any, Any], value: Any, names: dict[tuple[Any, Any], str]) -> str:
    if value is None or value == "":
        return gettext("empty")
    if field.related_model is not None:
        return names.get((field.related_model, value), str(value))
    if field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime.datetime):
        return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    if isinstance(value, datetime.date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(value, int | decimal.Decimal):
        return number_format(value)
    return str(value)


def create_with_history(model: type[M], rows: Sequence[M]) -> None:
    """Insert very many rows at once, each with its entry in the history: the entries that the triggers would write one by
    one, written in one statement. For imports; in a transaction."""
    event = getattr(model, "pgh_event_model", None)
    if event is None or not rows:
        model._default_manager.bulk_create(rows)
        return
    with pgtrigger.ignore(f"{model._meta.label}:insert_insert"):
        model._default_manager.bulk_create(rows)
    kept = {field.name for field in event._meta.concrete_fields}
    columns = [str(field.column) for field in model._meta.concrete_fields if field.name in kept]
    quoted = ", ".join(connection.ops.quote_name(column) for column in columns)
    table, history = (connection.ops.quote_name(one._meta.db_table) for one in (model, event))
    key = connection.ops.quote_name(str(model._meta.pk.column))  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute("SELECT _pgh_attach_context()")
        context = cursor.fetchone()[0]
        cursor.execute(
            f"INSERT INTO {history} ({quoted}, pgh_created_at, pgh_label, pgh_obj_id, pgh_context_id) "  # noqa: S608  # nosec B608
            f"SELECT {quoted}, now(), 'insert', {key}, %s FROM {table} WHERE {key} = ANY(%s)",
            [context, [row.pk for row in rows]],
        )
