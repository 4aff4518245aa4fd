"""What beat asks of the referral mechanism; every one may run twice and late."""

from celery import shared_task

from nrm.actions import care, imports
from onatc.jobs import Progress, job
from onatc.models import Job


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()


@job("import_cases")
def import_cases(found: Job, progress: Progress) -> None:
    """Rights are read again now: a role that ended since the button was pressed brings nothing in."""
    imports.apply_file(found.params["import"], by=found.actor, progress=progress)


@shared_task
def forget_files_of_cases() -> None:
    imports.forget_files()
