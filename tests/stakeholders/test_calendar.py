"""The calendar of a month and the private feeds: what is in them for whom, and what a calendar program gets."""

from __future__ import annotations

from datetime import date, timedelta

import icalendar
import pytest
import vobject
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from freezegun import freeze_time

from onatc.dated_settings import Holiday
from onatc.trail import TrailEntry
from stakeholders import calendar
from stakeholders.actions import feeds
from stakeholders.models import (
    ActionPoint,
    Agreement,
    AgreementParty,
    Body,
    BodyMember,
    CalendarFeed,
    Enquiry,
    Event,
    Institution,
    InternationalDay,
    Obligation,
    Questionnaire,
    RoleAssignment,
    User,
)
from tests.stakeholders.calls import body, call, contact, meeting, moment
from tests.stakeholders.gathered import a_series

pytestmark = pytest.mark.django_db
MARCH = date(2031, 3, 1)


def fill(world, day: date) -> dict[str, object]:
    """One of each kind on a day; the focal point's institution is called to the meeting, owns the point and is a party."""
    office, ours = world.planning, Institution.objects.get(pk=next(iter(world.focal_point.institution_ids)))
    held = meeting(
        office, starts_at=moment(day.year, day.month, day.day, 10), ends_at=moment(day.year, day.month, day.day, 12)
    )
    call(held, contact("Arta", email=""), institution=ours)
    agreement = Agreement.objects.create(
        kind="memorandum", title_sq="Marrëveshja", signed_on=day - timedelta(days=400), in_force_on=day - timedelta(days=400),
        review_on=day, expires_on=day, responsible=office,
    )  # fmt: skip
    AgreementParty.objects.create(agreement=agreement, institution=ours)
    Obligation.objects.create(agreement=agreement, institution=ours, text="Raporti", first_due_on=day, due_on=day)
    ActionPoint.objects.create(
        meeting=held, title_sq="Detyra", owner=ours, due_on=day, first_due_on=day, created_by=office
    )
    Event.objects.create(
        kind="campaign", title_sq="Fushata", starts_on=day, ends_on=day + timedelta(days=2), organiser=ours,
        created_by=office,
    )  # fmt: skip
    Holiday.objects.get_or_create(day=day, defaults={"name_sq": "Festë", "name_en": "Feast"})
    InternationalDay.objects.create(name_sq="Dita", month=day.month, day=day.day)
    return {"meeting": held, "agreement": agreement}


def keys(user, first: date = MARCH) -> dict[str, list[str]]:
    with translation.override("sq"):
        month = calendar.month_of(User.objects.get(pk=user.pk), first)
    return {name: [one.title for one in found] for name, found in month.found.items()}


@pytest.mark.parametrize(("year", "day"), [(2031, 28), (2032, 29)])
def test_the_29th_of_february_is_observed_on_the_28th_in_other_years(world, year, day):
    InternationalDay.objects.create(name_sq="Dita e brishtë", month=2, day=29)
    with translation.override("sq"):
        month = calendar.month_of(User.objects.get(pk=world.planning.pk), date(year, 2, 1))
    assert [(one.title, one.starts_on) for one in month.found["days"]] == [("Dita e brishtë", date(year, 2, day))]


def test_each_kind_stands_in_the_month_for_whoever_may_see_it(world):
    fill(world, date(2031, 3, 12))
    office, ours = keys(world.planning), keys(world.focal_point)
    for name in ("meetings", "events", "days", "obligations", "action-points"):
        assert len(office[name]) == len(ours[name]) == 1, name
    assert office["holidays"] == ours["holidays"] != []
    assert len(office["agreements"]) == 2
    other = keys(world.other_focal_point)
    assert not other["meetings"] and not other["agreements"] and not other["obligations"] and not other["action-points"]
    assert other["holidays"] and other["days"] and other["events"]
    assert not any(keys(world.stranger).values()) or set(keys(world.stranger)) >= {"holidays"}


def test_the_day_by_which_a_meeting_of_a_series_is_owed_stands_there(world):
    a_series(every_months=1, starts_on=date(2031, 2, 20), name_sq="Takimi i Autoritetit")
    assert [title.partition(": ")[2] for title in keys(world.director)["series"]] == ["Takimi i Autoritetit"]
    assert not keys(world.director, date(2031, 4, 1))["series"] and not keys(world.focal_point)["series"]


def test_what_is_quoted_in_another_language_is_marked(world, client_for):
    fill(world, date(2031, 3, 12))
    page = client_for("planning").get(reverse("stakeholders:calendar"), {"month": "2031-03"}).content.decode()
    for text in ("Raporti", "Detyra", "Fushata", "Marrëveshja", "Dita"):
        assert f'<span lang="sq">{text}</span>' in page, text
    assert '<span lang="en">' not in page and "Feast" in page


def test_enquiries_stand_there_by_their_number_without_who_asks(world):
    day = date(2031, 3, 12)
    Enquiry.objects.create(
        year=2031, number=7, received_on=day, due_on=day, way="web", sender_kind="public", sender_name="Besa Gashi",
        subject="Pyetje e Besa Gashit", question="?",
    )  # fmt: skip
    Questionnaire.objects.create(
        title="GRETA 2031",
        asked_by=Institution.objects.first(),
        received_on=day,
        due_on=day,
        responsible=world.planning,
    )
    found = keys(world.planning)["enquiries"]
    assert len(found) == 2 and any("7/2031" in one for one in found) and not any("Besa" in one for one in found)


def test_a_meeting_over_midnight_or_several_days_touches_each_of_them_and_none_more(world):
    meeting(
        world.planning, starts_at=moment(2031, 3, 29, 22), ends_at=moment(2031, 3, 30, 4)
    )  # over the change of the clock
    meeting(world.planning, starts_at=moment(2031, 3, 11, 22), ends_at=moment(2031, 3, 12, 0))
    month = calendar.month_of(world.planning, MARCH)
    days = {one.date for week in month.weeks("meetings") for one in week if one.entries}
    assert days == {date(2031, 3, 29), date(2031, 3, 30), date(2031, 3, 11)}


def test_today_is_marked_in_the_month(world, client_for):
    page = client_for("planning").get(reverse("stakeholders:calendar")).content.decode()
    assert page.count('aria-current="date"') == 1


@pytest.mark.parametrize(
    ("first", "weeks"), [(MARCH, 6), (date(2027, 2, 1), 4), (date(2028, 2, 1), 5), (date(2031, 12, 1), 5)]
)
def test_a_month_is_whole_weeks(world, first, weeks):
    month = calendar.month_of(world.planning, first)
    found = month.weeks()
    assert len(found) == weeks and all(len(week) == 7 and week[0].date.weekday() == 0 for week in found)
    assert month.before.day == month.after.day == 1 and month.before < first < month.after
    assert next(one.date for week in found for one in week if one.in_month) == first


def test_the_page_shows_month_list_and_day_and_survives_what_is_no_month(world, client_for):
    fill(world, date(2031, 3, 12))
    for number in range(6):
        meeting(
            world.planning,
            starts_at=moment(2031, 3, 14, 9 + number),
            ends_at=moment(2031, 3, 14, 10 + number),
            title_en=f"Number {number}",
        )
    client, address = client_for("planning"), reverse("stakeholders:calendar")
    page = client.get(address, {"month": "2031-03"}).content.decode()
    assert "March 2031" in page and "3 more" in page and 'aria-current="true"' in page and "10:00" in page
    assert f'href="?month={timezone.localdate():%Y-%m}"' in page and 'aria-current="date"' not in page
    assert client.get(address).content.decode().count('aria-current="date"') == 1
    alone = client.get(address, {"month": "2031-03", "source": "meetings", "view": "list"}).content.decode()
    assert "Number 5" in alone and "Fushata" not in alone and "<table" not in alone.split("<main")[1]
    day = client.get(address, {"month": "2031-03", "day": "2031-03-14"}).content.decode()
    assert "Number 5" in day and "Detyra" not in day
    for odd in (
        {"month": "2031-13"},
        {"month": "x"},
        {"month": "0001-01"},
        {"month": "9999-12"},
        {"day": "x"},
        {"source": "x"},
        {"view": "x"},
    ):
        assert client.get(address, odd).status_code == 200
    assert client_for("administrator").get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_the_page_costs_the_same_for_many(world, client_for, django_assert_max_num_queries):
    first = timezone.localdate().replace(day=1)
    for number in range(40):
        fill(world, first + timedelta(days=number % 27)) if number < 3 else meeting(world.planning)
    client = client_for("focal_point")
    client.get(reverse("stakeholders:calendar"))
    with django_assert_max_num_queries(29):
        client.get(reverse("stakeholders:calendar"))


# Feeds


@pytest.fixture
def feed(world):
    return reverse("stakeholders:feed", args=[feeds.open_feed(by=world.focal_point, body=None)])


def test_a_feed_is_made_its_address_shown_once_and_the_key_kept_as_a_hash(world, client_for):
    client, page = client_for("focal_point"), reverse("stakeholders:feed-list")
    made = client.post(page, {"body": ""}).content.decode()
    address = made.split('id="feed_address"')[1].split('value="')[1].split('"')[0]
    key = address.rsplit("/", 1)[1].removesuffix(".ics")
    kept = CalendarFeed.objects.get()
    assert len(key) > 40 and key not in kept.key_hash and key not in client.get(page).content.decode()
    assert Client().get("/" + address.split("/", 3)[3]).status_code == 200
    again = client.post(page, {"body": ""})
    assert "There is such a feed already" in again.content.decode() and CalendarFeed.objects.count() == 1
    with pytest.raises(IntegrityError):
        CalendarFeed.objects.create(user=world.people["focal_point"], key_hash="x")


def test_a_calendar_program_reads_what_the_person_may_see_and_nothing_else(world, feed):
    today = timezone.localdate()
    fill(world, today + timedelta(days=20))
    hidden = meeting(world.planning, title_sq="E fshehtë", title_en="Hidden")
    response = Client().get(feed)
    assert response.status_code == 200 and response["Content-Type"] == "text/calendar; charset=utf-8"
    text = response.content.decode()
    read = vobject.readOne(text)
    titles = {one.summary.value for one in read.vevent_list}
    assert (
        "Meeting of the Authority; points, commas" in titles and "Hidden" not in titles and str(hidden.pk) not in text
    )
    assert len(icalendar.Calendar.from_ical(text).walk("VEVENT")) == len(read.vevent_list)
    assert "private" in response["Cache-Control"] and "set-cookie" not in {name.lower() for name in response.headers}
    unchanged = Client().get(feed, headers={"if-none-match": response["ETag"]})
    assert unchanged.status_code == 304 and not unchanged.content
    assert Client().get(feed, headers={"if-modified-since": response["Last-Modified"]}).status_code == 304
    meeting(world.planning, title_en="New", body=None)
    call(hidden, contact("X"), institution=Institution.objects.get(pk=next(iter(world.focal_point.institution_ids))))
    assert Client().get(feed, headers={"if-none-match": response["ETag"]}).status_code == 200
    assert Client().head(feed).status_code == 200 and Client().post(feed).status_code == 405


def test_it_ends_with_the_account_the_role_or_by_hand_and_looks_like_no_address(world, feed):
    person = world.focal_point
    nothing = Client().get(reverse("stakeholders:feed", args=["x" * 43]))
    assert nothing.status_code == 404
    User.objects.filter(pk=person.pk).update(is_active=False)
    closed = Client().get(feed)
    assert closed.status_code == 404 and closed.content.split(b"csrf")[0] == nothing.content.split(b"csrf")[0]
    User.objects.filter(pk=person.pk).update(is_active=True)
    assert Client().get(feed).status_code == 200
    RoleAssignment.objects.filter(user=person).update(ends_on=timezone.localdate() - timedelta(days=1))
    assert Client().get(feed).status_code == 404
    RoleAssignment.objects.filter(user=person).update(ends_on=None)
    assert Client().get(feed).status_code == 200
    feeds.revoke(CalendarFeed.objects.get(), by=world.focal_point)
    feeds.revoke(CalendarFeed.objects.get(), by=world.focal_point)
    assert Client().get(feed).status_code == 404


def test_a_new_address_closes_the_old_one(world, feed, client_for):
    client = client_for("focal_point")
    made = client.post(reverse("stakeholders:feed-renew", args=[CalendarFeed.objects.get().pk])).content.decode()
    assert 'id="feed_address"' in made and Client().get(feed).status_code == 404
    assert CalendarFeed.objects.open().count() == 1 and CalendarFeed.objects.count() == 2
    other = client_for("other_focal_point")
    mine = CalendarFeed.objects.open().get()
    for name in ("feed-renew", "feed-revoke"):
        assert other.post(reverse(f"stakeholders:{name}", args=[mine.pk])).status_code == 404
    assert client.post(reverse("stakeholders:feed-revoke", args=[mine.pk])).status_code == 302
    assert client.post(reverse("stakeholders:feed-renew", args=[mine.pk])).status_code == 404


def test_the_feed_of_a_body_holds_its_meetings_while_one_may_see_it(world, client_for):
    mine, other = body("mine"), body("other")
    ours = Institution.objects.get(pk=next(iter(world.focal_point.institution_ids)))
    seat = BodyMember.objects.create(body=mine, institution=ours, starts_on="2020-01-01")
    for number, one in enumerate([mine, other, None]):
        call(meeting(world.planning, body=one, title_en=f"Number {number}"), contact(f"P {number}"), institution=ours)
    key = feeds.open_feed(by=world.focal_point, body=mine)
    address = reverse("stakeholders:feed", args=[key])
    (event,) = vobject.readOne(Client().get(address).content.decode()).vevent_list
    assert event.summary.value == "Number 0"
    offered = client_for("focal_point").get(reverse("stakeholders:feed-list")).content.decode()
    assert "Grupi mine" in offered and "Grupi other" not in offered
    refused = client_for("focal_point").post(reverse("stakeholders:feed-list"), {"body": str(other.pk)})
    assert "error-summary" in refused.content.decode()
    BodyMember.objects.filter(pk=seat.pk).delete()
    assert Body.objects.filter(pk=mine.pk).exists() and Client().get(address).status_code == 404


def test_a_feed_that_is_read_all_day_leaves_one_trace_a_day(world, feed):
    before = TrailEntry.objects.count()
    morning = timezone.localtime().replace(hour=8, minute=0) + timedelta(days=1)
    for minutes in (0, 5, 20, 300):
        with freeze_time(morning + timedelta(minutes=minutes)):
            assert Client().get(feed).status_code == 200
    assert TrailEntry.objects.count() == before + 1
    entry = TrailEntry.objects.first()
    assert entry.details["what"] == "calendar-feed" and entry.actor_id == world.focal_point.pk
    assert CalendarFeed.objects.get().last_read_at == morning + timedelta(minutes=300)
    with freeze_time(morning + timedelta(days=1)):
        Client().get(feed)
    assert TrailEntry.objects.count() == before + 2


def test_a_feed_costs_the_same_for_many(world, feed, django_assert_max_num_queries):
    today = timezone.localdate()
    for number in range(3):
        fill(world, today + timedelta(days=number))
    Client().get(feed)
    with django_assert_max_num_queries(29):
        Client().get(feed)
    office = reverse("stakeholders:feed", args=[feeds.open_feed(by=world.planning, body=None)])
    for _number in range(40):
        meeting(world.planning)
    Client().get(office)
    with django_assert_max_num_queries(29):
        assert Client().get(office).content.count(b"BEGIN:VEVENT") > 40


def test_a_feed_that_is_read_without_end_is_told_to_wait(feed):
    statuses = {Client().get(feed).status_code for _time in range(40)}
    assert statuses == {200, 429}
