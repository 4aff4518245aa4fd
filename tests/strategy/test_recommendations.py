"""The register of recommendations: entering, answering, the steps, and what is still unanswered."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc import search
from onatc.errors import Refused
from stakeholders.models import Institution
from strategy.actions import recommendations as actions
from strategy.models import Measure, MeasureState, Recommendation, RecommendationFile, RecommendationStep
from strategy.recommendation_filter import RecommendationFilter
from tests.samples import document

TODAY = timezone.localdate()
PUBLISHED = date(2025, 5, 1)
STEP = {"state": "partly", "on": TODAY, "evidence": "Vendimi 3", "unanswered": "Financimi", "language": "sq"}


def values(**changes) -> dict:
    fields = {
        "body": "greta", "report": "Demonstration report 2025", "published_on": PUBLISHED, "number": "7", "paragraph": "112",
        "text_sq": "Të financohen strehimoret.", "text_sr": "", "text_en": "Fund the shelters.", "addressee": None,
        "due_on": None,
    }  # fmt: skip
    return fields | changes


@pytest.fixture
def recommendation(world) -> Recommendation:
    return actions.save_recommendation(None, values(), by=world.information)


def refusal(act, *args, **kwargs) -> str:
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    return str(caught.value)


def unanswered(user) -> set:
    return set(RecommendationFilter({"unanswered": "yes"}, user=user).rows.values_list("pk", flat=True))


def test_the_whole_office_keeps_the_register_and_nobody_else(world, recommendation):
    assert actions.save_recommendation(None, values(), by=world.director).pk == recommendation.pk, "sent twice"
    for name in ("focal_point", "observer", "natc", "local", "administrator", "stranger"):
        person = getattr(world, name)
        for act in (
            lambda who=person: actions.save_recommendation(None, values(number="8"), by=who),
            lambda who=person: actions.add_step(recommendation, by=who, **STEP),
            lambda who=person: actions.link_measure(recommendation, world.measure("M2.2.1"), by=who),
        ):
            with pytest.raises(PermissionDenied):
                act()


def test_what_a_recommendation_may_not_say(world):
    def save(**changes):
        return actions.save_recommendation(None, values(**changes), by=world.director)

    assert "one language" in refusal(save, text_sq="", text_en=" ")
    assert "future" in refusal(save, published_on=TODAY + timedelta(1))
    assert "before the report" in refusal(save, due_on=PUBLISHED - timedelta(1))


def test_its_state_is_that_of_the_latest_step_and_rests_on_evidence(world, recommendation):
    def step(**changes):
        return actions.add_step(recommendation, by=world.director, **(STEP | changes))

    assert "evidence" in refusal(step, evidence=" ")
    assert "evidence" in refusal(step, state="implemented", evidence="", unanswered="")
    assert "leaves nothing unanswered" in refusal(step, state="implemented")
    assert "future" in refusal(step, on=TODAY + timedelta(1))
    assert "before the report" in refusal(step, on=PUBLISHED - timedelta(1))
    first = step()
    assert step().pk == first.pk
    step(state="open", on=TODAY - timedelta(30), evidence="", unanswered="")  # entered late
    recommendation.refresh_from_db()
    assert recommendation.state == "partly" and RecommendationStep.objects.count() == 2
    step(state="implemented", unanswered="")
    recommendation.refresh_from_db()
    assert recommendation.state == "implemented"


def test_unanswered_is_what_no_measure_answers_or_the_last_step_leaves_open(world, recommendation):
    director = world.director
    assert unanswered(director) == {recommendation.pk}
    measure = world.measure("M2.2.1")
    actions.link_measure(recommendation, measure, by=director, note="Financon")
    actions.link_measure(recommendation, measure, by=director)
    assert recommendation.answers.get().note == "Financon"
    assert unanswered(director) == set()
    Measure.objects.filter(pk=measure.pk).update(state=MeasureState.DROPPED)
    assert unanswered(director) == {recommendation.pk}, "a measure that was dropped answers nothing"
    Measure.objects.filter(pk=measure.pk).update(state=MeasureState.PLANNED)
    actions.add_step(recommendation, by=director, **STEP)
    assert unanswered(director) == {recommendation.pk}
    actions.add_step(recommendation, by=director, **(STEP | {"state": "implemented", "unanswered": ""}))
    assert unanswered(director) == set()
    actions.unlink_measure(recommendation.answers.get(), by=director)
    assert unanswered(director) == set(), "implemented, it needs no measure"
    actions.add_step(recommendation, by=director, **(STEP | {"state": "open", "evidence": "", "unanswered": ""}))
    assert unanswered(director) == {recommendation.pk}


def test_the_counts_on_top_are_those_of_the_list(world, recommendation, client_for):
    for number, body in enumerate(("eu", "us_tip", "ombudsperson", "eu"), 20):
        actions.save_recommendation(None, values(number=str(number), body=body), by=world.director)
    actions.add_step(recommendation, by=world.director, **(STEP | {"state": "not_accepted", "unanswered": ""}))
    client = client_for("observer")
    address = reverse("strategy:recommendation-list")
    page = client.get(address, {"body": "eu"})
    assert page.context["total"] == 2 == page.context["page"].paginator.count
    page = client.get(address)
    assert page.context["unanswered"] == 4 == client.get(address, {"unanswered": "yes"}).context["page"].paginator.count
    for code, _label, number in page.context["states"]:
        assert client.get(address, {"state": code}).context["page"].paginator.count == number
    assert client.get(address, {"q": "SHELTERS"}).context["total"] == 5
    odd = {"body": "x", "state": "%00", "unanswered": "z", "page": "x", "addressee": "'"}
    assert client.get(address, odd).status_code == 200


def test_the_pages_from_entering_to_the_answer(world, client_for):
    client = client_for("information")
    typed = {name: value or "" for name, value in values().items()} | {"published_on": "2025-05-01", "revision": "0"}
    answer = client.post(reverse("strategy:recommendation-create"), typed)
    found = Recommendation.objects.get()
    assert answer.url == found.get_absolute_url()
    link = reverse("strategy:recommendation-link", args=[found.pk])
    form = {"plan": world.plan.pk, "code": "M9.9.9", "note": ""}
    assert "no measure of that code" in client.post(link, form).content.decode()
    assert client.post(link, form | {"code": "m1.2.3"}).status_code == 302
    step = reverse("strategy:recommendation-step", args=[found.pk])
    said = client.post(step, STEP | {"on": TODAY.isoformat(), "evidence": ""}).content.decode()
    assert "Say on which evidence" in said and "Financimi" in said
    assert client.post(step, STEP | {"on": TODAY.isoformat()}).status_code == 302
    page = client.get(found.get_absolute_url()).content.decode()
    assert "M1.2.3" in page and "Financimi" in page and "partly implemented" in page
    assert found.report in client.get(world.measure("M1.2.3").get_absolute_url()).content.decode()
    # Who does not see the measure reads the recommendation and learns nothing of it.
    assert (
        world.measure("M1.2.3").get_absolute_url()
        in client_for("focal_point").get(found.get_absolute_url()).content.decode()
    )
    unlink = reverse("strategy:recommendation-unlink", args=[found.pk, found.answers.get().pk])
    assert client_for("observer").post(unlink).status_code == 403
    assert client.post(unlink).status_code == 302 and client.post(unlink).status_code == 302
    assert client_for("observer").get(reverse("strategy:recommendation-create")).status_code == 403


def test_a_measure_that_one_may_not_see_is_not_told_of(world, recommendation, client_for):
    hidden = next(
        one for one in Measure.objects.filter(version=world.version)
        if not Measure.objects.visible_to(world.other_focal_point).filter(pk=one.pk).exists()
    )  # fmt: skip
    actions.link_measure(recommendation, hidden, by=world.director)
    page = client_for("other_focal_point").get(recommendation.get_absolute_url()).content.decode()
    assert hidden.code not in page and "Fund the shelters." in page


def test_a_stale_form_shows_both(world, recommendation, client_for):
    client = client_for("director")
    address = reverse("strategy:recommendation-edit", args=[recommendation.pk])
    assert client.get(address).status_code == 200
    changed = values(text_en="Fund all shelters.")
    actions.save_recommendation(recommendation, changed, by=world.information, revision=0)
    typed = {name: value or "" for name, value in values(text_en="My wording.").items()} | {
        "published_on": "2025-05-01"
    }
    page = client.post(address, typed | {"revision": "0"})
    text = page.content.decode()
    assert "A colleague changed this" in text and "My wording." in text and "Fund all shelters." in text
    assert client.post(address, typed | {"revision": page.context["form"].data["revision"]}).status_code == 302
    recommendation.refresh_from_db()
    assert recommendation.text_en == "My wording." and recommendation.revision == 2


def test_files_are_added_read_and_taken_off(world, recommendation, client_for):
    client = client_for("child")
    file = io.BytesIO(document())
    file.name = "raporti.pdf"
    address = reverse("strategy:recommendation-upload", args=[recommendation.pk])
    assert client.post(address, {"file": file}).status_code == 302
    kept = RecommendationFile.objects.get()
    assert client_for("focal_point").get(kept.get_absolute_url()).status_code == 200
    assert client_for("stranger").get(kept.get_absolute_url()).status_code == 404
    remove = reverse("strategy:recommendation-file-remove", args=[kept.pk])
    assert client_for("focal_point").post(remove).status_code == 403
    assert client.post(remove).status_code == 302 and not RecommendationFile.objects.exists()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_list_leaves_as_a_file_in_which_nothing_runs(world, recommendation, client_for, form):
    actions.save_recommendation(None, values(number="9", text_en='=HYPERLINK("x")'), by=world.director)
    response = client_for("director").get(reverse("strategy:recommendation-export"), {"format": form})
    content = b"".join(response) if response.streaming else response.content
    assert response.status_code == 200 and len(content) > 200
    if form == "csv":
        assert b"'=HYPERLINK" in content


def test_it_is_found_by_everybody_who_opens_plans(world, recommendation):
    search.rebuild()
    for name in ("director", "natc", "observer", "focal_point", "local"):
        assert [one.kind for one in search.ask(getattr(world, name), "shelters", kind="recommendation").results]
    assert not search.ask(world.administrator, "shelters", kind="recommendation").results


def test_list_and_page_cost_the_same_however_many_there_are(world, recommendation, client_for):
    client = client_for("director")
    isf = Institution.objects.get(code="ISF")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("strategy:recommendation-list"))
            client.get(recommendation.get_absolute_url())
        return len(captured)

    actions.link_measure(recommendation, world.measure("M1.2.3"), by=world.director)
    actions.add_step(recommendation, by=world.director, **STEP)
    cost()
    few = cost()
    for number in range(12):
        actions.save_recommendation(None, values(number=f"x{number}", addressee=isf), by=world.director)
    for number in range(4):
        actions.link_measure(recommendation, world.measure(f"M2.2.{number + 1}"), by=world.director)
        actions.add_step(recommendation, by=world.director, **(STEP | {"evidence": f"Vendimi {number}"}))
    assert cost() == few
