"""Each invariant of cases finds its violation, planted once (R21)."""

import pytest
from django.utils import timezone

from nrm import invariants
from nrm.models import Case, CaseDecision, CaseParty, Clock, ClockState, Happening, Merge, Person, SopStep, Stay
from tests.nrm.cases import opened


@pytest.fixture
def case(world) -> Case:
    return opened(world.focal_point)


def test_a_case_that_was_opened_breaks_none(case):
    for rule in (
        invariants.cases_have_the_status_of_their_decisions,
        invariants.open_cases_have_their_responsible_institution,
        invariants.closed_cases_have_nothing_open,
        invariants.deadlines_of_cases_are_those_of_their_clocks,
        invariants.merged_cases_point_at_their_survivor,
    ):
        assert list(rule()) == []


def test_a_status_that_no_decision_gives(case):
    CaseDecision.objects.create(
        case=case, stage=1, outcome="D1_POS", decided_on=timezone.localdate(), decision_maker="DM_POLICE",
        age_group_at_decision="ADULT",
    )  # fmt: skip
    assert len(list(invariants.cases_have_the_status_of_their_decisions())) == 1


def test_a_responsible_institution_that_takes_no_part(case):
    CaseParty.objects.update(until=timezone.now())
    assert len(list(invariants.open_cases_have_their_responsible_institution())) == 1


def test_a_closed_case_with_somebody_accommodated(case):
    Clock.objects.all().delete()
    Case.objects.update(closed_on=timezone.localdate(), outcome="RT_U")
    Stay.objects.create(case=case, shelter_type="SH_NGO", came_on=case.opened_on)
    assert len(list(invariants.closed_cases_have_nothing_open())) == 1


def test_a_deadline_that_no_clock_has(case):
    Clock.objects.all().delete()
    Case.objects.update(next_due_at=None)
    Clock.objects.create(
        case=case, step=SopStep.objects.first(), trigger_event=Happening.objects.first(), started_at=timezone.now(),
        due_at=timezone.now(), state=ClockState.RUNNING,
    )  # fmt: skip
    assert len(list(invariants.deadlines_of_cases_are_those_of_their_clocks())) == 1


def test_a_merge_that_the_case_does_not_know_of(world, case):
    Merge.objects.create(
        case=case, into=opened(world.focal_point), kind="duplicate_record", person_before=case.person,
        person_after=Person.objects.create(), reason="x",
    )  # fmt: skip
    assert len(list(invariants.merged_cases_point_at_their_survivor())) == 1
