"""What beat asks of the referral mechanism; every one may run twice and late."""

from celery import shared_task

from nrm.actions import care, reflection
from onatc.schedules import once_today


@shared_task
def end_reflection_periods() -> None:
    """Early on the day of the planned end. What is decided later that day takes this end back (actions.reflection)."""
    once_today("end reflection periods", reflection.end_those_over)


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()
