"""Every number opens the list behind it; homes say what waits; pages cost the same however many rows there are."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.formats import date_format

from monitoring.management.commands.access_matrix import sign_in
from strategy.actions import rounds as round_actions
from strategy.actions.signals import override_signal
from strategy.models import Measure, MeasureState, ProgressRequest
from tests.strategy.steps import accepted, drafted, submitted

LINK = re.compile(r'<a href="(/measures/\?[^"]+)">(?:<span[^>]*>[^<]*</span> )?(?:<strong>)?(\d+)')


@pytest.fixture
def lived_in(world):
    """A round with two accepted reports, one of them on a completed measure, and an overridden signal."""
    accepted(world.request("M1.2.3"), world.focal_point, world.monitoring, value=20, measure_state="completed")
    accepted(world.request("M2.2.1"), world.focal_point, world.monitoring, value=81)
    override_signal(world.measure("M2.2.2"), world.round.period.next(), by=world.director, signal="late", reason="X.")
    return world


@pytest.mark.parametrize("query", ["", "?goal=G2", "?institution=KP-THB", "?period=2020Q1", "?state=completed"])
def test_each_number_of_the_dashboard_is_the_length_of_the_list_behind_it(lived_in, client_for, query):
    client = client_for("natc")
    page = unescape(client.get(reverse("monitoring:dashboard") + query).content.decode())
    links = set(LINK.findall(page))
    assert links or "No measure matches" in page
    for url, number in links:
        assert client.get(url).context["page"].paginator.count == int(number), url


def test_the_goals_add_up_to_the_standing(lived_in, client_for):
    context = client_for("director").get(reverse("monitoring:dashboard")).context
    assert sum(row.total.number for row in context["goal_rows"]) == context["standing"].total == 57
    assert sum(row.total.number for row in context["institution_rows"]) == 57
    assert {code: cell.number for code, _label, cell in context["standing"].cells}["completed"] == 1


@pytest.mark.parametrize("url", ["monitoring:dashboard", "strategy:measure-list", "home"])
def test_a_page_costs_the_same_for_57_and_for_557_measures(world, thawed, client_for, url):
    client = client_for("director")
    client.get(reverse("me"))  # the day's first request notes that its reader was seen

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(url)).status_code == 200
        return len(captured)

    before = queries()
    pattern = Measure.objects.filter(version=world.version).first()
    Measure.objects.bulk_create(
        Measure(
            version=world.version,
            objective=pattern.objective,
            code=f"Z{number}",
            position=1000 + number,
            title_sq="Masa",
            lead=pattern.lead,
            starts_on=pattern.starts_on,
            ends_on=pattern.ends_on,
        )
        for number in range(500)
    )
    assert queries() == before <= 32


def test_the_measure_list_finds_without_diacritics_and_sorts_and_exports_by_the_same_filter(lived_in, client_for):
    client = client_for("planning")
    url = reverse("strategy:measure-list")
    assert (
        [m.code for m in client.get(url, {"q": "femijeve"}).context["page"]]
        == [m.code for m in client.get(url, {"q": "fëmijëve"}).context["page"]]
        != []
    )
    assert client.get(url, {"q": "M1.2.3"}).context["page"].paginator.count == 1
    assert {m.code[:5] for m in client.get(url, {"q": "m1.2."}).context["page"]} == {"M1.2."}
    titles = [str(m.title) for m in client.get(url, {"sort": "title"}).context["page"]]
    assert titles == sorted(titles)
    export = client.get(reverse("strategy:measure-export"), {"goal": "G3", "format": "csv"})
    count = client.get(url, {"goal": "G3"}).context["page"].paginator.count
    assert len(b"".join(export.streaming_content).decode().strip().splitlines()) == count + 1


@pytest.mark.parametrize(
    "query",
    ["?sort=password", "?sort=lead__users__email", "?signal=%27", "?period=soon", "?page=-1", "?page=999999", "?q=%25",
     "?q=%27;--", "?q=" + "x" * 5000, "?goal=G9", "?plan=", "?version=abc", "?_connector=OR", "?institution=%00"],
)  # fmt: skip
def test_no_query_string_breaks_a_page(world, client_for, query):
    """T10."""
    for url in ("strategy:measure-list", "monitoring:dashboard", "strategy:measure-export"):
        assert client_for("director").get(reverse(url) + query).status_code in (200, 404)
    assert client_for("director").get(reverse("stakeholders:institution-list") + query).status_code == 200


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("natc", "Is the country on course?"),
        ("director", "Today in the office"),
        ("information", "Today in the office"),
        ("focal_point", "Your institution owes"),
        ("local", "Your institution owes nothing now."),
        ("observer", "Where the plan stands"),
        ("administrator", "is not shown to administrators"),
        ("stranger", "holds no role today"),
    ],
)
def test_each_role_has_its_home(world, client_for, name, sentence):
    assert sentence in client_for(name).get("/").content.decode()


def test_a_focal_points_home_says_how_much_is_due_by_which_day(world, client_for):
    """The nearest day with what is due by it, what comes later, and what was returned, each with its own number."""
    from datetime import timedelta

    from strategy.actions import progress as progress_actions

    def headline() -> str:
        page = client_for("focal_point").get("/").content.decode()
        return " ".join(re.sub(r"<[^>]+>", "", page.split('class="headline">')[1].split("</p>")[0]).split())

    later = world.round.due_on + timedelta(days=20)
    codes = ("M1.2.3", "M2.2.1", "M2.2.2", "M3.1.1", "M3.1.5")
    assert headline() == f"Your institution owes 5 reports by {date_format(world.round.due_on, 'DATE_FORMAT')}."
    ProgressRequest.objects.filter(pk=world.request(codes[4]).pk).update(extended_until=later)
    entry = submitted(world.request(codes[0]), world.focal_point)
    progress_actions.return_entry(entry, by=world.monitoring, comment="Where?")
    assert headline() == (
        f"Your institution owes 3 reports by {date_format(world.round.due_on, 'DATE_FORMAT')}. "
        f"One more is due later, by {date_format(later, 'DATE_FORMAT')}. One report was returned to your institution."
    )


def test_a_measure_of_a_plan_whose_time_is_over_is_not_on_the_home_of_a_focal_point(world, client_for):
    from strategy.models import Plan

    code = "M1.2.3 "
    measures = client_for("focal_point").get("/").content.decode().split("takes part")[1]
    assert code in measures
    Plan.objects.update(starts_on="2015-01-01", ends_on="2019-12-31")
    page = client_for("focal_point").get("/").content.decode()
    assert "takes part in no measure" in page


def test_what_was_not_handed_in_when_its_round_closed_stays_in_sight(world, client_for):
    entry = drafted(world.request(), world.focal_point)
    kept = "Not handed in when the round closed"
    pages = ("home", "strategy:progress-list")
    assert all(kept not in client_for("focal_point").get(reverse(page)).content.decode() for page in pages)
    round_actions.close_round(world.round, by=world.director)
    for page in pages:
        shown = client_for("focal_point").get(reverse(page)).content.decode()
        assert kept in shown and reverse("strategy:progress-edit", args=[entry.pk]) in shown
        assert kept not in client_for("director").get(reverse(page)).content.decode()
        assert kept not in client_for("other_focal_point").get(reverse(page)).content.decode()


def test_an_institutions_lists_and_numbers_do_not_move_when_anothers_do(world, client_for):
    """T5."""
    client = client_for("focal_point")

    def seen() -> list[str]:
        pages = ("home", "strategy:progress-list", "strategy:round-list", "strategy:measure-list")
        # the token, and the seconds that the session has left, change by themselves
        passing = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"|wait-m\d+|data-left="\d+"|data-time>[^<]*')
        return [passing.sub("", client.get(reverse(page)).content.decode()) for page in pages]

    before = seen()
    request = world.request("M2.1.3")
    assert request.institution.code == "MOH"
    submitted(request, world.other_focal_point)
    assert seen() == before


def test_a_dropped_role_sees_nothing_more(world, client_for):
    from datetime import timedelta

    from django.utils import timezone

    from stakeholders.models import RoleAssignment

    client = client_for("focal_point")
    assert client.get(reverse("strategy:measure-list")).status_code == 200
    RoleAssignment.objects.filter(user=world.people["focal_point"]).update(
        ends_on=timezone.localdate() - timedelta(days=1)
    )
    assert client.get(reverse("strategy:measure-list")).status_code == 403


def test_without_any_plan_each_page_says_what_comes_first(reference_data, client):
    from datetime import date

    from stakeholders.models import Institution, Role, RoleAssignment, User

    for role in (Role.DIRECTOR, Role.NATC, Role.FOCAL_POINT, Role.OBSERVER):
        user = User.objects.create_user(f"{role}@example.org", full_name=role, language="en")
        RoleAssignment.objects.create(
            user=user, role=role, institution=Institution.objects.get(code="ONATC"), starts_on=date(2020, 1, 1)
        )
        sign_in(client, user)
        for url in ("home", "strategy:plan-list", "strategy:measure-list", "strategy:round-list"):
            assert client.get(reverse(url)).status_code in (200, 403)
    sign_in(client, User.objects.get(email="director@example.org"))
    assert "There is no action plan yet" in client.get(reverse("monitoring:dashboard")).content.decode()


def test_reminders_are_one_mail_a_person_once_an_occasion(world):
    from datetime import timedelta

    from onatc.models import Message

    due = world.round.due_on
    assert round_actions.remind(on=due - timedelta(days=8)) == 0
    first = round_actions.remind(on=due - timedelta(days=7))
    assert first > 10 and round_actions.remind(on=due - timedelta(days=6)) == 0
    mine = Message.objects.get(to=world.people["focal_point"])
    owed = [code for code in ("M1.2.3", "M2.2.1", "M2.2.2", "M3.1.1", "M3.1.5") if code in mine.text]
    assert len(owed) == 5
    for code in owed:
        submitted(world.request(code), world.focal_point)
    round_actions.remind(on=due)
    assert Message.objects.filter(to=world.people["focal_point"]).count() == 1
    late = round_actions.remind(on=due + timedelta(days=40))  # beat was away: the newest occasion alone
    assert late == Message.objects.filter(occasion__contains=(due + timedelta(days=38)).isoformat()).count() > 0


def test_a_reminder_by_hand_goes_out_once_a_day(world, client_for):
    url = reverse("strategy:round-remind", args=[world.round.pk, world.request().institution_id])
    client = client_for("monitoring")
    assert "1 person was reminded" in client.post(url, follow=True).content.decode()
    assert "Nobody was reminded" in client.post(url, follow=True).content.decode()


def test_due_rounds_open_by_themselves_once(world):
    from datetime import timedelta

    from strategy.models import Round

    round_actions.close_round(world.round, by=world.planning)
    period = world.round.period.next()
    round_actions.schedule_round(world.plan, period, by=None, due_on=round_actions.usual_due_date(period))
    assert round_actions.open_due_rounds(on=period.end) == 0
    assert round_actions.open_due_rounds(on=period.end + timedelta(days=1)) == 1
    assert round_actions.open_due_rounds(on=period.end + timedelta(days=2)) == 0
    assert Round.objects.filter(state="open").count() == 1


def test_a_measures_page_tells_its_state_reason_history_and_changes(lived_in, client_for):
    page = client_for("director").get(lived_in.measure("M1.2.3").get_absolute_url()).content.decode()
    assert "The lead institution reported it completed" in page and "frozen" in page
    assert "<del>not started</del> → <ins>completed</ins>" in page
    assert str(MeasureState.COMPLETED.label) in page
