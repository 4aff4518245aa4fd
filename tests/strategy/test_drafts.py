"""Plans are drafted, amended, split and merged in the browser; what was adopted stays as it is."""

from __future__ import annotations

from datetime import date, timedelta

import pgtrigger
import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onatc import search
from onatc.errors import Refused
from onatc.models import Code, CodeList, Municipality
from stakeholders.models import Institution
from strategy.actions import drafts
from strategy.actions import plan as plan_actions
from strategy.actions.drafts import Faulty, Partner, Stale
from strategy.models import (
    BudgetLine,
    Comment,
    Consultation,
    ConsultationInvitation,
    ConsultationState,
    Goal,
    IndicatorTarget,
    Measure,
    MeasureDependency,
    MeasureNorm,
    MeasureOrigin,
    MeasurePartner,
    MeasureRisk,
    MeasureTag,
    Milestone,
    Norm,
    Objective,
    Plan,
    PlanKind,
    PlanVersion,
    ServedMeasure,
    Strategy,
    VersionState,
)
from strategy.queries.drafts import serving_of
from strategy.versioning import CONTENT, FREEZES, rows_of
from tests.onatc.test_search import test_the_tokens_say_of_each_kind_what_the_gate_says as tokens_say_what_the_gate_says
from tests.strategy.steps import accepted

pytestmark = pytest.mark.django_db


def institution(code: str) -> Institution:
    return Institution.objects.get(code=code)


def full(version: PlanVersion) -> None:
    """Something in every table that belongs to a version."""
    first, second = version.measures.order_by("position")[:2]
    code_list, _new = CodeList.objects.get_or_create(id="measure_tag", defaults={"title_sq": "Fjalë"})
    tag = Code.objects.create(code_list=code_list, code="x", label_sq="Fjalë", position=1)
    norm = Norm.objects.create(kind="law", act="Law 04/L-218", reference="Article 8", title_sq="Neni 8")
    with pgtrigger.ignore(*FREEZES):
        Milestone.objects.create(measure=first, title_sq="Hapi", due_on=first.ends_on)
        MeasureDependency.objects.create(measure=second, needs=first)
        MeasureNorm.objects.create(measure=first, norm=norm)
        MeasureTag.objects.create(measure=first, tag=tag)
        MeasureRisk.objects.create(measure=first, text_sq="Rreziku")


def in_consultation(version: PlanVersion, code: str = "MOH", state: str = "open") -> Consultation:
    today = timezone.localdate()
    over = {} if state == "open" else {"closed_at": timezone.now()}
    consultation = Consultation.objects.create(
        version=version, opens_on=today, closes_on=today + timedelta(days=14), opened_at=timezone.now(), state=state,
        **over,
    )  # fmt: skip
    ConsultationInvitation.objects.create(consultation=consultation, institution=institution(code))
    return consultation


def local_plan(world, by=None, **changes) -> Plan:
    fields = {
        "strategy": world.plan.strategy, "code": "LP-PRN", "kind": PlanKind.LOCAL, "title_sq": "Plani lokal",
        "owner": institution("MUN-PRN"), "district": None, "municipality_id": "PRN", "languages": ["sq", "sr-latn"],
        "starts_on": world.plan.starts_on, "ends_on": world.plan.ends_on,
    } | changes  # fmt: skip
    fields["municipality"] = Municipality.objects.get(pk=fields.pop("municipality_id"))
    return drafts.create_plan(by=by or world.local, **fields)


def measure_fields(world, **changes):
    return {
        "lead": institution("MUN-PRN"), "starts_on": world.plan.starts_on, "ends_on": world.plan.ends_on,
        "code": "L1", "title_sq": "Grupi lokal", "partners": [Partner(institution("CSW"), {"sq": "drejton"})],
    } | changes  # fmt: skip


@pytest.fixture
def draft(world) -> PlanVersion:
    full(world.version)
    return drafts.start_draft(world.plan, by=world.planning)


def local_draft(world) -> tuple[Plan, PlanVersion, Objective]:
    plan = local_plan(world)
    version = plan.versions.get()
    goal = drafts.save_goal(version, None, by=world.local, code="G1", title_sq="Qëllimi")
    return plan, version, drafts.save_objective(goal, None, by=world.local, code="O1", title_sq="Objektivi")


# An amendment begins with everything there is


def test_an_amendment_holds_all_that_the_version_in_force_holds(world, draft):
    filled = {part.name: rows_of(part, [world.version]).count() for part in CONTENT}
    assert {name for name, count in filled.items() if not count} == {"servedmeasure"}
    assert {part.name: rows_of(part, [draft]).count() for part in CONTENT} == filled
    assert (draft.based_on, draft.number, draft.state) == (world.version, 2, VersionState.DRAFT)
    old, new = world.measure("M1.2.3"), draft.measures.get(code="M1.2.3")
    assert old.lineage == new.lineage and old.pk != new.pk
    assert {one.lineage for one in old.indicators.all()} == {one.lineage for one in new.indicators.all()}
    copied = MeasureDependency.objects.get(measure__version=draft)
    assert copied.needs.version == draft


def test_starting_a_draft_costs_the_same_for_a_small_and_a_large_plan(world):
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            version = drafts.start_draft(world.plan, by=world.planning)
        drafts.discard_draft(version, by=world.planning)
        return len(queries)

    large = cost()
    with pgtrigger.ignore(*FREEZES):
        Measure.objects.filter(version=world.version, position__gt=5).exclude(requests__isnull=False).delete()
    assert cost() == large < 60


def test_a_second_draft_is_refused_and_a_discarded_one_makes_room(world, draft):
    with pytest.raises(Refused, match="draft already"):
        drafts.start_draft(world.plan, by=world.director)
    drafts.discard_draft(draft, by=world.director)
    draft.refresh_from_db()
    assert draft.state == VersionState.DISCARDED
    assert not PlanVersion.objects.visible_to(world.observer).filter(pk=draft.pk).exists()
    assert drafts.start_draft(world.plan, by=world.director).number == 3


@pytest.mark.parametrize("name", ["monitoring", "child", "natc", "focal_point", "local", "observer", "administrator"])
def test_others_draft_no_national_plan(world, name):
    with pytest.raises(PermissionDenied):
        drafts.start_draft(world.plan, by=getattr(world, name))


# What was adopted is frozen


def test_the_database_refuses_to_change_what_was_adopted(world, draft):
    for part in CONTENT:
        row = rows_of(part, [world.version]).first()
        if row is None:
            continue
        text = next(
            (one.name for one in part.compared if one.name.startswith(("title_", "text_", "part_", "name_"))), None
        )
        values = {text: "Tjetër"} if text else {}
        number = {
            "indicatortarget": {"value": 7},
            "budgetline": {"planned_cents": 7},
            "measuredependency": {"note": "x"},
        }
        values = values or number.get(part.name, {})
        if values:
            with pytest.raises(IntegrityError, match="amended by a new version"), transaction.atomic():
                part.model._default_manager.filter(pk=row.pk).update(**values)
        with pytest.raises(IntegrityError), transaction.atomic():
            part.model._default_manager.filter(pk=row.pk)._raw_delete("default")
    with pytest.raises(IntegrityError), transaction.atomic():
        Goal.objects.create(version=world.version, code="G9", title_sq="x", position=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        BudgetLine.objects.create(measure=world.measure("M1.2.3"), source="own", year=2024, planned_cents=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        draft.measures.filter(code="M1.2.3").update(version=world.version, code="NEW")


def test_the_state_of_an_adopted_measure_follows_what_is_reported(world):
    Measure.objects.filter(pk=world.measure("M1.2.3").pk).update(state="under_way")
    assert world.measure("M1.2.3").state == "under_way"


def test_a_superseded_version_stays_frozen_and_a_draft_is_free(world, draft):
    draft.measures.filter(code="M1.2.3").update(title_sq="Ndryshe")
    adopt(world, draft)
    for version in (world.version, draft):
        with pytest.raises(IntegrityError), transaction.atomic():
            version.measures.filter(code="M1.2.3").update(title_sq="Edhe më ndryshe")


def adopt(world, version: PlanVersion, on: date | None = None) -> None:
    plan_actions.adopt_version(
        version, by=world.director, adopted_on=on or timezone.localdate(), adopted_by=institution("NATC"),
        decision_reference="02/2026",
    )  # fmt: skip


# Adoption


def test_what_was_accepted_meanwhile_goes_on_with_the_measure(world, draft):
    accepted(world.request("M1.2.3"), world.focal_point, world.director, measure_state="completed")
    assert draft.measures.get(code="M1.2.3").state == "planned"
    adopt(world, draft)
    now = Measure.objects.current().get(code="M1.2.3", version__plan=world.plan)
    assert now.version == draft and now.state == "completed"
    assert now.signals.order_by("-starts_on").first().signal == "completed"


def test_what_is_accepted_afterwards_reaches_the_measure_in_force(world, draft):
    adopt(world, draft)
    accepted(world.request("M1.2.3"), world.focal_point, world.director, measure_state="completed")
    assert draft.measures.get(code="M1.2.3").state == "completed"


def test_a_draft_in_consultation_is_neither_changed_nor_adopted(world, draft):
    consultation = in_consultation(draft)
    measure = draft.measures.get(code="M1.2.3")
    for act in (
        lambda: drafts.save_goal(draft, None, by=world.planning, code="G9", title_sq="x"),
        lambda: drafts.remove(measure, by=world.planning),
        lambda: drafts.shift(measure, by=world.planning, is_up=False),
        lambda: drafts.split_measure(measure, by=world.planning, code="M1.2.9", title_sq="x"),
        lambda: drafts.merge_measures(measure, draft.measures.get(code="M1.2.2"), by=world.planning),
        lambda: drafts.discard_draft(draft, by=world.planning),
        lambda: adopt(world, draft),
    ):
        with pytest.raises(Refused, match=r"in consultation|consultation on the draft is open"):
            act()
    comment = Comment.objects.create(
        consultation=consultation, institution=institution("MOH"), author=world.other_focal_point, text="Po.",
        measure=measure,
    )  # fmt: skip
    Consultation.objects.update(state=ConsultationState.CLOSED, closed_at=timezone.now())
    assert plan_actions.obstacles(draft) == [
        "The answers of the consultation are not published: 1 comment waits for its answer."
    ]
    with pytest.raises(Refused, match="waits for its answer"):
        adopt(world, draft)
    Comment.objects.filter(pk=comment.pk).update(
        answer="accepted", reason="Po", answered_by=world.director, answered_at=timezone.now()
    )
    with pytest.raises(Refused, match="not published"):
        adopt(world, draft)
    Consultation.objects.update(state=ConsultationState.PUBLISHED, published_at=timezone.now())
    adopt(world, draft)


def test_an_empty_draft_is_not_adopted(world):
    with pytest.raises(Refused, match="no measure"):
        adopt(world, local_plan(world).versions.get())


# Goals, objectives, measures


def test_a_plan_is_drafted_from_nothing(world):
    plan, version, objective = local_draft(world)
    first = drafts.save_measure(objective, None, by=world.local, **measure_fields(world))
    second = drafts.save_measure(objective, None, by=world.local, **measure_fields(world, code="L2"))
    assert [one.code for one in version.measures.order_by("position")] == ["L1", "L2"]
    assert first.partnerships.get().part_sq == "drejton"
    drafts.shift(second, by=world.local, is_up=True)
    drafts.shift(second, by=world.local, is_up=True)
    assert [one.code for one in version.measures.order_by("position")] == ["L2", "L1"]
    goal = drafts.save_goal(version, None, by=world.local, code="G2", title_sq="Tjetër")
    other = drafts.save_objective(goal, None, by=world.local, code="O2", title_sq="Tjetër")
    moved = drafts.save_measure(
        other, second, by=world.local, **measure_fields(world, code="L9", revision=second.revision)
    )
    assert (moved.objective, moved.lineage, moved.position) == (other, second.lineage, 2)
    drafts.shift(goal, by=world.local, is_up=True)
    assert [one.code for one in version.measures.order_by("position")] == ["L9", "L1"]
    drafts.save_objective(objective.goal, other, by=world.local, code="O2", title_sq="T", revision=other.revision)
    assert Measure.objects.get(pk=moved.pk).objective.goal == objective.goal
    drafts.remove(goal, by=world.local)
    drafts.remove(objective.goal, by=world.local)
    assert not Measure.objects.filter(version__plan=plan).exists()


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"starts_on": date(2025, 6, 1), "ends_on": date(2025, 5, 1)}, "ends_on", "must not lie before"),
        ({"starts_on": date(1999, 1, 1)}, "starts_on", "The plan runs from"),
        ({"ends_on": date(2099, 1, 1)}, "ends_on", "The plan runs from"),
        ({"code": "TWICE"}, "code", "stands in this version already"),
        ({"code": "=1+1"}, "code", "made of letters"),
        ({"title_sq": " "}, "title_sq", "Give a title"),
        ({"lead": "MLSW"}, "lead", "its successor is"),
        ({"partners": ["CSW", "MUN-PRN"]}, "partner_1", "cannot be a partner too"),
        ({"partners": ["CSW", "CSW"]}, "partner_1", "twice"),
        ({"partners": ["MLSW"]}, "partner_0", "was dissolved on"),
    ],
)
def test_bad_measures_are_refused_at_their_field(world, changes, field, sentence):
    _plan, version, objective = local_draft(world)
    drafts.save_measure(objective, None, by=world.local, **measure_fields(world, code="TWICE"))
    if "lead" in changes:
        changes = changes | {"lead": institution(changes["lead"])}
    if "partners" in changes:
        changes = changes | {"partners": [Partner(institution(code)) for code in changes["partners"]]}
    with pytest.raises(Faulty) as refused:
        drafts.save_measure(objective, None, by=world.local, **measure_fields(world, **changes))
    assert sentence in refused.value.problems[field]
    assert version.measures.count() == 1


def test_two_people_at_one_measure(world, draft):
    measure = draft.measures.get(code="M1.2.3")
    fields = measure_fields(world, code="M1.2.3", lead=measure.lead, partners=[])
    drafts.save_measure(measure.objective, measure, by=world.planning, revision=measure.revision, **fields)
    with pytest.raises(Stale) as stale:
        drafts.save_measure(
            measure.objective, measure, by=world.director, revision=measure.revision, **fields | {"title_sq": "Tjetër"}
        )
    assert stale.value.current.title_sq == "Grupi lokal"


def test_a_goal_with_comments_goes_and_the_comments_stay(world, draft):
    consultation = in_consultation(draft, state="closed")
    measure = draft.measures.get(code="M1.2.3")
    about = {"consultation": consultation, "institution": institution("MOH"), "author": world.other_focal_point}
    comment = Comment.objects.create(text="Hiqeni.", measure=measure, **about)
    drafts.remove(measure, by=world.planning)
    comment.refresh_from_db()
    assert comment.measure is None and comment.objective.code == "O1.2" and comment.wording.startswith("M1.2.3")
    drafts.remove(comment.objective, by=world.planning)
    comment.refresh_from_db()
    assert comment.goal.code == "G1" and comment.wording.startswith("M1.2.3")
    drafts.remove(measure, by=world.planning)  # once more changes nothing


# Split and merge


def test_a_measure_is_split(world, draft):
    first = draft.measures.get(code="M1.1.1")
    moved = first.milestones.get()
    second = drafts.split_measure(
        first, by=world.planning, code="M1.1.1b", title_sq="Pjesa e dytë", milestones=[moved],
        indicators=list(first.indicators.all()),
    )  # fmt: skip
    origin = second.origins.get()
    assert (origin.kind, origin.origin) == (MeasureOrigin.Kind.SPLIT, world.measure("M1.1.1"))
    assert second.lineage != first.lineage
    assert second.milestones.get().lineage == moved.lineage and not first.milestones.exists()
    assert second.indicators.count() == 1 and not first.indicators.exists()
    assert list(second.partnerships.values_list("institution", flat=True)) == list(
        first.partnerships.values_list("institution", flat=True)
    )
    assert second.norms.exists() and first.norms.exists()
    assert [one.code for one in draft.measures.order_by("position")[:3]] == ["M1.1.1", "M1.1.1b", "M1.1.2"]
    with pytest.raises(Faulty):
        drafts.split_measure(first, by=world.planning, code="M1.1.1b", title_sq="x")
    drafts.merge_measures(first, second, by=world.planning)
    assert not first.origins.exists() and first.indicators.count() == 1


def test_two_measures_are_merged(world, draft):
    kept, gone = draft.measures.get(code="M1.1.2"), draft.measures.get(code="M1.1.1")
    money = sum(BudgetLine.objects.filter(measure__in=[kept, gone]).values_list("planned_cents", flat=True))
    lines = set(BudgetLine.objects.filter(measure__in=[kept, gone]).values_list("lineage", flat=True))
    lead = gone.lead
    drafts.merge_measures(kept, gone, by=world.planning)
    kept.refresh_from_db()
    assert not Measure.objects.filter(pk=gone.pk).exists()
    assert kept.origins.get().origin == world.measure("M1.1.1")
    assert sum(kept.budget_lines.values_list("planned_cents", flat=True)) == money
    assert set(kept.budget_lines.values_list("lineage", flat=True)) == lines
    assert lead == kept.lead or kept.partnerships.filter(institution=lead).exists()
    assert kept.milestones.exists() and kept.norms.exists() and kept.tags.exists() and kept.risks.exists()
    assert not kept.dependencies.exists()
    assert sorted(kept.indicators.values_list("position", flat=True)) == [1, 2]
    with pytest.raises(Refused):
        drafts.merge_measures(kept, kept, by=world.planning)


# Whose plans are seen


def test_a_local_plan_is_its_coordinators_and_its_draft_nobody_elses(world):
    plan, version, objective = local_draft(world)
    measure = drafts.save_measure(
        objective, None, by=world.local, **measure_fields(world, lead=institution("CSW"), partners=[])
    )
    seeing = {"local": True, "director": True, "natc": True, "planning": True, "observer": False, "focal_point": False,
              "other_focal_point": False, "administrator": False}  # fmt: skip
    for name, is_seen in seeing.items():
        reader = getattr(world, name)
        for model, record in ((Plan, plan), (PlanVersion, version), (Measure, measure)):
            assert model.objects.visible_to(reader).filter(pk=record.pk).exists() == is_seen, (name, model)
    adopt(world, version)
    assert Measure.objects.visible_to(world.observer).filter(pk=measure.pk).exists()
    assert not Plan.objects.visible_to(world.focal_point).filter(pk=plan.pk).exists()


def test_a_local_coordinator_stays_in_the_own_area(world):
    with pytest.raises(PermissionDenied):
        local_plan(world, municipality_id="PRZ")
    with pytest.raises(PermissionDenied):
        drafts.create_plan(
            by=world.local, strategy=world.plan.strategy, code="X", kind="national", title_sq="x", owner=None,
            district=None, municipality=None, languages=["sq"], starts_on=world.plan.starts_on, ends_on=world.plan.ends_on,
        )  # fmt: skip
    with pytest.raises(Faulty, match="with this code"):
        local_plan(world, code=world.plan.code)
    with pytest.raises(Faulty, match="before the start"):
        local_plan(world, ends_on=world.plan.starts_on - timedelta(days=1))


def test_whoever_is_consulted_sees_the_draft_whole_and_no_longer_once_it_is_adopted(world, draft):
    reader = world.other_focal_point
    own = Measure.objects.visible_to(reader).count()
    consultation = in_consultation(draft)
    assert Measure.objects.visible_to(reader).filter(version=draft).count() == 57
    assert PlanVersion.objects.visible_to(reader).filter(pk=draft.pk).exists()
    assert not Measure.objects.visible_to(world.focal_point).filter(version=draft).exists()
    Consultation.objects.filter(pk=consultation.pk).update(
        state="published", closed_at=timezone.now(), published_at=timezone.now()
    )
    assert PlanVersion.objects.visible_to(reader).filter(pk=draft.pk).exists()
    adopt(world, draft)
    assert Measure.objects.visible_to(reader).filter(version=draft).count() == own


# Local measures point up


def test_a_local_measure_points_up_by_lineage(world):
    _plan, version, objective = local_draft(world)
    national = world.measure("M1.2.3")
    local = drafts.save_measure(objective, None, by=world.local, **measure_fields(world), serves=[national])
    adopt(world, version)
    amended = drafts.start_draft(world.plan, by=world.planning)
    amended.measures.filter(code="M1.2.3").update(code="M1.2.7")
    adopt(world, amended)
    up, _down = serving_of(local, world.director)
    assert [one.code for one in up] == ["M1.2.7"]
    _up, down = serving_of(Measure.objects.current().get(code="M1.2.7"), world.director)
    assert [one.code for one in down] == ["L1"] and down[0].signal
    assert serving_of(local, world.local)[0][0].url == ""
    again = drafts.start_draft(_plan, by=world.local)
    assert ServedMeasure.objects.filter(measure__version=again).count() == 1
    with pytest.raises(Faulty, match="in force"):
        mine = again.measures.get()
        drafts.save_measure(
            mine.objective,
            mine,
            by=world.local,
            **measure_fields(world),
            serves=[national, mine],
            revision=mine.revision,
        )


def test_a_strategy_is_made_and_changed_by_the_office(world):
    fields = {"code": "NS-X", "kind": "child", "title_sq": "Strategjia", "title_sr": "", "title_en": "",
              "starts_on": date(2024, 1, 1), "ends_on": date(2028, 12, 31)}  # fmt: skip
    made = drafts.save_strategy(None, by=world.planning, **fields)
    with pytest.raises(Faulty):
        drafts.save_strategy(None, by=world.planning, **fields)
    with pytest.raises(Faulty):
        drafts.save_strategy(made, by=world.planning, revision=0, **fields | {"ends_on": date(2020, 1, 1)})
    drafts.save_strategy(made, by=world.planning, revision=0, **fields | {"title_sr": "Strategija"})
    with pytest.raises(Stale):
        drafts.save_strategy(made, by=world.director, revision=0, **fields)
    with pytest.raises(PermissionDenied):
        drafts.save_strategy(None, by=world.local, **fields | {"code": "NS-Y"})
    assert Strategy.objects.get(pk=made.pk).title_sr == "Strategija"


def test_a_plan_keeps_its_kind_and_holds_its_measures(world):
    fields = {
        name: getattr(world.plan, name)
        for name in "strategy kind owner district municipality languages starts_on ends_on title_sq title_sr title_en".split()
    }
    with pytest.raises(Faulty, match="stay as they are"):
        drafts.edit_plan(world.plan, by=world.planning, revision=0, **fields | {"kind": "child"})
    with pytest.raises(Faulty, match=r"outside the plan: .*M1\.1\.1"):
        drafts.edit_plan(
            world.plan,
            by=world.planning,
            revision=0,
            **fields | {"starts_on": world.plan.starts_on + timedelta(days=400)},
        )
    drafts.edit_plan(world.plan, by=world.planning, revision=0, **fields | {"title_en": "The plan"})
    with pytest.raises(Stale):
        drafts.edit_plan(world.plan, by=world.director, revision=0, **fields)
    assert MeasurePartner.objects.exists() and IndicatorTarget.objects.exists()


def test_the_search_finds_drafts_for_whoever_sees_them(world, draft):
    _plan, version, objective = local_draft(world)
    drafts.save_measure(objective, None, by=world.local, **measure_fields(world))
    in_consultation(draft)
    search.rebuild()
    tokens_say_what_the_gate_says(world)
    adopt(world, version)
    drafts.start_draft(version.plan, by=world.local)
    search.rebuild()
    tokens_say_what_the_gate_says(world)
