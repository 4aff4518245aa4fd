"""A file of cases that waits to be brought in."""

from __future__ import annotations

from typing import Any

from monitoring.samples.cast import Cast
from nrm.models import CaseImport, CaseImportState
from onatc.keys import seal
from stakeholders.models import Role


def samples(cast: Cast, code: str) -> dict[str, Any]:
    found = CaseImport(
        institution=cast.institutions[code],
        sha256="0" * 64,
        state=CaseImportState.PREVIEWED,
        counts={
            "rows": 1,
            "new": 1,
            "known": 0,
            "persons": 1,
            "merges": 0,
            "by_status": {"POTENTIAL": 1},
            "remarks": 0,
        },
        brought_by=cast.users[Role.DIRECTOR],
    )
    found.sealed = seal(f"case_ref,referred_on\n{code},2025-03-01\n".encode(), found.place)
    found.save()
    return {"nrm:import-preview": found, "nrm:import-apply": found}
