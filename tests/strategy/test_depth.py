"""What belongs to a measure: written on a draft, recorded on the version in force, shown on one page."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from onatc.errors import Refused
from onatc.models import Code
from stakeholders.models import Institution
from strategy import rights
from strategy.actions import measure as actions
from strategy.actions import parts
from strategy.actions.plan import adopt_version, apply_import, preview_import
from strategy.actions.signals import refresh_version
from strategy.models import (
    BudgetExecution,
    BudgetLine,
    BudgetSource,
    Consultation,
    Measure,
    MeasureDependency,
    MeasureDocument,
    MeasureNorm,
    MeasurePartner,
    MeasureRisk,
    MeasureSignal,
    MeasureTag,
    Milestone,
    MilestoneReached,
    Norm,
    RightsCheck,
    RightsOutcome,
    Signal,
)
from tests.conftest import plan_that_runs
from tests.samples import document
from tests.strategy.steps import accepted

pytestmark = pytest.mark.usefixtures("thawed")  # plans in force are written for the tests

TODAY = timezone.localdate()


@pytest.fixture
def draft(world):
    """A new draft of the plan in force; M1.2.3 of it is led by the focal point's institution."""
    renewed = io.BytesIO(plan_that_runs().getvalue().replace(b"M4.4.2", b"M4.4.9"))
    previewed = preview_import(renewed, "renewed.csv", plan=world.plan, by=None)
    return apply_import(previewed, by=None)


@pytest.fixture
def measure(draft) -> Measure:
    return Measure.objects.get(version=draft, code="M1.2.3")


def milestone(measure: Measure, **changes) -> dict:
    day = measure.starts_on + (measure.ends_on - measure.starts_on) / 2
    return {"title_sq": "Plani i miratuar", "title_sr": "", "title_en": "Plan approved", "due_on": day} | changes


def line(**changes) -> dict:
    fields = {"year": TODAY.year, "source": BudgetSource.STATE, "reference": "21000", "funder": None}
    return fields | {"planned_cents": 123_450} | changes


def refusal(act, *args, **kwargs) -> str:
    with pytest.raises(Refused) as caught:
        act(*args, **kwargs)
    return str(caught.value)


# Writing the draft


def test_each_kind_of_row_is_added_changed_and_taken_out(world, measure):
    other = Measure.objects.get(version=measure.version, code="M2.2.1")
    kinds = {
        Milestone: milestone(measure),
        MeasureDependency: {"needs": other, "note": ""},
        BudgetLine: line(),
        MeasureNorm: {"norm": Norm.objects.get(act="CETS 197", reference="12")},
        MeasureTag: {"tag": Code.objects.of("measure_tag")[0]},
        MeasureRisk: {"text_sq": "Nuk ka staf", "kind": "risk", "level": "high"},
        MeasurePartner: {"institution": Institution.objects.get(code="ISF"), "part_sq": "Strehon"},
    }
    for model, values in kinds.items():
        row = parts.add_part(model, measure, values, by=world.planning)
        assert parts.add_part(model, measure, values, by=world.planning).pk == row.pk, "sent twice, there is one"
        parts.remove_part(row, by=world.planning)
        parts.remove_part(row, by=world.planning)  # pressed twice
        assert not model.objects.filter(measure=measure, pk=row.pk).exists()


def test_only_the_planners_write_a_draft_and_nobody_a_plan_in_force(world, measure):
    for name in ("monitoring", "focal_point", "observer", "natc", "child"):
        with pytest.raises(PermissionDenied):
            parts.add_part(BudgetLine, measure, line(), by=getattr(world, name))
    in_force = world.measure("M1.2.3")
    assert "amended by a new version" in refusal(parts.add_part, BudgetLine, in_force, line(), by=world.planning)
    existing = in_force.budget_lines.first()
    assert "amended" in refusal(parts.remove_part, existing, by=world.planning)


def test_a_draft_in_consultation_does_not_change(world, measure, client_for):
    row = parts.add_part(Milestone, measure, milestone(measure), by=world.planning)
    Consultation.objects.create(
        version=measure.version, opens_on=TODAY, closes_on=TODAY + timedelta(14), opened_at=timezone.now()
    )
    for act in (
        lambda: parts.add_part(BudgetLine, measure, line(), by=world.planning),
        lambda: parts.change_part(row, milestone(measure), by=world.planning, seal=parts.seal_of(row)),
        lambda: parts.remove_part(row, by=world.planning),
    ):
        assert "in consultation" in refusal(act)
    page = client_for("planning").get(reverse("strategy:measure-parts", args=[measure.pk, "budget"]))
    assert page.status_code == 403 and "in consultation" in page.content.decode()
    Consultation.objects.update(state="closed", closed_at=timezone.now())
    parts.remove_part(row, by=world.planning)


def test_a_milestone_lies_inside_plan_and_measure(world, measure):
    def add(day: date) -> None:
        parts.add_part(Milestone, measure, milestone(measure, due_on=day), by=world.planning)

    plan = world.plan
    assert "outside the time of the plan" in refusal(add, plan.ends_on + timedelta(1))
    assert "outside the time of the plan" in refusal(add, plan.starts_on - timedelta(1))
    Measure.objects.filter(pk=measure.pk).update(starts_on=plan.starts_on + timedelta(30))
    measure.refresh_from_db()
    assert "between its start and its deadline" in refusal(add, measure.starts_on - timedelta(1))
    add(measure.starts_on)
    add(measure.ends_on)
    empty = milestone(measure, title_sq="", title_en="")
    assert "one language" in refusal(parts.add_part, Milestone, measure, empty, by=world.planning)


def test_no_measure_needs_itself_first_nor_goes_round_in_a_circle(world, measure):
    def need(one: Measure, other: Measure) -> None:
        parts.add_part(MeasureDependency, one, {"needs": other, "note": ""}, by=world.planning)

    second = Measure.objects.get(version=measure.version, code="M2.2.1")
    third = Measure.objects.get(version=measure.version, code="M2.2.2")
    assert "itself" in refusal(need, measure, measure)
    assert "same version" in refusal(need, measure, world.measure("M2.2.1"))
    need(measure, second)
    need(second, third)
    assert "M2.2.2 → M1.2.3 → M2.2.1 → M2.2.2" in refusal(need, third, measure)
    row = measure.dependencies.get()
    parts.change_part(row, {"needs": third, "note": "x"}, by=world.planning, seal=parts.seal_of(row))
    need(second, measure)
    assert "M2.2.2" in refusal(need, third, second)


def test_what_a_budget_line_may_not_say(world, measure):
    def add(**changes) -> None:
        parts.add_part(BudgetLine, measure, line(**changes), by=world.planning)

    assert "outside the plan" in refusal(add, year=world.plan.ends_on.year + 1)
    assert "too large" in refusal(add, planned_cents=10**13)
    osce = Institution.objects.get(code="OSCE")
    assert "only where money comes from a donor" in refusal(add, funder=osce)
    dissolved = Institution.objects.get(code="MLSW")
    assert "does not exist any more" in refusal(add, source=BudgetSource.DONOR, funder=dissolved)
    add(source=BudgetSource.DONOR, funder=osce)
    assert "already" in refusal(add, source=BudgetSource.DONOR, funder=osce, planned_cents=5)


def test_a_partner_is_another_institution_that_exists_and_once(world, measure):
    def add(code: str) -> None:
        institution = Institution.objects.get(code=code)
        values = {"institution": institution, "part_sq": f"pjesa {code}"}
        parts.add_part(MeasurePartner, measure, values, by=world.planning)

    assert "cannot be a partner" in refusal(add, measure.lead.code)
    assert "does not exist any more" in refusal(add, "MLSW")
    held = measure.partnerships.first()
    assert "already" in refusal(add, held.institution.code)


def test_a_stale_form_is_told_what_the_row_says_now_and_loses_nothing(world, measure, client_for):
    row = parts.add_part(BudgetLine, measure, line(), by=world.planning)
    client = client_for("director")
    address = reverse("strategy:measure-part-edit", args=[measure.pk, "budget", row.pk])
    seal = client.get(address).context["form"].initial["seal"]
    parts.change_part(row, line(planned_cents=200_000), by=world.planning, seal=seal)
    typed = {"year": TODAY.year, "source": "state", "reference": "99999", "funder": "", "planned_cents": "777.70"}
    page = client.post(address, typed | {"seal": seal})
    text = page.content.decode()
    assert "A colleague changed this" in text and "2,000.00 €" in text and "777.70" in text
    row.refresh_from_db()
    assert row.planned_cents == 200_000
    again = page.context["form"].data["seal"]
    assert client.post(address, typed | {"seal": again}).status_code == 302
    row.refresh_from_db()
    assert (row.planned_cents, row.reference) == (77_770, "99999")


@pytest.mark.parametrize(
    ("language", "typed", "kept", "said"),
    [
        ("sq", "1.234,50", 123_450, ""),
        ("en", "1,234.50", 123_450, ""),
        ("en", "1234,5", 123_450, ""),
        ("sr-latn", "0,07", 7, ""),
        ("en", "about 5000", None, "Write an amount of euro in figures, for example 1,234.50."),
        ("en", "-5", None, "cannot be less than nothing"),
        ("en", "0.005", None, "two decimals at most"),
        ("en", "99999999999", None, "too large"),
        ("en", "", None, "This field is required"),
        ("en", "0", 0, ""),
    ],
)
def test_money_is_typed_as_the_language_writes_it(world, measure, client_for, language, typed, kept, said):
    measure.budget_lines.all().delete()
    world.people["planning"].language = language
    world.people["planning"].save()
    address = reverse("strategy:measure-parts", args=[measure.pk, "budget"])
    page = client_for("planning").post(
        address, {"year": TODAY.year, "source": "state", "reference": "", "funder": "", "planned_cents": typed}
    )
    if kept is None:
        assert said in page.content.decode() and (not typed or f'value="{typed}"' in page.content.decode())
        assert not measure.budget_lines.exists()
    else:
        assert page.status_code == 302 and measure.budget_lines.get().planned_cents == kept


def test_every_page_of_parts_opens_and_odd_addresses_are_not_there(world, measure, client_for):
    client = client_for("planning")
    parts.add_part(Milestone, measure, milestone(measure), by=world.planning)
    parts.add_part(MeasureRisk, measure, {"text_sq": "R", "kind": "risk", "level": "low"}, by=world.planning)
    for kind in ("milestones", "dependencies", "budget", "norms", "tags", "risks", "partners"):
        page = client.get(reverse("strategy:measure-parts", args=[measure.pk, kind]))
        assert page.status_code == 200, kind
        for row in page.context["rows"]:
            edited = client.get(reverse("strategy:measure-part-edit", args=[measure.pk, kind, row.pk]))
            assert edited.status_code == (200 if page.context["kind"].is_changed else 404)
        assert client.post(reverse("strategy:measure-parts", args=[measure.pk, kind]), {}).status_code == 200
        for odd in ("x", "999999999999999999999", "0"):
            assert client.get(reverse("strategy:measure-part-edit", args=[measure.pk, kind, odd])).status_code == 404
    assert client.get(reverse("strategy:measure-parts", args=[measure.pk, "secrets"])).status_code == 404
    other = Measure.objects.get(version=measure.version, code="M2.2.1")
    row = measure.milestones.get()
    foreign = reverse("strategy:measure-part-edit", args=[other.pk, "milestones", row.pk])
    assert client.get(foreign).status_code == 404, "a row of another measure"


# What happens while it is in force


@pytest.fixture
def in_force(world, measure):
    """The draft with two milestones and a line, adopted."""
    early = min(max(measure.starts_on, TODAY - timedelta(30)), measure.ends_on)
    for day, title in ((early, "E para"), (measure.ends_on, "E fundit")):
        parts.add_part(Milestone, measure, milestone(measure, due_on=day, title_sq=title), by=world.planning)
    measure.budget_lines.all().delete()
    parts.add_part(BudgetLine, measure, line(planned_cents=100_000_00), by=world.planning)
    adopt_version(
        measure.version, by=None, adopted_on=TODAY, adopted_by=Institution.objects.get(code="NATC"),
        decision_reference="02/2026",
    )  # fmt: skip
    return Measure.objects.select_related("version__plan", "lead").get(pk=measure.pk)


def signal_of(measure: Measure) -> MeasureSignal:
    return measure.signals.latest("ends_on")


def test_a_milestone_is_reached_once_by_lead_or_office_and_the_signal_follows(world, in_force):
    first = in_force.milestones.get(title_sq="E para")
    assert signal_of(in_force).signal in (Signal.AT_RISK, Signal.NO_NEWS)
    for name in ("other_focal_point", "observer", "natc", "child"):
        with pytest.raises(PermissionDenied):
            actions.reach_milestone(first, by=getattr(world, name), reached_on=TODAY)
    said = refusal(actions.reach_milestone, first, by=world.focal_point, reached_on=TODAY + timedelta(1))
    assert "future" in said
    before = world.plan.starts_on - timedelta(1)
    assert "before the plan" in refusal(actions.reach_milestone, first, by=world.focal_point, reached_on=before)
    actions.reach_milestone(first, by=world.focal_point, reached_on=TODAY, note="Vendimi 12")
    actions.reach_milestone(first, by=world.focal_point, reached_on=TODAY)
    assert MilestoneReached.objects.count() == 1
    assert signal_of(in_force).reason != "milestone_overdue"
    assert "already" in refusal(actions.reach_milestone, first, by=world.director, reached_on=TODAY - timedelta(1))
    assert "Say why" in refusal(actions.take_milestone_back, first, by=world.director, reason=" ")
    actions.take_milestone_back(first, by=world.director, reason="Nuk u nënshkrua.")
    actions.take_milestone_back(first, by=world.director, reason="Nuk u nënshkrua.")
    assert not MilestoneReached.objects.exists()
    kept = MilestoneReached.pgh_event_model.objects.filter(pgh_label="delete").get()
    assert kept.note == "Nuk u nënshkrua."


def test_an_overdue_milestone_is_the_reason_of_the_signal(world, in_force):
    accepted(world.request("M1.2.3"), world.focal_point, world.monitoring)
    refresh_version(in_force.version)
    first = in_force.milestones.get(title_sq="E para")
    found = signal_of(in_force)
    assert first.due_on < TODAY and in_force.ends_on > TODAY
    assert found.reason == "milestone_overdue" and found.reason_values["days"] == (TODAY - first.due_on).days


def test_signals_cost_the_same_however_many_milestones_there_are(world, draft):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            refresh_version(draft)
        return len(captured)

    few = cost()
    Milestone.objects.bulk_create(
        Milestone(measure=one, title_sq="X", due_on=one.ends_on) for one in draft.measures.all() for _again in range(3)
    )
    assert cost() <= few + 1  # no milestone at all asks for none reached


def test_money_is_stated_as_of_a_day_and_corrected_by_a_later_statement(world, in_force, client_for):
    row = in_force.budget_lines.get()

    def state(by=None, **changes):
        said = {"as_of": TODAY, "committed_cents": 500_00, "spent_cents": 100_00} | changes
        return actions.state_execution(row, by=by or world.focal_point, **said)

    assert "More is spent" in refusal(state, spent_cents=500_01)
    assert "future" in refusal(state, as_of=TODAY + timedelta(1))
    assert "before the plan" in refusal(state, as_of=date(1990, 1, 1))
    assert "too large" in refusal(state, committed_cents=10**16)
    for name in ("other_focal_point", "observer", "information"):
        with pytest.raises(PermissionDenied):
            state(by=getattr(world, name))
    first = state()
    assert state().pk == first.pk
    state(committed_cents=600_00)
    assert BudgetExecution.objects.count() == 2, "the earlier one stays"
    page = client_for("focal_point").get(in_force.get_absolute_url()).content.decode()
    assert "600.00 €" in page and "500.00 €" not in page
    address = reverse("strategy:execution-create", args=[in_force.pk, row.pk])
    page = client_for("focal_point").post(
        address, {"as_of": TODAY.isoformat(), "committed_cents": "1,00", "spent_cents": "2,00", "note": ""}
    )
    assert "More is spent than was committed." in page.content.decode()
    assert "500.00 €" in page.content.decode(), "all statements stand on its page"
    assert client_for("other_focal_point").get(address).status_code in (403, 404)


def test_documents_are_added_by_lead_and_office_and_read_by_whoever_sees_the_measure(world, in_force, client_for):
    client = client_for("focal_point")
    address = reverse("strategy:document-create", args=[in_force.pk])
    file = io.BytesIO(document())
    file.name = "plani.pdf"
    assert client.post(address, {"title": "Plani operativ", "file": file}).status_code == 302
    kept = MeasureDocument.objects.get()
    assert "Plani operativ" in client.get(in_force.get_absolute_url()).content.decode()
    download = reverse("strategy:document-download", args=[kept.pk])
    assert client_for("observer").get(download).status_code == 200
    stranger_to_it = client_for("other_focal_point")
    assert stranger_to_it.get(download).status_code in (200, 404)
    assert stranger_to_it.get(address).status_code in (403, 404)
    remove = reverse("strategy:document-remove", args=[kept.pk])
    assert client_for("observer").post(remove).status_code == 403
    assert client.post(remove).status_code == 302 and not MeasureDocument.objects.exists()
    bad = io.BytesIO(b"MZ\x90\x00")
    bad.name = "x.exe"
    assert client.post(address, {"title": "x", "file": bad}).status_code == 200


ALL_YES = {question.key: rights.YES for question in rights.QUESTIONS}


def test_the_human_rights_check_keeps_every_check(world, in_force, client_for):
    def check(by=None, answers=ALL_YES, outcome=RightsOutcome.IN_LINE, remarks="", on=TODAY):
        return actions.assess_rights(
            in_force, by=by or world.monitoring, outcome=outcome, answers=answers, remarks=remarks, language="sq",
            assessed_on=on,
        )  # fmt: skip

    for name in ("focal_point", "observer", "natc", "information", "child"):
        with pytest.raises(PermissionDenied):
            check(by=getattr(world, name))
    assert "Answer every question" in refusal(check, answers={})
    some_no = ALL_YES | {"privacy": "no"}
    assert "With an answer “no”" in refusal(check, answers=some_no)
    assert "Say in the remarks" in refusal(check, answers=some_no, outcome=RightsOutcome.CONDITIONS)
    assert "future" in refusal(check, on=TODAY + timedelta(1))
    old = TODAY - timedelta(rights.VALID_DAYS + 1)
    check(answers=some_no, outcome=RightsOutcome.CONDITIONS, remarks="Me marrëveshje.", on=old)
    listed = client_for("monitoring").get(reverse("strategy:rights-list"), {"check": "old"})
    assert [row.code for row in listed.context["page"]] == ["M1.2.3"]
    check()
    check()
    assert RightsCheck.objects.count() == 2
    page = client_for("observer").get(in_force.get_absolute_url()).content.decode()
    assert "in line with human rights" in page and "Me marrëveshje." in page
    for kind in ("none", "old", "in_line", "conditions", "not_in_line", "due", "nonsense"):
        listed = client_for("monitoring").get(reverse("strategy:rights-list"), {"check": kind})
        counts = {code: number for code, _label, number in listed.context["counts"]}
        assert listed.status_code == 200 and listed.context["page"].paginator.count == counts.get(kind, 57)
    assert sum(n for code, n in counts.items() if code != "due") == 57


def test_the_form_of_a_check_shows_again_what_was_chosen(world, in_force, client_for):
    client = client_for("director")
    address = reverse("strategy:rights-create", args=[in_force.pk])
    typed = {f"answer_{key}": "yes" for key in ALL_YES} | {
        "answer_privacy": "no", "outcome": "in_line", "remarks": "Vërejtje.", "language": "sq", "assessed_on": str(TODAY),
    }  # fmt: skip
    page = client.post(address, typed).content.decode()
    assert "With an answer “no”" in page and "Vërejtje." in page
    assert client.post(address, typed | {"outcome": "conditions"}).status_code == 302
    assert client.post(address, {}).status_code == 200


def test_norms_say_which_measures_serve_them_and_which_nobody_serves(world, measure, client_for):
    norm = Norm.objects.get(act="CETS 197", reference="12")
    parts.add_part(MeasureNorm, measure, {"norm": norm}, by=world.planning)
    client = client_for("observer")
    listed = client.get(reverse("strategy:norm-list"), {"unserved": "1"})
    everything = listed.context["unserved_count"]
    adopt_version(
        measure.version, by=None, adopted_on=TODAY, adopted_by=Institution.objects.get(code="NATC"),
        decision_reference="02/2026",
    )  # fmt: skip
    listed = client.get(reverse("strategy:norm-list"), {"unserved": "1", "kind": "nonsense"})
    assert listed.context["unserved_count"] == everything - 1 and norm not in list(listed.context["page"])
    assert "M1.2.3" in client.get(norm.get_absolute_url()).content.decode()
    assert Norm.objects.count() >= 40 and not Norm.objects.filter(title_sr="").exists()


def test_the_measure_list_is_filtered_by_tag(world, measure, client_for):
    tag = Code.objects.get(code_list="measure_tag", code="TAG_CHILDREN")
    MeasureTag.objects.create(measure=world.measure("M2.2.1"), tag=tag)
    listed = client_for("director").get(reverse("strategy:measure-list"), {"tag": "TAG_CHILDREN"})
    assert [row.code for row in listed.context["page"]] == ["M2.2.1"]


def test_the_page_of_a_measure_costs_the_same_whatever_it_holds(world, in_force, client_for):
    client = client_for("director")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(in_force.get_absolute_url()).status_code == 200
        return len(captured)

    check = {"measure": in_force, "answers": ALL_YES, "outcome": "in_line", "assessed_by": world.director}
    RightsCheck.objects.create(assessed_on=TODAY, **check)
    MeasureNorm.objects.create(measure=in_force, norm=Norm.objects.all()[0])
    MeasureRisk.objects.create(measure=in_force, text_sq="R")
    other = Measure.objects.get(version=in_force.version, code="M2.2.1")
    MeasureDependency.objects.create(measure=in_force, needs=other)
    MeasureDependency.objects.create(measure=other, needs=Measure.objects.get(version=in_force.version, code="M2.2.2"))
    cost()  # what is read once a session
    few = cost()
    for number in range(5):
        Milestone.objects.create(measure=in_force, title_sq=f"M{number}", due_on=in_force.ends_on)
        row = BudgetLine.objects.create(measure=in_force, source="own", reference=str(number), planned_cents=5)
        BudgetExecution.objects.create(line=row, as_of=TODAY, committed_cents=2, spent_cents=1, by=world.director)
        MeasureNorm.objects.create(measure=in_force, norm=Norm.objects.all()[number + 1])
        MeasureRisk.objects.create(measure=in_force, text_sq=f"R{number}")
        RightsCheck.objects.create(assessed_on=TODAY - timedelta(number + 1), **check)
    assert cost() == few
