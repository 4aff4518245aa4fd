"""Opening a case: under a marker, with the referral that brings the person in, once however often the form is sent."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from nrm import markers
from nrm.actions.assistance import close
from nrm.actions.cases import open_case
from nrm.actions.consent import record_consent
from nrm.actions.merges import merge, unmerge
from nrm.models import Case, Competence, Consent, EventKind, Happening, Person, Referral, SopVersion
from nrm.queries.referrals import consent_state
from onatc.errors import Refused
from tests.nrm.cases import institution, opened
from tests.nrm.test_cases import read, the_form
from tests.nrm.test_referrals import race


def test_the_first_version_of_the_sop_ships_with_its_steps_and_their_sources(world):
    version = SopVersion.objects.in_force(timezone.localdate())
    steps = list(version.steps.all())
    assert [one.number for one in steps] == list(range(1, 24))
    assert all(one.source and one.name_sq and one.name_sr and one.name_en for one in steps)
    assert Competence.objects.filter(function="child_unit", institution__code="CSW").exists()


def test_a_case_is_opened_with_its_referral_and_seen_by_its_institution_alone(world):
    case = opened(world.focal_point)
    assert markers.is_valid(case.marker) and case.status == "POTENTIAL" and not case.is_child_procedure
    assert Referral.objects.get(case=case).brings_in
    assert set(Happening.objects.filter(case=case).values_list("kind", flat=True)) == {
        EventKind.REFERRED, EventKind.RECEIVED
    }  # fmt: skip
    sees = {
        name: Case.objects.visible_to(getattr(world, name)).filter(pk=case.pk).exists()
        for name in ("focal_point", "other_focal_point", "director", "monitoring", "child", "natc", "planning", "observer",
                     "information", "local", "administrator")
    }  # fmt: skip
    assert {name for name, may in sees.items() if may} == {"focal_point", "director", "monitoring"}


def test_children_are_seen_by_the_child_officer_and_the_coordinator_of_their_area(world):
    child = opened(world.focal_point, profile={"age_at_referral": None, "age_group_at_referral": "AGE_U"})
    assert child.is_child_procedure and child.track == "AGE_U"
    for name, sees in (("child", True), ("local", True), ("planning", False)):
        assert Case.objects.visible_to(getattr(world, name)).filter(pk=child.pk).exists() is sees


def test_opening_is_refused_for_the_future_for_oneself_and_for_strangers(world):
    today, own = timezone.localdate(), institution("KP-THB")
    arguments = {"key": uuid.uuid4(), "institution": own, "referred_on": today}
    with pytest.raises(PermissionDenied):
        open_case(by=world.observer, **arguments)
    with pytest.raises(Refused, match="future"):
        open_case(by=world.focal_point, **arguments | {"referred_on": today + timedelta(days=1)})
    with pytest.raises(Refused, match="itself"):
        open_case(by=world.focal_point, **arguments, addressee=own)
    case, is_new = open_case(by=world.focal_point, **arguments)
    assert is_new and open_case(by=world.focal_point, **arguments) == (case, False)


def test_what_is_said_of_consent_at_the_opening_is_on_record_with_who_said_it(world):
    """Issue 7, 02: consent given by whom, for what; and it can be withdrawn later like any other."""
    by = world.focal_point
    case = opened(by, purpose="health", consent_state="given")
    said = Consent.objects.get(case=case)
    assert (said.purpose, said.state, said.given_by, said.on) == ("health", "given", "person", case.opened_on)
    assert Happening.objects.filter(case=case, kind="consent_given", record=said.pk).exists()
    record_consent(
        case, uuid.uuid4(), by=by, institution=institution("KP-THB"), purpose="health", state="withdrawn",
        on=timezone.localdate(),
    )  # fmt: skip
    assert consent_state(case, "health") == "withdrawn" and Case.objects.counted().filter(pk=case.pk).exists()
    child = {"age_at_referral": 15}
    with pytest.raises(Refused, match="For a child"):
        opened(by, consent_state="given", profile=child)
    with pytest.raises(Refused, match="could be withdrawn"):
        opened(by, consent_state="withdrawn")
    with pytest.raises(Refused, match="by which provision"):
        opened(by, consent_state="not_needed", profile=child)
    assert opened(by, consent_state="not_needed", legal_basis="Ligji 06/L-084", profile=child).is_child_procedure
    assert not Consent.objects.filter(case=opened(by)).exists()  # nobody was asked
    with pytest.raises(Refused, match="without a reason"):
        opened(by, addressee=institution("MOH"), reason="Shtatzënë", consent_state="not_given")
    with pytest.raises(Refused, match="across the border"):
        opened(by, addressee=institution("AL-NATC"))
    assert Case.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_twice_at_once_opens_one_case(world):
    key, by, own = uuid.uuid4(), world.focal_point, institution("KP-THB")
    arguments = {"by": by, "key": key, "institution": own, "referred_on": timezone.localdate(), "profile": {"sex": "F"}}
    outcomes = race([lambda: open_case(**arguments) for _number in range(6)])
    assert outcomes == ["done"] * 6 and Case.objects.count() == Person.objects.count() == Referral.objects.count() == 1


def closed(world, case: Case, days: int = 4) -> Case:
    day = timezone.localdate() - timedelta(days=days)
    return close(case, by=world.focal_point, closed_on=day, outcome="RT_U", note_text="", revision=case.revision)


def test_who_comes_again_gets_a_new_episode_of_the_same_person(world, client_for):
    """data_dictionary.md, 2: reopening makes a new episode of the same person; a referral inside an open episode joins it."""
    first, client = opened(world.focal_point), client_for("focal_point")
    again = f"{reverse('nrm:case-create')}?again={first.marker}"
    assert "came again" not in read(client, first).content.decode()
    assert "still open" in client.get(again).content.decode() and client.get(again).status_code == 403
    first = closed(world, first)
    assert again in client.get(first.get_absolute_url()).content.decode()
    page = client.get(again)
    form = the_form(page)
    assert (form["sex"], form["citizenship_main"]) == ("F", "XK") and str(first) in page.content.decode()
    typed = form | {
        "referring_entity": "E_POLICE", "form_main": "SEX", "age_at_referral": 25, "purpose": "identification",
        "referred_on": first.closed_on - timedelta(days=1),
    }  # fmt: skip
    assert "belongs to it" in client.post(again, typed).content.decode()
    typed["referred_on"] = timezone.localdate()
    for _number in range(2):
        assert client.post(again, typed).status_code == 302
    second = Case.objects.exclude(pk=first.pk).get()
    assert second.person == first.person and (first.episode, second.episode) == (1, 2)
    assert "came again" not in client.get(first.get_absolute_url()).content.decode()  # it is open: one refers within it
    assert str(second) in client.get(again).content.decode() and client.get(again).status_code == 403
    # Nobody joins an episode of a case that is not theirs, and such a marker looks like one that is not there.
    assert client_for("other_focal_point").get(again).status_code == 404
    arguments = {"institution": institution("MOH"), "referred_on": timezone.localdate(), "key": uuid.uuid4()}
    with pytest.raises(PermissionDenied):
        open_case(by=world.other_focal_point, earlier=first, **arguments)


def test_a_new_episode_stays_with_the_person_it_was_opened_for_when_a_merge_is_undone(world):
    first, other = closed(world, opened(world.focal_point)), opened(world.focal_point)
    made = merge(first, other, "same_person", by=world.director, key=uuid.uuid4(), reason="x")
    first.refresh_from_db()
    closed(world, other, days=3)
    second, _new = open_case(
        by=world.focal_point, key=uuid.uuid4(), institution=institution("KP-THB"), referred_on=timezone.localdate(),
        earlier=first,
    )  # fmt: skip
    assert second.person == other.person and second.episode == 3
    unmerge(made, by=world.director, reason="x")
    second.refresh_from_db(), first.refresh_from_db()
    assert second.person == first.person != other.person and second.episode == 2
