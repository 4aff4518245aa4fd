"""Invitation, passkey, lock-out and recovery as people meet them: two browsers, a real worker, a virtual authenticator."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from playwright.sync_api import Page, expect

from monitoring.demo.people import PASSWORD
from onatc.models import Message, TrailEntry
from stakeholders.models import Institution, Role, User
from tests.browser.conftest import assert_accessible, sign_in
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
NEW_PASSWORD = "korrik dritare shtatë lumë"


def mail_to(address: str) -> Message:
    until(lambda: Message.objects.filter(address=address).exists(), f"a mail to {address}")
    return Message.objects.filter(address=address).order_by("-created_at").first()


def path_in(message: Message) -> str:
    return re.search(r"http://localhost:8000(\S+)", message.text)[1]


def with_authenticator(page: Page) -> None:
    """A passkey of the browser's own, as a telephone or a laptop has one: it checks the person and answers at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_from_the_invitation_to_the_passkey(world, open_browser):
    User.objects.update(language="sq")
    director = open_browser("director@onatc.example")
    director.goto("/people/invite/")
    director.fill("input[name=email]", "E.Re@Example.org")
    director.fill("input[name=full_name]", "Zyrtarja e re")
    director.select_option("select[name=role]", Role.MONITORING)
    director.select_option("select[name=institution]", str(Institution.objects.get(code="ONATC").pk))
    director.get_by_role("button", name="Fto", exact=True).click()
    expect(director.locator(".notice").first).to_contain_text("Ftesa u dërgua")

    # The invitee, in her language and her own browser.
    page = open_browser()
    with_authenticator(page)
    page.goto(path_in(mail_to("e.re@example.org")))
    assert_accessible(page)
    page.get_by_role("button", name="Dërgo kodin").click()
    code = re.search(r"\d{4} \d{4}", mail_to("e.re@example.org").text)[0]
    page.fill("input[name=code]", code)
    page.fill("input[name=password1]", NEW_PASSWORD)
    page.fill("input[name=password2]", NEW_PASSWORD)
    page.get_by_role("button", name="Hap llogarinë").click()

    # Her role needs a second factor before anything else opens.
    expect(page.locator("h1")).to_have_text("Faktori i dytë")
    page.goto("/dashboard/")
    expect(page.locator("h1")).to_have_text("Faktori i dytë")
    page.get_by_role("link", name="Shto një çelës hyrjeje").click()
    assert_accessible(page)
    page.fill("input[name=name]", "Laptopi")
    page.check("input[name=passwordless]")
    page.get_by_role("button", name="Shto një çelës hyrjeje").click()
    expect(page.locator("h1")).to_have_text("Kodet e rikthimit")
    assert_accessible(page)
    page.goto("/")
    expect(page.locator(".me summary")).to_have_text("Zyrtarja e re")

    # Signed out, the passkey alone brings her in.
    page.locator(".me summary").click()
    page.get_by_role("button", name="Dil", exact=True).click()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Hyr me çelës hyrjeje").click()
    expect(page.locator(".me summary")).to_have_text("Zyrtarja e re")
    acts = set(TrailEntry.objects.values_list("act", flat=True))
    assert {"invited", "joined", "factor_added", "signed_in"} <= acts
    # The link works once.
    other = open_browser()
    other.goto("/accounts/invitation/")
    expect(other.locator("h1")).to_have_text("Kjo lidhje nuk hap asgjë")


def test_a_lock_out_ends_nobodys_work_and_a_known_browser_gets_in(world, open_browser):
    cache.clear()
    owner = open_browser("kp-thb@demo.example")
    stranger = open_browser()
    for _number in range(6):
        stranger.goto("/accounts/login/")
        stranger.fill("input[name=login]", "kp-thb@demo.example")
        stranger.fill("input[name=password]", "wrong")
        stranger.press("input[name=password]", "Enter")
        expect(stranger.locator(".error-summary")).to_be_visible()
    expect(stranger.locator(".error-summary")).to_contain_text(re.compile("Tepër përpjekje|Too many failed"))
    assert_accessible(stranger)
    owner.goto("/progress/")
    expect(owner.locator("h1")).to_be_visible()
    owner.locator(".me summary").click()
    owner.locator("form[action='/accounts/logout/'] button").click()
    sign_in(owner, "kp-thb@demo.example")
    expect(owner.locator(".me summary")).to_be_visible()


def test_a_lost_factor_is_given_back_by_two_people(world, open_browser):
    User.objects.update(language="sq")
    person = world.monitoring
    administrator = open_browser("administrator@demo.example")
    administrator.goto(f"/people/{person.pk}/recover/")
    administrator.fill("textarea[name=reason]", "Telefoni humbi.")
    administrator.get_by_role("button", name="Kërko miratim").click()
    director = open_browser("director@onatc.example")
    director.goto("/people/")
    assert_accessible(director)
    director.get_by_role("button", name="Mirato rikthimin").click()
    expect(director.locator(".notice").first).to_contain_text("Lidhja u dërgua")

    page = open_browser()
    page.goto(path_in(mail_to(person.email)))
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Rikthe llogarinë").click()
    page.fill("input[name=login]", person.email)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    expect(page.locator("h1")).to_have_text("Faktori i dytë")
    page.get_by_role("link", name="Vendos aplikacionin").click()
    assert_accessible(page)
    secret = page.locator("code").first.inner_text()
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    page.fill("input[name=code]", format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1])))
    page.get_by_role("button", name="Vendos", exact=True).click()
    expect(page.locator("h1")).to_have_text("Kodet e rikthimit")
    assert Authenticator.objects.filter(user=person, type="totp").exists()
    assert "recovered" in set(TrailEntry.objects.values_list("act", flat=True))
