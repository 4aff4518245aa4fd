"""The human-rights check of a measure (Law 04/L-218, Article 8.4.7): the questions, and what an outcome must rest on.

Each question is worded so that "yes" is in line. The keys are kept in records and never change; a question that is asked no
more goes into `FORMER`, so that old checks stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from strategy.models.measure import RightsOutcome

YES, NO, NOT_APPLICABLE = "yes", "no", "not_applicable"
ANSWERS: list[tuple[str, Any]] = [(YES, _("yes")), (NO, _("no")), (NOT_APPLICABLE, _("does not apply"))]
VALID_DAYS = 365


@dataclass(frozen=True)
class Question:
    key: str
    topic: Any  # lazy texts
    text: Any


QUESTIONS: tuple[Question, ...] = (
    Question("legal_basis", _("Legal basis"), _("Does the measure rest on a law or a decision that allows it?")),
    Question(
        "equality", _("Equality"),
        _("Is it open to everybody concerned, whatever their sex, origin, language, disability or status?"),
    ),
    Question(
        "communities", _("Communities and languages"),
        _("Does it reach all communities, in the official languages and in those that victims understand?"),
    ),
    Question(
        "gender", _("Gender"), _("Does it take account of the different needs of women, men, girls and boys?")
    ),
    Question(
        "proportionality", _("Proportionality"),
        _("Is each restriction of a right necessary, and the mildest one that serves the purpose?"),
    ),
    Question(
        "privacy", _("Privacy"),
        _("Are only those personal data collected and shared that are needed, and are they protected?"),
    ),
    Question(
        "consent", _("Will of the victim"),
        _("Is support given by informed consent, and not made to depend on cooperation with the authorities?"),
    ),
    Question(
        "non_punishment", _("Non-punishment"),
        _("Does it keep victims from being punished for what they were compelled to do?"),
    ),
    Question(
        "child", _("Best interest of the child"),
        _("Where children are concerned, does their best interest come first, and are they heard?"),
    ),
    Question(
        "safety", _("Safety and dignity"),
        _("Does it protect the safety and dignity of those concerned, and of their families?"),
    ),
    Question(
        "non_refoulement", _("Return of victims"),
        _("Is nobody returned to where they are in danger, and is return voluntary where the law allows it?"),
    ),
    Question(
        "remedy", _("Access to a remedy"),
        _("Can whoever is concerned complain, get legal aid and seek compensation?"),
    ),
    Question(
        "participation", _("Participation"),
        _("Were those concerned, or organisations that stand for them, heard when it was drawn up?"),
    ),
)  # fmt: skip
FORMER: tuple[Question, ...] = ()


def problem_of(answers: Mapping[str, str], outcome: str, remarks: str) -> str:
    """Why a check cannot stand: `unanswered`, `against` (an answer "no", and yet in line), `remarks`; empty when it can."""
    allowed = {YES, NO, NOT_APPLICABLE}
    if any(answers.get(question.key) not in allowed for question in QUESTIONS):
        return "unanswered"
    if outcome == RightsOutcome.IN_LINE and NO in answers.values():
        return "against"
    if outcome != RightsOutcome.IN_LINE and not remarks.strip():
        return "remarks"
    return ""


def is_old(assessed_on: date, on: date) -> bool:
    """A check holds a year: it is old when it was made more than 365 days ago."""
    return (on - assessed_on).days > VALID_DAYS


def answered(answers: Mapping[str, str]) -> list[tuple[Question, str]]:
    """The questions of a check with the words of their answers, in order; what was not asked then is left out."""
    words = {key: str(label) for key, label in ANSWERS}
    return [(one, words[answers[one.key]]) for one in (*QUESTIONS, *FORMER) if answers.get(one.key) in words]
