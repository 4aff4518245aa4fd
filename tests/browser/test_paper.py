"""What is printed: folded parts are on paper too, states keep their shape, a sum stands once."""

from __future__ import annotations

import pytest

from tests.browser.conftest import assert_fits

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_plan_is_printed_whole_and_fits_a_phone(world, open_browser):
    page = open_browser("director@onatc.example", viewport={"width": 375, "height": 800})
    page.goto(world.plan.get_absolute_url())
    assert_fits(page)
    row = page.locator("tr", has_text="M4.4.1").first
    seen = "one => one.checkVisibility({contentVisibilityAuto: true, checkVisibilityCSS: true})"
    assert not row.evaluate(seen)
    inside = page.locator(".table-wrap:visible").first.evaluate("one => one.scrollWidth - one.clientWidth")
    assert inside <= 0  # nothing is hidden at the side
    page.emulate_media(media="print")
    assert row.evaluate(seen)
    assert not page.locator(".aside").first.is_visible()
    shape = page.locator(".pill").first.evaluate("one => getComputedStyle(one, '::before').printColorAdjust")
    assert shape == "exact"
