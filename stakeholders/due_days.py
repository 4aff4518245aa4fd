"""Due days of this app that are still open, moved when a holiday is entered on them later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import QuerySet

from onatc.dated_settings import moves_due_days
from stakeholders.models import (
    ActionPoint,
    AssignmentState,
    Circular,
    Enquiry,
    EnquiryState,
    Meeting,
    MinutesState,
    Obligation,
    QuestionAssignment,
    Questionnaire,
    QuestionnaireState,
)


def register() -> None:
    moves_due_days(move)


def _open_on(day: date) -> Iterator[tuple[str, QuerySet[Any]]]:
    """The field that holds the day, and the records that wait for it. A questionnaire comes before its questions, as
    wherever both are locked."""
    over = [EnquiryState.ANSWERED, EnquiryState.CLOSED]
    yield "due_on", Enquiry.objects.filter(due_on=day).exclude(state__in=over)
    yield "due_on", Questionnaire.objects.filter(due_on=day, state=QuestionnaireState.OPEN)
    yield (
        "due_on",
        QuestionAssignment.objects.filter(
            due_on=day,
            state__in=[AssignmentState.ASKED, AssignmentState.RETURNED],
            question__questionnaire__state=QuestionnaireState.OPEN,
        ),
    )
    yield "due_on", ActionPoint.objects.open().filter(due_on=day)
    yield "due_on", Obligation.objects.filter(due_on=day, ended_on__isnull=True)
    yield "confirm_by", Circular.objects.filter(confirm_by=day, asks_confirmation=True)
    yield "comments_until", Meeting.objects.filter(comments_until=day, minutes_state=MinutesState.CIRCULATED)


def move(day: date, to: date) -> int:
    """Within the transaction that enters the holiday. How many moved."""
    count = 0
    for name, rows in _open_on(day):
        for row in rows.select_for_update(of=("self",)).order_by("pk"):
            setattr(row, name, to)
            row.revision += 1
            row.save(update_fields=[name, "revision"])
            count += 1
    return count
