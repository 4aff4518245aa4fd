"""What a person does on a page, by the words of their language."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.translation import gettext, pgettext
from playwright.sync_api import Page


class In:
    """Pages in one language: `sr = In("sr-latn")`; a message that is not translated fails."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, message: str, context: str = "") -> str:
        with translation.override(self.language):
            translated = pgettext(context, message) if context else gettext(message)
        assert translated != message, f"not translated: {message}"
        return translated

    def press(self, page: Page, message: str) -> None:
        page.locator("main").get_by_role("button", name=self(message), exact=True).first.click()

    def follow(self, page: Page, message: str) -> None:
        page.get_by_role("link", name=self(message)).first.click()


def fill(page: Page, **values: Any) -> None:
    for name, value in values.items():
        field = page.locator(f"[name={name}]").first
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
