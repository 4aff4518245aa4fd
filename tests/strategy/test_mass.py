"""What the pages of plans and rounds cost does not depend on how much there is (`tests/bench_mass.py` takes the time)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bench_mass import QUERIES, pages
from tests.mass import fill

SMALL = {"plans": 2, "measures": 120, "rounds": 4, "entries": 480}
LARGE = {"plans": 5, "measures": 600, "rounds": 15, "entries": 3_600}


@pytest.fixture
def counts(world, client_for):
    """Of each page of strategy and monitoring, the number of queries for a plan of each size."""

    def count(plan, role: str) -> dict[str, int]:
        client, found = client_for(role), {}
        for who, name, address in pages(plan):
            if who != "director":
                continue
            asked = []  # the first asks more; now and then a session is written anew
            for fresh in range(3):
                with CaptureQueriesContext(connection) as queries:
                    answer = client.get(f"{address}{'&' if '?' in address else '?'}new={len(found)}-{fresh}")
                if answer.status_code != 200 or answer.has_header("Content-Disposition"):
                    break
                asked.append(len(queries))
            if asked:
                found[name] = min(asked)
        return found

    return count


@pytest.mark.thorough
@pytest.mark.parametrize("role", ["director", "focal_point"])
def test_the_number_of_queries_of_each_page_is_the_same_for_a_few_plans_and_for_many(world, counts, role):
    few = fill(**SMALL, author=world.focal_point, reviewer=world.director)
    before = counts(few, role)
    connection.cursor().execute(
        "UPDATE strategy_round SET state = 'closed', closed_at = now() WHERE plan_id = %s", [few.pk]
    )
    many = fill(**LARGE, author=world.focal_point, reviewer=world.director, series="LARGE")
    after = counts(many, role)
    wanted = {"strategy:plan-list", "strategy:round-list", "strategy:progress-list"}
    assert set(before) == set(after) and wanted <= set(before)
    assert {name: (before[name], after[name]) for name in before if before[name] != after[name]} == {}
    if role == "director":
        assert {f"strategy:measure-list {one}" for one in QUERIES["strategy:measure-list"] if "{" not in one} <= set(
            after
        )
