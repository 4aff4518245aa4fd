"""Form parts that every app uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _


class PlainSelect(forms.Select):
    """A select drawn in one piece: Django's draws each option by a template, which costs a list page most of its time."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = {str(one) for one in self.format_value(value)}
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (code, SafeString(" selected") if str(code) in chosen else "", label)
                for code, label in self.choices
                if not isinstance(label, list | tuple)
            ),
        )
        flat = forms.utils.flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))  # type: ignore[attr-defined]
        return format_html("<select{}>{}</select>", flat, options)


class FilterForm(forms.Form):
    """Small fields at the head of a list, read from the address; `choices` are offered by the select of that name, below
    “all”."""

    def __init__(self, data: Any, **choices: Iterable[tuple[Any, Any]]) -> None:
        super().__init__(data, auto_id="filter_%s")
        for name, offered in choices.items():
            self.fields[name].choices = [("", _("all")), *offered]  # type: ignore[attr-defined]
        for field in self.fields.values():
            if not field.widget.is_hidden:
                css = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
                field.widget.attrs["class"] = css


def day_input() -> forms.DateInput:
    """The browser's calendar, which speaks ISO whatever the language of the page."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def day_field(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=day_input(), **options)


def plain_helper() -> FormHelper:
    """crispy without a <form> of its own: the page's skeleton owns the form and its buttons."""
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    return helper
