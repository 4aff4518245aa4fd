"""The filter of measures: the dashboard's numbers and the list behind them are made by this one object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.forms import FilterForm, PlainSelect
from onatc.models import Code
from onatc.periods import Period, PeriodField
from onatc.texts import SortKey
from strategy.models import Measure, MeasurePartner, MeasureState, MeasureTag, PlanVersion, Signal, VersionState

SORTS: dict[str, Any] = {
    "plan": ["position"],
    "code": ["code"],
    "title": ["title"],
    "lead": ["lead_code", "position"],
    "deadline": ["ends_on", "position"],
    "signal": ["signal", "position"],
    "achieved": ["achieved_pct", "position"],
}
SEARCHED = ("title_sq", "title_sr", "title_en")
MAX_LENGTH = 200


def quarter_of(period: Period | None) -> Period:
    """The quarter whose signals stand for a period: its last one, or the running one."""
    today = timezone.localdate()
    return Period.quarter_of(min(period.end, today) if period else today)


class MeasureFilterForm(FilterForm):
    q = forms.CharField(label=_("Words or code"), max_length=MAX_LENGTH, required=False)
    goal = forms.ChoiceField(label=_("Goal"), required=False, widget=PlainSelect)
    institution = forms.ChoiceField(label=_("Institution"), required=False, widget=PlainSelect)
    part = forms.ChoiceField(
        label=_("Its part"),
        required=False,
        widget=PlainSelect,
        choices=[("", _("any")), ("lead", _("lead")), ("partner", _("partner"))],
    )
    signal = forms.ChoiceField(
        label=_("Signal"), required=False, widget=PlainSelect, choices=[("", _("all")), *Signal.choices]
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, widget=PlainSelect, choices=[("", _("all")), *MeasureState.choices]
    )
    tag = forms.ChoiceField(label=_("Tag"), required=False, widget=PlainSelect)
    period = PeriodField(label=_("Period"), required=False)
    lead = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)
    plan = forms.CharField(widget=forms.HiddenInput, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=9_999)
    objective = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)
    sort = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any, goals: list[tuple[str, str]], institutions: list[tuple[str, str]]) -> None:
        tags = [(code.code, str(code.label)) for code in Code.objects.of("measure_tag")]
        super().__init__(data, tag=tags, goal=goals, institution=institutions)


class MeasureFilter:
    """Reads the address's query for the measures of one version; what is not understood filters nothing, and says so.

    `rows` are the measures with `signal` and `achieved_pct` of the period; `without_signal` the same before the signal
    is asked, for the counts on top.
    """

    def __init__(
        self,
        data: Any,
        *,
        version: PlanVersion,
        user: Any,
        goals: Iterable[tuple[str, str]] = (),
        institutions: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.form = MeasureFilterForm(data, list(goals), list(institutions))
        self.form.is_valid()
        self.chosen: dict[str, Any] = self.form.cleaned_data
        self.version = version
        self.today = timezone.localdate()
        self.quarter = quarter_of(self.chosen.get("period"))
        # How far measures are is between an institution and the office: a draft laid before others does not show it.
        self.shows_signals = not version.is_draft or user.is_office
        self.without_signal = self._narrow(Measure.objects.visible_to(user).filter(version=version))
        rows = self.without_signal
        if signal := self.chosen.get("signal"):
            rows = rows.filter(signal=signal)
        self.rows = rows

    def _narrow(self, measures: QuerySet[Measure]) -> QuerySet[Any]:
        rows: QuerySet[Any] = measures.annotate(
            of_period=FilteredRelation(
                "signals",
                condition=Q(signals__starts_on=self.quarter.start, signals__ends_on=self.quarter.end)
                & (Q() if self.shows_signals else Q(signals__pk__isnull=True)),
            ),
        ).annotate(
            signal=F("of_period__signal"),
            achieved_pct=F("of_period__achieved_pct"),
            is_overridden=F("of_period__is_overridden"),
            said_state=F("of_period__latest_entry__measure_state"),
            found_state=F("of_period__latest_entry__verified_measure_state"),
            finding=F("of_period__latest_entry__finding"),
        )
        if words := (self.chosen.get("q") or "").strip():
            found = Q(code__istartswith=words)
            for column in SEARCHED:
                found |= Q(**{f"{column}__unaccent__icontains": words})
            rows = rows.filter(found)
        if goal := self.chosen.get("goal"):
            rows = rows.filter(objective__goal__code=goal)
        if objective := self.chosen.get("objective"):
            rows = rows.filter(objective__code=objective)
        if state := self.chosen.get("state"):
            rows = rows.filter(state=state)
        if code := self.chosen.get("tag"):
            rows = rows.filter(Exists(MeasureTag.objects.filter(measure=OuterRef("pk"), tag__code=code)))
        if code := self.chosen.get("lead"):
            rows = rows.filter(lead__code=code)
        if code := self.chosen.get("institution"):
            lead = Q(lead__code=code)
            partner = Q(Exists(MeasurePartner.objects.filter(measure=OuterRef("pk"), institution__code=code)))
            part = self.chosen.get("part")
            rows = rows.filter(lead if part == "lead" else partner if part == "partner" else lead | partner)
        return rows

    def list_query(self, **extra: str) -> str:
        """The query of the measure list under the same filter, of the same plan and period."""
        names = ("q", "goal", "objective", "institution", "part", "lead", "state", "signal", "tag")
        chosen = {name: str(self.chosen[name]) for name in names if self.chosen.get(name)}
        if self.version.state != VersionState.ADOPTED:
            chosen["version"] = str(self.version.number)
        return urlencode({"plan": str(self.version.plan_id), "period": self.quarter.label, **chosen, **extra})

    def ordered(self) -> QuerySet[Any]:
        """The rows in the order that the address asks for; an unknown key sorts as the plan does."""
        key = self.chosen.get("sort") or "plan"
        descending = key.startswith("-")
        fields = SORTS.get(key.removeprefix("-"), SORTS["plan"])
        order: list[Any] = []
        for field in fields:
            expression = SortKey("title") if field == "title" else F("lead__code" if field == "lead_code" else field)
            order.append(expression.desc(nulls_last=True) if descending else expression.asc(nulls_last=True))
        return self.rows.order_by(*order, "position", "pk")
