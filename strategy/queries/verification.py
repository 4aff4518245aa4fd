"""What was said and what was found: the checks of a round, counted, and what still waits for a check."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet

from onatc.texts import SortKey
from stakeholders.models import Institution
from strategy.indicators import change_pct
from strategy.models import (
    EntryState,
    Finding,
    MeasureState,
    ProgressEntry,
    ProgressValue,
    Round,
    VerificationSample,
)


@dataclass(frozen=True)
class Difference:
    """A state or value that the check found otherwise; `pct` is the difference in per cent of what was said."""

    entry: ProgressEntry
    value: ProgressValue | None = None
    pct: Decimal | None = None

    @property
    def said_state(self) -> Any:
        return self.entry.get_measure_state_display()

    @property
    def found_state(self) -> Any:
        return MeasureState(self.entry.verified_measure_state).label if self.entry.verified_measure_state else ""


@dataclass
class Compared:
    """The checks of one institution in a round, or of all: how many reports were accepted, checked, confirmed."""

    institution: Any = None
    accepted: int = 0
    checked: int = 0
    verified: int = 0
    partly: int = 0
    not_verified: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def states(self) -> int:
        """How many reports named another state of the measure than was found."""
        return sum(one.value is None for one in self.differences)

    @property
    def values(self) -> int:
        return sum(one.value is not None for one in self.differences)

    @property
    def mean_pct(self) -> Decimal | None:
        """By how many per cent of what was said the differing values differ, up or down, in the mean; None without any."""
        known = [abs(one.pct) for one in self.differences if one.pct is not None]
        if not known:
            return None
        return (sum(known, Decimal(0)) / len(known)).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def add(self, other: Compared) -> None:
        self.accepted, self.checked = self.accepted + other.accepted, self.checked + other.checked
        self.verified, self.partly = self.verified + other.verified, self.partly + other.partly
        self.not_verified += other.not_verified
        self.differences += other.differences


def said_and_found(round_: Round, user: Any) -> tuple[Compared, list[Compared]]:
    """The checks of a round, for all and by institution, those with most contradicted reports first.

    Counted in the database; read are the reports alone in which something else was found. Four queries.
    """
    entries = ProgressEntry.objects.visible_to(user).final().filter(request__round=round_)
    numbers = {
        pk: counts
        for pk, *counts in entries.order_by()
        .values_list("request__institution")
        .annotate(
            accepted=Count("*"),
            checked=Count("pk", filter=Q(state=EntryState.VERIFIED)),
            partly=Count("pk", filter=Q(state=EntryState.VERIFIED, finding=Finding.PARTLY)),
            not_verified=Count("pk", filter=Q(state=EntryState.VERIFIED, finding=Finding.NOT)),
        )
    }
    rows: dict[Any, Compared] = {}
    for institution in Institution.objects.filter(pk__in=numbers).order_by(SortKey("name"), "code"):
        accepted, checked, partly, not_verified = numbers[institution.pk]
        rows[institution.pk] = Compared(
            institution, accepted, checked, checked - partly - not_verified, partly, not_verified
        )
    values = ProgressValue.objects.filter(verified_value__isnull=False).exclude(value=F("verified_value"))
    contradicted = (
        entries.filter(state=EntryState.VERIFIED)
        .filter(
            (~Q(verified_measure_state="") & ~Q(verified_measure_state=F("measure_state")))
            | Exists(values.filter(entry=OuterRef("pk")))
        )
        .select_related("request__institution", "request__round")
        .prefetch_related(Prefetch("values", values.select_related("requested")))
        .order_by("request__measure__position", "pk")
    )
    for entry in contradicted:
        rows[entry.request.institution_id].differences += _differences(entry)
    total = Compared()
    for row in rows.values():
        total.add(row)
    return total, sorted(rows.values(), key=lambda row: -(row.partly + row.not_verified))


def _differences(entry: ProgressEntry) -> list[Difference]:
    """Reads the `values` that were contradicted."""
    found = [Difference(entry, one, change_pct(one.verified_value, one.value)) for one in entry.values.all()]
    if entry.verified_measure_state and entry.verified_measure_state != entry.measure_state:
        found.insert(0, Difference(entry))
    return found


def sample_of(round_: Round, user: Any) -> QuerySet[VerificationSample]:
    """What is to be checked in a round, what waits first."""
    return (
        VerificationSample.objects.visible_to(user)
        .filter(round=round_)
        .select_related("entry__request__institution", "entry__request__round", "entry__verified_by", "drawn_by")
        .order_by("entry__verified_at", "entry__request__measure__position", "pk")
    )


def to_check(user: Any, limit: int = 8) -> tuple[list[VerificationSample], int]:
    """What waits for a check that `user` may make (not of what they wrote or accepted), the oldest round first, and how many."""
    waiting = (
        VerificationSample.objects.visible_to(user)
        .filter(entry__state=EntryState.ACCEPTED)
        .exclude(entry__author=user)
        .exclude(entry__submitted_by=user)
        .exclude(entry__accepted_by=user)
    )
    rows = waiting.select_related("entry__request__institution", "entry__request__round").order_by(
        "round__ends_on", "entry__request__measure__position", "pk"
    )
    return list(rows[:limit]), waiting.count()
