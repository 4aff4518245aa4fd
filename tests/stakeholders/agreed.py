"""Agreements and obligations as the actions make them; tests say only what matters to them."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from stakeholders.actions import agreements
from stakeholders.actions.agreements import Party
from stakeholders.models import Agreement, Institution, Obligation


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def an_agreement(
    world: Any, *, parties: Any = ("NATC", "MOH", "MOJ", "IOM"), renews: Any = None, **values: Any
) -> Agreement:
    """Being prepared, with the office's planning officer responsible."""
    fields = {
        "kind": "memorandum", "title_sq": "Memorandum bashkëpunimi", "subject": "Bashkëpunimi", "responsible": world.planning,
    }  # fmt: skip
    rows = [one if isinstance(one, tuple) else (one, None) for one in parties]
    bound = [Party(institution(code), "", focal) for code, focal in rows]
    return agreements.prepare(uuid.uuid4(), fields | values, bound, by=world.planning, renews=renews)


def a_signed_agreement(
    world: Any,
    *,
    signed_on: date | None = None,
    in_force_on: date | None = None,
    expires_on: date | None = None,
    review_on: date | None = None,
    is_in_force: bool = True,
    **values: Any,
) -> Agreement:
    agreement = an_agreement(world, **values)
    signed = signed_on or in_days(-100)
    return agreements.sign(
        agreement, by=world.director, revision=agreement.revision, signed_on=signed,
        in_force_on=(in_force_on or signed) if is_in_force else None, expires_on=expires_on, review_on=review_on,
    )  # fmt: skip


def an_obligation(world: Any, agreement: Agreement, *, owes: str = "MOH", **values: Any) -> Obligation:
    fields = {"institution": institution(owes), "text": "Raporti", "first_due_on": in_days(30), "every_months": None}
    return agreements.add_obligation(uuid.uuid4(), agreement, fields | values, by=world.planning)
