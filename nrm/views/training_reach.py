"""The page that sets who was trained against who needs it, by institution, municipality and function."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from nrm import access
from nrm.forms.training import ReachForm
from nrm.models import NeedsAssessment
from nrm.queries.training import ReachRow, ReachTable, assessments_for_reach, reach_of, topic_labels
from onatc import exports
from onatc.charts import Chart, Series, stacked_bars
from onatc.errors import require
from stakeholders.accounts import SignedInRequest

CHART_ROWS = 25


def _asked(request: SignedInRequest) -> tuple[ReachForm, NeedsAssessment | None, str]:
    """The one that the address names, else the one whose period it is, else the newest that has begun."""
    assessments, labels, today = assessments_for_reach(request.user), topic_labels(), timezone.localdate()
    usual = next((one for one in assessments if one.starts_on <= today), assessments[0] if assessments else None)
    wanted = request.GET.get("assessment")
    chosen = next((one for one in assessments if str(one.pk) == wanted), usual)
    said = {"assessment": str(chosen.pk) if chosen else "", "topic": request.GET.get("topic", "")}
    form = ReachForm(
        said, assessment=[(str(one.pk), str(one.title)) for one in assessments], topic=list(labels.items())
    )
    form.fields["assessment"].choices = form.fields["assessment"].choices[1:]  # type: ignore[attr-defined]
    form.is_valid()
    return form, chosen, form.cleaned_data.get("topic") or ""


def _chart(title: str, head: str, rows: list[ReachRow]) -> Chart | None:
    """Trained and still to train; only where the need is known, the largest need first."""
    known = [row for row in rows if row.reach.need is not None and row.label][:CHART_ROWS]
    if not known:
        return None
    series = [
        Series(_("trained"), [row.reach.distinct for row in known], "1", True),
        Series(_("trained, perhaps counted before"), [row.reach.uncoded for row in known], "2"),
        Series(_("still to train"), [max(0, (row.reach.left or 0) - row.reach.uncoded) for row in known], "4"),
    ]
    return stacked_bars(title, _("people"), [row.short or row.label for row in known], series, head=head)


@require_safe
def training_reach(request: SignedInRequest) -> HttpResponse:
    require(request.user.sees_mechanism)
    form, assessment, topic = _asked(request)
    table = reach_of(assessment, request.user, topic=topic) if assessment else None
    charts = (
        [
            _chart(_("Reach against need by institution"), _("institution"), table.institutions),
            _chart(_("Reach against need by municipality"), _("municipality"), table.municipalities),
        ]
        if table
        else [None, None]
    )
    return render(
        request,
        "nrm/training_reach.html",
        {
            "form": form,
            "assessment": assessment,
            "topic": topic_labels().get(topic, ""),
            "table": table,
            "by_institution": charts[0],
            "by_municipality": charts[1],
            "sees_all": access.sees_all_trained(request.user),
        },
    )


def _lines(kind: str, rows: list[ReachRow]) -> list[list[Any]]:
    return [
        [
            kind, row.label or _("municipality not given"), row.reach.need, row.reach.distinct, row.reach.uncoded,
            row.reach.pct, row.reach.most_pct, _("not answered") if row.is_missing else "",
        ]
        for row in rows
    ]  # fmt: skip


def _all_lines(table: ReachTable) -> list[list[Any]]:
    return [
        *_lines(_("institution"), table.institutions),
        *_lines(_("municipality"), table.municipalities),
        *_lines(_("function"), table.functions),
    ]


@require_safe
def training_reach_export(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_mechanism)
    _form, assessment, topic = _asked(request)
    head = [
        _("by"), _("name"), _("need training"), _("trained, each once"), _("trained, counted without numbers"),
        _("at least, in percent of the need"), _("at most, in percent of the need"), _("remark"),
    ]  # fmt: skip
    lines = _all_lines(reach_of(assessment, request.user, topic=topic)) if assessment else []
    return exports.as_file(
        "training-reach",
        head,
        lines,
        form=request.GET.get("format", ""),
        to=request.user,
        of=assessment or request.user,
    )
