"""What beat asks of strategy each day; every task may run twice and late."""

from celery import shared_task

from strategy.actions import rounds, signals


@shared_task
def open_due_rounds() -> None:
    rounds.open_due_rounds()


@shared_task
def remind() -> None:
    rounds.remind()


@shared_task
def refresh_signals() -> None:
    signals.refresh_current()
