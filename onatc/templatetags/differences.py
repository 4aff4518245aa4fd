"""One wording beside another, readable without colour and by ear."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from onatc.wording import Kind
from onatc.wording import difference as words_of

register = template.Library()

HEARD = '<span class="visually-hidden">{begins} </span>{text}<span class="visually-hidden"> {ends}. </span>'
MARKED = {Kind.GONE: f"<del>{HEARD}</del>", Kind.NEW: f"<ins>{HEARD}</ins>"}


@register.simple_tag
def difference(before: str, after: str, lang: str = "") -> SafeString:
    """What goes is struck out and in brackets for the ear, what comes is underlined; a reader of screens hears both."""
    said = {
        Kind.GONE: (gettext("taken out:"), gettext("end of what is taken out")),
        Kind.NEW: (gettext("added:"), gettext("end of what is added")),
    }

    def pieces() -> Any:
        for piece in words_of(before, after):
            if piece.kind == Kind.SAME:
                yield (format_html("{}", piece.text),)
                continue
            begins, ends = said[piece.kind]
            yield (format_html(MARKED[piece.kind], begins=begins, text=piece.text, ends=ends),)

    language = format_html(' lang="{}"', {"sr-latn": "sr-Latn"}.get(lang, lang)) if lang else ""
    return format_html('<span class="difference prewrap"{}>{}</span>', language, format_html_join("", "{}", pieces()))
