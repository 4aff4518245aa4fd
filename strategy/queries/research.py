"""Measures that stand behind links: a link is made to one version of a measure and followed by its lineage."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from strategy.models import Measure, VersionState


def present_measures(lineages: Iterable[uuid.UUID], user: Any) -> dict[uuid.UUID, Measure]:
    """Each lineage's measure in force, else its newest version, that the reader may see; a lineage of which they see none
    is left out."""
    wanted = set(lineages)
    if not wanted:
        return {}
    rows = Measure.objects.visible_to(user).filter(lineage__in=wanted).select_related("version")
    in_order = sorted(rows, key=lambda one: (one.version.state == VersionState.ADOPTED, one.version.number))
    return {one.lineage: one for one in in_order}


def codes_in_force(lineages: Iterable[uuid.UUID]) -> str:
    """What a form shows for links: `PLAN/M1.2.3` of today, parted by commas."""
    rows = (
        Measure.objects.current()
        .filter(lineage__in=set(lineages))
        .select_related("version__plan")
        .order_by("version__plan__code", "position")
    )
    return ", ".join(f"{one.version.plan.code}/{one.code}" for one in rows)
