import csv
import io
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onatc.exports import as_csv, as_xlsx, is_formula_like, safe_text


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\u200b=1", "\ufeff=1", "＝1+1", "　@x", "\u202e-1"]
)
def test_what_a_spreadsheet_would_run_gets_a_quote(text):
    """T20."""
    assert safe_text(text).startswith("'")


@given(st.text())
def test_no_text_leaves_as_a_formula_and_twice_is_once(text):
    safe = safe_text(text)
    assert not is_formula_like(safe)
    assert safe_text(safe) == safe


def test_a_csv_is_utf8_with_a_mark_and_numbers_stay_numbers():
    response = as_csv("x", ["ë"], [["=A1"], [-3], [Decimal("-2.50")], [None], ["žaba"]])
    body = b"".join(response.streaming_content).decode()
    assert body.startswith("\ufeff")
    assert [row[0] for row in csv.reader(io.StringIO(body[1:])) if row] == ["ë", "'=A1", "-3", "-2.50", "", "žaba"]


def test_a_workbook_holds_texts_as_texts():
    response = as_xlsx("x", ["a"], [["=1+1"], [-3], ["a\x00b"], ["x" * 40_000]])
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    cells = [sheet.cell(row, 1) for row in range(2, 6)]
    assert [cell.data_type for cell in cells] == ["s", "n", "s", "s"]
    assert cells[0].value == "=1+1" and len(cells[3].value) == 32_767
