"""What happens to a measure in force: milestones reached, money committed and spent, documents, the human-rights check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.money import LARGEST_CENTS
from stakeholders.models import User
from strategy import access, rights
from strategy.actions.signals import refresh_measure
from strategy.models import (
    BudgetExecution,
    BudgetLine,
    Measure,
    MeasureDocument,
    Milestone,
    MilestoneReached,
    RightsCheck,
)


def _locked(measure: Measure) -> Measure:
    return Measure.objects.select_for_update(of=("self",)).select_related("version__plan", "lead").get(pk=measure.pk)


@transaction.atomic
def reach_milestone(milestone: Milestone, *, by: User, reached_on: date, note: str = "") -> MilestoneReached:
    """Record that a milestone was reached; said twice with the same day, it is on record once."""
    measure = _locked(milestone.measure)
    require(access.may_record_on(by, measure))
    known = MilestoneReached.objects.filter(milestone__lineage=milestone.lineage).first()
    if known is not None:
        if known.reached_on == reached_on:
            return known
        raise Refused(_("It is recorded as reached already. Take that back first if it is wrong."))
    if reached_on > timezone.localdate():
        raise Refused(_("The day cannot lie in the future."))
    if reached_on < measure.version.plan.starts_on:
        raise Refused(_("The day cannot lie before the plan began."))
    reached = MilestoneReached.objects.create(milestone=milestone, reached_on=reached_on, note=note.strip(), by=by)
    refresh_measure(measure, since=milestone.due_on)
    return reached


@transaction.atomic
def take_milestone_back(milestone: Milestone, *, by: User, reason: str) -> None:
    """It was not reached after all; the reason and what was said before stay in the history."""
    measure = _locked(milestone.measure)
    require(access.may_record_on(by, measure))
    if not reason.strip():
        raise Refused(_("Say why it is taken back."))
    reached = (
        MilestoneReached.objects.select_for_update(of=("self",)).filter(milestone__lineage=milestone.lineage).first()
    )
    if reached is None:
        return
    reached.note, reached.by = reason.strip()[:500], by
    reached.save(update_fields=["note", "by"])
    reached.delete()
    refresh_measure(measure, since=milestone.due_on)


@transaction.atomic
def state_execution(
    line: BudgetLine, *, by: User, as_of: date, committed_cents: int, spent_cents: int, note: str = ""
) -> BudgetExecution:
    """Say what of a line is committed and spent as of a day. Nothing is overwritten: a correction is a new statement; the
    same one sent twice is one."""
    measure = _locked(line.measure)
    require(access.may_record_on(by, measure))
    if as_of > timezone.localdate():
        raise Refused(_("The day cannot lie in the future."))
    if as_of < measure.version.plan.starts_on:
        raise Refused(_("The day cannot lie before the plan began."))
    if not (0 <= spent_cents <= LARGEST_CENTS and 0 <= committed_cents <= LARGEST_CENTS):
        raise Refused(_("The amount is too large."))
    if spent_cents > committed_cents:
        raise Refused(_("More is spent than was committed."))
    said = {"as_of": as_of, "committed_cents": committed_cents, "spent_cents": spent_cents, "note": note.strip()}
    latest = BudgetExecution.objects.filter(line__lineage=line.lineage).order_by("-as_of", "-at").first()
    if latest is not None and all(getattr(latest, name) == value for name, value in said.items()):
        return latest
    return BudgetExecution.objects.create(line=line, by=by, **said)


@transaction.atomic
def add_documents(measure: Measure, files: Iterable[UploadedFile], *, by: User, title: str) -> list[MeasureDocument]:
    measure = _locked(measure)
    require(access.may_add_document(by, measure))
    return [MeasureDocument.keep(file, by=by, measure=measure, title=title.strip()) for file in files]


@transaction.atomic
def remove_document(document: MeasureDocument, *, by: User) -> None:
    """Take a document off; the history keeps its name and who had added it."""
    measure = _locked(document.measure)
    require(access.may_add_document(by, measure))
    MeasureDocument.objects.filter(pk=document.pk).delete()


@transaction.atomic
def assess_rights(
    measure: Measure,
    *,
    by: User,
    outcome: str,
    answers: Mapping[str, str],
    remarks: str,
    language: str,
    assessed_on: date,
) -> RightsCheck:
    """Put a human-rights check beside the earlier ones; the same one sent twice is one."""
    measure = _locked(measure)
    require(access.may_assess_rights(by, measure))
    if assessed_on > timezone.localdate():
        raise Refused(_("The day cannot lie in the future."))
    problem = rights.problem_of(answers, outcome, remarks)
    if problem:
        raise Refused(PROBLEMS[problem])
    asked = {question.key: answers[question.key] for question in rights.QUESTIONS}
    said: dict[str, Any] = {
        "measure": measure,
        "assessed_by": by,
        "outcome": outcome,
        "answers": asked,
        "remarks": remarks.strip(),
        "assessed_on": assessed_on,
    }
    same = RightsCheck.objects.filter(**said).first()
    if same is not None:
        return same
    try:
        with transaction.atomic():
            return RightsCheck.objects.create(language=language, **said)
    except IntegrityError as error:
        raise Refused(PROBLEMS["remarks"]) from error


PROBLEMS = {
    "unanswered": _("Answer every question; say “does not apply” where one does not."),
    "against": _("With an answer “no” a measure is in line on conditions, or not in line."),
    "remarks": _("Say in the remarks under which conditions, or why it is not in line."),
}
