"""The log of communications (Article 8.4.6): ten seconds to add, who changes it, filters, files, bad input."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from stakeholders.actions import enquiries
from stakeholders.actions.records import Stale
from stakeholders.models import Communication, Country
from tests.samples import document
from tests.stakeholders.asking import a_communication, days_ago, institution

pytestmark = pytest.mark.django_db
LIST = "/communications/"


def quick(**changes):
    return {
        "key": str(uuid.uuid4()), "on": days_ago(0).isoformat(), "channel": "phone", "whom": "", "about": "Statistika"
    } | changes  # fmt: skip


def test_an_incoming_call_is_recorded_as_received(world, client_for):
    client = client_for("information")
    assert client.get(LIST).content.decode().count('type="radio"') == 2
    client.post(LIST, quick(direction="in"))
    client.post(LIST, quick(direction="out"))
    client.post(LIST, quick(direction=""))  # as it was
    got = list(Communication.objects.order_by("created_at").values_list("direction", flat=True))
    assert got == ["in", "out", "out"]
    assert "Select a valid choice" in client.post(LIST, quick(direction="up")).content.decode()


def test_five_fields_and_enter_lead_back_to_the_list(world, client_for):
    client, form = client_for("information"), quick(whom=f"i{institution('MOJ').pk}")
    page = client.post(LIST, form | {"attachments": SimpleUploadedFile("a.pdf", document())}, follow=True)
    assert page.request["PATH_INFO"] == LIST and "Recorded." in page.content.decode()
    one = Communication.objects.get()
    assert (one.institution, one.by, one.files.count()) == (institution("MOJ"), world.information, 1)
    assert client.post(LIST, form).status_code == 302 and Communication.objects.count() == 1  # sent twice is once
    client.post(LIST, quick(whom="cAL"))
    assert Communication.objects.get(country="AL").institution is None


def test_an_institution_abroad_brings_its_country(world):
    one = a_communication(world.planning, institution=institution("AL-NATC"))
    assert one.country_id == "AL"
    named = a_communication(world.planning, institution=institution("AL-NATC"), country=Country.objects.get(pk="ME"))
    assert named.country_id == "ME" and a_communication(world.planning, institution=institution("MOJ")).country is None
    values = {
        "on": one.on,
        "channel": "phone",
        "about": one.about,
        "institution": institution("ME-NC"),
        "country": None,
    }
    assert enquiries.change_communication(one, values, by=world.planning, revision=0).country_id == "ME"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"on": days_ago(-1).isoformat()}, "This day lies in the future."),
        ({"on": "31.02.2026"}, "Enter a valid date"),
        ({"about": ""}, "This field is required."),
        ({"about": "x" * 301}, "at most 300 characters"),
        ({"whom": "i00000000-0000-0000-0000-000000000000"}, "Select a valid choice"),
        ({"whom": "zzz"}, "Select a valid choice"),
        ({"key": "x"}, "Enter a valid UUID"),
        ({"about": "E thirrëm +383 44 123 456"}, "looks like data of a person"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(world, client_for, changes, said):
    page = client_for("planning").post(LIST, quick(**changes))
    assert page.status_code == 200 and said in page.content.decode() and not Communication.objects.exists()


def test_whoever_wrote_it_changes_it_and_the_director(world, client_for):
    one = a_communication(world.planning)
    url = reverse("stakeholders:communication-edit", args=[one.pk])
    answers = {name: client_for(name).get(url).status_code for name in ("planning", "director", "monitoring", "child", "natc", "focal_point")}  # fmt: skip
    assert answers == {
        "planning": 200,
        "director": 200,
        "monitoring": 403,
        "child": 403,
        "natc": 403,
        "focal_point": 404,
    }
    values = {"on": one.on, "channel": "email", "about": "Tjetër", "institution": None}
    enquiries.change_communication(one, values, by=world.director, revision=0)
    with pytest.raises(Stale):
        enquiries.change_communication(one, values | {"about": "E tretë"}, by=world.planning, revision=0)
    with pytest.raises(PermissionDenied):
        enquiries.change_communication(one, values, by=world.monitoring, revision=1)
    for name in ("child", "natc", "focal_point"):
        with pytest.raises(PermissionDenied):
            a_communication(getattr(world, name))


def test_whoever_may_change_it_takes_a_file_off(world, client_for):
    client, form = client_for("information"), quick()
    client.post(LIST, form | {"attachments": SimpleUploadedFile("a.pdf", document())})
    one = Communication.objects.get()
    url = reverse("stakeholders:communication-file-remove", args=[one.files.get().pk])
    assert url in client.get(one.get_absolute_url()).content.decode()
    other = client_for("monitoring")
    assert other.get(url).status_code == 403 and url not in other.get(one.get_absolute_url()).content.decode()
    assert client.get(url).status_code == 200 and one.files.exists()
    page = client.post(url, follow=True).content.decode()
    assert "The file was taken off." in page and not one.files.exists()


def test_the_counts_the_rows_and_the_file_come_from_one_filter(world, client_for):
    a_communication(world.planning, about="Kërkesë për shifra", institution=institution("MOJ"))
    a_communication(world.information, channel="email", about="=1+1")
    client = client_for("information")
    page = client.get(LIST, {"q": "kerkese"})
    assert [one.about for one in page.context["page"]] == ["Kërkesë për shifra"]
    assert client.get(LIST, {"who": "me"}).context["filter"].count == 1
    file = b"".join(client.get("/communications/export/", {"format": "csv"}).streaming_content).decode()
    assert "'=1+1" in file and file.count("\n") == 3
    assert client_for("focal_point").get(LIST).status_code == 403


def test_the_list_costs_as_much_for_many_as_for_one(world, client_for, django_assert_max_num_queries):
    client = client_for("information")
    a_communication(world.planning, institution=institution("MOJ"))
    client.get(LIST)
    with CaptureQueriesContext(connection) as of_one:
        client.get(LIST)
    for _number in range(30):
        a_communication(world.planning, institution=institution("MOH"))
    with django_assert_max_num_queries(len(of_one)):
        page = client.get(LIST)
    assert len(page.context["page"].object_list) == 31
