"""What became of a training six months after, asked of each institution whose people took part; and how many took part."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.models import TrainingFollowUp, TrainingSession, TrainingState
from onatc import mail
from onatc.errors import Refused, require
from onatc.periods import months_after
from stakeholders.actions.records import locked, save, set_fields
from stakeholders.models import REPORTERS, RoleAssignment, User

FOLLOW_UP_MONTHS, SOON_DAYS = 6, 14
SOON = timedelta(days=SOON_DAYS)


def participants_of(session: TrainingSession) -> int:
    """Everybody who took part, with a number or counted without."""
    counted = sum(
        (one.women or 0) + (one.men or 0) + (one.others or 0) + (one.unknown or 0) for one in session.headcounts.all()
    )
    return session.participations.count() + counted


def took_part_at_all(session: TrainingSession) -> bool:
    return session.participations.exists() or session.headcounts.exists()


def move_follow_ups(session: TrainingSession) -> None:
    """Those that wait are due six months after the last day, whichever that is now."""
    for one in TrainingFollowUp.objects.waiting().filter(session=session):
        one.due_on = due_of(session)
        save(one)


def due_of(session: TrainingSession) -> date:
    """31 August has no 31 February: the last day of the month then (onatc.periods)."""
    return months_after(session.ends_on, FOLLOW_UP_MONTHS)


def keep_follow_ups(session: TrainingSession) -> None:
    """Of a held session each institution whose people took part is asked once; an answer that was given stays."""
    if session.state != TrainingState.HELD:
        return
    people: Counter[Any] = Counter(session.participations.values_list("trainee__institution", flat=True))
    for row in session.headcounts.all():
        people[row.institution_id] += sum(number or 0 for number in (row.women, row.men, row.others, row.unknown))
    held = {one.institution_id: one for one in session.follow_ups.select_for_update(of=("self",))}
    for institution, number in people.items():
        if number == 0:
            continue
        one = held.get(institution) or TrainingFollowUp(
            session=session, institution_id=institution, due_on=due_of(session)
        )
        if one.answered_on is None and one.participants != number:
            one.participants = number
            save(one, is_new=institution not in held)
    gone = [one.pk for institution, one in held.items() if not people[institution] and one.answered_on is None]
    TrainingFollowUp.objects.filter(pk__in=gone).delete()


@transaction.atomic
def answer_follow_up(
    follow_up: TrainingFollowUp, values: dict[str, Any], *, by: User, revision: int
) -> TrainingFollowUp:
    """By the institution, from the day on which six months are over; it may be corrected."""
    follow_up = locked(follow_up)
    require(access.may_answer_follow_up(by, follow_up))
    if follow_up.due_on > timezone.localdate() + timedelta(days=SOON_DAYS):
        raise Refused(_("It is too early: what became of a training is told six months after."))
    if set_fields(follow_up, values, revision) or follow_up.answered_on is None:
        follow_up.answered_on, follow_up.answered_by = timezone.localdate(), by
        follow_up.language = by.language
    return save(follow_up)


def remind_of_follow_ups(*, on: date | None = None) -> int:
    """One mail a person on a day, listing what is new: due within fourteen days, or overdue; each once, however often and by
    however many it is run. How many mails were put out."""
    day = on or timezone.localdate()
    with transaction.atomic():
        due = list(
            TrainingFollowUp.objects.waiting()
            .filter(due_on__lte=day + timedelta(days=SOON_DAYS))
            .select_for_update(of=("self",))
            .select_related("institution", "session__course")
            .order_by("due_on", "pk")
        )
        new: dict[Any, list[TrainingFollowUp]] = defaultdict(list)
        for one in due:
            column = "reminded_late_on" if one.is_overdue(day) else "reminded_soon_on"
            if getattr(one, column) is None:
                setattr(one, column, day)
                save(one)
                new[one.institution_id].append(one)
        told: dict[User, list[TrainingFollowUp]] = defaultdict(list)
        roles = RoleAssignment.objects.active(day).filter(role__in=REPORTERS, institution__in=list(new))
        for role in roles.filter(user__is_active=True).select_related("user").order_by("user__email"):
            told[role.user] += [one for one in new[role.institution_id] if one not in told[role.user]]
        return sum(
            mail.queue(
                user, occasion=f"training follow-ups {user.pk} {day}", template="training_follow_ups_due",
                context={
                    "overdue": [one for one in ones if one.is_overdue(day)],
                    "soon": [one for one in ones if not one.is_overdue(day)],
                    "path": reverse("nrm:training-follow-up-list"),
                },
                kind=mail.Kind.REMINDER,
            )
            for user, ones in told.items()
        )  # fmt: skip
