"""Settings that hold from a day on, holidays, and schedules that catch up."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from onatc import dated_settings, schedules
from onatc.dated_settings import change, is_working_day, next_working_day, setting, take_back
from onatc.errors import Refused
from onatc.models import DatedSetting, Holiday, ScheduledRun, TrailEntry
from onatc.schedules import RunState, missed_days, once_today
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
