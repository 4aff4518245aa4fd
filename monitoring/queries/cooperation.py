"""The reports in which a decision or an action point stands, and the other way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from monitoring.models import Report
from stakeholders import related
from stakeholders.models import ActionPoint, Decision
from stakeholders.queries.decisions import with_standing
from stakeholders.related import Related, Source


def reports_of(records: Collection[Any], user: Any) -> dict[Any, list[Related]]:
    """Reports that name one of the records, newest first."""
    found: dict[Any, list[Related]] = defaultdict(list)
    keys = {str(record.pk): record.pk for record in records}
    wanted = Q()
    for key in keys:
        wanted |= Q(data__cooperation__ids__contains=[key])
    if not wanted:
        return found
    reports = Report.objects.visible_to(user).filter(wanted).defer("data").annotate(ids=F("data__cooperation__ids"))
    for report in reports:
        row = Related(
            str(report),
            report.get_absolute_url(),
            state=report.state,
            state_label=str(report.get_state_display()),
        )
        for key in keys.keys() & set(report.ids):
            found[keys[key]].append(row)
    return found


def register() -> None:
    for kind in (Decision, ActionPoint):
        related.register(Source("report", kind, _("Reports in which it stands"), reports_of))


def named_in(report: Report, user: Any) -> tuple[list[Decision], list[ActionPoint]]:
    """The decisions and action points of the report that the reader may open."""
    ids = (report.data.get("cooperation") or {}).get("ids", [])
    if not ids:
        return [], []
    decisions = Decision.objects.visible_to(user).filter(pk__in=ids).order_by("decided_on", "number")
    points = with_standing(ActionPoint.objects.visible_to(user).filter(pk__in=ids))
    return list(decisions), list(points.select_related("owner").order_by("due_on", "pk"))
