"""The computed signal of a measure for a period, and a reviewer's override of it."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked
from onatc.ids import new_id
from onatc.kept import note_change
from onatc.periods import Period
from strategy.models.plan import FROZEN_STATES, Measure, dates_in_order
from strategy.models.progress import ProgressEntry


class Signal(models.TextChoices):
    """Where a measure stands. `strategy.signal.compute` holds the published rule; nobody types one."""

    COMPLETED = "completed", _("completed")
    ON_TIME = "on_time", _("on time")
    AT_RISK = "at_risk", _("at risk")
    LATE = "late", _("late")
    NO_NEWS = "no_news", _("no news")
    NOT_STARTED = "not_started", _("not yet due to start")
    DROPPED = "dropped", _("dropped")


class MeasureSignalQuerySet(models.QuerySet["MeasureSignal"]):
    def visible_to(self, user: Any) -> Self:
        """Of measures one sees; of drafts for the office alone, since others see them to remark on their wording."""
        measures = Measure.objects.visible_to(user)
        if not (user.is_authenticated and user.is_office):
            measures = measures.filter(version__state__in=FROZEN_STATES)
        return self.filter(measure__in=measures.values("pk"))


class MeasureSignal(models.Model):
    """The signal of a measure as of the end of a period, or as of today in the running one.

    Recomputed by every act that can change it and each night; `strategy.signal` has the rule. Kept as rows so that
    lists filter, sort and count by it in the database.
    """

    measure = models.ForeignKey(Measure, models.CASCADE, related_name="signals", verbose_name=_("measure"))
    starts_on = models.DateField(_("start of the period"))
    ends_on = models.DateField(_("end of the period"))
    signal = models.CharField(_("signal"), max_length=20, choices=Signal)
    reason = models.CharField(max_length=40)
    reason_values = models.JSONField(default=dict)
    achieved_pct = models.DecimalField(_("achieved"), max_digits=6, decimal_places=1, null=True, blank=True)
    latest_entry = models.ForeignKey(ProgressEntry, models.PROTECT, null=True, blank=True, related_name="+")
    is_overridden = models.BooleanField(_("overridden"), default=False)
    computed_at = models.DateTimeField(_("computed"), auto_now=True)

    objects = MeasureSignalQuerySet.as_manager()

    class Meta:
        verbose_name = _("signal of a measure")
        verbose_name_plural = _("signals of measures")
        ordering = ["measure", "-ends_on"]
        triggers = [note_change()]
        constraints = [
            dates_in_order("measure_signal_dates_in_order"),
            models.UniqueConstraint(fields=["measure", "starts_on", "ends_on"], name="measure_signal_once_a_period"),
        ]
        indexes = [models.Index(fields=["starts_on", "ends_on", "signal"], name="measure_signal_in_period")]

    def __str__(self) -> str:
        return self.get_signal_display()

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)


@tracked
class SignalOverride(models.Model):
    """A reviewer's other judgement for one period, shown as such beside the computed signal."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    measure = models.ForeignKey(Measure, models.CASCADE, related_name="overrides", verbose_name=_("measure"))
    starts_on = models.DateField(_("start of the period"))
    ends_on = models.DateField(_("end of the period"))
    signal = models.CharField(_("signal"), max_length=20, choices=Signal)
    reason = models.TextField(_("reason"), max_length=1000)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("on"), auto_now_add=True)

    class Meta:
        verbose_name = _("override of a signal")
        verbose_name_plural = _("overrides of signals")
        ordering = ["-at"]
        constraints = [
            dates_in_order("signal_override_dates_in_order"),
            models.UniqueConstraint(fields=["measure", "starts_on", "ends_on"], name="signal_override_once_a_period"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="signal_override_has_reason"),
        ]

    def __str__(self) -> str:
        return self.get_signal_display()
