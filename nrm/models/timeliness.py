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
        """For whoever may open every case. Others have their own clocks counted, and `TimelinessRelease`."""
        if not user.is_authenticated or not user.has_role(Role.DIRECTOR, Role.MONITORING):
            return self.none()
        return self


class ClockFigures(models.Model):
    """The key of a figure. Clocks that still run are not in it: they are few, and counted when the page is made."""

    month = models.DateField()  # in which the clock began
    lineage = models.UUIDField()

    objects = ClockFiguresQuerySet.as_manager()

    class Meta:
        abstract = True


class Side(models.TextChoices):
    """A count stands twice, once by institution and once by municipality: both together would be as many as clocks."""

    OWNER = "owner", _("by institution")
    PLACE = "place", _("by municipality")


class ClockCount(ClockFigures):
    """How many clocks ended in which way. `owner` is filled on the side of the institutions, `municipality` on the other."""

    side = models.CharField(max_length=5, choices=Side)
    owner = models.ForeignKey(Institution, models.PROTECT, null=True, related_name="+")
    municipality = models.ForeignKey(Municipality, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=ClockKind)
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("count of clocks")
        verbose_name_plural = _("counts of clocks")
        indexes = [models.Index(fields=["side", "month"], name="clock_count_by_month")]

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
