"""The public form: who may ask what without an account, and what a program that fills forms gets."""

from __future__ import annotations

import logging
import re
import uuid
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from freezegun import freeze_time

from monitoring.queries import waiting
from onatc.models import Message
from stakeholders import calendar_sources as sources
from stakeholders.actions import enquiries as actions
from stakeholders.forms.enquiries import STAMP_SALT
from stakeholders.models import Enquiry
from tests.stakeholders.asking import an_enquiry

pytestmark = pytest.mark.django_db
URL = "/ask/"


def stamp(seconds: float = 30) -> str:
    with freeze_time(timezone.now() - timedelta(seconds=seconds)):
        return signing.dumps(str(uuid.uuid4()), salt=STAMP_SALT)


def typed(**changes):
    return {
        "sender_kind": "public", "topic": "figures", "question": "Where do I find the figures of last year?",
        "sender_name": "Somebody Sample", "sender_email": "somebody@example.org", "website": "", "stamp": stamp(),
    } | changes  # fmt: skip


@pytest.fixture
def client(world):
    return Client(HTTP_ACCEPT_LANGUAGE="en")


def test_a_question_gets_a_number_a_mail_without_content_and_nothing_else(client):
    page = client.post(URL, typed(), follow=True)
    one = Enquiry.objects.get()
    assert f"<strong>{one.label}</strong>" in page.content.decode()
    assert (one.way, one.state, one.language, one.is_suspicious) == ("web", "received", "en", False)
    assert one.subject == "Shifra dhe raporte" or one.subject  # the office's word, never the sender's
    mail = Message.objects.get(to=None)
    assert mail.address == "somebody@example.org" and one.label in mail.subject
    for part in (mail.text, mail.html, mail.subject):
        assert "figures of last year" not in part and "Somebody Sample" not in part
    assert "Somebody" not in page.request["QUERY_STRING"] and "example" not in page.request["QUERY_STRING"]


def test_the_same_form_sent_again_makes_no_second_one(client):
    form = typed()
    first, second = client.post(URL, form), client.post(URL, form | {"question": "Something else entirely?"})
    assert first.status_code == second.status_code == 302
    assert Enquiry.objects.count() == 1 and Message.objects.filter(to=None).count() == 1


def test_those_who_keep_enquiries_learn_once_that_it_came_and_of_spam_nothing(client, world):
    form = typed()
    for _time in range(2):
        client.post(URL, form)
    told = Message.objects.exclude(to=None)
    assert {one.to for one in told} == {world.director, world.planning, world.monitoring, world.information}
    assert told.count() == 4 and {one.kind for one in told} == {"notice"}
    one = told.first()
    assert Enquiry.objects.get().label in one.text and "figures of last year" not in one.text + one.html + one.subject


@pytest.mark.parametrize(
    "changes",
    [
        {"stamp": ""}, {"stamp": "x"}, {"stamp": "x:y:z"}, {"topic": ""}, {"topic": "nothing"}, {"sender_kind": "national"},
        {"question": ""}, {"question": "short"}, {"question": "x" * 4001}, {"sender_email": "no address"},
        {"sender_email": ""}, {"sender_name": "x" * 161}, {"question": "Ten\x00characters and more"},
    ],
)  # fmt: skip
def test_bad_input_is_told_and_nothing_typed_is_lost(client, changes):
    form = typed(sender_name="Somebody Sample") | changes
    page = client.post(URL, form)
    assert page.status_code == 200 and "error-summary" in page.content.decode() and not Enquiry.objects.exists()
    if "sender_name" not in changes:
        assert "Somebody Sample" in page.content.decode()


def test_a_form_that_was_open_for_long_is_sent_again_with_its_text(client):
    page = client.post(URL, typed(stamp=stamp(5 * 3600)))
    assert "Your text is still here" in page.content.decode() and not Enquiry.objects.exists()
    with freeze_time(timezone.now() + timedelta(seconds=30)):
        client.post(URL, typed(stamp=page.context["form"].data["stamp"]))
    assert Enquiry.objects.count() == 1


LINKS = "Buy: http://a.example http://b.example www.c.example"


def answered(client, form):
    """The form sent, and once more with the sum that was asked."""
    page = client.post(URL, form)
    asked = page.context["form"]
    assert asked.sum and not Enquiry.objects.exists()
    client.post(URL, form | {"sum_of": asked.signed_sum, "sum_answer": str(sum(asked.sum))})
    return page.content.decode()


def test_a_sum_is_asked_in_words_when_in_doubt_and_a_person_who_answers_it_is_believed(client):
    page = answered(client, typed(stamp=stamp(0)))
    assert re.search(r"How much is [a-z]+ plus [a-z]+\?", page)
    assert not Enquiry.objects.get().is_suspicious and Message.objects.filter(to=None).count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"question": LINKS},
        {"question": "Visit buy-now.example.com, best.shop and cheap.store/x today."},
        {"sender_name": "www.example.org"},
        {"sender_name": "Best offers at offers.top"},
    ],
)
def test_links_are_kept_apart_whatever_the_sum(client, changes):
    answered(client, typed(**changes))
    assert Enquiry.objects.get().is_suspicious and not Message.objects.exists()


def test_a_name_with_full_stops_or_an_address_of_mail_is_no_link(client):
    text = "Write to a@example.org, b@example.org, c@example.com. Who is dr.Ana?"
    client.post(URL, typed(sender_name="Dr.A.Sample", question=text, is_checked="on"))
    assert not Enquiry.objects.get().is_suspicious


SPAM = "We sell the best shoes of the town at half the price. Call 044123456 today."


@pytest.mark.parametrize(
    "again",
    [
        SPAM,
        SPAM.upper().replace(" ", "  "),
        SPAM.replace("044123456", "049765432"),
        SPAM.replace("today", "now"),
    ],
)
def test_a_text_that_came_already_is_kept_apart(client, again):
    client.post(URL, typed(question=SPAM, is_checked="on"))
    other = Client(REMOTE_ADDR="192.0.2.77")
    other.post(URL, typed(question=again, sender_email="other@example.org", is_checked="on"))
    assert list(Enquiry.objects.order_by("number").values_list("is_suspicious", flat=True)) == [False, True]
    assert Message.objects.filter(to=None).count() == 1


def test_the_same_words_after_a_month_or_with_another_year_are_a_question(client):
    with freeze_time(timezone.now() - timedelta(days=31)):
        client.post(URL, typed())
    client.post(URL, typed())
    for year in (2024, 2025):
        client.post(URL, typed(question=f"Where do I find figures of {year}?"))
    assert Enquiry.objects.count() == 4 and not Enquiry.objects.filter(is_suspicious=True).exists()


def test_what_comes_beyond_the_number_of_an_hour_is_kept_apart_from_wherever_it_comes(client, settings):
    settings.ASK_BELIEVED_AN_HOUR = 2
    questions = ("How many were identified?", "Who may visit a shelter?", "When is the next report?")
    for number, question in enumerate((questions[0], questions[0], *questions[1:])):
        Client(REMOTE_ADDR=f"192.0.2.{number + 1}").post(URL, typed(question=question))
    doubted = [False, True, False, True]  # what repeats uses up nothing
    assert list(Enquiry.objects.order_by("number").values_list("is_suspicious", flat=True)) == doubted
    with freeze_time(timezone.now() + timedelta(minutes=61)):
        client.post(URL, typed(question="Where are the forms of the office?"))
    assert not Enquiry.objects.order_by("number").last().is_suspicious


def test_what_looks_like_spam_counts_nowhere_until_somebody_says_that_it_is_none(client, client_for, world):
    one = an_enquiry(world.information, way="web", received_on=timezone.localdate() - timedelta(days=90))
    due_on = one.due_on
    Enquiry.objects.update(is_suspicious=True)
    office = client_for("information")

    def shown():
        entries = [entry.url for entry in sources._enquiries(world.information, due_on, due_on)]
        lists = [{}, {"due": "open"}, {"due": "overdue"}]
        rows = [[row.pk for row in office.get("/enquiries/", asked).context["page"]] for asked in lists]
        return [one.get_absolute_url() in entries, *((one.pk in found) for found in rows), waiting._enquiries(world.information)["open"] == 1]  # fmt: skip

    assert not any(shown()) and not Enquiry.objects.get().is_overdue
    assert "1 looks like spam" in office.get("/enquiries/").content.decode()
    assert [row.pk for row in office.get("/enquiries/", {"due": "doubtful"}).context["page"]] == [one.pk]
    actions.assign_enquiry(one, world.planning, by=world.director)
    assert all(shown()) and Enquiry.objects.get().due_on == due_on
    Enquiry.objects.update(is_suspicious=True)
    said = {"answer": "Po.", "answer_language": "sq"}
    actions.draft_answer(one, said, by=world.planning, revision=Enquiry.objects.get().revision)
    assert all(shown())  # who answers it believes it


def test_a_wrong_sum_is_kept_apart_and_nobody_is_written_to(client, client_for):
    form = typed(stamp=stamp(0))
    asked = client.post(URL, form).context["form"]
    assert client.post(URL, form | {"sum_of": asked.signed_sum, "sum_answer": "99999"}).status_code == 302
    one = Enquiry.objects.get()
    assert one.is_suspicious and one.state == "received" and not Message.objects.exists()
    page = client_for("information").get("/enquiries/", {"due": "doubtful"}).content.decode()
    assert "looks like spam" in page


def test_whoever_fills_the_hidden_field_is_kept_apart_whatever_the_sum(client):
    form = typed(website="http://spam.example")
    asked = client.post(URL, form).context["form"]
    client.post(URL, form | {"sum_of": asked.signed_sum, "sum_answer": str(sum(asked.sum))})
    assert Enquiry.objects.get().is_suspicious and not Message.objects.exists()


def test_a_forged_sum_is_asked_anew(client):
    form = typed(stamp=stamp(0), sum_of="[1,1]:x:y", sum_answer="2")
    client.post(URL, form)
    assert not Enquiry.objects.filter(is_suspicious=False).exists()


def test_data_of_a_person_is_pointed_out_first(client):
    form = typed(question="My cousin 1234567890 was taken. What may I do?")
    assert "data of a person" in client.post(URL, form).content.decode() and not Enquiry.objects.exists()
    client.post(URL, form | {"is_checked": "on"})
    assert Enquiry.objects.count() == 1


def test_an_address_gets_three_mails_a_day_and_a_network_asks_five_times_an_hour(client):
    for word in ("shelters", "reports", "training", "courts", "schools"):
        assert client.post(URL, typed(question=f"What do you know of {word}?")).status_code == 302
    assert Message.objects.filter(to=None).count() == 3 and Enquiry.objects.count() == 5
    page = client.post(URL, typed())
    assert page.status_code == 429 and "figures of last year" in page.content.decode() and Enquiry.objects.count() == 5
    other = Client(REMOTE_ADDR="192.0.2.77")
    assert other.post(URL, typed()).status_code == 302


def test_the_page_is_in_three_languages_and_in_no_cache(client):
    for language, code in (("sq", "sq"), ("sr-latn", "sr-Latn"), ("en", "en")):
        page = client.get(URL, HTTP_ACCEPT_LANGUAGE=language)
        assert f'<html lang="{code}">' in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
    assert "sessionid" not in client.cookies


def test_another_site_cannot_send_it(world):
    assert Client(enforce_csrf_checks=True).post(URL, typed()).status_code == 403 and not Enquiry.objects.exists()


def test_what_was_typed_reaches_no_log(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client.post(URL, typed(question="A very special sentence to look for."))
        client.post(URL, typed(question="short"))
    assert "special sentence" not in caplog.text and "somebody@example.org" not in caplog.text


def test_the_confirmation_tells_nobody_elses_number(client):
    for number in ("", "1/2026", "x:y:z"):
        page = client.get("/ask/done/", {"number": number})
        assert page.status_code == 200 and "too old" in page.content.decode()
    assert client.post("/ask/done/").status_code == 405


def test_what_everybody_may_open_does_not_say_that_it_is_for_internal_use(client):
    signing_in = client.get("/accounts/login/").content.decode()
    assert "For internal use" in signing_in and f'href="{URL}"' in signing_in
    for page in (URL, "/ask/done/"):
        assert "For internal use" not in client.get(page).content.decode()
