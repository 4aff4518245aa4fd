"""The referrals of the demonstration: in every state, the same for the same seed, and true in what must always be true."""

from __future__ import annotations

import pytest
from django.utils import timezone

from monitoring.demo.nrm_cases import add_cases
from monitoring.demo.nrm_referrals import add_referrals
from nrm.models import Case, Consent, Happening, Referral
from onatc.models import Message
from stakeholders.models import User
from tests.nrm.test_referrals import violations_of_referrals

pytestmark = pytest.mark.django_db


def test_the_demonstration_has_referrals_in_every_state(world):
    people = {user.email: user for user in User.objects.all()}
    today = timezone.localdate()
    add_cases(people, 1, today, 30)
    brought_in = Referral.objects.count()
    add_referrals(people, 1, today)
    made = Referral.objects.filter(brings_in=False)
    states = set(made.values_list("state", flat=True))
    assert states == {"sent", "accepted", "declined", "withdrawn"}
    assert 45 <= made.count() <= 120 and Referral.objects.filter(brings_in=True).count() == brought_in
    assert made.overdue().count() >= 2 and made.waiting().count() > made.overdue().count()
    assert made.filter(escalated_at__isnull=False).count() >= 2 and made.filter(after__isnull=False).exists()
    assert made.filter(country__isnull=False).count() >= 2 and made.filter(share="handover", state="accepted").exists()
    assert set(Consent.objects.values_list("state", flat=True)) >= {"given", "not_given"}
    assert violations_of_referrals() == []
    assert not made.filter(answered_at__lt=timezone.now(), sent_at__gt=timezone.now()).exists()
    assert all(one.answered_at >= one.sent_at for one in made.filter(answered_at__isnull=False))
    assert Message.objects.filter(kind="referral").count() < 100
    assert Case.objects.filter(manager__isnull=False).exists() and Happening.objects.filter(kind="escalated").exists()
