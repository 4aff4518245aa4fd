"""Due days that fall on a weekend or a holiday: moved when they are given, and when a holiday is entered later."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from onatc.dated_settings import DatedSetting, Holiday, Moves, SettingName, add_holiday, remove_holiday
from onatc.errors import Refused
from stakeholders import deadlines
from stakeholders.actions import agreements, circulars, enquiries, questionnaires
from stakeholders.models import ActionPoint, Enquiry, Meeting, QuestionAssignment, Questionnaire
from strategy.models import Round
from tests.stakeholders.agreed import a_signed_agreement, an_obligation
from tests.stakeholders.asking import a_questionnaire, an_enquiry, put
from tests.stakeholders.decided import a_meeting, a_point
from tests.stakeholders.meeting_steps import a_held_meeting, an_item, circulated
from tests.stakeholders.outreach import a_circular, institution
from tests.stakeholders.test_public_form import typed
from tests.strategy.knowledge import an_act, an_input

pytestmark = pytest.mark.django_db


def noon(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(12)))


def how(move: str) -> None:
    DatedSetting.objects.create(name=SettingName.DUE_DAY_MOVES, choice=move, valid_from=date(2000, 1, 1))


@pytest.fixture
def saturday(world) -> date:
    """The one after the next, with working days around it."""
    Holiday.objects.all().delete()
    today = timezone.localdate()
    return today + timedelta(days=(5 - today.weekday()) % 7 + 14)


@pytest.mark.parametrize(("move", "days"), [(Moves.NEXT, 2), (Moves.BEFORE, -1), (Moves.STAYS, 0)])
def test_every_day_that_is_typed_moves_as_the_setting_says(world, saturday, move, days):
    how(move)
    due, by = saturday + timedelta(days=days), world.planning
    assert an_enquiry(by, due_on=saturday).due_on == due
    questionnaire = a_questionnaire(by, due_on=saturday)
    assert questionnaire.due_on == due
    put(questionnaire, by, "MOH", due_on=saturday)
    assert QuestionAssignment.objects.get().due_on == due
    assert a_circular(by, confirm_by=saturday).confirm_by == due
    assert an_obligation(world, a_signed_agreement(world), first_due_on=saturday).due_on == due


def test_a_day_that_is_typed_again_moves_and_one_that_stays_is_left(world, saturday):
    by = world.planning
    enquiry, questionnaire, circular = an_enquiry(by), a_questionnaire(by), a_circular(by)
    obligation = an_obligation(world, a_signed_agreement(world))
    said = {name: getattr(enquiry, name) for name in ("received_on", "institution", "subject")}
    enquiry = enquiries.change_enquiry(enquiry, said | {"due_on": saturday}, by=by, revision=enquiry.revision)
    asked = {"received_on": questionnaire.received_on, "due_on": saturday}
    questionnaire = questionnaires.change_questionnaire(questionnaire, asked, by=by, revision=questionnaire.revision)
    circular = circulars.change(circular, {"confirm_by": saturday}, by=by, revision=circular.revision)
    owed = {"institution": obligation.institution, "first_due_on": saturday}
    obligation = agreements.change_obligation(obligation, owed, by=by, revision=obligation.revision)
    monday = saturday + timedelta(days=2)
    assert [enquiry.due_on, questionnaire.due_on, circular.confirm_by, obligation.due_on] == [monday] * 4
    Enquiry.objects.update(due_on=saturday)
    Questionnaire.objects.update(due_on=saturday)
    enquiry = enquiries.change_enquiry(
        enquiry, said | {"due_on": saturday, "subject": "y"}, by=by, revision=enquiry.revision
    )
    questionnaire = questionnaires.change_questionnaire(
        questionnaire, asked | {"title": "y"}, by=by, revision=questionnaire.revision
    )
    assert enquiry.due_on == questionnaire.due_on == saturday


def test_remarks_on_minutes_are_taken_until_a_working_day(world, saturday):
    held = a_held_meeting(world.planning)
    an_item(held, world.planning)
    with freeze_time(noon(saturday - timedelta(days=7))):
        assert circulated(held, world.planning).comments_until == saturday + timedelta(days=2)


@pytest.mark.parametrize(
    ("move", "due"),
    [
        (Moves.NEXT, [date(2026, 2, 2), date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 30), date(2026, 6, 1)]),
        (Moves.BEFORE, [date(2026, 1, 30), date(2026, 2, 27), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 29)]),
    ],
)
def test_an_obligation_that_returns_keeps_its_rhythm_whatever_day_it_moves_to(world, move, due):
    """From Saturday 31 January; 28 February is one too, and 31 May a Sunday."""
    Holiday.objects.all().delete()
    how(move)
    agreement = a_signed_agreement(world, signed_on=date(2024, 1, 1))
    obligation = an_obligation(world, agreement, first_due_on=date(2026, 1, 31), every_months=1)
    for day in due:
        obligation.refresh_from_db()
        assert obligation.due_on == day and obligation.first_due_on == date(2026, 1, 31)
        agreements.meet(obligation, by=world.planning, due_on=day, met_on=date(2026, 1, 5))
    obligation.refresh_from_db()
    values = {"institution": obligation.institution, "first_due_on": date(2026, 1, 31), "every_months": 2}
    agreements.change_obligation(obligation, values, by=world.planning, revision=obligation.revision)
    obligation.refresh_from_db()
    assert obligation.due_on > due[-1] and obligation.due_on.month == 7


def test_a_question_that_came_on_a_saturday_is_not_due_before_it_came(world, saturday):
    how(Moves.BEFORE)
    DatedSetting.objects.create(name=SettingName.ENQUIRY_DAYS, value=1, valid_from=date(2000, 1, 1))
    assert deadlines.enquiry_due_day(saturday) == saturday + timedelta(days=2)
    assert deadlines.enquiry_due_day(saturday - timedelta(days=1)) == saturday - timedelta(days=1)
    with freeze_time(noon(saturday)):
        answer = Client(HTTP_ACCEPT_LANGUAGE="en").post("/ask/", typed())
        assert answer.status_code == 302 and Enquiry.objects.get().due_on == saturday + timedelta(days=2)


def test_what_is_refused_leaves_the_question_in_the_form(world, monkeypatch):
    def refuse(*_args, **_values):
        raise Refused("Not today.")

    monkeypatch.setattr(enquiries, "receive_from_the_web", refuse)
    page = Client(HTTP_ACCEPT_LANGUAGE="en").post("/ask/", typed())
    assert page.status_code == 200 and "Not today." in page.content.decode()
    assert "figures of last year" in page.content.decode()


@pytest.mark.parametrize(("move", "days"), [(Moves.NEXT, 1), (Moves.BEFORE, -1)])
def test_a_holiday_that_is_entered_later_moves_what_is_open_and_nothing_else(world, saturday, client_for, move, days):
    how(move)
    day, by = saturday + timedelta(days=4), world.planning  # a Wednesday
    enquiry, closed = an_enquiry(by, due_on=day), an_enquiry(by, due_on=day)
    enquiries.close_enquiry(closed, by=by, reason="x")
    questionnaire = a_questionnaire(by, due_on=day)
    (question,) = put(questionnaire, by, "MOH", due_on=day)
    point = a_point(a_meeting(world.director), by, due=-(day - timezone.localdate()).days)
    obligation = an_obligation(world, a_signed_agreement(world), first_due_on=day, every_months=12)
    circular = a_circular(by, confirm_by=day, institutions=[institution("MOH")])
    input_ = an_input(an_act(world.planning), world.planning, due_on=day)
    Round.objects.filter(pk=world.round.pk).update(due_on=day)
    questionnaire.refresh_from_db()
    form = {"day": day.isoformat(), "name_sq": "Ditë zie"}
    page = client_for("director").post(reverse("holiday-add"), form, follow=True).content.decode()
    to = day + timedelta(days=days)
    assert "Saved. 8 due dates were moved." in page
    for one in (enquiry, questionnaire, question, point, obligation, input_):
        before = one.revision
        one.refresh_from_db()
        assert (one.due_on, one.revision) == (to, before + 1), one
    circular.refresh_from_db()
    closed.refresh_from_db()
    assert (circular.confirm_by, Round.objects.get(pk=world.round.pk).due_on, closed.due_on) == (to, to, day)
    assert obligation.first_due_on == day and ActionPoint.objects.get().first_due_on == day
    remove_holiday(Holiday.objects.get(day=day), by=world.director)
    enquiry.refresh_from_db()
    assert enquiry.due_on == to


def test_a_holiday_of_today_moves_nothing_into_the_past_and_leaves_what_stays(world):
    today = timezone.localdate()
    Holiday.objects.all().delete()
    how(Moves.BEFORE)
    Enquiry.objects.filter(pk=an_enquiry(world.planning).pk).update(due_on=today)
    assert add_holiday(Holiday(day=today, name_sq="x"), by=world.director) == 1
    assert Enquiry.objects.get().due_on > today
    DatedSetting.objects.filter(name=SettingName.DUE_DAY_MOVES).update(choice=Moves.STAYS)
    Enquiry.objects.update(due_on=today + timedelta(days=9))
    assert add_holiday(Holiday(day=today + timedelta(days=9), name_sq="x"), by=world.director) == 0


def test_a_holiday_moves_the_end_of_remarks(world, saturday):
    held = circulated(a_held_meeting(world.planning), world.planning)
    day = saturday + timedelta(days=4)
    Meeting.objects.filter(pk=held.pk).update(comments_until=day)
    assert add_holiday(Holiday(day=day, name_sq="x"), by=world.director) == 1
    assert Meeting.objects.get(pk=held.pk).comments_until == day + timedelta(days=1)
