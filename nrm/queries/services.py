"""Who could help: the services that fit a need, in the order in which they are proposed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from nrm import access
from nrm.freshness import Freshness, due_since, fresh_since
from nrm.models import Accreditation, Service, ServiceProposal
from onatc.models import Municipality
from onatc.texts import SortKey
from stakeholders.models import Institution

MOST_ADDRESSEES = 20


@dataclass(frozen=True)
class Addressee:
    """A service to which somebody could be referred. `kilometres` is the distance between municipalities, None where the
    place is kept secret; `free` is what was last said of its places, None where places are not counted."""

    service: Service
    institution: Institution
    kilometres: float | None
    free: int | None
    freshness: Freshness
    is_accredited: bool


def addressees(
    need: str,
    municipality: Municipality | None,
    *,
    is_child: bool | None = None,
    sex: str = "",
    excluding: Iterable[uuid.UUID] = (),
    on: date | None = None,
    limit: int = MOST_ADDRESSEES,
) -> list[Addressee]:
    """The services that give a kind of help (a code of the list `assistance`) to such a person in that municipality, best
    first: those with a free place (or that count none) before full ones, confirmed before ageing, near before far, and
    those whose place is secret after those of which the distance is known. Left out are the institutions `excluding`
    (sender, and who declined), those that were dissolved, and services that have ended.

    A person whose age is in doubt is helped as a child: `is_child` is True then. Without a municipality nobody is near.
    One question, whatever there is.
    """
    day = on or timezone.localdate()
    found = (
        Service.objects.current(day)
        .helping(is_child=is_child, sex=sex if sex in ("F", "M", "X") else "", kind=need)
        .filter(Q(provider__dissolved_on__isnull=True) | Q(provider__dissolved_on__gte=day))
        .exclude(provider__in=list(excluding))
    )
    if municipality is not None:
        found = found.reaching(municipality)
    fullness = Case(When(places_free=0, then=Value(1)), default=Value(0))
    age = Case(
        When(confirmed_on__gte=fresh_since(day), then=Value(0)),
        When(confirmed_on__gte=due_since(day), then=Value(1)),
        default=Value(2),
    )
    accredited = Accreditation.objects.valid_on(day).filter(service=OuterRef("pk"))
    rows = (
        found.measured_from(municipality)
        .annotate(fullness=fullness, age=age, is_accredited=Exists(accredited))
        .select_related("provider")
        .order_by("fullness", "age", F("kilometres").asc(nulls_last=True), "provider__code", "pk")[:limit]
    )
    levels = (Freshness.FRESH, Freshness.DUE, Freshness.AGEING)
    return [
        Addressee(one, one.provider, one.kilometres, one.places_free, levels[one.age], one.is_accredited)  # type: ignore[attr-defined]
        for one in rows
    ]


def public_services(kind: str, person: str, near: Municipality | None) -> Any:
    """What everybody may know of, the nearest first where that may be said: of a service whose place is kept secret it may
    not, and all of them come last, by name."""
    found = Service.objects.public()
    if kind:
        found = found.helping(kind=kind)
    if person:
        found = found.helping(is_child=person == "child")
    if near is not None:
        found = found.reaching(near)
    return (
        found.with_standing()
        .measured_from(near)
        .select_related("provider")
        .order_by(F("kilometres").asc(nulls_last=True), SortKey("public_name"), SortKey("name"), "pk")
    )


def waiting_numbers(user: Any) -> dict[str, int]:
    """How many services wait for the reader, as the directory asks that the numbers open: `unconfirmed`, of one's own
    institutions and not confirmed in this quarter; for who keeps the directory `ageing`, which no provider has confirmed for
    a whole quarter, and `proposed`, with a change that waits. One question."""
    found = Service.objects.visible_to(user).current().with_standing()
    waiting = ServiceProposal.objects.visible_to(user).open().values("service")
    own = Q(provider__in=user.institution_ids) & ~Q(standing=Freshness.FRESH)
    numbers = found.order_by().aggregate(
        unconfirmed=Count("pk", filter=own),
        ageing=Count("pk", filter=Q(standing=Freshness.AGEING)),
        proposed=Count("pk", filter=Q(pk__in=waiting)),
    )
    return numbers if access.may_keep_mechanism(user) else {"unconfirmed": numbers["unconfirmed"]}
