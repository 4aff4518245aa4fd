"""The services directory: search by need and distance, what the provider says, rights, bad input, races (issue 7, 07)."""

from __future__ import annotations

import csv
import io
import threading
import uuid
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from nrm.actions import service_reminders, services
from nrm.distance import kilometres
from nrm.models import PlacesReport, Service, ServiceProposal
from nrm.queries.services import addressees
from onatc.errors import Refused
from onatc.mail import Message
from onatc.models import Municipality
from stakeholders.actions.records import Stale
from stakeholders.models import Role, RoleAssignment
from tests.nrm.served import a_service, a_shelter, an_accreditation, in_days, institution, municipality

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"nrm:{name}", args=args)


def names(client: Client, **query) -> list[str]:
    return [str(one.name) for one in client.get(url("service-list"), query).context["page"]]


def form_of(**changes):
    return {
        "key": str(uuid.uuid4()), "provider": institution("MOH").pk, "name_sq": "", "name_sr": "", "name_en": "Clinic",
        "about_sq": "", "about_sr": "", "about_en": "", "kinds": ["AS_MED"], "shelter_type": "", "for_adults": "on",
        "takes_foreigners": "on", "municipality": "PRN", "area": "country", "capacity": "", "opening_sq": "",
        "opening_sr": "", "opening_en": "", "cost": "free", "reserved_contact": "", "public_contact": "",
        "public_name_sq": "", "public_name_sr": "", "public_name_en": "",
    } | changes  # fmt: skip


# The entry


def test_a_service_is_recorded_once_changed_knowingly_and_ended(world, client_for):
    client, data = client_for("planning"), form_of(name_sq="Klinika", languages=["sq", "sr"], risk_levels=["RISK_LOW"])
    for _time in range(2):
        assert client.post(url("service-create"), data).status_code == 302
    service = Service.objects.get()
    assert (service.created_by, service.languages, service.risk_levels) == (world.planning, ["sq", "sr"], ["RISK_LOW"])
    page = client.get(service.get_absolute_url()).content.decode()
    assert "ageing" in page and "never confirmed" in page and "Albanian, Serbian" in page
    edited = data | {"revision": 0, "area": "districts", "area_districts": ["PRZ"], "area_municipalities": ["PEJ"]}
    assert client.post(url("service-edit", service.pk), edited).status_code == 302
    service.refresh_from_db()
    assert (service.area_districts, service.area_municipalities) == (["PRZ"], [])
    stale = client.post(url("service-edit", service.pk), edited | {"name_en": "Other"}).content.decode()
    assert "A colleague changed this" in stale and "Clinic" in stale and "Other" in stale
    end = {"revision": 1, "ended_on": in_days(0).isoformat(), "reason": "No money"}
    for _time in range(2):
        assert client.post(url("service-end", service.pk), end).status_code == 302
    assert names(client) == [] and names(client, ended="1") == ["Clinic"]
    again = client.post(url("service-edit", service.pk), edited | {"revision": 2}).content.decode()
    assert "does not change any more" in again


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"name_en": ""}, "name_sq", "Write the name"),
        ({"kinds": []}, "kinds", "Say which help is given"),
        ({"kinds": ["AS_NONSENSE"]}, "kinds", "not one of the available"),
        ({"for_adults": ""}, "for_adults", "for adults, for children"),
        ({"municipality": "NOWHERE"}, "municipality", "Select a valid choice"),
        ({"area": "districts"}, "area", "Name the districts"),
        ({"area": "municipalities", "area_municipalities": ["NOWHERE"]}, "area_municipalities", "not one of the available"),
        ({"capacity": "-1"}, "capacity", "greater than or equal to 0"),
        ({"capacity": "many"}, "capacity", "whole number"),
        ({"capacity": "99999999999"}, "capacity", "less than or equal to"),
        ({"is_public": "on"}, "public_contact", "how the public reaches it"),
        ({"is_public": "on", "public_contact": "1", "hides_place": "on"}, "public_name_sq", "name of a contact point"),
        ({"provider": ""}, "provider", "required"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_field(world, client_for, changes, field, sentence):
    page = client_for("director").post(url("service-create"), form_of(**changes))
    assert page.status_code == 200 and sentence in str(page.context["form"].errors[field])
    assert not Service.objects.exists()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name_sq", "Strehimi i Pejës"), ("name_sr", "Sklonište u Peći"), ("about_en", "A house in PEJA, near the river"),
        ("public_contact", "Peja 039"), ("reserved_contact", "039, Pejë"), ("public_name_en", "Peja line"),
    ],
)  # fmt: skip
def test_no_text_names_the_municipality_of_a_secret_place(world, client_for, field, text):
    data = form_of(
        municipality="PEJ", hides_place="on", is_public="on", public_contact="1", public_name_en="Line",
        name_en="Vite dhe pejzazhe",
    )  # fmt: skip
    page = client_for("director").post(url("service-create"), data | {field: text})
    assert "names the municipality" in str(page.context["form"].errors[field])
    open_place = {field: text, "hides_place": "", "is_checked": "on"}
    assert client_for("director").post(url("service-create"), data | open_place).status_code == 302
    data |= {"key": str(uuid.uuid4())}
    assert client_for("director").post(url("service-create"), data).status_code == 302


def test_the_area_of_a_secret_place_does_not_say_where_it_is(world, client_for):
    """T35: everybody reads whom a service reaches; its own municipality alone would be its place."""
    alone = {"area": "municipalities", "area_municipalities": ["DRA"]}
    secret = {"hides_place": "on", "municipality": "DRA", "is_public": "on", "public_name_en": "Helpline"}
    form = form_of(kinds=["AS_SHELTER"], public_contact="0800", **secret, **alone)
    answer = client_for("director").post(url("service-create"), form)
    assert "would say where it is" in str(answer.context["form"].errors["area_municipalities"])
    assert not Service.objects.exists()
    shelter = a_shelter(world, area="municipalities", area_municipalities=["DRA", "PRZ"])
    with pytest.raises(Refused, match="would say where it is"):
        services.change_service(shelter, {"area_municipalities": ["DRA"]}, by=world.director, revision=0)
    open_place = a_service(world, municipality_id="DRA", **alone)
    with pytest.raises(Refused, match="would say where it is"):
        services.change_service(open_place, {"hides_place": True}, by=world.director, revision=0)


def test_the_end_of_a_secret_place_names_no_municipality_either(world, client_for):
    data = {"revision": 0, "ended_on": in_days(0).isoformat(), "reason": "Moved away from Dragashi"}
    for service, refused in ((a_shelter(world), True), (a_service(world, municipality_id="DRA"), False)):
        answer = client_for("director").post(url("service-end", service.pk), data)
        assert (answer.status_code == 200 and "names the municipality" in answer.content.decode()) == refused
        service.refresh_from_db()
        assert (service.ended_on is None) == refused


def test_a_closed_institution_provides_nothing(world, client_for):
    closed = institution("OSCE")
    closed.dissolved_on = in_days(-1)
    closed.save()
    page = client_for("director").post(url("service-create"), form_of(provider=closed.pk))
    assert "was dissolved" in str(page.context["form"].errors["provider"])
    with pytest.raises(Refused, match="dissolved"):
        a_service(world, "OSCE")
    service = a_service(world)
    with pytest.raises(Refused, match="dissolved"):
        services.change_service(service, {"provider": closed}, by=world.director, revision=0)
    moh = service.provider
    moh.dissolved_on = in_days(-1)
    moh.save()
    with pytest.raises(Refused, match="dissolved"):
        services.confirm_service(service, by=world.director, revision=0)
    assert addressees("AS_MED", municipality("PRN")) == []


def test_a_code_that_was_retired_stays_and_an_unknown_one_is_refused(world, client_for):
    from onatc.vocabulary import Code

    service = a_service(world, kinds=["AS_VOC"])
    Code.objects.filter(code="AS_VOC").update(retired_on=in_days(-1))
    services.change_service(service, {"kinds": ["AS_VOC", "AS_MED"]}, by=world.director, revision=0)
    with pytest.raises(Refused, match="not in the list"):
        a_service(world, kinds=["AS_VOC"])
    assert "AS_VOC" in client_for("director").get(url("service-edit", service.pk)).content.decode()


def test_the_database_says_no_last(world):
    service = a_shelter(world)
    for wrong in (
        {"places_free": 11, "places_on": in_days(0)}, {"places_free": 1}, {"kinds": []}, {"public_contact": ""},
        {"area": "districts"}, {"for_adults": False}, {"public_name_en": ""}, {"ended_on": in_days(0)},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Service.objects.filter(pk=service.pk).update(**wrong)


# Free places


def test_the_provider_reports_free_places_and_every_report_is_kept(world, client_for):
    service, client = a_shelter(world), client_for("other_focal_point")
    data = {"revision": 0, "free": "4", "on": in_days(0).isoformat()}
    for _time in range(2):
        assert client.post(url("service-places", service.pk), data).status_code == 302
    service.refresh_from_db()
    assert (service.places_free, service.places_on, service.places_by) == (4, in_days(0), world.other_focal_point)
    assert PlacesReport.objects.count() == 1 and service.revision == 0
    services.report_places(service, by=world.director, number=1, free=3, on=in_days(0))
    assert [(one.number, one.free) for one in PlacesReport.objects.order_by("number")] == [(1, 4), (2, 3)]
    page = client.get(service.get_absolute_url()).content.decode()
    assert "4 of 10 free" in page and "3 of 10 free" in page
    assert client_for("focal_point").post(url("service-places", service.pk), data).status_code == 403


@pytest.mark.parametrize(
    ("free", "on", "sentence"),
    [
        ("11", 0, "more free places than there are places"),
        ("-1", 0, "greater than or equal to 0"),
        ("four", 0, "whole number"),
        ("4.5", 0, "whole number"),
        ("", 0, "required"),
        ("99999999999999999999", 0, "less than or equal to"),
        ("4", 1, "lies in the future"),
        ("4", None, "valid date"),
    ],
)
def test_a_number_that_cannot_be_is_refused(world, client_for, free, on, sentence):
    service = a_shelter(world)
    day = "29.02.2025" if on is None else in_days(on).isoformat()
    page = client_for("other_focal_point").post(
        url("service-places", service.pk), {"revision": 0, "free": free, "on": day}
    )
    assert page.status_code == 200 and sentence in str(page.context["form"].errors)
    assert not PlacesReport.objects.exists()


def test_what_the_form_lets_through_the_act_refuses(world):
    service, uncounted = a_shelter(world), a_service(world)
    for free in (-1, 11):
        with pytest.raises(Refused, match="more free places"):
            services.report_places(service, by=world.director, number=0, free=free, on=in_days(0))
    with pytest.raises(Refused, match="not recorded"):
        services.report_places(uncounted, by=world.director, number=0, free=1, on=in_days(0))
    services.report_places(service, by=world.director, number=0, free=5, on=in_days(-1))
    with pytest.raises(Refused, match="later count"):
        services.report_places(service, by=world.director, number=1, free=6, on=in_days(-2))
    with pytest.raises(Refused, match="more free places than"):
        services.change_service(service, {"capacity": 4}, by=world.director, revision=0)


def test_whoever_reports_from_an_old_page_sees_what_a_colleague_said(world, client_for):
    service = a_shelter(world)
    services.report_places(service, by=world.director, number=0, free=2, on=in_days(0))
    client, data = client_for("other_focal_point"), {"revision": 0, "free": "7", "on": in_days(0).isoformat()}
    page = client.post(url("service-places", service.pk), data)
    assert "A colleague changed this" in page.content.decode()
    assert page.context["changed"][0] == ("free places", "2") and page.context["form"].data["revision"] == "1"
    assert client.post(url("service-places", service.pk), data | {"revision": 1}).status_code == 302
    service.refresh_from_db()
    assert service.places_free == 7


def race(*acts) -> list[str]:
    """What became of acts that begin in the same moment, each in a connection of its own."""
    ready, outcomes = threading.Barrier(len(acts)), []

    def press(act) -> None:
        try:
            ready.wait(10)
            with translation.override("en"):
                act()
            outcomes.append("done")
        except Stale:
            outcomes.append("stale")
        except Refused as refusal:
            outcomes.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_report_or_confirm_at_once(world):
    service = a_shelter(world)
    people, today = [world.director, world.other_focal_point], in_days(0)
    acts = [
        lambda by=by, free=free: services.report_places(service, by=by, number=0, free=free, on=today)
        for by, free in zip(people, (3, 8), strict=True)
    ]
    assert race(*acts) == ["done", "stale"] and PlacesReport.objects.count() == 1
    confirm = [lambda by=by: services.confirm_service(service, by=by, revision=0) for by in people]
    assert race(*confirm) == ["done", "done"]
    service.refresh_from_db()
    assert (
        service.confirmed_on == today
        and Service.pgh_event_model.objects.filter(pgh_obj=service, pgh_label="update", confirmed_on=today).count() == 1
    )  # type: ignore[attr-defined]


# Confirming


def test_one_press_confirms_for_the_quarter_and_a_second_changes_nothing(world, client_for):
    service, client = a_service(world), client_for("other_focal_point")
    assert names(client, whose="unconfirmed") == ["Help"]
    page = client.get(url("service-confirm", service.pk)).content.decode()
    assert "Medical care" in page and "It is still right" in page
    for _time in range(2):
        assert client.post(url("service-confirm", service.pk), {"revision": 0}).status_code == 302
    service.refresh_from_db()
    assert (service.confirmed_on, service.confirmed_by) == (in_days(0), world.other_focal_point)
    assert names(client, standing="fresh") == ["Help"] == names(client, whose="mine")
    assert names(client, whose="unconfirmed") == []
    for name in ("focal_point", "observer", "natc", "information"):
        assert client_for(name).post(url("service-confirm", service.pk), {"revision": 0}).status_code == 403
    with pytest.raises(PermissionDenied):
        services.confirm_service(service, by=world.focal_point, revision=0)


def test_nobody_confirms_what_they_did_not_read(world, client_for):
    service = a_service(world)
    services.change_service(service, {"name_en": "Changed"}, by=world.director, revision=0)
    client = client_for("other_focal_point")
    for revision in ("0", "", "x", "99999999999999999999"):
        answer = client.post(url("service-confirm", service.pk), {"revision": revision}, follow=True)
        assert "Read it again before you confirm it" in answer.content.decode()
    service.refresh_from_db()
    assert service.confirmed_on is None


def test_the_standing_of_the_list_is_the_rule(world):
    today = date(2028, 4, 1)
    for confirmed in (None, date(2027, 12, 31), date(2028, 1, 1), date(2028, 2, 29), date(2028, 3, 31), today):
        service = a_service(world)
        Service.objects.filter(pk=service.pk).update(confirmed_on=confirmed)
    for service in Service.objects.with_standing(today):
        assert service.standing == service.standing_on(today)
    found = sorted(Service.objects.with_standing(today).values_list("standing", flat=True))
    assert found == ["ageing", "ageing", "due", "due", "due", "fresh"]


def test_providers_are_reminded_once_a_quarter_in_their_language(world):
    a_shelter(world), a_service(world), a_service(world, "KP-THB", name_en="Confirmed")
    Service.objects.filter(name_en="Confirmed").update(confirmed_on=date(2026, 11, 1))
    person = world.other_focal_point
    person.language = "sq"
    person.save()
    assert service_reminders.remind_of_services(on=date(2026, 10, 31)) == 0
    assert service_reminders.remind_of_services(on=date(2026, 11, 1)) == 1
    assert service_reminders.remind_of_services(on=date(2026, 12, 31)) == 0
    mail = Message.objects.get()
    assert mail.to == person and "whose=unconfirmed" in mail.text and "Confirm what" not in mail.subject
    assert "Helpline" not in mail.text and "DRA" not in mail.text
    assert service_reminders.remind_of_services(on=date(2027, 2, 1)) == 2


# Proposals


def test_a_provider_proposes_and_the_office_answers(world, client_for):
    service, data = a_service(world), {"key": str(uuid.uuid4()), "text": "We open on Saturdays too."}
    own, other, office = client_for("other_focal_point"), client_for("focal_point"), client_for("monitoring")
    for _time in range(2):
        assert own.post(url("service-propose", service.pk), data).status_code == 302
    proposal = ServiceProposal.objects.get()
    assert other.post(url("service-propose", service.pk), data).status_code == 403
    assert office.post(url("service-propose", service.pk), data).status_code == 403  # it changes the entry itself
    assert names(office, whose="proposed") == ["Help"]
    assert "Saturdays" in own.get(service.get_absolute_url()).content.decode()
    assert "Saturdays" not in other.get(service.get_absolute_url()).content.decode()
    assert other.get(url("service-proposal-answer", proposal.pk)).status_code == 404
    assert own.get(url("service-proposal-answer", proposal.pk)).status_code == 403
    page = office.post(url("service-proposal-answer", proposal.pk), {"is_taken_up": "0", "answer": ""})
    assert "Say why" in page.content.decode()
    for _time in range(2):
        answer = {"is_taken_up": "0", "answer": "Not yet"}
        assert office.post(url("service-proposal-answer", proposal.pk), answer).status_code == 302
    told = office.post(url("service-proposal-answer", proposal.pk), {"is_taken_up": "1", "answer": ""}).content.decode()
    assert "A colleague answered this already" in told and names(office, whose="proposed") == []
    assert "Not yet" in own.get(service.get_absolute_url()).content.decode()


# Search by need and distance


def test_the_nearest_that_reaches_the_person_comes_first(world, client_for):
    a_service(world, name_en="Pristina")
    a_service(world, name_en="Prizren", municipality_id="PRZ")
    a_service(world, name_en="Peja alone", municipality_id="PEJ", area="municipalities", area_municipalities=["PEJ"])
    a_service(world, name_en="District of Prizren", municipality_id="SUH", area="districts", area_districts=["PRZ"])
    a_service(world, name_en="Law", kinds=["AS_LEGAL"])
    client = client_for("focal_point")
    assert names(client, near="PRZ", kind="AS_MED") == ["Prizren", "District of Prizren", "Pristina"]
    assert names(client, near="PEJ", kind="AS_MED") == ["Peja alone", "Prizren", "Pristina"]
    assert names(client, near="PRZ", sort="-distance", kind="AS_MED")[0] == "Pristina"
    page = client.get(url("service-list"), {"near": "PRZ", "kind": "AS_MED"}).content.decode()
    assert "0 km" in page and "61 km" in page


def test_the_database_measures_as_the_rule_does(world):
    service = a_service(world)
    here = municipality("PRZ")
    for there in Municipality.objects.all():
        Service.objects.filter(pk=service.pk).update(municipality=there)
        found = Service.objects.measured_from(here, world.director).get().kilometres
        said = kilometres(*(float(one) for one in (here.latitude, here.longitude, there.latitude, there.longitude)))
        assert found == pytest.approx(said, abs=1e-6)


def test_filters_ask_what_they_say(world, client_for):
    a_service(world, name_en="Women", sexes=["F"], languages=["sq", "sr"], accessibility=["step_free"])
    a_service(world, name_en="Children", for_adults=False, for_children=True, is_round_the_clock=True)
    a_service(world, "KP-THB", name_en="Low risk", risk_levels=["RISK_LOW"])
    shelter = a_shelter(world, name_en="Full", sexes=["M"])
    an_accreditation(world, shelter)
    services.report_places(shelter, by=world.director, number=0, free=0, on=in_days(0))
    client = client_for("director")
    assert names(client, sex="M") == ["Children", "Full", "Low risk"]
    assert names(client, person="child") == ["Children"]
    assert names(client, hours="always") == ["Children"]
    assert names(client, language="sr") == ["Women"] == names(client, accessible="step_free")
    assert names(client, risk="RISK_HIGH") == ["Children", "Full", "Women"]
    assert names(client, free="1") == [] and names(client, accredited="1") == ["Full"]
    assert names(client, provider=institution("KP-THB").pk) == ["Low risk"]
    assert names(client_for("focal_point"), whose="mine") == ["Low risk"]
    assert names(client, q="wom") == ["Women"]
    assert len(names(client, near="NOWHERE", kind="x", sort="nonsense", person="robot")) == 4


def test_lists_and_pages_cost_the_same_however_many_there_are(world, client_for):
    client = client_for("focal_point")

    def cost(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    for number in range(2):
        a_shelter(world, name_en=f"S{number}")
    a_service(world, is_public=True, public_contact="1", area="districts", area_districts=["PRZ"])
    near = url("service-list") + "?near=PRN"
    client.get(near)
    few = [cost(near), cost(url("service-public")), cost(url("service-export") + "?format=csv")]
    for number in range(12):
        a_service(
            world, name_en=f"M{number}", is_public=True, public_contact="1", area="districts", area_districts=["PRZ"]
        )
    many = [cost(near), cost(url("service-public")), cost(url("service-export") + "?format=csv")]
    assert few == many


def test_whom_to_ask_next(world):
    """The contract of the referral code: the next addressee is proposed from here."""
    near = a_service(world, "OSCE", name_en="near", municipality_id="PRZ", kinds=["AS_SHELTER"], capacity=5)
    far = a_service(world, "KP-THB", name_en="far", kinds=["AS_SHELTER"], capacity=5)
    secret = a_shelter(world, for_children=True)
    a_service(world, "IOM", kinds=["AS_SHELTER"], area="municipalities", area_municipalities=["PEJ"])
    a_service(world, "LI", kinds=["AS_SHELTER"], sexes=["M"])
    Service.objects.update(confirmed_on=in_days(0))
    here = municipality("PRZ")
    found = addressees("AS_SHELTER", here, is_child=False, sex="F")
    assert [one.service for one in found] == [near, far, secret]
    assert [one.kilometres is None for one in found] == [False, False, True]  # whoever asks: no place by its distance
    services.report_places(near, by=world.director, number=0, free=0, on=in_days(0))
    assert [one.service for one in addressees("AS_SHELTER", here, sex="F")] == [far, secret, near]  # full ones last
    Service.objects.filter(pk=far.pk).update(confirmed_on=None)
    assert [one.service for one in addressees("AS_SHELTER", here, sex="F")] == [secret, far, near]
    assert [one.institution.code for one in addressees("AS_SHELTER", here, is_child=True)] == ["MOH"]
    excluded = [institution("MOH").pk, institution("OSCE").pk]
    assert [one.service for one in addressees("AS_SHELTER", here, sex="F", excluding=excluded)] == [far]
    assert len(addressees("AS_SHELTER", here, sex="U")) == 4 and len(addressees("AS_SHELTER", None)) == 5
    services.end_service(far, by=world.director, revision=0, ended_on=in_days(0), reason="x")
    assert far not in [one.service for one in addressees("AS_SHELTER", here)]
    with CaptureQueriesContext(connection) as asked:
        addressees("AS_SHELTER", here, sex="F")
    assert len(asked) == 1


# Who sees and does what


def test_rights(world, client_for):
    service = a_shelter(world)
    readers = ("natc", "director", "planning", "monitoring", "child", "information", "focal_point", "local", "observer")
    for name in readers:
        assert client_for(name).get(url("service-list")).status_code == 200, name
        assert client_for(name).get(service.get_absolute_url()).status_code == 200, name
    for name in ("administrator", "stranger"):
        assert client_for(name).get(url("service-list")).status_code == 403
        assert client_for(name).get(service.get_absolute_url()).status_code == 404
    keepers = {"director", "planning", "monitoring", "child"}
    for name in readers:
        status = 200 if name in keepers else 403
        assert client_for(name).get(url("service-create")).status_code == status, name
        assert client_for(name).get(url("service-edit", service.pk)).status_code == status, name
    for name in ("natc", "information", "focal_point", "observer"):
        with pytest.raises(PermissionDenied):
            services.change_service(service, {"name_en": "x"}, by=getattr(world, name), revision=0)


def test_an_observer_sees_no_contact_that_is_reserved(world, client_for):
    service = a_shelter(world)
    for name, sees in (("observer", False), ("focal_point", True), ("natc", True), ("information", True)):
        client = client_for(name)
        for address in (service.get_absolute_url(), url("service-export") + "?format=csv"):
            answer = client.get(address)
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert (b"Duty officer" in text) == sees, (name, address)


def test_the_municipality_of_a_secret_place_is_for_few(world, client_for):
    """T35: neither as a word, nor as a distance, nor by the order of the list."""
    service = a_shelter(world, name_en="Secret")  # in Dragash
    a_service(world, name_en="Far", municipality_id="LEP")
    sees = {"director", "planning", "monitoring", "child", "other_focal_point"}
    for name in (*sees, "natc", "information", "focal_point", "local", "observer"):
        client = client_for(name)
        rows = list(client.get(url("service-list"), {"near": "DRA"}).context["page"])
        order = ["Secret", "Far"] if name in sees else ["Far", "Secret"]
        assert [str(one.name) for one in rows] == order, name
        assert (next(one for one in rows if one.pk == service.pk).kilometres is None) == (name not in sees), name
        assert ("Dragash" in client.get(service.get_absolute_url()).content.decode()) == (name in sees), name
        answer = client.get(url("service-export"), {"near": "DRA", "format": "csv"})
        lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
        mine = next(one for one in lines if one["service"] == "Secret")
        assert (mine["municipality"] == "Dragash") == (mine["kilometres"] == "0") == (name in sees), name
        assert "Dragash" not in client.get(url("service-public")).content.decode().replace(">Dragash</option>", "")


# The public page


def test_everybody_reads_the_public_part_without_a_cookie(world):
    a_shelter(world, about_en="In Dragash near the river")
    a_service(world, name_en="Clinic", is_public=True, public_contact="038 200", municipality_id="PRZ")
    a_service(world, name_en="Not public")
    client = Client()
    answer = client.get(url("service-public"), {"language": "en", "near": "PRZ"})
    text = answer.content.decode().replace(">Dragash</option>", "")
    assert answer.status_code == 200 and not answer.cookies and "Set-Cookie" not in answer.headers
    assert "public" in answer.headers["Cache-Control"] and "max-age=600" in answer.headers["Cache-Control"]
    assert "csrf" not in text and '<form method="post"' not in text
    assert "Helpline" in text and "0800 11112" in text and "Clinic" in text and "(0 km)" in text
    for hidden in ("Secure shelter", "Dragash", "Duty officer", "Not public", str(institution("MOH").short) + " <"):
        assert hidden not in text
    assert text.index("Clinic") < text.index("Helpline")  # of which no distance is known
    assert text.count("Ministry of Health") == 1  # of the clinic, not of the shelter
    albanian = client.get(url("service-public"), {"language": "sq"})
    assert 'lang="sq"' in albanian.content.decode() and albanian.headers["Content-Language"] == "sq"
    odd = client.get(url("service-public"), {"language": "xx", "near": "NOWHERE", "kind": "x", "page": "-7"})
    assert odd.status_code == 200
    assert client.post(url("service-public")).status_code == 405


def test_the_public_page_says_nothing_of_who_reads_it(world, client_for):
    a_shelter(world)
    address = url("service-public") + "?language=en"
    assert client_for("director").get(address).content == Client().get(address).content


def test_a_local_coordinator_of_the_provider_speaks_for_it(world, client_for):
    service = a_service(world, "MUN-PRN")
    assert client_for("local").post(url("service-confirm", service.pk), {"revision": 0}).status_code == 302
    RoleAssignment.objects.filter(user=world.local, role=Role.LOCAL).update(ends_on=in_days(-1), starts_on=in_days(-9))
    assert client_for("local").get(url("service-confirm", service.pk)).status_code in (403, 404)
    assert timezone.localdate() == in_days(0)
