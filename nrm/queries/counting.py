"""The rows that a table is counted from, loaded for the whole country: one query a table, none for each case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from nrm.counting.facts import (
    AccusedFact,
    CaseFact,
    DecisionFact,
    Facts,
    MergeFact,
    ReferralFact,
    ReflectionFact,
    ReturnFact,
    SpellFact,
)
from nrm.counting.populations import STAGES
from nrm.counting.table import Cell, Question, count
from nrm.models import (
    Assistance,
    Case,
    CaseDecision,
    Merge,
    ProceedingStage,
    Referral,
    ReflectionEvent,
    Response,
    Return,
    StageUnit,
    Stay,
)

RECORDED = TruncDate("recorded_at")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@transaction.atomic
def facts_for(question: Question) -> Facts:
    """What the question needs, of one moment. For the office alone: nothing is protected, nobody's rights are asked."""
    if question.population in STAGES:
        return Facts(accused=list(_accused()))
    former = _former_days(question.as_of)
    facts = Facts(
        cases=list(_cases()),
        referrals=list(_referrals(former)),
        decisions=list(_decisions(former)),
        merges=[
            MergeFact(*row)
            for row in Merge.objects.order_by().values_list(
                "case_id", "into_id", "kind", RECORDED, TruncDate("undone_at")
            )
        ],
    )
    if load := NEEDED.get(question.population):
        load(facts)
    return facts


def _cases() -> Iterator[CaseFact]:
    rows = Case.objects.order_by().values_list(
        "pk", "own_person_id", RECORDED, "opened_on", "closed_on", "sex", "age_at_referral", "age_group_at_referral",
        "age_at_exploitation", "age_group_at_exploitation", "citizenship", "forms", "labour_sector",
        "recruitment_methods", "means_of_control", "recruiter_relations", "geography", "municipality_id",
        "municipality__district_id", "missing",
    )  # fmt: skip
    row: Any
    for row in rows.iterator(chunk_size=5000):
        lists = (tuple(one) for one in row[10:16])
        yield CaseFact._make([*row[:10], *lists, row[16], row[17] or "", row[18] or "", row[19]])


def _former_days(as_of: date | None) -> dict[str, date]:
    """A merge in the application puts the earliest dates into the rows of the survivor, and keeps what stood there: as of a
    day before it, the rows say what they said then. By the key of the row."""
    if as_of is None:
        return {}
    found: dict[str, date] = {}
    later = (
        Merge.objects.annotate(made=RECORDED).filter(undone_at__isnull=True, made__gt=as_of).order_by("-recorded_at")
    )
    for kept in later.values_list("kept", flat=True):
        days = dict(kept.get("decisions", {}))
        if referral := kept.get("referral"):
            days[referral[0]] = referral[1]
        found |= {key: date.fromisoformat(day) for key, day in days.items()}
    return found


def _referrals(former: dict[str, date]) -> Iterator[ReferralFact]:
    rows = Referral.objects.filter(brings_in=True, after__isnull=True).order_by()
    row: Any
    for row in rows.values_list("case_id", "referred_on", RECORDED, "referring_entity", "pk").iterator(chunk_size=5000):
        on = former.get(str(row[4]), row[1]) if former else row[1]
        yield ReferralFact(row[0], on, row[2], row[3])


def _decisions(former: dict[str, date]) -> Iterator[DecisionFact]:
    rows = CaseDecision.objects.order_by().values_list(
        "case_id",
        "decided_on",
        RECORDED,
        "outcome",
        "stage",
        "decision_maker",
        "age_group_at_decision",
        "recorded_at",
        "pk",
    )
    row: Any
    for row in rows.iterator(chunk_size=5000):
        on = former.get(str(row[8]), row[1]) if former else row[1]
        yield DecisionFact._make([row[0], on, *row[2:7], (row[7] - EPOCH).total_seconds()])


def _assistance(facts: Facts) -> None:
    rows = Assistance.objects.filter(response=Response.ACCEPTED).order_by()
    began = Coalesce("starts_on", "offered_on")
    facts.assistance = [
        SpellFact(*row)
        for row in rows.annotate(began=began)
        .filter(began__isnull=False)
        .values_list("case_id", "kind", "began", "ends_on", RECORDED)
    ]


def _stays(facts: Facts) -> None:
    rows = Stay.objects.exclude(shelter_type="SH_NONE").order_by()
    facts.stays = [
        SpellFact(*row) for row in rows.values_list("case_id", "shelter_type", "came_on", "left_on", RECORDED)
    ]


def _reflections(facts: Facts) -> None:
    rows = ReflectionEvent.objects.order_by()
    facts.reflections = [ReflectionFact(*row) for row in rows.values_list("case_id", "kind", "on", "days", RECORDED)]


def _returns(facts: Facts) -> None:
    rows = Return.objects.filter(carried_out_on__isnull=False).order_by()
    facts.returns = [ReturnFact(*row) for row in rows.values_list("case_id", "outcome", "carried_out_on", RECORDED)]


NEEDED: dict[str, Callable[[Facts], None]] = {
    "assisted": _assistance,
    "sheltered": _stays,
    "reflection": _reflections,
    "returned": _returns,
}


def _accused() -> Iterator[AccusedFact]:
    rows = ProceedingStage.objects.filter(unit=StageUnit.ACCUSED, is_trafficking=True, accused__isnull=False)
    for row in rows.order_by().values_list(
        "accused_id", "stage", "on", RECORDED, "accused__sex", "accused__age_group", "accused__citizenship"
    ):
        yield AccusedFact(*row)


def counted(question: Question) -> list[Cell]:
    """The cells of a table, unprotected."""
    return count(facts_for(question), question, timezone.localdate())
