"""A deviation that an institution is to correct, and a proposal of its own to adapt the mechanism."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from nrm.models import Adaptation, Deviation


def samples(cast: Cast, code: str) -> dict[str, Any]:
    own, today = cast.institutions[code], timezone.localdate()
    deviation = Deviation.objects.create(
        source="person",
        institution=own,
        found_on=today,
        what="The advocate was not told.",
        language="en",
        cause="knowledge",
        action="A training.",
        due_on=today + timedelta(days=30),
        state="correcting",
    )
    adaptation = Adaptation.objects.create(
        title_sq="Plani më herët",
        proposal="The plan is begun in the shelter.",
        evidence="Plans are late.",
        language="en",
        proposed_for=own,
        proposed_by=cast.reporters[code],
        proposed_on=today,
    )
    adaptation.deviations.add(deviation)
    return {"nrm:deviation-": deviation, "nrm:adaptation-": adaptation}
