"""The SOP in the browser: drafted, tried on past cases, adopted; competences; and the acts on clocks by their pages."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

import nrm.tasks  # noqa: F401  (registers the job)
from nrm.actions import clock_notices, procedure
from nrm.actions import sop as actions
from nrm.actions.happenings import note
from nrm.models import Clock, ClockState, Competence, EventKind, Happening, SopStep, SopTrial, SopVersion
from nrm.queries.clocks import calendar_entries, lines_of
from onatc import jobs
from onatc.errors import Refused
from onatc.mail import Message
from onatc.models import Job
from tests.nrm.cases import institution, opened

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def a_draft(by: Any) -> SopVersion:
    return actions.draft_version(uuid.uuid4(), {"title_sq": "Versioni i dytë", "note": ""}, by=by)[0]


def posted(step: SopStep, **changes: Any) -> dict[str, Any]:
    fields = {
        "number": step.number, "name_sq": step.name_sq, "name_sr": step.name_sr, "name_en": step.name_en,
        "trigger": step.trigger, "unit": step.unit, "amounts_typed": ", ".join(map(str, step.amounts)),
        "before": step.before, "who": step.who, "met_by": step.met_by, "actors": step.actors, "ends_on": step.ends_on,
        "may_pause": step.may_pause, "pauses_on": step.pauses_on, "resumes_on": step.resumes_on,
        "source": step.source, "revision": step.revision, "evidence_sq": step.evidence_sq,
    }  # fmt: skip
    return fields | changes


def test_a_draft_begins_with_the_version_in_force_and_only_one_is_written_at_a_time(world, client_for):
    planning = client_for("planning")
    page = planning.get(reverse("nrm:sop-draft"))
    key = page.context["form"].initial["key"]
    sent = {"key": key, "title_sq": "Versioni 2", "title_sr": "", "title_en": "", "note": "Afate më të shkurtra"}
    assert planning.post(reverse("nrm:sop-draft"), sent).status_code == 302
    assert planning.post(reverse("nrm:sop-draft"), sent).status_code == 302  # sent twice
    draft = SopVersion.objects.get(pk=key)
    first = SopVersion.objects.get(number=1)
    assert draft.based_on == first and draft.steps.count() == 23
    assert set(draft.steps.values_list("lineage")) == set(first.steps.values_list("lineage"))
    refused = planning.post(reverse("nrm:sop-draft"), sent | {"key": uuid.uuid4()})
    assert "draft already" in refused.content.decode()
    # drafts are the office's; an observer and an institution see what is in force
    for name, status in (("observer", 404), ("focal_point", 404), ("natc", 200), ("director", 200)):
        assert client_for(name).get(reverse("nrm:sop-detail", args=[draft.pk])).status_code == status
    assert "to be confirmed" in client_for("observer").get(first.get_absolute_url()).content.decode()


def test_steps_are_changed_added_and_taken_out_and_what_makes_no_sense_is_refused(world, client_for):
    draft, planning = a_draft(world.planning), client_for("planning")
    step = draft.steps.get(number=2)
    url = reverse("nrm:sop-step-edit", args=[step.pk])
    assert planning.get(url).status_code == 200
    for changes, sentence in (
        ({"amounts_typed": ""}, "Say how long"),
        ({"amounts_typed": "12, 3"}, "smallest first"),
        ({"amounts_typed": "x"}, "Whole numbers"),
        ({"amounts_typed": "99999"}, "Between 1 and"),
        ({"unit": "before", "before": ""}, "before which event"),
        ({"met_by": ["received"]}, "is not met by what starts it"),
        ({"is_confirmed": "on", "source": ""}, "Name the source"),
        ({"number": 3}, "number"),
        ({"repeats": "on", "amounts_typed": "3, 6"}, "one limit"),
    ):
        page = planning.post(url, posted(step, **changes))
        assert page.status_code == 200 and sentence in page.content.decode(), changes
    assert (
        planning.post(url, posted(step, amounts_typed="12", source="Udhëzimi 1/2026", is_confirmed="on")).status_code
        == 302
    )
    step.refresh_from_db()
    assert step.amounts == [12] and step.is_confirmed and step.revision == 1
    stale = planning.post(url, posted(step, amounts_typed="6", revision=0))
    assert stale.status_code == 200 and "A colleague changed this" in stale.content.decode()
    add = reverse("nrm:sop-step-add", args=[draft.pk])
    key = planning.get(add).context["form"].initial["key"]
    new = posted(step, number=24, name_sq="Hap i ri", trigger="damage", met_by=["informed"]) | {"key": key}
    assert planning.post(add, new).status_code == 302 == planning.post(add, new).status_code
    assert draft.steps.filter(number=24).count() == 1
    remove = reverse("nrm:sop-step-remove", args=[draft.steps.get(number=23).pk])
    assert planning.post(remove).status_code == 302
    assert not draft.steps.filter(number=23).exists()
    compared = planning.get(reverse("nrm:sop-compare", args=[draft.pk])).content.decode()
    assert "new step" in compared and "step taken out" in compared and "12 hours" in compared
    # whoever only reads the mechanism changes nothing
    for name in ("observer", "focal_point", "natc", "information"):
        assert client_for(name).post(url, posted(step)).status_code in (403, 404)
    adopted = SopVersion.objects.get(number=1).steps.get(number=2)
    with pytest.raises(Refused, match="adopted"):
        actions.change_step(adopted, {"amounts": [1]}, by=world.planning, revision=0)
    with pytest.raises(Refused, match="adopted"):
        actions.remove_step(adopted, by=world.planning)


def test_a_draft_is_tried_on_past_cases_and_says_how_many_would_have_been_late(
    world, client_for, django_capture_on_commit_callbacks
):
    start = TODAY() - timedelta(days=30)
    for hours in range(7):
        case = opened(world.focal_point, on=start)
        note(case, EventKind.NOTIFIED, on=start + timedelta(days=1 if hours < 2 else 0), by=None)
    aside = opened(world.focal_point, on=start)
    procedure.set_aside(Clock.objects.get(case=aside, step__number=2), by=world.focal_point, reason="notified before")
    draft = a_draft(world.planning)
    step = draft.steps.get(number=2)
    actions.change_step(step, {"unit": "same_day", "amounts": []}, by=world.planning, revision=0)
    job = actions.try_on_past_cases(draft, by=world.planning, from_day=start, to_day=TODAY())
    assert actions.try_on_past_cases(draft, by=world.planning, from_day=start, to_day=TODAY()) == job
    before = list(Clock.objects.order_by("pk").values())
    jobs.run(str(job.pk))
    assert Job.objects.get(pk=job.pk).state == "done"
    trial = SopTrial.objects.get(version=draft)
    actions.run_trial(job, lambda done, of: None)  # a second attempt writes nothing more
    assert SopTrial.objects.filter(version=draft).count() == 1
    found = next(one for one in trial.result if one["number"] == 2)
    assert (found["cases"], found["late"], found["cases_before"], found["late_before"]) == (7, 2, 7, 0)
    assert list(Clock.objects.order_by("pk").values()) == before  # nothing changed
    raw = client_for("director").get(reverse("nrm:sop-trial-detail", args=[trial.pk])).content.decode()
    assert "2 of 7 cases would have been late" in raw
    protected = client_for("planning").get(reverse("nrm:sop-trial-detail", args=[trial.pk])).content.decode()
    assert "2 of 7" not in protected and "hidden" in protected
    actions.change_version(SopVersion.objects.get(pk=draft.pk), {"title_sq": "Tjetër"}, by=world.planning, revision=1)
    assert (
        "Try it again" in client_for("director").get(reverse("nrm:sop-trial-detail", args=[trial.pk])).content.decode()
    )
    with pytest.raises(Refused):
        actions.try_on_past_cases(draft, by=world.planning, from_day=TODAY(), to_day=start)
    assert client_for("focal_point").get(reverse("nrm:sop-trial-detail", args=[trial.pk])).status_code in (403, 404)


def a_trial(draft: SopVersion, minutes: int, cases: int, late: int, late_before: int) -> SopTrial:
    step = draft.steps.get(number=2)
    result = {
        "lineage": str(step.lineage), "number": 2, "name_sq": "Njoftimi", "name_sr": "", "name_en": "", "is_gone": False,
        "cases": cases, "late": late, "cases_before": cases, "late_before": late_before,
    }  # fmt: skip
    return SopTrial.objects.create(
        version=draft, from_day=TODAY(), to_day=TODAY(), cases=cases, result=[result],
        tried_at=timezone.now() + timedelta(minutes=minutes),
    )  # fmt: skip


def test_trials_of_other_days_or_limits_do_not_tell_one_case_by_their_difference(world, client_for):
    draft = a_draft(world.planning)
    first = a_trial(draft, 0, 20, 10, 5)
    another_day = a_trial(draft, 1, 21, 10, 5)
    another_limit = a_trial(draft, 2, 20, 12, 5)
    many_more = a_trial(draft, 3, 40, 20, 10)

    def row(name: str, trial: SopTrial) -> tuple[Any, ...]:
        page = client_for(name).get(reverse("nrm:sop-trial-detail", args=[trial.pk]))
        one = page.context["rows"][0]
        return page.context["cases"], one.cases, one.late, one.cases_before, one.late_before

    assert row("director", another_day) == (21, 21, 10, 21, 5)
    assert row("planning", first) == (20, 20, 10, 20, 5)
    assert row("planning", another_day) == (None, None, None, None, None)
    assert row("planning", another_limit) == (20, 20, None, 20, 5)
    assert row("planning", many_more) == (40, 40, 20, 40, 10)
    assert row("planning", first) == (20, 20, 10, 20, 5)  # what was told stays as it was
    # nor is what was told forgotten with the draft
    refused = client_for("planning").post(reverse("nrm:sop-discard", args=[draft.pk]), follow=True)
    assert "was tried on past cases" in refused.content.decode() and SopTrial.objects.count() == 4
    actions.discard_draft(draft, by=world.director)
    assert not SopVersion.objects.filter(pk=draft.pk).exists()


def test_the_director_adopts_from_today_or_later_by_a_decision(world):
    draft = a_draft(world.planning)
    arguments = {"revision": 0, "in_force_from": TODAY(), "adopted_on": TODAY(), "decision_reference": "12/2026"}
    with pytest.raises(PermissionDenied):
        actions.adopt(draft, by=world.planning, **arguments)
    for changes, sentence in (
        ({"in_force_from": TODAY() - timedelta(days=1)}, "today or a later day"),
        ({"adopted_on": TODAY() + timedelta(days=1)}, "future"),
        ({"decision_reference": " "}, "Name the decision"),
        ({"revision": 7}, "changed the draft meanwhile"),
        ({"in_force_from": date(2013, 1, 1)}, "today or a later day"),
    ):
        with pytest.raises(Refused, match=sentence):
            actions.adopt(draft, by=world.director, **arguments | changes)
    adopted = actions.adopt(draft, by=world.director, **arguments)
    assert adopted.adopted_by == world.director and SopVersion.objects.in_force(TODAY()) == adopted
    assert SopVersion.objects.in_force(TODAY() - timedelta(days=1)).number == 1
    assert actions.adopt(draft, by=world.director, **arguments).revision == adopted.revision
    with pytest.raises(Refused, match="already"):
        actions.adopt(draft, by=world.director, **arguments | {"in_force_from": TODAY() + timedelta(days=9)})
    second = a_draft(world.planning)
    with pytest.raises(Refused, match="from that day already"):
        actions.adopt(second, by=world.director, **arguments)
    actions.discard_draft(second, by=world.planning)
    actions.discard_draft(second, by=world.planning)
    assert not SopVersion.objects.filter(pk=second.pk).exists()


def test_competences_are_kept_with_their_days(world, client_for):
    planning = client_for("planning")
    url = reverse("nrm:competence-add")
    key = planning.get(url).context["form"].initial["key"]
    own = institution("PVPT")
    sent = {"key": key, "institution": own.pk, "function": "csw", "municipality": "PRN", "starts_on": TODAY()}
    assert planning.post(url, sent).status_code == 302 == planning.post(url, sent).status_code
    made = Competence.objects.get(pk=key)
    again = planning.post(url, sent | {"key": uuid.uuid4()})
    assert again.status_code == 200  # the same competence twice
    end = reverse("nrm:competence-end", args=[made.pk])
    assert planning.post(end, {"ends_on": TODAY() - timedelta(days=5)}).status_code == 200
    assert planning.post(end, {"ends_on": TODAY()}).status_code == 302
    page = client_for("observer").get(reverse("nrm:competence-list"), {"function": "csw"})
    assert page.status_code == 200 and b"End it" not in page.content
    assert client_for("focal_point").post(url, sent).status_code == 403


def test_the_acts_on_a_clock_have_their_pages(world, client_for, django_assert_max_num_queries):
    case = opened(world.focal_point)
    ready = note(case, EventKind.READY, on=TODAY(), by=world.focal_point)
    own, stranger = client_for("focal_point"), client_for("other_focal_point")
    clock = Clock.objects.get(case=case, step__number=10)

    def url(name: str, one: Any = clock) -> str:
        return reverse(f"nrm:{name}", args=[case.marker, one.pk])

    assert stranger.get(url("clock-pause")).status_code == 404
    assert own.post(url("clock-pause"), {"reason": ""}).status_code == 200
    named = own.post(url("clock-pause"), {"reason": "tel. 044 123 456"})
    assert named.status_code == 200 and "looks like" in named.content.decode()
    assert own.post(url("clock-pause"), {"reason": "pret përkthyesin"}).status_code == 302
    assert own.post(url("clock-resume")).status_code == 302
    assert own.post(url("clock-set-aside"), {"reason": "nuk ka nevojë"}).status_code == 302
    clock.refresh_from_db()
    assert clock.state == ClockState.NOT_APPLICABLE
    assert own.post(url("clock-take-up")).status_code == 302
    struck = own.post(url("step-strike", ready), {"reason": "gabim", "key": uuid.uuid4()})
    assert struck.status_code == 302
    clock.refresh_from_db()
    assert clock.state == ClockState.ENDED
    with django_assert_max_num_queries(8):
        shown = lines_of(case, world.focal_point)
    assert {line.css for line in shown} == {"late", "ended"}


def test_deadlines_are_listed_with_what_is_late_on_top_filtered_and_saved(
    world, client_for, django_assert_max_num_queries
):
    case = opened(world.focal_point)
    note(case, EventKind.READY, on=TODAY(), by=None)
    opened(world.other_focal_point, code=world.other_focal_point.assignments[0].institution.code)
    own = client_for("focal_point")
    page = own.get(reverse("nrm:clock-list"))
    shown = list(page.context["page"])
    assert [one.step.number for one in shown] == [2, 3, 10] or [one.step.number for one in shown] == [3, 2, 10]
    assert {one.case_id for one in shown} == {case.pk}
    assert [one.step.number for one in own.get(reverse("nrm:clock-list"), {"due": "late"}).context["page"]] in (
        [2, 3],
        [3, 2],
    )
    step = shown[-1].step.lineage
    assert len(own.get(reverse("nrm:clock-list"), {"step": step}).context["page"]) == 1
    assert len(own.get(reverse("nrm:clock-list"), {"municipality": "PRN", "due": "own"}).context["page"]) == 3
    saved = own.get(reverse("nrm:clock-export"), {"format": "csv", "due": "late"})
    assert b"".join(saved.streaming_content if saved.streaming else [saved.content]).count(b"\n") >= 3
    assert client_for("natc").get(reverse("nrm:clock-list")).status_code == 403
    entries = list(calendar_entries(world.focal_point, TODAY() - timedelta(days=20), TODAY() + timedelta(days=20)))
    assert len(entries) == 3 and not any(case.marker[:4] in one.title or str(case) in one.title for one in entries)
    assert not list(calendar_entries(world.natc, TODAY(), TODAY()))


def test_owners_are_warned_once_and_the_office_is_told_once_of_what_was_missed(world):
    case = opened(world.focal_point, on=TODAY())
    now = timezone.now()
    Clock.objects.filter(case=case, step__number=2).update(due_at=now + timedelta(hours=3))
    Clock.objects.filter(case=case, step__number=3).update(due_at=now - timedelta(hours=49))
    assert clock_notices.warn(now) >= 1
    assert clock_notices.warn(now + timedelta(minutes=1)) == 0
    mails = Message.objects.filter(occasion__startswith="deadlines_near")
    assert world.focal_point.pk in {one.to_id for one in mails}
    assert all(case.marker not in one.subject and str(case) not in one.subject for one in mails)
    assert clock_notices.escalate(now) == 1
    assert clock_notices.escalate(now) == 0
    told = {one.to_id for one in Message.objects.filter(occasion__startswith="deadlines_missed")}
    assert {world.director.pk, world.monitoring.pk} <= told and world.child.pk not in told
    assert Happening.objects.filter(case=case, kind=EventKind.ESCALATED).count() == 1
    assert Clock.objects.get(case=case, step__number=3).escalated_at == now
