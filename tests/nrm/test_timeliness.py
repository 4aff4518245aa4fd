"""Timeliness: counted with what still runs, unprotected for whoever may see cases, with small counts hidden for others."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from nrm import survival
from nrm.actions import timeliness as actions
from nrm.actions.happenings import note
from nrm.models import Case, Clock, ClockChange, ClockCount, EventKind, TimelinessRelease
from nrm.protected import interval, safe_row, shown, total
from nrm.queries.timeliness import Asked, lines, release_tables
from nrm.timeliness import SQL_HOURS, estimate, whole_hours
from onatc.periods import Period
from tests.nrm.cases import opened

TODAY = timezone.localdate


# The estimate


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 5, 24, 96, 120, 1440]), st.booleans(), st.integers(1, 6)), max_size=12)
)
@settings(max_examples=200, deadline=None)
def test_the_estimate_over_counts_is_that_of_each_clock(rows):
    each = [(hours, finished) for hours, finished, count in rows for _ in range(count)]
    whole, found = survival.timeliness(each), estimate(rows)
    assert (found.count, found.finished) == (whole.count, whole.finished)
    assert found.median == whole.median.value and found.ninetieth == whole.ninetieth.value
    assert survival.quantile(each, Fraction(1, 2)).value == found.median


def test_what_still_runs_counts_as_having_taken_so_long():
    # three done within an hour, seven that run for two days: not half of them are done
    assert estimate([(1, True, 3), (48, False, 7)]).median is None
    assert estimate([(1, True, 3)]).median == 1
    assert estimate([]) == estimate([(1, True, 0)][:0])


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [0, 1, 3600, 3601, 345600, 345601, 5184000, 5184001, 34560000, 34560001, 99999999])
def test_durations_fall_into_the_same_classes_in_the_database(seconds):
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + SQL_HOURS.format(s="%s::numeric"), [seconds] * SQL_HOURS.count("{s}"))
        assert cursor.fetchone()[0] == whole_hours(timedelta(seconds=seconds))


# Protection


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=1, max_size=8), st.integers(3, 7))
@settings(max_examples=400, deadline=None)
def test_no_small_count_is_shown_nor_follows_from_what_is_shown(table, threshold):
    found = shown(table, threshold)
    for line, (true, cells) in enumerate(zip(table, found, strict=True)):
        for kind, cell in enumerate(cells):
            assert cell is None or cell == true[kind]
            assert cell is None or not 0 < cell < threshold
            if cell is None:
                column = [row[kind] for row in table]
                seen = any(row[kind] is not None for row in found)
                # whoever knows the total of the kind from another table, where that table could show it
                low, high = interval(found, kind, line, sum(column) if seen else None)
                assert low == 0 and (high is None or high >= threshold)
        assert total(cells) is None or all(cell is not None for cell in cells)


@given(st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=2, max_size=6), st.data())
@settings(max_examples=200, deadline=None)
def test_two_tables_that_differ_by_a_case_among_small_counts_look_the_same(table, data):
    """Where a count is small in both, or hidden in both, the one case cannot be seen (T36)."""
    line, kind = data.draw(st.integers(0, len(table) - 1)), data.draw(st.integers(0, 3))
    table[line][kind] = data.draw(st.integers(1, 3))
    more = [list(row) for row in table]
    more[line][kind] += 1
    first, second = shown(table, 5), shown(more, 5)
    assert first[line][kind] is None and second[line][kind] is None
    for other in range(4):
        if other != kind:
            assert [row[other] for row in first] == [row[other] for row in second]


def test_a_part_is_hidden_when_it_or_the_rest_is_small():
    assert safe_row(20, 8, 5) == (20, 8)
    assert safe_row(20, 18, 5) == (20, None)
    assert safe_row(20, 2, 5) == (20, None)
    assert safe_row(3, 0, 5) == (None, None)
    assert safe_row(20, 0, 5) == (20, 0)


def test_few_cases_with_many_clocks_are_few():
    assert shown([[30], [40], [9]], 5, [[2], [8], [9]]) == [[None], [None], [9]]


# The figures


def one(world: Any, day: date, *, late: bool = False, done: bool = True, code: str = "KP-THB", **more: Any) -> Case:
    case = opened(world.focal_point, on=day, code=code, **more)
    if done:
        note(case, EventKind.NOTIFIED, on=day + timedelta(days=5 if late else 0), by=None)
    return case


def of_step(user: Any, number: int, **asked: Any) -> Any:
    period = asked.pop("period", Period(date(TODAY().year - 2, 1, 1), Period.parse(f"{TODAY():%Y-%m}").end))
    found = lines(user, Asked(asked.pop("by", "step"), period, **asked))
    return next((line for line in found if line.label.startswith(f"{number}. ")), None), found


@pytest.mark.django_db
def test_figures_follow_changes_and_count_what_runs(world, django_assert_max_num_queries):
    day = TODAY() - timedelta(days=40)
    for number in range(6):
        one(world, day, late=number < 2)
    running = one(world, day, done=False)
    one(world, TODAY(), done=False)
    assert actions.refresh() >= 1
    assert actions.refresh() == 0 and not ClockChange.objects.exists()
    line, found = of_step(world.director, 2)
    assert (line.counts["met"], line.counts["met_late"], line.counts["running"], line.counts["running_late"]) == (
        4,
        2,
        1,
        1,
    )
    assert line.started == 8 and line.times.count == 8 and line.times.finished == 6
    assert line.median == "at once"
    for by in ("institution", "municipality", "month"):
        _none, rows = of_step(world.director, 2, by=by, step=str(line.key))
        assert sum(row.started for row in rows) == 8 and all(row.times is not None for row in rows)
        assert sum(row.started for row in of_step(world.director, 2, by=by)[1]) == sum(row.started for row in found)
    narrowed, _rows = of_step(world.director, 2, municipality="PRN")
    assert narrowed.cells == line.cells and narrowed.times == line.times
    assert not of_step(world.director, 2, municipality="PEJ")[1]
    # a case that was entered twice is counted once
    Case.objects.filter(pk=running.pk).update(duplicate_of=Case.objects.exclude(pk=running.pk).first())
    assert of_step(world.director, 2)[0].counts["running_late"] == 0
    with django_assert_max_num_queries(9):
        of_step(world.director, 2)
    assert actions.refresh_all() == 1 + (TODAY().month != day.month)


@pytest.mark.django_db
def test_an_institution_counts_what_it_owes_the_child_officer_children_and_others_nothing_unprotected(world):
    day = TODAY() - timedelta(days=40)
    one(world, day)
    one(world, day, profile={"age_at_referral": 12})
    actions.refresh()
    assert of_step(world.monitoring, 2)[0].started == 2
    assert of_step(world.focal_point, 2)[0].started == 2
    assert of_step(world.child, 2)[0].started == 1
    assert of_step(world.other_focal_point, 2)[0] is None
    for name in ("natc", "planning", "observer", "information", "focal_point", "child"):
        assert of_step(getattr(world, name), 2)[1] == [] or name in ("focal_point", "child")
        assert not ClockCount.objects.visible_to(getattr(world, name)).exists()


@pytest.mark.django_db
def test_a_half_year_is_released_once_with_small_counts_hidden_and_stays(world, client_for):
    start = date(TODAY().year - 1, 2, 1)
    for number in range(12):
        one(world, start + timedelta(days=number), late=number < 2)
    one(world, start, profile={"municipality_id": "PEJ"})
    assert actions.release() >= 1
    made = TimelinessRelease.objects.get(starts_on=start.replace(month=1))
    step = next(
        line
        for line in made.tables["step"]
        if line["key"] == str(Clock.objects.filter(step__number=2).first().step.lineage)
    )
    assert step["cells"][1] is None and step["started"] is None and "median" not in step
    by_place = {line["key"]: line["cells"] for line in made.tables["municipality"]}
    assert by_place["PEJ"][1] in (None, 0) and None in by_place["PEJ"]
    before = made.tables
    one(world, start, late=True)
    assert actions.release() == 0
    made.refresh_from_db()
    assert made.tables == before
    page = client_for("natc").get(reverse("nrm:timeliness"))
    assert page.status_code == 200 and "hidden" in page.content.decode() and page.context["sees_raw"] is False
    assert "chart" not in page.context and client_for("director").get(reverse("nrm:timeliness")).context["sees_all"]
    assert (
        client_for("director")
        .get(reverse("nrm:timeliness"), {"by": "x", "period": "nonsense", "step": "1"})
        .status_code
        == 200
    )


@pytest.mark.django_db
def test_released_tables_of_two_data_sets_that_differ_by_one_case_are_equal(world):
    """T36: the case of a place with few cases cannot be seen."""
    start = date(TODAY().year - 1, 2, 1)
    for number in range(8):
        one(world, start + timedelta(days=number))
    for _ in range(2):
        one(world, start, profile={"municipality_id": "PEJ"})
    bounds = actions.bounds(start, start + timedelta(days=100))
    before = release_tables(*bounds, threshold=5)["municipality"]
    one(world, start, profile={"municipality_id": "PEJ"})
    assert release_tables(*bounds, threshold=5)["municipality"] == before


@pytest.mark.django_db
def test_the_page_costs_the_same_whatever_it_shows(world, client_for, django_assert_max_num_queries):
    day = TODAY() - timedelta(days=40)
    for _ in range(3):
        one(world, day)
    actions.refresh()
    client = client_for("monitoring")
    client.get(reverse("nrm:timeliness"))
    with django_assert_max_num_queries(40):
        page = client.get(reverse("nrm:timeliness"), {"by": "institution"})
    assert page.status_code == 200 and "<svg" in page.content.decode()
