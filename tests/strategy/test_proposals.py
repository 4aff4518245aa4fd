"""Proposals for change while a plan runs: who proposes, who decides, and how they come into the plan."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onatc.errors import Refused
from onatc.models import Message
from strategy.actions import plan as plan_actions
from strategy.actions import proposals as actions
from strategy.actions.consultation import Moved, Remark
from strategy.models import Measure, PlanImport, Proposal
from tests.strategy.test_consultation import adopt, bodies, changed_plan


def proposed(world, name: str = "focal_point", code: str = "M1.2.3", **changes) -> Proposal:
    measure = world.measure(code)
    remark = {"text": "Tri vizita nuk mjaftojnë.", "field": "title_sq", "proposed": "Kontrolle të përbashkëta mujore"}
    said = {"institution": bodies("KP-THB")[0]} | changes
    remark |= {key: said.pop(key) for key in ("text", "field", "proposed") if key in said}
    return actions.propose(world.plan, Remark(thing=measure, **remark), by=getattr(world, name), **said)


def drafted(world, old: str = "M4.4.2", new: str = "M4.4.9"):
    read = plan_actions.preview_import(changed_plan(old, new), "next.csv", plan=world.plan, by=world.planning)
    return plan_actions.apply_import(read, by=world.planning)


def decided(world, proposal, is_accepted: bool = True, name: str = "natc") -> Proposal:
    return actions.decide_proposal(proposal, by=getattr(world, name), is_accepted=is_accepted, reason="Sepse po.")


def test_an_institution_proposes_on_measures_it_takes_part_in_and_in_its_own_name(world):
    proposal = proposed(world)
    assert proposal.wording.startswith("Kontrolle të përbashkëta tremujore") and proposal.state == "submitted"
    assert proposed(world) == proposal and Proposal.objects.count() == 1
    with pytest.raises(PermissionDenied):
        proposed(world, "other_focal_point")
    with pytest.raises(Refused, match="your own institution"):
        proposed(world, institution=bodies("MOH")[0])
    with pytest.raises(Refused, match="your own institution"):
        proposed(world, origin="meeting", origin_reference="x")
    for name in ("observer", "natc", "administrator"):
        with pytest.raises(PermissionDenied):
            proposed(world, name)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"origin": "meeting", "institution": None}, "which review or meeting"),
        ({"origin": "review", "origin_reference": " "}, "which review or meeting"),
        ({"institution": None}, "which institution"),
        ({"origin": "dream"}, "where the proposal comes from"),
        ({"text": ""}, "Say what you remark"),
        ({"text": "x" * 4001}, "at most 4000"),
    ],
)
def test_the_secretariat_says_where_a_proposal_comes_from(world, changes, sentence):
    with pytest.raises(Refused, match=sentence):
        proposed(world, "monitoring", **changes)


def test_the_secretariat_proposes_on_the_plan_and_only_on_what_is_in_force(world):
    whole = actions.propose(
        world.plan, Remark("Shto një objektiv."), by=world.monitoring, origin="meeting", origin_reference="Takimi 3"
    )
    assert whole.measure is None
    draft = drafted(world)
    measure = Measure.objects.get(version=draft, code="M1.2.3")
    with pytest.raises(Refused, match="as it is in force"):
        actions.propose(
            world.plan, Remark("x", measure), by=world.monitoring, origin="review", origin_reference="Rishikimi"
        )


def test_a_decision_has_a_reason_a_right_and_is_told_once(world):
    proposal = proposed(world)
    for name in ("planning", "monitoring", "focal_point", "observer"):
        with pytest.raises(PermissionDenied):
            decided(world, proposal, name=name)
    with pytest.raises(Refused, match="needs a reason"):
        actions.decide_proposal(proposal, by=world.natc, is_accepted=True, reason=" ")
    decided(world, proposal, is_accepted=False)
    with pytest.raises(Refused, match="decided already: refused by"):
        decided(world, proposal, name="director")
    mail = Message.objects.get(occasion__startswith="proposal-decided")
    assert mail.to == world.focal_point and proposal.get_absolute_url() in mail.text


def test_nobody_decides_a_proposal_of_their_own(world):
    proposal = proposed(world, "director", origin="review", origin_reference="Rishikimi 2026", institution=None)
    with pytest.raises(PermissionDenied, match="of their own"):
        decided(world, proposal, name="director")
    assert decided(world, proposal).state == "accepted"


def test_only_the_author_withdraws_and_only_before_the_decision(world):
    proposal = proposed(world)
    with pytest.raises(PermissionDenied):
        actions.withdraw_proposal(proposal, by=world.director)
    actions.withdraw_proposal(proposal, by=world.focal_point)
    actions.withdraw_proposal(proposal, by=world.focal_point)
    with pytest.raises(Refused, match="withdrawn meanwhile"):
        decided(world, proposal)
    other = decided(world, proposed(world, text="Tjetër"))
    with pytest.raises(Refused, match="decided already"):
        actions.withdraw_proposal(other, by=world.focal_point)


def test_an_accepted_one_waits_for_a_draft_goes_into_it_and_is_in_the_plan_with_it(world):
    waiting = decided(world, proposed(world))
    refused = decided(world, proposed(world, text="Jo."), is_accepted=False)
    assert waiting.amendment is None
    with pytest.raises(Refused, match="no draft"):
        actions.put_into_amendment(waiting, by=world.planning)
    draft = drafted(world)
    later = decided(world, proposed(world, text="Më vonë."))
    waiting.refresh_from_db()
    assert waiting.amendment == later.amendment == draft
    newer = drafted(world, "M4.4.1", "M4.4.8")
    plan_actions.undo_import(PlanImport.objects.get(version=newer), by=world.planning)
    waiting.refresh_from_db()
    assert waiting.amendment == draft
    assert actions.put_into_amendment(waiting, by=world.planning) == draft
    actions.take_over(waiting, by=world.planning)
    assert Measure.objects.get(version=draft, code="M1.2.3").title_sq == "Kontrolle të përbashkëta mujore"
    adopt(world, draft)
    states = dict(Proposal.objects.values_list("text", "state"))
    assert states == {waiting.text: "enacted", "Më vonë.": "enacted", "Jo.": "refused"}
    refused.refresh_from_db()
    assert refused.amendment is None
    with pytest.raises(Refused, match="Only an accepted"):
        actions.put_into_amendment(waiting, by=world.planning)


def test_a_wording_that_changed_meanwhile_is_not_overwritten(world):
    draft = drafted(world)
    proposal = decided(world, proposed(world))
    Measure.objects.filter(version=draft, code="M1.2.3").update(title_sq="Tjetër")
    with pytest.raises(Moved) as caught:
        actions.take_over(proposal, by=world.planning)
    assert caught.value.present == "Tjetër"
    with pytest.raises(PermissionDenied):
        actions.take_over(proposal, by=world.natc)


def test_a_proposal_is_seen_by_the_office_its_institution_and_who_takes_part(world):
    proposal = proposed(world)
    for name in ("director", "natc", "focal_point", "observer"):
        assert list(Proposal.objects.visible_to(getattr(world, name))) == [proposal]
    for name in ("other_focal_point", "administrator", "stranger"):
        assert list(Proposal.objects.visible_to(getattr(world, name))) == []


@pytest.mark.django_db(transaction=True)
def test_two_people_decide_at_once_one_wins_and_the_other_is_told(world):
    proposal = proposed(world)
    ready, outcomes = threading.Barrier(2), []
    names = [world.natc.full_name, world.director.full_name]

    def press(user, is_accepted) -> None:
        try:
            ready.wait(10)
            outcomes.append(actions.decide_proposal(proposal, by=user, is_accepted=is_accepted, reason="x").state)
        except Refused as refusal:
            outcomes.append("told" if any(name in str(refusal) for name in names) else str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=pair) for pair in ((world.natc, True), (world.director, False))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    proposal.refresh_from_db()
    assert sorted(outcomes) == sorted(["told", proposal.state])


def test_the_whole_way_on_the_pages(world, client_for):
    police, natc, office = client_for("focal_point"), client_for("natc"), client_for("planning")
    measure = world.measure("M1.2.3")
    page = police.get(measure.get_absolute_url()).content.decode()
    create = reverse("strategy:proposal-create") + f"?measure={measure.pk}"
    assert create in page and "Nobody proposed a change." in page
    assert measure.title_sq in police.get(create + "&field=title_sq").content.decode()
    said = {"institution": bodies("KP-THB")[0].pk, "field": "title_sq", "text": "=1+1", "language": "sq",
            "proposed": "Kontrolle mujore"}  # fmt: skip
    assert "<ins>" in police.post(create, said | {"preview": "1"}).content.decode()
    assert "This field is required" in police.post(create, said | {"text": ""}).content.decode()
    answer = police.post(create, said)
    proposal = Proposal.objects.get()
    assert answer.url == proposal.get_absolute_url()
    assert client_for("other_focal_point").get(create).status_code == 404
    assert client_for("observer").get(create).status_code == 403
    for url in ("?measure=x", f"?measure={measure.objective_id}", "?plan=x"):
        assert office.get(reverse("strategy:proposal-create") + url).status_code == 404
    assert "=1+1" in natc.get("/").content.decode() and "=1+1" in client_for("director").get("/").content.decode()
    assert police.get(reverse("strategy:proposal-decide", args=[proposal.pk])).status_code == 403
    decide = reverse("strategy:proposal-decide", args=[proposal.pk])
    assert "This field is required" in natc.post(decide, {"decision": "accept"}).content.decode()
    assert natc.post(decide, {"decision": "accept", "reason": "Po."}).url == proposal.get_absolute_url()
    again = client_for("director").post(decide, {"decision": "refuse", "reason": "Jo tani."}).content.decode()
    assert "decided already" in again and "Jo tani." in again
    assert "waits for the next amendment" in police.get(proposal.get_absolute_url()).content.decode()
    draft = drafted(world)
    take = reverse("strategy:proposal-take-over", args=[proposal.pk])
    assert take in office.get(proposal.get_absolute_url()).content.decode()
    assert office.post(take).url == proposal.get_absolute_url()
    assert "says already" in office.get(proposal.get_absolute_url()).content.decode()
    Proposal.objects.update(amendment=None)
    attach = reverse("strategy:proposal-attach", args=[proposal.pk])
    assert attach in office.get(proposal.get_absolute_url()).content.decode()
    assert office.post(attach).status_code == 302 and police.post(attach).status_code == 403
    adopt(world, draft)
    page = office.get(reverse("strategy:proposal-list") + "?state=enacted&q=M1.2").content.decode()
    assert "=1+1" in page and "in the plan" in page
    meeting = {"origin": "meeting", "field": "other", "text": "Nga takimi.", "language": "sq", "institution": ""}
    whole = reverse("strategy:proposal-create")
    assert "which review or meeting" in office.post(whole, meeting).content.decode()
    assert office.post(whole, meeting | {"origin_reference": "Takimi 3"}).status_code == 302
    export = reverse("strategy:proposal-export")
    table = b"".join(police.get(export).streaming_content).decode()
    assert "'=1+1" in table and "Nga takimi." not in table
    assert office.get(export + "?format=xlsx&origin=meeting").status_code == 200
    mine = Proposal.objects.get(origin="meeting")
    withdraw = reverse("strategy:proposal-withdraw", args=[mine.pk])
    assert natc.get(withdraw).status_code == 403 and office.get(withdraw).status_code == 200
    office.post(withdraw)
    mine.refresh_from_db()
    assert mine.state == "withdrawn" and date.today() >= mine.submitted_at.date()


@pytest.mark.parametrize("query", ["?state=perhaps", "?q=%00", "?plan=x&origin=y", "?page=x"])
def test_a_filter_that_makes_no_sense_breaks_nothing(world, client_for, query):
    assert client_for("director").get(reverse("strategy:proposal-list") + query).status_code == 200


def test_the_list_costs_the_same_however_many_there_are(world, client_for):
    client = client_for("director")
    url = reverse("strategy:proposal-list")
    client.get(reverse("me"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    proposed(world)
    few = queries()
    for number in range(9):
        proposed(world, text=f"Edhe {number}")
    assert queries() == few <= 14
