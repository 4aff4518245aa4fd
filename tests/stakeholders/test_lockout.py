"""Failed tries: counted, bounded, and of no use to keep a colleague out (threats T13, T14)."""

from __future__ import annotations

import re

import pytest
import redis
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import SESSION_KEY, hashers
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.demo.people import PASSWORD
from onatc.models import Message, TrailEntry
from stakeholders.accounts import AccountAdapter, demonstration_code
from stakeholders.actions import accounts
from stakeholders.browsers import DEVICE_COOKIE
from stakeholders.models import Recovery
from tests.stakeholders.test_accounts import browser, link_in, mail_to, offer, password_sign_in

pytestmark = pytest.mark.django_db

REPORTER = "kp-thb@demo.example"


def keys() -> list[str]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    return [key.decode() for key in client.scan_iter(match="*allauth:rl*", count=1000)]


def known_browser(email: str = REPORTER):
    """Somebody's own browser: signed in once, and out again."""
    own = browser()
    password_sign_in(own, email)
    assert own.get("/").status_code == 200
    own.post(reverse("account_logout"))
    return own


@pytest.mark.thorough
def test_ten_thousand_failed_tries_from_a_thousand_addresses(world):
    """T14; bad input. Through the limiter itself, with its real counts in Valkey: of 10,000 tries five reach the password,
    what is counted stays small and ends by itself, the trail stays as it was, and the owner gets in all the while."""
    own = known_browser()
    cache.clear()
    entries = TrailEntry.objects.count()
    adapter, factory, reached = AccountAdapter(), RequestFactory(), 0
    for number in range(10_000):
        request = factory.post("/", REMOTE_ADDR=f"10.{number % 1000 // 250}.{number % 250}.9")
        request.COOKIES = {}
        with context.request_context(request):
            try:
                adapter.pre_authenticate(request, email=REPORTER, password="wrong")
                reached += 1
            except ValidationError:
                pass
    assert reached == 5
    counted = keys()
    # One key a network address, one for the account; each holds at most twenty moments and goes by itself.
    assert len(counted) <= 1_001
    client = redis.Redis.from_url(settings.REDIS_URL)
    assert all(0 < client.ttl(key) <= 300 for key in counted)
    assert max(client.memory_usage(key) for key in counted) < 1_024
    assert TrailEntry.objects.count() == entries
    # From a new browser even the right password waits; from the owner's own it opens.
    assert "Too many failed attempts" in password_sign_in(browser(), REPORTER).content.decode()
    assert password_sign_in(own, REPORTER).status_code == 302 and SESSION_KEY in own.session


def test_a_new_browser_of_the_owner_gets_in_by_a_link_to_the_mailbox(world):
    """T14, T8: the link shows a page first, opens one browser once, and the password is asked for as ever."""
    for number in range(8):
        password_sign_in(browser(REMOTE_ADDR=f"10.8.{number}.1"), REPORTER, "wrong")
    new = browser(REMOTE_ADDR="10.8.99.1")
    page = password_sign_in(new, REPORTER).content.decode()
    assert "Too many failed attempts" in page and reverse("browser-link") in page
    new.post(reverse("browser-link"), {"email": REPORTER.upper()})
    link = link_in(mail_to(REPORTER))
    page = new.get(link, follow=True)
    assert "This is my browser" in page.content.decode() and DEVICE_COOKIE not in new.cookies
    assert new.post(reverse("browser-link-use")).url == reverse("account_login")
    assert SESSION_KEY not in new.session  # no right follows from it
    assert password_sign_in(new, REPORTER, "wrong").status_code == 200
    assert password_sign_in(new, REPORTER).status_code == 302 and SESSION_KEY in new.session
    other = browser()
    assert other.get(link, follow=True).status_code == 404  # used once


def test_whoever_knows_the_password_cannot_keep_the_owner_out_at_the_second_step(world):
    """T14: wrong codes from elsewhere lock neither the owner's browser nor a passkey."""
    person = world.director
    own = browser()
    password_sign_in(own, person.email)
    own.post(reverse("mfa_authenticate"), {"code": demonstration_code(person)})
    assert own.get("/").status_code == 200
    own.post(reverse("account_logout"))
    for number in range(7):
        thief = browser(REMOTE_ADDR=f"10.7.{number}.1")
        password_sign_in(thief, person.email)
        page = thief.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    assert "Too many failed attempts" in page and reverse("browser-link") in page
    password_sign_in(own, person.email)
    assert own.post(reverse("mfa_authenticate"), {"code": demonstration_code(person)}).status_code == 302
    assert SESSION_KEY in own.session
    assert not [key for key in keys() if str(person.pk) in key]  # nothing personal in the names


def test_success_at_the_second_step_does_not_wipe_the_count_of_the_network(world):
    """allauth 65.8.1: one who signs in properly now and then guesses no faster."""
    person = world.director
    for number in range(25):
        password_sign_in(browser(), f"nobody{number}@demo.example", "wrong")
    own = browser()
    password_sign_in(own, person.email)
    own.post(reverse("mfa_authenticate"), {"code": demonstration_code(person)})
    assert "Too many" in password_sign_in(browser(), "nobody99@demo.example", "wrong").content.decode()


def test_each_known_browser_has_a_count_of_its_own(world):
    first, second = known_browser(), known_browser()
    for _number in range(12):
        page = password_sign_in(first, REPORTER, "wrong").content.decode()
    assert "Too many" in page
    assert password_sign_in(second, REPORTER).status_code == 302 and SESSION_KEY in second.session


def test_a_forged_mark_is_no_known_browser(world):
    for number in range(6):
        password_sign_in(browser(REMOTE_ADDR=f"10.6.{number}.1"), REPORTER, "wrong")
    forged = browser()
    forged.cookies[DEVICE_COOKIE] = "WyJ4IiwieSJd:1abcde:forged"
    assert "Too many" in password_sign_in(forged, REPORTER).content.decode()


def test_a_recovery_link_is_used_up_by_wrong_passwords_in_whichever_browser(world):
    recovery = accounts.ask_recovery(world.monitoring, by=world.administrator, reason="lost")
    accounts.approve_recovery(recovery, by=world.director)
    link = link_in(mail_to("monitoring@onatc.example"))
    for _number in range(5):
        client = browser()
        client.get(link)
        page = client.post(reverse("recovery"), {"password": "wrong"}).content.decode()
    assert "Too many tries" in page and not Recovery.objects.get().is_open
    client = browser()
    client.get(link)
    assert client.post(reverse("recovery"), {"password": PASSWORD}).status_code == 404
    assert Authenticator.objects.filter(user=world.people["monitoring"]).exists()


def test_the_code_of_an_invitation_cannot_be_burnt_for_good(world):
    """Whoever holds a forwarded link uses up a code, not the invitation; the office sends another link."""
    invitation = offer(world)
    stranger = browser()
    stranger.get(link_in(mail_to(invitation.email)))
    stranger.post(reverse("invitation"), {"send": "1"})
    for number in range(6):
        stranger.post(reverse("invitation"), {"code": f"{number:08d}", "password1": PASSWORD + "ë", "password2": PASSWORD + "ë"})  # fmt: skip
    invitation.refresh_from_db()
    accounts.send_again(invitation, by=world.director)
    assert stranger.get(reverse("invitation")).status_code == 404  # the former link opens nothing
    owner = browser()
    assert owner.get(link_in(mail_to(invitation.email)), follow=True).status_code == 200


# T13: known and unknown addresses


ASKED = [
    ("account_login", {"login": "{}", "password": "wrong"}),
    ("account_reset_password", {"email": "{}"}),
    ("browser-link", {"email": "{}"}),
]


@pytest.mark.parametrize(("name", "fields"), ASKED)
def test_known_and_unknown_addresses_get_the_same_answer_and_the_same_work(world, monkeypatch, name, fields):
    """T13: status, text, number of mails, of password hashes and of queries; the time is measured by bench_sign_in.py."""
    found = []
    made = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda self, *args: made.append(1) or encode(self, *args))
    for address in (REPORTER, "nobody@demo.example"):
        cache.clear()
        made.clear()
        client = browser()
        before = Message.objects.count()
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(
                reverse(name), {key: value.format(address) for key, value in fields.items()}, follow=True
            )
        page = re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', "", answer.content.decode()).replace(address, "")
        found.append((answer.status_code, answer.redirect_chain, page, Message.objects.count() - before, len(made)))
        found[-1] += (len(queries),) if name == "account_login" else ()
    assert found[0] == found[1]


def test_the_link_goes_to_the_address_on_record(world):
    """Other Unicode forms of an address reach the account's mailbox, and nobody else's (CVE-2026-97764)."""
    browser().post(reverse("browser-link"), {"email": "ＫＰ-thb@demo.example"})
    assert Message.objects.get(subject="Let your browser in").address == REPORTER
