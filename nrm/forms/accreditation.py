"""Forms of accreditations, inspections and what has to be put right."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm.forms.careful import CarefulForm
from nrm.forms.services import KeyedForm, RevisedForm, offered
from nrm.models import STANDARDS, Found
from onatc.forms import day_field
from onatc.texts import SortKey
from stakeholders.models import Institution

NOT_LOOKED_AT = gettext_lazy("not looked at")


class InstitutionKeyedForm(KeyedForm):
    """A keyed form with one institution; `institution_field` is its name."""

    institution_field = ""

    def __init__(self, data: Any = None, *, user: Any, initial: Any = None) -> None:
        self.user = user
        super().__init__(data, initial=initial)

    def begin(self) -> None:
        field: Any = self.fields[self.institution_field]
        field.queryset = Institution.objects.visible_to(self.user).order_by(SortKey("name"))


class AccreditationForm(InstitutionKeyedForm):
    number = forms.CharField(label=gettext_lazy("Number"), max_length=60)
    given_by = forms.ModelChoiceField(Institution.objects.none(), label=gettext_lazy("Given by"))
    decision = forms.CharField(
        label=gettext_lazy("Decision"),
        max_length=200,
        help_text=gettext_lazy("Its number and date, or where it stands."),
    )
    valid_from = day_field(gettext_lazy("Valid from"))
    valid_until = day_field(gettext_lazy("Valid until"), help_text=gettext_lazy("The last day on which it holds."))
    institution_field = "given_by"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        begins, ends = cleaned.get("valid_from"), cleaned.get("valid_until")
        if begins and ends and ends < begins:
            self.add_error("valid_until", _("The end must not lie before the start."))
        self.not_dissolved("given_by", begins)
        return cleaned


class WithdrawForm(RevisedForm):
    withdrawn_on = day_field(gettext_lazy("Withdrawn on"), help_text=gettext_lazy("From this day on it holds no more."))
    reason = forms.CharField(
        label=gettext_lazy("Why it was withdrawn"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class InspectionForm(InstitutionKeyedForm):
    """A field for each standard of the list, named `standard_<code>`."""

    on = day_field(gettext_lazy("Inspected on"))
    inspected_by = forms.ModelChoiceField(Institution.objects.none(), label=gettext_lazy("Inspected by"))
    findings = forms.CharField(
        label=gettext_lazy("Findings"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("No names of people, no address of a shelter."),
    )  # fmt: skip
    language = forms.ChoiceField(label=gettext_lazy("Language of the text"), choices=settings.LANGUAGES)
    institution_field = "inspected_by"
    past = ("on",)

    def begin(self) -> None:
        super().begin()
        self.initial.setdefault("on", timezone.localdate())
        self.initial.setdefault("language", self.user.language)
        self.standards = offered(STANDARDS)
        for code, label in self.standards:
            self.fields[f"standard_{code}"] = forms.ChoiceField(
                label=label, required=False, choices=[("", NOT_LOOKED_AT), *Found.choices]
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.found_of_standards = {
            code: cleaned[f"standard_{code}"] for code, _label in self.standards if cleaned.get(f"standard_{code}")
        }
        self.not_dissolved("inspected_by", cleaned.get("on"))
        return cleaned


class CorrectiveForm(KeyedForm):
    text = forms.CharField(
        label=gettext_lazy("What has to be put right"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    due_on = day_field(gettext_lazy("Due on"))


class CorrectiveDoneForm(CarefulForm):
    done_on = day_field(gettext_lazy("Done on"))
    note = forms.CharField(label=gettext_lazy("How it is known"), max_length=500, required=False)
    past = ("done_on",)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"done_on": timezone.localdate()})
        self._finish()
