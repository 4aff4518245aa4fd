"""Links between action points and the measures that they serve."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from onatc.errors import Refused, require
from stakeholders.actions.records import locked
from stakeholders.models import ActionPoint, User
from strategy import access
from strategy.models import Measure, PointMeasure


@transaction.atomic
def link_point(point: ActionPoint, measures: Iterable[Measure], *, by: User) -> None:
    """The point serves these measures, in whichever version of the plan; linked twice is linked once."""
    point = locked(point)
    require(access.may_link_point(by, point))
    for measure in measures:
        if not Measure.objects.visible_to(by).filter(pk=measure.pk).exists():
            raise Refused(_("There is no such measure that you may see."))
        PointMeasure.objects.get_or_create(point=point, lineage=measure.lineage, defaults={"by": by})


@transaction.atomic
def unlink_point(link: PointMeasure, *, by: User) -> None:
    """Taken off; the history keeps that it was linked. Twice is the same as once."""
    require(access.may_unlink_point(by, link))
    PointMeasure.objects.filter(pk=link.pk).delete()
