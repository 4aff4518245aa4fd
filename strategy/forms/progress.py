"""The form in which an institution reports, and the small forms of the review."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.formats import get_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import PlainSelect, day_field, plain_helper
from onatc.models import Code
from onatc.periods import PeriodField
from onatc.templatetags.page import figure
from strategy.actions.progress import Answer, Given, given_of, settled, sums_of
from strategy.indicators import broken_down
from strategy.models import (
    Breakdown,
    MeasureState,
    Plan,
    ProgressEntry,
    RequestedIndicator,
    RoundSeries,
    Signal,
    Unit,
    ValueSource,
)
from strategy.queries.indicators import cells_of
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
    evidence = AttachmentField(label=_("Files"), required=False)
    address = forms.CharField(
        label=_("Address on the web"),
        required=False,
        max_length=500,
        validators=[
            URLValidator(schemes=["http", "https"], message=_("Write the whole address, with https:// or http://."))
        ],
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    address_title = forms.CharField(label=_("What is found there"), required=False, max_length=300)
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
        """`indicators` come with their `indicator` selected: what is computed has no field."""
        self.entry, self.indicators = entry, indicators
        self.typed = [one for one in indicators if one.indicator.value_source != ValueSource.COMPUTED]
        self.dimensions = {
            one.pk: broken_down(one.unit, one.disaggregation, has_two_numbers=one.has_two_numbers) for one in self.typed
        }
        said = given_of(entry)
        held = [cell for given in said.values() for cell in given.parts]
        self.cells = cells_of([each for found in self.dimensions.values() for each in found], held)
        initial = {
            "measure_state": entry.measure_state,
            "done": entry.done,
            "difficulties": entry.difficulties,
            "next_steps": entry.next_steps,
            "language": entry.language,
            "is_nil": entry.is_nil,
            "revision": entry.revision,
        }
        for pk, given in said.items():
            for name, number in (
                ("value", given.value), ("numerator", given.numerator), ("denominator", given.denominator)
            ):  # fmt: skip
                initial[f"{name}_{pk}"] = plain(number)
            initial[f"reason_{pk}"] = given.reason or ""
            initial[f"note_{pk}"] = given.parts_note
            for (name, code), (count, reason) in given.parts.items():
                initial[f"part_{pk}_{name}_{code}"] = plain(count)
                initial[f"why_{pk}_{name}_{code}"] = reason or ""
        super().__init__(data, files, initial=initial)
        choices = [("", _("there is a value")), *((str(code.pk), str(code.label)) for code in reasons)]
        short = [("", "—"), *choices[1:]]
        for indicator in self.typed:
            if indicator.has_two_numbers:
                for name in ("numerator", "denominator"):
                    self.fields[f"{name}_{indicator.pk}"] = ValueField(
                        label=str(getattr(indicator, name)) or str(indicator.name)
                    )
            else:
                self.fields[f"value_{indicator.pk}"] = self._value_field(indicator)
            self.fields[f"reason_{indicator.pk}"] = forms.ChoiceField(
                label=_("Why there is no value"), choices=choices, required=False
            )
            for dimension in self.dimensions[indicator.pk]:
                for code, label in self.cells[dimension.name]:
                    self._add_cell(f"{indicator.pk}_{dimension.name}_{code}", label, short)
            if self.dimensions[indicator.pk]:
                self.fields[f"note_{indicator.pk}"] = forms.CharField(
                    label=_("Why the parts do not make up the total"), required=False, max_length=500
                )
        self.helper = plain_helper()

    def _add_cell(self, name: str, label: str, reasons: list[tuple[str, Any]]) -> None:
        count = ValueField(label=label)
        count.widget.attrs |= {"class": "form-control form-control-sm", "aria-label": label}
        self.fields[f"part_{name}"] = count
        said = gettext("%(cell)s: why there is no value") % {"cell": label}
        self.fields[f"why_{name}"] = forms.ChoiceField(
            label=said,
            choices=reasons,
            required=False,
            widget=PlainSelect(attrs={"class": "form-select form-select-sm", "aria-label": said}),
        )

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
        both = _("Give a value or the reason why there is none, not both.")
        for indicator in self.typed:
            pk = indicator.pk
            total = f"numerator_{pk}" if indicator.has_two_numbers else f"value_{pk}"
            value, reason = cleaned.get(total), cleaned.get(f"reason_{pk}")
            if value is not None and reason:
                self.add_error(f"reason_{pk}", both)
            if indicator.has_two_numbers:
                self._check_percentage(pk, value, cleaned.get(f"denominator_{pk}"), reason)
            elif indicator.unit == Unit.PERCENT and value is not None and value > 100:
                self.add_error(total, _("A percentage lies between 0 and 100."))
            for dimension in self.dimensions[pk]:
                for code, _label in self.cells[dimension.name]:
                    name = f"{pk}_{dimension.name}_{code}"
                    if cleaned.get(f"part_{name}") is not None and cleaned.get(f"why_{name}"):
                        self.add_error(f"why_{name}", both)
            for found in sums_of(indicator, self._given(indicator)):
                if found.is_over:
                    self.add_error(
                        total,
                        _("The parts by %(breakdown)s make up %(sum)s, which is more than the total.")
                        % {"breakdown": Breakdown(found.dimension).label, "sum": figure(found.known)},
                    )
        return cleaned

    def _check_percentage(self, pk: int, top: Decimal | None, bottom: Decimal | None, reason: Any) -> None:
        if bottom is not None and reason:
            self.add_error(f"denominator_{pk}", _("Give a value or the reason why there is none, not both."))
        elif bottom == 0:
            self.add_error(
                f"denominator_{pk}", _("There is nothing to divide by: leave both empty and choose a reason.")
            )
        elif (top is None) != (bottom is None):
            missing = "numerator" if top is None else "denominator"
            if f"{missing}_{pk}" not in self.errors:
                self.add_error(f"{missing}_{pk}", _("A percentage needs both numbers."))
        elif top is not None and bottom is not None and top > bottom:
            self.add_error(f"numerator_{pk}", _("The numerator is above the denominator."))

    def _given(self, indicator: RequestedIndicator) -> Given:
        """What is said of one indicator; cells that say nothing are left out."""
        cleaned, pk = self.cleaned_data, indicator.pk
        parts: dict[tuple[str, str], tuple[Decimal | None, int | None]] = {}
        for dimension in self.dimensions[pk]:
            for code, _label in self.cells[dimension.name]:
                count = cleaned.get(f"part_{pk}_{dimension.name}_{code}")
                why = cleaned.get(f"why_{pk}_{dimension.name}_{code}")
                if count is not None or why:
                    parts[dimension.name, code] = (count, int(why) if why else None)
        reason = cleaned.get(f"reason_{pk}")
        given = Given(
            cleaned.get(f"value_{pk}"),
            int(reason) if reason else None,
            cleaned.get(f"numerator_{pk}"),
            cleaned.get(f"denominator_{pk}"),
            parts,
            cleaned.get(f"note_{pk}") or "",
        )
        return settled(indicator, given)

    def answer(self) -> Answer:
        cleaned = self.cleaned_data
        return Answer(
            language=cleaned["language"],
            measure_state=cleaned["measure_state"],
            done=cleaned["done"],
            difficulties=cleaned["difficulties"],
            next_steps=cleaned["next_steps"],
            is_nil=cleaned["is_nil"],
            values={indicator.pk: self._given(indicator) for indicator in self.typed},
        )


def plain(number: Decimal | None) -> Decimal | None:
    """Without needless zeros: 7, not 7,00."""
    return None if number is None else Decimal(f"{number.normalize():f}")


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
    due_on = day_field(
        _("Due on"),
        required=False,
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
