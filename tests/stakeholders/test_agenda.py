"""The agenda: its points and their order, and the open points that are offered for it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc.errors import Refused
from stakeholders import agenda as registry
from stakeholders.actions import agenda, meetings
from stakeholders.actions.records import Stale
from stakeholders.models import ActionPoint, AgendaItem, Decision
from strategy.actions import proposals
from strategy.actions.consultation import Remark
from strategy.actions.signals import refresh_current
from strategy.models import Measure
from tests.stakeholders.meeting_steps import (
    a_body,
    a_called_meeting,
    a_contact,
    a_full_body,
    a_held_meeting,
    a_meeting,
    a_seat,
    an_item,
    circulated,
    days_ago,
    institution,
    written,
)

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def order(meeting) -> list[str]:
    return [f"{one.position} {one.title_sq}" for one in meeting.items.all()]


def offered(meeting, user, source: str) -> list[registry.OpenPoint]:
    return list(registry._sources[source].points(meeting, user, 50))


def an_action_point(meeting, by, owner: str = "MOH", **fields) -> ActionPoint:
    values = {"title_sq": "Të dërgohen të dhënat", "due_on": days_ago(5), "first_due_on": days_ago(5)}
    return ActionPoint.objects.create(meeting=meeting, owner=institution(owner), created_by=by, **(values | fields))


@pytest.fixture(autouse=True)
def page_of_a_point(monkeypatch):
    """Where an action point is found does not matter here."""
    monkeypatch.setattr(ActionPoint, "get_absolute_url", lambda self: f"/action-points/{self.pk}/")


# Points and their order


def item_form(**changes):
    return {
        "key": str(uuid.uuid4()), "kind": "discussion", "minutes_of": "", "presenter": "", "minutes_length": "",
        "title_sq": "Pika", "title_sr": "", "title_en": "",
    } | changes  # fmt: skip


def test_points_are_added_once_moved_without_script_and_taken_off(world, client_for):
    client, meeting = client_for("planning"), a_meeting(world.planning)
    for title in ("A", "B", "C"):
        form = item_form(title_sq=title)
        client.post(url("meeting-item-add", meeting.pk), form)
        client.post(url("meeting-item-add", meeting.pk), form)
    assert order(meeting) == ["1 A", "2 B", "3 C"]
    first, second, last = meeting.items.all()
    client.post(url("agenda-move", last.pk), {"to": "up"})
    assert order(meeting) == ["1 A", "2 C", "3 B"]
    client.post(url("agenda-move", first.pk), {"to": "up"})  # the first stays first
    client.post(url("agenda-move", second.pk), {"to": "down"})
    assert order(meeting) == ["1 A", "2 C", "3 B"]
    client.post(url("agenda-move", first.pk), {"to": "down"})
    assert order(meeting) == ["1 C", "2 A", "3 B"]
    client.post(url("agenda-remove", first.pk))
    assert order(meeting) == ["1 C", "2 B"]
    assert client.post(url("agenda-remove", first.pk)).status_code == 404
    agenda.remove_item(first, by=world.planning)  # taken off twice is taken off once
    page = client.get(meeting.get_absolute_url()).content.decode()
    assert 'value="up"' in page and 'value="down"' in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_sq": ""}, "Write the title in one language at least."),
        ({"title_sq": "x" * 301}, "at most 300 characters"),
        ({"kind": "minutes"}, "Say which meeting&#x27;s minutes are to be adopted."),
        ({"kind": "minutes", "minutes_of": "00000000-0000-4000-8000-000000000000"}, "Select a valid choice"),
        ({"minutes_length": "-1"}, "greater than or equal to 0"),
        ({"minutes_length": "99999"}, "less than or equal to"),
        ({"presenter": "x"}, "is not a valid UUID"),
    ],
)
def test_bad_points_are_told_at_the_field(world, client_for, changes, sentence):
    meeting = a_meeting(world.planning)
    answer = client_for("planning").post(url("meeting-item-add", meeting.pk), item_form(**changes))
    assert answer.status_code == 200 and sentence in answer.content.decode()
    assert not meeting.items.exists()


def test_what_the_minutes_say_and_what_was_decided_stays_on_the_agenda(world):
    meeting = a_held_meeting(world.planning, a_full_body())
    item = written(meeting.items.get(), world.planning)
    with pytest.raises(Refused, match="minutes say something"):
        agenda.remove_item(item, by=world.planning)
    other = an_item(meeting, world.planning, "B")
    an_action_point(meeting, world.planning, item=other)
    with pytest.raises(Refused, match="decided or remarked"):
        agenda.remove_item(other, by=world.planning)


def test_an_agenda_changes_by_its_keepers_knowingly_and_not_when_cancelled(world):
    meeting = a_called_meeting(world.planning, a_full_body())
    item = meeting.items.get()
    with pytest.raises(Stale):
        agenda.change_item(item, {"title_sq": "X"}, by=world.planning, revision=4)
    agenda.change_item(item, {"title_sq": "X", "kind": "decision"}, by=world.planning, revision=0)
    for person in (world.natc, world.focal_point):
        with pytest.raises(PermissionDenied):
            agenda.add_item(meeting, uuid.uuid4(), {"title_sq": "Y", "kind": "discussion"}, by=person)
    meetings.cancel_meeting(meeting, by=world.planning, reason="x")
    with pytest.raises(Refused, match="is cancelled"):
        agenda.move_item(item, by=world.planning, up=True)


# Open points


def test_overdue_points_of_the_body_and_of_its_members_are_offered_once(world, client_for):
    body, other = a_full_body(), a_body("WG-DATA", kind="group")
    last = a_held_meeting(world.planning, body, days=-40)
    elsewhere = a_held_meeting(world.planning, other, days=-30)
    own = an_action_point(last, world.planning, "OSCE")  # of the body
    members = an_action_point(elsewhere, world.planning, "MOH")  # of a member, from another body
    an_action_point(elsewhere, world.planning, "OSCE")  # neither
    an_action_point(last, world.planning, due_on=days_ago(0))  # due today
    closed = an_action_point(last, world.planning)
    ActionPoint.objects.filter(pk=closed.pk).update(state="done", closed_at=timezone.now(), outcome="x")
    meeting = a_meeting(world.planning, body)
    assert {one.key for one in offered(meeting, world.planning, "action-point")} == {str(own.pk), str(members.pk)}
    client, address = client_for("planning"), url("meeting-open-points", meeting.pk)
    assert "owed it by" in client.get(address).content.decode()
    client.post(
        address, {"point": [f"action-point:{own.pk}", f"action-point:{own.pk}", "action-point:nonsense", "nonsense"]}
    )
    client.post(address, {"point": [f"action-point:{own.pk}"]})
    item = meeting.items.get()
    assert (item.source, item.source_url, item.title_sq) == (
        f"action-point:{own.pk}",
        own.get_absolute_url(),
        own.title_sq,
    )
    assert "on the agenda" in client.get(address).content.decode()


def test_a_decision_that_the_last_meeting_did_not_take_is_offered_again(world):
    body = a_full_body()
    older = a_held_meeting(world.planning, body, days=-90)
    earlier = an_item(older, world.planning, "E vjetër", kind="decision")
    last = a_held_meeting(world.planning, body, days=-30)
    taken, left = (an_item(last, world.planning, title, kind="decision") for title in ("U vendos", "Mbeti"))
    Decision.objects.create(
        meeting=last, item=taken, body=body, year=2026, number=1, decided_on=last.day, text_sq="Po.",
        created_by=world.planning,
    )  # fmt: skip
    meeting = a_meeting(world.planning, body)
    found = offered(meeting, world.planning, "decisions")
    assert [(one.key, one.kind) for one in found] == [(str(left.pk), "decision"), (str(earlier.pk), "decision")]
    assert agenda.take_up(meeting, {f"decisions:{left.pk}"}, by=world.planning) == 1
    assert AgendaItem.objects.get(meeting=meeting).kind == "decision"


def test_decisions_of_a_cancelled_meeting_wait_until_another_agenda_takes_them_up(world):
    body = a_full_body()
    a_held_meeting(world.planning, body, days=-30)
    off = a_meeting(world.planning, body, days=25)
    item = an_item(off, world.planning, "Buxheti", kind="decision")
    meeting = a_meeting(world.planning, body)
    assert offered(meeting, world.planning, "decisions") == []  # it may still be held
    meetings.cancel_meeting(off, by=world.planning, reason="Zgjedhjet")
    (point,) = offered(meeting, world.planning, "decisions")
    assert point.key == str(item.pk) and "was cancelled" in point.why
    agenda.take_up(meeting, {f"decisions:{item.pk}"}, by=world.planning)
    assert len(offered(meeting, world.planning, "decisions")) == 1  # on this agenda it is ticked
    assert offered(a_meeting(world.planning, body, days=40), world.planning, "decisions") == []


def test_minutes_that_were_not_adopted_are_offered_with_their_meeting(world):
    body = a_full_body()
    last = circulated(a_held_meeting(world.planning, body, days=-30), world.planning)
    a_held_meeting(world.planning, body, days=-20)  # nothing written
    meeting = a_meeting(world.planning, body)
    (point,) = offered(meeting, world.planning, "minutes")
    assert point.title["sq"].startswith("Miratimi") or point.title["sq"]
    agenda.take_up(meeting, {f"minutes:{last.pk}"}, by=world.planning)
    item = meeting.items.get()
    assert (item.kind, item.minutes_of) == ("minutes", last)


def test_measures_late_and_proposals_that_wait_come_from_the_plan(world):
    refresh_current()
    body = a_full_body()
    meeting = a_meeting(world.planning, body)
    measures = offered(meeting, world.planning, "measures")
    assert measures and all(one.url.startswith("/") and one.why for one in measures)
    assert {one.key for one in measures} <= {str(one.lineage) for one in Measure.objects.filter(version=world.version)}
    measure = Measure.objects.filter(version=world.version, lead__in=world.focal_point.institution_ids).first()
    remark = Remark("Afati të zgjatet.", measure)
    proposal = proposals.propose(world.plan, remark, by=world.focal_point, institution=measure.lead)
    (waiting,) = offered(meeting, world.planning, "proposals")
    assert (waiting.key, waiting.kind, waiting.title) == (
        str(proposal.pk),
        "decision",
        {"sq": f"{measure.code}: Afati të zgjatet."},
    )
    assert agenda.take_up(meeting, {f"proposals:{proposal.pk}", f"measures:{measures[0].key}"}, by=world.planning) == 2
    # A body in which only one institution sits is offered what concerns that institution.
    small = a_body("WG-DATA", kind="group")
    a_seat(small, "OSCE", a_contact("Vëzhguesi"))
    assert offered(a_meeting(world.planning, small), world.planning, "measures") == []
    assert offered(a_meeting(world.planning, small), world.planning, "proposals") == []


def test_nothing_waits_and_who_may_ask(world, client_for):
    meeting = a_meeting(world.planning, a_body("NEW", kind="network"))
    address = url("meeting-open-points", meeting.pk)
    assert "Nothing waits for this meeting" in client_for("planning").get(address).content.decode()
    assert client_for("natc").get(address).status_code == 403
    assert client_for("focal_point").get(address).status_code == 404


def test_open_points_cost_the_same_however_many_wait(world, client_for):
    body, client = a_full_body(), client_for("planning")
    last = a_held_meeting(world.planning, body, days=-40)
    meeting = a_meeting(world.planning, body)

    def cost() -> int:
        client.get(url("meeting-open-points", meeting.pk))
        with CaptureQueriesContext(connection) as captured:
            client.get(url("meeting-open-points", meeting.pk))
        return len(captured)

    an_action_point(last, world.planning)
    an_item(last, world.planning, "Vendim", kind="decision")
    before = cost()
    for number in range(12):
        an_action_point(last, world.planning, due_on=days_ago(6) - timedelta(days=number))
        an_item(last, world.planning, f"Vendim {number}", kind="decision")
    assert cost() <= before and before < 30
