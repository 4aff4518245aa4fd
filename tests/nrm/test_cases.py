"""The list of cases and the page of a case: who may open it, for what purpose, and what stands on it."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onatc.trail import TrailEntry
from tests.nrm.cases import opened


def read(client, case, purpose="Checking the deadline"):
    """The page of a case after its purpose was stated."""
    address = case.get_absolute_url()
    answer = client.get(address)
    if answer.status_code == 302 and "scope=" in answer["Location"]:
        client.post(answer["Location"], {"purpose": purpose})
        answer = client.get(address)
    return answer


def test_a_case_page_asks_for_its_purpose_once_a_visit_and_the_owner_sees_the_reading(world, client_for):
    case = opened(world.focal_point)
    director = client_for("director")
    first = director.get(case.get_absolute_url())
    assert first.status_code == 302 and first["Location"].startswith(reverse("state-purpose"))
    page = read(director, case)
    assert page.status_code == 200 and str(case) in page.content.decode()
    assert director.get(case.get_absolute_url()).status_code == 200
    assert TrailEntry.objects.filter(record_id=str(case.pk), purpose="Checking the deadline").count() == 2
    own = read(client_for("focal_point"), case, "My own case").content.decode()
    assert "Checking the deadline" in own and world.director.full_name in own


def test_a_strangers_case_and_one_that_is_not_there_look_alike(world, client_for):
    case = opened(world.focal_point)
    other = client_for("other_focal_point")
    wrong = ("K" if case.marker[0] != "K" else "M") + case.marker[1:]
    answers = [other.get(reverse("nrm:case-detail", args=[marker])) for marker in (case.marker, wrong)]
    assert [one.status_code for one in answers] == [404, 404]
    assert client_for("natc").get(case.get_absolute_url()).status_code == 403


def test_a_case_page_costs_the_same_whatever_happened_in_it(world, client_for):
    few, many = opened(world.focal_point), opened(world.focal_point)
    from nrm.actions.happenings import note

    for _number in range(5):
        note(many, "informed", on=many.opened_on, by=world.focal_point, institution=many.responsible)
    client = client_for("focal_point")
    counts = []
    for case in (few, many):
        read(client, case)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(case.get_absolute_url()).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1], counts
