"""What of monitoring can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from monitoring.models import Report, ReportFile, ReportText
from onatc.search import Found, Kind, joined, register, text_of_file
from onatc.texts import COLUMNS, DJANGO_CODES


def _readers(report: Report) -> list[str]:
    return ["office"] if report.is_draft else ["office", "observer"]


def _title(report: Report) -> dict[str, str]:
    title = {}
    for column, language in DJANGO_CODES.items():
        with override(language):
            title[column] = str(report)
    return title


def _report(one: Report) -> Found:
    text = joined(text.text for text in one.texts.all())
    return Found(_title(one), text, one.get_absolute_url(), _readers(one))


def _file(one: ReportFile) -> Found:
    title = dict.fromkeys(COLUMNS, one.original_name)
    return Found(title, text_of_file(one), one.report.get_absolute_url(), _readers(one.report))


def register_own() -> None:
    register(
        Kind(
            "report", _("report"), Report, _report,
            lambda: Report.objects.defer("data").select_related("plan").prefetch_related("texts"), {ReportText: "texts"},
        )
    )  # fmt: skip
    register(
        Kind(
            "report_file", _("file of a report"), ReportFile, _file,
            lambda: ReportFile.objects.select_related("report").defer("report__data"), {Report: "report"}, reads_files=True,
        )
    )  # fmt: skip
