"""Institutions × rounds: how much of what was asked was handed in, and when. For those who see every institution."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from onatc.texts import SortKey
from stakeholders.models import Institution
from strategy.models import FINAL_STATES, EntryState, ProgressEntry, ProgressRequest, Round, RoundState


@dataclass
class Cell:
    """Of `owed` reports `on_time` came by the day they were owed and `later` after it; the rest has not come.

    `state` is a word for all of it: `complete`, `late` (complete, some late), `owed` (not due yet), `missing`, `none`
    (nothing was asked)."""

    owed: int = 0
    on_time: int = 0
    later: int = 0
    is_due: bool = False
    url: str = ""

    @property
    def handed_in(self) -> int:
        return self.on_time + self.later

    @property
    def missing(self) -> int:
        return self.owed - self.handed_in

    @property
    def state(self) -> str:
        if not self.owed:
            return "none"
        if self.missing:
            return "missing" if self.is_due else "owed"
        return "late" if self.later else "complete"

    def add(self, other: Cell) -> None:
        self.owed, self.on_time, self.later = (
            self.owed + other.owed,
            self.on_time + other.on_time,
            self.later + other.later,
        )
        self.is_due = self.is_due or other.is_due


@dataclass
class Row:
    institution: Institution
    cells: list[Cell] = field(default_factory=list)
    total: Cell = field(default_factory=Cell)


@dataclass
class Matrix:
    rounds: list[Round]
    rows: list[Row]
    totals: list[Cell]
    total: Cell


def submissions(rounds: Sequence[Round], user: Any, today: date) -> Matrix:
    """The matrix of these rounds, institutions by name. Two GROUP BY, and one query for the institutions.

    What was waived is not owed. A report came when its first entry is submitted or accepted; one that was returned has to
    come again. It is late when it came after the day by which this institution owed it."""
    visible = ProgressRequest.objects.visible_to(user).filter(round__in=[one.pk for one in rounds], waived_reason="")
    cells: dict[tuple[uuid.UUID, uuid.UUID], Cell] = {}
    for institution, round_, owed, overdue in (
        visible.annotate(owed_on=Coalesce("extended_until", "round__due_on"))
        .order_by()
        .values_list("institution", "round")
        .annotate(owed=Count("pk"), overdue=Count("pk", filter=Q(owed_on__lt=today)))
    ):
        cells[institution, round_] = Cell(owed=owed, is_due=bool(overdue))
    late = Q(is_late=True) | Q(submitted_at__date__gt=F("owed_on"))
    for institution, round_, came, later in (
        ProgressEntry.objects.filter(
            request__in=visible.values("pk"), corrects__isnull=True, state__in=[EntryState.SUBMITTED, *FINAL_STATES]
        )
        .annotate(owed_on=Coalesce("request__extended_until", "request__round__due_on"))
        .order_by()
        .values_list("request__institution", "request__round")
        .annotate(came=Count("pk"), later=Count("pk", filter=late))
    ):
        cell = cells[institution, round_]
        cell.on_time, cell.later = came - later, later
    closed = {one.pk for one in rounds if one.state == RoundState.CLOSED}
    for (_institution, round_), cell in cells.items():
        cell.is_due = cell.is_due or round_ in closed
    rows = []
    totals, total = [Cell() for _round in rounds], Cell()
    found = Institution.objects.visible_to(user).filter(pk__in={institution for institution, _round in cells})
    for body in found.order_by(SortKey("name"), "code"):
        row = Row(body)
        for index, one in enumerate(rounds):
            cell = cells.get((body.pk, one.pk), Cell())
            cell.url = f"{one.get_absolute_url()}?institution={body.code}"
            row.cells.append(cell)
            row.total.add(cell)
            totals[index].add(cell)
            total.add(cell)
        rows.append(row)
    return Matrix(list(rounds), rows, totals, total)


def rounds_with_counts(user: Any) -> QuerySet[Any]:
    """The rounds that `user` sees, newest first, with how much was asked of those whom the user sees, and handed in."""
    seen = ProgressRequest.objects.visible_to(user).filter(waived_reason="", round=OuterRef("pk")).order_by()
    answered = ProgressEntry.objects.filter(request=OuterRef("pk"), state__in=[EntryState.SUBMITTED, *FINAL_STATES])

    def number(requests: QuerySet[ProgressRequest]) -> Coalesce:
        return Coalesce(Subquery(requests.values("round").annotate(number=Count("pk")).values("number")), 0)

    return (
        Round.objects.visible_to(user)
        .select_related("plan")
        .annotate(owed=number(seen), handed_in=number(seen.filter(Exists(answered))))
        .order_by("-ends_on", "plan", "pk")
    )
