"""When an answer of the office is due, and how late one is. Plain functions of days."""

from __future__ import annotations

from datetime import date

# Working default of the office for requests (mandate, 8.4.1 and 8.4.6): not a limit of the law.
ANSWER_DAYS = 15


def days_late(due_on: date, today: date, sent_on: date | None = None) -> int:
    """Calendar days after the due day on which it was sent, or by today when it is not sent; 0 when in time."""
    return max(0, ((sent_on or today) - due_on).days)
