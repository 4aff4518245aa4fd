"""What beat asks of the referral mechanism; every one may run twice and late."""

from celery import shared_task

from nrm.actions import care, deviations
from onatc.schedules import once_today


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()


@shared_task
def find_deviations() -> None:
    once_today("find deviations", deviations.find)


@shared_task
def remind_of_corrections() -> None:
    once_today("remind of corrections", deviations.remind)
