"""Contacts: only what is needed, seen by whom it concerns, and removed for good."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from onatc import mail, search
from onatc.errors import Refused
from onatc.models import Message, TrailEntry
from stakeholders.actions import contacts
from stakeholders.actions.records import Stale
from stakeholders.models import Contact, ContactFunction, KeptText
from tests.stakeholders.cooperation import a_body, a_contact, a_seat, days_ago, institution

pytestmark = pytest.mark.django_db
NAME = "Zarzavati Xhirafa"


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def form(**changes):
    return {
        "key": str(uuid.uuid4()), "full_name": NAME, "email": "office@example.org", "phone": "+383 38 000 000",
        "sex": "F", "language": "sq", "institution": institution("KP-THB").pk, "title": "Zyrtare",
        "starts_on": days_ago(3).isoformat(),
    } | changes  # fmt: skip


def test_a_contact_is_added_once_with_the_function(world, client_for):
    client, data = client_for("information"), form()
    for _time in range(2):
        assert client.post(url("contact-create"), data).status_code == 302
    contact = Contact.objects.get()
    assert [(one.title, one.institution.code, one.starts_on) for one in contact.functions.all()] == [
        ("Zyrtare", "KP-THB", days_ago(3))
    ]
    today = timezone.localdate().isoformat()
    assert f'value="{today}"' in client.get(url("contact-create")).content.decode()
    page = client.get(contact.get_absolute_url()).content.decode()
    assert NAME in page and "office@example.org" in page
    assert NAME not in contact.get_absolute_url()


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"email": " TAKEN@example.org"}, "email", "There is a contact with this address already."),
        ({"full_name": " "}, "full_name", "This field is required."),
        ({"email": "x"}, "email", "Enter a valid email address."),
        ({"title": ""}, "title", "Name the institution and the function, or neither."),
        ({"sex": "Z"}, "sex", "Select a valid choice"),
        ({"user": "x"}, "user", "is not a valid UUID"),
    ],
)
def test_bad_input_is_said_at_its_field(world, client_for, changes, field, sentence):
    a_contact(world.director, email="taken@example.org")
    page = client_for("director").post(url("contact-create"), form() | changes)
    assert any(sentence in one for one in page.context["form"].errors[field])
    assert Contact.objects.count() == 1


def test_a_duplicate_address_in_the_same_moment_is_a_sentence(world):
    a_contact(world.director, email="taken@example.org")
    with pytest.raises(Refused, match="this address already"):
        a_contact(world.director, "Tjetri", email="taken@example.org")


def test_a_stale_form_overwrites_nothing_and_only_the_office_keeps_contacts(world, client_for):
    contact = a_contact(world.director)
    contacts.change_contact(contact, {"phone": "1"}, by=world.information, revision=0)
    with pytest.raises(Stale):
        contacts.change_contact(contact, {"phone": "2"}, by=world.director, revision=0)
    for person in (world.natc, world.focal_point, world.observer, world.administrator):
        with pytest.raises(PermissionDenied):
            contacts.change_contact(contact, {"phone": "3"}, by=person, revision=1)
    for person in (world.planning, world.natc, world.administrator):
        with pytest.raises(PermissionDenied):
            contacts.remove_contact(contact, by=person, reason="x")
    assert client_for("administrator").get(url("contact-list")).status_code == 403
    assert client_for("administrator").get(contact.get_absolute_url()).status_code == 404


def test_whom_it_does_not_concern_sees_nobody(world, client_for):
    mine, others = a_contact(world.director, at="KP-THB"), a_contact(world.director, "Tjetri", at="MOH")
    client = client_for("focal_point")
    assert client.get(mine.get_absolute_url()).status_code == 200
    assert client.get(others.get_absolute_url()).status_code == 404
    page = client.get(url("contact-list")).content.decode()
    assert str(mine) in page and str(others) not in page
    assert client.get(url("contact-export")).status_code == 403
    function = mine.functions.get()
    contacts.save_function(
        mine, function, by=world.director, institution=function.institution, title="x", starts_on=None,
        ends_on=days_ago(1),
    )  # fmt: skip
    assert client.get(mine.get_absolute_url()).status_code == 404  # left yesterday


def test_the_accounts_address_is_shown(world, client_for):
    contact = a_contact(world.director, email="old@example.org", user=world.focal_point)
    assert contact.address == world.focal_point.email
    page = client_for("director").get(contact.get_absolute_url()).content.decode()
    assert world.focal_point.email in page and "of the account" in page and "old@example.org" not in page


def test_functions_from_to(world, client_for):
    contact, client = a_contact(world.director, at=""), client_for("director")
    data = {"institution": institution("OSCE").pk, "title": "Këshilltar", "starts_on": days_ago(10).isoformat()}
    address = url("contact-function-create", contact.pk)
    page = client.post(address, data | {"ends_on": days_ago(11).isoformat()})
    assert "The end must not lie before the start." in page.content.decode()
    client.post(address, data), client.post(address, data)
    function = ContactFunction.objects.get(contact=contact)
    client.post(url("function-edit", function.pk), data | {"ends_on": days_ago(1).isoformat()})
    function.refresh_from_db()
    assert function.ends_on == days_ago(1)
    page = client.post(address, data | {"institution": institution("MLSW").pk}).content.decode()
    assert "was dissolved on" in page


def test_whoever_leaves_an_institution_vacates_its_seats_from_the_next_day(world, client_for):
    client, last = client_for("director"), days_ago(1)
    person = a_contact(world.director, NAME, at="KP-THB")
    function, body = person.functions.get(), a_body(world.director)
    seat = a_seat(body, world.director, person=person, function="chair")
    other = a_seat(a_body(world.director, "B2"), world.director, at="MOH", person=person)
    address = url("function-edit", function.pk)
    page = client.get(address).content.decode()
    assert "seats in these bodies become vacant" in page and str(body.name) in page
    data = {"institution": function.institution_id, "title": function.title, "ends_on": last.isoformat()}
    client.post(address, data)  # not ticked: the seat stays, and the body's page says so
    seat.refresh_from_db()
    assert seat.ends_on is None
    assert "no longer there" in client.get(body.get_absolute_url()).content.decode()
    client.post(address, data | {"vacates": "on"})
    for one in (seat, other):
        one.refresh_from_db()
    assert (seat.ends_on, seat.person) == (last, person) and other.ends_on is None
    rest = body.members.get(starts_on=timezone.localdate())
    assert (rest.person, rest.function, rest.institution) == (None, "chair", seat.institution)
    assert "no longer there" not in client.get(body.get_absolute_url()).content.decode()
    assert "become vacant" not in client.get(address).content.decode()


def test_a_seat_stays_while_another_function_at_the_institution_goes_on(world):
    person = a_contact(world.director, NAME, at="KP-THB")
    function = person.functions.get()
    ContactFunction.objects.create(contact=person, institution=function.institution, title="Tjetër")
    seat = a_seat(a_body(world.director), world.director, person=person)
    contacts.save_function(
        person, function, by=world.director, institution=function.institution, title="x", starts_on=None,
        ends_on=days_ago(1), vacates=True,
    )  # fmt: skip
    seat.refresh_from_db()
    assert seat.ends_on is None


def a_known_person(world):
    """Somebody with seats, a function, an entry of the search and a mail under way."""
    person = a_contact(world.director, NAME, email="zarzavati@example.org", phone="+383 38 111 222", sex="F")
    body = a_body(world.director)
    own = a_seat(body, world.director, person=person)
    second = a_seat(body, world.director, at="MOH", deputy=person)
    coming = a_seat(a_body(world.director, "B2"), world.director, person=person, starts_on=days_ago(-5))
    search.rebuild()
    mail.queue_text(
        user=None, address=person.address, subject="Ftesë", text=f"E nderuar {NAME}", kind="notice", occasion="meeting"
    )
    return person, own, second, coming


def test_removing_empties_the_data_and_keeps_the_rest_whole(world, client_for):
    person, own, second, coming = a_known_person(world)
    for occasion, state, address in (
        ("sent", "sent", person.email),
        ("under way", "sending", person.email),
        ("of another", "queued", "a@example.org"),
    ):
        mail.queue_text(user=None, address=address, subject="S", text=NAME, kind="notice", occasion=occasion)
        Message.objects.filter(occasion=occasion).update(state=state)
    client = client_for("director")
    page = client.get(url("contact-remove", person.pk)).content.decode()
    page = page[page.index("<form", page.index("<main")) :]
    assert "Remove the data" in page[: page.index("</form>")]  # the button sends the form: no form stands inside it
    assert "btn-danger" in page  # it cannot be taken back
    page = client.post(url("contact-remove", person.pk), {"reason": f"Kërkesë e {NAME}"})
    assert "leave the name out" in page.content.decode()
    assert client.post(url("contact-remove", person.pk), {"reason": ""}).status_code == 200
    assert client.post(url("contact-remove", person.pk), {"reason": "Kërkesë e personit"}).status_code == 302
    assert client.post(url("contact-remove", person.pk), {"reason": "Kërkesë e personit"}).status_code == 302
    assert client.get(url("contact-remove", person.pk)).url == person.get_absolute_url()  # nothing is left to remove
    for one in (person, own, second, coming):
        one.refresh_from_db()
    assert (person.full_name, person.email, person.phone, person.sex, person.address) == ("", "", "", "U", "")
    assert own.ends_on == timezone.localdate() and own.person == person
    assert second.ends_on is None and second.deputy is None and coming.person is None
    assert not person.functions.active(timezone.localdate() + timedelta(days=1)).exists()
    assert not Message.objects.filter(occasion="meeting").exists()  # it waited, and is not sent
    sent = Message.objects.get(occasion="sent")
    assert (sent.address, sent.text, sent.subject) == ("", "", "")
    assert Message.objects.get(occasion="under way").address == "zarzavati@example.org"  # left to its sender
    assert Message.objects.get(occasion="of another").text
    entries = TrailEntry.objects.filter(record_id=str(person.pk), act="ended")
    assert [one.purpose for one in entries] == ["Kërkesë e personit"]
    page = client.get(person.get_absolute_url()).content.decode()
    assert "(data removed)" in page and NAME not in page
    with pytest.raises(Refused, match="was removed"):
        contacts.change_contact(person, {"phone": "1"}, by=world.director, revision=person.revision)
    with pytest.raises(Refused, match="was removed"):
        a_seat(own.body, world.director, at="OSCE", person=person, starts_on=days_ago(0))


def every_row_with(words: list[str]) -> set[str]:
    """Tables in whose rows one of the words stands, in any column."""
    found = set()
    with connection.cursor() as cursor:
        for model in (one for one in apps.get_models() if one._meta.managed and not one._meta.proxy):
            table = connection.ops.quote_name(model._meta.db_table)
            for word in words:
                cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table} AS t WHERE t::text ILIKE %s)", [f"%{word}%"])  # noqa: S608
                if cursor.fetchone()[0]:
                    found.add(model._meta.db_table)
    return found


def test_no_table_keeps_the_name_of_whoever_was_removed(world, client_for):
    """History, search, suggestions, trail, kept texts and mails: none of them remembers after thirty days."""
    person, *_seats = a_known_person(world)
    words = ["Zarzavat", "Xhiraf", "111 222"]
    KeptText.objects.create(user=world.people["director"], path="/", sealed=b"sealed")
    client = client_for("director")
    client.get(person.get_absolute_url())
    client.get(reverse("search"), {"q": "zarzavati"})
    assert {"stakeholders_contact", "onatc_searchentry", "onatc_searchterm"} <= every_row_with(words)
    Message.objects.update(state="sending")
    contacts.remove_contact(person, by=world.director, reason="Kërkesë e personit")
    assert every_row_with(words) == {"onatc_message"}  # at the mail server at this moment
    Message.objects.update(state="sent")
    with freeze_time(timezone.now() + timedelta(days=31)):
        mail.forget_old()
        KeptText.forget_old()
    assert every_row_with(words) == set() and not KeptText.objects.exists()
    assert search.ask(world.director, "zarzavati").count == 0


def test_who_has_been_nothing_for_two_years_is_listed_to_be_removed(world, client_for):
    old = a_contact(world.director, "I vjetri", at="")
    ended = a_contact(world.director, "I larguari", at="")
    seated = a_contact(world.director, "I uluri", at="")
    new = a_contact(world.director, "I riu", at="")
    with_account = a_contact(world.director, "Me llogari", at="", user=world.observer)
    Contact.objects.exclude(pk=new.pk).update(created_at=timezone.now() - timedelta(days=800))
    ContactFunction.objects.create(contact=ended, institution=institution("OSCE"), title="x", ends_on=days_ago(500))
    a_seat(a_body(world.director), world.director, deputy=seated)
    page = client_for("director").get(url("contact-list"), {"standing": "unused"})
    assert [one.pk for one in page.context["page"]] == [old.pk]
    assert "check whether the data is still needed" in page.content.decode()
    assert with_account.pk not in [one.pk for one in page.context["page"]]
    ContactFunction.objects.filter(contact=ended).update(ends_on=days_ago(740))
    page = client_for("director").get(url("contact-list"), {"standing": "unused"})
    assert {one.pk for one in page.context["page"]} == {old.pk, ended.pk}


def test_the_list_is_narrowed_costs_the_same_and_is_saved(world, client_for):
    body, client = a_body(world.director), client_for("director")
    people = [a_contact(world.director, f"Personi {number}", at="OSCE") for number in range(3)]
    a_seat(body, world.director, at="OSCE", person=people[0], deputy=people[1])

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url("contact-list")).status_code == 200
        return len(queries)

    cost()
    few = cost()
    for number in range(30):
        a_contact(world.director, f"Tjetri {number}", at="MOH")
    assert cost() == few < 30
    page = client.get(url("contact-list"), {"body": str(body.pk)})
    assert {one.pk for one in page.context["page"]} == {people[0].pk, people[1].pk}
    page = client.get(url("contact-list"), {"institution": str(institution("OSCE").pk), "q": "personi 2"})
    assert [one.pk for one in page.context["page"]] == [people[2].pk]
    page = client.get(url("contact-list"), {"institution": "nonsense", "body": "x", "standing": "y", "page": "z"})
    assert page.status_code == 200
    saved = b"".join(client.get(url("contact-export"), {"format": "csv", "body": str(body.pk)}).streaming_content)
    assert "Personi 0" in saved.decode() and "Tjetri 1" not in saved.decode()
    entry = TrailEntry.objects.filter(act="exported").latest("sequence")
    assert "Personi" not in json.dumps(entry.details)
