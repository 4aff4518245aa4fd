"""Consent opens and closes detail; it never makes or destroys a count."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile

from nrm.actions import referral_files, referrals
from nrm.actions.consent import record_consent
from nrm.models import Case, CaseParty, Consent, EventKind, Happening, Referral, ReferralFile
from nrm.queries import referrals as queries
from onatc.errors import Refused
from stakeholders.models import User
from tests.nrm.cases import institution, opened
from tests.nrm.referring import sent, today

pytestmark = pytest.mark.django_db


def said(world, case, state, **fields):
    values = {"purpose": "health", "on": today(), "institution": institution("KP-THB")} | fields
    return record_consent(
        case, values.pop("key", uuid.uuid4()), by=values.pop("by", world.focal_point), state=state, **values
    )


def counts() -> dict[str, object]:
    """All that counts are made of."""
    return {
        "referred": Referral.objects.filter(brings_in=True, case__in=Case.objects.counted()).count(),
        "cases": Case.objects.counted().count(),
        "persons": Case.objects.counted().values("person").distinct().count(),
        "states": sorted(Case.objects.counted().values_list("status", flat=True)),
        "events": Happening.objects.filter(struck_at=None).exclude(kind__startswith="consent").count(),
    }


def test_withdrawing_closes_detail_for_what_follows_and_changes_no_count(world):
    case = opened(world.focal_point)
    said(world, case, "given")
    waiting = sent(world, case, reason="Plagë")
    accepted = referrals.accept(
        sent(world, case, addressee=institution("MOJ"), purpose="legal"),
        by=User.objects.get(email="moj@demo.example"),
        accepted_on=today(),
    )
    assert [label for label, _text in queries.shown_before_acceptance(waiting)] == [
        "Sex", "Adult or child", "Risk", "Language of an interpreter",
    ]  # fmt: skip
    before = counts()
    said(world, case, "withdrawn")
    assert counts() == before
    waiting.refresh_from_db()
    assert waiting.state == "sent" and [label for label, _text in queries.shown_before_acceptance(waiting)] == [
        "Adult or child"
    ]
    accepted.refresh_from_db()
    assert (
        accepted.state == "accepted"
        and CaseParty.objects.filter(case=case, institution=accepted.addressee, until=None).exists()
    )
    with pytest.raises(Refused, match="does not consent"):
        sent(world, case, addressee=institution("MFLT"), reason="Plagë")
    later = sent(world, case, addressee=institution("MFLT"))
    assert later.consent_state == "withdrawn" and later.reason == ""
    assert Happening.objects.filter(case=case, kind=EventKind.CONSENT_WITHDRAWN).count() == 1
    assert counts()["referred"] == before["referred"] and counts()["persons"] == before["persons"]


def test_who_accepts_without_consent_sees_the_case_only_when_consent_comes(world):
    case = opened(world.focal_point)
    referral = sent(world, case, consent="not_given")
    referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    visible = Case.objects.visible_to(world.other_focal_point).filter(pk=case.pk)
    assert not visible.exists() and referral in Referral.objects.visible_to(world.other_focal_point)
    said(world, case, "given", on=today())
    assert Case.objects.visible_to(world.other_focal_point).filter(pk=case.pk).exists()


def test_the_latest_one_holds_by_its_own_day(world):
    case = opened(world.focal_point, purpose="health", consent_state="given")
    assert queries.consent_state(case, "health") == "given" and queries.consent_state(case, "legal") == "not_asked"
    said(world, case, "withdrawn", on=today(-1))
    said(world, case, "given", on=today())
    said(world, case, "not_given", on=today(-5))  # recorded late
    assert queries.consent_state(case, "health") == "given"
    key = uuid.uuid4()
    assert said(world, case, "withdrawn", key=key) == said(world, case, "withdrawn", key=key)
    assert Consent.objects.filter(case=case).count() == 5  # with the one from the opening


def test_what_cannot_be_is_refused(world):
    case = opened(world.focal_point)
    for sentence, state, fields in (
        ("could be withdrawn", "withdrawn", {}),
        ("future", "given", {"on": today(1)}),
        ("what the answer was", "not_asked", {}),
    ):
        with pytest.raises(Refused, match=sentence):
            said(world, case, state, **fields)
    said(world, case, "given")
    with pytest.raises(Refused, match="before it was given"):
        said(world, case, "withdrawn", on=today(-1))
    with pytest.raises(PermissionDenied):
        said(world, case, "withdrawn", by=world.other_focal_point)
    child = opened(world.focal_point, profile={"age_at_referral": 12})
    with pytest.raises(Refused, match="guardian"):
        said(world, child, "given")
    assert said(world, child, "given", given_by="guardian").state == "given"


def upload(name: str = "formular.txt") -> SimpleUploadedFile:
    file = SimpleUploadedFile(name, b"Formular pa identitet")
    file.checked_type = "text/plain"
    return file


def test_files_are_for_the_two_institutions_and_not_against_the_will_of_the_person(world):
    case = opened(world.focal_point)
    said(world, case, "given")
    referral = sent(world, case, files=[upload()])

    def read() -> set[str]:
        names = ("focal_point", "other_focal_point", "director", "monitoring", "local", "natc", "observer")
        return {name for name in names if ReferralFile.objects.visible_to(getattr(world, name)).exists()}

    assert read() == {"focal_point", "other_focal_point"}
    said(world, case, "withdrawn")
    assert read() == {"focal_point"}
    with pytest.raises(Refused, match="no file goes"):
        referral_files.add_files(referral, [upload("b.txt")], by=world.focal_point)
    said(world, case, "given")
    referral_files.add_files(referral, [upload("b.txt")], by=world.focal_point)
    referrals.decline(referral, by=world.other_focal_point, declined_on=today(), reason="no_place")
    assert read() == {"focal_point"}
    following = sent(world, case, addressee=institution("MFLT"), after=referral)
    assert following.files.count() == 2  # what was attached goes on
    with pytest.raises(Refused, match="while the referral waits"):
        referral_files.add_files(referral, [upload("c.txt")], by=world.focal_point)
    referral_files.remove_file(following.files.first(), by=world.focal_point)
    assert following.files.count() == 1 and referral.files.count() == 2
