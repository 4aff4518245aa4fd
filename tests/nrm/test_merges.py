"""Two records of one referral and two episodes of one person: merged, counted once, and undone (data_dictionary.md 3.4)."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nrm.actions.cases import open_case
from nrm.actions.happenings import note
from nrm.actions.keeping import change_profile
from nrm.actions.merges import merge, unmerge
from nrm.models import Case, CaseDecision, CaseParty, EventKind, Happening, Merge, MergeKind, Referral, ReferralState
from onatc.errors import Refused
from tests.nrm.cases import institution, opened
from tests.nrm.test_cases import read


def days_ago(days: int) -> Any:
    return timezone.localdate() - timedelta(days=days)


def merged(case: Case, into: Case, by: Any, kind: str = MergeKind.SAME_PERSON) -> Merge:
    return merge(case, into, kind, by=by, key=uuid.uuid4(), reason="Both institutions say so")


def fresh(*cases: Case) -> list[Case]:
    return [Case.objects.get(pk=one.pk) for one in cases]


def state() -> list[Any]:
    return list(Case.objects.order_by("pk").values_list("pk", "person", "episode", "duplicate_of", "opened_on"))


def test_two_referrals_of_one_person_stay_and_count_as_one_person(world):
    late = opened(world.focal_point, on=days_ago(5))
    early = opened(world.other_focal_point, code="MOH", on=days_ago(90))
    before = state()
    made = merged(late, early, world.director)
    late, early = fresh(late, early)
    assert late.person_id == early.person_id and (early.episode, late.episode) == (1, 2)
    assert late.own_person_id != early.own_person_id and late.is_open and early.is_open
    assert Case.objects.counted().count() == 2
    assert Case.objects.counted().values("person").distinct().count() == 1
    assert Happening.objects.filter(kind=EventKind.MERGED, record=made.pk).count() == 2
    assert merge(late, early, "same_person", by=world.director, key=made.pk, reason="x") == made
    note(
        late, EventKind.INFORMED, on=days_ago(1), by=world.focal_point
    )  # what happens meanwhile stays where it was written
    undone = unmerge(made, by=world.monitoring, reason="Two persons after all")
    assert unmerge(made, by=world.monitoring, reason="again").undone_at == undone.undone_at
    assert state() == before and Happening.objects.filter(case=late, kind=EventKind.INFORMED).exists()


def test_a_duplicate_leaves_every_count_and_the_survivor_keeps_the_earliest_dates(world):
    twice = opened(world.other_focal_point, code="MOH", on=days_ago(20))
    stays = opened(world.focal_point, on=days_ago(12))
    for case, day in ((twice, 15), (stays, 11)):
        CaseDecision.objects.create(
            case=case, stage=1, outcome="D1_POS", decided_on=days_ago(day), decision_maker="DM_POLICE", age_group_at_decision="ADULT"
        )  # fmt: skip
    before, referred = state(), list(Referral.objects.order_by("pk").values_list("pk", "referred_on"))
    made = merged(twice, stays, world.monitoring, MergeKind.DUPLICATE)
    twice, stays = fresh(twice, stays)
    assert twice.duplicate_of == stays and not twice.is_open and twice.person_id == stays.person_id
    assert stays.opened_on == days_ago(20) and Referral.objects.get(case=stays).referred_on == days_ago(20)
    assert CaseDecision.objects.get(case=stays).decided_on == days_ago(15)
    assert set(Case.objects.counted()) == {stays} and stays.episode == 1
    assert CaseParty.objects.filter(case=stays, institution=institution("MOH"), until__isnull=True).exists()
    with pytest.raises(PermissionDenied):
        change_profile(twice, {"sex": "M"}, by=world.other_focal_point, revision=0)
    unmerge(made, by=world.monitoring, reason="Two referrals")
    assert state() == before
    assert list(Referral.objects.order_by("pk").values_list("pk", "referred_on")) == referred
    assert CaseDecision.objects.get(case=stays).decided_on == days_ago(11)
    assert not CaseParty.objects.filter(case=stays, institution=institution("MOH"), until__isnull=True).exists()


def test_what_cannot_be_merged_is_refused_with_a_sentence(world):
    first, second, third = (opened(world.focal_point, on=days_ago(number)) for number in (3, 2, 1))
    for by in (world.focal_point, world.child, world.natc):
        with pytest.raises(PermissionDenied):
            merged(first, second, by)
    with pytest.raises(Refused, match="with itself"):
        merged(first, first, world.director)
    merged(first, second, world.director, MergeKind.DUPLICATE)
    with pytest.raises(Refused, match="merged already"):
        merged(first, third, world.director, MergeKind.DUPLICATE)
    with pytest.raises(Refused, match="entered twice itself"):
        merged(third, first, world.director)
    with pytest.raises(Refused, match="Another record was merged into this one"):
        merged(second, third, world.director, MergeKind.DUPLICATE)
    merged(second, third, world.director)
    with pytest.raises(Refused, match="one person already"):
        merged(second, third, world.director)
    decided = opened(world.focal_point)
    CaseDecision.objects.create(
        case=decided, stage=1, outcome="D1_NEG", decided_on=days_ago(1), decision_maker="DM_POLICE", age_group_at_decision="ADULT"
    )  # fmt: skip
    with pytest.raises(Refused, match="other way round"):
        merged(decided, third, world.director, MergeKind.DUPLICATE)


def test_a_duplicate_is_not_merged_while_a_referral_waits_for_its_answer(world):
    """Bad input of the issue: a case merged while a referral is open."""
    waits = opened(world.focal_point, addressee=institution("MOH"))
    stays = opened(world.focal_point)
    with pytest.raises(Refused, match="waits for its answer"):
        merged(waits, stays, world.director, MergeKind.DUPLICATE)
    assert not Merge.objects.exists() and Case.objects.get(pk=waits.pk).is_open
    same = merged(waits, stays, world.director)  # two real referrals: the one that waits goes on waiting
    assert Referral.objects.get(case=waits).state == ReferralState.SENT
    unmerge(same, by=world.director, reason="x")
    Referral.objects.filter(case=waits).update(state=ReferralState.WITHDRAWN, withdrawn_reason="entered twice")
    merged(waits, stays, world.director, MergeKind.DUPLICATE)


def test_a_closed_case_is_merged_and_unmerged_too(world):
    closed, stays = opened(world.focal_point, on=days_ago(30)), opened(world.focal_point)
    Case.objects.filter(pk=closed.pk).update(closed_on=days_ago(3), outcome="RT_STAY")
    made = merged(closed, stays, world.director)
    assert Happening.objects.filter(case=closed, kind=EventKind.MERGED).exists()
    unmerge(made, by=world.director, reason="x")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_whatever_is_merged_and_undone_in_any_order_ends_as_it_began(world, steps, order):
    """Any merges, undone in any order: the cases are as before, and in between a person's episodes are numbered 1 to n."""
    cases = [opened(world.focal_point, on=days_ago(50 - number)) for number in range(5)]
    keys = [one.pk for one in cases]
    before = list(
        Case.objects.filter(pk__in=keys).order_by("pk").values_list("person", "episode", "duplicate_of", "opened_on")
    )
    made = []
    for case, into, is_double in steps:
        try:
            kind = MergeKind.DUPLICATE if is_double else MergeKind.SAME_PERSON
            made.append(merged(cases[case], cases[into], world.director, kind))
        except Refused:
            continue
        numbered: dict[Any, list[int]] = {}
        for one in Case.objects.counted().filter(pk__in=keys):
            numbered.setdefault(one.person_id, []).append(one.episode)
        assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbered.values())
    order.shuffle(made)
    for one in made:
        unmerge(one, by=world.director, reason="x")
    after = list(
        Case.objects.filter(pk__in=keys).order_by("pk").values_list("person", "episode", "duplicate_of", "opened_on")
    )
    assert after == before


def test_a_merge_in_the_middle_is_undone_alone(world):
    first, second, third = (opened(world.focal_point, on=days_ago(number)) for number in (9, 6, 3))
    middle = merged(second, first, world.director)
    merged(third, second, world.director)
    assert len({one.person_id for one in fresh(first, second, third)}) == 1
    unmerge(middle, by=world.director, reason="Another woman")
    first, second, third = fresh(first, second, third)
    assert second.person_id == third.person_id != first.person_id and (second.episode, third.episode) == (1, 2)
    new, _is_new = open_case(
        by=None, key=uuid.uuid4(), institution=institution("KP-THB"), referred_on=days_ago(0), earlier=third
    )  # fmt: skip
    assert new.episode == 3


@pytest.mark.django_db(transaction=True)
def test_two_who_merge_the_same_cases_the_two_ways_at_once_make_one_merge(world):
    first, second = opened(world.focal_point), opened(world.focal_point)
    people = [world.director, world.monitoring]
    ready, outcomes = threading.Barrier(2), []

    def press(number: int) -> None:
        pair = (first, second) if number else (second, first)
        try:
            ready.wait(10)
            with translation.override("en"):
                merged(*pair, people[number], MergeKind.DUPLICATE)
            outcomes.append("merged")
        except Refused as refusal:
            with translation.override("en"):
                outcomes.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes)[-1] == "merged" and len(outcomes) == 2 and outcomes.count("merged") == 1, outcomes
    assert Merge.objects.count() == 1 and Case.objects.filter(duplicate_of__isnull=False).count() == 1


def test_merging_and_undoing_by_the_pages(world, client_for):
    """The institution of one case reads that it was merged, and not with which case of another institution."""
    own = opened(world.focal_point)
    foreign = opened(world.other_focal_point, code="MOH", on=days_ago(60))
    office = client_for("monitoring")
    address = reverse("nrm:case-merge", args=[own.marker])
    values = {"key": uuid.uuid4(), "kind": "same_person", "into": str(foreign), "reason": "Both said so."}
    wrong = ("K" if foreign.marker[0] != "K" else "M") + foreign.marker[1:]
    assert "a sign is wrong" in office.post(address, values | {"into": wrong}).content.decode()
    assert "Arta Krasniqi (name)" in office.post(address, values | {"reason": "Arta Krasniqi"}).content.decode()
    assert office.post(address, values)["Location"] == foreign.get_absolute_url()
    assert office.post(address, values).status_code == 302
    made = Merge.objects.get()
    mine = read(client_for("focal_point"), own).content.decode()
    assert "two referrals of the same person" in mine and "another case" in mine
    assert (
        str(foreign) not in mine
        and foreign.marker not in mine
        and str(Case.objects.get(pk=own.pk).person_id) not in mine
        and reverse("nrm:merge-undo", args=[made.pk]) not in mine
    )
    assert str(foreign) in read(office, own).content.decode()
    assert client_for("focal_point").get(reverse("nrm:merge-undo", args=[made.pk])).status_code == 403
    assert client_for("other_focal_point").get(address).status_code == 404
    undo = office.post(reverse("nrm:merge-undo", args=[made.pk]), {"reason": "Two persons."})
    assert undo.status_code == 302 and Merge.objects.get().undone_at is not None
    assert "Undone on" in read(office, own).content.decode()
