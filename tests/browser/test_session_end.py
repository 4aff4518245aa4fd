"""The end of a session as its reader meets it: announced in time with and without a script, and nothing written is lost."""

from __future__ import annotations

import re
import time

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Page, expect

from onatc.models import ProblemReport
from stakeholders.models import KeptText
from tests.browser.conftest import assert_accessible, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "Butoni «Ruaj» nuk përgjigjet; ë, ç dhe 'thonjëza'."


def left_alone(page: Page, seconds: float) -> None:
    """As if the reader had done nothing for so long."""
    key = next(one["value"] for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME)
    session = SessionStore(key)
    session["seen"] = time.time() - seconds
    session["started"] = min(session.get("started", time.time()), session["seen"])
    session.save()


@pytest.mark.parametrize("script", [True, False])
def test_what_is_sent_after_the_end_is_kept_for_its_writer_alone(world, open_browser, script):
    """R9: the session ends while the form is open; sign in again, send again, and it is there."""
    page = open_browser("kp-thb@demo.example", java_script_enabled=script)
    page.goto("/help/problem/")
    page.fill("textarea[name=text]", TEXT)
    left_alone(page, 4_000)
    page.locator("main form button.btn-primary").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))
    expect(page.locator(".notice")).to_contain_text(re.compile("u ruajt|is kept"))
    kept = KeptText.objects.get()
    assert not ProblemReport.objects.exists()

    # A colleague at the same desk does not see it.
    other = open_browser("moh@demo.example")
    other.goto(f"/accounts/me/kept/{kept.pk}/")
    expect(other.locator("main")).not_to_contain_text("Butoni")

    page.fill("input[name=login]", "kp-thb@demo.example")
    page.fill("input[name=password]", "Demonstration-2026")
    page.press("input[name=password]", "Enter")
    expect(page.locator("main")).to_contain_text("Butoni «Ruaj» nuk përgjigjet")
    if script:
        assert_accessible(page)
    page.locator("main form button.btn-primary").first.click()
    expect(page.locator(".notice").first).to_be_visible()
    assert ProblemReport.objects.get().text == TEXT


def test_the_end_is_announced_and_staying_keeps_the_page(world, open_browser):
    page = open_browser("kp-thb@demo.example", viewport={"width": 375, "height": 700})
    page.goto("/help/problem/")
    expect(page.locator("#session-warning")).to_be_hidden()
    left_alone(page, settings.SESSION_IDLE_SECONDS - 200)
    page.set_extra_http_headers(
        {"HX-Request": "true"}
    )  # a look that is no sign of life, as when the page was left open
    page.goto("/help/problem/")
    page.set_extra_http_headers({})
    warning = page.locator("#session-warning")
    expect(warning).to_be_visible()
    expect(warning).to_contain_text(re.compile(r"\d\d:\d\d"))
    assert_accessible(page)
    page.fill("textarea[name=text]", TEXT)
    warning.get_by_role("button").click()
    expect(warning).to_be_hidden()
    expect(page.locator("textarea[name=text]")).to_have_value(TEXT)


def test_without_a_script_the_style_sheet_announces_it(world, open_browser):
    page = open_browser("kp-thb@demo.example", java_script_enabled=False)
    page.goto("/help/problem/")
    assert page.locator("#session-warning").evaluate("one => getComputedStyle(one).visibility") == "hidden"
    left_alone(page, settings.SESSION_IDLE_SECONDS - 200)
    page.set_extra_http_headers({"HX-Request": "true"})
    page.goto("/help/problem/")
    page.set_extra_http_headers({})
    expect(page.locator("#session-warning")).to_be_visible()
    page.fill("textarea[name=text]", TEXT)
    with page.context.expect_page() as opened:
        page.locator("#session-warning button").click()
    expect(opened.value.locator("h1")).to_have_text(re.compile("Jeni i kyçur|You are signed in"))
    expect(page.locator("textarea[name=text]")).to_have_value(TEXT)


def test_a_new_browser_gets_in_by_the_link_in_the_mailbox(world, open_browser):
    """T14: while somebody tries the account from elsewhere."""
    from django.core.cache import cache

    from tests.browser.test_accounts import mail_to, path_in

    cache.clear()
    owner = open_browser()
    for _number in range(6):
        owner.goto("/accounts/login/")
        owner.fill("input[name=login]", "kp-thb@demo.example")
        owner.fill("input[name=password]", "wrong")
        owner.press("input[name=password]", "Enter")
        expect(owner.locator(".error-summary")).to_be_visible()
    owner.locator("a[href='/accounts/browser/']").click()
    assert_accessible(owner)
    owner.fill("input[name=email]", "kp-thb@demo.example")
    owner.locator("main form button.btn-primary").click()
    expect(owner.locator(".notice")).to_be_visible()
    owner.goto(path_in(mail_to("kp-thb@demo.example")))
    assert_accessible(owner)
    owner.locator("main form button.btn-primary").click()
    sign_in(owner, "kp-thb@demo.example")
    expect(owner.locator(".me summary")).to_be_visible()
