"""The report: what it says, that it can be read by everybody, that it repeats to the byte, and that issued means issued."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
from decimal import Decimal

import pdfua
import pikepdf
import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.urls import reverse

from monitoring import actions, tasks  # noqa: F401  registers the jobs
from monitoring.models import Report, ReportFile, ReportState
from monitoring.report import data as report_data
from monitoring.report import document
from onatc import documents, jobs
from onatc.errors import Refused
from onatc.models import Job
from stakeholders.models import Institution
from strategy.actions.progress import Check, translate_entry, verify_entry
from tests.strategy.steps import accepted

HOSTILE = (
    '<img src="file:///etc/hostname"><link rel="attachment" href="http://127.0.0.1:9/x">'
    "<style>@import 'http://127.0.0.1:9/y';</style><script>1</script> ë ç š ž đ Ж"
)


@pytest.fixture
def drafted(world):
    entry = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring, done=HOSTILE)
    translate_entry(entry, by=world.director, language="en", done="Joint checks.", difficulties="", next_steps="")
    accepted(world.request("M2.1.3"), world.other_focal_point, world.monitoring, value=None, is_nil=True)
    return actions.draft_report(world.plan, world.round.period, by=world.monitoring)


def build(report: Report) -> Report:
    actions.build_files(report, lambda done, total: None)
    report.refresh_from_db()
    return report


def test_the_data_counts_what_the_dashboard_counts(drafted, client_for):
    data = drafted.data
    context = client_for("director").get(reverse("monitoring:dashboard"), {"period": data["period"]}).context
    shown = {code: cell.number for code, _label, cell in context["standing"].cells}
    assert data["counts"] == shown
    assert (data["asked"], data["received"], data["nil"]) == (sum(r["asked"] for r in data["rounds"][0]["rows"]), 2, 1)
    assert json.loads(json.dumps(data)) == data
    assert drafted.data_sha256 == report_data.sha256_of(data)


def test_sentences_are_made_from_the_data_in_each_language(drafted):
    texts = dict(drafted.texts.filter(section="summary").values_list("language", "text"))
    total = sum(drafted.data["counts"].values())
    assert set(texts) == {"sq", "sr-latn", "en"} and all(str(total) in text for text in texts.values())
    assert "The institutions sent 2 of the" in texts["en"]
    assert texts["sq"] != texts["en"] != texts["sr-latn"]


def test_the_document_has_every_part_and_escapes_what_people_wrote(drafted):
    for language in ("sq", "sr", "en"):
        html = document.html(
            drafted.data, {"summary": "S", "conclusions": "C"}, language, fingerprint="f" * 64, is_draft=True, issue=1
        )
        for part in (
            "summary",
            "contents",
            "overview",
            "goal-1",
            "goal-4",
            "late",
            "reporting",
            "conclusions",
            "method",
            "sources",
        ):
            assert f'id="{part}"' in html
        assert "<script>" not in html and "<img" not in html
    assert "Joint checks." in html and "&lt;img" not in html
    sq = document.html(drafted.data, {}, "sq", fingerprint="f", is_draft=False, issue=2)
    assert "&lt;img" in sq and "DRAFT" not in sq


def test_what_a_check_found_stands_beside_what_was_said(world):
    entry = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring, value=12)
    value = entry.values.get()
    check = Check("not", "The list holds four.", "planned", {value.requested_id: Decimal(4)})
    verify_entry(entry, by=world.director, check=check)
    data = actions.draft_report(world.plan, world.round.period, by=world.monitoring).data
    said = {"fingerprint": "f", "is_draft": True, "issue": 1}
    page = document.html(data, {}, "en", **said)
    assert "reported “under way”, found “not started”" in page and "The list holds four." in page
    assert "found by the check: 4" in page
    for goal in data["goals"]:  # a report from before there were findings
        for row in goal["measures"]:
            for name in ("finding", "measure_state", "found_state", "found"):
                (row["entry"] or {}).pop(name, None)
    assert "found “" not in document.html(data, {}, "en", **said)


def test_pdfs_are_tagged_marked_and_embed_their_fonts(drafted):
    report = build(drafted)
    assert ReportFile.objects.filter(report=report).count() == 3
    for file in report.files.all():
        body = file.file.read()
        assert (file.sha256, file.size) == (hashlib.sha256(body).hexdigest(), len(body))
        with pikepdf.open(io.BytesIO(body)) as pdf:
            assert len(pdf.pages) == file.pages > 10
            assert str(pdf.Root.Lang) == {"sr-latn": "sr-Latn"}.get(file.language, file.language)
            assert pdf.Root.MarkInfo.Marked and "/Outlines" in pdf.Root
            assert "pdfuaid" in pdf.Root.Metadata.read_bytes().decode()
            assert "/EmbeddedFiles" not in pdf.Root.get("/Names", {})
            fonts = [one for page in pdf.pages for one in page.Resources.get("/Font", {}).values()]
            assert fonts
            for font in fonts:
                descendant = font.DescendantFonts[0]
                assert "Noto" in str(font.BaseFont) and "/FontFile2" in descendant.FontDescriptor
        findings = [one for one in pdfua.validate(io.BytesIO(body)).findings if one.severity >= pdfua.Severity.ERROR]
        assert findings == []


def test_the_same_data_gives_the_same_bytes_in_another_process(drafted, tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(drafted.data))
    body, _pages = actions.render(drafted.data, {"summary": "S"}, "sr-latn", is_draft=True, issue=1)
    code = (
        "import django, hashlib, json, sys; django.setup(); from monitoring.actions import render;"
        "d = json.load(open(sys.argv[1]));"
        "print(hashlib.sha256(render(d, {'summary': 'S'}, 'sr-latn', is_draft=True, issue=1)[0]).hexdigest())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data.json")],
        env=os.environ | {"PYTHONHASHSEED": "123", "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split()[-1] == hashlib.sha256(body).hexdigest()


def test_collecting_twice_gives_the_same_data(drafted):
    assert report_data.collect(drafted.plan, drafted.period) == drafted.data


def test_only_the_coordinator_issues_and_then_nothing_changes_ever(drafted, world):
    report = build(drafted)
    with pytest.raises(PermissionDenied, match="Only the National Coordinator"):
        actions.request_issue(report, by=world.director)
    actions.issue(report, lambda done, total: None, by=world.natc)
    report.refresh_from_db()
    assert (report.state, report.issued_by) == (ReportState.ISSUED, world.natc)
    before = {file.language: file.sha256 for file in report.files.all()}
    actions.issue(report, lambda done, total: None, by=world.natc)
    actions.build_files(report, lambda done, total: None)
    assert {file.language: file.sha256 for file in report.files.all()} == before
    with pytest.raises(PermissionDenied, match="never changes"):
        actions.refresh_report(report, by=world.director)
    for change in (
        lambda: Report.objects.filter(pk=report.pk).update(data={}),
        lambda: report.texts.update(text="x"),
        lambda: report.files.update(sha256="0" * 64),
        lambda: report.files.first().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_right_that_ended_meanwhile_does_not_issue(drafted, world):
    job = actions.request_issue(drafted, by=world.natc)
    world.people["natc"].role_assignments.all().delete()
    jobs.run(str(job.pk))
    drafted.refresh_from_db()
    job.refresh_from_db()
    assert drafted.is_draft and job.state == "failed"


def test_a_correction_after_the_issue_is_a_new_issue(drafted, world):
    actions.issue(drafted, lambda done, total: None, by=world.natc)
    second = actions.draft_report(world.plan, drafted.period, by=world.monitoring)
    assert (second.issue, second.state) == (2, ReportState.DRAFT)
    assert actions.draft_report(world.plan, drafted.period, by=world.director) == second


def test_of_two_editors_the_second_sees_both_texts(drafted, world, client_for):
    url = reverse("monitoring:report-text", args=[drafted.pk, "summary"])
    form = client_for("monitoring").get(url).context["form"]
    data = {f"text_{code}": f"I pari {code}" for code in ("sq", "sr_latn", "en")} | {
        "revision": form.initial["revision"]
    }
    assert client_for("monitoring").post(url, data).status_code == 302
    second = {
        name: value.replace("I pari", "I dyti") if isinstance(value, str) else value for name, value in data.items()
    }
    page = client_for("planning").post(url, second).content.decode()
    assert "I pari sq" in page and "I dyti sq" in page
    assert drafted.texts.get(section="summary", language="sq").text == "I pari sq"


def test_collecting_again_keeps_what_was_edited(drafted, world):
    texts = {"sq": "E redaktuar", "sr-latn": "Uređeno", "en": "Edited"}
    revision = sum(row.revision for row in drafted.texts.filter(section="summary"))
    actions.edit_text(drafted, "summary", texts, by=world.monitoring, revision=revision)
    accepted(world.request("M2.2.1"), world.focal_point, world.monitoring, value=90)
    refreshed = actions.refresh_report(drafted, by=world.monitoring)
    assert refreshed.data["received"] == 3
    assert drafted.texts.get(section="summary", language="sq").text == "E redaktuar"


def test_names_of_institutions_are_those_of_the_periods_end(drafted, world):
    from datetime import timedelta

    from stakeholders.actions.directory import rename

    police = Institution.objects.get(code="KP-THB")
    rename(
        police,
        by=world.director,
        since=drafted.period.end + timedelta(days=1),
        name_sq="Emri i ri",
        name_sr="Novo ime",
        name_en="New name",
        short="NN",
    )
    data = report_data.collect(drafted.plan, drafted.period)
    assert "New name" not in json.dumps(data) and data == drafted.data


def test_a_period_without_rounds_or_signals_still_makes_a_report(world):
    data = report_data.collect(world.plan, world.round.period.previous().previous())
    assert (data["asked"], data["rounds"]) == (0, [])
    assert actions.generated_texts(data)["en"]["summary"]


def test_the_command_writes_drafts_and_repeats_what_was_issued(drafted, world, tmp_path, capsys):
    label = drafted.period.label
    call_command("build_report", "quarterly", period=label, language="sr", out=tmp_path)
    path, sha = capsys.readouterr().out.split()
    assert path.endswith(f"quarterly-{label}-sr.pdf") and len(sha) == 64
    actions.issue(drafted, lambda done, total: None, by=world.natc)
    call_command("build_report", "quarterly", period=label, language="sq", out=tmp_path)
    assert capsys.readouterr().out.split()[1] == drafted.files.get(language="sq").sha256
    for wrong in ({"period": "soon"}, {"period": "1999Q1"}, {"period": label, "plan": "NONE"}):
        with pytest.raises(CommandError):
            call_command("build_report", "quarterly", language="sq", out=tmp_path, **wrong)


def test_from_the_browser_a_report_is_drafted_built_by_a_job_and_downloaded(world, client_for):
    client = client_for("planning")
    page = client.post(
        reverse("monitoring:report-create"), {"plan": world.plan.pk, "period": world.round.period.label}, follow=True
    )
    report = page.context["report"]
    job = Job.objects.get()
    assert "The PDF files are being made." in page.content.decode()
    jobs.run(str(job.pk))
    page = client.get(report.get_absolute_url()).content.decode()
    assert report.files.get(language="sq").sha256 in page
    response = client.get(reverse("monitoring:report-download", args=[report.files.first().pk]))
    assert b"".join(response.streaming_content).startswith(b"%PDF-")
    assert client_for("observer").get(report.get_absolute_url()).status_code == 404
    assert client.get(reverse("monitoring:report-preview", args=[report.pk])).status_code == 200


def test_before_adoption_there_is_nothing_to_report_on(world, client_for):
    from strategy.models import PlanVersion

    PlanVersion.objects.update(state="draft", adopted_on=None, adopted_by=None, decision_reference="")
    with pytest.raises(Refused, match="not adopted"):
        actions.draft_report(world.plan, world.round.period, by=world.monitoring)


@pytest.mark.thorough
@pytest.mark.django_db(transaction=True)
def test_issued_twice_at_once_it_is_issued_once(drafted, world):
    ready, natc = threading.Barrier(2), world.natc

    def press() -> None:
        try:
            ready.wait(30)
            actions.issue(Report.objects.select_related("plan").get(pk=drafted.pk), lambda done, total: None, by=natc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    connection.close()
    drafted.refresh_from_db()
    assert drafted.state == ReportState.ISSUED and drafted.files.count() == 3


def test_a_document_reaches_no_file_and_no_address(tmp_path):
    """T17: even where markup of somebody else's got through, a PDF holds nothing of this machine and calls nobody."""
    secret = tmp_path / "secret.txt"
    secret.write_text("canary-of-this-machine")
    calls: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    hostile = (
        f'<link rel="stylesheet" href="{address}/a.css"><link rel="attachment" href="{secret.as_uri()}">'
        f'<style>@import "{address}/b.css"; body {{ background: url({secret.as_uri()}) }}</style>'
        f'<img src="{secret.as_uri()}"><img src="{address}/c.png"><a rel="attachment" href="{secret.as_uri()}">x</a>'
        f'<svg><image href="{address}/d.png"/></svg><object data="{secret.as_uri()}"></object>'
        f'<img src="{documents.BASE}vendor/noto-sans/../../../manage.py"><embed src="{secret.as_uri()}">'
    )
    body, _pages = documents.pdf(
        f'<html lang="sq"><head><title>x</title></head><body>{hostile}</body></html>', fingerprint="f"
    )
    try:
        calls.append(listener.accept()[0].recv(100))
    except TimeoutError:
        pass
    finally:
        listener.close()
    assert calls == []
    with pikepdf.open(io.BytesIO(body)) as file:
        assert not file.attachments
        for thing in file.objects:
            if isinstance(thing, pikepdf.Stream):
                assert b"canary-of-this-machine" not in thing.read_bytes()
                assert b"DJANGO_SETTINGS_MODULE" not in thing.read_bytes()
