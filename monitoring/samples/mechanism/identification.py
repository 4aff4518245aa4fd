"""A decision, a measure against a risk, a step and a guardian of each institution's case."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from monitoring.samples.mechanism.cases import case_of
from nrm.actions.cases import open_case
from nrm.actions.children import name_guardian
from nrm.actions.identification import decide, record_step
from nrm.actions.risk import Planned, assess
from nrm.models import EventKind, Outcome, RiskLevel, RiskMeasure
from stakeholders.models import Institution


def samples(cast: Cast, code: str) -> dict[str, Any]:
    case, by, own, today = case_of(cast, code), cast.reporters[code], cast.institutions[code], timezone.localdate()
    bodies = {one.code: one for one in Institution.objects.filter(code__in=("KP-THB", "VPAO", "CSW"))}
    decision, _new = decide(
        case, by=None, key=uuid.uuid4(), stage=1, outcome=Outcome.D1_POS, decided_on=today, decision_maker="DM_TEAM",
        institution=bodies["KP-THB"],
    )  # fmt: skip
    assessment, _new = assess(
        case, by=None, key=uuid.uuid4(), assessed_on=today, level=RiskLevel.LOW,
        assessors=[bodies["KP-THB"], bodies["VPAO"]], plan=[Planned("Shoqërim", own, today)],
    )  # fmt: skip
    measure = RiskMeasure.objects.get(assessment=assessment)
    step, _new = record_step(case, by=by, key=uuid.uuid4(), kind=EventKind.INFORMED, on=today)
    child, _new = open_case(
        by=by, key=uuid.uuid4(), institution=own, referred_on=today, referring_entity="E_POLICE",
        profile={"sex": "M", "age_at_referral": 15, "citizenship": ["XK"], "forms": ["LAB"], "municipality_id": "PEJ"},
    )  # fmt: skip
    guardianship, _new = name_guardian(
        child, by=None, key=uuid.uuid4(), kind="temporary", appointed_by=bodies["CSW"], starts_on=today
    )
    of_child = {"marker": child.marker}
    return {
        "nrm:decision-inform": {"marker": case.marker, "pk": decision.pk},
        "nrm:screening-set": {"marker": case.marker, "indicator_set": "adult_labour"},
        "nrm:risk-measure-done": {"marker": case.marker, "pk": measure.pk},
        "nrm:step-strike": {"marker": case.marker, "pk": step.pk},
        "nrm:case-child-unit": of_child,
        "nrm:case-guardian": of_child,
        "nrm:case-best-interest": of_child,
        "nrm:case-adult": of_child,
        "nrm:guardianship-end": of_child | {"pk": guardianship.pk},
    }
