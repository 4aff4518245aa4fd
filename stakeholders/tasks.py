"""What beat asks of stakeholders each day, and its jobs (onatc.jobs)."""

from celery import shared_task

from onatc.jobs import Progress, job
from onatc.models import Job
from onatc.schedules import once_today
from stakeholders.actions import accounts, circulars
from stakeholders.models import Circular, KeptText


@shared_task
def remind_of_reviews() -> None:
    once_today("remind of access reviews", accounts.remind_of_reviews)


@shared_task
def note_what_is_over() -> None:
    accounts.note_what_is_over()


@shared_task
def forget_kept_texts() -> None:
    KeptText.forget_old()


@job("send_circular")
def send_circular(found: Job, progress: Progress) -> None:
    circulars.deliver(_circular(found), progress, by=found.actor)


@job("remind_circular")
def remind_circular(found: Job, progress: Progress) -> None:
    circulars.deliver_reminders(_circular(found), found.params["day"], progress, by=found.actor)


def _circular(found: Job) -> Circular:
    return Circular.objects.get(pk=found.params["circular"])
