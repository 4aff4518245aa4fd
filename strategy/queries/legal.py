"""What of the office's legal inputs waits."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Count, Q

from strategy.models import LegalInput, LegalInputState


def waiting_inputs(user: Any, today: date) -> dict[str, int]:
    """`overdue`: not sent and due before today; `to_approve`: given to the Director. One query."""
    counts: dict[str, int] = (
        LegalInput.objects.visible_to(user)
        .unsent()
        .aggregate(
            overdue=Count("pk", filter=Q(due_on__lt=today)),
            to_approve=Count("pk", filter=Q(state=LegalInputState.SUBMITTED)),
        )
    )
    return counts
