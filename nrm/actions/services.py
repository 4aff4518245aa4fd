"""The life of an entry in the services directory: recorded, told of, confirmed by the provider, changed, ended."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import Area, PlacesReport, Service, ServiceAddress, ServiceProposal
from onatc.errors import Refused, require
from onatc.keys import sealing_key_id
from onatc.vocabulary import Code
from stakeholders.actions.records import Stale, locked, make_once, refuse_dissolved, refuse_future, save, set_fields
from stakeholders.models import User

# Fields that hold codes of a list, with the list.
LISTS = {"kinds": "assistance", "sexes": "sex", "risk_levels": "risk_level", "shelter_type": "shelter_type"}


def _refuse_unknown(values: dict[str, Any], service: Service | None = None) -> None:
    """A code that no list has; one that was retired stays where it is."""
    for name, code_list in LISTS.items():
        wanted = values.get(name) or []
        wanted = {wanted} if isinstance(wanted, str) else set(wanted)
        if service is not None:
            held = getattr(service, name)
            wanted -= {held} if isinstance(held, str) else set(held)
        if wanted and wanted - set(Code.objects.of(code_list).filter(code__in=wanted).values_list("code", flat=True)):
            raise Refused(_("This is not in the list any more: choose again."), name)


def _refuse_over(service: Service) -> None:
    if service.is_over:
        raise Refused(_("The service has ended: its entry does not change any more."))


def _refuse_telling_area(service: Service) -> None:
    """Everybody reads whom a service reaches: of a place that is kept secret, an area of its own municipality alone would
    say where it is (threats.md T35)."""
    alone = service.area == Area.MUNICIPALITIES and service.area_municipalities == [service.municipality_id]
    if service.hides_place and alone:
        raise Refused(
            _("Its place is kept secret, and this area of one municipality would say where it is: choose a wider one."),
            "area_municipalities",
        )


@transaction.atomic
def create_service(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Service:
    """A form sent twice records one. It counts as ageing until the provider confirms it."""
    require(access.may_keep_mechanism(by))
    refuse_dissolved(values["provider"], timezone.localdate(), "provider")
    _refuse_unknown(values)
    service = Service(**values, created_by=by)
    _refuse_telling_area(service)
    return make_once(service, key, maker="created_by")[0]  # type: ignore[no-any-return]


@transaction.atomic
def change_service(service: Service, values: dict[str, Any], *, by: User, revision: int) -> Service:
    """Raises Stale when a colleague changed it meanwhile. That the office changed it confirms nothing."""
    service = locked(service)
    require(access.may_keep_mechanism(by))
    _refuse_over(service)
    _refuse_unknown(values, service)
    if "provider" in set_fields(service, values, revision):
        refuse_dissolved(service.provider, timezone.localdate(), "provider")
    _refuse_telling_area(service)
    return save(service)


@transaction.atomic
def end_service(service: Service, *, by: User, revision: int, ended_on: date, reason: str) -> Service:
    """It is given no more from a day on, for a reason. The same again changes nothing."""
    service = locked(service)
    require(access.may_keep_mechanism(by))
    if (service.ended_on, service.end_reason) == (ended_on, reason):
        return service
    _refuse_over(service)
    set_fields(service, {"ended_on": ended_on, "end_reason": reason}, revision)
    return save(service)


@transaction.atomic
def report_places(service: Service, *, by: User, number: int, free: int, on: date) -> Service:
    """How many places are free as of a day. `number` is that of the last report that whoever writes had before them: of
    two who report at once the second is shown what the first said. The same again changes nothing.

    Raises Stale, or Refused for a number that cannot be.
    """
    service = locked(service)
    require(access.may_tell_of_service(by, service))
    _refuse_over(service)
    refuse_future(on, "on")
    if service.capacity is None:
        raise Refused(_("How many places there are is not recorded: the office writes that first."))
    if not 0 <= free <= service.capacity:
        raise Refused(
            _("There cannot be more free places than there are places: %(count)d.") % {"count": service.capacity},
            "free",
        )
    if (service.places_free, service.places_on) == (free, on):
        return service
    if service.places_number != number:
        said = [(_("free places"), str(service.places_free))]
        if service.places_on is not None:
            said.append((_("as of"), date_format(service.places_on, "DATE_FORMAT")))
        stale = Stale(service, said)
        stale.revision = service.places_number
        raise stale
    if service.places_on is not None and on < service.places_on:
        raise Refused(_("A later count is on record already."), "on")
    service.places_free, service.places_on, service.places_by = free, on, by
    service.places_number += 1
    save(service)
    save(
        PlacesReport(service=service, number=service.places_number, on=on, free=free, capacity=service.capacity, by=by),
        is_new=True,
    )
    return service


@transaction.atomic
def confirm_service(service: Service, *, by: User, revision: int) -> Service:
    """The provider says that all of the entry is still right, as it was shown (`revision`). Once a day: pressed again, or
    by a colleague in the same moment, changes nothing."""
    service = locked(service)
    require(access.may_tell_of_service(by, service))
    _refuse_over(service)
    refuse_dissolved(service.provider, timezone.localdate())
    if service.revision != revision:
        raise Refused(_("The entry was changed since you opened it. Read it again before you confirm it."))
    if service.confirmed_on == timezone.localdate():
        return service
    service.confirmed_on, service.confirmed_by = timezone.localdate(), by
    return save(service)


# What the provider wants to have changed


@transaction.atomic
def propose_change(key: uuid.UUID, service: Service, text: str, *, by: User) -> ServiceProposal:
    """A form sent twice proposes once."""
    service = locked(service)
    require(access.may_propose_change(by, service))
    _refuse_over(service)
    return make_once(ServiceProposal(service=service, text=text, by=by), key, maker="by")[0]  # type: ignore[no-any-return]


@transaction.atomic
def answer_proposal(proposal: ServiceProposal, *, by: User, is_taken_up: bool, answer: str) -> ServiceProposal:
    """The office changed the entry, or says why not. The same again changes nothing; of two who answer one is told."""
    proposal = locked(proposal)
    require(access.may_keep_mechanism(by))
    if proposal.decided_at is not None:
        if (proposal.is_taken_up, proposal.answer) == (is_taken_up, answer):
            return proposal
        raise Refused(_("A colleague answered this already."))
    if not is_taken_up and not answer:
        raise Refused(_("Say why it is not taken up."), "answer")
    proposal.is_taken_up, proposal.answer = is_taken_up, answer
    proposal.decided_by, proposal.decided_at = by, timezone.now()
    return save(proposal)


# The address


@transaction.atomic
def write_address(service: Service, text: str, *, by: User) -> ServiceAddress:
    """Where the service is, in place of what was written before. The same again changes nothing."""
    service = locked(service)
    require(access.may_read_address(by, service))
    _refuse_over(service)
    address = ServiceAddress.objects.filter(service=service).first()
    is_new = address is None
    if address is None:
        address = ServiceAddress(service=service, written_by=by)
    elif address.read() == text:
        return address
    address.put(text)
    address.written_by, address.written_at = by, timezone.now()
    address.revision += 0 if is_new else 1
    return save(address, is_new=is_new)


@transaction.atomic
def remove_address(service: Service, *, by: User) -> None:
    """Where it was is forgotten; gone already is the same as going."""
    service = locked(service)
    require(access.may_read_address(by, service))
    ServiceAddress.objects.filter(service=service).delete()


@transaction.atomic
def seal_addresses_anew(_chunk: int = 0) -> tuple[int, int]:
    """With the first of `FIELD_KEYS`, so that an older one can be put away; how many were sealed, how many could not be read
    (onatc.sealed). There are a few dozen of them: one piece."""
    sealed, unreadable, current = 0, 0, sealing_key_id()
    for address in ServiceAddress.objects.select_for_update().order_by("pk"):
        if bytes(address.sealed).startswith(current):
            continue
        if (text := address.read()) is None:
            unreadable += 1
            continue
        address.put(text)
        address.save(update_fields=["sealed"])
        sealed += 1
    return sealed, unreadable
