"""Pages of identification, screening, risk, reflection and children: what stands on them, who may, what is refused."""

from __future__ import annotations

import re
import uuid
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nrm import screening
from nrm.actions.children import check_age, come_of_age
from nrm.actions.identification import decide, record_step, screen
from nrm.actions.reflection import record_event
from nrm.actions.risk import Planned, assess
from nrm.models import (
    AgeCheck,
    BestInterest,
    Case,
    CaseDecision,
    CaseParty,
    Guardianship,
    Happening,
    ReflectionEvent,
    RiskAssessment,
    RiskMeasure,
    Screening,
)
from onatc.errors import Refused
from tests.nrm.cases import institution, opened
from tests.stakeholders.decided import cost_of


def ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def url(name: str, case: Case, *more: Any) -> str:
    return reverse(f"nrm:{name}", args=[case.marker, *more])


def read(client: Client, page: str) -> str:
    """The page after its purpose was stated."""
    answer = client.get(page)
    if answer.status_code == 302:
        client.post(answer["Location"], {"purpose": "Working on the case"})
        answer = client.get(page)
    assert answer.status_code == 200, answer
    return re.sub(r"\s+", " ", unescape(answer.content.decode()))


def form_of(client: Client, page: str) -> dict[str, Any]:
    """What the form holds when it opens."""
    read(client, page)
    form = client.get(page).context["form"]
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, field in form.fields.items()
        if (value := form.get_initial_for_field(field, name)) is not None and value is not False
    }


def send(client: Client, page: str, **values: Any) -> Any:
    return client.post(page, form_of(client, page) | values)


def test_a_decision_by_its_page_twice_and_then_a_review(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    page = url("case-decide", case)
    form = form_of(client, page)
    assert form["institution"] == institution("KP-THB").pk and form["stage"] == 1
    form |= {"outcome": "D2_NEG", "decided_on": ago(3).isoformat(), "reason": "Provat nuk mjaftojnë"}
    for _again in range(2):
        assert client.post(page, form)["Location"] == case.get_absolute_url()
    assert CaseDecision.objects.get(case=case).stage == 2
    shown = read(client, case.get_absolute_url())
    assert "Formally not identified" in shown and "gives the status" in shown and "person not informed yet" in shown
    answer = send(client, page, outcome="D2_POS")
    assert "only a review changes it" in answer.content.decode()
    answer = send(client, page, outcome="D_RECON_POS", review_of="", reason="Fakte të reja")
    assert "names the formal decision" in answer.content.decode()
    first = str(CaseDecision.objects.get(case=case).pk)
    answer = send(
        client, page, outcome="D_RECON_POS", review_of=first, decided_on=ago(1).isoformat(), reason="Fakte të reja"
    )
    assert answer.status_code == 302
    assert "reviews the decision of" in read(client, case.get_absolute_url())
    decision = CaseDecision.objects.get(case=case, outcome="D_RECON_POS")
    assert send(client, url("decision-inform", case, decision.pk)).status_code == 302
    case.refresh_from_db()
    assert case.status == "IDENTIFIED"


def test_a_form_that_a_colleague_overtook_is_told_and_loses_nothing(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    page = url("case-decide", case)
    form = form_of(client, page) | {"outcome": "D1_NEG", "reason": "Pa tregues"}
    decide(
        case, by=world.monitoring, key=uuid.uuid4(), stage=1, outcome="D1_POS", decided_on=ago(1),
        decision_maker="DM_TEAM", institution=institution("VPAO"),
    )  # fmt: skip
    answer = client.post(page, form).content.decode()
    assert "A colleague recorded a decision meanwhile" in answer and "Pa tregues" in answer


def test_a_name_in_the_reason_is_pointed_out(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    values = {"outcome": "D1_POS", "reason": "E referuar nga Besnik Krasniqi"}
    answer = send(client, url("case-decide", case), **values)
    assert "looks like data of a person" in answer.content.decode()
    assert not CaseDecision.objects.filter(case=case).exists()


def test_strangers_find_nothing_and_those_without_the_competence_are_told_why(world, client_for):
    case = opened(world.focal_point)
    names = ("case-decide", "case-screen", "case-risk", "case-reflection", "case-step", "case-age", "case-child-unit",
             "case-guardian", "case-best-interest", "case-adult")  # fmt: skip
    client = client_for("other_focal_point")
    assert {client.get(url(name, case)).status_code for name in names} == {404}
    assert client_for("observer").get(url("case-decide", case)).status_code == 403
    CaseParty.objects.create(case=case, institution=institution("MOH"), role="helps")
    for name, reason in (
        ("case-decide", "Only police, victim advocates and courts"),
        ("case-risk", "assess the risk together"),
        ("case-guardian", "not the procedure of a child"),
        ("case-child-unit", "not the procedure of a child"),
    ):
        for answer in (client.get(url(name, case)), client.post(url(name, case))):
            assert answer.status_code == 403 and reason in unescape(answer.content.decode())
    shown = read(client, case.get_absolute_url())
    assert "Record a step" in shown and "Record a decision" not in shown and "Assess the risk" not in shown


def test_a_screening_says_that_it_is_no_verdict_and_changes_no_status(world, client_for):
    case, client = opened(world.focal_point, profile={"forms": ["LAB"]}), client_for("focal_point")
    choose = read(client, url("case-screen", case))
    assert "never decides that somebody is a victim" in choose and "Adults, labour exploitation" in choose
    assert "Children, labour exploitation" not in choose
    page = url("screening-set", case, "adult_labour")
    ticked = {
        f"ticks_{dimension}": [one.code for one in screening.indicators("adult_labour") if one.dimension == dimension]
        for dimension in ("exploitation", "coercion_at_destination")
    }
    form = form_of(client, page)
    for _again in range(2):
        answer = client.post(page, form | ticked, follow=True)
    assert "indicate referral. This is not a verdict" in answer.content.decode()
    kept = Screening.objects.get(case=case)
    assert kept.result == "indicates_referral" and kept.set_version == screening.SET_VERSION
    shown = read(client, case.get_absolute_url())
    assert "It is not a verdict, changes no status and is counted nowhere" in shown and "indicates referral" in shown
    case.refresh_from_db()
    assert case.status == "POTENTIAL" and not CaseDecision.objects.exists()


def test_nothing_positive_is_said_only_when_enough_was_asked(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    page = url("screening-set", case, "adult_labour")
    assert send(client, page).status_code == 302
    asked = {f"asked_{dimension}": "on" for dimension in screening.Dimension}
    answer = client.post(page, form_of(client, page) | asked, follow=True).content.decode()
    assert "does not say that the person is not a victim" in answer
    results = Screening.objects.filter(case=case).order_by("recorded_at").values_list("result", flat=True)
    assert list(results) == ["insufficient_information", "no_dimension_positive_now"]


@pytest.mark.parametrize(
    "profile",
    [
        {"age_at_referral": 12},
        {"age_at_referral": None, "age_group_at_referral": "AGE_U"},
        {"age_at_referral": 19, "age_at_exploitation": 17},
    ],
)
def test_children_are_screened_as_children(world, client_for, profile):
    case = opened(world.focal_point, profile=profile)
    with pytest.raises(Refused, match="indicators for children"):
        screen(case, by=world.focal_point, key=uuid.uuid4(), on=ago(0), indicator_set="adult_labour", ticks=[])
    with pytest.raises(Refused, match="not indicators of this set"):
        screen(case, by=world.focal_point, key=uuid.uuid4(), on=ago(0), indicator_set="child_labour", ticks=["AL-DR01"])
    answer = client_for("focal_point").get(url("screening-set", case, "adult_labour"))
    assert answer.status_code == 302 and answer["Location"] == url("case-screen", case)


def test_risk_with_its_plan_by_its_pages(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    page = url("case-risk", case)
    both = [str(institution(code).pk) for code in ("KP-THB", "VPAO")]
    plan = {"what_0": "Ndërrimi i banesës", "who_0": str(institution("KP-THB").pk), "due_0": ago(-3).isoformat()}
    answer = send(client, page, level="RISK_HIGH", **plan)
    assert "The risk is assessed together" in answer.content.decode()
    answer = send(client, page, level="RISK_HIGH", assessors=both, **plan | {"due_0": ""})
    assert "Say by which day" in answer.content.decode()
    answer = send(client, page, level="RISK_HIGH", assessors=both, factors=["threats"], placement="SH_SECURE", **plan)
    assert answer.status_code == 302
    shown = read(client, case.get_absolute_url())
    for text in (
        "High risk",
        "to be assessed again by",
        "threats against the person",
        "Ndërrimi i banesës",
        "State secure facility",
    ):
        assert text in shown
    assert (
        send(client, url("case-risk-plan", case), what="Shoqërim", who=both[1], due_on=ago(-9).isoformat()).status_code
        == 302
    )
    measure = RiskMeasure.objects.get(what="Shoqërim")
    answer = send(client, url("risk-measure-done", case, measure.pk), done_on=ago(-1).isoformat())
    assert "lies in the future" in answer.content.decode()
    assert send(client, url("risk-measure-done", case, measure.pk)).status_code == 302
    assert "done on" in read(client, case.get_absolute_url())
    RiskAssessment.objects.filter(case=case).update(next_due=ago(0), assessed_on=ago(9))
    assert "to be assessed again by" in read(client, case.get_absolute_url())  # there is time until the end of the day
    RiskAssessment.objects.filter(case=case).update(next_due=ago(1))
    assert "to be assessed again since" in read(client, case.get_absolute_url())


def test_a_reflection_period_by_its_page(world, client_for):
    case, client = opened(world.focal_point, on=ago(60)), client_for("focal_point")
    page = url("case-reflection", case)
    assert "a period that starts today has 90 days" in read(client, page)
    assert send(client, page, kind="RF_START", on=ago(40).isoformat()).status_code == 302
    shown = read(client, case.get_absolute_url())
    assert "It runs; 50 days are left." in shown and "with 90 days by the rule of that day" in shown
    answer = send(client, page, kind="RF_PAUSE", on=ago(10).isoformat())
    assert "Say why" in answer.content.decode()
    assert send(client, page, kind="RF_PAUSE", on=ago(10).isoformat(), reason="Trajtim mjekësor").status_code == 302
    assert "It is paused; 60 days are left" in read(client, case.get_absolute_url())
    assert send(client, page, kind="RF_WAIVE").status_code == 302
    shown = read(client, case.get_absolute_url())
    assert "The person gave it up." in shown and "Paused for 10 days." in shown
    assert ReflectionEvent.objects.filter(case=case).count() == 3


def test_a_plain_step_is_recorded_and_struck_by_its_pages(world, client_for):
    case, client = opened(world.focal_point), client_for("focal_point")
    page = url("case-step", case)
    answer = send(client, page, kind="notified", on=ago(-1).isoformat())
    assert "lies in the future" in answer.content.decode()
    assert send(client, page, kind="notified", on=ago(9).isoformat(), at="14:30").status_code == 302
    step = Happening.objects.get(case=case, kind="notified")
    assert step.has_time
    answer = send(client, url("step-strike", case, step.pk), reason="Data e gabuar")
    assert answer.status_code == 302
    assert "struck: Data e gabuar" in read(client, case.get_absolute_url())
    other = opened(world.focal_point)
    assert client.get(url("step-strike", other, step.pk)).status_code == 404


def test_a_childs_case_by_its_pages(world, client_for):
    case = opened(world.focal_point, profile={"age_at_referral": None, "age_group_at_referral": "AGE_U"})
    police, officer = client_for("focal_point"), client_for("child")
    shown = read(police, case.get_absolute_url())
    assert "treated as a child until it is checked" in shown and "No child protection unit" in shown
    assert send(police, url("case-child-unit", case)).status_code == 302
    shown = read(police, case.get_absolute_url())
    assert "No child protection unit" not in shown and "purpose=child_protection" in shown
    assert send(police, url("case-age", case), finding="CHILD", age=16).status_code == 302
    assert AgeCheck.objects.get(case=case).age == 16
    assert police.get(url("case-guardian", case)).status_code == 403
    assert send(officer, url("case-guardian", case), kind="temporary", starts_on=ago(5).isoformat()).status_code == 302
    guardianship = Guardianship.objects.get(case=case)
    answer = send(officer, url("case-best-interest", case), finding="shelter", child_was_heard="")
    assert answer.status_code == 302 and not BestInterest.objects.get(case=case).child_was_heard
    shown = read(officer, case.get_absolute_url())
    assert "A temporary guardian" in shown and "the child was not heard" in shown
    assert send(officer, url("guardianship-end", case, guardianship.pk)).status_code == 302
    answer = send(officer, url("case-adult", case))
    assert "does not turn 18 on that day" in answer.content.decode()


def test_the_page_says_when_a_child_has_no_guardian_any_more(world, client_for):
    case = opened(world.focal_point, profile={"age_at_referral": 12})
    one = Guardianship.objects.create(
        case=case, kind="temporary", appointed_by=institution("CSW"), starts_on=ago(9), ends_on=ago(0)
    )
    client, page = client_for("child"), case.get_absolute_url()
    assert "no guardian now" not in read(client, page)  # the last day belongs to it
    Guardianship.objects.filter(pk=one.pk).update(ends_on=ago(1))
    assert "no guardian now" in read(client, page)
    Guardianship.objects.create(case=case, kind="parent", appointed_by=institution("CSW"), starts_on=ago(0))
    assert "no guardian now" not in read(client, page)


def test_who_turned_18_keeps_the_protection_on_the_page(world, client_for):
    case = opened(world.focal_point, on=ago(200), profile={"age_at_referral": 17})
    come_of_age(case, by=world.focal_point, key=uuid.uuid4(), on=ago(100))
    shown = read(client_for("child"), case.get_absolute_url())
    assert "and keeps the protection of a child" in shown


def test_an_adult_has_no_section_for_children_but_the_checks_of_age_stay(world, client_for):
    case, client = opened(world.focal_point, profile={"age_at_referral": None}), client_for("focal_point")
    check_age(
        case, by=world.focal_point, key=uuid.uuid4(), checked_on=ago(1), finding="ADULT", age=21,
        checked_by=institution("KP-THB"),
    )  # fmt: skip
    shown = read(client, case.get_absolute_url())
    assert "an adult, 21 years" in shown and "Best interest" not in shown


def test_the_page_of_a_case_costs_the_same_however_much_happened(world, client_for):
    case, client = opened(world.focal_point, on=ago(100), profile={"age_at_referral": 12}), client_for("director")
    everybody = [institution(code) for code in ("KP-THB", "VPAO", "CSW")]

    def happens(day: int) -> None:
        for offset, level in enumerate(("RISK_HIGH", "RISK_LOW")):
            assess(
                case, by=world.director, key=uuid.uuid4(), assessed_on=ago(day - offset), level=level, placement="SH_CHILD",
                assessors=everybody, plan=[Planned("Shoqërim", everybody[0], ago(0))] * 2,
            )  # fmt: skip
        screen(case, by=world.director, key=uuid.uuid4(), on=ago(day), indicator_set="child_labour", ticks=[])
        record_step(case, by=world.director, key=uuid.uuid4(), kind="informed", on=ago(day))
        check_age(
            case, by=world.director, key=uuid.uuid4(), checked_on=ago(day), finding="CHILD", age=12,
            checked_by=everybody[0],
        )  # fmt: skip

    record_event(case, by=world.director, key=uuid.uuid4(), kind="RF_START", on=ago(80))
    decide(
        case, by=world.director, key=uuid.uuid4(), stage=1, outcome="D1_POS", decided_on=ago(90),
        decision_maker="DM_TEAM", institution=everybody[0],
    )  # fmt: skip
    happens(70)
    read(client, case.get_absolute_url())
    once = cost_of(client, case.get_absolute_url())
    for day in (60, 50, 40):
        happens(day)
    assert cost_of(client, case.get_absolute_url()) <= once
