"""Rows of several tables as one list, ordered, counted and paged in the database.

Each source gives the same columns: `what` kind of thing it is, `source` and `key` by which its record is read once the
page is known, and the columns to order by. One query pages, one counts by kind, one for each source on the page reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import CharField, Count, QuerySet, Value
from django.db.models.functions import Cast

KEY, SOURCE, WHAT = "merged_key", "merged_source", "merged_what"


def part(rows: QuerySet[Any], source: str, what: Any, **columns: Any) -> QuerySet[Any]:
    """The rows of one source with the common columns; `what` is a code or an expression that gives one."""
    given = Value(what, CharField()) if isinstance(what, str) else Cast(what, CharField())
    marked = rows.order_by().annotate(
        **{WHAT: given, SOURCE: Value(source, CharField()), KEY: Cast("pk", CharField())}, **columns
    )
    return marked.values(WHAT, SOURCE, KEY, *columns)


def merged(parts: Sequence[QuerySet[Any]], what: str = "") -> QuerySet[Any]:
    """All parts as one query, narrowed to a kind when one is named."""
    wanted = [one.filter(**{WHAT: what}) for one in parts] if what else list(parts)
    return wanted[0].union(*wanted[1:], all=True) if len(wanted) > 1 else wanted[0]


def counts(parts: Sequence[QuerySet[Any]]) -> dict[str, int]:
    """How many there are of each kind, in one query."""
    grouped = [one.values(WHAT).annotate(merged_number=Count("pk")).values_list(WHAT, "merged_number") for one in parts]
    found: dict[str, int] = {}
    for what, number in grouped[0].union(*grouped[1:], all=True):
        found[what] = found.get(what, 0) + number
    return found


def keys_by_source(rows: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row[SOURCE], []).append(row[KEY])
    return found
