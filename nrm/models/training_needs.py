"""What institutions say that their staff must learn (Article 8.3): an assessment, each institution's answer, its rows."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from onatc.texts import Translated
from stakeholders.models import Institution, User

TOPICS = "training_topic"  # the code list of what is taught


class StaffFunction(models.TextChoices):
    """What somebody does in the referral mechanism; officials are counted by it, never named."""

    POLICE = "police", _("front-line police")
    BORDER = "border", _("border police")
    SOCIAL = "social", _("social worker")
    LABOUR = "labour", _("labour inspector")
    TEACHER = "teacher", _("teacher")
    HEALTH = "health", _("health worker")
    PROSECUTOR = "prosecutor", _("prosecutor")
    JUDGE = "judge", _("judge")
    SHELTER = "shelter", _("shelter staff")
    CONSULAR = "consular", _("consular staff")
    OTHER = "other", pgettext_lazy("function", "other function")


class NeedsState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("assessment", "in preparation")
    OPEN = "open", pgettext_lazy("assessment", "open")
    CLOSED = "closed", pgettext_lazy("assessment", "closed")


class NeedsAssessmentQuerySet(models.QuerySet["NeedsAssessment"]):
    def visible_to(self, user: Any) -> Self:
        """All for the office; an institution sees those that were sent to it."""
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        if user.is_office:
            return self
        asked = NeedsAnswer.objects.filter(institution__in=user.institution_ids).values("assessment")
        return self.exclude(state=NeedsState.DRAFT).filter(pk__in=asked)

    def for_reach(self, user: Any) -> Self:
        """Those against which reach is shown to `user`: observers see sums over all that were sent, and no answer."""
        if user.is_authenticated and user.is_observer:
            return self.exclude(state=NeedsState.DRAFT)
        return self.visible_to(user)


@tracked
class NeedsAssessment(models.Model):
    """A survey of training needs for a period. `topics` are codes of the list `training_topic` that are asked about."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title_sq = models.CharField(_("title in Albanian"), max_length=200, blank=True)
    title_sr = models.CharField(_("title in Serbian"), max_length=200, blank=True)
    title_en = models.CharField(_("title in English"), max_length=200, blank=True)
    title = Translated("title")
    starts_on = models.DateField(_("need from"))
    ends_on = models.DateField(_("need to"))
    topics = ArrayField(models.CharField(max_length=40), verbose_name=_("topics"))
    closes_on = models.DateField(_("answers until"))
    state = models.CharField(_("state"), max_length=10, choices=NeedsState, default=NeedsState.DRAFT)
    opened_at = models.DateTimeField(_("sent"), null=True, blank=True)
    closed_at = models.DateTimeField(pgettext_lazy("assessment", "closed"), null=True, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    created_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    revision = models.PositiveIntegerField(default=0)

    objects = NeedsAssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assessment of training needs")
        verbose_name_plural = _("assessments of training needs")
        ordering = ["-starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title_sq="", title_sr="", title_en=""),
                name="needs_assessment_has_a_title",
                violation_error_message=_("Write the title in one language at least."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="needs_assessment_dates_in_order",
                violation_error_message=_("The end must not lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(topics__len__gt=0),
                name="needs_assessment_has_topics",
                violation_error_message=_("Choose one topic at least."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft", opened_at__isnull=True, closed_at__isnull=True)
                | Q(state="open", opened_at__isnull=False, closed_at__isnull=True)
                | Q(state="closed", opened_at__isnull=False, closed_at__isnull=False),
                name="needs_assessment_moments_fit",
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    def get_absolute_url(self) -> str:
        return reverse("nrm:needs-assessment-detail", args=[self.pk])

    def takes_answers(self, on: date | None = None) -> bool:
        """Open, and its last day has not passed."""
        return self.state == NeedsState.OPEN and self.closes_on >= (on or timezone.localdate())


class AnswerState(models.TextChoices):
    ASKED = "asked", pgettext_lazy("needs", "not answered")
    DRAFT = "draft", pgettext_lazy("needs", "begun")
    SUBMITTED = "submitted", pgettext_lazy("needs", "submitted")


class NeedsAnswerQuerySet(models.QuerySet["NeedsAnswer"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        if user.is_office:
            return self
        return self.filter(institution__in=user.institution_ids).exclude(assessment__state=NeedsState.DRAFT)


@tracked
class NeedsAnswer(models.Model):
    """What one institution was asked and says. As long as it is not submitted it is missing from the results, which is not
    a need of zero."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    assessment = models.ForeignKey(
        NeedsAssessment, models.PROTECT, related_name="answers", verbose_name=_("assessment")
    )
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    state = models.CharField(_("state"), max_length=10, choices=AnswerState, default=AnswerState.ASKED)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="sq")
    submitted_at = models.DateTimeField(pgettext_lazy("needs", "submitted"), null=True, blank=True)
    submitted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("submitted by")
    )
    reminded_on = models.DateField(_("reminded on"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = NeedsAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer on training needs")
        verbose_name_plural = _("answers on training needs")
        ordering = ["assessment", "institution__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["assessment", "institution"], name="needs_answer_once",
                violation_error_message=_("This institution is asked already."),
            ),
            models.CheckConstraint(
                condition=Q(state="submitted", submitted_at__isnull=False)
                | ~Q(state="submitted") & Q(submitted_at__isnull=True, submitted_by__isnull=True),
                name="needs_answer_submitted_at_a_moment",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.institution.short}: {self.assessment}"

    def get_absolute_url(self) -> str:
        return reverse("nrm:need-answer-detail", args=[self.pk])


class NeedPriority(models.IntegerChoices):
    HIGH = 1, pgettext_lazy("priority", "high")
    MEDIUM = 2, pgettext_lazy("priority", "medium")
    LOW = 3, pgettext_lazy("priority", "low")


class StaffNeedQuerySet(models.QuerySet["StaffNeed"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(answer__in=NeedsAnswer.objects.visible_to(user).values("pk"))

    def counted(self) -> Self:
        """Rows of answers that were submitted."""
        return self.filter(answer__state=AnswerState.SUBMITTED)


@tracked
class StaffNeed(models.Model):
    """One function at an institution, in one municipality where the institution says so: how many there are, how many were
    trained before, how many need training (each person once, whatever the number of topics)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    answer = models.ForeignKey(NeedsAnswer, models.CASCADE, related_name="rows", verbose_name=_("answer"))
    function = models.CharField(_("function"), max_length=12, choices=StaffFunction)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality of work")
    )
    staff = models.PositiveIntegerField(_("staff"))
    trained = models.PositiveIntegerField(_("trained already"))
    to_train = models.PositiveIntegerField(_("need training"))
    priority = models.PositiveSmallIntegerField(_("priority"), choices=NeedPriority, default=NeedPriority.MEDIUM)
    revision = models.PositiveIntegerField(default=0)

    objects = StaffNeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("training need of a function")
        verbose_name_plural = _("training needs of functions")
        ordering = ["answer", "function", "municipality"]
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "function", "municipality"], nulls_distinct=False, name="staff_need_once",
                violation_error_message=_("This function is there already for this municipality."),
            ),
            models.CheckConstraint(
                condition=Q(trained__lte=F("staff")), name="staff_need_trained_within_staff",
                violation_error_message=_("No more can be trained than there are."),
            ),
            models.CheckConstraint(
                condition=Q(to_train__lte=F("staff")), name="staff_need_within_staff",
                violation_error_message=_("No more can need training than there are."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        where = f", {self.municipality.name}" if self.municipality else ""
        return f"{self.get_function_display()}{where}"

    def get_absolute_url(self) -> str:
        return self.answer.get_absolute_url()


@tracked
class TopicNeed(models.Model):
    """How many of a row need a topic; those who need several topics are in each of them, so topics do not add up."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    row = models.ForeignKey(StaffNeed, models.CASCADE, related_name="topics", verbose_name=_("row"))
    topic = models.CharField(_("topic"), max_length=40)
    number = models.PositiveIntegerField(_("how many"))

    class Meta:
        verbose_name = _("need of a topic")
        verbose_name_plural = _("needs of topics")
        ordering = ["row", "topic"]
        constraints = [models.UniqueConstraint(fields=["row", "topic"], name="topic_need_once")]

    def __str__(self) -> str:
        return f"{self.topic}: {self.number}"
