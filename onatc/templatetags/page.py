"""Filters and tags of every page; a builtin library, so templates need not load it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import template
from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from onatc.periods import Period
from onatc.texts import Text

register = template.Library()


@register.filter
def text(value: Any) -> Any:
    """A content text; one that stands in for a missing translation is marked with its language."""
    if isinstance(value, Text) and value.is_fallback:
        return format_html(
            '<span lang="{}">{}</span> <span class="lang-mark" title="{}">{}</span>',
            value.lang,
            str(value),
            gettext("Not translated yet; shown in the original language."),
            value.lang.split("-")[0],
        )
    return value


@register.filter
def quoting(sentence: str, quoted: Any) -> Any:
    """A sentence with the content text that it quotes, which is marked as by `text`."""
    if not quoted or quoted not in sentence:
        return sentence
    before, _quoted, after = sentence.partition(quoted)
    return format_html("{}{}{}", before, text(quoted), after)


@register.filter
def money(cents: int | None, sign: str = " €") -> str:
    """Euro and cents from cents, by the active language; empty when not known. A table that says "in euro" above leaves
    the sign out (`|money:""`): ten columns with it do not stand beside each other."""
    if cents is None:
        return ""
    whole = number_format(cents // 100, use_l10n=True, force_grouping=True)
    separator = "." if get_language() == "en" else ","
    return f"{whole}{separator}{cents % 100:02d}{sign}"


@register.filter
def figure(value: Any, unit: str = "") -> str:
    """A number without needless zeros, with its unit; a dash is never used for zero."""
    if value is None or value == "":
        return ""
    if unit == "yes_no":
        return gettext("yes") if value else gettext("no")
    shown = number_format(
        value.normalize() if hasattr(value, "normalize") else value, use_l10n=True, force_grouping=True
    )
    if "E" in shown:
        shown = number_format(int(value), use_l10n=True, force_grouping=True)
    if unit == "percent":
        return gettext("%(number)s %%") % {"number": shown}
    if unit == "days":
        return gettext("%(number)s days") % {"number": shown}
    return shown


@register.filter
def period(value: Any) -> str:
    return value.title if isinstance(value, Period) else str(value)


@register.simple_tag(takes_context=True)
def sort_link(context: template.Context, key: str, label: str) -> SafeString:
    """A column heading that sorts by `key`, and the other way round at the second press; says how it is sorted now."""
    query: QueryDict = context["request"].GET.copy()
    current = query.get("sort", "")
    descending = current == key
    query["sort"] = f"-{key}" if descending else key
    query.pop("page", None)
    arrow = {key: "▲", f"-{key}": "▼"}.get(current, "")
    return format_html(
        '<a href="?{}" class="sort">{} <span aria-hidden="true">{}</span></a>', query.urlencode(), label, arrow
    )


@register.simple_tag
def number_cells(cells: Iterable[Any]) -> SafeString:
    """Table cells of numbers, each a link to the list behind it (`number`, `url`); zero is written, and leads nowhere."""
    return format_html_join(
        "",
        '<td class="num">{}</td>',
        (
            (format_html('<a href="{}">{}</a>', cell.url, cell.number),)
            if cell.number
            else (SafeString('<span class="zero">0</span>'),)
            for cell in cells
        ),
    )


@register.simple_tag
def days_until(day: date, today: date) -> int:
    return (day - today).days
