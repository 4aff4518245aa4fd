"""Status, maintenance, metrics, logs and invariants (threats R5, R21, T34)."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onatc import logs, operation
from onatc.models import Job, JobState, Message, MessageState

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


def test_maintenance_lets_administrators_in_and_tells_others_what_was_lost(world, client_for):
    administrator, planner = client_for("administrator"), client_for("planning")
    administrator.post(reverse("maintenance-switch"), {"on": "1", "minutes": "30"})
    answer = planner.get("/")
    assert answer.status_code == 503 and "Work is being done" in answer.content.decode()
    assert "was not saved" in planner.post(reverse("deputy-create"), {"x": "1"}).content.decode()
    assert administrator.get("/").status_code == 200
    assert Client().get(reverse("account_login")).status_code == 200
    assert Client().get("/healthz").status_code == 200
    call_command("maintenance", "off")
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


def test_each_planted_violation_is_named(world):
    """R21."""
    assert operation.violations() == []
    long_ago = timezone.now() - timedelta(hours=3)
    Job.objects.create(kind="x", key="k", title="x", state=JobState.RUNNING, heartbeat_at=long_ago)
    Message.objects.create(occasion="o", subject="x", text="x", next_attempt_at=long_ago)
    found = operation.violations()
    assert any("without a living worker" in one for one in found) and any(
        "waits for more than an hour" in one for one in found
    )
    with pytest.raises(SystemExit):
        call_command("check_invariants")
