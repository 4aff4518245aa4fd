"""Bodies: who sat where on a day, one chair at a time, quorum, and when they must meet."""

from __future__ import annotations

import io
import threading
import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from monitoring.demo.bodies import add_bodies
from onatc.errors import Refused
from onatc.periods import months_after
from stakeholders import seats
from stakeholders.actions import bodies
from stakeholders.actions.records import Stale
from stakeholders.meeting_rules import due
from stakeholders.models import Body, BodyMember, Country, Exchange, Meeting, User
from tests.stakeholders.cooperation import a_body, a_contact, a_seat, days_ago, institution

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def form(**changes):
    return {
        "key": str(uuid.uuid4()), "code": "WG-1", "kind": "group", "level": "national", "name_sq": "Grupi punues",
        "founded_on": days_ago(10).isoformat(), "quorum_pct": "50", "quorum_is_more_than": "on",
    } | changes  # fmt: skip


def seat_form(**changes):
    return {
        "key": str(uuid.uuid4()), "institution": institution("OSCE").pk, "function": "member", "votes": "on",
        "starts_on": days_ago(5).isoformat(),
    } | changes  # fmt: skip


def test_a_body_is_made_once_changed_and_dissolved_with_its_seats(world, client_for):
    client, data = client_for("child"), form()
    for _time in range(2):
        assert client.post(url("body-create"), data).status_code == 302
    body = Body.objects.get()
    assert (
        client.post(url("body-edit", body.pk), data | {"revision": 0, "legal_basis": "UA 17/2013"}).status_code == 302
    )
    with pytest.raises(Stale):
        bodies.change_body(body, {"legal_basis": "x"}, by=world.director, revision=0)
    seat = a_seat(body, world.director, starts_on=days_ago(5))
    coming = a_seat(body, world.director, at="MOH", starts_on=days_ago(-5))
    page = client.post(url("body-dissolve", body.pk), {"on": days_ago(11).isoformat()})
    assert "must not lie before" in page.content.decode()
    for _time in range(2):
        assert client.post(url("body-dissolve", body.pk), {"on": days_ago(1).isoformat()}).status_code == 302
    seat.refresh_from_db()
    assert seat.ends_on == days_ago(1) and not BodyMember.objects.filter(pk=coming.pk).exists()
    with pytest.raises(Refused, match="dissolved already"):
        bodies.dissolve_body(body, by=world.director, dissolved_on=days_ago(0))
    page = client.post(url("body-seat-create", body.pk), seat_form())
    assert "a seat ends by that day" in page.content.decode()


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"code": "TAKEN"}, "code", "This code is taken."),
        ({"quorum_pct": "0"}, "quorum_pct", "greater than or equal to 1"),
        ({"quorum_pct": "101"}, "quorum_pct", "less than or equal to 100"),
        ({"founded_on": "x"}, "founded_on", "Enter a valid date"),
        ({"district": "x"}, "district", "Select a valid choice"),
        ({"meets_every_months": "61"}, "meets_every_months", "less than or equal to 60"),
        ({"parent": str(uuid.uuid4())}, "parent", "Select a valid choice"),
    ],
)
def test_bad_input_is_said_at_its_field(world, client_for, changes, field, sentence):
    a_body(world.director, "TAKEN")
    page = client_for("director").post(url("body-create"), form() | changes)
    assert any(sentence in one for one in page.context["form"].errors[field]) and Body.objects.count() == 1


def test_a_district_and_a_municipality_together_are_refused_at_the_field(world, client_for):
    from onatc.models import Municipality

    place = Municipality.objects.get(pk="PRN")
    page = client_for("director").post(url("body-create"), form(district=place.district_id, municipality="PRN"))
    assert "not both" in str(page.context["form"].errors["municipality"])


def test_a_body_is_no_part_of_itself(world):
    top = a_body(world.director, "A")
    below = a_body(world.director, "B", parent=top)
    with pytest.raises(Refused, match="part of itself"):
        bodies.change_body(top, {"parent": below}, by=world.director, revision=0)


# Seats


def test_one_chair_at_a_time_and_nobody_sits_twice_said_at_the_field(world, client_for):
    body, person, client = a_body(world.director), a_contact(world.director), client_for("director")
    a_seat(body, world.director, function="chair", person=person, ends_on=days_ago(3))
    address = url("body-seat-create", body.pk)
    other = {"starts_on": days_ago(3).isoformat()}  # the last day of the one before belongs to it
    page = client.post(address, seat_form(function="chair", **other))
    assert page.context["form"].errors["function"] == ["The body has a chair in that time."]
    page = client.post(address, seat_form(person=person.pk, **other))
    assert page.context["form"].errors["person"] == ["This person sits in the body in that time."]
    page = client.post(address, seat_form(person=person.pk, deputy=person.pk, starts_on=days_ago(2).isoformat()))
    assert page.context["form"].errors["deputy"] == ["Somebody else stands in."]
    page = client.post(address, seat_form(ends_on=days_ago(6).isoformat()))
    assert page.context["form"].errors["ends_on"] == ["The end must not lie before the start."]
    page = client.post(address, seat_form(starts_on=days_ago(2000).isoformat()))
    assert "founded after that day" in str(page.context["form"].errors["starts_on"])
    assert client.post(address, seat_form(function="chair", starts_on=days_ago(2).isoformat())).status_code == 302
    seat = BodyMember.objects.get(body=body, function="chair", ends_on__isnull=True)
    edited = seat_form(function="chair", revision=0, starts_on=days_ago(4).isoformat())
    page = client.post(url("seat-edit", seat.pk), edited)
    assert page.context["form"].errors["function"] == ["The body has a chair in that time."]


def test_a_seat_is_added_once_changed_and_ended(world, client_for):
    body, client, data = a_body(world.director), client_for("director"), seat_form()
    for _time in range(2):
        assert client.post(url("body-seat-create", body.pk), data).status_code == 302
    seat = BodyMember.objects.get()
    assert client.post(url("seat-edit", seat.pk), data | {"revision": 0, "basis": "Vendim 4"}).status_code == 302
    stale = client.post(url("seat-edit", seat.pk), data | {"revision": 0, "basis": "Vendim 5"}).content.decode()
    assert "Vendim 4" in stale and "Vendim 5" in stale
    assert client.post(url("seat-end", seat.pk), {"on": days_ago(9).isoformat()}).status_code == 200
    for _time in range(2):
        assert client.post(url("seat-end", seat.pk), {"on": days_ago(1).isoformat()}).status_code == 302
    seat.refresh_from_db()
    assert (seat.basis, seat.ends_on, seat.revision) == ("Vendim 4", days_ago(1), 2)
    with pytest.raises(PermissionDenied):
        bodies.end_seat(seat, by=world.natc, ends_on=days_ago(0))


@pytest.mark.django_db(transaction=True)
def test_two_keepers_who_add_a_chair_at_once_make_one_chair(world, client_for):
    body = a_body(world.director)
    people = [User.objects.get(pk=world.people[name].pk) for name in ("director", "planning")]
    codes, ready, outcomes = ["OSCE", "MOH"], threading.Barrier(2), []

    def press(number: int) -> None:
        values = {"institution": institution(codes[number]), "function": "chair", "starts_on": days_ago(1)}
        try:
            ready.wait(10)
            with translation.override("en"):  # a thread begins in the language of the installation
                bodies.add_seat(uuid.uuid4(), body, values, by=people[number])
            outcomes.append("added")
        except Refused as refusal:
            with translation.override("en"):
                outcomes.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["The body has a chair in that time.", "added"]
    assert BodyMember.objects.filter(body=body, function="chair").count() == 1


DAY = date(2024, 6, 15)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    terms=st.lists(st.tuples(st.integers(-40, 40), st.none() | st.integers(0, 40)), max_size=6),
    asked=st.integers(-50, 90),
)
def test_who_sat_there_on_a_day_both_ends_included(reference_data, terms, asked):
    body = Body.objects.create(code=f"h-{uuid.uuid4().hex[:12]}", kind="group", name_sq="x", founded_on=DAY)
    osce = institution("OSCE")
    expected, day = set(), DAY + timedelta(days=asked)
    for begins, length in terms:
        first = DAY + timedelta(days=begins)
        last = None if length is None else first + timedelta(days=length)
        one = BodyMember.objects.create(body=body, institution=osce, starts_on=first, ends_on=last)
        if first <= day and (last is None or day <= last):
            expected.add(one.pk)
    assert set(BodyMember.objects.filter(body=body).on(day).values_list("pk", flat=True)) == expected


def test_both_ends_of_a_term_belong_to_it_on_the_page_and_in_the_file(world, client_for):
    body, person = a_body(world.director), a_contact(world.director, at="OSCE")
    a_seat(body, world.director, at="OSCE", person=person, starts_on=days_ago(20), ends_on=days_ago(10))
    client = client_for("director")
    for days, sits in ((21, False), (20, True), (10, True), (9, False)):
        day = days_ago(days).isoformat()
        assert (str(person) in client.get(url("body-detail", body.pk), {"on": day}).content.decode()) is sits
        assert (body.name_sq in client.get(person.get_absolute_url(), {"on": day}).content.decode()) is sits
        answer = client.get(url("body-members", body.pk), {"on": day, "format": "xlsx"})
        rows = list(load_workbook(io.BytesIO(answer.content)).active.values)
        assert (len(rows) == 2) is sits
        assert str(person) not in answer["Content-Disposition"]


def test_the_list_is_saved_as_a_file(world, client_for):
    a_seat(a_body(world.director, "FIRST", name_en="First body"), world.director, at="MOH")
    a_body(world.director, "OTHER", kind="network", name_en="Other body")
    client = client_for("planning")
    assert url("body-export") in client.get(url("body-list")).content.decode()
    saved = b"".join(client.get(url("body-export"), {"format": "csv", "kind": "group"}).streaming_content).decode()
    assert "First body" in saved and ",1,1," in saved and "Other body" not in saved


def test_others_see_their_bodies_and_no_names_of_others(world, client_for):
    mine, area, others = (a_body(world.director, code) for code in ("MINE", "AREA", "OTHERS"))
    Body.objects.filter(pk=area.pk).update(municipality="PRN")
    colleague = a_contact(world.director, "Kolegu im", at="KP-THB")
    stranger = a_contact(world.director, "I huaji", at="MOH")
    a_seat(mine, world.director, at="KP-THB", person=colleague)
    a_seat(mine, world.director, at="MOH", person=stranger)
    a_seat(others, world.director, at="MOH")
    client = client_for("focal_point")
    page = client.get(url("body-detail", mine.pk)).content.decode()
    assert "Kolegu im" in page and "I huaji" not in page and "Add a member" not in page
    saved = b"".join(client.get(url("body-members", mine.pk)).streaming_content).decode()
    assert "Kolegu im" in saved and "I huaji" not in saved
    assert client.get(url("body-detail", others.pk)).status_code == 404
    assert client.get(url("body-detail", area.pk)).status_code == 404
    assert client_for("local").get(url("body-detail", area.pk)).status_code == 200
    assert client_for("administrator").get(url("body-list")).status_code == 403
    assert client.get(url("body-seat-create", mine.pk)).status_code == 403


# Quorum and how often they meet


def test_the_quorum_in_words_and_numbers():
    body = Body(quorum_pct=50, quorum_is_more_than=True)
    assert seats.quorum_in_words(body, 10) == "More than 50% of the members with a vote: 6 of 10"
    body.quorum_is_more_than = False
    assert seats.quorum_in_words(body, 9) == "At least 50% of the members with a vote: 5 of 9"
    body.quorum_count = 7
    assert seats.quorum_in_words(body, 10) == "7 members with a vote"


def test_a_body_is_due_from_its_last_meeting_and_overdue_the_day_after():
    held = date(2026, 1, 15)
    on_the_day = due(held, 3, since=date(2014, 1, 1), today=date(2026, 4, 15))
    assert (on_the_day.standing, on_the_day.due_on) == ("soon", date(2026, 4, 15))
    assert due(held, 3, since=date(2014, 1, 1), today=date(2026, 4, 16)).is_overdue
    never = due(None, 3, since=date(2026, 1, 1), today=date(2026, 2, 1))
    assert (never.standing, never.due_on, never.last_held) == ("done", date(2026, 4, 1), None)


def test_the_page_says_when_it_last_met_and_must_meet(world, client_for):
    body = a_body(world.director, meets_every_months=3)
    at = timezone.now() - timedelta(days=30)
    Meeting.objects.create(
        body=body, title_sq="Mbledhja", starts_at=at, ends_at=at + timedelta(hours=2), state="held", called_at=at,
        created_by=world.people["director"],
    )  # fmt: skip
    page = client_for("director").get(url("body-detail", body.pk))
    assert page.context["body"].last_met == days_ago(30) and page.context["body"].duty.standing == "done"
    assert page.context["body"].duty.due_on == months_after(days_ago(30), 3)


# The whole


def test_networks_stand_below_the_one_that_they_are_part_of(world, client_for):
    top = a_body(world.director, "NET-A", kind="network")
    below = a_body(world.director, "NET-B", kind="network", parent=top)
    lowest = a_body(world.director, "NET-C", kind="network", parent=below)
    assert seats.tree([lowest, below, top]) == [(0, top), (1, below), (2, lowest)]
    assert seats.tree([lowest]) == [(0, lowest)]
    page = client_for("director").get(url("body-list"), {"kind": "network"}).content.decode()
    assert page.count("depth-2") == 1


def test_the_list_and_the_page_cost_the_same_for_few_and_for_many(world, client_for):
    client = client_for("director")

    def cost(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    body = a_body(world.director, "B0")
    a_seat(
        body, world.director, person=a_contact(world.director, at="KP-THB"), deputy=a_contact(world.director, at="MOH")
    )
    addresses = [url("body-list"), url("body-detail", body.pk)]
    few = [cost(one) for one in addresses]
    for number in range(12):
        a_body(world.director, f"B-{number}")
        a_seat(
            body, world.director, at="OSCE", person=a_contact(world.director, at="OSCE"),
            deputy=a_contact(world.director, at="MOH"),
        )  # fmt: skip
    assert [cost(one) for one in addresses] == few
    assert max(few) < 35


def test_the_demonstration_has_bodies_people_and_exchanges(world):
    people = {user.email: user for user in User.objects.all()}
    add_bodies(people, 1, timezone.localdate())
    assert {"AUTHORITY", "CHILD", "WG-DATA", "NET-NGO", "REG-GK"} <= set(Body.objects.values_list("code", flat=True))
    assert BodyMember.objects.on().get(body__code="AUTHORITY", function="chair").institution.code == "NATC"
    assert BodyMember.objects.filter(ends_on__isnull=False).exists() and BodyMember.objects.filter(person=None).exists()
    followed = set(Country.objects.filter(is_followed=True).values_list("pk", flat=True))
    assert set(Exchange.objects.values_list("country", flat=True)) == followed
