"""A draft of the SOP with a trial, a competence, and the clocks of a case."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.samples.cast import Cast
from monitoring.samples.mechanism.cases import case_of
from nrm.actions.sop import draft_version
from nrm.models import Clock, Competence, SopTrial, SopVersion
from onatc.ids import new_id
from stakeholders.models import Role


def samples(cast: Cast, code: str) -> dict[str, Any]:
    """One draft for both institutions: the SOP is the office's."""
    case, today = case_of(cast, code), timezone.localdate()
    draft = SopVersion.objects.filter(state="draft").first()
    if draft is None:
        draft, _new = draft_version(new_id(), {"title_sq": "Versioni i dytë"}, by=cast.users[Role.DIRECTOR])
        SopTrial.objects.create(version=draft, from_day=today, to_day=today, tried_by=cast.users[Role.DIRECTOR])
    clock = Clock.objects.filter(case=case).order_by("pk").first()
    assert clock is not None
    step, trial = draft.steps.order_by("number")[0], SopTrial.objects.filter(version=draft)[0]
    competence = Competence.objects.create(
        institution=cast.institutions[code], function="hotline", municipality_id="PEJ"
    )
    return {
        "nrm:sop-": draft,
        "nrm:sop-step-add": draft,
        "nrm:sop-step-": step,
        "nrm:sop-trial-detail": trial,
        "nrm:competence-end": competence,
        "nrm:clock-": {"marker": case.marker, "pk": clock.pk},
    }
