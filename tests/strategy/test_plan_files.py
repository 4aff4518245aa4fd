"""The plan on paper and as a file: what its pages hold, who gets it, made once, kept, on record."""

from __future__ import annotations

import hashlib
import io
import re
import socket
from datetime import date

import openpyxl
import pdfua
import pikepdf
import pytest
from django.urls import reverse
from django.utils import timezone

from onatc import jobs
from onatc.models import Job, JobState, TrailEntry
from onatc.trail import Act
from strategy import document, tasks  # noqa: F401  registers the jobs
from strategy.actions import files as actions
from strategy.actions.content import plan_of_sheets, write_version
from strategy.models import BudgetLine, MeasureSignal, PlanFile, PlanFileKind, PlanVersion
from strategy.queries.document import document_data
from tests.strategy.sheets import full_plan
from tests.strategy.test_workbook import known_words  # noqa: F401

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests

DAY = date(2026, 10, 1)


@pytest.fixture
def full(known_words) -> PlanVersion:  # noqa: F811
    sheets = full_plan() | {"Serves": []}
    version = PlanVersion.objects.create(plan=plan_of_sheets(sheets), number=1)
    write_version(version, sheets, None)
    return version


def text_of(body: bytes) -> str:
    """The texts of a PDF in reading order, by the character maps of its fonts; soft line breaks are spaces."""
    found = []
    with pikepdf.open(io.BytesIO(body)) as file:
        for page in file.pages:
            maps = {name: _map(font) for name, font in page.Resources.get("/Font", {}).items()}
            chosen: dict[int, str] = {}
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    chosen = maps[str(operands[0])]
                elif str(operator) in ("Tj", "TJ"):
                    strings = operands[0] if str(operator) == "TJ" else operands
                    for one in strings:
                        if isinstance(one, pikepdf.String):
                            raw = bytes(one)
                            found.append(
                                "".join(chosen.get(int.from_bytes(raw[n : n + 2]), "") for n in range(0, len(raw), 2))
                            )
                elif str(operator) == "ET":
                    found.append(" ")
    return re.sub(r"\s+", " ", "".join(found))


def _map(font) -> dict[int, str]:
    body = font.ToUnicode.read_bytes().decode()
    return {
        int(code, 16): bytes.fromhex(value).decode("utf-16-be")
        for code, value in re.findall(r"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>", body.partition("beginbfchar")[2])
    }


def test_the_document_shows_every_part_of_a_measure(full):
    made = document.html(document_data(full, DAY), "en")
    for said in (
        "M1", "Its part", "Events", "From call to visit", "30.5", "31/12/2024", "1,234.56", "whole term",
        "92,233,720,368,547.07", "13000/1", "Law 04/L-218, Art. 9", "Money comes", "Needs first", "first checks", "children",
        "lower is better", "own funds of the institution", "No objective yet.", "DRAFT",
    ):  # fmt: skip
        assert said in made, said
    assert 'lang="sq">Fillimi</span>' in made  # not translated: marked
    assert "=Prevention" in made and "<script" not in made
    total = sum(BudgetLine.objects.values_list("planned_cents", flat=True))
    assert f"{total // 100:,}.{total % 100:02d}" in made


def test_the_overview_adds_up_by_goal_and_source(world):
    data = document_data(world.version, timezone.localdate())
    context = document._Pages(data, "en").context()
    lines = BudgetLine.objects.filter(measure__version=world.version)
    assert context["total"] == sum(lines.values_list("planned_cents", flat=True)) == sum(context["totals"])
    assert [goal["total"] for goal in context["overview"]] == [sum(goal["amounts"]) for goal in context["overview"]]
    assert sum(goal["count"] for goal in context["goals"]) == context["measure_count"] == 57
    assert sum(number for _signal, _label, number in context["signals"]) == 57
    assert (
        sum(n for signal, _label, n in context["signals"] if signal)
        == MeasureSignal.objects.filter(measure__version=world.version, ends_on__gte=timezone.localdate()).count()
    )


def test_the_pdf_is_tagged_in_its_language_and_says_what_the_plan_says(world, full):
    today = timezone.localdate()
    whole, small = document_data(world.version, today), document_data(full, today)
    for data, language, said_in_it, at_least in (
        (whole, "sr-latn", ("Prevencija", "M1.1.1", "M4.4.2", "01/2022"), 15),
        (small, "sq", ("Parandalimi", "Fushata", "Rreziku"), 4),
        (small, "en", ("=Prevention", "Money comes", "30.5"), 4),
    ):
        body, pages = document.pdf(data, language)
        assert at_least < pages < 4 * at_least
        with pikepdf.open(io.BytesIO(body)) as pdf:
            assert len(pdf.pages) == pages
            assert str(pdf.Root.Lang) == {"sr-latn": "sr-Latn"}.get(language, language)
            assert pdf.Root.MarkInfo.Marked and "/Outlines" in pdf.Root and "/StructTreeRoot" in pdf.Root
            assert "pdfuaid" in pdf.Root.Metadata.read_bytes().decode()
        said = text_of(body)
        assert [one for one in said_in_it if one not in said] == []
        findings = [one for one in pdfua.validate(io.BytesIO(body)).findings if one.severity >= pdfua.Severity.ERROR]
        assert findings == []
    assert document.pdf(small, "en")[0] == body  # the same data, the same bytes


def test_each_page_of_a_draft_says_so(full):
    body, pages = document.pdf(document_data(full, DAY), "en")
    assert 4 < pages < 12 and text_of(body).count("DRAFT") >= pages


def test_a_plan_without_measures_has_its_pages_too(reference_data):
    sheets = {name: [] for name in full_plan()} | {"Plan": full_plan()["Plan"]}
    version = PlanVersion.objects.create(plan=plan_of_sheets(sheets), number=1)
    assert "no goals and measures yet" in document.html(document_data(version, DAY), "en")
    _body, pages = document.pdf(document_data(version, DAY), "sq")
    assert 1 < pages < 6
    sheets["Goals"] = full_plan()["Goals"]
    second = PlanVersion.objects.create(plan=plan_of_sheets(sheets), number=1)
    write_version(second, sheets, None)
    assert "The plan has no measures yet." in document.html(document_data(second, DAY), "en")


def test_nothing_is_fetched_for_it(full, monkeypatch):
    full.goals.update(title_en='<img src="http://127.0.0.1:9/x"><link rel=stylesheet href="file:///etc/passwd">')

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    data = document_data(full, DAY)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert "&lt;img" in document.html(data, "en")
    assert document.pdf(data, "en")[1] > 1


# Asked for on the page


def test_a_file_is_made_by_a_job_once_and_anew_when_the_plan_changed(world, client_for):
    client = client_for("planning")
    asked = {"kind": "document", "language": "en"}
    answer = client.post(reverse("strategy:plan-file-make", args=[world.version.pk]), asked)
    job = Job.objects.get(kind="plan_file")
    assert answer.url == job.get_absolute_url()
    client.post(reverse("strategy:plan-file-make", args=[world.version.pk]), asked)
    assert Job.objects.filter(kind="plan_file").count() == 1
    page = client.get(reverse("strategy:plan-files", args=[world.version.pk])).content.decode()
    assert job.get_absolute_url() in page
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.DONE, "")
    made = PlanFile.objects.get()
    assert made.pages > 15 and made.original_name.endswith("-v1-en.pdf")
    answer = client.post(reverse("strategy:plan-file-make", args=[world.version.pk]), asked, follow=True)
    assert "nothing changed since" in answer.content.decode() and Job.objects.filter(kind="plan_file").count() == 1
    answer = client.get(made.get_absolute_url())
    body = b"".join(answer.streaming_content)
    assert hashlib.sha256(body).hexdigest() == made.sha256
    assert TrailEntry.objects.filter(act=Act.DOWNLOADED, record_id=str(made.pk)).exists()
    world.version.goals.update(title_en="Changed")
    client.post(reverse("strategy:plan-file-make", args=[world.version.pk]), asked)
    jobs.run(str(Job.objects.filter(state=JobState.QUEUED, kind="plan_file").get().pk))
    assert PlanFile.objects.get().fingerprint != made.fingerprint


def test_the_workbook_comes_at_once_and_of_a_large_plan_by_a_job(world, client_for, monkeypatch):
    client = client_for("planning")
    address = reverse("strategy:plan-workbook", args=[world.version.pk])
    answer = client.get(address)
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book["Measures"].max_row == 58
    entry = TrailEntry.objects.get(act=Act.EXPORTED)
    assert (entry.record_id, entry.details["what"]) == (str(world.version.pk), "plan workbook")
    monkeypatch.setattr(actions, "LARGE", 50)
    page = client.get(address, follow=True).content.decode()
    assert "made in the background" in page
    client.post(reverse("strategy:plan-file-make", args=[world.version.pk]), {"kind": "workbook", "language": "sq"})
    jobs.run(str(Job.objects.get(kind="plan_file").pk))
    made = PlanFile.objects.get()
    assert made.kind == PlanFileKind.WORKBOOK
    assert made.original_name in client.get(reverse("strategy:plan-files", args=[world.version.pk])).content.decode()


def test_the_table_says_what_it_cannot_hold(full, world, client_for):
    page = client_for("planning").get(reverse("strategy:plan-files", args=[full.pk])).content.decode()
    assert "<li>milestones: 2</li>" in page and "It cannot hold all" in page
    table = b"".join(client_for("planning").get(reverse("strategy:plan-table", args=[full.pk])).streaming_content)
    assert table.decode("utf-8-sig").splitlines()[0].startswith("goal_code,goal,objective_code")


def test_only_who_sees_the_whole_plan_takes_it_out(full, world, client_for):
    for name in ("plan-files", "plan-workbook", "plan-table"):
        address = reverse(f"strategy:{name}", args=[world.version.pk])
        assert client_for("focal_point").get(address).status_code == 403
        assert client_for("observer").get(address).status_code == 200
        assert client_for("observer").get(reverse(f"strategy:{name}", args=[full.pk])).status_code == 404
        assert client_for("stranger").get(address).status_code == 404


def test_a_right_that_ended_meanwhile_makes_no_file(world):
    from stakeholders.models import RoleAssignment

    job = actions.request_file(world.version, PlanFileKind.DOCUMENT, "sq", by=world.observer)
    RoleAssignment.objects.filter(user=world.people["observer"]).delete()
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == JobState.FAILED and not PlanFile.objects.exists()


def test_a_bad_request_is_told_and_makes_nothing(world, client_for):
    client = client_for("planning")
    answer = client.post(
        reverse("strategy:plan-file-make", args=[world.version.pk]), {"kind": "moon", "language": "tlh"}, follow=True
    )
    assert "Choose a language." in answer.content.decode() and not Job.objects.filter(kind="plan_file").exists()
