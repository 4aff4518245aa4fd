"""Deviations from the SOP: found by rule once, corrected, checked, closed; who sees and may what."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nrm import problems
from nrm.actions import care
from nrm.actions import deviations as actions
from nrm.models import (
    Clock,
    ClockPause,
    ClockState,
    Deviation,
    DeviationState,
    EventKind,
    Guardianship,
    Happening,
    Referral,
    RetainedKind,
    SopStep,
)
from nrm.oversight_sources import open_deviations
from nrm.queries import oversight
from nrm.queries.deviations import told
from onatc.errors import Refused
from onatc.models import Message
from stakeholders.actions.records import Stale
from stakeholders.calendar import month_of
from tests.mass_nrm import fill_cases
from tests.nrm.cases import institution, opened
from tests.nrm.test_procedure import version_with
from tests.nrm.watching import a_clock, a_deviation, a_step, being_corrected, correction
from tests.stakeholders.decided import a_body, a_draft, a_meeting, a_point, at_once, cost_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


def found(rule: str):
    return Deviation.objects.filter(rule=rule)


def late_at_csw(case, count: int = 5, **values):
    """Clocks of one step at the centre for social work, all late and open, none far too late."""
    return [a_clock(case, started=15, **values) for _one in range(count)]


# Found by rule


def test_a_pattern_is_found_once_however_often_the_rules_are_asked(world):
    late_at_csw(opened(world.focal_point))
    assert actions.find() >= 1
    one = found(problems.LATE).get()
    assert (one.institution, one.step, one.case, one.state) == (institution("CSW"), a_step(), None, "open")
    assert one.figures["part"] == 5 and one.figures["part_cases"] == 1 and one.what == ""
    assert actions.find() == 0 and found(problems.LATE).count() == 1


def test_four_clocks_records_entered_twice_and_what_a_file_brought_are_no_pattern(world):
    case = opened(world.focal_point)
    late_at_csw(case, 4)
    actions.find()
    assert not found(problems.LATE).exists()
    other = opened(world.focal_point)
    late_at_csw(other)
    type(case).objects.filter(pk=other.pk).update(duplicate_of=case)
    actions.find()
    assert not found(problems.LATE).exists()
    type(case).objects.filter(pk=other.pk).update(duplicate_of=None, is_imported=True)
    actions.find()
    assert not found(problems.LATE).exists()


def test_a_pattern_that_was_closed_is_left_alone_for_a_quarter(world, today):
    late_at_csw(opened(world.focal_point))
    actions.find()
    one = found(problems.LATE).get()
    actions.close_without_correction(one, by=world.director, cause="staff", check_note="Two people joined.")
    actions.find()
    assert found(problems.LATE).count() == 1
    Deviation.objects.filter(pk=one.pk).update(checked_on=today - timedelta(days=problems.QUIET_DAYS))
    actions.find()
    assert sorted(found(problems.LATE).values_list("state", flat=True)) == ["closed", "open"]


def test_half_the_cases_over_the_limit_are_found_with_the_survival_estimate(world):
    case = opened(world.focal_point)
    for took in (5, 6, 25, 26, 27):
        a_clock(case, step=12, started=40, took=took)
    actions.find()
    assert found(problems.LONG).get().figures["times"] == 250


def test_referrals_declined_or_unanswered_are_found_by_addressee(world, today):
    case = opened(world.focal_point)
    now = timezone.now()
    for state, due in (("declined", None), ("sent", now - timedelta(days=1)), *[("accepted", None)] * 3):
        Referral.objects.create(
            case=case,
            sender=institution("KP-THB"),
            addressee=institution("PVPT"),
            referred_on=today,
            state=state,
            answer_due_at=due,
            declined_on=today if state == "declined" else None,
            decline_reason="no_place" if state == "declined" else "",
            accepted_on=today if state == "accepted" else None,
        )
    actions.find()
    one = found(problems.UNANSWERED).get()
    assert (one.institution.code, one.step, one.figures["part"], one.figures["whole"]) == ("PVPT", None, 2, 5)


def test_a_pattern_is_about_a_step_in_whatever_version(world, today):
    case = opened(world.focal_point)
    late_at_csw(case, 3)
    version_with(16, today, amounts=[20])
    new = SopStep.objects.get(version__number=2, number=16)
    for clock in late_at_csw(case, 3):
        Clock.objects.filter(pk=clock.pk).update(step=new)
    actions.find()
    one = found(problems.LATE).get(institution=institution("CSW"))
    assert one.step == new and one.figures["part"] == 6
    version_with(16, today + timedelta(days=1), amounts=[30])
    assert actions.find(timezone.now() + timedelta(days=1)) >= 0
    assert found(problems.LATE).filter(institution=institution("CSW")).count() == 1


def test_a_clock_that_stands_still_is_not_late_for_it(world):
    case = opened(world.focal_point)
    for one in [a_clock(case, started=25, state=ClockState.PAUSED) for _one in range(6)]:
        ClockPause.objects.create(clock=one, starts_at=one.started_at + timedelta(days=2), reason="ill")
    actions.find()
    assert not found(problems.LATE).filter(step=a_step()).exists()
    assert not found(problems.LONG).filter(step=a_step()).exists()
    ClockPause.objects.filter(clock__case=case).update(ends_at=timezone.now() - timedelta(days=20))  # three days
    Clock.objects.filter(case=case, step=a_step()).update(
        state=ClockState.RUNNING, due_at=timezone.now() - timedelta(days=12)
    )
    actions.find()
    assert found(problems.LATE).get(step=a_step()).figures["part"] == 6
    assert found(problems.LONG).get(step=a_step()).figures["times"] == 220  # 22 days of ten


def test_the_rules_cost_the_same_for_three_times_as_many_cases(world):
    fill_cases(cases=40, by=world.director)

    def cost() -> int:
        Deviation.objects.all().delete()
        with CaptureQueriesContext(connection) as asked:
            assert actions.find() > 0
        assert actions.find() == 0
        return len(asked)

    few = cost()
    copies = [
        (one.pk, Happening.objects.create(case=one.case, kind="stable", happened_at=one.started_at), one)
        for one in Clock.objects.filter(state=ClockState.RUNNING).select_related("case")
        for _ in range(2)
    ]
    Clock.objects.bulk_create(
        Clock(
            case=one.case,
            step=one.step,
            trigger_event=event,
            owner=one.owner,
            started_at=one.started_at,
            due_at=one.due_at,
        )
        for _key, event, one in copies
    )
    assert copies and cost() == few


def test_a_clock_far_too_late_is_a_deviation_of_its_case_once_and_never_again(world):
    case = opened(world.focal_point)
    a_clock(case, started=30, limit=10)
    a_clock(case, started=30, limit=10, took=21)  # met, far too late
    a_clock(case, started=30, limit=10, took=19)  # met late, not twice over
    a_clock(case, started=30, limit=10, took=15, state=ClockState.ENDED)
    actions.find()
    rows = found(problems.FAR).filter(step=a_step())
    assert rows.count() == 2 and set(rows.values_list("case", "institution")) == {(case.pk, institution("CSW").pk)}
    actions.close_without_correction(rows[0], by=world.director, cause="recording", check_note="Recorded late.")
    actions.find()
    assert found(problems.FAR).filter(step=a_step()).count() == 2


def test_the_risk_that_was_not_assessed_again_is_one_deviation_of_its_clock(world):
    case = opened(world.focal_point)
    clock = a_clock(case, step=14, owner="KP-THB", started=70, limit=30)
    actions.find()
    assert Deviation.objects.get(clock=clock).rule == problems.RISK


def test_a_child_without_a_guardian_and_a_reflection_period_that_was_not_offered(world, today):
    child = opened(world.focal_point, profile={"age_at_referral": 15})
    Happening.objects.create(
        case=child, kind=EventKind.PRESUMED, happened_at=timezone.now() - timedelta(days=5), has_time=True
    )
    other = opened(world.focal_point, profile={"age_at_referral": 15})
    Guardianship.objects.create(case=other, kind="csw", appointed_by=institution("CSW"), starts_on=today)
    for kind in (EventKind.PRESUMED, EventKind.REFLECTION_OFFERED):
        Happening.objects.create(case=other, kind=kind, happened_at=timezone.now() - timedelta(days=5), has_time=True)
    actions.find()
    assert found(problems.GUARDIAN).get().case == child and found(problems.REFLECTION).get().case == child
    actions.find()
    assert Deviation.objects.filter(case=child, clock=None).count() == 2


def test_an_event_without_an_hour_makes_nobody_late_before_its_day_is_over(world):
    case = opened(world.focal_point)
    Happening.objects.create(
        case=case, kind=EventKind.PRESUMED, happened_at=timezone.now() - timedelta(days=3, hours=1), has_time=False
    )
    assert not [one for rule in oversight.in_cases() for one in rule(timezone.now()) if one.rule == problems.REFLECTION]


def test_a_closed_case_has_no_open_duties_and_institutions_that_are_gone_correct_nothing(world, today):
    case = opened(world.focal_point)
    late_at_csw(case)
    type(institution("CSW")).objects.filter(code="CSW").update(dissolved_on=today)
    actions.find()
    assert not found(problems.LATE).exists()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_record_a_pattern_once(world):
    case = opened(world.focal_point)
    late_at_csw(case)
    a_clock(case, started=60, limit=10)
    results = at_once(actions.find, actions.find)
    assert not [one for one in results if isinstance(one, Exception)]
    assert found(problems.LATE).filter(step=a_step()).count() == 1
    assert found(problems.FAR).filter(step=a_step()).count() == 1


# Recorded, corrected, checked


def test_recorded_by_hand_once_and_only_by_the_office(world, today):
    key, values = uuid.uuid4(), {"found_on": today, "institution": institution("KP-THB"), "what": "x", "language": "en"}
    first = actions.record(key, values, by=world.planning)
    assert actions.record(key, values, by=world.planning) == first and Deviation.objects.count() == 1
    with pytest.raises(Refused, match="used already"):
        actions.record(key, values, by=world.director)
    case = opened(world.focal_point)
    for name in ("focal_point", "natc", "observer", "information", "administrator", "stranger"):
        with pytest.raises(PermissionDenied):
            a_deviation(getattr(world, name))
    for name in ("planning", "child", "focal_point"):  # the case is not a child's
        with pytest.raises(PermissionDenied):
            a_deviation(getattr(world, name), case=case)
    with pytest.raises(Refused) as refusal:
        a_deviation(world.monitoring, case=case, found_on=case.opened_on - timedelta(days=1))
    assert refusal.value.field == "found_on"
    with pytest.raises(Refused):
        a_deviation(world.monitoring, found_on=today + timedelta(days=1))
    with pytest.raises(Refused, match="Say what was found"):
        a_deviation(world.monitoring, what="")


def test_the_whole_way_of_a_correction(world, today):
    one = being_corrected(world.monitoring)
    assert one.state == DeviationState.CORRECTING
    assert Message.objects.filter(occasion__startswith=f"deviation {one.pk} to correct").count() == 1
    arguments = {"done_on": today, "done_note": "The list hangs on the wall."}
    with pytest.raises(PermissionDenied):
        actions.report_done(one, by=world.other_focal_point, **arguments)
    one = actions.report_done(one, by=world.focal_point, **arguments)
    assert actions.report_done(one, by=world.focal_point, **arguments).revision == one.revision
    with pytest.raises(Refused, match="already"):
        actions.report_done(one, by=world.monitoring, **arguments)
    with pytest.raises(PermissionDenied):
        actions.check(one, by=world.focal_point, is_corrected=True, check_note="x")
    with pytest.raises(Refused, match="Say by when"):
        actions.check(one, by=world.director, is_corrected=False, check_note="It is not used.")
    one = actions.check(
        one, by=world.director, is_corrected=False, check_note="It is not used.", due_on=today + timedelta(days=9)
    )
    assert (one.state, one.done_on, one.due_on) == (DeviationState.CORRECTING, None, today + timedelta(days=9))
    one = actions.report_done(one, by=world.director, **arguments)
    with pytest.raises(Refused, match="somebody else"):
        actions.check(one, by=world.director, is_corrected=True, check_note="Used since.")
    one = actions.check(one, by=world.monitoring, is_corrected=True, check_note="Used since.")
    assert one.state == DeviationState.CLOSED and one.closed_by == world.monitoring
    with pytest.raises(Refused, match="closed already"):
        actions.report_done(one, by=world.focal_point, done_on=today, done_note="again")
    one = actions.reopen(one, by=world.director, reason="It happened again.", due_on=today + timedelta(days=5))
    assert one.state == DeviationState.CORRECTING and one.closed_by is None
    assert actions.reopen(one, by=world.director, reason="It happened again.", due_on=None).revision == one.revision


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"due_on": None}, "due_on"),
        ({"due_on": timezone.localdate() - timedelta(days=1)}, "due_on"),
        ({"due_on": timezone.localdate() + timedelta(days=2000)}, "due_on"),
    ],
)
def test_a_correction_has_a_day_that_can_be_kept(world, values, field):
    one = a_deviation(world.director)
    with pytest.raises(Refused) as refusal:
        actions.correct(one, correction(**values), by=world.director, revision=0)
    assert refusal.value.field == field
    with pytest.raises(Refused, match="cause"):
        actions.correct(one, correction(cause=""), by=world.director, revision=0)


def test_a_correction_is_not_reported_before_it_was_found_nor_without_words(world, today):
    one = being_corrected(world.director, found_on=today - timedelta(days=3))
    for day, note in ((today + timedelta(days=1), "x"), (today - timedelta(days=4), "x"), (today, " ")):
        with pytest.raises(Refused):
            actions.report_done(one, by=world.focal_point, done_on=day, done_note=note)


def test_a_stale_correction_shows_what_a_colleague_wrote(world):
    one = being_corrected(world.director)
    with pytest.raises(Stale) as stale:
        actions.correct(one, correction(action="Another action."), by=world.monitoring, revision=0)
    assert ("corrective action", "A duty list is made.") in stale.value.changed


def test_a_pattern_found_again_meanwhile_is_not_opened_a_second_time(world, today):
    late_at_csw(opened(world.focal_point))
    actions.find()
    first = found(problems.LATE).get()
    actions.close_without_correction(first, by=world.director, cause="staff", check_note="x")
    Deviation.objects.filter(pk=first.pk).update(checked_on=today - timedelta(days=100))
    actions.find()
    with pytest.raises(Refused, match="found again"):
        actions.reopen(first, by=world.director, reason="x", due_on=None)


@pytest.mark.django_db(transaction=True)
def test_two_who_report_and_two_who_check_at_once(world, today):
    one = being_corrected(world.director)
    people = [world.focal_point, world.monitoring]
    results = at_once(
        *(lambda by=by: actions.report_done(one, by=by, done_on=today, done_note=f"done by {by.pk}") for by in people)
    )
    assert sum(isinstance(result, Refused) for result in results) == 1
    Deviation.objects.filter(pk=one.pk).update(done_by=world.focal_point)
    results = at_once(
        lambda: actions.check(one, by=world.director, is_corrected=True, check_note="yes"),
        lambda: actions.check(one, by=world.monitoring, is_corrected=False, check_note="no", due_on=today),
    )
    assert sum(isinstance(result, Refused) for result in results) == 1


def test_words_go_when_a_case_is_destroyed_and_the_count_stays(world, today):
    case = opened(world.focal_point)
    by_hand = a_deviation(world.monitoring, case=case, what="What nobody may read any more.")
    actions.close_without_correction(by_hand, by=world.director, cause="staff", check_note="Looked at it.")
    a_clock(case, started=40, limit=10)
    actions.find()
    other = a_deviation(world.director)
    kept = Deviation.objects.filter(case=case).count()
    with transaction.atomic():
        care.DESTROYS[RetainedKind.CASE]([case])
    rows = Deviation.objects.filter(case=case)
    assert rows.count() == kept and not rows.filter(what__contains="nobody").exists()
    by_hand.refresh_from_db()
    assert (by_hand.check_note, by_hand.cause, by_hand.state, by_hand.closed_by) == ("-", "staff", "closed", None)
    assert not Deviation.pgh_event_model.objects.filter(what__contains="nobody").exists()
    other.refresh_from_db()
    assert other.what == "Nobody told the advocate." and not {
        one.shown_case for one in told([by_hand], world.director)
    } - {None}


# Reminders, agendas, the calendar


def test_a_due_correction_is_recalled_once_before_and_once_after(world, today):
    one = being_corrected(world.director)
    Message.objects.all().delete()
    for day in (today, one.due_on - timedelta(days=7), one.due_on - timedelta(days=6), one.due_on):
        actions.remind(day)
    before = Message.objects.count()
    assert before == 1
    for extra in (1, 2, 30):
        actions.remind(one.due_on + timedelta(days=extra))
    assert Message.objects.count() == 2
    texts = " ".join(Message.objects.values_list("text", flat=True))
    assert "duty list" not in texts and reverse("nrm:deviation-detail", args=[one.pk]) in texts


def test_agendas_hear_of_patterns_by_name_and_of_cases_together(world, today):
    case = opened(world.focal_point)
    late_at_csw(case)
    for _one in range(2):
        a_clock(case, started=40, limit=10)
    actions.find()
    by_hand = a_deviation(world.director, owner="PVPT")
    meeting = a_draft(world.director)
    points = list(open_deviations(meeting, world.director, 50))
    titles = [point.title.get("en") for point in points]
    assert by_hand.what in titles
    assert "CSW: A step is often late (16. Reintegration plan agreed)" in titles
    assert titles.count("Deviations in cases: 16. Reintegration plan agreed") == 1
    assert case.marker not in str(points) and str(case) not in str(points)
    assert len(next(one for one in points if one.key == str(found(problems.LATE).get().pk)).title) == 3
    group = a_draft(world.director, body=a_body("wg", kind="group", name_sq="Grupi"))
    assert list(open_deviations(group, world.director, 50)) == []


def test_the_calendar_says_what_is_due_without_a_marker_to_who_may_see_it(world, today):
    case = opened(world.focal_point)
    one = a_deviation(world.monitoring, case=case)
    actions.correct(one, correction(due_on=today + timedelta(days=1)), by=world.monitoring, revision=0)
    first = (today + timedelta(days=1)).replace(day=1)
    mine = month_of(world.focal_point, first).found["corrections"]
    assert [entry.title for entry in mine] == ["Correction due: " + institution("KP-THB").short]
    assert not month_of(world.planning, first).found["corrections"]
    assert not month_of(world.other_focal_point, first).found["corrections"]


# Pages and rights


def test_who_sees_which_deviations(world):
    case = opened(world.focal_point)
    child = opened(world.focal_point, profile={"age_at_referral": 15})
    rows = {
        "case": a_deviation(world.director, case=case, owner="MOH"),
        "child": a_deviation(world.director, case=child, owner="KP-THB"),
        "pattern": a_deviation(world.director, owner="PVPT"),
    }
    expected = {
        "director": {"case", "child", "pattern"}, "monitoring": {"case", "child", "pattern"},
        "planning": {"pattern"}, "natc": {"pattern"}, "child": {"child", "pattern"},
        "focal_point": {"child"}, "other_focal_point": {"case"},
        "information": set(), "observer": set(), "administrator": set(), "stranger": set(),
    }  # fmt: skip
    for name, seen in expected.items():
        visible = set(Deviation.objects.visible_to(getattr(world, name)))
        assert {key for key, one in rows.items() if one in visible} == seen, name


def test_a_marker_stands_only_before_who_sees_the_case(world, client_for):
    case = opened(world.focal_point)
    one = a_deviation(world.director, case=case, owner="MOH")  # which takes no part in the case
    for page in (one.get_absolute_url(), reverse("nrm:deviation-list"), reverse("nrm:deviation-export")):
        answer = client_for("other_focal_point").get(page)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200 and str(case) not in body.decode() and case.marker not in body.decode()
        answer = client_for("director").get(page)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert str(case) in body.decode()
    assert client_for("planning").get(one.get_absolute_url()).status_code == 404
    assert client_for("observer").get(reverse("nrm:deviation-list")).status_code == 403


def test_figures_of_a_pattern_are_told_to_who_sees_all_cases_and_to_whose_they_are(world, client_for):
    case = opened(world.focal_point)
    for _one in range(6):
        a_clock(case, owner="KP-THB", started=15)
    actions.find()
    one = found(problems.LATE).get(step=a_step())
    sentence = "6 of 6 times"
    for name, sees in (("director", True), ("focal_point", True), ("planning", False), ("natc", False)):
        page = client_for(name).get(one.get_absolute_url()).content.decode()
        assert (sentence in page) == sees, name
        assert ("whole_cases" in page) is False
    exported = b"".join(client_for("planning").get(reverse("nrm:deviation-export")).streaming_content).decode()
    assert sentence not in exported and "late here" in exported


def test_the_child_protection_officer_does_not_find_the_adults_of_a_pattern(world, client_for):
    def a_case(**profile):
        case = opened(world.focal_point, profile=profile)
        a_clock(case, owner="KP-THB", started=15)
        Referral.objects.create(
            case=case, sender=institution("KP-THB"), addressee=institution("PVPT"), referred_on=timezone.localdate(),
            state="declined", declined_on=timezone.localdate(), decline_reason="no_place",
        )  # fmt: skip

    for _one in range(6):
        a_case(age_at_referral=12)
    for _one in range(3):
        a_case()
    actions.find()
    late, unanswered = found(problems.LATE).get(step=a_step()), found(problems.UNANSWERED).get()
    for one in (late, unanswered):
        assert (one.figures["part_children"], one.figures["whole_children"]) == (6, 6)
        shown = {name: told([one], getattr(world, name))[0].said for name in ("director", "planning", "child")}
        assert "9 of 9" in shown["director"]
        assert "9 of 9" in shown["planning"] and "9" not in shown["child"]


def test_the_pages_do_what_they_say_and_a_form_sent_twice_records_once(world, client_for, today):
    case = opened(world.focal_point)
    client, key = client_for("monitoring"), uuid.uuid4()
    data = {
        "key": key, "source": "person", "found_on": today, "institution": institution("KP-THB").pk, "what": "Not told.",
        "language": "en",
    }  # fmt: skip
    for _again in range(2):
        assert client.post(reverse("nrm:case-deviation", args=[case.marker]), data).status_code == 302
    one = Deviation.objects.get(case=case)
    named = client.post(
        reverse("nrm:deviation-create"), data | {"key": uuid.uuid4(), "what": "Arta Krasniqi, tel. 044 123 456"}
    )
    assert named.status_code == 200 and "is_checked" in named.content.decode()
    point = a_point(a_meeting(world.director), world.director)
    wanted = {
        "revision": 0, "cause": "knowledge", "action": "A training.", "institution": institution("KP-THB").pk,
        "due_on": today + timedelta(days=9), "point": point.pk,
    }  # fmt: skip
    assert client.post(reverse("nrm:deviation-correct", args=[one.pk]), wanted).status_code == 302
    theirs = client_for("focal_point")
    page = theirs.get(one.get_absolute_url()).content.decode()
    assert "Report that it is corrected" in page and "Check the correction" not in page
    assert theirs.post(
        reverse("nrm:deviation-done", args=[one.pk]), {"done_on": today, "done_note": "Trained."}
    ).status_code == 302  # fmt: skip
    assert theirs.post(reverse("nrm:deviation-check", args=[one.pk]), {"is_corrected": "1"}).status_code == 403
    assert client.post(
        reverse("nrm:deviation-check", args=[one.pk]), {"is_corrected": "1", "check_note": "Seen."}
    ).status_code == 302  # fmt: skip
    one.refresh_from_db()
    assert (one.state, one.point) == (DeviationState.CLOSED, point)
    for name, sees in (("director", True), ("planning", False)):  # who sees no case, sees no deviation of one
        assert (one.get_absolute_url() in client_for(name).get(point.get_absolute_url()).content.decode()) == sees
    rules = client_for("planning").get(reverse("nrm:problem-rules")).content.decode()
    assert all(str(rule.title) in rules for rule in problems.RULES.values())


def test_overdue_is_marked_counted_and_filtered(world, client_for, today):
    one = being_corrected(world.director)
    Deviation.objects.filter(pk=one.pk).update(due_on=today - timedelta(days=1))
    a_deviation(world.director, what="Another matter.")
    client = client_for("director")
    page = client.get(reverse("nrm:deviation-list") + "?due=overdue").content.decode()
    assert "1 correction is overdue" in page and one.what in page and "Another matter." not in page
    assert client.get(reverse("nrm:deviation-list") + "?due=nonsense&state=x&institution=y").status_code == 200


def test_lists_and_the_case_page_cost_the_same_however_much_they_show(world, client_for):
    case = opened(world.focal_point)
    client = client_for("director")
    for _one in range(2):
        a_deviation(world.director, case=case)
    before = cost_of(client, reverse("nrm:deviation-list"))
    for _one in range(8):
        a_deviation(world.director, case=case, owner="MOH")
    assert cost_of(client, reverse("nrm:deviation-list")) <= before + 1
    client.post(
        f"{reverse('state-purpose')}?scope=case:{case.pk}&next={case.get_absolute_url()}", {"purpose": "Checking"}
    )
    assert "Nobody told the advocate." in client.get(case.get_absolute_url()).content.decode()
