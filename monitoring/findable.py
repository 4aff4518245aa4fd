"""What of monitoring can be found (onatc.search)."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from monitoring.models import Report, ReportText
from onatc.search import Found, Kind, register
from onatc.texts import DJANGO_CODES


def _report(one: Report) -> Found:
    title = {}
    for column, language in DJANGO_CODES.items():
        with override(language):
            title[column] = str(one)
    return Found(title, " ".join(text.text for text in one.texts.all()), one.get_absolute_url(), ["office", "observer"])


def register_own() -> None:
    register(
        Kind(
            "report", _("report"), Report, _report,
            lambda: Report.objects.defer("data").select_related("plan").prefetch_related("texts"), {ReportText: "texts"},
        )
    )  # fmt: skip
