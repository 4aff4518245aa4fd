"""What beat asks of stakeholders each day, and its jobs; every one may run twice and late."""

from celery import shared_task

from onatc.jobs import Progress, job
from onatc.models import Job
from onatc.schedules import once_today
from stakeholders.actions import accounts, minutes
from stakeholders.models import KeptText


@shared_task
def remind_of_reviews() -> None:
    once_today("remind of access reviews", accounts.remind_of_reviews)


@shared_task
def note_what_is_over() -> None:
    accounts.note_what_is_over()


@shared_task
def forget_kept_texts() -> None:
    KeptText.forget_old()


@job("minutes_file")
def minutes_file(found: Job, progress: Progress) -> None:
    minutes.build_file(found, progress)
