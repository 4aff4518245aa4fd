"""The countries, the published figures on them and the international days that ship with the application; the office
edits the days and what it follows afterwards."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from onatc.ids import from_seed

DATA = Path(__file__).parent / "data"

DAYS = (
    (7, 30, "Dita Botërore kundër Trafikimit me Njerëz", "Svetski dan borbe protiv trgovine ljudima",
     "World Day against Trafficking in Persons"),
    (10, 18, "Dita Evropiane kundër Trafikimit", "Evropski dan borbe protiv trgovine ljudima", "EU Anti-Trafficking Day"),
)  # fmt: skip


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
