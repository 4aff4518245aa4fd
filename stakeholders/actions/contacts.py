"""Contacts with their functions, and how their data goes for good."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc import mail, search, trail
from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.actions.records import locked, make_once, refuse_dissolved, save, set_fields
from stakeholders.models import BodyMember, Contact, ContactFunction, Institution, Sex, User

REMOVED = _("The data of this person was removed.")


@transaction.atomic
def create_contact(
    key: uuid.UUID, values: dict[str, Any], *, by: User, institution: Institution | None = None, title: str = "",
    starts_on: date | None = None,
) -> Contact:  # fmt: skip
    """A person, with the function that they hold from a day on; a form sent twice makes one."""
    require(access.may_keep_contacts(by))
    contact, is_new = make_once(Contact(**values), key)
    if is_new and institution is not None:
        refuse_dissolved(institution, timezone.localdate())
        ContactFunction.objects.create(contact=contact, institution=institution, title=title, starts_on=starts_on)
    return contact  # type: ignore[no-any-return]


@transaction.atomic
def change_contact(contact: Contact, values: dict[str, Any], *, by: User, revision: int) -> Contact:
    require(access.may_keep_contacts(by))
    contact = locked(contact)
    if contact.removed_at is not None:
        raise Refused(REMOVED)
    set_fields(contact, values, revision)
    return save(contact)


@transaction.atomic
def save_function(
    contact: Contact, function: ContactFunction | None, *, by: User, institution: Institution, title: str,
    starts_on: date | None, ends_on: date | None, vacates: bool = False,
) -> Contact:  # fmt: skip
    """What somebody is at an institution, from–to; the same again, without `function`, changes nothing. With `vacates` the
    seats for the institution become vacant the day after the last one."""
    require(access.may_keep_contacts(by))
    contact = locked(contact)
    if contact.removed_at is not None:
        raise Refused(REMOVED)
    values: dict[str, Any] = {
        "institution": institution, "title": title, "starts_on": starts_on, "ends_on": ends_on,
    }  # fmt: skip
    if function is None:
        if contact.functions.filter(**values).exists():
            return contact
        refuse_dissolved(institution, starts_on or timezone.localdate())
        save(ContactFunction(contact=contact, **values), is_new=True)
        return contact
    function = locked(function)
    for name, value in values.items():
        setattr(function, name, value)
    save(function)
    if vacates and ends_on is not None:
        for seat in seats_left(function, ends_on).select_for_update(of=("self",)).select_related("body"):
            _vacate(seat, ends_on)
    return contact


def seats_left(function: ContactFunction, ends_on: date | None = None) -> QuerySet[BodyMember]:
    """The seats for the institution in which the person would sit on after the function (a last day, or today); none while
    another function there goes on."""
    day = ends_on or timezone.localdate()
    still = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    others = ContactFunction.objects.filter(still, contact=function.contact_id, institution=function.institution_id)
    if others.exclude(pk=function.pk).exists():
        return BodyMember.objects.none()
    seats = BodyMember.objects.filter(still, person=function.contact_id, institution=function.institution_id)
    return seats.order_by("body__code", "pk")


def _vacate(seat: BodyMember, last_day: date) -> None:
    """The person's term ends; the seat goes on without a person. One that begins later has none."""
    if seat.starts_on > last_day:
        seat.person = None
        seat.revision += 1
        save(seat)
        return
    rest = BodyMember(
        body=seat.body, institution=seat.institution, function=seat.function, deputy=seat.deputy, votes=seat.votes,
        starts_on=last_day + timedelta(days=1), ends_on=seat.ends_on, basis=seat.basis,
    )  # fmt: skip
    seat.ends_on = last_day
    seat.revision += 1
    save(seat)  # first: the chair of one term and that of the next must not overlap
    save(rest, is_new=True)


@transaction.atomic
def remove_contact(contact: Contact, *, by: User, reason: str) -> Contact:
    """Name, addresses, sex and account go; the row stays, so that meetings and decisions stay whole. Seats and functions
    end today; those that were to begin later go. Nothing new is sent, since there is no address; what waits
    in the outbox, what was sent and what the search kept of the name go in the same moment; the reason, in which no name
    may stand, is in the trail."""
    require(access.may_remove_contact(by))
    contact = locked(contact)
    if contact.removed_at is not None:
        return contact
    today, name, address = timezone.localdate(), contact.full_name, contact.email
    if any(word in search.words_of(reason) for word in search.words_of(name) if len(word) > 2):
        raise Refused(_("The reason stays on record: leave the name out of it."))
    # Before the row is emptied, and whatever order the constraints ask for: the later seats first.
    still = Q(ends_on__isnull=True) | Q(ends_on__gt=today)
    for field in ("person", "deputy"):
        for seat in BodyMember.objects.select_for_update(of=("self",)).filter(still, **{field: contact}).order_by("pk"):
            _leave(seat, field, today)
    ContactFunction.objects.filter(contact=contact, starts_on__gt=today).delete()
    ContactFunction.objects.filter(still, contact=contact).update(ends_on=today)
    contact.full_name = contact.email = contact.phone = ""
    contact.user, contact.sex, contact.removed_at = None, Sex.UNKNOWN, timezone.now()
    contact.revision += 1
    save(contact)
    search.forget("contact", contact.pk)
    mail.forget_person(address)
    trail.record(trail.Act.ENDED, by=by, record=contact, purpose=reason, what="contact data")
    return contact


def _leave(seat: BodyMember, field: str, today: date) -> None:
    """The person's own seat ends today; one in which they stood in goes on without them, as does a seat to come."""
    if field == "person" and seat.starts_on <= today:
        seat.ends_on = today
    else:
        setattr(seat, field, None)
    seat.revision += 1
    save(seat)
