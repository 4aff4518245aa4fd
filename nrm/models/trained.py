"""Who took part in trainings, with what result, and what became of it six months after.

Participants are officials. The office keeps no name of theirs: each is a `Trainee`, an institution and the running number
that this institution gives, so that a person who comes twice is counted once. Where an institution gave no numbers, people
are counted in a `Headcount`, of which nobody knows whether they came before.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nrm.models.training import TrainingSession
from nrm.models.training_needs import StaffFunction
from onatc.history import tracked
from onatc.ids import new_id
from onatc.models import Municipality
from stakeholders.models import Institution, User
from stakeholders.models.contacts import Sex


class TraineeQuerySet(models.QuerySet["Trainee"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self if user.is_office else self.filter(institution__in=user.institution_ids)


@tracked
class Trainee(models.Model):
    """An official, by the institution and the running number that the institution gives; it alone knows who that is."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    number = models.PositiveIntegerField(
        _("number at the institution"), validators=[MinValueValidator(1), MaxValueValidator(999_999)]
    )
    sex = models.CharField(_("sex"), max_length=1, choices=Sex, default=Sex.UNKNOWN)

    objects = TraineeQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant of trainings")
        verbose_name_plural = _("participants of trainings")
        ordering = ["institution", "number"]
        constraints = [
            models.UniqueConstraint(fields=["institution", "number"], name="trainee_once"),
            models.CheckConstraint(condition=Q(number__range=(1, 999_999)), name="trainee_number_in_bounds"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.code}-{self.number:04d}"


class ParticipationQuerySet(models.QuerySet["Participation"]):
    def visible_to(self, user: Any) -> Self:
        """All for the office; an institution sees its own people. Others see sums alone."""
        return self.filter(trainee__in=Trainee.objects.visible_to(user).values("pk"))


SCORE = [MaxValueValidator(100)]


@tracked
class Participation(models.Model):
    """Somebody in a session: the function and municipality of that day, points of 100 in the test before and after, and
    the certificate. No test is not a test with no points."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(
        TrainingSession, models.PROTECT, related_name="participations", verbose_name=_("session")
    )
    trainee = models.ForeignKey(Trainee, models.PROTECT, related_name="participations", verbose_name=_("participant"))
    function = models.CharField(_("function"), max_length=12, choices=StaffFunction)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality of work")
    )
    pre = models.PositiveSmallIntegerField(_("points before"), null=True, blank=True, validators=SCORE)
    post = models.PositiveSmallIntegerField(_("points after"), null=True, blank=True, validators=SCORE)
    certificate = models.CharField(_("certificate"), max_length=20, null=True, blank=True, unique=True)
    certified_on = models.DateField(_("certificate of"), null=True, blank=True)
    certified_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("certificate issued by")
    )

    objects = ParticipationQuerySet.as_manager()

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        ordering = ["session", "trainee__institution__code", "trainee__number"]
        constraints = [
            models.UniqueConstraint(fields=["session", "trainee"], name="participation_once"),
            models.CheckConstraint(
                condition=(Q(pre__isnull=True) | Q(pre__lte=100)) & (Q(post__isnull=True) | Q(post__lte=100)),
                name="participation_points_in_bounds", violation_error_message=_("Points go from 0 to 100."),
            ),
            models.CheckConstraint(
                condition=Q(certificate__isnull=True, certified_on__isnull=True, certified_by__isnull=True)
                | Q(certificate__isnull=False, certified_on__isnull=False, certified_by__isnull=False),
                name="participation_certificate_has_its_day",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.trainee)

    def get_absolute_url(self) -> str:
        return self.session.get_absolute_url()


@tracked
class Headcount(models.Model):
    """People of a function of an institution who took part and for whom no numbers were given. Empty is not counted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(TrainingSession, models.CASCADE, related_name="headcounts", verbose_name=_("session"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    function = models.CharField(_("function"), max_length=12, choices=StaffFunction)
    municipality = models.ForeignKey(
        Municipality, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality of work")
    )
    women = models.PositiveIntegerField(_("women"), null=True, blank=True)
    men = models.PositiveIntegerField(_("men"), null=True, blank=True)
    others = models.PositiveIntegerField(_("others"), null=True, blank=True)
    unknown = models.PositiveIntegerField(_("sex not known"), null=True, blank=True)

    class Meta:
        verbose_name = _("participants without numbers")
        verbose_name_plural = _("participants without numbers")
        ordering = ["session", "institution__code", "function"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "institution", "function", "municipality"], nulls_distinct=False,
                name="headcount_once", violation_error_message=_("This function is counted already."),
            ),
            models.CheckConstraint(
                condition=Q(women__isnull=False) | Q(men__isnull=False) | Q(others__isnull=False)
                | Q(unknown__isnull=False),
                name="headcount_has_a_number",
                violation_error_message=_("Write one number at least."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.institution.short}, {self.get_function_display()}"


class Judgement(models.TextChoices):
    CLEAR = "clear", _("work has clearly improved")
    SOME = "some", _("work has improved somewhat")
    NONE = "none", _("no change")
    UNSURE = "unsure", _("cannot be said")


class TrainingFollowUpQuerySet(models.QuerySet["TrainingFollowUp"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated or not user.sees_mechanism:
            return self.none()
        return self if user.is_office else self.filter(institution__in=user.institution_ids)

    def waiting(self) -> Self:
        return self.filter(answered_on__isnull=True)


@tracked
class TrainingFollowUp(models.Model):
    """What became of a training at an institution six months after: how many of its participants still have the function,
    how many use what they learnt, and what those above them think."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(TrainingSession, models.PROTECT, related_name="follow_ups", verbose_name=_("session"))
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+", verbose_name=_("institution"))
    due_on = models.DateField(_("due on"))
    participants = models.PositiveIntegerField(_("participants"))
    still_there = models.PositiveIntegerField(_("still have the function"), null=True, blank=True)
    applying = models.PositiveIntegerField(_("use what they learnt"), null=True, blank=True)
    judgement = models.CharField(_("judgement of superiors"), max_length=10, choices=Judgement, blank=True)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    language = models.CharField(_("written in"), max_length=10, choices=settings.LANGUAGES, default="sq")
    answered_on = models.DateField(_("answered on"), null=True, blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    reminded_soon_on = models.DateField(_("reminded before it was due"), null=True, blank=True)
    reminded_late_on = models.DateField(_("reminded when it was overdue"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    objects = TrainingFollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("follow-up of a training")
        verbose_name_plural = _("follow-ups of trainings")
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["session", "institution"], name="training_follow_up_once"),
            models.CheckConstraint(
                condition=Q(still_there__isnull=True) | Q(still_there__lte=F("participants")),
                name="training_follow_up_within_participants",
                violation_error_message=_("No more can still be there than took part."),
            ),
            models.CheckConstraint(
                condition=Q(applying__isnull=True) | Q(applying__lte=F("participants")),
                name="training_follow_up_applying_within_participants",
                violation_error_message=_("No more can use it than took part."),
            ),
            models.CheckConstraint(
                condition=Q(answered_on__isnull=True, answered_by__isnull=True)
                | Q(answered_on__isnull=False, still_there__isnull=False, applying__isnull=False) & ~Q(judgement=""),
                name="training_follow_up_answered_whole",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["due_on"], condition=Q(answered_on=None), name="training_follow_up_waits")]

    def __str__(self) -> str:
        return f"{self.institution.short}: {self.session}"

    def get_absolute_url(self) -> str:
        return reverse("nrm:training-follow-up-list")

    def is_overdue(self, on: date | None = None) -> bool:
        return self.answered_on is None and self.due_on < (on or timezone.localdate())
