"""What must always be true of referrals and case managers (onatc.operation; threats.md R8 and R21)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Exists, OuterRef, Q

from nrm.models import Case, CaseManagement, EventKind, Happening, Referral, ReferralState, Share
from onatc.operation import invariant


def register() -> None:
    """Called when the app is ready."""
    for rule in (one_acceptance, one_handover, managers_agree):
        invariant(rule)


def one_acceptance() -> Iterator[str]:
    """A referral is accepted at most once, and an acceptance on the way of a case is one of an accepted referral."""
    accepted = Happening.objects.filter(kind=EventKind.ACCEPTED, struck_at__isnull=True, record__isnull=False)
    for row in accepted.values("record").annotate(times=Count("pk")).filter(times__gt=1).order_by():
        yield f"referral {row['record']} was accepted {row['times']} times"
    others = Referral.objects.exclude(state=ReferralState.ACCEPTED)
    for key in others.filter(Exists(accepted.filter(record=OuterRef("pk")))).values_list("pk", flat=True):
        yield f"referral {key} has an acceptance but is not accepted"


def one_handover() -> Iterator[str]:
    """The responsibility for a case is offered to one institution at a time."""
    offered = Referral.objects.filter(state=ReferralState.SENT, share=Share.HANDOVER, brings_in=False)
    for row in offered.values("case").annotate(times=Count("pk")).filter(times__gt=1).order_by():
        yield f"case {row['case']}: the responsibility is offered {row['times']} times at once"


def managers_agree() -> Iterator[str]:
    """The manager that lists show of an open case is the one of its management."""
    managed = CaseManagement.objects.filter(case=OuterRef("pk"), until__isnull=True)
    wrong = Exists(managed.exclude(manager=OuterRef("manager"))) | (Q(manager__isnull=False) & ~Exists(managed))
    open_ones = Case.objects.open().filter(wrong | Exists(managed) & Q(manager__isnull=True))
    for key in open_ones.filter(is_imported=False).values_list("pk", flat=True):
        yield f"case {key}: another person manages it than its management says"
