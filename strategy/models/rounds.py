"""Reporting rounds and what each institution owes in them: asked, until when, in which workbook."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.periods import Period
from onatc.texts import Translated
from stakeholders.models import Institution
from strategy.models.plan import (
    CountingRule,
    Frequency,
    Indicator,
    Measure,
    Plan,
    PlanVersion,
    Unit,
    dates_in_order,
)


class RoundSeriesQuerySet(models.QuerySet["RoundSeries"]):
    def visible_to(self, user: Any) -> Self:
        """The secretariat and the NATC; institutions read the guidance on their rounds."""
        if not user.is_authenticated or not (user.is_secretariat or user.is_natc):
            return self.none()
        return self


@tracked
class RoundSeries(models.Model):
    """The template by which the rounds of a plan come: how often, due after how many days, with what guidance. Of each
    series one round is open at a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="series", verbose_name=_("action plan"))
    frequency = models.CharField(_("how often"), max_length=10, choices=Frequency, default=Frequency.QUARTER)
    # Empty: the setting of the office in force at the period's end.
    due_days = models.PositiveSmallIntegerField(_("days until due"), null=True, blank=True)
    asks_partners = models.BooleanField(_("partners report their part"), default=False)
    guidance_sq = models.TextField(_("guidance in Albanian"), max_length=2000, blank=True)
    guidance_sr = models.TextField(_("guidance in Serbian"), max_length=2000, blank=True)
    guidance_en = models.TextField(_("guidance in English"), max_length=2000, blank=True)
    guidance = Translated("guidance")
    # While this is set, beat schedules the next round of the series by itself.
    is_active = models.BooleanField(_("in use"), default=True)

    objects = RoundSeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("series of rounds")
        verbose_name_plural = _("series of rounds")
        ordering = ["plan", "frequency"]
        constraints = [models.UniqueConstraint(fields=["plan", "frequency"], name="round_series_once_a_frequency")]

    def __str__(self) -> str:
        return f"{self.plan}, {self.get_frequency_display()}"

    def get_absolute_url(self) -> str:
        return reverse("strategy:series-edit", args=[self.pk])


class RoundState(models.TextChoices):
    SCHEDULED = "scheduled", _("scheduled")
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")


class RoundQuerySet(models.QuerySet["Round"]):
    def visible_to(self, user: Any) -> Self:
        """All for the secretariat and the NATC, else rounds in which one's institution owes something."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        owed = ProgressRequest.objects.filter(round=OuterRef("pk"), institution__in=user.institution_ids)
        return self.filter(Exists(owed), state__in=[RoundState.OPEN, RoundState.CLOSED])


@tracked
class Round(models.Model):
    """A period for which institutions report on the version of the plan that was in force when it opened."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="rounds", verbose_name=_("action plan"))
    version = models.ForeignKey(
        PlanVersion,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rounds",
        verbose_name=_("version of a plan"),
    )
    # Empty for a round that was scheduled by itself.
    series = models.ForeignKey(
        RoundSeries, models.PROTECT, null=True, blank=True, related_name="rounds", verbose_name=_("series of rounds")
    )
    starts_on = models.DateField(_("start of the period"))
    ends_on = models.DateField(_("end of the period"))
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=20, choices=RoundState, default=RoundState.SCHEDULED)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    reopened_at = models.DateTimeField(_("opened again"), null=True, blank=True)
    reopening_reason = models.CharField(_("why it was opened again"), max_length=500, blank=True, db_default="")
    # The institutions for which it was opened again; none named: for all.
    reopened_for = ArrayField(
        models.UUIDField(), verbose_name=_("opened again for"), default=list, blank=True, db_default=[]
    )

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("reporting round")
        verbose_name_plural = _("reporting rounds")
        ordering = ["-ends_on", "plan"]
        constraints = [
            dates_in_order("round_dates_in_order"),
            models.CheckConstraint(condition=Q(due_on__gt=F("ends_on")), name="round_due_after_period"),
            models.UniqueConstraint(fields=["plan", "starts_on", "ends_on"], name="round_once_a_period"),
            models.UniqueConstraint(
                fields=["plan", "series"],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="round_one_open_per_series",
            ),
            models.CheckConstraint(
                condition=Q(state="scheduled") | (Q(version__isnull=False) & Q(opened_at__isnull=False)),
                name="round_open_on_a_version",
            ),
        ]

    def __str__(self) -> str:
        return _("Reporting round: %(period)s") % {"period": self.period.title}

    def get_absolute_url(self) -> str:
        return reverse("strategy:round-detail", args=[self.pk])

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)

    @property
    def is_open(self) -> bool:
        return self.state == RoundState.OPEN

    def is_open_for(self, institution_id: Any) -> bool:
        """Whether the institution can still start and hand in what it owes."""
        return self.is_open and (not self.reopened_for or institution_id in self.reopened_for)


class Part(models.TextChoices):
    WHOLE = "whole", _("the whole measure")
    PART = "part", _("its part")


class ProgressRequestQuerySet(models.QuerySet["ProgressRequest"]):
    def visible_to(self, user: Any) -> Self:
        """All for the secretariat and the NATC, else what one's own institution owes: lateness is between it and us."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.owed_by(user)

    def owed_by(self, user: Any) -> Self:
        """What the institutions for which `user` reports were asked and still are, answered or not."""
        return self.filter(institution__in=user.institution_ids, waived_reason="")


@tracked(exclude=["is_handed_in", "came_late"])
class ProgressRequest(models.Model):
    """What one institution owes on one measure in one round. Wording and targets are copied when the round opens,
    so that a later change of the plan does not change what was asked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="requests", verbose_name=_("reporting round"))
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="requests", verbose_name=_("measure"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    measure_code = models.CharField(_("code"), max_length=20)
    measure_title_sq = models.CharField(max_length=500, blank=True)
    measure_title_sr = models.CharField(max_length=500, blank=True)
    measure_title_en = models.CharField(max_length=500, blank=True)
    measure_title = Translated("measure_title")
    measure_ends_on = models.DateField(_("deadline"))
    # The lead reports the whole of a joint measure, a partner its part.
    part = models.CharField(_("reports"), max_length=10, choices=Part, default=Part.WHOLE, db_default="whole")
    part_sq = models.CharField(max_length=300, blank=True, db_default="")
    part_sr = models.CharField(max_length=300, blank=True, db_default="")
    part_en = models.CharField(max_length=300, blank=True, db_default="")
    part_text = Translated("part")
    # The day by which this institution owes it, when it is another than the round's.
    extended_until = models.DateField(_("extended until"), null=True, blank=True)
    # Adjusted by hand: asked for besides what follows from the plan, or no longer asked for.
    added_reason = models.CharField(_("why it is asked for besides"), max_length=500, blank=True, db_default="")
    waived_reason = models.CharField(_("why it is no longer asked for"), max_length=500, blank=True, db_default="")
    delegated_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("delegated to"),
    )
    # Whether its first entry is submitted or accepted, and was late: kept by the trigger of ProgressEntry, whoever writes,
    # so that what came in a round is counted without its entries. Nothing else sets them; the entries are the history.
    is_handed_in = models.BooleanField(_("handed in"), default=False, db_default=False, editable=False)
    came_late = models.BooleanField(_("handed in late"), default=False, db_default=False, editable=False)

    objects = ProgressRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for progress")
        verbose_name_plural = _("requests for progress")
        ordering = ["round", "institution", "measure__position"]
        constraints = [
            models.UniqueConstraint(fields=["round", "measure", "institution"], name="progress_request_once"),
        ]
        indexes = [
            models.Index(fields=["institution", "round"], name="progress_request_owed"),
            # What was asked for and what came, by round and institution: counted from this index alone.
            models.Index(
                fields=["round", "institution"],
                include=["is_handed_in", "came_late", "extended_until"],
                condition=Q(waived_reason=""),
                name="progress_request_came",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure_code} {self.round}"

    @property
    def due_on(self) -> Any:
        """The day by which it is owed; reads `round`."""
        return self.extended_until or self.round.due_on

    @property
    def is_waived(self) -> bool:
        return bool(self.waived_reason)

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered; reads `round`."""
        return not self.is_waived and self.round.is_open_for(self.institution_id)


@tracked
class RequestedIndicator(models.Model):
    """The indicator as it stood when the round opened."""

    request = models.ForeignKey(ProgressRequest, models.CASCADE, related_name="indicators")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="+", verbose_name=_("indicator"))
    position = models.PositiveSmallIntegerField(default=1)
    name_sq = models.CharField(max_length=300, blank=True)
    name_sr = models.CharField(max_length=300, blank=True)
    name_en = models.CharField(max_length=300, blank=True)
    name = Translated("name")
    unit = models.CharField(_("unit"), max_length=10, choices=Unit)
    counting = models.CharField(_("counting"), max_length=10, choices=CountingRule)
    lower_is_better = models.BooleanField(_("lower is better"), default=False)
    baseline = models.DecimalField(_("baseline"), max_digits=14, decimal_places=2, null=True, blank=True)
    target = models.DecimalField(_("target"), max_digits=14, decimal_places=2, null=True, blank=True)
    target_on = models.DateField(_("target date"), null=True, blank=True)
    definition_sq = models.TextField(max_length=1000, blank=True, db_default="")
    definition_sr = models.TextField(max_length=1000, blank=True, db_default="")
    definition_en = models.TextField(max_length=1000, blank=True, db_default="")
    definition = Translated("definition")
    numerator_sq = models.CharField(max_length=300, blank=True, db_default="")
    numerator_sr = models.CharField(max_length=300, blank=True, db_default="")
    numerator_en = models.CharField(max_length=300, blank=True, db_default="")
    numerator = Translated("numerator")
    denominator_sq = models.CharField(max_length=300, blank=True, db_default="")
    denominator_sr = models.CharField(max_length=300, blank=True, db_default="")
    denominator_en = models.CharField(max_length=300, blank=True, db_default="")
    denominator = Translated("denominator")
    disaggregation = ArrayField(
        models.CharField(max_length=40), verbose_name=_("breakdown"), default=list, blank=True, db_default=[]
    )

    class Meta:
        ordering = ["request", "position"]
        constraints = [models.UniqueConstraint(fields=["request", "indicator"], name="requested_indicator_once")]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def has_two_numbers(self) -> bool:
        """Whether a percentage is reported as numerator and denominator."""
        return any((self.numerator_sq, self.numerator_sr, self.numerator_en))


class DueExtensionQuerySet(models.QuerySet["DueExtension"]):
    def visible_to(self, user: Any) -> Self:
        """The office all, an institution its own."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.is_secretariat or user.is_natc:
            return self
        return self.filter(institution__in=user.institution_ids)


@tracked
class DueExtension(models.Model):
    """An institution's request for more time in a round, granted or refused with a reason; or more time that the office
    gave by itself."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked for")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="extensions", verbose_name=_("reporting round"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ASKED)
    until = models.DateField(_("until"))
    reason = models.TextField(_("reason"), max_length=1000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decision_reason = models.TextField(_("reason of the decision"), max_length=1000, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = DueExtensionQuerySet.as_manager()

    class Meta:
        verbose_name = _("extension of a due date")
        verbose_name_plural = _("extensions of due dates")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["round", "institution"], condition=Q(state="asked"), name="due_extension_one_asked"
            ),
            models.CheckConstraint(
                condition=Q(state="asked") | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="due_extension_decided_on_record",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | ~Q(decision_reason=""), name="due_extension_refused_with_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution}, {self.round}"


class WorkbookQuerySet(models.QuerySet["RoundWorkbook"]):
    def visible_to(self, user: Any) -> Self:
        """What one's own institution sent; the reviewers see all."""
        if not user.is_authenticated or not user.sees_rounds:
            return self.none()
        if user.reviews_progress:
            return self
        return self.filter(institution__in=user.institution_ids)


@tracked(exclude=["content"])
class RoundWorkbook(models.Model):
    """A filled workbook of a round that came back: what its rows say, what is wrong in which, what was taken over."""

    class State(models.TextChoices):
        REFUSED = "refused", _("refused")
        PREVIEWED = "previewed", _("to be confirmed")
        APPLIED = "applied", _("applied")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="workbooks", verbose_name=_("reporting round"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    original_name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=20, choices=State)
    content = models.JSONField(default=list)
    problems = models.JSONField(_("problems"), default=list)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    uploaded_at = models.DateTimeField(_("read on"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied on"), null=True, blank=True)

    objects = WorkbookQuerySet.as_manager()

    class Meta:
        verbose_name = _("workbook of a round")
        verbose_name_plural = _("workbooks of rounds")
        ordering = ["-uploaded_at"]

    def __str__(self) -> str:
        return self.original_name

    def get_absolute_url(self) -> str:
        return reverse("strategy:workbook-detail", args=[self.pk])
