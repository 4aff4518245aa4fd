"""From calling the National Authority to an action point that becomes progress on a measure, in Albanian, by five people."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from onatc.models import Message
from stakeholders.models import ActionPoint, Attendee, Decision, Meeting, MinutesState, User
from strategy.models import EntryState, ProgressEntry
from tests.browser.conftest import assert_accessible
from tests.browser.walking import In, fill
from tests.stakeholders.cooperation import a_body, a_contact, a_seat

pytestmark = pytest.mark.django_db(transaction=True)

PLANNER, DIRECTOR, OFFICER = "planning@onatc.example", "director@onatc.example", "monitoring@onatc.example"
POLICE, HEALTH = "kp-thb@demo.example", "moh@demo.example"
sq = In("sq")


@pytest.fixture
def authority(world):
    User.objects.update(language="sq")
    office = world.director
    body = a_body(office, "AUTHORITY", kind="authority", name_sq="Autoriteti Kombëtar", meets_every_months=3)
    a_seat(body, office, at="NATC", function="chair", person=a_contact(office, "Kryesuesi", at="NATC", user=world.natc))
    police = a_contact(office, "Anëtari i policisë", at="KP-THB", user=world.focal_point)
    a_seat(body, office, at="KP-THB", person=police, deputy=a_contact(office, "Zëvendësja", at="KP-THB"))
    a_seat(body, office, at="MOH", person=a_contact(office, "Anëtari i shëndetësisë", at="MOH", email="moh@x.example"))
    return body


def test_the_authority_is_called_and_what_it_decides_becomes_progress(world, authority, open_browser):
    people: dict[str, Page] = {}

    def sees(email: str) -> Page:
        if email not in people:
            people[email] = open_browser(email)
        return people[email]

    measure = world.request().measure

    # The planning officer prepares a meeting of tomorrow; a wrong hour is named at its field and nothing is lost.
    planner, tomorrow = sees(PLANNER), timezone.localdate() + timedelta(days=1)
    planner.goto("/meetings/new/")
    fill(
        planner, body=str(authority.pk), title_sq="Mbledhja e rregullt e Autoritetit", place="Prishtinë",
        starts_at=f"{tomorrow}T10:00", ends_at=f"{tomorrow}T09:00",
    )  # fmt: skip
    sq.press(planner, "Save")
    expect(planner.locator("main")).to_contain_text(sq("The meeting must end after it begins."))
    assert planner.locator("[name=title_sq]").input_value() == "Mbledhja e rregullt e Autoritetit"
    fill(planner, ends_at=f"{tomorrow}T12:00")
    sq.press(planner, "Save")
    expect(planner).to_have_url(re.compile(r"/meetings/[0-9a-f-]{36}/$"))
    meeting = Meeting.objects.get()
    planner.goto(f"/meetings/{meeting.pk}/agenda/add/")
    fill(planner, kind="decision", title_sq="Regjistri i rasteve")
    sq.press(planner, "Save")
    planner.goto(f"/meetings/{meeting.pk}/call/")
    sq.press(planner, "Call the meeting")
    expect(planner.locator("main")).to_contain_text("Anëtari i policisë")
    assert Attendee.objects.filter(meeting=meeting).count() == 4

    # The ministry answers by the link of the mail, without signing in; the police on the meeting's page.
    mail = Message.objects.get(address="moh@x.example")
    assert "METHOD:REQUEST" in mail.calendar
    link = re.search(r"/answer/[^\s<]+", mail.text)
    assert link
    stranger = open_browser()
    stranger.goto(link[0])
    assert_accessible(stranger)
    stranger.locator("button[name=answer][value=no]").click()
    expect(stranger.locator("main")).to_contain_text(sq("does not come", "invitation"))
    police = sees(POLICE)
    police.goto(f"/meetings/{meeting.pk}/")
    police.locator("button[name=answer][value=yes]").click()
    police.wait_for_load_state()
    answers = dict(Attendee.objects.filter(meeting=meeting).values_list("contact__full_name", "answer"))
    assert answers["Anëtari i shëndetësisë"] == "no" and answers["Anëtari i policisë"] == "yes"

    # A day later: two of three seats are taken, which is a quorum; the minutes are written.
    yesterday = timezone.make_aware(datetime.combine(timezone.localdate() - timedelta(days=1), time(10)))
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=yesterday, ends_at=yesterday + timedelta(hours=2))
    planner.goto(f"/meetings/{meeting.pk}/attendance/")
    for name in ("Kryesuesi", "Anëtari i policisë"):
        planner.get_by_label(name, exact=True).check()
    sq.press(planner, "Save")
    expect(planner).to_have_url(re.compile(r"/meetings/[0-9a-f-]{36}/"))
    meeting.refresh_from_db()
    assert (meeting.voting_members, meeting.voting_present, meeting.has_quorum) == (3, 2, True)
    item = meeting.items.get()
    planner.goto(f"/meetings/agenda/{item.pk}/minutes/")
    fill(planner, minutes_sq="U diskutua gjendja e regjistrit.")
    sq.press(planner, "Save")
    planner.wait_for_url(re.compile("/minutes/"))
    assert Meeting.objects.get(pk=meeting.pk).minutes_state == MinutesState.DRAFT

    # It decides, and the police has something to do, for a measure of the plan.
    planner.goto(f"/meetings/{meeting.pk}/decide/")
    fill(planner, item=str(item.pk), text_sq="Regjistri hapet në tri rajone.")
    sq.press(planner, "Record the decision")
    planner.wait_for_url(re.compile(r"/decisions/|/meetings/"))
    decision = Decision.objects.get()
    planner.goto(f"/meetings/{meeting.pk}/action-point/?decision={decision.pk}")
    fill(
        planner, title_sq="Policia hap regjistrin në tri rajone", owner=str(measure.lead_id),
        due_on=(timezone.localdate() + timedelta(days=30)).isoformat(),
    )  # fmt: skip
    sq.press(planner, "Add it")
    planner.wait_for_url(re.compile(r"/action-points/|/meetings/"))
    point = ActionPoint.objects.get()
    assert point.decision == decision
    planner.goto(f"/points/{point.pk}/link/")
    fill(planner, measures=measure.code)
    sq.press(planner, "Link it")
    expect(planner.locator("main")).to_contain_text(measure.code)
    assert_accessible(planner)

    # The police finds it, reports it as progress of the open round, and closes it with that report as evidence.
    police.goto("/action-points/?whose=mine&due=open")
    police.get_by_role("link", name="Policia hap regjistrin në tri rajone").click()
    assert_accessible(police)
    police.locator("main").get_by_role("button", name=re.compile(sq("Report it as progress"))).click()
    police.wait_for_url(re.compile(r"/progress/.*point="))
    police.locator("input[name=measure_state][value=under_way]").check()
    fill(police, done="Regjistri u hap në tri rajone.")
    police.locator("input[name^=value_]").first.fill("3")
    police.get_by_label("Pse pjesët nuk e japin totalin").first.fill("Rajonet nuk u ndanë.")
    police.locator("button[name=submit]").click()
    expect(police.locator(".notice").first).to_be_visible()
    entry = ProgressEntry.objects.get()
    assert (entry.done, entry.state) == ("Regjistri u hap në tri rajone.", EntryState.SUBMITTED)
    police.goto(f"/action-points/{point.pk}/close/")
    fill(police, text="Regjistri punon në tri rajone.")
    police.locator("[name=record]").select_option(index=1)
    sq.press(police, "It is done")
    police.wait_for_url(re.compile(rf"/action-points/{point.pk}/$"))
    point.refresh_from_db()
    assert (point.state, point.outcome) == ("done", "Regjistri punon në tri rajone.")

    # What was decided and what came of it can be followed both ways.
    director = sees(DIRECTOR)
    director.goto(measure.get_absolute_url())
    director.get_by_role("link", name="Policia hap regjistrin në tri rajone").first.click()
    director.get_by_role("link", name=decision.label).first.click()
    expect(director.locator("main")).to_contain_text("Regjistri hapet në tri rajone.")
    director.get_by_role("link", name=re.compile("Mbledhja e rregullt")).first.click()
    expect(director).to_have_url(re.compile(f"/meetings/{meeting.pk}/"))
    expect(director.locator("main")).to_contain_text("Policia hap regjistrin në tri rajone")


def test_a_day_that_the_browser_cannot_read_is_said_at_its_field_and_not_saved_as_none(world, authority, open_browser):
    """Browsers send 31 February, and a day half typed, as an empty field: the day on record would be gone."""
    page, until = open_browser(PLANNER), timezone.localdate() + timedelta(days=5)
    page.goto("/meetings/new/")
    fill(
        page, title_sq="Takimi i provës", starts_at=f"{until + timedelta(days=2)}T10:00",
        ends_at=f"{until + timedelta(days=2)}T11:00", answer_by=str(until),
    )  # fmt: skip
    sq.press(page, "Save")
    expect(page).to_have_url(re.compile(r"/meetings/[0-9a-f-]{36}/$"))
    page.goto(page.url + "edit/")
    day = page.locator("[name=answer_by]")
    day.focus()
    page.keyboard.press("Delete")  # the day is half typed: its month or its day is missing
    fill(page, place="Prishtinë")
    sq.press(page, "Save")
    said = page.get_by_text(sq("This is not a day of the calendar, or a part of it is missing."))
    expect(said).to_be_visible()
    expect(day).to_be_focused()
    expect(page.locator("[name=place]")).to_have_value("Prishtinë")
    assert Meeting.objects.get().answer_by == until
    assert_accessible(page)
    day.fill(str(until - timedelta(days=1)))
    expect(said).to_be_hidden()
    sq.press(page, "Save")
    expect(page).to_have_url(re.compile(r"/meetings/[0-9a-f-]{36}/$"))
    assert Meeting.objects.get().answer_by == until - timedelta(days=1)
