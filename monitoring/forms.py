from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.forms import plain_helper
from onatc.periods import Period, PeriodField
from strategy.models import Plan
from strategy.queries.plan import current_plan


class ReportForm(forms.Form):
    plan = forms.ModelChoiceField(label=_("Action plan"), queryset=Plan.objects.none(), empty_label=None)
    period = PeriodField(label=_("Period"), help_text=_("For example 2026Q3, 2026H1 or 2026."))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = Plan.objects.visible_to(user)  # type: ignore[attr-defined]
        self.initial.setdefault("plan", current_plan(user))
        self.initial.setdefault("period", Period.quarter_of(timezone.localdate()).previous())
        self.helper = plain_helper()


class TextForm(forms.Form):
    """A section in the three languages, side by side."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, name in settings.LANGUAGES:
            self.fields[self.name_of(code)] = forms.CharField(
                label=name, required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 10})
            )
        self.helper = plain_helper()

    @staticmethod
    def name_of(language: str) -> str:
        return f"text_{language.replace('-', '_')}"

    def texts(self) -> dict[str, str]:
        """By language, with line ends as the rows hold them."""
        return {code: self.cleaned_data[self.name_of(code)].replace("\r\n", "\n") for code, _name in settings.LANGUAGES}
