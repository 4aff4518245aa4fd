"""What must always be true of trainings (onatc.operation)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from nrm.models import Headcount, Participation, TrainingFollowUp, TrainingSession
from nrm.queries.training import sum_of_headcounts
from onatc.operation import invariant


def register() -> None:
    for rule in (nobody_took_part_twice, people_fit_the_places, follow_ups_ask_who_took_part):
        invariant(rule)


def nobody_took_part_twice() -> Iterator[str]:
    """In one session an institution's people have numbers or are counted without, not both."""
    coded = Participation.objects.filter(session=OuterRef("session"), trainee__institution=OuterRef("institution"))
    for one in Headcount.objects.filter(Exists(coded)):
        yield f"session {one.session_id}: institution {one.institution_id} is counted in both ways"


def _with_all(sessions: QuerySet[TrainingSession]) -> QuerySet[TrainingSession]:
    return sessions.annotate(all_people=Count("participations", distinct=True) + sum_of_headcounts())


def people_fit_the_places() -> Iterator[str]:
    """No more people took part in a session than it had places, and none in one that was cancelled."""
    sessions = _with_all(TrainingSession.objects.all())
    for one in sessions.filter(Q(all_people__gt=F("places")) | Q(state="cancelled", all_people__gt=0)):
        yield f"session {one.pk}: {one.all_people} people"  # type: ignore[attr-defined]


def follow_ups_ask_who_took_part() -> Iterator[str]:
    """A follow-up that waits asks about as many people as took part from that institution."""
    for one in TrainingFollowUp.objects.waiting():
        coded = one.session.participations.filter(trainee__institution=one.institution_id).count()
        counted = sum(
            (row.women or 0) + (row.men or 0) + (row.others or 0) + (row.unknown or 0)
            for row in one.session.headcounts.filter(institution=one.institution_id)
        )
        if coded + counted != one.participants:
            yield f"follow-up {one.pk}: asks about {one.participants}, {coded + counted} took part"
