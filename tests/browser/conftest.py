"""Chromium on the test server. Every request to another host and every complaint of the browser fails the test."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from monitoring.demo.people import PASSWORD

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
]  # fmt: skip
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright's own loop runs in this thread; Django would refuse every query beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_browser(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """`open_browser("director")` signs that person of the cast in and gives the page; what went wrong is asserted at the end."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def complain(text: str) -> None:
        complaints.append(text)

    def make(email: str | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, locale="sq", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: r.url.startswith(live_server.url) or complain(f"asked another host: {r.url}"))
        page.on("console", lambda m: m.type == "error" and "404" not in m.text and complain(f"console: {m.text}"))
        page.on("pageerror", lambda error: complain(f"script: {error}"))
        if email:
            sign_in(page, email)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "login" not in url)
    if "/factors/authenticate/" in page.url:  # the demonstration shows the code that the app would show
        shown = re.search(r"\b\d{6}\b", page.locator("#hint_id_code, #id_code_helptext, .form-text").first.inner_text())
        assert shown
        page.fill("input[name=code]", shown[0])
        page.press("input[name=code]", "Enter")
        page.wait_for_url(lambda url: "/factors/" not in url)


def assert_accessible(page: Page) -> None:
    # axe copies stylesheets that import others into the page, which our policy refuses and Django admin's forms have.
    rules = RULES | {"preload": "/admin/" not in page.url}
    found = Axe().run(page, options=rules).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == [], page.url
    assert_fits(page)


def assert_fits(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, f"{page.url} is {width} px too wide"
