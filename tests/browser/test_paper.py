"""What is printed: folded parts are on paper too, states keep their shape, a sum stands once."""

from __future__ import annotations

import io

import pikepdf
import pytest
from django.urls import reverse

from stakeholders.actions import meetings
from tests.browser.conftest import assert_fits
from tests.stakeholders.meeting_steps import a_called_meeting, a_full_body

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


def test_a_wide_table_has_its_title_on_the_same_wide_sheet(world, open_browser):
    page = open_browser("director@onatc.example")
    page.goto(reverse("stakeholders:agreement-matrix"))
    with pikepdf.open(io.BytesIO(page.pdf(prefer_css_page_size=True))) as paper:
        _left, _bottom, width, height = paper.pages[0].mediabox
        assert width > height


def test_a_word_without_an_end_does_not_widen_a_telephone(world, open_browser):
    meeting = a_called_meeting(world.planning, a_full_body())
    meetings.cancel_meeting(meeting, by=world.planning, reason="x" * 400)
    page = open_browser("director@onatc.example", viewport={"width": 375, "height": 800})
    page.goto(meeting.get_absolute_url())
    assert_fits(page)
