"""The days of a referral are corrected: typed wrongly they put somebody into another quarter and set clocks going too early.

What is corrected stays on record: the event of the old day is struck with the reason, one of the new day takes its place, and
the history of the referral says who did it. The moments at which it was sent and answered are those of the clock on the wall
and are nobody's to change.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import moment, refuse_impossible, take_to
from nrm.actions.referrals import held
from nrm.models import Case, CaseDecision, EventKind, Happening, Referral
from onatc.errors import Denied, Refused, require
from stakeholders.actions.records import save, set_fields
from stakeholders.models import User

KINDS = {
    "referred_on": EventKind.REFERRED,
    "received_on": EventKind.RECEIVED,
    "accepted_on": EventKind.ACCEPTED,
    "declined_on": EventKind.DECLINED,
}


def correctable(referral: Referral, user: User) -> list[str]:
    """Which days of the referral somebody may correct, in their order: whoever sent it that of the referral, the addressee
    those of its answer, the office all. Where the person came to the institution itself there is one day for all."""
    names = []
    if access.may_correct_sending(user, referral):
        names.append("referred_on")
    if not _is_one_day(referral) and access.may_correct_answer(user, referral):
        names += [name for name in KINDS if name != "referred_on" and getattr(referral, name) is not None]
    return names


def _is_one_day(referral: Referral) -> bool:
    return referral.brings_in and referral.sender_id is None and referral.addressee_id == referral.recorded_for_id


@transaction.atomic
def correct_dates(referral: Referral, days: dict[str, date], *, by: User, reason: str, revision: int) -> Referral:
    """Put other days in the place of those that were recorded, by their names; the clocks follow.

    The day of the referral that brought the person is the day from which the case counts. Raises PermissionDenied, Stale
    and Refused.
    """
    referral, case = held(referral)
    if set(days) - set(correctable(referral, by)):
        require(Denied(_("Each institution corrects the days that it recorded.")))
    if not reason.strip():
        raise Refused(_("Say why."), "reason")
    if _is_one_day(referral) and "referred_on" in days:
        days = {name: days["referred_on"] for name in KINDS if getattr(referral, name) is not None}
    before = {name: getattr(referral, name) for name in days}
    changed = set_fields(referral, days, revision)
    if not changed:
        return referral
    if referral.brings_in and "referred_on" in changed:
        _refuse_as_opening(case, referral)
        case.opened_on = referral.referred_on
    _refuse_order(referral, case, changed)
    save(referral)
    case.save(update_fields=["opened_on"])
    events = Happening.objects.filter(case=case, struck_at__isnull=True)
    for name in sorted(changed, key=list(KINDS).index):
        found = list(events.filter(kind=KINDS[name], record=referral.pk))
        if name == "accepted_on":  # with the acceptance the responsibility moved
            on_that_day = moment(before[name])
            found += events.filter(
                kind=EventKind.HANDED_OVER,
                recorded_for=referral.addressee,
                happened_at=on_that_day,
                record__isnull=True,
            )
        take_to(found, days[name], by=by, why=reason)
    return referral


def _refuse_as_opening(case: Case, referral: Referral) -> None:
    """Nothing of the case but its signs lies before the day from which it counts."""
    day = referral.referred_on
    others = Referral.objects.filter(case=case).exclude(pk=referral.pk)
    decisions = CaseDecision.objects.filter(case=case, decided_on__lt=day)
    for earlier in (
        others.filter(referred_on__lt=day).order_by("referred_on").values_list("referred_on", flat=True).first(),
        decisions.order_by("decided_on").values_list("decided_on", flat=True).first(),
    ):
        if earlier is not None:
            raise Refused(
                _("On %(day)s the case had begun already: the person was not referred later.")
                % {"day": date_format(earlier, "DATE_FORMAT")},
                "referred_on",
            )
    signs = Happening.objects.filter(case=case, kind=EventKind.SIGNAL, struck_at__isnull=True)
    if any(timezone.localdate(one.happened_at) > day for one in signs):
        raise Refused(_("Signs are noticed before the person is referred."), "referred_on")


def _refuse_order(referral: Referral, case: Case, changed: set[str]) -> None:
    for name in changed:
        refuse_impossible(case, getattr(referral, name), name)
    if referral.referred_on < case.opened_on:
        raise Refused(
            _("The case was opened on %(day)s: a referral from it is not older.")
            % {"day": date_format(case.opened_on, "DATE_FORMAT")},
            "referred_on",
        )
    in_order = [name for name in KINDS if getattr(referral, name) is not None]
    for earlier, later in pairwise(in_order):
        if getattr(referral, later) < getattr(referral, earlier):
            raise Refused(
                _("A referral is made first, then received, then answered."), later if later in changed else earlier
            )
