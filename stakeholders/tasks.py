"""What beat asks of stakeholders each day."""

from celery import shared_task

from onatc import jobs
from onatc.schedules import once_today
from stakeholders.actions import accounts, invitations
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


@jobs.job("meeting-calls")
def send_calls(job: jobs.Job, progress: jobs.Progress) -> None:
    invitations.send_in_batches(job, progress)


@jobs.job("meeting-cancellations")
def send_cancellations(job: jobs.Job, progress: jobs.Progress) -> None:
    invitations.send_in_batches(job, progress)
