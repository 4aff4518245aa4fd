"""What runs by the clock: the schedule stands in the database (django-celery-beat), beat only says when.

However many beats are started, one of them speaks (an advisory lock). A daily task runs once for its day however often it
is asked; after a day or more without the system the task of today runs, and each day that was missed says so.

A message that beat sends can be lost (the broker is away, the worker is killed), so the row is the truth here too: every
few minutes `overdue` names what should have run today and did not, failed, or was interrupted, and it is asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, models, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_celery_beat.schedulers import DatabaseScheduler

logger = logging.getLogger(__name__)

BEAT_LOCK = 0x4F4E42
WAIT_FOR_TURN = 5.0  # seconds between two looks of a beat whose turn it is not
GIVE_UP_AFTER = timedelta(hours=1)  # a run that began so long ago and never ended was interrupted
LISTED_DAYS = 31  # of a longer standstill the last month is listed
OVERDUE_AFTER = timedelta(minutes=5)  # beat's own message comes first
PAUSE, TRIES_A_DAY = timedelta(minutes=30), 6  # between two tries of a task that failed, and how many there are
CLOCK_SLACK = timedelta(seconds=5)  # a moment further ahead than this was written before the clock was set back


class RunState(models.TextChoices):
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    SKIPPED = "skipped", _("skipped")


class ScheduledRun(models.Model):
    """What a daily task did for a day; skipped when the system was down on it."""

    name = models.CharField(_("task"), max_length=60)
    day = models.DateField(_("day"))
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.RUNNING)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    error = models.CharField(_("reason"), max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=1, db_default=1)

    class Meta:
        verbose_name = _("run of a schedule")
        verbose_name_plural = _("runs of schedules")
        ordering = ["-day", "name"]
        constraints = [models.UniqueConstraint(fields=["name", "day"], name="scheduled_run_once_a_day")]

    def __str__(self) -> str:
        return f"{self.name} {self.day}"


def missed_days(last: date | None, today: date, every: int = 1) -> list[date]:
    """The days between the last run and today, both left out, on which a task of every `every` days should have run; at
    most the last thirty-one."""
    if last is None:
        return []
    days = [last + timedelta(days=number) for number in range(every, (today - last).days, every)]
    return days[-LISTED_DAYS:]


def once_today(name: str, act: Callable[[], Any], *, today: date | None = None, every: int = 1) -> bool:
    """Do `act` unless it was done today, and note the days on which it could not be; whether it ran.

    `act` must itself be safe to repeat: an interrupted run is begun again. `every` is 7 for what runs once a week.
    """
    day, now = today or timezone.localdate(), timezone.now()
    with transaction.atomic():
        run, is_new = ScheduledRun.objects.get_or_create(name=name, day=day, defaults={"started_at": now})
        run = ScheduledRun.objects.select_for_update().get(pk=run.pk)
        if not is_new:
            if run.state == RunState.DONE or _is_under_way(run, now):
                return False
            run.state, run.started_at, run.error, run.attempts = RunState.RUNNING, now, "", run.attempts + 1
            run.save(update_fields=["state", "started_at", "error", "attempts"])
        ScheduledRun.objects.filter(
            name=name, day__lt=day, state=RunState.RUNNING, started_at__lte=now - GIVE_UP_AFTER
        ).update(state=RunState.FAILED, finished_at=now, error="interrupted")
        before = ScheduledRun.objects.filter(name=name, day__lt=day).order_by("-day").first()
        ScheduledRun.objects.bulk_create(
            [
                ScheduledRun(name=name, day=missed, state=RunState.SKIPPED)
                for missed in missed_days(before.day if before else None, day, every)
            ],
            ignore_conflicts=True,
        )
    try:
        act()
    except Exception as error:
        ScheduledRun.objects.filter(pk=run.pk).update(
            state=RunState.FAILED, finished_at=timezone.now(), error=type(error).__name__
        )
        raise
    ScheduledRun.objects.filter(pk=run.pk).update(state=RunState.DONE, finished_at=timezone.now())
    return True


def _is_under_way(run: ScheduledRun, now: datetime) -> bool:
    """Begun within the last hour. A beginning that lies ahead was written before the clock was set back."""
    if run.state != RunState.RUNNING or run.started_at is None:
        return False
    return now - GIVE_UP_AFTER < run.started_at <= now + CLOCK_SLACK


def overdue(now: datetime | None = None) -> list[str]:
    """The tasks (Celery's names) that should have run by now for today, or for this week, and did not: never begun, failed
    and not yet tried six times, or interrupted. Their schedules bear the names that `once_today` is called with."""
    from django_celery_beat.models import PeriodicTask

    at = timezone.localtime(now)
    found = []
    for entry in PeriodicTask.objects.filter(enabled=True, crontab__isnull=False).select_related("crontab"):
        due = _last_due(entry.schedule, at)
        if due is None or due > at - OVERDUE_AFTER:
            continue
        run = ScheduledRun.objects.filter(name=entry.name, day__gte=due.date(), day__lte=at.date()).first()
        if run is None or run.state == RunState.SKIPPED or _is_to_be_begun_again(run, at):
            found.append(entry.task)
    return found


def last_runs() -> dict[str, datetime | None]:
    """When each enabled schedule ran last, by its name: what beat said, or a daily task that was caught up since."""
    from django_celery_beat.models import PeriodicTask

    done = dict(
        ScheduledRun.objects.filter(state=RunState.DONE)
        .order_by("name")
        .values_list("name")
        .annotate(Max("finished_at"))
    )
    said = PeriodicTask.objects.filter(enabled=True).order_by("name").values_list("name", "last_run_at")
    return {name: max(filter(None, [at, done.get(name)]), default=None) for name, at in said}


def _is_to_be_begun_again(run: ScheduledRun, now: datetime) -> bool:
    if run.state == RunState.FAILED and run.finished_at is not None:
        return run.attempts < TRIES_A_DAY and not now - PAUSE < run.finished_at <= now
    return run.state == RunState.RUNNING and not _is_under_way(run, now)


def _last_due(schedule: Any, at: datetime) -> datetime | None:
    """When a task with one hour and minute should have run last: today, or within the week when it names weekdays. None
    before its time, and for what runs more often than once a day."""
    if len(schedule.hour) != 1 or len(schedule.minute) != 1:
        return None
    clock = time(min(schedule.hour), min(schedule.minute))
    for back in range(1 if len(schedule.day_of_week) == 7 else 7):
        day = at.date() - timedelta(days=back)
        due = datetime.combine(day, clock, at.tzinfo)
        if day.isoweekday() % 7 in schedule.day_of_week and due <= at:
            return due
    return None


class SingleScheduler(DatabaseScheduler):
    """The scheduler of django-celery-beat, which speaks only while it holds a lock that one beat at a time can hold.

    The lock lives with a connection of its own: when the process or the database dies, it is free.
    """

    _own: Any = None
    _ticked_at: datetime | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if not self._has_the_turn():
            return WAIT_FOR_TURN
        try:
            self._follow_a_clock_set_back()
            return float(super().tick(*args, **kwargs))
        except DatabaseError as error:
            logger.warning("beat waits for the database: %s", type(error).__name__)
            connections.close_all()
            return WAIT_FOR_TURN

    def _has_the_turn(self) -> bool:
        try:
            if self._own is None:
                self._own = connections.create_connection("default")
                self._own.settings_dict = self._own.settings_dict | {"CONN_MAX_AGE": None}
            with self._own.cursor() as cursor:
                # Taken again by who has it: the count of holds does not matter, the connection never gives it back.
                cursor.execute(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s "
                    "AND pid = pg_backend_pid() AND granted) OR pg_try_advisory_lock(%s)",
                    [BEAT_LOCK, BEAT_LOCK],
                )
                return bool(cursor.fetchone()[0])
        except DatabaseError as error:
            logger.warning("beat waits for the database: %s", type(error).__name__)
            if self._own is not None:
                self._own.close()
            self._own = None
            return False

    def _follow_a_clock_set_back(self) -> None:
        """Celery counts from the last run; when that lies ahead, everything would stand still until the clock gets there
        again. Such a moment becomes now, and the order of what comes next is made anew."""
        now, before = timezone.now(), self._ticked_at
        self._ticked_at = now
        was_set_back = before is not None and now < before - CLOCK_SLACK
        if before is not None and not was_set_back:
            return
        from django_celery_beat.models import PeriodicTask

        self.sync()
        if PeriodicTask.objects.filter(last_run_at__gt=now + CLOCK_SLACK).update(last_run_at=now) or was_set_back:
            self._initial_read = True  # read the schedule again, whatever the moments of the last reading say
            self._last_timestamp = None
            self._heap = None

    def setup_schedule(self) -> None:
        """Bring the schedule of the settings into the database, and take out what the settings no longer name."""
        super().setup_schedule()
        from django_celery_beat.models import PeriodicTask

        ours = PeriodicTask.objects.filter(task__regex=r"^(onatc|stakeholders|strategy|nrm|monitoring)\.tasks\.")
        ours.exclude(name__in=settings.CELERY_BEAT_SCHEDULE).delete()
