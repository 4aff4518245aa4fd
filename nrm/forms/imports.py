"""The file of cases that is brought in the browser, and the question that is counted."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nrm.counting.dimensions import NAMES
from nrm.counting.populations import DATE_RULES, POPULATIONS
from nrm.counting.table import Nonsense, Question
from onatc.files import refuse_what_found_no_room
from onatc.forms import day_field, plain_helper
from onatc.ids import new_id
from onatc.texts import SortKey
from stakeholders.models import Institution

MAX_BYTES = 8 * 1024 * 1024
UNITS = tuple(dict.fromkeys(unit for one in POPULATIONS.values() for unit in one.units))


class CasesFileField(forms.FileField):
    """A file that is read and not kept as it is; but for its size, what is wrong with it is said by the reading."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        refuse_what_found_no_room(file)
        if getattr(file, "was_cut_off", False) or file.size > MAX_BYTES:
            raise ValidationError(_("The file is larger than 8 MB."))
        return file


class CasesFileForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    institution = forms.ModelChoiceField(
        label=_("Institution whose file it is"),
        queryset=Institution.objects.none(),
        help_text=_("The references in the file are its own file numbers: nobody else reads them."),
    )
    file = CasesFileField(
        label=_("File of cases"),
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv"}),
        help_text=_(
            "CSV in UTF-8 with a header, one episode a row, at most 8 MB. It holds no name, birth date or document of anybody."
        ),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = Institution.objects.visible_to(user)
        self.fields["institution"].queryset = known.order_by(SortKey("name"))  # type: ignore[attr-defined]
        self.initial.setdefault("key", new_id())
        self.initial.setdefault("institution", known.filter(code="ONATC").first())
        self.helper = plain_helper()
        self.helper.layout = Layout("key", "institution", "file")


def _names(names: Any) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class QuestionForm(forms.Form):
    """The options of `manage.py statistics`, under the names that they have there."""

    population = forms.ChoiceField(label=_("Population"), choices=_names(POPULATIONS))
    start = day_field(_("From"))
    end = day_field(_("To"))
    by = forms.MultipleChoiceField(
        label=_("By"), choices=_names(NAMES), required=False, widget=forms.CheckboxSelectMultiple
    )
    rule = forms.ChoiceField(
        label=_("Date rule"), choices=[("", _("that of the population")), *_names(DATE_RULES)], required=False
    )
    unit = forms.ChoiceField(
        label=_("Unit"), choices=[("", _("that of the population")), *_names(UNITS)], required=False
    )
    as_of = day_field(_("As of"), required=False, help_text=_("What was recorded later is left out. Empty: now."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        shown = {"population": "identified", "start": today.replace(month=1, day=1), "end": today, "by": ["sex"]}
        self.initial = {**shown, **self.initial}
        self.helper = plain_helper()
        self.helper.layout = Layout("population", "start", "end", "by", "rule", "unit", "as_of")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if len(cleaned["by"]) > 4:
            raise ValidationError(gettext("Choose four dimensions at most."))
        try:
            cleaned["question"] = Question(
                cleaned["population"], cleaned["start"], cleaned["end"], tuple(cleaned["by"]), cleaned["unit"],
                cleaned["rule"], cleaned["as_of"],
            )  # fmt: skip
        except Nonsense as nonsense:
            raise ValidationError(str(nonsense)) from nonsense
        return cleaned
