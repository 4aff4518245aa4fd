"""Clocks follow from what happened: they start, are met, pause, fall away and are never changed by a later version."""

from __future__ import annotations

import threading
import uuid
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.formats import date_format

from nrm.actions import identification, procedure
from nrm.actions.happenings import note
from nrm.models import (
    Case,
    CaseParty,
    Clock,
    ClockPause,
    ClockState,
    Competence,
    EventKind,
    Happening,
    PartyRole,
    SopVersion,
)
from onatc.errors import Refused
from tests.nrm.cases import institution, opened
from tests.nrm.test_cases import read
from tests.nrm.test_decisions import decided

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def happened(case: Case, kind: str, *, days: int = 0, by: Any = None, at: time | None = None, **more: Any) -> Happening:
    """So many days ago, recorded by nobody in particular."""
    return note(case, kind, on=TODAY() - timedelta(days=days), by=by, at=at, **more)


def clock(case: Case, number: int, occurrence: int = 1) -> Clock:
    return Clock.objects.select_related("step", "owner").get(
        case=case, step__number=number, occurrence=occurrence, state__in=["running", "paused", "met", "not_applicable"]
    )


def version_with(number: int, start: date, **changes: Any) -> SopVersion:
    """The version in force with some steps changed, adopted from a day on."""
    old = SopVersion.objects.order_by("-number").first()
    steps = list(old.steps.all())
    new = SopVersion.objects.create(
        number=old.number + 1, title_sq="v", state="adopted", in_force_from=start, adopted_on=start, based_on=old
    )
    for step in steps:
        step.pk, step.version, step._state.adding = uuid.uuid4(), new, True
        if step.number == number:
            for name, value in changes.items():
                setattr(step, name, value)
        step.save()
    return new


def test_opening_a_case_starts_its_clocks_and_names_who_owes_them(world):
    case = opened(world.focal_point)
    case.refresh_from_db()
    running = {one.step.number: one for one in Clock.objects.filter(case=case).select_related("step", "owner")}
    assert set(running) == {2, 3}
    assert {one.owner.code for one in running.values()} == {"KP-THB"}
    assert case.next_due_at == min(one.due_at for one in running.values())
    assert all(one.is_late for one in running.values())


def test_what_happens_meets_clocks_starts_others_and_keeps_the_next_deadline(world):
    case = opened(world.focal_point, on=TODAY() - timedelta(days=3))
    happened(case, EventKind.NOTIFIED, days=2)
    happened(case, EventKind.NEEDS_MET, days=1)
    assert clock(case, 2).state == ClockState.MET and not clock(case, 2).is_late
    assert clock(case, 3).is_late
    assert clock(case, 4).owner.code == "VPAO"  # nobody of the case informs of rights: who does so in the country
    happened(case, EventKind.INFORMED, days=1)
    happened(case, EventKind.RISK_ASSESSED, days=1)
    case.refresh_from_db()
    assert case.next_due_at == clock(case, 8).due_at
    assert {one.step.number for one in Clock.objects.open().filter(case=case).select_related("step")} == {8, 14}


def test_the_owner_is_the_actor_who_takes_part_else_the_competent_one_of_the_municipality(world):
    case = opened(world.focal_point, code="KP-THB")
    happened(case, EventKind.PRESUMED)
    happened(case, EventKind.PLACED)
    assert clock(case, 12).owner.code == "CSW"
    Competence.objects.create(institution=institution("PVPT"), function="csw", municipality_id="PRN")
    happened(case, EventKind.OFFERED)
    assert clock(case, 12).owner.code == "PVPT"
    CaseParty.objects.create(case=case, institution=institution("CSW"), role=PartyRole.HELPS)
    happened(case, EventKind.OFFERED)
    assert clock(case, 12).owner.code == "CSW"


def test_steps_of_children_and_foreigners_concern_them_alone(world):
    child = opened(world.focal_point, profile={"age_at_referral": 12, "citizenship": ["AL"]})
    happened(child, EventKind.PRESUMED)
    numbers = set(Clock.objects.filter(case=child).values_list("step__number", flat=True))
    assert {6, 13, 11} <= numbers
    adult = opened(world.focal_point)
    happened(adult, EventKind.PRESUMED)
    assert {6, 11, 13}.isdisjoint(Clock.objects.filter(case=adult).values_list("step__number", flat=True))
    # found to be an adult: what a child was owed falls away, with the reason
    Case.objects.filter(pk=child.pk).update(is_child_procedure=False)
    child.refresh_from_db()
    procedure.follow(child, by=None)
    ended = Clock.objects.get(case=child, step__number=13)
    assert ended.state == ClockState.ENDED and "concern" in ended.reason_shown


def test_the_steps_of_the_domain_ship_as_the_first_version_each_with_its_source():
    """domain.md, part b: number, time limit, and what is for a child or a foreigner alone."""
    version = SopVersion.objects.get(number=1)
    limits = {
        1: ("same_day", []), 2: ("hours", [24]), 3: ("hours", [24]), 4: ("hours", [48]), 5: ("hours", [24]),
        6: ("hours", [24]), 7: ("hours", [48]), 8: ("hours", [24]), 9: ("days", [3]), 10: ("days", [10]),
        11: ("days", [30]), 12: ("days", [7]), 13: ("days", [15]), 14: ("days", [30]), 15: ("planned_end", []),
        16: ("days", [30]), 17: ("days", [90]), 18: ("days", [60]), 19: ("before", []), 20: ("before", []),
        21: ("months", [6]), 22: ("months", [3, 6, 12]), 23: ("days", [15]),
    }  # fmt: skip
    steps = {one.number: one for one in version.steps.all()}
    assert {number: (one.unit, one.amounts) for number, one in steps.items()} == limits
    assert {number for number, one in steps.items() if one.who == "child"} == {5, 6, 13, 19}
    assert {number for number, one in steps.items() if one.foreigners_only} == {11}
    assert {number for number, one in steps.items() if one.repeats} == {14, 17}
    assert (steps[19].before, steps[20].before) == ("returned", "hearing")
    assert all(one.actors and one.evidence_sq and one.name_sq and one.name_sr for one in steps.values())
    # what is written nowhere says so; only the law on compensation is named, and to be checked
    assert {number for number, one in steps.items() if "to be confirmed" not in one.source} == {21}
    assert "Law 05/L-036" in steps[21].source and not any(one.is_confirmed for one in steps.values())


def test_the_page_of_a_case_says_what_is_next_who_owes_it_and_by_when(world, client_for):
    case = opened(world.focal_point, on=TODAY() - timedelta(days=5))
    happened(case, EventKind.NOTIFIED, days=5, at=time(9))
    happened(case, EventKind.NEEDS_MET, days=4)
    happened(case, EventKind.INFORMED, days=4)
    happened(case, EventKind.RISK_ASSESSED, days=4)
    happened(case, EventKind.PLACED, days=4)
    page = read(client_for("focal_point"), case).content.decode()
    with translation.override("en"):
        due = date_format(timezone.localtime(clock(case, 12).due_at), "DATETIME_FORMAT")
    assert "Next: 12. Case plan for first assistance – owed by CSW" in page
    assert due in page and "Evidence: plan" in page
    assert "met in time" in page and "5 steps are over" in page


def standing(case: Case) -> dict[int, str]:
    """By step how its clock stands; of a case with one clock for each."""
    return dict(Clock.objects.filter(case=case).values_list("step__number", "state"))


@pytest.mark.parametrize(
    ("outcomes", "gone", "met"),
    [
        (["D1_NEG"], {2, 3, 9, 10}, set()),
        (["D_DISC"], {2, 3, 9, 10}, set()),
        (["D_DECL"], {9}, {10}),  # what the person declined; help and protection are owed on
        (["D_INSUF"], set(), set()),  # the procedure goes on, and the decision is still owed
        (["D2_NEG"], {2, 3, 9}, {10}),
        (["D2_POS"], set(), {10}),
        (["D2_POS", "D_RECON_NEG"], {2, 3, 9}, {10}),  # found not to be a victim after all
        (["D2_NEG", "D_RECON_POS"], {2, 3, 9}, {10}),
    ],
)
def test_clocks_fall_away_by_what_a_decision_means(world, outcomes, gone, met):
    by, days = world.focal_point, 9
    case = opened(by, on=TODAY() - timedelta(days=20))
    made = decided(case, by, "D1_POS", TODAY() - timedelta(days=10), stage=1)
    happened(case, EventKind.READY, days=days)
    for outcome in outcomes:
        days -= 3
        reviewed = {"review_of": made} if "RECON" in outcome else {}
        stage = 1 if outcome == "D1_NEG" else 2
        made = decided(case, by, outcome, TODAY() - timedelta(days=days), stage=stage, **reviewed)
    states = standing(case)
    assert {number for number, state in states.items() if state == "ended"} == gone
    assert {number for number, state in states.items() if state == "met"} == met
    assert set(states) == {2, 3, 9, 10}


def test_a_child_that_declines_the_procedure_is_owed_a_guardian_and_its_best_interest(world):
    child = opened(world.focal_point, on=TODAY() - timedelta(days=9), profile={"age_at_referral": 12})
    decided(child, world.focal_point, "D_DECL", TODAY() - timedelta(days=5))
    assert standing(child)[6] == standing(child)[13] == "running"


def test_a_case_that_came_to_nothing_is_closed_in_time_too(world):
    case = opened(world.focal_point, on=TODAY() - timedelta(days=9))
    decided(case, world.focal_point, "D1_NEG", TODAY() - timedelta(days=5), stage=1)
    happened(case, EventKind.FINISHED, days=5)
    assert clock(case, 23).state == ClockState.RUNNING


def test_a_struck_event_ends_its_clock_with_the_reason_and_restores_what_it_met(world):
    case = opened(world.focal_point)
    wrong = happened(case, EventKind.NOTIFIED, days=3)
    assert clock(case, 7).state == ClockState.RUNNING
    identification.strike(wrong, by=world.monitoring, reason="wrong case")
    identification.strike(wrong, by=world.monitoring, reason="wrong case")
    gone = Clock.objects.get(case=case, step__number=7)
    assert gone.state == ClockState.ENDED and "struck" in gone.reason_shown
    assert clock(case, 2).state == ClockState.RUNNING
    with pytest.raises(PermissionDenied):
        identification.strike(wrong, by=world.other_focal_point, reason="x")


def test_an_earlier_event_recorded_later_moves_the_clock_that_is_there(world):
    case = opened(world.focal_point)
    happened(case, EventKind.READY, days=2)
    before = clock(case, 10)
    procedure.pause(before, by=world.monitoring, reason="waits for the interpreter")
    happened(case, EventKind.READY, days=4)
    after = clock(case, 10)
    assert after.pk == before.pk and after.started_at < before.started_at and after.state == ClockState.PAUSED


def test_a_later_version_changes_no_clock_and_holds_from_its_day(world):
    case = opened(world.focal_point, on=TODAY() - timedelta(days=1))
    happened(case, EventKind.NOTIFIED)
    before = {one.pk: (one.step_id, one.due_at) for one in Clock.objects.filter(case=case)}
    new = version_with(7, TODAY(), amounts=[2])
    procedure.follow(case, by=None)
    assert {one.pk: (one.step_id, one.due_at) for one in Clock.objects.filter(case=case)} == before
    other = opened(world.focal_point, on=TODAY() - timedelta(days=1))
    happened(other, EventKind.NOTIFIED)
    assert clock(other, 7).step.version == new and clock(other, 2).step.version != new


def test_closing_lets_the_clocks_fall_away_and_a_case_entered_twice_owes_nothing(world):
    case = opened(world.focal_point)
    happened(case, EventKind.NOTIFIED)
    Case.objects.filter(pk=case.pk).update(closed_on=TODAY(), outcome="O_CLOSED")
    case.refresh_from_db()
    happened(case, EventKind.CLOSED)
    assert not Clock.objects.open().filter(case=case).exists()
    assert Clock.objects.get(case=case, step__number=3).reason_shown == "case closed"
    case.refresh_from_db()
    assert case.next_due_at is None
    twice, other = opened(world.focal_point), opened(world.focal_point)
    Case.objects.filter(pk=twice.pk).update(duplicate_of=other)
    twice.refresh_from_db()
    procedure.follow(twice, by=None)
    assert not Clock.objects.open().filter(case=twice).exists() and twice.next_due_at is None


def test_a_pause_moves_the_limit_and_only_who_may_pauses(world):
    case = opened(world.focal_point)
    happened(case, EventKind.READY)
    one = clock(case, 10)
    with pytest.raises(PermissionDenied):
        procedure.pause(one, by=world.other_focal_point, reason="ill")
    with pytest.raises(Refused, match="Say why"):
        procedure.pause(one, by=world.focal_point, reason=" ")
    with pytest.raises(PermissionDenied):  # the step names nobody who may
        procedure.pause(clock(case, 3), by=world.focal_point, reason="ill")
    paused = procedure.pause(one, by=world.focal_point, reason="ill")
    assert paused.state == ClockState.PAUSED
    procedure.pause(one, by=world.focal_point, reason="ill")  # the form was sent twice
    with pytest.raises(Refused, match="already"):
        procedure.pause(one, by=world.monitoring, reason="other")
    ClockPause.objects.filter(clock=one).update(starts_at=F("starts_at") - timedelta(hours=1))
    on = procedure.resume(one, by=world.focal_point)
    kept = ClockPause.objects.get(clock=one)
    assert on.state == ClockState.RUNNING and on.due_at == one.due_at + (
        kept.ends_at - max(kept.starts_at, one.started_at)
    )
    assert procedure.resume(one, by=world.focal_point).due_at == on.due_at
    with pytest.raises(Refused, match="late"):
        procedure.pause(clock(case, 2), by=world.monitoring, reason="too late")


def test_an_event_pauses_and_resumes_and_a_hand_goes_before_it(world):
    case = opened(world.focal_point)
    happened(case, EventKind.READY, days=5, at=time(10))
    one = clock(case, 10)
    happened(case, EventKind.SUSPENDED, days=3, at=time(10))
    assert clock(case, 10).state == ClockState.PAUSED
    assert ClockPause.objects.get(clock=one).reason_shown == EventKind.SUSPENDED.label
    procedure.resume(one, by=world.focal_point)
    happened(case, EventKind.OFFERED)
    assert clock(case, 10).state == ClockState.RUNNING and clock(case, 10).due_at > one.due_at
    other = opened(world.focal_point)
    happened(other, EventKind.READY, days=5, at=time(10))
    due = clock(other, 10).due_at
    happened(other, EventKind.SUSPENDED, days=3, at=time(10))
    happened(other, EventKind.READY, days=2, at=time(10))
    assert clock(other, 10).due_at == due + timedelta(days=1)


def test_not_applicable_is_an_answer_with_a_reason_and_can_be_taken_back(world):
    case = opened(world.focal_point)
    one = clock(case, 3)
    with pytest.raises(Refused):
        procedure.set_aside(one, by=world.focal_point, reason="")
    with pytest.raises(PermissionDenied):
        procedure.set_aside(one, by=world.other_focal_point, reason="no need")
    procedure.set_aside(one, by=world.focal_point, reason="came with everything")
    procedure.set_aside(one, by=world.focal_point, reason="came with everything")
    happened(case, EventKind.NEEDS_MET)
    kept = clock(case, 3)
    assert (kept.state, kept.reason, kept.is_late) == (ClockState.NOT_APPLICABLE, "came with everything", False)
    assert kept.recorded_by == world.focal_point
    with pytest.raises(Refused):
        procedure.set_aside(one, by=world.monitoring, reason="another reason")
    procedure.take_up(one, by=world.focal_point)
    assert clock(case, 3).state == ClockState.MET


def test_reflection_and_follow_ups_give_their_own_limits(world):
    from nrm.models import FollowUp, FollowUpAfter, ReflectionEvent

    case = opened(world.focal_point, on=TODAY() - timedelta(days=200))
    start = TODAY() - timedelta(days=190)
    ReflectionEvent.objects.create(case=case, kind="RF_START", on=start, days=90)
    note(case, EventKind.REFLECTION_STARTED, on=start, by=None)
    assert timezone.localdate(clock(case, 15).due_at) == start + timedelta(days=90)
    happened(case, EventKind.LEFT_SHELTER, days=100)
    done = FollowUp.objects.create(
        case=case, after=FollowUpAfter.SHELTER, months=6, due_on=TODAY(), done_on=TODAY(), result="well"
    )
    happened(case, EventKind.FOLLOWED_UP, record=done)
    assert [clock(case, 22, number).state for number in (1, 2, 3)] == ["running", "met", "running"]


def test_following_costs_the_same_for_many_cases_and_may_wait(
    world, django_assert_num_queries, django_assert_max_num_queries
):
    with procedure.following_later(by=None):
        cases = [opened(world.focal_point) for _ in range(5)]
        assert not Clock.objects.filter(case__in=cases).exists()
    assert Clock.objects.filter(case__in=cases).count() == 10
    with django_assert_max_num_queries(12):
        procedure.follow_many(cases[:1], by=None)
    with django_assert_max_num_queries(12):
        procedure.follow_many(cases, by=None)
    assert Clock.objects.filter(case__in=cases).count() == 10


@pytest.mark.django_db(transaction=True)
def test_two_who_pause_at_once_make_one_pause_and_two_events_at_once_one_set_of_clocks(world):
    case = opened(world.focal_point)
    happened(case, EventKind.READY)
    one = clock(case, 10)
    barrier, results = threading.Barrier(2), []

    def run(act: Any) -> None:
        try:
            barrier.wait()
            act()
            results.append("done")
        except Refused:
            results.append("refused")
        finally:
            connections.close_all()

    def together(*acts: Any) -> list[str]:
        results.clear()
        threads = [threading.Thread(target=run, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(results)

    assert together(
        lambda: procedure.pause(one, by=world.focal_point, reason="ill"),
        lambda: procedure.pause(one, by=world.monitoring, reason="closed"),
    ) == ["done", "refused"]
    assert ClockPause.objects.filter(clock=one).count() == 1

    def record() -> None:
        with transaction.atomic():
            mine = Case.objects.select_for_update().get(pk=case.pk)
            note(mine, EventKind.PRESUMED, on=TODAY(), by=None)

    assert together(record, record) == ["done", "done"]
    assert Clock.objects.filter(case=case, step__number=9).count() == 1
