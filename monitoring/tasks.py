"""The jobs of monitoring; onatc.jobs runs them once each, whatever happens to the worker."""

from django.utils.translation import gettext as _

from monitoring import actions
from monitoring.models import Report
from onatc.errors import Refused
from onatc.jobs import Progress, job
from onatc.models import Job


@job("build_report")
def build_report(found: Job, progress: Progress) -> None:
    actions.build_files(_report(found), progress)


@job("issue_report")
def issue_report(found: Job, progress: Progress) -> None:
    """Rights are read again now: a role that ended since the button was pressed does not issue."""
    actions.issue(_report(found), progress, by=found.actor)


def _report(found: Job) -> Report:
    report = Report.objects.select_related("plan").filter(pk=found.params["report"]).first()
    if report is None:
        raise Refused(_("The report is no longer there."))
    return report
