"""Rules of referrals that need no database: what a purpose asks of an institution, what may be shared, how long an answer may
take."""

from __future__ import annotations

from datetime import timedelta

from nrm.models import ConsentState, Function, Purpose, Urgency
from stakeholders.models import InstitutionKind

# Who is competent for what somebody is referred for (the actors of the SOP, domain.md b).
FUNCTIONS: dict[str, tuple[str, ...]] = {
    Purpose.IDENTIFICATION: (Function.POLICE, Function.ADVOCATE),
    Purpose.PROTECTION: (Function.SHELTER, Function.SHELTER_STATE),
    Purpose.HEALTH: (Function.HEALTH,),
    Purpose.COUNSELLING: (Function.SHELTER, Function.CSW),
    Purpose.LEGAL: (Function.LEGAL_AID, Function.ADVOCATE),
    Purpose.CHILD_PROTECTION: (Function.CHILD_UNIT, Function.CSW),
    Purpose.RESIDENCE: (Function.RESIDENCE,),
    Purpose.REINTEGRATION: (Function.REINTEGRATION, Function.CSW),
    Purpose.RETURN: (Function.RETURN, Function.RESIDENCE),
    Purpose.PROCEEDINGS: (Function.PROSECUTION, Function.ADVOCATE),
    Purpose.COMPENSATION: (Function.LEGAL_AID, Function.ADVOCATE),
    Purpose.MANAGEMENT: (Function.CSW, Function.CHILD_UNIT, Function.POLICE),
}
# The kind of help (list `assistance`) that the services directory is searched for.
NEEDS: dict[str, str] = {
    Purpose.PROTECTION: "AS_SHELTER",
    Purpose.HEALTH: "AS_MED",
    Purpose.COUNSELLING: "AS_PSY",
    Purpose.LEGAL: "AS_LEGAL",
    Purpose.RESIDENCE: "AS_DOCS",
    Purpose.REINTEGRATION: "AS_REINT",
    Purpose.RETURN: "AS_RETURN",
    Purpose.COMPENSATION: "AS_COMP",
}
# What kind of body refers, as the list `referring_entity` has it; the function tells more than the kind.
ENTITY_OF_FUNCTION: dict[str, str] = {
    Function.POLICE: "E_POLICE",
    Function.ADVOCATE: "E_VA",
    Function.CSW: "E_CSW",
    Function.HEALTH: "E_HEALTH",
    Function.PROSECUTION: "E_PROS",
    Function.RESIDENCE: "E_MIGR",
}
ENTITY_OF_KIND: dict[str, str] = {
    InstitutionKind.POLICE: "E_POLICE_OTH",
    InstitutionKind.PROSECUTION: "E_PROS",
    InstitutionKind.MUNICIPALITY: "E_MUNI",
    InstitutionKind.NGO: "E_NGO",
    InstitutionKind.INTERNATIONAL: "E_IO",
    InstitutionKind.COORDINATOR_ABROAD: "E_FOREIGN",
}
# Who reports without being an institution of the mechanism: the person, family or public, a helpline, a platform, an embassy.
REPORTED_BY = ("E_SELF", "E_HOTLINE", "E_ONLINE", "E_FOREIGN", "E_SCHOOL", "E_OTH")

# A counterpart abroad answers later than an institution here. Defaults of the office, to be confirmed.
ANSWER_ABROAD_WITHIN: dict[str, timedelta] = {
    Urgency.IMMEDIATE: timedelta(hours=24),
    Urgency.URGENT: timedelta(days=3),
    Urgency.ORDINARY: timedelta(days=14),
}
REFUSED_CONSENT = (ConsentState.NOT_GIVEN, ConsentState.WITHDRAWN)
NEXT_WITHIN = timedelta(hours=24)  # a declined referral goes on to another addressee


def shares_detail(consent_state: str) -> bool:
    """Whether a referral carries its reason, files and the short profile: not against the will of the person. The referral
    itself may go, and is counted, whatever the consent (data_dictionary.md, section 1, rule 8)."""
    return consent_state not in REFUSED_CONSENT


def entity_of(functions: set[str], kind: str) -> str:
    """The code of `referring_entity` for an institution with these functions and of this kind; E_OTH when none fits."""
    found = next((code for function, code in ENTITY_OF_FUNCTION.items() if function in functions), None)
    return found or ENTITY_OF_KIND.get(kind, "E_OTH")
