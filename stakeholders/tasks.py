"""What beat asks of stakeholders each day."""

from celery import shared_task

from onatc.schedules import once_today
from stakeholders.actions import accounts, agreement_notices
from stakeholders.models import KeptText


@shared_task
def remind_of_reviews() -> None:
    once_today("remind of access reviews", accounts.remind_of_reviews)


@shared_task
def tell_of_agreements() -> None:
    once_today("tell of agreements", agreement_notices.tell_of_agreements)


@shared_task
def remind_of_obligations() -> None:
    once_today("remind of obligations", agreement_notices.remind_of_obligations)


@shared_task
def note_what_is_over() -> None:
    accounts.note_what_is_over()


@shared_task
def forget_kept_texts() -> None:
    KeptText.forget_old()
