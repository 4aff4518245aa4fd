"""An event is said to carry out measures of the plan."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from onatc.errors import require
from stakeholders.actions.records import locked
from stakeholders.models import Event, User
from strategy import access
from strategy.models import EventMeasure, Measure


@transaction.atomic
def link_measures(event: Event, measures: Iterable[Measure], *, by: User) -> Event:
    """These and no others; what the person may not see stays as it is. The same again changes nothing."""
    event = locked(event)
    require(access.may_link_event(by))
    wanted = {one.lineage for one in measures}
    held = set(EventMeasure.objects.filter(event=event).values_list("lineage", flat=True))
    # A measure that is in no version in force cannot be typed; its link is not taken off for that.
    in_force = set(Measure.objects.visible_to(by).current().filter(lineage__in=held).values_list("lineage", flat=True))
    EventMeasure.objects.filter(event=event, lineage__in=in_force - wanted).delete()
    EventMeasure.objects.bulk_create(
        (EventMeasure(event=event, lineage=one, by=by) for one in wanted - held), ignore_conflicts=True
    )
    return event
