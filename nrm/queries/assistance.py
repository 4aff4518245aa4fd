"""What the page of a case shows of help, accommodation, return, residence, compensation and proceedings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nrm import access
from nrm.models import (
    Assistance,
    Case,
    CompensationClaim,
    FollowUp,
    ProceedingVictim,
    ProtectiveMeasure,
    Referral,
    ResidencePermit,
    Return,
    Stay,
)
from nrm.sections import Act, Section, register
from onatc.models import Code
from stakeholders.models import User


def labels_of(*code_lists: str) -> dict[str, str]:
    """Labels of all codes of these lists in the active language, by code; one query."""
    return {one.code: str(one.label) for one in Code.objects.filter(code_list__in=code_lists)}


@dataclass(frozen=True)
class Nights:
    """How long a stay has lasted: nights between coming and leaving, or today while it lasts."""

    came_on: date
    left_on: date | None

    def __int__(self) -> int:
        return ((self.left_on or timezone.localdate()) - self.came_on).days


def _url(name: str, *args: Any) -> str:
    return reverse(f"nrm:{name}", args=args)


def _records(case: Case, user: User) -> bool:
    return bool(access.may_record(user, case))


def _goes_on(case: Case, user: User) -> bool:
    """What authorities decide of it is recorded after the closing too."""
    return bool(access.may_go_on(user, case))


def assistance(case: Case, user: User) -> dict[str, Any]:
    labels = labels_of("assistance")
    rows = list(Assistance.objects.filter(case=case).select_related("provider", "municipality"))
    may = _records(case, user)
    for one in rows:
        one.kind_name = labels.get(one.kind, one.kind)  # type: ignore[attr-defined]
        one.edit_url = _url("assistance-edit", one.pk) if may else ""  # type: ignore[attr-defined]
    return {"rows": rows}


def accommodation(case: Case, user: User) -> dict[str, Any]:
    labels = labels_of("shelter_type")
    rows = list(Stay.objects.filter(case=case).select_related("provider").prefetch_related("exit_approved_by"))
    may = _records(case, user)
    for one in rows:
        one.type_name = labels.get(one.shelter_type, one.shelter_type)  # type: ignore[attr-defined]
        one.nights = int(Nights(one.came_on, one.left_on))  # type: ignore[attr-defined]
        one.end_url = _url("stay-end", one.pk) if may else ""  # type: ignore[attr-defined]
        one.is_there = one.left_on is None and one.shelter_type != NO_SHELTER  # type: ignore[attr-defined]
    return {"rows": rows}


def returns(case: Case, user: User) -> dict[str, Any]:
    labels = labels_of("return_outcome")
    rows = list(Return.objects.filter(case=case).select_related("country", "risk_assessment", "best_interest"))
    may = _records(case, user)
    for one in rows:
        one.outcome_name = labels.get(one.outcome, one.outcome)  # type: ignore[attr-defined]
        one.edit_url = _url("return-edit", one.pk) if may else ""  # type: ignore[attr-defined]
    return {"rows": rows}


def follow_ups(case: Case, user: User) -> dict[str, Any]:
    rows = list(FollowUp.objects.filter(case=case).select_related("institution"))
    may = bool(access.may_go_on(user, case))
    today = timezone.localdate()
    for one in rows:
        one.is_overdue = one.done_on is None and one.due_on < today  # type: ignore[attr-defined]
        one.record_url = _url("follow-up-record", one.pk) if may and one.done_on is None else ""  # type: ignore[attr-defined]
    return {"rows": rows}


def residence(case: Case, user: User) -> dict[str, Any]:
    rows = list(ResidencePermit.objects.filter(case=case))
    may = _goes_on(case, user)
    for one in rows:
        one.edit_url = _url("permit-edit", one.pk) if may else ""  # type: ignore[attr-defined]
    return {"rows": rows}


def compensation(case: Case, user: User) -> dict[str, Any]:
    rows = list(CompensationClaim.objects.filter(case=case))
    may = _goes_on(case, user)
    for one in rows:
        one.edit_url = _url("claim-edit", one.pk) if may else ""  # type: ignore[attr-defined]
    return {"rows": rows}


def proceedings(case: Case, user: User) -> dict[str, Any]:
    labels = labels_of("proceeding_stage")
    rows = list(
        ProceedingVictim.objects.filter(case=case)
        .select_related("proceeding__reported_by")
        .prefetch_related("proceeding__stages")
    )
    may = _goes_on(case, user)
    for one in rows:
        last = max(one.proceeding.stages.all(), key=lambda stage: (stage.on, stage.recorded_at), default=None)
        one.last = last  # type: ignore[attr-defined]
        one.last_name = labels.get(last.stage, last.stage) if last else ""  # type: ignore[attr-defined]
        one.part_url = _url("proceeding-part", one.pk) if may else ""  # type: ignore[attr-defined]
    measures = list(ProtectiveMeasure.objects.filter(case=case))
    for measure in measures:
        measure.edit_url = _url("protection-edit", measure.pk) if may else ""  # type: ignore[attr-defined]
    return {"rows": rows, "measures": measures}


NO_SHELTER = "SH_NONE"  # of the list `shelter_type`: a stay in name only


def open_ends(case: Case) -> list[str]:
    """What still has to end before the case can be closed, as sentences."""
    found = []
    if Referral.objects.filter(case=case).waiting().exists():
        found.append(_("A referral waits for its answer: it is answered or withdrawn first."))
    if Stay.objects.filter(case=case, left_on__isnull=True).exclude(shelter_type=NO_SHELTER).exists():
        found.append(_("The person is still accommodated: record when they left."))
    if Assistance.objects.filter(case=case, starts_on__isnull=False, ends_on__isnull=True).exists():
        found.append(_("Help is still running: record when it ended."))
    return found


def _adds(label: Any, name: str, may: Callable[[Case, User], bool] = _records) -> Any:
    def acts(case: Case, user: User) -> Iterable[Act]:
        return [Act(label, _url(name, case.marker))] if may(case, user) else []

    return acts


def _proceeding_acts(case: Case, user: User) -> Iterable[Act]:
    if not _goes_on(case, user):
        return []
    return [
        Act(_("Record a criminal proceeding"), _url("proceeding-open", case.marker)),
        Act(_("Link the case to a proceeding"), _url("proceeding-join", case.marker)),
        Act(_("Record a protective measure"), _url("protection-create", case.marker)),
    ]


def _closing_acts(case: Case, user: User) -> Iterable[Act]:
    if case.closed_on is not None or not access.may_close_case(user, case):
        return []
    return [Act(_("Close the case"), _url("case-close", case.marker), missing=" ".join(open_ends(case)))]


def closing(case: Case, user: User) -> dict[str, Any]:
    if case.closed_on is None:
        return {}
    return {"outcome": labels_of("return_outcome").get(case.outcome, case.outcome)}


def register_sections() -> None:
    """Called when the app is ready (nrm/case_sections.py)."""
    part = "nrm/sections/{}.html".format
    for section in (
        Section("assistance", gettext_lazy("Help"), part("assistance"), assistance,
                _adds(gettext_lazy("Record help"), "assistance-create"), order=300),
        Section("accommodation", gettext_lazy("Accommodation"), part("accommodation"), accommodation,
                _adds(gettext_lazy("Record accommodation"), "stay-create"), order=310),
        Section("residence", gettext_lazy("Residence permit"), part("residence"), residence,
                _adds(gettext_lazy("Record a residence permit"), "permit-create", _goes_on), order=320),
        Section("returns", gettext_lazy("Return and reintegration"), part("returns"), returns,
                _adds(gettext_lazy("Record a return or what came instead"), "return-create"), order=330),
        Section("follow-ups", gettext_lazy("Follow-ups"), part("follow_ups"), follow_ups, order=340),
        Section("compensation", gettext_lazy("Compensation"), part("compensation"), compensation,
                _adds(gettext_lazy("Record a claim of compensation"), "claim-create", _goes_on), order=350),
        Section("proceedings", gettext_lazy("Proceedings and protection"), part("proceedings"), proceedings,
                _proceeding_acts, order=360),
        Section("closing", gettext_lazy("Closing"), part("closing"), closing, _closing_acts, order=900),
    ):  # fmt: skip
        register(section)
