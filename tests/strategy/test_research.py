"""Studies, best practices and trends (Article 8.4.3): states, ethics, publication, follow-up, reviews, bad input."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from onatc.errors import Refused
from stakeholders import ownership
from stakeholders.models import Institution
from strategy.actions import research
from strategy.actions.plan import adopt_version, apply_import, preview_import
from strategy.models import Practice, Study, StudyFile, StudyRecommendation, Trend
from tests.conftest import plan_that_runs
from tests.samples import document
from tests.strategy.knowledge import (
    ETHICS,
    a_done_study,
    a_practice,
    a_study,
    a_trend,
    days_ago,
    institution,
)

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"strategy:{name}", args=args)


def refresh(record):
    record.refresh_from_db()
    return record


# Studies


def study_form(**changes):
    return {
        "key": str(uuid.uuid4()), "kind": "survey", "topic": "labour", "title_sq": "Anketa", "title_sr": "", "title_en": "",
        "question": "Sa punëtorë?", "method": "", "language": "sq", "planned_start": "", "planned_end": "", "ethics": "",
        "ethics_by": "", "ethics_on": "", "funder": "", "funder_name": "", "findings_sq": "", "findings_sr": "",
        "findings_en": "", "link": "", "proposed_on": days_ago(0).isoformat(),
    } | changes  # fmt: skip


def test_a_study_from_the_proposal_to_the_follow_up_in_the_browser(world, client_for):
    monitoring, director = client_for("monitoring"), client_for("director")
    form = study_form(partners=[institution("MOH").pk, institution("LI").pk], proposed_on=days_ago(60).isoformat())
    page = monitoring.post(url("study-create"), form, follow=True)
    assert "The study is proposed." in page.content.decode()
    assert monitoring.post(url("study-create"), form).status_code == 302
    study = Study.objects.get()
    assert {one.code for one in study.partners.all()} == {"MOH", "LI"}
    step = {"state": "approved", "on": days_ago(50).isoformat(), "reason": "", "language": "sq"}
    assert "Select a valid choice" in monitoring.post(url("study-move", study.pk), step).content.decode()
    director.post(url("study-move", study.pk), step)
    begin = step | {"state": "under_way", "on": days_ago(40).isoformat()}
    refused = monitoring.post(url("study-move", study.pk), begin).content.decode()
    assert "Before a study is under way: write how people are protected" in refused
    assert "It cannot begin yet" in monitoring.get(url("study-detail", study.pk)).content.decode()
    ethics = {"ethics": "Pa emra.", "ethics_by": "Bordi", "ethics_on": days_ago(39).isoformat()}
    monitoring.post(url("study-edit", study.pk), form | ethics | {"revision": refresh(study).revision})
    refused = monitoring.post(url("study-move", study.pk), begin).content.decode()
    assert "on which day before the start" in refused  # approved a day too late
    ethics["ethics_on"] = days_ago(45).isoformat()
    monitoring.post(url("study-edit", study.pk), form | ethics | {"revision": refresh(study).revision})
    monitoring.post(url("study-move", study.pk), begin)
    end = step | {"state": "done", "on": days_ago(41).isoformat()}
    assert "made after that day" in monitoring.post(url("study-move", study.pk), end).content.decode()
    end["on"] = days_ago(4).isoformat()
    assert "done with its findings" in monitoring.post(url("study-move", study.pk), end).content.decode()
    found = form | ethics | {"findings_sq": "Një e treta.", "revision": refresh(study).revision}
    monitoring.post(url("study-edit", study.pk), found)
    monitoring.post(url("study-move", study.pk), end)
    assert (refresh(study).state, study.started_on, study.ended_on) == ("done", days_ago(40), days_ago(4))
    assert client_for("observer").get(url("study-detail", study.pk)).status_code == 404
    director.post(url("study-publish", study.pk), {"revision": "0"})
    page = client_for("observer").get(url("study-detail", study.pk)).content.decode()
    assert "Një e treta." in page and "History" not in page and "Next step" not in page
    assert monitoring.get(url("study-edit", study.pk)).status_code == 403
    advice = {"key": str(uuid.uuid4()), "text_sq": "Trajno inspektorët.", "text_sr": "", "text_en": "",
              "measures": "M1.2.3, M2.1.1", "state": "taken_up", "state_on": days_ago(1).isoformat(), "reason": ""}  # fmt: skip
    monitoring.post(url("study-advice-create", study.pk), advice)
    one = StudyRecommendation.objects.get()
    assert {link.measure.code for link in one.links.all()} == {"M1.2.3", "M2.1.1"}
    page = client_for("focal_point").get(url("study-detail", study.pk)).content.decode()
    assert "M1.2.3" in page
    assert [step.state for step in study.steps.all()] == ["done", "under_way", "approved", "proposed"]


def test_no_way_into_the_database_past_ethics_and_findings(world):
    study = a_study(world.planning)
    for change in (
        {"state": "under_way", "started_on": days_ago(1)},
        {"state": "under_way", "started_on": days_ago(1), "ethics": "x", "ethics_by": "x"},
        {"state": "done", "started_on": days_ago(1), "ended_on": days_ago(1), **ETHICS, "ethics_on": days_ago(2)},
        {"started_on": days_ago(1), "ended_on": days_ago(2)},
        {"published_on": days_ago(1)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Study.objects.filter(pk=study.pk).update(**change)


def test_steps_are_refused_with_their_reason_and_twice_is_once(world):
    study = a_study(world.planning, **ETHICS, ethics_on=days_ago(80))
    with pytest.raises(PermissionDenied):
        research.move_study(study, state="approved", on=days_ago(1), by=world.planning)
    with pytest.raises(Refused, match="does not come to"):
        research.move_study(study, state="done", on=days_ago(1), by=world.planning)
    with pytest.raises(Refused, match="future"):
        research.move_study(study, state="approved", on=days_ago(-1), by=world.director)
    with pytest.raises(Refused, match="after that day"):
        research.move_study(study, state="approved", on=days_ago(91), by=world.director)
    with pytest.raises(Refused, match="why the study is dropped"):
        research.move_study(study, state="dropped", on=days_ago(1), by=world.planning, reason="  ")
    research.move_study(study, state="approved", on=days_ago(9), by=world.director)
    research.move_study(study, state="approved", on=days_ago(9), by=world.director)
    research.move_study(study, state="dropped", on=days_ago(8), by=world.planning, reason="S'ka financim.")
    assert [step.state for step in study.steps.all()] == ["dropped", "approved", "proposed"]
    with pytest.raises(PermissionDenied):
        research.move_study(study, state="proposed", on=days_ago(7), by=world.planning)
    research.move_study(study, state="proposed", on=days_ago(7), by=world.director)
    assert refresh(study).state == "proposed"


def test_a_study_under_way_does_not_lose_its_ethics(world, client_for):
    study = a_study(world.planning, **ETHICS, ethics_on=days_ago(80))
    research.move_study(study, state="approved", on=days_ago(79), by=world.director)
    research.move_study(study, state="under_way", on=days_ago(70), by=world.planning)
    form = study_form(title_sq="Emër i ri", revision=refresh(study).revision)
    page = client_for("planning").post(url("study-edit", study.pk), form).content.decode()
    assert "Before a study is under way" in page and "Emër i ri" in page
    assert refresh(study).ethics == ETHICS["ethics"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_sq": ""}, "Write the title in one language at least."),
        ({"planned_start": "2026-05-01", "planned_end": "2026-04-30"}, "The planned end must not lie before"),
        ({"proposed_on": days_ago(-2).isoformat()}, "This day lies in the future."),
        ({"ethics_on": days_ago(-2).isoformat()}, "This day lies in the future."),
        ({"question": "x" * 2001}, "at most 2000 characters"),
        ({"findings_en": "Call 044123456 or ana@example.org"}, "looks like data of a person"),
        ({"partners": ["00000000-0000-4000-8000-000000000000"]}, "Select a valid choice"),
        ({"funder": "x"}, "is not a valid UUID"),
        ({"link": "http://example.org"}, "begins with https"),
    ],
)
def test_bad_studies_are_refused_at_their_field(world, client_for, changes, sentence):
    page = client_for("planning").post(url("study-create"), study_form(method="Kept as typed") | changes)
    text = page.content.decode()
    assert page.status_code == 200 and sentence in text and "Kept as typed" in text and not Study.objects.exists()


def test_who_was_dissolved_becomes_no_partner_and_no_funder(world, client_for):
    study = a_study(world.planning)
    research.change_study(
        study, {"question": "?"}, by=world.planning, revision=0, partners=[institution("MOH"), institution("LI")]
    )
    Institution.objects.filter(code="MOH").update(dissolved_on=days_ago(1))
    client = client_for("planning")
    new = study_form(partners=[institution("MOH").pk])
    assert "Select a valid choice" in client.post(url("study-create"), new).content.decode()
    assert (
        "was dissolved on"
        in client.post(url("study-create"), study_form(funder=institution("MOH").pk)).content.decode()
    )
    held = study_form(partners=[institution("MOH").pk], revision=1)
    assert client.post(url("study-edit", study.pk), held).status_code == 302  # it took part then
    assert {one.code for one in study.partners.all()} == {"MOH"}


def test_a_stale_study_shows_both_texts(world, client_for):
    study = a_study(world.planning)
    research.change_study(study, {"method": "Theirs"}, by=world.director, revision=0)
    page = client_for("planning").post(url("study-edit", study.pk), study_form(method="Mine", revision=0))
    text = page.content.decode()
    assert "A colleague changed this" in text and "Theirs" in text and "Mine" in text
    assert refresh(study).method == "Theirs"


def test_files_of_the_office_stay_there_and_those_of_the_publication_are_read(world, client_for):
    study, monitoring = a_done_study(world.monitoring, world.director), client_for("monitoring")
    form = study_form(**{name: str(getattr(study, name)) for name in ("title_sq", "ethics", "ethics_by", "findings_sq")},
                      ethics_on=study.ethics_on.isoformat())  # fmt: skip
    for name, extra in (("raporti.pdf", {"is_public": "on"}), ("etika.pdf", {})):
        form |= {"revision": refresh(study).revision, "attachments": SimpleUploadedFile(name, document())}
        assert monitoring.post(url("study-edit", study.pk), form | extra).status_code == 302
    wrong = SimpleUploadedFile("virus.exe", b"MZ")
    assert monitoring.post(url("study-edit", study.pk), form | {"attachments": wrong}).status_code == 200
    research.publish(study, by=world.director)
    observer = client_for("observer")
    page = observer.get(url("study-detail", study.pk)).content.decode()
    assert "raporti.pdf" in page and "etika.pdf" not in page
    files = {one.original_name: one.get_absolute_url() for one in StudyFile.objects.all()}
    assert observer.get(files["raporti.pdf"]).status_code == 200
    assert observer.get(files["etika.pdf"]).status_code == 404


def test_a_file_that_comes_with_the_proposal_is_kept_once(world, client_for):
    form = study_form(proposed_on=days_ago(1).isoformat())
    for _time in range(2):
        file = SimpleUploadedFile("ideja.pdf", document())
        assert client_for("planning").post(url("study-create"), form | {"attachments": file}).status_code == 302
    assert [one.original_name for one in Study.objects.get().files.all()] == ["ideja.pdf"]


def test_publishing_is_the_directors_and_twice_is_once(world, client_for):
    study = a_done_study(world.monitoring, world.director)
    with pytest.raises(PermissionDenied):
        research.publish(study, by=world.monitoring)
    with pytest.raises(Refused, match="that is done"):
        research.publish(a_study(world.planning), by=world.director)
    director = client_for("director")
    for _ in range(2):  # a second press of the same page does not take back what the first published
        director.post(url("study-publish", study.pk), {"revision": "0"})
    assert refresh(study).published_on == days_ago(0)
    director.post(url("study-publish", study.pk), {"revision": "1"})
    assert refresh(study).published_on is None


# Follow-up by measures


def advice_form(**changes):
    return {"key": str(uuid.uuid4()), "text_sq": "Trajno.", "text_sr": "", "text_en": "", "measures": "", "state": "open",
            "state_on": "", "reason": ""} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"measures": "M9.9.9"}, "No plan in force has the measure “M9.9.9”."),
        ({"measures": "M1.2.3; DROP"}, "No plan in force has the measure"),
        ({"state": "taken_up"}, "Say since when."),
        ({"state": "rejected", "state_on": "2026-01-05"}, "Say why it is rejected."),
        ({"state": "done", "state_on": days_ago(-1).isoformat()}, "This day lies in the future."),
        ({"text_sq": ""}, "Write the text in one language at least."),
        ({"text_sq": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_bad_recommendations_are_refused_at_their_field(world, client_for, changes, sentence):
    study = a_study(world.planning)
    page = client_for("planning").post(url("study-advice-create", study.pk), advice_form(**changes))
    assert page.status_code == 200 and sentence in page.content.decode()
    assert not StudyRecommendation.objects.exists()


def test_a_measure_is_followed_from_version_to_version(world, client_for):
    study = a_study(world.planning)
    values = {"text_sq": "x", "text_sr": "", "text_en": "", "state": "open", "state_on": None, "reason": ""}
    old = world.measure("M1.2.3")
    advice = research.add_recommendation(uuid.uuid4(), study, values, by=world.planning, measures=[old])
    renewed = io.BytesIO(plan_that_runs().getvalue().replace(b"M4.4.2", b"M4.4.9"))
    version = apply_import(preview_import(renewed, "b.csv", plan=world.plan, by=world.planning), by=world.planning)
    adopt_version(version, by=None, adopted_on=days_ago(0), adopted_by=institution("NATC"), decision_reference="2")
    client = client_for("planning")
    assert f"{world.plan.code}/M1.2.3" in client.get(url("study-advice-edit", advice.pk)).content.decode()
    present = version.measures.get(lineage=old.lineage)
    assert present.get_absolute_url() in client.get(url("study-detail", study.pk)).content.decode()
    form = advice_form(measures=f"{world.plan.code}/M1.2.3", revision=0)
    client.post(url("study-advice-edit", advice.pk), form)
    assert [link.measure for link in advice.links.all()] == [old]  # the same lineage: the same link
    client.post(url("study-advice-edit", advice.pk), form | {"measures": "", "revision": refresh(advice).revision})
    assert not advice.links.exists()


def test_the_text_of_a_published_recommendation_is_fixed_its_follow_up_is_not(world, client_for):
    study = a_done_study(world.monitoring, world.director)
    client = client_for("monitoring")
    client.post(url("study-advice-create", study.pk), advice_form())
    research.publish(study, by=world.director)
    advice = study.recommendations.get()
    changed = client.post(url("study-advice-edit", advice.pk), advice_form(text_sq="Tjetër.", revision=0))
    assert "What is published does not change" in changed.content.decode()
    followed = advice_form(state="done", state_on=days_ago(0).isoformat(), revision=0)
    assert client.post(url("study-advice-edit", advice.pk), followed).status_code == 302
    assert (refresh(advice).state, advice.text_sq) == ("done", "Trajno.")


# Practices and trends


def practice_form(**changes):
    return {
        "key": str(uuid.uuid4()), "topic": "protection", "place": "Itali", "source": "Vizitë", "link": "",
        "evidence_level": "monitored", "noted_on": days_ago(1).isoformat(), "title_sq": "Banim i mbështetur",
        "done_sq": "Banesa.", "worked_sq": "Pavarësi.", "use_sq": "", "measure_code": "M1.2.3",
        **{f"{name}_{code}": "" for name in ("title", "done", "worked", "use") for code in ("sr", "en")},
    } | changes  # fmt: skip


def test_a_practice_is_noted_published_and_then_read_by_institutions(world, client_for):
    planning, form = client_for("planning"), practice_form()
    planning.post(url("practice-create"), form)
    planning.post(url("practice-create"), form)
    practice = Practice.objects.get()
    assert practice.measure == world.measure("M1.2.3")
    focal_point = client_for("focal_point")
    assert focal_point.get(url("practice-detail", practice.pk)).status_code == 404
    client_for("director").post(url("practice-publish", practice.pk), {"revision": "0"})
    assert "Banesa." in focal_point.get(url("practice-detail", practice.pk)).content.decode()
    assert planning.get(url("practice-edit", practice.pk)).status_code == 403
    assert "Banim" in focal_point.get(url("practice-list") + "?topic=protection").content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_sq": ""}, "Write the title in one language at least."),
        ({"worked_sq": ""}, "Write what was done and why it worked"),
        ({"noted_on": days_ago(-1).isoformat()}, "This day lies in the future."),
        ({"measure_code": "M1.2.3, M2.1.1"}, "Name one measure."),
        ({"topic": "everything"}, "Select a valid choice"),
        ({"source": "ana@example.org"}, "looks like data of a person"),
        ({"use_sr": "x" * 3001}, "at most 3000 characters"),
    ],
)
def test_bad_practices_are_refused_at_their_field(world, client_for, changes, sentence):
    page = client_for("monitoring").post(url("practice-create"), practice_form(**changes))
    assert page.status_code == 200 and sentence in page.content.decode() and not Practice.objects.exists()


def trend_form(**changes):
    return {
        "key": str(uuid.uuid4()), "title_sq": "Aplikacione", "title_sr": "", "title_en": "", "topic": "labour",
        "description": "Oferta.", "language": "sq", "municipality": "", "place": "", "since_on": days_ago(99).isoformat(),
        "source_kind": "media", "source": "Shtypi", "confidence": "low", "noted_on": days_ago(1).isoformat(),
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"since_on": days_ago(0).isoformat()}, "cannot begin after it was noted"),
        ({"since_on": "9999-12-31"}, "This day lies in the future."),
        ({"noted_on": days_ago(-1).isoformat()}, "This day lies in the future."),
        ({"description": "Personi 1234567890"}, "looks like data of a person"),
        ({"municipality": "XXX"}, "Select a valid choice"),
        ({"title_sq": ""}, "Say what it is, in one language at least."),
    ],
)
def test_bad_trends_are_refused_at_their_field(world, client_for, changes, sentence):
    page = client_for("monitoring").post(url("trend-create"), trend_form(**changes))
    assert page.status_code == 200 and sentence in page.content.decode() and not Trend.objects.exists()


def test_a_trend_is_reviewed_by_another_person_and_stays_in_the_office(world, client_for):
    monitoring = client_for("monitoring")
    monitoring.post(url("trend-create"), trend_form(municipality="PRN"))
    trend = Trend.objects.get()
    assert monitoring.get(url("trend-review", trend.pk)).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        Trend.objects.filter(pk=trend.pk).update(
            state="confirmed", reviewed_by=world.monitoring, reviewed_on=days_ago(0)
        )
    planning = client_for("planning")
    said = {"state": "confirmed", "review": "Dy burime.", "revision": trend.revision}
    planning.post(url("trend-review", trend.pk), said)
    assert (refresh(trend).state, trend.reviewed_by) == ("confirmed", world.planning)
    stale = client_for("director").post(url("trend-review", trend.pk), said | {"state": "over"}).content.decode()
    assert "A colleague changed this" in stale and "Dy burime." in stale
    assert planning.get(url("trend-edit", trend.pk)).status_code == 403
    for name, status in (("natc", 200), ("information", 200), ("focal_point", 404), ("observer", 404)):
        assert client_for(name).get(url("trend-detail", trend.pk)).status_code == status


def test_what_is_not_done_is_handed_over(world):
    mine = a_study(world.monitoring)
    a_done_study(world.monitoring, world.director)
    held = {kind.key: records for kind, records in ownership.held_by(world.monitoring)}
    assert held["study"] == [mine]


# Lists and files


@pytest.mark.parametrize("name", ["study-list", "practice-list", "trend-list"])
def test_the_lists_cost_the_same_however_long_they_are(world, client_for, name):
    client = client_for("planning")
    client.get(reverse("me"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(name)).status_code == 200
        return len(captured)

    def one_more(code: str) -> None:
        study = a_study(world.planning, funder=institution(code))
        values = {"text_sq": "x", "text_sr": "", "text_en": "", "state": "open", "state_on": None, "reason": ""}
        research.add_recommendation(uuid.uuid4(), study, values, by=world.planning)
        a_practice(world.planning, measure=world.measure("M1.2.3"))
        a_trend(world.planning)

    one_more("MOH")
    few = queries()
    for code in ("MOJ", "KP", "MIA"):
        one_more(code)
    assert queries() == few <= 10


def test_the_page_of_a_study_costs_the_same_however_much_it_recommends(world, client_for):
    study, client = a_study(world.planning), client_for("planning")
    client.get(reverse("me"))
    values = {"text_sq": "x", "text_sr": "", "text_en": "", "state": "open", "state_on": None, "reason": ""}

    def queries(*codes: str) -> int:
        for code in codes:
            research.add_recommendation(uuid.uuid4(), study, values, by=world.planning, measures=[world.measure(code)])
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("study-detail", study.pk)).status_code == 200
        return len(captured)

    assert queries("M1.2.3") == queries("M2.1.1", "M2.2.1", "M3.1.1")


@pytest.mark.parametrize("name", ["study", "practice", "trend"])
def test_a_title_that_is_a_formula_leaves_as_text(world, client_for, name):
    title = '=HYPERLINK("http://x","y")'
    {"study": a_study, "practice": a_practice, "trend": a_trend}[name](world.planning, title_sq=title)
    client = client_for("planning")
    csv = b"".join(client.get(url(f"{name}-export"), {"format": "csv"}).streaming_content).decode()
    assert "'=HYPERLINK" in csv
    book = load_workbook(io.BytesIO(client.get(url(f"{name}-export"), {"format": "xlsx"}).content))
    assert book.active["A2"].value == title and book.active["A2"].data_type == "s"


def test_institutions_and_observers_export_what_they_see(world, client_for):
    a_practice(world.planning, title_sq="Vetëm për zyrën")
    csv = b"".join(client_for("observer").get(url("practice-export")).streaming_content).decode()
    assert "Vetëm" not in csv
    assert client_for("observer").get(url("trend-export")).status_code == 403
