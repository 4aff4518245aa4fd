"""Settings of the office that hold from a day on: code that asks for one names the day it is about.

They are changed in Django admin by adding a row; what held before stays on record.
"""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from onatc.history import tracked

DEFAULTS = {"due_days": 15, "signal_tolerance": 20, "signal_news_days": 200}


class SettingName(models.TextChoices):
    DUE_DAYS = "due_days", _("days after a period in which reports are due")
    SIGNAL_TOLERANCE = "signal_tolerance", _("points behind the time gone before a measure is at risk")
    SIGNAL_NEWS_DAYS = "signal_news_days", _("days after which an accepted report is no longer news")


@tracked
class DatedSetting(models.Model):
    name = models.CharField(_("setting"), max_length=40, choices=SettingName)
    value = models.PositiveIntegerField(_("value"))
    valid_from = models.DateField(_("valid from"))

    class Meta:
        verbose_name = _("setting")
        verbose_name_plural = _("settings")
        ordering = ["name", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "valid_from"],
                name="dated_setting_once_a_day",
                violation_error_message=_("This setting has a value from that day already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()}: {self.value}"


def setting(name: str, on: date) -> int:
    """The value in force on a day; before the first row, the value that ships with the application."""
    row = DatedSetting.objects.filter(name=name, valid_from__lte=on).order_by("-valid_from").first()
    return row.value if row else DEFAULTS[name]
