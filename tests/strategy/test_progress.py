"""The life of a progress entry, from the request to the verified answer, and what must not be possible."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onatc.errors import Refused
from onatc.models import Code, Message
from strategy.actions import progress as actions
from strategy.actions import rounds as round_actions
from strategy.actions.progress import Given
from strategy.models import (
    EntryState,
    Measure,
    MeasureSignal,
    MeasureState,
    ProgressEntry,
    ProgressValue,
    RequestedIndicator,
    Round,
)
from strategy.queries.progress import owed_by, round_matrix, round_requests
from tests.strategy.steps import accepted, answer, drafted, submitted


def test_an_open_round_asks_every_lead_and_copies_wording_and_targets(world, thawed):
    asked = world.request("M1.2.3")
    assert asked.institution.code == "KP-THB"
    Measure.objects.filter(pk=asked.measure_id).update(title_sq="Tjetër")
    asked.refresh_from_db()
    assert asked.measure_title_sq.startswith("Kontrolle të përbashkëta")
    indicator = RequestedIndicator.objects.get(request=asked)
    assert (indicator.baseline, indicator.target, indicator.unit) == (Decimal(2), Decimal(20), "number")


def test_what_is_owed_is_found_by_its_institution_alone(world):
    assert {one.request.institution.code for one in owed_by(world.focal_point)} == {"KP-THB"}
    assert {one.state for one in owed_by(world.focal_point)} == {"owed"}
    assert owed_by(world.observer) == []


def test_the_whole_way_to_accepted_sets_state_and_signal(world):
    request = world.request()
    entry = submitted(request, world.focal_point, value=20, measure_state=MeasureState.COMPLETED)
    actions.accept_entry(entry, by=world.monitoring)
    measure = Measure.objects.get(pk=request.measure_id)
    assert measure.state == MeasureState.COMPLETED
    signal = MeasureSignal.objects.get(measure=measure, starts_on=request.round.starts_on)
    assert (signal.signal, signal.achieved_pct) == ("completed", Decimal("100.0"))
    assert [note.kind for note in entry.notes.all()] == ["submitted", "accepted"]


def test_every_return_stays_in_the_thread_and_is_told_once(world):
    entry = submitted(world.request(), world.focal_point)
    actions.return_entry(entry, by=world.monitoring, comment="Which districts?")
    actions.submit_entry(entry, by=world.focal_point)
    actions.return_entry(entry, by=world.monitoring, comment="And the evidence?")
    kinds = [(note.kind, note.comment) for note in entry.notes.all()]
    assert kinds == [
        ("submitted", ""),
        ("returned", "Which districts?"),
        ("resubmitted", ""),
        ("returned", "And the evidence?"),
    ]
    assert Message.objects.filter(to=world.focal_point, occasion__startswith="review:").count() == 2
    assert owed_by(world.focal_point)[0].comment == "And the evidence?"


def test_a_return_needs_a_comment(world):
    entry = submitted(world.request(), world.focal_point)
    with pytest.raises(Refused):
        actions.return_entry(entry, by=world.monitoring, comment="  ")


def test_submitting_twice_is_submitting_once(world):
    entry = submitted(world.request(), world.focal_point)
    actions.submit_entry(entry, by=world.focal_point)
    assert entry.notes.count() == 1


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"done": "  "}, "what was done"),
        ({"value": None}, "Each indicator needs a value"),
        ({"is_nil": True, "done": ""}, "why there is nothing"),
    ],
)
def test_an_incomplete_entry_is_kept_but_not_handed_in(world, changes, part):
    entry = drafted(world.request(), world.focal_point, **changes)
    with pytest.raises(Refused, match=part):
        actions.submit_entry(entry, by=world.focal_point)
    entry.refresh_from_db()
    assert entry.state == EntryState.DRAFT


def test_a_reason_stands_for_a_value_and_a_nil_return_needs_none(world):
    request = world.request()
    reason = Code.objects.get(code_list="missing_reason", code="NA_NOTCOLL")
    values = {one.pk: Given(reason=reason.pk) for one in request.indicators.all()}
    submitted(request, world.focal_point, values=values)
    assert ProgressValue.objects.get().value is None
    nil = world.request("M3.1.1")
    assert submitted(nil, world.focal_point, value=None, is_nil=True, done="Pa veprimtari.").is_nil


def test_after_the_round_closed_the_text_is_kept_and_the_writer_is_told(world):
    entry = drafted(world.request(), world.focal_point)
    round_actions.close_round(world.round, by=world.planning)
    saved = actions.save_entry(
        entry, answer(entry.request, done="Edhe kjo."), by=world.focal_point, revision=entry.revision
    )
    with pytest.raises(Refused, match="kept as a draft"):
        actions.submit_entry(saved, by=world.focal_point)
    saved.refresh_from_db()
    assert (saved.state, saved.done) == (EntryState.DRAFT, "Edhe kjo.")


def test_a_stale_form_shows_both_texts_and_overwrites_nothing(world):
    entry = drafted(world.request(), world.focal_point, done="E para.")
    old = entry.revision
    actions.save_entry(entry, answer(entry.request, done="E dyta."), by=world.focal_point, revision=old)
    with pytest.raises(actions.Stale) as caught:
        actions.save_entry(entry, answer(entry.request, done="E treta."), by=world.focal_point, revision=old)
    assert caught.value.theirs.done == "E dyta."
    entry.refresh_from_db()
    assert entry.done == "E dyta."


def test_the_same_form_sent_twice_is_no_conflict(world):
    entry = drafted(world.request(), world.focal_point, done="E para.")
    old = entry.revision
    same = answer(entry.request, done="E dyta.")
    once = actions.save_entry(entry, same, by=world.focal_point, revision=old)
    again = actions.save_entry(entry, same, by=world.focal_point, revision=old)
    assert once.done == again.done == "E dyta."


def test_others_may_not_write_review_or_verify(world):
    request = world.request()
    with pytest.raises(PermissionDenied):
        actions.start_entry(request, by=world.other_focal_point)
    entry = submitted(request, world.focal_point)
    for name in ("focal_point", "natc", "child", "observer", "administrator"):
        with pytest.raises(PermissionDenied):
            actions.accept_entry(entry, by=getattr(world, name))
    actions.accept_entry(entry, by=world.monitoring)
    with pytest.raises(PermissionDenied, match="cannot verify"):
        actions.verify_entry(entry, by=world.monitoring)
    actions.verify_entry(entry, by=world.director)
    entry.refresh_from_db()
    assert (entry.state, entry.verified_by) == (EntryState.VERIFIED, world.director)


def test_nobody_accepts_what_they_submitted(world):
    request = world.request("M4.1.1")  # led by the Coordinator; the planning officer reports on it
    entry = submitted(request, world.planning)
    with pytest.raises(PermissionDenied, match="Nobody reviews"):
        actions.accept_entry(entry, by=world.planning)


def test_an_accepted_entry_cannot_be_changed_even_in_the_database(world):
    entry = accepted(world.request(), world.focal_point, world.monitoring)
    for change in ({"done": "x"}, {"measure_state": "completed"}):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            ProgressEntry.objects.filter(pk=entry.pk).update(**change)
    with pytest.raises(PermissionDenied):
        actions.save_entry(entry, answer(entry.request), by=world.focal_point, revision=entry.revision)


def test_a_correction_is_a_new_entry_and_counts_once_accepted(world):
    entry = accepted(world.request(), world.focal_point, world.monitoring, value=12)
    correction = actions.start_correction(entry, by=world.focal_point)
    assert actions.start_correction(entry, by=world.focal_point) == correction
    assert set(ProgressEntry.objects.final()) == {entry}
    actions.save_entry(correction, answer(entry.request, value=11), by=world.focal_point, revision=correction.revision)
    actions.submit_entry(correction, by=world.focal_point)
    actions.accept_entry(correction, by=world.monitoring)
    assert set(ProgressEntry.objects.final()) == {correction}
    signal = MeasureSignal.objects.get(measure=entry.request.measure, starts_on=world.round.starts_on)
    assert signal.achieved_pct == Decimal("50.0")  # (11 - 2) / (20 - 2)


def test_an_older_report_accepted_later_does_not_set_the_state_back(world):
    newer = accepted(world.request(), world.focal_point, world.monitoring, measure_state=MeasureState.COMPLETED)
    round_actions.close_round(world.round, by=world.planning)
    before = world.round.period.previous()
    Measure.objects.filter(pk=newer.request.measure_id).update(state=MeasureState.UNDER_WAY)
    older = round_actions.schedule_round(world.plan, before, by=None, due_on=world.round.due_on)
    round_actions.open_round(older, by=None)
    Measure.objects.filter(pk=newer.request.measure_id).update(state=MeasureState.COMPLETED)
    request = older.requests.get(measure_code="M1.2.3")
    accepted(request, world.focal_point, world.monitoring, measure_state=MeasureState.PLANNED)
    assert Measure.objects.get(pk=newer.request.measure_id).state == MeasureState.COMPLETED


def test_only_one_round_of_a_plan_is_open_and_none_before_its_period(world):
    later = world.round.period.next().next()
    future = round_actions.schedule_round(world.plan, later, by=world.planning, due_on=later.next().end)
    with pytest.raises(Refused, match="has not begun"):
        round_actions.open_round(future, by=world.planning)
    running = world.round.period.next()
    second = round_actions.schedule_round(world.plan, running, by=world.planning, due_on=later.end)
    with pytest.raises(Refused, match="Another round"):
        round_actions.open_round(second, by=world.planning)
    with pytest.raises(Refused, match="already"):
        round_actions.schedule_round(world.plan, running, by=world.planning, due_on=later.end)
    with pytest.raises(PermissionDenied):
        round_actions.close_round(world.round, by=world.monitoring)


def test_the_matrix_of_a_round_counts_what_it_lists(world):
    submitted(world.request(), world.focal_point)
    rows = {row.institution.code: row for row in round_matrix(world.round, world.director)}
    row = rows["KP-THB"]
    asked = round_requests(world.round, world.director, "KP-THB").count()
    assert (row.owed, row.submitted, row.outstanding) == (asked, 1, asked - 1)
    assert {r.institution.code for r in round_matrix(world.round, world.focal_point)} == {"KP-THB"}


@pytest.mark.parametrize("name", ["monitoring", "focal_point"])
def test_the_list_costs_the_same_however_much_waits(world, client_for, name):
    client = client_for(name)
    client.get(reverse("me"))  # the day's first request notes that its reader was seen

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("strategy:progress-list")).status_code == 200
        return len(captured)

    submitted(world.request("M1.2.3"), world.focal_point)
    one = queries()
    for code in ("M2.2.1", "M2.2.2", "M3.1.1"):
        submitted(world.request(code), world.focal_point)
    assert queries() == one <= 9


@pytest.mark.django_db(transaction=True)
def test_two_people_accept_at_once_one_wins_and_the_other_is_told(world):
    entry = submitted(world.request(), world.focal_point)
    people = [world.monitoring, world.planning]
    ready, outcomes = threading.Barrier(2), []

    def press(user) -> None:
        try:
            ready.wait(10)
            actions.accept_entry(entry, by=user)
            outcomes.append("accepted")
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    assert sorted(outcomes) == ["accepted", "told"]
    assert entry.notes.filter(kind="accepted").count() == 1
    assert Round.objects.count() == 1
