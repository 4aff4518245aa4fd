"""The Standard Operating Procedures as data: dated versions of steps, and the clocks that run by them."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.cases import Case, EventKind, Happening
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from onatc.texts import Translated
from stakeholders.models import Decision, Institution, Role, User


class Function(models.TextChoices):
    """What institutions do in the mechanism: the actors of the SOP. Which institution has which is a `Competence`."""

    FIRST_RESPONDER = "first_responder", _("first responder")
    POLICE = "police", _("anti-trafficking directorate of the police")
    ADVOCATE = "advocate", _("victim advocate")
    CSW = "csw", _("centre for social work")
    CHILD_UNIT = "child_unit", _("child protection unit of the centre for social work")
    SHELTER_STATE = "shelter_state", _("state shelter")
    SHELTER = "shelter", _("shelter")
    HEALTH = "health", _("health service")
    RESIDENCE = "residence", _("authority for residence and migration")
    PROSECUTION = "prosecution", _("prosecution")
    COURT = "court", _("court")
    LEGAL_AID = "legal_aid", _("legal aid")
    REINTEGRATION = "reintegration", _("provider of reintegration")
    RETURN = "return", _("organisation of returns")
    HOTLINE = "hotline", _("helpline")
    OFFICE = "office", _("office of the Coordinator")
    RESPONSIBLE = "responsible", _("institution responsible for the case")
    RECEIVER = "receiver", _("institution that receives the referral")


class CompetenceQuerySet(models.QuerySet["Competence"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self

    def on(self, day: date) -> Self:
        return self.filter(
            Q(starts_on__isnull=True) | Q(starts_on__lte=day), Q(ends_on__isnull=True) | Q(ends_on__gte=day)
        )


@tracked
class Competence(models.Model):
    """An institution has a function in the mechanism, in the whole country or in a municipality, from–to."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    function = models.CharField(_("function"), max_length=20, choices=Function)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality")
    )
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("to"), null=True, blank=True)

    objects = CompetenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("competence")
        verbose_name_plural = _("competences")
        ordering = ["function", "institution__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "function", "municipality"],
                nulls_distinct=False,
                condition=Q(ends_on__isnull=True),
                name="competence_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.institution.short}: {self.get_function_display()}"


class SopState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("sop", "draft")
    ADOPTED = "adopted", pgettext_lazy("sop", "adopted")


class SopVersionQuerySet(models.QuerySet["SopVersion"]):
    def visible_to(self, user: Any) -> Self:
        """Adopted versions for whoever sees the mechanism; drafts for the office."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self if user.is_office else self.filter(state=SopState.ADOPTED)

    def in_force(self, day: date) -> SopVersion | None:
        """The adopted version of a day: the last one that began by then."""
        return self.filter(state=SopState.ADOPTED, in_force_from__lte=day).order_by("-in_force_from", "-number").first()


@tracked
class SopVersion(models.Model):
    """One wording of the SOP. Adopted by a decision, it holds from a day on and is not changed any more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveSmallIntegerField(_("version"), unique=True)
    title_sq = models.CharField(_("title in Albanian"), max_length=200)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    state = models.CharField(_("state"), max_length=8, choices=SopState, default=SopState.DRAFT)
    in_force_from = models.DateField(_("in force from"), null=True, blank=True)
    based_on = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("adopted by decision")
    )
    decision_reference = models.CharField(_("number of the decision"), max_length=80, blank=True)
    adopted_on = models.DateField(_("adopted on"), null=True, blank=True)
    adopted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(_("what is new"), max_length=2000, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = SopVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of the SOP")
        verbose_name_plural = _("versions of the SOP")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="adopted") | Q(in_force_from__isnull=False, adopted_on__isnull=False),
                name="sop_adopted_with_its_day",
                violation_error_message=_("An adopted version has the day from which it holds."),
            ),
            models.UniqueConstraint(
                fields=["in_force_from"],
                condition=Q(state="adopted"),
                name="sop_one_from_a_day",
                violation_error_message=_("Another version holds from that day already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("nrm:sop-detail", args=[self.pk])


class LimitUnit(models.TextChoices):
    HOURS = "hours", _("hours")
    DAYS = "days", _("days")
    WORKING_DAYS = "working_days", _("working days")
    MONTHS = "months", _("months")
    SAME_DAY = "same_day", _("the same day")
    PLANNED_END = "planned_end", _("by the planned end of the reflection period")
    BEFORE = "before", _("before another event")


class Who(models.TextChoices):
    """Whom a step concerns, by age."""

    ALL = "all", _("everybody")
    CHILD = "child", _("children only")
    ADULT = "adult", _("adults only")


class SopStepQuerySet(models.QuerySet["SopStep"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(version__in=SopVersion.objects.visible_to(user))


@tracked
class SopStep(models.Model):
    """One step: what starts its clock, what meets it, who owes it, within what time, for whom it applies.

    `amounts` are in `unit`, one clock for each (3, 6 and 12 months); a step with `repeats` starts anew each time it is met,
    until an event of `ends_on` happens. A clock pauses from an event of `pauses_on` to one of `resumes_on`, or by hand for
    a reason by whoever has a function of `may_pause`. `applies_…` are empty when the step concerns everybody.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(SopVersion, models.CASCADE, related_name="steps")
    lineage = models.UUIDField(default=new_id, editable=False)  # the same step in all versions
    number = models.PositiveSmallIntegerField(_("number"))
    name_sq = models.CharField(_("step in Albanian"), max_length=200)
    name_sr = models.CharField(_("step in Serbian"), max_length=200, blank=True)
    name_en = models.CharField(_("step in English"), max_length=200, blank=True)
    name = Translated("name")
    trigger = models.CharField(_("starts with"), max_length=24, choices=EventKind)
    met_by = ArrayField(models.CharField(max_length=24, choices=EventKind), verbose_name=_("is met by"))
    actors = ArrayField(models.CharField(max_length=20, choices=Function), verbose_name=_("who owes it"))
    unit = models.CharField(_("unit"), max_length=12, choices=LimitUnit)
    amounts = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("time limit"), default=list, blank=True)
    before = models.CharField(_("before which event"), max_length=24, choices=EventKind, blank=True)
    repeats = models.BooleanField(_("starts anew each time it is met"), default=False)
    ends_on = ArrayField(
        models.CharField(max_length=24, choices=EventKind), verbose_name=_("falls away with"), default=list, blank=True
    )
    pauses_on = ArrayField(
        models.CharField(max_length=24, choices=EventKind), verbose_name=_("pauses with"), default=list, blank=True
    )
    resumes_on = ArrayField(
        models.CharField(max_length=24, choices=EventKind), verbose_name=_("goes on with"), default=list, blank=True
    )
    may_pause = ArrayField(
        models.CharField(max_length=20, choices=Function), verbose_name=_("who may pause it"), default=list, blank=True
    )
    who = models.CharField(_("concerns"), max_length=8, choices=Who, default=Who.ALL)
    foreigners_only = models.BooleanField(_("foreign nationals only"), default=False)
    applies_risk = ArrayField(
        models.CharField(max_length=10), verbose_name=_("at these risks only"), default=list, blank=True
    )
    applies_forms = ArrayField(
        models.CharField(max_length=12), verbose_name=_("at these forms only"), default=list, blank=True
    )
    evidence_sq = models.CharField(_("evidence in Albanian"), max_length=200, blank=True)
    evidence_sr = models.CharField(_("evidence in Serbian"), max_length=200, blank=True)
    evidence_en = models.CharField(_("evidence in English"), max_length=200, blank=True)
    evidence = Translated("evidence")
    source = models.CharField(_("source of the limit"), max_length=200, blank=True)
    is_confirmed = models.BooleanField(_("the limit is confirmed in its source"), default=False)
    revision = models.PositiveIntegerField(default=0)

    objects = SopStepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of the SOP")
        verbose_name_plural = _("steps of the SOP")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "number"],
                name="sop_step_number_once",
                violation_error_message=_("Another step has this number."),
            ),
            models.UniqueConstraint(fields=["version", "lineage"], name="sop_step_once_in_a_version"),
            models.CheckConstraint(
                condition=~Q(unit="before") | ~Q(before=""),
                name="sop_step_before_what",
                violation_error_message=_("Say before which event the step is due."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"


class SopTrialQuerySet(models.QuerySet["SopTrial"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(version__in=SopVersion.objects.visible_to(user)) if user.is_office else self.none()


class SopTrial(models.Model):
    """What a draft would have done to past cases: by step, of how many clocks how many would have been late, and were."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(SopVersion, models.CASCADE, related_name="trials")
    from_day = models.DateField(_("cases from"))
    to_day = models.DateField(_("cases to"))
    tried_at = models.DateTimeField(_("tried"), default=timezone.now)
    tried_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    cases = models.PositiveIntegerField(_("cases"), default=0)
    result = models.JSONField(default=list)
    revision_tried = models.PositiveIntegerField(default=0)

    objects = SopTrialQuerySet.as_manager()

    class Meta:
        verbose_name = _("trial of an SOP version")
        verbose_name_plural = _("trials of SOP versions")
        ordering = ["-tried_at"]

    def __str__(self) -> str:
        return str(self.pk)


class ClockState(models.TextChoices):
    RUNNING = "running", pgettext_lazy("clock", "running")
    PAUSED = "paused", pgettext_lazy("clock", "paused")
    MET = "met", pgettext_lazy("clock", "met")
    NOT_APPLICABLE = "not_applicable", pgettext_lazy("clock", "not applicable")
    ENDED = "ended", pgettext_lazy("clock", "fell away")


# Why a clock fell away, beside the events with which it does.
FELL_AWAY = {
    "struck": _("the event that started it was struck"),
    "not_concerned": _("the step does not concern this case any more"),
    "duplicate": _("the case was entered twice"),
}


class ClockQuerySet(models.QuerySet["Clock"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_cases:
            return self.none()
        return self.filter(case__in=Case.objects.visible_to(user))

    def open(self) -> Self:
        return self.filter(state__in=(ClockState.RUNNING, ClockState.PAUSED))

    def open_to(self, user: Any) -> Self:
        """What is owed in the cases that `user` sees. Nothing is owed in a closed or destroyed case, so that whoever sees
        every case is not asked about each."""
        if user.is_authenticated and user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self.open()
        return self.visible_to(user).open()

    def late(self, at: Any = None) -> Self:
        """Running past their time; those that were met too late are `met_late`."""
        return self.filter(state=ClockState.RUNNING, due_at__lt=at or timezone.now())

    def met_late(self) -> Self:
        return self.filter(state=ClockState.MET, met_at__gt=F("due_at"))


class Clock(models.Model):
    """The clock of one step in one case. It keeps the step of the version under which it started.

    `due_at` is None while the limit hangs on an event that has no day yet (before a hearing that is not fixed). Whether it
    was missed is not stored: it follows from `due_at`, `met_at` and now.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(
        "nrm.Case", models.PROTECT, related_name="clocks", verbose_name=pgettext_lazy("nrm", "case")
    )
    step = models.ForeignKey(SopStep, models.PROTECT, related_name="clocks", verbose_name=_("step"))
    trigger_event = models.ForeignKey(Happening, models.PROTECT, related_name="+")
    occurrence = models.PositiveSmallIntegerField(default=1)
    owner = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owed by")
    )
    started_at = models.DateTimeField(_("started"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=ClockState, default=ClockState.RUNNING)
    met_event = models.ForeignKey(Happening, models.PROTECT, null=True, blank=True, related_name="+")
    met_at = models.DateTimeField(_("met"), null=True, blank=True)
    ended_at = models.DateTimeField(_("fell away"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    recorded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    warned_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(_("brought to the office"), null=True, blank=True)

    objects = ClockQuerySet.as_manager()

    class Meta:
        verbose_name = _("clock")
        verbose_name_plural = _("clocks")
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "step", "trigger_event", "occurrence"], name="clock_once"),
            models.CheckConstraint(condition=~Q(state="met") | Q(met_at__isnull=False), name="clock_met_at_a_time"),
            models.CheckConstraint(
                condition=~Q(state="not_applicable") | ~Q(reason=""),
                name="clock_not_applicable_with_reason",
                violation_error_message=_("Say why the step does not apply."),
            ),
        ]
        indexes = [
            models.Index(fields=["case", "step"], name="clock_of_case"),
            models.Index(fields=["due_at"], condition=Q(state="running"), name="clock_running"),
            models.Index(fields=["owner", "due_at"], condition=Q(state="running"), name="clock_owed"),
            models.Index(fields=["step", "started_at"], name="clock_of_step"),
            # The list of deadlines, in its order.
            models.Index(fields=["due_at", "id"], condition=Q(state__in=("running", "paused")), name="clock_open"),
            # The same for whoever sees some cases, without the rows.
            models.Index(
                fields=["case"],
                include=["state", "due_at", "id"],
                condition=Q(state__in=("running", "paused")),
                name="clock_open_of_case",
            ),
            # What still runs of the clocks that began in a period.
            models.Index(
                fields=["started_at"],
                include=["id", "step", "owner", "case", "state", "due_at", "met_at", "ended_at"],
                condition=Q(state__in=("running", "paused")),
                name="clock_open_by_start",
            ),
            # What the figures of timeliness are made of, read without the rows.
            models.Index(
                fields=["started_at"],
                include=["step", "owner", "case", "state", "due_at", "met_at", "ended_at"],
                name="clock_by_start",
            ),
        ]

    def __str__(self) -> str:
        return str(self.step)

    @property
    def reason_shown(self) -> str:
        """The reason in words; what the rules gave is kept as a code behind `=`."""
        if not self.reason.startswith("="):
            return self.reason
        code = self.reason[1:]
        labels = {**dict(EventKind.choices), **FELL_AWAY}
        return str(labels.get(code, code))

    @property
    def is_late(self) -> bool:
        """Past its time and not met yet, or met too late."""
        if self.due_at is None:
            return False
        if self.state == ClockState.MET:
            return self.met_at is not None and self.met_at > self.due_at
        return self.state == ClockState.RUNNING and self.due_at < timezone.now()


class ClockPauseQuerySet(models.QuerySet["ClockPause"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(clock__in=Clock.objects.visible_to(user))


@tracked
class ClockPause(models.Model):
    """A clock stood still from–to, by whom and why; the due time moved by as much when it went on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    clock = models.ForeignKey(Clock, models.PROTECT, related_name="pauses")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    paused_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    by_event = models.ForeignKey(Happening, models.PROTECT, null=True, blank=True, related_name="+")
    # Set when somebody let it go on by hand: what an event does later does not change that.
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ClockPauseQuerySet.as_manager()

    class Meta:
        verbose_name = _("pause of a clock")
        verbose_name_plural = _("pauses of clocks")
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["clock"],
                condition=Q(ends_at__isnull=True),
                name="clock_pause_once",
                violation_error_message=_("The clock stands still already."),
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")), name="clock_pause_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.reason_shown

    @property
    def reason_shown(self) -> str:
        """The reason in words; of a pause by an event, the event."""
        code = self.reason.removeprefix("=")
        return str(dict(EventKind.choices).get(code, code)) if self.reason.startswith("=") else self.reason
