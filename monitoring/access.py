"""Who may do what with reports."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from monitoring.models import Report
from onatc.errors import Denied
from stakeholders.models import Role, User


def may_draft(user: User) -> bool | Denied:
    """Director, strategic planning and M&E officers draft and edit reports."""
    return user.reviews_progress or Denied(_("Only the secretariat drafts reports."))


def may_edit(user: User, report: Report) -> bool | Denied:
    if not report.is_draft:
        return Denied(_("An issued report never changes."))
    return may_draft(user)


def may_issue(user: User, report: Report) -> bool | Denied:
    """The National Coordinator sends the report to the Government (Article 7)."""
    if not report.is_draft:
        return Denied(_("The report was issued already."))
    return user.has_role(Role.NATC) or Denied(_("Only the National Coordinator issues a report."))
