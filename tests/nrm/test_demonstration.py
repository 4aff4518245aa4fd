"""The demonstration's cases: realistic, without a person, and opened by the acts of the application."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from monitoring.demo.nrm_cases import add_cases, demonstration_cases
from nrm import markers
from nrm.careful import looks_like_identity
from nrm.models import Case, CaseManagement, Merge, OwnFileNumber, TwinMatch
from onatc.ids import from_seed
from stakeholders.models import User


def test_cases_of_three_years_are_opened_by_the_institutions_that_meet_people(world):
    people, today = {one.email: one for one in User.objects.all()}, timezone.localdate()
    with from_seed(1):
        add_cases(people, 1, today, count=40)
    cases = list(demonstration_cases())
    assert len(cases) == 40 and all(markers.is_valid(one.marker) for one in cases)
    assert cases[0].opened_on < today - timedelta(days=500) and cases[-1].opened_on <= today
    assert {one.responsible.code for one in cases} >= {"KP-THB", "CSW"}
    assert any(one.is_child_procedure for one in cases) and not all(one.is_child_procedure for one in cases)
    assert all(one.recorded_at.date() <= one.opened_on + timedelta(days=3) for one in cases)
    assert not [one.note for one in cases if looks_like_identity(one.note)]
    assert Merge.objects.count() == 2 and Case.objects.counted().count() == 39 and TwinMatch.objects.count() == 1
    assert CaseManagement.objects.exists() and OwnFileNumber.objects.exists()
    assert {"isf@demo.example", "csw@demo.example", "pvpt@demo.example", "dcam@demo.example"} <= set(people)


def test_the_same_seed_gives_the_same_cases(world):
    def made(seed: int) -> list[tuple[str, ...]]:
        people = {one.email: one for one in User.objects.all()}
        with transaction.atomic(), from_seed(seed):
            add_cases(people, seed, timezone.localdate(), count=8)
            found = [(one.marker, str(one.pk), str(one.opened_on), one.note) for one in demonstration_cases()]
            transaction.set_rollback(True)
        return found

    assert made(1) == made(1) != made(2)
