"""Contacts, bodies and seats as the actions make them; tests say only what matters to them."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from stakeholders.actions import bodies, contacts
from stakeholders.models import Body, BodyMember, Contact, Institution, User


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def a_contact(by: User, name: str = "Përfaqësuesi A", *, at: str = "KP-THB", **values: Any) -> Contact:
    return contacts.create_contact(
        uuid.uuid4(), {"full_name": name} | values, by=by, institution=institution(at) if at else None, title="Zyrtar"
    )


def a_body(by: User, code: str = "GROUP", **values: Any) -> Body:
    fields = {"code": code, "kind": "group", "name_sq": f"Grupi {code}", "founded_on": days_ago(1000)}
    return bodies.create_body(uuid.uuid4(), fields | values, by=by)


def a_seat(body: Body, by: User, *, at: str = "KP-THB", **values: Any) -> BodyMember:
    fields = {"institution": institution(at), "starts_on": days_ago(100)}
    return bodies.add_seat(uuid.uuid4(), body, fields | values, by=by)
