"""Which measures an event carries out: followed by the lineage of the measure, shown on the page of the event."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stakeholders import related
from stakeholders.models import Event
from strategy import access
from strategy.models import EventMeasure
from strategy.queries.research import present_measures


def measures_of(events: Collection[Any], user: Any) -> dict[Any, list[related.Related]]:
    """By event, the measures that the reader may see, as they are in force."""
    links = list(EventMeasure.objects.visible_to(user).filter(event__in=[one.pk for one in events]))
    measures = present_measures({link.lineage for link in links}, user)
    found: dict[Any, list[related.Related]] = {}
    for link in links:
        if measure := measures.get(link.lineage):
            row = related.Related(f"{measure.code} {measure.title}", measure.get_absolute_url(), measure.code)
            found.setdefault(link.event_id, []).append(row)
    return found


def _acts(event: Any, user: Any) -> Iterable[related.Act]:
    if access.may_link_event(user):
        yield related.Act(_("Say which measures it carries out"), reverse("strategy:event-measures", args=[event.pk]))


def events_of(measure: Any, user: Any) -> Any:
    """The events and campaigns that carried a measure out, newest first; for its page."""
    links = EventMeasure.objects.visible_to(user).filter(lineage=measure.lineage)
    return Event.objects.visible_to(user).filter(pk__in=links.values("event")).order_by("-starts_on", "pk")


def register() -> None:
    related.register(
        related.Source(
            "measures",
            Event,
            gettext_lazy("Measures of the plan that it carries out"),
            measures_of,
            acts=_acts,
            empty=gettext_lazy("It is linked with no measure that you may see."),
            narrow=lambda value: Q(pk__in=EventMeasure.objects.filter(lineage=value).values("event")),
        )
    )
