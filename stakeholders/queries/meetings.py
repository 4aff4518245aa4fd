"""Who sits in a body on a day, when it met last, and who was there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Max, OuterRef, QuerySet, Subquery, When
from django.utils import timezone

from stakeholders.meeting_rules import Due, Seat, due, due_each_year, votes_present, voting_seats
from stakeholders.models import (
    Answer,
    Attendee,
    AttendeeRole,
    Body,
    BodyMember,
    Meeting,
    MeetingSeries,
    MeetingState,
    Sex,
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


def _last(**of: Any) -> Subquery:
    held = Meeting.objects.filter(state=MeetingState.HELD, **of).order_by("-starts_at")
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


def with_duty(user: Any, bodies: Iterable[Body]) -> list[Body]:
    """Each with `last_met`, when it met as far as the reader may see, and `duty`, where a rule says how often it meets."""
    found, today = list(bodies), timezone.localdate()
    held = Meeting.objects.visible_to(user).filter(state=MeetingState.HELD, body__in=[one.pk for one in found])
    last = dict(held.order_by().values_list("body").annotate(last=Max("starts_at")))
    for one in found:
        met = timezone.localtime(last[one.pk]).date() if one.pk in last else None
        one.last_met, one.duty = met, None  # type: ignore[attr-defined]
        if one.meets_every_months and (one.dissolved_on is None or one.dissolved_on >= today):
            one.duty = due(met, one.meets_every_months, since=one.founded_on, today=today)  # type: ignore[attr-defined]
    return found


def bodies_owing(user: Any) -> list[Any]:
    """Keys of the bodies that must meet by a day that is over or lies within the next thirty days. Two queries."""
    bodies = with_duty(user, Body.objects.visible_to(user).filter(meets_every_months__isnull=False))
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
    earlier = Meeting.objects.filter(state=MeetingState.HELD, starts_at__lt=meeting.starts_at).exclude(pk=meeting.pk)
    if meeting.body_id is not None:
        return earlier.filter(body=meeting.body_id)
    if meeting.series_id is not None:
        return earlier.filter(series=meeting.series_id)
    return earlier.filter(country=meeting.country_id) if meeting.country_id is not None else earlier.none()


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
