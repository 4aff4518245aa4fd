"""The list of cases and the page of a case, opening, completing and managing it."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nrm import markers
from nrm.actions import keeping
from nrm.actions.cases import open_case
from nrm.actions.happenings import note
from nrm.models import Case, CaseParty, EventKind, Happening, PartyRole, Referral
from nrm.queries.cases import changes_of, labels_of
from onatc.errors import Refused
from onatc.trail import TrailEntry
from stakeholders.actions.records import Stale
from tests.nrm.cases import institution, opened


def read(client, case, purpose="Checking the deadline"):
    """The page of a case after its purpose was stated."""
    address = case.get_absolute_url()
    answer = client.get(address)
    if answer.status_code == 302 and "scope=" in answer["Location"]:
        client.post(answer["Location"], {"purpose": purpose})
        answer = client.get(address)
    return answer


def the_form(page) -> dict[str, object]:
    """The values that a form was shown with."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}


# The page


def test_a_case_page_asks_for_its_purpose_once_a_visit_and_the_owner_sees_the_reading(world, client_for):
    case = opened(world.focal_point)
    director = client_for("director")
    first = director.get(case.get_absolute_url())
    assert first.status_code == 302 and first["Location"].startswith(reverse("state-purpose"))
    page = read(director, case)
    assert page.status_code == 200 and str(case) in page.content.decode()
    assert director.get(case.get_absolute_url()).status_code == 200
    assert TrailEntry.objects.filter(record_id=str(case.pk), purpose="Checking the deadline").count() == 2
    assert page["Cache-Control"] == "private, no-store"
    own = read(client_for("focal_point"), case, "My own case").content.decode()
    assert "Checking the deadline" in own and world.director.full_name in own


@pytest.mark.parametrize(("who", "page"), [("director", "case-edit"), ("focal_point", "case-file-number")])
def test_a_form_that_shows_what_a_case_knows_asks_for_the_purpose_too(world, client_for, who, page):
    """T28: nobody reads profile or file number past the question and the trail."""
    case, client = opened(world.focal_point), client_for(who)
    answer = client.get(reverse(f"nrm:{page}", args=[case.marker]))
    assert answer.status_code == 302 and answer["Location"].startswith(reverse("state-purpose"))
    answer = client.get(client.post(answer["Location"], {"purpose": "To correct the age"})["Location"])
    assert answer.status_code == 200 and str(case) in answer.content.decode()
    assert TrailEntry.objects.filter(record_id=str(case.pk), purpose="To correct the age").exists()


def test_a_strangers_case_and_one_that_is_not_there_look_alike(world, client_for):
    case = opened(world.focal_point)
    other = client_for("other_focal_point")
    absent = next(one for one in iter(markers.new_marker, "") if one != case.marker)
    answers = [other.get(reverse("nrm:case-detail", args=[marker])) for marker in (case.marker, absent, "K" * 16)]
    assert [one.status_code for one in answers] == [404, 404, 404]
    assert len({re.sub(rb'nonce="[^"]*"|name="csrf[^>]*>|cases/[^/"]*|data-[a-z]+="[^"]*"', b"", one.content) for one in answers}) == 1  # fmt: skip
    assert client_for("natc").get(case.get_absolute_url()).status_code == 403


def test_a_case_page_costs_the_same_whatever_happened_in_it(world, client_for):
    few, many = opened(world.focal_point), opened(world.focal_point)
    for _number in range(5):
        note(many, EventKind.INFORMED, on=many.opened_on, by=world.focal_point, institution=many.responsible)
    CaseParty.objects.create(case=many, institution=institution("ISF"), role=PartyRole.JOINT)
    client, counts = client_for("focal_point"), []
    for case in (few, many):
        read(client, case)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(case.get_absolute_url()).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1], counts


def test_only_acts_that_are_possible_now_are_offered(world, client_for):
    case = opened(world.focal_point)
    own = read(client_for("focal_point"), case).content.decode()
    for name in ("case-edit", "case-file-number", "case-twin"):
        assert reverse(f"nrm:{name}", args=[case.marker]) in own
    assert reverse("nrm:case-merge", args=[case.marker]) not in own
    office = read(client_for("monitoring"), case).content.decode()
    assert reverse("nrm:case-merge", args=[case.marker]) in office
    assert reverse("nrm:case-twin", args=[case.marker]) not in office
    Case.objects.filter(pk=case.pk).update(closed_on=timezone.localdate(), outcome="RT_STAY")
    closed = read(client_for("focal_point"), case).content.decode()
    assert reverse("nrm:case-edit", args=[case.marker]) not in closed
    assert client_for("focal_point").get(reverse("nrm:case-edit", args=[case.marker])).status_code == 403


# The list


def test_the_list_is_filtered_counted_sorted_and_saved(world, client_for):
    child = opened(world.focal_point, profile={"age_at_referral": 14, "forms": ["BEG"], "municipality_id": "PEJ"})
    adult = opened(world.focal_point, on=timezone.localdate() - timedelta(days=40))
    late = opened(world.focal_point)
    Case.objects.update(next_due_at=None)  # which clocks run is not the matter here
    Case.objects.filter(pk=late.pk).update(next_due_at=timezone.now() - timedelta(days=3))
    Case.objects.filter(pk=adult.pk).update(closed_on=timezone.localdate(), outcome="RT_STAY", status="IDENTIFIED")
    client, address = client_for("focal_point"), reverse("nrm:case-list")

    def shown(**query):
        page = client.get(address, query)
        assert page.status_code == 200
        return {one.pk for one in page.context["page"]}

    assert shown() == {child.pk, adult.pk, late.pk}
    assert shown(procedure="child") == shown(form="BEG") == shown(municipality="PEJ") == {child.pk}
    assert shown(state="late") == {late.pk} and shown(state="closed") == {adult.pk}
    assert shown(status="IDENTIFIED") == {adult.pk}
    assert shown(opened_to=timezone.localdate() - timedelta(days=30)) == {adult.pk}
    assert shown(opened_from=timezone.localdate() - timedelta(days=30)) == {child.pk, late.pk}
    assert shown(responsible=institution("MOH").pk) == set()
    wrong = client.get(address, {"opened_from": "31.02", "sort": "password", "state": "x", "recorded_by__email": "a"})
    assert len(wrong.context["page"]) == 3 and wrong.context["filter"].form.errors["opened_from"]
    page = client.get(address).content.decode()
    assert "3 days late" in page and str(late) in page
    counts = {code: number for code, _label, number in client.get(address).context["filter"].counts}
    assert counts == {"POTENTIAL": 2, "IDENTIFIED": 1}
    rows = b"".join(client.get(reverse("nrm:case-export"), {"procedure": "child"})).decode().splitlines()
    assert len(rows) == 2 and str(child) in rows[1]
    assert client.get(reverse("nrm:case-export"), {"format": "xlsx"}).status_code == 200
    assert client_for("natc").get(address).status_code == 403


def test_the_list_costs_the_same_for_many_cases(world, client_for):
    client, counts = client_for("monitoring"), []
    client.get(reverse("nrm:case-list"))
    for _more in range(2):
        for _number in range(3):
            opened(world.focal_point)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("nrm:case-list"))
        counts.append(len(queries))
    assert counts[0] == counts[1], counts


def test_a_marker_mistyped_by_one_sign_is_named_as_such(world, client_for):
    case, client, address = opened(world.focal_point), client_for("focal_point"), reverse("nrm:case-find")
    assert client.post(address, {"marker": str(case).lower()})["Location"] == case.get_absolute_url()
    for place in range(16):
        sign = "K" if case.marker[place] != "K" else "M"
        wrong = case.marker[:place] + sign + case.marker[place + 1 :]
        page = client.post(address, {"marker": wrong})
        assert page.status_code == 200 and "a sign is wrong, or two signs have changed places" in page.content.decode()
    assert "too short" in client.post(address, {"marker": "4KM7"}).content.decode()


def test_a_scan_of_neighbours_is_stopped_and_own_cases_stay_open(world, client_for):
    """T32: 1,000 markers of which none is the person's own."""
    foreign, own = opened(world.other_focal_point, code="MOH"), opened(world.focal_point)
    client = client_for("focal_point")
    statuses = []
    for number in range(60):
        marker = foreign.marker if number == 45 else markers.new_marker()
        statuses.append(client.get(reverse("nrm:case-detail", args=[marker])).status_code)
    assert statuses[:30] == [404] * 30 and set(statuses[30:]) == {403}
    assert client.post(reverse("nrm:case-find"), {"marker": markers.new_marker()}).status_code == 429
    assert client.post(reverse("nrm:case-find"), {"marker": own.marker}).status_code == 302
    assert read(client, own).status_code == 200
    assert client_for("monitoring").get(reverse("nrm:case-detail", args=[markers.new_marker()])).status_code == 404


# Opening


def test_a_case_is_opened_by_a_form_once_however_often_it_is_sent(world, client_for):
    client, address = client_for("focal_point"), reverse("nrm:case-create")
    page = client.get(address)
    assert page.status_code == 200
    assert [str(one) for one in page.context["form"].fields["institution"].queryset] == [str(institution("KP-THB"))]
    values = the_form(page) | {
        "institution": institution("KP-THB").pk, "referring_entity": "E_SELF", "referred_on": timezone.localdate(),
        "sex": "F", "age_at_referral": 17, "citizenship_main": "AL", "citizenship": ["XK"], "form_main": "SEX",
        "forms": ["LAB", "SEX"], "recruitment_countries": ["AL"], "exploitation_countries": ["XK"],
        "municipality": "PRN", "vulnerabilities": ["VU_NODOC"], "missing_labour_sector": "NA_UNKNOWN",
    }  # fmt: skip
    answer = client.post(address, values)
    assert answer.status_code == 302, answer.context["form"].errors
    assert client.post(address, values)["Location"] == answer["Location"]
    case = Case.objects.get()
    assert answer["Location"] == case.get_absolute_url()
    assert (case.citizenship, case.forms, case.geography) == (["AL", "XK"], ["SEX", "LAB"], "GEO_IN")
    assert (case.age_group_at_referral, case.track, case.is_child_procedure) == ("CHILD", "CHILD", True)
    assert case.municipality_id == "PRN" and case.vulnerabilities == ["VU_NODOC"]
    assert case.missing["labour_sector"] == "NA_UNKNOWN" and case.missing["means_of_control"] == "NA_NOTASKED"
    assert "municipality" not in case.missing
    assert Referral.objects.get(case=case).referring_entity == "E_SELF"
    shown = read(client, case).content.decode()
    assert "Into Kosovo from abroad" in shown and "Asked, not known" in shown and "Without documents" in shown


def test_what_does_not_fit_together_is_refused_at_its_field(world, client_for):
    client, address = client_for("focal_point"), reverse("nrm:case-create")
    blank = the_form(client.get(address))
    today = timezone.localdate()
    good = blank | {
        "institution": institution("KP-THB").pk, "referring_entity": "E_POLICE", "referred_on": today,
        "sex": "U", "age_at_referral": 30, "citizenship_main": "CIT_U", "form_main": "EXP_U",
    }  # fmt: skip
    for wrong, field in (
        ({"referred_on": today + timedelta(days=1)}, "referred_on"),
        ({"referred_on": "2025-02-29"}, "referred_on"),
        ({"signal_on": today, "referred_on": today - timedelta(days=1)}, "signal_on"),
        ({"age_at_referral": 111}, "age_at_referral"),
        ({"age_at_referral": "", "age_group_at_referral": ""}, "age_group_at_referral"),
        ({"age_at_referral": 30, "age_group_at_referral": "CHILD"}, "age_group_at_referral"),
        ({"age_at_referral": 12, "age_at_exploitation": 13}, "age_at_exploitation"),
        ({"addressee": institution("KP-THB").pk}, "addressee"),
        ({"institution": institution("MOH").pk}, "institution"),
        ({"form_main": "NO_SUCH"}, "form_main"),
        ({"citizenship_main": ""}, "citizenship_main"),
        ({"citizenship_main": "ISO3166"}, "citizenship_main"),
        ({"municipality": "XXX"}, "municipality"),
        ({"note": "Arta Krasniqi came alone"}, "note"),
    ):
        page = client.post(address, good | wrong)
        assert page.status_code == 200 and field in page.context["form"].errors, (wrong, page.context["form"].errors)
    assert not Case.objects.exists()
    leap = today.replace(day=1)
    assert client.post(address, good | {"referred_on": leap}).status_code == 302


def test_cases_are_opened_for_ones_own_institution_and_by_the_office_for_any(world):
    arguments = {"referred_on": timezone.localdate()}
    with pytest.raises(PermissionDenied):
        open_case(by=world.focal_point, key=uuid.uuid4(), institution=institution("MOH"), **arguments)
    case, _new = open_case(by=world.monitoring, key=uuid.uuid4(), institution=institution("ISF"), **arguments)
    assert case.responsible.code == "ISF"


def test_an_anonymous_case_is_completed_later_and_counts_one_person(world, client_for):
    client, address = client_for("focal_point"), reverse("nrm:case-create-anonymous")
    page = client.get(address)
    assert not {"note", "citizenship", "forms", "age_at_referral"} & set(page.context["form"].fields)
    values = the_form(page) | {
        "institution": institution("KP-THB").pk, "referring_entity": "E_HOTLINE", "referred_on": timezone.localdate(),
        "sex": "M", "age_group_at_referral": "AGE_U", "why": "NA_REFUSED",
    }  # fmt: skip
    answer = client.post(address, values)
    assert answer.status_code == 302, answer.context["form"].errors
    case = Case.objects.get()
    assert case.is_anonymous and case.is_child_procedure and case.missing["forms"] == "NA_REFUSED"
    edit = reverse("nrm:case-edit", args=[case.marker])
    read(client, case)
    assert "still counted once" in client.get(edit).content.decode()
    values = the_form(client.get(edit)) | {
        "age_group_at_referral": "CHILD", "citizenship_main": "XK", "form_main": "BEG", "municipality": "GJI",
        "missing_municipality": "",
    }  # fmt: skip
    answer = client.post(edit, values)
    assert answer.status_code == 302, answer.context["form"].errors
    full = Case.objects.get()
    assert not full.is_anonymous and full.person_id == case.person_id and full.track == "CHILD"
    assert full.citizenship == ["XK"] and full.municipality_id == "GJI" and "municipality" not in full.missing


def test_a_stale_profile_shows_what_a_colleague_wrote(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    edit = reverse("nrm:case-edit", args=[case.marker])
    read(client, case)
    values = the_form(client.get(edit))
    keeping.change_profile(case, {"forms": ["BEG"]}, by=world.monitoring, revision=case.revision)
    page = client.post(edit, values | {"form_main": "LAB"})
    assert page.status_code == 200
    assert ("forms of exploitation", "Begging") in [(label, text.split(",")[0].split(" (")[0]) for label, text in page.context["changed"]] or page.context["changed"]  # fmt: skip
    assert Case.objects.get(pk=case.pk).forms == ["BEG"]
    again = client.post(edit, values | {"form_main": "LAB", "revision": Case.objects.get(pk=case.pk).revision})
    assert again.status_code == 302 and Case.objects.get(pk=case.pk).forms == ["LAB"]
    with pytest.raises(Stale):
        keeping.change_profile(case, {"sex": "M"}, by=world.monitoring, revision=0)


def test_the_history_of_a_case_speaks_in_words(world, client_for):
    """What changed is read by people: no codes of lists, no lists and dictionaries of a program."""
    case = opened(world.focal_point)
    values = {
        "forms": ["SEX", "LAB"], "citizenship": ["AL", "CIT_U"], "needs_interpreter": "tr", "sex": "M",
        "missing": {"means_of_control": "NA_UNKNOWN"},
    }  # fmt: skip
    keeping.change_profile(case, values, by=world.focal_point, revision=0)
    fields = {one.label: (one.old, one.new) for change in changes_of(case) for one in change.fields}
    said = labels_of("exploitation", "sex", "missing_reason")
    assert fields["forms of exploitation"] == (
        said["exploitation", "SEX"], f"{said['exploitation', 'SEX']}, {said['exploitation', 'LAB']}",
    )  # fmt: skip
    assert fields["citizenship"][0].startswith("Kosovo") and fields["citizenship"][1].startswith("Albania, ")
    assert fields["language of an interpreter"] == ("empty", "Turkish") and fields["sex"][1] == said["sex", "M"]
    assert fields["why values are absent"] == ("empty", f"means of control: {said['missing_reason', 'NA_UNKNOWN']}")
    page = read(client_for("focal_point"), case).content.decode()
    assert "NA_UNKNOWN" not in page and "[&#x27;" not in page


def test_an_adult_becomes_a_child_by_a_correction_and_a_child_an_adult_by_an_age_check_only(world):
    case = opened(world.focal_point)
    case = keeping.change_profile(case, {"age_at_referral": 16}, by=world.focal_point, revision=0)
    assert case.is_child_procedure and case.track == "CHILD" and case.age_group_at_referral == "CHILD"
    assert Happening.objects.filter(case=case, kind=EventKind.CHILD).exists()
    with pytest.raises(Refused, match="age check"):
        keeping.change_profile(case, {"age_at_referral": 19}, by=world.focal_point, revision=case.revision)
    with pytest.raises(PermissionDenied):
        keeping.change_profile(case, {"sex": "M"}, by=world.other_focal_point, revision=case.revision)
    # After an age check other values change nothing about the procedure.
    doubted = opened(world.focal_point, profile={"age_at_referral": None, "age_group_at_referral": "AGE_U"})
    Case.objects.filter(pk=doubted.pk).update(track="ADULT", is_child_procedure=False)
    values = {"age_at_referral": None, "age_group_at_referral": "AGE_U", "sex": "M"}
    doubted = keeping.change_profile(doubted, values, by=world.focal_point, revision=0)
    assert not doubted.is_child_procedure and doubted.track == "ADULT" and doubted.sex == "M"


def test_institutions_of_a_case_are_listed_with_their_part_and_since_when(world, client_for):
    case = opened(world.focal_point)
    CaseParty.objects.create(case=case, institution=institution("ISF"), role=PartyRole.JOINT)
    CaseParty.objects.create(
        case=case, institution=institution("MOH"), role=PartyRole.HELPS, until=timezone.now(),
        since=timezone.now() - timedelta(days=4),
    )  # fmt: skip
    page = read(client_for("focal_point"), case).content.decode()
    assert "works on it jointly" in page and "accepted a referral" in page and "is responsible" in page
    assert client_for("other_focal_point").get(case.get_absolute_url()).status_code == 404  # its part has ended
