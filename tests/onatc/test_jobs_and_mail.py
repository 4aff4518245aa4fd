"""Jobs and mail: once however often, visible when they fail, safe when the broker or the mail server is away."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from django.conf import settings as live_settings
from django.urls import reverse
from django.utils import timezone

from onatc import jobs, mail
from onatc.errors import Refused
from onatc.models import Job, JobState, Message, MessageState

calls: list[str] = []


@jobs.job("test_work")
def work(job: Job, progress: jobs.Progress) -> None:
    calls.append(str(job.pk))
    progress(1, 2)
    if job.params.get("refuse"):
        raise Refused("Not like this.")
    if job.params.get("crash"):
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def no_calls_yet():
    calls.clear()


def queued(world, **params) -> Job:
    return jobs.enqueue("test_work", key="k", title="Work", by=world.director, params=params)


def test_asked_twice_there_is_one_job_and_it_is_done_once(world):
    job = queued(world)
    assert queued(world) == job
    jobs.run(str(job.pk))
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, len(calls), job.done) == (JobState.DONE, 1, 2)
    assert queued(world) != job


@pytest.mark.parametrize(("params", "sentence"), [({"refuse": 1}, "Not like this."), ({"crash": 1}, "not your doing")])
def test_a_failure_says_why(world, params, sentence):
    job = queued(world, **params)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == JobState.FAILED and sentence in job.error


def test_a_job_whose_worker_fell_silent_is_done_again_and_poison_is_stopped(world):
    job = queued(world)
    long_ago = timezone.now() - timedelta(minutes=10)
    for attempt in (1, 2):
        Job.objects.filter(pk=job.pk).update(
            state=JobState.RUNNING, attempt=attempt, heartbeat_at=long_ago, published_at=long_ago
        )
        assert jobs.sweep() == 1
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempt=3, heartbeat_at=long_ago)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, calls) == (JobState.FAILED, [])


def test_a_running_job_with_a_heartbeat_is_left_alone(world):
    job = queued(world)
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, attempt=1, heartbeat_at=timezone.now())
    assert jobs.sweep() == 0
    jobs.run(str(job.pk))
    assert calls == []


def test_without_a_broker_the_job_waits_in_its_row(world, settings, django_capture_on_commit_callbacks):
    from onatc.celery import app

    def connect_to(address: str) -> None:
        app.conf.broker_url = address
        app._pool = app.amqp._producer_pool = None  # the pools keep the address they were made with

    broker = app.conf.broker_url
    connect_to("redis://127.0.0.1:1/0")
    try:
        with django_capture_on_commit_callbacks(execute=True):
            job = queued(world)
    finally:
        connect_to(broker)
    assert Job.objects.get(pk=job.pk).state == JobState.QUEUED


def test_a_job_page_is_its_owners_alone(world, client_for):
    job = queued(world)
    assert client_for("director").get(job.get_absolute_url()).status_code == 200
    assert client_for("planning").get(job.get_absolute_url()).status_code == 404


def put(world, occasion: str = "o1") -> bool:
    from strategy.models import NoteKind, ReviewNote
    from tests.strategy.steps import submitted

    entry = getattr(world, "_entry", None) or submitted(world.request(), world.focal_point)
    world._entry = entry
    note = ReviewNote(entry=entry, kind=NoteKind.RETURNED, comment="x", by=world.director, at=timezone.now())
    return mail.queue(
        world.focal_point,
        occasion=occasion,
        template="review",
        context={"entry": entry, "note": note},
        kind=mail.Kind.ACCOUNT,
    )


def test_a_mail_is_queued_once_in_the_readers_language_and_sent_to_a_file(world, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    world.people["focal_point"].language = "sq"
    world.people["focal_point"].save()
    assert put(world) and not put(world)
    assert mail.send_waiting() == 1 and mail.send_waiting() == 0
    message = Message.objects.get()
    assert (message.state, message.attempts) == (MessageState.SENT, 1)
    assert "raporti juaj u kthye" in message.subject
    files = list(Path(settings.EMAIL_FILE_PATH).iterdir())
    assert message_from_bytes(files[0].read_bytes().split(b"\n-----")[0])["Message-ID"] == message.message_id


def test_a_mail_server_that_is_away_is_tried_again_later_and_fails_visibly(world, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    put(world)
    assert mail.send_waiting() == 0
    message = Message.objects.get()
    assert message.state == MessageState.QUEUED and message.next_attempt_at > timezone.now()
    Message.objects.update(queued_at=timezone.now() - mail.GIVE_UP_AFTER, next_attempt_at=timezone.now())
    mail.send_waiting()
    message.refresh_from_db()
    assert message.state == MessageState.FAILED and message.error


def test_the_schedule_names_tasks_that_exist():
    from onatc.celery import app

    app.loader.import_default_modules()
    for entry in live_settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks


def test_a_waiting_job_is_cancelled_by_its_owner_and_tried_again(world, client_for):
    job = queued(world)
    assert client_for("planning").post(reverse("job-cancel", args=[job.pk])).status_code == 404
    client = client_for("director")
    client.post(reverse("job-cancel", args=[job.pk]))
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, calls) == (JobState.CANCELLED, [])
    client.post(reverse("job-retry", args=[job.pk]))
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == JobState.DONE


def test_a_running_job_ends_after_its_step_when_it_is_cancelled(world):
    steps = []

    @jobs.job("long")
    def long(found, progress):
        for step in range(3):
            progress(step, 3)
            steps.append(step)
            jobs.cancel(found.pk)

    job = jobs.enqueue("long", key="long", title="x", by=world.director, params={}, total=3)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, steps) == (JobState.CANCELLED, [0])


def test_what_passes_by_itself_is_tried_again_after_a_pause_and_fails_visibly_in_the_end(world):
    @jobs.job("away")
    def away(found, progress):
        raise ConnectionError

    job = jobs.enqueue("away", key="away", title="x", by=world.director, params={})
    for attempt in (1, 2):
        jobs.run(str(job.pk))
        job.refresh_from_db()
        assert (job.state, job.attempt) == (JobState.QUEUED, attempt) and job.not_before > timezone.now()
        jobs.run(str(job.pk))  # too early: nothing
        Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
        assert jobs.sweep() == 1
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == JobState.FAILED and "three times" in job.error


def test_the_same_work_is_not_tried_again_beside_itself(world):
    job = queued(world)
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    jobs.enqueue(job.kind, key=job.key, title="x", by=world.director, params={})
    with pytest.raises(Refused, match="under way"):
        jobs.retry(job.pk)


def test_a_job_that_waits_is_told_of_again_more_and_more_seldom(world):
    """A slow worker must not drown in messages about what it has not come to yet."""
    from freezegun import freeze_time

    with freeze_time("2026-05-04 10:00:00") as clock:
        queued(world)
        told = []
        for second in range(0, 3600, 30):
            if jobs.sweep():
                told.append(second)
            clock.tick(timedelta(seconds=30))
    assert told[0] == 60 and told[1] == 120 and len(told) <= 10, told
    assert told[-1] - told[-2] <= 630, told
