"""What beat asks of the referral mechanism, and its jobs; every one may run twice and late."""

from celery import shared_task

from nrm.actions import (
    assessment,
    care,
    clock_notices,
    deviations,
    escalation,
    imports,
    receipts,
    reflection,
    service_reminders,
    sop,
    timeliness,
    training_follow_ups,
    training_needs,
    twins,
)
from onatc.jobs import Job, Progress, job
from onatc.schedules import once_today

# Jobs


@job("referral_receipt")
def referral_receipt(found: Job, progress: Progress) -> None:
    receipts.build_file(found, progress)


@job("assessment_file")
def assessment_file(found: Job, progress: Progress) -> None:
    assessment.build_file(found, progress)


@job("sop_trial")
def sop_trial(found: Job, progress: Progress) -> None:
    sop.run_trial(found, progress)


@job("ask_about_twins")
def ask_about_twins(found: Job, progress: Progress) -> None:
    twins.ask(found.params["case"], found.params["institution"], found.params["others"])
    progress(1, 1)


@job("import_cases")
def import_cases(found: Job, progress: Progress) -> None:
    """Rights are read again now: a role that ended since the button was pressed brings nothing in."""
    imports.apply_file(found.params["import"], by=found.actor, progress=progress)


# Cases


@shared_task
def escalate_referrals() -> None:
    escalation.escalate()


@shared_task
def end_reflection_periods() -> None:
    """Early on the day of the planned end. What is decided later that day takes this end back (actions.reflection)."""
    once_today("end reflection periods", reflection.end_those_over)


@shared_task
def warn_of_deadlines() -> None:
    clock_notices.warn()


@shared_task
def escalate_deadlines() -> None:
    clock_notices.escalate()


@shared_task
def warn_of_breaches() -> None:
    care.warn_of_breaches()


@shared_task
def forget_files_of_cases() -> None:
    imports.forget_files()


# The mechanism


@shared_task
def refresh_timeliness() -> None:
    timeliness.refresh()


@shared_task
def keep_timeliness() -> None:
    once_today("keep timeliness", timeliness.refresh_all)


@shared_task
def release_timeliness() -> None:
    once_today("release timeliness", timeliness.release)


@shared_task
def find_deviations() -> None:
    once_today("find deviations", deviations.find)


@shared_task
def remind_of_corrections() -> None:
    once_today("remind of corrections", deviations.remind)


@shared_task
def remind_of_services() -> None:
    once_today("remind of services", service_reminders.remind_of_services)


@shared_task
def remind_of_training_needs() -> None:
    once_today("remind of training needs", training_needs.remind_of_needs)


@shared_task
def remind_of_training_follow_ups() -> None:
    once_today("remind of training follow-ups", training_follow_ups.remind_of_follow_ups)
