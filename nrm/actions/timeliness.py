"""How the figures of timeliness are kept: the months in which something changed are made anew, and half-years that are over
are released with small counts hidden."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from nrm.models import Clock, ClockChange, ClockCount, ClockDuration, TimelinessRelease
from nrm.queries.timeliness import release_tables
from nrm.timeliness import SQL_HOURS
from onatc.dated_settings import SettingName, setting

LOCK = 0x534F50  # whoever makes the figures is alone
GRACE = timedelta(days=15)  # after a half-year, in which what happened is still recorded

PAUSED = """LEFT JOIN (SELECT clock_id, sum(extract(epoch FROM coalesce(ends_at, now()) - starts_at)) AS seconds
    FROM nrm_clockpause GROUP BY clock_id) p ON p.clock_id = c.id"""
OVER = """FROM nrm_clock c JOIN nrm_sopstep s ON s.id = c.step_id JOIN nrm_case k ON k.id = c.case_id {joined}
    WHERE c.started_at >= %s AND c.started_at < %s AND c.state NOT IN ('running', 'paused')
    AND k.duplicate_of_id IS NULL"""
SECONDS = (
    "greatest(extract(epoch FROM coalesce(c.met_at, c.ended_at, now()) - c.started_at) - coalesce(p.seconds, 0), 0)"
)
KIND = """CASE c.state WHEN 'met' THEN CASE WHEN c.met_at > c.due_at THEN 'met_late' ELSE 'met' END
    WHEN 'not_applicable' THEN 'aside' ELSE 'fell' END"""


def month_of(moment: datetime) -> date:
    return timezone.localdate(moment).replace(day=1)


def bounds(start: date, end: date) -> tuple[datetime, datetime]:
    """From the first moment of `start` to the first moment after `end`."""
    first, after = (timezone.make_aware(datetime.combine(day, time())) for day in (start, end + timedelta(days=1)))
    return first, after


def note_changes(clocks: list[Clock]) -> None:
    """Say in the transaction of a change which months' figures it concerns."""
    ClockChange.objects.bulk_create(
        ClockChange(month=month) for month in sorted({month_of(one.started_at) for one in clocks})
    )


def refresh() -> int:
    """Make the figures of all months anew in which something changed; how many. Twice at once is once after the other."""
    months = list(ClockChange.objects.order_by("month").values_list("month", flat=True).distinct())
    for month in months:
        with transaction.atomic():
            _refresh_month(month)
    return len(months)


def refresh_all() -> int:
    """Every month, also where a case was moved to another municipality: once a night."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT date_trunc('month', started_at AT TIME ZONE %s)::date FROM nrm_clock",
                       [timezone.get_default_timezone_name()])  # fmt: skip
        months = {row[0] for row in cursor.fetchall()}
    months |= set(ClockCount.objects.order_by().values_list("month", flat=True).distinct())
    for month in sorted(months):
        with transaction.atomic():
            _refresh_month(month)
    return len(months)


def _refresh_month(month: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        seen = list(ClockChange.objects.filter(month=month).values_list("pk", flat=True))
        last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        within: list[Any] = list(bounds(month, last))
        ClockCount.objects.filter(month=month).delete()
        ClockDuration.objects.filter(month=month).delete()
        for side, column, value in (
            ("owner", "owner_id", "c.owner_id"),
            ("place", "municipality_id", "k.municipality_id"),
        ):
            cursor.execute(
                f"""INSERT INTO nrm_clockcount (month, side, lineage, {column}, kind, count)
                SELECT %s, %s, s.lineage, {value}, {KIND}, count(*) {OVER.format(joined="")} GROUP BY 3, 4, 5""",
                [month, side, *within],
            )
        cursor.execute(
            f"""INSERT INTO nrm_clockduration (month, lineage, hours, finished, count)
            SELECT %s, s.lineage, {SQL_HOURS.format(s=SECONDS)}, c.state = 'met', count(*)
            {OVER.format(joined=PAUSED)} GROUP BY 2, 3, 4""",
            [month, *within],
        )
        ClockChange.objects.filter(pk__in=seen).delete()


def half_year_of(day: date) -> tuple[date, date]:
    if day.month <= 6:
        return date(day.year, 1, 1), date(day.year, 6, 30)
    return date(day.year, 7, 1), date(day.year, 12, 31)


def release(today: date | None = None) -> int:
    """Make the protected tables of each half-year that is over and has none yet; how many. What is there stays as it is."""
    today = today or timezone.localdate()
    first = Clock.objects.order_by("started_at").values_list("started_at", flat=True).first()
    if first is None:
        return 0
    start, end = half_year_of(timezone.localdate(first))
    made = 0
    known = set(TimelinessRelease.objects.values_list("starts_on", flat=True))
    while end + GRACE < today:
        if start not in known:
            threshold = max(3, setting(SettingName.SMALL_COUNT, today))
            tables = release_tables(*bounds(start, end), threshold=threshold)
            _one, is_new = TimelinessRelease.objects.get_or_create(
                starts_on=start, defaults={"ends_on": end, "threshold": threshold, "tables": tables}
            )
            made += is_new
        start, end = half_year_of(end + timedelta(days=1))
    return made
