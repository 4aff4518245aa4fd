"""A plan goes out as a workbook and comes in again: nothing is lost, what is wrong is named by sheet, row and column."""

from __future__ import annotations

import copy
import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from onatc.errors import Refused
from onatc.models import Code, CodeList
from strategy import workbook
from strategy.actions import plan as actions
from strategy.imports import COLUMNS, OPTIONAL
from strategy.models import (
    BudgetLine,
    ImportState,
    Measure,
    MeasureOrigin,
    Plan,
    PlanImport,
    PlanVersion,
    VersionState,
)
from strategy.queries.workbook import version_as_sheets, what_is_known
from strategy.workbook import SHEETS, amount, compare, read, write
from tests.conftest import plan_that_runs
from tests.strategy.sheets import KNOWN, TAGS, full_plan, in_order, key, plan_row, plans, row

EMPTY: dict[str, list[dict[str, str]]] = {name: [] for name in SHEETS}


def written(sheets: Any, known: Any = KNOWN, **facts: Any) -> bytes:
    return write(sheets, known, **{"version": key(99), "number": 1} | facts)


def changed(data: bytes, change: Callable[[Any], None]) -> bytes:
    """The workbook as somebody saved it again after `change(book)`."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def put(sheet: str, line: int, column: str, value: Any) -> Callable[[Any], None]:
    names = [one.name for one in SHEETS[sheet].columns]

    def change(book: Any) -> None:
        book[sheet].cell(line, names.index(column) + 1).value = value

    return change


def problems(data: bytes, base: Any = None, **options: Any) -> list[tuple[str, Any, str, str]]:
    found = read(data, options.pop("known", KNOWN), base=base, **options)
    assert not found.problems or found.sheets == {}
    return [(one.sheet, one.row, one.column, one.reason) for one in found.problems]


# Nothing is lost


def test_everything_in_a_plan_comes_back():
    found = read(written(full_plan()), KNOWN, base=None)
    assert found.problems == []
    assert in_order(found.sheets) == in_order(full_plan())
    assert compare(full_plan(), found.sheets).is_empty


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_any_plan_comes_back_and_changes_nothing(sheets):
    found = read(written(sheets), KNOWN, base=sheets, plan="AP-T", newest=key(99))
    assert found.problems == []
    assert in_order(found.sheets) == in_order(sheets)
    assert compare(sheets, found.sheets).is_empty and found.notes == []


def test_saved_again_by_a_spreadsheet_program_it_is_the_same():
    """openpyxl writes shared strings where we write texts into the cells, as Excel does."""
    sheets = full_plan()
    sheets["Measures"][0]["title_en"] = "a _x0041_ that is no escape"
    found = read(changed(written(sheets), lambda book: None), KNOWN, base=sheets, plan="AP-T", newest=key(99))
    assert (found.problems, in_order(found.sheets)) == ([], in_order(sheets))


def test_a_text_that_begins_like_a_formula_is_a_text_in_the_file():
    book = openpyxl.load_workbook(io.BytesIO(written(full_plan())))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line]
    assert any(cell.value == "=Prevention" for cell in cells)
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "inlineStr"}


def test_the_file_explains_itself_and_offers_choices():
    book = openpyxl.load_workbook(io.BytesIO(written(full_plan())))
    assert book.sheetnames[0] == "Read me" and book["Key"].sheet_state == "hidden"
    rules = {
        str(rule.sqref).split(":")[0]: rule.formula1 for rule in book["Indicators"].data_validations.dataValidation
    }
    assert '"number,percent,days,yes_no"' in rules.values()
    assert book["Measures"].column_dimensions["S"].hidden or any(
        one.hidden for one in book["Measures"].column_dimensions.values()
    )


# Rows moved, removed, copied, renamed


def test_rows_in_another_order_change_nothing():
    sheets = full_plan()
    turned = {name: list(reversed(rows)) for name, rows in sheets.items()}
    assert compare(sheets, read(written(turned), KNOWN, base=sheets, plan="AP-T").sheets).is_empty


def test_a_row_that_is_gone_is_shown_before_it_is_removed():
    sheets = full_plan()

    def remove(book: Any) -> None:
        book["Measures"].delete_rows(3)
        book["Dependencies"].delete_rows(2)
        book["Budget"].delete_rows(4)
        book["Serves"].delete_rows(2)
        book["Milestones"].delete_rows(3)

    found = read(changed(written(sheets), remove), KNOWN, base=sheets, plan="AP-T")
    assert found.problems == []
    changes = compare(sheets, found.sheets)
    assert (changes.new, changes.removed) == ([], ["M2"])
    assert {one.field for one in changes.changed["M1"]} == {"Dependencies", "Milestones"}


def test_a_measure_removed_whose_rows_stayed_is_named_in_each():
    found = problems(changed(written(full_plan()), lambda book: book["Measures"].delete_rows(3)))
    assert ("Budget", 4, "measure_code", "“M2” does not stand in the sheet Measures.") in found
    assert {sheet for sheet, *_rest in found} == {"Budget", "Dependencies", "Serves"}


def test_a_measure_with_another_code_is_the_same_measure():
    sheets = full_plan()

    def rename(book: Any) -> None:
        for sheet in book.worksheets:
            for line in sheet.iter_rows():
                for cell in line:
                    if cell.value == "M2" and sheet.title != "Key":
                        cell.value = "M9"

    found = read(changed(written(sheets), rename), KNOWN, base=sheets, plan="AP-T")
    changes = compare(sheets, found.sheets)
    assert (changes.new, changes.removed) == ([], [])
    assert [(one.field, one.old, one.new) for one in changes.changed["M9"]] == [("code", "M2", "M9")]
    assert next(one["key"] for one in found.sheets["Measures"] if one["code"] == "M9") == key(2)


def test_a_copied_row_is_a_new_measure_and_the_old_one_keeps_its_key():
    sheets = full_plan()

    def copy_row(book: Any) -> None:
        sheet = book["Measures"]
        cells = [cell.value for cell in sheet[2]]
        sheet.insert_rows(2)
        for place, value in enumerate(cells, 1):
            sheet.cell(2, place).value = "M3" if value == "M1" else value
        put("Measures", 2, "position", None)(book)

    found = read(changed(written(sheets), copy_row), KNOWN, base=sheets, plan="AP-T")
    assert found.problems == [] and compare(sheets, found.sheets).new == ["M3"]
    assert {one["code"]: (one["key"], one["position"]) for one in found.sheets["Measures"]} == {
        "M1": (key(1), "1"), "M2": (key(2), "3"), "M3": ("", "4"),
    }  # fmt: skip


def test_without_its_keys_a_row_is_known_by_what_it_is_called():
    sheets = full_plan()
    without = copy.deepcopy(sheets)
    for rows in without.values():
        for one in rows:
            if "key" in one:
                one["key"] = ""
    found = read(written(without), KNOWN, base=sheets, plan="AP-T")
    assert compare(sheets, found.sheets).is_empty


def test_a_workbook_of_another_plan_is_refused():
    other = full_plan()
    other["Plan"] = [plan_row(plan_code="AP-OTHER")]
    found = problems(written(other), base=full_plan(), plan="AP-T")
    assert found == [("Plan", 2, "plan_code", "This workbook is of another plan: AP-OTHER.")]


def test_a_workbook_from_before_a_change_says_so():
    sheets = full_plan()
    data = written(sheets, version=key(7), number=1)
    sheets["Goals"][0]["title_en"] = "Prevention"
    assert "made from version 1" in read(data, KNOWN, base=sheets, plan="AP-T", newest=key(8)).notes[0]
    assert "changed after this workbook" in read(data, KNOWN, base=sheets, plan="AP-T", newest=key(7)).notes[0]


# What is wrong is named


@pytest.mark.parametrize(
    ("sheet", "line", "column", "value", "reason"),
    [
        ("Measures", 3, "code", "M1", "M1 stands in row 2 already"),
        ("Goals", 3, "code", "G1", "G1 stands in row 2 already"),
        ("Measures", 2, "lead", "NOBODY", "There is no institution with the code"),
        ("Measures", 2, "lead", "ONATX", "Did you mean ONATC?"),
        ("Measures", 2, "ends_on", "2023-12-31", "The end lies before the start."),
        ("Measures", 2, "ends_on", date(2023, 12, 31), "The end lies before the start."),
        ("Measures", 2, "starts_on", "13/13/2024", "is not a date"),
        ("Measures", 2, "title_en", '=HYPERLINK("http://example.org","x")', "holds a formula"),
        ("Measures", 2, "title_en", "x" * 501, "longer than 500"),
        ("Measures", 2, "state", "completed", "is not among"),
        ("Measures", 2, "objective_code", "O9", "does not stand in the sheet Objectives"),
        ("Measures", 2, "key", "mine", "The key is filled in by the application"),
        ("Partners", 2, "institution", "ONATC", "cannot be its own partner"),
        ("Partners", 2, "measure_code", "M7", "does not stand in the sheet Measures"),
        ("Budget", 2, "planned_eur", "a lot", "is not a number"),
        ("Budget", 2, "planned_eur", "1.234", "can be read in two ways"),
        ("Budget", 2, "planned_eur", "1,234", "can be read in two ways"),
        ("Budget", 2, "planned_eur", -3, "must not be negative"),
        ("Budget", 2, "planned_eur", 1.005, "At most two decimals"),
        ("Budget", 2, "planned_eur", "=SUM(A1:A3)", "holds a formula"),
        ("Budget", 2, "planned_eur", None, "The cell is empty."),
        ("Budget", 2, "planned_eur", 1e17, "too large"),
        ("Budget", 2, "year", 1066, "is not a year"),
        ("Budget", 2, "source", "the moon", "is not among the choices"),
        ("Targets", 2, "value", "many", "is not a number"),
        ("Targets", 4, "value", 40, "above the baseline, but lower is better"),
        ("Targets", 2, "indicator_number", 7, "has no indicator 7"),
        ("Indicators", 2, "baseline", 20, "below the baseline, but higher is better"),
        ("Indicators", 2, "unit", "yes_no", "For yes or no write 1 or 0."),
        ("Indicators", 2, "value_source", "computed", "The name of a query"),
        ("Indicators", 2, "name_en", None, "no text in any language"),
        ("Indicators", 3, "disaggregation", "sex; <b>", "is not the name of a breakdown"),
        ("Milestones", 2, "due_on", "soon", "is not a date"),
        ("Dependencies", 2, "needs", "M1", "cannot wait for itself"),
        ("Norms", 2, "title_sq", None, "The register does not know this norm"),
        ("Tags", 2, "tag", "moon", "is not a tag in use"),
        ("Serves", 2, "serves", "N9", "There is no measure N9"),
        ("Plan", 2, "languages", "sq; tlh", "is not a language here"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_by_sheet_row_column_and_reason(sheet, line, column, value, reason):
    base = full_plan() if column == "state" else None
    data = changed(written(full_plan()), put(sheet, line, column, value))
    found = problems(data, base=base, plan="AP-T")
    if column == "state":
        assert found == [("Measures", 2, "state", "The state follows from reports; it is “planned”.")]
        return
    assert any(reason in text for *_where, text in found), found
    if column not in ("baseline", "unit"):
        assert any((where, number) == (sheet, line) for where, number, *_rest in found)


def test_every_problem_is_named_at_once():
    def spoil(book: Any) -> None:
        put("Measures", 2, "lead", "NOBODY")(book)
        put("Budget", 3, "planned_eur", "a lot")(book)
        put("Milestones", 2, "due_on", "soon")(book)

    found = problems(changed(written(full_plan()), spoil))
    assert [(sheet, number, column) for sheet, number, column, _reason in found] == [
        ("Measures", 2, "lead"), ("Budget", 3, "planned_eur"), ("Milestones", 2, "due_on"),
    ]  # fmt: skip


def test_measures_that_wait_for_each_other_are_named():
    sheets = full_plan()
    sheets["Dependencies"].append(row("Dependencies", measure_code="M2", needs="M1"))
    assert any("in a circle" in reason for *_where, reason in problems(written(sheets)))


def test_a_dissolved_institution_is_named_with_its_successor_unless_the_plan_names_it_already():
    sheets = full_plan()
    known = workbook.Known(
        institutions={**KNOWN.institutions, "MIA": date(2024, 5, 1)}, successors={"MIA": "KP"}, tags=KNOWN.tags,
        measures_of=KNOWN.measures_of,
    )  # fmt: skip
    found = problems(written(sheets), known=known)
    assert {(sheet, column) for sheet, _row, column, _reason in found} == {
        ("Partners", "institution"), ("Indicators", "reported_by"),
    }  # fmt: skip
    assert found[0][3] == "MIA was dissolved on 2024-05-01. Its successor is KP."
    assert problems(written(sheets), known=known, base=sheets, plan="AP-T") == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("1234,5", "1234.5"), ("12,50", "12.50"), ("1 234 567", "1234567"),
        ("1.234.567", "1234567"), ("1.234.567,89", "1234567.89"), ("30000", "30000"), ("30.000,00 €", "30000.00"),
        ("1\u00a0234,50", "1234.50"), ("1’234.50", "1234.50"), ("€ 5", "5"), ("0", "0"), ("-3", "-3"),
    ],
)  # fmt: skip
def test_money_as_people_write_it_is_understood(said, meant):
    assert amount(said) == Decimal(meant)


@pytest.mark.parametrize(
    "said", ["1.234", "1,234", "a lot", "", "1.2.3", "12.34,567", "1e5", "NaN", "1,2,3", "1.234.5", "--1", "٣"]
)
def test_money_that_can_be_read_in_two_ways_or_none_is_not(said):
    assert amount(said) is None


def test_a_comma_decimal_in_a_cell_is_taken_over():
    found = read(changed(written(full_plan()), put("Budget", 2, "planned_eur", "1.234,50")), KNOWN, base=None)
    assert found.problems == [] and found.sheets["Budget"][0]["planned_eur"] == "1234.50"


def test_a_missing_sheet_or_column_is_named():
    assert problems(changed(written(full_plan()), lambda book: book.remove(book["Tags"]))) == [
        ("Tags", None, "", "The sheet is missing.")
    ]
    found = problems(changed(written(full_plan()), put("Goals", 1, "title_sr", "titel_sr")))
    assert ("Goals", 1, "title_sr", "The column is missing.") in found
    assert any(column == "titel_sr" and "Did you mean title_sr?" in reason for _s, _r, column, reason in found)


def test_a_damaged_file_a_bomb_and_a_flood_are_refused_in_one_sentence():
    data = written(full_plan())
    assert "damaged" in problems(data[: len(data) // 2])[0][3]
    bomb = io.BytesIO(data)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/more.xml", b"0" * 60_000_000)
    assert "unpacks to far more" in problems(bomb.getvalue())[0][3]
    sheets = full_plan()
    sheets["Goals"] = [row("Goals", position=1, code=f"G{n}", title_sq="x") for n in range(20_002)]
    assert problems(written(sheets)) == [("", None, "", "The sheet Goals has more than 20000 rows.")]


def test_twenty_thousand_rows_are_read_to_the_end_and_of_many_problems_the_first_are_kept():
    sheets = full_plan()
    sheets["Milestones"] += [
        row("Milestones", measure_code="M7" if n >= 17_000 else "M1", due_on="2024-06-30", title_sq=f"H{n}")
        for n in range(20_000)
    ]
    found = problems(written(sheets))
    assert len(found) == 2_001 and "3000 problems" in found[-1][3]
    assert found[0][:3] == ("Milestones", 17_004, "measure_code")


# In the database


@pytest.fixture
def known_words(reference_data: None) -> None:
    words, _new = CodeList.objects.get_or_create(pk="measure_tag", defaults={"title_sq": "Fjalë"})
    for position, tag in enumerate(TAGS):
        Code.objects.get_or_create(code_list=words, code=tag, defaults={"label_sq": tag, "position": position})


def bring_in(data: bytes, plan: Plan | None = None, by: Any = None) -> PlanImport:
    found = actions.preview_import(io.BytesIO(data), "plan.xlsx", plan=plan, by=by)
    assert found.problems == []
    actions.apply_import(found, by=by)
    found.refresh_from_db()
    return found


def out(version: PlanVersion) -> bytes:
    return write(version_as_sheets(version), what_is_known(), version=str(version.pk), number=version.number)


def without_serves() -> Any:
    return full_plan() | {"Serves": []}


def test_into_an_empty_database_the_plan_is_the_same_field_by_field(known_words):
    version = bring_in(written(without_serves())).version
    assert version.plan.code == "AP-T" and version.plan.strategy.code == "NS-T"
    assert in_order(version_as_sheets(version)) == in_order(without_serves())
    again = actions.preview_import(io.BytesIO(out(version)), "plan.xlsx", plan=version.plan, by=None)
    assert (again.problems, actions.changes_nothing(again.changes), again.changes["notes"]) == ([], True, [])
    with pytest.raises(Refused, match="changes nothing"):
        actions.apply_import(again, by=None)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_any_plan_goes_into_the_database_and_out_again(known_words, sheets):
    try:
        with transaction.atomic():
            version = bring_in(written(sheets)).version
            assert in_order(version_as_sheets(version)) == in_order(sheets)
            again = actions.preview_import(io.BytesIO(out(version)), "plan.xlsx", plan=version.plan, by=None)
            assert again.problems == [] and actions.changes_nothing(again.changes)
            raise Rollback
    except Rollback:
        pass


class Rollback(Exception):
    pass


def test_the_plan_in_force_goes_out_and_comes_in_as_nothing_new(world):
    data = out(world.version)
    found = actions.preview_import(io.BytesIO(data), "plan.xlsx", plan=world.plan, by=world.planning)
    assert found.state == ImportState.PREVIEWED and actions.changes_nothing(found.changes)
    assert found.changes["unchanged"] == 57


def test_out_of_one_plan_into_another_gives_records_of_their_own(known_words):
    first = bring_in(written(without_serves())).version
    second = bring_in(out(first)).version
    assert second.plan.code == "AP-T-2"
    lineages = set(Measure.objects.filter(version=first).values_list("lineage", flat=True))
    assert not lineages & set(Measure.objects.filter(version=second).values_list("lineage", flat=True))


def test_a_renamed_measure_keeps_lineage_state_and_origin(world):
    draft = bring_in(changed(out(world.version), put("Goals", 2, "title_en", "Prevention first")), world.plan).version
    old = Measure.objects.get(version=world.version, code="M1.1.2")
    MeasureOrigin.objects.create(
        measure=Measure.objects.get(version=draft, code="M1.1.1"), origin=old, kind=MeasureOrigin.Kind.MERGED
    )
    Measure.objects.filter(version=draft, code="M1.1.1").update(state="under_way")

    def rename(book: Any) -> None:
        for sheet in book.worksheets:
            for line in sheet.iter_rows():
                for cell in line:
                    if cell.value == "M1.1.1" and sheet.title != "Key":
                        cell.value = "M1.1.99"

    found = bring_in(changed(out(draft), rename), world.plan)
    measure = Measure.objects.get(version=found.version, code="M1.1.99")
    assert measure.lineage == Measure.objects.get(version=world.version, code="M1.1.1").lineage
    assert (measure.state, measure.origins.get().origin) == ("under_way", old)
    assert list(found.changes["changed"]) == ["M1.1.99"]


def test_a_served_national_measure_is_pointed_to_by_plan_and_code(world, known_words):
    local = full_plan()
    local["Plan"] = [plan_row(plan_code="LP-PRN", kind="local", municipality="PRN")]
    local["Serves"] = [row("Serves", measure_code="M2", plan_code=world.plan.code, serves="M1.1.1")]
    version = bring_in(written(local)).version
    assert Measure.objects.get(version=version, code="M2").serves.get().serves == world.measure("M1.1.1")
    assert in_order(version_as_sheets(version)) == in_order(local)


def test_a_bad_workbook_changes_nothing(known_words):
    data = changed(written(full_plan()), put("Budget", 2, "planned_eur", "a lot"))
    found = actions.preview_import(io.BytesIO(data), "plan.xlsx", plan=None, by=None)
    assert (found.state, found.content, Plan.objects.count()) == (ImportState.REFUSED, [], 0)
    assert found.problems[0] == {
        "sheet": "Budget", "row": 2, "column": "planned_eur", "reason": "“a lot” is not a number.",
    }  # fmt: skip


def test_the_command_reads_both_forms_and_names_the_sheet(known_words, tmp_path, capsys):
    path = tmp_path / "plan.xlsx"
    path.write_bytes(written(without_serves()))
    call_command("import_action_plan", path)
    assert "2 goals, 1 objectives, 2 measures" in capsys.readouterr().out
    call_command("import_action_plan", path)
    assert "nothing changed" in capsys.readouterr().out
    path.write_bytes(changed(path.read_bytes(), put("Goals", 3, "title_sq", "Tjetër")))
    call_command("import_action_plan", path, "--dry-run")
    assert PlanVersion.objects.count() == 1
    path.write_bytes(changed(path.read_bytes(), put("Milestones", 2, "due_on", "soon")))
    with pytest.raises(CommandError, match="1 problems"):
        call_command("import_action_plan", path)
    assert "sheet Milestones, row 2, column due_on" in capsys.readouterr().err


# The simple table beside it


def as_csv(version: PlanVersion) -> bytes:
    import csv

    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([*COLUMNS, *OPTIONAL])
    writer.writerows(workbook.as_table(version_as_sheets(version)))
    return buffer.getvalue().encode()


def test_a_simple_table_goes_out_and_comes_in_as_nothing_new(world):
    assert workbook.beyond_table(version_as_sheets(world.version)) == []
    found = actions.preview_import(io.BytesIO(as_csv(world.version)), "plan.csv", plan=world.plan, by=None)
    assert found.problems == [] and actions.changes_nothing(found.changes)


def test_a_simple_table_leaves_what_it_cannot_say(known_words):
    sheets = without_serves()
    for one in sheets["Measures"]:
        one["title_sq"] = one["title_sq"] or "Masa"
        one["title_en"], one["source"] = "Plain", ""
    sheets["Goals"][0]["title_en"] = "Prevention"
    sheets["Objectives"][0]["title_en"] = "Awareness"
    sheets["Budget"][2]["planned_eur"] = "5.00"
    first = bring_in(written(sheets)).version
    before = version_as_sheets(first)
    table = as_csv(first).replace(b"Checks", b"x").replace(b"2025-12-31", b"2025-11-30")
    found = actions.preview_import(io.BytesIO(table), "plan.csv", plan=first.plan, by=None)
    assert found.problems == []
    assert [(one["field"], one["new"]) for one in found.changes["changed"]["M2"]] == [("ends_on", "2025-11-30")]
    version = actions.apply_import(found, by=None)
    after = version_as_sheets(version)
    assert compare(before, after).as_json()["changed"] == {
        "M2": [
            {"field": "position", "old": "3", "new": "2"},
            {"field": "ends_on", "old": "2025-12-31", "new": "2025-11-30"},
        ]
    }
    assert {str(what): count for what, count in workbook.beyond_table(before)} == {
        "goals and objectives without measures": 1, "measures without an Albanian title, goals or objectives without an English one": 1,
        "descriptions": 1, "parts of partners": 1, "further indicators": 1, "further targets": 2,
        "further budget lines, years, references and donors": 3, "facts of indicators beyond unit, baseline and target": 1,
        "milestones": 2, "dependencies": 1, "norms": 1, "risks and assumptions": 2, "tags": 1,
    }  # fmt: skip


@pytest.mark.usefixtures("thawed")
def test_the_number_of_queries_does_not_grow_with_the_plan(world):
    with CaptureQueriesContext(connection) as many:
        version_as_sheets(world.version)
    Measure.objects.filter(version=world.version).exclude(code="M1.1.1").exclude(code="M1.1.2").update(
        version=PlanVersion.objects.create(plan=world.plan, number=9, state=VersionState.UNDONE)
    )
    with CaptureQueriesContext(connection) as few:
        version_as_sheets(PlanVersion.objects.select_related("plan__strategy", "plan__owner").get(pk=world.version.pk))
    assert len(many) <= 16 and len(few) <= len(many)


@pytest.mark.usefixtures("thawed")
def test_a_table_changes_nothing_that_it_has_no_column_for(world):
    """Neither the texts of a language whose columns are not there, nor how a budget is divided by year and source."""
    line = BudgetLine.objects.get(measure__version=world.version, measure__code="M1.1.1")
    half = line.planned_cents // 2
    BudgetLine.objects.filter(pk=line.pk).update(planned_cents=line.planned_cents - half, year=2025)
    BudgetLine.objects.create(measure=line.measure, source="own", year=2026, planned_cents=half)
    rows = list(csv.DictReader(io.TextIOWrapper(plan_that_runs(), encoding="utf-8", newline="")))
    said = io.StringIO(newline="")
    writer = csv.DictWriter(said, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    found = actions.preview_import(io.BytesIO(said.getvalue().encode()), "plan.csv", plan=world.plan, by=world.planning)
    assert (found.problems, found.changes["unchanged"]) == ([], 57)
    rows[0]["budget_eur"] = "99"
    said = io.StringIO(newline="")
    writer = csv.DictWriter(said, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    found = actions.preview_import(io.BytesIO(said.getvalue().encode()), "plan.csv", plan=world.plan, by=world.planning)
    assert list(found.changes["changed"]) == ["M1.1.1"]
    version = actions.apply_import(found, by=world.planning)
    lines = BudgetLine.objects.filter(measure__version=version, measure__code="M1.1.1")
    assert [one.planned_cents for one in lines] == [9_900]  # the total of the table, and not one line more
