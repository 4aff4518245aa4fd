"""The institutions that ship with the application; the office edits them afterwards."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

from onatc.ids import from_seed

DATA = Path(__file__).parent / "data" / "institutions.csv"

# Dissolved in 2021 when its tasks were moved; the day is the end of that year until the office enters the exact one.
DISSOLVED = {"MLSW": (date(2021, 12, 31), "MFLT")}


def load(get_model: Any) -> None:
    """Bring in what is not there yet, by code. `get_model(name)` gives the model class, historical or today's."""
    institution = get_model("Institution")
    known = set(institution.objects.values_list("code", flat=True))
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["code"] not in known]
    with from_seed("directory"):  # the same address of an institution in every installation
        _create(institution, rows)
    for code, (day, successor) in DISSOLVED.items():
        if code not in known:
            institution.objects.filter(code=code).update(
                dissolved_on=day, successor=institution.objects.get(code=successor)
            )


def _create(institution: Any, rows: list[dict[str, str]]) -> None:
    institution.objects.bulk_create(
        institution(
            code=row["code"],
            name_sq=row["name_sq"],
            name_sr=row["name_sr"],
            name_en=row["name_en"],
            short=row["short"],
            kind=row["kind"],
            level=row["level"],
            is_authority_member=row["member_of_national_authority"] == "yes",
        )
        for row in rows
    )
