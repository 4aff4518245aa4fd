"""What is brought to the office by rule, so that no referral gets lost:

- an answer that did not come within the time of its urgency; the addressee is reminded in the same moment;
- a referral that was declined and for a day went to nobody else, unless the person does not want the help;
- a case for which nobody is responsible, since its institution was dissolved or its responsibility ended.

Each is told once, however often and by however many this is run: what was told is written under the lock of the case.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from nrm.actions import referral_notices as notices
from nrm.actions.happenings import note
from nrm.models import Case, CaseParty, EventKind, Happening, PartyRole, Referral, ReferralState
from nrm.queries.referrals import office_people
from nrm.referring import NEXT_WITHIN
from onatc import mail


def escalate() -> int:
    """Bring to the office what the rules name at this moment; how many cases and referrals that were."""
    now = timezone.now()
    waiting = Referral.objects.filter(escalated_at__isnull=True, case__closed_on__isnull=True).order_by("pk")
    found = [
        *waiting.overdue(now).values_list("pk", flat=True),
        *waiting.left_alone(now - NEXT_WITHIN).values_list("pk", flat=True),
    ]
    told = sum(_escalate_referral(key, now) for key in found)
    return told + sum(_escalate_case(key, now) for key in _without_responsible(now))


@transaction.atomic
def _escalate_referral(key: uuid.UUID, now: datetime) -> bool:
    """Asked again under the lock: it may have been answered, or told of, meanwhile."""
    case = Case.objects.select_for_update(of=("self",)).get(
        pk=Referral.objects.values_list("case", flat=True).get(pk=key)
    )
    alone = Referral.objects.left_alone(now - NEXT_WITHIN).filter(pk=key)
    late = Referral.objects.overdue(now).filter(pk=key)
    referral = Referral.objects.select_for_update(of=("self",)).get(pk=key)
    if referral.escalated_at is not None or not case.is_open or not (late.exists() or alone.exists()):
        return False
    referral.escalated_at = now
    referral.save(update_fields=["escalated_at"])
    note(case, EventKind.ESCALATED, on=timezone.localdate(now), by=None, record=referral)
    if referral.state == ReferralState.SENT:
        notices.overdue(referral)
    notices.brought_to_the_office(referral, office_people(case))
    return True


def _without_responsible(now: datetime) -> list[uuid.UUID]:
    responsible = CaseParty.objects.filter(case=OuterRef("pk"), role=PartyRole.RESPONSIBLE, until__isnull=True)
    gone = Q(responsible__dissolved_on__lt=timezone.localdate(now))
    return list(Case.objects.open().filter(gone | ~Exists(responsible)).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _escalate_case(key: uuid.UUID, now: datetime) -> bool:
    """Once for each responsibility that ended: when the case was given to somebody and is without anybody again, once more."""
    case = Case.objects.select_for_update(of=("self",)).select_related("responsible").get(pk=key)
    parties = CaseParty.objects.filter(case=case, role=PartyRole.RESPONSIBLE)
    last = parties.order_by("-since", "-pk").first()
    gone_on = case.responsible.dissolved_on
    is_gone = gone_on is not None and gone_on < timezone.localdate(now)
    if not case.is_open or (not is_gone and parties.filter(until__isnull=True).exists()):
        return False
    record = last.pk if last is not None else case.pk
    if Happening.objects.filter(case=case, kind=EventKind.ESCALATED, record=record).exists():
        return False
    note(case, EventKind.ESCALATED, on=timezone.localdate(now), by=None, record=record)
    newest = (
        Referral.objects.filter(case=case).order_by("-sent_at", "-pk").first()
    )  # a page without the marker in its address
    for person in office_people(case):
        mail.queue(
            person,
            occasion=f"case {case.pk} without responsible {record} {person.pk}",
            template="case_without_responsible",
            context={"referral": newest},
            kind=mail.Kind.REFERRAL,
        )
    return True
