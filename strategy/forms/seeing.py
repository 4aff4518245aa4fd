"""Filters of the pages that show a plan's course, and the form of a filter that is kept under a name."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from onatc.forms import FilterForm, PlainSelect, day_field, plain_helper
from onatc.periods import PeriodField
from strategy.models import SharedWith
from strategy.queries.happenings import What
from strategy.queries.late import Lateness

# Beyond these days nothing of ours is recorded; nearer to the calendar's ends dates cannot be counted with.
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)


def _day(label: Any) -> forms.DateField:
    return day_field(label, required=False, input_formats=["%Y-%m-%d", "%d.%m.%Y"])


class SeeingForm(FilterForm):
    """`chosen` has what was understood of the address."""

    @property
    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        return self.cleaned_data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            day = cleaned.get(name)
            if isinstance(field, forms.DateField) and day and not FIRST_DAY <= day <= LAST_DAY:
                self.add_error(name, _("Write a day between 1990 and 2100."))
        return cleaned


class ChangesForm(SeeingForm):
    since = _day(_("Since"))
    until = _day(_("Until"))
    kind = forms.ChoiceField(label=_("What"), required=False, widget=PlainSelect)

    def __init__(self, data: Any) -> None:
        super().__init__(data, kind=[*What.choices])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The end must not lie before the start."))
        return cleaned


class StoryForm(SeeingForm):
    kind = forms.ChoiceField(label=_("What"), required=False, widget=PlainSelect)
    period = PeriodField(label=_("Period"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data, kind=[*What.choices])

    def clean_period(self) -> Any:
        period = self.cleaned_data["period"]
        if period and not FIRST_DAY <= period.start <= period.end <= LAST_DAY:
            raise ValidationError(_("Write a day between 1990 and 2100."))
        return period


class LateForm(SeeingForm):
    kind = forms.ChoiceField(label=_("What"), required=False, widget=PlainSelect)
    institution = forms.ChoiceField(label=_("Institution"), required=False, widget=PlainSelect)
    goal = forms.ChoiceField(label=_("Goal"), required=False, widget=PlainSelect)
    plan = forms.CharField(widget=forms.HiddenInput, required=False)
    sort = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)

    def __init__(self, data: Any, *, institutions: list[tuple[str, str]], goals: list[tuple[str, str]]) -> None:
        super().__init__(data, kind=[*Lateness.choices], institution=institutions, goal=goals)


class MatrixForm(SeeingForm):
    plan = forms.ChoiceField(label=_("Action plan"), required=False, widget=PlainSelect)

    def __init__(self, data: Any, *, plans: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["plan"].choices = [("", _("the plan in force")), *plans]  # type: ignore[attr-defined]


class SavedFilterForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    shared_with = forms.ChoiceField(
        label=_("Shared with"),
        choices=SharedWith.choices,
        initial=SharedWith.NOBODY,
        help_text=_("Whoever opens it sees what it finds of what they may see."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()
