"""Trainings as tests need them, made by the acts of the application."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from nrm.actions import training, training_needs, training_results
from nrm.models import Course, NeedsAnswer, NeedsAssessment, StaffNeed, TrainingPlan, TrainingPlanItem, TrainingSession
from nrm.results_file import ResultRow
from stakeholders.models import Institution, User


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def days_ago(number: int) -> date:
    return timezone.localdate() - timedelta(days=number)


def an_assessment(by: User, *codes: str, **changes: Any) -> NeedsAssessment:
    """Sent to these institutions; in preparation without any."""
    values = {
        "title_en": "Needs", "starts_on": days_ago(200), "ends_on": days_ago(-160), "closes_on": days_ago(-20),
        "topics": ["T_INDICATORS", "T_CHILD"],
    } | changes  # fmt: skip
    made = training_needs.create_assessment(uuid.uuid4(), values, by=by)
    if codes:
        made = training_needs.open_assessment(made, [institution(code) for code in codes], by=by)
    return made


def answer_of(assessment: NeedsAssessment, code: str) -> NeedsAnswer:
    return NeedsAnswer.objects.select_related("assessment", "institution").get(
        assessment=assessment, institution__code=code
    )


def a_row(answer: NeedsAnswer, by: User, function: str = "police", *, topics: Any = None, **changes: Any) -> StaffNeed:
    values = {"function": function, "municipality": None, "staff": 40, "trained": 10, "to_train": 25} | changes
    return training_needs.add_row(answer, uuid.uuid4(), values, topics or {"T_INDICATORS": 20, "T_CHILD": 5}, by=by)


def submitted(answer: NeedsAnswer, by: User, **changes: Any) -> NeedsAnswer:
    a_row(answer, by, **changes)
    answer.refresh_from_db()
    return training_needs.submit_answer(answer, by=by, revision=answer.revision)


def a_course(by: User, **changes: Any) -> Course:
    values = {"title_en": "Indicators", "topic": "T_INDICATORS", "hours": 16, "language": "en"} | changes
    return training.add_course(uuid.uuid4(), values, by=by)


def a_session(by: User, course: Course | None = None, *, held: bool = False, **changes: Any) -> TrainingSession:
    values = {
        "course": course or a_course(by), "starts_on": days_ago(9), "ends_on": days_ago(8), "municipality_id": "PRN",
        "organiser": institution("ONATC"), "places": 30,
    } | changes  # fmt: skip
    session = training.add_session(uuid.uuid4(), values, by=by)
    if held:
        session = training.settle_session(session, state="held", by=by, revision=session.revision)
    return session


def person(code: str, number: int, *, function: str = "police", sex: str = "F", **more: Any) -> ResultRow:
    return ResultRow(code, number, function, sex, **more)


def registered(session: TrainingSession, by: User, *rows: ResultRow) -> TrainingSession:
    return training_results.register_results(session, rows, by=by, revision=session.revision)


def a_plan(by: User, *, year: int | None = None) -> TrainingPlan:
    return training.create_plan(uuid.uuid4(), {"year": year or timezone.localdate().year, "language": "en"}, by=by)


def an_item(plan: TrainingPlan, by: User, course: Course | None = None, **changes: Any) -> TrainingPlanItem:
    values = {"course": course or a_course(by), "function": "police", "number": 40, "quarter": 2} | changes
    return training.add_item(plan, uuid.uuid4(), values, by=by)
