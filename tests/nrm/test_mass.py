"""The cases that are made in mass for measuring are such that pages and invariants take them for real ones."""

from nrm import invariants
from nrm.models import Case, Clock, Happening
from tests.mass_nrm import CLOCKS, HAPPENINGS, fill_cases

RULES = (
    invariants.cases_have_the_status_of_their_decisions,
    invariants.open_cases_have_their_responsible_institution,
    invariants.closed_cases_have_nothing_open,
    invariants.deadlines_of_cases_are_those_of_their_clocks,
    invariants.merged_cases_point_at_their_survivor,
)


def test_each_case_of_the_mass_has_as_much_of_everything(world):
    fill_cases(cases=50, by=world.people["director"])
    assert Case.objects.count() == 50
    assert Happening.objects.count() == 49 * HAPPENINGS + 1 and Clock.objects.count() == 49 * CLOCKS + 1
    assert Case.objects.visible_to(world.director).count() == 50
    assert 0 < Case.objects.visible_to(world.focal_point).count() < 50
    assert [sentence for rule in RULES for sentence in rule()] == []
    assert Clock.objects.late().exists() and Clock.objects.met_late().exists()
