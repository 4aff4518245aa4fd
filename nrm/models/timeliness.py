"""Figures of the clocks by month, kept so that a page reads a few thousand rows and not millions of clocks; and the tables
that everybody may see, in which small counts are hidden."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.models import Municipality
from stakeholders.models import Institution, Role


class ClockChange(models.Model):
    """A clock that began in this month changed: the month's figures are to be made anew. Written with each change and taken
    away by whoever makes the figures, so that no two cases wait for one another."""

    month = models.DateField()
    objects: ClassVar[models.Manager[ClockChange]]

    class Meta:
        verbose_name = _("change of clocks")
        verbose_name_plural = _("changes of clocks")

    def __str__(self) -> str:
        return str(self.month)


class ClockKind(models.TextChoices):
    """How a clock that is over ended, for counting."""

    MET = "met", _("met in time")
    MET_LATE = "met_late", _("met late")
    ASIDE = "aside", _("not applicable")
    FELL = "fell", _("fell away")


class ClockFiguresQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        """All for whoever may open every case; for an institution the clocks that it owed, for the child protection officer
        those of children. For everybody else there is `TimelinessRelease`."""
        if not user.is_authenticated or not user.sees_cases:
            return self.none()
        if user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self
        seen = models.Q(owner__in=user.institution_ids)
        return self.filter(seen | models.Q(is_child=True) if user.has_role(Role.CHILD) else seen)


class ClockFigures(models.Model):
    """The key of a figure. Clocks that still run are not in it: they are few, and counted when the page is made."""

    month = models.DateField()  # in which the clock began
    lineage = models.UUIDField()
    owner = models.ForeignKey(Institution, models.PROTECT, null=True, related_name="+")
    is_child = models.BooleanField()

    objects = ClockFiguresQuerySet.as_manager()

    class Meta:
        abstract = True


class ClockCount(ClockFigures):
    """How many clocks ended in which way."""

    municipality = models.ForeignKey(Municipality, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=ClockKind)
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("count of clocks")
        verbose_name_plural = _("counts of clocks")
        indexes = [models.Index(fields=["month"], name="clock_count_by_month")]

    def __str__(self) -> str:
        return f"{self.month} {self.kind}"


class ClockDuration(ClockFigures):
    """How many clocks took so many hours (nrm.timeliness.whole_hours), and whether the step was done then."""

    hours = models.PositiveIntegerField()
    finished = models.BooleanField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("duration of clocks")
        verbose_name_plural = _("durations of clocks")
        indexes = [models.Index(fields=["month"], name="clock_duration_by_month")]

    def __str__(self) -> str:
        return f"{self.month} {self.hours}"


class TimelinessReleaseQuerySet(models.QuerySet["TimelinessRelease"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated and user.sees_mechanism else self.none()


class TimelinessRelease(models.Model):
    """The timeliness of a half-year as everybody may see it who works with the mechanism. Made once when the half-year is
    over, with small counts hidden, and never again: two readings of the same figure would tell what came in between."""

    starts_on = models.DateField(_("from"), unique=True)
    ends_on = models.DateField(_("to"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    threshold = models.PositiveSmallIntegerField(_("smallest count shown"))
    tables = models.JSONField(default=dict)

    objects = TimelinessReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("protected timeliness")
        verbose_name_plural = _("protected timeliness")
        ordering = ["-starts_on"]

    def __str__(self) -> str:
        return str(self.starts_on)
