"""Keeping the application running: its state for the administrator, figures for a monitoring system, maintenance."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import shutil
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import pgtrigger
import redis
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Count, F, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from onatc import backup, jobs, logs, mail, store, trail
from onatc.backup import BackupRun, BackupState
from onatc.errors import Refused, proof_required, require
from onatc.files import kinds
from onatc.http import readiness
from onatc.jobs import Job, JobState
from onatc.mail import Message, MessageState
from onatc.schedules import ScheduledRun, last_runs

BACKUP_WARNING = timedelta(hours=26)
CERTIFICATE_WARNING = timedelta(days=14)
UNCOLLECTED = store.COLLECT_AFTER + timedelta(days=8)  # the collector comes once a week
MAINTENANCE_KEY, LOOKED_UP_SECONDS = "maintenance", 5


class Certificate(models.Model):
    """Until when the certificate of the service's own address is good; looked at once a day, never in a request."""

    host = models.CharField(max_length=200, primary_key=True)
    expires_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)
    looked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.host


def look_at_certificate() -> None:
    address = urlsplit(settings.SITE_URL)
    if address.scheme != "https" or not address.hostname:
        return
    values: dict[str, Any] = {"expires_at": None, "error": "", "looked_at": timezone.now()}
    try:
        with (
            socket.create_connection((address.hostname, address.port or 443), timeout=3) as link,
            ssl.create_default_context().wrap_socket(link, server_hostname=address.hostname) as secure,
        ):
            until: Any = (secure.getpeercert() or {}).get("notAfter")
            values["expires_at"] = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)
    except (OSError, ValueError) as error:
        values["error"] = type(error).__name__
    Certificate.objects.update_or_create(host=address.hostname, defaults=values)


def nightly_backup() -> None:
    """Into `BACKUP_DIR`, when it is set; old ones expire."""
    if not settings.BACKUP_DIR:
        return
    folder = Path(settings.BACKUP_DIR)
    backup.make(folder / f"onatc-{timezone.localtime():%Y%m%d-%H%M}.backup")
    backup.remove_old(folder)


# Maintenance


class Maintenance(models.Model):
    """While a row stands, only administrators get in; it is switched on the status page or by `manage.py maintenance`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    since = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("maintenance")
        verbose_name_plural = _("maintenance")

    def __str__(self) -> str:
        return str(self.since)


def begin_maintenance(until: datetime | None = None) -> None:
    Maintenance.objects.update_or_create(id=1, defaults={"until": until, "since": timezone.now()})
    _forget_maintenance()


def end_maintenance() -> None:
    Maintenance.objects.all().delete()
    _forget_maintenance()


def _forget_maintenance() -> None:
    try:
        cache.delete(MAINTENANCE_KEY)
    except redis.RedisError:
        return


def maintenance() -> dict[str, Any] | None:
    """{"until": moment or None} while it is on; right within five seconds, and for every process."""
    try:
        known = cache.get(MAINTENANCE_KEY)
    except redis.RedisError:
        known = None  # Valkey away: slower, not open to all (threats.md R15)
    if known is None:
        try:
            row = Maintenance.objects.first()
        except DatabaseError:
            return None
        known = {"on": row is not None, "until": row.until if row else None}
        with contextlib.suppress(redis.RedisError):
            cache.set(MAINTENANCE_KEY, known, LOOKED_UP_SECONDS)
    return known if known["on"] else None


OPEN_IN_MAINTENANCE = ("healthz", "readyz", "metrics", "set-language")


class MaintenanceMiddleware:
    """Everybody but administrators is told until when; signing in goes on, so that administrators get in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        state = maintenance()
        if state is None:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in OPEN_IN_MAINTENANCE or name.startswith(("account_", "mfa_")):
            return None
        if getattr(request.user, "is_administrator", False):
            return None
        sent = {"was_sent": request.method == "POST", "kept_at": _keep(request)}
        response = render(request, "onatc/maintenance.html", state | sent, status=503)
        response.headers["Retry-After"] = "300"
        return response


def _keep(request: HttpRequest) -> str:
    """The address where its writer finds again what was just sent; empty when there was nothing, or it cannot be kept.

    Sealed as at the end of a session. What htmx sends by itself stays on the page that sent it.
    """
    if request.method != "POST" or not request.user.is_authenticated or request.headers.get("HX-Request"):
        return ""
    try:
        kept = import_string(settings.KEEPS_TEXT)(request, request.user)
    except DatabaseError:
        return ""
    return reverse("kept-text", args=[kept.pk]) if kept else ""


# The status page

# What /readyz checks, in words, with what to say when it is not in order.
CHECKS = {
    "database": (_("database"), _("does not answer")),
    "migrations": (_("changes of the database"), _("not all of them were made")),
    "broker": (_("queue"), _("does not answer; work and mails wait in their tables")),
    "worker": (_("worker"), _("no sign of life for two minutes")),
    "files": (_("store of files"), _("cannot be written to, or has no room left")),
    "anchors": (_("seals of the trail"), None),  # says itself what is wrong (onatc/trail.py)
    "file numbers": (_("own file numbers of cases"), _("some are sealed with a key that is missing")),
    "second factors": (_("second factors of accounts"), _("some are sealed with a key that is missing")),
    "scanner": (_("scanner of files"), _("does not answer; no file is taken")),
}
SCHEDULES = {
    "record heartbeat": _("sign of life of the worker"),
    "catch up schedules": _("what should have run while the system was down"),
    "sweep jobs": _("work that was left behind is taken up again"),
    "send messages": _("mails are sent"),
    "forget old mails": _("texts of old mails are forgotten"),
    "leave the head of the trail": _("the head of the trail is left outside the database"),
    "tell of unusual reading": _("the Director is told of unusual reading"),
    "take in roles of the day": _("the search takes in roles that begin or end"),
    "note what is over": _("sessions end with the roles that ended"),
    "forget old changes": _("old marks of changes are forgotten"),
    "remind of action points": _("reminders of action points are sent"),
    "put action points on agendas": _("action points long overdue go on the next agenda"),
    "schedule rounds": _("the next round of each series is scheduled"),
    "open due rounds": _("reporting rounds that are due open"),
    "refresh signals": _("signals are computed anew"),
    "remind": _("reminders of reports that are due"),
    "close consultations": _("consultations whose term is over are closed"),
    "remind of consultations": _("reminders of consultations that end soon"),
    "send digests": _("one mail a day to whoever chose it"),
    "mail the head of the trail": _("the head of the trail goes out by mail"),
    "remind of access reviews": _("reminders to confirm roles"),
    "tell of agreements": _("notices before agreements end or are to be reviewed"),
    "remind of obligations": _("reminders of obligations under agreements"),
    "remind of services": _("providers are reminded to confirm their services"),
    "warn of breaches": _("warnings before the 72 hours of a breach of data are over"),
    "find deviations": _("problems of the referral mechanism are looked for by rule"),
    "remind of corrections": _("reminders of corrections of the referral mechanism"),
    "catch up the search": _("the search takes in what is new"),
    "collect files": _("files that belong to no record are removed"),
    "nightly backup": _("backup of the night"),
    "look at the certificate": _("the certificate is looked at"),
    "forget kept texts": _("texts kept for a day are forgotten"),
    "forget private senders": _("data of private senders of enquiries is removed"),
    "remind of enquiries": _("reminders of enquiries that are due or overdue"),
    "remind of questions": _("reminders of questions of questionnaires that are due"),
    "bring referrals to the office": _("referrals without an answer are brought to the office"),
    "end reflection periods": _("reflection periods end on their planned day"),
    "forget files of cases": _("uploaded files of cases that nobody brought in are forgotten"),
    "remind of training needs": _("reminders of training needs that were asked for"),
    "remind of training follow-ups": _("reminders to say what a training changed"),
    "warn of deadlines": _("owners of steps of cases are warned before they are due"),
    "escalate deadlines": _("missed steps of cases are brought to the office"),
    "refresh timeliness": _("figures of timeliness are made anew where something changed"),
    "keep timeliness": _("all figures of timeliness are made anew"),
    "release timeliness": _("timeliness of a half-year that is over is released"),
}
JOBS = {
    "build_report": _("files of a report"),
    "issue_report": _("a report is issued"),
    "questionnaire_file": _("file of a questionnaire"),
    "ask_about_twins": _("institutions are asked about cases that may be of one person"),
    "referral_receipt": _("receipt of a referral"),
    "import_cases": _("a file of cases is brought in"),
    "sop_trial": _("trial of a version of the SOP"),
}


def _checks_in_words(checks: dict[str, str]) -> list[tuple[str, bool, str]]:
    """Name, whether it is well, and what is wrong; what is not known here is shown as it is."""
    rows = []
    for name, found in checks.items():
        label, complaint = CHECKS.get(name, (name, found))
        rows.append((str(label), found == "ok", "" if found == "ok" else str(complaint or gettext(found))))
    return rows


def _disk(path: str) -> dict[str, Any]:
    usage = shutil.disk_usage(path)
    return {"free": usage.free, "total": usage.total, "is_low": usage.free < usage.total * 0.1}


def state_of_things() -> dict[str, Any]:
    """All that the status page and the metrics show, in a constant number of queries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        postgres, size = cursor.fetchone()
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
        info: Any = client.info()
        valkey = info.get("valkey_version") or info["redis_version"]
        client.close()
    except redis.RedisError:
        valkey = gettext("no answer")
    waiting = Job.objects.filter(state=JobState.QUEUED).aggregate(oldest=Min("created_at"))["oldest"]
    backups = list(BackupRun.objects.all()[:5])
    last = next((run for run in backups if run.state == BackupState.DONE), None)
    now = timezone.now()
    return {
        "versions": [
            ("ONATC", settings.VERSION),
            ("Python", platform.python_version()),
            ("Django", django.get_version()),
            ("PostgreSQL", postgres),
            ("Valkey", valkey),
        ],
        "checks": readiness(),
        "jobs": dict(Job.objects.values_list("state").annotate(Count("pk")).order_by()),
        "oldest_waiting": waiting,
        "mails": dict(Message.objects.values_list("state").annotate(Count("pk")).order_by()),
        "database_size": size,
        "disk": _disk(str(settings.VAR_DIR)),
        "backups": backups,
        "last_backup": last,
        "backup_is_late": bool(settings.BACKUP_DIR)
        and (last is None or last.finished_at is None or now - last.finished_at > BACKUP_WARNING),
        "certificates": list(Certificate.objects.all()),
        "certificate_limit": now + CERTIFICATE_WARNING,
        "heartbeat": jobs.Heartbeat.objects.filter(name="worker").first(),
    }


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require(user.sees_status)
    context = state_of_things()
    ran = last_runs()
    failed_jobs = Job.objects.filter(state=JobState.FAILED).order_by(F("finished_at").desc(nulls_last=True))[:20]
    context |= {
        "checks_in_words": _checks_in_words(context["checks"]),
        "schedules": sorted((str(SCHEDULES.get(name, name)), ran.get(name)) for name in settings.CELERY_BEAT_SCHEDULE),
        "skipped": [
            (SCHEDULES.get(run.name, run.name), run)
            for run in ScheduledRun.objects.exclude(state__in=["done", "running"])[:20]
        ],
        "failed_jobs": [(JOBS.get(job.kind, job.kind), job) for job in failed_jobs],
        "failed_mails": Message.objects.filter(state__in=[MessageState.FAILED, MessageState.BOUNCED])[:20],
        "job_states": [(JobState(state).label, count) for state, count in sorted(context["jobs"].items())],
        "mail_states": [(MessageState(state).label, count) for state, count in sorted(context["mails"].items())],
        "maintenance": Maintenance.objects.first(),
        "trail": trail.head(),
        "form": MaintenanceForm(),
    }
    return render(request, "onatc/status.html", context)


class MaintenanceForm(forms.Form):
    minutes = forms.IntegerField(
        label=_("For how many minutes, as far as you know"), min_value=1, max_value=1440, required=False
    )


@require_POST
@proof_required
def maintenance_switch(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    require(user.is_administrator)
    form = MaintenanceForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("The number of minutes lies between 1 and 1440."))
    elif "on" in request.POST:
        minutes = form.cleaned_data["minutes"]
        begin_maintenance(timezone.now() + timedelta(minutes=minutes) if minutes else None)
    else:
        end_maintenance()
    return redirect("status")


@require_POST
def status_retry_job(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    user: Any = request.user
    require(user.sees_status)
    job = get_object_or_404(Job, pk=pk, state=JobState.FAILED)
    try:
        jobs.retry(job.pk)
        messages.success(request, gettext("The work waits again."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("status")


@require_POST
def status_send_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    user: Any = request.user
    require(user.sees_status)
    message = get_object_or_404(Message, pk=pk, state__in=[MessageState.FAILED, MessageState.BOUNCED])
    if mail.try_again(message):
        messages.success(request, gettext("The mail waits again."))
    else:
        messages.error(request, gettext("Its link was forgotten when it was sent: ask for a new one instead."))
    return redirect("status")


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For a monitoring system that knows the token, in Prometheus' text format; for nobody else."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, settings.METRICS_TOKEN):
        raise Http404
    state = state_of_things()
    beat = state["heartbeat"]
    lines = [f'onatc_jobs{{state="{name}"}} {count}' for name, count in sorted(state["jobs"].items())]
    lines += [f'onatc_mails{{state="{name}"}} {count}' for name, count in sorted(state["mails"].items())]
    lines += [
        f'onatc_answers_total{{page="{page}",class="{kind}"}} {count}'
        for (page, kind), count in sorted(logs.counted().items())
    ]
    lines += [f'onatc_ready{{check="{name}"}} {int(found == "ok")}' for name, found in state["checks"].items()]
    lines += [
        f"onatc_database_bytes {state['database_size']}",
        f"onatc_disk_free_bytes {state['disk']['free']}",
        f"onatc_worker_heartbeat_seconds {round(time.time() - beat.at.timestamp()) if beat else -1}",
        f"onatc_trail_entries {trail.head()[0]}",
    ]
    if last := state["last_backup"]:
        lines.append(f"onatc_backup_age_seconds {round(time.time() - last.finished_at.timestamp())}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


# Invariants

Rule = Callable[[], Iterable[str]]
_rules: list[Rule] = []


def invariant(rule: Rule) -> Rule:
    """Register what must always be true of an app's records: a function that names, in a sentence each, what is not."""
    _rules.append(rule)
    return rule


def violations() -> list[str]:
    """What must always be true and is not, each in a sentence (threats.md R21). Fault tests end with it."""
    found = []
    now = timezone.now()
    silent = Job.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=now - timedelta(minutes=10))
    found += [f"job {job.pk} runs without a living worker" for job in silent]
    found += [f"mail {message.pk} waits for more than an hour" for message in mail.stuck()]
    found += _files_that_are_not_right()
    try:
        orphans = store.orphans(UNCOLLECTED)
        found += [f"file {name}: no record refers to it, and it was not collected" for name in orphans]
    except store.AWAY as error:
        found.append(f"the store of files does not answer: {type(error).__name__}")
    path = Path(settings.TRAIL_ANCHOR_FILE)
    # That the file is away is for /readyz and verify_audit to say; here the chain is looked at.
    found += [f"trail: {one}" for one in trail.verify(trail.anchors_in(path) if path.exists() else ())]
    found += [f"trigger {name} is missing or switched off" for name in _triggers_that_are_away()]
    for rule in _rules:
        found += rule()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text || '.' || conname FROM pg_constraint "
            "WHERE NOT convalidated AND connamespace = 'public'::regnamespace"
        )
        found += [f"constraint {row[0]} was never checked" for row in cursor.fetchall()]
    return found


def _files_that_are_not_right() -> Iterator[str]:
    for model in kinds():
        for row in model._default_manager.only("pk", "file", "sha256").iterator():
            try:
                with row.file.open("rb") as stored:
                    digest = hashlib.file_digest(stored, "sha256").hexdigest()
            except store.AWAY:
                yield f"{model._meta.label_lower} {row.pk}: its file is not in the store, or cannot be read"
                continue
            if digest != row.sha256:
                yield f"{model._meta.label_lower} {row.pk}: its file is not the one that was kept"


def _triggers_that_are_away() -> list[str]:
    """What keeps changes on record, issued reports as they are and the trail whole is done by triggers."""
    wanted = {(model._meta.db_table, trigger.get_pgid(model)) for model, trigger in pgtrigger.registered()}
    wanted.add((trail.TrailEntry._meta.db_table, "onatc_trail_is_kept"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND tgenabled <> 'D' AND relnamespace = 'public'::regnamespace"
        )
        present = set(cursor.fetchall())
    return sorted(f"{table}.{name}" for table, name in wanted - present)
