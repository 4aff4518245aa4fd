"""Action points: made, worked on, moved, given, closed with evidence, dropped, opened again; recalled and escalated."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from onatc.errors import Refused
from onatc.ids import new_id
from onatc.models import Holiday, Message
from stakeholders import ownership
from stakeholders.actions import decisions, meetings
from stakeholders.actions.records import Stale
from stakeholders.models import ActionPoint, AgendaItem, Meeting, MeetingSeries, PointFile, PointState, PointStep, User
from stakeholders.queries.decisions import action_points_for, occasion_on, reminder_days, stood
from stakeholders.tasks import escalate_points, remind_of_points
from tests.samples import document
from tests.stakeholders.decided import (
    a_body,
    a_decision,
    a_draft,
    a_meeting,
    a_point,
    an_item,
    at,
    at_once,
    cost_of,
    days_ago,
    institution,
)
from tests.stakeholders.meeting_steps import a_contact

pytestmark = pytest.mark.django_db
SAID = {"outcome": "U hartua lista.", "language": "sq"}
LINK = "https://example.org/lista"


def url(name: str, *args) -> str:
    return reverse(f"stakeholders:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


def monday(days: int = 30) -> date:
    """The first from that day on which the office works, and on the Tuesday a week later."""
    day = days_ago(-days)
    day += timedelta(days=-day.weekday() % 7)
    while Holiday.objects.filter(day__in=[day, day + timedelta(days=8)]).exists():
        day += timedelta(days=7)
    return day


def upload(name="lista.pdf"):
    return SimpleUploadedFile(name, document(), "application/pdf")


def point_form(**changes):
    return {
        "key": str(uuid.uuid4()), "title_sq": "Të hartohet lista", "title_sr": "", "title_en": "", "item": "",
        "owner": str(institution("KP-THB").pk), "person": "", "due_on": monday().isoformat(), "decision": "",
    } | changes  # fmt: skip


def step_form(point, **changes):
    return {
        "key": str(uuid.uuid4()),
        "revision": point.revision,
        "text": "Pa listë nuk ka raport.",
        "language": "sq",
    } | changes


# Made


def test_a_point_is_made_once_from_a_decision_and_shows_where_it_comes_from(world, client_for):
    meeting, client = a_meeting(world.director), client_for("planning")
    decision = a_decision(meeting, world.planning, item=an_item(meeting))
    address = f"{url('action-point-create', meeting.pk)}?decision={decision.pk}"
    page = client.get(address).content.decode()
    assert f'value="{decision.pk}" selected' in page
    form = point_form(decision=str(decision.pk), person=str(world.focal_point.pk))
    page = client.post(address, form, follow=True).content.decode()
    assert decision.get_absolute_url() in page and meeting.get_absolute_url() in page
    assert client.post(address, form).status_code == 302
    point = ActionPoint.objects.get()
    assert (point.due_on, point.first_due_on, point.person) == (monday(), monday(), world.focal_point)
    for page in (decision, meeting):
        assert point.get_absolute_url() in client.get(page.get_absolute_url()).content.decode()


def test_a_due_day_on_a_weekend_or_holiday_moves_to_the_next_working_day(world):
    meeting = a_meeting(world.director)
    Holiday.objects.get_or_create(day=monday() + timedelta(days=7), defaults={"name_sq": "Festë"})
    values = {"title_sq": "x", "owner": institution("MOH"), "due_on": monday() + timedelta(days=5)}
    point = decisions.make_point(uuid.uuid4(), meeting, values, by=world.planning)
    assert point.due_on == point.first_due_on == monday() + timedelta(days=8)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_sq": "", "title_en": ""}, "Say what is to be done, in one language at least."),
        ({"title_sq": "x" * 501}, "at most 500 characters"),
        ({"title_sq": "Të thirret 0038344123456"}, "looks like data of a person"),
        ({"owner": ""}, "This field is required."),
        ({"owner": "x"}, "is not a valid UUID"),
        ({"person": "x"}, "is not a valid UUID"),
        ({"due_on": ""}, "This field is required."),
        ({"due_on": "2020-01-06"}, "It cannot be due before the meeting."),
        ({"due_on": "9999-12-31"}, "more than ten years ahead"),
        ({"decision": str(uuid.uuid4())}, "Select a valid choice"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_lost(world, client_for, changes, sentence):
    meeting = a_meeting(world.director)
    page = client_for("planning").post(url("action-point-create", meeting.pk), point_form(title_en="Kept as typed") | changes
    )  # fmt: skip
    text = page.content.decode()
    assert page.status_code == 200 and sentence in text
    assert page.context["form"].non_field_errors() == []  # each of them stands at its field
    assert not ActionPoint.objects.exists()


def test_the_person_reports_for_the_owner_and_the_owner_exists(world, client_for):
    meeting = a_meeting(world.director)
    page = client_for("planning").post(
        url("action-point-create", meeting.pk), point_form(person=str(world.other_focal_point.pk))
    )
    assert "This person does not report for" in page.context["form"].errors["person"][0]
    gone = institution("MOH")
    gone.dissolved_on = days_ago(1)
    gone.save()
    with pytest.raises(Refused, match="was dissolved on"):
        a_point(meeting, world.planning, owner="MOH")
    other = a_decision(a_meeting(world.director), world.planning)
    with pytest.raises(Refused, match="belongs to another meeting"):
        a_point(meeting, world.planning, decision=other)
    # The office's own points go to its own people.
    assert a_point(meeting, world.planning, owner="ONATC", person=world.child).person == world.child


def test_wording_is_put_right_until_the_minutes_are_adopted(world, client_for):
    meeting = a_meeting(world.director)
    point, client = a_point(meeting, world.planning), client_for("director")
    form = point_form(title_sq="Më mirë", revision=point.revision)
    del form["key"]
    assert client.post(url("action-point-edit", point.pk), form).status_code == 302
    assert (refresh(point).title_sq, point.first_due_on) == ("Më mirë", monday())
    assert "A colleague changed this" in client.post(
        url("action-point-edit", point.pk), form | {"title_sq": "Ndryshe"}
    ).content.decode()  # fmt: skip
    Meeting.objects.filter(pk=meeting.pk).update(minutes_state="adopted", minutes_adopted_at=timezone.now())
    assert client.get(url("action-point-edit", point.pk)).status_code == 403
    assert a_point(refresh(meeting), world.planning).is_open  # more hands later


# Worked on


def test_the_owner_records_progress_once_with_files_and_others_do_not(world, client_for):
    point = a_point(a_meeting(world.director), world.planning)
    client, form = client_for("focal_point"), step_form(point, text="Gjysma u bë.", link=LINK)
    page = client.post(url("action-point-progress", point.pk), form | {"attachments": upload()}, follow=True)
    text = page.content.decode()
    assert "Gjysma u bë." in text and "lista.pdf" in text and LINK in text
    client.post(url("action-point-progress", point.pk), form)
    assert (PointStep.objects.count(), PointFile.objects.count()) == (1, 1)
    file = PointFile.objects.get()
    assert client.get(file.get_absolute_url()).status_code == 200
    assert client_for("other_focal_point").get(file.get_absolute_url()).status_code == 404
    assert client_for("other_focal_point").get(url("action-point-progress", point.pk)).status_code == 404
    assert client_for("natc").get(url("action-point-progress", point.pk)).status_code == 403
    for changes, sentence in (
        ({"text": ""}, "This field is required."),
        ({"link": "http://example.org"}, "begins with https"),
        ({"link": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"attachments": SimpleUploadedFile("x.pdf", b"MZ\x90")}, "content"),
        ({"text": "x" * 2001}, "at most 2000 characters"),
    ):
        page = client.post(url("action-point-progress", point.pk), step_form(point, text="Tjetër") | changes)
        assert page.status_code == 200 and sentence in page.content.decode(), changes
    assert PointStep.objects.count() == 1


def test_closing_needs_evidence_of_now_or_before(world, client_for):
    point, client = a_point(a_meeting(world.director), world.planning), client_for("focal_point")
    page = client.post(url("action-point-close", point.pk), step_form(point))
    assert "Evidence is needed" in page.content.decode() and refresh(point).is_open
    with pytest.raises(Refused, match="Evidence is needed"):
        decisions.close_point(point, by=world.focal_point, **SAID)
    client.post(url("action-point-close", point.pk), step_form(point, text="U krye.") | {"attachments": upload()})
    assert (refresh(point).state, point.outcome, point.closed_by) == ("done", "U krye.", world.focal_point)
    assert client.get(point.get_absolute_url()).content.decode().count('<span lang="sq">U krye.</span>') == 2
    other = a_point(a_meeting(world.director), world.planning)
    decisions.record_progress(uuid.uuid4(), other, by=world.focal_point, text="x", language="sq", link=LINK)
    assert client.post(url("action-point-close", other.pk), step_form(other)).status_code == 302
    assert refresh(other).state == "done"


def test_what_is_closed_is_not_worked_on_and_the_same_again_changes_nothing(world):
    point = a_point(a_meeting(world.director), world.planning)
    for _twice in range(2):
        decisions.close_point(point, by=world.focal_point, link=LINK, **SAID)
    assert PointStep.objects.count() == 1
    with pytest.raises(Refused, match=r"closed already, by .*“U hartua lista\."):
        decisions.close_point(point, by=world.director, link=LINK, **SAID)
    with pytest.raises(Refused, match="closed already"):
        decisions.record_progress(uuid.uuid4(), point, by=world.focal_point, text="x", language="sq")
    with pytest.raises(Refused, match="closed already"):
        decisions.drop_point(point, by=world.director, reason="x", language="sq")


def test_the_office_moves_gives_drops_and_opens_again_and_the_owner_asks_it(world, client_for):
    point, office, owner = (
        a_point(a_meeting(world.director), world.planning),
        client_for("planning"),
        client_for("focal_point"),
    )
    assert "ask the office" in owner.get(point.get_absolute_url()).content.decode()
    for name in ("move", "give", "drop", "reopen"):
        assert owner.get(url(f"action-point-{name}", point.pk)).status_code == 403
    first = point.first_due_on
    office.post(url("action-point-move", point.pk), step_form(point, due_on=monday(60).isoformat()))
    assert (refresh(point).due_on, point.first_due_on) == (monday(60), first)
    stale = office.post(url("action-point-move", point.pk), step_form(point, revision=0, due_on=monday(90).isoformat()))
    assert "A colleague changed this" in stale.content.decode()
    past = office.post(url("action-point-move", point.pk), step_form(point, due_on=days_ago(3).isoformat()))
    assert "lies in the past" in past.content.decode()
    office.post(url("action-point-give", point.pk), step_form(point, owner=str(institution("MOH").pk), person=""))
    assert refresh(point).owner.code == "MOH"
    assert owner.get(point.get_absolute_url()).status_code == 404  # another's now
    assert client_for("other_focal_point").get(point.get_absolute_url()).status_code == 200
    office.post(url("action-point-drop", point.pk), step_form(point, text="Nuk duhet më."))
    assert (refresh(point).state, point.outcome) == ("dropped", "Nuk duhet më.")
    with pytest.raises(Refused, match="changed since you opened it"):
        decisions.reopen_point(point, by=world.director, due_on=monday(90), reason="x", language="sq", revision=0)
    form = step_form(point, text="Duhet prapë.", due_on=monday(90).isoformat())
    for _twice in range(2):
        office.post(url("action-point-reopen", point.pk), form)
    assert (refresh(point).state, point.outcome, point.due_on) == ("open", "", monday(90))
    kinds = list(PointStep.objects.order_by("at").values_list("kind", flat=True))
    assert kinds == ["moved", "given", "dropped", "reopened"]
    page = office.get(point.get_absolute_url()).content.decode()
    assert "KP-THB → " in page or "→" in page


def test_rights_are_checked_in_the_act_too(world):
    point = a_point(a_meeting(world.director), world.planning)
    for name in ("other_focal_point", "natc", "observer", "administrator"):
        with pytest.raises(PermissionDenied):
            decisions.close_point(point, by=getattr(world, name), link=LINK, **SAID)
    with pytest.raises(PermissionDenied, match="Ask it"):
        decisions.move_point(point, by=world.focal_point, due_on=monday(90), reason="x", language="sq", revision=0)
    decisions.give_point(
        point, by=world.director, owner=institution("MOH"), person=None, reason="x", language="sq", revision=0
    )
    with pytest.raises(PermissionDenied):  # the former owner, on a page opened before
        decisions.close_point(point, by=world.focal_point, link=LINK, **SAID)
    with pytest.raises(Stale):
        decisions.give_point(
            point, by=world.director, owner=institution("MOJ"), person=None, reason="x", language="sq", revision=0
        )


@pytest.mark.django_db(transaction=True)
def test_of_two_who_close_at_once_one_wins_and_the_other_is_told(world):
    point = a_point(a_meeting(world.director), world.planning)
    people = [world.focal_point, world.director]
    results = at_once(*(lambda by=by: decisions.close_point(point, by=by, link=LINK, **SAID) for by in people))
    assert sorted(type(one).__name__ for one in results) == ["ActionPoint", "Refused"]
    assert PointStep.objects.filter(kind="closed").count() == 1


def test_a_person_who_leaves_hands_points_over(world):
    point = a_point(a_meeting(world.director), world.planning, person=world.focal_point)
    kinds = {kind.key: records for kind, records in ownership.held_by(world.focal_point)}
    assert kinds["action-point"] == [point]
    heirs = ownership._kinds["action-point"].heirs([point])
    assert world.focal_point in heirs and world.other_focal_point not in heirs


# The list and the home


def test_the_list_filters_counts_sorts_and_exports(world, client_for):
    meeting = a_meeting(world.director, called="MOH")
    group = a_meeting(world.director, body=a_body("group"))
    late = a_point(meeting, world.planning, due=3)
    later = a_point(meeting, world.planning, due=-40, title_sq="Strehimoret", title_en="Shelters")
    soon = a_point(group, world.planning, due=-3, owner="MOH")
    done = a_point(group, world.planning, due=-1)
    decisions.close_point(done, by=world.director, link=LINK, **SAID)
    client = client_for("director")

    def found(who=client, **asked):
        return [one.pk for one in who.get(url("action-point-list"), asked).context["page"]]

    assert found() == [late.pk, soon.pk, later.pk, done.pk]  # what waits, by its due day
    assert found(sort="due") == [late.pk, done.pk, soon.pk, later.pk]
    context = client.get(url("action-point-list")).context
    assert [(code, number) for code, _label, number in context["filter"].counts] == [
        ("overdue", 1),
        ("open", 2),
        ("done", 1),
    ]
    assert found(standing="overdue") == [late.pk] and found(due="open") == [late.pk, soon.pk, later.pk]
    assert found(due="week") == [soon.pk] and found(body=str(group.body_id)) == [soon.pk, done.pk]
    assert found(owner=str(institution("MOH").pk)) == [soon.pk] and found(q="shelters") == [later.pk]
    assert found(whose="mine") == [] and found(q="nothing") == []
    # Whom it concerns sees its own, and what came of meetings it was called to.
    moh = client_for("other_focal_point")
    assert found(moh) == [late.pk, soon.pk, later.pk] and found(moh, whose="mine") == [soon.pk]
    table = b"".join(client.get(url("action-point-export"), {"format": "csv", "q": "shelters"})).decode()
    assert table.count("\n") == 2 and "Shelters" in table


def test_the_home_is_given_what_somebody_has_to_do(world, django_assert_num_queries):
    meeting = a_meeting(world.director)
    rows = [a_point(meeting, world.planning, due=due) for due in (2, -5, -9)]
    a_point(meeting, world.planning, owner="MOH")
    user = world.focal_point
    assert user.roles
    with django_assert_num_queries(2):
        own = action_points_for(user, limit=2)
    assert (own.open_count, own.overdue_count, [one.pk for one in own.rows]) == (3, 1, [one.pk for one in rows[:2]])
    assert own.url.startswith(url("action-point-list"))
    assert action_points_for(world.administrator).open_count == 0


def test_pages_cost_the_same_however_many_points_there_are(world, client_for):
    client, costs = client_for("focal_point"), {"list": [], "point": []}
    point = a_point(a_meeting(world.director), world.planning)
    for count in (2, 12):
        for _one in range(count):
            a_point(a_meeting(world.director), world.planning)
            decisions.record_progress(uuid.uuid4(), point, by=world.focal_point, text="x", language="sq")
        for name, page in (("list", url("action-point-list")), ("point", point.get_absolute_url())):
            costs[name].append(cost_of(client, page))
    assert all(len(set(found)) == 1 for found in costs.values()), costs


# How it stood on a day


def test_how_a_point_stood_is_told_from_its_steps(world):
    start = date(2026, 3, 2)
    point = ActionPoint(first_due_on=date(2026, 3, 31), due_on=date(2026, 5, 29), state=PointState.DONE)

    def step(kind, day, due=None):
        return PointStep(kind=kind, at=timezone.make_aware(timezone.datetime(2026, *day, 9)), due_on=due)

    steps = [
        step("progress", (3, 10)), step("moved", (3, 30), date(2026, 4, 30)), step("closed", (5, 4)),
        step("reopened", (5, 20), date(2026, 5, 29)), step("escalated", (6, 20), date(2026, 7, 1)), step("dropped", (7, 1)),
    ]  # fmt: skip
    told = [
        (start, "open", date(2026, 3, 31)), (date(2026, 3, 30), "open", date(2026, 4, 30)),
        (date(2026, 4, 30), "open", date(2026, 4, 30)), (date(2026, 5, 1), "overdue", date(2026, 4, 30)),
        (date(2026, 5, 4), "done", date(2026, 4, 30)), (date(2026, 5, 20), "open", date(2026, 5, 29)),
        (date(2026, 6, 30), "overdue", date(2026, 5, 29)), (date(2026, 7, 1), "dropped", date(2026, 5, 29)),
    ]  # fmt: skip
    for on, standing, due in told:
        then = stood(point, steps, on)
        assert (then.standing, then.due_on) == (standing, due), on


# Reminders


def test_the_days_of_reminders():
    due = date(2026, 6, 15)
    assert reminder_days(due, date(2026, 7, 20)) == [
        date(2026, 6, 8), date(2026, 6, 16), date(2026, 6, 30), date(2026, 7, 14)
    ]  # fmt: skip
    made = date(2026, 1, 5)
    assert occasion_on(due, made, date(2026, 6, 7)) is None
    assert occasion_on(due, made, date(2026, 6, 8)) == date(2026, 6, 8)
    assert occasion_on(due, made, date(2026, 6, 14)) == date(2026, 6, 8)  # a run that was missed
    assert occasion_on(due, made, date(2026, 6, 15)) is None
    assert occasion_on(due, made, date(2026, 6, 18)) == date(2026, 6, 16)
    # Made three days before it is due: recalled from the day after, once.
    assert occasion_on(due, date(2026, 6, 12), date(2026, 6, 12)) is None
    assert occasion_on(due, date(2026, 6, 12), date(2026, 6, 13)) == date(2026, 6, 13)
    assert occasion_on(due, date(2026, 6, 12), date(2026, 6, 15)) == date(2026, 6, 13)


def older(*points, days=60):
    ActionPoint.objects.filter(pk__in=[one.pk for one in points]).update(
        created_at=timezone.now() - timedelta(days=days)
    )


def mails(user=None):
    found = Message.objects.filter(occasion__startswith="points:")
    return found.filter(to=user) if user else found


def test_one_mail_a_person_lists_all_and_goes_once(world):
    meeting = a_meeting(world.director)
    late, soon = a_point(meeting, world.planning, due=1), a_point(meeting, world.planning, due=-7, title_en="Second")
    far = a_point(meeting, world.planning, due=-8, title_en="Far away")
    older(late, soon, far)
    assert decisions.remind_of_points() == 1 and decisions.remind_of_points() == 0
    message = mails().get()
    assert (
        message.to == world.focal_point and message.kind == "reminder" and message.subject == "2 action points are due"
    )
    assert "Draw up the list" in message.text and "Second" in message.text and "Far away" not in message.text
    assert "One action point is overdue." in message.text
    remind_of_points()  # the daily task, later on the same day
    assert mails().count() == 1


def test_the_named_person_alone_is_reminded_while_they_report_for_the_owner(world):
    colleague = User.objects.create_user("second@demo.example", full_name="Second", language="sq")
    colleague.role_assignments.create(role="focal_point", institution=institution("KP-THB"), starts_on=days_ago(9))
    meeting = a_meeting(world.director)
    older(a_point(meeting, world.planning, due=1, person=colleague))
    assert decisions.remind_of_points() == 1 and mails().get().to == colleague
    colleague.role_assignments.update(ends_on=days_ago(1), starts_on=days_ago(9))
    assert decisions.remind_of_points(on=days_ago(-14)) == 1  # two weeks later
    assert mails(world.focal_point).count() == 1


def test_over_four_months_each_occasion_brings_one_mail_also_after_an_outage(world):
    start = timezone.localdate()
    point = a_point(a_meeting(world.director), world.planning, due=-20)
    older(point)
    sent = []
    for ahead in range(80):
        if ahead in (20, 21, 22, 23):  # no run on the day after it was due and on the next days
            continue
        if decisions.remind_of_points(on=start + timedelta(days=ahead)):
            sent.append(ahead)
    assert sent == [13, 24, 35, 49, 63, 77]
    decisions.close_point(point, by=world.focal_point, link=LINK, **SAID)
    assert decisions.remind_of_points(on=start + timedelta(days=91)) == 0


def test_what_was_moved_is_recalled_before_its_new_day(world):
    point = a_point(a_meeting(world.director), world.planning, due=1)
    older(point)
    decisions.move_point(
        point, by=world.director, due_on=monday(30), reason="x", language="sq", revision=point.revision
    )
    assert decisions.remind_of_points() == 0
    assert decisions.remind_of_points(on=monday(30) - timedelta(days=7)) == 1


# Escalation


def test_what_is_long_overdue_goes_on_the_next_agenda_once(world, client_for):
    meeting = a_meeting(world.director, on=days_ago(90))
    long, just = a_point(meeting, world.planning, due=15), a_point(meeting, world.planning, due=14)
    assert decisions.escalate_points() == 0  # nothing is being prepared
    draft, second = a_draft(world.director), a_draft(world.director, days=40)
    an_item(draft, 4)
    a_draft(world.director, days=5, body=a_body("group"))
    assert decisions.escalate_points() == 1 and decisions.escalate_points() == 0
    item = AgendaItem.objects.get(source=f"action-point:{long.pk}")
    assert (item.meeting, item.position, item.source_url) == (draft, 5, long.get_absolute_url())
    assert item.title_sq == long.title_sq and item.presenter == long.owner
    step = PointStep.objects.get(kind="escalated")
    assert (step.point, step.due_on, step.by) == (long, draft.day, None)
    page = client_for("focal_point").get(long.get_absolute_url()).content.decode()
    assert "put on the next agenda" in page
    item.delete()  # the office took it off
    assert decisions.escalate_points() == 0
    # Two days later the other is long overdue too; the meeting after next gets nothing yet.
    assert decisions.escalate_points(on=days_ago(-2)) == 1
    assert AgendaItem.objects.get(source=f"action-point:{just.pk}").meeting == draft and not second.items.exists()


def test_the_next_meeting_asks_again_and_a_called_one_is_left_alone(world):
    point = a_point(a_meeting(world.director, on=days_ago(90)), world.planning, due=30)
    first = a_draft(world.director, days=10)
    escalate_points()
    Meeting.objects.filter(pk=first.pk).update(state="called", called_at=timezone.now())
    second = a_draft(world.director, days=50)
    assert decisions.escalate_points() == 0  # it stands on the agenda of the meeting to come
    with freeze_time(timezone.now() + timedelta(days=11)):
        assert decisions.escalate_points() == 1
    assert second.items.get().source == f"action-point:{point.pk}"
    assert PointStep.objects.filter(kind="escalated").count() == 2


def test_a_meeting_made_and_called_on_one_day_gets_it_at_once(world):
    held = a_meeting(world.director, on=days_ago(90))
    point = a_point(held, world.planning, due=30)
    guest = a_contact("Ilir Ftuari")
    times = {"starts_at": at(days_ago(-20)), "ends_at": at(days_ago(-20), 12)}
    made = meetings.make_meeting(new_id(), {"title_sq": "X", "body": held.body, **times}, by=world.planning)
    assert made.items.get().source == f"action-point:{point.pk}"
    made.items.all().delete()
    later = a_point(held, world.planning, due=40)
    meetings.add_guest(made, by=world.planning, contact=guest)
    meetings.call_meeting(made, by=world.planning)
    assert made.items.get().source == f"action-point:{later.pk}"  # what was taken off stays off
    assert decisions.escalate_points() == 0


def test_what_a_meeting_without_a_body_gave_goes_on_the_next_agenda_of_its_series(world):
    series = MeetingSeries.objects.create(kind="other", name_sq="Takimi vjetor")
    other = MeetingSeries.objects.create(kind="other", name_sq="Seri tjetër")
    held = a_meeting(world.director, on=days_ago(90))
    Meeting.objects.filter(pk=held.pk).update(body=None, series=series)
    point = a_point(held, world.planning, due=30)
    drafts = [a_draft(world.director), a_draft(world.director), a_draft(world.director)]
    Meeting.objects.filter(pk=drafts[0].pk).update(body=None, series=other)
    Meeting.objects.filter(pk=drafts[1].pk).update(body=None, series=series)
    assert decisions.escalate_points() == 1 and decisions.escalate_points() == 0
    assert AgendaItem.objects.get(source=f"action-point:{point.pk}").meeting == drafts[1]


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_put_it_there_once(world):
    a_point(a_meeting(world.director, on=days_ago(90)), world.planning, due=30)
    a_draft(world.director)
    results = at_once(decisions.escalate_points, decisions.escalate_points)
    assert sorted(results) == [0, 1] and PointStep.objects.filter(kind="escalated").count() == 1
