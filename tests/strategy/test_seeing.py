"""What the pages of a plan's course show, to whom, and what they cost."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from html import unescape

import pgtrigger
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc.models import TrailEntry
from onatc.periods import Period
from stakeholders.models import Institution
from strategy.actions import progress as progress_actions
from strategy.actions.signals import override_signal, refresh_version
from strategy.models import (
    BudgetExecution,
    BudgetLine,
    DueExtension,
    Measure,
    MeasureSignal,
    Milestone,
    MilestoneReached,
    ProgressEntry,
    ProgressRequest,
    Proposal,
    Recommendation,
    RecommendationAnswer,
    RightsCheck,
    Round,
)
from strategy.queries import late
from strategy.views.seeing import late_question
from tests.strategy.steps import accepted, drafted, submitted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("thawed")]  # plans in force are written for the tests
PAGES = [
    "strategy:measure-timeline",
    "strategy:round-matrix",
    "strategy:late-list",
    "strategy:plan-list",
    "strategy:round-list",
]
TODAY = timezone.localdate


def queries_of(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def many_measures(world, number: int = 300) -> None:
    pattern = world.measure("M1.2.3")
    made = Measure.objects.bulk_create(
        Measure(
            version=world.version, objective=pattern.objective, code=f"Z{n}", position=1000 + n, title_sq=f"Masa {n}",
            lead=pattern.lead, starts_on=pattern.starts_on, ends_on=TODAY() - timedelta(days=1 + n % 50),
        )
        for n in range(number)
    )  # fmt: skip
    quarter = Period.quarter_of(TODAY())
    MeasureSignal.objects.bulk_create(
        MeasureSignal(
            measure=one, starts_on=quarter.start, ends_on=quarter.end, signal="late", reason="deadline_passed",
            reason_values={"date": one.ends_on.isoformat(), "days": (TODAY() - one.ends_on).days},
        )
        for one in made
    )  # fmt: skip
    Milestone.objects.bulk_create(
        Milestone(measure=one, title_sq="Hapi", due_on=TODAY() - timedelta(days=3)) for one in made
    )


@pytest.fixture
def lived_in(world):
    """A little of everything on M1.2.3, and a measure that is late."""
    entry = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring, difficulties="Mungesa e stafit.")
    progress_actions.verify_entry(entry, by=world.director)
    measure = world.measure("M1.2.3")
    step = Milestone.objects.create(
        measure=measure, title_sq="Hapi", title_en="A step", due_on=TODAY() - timedelta(days=9)
    )
    Milestone.objects.create(
        measure=measure, title_sq="Hapi dy", title_en="Second step", due_on=TODAY() - timedelta(days=4)
    )
    MilestoneReached.objects.create(milestone=step, reached_on=TODAY(), by=world.focal_point)
    line = BudgetLine.objects.create(measure=measure, year=2026, source="donor", planned_cents=100, reference="x")
    BudgetExecution.objects.create(line=line, as_of=TODAY(), committed_cents=12345, spent_cents=100, by=world.planning)
    RightsCheck.objects.create(measure=measure, outcome="in_line", assessed_by=world.director, assessed_on=TODAY())
    greta = Recommendation.objects.create(body="greta", report="GRETA 3", published_on=date(2025, 1, 1), text_en="Do.")
    RecommendationAnswer.objects.create(recommendation=greta, measure=measure)
    Proposal.objects.create(
        plan=world.plan, measure=measure, origin="review", text="Të shtyhet.", author=world.planning
    )
    override_signal(world.measure("M2.2.1"), Period.quarter_of(TODAY()), by=world.director, signal="late", reason="X.")
    return world


# The tree


def test_each_number_of_the_tree_opens_a_list_of_that_length(lived_in, client_for):
    client = client_for("director")
    page = unescape(client.get(lived_in.plan.get_absolute_url()).content.decode())
    links = set(re.findall(r'<a href="(/measures/\?[^"]+)"><span[^>]*>[^<]*</span> <strong>(\d+)', page))
    assert len(links) > 3
    for url, number in links:
        assert client.get(url).context["page"].paginator.count == int(number), url


def test_a_large_plan_draws_one_objective_and_links_the_rest(lived_in, client_for):
    client, url = client_for("director"), lived_in.plan.get_absolute_url()
    whole = client.get(url).content.decode()
    assert "M1.2.3" in whole and "The plan is large" not in whole
    many_measures(lived_in)
    page = client.get(url)
    assert "The plan is large" in page.content.decode() and not page.context["is_whole"]
    assert all(leaf.measures is None for goal in page.context["tree"] for leaf in goal.branches)
    objective = lived_in.measure("M1.2.3").objective
    opened = client.get(url, {"open": f"{objective.goal.code}/{objective.code}"})
    leaf = next(leaf for goal in opened.context["tree"] for leaf in goal.branches if leaf.is_open)
    assert len(leaf.measures) == 200 and leaf.number > 300 and "The whole list" in opened.content.decode()
    assert client.get(url, {"open": "nonsense/\x00"}).status_code == 200


def test_the_verified_state_stands_beside_what_the_institution_says(lived_in, client_for):
    with pgtrigger.ignore("strategy.ProgressEntry:finding_is_frozen"):
        ProgressEntry.objects.update(verified_measure_state="planned")
    page = client_for("director").get(lived_in.plan.get_absolute_url())
    found = {m.code: m.verified_state for g in page.context["tree"] for leaf in g.branches for m in leaf.measures}
    assert found["M1.2.3"] == "planned" and found["M2.2.1"] is None


# Timeline


def test_the_timeline_shows_the_measures_of_the_list_goal_by_goal(lived_in, client_for):
    client = client_for("director")
    url = reverse("strategy:measure-timeline")
    page = client.get(url)
    assert sum(piece.number for _first, piece in page.context["goals"]) == 57
    shown = []
    for number in range(1, page.context["page"].paginator.num_pages + 1):
        shown += [measure.code for measure, _marks in client.get(url, {"page": number}).context["rows"]]
    assert sorted(shown) == sorted(Measure.objects.filter(version=lived_in.version).values_list("code", flat=True))
    narrowed = client.get(url, {"q": "M1.2.3"})
    assert [measure.code for measure, _marks in narrowed.context["rows"]] == ["M1.2.3"]
    text = narrowed.content.decode()
    assert "A step: reached on" in text and "Second step: due on" in text and "<svg" in text


@pytest.mark.parametrize("query", ["year=1", "year=99999999999999999999", "year=x", "page=99", "page=x", "signal=none&year=2026",
                                   "period=2026Q9", "goal=%00", "version=99999", "objective=%00"])  # fmt: skip
def test_a_timeline_survives_bad_values(world, client_for, query):
    assert client_for("observer").get(f"{reverse('strategy:measure-timeline')}?{query}").status_code == 200


def test_a_year_draws_its_quarters(world, client_for):
    year = TODAY().year
    page = client_for("natc").get(reverse("strategy:measure-timeline"), {"year": year})
    assert page.context["year"] == year and f"{year}Q3" in page.content.decode()


# Matrix


def test_the_matrix_counts_what_was_handed_in_and_what_came_late(world, client_for):
    one = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    drafted(world.request("M2.2.2"), world.focal_point) if world.request(
        "M2.2.2"
    ).institution == one.request.institution else None
    Round.objects.update(due_on=TODAY() - timedelta(days=2))
    late_one = submitted(world.request("M2.2.1"), world.focal_point)
    page = client_for("planning").get(reverse("strategy:round-matrix"))
    matrix = page.context["matrix"]
    row = next(row for row in matrix.rows if row.institution.code == "KP-THB")
    owed = ProgressRequest.objects.filter(institution__code="KP-THB").count()
    [cell] = row.cells
    assert (cell.owed, cell.on_time, cell.later) == (owed, 1, 1) and cell.state == "missing"
    assert matrix.total.owed == ProgressRequest.objects.count() and matrix.total.handed_in == 2
    assert f"2 of {owed}" in page.content.decode() and f"{owed - 2} missing; 1 late" in page.content.decode()
    narrowed = client_for("planning").get(cell.url)
    assert [r.institution.code for r in narrowed.context["rows"]] == ["KP-THB"]
    assert narrowed.context["owed"] == owed and late_one.request.institution.code == "KP-THB"


def test_an_own_due_date_and_a_waiver_count_in_the_matrix(world, client_for):
    Round.objects.update(due_on=TODAY() - timedelta(days=2))
    asked = world.request("M1.2.3")
    mine = ProgressRequest.objects.filter(institution=asked.institution)
    mine.exclude(pk=asked.pk).update(waived_reason="x")
    mine.update(extended_until=TODAY())
    submitted(asked, world.focal_point)
    [cell] = next(r for r in client_for("natc").get(reverse("strategy:round-matrix")).context["matrix"].rows
                  if r.institution.code == "KP-THB").cells  # fmt: skip
    assert (cell.owed, cell.on_time, cell.state) == (1, 1, "complete")


# What is late


def test_what_is_late_comes_with_days_and_reasons_the_longest_first(lived_in, client_for):
    Round.objects.update(due_on=TODAY() - timedelta(days=30))
    DueExtension.objects.create(
        round=lived_in.round, institution=Institution.objects.get(code="MOH"), until=TODAY(), reason="Pushime.",
        asked_by=lived_in.other_focal_point,
    )  # fmt: skip
    page = client_for("director").get(reverse("strategy:late-list"), {"print": 1})
    rows = page.context["page"].object_list
    assert page.context["total"] == len(rows) == sum(number for _code, _label, number in page.context["counts"])
    assert [row.days for row in rows] == sorted((row.days for row in rows), reverse=True)
    by_kind = {row.what for row in rows}
    assert {"report", "milestone", "extension", "late"} <= by_kind
    [step] = [row for row in rows if row.what == "milestone"]
    assert (str(step.title), step.days) == ("Second step", 4)
    assert next(row for row in rows if row.what == "report").days == 30
    assert "Pushime." in next(row for row in rows if row.what == "extension").reason


def test_the_difficulty_that_the_institution_gave_stands_below_the_reason(lived_in, client_for):
    override_signal(
        lived_in.measure("M1.2.3"), Period.quarter_of(TODAY()), by=lived_in.director, signal="late", reason="X"
    )
    [row] = [r for r in client_for("natc").get(reverse("strategy:late-list"), {"kind": "late"}).context["page"].object_list
             if r.code == "M1.2.3"]  # fmt: skip
    assert str(row.difficulty) == "Mungesa e stafit." and row.reason


@pytest.mark.parametrize("query", ["", "?kind=late", "?kind=report", "?kind=milestone", "?institution=KP-THB", "?goal=G1", "?sort=-days",
                                   "?sort=institution", "?sort=code", "?sort=nonsense", "?kind=x", "?institution=%00", "?page=9999"])  # fmt: skip
def test_counts_are_lists_and_bad_values_filter_nothing(lived_in, client_for, query):
    client = client_for("director")
    Round.objects.update(due_on=TODAY() - timedelta(days=1))
    context = client.get(reverse("strategy:late-list") + query).context
    for code, _label, number in context["counts"]:
        url = reverse("strategy:late-list") + (query + "&" if query else "?") + f"kind={code}"
        if "kind=" not in query:
            assert client.get(url).context["page"].paginator.count == number


def test_the_day_by_which_something_was_due_is_the_same_in_sql_and_in_python(world):
    quarter = Period.quarter_of(TODAY())
    signals = list(MeasureSignal.objects.filter(starts_on=quarter.start)[:4])
    cases = [("late", "deadline_passed", {}), ("no_news", "never_reported", {}), ("at_risk", "behind", {}),
             ("no_news", "report_is_old", {"date": "2025-03-31"})]  # fmt: skip
    for one, (signal, reason, values) in zip(signals, cases, strict=True):
        MeasureSignal.objects.filter(pk=one.pk).update(signal=signal, reason=reason, reason_values=values)
    asked = late_question(world.director, world.version)
    rows = [row for row in late.late_rows(asked) if row["merged_source"] == "measure"]
    shown = late.shown(rows, asked)
    assert len(rows) >= 4 and [row["merged_due"] for row in rows] == [one.due_on for one in shown]


def test_an_institution_sees_its_own_lateness_and_an_observer_no_reports(lived_in, client_for):
    Round.objects.update(due_on=TODAY() - timedelta(days=1))
    url = reverse("strategy:late-list")
    own = client_for("focal_point").get(url, {"kind": "report", "print": 1}).context["page"].object_list
    assert own and {row.institution.code for row in own} == {"KP-THB"}
    assert "report" not in {code for code, _label, _number in client_for("observer").get(url).context["counts"]}


# Story and changes


def test_the_story_tells_each_kind_that_is_there(lived_in, client_for):
    measure = lived_in.measure("M1.2.3")
    url = reverse("strategy:measure-story", args=[measure.pk])
    page = client_for("director").get(url)
    kinds = {code for code, _label, _number in page.context["told"].counts}
    assert kinds >= {"version", "adopted", "asked", "handed_in", "accepted", "verified", "milestone", "budget", "rights",
                     "recommendation", "proposal"}  # fmt: skip
    text = unescape(page.content.decode())
    for said in (
        "was accepted",
        "“A step”",
        "€123.45" if "€123.45" in text else "123.45",
        "GRETA 3",
        "Të shtyhet.",
        "01/2022",
    ):
        assert said in text
    moments = [one.at if isinstance(one.at, datetime) else None for one in page.context["page"]]
    known = [moment for moment in moments if moment]
    assert known == sorted(known, reverse=True)
    for code, _label, number in page.context["told"].counts:
        assert client_for("director").get(url, {"kind": code}).context["page"].paginator.count == number
        assert len(client_for("director").get(url, {"kind": code}).context["page"].object_list) == number


def test_the_story_keeps_from_a_reader_what_is_between_institution_and_office(world, client_for):
    entry = submitted(world.request("M1.2.3"), world.focal_point)
    progress_actions.return_entry(entry, by=world.monitoring, comment="Mungon numri.")
    url = reverse("strategy:measure-story", args=[world.measure("M1.2.3").pk])
    assert "Mungon numri." in client_for("director").get(url).content.decode()
    assert "Mungon numri." in client_for("focal_point").get(url).content.decode()
    assert "Mungon numri." not in client_for("observer").get(url).content.decode()
    entry.refresh_from_db()
    progress_actions.submit_entry(entry, by=world.focal_point)
    progress_actions.accept_entry(entry, by=world.monitoring)
    observed = client_for("observer").get(url).content.decode()
    assert "was accepted" in observed and "Mungon numri." not in observed and "was handed in" not in observed


def test_a_story_of_somebody_else_is_not_there(world, client_for):
    other = Measure.objects.filter(version=world.version).exclude(lead__code="MOH").exclude(
        partnerships__institution__code="MOH").first()  # fmt: skip
    assert client_for("other_focal_point").get(reverse("strategy:measure-story", args=[other.pk])).status_code == 404


def test_changes_are_told_since_a_day_and_not_before(lived_in, client_for):
    url = reverse("strategy:plan-changes", args=[lived_in.plan.pk])
    client = client_for("director")
    today = client.get(url, {"since": TODAY().isoformat()})
    counts = {code: number for code, _label, number in today.context["told"].counts}
    assert counts["accepted"] == counts["milestone"] == counts["override"] == counts["proposal"] == 1
    assert counts["asked"] == 1 and "adopted" not in counts
    codes = [one.measure.code if one.measure else "" for one in today.context["page"]]
    assert codes == sorted(codes)
    assert "M1.2.3" in today.content.decode()
    tomorrow = client.get(url, {"since": (TODAY() + timedelta(days=1)).isoformat()})
    assert tomorrow.context["told"].total == 0 and "Nothing changed" in tomorrow.content.decode()
    before = client.get(url, {"since": "1990-01-01", "until": (TODAY() - timedelta(days=1)).isoformat()})
    assert {code for code, _l, _n in before.context["told"].counts} <= {"adopted", "signal"}


def test_a_change_of_signal_and_of_state_and_an_override_taken_back_are_told(lived_in, client_for):
    measure, quarter = lived_in.measure("M2.2.1"), Period.quarter_of(TODAY())
    refresh_version(lived_in.version)
    override_signal(measure, quarter, by=lived_in.director, signal="", reason="")
    accepted(lived_in.request("M2.2.1"), lived_in.focal_point, lived_in.monitoring, measure_state="completed")
    page = client_for("director").get(
        reverse("strategy:plan-changes", args=[lived_in.plan.pk]), {"since": TODAY().isoformat(), "print": 1}
    )
    counts = {code: number for code, _label, number in page.context["told"].counts}
    assert counts["state"] >= 1 and counts["override_ended"] == 1 and counts["signal"] >= 1
    text = unescape(page.content.decode())
    assert "to “completed”" in text and "was taken back" in text and "before it was" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=2026-13-45", "Enter a valid date"), ("since=0001-01-01", "between 1990 and 2100"),
        ("since=9999-12-31", "between 1990 and 2100"), ("since=2026-05-02&until=2026-05-01", "must not lie before"),
        ("kind=nonsense", "Select a valid choice"), ("since=%00", ""), ("until=2001-01-01", ""), ("page=x", ""),
    ],
)  # fmt: skip
def test_bad_days_are_said_at_the_field(world, client_for, query, said):
    page = client_for("natc").get(reverse("strategy:plan-changes", args=[world.plan.pk]) + "?" + query)
    assert page.status_code == 200 and said in page.content.decode()


@pytest.mark.parametrize(
    "query", ["period=2026Q7", "period=0001", "period=9999", "kind=%00", "period=2026-05-02..2026-05-01"]
)
def test_a_story_survives_bad_periods(world, client_for, query):
    page = client_for("natc").get(reverse("strategy:measure-story", args=[world.measure("M1.2.3").pk]) + "?" + query)
    assert page.status_code == 200 and "invalid-feedback" in page.content.decode()


def test_the_last_visit_is_the_sign_in_before_this_one(world, client_for):
    from onatc import trail

    client = client_for("natc")
    url = reverse("strategy:plan-changes", args=[world.plan.pk])
    assert "since my last visit" not in client.get(url).content.decode()
    for _time in range(2):
        trail.record(trail.Act.SIGNED_IN, by=world.natc)
    assert "since my last visit" in client.get(url).content.decode()
    assert TrailEntry.objects.filter(actor=world.natc).count() >= 2


# What pages cost, and lists as files


@pytest.mark.parametrize("name", ["timeline", "matrix", "late", "tree", "changes", "story", "rounds", "plans"])
def test_a_page_costs_the_same_when_there_is_much_more(lived_in, client_for, name, settings):
    settings.KEEP_PAGES_SECONDS = 0
    client = client_for("director")
    measure = lived_in.measure("M1.2.3")
    url = {
        "timeline": reverse("strategy:measure-timeline") + "?goal=" + measure.objective.goal.code,
        "matrix": reverse("strategy:round-matrix"),
        "late": reverse("strategy:late-list"),
        "tree": lived_in.plan.get_absolute_url() + f"?open={measure.objective.goal.code}/{measure.objective.code}",
        "changes": reverse("strategy:plan-changes", args=[lived_in.plan.pk]),
        "story": reverse("strategy:measure-story", args=[measure.pk]),
        "rounds": reverse("strategy:round-list"),
        "plans": reverse("strategy:plan-list"),
    }[name]
    Round.objects.update(due_on=TODAY() - timedelta(days=1))
    client.get(reverse("me"))
    before = queries_of(client, url)
    many_measures(lived_in)
    for code in ("M1.1.1", "M2.2.2"):
        asked = lived_in.request(code)
        writer = lived_in.focal_point
        if asked.institution_id in writer.institution_ids:
            accepted(asked, writer, lived_in.monitoring)
    for day in range(60):
        MilestoneReached.objects.create(
            milestone=Milestone.objects.create(measure=measure, title_sq="Hapi", due_on=TODAY()),
            reached_on=TODAY() - timedelta(days=day), by=lived_in.planning,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE (SKIP_LOCKED)")  # what the database does by itself within a minute
    assert queries_of(client, url) <= before <= 45


@pytest.mark.parametrize("what", ["plans", "rounds", "progress", "imports", "late", "matrix", "story", "changes"])
def test_each_list_is_saved_as_csv_and_xlsx_with_its_rows(lived_in, client_for, what):
    client = client_for("director")
    query = {"story": f"?measure={lived_in.measure('M1.2.3').pk}", "changes": f"?plan={lived_in.plan.pk}"}.get(
        what, "?"
    )
    url = reverse("strategy:list-export", args=[what]) + query
    answer = client.get(url + "&format=csv")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert answer.status_code == 200 and len({len(row) for row in rows}) == 1
    if what not in ("progress",):
        assert len(rows) > 1
    assert client.get(url + "&format=xlsx").content.startswith(b"PK")
    if what == "late":
        assert len(rows) - 1 == client.get(reverse("strategy:late-list")).context["total"]


def test_a_list_as_a_file_asks_for_the_right_of_its_page(world, client_for):
    def status(name, what, query=""):
        return client_for(name).get(reverse("strategy:list-export", args=[what]) + query).status_code

    assert [status("focal_point", what) for what in ("plans", "rounds", "late")] == [200, 200, 200]
    assert [status("focal_point", what) for what in ("imports", "matrix", "progress")] == [403, 403, 403]
    assert [status("observer", what) for what in ("plans", "rounds", "matrix", "progress")] == [200, 403, 403, 403]
    assert status("stranger", "plans") == 403 and status("director", "nonsense") == 404
    assert status("director", "story") == status("director", "story", "?measure=x") == 404
    other = Measure.objects.filter(version=world.version).exclude(lead__code="MOH").exclude(
        partnerships__institution__code="MOH").first()  # fmt: skip
    assert status("other_focal_point", "story", f"?measure={other.pk}") == 404


def test_who_may_open_what(world, client_for):
    def status(name):
        return [client_for(name).get(reverse(page)).status_code for page in PAGES]

    assert status("director") == status("natc") == [200] * 5
    assert status("focal_point") == [200, 403, 200, 200, 200]
    assert status("observer") == [200, 403, 200, 200, 403]
    assert status("administrator")[:3] == [403, 403, 403] == status("stranger")[:3]


def test_without_a_plan_each_page_says_so(world, client_for):
    client = client_for("director")
    world.plan.versions.update(state="undone")
    for page in PAGES[:3]:
        answer = client.get(reverse(page))
        assert answer.status_code == 200
    assert "There is no action plan yet" in client.get(reverse("strategy:late-list")).content.decode()
