"""Rows of measures, drawn in one piece: a list page has fifty of them and is opened most."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import template
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from onatc.templatetags.page import text
from strategy.models import EntryState, Finding, MeasureState, ProgressEntry, Signal
from strategy.queries.progress import MISSING, NIL, OVERDUE, OWED, text_of
from strategy.signal import reason_text

register = template.Library()

SHAPE = "00000000-0000-0000-0000-000000000000"


@register.simple_tag
def signal_label(code: str) -> str:
    return str(dict(Signal.choices).get(code, code))


@register.simple_tag
def signal_reason(signal: Any) -> str:
    return reason_text(signal.reason, {k: v for k, v in signal.reason_values.items() if k != "computed"})


@register.simple_tag
def entry_text(entry: ProgressEntry, name: str) -> Any:
    """What an entry says, in the reader's language or, marked, in its own."""
    return text_of(entry, name)


@register.simple_tag
def finding_pill(finding: str) -> SafeString:
    """What a check found, as a pill; nothing where there was no check."""
    if not finding:
        return SafeString("")
    shape = {Finding.VERIFIED: "verified", Finding.PARTLY: "at_risk", Finding.NOT: "late"}[Finding(finding)]
    return format_html('<span class="pill pill-{}">{}</span>', shape, Finding(finding).label)


@register.simple_tag
def checked_mark(row: Any) -> SafeString:
    """Of a measure annotated with `finding`, `said_state`, `found_state`: what was found, and the two states side by side
    where they differ."""
    finding = getattr(row, "finding", "")
    if not finding:
        return SafeString("")
    text = str(Finding(finding).label)
    if row.found_state:
        text = gettext("reported: %(said)s; found: %(found)s") % {
            "said": MeasureState(row.said_state).label,
            "found": MeasureState(row.found_state).label,
        }
    return format_html('<br><span class="muted">{}</span>', text)


@register.simple_tag
def measure_rows(measures: Iterable[Any], today: date) -> SafeString:
    """Table rows of measures annotated with signal, share and finding (strategy.filters)."""
    address = reverse("strategy:measure-detail", args=[SHAPE])
    labels = {code: str(label) for code, label in Signal.choices}
    overridden = gettext("overridden by the office")

    def cells() -> Iterable[tuple[Any, ...]]:
        for row in measures:
            link = address.replace(SHAPE, str(row.pk))
            mark = format_html(' <abbr title="{}">*</abbr>', overridden) if row.is_overridden else ""
            signal: Any = ""
            if row.signal:
                signal = format_html(
                    '<span class="pill pill-{}">{}</span>{}{}', row.signal, labels[row.signal], mark, checked_mark(row)
                )
            achieved = "" if row.achieved_pct is None else f"{number_format(row.achieved_pct, 1)}\u00a0%"
            yield (
                link,
                row.code,
                link,
                text(row.title),
                text(row.lead.name),
                date_format(row.ends_on, "SHORT_DATE_FORMAT"),
                signal,
                achieved,
            )

    return format_html_join(
        "\n",
        '<tr><th scope="row"><a href="{}">{}</a></th><td><a href="{}">{}</a></td><td>{}</td>'
        '<td class="nowrap">{}</td><td>{}</td><td class="num">{}</td></tr>',
        cells(),
    )


@register.simple_tag
def owed_pill(state: str) -> SafeString:
    """How the answer to a request stands: an entry's state, or what is owed, overdue, missing or signed as nil."""
    labels = {
        OWED: gettext("to report"),
        OVERDUE: gettext("overdue"),
        MISSING: gettext("missing"),
        NIL: gettext("nothing to report"),
    }
    return format_html('<span class="pill pill-{}">{}</span>', state, labels.get(state) or EntryState(state).label)
