"""The sections of the case page, by area, and the days of cases in the calendar; an area adds its line here and its `register_sections` in nrm/queries/<area>.py."""

from __future__ import annotations


def register_own() -> None:
    """Called when the app is ready."""
    from nrm.queries import assistance, care, case_days, cases, children, clocks, deviations, identification, referrals

    for area in (
        # one a line, in the order in which they stand
        cases,
        referrals,
        children,
        identification,
        clocks,
        assistance,
        care,
        deviations,
    ):
        area.register_sections()
    case_days.register_days()
