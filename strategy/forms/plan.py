from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.files import refuse_what_found_no_room
from onatc.forms import day_field, plain_helper
from onatc.texts import SortKey
from stakeholders.models import Institution
from strategy.excel import MAX_BYTES
from strategy.models import Plan
from strategy.queries.plan import current_plan


class SpreadsheetField(forms.FileField):
    """A file that is read and not kept; but for its size, what is wrong with it is said by the reading."""

    def __init__(self, *, accept: str, **kwargs: Any) -> None:
        widget = forms.ClearableFileInput(attrs={"accept": accept})
        super().__init__(allow_empty_file=True, widget=widget, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        refuse_what_found_no_room(file)
        if getattr(file, "was_cut_off", False) or file.size > MAX_BYTES:
            raise ValidationError(_("The file is larger than 8 MB."))
        return file


class ImportForm(forms.Form):
    plan = forms.ModelChoiceField(
        label=_("Action plan"),
        queryset=Plan.objects.none(),
        required=False,
        empty_label=_("a new plan"),
        help_text=_("The file is compared with the newest version of this plan."),
    )
    file = SpreadsheetField(
        label=_("File"),
        help_text=_(
            "The workbook of a plan (.xlsx), or a table with one measure a row, as .csv in UTF-8 or as .xlsx; at most 8 MB."
        ),
        accept=".csv,.xlsx",
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans = Plan.objects.visible_to(user)
        self.fields["plan"].queryset = plans  # type: ignore[attr-defined]
        self.initial.setdefault("plan", current_plan(user))
        self.helper = plain_helper()
        self.helper.layout = Layout("plan", "file")


class AdoptionForm(forms.Form):
    adopted_by = forms.ModelChoiceField(
        label=_("Deciding body"), queryset=Institution.objects.none(), help_text=_("Who adopted the plan.")
    )
    adopted_on = day_field(_("Date of the decision"))
    decision_reference = forms.CharField(
        label=_("Number of the decision"),
        max_length=60,
        help_text=_("As it stands on the decision, for example 04/2026."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        institutions = Institution.objects.visible_to(user).existing_on(timezone.localdate())
        self.fields["adopted_by"].queryset = institutions.order_by(SortKey("name"))  # type: ignore[attr-defined]
        self.helper = plain_helper()
