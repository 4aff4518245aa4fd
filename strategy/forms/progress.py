"""The form in which an institution reports, and the small forms of the review."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import plain_helper
from onatc.models import Code
from onatc.periods import PeriodField
from strategy.actions.progress import Answer, Given
from strategy.models import MeasureState, Plan, ProgressEntry, RequestedIndicator, RoundSeries, Signal, Unit
from strategy.queries.plan import current_plan

REPORTED_STATES = [
    (value, label) for value, label in MeasureState.choices if value != MeasureState.DROPPED
]  # only a decision drops a measure
LARGEST = Decimal("9999999999.99")


class ValueField(forms.DecimalField):
    """A number written as the reader's language writes it: 1.234,5 or 1,234.5."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 14)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(localize=True, required=False, min_value=Decimal(0), max_value=LARGEST, **kwargs)
        self.widget.attrs["inputmode"] = "decimal"

    def to_python(self, value: Any) -> Any:
        """Digits with the language's own signs; a single foreign decimal sign is understood where nothing else fits."""
        text = str(value or "").strip().replace("\u00a0", "").replace(" ", "")
        decimal, thousand = get_format("DECIMAL_SEPARATOR"), get_format("THOUSAND_SEPARATOR")
        grouped = rf"\d{{1,3}}(?:{re.escape(thousand)}\d{{3}})+(?:{re.escape(decimal)}\d+)?"
        if re.fullmatch(grouped, text, re.A):
            text = text.replace(thousand, "")
        return super().to_python(text.replace(decimal, ".") if text else None)


class EntryForm(forms.Form):
    """Built for one entry: one value and one reason for each requested indicator. Everything may be empty in a draft."""

    measure_state = forms.ChoiceField(
        label=_("State of the measure"),
        choices=REPORTED_STATES,
        widget=forms.RadioSelect,
        help_text=_("Completed means that nothing remains to be done."),
    )
    done = forms.CharField(
        label=_("What was done"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("In a few sentences: what, where, with whom. No names of people."),
    )
    difficulties = forms.CharField(
        label=_("Difficulties"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What stood in the way, and what would help."),
    )
    next_steps = forms.CharField(
        label=_("Next steps"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What comes in the next period."),
    )
    language = forms.ChoiceField(label=_("Language of the text"), choices=settings.LANGUAGES)
    is_nil = forms.BooleanField(
        label=_("There is nothing to report for this period"),
        required=False,
        help_text=_(
            "You sign this with your submission. It is not the same as silence. Say why under “What was done”."
        ),
    )
    evidence = AttachmentField(label=_("Evidence"), required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(
        self,
        data: Any,
        files: Any,
        *,
        entry: ProgressEntry,
        indicators: list[RequestedIndicator],
        reasons: list[Code],
    ) -> None:
        self.entry, self.indicators = entry, indicators
        initial = {
            "measure_state": entry.measure_state,
            "done": entry.done,
            "difficulties": entry.difficulties,
            "next_steps": entry.next_steps,
            "language": entry.language,
            "is_nil": entry.is_nil,
            "revision": entry.revision,
        }
        for value in entry.values.all():
            # Without needless zeros: 7, not 7,00.
            number = value.value if value.value is None else Decimal(f"{value.value.normalize():f}")
            initial[f"value_{value.requested_id}"] = number
            initial[f"reason_{value.requested_id}"] = value.missing_reason_id or ""
        super().__init__(data, files, initial=initial)
        choices = [("", _("there is a value")), *((str(code.pk), str(code.label)) for code in reasons)]
        for indicator in indicators:
            self.fields[f"value_{indicator.pk}"] = self._value_field(indicator)
            self.fields[f"reason_{indicator.pk}"] = forms.ChoiceField(
                label=_("Why there is no value"), choices=choices, required=False
            )
        self.helper = plain_helper()

    @staticmethod
    def _value_field(indicator: RequestedIndicator) -> forms.Field:
        if indicator.unit == Unit.YES_NO:
            return forms.TypedChoiceField(
                label=str(indicator.name),
                choices=[("", _("no answer yet")), ("1", _("yes")), ("0", _("no"))],
                coerce=Decimal,
                empty_value=None,
                required=False,
                widget=_DecimalSelect,
            )
        return ValueField(label=str(indicator.name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for indicator in self.indicators:
            value, reason = cleaned.get(f"value_{indicator.pk}"), cleaned.get(f"reason_{indicator.pk}")
            if value is not None and reason:
                self.add_error(f"reason_{indicator.pk}", _("Give a value or the reason why there is none, not both."))
            if indicator.unit == Unit.PERCENT and value is not None and value > 100:
                self.add_error(f"value_{indicator.pk}", _("A percentage lies between 0 and 100."))
        return cleaned

    def answer(self) -> Answer:
        cleaned = self.cleaned_data
        values = {}
        for indicator in self.indicators:
            reason = cleaned.get(f"reason_{indicator.pk}")
            values[indicator.pk] = Given(cleaned.get(f"value_{indicator.pk}"), int(reason) if reason else None)
        return Answer(
            language=cleaned["language"],
            measure_state=cleaned["measure_state"],
            done=cleaned["done"],
            difficulties=cleaned["difficulties"],
            next_steps=cleaned["next_steps"],
            is_nil=cleaned["is_nil"],
            values=values,
        )


class _DecimalSelect(forms.Select):
    def format_value(self, value: Any) -> list[str]:
        if isinstance(value, Decimal):
            value = str(int(value))
        return super().format_value(value)  # type: ignore[no-any-return]


class ReturnForm(forms.Form):
    comment = forms.CharField(
        label=_("What should the institution change?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class CommentForm(forms.Form):
    comment = forms.CharField(
        label=_("Comment"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class TranslationForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"))
    done = forms.CharField(label=_("What was done"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))
    difficulties = forms.CharField(
        label=_("Difficulties"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    next_steps = forms.CharField(
        label=_("Next steps"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, entry: ProgressEntry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            (code, name) for code, name in settings.LANGUAGES if code != entry.language
        ]
        self.helper = plain_helper()


class RoundForm(forms.Form):
    plan = forms.ModelChoiceField(label=_("Action plan"), queryset=Plan.objects.none(), empty_label=None)
    series = forms.ModelChoiceField(
        label=_("Series of rounds"),
        queryset=RoundSeries.objects.none(),
        required=False,
        empty_label=_("a round of its own"),
    )
    period = PeriodField(label=_("Period"), help_text=_("For example 2026Q3, 2026H1 or 2026."))
    due_on = forms.DateField(
        label=_("Due on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Left empty: the usual number of days after the period."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        series = RoundSeries.objects.visible_to(user).select_related("plan")
        self.fields["series"].queryset = series  # type: ignore[attr-defined]
        self.fields["plan"].queryset = Plan.objects.visible_to(user)  # type: ignore[attr-defined]
        self.initial.setdefault("plan", current_plan(user))
        self.helper = plain_helper()


class OverrideForm(forms.Form):
    signal = forms.ChoiceField(
        label=_("Signal"),
        required=False,
        choices=[("", _("as computed (take the override back)")), *Signal.choices],
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stands beside the signal on every page, with your name."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("signal") and not (cleaned.get("reason") or "").strip():
            raise ValidationError({"reason": _("An override needs a reason.")})
        return cleaned
