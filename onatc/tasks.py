"""Celery's side of jobs, mail, schedules and the trail; what they do is in the modules of those names."""

from celery import current_app, shared_task

from onatc import jobs, kept, mail, operation, search, store, trail, unusual
from onatc.schedules import once_today, overdue


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
def catch_up_schedules() -> None:
    for name in overdue():
        current_app.send_task(name)


# Ended before a mail that is being sent counts as interrupted (mail.SENDING_TAKES).
@shared_task(soft_time_limit=420, time_limit=480)
def send_messages() -> None:
    mail.send_waiting()


@shared_task
def send_digests() -> None:
    once_today("send digests", mail.send_digests)


@shared_task
def forget_old_mails() -> None:
    once_today("forget old mails", mail.forget_old)


@shared_task
def mail_trail_head() -> None:
    once_today("mail the head of the trail", trail.mail_head)


@shared_task
def leave_trail_head() -> None:
    trail.leave_head()


@shared_task
def tell_of_unusual_reading() -> None:
    unusual.tell_directors()


@shared_task
def forget_old_changes() -> None:
    once_today("forget old changes", kept.forget_old_changes)


@shared_task
def nightly_backup() -> None:
    once_today("nightly backup", operation.nightly_backup)


@shared_task
def look_at_certificate() -> None:
    once_today("look at the certificate", operation.look_at_certificate)


@shared_task
def collect_files() -> None:
    once_today("collect files", store.collect, every=7)


@shared_task
def catch_up_search() -> None:
    search.catch_up()


@shared_task
def take_in_the_day() -> None:
    once_today("take in roles of the day", search.take_in_the_day)
