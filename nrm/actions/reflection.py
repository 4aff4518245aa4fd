"""The reflection period: offered, started by the law in force, paused, extended, given up, stopped, ended on its day."""

from __future__ import annotations

import logging
import uuid
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note, refuse_impossible
from nrm.actions.identification import made_before, recording_for
from nrm.actions.procedure import follow
from nrm.models import Case, EventKind, Happening, ReflectionEvent, ReflectionKind, Status
from nrm.queries import identification as queries
from nrm.reflection import Event, problem, standing
from onatc.dated_settings import SettingName, setting
from onatc.errors import Refused, require
from stakeholders.actions.records import locked, make_once, refuse_dissolved
from stakeholders.models import Institution, User

logger = logging.getLogger(__name__)

TELLS = {
    ReflectionKind.OFFER: EventKind.REFLECTION_OFFERED,
    ReflectionKind.START: EventKind.REFLECTION_STARTED,
    ReflectionKind.EXTENSION: EventKind.REFLECTION_CHANGED,
    ReflectionKind.PAUSE: EventKind.REFLECTION_CHANGED,
    ReflectionKind.RESUMPTION: EventKind.REFLECTION_CHANGED,
    ReflectionKind.END: EventKind.REFLECTION_ENDED,
    ReflectionKind.STOP: EventKind.REFLECTION_ENDED,
    ReflectionKind.WAIVER: EventKind.REFLECTION_WAIVED,
}
# What a competent body decides, with its reason; to give the period up is the person's own wish.
WITH_REASON = (ReflectionKind.EXTENSION, ReflectionKind.PAUSE, ReflectionKind.STOP)
LONGEST_EXTENSION = 365


def length_on(day: date) -> int:
    """How many days a reflection period has that starts on this day: by the law in force then."""
    return int(setting(SettingName.SOP_REFLECTION, on=day))


@transaction.atomic
def record_event(
    case: Case,
    *,
    by: User | None,
    key: uuid.UUID,
    kind: str,
    on: date,
    days: int | None = None,
    decided_by: Institution | None = None,
    reason: str = "",
    institution: Institution | None = None,
) -> tuple[ReflectionEvent, bool]:
    """Add an event of the reflection period; whether it is new. The length is never typed: a start takes the one in force
    on its day, `days` is by how many an extension extends.

    An event that was recorded late may move the planned end past the day on which the period was ended by the calendar; that
    end is then taken back. Raises PermissionDenied and Refused.
    """
    case = locked(case)
    if by is not None:
        is_own_wish = kind in (ReflectionKind.WAIVER, ReflectionKind.OFFER)
        require(access.may_record(by, case) if is_own_wish else access.may_grant_reflection(by, case))
    if (existing := made_before(ReflectionEvent(), key, case, by)) is not None:
        return existing, False
    if by is not None and kind == ReflectionKind.END:
        raise Refused(_("A reflection period ends by itself on its day. To end it early, stop it by decision."), "kind")
    refuse_impossible(case, on, "on")
    if on < case.opened_on:
        raise Refused(_("The reflection period lies after the referral."), "on")
    refuse_dissolved(decided_by, on, "decided_by")
    if kind == ReflectionKind.START and case.status == Status.NOT_VICTIM:
        raise Refused(_("The person was found not to be a victim: no reflection period starts."), "kind")
    if kind == ReflectionKind.START:
        days = length_on(on)
    elif kind != ReflectionKind.EXTENSION:
        days = None
    elif days is None or not 0 < days <= LONGEST_EXTENSION:
        raise Refused(_("Say by how many days the period is extended, from 1 to 365."), "days")
    if kind in WITH_REASON and by is not None:
        if not reason.strip():
            raise Refused(_("Say why."), "reason")
        if decided_by is None:
            raise Refused(_("Say who decided this."), "decided_by")
    if kind == ReflectionKind.WAIVER:
        decided_by = None  # the person's own wish
    rows = list(ReflectionEvent.objects.filter(case=case).order_by("recorded_at", "pk"))
    ended = next((one for one in rows if one.kind == ReflectionKind.END), None)
    by_calendar = ended is not None and ended.recorded_by_id is None and on <= ended.on
    kept = [one for one in rows if not (by_calendar and one == ended)]
    events = [*queries.events_of(kept), Event(kind, on, days, len(kept))]
    if (why := problem(events)) is not None:
        raise Refused(why, "on")
    own = recording_for(by, case, institution)
    event, is_new = make_once(
        ReflectionEvent(
            case=case, kind=kind, on=on, days=days, decided_by=decided_by, reason=reason, recorded_by=by,
            recorded_for=own,
        ),
        key,
        maker="recorded_by",
    )  # fmt: skip
    if not is_new:
        return event, False
    if by_calendar and ended is not None:
        now = standing(events)
        if not now.is_running or now.planned_end != ended.on:
            _take_back_end(case, ended, by=by)
    note(case, TELLS[ReflectionKind(kind)], on=on, by=by, institution=own, record=event)
    end_if_over(case, timezone.localdate() - timedelta(days=1))  # the last day still belongs to the period
    return event, True


def _take_back_end(case: Case, ended: ReflectionEvent, *, by: User | None) -> None:
    """The end by the calendar followed from what was known then; its history stays."""
    for one in Happening.objects.filter(case=case, record=ended.pk, struck_at__isnull=True):
        one.struck_at, one.struck_by = timezone.now(), by
        one.struck_reason = _("an event recorded later moved the planned end")
        one.save(update_fields=["struck_at", "struck_by", "struck_reason"])
    ended.delete()
    follow(case, by=by)


def end_if_over(case: Case, today: date | None = None) -> bool:
    """End the period of a locked case when its planned end has come; on the day that was planned, however late this runs."""
    found = queries.reflection_of(case)
    end = found.planned_end
    if end is None or not found.is_over(today or timezone.localdate()):
        return False
    event = ReflectionEvent.objects.create(case=case, kind=ReflectionKind.END, on=end)
    # A case that was closed before keeps no further way; the period has its end all the same.
    if case.closed_on is None or end <= case.closed_on:
        note(case, EventKind.REFLECTION_ENDED, on=end, by=None, record=event)
    return True


def end_those_over(today: date | None = None) -> int:
    """End each reflection period whose planned end has come; how many. Safe to repeat: an ended one is not ended again."""
    ended = 0
    for key in _may_be_over().iterator(chunk_size=500):
        try:
            with transaction.atomic():
                case = Case.objects.select_for_update(of=("self",)).get(pk=key)
                ended += end_if_over(case, today)
        except Refused:
            logger.exception("a reflection period could not be ended")
    return ended


def _may_be_over() -> Any:
    """Cases with a period that started and that nothing ended."""
    over = (ReflectionKind.END, ReflectionKind.WAIVER, ReflectionKind.STOP)
    ended = ReflectionEvent.objects.filter(case=OuterRef("case"), kind__in=over)
    started = ReflectionEvent.objects.filter(~Exists(ended), kind=ReflectionKind.START)
    return started.order_by("pk").values_list("case", flat=True)
