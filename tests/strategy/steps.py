"""Steps of the main job, as the actions do them; tests say only what matters to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stakeholders.models import User
from strategy.actions import progress as actions
from strategy.actions.progress import Answer, Given
from strategy.models import MeasureState, ProgressEntry, ProgressRequest


def answer(request: ProgressRequest, *, value: Any = 12, **changes: Any) -> Answer:
    note = "Nuk ndahet." if value is not None else ""
    values = {
        one.pk: Given(None if value is None else Decimal(value), parts_note=note if one.disaggregation else "")
        for one in request.indicators.all()
    }
    fields: dict[str, Any] = {
        "language": "sq",
        "measure_state": MeasureState.UNDER_WAY,
        "done": "U mbajtën operacionet e përbashkëta.",
        "values": values,
    }
    return Answer(**(fields | changes))


def drafted(request: ProgressRequest, by: User, **changes: Any) -> ProgressEntry:
    entry = actions.start_entry(request, by=by)
    return actions.save_entry(entry, answer(request, **changes), by=by, revision=entry.revision)


def submitted(request: ProgressRequest, by: User, **changes: Any) -> ProgressEntry:
    return actions.submit_entry(drafted(request, by, **changes), by=by)


def accepted(request: ProgressRequest, by: User, reviewer: User, **changes: Any) -> ProgressEntry:
    entry = submitted(request, by, **changes)
    actions.accept_entry(entry, by=reviewer)
    entry.refresh_from_db()
    return entry
