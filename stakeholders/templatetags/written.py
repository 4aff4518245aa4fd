"""Texts that were written once, in one language."""

from __future__ import annotations

from django import template

from onatc.texts import HTML_CODES, Text, column_of, language_column

register = template.Library()


@register.filter
def written_in(value: str, language: str) -> Text:
    """The text with its language, for `|text`, which marks it where the reader's language is another one."""
    column = column_of(language)
    return Text(value, HTML_CODES[column], column != language_column())
