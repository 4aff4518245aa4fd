"""The articles that ship with the application, each with the heading of its act (of the Convention on the Rights of the
Child, which has none, its subject); the office adds others in Django admin."""

import csv
from pathlib import Path
from typing import Any

from onatc.ids import from_seed

DATA = Path(__file__).parent / "data" / "norms.csv"


def load(get_model: Any) -> None:
    """Bring in what is not there yet, by act and article; what the office changed stays. `get_model(name)` gives the model
    class, historical or today's."""
    norm = get_model("Norm")
    known = set(norm.objects.values_list("act", "reference"))
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["act"], row["reference"]) not in known]
    with from_seed("norms"):  # the same address of a norm in every installation
        norm.objects.bulk_create(norm(**row) for row in rows)
