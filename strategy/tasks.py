"""What beat asks of strategy each day; every task may run twice and late."""

from celery import shared_task

from onatc.schedules import once_today
from strategy.actions import rounds, signals


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
