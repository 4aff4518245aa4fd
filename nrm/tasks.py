"""What beat asks of the referral mechanism; every one may run twice and late."""

from celery import shared_task

from nrm.actions import care, training_follow_ups, training_needs
from onatc.schedules import once_today


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()


@shared_task
def remind_of_training_needs() -> None:
    once_today("remind of training needs", training_needs.remind_of_needs)


@shared_task
def remind_of_training_follow_ups() -> None:
    once_today("remind of training follow-ups", training_follow_ups.remind_of_follow_ups)
