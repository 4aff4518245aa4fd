"""What beat asks of stakeholders each day, and its jobs; every one may run twice and late."""

from celery import shared_task

from onatc import jobs
from onatc.jobs import Job, Progress, job
from onatc.schedules import once_today
from stakeholders.actions import (
    accounts,
    agreement_notices,
    circulars,
    decisions,
    enquiries,
    invitations,
    minutes,
    questionnaires,
)
from stakeholders.models import Circular, KeptText


@shared_task
def remind_of_reviews() -> None:
    once_today("remind of access reviews", accounts.remind_of_reviews)


@shared_task
def note_what_is_over() -> None:
    accounts.note_what_is_over()


@shared_task
def forget_kept_texts() -> None:
    KeptText.forget_old()


@job("minutes_file")
def minutes_file(found: Job, progress: Progress) -> None:
    minutes.build_file(found, progress)


@shared_task
def forget_private_senders() -> None:
    once_today("forget private senders", enquiries.forget_private_senders)


@shared_task
def remind_of_questions() -> None:
    once_today("remind of questions", questionnaires.remind)


@shared_task
def remind_of_enquiries() -> None:
    once_today("remind of enquiries", enquiries.remind)


@job("questionnaire_file")
def questionnaire_file(found: Job, progress: Progress) -> None:
    questionnaires.make_file(found, progress)


@shared_task
def remind_of_points() -> None:
    once_today("remind of action points", decisions.remind_of_points)


@shared_task
def escalate_points() -> None:
    once_today("put action points on agendas", decisions.escalate_points)


@jobs.job("meeting-calls")
def send_calls(job: jobs.Job, progress: jobs.Progress) -> None:
    invitations.send_in_batches(job, progress)


@jobs.job("meeting-cancellations")
def send_cancellations(job: jobs.Job, progress: jobs.Progress) -> None:
    invitations.send_in_batches(job, progress)


@shared_task
def tell_of_agreements() -> None:
    once_today("tell of agreements", agreement_notices.tell_of_agreements)


@shared_task
def remind_of_obligations() -> None:
    once_today("remind of obligations", agreement_notices.remind_of_obligations)


@job("send_circular")
def send_circular(found: Job, progress: Progress) -> None:
    circulars.deliver(_circular(found), progress, by=found.actor)


@job("remind_circular")
def remind_circular(found: Job, progress: Progress) -> None:
    circulars.deliver_reminders(_circular(found), found.params["day"], progress, by=found.actor)


def _circular(found: Job) -> Circular:
    return Circular.objects.get(pk=found.params["circular"])
