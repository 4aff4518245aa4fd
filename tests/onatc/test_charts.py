import re
import xml.etree.ElementTree as ET
from datetime import date

import pytest
from django.utils.formats import number_format
from django.utils.translation import override

from onatc.charts import FILLS, Mark, Series, Span, columns, stacked_bars, timeline

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("count", [0, 1, 4, 200])
@pytest.mark.parametrize("value", [0, 1, None, 10**9])
@pytest.mark.parametrize("make", [stacked_bars, columns])
def test_any_number_of_categories_and_any_value_gives_a_sound_drawing(make, count, value):
    labels = [f"Rajoni {n} <&> \"'" for n in range(count)]
    chart = make("Titulli <x>", "numri", labels, [Series("A & B", [value] * count, "late", dark=True)], head="rajoni")
    root = ET.fromstring(str(chart.svg))
    assert root.find(f"{SVG}title").text == "Titulli <x>"
    assert "style" not in str(chart.svg) and "NaN" not in str(chart.svg)
    assert len(chart.table.rows) == count
    assert all(row[1] == ("" if value is None else row[1]) for row in chart.table.rows)


def test_bars_are_as_long_as_their_values():
    chart = stacked_bars("T", "n", ["a", "b"], [Series("x", [2, 4], "1"), Series("y", [2, 0], "2")])
    bars = [r for r in ET.fromstring(str(chart.svg)).iter(f"{SVG}rect") if float(r.get("height")) == 18]
    assert [round(float(bar.get("width")) / float(bars[0].get("width"))) for bar in bars] == [1, 1, 2]
    assert chart.table.rows == [["a", "2", "2"], ["b", "4", "0"]]


def test_thousands_are_set_apart_and_a_telephone_has_a_drawing_of_its_own():
    series = [Series("euro", [1234567, 20], "1", dark=True)]
    with override("sq"):
        bars, over_time = stacked_bars("T", "€", ["A", "B"], series), columns("T", "€", ["A", "B"], series)
        grouped = number_format(1234567, use_l10n=True, force_grouping=True)
    assert all(f">{grouped}<" in drawing for drawing in (bars.svg, bars.narrow, over_time.svg))
    assert bars.table.rows[0][1] == grouped
    assert 'viewBox="0 0 340 ' in bars.narrow and 'viewBox="0 0 720 ' in bars.svg and not over_time.narrow
    assert all(
        float(x) + float(width) <= 340
        for x, width in re.findall(r'<rect x="([\d.]+)".*? width="([\d.]+)"', bars.narrow)
    )


def test_what_is_not_known_is_not_written_as_zero_and_less_than_zero_not_either():
    written = [t.text for t in ET.fromstring(str(stacked_bars("T", "n", ["a", "b", "c"], [Series("x", [None, -4, 0], "1")]).svg)).iter(f"{SVG}text")]  # fmt: skip
    assert written == ["x", "a", "b", "-4", "c", "0"]


def test_the_description_names_each_number_and_leaves_out_what_is_not_known():
    drawing = stacked_bars("T", "n", ["a", "b"], [Series("x", [None, None], "1"), Series("y", [3, None], "2")]).svg
    assert ET.fromstring(str(drawing)).find(f"{SVG}desc").text == "a: y 3; b: –"


@pytest.mark.parametrize("count", [0, 1, 61])
@pytest.mark.parametrize(("start", "end"), [(date(2026, 1, 1), date(2026, 12, 31)), (date(2024, 2, 29), date(2024, 2, 29)),
                                            (date(1, 1, 1), date(9999, 12, 31))])  # fmt: skip
def test_a_timeline_is_a_sound_drawing_whatever_its_days(count, start, end):
    days = [
        (date(1, 1, 1), date(9999, 12, 31)),
        (date(2025, 5, 1), date(2025, 5, 1)),
        (date(2030, 1, 1), date(2031, 1, 1)),
    ]
    spans = [
        Span(
            f"M{n} <&>",
            *days[n % 3],
            list(FILLS)[n % 7],
            f"word {n % 7}",
            [Mark(date(2026, 3, 1), "a <step>", n % 2 == 0)],
        )
        for n in range(count)
    ]
    chart = timeline("Titulli <x>", spans, start, end, today=date(2026, 2, 1), head="masa")
    root = ET.fromstring(str(chart.svg))
    assert root.find(f"{SVG}title").text == "Titulli <x>"
    assert "style" not in str(chart.svg) and "NaN" not in str(chart.svg) and len(chart.table.rows) == count
    for one in root.iter(f"{SVG}rect"):
        assert float(one.get("width")) >= 0 and float(one.get("x")) + float(one.get("width")) <= 721


def test_a_timeline_tells_each_standing_by_a_shape_and_a_pattern_of_its_own():
    drawn = {}
    for css in ("completed", "on_time", "at_risk", "late", "no_news", "not_started", "dropped"):
        svg = str(
            timeline(
                "T", [Span("x", date(2026, 1, 1), date(2026, 6, 30), css, "w")], date(2026, 1, 1), date(2026, 12, 31)
            ).svg
        )
        for colour in set(FILLS.values()):
            svg = svg.replace(colour, "")
        drawn[css] = svg
    assert len(set(drawn.values())) == 7


def test_a_bar_of_a_quarter_is_a_quarter_of_the_year_and_today_has_its_line():
    span = Span("x", date(2025, 1, 1), date(2025, 3, 31), "on_time", "")
    root = ET.fromstring(str(timeline("T", [span], date(2025, 1, 1), date(2025, 12, 31), today=date(2025, 7, 2)).svg))
    [bar] = [one for one in root.iter(f"{SVG}rect") if one.get("height") == "14"]
    assert float(bar.get("width")) == pytest.approx((720 - 228 - 2) * 90 / 365, abs=0.2)
    assert "today" in [one.text for one in root.iter(f"{SVG}text")]
