"""Long work: one row, one task, done once.

A job is queued in the transaction of the act that needs it, and published after commit; the row is the truth and the
message only a nudge. A worker claims it by counting up `attempt` under a row lock, beats while it runs, and may finish
only the attempt it claimed, so a late first attempt changes nothing. The sweeper publishes again what was never picked
up or whose worker fell silent; a job whose worker died three times fails visibly.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Self

from django.conf import settings
from django.db import IntegrityError, connections, models, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from onatc.errors import Refused
from onatc.history import acting
from onatc.ids import new_id

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3


class JobState(models.TextChoices):
    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> Self:
        """A job is its owner's alone."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(owner=user)


class Job(models.Model):
    """A piece of long work. `key` names what it makes: while one is waiting or running there is no second."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    key = models.CharField(max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=JobState, default=JobState.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=1)
    attempt = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(_("reason"), max_length=500, blank=True)
    params = models.JSONField(default=dict)
    target_url = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    published_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(state__in=["queued", "running"]), name="job_one_active")
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("job-detail", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in (JobState.QUEUED, JobState.RUNNING)


Progress = Callable[[int, int], None]
Runner = Callable[[Job, Progress], None]
_runners: dict[str, Runner] = {}


def job(kind: str) -> Callable[[Runner], Runner]:
    """Register the function that does the jobs of a kind. It is called with the job and `progress(done, total)`; it must
    leave the same end state when it runs again, and says `Refused` for a reason the owner should read."""

    def register(runner: Runner) -> Runner:
        _runners[kind] = runner
        return runner

    return register


def enqueue(
    kind: str, *, key: str, title: str, by: Any, params: dict[str, Any], total: int = 1, target_url: str = ""
) -> Job:
    """The waiting or running job with that key, or a new one; published when the transaction commits."""
    existing = Job.objects.filter(key=key, state__in=[JobState.QUEUED, JobState.RUNNING]).first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            new = Job.objects.create(
                kind=kind, key=key, title=title, owner=by, params=params, total=total, target_url=target_url
            )
    except IntegrityError:
        return Job.objects.get(key=key, state__in=[JobState.QUEUED, JobState.RUNNING])
    transaction.on_commit(partial(publish, new.pk))
    return new


def publish(pk: uuid.UUID) -> None:
    """Tell the workers; when the broker is away the job waits in its row and the sweeper tries again."""
    from onatc.tasks import run_job

    try:
        run_job.apply_async([str(pk)], retry=False)
    except Exception as error:
        # Any transport error: the row stays queued, the page says so.
        logger.warning("job %s could not be published: %s", pk, type(error).__name__)


def run(pk: str) -> None:
    """Do a job, if it is this worker's turn to; called by the Celery task."""
    with transaction.atomic():
        found = Job.objects.select_for_update().filter(pk=pk).first()
        if found is None or not (found.state == JobState.QUEUED or _is_silent(found)):
            return
        if found.attempt >= MAX_ATTEMPTS:
            _fail(found, gettext("The work stopped three times without an answer. Tell the administrator."))
            return
        found.attempt += 1
        found.state = JobState.RUNNING
        found.started_at = found.heartbeat_at = timezone.now()
        found.save(update_fields=["attempt", "state", "started_at", "heartbeat_at"])
    mine = Job.objects.filter(pk=found.pk, state=JobState.RUNNING, attempt=found.attempt)

    def progress(done: int, total: int) -> None:
        mine.update(done=done, total=total)

    language = found.owner.language if found.owner else settings.LANGUAGE_CODE
    with override(language), acting(found.owner, job=str(found.pk)), _heartbeat(mine):
        try:
            _runners[found.kind](found, progress)
        except Refused as refusal:
            mine.update(state=JobState.FAILED, error=str(refusal)[:500], finished_at=timezone.now())
        except Exception:
            logger.exception("job %s failed", pk)
            mine.update(
                state=JobState.FAILED,
                error=gettext("Something went wrong that is not your doing. The administrator can see why in the log."),
                finished_at=timezone.now(),
            )
        else:
            mine.update(state=JobState.DONE, done=models.F("total"), finished_at=timezone.now())


@contextmanager
def _heartbeat(mine: models.QuerySet[Job]) -> Iterator[None]:
    """Beat from a thread with its own connection: rendering a long PDF gives no other chance to."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.JOB_HEARTBEAT_SECONDS):
                mine.update(heartbeat_at=timezone.now())
        finally:
            connections.close_all()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _is_silent(found: Job) -> bool:
    limit = timezone.now() - timedelta(seconds=settings.JOB_SILENT_SECONDS)
    return found.state == JobState.RUNNING and (found.heartbeat_at is None or found.heartbeat_at < limit)


def _fail(found: Job, reason: str) -> None:
    found.state, found.error, found.finished_at = JobState.FAILED, reason, timezone.now()
    found.save(update_fields=["state", "error", "finished_at"])


def sweep() -> int:
    """Publish again what no worker took within a minute, and what a worker took and fell silent; how many."""
    now = timezone.now()
    waiting = Q(state=JobState.QUEUED, published_at__lt=now - timedelta(seconds=settings.JOB_SILENT_SECONDS))
    silent = Q(state=JobState.RUNNING, heartbeat_at__lt=now - timedelta(seconds=settings.JOB_SILENT_SECONDS))
    with transaction.atomic():
        stuck = list(
            Job.objects.select_for_update(skip_locked=True).filter(waiting | silent).values_list("pk", flat=True)
        )
        Job.objects.filter(pk__in=stuck).update(published_at=now)
    for pk in stuck:
        publish(pk)
    return len(stuck)


class Heartbeat(models.Model):
    """When the worker last did a task that beat sent: proof that broker, worker and beat are all alive."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


def record_heartbeat() -> None:
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})


def worker_is_alive() -> bool:
    """Whether a task was done within the last two minutes."""
    return Heartbeat.objects.filter(name="worker", at__gte=timezone.now() - timedelta(minutes=2)).exists()


@require_safe
def job_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    return render(request, "onatc/job_detail.html", {"job": found})
