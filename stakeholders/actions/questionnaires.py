"""A questionnaire of many questions: brought in, put to institutions, answered, approved, written as a file, sent."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from onatc import jobs, mail
from onatc.dated_settings import due_day
from onatc.errors import Refused, require
from onatc.exports import XLSX
from onatc.jobs import Job, Progress
from stakeholders import access, questions
from stakeholders.actions.records import (
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.models import (
    REPORTERS,
    AssignmentFile,
    AssignmentState,
    Institution,
    Question,
    QuestionAssignment,
    Questionnaire,
    QuestionnaireFile,
    QuestionnaireFormat,
    QuestionnaireState,
    QuestionState,
    RoleAssignment,
    User,
)
from stakeholders.questions import Row, Sheet, Written

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
REMIND_BEFORE = timedelta(days=3)
WAITING = (AssignmentState.ASKED, AssignmentState.RETURNED)


@transaction.atomic
def create_questionnaire(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Questionnaire:
    require(access.may_keep_enquiries(by))
    refuse_future(values["received_on"])
    values = values | {"due_on": due_day(values["due_on"], not_before=values["received_on"])}
    made, _is_new = make_once(Questionnaire(**values, responsible=by), key, maker="responsible")
    return made  # type: ignore[no-any-return]


def _open(questionnaire: Questionnaire, by: User) -> Questionnaire:
    questionnaire = locked(questionnaire)
    require(access.may_edit_questionnaire(by, questionnaire))
    return questionnaire


@transaction.atomic
def change_questionnaire(
    questionnaire: Questionnaire, values: dict[str, Any], *, by: User, revision: int
) -> Questionnaire:
    questionnaire = _open(questionnaire, by)
    refuse_future(values["received_on"])
    if values["due_on"] != questionnaire.due_on:
        values = values | {"due_on": due_day(values["due_on"], not_before=values["received_on"])}
    set_fields(questionnaire, values, revision)
    return save(questionnaire)


@transaction.atomic
def load_questions(questionnaire: Questionnaire, rows: list[Row], *, by: User, revision: int) -> Questionnaire:
    """Add the rows after what is there. The same form sent twice adds them once: the questionnaire is another one then."""
    questionnaire = _open(questionnaire, by)
    if questionnaire.revision != revision:
        raise Refused(_("Questions were added meanwhile. Look at the list before you add more."))
    last = questionnaire.questions.aggregate(last=Max("position"))["last"] or 0
    if last + len(rows) > questions.MAX_QUESTIONS:
        raise Refused(_("A questionnaire holds at most %(count)d questions.") % {"count": questions.MAX_QUESTIONS})
    Question.objects.bulk_create(
        Question(
            questionnaire=questionnaire, position=last + number, number=row.number, section=row.section, text=row.text
        )
        for number, row in enumerate(rows, 1)
    )
    questionnaire.revision += 1
    return save(questionnaire)


def _locked_question(question: Question, by: User) -> Question:
    _open(question.questionnaire, by)
    return locked(question)


@transaction.atomic
def change_question(question: Question, values: dict[str, Any], *, by: User, revision: int) -> Question:
    question = _locked_question(question, by)
    if set_fields(question, values, revision):
        _reopen(question)
    return save(question)


@transaction.atomic
def remove_question(question: Question, *, by: User) -> Questionnaire:
    """Take off what came in by mistake. What institutions were asked, or the office answered, stays; taken off already
    is the same."""
    questionnaire = _open(question.questionnaire, by)
    found = Question.objects.select_for_update().filter(pk=question.pk).first()
    if found is None:
        return questionnaire
    if found.answer.strip() or found.assignments.exists():
        raise Refused(_("This question was answered or put to institutions: it stays. Change its wording instead."))
    found.delete()
    questionnaire.revision += 1
    return save(questionnaire)  # type: ignore[no-any-return]


@transaction.atomic
def move_question(question: Question, *, by: User, up: bool) -> Questionnaire:
    """Change places with its neighbour; the first stays first."""
    questionnaire = _open(question.questionnaire, by)
    rows = list(questionnaire.questions.order_by("position", "pk").values_list("pk", flat=True))
    place = rows.index(question.pk)
    other = place - 1 if up else place + 1
    if 0 <= other < len(rows):
        rows[place], rows[other] = rows[other], rows[place]
        for position, pk in enumerate(rows, 1):
            Question.objects.filter(pk=pk).exclude(position=position).update(position=position)
    return questionnaire


def _reopen(question: Question) -> None:
    question.state = QuestionState.DRAFTED if question.answer.strip() else QuestionState.OPEN
    question.approved_by, question.approved_at = None, None


@transaction.atomic
def answer_question(
    question: Question, *, by: User, revision: int, answer: str, reuses: Question | None = None
) -> Question:
    """The office's own answer; one that was approved is approved anew when it changes."""
    question = _locked_question(question, by)
    values: dict[str, Any] = {"answer": answer}
    if reuses is not None:
        values["reuses"] = reuses
    if set_fields(question, values, revision):
        _reopen(question)
    return save(question)


@transaction.atomic
def take_over_earlier(question: Question, earlier: Question, *, by: User, revision: int) -> Question:
    """Begin with the answer that was approved before; it is a draft again, and says what it comes from."""
    if earlier.pk == question.pk or earlier.state != QuestionState.APPROVED:
        raise Refused(_("There is no earlier answer to take over."))
    return answer_question(question, by=by, revision=revision, answer=earlier.answer, reuses=earlier)


@transaction.atomic
def take_over_assignment(assignment: QuestionAssignment, *, by: User, revision: int) -> Question:
    """Put an institution's text behind what the office has written."""
    question = assignment.question
    if assignment.state not in (AssignmentState.ANSWERED, AssignmentState.ACCEPTED):
        raise Refused(_("The institution has not answered yet."))
    text = assignment.answer.strip()
    if text in question.answer:
        return question
    together = f"{question.answer.strip()}\n\n{text}".strip()
    if len(together) > 20_000:
        raise Refused(_("The answer would be longer than 20,000 characters. Shorten it first."))
    return answer_question(question, by=by, revision=revision, answer=together)


@transaction.atomic
def approve_question(question: Question, *, by: User, revision: int) -> Question:
    questionnaire = locked(question.questionnaire)
    question = locked(question)
    if question.state == QuestionState.APPROVED and question.revision == revision:
        return question
    require(access.may_approve_questions(by, questionnaire))
    if question.revision != revision:
        raise Refused(_("The text was changed since you opened it. Read it again, then approve it."))
    if not question.answer.strip():
        raise Refused(_("There is no answer yet. Write it first."))
    question.state, question.approved_by, question.approved_at = QuestionState.APPROVED, by, timezone.now()
    return save(question)


# Institutions


@transaction.atomic
def put_questions(
    questionnaire: Questionnaire,
    chosen: Iterable[Question],
    institutions: Iterable[Institution],
    *,
    due_on: date,
    note: str,
    by: User,
) -> int:
    """Put many questions to many institutions in one go; what was put to one already stays as it is, what was taken back
    is asked anew. How many are new.
    The day moves as due days do. Each person who answers for an institution gets one mail, however many questions there are."""
    questionnaire = _open(questionnaire, by)
    if due_on < timezone.localdate():
        raise Refused(_("This day has gone by."))
    due_on = due_day(due_on, not_before=timezone.localdate())
    chosen, institutions = list(chosen), list(institutions)
    if any(question.questionnaire_id != questionnaire.pk for question in chosen):
        raise Refused(_("A question of another questionnaire cannot be put here."))
    for institution in institutions:
        refuse_dissolved(institution, timezone.localdate())
    there = QuestionAssignment.objects.filter(question__in=chosen, institution__in=institutions)
    again = list(there.filter(state=AssignmentState.WITHDRAWN).select_for_update())
    known = set(there.values_list("question", "institution"))
    new = [
        QuestionAssignment(question=question, institution=institution, due_on=due_on, note=note)
        for question in chosen
        for institution in institutions
        if (question.pk, institution.pk) not in known
    ]
    QuestionAssignment.objects.bulk_create(new, batch_size=500)
    for one in again:
        one.state, one.withdrawn_why, one.due_on, one.note = AssignmentState.ASKED, "", due_on, note
        one.revision += 1
        save(one)
    put = new + again
    if put:
        questionnaire.revision += 1
        save(questionnaire)
    told = {one.institution_id for one in put}
    for person in _answerers(told):
        mail.queue(
            person,
            occasion=f"questions {questionnaire.pk} {questionnaire.revision} {person.pk}",
            template="questions_asked",
            context={"questionnaire": questionnaire, "due_on": due_on},
            kind=mail.Kind.REMINDER,
        )
    return len(put)


def _answerers(institutions: Iterable[Any]) -> Any:
    there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution__in=list(institutions))
    return User.objects.filter(is_active=True, pk__in=there.values("user")).order_by("pk")


def _tell_answerers(assignment: QuestionAssignment, template: str) -> None:
    """What the office did with one question, to whoever reports for the institution; once for each state of it."""
    for person in _answerers([assignment.institution_id]):
        mail.queue(
            person,
            occasion=f"{template} {assignment.pk} {assignment.revision} {person.pk}",
            template=template,
            context={"assignment": assignment},
            kind=mail.Kind.REVIEW,
        )


def _locked_assignment(assignment: QuestionAssignment) -> QuestionAssignment:
    locked(assignment.question.questionnaire)
    return locked(assignment)


@transaction.atomic
def write_assignment(
    assignment: QuestionAssignment,
    *,
    by: User,
    revision: int,
    answer: str,
    language: str,
    is_final: bool,
    files: Iterable[UploadedFile] = (),
) -> QuestionAssignment:
    """The institution's answer, as a draft or handed in. What was handed in may be changed until the office accepts it."""
    assignment = _locked_assignment(assignment)
    require(access.may_answer_assignment(by, assignment))
    if is_final and not answer.strip():
        raise Refused(_("Write the answer."), "answer")
    if assignment.state == AssignmentState.ANSWERED and not answer.strip():
        raise Refused(_("What was handed in is not emptied. Write what is right instead."), "answer")
    set_fields(assignment, {"answer": answer, "language": language}, revision)
    keep_files(AssignmentFile, files, by=by, assignment=assignment)
    if is_final:
        assignment.state, assignment.return_note = AssignmentState.ANSWERED, ""
        assignment.answered_by, assignment.answered_at = by, timezone.now()
    return save(assignment)


@transaction.atomic
def withdraw_assignment(assignment: QuestionAssignment, *, by: User, why: str) -> QuestionAssignment:
    """The institution need not answer any more, and is told. What it wrote stays on record. Twice is once."""
    assignment = _locked_assignment(assignment)
    require(access.may_withdraw_assignment(by, assignment))
    if assignment.state == AssignmentState.WITHDRAWN:
        return assignment
    assignment.state, assignment.withdrawn_why = AssignmentState.WITHDRAWN, why
    assignment.revision += 1
    save(assignment)
    _tell_answerers(assignment, "question_withdrawn")
    return assignment


def _answered(assignment: QuestionAssignment, by: User) -> QuestionAssignment:
    assignment = _locked_assignment(assignment)
    require(access.may_edit_questionnaire(by, assignment.question.questionnaire))
    if assignment.state != AssignmentState.ANSWERED:
        raise Refused(_("The institution has not handed in an answer, or it was dealt with already."))
    return assignment


@transaction.atomic
def return_assignment(assignment: QuestionAssignment, *, by: User, note: str) -> QuestionAssignment:
    assignment = _answered(assignment, by)
    assignment.state, assignment.return_note = AssignmentState.RETURNED, note
    assignment.revision += 1
    save(assignment)
    _tell_answerers(assignment, "question_returned")
    return assignment


@transaction.atomic
def accept_assignment(assignment: QuestionAssignment, *, by: User, revision: int) -> QuestionAssignment:
    """As it was read. Twice is once."""
    present = _locked_assignment(assignment)
    if present.state == AssignmentState.ACCEPTED and present.revision == revision:
        require(access.may_keep_enquiries(by))
        return present
    assignment = _answered(assignment, by)
    if assignment.revision != revision:
        raise Refused(_("The text was changed since you opened it. Read it again, then approve it."))
    assignment.state = AssignmentState.ACCEPTED
    return save(assignment)


def remind(today: date | None = None) -> int:
    """One message a person with the number of questions that are due within three days or overdue; once a day at most,
    and again only when a week has gone by or another question came near."""
    today = today or timezone.localdate()
    due = QuestionAssignment.objects.filter(
        state__in=WAITING, due_on__lte=today + REMIND_BEFORE, question__questionnaire__state=QuestionnaireState.OPEN
    )
    counts = dict(due.order_by().values_list("institution").annotate(Count("pk")))
    sent = 0
    people = _answerers(counts)
    mine: dict[Any, set[Any]] = {}
    for person, institution in (
        RoleAssignment.objects.active()
        .filter(role__in=REPORTERS, institution__in=list(counts))
        .values_list("user", "institution")
    ):
        mine.setdefault(person, set()).add(institution)
    week = today.isocalendar()
    for person in people:
        number = sum(counts[one] for one in mine[person.pk])
        sent += mail.queue(
            person,
            occasion=f"questions due {person.pk} {week.year}-{week.week} {number}",
            template="questions_due",
            context={"number": number},
            kind=mail.Kind.REMINDER,
        )
    return sent


# Files, and the end


def sheet_of(questionnaire: Questionnaire) -> Sheet:
    with override(questionnaire.language):
        about = _("%(office)s. Asked by: %(body)s.") % {
            "office": _("Office of the National Anti-Trafficking Coordinator"),
            "body": questionnaire.asked_by.name,
        }
    rows = questionnaire.questions.order_by("position", "pk")
    written = tuple(
        Written(one.number, one.section, one.text, one.answer, is_draft=one.state == QuestionState.DRAFTED)
        for one in rows
    )
    return Sheet(str(questionnaire), about, written)


@transaction.atomic
def queue_file(questionnaire: Questionnaire, form: str, *, by: User) -> QuestionnaireFile | Job:
    """The file that says what the questionnaire says now, or the job that makes it."""
    require(access.may_keep_enquiries(by))
    fingerprint = sheet_of(questionnaire).fingerprint
    existing = QuestionnaireFile.objects.filter(
        questionnaire=questionnaire, format=form, fingerprint=fingerprint
    ).first()
    if existing is not None:
        return existing
    return jobs.enqueue(
        "questionnaire_file",
        key=f"questionnaire:{questionnaire.pk}:{form}:{fingerprint[:16]}",
        title=_("Making a file of the questionnaire"),
        by=by,
        params={"questionnaire": str(questionnaire.pk), "format": form},
        total=2,
        target_url=questionnaire.get_absolute_url(),
    )


def make_file(found: Job, progress: Progress) -> None:
    """Made anew from the beginning whenever it is begun again; one file for what the questionnaire says."""
    questionnaire = Questionnaire.objects.select_related("asked_by").filter(pk=found.params["questionnaire"]).first()
    if questionnaire is None:
        raise Refused(_("The questionnaire is no longer there."))
    require(access.may_keep_enquiries(found.actor))
    form = QuestionnaireFormat(found.params["format"])
    sheet = sheet_of(questionnaire)
    if QuestionnaireFile.objects.filter(
        questionnaire=questionnaire, format=form, fingerprint=sheet.fingerprint
    ).exists():
        return
    with override(questionnaire.language):
        body = questions.in_docx(sheet) if form == QuestionnaireFormat.DOCX else questions.in_xlsx(sheet)
    progress(1, 2)
    with transaction.atomic():
        QuestionnaireFile.keep_content(
            ContentFile(body) if not isinstance(body, io.IOBase) else body,
            name=f"questionnaire-{questionnaire.received_on:%Y-%m-%d}.{form.value}",
            content_type=DOCX if form == QuestionnaireFormat.DOCX else XLSX,
            uploaded_by=found.owner,
            questionnaire=questionnaire,
            format=form,
            fingerprint=sheet.fingerprint,
        )
        progress(2, 2)


@transaction.atomic
def send_questionnaire(questionnaire: Questionnaire, *, by: User, sent_on: date) -> Questionnaire:
    """It left the office: from then on nothing of it changes. What is not answered by then stays unanswered, on record."""
    questionnaire = locked(questionnaire)
    if not questionnaire.is_open:
        if (questionnaire.sent_on, questionnaire.sent_by_id) == (sent_on, by.pk):
            return questionnaire
        raise Refused(_("It was sent already, on record by %(person)s.") % {"person": questionnaire.sent_by})
    require(access.may_approve_questions(by, questionnaire))
    refuse_future(sent_on)
    if sent_on < questionnaire.received_on:
        raise Refused(_("It cannot be sent before it came."))
    if questionnaire.questions.filter(state=QuestionState.DRAFTED).exists():
        raise Refused(_("Some answers wait for approval. Approve them first, or empty them."))
    if not questionnaire.questions.filter(state=QuestionState.APPROVED).exists():
        raise Refused(_("No answer is approved yet."))
    questionnaire.state, questionnaire.sent_on, questionnaire.sent_by = QuestionnaireState.SENT, sent_on, by
    return save(questionnaire)
