"""What beat asks of the referral mechanism; every one may run twice and late."""

from celery import shared_task

from nrm.actions import care


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()
