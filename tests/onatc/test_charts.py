import xml.etree.ElementTree as ET

import pytest

from onatc.charts import Series, columns, stacked_bars

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


def test_what_is_not_known_is_not_written_as_zero_and_less_than_zero_not_either():
    written = [t.text for t in ET.fromstring(str(stacked_bars("T", "n", ["a", "b", "c"], [Series("x", [None, -4, 0], "1")]).svg)).iter(f"{SVG}text")]  # fmt: skip
    assert written == ["x", "a", "b", "-4", "c", "0"]
