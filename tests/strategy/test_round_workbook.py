"""The Excel way of a round: out and in without loss, what is refused and where, and that nothing in it can run."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from onatc.errors import Refused
from onatc.exports import XLSX
from onatc.models import Code, TrailEntry
from stakeholders.models import Institution
from strategy import round_workbook
from strategy.actions import obligations
from strategy.actions import progress as actions
from strategy.actions import round_workbook as workbook_actions
from strategy.actions import rounds as round_actions
from strategy.excel import MAX_BYTES
from strategy.forms.round_workbook import read_workbook, workbook_of
from strategy.models import (
    EntryState,
    Measure,
    ProgressEntry,
    ProgressRequest,
    ProgressValue,
    RequestedIndicator,
    RoundWorkbook,
)
from tests.strategy.steps import accepted, answer, drafted, submitted
from tests.strategy.test_progress_pages import form_data

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests

PROGRESS, VALUES = 0, 1


@pytest.fixture
def kp(world) -> Institution:
    RequestedIndicator.objects.update(disaggregation=[])  # a test that is about a breakdown names its own
    return Institution.objects.get(code="KP-THB")


class Book:
    """A downloaded workbook, as somebody fills it: cells are named by row key and column."""

    def __init__(self, data: bytes) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(data))
        mark = self.book[round_workbook.MARK]
        self.sheets = [self.book[mark.cell(number, 1).value] for number in (5, 6)]

    def place(self, table: int, key, column: str):
        sheet = self.sheets[table]
        names = [cell.value for cell in sheet[1]]
        for row in sheet.iter_rows(min_row=round_workbook.FIRST_ROW):
            if row[names.index("key")].value == str(key):
                return row[names.index(column)]
        raise KeyError(key)

    def set(self, table: int, key, **cells) -> Book:
        for column, value in cells.items():
            self.place(table, key, column).value = value
        return self

    def row(self, table: int, key) -> int:
        return self.place(table, key, "key").row

    def data(self) -> bytes:
        buffer = io.BytesIO()
        self.book.save(buffer)
        return buffer.getvalue()


def downloaded(world, kp, user=None) -> Book:
    return Book(workbook_of(world.round, kp, user or world.focal_point))


def indicator_of(request: ProgressRequest) -> RequestedIndicator:
    return request.indicators.get()


def filled(world, kp, code="M1.2.3", **changes) -> Book:
    request = world.request(code)
    book = downloaded(world, kp)
    book.set(PROGRESS, request.pk, **({"done": "U mbajtën operacionet.", "measure_state": "under way"} | changes))
    return book.set(VALUES, indicator_of(request).pk, value=12)


def sent(world, kp, data: bytes, user=None) -> RoundWorkbook:
    user = user or world.focal_point
    reading = read_workbook(data, world.round, kp, user)
    return workbook_actions.keep_workbook(
        world.round, kp, by=user, name="b.xlsx", sha256=reading.sha256, content=reading.content,
        problems=reading.problems_as_data(),
    )  # fmt: skip


def taken_over(world, workbook: RoundWorkbook, user=None, **how) -> tuple[int, int]:
    token = workbook_actions.token_of(workbook_actions.standing(RoundWorkbook.objects.get(pk=workbook.pk)))
    how = {"submit": False} | how
    return workbook_actions.apply_workbook(workbook, by=user or world.focal_point, token=token, **how)


def problems(world, kp, data: bytes) -> list[tuple[int | None, str, str]]:
    return [
        (one.row, one.column, one.reason) for one in read_workbook(data, world.round, kp, world.focal_point).problems
    ]


def snapshot():
    return [
        list(ProgressEntry.objects.order_by("pk").values_list("pk", "done", "state", "revision", "measure_state")),
        list(ProgressValue.objects.order_by("pk").values_list("entry", "requested", "value", "missing_reason")),
    ]


# Round trip


@pytest.mark.parametrize("language", ["en", "sq", "sr-latn"])
def test_what_was_downloaded_and_comes_back_unchanged_changes_nothing(world, kp, language):
    reason = Code.objects.of("missing_reason").first()
    drafted(
        world.request(), world.focal_point, done="Rreshti i parë.\r\nI dyti; “thonjëza”, =SUM(1) dhe -5 %.", value=0
    )
    request = world.request("M3.1.1")
    values = {one.pk: actions.Given(reason=reason.pk) for one in request.indicators.all()}
    submitted(request, world.focal_point, values=values)
    drafted(world.request("M2.2.1"), world.focal_point, is_nil=True, done="@asgjë", value=None)
    accepted(world.request("M2.2.2"), world.focal_point, world.monitoring)
    before = snapshot()
    with translation.override(language):
        workbook = sent(world, kp, workbook_of(world.round, kp, world.focal_point))
        assert workbook.problems == [] and workbook.state == "previewed"
        rows = workbook_actions.standing(workbook)
        asked = ProgressRequest.objects.filter(round=world.round, institution=kp).count()
        assert len(rows) == asked and {row.change for row in rows} == {"same"}
        with pytest.raises(Refused):
            taken_over(world, workbook)
    assert snapshot() == before


def test_what_is_filled_offline_is_stored_as_the_form_stores_it(world, kp, client_for):
    by_form = drafted(world.request(), world.focal_point, done="E para.")
    data = form_data(by_form, done="U mbajtën operacionet.\nNë tri rajone.", difficulties="=Mungon“", next_steps="-")
    data[f"value_{indicator_of(world.request()).pk}"] = "1,234.5"
    client_for("focal_point").post(reverse("strategy:progress-edit", args=[by_form.pk]), data)
    by_form.refresh_from_db()
    other = world.request("M2.2.1")
    RequestedIndicator.objects.filter(request=other).update(unit="number")
    book = downloaded(world, kp).set(
        PROGRESS, other.pk, done="U mbajtën operacionet.\nNë tri rajone.", measure_state="Under way", next_steps="-", language="shqip",
    )  # fmt: skip
    cell = book.place(PROGRESS, other.pk, "difficulties")
    cell.value, cell.data_type = "=Mungon“", "s"
    book.set(VALUES, indicator_of(other).pk, value=1234.5)
    workbook = sent(world, kp, book.data())
    assert workbook.problems == []
    assert taken_over(world, workbook) == (1, 0)
    by_book = ProgressEntry.objects.get(request=other)
    for name in ("done", "difficulties", "next_steps", "measure_state", "is_nil", "state", "language"):
        assert getattr(by_book, name) == getattr(by_form, name), name
    assert by_book.values.get().value == by_form.values.get().value


def test_a_workbook_is_filled_and_handed_in_at_once(world, kp, client_for):
    client = client_for("focal_point")
    home = client.get("/").content.decode()
    out = reverse("strategy:workbook-download", args=[world.round.pk, kp.pk])
    assert out in home and out in client.get(world.round.get_absolute_url()).content.decode()
    response = client.get(out)
    assert response.headers["Content-Type"] == XLSX and TrailEntry.objects.filter(act="exported").count() == 1
    request = world.request()
    book = Book(response.content).set(PROGRESS, request.pk, done="Operacione.", measure_state="completed")
    book.set(VALUES, indicator_of(request).pk, value=20)
    page = client.post(
        reverse("strategy:workbook-upload", args=[world.round.pk, kp.pk]),
        {"file": SimpleUploadedFile("mbushur.xlsx", book.data())},
        follow=True,
    )
    text = page.content.decode()
    assert "Operacione." in text and "Take over and submit" in text and "completed" in text
    workbook = RoundWorkbook.objects.get()
    apply = reverse("strategy:workbook-apply", args=[workbook.pk])
    sent_form = {"token": page.context["token"], "submit": "1"}
    assert "1 report was saved. 1 was submitted." in client.post(apply, sent_form, follow=True).content.decode()
    entry = ProgressEntry.objects.get()
    assert (entry.state, entry.measure_state, entry.is_late) == (EntryState.SUBMITTED, "completed", False)
    again = client.post(apply, sent_form, follow=True).content.decode()
    assert "taken over already" in again and entry.notes.count() == 1
    assert client_for("director").get(workbook.get_absolute_url()).status_code == 200
    assert "Operacione." not in client_for("director").get(workbook.get_absolute_url()).content.decode()
    assert client_for("other_focal_point").get(workbook.get_absolute_url()).status_code == 404


def test_the_workbook_says_what_is_given_and_locks_it(world, kp):
    entry = submitted(world.request(), world.focal_point)
    actions.return_entry(entry, by=world.monitoring, comment="=Which districts?")
    done = submitted(world.request("M3.1.1"), world.focal_point)
    with translation.override("sq"):
        book = downloaded(world, kp)
    sheet = book.sheets[PROGRESS]
    assert sheet.protection.sheet and sheet.freeze_panes == "D3" and sheet.row_dimensions[1].hidden
    assert "=Which districts?" in book.place(PROGRESS, entry.request_id, "standing").value
    assert not book.place(PROGRESS, entry.request_id, "done").protection.locked
    assert book.place(PROGRESS, entry.request_id, "measure").protection.locked
    assert book.place(PROGRESS, done.request_id, "done").protection.locked
    assert {rule.type for rule in sheet.data_validations.dataValidation} == {"list", "textLength"}
    assert book.book[round_workbook.MARK].sheet_state == book.book[round_workbook.LISTS].sheet_state == "veryHidden"
    assert [cell.value for cell in book.book[round_workbook.LISTS]["B"]][:2] == ["po", "jo"]


def test_nothing_that_leaves_in_a_workbook_can_run(world, kp):
    text = '=HYPERLINK("http://evil.example";"Click")'
    drafted(world.request(), world.focal_point, done=text, difficulties="+1", next_steps="\t@SUM(A1)")
    Measure.objects.filter(code="M1.2.3").update(title_en="=cmd|' /C calc'!A0")
    ProgressRequest.objects.filter(measure_code="M1.2.3").update(measure_title_en="=cmd|' /C calc'!A0")
    data = workbook_of(world.round, kp, world.focal_point)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
    assert sheets and not any(b"<f>" in sheet or b"<f " in sheet for sheet in sheets)
    book = Book(data)
    cell = book.place(PROGRESS, world.request().pk, "done")
    assert (cell.value, cell.data_type, bool(cell.quotePrefix)) == (text, "s", True)


# What is refused, and where


def test_a_formula_that_comes_back_is_refused_where_it_stands(world, kp):
    request = world.request()
    book = filled(world, kp, done='=HYPERLINK("http://evil.example","x")')
    book.set(VALUES, indicator_of(request).pk, value="=1+1")
    found = problems(world, kp, book.data())
    assert [(row, column) for row, column, _why in found] == [
        (book.row(PROGRESS, request.pk), "What was done"),
        (book.row(VALUES, indicator_of(request).pk), "value"),
    ]
    assert all("formula is not taken" in why for *_where, why in found)
    workbook = sent(world, kp, book.data())
    assert workbook.state == "refused" and len(workbook.content) > 1  # the good rows are kept
    with pytest.raises(Refused, match="has problems"):
        taken_over(world, workbook)
    assert not ProgressEntry.objects.exists()


@pytest.mark.parametrize(
    ("table", "cells", "column", "why"),
    [
        (PROGRESS, {"measure_state": "ready"}, "State of the measure", "none of the choices"),
        (PROGRESS, {"measure_state": None}, "State of the measure", "required"),
        (PROGRESS, {"language": "Klingon"}, "Language of the text", "none of the choices"),
        (PROGRESS, {"is_nil": "perhaps"}, "Nothing to report", "none of the choices"),
        (PROGRESS, {"done": "x" * 4001}, "What was done", "4000"),
        (VALUES, {"value": "a dozen"}, "value", "number"),
        (VALUES, {"value": -3}, "value", "greater than or equal to 0"),
        (VALUES, {"value": 1.234}, "value", "2 decimal"),
        (VALUES, {"value": date(2026, 5, 1)}, "value", "number"),
        (VALUES, {"value": 10**12}, "value", "less than or equal"),
        (VALUES, {"reason": "because"}, "Why there is no value", "none of the choices"),
        (VALUES, {"value": 12, "reason": "NA_NOTCOLL"}, "Why there is no value", "not both"),
        (VALUES, {"value": "#N/A"}, "value", "error of the spreadsheet"),
    ],
)
def test_a_bad_cell_is_named_with_sheet_row_column_and_reason(world, kp, table, cells, column, why):
    request = world.request()
    key = request.pk if table == PROGRESS else indicator_of(request).pk
    book = filled(world, kp).set(table, key, **cells)
    found = problems(world, kp, book.data())
    assert {(row, name) for row, name, _why in found} == {(book.row(table, key), column)}
    assert why in " ".join(reason for *_where, reason in found)


def test_the_form_and_the_workbook_refuse_the_same(world, kp):
    indicator = indicator_of(world.request())
    RequestedIndicator.objects.filter(pk=indicator.pk).update(unit="percent")
    book = filled(world, kp).set(VALUES, indicator.pk, value=140)
    assert problems(world, kp, book.data())[0][2] == "A percentage lies between 0 and 100."


def test_a_percentage_typed_with_its_sign_is_what_one_sees(world, kp):
    indicator = indicator_of(world.request())
    RequestedIndicator.objects.filter(pk=indicator.pk).update(unit="percent")
    book = filled(world, kp)
    cell = book.place(VALUES, indicator.pk, "value")
    cell.value, cell.number_format = 0.45, "0%"
    taken_over(world, sent(world, kp, book.data()))
    assert ProgressValue.objects.get().value == 45


def test_yes_and_no_are_chosen_in_any_language(world, kp):
    indicator = indicator_of(world.request())
    RequestedIndicator.objects.filter(pk=indicator.pk).update(unit="yes_no")
    with translation.override("sq"):
        book = filled(world, kp).set(VALUES, indicator.pk, value="Po")
    taken_over(world, sent(world, kp, book.data()))
    assert ProgressValue.objects.get().value == 1


def test_rows_may_be_sorted_and_left_out_and_what_is_missing_is_said(world, kp, client_for):
    request, other = world.request(), world.request("M2.2.1")
    kept = drafted(other, world.focal_point, done="Mbetet.")
    book = filled(world, kp)
    sheet = book.sheets[PROGRESS]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=round_workbook.FIRST_ROW)]
    sheet.delete_rows(round_workbook.FIRST_ROW, len(rows))
    for row in reversed(rows):
        if row[0] != str(other.pk):
            sheet.append(row)
    values = book.sheets[VALUES]
    values.delete_rows(book.row(VALUES, indicator_of(other).pk))
    workbook = sent(world, kp, book.data())
    page = client_for("focal_point").get(workbook.get_absolute_url()).content.decode()
    assert workbook.problems == [] and "Not in the workbook, and left as they are: M2.2.1" in page
    assert taken_over(world, workbook) == (1, 0)
    kept.refresh_from_db()
    assert kept.done == "Mbetet." and ProgressEntry.objects.get(request=request).done == "U mbajtën operacionet."


def test_unknown_and_repeated_rows_are_refused(world, kp):
    theirs = ProgressRequest.objects.filter(round=world.round, institution__code="MOH").first()
    book = filled(world, kp)
    sheet = book.sheets[PROGRESS]
    first = [cell.value for cell in sheet[round_workbook.FIRST_ROW]]
    sheet.append(first)
    sheet.append([str(theirs.pk), *first[1:]])
    sheet.append([None, "M9.9.9", "New"])
    last = sheet.max_row
    found = problems(world, kp, book.data())
    assert [row for row, _column, _why in found] == [last - 2, last - 1, last]
    assert "in row 3 already" in found[0][2] and "belongs to nothing" in found[1][2]
    assert problems(world, kp, book.data())  # and nothing was written
    assert not ProgressEntry.objects.exists()


def test_a_workbook_of_another_round_or_institution_is_refused(world, kp):
    book = filled(world, kp)
    moh = Institution.objects.get(code="MOH")
    theirs = read_workbook(book.data(), world.round, moh, world.other_focal_point)
    assert "another institution" in theirs.problems[0].reason
    round_actions.close_round(world.round, by=world.planning)
    period = world.round.period.next()
    following = round_actions.schedule_round(world.plan, period, by=None, due_on=period.next().end)
    round_actions.open_round(following, by=world.planning)
    found = read_workbook(book.data(), following, kp, world.focal_point)
    assert "another round: Reporting round: quarter" in found.problems[0].reason
    book.book[round_workbook.MARK].cell(2, 1).value = "x"
    assert "another round." in read_workbook(book.data(), following, kp, world.focal_point).problems[0].reason


def other_book() -> bytes:
    buffer = io.BytesIO()
    book = openpyxl.Workbook()
    book.active["A1"] = "Raport"
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"   ", "empty"),
        (b"PK\x03\x04 broken", "not an Excel workbook"),
        ("Masa;Vlera\nÇ;1".encode("cp1250"), "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "not an Excel workbook"),
        (b"%PDF-1.4", "not an Excel workbook"),
        (b"x" * (MAX_BYTES + 1), "larger than 8 MB"),
    ],
)
def test_what_is_no_workbook_is_refused_in_a_sentence(world, kp, data, why):
    assert why in problems(world, kp, data)[0][2]


def test_another_spreadsheet_is_no_workbook_of_a_round(world, kp):
    assert "not the workbook of a round" in problems(world, kp, other_book())[0][2]
    book = filled(world, kp)
    cut = book.data()[:-200]
    assert "damaged" in problems(world, kp, cut)[0][2]
    book.book.remove(book.sheets[VALUES])
    assert "The sheet “Values” is missing." in problems(world, kp, book.data())[0][2]
    book = filled(world, kp)
    book.sheets[PROGRESS].delete_rows(1)
    assert "hidden first row" in problems(world, kp, book.data())[0][2]
    book = filled(world, kp)
    book.sheets[PROGRESS].delete_cols(9)
    found = problems(world, kp, book.data())
    assert found and all("column is missing" in why for *_where, why in found)


def test_a_bomb_and_programs_are_refused_unopened(world, kp):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 60_000_000)
    assert "far more than its size" in problems(world, kp, buffer.getvalue())[0][2]
    buffer = io.BytesIO(filled(world, kp).data())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    assert "macros" in problems(world, kp, buffer.getvalue())[0][2]


def test_ten_thousand_rows_are_refused_at_once(world, kp):
    book = filled(world, kp)
    for number in range(10_000):
        book.sheets[PROGRESS].append([f"key-{number}", "M1"])
    assert problems(world, kp, book.data()) == [(None, "", "The sheet “Progress” has more than 5000 rows.")]


# What happens meanwhile


def test_a_stale_row_is_named_and_replaced_only_knowingly(world, kp, client_for):
    entry = drafted(world.request(), world.focal_point, done="E para.")
    book = filled(world, kp, done="Nga tabela.")
    actions.save_entry(entry, answer(entry.request, done="E kolegut."), by=world.focal_point, revision=entry.revision)
    workbook = sent(world, kp, book.data())
    page = client_for("focal_point").get(workbook.get_absolute_url()).content.decode()
    assert "a colleague changed these reports" in page and "E kolegut." in page and "Nga tabela." in page
    with pytest.raises(Refused, match="A colleague changed"):
        taken_over(world, workbook)
    assert taken_over(world, workbook, over_colleagues=True) == (1, 0)
    entry.refresh_from_db()
    assert entry.done == "Nga tabela."


def test_an_untouched_row_leaves_what_a_colleague_wrote_meanwhile(world, kp):
    entry = drafted(world.request(), world.focal_point, done="E para.")
    book = filled(world, kp, "M2.2.1")
    actions.save_entry(entry, answer(entry.request, done="E kolegut."), by=world.focal_point, revision=entry.revision)
    assert taken_over(world, sent(world, kp, book.data()), submit=True) == (1, 1)
    entry.refresh_from_db()
    assert (entry.done, entry.state) == ("E kolegut.", EntryState.DRAFT)


def test_what_changed_since_the_page_was_made_is_looked_at_again(world, kp):
    book = filled(world, kp)
    workbook = sent(world, kp, book.data())
    token = workbook_actions.token_of(workbook_actions.standing(workbook))
    drafted(world.request(), world.focal_point, done="E kolegut.")
    with pytest.raises(Refused, match="Something was changed"):
        workbook_actions.apply_workbook(workbook, by=world.focal_point, submit=False, token=token)


def test_a_row_that_was_submitted_or_accepted_meanwhile_is_refused(world, kp):
    entry = drafted(world.request(), world.focal_point)
    book = filled(world, kp, done="Ndryshe.")
    other = filled(world, kp, "M2.2.1")
    actions.submit_entry(entry, by=world.focal_point)
    workbook = sent(world, kp, book.data())
    with pytest.raises(Refused, match=rf"Row {book.row(PROGRESS, entry.request_id)}, M1.2.3: The report is submitted"):
        taken_over(world, workbook)
    actions.accept_entry(entry, by=world.monitoring)
    with pytest.raises(Refused, match="The report is accepted"):
        taken_over(world, workbook)
    assert taken_over(world, sent(world, kp, other.data())) == (1, 0)  # left alone it is in nobody's way


def test_all_of_it_or_nothing(world, kp):
    request, other = world.request(), world.request("M2.2.1")
    book = filled(world, kp).set(PROGRESS, other.pk, done="Pa vlerë.")
    workbook = sent(world, kp, book.data())
    with pytest.raises(Refused, match=r"M2\.2\.1: Each indicator needs a value"):
        taken_over(world, workbook, submit=True)
    assert not ProgressEntry.objects.exists()
    assert taken_over(world, workbook) == (2, 0)
    assert set(ProgressEntry.objects.values_list("request", flat=True)) == {request.pk, other.pk}


def test_a_workbook_that_comes_after_the_round_was_closed(world, kp):
    """The text is kept: in drafts where there are some, else in the workbook until the round is open again."""
    entry = drafted(world.request(), world.focal_point, done="E para.")
    book, new = filled(world, kp, done="E dyta."), filled(world, kp, "M2.2.1")
    round_actions.close_round(world.round, by=world.planning)
    workbook = sent(world, kp, book.data())
    with pytest.raises(Refused, match="kept as a draft"):
        taken_over(world, workbook, submit=True)
    assert taken_over(world, workbook) == (1, 0)
    entry.refresh_from_db()
    assert (entry.done, entry.state) == ("E dyta.", EntryState.DRAFT)
    late = sent(world, kp, new.data())
    with pytest.raises(Refused, match=r"M2\.2\.1: The round is closed"):
        taken_over(world, late)
    round_actions.reopen_round(world.round, by=world.director, reason="One was late.")
    assert taken_over(world, late) == (1, 0)


def test_a_correction_is_written_in_the_workbook_too(world, kp):
    entry = accepted(world.request(), world.focal_point, world.monitoring)
    round_actions.close_round(world.round, by=world.planning)
    correction = actions.start_correction(entry, by=world.focal_point)
    book = filled(world, kp, done="E saktë.").set(VALUES, indicator_of(world.request()).pk, value=11)
    assert "correction" in book.place(PROGRESS, entry.request_id, "standing").value
    assert taken_over(world, sent(world, kp, book.data()), submit=True) == (1, 1)
    correction.refresh_from_db()
    entry.refresh_from_db()
    assert (correction.done, correction.state) == ("E saktë.", EntryState.SUBMITTED)
    assert entry.state == EntryState.ACCEPTED and entry.done != "E saktë."


def test_what_is_waived_meanwhile_is_not_written(world, kp):
    book = filled(world, kp)
    workbook = sent(world, kp, book.data())
    obligations.waive(world.request(), by=world.director, reason="Not needed.")
    with pytest.raises(Refused, match="no longer asked for"):
        taken_over(world, workbook)


def test_only_the_institutions_own_reporters_send_and_take_over(world, kp, client_for):
    out, back = (reverse(f"strategy:workbook-{name}", args=[world.round.pk, kp.pk]) for name in ("download", "upload"))
    expected = {"director": 403, "planning": 403, "other_focal_point": 403, "observer": 404, "focal_point": 200}
    for name, status in expected.items():
        assert (client_for(name).get(out).status_code, client_for(name).get(back).status_code) == (status, status), name
    workbook = sent(world, kp, filled(world, kp).data())
    for name in ("director", "other_focal_point"):
        with pytest.raises(PermissionDenied):
            taken_over(world, workbook, user=getattr(world, name))
    with pytest.raises(PermissionDenied):
        sent(world, kp, b"", user=world.director)


def test_a_bad_file_on_the_page_is_said_there_and_shown_with_its_cells(world, kp, client_for):
    client = client_for("focal_point")
    back = reverse("strategy:workbook-upload", args=[world.round.pk, kp.pk])
    assert "This field is required" in client.post(back, {"sent": "1"}).content.decode()
    book = filled(world, kp, done="=1").data()
    page = client.post(back, {"file": SimpleUploadedFile("../x.xlsx", book)}, follow=True).content.decode()
    assert "there is 1 problem" in page and "What was done" in page and "Progress" in page
    with translation.override("sq"):
        assert problems(world, kp, book)[0][2] != "A formula is not taken; write the text or the number itself."
    page = client.post(back, {"file": SimpleUploadedFile("x.xlsx", b"")}, follow=True).content.decode()
    # no cell is wrong: the file is another one
    assert "Download the workbook of this round" in page and "Correct these cells" not in page


def test_the_workbook_costs_a_constant_number_of_queries_beside_the_forms(world, kp):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            workbook_actions_rows = workbook_actions.owing(world.round, kp.pk, language="en")
            [one.data for one in workbook_actions_rows]
        return len(captured)

    drafted(world.request(), world.focal_point)
    few = queries()
    for code in ("M2.2.1", "M2.2.2", "M3.1.1"):
        accepted(world.request(code), world.focal_point, world.monitoring)
    assert queries() == few


def test_time_passes_between_download_and_upload(world, kp):
    """Extended meanwhile: the row is as good as before, and not late."""
    book = filled(world, kp)
    obligations.give_time(world.round, kp, by=world.director, until=world.round.due_on + timedelta(days=9), reason="x")
    assert taken_over(world, sent(world, kp, book.data()), submit=True) == (1, 1)


# Breakdowns and percentages of two numbers: the rows follow the fields of the form


def cells_of(book: Book, indicator: RequestedIndicator) -> dict[str, str]:
    """The rows of a breakdown by what they are of."""
    rows = book.sheets[VALUES].iter_rows(min_row=round_workbook.FIRST_ROW, values_only=True)
    return {row[3]: row[0] for row in rows if str(row[0]).startswith(f"{indicator.pk}_")}


def test_a_breakdown_is_filled_cell_by_cell_and_comes_back_unchanged(world, kp):
    pytest.importorskip("strategy.indicators")
    indicator = indicator_of(world.request())
    RequestedIndicator.objects.filter(pk=indicator.pk).update(disaggregation=["sex"])
    book = filled(world, kp)
    cells = list(cells_of(book, indicator).values())
    assert len(cells) >= 2
    book.set(VALUES, cells[0], value=5).set(VALUES, cells[1], value=9)
    for cell in cells[2:]:
        book.set(VALUES, cell, value=0)
    found = problems(world, kp, book.data())
    assert found and all(row is not None for row, _column, _why in found)  # 14 of 12
    book.set(VALUES, cells[1], value=7)
    assert taken_over(world, sent(world, kp, book.data()), submit=True) == (1, 1)
    parts = ProgressValue.objects.get().parts
    assert sorted(parts.values_list("count", flat=True))[-2:] == [5, 7]
    again = sent(world, kp, workbook_of(world.round, kp, world.focal_point))
    assert {row.change for row in workbook_actions.standing(again)} == {"same"}


def test_a_percentage_of_two_numbers_is_filled_as_two(world, kp):
    pytest.importorskip("strategy.indicators")
    indicator = indicator_of(world.request())
    RequestedIndicator.objects.filter(pk=indicator.pk).update(
        unit="percent", numerator_en="Trained", numerator_sq="Trajnuar", denominator_en="All", denominator_sq="Gjithsej"
    )
    book = downloaded(world, kp).set(PROGRESS, world.request().pk, done="U trajnuan.")
    book.set(VALUES, indicator.pk, numerator=9, denominator=12)
    assert book.place(VALUES, indicator.pk, "value").protection.locked
    assert taken_over(world, sent(world, kp, book.data()), submit=True) == (1, 1)
    value = ProgressValue.objects.get()
    assert (value.value, value.numerator, value.denominator) == (75, 9, 12)
    again = sent(world, kp, workbook_of(world.round, kp, world.focal_point))
    assert {row.change for row in workbook_actions.standing(again)} == {"same"}
