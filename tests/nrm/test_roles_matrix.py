"""Who does what: gaps and overlaps of the matrix, its cells, and the act that fills it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from nrm.actions import assessment as actions
from nrm.actions import sop
from nrm.models import Competence, RolePlace, SopVersion
from nrm.queries.mechanism import found_in, matrix
from nrm.role_findings import Finding, FindingKind, findings, proposed
from onatc.errors import Refused
from stakeholders.actions.records import Stale
from tests.nrm.cases import institution
from tests.nrm.watching import a_step
from tests.stakeholders.decided import at_once, cost_of

pytestmark = pytest.mark.django_db


def test_gaps_and_overlaps_of_a_small_matrix():
    steps = {"one": ["police"], "two": ["court", "police"], "three": ["responsible"]}
    parts = [("one", "KP", "leads"), ("one", "MOH", "leads"), ("two", "KP", "takes_part"), ("three", "KP", "leads")]
    competent = [("police", "KP"), ("health", "MOH"), ("legal_aid", "FLAA")]
    assert findings(steps, parts, competent) == [
        Finding(FindingKind.TWO_LEAD, "one", institutions=("KP", "MOH")),
        Finding(FindingKind.NO_LEAD, "two"),
        Finding(FindingKind.NOBODY_COMPETENT, "two", "court"),
        Finding(FindingKind.NO_PART, institutions=("FLAA",)),
    ]
    assert findings({}, [], []) == []


def test_an_institution_with_two_functions_is_named_once_and_one_that_is_informed_has_a_part():
    idle = findings({}, [("gone", "MOH", "informed")], [("a", "X"), ("b", "X"), ("b", "MOH")])
    assert [one.institutions for one in idle] == [("X",)]


def test_who_alone_has_the_first_function_is_proposed_to_lead():
    made = proposed({"s": ["police", "csw"], "t": ["csw"]}, [("police", "A"), ("police", "B"), ("csw", "C")])
    assert made == {
        ("s", "A"): "takes_part", ("s", "B"): "takes_part", ("s", "C"): "takes_part", ("t", "C"): "leads",
    }  # fmt: skip


@pytest.fixture
def version(db):
    return SopVersion.objects.get(number=1)


def part(version, by, what: str, *, step: int = 16, who: str = "CSW", revision: int = -1):
    values = {"part": what, "basis": "SOP", "language": "en"}
    return actions.set_part(version, a_step(step).lineage, institution(who), values, by=by, revision=revision)


def test_a_cell_is_filled_changed_and_emptied(world, version):
    place = part(version, world.planning, "leads")
    with pytest.raises(Stale):
        part(version, world.director, "informed")  # the form was made from the empty cell
    place = part(version, world.director, "consulted", revision=place.revision)
    with pytest.raises(Stale):
        part(version, world.director, "", revision=0)
    assert part(version, world.director, "", revision=place.revision) is None and not RolePlace.objects.exists()
    assert part(version, world.director, "", revision=0) is None  # twice is once
    with pytest.raises(Refused, match="such part"):
        part(version, world.director, "commands")
    with pytest.raises(Refused, match="no such step"):
        actions.set_part(
            version, uuid.uuid4(), institution("CSW"), {"part": "leads"}, by=world.director, revision=-1
        )  # fmt: skip
    for name in ("focal_point", "natc", "observer", "information", "administrator", "stranger"):
        with pytest.raises(PermissionDenied):
            part(version, getattr(world, name), "leads")


@pytest.mark.django_db(transaction=True)
def test_two_who_fill_a_cell_at_once(world):
    version = SopVersion.objects.get(number=1)
    results = at_once(lambda: part(version, world.director, "leads"), lambda: part(version, world.planning, "informed"))
    assert RolePlace.objects.count() == 1 and sum(isinstance(one, Stale) for one in results) == 1
    RolePlace.objects.all().delete()
    at_once(lambda: actions.prefill(version, by=world.director), lambda: actions.prefill(version, by=world.planning))
    assert RolePlace.objects.count() == len(set(RolePlace.objects.values_list("step_lineage", "institution")))


def test_filling_keeps_what_people_wrote_and_adds_nothing_a_second_time(world, version):
    part(version, world.director, "informed", step=16, who="CSW")
    added = actions.prefill(version, by=world.director)
    assert added > 30 and actions.prefill(version, by=world.director) == 0
    places = {
        (one.step_lineage, one.institution.code): one.part for one in RolePlace.objects.select_related("institution")
    }
    assert places[a_step(16).lineage, "CSW"] == "informed"
    assert places[a_step(13).lineage, "CSW"] == "leads"  # best interest: the centre for social work alone
    assert places[a_step(7).lineage, "KP-THB"] == "takes_part"  # several police directorates: people say who leads
    with pytest.raises(PermissionDenied):
        actions.prefill(version, by=world.focal_point)


def test_the_filled_matrix_finds_its_gaps_and_overlaps(world, version):
    actions.prefill(version, by=world.director)
    today = timezone.localdate()
    kinds = {(one.kind, one.step) for one in found_in(version, today)}
    assert (FindingKind.NO_LEAD, a_step(7).lineage) in kinds
    assert (FindingKind.NO_LEAD, a_step(13).lineage) not in kinds
    part(version, world.director, "leads", step=13, who="MOH")
    Competence.objects.filter(function="legal_aid").delete()
    found = found_in(version, today)
    assert Finding(FindingKind.NOBODY_COMPETENT, a_step(21).lineage, "legal_aid") in found
    overlap = next(one for one in found if one.kind == FindingKind.TWO_LEAD)
    assert overlap.step == a_step(13).lineage and len(overlap.institutions) == 2
    sentences = [one.sentence for one in matrix(version, world.observer, today).findings]
    assert any("several institutions lead it: " in one for one in sentences)
    assert any("legal aid" in one for one in sentences)


def test_a_new_version_of_the_sop_begins_with_who_does_what_now(world, version):
    """Else the day on which it comes into force leaves every step without anybody."""
    actions.prefill(version, by=world.director)
    part(version, world.director, "informed", step=1, who="MFLT")
    names = ("step_lineage", "institution", "part", "basis")

    def parts(of: SopVersion) -> list[tuple]:
        return sorted(RolePlace.objects.filter(version=of).values_list(*names), key=str)

    values = {"title_en": "Second", "note": ""}
    draft, _is_new = sop.draft_version(uuid.uuid4(), values, by=world.director)
    before = parts(version)
    assert len(before) > 10 and parts(draft) == before
    today = timezone.localdate()
    assert found_in(draft, today) == found_in(version, today)
    step = draft.steps.get(number=1)
    sop.remove_step(step, by=world.director)
    assert parts(draft) == [one for one in before if one[0] != step.lineage] and parts(version) == before
    sop.discard_draft(draft, by=world.director)
    assert parts(version) == before


def test_a_competence_that_is_over_makes_nobody_competent(world, version):
    today = timezone.localdate()
    Competence.objects.filter(function="advocate").update(ends_on=today)
    lineage = a_step(4).lineage
    wanted = Finding(FindingKind.NOBODY_COMPETENT, lineage, "advocate")
    assert wanted not in found_in(version, today)
    assert wanted in found_in(version, today + timedelta(days=1))


def test_the_page_shows_fills_and_edits_the_matrix_and_saves_it_as_a_file(world, client_for, version):
    client = client_for("director")
    page = reverse("nrm:role-matrix")
    assert "No institution has a part yet" in client.get(page).content.decode()
    assert client.post(reverse("nrm:role-prefill", args=[version.pk])).status_code == 302
    cell = reverse("nrm:role-part", args=[version.pk, a_step(13).lineage, institution("CSW").pk])
    assert cell in client.get(page).content.decode()
    stale = client.post(cell, {"part": "informed", "basis": "", "language": "en", "revision": "5"})
    assert stale.status_code == 200 and "What stands there now" in stale.content.decode()
    assert client.post(cell, {"part": "informed", "basis": "Law", "language": "en", "revision": "0"}).status_code == 302
    new = {
        "step": a_step(13).pk,
        "institution": institution("MFLT").pk,
        "part": "leads",
        "language": "en",
        "revision": -1,
    }
    assert client.post(reverse("nrm:role-part-create", args=[version.pk]), new).status_code == 302
    observer = client_for("observer")
    text = observer.get(page + "?version=nonsense").content.decode()
    assert cell not in text and "pill-part-leads" in text
    assert observer.get(cell).status_code == 403
    assert client_for("administrator").get(page).status_code == 403
    body = b"".join(observer.get(reverse("nrm:role-matrix-export")).streaming_content).decode()
    assert "no institution leads it" in body and "CSW" in body
    assert observer.get(reverse("nrm:role-matrix-export") + "?format=xlsx").status_code == 200
    before = cost_of(client, page)
    for code in ("KFOR", "OSCE", "IOM"):
        if type(institution("CSW")).objects.filter(code=code).exists():
            part(version, world.director, "informed", step=1, who=code)
    assert cost_of(client, page) == before
