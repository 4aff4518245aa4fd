"""Trainings of the mechanism's staff (Article 8.3): the year's plan, courses, trainers, sessions."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nrm.models.training_needs import NeedsAssessment, StaffFunction
from onatc.files import Attachment
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from onatc.texts import Translated
from stakeholders.models import Contact, Decision, Event, Institution, User

HAS_A_TITLE = ~Q(title_sq="", title_sr="", title_en="")
WRITE_A_TITLE = _("Write the title in one language at least.")


class MechanismQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        """Common knowledge among those who work in the mechanism, or look at it."""
        return self if user.is_authenticated and user.sees_mechanism else self.none()


@tracked
class Course(models.Model):
    """What is taught, in how many hours; `topic` is a code of the list `training_topic`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("title in Albanian"), max_length=200, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    topic = models.CharField(_("topic"), max_length=40)
    hours = models.PositiveSmallIntegerField(_("hours"), validators=[MinValueValidator(1), MaxValueValidator(400)])
    about = models.TextField(_("what is learnt"), max_length=4000, blank=True)
    language = models.CharField(_("written in"), max_length=10, choices=settings.LANGUAGES, default="sq")
    pass_mark = models.PositiveSmallIntegerField(
        _("points needed for a certificate"), null=True, blank=True, validators=[MaxValueValidator(100)]
    )
    trains_trainers = models.BooleanField(_("training of trainers"), default=False)
    is_offered = models.BooleanField(_("offered"), default=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = MechanismQuerySet.as_manager()

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["topic", "title_sq", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=HAS_A_TITLE, name="course_has_a_title", violation_error_message=WRITE_A_TITLE
            ),
            models.CheckConstraint(
                condition=Q(hours__range=(1, 400)), name="course_hours_in_bounds",
                violation_error_message=_("A course lasts between 1 and 400 hours."),
            ),
            models.CheckConstraint(
                condition=Q(pass_mark__isnull=True) | Q(pass_mark__lte=100), name="course_pass_mark_in_bounds",
                violation_error_message=_("Points go from 0 to 100."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("nrm:course-detail", args=[self.pk])


@tracked
class CourseFile(Attachment):
    """Material of a course."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="files", verbose_name=_("course"))
    title = models.CharField(_("title"), max_length=200, blank=True)

    objects = MechanismQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of a course")
        verbose_name_plural = _("files of courses")
        ordering = ["uploaded_at"]

    def get_absolute_url(self) -> str:
        return reverse("nrm:course-file", args=[self.pk])


class TrainingPlanState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("training plan", "in preparation")
    ADOPTED = "adopted", pgettext_lazy("training plan", "adopted")


class TrainingPlanQuerySet(models.QuerySet["TrainingPlan"]):
    def visible_to(self, user: Any) -> Self:
        """All for the office; others see what was adopted."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self if user.is_office else self.filter(state=TrainingPlanState.ADOPTED)


@tracked
class TrainingPlan(models.Model):
    """What is taught in a year, to how many, for how much; adopted by the Director, on a decision where there is one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    year = models.PositiveSmallIntegerField(_("year"), validators=[MinValueValidator(2013), MaxValueValidator(2100)])
    assessment = models.ForeignKey(
        NeedsAssessment, models.PROTECT, null=True, blank=True, related_name="plans",
        verbose_name=_("follows from the assessment"),
    )  # fmt: skip
    note = models.TextField(_("note"), max_length=2000, blank=True)
    language = models.CharField(_("written in"), max_length=10, choices=settings.LANGUAGES, default="sq")
    state = models.CharField(_("state"), max_length=10, choices=TrainingPlanState, default=TrainingPlanState.DRAFT)
    adopted_on = models.DateField(_("adopted on"), null=True, blank=True)
    adopted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("adopted by")
    )
    decision = models.ForeignKey(
        Decision, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decision")
    )
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = TrainingPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("training plan")
        verbose_name_plural = _("training plans")
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(
                fields=["year"], name="training_plan_once_a_year",
                violation_error_message=_("There is a plan for this year already."),
            ),
            models.CheckConstraint(
                condition=Q(state="adopted", adopted_on__isnull=False, adopted_by__isnull=False)
                | Q(state="draft", adopted_on__isnull=True, adopted_by__isnull=True, decision__isnull=True),
                name="training_plan_adopted_by_somebody",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(_("Training plan %(year)d") % {"year": self.year})

    def get_absolute_url(self) -> str:
        return reverse("nrm:training-plan-detail", args=[self.pk])


class TrainingPlanItemQuerySet(models.QuerySet["TrainingPlanItem"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(plan__in=TrainingPlan.objects.visible_to(user).values("pk"))


@tracked
class TrainingPlanItem(models.Model):
    """One line of a plan: a course for a function, how many people, in which quarter, what it costs and who pays."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(TrainingPlan, models.CASCADE, related_name="items", verbose_name=_("plan"))
    course = models.ForeignKey(Course, models.PROTECT, related_name="plan_items", verbose_name=_("course"))
    function = models.CharField(_("function"), max_length=12, choices=StaffFunction)
    number = models.PositiveIntegerField(_("people to train"), validators=[MinValueValidator(1)])
    quarter = models.PositiveSmallIntegerField(_("quarter"), choices=[(one, str(one)) for one in range(1, 5)])
    cost_cents = models.BigIntegerField(_("planned cost"), null=True, blank=True)
    payer = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("paid by")
    )
    revision = models.PositiveIntegerField(default=0)

    objects = TrainingPlanItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of a training plan")
        verbose_name_plural = _("lines of training plans")
        ordering = ["plan", "quarter", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=1), name="plan_item_for_somebody",
                violation_error_message=_("Write how many people are to be trained."),
            ),
            models.CheckConstraint(condition=Q(quarter__range=(1, 4)), name="plan_item_in_a_quarter"),
            models.CheckConstraint(
                condition=Q(cost_cents__isnull=True) | Q(cost_cents__gte=0), name="plan_item_cost_not_negative",
                violation_error_message=_("An amount cannot be less than nothing."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(
            _("%(course)s, %(function)s, quarter %(quarter)d of %(year)d")
            % {
                "course": self.course, "function": self.get_function_display(), "quarter": self.quarter,
                "year": self.plan.year,
            }
        )  # fmt: skip

    def get_absolute_url(self) -> str:
        return self.plan.get_absolute_url()


class TrainingState(models.TextChoices):
    PLANNED = "planned", pgettext_lazy("training session", "planned")
    HELD = "held", pgettext_lazy("training session", "held")
    CANCELLED = "cancelled", pgettext_lazy("training session", "cancelled")


@tracked
class TrainingSession(models.Model):
    """A course that is held for a group. One that belongs to a joint event takes days, place and organiser from it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    course = models.ForeignKey(Course, models.PROTECT, related_name="sessions", verbose_name=_("course"))
    plan_item = models.ForeignKey(
        TrainingPlanItem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sessions",
        verbose_name=_("line of the plan"),
    )
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("joint event")
    )
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("held in")
    )
    place = models.CharField(_("place"), max_length=200, blank=True)
    organiser = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("organiser"))
    places = models.PositiveIntegerField(_("places"), validators=[MinValueValidator(1), MaxValueValidator(20_000)])
    state = models.CharField(_("state"), max_length=10, choices=TrainingState, default=TrainingState.PLANNED)
    cancel_reason = models.CharField(_("why it was cancelled"), max_length=500, blank=True)
    cost_planned_cents = models.BigIntegerField(_("planned cost"), null=True, blank=True)
    cost_actual_cents = models.BigIntegerField(_("what it cost"), null=True, blank=True)
    payer = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("paid by")
    )
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = MechanismQuerySet.as_manager()

    class Meta:
        verbose_name = _("training session")
        verbose_name_plural = _("training sessions")
        ordering = ["-starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")), name="training_session_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(places__gte=1), name="training_session_has_places",
                violation_error_message=_("A session has one place at least."),
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled") & ~Q(cancel_reason="") | ~Q(state="cancelled") & Q(cancel_reason=""),
                name="training_session_cancelled_with_a_reason",
                violation_error_message=_("Say why the session is cancelled."),
            ),
            models.CheckConstraint(
                condition=(Q(cost_planned_cents__isnull=True) | Q(cost_planned_cents__gte=0))
                & (Q(cost_actual_cents__isnull=True) | Q(cost_actual_cents__gte=0)),
                name="training_session_cost_not_negative",
                violation_error_message=_("An amount cannot be less than nothing."),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["-starts_on"], name="training_session_in_order")]

    def __str__(self) -> str:
        return f"{self.course}, {self.starts_on:%d.%m.%Y}"

    def get_absolute_url(self) -> str:
        return reverse("nrm:training-session-detail", args=[self.pk])


class TrainerQuerySet(models.QuerySet["Trainer"]):
    def visible_to(self, user: Any) -> Self:
        """All for the office; an institution sees its own."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self if user.is_office else self.filter(institution__in=user.institution_ids)


@tracked
class Trainer(models.Model):
    """Who teaches: a contact of the office, or an institution's own trainer, of whom only the function is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("contact")
    )
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    function = models.CharField(_("function or number at the institution"), max_length=120)
    topics = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("topics"))
    certified_in = models.ForeignKey(
        TrainingSession, models.PROTECT, null=True, blank=True, related_name="certified_trainers",
        verbose_name=_("certified in the training of trainers"),
    )  # fmt: skip
    is_active = models.BooleanField(_("teaches"), default=True)
    revision = models.PositiveIntegerField(default=0)

    objects = TrainerQuerySet.as_manager()

    class Meta:
        verbose_name = _("trainer")
        verbose_name_plural = _("trainers")
        ordering = ["institution__code", "function", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact"], condition=Q(contact__isnull=False), name="trainer_contact_once",
                violation_error_message=_("This contact is a trainer already."),
            ),
            models.UniqueConstraint(
                fields=["institution", "function"], name="trainer_function_once",
                violation_error_message=_("This institution has a trainer of this function already."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.institution.short}, {self.function}"

    def get_absolute_url(self) -> str:
        return reverse("nrm:trainer-list")


@tracked
class SessionTrainer(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(
        TrainingSession, models.CASCADE, related_name="taught_by", verbose_name=_("training session")
    )
    trainer = models.ForeignKey(Trainer, models.PROTECT, related_name="teaches", verbose_name=_("trainer"))

    class Meta:
        verbose_name = _("trainer of a session")
        verbose_name_plural = _("trainers of sessions")
        ordering = ["session", "pk"]
        constraints = [models.UniqueConstraint(fields=["session", "trainer"], name="session_trainer_once")]

    def __str__(self) -> str:
        return str(self.trainer)
