"""Help in the browser: keys that can be switched off (WCAG 2.1.4), words explained by keyboard and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import assert_accessible

pytestmark = pytest.mark.django_db(transaction=True)


def rest(page: Page) -> str:
    return page.url.split("/", 3)[3]


def test_keys_reach_search_and_pages_but_not_from_a_field_and_can_be_switched_off(world, open_browser):
    page = open_browser("director@onatc.example")
    field = page.locator("#site-search")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("gm?s/")
    expect(field).to_have_value("gm?s/")
    assert rest(page) == "", "what is typed in a field is text"
    field.evaluate("element => element.blur()")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/measures/")
    page.keyboard.press("Control+s")
    expect(page.locator("#site-search")).not_to_be_focused()
    page.keyboard.press("?")
    page.wait_for_url("**/help/shortcuts/")
    for key in ("/", "g", "m", "?"):
        expect(page.locator("kbd", has_text=key).first).to_be_visible()
    switch = page.get_by_role("checkbox")
    expect(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    page.goto("/")
    for key in ("?", "/", "s", "g", "m"):
        page.keyboard.press(key)
    expect(page.locator("#site-search")).not_to_be_focused()
    assert rest(page) == ""
    page.goto("/help/shortcuts/")
    expect(page.get_by_role("checkbox")).not_to_be_checked()
    page.get_by_role("checkbox").check()
    page.keyboard.press("Tab")  # out of the box
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/dashboard/")


@pytest.mark.parametrize("has_script", [True, False])
def test_a_word_is_explained_by_keyboard_and_escape_closes_it(world, open_browser, has_script):
    page = open_browser("kp-thb@demo.example", java_script_enabled=has_script, viewport={"width": 375, "height": 800})
    page.goto("/patterns/")
    word = page.locator("button.term").first
    box = page.locator(".term-box").first
    expect(box).not_to_be_visible()
    word.focus()
    page.keyboard.press("Enter")
    expect(box).to_be_visible()
    place = box.bounding_box()
    assert place is not None and place["x"] >= 0 and place["x"] + place["width"] <= 375
    page.keyboard.press("Tab")
    expect(box.get_by_role("link")).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).not_to_be_visible()
    expect(word).to_be_focused()
    if has_script:
        page.keyboard.press("Enter")
        assert_accessible(page)


def test_help_opens_without_a_script_on_a_page_and_on_a_refusal(world, open_browser):
    page = open_browser("kp-thb@demo.example", java_script_enabled=False)
    for path in ("/", "/no-such-page/", "/accounts/me/"):
        page.goto(path)
        fold = page.locator(".pagehelp")
        expect(fold).to_have_count(1)
        fold.locator("summary").press("Enter")
        expect(fold.locator("p").first).to_be_visible()


def test_a_problem_files_the_page_and_the_size_of_the_window_and_no_address(world, open_browser):
    from onatc.models import ProblemReport

    page = open_browser("kp-thb@demo.example", viewport={"width": 1024, "height": 700})
    page.goto("/measures/?q=kujtesa")
    page.locator("footer a").first.click()
    expect(page.locator("#window-size")).to_have_text("1024×700")
    page.locator("textarea").fill("Nothing happens when I press the button.")
    page.locator("main .btn-primary").click()
    expect(page.locator(".notice.success")).to_be_visible()
    problem = ProblemReport.objects.get()
    assert (problem.page, problem.window) == ("strategy:measure-list", "1024×700")
    assert "kujtesa" not in str(vars(problem))
