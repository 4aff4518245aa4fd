"""A case of each institution, opened by its own people."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from nrm.actions.cases import open_case
from nrm.models import Case, Merge, MergeKind, TwinMatch


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
    """The case, a merge of it with one of a third institution, and a question that both are asked."""
    case, third = case_of(cast, code), cast.institutions["MIA"]
    other, _new = open_case(by=None, key=uuid.uuid4(), institution=third, referred_on=timezone.localdate())
    made = Merge.objects.create(
        case=case,
        into=other,
        kind=MergeKind.SAME_PERSON,
        reason="x",
        person_before=case.person,
        person_after=other.person,
    )
    match = TwinMatch.objects.create(
        first=case, second=other, first_institution=cast.institutions[code], second_institution=third, strength="strong"
    )
    return {
        "nrm:case-": {"marker": case.marker},
        "nrm:merge-": made,
        "nrm:twin-": match,
    }
