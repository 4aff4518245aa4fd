"""What runs by the clock: the schedule stands in the database (django-celery-beat), beat only says when.

However many beats are started, one of them speaks (an advisory lock). A daily task runs once for its day however often it
is asked; after a day or more without the system the task of today runs, and each day that was missed says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_celery_beat.schedulers import DatabaseScheduler

logger = logging.getLogger(__name__)

BEAT_LOCK = 0x4F4E42
WAIT_FOR_TURN = 5.0  # seconds between two looks of a beat whose turn it is not
GIVE_UP_AFTER = timedelta(hours=1)  # a run that began so long ago and never ended was interrupted
LISTED_DAYS = 31  # a longer standstill is one line, not a hundred


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

    class Meta:
        verbose_name = _("run of a schedule")
        verbose_name_plural = _("runs of schedules")
        ordering = ["-day", "name"]
        constraints = [models.UniqueConstraint(fields=["name", "day"], name="scheduled_run_once_a_day")]

    def __str__(self) -> str:
        return f"{self.name} {self.day}"


def missed_days(last: date | None, today: date) -> list[date]:
    """The days between the last run and today, both left out; at most the last thirty-one."""
    if last is None:
        return []
    count = (today - last).days - 1
    return [today - timedelta(days=number) for number in range(min(count, LISTED_DAYS), 0, -1)]


def once_today(name: str, act: Callable[[], Any], *, today: date | None = None) -> bool:
    """Do `act` unless it was done today, and note the days on which it could not be; whether it ran.

    `act` must itself be safe to repeat: an interrupted run is begun again.
    """
    day, now = today or timezone.localdate(), timezone.now()
    with transaction.atomic():
        run, is_new = ScheduledRun.objects.get_or_create(name=name, day=day, defaults={"started_at": now})
        run = ScheduledRun.objects.select_for_update().get(pk=run.pk)
        if not is_new:
            is_under_way = run.state == RunState.RUNNING and run.started_at and run.started_at > now - GIVE_UP_AFTER
            if run.state == RunState.DONE or is_under_way:
                return False
            run.state, run.started_at, run.error = RunState.RUNNING, now, ""
            run.save(update_fields=["state", "started_at", "error"])
        before = ScheduledRun.objects.filter(name=name, day__lt=day).order_by("-day").first()
        ScheduledRun.objects.bulk_create(
            [
                ScheduledRun(name=name, day=missed, state=RunState.SKIPPED)
                for missed in missed_days(before.day if before else None, day)
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


class SingleScheduler(DatabaseScheduler):
    """The scheduler of django-celery-beat, which speaks only while it holds a lock that one beat at a time can hold.

    The lock lives with a connection of its own: when the process or the database dies, it is free.
    """

    _own: Any = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if not self._has_the_turn():
            return WAIT_FOR_TURN
        try:
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

    def setup_schedule(self) -> None:
        """Bring the schedule of the settings into the database, and take out what the settings no longer name."""
        super().setup_schedule()
        from django_celery_beat.models import PeriodicTask

        ours = PeriodicTask.objects.filter(task__regex=r"^(onatc|stakeholders|strategy|nrm|monitoring)\.tasks\.")
        ours.exclude(name__in=settings.CELERY_BEAT_SCHEDULE).delete()
