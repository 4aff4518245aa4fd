"""What is brought to the office by rule: late answers, declined and left alone, cases of nobody. Each once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone
from freezegun import freeze_time

from nrm.actions import referrals
from nrm.actions.escalation import escalate
from nrm.models import Case, CaseParty, EventKind, Happening, Referral
from nrm.queries.referrals import waiting_numbers
from nrm.tasks import escalate_referrals
from onatc.models import Message
from onatc.operation import SCHEDULES
from stakeholders.models import Institution, User
from tests.nrm.cases import institution, opened
from tests.nrm.referring import overdue, sent, today

pytestmark = pytest.mark.django_db


def mails(what: str) -> list[str]:
    found = Message.objects.filter(occasion__contains=f" {what} ").order_by("address")
    return [one.to.email for one in found]


def test_an_answer_that_is_late_is_told_once_to_the_office_and_to_the_addressee(world):
    case = opened(world.focal_point)
    in_time, late = sent(world, case), overdue(sent(world, case, addressee=institution("MOJ"), purpose="legal"))
    assert escalate() == 1
    escalate_referrals()
    late.refresh_from_db()
    assert late.escalated_at is not None and Referral.objects.get(pk=in_time.pk).escalated_at is None
    assert Happening.objects.filter(case=case, kind=EventKind.ESCALATED, record=late.pk).count() == 1
    assert mails("escalated") == ["director@onatc.example", "monitoring@onatc.example"]
    assert mails("overdue") == ["moj@demo.example"]
    assert case.marker not in "".join(one.subject + one.text for one in Message.objects.all())
    assert waiting_numbers(world.director)["escalated"] == 1
    referrals.accept(late, by=User.objects.get(email="moj@demo.example"), accepted_on=today())
    assert waiting_numbers(world.director)["escalated"] == 0


def test_how_long_an_answer_may_take_follows_from_the_urgency(world):
    case = opened(world.focal_point)
    for urgency, hours, code in (("immediate", 4, "MOH"), ("urgent", 24, "MOJ"), ("ordinary", 72, "MFLT")):
        referral = sent(world, case, urgency=urgency, addressee=institution(code))
        assert referral.answer_due_at - referral.sent_at == timedelta(hours=hours)
        with freeze_time(referral.answer_due_at):
            assert escalate() == 0
        with freeze_time(referral.answer_due_at + timedelta(seconds=1)):
            assert escalate() == 1


def test_the_child_protection_officer_is_told_of_children(world):
    child = opened(world.focal_point, profile={"age_at_referral": 12})
    overdue(sent(world, child))
    escalate()
    assert mails("escalated") == ["child@onatc.example", "director@onatc.example", "monitoring@onatc.example"]


def test_declined_and_nobody_else_asked_within_a_day(world):
    case = opened(world.focal_point)
    alone, went_on, unwanted, taken_back = (
        sent(world, case, purpose=purpose) for purpose in ("health", "legal", "counselling", "reintegration")
    )
    for referral in (alone, went_on, unwanted, taken_back):
        reason = "person_refuses" if referral == unwanted else "no_place"
        referrals.decline(referral, by=world.other_focal_point, declined_on=today(), reason=reason)
    sent(world, case, purpose="legal", addressee=institution("MOJ"), after=went_on)
    following = sent(world, case, purpose="reintegration", addressee=institution("MOJ"), after=taken_back)
    referrals.withdraw(following, by=world.focal_point, reason="Gabim")
    assert escalate() == 0
    assert waiting_numbers(world.focal_point)["declined"] == 2
    with freeze_time(timezone.now() + timedelta(hours=25)):
        assert escalate() == 2  # alone and taken back; what waits elsewhere is not late yet
        assert escalate() == 0
    told = set(Referral.objects.filter(escalated_at__isnull=False))
    assert told == {alone, taken_back} and not mails("overdue")


def test_a_case_of_nobody_is_told_once_and_again_when_it_happens_again(world):
    case = opened(world.focal_point)
    CaseParty.objects.filter(case=case, role="responsible").update(until=timezone.now())
    assert escalate() == 1 and escalate() == 0
    CaseParty.objects.create(case=case, institution=institution("MOH"), role="responsible")
    assert escalate() == 0
    CaseParty.objects.filter(case=case, role="responsible", until=None).update(until=timezone.now())
    assert escalate() == 1
    gone = opened(world.focal_point)
    Institution.objects.filter(code="KP-THB").update(dissolved_on=today(-1))
    assert escalate() >= 1
    assert Happening.objects.filter(case=gone, kind=EventKind.ESCALATED).count() == 1
    Case.objects.update(closed_on=today(), outcome="OUT_OTH")
    before = Happening.objects.count()
    assert escalate() == 0 and Happening.objects.count() == before


def test_beat_asks_for_it_and_the_status_page_has_a_word_for_it():
    assert settings.CELERY_BEAT_SCHEDULE["bring referrals to the office"]["task"] == escalate_referrals.name
    assert "bring referrals to the office" in SCHEDULES


@pytest.mark.django_db(transaction=True)
def test_two_that_run_at_once_tell_once(world):
    case = opened(world.focal_point)
    late = overdue(sent(world, case))
    CaseParty.objects.filter(case=case, role="responsible").update(until=timezone.now())
    ready, told = threading.Barrier(2), []

    def run() -> None:
        try:
            ready.wait(20)
            told.append(escalate())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    connection.close()
    assert sum(told) == 2  # the referral and the case, each once
    assert Happening.objects.filter(kind=EventKind.ESCALATED).count() == 2
    assert Message.objects.filter(occasion__startswith=f"referral {late.pk} escalated").count() == 2
