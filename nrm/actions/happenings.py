"""How a fact of a case enters its way through the procedures: one row, after which clocks and status follow."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from nrm.actions.procedure import follow
from nrm.ages import was_born_by
from nrm.models import Case, CaseDecision, EventKind, Happening
from nrm.standing import Decided, status_of
from onatc.errors import Refused
from stakeholders.models import Institution, User

NOON = time(12)


def moment(on: date, at: time | None = None) -> datetime:
    """The moment of a day in local time; noon stands for a day whose time nobody knows."""
    return timezone.make_aware(datetime.combine(on, at or NOON))


def note(
    case: Case,
    kind: EventKind | str,
    *,
    on: date,
    by: User | None,
    at: time | None = None,
    institution: Institution | None = None,
    record: Any = None,
    text: str = "",
    recorded_at: datetime | None = None,
    key: uuid.UUID | None = None,
    goes_on: bool = False,
) -> Happening:
    """Write that something happened, in the transaction that is open, and let clocks and status follow.

    `record` is the record that tells more, or its key; `key` is that of the new row, where a form carries one; `goes_on` is
    for what goes on after the closing; a closed case owes nothing, whatever happens in it. Raises Refused for a day in the future or before the earliest possible one of the
    case.
    """
    refuse_impossible(case, on, goes_on=goes_on)
    made = Happening.objects.create(
        **({"pk": key} if key is not None else {}),
        case=case,
        kind=kind,
        happened_at=moment(on, at),
        has_time=at is not None,
        recorded_by=by,
        recorded_for=institution,
        record=record if record is None or isinstance(record, uuid.UUID) else record.pk,
        note=text,
        recorded_at=recorded_at or timezone.now(),
    )
    follow(case, by=by)
    return made


def strike_out(happening: Happening, *, by: User | None, why: str) -> None:
    """It was wrong: it stays on record with the reason, and starts and meets nothing any more once the clocks `follow`."""
    happening.struck_at, happening.struck_by, happening.struck_reason = timezone.now(), by, why[:200]
    happening.save(update_fields=["struck_at", "struck_by", "struck_reason"])


def take_to(found: Iterable[Happening], on: date, *, by: User | None, why: str) -> None:
    """Events that were recorded for a wrong day: each is struck, with the reason, and recorded for the right one."""
    rows = list(found)
    for one in rows:
        strike_out(one, by=by, why=why)
    for one in rows:
        note(
            one.case,
            one.kind,
            on=on,
            at=timezone.localtime(one.happened_at).time() if one.has_time else None,
            by=by,
            institution=one.recorded_for,
            record=one.record,
        )


def tell(
    case: Case,
    record: Any,
    days: Mapping[EventKind, date | None],
    *,
    by: User | None,
    institution: Institution | None = None,
    goes_on: bool = False,
) -> None:
    """Let the way of the case say what a record says: what has a day now is noted, what has another day or none any more is
    struck, so that no clock runs by a day that was corrected. Said twice, it changes nothing."""
    standing = {
        one.kind: one for one in Happening.objects.filter(case=case, record=record.pk, kind__in=days, struck_at=None)
    }
    struck = False
    for kind, day in days.items():
        one = standing.get(kind)
        if one is not None and one.happened_on == day:
            continue
        if one is not None:
            strike_out(one, by=by, why=_("the day was corrected"))
            struck = True
        if day is not None:
            note(case, kind, on=day, by=by, institution=institution, record=record, goes_on=goes_on)
    if struck:
        follow(case, by=by)


def refuse_impossible(case: Case, on: date, field: str = "", *, goes_on: bool = False) -> None:
    """Nothing happens in the future, nor after the case was closed, but what `goes_on` then; before its opening only what led
    to it, a year at most."""
    if on > timezone.localdate():
        raise Refused(_("This day lies in the future."), field)
    if not goes_on and case.closed_on is not None and on > case.closed_on:
        raise Refused(_("The case was closed before that day."), field)
    if (case.opened_on - on).days > 366:
        raise Refused(_("This day lies more than a year before the case was opened."), field)
    if case.age_at_referral is not None and not was_born_by(on, case.age_at_referral, case.opened_on):
        raise Refused(_("By the age at the referral the person was not born on that day."), field)


def restate(case: Case) -> None:
    """Keep on a locked case the status that its decisions give."""
    found = [
        Decided(one.decided_on, order, one.outcome, one.stage)
        for order, one in enumerate(CaseDecision.objects.filter(case=case).order_by("decided_on", "recorded_at", "pk"))
    ]
    status = status_of(found)
    if status != case.status:
        case.status = status
        case.save(update_fields=["status"])
