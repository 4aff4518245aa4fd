"""What beat asks of the referral mechanism, and its jobs; every one may run twice and late."""

from celery import shared_task

from nrm.actions import care, clock_notices, sop, timeliness
from onatc.jobs import Job, Progress, job
from onatc.schedules import once_today


@job("sop_trial")
def sop_trial(found: Job, progress: Progress) -> None:
    sop.run_trial(found, progress)


@shared_task
def warn_of_deadlines() -> None:
    clock_notices.warn()


@shared_task
def escalate_deadlines() -> None:
    clock_notices.escalate()


@shared_task
def refresh_timeliness() -> None:
    timeliness.refresh()


@shared_task
def keep_timeliness() -> None:
    once_today("keep timeliness", timeliness.refresh_all)


@shared_task
def release_timeliness() -> None:
    once_today("release timeliness", timeliness.release)


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()
