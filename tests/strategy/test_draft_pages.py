"""The pages on which plans are created, drafted, amended and compared."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from stakeholders.models import User
from strategy.actions import drafts
from strategy.models import Consultation, Measure, Plan, PlanVersion, Strategy
from strategy.queries.comparison import compare
from strategy.queries.drafts import statuses_of, with_status
from strategy.queries.plan import current_plan
from tests.strategy.test_comparison import amended  # noqa: F401
from tests.strategy.test_drafts import adopt, draft, in_consultation, institution, local_draft, measure_fields  # noqa: F401

pytestmark = pytest.mark.django_db


def page(client, name: str, *args, **query) -> str:
    answer = client.get(reverse(f"strategy:{name}", args=args), query)
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def plan_form(world, **changes):
    return {
        "strategy": str(world.plan.strategy_id), "code": "LP-PRN", "kind": "local", "area": "m-PRN", "owner": "MUN-PRN",
        "languages": ["sq", "sr-latn"], "title_sq": "Plani lokal i Prishtinës", "title_sr": "", "title_en": "",
        "starts_on": world.plan.starts_on.isoformat(), "ends_on": world.plan.ends_on.isoformat(),
    } | changes  # fmt: skip


def measure_form(measure=None, **changes):
    fields = {
        "code": "L1", "title_sq": "Grupi lokal", "lead": "MUN-PRN", "source": "", "partner_0": "", "partner_1": "CSW",
        "partner_1_sq": "drejton punën", "partner_2": "",
    }  # fmt: skip
    if measure is not None:
        fields |= {
            "objective": str(measure.objective_id), "revision": measure.revision, "lead": measure.lead.code,
            "starts_on": measure.starts_on.isoformat(), "ends_on": measure.ends_on.isoformat(), "code": measure.code,
        }  # fmt: skip
    return fields | changes


def test_a_local_coordinator_drafts_a_plan_in_the_browser(world, client_for):
    client = client_for("local")
    form = page(client, "plan-create")
    assert "m-PRN" in form and "m-PRZ" not in form and 'value="national"' not in form
    assert client.post(reverse("strategy:plan-create"), plan_form(world, area="m-PRZ")).status_code == 200
    answer = client.post(reverse("strategy:plan-create"), plan_form(world))
    version = PlanVersion.objects.get(plan__code="LP-PRN")
    assert answer.url == reverse("strategy:draft-detail", args=[version.pk])
    client.post(reverse("strategy:draft-goal-create", args=[version.pk]), {"code": "G1", "title_sq": "Qëllimi"})
    goal = version.goals.get()
    client.post(reverse("strategy:draft-objective-create", args=[goal.pk]), {"code": "O1", "title_sq": "Objektivi"})
    objective = goal.objectives.get()
    url = reverse("strategy:draft-measure-create", args=[objective.pk])
    national = world.measure("M1.2.3")
    sent = measure_form(
        objective=str(objective.pk), starts_on=world.plan.starts_on.isoformat(), ends_on=world.plan.ends_on.isoformat(),
        serves=[str(national.pk)],
    )  # fmt: skip
    assert client.post(url, sent).status_code == 302
    measure = version.measures.get()
    assert measure.partnerships.get().part_sq == "drejton punën"
    assert measure.serves.get().serves == national
    shown = page(client, "draft-detail", version.pk)
    assert "L1 Grupi lokal" in text(shown) and "Record the adoption" not in shown
    assert "Grupi lokal" in page(client, "measure-detail", measure.pk)
    assert "National measures it serves" in page(client, "measure-detail", measure.pk)
    adopt(world, version)
    assert "Served by local measures" in page(client_for("director"), "measure-detail", national.pk)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends_on": "2001-01-01"}, "The end must not lie before the start."),
        ({"partner_2": "CSW"}, "stands among the partners twice"),
        ({"partner_0": "KP-THB"}, "cannot be a partner too"),
        ({"code": "M1.2.4"}, "stands in this version already"),
        ({"title_sq": "", "title_sr": "", "title_en": ""}, "Give a title in a language of the plan."),
        ({"lead": "MLSW"}, "Select a valid choice"),
        ({"starts_on": "yesterday"}, "Enter a valid date"),
        ({"objective": "x"}, "Select a valid choice"),
        ({"partner_1": "NOBODY"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(world, draft, client_for, changes, sentence):  # noqa: F811
    measure = draft.measures.get(code="M1.2.3")
    sent = measure_form(measure, description_en="Kept as it was typed") | changes
    answer = client_for("planning").post(reverse("strategy:draft-measure-edit", args=[measure.pk]), sent)
    assert answer.status_code == 200
    assert sentence in answer.content.decode() and "Kept as it was typed" in answer.content.decode()
    assert Measure.objects.get(pk=measure.pk).revision == measure.revision


def test_a_stale_form_shows_what_the_other_one_wrote(world, draft, client_for):  # noqa: F811
    measure = draft.measures.get(code="M1.2.3")
    url = reverse("strategy:draft-measure-edit", args=[measure.pk])
    client_for("director").post(url, measure_form(measure, title_sq="Titulli i kolegut"))
    sent = measure_form(measure, title_sq="Titulli im")
    answer = client_for("planning").post(url, sent)
    shown = answer.content.decode()
    assert "What your colleague saved meanwhile" in shown and "Titulli i kolegut" in shown and "Titulli im" in shown
    told = re.search(r'(?s)saved meanwhile</h2><dl class="facts">(.*?)</dl>', shown).group(1)
    assert "Title in Albanian" in told and "Lead institution" not in told and "Objective" not in told
    revision = re.search(r'name="revision" value="(\d+)"', shown).group(1)
    assert client_for("planning").post(url, sent | {"revision": revision}).status_code == 302
    assert Measure.objects.get(pk=measure.pk).title_sq == "Titulli im"


def test_in_consultation_every_form_says_why_it_is_closed(world, draft, client_for):  # noqa: F811
    in_consultation(draft)
    client, measure = client_for("planning"), draft.measures.get(code="M1.2.3")
    goal = draft.goals.first()
    for name, key in (("draft-goal-create", draft.pk), ("draft-goal-edit", goal.pk), ("draft-goal-delete", goal.pk),
                      ("draft-objective-edit", measure.objective_id), ("draft-measure-create", measure.objective_id),
                      ("draft-measure-edit", measure.pk), ("draft-measure-split", measure.pk),
                      ("draft-measure-merge", measure.pk), ("draft-measure-delete", measure.pk)):  # fmt: skip
        answer = client.post(reverse(f"strategy:{name}", args=[key]), follow=True)
        assert "does not change until that is closed" in answer.content.decode(), name
    shown = page(client, "draft-detail", draft.pk)
    assert "Add a goal" not in shown and "in consultation" in shown
    client_for("director").post(reverse("strategy:draft-discard", args=[draft.pk]))
    assert PlanVersion.objects.get(pk=draft.pk).is_draft


def test_a_draft_is_begun_ordered_taken_from_split_merged_and_discarded(world, client_for):
    client = client_for("director")
    assert "Begin a draft" in page(client, "plan-amend", world.plan.pk)
    client.post(reverse("strategy:plan-amend", args=[world.plan.pk]))
    version = world.plan.versions.get(state="draft")
    assert "draft already" in client.post(
        reverse("strategy:plan-amend", args=[world.plan.pk]), follow=True
    ).content.decode()  # fmt: skip
    measure = version.measures.get(code="M1.1.2")
    sent = {"kind": "measure", "record": str(measure.pk), "to": "up"}
    client.post(reverse("strategy:draft-order", args=[version.pk]), sent)
    assert version.measures.order_by("position").first() == measure
    for bad in ({}, {"kind": "goal", "record": "x"}, {"kind": "measure", "record": str(world.measure("M1.1.1").pk)}):
        assert client.post(reverse("strategy:draft-order", args=[version.pk]), bad).status_code == 404
    line = measure.budget_lines.get()
    page(client, "draft-measure-split", measure.pk)
    client.post(
        reverse("strategy:draft-measure-split", args=[measure.pk]),
        {"code": "M1.1.2b", "title_sq": "Pjesa", "budget_lines": [str(line.pk)]},
    )
    second = version.measures.get(code="M1.1.2b")
    assert second.budget_lines.get().pk == line.pk
    other = version.measures.get(code="M1.1.1")
    page(client, "draft-measure-merge", second.pk)
    client.post(reverse("strategy:draft-measure-merge", args=[second.pk]), {"other": str(other.pk)})
    assert not version.measures.filter(code="M1.1.1").exists()
    goal = version.goals.first()
    assert "measures go with it" in page(client, "draft-goal-delete", goal.pk)
    client.post(reverse("strategy:draft-goal-delete", args=[goal.pk]))
    assert version.goals.count() == 3
    asked = page(client, "draft-discard", version.pk)
    assert "Discard the draft" in asked and str(version.plan.title) in asked
    client.post(reverse("strategy:draft-discard", args=[version.pk]))
    assert "discarded" in PlanVersion.objects.get(pk=version.pk).state
    assert client.get(reverse("strategy:draft-detail", args=[version.pk])).status_code in (200, 404)


def test_the_comparison_is_read_without_colour_and_chosen_in_the_address(world, amended, client_for):  # noqa: F811
    client = client_for("director")
    shown = page(client, "plan-compare", world.plan.pk, **{"from": "2", "to": "1"})
    assert "from version 1 to version 2" in shown
    assert "<del>" in shown and "<ins>" in shown
    said = text(shown)
    for sentence in ("Moved from O1.2 to O1.3.", "Split off from M2.1.1.", "Merged into M2.2.1.", "Renamed.", "added:"):
        assert sentence in said
    for query in ({}, {"from": "x", "to": "99"}, {"from": "1"}, {"page": "x"}):
        assert "from version 1 to version 2" in page(client, "plan-compare", world.plan.pk, **query)
    assert "only one version" in page(client_for("observer"), "plan-compare", world.plan.pk)
    for form in ("csv", "xlsx"):
        assert client.get(
            reverse("strategy:plan-compare-export", args=[world.plan.pk]), {"format": form}
        ).status_code == 200  # fmt: skip
    assert client_for("observer").get(
        reverse("strategy:plan-compare-export", args=[world.plan.pk])
    ).status_code == 404  # fmt: skip
    adopt(world, amended)
    shown = page(client, "measure-versions", world.measure("M2.1.1").pk)
    assert "A part was split off:" in shown and "M2.1.9" in shown
    assert "M2.1.1" in page(client, "measure-versions", amended.measures.get(code="M2.1.9").pk)


def test_plans_are_listed_by_kind_and_filtered_by_status(world, draft, client_for):  # noqa: F811
    local_draft(world)
    client = client_for("director")
    everything = page(client, "plan-list")
    assert "LP-PRN" not in everything and "Plani lokal" in everything
    assert everything.index("National") < everything.index("Local")
    for query, national, local in (
        ({"kind": "local"}, False, True), ({"status": "in_force"}, True, False), ({"status": "draft"}, True, True),
        ({"status": "consultation"}, False, False), ({"status": "over"}, False, False), ({"status": "x"}, True, True),
    ):  # fmt: skip
        shown = page(client, "plan-list", **query)
        assert (str(world.plan.title) in shown, "Plani lokal" in shown) == (national, local), query
    in_consultation(draft)
    assert str(world.plan.title) in page(client, "plan-list", status="consultation")
    assert "in consultation" not in text(page(client_for("observer"), "plan-list").split("</form>")[-1])
    adopt_after_consultation(world, draft)
    assert str(world.plan.title) in page(client, "plan-list", status="amended")


def adopt_after_consultation(world, version) -> None:
    Consultation.objects.update(state="published", closed_at=timezone.now(), published_at=timezone.now())
    adopt(world, version)


def test_lists_and_drafts_cost_the_same_whatever_they_hold(world, draft, client_for):  # noqa: F811
    client = client_for("director")

    def cost(name: str, *args) -> int:
        page(client, name, *args)
        with CaptureQueriesContext(connection) as queries:
            page(client, name, *args)
        return len(queries)

    names = [("plan-list", ()), ("strategy-list", ()), ("draft-detail", (draft.pk,))]
    before = {name: cost(name, *args) for name, args in names}
    for n in range(4):
        Strategy.objects.create(code=f"S{n}", title_sq="S", starts_on=world.plan.starts_on, ends_on=world.plan.ends_on)
        plan = Plan.objects.create(
            strategy=world.plan.strategy, code=f"P{n}", title_sq="P", starts_on=world.plan.starts_on,
            ends_on=world.plan.ends_on,
        )  # fmt: skip
        PlanVersion.objects.create(plan=plan, number=1)
    objective = draft.measures.first().objective
    for n in range(5):
        drafts.save_measure(
            objective, None, by=world.planning, **measure_fields(world, code=f"N{n}", lead=institution("MOH"))
        )
    assert {name: cost(name, *args) for name, args in names} == before


def test_strategies_and_plans_are_edited(world, client_for):
    client = client_for("planning")
    fields = {
        "code": "NS-X",
        "kind": "child",
        "title_sq": "Strategjia",
        "starts_on": "2024-01-01",
        "ends_on": "2028-12-31",
    }
    assert "before the start" in client.post(
        reverse("strategy:strategy-create"), fields | {"ends_on": "2023-01-01"}
    ).content.decode()  # fmt: skip
    assert client.post(reverse("strategy:strategy-create"), fields).status_code == 302
    made = Strategy.objects.get(code="NS-X")
    page(client, "strategy-edit", made.pk)
    client.post(reverse("strategy:strategy-edit", args=[made.pk]), fields | {"title_sr": "Strategija", "revision": 0})
    assert "Strategjia" in page(client, "strategy-list") and Strategy.objects.get(pk=made.pk).title_sr == "Strategija"
    assert 'value="NS-X"' not in page(client, "plan-edit", world.plan.pk)
    sent = plan_form(world, kind="national", area="", owner="ONATC", title_en="The plan", revision=0)
    assert client.post(reverse("strategy:plan-edit", args=[world.plan.pk]), sent).status_code == 302
    assert Plan.objects.get(pk=world.plan.pk).owner.code == "ONATC"
    answer = client.post(reverse("strategy:plan-edit", args=[world.plan.pk]), sent | {"title_en": "Another"})
    assert "Somebody else saved this meanwhile" in answer.content.decode()
    for name in ("focal_point", "observer", "local", "monitoring"):
        assert client_for(name).get(reverse("strategy:plan-edit", args=[world.plan.pk])).status_code in (403, 404)
        assert client_for(name).get(reverse("strategy:strategy-create")).status_code == 403


@pytest.mark.thorough
def test_the_demonstration_shows_plans_of_every_kind_and_an_amendment(reference_data):
    call_command("seed_demo", seed=1, verbosity=0)
    director = User.objects.get(email="director@onatc.example")
    assert current_plan(director).code == "AP-2022-2026"
    assert current_plan(User.objects.get(email="local@demo.example")).code == "AP-2022-2026"
    plans = {one.code: statuses_of(one) for one in with_status(Plan.objects.visible_to(director), director)}
    assert [code for code, _label in plans["AP-2022-2026"]] == ["draft", "in_force"]
    assert [code for code, _label in plans["AP-2015-2019"]] == ["over"]
    assert {"CP-2024-2027", "LP-PRN-2024-2026", "LP-GJI-2025-2027"} <= set(plans)
    old, new = PlanVersion.objects.filter(plan__code="AP-2022-2026").order_by("number")
    said = [mark for one in compare(old, new, director) for mark in one.marks]
    for word in ("Renamed", "Moved", "Split off", "Merged into"):
        assert any(mark.startswith(word) for mark in said), word
    for one in Measure.objects.all():
        assert one.title_sq and one.title_sr and one.title_en
    earlier = Measure.objects.get(version__plan__code="AP-2015-2019", code="3.1.1")
    assert earlier.state == "completed"
    assert set(earlier.signals.order_by("-starts_on").values_list("signal", flat=True)[:1]) == {"completed"}
