"""A real worker writes the report; killed in the middle, the report is finished once, after the restart."""

import pytest

from monitoring import actions
from monitoring.models import ReportFile
from onatc import jobs
from onatc.models import Job, JobState
from tests.processes import kill, start_worker, until, worker
from tests.strategy.steps import accepted

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_killed_in_mid_report_finishes_it_once_after_the_restart(world, settings):
    settings.JOB_SILENT_SECONDS = 1.5
    accepted(world.request(), world.focal_point, world.monitoring)
    report = actions.draft_report(world.plan, world.round.period, by=world.monitoring)
    first = start_worker()
    until(lambda: Job.objects.filter(state=JobState.RUNNING, done__gte=1).exists(), "the first language is made")
    kill(first)
    assert Job.objects.get().state == JobState.RUNNING and not ReportFile.objects.exists()

    def finished() -> bool:
        jobs.sweep()
        return not Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING]).exists()

    with worker():
        until(finished, "the second worker finishes the job")
    job = Job.objects.get()
    assert (job.state, job.attempt) == (JobState.DONE, 2)
    assert sorted(ReportFile.objects.filter(report=report).values_list("language", flat=True)) == [
        "en",
        "sq",
        "sr-latn",
    ]


def test_a_job_that_was_never_published_is_found_by_the_sweeper(world, settings):
    from datetime import timedelta

    from django.utils import timezone

    settings.JOB_SILENT_SECONDS = 1.5
    report = actions.draft_report(world.plan, world.round.period, by=world.monitoring)
    from onatc.celery import app

    app.control.purge()  # the crash between commit and publishing
    Job.objects.update(published_at=timezone.now() - timedelta(minutes=2))
    with worker():
        assert jobs.sweep() == 1
        until(lambda: Job.objects.get().state == JobState.DONE, "the job is done")
    assert report.files.count() == 3
