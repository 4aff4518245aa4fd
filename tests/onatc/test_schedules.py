"""Schedules over simulated time: one beat of two, what was missed, what was lost, a clock set back (threats R11, R16)."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
import redis
from celery.schedules import crontab
from django.conf import settings as live_settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from freezegun import freeze_time

from onatc import schedules
from onatc.celery import app
from onatc.models import ScheduledRun
from onatc.schedules import RunState, missed_days, once_today, overdue

DAILY = {name: entry for name, entry in live_settings.CELERY_BEAT_SCHEDULE.items()
         if isinstance(entry["schedule"], crontab) and len(entry["schedule"].hour) == 1}  # fmt: skip
NOON = "2026-05-06 10:00:00"  # a Wednesday; twelve by the office's clock


@pytest.fixture
def queue():
    """The tasks that lie in the broker's queue, counted by name; emptied before and after."""
    client = redis.Redis.from_url(live_settings.REDIS_URL)
    client.delete("celery")
    yield lambda: Counter(json.loads(one)["headers"]["task"] for one in client.lrange("celery", 0, -1))
    client.delete("celery")
    client.close()


@pytest.fixture
def beats():
    """Beats as `celery -A onatc beat` makes them, each with a connection of its own."""
    made: list[schedules.SingleScheduler] = []

    def start() -> schedules.SingleScheduler:
        made.append(schedules.SingleScheduler(app))
        return made[-1]

    yield start
    for one in made:
        one._finalize.cancel()
        if one._own is not None:
            one._own.close()


def installed() -> None:
    """The schedule as beat brings it into the database."""
    for name, entry in live_settings.CELERY_BEAT_SCHEDULE.items():
        schedules.SingleScheduler.Entry.from_entry(name, app=app, **entry)


def let_pass(clock, length: timedelta, *running: schedules.SingleScheduler, step: int = 5) -> None:
    for _turn in range(int(length.total_seconds()) // step):
        for beat in running:
            while beat.tick() == 0:
                pass
        clock.tick(timedelta(seconds=step))


@pytest.mark.django_db(transaction=True)
def test_two_beats_for_an_hour_say_everything_once(queue, beats):
    """R11. Every 60 s for an hour is 60 times, every 30 s 120 times, with two beats as with one."""
    with freeze_time("2026-05-06 04:30:00") as clock:
        let_pass(clock, timedelta(hours=1), beats(), beats())
    said = queue()
    assert 58 <= said["onatc.tasks.record_heartbeat"] <= 61
    assert 115 <= said["onatc.tasks.sweep_jobs"] <= 121
    assert said["strategy.tasks.remind"] == 1  # seven by the office's clock


@pytest.mark.django_db(transaction=True)
def test_when_the_speaking_beat_dies_the_other_goes_on(queue, beats):
    with freeze_time(NOON) as clock:
        first, second = beats(), beats()
        let_pass(clock, timedelta(minutes=10), first, second)
        first._own.close()
        let_pass(clock, timedelta(minutes=10), second)
    assert 18 <= queue()["onatc.tasks.record_heartbeat"] <= 22


@pytest.mark.django_db(transaction=True)
def test_a_clock_set_back_by_a_day_does_not_silence_beat(queue, beats):
    """R16: Celery counts from the last run, which now lies a day ahead."""
    with freeze_time(NOON) as clock:
        beat = beats()
        let_pass(clock, timedelta(minutes=5), beat)
        before = queue()["onatc.tasks.record_heartbeat"]
        clock.move_to("2026-05-05 10:00:00")
        let_pass(clock, timedelta(minutes=5), beat)
        assert 4 <= queue()["onatc.tasks.record_heartbeat"] - before <= 6
        beat.sync()
        clock.move_to("2026-05-03 10:00:00")  # and once more, while beat was down
        beat._own.close()
        before = queue()["onatc.tasks.record_heartbeat"]
        let_pass(clock, timedelta(minutes=5), beats())
        assert 4 <= queue()["onatc.tasks.record_heartbeat"] - before <= 6


@pytest.mark.django_db
def test_each_daily_task_notes_its_run_under_the_name_of_its_schedule(settings):
    """`overdue` finds the run of a schedule by this name."""
    settings.BACKUP_DIR = ""
    app.loader.import_default_modules()
    for entry in DAILY.values():
        app.tasks[entry["task"]]()
    assert set(ScheduledRun.objects.values_list("name", "state")) == {(name, RunState.DONE) for name in DAILY}


@pytest.mark.django_db
def test_after_three_days_without_the_system_today_runs_once_and_the_days_are_named():
    """R11: beat off for three days, back at noon, after the hour of all daily tasks."""
    installed()
    done = []
    with freeze_time(NOON):
        assert once_today("remind", lambda: done.append(1))
    with freeze_time("2026-05-10 10:00:00"):
        assert overdue().count("strategy.tasks.remind") == 1
        assert once_today("remind", lambda: done.append(1))
        assert "strategy.tasks.remind" not in overdue()
        assert not once_today("remind", lambda: done.append(1))
    skipped = ScheduledRun.objects.filter(name="remind", state=RunState.SKIPPED).values_list("day", flat=True)
    assert sorted(skipped) == [date(2026, 5, 7), date(2026, 5, 8), date(2026, 5, 9)] and len(done) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("at", "is_overdue"),
    [
        ("2026-05-06T04:59Z", False),  # 06:59 by the office's clock
        ("2026-05-06T05:04Z", False),  # beat has said it just now
        ("2026-05-06T05:06Z", True),
        ("2026-05-06T21:59Z", True),
        ("2026-05-06T22:01Z", False),  # the next day has begun
        ("2026-12-06T05:30Z", False),  # in winter the office's clock is an hour less ahead
        ("2026-12-06T06:06Z", True),
    ],
)
def test_a_task_is_overdue_from_its_hour_to_the_end_of_its_day(at, is_overdue):
    installed()
    assert ("strategy.tasks.remind" in overdue(datetime.fromisoformat(at))) == is_overdue


@pytest.mark.django_db
def test_what_failed_or_was_interrupted_is_asked_for_again_but_not_for_ever():
    installed()
    with freeze_time(NOON) as clock:
        run = ScheduledRun.objects.create(name="remind", day=timezone.localdate(), started_at=timezone.now())
        assert "strategy.tasks.remind" not in overdue()  # under way
        clock.tick(timedelta(minutes=61))
        assert "strategy.tasks.remind" in overdue()  # killed
        for attempt in range(2, schedules.TRIES_A_DAY + 1):
            with pytest.raises(OSError):
                once_today("remind", fail)
            assert "strategy.tasks.remind" not in overdue()  # a pause first
            clock.tick(timedelta(minutes=31))
            run.refresh_from_db()
            assert (run.state, run.attempts) == (RunState.FAILED, attempt)
            assert ("strategy.tasks.remind" in overdue()) == (attempt < schedules.TRIES_A_DAY)


def fail() -> None:
    raise OSError


@pytest.mark.django_db
def test_a_run_that_was_interrupted_yesterday_says_so():
    ScheduledRun.objects.create(name="t", day=date(2026, 5, 5), started_at=datetime.fromisoformat("2026-05-05T08:00Z"))
    with freeze_time(NOON):
        once_today("t", lambda: None)
    assert ScheduledRun.objects.get(day=date(2026, 5, 5)).error == "interrupted"


@pytest.mark.django_db
def test_what_runs_once_a_week_is_caught_up_and_misses_weeks_not_days():
    installed()
    name = "onatc.tasks.collect_files"  # Sundays at half past three
    with freeze_time("2026-05-03 02:00:00"):  # a Sunday, four by the office's clock
        assert name in overdue()
        once_today("collect files", lambda: None, every=7)
        assert name not in overdue()
    with freeze_time("2026-05-09 10:00:00"):
        assert name not in overdue()
    with freeze_time("2026-05-12 10:00:00"):  # away on Sunday, back on Tuesday
        assert name in overdue()
        once_today("collect files", lambda: None, every=7)
    with freeze_time("2026-05-17 10:00:00"):
        once_today("collect files", lambda: None, every=7)
    assert not ScheduledRun.objects.filter(state=RunState.SKIPPED, day__gt=date(2026, 5, 10)).exists()
    assert missed_days(date(2026, 5, 3), date(2026, 5, 24), 7) == [date(2026, 5, 10), date(2026, 5, 17)]


@pytest.mark.django_db
def test_a_clock_that_was_ahead_runs_nothing_twice_and_blocks_nothing():
    """R16: a week ahead by mistake, then set right."""
    done = []
    with freeze_time("2026-05-13 10:00:00"):
        once_today("t", lambda: done.append(timezone.localdate()))
    for day in range(6, 16):
        with freeze_time(f"2026-05-{day:02} 10:00:00"):
            once_today("t", lambda: done.append(timezone.localdate()))
            once_today("t", lambda: done.append(timezone.localdate()))
    assert sorted(done) == [date(2026, 5, day) for day in range(6, 16)]


@pytest.mark.django_db
def test_a_run_that_was_caught_up_is_the_last_run():
    installed()
    assert schedules.last_runs()["remind"] is None
    with freeze_time(NOON):
        once_today("remind", lambda: None)
        assert schedules.last_runs()["remind"] == timezone.now()
        PeriodicTask.objects.filter(name="remind").update(last_run_at=timezone.now() + timedelta(days=1))
        assert schedules.last_runs()["remind"] == timezone.now() + timedelta(days=1)


@pytest.mark.django_db
def test_a_message_that_beat_sent_and_the_broker_lost_is_sent_again(queue):
    installed()
    PeriodicTask.objects.exclude(name="remind").update(enabled=False)
    app.loader.import_default_modules()
    with freeze_time(NOON):
        app.tasks["onatc.tasks.catch_up_schedules"]()
    assert queue() == {"strategy.tasks.remind": 1}
