"""Who reads unusually: many records in an hour, out of hours, of another area (threats.md T37). Counts, never content.

The Director sees it on the page of the trail and is told by mail on the same day, once for each person and day.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from onatc import mail
from onatc.dated_settings import SettingName, holidays_between, is_working_day, settings_between
from onatc.trail import READINGS, TrailEntry


@dataclass
class Pattern:
    """A person's readings in a span of days, by what is unusual about them."""

    person_id: uuid.UUID | None
    person: str
    readings: int = 0
    out_of_hours: int = 0
    busiest_hour: int = 0
    foreign: int = 0
    has_many: bool = False  # in one hour more than was usual by the setting of that day
    hours: Counter[datetime] = field(default_factory=Counter, repr=False)

    @property
    def is_unusual(self) -> bool:
        return self.out_of_hours > 0 or self.has_many or self.foreign > 0


def patterns(start: date, end: date) -> list[Pattern]:
    """One row a person for the days from `start` to `end`, the unusual ones first.

    Each day is judged by the settings and holidays of that day. What everybody with the page may read (own records,
    lists, issued reports) is on record and not counted. `foreign` counts readings that their place marked as of another
    area.
    """
    limits = {name: settings_between(name, start, end) for name in LIMITS}
    closed = holidays_between(start, end)
    shown: dict[Any, Pattern] = {}
    found = TrailEntry.objects.filter(
        at__gte=_midnight(start), at__lt=_midnight(end + timedelta(days=1)), act__in=READINGS
    )
    for entry in found.select_related("actor").order_by("sequence").iterator(chunk_size=2_000):
        if entry.details.get("plain"):
            continue
        local = timezone.localtime(entry.at)
        day = local.date()
        one = shown.setdefault(entry.actor_id, Pattern(entry.actor_id, str(entry.actor or gettext("a job"))))
        one.readings += 1
        one.foreign += bool(entry.details.get("foreign"))
        opens, closes = limits[SettingName.OFFICE_OPENS](day), limits[SettingName.OFFICE_CLOSES](day)
        one.out_of_hours += not (opens <= local.hour < closes and is_working_day(day, closed))
        hour = entry.at.replace(minute=0, second=0, microsecond=0)
        one.hours[hour] += 1
        one.busiest_hour = max(one.busiest_hour, one.hours[hour])
        one.has_many |= one.hours[hour] > limits[SettingName.MANY_READINGS](day)
    return sorted(shown.values(), key=lambda one: (not one.is_unusual, -one.readings, one.person))


LIMITS = (SettingName.MANY_READINGS, SettingName.OFFICE_OPENS, SettingName.OFFICE_CLOSES)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def tell_directors() -> int:
    """A mail for each person who read unusually today or yesterday, once a person and day; how many were queued.

    It names no person: the page does, to whoever may open it. What a Director did is told to the others, or, when there
    is no other one, to the National Coordinator.
    """
    today = timezone.localdate()
    people = get_user_model()._default_manager
    directors = list(people.holding("director"))  # type: ignore[attr-defined]
    queued = 0
    for day in (today - timedelta(days=1), today):
        for one in patterns(day, day):
            if not one.is_unusual:
                continue
            told = [person for person in directors if person.pk != one.person_id]
            path = reverse("trail") + (f"?person={one.person_id}" if one.person_id else "")
            was_director = len(told) < len(directors)
            for person in told or people.holding("natc"):  # type: ignore[attr-defined]
                queued += mail.queue(
                    person,
                    occasion=f"unusual {day.isoformat()} {one.person_id} {person.pk}",
                    template="unusual_reading",
                    context={"path": path, "day": day, "pattern": one, "was_director": was_director},
                    kind=mail.Kind.ACCOUNT,  # at once, at night too, and nobody may refuse it
                )
    return queued
