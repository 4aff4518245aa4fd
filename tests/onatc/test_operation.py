"""Status, maintenance, metrics, logs and invariants (threats R5, R21, T34)."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring import actions as report_actions
from monitoring.models import Report
from onatc import logs, operation, trail
from onatc.http import readiness
from onatc.models import Job, JobState, Maintenance, Message, MessageState
from onatc.tasks import run_job
from stakeholders.models import KeptText, User
from strategy.models import Evidence
from tests.processes import ROOT, kill, start_worker, until
from tests.strategy.steps import drafted

pytestmark = pytest.mark.django_db
CANARY = "ArtaKrasniqi"


def test_the_status_page_shows_what_an_administrator_needs_and_no_content(world, client_for):
    job = Job.objects.create(
        kind="build_report", key="k", title=f"T {CANARY}", state=JobState.FAILED, params={"x": CANARY}
    )
    mail = Message.objects.create(occasion="o", subject=f"S {CANARY}", text="x", state=MessageState.FAILED)
    client = client_for("administrator")
    page = client.get(reverse("status")).content.decode()
    for word in ("PostgreSQL", "Valkey", "Last backup", "Queue", "Disk", "Schedules"):
        assert word in page
    assert CANARY not in page
    client.post(reverse("status-retry-job", args=[job.pk]))
    client.post(reverse("status-send-again", args=[mail.pk]))
    job.refresh_from_db()
    mail.refresh_from_db()
    assert (job.state, mail.state) == (JobState.QUEUED, MessageState.QUEUED)
    assert client_for("planning").get(reverse("status")).status_code == 403


def test_the_status_page_names_checks_and_schedules_in_words_of_its_reader(world, client_for, settings):
    assert set(settings.CELERY_BEAT_SCHEDULE) == set(operation.SCHEDULES)
    assert set(readiness()) | {"scanner"} == set(operation.CHECKS)  # the scanner is asked where there is one
    User.objects.filter(pk=world.administrator.pk).update(language="sq")
    page = client_for("administrator").get(reverse("status")).content.decode()
    assert "nuk ka dhënë shenjë prej dy minutash" in page and "kopja rezervë e natës" in page
    for word in (*settings.CELERY_BEAT_SCHEDULE, "heartbeat", "broker", "migrations"):
        assert f">{word}<" not in page and f"{word}</" not in page


def test_maintenance_lets_administrators_in_and_tells_others_until_when(world, client_for):
    administrator, planner = client_for("administrator"), client_for("planning")
    administrator.post(reverse("maintenance-switch"), {"on": "1", "minutes": "30"})
    answer = planner.get("/")
    assert answer.status_code == 503 and "Work is being done" in answer.content.decode()
    assert administrator.get("/").status_code == 200
    assert Client().get(reverse("account_login")).status_code == 200
    assert Client().get("/healthz").status_code == 200
    call_command("maintenance", "off")
    assert planner.get("/").status_code == 200


def test_what_is_sent_during_maintenance_is_kept_for_its_writer_and_can_be_sent_afterwards(world, client_for):
    planner, colleague = client_for("planning"), client_for("monitoring")
    operation.begin_maintenance()
    url = reverse("report-problem")
    answer = planner.post(url, {"text": "Shkruar gjatë mirëmbajtjes.", "page": "home"})
    kept = KeptText.objects.get()
    address = reverse("kept-text", args=[kept.pk])
    assert answer.status_code == 503 and address in answer.content.decode()
    assert b"mir" not in bytes(kept.sealed)
    # Nothing was written, or a page saves by itself: nothing is kept.
    assert "was not saved" in planner.post(url, {}).content.decode()
    planner.post(url, {"text": "x"}, headers={"hx-request": "true"})
    assert KeptText.objects.count() == 1
    assert planner.get(address).status_code == 503
    operation.end_maintenance()
    page = planner.get(address).content.decode()
    assert "Shkruar gjatë mirëmbajtjes." in page and url in page
    assert colleague.get(address).status_code == 404


def test_maintenance_holds_while_valkey_is_away(world, client_for, settings):
    """R15: without the cache the row is asked; nothing fails open."""
    planner = client_for("planning")
    operation.begin_maintenance()
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert planner.get("/").status_code == 503
    Maintenance.objects.all().delete()
    assert planner.get("/").status_code == 200


@pytest.mark.parametrize("minutes", ["x", "0", "99999", "-5", "1" * 50])
def test_a_number_of_minutes_that_makes_no_sense_is_refused(world, client_for, minutes):
    client = client_for("administrator")
    client.post(reverse("maintenance-switch"), {"on": "1", "minutes": minutes})
    assert not operation.Maintenance.objects.exists()


def test_metrics_are_for_whoever_knows_the_token(world, settings):
    client = Client()
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "t" * 40
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 404
    text = client.get("/metrics", headers={"authorization": f"Bearer {'t' * 40}"}).content.decode()
    assert 'onatc_ready{check="database"} 1' in text and "onatc_trail_entries" in text
    assert 'onatc_answers_total{page="metrics",class="4xx"} 2' in text


def test_nothing_that_was_typed_stands_in_the_log(world, client_for, caplog):
    """T34: a canary in query, form, path and header, over pages that are found, refused and broken."""
    caplog.set_level(logging.DEBUG, "onatc.request")
    client = client_for("director")
    client.raise_request_exception = False
    client.get("/measures/", {"q": CANARY})
    client.get(f"/{CANARY}/", headers={"user-agent": CANARY})
    client.post(reverse("stakeholders:invite"), {"full_name": CANARY})
    client.post(reverse("account_login"), {"login": f"{CANARY}@example.org", "password": CANARY})
    client.get(reverse("monitoring:report-detail", args=["00000000-0000-4000-8000-000000000000"]), {"x": CANARY})
    ours = [record for record in caplog.records if record.name.startswith("onatc")]
    text = "\n".join(logs.JsonFormatter().format(record) for record in ours)
    assert CANARY not in text and '"page": "strategy:measure-list"' in text


def test_what_is_not_there_and_what_is_not_allowed_are_no_errors_in_the_log(world, client_for, caplog):
    assert client_for("planning").get(reverse("status")).status_code == 403
    assert client_for("planning").get(reverse("job-detail", args=[world.plan.pk])).status_code == 404
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.django_db(transaction=True)
def test_a_task_that_fails_writes_no_value_into_the_workers_log(tmp_path, monkeypatch):
    """T34: a real worker; the exception's text holds what was given to the task."""
    monkeypatch.setenv("LOG_FORMAT", "json")
    log = tmp_path / "worker.log"
    with log.open("wb") as file:
        worker = start_worker(log=file)
    try:
        run_job.apply_async([CANARY], retry=False)
        until(lambda: b"run_job" in log.read_bytes(), "the worker logs the failure")
    finally:
        kill(worker)
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    failure = next(line for line in lines if "run_job" in line["message"])
    assert failure["error"] == "ValidationError" and failure["steps"]
    assert CANARY not in log.read_text()


def test_a_line_break_cannot_forge_a_log_line():
    """T24."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "name %s", ("a\nERROR forged\x1b[31m",), None)
    assert "\n" not in logs.JsonFormatter().format(record) and "\n" not in logs.LineFormatter().format(record)
    assert json.loads(logs.JsonFormatter().format(record))["message"].startswith("name a")


def test_an_error_page_names_the_request_and_nothing_else(world, client_for, monkeypatch):
    from monitoring.views import home

    def broken(*args, **kwargs):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(home, "render", broken)
    client = client_for("planning")
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500 and answer.headers["X-Request-ID"] in answer.content.decode()
    assert CANARY not in answer.content.decode()


@pytest.fixture
def issued(world):
    """An issued report without its files, which is a violation of its own."""
    report = report_actions.draft_report(world.plan, world.round.period, by=world.monitoring)
    Report.objects.filter(pk=report.pk).update(state="issued", issued_at=timezone.now(), issued_by=world.natc)
    return report


def as_owner(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in ("SET CONSTRAINTS ALL IMMEDIATE", *statements):
            cursor.execute(statement)


def plant_silent_job(world) -> None:
    long_ago = timezone.now() - timedelta(hours=3)
    Job.objects.create(kind="x", key="k", title="x", state=JobState.RUNNING, heartbeat_at=long_ago)


def plant_stuck_mail(world) -> None:
    long_ago = timezone.now() - timedelta(hours=3)
    Message.objects.create(occasion="o", subject="x", text="x", next_attempt_at=long_ago)


def plant_orphan(world) -> None:
    default_storage.save("ab/orphan", ContentFile(b"x"))
    long_ago = (timezone.now() - timedelta(days=60)).timestamp()
    os.utime(default_storage.inner.path("ab/orphan"), (long_ago, long_ago))


def file_of_a_record(world) -> Evidence:
    entry = drafted(world.request(), world.focal_point)
    return Evidence.keep_content(
        ContentFile(b"a,b"), name="a.csv", content_type="text/csv", entry=entry, uploaded_by=world.focal_point
    )


def plant_lost_file(world) -> None:
    default_storage.delete(file_of_a_record(world).file.name)


def plant_changed_file(world) -> None:
    Path(default_storage.inner.path(file_of_a_record(world).file.name)).write_bytes(b"a,c")


def plant_altered_entry(world) -> None:
    for _number in range(2):
        trail.record(trail.Act.READ, by=world.director, purpose="before")
    as_owner(
        "ALTER TABLE onatc_trailentry DISABLE TRIGGER USER",
        "UPDATE onatc_trailentry SET purpose = 'after' WHERE sequence = 1",
        "ALTER TABLE onatc_trailentry ENABLE TRIGGER USER",
    )


def plant_switched_off_trigger(world) -> None:
    as_owner("ALTER TABLE onatc_trailentry DISABLE TRIGGER onatc_trail_is_kept")


def plant_missing_history(world) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'stakeholders_user'::regclass AND tgname ~ 'update'"
        )
        as_owner(f"DROP TRIGGER {cursor.fetchone()[0]} ON stakeholders_user")


def plant_unchecked_constraint(world) -> None:
    as_owner("ALTER TABLE onatc_job ADD CONSTRAINT planted CHECK (done <= 10) NOT VALID")


@pytest.mark.parametrize(
    ("plant", "sentence"),
    [
        (plant_silent_job, "without a living worker"),
        (plant_stuck_mail, "waits for more than an hour"),
        (plant_orphan, "no record refers to it"),
        (plant_lost_file, "not in the store"),
        (plant_changed_file, "not the one that was kept"),
        (plant_altered_entry, "trail: Entry 1 was altered"),
        (plant_switched_off_trigger, "onatc_trail_is_kept is missing or switched off"),
        (plant_missing_history, "stakeholders_user.pgtrigger_update"),
        (plant_unchecked_constraint, "planted was never checked"),
    ],
)
def test_each_planted_violation_is_found_and_nothing_else_is(world, plant, sentence, capsys):
    """R21."""
    assert operation.violations() == []
    plant(world)
    found = operation.violations()
    assert len(found) == 1 and sentence in found[0]
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    assert sentence in capsys.readouterr().out


def test_an_issued_report_whose_data_was_changed_is_found(world, issued):
    as_owner(
        "ALTER TABLE monitoring_report DISABLE TRIGGER USER",
        "UPDATE monitoring_report SET data = data || '{\"accepted\": 99}'",
        "ALTER TABLE monitoring_report ENABLE TRIGGER USER",
    )
    found = operation.violations()
    assert [one.rpartition(": ")[2] for one in found] == [
        "its data is not what was issued",
        "it was issued without all its files",
    ]


def test_a_full_disk_and_a_read_only_one_are_named_by_readyz(world, tmp_path, settings):
    """R13. A limit on the size of files stands for the full disk, in a process of its own."""
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); import django; django.setup(); "
        "from onatc import store; print(store.is_well()); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); print(store.is_well())"
    )
    environment = os.environ | {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "onatc.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["ok", "no room"], done.stderr
    settings.MEDIA_ROOT = "/proc/onatc"  # nothing can be made there
    answer = Client().get("/readyz")
    assert answer.status_code == 503 and answer.json()["checks"]["files"].startswith("no answer")
