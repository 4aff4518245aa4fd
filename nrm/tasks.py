<<<<<<< HEAD
"""The jobs of the referral mechanism, and what beat asks of it; every one may run twice and late."""

from onatc.jobs import Progress, job
from onatc.models import Job


@job("ask_about_twins")
def ask_about_twins(found: Job, progress: Progress) -> None:
    from nrm.actions import twins

    twins.ask(found.params["case"], found.params["institution"], found.params["others"])
    progress(1, 1)
=======
"""What beat asks of the referral mechanism; every one may run twice and late."""

from celery import shared_task

from nrm.actions import care


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()
>>>>>>> main
