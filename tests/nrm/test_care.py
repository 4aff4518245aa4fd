"""Emergency access, retention and destruction, requests of persons, breaches with their 72 hours (T26, T37, T38)."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import CharField, ForeignKey, TextField
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from hypothesis import given
from hypothesis import strategies as st

from nrm import destroyed
from nrm.actions import assistance, care
from nrm.markers import new_marker
from nrm.models import (
    Assistance,
    Breach,
    Case,
    Clock,
    ClockPause,
    Destruction,
    EmergencyAccess,
    Merge,
    OwnFileNumber,
    PersonRequest,
    Referral,
    ReferralReceipt,
    Return,
    Stay,
    TwinToken,
)
from nrm.queries.care import falling_due, held_about
from nrm.retention import closed_by, falls_due_on, notice_clock
from onatc.errors import Refused
from onatc.keys import seal
from onatc.models import Message
from onatc.trail import TrailEntry
from tests.nrm.cases import institution, opened

PRISHTINA = ZoneInfo("Europe/Belgrade")

# The rules


@given(st.dates(date(1990, 1, 1), date(2090, 12, 31)), st.integers(1, 600))
def test_what_was_closed_by_the_day_falls_due_and_nothing_later(today, months):
    last = closed_by(today, months)
    assert falls_due_on(last, months) <= today < falls_due_on(last + timedelta(days=1), months)


def test_a_leap_day_and_the_end_of_a_month():
    assert falls_due_on(date(2024, 2, 29), 12) == date(2025, 3, 1)
    assert falls_due_on(date(2024, 8, 31), 6) == date(2025, 3, 1)
    assert closed_by(date(2025, 3, 1), 12) == date(2024, 2, 29)


def test_the_seventy_two_hours_are_real_hours_also_when_the_clock_changes():
    known = datetime(2026, 10, 24, 12, tzinfo=PRISHTINA)  # the clock goes back on the 25th
    clock = notice_clock(
        known, datetime(2026, 10, 27, 11, 59, tzinfo=PRISHTINA).astimezone(timezone.get_current_timezone())
    )
    assert clock.is_over  # by the wall three days less a minute, in truth 72 hours and 59 minutes
    known = known.astimezone(UTC)
    assert notice_clock(known, known + timedelta(hours=72)).hours_left == 0
    assert not notice_clock(known, known + timedelta(hours=72)).is_over
    assert notice_clock(known, known + timedelta(hours=72, seconds=1)).is_over


# Emergencies


def test_an_emergency_opens_a_foreign_case_for_hours_and_tells_the_director(world):
    case = opened(world.focal_point)
    other = world.other_focal_point
    assert not Case.objects.visible_to(other).filter(pk=case.pk)
    one = care.open_in_emergency(case, by=other, reason="A person in danger, nobody answers")
    assert Case.objects.visible_to(other).get() == case
    assert care.open_in_emergency(case, by=other, reason="again, by mistake") == one
    mail = Message.objects.get(address="director@onatc.example")
    assert case.marker[:4] not in mail.subject + mail.text
    assert TrailEntry.objects.filter(record_id=str(case.pk), details__what="emergency").count() == 1
    EmergencyAccess.objects.update(opened_at=timezone.now() - timedelta(hours=5), ends_at=timezone.now())
    assert not Case.objects.visible_to(other).filter(pk=case.pk)


def test_whoever_sees_no_case_opens_none_in_an_emergency(world):
    case = opened(world.focal_point)
    for name in ("natc", "observer", "administrator"):
        with pytest.raises(PermissionDenied):
            care.open_in_emergency(case, by=getattr(world, name), reason="x" * 10)


def test_emergencies_are_few_a_day(world):
    for _one in range(care.EMERGENCIES_A_DAY):
        care.open_in_emergency(opened(world.focal_point), by=world.other_focal_point, reason="x" * 10)
    with pytest.raises(Refused, match="ask the Director"):
        care.open_in_emergency(opened(world.focal_point), by=world.other_focal_point, reason="x" * 10)


def test_the_page_takes_a_whole_marker_only_and_the_director_reviews(world, client_for):
    case = opened(world.focal_point)
    client, url = client_for("other_focal_point"), reverse("nrm:emergency-open")
    wrong = case.marker[:-1] + ("0" if case.marker[-1] != "0" else "1")
    page = client.post(url, {"marker": wrong, "reason": "A person in danger"})
    assert page.status_code == 200 and not EmergencyAccess.objects.exists()
    assert client.post(url, {"marker": case.marker, "reason": "A person in danger"}).url == case.get_absolute_url()
    assert client.get(case.get_absolute_url()).status_code == 200  # the purpose was stated
    one = EmergencyAccess.objects.get()
    assert "A person in danger" in client_for("director").get(reverse("nrm:emergency-list")).content.decode()
    with pytest.raises(Refused, match="why"):
        care.review_emergency(one, by=world.director, was_justified=False, note="")
    care.review_emergency(one, by=world.director, was_justified=False, note="The shelter answered")
    assert client.get(case.get_absolute_url()).status_code == 404


def test_markers_are_not_guessed_on_the_page_for_emergencies(world, client_for):
    """T32: wrong ones count as on any page of cases, and after too many of them a right one opens nothing either."""
    case, said = opened(world.focal_point), {"reason": "A person in danger"}
    client, url = client_for("other_focal_point"), reverse("nrm:emergency-open")
    for _number in range(15):
        assert client.post(url, {"marker": new_marker(), **said}).status_code == 200
        assert client.post(url, {"marker": "4KM7", **said}).status_code == 200  # the same once more is no new try
    for _number in range(14):
        assert client.get(reverse("nrm:case-detail", args=[new_marker()])).status_code == 404
    assert client.post(url, {"marker": new_marker(), **said}).status_code == 429
    page = client.post(url, {"marker": case.marker, **said})
    assert page.status_code == 429 and "Too many case markers" in page.content.decode()
    assert not EmergencyAccess.objects.exists()
    cache.clear()  # an hour later
    assert client.post(url, {"marker": case.marker, **said}).url == case.get_absolute_url()


def test_the_director_does_not_review_an_own_one(world):
    one = care.open_in_emergency(opened(world.focal_point), by=world.director, reason="x" * 10)
    assert Message.objects.filter(address="natc@onatc.example").exists()
    with pytest.raises(PermissionDenied):
        care.review_emergency(one, by=world.director, was_justified=True, note="")


# Retention


@pytest.fixture
def old_case(world):
    """Closed eleven years ago, with everything that is to go."""
    case = opened(world.focal_point, reason="what was seen at the border")
    values = {"kind": "AS_MED", "response": "RESP_REF", "offered_on": case.opened_on, "note": "said no"}
    assistance.record_assistance(case, uuid.uuid4(), values, by=world.focal_point)
    number = OwnFileNumber(case=case, institution=institution("KP-THB"), sealed=b"")
    number.sealed = seal(b"12/2015", number.place)
    number.save()
    TwinToken.objects.create(case=case, kind="x", value=b"12345678")
    long_ago = timezone.localdate() - timedelta(days=4100)
    Case.objects.filter(pk=case.pk).update(opened_on=long_ago, closed_on=long_ago, outcome="RT_INDEP")
    case.refresh_from_db()
    return case


def test_two_people_destroy_and_the_counts_stay(world, old_case):
    marker, profile = old_case.marker, (old_case.sex, old_case.age_at_referral, old_case.forms)
    assert falling_due("case").cases == [old_case.pk]
    prepared = care.prepare_destruction("case", by=world.monitoring, reason="Time is over")
    with pytest.raises(PermissionDenied):
        care.destroy(prepared, by=world.monitoring)
    assert care.destroy(prepared, by=world.director).count == 1
    assert care.destroy(prepared, by=world.director).count == 1  # pressed twice
    case = Case.objects.counted().get(pk=old_case.pk)
    assert (case.sex, case.age_at_referral, case.forms) == profile and case.destroyed_on
    assert case.marker != marker and case.recorded_by is None
    assert Assistance.objects.get().note == "" and Assistance.objects.get().response == "RESP_REF"
    assert not OwnFileNumber.objects.exists() and not TwinToken.objects.exists()
    for model in (Case, Assistance):
        held = json.dumps(list(model.pgh_event_model.objects.values()), default=str)
        assert marker not in held and "said no" not in held
    assert not Case.objects.visible_to(world.director).filter(pk=case.pk)


def test_who_prepares_and_who_approves_see_which_cases_fall_due_since_when(world, client_for, old_case):
    kept = opened(world.focal_point)
    due = falls_due_on(old_case.closed_on, 120)
    listed = [
        str(old_case),
        date_format(old_case.closed_on, "SHORT_DATE_FORMAT"),
        date_format(due, "SHORT_DATE_FORMAT"),
    ]
    with translation.override("en"):
        address = reverse("nrm:destruction-prepare", args=["case"])
        page = client_for("monitoring").get(address).content.decode()
        prepared = care.prepare_destruction("case", by=world.monitoring, reason="Time is over")
        asked = client_for("director").get(reverse("nrm:destruction-approve", args=[prepared.pk])).content.decode()
    for shown in (page, asked):
        assert all(one in shown for one in listed) and str(kept) not in shown
    # What does not fall due any more is not destroyed, and not listed either.
    care.set_rule(by=world.director, kind="case", months=200, basis="Decision 1", valid_from=timezone.localdate())
    later = client_for("director").get(reverse("nrm:destruction-approve", args=[prepared.pk])).content.decode()
    assert str(old_case) not in later


# Fields with words that are no words about a person, or that go with their record. A new field is decided upon here.
GO_WITH_THEIR_RECORD = {"Screening", "ReferralFile", "ReferralReceipt"}
STAY = {
    ("Assistance", "funding"): "a code",
    ("EmergencyAccess", "reason"): "answers for the reader, and stands in the trail",
    ("EmergencyAccess", "review_note"): "answers for the reader",
    ("Deviation", "what"): "nrm.actions.deviations.forget_words",
    ("Deviation", "cause_note"): "nrm.actions.deviations.forget_words",
    ("Deviation", "action"): "nrm.actions.deviations.forget_words",
    ("Deviation", "done_note"): "nrm.actions.deviations.forget_words",
    ("Deviation", "check_note"): "nrm.actions.deviations.forget_words",
}


def _belongs_to_a_case(model, seen=()):
    links = [field.related_model for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    return Case in links or any(
        one._meta.app_label == "nrm" and one not in (*seen, model) and not seen and _belongs_to_a_case(one, (model,))
        for one in links
    )


def test_every_field_with_words_about_a_case_is_emptied_or_said_to_stay():
    emptied = {(model.__name__, name) for model, _path, names in (*care.WORDS, *care.MUST_STAND) for name in names}
    for model in apps.get_app_config("nrm").get_models():
        if hasattr(model, "pgh_tracked_model") or model is Case or model.__name__ in GO_WITH_THEIR_RECORD:
            continue
        if _belongs_to_a_case(model):
            for field in model._meta.concrete_fields:
                has_words = isinstance(field, TextField) or (
                    isinstance(field, CharField) and not field.choices and (field.max_length or 999) >= 60
                )
                if has_words and (model.__name__, field.name) not in STAY:
                    assert (model.__name__, field.name) in emptied


def test_nothing_that_was_said_of_a_person_stays_in_tables_or_history_after_a_destruction(world, old_case):
    said = {name: f"WORT-{name}" for name in ("exit", "handed", "shared", "basis", "merge", "clock", "pause", "note")}
    other = opened(world.focal_point)
    Stay.objects.create(case=old_case, shelter_type="SH_NGO", came_on=old_case.opened_on, exit_reason=said["exit"])
    Return.objects.create(case=old_case, outcome="RT_VOL", handed_over_to=said["handed"])
    referral = Referral.objects.filter(case=old_case).first()
    referral.shared, referral.legal_basis = said["shared"], said["basis"]
    referral.save()
    ReferralReceipt.keep_content(
        ContentFile(b"%PDF-1.7 what was seen"), name="receipt-sq.pdf", content_type="application/pdf",
        referral=referral, language="sq", stamp="x",
    )  # fmt: skip
    Merge.objects.create(
        case=other, into=old_case, kind="same_person", person_before=other.person, person_after=old_case.person,
        reason=said["merge"],
    )  # fmt: skip
    clock = Clock.objects.filter(case=old_case).first()
    Clock.objects.filter(pk=clock.pk).update(state="not_applicable", reason=said["clock"])
    by_rule = Clock.objects.filter(case=old_case).last()
    Clock.objects.filter(pk=by_rule.pk).update(reason="=condition")
    ClockPause.objects.create(clock=clock, starts_at=timezone.now(), reason=said["pause"])
    PersonRequest.objects.create(
        case=old_case, brought_by=old_case.responsible, received_on=old_case.opened_on, due_on=old_case.opened_on,
        note=said["note"],
    )  # fmt: skip
    prepared = care.prepare_destruction("case", by=world.monitoring, reason="Time is over")
    care.destroy(prepared, by=world.director)
    held = "\n".join(
        json.dumps(list(model.objects.values()), default=str) for model in apps.get_app_config("nrm").get_models()
    )
    assert not [one for one in said.values() if one in held] and "=condition" in held
    assert not ReferralReceipt.objects.exists() and Stay.objects.get().shelter_type == "SH_NGO"


def test_a_rule_of_the_director_decides_and_a_preparation_is_made_once(world, old_case):
    care.set_rule(by=world.director, kind="case", months=200, basis="Decision 1", valid_from=timezone.localdate())
    assert falling_due("case").count == 0
    with pytest.raises(Refused, match="Nothing"):
        care.prepare_destruction("case", by=world.monitoring, reason="x")
    with pytest.raises(Refused, match="later day"):
        care.set_rule(by=world.director, kind="case", months=2, basis="x", valid_from=date(2020, 1, 1))
    care.prepare_destruction("token", by=world.monitoring, reason="x")
    with pytest.raises(Refused, match="prepared already"):
        care.prepare_destruction("token", by=world.director, reason="x")


@pytest.mark.django_db(transaction=True)
def test_what_was_destroyed_does_not_come_back_with_an_older_backup(world, old_case):
    prepared = care.prepare_destruction("token", by=world.monitoring, reason="x")
    care.destroy(prepared, by=world.director)
    assert (Path(settings.TRAIL_ANCHOR_FILE).parent / "destroyed.log").exists()
    TwinToken.objects.create(case=old_case, kind="x", value=b"12345678")  # as a restore would bring it
    assert care.destroy_all_again() == 1 and not TwinToken.objects.exists()
    assert list(destroyed.noted()) == [("token", [old_case.pk])]


# What a person asks for


def test_all_that_is_held_is_given_and_nothing_of_others(world, client_for, old_case):
    Case.objects.filter(pk=old_case.pk).update(closed_on=None, outcome="")
    own = care.record_request(
        old_case,
        uuid.uuid4(),
        by=world.focal_point,
        institution=institution("KP-THB"),
        received_on=timezone.localdate(),
    )
    rows = list(held_about(old_case))
    values = {row.value for row in rows}
    assert {"said no", "what was seen at the border"} <= values
    kinds = {row.record: row for row in rows}
    assert kinds["own file number"].institution == institution("KP-THB").short  # that it is kept is told, and by whom
    assert any(row.value == "1" and "tokens" in row.record for row in rows) and "request of a person" in kinds
    assert not any("12/2015" in value or "12345678" in value for value in values)
    people = {person.full_name for person in world.people.values()}
    assert not people & values
    assert client_for("focal_point").get(reverse("nrm:request-export", args=[own.pk])).status_code == 403
    text = b"".join(client_for("director").get(reverse("nrm:request-export", args=[own.pk])).streaming_content).decode()
    assert "said no" in text
    care.answer_request(own, by=world.director, state="answered", answered_on=timezone.localdate(), note="", revision=0)
    assert PersonRequest.objects.get().state == "answered"
    with pytest.raises(PermissionDenied):
        care.record_request(
            old_case, uuid.uuid4(), by=world.other_focal_point, institution=institution("MOH"),
            received_on=timezone.localdate(),
        )  # fmt: skip


# Breaches


def reported(world, hours: int) -> Breach:
    values = {"known_at": timezone.now() - timedelta(hours=hours), "what": "A laptop was lost", "data_kinds": "lists"}
    return care.report_breach(uuid.uuid4(), values, by=world.focal_point)


def test_a_breach_is_warned_of_at_each_step_once_and_when_it_is_late(world):
    breach = reported(world, 30)
    Message.objects.all().delete()
    assert care.warn_of_breaches() == 2 and care.warn_of_breaches() == 0  # Director and administrator, at 48 hours
    for hours, mails in ((49, 2), (67, 2), (71, 0), (73, 2), (90, 0)):
        assert care.warn_of_breaches(breach.known_at + timedelta(hours=hours)) == mails
    care.notify_agency(breach, by=world.director, notified_at=timezone.now(), late_reason="", revision=0)
    assert care.warn_of_breaches(breach.known_at + timedelta(hours=200)) == 0


def test_a_late_notice_says_why_and_a_breach_is_closed_after_it(world):
    breach = reported(world, 80)
    now = timezone.now()
    with pytest.raises(Refused, match="First notify"):
        care.close_breach(breach, by=world.director, closed_on=timezone.localdate(), lessons="x", revision=0)
    with pytest.raises(Refused, match="72 hours"):
        care.notify_agency(breach, by=world.director, notified_at=now, late_reason="", revision=0)
    with pytest.raises(PermissionDenied):
        care.notify_agency(breach, by=world.focal_point, notified_at=now, late_reason="x", revision=0)
    care.notify_agency(breach, by=world.director, notified_at=now, late_reason="It was noticed late", revision=0)
    care.close_breach(breach, by=world.director, closed_on=timezone.localdate(), lessons="Encrypt disks", revision=1)
    assert Breach.objects.get().state == "closed"


def test_a_moment_in_the_future_is_refused_at_its_field(world, client_for):
    with pytest.raises(Refused) as refusal:
        reported(world, -1)
    assert refusal.value.field == "known_at"
    page = client_for("observer").post(
        reverse("nrm:breach-create"),
        {"key": uuid.uuid4(), "known_at": "yesterday", "what": "x", "language": "en", "data_kinds": "x"},
    )
    assert page.status_code == 200 and not Breach.objects.exists()


def test_only_the_director_the_administrator_and_the_reporter_see_a_breach(world, client_for):
    breach = reported(world, 1)
    for name, status in (("director", 200), ("administrator", 200), ("focal_point", 200), ("monitoring", 404)):
        assert client_for(name).get(breach.get_absolute_url()).status_code == status


@pytest.mark.django_db(transaction=True)
def test_breaches_that_are_reported_at_once_have_different_numbers(world):
    def report() -> None:
        try:
            reported(world, 1)
        finally:
            connection.close()

    threads = [threading.Thread(target=report) for _one in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(Breach.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
    assert Destruction.objects.count() == 0
