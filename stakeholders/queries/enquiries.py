"""Questions over enquiries and questionnaires that answer with figures or rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q

from stakeholders.deadlines import Answered, AnswerTimes, answer_times
from stakeholders.models import (
    AssignmentState,
    EnquiryState,
    Institution,
    Question,
    QuestionAssignment,
    Questionnaire,
    QuestionState,
)
from stakeholders.questions import Likeness, alike

MOST_EARLIER = 4_000  # earlier answers that are compared with a question


def times_between(enquiries: Any, start: date, end: date) -> AnswerTimes:
    """Of `enquiries`, those answered from `start` to `end`, both days included."""
    answered = enquiries.filter(state=EnquiryState.ANSWERED, answered_on__range=(start, end))
    rows = answered.order_by().values_list("received_on", "due_on", "answered_on")
    return answer_times(Answered(*row) for row in rows)


@dataclass(frozen=True)
class Standing:
    """How far a questionnaire is: questions, those approved and drafted; what institutions owe and gave."""

    total: int
    approved: int
    drafted: int
    asked: int
    waiting: int
    to_review: int
    accepted: int

    @property
    def open(self) -> int:
        return self.total - self.approved - self.drafted


def standing(questionnaire: Questionnaire) -> Standing:
    of_questions = questionnaire.questions.aggregate(
        total=Count("pk"),
        approved=Count("pk", filter=Q(state=QuestionState.APPROVED)),
        drafted=Count("pk", filter=Q(state=QuestionState.DRAFTED)),
    )
    of_assignments = QuestionAssignment.objects.filter(question__questionnaire=questionnaire).aggregate(
        asked=Count("pk", filter=~Q(state=AssignmentState.WITHDRAWN)),
        waiting=Count("pk", filter=Q(state__in=[AssignmentState.ASKED, AssignmentState.RETURNED])),
        to_review=Count("pk", filter=Q(state=AssignmentState.ANSWERED)),
        accepted=Count("pk", filter=Q(state=AssignmentState.ACCEPTED)),
    )
    return Standing(**of_questions, **of_assignments)


def earlier_answers(question: Question, user: Any) -> list[Likeness]:
    """Earlier questions of the same body whose answer was approved, the likest first; of the questionnaire named as the
    one before, an equal number helps more since it is looked at first. For the office alone."""
    questionnaire = question.questionnaire
    earlier = (
        Question.objects.visible_to(user)
        .filter(questionnaire__received_on__lte=questionnaire.received_on)
        .exclude(questionnaire=questionnaire)
        .filter(state=QuestionState.APPROVED)
        .select_related("questionnaire__asked_by")
        .order_by("-questionnaire__received_on", "position")
    )
    own_body = earlier.filter(
        Q(questionnaire__asked_by=questionnaire.asked_by_id) | Q(questionnaire=questionnaire.earlier_id)
    )
    found = alike(question.text, question.number, own_body[:MOST_EARLIER])
    return found or alike(question.text, "", earlier[:MOST_EARLIER])


def given_before(question: Question, user: Any, *, by: Institution | None = None) -> list[QuestionAssignment]:
    """What institutions, or the one named, answered to earlier questions like this one and the office accepted: the likest
    question first."""
    accepted = (
        QuestionAssignment.objects.visible_to(user)
        .filter(
            state=AssignmentState.ACCEPTED,
            question__questionnaire__received_on__lte=question.questionnaire.received_on,
        )
        .exclude(question__questionnaire=question.questionnaire_id)
    )
    if by is not None:
        accepted = accepted.filter(institution=by)
    asked = Question.objects.visible_to(user).filter(pk__in=accepted.order_by().values("question")).defer("answer")
    asked = asked.order_by("-questionnaire__received_on", "position")[:MOST_EARLIER]
    place = {like.question.pk: number for number, like in enumerate(alike(question.text, question.number, asked))}
    found = accepted.filter(question__in=place).select_related("question__questionnaire", "institution")
    return sorted(found, key=lambda one: (place[one.question_id], one.institution.code))
