"""Series, and the life of a meeting: prepared, called, changed, cancelled, held with its attendance and quorum."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from onatc import search, trail
from onatc.errors import Refused, require
from stakeholders import access
from stakeholders.actions import invitations
from stakeholders.actions.decisions import escalate_to
from stakeholders.actions.records import keep_files, locked, make_once, save, set_fields
from stakeholders.meeting_rules import votes_present, voting_seats
from stakeholders.models import (
    AgendaItem,
    Attendee,
    AttendeeRole,
    Body,
    BodyMember,
    Contact,
    Decision,
    Institution,
    Meeting,
    MeetingFile,
    MeetingSeries,
    MeetingState,
    MinutesState,
    User,
)
from stakeholders.queries.decisions import without_support
from stakeholders.queries.meetings import as_rule, brought_up_to_date, could_take, people_of, seats_on

# Series


@transaction.atomic
def make_series(key: uuid.UUID, values: dict[str, Any], *, by: User) -> MeetingSeries:
    """A form sent twice makes one: the key is the record's."""
    require(access.may_keep_series(by))
    existing = MeetingSeries.objects.filter(pk=key).first()
    return existing or save(MeetingSeries(pk=key, **values), is_new=True)


@transaction.atomic
def change_series(series: MeetingSeries, values: dict[str, Any], *, by: User, revision: int) -> MeetingSeries:
    require(access.may_keep_series(by))
    series = locked(series)
    set_fields(series, values, revision)
    return save(series)


@transaction.atomic
def end_series(series: MeetingSeries, *, ends_on: date, by: User) -> MeetingSeries:
    """From the day after `ends_on` nothing is owed any more; its meetings stay."""
    require(access.may_keep_series(by))
    series = locked(series)
    if series.ends_on is not None:
        raise Refused(_("The series has ended already."))
    series.ends_on = ends_on
    series.revision += 1
    return save(series)


# Preparing


@transaction.atomic
def make_meeting(key: uuid.UUID, values: dict[str, Any], *, by: User) -> Meeting:
    """A meeting being prepared, with the list of people called when it has a body, and what is long overdue on its agenda:
    one that is called on the same day would not see the daily run."""
    meeting = Meeting(**values, created_by=by)
    require(access.may_prepare_meeting(by, meeting))
    if meeting.series is not None:
        meeting.body = meeting.body or meeting.series.body
        meeting.country = meeting.country or meeting.series.country
    _refuse_body_of_another_time(meeting)
    made, is_new = make_once(meeting, key, maker="created_by")
    if is_new:
        refresh_called(made)
        escalate_to(made)
    return made  # type: ignore[no-any-return]


def _refuse_body_of_another_time(meeting: Meeting) -> None:
    body, day = meeting.body, meeting.day
    if body is not None and (day < body.founded_on or (body.dissolved_on is not None and body.dissolved_on < day)):
        raise Refused(_("The body does not exist on that day."))


def locked_meeting(meeting: Meeting) -> Meeting:
    """The row as it is now, for this transaction alone, with its body."""
    return Meeting.objects.select_related("body", "series").select_for_update(of=("self",)).get(pk=meeting.pk)


def _prepared(meeting: Meeting, by: User, *states: str) -> Meeting:
    """The locked meeting, whose right and state were checked on the row as it is now."""
    meeting = locked_meeting(meeting)
    require(access.may_prepare_meeting(by, meeting))
    if meeting.state not in states:
        raise Refused(
            {
                MeetingState.DRAFT: _("The meeting is still being prepared."),
                MeetingState.CALLED: _("The meeting is called already."),
                MeetingState.HELD: _("The meeting was held already."),
                MeetingState.CANCELLED: _("The meeting is cancelled."),
            }[MeetingState(meeting.state)]
        )
    return meeting


@transaction.atomic
def change_meeting(meeting: Meeting, values: dict[str, Any], *, by: User, revision: int) -> Meeting:
    """While it is prepared. Another day or body means another list of people."""
    meeting = _prepared(meeting, by, MeetingState.DRAFT)
    changed = set_fields(meeting, values, revision)
    require(access.may_prepare_meeting(by, meeting))  # also of the body that it has now
    _refuse_body_of_another_time(meeting)
    save(meeting)
    if changed & {"starts_at", "body"}:
        refresh_called(meeting)
    return meeting


def refresh_called(meeting: Meeting) -> None:
    """The list of people called as the body stands on the day of the meeting, and the chair: a chair who left the list is
    followed by the one whom the body has on that day."""
    people = meeting.attendees.select_related("contact", "institution").order_by("pk")
    listed = brought_up_to_date(meeting, people)
    for one in listed.gone:
        one.delete()
    for one in listed.changed:
        one.was_present = None  # of a seat that was changed nothing is recorded yet
        one.save()
    if meeting.chair != listed.chair:
        meeting.chair = listed.chair
        meeting.save(update_fields=["chair"])


@transaction.atomic
def bring_up_to_date(meeting: Meeting, *, by: User) -> Meeting:
    """Seats of the body changed since the call: its members of the day are on the list, and while the meeting lies ahead
    whoever is new gets the call. Again is the same as once."""
    meeting = _prepared(meeting, by, MeetingState.CALLED)
    refresh_called(meeting)
    if not meeting.has_begun:
        invitations.send_calls(meeting, by=by)
    return meeting


@transaction.atomic
def call_members_of(meeting: Meeting, body: Body, *, by: User) -> int:
    """The people of another body come as guests, for a round table of all actors; whoever is on the list already, from
    whichever body, is not called twice. Gives how many were added."""
    meeting = _prepared(meeting, by, MeetingState.DRAFT, MeetingState.CALLED)
    there = set(meeting.attendees.filter(contact__isnull=False).values_list("contact", flat=True))
    added: list[Attendee] = []
    for seat in seats_on(body, meeting.day):
        for contact, role in people_of(seat):
            if contact.pk not in there and role != AttendeeRole.DEPUTY:
                there.add(contact.pk)
                added.append(
                    Attendee(
                        meeting=meeting, contact=contact, role=AttendeeRole.GUEST, institution=seat.institution
                    )
                )  # fmt: skip
    for one in added:
        one.save()
    if added and meeting.state == MeetingState.CALLED:
        invitations.send_calls(meeting, by=by)
    return len(added)


@transaction.atomic
def add_guest(
    meeting: Meeting, *, by: User, contact: Contact | None = None, name: str = "", institution: Institution | None = None,
    sex: str = "",
) -> Attendee:  # fmt: skip
    """Somebody besides the members: a contact, who is then written to, or a name for this one meeting. Until the minutes
    are adopted: who comes along is seen at the door. Whoever holds a seat of the body on that day takes it, unless
    somebody else took it at the meeting."""
    meeting = _prepared(meeting, by, MeetingState.DRAFT, MeetingState.CALLED, MeetingState.HELD)
    _refuse_adopted(meeting)
    if contact is not None:
        existing = meeting.attendees.filter(contact=contact).first()
        if existing is not None:
            return existing
    elif not name.strip():
        raise Refused(_("Choose a person or write a name."))
    fields: dict[str, Any] = {"sex": sex} if sex else {}
    if meeting.state == MeetingState.HELD:
        fields["was_present"] = True
        if contact is not None and not sex:
            fields["sex"] = contact.sex
    guest = Attendee(
        meeting=meeting, contact=contact, guest_name="" if contact else name.strip(), institution=institution,
        role=AttendeeRole.GUEST, **fields,
    )  # fmt: skip
    seats = seats_on(meeting.body, meeting.day) if meeting.body is not None and contact is not None else []
    taken = set(meeting.attendees.filter(was_present=True, seat__isnull=False).values_list("seat", flat=True))
    for seat, role in could_take(seats).get(contact.pk, []) if contact is not None else []:
        if seat.pk not in taken:
            guest.seat, guest.role, guest.institution = seat, role, seat.institution
            break
    save(guest, is_new=True)
    if meeting.state == MeetingState.HELD and guest.seat is not None:
        _count_votes(meeting, seats, taken | {guest.seat.pk})
        meeting.revision += 1
        save(meeting)
        _refuse_to_leave_unsupported(meeting)
    if meeting.state == MeetingState.CALLED and contact is not None:
        invitations.send_calls(meeting, by=by)
    return guest


@transaction.atomic
def remove_guest(attendee: Attendee, *, by: User) -> None:
    """Members are called because they sit in the body; only guests are taken off the list."""
    meeting = _prepared(attendee.meeting, by, MeetingState.DRAFT, MeetingState.CALLED, MeetingState.HELD)
    _refuse_adopted(meeting)
    attendee = locked(attendee)
    if attendee.seat_id is not None:
        raise Refused(_("A member of the body is called as long as the seat is held."))
    if attendee.called_sequence >= 0:
        raise Refused(_("This person was sent the call. Tell them yourself; they stay on the list."))
    Attendee.objects.filter(pk=attendee.pk).delete()


@transaction.atomic
def remove_guest_name(attendee: Attendee, *, by: User, reason: str) -> Attendee:
    """The name of a guest who is no contact goes, also from adopted minutes; who was there is still counted. The reason, in
    which the name may not stand, is in the trail. The same again changes nothing."""
    require(access.may_remove_contact(by))
    attendee = locked(attendee)
    if attendee.contact_id is not None:
        raise Refused(_("This person is a contact: remove the data there."))
    if not attendee.guest_name:
        return attendee
    if any(word in search.words_of(reason) for word in search.words_of(attendee.guest_name) if len(word) > 2):
        raise Refused(_("The reason stays on record: leave the name out of it."), "reason")
    Attendee.objects.filter(pk=attendee.pk).update(guest_name="")
    attendee.guest_name = ""
    trail.record(trail.Act.ENDED, by=by, record=attendee, purpose=reason, what="name of a guest")
    return attendee


def _refuse_adopted(meeting: Meeting) -> None:
    if meeting.minutes_state == MinutesState.ADOPTED:
        raise Refused(_("The minutes of this meeting were adopted; nothing changes any more."))


# Papers


@transaction.atomic
def add_papers(
    meeting: Meeting, files: Iterable[UploadedFile], *, by: User, item: AgendaItem | None = None, is_internal: bool = False
) -> Meeting:  # fmt: skip
    meeting = _prepared(meeting, by, MeetingState.DRAFT, MeetingState.CALLED, MeetingState.HELD)
    _refuse_adopted(meeting)
    if item is not None and item.meeting_id != meeting.pk:
        raise Refused(_("This point stands on another agenda."))
    keep_files(MeetingFile, files, by=by, meeting=meeting, item=item, is_internal=is_internal)
    return meeting


@transaction.atomic
def remove_paper(file: MeetingFile, *, by: User) -> None:
    meeting = _prepared(file.meeting, by, MeetingState.DRAFT, MeetingState.CALLED, MeetingState.HELD)
    _refuse_adopted(meeting)
    MeetingFile.objects.filter(pk=file.pk).delete()


# Called, changed, cancelled


@transaction.atomic
def call_meeting(meeting: Meeting, *, by: User) -> Meeting:
    """Send the call: the list of people is brought up to date, the meeting gets its number in the year of its body.

    Raises Refused for a meeting of the past, without anybody to call, or without an agenda. Pressed twice it is called
    once: the second time it is called already.
    """
    meeting = _prepared(meeting, by, MeetingState.DRAFT)
    if meeting.starts_at <= timezone.now():
        raise Refused(_("This time is over. Give the meeting a time to come before you call it."))
    refresh_called(meeting)
    escalate_to(meeting)
    if not meeting.attendees.exists():
        raise Refused(_("Nobody would be called. Choose a body or add guests first."))
    if not meeting.items.exists():
        raise Refused(_("The agenda is empty. A call says what the meeting is about."))
    if meeting.number is None:
        _give_number(meeting)
    meeting.state, meeting.called_at, meeting.called_by = MeetingState.CALLED, timezone.now(), by
    meeting.revision += 1
    save(meeting)
    invitations.send_calls(meeting, by=by)
    return meeting


def _give_number(meeting: Meeting) -> None:
    """One after the last of its body in its year, for one who saves it; numbers are given one at a time."""
    if meeting.body is not None:
        Body.objects.select_for_update().get(pk=meeting.body.pk)
        of_year = Meeting.objects.filter(body=meeting.body, starts_at__year=meeting.day.year).exclude(pk=meeting.pk)
        meeting.number = (of_year.aggregate(last=Max("number"))["last"] or 0) + 1


TOLD = frozenset({"starts_at", "ends_at", "place", "link", "title_sq", "title_sr", "title_en", "note", "answer_by"})


@transaction.atomic
def change_called(meeting: Meeting, values: dict[str, Any], *, by: User, revision: int) -> Meeting:
    """A called meeting moves or changes: what a calendar shows raises `sequence`, and everybody is told. The body stays:
    another body is another meeting. Moved into another year it gets a number of that year."""
    meeting = _prepared(meeting, by, MeetingState.CALLED)
    year = meeting.day.year
    values = {name: value for name, value in values.items() if name not in ("body", "series", "country")}
    changed = set_fields(meeting, values, revision)
    if "starts_at" in changed and meeting.starts_at <= timezone.now():
        raise Refused(_("This time is over. Give the meeting a time to come before you call it."))
    _refuse_body_of_another_time(meeting)
    if meeting.day.year != year:
        _give_number(meeting)
    if changed & TOLD:
        meeting.sequence += 1
    save(meeting)
    if "starts_at" in changed:
        refresh_called(meeting)
    if changed & TOLD:
        invitations.send_calls(meeting, by=by)
    return meeting


@transaction.atomic
def cancel_meeting(meeting: Meeting, *, by: User, reason: str) -> Meeting:
    """It is not held; whoever was called is told. The record stays."""
    meeting = _prepared(meeting, by, MeetingState.DRAFT, MeetingState.CALLED)
    if not reason.strip():
        raise Refused(_("Say why the meeting is cancelled."))
    was_called = meeting.state == MeetingState.CALLED
    meeting.state, meeting.cancelled_at, meeting.cancel_reason = MeetingState.CANCELLED, timezone.now(), reason.strip()
    meeting.revision += 1
    if was_called:
        meeting.sequence += 1
    save(meeting)
    if was_called:
        invitations.send_cancellation(meeting, by=by)
    return meeting


# Held


@dataclass(frozen=True)
class Presence:
    """What is recorded of one person: there or not, the seat that they take, and the sex for counting ("" copies it from
    the contact)."""

    was_present: bool
    seat: uuid.UUID | None = None
    sex: str = ""


@transaction.atomic
def record_attendance(
    meeting: Meeting, people: dict[uuid.UUID, Presence], *, by: User, revision: int, chair: uuid.UUID | None = None
) -> Meeting:
    """Who was there: the meeting is held from then on, and its quorum is kept as it was on its day.

    Raises Refused when the meeting lies on a day to come, when two people would take one seat, when a colleague recorded
    attendance meanwhile, or when a decision in force would lose its quorum or its votes. It may be corrected until the
    minutes are adopted. A meeting that was called by other means is recorded without a call: nobody is written to. The
    list is brought up to date first: a member who came in after the call votes, and one who left is there as a guest.
    `chair` is the contact of who really chaired; without it, it stays whoever was to.
    """
    meeting = _prepared(meeting, by, MeetingState.DRAFT, MeetingState.CALLED, MeetingState.HELD)
    _refuse_adopted(meeting)
    if meeting.day > timezone.localdate():
        raise Refused(_("Attendance is recorded on the day of the meeting or after it."))
    if meeting.revision != revision:
        raise Refused(_("A colleague recorded something on this meeting meanwhile. Look at the list again."))
    seats = seats_on(meeting.body, meeting.day) if meeting.body is not None else []
    by_key = {seat.pk: seat for seat in seats}
    refresh_called(meeting)
    taken: set[uuid.UUID] = set()
    rows = list(meeting.attendees.select_related("contact"))
    if chair is not None:
        if chair not in {one.contact_id for one in rows}:
            raise Refused(_("Whoever chaired is not on the list of the meeting."))
        meeting.chair_id = chair
    for one in rows:
        told = people.get(one.pk, Presence(False))
        one.was_present = told.was_present
        one.sex = told.sex or (one.contact.sex if one.contact is not None and one.sex == "U" else one.sex)
        if told.seat is not None and told.seat != one.seat_id:
            _sit(one, by_key.get(told.seat))
        if one.was_present and one.seat_id is not None:
            if one.seat_id in taken:
                raise Refused(_("The member and the deputy cannot both take the seat."))
            taken.add(one.seat_id)
    # Seats are left before they are taken, or the database would see two on one for a moment.
    Attendee.objects.filter(meeting=meeting, was_present=True).update(was_present=None)
    for one in rows:
        one.save(update_fields=["was_present", "sex", "seat", "role", "institution"])
    _count_votes(meeting, seats, taken)
    if meeting.called_at is None:
        meeting.called_at, meeting.called_by = timezone.now(), by
    if meeting.number is None:
        _give_number(meeting)
    meeting.state = MeetingState.HELD
    meeting.held_at = meeting.held_at or timezone.now()
    meeting.revision += 1
    save(meeting)
    _refuse_to_leave_unsupported(meeting)
    return meeting


def _count_votes(meeting: Meeting, seats: list[BodyMember], taken: set[uuid.UUID]) -> None:
    """The quorum as it is on the day of the meeting, for one who saves it."""
    if meeting.body is not None:
        rule = as_rule(seats)
        meeting.voting_members = voting_seats(rule)
        meeting.quorum_needed = meeting.body.quorum_of(meeting.voting_members)
        meeting.voting_present = votes_present(rule, taken)


def _refuse_to_leave_unsupported(meeting: Meeting) -> None:
    """Decisions in force rest on the attendance: what was saved is taken back when it does not carry them."""
    unsupported = without_support(Decision.objects.filter(meeting=meeting)).order_by("year", "number").first()
    if unsupported is not None:
        raise Refused(
            _(
                "Decision %(number)s is in force: with this attendance it would have no quorum, or more votes than members. Look at the decision first."
            )
            % {"number": unsupported.label}
        )


def _sit(attendee: Attendee, seat: BodyMember | None) -> None:
    """Somebody who could take several seats takes this one; nobody takes a seat that is not theirs."""
    if seat is None or attendee.contact_id not in (seat.person_id, seat.deputy_id):
        raise Refused(_("This person does not hold that seat."))
    attendee.seat, attendee.institution = seat, seat.institution
    attendee.role = AttendeeRole.DEPUTY if attendee.contact_id == seat.deputy_id else AttendeeRole.MEMBER
