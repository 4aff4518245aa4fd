"""How many people events reached. Not counted is not zero: a sum over nothing that was counted is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from stakeholders.models import Event, EventReach

SEXES = {name: EventReach._meta.get_field(name).verbose_name for name in ("women", "men", "others", "unknown")}  # type: ignore[union-attr]


def _known(name: str) -> Any:
    return Coalesce(F(name), Value(0))


# Of one row, whose constraint holds that one number at least is known.
ROW_TOTAL = _known("women") + _known("men") + _known("others") + _known("unknown")


def with_reach(events: QuerySet[Event]) -> QuerySet[Event]:
    """Each event with `reached`, all who were counted there, `reached_women`, and `reached_unknown`, those of `reached` whose
    sex is not known; None where nobody counted."""
    rows = EventReach.objects.filter(event=OuterRef("pk")).order_by().values("event")
    return events.annotate(
        reached=Subquery(rows.annotate(sum=Sum(ROW_TOTAL)).values("sum"), output_field=IntegerField()),
        reached_women=Subquery(rows.annotate(sum=Sum("women")).values("sum"), output_field=IntegerField()),
        reached_unknown=Subquery(rows.annotate(sum=Sum("unknown")).values("sum"), output_field=IntegerField()),
    )


@dataclass(frozen=True)
class Reached:
    """Over several events: `total` and `women` of those that counted, None when none did; `events` in all, of which
    `uncounted` have no number."""

    total: int | None
    women: int | None
    events: int
    uncounted: int


def reached_by(events: QuerySet[Event]) -> Reached:
    found = EventReach.objects.filter(event__in=events.order_by().values("pk")).aggregate(
        total=Sum(ROW_TOTAL), women=Sum("women")
    )
    return Reached(found["total"], found["women"], events.count(), events.filter(reach__isnull=True).count())
