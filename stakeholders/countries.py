"""The countries, the published figures on them and the international days that ship with the application; the office
edits the days and what it follows afterwards. And the role of a country, as figures tell it.

A role follows from published figures; an app above that counts cases may add what it computes (`register`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onatc.ids import from_seed

DATA = Path(__file__).parent / "data"

DAYS = (
    (7, 30, "Dita Botërore kundër Trafikimit me Njerëz", "Svetski dan borbe protiv trgovine ljudima",
     "World Day against Trafficking in Persons"),
    (10, 18, "Dita Evropiane kundër Trafikimit", "Evropski dan borbe protiv trgovine ljudima", "EU Anti-Trafficking Day"),
)  # fmt: skip


ROLE_YEARS = 10
POPULATIONS = {"identified": _("identified victims"), "presumed": _("presumed victims")}
ROLES = ("origin", "transit", "destination")  # `CountryRole`, in the order in which they are shown


@dataclass(frozen=True)
class ComputedRole:
    """That a country has a role, counted by the application itself for a period; `value` protected by whoever gives it,
    as text, since what is suppressed is no number."""

    country: str
    role: str
    starts_on: date
    ends_on: date
    value: str


@dataclass(frozen=True)
class RoleSource:
    """`roles(user, codes)` are those of these countries that `user` may see; one question however many countries."""

    key: str
    label: str | Promise
    roles: Callable[[Any, list[str]], Iterable[ComputedRole]]


_sources: dict[str, RoleSource] = {}


def register(source: RoleSource) -> None:
    """Called when an app is ready."""
    _sources[source.key] = source


def computed_roles(user: Any, codes: list[str]) -> list[tuple[RoleSource, ComputedRole]]:
    return [(source, one) for source in _sources.values() for one in source.roles(user, codes)]


def roles_by(figures: Iterable[Any], today: date) -> dict[str, list[str]]:
    """Code of the country → its roles, from figures or computed roles (`country`, `role`, `ends_on`, `value`).

    The rule: a country has a role when a figure on it, of a period that ended in the last ten years, counts at least one
    person; a computed one counts by being there. What no figure tells is not known; it is never "none".
    """
    since = date(today.year - ROLE_YEARS, today.month, min(today.day, 28))
    found: dict[str, set[str]] = {}
    for one in figures:
        if one.ends_on >= since and one.value not in (0, "0"):
            found.setdefault(getattr(one, "country_id", None) or one.country, set()).add(one.role)
    return {code: [role for role in ROLES if role in roles] for code, roles in found.items()}


@cache
def _shipped() -> frozenset[tuple[str, ...]]:
    names = ("country", "role", "starts_on", "ends_on", "population", "provider", "source")
    return frozenset(tuple(row[name] for name in names) for row in _rows("country_figures.csv"))


def is_shipped(figure: Any) -> bool:
    """Whether a figure came with the application."""
    said = (
        figure.country_id, figure.role, figure.starts_on.isoformat(), figure.ends_on.isoformat(), figure.population,
        figure.provider, figure.source,
    )  # fmt: skip
    return said in _shipped()


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load(get_model: Any) -> None:
    """Bring in what is not there yet. `get_model(name)` gives the model class, historical or today's."""
    country, institution = get_model("Country"), get_model("Institution")
    known = set(country.objects.values_list("pk", flat=True))
    offices = dict(institution.objects.filter(kind="coordinator_office_abroad").values_list("code", "pk"))
    country.objects.bulk_create(
        country(
            code=row["code"],
            name_sq=row["name_sq"],
            name_sr=row["name_sr"],
            name_en=row["name_en"],
            is_followed=row["followed"] == "yes",
            counterpart_id=offices.get(row["counterpart"]),
        )
        for row in _rows("countries.csv")
        if row["code"] not in known
    )
    for row in _rows("countries.csv"):
        if row["counterpart"]:
            institution.objects.filter(code=row["counterpart"], country__isnull=True).update(country_id=row["code"])
    with from_seed("countries"):
        figure = get_model("CountryFigure")
        figure.objects.bulk_create(
            (
                figure(
                    country_id=row["country"],
                    role=row["role"],
                    starts_on=row["starts_on"],
                    ends_on=row["ends_on"],
                    population=row["population"],
                    value=int(row["value"]),
                    provider=row["provider"],
                    source=row["source"],
                    source_date=row["source_date"],
                    note=row["note"],
                )
                for row in _rows("country_figures.csv")
            ),
            ignore_conflicts=True,
        )
        day = get_model("InternationalDay")
        day.objects.bulk_create(
            (day(month=month, day=number, name_sq=sq, name_sr=sr, name_en=en) for month, number, sq, sr, en in DAYS),
            ignore_conflicts=True,
        )
