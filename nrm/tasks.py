"""The jobs of the referral mechanism, and what beat asks of it; every one may run twice and late."""

from onatc.jobs import Progress, job
from onatc.models import Job


@job("ask_about_twins")
def ask_about_twins(found: Job, progress: Progress) -> None:
    from nrm.actions import twins

    twins.ask(found.params["case"], found.params["institution"], found.params["others"])
    progress(1, 1)
