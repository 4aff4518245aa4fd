"""What of the shared records can be found (onatc.search), each with the tokens that say what its `visible_to` says."""

from django.utils.translation import gettext_lazy as _

from onatc.help import ProblemReport
from onatc.search import Found, Kind, joined, register
from onatc.texts import COLUMNS


def _problem(one: ProblemReport) -> Found:
    title = dict.fromkeys(COLUMNS, one.text[:120])
    scopes = ["director", "administrator", f"u{one.reporter_id.hex}"]
    return Found(title, joined([one.text, one.answer]), one.get_absolute_url(), scopes)


def register_own() -> None:
    register(Kind("problem", _("reported problem"), ProblemReport, _problem, ProblemReport.objects.all))
