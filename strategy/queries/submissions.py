"""Institutions × rounds: how much of what was asked was handed in, and when. For those who see every institution."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from onatc.texts import SortKey
from stakeholders.models import Institution
from strategy.models import ProgressRequest, Round, RoundState


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
    """`name` is that of the institution at the end of the latest of the rounds, `earlier` what it was called in others."""

    institution: Institution
    name: str = ""
    earlier: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    total: Cell = field(default_factory=Cell)


@dataclass
class Matrix:
    rounds: list[Round]
    rows: list[Row]
    totals: list[Cell]
    total: Cell


def submissions(rounds: Sequence[Round], user: Any, today: date) -> Matrix:
    """The matrix of these rounds, institutions by name. One GROUP BY over an index, and two queries for the institutions.

    What was waived is not owed. A report came when its first entry is submitted or accepted; one that was returned has to
    come again. It is late when it first came after the day by which this institution owed it (ADR 18)."""
    visible = ProgressRequest.objects.visible_to(user).filter(round__in=[one.pk for one in rounds], waived_reason="")
    known = {one.pk: one for one in rounds}
    cells: dict[tuple[uuid.UUID, uuid.UUID], Cell] = {}
    for institution, pk, owed, came, later, without_own_day, first_own_day in (
        visible.order_by()
        .values_list("institution", "round")
        .annotate(
            owed=Count("is_handed_in"),
            came=Count("is_handed_in", filter=Q(is_handed_in=True)),
            later=Count("is_handed_in", filter=Q(came_late=True)),
            without_own_day=Count("is_handed_in", filter=Q(extended_until=None)),
            first_own_day=Min("extended_until"),
        )
    ):
        is_due = (
            known[pk].state == RoundState.CLOSED
            or (without_own_day > 0 and known[pk].due_on < today)
            or (first_own_day is not None and first_own_day < today)
        )
        cells[institution, pk] = Cell(owed=owed, on_time=came - later, later=later, is_due=is_due)
    rows = []
    totals, total = [Cell() for _round in rounds], Cell()
    found = Institution.objects.visible_to(user).filter(pk__in={institution for institution, _round in cells})
    for body in found.order_by(SortKey("name"), "code").prefetch_related("former_names"):
        latest, *others = (
            body.name_on(one.period.end) for one in sorted(rounds, key=lambda one: one.ends_on, reverse=True)
        )
        row = Row(body, latest, list(dict.fromkeys(name for name in others if name != latest)))
        for index, one in enumerate(rounds):
            cell = cells.get((body.pk, one.pk), Cell())
            cell.url = f"{one.get_absolute_url()}?institution={body.code}"
            row.cells.append(cell)
            row.total.add(cell)
            totals[index].add(cell)
            total.add(cell)
        rows.append(row)
    return Matrix(list(rounds), rows, totals, total)


def rounds_of(user: Any) -> QuerySet[Round]:
    """The rounds that `user` sees, newest first."""
    return Round.objects.visible_to(user).select_related("plan").order_by("-ends_on", "plan", "pk")


@dataclass(frozen=True)
class Counted:
    """A round with how many reports are owed in it (what was waived is not) and how many were handed in: of the
    institutions that the reader sees."""

    round: Round
    owed: int
    handed_in: int


def counted(rounds: Iterable[Round], user: Any) -> list[Counted]:
    """These rounds with their counts. One query that reads the index `progress_request_came` and no row."""
    rounds = list(rounds)
    numbers = {
        pk: (owed, came)
        for pk, owed, came in ProgressRequest.objects.visible_to(user)
        .filter(round__in=rounds, waived_reason="")
        .order_by()
        .values_list("round")
        .annotate(owed=Count("is_handed_in"), came=Count("is_handed_in", filter=Q(is_handed_in=True)))
    }
    return [Counted(one, *numbers.get(one.pk, (0, 0))) for one in rounds]
