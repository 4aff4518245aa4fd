"""Due days of this app that are still open, moved when a holiday is entered on them later."""

from __future__ import annotations

from datetime import date

from onatc.dated_settings import moves_due_days
from strategy.models import LegalInput, Round, RoundState


def register() -> None:
    moves_due_days(move)


def move(day: date, to: date) -> int:
    """Within the transaction that enters the holiday. A round stays due after its period. How many moved."""
    rounds = Round.objects.filter(due_on=day, ends_on__lt=to).exclude(state=RoundState.CLOSED)
    count = 0
    for round_ in rounds.select_for_update(of=("self",)).order_by("pk"):
        round_.due_on = to
        round_.save(update_fields=["due_on"])
        count += 1
    for one in LegalInput.objects.unsent().filter(due_on=day).select_for_update(of=("self",)).order_by("pk"):
        one.due_on = to
        one.revision += 1
        one.save(update_fields=["due_on", "revision"])
        count += 1
    return count
