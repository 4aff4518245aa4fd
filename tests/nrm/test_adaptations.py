"""Proposals to adapt the mechanism: evidence, decision, and an effect that is computed and not typed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from nrm.actions import adaptation as actions
from nrm.models import Adaptation, AdaptationState, Clock, ClockPause, Measured, SopVersion
from nrm.oversight_sources import effects_due, waiting_adaptations
from nrm.queries.adaptation import effect_of
from nrm.queries.oversight import measured
from onatc.errors import Refused
from onatc.periods import months_after
from stakeholders.actions.records import Stale
from tests.nrm.cases import institution, opened
from tests.nrm.watching import a_clock, a_deviation, a_step
from tests.stakeholders.decided import a_body, a_decision, a_draft, a_meeting, at_once, cost_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


def proposed(by, *, step: int | None = 16, proposed_for=None, deviations=(), **values) -> Adaptation:
    fields = {
        "title_sq": "Plani më herët", "title_sr": "", "title_en": "The plan earlier",
        "proposal": "The plan is begun in the shelter.", "evidence": "Half of the plans are late.", "language": "en",
        "step": a_step(step) if step else None,
    }  # fmt: skip
    return actions.propose(uuid.uuid4(), fields | values, by=by, proposed_for=proposed_for, deviations=deviations)


def decided_on(world, day):
    return a_decision(a_meeting(world.director, on=day), world.director)


def agreed(world, day=None, **values) -> Adaptation:
    day = day or timezone.localdate()
    one = proposed(world.planning, **values)
    Adaptation.objects.filter(pk=one.pk).update(proposed_on=day)
    return actions.decide(
        one, by=world.director, is_agreed=True, decision_note="It is needed.", decision=decided_on(world, day)
    )


def in_place(world, months_ago: int = 6, months: int = 3, measure: str = Measured.IN_TIME) -> Adaptation:
    since = months_after(timezone.localdate(), -months_ago)
    one = agreed(world, since)
    return actions.put_in_place(one, by=world.monitoring, in_place_on=since, months=months, measure=measure)


# Proposals


def test_office_and_institutions_propose_each_form_once(world):
    key, fields = uuid.uuid4(), {"title_sq": "x", "proposal": "y", "evidence": "z", "step": None}
    first = actions.propose(key, fields, by=world.focal_point, proposed_for=institution("KP-THB"))
    assert actions.propose(key, fields, by=world.focal_point, proposed_for=institution("KP-THB")) == first
    assert proposed(world.planning).proposed_for is None
    for name in ("observer", "administrator", "stranger"):
        with pytest.raises(PermissionDenied):
            proposed(getattr(world, name))
    with pytest.raises(PermissionDenied):  # for an institution that is not theirs, and for none
        proposed(world.focal_point, proposed_for=institution("MOH"))
    with pytest.raises(PermissionDenied):
        proposed(world.focal_point)
    with pytest.raises(Refused, match="title"):
        proposed(world.planning, title_sq="", title_en="")


def test_nobody_links_or_loses_a_deviation_that_they_do_not_see(world):
    case = opened(world.focal_point)
    theirs, pattern = a_deviation(world.director, case=case, owner="MOH"), a_deviation(world.director, owner="PVPT")
    one = proposed(world.planning, deviations=[theirs, pattern])
    assert list(one.deviations.all()) == [pattern]
    one.deviations.add(theirs)
    actions.change(one, {"evidence": "more"}, by=world.planning, revision=0, deviations=[])
    assert list(one.deviations.all()) == [theirs]
    with pytest.raises(Stale):
        actions.change(one, {"evidence": "other"}, by=world.director, revision=0)


def test_institutions_see_what_was_decided_and_what_they_proposed(world):
    waiting = proposed(world.planning)
    own = proposed(world.focal_point, proposed_for=institution("KP-THB"))
    done = agreed(world)
    seen = {name: set(Adaptation.objects.visible_to(getattr(world, name))) for name in (
        "natc", "planning", "focal_point", "other_focal_point", "observer", "administrator", "stranger")}  # fmt: skip
    assert seen["natc"] == seen["planning"] == {waiting, own, done}
    assert seen["focal_point"] == {own, done}
    assert seen["other_focal_point"] == seen["observer"] == {done}
    assert seen["administrator"] == seen["stranger"] == set()


# Meetings and decisions


def test_it_is_laid_before_a_meeting_to_come_whose_agenda_offers_it(world):
    one = proposed(world.planning)
    meeting, other = a_draft(world.director), a_draft(world.director, days=40, body=a_body("wg", kind="group"))
    assert [point.key for point in waiting_adaptations(meeting, world.director, 9)] == [str(one.pk)]
    with pytest.raises(Refused):
        actions.lay_before(one, a_meeting(world.director), by=world.planning)
    actions.lay_before(one, other, by=world.planning)
    assert not list(waiting_adaptations(meeting, world.director, 9))
    assert [point.key for point in waiting_adaptations(other, world.director, 9)] == [str(one.pk)]
    with pytest.raises(PermissionDenied):
        actions.lay_before(one, meeting, by=world.focal_point)


def test_the_mechanism_is_adapted_by_a_decision_in_force_and_refused_with_a_reason(world, today):
    one = proposed(world.planning)
    arguments = {"by": world.director, "decision_note": "Because."}
    with pytest.raises(Refused, match="by a decision"):
        actions.decide(one, is_agreed=True, **arguments)
    with pytest.raises(Refused, match="cannot be decided before"):
        actions.decide(one, is_agreed=True, decision=decided_on(world, today - timedelta(days=9)), **arguments)
    with pytest.raises(PermissionDenied):
        actions.decide(one, is_agreed=False, by=world.planning, decision_note="x")
    with pytest.raises(Refused, match="Say why"):
        actions.decide(one, is_agreed=False, by=world.director, decision_note=" ")
    ended = decided_on(world, today)
    type(ended).objects.filter(pk=ended.pk).update(state="revoked", ended_by=decided_on(world, today))
    ended.refresh_from_db()
    with pytest.raises(Refused, match="not in force"):
        actions.decide(one, is_agreed=True, decision=ended, **arguments)
    refused = actions.decide(one, is_agreed=False, **arguments)
    assert refused.state == AdaptationState.REFUSED and refused.decided_on == today
    assert actions.decide(one, is_agreed=False, **arguments).revision == refused.revision
    with pytest.raises(Refused, match="already"):
        actions.decide(one, is_agreed=True, decision=decided_on(world, today), **arguments)
    with pytest.raises(PermissionDenied, match="decided"):
        actions.change(refused, {"evidence": "x"}, by=world.planning, revision=refused.revision)


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_once_one_is_on_record(world):
    one, decision = proposed(world.planning), decided_on(world, timezone.localdate())
    results = at_once(
        lambda: actions.decide(one, by=world.director, is_agreed=True, decision_note="yes", decision=decision),
        lambda: actions.decide(one, by=world.director, is_agreed=False, decision_note="no"),
    )
    assert sum(isinstance(result, Refused) for result in results) == 1


# The effect


def test_share_in_time_and_median_are_computed_with_what_still_runs(world, today):
    case = opened(world.focal_point)
    for took in (2, 4, 6, 12, None):
        a_clock(case, started=30, limit=10, took=took)
    a_clock(case, started=30, limit=10, took=3, state="ended")  # followed for three days, and then fell away
    lineage, now = a_step().lineage, timezone.now()
    start, end = today - timedelta(days=60), today
    # Kaplan-Meier: 6 at risk, one done at 2; 4 left at 4 (one gone at 3): 3/4; 3 left at 6: 2/3 -> 5/6 * 3/4 * 2/3
    assert measured(Measured.IN_TIME, lineage, start, end, now) == (Decimal("58.33"), 1)
    assert measured(Measured.MEDIAN, lineage, start, end, now)[0] == Decimal("6.00")
    assert measured(Measured.IN_TIME, lineage, end, today + timedelta(days=1), now) == (None, 0)
    ClockPause.objects.create(
        clock=Clock.objects.get(step=a_step(), met_at__gt=now - timedelta(days=19)),  # the one of twelve days
        starts_at=now - timedelta(days=28), ends_at=now - timedelta(days=23), reason="x",
    )  # fmt: skip
    Clock.objects.filter(met_at__gt=now - timedelta(days=19)).update(due_at=now - timedelta(days=15))
    assert measured(Measured.IN_TIME, lineage, start, end, now)[0] == Decimal("79.17")  # seven of ten days were used


def test_the_value_before_is_computed_when_it_is_put_in_place_and_the_value_afterwards_when_the_months_are_over(
    world, today
):
    case = opened(world.focal_point)
    since = months_after(today, -6)
    ago = (today - since).days
    for took in (5, 20, 20, 20):
        a_clock(case, started=ago + 30, limit=10, took=took)
    for took in (5, 5, 5, 20):
        a_clock(case, started=ago - 30, limit=10, took=took)
    one = in_place(world, months_ago=6, months=3)
    assert (one.before, one.before_base, one.afterwards) == (Decimal("25.00"), 1, None)
    assert one.effect_due_on == months_after(since, 3)
    assert [point.key for point in effects_due(a_draft(world.director), world.director, 9)] == [str(one.pk)]
    with pytest.raises(PermissionDenied):
        actions.record_effect(one, by=world.focal_point, effect_note="x")
    one = actions.record_effect(one, by=world.planning, effect_note="Fewer are late.")
    assert (one.afterwards, one.afterwards_base, one.effect_checked_on) == (Decimal("75.00"), 1, today)
    assert actions.record_effect(one, by=world.planning, effect_note="Fewer are late.").revision == one.revision
    with pytest.raises(Refused, match="already"):
        actions.record_effect(one, by=world.planning, effect_note="Something else.")


def test_what_cannot_be_put_in_place_or_measured_says_why(world, today):
    one = proposed(world.planning)
    arguments = {"by": world.monitoring, "in_place_on": today, "months": 3, "measure": Measured.MEDIAN}
    with pytest.raises(Refused, match="agreed"):
        actions.put_in_place(one, **arguments)
    one = agreed(world, step=None)
    with pytest.raises(Refused, match="Name the step"):
        actions.put_in_place(one, **arguments)
    one = actions.name_step(one, {"step": a_step()}, by=world.monitoring, revision=one.revision)
    for wrong in (
        {"in_place_on": today + timedelta(days=1)}, {"in_place_on": today - timedelta(days=1)}, {"months": 0},
        {"months": 25}, {"measure": "typed"}, {"version": SopVersion.objects.create(number=9, title_sq="x")},
    ):  # fmt: skip
        with pytest.raises(Refused):
            actions.put_in_place(one, **arguments | wrong)
    one = actions.put_in_place(one, **arguments, version=SopVersion.objects.get(number=1))
    assert one.before is None and one.before_base == 0
    with pytest.raises(Refused, match="months are not over"):
        actions.record_effect(one, by=world.monitoring, effect_note="x")
    with pytest.raises(Refused, match="measured already"):
        actions.name_step(one, {"step": a_step(12)}, by=world.monitoring, revision=one.revision)


@pytest.mark.parametrize(
    ("value", "base", "told"),
    [("95.00", 20, False), ("50.00", 8, False), ("50.00", 20, True), ("100.00", 20, True), ("20.00", 12, False)],
)
def test_shares_of_few_are_for_who_sees_all_cases(world, value, base, told):
    one = Adaptation(before=Decimal(value), before_base=base, measure=Measured.IN_TIME)
    assert effect_of(one, world.director).before == Decimal(value)
    shown = effect_of(one, world.planning)
    assert (shown.before is not None) == told == (not shown.is_hidden) and shown.before_base is None


# Pages


def test_the_pages_lead_from_the_proposal_to_the_effect(world, client_for, today):
    pattern = a_deviation(world.director, owner="PVPT", what="Plans are late.")
    client, key = client_for("planning"), uuid.uuid4()
    data = {
        "key": key, "title_sq": "Plani", "proposal": "Earlier.", "evidence": "Late.", "language": "en",
        "step": a_step().pk, "deviations": [pattern.pk],
    }  # fmt: skip
    assert client.get(reverse("nrm:adaptation-create") + f"?deviation={pattern.pk}").status_code == 200
    for _again in range(2):
        assert client.post(reverse("nrm:adaptation-create"), data).status_code == 302
    one = Adaptation.objects.get()
    assert "Plans are late." in client.get(one.get_absolute_url()).content.decode()
    assert client.post(reverse("nrm:adaptation-edit", args=[one.pk]), data | {"revision": 0}).status_code == 302
    meeting = a_draft(world.director)
    assert client.post(reverse("nrm:adaptation-lay", args=[one.pk]), {"meeting": meeting.pk}).status_code == 302
    assert client.post(reverse("nrm:adaptation-decide", args=[one.pk]), {}).status_code == 403
    director = client_for("director")
    decision = decided_on(world, today)
    told = {"is_agreed": "1", "decision": decision.pk, "decision_note": "Needed."}
    assert director.post(reverse("nrm:adaptation-decide", args=[one.pk]), told).status_code == 302
    told = {"in_place_on": today, "measure": "median", "months": 3}
    assert client.post(reverse("nrm:adaptation-in-place", args=[one.pk]), told).status_code == 302
    early = client.post(reverse("nrm:adaptation-effect", args=[one.pk]), {"effect_note": "Good."})
    assert early.status_code == 200 and "months are not over" in early.content.decode()
    Adaptation.objects.update(in_place_on=months_after(today, -3), effect_due_on=today)
    assert client.post(reverse("nrm:adaptation-effect", args=[one.pk]), {"effect_note": "Good."}).status_code == 302
    for name, page in (("observer", one.get_absolute_url()), ("natc", reverse("nrm:adaptation-list"))):
        assert client_for(name).get(page).status_code == 200
    body = b"".join(director.get(reverse("nrm:adaptation-export")).streaming_content).decode()
    assert "Needed." in body
    before = cost_of(director, reverse("nrm:adaptation-list"))
    for _one in range(5):
        proposed(world.planning)
    assert cost_of(director, reverse("nrm:adaptation-list")) == before


def test_a_page_does_not_say_how_many_cases_to_who_may_not_see_them(world, client_for):
    one = in_place(world)
    Adaptation.objects.filter(pk=one.pk).update(before=Decimal("41.67"), before_base=17)
    for name, sees in (("director", True), ("planning", False), ("natc", False), ("observer", False)):
        page = client_for(name).get(one.get_absolute_url()).content.decode()
        assert (">17<" in page) == sees and "41.67" in page, name
