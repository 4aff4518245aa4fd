"""Bodies and the seats in them."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.actions.records import locked, make_once, refuse_dissolved, save, set_fields
from stakeholders.models import Body, BodyMember, User


def _refuse_circle(body: Body) -> None:
    seen, one = {body.pk}, body.parent
    while one is not None:
        if one.pk in seen:
            raise Refused(_("A body cannot be part of itself."))
        seen.add(one.pk)
        one = one.parent


@transaction.atomic
def create_body(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Body:
    """A form sent twice makes one."""
    require(access.may_keep_contacts(by))
    try:
        return make_once(Body(**values), key)[0]  # type: ignore[no-any-return]
    except IntegrityError as error:  # a colleague took the code in the same moment
        raise Refused(_("This code is taken.")) from error


@transaction.atomic
def change_body(body: Body, values: dict[str, Any], *, by: User, revision: int) -> Body:
    require(access.may_keep_contacts(by))
    body = locked(body)
    if "parent" in set_fields(body, values, revision):
        _refuse_circle(body)
    return save(body)


@transaction.atomic
def dissolve_body(body: Body, *, by: User, dissolved_on: date) -> Body:
    """Its last day; seats end with it, and those that were to begin later go."""
    require(access.may_keep_contacts(by))
    body = locked(body)
    if body.dissolved_on == dissolved_on:
        return body
    if body.dissolved_on is not None:
        raise Refused(_("The body is dissolved already."))
    body.dissolved_on = dissolved_on
    body.revision += 1
    save(body)
    body.members.filter(starts_on__gt=dissolved_on).delete()
    body.members.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=dissolved_on)).update(
        ends_on=dissolved_on, revision=F("revision") + 1
    )
    return body


def _check(seat: BodyMember, body: Body) -> None:
    refuse_dissolved(seat.institution, seat.starts_on)
    if seat.starts_on < body.founded_on:
        raise Refused(_("The body was founded after that day."))
    if body.dissolved_on is not None and (seat.ends_on is None or seat.ends_on > body.dissolved_on):
        raise Refused(_("The body was dissolved; a seat ends by that day."))
    for person in (seat.person, seat.deputy):
        if person is not None and person.removed_at is not None:
            raise Refused(_("The data of this person was removed."))


@transaction.atomic
def add_seat(key: uuid.UUID, body: Body, values: dict[str, Any], *, by: User) -> BodyMember:
    """A seat for a term; a form sent twice makes one. Raises Refused with the sentence of the database when somebody
    else has the chair, or the person sits there, in that time."""
    require(access.may_keep_contacts(by))
    seat = BodyMember(**values, body=body)
    _check(seat, locked(body))
    return make_once(seat, key)[0]  # type: ignore[no-any-return]


@transaction.atomic
def change_seat(seat: BodyMember, values: dict[str, Any], *, by: User, revision: int) -> BodyMember:
    """To mend what was recorded. A person who leaves ends the seat, so that who sat where stays on record."""
    require(access.may_keep_contacts(by))
    body = locked(seat.body)
    seat = locked(seat)
    if set_fields(seat, values, revision):
        _check(seat, body)
    return save(seat)


@transaction.atomic
def end_seat(seat: BodyMember, *, by: User, ends_on: date) -> BodyMember:
    """The last day of a seat; the same again changes nothing."""
    require(access.may_keep_contacts(by))
    seat = locked(seat)
    if seat.ends_on == ends_on:
        return seat
    seat.ends_on = ends_on
    seat.revision += 1
    return save(seat)
