"""Where what was agreed with others meets the plan: action points and events of a measure, followed by its lineage."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from stakeholders.models import ActionPoint, Event
from strategy.models.plan import Measure


class PointMeasureQuerySet(models.QuerySet["PointMeasure"]):
    def visible_to(self, user: Any) -> Self:
        """Who may see both."""
        return self.filter(
            point__in=ActionPoint.objects.visible_to(user).values("pk"),
            lineage__in=Measure.objects.visible_to(user).values("lineage"),
        )


@tracked
class PointMeasure(models.Model):
    """An action point serves a measure, in whichever version of the plan."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    point = models.ForeignKey(ActionPoint, models.CASCADE, related_name="+", verbose_name=_("action point"))
    lineage = models.UUIDField(_("measure"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    objects = PointMeasureQuerySet.as_manager()

    class Meta:
        verbose_name = _("measure of an action point")
        verbose_name_plural = _("measures of action points")
        ordering = ["point", "at"]
        constraints = [models.UniqueConstraint(fields=["point", "lineage"], name="point_measure_once")]
        indexes = [models.Index(fields=["lineage"], name="point_of_a_measure")]

    def __str__(self) -> str:
        return str(self.lineage)


class EventMeasureQuerySet(models.QuerySet["EventMeasure"]):
    def visible_to(self, user: Any) -> Self:
        """Who may see both."""
        return self.filter(
            event__in=Event.objects.visible_to(user).values("pk"),
            lineage__in=Measure.objects.visible_to(user).values("lineage"),
        )


@tracked
class EventMeasure(models.Model):
    """An event or campaign carries out a measure, in whichever version of the plan."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="+", verbose_name=_("event"))
    lineage = models.UUIDField(_("measure"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("recorded"), auto_now_add=True)

    objects = EventMeasureQuerySet.as_manager()

    class Meta:
        verbose_name = _("measure of an event")
        verbose_name_plural = _("measures of events")
        ordering = ["event", "at"]
        constraints = [models.UniqueConstraint(fields=["event", "lineage"], name="event_measure_once")]
        indexes = [models.Index(fields=["lineage"], name="event_of_a_measure")]

    def __str__(self) -> str:
        return str(self.lineage)
