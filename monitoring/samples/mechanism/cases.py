"""A case of each institution, opened by its own people."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from nrm.actions.cases import open_case
from nrm.models import Case


def case_of(cast: Cast, code: str) -> Case:
    """The case of an institution, for other areas to hang their records on; made once."""
    known: dict[str, Case] = cast.__dict__.setdefault("cases_of_institutions", {})
    if code not in known:
        known[code], _new = open_case(
            by=cast.reporters[code],
            key=uuid.uuid4(),
            institution=cast.institutions[code],
            referred_on=timezone.localdate(),
            referring_entity="E_POLICE",
            profile={
                "sex": "F",
                "age_at_referral": 24,
                "citizenship": ["XK"],
                "forms": ["SEX"],
                "municipality_id": "PEJ",
            },
        )
    return known[code]


def samples(cast: Cast, code: str) -> dict[str, Any]:
    return {"nrm:case-": {"marker": case_of(cast, code).marker}}
