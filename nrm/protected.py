"""Small counts are hidden from whoever may not see cases, and so is everything from which they follow (threats.md T36).

Counts are of cases. A count of 1 to T-1 is small and not shown; T is a dated setting. Hidden looks the same whatever it is: a
hidden count may be zero, small or large. What a reader may work out about a hidden count must reach from 0 to T at least.

A table here is a list of lines with the same kinds of count in each (met in time, met late, …). Several tables of the same
cases are shown (by step, by institution, by municipality), so that the total of a kind may be known from another table: of
each kind, what is hidden in one table is at least two counts that are together T or more, or all of the table. Totals of
lines are shown where every part is.
"""

from __future__ import annotations

from collections.abc import Sequence

Count = int | None
BASE = 10  # no share, median or percentile of fewer cases (disclosure_control.md, rule 9)


def is_small(count: int, threshold: int) -> bool:
    return 0 < count < threshold


def shown(
    lines: Sequence[Sequence[int]], threshold: int, contributors: Sequence[Sequence[int]] | None = None
) -> list[list[Count]]:
    """The table with None where a count is hidden. `contributors` are the cases behind each count where it counts something
    else, such as clocks; a count is small when few cases stand behind it."""
    behind = contributors if contributors is not None else lines
    width = len(lines[0]) if lines else 0
    found: list[list[Count]] = [list(line) for line in lines]
    for kind in range(width):
        column = [(behind[line][kind], line) for line in range(len(lines))]
        hidden = {line for count, line in column if is_small(count, threshold)}
        # The smallest first; what is zero only when nothing else is left, since it protects least.
        others = sorted((one for one in column if one[1] not in hidden), key=lambda one: (one[0] == 0, one))
        while hidden and others and (len(hidden) < 2 or sum(behind[line][kind] for line in hidden) < threshold):
            hidden.add(others.pop(0)[1])
        for line in hidden:
            found[line][kind] = None
    return found


def total(parts: Sequence[Count]) -> Count:
    """The sum of a line, hidden when a part is."""
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)


def safe_row(whole: int, part: int, threshold: int) -> tuple[Count, Count]:
    """A count and a part of it, such as cases and late ones; the rest follows from both and must not be small either."""
    if is_small(whole, threshold):
        return None, None
    if is_small(part, threshold) or is_small(whole - part, threshold):
        return whole, None
    return whole, part


def interval(
    lines: Sequence[Sequence[Count]], kind: int, line: int, column_total: int | None
) -> tuple[int, int | None]:
    """What a reader can work out about a hidden count who knows the total of its kind, or nothing (None): from, to (None:
    without an end). The check of `shown`, and of nothing else."""
    if column_total is None:
        return 0, None
    seen = sum(row[kind] or 0 for row in lines)
    hidden = sum(1 for row in lines if row[kind] is None)
    rest = column_total - seen
    return (rest, rest) if hidden == 1 else (0, rest)
