"""Celery's side of jobs and mail; what they do is in jobs.py, mail.py and kept.py."""

from celery import shared_task

from onatc import jobs, kept, mail


@shared_task
def run_job(pk: str) -> None:
    jobs.run(pk)


@shared_task
def sweep_jobs() -> None:
    jobs.sweep()


@shared_task
def record_heartbeat() -> None:
    jobs.record_heartbeat()


@shared_task
def send_messages() -> None:
    mail.send_waiting()


@shared_task
def forget_old_changes() -> None:
    kept.forget_old_changes()
