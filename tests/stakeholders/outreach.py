"""Events, circulars and documents for tests, made through the acts that the pages use."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from onatc.files import AttachmentField
from stakeholders.actions import circulars, events, library
from stakeholders.models import Body, BodyMember, Contact, ContactFunction, Institution


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def days_ago(number: int) -> date:
    return timezone.localdate() - timedelta(days=number)


def checked(name: str, body: bytes):
    return AttachmentField().clean([SimpleUploadedFile(name, body)])


def an_event(by, *, held: bool = False, **changes):
    values = {
        "kind": "training", "title_en": "Training", "starts_on": days_ago(5), "ends_on": days_ago(5),
        "organiser": institution("ONATC"),
    } | changes  # fmt: skip
    event = events.record_event(uuid.uuid4(), values, by=by)
    return events.settle(event, state="held", by=by, revision=0) if held else event


def reached(event, by, **numbers):
    """`participants_women=3` and so on."""
    counted: dict[str, dict[str, int | None]] = {}
    for name, number in numbers.items():
        audience, _, sex = name.partition("_")
        counted.setdefault(audience, {})[sex] = number
    return events.count_reach(event, counted, by=by, revision=event.revision)


def a_contact(name: str, code: str = "", *, email: str = "-", user=None, **changes) -> Contact:
    address = "" if user is not None else f"{uuid.uuid4().hex[:10]}@example.org" if email == "-" else email
    contact = Contact.objects.create(full_name=name, email=address, user=user, **changes)
    if code:
        ContactFunction.objects.create(contact=contact, institution=institution(code), title="x")
    return contact


def a_body(code: str, *seats) -> Body:
    """`seats` are (institution code, person, deputy)."""
    body = Body.objects.create(code=code, name_sq=code, name_en=code, kind="group", founded_on=days_ago(400))
    for where, person, deputy in seats:
        BodyMember.objects.create(
            body=body, institution=institution(where), person=person, deputy=deputy, starts_on=days_ago(300)
        )
    return body


def a_circular(by, *, bodies=(), institutions=(), **changes):
    values = {"kind": "circular", "title_sq": "Qarkore", "text_sq": "Teksti shqip."} | changes
    return circulars.write(uuid.uuid4(), values, by=by, bodies=bodies, institutions=institutions)


def send(circular, by):
    """Sent to its end, without a worker."""
    circulars.send(circular, by=by, revision=circular.revision)
    circulars.deliver(circular, lambda done, total: None, by=by)
    circular.refresh_from_db()
    return circular


def a_document(by, *, bodies=(), body: bytes = b"", **changes):
    values = {"kind": "guideline", "title_en": "Guideline", "is_for_all": not bodies} | changes
    document = library.add_document(uuid.uuid4(), values, by=by, bodies=bodies)
    if body:
        library.add_version(document, checked("a.txt", body)[0], by=by, language="sq", on=days_ago(1))
    return document


def asked(caught) -> int:
    """Queries of a page, without the one that looks every few seconds whether there is maintenance."""
    return sum("onatc_maintenance" not in one["sql"] for one in caught.captured_queries)
