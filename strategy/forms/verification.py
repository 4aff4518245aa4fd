"""Forms of the check of an accepted entry, and of choosing what is checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.forms import plain_helper
from onatc.templatetags.page import figure
from strategy.actions.progress import Check
from strategy.forms.progress import REPORTED_STATES, ValueField
from strategy.models import Finding, ProgressEntry, ProgressValue, Unit


class FindingForm(forms.Form):
    """Built for one entry: beside each reported value there is room for the one that was found."""

    finding = forms.ChoiceField(label=_("What was found"), choices=Finding.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=_("In words"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("On which evidence, and what is otherwise than reported. Needed unless everything was verified."),
    )
    measure_state = forms.ChoiceField(
        label=_("State of the measure as found"), required=False, choices=[("", _("as reported")), *REPORTED_STATES]
    )

    def __init__(self, data: Any, *, entry: ProgressEntry) -> None:
        super().__init__(data)
        self.entry = entry
        self.reported: list[ProgressValue] = list(entry.values.all())
        for value in self.reported:
            said = figure(value.value, value.requested.unit) if value.value is not None else gettext("no value")
            label, help_text = (
                str(value.requested.name),
                gettext("Reported: %(value)s. Empty: as reported.") % {"value": said},
            )
            field: forms.Field = ValueField(label=label, help_text=help_text)
            if value.requested.unit == Unit.YES_NO:
                field = forms.TypedChoiceField(
                    label=label,
                    help_text=help_text,
                    choices=[("", _("as reported")), ("1", _("yes")), ("0", _("no"))],
                    coerce=Decimal,
                    empty_value=None,
                    required=False,
                )
            self.fields[f"value_{value.requested_id}"] = field
        self.helper = plain_helper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for value in self.reported:
            name = f"value_{value.requested_id}"
            found = cleaned.get(name)
            if value.requested.unit == Unit.PERCENT and found is not None and found > 100:
                self.add_error(name, _("A percentage lies between 0 and 100."))
        finding = cleaned.get("finding")
        if finding and finding != Finding.VERIFIED and not (cleaned.get("text") or "").strip():
            self.add_error("text", _("Say what was found."))
        return cleaned

    def check(self) -> Check:
        cleaned = self.cleaned_data
        values = {
            value.requested_id: cleaned[f"value_{value.requested_id}"]
            for value in self.reported
            if cleaned.get(f"value_{value.requested_id}") is not None
        }
        return Check(cleaned["finding"], cleaned["text"], cleaned["measure_state"], values)


class SampleForm(forms.Form):
    note = forms.CharField(
        label=_("Why it should be checked"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()
