"""What beat asks of stakeholders each day."""

from celery import shared_task

from onatc.schedules import once_today
from stakeholders.actions import accounts, decisions
from stakeholders.models import KeptText


@shared_task
def remind_of_reviews() -> None:
    once_today("remind of access reviews", accounts.remind_of_reviews)


@shared_task
def remind_of_points() -> None:
    once_today("remind of action points", decisions.remind_of_points)


@shared_task
def escalate_points() -> None:
    once_today("put action points on agendas", decisions.escalate_points)


@shared_task
def note_what_is_over() -> None:
    accounts.note_what_is_over()


@shared_task
def forget_kept_texts() -> None:
    KeptText.forget_old()
