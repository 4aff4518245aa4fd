"""A measure's story goes through splits and mergers, both ways, and tells each thing once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from strategy.actions import drafts
from strategy.models import BudgetExecution, BudgetLine, Measure, MeasureOrigin, PlanVersion, RightsCheck
from strategy.queries.kin import chapters, kin_of
from tests.strategy.steps import accepted
from tests.strategy.test_drafts import adopt
from tests.strategy.test_seeing import queries_of

pytestmark = pytest.mark.django_db


def said_of(world, measure: Measure, remark: str) -> None:
    """Something that happened to a measure and can be found again by its words."""
    RightsCheck.objects.create(
        measure=measure, outcome="in_line", assessed_by=world.director, assessed_on=timezone.localdate(), remarks=remark
    )


def amended(world, change) -> PlanVersion:
    draft = drafts.start_draft(world.plan, by=world.planning)
    change({one.code: one for one in draft.measures.select_related("version", "objective__goal")})
    adopt(world, draft)
    return draft


@pytest.fixture
def split_twice(world) -> dict[str, Measure]:
    """M1.2.3, from which M1.2.31 was split off, from which M1.2.32 was; something was said of each in each version."""
    accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    said_of(world, world.measure("M1.2.3"), "Whole at first.")
    second = amended(
        world, lambda of: drafts.split_measure(of["M1.2.3"], by=world.planning, code="M1.2.31", title_sq="Pjesa")
    )
    said_of(world, second.measures.get(code="M1.2.3"), "Whole after the first split.")
    said_of(world, second.measures.get(code="M1.2.31"), "Part before its split.")
    third = amended(
        world, lambda of: drafts.split_measure(of["M1.2.31"], by=world.planning, code="M1.2.32", title_sq="Pjesëza")
    )
    for code, remark in (("M1.2.31", "Part after its split."), ("M1.2.32", "Part of the part.")):
        said_of(world, third.measures.get(code=code), remark)
    return {one.code: one for one in third.measures.filter(code__startswith="M1.2.3")}


def story(client, measure: Measure, **query):
    return client.get(reverse("strategy:measure-story", args=[measure.pk]), {"print": 1} | query)


def remarks(page) -> list[tuple[str, str]]:
    return [(one.chapter.measure.code, str(one.telling.detail)) for one in page.context["page"] if one.what == "rights"]


def test_the_story_of_a_part_begins_with_the_whole_and_ends_where_it_was_split_off(world, split_twice, client_for):
    client = client_for("director")
    assert remarks(story(client, split_twice["M1.2.32"])) == [
        ("M1.2.32", "Part of the part."), ("M1.2.31", "Part before its split."), ("M1.2.3", "Whole at first.")
    ]  # fmt: skip
    assert remarks(story(client, split_twice["M1.2.31"])) == [
        ("M1.2.31", "Part after its split."), ("M1.2.31", "Part before its split."), ("M1.2.32", "Part of the part."),
        ("M1.2.3", "Whole at first."),
    ]  # fmt: skip
    text = unescape(story(client, split_twice["M1.2.32"]).content.decode())
    assert "What it came from, before that. M1.2.31 was split off from it by version 2." in text
    assert "was accepted" in text and "M1.2.32 was split off from M1.2.31 by version 3" in text
    assert "Version 1 was adopted by decision 01/2022." in text


def test_the_story_of_the_whole_goes_on_with_its_parts(world, split_twice, client_for):
    page = story(client_for("director"), split_twice["M1.2.3"])
    assert sorted(remarks(page)) == [
        ("M1.2.3", "Whole after the first split."), ("M1.2.3", "Whole at first."),
        ("M1.2.31", "Part after its split."), ("M1.2.31", "Part before its split."), ("M1.2.32", "Part of the part."),
    ]  # fmt: skip
    assert remarks(story(client_for("director"), world.measure("M1.2.3"))) == remarks(page)
    splits = [one.telling.said for one in page.context["page"] if one.what == "descent"]
    assert len(splits) == 2


def test_nothing_is_told_twice_and_the_counts_are_the_lists(world, split_twice, client_for):
    client = client_for("director")
    for measure in split_twice.values():
        page = story(client, measure)
        told = [
            (one.what, one.at, one.telling.said, one.telling.who, str(one.telling.detail))
            for one in page.context["page"]
        ]
        assert [one for one, times in Counter(told).items() if times > 1] == []
        assert len(told) == page.context["told"].total
        keys = page.context["told"].scope.keys
        assert len(keys) == len(set(keys))
        for code, _label, number in page.context["told"].counts:
            assert len(story(client, measure, kind=code).context["page"].object_list) == number


def test_two_measures_merged_into_a_third_both_tell_what_became_of_them(world, client_for):
    for code in ("M2.2.1", "M2.2.2", "M2.2.3"):
        said_of(world, world.measure(code), f"{code} before.")

    def change(of):
        drafts.merge_measures(of["M2.2.1"], of["M2.2.2"], by=world.planning)
        of["M2.2.1"].refresh_from_db()
        drafts.merge_measures(of["M2.2.1"], of["M2.2.3"], by=world.planning)

    second = amended(world, change)
    kept = second.measures.get(code="M2.2.1")
    said_of(world, kept, "All three.")
    line = BudgetLine.objects.filter(measure=kept).first()
    BudgetExecution.objects.create(
        line=line, as_of=timezone.localdate(), committed_cents=700, spent_cents=700, by=world.planning
    )
    client = client_for("director")
    page = story(client, kept)
    assert remarks(page) == [
        ("M2.2.1", "All three."), ("M2.2.1", "M2.2.1 before."), ("M2.2.2", "M2.2.2 before."), ("M2.2.3", "M2.2.3 before.")
    ]  # fmt: skip
    assert [one.what for one in page.context["page"]].count("budget") == 1
    gone = story(client, world.measure("M2.2.2"))
    assert remarks(gone) == [("M2.2.2", "M2.2.2 before."), ("M2.2.1", "All three.")]
    text = unescape(gone.content.decode())
    assert "What came of it, since then. M2.2.2 was merged into it by version 2." in text
    rows = b"".join(
        client.get(
            reverse("strategy:list-export", args=["story"]),
            {"format": "csv", "measure": str(world.measure("M2.2.2").pk)},
        ).streaming_content
    ).decode()
    assert (
        "All three." in rows and "M2.2.2 was merged into M2.2.1 by version 2" in rows and "M2.2.1 before." not in rows
    )


def test_a_part_that_came_back_is_told_once(world, split_twice, client_for):
    amended(
        world,
        lambda of: drafts.merge_measures(of["M1.2.3"], of["M1.2.31"], by=world.planning),
    )
    whole = Measure.objects.current().get(code="M1.2.3")
    before, after = kin_of(whole, world.director)
    assert [one.measure.code for one in after] == ["M1.2.31", "M1.2.32"]
    assert [one.measure.code for one in before] == ["M1.2.31"]
    page = story(client_for("director"), whole)
    told = [detail for _code, detail in remarks(page)]
    assert len(told) == len(set(told)) == 5


def test_what_a_sibling_took_in_later_is_no_part_of_the_story(world, split_twice):
    amended(world, lambda of: drafts.merge_measures(of["M1.2.3"], of["M1.2.4"], by=world.planning))
    before, after = kin_of(Measure.objects.current().get(code="M1.2.31"), world.director)
    assert [one.measure.code for one in before] == ["M1.2.3"] and [one.measure.code for one in after] == ["M1.2.32"]


def test_a_part_split_in_the_same_draft_comes_from_the_measure_in_force(world):
    draft = drafts.start_draft(world.plan, by=world.planning)
    part = drafts.split_measure(draft.measures.get(code="M1.2.3"), by=world.planning, code="M1.2.31", title_sq="Pjesa")
    again = drafts.split_measure(part, by=world.planning, code="M1.2.32", title_sq="Pjesëza")
    assert again.origins.get().origin == world.measure("M1.2.3")
    assert MeasureOrigin.objects.filter(origin=world.measure("M1.2.3")).count() == 2


def test_a_draft_is_no_part_of_the_story_for_who_may_not_see_it(world, client_for):
    draft = drafts.start_draft(world.plan, by=world.planning)
    part = drafts.split_measure(draft.measures.get(code="M1.2.3"), by=world.planning, code="M1.2.31", title_sq="Pjesa")
    said_of(world, part, "In the draft.")
    old = world.measure("M1.2.3")
    assert "not decided yet" in story(client_for("director"), old).content.decode()
    page = story(client_for("observer"), old)
    assert page.context["kin"] == [] and "In the draft." not in page.content.decode()
    assert [chapter.measure for chapter in chapters(old, world.observer)] == [old]


def test_a_focal_point_learns_nothing_of_a_part_that_others_lead(world, split_twice, client_for):
    part = split_twice["M1.2.31"]
    observed = story(client_for("other_focal_point"), part)
    assert observed.status_code == 404
    assert story(client_for("focal_point"), part).status_code == 200


def test_a_measure_says_how_it_was_called_then(world, client_for):
    measure = world.measure("M1.2.3")
    said_of(world, measure, "Under its first code.")

    def change(of):
        of["M1.2.3"].code, of["M1.2.3"].title_en = "M1.2.99", "Another name"
        of["M1.2.3"].save()

    second = amended(world, change)
    text = unescape(story(client_for("director"), second.measures.get(code="M1.2.99")).content.decode())
    assert f"Then called M1.2.3 {measure.title_en}." in " ".join(text.split())


def test_the_story_costs_the_same_however_many_kin_there_are(world, split_twice, client_for, settings):
    settings.KEEP_PAGES_SECONDS = 0
    client = client_for("director")
    client.get(reverse("me"))
    url = reverse("strategy:measure-story", args=[split_twice["M1.2.3"].pk]) + "?kind=rights"
    before = queries_of(client, url)

    def change(of):
        for number in range(6):
            drafts.split_measure(of["M1.2.3"], by=world.planning, code=f"M1.2.4{number}", title_sq=f"Pjesa {number}")

    many = amended(world, change)
    for one in many.measures.filter(code__startswith="M1.2.4"):
        said_of(world, one, f"Said of {one.code}.")
    client.get(reverse("me"))  # what the session writes now and then is no cost of the page
    assert queries_of(client, url) <= before <= 45


def test_the_plan_s_changes_tell_of_a_split(world, split_twice, client_for):
    page = client_for("director").get(
        reverse("strategy:plan-changes", args=[world.plan.pk]),
        {"since": (timezone.localdate() - timedelta(days=400)).isoformat(), "kind": "descent"},
    )
    assert page.context["page"].paginator.count == 2
    assert "was split off from M1.2.3 by version 2" in unescape(page.content.decode())
