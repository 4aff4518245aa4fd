"""What beat asks of strategy each day, and the jobs of strategy; every one may run twice and late."""

from celery import shared_task

from onatc.jobs import Progress, job
from onatc.models import Job
from onatc.schedules import once_today
from strategy.actions import consultation, files, rounds, signals


@shared_task
def schedule_series() -> None:
    once_today("schedule rounds", rounds.schedule_series)


@shared_task
def open_due_rounds() -> None:
    once_today("open due rounds", rounds.open_due_rounds)


@shared_task
def remind() -> None:
    once_today("remind", rounds.remind)


@shared_task
def refresh_signals() -> None:
    once_today("refresh signals", signals.refresh_current)


@job("plan_file")
def plan_file(found: Job, progress: Progress) -> None:
    files.build_file(found, progress)


@shared_task
def close_consultations() -> None:
    once_today("close consultations", consultation.close_ended)


@shared_task
def remind_of_consultations() -> None:
    once_today("remind of consultations", consultation.remind)
