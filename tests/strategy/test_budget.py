"""The money of a plan on its pages: sums that add up, figures that open what is behind them, files."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from strategy.budget import Total
from strategy.models import BudgetExecution, BudgetLine, BudgetSource, Goal, Measure
from strategy.queries.budget import rows_of

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests

TODAY = timezone.localdate()


@pytest.fixture
def money(world):
    """Lines of three sources over two years on some measures; the others' budget is not known."""
    BudgetLine.objects.filter(measure__version=world.version).delete()
    year = world.plan.starts_on.year
    rows = [
        ("M1.2.3", year, BudgetSource.STATE, 100_000, (80_000, 50_050)),
        ("M1.2.3", year + 1, BudgetSource.NOT_FUNDED, 70_001, None),
        ("M2.2.1", year, BudgetSource.DONOR, 250_000, (300_000, 10)),
        ("M2.2.1", None, BudgetSource.STATE, 40_000, None),
        ("M3.1.1", year + 1, BudgetSource.NOT_FUNDED, 10_000, (4_000, 0)),
        ("M3.1.5", year, BudgetSource.OWN, 0, None),
    ]
    for code, when, source, planned, said in rows:
        line = BudgetLine.objects.create(
            measure=world.measure(code), year=when, source=source, planned_cents=planned, reference=code
        )
        if said:
            earlier = TODAY.replace(year=TODAY.year - 1, day=1)
            BudgetExecution.objects.create(
                line=line, as_of=earlier, committed_cents=9_999_999, spent_cents=1, by=world.director
            )
            BudgetExecution.objects.create(
                line=line, as_of=TODAY, committed_cents=said[0], spent_cents=said[1], by=world.director
            )
    return world


def page_of(client, world, name="strategy:plan-budget", **query):
    page = client.get(reverse(name, args=[world.plan.pk]), query)
    assert page.status_code == 200
    return page


def test_the_totals_are_those_of_the_example(money, client_for):
    context = page_of(client_for("director"), money).context
    found = context["total"].total
    assert (found.planned, found.committed, found.spent) == (470_001, 384_000, 50_060)
    assert found.gap == 76_001 and found.waiting == 20_000
    assert (found.stated, found.unstated) == (3, 3)
    assert context["measure_count"] == 57 and context["unknown_count"] == 53


def test_every_row_and_column_adds_up_and_each_figure_opens_the_lines_behind_it(money, client_for):
    client = client_for("director")
    context = page_of(client, money).context
    *rows, (_name, bottom, whole) = context["table"]
    assert whole.total == context["total"].total
    assert sum((cell.total for _label, _cells, cell in rows), Total()) == whole.total
    assert sum((cell.total for cell in bottom if cell), Total()) == whole.total
    assert sum((row.cell.total for row in context["goals"]), Total()) == whole.total
    assert sum(row.measures for row in context["goals"]) == 57
    assert sum(row.unknown for row in context["goals"]) == context["unknown_count"]
    cells = [cell for _label, row, last in context["table"] for cell in [*row, last] if cell]
    for cell in [*cells, *(row.cell for row in context["goals"])]:
        behind = client.get(cell.url).context
        assert behind["total"] == cell.total and behind["page"].paginator.count == cell.total.lines, cell.url
    behind = client.get(context["gap_url"]).context
    assert behind["total"].gap_cents == whole.total.gap_cents and behind["page"].paginator.count == 2
    assert client.get(context["waiting_url"]).context["total"].waiting_cents == whole.total.waiting_cents
    assert client.get(context["unstated_url"]).context["page"].paginator.count == whole.total.unstated
    assert client.get(context["unknown_url"]).context["page"].paginator.count == context["unknown_count"]


def test_a_filter_narrows_page_lines_and_file_alike(money, client_for):
    client = client_for("director")
    goal = Goal.objects.get(objectives__measures=money.measure("M1.2.3"))
    query = {"goal": goal.code, "source": "state", "year": "", "lead": ""}
    context = page_of(client, money, **query).context
    assert context["total"].total.planned == 100_000
    assert client.get(context["total"].url).context["total"] == context["total"].total
    response = client.get(reverse("strategy:budget-export", args=[money.plan.pk]), query | {"format": "csv"})
    rows = list(csv.reader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert len(rows) == 2 and rows[1][0] == "M1.2.3"
    assert [Decimal(cell) for cell in rows[1][8:11]] == [Decimal("1000"), Decimal("800"), Decimal("500.5")]
    everything = client.get(reverse("strategy:budget-export", args=[money.plan.pk]), {"format": "csv"})
    rows = list(csv.reader(io.StringIO(b"".join(everything).decode("utf-8-sig"))))[1:]
    assert sum(Decimal(row[8] or 0) for row in rows) == Decimal("4700.01")
    assert [(row[8], row[9]) for row in rows if row[0] == "M3.1.5"] == [("0", "")], "nothing stated is empty, not zero"
    assert client.get(reverse("strategy:budget-export", args=[money.plan.pk]), {"format": "xlsx"}).status_code == 200


def test_odd_filters_narrow_nothing_and_never_break(money, client_for):
    client = client_for("director")
    for query in ({"year": "x"}, {"year": "9" * 30}, {"source": "%00"}, {"goal": "'"}, {"show": "x"}, {"version": "x"}):
        for name in ("strategy:plan-budget", "strategy:budget-lines", "strategy:budget-unknown"):
            assert page_of(client, money, name, **query)
    assert client.get(reverse("strategy:plan-budget", args=[money.plan.pk]), {"version": "99"}).status_code == 404


def test_an_institution_sees_the_money_of_its_measures_alone(money, client_for):
    seen = Measure.objects.visible_to(money.other_focal_point).filter(version=money.version)
    context = page_of(client_for("other_focal_point"), money).context
    assert context["measure_count"] == seen.count() < 57
    planned = sum(BudgetLine.objects.filter(measure__in=seen).values_list("planned_cents", flat=True))
    assert context["total"].total.planned_cents == planned
    assert "your institution takes part in" in page_of(client_for("other_focal_point"), money).content.decode()


def test_the_pages_cost_the_same_however_many_lines_there_are(money, client_for):
    client = client_for("director")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(client, money)
            page_of(client, money, "strategy:budget-lines")
        return len(captured)

    cost()
    few = cost()
    lines = [
        BudgetLine(measure=one, source="own", year=money.plan.starts_on.year, planned_cents=5, reference="x")
        for one in money.version.measures.all()
    ]
    BudgetLine.objects.bulk_create(lines)
    BudgetExecution.objects.bulk_create(
        BudgetExecution(line=one, as_of=TODAY, committed_cents=3, spent_cents=1, by=money.director) for one in lines
    )
    assert cost() == few


def test_a_statement_in_an_earlier_version_counts_in_the_next(money):
    line = BudgetLine.objects.get(measure__version=money.version, reference="M1.2.3", source="state")
    other = BudgetLine.objects.create(
        measure=money.measure("M1.1.1"), lineage=line.lineage, source="state", planned_cents=100_000
    )
    assert rows_of(BudgetLine.objects.filter(pk=other.pk))[0].committed == 80_000
