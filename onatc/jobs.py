"""Long work: one row, one task, done once.

A job is queued in the transaction of the act that needs it, and published after commit; the row is the truth and the
message only a nudge. A worker claims it by counting up `attempt` under a row lock, beats while it runs, and may finish
only the attempt it claimed, so a late first attempt changes nothing. The sweeper publishes again what was never picked
up or whose worker fell silent; a job whose worker died three times fails visibly. What may pass by itself (the database,
the broker or the store away) is tried again after a pause; its owner can cancel a job, between two of its steps.

A runner that calls `progress` in the transaction that writes its results cannot write them late: when the job was
cancelled or taken over meanwhile, `Stopped` rolls them back.
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

import redis
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InterfaceError, OperationalError, connections, models, transaction
from django.db.models import ExpressionWrapper, F, Q, Value
from django.db.models.functions import Least
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from onatc.errors import Refused
from onatc.history import acting
from onatc.ids import new_id

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
PAUSES = (timedelta(seconds=20), timedelta(minutes=2))  # before the second and the third attempt
LONGEST_QUIET = timedelta(minutes=10)  # between two messages about a job that still waits
CLOCK_SLACK = timedelta(seconds=5)  # what the clocks of two machines may differ by
PASSING = (OperationalError, InterfaceError, ConnectionError, TimeoutError, redis.RedisError)


class JobState(models.TextChoices):
    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Stopped(Exception):
    """The job was cancelled, or another worker took it over: the runner ends here and changes nothing more."""


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
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("on behalf of"),
    )
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=JobState, default=JobState.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=1)
    attempt = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(_("reason"), max_length=500, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(default=timezone.now)
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
        return self.kind  # not the title, which names records: administrators and logs see it

    def get_absolute_url(self) -> str:
        return reverse("job-detail", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def actor(self) -> Any:
        """The owner with the rights they have now, and those of whom they acted for, if that deputyship still holds."""
        owner = self.owner
        if owner is not None and self.on_behalf_of_id:
            held = (one.principal for one in owner.deputyships if one.principal_id == self.on_behalf_of_id)
            owner.acting_for = next(held, None)
        return owner


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
    while True:
        existing = Job.objects.filter(key=key, state__in=[JobState.QUEUED, JobState.RUNNING]).first()
        if existing is not None:
            return existing
        try:
            with transaction.atomic():
                new = Job.objects.create(
                    kind=kind,
                    key=key,
                    title=title[:200],
                    owner=by,
                    on_behalf_of=getattr(by, "acting_for", None),
                    params=params,
                    total=total,
                    target_url=target_url,
                )
        except IntegrityError:
            continue  # somebody else was faster, and may even be done by now
        transaction.on_commit(partial(publish, new.pk))
        return new


def publish(pk: uuid.UUID) -> bool:
    """Tell the workers, and whether that went well; when the broker is away the job waits in its row and the sweeper tries again."""
    from onatc.tasks import run_job

    try:
        run_job.apply_async([str(pk)], retry=False)
    except Exception as error:
        # Any transport error: the row stays queued, the page says so.
        logger.warning("job %s could not be published: %s", pk, type(error).__name__)
        return False
    return True


def run(pk: str) -> None:
    """Do a job, if it is this worker's turn to; called by the Celery task."""
    found = _claim(pk)
    if found is None:
        return
    # The moment of the claim is part of the condition: tried again by its owner, the attempts count from one anew.
    mine = Job.objects.filter(pk=found.pk, state=JobState.RUNNING, attempt=found.attempt, started_at=found.started_at)

    def progress(done: int, total: int) -> None:
        if not mine.filter(cancel_asked_at__isnull=True).update(done=done, total=total):
            raise Stopped

    def fail(reason: str) -> None:
        mine.update(state=JobState.FAILED, error=reason[:500], finished_at=timezone.now())

    with override(_language(found)), acting(found.actor, job=str(found.pk)), _heartbeat(mine):
        try:
            _runners[found.kind](found, progress)
        except Stopped:
            mine.update(state=JobState.CANCELLED, finished_at=timezone.now())
        except (Refused, PermissionDenied) as refusal:
            fail(str(refusal) or gettext("Your role does not allow this."))
        except PASSING as error:
            logger.warning("job %s met %s", pk, type(error).__name__)
            _try_later(mine, found.attempt)
        except SoftTimeLimitExceeded:
            logger.warning("job %s took too long", pk)
            minutes = settings.CELERY_TASK_SOFT_TIME_LIMIT // 60
            fail(gettext("The work took longer than %(minutes)s minutes and was ended.") % {"minutes": minutes})
        except Exception:
            logger.exception("job %s failed", pk)
            fail(gettext("Something went wrong that is not your doing. The administrator can see why in the log."))
        else:
            mine.update(state=JobState.DONE, done=models.F("total"), finished_at=timezone.now())


@transaction.atomic
def _claim(pk: str) -> Job | None:
    """The job, now running and this worker's; None when it is not this worker's turn, or there is nothing left to do."""
    found = Job.objects.select_for_update().filter(pk=pk).first()
    if found is None or not (found.state == JobState.QUEUED or _is_silent(found)):
        return None
    if found.not_before > timezone.now():
        return None  # the sweeper brings it back when its pause is over
    if found.cancel_asked_at is not None:
        found.state, found.finished_at = JobState.CANCELLED, timezone.now()
        found.save(update_fields=["state", "finished_at"])
        return None
    if found.attempt >= MAX_ATTEMPTS:
        with override(_language(found)):
            found.error = gettext("The work stopped three times without an answer. Tell the administrator.")
        found.state, found.finished_at = JobState.FAILED, timezone.now()
        found.save(update_fields=["state", "error", "finished_at"])
        return None
    found.attempt += 1
    found.state = JobState.RUNNING
    found.started_at = found.heartbeat_at = timezone.now()
    found.save(update_fields=["attempt", "state", "started_at", "heartbeat_at"])
    return found


def _language(found: Job) -> str:
    return found.owner.language if found.owner else settings.LANGUAGE_CODE


@contextmanager
def _heartbeat(mine: models.QuerySet[Job]) -> Iterator[None]:
    """Beat from a thread with its own connection: rendering a long PDF gives no other chance to."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.JOB_HEARTBEAT_SECONDS):
                try:
                    mine.update(heartbeat_at=timezone.now())
                except (OperationalError, InterfaceError):
                    connections.close_all()  # the database is away; the job itself will find out
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


def _try_later(mine: models.QuerySet[Job], attempt: int) -> None:
    """Back into the queue after a pause; the last time, failed with a reason. With the database away nothing is written:
    the heartbeat stops, and the sweeper brings the job back."""
    try:
        if not connections["default"].in_atomic_block:
            connections["default"].close_if_unusable_or_obsolete()
        if attempt >= MAX_ATTEMPTS:
            reason = gettext("A service that this work needs did not answer, three times. Try again later.")
            mine.update(state=JobState.FAILED, error=reason, finished_at=timezone.now())
        else:
            mine.update(state=JobState.QUEUED, done=0, not_before=timezone.now() + PAUSES[attempt - 1])
    except (OperationalError, InterfaceError):
        connections.close_all()


@transaction.atomic
def cancel(pk: uuid.UUID) -> None:
    """End a waiting job, or ask a running one to end after its present step; one that is over stays as it is."""
    found = Job.objects.select_for_update(of=("self",)).get(pk=pk)
    if found.state == JobState.QUEUED:
        found.state, found.cancel_asked_at, found.finished_at = JobState.CANCELLED, timezone.now(), timezone.now()
        found.save(update_fields=["state", "cancel_asked_at", "finished_at"])
    elif found.state == JobState.RUNNING and found.cancel_asked_at is None:
        found.cancel_asked_at = timezone.now()
        found.save(update_fields=["cancel_asked_at"])


@transaction.atomic
def retry(pk: uuid.UUID) -> None:
    """Put a failed or cancelled job back into the queue; refused while another with the same key is under way."""
    found = Job.objects.select_for_update(of=("self",)).get(pk=pk)
    if found.state not in (JobState.FAILED, JobState.CANCELLED):
        return
    found.state, found.attempt, found.error, found.done = JobState.QUEUED, 0, "", 0
    found.cancel_asked_at = found.finished_at = None
    found.not_before = found.published_at = timezone.now()
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as error:
        raise Refused(gettext("The same work is under way already.")) from error
    transaction.on_commit(partial(publish, found.pk))


def sweep() -> int:
    """Publish again what no worker took within a minute, and what a worker took and fell silent; how many."""
    now = timezone.now()
    # A moment that lies ahead was written by a clock that has been set back since: counted from now on, or what died
    # before the change would look alive until the old time is reached again.
    Job.objects.filter(state=JobState.RUNNING, heartbeat_at__gt=now + CLOCK_SLACK).update(heartbeat_at=now)
    Job.objects.filter(
        state__in=[JobState.QUEUED, JobState.RUNNING], not_before__gt=now + max(PAUSES) + CLOCK_SLACK
    ).update(not_before=now)
    Job.objects.filter(state=JobState.QUEUED, published_at__gt=now + CLOCK_SLACK).update(published_at=now)
    # Told again after 45 seconds, then after as long as it has waited already: a worker that is slow, and not dead, would
    # otherwise drown in what it was told before.
    quiet = Q(published_at__lt=now - timedelta(seconds=settings.JOB_SILENT_SECONDS))
    waited = Least(F("published_at") - F("not_before"), Value(LONGEST_QUIET))
    waiting = Q(state=JobState.QUEUED, not_before__lte=now) & (
        Q(attempt__gt=0, published_at__lt=F("not_before"))
        | quiet & Q(published_at__lte=ExpressionWrapper(Value(now) - waited, output_field=models.DateTimeField()))
    )
    silent = quiet & Q(state=JobState.RUNNING, heartbeat_at__lt=now - timedelta(seconds=settings.JOB_SILENT_SECONDS))
    stuck = list(Job.objects.filter(waiting | silent).values_list("pk", flat=True))
    told = [pk for pk in stuck if publish(pk)]
    Job.objects.filter(pk__in=told).update(published_at=now)
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


@require_POST
def job_cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    cancel(found.pk)
    return redirect(found)


@require_POST
def job_retry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Its owner tries failed work again; administrators do so from the status page."""
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    try:
        retry(found.pk)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(found)
