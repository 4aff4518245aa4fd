"""Pages of rounds: series, adjustment, more time, delegation; who gets where, and bad input said where it happened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc.models import Message
from stakeholders.models import Institution, Role, RoleAssignment, User
from strategy.actions import obligations
from strategy.actions import rounds as round_actions
from strategy.models import DueExtension, ProgressRequest, Round, RoundSeries
from tests.strategy.steps import accepted, drafted, submitted

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests


def in_days(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def url(name: str, *args) -> str:
    return reverse(f"strategy:{name}", args=args)


@pytest.fixture
def kp(world) -> Institution:
    return Institution.objects.get(code="KP-THB")


def series_form(world, **changes) -> dict:
    return {
        "plan": world.plan.pk,
        "frequency": "half",
        "due_days": "",
        "is_active": "on",
        "guidance_en": "Be brief.",
    } | changes


def test_a_series_is_made_and_changed_and_its_guidance_is_read(world, client_for, kp):
    client = client_for("planning")
    page = client.post(url("series-create"), series_form(world), follow=True).content.decode()
    assert "The series is kept." in page and "each half-year" in page
    series = RoundSeries.objects.get(frequency="half")
    again = client.post(url("series-create"), series_form(world)).content.decode()
    assert "The plan has a series of this frequency already; change that one." in again
    for days in ("0", "121", "-3", "many"):
        assert client.post(url("series-edit", series.pk), series_form(world, due_days=days)).status_code == 200
    client.post(url("series-edit", series.pk), series_form(world, due_days="30"))
    series.refresh_from_db()
    assert series.due_days == 30
    Round.objects.filter(pk=world.round.pk).update(series=series)
    entry = drafted(world.request(), world.focal_point)
    reader = client_for("focal_point")
    assert "Be brief." in reader.get(world.round.get_absolute_url()).content.decode()
    assert "Be brief." in reader.get(url("progress-edit", entry.pk)).content.decode()
    client.post(url("series-edit", series.pk), series_form(world, frequency="year"))
    series.refresh_from_db()
    assert series.frequency == "half"  # it has a round


def test_a_round_of_a_series_is_scheduled_by_hand(world, client_for):
    series = RoundSeries.objects.create(plan=world.plan, frequency="half", due_days=10)
    client = client_for("planning")
    period = round_actions.period_of("half", timezone.localdate())
    data = {"plan": world.plan.pk, "series": series.pk, "period": period.label, "due_on": ""}
    assert client.post(url("round-create"), data).status_code == 302
    round_ = Round.objects.get(series=series)
    assert round_.due_on >= period.end + timedelta(days=10)
    assert "already" in client.post(url("round-create"), data).content.decode()
    wrong = client.post(url("round-create"), data | {"period": "2026Q1"}).content.decode()
    assert "not one of the series" in wrong
    reversed_ = client.post(url("round-create"), data | {"series": "", "period": "2026-05-01..2026-04-01"})
    assert reversed_.status_code == 200 and "period" in reversed_.content.decode()


def test_more_time_is_asked_for_and_decided_on_the_pages(world, client_for, kp):
    reporter, office = client_for("focal_point"), client_for("director")
    ask = url("extension-ask", world.round.pk, kp.pk)
    assert ask in reporter.get("/").content.decode()
    assert "must lie after" in reporter.post(ask, {"until": in_days(2), "reason": "Floods."}).content.decode()
    reporter.post(ask, {"until": in_days(21), "reason": "Floods."})
    extension = DueExtension.objects.get()
    decide = url("extension-decide", extension.pk)
    assert decide in office.get(world.round.get_absolute_url()).content.decode()
    assert decide not in client_for("monitoring").get(world.round.get_absolute_url()).content.decode()
    assert "Say why more time is refused." in office.post(decide, {"decision": "refuse"}).content.decode()
    office.post(decide, {"decision": "grant", "until": in_days(18)})
    assert world.request().due_on.isoformat() == in_days(18)
    assert "decided already" in office.post(decide, {"decision": "refuse", "reason": "No."}).content.decode()
    page = office.get(world.round.get_absolute_url()).content.decode()
    assert "extended" in page and "Floods." in page
    office.post(url("extension-give", world.round.pk, kp.pk), {"until": in_days(30), "reason": "A week more."})
    assert world.request().due_on.isoformat() == in_days(30)
    assert "Floods." not in client_for("other_focal_point").get(world.round.get_absolute_url()).content.decode()


def test_what_is_owed_is_adjusted_on_the_pages(world, client_for):
    office, moh = client_for("planning"), Institution.objects.get(code="MOH")
    ask = url("round-ask", world.round.pk)
    data = {"measure": world.measure("M1.2.3").pk, "institution": moh.pk, "reason": "GRETA asks."}
    assert office.post(ask, data | {"reason": ""}).status_code == 200
    office.post(ask, data)
    asked = ProgressRequest.objects.get(round=world.round, institution=moh, measure_code="M1.2.3")
    assert "asked for this measure already" in office.post(ask, data).content.decode()
    assert "GRETA asks." in office.get(world.round.get_absolute_url()).content.decode()
    office.post(url("request-waive", asked.pk), {"reason": "A mistake."})
    page = office.get(world.round.get_absolute_url()).content.decode()
    assert "no longer asked for" in page and "A mistake." in page
    gone = client_for("other_focal_point").get(url("request-waive", asked.pk))
    assert gone.status_code == 404


def test_a_round_is_opened_again_on_its_page(world, client_for, kp):
    office = client_for("director")
    office.post(url("round-close", world.round.pk))
    reopen = url("round-reopen", world.round.pk)
    assert reopen in office.get(world.round.get_absolute_url()).content.decode()
    assert "in the past" in office.post(reopen, {"reason": "Lost.", "until": in_days(-1)}).content.decode()
    page = office.post(reopen, {"reason": "Two were lost.", "institutions": [kp.pk]}, follow=True).content.decode()
    assert "Two were lost." in page and "Only for:" in page
    assert Message.objects.filter(occasion__startswith="round-reopened:").exists()


def test_a_report_is_handed_on_from_the_list(world, client_for, kp):
    user = User.objects.create_user("colleague@example.org", full_name="A Colleague", language="en")
    RoleAssignment.objects.create(user=user, role=Role.FOCAL_POINT, institution=kp, starts_on=timezone.localdate())
    client, request = client_for("focal_point"), world.request()
    hand_on = url("request-delegate", request.pk)
    assert hand_on in client.get(url("progress-list")).content.decode()
    assert "A Colleague" in client.get(hand_on).content.decode()
    refused = client.post(hand_on, {"to": world.other_focal_point.pk})
    assert refused.status_code == 200 and not ProgressRequest.objects.filter(delegated_to__isnull=False).exists()
    page = client.post(hand_on, {"to": user.pk}, follow=True).content.decode()
    assert "Handed to A Colleague" in page and "The colleague was told by mail." in page
    page = client.post(hand_on, {"to": ""}, follow=True).content.decode()  # taken back: nobody is told
    assert "Handed to" not in page and "Kept." in page and "was told" not in page


def test_who_reads_a_partners_part_is_not_told_that_it_is_his(world, client_for):
    request = world.request()
    ProgressRequest.objects.filter(pk=request.pk).update(part="part", part_en="Gives the figures.")
    entry = submitted(ProgressRequest.objects.get(pk=request.pk), world.focal_point)
    page = client_for("monitoring").get(entry.get_absolute_url()).content.decode()
    assert "The institution reports its part" in page and "You report the part" not in page


def test_a_correction_says_that_it_is_one(world, client_for):
    entry = accepted(world.request(), world.focal_point, world.monitoring)
    page = client_for("focal_point").post(url("progress-correct", entry.pk), follow=True).content.decode()
    assert "You correct what was accepted on" in page and entry.get_absolute_url() in page


def test_late_is_said_in_words_on_entry_list_and_round(world, client_for):
    Round.objects.filter(pk=world.round.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    entry = submitted(world.request(), world.focal_point)
    for name, address in (
        ("director", world.round.get_absolute_url()),
        ("director", entry.get_absolute_url()),
        ("focal_point", url("progress-list")),
    ):
        assert "submitted late" in client_for(name).get(address).content.decode(), address


def test_the_page_of_a_round_costs_the_same_however_much_is_adjusted(world, client_for, kp):
    client = client_for("director")
    client.get(reverse("me"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(world.round.get_absolute_url()).status_code == 200
        return len(captured)

    drafted(world.request(), world.focal_point)
    extension = obligations.ask_for_time(
        world.round, kp, by=world.focal_point, until=timezone.localdate() + timedelta(days=15), reason="x"
    )
    obligations.delegate(world.request(), world.focal_point, by=world.focal_point)
    one = queries()
    obligations.decide_on_time(extension, by=world.director, grant=True)
    for code in ("MOH", "MES", "MLSP"):
        institution = Institution.objects.filter(code=code).first()
        if institution:
            obligations.ask_besides(world.round, world.measure("M1.2.3"), institution, by=world.planning, reason="x")
    submitted(world.request("M2.2.1"), world.focal_point)
    obligations.waive(world.request("M3.1.1"), by=world.planning, reason="x")
    assert queries() == one
