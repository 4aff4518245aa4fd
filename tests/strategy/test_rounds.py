"""Rounds: series, what each institution owes and its adjustment, more time, opening again, delegation."""

from __future__ import annotations

import io
import threading
from datetime import datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from monitoring.queries.dashboard import reporting
from onatc.errors import Refused
from onatc.models import Message
from onatc.periods import Period
from stakeholders.models import Institution, Role, RoleAssignment, User
from strategy.actions import obligations
from strategy.actions import plan as plan_actions
from strategy.actions import progress as actions
from strategy.actions import rounds as round_actions
from strategy.due import OFFICE
from strategy.models import (
    DueExtension,
    EntryState,
    Measure,
    MeasurePartner,
    Part,
    ProgressEntry,
    ProgressRequest,
    Round,
    RoundSeries,
)
from strategy.queries.progress import owed_by, partner_parts, round_matrix, round_requests, with_answers
from tests.conftest import plan_that_runs
from tests.strategy.steps import accepted, answer, drafted, submitted

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests


def series_of(world, frequency="half", **fields) -> RoundSeries:
    return round_actions.save_series(RoundSeries(plan=world.plan, frequency=frequency, **fields), by=world.planning)


def opened(world, series: RoundSeries, period: Period) -> Round:
    round_ = round_actions.schedule_round(
        world.plan, period, by=None, due_on=timezone.localdate() + timedelta(days=200), series=series
    )
    round_actions.open_round(round_, by=world.planning)
    round_.refresh_from_db()
    return round_


def running(frequency="half") -> Period:
    return round_actions.period_of(frequency, timezone.localdate())


def mails(user: User, start: str) -> int:
    return Message.objects.filter(to=user, occasion__startswith=start).count()


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def in_days(days: int):
    return timezone.localdate() + timedelta(days=days)


# Series


def test_a_series_schedules_its_next_round_by_itself_once(world):
    series_of(world, due_days=20)
    assert round_actions.schedule_series() == 1
    assert round_actions.schedule_series() == 0
    round_ = Round.objects.get(series__frequency="half")
    assert (round_.state, round_.period) == ("scheduled", running())
    assert round_.due_on >= round_.ends_on + timedelta(days=20) and round_.due_on.weekday() < 5
    later = round_.period.next()
    assert round_actions.schedule_series(on=later.start) == 1
    RoundSeries.objects.update(is_active=False)
    assert round_actions.schedule_series(on=later.next().start) == 0


def test_a_series_takes_the_days_of_the_office_when_it_names_none(world):
    series_of(world, "year")
    round_actions.schedule_series()
    assert Round.objects.get(series__frequency="year").due_on == round_actions.usual_due_date(running("year"))


def test_one_round_of_a_series_is_open_and_rounds_of_two_series_may_be(world):
    half = series_of(world)
    first = opened(world, half, running())
    assert world.round.is_open and first.is_open
    before = round_actions.schedule_round(world.plan, running().previous(), by=None, due_on=in_days(30), series=half)
    with pytest.raises(Refused, match="Another round of this series is open"):
        round_actions.open_round(before, by=world.planning)
    future = round_actions.schedule_round(world.plan, running().next(), by=None, due_on=in_days(600), series=half)
    round_actions.close_round(first, by=world.planning)
    with pytest.raises(Refused, match="has not begun"):
        round_actions.open_round(future, by=world.planning)
    assert round_actions.open_due_rounds(on=timezone.localdate()) == 1  # the one whose period is over


def test_what_a_series_may_not_be(world):
    series = series_of(world)
    with pytest.raises(Refused, match="has such a series"):
        series_of(world)
    with pytest.raises(PermissionDenied):
        round_actions.save_series(RoundSeries(plan=world.plan, frequency="year"), by=world.monitoring)
    with pytest.raises(Refused, match="not one of the series"):
        round_actions.schedule_round(world.plan, Period.parse("2026Q1"), by=None, due_on=in_days(900), series=series)
    round_actions.schedule_series()
    series.frequency = "year"
    with pytest.raises(Refused, match="has rounds already"):
        round_actions.save_series(series, by=world.planning)
    outside = Period(world.plan.ends_on + timedelta(days=1), world.plan.ends_on + timedelta(days=90))
    with pytest.raises(Refused, match="outside the plan"):
        round_actions.schedule_round(world.plan, outside, by=None, due_on=outside.end + timedelta(days=1))
    with pytest.raises(Refused, match="after the period"):
        round_actions.schedule_round(world.plan, running(), by=None, due_on=running().end)


# What each owes


def joint(world, code="M1.2.3") -> Measure:
    """The measure with the Ministry of Health as its partner."""
    measure = world.measure(code)
    MeasurePartner.objects.filter(measure=measure).delete()
    MeasurePartner.objects.bulk_create(
        [
            MeasurePartner(
                measure=measure, institution=institution("MOH"), part_sq="Kontrolle mjekësore.", part_en="Checks."
            )
        ]
    )
    return measure


def test_a_joint_measure_asks_the_lead_for_the_whole_and_each_partner_for_its_part(world):
    RoundSeries.objects.create(plan=world.plan, frequency="half", asks_partners=True)
    period = running()
    measure = world.measure("M1.2.3")
    partners = set(measure.partners.values_list("pk", flat=True)) - {measure.lead_id}
    assert partners
    round_ = opened(world, RoundSeries.objects.get(frequency="half"), period)
    asked = ProgressRequest.objects.filter(round=round_, measure=measure)
    assert {one.institution_id for one in asked.filter(part=Part.PART)} == partners
    assert [one.institution_id for one in asked.filter(part=Part.WHOLE)] == [measure.lead_id]
    assert all(not one.indicators.exists() for one in asked.filter(part=Part.PART))
    assert not ProgressRequest.objects.filter(round=world.round, part=Part.PART).exists()


def test_a_partner_that_reports_an_indicator_is_asked_for_it_also_where_partners_are_not_asked(world):
    measure = joint(world)
    moh = institution("MOH")
    measure.indicators.update(reported_by=moh)
    round_actions.close_round(world.round, by=world.planning)
    period = world.round.period.next()
    round_ = round_actions.schedule_round(world.plan, period, by=None, due_on=period.next().end)
    round_actions.open_round(round_, by=world.planning)
    asked = {one.institution_id: one for one in ProgressRequest.objects.filter(round=round_, measure=measure)}
    assert set(asked) == {moh.pk, measure.lead_id}
    assert asked[moh.pk].indicators.count() == 1 and asked[moh.pk].part == Part.PART
    assert not asked[measure.lead_id].indicators.exists()


def test_the_lead_reads_the_parts_that_partners_handed_in_and_no_drafts(world, client_for):
    measure = joint(world)
    whole = world.request()
    part = obligations.ask_besides(world.round, measure, institution("MOH"), by=world.planning, reason="Its part.")
    assert (part.part, part.part_en) == (Part.PART, "Checks.")
    entry = drafted(part, world.other_focal_point, done="Twelve examinations.")
    lead = drafted(whole, world.focal_point)
    url = reverse("strategy:progress-edit", args=[lead.pk])
    assert [one.entry for one in partner_parts(whole)] == [None]
    assert "Twelve examinations." not in client_for("focal_point").get(url).content.decode()
    actions.submit_entry(entry, by=world.other_focal_point)
    assert [one.entry for one in partner_parts(whole)] == [entry]
    assert "Twelve examinations." in client_for("focal_point").get(url).content.decode()
    assert partner_parts(part) == []
    actions.accept_entry(entry, by=world.monitoring)
    assert Measure.objects.get(pk=measure.pk).state == measure.state  # only the lead's word sets it


def test_an_accepted_round_never_changes_when_the_plan_is_edited(world):
    request = world.request()
    entry = accepted(request, world.focal_point, world.monitoring, value=12)
    round_actions.close_round(world.round, by=world.planning)

    def as_asked():
        return [
            ProgressRequest.objects.filter(round=world.round).order_by("pk").values_list(),
            list(request.indicators.values_list()),
            list(entry.values.values_list("value", "requested__target", "requested__baseline")),
            ProgressEntry.objects.filter(pk=entry.pk).values_list("done", "measure_state", "state").get(),
        ]

    before = [list(one) if not isinstance(one, (list, tuple)) else one for one in as_asked()]
    measure = request.measure
    Measure.objects.filter(pk=measure.pk).update(title_sq="Tjetër", title_en="Other", ends_on=in_days(900))
    for indicator in measure.indicators.all():
        indicator.targets.update(value=999)
    measure.indicators.update(name_sq="Tjetër", baseline=500)
    MeasurePartner.objects.filter(measure=measure).delete()
    after = [list(one) if not isinstance(one, (list, tuple)) else one for one in as_asked()]
    assert before == after


def test_an_amendment_changes_no_round_that_was_opened(world):
    request = world.request()
    entry = accepted(request, world.focal_point, world.monitoring, value=12)
    asked = lambda: list(ProgressRequest.objects.filter(round=world.round).order_by("pk").values_list())  # noqa: E731
    before = asked()
    amended = io.BytesIO(
        plan_that_runs().getvalue().replace(b"Kontrolle t\xc3\xab p\xc3\xabrbashk\xc3\xabta", b"Vizita")
    )
    version = plan_actions.apply_import(
        plan_actions.preview_import(amended, "plan.csv", plan=world.plan, by=None), by=None
    )
    plan_actions.adopt_version(
        version, by=None, adopted_on=timezone.localdate(), adopted_by=institution("NATC"), decision_reference="02/2026"
    )
    assert Measure.objects.get(version=version, code="M1.2.3").title_sq.startswith("Vizita")
    assert asked() == before
    entry.refresh_from_db()
    world.round.refresh_from_db()
    assert (entry.state, world.round.version_id) == (EntryState.ACCEPTED, world.version.pk)
    assert submitted(world.request("M2.2.1"), world.focal_point).state == EntryState.SUBMITTED  # as it was asked


def test_a_measure_is_asked_for_besides_with_a_reason_and_told(world):
    measure, moh = world.measure("M1.2.3"), institution("MOH")
    ProgressRequest.objects.filter(round=world.round, institution=moh).update(extended_until=in_days(20))
    with pytest.raises(Refused, match="Say why"):
        obligations.ask_besides(world.round, measure, moh, by=world.planning, reason=" ")
    with pytest.raises(PermissionDenied):
        obligations.ask_besides(world.round, measure, moh, by=world.monitoring, reason="x")
    request = obligations.ask_besides(world.round, measure, moh, by=world.planning, reason="GRETA asks for it.")
    assert (request.added_reason, request.due_on) == ("GRETA asks for it.", in_days(20))
    assert mails(world.other_focal_point, "asked:") == 1
    with pytest.raises(Refused, match="already"):
        obligations.ask_besides(world.round, measure, moh, by=world.planning, reason="Again.")
    assert request.pk in {one.request.pk for one in owed_by(world.other_focal_point)}


def test_what_is_waived_is_owed_by_nobody_and_can_be_asked_for_again(world, client_for):
    request = world.request()
    entry = drafted(request, world.focal_point)
    with pytest.raises(Refused, match="Say why"):
        obligations.waive(request, by=world.director, reason="")
    obligations.waive(request, by=world.director, reason="The project was handed to UNMIK.")
    obligations.waive(request, by=world.director, reason="Twice.")
    request.refresh_from_db()
    assert request.waived_reason == "The project was handed to UNMIK." and mails(world.focal_point, "waived:") == 1
    assert request.pk not in {one.request.pk for one in owed_by(world.focal_point)}
    with pytest.raises(Refused, match="UNMIK"):
        actions.submit_entry(entry, by=world.focal_point)
    row = next(row for row in round_matrix(world.round, world.director) if row.institution.code == "KP-THB")
    assert row.waived == 1 and row.owed == round_requests(world.round, world.director, "KP-THB").count() - 1
    told = next(row for row in reporting(world.round) if row.code == "KP-THB")
    assert told.asked == row.owed
    round_actions.remind(on=world.round.due_on)
    assert "M1.2.3" not in Message.objects.get(to=world.focal_point, occasion__startswith="reminder:").text
    obligations.ask_besides(
        world.round, request.measure, request.institution, by=world.planning, reason="UNMIK said no."
    )
    assert actions.submit_entry(entry, by=world.focal_point).state == EntryState.SUBMITTED
    with pytest.raises(Refused, match="answered already"):
        obligations.waive(request, by=world.director, reason="Too late.")


# More time and what is late


def test_an_institution_asks_for_time_once_and_is_granted_it(world):
    kp, until = institution("KP-THB"), in_days(20)
    extension = obligations.ask_for_time(world.round, kp, by=world.focal_point, until=until, reason="Floods.")
    with pytest.raises(Refused, match="already"):
        obligations.ask_for_time(world.round, kp, by=world.focal_point, until=until, reason="Again.")
    with pytest.raises(PermissionDenied):
        obligations.ask_for_time(world.round, kp, by=world.other_focal_point, until=until, reason="Not mine.")
    with pytest.raises(PermissionDenied):
        obligations.decide_on_time(extension, by=world.monitoring, grant=True)
    obligations.decide_on_time(extension, by=world.planning, grant=True, until=in_days(18))
    assert world.request().due_on == in_days(18)
    assert mails(world.focal_point, "extension:") == 1
    assert {one.request.due_on for one in owed_by(world.focal_point)} == {in_days(18)}
    assert {one.request.due_on for one in owed_by(world.other_focal_point)} == {world.round.due_on}
    with pytest.raises(Refused, match="decided already: granted"):
        obligations.decide_on_time(extension, by=world.director, grant=False, reason="No.")
    obligations.ask_for_time(world.round, kp, by=world.focal_point, until=in_days(30), reason="More floods.")


def test_a_refusal_needs_a_reason_and_changes_no_date(world):
    extension = obligations.ask_for_time(
        world.round, institution("KP-THB"), by=world.focal_point, until=in_days(20), reason="Holidays."
    )
    with pytest.raises(Refused, match="Say why"):
        obligations.decide_on_time(extension, by=world.planning, grant=False)
    obligations.decide_on_time(extension, by=world.planning, grant=False, reason="The report goes out on the 15th.")
    extension.refresh_from_db()
    assert (extension.state, world.request().extended_until) == ("refused", None)
    assert "goes out on the 15th" in Message.objects.get(occasion__startswith="extension:").text


@pytest.mark.parametrize(("days", "why"), [(-1, "in the past"), (10, "must lie after"), (5, "must lie after")])
def test_a_day_that_is_no_extension(world, days, why):
    with pytest.raises(Refused, match=why):
        obligations.ask_for_time(
            world.round, institution("KP-THB"), by=world.focal_point, until=in_days(days), reason="x"
        )
    with pytest.raises(Refused, match=why):
        obligations.give_time(world.round, institution("KP-THB"), by=world.director, until=in_days(days), reason="x")


def test_the_office_gives_time_by_itself_and_answers_what_waits_with_it(world):
    kp = institution("KP-THB")
    asked = obligations.ask_for_time(world.round, kp, by=world.focal_point, until=in_days(12), reason="Illness.")
    given = obligations.give_time(world.round, kp, by=world.director, until=in_days(25), reason="A week for all.")
    assert given.pk == asked.pk and given.reason == "Illness." and world.request().due_on == in_days(25)
    assert DueExtension.objects.count() == 1


def test_late_is_what_came_after_the_day_it_was_owed_at_that_moment(world):
    due = world.round.due_on
    at = lambda day, hour: datetime.combine(day, time(hour, 30), OFFICE)  # noqa: E731
    in_time = actions.submit_entry(drafted(world.request(), world.focal_point), by=world.focal_point, at=at(due, 23))
    late = actions.submit_entry(
        drafted(world.request("M3.1.1"), world.focal_point), by=world.focal_point, at=at(due + timedelta(days=1), 0)
    )
    assert (in_time.is_late, late.is_late) == (False, True)
    obligations.give_time(
        world.round, institution("KP-THB"), by=world.director, until=due + timedelta(days=5), reason="x"
    )
    extended = actions.submit_entry(
        drafted(world.request("M2.2.1"), world.focal_point), by=world.focal_point, at=at(due + timedelta(days=5), 23)
    )
    late.refresh_from_db()
    assert not extended.is_late and late.is_late
    actions.return_entry(in_time, by=world.monitoring, comment="Where?")
    again = actions.submit_entry(in_time, by=world.focal_point, at=at(due + timedelta(days=30), 9))
    assert not again.is_late  # it came in time; the office asked again
    row = next(row for row in round_matrix(world.round, world.director) if row.institution.code == "KP-THB")
    told = next(row for row in reporting(world.round) if row.code == "KP-THB")
    assert (row.on_time, row.late) == (told.on_time, told.later) == (2, 1)


def test_what_is_overdue_follows_the_day_of_the_request(world):
    Round.objects.filter(pk=world.round.pk).update(due_on=in_days(-3))
    assert {one.state for one in owed_by(world.focal_point)} == {"overdue"}
    obligations.give_time(world.round, institution("KP-THB"), by=world.director, until=in_days(4), reason="x")
    assert {one.state for one in owed_by(world.focal_point)} == {"owed"}
    assert {one.state for one in owed_by(world.other_focal_point)} == {"overdue"}


def test_a_reminder_names_each_report_with_its_own_day(world):
    due = world.round.due_on
    obligations.give_time(
        world.round, institution("KP-THB"), by=world.director, until=due + timedelta(days=9), reason="x"
    )
    round_actions.remind(on=due - timedelta(days=7))
    assert mails(world.focal_point, "reminder:") == 0 and mails(world.other_focal_point, "reminder:") == 1
    round_actions.remind(on=due + timedelta(days=2))
    text = Message.objects.get(to=world.focal_point, occasion__startswith="reminder:").text
    day = due + timedelta(days=9)
    assert f"due on {day.day:02}" in text or str(day.year) in text
    assert mails(world.focal_point, "reminder:") == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_decide_on_an_extension_at_once_and_one_is_told(world):
    extension = obligations.ask_for_time(
        world.round, institution("KP-THB"), by=world.focal_point, until=in_days(20), reason="Floods."
    )
    ready, outcomes = threading.Barrier(2), []

    def press(user, grant) -> None:
        try:
            ready.wait(10)
            obligations.decide_on_time(extension, by=user, grant=grant, reason="So be it.")
            outcomes.append("granted" if grant else "refused")
        except Refused:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=pair) for pair in ((world.director, True), (world.planning, False))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    extension.refresh_from_db()
    assert sorted(outcomes) == sorted([extension.state, "told"])
    assert (world.request().extended_until is not None) == (extension.state == "granted")
    assert Message.objects.filter(occasion__startswith="extension:", to=world.focal_point).count() == 1


# Closing and opening again


def test_a_round_closed_while_somebody_writes_keeps_the_text_and_tells(world, client_for):
    entry = drafted(world.request(), world.focal_point)
    client = client_for("focal_point")
    round_actions.close_round(world.round, by=world.planning)
    data = {"revision": entry.revision, "language": "sq", "measure_state": "under_way", "done": "Fjalë e re."}
    page = client.post(reverse("strategy:progress-autosave", args=[entry.pk]), data).content.decode()
    assert "The round is closed" in page
    entry.refresh_from_db()
    assert entry.done == "Fjalë e re."
    data |= {"revision": entry.revision, "done": "Edhe më e re.", "submit": "1"}
    page = client.post(reverse("strategy:progress-edit", args=[entry.pk]), data).content.decode()
    assert "kept as a draft" in page and "Edhe më e re." in page
    entry.refresh_from_db()
    assert (entry.state, entry.done) == (EntryState.DRAFT, "Edhe më e re.")
    message = Message.objects.get(to=world.focal_point, occasion__startswith="round-closed:")
    assert "M1.2.3" in message.text and str(entry.pk) in message.text


def test_a_closed_round_is_opened_again_with_a_reason(world):
    entry = drafted(world.request(), world.focal_point)
    with pytest.raises(Refused, match="Only a closed round"):
        round_actions.reopen_round(world.round, by=world.director, reason="x")
    round_actions.close_round(world.round, by=world.planning)
    with pytest.raises(Refused, match="Say why"):
        round_actions.reopen_round(world.round, by=world.director, reason="")
    with pytest.raises(PermissionDenied):
        round_actions.reopen_round(world.round, by=world.monitoring, reason="x")
    round_actions.reopen_round(world.round, by=world.director, reason="Two reports were lost.", until=in_days(30))
    world.round.refresh_from_db()
    assert world.round.is_open and world.round.reopening_reason == "Two reports were lost."
    assert world.request().due_on == in_days(30) and mails(world.focal_point, "round-reopened:") == 1
    assert actions.submit_entry(entry, by=world.focal_point).state == EntryState.SUBMITTED


def test_a_round_is_opened_again_for_some_alone(world):
    mine, other = drafted(world.request(), world.focal_point), institution("MOH")
    theirs = drafted(
        ProgressRequest.objects.filter(round=world.round, institution=other).first(), world.other_focal_point
    )
    round_actions.close_round(world.round, by=world.planning)
    round_actions.reopen_round(
        world.round, by=world.director, reason="KP only.", institutions=[institution("KP-THB").pk]
    )
    assert actions.submit_entry(mine, by=world.focal_point).state == EntryState.SUBMITTED
    with pytest.raises(Refused, match="kept as a draft"):
        actions.submit_entry(theirs, by=world.other_focal_point)
    assert owed_by(world.other_focal_point) == []
    states = {one.state for one in with_answers(round_requests(world.round, world.director, other.code))}
    assert states == {"missing"} and mails(world.other_focal_point, "round-reopened:") == 0


def test_a_round_is_not_opened_again_beside_another_of_its_series(world):
    round_actions.close_round(world.round, by=world.planning)
    period = world.round.period.next()
    following = round_actions.schedule_round(world.plan, period, by=None, due_on=period.next().end)
    round_actions.open_round(following, by=world.planning)
    with pytest.raises(Refused, match="Another round of this series"):
        round_actions.reopen_round(world.round, by=world.director, reason="Two reports were lost.")


def test_an_accepted_entry_is_corrected_after_its_round_was_closed(world):
    entry = accepted(world.request(), world.focal_point, world.monitoring)
    round_actions.close_round(world.round, by=world.planning)
    correction = actions.start_correction(entry, by=world.focal_point)
    actions.save_entry(correction, answer(entry.request, value=3), by=world.focal_point, revision=correction.revision)
    late = actions.submit_entry(correction, by=world.focal_point, at=timezone.now() + timedelta(days=300))
    assert late.state == EntryState.SUBMITTED and not late.is_late
    actions.accept_entry(correction, by=world.monitoring)
    assert set(ProgressEntry.objects.final()) == {correction}


# Delegation


def colleague(world, code="KP-THB") -> User:
    user = User.objects.create_user("colleague@example.org", full_name="Colleague", language="en")
    RoleAssignment.objects.create(
        user=user, role=Role.FOCAL_POINT, institution=institution(code), starts_on=timezone.localdate()
    )
    return User.objects.get(pk=user.pk)


def test_a_report_is_handed_to_a_colleague_who_reports_and_taken_back(world):
    request, other = world.request(), colleague(world)
    obligations.delegate(request, other, by=world.focal_point)
    assert mails(other, "delegated:") == 1
    for user in (world.focal_point, other):
        assert next(one for one in owed_by(user) if one.request.pk == request.pk).delegate == other
    with pytest.raises(Refused, match="does not report"):
        obligations.delegate(request, world.other_focal_point, by=world.focal_point)
    with pytest.raises(PermissionDenied):
        obligations.delegate(request, world.other_focal_point, by=world.other_focal_point)
    with pytest.raises(PermissionDenied):
        obligations.delegate(request, other, by=world.director)
    obligations.delegate(request, None, by=world.focal_point)
    assert next(one for one in owed_by(other) if one.request.pk == request.pk).delegate is None


def test_a_delegation_ends_with_the_role_of_the_colleague_and_is_a_holding(world):
    from stakeholders import ownership

    request, other = world.request(), colleague(world)
    obligations.delegate(request, other, by=world.focal_point)
    assert [kind.key for kind, _records in ownership.held_by(other)] == ["delegation"]
    RoleAssignment.objects.filter(user=other).delete()
    assert next(one for one in owed_by(world.focal_point) if one.request.pk == request.pk).delegate is None
