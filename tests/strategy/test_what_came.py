"""What a request says of being handed in is what its entries say: after every act, for everybody, two at once, from before."""

from __future__ import annotations

import importlib
import random
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc.errors import Refused
from stakeholders.models import Institution, Role, RoleAssignment
from strategy.actions import obligations
from strategy.actions import progress as actions
from strategy.actions import rounds as round_actions
from strategy.invariants import requests_know_what_came
from strategy.models import FINAL_STATES, EntryState, ProgressEntry, ProgressRequest, Round
from strategy.queries.progress import round_matrix, round_requests, with_answers
from strategy.queries.submissions import counted, rounds_of
from tests.strategy.steps import accepted, answer, drafted, submitted

CODES = ("M1.2.3", "M2.2.1", "M2.2.2", "M3.1.1")  # of KP-THB
CAME = {EntryState.SUBMITTED, *FINAL_STATES}


def numbers(user) -> dict:
    return {one.round.pk: (one.owed, one.handed_in) for one in counted(rounds_of(user), user)}


def by_hand(user) -> dict:
    """The same, one request and one entry after the other."""
    found = {one.pk: (0, 0) for one in Round.objects.visible_to(user)}
    for request in ProgressRequest.objects.visible_to(user).prefetch_related("entries"):
        if request.waived_reason:
            continue
        owed, came = found[request.round_id]
        answered = any(one.corrects_id is None and one.state in CAME for one in request.entries.all())
        found[request.round_id] = (owed + 1, came + answered)
    return found


def table_is_its_list(world) -> bool:
    """Whether the page's table counts what its list shows."""
    for row in round_matrix(world.round, world.director):
        states = Counter(
            one.state for one in with_answers(round_requests(world.round, world.director, row.institution.code))
        )
        shown = (row.waived, row.submitted, row.returned, row.nil, row.accepted, row.outstanding)
        listed = (
            *(states.pop(name, 0) for name in ("waived", "submitted", "returned", "nil")),
            states.pop("accepted", 0) + states.pop("verified", 0),
            sum(states.values()),
        )
        if shown != listed:
            return False
    return True


class Walk:
    """Acts at random on four requests of one institution; what is refused is refused, and another tried."""

    def __init__(self, world, seed: int) -> None:
        self.world, self.random, self.done = world, random.Random(seed), Counter()
        self.acts = [
            self.write, self.submit, self.send_back, self.accept, self.verify, self.correct, self.waive, self.ask,
            self.close, self.reopen, self.give_up,
        ]  # fmt: skip

    def step(self) -> None:
        while True:
            act = self.random.choices(self.acts, [3, 8, 3, 5, 3, 6, 1, 4, 1, 8, 1])[0]
            try:
                with transaction.atomic():
                    act(self.world.request(self.random.choice(CODES)))
            except (Refused, PermissionDenied, ProgressEntry.DoesNotExist):
                continue
            self.done[act.__name__] += 1
            return

    def entry(self, request, *states) -> ProgressEntry:
        found = request.entries.filter(state__in=states).order_by("-updated_at").first()
        if found is None:
            raise ProgressEntry.DoesNotExist
        return found

    def write(self, request) -> None:
        drafted(request, self.world.focal_point)

    def submit(self, request) -> None:
        entry = self.entry(request, "draft", "returned")
        given = answer(request, is_nil=self.random.random() < 0.3)
        entry = actions.save_entry(entry, given, by=self.world.focal_point, revision=entry.revision)
        at = timezone.now() + timedelta(days=self.random.choice([0, 300]))
        actions.submit_entry(entry, by=self.world.focal_point, at=at)

    def send_back(self, request) -> None:
        actions.return_entry(self.entry(request, "submitted"), by=self.world.planning, comment="And the evidence?")

    def accept(self, request) -> None:
        actions.accept_entry(self.entry(request, "submitted"), by=self.world.planning)

    def verify(self, request) -> None:
        actions.verify_entry(self.entry(request, "accepted"), by=self.world.monitoring)

    def correct(self, request) -> None:
        actions.start_correction(self.entry(request, *FINAL_STATES), by=self.world.focal_point)

    def waive(self, request) -> None:
        obligations.waive(request, by=self.world.director, reason="The project ended.")

    def ask(self, request) -> None:
        round_ = Round.objects.get(pk=self.world.round.pk)
        obligations.ask_besides(
            round_, request.measure, request.institution, by=self.world.director, reason="It goes on."
        )

    def close(self, _request) -> None:
        round_actions.close_round(self.world.round, by=self.world.director)

    def reopen(self, _request) -> None:
        round_actions.reopen_round(self.world.round, by=self.world.director, reason="Two reports were lost.")

    def give_up(self, request) -> None:
        """No act of the product deletes an entry; the database's owner may."""
        ProgressEntry.objects.filter(request=request, state="draft").delete()


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_counted_is_what_the_entries_say_after_every_act(world, seed):
    walk = Walk(world, seed)
    for number in range(80):
        walk.step()
        assert list(requests_know_what_came()) == []
        if number % 4 == 0:
            for user in (world.director, world.focal_point, world.other_focal_point):
                assert numbers(user) == by_hand(user)
            assert table_is_its_list(world)
    assert {act.__name__ for act in walk.acts} == set(walk.done)


def test_an_institution_counts_its_own_also_when_its_person_observes_the_whole_plan(world):
    submitted(world.request(), world.focal_point)
    own = numbers(world.focal_point)[world.round.pk]
    assert own[1] == 1 and own[0] < numbers(world.director)[world.round.pk][0]
    assert numbers(world.other_focal_point)[world.round.pk][1] == 0
    RoleAssignment.objects.create(
        user=world.people["focal_point"], institution=Institution.objects.get(code="KP-THB"), role=Role.OBSERVER,
        starts_on=timezone.localdate(),
    )  # fmt: skip
    assert numbers(world.focal_point)[world.round.pk] == own


def test_a_correction_that_is_being_written_leaves_the_report_accepted(world):
    entry = accepted(world.request(), world.focal_point, world.monitoring)
    round_actions.close_round(world.round, by=world.planning)

    def shown():
        one = with_answers(round_requests(world.round, world.director, "KP-THB").filter(pk=entry.request_id))[0]
        row = round_matrix(world.round, world.director, "KP-THB")[0]
        return one.entry.pk, one.state, row.accepted, row.submitted

    correction = actions.start_correction(entry, by=world.focal_point)
    assert shown() == (entry.pk, "accepted", 1, 0)
    given = answer(entry.request, value=3)
    correction = actions.save_entry(correction, given, by=world.focal_point, revision=correction.revision)
    actions.submit_entry(correction, by=world.focal_point)
    assert shown() == (correction.pk, "submitted", 0, 1)
    assert numbers(world.director)[world.round.pk][1] == 1


def test_a_request_writes_no_history_of_what_its_entries_tell_already(world):
    request = world.request()
    before = ProgressRequest.pgh_event_model.objects.filter(pgh_obj=request).count()
    submitted(request, world.focal_point)
    assert ProgressRequest.pgh_event_model.objects.filter(pgh_obj=request).count() == before


def test_a_round_pages_what_it_asks_for_and_narrows_to_an_institution(world, client_for, monkeypatch):
    monkeypatch.setattr("strategy.views.rounds.REPORTS_ON_A_PAGE", 5)
    client, address = client_for("director"), reverse("strategy:round-detail", args=[world.round.pk])
    page = client.get(address)
    asked = world.round.requests.count()
    assert page.context["owed"] == asked and len(page.context["asked"]) == 5
    last = client.get(address, {"page": page.context["page"].paginator.num_pages})
    assert len(last.context["asked"]) == asked % 5 or 5
    assert "?institution=KP-THB#reports" in page.content.decode()
    mine = client.get(address, {"institution": "KP-THB", "page": 2})
    assert {one.request.institution.code for one in mine.context["asked"]} == {"KP-THB"}
    assert [row.institution.code for row in mine.context["rows"]] == ["KP-THB"]
    assert len(client.get(address, {"print": "1"}).context["asked"]) == asked
    assert client.get(address, {"institution": "NONE", "page": "x"}).status_code == 200


def test_the_page_of_a_round_reads_no_more_for_more_reports(world, client_for, monkeypatch):
    monkeypatch.setattr("strategy.views.rounds.REPORTS_ON_A_PAGE", 3)
    client, address = client_for("director"), reverse("strategy:round-detail", args=[world.round.pk])
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    before = len(queries)
    for code in CODES:
        submitted(world.request(code), world.focal_point)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    assert len(queries) <= before + 1  # the answers of the page


def together(*acts) -> list[str]:
    """Each in a connection of its own, all at once; what became of each."""
    ready, outcomes = threading.Barrier(len(acts)), []

    def run(act) -> None:
        try:
            ready.wait(10)
            act()
            outcomes.append("done")
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_several_hand_in_return_and_waive_at_once_and_all_of_it_is_counted(world):
    entries = [drafted(world.request(code), world.focal_point) for code in CODES]
    by = world.focal_point
    assert together(*(lambda one=one: actions.submit_entry(one, by=by) for one in entries)) == ["done"] * 4
    assert numbers(world.director)[world.round.pk][1] == 4
    reviewers = world.monitoring, world.planning
    outcomes = together(
        lambda: actions.return_entry(entries[0], by=reviewers[0], comment="And the evidence?"),
        lambda: actions.accept_entry(entries[0], by=reviewers[1]),
        lambda: actions.accept_entry(entries[1], by=reviewers[0]),
    )
    assert outcomes == ["done", "done", "told"]
    actions.return_entry(entries[2], by=reviewers[0], comment="And the evidence?")
    director = world.director
    assert "done" in together(
        lambda: actions.submit_entry(entries[2], by=by),
        lambda: obligations.waive(entries[2].request, by=director, reason="The project ended."),
    )
    assert list(requests_know_what_came()) == []
    assert numbers(world.director) == by_hand(world.director)


@pytest.mark.django_db(transaction=True)
def test_what_is_returned_while_the_migration_fills_the_column_is_not_counted_as_come(world):
    entries = [submitted(world.request(code), world.focal_point) for code in CODES[:2]]
    late = drafted(world.request(CODES[2]), world.focal_point)
    actions.submit_entry(late, by=world.focal_point, at=timezone.now() + timedelta(days=300))
    ProgressRequest.objects.update(is_handed_in=False, came_late=False)  # as it was before
    returned, filling = threading.Event(), threading.Event()
    planning = world.planning

    def send_back() -> None:
        try:
            with transaction.atomic():
                actions.return_entry(entries[0], by=planning, comment="And the evidence?")
                returned.set()
                filling.wait(10)
                threading.Event().wait(0.5)  # the other waits for the request by now
        finally:
            connections.close_all()

    thread = threading.Thread(target=send_back)
    thread.start()
    assert returned.wait(10)
    filling.set()
    migration = importlib.import_module("strategy.migrations.0008_fill_what_came")
    with connection.schema_editor(atomic=False) as editor:
        migration.fill(apps, editor)
    thread.join(30)
    assert list(requests_know_what_came()) == []
    assert numbers(world.director)[world.round.pk][1] == 2
    assert list(ProgressRequest.objects.filter(came_late=True)) == [late.request]
