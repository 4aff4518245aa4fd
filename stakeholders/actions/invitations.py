"""What goes out to people who are called to a meeting."""

from __future__ import annotations

from stakeholders.models import Meeting, User


def send_calls(meeting: Meeting, *, by: User) -> int:
    """Send the call to everybody on the list who was not sent it with the meeting's present `sequence`, in the transaction
    of the act; gives how many were written to. People without an address are left to the office."""
    return 0


def send_cancellation(meeting: Meeting, *, by: User) -> int:
    """Tell everybody who was called that the meeting is cancelled; gives how many were written to."""
    return 0
