"""Small counts are hidden from whoever may not see cases, and so is everything from which they follow (threats.md T36).

Counts are of cases. A count of 1 to T-1 is small and not shown; T is a dated setting. Hidden looks the same whatever it is: a
hidden count may be zero, small or large. What a reader may work out about a hidden count must reach from 0 to T at least.

Insiders. An institution knows the cases in which it takes part and subtracts them from what everybody reads (rule 8 of
disclosure_control.md), the child protection officer those of children. So a count is small as well when what is left of it
without the cases that one reader knows is 1 to T-1, and what each of them may work out about the cases of the others must
reach from 0 to T at least. In a table by institution a reader knows its own line: of the lines of others two at least are
hidden. That several readers put together what they know is not protected against.

A table here is a list of lines with the same kinds of count in each (met in time, met late, …). Several tables of the same
cases are shown (by step, by institution, by municipality), so that the total of a kind may be known from another table: of
each kind, what is hidden in one table is at least two counts that are together T or more, or all of the table. Totals of
lines are shown where every part is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

Count = int | None
Known = Mapping[Hashable, int]  # how many of the cases behind a count each reader knows
NOTHING: Known = {}
BASE = 10  # no share, median or percentile of fewer cases (disclosure_control.md, rule 9)


def is_small(count: int, threshold: int) -> bool:
    return 0 < count < threshold


def is_small_to_any(count: int, known: Known, threshold: int) -> bool:
    """Whether a count is small to whoever knows none of its cases, or what is left of it to a reader who knows some."""
    return is_small(count, threshold) or any(is_small(count - mine, threshold) for mine in known.values())


def is_base_to_all(count: int, known: Known) -> bool:
    """Whether a share or a median may be told of so many cases: of ten at least, and of ten others to each who knows some."""
    return count >= BASE and not any(0 < count - mine < BASE for mine in known.values())


def shown(
    lines: Sequence[Sequence[int]],
    threshold: int,
    contributors: Sequence[Sequence[int]] | None = None,
    known: Sequence[Sequence[Known]] | None = None,
    owners: Sequence[Hashable] | None = None,
) -> list[list[Count]]:
    """The table with None where a count is hidden. `contributors` are the cases behind each count where it counts something
    else, such as clocks; a count is small when few cases stand behind it. `known` are the cases behind each count that each
    reader knows, `owners` the readers whose lines these are, where each line is one reader's."""
    behind = contributors if contributors is not None else lines
    width = len(lines[0]) if lines else 0
    found: list[list[Count]] = [list(line) for line in lines]
    for kind in range(width):
        column = [row[kind] for row in behind]
        knows = [row[kind] for row in known] if known is not None else [NOTHING] * len(column)
        for line in _hidden(column, knows, owners, threshold):
            found[line][kind] = None
    return found


def _hidden(
    column: Sequence[int], knows: Sequence[Known], owners: Sequence[Hashable] | None, threshold: int
) -> set[int]:
    """The lines of one kind that are hidden: the small ones, and of others as many as protect those from each reader."""
    hidden = {line for line, count in enumerate(column) if is_small_to_any(count, knows[line], threshold)}
    # The smallest first; what is zero only when nothing else is left, since it protects least.
    others = sorted((line for line in range(len(column)) if line not in hidden), key=lambda one: (
        column[one] == 0, column[one], one))  # fmt: skip
    readers = {reader for mine in knows for reader in mine}

    def is_safe_from(reader: Hashable, *, is_outsider: bool = False) -> bool:
        left = sum(column[line] - (0 if is_outsider else knows[line].get(reader, 0)) for line in hidden)
        unknown = sum(1 for line in hidden if is_outsider or owners is None or owners[line] != reader)
        return (left >= threshold and unknown >= 2) or (left == 0 and not is_outsider)

    while hidden and others:
        if is_safe_from(None, is_outsider=True) and all(map(is_safe_from, readers)):
            break
        hidden.add(others.pop(0))
    return hidden


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
