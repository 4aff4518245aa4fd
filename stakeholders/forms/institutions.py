from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onatc.forms import FilterForm, PlainSelect, day_field, plain_helper
from stakeholders.models import InstitutionKind


class InstitutionFilterForm(FilterForm):
    q = forms.CharField(label=_("Name or code"), max_length=100, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, widget=PlainSelect, choices=[("", _("all")), *InstitutionKind.choices]
    )


class RenameForm(forms.Form):
    name_sq = forms.CharField(label=_("Name in Albanian"), max_length=200)
    name_sr = forms.CharField(label=_("Name in Serbian"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    short = forms.CharField(label=_("Short name"), max_length=40)
    since = day_field(
        _("In force since"),
        help_text=_("Records from before this day go on showing the old name."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = plain_helper()
