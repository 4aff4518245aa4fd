"""Charts drawn on the server as SVG, each with the table of its numbers.

The drawing uses attributes and no inline style, so it stands in a page under the Content-Security-Policy and prints
unchanged in a PDF. Its `<title>` is the alternative text, `<desc>` the numbers.
Nothing rests on colour alone: values are written into or beside the bars, and the table holds them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

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
WIDTH = 720
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


def stacked_bars(
    title: str, unit: str, categories: Sequence[str], series: Sequence[Series], *, head: str = ""
) -> Chart:
    """Horizontal bars, one for each category, split by series. Categories beyond 60 stand in the table only."""
    shown = list(categories[:MAX_ROWS])
    totals = [sum(_of(one, index) for one in series) for index in range(len(shown))]
    longest = max(totals, default=0) or 1
    legend_rows, legend = _legend(series)
    top, step, height = 26 * legend_rows + 8, 26, 18
    parts = [legend]
    for index, category in enumerate(shown):
        y = top + index * step
        parts.append(_text(LABEL_WIDTH - 8, y + 13, _short(category, 29), anchor="end"))
        x = float(LABEL_WIDTH)
        for one in series:
            value = _of(one, index)
            if not value:
                continue
            width = float(value) / float(longest) * (WIDTH - LABEL_WIDTH - 40)
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{FILLS[one.css]}"/>')
            if width >= 16:
                css = "inside on-dark" if one.dark else "inside"
                parts.append(_text(x + width / 2, y + 13, _figure(value), anchor="middle", css=css))
            x += width
        known = [one.values[index] or 0 for one in series if _shown(one, index)]
        if known:  # what nobody knows is not written as zero
            parts.append(_text(x + 6, y + 13, _figure(sum(known)), css="tick"))
    bottom = top + max(len(shown), 1) * step
    parts.append(f'<line x1="{LABEL_WIDTH}" y1="{top - 4}" x2="{LABEL_WIDTH}" y2="{bottom}" stroke="{MUTED}"/>')
    table = Table(
        [head, *(one.label for one in series)],
        [[str(name), *(_shown(one, index) for one in series)] for index, name in enumerate(categories)],
    )
    return Chart(title, unit, _svg(title, table, bottom + 6, parts), table)


def columns(title: str, unit: str, categories: Sequence[str], series: Sequence[Series], *, head: str = "") -> Chart:
    """Columns over periods, one group for each category; empty where there is no value, which is not zero."""
    shown = list(categories[-24:])
    skip = len(categories) - len(shown)
    legend_rows, legend = _legend(series) if len(series) > 1 else (0, "")
    top, plot, left = 26 * legend_rows + 18, 160, 44
    values = [value for one in series for value in one.values[skip:] if value is not None]
    highest = float(max(values, default=0)) or 1.0
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
            parts.append(_text(middle, top + plot + 16, _short(category, 12), anchor="middle", css="tick"))
    table = Table(
        [head, *(one.label for one in series)],
        [[str(name), *(_shown(one, index) for one in series)] for index, name in enumerate(categories)],
    )
    return Chart(title, unit, _svg(title, table, top + plot + 26, parts), table)


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
    return number_format(value)


def _tick(value: float) -> str:
    return number_format(round(value) if value >= 10 or value == int(value) else round(value, 1))


def _legend(series: Sequence[Series]) -> tuple[int, str]:
    parts, x, row = [], 0, 0
    for one in series:
        width = 26 + 7 * len(one.label)
        if x and x + width > WIDTH:
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


def _svg(title: str, table: Table, height: float, parts: list[str]) -> SafeString:
    """Everything that came from outside was escaped where it was written into a part."""
    description = format_html_join("; ", "{}: {}", ((row[0], ", ".join(row[1:])) for row in table.rows[:MAX_ROWS]))
    return mark_safe(  # nosec B308 B703
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'preserveAspectRatio="xMinYMin meet"><title>{escape(title)}</title><desc>{description}</desc>{"".join(parts)}</svg>'
    )
