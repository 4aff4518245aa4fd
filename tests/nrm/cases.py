"""Cases as tests need them, made by the acts of the application."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from nrm.actions.cases import open_case
from nrm.models import Case
from stakeholders.models import Institution, User


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def opened(by: User | None, *, code: str = "KP-THB", on: date | None = None, **fields: Any) -> Case:
    """An adult woman of Kosovo, referred ten days ago to the institution itself, unless told otherwise."""
    profile = {"sex": "F", "age_at_referral": 24, "citizenship": ["XK"], "forms": ["SEX"], "municipality_id": "PRN"}
    profile |= fields.pop("profile", {})
    case, _new = open_case(
        by=by,
        key=uuid.uuid4(),
        institution=institution(code),
        referred_on=on or timezone.localdate() - timedelta(days=10),
        profile=profile,
        **{"referring_entity": "E_POLICE", **fields},
    )
    return case
