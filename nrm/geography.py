"""Internal or across a border: what follows from the countries of recruitment and exploitation (list `geography`)."""

from __future__ import annotations

from collections.abc import Collection

OWN = "XK"


def geography_of(
    recruitment: Collection[str], exploitation: Collection[str], transit: Collection[str] = (), stated: str = "GEO_U"
) -> str:
    """What the countries say, and what was stated where they say nothing.

    Kosovo is XK. Exploited here and recruited here alone is internal; recruited abroad and exploited here is into Kosovo;
    recruited here and exploited abroad out of it; both abroad and Kosovo among the countries of transit is through it.
    Somebody exploited both here and abroad is counted by where the way led from: into Kosovo when recruited abroad.
    """
    if not recruitment or not exploitation:
        return stated or "GEO_U"
    from_here, from_abroad = OWN in recruitment, any(code != OWN for code in recruitment)
    here, abroad = OWN in exploitation, any(code != OWN for code in exploitation)
    if from_here and not from_abroad:
        return "GEO_OUT" if abroad else "GEO_INT"
    if here:
        return "GEO_IN"
    if from_here:
        return "GEO_OUT"
    return "GEO_TRANSIT" if OWN in transit else "GEO_ABROAD"
