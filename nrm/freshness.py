"""Whether what a provider says of a service is still what the provider says: a plain rule on days.

Source: issue 7, sentence 07: the services directory is confirmed by the provider every quarter, or shown as ageing. Quarters
are those of the calendar, by which institutions report.
"""

from __future__ import annotations

from datetime import date

from django.db import models
from django.utils.translation import pgettext_lazy

from onatc.periods import Period

REMINDED_AFTER_MONTHS = 1  # a provider has the first month of a quarter to confirm unasked


class Freshness(models.TextChoices):
    """Follows from the day of the last confirmation; nobody types it."""

    FRESH = "fresh", pgettext_lazy("nrm", "confirmed this quarter")
    DUE = "due", pgettext_lazy("nrm", "to be confirmed this quarter")
    AGEING = "ageing", pgettext_lazy("nrm", "ageing")


def fresh_since(today: date) -> date:
    """The first day of the quarter: what was confirmed from then on is fresh."""
    return Period.quarter_of(today).start


def due_since(today: date) -> date:
    """The first day of the quarter before: what was confirmed from then on, and not in this quarter, is due."""
    return Period.quarter_of(today).previous().start


def freshness(confirmed_on: date | None, today: date) -> Freshness:
    """Confirmed in the quarter of `today` it is fresh; in the quarter before, it is due until the quarter ends; after a
    whole quarter without a confirmation, or when it never was confirmed, it is ageing."""
    if confirmed_on is None or confirmed_on < due_since(today):
        return Freshness.AGEING
    return Freshness.FRESH if confirmed_on >= fresh_since(today) else Freshness.DUE


def is_reminded(today: date) -> bool:
    """Whether providers that did not confirm in this quarter are reminded by now: from its second month on."""
    return (today.month - 1) % 3 >= REMINDED_AFTER_MONTHS


def last_day_to_confirm(today: date) -> date:
    return Period.quarter_of(today).end
