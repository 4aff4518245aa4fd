"""What falls due in cases: on the calendar of who may see them, in their feed without a marker, and in the list it opens."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from nrm.actions.assistance import change_stay, record_permit, record_stay
from nrm.actions.children import determine_best_interest
from nrm.actions.reflection import record_event
from nrm.actions.risk import Planned, assess
from nrm.models import Case
from stakeholders.actions import feeds
from stakeholders.calendar import known
from tests.nrm.cases import institution, opened


def ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def due(user: Any, days: int = 400) -> dict[str, date]:
    """What falls due in cases from a year ago on, by the kind that the entry's key names."""
    source = next(one for one in known() if one.key == "cases")
    found: dict[str, date] = {}
    for entry in source.entries(user, ago(400), ago(-days)):
        kind = entry.key.removeprefix("case-")[:-11]
        assert kind == "follow-up" or kind not in found  # of an assessment the latest one alone
        found[kind] = entry.starts_on
    return found


@pytest.fixture
def case(world) -> Case:
    """A child's case in which something of each kind is to come."""
    by = world.focal_point
    case = opened(by, profile={"age_at_referral": 15, "citizenship": ["AL"]}, on=ago(20))
    everybody = [institution(code) for code in ("KP-THB", "VPAO", "CSW")]
    for day in (ago(9), ago(5)):
        plan = [Planned("Another telephone", institution("KP-THB"), ago(-3))] if day == ago(5) else []
        assess(case, by=by, key=uuid.uuid4(), assessed_on=day, level="RISK_MED", assessors=everybody, plan=plan)
    record_event(case, by=by, key=uuid.uuid4(), kind="RF_START", on=ago(4))
    record_permit(
        case,
        uuid.uuid4(),
        {"asked_on": ago(9), "state": "granted", "decided_on": ago(2), "valid_until": ago(-60)},
        by=by,
    )
    determine_best_interest(
        case, by=world.child, key=uuid.uuid4(), determined_on=ago(3), finding="shelter", determined_by=institution("CSW"),
        review_on=ago(-40),
    )  # fmt: skip
    stay = record_stay(case, uuid.uuid4(), {"shelter_type": "SH_NGO", "came_on": ago(9)}, by=by)
    change_stay(stay, {"left_on": ago(2)}, by=by, revision=0)
    return case


def test_each_kind_stands_on_its_day_for_those_who_see_the_case(world, case):
    found = due(world.focal_point)
    follow_up = found.pop("follow-up")  # the last one of three
    assert follow_up.year == (ago(2) + timedelta(days=365)).year
    assert found == {
        "risk": ago(5 - 30), "measure": ago(-3), "reflection": ago(4 - 90), "permit": ago(-60), "interest": ago(-40),
    }  # fmt: skip
    assert due(world.monitoring).keys() == due(world.child).keys() == {*found, "follow-up"}
    assert not due(world.other_focal_point) and not due(world.natc) and not due(world.planning)


def test_what_is_done_or_over_falls_due_no_more(world, case):
    by = world.focal_point
    record_event(
        case,
        by=by,
        key=uuid.uuid4(),
        kind="RF_PAUSE",
        on=ago(1),
        reason="In hospital.",
        decided_by=institution("KP-THB"),
    )
    assert "reflection" not in due(by)  # nobody knows its end
    record_event(case, by=by, key=uuid.uuid4(), kind="RF_RESUME", on=ago(0))
    assert due(by)["reflection"] == ago(4 - 90 - 1)
    record_event(case, by=by, key=uuid.uuid4(), kind="RF_WAIVE", on=ago(0))
    assert "reflection" not in due(by)
    Case.objects.filter(pk=case.pk).update(closed_on=ago(0), outcome="RT_INDEP")
    assert due(by).keys() == {"follow-up"}


def test_an_entry_opens_the_list_of_these_very_cases_and_tells_no_marker(world, client_for, case):
    other = opened(world.focal_point)
    client = client_for("focal_point")
    day = ago(5 - 30)
    page = client.get(f"{reverse('stakeholders:calendar')}?month={day:%Y-%m}").content.decode()
    address = f"{reverse('nrm:case-list')}?falls=risk&amp;falls_on={day.isoformat()}"
    assert "Risk to be assessed again" in page and address in page
    assert case.marker not in page and str(case) not in page
    rows = list(client.get(address.replace("&amp;", "&")).context["page"])
    assert rows == [case]
    assert list(client.get(f"{reverse('nrm:case-list')}?falls=risk").context["page"]) == [case] != [other]
    assert not list(client.get(f"{reverse('nrm:case-list')}?falls=risk&falls_on={ago(0)}").context["page"])
    key = feeds.open_feed(by=world.focal_point, body=None)
    feed = feeds.feed_of(key)
    assert feed is not None
    content = feeds.content_of(feed)
    assert "Rreziku" in content or "isk" in content
    assert case.marker not in content.replace("\r\n ", "")
