"""Providers are reminded once a quarter of the services that they did not confirm in it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone

from nrm.freshness import Freshness, freshness, is_reminded, last_day_to_confirm
from nrm.models import Service
from onatc import mail
from onatc.periods import Period
from stakeholders.models import REPORTERS, RoleAssignment, User


def remind_of_services(*, on: date | None = None) -> int:
    """One mail a person and a quarter, from its second month on, however often it is run: to who reports for a provider
    that did not confirm a service in this quarter. How many mails were put out. No mail says where a service is."""
    day = on or timezone.localdate()
    if not is_reminded(day):
        return 0
    waiting: dict[Any, list[Service]] = defaultdict(list)
    for service in Service.objects.current(day).select_related("provider"):
        if freshness(service.confirmed_on, day) != Freshness.FRESH:
            waiting[service.provider_id].append(service)
    owed: dict[User, list[Service]] = defaultdict(list)
    roles = RoleAssignment.objects.active(day).filter(role__in=REPORTERS, institution__in=list(waiting))
    for role in roles.filter(user__is_active=True).select_related("user").order_by("user", "institution", "pk"):
        owed[role.user] += [one for one in waiting[role.institution_id] if one not in owed[role.user]]
    return sum(
        mail.queue(
            user,
            occasion=f"services {Period.quarter_of(day).label} {user.pk}",
            template="services_to_confirm",
            context={
                "services": services,
                "until": last_day_to_confirm(day),
                "path": reverse("nrm:service-list") + "?whose=unconfirmed",
            },
            kind=mail.Kind.REMINDER,
        )
        for user, services in owed.items()
    )
