"""Circulars and newsletters (Article 8.4.4-ii): audience, sending once whatever happens, reading, confirming, reminding."""

from __future__ import annotations

import csv
import io
import re
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc import jobs
from onatc.errors import Refused
from onatc.jobs import Job
from onatc.mail import Message
from stakeholders import tasks  # noqa: F401  the runners of the jobs
from stakeholders.actions import circulars
from stakeholders.actions.records import Stale
from stakeholders.audience import audience_of
from stakeholders.models import REPORTERS, Circular, CircularFile, CircularRecipient, Contact, RoleAssignment, User
from tests.samples import document
from tests.stakeholders.outreach import a_body, a_circular, a_contact, asked, days_ago, institution, send
from tests.stakeholders.test_accounts import GOOD, offer, open_invitation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("due_days_stay")]


@pytest.fixture(autouse=True)
def only_the_police_report(world):
    """Elsewhere the office's contacts are written to, since nobody reports."""
    roles = RoleAssignment.objects.filter(role__in=REPORTERS).exclude(institution__code="KP-THB")
    roles.update(ends_on=days_ago(1))


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def names(circular) -> list[str]:
    return [one.contact.full_name for one in audience_of(circular).people]


def link_in(message: Message) -> str:
    found = re.search(r"https?://[^/\s]+(/circulars/read/\S+/)", message.text)
    assert found
    return found.group(1)


def nothing(done: int, total: int) -> None:
    pass


def test_members_of_today_and_their_deputies_once_each(world):
    both, deputy, left = a_contact("Both"), a_contact("Deputy"), a_contact("Left")
    first = a_body("first", ("MOH", both, deputy), ("LI", left, None), ("MOJ", None, None))
    second = a_body("second", ("MOH", both, None))
    first.members.filter(person=left).update(ends_on=days_ago(1))
    circular = a_circular(world.information, bodies=[first, second])
    assert names(circular) == ["Both", "Deputy"]
    Contact.objects.filter(pk=deputy.pk).update(full_name="", email="", removed_at=timezone.now())
    assert names(circular) == ["Both"]
    type(first).objects.filter(pk=second.pk).update(dissolved_on=days_ago(2))
    assert names(circular) == ["Both"]


def test_for_an_institution_its_focal_persons_else_all_with_an_address(world):
    a_contact("Focal", "KP-THB", user=world.focal_point)
    a_contact("Colleague", "KP-THB")
    a_contact("Nurse", "MOH")
    a_contact("Silent", "MOH", email="")
    a_contact("Alone", "LI", email="")
    kinds = a_circular(world.information, institutions=[institution(code) for code in ("KP-THB", "MOH", "LI", "MOJ")])
    found = audience_of(kinds)
    assert [one.contact.full_name for one in found.people] == ["Alone", "Focal", "Nurse"]
    assert [one.contact.full_name for one in found.without_address] == ["Alone"]
    assert [one.code for one in found.silent] == ["MOJ"]
    kind, level = institution("MOH").kind, institution("MOH").level
    assert names(a_circular(world.information, kinds=[kind], levels=[level])) == ["Nurse"]
    assert names(a_circular(world.information, kinds=[kind], levels=["international"])) == []


def test_from_the_draft_to_the_confirmation_in_the_browser(world, client_for):
    office, director = client_for("planning"), client_for("director")
    a_contact("Person", "MOH", language="en")
    form = {
        "key": str(uuid.uuid4()), "kind": "circular", "title_sq": "Qarkore", "text_sq": "Teksti.", "title_sr": "", "text_sr": "",
        "title_en": "", "text_en": "Text without a title", "institutions": [institution("MOH").pk], "asks_confirmation": "on",
        "confirm_by": days_ago(-9).isoformat(),
    }  # fmt: skip
    assert "A text needs its title." in office.post(url("circular-create"), form).content.decode()
    form |= {"title_en": "Circular"}
    assert (
        "This day has passed."
        in office.post(url("circular-create"), form | {"confirm_by": "2020-01-01"}).content.decode()
    )
    for _press in range(2):
        office.post(url("circular-create"), form)
    circular = Circular.objects.get()
    file = SimpleUploadedFile("a.pdf", document())
    office.post(url("circular-file-add", circular.pk), {"attachments": file, "language": "sr-latn"})
    office.post(
        url("circular-file-add", circular.pk), {"attachments": SimpleUploadedFile("b.csv", b"a,b\n"), "language": ""}
    )
    bad = SimpleUploadedFile("c.pdf", b"MZ\x90\x00")
    assert office.post(url("circular-file-add", circular.pk), {"attachments": bad, "language": ""}).status_code == 200
    preview = office.get(url("circular-send", circular.pk)).content.decode()
    assert "goes to 1 person." in preview and "sends it" in preview and "Send it<" not in preview
    office.post(url("circular-send", circular.pk), {"revision": circular.revision})
    assert not CircularRecipient.objects.exists()
    assert client_for("other_focal_point").get(circular.get_absolute_url()).status_code == 404
    director.post(url("circular-send", circular.pk), {"revision": circular.revision})
    jobs.run(str(Job.objects.get(kind="send_circular").pk))
    circular.refresh_from_db()
    assert circular.state == "sent"
    message = Message.objects.get(occasion__startswith="circular ")
    assert message.subject == "Circular" and "Text without a title" not in message.text
    reader, address = Client(), link_in(message)
    page = reader.get(address).content.decode()
    assert "Text without a title" in page and "b.csv" in page and "a.pdf" not in page
    copy = CircularRecipient.objects.get()
    assert copy.opened_at and not copy.confirmed_at
    first = copy.opened_at
    plain = CircularFile.objects.get(original_name="b.csv")
    assert reader.get(f"{address}files/{plain.pk}/").status_code == 200
    assert reader.get(f"{address}files/{uuid.uuid4()}/").status_code == 404
    for _press in range(2):
        assert "You confirmed on" in reader.post(address, follow=True).content.decode()
    copy.refresh_from_db()
    assert copy.confirmed_at and copy.opened_at == first
    # what was sent never changes
    for address in (
        url("circular-edit", circular.pk), url("circular-file-add", circular.pk),
        url("circular-file-remove", plain.pk), url("circular-discard", circular.pk),
    ):  # fmt: skip
        assert office.get(address).status_code == 302
    for act in (
        lambda: circulars.change(circular, {"title_sq": "x"}, by=world.director, revision=circular.revision),
        lambda: circulars.add_files(circular, [], by=world.director),
        lambda: circulars.remove_file(plain, by=world.director),
        lambda: circulars.discard(circular, by=world.director, revision=circular.revision),
    ):
        with pytest.raises(Refused, match="what was sent does not change"):
            act()
    RoleAssignment.objects.filter(user=world.other_focal_point).update(ends_on=None)
    assert client_for("other_focal_point").get(circular.get_absolute_url()).status_code == 200  # of their institution
    page = office.get(url("circular-recipients", circular.pk) + "?standing=confirmed").content.decode()
    assert "Person" in page
    saved = b"".join(office.get(url("circular-recipients-export", circular.pk) + "?format=csv").streaming_content)
    assert b"Person" in saved
    assert client_for("other_focal_point").get(url("circular-recipients", circular.pk)).status_code == 403


def test_a_focal_point_who_came_by_an_invitation_gets_what_their_institution_is_sent(world, client_for):
    """The office keeps no contact of them: one is made when it is sent, once, and not by looking at the list."""
    invitation = offer(world, role="focal_point", code="LI")
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    code = open_invitation(client, invitation.email)
    client.post(reverse("invitation"), {"code": code, "password1": GOOD, "password2": GOOD})
    user = User.objects.get(email=invitation.email)
    a_contact("Colleague", "LI")
    before = Contact.objects.count()
    circular = a_circular(world.information, institutions=[institution("LI")])
    page = client_for("information").get(url("circular-send", circular.pk)).content.decode()
    assert user.full_name in page and user.email in page and "Colleague" not in page
    assert Contact.objects.count() == before and not audience_of(circular).silent
    for one in (circular, a_circular(world.information, institutions=[institution("LI")])):
        send(one, world.information)
        assert Message.objects.get(occasion=f"circular {one.recipients.get().pk}").to == user
    assert Contact.objects.count() == before + 1 and user.contact.full_name == user.full_name
    assert circulars.own_copy(circular, user).institution == institution("LI")
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert names(circular) == ["Colleague"]


def test_the_contact_with_the_address_of_the_account_becomes_its_own(world):
    user = world.focal_point
    known = a_contact("As the office wrote it", email=user.email)
    circular = a_circular(world.information, institutions=[institution("KP-THB")])
    assert "As the office wrote it" in names(circular)
    send(circular, world.information)
    known.refresh_from_db()
    assert known.user == user and circular.recipients.filter(contact=known).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_circulars_at_once_make_one_contact(world):
    circulars_ = [a_circular(world.information, institutions=[institution("KP-THB")]) for _number in range(2)]
    failed = []

    def press(circular):
        try:
            circulars.send(circular, by=world.information, revision=0)
        except Exception as error:  # the test tells which
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=[one]) for one in circulars_]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failed and Contact.objects.filter(user=world.focal_point).count() == 1


def test_each_reader_gets_their_own_language_else_the_first_there_is(world):
    a_contact("Serb", "MOH", language="sr-latn")
    a_contact("English", "MOH", language="en")
    circular = a_circular(
        world.information, institutions=[institution("MOH")], title_sr="Okružnica", text_sr="Tekst srpski."
    )
    send(circular, world.information)
    subjects = {
        one.contact.full_name: Message.objects.get(occasion=f"circular {one.pk}") for one in circular.recipients.all()
    }
    assert subjects["Serb"].subject == "Okružnica" and subjects["English"].subject == "Qarkore"
    assert "Tekst srpski." in Client().get(link_in(subjects["Serb"])).content.decode()
    english = Client().get(link_in(subjects["English"])).content.decode()
    assert "Teksti shqip." in english and "lang-mark" in english and "I confirm that I have read this" in english


def test_the_page_behind_the_key_speaks_the_language_that_is_pressed(world):
    a_contact("Serb", "MOH", language="sr-latn")
    send(a_circular(world.information, institutions=[institution("MOH")], asks_confirmation=True), world.information)
    visitor, address = Client(), link_in(Message.objects.get(occasion__startswith="circular "))
    own = visitor.get(address)
    assert own.headers["Content-Language"] == "sr-latn" and "I confirm" not in own.content.decode()
    pressed = visitor.post("/language/", {"language": "en", "next": address}, follow=True)
    assert pressed.redirect_chain == [(address, 302)] and pressed.headers["Content-Language"] == "en"
    assert "I confirm that I have read this" in pressed.content.decode()
    assert "Your confirmation is on record." in visitor.post(address, follow=True).content.decode()


def test_the_list_is_saved_as_a_file_without_what_is_the_offices(world, client_for):
    a_contact("Known", "KP-THB", user=world.focal_point)
    circular = a_circular(
        world.information, institutions=[institution("KP-THB")], title_en="For the police", text_en="Text."
    )
    send(circular, world.information)
    a_circular(world.information, institutions=[institution("KP-THB")], title_en="A draft")

    def saved(role: str) -> str:
        answer = client_for(role).get(url("circular-export"), {"format": "csv"})
        return b"".join(answer.streaming_content).decode()

    assert "For the police" in saved("information") and "A draft" in saved("information")
    assert "confirmed" in saved("information").splitlines()[0]
    own = saved("focal_point")
    assert "A draft" not in own and own.count("\n") == 2 and len(own.splitlines()[0].split(",")) == 5


def test_a_mail_to_members_alone_says_nothing_of_what_it_holds(world):
    body = a_body("first", ("MOH", a_contact("One", language="en"), None))
    circular = send(
        a_circular(world.information, bodies=[body], title_en="Secret subject", text_en="x"), world.information
    )
    message = Message.objects.get(occasion__startswith="circular ")
    assert "Secret" not in message.subject + message.text + message.html
    assert "for the members only" in message.text and message.is_secret
    assert "Secret subject" in Client().get(link_in(message)).content.decode()
    assert circular.state == "sent"


def test_a_link_that_is_wrong_or_old_or_of_somebody_removed_is_answered_alike(world):
    person = a_contact("One", "MOH")
    circular = send(a_circular(world.information, institutions=[institution("MOH")]), world.information)
    address, client = link_in(Message.objects.get()), Client()
    wrong = client.get(url("circular-read", "x" * 43))
    assert client.get(address).status_code == 200 and client.head(address).status_code == 405
    Circular.objects.filter(pk=circular.pk).update(sent_at=timezone.now() - timedelta(days=91))
    old = client.get(address)
    assert (old.status_code, wrong.status_code) == (404, 404)
    strip = re.compile(r"csrf\S+|value=\"[^\"]+\"|x{43}|/circulars/read/[^/\"]+/|[0-9a-f]{8}-?[0-9a-f-]{4,}")
    assert strip.sub("", old.content.decode()) == strip.sub("", wrong.content.decode())
    Circular.objects.filter(pk=circular.pk).update(sent_at=timezone.now())
    Contact.objects.filter(pk=person.pk).update(full_name="", email="", removed_at=timezone.now())
    assert client.get(address).status_code == 404 and client.post(address).status_code == 404


def test_a_link_is_not_opened_without_end(world):
    a_contact("One", "MOH")
    send(a_circular(world.information, institutions=[institution("MOH")]), world.information)
    address, client = link_in(Message.objects.get()), Client()
    got = [client.get(address).status_code for _time in range(31)]
    assert got[:30] == [200] * 30 and got[30] == 429
    cache.clear()


def test_who_has_no_address_is_listed_and_gets_no_mail(world, client_for):
    a_contact("Alone", "LI", email="")
    a_contact("Known", "MOH")
    circular = send(
        a_circular(world.information, institutions=[institution("LI"), institution("MOH")]), world.information
    )
    assert Message.objects.count() == 1
    page = (
        client_for("information").get(url("circular-recipients", circular.pk) + "?standing=no_address").content.decode()
    )
    assert "Alone" in page and "Known" not in page


def test_refusals_before_it_is_sent(world):
    by, moh = world.information, [institution("MOH")]
    with pytest.raises(Refused, match="Nobody would get it"):
        circulars.send(a_circular(by, institutions=moh), by=by, revision=0)
    a_contact("One", "MOH")
    with pytest.raises(Refused, match="Write the text"):
        circulars.send(a_circular(by, institutions=moh, text_sq=" "), by=by, revision=0)
    late = a_circular(by, institutions=moh, confirm_by=days_ago(1))
    with pytest.raises(Refused, match="has passed"):
        circulars.send(late, by=by, revision=0)
    circular = a_circular(by, institutions=moh)
    for person in (world.planning, world.child, world.monitoring, world.natc, world.focal_point):
        with pytest.raises(PermissionDenied):
            circulars.send(circular, by=person, revision=0)
    for person in (world.monitoring, world.natc, world.focal_point):
        with pytest.raises(PermissionDenied):
            a_circular(person)
    changed = circulars.change(circular, {"title_sq": "Tjetër"}, by=by, revision=0, institutions=moh)
    with pytest.raises(Refused, match="changed since you opened it"):
        circulars.send(changed, by=by, revision=0)
    with pytest.raises(Stale):
        circulars.change(circular, {"title_sq": "x"}, by=world.director, revision=0, institutions=moh)
    circulars.discard(changed, by=by, revision=1)
    assert not Circular.objects.filter(pk=circular.pk).exists()


def many(world, number: int, **changes) -> Circular:
    contacts = Contact.objects.bulk_create(
        Contact(full_name=f"P{index:05d}", email=f"p{index}@example.org") for index in range(number)
    )
    from stakeholders.models import ContactFunction

    ContactFunction.objects.bulk_create(
        ContactFunction(contact=one, institution=institution("MOH"), title="x") for one in contacts
    )
    circular = a_circular(world.information, institutions=[institution("MOH")], **changes)
    circulars.send(circular, by=world.information, revision=0)
    return circular


class Killed(BaseException):
    """As kill -9 leaves it: the open transaction is gone, nothing is tidied up."""


def test_a_worker_killed_in_the_middle_loses_nothing_and_sends_nothing_twice(world):
    circular = many(world, 250)

    def dies(done: int, total: int) -> None:
        if done > 150:
            raise Killed

    with pytest.raises(Killed):
        circulars.deliver(circular, dies, by=world.information)
    assert Message.objects.count() == 100 == CircularRecipient.objects.filter(mailed_at__isnull=False).count()
    assert Circular.objects.get().state == "sending"
    for _time in range(2):
        circulars.deliver(circular, nothing, by=world.information)
    assert Message.objects.count() == 250 == CircularRecipient.objects.filter(mailed_at__isnull=False).count()
    assert Message.objects.values("address").distinct().count() == 250
    assert Circular.objects.get().state == "sent"


def test_a_cancelled_sending_goes_on_where_it_was(world, monkeypatch):
    circular = many(world, 120)
    job = Job.objects.get(kind="send_circular")
    plain = circulars._mail

    def cancels(*args, **options) -> None:
        plain(*args, **options)
        if Message.objects.count() == 110:
            Job.objects.filter(pk=job.pk).update(cancel_asked_at=timezone.now())

    monkeypatch.setattr(circulars, "_mail", cancels)
    jobs.run(str(job.pk))
    monkeypatch.setattr(circulars, "_mail", plain)
    job.refresh_from_db()
    assert job.state == "cancelled" and Message.objects.count() == 100
    again = circulars.send(circular, by=world.director, revision=0)
    assert again and again.pk != job.pk
    jobs.run(str(again.pk))
    assert Message.objects.count() == 120 and Circular.objects.get().state == "sent"
    assert circulars.send(circular, by=world.director, revision=0) is None


@pytest.mark.thorough
def test_five_thousand_recipients(world):
    """Settled and queued once; the number of queries grows by the mail, not by the square."""
    circular = many(world, 5000)
    assert circular.recipients.count() == 5000
    circulars.send(circular, by=world.information, revision=0)  # pressed twice
    assert Job.objects.filter(kind="send_circular").count() == 1
    circulars.deliver(circular, nothing, by=world.information)
    assert Message.objects.count() == 5000 == circular.recipients.exclude(key_hash="").count()


def test_who_lost_the_right_meanwhile_does_not_send(world):
    circular = many(world, 3)
    job = Job.objects.get(kind="send_circular")
    job.owner.role_assignments.update(ends_on=days_ago(1), starts_on=days_ago(9))
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == "failed" and not Message.objects.filter(occasion__startswith="circular").exists()
    assert Circular.objects.get(pk=circular.pk).state == "sending"


def test_somebody_removed_between_the_button_and_the_mail_is_skipped(world):
    circular = many(world, 3)
    Contact.objects.filter(full_name="P00001").update(full_name="", email="", removed_at=timezone.now())
    circulars.deliver(circular, nothing, by=world.information)
    assert Message.objects.count() == 2 and Circular.objects.get().state == "sent"


def test_a_newsletter_is_not_mailed_to_whoever_wants_no_notices(world):
    reader = world.focal_point
    reader.mail_refused = ["notice"]
    reader.save()
    a_contact("Focal", "KP-THB", user=reader)
    for kind, mails in (("newsletter", 0), ("circular", 1)):
        send(a_circular(world.information, kind=kind, institutions=[institution("KP-THB")]), world.information)
        assert Message.objects.filter(occasion__startswith="circular ").count() == mails


def test_reminded_once_a_day_who_has_not_confirmed(world, client_for):
    circular = many(world, 3, asks_confirmation=True)
    with pytest.raises(Refused, match="was sent"):
        circulars.remind(circular, by=world.information)
    circulars.deliver(circular, nothing, by=world.information)
    circulars.confirm(circular.recipients.first())
    office = client_for("information")
    office.post(url("circular-remind", circular.pk))
    job = Job.objects.get(kind="remind_circular")
    for _time in range(2):
        circulars.deliver_reminders(circular, job.params["day"], nothing, by=world.information)
    assert Message.objects.count() == 3 + 2
    page = office.post(url("circular-remind", circular.pk), follow=True).content.decode()
    assert "reminded today already" in page and Job.objects.filter(kind="remind_circular").count() == 1
    waiting = circular.recipients.filter(confirmed_at=None)[0].contact.email
    first, reminder = Message.objects.filter(address=waiting).order_by("created_at")
    assert link_in(first) == link_in(reminder)
    with pytest.raises(PermissionDenied):
        circulars.remind(circular, by=world.planning)
    for one in circular.recipients.all():
        circulars.confirm(one)
    Job.objects.filter(kind="remind_circular").delete()
    with pytest.raises(Refused, match="has confirmed"):
        circulars.remind(circular, by=world.director)


def test_whoever_it_did_not_reach_is_counted_and_named_until_a_reminder_arrives(world, client_for):
    circular = many(world, 3, asks_confirmation=True)
    circulars.deliver(circular, nothing, by=world.information)
    lost, opened, _fine = circular.recipients.order_by("pk")
    for one, state in ((lost, "bounced"), (opened, "failed")):
        Message.objects.filter(occasion=f"circular {one.pk}").update(state=state)
    circulars.opened(opened)
    office, address = client_for("information"), url("circular-recipients", circular.pk)
    page = office.get(address + "?standing=not_delivered")
    assert [one.pk for one in page.context["page"]] == [lost.pk] and "not delivered <strong>1" in page.content.decode()
    assert lost.pk not in {one.pk for one in office.get(address + "?standing=unopened").context["page"]}
    assert "?standing=not_delivered" in office.get(circular.get_absolute_url()).content.decode()
    saved = b"".join(office.get(url("circular-recipients-export", circular.pk) + "?format=csv").streaming_content)
    rows = list(csv.DictReader(io.StringIO(saved.decode("utf-8-sig")), delimiter=","))
    assert sum(row["not delivered"] not in ("", "no", "False", "false", "0") for row in rows) == 1
    office.post(url("circular-remind", circular.pk))
    day = Job.objects.get(kind="remind_circular").params["day"]
    circulars.deliver_reminders(circular, day, nothing, by=world.information)
    assert office.get(address + "?standing=not_delivered").context["page"].object_list
    Message.objects.filter(occasion=f"circular {lost.pk} {day}").update(state="sent")
    assert not office.get(address + "?standing=not_delivered").context["page"].object_list


def test_signed_in_readers_have_it_on_their_list_and_confirm_there(world, client_for):
    a_contact("Focal", "KP-THB", user=world.focal_point)
    circular = send(a_circular(world.information, institutions=[institution("KP-THB")]), world.information)
    reader = client_for("focal_point")
    assert "to be confirmed by you" in (page := reader.get(url("circular-list")).content.decode())
    assert "pill-overdue" not in page
    for confirm_by, is_late in ((days_ago(0), False), (days_ago(1), True)):
        Circular.objects.filter(pk=circular.pk).update(confirm_by=confirm_by)
        for where in (url("circular-list"), circular.get_absolute_url(), reverse("home")):
            assert ("pill-overdue" in reader.get(where).content.decode()) is is_late
    assert "I confirm that I have read this" in reader.get(circular.get_absolute_url()).content.decode()
    copy = circular.recipients.get()
    assert copy.opened_at and copy.language == "en"
    reader.post(url("circular-confirm", circular.pk))
    copy.refresh_from_db()
    assert copy.confirmed_at
    assert "to be confirmed by you" not in reader.get(url("circular-list")).content.decode()
    assert client_for("other_focal_point").post(url("circular-confirm", circular.pk)).status_code == 404
    assert client_for("observer").get(circular.get_absolute_url()).status_code == 404
    quiet = send(
        a_circular(world.information, institutions=[institution("KP-THB")], asks_confirmation=False), world.information
    )
    with pytest.raises(Refused, match="asks for no confirmation"):
        circulars.confirm(quiet.recipients.get())


def test_the_pages_cost_the_same_for_few_and_for_many(world, client_for):
    office = client_for("information")
    circular = many(world, 60)
    addresses = [url("circular-list"), url("circular-recipients", circular.pk), circular.get_absolute_url()]
    few = []
    for address in addresses:
        office.get(address)
        with CaptureQueriesContext(connection) as caught:
            office.get(address)
        few.append(asked(caught))
    for _number in range(5):
        a_circular(world.information)
    Contact.objects.filter(full_name__startswith="P0000").update(language="en")
    for address, number in zip(addresses, few, strict=True):
        with CaptureQueriesContext(connection) as caught:
            assert office.get(address).status_code == 200
        assert asked(caught) == number


def test_a_title_without_its_text_is_not_sent(world):
    circular = a_circular(world.information, institutions=[institution("MOH")], title_sr="Naslov", text_sr="")
    with pytest.raises(Refused, match="in which there is a title needs a text"):
        circulars.send(circular, by=world.information, revision=circular.revision)
