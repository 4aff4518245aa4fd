"""`manage.py statistics`: from a file of cases to the figures, as a script outside would ask for them."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from nrm.actions import assistance, keeping, merges
from nrm.actions.happenings import moment
from nrm.actions.imports import bring_in, look_into
from nrm.counting.populations import POPULATIONS, STAGES
from nrm.counting.table import Question
from nrm.imports.row import Row
from nrm.models import Assistance, Case, CaseDecision, Referral, Return, Stay
from nrm.queries.counting import counted
from onatc.models import Municipality
from stakeholders.models import Institution
from tests.nrm.case_files import as_file, realistic
from tests.nrm.counting_reference import reference

pytestmark = pytest.mark.django_db
YEAR = ("--from", "2025-01-01", "--to", "2025-12-31")


def bring(*rows: dict[str, Any]) -> None:
    bring_in(as_file(*rows), Institution.objects.get(code="ONATC"), by=None)


def ask(population: str, *options: str) -> list[dict[str, str]]:
    out = io.StringIO()
    call_command("statistics", "--population", population, *YEAR, "--format", "csv", *options, stdout=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def figures(population: str, *options: str) -> dict[tuple[str, ...], int]:
    rows = ask(population, *options)
    names = [name for name in rows[0] if name not in STATED]
    return {tuple(row[name] for name in names): int(row["count"]) for row in rows}


STATED = (
    "population", "unit", "date_rule", "as_of", "period_start", "period_end", "figure_status", "count", "cell_status",
)  # fmt: skip

FILE = [
    {"case_ref": "1", "person_ref": "p", "referred_on": "10.01.2025", "sex": "F", "age_at_referral": "17", "municipality": "FKO",
     "referring_entity": "E_POLICE", "forms": "SEX;BEG", "preliminary_outcome": "D1_POS", "preliminary_on": "12.01.2025",
     "formal_outcome": "D2_POS", "formal_on": "01.04.2025", "decision_maker": "DM_TEAM", "age_group_at_decision": "ADULT",
     "assistance": "AS_MED:RESP_ACC:2025-01-15:2025-05-15;AS_LEGAL:RESP_REF:2025-01-15:"},
    {"case_ref": "2", "person_ref": "p", "referred_on": "01/10/2025", "sex": "F", "age_at_referral": "18", "municipality": "PRN",
     "referring_entity": "E_NGO", "forms": "LAB"},
    {"case_ref": "3", "referred_on": "5.5.25", "sex": "M", "age_group_at_referral": "ADULT", "referring_entity": "E_POLICE",
     "preliminary_outcome": "D1_NEG", "preliminary_on": "6.5.25", "shelter": "SH_EMERG:2025-05-05:2025-05-06"},
    {"case_ref": "4", "referred_on": "45799", "sex": "U", "referring_entity": "E_SELF", "merge_into": "3",
     "merge_kind": "duplicate_record", "preliminary_outcome": "D1_NEG", "preliminary_on": "2025-05-23"},
]  # fmt: skip


def test_the_columns_are_those_of_the_dictionary_and_each_row_states_what_it_is():
    bring(*FILE)
    out = io.StringIO()
    call_command("statistics", "--population", "identified", "--by", "sex,age_band", *YEAR, stdout=out)
    lines = out.getvalue().splitlines()
    today = timezone.localdate().isoformat()
    assert lines[0] == (
        "population,unit,date_rule,as_of,period_start,period_end,figure_status,sex,age_band,count,cell_status"
    )
    assert lines[1] == f"identified,CU_PERSON,first_formal,{today},2025-01-01,2025-12-31,PROV,F,A15_17,1,V_VALUE"
    assert [line.split(",")[7:10] for line in lines[1:]] == [
        ["F", "A15_17", "1"], ["F", "TOTAL", "1"], ["TOTAL", "A15_17", "1"], ["TOTAL", "TOTAL", "1"]
    ]  # fmt: skip


def test_the_figures_of_a_file_are_those_found_by_hand():
    bring(*FILE)
    # Three referrals stay: 4 is 3 entered twice, on 22 May; the survivor keeps 5 May.
    assert figures("referred", "--by", "period,referring_entity") == {
        ("2025Q1", "E_POLICE"): 1, ("2025Q1", "TOTAL"): 1, ("2025Q2", "E_POLICE"): 1, ("2025Q2", "TOTAL"): 1,
        ("2025Q4", "E_NGO"): 1, ("2025Q4", "TOTAL"): 1, ("TOTAL", "E_POLICE"): 2, ("TOTAL", "E_NGO"): 1, ("TOTAL", "TOTAL"): 3,
    }  # fmt: skip
    # Two persons: the girl who came again counts in two quarters and once in the year, as she was when she came first.
    assert figures("potential", "--by", "period,age_group") == {
        ("2025Q1", "CHILD"): 1, ("2025Q1", "TOTAL"): 1, ("2025Q2", "ADULT"): 1, ("2025Q2", "TOTAL"): 1,
        ("2025Q4", "ADULT"): 1, ("2025Q4", "TOTAL"): 1, ("TOTAL", "CHILD"): 1, ("TOTAL", "ADULT"): 1, ("TOTAL", "TOTAL"): 2,
    }  # fmt: skip
    assert figures("identified", "--by", "age_group_at_decision,district") == {
        ("ADULT", "PRN"): 1, ("ADULT", "TOTAL"): 1, ("TOTAL", "PRN"): 1, ("TOTAL", "TOTAL"): 1
    }  # fmt: skip
    assert figures("not_victim", "--by", "sex") == {("M",): 1, ("TOTAL",): 1}
    assert figures("identified", "--as-of", "2025-03-31") == {(): 0}
    assert figures("presumed", "--by", "form_any") == {("BEG",): 1, ("SEX",): 1, ("TOTAL",): 1}
    assert figures("decisions", "--by", "decision_outcome") == {
        ("D1_NEG",): 1, ("D1_POS",): 1, ("D2_POS",): 1, ("TOTAL",): 3
    }  # fmt: skip
    assert figures("assisted", "--by", "period") == {("2025Q1",): 1, ("2025Q2",): 1, ("TOTAL",): 1}
    assert figures("sheltered") == {(): 1} and figures("returned") == {(): 0} and figures("suspects") == {(): 0}


@pytest.mark.parametrize(
    "options, says",
    [
        (("--population", "victims", *YEAR), "no population"),
        (("--population", "identified", "--by", "sex,colour", *YEAR), "colour"),
        (("--population", "identified", "--date-rule", "stok", *YEAR), "no date rule"),
        (("--population", "referred", "--date-rule", "first_formal", *YEAR), "no date rule for referred"),
        (("--population", "identified", "--unit", "CU_OFFENCE", *YEAR), "no unit for identified"),
        (("--population", "identified", "--from", "2025-02-30", "--to", "2025-12-31"), "--from"),
        (("--population", "identified", "--from", "2025", "--to", "2025-12-31"), "--from"),
        (("--population", "identified", "--from", "2025-12-31", "--to", "2025-01-01"), "end before"),
        (("--population", "identified", "--as-of", "soon", *YEAR), "--as-of"),
        ((*YEAR,), "--population"),
        (("--population", "identified", "--format", "xml", *YEAR), "--format"),
    ],
)
def test_nonsense_is_refused_with_a_message_and_no_table(options, says):
    out = io.StringIO()
    with pytest.raises(CommandError, match=says):
        call_command("statistics", *options, stdout=out)
    assert out.getvalue() == ""


def test_a_fact_that_the_office_recorded_late_is_left_out_before_it_was_recorded():
    bring({"case_ref": "1", "referred_on": "2025-01-10"})
    case = Case.objects.get()
    late = moment(date(2025, 9, 9), time(23, 30))
    CaseDecision.objects.create(
        case=case, stage=2, outcome="D2_POS", decided_on=date(2025, 2, 2), decision_maker="DM_COURT",
        age_group_at_decision="ADULT", recorded_at=late,
    )  # fmt: skip
    assert figures("identified") == {(): 1}
    assert figures("identified", "--as-of", "2025-09-08") == {(): 0}
    assert figures("identified", "--as-of", "2025-09-09") == {(): 1}  # by the clock of Belgrade


def test_only_referrals_that_bring_somebody_in_count_and_one_that_follows_a_declined_one_does_not():
    bring({"case_ref": "1", "referred_on": "2025-01-10"})
    first = Referral.objects.get()
    for fields in ({"brings_in": False}, {"brings_in": True, "after": first}):
        Referral.objects.create(case=first.case, referred_on=date(2025, 2, 1), **fields)
    assert figures("referred") == {(): 1}


def _as_reference(row: Row) -> dict[str, Any]:
    """A row of the file as the second way of counting has it."""
    found: dict[str, Any] = {
        "ref": row.case_ref, "person": row.person_ref or f"own {row.case_ref}", "referred": row.referred_on,
        "sex": row.sex or "U", "age": row.age_at_referral, "group": row.age_group_at_referral or "AGE_U", "forms": row.forms,
        "entity": row.referring_entity or "E_U", "reflection": row.reflection_start,
        "assistance": [(one.kind, one.starts, one.ends) for one in row.assistance if one.response == "RESP_ACC"],
        "stays": [(one.kind, one.starts, one.ends) for one in row.shelter],
    }  # fmt: skip
    for step, outcome, on in (
        ("preliminary", row.preliminary_outcome, row.preliminary_on), ("formal", row.formal_outcome, row.formal_on),
        ("review", row.review_outcome, row.review_on), ("declined", "D_DECL", row.declined_identification_on),
        ("discontinued", "D_DISC", row.discontinued_on),
    ):  # fmt: skip
        if on is not None:
            found[step] = (outcome, on)
    if row.return_on:
        found["returned"] = (row.return_outcome, row.return_on)
    if row.merge_into:
        found["merge"] = (row.merge_into, row.merge_kind)
    return found


def test_a_realistic_file_gives_the_figures_of_a_second_way_of_counting():
    """From the CSV through the tables of the database to the cells, each population, as of now and of an earlier day."""
    today = timezone.localdate()
    file = as_file(*realistic(220, 11, today))
    institution = Institution.objects.get(code="ONATC")
    reading, found = look_into(file, institution)
    assert not found.problems
    rows = [_as_reference(row) for row in reading.rows]
    file.seek(0)
    bring_in(file, institution, by=None)
    start, end = date(today.year - 3, 2, 1), date(today.year - 1, 11, 15)
    for population in POPULATIONS:
        if population in STAGES:
            continue
        known = POPULATIONS[population]
        for as_of in (None, date(today.year - 1, 3, 31)):
            question = Question(population, start, end, ("age_group", "form_any", "period"), as_of=as_of)
            mine = {cell.values: cell.count for cell in counted(question)}
            assert mine == reference(
                rows, population, question.by, start, end, rule=known.rule, unit=known.unit, today=today, as_of=as_of
            ), (population, as_of)


def test_the_same_figures_come_from_the_same_number_of_queries_however_many_cases(django_assert_num_queries):
    bring(*realistic(20, 5, timezone.localdate()))
    question = Question("assisted", date(2024, 1, 1), date(2025, 12, 31), ("sex",))
    # One for each of five tables, and the savepoint that makes them of one moment.
    with django_assert_num_queries(7):
        counted(question)
    bring(*realistic(60, 6, timezone.localdate()))
    with django_assert_num_queries(7):
        counted(question)


def test_merging_and_undoing_in_the_application_counts_as_before(world):
    """The application puts the earlier day into the survivor's referral: as of yesterday it is where it was."""
    bring({"case_ref": "1", "referred_on": "2025-03-10"}, {"case_ref": "2", "referred_on": "2025-04-10"})
    one, two = Case.objects.order_by("opened_on")
    before = {("2025Q1",): 1, ("2025Q2",): 1, ("TOTAL",): 2}
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    made = merges.merge(one, two, "duplicate_record", by=world.director, key=uuid.uuid4(), reason="the same")
    assert figures("referred", "--by", "period") == {("2025Q1",): 1, ("TOTAL",): 1}
    assert figures("referred", "--by", "period", "--as-of", yesterday) == before
    merges.unmerge(made, by=world.director, reason="two after all")
    assert figures("referred", "--by", "period") == before


def test_of_two_decisions_on_one_day_the_formal_one_gives_the_status():
    bring(
        {"case_ref": "1", "referred_on": "2025-03-10", "preliminary_outcome": "D1_POS", "preliminary_on": "2025-03-10",
         "formal_outcome": "D2_POS", "formal_on": "2025-03-10"},
    )  # fmt: skip
    assert Case.objects.get().status == "IDENTIFIED" and figures("identified") == {(): 1}


def test_totals_stand_last_and_the_cells_are_in_order():
    bring(*FILE)
    cells = [row["sex"] for row in ask("referred", "--by", "sex")]
    assert cells[-1] == "TOTAL" and all(one < other for one, other in pairwise(cells[:-1]))


def _as_of_yesterday() -> tuple[str, str]:
    return "--as-of", (timezone.localdate() - timedelta(days=1)).isoformat()


def test_what_was_filled_in_later_is_left_out_as_of_an_earlier_day(world):
    """Section 1, rule 8 and section 4: an upgrade fills values in, adds no person, and was not known before."""
    bring({"case_ref": "1", "referred_on": "2025-01-10", "sex": "M", "age_group_at_referral": "AGE_U"})
    bring({"case_ref": "2", "referred_on": "2025-01-11", "sex": "M", "municipality": "PRZ", "forms": "BEG"})
    case = Case.objects.get(opened_on=date(2025, 1, 10))
    keeping.change_profile(
        case,
        {"sex": "F", "age_at_referral": 16, "forms": ["SEX"], "citizenship": ["AL"], "municipality_id": "FER"},
        by=world.director,
        revision=case.revision,
    )
    for by, now, then in (
        ("sex", {"F": 1, "M": 1}, {"M": 2}),
        ("age_band", {"A15_17": 1, "A_U": 1}, {"A_U": 2}),
        ("form_any", {"SEX": 1, "BEG": 1}, {"EXP_U": 1, "BEG": 1}),
        ("citizenship", {"AL": 1, "CIT_U": 1}, {"CIT_U": 2}),
        ("municipality", {"FER": 1, "PRZ": 1}, {"NA_UNKNOWN": 1, "PRZ": 1}),
        ("district", None, {"NA_UNKNOWN": 1, Municipality.objects.get(pk="PRZ").district_id: 1}),
    ):
        expected = {(name,): number for name, number in then.items()} | {("TOTAL",): 2}
        assert figures("potential", "--by", by, *_as_of_yesterday()) == expected, by
        if now is not None:
            assert figures("potential", "--by", by) == {(name,): number for name, number in now.items()} | {
                ("TOTAL",): 2
            }


def test_help_and_cases_whose_end_was_recorded_later_ran_on_as_of_an_earlier_day(world):
    """Somebody came in May and left in June, which was written down today: as of yesterday nobody knew it."""
    bring({"case_ref": "1", "referred_on": "2025-05-01", "preliminary_outcome": "D1_POS", "preliminary_on": "2025-05-02",
           "shelter": "SH_NGO:2025-05-02:", "assistance": "AS_MED:RESP_ACC:2025-05-03:;AS_PSY:RESP_REF:2025-05-03:",
           "return_outcome": "RT_VOL"})  # fmt: skip
    case, stay, gone = Case.objects.get(), Stay.objects.get(), Return.objects.get()
    help_, refused = Assistance.objects.get(kind="AS_MED"), Assistance.objects.get(kind="AS_PSY")
    july = ("--from", "2025-07-01", "--to", "2025-07-31")
    before = {population: figures(population, *july) for population in ("sheltered", "assisted")}
    assert before == {"sheltered": {(): 1}, "assisted": {(): 1}} and figures("returned") == {(): 0}
    june = date(2025, 6, 10)
    assistance.change_stay(stay, {"left_on": june}, by=world.director, revision=stay.revision)
    assistance.change_assistance(help_, {"ends_on": june}, by=world.director, revision=help_.revision)
    Return.objects.filter(pk=gone.pk).update(carried_out_on=june)
    assistance.close(
        case, by=world.director, closed_on=date(2025, 6, 20), outcome="RT_U", note_text="", revision=case.revision
    )
    for population in ("sheltered", "assisted"):
        assert figures(population, *july) == {(): 0}
        assert figures(population, *july, *_as_of_yesterday()) == {(): 1}
    assert figures("returned") == {(): 1} and figures("returned", *_as_of_yesterday()) == {(): 0}
    stock = ("potential", *july, "--date-rule", "stock")
    assert figures(*stock) == {(): 0} and figures(*stock, *_as_of_yesterday()) == {(): 1}
    # Help that was refused then and is accepted now counts from now on only.
    accepted = {"response": "RESP_ACC", "starts_on": date(2025, 5, 4)}
    Assistance.objects.filter(pk=refused.pk).update(**accepted)
    by_unit = ("assisted", "--unit", "CU_SPELL")
    assert figures(*by_unit) == {(): 2} and figures(*by_unit, *_as_of_yesterday()) == {(): 1}
