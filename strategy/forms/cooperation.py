"""The form that links an action point with measures."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from onatc.forms import plain_helper
from strategy.forms.measures_field import MeasuresField


class LinkForm(forms.Form):
    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        self.fields["measures"] = MeasuresField(user=user, label=_("Measures"))
        self.fields["measures"].required = True
        self.helper = plain_helper()
