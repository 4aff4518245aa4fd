"""Who sits where on a day, with the names of the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stakeholders.models import Body, BodyMember, Contact, ContactFunction, MemberFunction

ORDER = [one.value for one in (
    MemberFunction.CHAIR, MemberFunction.DEPUTY_CHAIR, MemberFunction.MEMBER, MemberFunction.SECRETARY,
    MemberFunction.GUEST,
)]  # fmt: skip


@dataclass
class Seat:
    """A seat as a reader sees it: the institution by its name on the day, people only when the reader may see them.
    `has_left` when the person holds no function at the institution on that day."""

    member: BodyMember
    institution: str
    person: Contact | None
    deputy: Contact | None
    is_vacant: bool
    has_left: bool


def ordered(members: Any) -> Any:
    """The chair first; then by function and institution."""
    rank = Case(
        *(When(function=function, then=Value(place)) for place, function in enumerate(ORDER)),
        output_field=IntegerField(),
    )
    return (
        members.select_related("institution", "person__user", "deputy__user", "body")
        .prefetch_related("institution__former_names")
        .order_by(rank, "institution__code", "starts_on", "pk")
    )


def as_seen(members: Any, user: Any, day: date) -> list[Seat]:
    """Four questions, however many seats."""
    rows = list(members)
    people = {key for one in rows for key in (one.person_id, one.deputy_id) if key}
    seen = set(Contact.objects.visible_to(user).filter(pk__in=people).values_list("pk", flat=True))
    functions = ContactFunction.objects.active(day).filter(contact__in=seen)
    there = set(functions.values_list("contact", "institution"))
    return [
        Seat(
            member=one,
            institution=one.institution.name_on(day),
            person=one.person if one.person_id in seen else None,
            deputy=one.deputy if one.deputy_id in seen else None,
            is_vacant=one.person_id is None,
            has_left=one.person_id in seen and (one.person_id, one.institution_id) not in there,
        )
        for one in rows
    ]


def quorum_in_words(body: Body, voting: int) -> str:
    """What the rule says, and how many that is today."""
    needed = body.quorum_of(voting)
    if body.quorum_count is not None:
        return ngettext("%(n)s member with a vote", "%(n)s members with a vote", needed) % {"n": needed}
    values = {"pct": body.quorum_pct, "needed": needed, "voting": voting}
    if body.quorum_is_more_than:
        return _("More than %(pct)s%% of the members with a vote: %(needed)s of %(voting)s") % values
    return _("At least %(pct)s%% of the members with a vote: %(needed)s of %(voting)s") % values


def tree(bodies: list[Body]) -> list[tuple[int, Body]]:
    """(depth, body), each below the one that it is part of; what is part of none of these stands at the top."""
    known = {one.pk for one in bodies}
    below: dict[Any, list[Body]] = {}
    for one in bodies:
        below.setdefault(one.parent_id if one.parent_id in known else None, []).append(one)
    found: list[tuple[int, Body]] = []
    waiting = [(0, one) for one in reversed(below.get(None, []))]
    while waiting:
        depth, one = waiting.pop()
        found.append((depth, one))
        waiting += [(depth + 1, child) for child in reversed(below.get(one.pk, []))]
    return found
