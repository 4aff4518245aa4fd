"""Samples of the referral mechanism: each area makes the records of an institution, by the start of a URL's name.

The longest start that fits gives the arguments of a URL: a record stands for `pk`, a dictionary for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monitoring.samples.cast import Cast
from monitoring.samples.mechanism import (
    assessment,
    assistance,
    care,
    cases,
    identification,
    imports,
    oversight,
    procedure,
    referrals,
    services,
    trainings,
)

Area = Callable[[Cast, str], dict[str, Any]]
AREAS: tuple[Area, ...] = (
    # one a line, in the order in which they are made
    cases.samples,
    referrals.samples,
    identification.samples,
    assistance.samples,
    trainings.samples,
    care.samples,
    procedure.samples,
    oversight.samples,
    assessment.samples,
    imports.samples,
    services.samples,
)


class Mechanism(Cast):
    mechanism: dict[str, dict[str, Any]]

    def _mechanism(self, code: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for area in AREAS:
            made |= area(self, code)
        return made

    def _mechanism_arguments(self, name: str, code: str) -> dict[str, Any]:
        fitting = max((start for start in self.mechanism[code] if name.startswith(start)), key=len, default=None)
        if fitting is None:
            return {}
        found = self.mechanism[code][fitting]
        return found if isinstance(found, dict) else {"pk": found.pk}
