"""Who sits in a body on a day, when it met last, and who was there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, F, Max, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from stakeholders.meeting_rules import Due, Seat, due, due_each_year, votes_present, voting_seats
from stakeholders.models import (
    Answer,
    Attendee,
    AttendeeRole,
    Body,
    BodyMember,
    Contact,
    Meeting,
    MeetingSeries,
    MeetingState,
    Sex,
)

# What fulfils a duty to meet: held, and with the quorum where the meeting has one on record and members to make it up.
FULFILS = Q(state=MeetingState.HELD) & (
    Q(quorum_needed__isnull=True) | Q(voting_members=0) | Q(voting_present__gte=F("quorum_needed"))
)


def seats_on(body: Body, day: date) -> list[BodyMember]:
    """The seats of a body on a day with their people, the chair first."""
    seats = list(
        BodyMember.objects.filter(body=body).on(day).select_related("institution", "person__user", "deputy__user")
    )
    order = {"chair": 0, "deputy_chair": 1, "member": 2, "secretary": 3, "guest": 4}
    return sorted(seats, key=lambda seat: (order.get(seat.function, 9), str(seat.institution.name), str(seat.pk)))


def people_of(seat: BodyMember) -> list[tuple[Any, str]]:
    """Who is called for a seat, with the role: the person and who stands in; nobody whose data was removed."""
    as_person = AttendeeRole.GUEST if seat.function == "guest" else AttendeeRole.MEMBER
    named = [(seat.person, as_person.value), (seat.deputy, AttendeeRole.DEPUTY.value)]
    return [(contact, role) for contact, role in named if contact is not None and contact.removed_at is None]


def as_rule(seats: Iterable[BodyMember]) -> list[Seat]:
    """The seats as the rule of the quorum reads them; one for which nobody is named is vacant."""
    return [Seat(seat.pk, seat.votes, not people_of(seat)) for seat in seats]


@dataclass(frozen=True)
class UpToDate:
    """The list of a meeting as its body stands on the day. `rows` are what stays and comes, unsaved where it is new; of
    these `changed` are to be written; `gone` are to be deleted."""

    rows: list[Attendee]
    changed: list[Attendee]
    gone: list[Attendee]
    chair: Contact | None


def could_take(seats: Iterable[BodyMember]) -> dict[uuid.UUID, list[tuple[BodyMember, str]]]:
    """Contact → the seats that they could take, with the role; an own seat comes before standing in for another."""
    found: dict[uuid.UUID, list[tuple[BodyMember, str]]] = {}
    rows = [(seat, contact, role) for seat in seats for contact, role in people_of(seat)]
    for seat, contact, role in sorted(rows, key=lambda row: row[2] == AttendeeRole.DEPUTY):
        found.setdefault(contact.pk, []).append((seat, role))
    return found


def brought_up_to_date(meeting: Meeting, people: Iterable[Attendee]) -> UpToDate:
    """Who does not sit there any more goes, or stays as a guest when they were written to or attendance was recorded of
    them; who sits there now comes; a person who holds two seats, or a seat here and one elsewhere, is called once. Guests
    stay, and so does the seat that somebody took. Nothing is saved: new rows have a key that is the same each time."""
    seats = seats_on(meeting.body, meeting.day) if meeting.body is not None else []
    wanted = could_take(seats)
    held = {(seat.pk, key) for seat in seats for key in (seat.person_id, seat.deputy_id) if key}
    people, rows = list(people), []
    taken = {one.seat_id for one in people if one.was_present}
    changed: list[Attendee] = []
    gone: list[Attendee] = []
    left: set[Any] = set()
    for one in people:
        could = wanted.pop(one.contact_id, []) if one.contact_id is not None else []
        if one.was_present and one.seat_id is None:  # was there as a guest: who took the seat keeps it
            could = [each for each in could if each[0].pk not in taken]
        if one.was_present is not None and (one.seat_id, one.contact_id) in held:
            rows.append(one)
        elif could:
            seat, role = could[0]
            if (one.seat_id, one.role) != (seat.pk, role):
                one.seat, one.role, one.institution = seat, role, seat.institution
                changed.append(one)
            rows.append(one)
        elif one.seat_id is None:
            rows.append(one)
        else:
            left.add(one.contact_id)
            if one.called_sequence < 0 and one.was_present is None:
                gone.append(one)
            else:  # on record as a guest, so that a change or cancellation reaches them
                one.seat, one.role = None, AttendeeRole.GUEST
                rows.append(one)
                changed.append(one)
    for contact_id, could in wanted.items():
        seat, role = could[0]
        contact = seat.deputy if role == AttendeeRole.DEPUTY else seat.person
        new = Attendee(
            pk=uuid.uuid5(meeting.pk, str(contact_id)), meeting=meeting, contact=contact, seat=seat, role=role,
            institution=seat.institution,
        )  # fmt: skip
        rows.append(new)
        changed.append(new)
    of_body = next((seat.person for seat in seats if seat.function == "chair" and seat.person_id), None)
    is_listed = meeting.chair_id in {one.contact_id for one in rows} - left
    return UpToDate(rows, changed, gone, meeting.chair if is_listed or meeting.body is None else of_body)


def could_chair(meeting: Meeting, user: Any) -> QuerySet[Contact]:
    """Who is on the list that somebody sees, and whoever chairs now: also those whose contact is not theirs to see, or a
    form without them would put nobody in their place."""
    listed = Attendee.objects.visible_to(user).filter(meeting=meeting, contact__isnull=False)
    return Contact.objects.filter(Q(pk__in=listed.values("contact")) | Q(pk=meeting.chair_id)).order_by("full_name")


def as_one_reads(people: Iterable[Attendee], meeting: Meeting) -> list[Attendee]:
    """The order of `in_order` for rows of which some are not saved yet."""
    return sorted(
        people,
        key=lambda one: (
            one.contact_id is None or one.contact_id != meeting.chair_id,
            one.role == AttendeeRole.GUEST,
            one.institution.code if one.institution is not None else "~",
            one.role != AttendeeRole.MEMBER,
            one.pk,
        ),
    )


def last_met(bodies: Iterable[Body]) -> dict[uuid.UUID, date]:
    """Body → day on which it last met. Whoever sees a body sees whether it meets as it must: a meeting to which they were
    not called tells its day here and nothing else."""
    held = Meeting.objects.filter(FULFILS, body__in=[one.pk for one in bodies])
    found = held.order_by().values_list("body").annotate(last=Max("starts_at"))
    return {key: timezone.localtime(last).date() for key, last in found}


def _last(**of: Any) -> Subquery:
    held = Meeting.objects.filter(FULFILS, **of).order_by("-starts_at")
    return Subquery(held.values("starts_at")[:1])


def with_last_held(series: QuerySet[MeetingSeries]) -> QuerySet[MeetingSeries]:
    """Each with `last_held_at`, asked in the same query."""
    return series.annotate(last_held_at=_last(series=OuterRef("pk")))


def due_of_series(one: Any, today: date) -> Due:
    """Meetings with a counterpart that are owed once a year are owed once in each calendar year, as the country's page
    says."""
    last_held = timezone.localtime(one.last_held_at).date() if one.last_held_at is not None else None
    term: dict[str, Any] = {"since": one.starts_on, "today": today, "ends_on": one.ends_on}
    if one.is_each_year:
        return due_each_year(last_held, **term)
    return due(last_held, one.every_months, **term)


def with_duty(bodies: Iterable[Body]) -> list[Body]:
    """Each with `last_met` and, where a rule says how often it meets, its `duty`. One query."""
    found, today = list(bodies), timezone.localdate()
    last = last_met(found)
    for one in found:
        met = last.get(one.pk)
        one.last_met, one.duty = met, None  # type: ignore[attr-defined]
        if one.meets_every_months and (one.dissolved_on is None or one.dissolved_on >= today):
            one.duty = due(met, one.meets_every_months, since=one.founded_on, today=today)  # type: ignore[attr-defined]
    return found


def bodies_owing(user: Any) -> list[Any]:
    """Keys of the bodies that must meet by a day that is over or lies within the next thirty days. Two queries."""
    bodies = with_duty(Body.objects.visible_to(user).filter(meets_every_months__isnull=False))
    return [one.pk for one in bodies if one.duty is not None and one.duty.is_owed]  # type: ignore[attr-defined]


def series_owing(user: Any) -> list[Any]:
    """Keys of the series of which a meeting is owed by such a day. One query."""
    rows, today = with_last_held(MeetingSeries.objects.visible_to(user)), timezone.localdate()
    return [one.pk for one in rows if due_of_series(one, today).is_owed]


@dataclass(frozen=True)
class Count:
    label: Any
    by_sex: list[int]
    total: int


@dataclass(frozen=True)
class Attendance:
    """Who was there, by role and by sex; the columns are those of `sexes`."""

    sexes: list[Any]
    rows: list[Count]
    total: Count


def attendance(people: Iterable[Attendee]) -> Attendance | None:
    """Counts of those present; None when nobody was."""
    there = [one for one in people if one.was_present]
    if not there:
        return None
    sexes = [sex for sex in Sex if any(one.sex == sex for one in there)]

    def count(label: Any, rows: list[Attendee]) -> Count:
        return Count(label, [sum(1 for one in rows if one.sex == sex) for sex in sexes], len(rows))

    rows = [
        count(role.label, mine) for role in AttendeeRole if (mine := [one for one in there if one.role == role.value])
    ]
    return Attendance([sex.label for sex in sexes], rows, count("", there))


def before(meeting: Meeting) -> QuerySet[Meeting]:
    """Earlier meetings of the same circle that were held: of the body; without one of the series; else of the country."""
    return of_circle(meeting).filter(state=MeetingState.HELD, starts_at__lt=meeting.starts_at)


def of_circle(meeting: Meeting) -> QuerySet[Meeting]:
    """The other meetings of the same circle."""
    others = Meeting.objects.exclude(pk=meeting.pk)
    if meeting.body_id is not None:
        return others.filter(body=meeting.body_id)
    if meeting.series_id is not None:
        return others.filter(series=meeting.series_id)
    return others.filter(country=meeting.country_id) if meeting.country_id is not None else others.none()


def people_called(meeting: Meeting, user: Any) -> list[Attendee]:
    """Who is on the list and may be seen by somebody, as one reads it."""
    return list(in_order(Attendee.objects.visible_to(user).filter(meeting=meeting), meeting))


def in_order(people: QuerySet[Attendee], meeting: Meeting) -> QuerySet[Attendee]:
    """People of a meeting, as one reads them: who chairs, then by institution the member before who stands in, then guests."""
    chairs = Case(When(contact=meeting.chair_id, then=0), default=1) if meeting.chair_id else Case(default=1)
    place = Case(When(role=AttendeeRole.GUEST, then=1), default=0)
    return people.select_related("contact__user", "institution", "seat__institution", "seat__person").order_by(
        chairs, place, "institution__code", Case(When(role=AttendeeRole.MEMBER, then=0), default=1), "pk"
    )


@dataclass(frozen=True)
class Replies:
    """How the call was answered: how many by answer, and for a body how many votes are announced of how many, and how many
    the quorum asks for."""

    counts: list[tuple[str, Any, int]]
    votes: int
    members: int
    needed: int | None

    @property
    def is_enough(self) -> bool:
        return self.needed is not None and self.votes >= self.needed


def replies(meeting: Meeting, people: Iterable[Attendee]) -> Replies:
    """A seat is announced when its member or who stands in comes."""
    rows = list(people)
    counts = [(one.value, one.label, sum(1 for row in rows if row.answer == one.value)) for one in
              (Answer.YES, Answer.MAYBE, Answer.NO, Answer.NONE)]  # fmt: skip
    if meeting.body is None:
        return Replies(counts, 0, 0, None)
    rule = as_rule(seats_on(meeting.body, meeting.day))
    members = voting_seats(rule)
    votes = votes_present(rule, [row.seat_id for row in rows if row.answer == Answer.YES])
    return Replies(counts, votes, members, meeting.body.quorum_of(members))
