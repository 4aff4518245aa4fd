"""Who could help: the services that fit a need, in the order in which they are proposed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from nrm import access
from nrm.freshness import Freshness, due_since, fresh_since
from nrm.models import Accreditation, CorrectiveMeasure, Service, ServiceProposal
from nrm.models.services import ServiceQuerySet
from onatc.models import Municipality
from onatc.texts import SortKey
from stakeholders.models import Institution

MOST_ADDRESSEES = 20
ENDS_WITHIN = 90  # days before an accreditation ends in which its renewal has to be thought of


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


# What has to be done about services: the list asks it of its rows, the homes count it, the calendar names its days


def unconfirmed_of(user: Any) -> Q:
    """Of the reader's own institutions, not confirmed in this quarter; of rows with `standing`."""
    return Q(provider__in=user.institution_ids) & ~Q(standing=Freshness.FRESH)


def with_proposal(user: Any) -> Q:
    """That have a proposal of their provider which nobody answered."""
    return Q(Exists(ServiceProposal.objects.visible_to(user).open().filter(service=OuterRef("pk"))))


def accreditation_ending(day: date, user: Any) -> Q:
    """Accredited on the day, for the last time within `ENDS_WITHIN` days by what is on record: one that was renewed
    already does not end."""
    held = Accreditation.objects.visible_to(user).filter(service=OuterRef("pk"))
    return Q(Exists(held.valid_on(day))) & ~Q(Exists(held.valid_on(day + timedelta(days=ENDS_WITHIN + 1))))


def accreditation_over(day: date, user: Any) -> Q:
    """Was accredited once, until a day that has passed or a withdrawal, and is not now."""
    held = Accreditation.objects.visible_to(user).filter(service=OuterRef("pk"))
    over = held.filter(Q(valid_until__lt=day) | Q(withdrawn_on__lte=day))
    return Q(Exists(over)) & ~Q(Exists(held.valid_on(day)))


def to_put_right(user: Any, overdue_on: date | None = None) -> Q:
    """An inspection that the reader may see found what has to be put right and was not; by a day that passed before
    `overdue_on`."""
    found = CorrectiveMeasure.objects.visible_to(user).filter(inspection__service=OuterRef("pk"), done_on__isnull=True)
    if overdue_on is not None:
        found = found.filter(due_on__lt=overdue_on)
    return Q(Exists(found))


def waiting_services(user: Any) -> dict[str, ServiceQuerySet]:
    """Which services wait for the reader, each as `nrm:service-list` asks it: a provider's people of their own, whoever
    keeps the directory of all; none for who does neither. Whoever counts them asks once for all."""
    today, own = timezone.localdate(), Q(provider__in=user.institution_ids)
    keeps = bool(access.may_keep_mechanism(user))
    if not keeps and not user.institution_ids:
        return {}
    mine = Q() if keeps else own
    asked = {
        "unconfirmed": unconfirmed_of(user),
        "ending": mine & accreditation_ending(today, user),
        "over": mine & accreditation_over(today, user),
        "to_put_right": mine & to_put_right(user),
        "overdue": mine & to_put_right(user, today),
    }
    if keeps:
        asked |= {"ageing": Q(standing=Freshness.AGEING), "proposed": with_proposal(user)}
    found = Service.objects.visible_to(user).current().with_standing()
    return {name: found.filter(what) for name, what in asked.items()}
