"""Networks, and the institutions that belong to them for a time."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import Network, NetworkMember
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_dissolved, save, set_fields
from stakeholders.models import Institution, User


@transaction.atomic
def create_network(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Network:
    """A form sent twice records one."""
    require(access.may_keep_mechanism(by))
    if values.get("ended_on") is None:
        refuse_dissolved(values["coordinator"], timezone.localdate(), "coordinator")
    return make_once(Network(**values), key)[0]  # type: ignore[no-any-return]


@transaction.atomic
def change_network(network: Network, values: dict[str, Any], *, by: User, revision: int) -> Network:
    """When it ends, whoever belongs to it belongs to it until then."""
    network = locked(network)
    require(access.may_keep_mechanism(by))
    changed = set_fields(network, values, revision)
    if "coordinator" in changed and network.ended_on is None:
        refuse_dissolved(network.coordinator, timezone.localdate(), "coordinator")
    if network.members.filter(starts_on__lt=network.founded_on).exists():
        raise Refused(_("An institution belonged to it before that day."), "founded_on")
    save(network)
    if "ended_on" in changed and network.ended_on is not None:
        network.members.filter(starts_on__gt=network.ended_on).delete()
        for member in network.members.select_for_update():
            if member.ends_on is None or member.ends_on > network.ended_on:
                member.ends_on = network.ended_on
                save(member)
    return network


@transaction.atomic
def add_member(
    key: uuid.UUID, network: Network, institution: Institution, *, by: User, starts_on: date
) -> NetworkMember:
    """An institution belongs to it from a day on; a form sent twice adds it once."""
    network = locked(network)
    require(access.may_keep_mechanism(by))
    if starts_on < network.founded_on:
        raise Refused(_("The network was founded after that day."), "starts_on")
    if network.ended_on is not None:
        raise Refused(_("The network has ended."))
    refuse_dissolved(institution, starts_on, "institution")
    made = NetworkMember(network=network, institution=institution, starts_on=starts_on)
    return make_once(made, key)[0]  # type: ignore[no-any-return]


@transaction.atomic
def end_member(member: NetworkMember, *, by: User, ends_on: date) -> NetworkMember:
    """The last day on which it belongs to the network; the same again changes nothing."""
    member = locked(member)
    require(access.may_keep_mechanism(by))
    if member.ends_on == ends_on:
        return member
    if member.ends_on is not None:
        raise Refused(_("When it left is on record already."))
    member.ends_on = ends_on
    return save(member)
