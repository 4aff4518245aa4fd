"""Who is told of deadlines: the owner once before a step is due, the office once when it was missed for long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from nrm.actions.procedure import follow_many
from nrm.models import Case, CaseParty, Clock, ClockState, EventKind, Happening
from onatc import mail
from onatc.dated_settings import SettingName, setting
from stakeholders.models import REPORTERS, Role, RoleAssignment, User

AT_ONCE = 500  # clocks in one transaction


@transaction.atomic
def warn(now: datetime | None = None) -> int:
    """One mail a person, with all that is due within the hours that the setting names and was not spoken of yet. Who owes
    a step is told; where that institution does not take part in the case, the responsible one is. How many mails."""
    now = now or timezone.now()
    ahead = timedelta(hours=setting(SettingName.CLOCK_WARNING, timezone.localdate(now)))
    near = _open_clocks().filter(warned_at__isnull=True, due_at__gt=now, due_at__lte=now + ahead)
    clocks = list(near.order_by("due_at", "pk")[:AT_ONCE])
    reporters = _reporters(clocks)
    parties = set(
        CaseParty.objects.filter(case__in={one.case_id for one in clocks}, until__isnull=True).values_list(
            "case_id", "institution_id"
        )
    )
    by_person: dict[User, list[Clock]] = defaultdict(list)
    for one in clocks:
        owner = one.owner_id if (one.case_id, one.owner_id) in parties else one.case.responsible_id
        manager = one.case.manager
        if owner == one.case.responsible_id and manager is not None and manager.is_active:
            by_person[manager].append(one)
        else:
            for person in reporters[owner]:
                by_person[person].append(one)
    sent = _tell(by_person, "deadlines_near", now)
    Clock.objects.filter(pk__in=[one.pk for one in clocks]).update(warned_at=now)
    return sent


@transaction.atomic
def escalate(now: datetime | None = None) -> int:
    """What was missed for more hours than the setting allows is brought to the office, once: a mail a person, and an event in
    the case. How many clocks."""
    now = now or timezone.now()
    allowed = timedelta(hours=setting(SettingName.CLOCK_ESCALATION, timezone.localdate(now)))
    missed = _open_clocks().filter(escalated_at__isnull=True, due_at__lt=now - allowed)
    clocks = list(missed.order_by("due_at", "pk")[:AT_ONCE])
    if not clocks:
        return 0
    by_person: dict[User, list[Clock]] = {}
    for person in User.objects.holding(Role.DIRECTOR, Role.MONITORING, Role.CHILD).order_by("pk"):
        sees_all = person.has_role(Role.DIRECTOR, Role.MONITORING)
        mine = [one for one in clocks if sees_all or one.case.is_child_procedure]
        if mine:
            by_person[person] = mine
    _tell(by_person, "deadlines_missed", now)
    Clock.objects.filter(pk__in=[one.pk for one in clocks]).update(escalated_at=now)
    locked = Case.objects.select_for_update(of=("self",)).filter(pk__in={one.case_id for one in clocks})
    cases = list(locked.order_by("pk"))
    Happening.objects.bulk_create(
        Happening(case=case, kind=EventKind.ESCALATED, happened_at=now, has_time=True, recorded_at=now)
        for case in cases
    )
    follow_many(cases, by=None)
    return len(clocks)


def _open_clocks() -> Any:
    return (
        Clock.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(state=ClockState.RUNNING, case__closed_on__isnull=True, case__duplicate_of__isnull=True)
        .select_related("case__manager", "step", "owner")
    )


def _reporters(clocks: Iterable[Clock]) -> dict[Any, list[User]]:
    """By institution: who reports for it, each once."""
    wanted = {key for one in clocks for key in (one.owner_id, one.case.responsible_id) if key is not None}
    found: dict[Any, list[User]] = defaultdict(list)
    held = RoleAssignment.objects.active().filter(institution__in=wanted, role__in=REPORTERS, user__is_active=True)
    for one in held.select_related("user").order_by("user_id"):
        if one.user not in found[one.institution_id]:
            found[one.institution_id].append(one.user)
    return found


def _tell(by_person: dict[User, list[Clock]], template: str, now: datetime) -> int:
    return sum(
        mail.queue(
            person,
            occasion=f"{template} {person.pk} {now.isoformat()}",
            template=template,
            context={"clocks": clocks, "path": reverse("nrm:clock-list")},
            kind=mail.Kind.REMINDER,
        )
        for person, clocks in by_person.items()
    )
