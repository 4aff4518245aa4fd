"""Clocks, deviations and meetings as tests of the oversight need them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from nrm.actions import deviations
from nrm.models import Case, Clock, ClockState, Deviation, Happening, SopStep
from stakeholders.models import User
from tests.nrm.cases import institution


def a_step(number: int = 16) -> SopStep:
    """One that nothing in a freshly opened case starts, unless told."""
    return SopStep.objects.get(version__number=1, number=number)


def a_clock(
    case: Case, *, step: int = 16, owner: str = "CSW", started: float, limit: float = 10, took: float | None = None,
    state: str = "", now: datetime | None = None,
) -> Clock:  # fmt: skip
    """Started so many days ago, with a limit of so many days; met after `took` days, or running."""
    now = now or timezone.now()
    begun = now - timedelta(days=started)
    event = Happening.objects.create(case=case, kind="stable", happened_at=begun, has_time=True)
    met = None if took is None else begun + timedelta(days=took)
    return Clock.objects.create(
        case=case,
        step=a_step(step),
        trigger_event=event,
        owner=institution(owner),
        started_at=begun,
        due_at=begun + timedelta(days=limit),
        state=state or (ClockState.RUNNING if met is None else ClockState.MET),
        met_at=met if state != ClockState.ENDED else None,
        ended_at=met if state == ClockState.ENDED else None,
    )


def a_deviation(by: User, *, case: Case | None = None, owner: str = "KP-THB", **values: Any) -> Deviation:
    fields = {
        "found_on": timezone.localdate(),
        "institution": institution(owner),
        "what": "Nobody told the advocate.",
        "language": "en",
    }
    return deviations.record(uuid.uuid4(), fields | values, by=by, case=case)


def correction(**values: Any) -> dict[str, Any]:
    fields = {
        "cause": "staff",
        "cause_note": "",
        "action": "A duty list is made.",
        "institution": institution("KP-THB"),
        "due_on": timezone.localdate() + timedelta(days=20),
        "point": None,
    }
    return fields | values


def being_corrected(by: User, **values: Any) -> Deviation:
    one = a_deviation(by, **values)
    return deviations.correct(one, correction(), by=by, revision=one.revision)
