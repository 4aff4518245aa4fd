"""Which measure needs which first. Plain functions, no database."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def circle_with(needs: Iterable[tuple[K, K]], measure: K, needed: K) -> list[K]:
    """The circle that would come about if `measure` needed `needed` too: from `measure` over `needed` back to `measure`.

    Empty when there is none. `needs` are the pairs (measure, what it needs) that there are; a circle already among them
    that does not touch the new pair is not asked for.
    """
    if measure == needed:
        return [measure, measure]
    after: dict[K, list[K]] = {}
    for one, other in needs:
        after.setdefault(one, []).append(other)
    came_from: dict[K, K] = {needed: measure}
    waiting = [needed]
    while waiting:
        here = waiting.pop(0)
        for following in after.get(here, ()):
            if following == measure:
                way = [measure]
                while here != measure:
                    way.append(here)
                    here = came_from[here]
                return [measure, *reversed(way)]
            if following not in came_from:
                came_from[following] = here
                waiting.append(following)
    return []
