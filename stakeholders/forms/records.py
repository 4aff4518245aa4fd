"""Forms on records that are made once and changed knowingly (stakeholders.actions.records), and the head of their lists."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onatc.forms import day_input, plain_helper
from onatc.help import looks_personal
from onatc.ids import new_id
from onatc.texts import SortKey, language_column
from stakeholders.models import Institution

NO_PERSON = gettext_lazy("I have checked: this does not point to a person.")


def web_address_field(label: Any) -> forms.URLField:
    return forms.URLField(
        label=label,
        max_length=300,
        required=False,
        assume_scheme="https",
        help_text=gettext_lazy("A public address, beginning with https://."),
    )


class CarefulForm(forms.Form):
    """What was typed and looks like a number or an address of a person is pointed out before it is saved: it is taken out,
    or whoever writes confirms that it does not point to a person.

    `past` are days that cannot lie in the future.
    """

    past: tuple[str, ...] = ()

    def _finish(self) -> None:
        """After the fields stand: the question, asked only when there is something to check; helper and layout."""
        self.found = {name: found for name in self.fields if (found := self._looks_personal(name))}
        if self.found:
            self.fields["is_checked"] = forms.BooleanField(label=NO_PERSON, required=False)
        self.helper = plain_helper()

    def _looks_personal(self, name: str) -> list[str]:
        field = self.fields[name]
        if not self.is_bound or type(field) is not forms.CharField:
            return []
        return looks_personal(str(self.data.get(self.add_prefix(name), ""))[: field.max_length])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.found and not cleaned.get("is_checked"):
            for name, found in self.found.items():
                self.add_error(name, self._says(name) % {"found": ", ".join(found)})
        for name in self.past:
            if cleaned.get(name) is not None and cleaned[name] > timezone.localdate():
                self.add_error(name, _("This day lies in the future."))
        return cleaned

    def _says(self, name: str) -> str:
        """The sentence about what was `found` in a field."""
        return _(
            "This looks like data of a person: %(found)s. Take it out, or confirm below that it does not point to one."
        )

    def said(self, *names: str) -> dict[str, Any]:
        """What was typed in these fields, by their names: the arguments of an act."""
        return {name: self.cleaned_data[name] for name in names}

    def not_dissolved(self, name: str, on: Any) -> None:
        """An institution that was dissolved before the day is refused at its field."""
        institution = self.cleaned_data.get(name)
        if institution is not None and on is not None and institution.dissolved_on and institution.dissolved_on < on:
            self.add_error(
                name,
                _("%(institution)s was dissolved on %(day)s.")
                % {"institution": institution, "day": date_format(institution.dissolved_on, "DATE_FORMAT")},
            )


class KeptForm(CarefulForm, forms.ModelForm):  # type: ignore[type-arg]
    """A form on a new record, with the key that it will have, or on one that is there, with its revision.

    `groups` are headings with the fields below them; what stands in none comes first. `places` says at which field the
    sentence of a constraint stands, whether the form found it or the database did a moment later; that a title or a text
    is there in no language stands at its field in the language of the page.
    """

    key = forms.UUIDField(widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    groups: tuple[tuple[Promise, tuple[str, ...]], ...] = ()
    places: dict[str, str] = {}

    def __init__(self, data: Any = None, files: Any = None, *, user: Any, instance: Any = None, **kwargs: Any) -> None:
        super().__init__(data, files, instance=instance, **kwargs)
        self.user = user
        self.is_new = self.instance._state.adding
        self.initial.update({"key": new_id()} if self.is_new else {"revision": self.instance.revision})
        del self.fields["revision" if self.is_new else "key"]
        for field in self.fields.values():
            if isinstance(field, forms.DateField):
                field.widget = day_input()
            elif isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = 4
            elif isinstance(field, forms.ModelChoiceField) and getattr(field.queryset, "model", None) is Institution:
                # All of them: what was dissolved may have asked, or paid, before; the day decides.
                field.queryset = Institution.objects.visible_to(user).order_by(SortKey("name"))
        self.arrange()
        self._finish()
        grouped = [name for _title, names in self.groups for name in names]
        self.helper.layout = Layout(
            *(name for name in self.fields if name not in grouped and name != "is_checked"),
            *(Fieldset(title, *(name for name in names if name in self.fields)) for title, names in self.groups),
            *(["is_checked"] if self.found else []),
        )

    def arrange(self) -> None:
        """What a form changes about its fields before they are laid out."""

    def _post_clean(self) -> None:
        """A form that is sent a second time is measured against other records, not against the one that it made."""
        key = self.cleaned_data.get("key")
        model = type(self.instance)
        if key is None or not model._default_manager.filter(pk=key).exists():
            super()._post_clean()  # type: ignore[misc]
            return
        self.instance.pk, self.instance._state.adding = key, False
        super()._post_clean()  # type: ignore[misc]
        self.instance._state.adding = True

    def _place(self, constraint: str) -> str | None:
        stem = next((stem for stem in ("title", "text") if constraint.endswith(f"_has_a_{stem}")), None)
        if constraint in self.places or stem is None:
            return self.places.get(constraint)
        name = f"{stem}_{language_column()}"
        return name if name in self.fields else None

    def add_error(self, field: str | None, error: Any) -> None:
        if field is None:
            sentences = {
                str(one.get_violation_error_message()): place
                for one in self.instance._meta.constraints
                if (place := self._place(one.name)) is not None
            }
            found = error if isinstance(error, ValidationError) else ValidationError(error)
            by_field = found.error_dict if hasattr(found, "error_dict") else {NON_FIELD_ERRORS: found.error_list}
            for sentence in ValidationError(by_field.pop(NON_FIELD_ERRORS, [])).messages:
                super().add_error(sentences.get(sentence), sentence)
            for name, errors in by_field.items():
                super().add_error(name, errors)
            return
        super().add_error(field, error)

    def values(self) -> dict[str, Any]:
        """What was typed, by the record's fields."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or () if name in self.cleaned_data}
