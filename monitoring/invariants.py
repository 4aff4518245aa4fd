"""What must always be true of reports (onatc.operation)."""

from collections.abc import Iterator

from django.conf import settings

from monitoring.models import Report, ReportState
from monitoring.report import data as report_data
from onatc.operation import invariant


def register() -> None:
    invariant(issued_reports_are_as_issued)


def issued_reports_are_as_issued() -> Iterator[str]:
    """The data has the SHA-256 that its pages print, and a file is there in each language."""
    issued = Report.objects.filter(state=ReportState.ISSUED).prefetch_related("files")
    for report in issued.iterator(chunk_size=10):
        if report_data.sha256_of(report.data) != report.data_sha256:
            yield f"report {report.pk}: its data is not what was issued"
        if {file.language for file in report.files.all()} != set(dict(settings.LANGUAGES)):
            yield f"report {report.pk}: it was issued without all its files"
