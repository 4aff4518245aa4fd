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
from strategy.models import EntryState, Finding, MeasureState, ProgressEntry, SavedFilter, Signal
from strategy.queries.progress import MISSING, NIL, OVERDUE, OWED, WAIVED, text_of
from strategy.queries.submissions import Cell
from strategy.signal import reason_text

register = template.Library()

SHAPE = "00000000-0000-0000-0000-000000000000"


@register.simple_tag
def signal_label(code: str) -> str:
    return str(dict(Signal.choices).get(code, code))


@register.simple_tag
def state_label(code: str) -> str:
    return str(dict(MeasureState.choices).get(code, code))


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

    # The heads once more, for the narrow screen where a row becomes a card (theme.css, "stacked").
    heads = [gettext("Lead institution"), gettext("Deadline"), gettext("Signal"), gettext("Achieved")]
    row_of = format_html(
        '<tr><th scope="row"><a href="{{}}">{{}}</a></th><td><a href="{{}}">{{}}</a></td><td data-label="{}">{{}}</td>'
        '<td class="nowrap" data-label="{}">{{}}</td><td data-label="{}">{{}}</td><td class="num" data-label="{}">{{}}</td></tr>',
        *heads,
    )
    return format_html_join("\n", row_of, cells())


@register.simple_tag
def owed_pill(state: str) -> SafeString:
    """How the answer to a request stands: an entry's state, or what is owed, overdue, missing or signed as nil."""
    labels = {
        OWED: gettext("to report"),
        OVERDUE: gettext("overdue"),
        MISSING: gettext("missing"),
        NIL: gettext("nothing to report"),
        WAIVED: gettext("no longer asked for"),
    }
    return format_html('<span class="pill pill-{}">{}</span>', state, labels.get(state) or EntryState(state).label)


@register.simple_tag(takes_context=True)
def saved_filters(context: template.Context, page: str) -> list[SavedFilter]:
    """The filters of a page that the reader keeps or that are shared with the reader, own ones first."""
    user = context["request"].user
    found = SavedFilter.objects.visible_to(user).filter(page=page).select_related("owner")
    return sorted(found.order_by("name", "pk")[:200], key=lambda one: one.owner_id != user.pk)


@register.simple_tag
def submission_cell(cell: Cell) -> SafeString:
    """Handed in of owed, with a shape and a word; a link to the round, narrowed to the institution."""
    if cell.state == "none":
        return format_html('<span class="muted">{}</span>', gettext("not asked"))
    said = {
        "complete": gettext("on time"),
        "late": gettext("%(number)d late") % {"number": cell.later},
        "owed": gettext("%(number)d to come") % {"number": cell.missing},
        "missing": gettext("%(number)d missing") % {"number": cell.missing},
    }[cell.state]
    if cell.missing and cell.later:
        said = f"{said}; {gettext('%(number)d late') % {'number': cell.later}}"
    pill = {"complete": "accepted", "late": "returned"}.get(cell.state, cell.state)
    number = gettext("%(came)d of %(owed)d") % {"came": cell.handed_in, "owed": cell.owed}
    if cell.url:
        number = format_html('<a href="{}">{}</a>', cell.url, number)
    return format_html('{}<br><span class="pill pill-{}">{}</span>', number, pill, said)


@register.simple_tag
def owed_rounds(owed: Iterable[Any]) -> list[tuple[Any, Any]]:
    """The open rounds, with the institution that owes something in each, of what `owed_by` found."""
    found = {(one.request.round_id, one.request.institution_id): one.request for one in owed if one.request.is_open}
    return [(request.round, request.institution) for request in found.values()]


@register.filter
def late_pill(entry: ProgressEntry | None) -> SafeString:
    """Says of an entry that it came after the day by which it was owed."""
    if entry is None or not entry.is_late:
        return SafeString("")
    return format_html(' <span class="pill pill-late">{}</span>', gettext("submitted late"))
