from nrm.models.accreditation import (
    STANDARDS,
    Accreditation,
    AccreditationState,
    CorrectiveMeasure,
    Found,
    Inspection,
    StandardFound,
)
from nrm.models.networks import Network, NetworkLevel, NetworkMember
from nrm.models.services import (
    ENDED,
    Accessible,
    Area,
    Cost,
    PlacesReport,
    Service,
    ServiceAddress,
    ServiceProposal,
    Spoken,
)

__all__ = [
    "ENDED",
    "STANDARDS",
    "Accessible",
    "Accreditation",
    "AccreditationState",
    "Area",
    "CorrectiveMeasure",
    "Cost",
    "Found",
    "Inspection",
    "Network",
    "NetworkLevel",
    "NetworkMember",
    "PlacesReport",
    "Service",
    "ServiceAddress",
    "ServiceProposal",
    "Spoken",
    "StandardFound",
]
