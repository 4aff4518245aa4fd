"""Events that carry out measures, feed indicators and stand as evidence."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from onatc.models import Municipality
from onatc.periods import Period
from stakeholders.actions import events
from strategy import evidence
from strategy.actions import drafts
from strategy.actions.event_measures import link_measures
from strategy.computed import figure_of, query_of
from strategy.models import EventMeasure, Plan
from tests.stakeholders.outreach import an_event, days_ago, institution, reached
from tests.strategy.test_drafts import local_draft, measure_fields

pytestmark = pytest.mark.django_db


def test_measures_are_named_by_code_and_stand_on_the_page_of_the_event(world, client_for):
    event, office = an_event(world.information), client_for("information")
    address = reverse("strategy:event-measures", args=[event.pk])
    assert "No plan in force has" in office.post(address, {"measures": "M9.9.9"}).content.decode()
    for _press in range(2):
        page = office.post(address, {"measures": "M1.2.3, M2.1.1"}, follow=True).content.decode()
    assert "M1.2.3" in page and "M2.1.1" in page
    assert EventMeasure.objects.count() == 2
    office.post(address, {"measures": "M2.1.1"})
    assert EventMeasure.objects.get().lineage == world.measure("M2.1.1").lineage
    measure = client_for("planning").get(world.measure("M2.1.1").get_absolute_url()).content.decode()
    assert str(event.title) in measure
    assert client_for("monitoring").post(address, {"measures": ""}).status_code == 403
    with pytest.raises(PermissionDenied):
        link_measures(event, [], by=world.focal_point)


def test_the_figures_by_hand(world):
    """Held in the period by kind; people of those that counted, none when nobody did; partners from abroad."""
    by, plan = world.information, world.plan
    day = days_ago(2)
    period, on = Period(day, days_ago(0)), {"starts_on": day, "ends_on": day}

    def value(key: str) -> Decimal | None:
        return figure_of(key, plan, period).value

    uncounted = an_event(by, held=True, **on)
    assert value("people-trained") is None and value("events-counted") == 0
    reached(an_event(by, held=True, **on), by, participants_women=3, participants_men=4)
    reached(an_event(by, held=True, kind="seminar", **on), by, officials_unknown=5)
    reached(an_event(by, held=True, kind="campaign", **on), by, public_women=100, media_unknown=1000)
    reached(an_event(by, held=True, starts_on=days_ago(9), ends_on=days_ago(9)), by, participants_women=50)
    an_event(by, **on)  # planned
    over = an_event(by, held=True, kind="observance", starts_on=days_ago(9), ends_on=day)  # ended in the period
    events.add_partner(over, by=by, institution=None, country=institution("OSCE").country or country("AL"))
    events.add_partner(uncounted, by=by, institution=institution("MOH"), country=None)
    assert {key: value(key) for key in (
        "events-held", "trainings-held", "campaigns-held", "people-reached", "women-reached", "people-trained", "women-trained",
        "events-with-foreign-partner",
    )} == {
        "events-held": 5, "trainings-held": 3, "campaigns-held": 2, "people-reached": 1112, "women-reached": 103,
        "people-trained": 12, "women-trained": 3, "events-with-foreign-partner": 1,
    }  # fmt: skip
    share = figure_of("events-counted", plan, period)
    assert (share.numerator, share.denominator) == (3, 5)
    an_event(by, held=True, organiser=institution("AL-NATC"), **on)
    assert value("events-with-foreign-partner") == 2


def test_which_events_count_for_a_plan(world):
    """Linked to a measure of it; for a local plan also held in its area; for a national plan also linked to no other's."""
    by, period = world.information, Period(days_ago(2), days_ago(0))
    here = Municipality.objects.get(pk="PRN")
    local, _version, objective = local_draft(world)
    own = drafts.save_measure(objective, None, by=world.local, **measure_fields(world))
    child, around = (
        Plan.objects.create(
            strategy=world.plan.strategy, code=kind, title_sq=kind, kind=kind, starts_on=local.starts_on,
            ends_on=local.ends_on, district_id=district,
        )
        for kind, district in (("child", None), ("local", here.district_id))
    )  # fmt: skip

    def an(title: str, *measures, **changes):
        day = {"starts_on": days_ago(1), "ends_on": days_ago(1)}
        event = reached(an_event(by, held=True, title_en=title, **day, **changes), by, participants_women=10)
        EventMeasure.objects.bulk_create(EventMeasure(event=event, lineage=one.lineage, by=by) for one in measures)

    def counted() -> list[tuple[Decimal | None, Decimal | None]]:
        found = []
        for plan in (world.plan, local, around, child):
            held, trained = (figure_of(key, plan, period).value for key in ("events-held", "people-trained"))
            found.append((held, trained))
        return found

    an("of the national plan", world.measure("M2.1.1"))
    assert counted() == [(1, 10), (0, None), (0, None), (0, None)]
    an("of the local plan", own)
    assert counted() == [(1, 10), (1, 10), (0, None), (0, None)]
    an("of both", own, world.measure("M2.1.1"))
    assert counted() == [(2, 20), (2, 20), (0, None), (0, None)]
    an("of none, here", municipality=here)
    assert counted() == [(3, 30), (3, 30), (1, 10), (0, None)]
    an("of none, elsewhere")
    assert counted() == [(4, 40), (3, 30), (1, 10), (0, None)]
    an("of the national plan, here", world.measure("M1.2.3"), municipality=here)
    assert counted() == [(5, 50), (4, 40), (2, 20), (0, None)]
    drafts.start_draft(world.plan, by=world.planning)  # the same measures once more
    assert counted() == [(5, 50), (4, 40), (2, 20), (0, None)]
    words = query_of("people-trained").definition
    assert "to whose measures it is linked" in str(words) and "Sum of the people counted" in str(words)


def country(code: str):
    from stakeholders.models import Country

    return Country.objects.get(pk=code)


def test_held_events_and_trainings_can_stand_as_evidence(world):
    by = world.information
    training = an_event(by, held=True, title_en="Course")
    campaign = an_event(by, held=True, kind="campaign", title_en="Posters", is_public=False)
    an_event(by, title_en="Planned")
    found = {(one.kind.key, one.record.pk) for one in evidence.found_records(world.director)}
    assert {("training", training.pk), ("event", campaign.pk)} <= found
    assert [one.record.pk for one in evidence.found_records(world.director, "posters", kind="event")] == [campaign.pk]
    assert evidence.record_of("event", campaign.pk, world.focal_point) is None
    assert evidence.record_of("training", training.pk, world.focal_point).url == training.get_absolute_url()
