"""The filter of a register: the counts on top, the rows below and the file to save come from this one object."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.utils.translation import gettext_lazy as _

from onatc.forms import PlainSelect
from onatc.texts import Folded, SortKey

MAX_LENGTH = 200


def standing_in(records: QuerySet[Any], path: str, kind: QuerySet[Any]) -> QuerySet[Any]:
    """Those of `kind` to which one of the records leads by `path`. Where all records count, each is looked for on its own and
    the looking ends with the first record, so that it costs as much as there are of `kind`: a few, however many records
    there are. Where a reader sees some of them, they are read once: looking for what is not among them would read all."""
    if records.query.where:
        return kind.filter(pk__in=records.order_by().values(path))
    first = records.order_by().filter(**{path: OuterRef("pk")}).values(path)[:1]
    return kind.alias(first_of=Subquery(first)).filter(first_of__isnull=False)


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
    field, or to `SortKey` fields written "~name". `searched` are lookups for the words; a record of which there are very
    many keeps what is searched in a column of its own, folded (`onatc.texts.Folded`): `kept` is its name.
    """

    def __init__(
        self,
        data: Any,
        records: QuerySet[Any],
        *,
        selects: dict[str, tuple[Any, list[tuple[Any, Any]]]],
        narrow: dict[str, Any],
        counted: str,
        searched: tuple[str, ...] = (),
        kept: str = "",
        sorts: dict[str, str],
        usual: str,
    ) -> None:
        self.form = RegisterForm(data, selects, counted)
        self.form.is_valid()
        self.chosen: dict[str, Any] = self.form.cleaned_data
        self.sorts, self.usual, self.counted = sorts, usual, counted
        if words := (self.chosen.get("q") or "").strip():
            found = Q(**{f"{kept}__contains": Folded(Value(words))}) if kept else Q()
            for lookup in searched:
                found |= Q(**{f"{lookup}__unaccent__icontains": words})
            records = records.filter(found)
        for name in selects:
            if name != counted and (value := self.chosen.get(name)):
                records = records.filter(self._asked(narrow[name], value))
        labels = {str(code): label for code, label in selects[counted][1]}
        numbers: dict[str, int] = {
            str(code): number
            for code, number in records.order_by().values_list(counted).annotate(rows_of_value=Count("*"))
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
        # Where nothing is empty, the order is said as an index has it.
        last = True if self._may_be_empty(field) else None
        ordered = expression.desc(nulls_last=last) if key.startswith("-") else expression.asc(nulls_last=last)
        return self.rows.order_by(ordered, "pk")

    def _may_be_empty(self, field: str) -> bool:
        try:
            return bool(getattr(self.rows.model._meta.get_field(field), "null", True))
        except FieldDoesNotExist:  # an annotation, or a field of another record
            return True

    def keys(self) -> QuerySet[Any, Any]:
        """The keys of the records in order. A list of very many is paged by them, and reads whole records, with those they
        belong to, for the one page that is shown."""
        return self.ordered().values_list("pk", flat=True)
