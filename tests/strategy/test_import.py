"""A plan file comes in: what is read, what is refused and how it is named, what it changes, and how it is undone."""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import openpyxl.xml
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.urls import reverse

from monitoring.management.commands.access_matrix import sign_in
from onatc.errors import Refused
from stakeholders.directory import DATA as INSTITUTIONS
from stakeholders.models import Institution, User
from strategy.actions import plan as actions
from strategy.imports import COLUMNS, compare, read_plan
from strategy.models import BudgetLine, ImportState, Indicator, Measure, Plan, PlanImport, PlanVersion, VersionState
from tests.conftest import PLAN_FILE

CODES = [row["code"] for row in csv.DictReader(INSTITUTIONS.read_text(encoding="utf-8").splitlines())]


def rows() -> list[dict[str, str]]:
    with PLAN_FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(changed: list[dict[str, str]], head: list[str] | None = None) -> io.BytesIO:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, head or list(changed[0]), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(changed)
    return io.BytesIO(buffer.getvalue().encode())


def as_xlsx(changed: list[dict[str, Any]]) -> io.BytesIO:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(changed[0]))
    for row in changed:
        sheet.append(list(row.values()))
    buffer = io.BytesIO()
    book.save(buffer)
    buffer.seek(0)
    return buffer


def problems_of(change: Callable[[list[dict[str, str]]], None], name: str = "plan.csv") -> list[tuple[Any, str, str]]:
    changed = rows()
    change(changed)
    reading = read_plan(as_csv(changed), name, CODES)
    assert not reading.problems or reading.rows == [] or len(reading.rows) < len(changed)
    return [(problem.row, problem.column, problem.reason) for problem in reading.problems]


def test_the_shipped_plan_is_read_whole():
    reading = read_plan(as_csv(rows()), "plan.csv", CODES)
    assert reading.problems == []
    assert len(reading.rows) == 57
    assert len({row.goal_code for row in reading.rows}) == 4
    assert len({row.objective_code for row in reading.rows}) == 14


def test_the_columns_without_translations_are_enough():
    assert read_plan(as_csv(rows(), COLUMNS), "plan.csv", CODES).problems == []


def test_two_bad_rows_among_57_are_both_named_with_row_column_and_reason():
    def spoil(changed: list[dict[str, str]]) -> None:
        changed[4]["lead_institution"] = "KP-TBH"
        changed[40]["end"] = "2021-01-01"

    assert problems_of(spoil) == [
        (6, "lead_institution", "There is no institution with the code “KP-TBH”. Did you mean KP-THB?"),
        (42, "end", "The end lies before the start."),
    ]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("measure_code", "M1.1.2", "M1.1.2 stands in row 3 already."),
        ("start", "2027-01-01", "The end lies before the start."),
        ("start", "32.1.2022", "is not a date"),
        ("start", "13/13/2022", "is not a date"),
        ("end", "0001-01-01", "is not a date"),
        ("measure_en", '=HYPERLINK("http://example.org","x")', "begins like a formula"),
        ("measure_sq", "＝1+1", "begins like a formula"),
        ("source", "@SUM(A1)", "begins like a formula"),
        ("measure_sq", "", "The cell is empty."),
        ("measure_sq", "x" * 501, "longer than 500"),
        ("measure_sq", "a\x01b", "cannot be shown"),
        ("unit", "kilos", "is not a unit"),
        ("target", "many", "is not a number"),
        ("target", "1e9999", "is not a number"),
        ("target", "NaN", "is not a number"),
        ("target", "-3", "must not be negative"),
        ("target", "99999999999", "too large"),
        ("baseline", "1.234", "two decimals"),
        ("budget_eur", "12,50", "is not a number"),
        ("budget_source", "the moon", "is not a source of funds"),
        ("partner_institutions", "KP;KP", "stands there twice"),
        ("goal", "Another wording", "worded otherwise in row"),
        ("disaggregation", "sex;<b>", "is not the name of a breakdown"),
    ],
)
def test_a_bad_cell_is_named(column, value, reason):
    def spoil(changed: list[dict[str, str]]) -> None:
        changed[9][column] = value

    found = problems_of(spoil)
    assert found, "nothing was found"
    assert any(reason in text for _row, _column, text in found)
    assert any(row == 11 for row, _column, _text in found) or column == "goal"


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "plan.csv", "The file is empty."),
        (b"   \n", "plan.csv", "The file is empty."),
        (",".join(COLUMNS).encode(), "plan.csv", "no measures"),
        (b"PK\x03\x04nonsense", "plan.csv", "not a CSV file"),
        (b"a\x00b,c\n", "plan.csv", "not a CSV file"),
        (b"not a workbook", "plan.xlsx", "not an Excel workbook"),
        (b"x", "plan.docx", "Only .csv and .xlsx"),
        (b"x" * (8 * 1024 * 1024 + 1), "plan.csv", "larger than 8 MB"),
        (b'a,"b\n', "plan.csv", "quotes of this row"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_in_one_sentence(content, name, reason):
    reading = read_plan(io.BytesIO(content), name, CODES)
    assert reading.rows == []
    assert any(reason in problem.reason for problem in reading.problems)


def test_a_wrong_header_names_each_column():
    changed = [{("lead" if key == "lead_institution" else key): value for key, value in row.items()} for row in rows()]
    found = {(p.column, p.reason) for p in read_plan(as_csv(changed), "plan.csv", CODES).problems}
    assert ("lead_institution", "The column is missing.") in found
    assert any(column == "lead" and "not known" in reason for column, reason in found)


def test_windows_1250_is_refused_with_the_first_bad_row():
    text = as_csv(rows()).getvalue().decode().replace("ё", "")
    reading = read_plan(io.BytesIO(text.encode("cp1250", "replace")), "plan.csv", CODES)
    assert [problem.row for problem in reading.problems] == [2]
    assert "Windows-1250" in reading.problems[0].reason


def test_a_quote_that_does_not_close_names_its_row():
    text = as_csv(rows()[:3]).getvalue().decode() + 'G1,"x'
    reading = read_plan(io.BytesIO(text.encode()), "plan.csv", CODES)
    assert any("quotes" in problem.reason for problem in reading.problems)


def test_a_workbook_reads_like_the_table():
    changed: list[dict[str, Any]] = rows()[:5]
    changed[0]["target"], changed[0]["budget_eur"] = 7, 30000.5
    reading = read_plan(as_xlsx(changed), "plan.xlsx", CODES)
    assert reading.problems == []
    assert reading.rows[0].budget_cents == 3_000_050


def test_a_formula_cell_of_a_workbook_is_refused():
    changed: list[dict[str, Any]] = rows()[:2]
    changed[1]["target"] = "=1+1"
    found = read_plan(as_xlsx(changed), "plan.xlsx", CODES).problems
    assert [(problem.row, problem.column) for problem in found] == [(3, "target")]


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    buffer.seek(0)
    found = read_plan(buffer, "plan.xlsx", CODES).problems
    assert "unpacks to far more" in found[0].reason


def test_entities_in_a_workbook_are_not_expanded():
    assert openpyxl.DEFUSEDXML
    buffer = as_xlsx(rows()[:1])
    hostile = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(hostile, "w") as new:
        for info in old.infolist():
            body = old.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                body = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'
            new.writestr(info.filename, body)
    hostile.seek(0)
    found = read_plan(hostile, "plan.xlsx", CODES).problems
    assert found and "not an Excel workbook" in found[0].reason


def test_ten_thousand_rows_with_one_bad_are_read_to_the_end():
    pattern = rows()[0]
    many = [pattern | {"measure_code": f"M{number}"} for number in range(10_000)]
    many[7_000]["start"] = "yesterday"
    reading = read_plan(as_csv(many), "plan.csv", CODES)
    assert [(problem.row, problem.column) for problem in reading.problems] == [(7_002, "start")]
    assert len(reading.rows) == 9_999


def test_comparison_tells_new_changed_removed_and_unchanged():
    content = read_plan(as_csv(rows()), "plan.csv", CODES).as_content()
    old = {row["code"]: row for row in content}
    changed = [dict(row) for row in content if row["code"] != "M4.4.2"]
    changed[0] = changed[0] | {"ends_on": "2025-12-31", "partners": list(reversed(changed[0]["partners"]))}
    changed.append(content[-1] | {"code": "M9.9.9"})
    found = compare(old, changed)
    assert (found.new, found.removed, found.unchanged) == (["M9.9.9"], ["M4.4.2"], 55)
    assert [(one.field, one.old, one.new) for one in found.changed["M1.1.1"]] == [
        ("ends_on", "2026-12-15", "2025-12-31")
    ]


@pytest.fixture
def planner(reference_data) -> User:
    from datetime import date

    from stakeholders.models import Role, RoleAssignment

    user = User.objects.create_user("planner@example.org", full_name="Planner", language="en")
    for role in (Role.PLANNING, Role.DIRECTOR):
        RoleAssignment.objects.create(
            user=user, role=role, institution=Institution.objects.get(code="ONATC"), starts_on=date(2020, 1, 1)
        )
    return User.objects.get(pk=user.pk)


def bring_in(content: io.BytesIO, by: User, plan: Plan | None = None) -> PlanImport:
    found = actions.preview_import(content, "plan.csv", plan=plan, by=by)
    actions.apply_import(found, by=by)
    found.refresh_from_db()
    return found


def test_applying_makes_a_draft_with_everything_in_it(planner):
    found = bring_in(as_csv(rows()), planner)
    assert found.version.state == VersionState.DRAFT
    assert Measure.objects.filter(version=found.version).count() == 57
    measure = Measure.objects.get(code="M1.1.3")
    assert [partner.institution.code for partner in measure.partnerships.all()] == ["ONATC", "AL-NATC", "ME-NC", "TDH"]
    assert sum(BudgetLine.objects.values_list("planned_cents", flat=True)) == sum(
        int(row["budget_eur"] or 0) * 100 for row in rows()
    )
    days = Indicator.objects.get(measure__code="M2.1.5")
    assert (days.baseline, days.lower_is_better, days.counting) == (None, True, "at_date")


def test_the_same_file_twice_changes_nothing(planner):
    first = bring_in(as_csv(rows()), planner)
    again = actions.preview_import(as_csv(rows()), "plan.csv", plan=first.plan, by=planner)
    with pytest.raises(Refused, match="changes nothing"):
        actions.apply_import(again, by=planner)
    with pytest.raises(Refused, match="applied already"):
        actions.apply_import(first, by=planner)
    assert PlanVersion.objects.count() == 1


def test_a_second_file_replaces_the_draft_keeps_lineage_and_can_be_undone(planner):
    first = bring_in(as_csv(rows()), planner)
    changed = rows()
    changed[0]["end"] = "2026-12-16"
    second = bring_in(as_csv(changed), planner, first.plan)
    lineages = Measure.objects.filter(code="M1.1.1").values_list("lineage", flat=True)
    assert len(set(lineages)) == 1
    first.version.refresh_from_db()
    assert first.version.state == VersionState.REPLACED
    with pytest.raises(Refused, match="later import"):
        actions.undo_import(first, by=planner)
    actions.undo_import(second, by=planner)
    first.version.refresh_from_db()
    second.refresh_from_db()
    assert (first.version.state, second.state) == (VersionState.DRAFT, ImportState.UNDONE)


def test_nothing_is_undone_once_something_was_built_on_it(planner):
    from datetime import date

    found = bring_in(as_csv(rows()), planner)
    actions.adopt_version(
        found.version,
        by=planner,
        adopted_on=date(2022, 1, 1),
        adopted_by=Institution.objects.get(code="MIA"),
        decision_reference="1",
    )
    with pytest.raises(Refused, match="adopted"):
        actions.undo_import(found, by=planner)


def test_a_preview_that_is_overtaken_is_refused(planner):
    first = bring_in(as_csv(rows()), planner)
    changed = rows()
    changed[0]["end"] = "2026-12-16"
    slow = actions.preview_import(as_csv(changed), "slow.csv", plan=first.plan, by=planner)
    changed[1]["end"] = "2026-08-16"
    bring_in(as_csv(changed), planner, first.plan)
    with pytest.raises(Refused, match="changed after this preview"):
        actions.apply_import(slow, by=planner)


def test_the_command_prints_counts_or_every_problem(reference_data, tmp_path, capsys):
    call_command("import_action_plan", PLAN_FILE)
    assert "4 goals, 14 objectives, 57 measures" in capsys.readouterr().out
    call_command("import_action_plan", PLAN_FILE)
    assert "nothing changed" in capsys.readouterr().out
    bad = rows()
    bad[0]["unit"], bad[5]["start"] = "kilos", "soon"
    path = tmp_path / "bad.csv"
    path.write_bytes(as_csv(bad).getvalue())
    with pytest.raises(CommandError, match="2 problems"):
        call_command("import_action_plan", path)
    said = capsys.readouterr().err
    assert "row 2, column unit" in said and "row 7, column start" in said
    assert Measure.objects.count() == 57


def test_a_dry_run_keeps_nothing(reference_data, capsys):
    call_command("import_action_plan", PLAN_FILE, "--dry-run")
    assert "57 new" in capsys.readouterr().out
    assert not Plan.objects.exists() and not PlanImport.objects.exists()


def test_the_browser_shows_problems_and_then_the_preview(client, planner):
    sign_in(client, planner)
    bad = rows()
    bad[3]["lead_institution"] = "NOBODY"
    upload = SimpleUploadedFile("plan.csv", as_csv(bad).getvalue())
    page = client.post(reverse("strategy:import-create"), {"file": upload}, follow=True)
    assert "NOBODY" in page.content.decode() and "lead_institution" in page.content.decode()
    good = SimpleUploadedFile("plan.csv", as_csv(rows()).getvalue())
    page = client.post(reverse("strategy:import-create"), {"file": good}, follow=True)
    found = page.context["found"]
    assert found.state == ImportState.PREVIEWED
    page = client.post(reverse("strategy:import-apply", args=[found.pk]), follow=True)
    assert "The draft holds 57 measures." in page.content.decode()
    page = client.post(reverse("strategy:import-undo", args=[found.pk]), follow=True)
    assert "undone" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_people_apply_one_import_at_once(planner):
    found = actions.preview_import(as_csv(rows()), "plan.csv", plan=None, by=planner)
    ready, outcomes = threading.Barrier(2), []

    def press() -> None:
        try:
            ready.wait(10)
            actions.apply_import(found, by=planner)
            outcomes.append("applied")
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    connection.close()
    assert sorted(outcomes) == ["applied", "told"]
    assert Plan.objects.count() == PlanVersion.objects.count() == 1
