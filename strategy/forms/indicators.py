"""The form of an indicator of a draft."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from onatc.forms import day_field, plain_helper
from onatc.periods import Period, PeriodField
from onatc.texts import COLUMNS, SortKey
from stakeholders.models import Institution
from strategy import computed
from strategy.actions.indicators import FIELDS, Wording, seen, target_problems
from strategy.forms.progress import ValueField, plain
from strategy.indicators import Target
from strategy.models import Breakdown, CountingRule, Frequency, Indicator, Measure, Unit, ValueSource

SPARE_TARGETS, MOST_TARGETS = 4, 40


class IndicatorForm(forms.Form):
    """Built for a measure and, when one is changed, its indicator; `mark` is what the form saw of it."""

    unit = forms.ChoiceField(label=_("Unit"), choices=Unit.choices, initial=Unit.NUMBER)
    lower_is_better = forms.TypedChoiceField(
        label=_("Direction"),
        choices=[("0", _("higher is better")), ("1", _("lower is better"))],
        coerce=lambda value: value == "1",
        initial="0",
    )
    counting = forms.ChoiceField(
        label=_("What a value stands for"),
        choices=CountingRule.choices,
        initial=CountingRule.TO_DATE,
        help_text=_("Counts of single periods are added up; of the other two the latest value counts."),
    )
    baseline = ValueField(label=_("Baseline"), help_text=_("Empty when it is not known, which is not zero."))
    baseline_on = day_field(_("Date of the baseline"), required=False)
    disaggregation = forms.MultipleChoiceField(
        label=_("Breakdown"),
        required=False,
        choices=Breakdown.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "For sex, age, citizenship, form of exploitation, risk, shelter, sector and places each cell is asked."
        ),
    )
    value_source = forms.ChoiceField(
        label=_("Where its values come from"), choices=ValueSource.choices, initial=ValueSource.TYPED
    )
    computed_by = forms.ChoiceField(label=_("Query"), required=False)
    reported_by = forms.ModelChoiceField(
        label=_("Institution that reports it"),
        queryset=Institution.objects.none(),
        required=False,
        empty_label=_("the lead institution"),
        help_text=_("A partner of the measure, or its lead institution."),
    )
    frequency = forms.ChoiceField(label=_("How often"), choices=Frequency.choices, initial=Frequency.QUARTER)
    mark = forms.CharField(widget=forms.HiddenInput, required=False, max_length=16)
    rows = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=MOST_TARGETS)

    def __init__(self, data: Any, *, measure: Measure, indicator: Indicator | None, user: Any) -> None:
        self.measure, self.indicator = measure, indicator
        targets = list(indicator.targets.all()) if indicator else []
        initial: dict[str, Any] = {"mark": seen(indicator), "rows": len(targets) + SPARE_TARGETS}
        if indicator is not None:
            initial |= {name.removesuffix("_id"): getattr(indicator, name) for name in FIELDS}
            initial |= {"lower_is_better": "1" if indicator.lower_is_better else "0"}
            initial["baseline"] = plain(indicator.baseline)
        for number, target in enumerate(targets):
            initial[f"period_{number}"] = Period(target.starts_on, target.ends_on)
            initial[f"target_{number}"] = plain(target.value)
        super().__init__(data, initial=initial)
        self._add_texts("name", 300)
        self._add_texts("definition", 1000, rows=3)
        self._add_texts("numerator", 300)
        self._add_texts("denominator", 300)
        held = [name for name in (indicator.disaggregation if indicator else []) if name not in Breakdown.values]
        self.fields["disaggregation"].choices = [*Breakdown.choices, *((name, name) for name in held)]  # type: ignore[attr-defined]
        self.fields["computed_by"].choices = [  # type: ignore[attr-defined]
            ("", _("none")),
            *((one.key, f"{one.title} ({Unit(one.unit).label})") for one in computed.known()),
        ]
        taking_part = {measure.lead_id, *(partner.institution_id for partner in measure.partnerships.all())}
        self.fields["reported_by"].queryset = (  # type: ignore[attr-defined]
            Institution.objects.visible_to(user).filter(pk__in=taking_part).order_by(SortKey("name"))
        )
        self.target_rows = self._row_count(data, len(targets))
        for number in range(self.target_rows):
            self.fields[f"period_{number}"] = PeriodField(label=_("Period"), required=False)
            self.fields[f"target_{number}"] = ValueField(label=_("Target"))
        self.helper = plain_helper()

    @staticmethod
    def _row_count(data: Any, stored: int) -> int:
        sent = str((data or {}).get("rows", ""))
        wanted = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 3 else 0
        return min(max(wanted, stored + SPARE_TARGETS), MOST_TARGETS)

    def _add_texts(self, name: str, length: int, rows: int = 0) -> None:
        for column in COLUMNS:
            label = Indicator._meta.get_field(f"{name}_{column}").verbose_name  # type: ignore[union-attr]
            widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
            self.fields[f"{name}_{column}"] = forms.CharField(
                label=capfirst(label), required=False, max_length=length, widget=widget
            )

    def texts(self, name: str) -> list[Any]:
        return [self[f"{name}_{column}"] for column in COLUMNS]

    def groups(self) -> list[tuple[Any, list[Any]]]:
        """The fields in reading order, under their headings; the targets are drawn as a table."""
        return [
            (_("What is measured"), [*self.texts("name"), *self.texts("definition")]),
            (
                _("How it is counted"),
                [self["unit"], self["lower_is_better"], self["counting"], self["baseline"], self["baseline_on"]],
            ),
            (_("A percentage of two numbers"), [*self.texts("numerator"), *self.texts("denominator")]),
            (_("Breakdown"), [self["disaggregation"]]),
            (_("Who reports it"), [self["value_source"], self["computed_by"], self["reported_by"], self["frequency"]]),
        ]

    def targets(self) -> list[tuple[Any, Any]]:
        return [(self[f"period_{number}"], self[f"target_{number}"]) for number in range(self.target_rows)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(f"name_{column}") for column in COLUMNS):
            self.add_error("name_sq", _("Name the indicator in at least one language."))
        self._clean_percentage(cleaned)
        source = cleaned.get("value_source")
        query = computed.query_of(cleaned.get("computed_by") or "")
        if source == ValueSource.COMPUTED and query is None:
            self.add_error("computed_by", _("Choose the query by which it is computed."))
        elif source == ValueSource.COMPUTED and query is not None and cleaned.get("unit") != query.unit:
            self.add_error("computed_by", _("The query gives another unit than the indicator has."))
        elif source != ValueSource.COMPUTED:
            cleaned["computed_by"] = ""
        self._clean_targets(cleaned)
        return cleaned

    def _clean_percentage(self, cleaned: dict[str, Any]) -> None:
        top, bottom = (
            any(cleaned.get(f"{name}_{column}") for column in COLUMNS) for name in ("numerator", "denominator")
        )
        if cleaned.get("unit") != Unit.PERCENT and (top or bottom):
            self.add_error("numerator_sq", _("Only a percentage has a numerator and a denominator."))
        elif top != bottom:
            self.add_error(
                "denominator_sq" if top else "numerator_sq", _("Name both the numerator and the denominator.")
            )
        baseline, measured_on = cleaned.get("baseline"), cleaned.get("baseline_on")
        if measured_on is not None and measured_on > timezone.localdate():
            self.add_error("baseline_on", _("A baseline was measured: its day cannot lie in the future."))
        if cleaned.get("unit") == Unit.PERCENT and baseline is not None and baseline > 100:
            self.add_error("baseline", _("A percentage lies between 0 and 100."))

    def _clean_targets(self, cleaned: dict[str, Any]) -> None:
        self.wanted: list[Target] = []
        places: list[int] = []
        for number in range(self.target_rows):
            period, value = cleaned.get(f"period_{number}"), cleaned.get(f"target_{number}")
            if f"period_{number}" in self.errors or f"target_{number}" in self.errors:
                continue
            if (period is None) != (value is None):
                missing = "period" if period is None else "target"
                self.add_error(f"{missing}_{number}", _("A target needs its period and its value."))
            elif period is not None and value is not None:
                self.wanted.append(Target(period, value))
                places.append(number)
        if cleaned.get("unit") and cleaned.get("counting"):
            for place, problem in target_problems(self.measure, cleaned, self.wanted):
                self.add_error(f"target_{places[place]}", problem)

    def wording(self) -> Wording:
        cleaned = self.cleaned_data
        fields = {name: cleaned[name] for name in FIELDS if name != "reported_by_id"}
        reporter = cleaned["reported_by"]
        fields["reported_by_id"] = reporter.pk if reporter and reporter.pk != self.measure.lead_id else None
        fields["baseline_on"] = cleaned["baseline_on"]
        return Wording(fields, self.wanted)
