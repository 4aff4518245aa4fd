"""A meeting that is called, and people who are called to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from stakeholders.models import Attendee, Body, Contact, Meeting, MeetingState, User

OFFICE = ZoneInfo("Europe/Belgrade")


def officer() -> User:
    """Somebody of the office without a world around."""
    from stakeholders.models import Institution, Role, RoleAssignment

    found = User.objects.filter(email="officer@example.org").first()
    if found is None:
        found = User.objects.create_user("officer@example.org", full_name="Officer", language="en")
        RoleAssignment.objects.create(
            user=found,
            role=Role.PLANNING,
            institution=Institution.objects.get(code="ONATC"),
            starts_on=timezone.localdate(),
        )
    return User.objects.get(pk=found.pk)


def meeting(by: User, **fields: Any) -> Meeting:
    """Called, in ten days from ten to twelve unless told otherwise."""
    start = (timezone.localtime() + timedelta(days=10)).replace(hour=10, minute=0, second=0, microsecond=0)
    values = {
        "title_sq": "Takimi i Autoritetit; pikë, vijë dhe ë",
        "title_sr": "Sastanak Uprave; čas, šest i žaba",
        "title_en": "Meeting of the Authority; points, commas",
        "starts_at": start,
        "ends_at": start + timedelta(hours=2),
        "place": "Salla A, kati 2; Prishtinë",
        "state": MeetingState.CALLED,
        "called_at": timezone.now(),
        "called_by": by,
        "created_by": by,
    } | fields
    return Meeting.objects.create(**values)


def contact(name: str, *, language: str = "sq", email: str | None = None, **fields: Any) -> Contact:
    address = f"{name.lower().replace(' ', '.')}@example.org" if email is None else email
    return Contact.objects.create(full_name=name, email=address, language=language, **fields)


def call(to: Meeting, who: Contact | None = None, **fields: Any) -> Attendee:
    return Attendee.objects.create(meeting=to, contact=who, **fields)


def body(code: str = "group") -> Body:
    return Body.objects.create(code=code, name_sq=f"Grupi {code}", kind="group", founded_on="2020-01-01")


def moment(*when: int) -> datetime:
    """By the office's clock, as UTC."""
    return datetime(*when, tzinfo=OFFICE).astimezone(UTC)  # type: ignore[arg-type, misc]
