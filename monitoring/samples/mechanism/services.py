"""A service of the institution, whose place is kept secret, with all that hangs on it, and a network to which it belongs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from nrm.models import (
    Accreditation,
    CorrectiveMeasure,
    Inspection,
    Network,
    NetworkMember,
    Service,
    ServiceAddress,
    ServiceProposal,
)
from stakeholders.models import Role

ADDRESS = "Rruga e matricës 7"  # stands on no page but its own


def samples(cast: Cast, code: str) -> dict[str, Any]:
    office, body, today = cast.users[Role.DIRECTOR], cast.institutions[code], timezone.localdate()
    service = Service.objects.create(
        provider=body, name_en="Matrix", kinds=["AS_SHELTER"], for_children=True, municipality_id="PRN",
        hides_place=True, capacity=10, is_public=True, public_name_en="Matrix line", public_contact="x",
        confirmed_on=today, confirmed_by=cast.reporters[code], created_by=office,
    )  # fmt: skip
    address = ServiceAddress(service=service, written_by=office)
    address.put(ADDRESS)
    address.save()
    accreditation = Accreditation.objects.create(
        service=service, number="1", given_by=cast.institutions["MIA"], decision="1", valid_from=today,
        valid_until=today + timedelta(days=365), created_by=office,
    )  # fmt: skip
    inspection = Inspection.objects.create(
        service=service, on=today, inspected_by=cast.institutions["MIA"], created_by=office
    )
    network = Network.objects.create(name_en="Matrix", level="national", coordinator=body, founded_on=today)
    return {
        "nrm:service-": service,
        "nrm:accreditation-create": service,
        "nrm:inspection-create": service,
        "nrm:service-proposal-answer": ServiceProposal.objects.create(
            service=service, text="x", by=cast.reporters[code]
        ),
        "nrm:accreditation-withdraw": accreditation,
        "nrm:corrective-create": inspection,
        "nrm:corrective-done": CorrectiveMeasure.objects.create(inspection=inspection, text="x", due_on=today),
        "nrm:network-": network,
        "nrm:network-member-end": NetworkMember.objects.create(network=network, institution=body, starts_on=today),
    }
