"""How timely the steps of the SOP are done: counts and durations by step, institution, municipality and month."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nrm.models import Clock, ClockCount, ClockDuration, ClockKind, ClockState, Side, SopStep
from nrm.protected import is_base_to_all, shown, total
from nrm.timeliness import SQL_HOURS, Estimate, estimate
from onatc.charts import Chart, Series, stacked_bars
from onatc.models import Municipality
from onatc.periods import Period
from stakeholders.models import Institution, Role

STEP, INSTITUTION, MUNICIPALITY, MONTH = "step", "institution", "municipality", "month"
BY: dict[str, Any] = {
    STEP: _("by step"), INSTITUTION: _("by institution"), MUNICIPALITY: _("by municipality"), MONTH: _("by month"),
}  # fmt: skip
RUNNING, RUNNING_LATE = "running", "running_late"
KINDS: tuple[tuple[str, Any], ...] = (
    (ClockKind.MET, _("met in time")),
    (ClockKind.MET_LATE, _("met late")),
    (RUNNING, _("running in time")),
    (RUNNING_LATE, _("running late")),
    (ClockKind.ASIDE, _("not applicable")),
    (ClockKind.FELL, _("fell away")),
)
NAMES = tuple(str(name) for name, _label in KINDS)


@dataclass(frozen=True)
class Asked:
    """What a reader asks for. `period` counts clocks by the month in which they began."""

    by: str
    period: Period
    step: str = ""
    institution: str = ""
    municipality: str = ""

    @property
    def has_durations(self) -> bool:
        """Durations of different steps are not put together: their median would say nothing."""
        return self.by == STEP or bool(self.step)


@dataclass(frozen=True)
class Line:
    """One line of the table; `counts` by kind, in the order of KINDS."""

    key: Any
    label: str
    counts: dict[str, int]
    times: Estimate | None

    @property
    def started(self) -> int:
        return sum(self.counts.values())

    @property
    def cells(self) -> list[int]:
        return [self.counts.get(name, 0) for name in NAMES]

    @property
    def named(self) -> list[tuple[Any, int]]:
        """Each count with what it counts, for a narrow screen, where a line stands below the other."""
        return [(label, self.counts.get(name, 0)) for name, label in KINDS]

    @property
    def median(self) -> str:
        return in_words(self.times, 50)

    @property
    def ninetieth(self) -> str:
        return in_words(self.times, 90)


def in_words(times: Estimate | None, share: int) -> str:
    """A median or 90th percentile; what is not reached is longer than the longest."""
    if times is None or not times.count:
        return ""
    value = times.median if share == 50 else times.ninetieth
    if value is not None:
        return span(value)
    return gettext("more than %(time)s") % {"time": span(times.longest or 0)}


def span(hours: int) -> str:
    if hours == 0:
        return gettext("at once")
    if hours <= 96:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    days = -(-hours // 24)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def lines(user: Any, asked: Asked) -> list[Line]:
    """The figures that `user` may see unprotected; a constant number of queries. For whoever sees all cases, what is over
    is read from the figures that are kept, unless institution and municipality are asked for together; for others, their
    own clocks of the period are counted."""
    counts: dict[Any, dict[str, int]] = defaultdict(dict)
    own = {STEP: "step__lineage", INSTITUTION: "owner", MUNICIPALITY: "case__municipality", MONTH: "month"}[asked.by]
    is_kept = _is_kept(user, asked)
    now = timezone.now()
    clocks = _clocks(user, asked, only_open=is_kept)
    is_open = Q(state__in=(ClockState.RUNNING, ClockState.PAUSED))
    late = Q(state=ClockState.RUNNING, due_at__lt=now)
    met_late = Q(state=ClockState.MET, met_at__gt=F("due_at"))
    wanted = {
        RUNNING: Count("pk", filter=is_open),
        RUNNING_LATE: Count("pk", filter=late),
        ClockKind.MET: Count("pk", filter=Q(state=ClockState.MET)),
        ClockKind.MET_LATE: Count("pk", filter=met_late),
        ClockKind.ASIDE: Count("pk", filter=Q(state=ClockState.NOT_APPLICABLE)),
        ClockKind.FELL: Count("pk", filter=Q(state=ClockState.ENDED)),
    }
    names = [name for name in wanted if not is_kept or name in (RUNNING, RUNNING_LATE)]
    numbers = {f"n_{name}": wanted[name] for name in names}
    for key, *found in clocks.order_by().values_list(own).annotate(**numbers):
        said = dict(zip(names, found, strict=True))
        said[RUNNING] -= said[RUNNING_LATE]
        if not is_kept:
            said[ClockKind.MET] -= said[ClockKind.MET_LATE]
        counts[timezone.localdate(key) if asked.by == MONTH else key] |= {str(name): said[name] for name in said}
    if is_kept:
        column = {STEP: "lineage", INSTITUTION: "owner", MUNICIPALITY: "municipality", MONTH: "month"}[asked.by]
        is_place = asked.by == MUNICIPALITY or bool(asked.municipality)
        kept = _kept(ClockCount, user, asked).filter(side=Side.PLACE if is_place else Side.OWNER)
        for key, kind, number in kept.order_by().values_list(column, "kind").annotate(n=Sum("count")):
            counts[key][kind] = number
    times = _times(user, asked, own) if asked.has_durations else {}
    labels = _labels(asked.by, counts)
    order = {key: place for place, key in enumerate(labels)}
    made = [
        Line(key, labels.get(key, "–"), counts[key], estimate(times[key]) if key in times else None) for key in counts
    ]
    return sorted(made, key=lambda line: order.get(line.key, len(order)))


def _is_kept(user: Any, asked: Asked) -> bool:
    both = (asked.by == INSTITUTION or asked.institution) and (asked.by == MUNICIPALITY or asked.municipality)
    return user.has_role(Role.DIRECTOR, Role.MONITORING) and not both


def _kept(model: Any, user: Any, asked: Asked) -> Any:
    rows = model.objects.visible_to(user).filter(month__range=(asked.period.start, asked.period.end))
    asking = {"lineage": asked.step, "owner": asked.institution, "municipality": asked.municipality}
    return rows.filter(**{name: value for name, value in asking.items() if value})


def _bounds(period: Period) -> tuple[datetime, datetime]:
    first = timezone.make_aware(datetime.combine(period.start, datetime.min.time()))
    after = timezone.make_aware(datetime.combine(date.fromordinal(period.end.toordinal() + 1), datetime.min.time()))
    return first, after


def _clocks(user: Any, asked: Asked, *, only_open: bool = False) -> QuerySet[Clock]:
    """The clocks of the period whose figures the reader may see unprotected: all, those that the reader's institutions owe,
    those of children."""
    start, after = _bounds(asked.period)
    rows = Clock.objects.filter(started_at__gte=start, started_at__lt=after, case__duplicate_of__isnull=True)
    if only_open:
        rows = rows.filter(state__in=(ClockState.RUNNING, ClockState.PAUSED))
    if not user.has_role(Role.DIRECTOR, Role.MONITORING):
        seen = Q(owner__in=user.institution_ids)
        rows = rows.filter(seen | Q(case__is_child_procedure=True) if user.has_role(Role.CHILD) else seen)
    asking = {"step__lineage": asked.step, "owner": asked.institution, "case__municipality": asked.municipality}
    rows = rows.filter(**{name: value for name, value in asking.items() if value})
    return rows.annotate(month=TruncMonth("started_at")) if asked.by == MONTH else rows


def _times(user: Any, asked: Asked, own: str) -> dict[Any, list[tuple[int, bool, int]]]:
    """(hours, finished, count) by line."""
    found: dict[Any, list[tuple[int, bool, int]]] = defaultdict(list)
    is_kept = asked.by in (STEP, MONTH) and not asked.institution and not asked.municipality and _is_kept(user, asked)
    _add_durations(found, _clocks(user, asked, only_open=is_kept), own, asked.by)
    if is_kept:
        rows = _kept(ClockDuration, user, asked).order_by()
        for key, hours, finished, number in rows.values_list(
            "lineage" if asked.by == STEP else "month", "hours", "finished"
        ).annotate(n=Sum("count")):
            found[key].append((hours, finished, number))
    return found


PAUSED = """LEFT JOIN (SELECT clock_id, sum(extract(epoch FROM coalesce(ends_at, now()) - starts_at)) AS seconds
    FROM nrm_clockpause GROUP BY clock_id) p ON p.clock_id = c.id"""
SECONDS = (
    "greatest(extract(epoch FROM coalesce(c.met_at, c.ended_at, now()) - c.started_at) - coalesce(p.seconds, 0), 0)"
)


def _add_durations(found: dict[Any, list[tuple[int, bool, int]]], rows: QuerySet[Clock], own: str, by: str) -> None:
    """Put the durations of these clocks in classes, in the database."""
    query = rows.order_by().values("pk", "state", "started_at", "met_at", "ended_at", own).query
    try:
        inner, values = query.sql_with_params()
    except EmptyResultSet:  # nothing can be meant, such as the clocks of no institution
        return
    statement = f"""SELECT c.k, {SQL_HOURS.format(s=SECONDS)}, c.state = 'met', count(*)
        FROM ({inner}) AS c (id, state, started_at, met_at, ended_at, k) {PAUSED} GROUP BY 1, 2, 3"""  # noqa: S608  # nosec B608
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for key, hours, finished, number in cursor.fetchall():
            found[key.date() if by == MONTH else key].append((hours, finished, number))


def _labels(by: str, keys: Iterable[Any]) -> dict[Any, str]:
    """The names of the lines, in the order in which they stand."""
    if by == STEP:
        latest: dict[Any, SopStep] = {}
        for one in SopStep.objects.filter(lineage__in=list(keys)).order_by("version__number"):
            latest[one.lineage] = one
        return {key: str(one) for key, one in sorted(latest.items(), key=lambda pair: (pair[1].number, str(pair[0])))}
    if by == MONTH:
        return {key: date_format(key, "F Y") for key in sorted(keys)}
    wanted = [key for key in keys if key is not None]
    kind: Any = Institution if by == INSTITUTION else Municipality
    named = sorted(((str(one.name), one.pk) for one in kind.objects.filter(pk__in=wanted)), key=lambda pair: pair[0])
    return {key: name for name, key in named} | {None: gettext("not known")}


def chart_of(title: str, labels: list[str], cells: list[list[int | None]]) -> Chart:
    """How the clocks stand, a bar for each line; what is hidden is not drawn."""
    styles = (("completed", True), ("at_risk", False), ("on_time", False), ("late", True))
    series = [
        Series(str(KINDS[place][1]), [line[place] for line in cells], css, dark)
        for place, (css, dark) in enumerate(styles)
    ]
    return stacked_bars(title, gettext("clocks"), labels, series)


# What everybody may see


def release_tables(start: datetime, after: datetime, *, threshold: int) -> dict[str, Any]:
    """The three tables of a period with small counts hidden, ready to be kept: what is hidden is not in them. Small is what
    few cases stand behind, whatever number of clocks they have, or few cases that one of those who read it does not know."""
    made: dict[str, Any] = {}
    for by, column in ((STEP, "s.lineage"), (INSTITUTION, "c.owner_id"), (MUNICIPALITY, "k.municipality_id")):
        rows, known = _counted(column, start, after), _known(column, start, after)
        keys = sorted(rows, key=str)
        numbers = [[rows[key][name][0] for name in PROTECTED] for key in keys]
        cases = [[rows[key][name][1] for name in PROTECTED] for key in keys]
        knows = [[known[key, name] for name in PROTECTED] for key in keys]
        cells = shown(numbers, threshold, cases, knows, keys if by == INSTITUTION else None)
        made[by] = [
            {"key": str(key) if key is not None else None, "cells": line, "started": total(line)}
            for key, line in zip(keys, cells, strict=True)
        ]
        if by == STEP:
            times = _durations_by_step(start, after)
            for line, key in zip(made[by], keys, strict=True):
                if line["started"] is not None and is_base_to_all(rows[key]["all"][1], known[key, "all"]):
                    found = estimate(times[key])
                    line |= {"median": found.median, "ninetieth": found.ninetieth, "longest": found.longest}
    return made


PROTECTED = ("met", "met_late", "running", "other")


KIND = """CASE WHEN c.state = 'met' AND c.met_at > c.due_at THEN 'met_late' WHEN c.state = 'met' THEN 'met'
    WHEN c.state IN ('running', 'paused') THEN 'running' ELSE 'other' END"""
BEGUN = "c.started_at >= %s AND c.started_at < %s AND k.duplicate_of_id IS NULL"
CHILDREN = "children"  # who knows all of them: the child protection officer


def _counted(column: str, start: datetime, after: datetime) -> dict[Any, dict[str, tuple[int, int]]]:
    """By line and kind: how many clocks, and how many cases stand behind them."""
    statement = f"""SELECT {column}, {KIND}, count(*), count(DISTINCT c.case_id), grouping({KIND})
        FROM nrm_clock c JOIN nrm_sopstep s ON s.id = c.step_id JOIN nrm_case k ON k.id = c.case_id
        WHERE {BEGUN} GROUP BY GROUPING SETS ((1, 2), (1))"""  # noqa: S608  # nosec B608
    found: dict[Any, dict[str, tuple[int, int]]] = defaultdict(lambda: dict.fromkeys((*PROTECTED, "all"), (0, 0)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [start, after])
        for key, name, number, cases, is_all in cursor.fetchall():
            found[key]["all" if is_all else name] = (number, cases)
    return found


def _known(column: str, start: datetime, after: datetime) -> dict[tuple[Any, str], dict[Hashable, int]]:
    """By line and kind: of how many cases behind a count each institution knows, since it took part in them or owed a clock,
    and how many are of children. Who took part once knows the case, also when it left meanwhile."""
    within = f"""SELECT c.case_id FROM nrm_clock c JOIN nrm_case k ON k.id = c.case_id WHERE {BEGUN}"""  # noqa: S608  # nosec B608
    statement = f"""WITH cases AS ({within}), knows AS (
            SELECT case_id, institution_id FROM nrm_caseparty WHERE case_id IN (SELECT case_id FROM cases)
            UNION SELECT case_id, owner_id FROM nrm_clock
            WHERE owner_id IS NOT NULL AND case_id IN (SELECT case_id FROM cases)
            UNION SELECT id, NULL FROM nrm_case WHERE is_child_procedure AND id IN (SELECT case_id FROM cases))
        SELECT {column}, {KIND}, w.institution_id, count(DISTINCT c.case_id), grouping({KIND})
        FROM nrm_clock c JOIN nrm_sopstep s ON s.id = c.step_id JOIN nrm_case k ON k.id = c.case_id
        JOIN knows w ON w.case_id = c.case_id
        WHERE {BEGUN} GROUP BY GROUPING SETS ((1, 2, 3), (1, 3))"""  # noqa: S608  # nosec B608
    found: dict[tuple[Any, str], dict[Hashable, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(statement, [start, after, start, after])
        for key, name, institution, cases, is_all in cursor.fetchall():
            found[key, "all" if is_all else name][institution or CHILDREN] = cases
    return found


def _durations_by_step(start: datetime, after: datetime) -> dict[Any, list[tuple[int, bool, int]]]:
    found: dict[Any, list[tuple[int, bool, int]]] = defaultdict(list)
    rows = Clock.objects.filter(started_at__gte=start, started_at__lt=after, case__duplicate_of__isnull=True)
    _add_durations(found, rows, "step__lineage", STEP)
    return found


def released_lines(tables: dict[str, Any], by: str) -> list[dict[str, Any]]:
    """The lines of a released table with their names, and times in words and in hours."""
    rows = tables.get(by, [])
    read: Callable[[str], Any] = (lambda key: key) if by == MUNICIPALITY else uuid.UUID
    keyed = {(read(one["key"]) if one["key"] is not None else None): one for one in rows}
    labels = _labels(by, keyed)
    found = []
    for key, label in labels.items():
        if key not in keyed:
            continue
        one = keyed[key]
        times = None
        if "longest" in one:
            times = Estimate(1, 1, one["median"], one["ninetieth"], one["longest"])
        hours = {"median_hours": one.get("median"), "ninetieth_hours": one.get("ninetieth")}
        words = {"median": in_words(times, 50), "ninetieth": in_words(times, 90)}
        found.append({**one, **hours, **words, "label": label})
    return found
