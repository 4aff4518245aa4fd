"""Communications, enquiries and questionnaires as the actions make them; tests say only what matters to them."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from stakeholders.actions import enquiries, questionnaires
from stakeholders.models import Communication, Enquiry, Institution, Question, QuestionAssignment, Questionnaire, User
from stakeholders.questions import Row


def days_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def a_communication(by: User, **values: Any) -> Communication:
    fields = {"on": days_ago(1), "channel": "phone", "about": "Takimi i grupit", "institution": None, "country": None}
    return enquiries.record_communication(uuid.uuid4(), fields | values, by=by)


def an_enquiry(by: User, **values: Any) -> Enquiry:
    fields = {
        "received_on": days_ago(5), "way": "email", "sender_kind": "public", "institution": None,
        "sender_name": "Sender Sample", "sender_email": "sender@example.org", "subject": "Shifrat e vitit",
        "question": "Sa viktima u identifikuan?", "language": "sq",
    }  # fmt: skip
    return enquiries.record_enquiry(uuid.uuid4(), fields | values, by=by)


def a_drafted_enquiry(by: User, **values: Any) -> Enquiry:
    enquiry = an_enquiry(by, **values)
    said = {"answer": "Njëzet e dy.", "answer_language": "sq"}
    enquiry = enquiries.draft_answer(enquiry, said, by=by, revision=enquiry.revision)
    return enquiries.submit_answer(enquiry, by=by)


def an_approved_enquiry(by: User, director: User, **values: Any) -> Enquiry:
    enquiry = a_drafted_enquiry(by, **values)
    return enquiries.approve_answer(enquiry, by=director, revision=enquiry.revision)


def a_questionnaire(
    by: User, *, texts: tuple[str, ...] = ("Describe the legal framework.",), **values: Any
) -> Questionnaire:
    fields = {
        "title": "GRETA", "asked_by": institution("OSCE"), "period": "2026", "language": "en",
        "received_on": days_ago(20), "due_on": days_ago(-40), "earlier": None,
    }  # fmt: skip
    made = questionnaires.create_questionnaire(uuid.uuid4(), fields | values, by=by)
    rows = [Row(str(number), "Part", text) for number, text in enumerate(texts, 1)]
    return questionnaires.load_questions(made, rows, by=by, revision=made.revision)


def the_question(questionnaire: Questionnaire, number: int = 1) -> Question:
    return Question.objects.get(questionnaire=questionnaire, position=number)


def put(questionnaire: Questionnaire, by: User, *codes: str, due_on: date | None = None) -> list[QuestionAssignment]:
    questionnaires.put_questions(
        questionnaire,
        questionnaire.questions.all(),
        Institution.objects.filter(code__in=codes),
        due_on=due_on or days_ago(-7),
        note="",
        by=by,
    )
    found = QuestionAssignment.objects.filter(question__questionnaire=questionnaire)
    return list(found.order_by("question__position", "institution__code"))
