"""The forms of what happens to a measure in force."""

from __future__ import annotations

from typing import Any

from crispy_forms.bootstrap import InlineRadios
from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from onatc.files import AttachmentField
from onatc.forms import day_field, plain_helper
from onatc.money import MoneyField
from strategy.models import RightsOutcome
from strategy.rights import ANSWERS, QUESTIONS


class PlainForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()


class ReachedForm(PlainForm):
    reached_on = day_field(_("Reached on"))
    note = forms.CharField(
        label=_("Note"),
        max_length=500,
        required=False,
        help_text=_("What shows it, for example the number of a decision."),
    )


class TakeBackForm(PlainForm):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class ExecutionForm(PlainForm):
    as_of = day_field(_("As of"), help_text=_("Up to and with this day."))
    committed_cents = MoneyField(
        label=_("Committed, in euro"), help_text=_("By contract or decision, since the start of the line.")
    )
    spent_cents = MoneyField(label=_("Spent, in euro"), help_text=_("Paid of it, since the start of the line."))
    note = forms.CharField(label=_("Note"), max_length=500, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        committed, spent = cleaned.get("committed_cents"), cleaned.get("spent_cents")
        if committed is not None and spent is not None and spent > committed:
            self.add_error("spent_cents", _("More is spent than was committed."))
        return cleaned


class DocumentForm(PlainForm):
    title = forms.CharField(label=_("Title"), max_length=300)
    file = AttachmentField(label=_("File"))


class RightsForm(PlainForm):
    """One choice for each question, the outcome, and the remarks on which it rests."""

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in QUESTIONS:
            self.fields[f"answer_{question.key}"] = forms.ChoiceField(
                label=format_lazy("{}: {}", question.topic, question.text), choices=ANSWERS, widget=forms.RadioSelect
            )
        self.helper.layout = Layout(
            *(InlineRadios(f"answer_{question.key}") for question in QUESTIONS),
            "outcome", "remarks", "language", "assessed_on",
        )  # fmt: skip
        self.fields["outcome"] = forms.ChoiceField(
            label=_("Outcome"), choices=[("", "---------"), *RightsOutcome.choices]
        )
        self.fields["remarks"] = forms.CharField(
            label=_("Remarks"),
            max_length=2000,
            required=False,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_(
                "Required unless the measure is in line: the conditions, or what is not in line. No names of people."
            ),
        )
        self.fields["language"] = forms.ChoiceField(
            label=_("Language of the text"), choices=settings.LANGUAGES, initial=language
        )
        self.fields["assessed_on"] = day_field(_("Assessed on"), initial=timezone.localdate)

    def answers(self) -> dict[str, str]:
        return {question.key: self.cleaned_data[f"answer_{question.key}"] for question in QUESTIONS}

    def rest(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("outcome", "remarks", "language", "assessed_on")}
