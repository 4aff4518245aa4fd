"""What people hold of monitoring, to be handed over when they leave (stakeholders.ownership)."""

from django.utils.translation import gettext_lazy as _

from monitoring.models import Report, ReportState
from stakeholders import ownership
from stakeholders.models import Role


def register() -> None:
    ownership.register(
        ownership.Holding(
            key="report",
            label=_("drafts of reports"),
            held_by=lambda user: Report.objects.filter(created_by=user, state=ReportState.DRAFT).defer("data"),
            field="created_by",
            heirs=ownership.holders_of(Role.DIRECTOR, Role.PLANNING, Role.MONITORING),
        )
    )
