"""Services, accreditations and networks for tests."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from nrm.actions import accreditation, networks, services
from nrm.models import Accreditation, Inspection, Network, Service, ServiceAddress
from onatc.models import Municipality
from stakeholders.models import Institution


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def municipality(code: str) -> Municipality:
    return Municipality.objects.get(pk=code)


def a_service(world: Any, provider: str = "MOH", **changes: Any) -> Service:
    """Medical care in Pristina for adults of the whole country, unless told otherwise; never confirmed."""
    values = {
        "provider": institution(provider),
        "name_en": "Help",
        "kinds": ["AS_MED"],
        "municipality_id": "PRN",
    } | changes
    return services.create_service(uuid.uuid4(), values, by=world.director)


def a_shelter(world: Any, provider: str = "MOH", **changes: Any) -> Service:
    """Its place is kept secret; ten places; on the public page under the name of a helpline."""
    values = {
        "name_en": "Secure shelter", "kinds": ["AS_SHELTER"], "shelter_type": "SH_SECURE", "municipality_id": "DRA",
        "hides_place": True, "capacity": 10, "is_public": True, "public_name_en": "Helpline", "public_contact": "0800 11112",
        "reserved_contact": "Duty officer 044 000",
    }  # fmt: skip
    return a_service(world, provider, **(values | changes))


def an_address(world: Any, service: Service, text: str) -> ServiceAddress:
    return services.write_address(service, text, by=world.director)


def an_accreditation(world: Any, service: Service, **changes: Any) -> Accreditation:
    values = {
        "number": "MS-1", "given_by": institution("MIA"), "decision": "Decision 1/2026", "valid_from": in_days(-100),
        "valid_until": in_days(265),
    }  # fmt: skip
    return accreditation.accredit(uuid.uuid4(), service, values | changes, by=world.director)


def an_inspection(world: Any, service: Service, **changes: Any) -> Inspection:
    values = {
        "on": in_days(-20), "inspected_by": institution("MIA"), "findings": "Windows do not close.", "language": "en"
    }  # fmt: skip
    found = {"MS_SAFETY": "partly", "MS_STAFF": "met"}
    return accreditation.record_inspection(uuid.uuid4(), service, values | changes, found, by=world.director)


def a_network(world: Any, **changes: Any) -> Network:
    values = {
        "name_en": "Network", "level": "national", "coordinator": institution("MIA"), "founded_on": in_days(-900)
    }  # fmt: skip
    return networks.create_network(uuid.uuid4(), values | changes, by=world.director)
