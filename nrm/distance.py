"""How far two places lie apart, as the crow flies: between municipalities, since nothing nearer is kept of a service.

The haversine formula on a sphere (R. W. Sinnott, Sky and Telescope 68, 1984); on the distances of Kosovo it is less than
half a per cent from the ellipsoid. `nrm.models.services.kilometres_from` says the same to the database.
"""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_KM = 6371.0088  # mean radius, IUGG


def kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Kilometres between two points given in degrees; the same both ways, and none from a point to itself."""
    here, there = radians(latitude), radians(other_latitude)
    up, across = sin((there - here) / 2), sin(radians(other_longitude - longitude) / 2)
    return 2 * EARTH_KM * asin(sqrt(min(1.0, up * up + cos(here) * cos(there) * across * across)))
