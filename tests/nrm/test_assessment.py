"""The assessment of the mechanism: versions, chapters, figures that tell of nobody, the Authority's approval, paper."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import escape

from nrm import protected, tasks  # noqa: F401 — the jobs are registered by the latter
from nrm.actions import assessment as actions
from nrm.actions import services
from nrm.models import (
    Assessment,
    AssessmentFile,
    AssessmentState,
    Case,
    Chapter,
    ChapterKind,
    Competence,
    RolePlace,
    SopStep,
    SopVersion,
)
from nrm.oversight_sources import laid_assessments
from nrm.queries.assessment import compared, document
from nrm.queries.mechanism import figures_of, matrix, shown_figures, shown_roles
from onatc import jobs, trail
from onatc.errors import Refused
from onatc.models import Job, TrailEntry
from stakeholders.actions.records import Stale
from stakeholders.models import Institution
from tests.nrm.cases import opened
from tests.nrm.served import a_service
from tests.nrm.watching import a_clock
from tests.stakeholders.decided import a_body, a_decision, a_draft, a_meeting, at_once, cost_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


def begun(by, as_of: date | None = None) -> Assessment:
    return actions.begin(uuid.uuid4(), by=by, as_of=as_of or timezone.localdate())


def written(by, text: str = "What is known.") -> Assessment:
    one = begun(by)
    for chapter in Chapter.objects.filter(assessment=one):
        actions.write_chapter(chapter, by=by, column="en", text=f"{text} {chapter.kind}", revision=chapter.revision_en)
    return one


def a_decision_of_the_authority(world, day=None):
    return a_decision(a_meeting(world.director, on=day or timezone.localdate()), world.director)


def approved(world, text: str = "What is known.") -> Assessment:
    one = actions.lay(written(world.planning, text), by=world.planning)
    return actions.approve(one, by=world.director, decision=a_decision_of_the_authority(world))


# Versions and chapters


def test_a_version_has_all_chapters_and_the_next_one_begins_as_its_copy(world, today):
    key = uuid.uuid4()
    first = actions.begin(key, by=world.planning, as_of=today)
    assert actions.begin(key, by=world.planning, as_of=today) == first
    assert set(first.chapters.values_list("kind", flat=True)) == set(ChapterKind.values)
    with pytest.raises(Refused, match="Another version"):
        begun(world.director)
    for chapter in first.chapters.all():
        actions.write_chapter(chapter, by=world.planning, column="sr", text="Tekst", revision=0)
    actions.lay(first, by=world.planning)
    with pytest.raises(Refused, match="Another version"):
        begun(world.director)
    actions.approve(first, by=world.director, decision=a_decision_of_the_authority(world))
    second = begun(world.monitoring)
    assert (second.number, second.based_on) == (first.number + 1, first)
    assert set(second.chapters.values_list("text_sr", "revision_sr")) == {("Tekst", 0)}
    with pytest.raises(Refused):
        begun(world.monitoring, today + timedelta(days=1))


def test_only_the_office_writes_and_only_what_is_not_before_the_authority(world):
    for name in ("focal_point", "natc", "observer", "information", "administrator", "stranger"):
        with pytest.raises(PermissionDenied):
            begun(getattr(world, name))
    one = written(world.child)
    chapter = one.chapters.first()
    with pytest.raises(PermissionDenied):
        actions.write_chapter(chapter, by=world.focal_point, column="en", text="x", revision=1)
    with pytest.raises(Refused, match="language"):
        actions.write_chapter(chapter, by=world.planning, column="de", text="x", revision=1)
    with pytest.raises(Refused, match="20,000"):
        actions.write_chapter(chapter, by=world.planning, column="en", text="x" * 20_001, revision=1)
    actions.lay(one, by=world.planning)
    with pytest.raises(PermissionDenied, match="before the Authority"):
        actions.write_chapter(chapter, by=world.planning, column="en", text="x", revision=1)
    actions.take_back(one, by=world.planning)
    actions.write_chapter(chapter, by=world.planning, column="en", text="x", revision=1)


def test_each_language_has_its_writers_and_a_stale_one_sees_both(world, client_for):
    chapter = begun(world.planning).chapters.get(kind="legal")
    actions.write_chapter(chapter, by=world.planning, column="sq", text="Ligji", revision=0)
    actions.write_chapter(chapter, by=world.director, column="sr", text="Zakon", revision=0)
    with pytest.raises(Stale) as stale:
        actions.write_chapter(chapter, by=world.director, column="sq", text="Ligji i ri", revision=0)
    assert stale.value.changed == [("Legal framework", "Ligji")]
    url = reverse("nrm:chapter-edit", args=[chapter.pk, "sq"])
    page = client_for("director").post(url, {"text": "Ligji i ri", "revision": 0}).content.decode()
    assert "Ligji i ri" in page and "What stands there now" in page and 'value="1"' in page
    assert client_for("director").post(url, {"text": "Ligji i ri", "revision": 1}).status_code == 302
    chapter.refresh_from_db()
    assert (chapter.text_sq, chapter.text_sr, chapter.revision_sq) == ("Ligji i ri", "Zakon", 2)
    assert client_for("director").get(reverse("nrm:chapter-edit", args=[chapter.pk, "de"])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_races_of_beginning_and_of_writing(world, today):
    results = at_once(lambda: begun(world.director), lambda: begun(world.planning))
    assert Assessment.objects.count() == 1 and sum(isinstance(one, Refused) for one in results) == 1
    chapter = Chapter.objects.first()
    results = at_once(
        *(
            lambda text=text: actions.write_chapter(chapter, by=world.director, column="en", text=text, revision=0)
            for text in ("one", "two")
        )
    )
    assert sum(isinstance(one, Stale) for one in results) == 1


# The Authority


def test_it_is_laid_whole_and_approved_by_the_authority_alone(world, today):
    one = begun(world.planning)
    with pytest.raises(Refused, match="not written yet"):
        actions.lay(one, by=world.planning)
    one = written_over(world, one)
    decision = a_decision_of_the_authority(world)
    with pytest.raises(Refused, match="not before the Authority"):
        actions.approve(one, by=world.director, decision=decision)
    one = actions.lay(one, by=world.planning)
    assert one.figures["on"] == today.isoformat() and actions.lay(one, by=world.planning).revision == one.revision
    assert len(list(laid_assessments(a_draft(world.director), world.director, 5))) == 1
    group = a_body("wg", kind="group", name_sq="Grupi")
    assert not list(laid_assessments(a_draft(world.director, body=group), world.director, 5))
    with pytest.raises(PermissionDenied):
        actions.approve(one, by=world.planning, decision=decision)
    other = a_decision(a_meeting(world.director, on=today, body=group), world.director)
    early = a_decision_of_the_authority(world, today - timedelta(days=9))
    for wrong in (other, early):
        with pytest.raises(Refused) as refusal:
            actions.approve(one, by=world.director, decision=wrong)
        assert refusal.value.field == "decision"
    one = actions.approve(one, by=world.director, decision=decision)
    assert (one.state, one.approved_on) == (AssessmentState.APPROVED, today)
    assert actions.approve(one, by=world.director, decision=decision).revision == one.revision
    for act in (actions.take_back, actions.take_figures):
        with pytest.raises((Refused, PermissionDenied)):
            act(one, by=world.director)


def written_over(world, one: Assessment) -> Assessment:
    for chapter in one.chapters.all():
        actions.write_chapter(chapter, by=world.planning, column="en", text="Text.", revision=chapter.revision_en)
    return one


def test_the_database_lets_nobody_change_what_was_approved(world):
    one = approved(world)
    for change in (
        lambda: Assessment.objects.filter(pk=one.pk).update(as_of=date(2020, 1, 1)),
        lambda: Assessment.objects.filter(pk=one.pk).update(state="draft"),
        lambda: Chapter.objects.filter(assessment=one).update(text_en="other"),
        lambda: Chapter.objects.filter(assessment=one).delete(),
        lambda: Chapter.objects.create(assessment=one, kind="other"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_who_reads_which_version(world, client_for):
    first = approved(world)
    second = begun(world.planning)
    seen = {
        "director": 2,
        "natc": 2,
        "information": 2,
        "focal_point": 1,
        "observer": 1,
        "administrator": 0,
        "stranger": 0,
    }
    for name, count in seen.items():
        assert Assessment.objects.visible_to(getattr(world, name)).count() == count, name
        wanted = 200 if count else 403
        assert client_for(name).get(reverse("nrm:assessment-list")).status_code == wanted
    assert client_for("focal_point").get(second.get_absolute_url()).status_code == 404
    assert client_for("observer").get(first.get_absolute_url()).status_code == 200
    written_over(world, second)
    actions.lay(second, by=world.planning)
    assert client_for("focal_point").get(second.get_absolute_url()).status_code == 200
    assert client_for("observer").get(second.get_absolute_url()).status_code == 404


# Figures


def many_cases(by, counts: dict[str, int], year: int) -> None:
    first = opened(by)
    rows = []
    for status, count in counts.items():
        for _one in range(count):
            copy = Case.objects.get(pk=first.pk)
            copy.pk, copy.marker, copy.status, copy.opened_on = (
                uuid.uuid4(),
                uuid.uuid4().hex[:20],
                status,
                date(year, 3, 1),
            )
            rows.append(copy)
    Case.objects.bulk_create(rows)


def test_no_small_count_stands_in_the_figures_nor_follows_from_them(world, today):
    counts = {"PRESUMED": 12, "IDENTIFIED": 30, "NOT_VICTIM": 3, "POTENTIAL": 8}
    many_cases(world.focal_point, counts, today.year - 1)
    figures = figures_of(today)
    shown = dict(figures["cases"])
    assert figures["cases_total"] == 53 and shown["NOT_VICTIM"] is None
    hidden = [status for status, count in shown.items() if count is None]
    rest = figures["cases_total"] - sum(count for count in shown.values() if count is not None)
    assert len(hidden) >= 2 and rest >= 5
    kept = json.loads(json.dumps(figures))
    with translation.override("en"):
        lines = [figure for group in shown_figures(kept) for figure in group.figures]
    assert any(one.label == "identified victim" for one in lines)
    # Cases of this year are not told: two versions of one year would tell what came between them.
    opened(world.focal_point)
    assert figures_of(today)["cases"] == figures["cases"]


def test_few_cases_give_no_figure_at_all(world, today):
    many_cases(world.focal_point, {"PRESUMED": 3}, today.year - 1)
    figures = figures_of(today)
    assert figures["cases_total"] is None and dict(figures["cases"])["PRESUMED"] is None
    assert protected.BASE == 10


def test_a_share_in_time_needs_ten_cases_and_enough_late_ones(world, today):
    year = today.year - 1
    middle = (today - date(year, 6, 1)).days
    cases = [opened(world.focal_point) for _one in range(12)]
    for place, case in enumerate(cases):
        a_clock(case, started=middle, limit=10, took=5 if place < 6 else 15)
        a_clock(case, step=12, started=middle, limit=10, took=5 if place < 11 else 15)
    by_number = {one["number"]: one["in_time_pct"] for one in figures_of(today)["steps"]}
    assert by_number[16] == 50 and by_number[12] is None  # one late of twelve is not told


def test_institutions_are_counted_by_function_on_the_day(world, today):
    Competence.objects.filter(function="advocate").update(ends_on=today - timedelta(days=1))
    functions = dict(figures_of(today)["institutions"])
    assert "advocate" not in functions and functions["csw"] == 1
    assert figures_of(today)["gaps"] > 0


# Pages and paper


def test_two_versions_are_compared_word_by_word(world, client_for):
    first = approved(world, "Few places.")
    second = begun(world.planning)
    chapter = second.chapters.get(kind="data")
    actions.write_chapter(chapter, by=world.planning, column="en", text="Enough places. data", revision=0)
    pieces = {one.title: one for one in compared(first, second)}
    assert pieces["Legal framework"].is_same and not pieces["Data"].is_same
    page = client_for("director").get(reverse("nrm:assessment-compare")).content.decode()
    assert "<del>" in page and "Enough" in page and page.count("The two versions say the same.") == 5
    assert client_for("observer").get(reverse("nrm:assessment-compare")).status_code == 200  # one version: says so
    query = f"?older={second.number}&newer=nonsense"
    assert client_for("director").get(reverse("nrm:assessment-compare") + query).status_code == 200


def test_the_pages_write_lay_and_approve(world, client_for, today):
    client, key = client_for("planning"), uuid.uuid4()
    for _again in range(2):
        answer = client.post(reverse("nrm:assessment-create"), {"key": key, "as_of": today})
        assert answer.status_code == 302
    one = Assessment.objects.get()
    assert client.post(reverse("nrm:assessment-figures", args=[one.pk])).status_code == 302
    assert client.post(reverse("nrm:assessment-lay", args=[one.pk]), follow=True).status_code == 200
    one.refresh_from_db()
    assert one.state == AssessmentState.DRAFT  # chapters are missing, and the page said so
    written_over(world, one)
    assert client.post(reverse("nrm:assessment-lay", args=[one.pk])).status_code == 302
    assert client.get(reverse("nrm:chapter-edit", args=[one.chapters.first().pk, "en"])).status_code == 403
    decision = a_decision_of_the_authority(world)
    approve = reverse("nrm:assessment-approve", args=[one.pk])
    assert client.post(approve, {"decision": decision.pk}).status_code == 403
    director = client_for("director")
    assert director.get(approve).status_code == 200
    assert director.post(approve, {"decision": decision.pk}).status_code == 302
    page = director.get(one.get_absolute_url()).content.decode()
    assert "Figures of" in page and "Write:" not in page and "approved" in page
    before = cost_of(director, reverse("nrm:assessment-list"))
    begun(world.planning)
    assert cost_of(director, reverse("nrm:assessment-list")) <= before + 1


def test_the_paper_is_made_by_a_job_and_stays_as_it_was_made(world, client_for):
    one = approved(world)
    made = document(one, "en")
    assert made[:5] == b"%PDF-" and made == document(one, "en")
    paper, observer = reverse("nrm:assessment-document", args=[one.pk]), client_for("observer")
    assert observer.post(paper, {"language": "de"}).status_code == 404
    assert observer.get(paper + "?language=sr").url == one.get_absolute_url()  # it is not there yet
    for _press in range(2):
        job = Job.objects.get(pk=observer.post(paper, {"language": "sr"}).url.split("/")[-2])
    jobs.run(str(job.pk))
    jobs.run(str(job.pk))
    job.refresh_from_db()
    file = AssessmentFile.objects.get()
    assert (job.state, file.language, file.original_name) == ("done", "sr-latn", "assessment-1-sr.pdf")
    page = observer.get(one.get_absolute_url()).content.decode()
    assert file.get_absolute_url() in page and file.sha256[:16] in page and "Make the PDF: Shqip" in page
    assert observer.post(paper, {"language": "sr"}).url == file.get_absolute_url()
    body = b"".join(observer.get(file.get_absolute_url()).streaming_content)
    assert hashlib.sha256(body).hexdigest() == file.sha256
    entry = TrailEntry.objects.filter(act=trail.Act.DOWNLOADED).latest("pk")
    assert entry.actor == world.observer and entry.record_id == str(file.pk)
    assert client_for("administrator").get(file.get_absolute_url()).status_code == 403


def test_a_paper_of_what_was_written_over_is_not_given_any_more(world, client_for):
    one, office = written(world.planning), client_for("planning")
    paper = reverse("nrm:assessment-document", args=[one.pk])

    def makes() -> AssessmentFile:
        jobs.run(office.post(paper, {"language": "en"}).url.split("/")[-2])
        return AssessmentFile.objects.get()

    first = makes()
    assert office.get(first.get_absolute_url()).status_code == 200
    chapter = one.chapters.get(kind="legal")
    actions.write_chapter(chapter, by=world.planning, column="en", text="Another law.", revision=1)
    assert office.get(first.get_absolute_url()).status_code == 302
    assert makes().stamp != first.stamp
    assert client_for("observer").get(paper).status_code == 404  # a draft is for the office
    found = Job(params={"assessment": str(one.pk), "language": "en"}, owner=world.focal_point)
    with pytest.raises(Refused, match="no longer there"):
        actions.build_file(found, lambda _done, _total: None)


def test_a_dated_version_keeps_who_did_what_and_the_gaps_of_its_day(world, client_for, monkeypatch):
    """Article 8.3: roles and responsibilities belong to what the Authority approves; the matrix goes on being changed."""
    version = SopVersion.objects.get()
    actions.prefill(version, by=world.director)
    one = approved(world)
    kept = shown_roles(one.figures)
    led = RolePlace.objects.filter(version=version, part="leads").select_related("institution").first()
    step = SopStep.objects.get(version=version, lineage=led.step_lineage)
    shown = next(row for row in kept.steps if row.label.startswith(f"{step.number}. "))
    assert ("leads", led.institution.short) in shown.parts
    assert [finding.is_gap for finding in kept.findings].count(True) >= 1
    sentences = [finding.sentence for finding in kept.findings]
    assert sentences == [finding.sentence for finding in matrix(version, world.director, one.laid_on).findings]
    Institution.objects.filter(pk=led.institution_id).update(short="Renamed")
    RolePlace.objects.filter(version=version).delete()
    one.refresh_from_db()
    assert shown_roles(one.figures) == kept  # also the name of that day
    page = client_for("observer").get(one.get_absolute_url()).content.decode()
    assert f"Leads: {led.institution.short}" in page and escape(sentences[0]) in page
    with translation.override("sq"):
        albanian = shown_roles(one.figures)
    assert albanian.findings[0].sentence != sentences[0] and albanian.steps[0].label != kept.steps[0].label
    monkeypatch.setattr("nrm.queries.assessment.documents.pdf", lambda html, **_more: (html.encode(), 1))
    paper = document(one, "en").decode()
    assert f"Leads: {led.institution.short}" in paper and escape(sentences[0]) in paper


def test_a_version_from_before_the_matrix_was_kept_shows_none(world, client_for):
    one = begun(world.planning)
    Assessment.objects.filter(pk=one.pk).update(
        figures={"on": "2025-01-01", "year": 2024, "cases": [], "cases_total": None, "steps": [], "institutions": [],
                 "services": 3, "trainings": 1, "gaps": 2, "overlaps": 0}
    )  # fmt: skip
    page = client_for("planning").get(one.get_absolute_url()).content.decode()
    assert "gaps in who does what" in page and "by version" not in page


def test_a_service_that_has_ended_is_not_counted(world, today):
    service = a_service(world)
    assert figures_of(today)["services"] == 1
    services.end_service(service, by=world.director, revision=0, ended_on=today, reason="X")
    assert figures_of(today)["services"] == 0
