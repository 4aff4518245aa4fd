"""The same import in the browser: a preview first, applied once by a job, the file gone afterwards."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from nrm import tasks
from nrm.actions import imports
from nrm.models import Case, CaseImport
from onatc import jobs
from onatc.errors import Refused
from onatc.models import Job, TrailEntry
from stakeholders.models import Institution, RoleAssignment
from tests.nrm.case_files import as_file

ROWS = (
    {"case_ref": "Secret/1", "referred_on": "2025-03-01", "sex": "F"},
    {"case_ref": "Secret/2", "referred_on": "2025-04-01"},
)


def upload(client: Any, *rows: dict[str, Any], key: uuid.UUID | None = None) -> Any:
    body = as_file(*(rows or ROWS)).read()
    data = {
        "key": str(key or uuid.uuid4()),
        "institution": str(Institution.objects.get(code="ONATC").pk),
        "file": SimpleUploadedFile("cases.csv", body, content_type="text/csv"),
    }
    return client.post(reverse("nrm:import-upload"), data, follow=True)


def run_jobs() -> None:
    assert tasks.import_cases  # known to the jobs since its module was loaded
    for job in Job.objects.filter(state="queued"):
        jobs.run(str(job.pk))


@pytest.mark.django_db(transaction=True)
def test_a_file_is_looked_at_then_brought_in_once_by_a_job(client_for):
    client = client_for("monitoring")
    assert b"Columns of the file" in client.get(reverse("nrm:import-upload")).content
    page = upload(client)
    found = CaseImport.objects.get()
    assert b"new cases" in page.content and not Case.objects.exists() and b"Secret" not in bytes(found.sealed)
    apply = reverse("nrm:import-apply", args=[found.pk])
    for _press in range(2):
        client.post(apply)
    assert Job.objects.filter(kind="import_cases").count() == 1
    run_jobs()
    job = Job.objects.get(kind="import_cases")
    found.refresh_from_db()
    assert job.state == "done" and found.state == "applied" and found.sealed is None and Case.objects.count() == 2
    assert Case.objects.first().recorded_by.email == "monitoring@onatc.example"
    imports.apply_file(
        found.pk, by=found.brought_by, progress=lambda _done, _all: None
    )  # a second worker changes nothing
    assert Case.objects.count() == 2
    assert b"brought in already" in client.post(apply, follow=True).content
    assert b"Brought in by" in client.get(found.get_absolute_url()).content
    again = upload(client)
    assert b"The file brings nothing new" in again.content


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_stopped_before_the_end_leaves_nothing(world):
    key = uuid.uuid4()
    found = imports.keep_file(as_file(*ROWS), Institution.objects.get(code="ONATC"), by=world.director, key=key)

    def stop(done: int, of: int) -> None:
        if done == of:
            raise jobs.Stopped

    with pytest.raises(jobs.Stopped):
        imports.apply_file(found.pk, by=world.director, progress=stop)
    found.refresh_from_db()
    assert found.state == "previewed" and not Case.objects.exists()


def test_problems_are_shown_with_their_rows_and_nothing_is_kept_of_the_file(client_for):
    page = upload(
        client_for("director"), *ROWS, {"case_ref": "Secret/3", "referred_on": "31.2.2025", "sex": "Emri Mbiemri"}
    )
    text = page.content.decode()
    found = CaseImport.objects.get()
    assert "2 problems" in text and "referred_on" in text and '<td class="num">4</td>' in text
    assert found.sealed is None and "Mbiemri" not in text and "Mbiemri" not in str(found.problems)
    with pytest.raises(Refused):
        imports.ask_to_apply(found, by=found.brought_by)


def test_the_same_form_sent_twice_is_one_file(client_for):
    client, key = client_for("director"), uuid.uuid4()
    upload(client, key=key)
    upload(client, key=key)
    assert CaseImport.objects.count() == 1


def test_a_file_that_nobody_applies_is_gone_after_a_day(world):
    found = imports.keep_file(
        as_file(*ROWS), Institution.objects.get(code="ONATC"), by=world.director, key=uuid.uuid4()
    )
    assert imports.forget_files() == 0
    CaseImport.objects.update(brought_at=timezone.now() - timedelta(hours=25))
    with pytest.raises(Refused):
        imports.ask_to_apply(found, by=world.director)
    assert imports.forget_files() == 1 and CaseImport.objects.get().sealed is None


def test_others_neither_bring_files_in_nor_count_unprotected(client_for, world):
    for name in ("natc", "planning", "child", "information", "focal_point", "local", "observer", "administrator"):
        client = client_for(name)
        for page in ("nrm:import-upload", "nrm:statistics"):
            assert client.get(reverse(page)).status_code == 403, (name, page)
        with pytest.raises(PermissionDenied):
            imports.keep_file(
                as_file(*ROWS), Institution.objects.get(code="ONATC"), by=getattr(world, name), key=uuid.uuid4()
            )
    assert not CaseImport.objects.exists()


def test_a_role_that_ended_meanwhile_brings_nothing_in(world):
    found = imports.keep_file(
        as_file(*ROWS), Institution.objects.get(code="ONATC"), by=world.monitoring, key=uuid.uuid4()
    )
    RoleAssignment.objects.filter(user=world.monitoring).update(ends_on=timezone.localdate() - timedelta(days=1))
    with pytest.raises(PermissionDenied):
        imports.apply_file(found.pk, by=world.monitoring, progress=lambda _done, _all: None)
    assert not Case.objects.exists()


def test_counts_are_shown_to_the_office_and_their_file_is_on_record(client_for):
    client = client_for("monitoring")
    imports.bring_in(as_file(*ROWS), Institution.objects.get(code="ONATC"), by=None)
    asked = {"population": "referred", "start": "2025-01-01", "end": "2025-12-31", "by": ["sex", "period"]}
    page = client.get(reverse("nrm:statistics"), asked).content.decode()
    assert '<td>2025Q2</td><td class="num">1</td>' in page.replace("\n", "") and "need not add up" in page
    table = client.get(reverse("nrm:statistics"), asked | {"format": "csv"})
    assert b"".join(table.streaming_content).startswith(b"\xef\xbb\xbfpopulation,unit,date_rule")
    assert TrailEntry.objects.filter(act="exported", details__what__startswith="statistics-referred").exists()
    wrong = client.get(reverse("nrm:statistics"), asked | {"rule": "first_formal"}).content.decode()
    assert "no date rule for referred" in wrong
    assert client.get(reverse("nrm:statistics")).status_code == 200
