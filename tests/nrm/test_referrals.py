"""Referrals: in the inbox until answered, answered once, handed over to a named person, never lost."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.utils import timezone, translation

from nrm import referral_invariants
from nrm.actions import parties, referrals
from nrm.actions.assistance import close
from nrm.actions.referral_dates import correct_dates
from nrm.models import (
    Case,
    CaseManagement,
    CaseParty,
    Clock,
    DeclineReason,
    EventKind,
    Happening,
    Referral,
    ReferralState,
    Share,
)
from nrm.queries import referrals as queries
from onatc.errors import Refused
from onatc.models import Message
from stakeholders.actions.records import Stale
from stakeholders.models import Country, Institution, User
from stakeholders.ownership import held_by
from tests.nrm.cases import institution, opened
from tests.nrm.referring import colleague, sent, today

pytestmark = pytest.mark.django_db


def fresh(record):
    record.refresh_from_db()
    return record


def kinds_of(case) -> list[str]:
    return list(Happening.objects.filter(case=case).order_by("recorded_at", "pk").values_list("kind", flat=True))


def sees(user, case) -> bool:
    return Case.objects.visible_to(user).filter(pk=case.pk).exists()


# Sending and answering


def test_a_referral_waits_in_the_inbox_is_received_and_accepted_with_its_way_on_record(world):
    case = opened(world.focal_point)
    key = uuid.uuid4()
    referral = sent(world, case, key=key, reason="Plagë e pashëruar")
    assert sent(world, case, key=key).pk == referral.pk and Referral.objects.filter(case=case).count() == 2
    assert list(queries.inbox(world.other_focal_point).waiting()) == [referral]
    assert not sees(world.other_focal_point, case)
    mail = Message.objects.get(to=world.other_focal_point, kind="referral")
    assert case.marker not in mail.subject + mail.text + mail.html and str(case) not in mail.text
    referrals.receive(referral, by=world.other_focal_point)
    referrals.receive(referral, by=world.other_focal_point)
    referrals.accept(referral, by=world.other_focal_point, accepted_on=today(-1))
    assert sees(world.other_focal_point, case) and case.responsible.code == "KP-THB"
    assert fresh(referral).state == ReferralState.ACCEPTED and referral.answered_by == world.other_focal_point
    # The case was received when it was opened: the receipt of a referral inside it starts nothing anew.
    assert kinds_of(case) == [EventKind.REFERRED, EventKind.RECEIVED, EventKind.REFERRED, EventKind.ACCEPTED]
    assert Message.objects.filter(to=world.focal_point, kind="referral").count() == 1
    assert CaseParty.objects.get(case=case, institution__code="MOH").role == "helps"


def test_pressing_twice_gives_the_same_answer_and_a_colleague_is_told(world):
    referral = sent(world, opened(world.focal_point))
    first = referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    again = referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    assert first.answered_at == again.answered_at
    with pytest.raises(Refused, match="accepted already"):
        referrals.accept(referral, by=colleague("MOH", "b@example.org"), accepted_on=today())
    with pytest.raises(Refused, match="accepted already"):
        referrals.decline(referral, by=world.other_focal_point, declined_on=today(), reason="area")
    with pytest.raises(Refused, match="accepted already"):
        referrals.withdraw(referral, by=world.focal_point, reason="Gabim")
    assert Happening.objects.filter(kind=EventKind.ACCEPTED, record=referral.pk).count() == 1


def test_a_decline_has_a_reason_proposes_the_next_and_goes_on_once(world):
    case = opened(world.focal_point)
    referral = sent(world, case, purpose="legal", addressee=institution("MOJ"), reason="Ndihmë juridike")
    answering = User.objects.get(email="moj@demo.example")
    with pytest.raises(Refused, match="with a reason"):
        referrals.decline(referral, by=answering, declined_on=today(), reason="")
    with pytest.raises(Refused, match="which other reason"):
        referrals.decline(referral, by=answering, declined_on=today(), reason=DeclineReason.OTHER)
    referrals.decline(referral, by=answering, declined_on=today(), reason=DeclineReason.NOT_COMPETENT)
    assert not sees(answering, case) and referral in Referral.objects.visible_to(answering)
    assert queries.shown_before_acceptance(fresh(referral)) == []
    proposed = queries.proposals(case, "legal", excluding=[institution("KP-THB").pk])
    assert proposed and "MOJ" not in {one.institution.code for one in proposed}
    following = sent(world, case, purpose="legal", addressee=proposed[0].institution, after=referral)
    assert following.after == referral and not following.brings_in
    with pytest.raises(Refused, match="went on"):
        sent(world, case, purpose="legal", addressee=institution("MOH"), after=referral)
    with pytest.raises(Refused, match="declined already"):
        referrals.accept(referral, by=colleague("MOJ", "c@example.org"), accepted_on=today())


def test_the_referral_that_brings_somebody_in_is_answered_the_same_way_and_starts_the_procedures(world):
    case = opened(world.focal_point, addressee=institution("MOH"))
    referral = Referral.objects.get(case=case)
    with pytest.raises(Refused, match="who manages"):
        referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    referrals.accept(referral, by=world.other_focal_point, accepted_on=today(), manager=world.other_focal_point)
    case.refresh_from_db()
    assert case.responsible.code == "MOH" and case.manager == world.other_focal_point
    assert kinds_of(case) == ["referred", "received", "accepted", "handed_over", "manager_named"]
    assert CaseManagement.objects.get(case=case).manager == world.other_focal_point
    assert sees(world.focal_point, case)  # whoever opened it keeps its part
    roles = CaseParty.objects.filter(case=case, institution__code="KP-THB").values_list("role", "until")
    assert {role for role, until in roles if until is None} == {"opened"}


# Bad input


def test_what_cannot_be_is_refused_with_a_sentence(world):
    case = opened(world.focal_point)
    closed = Institution.objects.get(code="MEST")
    closed.dissolved_on = today(-1)
    closed.save(update_fields=["dissolved_on"])
    abroad = institution("AL-NATC")
    for sentence, fields in (
        ("itself", {"addressee": institution("KP-THB")}),
        ("was dissolved", {"addressee": closed}),
        ("across the border", {"addressee": abroad}),
        ("future", {"referred_on": today(1)}),
        ("not older", {"referred_on": today(-11)}),
        ("who asked", {"sender": None}),
        ("by which provision", {"consent": "not_needed"}),
        ("Only a declined", {"after": Referral.objects.get(case=case)}),
    ):
        with pytest.raises(Refused, match=sentence):
            sent(world, case, **fields)
    with pytest.raises(PermissionDenied):
        sent(world, case, by=world.other_focal_point)
    with pytest.raises(PermissionDenied):
        sent(world, case, sender=institution("MOJ"))
    referral = sent(world, case)
    with pytest.raises(Refused, match="waits for an answer already"):
        sent(world, case)
    for on, sentence in ((today(-3), "not answered before"), (today(1), "future")):
        with pytest.raises(Refused, match=sentence):
            referrals.accept(referral, by=world.other_focal_point, accepted_on=on)
        with pytest.raises(Refused, match=sentence):
            referrals.decline(referral, by=world.other_focal_point, declined_on=on, reason="area")
    assert fresh(referral).state == ReferralState.SENT


def test_after_a_withdrawal_nothing_is_accepted(world):
    referral = sent(world, opened(world.focal_point))
    with pytest.raises(PermissionDenied):
        referrals.withdraw(referral, by=world.other_focal_point, reason="Nuk duam")
    with pytest.raises(Refused, match="Say why"):
        referrals.withdraw(referral, by=world.focal_point, reason=" ")
    for _number in range(2):
        referrals.withdraw(referral, by=world.focal_point, reason="Gabim")
    with pytest.raises(Refused, match="withdrew"):
        referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    assert Happening.objects.filter(kind=EventKind.WITHDRAWN).count() == 1
    assert not sees(world.other_focal_point, referral.case)


def test_a_case_that_was_closed_has_nothing_to_answer(world):
    case = opened(world.focal_point)
    referral = sent(world, case)
    Case.objects.filter(pk=case.pk).update(closed_on=today(), outcome="OUT_OTH")
    with pytest.raises(Refused, match="was closed"):
        referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    with pytest.raises(PermissionDenied):
        sent(world, case, addressee=institution("MOJ"))


def test_a_referral_of_a_case_that_was_entered_twice_is_accepted_for_the_one_that_goes_on(world):
    twice, remains = opened(world.focal_point), opened(world.focal_point)
    referral = sent(world, twice)
    Case.objects.filter(pk=twice.pk).update(duplicate_of=remains)
    referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    assert sees(world.other_focal_point, remains) and not sees(world.other_focal_point, twice)
    assert "accepted" in kinds_of(remains) and "accepted" not in kinds_of(twice)
    assert referral in Referral.objects.visible_to(world.other_focal_point)
    with pytest.raises(PermissionDenied):
        sent(world, twice, addressee=institution("MOJ"))
    late = sent(world, remains, addressee=institution("MOJ"))
    Case.objects.filter(pk=remains.pk).update(closed_on=today(), outcome="OUT_OTH")
    with pytest.raises(Refused, match="was closed"):
        referrals.accept(late, by=User.objects.get(email="moj@demo.example"), accepted_on=today())


# Handing over


def test_responsibility_is_handed_over_to_a_named_manager_with_its_history(world):
    case = opened(world.focal_point)
    referral = sent(world, case, share=Share.HANDOVER, purpose="management")
    with pytest.raises(Refused, match="was offered"):
        sent(world, case, share=Share.HANDOVER, purpose="management", addressee=institution("MOJ"))
    with pytest.raises(Refused, match="reports for the institution"):
        referrals.accept(referral, by=world.other_focal_point, accepted_on=today(), manager=world.focal_point)
    referrals.accept(referral, by=world.other_focal_point, accepted_on=today(), manager=world.other_focal_point)
    case.refresh_from_db()
    assert case.responsible.code == "MOH" and case.manager == world.other_focal_point
    history = CaseParty.objects.filter(case=case, role="responsible").order_by("since")
    assert [(one.institution.code, one.until is None) for one in history] == [("KP-THB", False), ("MOH", True)]
    with pytest.raises(PermissionDenied):  # the police is no longer responsible and offers nothing
        sent(world, case, share=Share.HANDOVER, purpose="management", addressee=institution("MOJ"))
    with pytest.raises(Refused, match="responsible for the case already"):
        sent(world, case, by=world.director, sender=institution("ONATC"), share=Share.HANDOVER, purpose="management")


def test_what_was_offered_before_the_responsibility_moved_is_not_taken_over(world):
    case = opened(world.focal_point)
    referral = sent(world, case, share=Share.HANDOVER, purpose="management")
    parties.hand_over(case, institution("MOJ"), None, by=world.director, on=today())
    with pytest.raises(Refused, match="has become responsible"):
        referrals.accept(referral, by=world.other_focal_point, accepted_on=today(), manager=world.other_focal_point)


def test_joint_work_and_the_end_of_a_part(world):
    case = opened(world.focal_point)
    referral = sent(world, case, share=Share.JOINT)
    referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    party = CaseParty.objects.get(case=case, institution__code="MOH")
    assert party.role == "joint"
    with pytest.raises(Refused, match="works on the case already"):
        sent(world, case, share=Share.JOINT, purpose="counselling")
    responsible = CaseParty.objects.get(case=case, role="responsible")
    with pytest.raises(PermissionDenied):
        parties.end_part(responsible, by=world.other_focal_point)
    with pytest.raises(Refused, match="hand the case over"):
        parties.end_part(responsible, by=world.focal_point)
    for _number in range(2):
        try:
            parties.end_part(party, by=world.other_focal_point)
        except PermissionDenied:
            assert fresh(party).until is not None  # it takes no part any more
    assert not sees(world.other_focal_point, case)
    assert referral in Referral.objects.visible_to(world.other_focal_point)  # its own receipt


def test_a_helpline_and_the_person_refer_too(world):
    case = opened(world.focal_point, referring_entity="E_HOTLINE")
    assert Referral.objects.get(case=case).sender is None
    again = sent(world, case, sender=None, referring_entity="E_SELF")
    assert (
        again.sender is None
        and again.from_whom == "The person, family or public"
        and again.recorded_for.code == "KP-THB"
    )


def test_across_the_border_goes_what_is_named_on_a_named_basis_and_with_consent(world):
    case = opened(world.focal_point)
    albania, office = Country.objects.get(pk="AL"), institution("AL-NATC")
    values = {
        "sender": institution("KP-THB"), "country": albania, "addressee": office, "purpose": "return",
        "shared": "Mosha, gjinia, nevojat", "legal_basis": "Marrëveshja dypalëshe, neni 7", "referred_on": today(),
        "consent": "given",
    }  # fmt: skip
    for sentence, changes in (
        ("what was shared", {"legal_basis": " "}),
        ("what was shared", {"shared": ""}),
        ("not of that country", {"country": Country.objects.get(pk="RS")}),
        ("within the country", {"country": Country.objects.get(pk="XK"), "addressee": None}),
        ("Nothing is shared", {"consent": "not_given"}),
        ("Nothing is shared", {"consent": ""}),
    ):
        with pytest.raises(Refused, match=sentence):
            referrals.send_abroad(case, uuid.uuid4(), by=world.focal_point, **values | changes)
    referral = referrals.send_abroad(case, uuid.uuid4(), by=world.focal_point, **values)
    assert referral.answer_due_at > timezone.now() + timedelta(days=13)
    referrals.accept(referral, by=world.focal_point, accepted_on=today(), answer_note="U përgjigjën me shkresë.")
    assert not CaseParty.objects.filter(case=case, institution=office).exists()


def test_who_has_no_account_answers_through_whoever_asked(world):
    case = opened(world.focal_point)
    without = institution("LIRIA")
    with pytest.raises(Refused, match="Nobody of this institution"):
        sent(world, case, addressee=without, share=Share.HANDOVER, purpose="management")
    referral = sent(world, case, addressee=without)
    with pytest.raises(PermissionDenied):
        referrals.accept(referral, by=world.other_focal_point, accepted_on=today())
    referrals.accept(referral, by=world.focal_point, accepted_on=today())
    assert CaseParty.objects.filter(case=case, institution=without, role="helps").exists()
    mine = sent(world, case)
    with pytest.raises(PermissionDenied):  # whoever has an account answers itself
        referrals.accept(mine, by=world.focal_point, accepted_on=today())
    # Who was sent there first is helped there; responsible stays whoever can be asked.
    brought = opened(world.focal_point, addressee=without)
    referrals.accept(Referral.objects.get(case=brought), by=world.focal_point, accepted_on=today())
    brought.refresh_from_db()
    assert brought.responsible.code == "KP-THB" and "handed_over" not in kinds_of(brought)
    assert CaseParty.objects.filter(case=brought, institution=without, role="helps").exists()


# Days that were typed wrongly


def days_of(case, kind) -> list[Any]:
    found = Happening.objects.filter(case=case, kind=kind, struck_at=None)
    return [timezone.localdate(one.happened_at) for one in found]


def correct(referral, by, reason="Shtypur gabim", revision=None, **days):
    known = fresh(referral).revision if revision is None else revision
    return correct_dates(referral, days, by=by, reason=reason, revision=known)


def test_the_day_from_which_a_person_counts_is_corrected_and_clocks_follow(world):
    case = opened(world.focal_point, addressee=institution("MOH"), on=today(-3))
    referral = Referral.objects.get(case=case)
    referrals.receive(referral, by=world.other_focal_point, received_on=today(-2))
    clock = Clock.objects.filter(case=case, trigger_event__kind="received").order_by("pk").first()
    assert clock is not None and timezone.localdate(clock.started_at) == today(-2)
    correct(referral, world.focal_point, referred_on=today(-9))
    correct(referral, world.other_focal_point, received_on=today(-8))
    assert fresh(case).opened_on == fresh(referral).referred_on == today(-9)
    assert days_of(case, "referred") == [today(-9)] and days_of(case, "received") == [today(-8)]
    struck = Happening.objects.filter(case=case, struck_at__isnull=False)
    assert {(one.kind, one.struck_reason) for one in struck} == {
        ("referred", "Shtypur gabim"), ("received", "Shtypur gabim"),
    }  # fmt: skip
    going = Clock.objects.filter(case=case, step=clock.step).exclude(state="ended").get()
    assert timezone.localdate(going.started_at) == today(-8)
    before = Happening.objects.count()
    correct(referral, world.focal_point, referred_on=today(-9))  # pressed twice
    assert Happening.objects.count() == before and not list(referral_invariants.one_acceptance())


def test_an_acceptance_is_moved_with_the_responsibility_that_came_with_it(world):
    case = opened(world.focal_point, addressee=institution("MOH"), on=today(-9))
    referral, there = Referral.objects.get(case=case), world.other_focal_point
    referrals.accept(referral, by=there, accepted_on=today(-1), manager=there)
    correct(referral, there, accepted_on=today(-5), received_on=today(-6))
    assert days_of(case, "accepted") == days_of(case, "handed_over") == [today(-5)]
    assert days_of(case, "received") == [today(-6)] and fresh(case).responsible.code == "MOH"
    own = opened(world.focal_point, on=today(-3))
    correct(Referral.objects.get(case=own), world.focal_point, referred_on=today(-4))
    itself = Referral.objects.get(case=own)  # the person came to the institution itself: one day for all
    assert {itself.referred_on, itself.received_on, itself.accepted_on} == {today(-4)}


def test_each_corrects_its_own_days_and_only_to_what_can_be(world):
    case = opened(world.focal_point, on=today(-20))
    referral = sent(world, case, referred_on=today(-6))
    referrals.decline(referral, by=world.other_focal_point, declined_on=today(-2), reason="no_place")
    for by, days in (
        (world.other_focal_point, {"referred_on": today(-5)}),
        (world.focal_point, {"declined_on": today(-3)}),
    ):
        with pytest.raises(PermissionDenied):
            correct(referral, by, **days)
    # It takes no part in the case, and it is its own answer.
    correct(referral, world.other_focal_point, received_on=today(-3), declined_on=today(-3))
    correct(referral, world.director, referred_on=today(-5), declined_on=today(-2))
    for sentence, by, days in (
        ("future", world.focal_point, {"referred_on": today(1)}),
        ("was opened on", world.focal_point, {"referred_on": today(-21)}),
        ("made first", world.focal_point, {"referred_on": today(-1)}),
        ("made first", world.other_focal_point, {"declined_on": today(-6)}),
    ):
        with pytest.raises(Refused, match=sentence):
            correct(referral, by, **days)
    with pytest.raises(Refused, match="had begun already"):
        correct(Referral.objects.get(case=case, brings_in=True), world.focal_point, referred_on=today(-1))
    with pytest.raises(Refused, match="Say why"):
        correct(referral, world.focal_point, reason=" ", referred_on=today(-4))
    with pytest.raises(Stale):
        correct(referral, world.focal_point, revision=0, referred_on=today(-4))
    assert (fresh(referral).referred_on, referral.declined_on) == (today(-5), today(-2))
    close(case, by=world.focal_point, closed_on=today(), outcome="RT_U", note_text="", revision=fresh(case).revision)
    with pytest.raises(PermissionDenied):
        correct(referral, world.focal_point, referred_on=today(-4))


def test_whoever_answers_has_received_on_that_day_at_the_latest(world):
    """The button for the receipt was pressed today, and the answer was given yesterday: in order it stays."""
    case = opened(world.focal_point, addressee=institution("MOH"), on=today(-4))
    referral, there = Referral.objects.get(case=case), world.other_focal_point
    referrals.receive(referral, by=there)
    referrals.accept(referral, by=there, accepted_on=today(-1), manager=there)
    assert fresh(referral).received_on == today(-1) == referral.accepted_on
    assert days_of(case, "received") == days_of(case, "accepted") == [today(-1)]
    assert Happening.objects.get(case=case, struck_at__isnull=False).kind == "received"


# Races


def race(acts) -> list[str]:
    """What became of each act, each in a connection of its own and all at once."""
    ready, outcomes = threading.Barrier(len(acts)), []

    def press(act) -> None:
        translation.activate("en")  # a thread begins in the language of the settings
        try:
            ready.wait(20)
            act()
            outcomes.append("done")
        except Refused as refusal:
            outcomes.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    connection.close()
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_accept_at_once_one_wins_and_the_others_are_told(world):
    case = opened(world.focal_point, addressee=institution("MOH"))
    referral = Referral.objects.get(case=case)
    people = [colleague("MOH", f"p{number}@example.org") for number in range(8)]
    outcomes = race([
        lambda person=person: referrals.accept(referral, by=person, accepted_on=today(), manager=person) for person in people
    ])  # fmt: skip
    assert outcomes.count("done") == 1 and sum("accepted already" in one for one in outcomes) == 7
    assert Happening.objects.filter(kind=EventKind.ACCEPTED).count() == 1
    assert CaseParty.objects.filter(case=case, role="responsible", until=None).count() == 1
    assert CaseManagement.objects.get(case=case).manager == fresh(referral).answered_by
    assert Message.objects.filter(kind="referral", occasion__contains="answered").count() == 1


@pytest.mark.django_db(transaction=True)
def test_accepting_against_withdrawing_ends_in_one_of_the_two(world):
    case = opened(world.focal_point)
    referral = sent(world, case)
    sender, addressee = world.focal_point, world.other_focal_point
    outcomes = race([
        lambda: referrals.accept(referral, by=addressee, accepted_on=today()),
        lambda: referrals.withdraw(referral, by=sender, reason="Gabim"),
    ])  # fmt: skip
    state = fresh(referral).state
    assert outcomes.count("done") == 1 and state in (ReferralState.ACCEPTED, ReferralState.WITHDRAWN)
    assert sees(addressee, case) is (state == ReferralState.ACCEPTED)
    assert Happening.objects.filter(record=referral.pk, kind__in=["accepted", "withdrawn"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_name_a_case_manager_at_once_one_is_told(world):
    case = opened(world.focal_point)
    people = [colleague("KP-THB", f"m{number}@example.org") for number in range(2)]
    outcomes = race([
        lambda person=person: parties.name_manager(case, person, by=person, instead_of=None) for person in people
    ])  # fmt: skip
    assert outcomes.count("done") == 1 and sum("named another case manager" in one for one in outcomes) == 1
    open_ones = CaseManagement.objects.filter(case=case, until=None)
    assert open_ones.get().manager == Case.objects.get(pk=case.pk).manager


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_twice_at_once_refers_once(world):
    case, key = opened(world.focal_point), uuid.uuid4()
    by = world.focal_point
    outcomes = race([lambda: sent(world, case, by=by, key=key) for _number in range(2)])
    assert outcomes == ["done", "done"] and Referral.objects.filter(case=case, purpose="health").count() == 1


def test_a_manager_is_of_the_responsible_institution_and_named_by_it(world):
    case = opened(world.focal_point)
    with pytest.raises(Refused, match="responsible institution"):
        parties.name_manager(case, world.other_focal_point, by=world.focal_point, instead_of=None)
    with pytest.raises(PermissionDenied):
        parties.name_manager(case, world.focal_point, by=world.other_focal_point, instead_of=None)
    parties.name_manager(case, world.focal_point, by=world.focal_point, instead_of=None)
    other = colleague("KP-THB", "next@example.org")
    parties.name_manager(case, other, by=world.director, instead_of=world.focal_point)
    history = CaseManagement.objects.filter(case=case).order_by("since")
    assert [(one.manager, one.until is None) for one in history] == [(world.focal_point, False), (other, True)]


def test_who_leaves_hands_the_cases_over_to_a_colleague_with_the_history_of_both(world):
    case = opened(world.focal_point)
    parties.name_manager(case, world.focal_point, by=world.focal_point, instead_of=None)
    heir = colleague("KP-THB", "heir@example.org")
    held = {kind.key: records for kind, records in held_by(world.focal_point)}
    assert [one.case for one in held["case-management"]] == [case]
    kind = next(one for one, _records in held_by(world.focal_point) if one.key == "case-management")
    assert set(kind.heirs(held["case-management"])) == {world.focal_point, heir}
    kind.take_over(held["case-management"][0], heir, world.director)
    assert Case.objects.get(pk=case.pk).manager == heir and not violations_of_referrals()
    assert CaseManagement.objects.filter(case=case).count() == 2


def violations_of_referrals() -> list[str]:
    rules = (
        referral_invariants.one_acceptance,
        referral_invariants.one_handover,
        referral_invariants.managers_agree,
    )
    return [one for rule in rules for one in rule()]


def test_what_must_be_true_of_referrals_is_found_when_it_is_not(world):
    case = opened(world.focal_point)
    referral = referrals.accept(sent(world, case), by=world.other_focal_point, accepted_on=today())
    assert violations_of_referrals() == []
    twice = Happening.objects.get(kind=EventKind.ACCEPTED, record=referral.pk)
    twice.pk = uuid.uuid4()
    twice.save(force_insert=True)
    assert "accepted 2 times" in violations_of_referrals()[0]
    Referral.objects.filter(pk=referral.pk).update(state="withdrawn")
    assert any("not accepted" in one for one in violations_of_referrals())
    Case.objects.filter(pk=case.pk).update(manager=world.director)
    assert any("another person manages" in one for one in violations_of_referrals())
