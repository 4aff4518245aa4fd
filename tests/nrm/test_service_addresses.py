"""A shelter's address is never public, nor in a page's source, nor in an export, nor found (threats.md T35)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from nrm import access
from nrm.actions import services
from nrm.models import ServiceAddress
from nrm.service_urls import patterns
from onatc import search
from onatc.errors import Refused
from onatc.models import TrailEntry
from tests.conftest import CAST
from tests.nrm.served import a_network, a_service, a_shelter, an_accreditation, an_address, an_inspection, in_days

pytestmark = pytest.mark.django_db

CANARY = "Kanarina e Verdhe 47"
PARTS = ("kanarina", "verdhe 47")


def url(name: str, *args) -> str:
    return reverse(f"nrm:{name}", args=args)


def text_of(answer) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode("utf-8", "replace").lower() + str(dict(answer.headers)).lower()


def read(client: Client, service, purpose: str = "A transport tonight") -> tuple[int, str]:
    """The address page as somebody reads it who states a purpose where one is asked for."""
    answer = client.get(url("service-address", service.pk))
    if answer.status_code == 302 and "purpose" in answer["Location"]:
        answer = client.post(answer["Location"], {"purpose": purpose})
        answer = client.get(answer["Location"])
    return answer.status_code, text_of(answer)


@pytest.fixture
def shelter(world):
    service = a_shelter(world, name_en="Secret shelter", about_en="A shelter")
    an_address(world, service, CANARY)
    return service


def test_no_page_no_file_and_no_search_says_it_to_anybody(world, client_for, shelter):
    """Every address of the directory is asked as everybody; only the one page answers with it, to whom it may."""
    an_accreditation(world, shelter)
    inspection = an_inspection(world, shelter)
    services.propose_change(shelter.pk, shelter, "Other hours", by=world.other_focal_point)
    network = a_network(world)
    search.rebuild()
    of = {"network-": network.pk, "corrective-create": inspection.pk}
    for name in [*CAST, "stranger", None]:
        client = Client() if name is None else client_for(name)
        for pattern in patterns:
            takes = bool(pattern.pattern.converters)
            key = next((pk for start, pk in of.items() if str(pattern.name).startswith(start)), shelter.pk)
            address = url(pattern.name, *([key] if takes else []))
            for query in ("", *([] if takes else ["?format=csv", "?format=xlsx", "?near=DRA", "?q=verdhe"])):
                found = text_of(client.get(address + query))
                assert not any(part in found for part in PARTS), (name, address + query)
        for elsewhere in ("/", reverse("search") + "?q=Kanarina", reverse("search") + "?q=Secret"):
            found = (
                text_of(client.get(elsewhere, follow=True)).replace("q=kanarina", "").replace('value="kanarina"', "")
            )
            assert "verdhe 47" not in found, (name, elsewhere)
        for part in ("Kanarina", "Verdhe"):
            found_by_search = search.ask(world.people[name], part).results if name else []
            assert not any(one.kind == "service" for one in found_by_search), name
    assert not any("verdhe" in one.text.lower() for one in search.SearchEntry.objects.all())


def test_who_may_read_it_and_after_which_question(world, client_for, shelter):
    adults = a_shelter(world, name_en="For adults", for_children=False)
    an_address(world, adults, CANARY)
    children = a_shelter(world, name_en="For children", for_children=True, for_adults=False)
    an_address(world, children, CANARY)
    may = {"director", "monitoring", "other_focal_point"}
    for name in (*CAST, "stranger"):
        status, text = read(client_for(name), adults)
        assert (status == 200 and "verdhe 47" in text) == (name in may), name
        assert status == (200 if name in may else 404 if name in ("administrator", "stranger") else 403), name
        person = world.people[name]
        assert bool(access.may_read_address(person, adults)) == (name in may)
        assert ServiceAddress.objects.visible_to(person).filter(service=adults).exists() == (name in may)
    assert "verdhe 47" in read(client_for("child"), children)[1]
    first = client_for("director").get(url("service-address", adults.pk))
    assert first.status_code == 302 and "verdhe" not in text_of(first)
    assert Client().get(url("service-address", adults.pk)).status_code == 302  # to the sign-in


def test_a_password_alone_opens_no_address(world, shelter):
    client = Client()
    client.force_login(world.other_focal_point)  # the provider's own person, without the second factor
    for name in ("service-address", "service-address-write", "service-address-remove"):
        answer = client.get(url(name, shelter.pk))
        assert answer.status_code == 302 and "purpose" not in answer["Location"], name
    assert client.get(shelter.get_absolute_url()).status_code == 200


def test_each_reading_is_on_record_and_the_provider_sees_who_read_it(world, client_for, shelter):
    client = client_for("monitoring")
    assert read(client, shelter, "Inspection next week")[0] == 200
    assert client.get(url("service-address", shelter.pk)).status_code == 200  # the purpose holds for an hour
    entries = TrailEntry.objects.filter(record_kind="nrm.serviceaddress", act="read")
    assert [(one.actor, one.purpose, one.owner_id) for one in entries] == [
        (world.monitoring, "Inspection next week", shelter.provider_id)
    ] * 2
    assert not any("verdhe" in str(one.content()).lower() for one in TrailEntry.objects.all())
    other = a_shelter(world)
    an_address(world, other, "elsewhere")
    assert client.get(url("service-address", other.pk)).status_code == 302  # for another one, another purpose
    assert "inspection next week" in read(client_for("other_focal_point"), shelter)[1]
    answer = client.get(url("service-address", shelter.pk))
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_it_is_written_unseen_kept_sealed_and_forgotten(world, client_for, shelter):
    client = client_for("other_focal_point")
    assert "verdhe" not in text_of(client.get(url("service-address-write", shelter.pk)))
    refused = client.post(url("service-address-write", shelter.pk), {"address": " "})
    assert refused.status_code == 200 and "required" in str(refused.context["form"].errors)
    long = client.post(url("service-address-write", shelter.pk), {"address": "x" * 501})
    assert long.status_code == 200
    assert client.post(url("service-address-write", shelter.pk), {"address": "Rruga B 9"}).status_code == 302
    assert "rruga b 9" in read(client, shelter)[1]
    address = ServiceAddress.objects.get(service=shelter)
    services.write_address(shelter, "Rruga B 9", by=world.director)
    assert ServiceAddress.objects.get(service=shelter).written_by == world.other_focal_point  # the same again
    # Nowhere in the database, its history included, in words.
    with connection.cursor() as cursor:
        for model in apps.get_app_config("nrm").get_models():
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {model._meta.db_table} t")  # noqa: S608
            found = (cursor.fetchone()[0] or "").lower()
            assert "rruga b" not in found and "kanarina" not in found, model
    # Sealed for its own row: copied to another one it does not open.
    other = a_service(world)
    copied = ServiceAddress.objects.create(service=other, sealed=address.sealed, written_by=world.director)
    assert copied.read() is None
    assert "cannot be read" in read(client_for("director"), other)[1]
    for _time in range(2):
        assert client.post(url("service-address-remove", shelter.pk)).status_code == 302
    assert not ServiceAddress.objects.filter(service=shelter).exists()
    assert "no address is written" in read(client, shelter)[1]
    with pytest.raises(PermissionDenied):
        services.write_address(shelter, "x", by=world.focal_point)
    with pytest.raises(PermissionDenied):
        services.remove_address(shelter, by=world.planning)


def test_keys_are_changed_without_losing_it(world, shelter, settings):
    new = "n" * 40
    settings.FIELD_KEYS = [new, *settings.FIELD_KEYS]
    assert services.seal_addresses_anew() == (1, 0)
    settings.FIELD_KEYS = [new]
    assert ServiceAddress.objects.get().read() == CANARY
    settings.FIELD_KEYS = ["o" * 40]
    assert ServiceAddress.objects.get().read() is None


def test_no_link_and_no_mail_leads_past_the_question(world, client_for, shelter):
    """What joins the address to anything is its own page: no other query of the directory touches its table."""
    from django.test.utils import CaptureQueriesContext

    client = client_for("director")
    for address in (shelter.get_absolute_url(), url("service-list"), url("service-export"), url("service-edit", shelter.pk),
                    url("service-confirm", shelter.pk), url("service-public")):  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            text_of(client.get(address))
        assert not any("nrm_serviceaddress" in one["sql"] for one in asked), address
    assert get_resolver() is not None and timezone.localdate() + timedelta(days=1) == in_days(1)


def test_an_ended_service_takes_no_address(world, shelter):
    services.end_service(shelter, by=world.director, revision=0, ended_on=in_days(0), reason="closed")
    with pytest.raises(Refused, match="ended"):
        services.write_address(shelter, "x", by=world.director)
