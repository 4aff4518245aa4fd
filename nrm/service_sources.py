"""What services put into the calendar: the last day to confirm them, accreditations that end, what has to be put right.

Titles name the service, which whoever works in the mechanism may read, and never where it is nor what an inspection found.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.lookups import GreaterThan
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from nrm import access
from nrm.freshness import last_day_to_confirm
from nrm.models import Accreditation, CorrectiveMeasure, Service
from nrm.queries.services import unconfirmed_of
from stakeholders.calendar import Entry, Source, register
from stakeholders.calendar_sources import on_day


def register_own() -> None:
    """Called when the app is ready."""
    register(Source("services", gettext_lazy("Services"), entries))


def entries(user: Any, start: date, end: date) -> Iterator[Entry]:
    """For who has to act: a provider's people those of their own services, whoever keeps the directory those of all, who
    inspected what they found. Nothing of a service that has ended."""
    yield from _confirmations(user, start, end)
    yield from _endings(user, start, end)
    yield from _put_right(user, start, end)


def _confirmations(user: Any, start: date, end: date) -> Iterator[Entry]:
    """One entry for all of an institution's services that nobody confirmed in this quarter, on its last day."""
    day = last_day_to_confirm(timezone.localdate())
    if not user.institution_ids or not start <= day <= end:
        return
    if Service.objects.visible_to(user).current().with_standing().filter(unconfirmed_of(user)).exists():
        title = gettext("Last day to confirm your services")
        yield on_day(f"services-{day}", title, day, reverse("nrm:service-list") + "?whose=unconfirmed")


def _endings(user: Any, start: date, end: date) -> Iterator[Entry]:
    """The last day of an accreditation after which, by what is on record, there is none."""
    one_day = timedelta(days=1)
    after = Accreditation.objects.filter(
        Q(withdrawn_on__isnull=True) | GreaterThan(F("withdrawn_on"), OuterRef("valid_until") + one_day),
        service=OuterRef("service"), valid_from__lte=OuterRef("valid_until") + one_day,
        valid_until__gt=OuterRef("valid_until"),
    )  # fmt: skip
    rows = Accreditation.objects.visible_to(user).filter(
        ~Exists(after), service__in=Service.objects.visible_to(user).current().values("pk"),
        valid_until__range=(start, end), withdrawn_on__isnull=True,
    )  # fmt: skip
    if not access.may_keep_mechanism(user):
        rows = rows.filter(service__provider__in=user.institution_ids)
    for one in rows.select_related("service").order_by("valid_until", "pk"):
        title = gettext("Last day of the accreditation: %(service)s") % {"service": one.service.name}
        yield on_day(f"accreditation-{one.pk}", title, one.valid_until, one.get_absolute_url(), quoted=one.service.name)


def _put_right(user: Any, start: date, end: date) -> Iterator[Entry]:
    rows = CorrectiveMeasure.objects.visible_to(user).filter(
        inspection__service__in=Service.objects.visible_to(user).current().values("pk"),
        done_on__isnull=True, due_on__range=(start, end),
    )  # fmt: skip
    if not access.may_keep_mechanism(user):
        rows = rows.filter(
            Q(inspection__service__provider__in=user.institution_ids)
            | Q(inspection__inspected_by__in=user.institution_ids)
        )
    for one in rows.select_related("inspection__service").order_by("due_on", "pk"):
        service = one.inspection.service
        title = gettext("To be put right after an inspection: %(service)s") % {"service": service.name}
        yield on_day(f"corrective-{one.pk}", title, one.due_on, one.inspection.get_absolute_url(), quoted=service.name)
