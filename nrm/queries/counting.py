"""The rows that a table is counted from, loaded for the whole country: one query a table, none for each case.

As of an earlier day a row says what it said then: what was filled in, corrected, ended or closed later is a fact that was
recorded later (data_dictionary.md, section 4). The histories tell it; of a row that came with a file, which counts as recorded
on its own day, the first entry is what it said from that day on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, F, Func, Max, Model, Q
from django.db.models.functions import TruncDate
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
    EventKind,
    Happening,
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
    as_of = question.as_of
    former = _former_days(as_of)
    facts = Facts(
        cases=list(_cases(as_of)),
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
        load(facts, as_of)
    return facts


PROFILE = (
    "sex", "age_at_referral", "age_group_at_referral", "age_at_exploitation", "age_group_at_exploitation", "citizenship",
    "forms", "labour_sector", "recruitment_methods", "means_of_control", "recruiter_relations", "geography",
    "municipality_id", "municipality__district_id", "missing",
)  # fmt: skip


def _cases(as_of: date | None) -> Iterator[CaseFact]:
    closed_later = _closed_later(as_of)
    row: Any
    for row in _rows(Case, "pk", ("own_person_id", "opened_on", "closed_on"), PROFILE, as_of):
        key, recorded, person, opened, closed, *profile, place, district, missing = row
        lists = [tuple(one) if isinstance(one, list) else one for one in profile]
        yield CaseFact._make(
            [key, person, recorded, opened, None if key in closed_later else closed, *lists, place or "",
             district or "", missing]
        )  # fmt: skip


def _closed_later(as_of: date | None) -> set[Any]:
    """The cases of which nobody had recorded by that day that they were closed."""
    if as_of is None:
        return set()
    closings = Happening.objects.filter(kind=EventKind.CLOSED).order_by().values("case_id")
    return set(
        closings.annotate(last=Max("recorded_at")).filter(last__gte=_after(as_of)).values_list("case_id", flat=True)
    )


def _rows(
    model: type[Model], owner: str, fixed: tuple[str, ...], told: tuple[str, ...], as_of: date | None
) -> Iterator[list[Any]]:
    """Of every row: whose it is, the day on which it was recorded, what never changes, and what it told as of that day."""
    former = _told_then(model, told, as_of)
    rows = model._default_manager.order_by().values_list("pk", owner, RECORDED, *fixed, *told)
    row: Any
    for row in rows.iterator(chunk_size=5000):
        values = former.get(row[0]) or row[-len(told) :]
        yield [*row[1 : 3 + len(fixed)], *values]


def _told_then(model: Any, told: tuple[str, ...], as_of: date | None) -> dict[Any, tuple[Any, ...]]:
    """By the keys of the rows that have ever told something else than now: what they told at the end of a day. Most rows
    never change in what is counted; one pass over the history finds those that do."""
    if as_of is None:
        return {}
    now_and_then = (
        Func(*(F(place + name) for name in told), function="ROW", output_field=BooleanField())
        for place in ("", "pgh_obj__")
    )
    differs = Func(
        *now_and_then, template="(%(expressions)s)", arg_joiner=" IS DISTINCT FROM ", output_field=BooleanField()
    )
    history = model.pgh_event_model.objects.order_by()
    keys = set(history.filter(differs).values_list("pgh_obj_id", flat=True))
    if not keys:
        return {}
    until = history.filter(Q(pgh_label="insert") | Q(pgh_created_at__lt=_after(as_of)), pgh_obj_id__in=keys)
    entries = until.order_by("pgh_created_at", "pgh_id").values_list("pgh_obj_id", *told)
    return {key: tuple(values) for key, *values in entries}


def _after(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


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


def _assistance(facts: Facts, as_of: date | None) -> None:
    for case, recorded, kind, response, starts, offered, ends in _rows(
        Assistance, "case_id", (), ("kind", "response", "starts_on", "offered_on", "ends_on"), as_of
    ):
        began = starts or offered
        if response == Response.ACCEPTED and began is not None:
            facts.assistance.append(SpellFact(case, kind, began, ends, recorded))


def _stays(facts: Facts, as_of: date | None) -> None:
    for case, recorded, kind, came, left in _rows(Stay, "case_id", (), ("shelter_type", "came_on", "left_on"), as_of):
        if kind != "SH_NONE":
            facts.stays.append(SpellFact(case, kind, came, left, recorded))


def _reflections(facts: Facts, as_of: date | None) -> None:
    facts.reflections = [
        ReflectionFact(case, kind, on, days, recorded)
        for case, recorded, kind, on, days in _rows(ReflectionEvent, "case_id", (), ("kind", "on", "days"), as_of)
    ]


def _returns(facts: Facts, as_of: date | None) -> None:
    facts.returns = [
        ReturnFact(case, outcome, on, recorded)
        for case, recorded, outcome, on in _rows(Return, "case_id", (), ("outcome", "carried_out_on"), as_of)
        if on is not None
    ]


NEEDED: dict[str, Callable[[Facts, date | None], None]] = {
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
