"""Timeliness of the steps: unprotected over what a reader may see, and the released half-years for everybody."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from nrm import access
from nrm.models import SopState, SopStep, TimelinessRelease
from nrm.queries.clocks import step_choices
from nrm.queries.timeliness import BY, KINDS, PROTECTED, STEP, Asked, chart_of, lines, released_lines
from onatc import exports
from onatc.errors import require
from onatc.forms import FilterForm
from onatc.models import Municipality
from onatc.periods import Period, PeriodField
from onatc.texts import SortKey
from stakeholders.accounts import SignedInRequest
from stakeholders.models import Institution

LONGEST_YEARS = 20


class AskForm(FilterForm):
    by = forms.ChoiceField(label=gettext_lazy("Lines"), required=False)
    period = PeriodField(
        label=gettext_lazy("Begun in"), required=False, help_text=gettext_lazy("Whole months: 2026, 2026H1, 2026-07.")
    )
    step = forms.ChoiceField(label=gettext_lazy("Step"), required=False)
    institution = forms.ChoiceField(label=gettext_lazy("Institution"), required=False)
    municipality = forms.ChoiceField(label=gettext_lazy("Municipality"), required=False)


def whole_months(period: Period) -> Period:
    """From the first day of its first month to the last day of its last one, twenty years at most."""
    start = period.start.replace(day=1)
    end = Period.parse(f"{period.end:%Y-%m}").end
    earliest = date(max(end.year - LONGEST_YEARS, 1), end.month, 1)
    return Period(max(start, earliest), end)


def last_twelve_months() -> Period:
    today = timezone.localdate()
    return whole_months(Period(today.replace(year=today.year - 1, day=1), today))


@require_safe
def timeliness(request: SignedInRequest) -> HttpResponseBase:
    require(request.user.sees_mechanism)
    user = request.user
    released = _released(request)
    if request.GET.get("format"):
        return _as_file(request, released["release"])
    context: dict[str, Any] = {"kinds": [label for _name, label in KINDS], "sees_raw": user.sees_cases, **released}
    if user.sees_cases:
        context |= _own(request)
    return render(request, "nrm/timeliness.html", context)


def _as_file(request: SignedInRequest, release: TimelinessRelease | None) -> HttpResponseBase:
    """The released tables of the half-year that is shown: a line for each count. What is unprotected on the page leaves in no
    file, whoever reads it."""
    head = [
        _("from"), _("to"), _("as it stood on"), _("table"), _("line"), _("what is counted"), _("value"), _("unit"),
        _("shown or hidden"),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    if release is not None:
        made = timezone.localtime(release.made_at).date()
        labels = [str(_("Clocks started")), *map(str, _kind_labels())]
        for by, title in BY.items():
            for line in released_lines(release.tables, by):
                place: list[Any] = [release.starts_on, release.ends_on, made, str(title), str(line["label"])]
                for label, count in zip(labels, [line["started"], *line["cells"]], strict=True):
                    said = _("hidden") if count is None else _("shown")
                    rows.append([*place, label, count, _("clocks"), said])
                if "longest" in line:
                    rows += [
                        [*place, str(label), hours if hours is not None else line["longest"], _("hours"),
                         _("shown") if hours is not None else _("more than")]
                        for label, hours in (
                            (_("Half within"), line["median_hours"]), (_("Nine in ten within"), line["ninetieth_hours"])
                        )
                    ]  # fmt: skip
    name = f"timeliness-{release.starts_on}-{release.ends_on}" if release is not None else "timeliness"
    return exports.as_file(name, head, rows, form=request.GET["format"], to=request.user, of=release or request.user)


def _kind_labels() -> list[Any]:
    labels = dict(KINDS) | {"running": _("still running"), "other": _("not applicable or fallen away")}
    return [labels[one] for one in PROTECTED]


def _own(request: SignedInRequest) -> dict[str, Any]:
    user = request.user
    steps = SopStep.objects.visible_to(user).filter(version__state=SopState.ADOPTED)
    institutions = Institution.objects.visible_to(user)
    if not access.sees_all_cases(user) and user.institution_ids:
        institutions = institutions.filter(pk__in=user.institution_ids)
    form = AskForm(
        request.GET,
        by=BY.items(),
        step=step_choices(steps),
        institution=[(str(one.pk), str(one.name)) for one in institutions.order_by(SortKey("name"))],
        municipality=[(one.pk, str(one)) for one in Municipality.objects.all().order_by(SortKey("name"))],
    )
    form.fields["by"].choices = list(BY.items())  # type: ignore[attr-defined]
    form.is_valid()
    said = form.cleaned_data
    asked = Asked(
        said.get("by") or STEP,
        whole_months(said.get("period") or last_twelve_months()),
        said.get("step") or "",
        said.get("institution") or "",
        said.get("municipality") or "",
    )
    found = lines(user, asked)
    cells: list[list[int | None]] = [list(line.cells) for line in found]
    return {
        "filter": {"form": form},
        "asked": asked,
        "lines": found,
        "by_label": BY[asked.by],
        "sees_all": access.sees_all_cases(user),
        "sum": [(label, sum(line.cells[place] for line in found)) for place, (_name, label) in enumerate(KINDS)],
        "started": sum(line.started for line in found),
        "chart": chart_of(_("How the clocks stand"), [line.label for line in found], cells) if found else None,
    }


def _released(request: SignedInRequest) -> dict[str, Any]:
    releases = list(TimelinessRelease.objects.visible_to(request.user)[:20])
    asked = request.GET.get("release", "")
    chosen = next((one for one in releases if one.starts_on.isoformat() == asked), releases[0] if releases else None)
    tables, labels = [], _kind_labels()
    if chosen is not None:
        for by, label in BY.items():
            if by in chosen.tables:
                rows = released_lines(chosen.tables, by)
                tables.append(
                    (label, [one | {"named": zip(labels, one["cells"], strict=True)} for one in rows], by == STEP)
                )
    return {
        "releases": releases,
        "release": chosen,
        "tables": tables,
        "released_kinds": labels,
    }
