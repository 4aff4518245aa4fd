"""Charts drawn on the server as SVG, each with the table of its numbers.

The drawing uses attributes and no inline style, so it stands in a page under the Content-Security-Policy and prints
unchanged in a PDF. Its `<title>` is the alternative text, `<desc>` the numbers.
Nothing rests on colour alone: values are written into or beside the bars, and the table holds them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from onatc.periods import Period

Number = int | float | Decimal

# Colours stand in the drawing itself: a PDF applies no stylesheet to an inline SVG, a page allows no inline style.
FILLS = {
    "completed": "#1d6b3a",
    "on_time": "#5b93c9",
    "at_risk": "#f0b64a",
    "late": "#a3221c",
    "no_news": "#b8c1ca",
    "not_started": "#e3e8ed",
    "dropped": "#6b7783",
    "1": "#12365c",
    "2": "#5b93c9",
    "3": "#a8741a",
    "4": "#b8c1ca",
}
INK, MUTED, LINE = "#1b2733", "#53616f", "#e3e8ed"
WIDTH, NARROW = 720, 340  # of a page, of a telephone
LABEL_WIDTH = 210
MAX_ROWS = 60


@dataclass(frozen=True)
class Series:
    """One colour: `css` is a key of FILLS; `dark` when white text is legible on it."""

    label: str
    values: Sequence[Number | None]
    css: str
    dark: bool = False


@dataclass(frozen=True)
class Table:
    head: list[str]
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Chart:
    title: str
    unit: str
    svg: SafeString
    table: Table
    narrow: SafeString | None = None  # the same for a telephone, where there is one


def stacked_bars(
    title: str, unit: str, categories: Sequence[str], series: Sequence[Series], *, head: str = ""
) -> Chart:
    """Horizontal bars, one for each category, split by series. Categories beyond 60 stand in the table only. On a telephone
    the name of a category stands above its bar."""
    table = Table(
        [head, *(one.label for one in series)],
        [[str(name), *(_shown(one, index) for one in series)] for index, name in enumerate(categories)],
    )
    shown = list(categories[:MAX_ROWS])
    wide, narrow = (
        _bars(title, table, shown, series, width, left) for width, left in ((WIDTH, LABEL_WIDTH), (NARROW, 0))
    )
    return Chart(title, unit, wide, table, narrow)


def _bars(
    title: str, table: Table, shown: Sequence[str], series: Sequence[Series], whole: int, left: int
) -> SafeString:
    """The drawing, `whole` wide; its bars begin at `left`, with their names before them, or above them when that is 0."""
    totals = [sum(_of(one, index) for one in series) for index in range(len(shown))]
    longest = max(totals, default=0) or 1
    beside = max(40, 12 + 7 * max((len(_figure(total)) for total in totals), default=0))
    legend_rows, legend = _legend(series, whole)
    top, step, height, down = 26 * legend_rows + 8, 26 if left else 42, 18, 0 if left else 16
    parts = [legend]
    for index, category in enumerate(shown):
        y = top + index * step + down
        if left:
            parts.append(_text(left - 8, y + 13, _short(category, 29), anchor="end"))
        else:
            parts.append(_text(0, y - 4, _short(category, 48)))
        x = float(left)
        for one in series:
            value = _of(one, index)
            if not value:
                continue
            width = float(value) / float(longest) * (whole - left - beside)
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{FILLS[one.css]}"/>')
            if width >= 2 + 7 * len(_figure(value)):
                css = "inside on-dark" if one.dark else "inside"
                parts.append(_text(x + width / 2, y + 13, _figure(value), anchor="middle", css=css))
            x += width
        known = [one.values[index] or 0 for one in series if _shown(one, index)]
        if known:  # what nobody knows is not written as zero
            parts.append(_text(x + 6, y + 13, _figure(sum(known)), css="tick"))
    bottom = top + max(len(shown), 1) * step
    if left:
        parts.append(f'<line x1="{left}" y1="{top - 4}" x2="{left}" y2="{bottom}" stroke="{MUTED}"/>')
    return _svg(title, table, bottom + 6, parts, whole)


def columns(title: str, unit: str, categories: Sequence[str], series: Sequence[Series], *, head: str = "") -> Chart:
    """Columns over periods, one group for each category; empty where there is no value, which is not zero."""
    shown = list(categories[-24:])
    skip = len(categories) - len(shown)
    legend_rows, legend = _legend(series) if len(series) > 1 else (0, "")
    values = [value for one in series for value in one.values[skip:] if value is not None]
    highest = float(max(values, default=0)) or 1.0
    top, plot, left = 26 * legend_rows + 18, 160, max(44, 10 + 7 * len(_tick(highest)))
    parts = [legend]
    for share in (0.0, 0.5, 1.0):
        y = top + plot * (1 - share)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}" stroke="{LINE if share else MUTED}"/>')
        parts.append(_text(left - 6, y + 4, _tick(highest * share), anchor="end", css="tick"))
    group = (WIDTH - left) / max(len(shown), 1)
    bar = min(36.0, group * 0.8 / max(len(series), 1))
    for index, category in enumerate(shown):
        middle = left + group * (index + 0.5)
        start = middle - bar * len(series) / 2
        for number, one in enumerate(series):
            value = one.values[skip + index] if skip + index < len(one.values) else None
            if value is None:
                continue
            size = plot * max(float(value), 0.0) / highest
            x, y = start + bar * number, top + plot - size
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{bar * 0.9:.1f}" height="{size:.1f}" fill="{FILLS[one.css]}"/>'
            )
            if bar >= 14:
                parts.append(_text(x + bar * 0.45, y - 3, _figure(value), anchor="middle", css="tick"))
        if group >= 34 or index % 2 == 0:
            parts.append(
                _text(middle, top + plot + 16, _short(category, max(12, int(group / 7))), anchor="middle", css="tick")
            )
    table = Table(
        [head, *(one.label for one in series)],
        [[str(name), *(_shown(one, index) for one in series)] for index, name in enumerate(categories)],
    )
    return Chart(title, unit, _svg(title, table, top + plot + 26, parts), table)


@dataclass(frozen=True)
class Mark:
    """A day on a span: filled when it is done, hollow when it is still to come or was missed."""

    on: date
    label: str
    is_done: bool = False


@dataclass(frozen=True)
class Span:
    """Something that runs from a day to a day, both inside; `css` is a key of FILLS and gives shape and pattern, `word`
    says the same in words."""

    label: str
    start: date
    end: date
    css: str
    word: str
    marks: Sequence[Mark] = ()


def timeline(
    title: str, spans: Sequence[Span], start: date, end: date, *, today: date | None = None, head: str = ""
) -> Chart:
    """Spans as bars between two days, one below the other, with the line of today; those beyond 60 stand in the table only.

    A standing is told by a shape before the bar and by its pattern, never by colour alone. What lies outside the two
    days is cut off there, and an arrow says so."""
    shown = list(spans[:MAX_ROWS])
    legend, legend_rows = _span_legend(shown)
    left, top, step, height = LABEL_WIDTH + 18, 26 * legend_rows + 46, 26, 14
    days = max((end - start).days + 1, 1)

    def x_of(day: date, *, is_last: bool = False) -> float:
        return left + min(max((day - start).days + is_last, 0), days) / days * (WIDTH - left - 2)

    bottom = top + max(len(shown), 1) * step
    parts = [legend, *_span_axis(start, end, x_of, top, bottom)]
    for index, one in enumerate(shown):
        y = top + index * step + 5
        parts.append(_text(LABEL_WIDTH - 8, y + 11, _short(one.label, 29), anchor="end"))
        parts.append(_shape(one.css, LABEL_WIDTH + 5, y + 7))
        x, x_end = x_of(one.start), x_of(one.end, is_last=True)
        if one.end < start:
            parts.append(_text(left + 3, y + 11, "◂ " + date_format(one.end, "SHORT_DATE_FORMAT"), css="tick"))
        elif one.start > end:
            ahead = date_format(one.start, "SHORT_DATE_FORMAT") + " ▸"
            parts.append(_text(WIDTH - 4, y + 11, ahead, anchor="end", css="tick"))
        else:
            parts.append(_bar(one.css, x, y, max(x_end - x, 2.0), height))
            if one.start < start:
                parts.append(f'<path d="M{x + 5:.1f} {y + 2}l-4 5l4 5z" fill="{INK}" stroke="#ffffff"/>')
            if one.end > end:
                parts.append(f'<path d="M{x_end - 5:.1f} {y + 2}l4 5l-4 5z" fill="{INK}" stroke="#ffffff"/>')
        for mark in one.marks:
            if start <= mark.on <= end:
                fill = INK if mark.is_done else "#ffffff"
                parts.append(
                    f'<path d="M{x_of(mark.on) - 5:.1f} {y - 4}h10l-5 9z" fill="{fill}" stroke="{INK}" stroke-width="1.3">'
                    f"<title>{escape(mark.label)}</title></path>"
                )
    if today is not None and start <= today <= end:
        x = x_of(today)
        parts.append(
            f'<line x1="{x:.1f}" y1="{top - 26}" x2="{x:.1f}" y2="{bottom}" stroke="{INK}" stroke-width="1.5" stroke-dasharray="6 3"/>'
        )
        anchor = "end" if x > WIDTH - 60 else "middle"
        parts.append(_text(x, top - 30, gettext("today"), anchor=anchor, css="inside"))
    table = Table(
        [head, gettext("start"), gettext("deadline"), gettext("standing"), gettext("milestones")],
        [
            [
                one.label,
                date_format(one.start, "SHORT_DATE_FORMAT"),
                date_format(one.end, "SHORT_DATE_FORMAT"),
                one.word,
                "; ".join(mark.label for mark in one.marks),
            ]
            for one in spans
        ],
    )
    return Chart(title, "", _svg(title, table, bottom + 6, parts), table)


def _span_axis(start: date, end: date, x_of: Callable[..., float], top: int, bottom: int) -> list[str]:
    """A line and a name at each year; at each quarter too when there are at most three years."""
    parts, is_short = [], (end - start).days <= 3 * 366
    years = end.year - start.year + 1
    every = years // 12 + 1  # names of many years would run into each other
    for year in range(start.year, end.year + 1, every):
        first = date(year, 1, 1)
        begins, ends = max(first, start), min(date(year, 12, 31), end)
        if first >= start:
            parts.append(
                f'<line x1="{x_of(first):.1f}" y1="{top - 8}" x2="{x_of(first):.1f}" y2="{bottom}" stroke="{MUTED}"/>'
            )
        if years > 1:
            parts.append(_text((x_of(begins) + x_of(ends)) / 2, top - 14, str(year), anchor="middle", css="tick"))
    if is_short:
        for quarter in Period(start, end).quarters():
            x = x_of(max(quarter.start, start))
            parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{LINE}"/>')
            if years == 1:
                parts.append(_text(x + 4, top - 3, quarter.label, css="tick"))
    parts.append(f'<line x1="{x_of(start):.1f}" y1="{top}" x2="{WIDTH}" y2="{top}" stroke="{MUTED}"/>')
    return parts


def _span_legend(spans: Sequence[Span]) -> tuple[str, int]:
    """The shapes in use with their words, in the order of FILLS; and how many lines they take."""
    used = {one.css: one.word for one in spans if one.word}
    parts, x, row = [], 0, 0
    for css in FILLS:
        if css not in used:
            continue
        width = 60 + 7 * len(used[css])
        if x and x + width > WIDTH:
            x, row = 0, row + 1
        parts += [_shape(css, x + 7, row * 26 + 11), _bar(css, x + 17, row * 26 + 4, 24, 14)]
        parts.append(_text(x + 46, row * 26 + 15, used[css]))
        x += width + 10
    return "".join(parts), row + 1


def _bar(css: str, x: float, y: float, width: float, height: float) -> str:
    """A bar with the pattern of its standing; patterns are lines, since a page may hold several drawings."""
    box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}"'
    if css == "not_started":
        return f'{box} fill="#ffffff" stroke="{MUTED}"/>'
    if css == "no_news":
        return f'{box} fill="#ffffff" stroke="{INK}" stroke-dasharray="4 3"/>'
    if css == "dropped":
        return f'<rect x="{x:.1f}" y="{y + height / 2 - 2:.1f}" width="{width:.1f}" height="4" fill="{FILLS[css]}"/>'
    solid = f'{box} fill="{FILLS[css]}"/>'
    if css not in ("at_risk", "late"):
        return solid
    rising, falling, offset = "", "", 0.0
    while offset + height <= width:
        rising += f"M{x + offset:.1f} {y + height:.1f}l{height} -{height}"
        falling += f"M{x + offset:.1f} {y:.1f}l{height} {height}"
        offset += 8
    if css == "at_risk":
        return f'{solid}<path d="{rising}" stroke="{INK}" fill="none"/>' if rising else solid
    return f'{solid}<path d="{rising}{falling}" stroke="#ffffff" fill="none"/>' if rising else solid


def _shape(css: str, x: float, y: float) -> str:
    """The shape of a standing, the same as that of its pill (static/theme.css), around a point."""
    fill = FILLS[css]
    if css == "on_time":
        return f'<rect x="{x - 5}" y="{y - 5}" width="10" height="10" fill="{fill}"/>'
    if css == "at_risk":
        return f'<path d="M{x - 6} {y + 5}h12l-6 -11z" fill="{fill}" stroke="{INK}" stroke-width="0.7"/>'
    if css == "late":
        return f'<path d="M{x} {y - 7}l7 7l-7 7l-7 -7z" fill="{fill}"/>'
    if css == "no_news":
        return (
            f'<circle cx="{x}" cy="{y}" r="5" fill="#ffffff" stroke="{INK}" stroke-width="1.5" stroke-dasharray="3 2"/>'
        )
    if css == "not_started":
        return f'<circle cx="{x}" cy="{y}" r="5" fill="#ffffff" stroke="{MUTED}" stroke-width="1.5"/>'
    if css == "dropped":
        return f'<rect x="{x - 6}" y="{y - 1.5}" width="12" height="3" fill="{fill}"/>'
    return f'<circle cx="{x}" cy="{y}" r="5.5" fill="{fill}"/>'


def _of(series: Series, index: int) -> Number:
    value = series.values[index] if index < len(series.values) else None
    return max(value, 0) if value is not None else 0


def _shown(series: Series, index: int) -> str:
    value = series.values[index] if index < len(series.values) else None
    return "" if value is None else _figure(value)


def _figure(value: Number) -> str:
    """Without needless zeros, as the active language writes numbers."""
    if isinstance(value, Decimal):
        value = Decimal(f"{value.normalize():f}")
    return number_format(value, use_l10n=True, force_grouping=True)


def _tick(value: float) -> str:
    shown = round(value) if value >= 10 or value == int(value) else round(value, 1)
    return number_format(shown, use_l10n=True, force_grouping=True)


def _legend(series: Sequence[Series], whole: int = WIDTH) -> tuple[int, str]:
    parts, x, row = [], 0, 0
    for one in series:
        width = 26 + 7 * len(one.label)
        if x and x + width > whole:
            x, row = 0, row + 1
        parts.append(f'<rect x="{x}" y="{row * 26 + 4}" width="14" height="14" fill="{FILLS[one.css]}"/>')
        parts.append(_text(x + 19, row * 26 + 15, one.label))
        x += width + 10
    return row + 1, "".join(parts)


def _text(x: float, y: float, content: str, *, anchor: str = "start", css: str = "") -> str:
    size, fill = (11, MUTED) if css == "tick" else (11, INK) if css else (12, INK)
    if "on-dark" in css:
        fill = "#ffffff"
    weight = ' font-weight="600"' if css.startswith("inside") else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-family="Noto Sans, Noto Sans Extended, Noto Sans Cyrillic, sans-serif" '
        f'font-size="{size}" fill="{fill}"{weight}>{escape(content)}</text>'
    )


def _short(label: str, length: int) -> str:
    label = str(label)
    return label if len(label) <= length else label[: length - 1].rstrip() + "…"


def _with_heads(heads: Sequence[str], cells: Sequence[str]) -> str:
    """“women 12, men 9”: what is known, each by its name."""
    return ", ".join(f"{head} {cell}" for head, cell in zip(heads, cells, strict=True) if cell) or "–"


def _svg(title: str, table: Table, height: float, parts: list[str], whole: int = WIDTH) -> SafeString:
    """Everything that came from outside was escaped where it was written into a part."""
    described = ((row[0], _with_heads(table.head[1:], row[1:])) for row in table.rows[:MAX_ROWS])
    description = format_html_join("; ", "{}: {}", described)
    return mark_safe(  # nosec B308 B703
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {whole} {height:.0f}" '
        f'preserveAspectRatio="xMinYMin meet"><title>{escape(title)}</title><desc>{description}</desc>{"".join(parts)}</svg>'
    )
