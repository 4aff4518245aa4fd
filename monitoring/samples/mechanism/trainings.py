"""Trainings of each institution: its answer on needs, a session in which its people took part, with what came of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.samples.cast import OWN, Cast
from nrm.actions import training, training_needs, training_results
from nrm.models import CourseFile, Participation, TrainingFollowUp
from nrm.results_file import ResultRow
from stakeholders.models import Role


def samples(cast: Cast, code: str) -> dict[str, Any]:
    office, institution, today = cast.users[Role.DIRECTOR], cast.institutions[code], timezone.localdate()
    half_a_year_ago = today - timedelta(days=190)
    needs = training_needs.create_assessment(
        uuid.uuid4(),
        {
            "title_sq": "Nevojat", "starts_on": half_a_year_ago, "ends_on": today, "closes_on": today,
            "topics": ["T_CHILD"],
        },
        by=office,
    )  # fmt: skip
    training_needs.open_assessment(needs, [institution], by=office)
    answer = needs.answers.get()
    values = {"function": "police", "municipality": None, "staff": 3, "trained": 1, "to_train": 2}
    row = training_needs.add_row(answer, uuid.uuid4(), values, {"T_CHILD": 1}, by=cast.reporters[code])
    course = training.add_course(
        uuid.uuid4(), {"title_sq": "Kursi", "topic": "T_CHILD", "hours": 8, "language": "sq"}, by=office
    )
    file = cast._file(CourseFile, "x.pdf", "application/pdf", by=office, course=course)
    year = today.year if code == OWN else today.year + 1
    plan = training.create_plan(uuid.uuid4(), {"year": year, "language": "sq"}, by=office)
    item = training.add_item(
        plan, uuid.uuid4(), {"course": course, "function": "police", "number": 2, "quarter": 1}, by=office
    )
    plan = training.adopt_plan(plan, by=office, adopted_on=today, revision=plan.revision)
    trainer = training.add_trainer(uuid.uuid4(), {"institution": institution, "function": "trajneri 1"}, by=office)
    session = training.add_session(
        uuid.uuid4(),
        {
            "course": course, "starts_on": half_a_year_ago, "ends_on": half_a_year_ago, "places": 9,
            "organiser": institution,
        },
        by=office, trainers=[trainer],
    )  # fmt: skip
    session = training.settle_session(session, state="held", by=office, revision=session.revision)
    session = training_results.register_results(
        session, [ResultRow(code, 1, "police", "F", "PRN", 10, 90)], by=office, revision=session.revision
    )
    training_results.issue_certificates(session, by=office)
    return {
        "nrm:needs-assessment-": needs,
        "nrm:need-answer-": answer,
        "nrm:need-row-create": answer,
        "nrm:need-row-": row,
        "nrm:course-": course,
        "nrm:course-file": file,
        "nrm:course-file-add": course,
        "nrm:training-plan-": plan,
        "nrm:training-item-create": plan,
        "nrm:training-item-": item,
        "nrm:trainer-": trainer,
        "nrm:training-session-": session,
        "nrm:certificate-detail": Participation.objects.get(session=session),
        "nrm:training-follow-up-": TrainingFollowUp.objects.get(session=session),
    }
