"""The office as focal point: the log of communications, and the life of an enquiry from its number to its answer."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from onatc import mail
from onatc.dated_settings import SettingName, due_day, setting
from onatc.errors import Refused, require
from onatc.mail import Message, MessageState
from onatc.search import words_of
from stakeholders import access
from stakeholders.actions.records import (
    keep_files,
    locked,
    make_once,
    refuse_dissolved,
    refuse_future,
    save,
    set_fields,
)
from stakeholders.deadlines import enquiry_due_day
from stakeholders.models import (
    AnswerTemplate,
    Communication,
    CommunicationFile,
    Contact,
    ContactFunction,
    Direction,
    Enquiry,
    EnquiryFile,
    EnquiryFrom,
    EnquiryState,
    EnquiryWay,
    Role,
    User,
)

REMIND_BEFORE = timedelta(days=2)
NUMBER_LOCK = 0x4F4E45  # with the year: who gives a number waits for whoever gives the one before

REPEATED_WITHIN, MOST_COMPARED = timedelta(days=30), 500  # how far back, and with how many at most, a text is compared
SAME_WORDS = 0.8  # share of words in common from which on a text repeats another
LONG_NUMBER = re.compile(r"\d{5,}")  # telephone numbers and codes by which the same advertisement differs

# Communications


def _with_country(values: dict[str, Any]) -> dict[str, Any]:
    """An institution abroad brings its country, when none is named."""
    institution = values.get("institution")
    if institution is None or values.get("country") is not None:
        return values
    return values | {"country": institution.country}


@transaction.atomic
def record_communication(
    key: uuid.UUID, values: dict[str, Any], *, by: User, files: Iterable[UploadedFile] = ()
) -> Communication:
    """A contact that was made; a form sent twice records one."""
    require(access.may_keep_enquiries(by))
    refuse_future(values["on"])
    refuse_dissolved(values.get("institution"), values["on"])
    communication, is_new = make_once(Communication(**_with_country(values), by=by), key, maker="by")
    if is_new:
        keep_files(CommunicationFile, files, by=by, communication=communication)
    return communication  # type: ignore[no-any-return]


@transaction.atomic
def change_communication(
    communication: Communication,
    values: dict[str, Any],
    *,
    by: User,
    revision: int,
    files: Iterable[UploadedFile] = (),
) -> Communication:
    communication = locked(communication)
    require(access.may_edit_communication(by, communication))
    refuse_future(values["on"])
    refuse_dissolved(values.get("institution"), values["on"])
    set_fields(communication, _with_country(values), revision)
    keep_files(CommunicationFile, files, by=by, communication=communication)
    return save(communication)


@transaction.atomic
def remove_communication_file(file: CommunicationFile, *, by: User) -> Communication:
    communication = locked(file.communication)
    require(access.may_edit_communication(by, communication))
    CommunicationFile.objects.filter(pk=file.pk).delete()
    return communication


# Templates of answers


@transaction.atomic
def make_template(key: uuid.UUID, values: dict[str, Any], *, by: User) -> AnswerTemplate:
    require(access.may_keep_enquiries(by))
    template, _is_new = make_once(AnswerTemplate(**values, created_by=by), key, maker="created_by")
    return template  # type: ignore[no-any-return]


@transaction.atomic
def change_template(template: AnswerTemplate, values: dict[str, Any], *, by: User, revision: int) -> AnswerTemplate:
    template = locked(template)
    require(access.may_keep_enquiries(by))
    set_fields(template, values, revision)
    return save(template)


# Enquiries


def _next_number(year: int) -> int:
    """One more than the last of the year. The lock is held to the end of the transaction, so no two get the same, and one
    that is rolled back leaves no gap."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NUMBER_LOCK, year])
    return (Enquiry.objects.filter(year=year).aggregate(last=Max("number"))["last"] or 0) + 1


def _due_on(values: dict[str, Any]) -> date:
    """The day that was typed, or the one of the setting; both move as due days do, never before the question came."""
    received_on = values["received_on"]
    typed = values.get("due_on")
    return due_day(typed, not_before=received_on) if typed else enquiry_due_day(received_on)


@transaction.atomic
def record_enquiry(key: uuid.UUID, values: dict[str, Any], *, by: User, files: Iterable[UploadedFile] = ()) -> Enquiry:
    """A question that reached the office by mail, letter or telephone; a form sent twice records one."""
    require(access.may_keep_enquiries(by))
    refuse_future(values["received_on"])
    refuse_dissolved(values.get("institution"), values["received_on"])
    existing = Enquiry.objects.filter(pk=key).first()
    if existing is not None:
        if existing.created_by_id != by.pk:
            raise Refused(_("This form was used already. Open it anew."))
        return existing
    year = values["received_on"].year
    enquiry, is_new = make_once(
        Enquiry(**values | {"due_on": _due_on(values)}, year=year, number=_next_number(year), created_by=by),
        key,
        maker="created_by",
    )
    if is_new:
        add_files(enquiry, files, by=by, direction=Direction.IN)
    return enquiry  # type: ignore[no-any-return]


def _came_already(question: str) -> bool:
    """Whether the public form brought the same words in the last days, whatever the case, the spaces, long numbers and a
    word here and there."""
    words = _words_to_compare(question)
    since = timezone.now() - REPEATED_WITHIN
    recent = Enquiry.objects.filter(way=EnquiryWay.WEB, created_at__gte=since).exclude(question="")
    for text in recent.order_by("-created_at").values_list("question", flat=True)[:MOST_COMPARED]:
        theirs = _words_to_compare(text)
        if words == theirs or (words and len(words & theirs) >= SAME_WORDS * len(words | theirs)):
            return True
    return False


def _words_to_compare(text: str) -> frozenset[str]:
    return frozenset(words_of(LONG_NUMBER.sub(" ", text)))


def _too_many_came() -> bool:
    """Only what was believed counts, so that a flood of repeated texts keeps nobody else's question apart."""
    hour = timezone.now() - timedelta(hours=1)
    believed = Enquiry.objects.filter(way=EnquiryWay.WEB, created_at__gte=hour, created_by=None, is_suspicious=False)
    return believed.count() >= settings.ASK_BELIEVED_AN_HOUR


@transaction.atomic
def receive_from_the_web(
    key: uuid.UUID,
    *,
    subject: str,
    question: str,
    sender_kind: str,
    sender_name: str,
    sender_email: str,
    language: str,
    is_suspicious: bool,
    may_mail: bool,
) -> Enquiry:
    """What the public form sent. The same form again gives the same enquiry; one mail says that it came, without a word of
    what was typed, so that the form is of no use to whoever would write to others through it. What repeats a text, or comes
    when more came within the hour than the office gets, is doubted whatever the form says; it keeps its number and its day
    of receipt."""
    today = timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NUMBER_LOCK, today.year])
    existing = Enquiry.objects.filter(pk=key).first()
    if existing is not None:
        return existing
    is_suspicious = is_suspicious or _came_already(question) or _too_many_came()
    enquiry = Enquiry(
        pk=key, year=today.year, number=_next_number(today.year), received_on=today, due_on=enquiry_due_day(today),
        way=EnquiryWay.WEB, sender_kind=sender_kind, sender_name=sender_name, sender_email=sender_email,
        subject=subject, question=question, language=language, answer_language=language, is_suspicious=is_suspicious,
    )  # fmt: skip
    save(enquiry, is_new=True)
    if not is_suspicious:
        _tell_of_web(enquiry)
    if sender_email and may_mail and not is_suspicious:
        with override(language):
            mail.queue_text(
                user=None,
                address=sender_email,
                subject=_("Your question was received: %(number)s") % {"number": enquiry.label},
                text=_(
                    "The Office of the National Anti-Trafficking Coordinator received your question under the number %(number)s. It answers by %(day)s. If you asked nothing, somebody else gave this address by mistake: do nothing."
                )
                % {"number": enquiry.label, "day": enquiry.due_on.strftime("%d.%m.%Y")},
                kind=mail.Kind.NOTICE,
                occasion=f"enquiry {key} received",
                language=language,
            )
    return enquiry


def _tell_of_web(enquiry: Enquiry) -> None:
    """Nobody of the office recorded it: each who keeps enquiries learns that it is there."""
    keepers = User.objects.holding(Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.INFORMATION)
    for person in keepers.order_by("pk"):
        mail.queue(
            person,
            occasion=f"enquiry {enquiry.pk} came {person.pk}",
            template="enquiry_came",
            context={"enquiry": enquiry},
        )


def add_files(enquiry: Enquiry, files: Iterable[UploadedFile], *, by: User, direction: str) -> None:
    """What came with a question loses its name, which may be that of a person; the enquiry's number takes its place."""
    for number, file in enumerate(files, enquiry.files.count() + 1):
        if direction == Direction.IN:
            file.name = f"{enquiry.number}-{enquiry.year}-{number}{PurePosixPath(file.name or '').suffix.lower()}"
        EnquiryFile.keep(file, by=by, enquiry=enquiry, direction=direction)


@transaction.atomic
def change_enquiry(
    enquiry: Enquiry, values: dict[str, Any], *, by: User, revision: int, files: Iterable[UploadedFile] = ()
) -> Enquiry:
    """What is known of the question. The number stays, also when the day moves to another year."""
    enquiry = locked(enquiry)
    require(access.may_edit_enquiry(by, enquiry))
    refuse_future(values["received_on"])
    refuse_dissolved(values.get("institution"), values["received_on"])
    if values.get("due_on") != enquiry.due_on:
        values = values | {"due_on": _due_on(values)}
    set_fields(enquiry, values, revision)
    add_files(enquiry, files, by=by, direction=Direction.IN)
    return save(enquiry)


@transaction.atomic
def assign_enquiry(enquiry: Enquiry, person: User, *, by: User) -> Enquiry:
    """Somebody of the office answers it; a mail tells them. To the same person twice is once."""
    enquiry = locked(enquiry)
    require(access.may_edit_enquiry(by, enquiry))
    if not person.is_active or not access.may_keep_enquiries(person):
        raise Refused(_("This person does not answer enquiries."))
    if enquiry.assigned_to_id == person.pk:
        return enquiry
    enquiry.assigned_to = person
    enquiry.is_suspicious = False
    if enquiry.state == EnquiryState.RECEIVED:
        enquiry.state = EnquiryState.ASSIGNED
    enquiry.revision += 1
    save(enquiry)
    if person.pk != by.pk:
        mail.queue(
            person,
            occasion=f"enquiry {enquiry.pk} assigned {person.pk} {enquiry.revision}",
            template="enquiry_assigned",
            context={"enquiry": enquiry},
        )
    return enquiry


@transaction.atomic
def draft_answer(
    enquiry: Enquiry, values: dict[str, Any], *, by: User, revision: int, files: Iterable[UploadedFile] = ()
) -> Enquiry:
    """Write the answer. What waited for approval or was approved goes back to its writer when a word or file changes."""
    enquiry = locked(enquiry)
    require(access.may_edit_enquiry(by, enquiry))
    files = list(files)
    if set_fields(enquiry, values, revision) or files:
        _back_to_draft(enquiry)
        enquiry.drafted_by, enquiry.is_suspicious = by, False
        if enquiry.assigned_to_id is None:
            enquiry.assigned_to = by
    add_files(enquiry, files, by=by, direction=Direction.OUT)
    return save(enquiry)


def _back_to_draft(enquiry: Enquiry) -> None:
    enquiry.state, enquiry.approved_by, enquiry.approved_at = EnquiryState.ASSIGNED, None, None


@transaction.atomic
def submit_answer(enquiry: Enquiry, *, by: User) -> Enquiry:
    """Give the draft for approval; twice is once."""
    enquiry = locked(enquiry)
    require(access.may_edit_enquiry(by, enquiry))
    if enquiry.state == EnquiryState.DRAFTED:
        return enquiry
    if enquiry.state == EnquiryState.APPROVED:
        raise Refused(_("It was approved already."))
    if not enquiry.answer.strip():
        raise Refused(_("There is no answer yet. Write it first."))
    enquiry.state, enquiry.return_note = EnquiryState.DRAFTED, ""
    enquiry.drafted_by = enquiry.drafted_by or by
    save(enquiry)
    for person in User.objects.holding(Role.DIRECTOR, Role.NATC):
        if bool(access.may_decide_enquiry(person, enquiry)):
            _tell(person, enquiry, "enquiry_to_approve", by=by)
    return enquiry


def _tell(person: User | None, enquiry: Enquiry, template: str, *, by: User) -> None:
    """A mail about a step that was made just now, never to whoever made it. That the step is made once, whoever holds the
    locked row sees to; the same step is told again when it is made again."""
    if person is None or not person.is_active or person.pk in access.own_keys(by):
        return
    mail.queue(
        person,
        occasion=f"{template} {enquiry.pk} {person.pk} {timezone.now().isoformat()}",
        template=template,
        context={"enquiry": enquiry},
    )


def _writer(enquiry: Enquiry) -> User | None:
    """Who drafted the answer; when that person left, who has to answer now."""
    drafter = enquiry.drafted_by
    return drafter if drafter is not None and drafter.is_active else enquiry.assigned_to


@transaction.atomic
def return_answer(enquiry: Enquiry, *, by: User, note: str) -> Enquiry:
    enquiry = locked(enquiry)
    require(access.may_decide_enquiry(by, enquiry))
    _back_to_draft(enquiry)
    enquiry.return_note = note
    save(enquiry)
    _tell(_writer(enquiry), enquiry, "enquiry_returned", by=by)
    return enquiry


@transaction.atomic
def approve_answer(enquiry: Enquiry, *, by: User, revision: int) -> Enquiry:
    """As it was read: a text that was changed meanwhile is read again first."""
    enquiry = locked(enquiry)
    if enquiry.state == EnquiryState.APPROVED and enquiry.approved_by_id == by.pk and enquiry.revision == revision:
        return enquiry
    require(access.may_decide_enquiry(by, enquiry))
    if enquiry.revision != revision:
        raise Refused(_("The text was changed since you opened it. Read it again, then approve it."))
    enquiry.state, enquiry.return_note = EnquiryState.APPROVED, ""
    enquiry.approved_by, enquiry.approved_at = by, timezone.now()
    save(enquiry)
    _tell(_writer(enquiry), enquiry, "enquiry_approved", by=by)
    return enquiry


@transaction.atomic
def send_answer(enquiry: Enquiry, *, by: User, way: str, answered_on: date) -> Enquiry:
    """By mail through the outbox, on the spot, or on record as a letter or a call. Frozen from then on; of two who send at
    once one wins, the other is told, and one mail goes. Where that mail failed or came back, it goes again or another way."""
    enquiry = locked(enquiry)
    if enquiry.state == EnquiryState.ANSWERED:
        if answer_was_lost(enquiry):
            return _answer_again(enquiry, by=by, way=way, answered_on=answered_on)
        if enquiry.answered_by_id == by.pk and enquiry.answered_way == way:
            return enquiry
        raise Refused(_("It was answered already, on record by %(person)s.") % {"person": enquiry.answered_by})
    require(access.may_send_enquiry(by, enquiry))
    if way == EnquiryWay.EMAIL:
        answered_on = timezone.localdate()
        if not enquiry.sender_email:
            raise Refused(_("There is no e-mail address of the sender. Record how it was answered instead."))
    refuse_future(answered_on)
    enquiry.state, enquiry.answered_on, enquiry.answered_by = EnquiryState.ANSWERED, answered_on, by
    enquiry.answered_way = way
    save(enquiry)
    if way == EnquiryWay.EMAIL:
        _queue_answer(enquiry)
    return enquiry


def _lost_mails(enquiry: Enquiry) -> QuerySet[Message]:
    return Message.objects.filter(
        occasion=_occasion_of_answer(enquiry), state__in=[MessageState.FAILED, MessageState.BOUNCED]
    )


def answer_was_lost(enquiry: Enquiry) -> bool:
    """It went by e-mail, which failed or came back, and in no other way since."""
    by_mail = enquiry.state == EnquiryState.ANSWERED and enquiry.answered_way == EnquiryWay.EMAIL
    return by_mail and _lost_mails(enquiry).exists()


def _answer_again(enquiry: Enquiry, *, by: User, way: str, answered_on: date) -> Enquiry:
    """The same mail once more, or on record that it went another way. The day of the answer stays."""
    require(access.may_keep_enquiries(by))
    if way == EnquiryWay.EMAIL:
        message = _lost_mails(enquiry).select_for_update().first()
        if message is None or not mail.try_again(message):
            raise Refused(_("The text of the mail was forgotten. Record how it was answered instead."))
        return enquiry
    refuse_future(answered_on)
    enquiry.answered_way = way
    enquiry.revision += 1
    return save(enquiry)


def _occasion_of_answer(enquiry: Enquiry) -> str:
    return f"enquiry {enquiry.pk} answer"


def _queue_answer(enquiry: Enquiry) -> None:
    occasion = _occasion_of_answer(enquiry)
    with override(enquiry.answer_language):
        subject = _("Answer to your question %(number)s") % {"number": enquiry.label}
    mail.queue_text(
        user=None,
        address=enquiry.sender_email,
        subject=subject,
        text=enquiry.answer,
        kind=mail.Kind.NOTICE,
        occasion=occasion,
        language=enquiry.answer_language,
    )
    files = [
        {"file": one.file.name, "name": one.original_name, "type": one.content_type}
        for one in enquiry.files.filter(direction=Direction.OUT)
    ]
    Message.objects.filter(occasion=occasion).update(attachments=files)


@transaction.atomic
def close_enquiry(enquiry: Enquiry, *, by: User, reason: str) -> Enquiry:
    """Without an answer: spam, not for the office, taken back. Nobody is written to."""
    enquiry = locked(enquiry)
    if enquiry.state == EnquiryState.CLOSED and enquiry.close_reason == reason:
        return enquiry
    require(access.may_edit_enquiry(by, enquiry))
    if not reason.strip():
        raise Refused(_("Say why the enquiry is closed without an answer."))
    enquiry.state, enquiry.close_reason, enquiry.closed_on = EnquiryState.CLOSED, reason, timezone.localdate()
    return save(enquiry)


@transaction.atomic
def remove_file(file: EnquiryFile, *, by: User) -> Enquiry:
    enquiry = locked(file.enquiry)
    require(access.may_edit_enquiry(by, enquiry))
    EnquiryFile.objects.filter(pk=file.pk).delete()
    if file.direction == Direction.OUT and enquiry.answer:
        _back_to_draft(enquiry)
    enquiry.revision += 1
    return save(enquiry)


def remind(today: date | None = None) -> int:
    """An enquiry that is not answered is spoken of twice: two days before it is due, and on the day after; to whom it is
    assigned, else to the Director and the information officer. After days without a run, only the newest of the two. How
    many mails."""
    today = today or timezone.localdate()
    near = (
        Enquiry.objects.filter(due_on__lte=today + REMIND_BEFORE, is_suspicious=False)
        .exclude(state__in=[EnquiryState.ANSWERED, EnquiryState.CLOSED])
        .select_related("assigned_to")
        .order_by("due_on", "pk")
    )
    others = list(User.objects.holding(Role.DIRECTOR, Role.INFORMATION).order_by("pk"))
    sent = 0
    for enquiry in near:
        assigned, is_overdue = enquiry.assigned_to, enquiry.due_on < today
        answers = assigned is not None and assigned.is_active and access.may_keep_enquiries(assigned)
        for person in [assigned] if assigned is not None and answers else others:
            sent += mail.queue(
                person,
                occasion=f"enquiry {enquiry.pk} {'overdue' if is_overdue else 'due'} {enquiry.due_on} {person.pk}",
                template="enquiry_due",
                context={"enquiry": enquiry, "is_overdue": is_overdue},
                kind=mail.Kind.REMINDER,
            )
    return sent


def _contacts_who_sent() -> Any:
    """The contacts who an enquiry's sender may be: by the address, or by the name at the institution."""
    functions = ContactFunction.objects.filter(institution=OuterRef(OuterRef("institution")), contact=OuterRef("pk"))
    by_name = Q(full_name__iexact=OuterRef("sender_name")) & ~Q(full_name="") & Exists(functions)
    by_address = Q(email__iexact=OuterRef("sender_email")) & ~Q(email="")
    return Contact.objects.present().filter(by_address | by_name)


def forget_private_senders(today: date | None = None) -> int:
    """Name, address and question of senders without an institution go so many days after the answer; so do the files that
    came with them and the address in the outbox. Number, subject, days and the office's answer stay. Of who wrote for an
    institution name and address go, unless the person is a contact; what the institution asked stays. How many were
    forgotten."""
    today = today or timezone.localdate()
    until = today - timedelta(days=setting(SettingName.ENQUIRY_KEEP_DAYS, on=today))
    over = Enquiry.objects.filter(
        Q(answered_on__lte=until) | Q(closed_on__lte=until),
        Q(institution__isnull=True) | (~Q(sender_name="", sender_email="") & ~Exists(_contacts_who_sent())),
        forgotten_at__isnull=True,
    ).values_list("pk", flat=True)
    count = 0
    for pk in list(over):
        with transaction.atomic():
            enquiry = Enquiry.objects.select_for_update(of=("self",)).get(pk=pk)
            if enquiry.institution_id is None:
                EnquiryFile.objects.filter(enquiry=enquiry, direction=Direction.IN).delete()
                enquiry.question = ""
            enquiry.sender_name, enquiry.sender_email = "", ""
            enquiry.forgotten_at = timezone.now()
            enquiry.save(update_fields=["sender_name", "sender_email", "question", "forgotten_at"])
            Message.objects.filter(
                occasion__in=[f"enquiry {pk} answer", f"enquiry {pk} received"],
                state__in=[MessageState.SENT, MessageState.FAILED, MessageState.BOUNCED],
            ).update(address="", text="", html="")
        count += 1
    return count


# The kinds of sender whom a public form may name: an institution of the state writes through its own channels.
ASKERS = (EnquiryFrom.PUBLIC, EnquiryFrom.PRESS, EnquiryFrom.NON_STATE, EnquiryFrom.INTERNATIONAL)
