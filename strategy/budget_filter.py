"""The filter of a plan's money: the figures of the budget page and the lines behind them are made by this one object."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.forms import FilterForm, PlainSelect
from strategy.models import BudgetExecution, BudgetLine, BudgetSource, Goal, Measure, PlanVersion

WHOLE_TERM = "term"
GAP, WAITING, UNSTATED = "gap", "waiting", "unstated"


class BudgetFilterForm(FilterForm):
    source = forms.ChoiceField(
        label=_("Source of funds"), required=False, widget=PlainSelect, choices=[("", _("all")), *BudgetSource.choices]
    )
    year = forms.ChoiceField(label=_("Year"), required=False, widget=PlainSelect)
    goal = forms.ChoiceField(label=_("Goal"), required=False, widget=PlainSelect)
    lead = forms.ChoiceField(label=_("Lead institution"), required=False, widget=PlainSelect)
    show = forms.ChoiceField(
        label=_("Show"),
        required=False,
        widget=PlainSelect,
        choices=[
            ("", _("all lines")),
            (GAP, _("with a gap to fund")),
            (WAITING, _("not yet committed")),
            (UNSTATED, _("without a statement")),
        ],
    )
    version = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any, years: list[Any], goals: list[Any], leads: list[Any]) -> None:
        super().__init__(data, year=years, goal=goals, lead=leads)


class BudgetFilter:
    """Reads the address's query for one version of a plan; what is not understood filters nothing.

    `measures` are narrowed by goal and lead institution alone, `lines` by everything: a measure is never "not known" just
    because its lines are of another year or source.
    """

    def __init__(self, data: Any, *, version: PlanVersion, user: Any) -> None:
        self.version = version
        seen = Measure.objects.visible_to(user).filter(version=version)
        years = range(version.plan.starts_on.year, version.plan.ends_on.year + 1)
        self.goals = list(Goal.objects.filter(Exists(seen.filter(objective__goal=OuterRef("pk")))))
        leads = list(seen.order_by("lead__short").values_list("lead__code", "lead__short").distinct())
        self.form = BudgetFilterForm(
            data,
            [*((str(year), str(year)) for year in years), (WHOLE_TERM, _("whole term"))],
            [(goal.code, f"{goal.code} {goal.title}") for goal in self.goals],
            leads,
        )
        self.form.is_valid()
        self.chosen: dict[str, Any] = self.form.cleaned_data
        narrowed = Q()
        if goal := self.chosen.get("goal"):
            narrowed &= Q(objective__goal__code=goal)
        if lead := self.chosen.get("lead"):
            narrowed &= Q(lead__code=lead)
        self.measures = seen.filter(narrowed)
        self.lines = self._lines()

    def _lines(self) -> QuerySet[BudgetLine]:
        lines = BudgetLine.objects.filter(measure__in=self.measures.order_by().values("pk"))
        if source := self.chosen.get("source"):
            lines = lines.filter(source=source)
        if year := self.chosen.get("year"):
            lines = lines.filter(year__isnull=True) if year == WHOLE_TERM else lines.filter(year=int(year))
        if show := self.chosen.get("show"):
            said = BudgetExecution.objects.filter(line__lineage=OuterRef("lineage")).order_by("-as_of", "-at")
            lines = lines.annotate(committed=Subquery(said.values("committed_cents")[:1]))
            funded = ~Q(source=BudgetSource.NOT_FUNDED)
            lines = {
                GAP: lambda: lines.filter(~funded, Q(committed__isnull=True) | Q(committed__lt=F("planned_cents"))),
                WAITING: lambda: lines.filter(funded, committed__lt=F("planned_cents")),
                UNSTATED: lambda: lines.filter(committed__isnull=True),
            }[show]()
        return lines

    @property
    def of_unknown_budget(self) -> QuerySet[Measure]:
        """The measures that have no line."""
        known = BudgetLine.objects.filter(measure=OuterRef("pk"))
        return self.measures.filter(~Exists(known))

    def link(self, page: str = "strategy:budget-lines", **changes: Any) -> str:
        """The address of the lines behind a figure: this filter with some of it set otherwise."""
        chosen = {name: value for name, value in (self.chosen | changes).items() if value}
        return f"{reverse(page, args=[self.version.plan_id])}?{urlencode(chosen)}"
