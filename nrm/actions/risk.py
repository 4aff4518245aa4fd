"""The assessment of risk, done together and again on its day, and the plan that follows from it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note, refuse_impossible
from nrm.actions.identification import made_before, recording_for
from nrm.models import Case, EventKind, Function, RiskAssessment, RiskFactor, RiskLevel, RiskMeasure
from nrm.queries import identification as queries
from nrm.queries.procedure import risk_again
from onatc.errors import Refused, require
from onatc.ids import new_id
from stakeholders.actions.records import locked, make_once, refuse_future, save
from stakeholders.models import Institution, User

TOGETHER = ((Function.POLICE,), (Function.ADVOCATE,))
WITH_A_CHILD = (*TOGETHER, access.CARES_FOR_CHILD)


@dataclass(frozen=True)
class Planned:
    """One measure of the plan: what is done, by whom, by which day."""

    what: str
    institution: Institution
    due_on: date


def missing_functions(case: Case, assessors: Iterable[Institution], day: date) -> list[str]:
    """Who of those that assess together is not among the assessors: for a child also the Centre for Social Work."""
    there = set(assessors)
    groups = WITH_A_CHILD if case.is_child_procedure else TOGETHER
    return [
        str(Function(functions[0]).label)
        for functions in groups
        if not there & set(queries.with_function(case, functions, day))
    ]


@transaction.atomic
def assess(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    assessed_on: date,
    level: str,
    assessors: Sequence[Institution],
    factors: Iterable[str] = (),
    placement: str = "",
    incomplete_reason: str = "",
    plan: Sequence[Planned] = (),
    institution: Institution | None = None,
) -> tuple[RiskAssessment, bool]:
    """Add an assessment with its plan; when it is to be repeated follows from the SOP. Whether it is new.

    Police and victim advocate assess together, for a child with the Centre for Social Work: without one of them only for a
    reason. Raises PermissionDenied and Refused.
    """
    case = locked(case)
    if by is not None:
        require(access.may_assess_risk(by, case))
    if (existing := made_before(RiskAssessment(), key, case, by)) is not None:
        return existing, False
    if level not in (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH):
        raise Refused(_("The risk is low, medium or high."), "level")
    unknown = set(factors) - set(RiskFactor.values)
    if unknown:
        raise Refused(_("There is no such factor of risk."), "factors")
    refuse_impossible(case, assessed_on, "assessed_on")
    if not assessors:
        raise Refused(_("Say who assessed the risk."), "assessors")
    if by is not None and access.takes_part(by, case) and not by.institution_ids & {one.pk for one in assessors}:
        raise Refused(_("Your institution is not among those that assessed the risk."), "assessors")
    missing = missing_functions(case, assessors, assessed_on)
    if missing and not incomplete_reason.strip():
        raise Refused(
            _("The risk is assessed together. Not among the assessors: %(who)s. Say why not, if that must be so.")
            % {"who": ", ".join(missing)},
            "incomplete_reason",
        )
    own = recording_for(by, case, institution)
    assessment, is_new = make_once(
        RiskAssessment(
            case=case, assessed_on=assessed_on, level=level, factors=sorted(set(factors)), placement=placement,
            next_due=risk_again(assessed_on)(case, assessed_on, level),
            incomplete_reason=incomplete_reason if missing else "", recorded_by=by, recorded_for=own,
        ),
        key,
        maker="recorded_by",
    )  # fmt: skip
    if is_new:
        assessment.assessors.set(assessors)
        for one in plan:
            _plan(assessment, one, by=by, institution=own, key=new_id())
        note(case, EventKind.RISK_ASSESSED, on=assessed_on, by=by, institution=own, record=assessment)
    return assessment, is_new


@transaction.atomic
def add_measure(
    assessment: RiskAssessment, planned: Planned, *, by: User, key: uuid.UUID, institution: Institution | None = None
) -> tuple[RiskMeasure, bool]:
    """Add a measure to the plan of an assessment. Raises PermissionDenied and Refused."""
    case = locked(assessment.case)
    require(access.may_record(by, case))
    if (existing := made_before(RiskMeasure(), key, case, by)) is not None:
        return existing, False
    return _plan(assessment, planned, by=by, institution=recording_for(by, case, institution), key=key), True


def _plan(
    assessment: RiskAssessment, planned: Planned, *, by: User | None, institution: Institution | None, key: uuid.UUID
) -> RiskMeasure:
    if not planned.what.strip():
        raise Refused(_("Say what is done."), "what")
    if planned.due_on < assessment.assessed_on:
        raise Refused(_("A measure is not due before the assessment that it follows from."), "due_on")
    return save(
        RiskMeasure(
            pk=key, case_id=assessment.case_id, assessment=assessment, what=planned.what,
            institution=planned.institution, due_on=planned.due_on, recorded_by=by, recorded_for=institution,
        ),
        is_new=True,
    )  # fmt: skip


@transaction.atomic
def measure_done(measure: RiskMeasure, *, by: User, done_on: date) -> RiskMeasure:
    """Record the day on which a measure was carried out. Raises PermissionDenied and Refused."""
    case = locked(measure.case)
    require(access.may_record(by, case))
    measure = locked(measure)
    if measure.done_on == done_on:
        return measure
    if measure.done_on is not None:
        raise Refused(_("A colleague recorded another day meanwhile."), "done_on")
    refuse_future(done_on, "done_on")
    if done_on < measure.assessment.assessed_on:
        raise Refused(_("A measure is not carried out before the assessment that it follows from."), "done_on")
    measure.done_on = done_on
    return save(measure)
