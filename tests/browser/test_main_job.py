"""The main job across four accounts in Albanian: asked, logged, returned, accepted, seen, reported, issued."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import expect

from onatc.models import Code, Job, JobState
from stakeholders.models import User
from strategy.models import ProgressEntry
from tests.browser.conftest import assert_accessible, assert_fits
from tests.processes import until, worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def in_albanian(world):
    User.objects.update(language="sq")
    return world


def test_the_main_job_from_the_round_to_the_issued_report(in_albanian, open_browser):
    assert django_settings.LANGUAGE_CODE == "sq"
    # The institution finds what it owes and reports on one measure.
    focal = open_browser("kp-thb@demo.example")
    expect(focal.locator(".headline")).to_contain_text("Institucioni juaj duhet të dorëzojë")
    focal.get_by_role("button", name=re.compile("Raporto|Për raportim|M1.2.3")).and_(
        focal.get_by_role("button", name=re.compile("M1.2.3"))
    ).click()
    focal.get_by_label("Çfarë u bë").fill("U kryen tri operacione të përbashkëta.")
    focal.locator("input[name^=value_]").fill("12")
    focal.locator("[name^=note_]").fill("Nuk u mblodh sipas ndarjes.")
    focal.set_input_files(
        "input[name=evidence]", {"name": "lista.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    )
    focal.get_by_role("button", name="Dorëzo", exact=True).click()
    expect(focal.locator(".notice")).to_contain_text("U dorëzua")

    # The secretariat returns it with a comment; the institution sees the reason first and submits again.
    officer = open_browser("monitoring@onatc.example")
    officer.get_by_role("link", name=re.compile("dorëzim për shqyrtim")).click()
    officer.get_by_role("link", name=re.compile("M1.2.3")).click()
    officer.get_by_label("Çfarë duhet të ndryshojë institucioni?").fill("Në cilat rajone?")
    officer.get_by_role("button", name="Kthe", exact=True).click()
    focal.goto("/")
    expect(focal.locator("main")).to_contain_text("Në cilat rajone?")
    focal.get_by_role("link", name=re.compile("Vazhdo.*M1.2.3")).click()
    focal.get_by_label("Çfarë u bë").fill("U kryen tri operacione në Prishtinë, Pejë dhe Prizren.")
    focal.get_by_role("button", name="Dorëzo", exact=True).click()
    expect(focal.locator(".notice")).to_contain_text("U dorëzua")
    officer.goto("/progress/")
    officer.get_by_role("link", name=re.compile("M1.2.3")).click()
    officer.get_by_role("button", name="Prano", exact=True).click()
    expect(officer.locator(".notice")).to_contain_text("U pranua")
    assert ProgressEntry.objects.get().state == "accepted"

    # The planning officer drafts the report; a real worker writes it.
    planner = open_browser("planning@onatc.example")
    with worker():
        planner.goto("/reports/new/")
        planner.get_by_label("Periudha").fill(in_albanian.round.period.label)
        planner.get_by_role("button", name="Harto").click()
        expect(planner.locator("h1")).to_contain_text("Raport periodik për Qeverinë")
        until(lambda: Job.objects.filter(state=JobState.DONE).count() == 1, "the PDF files are made")
        planner.reload()
        expect(planner.get_by_role("link", name=re.compile(r"-sq\.pdf"))).to_be_visible()

        # The Coordinator sees where the country stands and issues the report.
        natc = open_browser("natc@onatc.example")
        expect(natc.locator("h1")).to_have_text("A është vendi sipas planit?")
        expect(natc.locator(".headline")).to_contain_text("masa janë sipas planit")
        natc.locator("main").get_by_role("link", name=re.compile("Raport periodik")).first.click()
        natc.get_by_role("link", name="Lësho raportin").click()
        natc.get_by_role("button", name="Lësho raportin").click()
        until(lambda: Job.objects.filter(state=JobState.DONE).count() == 2, "the report is issued")
        expect(natc.get_by_role("link", name="Te rezultati")).to_be_visible(timeout=15_000)
        natc.get_by_role("link", name="Te rezultati").click()
    expect(natc.locator(".pill").first).to_have_text("i lëshuar")
    with natc.expect_download() as download:
        natc.get_by_role("link", name=re.compile(r"-sq\.pdf")).click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def test_drafts_are_saved_while_one_writes(in_albanian, open_browser):
    page = open_browser("kp-thb@demo.example")
    page.get_by_role("button", name=re.compile("M1.2.3")).click()
    page.wait_for_url("**/edit/", wait_until="load")  # the script listens from now on
    page.get_by_label("Çfarë u bë").press_sequentially("Po shkruaj.")
    expect(page.locator("#saved")).to_contain_text("Drafti u ruajt", timeout=15_000)
    assert ProgressEntry.objects.get().done == "Po shkruaj."
    page.get_by_role("button", name="Ruaj si draft").click()
    expect(page.locator(".notice")).to_contain_text("U ruajt si draft")


def test_without_javascript_and_with_the_keyboard_alone_a_report_is_submitted(in_albanian, open_browser):
    page = open_browser(java_script_enabled=False, viewport={"width": 375, "height": 800})
    page.goto("/accounts/login/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("input[name=login]").focus()
    page.keyboard.type("kp-thb@demo.example")
    page.keyboard.press("Tab")
    page.keyboard.type("Demonstration-2026")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("M1.2.3")).focus()
    page.keyboard.press("Enter")
    page.locator("input[name^=value_]").focus()
    page.keyboard.type("5")
    page.locator("[name^=note_]").focus()
    page.keyboard.type("Pa ndarje.")
    page.locator("textarea[name=done]").focus()
    page.keyboard.type("Me tastierë.")
    page.get_by_role("button", name="Dorëzo", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("U dorëzua")
    assert ProgressEntry.objects.get().state == "submitted"


PAGES = {
    "director@onatc.example": [
        "/", "/plans/", "/measures/", "/progress/", "/rounds/", "/rounds/new/", "/imports/", "/imports/new/",
        "/institutions/", "/dashboard/", "/reports/", "/reports/new/", "/help/signals/", "/accounts/password/change/", "/accounts/me/", "/accounts/me/mails/", "/accounts/me/deputies/new/",
        "/accounts/factors/", "/people/", "/people/invite/", "/settings/", "/settings/due_days/", "/status/", "/search/?q=masa",
        "/trail/",
        "/help/first-week/", "/help/glossary/", "/help/shortcuts/", "/help/problem/?from=home", "/help/problems/", "/patterns/",
    ],
    "natc@onatc.example": ["/", "/dashboard/"],
    "kp-thb@demo.example": ["/", "/progress/", "/measures/"],
    "observer@demo.example": ["/", "/dashboard/"],
    "administrator@demo.example": [
        "/", "/status/", "/mails/", "/admin/", "/admin/onatc/code/", "/admin/onatc/code/add/", "/admin/onatc/job/",
        "/admin/onatc/message/", "/admin/stakeholders/user/",
        "/admin/stakeholders/institution/", "/admin/stakeholders/institution/add/", "/admin/stakeholders/roleassignment/",
    ],
}  # fmt: skip


@pytest.mark.thorough
def test_every_page_passes_axe_and_fits(in_albanian, open_browser):
    """WCAG 2.2 AA in a usual window; nothing to be scrolled sideways at 320 px (1.4.10)."""
    from strategy.models import Measure, PlanImport
    from tests.strategy.steps import accepted, drafted, submitted

    world = in_albanian
    done = accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    waiting = submitted(world.request("M2.2.1"), world.focal_point)
    draft = drafted(world.request("M2.2.2"), world.focal_point)
    code = Code.objects.of("sex")[0]
    records = {
        "director@onatc.example": [
            world.plan, world.round, done, waiting, Measure.objects.get(pk=done.request.measure_id), done.request.institution,
            PlanImport.objects.get(),
        ],
    }  # fmt: skip
    extra = {
        "kp-thb@demo.example": [f"/progress/{draft.pk}/edit/"],
        "director@onatc.example": [f"/rounds/{world.round.pk}/close/", f"/people/{world.observer.pk}/"],
        "administrator@demo.example": [f"/admin/onatc/code/{code.pk}/{page}/" for page in ("change", "history")],
    }
    wide, narrow = {"width": 1280, "height": 800}, {"width": 320, "height": 800}

    def look(page):
        assert_accessible(page)
        page.set_viewport_size(narrow)
        assert_fits(page)
        page.set_viewport_size(wide)

    anonymous = open_browser(viewport=wide)
    for path in ("/accounts/login/", "/accounts/password/reset/"):
        anonymous.goto(path)
        look(anonymous)
    for email, paths in PAGES.items():
        page = open_browser(email, viewport=wide)
        for path in [*paths, *extra.get(email, []), *(one.get_absolute_url() for one in records.get(email, []))]:
            response = page.goto(path)
            assert response is not None and response.status == 200, path
            look(page)
