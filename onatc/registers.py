"""The filter of a register: the counts on top, the rows below and the file to save come from this one object."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from onatc.forms import PlainSelect
from onatc.texts import SortKey

MAX_LENGTH = 200


class RegisterForm(forms.Form):
    """`selects` are name → (label, choices); `counted` is the name of the one whose values stand as counts on top."""

    q = forms.CharField(label=_("Words"), max_length=MAX_LENGTH, required=False)

    def __init__(self, data: Any, selects: dict[str, tuple[Any, list[tuple[Any, Any]]]], counted: str) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["q"].widget.attrs["class"] = "form-control"
        for name, (label, choices) in selects.items():
            field = forms.ChoiceField(
                label=label, required=False, widget=PlainSelect, choices=[("", _("all")), *choices]
            )
            field.widget.attrs["class"] = "form-select"
            if name == counted:
                field.widget = forms.HiddenInput()
            self.fields[name] = field
        self.fields["sort"] = forms.CharField(widget=forms.HiddenInput, required=False, max_length=30)


class RegisterFilter:
    """Reads the address's query; what is not understood filters nothing, and says so.

    `narrow` maps a name to the lookup that it asks, or to a function (value) → Q. `sorts` maps a key of the address to a
    field, or to `SortKey` fields written "~name". `searched` are lookups for the words.
    """

    def __init__(
        self,
        data: Any,
        records: QuerySet[Any],
        *,
        selects: dict[str, tuple[Any, list[tuple[Any, Any]]]],
        narrow: dict[str, Any],
        counted: str,
        searched: tuple[str, ...],
        sorts: dict[str, str],
        usual: str,
    ) -> None:
        self.form = RegisterForm(data, selects, counted)
        self.form.is_valid()
        self.chosen: dict[str, Any] = self.form.cleaned_data
        self.sorts, self.usual, self.counted = sorts, usual, counted
        if words := (self.chosen.get("q") or "").strip():
            found = Q()
            for lookup in searched:
                found |= Q(**{f"{lookup}__unaccent__icontains": words})
            records = records.filter(found)
        for name in selects:
            if name != counted and (value := self.chosen.get(name)):
                records = records.filter(self._asked(narrow[name], value))
        labels = {str(code): label for code, label in selects[counted][1]}
        numbers: dict[str, int] = {
            str(code): number for code, number in records.order_by().values_list(counted).annotate(Count("pk"))
        }
        self.counts = [(code, label, numbers[code]) for code, label in labels.items() if numbers.get(code)]
        self.total = sum(numbers.values())
        value = self.chosen.get(counted)
        self.rows = records.filter(self._asked(narrow[counted], value)) if value else records
        self.count = numbers.get(value, 0) if value else self.total

    @staticmethod
    def _asked(asked: Any, value: str) -> Q:
        return asked(value) if callable(asked) else Q(**{asked: value})

    @property
    def is_narrowed(self) -> bool:
        return any(value for name, value in self.chosen.items() if name != "sort")

    def ordered(self) -> QuerySet[Any]:
        """In the order that the address asks for; an unknown key sorts as usual."""
        key = self.chosen.get("sort") or self.usual
        if key.removeprefix("-") not in self.sorts:
            key = self.usual
        field = self.sorts[key.removeprefix("-")]
        expression: Any = SortKey(field[1:]) if field.startswith("~") else F(field)
        ordered = expression.desc(nulls_last=True) if key.startswith("-") else expression.asc(nulls_last=True)
        return self.rows.order_by(ordered, "pk")
