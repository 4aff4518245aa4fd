"""What must always be true of cases (onatc.operation)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Case as Choose
from django.db.models import CharField, Exists, F, Min, OuterRef, Q, Subquery, Value, When

from nrm.models import Case, CaseDecision, CaseParty, Clock, ClockState, Merge, PartyRole, Referral, Stay
from nrm.queries.assistance import NO_SHELTER
from nrm.standing import GIVES
from onatc.operation import invariant


def register() -> None:
    """Called when the app is ready."""
    for rule in (
        cases_have_the_status_of_their_decisions,
        open_cases_have_their_responsible_institution,
        closed_cases_have_nothing_open,
        deadlines_of_cases_are_those_of_their_clocks,
        merged_cases_point_at_their_survivor,
    ):
        invariant(rule)


def cases_have_the_status_of_their_decisions() -> Iterator[str]:
    """The status of a case is the one that its latest telling decision gives, by the decision's own day."""
    latest = CaseDecision.objects.filter(case=OuterRef("pk"), outcome__in=GIVES).order_by(
        "-decided_on", "-recorded_at", "-pk"
    )
    outcome = Subquery(latest.values("outcome")[:1])
    given = Choose(
        *(When(last=code, then=Value(status)) for code, status in GIVES.items()),
        default=Value("POTENTIAL"),
        output_field=CharField(),
    )
    wrong = Case.objects.annotate(last=outcome).annotate(given=given).exclude(given=F("status"))
    for pk in wrong.order_by().values_list("pk", flat=True).iterator():
        yield f"case {pk}: its status is not that of its latest decision"


def open_cases_have_their_responsible_institution() -> Iterator[str]:
    """Who is responsible for an open case takes part in it as such."""
    party = CaseParty.objects.filter(
        case=OuterRef("pk"), role=PartyRole.RESPONSIBLE, until__isnull=True, institution=OuterRef("responsible")
    )
    wrong = Case.objects.open().filter(~Exists(party), is_imported=False)
    for pk in wrong.order_by().values_list("pk", flat=True).iterator():
        yield f"case {pk}: its responsible institution does not take part in it"


def closed_cases_have_nothing_open() -> Iterator[str]:
    """A closed case has no referral that waits, nobody accommodated, and no clock that runs."""
    waiting = Referral.objects.filter(case=OuterRef("pk")).waiting()  # type: ignore[attr-defined]
    stays = Stay.objects.filter(case=OuterRef("pk"), left_on__isnull=True).exclude(shelter_type=NO_SHELTER)
    clocks = Clock.objects.filter(case=OuterRef("pk")).open()
    closed = Case.objects.filter(closed_on__isnull=False, is_imported=False)
    for pk in closed.filter(Exists(waiting) | Exists(stays) | Exists(clocks)).order_by().values_list("pk", flat=True):
        yield f"case {pk}: it is closed, and something in it is open"


def deadlines_of_cases_are_those_of_their_clocks() -> Iterator[str]:
    """The next deadline of an open case is the earliest one of its running clocks."""
    running = Clock.objects.filter(case=OuterRef("pk"), state=ClockState.RUNNING).order_by().values("case")
    first = Subquery(running.annotate(first=Min("due_at")).values("first"))
    wrong = (
        Case.objects.open()
        .annotate(first=first)
        .filter(~Q(next_due_at=F("first")), Q(next_due_at__isnull=False) | Q(first__isnull=False))
    )
    for pk in wrong.order_by().values_list("pk", flat=True).iterator():
        yield f"case {pk}: its next deadline is not that of its clocks"


def merged_cases_point_at_their_survivor() -> Iterator[str]:
    """A record that was entered twice points at its survivor as long as the merge stands, and only then."""
    merge = Merge.objects.filter(case=OuterRef("pk"), kind="duplicate_record", undone_at__isnull=True)
    wrong = Case.objects.annotate(survivor=Subquery(merge.values("into")[:1])).filter(
        ~Q(duplicate_of=F("survivor")), Q(duplicate_of__isnull=False) | Q(survivor__isnull=False)
    )
    for pk in wrong.order_by().values_list("pk", flat=True).iterator():
        yield f"case {pk}: it does not point at the case that it was merged into"
