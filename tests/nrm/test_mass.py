"""The cases that are made in mass for measuring are such that pages and invariants take them for real ones."""

from nrm.models import Case, Clock, Happening
from tests.mass_nrm import CLOCKS, HAPPENINGS, fill_cases


def test_each_case_of_the_mass_has_as_much_of_everything(world):
    fill_cases(cases=50, by=world.people["director"])
    assert Case.objects.count() == 50
    assert Happening.objects.count() == 49 * HAPPENINGS + 1 and Clock.objects.count() == 49 * CLOCKS + 1
    assert Case.objects.visible_to(world.director).count() == 50
    assert 0 < Case.objects.visible_to(world.focal_point).count() < 50
    assert Clock.objects.late().exists() and Clock.objects.met_late().exists()
