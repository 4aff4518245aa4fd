"""Children: an age in doubt is a child's until it is checked; guardian, child unit, best interest; coming of age."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from nrm.actions import children as actions
from nrm.actions.identification import record_step, strike
from nrm.models import BestInterest, Case, CaseParty, Clock, ClockState, Competence, EventKind, Guardianship, Happening
from onatc.errors import Refused
from stakeholders.models import RoleAssignment, User
from tests.nrm.cases import institution, opened
from tests.stakeholders.decided import at_once


def ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


@pytest.fixture
def social_worker(world: Any) -> User:
    person = User.objects.create_user("csw@example.org", full_name="CSW", language="en")
    RoleAssignment.objects.create(
        user=person, role="focal_point", institution=institution("CSW"), starts_on=timezone.localdate()
    )
    return User.objects.get(pk=person.pk)


def of_age(by: Any, age: int | None, group: str = "AGE_U", **fields: Any) -> Case:
    return opened(by, profile={"age_at_referral": age, "age_group_at_referral": group}, **fields)


def checked(
    case: Any, by: Any, finding: str, on: date, age: int | None = None, who: str = "KP-THB", key: Any = None
) -> Any:
    return actions.check_age(
        case, by=by, key=key or uuid.uuid4(), checked_on=on, finding=finding, age=age, checked_by=institution(who)
    )[0]


def stands(case: Any) -> tuple[str, bool, str, int | None]:
    case.refresh_from_db()
    return case.track, case.is_child_procedure, case.age_group_at_referral, case.age_at_referral


def kinds(case: Any) -> list[str]:
    return list(Happening.objects.filter(case=case).values_list("kind", flat=True))


def test_an_age_in_doubt_is_a_childs_until_it_is_checked(world):
    by = world.focal_point
    case = of_age(by, None)
    assert stands(case) == ("AGE_U", True, "AGE_U", None) and EventKind.CHILD in kinds(case)
    checked(case, by, "AGE_U", ago(9))
    assert stands(case) == ("AGE_U", True, "AGE_U", None)
    checked(case, by, "ADULT", ago(8), 22)
    assert stands(case) == ("ADULT", False, "ADULT", 22)
    checked(case, by, "CHILD", ago(7), 16)  # papers came from abroad
    assert stands(case) == ("CHILD", True, "CHILD", 16)
    assert kinds(case).count(EventKind.CHILD) == 2 and kinds(case).count(EventKind.AGE_CHECKED) == 3
    checked(case, by, "ADULT", ago(8), 19)  # recorded late: a later check holds
    assert stands(case) == ("CHILD", True, "CHILD", 16)


def test_an_adult_whose_age_is_doubted_is_treated_as_a_child_and_counted_as_not_known(world):
    by = world.focal_point
    case = of_age(by, 19)
    assert not Case.objects.visible_to(world.child).filter(pk=case.pk).exists()
    record_step(case, by=by, key=uuid.uuid4(), kind=EventKind.AGE_DOUBTED, on=ago(5))
    assert stands(case) == ("AGE_U", True, "AGE_U", None) and case.missing["age_at_referral"] == "NA_UNKNOWN"
    assert Case.objects.visible_to(world.child).filter(pk=case.pk).exists()
    checked(case, by, "ADULT", ago(4))
    assert stands(case) == ("ADULT", False, "ADULT", None)


def test_an_adult_of_today_may_have_been_a_child_at_the_referral(world):
    by = world.focal_point
    case = of_age(by, None, on=ago(800))
    checked(case, by, "ADULT", ago(1), 18)
    assert stands(case) == ("ADULT", False, "CHILD", None)


def test_checks_that_cannot_be_are_refused(world):
    by = world.focal_point
    case = of_age(by, None)
    for finding, age in (("ADULT", 17), ("CHILD", 18), ("AGE_U", 17), ("ADULT", 111)):
        with pytest.raises(Refused, match="do not agree"):
            checked(case, by, finding, ago(1), age)
    with pytest.raises(Refused, match="future"):
        checked(case, by, "ADULT", ago(-1))
    with pytest.raises(Refused, match="does not check"):
        checked(case, by, "ADULT", ago(1), who="IOM")
    Case.objects.filter(pk=case.pk).update(age_at_exploitation=15)
    with pytest.raises(Refused, match="younger than when"):
        checked(case, by, "CHILD", ago(1), 12)
    key = uuid.uuid4()
    assert checked(case, by, "CHILD", ago(1), 16, key=key) == checked(case, by, "CHILD", ago(1), 16, key=key)


def test_the_centre_names_a_guardian_and_takes_part_from_then_on(world, social_worker):
    by = world.focal_point
    case = of_age(by, 12)
    named = {"key": uuid.uuid4(), "kind": "temporary", "appointed_by": institution("CSW"), "starts_on": ago(9)}
    with pytest.raises(PermissionDenied, match="Centre for Social Work"):
        actions.name_guardian(case, by=by, **named)
    with pytest.raises(PermissionDenied):
        actions.name_guardian(case, by=social_worker, **named)  # does not take part yet
    party = actions.name_child_unit(case, by=by, unit=institution("CSW"))
    assert actions.name_child_unit(case, by=by, unit=institution("CSW")) == party and party.role == "joint"
    for _again in range(2):
        first, _new = actions.name_guardian(case, by=social_worker, **named)
    with pytest.raises(Refused, match="a guardian already"):
        actions.name_guardian(case, by=social_worker, **named | {"key": uuid.uuid4(), "starts_on": ago(3)})
    with pytest.raises(Refused, match="before the start"):
        actions.end_guardianship(first, by=social_worker, ends_on=ago(10))
    actions.end_guardianship(first, by=social_worker, ends_on=ago(3))
    with pytest.raises(Refused, match="another guardian"):
        actions.name_guardian(case, by=social_worker, **named | {"key": uuid.uuid4(), "starts_on": ago(5)})
    actions.name_guardian(case, by=world.child, **named | {"key": uuid.uuid4(), "starts_on": ago(3), "kind": "parent"})
    assert Guardianship.objects.filter(case=case).count() == 2
    assert kinds(case).count(EventKind.GUARDIAN_NAMED) == 2


def test_the_officer_names_a_guardian_and_with_that_the_centre_takes_part(world, social_worker):
    case = of_age(world.focal_point, 12)
    actions.name_guardian(
        case, by=world.child, key=uuid.uuid4(), kind="temporary", appointed_by=institution("CSW"), starts_on=ago(9)
    )
    assert CaseParty.objects.get(case=case, institution=institution("CSW")).role == "joint"
    assert Case.objects.visible_to(social_worker).filter(pk=case.pk).exists()


@pytest.mark.parametrize(("named", "is_late"), [(9, False), (7, True)])
def test_the_guardian_is_owed_within_the_time_of_the_sop(world, named, is_late):
    case = of_age(world.focal_point, 12)
    clock = Clock.objects.get(case=case, step__number=6)
    assert clock.state == ClockState.RUNNING and clock.due_at is not None and timezone.localdate(clock.due_at) == ago(9)
    actions.name_guardian(
        case, by=world.child, key=uuid.uuid4(), kind="temporary", appointed_by=institution("CSW"), starts_on=ago(named)
    )
    clock.refresh_from_db()
    assert clock.state == ClockState.MET and clock.is_late is is_late


def test_the_unit_of_the_municipality_is_named_and_no_other(world):
    case = of_age(world.focal_point, 12)  # in Pristina
    Competence.objects.create(institution=institution("MUN-GJA"), function="child_unit", municipality_id="GJA")
    with pytest.raises(Refused, match="no child protection unit"):
        actions.name_child_unit(case, by=world.focal_point, unit=institution("MUN-GJA"))
    with pytest.raises(Refused, match="not the procedure of a child"):
        actions.name_child_unit(of_age(world.focal_point, 30), by=world.focal_point, unit=institution("CSW"))


def test_the_best_interest_is_determined_for_children_only(world):
    found = {
        "key": uuid.uuid4(), "determined_on": ago(2), "finding": "shelter", "determined_by": institution("CSW"),
        "review_on": ago(-90),
    }  # fmt: skip
    case = of_age(world.focal_point, 12)
    with pytest.raises(Refused, match="next review"):
        actions.determine_best_interest(case, by=world.child, **found | {"review_on": ago(2)})
    with pytest.raises(Refused, match="Centre"):
        actions.determine_best_interest(case, by=world.child, **found | {"determined_by": institution("KP-THB")})
    for _again in range(2):
        actions.determine_best_interest(case, by=world.child, **found)
    assert BestInterest.objects.filter(case=case).count() == 1 and EventKind.BEST_INTEREST in kinds(case)
    with pytest.raises(PermissionDenied, match="procedure of a child"):
        actions.determine_best_interest(
            of_age(world.focal_point, 30), by=world.director, **found | {"key": uuid.uuid4()}
        )


def test_turning_18_keeps_the_procedure_of_a_child(world):
    by = world.focal_point
    case = of_age(by, 17, on=ago(200))
    key = uuid.uuid4()
    with pytest.raises(Refused, match="future"):
        actions.come_of_age(case, by=by, key=key, on=ago(-1))
    with pytest.raises(Refused, match="after it"):
        actions.come_of_age(case, by=by, key=key, on=ago(200))
    for _again in range(2):
        step, _new = actions.come_of_age(case, by=by, key=key, on=ago(100))
    assert stands(case) == ("CHILD", True, "CHILD", 17)
    with pytest.raises(Refused, match="recorded already"):
        actions.come_of_age(case, by=by, key=uuid.uuid4(), on=ago(90))
    with pytest.raises(Refused, match="keeps the protection"):
        checked(case, by, "ADULT", ago(1), 18)
    with pytest.raises(Refused, match="no doubt"):
        record_step(case, by=by, key=uuid.uuid4(), kind=EventKind.AGE_DOUBTED, on=ago(1))
    strike(step, by=by, reason="Datë e gabuar")
    actions.come_of_age(case, by=by, key=uuid.uuid4(), on=ago(80))


@pytest.mark.parametrize(
    ("age", "on", "sentence"),
    [
        (12, 1, "does not turn 18"),
        (16, 600, "does not turn 18"),  # at the earliest a year after the referral
        (16, 1, None),
        (None, 1, None),
    ],
)
def test_the_day_agrees_with_the_age_at_the_referral(world, age, on, sentence):
    case = of_age(world.focal_point, age, "CHILD", on=ago(700))
    if sentence is None:
        assert actions.come_of_age(case, by=world.focal_point, key=uuid.uuid4(), on=ago(on))
        return
    with pytest.raises(Refused, match=sentence):
        actions.come_of_age(case, by=world.focal_point, key=uuid.uuid4(), on=ago(on))


def test_a_child_of_29_february_comes_of_age_around_it(world):
    case = of_age(world.focal_point, 17, on=date(2024, 2, 29))
    assert actions.come_of_age(case, by=world.focal_point, key=uuid.uuid4(), on=date(2025, 2, 28))


def test_neither_in_doubt_nor_an_adult_comes_of_age(world):
    with pytest.raises(Refused, match="in doubt"):
        actions.come_of_age(of_age(world.focal_point, None), by=world.focal_point, key=uuid.uuid4(), on=ago(1))
    with pytest.raises(Refused, match="not the procedure"):
        actions.come_of_age(of_age(world.focal_point, 30), by=world.focal_point, key=uuid.uuid4(), on=ago(1))


@pytest.mark.django_db(transaction=True)
def test_of_two_guardians_at_once_one_is_named(world):
    case = of_age(world.focal_point, 12)
    results = at_once(
        *(
            lambda kind=kind: actions.name_guardian(
                case, by=world.child, key=uuid.uuid4(), kind=kind, appointed_by=institution("CSW"), starts_on=ago(1)
            )
            for kind in ("temporary", "parent")
        )
    )
    assert sorted(type(one).__name__ for one in results) == ["Refused", "tuple"]
    assert Guardianship.objects.filter(case=case).count() == 1
