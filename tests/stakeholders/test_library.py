"""The library (Article 8.4.4-ii): versions by language, readers by body, files that leave with their readers."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onatc import search
from onatc.errors import Refused
from stakeholders.actions import library
from stakeholders.actions.records import Stale
from stakeholders.models import Contact, LibraryDocument, LibraryFile
from tests.stakeholders.outreach import a_body, a_document, asked, checked, days_ago

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def test_versions_rise_by_language_and_the_latest_stands_first(world, client_for):
    office = client_for("child")
    form = {"key": str(uuid.uuid4()), "kind": "guideline", "title_sq": "", "title_sr": "", "title_en": "Guideline",
            "about": "", "language": "en", "is_for_all": "on"}  # fmt: skip
    for _press in range(2):
        office.post(url("document-create"), form)
    document = LibraryDocument.objects.get()

    def upload(name, body, language, days=2, note=""):
        data = {
            "attachments": SimpleUploadedFile(name, body),
            "language": language,
            "on": days_ago(days).isoformat(),
            "note": note,
        }
        return office.post(url("document-upload", document.pk), data, follow=True).content.decode()

    upload("one.txt", b"one", "sq")
    upload("two.txt", b"two", "sq", note="Neni 3")
    upload("en.txt", b"english", "en")
    assert "This very file is the current version already." in upload("two.txt", b"two", "sq")
    assert "lies in the future" in upload("x.txt", b"x", "sq", days=-1)
    assert "is no PDF file, whatever its name says" in upload("x.pdf", b"MZ\x90", "sq")
    got = list(document.files.order_by("language", "number").values_list("language", "number", "original_name"))
    assert got == [("en", 1, "en.txt"), ("sq", 1, "one.txt"), ("sq", 2, "two.txt")]
    page = client_for("focal_point").get(document.get_absolute_url()).content.decode()
    holding, _, earlier = page.partition("Earlier versions")
    assert '<span lang="sq">Neni 3</span>' in holding
    assert holding.index("en.txt") < holding.index("two.txt") and "one.txt" not in holding and "one.txt" in earlier


def test_readers_of_a_body_lose_it_at_once(world, client_for):
    body = a_body("first", ("KP-THB", None, None))
    document = a_document(world.information, bodies=[body], body=b"text", title_en="Closed")
    file = document.files.get()
    reader = client_for("focal_point")
    assert reader.get(document.get_absolute_url()).status_code == 200
    assert reader.get(file.get_absolute_url()).status_code == 200
    for name in ("other_focal_point", "observer", "administrator"):
        assert client_for(name).get(file.get_absolute_url()).status_code == 404
    values = {"is_for_all": False}
    other = a_body("second", ("MOH", None, None))
    library.change_document(document, values, by=world.information, revision=0, bodies=[other])
    assert reader.get(file.get_absolute_url()).status_code == 404
    assert client_for("other_focal_point").get(file.get_absolute_url()).status_code == 200
    other.members.update(ends_on=days_ago(1))
    assert client_for("other_focal_point").get(file.get_absolute_url()).status_code == 404
    with pytest.raises(Stale):
        library.change_document(document, values, by=world.director, revision=0, bodies=[body])
    with pytest.raises(Refused, match="Say for whom"):
        library.change_document(document, values, by=world.director, revision=1, bodies=[])


@pytest.mark.parametrize("place", ["person", "deputy"])
def test_who_sits_for_another_institution_sees_the_body_and_its_documents(world, client_for, place):
    sitting = Contact.objects.create(full_name="Somebody", user=world.other_focal_point)
    body = a_body("first", ("KP-THB", *((sitting, None) if place == "person" else (None, sitting))))
    document = a_document(world.information, bodies=[body], body=b"text", title_en="Closed")
    pages = [one.get_absolute_url() for one in (body, document, document.files.get())]
    reader = client_for("other_focal_point")

    def seen():
        search.rebuild()
        tokens = " | ".join(f"{search.SCOPE}{one}" for one in search.scopes_of(world.other_focal_point.read_anew()))
        kept = search.SearchEntry.objects.extra(where=["words @@ to_tsquery('simple', %s)"], params=[tokens])
        kinds = {"body": body, "document": document, "document_file": document.files.get()}
        found = [kept.filter(kind=kind, record_id=one.pk).exists() for kind, one in kinds.items()]
        return [reader.get(page).status_code == 200 for page in pages], found

    assert seen() == ([True] * 3, [True] * 3)
    body.members.update(ends_on=days_ago(1))
    assert seen() == ([True, False, False], [True, False, False])  # who sat in it still sees the body
    body.members.update(person=None, deputy=None)
    assert seen() == ([False] * 3, [False] * 3)


def test_who_keeps_the_library(world):
    for person in (world.natc, world.monitoring, world.focal_point, world.observer, world.administrator):
        with pytest.raises(PermissionDenied):
            a_document(person)
    document = a_document(world.planning)
    with pytest.raises(PermissionDenied):
        library.add_version(document, checked("a.txt", b"x")[0], by=world.focal_point, language="sq", on=days_ago(1))
    assert not LibraryFile.objects.exists()


def test_the_text_of_a_version_is_found_by_its_readers_alone(world):
    body = a_body("first", ("KP-THB", None, None))
    a_document(world.information, bodies=[body], body="Fjala ujëvara qëndron këtu.".encode(), title_en="Closed")
    search.rebuild()
    tokens = search.SearchEntry.objects.get(kind="document_file")
    assert "ujëvara" in tokens.text


def test_the_list_is_narrowed_and_costs_the_same_for_many(world, client_for):
    body = a_body("first", ("KP-THB", None, None))
    a_document(world.information, title_en="Open", body=b"a")
    a_document(world.information, title_en="Closed", kind="report", bodies=[body])
    office = client_for("information")
    for query, shown in (("kind=report", {"Closed"}), (f"body={body.pk}", {"Closed"}), ("q=open", {"Open"}), ("sort=-latest", {"Open", "Closed"})):  # fmt: skip
        page = office.get(url("document-list") + f"?{query}").content.decode()
        assert {name for name in ("Open", "Closed") if f">{name}</a>" in page} == shown, query
    with CaptureQueriesContext(connection) as few:
        office.get(url("document-list"))
    for number in range(20):
        a_document(world.information, title_en=f"D{number}", body=b"%d" % number)
    with CaptureQueriesContext(connection) as many:
        office.get(url("document-list"))
    assert asked(few) == asked(many)
    assert b"Closed" in b"".join(office.get(url("document-export") + "?format=csv").streaming_content)
    assert "Closed" not in client_for("observer").get(url("document-list")).content.decode()
