"""What falls due by the retention rules, and all that is held about one marker."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm import access
from nrm.models import (
    Case,
    OwnFileNumber,
    PersonRequest,
    ReferralFile,
    RetainedKind,
    RetentionRule,
    Screening,
    TwinToken,
)
from nrm.retention import DEFAULT_MONTHS, closed_by, falls_due_on
from nrm.sections import ASIDE, Act, Section, register
from onatc.trail import READINGS, TrailEntry
from stakeholders.models import Institution


@dataclass(frozen=True)
class FallingDue:
    """What of a kind is no longer kept on a day: how many, of which closed cases."""

    kind: str
    months: int
    count: int
    cases: list[uuid.UUID]

    @property
    def label(self) -> str:
        return str(RetainedKind(self.kind).label)


def months_of(kind: str, on: date | None = None) -> int:
    """For how many months after the closing a kind is kept, by the rule of a day or the office's default."""
    rule = RetentionRule.objects.in_force(kind, on)
    return rule.months if rule else DEFAULT_MONTHS[kind]


def falling_due(kind: str, on: date | None = None) -> FallingDue:
    """Two or three queries."""
    today = on or timezone.localdate()
    months = months_of(kind, today)
    closed = Case.objects.filter(closed_on__lte=closed_by(today, months)).order_by("pk")
    if kind == RetainedKind.CASE:
        found = list(closed.filter(destroyed_on__isnull=True).values_list("pk", flat=True))
        return FallingDue(kind, months, len(found), found)
    rows: Any = {
        RetainedKind.FILE_NUMBER: OwnFileNumber.objects.filter(case=OuterRef("pk")),
        RetainedKind.TOKEN: TwinToken.objects.filter(case=OuterRef("pk")),
        RetainedKind.REFERRAL_FILE: ReferralFile.objects.filter(referral__case=OuterRef("pk")),
        RetainedKind.SCREENING: Screening.objects.filter(case=OuterRef("pk")),
    }[RetainedKind(kind)]
    found = list(closed.filter(Exists(rows)).values_list("pk", flat=True))
    path = "referral__case__in" if kind == RetainedKind.REFERRAL_FILE else "case__in"
    return FallingDue(kind, months, rows.model.objects.filter(**{path: found}).count(), found)


SHOWN = 200


@dataclass(frozen=True)
class DueCases:
    """Which cases a destruction concerns, those closed first; `count` are all of them, also those that are not shown."""

    rows: list[Case]
    count: int


def due_cases(keys: list[uuid.UUID], months: int, user: Any) -> DueCases:
    """For whoever prepares or approves a destruction: which cases, and since when each is no longer kept (`due_on`)."""
    seen = Case.objects.visible_to(user).filter(pk__in=keys)
    rows = list(seen.select_related("responsible").order_by("closed_on", "pk")[:SHOWN])
    for one in rows:
        one.due_on = falls_due_on(one.closed_on, months)  # type: ignore[attr-defined, arg-type]
    return DueCases(rows, len(keys))


# The case page


def requests(case: Case, user: Any) -> dict[str, Any]:
    return {"rows": list(PersonRequest.objects.visible_to(user).filter(case=case).select_related("brought_by"))}


def _request_acts(case: Case, user: Any) -> Iterable[Act]:
    if not access.may_bring_request(user, case):
        return []
    return [Act(_("Record that the person asks what is held"), reverse("nrm:request-create", args=[case.marker]))]


def register_sections() -> None:
    """Called when the app is ready (nrm/case_sections.py)."""
    register(
        Section(
            "requests",
            gettext_lazy("Requests of the person"),
            "nrm/sections/requests.html",
            requests,
            _request_acts,
            place=ASIDE,
            order=800,
        )
    )


# What is held about a marker

PATHS = ("case", "referral__case", "clock__case")  # how a kind of record belongs to a case
# Never given to anybody: keyed tokens, and numbers that belong to one institution alone. Emergencies stand among the readings.
NOT_GIVEN = frozenset({"TwinToken", "OwnFileNumber", "TwinTry", "TwinMatch", "EmergencyAccess"})


@dataclass(frozen=True)
class Held:
    """One value that is held: of which kind of record, when it was recorded, by which institution."""

    record: str
    field: str
    value: str
    recorded_at: datetime | None
    institution: str


def held_about(case: Case) -> Iterator[Held]:
    """Every value of every record of a case, and who read it: what the law lets a person ask for.

    Records of other cases are not among it, and no name of an official: institutions stand for their people.
    """
    yield from _values(case, str(case._meta.verbose_name), case.recorded_at, case.opened_by.short)
    for model in apps.get_app_config("nrm").get_models():
        path = next((one for one in PATHS if _has(model, one)), None)
        if path is None or model.__name__ in NOT_GIVEN or hasattr(model, "pgh_tracked_model"):
            continue
        rows: Any = model._default_manager.filter(**{path: case})
        for row in rows.order_by("pk"):
            institution = getattr(row, "recorded_for", None)
            yield from _values(
                row,
                str(model._meta.verbose_name),
                getattr(row, "recorded_at", None),
                institution.short if institution else "",
            )
    # That these are kept is told, and where to ask; what stands in them nobody but their institution can say.
    for number in OwnFileNumber.objects.filter(case=case).select_related("institution").order_by("changed_at"):
        kind, short = str(number._meta.verbose_name), number.institution.short
        yield Held(kind, _("sealed; that institution alone reads it"), short, number.changed_at, short)
    if tokens := TwinToken.objects.filter(case=case).count():
        yield Held(
            str(TwinToken._meta.verbose_name_plural),
            _("how many; nobody can read a name from them"),
            str(tokens),
            None,
            "",
        )
    readers = TrailEntry.objects.filter(record_kind="nrm.case", record_id=str(case.pk), act__in=READINGS)
    for entry in readers.order_by("sequence"):
        yield Held(_("reading"), str(entry.get_act_display()), entry.purpose, entry.at, "")


def _has(model: type[models.Model], path: str) -> bool:
    first, _dot, rest = path.partition("__")
    field: Any = next((one for one in model._meta.concrete_fields if one.name == first), None)
    if not isinstance(field, models.ForeignKey):
        return False
    return field.related_model is Case if not rest else _has(field.related_model, rest)


def _values(row: Any, record: str, at: datetime | None, institution: str) -> Iterator[Held]:
    people = get_user_model()
    for field in row._meta.concrete_fields:
        if field.name in ("id", "revision", "case", "recorded_at", "recorded_for") or isinstance(
            field, models.BinaryField
        ):
            continue
        if isinstance(field, models.ForeignKey):
            if field.related_model is people:
                continue
            other = getattr(row, field.name)
            value = other.short if isinstance(other, Institution) else "" if other is None else str(other)
            if field.related_model is Case:
                continue  # another case is another record's business
        else:
            value = _text(row, field)
        if value not in ("", "[]", "{}", "None"):
            yield Held(record, str(field.verbose_name), value, at, institution)


def _text(row: Any, field: Any) -> str:
    value = getattr(row, field.name)
    if value is None:
        return ""
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="minutes")
    return str(value)
