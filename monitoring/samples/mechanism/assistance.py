"""Help, accommodation, return, residence, compensation and a proceeding of an institution's case."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from monitoring.samples.mechanism.cases import case_of
from nrm.models import (
    Assistance,
    CompensationClaim,
    FollowUp,
    Proceeding,
    ProceedingVictim,
    ProtectiveMeasure,
    ResidencePermit,
    Return,
    Stay,
)


def samples(cast: Cast, code: str) -> dict[str, Any]:
    case, own, day = case_of(cast, code), cast.institutions[code], timezone.localdate()
    proceeding = Proceeding.objects.create(marker=f"matrix-{code}", reported_by=own, opened_on=day)
    return {
        **{
            f"nrm:{name}": {"marker": case.marker}
            for name in (
                "assistance-create", "stay-create", "return-create", "permit-create", "claim-create", "case-close",
                "proceeding-open", "proceeding-join", "protection-create",
            )
        },
        "nrm:assistance-edit": Assistance.objects.create(case=case, kind="AS_MED", response="RESP_PEND", offered_on=day),
        "nrm:stay-end": Stay.objects.create(case=case, shelter_type="SH_NGO", came_on=day),
        "nrm:follow-up-record": FollowUp.objects.create(case=case, after="shelter", months=3, due_on=day),
        "nrm:return-edit": Return.objects.create(case=case, outcome="RT_STAY", decided_on=day),
        "nrm:permit-edit": ResidencePermit.objects.create(case=case, asked_on=day),
        "nrm:claim-edit": CompensationClaim.objects.create(case=case, route="state", filed_on=day),
        "nrm:protection-edit": ProtectiveMeasure.objects.create(case=case, kind="screen", asked_on=day),
        "nrm:proceeding-part": ProceedingVictim.objects.create(case=case, proceeding=proceeding, role="witness"),
        "nrm:proceeding-": proceeding,
        "nrm:stage-create": proceeding,
        "nrm:accused-create": proceeding,
    }  # fmt: skip
