"""Jobs with real workers and real connections: twice, at once, late, and poisonous (threats R3, R4, R6)."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, connections
from django.utils import timezone
from freezegun import freeze_time

from onatc import jobs
from onatc.models import Job, JobState
from stakeholders.models import User
from tests.processes import kill, start_worker, until

pytestmark = pytest.mark.django_db(transaction=True)
ACTIVE = [JobState.QUEUED, JobState.RUNNING]


def person(language: str = "en") -> User:
    return User.objects.create_user("reader@example.org", full_name="Reader", language=language)


def at_once(count: int, act) -> None:
    start = threading.Barrier(count)

    def run() -> None:
        start.wait()
        act()
        connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


@pytest.fixture
def effects():
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS fault_effect")
        cursor.execute("CREATE TABLE fault_effect (job uuid, at timestamptz DEFAULT clock_timestamp())")
    yield lambda job: _count(job)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE fault_effect")


def _count(job: Job) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fault_effect WHERE job = %s", [job.pk])
        return cursor.fetchone()[0]


def test_eight_workers_that_get_the_same_message_at_once_do_the_job_once():
    done = []

    @jobs.job("counted")
    def counted(found, progress):
        done.append(found.attempt)

    job = jobs.enqueue("counted", key="k", title="x", by=person(), params={})
    at_once(8, lambda: jobs.run(str(job.pk)))
    job.refresh_from_db()
    assert (job.state, done) == (JobState.DONE, [1])


def test_sixteen_who_press_at_once_get_one_job():
    user, made = person(), []
    at_once(16, lambda: made.append(jobs.enqueue("x", key="k", title="x" * 300, by=user, params={}).pk))
    assert len(made) == 16 and len(set(made)) == 1 and Job.objects.count() == 1


def test_a_worker_that_was_paused_and_goes_on_late_changes_nothing(settings, effects):
    """R6: SIGSTOP past the limit, then SIGCONT; the job writes without looking whether it was done."""
    settings.JOB_SILENT_SECONDS = 1.5
    user = person()
    job = jobs.enqueue("fenced", key="k", title="x", by=user, params={}, total=5)
    first = start_worker("tests.fault_worker")
    second = None
    try:
        until(lambda: Job.objects.filter(pk=job.pk, done__gte=1).exists(), "the first worker is at it")
        os.killpg(first.pid, signal.SIGSTOP)
        if Job.objects.get(pk=job.pk).state == JobState.DONE:
            pytest.fail("the pause came too late to show anything")
        second = start_worker("tests.fault_worker")

        def finished() -> bool:
            jobs.sweep()
            return not Job.objects.filter(pk=job.pk, state__in=ACTIVE).exists()

        until(finished, "the second worker finishes the job")
        kill(second)
        second = None
        before = Job.objects.values().get(pk=job.pk)
        other = jobs.enqueue("fenced", key="other", title="x", by=user, params={}, total=5)
        os.killpg(first.pid, signal.SIGCONT)
        until(lambda: Job.objects.get(pk=other.pk).state == JobState.DONE, "the first worker went on to the next job")
    finally:
        for one in filter(None, [first, second]):
            kill(one)
    assert Job.objects.values().get(pk=job.pk) == before
    assert (before["state"], before["attempt"], effects(job), effects(other)) == ("done", 2, 1, 1)


def test_a_job_that_kills_its_worker_three_times_fails_with_a_reason_and_others_go_on(settings, effects):
    """R4: the kernel ends a worker that lacks memory just so."""
    settings.JOB_SILENT_SECONDS = 1.5
    user = person("sr-latn")
    poison = jobs.enqueue("poison", key="p", title="x", by=user, params={})
    other = jobs.enqueue("fault", key="k", title="x", by=user, params={}, total=5)
    process = start_worker("tests.fault_worker")

    def finished() -> bool:
        jobs.sweep()
        return not Job.objects.filter(state__in=ACTIVE).exists()

    try:
        until(finished, "both are over")
        third = jobs.enqueue("fault", key="k3", title="x", by=user, params={}, total=5)
        until(lambda: Job.objects.get(pk=third.pk).state == JobState.DONE, "the worker still works")
    finally:
        kill(process)
    poison.refresh_from_db()
    assert (poison.state, poison.attempt) == (JobState.FAILED, 3)
    assert poison.error.startswith("Rad je tri puta") or "tri puta" in poison.error, poison.error
    assert Job.objects.get(pk=other.pk).state == JobState.DONE and effects(other) == 1


def test_a_first_attempt_from_before_the_retry_changes_nothing():
    """Tried again by its owner, the attempts count from one anew; the old first attempt is not the new one."""
    user, order = person(), []

    @jobs.job("late")
    def late(found, progress):
        order.append(found.attempt)
        if len(order) == 1:
            Job.objects.filter(pk=found.pk).update(state=JobState.FAILED)
            jobs.retry(found.pk)
            jobs.run(str(found.pk))
            Job.objects.filter(pk=found.pk).update(state=JobState.RUNNING)
            with pytest.raises(jobs.Stopped):
                progress(0, 1)
            raise ZeroDivisionError

    job = jobs.enqueue("late", key="k", title="x", by=user, params={})
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (order, job.attempt, job.state, job.error) == ([1, 1], 1, JobState.RUNNING, "")


def test_what_takes_too_long_says_so():
    @jobs.job("slow")
    def slow(found, progress):
        raise SoftTimeLimitExceeded

    job = jobs.enqueue("slow", key="k", title="x", by=person(), params={})
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == JobState.FAILED and "longer than 29 minutes" in job.error


def test_a_clock_set_back_leaves_no_job_standing():
    """R16: queued, paused and running under a clock that was a day ahead."""
    user, done = person(), []

    @jobs.job("clocked")
    def clocked(found, progress):
        done.append(found.key)

    with freeze_time("2026-05-05 10:00:00"):
        for key in ("queued", "paused", "died", "done"):
            jobs.enqueue("clocked", key=key, title="x", by=user, params={})
        ahead = timezone.now() + timedelta(minutes=2)
        Job.objects.filter(key="paused").update(attempt=1, not_before=ahead)
        Job.objects.filter(key="died").update(
            state=JobState.RUNNING, attempt=1, started_at=timezone.now(), heartbeat_at=timezone.now()
        )
        jobs.run(str(Job.objects.get(key="done").pk))
    with freeze_time("2026-05-04 10:00:00") as clock:
        for _turn in range(4):
            jobs.sweep()
            for pk in Job.objects.values_list("pk", flat=True):
                jobs.run(str(pk))
            clock.tick(timedelta(seconds=30))
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.DONE}
    assert sorted(done) == ["died", "done", "paused", "queued"]
