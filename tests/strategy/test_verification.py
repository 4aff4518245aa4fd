"""The check of accepted entries: findings beside what was said, samples, and what both mean for signals and counts."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onatc.errors import Refused
from onatc.models import DatedSetting, Message
from onatc.periods import Period
from strategy.actions import progress as progress_actions
from strategy.actions import rounds as round_actions
from strategy.actions import verification as actions
from strategy.actions.progress import Check
from strategy.models import (
    Finding,
    Measure,
    MeasureSignal,
    ProgressEntry,
    ProgressRequest,
    ProgressValue,
    VerificationSample,
)
from strategy.queries.verification import said_and_found, to_check
from tests.strategy.steps import accepted, submitted

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests


@pytest.fixture
def entry(world):
    """Reported completed with 20 of 20; accepted by the planning officer, so that the M&E officer may check it."""
    return accepted(world.request(), world.focal_point, world.planning, value=20, measure_state="completed")


def value_of(entry):
    return entry.values.get()


def otherwise(entry, value=8, finding=Finding.PARTLY, text="Lista e pjesëmarrësve tregon tetë.", state="under_way"):
    return Check(finding, text, state, {value_of(entry).requested_id: Decimal(value)})


def test_what_was_found_stands_beside_what_was_said_and_counts(world, entry):
    measure, period = entry.request.measure, entry.request.round.period
    assert Measure.objects.get(pk=measure.pk).state == "completed"
    progress_actions.verify_entry(entry, by=world.monitoring, check=otherwise(entry))
    entry.refresh_from_db()
    value = value_of(entry)
    assert (entry.measure_state, entry.verified_measure_state, entry.finding) == ("completed", "under_way", "partly")
    assert (value.value, value.verified_value, value.is_contradicted) == (20, 8, True)
    assert entry.is_disputed and entry.counted_state == "under_way"
    assert Measure.objects.get(pk=measure.pk).state == "under_way"
    signal = MeasureSignal.objects.get(measure=measure, starts_on=period.start)
    # (8 - 2) / (20 - 2): the verified value and state, not those reported.
    assert (signal.signal != "completed", signal.achieved_pct) == (True, Decimal("33.3"))
    assert Message.objects.filter(to=world.focal_point, subject__contains="was checked").count() == 1


def test_what_was_not_confirmed_does_not_count(world, entry):
    check = Check(Finding.NOT, "Nuk ka asnjë dëshmi.", "under_way")
    progress_actions.verify_entry(entry, by=world.monitoring, check=check)
    signal = MeasureSignal.objects.get(measure=entry.request.measure, starts_on=entry.request.round.starts_on)
    assert (signal.achieved_pct, signal.reason) == (None, "no_share")


def test_a_check_that_confirms_changes_nothing_but_the_record(world, entry):
    same = Check(Finding.VERIFIED, "", "completed", {value_of(entry).requested_id: Decimal(20)})
    progress_actions.verify_entry(entry, by=world.monitoring, check=same)
    entry.refresh_from_db()
    assert (entry.finding, entry.verified_measure_state, value_of(entry).verified_value) == ("verified", "", None)
    assert MeasureSignal.objects.get(measure=entry.request.measure, starts_on=entry.request.round.starts_on).signal == (
        "completed"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": " "}, "Say what was found"),
        ({"finding": "verified"}, "verified in part or not at all"),
        ({"finding": "maybe"}, "Choose what was found"),
    ],
)
def test_a_finding_says_what_it_found(world, entry, changes, sentence):
    with pytest.raises(Refused, match=sentence):
        progress_actions.verify_entry(entry, by=world.monitoring, check=otherwise(entry, **changes))
    entry.refresh_from_db()
    assert entry.state == "accepted" and value_of(entry).verified_value is None


def test_only_who_neither_wrote_nor_accepted_checks_and_once(world, entry):
    for name in ("planning", "focal_point", "child", "natc", "observer"):
        with pytest.raises(PermissionDenied):
            progress_actions.verify_entry(entry, by=getattr(world, name), check=otherwise(entry))
    progress_actions.verify_entry(entry, by=world.monitoring, check=otherwise(entry))
    with pytest.raises(Refused, match="done already"):
        progress_actions.verify_entry(entry, by=world.director, check=Check())
    for change in ({"finding": "verified"}, {"finding_text": "x"}, {"verified_measure_state": "completed"}):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            ProgressEntry.objects.filter(pk=entry.pk).update(**change)


@pytest.mark.django_db(transaction=True)
def test_two_people_check_at_once_one_wins_and_the_other_is_told(world):
    entry = accepted(world.request(), world.focal_point, world.planning, value=20)
    requested = value_of(entry).requested_id
    ready, outcomes = threading.Barrier(2), []

    def press(user, value) -> None:
        try:
            ready.wait(10)
            check = Check(Finding.PARTLY, "x", "", {requested: Decimal(value)})
            progress_actions.verify_entry(entry, by=user, check=check)
            outcomes.append(value)
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=one) for one in ((world.monitoring, 5), (world.director, 6))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    assert outcomes.count("told") == 1
    (won,) = (one for one in outcomes if one != "told")
    assert ProgressValue.objects.get(entry=entry).verified_value == won
    assert entry.notes.filter(kind="verified").count() == 1


# The pages


def verify_url(entry):
    return reverse("strategy:progress-verify", args=[entry.pk])


def test_the_finding_is_recorded_on_its_page_and_shown_everywhere(world, entry, client_for):
    client = client_for("monitoring")
    page = client.get(verify_url(entry)).content.decode()
    assert "Reported: 20. Empty: as reported." in page
    pk = value_of(entry).requested_id
    data = {"finding": "partly", "text": "Tetë.", "measure_state": "under_way", f"value_{pk}": "8"}
    assert client.post(verify_url(entry), data).status_code == 302
    both = "State of the measure: reported “completed”, found “under way”."
    for url in (entry.get_absolute_url(), entry.request.measure.get_absolute_url()):
        page = client.get(url).content.decode()
        assert both in page and "found by the check:" in page and "partly verified" in page and "Tetë." in page
    quarter = f"?period={entry.request.round.period.label}"
    for url in (
        reverse("strategy:measure-list") + quarter,
        world.round.get_absolute_url(),
    ):
        assert "reported: completed; found: under way" in client.get(url).content.decode(), url
    tree = client.get(world.plan.get_absolute_url() + quarter).context["tree"]
    beside = {one.pk: one.verified_state for goal in tree for leaf in goal.branches for one in leaf.measures}
    assert beside[entry.request.measure_id] == "under_way"
    board = client.get(reverse("monitoring:dashboard") + quarter).content.decode()
    assert "Found otherwise" in board
    rule = client.get(reverse("strategy:signal-rule")).content.decode()
    assert "the state and the values that the check found count" in rule
    second = client_for("director").post(verify_url(entry), data)
    assert "done already" in second.content.decode() and "Tetë." in second.content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"finding": ""}, "This field is required"),
        ({"finding": "maybe"}, "not one of the available choices"),
        ({"text": "  "}, "Say what was found"),
        ({"finding": "verified"}, "verified in part or not at all"),
        ({"measure_state": "dropped"}, "not one of the available choices"),
        ({"value": "many"}, "Enter a number"),
        ({"value": "-1"}, "greater than or equal to 0"),
        ({"text": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_bad_findings_are_named_and_lose_nothing(entry, client_for, changes, sentence):
    pk = value_of(entry).requested_id
    data = {"finding": "partly", "text": "Mbetet këtu.", "measure_state": "under_way", "value": "8"} | changes
    data[f"value_{pk}"] = data.pop("value")
    response = client_for("monitoring").post(verify_url(entry), data)
    page = response.content.decode()
    assert response.status_code == 200 and sentence in page
    if "text" not in changes:
        assert "Mbetet këtu." in page
    entry.refresh_from_db()
    assert entry.state == "accepted"


def test_who_may_open_the_pages_of_checks(world, entry, client_for):
    url = reverse("strategy:round-verification", args=[world.round.pk])
    for name, status in (
        ("monitoring", 200), ("director", 200), ("natc", 200), ("child", 200), ("focal_point", 403), ("observer", 403)
    ):  # fmt: skip
        assert client_for(name).get(url).status_code == status, name
    assert client_for("planning").post(reverse("strategy:round-draw", args=[world.round.pk])).status_code == 403
    assert client_for("focal_point").get(verify_url(entry)).status_code == 403
    assert client_for("other_focal_point").get(verify_url(entry)).status_code == 404


# Samples


def some_entries(world, number=6):
    """Accepted entries of the round, each of another measure."""
    found = []
    unanswered = ProgressRequest.objects.filter(round=world.round, institution__code="KP-THB", entries__isnull=True)
    for request in list(unanswered[:number]):
        request = ProgressRequest.objects.select_related("round", "measure", "institution").get(pk=request.pk)
        found.append(accepted(request, world.focal_point, world.planning))
    return found


def test_a_sample_is_drawn_once_when_the_round_closes_and_holds_what_is_risky(world):
    entries = some_entries(world)
    assert len(entries) >= 4
    ProgressEntry.objects.filter(pk=entries[0].pk).update(is_late=True)
    round_actions.close_round(world.round, by=world.planning)
    drawn = {one.entry_id: one.reason for one in VerificationSample.objects.all()}
    assert drawn[entries[0].pk] == "risk"
    assert list(drawn.values()).count("drawn") == 1  # 15 per cent of the others, rounded up
    assert actions.draw_sample(world.round, by=world.monitoring) == 0
    VerificationSample.objects.all().delete()
    actions.draw_sample(world.round, by=world.monitoring)
    assert {one.entry_id: one.reason for one in VerificationSample.objects.all()} == drawn


def test_a_disputed_entry_and_one_that_changed_much_are_risky(world):
    round_actions.close_round(world.round, by=None)
    period = world.round.period.previous()
    earlier = round_actions.schedule_round(world.plan, period, by=None, due_on=world.round.due_on)
    round_actions.open_round(earlier, by=None)
    before = ProgressRequest.objects.get(round=earlier, measure_code="M1.2.3")
    accepted(before, world.focal_point, world.planning, value=8)
    round_actions.close_round(earlier, by=None)
    world.round.state = "open"
    world.round.save()
    changed = accepted(world.request(), world.focal_point, world.planning, value=12)  # by half
    disputed = submitted(world.request("M2.2.1"), world.focal_point)
    for _time in range(2):
        progress_actions.return_entry(disputed, by=world.planning, comment="Pse?")
        progress_actions.submit_entry(disputed, by=world.focal_point)
    progress_actions.accept_entry(disputed, by=world.planning)
    found = {one.key: one for one in actions.candidates(world.round)}
    assert found[str(changed.pk)].change_pct == 50 and found[str(disputed.pk)].returns == 2
    DatedSetting.objects.create(name="sample_change", value=60, valid_from=world.round.starts_on)
    actions.draw_sample(world.round, by=world.director)
    assert VerificationSample.objects.get(entry=disputed).reason == "risk"
    assert not VerificationSample.objects.filter(entry=changed, reason="risk").exists()


def test_one_is_chosen_by_hand_with_the_reason(world, entry, client_for):
    client = client_for("monitoring")
    url = reverse("strategy:progress-sample", args=[entry.pk])
    assert "This field is required" in client.post(url, {"note": " "}).content.decode()
    client.post(url, {"note": "Shumë e lartë."})
    sample = VerificationSample.objects.get()
    assert (sample.reason, sample.note, sample.drawn_by) == ("by_hand", "Shumë e lartë.", world.monitoring)
    with pytest.raises(Refused, match="Only an accepted entry"):
        actions.add_to_sample(submitted(world.request("M2.2.1"), world.focal_point), by=world.monitoring, note="x")
    with pytest.raises(PermissionDenied):
        actions.add_to_sample(entry, by=world.planning, note="x")
    home = client.get("/").content.decode()
    assert "To be checked" in home and "chosen by hand" in home
    page = client.get(reverse("strategy:round-verification", args=[world.round.pk])).content.decode()
    assert "Shumë e lartë." in page and "waits" in page and verify_url(entry) in page
    rows, count = to_check(world.monitoring)
    assert ([one.entry for one in rows], count) == ([entry], 1)
    assert to_check(world.planning) == ([], 0)  # accepted it


def test_nothing_is_drawn_in_a_round_that_was_not_opened(world):
    period = Period.quarter_of(world.round.ends_on).next().next()
    later = round_actions.schedule_round(world.plan, period, by=None, due_on=period.next().start)
    with pytest.raises(Refused, match="not opened yet"):
        actions.draw_sample(later, by=world.monitoring)


def test_the_difference_between_what_was_said_and_found_is_counted(world, entry):
    others = some_entries(world, 3)
    progress_actions.verify_entry(entry, by=world.monitoring, check=otherwise(entry, value=15))  # a quarter less
    other = next(one for one in others if one.pk != entry.pk and one.values.exists())
    progress_actions.verify_entry(other, by=world.monitoring, check=Check())
    total, rows = said_and_found(world.round, world.director)
    assert (total.checked, total.verified, total.partly, total.not_verified) == (2, 1, 1, 0)
    assert (total.states, total.values, total.mean_pct) == (1, 1, Decimal("25.0"))
    assert [one.pct for one in total.differences if one.value] == [Decimal("-25.0")]
    assert rows[0].institution.code == "KP-THB" and rows[0].accepted == total.accepted


def test_the_page_of_checks_costs_the_same_with_more_entries(world, client_for):
    url, client = reverse("strategy:round-verification", args=[world.round.pk]), client_for("monitoring")

    def queries() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as caught:
            client.get(url)
        return len(caught)

    some_entries(world, 2)
    DatedSetting.objects.create(name="sample_share", value=100, valid_from=world.round.starts_on)
    actions.draw_sample(world.round, by=world.monitoring)
    few = queries()
    some_entries(world, 7)
    actions.draw_sample(world.round, by=world.monitoring)
    assert VerificationSample.objects.count() > 3
    assert queries() == few
