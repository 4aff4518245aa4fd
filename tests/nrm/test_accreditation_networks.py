"""Accreditation by the Minimum Standards of Care, inspections, what has to be put right; networks."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from nrm.actions import accreditation, networks, services
from nrm.freshness import last_day_to_confirm
from nrm.models import Accreditation, CorrectiveMeasure, Inspection, Network, NetworkMember
from onatc.errors import Refused
from onatc.vocabulary import Code
from stakeholders import calendar
from tests.nrm.served import (
    a_network,
    a_service,
    an_accreditation,
    an_inspection,
    in_days,
    institution,
)

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"nrm:{name}", args=args)


def test_an_accreditation_holds_from_its_first_day_to_its_last(world):
    one = Accreditation(valid_from=date(2024, 2, 29), valid_until=date(2026, 2, 28), withdrawn_on=date(2026, 1, 10))
    days = [date(2024, 2, 28), date(2024, 2, 29), date(2026, 1, 9), date(2026, 1, 10)]
    assert [one.state_on(day) for day in days] == ["coming", "valid", "valid", "withdrawn"]
    one.withdrawn_on = None
    assert [one.state_on(date(2026, 2, 28)), one.state_on(date(2026, 3, 1))] == ["valid", "expired"]
    service = a_service(world)
    kept = an_accreditation(world, service)
    for day in (in_days(-101), in_days(-100), in_days(265), in_days(266)):
        found = Accreditation.objects.valid_on(day).exists()
        assert found == (kept.state_on(day) == "valid")


def test_it_is_recorded_once_and_withdrawn_with_a_reason(world, client_for):
    service, client = a_service(world), client_for("monitoring")
    data = {
        "key": str(uuid.uuid4()), "number": "MS-7", "given_by": institution("MIA").pk, "decision": "7/2026",
        "valid_from": in_days(-9).isoformat(), "valid_until": in_days(9).isoformat(),
    }  # fmt: skip
    backwards = client.post(url("accreditation-create", service.pk), data | {"valid_until": in_days(-10).isoformat()})
    assert "must not lie before" in str(backwards.context["form"].errors)
    for _time in range(2):
        assert client.post(url("accreditation-create", service.pk), data).status_code == 302
    again = client.post(url("accreditation-create", service.pk), data | {"key": str(uuid.uuid4())})
    assert "recorded already" in again.content.decode()
    one = Accreditation.objects.get()
    page = client_for("observer").get(service.get_absolute_url()).content.decode()
    assert "MS-7" in page and "valid" in page
    late = {"revision": 0, "withdrawn_on": in_days(10).isoformat(), "reason": "Closed wing"}
    assert "expired by itself" in client.post(url("accreditation-withdraw", one.pk), late).content.decode()
    good = late | {"withdrawn_on": in_days(0).isoformat()}
    for _time in range(2):
        assert client.post(url("accreditation-withdraw", one.pk), good).status_code == 302
    assert "Closed wing" in client.get(service.get_absolute_url()).content.decode()
    for name in ("other_focal_point", "natc", "observer"):
        assert client_for(name).get(url("accreditation-create", service.pk)).status_code == 403
        with pytest.raises(PermissionDenied):
            an_accreditation(type("W", (), {"director": getattr(world, name)})(), service)


def test_an_inspection_says_of_each_standard_what_was_found(world, client_for):
    service, client = a_service(world), client_for("child")
    data = {
        "key": str(uuid.uuid4()), "on": in_days(-3).isoformat(), "inspected_by": institution("MIA").pk,
        "findings": "Windows.", "language": "en", "standard_MS_SAFETY": "not_met", "standard_MS_STAFF": "met",
    }  # fmt: skip
    nothing = {name: value for name, value in data.items() if not name.startswith("standard_")}
    assert "one standard at least" in client.post(url("inspection-create", service.pk), nothing).content.decode()
    future = client.post(url("inspection-create", service.pk), data | {"on": in_days(1).isoformat()})
    assert "in the future" in str(future.context["form"].errors)
    itself = client.post(url("inspection-create", service.pk), data | {"inspected_by": service.provider_id})
    assert "does not inspect itself" in str(itself.context["form"].errors["inspected_by"])
    odd = client.post(url("inspection-create", service.pk), data | {"standard_MS_SAFETY": "perhaps"})
    assert odd.status_code == 200
    for _time in range(2):
        assert client.post(url("inspection-create", service.pk), data).status_code == 302
    inspection = Inspection.objects.get()
    assert {one.standard: one.found for one in inspection.standards.all()} == {
        "MS_SAFETY": "not_met",
        "MS_STAFF": "met",
    }
    for name, sees in (("director", True), ("information", True), ("other_focal_point", True), ("focal_point", False),
                       ("observer", False)):  # fmt: skip
        assert ("Windows." in client_for(name).get(service.get_absolute_url()).content.decode()) == sees, name
    assert client_for("focal_point").get(url("corrective-create", inspection.pk)).status_code == 404


def test_what_has_to_be_put_right_is_followed_to_its_end(world, client_for):
    inspection, client = an_inspection(world, a_service(world)), client_for("monitoring")
    data = {"key": str(uuid.uuid4()), "text": "Mend the windows", "due_on": in_days(-1).isoformat()}
    early = client.post(url("corrective-create", inspection.pk), data | {"due_on": in_days(-30).isoformat()})
    assert "after that day" in str(early.context["form"].errors["due_on"])
    for _time in range(2):
        assert client.post(url("corrective-create", inspection.pk), data).status_code == 302
    one = CorrectiveMeasure.objects.get()
    address = inspection.service.get_absolute_url()
    assert "overdue" in client.get(address).content.decode()
    wrong = client.post(url("corrective-done", one.pk), {"done_on": in_days(2).isoformat(), "note": ""})
    assert "in the future" in str(wrong.context["form"].errors)
    for _time in range(2):
        done = {"done_on": in_days(0).isoformat(), "note": "Seen"}
        assert client.post(url("corrective-done", one.pk), done).status_code == 302
    with pytest.raises(Refused, match="already"):
        accreditation.corrective_done(one, by=world.director, done_on=in_days(-1), note="")
    page = client.get(address).content.decode()
    assert "put right" in page and "Seen" in page and "overdue" not in page


def a_corrective(world, inspection, due: int, text: str = "Mend the windows") -> CorrectiveMeasure:
    return accreditation.add_corrective(uuid.uuid4(), inspection, by=world.director, text=text, due_on=in_days(due))


def in_calendar(user, first: int = -40, last: int = 400) -> list[tuple[str, date]]:
    source = next(one for one in calendar.known() if one.key == "services")
    with translation.override("en"):
        return [(one.title, one.starts_on) for one in source.entries(user, in_days(first), in_days(last))]


def test_the_calendar_names_what_services_owe_to_who_has_to_act(world):
    """07: accreditations that end, what has to be put right, the quarter's confirmation; nothing of it to others."""
    service = a_service(world, name_en="Clinic")
    services.confirm_service(service, by=world.other_focal_point, revision=0)
    an_accreditation(world, service, valid_until=in_days(30))
    withdrawn = an_accreditation(world, service, number="MS-2", valid_until=in_days(20))
    accreditation.withdraw_accreditation(withdrawn, by=world.director, revision=0, withdrawn_on=in_days(-2), reason="X")
    inspection = an_inspection(world, service)
    a_corrective(world, inspection, 9)
    done = a_corrective(world, inspection, 10)
    accreditation.corrective_done(done, by=world.director, done_on=in_days(0), note="")
    over = a_service(world, name_en="Closed")
    an_accreditation(world, over, valid_until=in_days(31))
    services.end_service(over, by=world.director, revision=0, ended_on=in_days(0), reason="X")
    owed = [
        ("Last day of the accreditation: Clinic", in_days(30)),
        ("To be put right after an inspection: Clinic", in_days(9)),
    ]
    for name in ("director", "child", "other_focal_point"):
        assert in_calendar(getattr(world, name)) == owed, name
    for name in ("focal_point", "observer", "stranger", "administrator"):
        assert in_calendar(getattr(world, name)) == [], name
    assert in_calendar(world.director, 10, 29) == []
    an_accreditation(world, service, number="MS-3", valid_from=in_days(31), valid_until=in_days(300))
    assert in_calendar(world.director)[0] == ("Last day of the accreditation: Clinic", in_days(300))
    assert len(in_calendar(world.director)) == 2
    a_service(world, name_en="New")  # which nobody confirmed yet
    quarter = last_day_to_confirm(in_days(0))
    assert in_calendar(world.other_focal_point)[0] == ("Last day to confirm your services", quarter)
    assert len(in_calendar(world.director)) == 2


def test_the_list_finds_what_ends_and_what_has_to_be_put_right(world, client_for):
    names = {}
    for name, provider, until in (("Long", "MOH", 91), ("Soon", "MOH", 90), ("Renewed", "MOH", 5), ("Over", "MOH", -1),
                                  ("Other", "KP-THB", 90), ("Never", "MOH", None)):  # fmt: skip
        names[name] = a_service(world, provider, name_en=name)
        if until is not None:
            an_accreditation(world, names[name], valid_until=in_days(until))
    an_accreditation(world, names["Renewed"], number="MS-2", valid_from=in_days(6), valid_until=in_days(300))
    a_corrective(world, an_inspection(world, names["Long"]), 5)
    a_corrective(world, an_inspection(world, names["Other"]), -1)

    def found(who: str, **query) -> list[str]:
        return [str(one.name) for one in client_for(who).get(url("service-list"), query).context["page"]]

    assert found("director", accredited="ending") == ["Other", "Soon"]
    assert found("director", accredited="over") == ["Over"]
    assert found("director", right="open") == ["Long", "Other"] and found("director", right="overdue") == ["Other"]
    assert found("focal_point", right="open") == ["Other"]  # an inspection is for few
    assert found("observer", right="open") == []


def test_the_standards_are_a_list_that_the_office_keeps(world):
    assert Code.objects.of("care_standard").count() == 12
    assert all(one.label_sq and one.label_sr and one.label_en for one in Code.objects.of("care_standard"))
    service = a_service(world)
    Code.objects.filter(code="MS_STAFF").update(retired_on=in_days(-30))
    with pytest.raises(Refused, match="not in the list"):
        an_inspection(world, service)


# Networks


def network_form(**changes):
    return {
        "key": str(uuid.uuid4()), "level": "regional", "name_sq": "", "name_sr": "", "name_en": "Prizren", "about_sq": "",
        "about_sr": "", "about_en": "", "district": "PRZ", "municipality": "", "coordinator": institution("MIA").pk,
        "body": "", "founded_on": in_days(-100).isoformat(), "ended_on": "",
    } | changes  # fmt: skip


def test_a_network_is_of_a_place_that_fits_its_level(world, client_for):
    client = client_for("planning")
    for wrong in ({"district": ""}, {"level": "national"}, {"level": "local"}, {"municipality": "PRZ"}):
        page = client.post(url("network-create"), network_form(**wrong))
        assert "names its municipality" in str(page.context["form"].errors["level"]), wrong
    data = network_form()
    for _time in range(2):
        assert client.post(url("network-create"), data).status_code == 302
    network = Network.objects.get()
    assert client_for("observer").get(network.get_absolute_url()).status_code == 200
    assert client_for("observer").get(url("network-edit", network.pk)).status_code == 403
    assert client_for("administrator").get(network.get_absolute_url()).status_code == 404
    page = client_for("focal_point").get(url("network-list"), {"level": "regional", "district": "PRZ"})
    assert list(page.context["page"]) == [network]
    exported = b"".join(client_for("focal_point").get(url("network-export") + "?format=csv").streaming_content)
    assert b"Prizren" in exported


def test_an_institution_belongs_once_at_a_time(world, client_for):
    network, client = a_network(world), client_for("child")
    data = {"key": str(uuid.uuid4()), "institution": institution("MOH").pk, "starts_on": in_days(-50).isoformat()}
    for _time in range(2):
        assert client.post(url("network-member-add", network.pk), data).status_code == 302
    member = NetworkMember.objects.get()
    twice = client.post(url("network-member-add", network.pk), data | {"key": str(uuid.uuid4())})
    assert "belongs to the network in that time" in twice.content.decode()
    early = client.post(
        url("network-member-add", network.pk), data | {"key": str(uuid.uuid4()), "starts_on": in_days(-901).isoformat()}
    )
    assert "founded after that day" in str(early.context["form"].errors["starts_on"])
    before = client.post(url("network-member-end", member.pk), {"ends_on": in_days(-51).isoformat()})
    assert "must not lie before" in before.content.decode()
    for _time in range(2):
        assert (
            client.post(url("network-member-end", member.pk), {"ends_on": in_days(-10).isoformat()}).status_code == 302
        )
    networks.add_member(uuid.uuid4(), network, institution("MOH"), by=world.director, starts_on=in_days(-9))
    page = client.get(network.get_absolute_url())
    assert page.context["count"] == 1 and len(page.context["members"]) == 2
    with pytest.raises(PermissionDenied):
        networks.end_member(member, by=world.focal_point, ends_on=in_days(0))


def test_when_a_network_ends_nobody_belongs_to_it_any_more(world):
    network = a_network(world)
    stays = networks.add_member(uuid.uuid4(), network, institution("MOH"), by=world.director, starts_on=in_days(-5))
    networks.add_member(uuid.uuid4(), network, institution("LI"), by=world.director, starts_on=in_days(5))
    with pytest.raises(Refused, match="before that day"):
        networks.change_network(network, {"founded_on": in_days(-4)}, by=world.director, revision=0)
    networks.change_network(network, {"ended_on": in_days(-1)}, by=world.director, revision=0)
    assert [(one.pk, one.ends_on) for one in NetworkMember.objects.all()] == [(stays.pk, in_days(-1))]
    with pytest.raises(Refused, match="ended"):
        networks.add_member(uuid.uuid4(), network, institution("EA"), by=world.director, starts_on=in_days(0))
    closed = institution("OSCE")
    closed.dissolved_on = in_days(-1)
    closed.save()
    with pytest.raises(Refused, match="dissolved"):
        a_network(world, coordinator=closed)


def test_the_list_of_networks_costs_the_same_however_many_there_are(world, client_for):
    client = client_for("focal_point")

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(url("network-list"))
        return len(asked)

    a_network(world)
    cost()
    few = cost()
    for _number in range(8):
        one = a_network(world)
        networks.add_member(uuid.uuid4(), one, institution("MOH"), by=world.director, starts_on=in_days(-5))
    assert cost() == few
