"""Which institution is bound by what, and where the holes are; agreements as they stand on other pages."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import pgettext_lazy

from onatc.texts import SortKey
from stakeholders.models import (
    REPORTERS,
    Agreement,
    AgreementKind,
    AgreementParty,
    AgreementStanding,
    BodyMember,
    ContactFunction,
    Institution,
    RoleAssignment,
)

OFFICE = ("ONATC", "NATC")  # the side that concludes; the matrix shows with whom
ENDS_SOON_DAYS = 90


class CellStanding(models.TextChoices):
    """What a cell of the matrix says; of several agreements the one that holds best speaks, in this order."""

    IN_FORCE = "in_force", pgettext_lazy("agreement", "in force")
    ENDS_SOON = "ends_soon", pgettext_lazy("agreement", "ends soon")
    SIGNED = "signed", pgettext_lazy("agreement", "signed, not in force")
    PREPARED = "prepared", pgettext_lazy("agreement", "being prepared")
    EXPIRED = "expired", pgettext_lazy("agreement", "expired")
    ENDED = "ended", pgettext_lazy("agreement", "ended")
    NONE = "hole", pgettext_lazy("agreement", "none")


ORDER = list(CellStanding)


def standing_in_cell(agreement: Agreement, day: date) -> CellStanding:
    """In force, or about to end without a renewal that was signed; else what its dates say."""
    standing = agreement.standing_on(day)
    if standing == AgreementStanding.IN_FORCE:
        last = agreement.last_day
        is_renewed = getattr(agreement, "is_renewed", False)
        if last is not None and not is_renewed and (last - day).days <= ENDS_SOON_DAYS:
            return CellStanding.ENDS_SOON
    return CellStanding(standing.value)


@dataclass(frozen=True)
class Cell:
    """`url` leads to the agreement, to the list of several, or, from a hole, to a new one that is filled in."""

    standing: CellStanding
    url: str
    number: int = 0

    @property
    def is_hole(self) -> bool:
        return self.standing == CellStanding.NONE


@dataclass(frozen=True)
class Column:
    """A kind of agreement, or one agreement in force; `url` where the heading leads."""

    label: str
    url: str
    title: str = ""


@dataclass(frozen=True)
class Row:
    institution: Institution
    cells: Sequence[Cell]

    @property
    def is_bare(self) -> bool:
        """No agreement of any kind holds."""
        good = (CellStanding.IN_FORCE, CellStanding.ENDS_SOON)
        return not any(cell.standing in good for cell in self.cells)


@dataclass(frozen=True)
class Matrix:
    columns: list[Column]
    rows: list[Row]

    @property
    def bare(self) -> int:
        return sum(row.is_bare for row in self.rows)


def counterparts(user: Any, day: date, *, kind: str = "", level: str = "") -> QuerySet[Institution]:
    """With whom the office needs agreements: the members of the National Authority and those that take part in the referral
    mechanism, that is for which somebody reports, which sit in a body, or which are bound by an agreement already. One that was
    dissolved stays while an agreement of it is in force."""
    reporting = RoleAssignment.objects.active(day).filter(institution=OuterRef("pk"), role__in=REPORTERS)
    sitting = BodyMember.objects.filter(institution=OuterRef("pk"))
    bound = AgreementParty.objects.filter(institution=OuterRef("pk"))
    holding = Agreement.objects.visible_to(user).in_force(day).order_by().values("pk")
    found = (
        Institution.objects.visible_to(user)
        .filter(Q(dissolved_on__isnull=True) | Q(dissolved_on__gte=day) | Exists(bound.filter(agreement__in=holding)))
        .filter(Q(is_authority_member=True) | Exists(reporting) | Exists(sitting) | Exists(bound))
        .exclude(code__in=OFFICE)
    )
    found = found.filter(kind=kind) if kind else found
    found = found.filter(level=level) if level else found
    return found.order_by("-is_authority_member", SortKey("name"), "code")


def matrix(user: Any, *, by_agreement: bool = False, kind: str = "", level: str = "", on: date | None = None) -> Matrix:
    """Institutions by kinds of agreement, or by the agreements in force. Three queries, whatever their number."""
    day = on or timezone.localdate()
    texts = ("subject", "data_shared", "data_protection", "end_reason")
    agreements: list[Any] = list(Agreement.objects.visible_to(user).with_state(day).defer(*texts))
    bound: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for pk, party in AgreementParty.objects.filter(
        agreement__in=Agreement.objects.visible_to(user).order_by().values("pk")
    ).values_list("agreement", "institution"):
        bound[pk].append(party)
    rows = list(counterparts(user, day, kind=kind, level=level))
    if by_agreement:
        in_force = [one for one in agreements if one.state == AgreementStanding.IN_FORCE]
        return _by_agreement(in_force, bound, rows, day)
    of: dict[tuple[uuid.UUID, str], list[tuple[int, Agreement]]] = defaultdict(list)
    for agreement in agreements:
        standing = ORDER.index(standing_in_cell(agreement, day))
        for party in bound[agreement.pk]:
            of[party, agreement.kind].append((standing, agreement))
    register = reverse("stakeholders:agreement-list")
    columns = [Column(str(one.label), f"{register}?{urlencode({'kind': one.value})}") for one in AgreementKind]
    return Matrix(
        columns,
        [Row(body, [_cell(of[body.pk, one.value], body, one.value) for one in AgreementKind]) for body in rows],
    )


def _cell(agreements: list[tuple[int, Agreement]], body: Institution, kind: str) -> Cell:
    query = urlencode({"institution": str(body.pk), "kind": kind})
    if not agreements:
        return Cell(CellStanding.NONE, f"{reverse('stakeholders:agreement-create')}?{query}")
    place, best = min(agreements, key=lambda pair: pair[0])
    url = best.get_absolute_url()
    if len(agreements) > 1:
        url = f"{reverse('stakeholders:agreement-list')}?{query}"
    return Cell(ORDER[place], url, len(agreements))


def _by_agreement(
    agreements: list[Agreement], parties_of: dict[uuid.UUID, list[uuid.UUID]], rows: list[Institution], day: date
) -> Matrix:
    agreements.sort(key=lambda one: (one.kind, one.number, str(one.pk)))
    bound = [set(parties_of[one.pk]) for one in agreements]
    cells = [Cell(standing_in_cell(one, day), one.get_absolute_url(), 1) for one in agreements]
    hole = Cell(CellStanding.NONE, "")
    columns = [
        Column(one.number or f"{str(one.title)[:40]}", one.get_absolute_url(), str(one.title)) for one in agreements
    ]
    return Matrix(
        columns,
        [
            Row(body, [
                cell if body.pk in parties else hole for cell, parties in zip(cells, bound, strict=True)
            ])
            for body in rows
        ],
    )  # fmt: skip


# Parties


def speaking(parties: Sequence[AgreementParty], day: date) -> set[uuid.UUID]:
    """Keys of the parties whose focal person still holds a function there. One query."""
    functions = ContactFunction.objects.active(day).filter(contact__removed_at=None)
    there = set(
        functions.filter(contact__in=[one.focal_person_id for one in parties]).values_list("contact", "institution")
    )
    return {one.pk for one in parties if (one.focal_person_id, one.institution_id) in there}


# On the pages of others


def of_institution(institution: Institution, user: Any) -> list[Agreement]:
    """What the reader may see of the agreements that bind an institution, those that hold first."""
    return _for_page(Agreement.objects.visible_to(user).filter(parties__institution=institution))


def of_country(country: Any, user: Any) -> list[Agreement]:
    return _for_page(Agreement.objects.visible_to(user).filter(country=country))


def _for_page(found: QuerySet[Agreement], limit: int = 50) -> list[Agreement]:
    rows = list(found.with_state().order_by("-signed_on", "pk")[:limit])  # type: ignore[attr-defined]
    day = timezone.localdate()
    for one in rows:
        one.shown = standing_in_cell(one, day)
    return sorted(rows, key=lambda one: ORDER.index(one.shown))
