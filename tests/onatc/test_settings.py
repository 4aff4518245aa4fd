"""Settings that hold from a day on, holidays, and schedules that catch up."""

from __future__ import annotations

import io
import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.text import capfirst
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from onatc import dated_settings, schedules, trail
from onatc.dated_settings import (
    DEFINITIONS,
    SettingName,
    add_holiday,
    change,
    is_working_day,
    next_working_day,
    remove_holiday,
    setting,
    settings_between,
    take_back,
)
from onatc.errors import Refused
from onatc.models import DatedSetting, Holiday, ScheduledRun, TrailEntry
from onatc.periods import Period
from onatc.schedules import RunState, missed_days, once_today
from strategy.actions.rounds import usual_due_date
from tests.processes import until

pytestmark = pytest.mark.django_db


def test_a_setting_holds_from_its_day_on_and_the_past_keeps_what_held(world):
    today = timezone.localdate()
    change("due_days", 20, by=world.director, valid_from=today + timedelta(days=5))
    assert (setting("due_days", today + timedelta(days=4)), setting("due_days", today + timedelta(days=5))) == (15, 20)
    assert TrailEntry.objects.filter(act="changed_setting").exists()
    with pytest.raises(Refused, match="from today"):
        change("due_days", 20, by=world.director, valid_from=today - timedelta(days=1))
    with pytest.raises(PermissionDenied):
        change("due_days", 20, by=world.planning, valid_from=today)


def test_two_values_on_one_day_are_refused_where_it_happened(world, client_for):
    """Bad input: a setting with two values on one day."""
    client = client_for("director")
    url, today = reverse("settings-change", args=["due_days"]), timezone.localdate().isoformat()
    assert client.post(url, {"number": "20", "valid_from": today}).status_code == 302
    page = client.post(url, {"number": "25", "valid_from": today}).content.decode()
    assert "from that day already" in page and 'value="25"' in page
    take_back(DatedSetting.objects.get(), by=world.director)
    assert setting("due_days", timezone.localdate()) == 15


def test_what_has_been_in_force_is_not_taken_back(world):
    row = DatedSetting.objects.create(name="due_days", value=9, valid_from=timezone.localdate() - timedelta(days=2))
    with pytest.raises(Refused, match="on record"):
        take_back(row, by=world.director)


@pytest.mark.parametrize(
    "data", [{}, {"number": "x"}, {"number": "-1"}, {"number": "9" * 40}, {"valid_from": "31.02.2026"}]
)
def test_bad_values_are_named_at_their_field(world, client_for, data):
    answer = client_for("director").post(reverse("settings-change", args=["due_days"]), data)
    assert answer.status_code == 200 and not DatedSetting.objects.exists()


def test_the_offices_name_signatory_and_logo_stand_on_reports(world, client_for):
    from monitoring import actions as reports
    from monitoring.report import document

    picture = io.BytesIO()
    Image.new("RGB", (40, 20), "navy").save(picture, "PNG")
    client, today = client_for("director"), timezone.localdate().isoformat()
    upload = SimpleUploadedFile("logo.png", picture.getvalue())
    assert (
        client.post(reverse("settings-change", args=["logo"]), {"picture": upload, "valid_from": today}).status_code
        == 302
    )
    names = {"sq": "Zyra e re", "sr": "Nova kancelarija", "en": "The new office"}
    client.post(reverse("settings-change", args=["office_name"]), names | {"valid_from": today})
    from onatc.periods import Period

    report = reports.draft_report(world.plan, Period.quarter_of(timezone.localdate()), by=world.planning)
    html = document.html(report.data, {}, "en", fingerprint="f", is_draft=True, issue=1)
    assert "The new office" in html and 'src="logo.png"' in html
    assert dated_settings.logo_bytes(report.data["office"]["logo"]) == picture.getvalue()
    assert client.get(reverse("settings-list")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_many_people_at_once_one_sets_the_value_and_the_others_are_told(world):
    """Bad input: a setting with two values on one day, by real connections at the same moment."""
    people, today = [world.director, world.administrator], timezone.localdate()
    ready, outcomes = threading.Barrier(8), []

    def press(number: int) -> None:
        try:
            ready.wait(timeout=60)
            change("due_days", 20 + number, by=people[number % 2], valid_from=today)
            outcomes.append(True)
        except Refused:
            outcomes.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]
    assert setting("due_days", today) == DatedSetting.objects.get().value
    assert TrailEntry.objects.filter(act="changed_setting").count() == 1


def test_a_value_taken_back_twice_is_gone_once_and_its_history_stays(world, client_for):
    client, today = client_for("director"), timezone.localdate()
    url = reverse("settings-change", args=["due_days"])
    client.post(url, {"number": "27", "valid_from": (today + timedelta(days=3)).isoformat()})
    row = DatedSetting.objects.get()
    take_back(row, by=world.director)
    take_back(row, by=world.director)
    assert TrailEntry.objects.filter(act="changed_setting").count() == 2
    assert client.post(reverse("settings-take-back", args=[row.pk])).status_code == 404
    page = client.get(url).content.decode()
    history = page[page.index("<summary>") :]
    assert "created" in history and "deleted" in history and history.count("27") >= 2
    assert str(world.director) in history


def test_a_clock_set_back_does_not_open_the_past(world, monkeypatch):
    """R16: what held on the day of the last entry of the trail is not changed again."""
    today, now = timezone.localdate(), timezone.now()
    row = change("due_days", 20, by=world.director, valid_from=today)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=2))
    trail.record(trail.Act.READ, by=world.director)
    monkeypatch.setattr(timezone, "now", lambda: now)
    with pytest.raises(Refused, match="has been in force"):
        take_back(row, by=world.director)
    with pytest.raises(Refused, match="from today"):
        change("signal_tolerance", 10, by=world.director, valid_from=today + timedelta(days=1))
    with pytest.raises(Refused, match="today or a later day"):
        add_holiday(Holiday(day=today + timedelta(days=1), name_sq="X"), by=world.director)
    change("signal_tolerance", 10, by=world.director, valid_from=today + timedelta(days=2))
    # A clock that once ran years ahead does not close the settings for years.
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=900))
    trail.record(trail.Act.READ, by=world.director)
    monkeypatch.undo()
    change("signal_news_days", 100, by=world.director, valid_from=today)


def test_every_setting_is_there_under_its_heading_with_words_in_three_languages(world, client_for):
    assert set(DEFINITIONS) == set(SettingName)
    client = client_for("director")
    for language in ("sq", "sr-latn", "en"):
        type(world.director).objects.filter(pk=world.director.pk).update(language=language)
        page = client.get(reverse("settings-list")).content.decode()
        with translation.override(language):
            for name in SettingName:
                assert escape(str(capfirst(name.label))) in page, (language, name)
    for name in SettingName:
        assert client.get(reverse("settings-change", args=[name])).status_code == 200, name


def test_who_may_not_change_settings_does_not_see_them(world, client_for):
    for name in ("natc", "planning", "monitoring", "focal_point", "observer", "stranger"):
        client = client_for(name)
        assert client.get(reverse("settings-list")).status_code == 403
        assert client.post(reverse("settings-change", args=["due_days"]), {"number": "1"}).status_code == 403
        with pytest.raises(PermissionDenied):
            add_holiday(Holiday(day=timezone.localdate(), name_sq="X"), by=getattr(world, name))
    assert client_for("administrator").get(reverse("settings-list")).status_code == 200


def test_a_value_that_changes_within_a_span_is_asked_for_day_by_day(world, django_assert_num_queries):
    today = timezone.localdate()
    change("due_days", 20, by=world.director, valid_from=today + timedelta(days=2))
    change("due_days", 30, by=world.director, valid_from=today + timedelta(days=4))
    with django_assert_num_queries(1):
        on = settings_between("due_days", today, today + timedelta(days=9))
        found = [on(today + timedelta(days=number)) for number in range(6)]
    assert found == [15, 15, 20, 20, 30, 30]
    assert found == [setting("due_days", today + timedelta(days=number)) for number in range(6)]


def test_the_reflection_period_has_the_length_of_its_day(world):
    """Thirty days under the old procedures, ninety since (domain: the day of the change is assumed)."""
    on = settings_between("sop_reflection_days", date(2023, 1, 1), date(2030, 1, 1))
    for day, length in ((date(2023, 12, 31), 30), (date(2024, 1, 1), 90)):
        assert setting("sop_reflection_days", day) == on(day) == length


def test_signals_are_judged_by_the_limits_of_their_quarter(world):
    """A tolerance changed from the next quarter on leaves the running quarter as it was."""
    from strategy.actions.signals import rule_limits
    from strategy.signal import SHIPPED, Limits

    running = Period.quarter_of(timezone.localdate())
    following = running.next()
    for name, value in (("tolerance", 5), ("news_days", 100), ("first_days", 60), ("start_share", 10)):
        change(f"signal_{name}", value, by=world.director, valid_from=following.start)
    assert rule_limits(running.end) == SHIPPED
    assert rule_limits(following.end) == Limits(tolerance=5, news_days=100, first_days=60, start_share=10)


def test_a_report_is_due_on_a_day_on_which_the_office_is_open(world):
    period = Period.quarter_of(timezone.localdate()).next().next()
    usual = period.end + timedelta(days=setting("due_days", period.end))
    Holiday.objects.filter(day__range=(usual, usual + timedelta(days=40))).delete()
    for number in range(5):
        Holiday.objects.create(day=usual + timedelta(days=number), name_sq="Festë")
    due = usual_due_date(period)
    assert due >= usual + timedelta(days=5) and due.weekday() < 5
    assert (due - usual).days <= 7


def test_office_hours_begin_before_they_end(world):
    with pytest.raises(Refused, match="before they end"):
        change("office_closes", 7, by=world.director, valid_from=timezone.localdate())
    with pytest.raises(Refused, match="before they end"):
        change("office_opens", 19, by=world.director, valid_from=timezone.localdate())


def test_the_past_has_the_holidays_it_had(world, client_for):
    client, past = client_for("director"), timezone.localdate() - timedelta(days=1)
    Holiday.objects.filter(day__gte=past).delete()
    page = client.post(reverse("holiday-add"), {"day": past.isoformat(), "name_sq": "Ditë zie"}).content.decode()
    assert "the past was as it was" in page and not Holiday.objects.filter(day=past).exists()
    over = Holiday.objects.create(day=past, name_sq="Ditë zie")
    with pytest.raises(Refused, match="over"):
        remove_holiday(over, by=world.director)
    added = Holiday(day=past + timedelta(days=8), name_sq="Ditë zie")
    add_holiday(added, by=world.director)
    with pytest.raises(Refused, match="already"):
        add_holiday(Holiday(day=added.day, name_sq="X"), by=world.director)
    remove_holiday(added, by=world.director)
    remove_holiday(added, by=world.director)
    assert TrailEntry.objects.filter(record_kind="onatc.holiday").count() == 2


def test_a_logo_is_drawn_anew_without_what_stood_beside_its_points(world, client_for):
    from PIL.PngImagePlugin import PngInfo

    beside = PngInfo()
    beside.add_text("Comment", "Canary")
    picture = io.BytesIO()
    Image.new("RGB", (40, 20), "navy").save(picture, "PNG", pnginfo=beside)
    client, url = client_for("director"), reverse("settings-change", args=["logo"])
    day = timezone.localdate().isoformat()
    upload = SimpleUploadedFile("logo.png", picture.getvalue() + b"<script>Canary</script>")
    assert client.post(url, {"picture": upload, "valid_from": day}).status_code == 302
    kept = dated_settings.logo_bytes(setting("logo", timezone.localdate()))
    assert kept.startswith(b"\x89PNG") and b"Canary" not in kept
    wide = io.BytesIO()
    Image.new("1", (2001, 1)).save(wide, "PNG")
    for name, body in (("logo.png", wide.getvalue()), ("logo.jpg", picture.getvalue()), ("logo.svg", b"<svg/>")):
        upload = SimpleUploadedFile(name, body)
        answer = client.post(url, {"picture": upload, "valid_from": day})
        assert answer.status_code == 200 and "invalid-feedback" in answer.content.decode(), name


@pytest.mark.parametrize("body", [b"", b"x", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"0" * 100, b"0" * 300_000])
def test_what_is_no_picture_is_refused_with_a_sentence(world, client_for, body):
    upload = SimpleUploadedFile("logo.png", body)
    answer = client_for("director").post(
        reverse("settings-change", args=["logo"]), {"picture": upload, "valid_from": timezone.localdate().isoformat()}
    )
    assert answer.status_code == 200 and "invalid-feedback" in answer.content.decode()


def test_the_holidays_ship_and_the_office_adds_its_own(world, client_for):
    if not Holiday.objects.exists():
        dated_settings.load_holidays(lambda name: Holiday, range(2022, 2036))
    assert Holiday.objects.get(day=date(2026, 2, 17)).name_sq.startswith("Dita e Pavarësisë")
    day = timezone.localdate() + timedelta(days=3)
    Holiday.objects.filter(day=day).delete()
    client = client_for("director")
    client.post(reverse("holiday-add"), {"day": day.isoformat(), "name_sq": "Ditë zie"})
    assert (
        "invalid-feedback"
        in client.post(reverse("holiday-add"), {"day": day.isoformat(), "name_sq": "X"}).content.decode()
    )
    client.post(reverse("holiday-remove", args=[Holiday.objects.get(day=day).pk]))
    assert not Holiday.objects.filter(day=day).exists()


@given(
    st.dates(date(2022, 1, 1), date(2035, 12, 1)), st.sets(st.dates(date(2022, 1, 1), date(2035, 12, 31)), max_size=20)
)
def test_the_next_working_day_is_one_and_the_first(day, closed):
    found = next_working_day(day, closed)
    assert is_working_day(found, closed) and found >= day
    assert not any(is_working_day(day + timedelta(days=number), closed) for number in range((found - day).days))


@pytest.mark.parametrize(
    ("last", "today", "missed"),
    [
        (None, date(2026, 3, 1), 0),
        (date(2026, 2, 28), date(2026, 3, 1), 0),
        (date(2024, 2, 27), date(2024, 3, 1), 2),  # the leap day counts
        (date(2025, 12, 29), date(2026, 1, 2), 3),
        (date(2026, 3, 2), date(2026, 3, 1), 0),  # a clock set back
        (date(2020, 1, 1), date(2026, 1, 1), 31),
    ],
)
def test_the_days_between_two_runs_were_missed(last, today, missed):
    days = missed_days(last, today)
    assert len(days) == missed and all(day < today for day in days)


def test_a_daily_task_runs_once_a_day_and_says_which_days_it_missed():
    """R11: beat off for three days, then two beats."""
    calls = []
    day = date(2026, 5, 1)
    assert once_today("t", lambda: calls.append(1), today=day)
    assert not once_today("t", lambda: calls.append(1), today=day)
    later = day + timedelta(days=4)
    assert once_today("t", lambda: calls.append(1), today=later) and len(calls) == 2
    assert ScheduledRun.objects.filter(name="t", state=RunState.SKIPPED).count() == 3


def test_a_task_that_failed_or_was_interrupted_runs_again():
    def fail() -> None:
        raise OSError

    with pytest.raises(OSError):
        once_today("t", fail)
    assert ScheduledRun.objects.get().state == RunState.FAILED
    assert once_today("t", lambda: None)
    ScheduledRun.objects.update(state=RunState.RUNNING, started_at=timezone.now())
    assert not once_today("t", lambda: None)
    ScheduledRun.objects.update(started_at=timezone.now() - timedelta(hours=2))
    assert once_today("t", lambda: None)


@pytest.mark.django_db(transaction=True)
def test_of_two_beats_one_speaks_and_the_other_takes_over():
    from onatc.celery import app

    first, second = (schedules.SingleScheduler(app, lazy=True) for _number in range(2))
    try:
        assert first._has_the_turn() and first._has_the_turn()
        assert not second._has_the_turn()
        first._own.close()
        until(second._has_the_turn, "the second beat has the turn")  # the server notices in its own time
    finally:
        for one in (first, second):
            if one._own is not None:
                one._own.close()
