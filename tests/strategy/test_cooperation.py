"""From the meeting to the report and back: decision, action point, measure, progress, report section; each links both ways."""

from __future__ import annotations

import itertools
import re
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from monitoring import actions as report_actions
from monitoring.report import document
from onatc.errors import Refused
from onatc.periods import Period
from stakeholders.actions import decisions
from stakeholders.models import ActionPoint, PointStep
from strategy import evidence
from strategy.actions import cooperation, progress
from strategy.actions.consultation import Remark
from strategy.actions.proposals import propose
from strategy.models import EvidenceLink, Measure, PlanVersion, PointMeasure, ProgressEntry, Proposal, ProposalOrigin
from tests.stakeholders.agreed import a_signed_agreement
from tests.stakeholders.decided import a_decision, a_meeting, a_point, cost_of
from tests.stakeholders.outreach import an_event
from tests.strategy import steps

pytestmark = pytest.mark.django_db
LINK = "https://example.org/lista"


def url(name: str, *args) -> str:
    return reverse(f"strategy:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


@pytest.fixture
def owed(world):
    """A measure with an open request, its institution, and an action point of that institution from a decision."""
    request = world.request()
    meeting = a_meeting(world.director, called=request.institution.code)
    decision = a_decision(meeting, world.planning)
    point = a_point(meeting, world.planning, owner=request.institution.code, decision=decision)
    return request, meeting, decision, point


def link(world, point, measure) -> PointMeasure:
    cooperation.link_point(point, [measure], by=world.planning)
    return PointMeasure.objects.get(point=point, lineage=measure.lineage)


# Links


def test_a_point_is_linked_with_measures_by_code_once_and_taken_off(world, client_for, owed):
    request, _meeting, _decision, point = owed
    client = client_for("focal_point")
    other = Measure.objects.filter(version=world.version, lead=request.institution).exclude(pk=request.measure_id)[0]
    form = {"measures": f"{request.measure_code}, {other.code}"}
    for _twice in range(2):
        page = client.post(url("point-link", point.pk), form, follow=True).content.decode()
    assert request.measure.get_absolute_url() in page and other.get_absolute_url() in page
    assert PointMeasure.objects.count() == 2
    measure_page = client.get(request.measure.get_absolute_url()).content.decode()
    assert point.get_absolute_url() in measure_page and _decision.get_absolute_url() in measure_page
    row = PointMeasure.objects.get(lineage=other.lineage)
    assert client.post(url("point-unlink", row.pk)).status_code == 302 and PointMeasure.objects.count() == 1
    assert client.post(url("point-unlink", row.pk)).status_code == 404
    cooperation.unlink_point(row, by=world.planning)  # a page opened before


@pytest.mark.parametrize(
    ("typed", "sentence"), [("", "This field is required."), ("M9.9.9", "No plan in force has"), ("M1.2.3\x00", "Null")]
)
def test_a_code_that_is_none_is_said_at_the_field(world, client_for, owed, typed, sentence):
    page = client_for("planning").post(url("point-link", owed[3].pk), {"measures": typed})
    assert page.status_code == 200 and sentence in page.content.decode() and not PointMeasure.objects.exists()


def test_only_the_office_and_the_owner_link(world, client_for, owed):
    request, _meeting, _decision, point = owed
    assert client_for("other_focal_point").get(url("point-link", point.pk)).status_code == 404
    assert client_for("natc").get(url("point-link", point.pk)).status_code == 403
    row = link(world, point, request.measure)
    assert client_for("focal_point").get(url("point-unlink", row.pk)).status_code == 403  # the office linked it
    with pytest.raises(PermissionDenied):
        cooperation.link_point(point, [request.measure], by=world.natc)
    draft = PlanVersion.objects.create(plan=world.plan, number=2)
    hidden = world.measure("M1.1.1")
    hidden.pk, hidden._state.adding = uuid.uuid4(), True
    Measure.objects.filter(pk=hidden.pk).update(version=draft)
    hidden.pk = uuid.uuid4()
    with pytest.raises(Refused, match="no such measure"):
        cooperation.link_point(point, [hidden], by=world.focal_point)


def test_the_list_of_points_is_asked_by_measure(world, client_for, owed):
    request, meeting, _decision, point = owed
    a_point(meeting, world.planning)
    link(world, point, request.measure)
    page = client_for("planning").get(
        reverse("stakeholders:action-point-list"), {"measure": str(request.measure.lineage)}
    )
    assert [one.pk for one in page.context["page"]] == [point.pk]
    assert request.measure_code in page.content.decode()
    table = b"".join(
        client_for("planning").get(reverse("stakeholders:action-point-export"), {"format": "csv"})
    ).decode()
    assert request.measure_code in table


def test_the_story_of_the_measure_tells_decision_point_and_end(world, client_for, owed):
    request, _meeting, decision, point = owed
    link(world, point, request.measure)
    decisions.close_point(point, by=world.focal_point, outcome="U hartua lista.", language="sq", link=LINK)
    page = client_for("planning").get(url("measure-story", request.measure.pk)).content.decode()
    assert decision.get_absolute_url() in page and point.get_absolute_url() in page
    assert "Action point done" in page and f"Decision {decision.label}" in page and "U hartua lista." in page
    other = client_for("other_focal_point").get(url("measure-story", request.measure.pk)).content.decode()
    assert point.get_absolute_url() not in other and decision.get_absolute_url() not in other


# Progress


def test_an_action_point_becomes_progress_with_its_outcome_written_in_and_not_saved(world, client_for, owed):
    request, _meeting, _decision, point = owed
    row, client = link(world, point, request.measure), client_for("focal_point")
    page = client.get(point.get_absolute_url()).content.decode()
    assert url("point-progress", row.pk) in page
    decisions.close_point(point, by=world.focal_point, outcome="U hartua lista e treguesve.", language="sq", link=LINK)
    answer = client.post(url("point-progress", row.pk))
    entry = ProgressEntry.objects.get(request=request)
    assert answer.url == f"{url('progress-edit', entry.pk)}?point={point.pk}"
    page = client.get(answer.url).content.decode()
    assert "U hartua lista e treguesve." in page and "It is not saved yet" in page
    assert refresh(entry).done == ""
    # Offered as evidence beside the form; named once.
    assert f'value="action-point:{point.pk}"' in page
    for _twice in range(2):
        client.post(url("progress-records", entry.pk), {"record": f"action-point:{point.pk}"})
    assert EvidenceLink.objects.get().record == point.pk
    page = client.get(url("progress-edit", entry.pk)).content.decode()
    assert "named as evidence" in page and "U hartua lista e treguesve." not in page
    # Words that stand there already are not written twice.
    progress.save_entry(
        entry, progress.Answer(language="sq", measure_state="under_way", done="Para. U hartua lista e treguesve."),
        by=world.focal_point, revision=entry.revision,
    )  # fmt: skip
    assert client.get(answer.url).content.decode().count("U hartua lista e treguesve.") == 1


def test_without_an_open_round_or_for_another_the_way_to_progress_is_closed(world, client_for, owed):
    request, meeting, _decision, point = owed
    row = link(world, point, request.measure)
    office = client_for("planning")
    assert url("point-progress", row.pk) not in office.get(point.get_absolute_url()).content.decode()
    page = office.post(url("point-progress", row.pk), follow=True).content.decode()
    assert "not asked about this measure in an open round" in page
    assert client_for("other_focal_point").post(url("point-progress", row.pk)).status_code == 404
    foreign = a_point(meeting, world.planning, owner="MOH")
    other = link(world, foreign, request.measure)
    page = client_for("focal_point").post(url("point-progress", other.pk), follow=True).content.decode()
    assert "not asked about this measure" in page and not ProgressEntry.objects.exists()
    submitted(world, request)
    page = client_for("focal_point").post(url("point-progress", row.pk), follow=True).content.decode()
    assert "handed in already" in page


def submitted(world, request):
    return steps.submitted(request, world.focal_point)


def test_a_recorded_report_of_progress_closes_a_point_and_both_pages_say_so(world, client_for, owed):
    request, _meeting, _decision, point = owed
    link(world, point, request.measure)
    entry, client = submitted(world, request), client_for("focal_point")
    address = reverse("stakeholders:action-point-close", args=[point.pk])
    assert entry.get_absolute_url() in client.get(address).content.decode()
    form = {"key": str(uuid.uuid4()), "revision": 0, "text": "U krye.", "language": "sq", "record": "/elsewhere/"}
    assert "Select a valid choice" in client.post(address, form).content.decode()
    page = client.post(address, form | {"record": entry.get_absolute_url()}, follow=True).content.decode()
    assert f'Evidence: <a href="{entry.get_absolute_url()}">' in page
    assert PointStep.objects.get().link == entry.get_absolute_url()
    assert point.get_absolute_url() in client.get(entry.get_absolute_url()).content.decode()


def test_decisions_and_points_are_kinds_of_evidence_for_whoever_may_see_them(world, owed):
    _request, _meeting, decision, point = owed
    known = {one.key for one in evidence.known()}
    assert {"action-point", "meeting-decision", "decision"} <= known
    found = evidence.found_records(world.focal_point, decision.label, kind="meeting-decision")
    assert [one.record for one in found] == [decision] and found[0].url == decision.get_absolute_url()
    assert [one.record for one in evidence.found_records(world.focal_point, "lista", kind="action-point")] == [point]
    assert not evidence.found_records(world.other_focal_point, kind="action-point")
    assert evidence.record_of("meeting-decision", decision.pk, world.other_focal_point) is None


def test_what_a_report_names_as_evidence_leads_back_to_the_report(world, client_for, owed):
    """From a meeting, its decision, an agreement and an event; not for whoever may not see the report."""
    request, meeting, decision, _point = owed
    agreement = a_signed_agreement(world, parties=("NATC", request.institution.code))
    event = an_event(world.information, held=True)
    entry, client = progress.start_entry(request, by=world.focal_point), client_for("focal_point")
    named = {"meeting": meeting, "meeting-decision": decision, "agreement": agreement, "training": event}
    for kind, record in named.items():
        client.post(url("progress-records", entry.pk), {"record": f"{kind}:{record.pk}"})
    assert EvidenceLink.objects.count() == len(named)
    for record in named.values():
        assert entry.get_absolute_url() in client.get(record.get_absolute_url()).content.decode(), record
        page = client_for("other_focal_point").get(record.get_absolute_url())
        assert entry.get_absolute_url() not in page.content.decode(), record
    # Bodies number their decisions each for itself: whose it is stands with it.
    assert f"({decision.body.name})" in client.get(entry.get_absolute_url()).content.decode()


def test_what_was_dropped_is_not_offered_as_evidence(world, client_for, owed):
    request, _meeting, _decision, point = owed
    link(world, point, request.measure)
    entry, client = progress.start_entry(request, by=world.focal_point), client_for("focal_point")
    assert point.get_absolute_url() in client.get(url("progress-edit", entry.pk)).content.decode()
    decisions.drop_point(point, by=world.director, reason="Nuk duhet më.", language="sq")
    assert point.get_absolute_url() not in client.get(url("progress-edit", entry.pk)).content.decode()


# Proposals


def test_a_proposal_names_the_decision_it_comes_from_and_both_pages_say_so(world, client_for, owed):
    decision, client = owed[2], client_for("planning")
    page = client.get(decision.get_absolute_url()).content.decode()
    address = f"{url('proposal-create')}?decision={decision.pk}"
    assert address in page and f'value="{decision.pk}" selected' in client.get(address).content.decode()
    form = {"origin": "meeting", "decision": str(decision.pk), "origin_reference": "", "institution": "", "field": "other",
            "text": "Plani të shtyhet.", "proposed": "", "language": "sq", "send": "1"}  # fmt: skip
    page = client.post(address, form | {"origin": "review", "origin_reference": "x"})
    assert "Only what comes from a meeting names a decision." in page.content.decode()
    page = client.post(address, form, follow=True).content.decode()
    proposal = Proposal.objects.get()
    assert proposal.decision == decision and decision.label in proposal.origin_reference
    assert decision.get_absolute_url() in page
    assert proposal.get_absolute_url() in client.get(decision.get_absolute_url()).content.decode()
    assert client.get(f"{url('proposal-create')}?decision=x").status_code == 404
    with pytest.raises(Refused, match="Only what comes from a meeting"):
        propose(
            world.plan,
            Remark("x"),
            by=world.planning,
            origin=ProposalOrigin.REVIEW,
            origin_reference="x",
            decision=decision,
        )


# The report


def test_the_figures_of_the_report_are_those_counted_by_hand(world):
    """Last quarter: two decisions; five points agreed, one dropped and one done in it, one done only afterwards; of three
    from before one was done in it and one is overdue at its end."""
    period = Period.quarter_of(timezone.localdate()).previous()
    start, end = period.start, period.end
    meeting = a_meeting(world.director, on=start + timedelta(days=10))
    decided = [a_decision(meeting, world.planning) for _ in range(2)]
    earlier = a_meeting(world.director, on=start - timedelta(days=40))
    a_decision(earlier, world.planning)
    a_decision(a_meeting(world.director, on=end + timedelta(days=1)), world.planning)

    def point(of, due, **values):
        made = a_point(of, world.planning, **values)
        ActionPoint.objects.filter(pk=made.pk).update(due_on=due, first_due_on=due)
        return refresh(made)

    def ended(made, state, day):
        at = timezone.make_aware(timezone.datetime(day.year, day.month, day.day, 12))
        PointStep.objects.create(
            point=made, kind="closed" if state == "done" else state, at=at, by=world.director, text="x"
        )
        ActionPoint.objects.filter(pk=made.pk).update(state=state, closed_at=at, closed_by=world.director, outcome="x")

    done = point(meeting, end, decision=decided[0])
    ended(done, "done", start + timedelta(days=30))
    dropped = point(meeting, end, decision=decided[0])
    ended(dropped, "dropped", end)
    afterwards = point(meeting, end - timedelta(days=5), decision=decided[1])
    ended(afterwards, "done", end + timedelta(days=1))  # overdue at the end of the period
    point(meeting, end + timedelta(days=20), decision=decided[1])
    without = point(meeting, end)  # due on the last day: not overdue on it
    old_done, old_late = point(earlier, end), point(earlier, start - timedelta(days=3))
    ended(old_done, "done", start)
    old_open = point(earlier, end + timedelta(days=9))
    long_done = point(earlier, start)
    ended(long_done, "done", start - timedelta(days=1))
    link(world, done, world.measure("M1.2.3"))

    report = report_actions.draft_report(world.plan, period, by=world.monitoring)
    data = report.data["cooperation"]
    assert data["counts"] == {"decisions": 2, "agreed": 5, "done": 2, "dropped": 1, "open": 5, "overdue": 2}
    by_decision = {one["id"]: [(row["id"], row["standing"]) for row in one["points"]] for one in data["decisions"]}
    assert sorted(by_decision[str(decided[0].pk)]) == sorted([(str(done.pk), "done"), (str(dropped.pk), "dropped")])
    assert (str(afterwards.pk), "overdue") in by_decision[str(decided[1].pk)]
    assert [(one["id"], one["standing"]) for one in data["points"]] == [(str(without.pk), "open")]
    assert {one["id"]: one["standing"] for one in data["earlier"]} == {
        str(old_done.pk): "done",
        str(old_late.pk): "overdue",
    }
    assert str(old_open.pk) not in data["ids"] and str(long_done.pk) not in data["ids"]
    measures = [row["measures"] for one in data["decisions"] for row in one["points"] if row["id"] == str(done.pk)]
    assert measures == [["M1.2.3"]]


def test_the_section_is_printed_in_three_languages_and_frozen_with_the_report(world, client_for, owed):
    _request, _meeting, decision, point = owed
    period = Period.quarter_of(decision.decided_on)
    report = report_actions.draft_report(world.plan, period, by=world.monitoring)
    for language, heading in (
        ("en", "What was decided and what came of it"),
        ("sq", "Çfarë u vendos"),
        ("sr", "Šta je odlučeno"),
    ):
        texts = {"summary": "", "conclusions": ""}
        page = document.html(report.data, texts, language, fingerprint="0" * 64, is_draft=True, issue=1)
        assert decision.label in page
        if language == "en":
            assert heading in page and "Report each quarter." in page and "Draw up the list" in page
    before = report.data["cooperation"]
    decisions.close_point(point, by=world.director, outcome="x", language="sq", link=LINK)
    assert refresh(report).data["cooperation"] == before
    # A report from before there was the section is shown without it.
    old = {key: value for key, value in report.data.items() if key != "cooperation"}
    assert "What was decided" not in document.html(
        old, {"summary": "", "conclusions": ""}, "en", fingerprint="0" * 64, is_draft=True, issue=1
    )  # fmt: skip


# The chain


def hrefs(page) -> set[str]:
    return set(re.findall(r'href="([^"?#]+)', page.content.decode()))


def test_the_chain_is_walked_by_links_from_the_meeting_to_the_report_and_back(world, client_for, owed):
    """What was decided, by whom, and what came of it: each page leads to the next one and to the one before."""
    request, meeting, decision, point = owed
    row = link(world, point, request.measure)
    owner = client_for("focal_point")
    decisions.close_point(point, by=world.focal_point, outcome="U hartua lista.", language="sq", link=LINK)
    owner.get(owner.post(url("point-progress", row.pk)).url)
    entry = ProgressEntry.objects.get()
    owner.post(url("progress-records", entry.pk), {"record": f"action-point:{point.pk}"})
    submitted(world, request)
    progress.accept_entry(entry, by=world.monitoring, comment="")
    report = report_actions.draft_report(world.plan, Period.quarter_of(decision.decided_on), by=world.monitoring)
    chain = [meeting, decision, point, request.measure, refresh(entry)]
    for name in ("director", "natc"):
        client = client_for(name)
        for one, following in itertools.pairwise(chain):
            assert following.get_absolute_url() in hrefs(client.get(one.get_absolute_url())), (name, one, following)
            assert one.get_absolute_url() in hrefs(client.get(following.get_absolute_url())), (name, following, one)
        for one in (decision, point):
            assert report.get_absolute_url() in hrefs(client.get(one.get_absolute_url()))
            assert one.get_absolute_url() in hrefs(client.get(report.get_absolute_url()))
        assert point.get_absolute_url() in hrefs(client.get(entry.get_absolute_url()))
        assert entry.get_absolute_url() in hrefs(client.get(point.get_absolute_url()))
    for one, following in itertools.pairwise(chain):  # the owner walks it too, as far as it sees
        assert following.get_absolute_url() in hrefs(owner.get(one.get_absolute_url()))
    assert report.get_absolute_url() not in hrefs(owner.get(decision.get_absolute_url()))


def test_pages_of_points_and_measures_cost_the_same_however_much_is_linked(world, client_for, owed):
    request, meeting, decision, point = owed
    client, costs = client_for("director"), {}
    codes = iter(Measure.objects.filter(version=world.version).order_by("position"))
    for count in (2, 9):
        for _one in range(count):
            link(world, point, next(codes))
            link(
                world,
                a_point(meeting, world.planning, owner=request.institution.code, decision=decision),
                request.measure,
            )
        pages = {
            "point": point.get_absolute_url(), "decision": decision.get_absolute_url(),
            "measure": request.measure.get_absolute_url(), "list": reverse("stakeholders:action-point-list"),
        }  # fmt: skip
        for name, page in pages.items():
            costs.setdefault(name, []).append(cost_of(client, page))
    assert all(len(set(found)) == 1 for found in costs.values()), costs
