"""The figures of the dashboard and the homes: each is one GROUP BY over the rows that the list behind it shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from onatc import charts
from onatc.periods import Period
from onatc.texts import choose
from strategy.filters import MeasureFilter
from strategy.models import (
    FINAL_STATES,
    EntryState,
    Finding,
    Goal,
    Measure,
    MeasureSignal,
    PlanVersion,
    ProgressEntry,
    ProgressRequest,
    Round,
    Signal,
)

ORDER = [
    Signal.COMPLETED,
    Signal.ON_TIME,
    Signal.AT_RISK,
    Signal.LATE,
    Signal.NO_NEWS,
    Signal.NOT_STARTED,
    Signal.DROPPED,
]
DARK = {Signal.COMPLETED, Signal.LATE, Signal.DROPPED}
ON_COURSE = {Signal.COMPLETED, Signal.ON_TIME, Signal.NOT_STARTED}


@dataclass(frozen=True)
class Cell:
    """A number with the address of the list behind it."""

    number: int
    url: str


@dataclass
class Row:
    code: str
    label: Any
    cells: list[Cell] = field(default_factory=list)
    total: Cell | None = None


@dataclass
class Standing:
    """How many measures of a version stand where at a period, by signal; `on_course` leaves out the dropped ones."""

    version: PlanVersion
    quarter: Period
    counts: dict[str, int]
    url: str
    total: int

    @property
    def asked_of(self) -> int:
        return self.total - self.counts.get(Signal.DROPPED, 0)

    @property
    def on_course(self) -> int:
        return sum(self.counts.get(signal, 0) for signal in ON_COURSE)

    @property
    def cells(self) -> list[tuple[str, str, Cell]]:
        return [
            (str(signal), str(signal.label), Cell(self.counts.get(signal, 0), f"{self.url}&signal={signal}"))
            for signal in ORDER
        ]


def list_url(found: MeasureFilter, **extra: str) -> str:
    """The measure list under the same filter."""
    chosen = {
        name: found.form.data.get(name, "")
        for name in ("q", "goal", "institution", "part", "lead", "state")
        if found.form.data.get(name)
    }
    query = {"plan": str(found.version.plan_id), "period": found.quarter.label, **chosen, **extra}
    return f"{reverse('strategy:measure-list')}?{urlencode(query)}"


def standing(found: MeasureFilter, goals: list[Row]) -> Standing:
    """The sum of the goals' rows; measures without a signal for the period are in the total alone."""
    counts = {str(signal): sum(row.cells[index].number for row in goals) for index, signal in enumerate(ORDER)}
    total = sum(row.total.number for row in goals if row.total)
    return Standing(found.version, found.quarter, counts, list_url(found), total)


@dataclass(frozen=True)
class Tally:
    """How many measures of one goal, lead institution and signal."""

    goal: str
    lead: str
    lead_name: Any
    signal: str | None
    number: int


def tally(found: MeasureFilter) -> list[Tally]:
    """The one GROUP BY from which the tables of goals and of institutions, and so the standing, are made."""
    rows = (
        found.rows.order_by()
        .values_list("objective__goal__code", "lead__code", "lead__name_sq", "lead__name_sr", "lead__name_en", "signal")
        .annotate(number=Count("pk"))
    )
    return [
        Tally(goal, lead, choose({"sq": sq, "sr": sr, "en": en}), signal, number)
        for goal, lead, sq, sr, en, signal, number in rows
    ]


def by_goal(found: MeasureFilter, tallies: list[Tally]) -> list[Row]:
    """Goals × signals, in the plan's order; a goal without a measure under the filter is left out."""
    counts: dict[str, Counter[str | None]] = defaultdict(Counter)
    for one in tallies:
        counts[one.goal][one.signal] += one.number
    return [
        _row(found, goal.code, f"{goal.code} {goal.title}", counts[goal.code], "goal")
        for goal in Goal.objects.filter(version=found.version).order_by("position")
        if goal.code in counts
    ]


def by_institution(found: MeasureFilter, tallies: list[Tally]) -> list[Row]:
    """Lead institutions × signals; those with most late measures and without news first."""
    counts: dict[str, Counter[str | None]] = defaultdict(Counter)
    names: dict[str, Any] = {}
    for one in tallies:
        counts[one.lead][one.signal] += one.number
        names[one.lead] = one.lead_name
    rows = [_row(found, code, names[code], per_signal, "lead") for code, per_signal in counts.items()]
    worst = {code: (-each[Signal.LATE], -each[Signal.NO_NEWS]) for code, each in counts.items()}
    rows.sort(key=lambda row: (*worst[row.code], row.code))
    return rows


def _row(found: MeasureFilter, code: str, label: Any, counts: Counter[str | None], key: str) -> Row:
    base = list_url(found, **{key: code})
    row = Row(code, label, total=Cell(sum(counts.values()), base))
    row.cells = [Cell(counts[signal], f"{base}&signal={signal}") for signal in ORDER]
    return row


def goals_chart(rows: list[Row]) -> charts.Chart:
    """The same rows as stacked bars."""
    return charts.stacked_bars(
        _("Measures by goal and signal"),
        _("number of measures"),
        [str(row.label) for row in rows],
        [
            charts.Series(str(signal.label), [row.cells[index].number for row in rows], str(signal), signal in DARK)
            for index, signal in enumerate(ORDER)
            if any(row.cells[index].number for row in rows)
        ],
        head=_("goal"),
    )


def trend(version: PlanVersion, quarter: Period, user: Any, quarters: int = 7) -> charts.Chart:
    """Measures by signal at the end of each of the last quarters."""
    first = quarter
    for _index in range(quarters - 1):
        first = first.previous()
    counts: dict[Any, dict[str, int]] = defaultdict(dict)
    measures = Measure.objects.visible_to(user).filter(version=version)
    for start, signal, number in (
        MeasureSignal.objects.filter(
            measure__in=measures.values("pk"), starts_on__gte=first.start, ends_on__lte=quarter.end
        )
        .order_by()
        .values_list("starts_on", "signal")
        .annotate(number=Count("pk"))
    ):
        counts[start][signal] = number
    starts = sorted(counts)
    return charts.stacked_bars(
        _("Measures by signal at the end of each quarter"),
        _("number of measures"),
        [Period.quarter_of(start).title for start in starts],
        [
            charts.Series(
                str(signal.label), [counts[start].get(signal, 0) for start in starts], str(signal), signal in DARK
            )
            for signal in ORDER
            if any(counts[start].get(signal) for start in starts)
        ],
        head=_("period"),
    )


@dataclass(frozen=True)
class Discipline:
    """How one institution reported in a round: of what was asked, how much came by the due date, later, or not at all."""

    code: str
    label: Any
    asked: int
    on_time: int
    later: int
    nil: int
    checked: int = 0
    disputed: int = 0  # of the checked ones, those that were not verified or in part alone

    @property
    def missing(self) -> int:
        return self.asked - self.on_time - self.later


def reporting(round_: Round) -> list[Discipline]:
    """Institutions × reporting of a round; those with most missing first.

    "Came" means submitted, whatever the review made of it; nil returns are counted among what came, and told apart.
    """
    handed_in = ProgressEntry.objects.filter(
        request__round=round_,
        request__waived_reason="",
        corrects__isnull=True,
        state__in=[EntryState.SUBMITTED, EntryState.RETURNED, *FINAL_STATES],
    )
    arrived: dict[Any, list[tuple[bool, bool]]] = defaultdict(list)
    for institution, is_late, is_nil in handed_in.order_by().values_list("request__institution", "is_late", "is_nil"):
        arrived[institution].append((not is_late, is_nil))
    checks = {
        pk: (checked, disputed)
        for pk, checked, disputed in ProgressEntry.objects.final()
        .filter(request__round=round_, state=EntryState.VERIFIED)
        .order_by()
        .values_list("request__institution")
        .annotate(checked=Count("pk"), disputed=Count("pk", filter=Q(finding__in=[Finding.PARTLY, Finding.NOT])))
    }
    rows = []
    for pk, code, sq, sr, en, asked in (
        ProgressRequest.objects.filter(round=round_, waived_reason="")
        .order_by("institution__code")
        .values_list(
            "institution", "institution__code", "institution__name_sq", "institution__name_sr", "institution__name_en"
        )
        .annotate(asked=Count("pk"))
    ):
        came = arrived.get(pk, [])
        rows.append(
            Discipline(
                code=code,
                label=choose({"sq": sq, "sr": sr, "en": en}),
                asked=asked,
                on_time=sum(is_on_time for is_on_time, _nil in came),
                later=sum(not is_on_time for is_on_time, _nil in came),
                nil=sum(is_nil for _on_time, is_nil in came),
                checked=checks.get(pk, (0, 0))[0],
                disputed=checks.get(pk, (0, 0))[1],
            )
        )
    rows.sort(key=lambda row: (-row.missing, -row.later, row.code))
    return rows


def late_measures(version: PlanVersion, quarter: Period, user: Any, limit: int = 8) -> list[MeasureSignal]:
    """Late measures, and those without news, with their reasons; the longest late first."""
    return list(
        MeasureSignal.objects.visible_to(user)
        .filter(
            Q(signal=Signal.LATE) | Q(signal=Signal.NO_NEWS),
            measure__version=version,
            starts_on=quarter.start,
            ends_on=quarter.end,
        )
        .select_related("measure__lead")
        .order_by("signal", "measure__ends_on", "measure__position")[:limit]
    )
