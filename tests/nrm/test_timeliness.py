"""Timeliness: counted with what still runs, unprotected for whoever may see cases, with small counts hidden for others."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from fractions import Fraction
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from nrm import survival
from nrm.actions import timeliness as actions
from nrm.actions.happenings import note
from nrm.models import Case, CaseParty, Clock, ClockChange, ClockCount, EventKind, SopStep, TimelinessRelease
from nrm.protected import interval, is_base_to_all, safe_row, shown, total
from nrm.queries.sop import Told
from nrm.queries.timeliness import Asked, lines, release_tables
from nrm.timeliness import SQL_HOURS, estimate, whole_hours
from onatc.models import TrailEntry
from onatc.periods import Period
from tests.nrm.cases import institution, opened

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


@st.composite
def with_readers(draw):
    """A table, and of each count how many cases each of three readers knows."""
    table = draw(st.lists(st.lists(st.integers(0, 14), min_size=2, max_size=2), min_size=1, max_size=6))
    known = [
        [{reader: draw(st.integers(0, count)) for reader in "abc" if draw(st.booleans())} for count in row]
        for row in table
    ]
    return table, known


@given(with_readers(), st.integers(3, 7))
@settings(max_examples=400, deadline=None)
def test_no_reader_finds_a_small_count_of_others_by_what_it_knows_itself(given, threshold):
    table, known = given
    found = shown(table, threshold, known=known)
    for reader in ("a", "b", "c"):
        others = [
            [count - mine.get(reader, 0) for count, mine in zip(*row, strict=True)]
            for row in zip(table, known, strict=True)
        ]
        for kind in range(2):
            hidden = [line for line, cells in enumerate(found) if cells[kind] is None]
            assert all(not 0 < others[line][kind] < threshold for line in range(len(table)) if line not in hidden)
            left = sum(others[line][kind] for line in hidden)
            if len(hidden) < len(table) and left:  # who knows the total from another table knows what is left
                assert left >= threshold and len(hidden) >= 2


@given(st.lists(st.integers(0, 14), min_size=1, max_size=7), st.integers(3, 7))
@settings(max_examples=400, deadline=None)
def test_an_institution_that_knows_its_own_line_finds_no_line_of_another(column, threshold):
    owners = list(range(len(column)))
    found = shown(
        [[count] for count in column], threshold, None, [[{line: count}] for line, count in enumerate(column)], owners
    )
    hidden = {line for line, cells in enumerate(found) if cells[0] is None}
    if len(hidden) == len(column):
        return
    for reader in owners:
        left = [column[line] for line in hidden if line != reader]
        assert sum(left) == 0 or (len(left) >= 2 and sum(left) >= threshold)


def test_what_is_left_of_a_count_without_ones_own_cases_is_a_count_too():
    assert shown([[12], [30], [40]], 5, known=[[{"KP": 9}], [{}], [{}]]) == [[None], [None], [40]]
    assert shown([[12], [30], [40]], 5, known=[[{"KP": 12}], [{"KP": 20}], [{}]]) == [[12], [30], [40]]
    # of two hidden lines the reader knows its own: a third one is hidden
    columns: list[Any] = [[{"a": 3}], [{"b": 4}], [{"c": 9}], [{"d": 9}]]
    assert shown([[3], [4], [9], [9]], 5, known=columns, owners=list("abcd"))[2] == [None]
    assert not is_base_to_all(12, {"KP": 9}) and is_base_to_all(12, {"KP": 12}) and is_base_to_all(25, {"KP": 12})


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8), st.integers(3, 7))
@settings(max_examples=300, deadline=None)
def test_no_two_counts_that_were_told_differ_by_a_few(trials, threshold):
    told = Told(threshold)
    seen: list[tuple[Any, Any]] = []
    for whole, part in trials:
        shown = told.row("step", whole, min(part, whole))
        assert shown in ((whole, min(part, whole)), (whole, None), (None, None))
        for before in seen:
            pairs = [(shown[0], before[0]), (shown[1], before[1])]
            if None not in (*shown, *before):
                pairs.append((shown[0] - shown[1], before[0] - before[1]))
            assert not [pair for pair in pairs if None not in pair and 0 < abs(pair[0] - pair[1]) < threshold]
        seen.append(shown)


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


def table_of(world: Any, by: str, number: int = 2) -> dict[str, Any]:
    """The released line of a step, or of what else stands in the lines."""
    start = date(TODAY().year - 1, 2, 1)
    rows = {
        one["key"]: one for one in release_tables(*actions.bounds(start, start + timedelta(days=100)), threshold=5)[by]
    }
    return rows[str(SopStep.objects.get(version__number=1, number=number).lineage)] if by == "step" else rows


@pytest.mark.django_db
def test_an_institution_does_not_find_the_cases_of_another_by_subtracting_its_own(world):
    """Rule 8: twelve are many, but the police knows nine of them."""
    start = date(TODAY().year - 1, 2, 1)
    for number in range(9):
        one(world, start + timedelta(days=number))
    other = world.other_focal_point.assignments[0].institution

    def more(count: int) -> None:
        for _ in range(count):
            made = opened(world.other_focal_point, on=start, code=other.code)
            note(made, EventKind.NOTIFIED, on=start, by=None)

    more(3)
    line = table_of(world, "step")
    assert line["cells"][0] is None and line["started"] is None and "median" not in line
    more(2)  # five of others are not few
    assert table_of(world, "step")["cells"][0] == 14 and "median" not in table_of(world, "step")
    more(5)
    assert table_of(world, "step")["cells"][0] == 19 and "median" not in table_of(world, "step")
    one(world, start)  # ten are not the other one's, ten not the police's
    assert table_of(world, "step")["median"] == 0
    # the police took part in one of them once: nine are left to it, too few for a median
    CaseParty.objects.create(
        case=Case.objects.filter(opened_by=other)[0], institution=institution("KP-THB"), role="joint",
        until=timezone.now(),
    )  # fmt: skip
    assert table_of(world, "step")["cells"][0] == 20 and "median" not in table_of(world, "step")
    more(1)
    assert table_of(world, "step")["median"] == 0


@pytest.mark.django_db
def test_who_knows_all_children_does_not_find_the_adults_by_subtracting_them(world):
    start = date(TODAY().year - 1, 2, 1)
    for number in range(9):
        one(world, start, profile={"age_at_referral": 12} if number < 6 else {})
    assert table_of(world, "step")["cells"][0] is None
    for _ in range(2):
        one(world, start)
    assert table_of(world, "step")["cells"][0] == 11


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_protected_tables_are_saved_and_nothing_else(world, client_for, form):
    start = date(TODAY().year - 1, 2, 1)
    for number in range(12):
        one(world, start + timedelta(days=number), late=number < 2)
    actions.refresh_all()
    actions.release()
    release = TimelinessRelease.objects.get(starts_on=start.replace(month=1))
    url = reverse("nrm:timeliness")
    asked = {"format": form, "release": release.starts_on.isoformat()}
    assert "format=csv" in client_for("focal_point").get(url).content.decode()
    bodies = []
    for name in ("natc", "focal_point", "director"):
        answer = client_for(name).get(url, asked)
        assert f"timeliness-{release.starts_on}" in answer["Content-Disposition"]
        bodies.append(b"".join(answer) if answer.streaming else answer.content)
        entry = TrailEntry.objects.order_by("-sequence")[0]
        assert (entry.act, entry.actor, entry.record_id) == ("exported", getattr(world, name), str(release.pk))
    if form == "csv":
        assert bodies[0] == bodies[1] == bodies[2]  # the Director's own figures leave in no file
        rows = list(csv.reader(bodies[0].decode("utf-8-sig").splitlines()))
        assert len({len(row) for row in rows}) == 1
        late = [row[6:] for row in rows if row[3] == "by step" and row[4].startswith("2. ") and row[5] == "met late"]
        assert late == [["", "clocks", "hidden"]]
        assert ["10", "clocks", "shown"] in [row[6:] for row in rows]
    else:
        sheet = load_workbook(BytesIO(bodies[0])).active
        assert sheet is not None and sheet.max_row > 10 and sheet["A2"].value.date() == release.starts_on
    assert client_for("observer").get(url, asked).status_code == client_for("observer").get(url).status_code


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
