"""Decisions of meetings: numbers given once, votes, quorum, replaced and revoked, seen by whom (issue of meetings)."""

from __future__ import annotations

import io
import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from onatc.errors import Refused
from onatc.models import Municipality
from stakeholders.actions import decisions
from stakeholders.actions.records import Stale
from stakeholders.models import Decision, Meeting
from tests.stakeholders.decided import (
    a_body,
    a_decision,
    a_meeting,
    a_point,
    an_item,
    at,
    at_once,
    cost_of,
    days_ago,
    institution,
)

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


def decision_form(meeting, **changes):
    return {
        "key": str(uuid.uuid4()), "item": "", "decided_on": meeting.day.isoformat(), "text_sq": "Raportohet çdo tremujor.",
        "text_sr": "", "text_en": "", "basis": "Neni 7", "way": "consensus", "votes_for": "", "votes_against": "",
        "votes_abstained": "",
    } | changes  # fmt: skip


VOTE = {"way": "vote", "votes_for": 6, "votes_against": 2, "votes_abstained": 1}


def test_a_decision_is_recorded_once_with_the_next_number_of_its_body_and_year(world, client_for):
    meeting, client = a_meeting(world.director), client_for("planning")
    item, form = an_item(meeting), None
    for number in (1, 2):
        form = decision_form(meeting, item=str(item.pk))
        page = client.post(url("decision-create", meeting.pk), form, follow=True)
        assert f"Decision {number}/{meeting.day.year}" in page.content.decode()
    client.post(url("decision-create", meeting.pk), form)  # sent twice
    assert list(Decision.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    other = a_meeting(world.director, body=a_body("group", kind="group"))
    assert a_decision(other, world.planning).label == f"1/{other.day.year}"
    alone = a_meeting(world.director, body=a_body("group"))
    alone.body = None
    alone.save()
    assert [a_decision(alone, world.planning).number for _ in range(2)] == [1, 2]


def test_the_number_belongs_to_the_year_of_the_day_of_the_decision(world):
    """A meeting over midnight at the year's end decides in two years, each with its own numbers."""
    eve = date(timezone.localdate().year - 1, 12, 31)
    a_decision(a_meeting(world.director, on=eve - timedelta(days=40)), world.planning)
    meeting = a_meeting(world.director, on=eve, starts_at=at(eve, 22), ends_at=at(eve + timedelta(days=1), 1))
    before = a_decision(meeting, world.planning)
    after = a_decision(meeting, world.planning, decided_on=eve + timedelta(days=1))
    assert (before.label, after.label) == (f"2/{eve.year}", f"1/{eve.year + 1}")
    with pytest.raises(Refused, match="on a day of its meeting"):
        a_decision(meeting, world.planning, decided_on=eve + timedelta(days=2))
    values = {"decided_on": eve, "text_sq": "x", "way": "consensus"}
    with pytest.raises(Refused, match="the day stays in that year"):
        decisions.change_decision(after, values, by=world.planning, revision=0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text_sq": " "}, "Write the decision in one language at least."),
        ({"decided_on": "31.02.2026"}, "Enter a valid date."),
        ({"decided_on": (timezone.localdate() + timedelta(days=1)).isoformat()}, "This day lies in the future."),
        ({"decided_on": (timezone.localdate() - timedelta(days=9)).isoformat()}, "on a day of its meeting"),
        ({"way": "lot"}, "Select a valid choice"),
        (VOTE | {"votes_abstained": ""}, "A vote has three numbers"),
        (VOTE | {"votes_for": "-1"}, "greater than or equal to 0"),
        (VOTE | {"votes_for": "x"}, "Enter a whole number."),
        (VOTE | {"votes_for": 2, "votes_against": 2}, "What more voted against than for was not decided."),
        (VOTE | {"votes_for": 9}, "12 votes are more than the 9 members with a vote who were there."),
        ({"votes_for": 6}, "By consensus there is nothing to count."),
        ({"text_sq": "Thirrni +383 44 123 456"}, "looks like data of a person"),
        ({"item": str(uuid.uuid4())}, "Select a valid choice"),
        ({"key": "x"}, "Enter a valid UUID."),
        ({"text_sq": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_lost(world, client_for, changes, sentence):
    meeting = a_meeting(world.director)
    page = client_for("planning").post(
        url("decision-create", meeting.pk), decision_form(meeting, basis="Kept as typed") | changes
    )
    text = page.content.decode()
    assert page.status_code == 200 and sentence in text and "Kept as typed" in text
    assert page.context["form"].non_field_errors() == []  # each of them stands at its field
    assert not Decision.objects.exists()


def test_a_vote_is_recorded_with_its_three_numbers(world, client_for):
    meeting = a_meeting(world.director)
    page = client_for("planning").post(url("decision-create", meeting.pk), decision_form(meeting, **VOTE), follow=True)
    assert "6 for, 2 against, 1 abstained" in page.content.decode()
    # Who was there is not known: nothing to compare with.
    unknown = a_meeting(world.director, voting_present=None, quorum_needed=None)
    assert a_decision(unknown, world.planning, **VOTE | {"votes_for": 30}).votes_for == 30


def test_without_a_quorum_nothing_is_decided_and_a_meeting_without_one_on_record_decides(world, client_for):
    short = a_meeting(world.director, voting_present=6)
    with pytest.raises(Refused, match="6 of the 7 members needed"):
        a_decision(short, world.planning)
    page = client_for("planning").get(short.get_absolute_url()).content.decode()
    assert "There was no quorum" in page and url("decision-create", short.pk) not in page
    assert url("action-point-create", short.pk) in page
    assert a_decision(a_meeting(world.director, quorum_needed=None), world.planning).number == 1


def test_a_local_coordinator_records_what_a_body_of_the_own_area_decided(world, client_for):
    mine, other = (
        a_meeting(world.director, body=a_body(f"REG-{number}", kind="regional", municipality=municipality))
        for number, municipality in enumerate(
            (Municipality.objects.get(pk="PRN"), Municipality.objects.exclude(pk="PRN").first())
        )
    )
    client, page = client_for("local"), client_for("local").get(mine.get_absolute_url()).content.decode()
    assert url("decision-create", mine.pk) in page and url("action-point-create", mine.pk) in page
    client.post(url("decision-create", mine.pk), decision_form(mine))
    decision = Decision.objects.get()
    assert decision.meeting == mine and decision.created_by == world.local
    assert client.get(url("decision-edit", decision.pk)).status_code == 200
    point = {"title_sq": "Të hapet qendra", "owner": institution("KP-THB"), "due_on": timezone.localdate()}
    made = decisions.make_point(uuid.uuid4(), mine, point, by=world.local)
    assert client.get(url("action-point-edit", made.pk)).status_code == 200
    for name in ("decision-create", "action-point-create"):
        assert client.get(url(name, mine.pk)).status_code == 200
        assert client.get(url(name, other.pk)).status_code in (403, 404)
    with pytest.raises(PermissionDenied, match="local coordinator"):
        a_decision(other, world.local)
    with pytest.raises(PermissionDenied, match="local coordinator"):
        decisions.make_point(uuid.uuid4(), other, point, by=world.local)
    assert client.get(url("decision-end", decision.pk)).status_code == 403


def test_only_the_office_records_and_only_on_what_was_held_and_is_not_adopted(world, client_for):
    meeting = a_meeting(world.director, called="KP-THB")
    for name in ("natc", "focal_point", "observer"):
        with pytest.raises(PermissionDenied, match="Only the office"):
            a_decision(meeting, getattr(world, name))
    assert client_for("focal_point").get(url("decision-create", meeting.pk)).status_code == 403
    assert client_for("other_focal_point").get(url("decision-create", meeting.pk)).status_code == 404
    called = a_meeting(world.director, state="called", minutes_state="none", held_at=None)
    with pytest.raises(PermissionDenied, match="once the meeting is held"):
        a_decision(called, world.planning)
    decision = a_decision(meeting, world.planning)
    Meeting.objects.filter(pk=meeting.pk).update(minutes_state="adopted", minutes_adopted_at=timezone.now())
    with pytest.raises(PermissionDenied, match="minutes are adopted"):
        a_decision(refresh(meeting), world.planning)
    values = {"decided_on": meeting.day, "text_sq": "Ndryshe", "way": "consensus"}
    with pytest.raises(PermissionDenied, match="minutes are adopted"):
        decisions.change_decision(decision, values, by=world.planning, revision=0)
    assert client_for("planning").get(url("decision-edit", decision.pk)).status_code == 403


def test_a_stale_form_shows_what_a_colleague_wrote(world, client_for):
    meeting = a_meeting(world.director)
    decision, client = a_decision(meeting, world.planning), client_for("director")
    form = decision_form(meeting, revision=0, text_sq="E re")
    del form["key"]
    assert client.post(url("decision-edit", decision.pk), form).status_code == 302
    page = client.post(url("decision-edit", decision.pk), form | {"text_sq": "Edhe më e re"})
    text = page.content.decode()
    assert "A colleague changed this" in text and "Edhe më e re" in text and 'name="revision" value="1"' in text
    assert client.post(url("decision-edit", decision.pk), form | {"text_sq": "Fundi", "revision": 1}).status_code == 302
    assert refresh(decision).text_sq == "Fundi"


def test_a_later_decision_replaces_or_revokes_and_both_pages_say_so(world, client_for):
    old = a_decision(a_meeting(world.director, on=days_ago(90)), world.planning)
    new = a_decision(a_meeting(world.director), world.planning)
    client = client_for("planning")
    assert "not older" in client.get(url("decision-end", old.pk)).content.decode()
    with pytest.raises(Refused, match="Only a later decision"):
        decisions.end_decision(new, by=world.planning, later=old, state="revoked")
    with pytest.raises(Refused, match="replaced or revoked"):
        decisions.end_decision(old, by=world.planning, later=new, state="in_force")
    with pytest.raises(PermissionDenied):
        decisions.end_decision(old, by=world.natc, later=new, state="revoked")
    page = client.post(url("decision-end", old.pk), {"state": "revoked", "later": str(new.pk)}, follow=True)
    assert "Revoked" in page.content.decode() and new.get_absolute_url() in page.content.decode()
    assert old.get_absolute_url() in client.get(new.get_absolute_url()).content.decode()
    decisions.end_decision(old, by=world.planning, later=new, state="revoked")  # the same again
    third = a_decision(a_meeting(world.director, on=days_ago(1)), world.planning)
    with pytest.raises(Refused, match="not in force any more"):
        decisions.end_decision(old, by=world.planning, later=third, state="replaced")


def test_the_database_gives_no_number_twice_and_no_count_to_a_consensus(world):
    meeting = a_meeting(world.director)
    a_decision(meeting, world.planning)
    values = {"meeting": meeting, "body": meeting.body, "year": meeting.day.year, "decided_on": meeting.day, "text_sq": "x",
              "created_by": world.planning}  # fmt: skip
    for wrong in ({"number": 1}, {"number": 2, "votes_for": 1}, {"number": 2, "state": "revoked"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.create(**values | wrong)


# Who sees what


def test_an_institution_sees_what_was_decided_where_it_was_called_and_what_gave_it_something_to_do(world, client_for):
    called = a_decision(a_meeting(world.director, called="KP-THB"), world.planning)
    elsewhere = a_meeting(world.director)
    foreign, owed = a_decision(elsewhere, world.planning), a_decision(elsewhere, world.planning)
    a_point(elsewhere, world.planning, decision=owed)
    client = client_for("focal_point")
    for decision, status in ((called, 200), (owed, 200), (foreign, 404)):
        assert client.get(decision.get_absolute_url()).status_code == status
    page = client.get(owed.get_absolute_url()).content.decode()
    assert elsewhere.get_absolute_url() not in page  # it was not called there
    assert client_for("administrator").get(url("decision-list")).status_code == 403
    assert client_for("other_focal_point").get(called.get_absolute_url()).status_code == 404


# The list


def test_the_list_filters_finds_and_exports(world, client_for):
    old = a_decision(a_meeting(world.director, on=days_ago(400)), world.planning, text_sq="Për strehimoret çdo muaj")
    new = a_decision(a_meeting(world.director), world.planning)
    group = a_decision(
        a_meeting(world.director, body=a_body("group", name_sq="Grupi", name_en="Group")), world.planning
    )
    decisions.end_decision(old, by=world.planning, later=new, state="replaced")
    client = client_for("natc")

    def found(**asked):
        return {one.pk for one in client.get(url("decision-list"), asked).context["page"]}

    assert found() == {old.pk, new.pk, group.pk}
    assert found(state="replaced") == {old.pk} and found(q="strehimoret cdo") == {old.pk}
    assert found(body=str(group.body_id)) == {group.pk} and found(year=old.year) >= {old.pk}
    assert found(q=new.label) >= {new.pk} and found(q="nothing such") == set() == found(q="%")
    assert found(year="x", body="y", sort="z") == {old.pk, new.pk, group.pk}
    answer = client.get(url("decision-export"), {"format": "xlsx", "state": "replaced"})
    rows = list(load_workbook(io.BytesIO(b"".join(answer))).active.values)
    assert len(rows) == 2 and rows[1][0] == old.label and rows[1][10] == new.label
    assert "Report each quarter." in b"".join(client.get(url("decision-export"), {"format": "csv"})).decode()


def test_pages_cost_the_same_however_many_decisions_there_are(world, client_for):
    client = client_for("focal_point")
    costs = {}
    for count in (2, 12):
        meeting = a_meeting(world.director, called="KP-THB")
        for _one in range(count):
            decision = a_decision(meeting, world.planning)
            a_point(meeting, world.planning, decision=decision)
            a_point(meeting, world.planning, decision=decision, owner="MOH")
        for page in (url("decision-list"), meeting.get_absolute_url()):
            costs.setdefault(page.split("/")[1], []).append(cost_of(client, page))
    assert all(len(set(found)) == 1 for found in costs.values()), costs


# Two at once


@pytest.mark.django_db(transaction=True)
def test_two_people_who_record_at_once_get_two_numbers(world):
    """Also from two meetings of one body, where no row of a meeting is shared."""
    meetings = [a_meeting(world.director), a_meeting(world.director)]
    people = [world.planning, world.director]
    for _round in range(3):
        results = at_once(*(lambda pair=pair: a_decision(*pair) for pair in zip(meetings, people, strict=True)))
        assert all(isinstance(one, Decision) for one in results), results
    assert sorted(Decision.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_end_a_decision_at_once_one_wins(world):
    old = a_decision(a_meeting(world.director, on=days_ago(50)), world.planning)
    later = [a_decision(a_meeting(world.director), world.planning) for _ in range(2)]
    results = at_once(
        lambda: decisions.end_decision(old, by=world.planning, later=later[0], state="revoked"),
        lambda: decisions.end_decision(old, by=world.director, later=later[1], state="replaced"),
    )
    assert sorted(type(one).__name__ for one in results) == ["Decision", "Refused"]
    assert refresh(old).ended_by in later


def test_a_stale_act_is_refused_unless_it_says_the_same(world):
    meeting = a_meeting(world.director)
    decision = a_decision(meeting, world.planning)
    values = {"decided_on": meeting.day, "text_sq": "Ndryshe", "way": "consensus"}
    decisions.change_decision(decision, values, by=world.planning, revision=0)
    decisions.change_decision(decision, values, by=world.planning, revision=0)
    with pytest.raises(Stale):
        decisions.change_decision(decision, values | {"text_sq": "Tjetër"}, by=world.planning, revision=0)
