"""The whole life of a plan in Serbian, by seven people in their browsers: drafted, consulted on by three institutions, adopted,
reported on in two rounds, found to be otherwise by a check, amended; and its whole story on one page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from onatc.periods import Period
from stakeholders.models import User
from strategy.models import Comment, Measure, Plan, PlanVersion, ProgressEntry, Proposal, Round, VersionState
from tests.browser.conftest import assert_accessible
from tests.browser.walking import In, fill

pytestmark = pytest.mark.django_db(transaction=True)

PLANNER, DIRECTOR, OFFICER = "planning@onatc.example", "director@onatc.example", "monitoring@onatc.example"
POLICE, HEALTH, ADVOCATES = "kp-thb@demo.example", "moh@demo.example", "vpao@demo.example"


sr = In("sr-latn")
press, follow = sr.press, sr.follow


@pytest.fixture
def in_serbian(world):
    User.objects.update(language="sr-latn")
    return world


@pytest.mark.thorough
def test_the_whole_life_of_a_plan_in_serbian(in_serbian, open_browser):
    now = Period.quarter_of(timezone.localdate())
    first, second = now.previous().previous(), now.previous()
    people: dict[str, Page] = {}

    def sees(email: str) -> Page:
        if email not in people:
            people[email] = open_browser(email)
        return people[email]

    # The planning officer writes a plan of one goal, one objective, two measures and an indicator.
    planner = sees(PLANNER)
    planner.goto("/plans/new/")
    fill(
        planner, code="AP-ZIVOT", kind="national", title_sq="Plani i provës", title_sr="Probni plan",
        starts_on=first.start.isoformat(), ends_on=(now.end + timedelta(days=300)).isoformat(),
    )  # fmt: skip
    press(planner, "Save")
    plan = Plan.objects.get(code="AP-ZIVOT")
    draft = plan.versions.get()
    planner.goto(f"/drafts/{draft.pk}/")
    follow(planner, "Add a goal")
    fill(planner, code="C1", title_sq="Parandalimi", title_sr="Prevencija")
    press(planner, "Save")
    planner.goto(f"/drafts/{draft.pk}/")
    planner.get_by_role("link", name=sr("Add an objective to %(code)s") % {"code": "C1"}).click()
    fill(planner, code="C1.1", title_sq="Informimi", title_sr="Informisanje")
    press(planner, "Save")
    for code, lead, title in (("M1", "KP-THB", "Obuka policije"), ("M2", "MOH", "Obuka zdravstva")):
        planner.goto(f"/drafts/{draft.pk}/")
        planner.get_by_role("link", name=sr("Add a measure to %(code)s") % {"code": "C1.1"}).click()
        fill(planner, code=code, lead=lead, title_sq=f"{title} sq", title_sr=title)
        press(planner, "Save")
    measure = Measure.objects.get(version=draft, code="M1")
    planner.goto(f"/measures/{measure.pk}/indicators/new/")
    fill(planner, name_sq="Trajnime", name_sr="Obuke", unit="number", baseline="0")
    press(planner, "Save")
    assert measure.indicators.count() == 1

    # Three institutions are consulted: two remark, the third signs that it has nothing to remark.
    planner.goto(f"/plans/versions/{draft.pk}/consult/")
    invited = {code: str(pk) for code, pk in _institutions("KP-THB", "MOH", "VPAO").items()}
    while planner.locator("input[name=members]:checked").count():
        planner.locator("input[name=members]:checked").first.uncheck()
    for details in planner.locator("details:not([open]) > summary").all():
        if details.is_visible() and details.inner_text().strip() == sr("Invite others"):
            details.click()
    for pk in invited.values():
        planner.locator(f"input[name=members][value='{pk}'], input[name=others][value='{pk}']").check()
    press(planner, "Open the consultation")
    consultation = draft.consultations.get()
    assert consultation.invitations.count() == 3
    police = sees(POLICE)
    police.goto(f"/consultations/{consultation.pk}/comment/?measure={measure.pk}&field=title_sr")
    fill(police, field="title_sr", text="Treba reći koliko ljudi.", proposed="Obuka sto policajaca")
    press(police, "Send to the office")
    health = sees(HEALTH)
    health.goto(f"/consultations/{consultation.pk}/comment/")
    fill(health, text="Rokovi su kratki.")
    press(health, "Send to the office")
    advocates = sees(ADVOCATES)
    advocates.goto("/")
    expect(advocates.locator("main")).to_contain_text("Probni plan")
    advocates.goto(f"/consultations/{consultation.pk}/")
    assert_accessible(advocates)
    follow(advocates, "Nothing to remark")
    advocates.locator("main form button.btn").first.click()
    assert consultation.invitations.filter(answered_at__isnull=False).count() == 1
    assert Comment.objects.count() == 2

    # The draft is closed meanwhile; afterwards each comment is answered with a reason, and the answers are published.
    planner.goto(f"/drafts/{draft.pk}/")
    expect(planner.locator("main .notice.warning")).to_be_visible()
    planner.goto(f"/consultations/{consultation.pk}/close/")
    press(planner, "Close the consultation")
    for comment, answer in (
        (Comment.objects.get(measure=measure), "accepted"),
        (Comment.objects.get(measure=None), "rejected"),
    ):
        planner.goto(f"/comments/{comment.pk}/answer/")
        planner.locator(f"[name=answer][value={answer}]").check()
        fill(planner, reason="Jer je tako bolje.")
        planner.locator("button[name=save]").click()
    taken = Comment.objects.get(measure=measure)
    planner.goto(f"/comments/{taken.pk}/take-over/")
    planner.locator("main form button.btn").first.click()
    measure.refresh_from_db()
    assert measure.title_sr == "Obuka sto policajaca"
    planner.goto(f"/consultations/{consultation.pk}/publish/")
    press(planner, "Publish the answers")
    police.goto(f"/consultations/{consultation.pk}/answers/")
    expect(police.locator("main")).to_contain_text("Jer je tako bolje.")
    assert_accessible(police)

    # The Director records the decision; from then on the database refuses any change.
    director = sees(DIRECTOR)
    adopt(director, draft, "07/2026")
    assert PlanVersion.objects.get(pk=draft.pk).state == VersionState.ADOPTED

    # Two rounds: reported, accepted, closed; the check of the first finds it otherwise.
    report_on(planner, police, plan, first, "Obučeno je deset policajaca.", "10")
    entry = ProgressEntry.objects.get(request__round__plan=plan, request__measure=measure)
    officer = sees(OFFICER)
    officer.goto(f"/progress/{entry.pk}/")
    press(officer, "Accept")
    close(planner, plan, first)
    director.goto(f"/progress/{entry.pk}/verify/")
    director.locator("[name=finding][value=not]").check()
    fill(director, text="Spisak ima samo četiri imena.", measure_state="planned")
    director.locator("[name^=value_]").first.fill("4")
    press(director, "Record the finding")
    entry.refresh_from_db()
    assert (entry.finding, entry.verified_measure_state, entry.measure_state) == ("not", "planned", "under_way")
    police.goto(measure.get_absolute_url())
    expect(police.locator("main")).to_contain_text("prijavljeno „u toku sprovođenja“, nađeno „nije započeto“")
    assert_accessible(police)

    # An institution proposes a change; the Director decides; it goes into an amendment, which is adopted.
    police.goto(f"/proposals/new/?measure={measure.pk}")
    fill(police, text="Sto je previše.", field="title_sr", proposed="Obuka pedeset policajaca")
    press(police, "Submit the proposal")
    proposal = Proposal.objects.get(measure=measure)
    director.goto(f"/proposals/{proposal.pk}/decide/")
    director.locator("[name=decision][value=accept]").check()
    fill(director, reason="Slažemo se.")
    director.locator("main form button.btn-primary").first.click()
    planner.goto(f"/plans/{plan.pk}/amend/")
    planner.locator("main form button.btn-primary").first.click()
    amendment = plan.versions.get(state=VersionState.DRAFT)
    renamed = Measure.objects.get(version=amendment, lineage=measure.lineage)
    planner.goto(f"/drafts/measures/{renamed.pk}/edit/")
    fill(planner, title_sr="Obuka pedeset policajaca")
    press(planner, "Save")
    planner.goto(f"/plans/{plan.pk}/compare/?to={amendment.number}")
    expect(planner.locator("main ins").first).to_contain_text("pedeset")
    assert_accessible(planner)
    adopt(director, amendment, "09/2026")
    proposal.refresh_from_db()
    assert (proposal.state, proposal.amendment_id) == ("enacted", amendment.pk)

    report_on(planner, police, plan, second, "Obučeno je još pet.", "15", code="M1")
    later = ProgressEntry.objects.exclude(pk=entry.pk).get(request__round__plan=plan)
    assert later.request.measure_title_sr == "Obuka pedeset policajaca"
    entry.request.refresh_from_db()
    assert entry.request.measure_title_sr == "Obuka sto policajaca"  # an accepted round never changes
    officer.goto(f"/progress/{later.pk}/")
    press(officer, "Accept")
    planner.goto(f"/measures/{renamed.pk}/story/")
    for said in ("07/2026", "09/2026"):
        expect(planner.locator("main")).to_contain_text(said)
    assert_accessible(planner)
    planner.set_viewport_size({"width": 375, "height": 800})
    assert_accessible(planner)


def _institutions(*codes: str) -> dict[str, Any]:
    from stakeholders.models import Institution

    return dict(Institution.objects.filter(code__in=codes).values_list("code", "pk"))


def adopt(page: Page, version: PlanVersion, number: str) -> None:
    page.goto(f"/plans/versions/{version.pk}/adopt/")
    fill(
        page,
        adopted_by=str(_institutions("NATC")["NATC"]),
        adopted_on=timezone.localdate().isoformat(),
        decision_reference=number,
    )
    press(page, "Put in force")
    expect(page.locator(".notice").first).to_be_visible()


def report_on(planner: Page, focal: Page, plan: Plan, period: Period, said: str, value: str, code: str = "M1") -> None:
    """A round is scheduled and opened; the institution reports on its measure."""
    planner.goto("/rounds/new/")
    fill(planner, plan=str(plan.pk), period=period.label, due_on=(timezone.localdate() + timedelta(days=9)).isoformat())
    press(planner, "Schedule")
    found = Round.objects.get(plan=plan, starts_on=period.start)
    planner.goto(f"/rounds/{found.pk}/open/")
    press(planner, "Open the round")
    focal.goto("/progress/")
    focal.get_by_role("button", name=re.compile(rf"(?:^|\s){code}(?:\s|$)")).first.click()
    focal.locator("textarea[name=done]").fill(said)
    focal.locator("input[name=measure_state][value=under_way]").check()
    focal.locator("input[name^=value_]").first.fill(value)
    focal.locator("button[name=submit]").click()
    expect(focal.locator(".notice").first).to_be_visible()


def close(planner: Page, plan: Plan, period: Period) -> None:
    planner.goto(f"/rounds/{Round.objects.get(plan=plan, starts_on=period.start).pk}/close/")
    press(planner, "Close the round")
