"""Clocks of the demonstration's cases, and a second version of the SOP that waits for its adoption with a trial."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from nrm.actions import timeliness
from nrm.actions.procedure import AT_ONCE, follow_many
from nrm.actions.sop import change_step, draft_version, run_trial
from nrm.models import Case, LimitUnit
from onatc.ids import new_id
from onatc.jobs import Job

TITLE = {
    "title_sq": "Procedurat Standarde të Veprimit, propozim për afate më të shkurtra",
    "title_sr": "Standardne operativne procedure, predlog kraćih rokova",
    "title_en": "Standard Operating Procedures, proposal of shorter limits",
    "note": (
        "Njoftimi brenda 12 orëve, vendimi brenda 8 ditëve të punës, plani i riintegrimit brenda 21 ditëve. "
        "Propozuar pas takimit të mekanizmit; pret vendimin e Autoritetit."
    ),
}
# number of the step → what is proposed; one limit is longer than before and counts working days
PROPOSED: dict[int, dict[str, Any]] = {
    2: {"amounts": [12]},
    10: {"unit": LimitUnit.WORKING_DAYS, "amounts": [8]},
    16: {"amounts": [21]},
    17: {"amounts": [60]},
}


def add_procedure(people: dict[str, Any], _seed: int, today: date) -> None:
    """Called when all cases and their events are there; nothing is drawn by chance."""
    keys = list(Case.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), AT_ONCE):
        follow_many(list(Case.objects.filter(pk__in=keys[start : start + AT_ONCE]).order_by("pk")), by=None)
    planning = people["planning@onatc.example"]
    draft, _new = draft_version(new_id(), TITLE, by=planning)
    for step in draft.steps.filter(number__in=PROPOSED):
        change_step(step, PROPOSED[step.number], by=planning, revision=step.revision)
    first = Case.objects.order_by("opened_on").values_list("opened_on", flat=True).first()
    if first is not None:
        from_day = max(first, today.replace(year=today.year - 2, month=1, day=1))
        params = {"version": str(draft.pk), "from": from_day.isoformat(), "to": today.isoformat(), "key": str(new_id())}
        run_trial(Job(kind="sop_trial", owner=planning, params=params), lambda _done, _of: None)
    timeliness.refresh_all()
    timeliness.release(min(timezone.localdate(), today))
