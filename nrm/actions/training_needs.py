"""Assessments of training needs: sent to institutions, answered by them, closed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import AnswerState, NeedsAnswer, NeedsAssessment, NeedsState, StaffNeed, TopicNeed
from onatc import mail
from onatc.errors import Refused, require
from stakeholders.actions.records import Stale, locked, make_once, refuse_dissolved, save, set_fields
from stakeholders.models import REPORTERS, Institution, RoleAssignment, User

REMINDED_DAYS = 7  # before the last day


@transaction.atomic
def create_assessment(key: uuid.UUID, values: dict[str, Any], *, by: User) -> NeedsAssessment:
    """One in preparation; a form sent twice makes one."""
    require(access.may_keep_mechanism(by))
    made, _is_new = make_once(NeedsAssessment(**values, created_by=by), key, maker="created_by")
    return made  # type: ignore[no-any-return]


@transaction.atomic
def change_assessment(
    assessment: NeedsAssessment, values: dict[str, Any], *, by: User, revision: int
) -> NeedsAssessment:
    """Once it is sent the topics stay, since answers were given to them; a closed one stays as it is."""
    assessment = locked(assessment)
    require(access.may_keep_mechanism(by))
    if assessment.state == NeedsState.CLOSED:
        raise Refused(_("The assessment is closed."))
    changed = set_fields(assessment, values, revision)
    if assessment.state != NeedsState.DRAFT and "topics" in changed:
        raise Refused(_("It was sent already; the topics stay as they were asked."), "topics")
    return save(assessment)


@transaction.atomic
def open_assessment(assessment: NeedsAssessment, institutions: Iterable[Institution], *, by: User) -> NeedsAssessment:
    """Send it to institutions, or to more of them once it is open; whoever reports for them is written to. Who was asked
    before is not asked again."""
    assessment = locked(assessment)
    require(access.may_keep_mechanism(by))
    if assessment.state == NeedsState.CLOSED:
        raise Refused(_("The assessment is closed."))
    if assessment.closes_on < timezone.localdate():
        raise Refused(_("Its last day for answers has passed. Change that day first."))
    asked = set(assessment.answers.values_list("institution", flat=True))
    new = [one for one in dict.fromkeys(institutions) if one.pk not in asked]
    for one in new:
        refuse_dissolved(one, timezone.localdate(), "institutions")
    if not new and not asked:
        raise Refused(_("Choose one institution at least."), "institutions")
    if assessment.state == NeedsState.DRAFT:
        assessment.state, assessment.opened_at = NeedsState.OPEN, timezone.now()
        assessment.revision += 1
        save(assessment)
    for one in new:
        answer = save(NeedsAnswer(assessment=assessment, institution=one, language=by.language), is_new=True)
        for user in _reporters(one.pk, timezone.localdate()):
            mail.queue(
                user, occasion=f"training needs {answer.pk} {user.pk}", template="training_needs_asked",
                context={"answer": answer},
            )  # fmt: skip
    return assessment


def _reporters(institution: Any, day: date) -> list[User]:
    roles = RoleAssignment.objects.active(day).filter(role__in=REPORTERS, institution=institution)
    return list({one.user_id: one.user for one in roles.filter(user__is_active=True).select_related("user")}.values())


@transaction.atomic
def close_assessment(assessment: NeedsAssessment, *, by: User) -> NeedsAssessment:
    """Nobody answers any more; who did not submit stays missing. Closing twice changes nothing."""
    assessment = locked(assessment)
    require(access.may_keep_mechanism(by))
    if assessment.state == NeedsState.CLOSED:
        return assessment
    if assessment.state == NeedsState.DRAFT:
        raise Refused(_("It was not sent to anybody yet."))
    assessment.state, assessment.closed_at = NeedsState.CLOSED, timezone.now()
    assessment.revision += 1
    return save(assessment)


# The answer of an institution


def _open_answer(answer: NeedsAnswer, by: User) -> NeedsAnswer:
    """The locked answer while it may be written; the assessment is locked first, so that it does not close meanwhile."""
    assessment = locked(answer.assessment)
    answer = locked(answer)
    require(access.may_answer_needs(by, answer))
    if assessment.state == NeedsState.CLOSED:
        raise Refused(_("The assessment is closed; answers are taken no more."))
    if not assessment.takes_answers():
        raise Refused(_("The last day for answers has passed."))
    answer.assessment = assessment
    return answer


def _writable(answer: NeedsAnswer, by: User) -> NeedsAnswer:
    answer = _open_answer(answer, by)
    if answer.state == AnswerState.SUBMITTED:
        raise Refused(_("The answer was submitted. Take it back first."))
    return answer


def _begun(answer: NeedsAnswer) -> None:
    answer.state = AnswerState.DRAFT
    answer.revision += 1
    save(answer)


def _checked_topics(answer: NeedsAnswer, topics: dict[str, int | None], to_train: int) -> dict[str, int]:
    """Only topics that are asked about; none needed by more people than need training."""
    asked = set(answer.assessment.topics)
    wanted = {topic: number for topic, number in topics.items() if number is not None}
    for topic, number in wanted.items():
        if topic not in asked:
            raise Refused(_("This topic is not asked about."), f"topic_{topic}")
        if number > to_train:
            raise Refused(_("No more can need a topic than need training."), f"topic_{topic}")
    return wanted


def _write_topics(row: StaffNeed, wanted: dict[str, int]) -> bool:
    """Put these numbers in place of those that stand there; whether something changed."""
    held = {one.topic: one for one in row.topics.all()}
    if {topic: one.number for topic, one in held.items()} == wanted:
        return False
    for topic, one in held.items():
        if topic not in wanted:
            one.delete()
    for topic, number in wanted.items():
        one = held.get(topic) or TopicNeed(row=row, topic=topic)
        one.number = number
        save(one, is_new=topic not in held)
    return True


@transaction.atomic
def add_row(
    answer: NeedsAnswer, key: uuid.UUID, values: dict[str, Any], topics: dict[str, int | None], *, by: User
) -> StaffNeed:
    """A function with its numbers; a form sent twice adds one."""
    answer = _open_answer(answer, by)
    if (existing := StaffNeed.objects.filter(pk=key, answer=answer).first()) is not None:
        return existing
    if answer.state == AnswerState.SUBMITTED:
        raise Refused(_("The answer was submitted. Take it back first."))
    wanted = _checked_topics(answer, topics, values["to_train"])
    row = save(StaffNeed(pk=key, answer=answer, **values), is_new=True)
    _write_topics(row, wanted)
    _begun(answer)
    return row


@transaction.atomic
def change_row(
    row: StaffNeed, values: dict[str, Any], topics: dict[str, int | None], *, by: User, revision: int
) -> StaffNeed:
    answer = _writable(row.answer, by)
    row = locked(row)
    wanted = _checked_topics(answer, topics, values["to_train"])
    is_stale = row.revision != revision
    changed = set_fields(row, values, revision)
    save(row)
    if _write_topics(row, wanted):
        if is_stale:
            raise Stale(row, [(str(one.topic), str(one.number)) for one in row.topics.all()])
        if not changed:
            row.revision += 1
            save(row)
        changed = changed | {"topics"}
    if changed:
        _begun(answer)
    return row


@transaction.atomic
def remove_row(row: StaffNeed, *, by: User) -> NeedsAnswer:
    answer = _writable(row.answer, by)
    if StaffNeed.objects.filter(pk=row.pk).delete()[0]:
        _begun(answer)
    return answer


@transaction.atomic
def submit_answer(answer: NeedsAnswer, *, by: User, revision: int, note: str = "") -> NeedsAnswer:
    """Submitting twice changes nothing. Refused without a row, when a colleague changed something meanwhile, or too late."""
    answer = _open_answer(answer, by)
    if answer.state == AnswerState.SUBMITTED:
        return answer
    if not answer.rows.exists():
        raise Refused(_("Add one function at least; where nobody needs training, write 0."))
    if answer.revision != revision:
        raise Stale(answer, [(str(row), str(row.to_train)) for row in answer.rows.select_related("municipality")])
    answer.state, answer.note = AnswerState.SUBMITTED, note
    answer.submitted_at, answer.submitted_by, answer.language = timezone.now(), by, by.language
    answer.revision += 1
    return save(answer)


@transaction.atomic
def reopen_answer(answer: NeedsAnswer, *, by: User) -> NeedsAnswer:
    """Take a submitted answer back to change it; until it is submitted again it is missing from the results."""
    assessment = locked(answer.assessment)
    answer = locked(answer)
    require(access.may_reopen_needs(by, answer))
    if not assessment.takes_answers():
        raise Refused(_("The assessment takes no answers any more."))
    if answer.state != AnswerState.SUBMITTED:
        return answer
    answer.state, answer.submitted_at, answer.submitted_by = AnswerState.DRAFT, None, None
    answer.revision += 1
    return save(answer)


# Reminders


def remind_of_needs(*, on: date | None = None) -> int:
    """One mail to whoever reports for an institution that has not submitted, a week before the last day; once, however often
    it is run."""
    day = on or timezone.localdate()
    waiting = (
        NeedsAnswer.objects.exclude(state=AnswerState.SUBMITTED)
        .filter(
            assessment__state=NeedsState.OPEN,
            assessment__closes_on__range=(day, day + timedelta(days=REMINDED_DAYS)),
            reminded_on__isnull=True,
        )
        .values_list("pk", flat=True)
    )
    return sum(_remind(key, day) for key in list(waiting))


@transaction.atomic
def _remind(key: Any, day: date) -> int:
    answer = NeedsAnswer.objects.select_for_update(of=("self",)).select_related("assessment", "institution").get(pk=key)
    if answer.reminded_on is not None or answer.state == AnswerState.SUBMITTED:
        return 0
    answer.reminded_on = day
    save(answer)
    return sum(
        mail.queue(
            user, occasion=f"training needs due {answer.pk} {user.pk}", template="training_needs_due",
            context={"answer": answer}, kind=mail.Kind.REMINDER,
        )
        for user in _reporters(answer.institution_id, day)
    )  # fmt: skip
