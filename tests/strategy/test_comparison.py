"""Two versions side by side, and a measure followed across splits and mergers."""

from __future__ import annotations

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from strategy.actions import drafts
from strategy.models import BudgetLine, Indicator, IndicatorTarget, Measure, Milestone, PlanVersion
from strategy.queries.comparison import as_table, compare, follow
from tests.strategy.test_drafts import adopt, full, institution


@pytest.fixture
def amended(world) -> PlanVersion:
    """A draft in which one measure each was renamed, moved, split, merged, added, removed, and got other belongings."""
    full(world.version)
    draft = drafts.start_draft(world.plan, by=world.planning)
    of = {one.code: one for one in draft.measures.select_related("objective__goal")}
    of["M1.2.1"].title_en = "Give all schools the teachers' handbook"
    of["M1.2.1"].save()
    moving = of["M1.2.4"]
    other = of["M1.3.1"].objective
    drafts.save_measure(
        other, moving, by=world.planning, lead=moving.lead, starts_on=moving.starts_on, ends_on=moving.ends_on,
        code="M1.3.9", partners=[], title_sq=moving.title_sq, title_sr=moving.title_sr, title_en=moving.title_en,
    )  # fmt: skip
    drafts.split_measure(of["M2.1.1"], by=world.planning, code="M2.1.9", title_sq="Pjesa e dytë")
    drafts.merge_measures(of["M2.2.1"], of["M2.2.2"], by=world.planning)
    drafts.remove(of["M4.4.2"], by=world.planning)
    objective = of["M4.4.1"].objective
    drafts.save_measure(
        objective, None, by=world.planning, lead=institution("AKM"), starts_on=world.plan.starts_on,
        ends_on=world.plan.ends_on, code="M4.4.9", title_sq="E re", partners=[],
    )  # fmt: skip
    IndicatorTarget.objects.filter(indicator__measure=of["M1.1.2"]).update(value=9)
    Indicator.objects.filter(measure=of["M1.1.2"]).update(lower_is_better=True)
    BudgetLine.objects.filter(measure=of["M1.1.2"]).update(planned_cents=1_234_567)
    Milestone.objects.filter(measure=of["M1.1.1"]).update(title_sq="Hapi tjetër")
    goal = draft.goals.get(code="G1")
    drafts.save_goal(draft, goal, by=world.planning, code="G1", title_sq="Parandalimi i ri", revision=0)
    return draft


@pytest.mark.django_db
def test_every_change_between_two_versions_is_told_by_its_name(world, amended):
    found = {(one.level, one.record.code): one for one in compare(world.version, amended, world.director)}
    measures = {code: one for (level, code), one in found.items() if level == "Measure"}
    assert found["Goal", "G1"].fields[0].new == "Parandalimi i ri"
    assert "Renamed." in measures["M1.2.1"].marks
    assert {"Moved from O1.2 to O1.3.", "Had the code M1.2.4 before."} <= set(measures["M1.3.9"].marks)
    assert measures["M1.3.9"].code_before == "M1.2.4"
    assert {(part.kind, part.what) for part in measures["M1.3.9"].parts} == {("removed", "Partner of a measure")}
    assert measures["M2.1.9"].kind == "new" and measures["M2.1.9"].marks == ["Split off from M2.1.1."]
    assert measures["M2.1.1"].marks == ["M2.1.9 was split off from it."]
    assert measures["M2.2.1"].marks == ["M2.2.2 was merged in."]
    assert measures["M2.2.2"].kind == "removed" and measures["M2.2.2"].marks == ["Merged into M2.2.1."]
    assert measures["M4.4.2"].kind == "removed" and measures["M4.4.9"].kind == "new"
    belongings = {part.what: {one.label: one.new for one in part.fields} for part in measures["M1.1.2"].parts}
    assert belongings["Target"] == {"Target": "9"} or belongings["Target"]["Target"].startswith("9")
    assert belongings["Indicator"] == {"Lower is better": "yes"}
    assert belongings["Budget line"] == {"Planned": "12,345.67 €"}
    assert [part.fields[0].new for part in measures["M1.1.1"].parts if part.what == "Milestone"] == ["Hapi tjetër"]
    assert len(measures) == 10


@pytest.mark.django_db
def test_a_version_is_like_itself_and_like_its_untouched_copy(world):
    full(world.version)
    draft = drafts.start_draft(world.plan, by=world.planning)
    assert compare(world.version, world.version, world.director) == []
    assert compare(world.version, draft, world.director) == []


@pytest.mark.django_db
def test_a_focal_point_compares_its_own_measures_and_no_draft(world, amended):
    adopt(world, amended)
    reader = world.focal_point
    own = set(Measure.objects.visible_to(reader).values_list("pk", flat=True))
    found = [one for one in compare(world.version, amended, reader) if one.level == "Measure"]
    assert found and all({row.pk for row in (one.old, one.new) if row} <= own for one in found)


@pytest.mark.django_db
def test_comparing_costs_the_same_whatever_the_size(world, amended, thawed):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(as_table(compare(world.version, amended, world.director))[1])
        return len(queries)

    large = cost()
    Measure.objects.filter(version=amended, position__gt=9).delete()
    assert cost() == large < 20


@pytest.mark.django_db
def test_the_file_of_a_comparison_names_fields_before_and_after(world, amended, client_for):
    answer = client_for("director").get(
        f"/plans/{world.plan.pk}/compare/export/", {"from": "1", "to": "2", "format": "csv"}
    )
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert any(row["remark"] == "Merged into M2.2.1." for row in rows)
    assert any(row["field"] == "Planned" and row["after"] == "12,345.67 €" for row in rows)


@pytest.mark.django_db
def test_a_measure_is_followed_across_versions_splits_and_mergers(world, amended):
    adopt(world, amended)
    third = drafts.start_draft(world.plan, by=world.planning)
    part = third.measures.get(code="M2.1.9")
    drafts.merge_measures(third.measures.get(code="M2.1.2"), part, by=world.planning)
    adopt(world, third)
    first = world.measure("M2.1.1")
    steps, before, after = follow(first, world.director)
    assert [one.measure.version.number for one in steps] == [1, 2, 3]
    assert steps[0].is_first and steps[1].difference is None
    assert before == []
    assert [(one.kind, one.measure.code, one.generation) for one in after] == [
        ("split", "M2.1.9", 1), ("merged", "M2.1.2", 2)
    ]  # fmt: skip
    steps, before, after = follow(third.measures.get(code="M2.1.2"), world.director)
    assert [(one.kind, one.measure.code, one.generation) for one in before] == [
        ("merged", "M2.1.9", 1), ("split", "M2.1.1", 2)
    ]  # fmt: skip
    steps, _before, _after = follow(world.measure("M1.2.4"), world.director)
    assert [one.measure.code for one in steps] == ["M1.2.4", "M1.3.9", "M1.3.9"]
    assert "Moved from O1.2 to O1.3." in steps[1].difference.marks
