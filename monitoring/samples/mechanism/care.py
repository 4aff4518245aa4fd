"""An emergency, a request, a breach and a prepared destruction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import OWN, Cast
from monitoring.samples.mechanism.cases import case_of
from nrm.models import Breach, Destruction, EmergencyAccess, PersonRequest


def samples(cast: Cast, code: str) -> dict[str, Any]:
    case, now, person = case_of(cast, code), timezone.now(), cast.reporters[code]
    kind = "case" if code == OWN else "token"
    destruction = Destruction.objects.create(
        kind=kind, reason="x", count=1, cases=[str(case.pk)], prepared_by=cast.users["planning"]
    )
    breach = Breach.objects.create(
        number=1 if code == OWN else 2, known_at=now, what="x", data_kinds="x", reported_by=person
    )
    return {
        "nrm:emergency-review": EmergencyAccess.objects.create(
            case=case, user=person, reason="x", ends_at=now + timedelta(seconds=1)
        ),
        "nrm:destruction-": destruction,
        "nrm:destruction-prepare": {"kind": "screening"},
        "nrm:request-": PersonRequest.objects.create(
            case=case, brought_by=cast.institutions[code], received_on=now.date(), due_on=now.date()
        ),
        "nrm:request-create": {"marker": case.marker},
        "nrm:breach-": breach,
    }
