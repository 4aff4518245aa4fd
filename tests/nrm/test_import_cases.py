"""A file of cases: what is read from it, what is refused and why, and what stands in the records afterwards."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from nrm.actions.imports import Unfit, bring_in, look_into, renew_tokens
from nrm.imports.columns import COLUMNS, is_identity
from nrm.imports.dates import NoDate, read_date
from nrm.imports.words import Words, folded
from nrm.models import (
    Assistance,
    Case,
    CaseDecision,
    CaseParty,
    Clock,
    EventKind,
    FollowUp,
    Happening,
    ImportedCase,
    Merge,
    OwnFileNumber,
    Person,
    Referral,
    ReflectionEvent,
    Return,
    RiskAssessment,
    Stay,
)
from nrm.queries.imports import token
from onatc.keys import unseal
from stakeholders.models import Institution
from tests.nrm.case_files import as_file, realistic

pytestmark = pytest.mark.django_db


def onatc() -> Institution:
    return Institution.objects.get(code="ONATC")


def bring(*rows: dict[str, Any], **asked: Any) -> Any:
    return bring_in(as_file(*rows), asked.get("institution") or onatc(), by=None)


def problems(*rows: dict[str, Any], file: io.BytesIO | None = None) -> list[tuple[int | None, str, str]]:
    _reading, found = look_into(file or as_file(*rows), onatc())
    return [(one.row, one.column, one.reason) for one in found.problems]


def complains(column: str, says: str, **cells: Any) -> None:
    """One bad cell in a good row gives one problem, at its row and column."""
    found = problems({"case_ref": "A", "referred_on": "2025-03-01", **cells})
    assert [(row, where) for row, where, _reason in found] == [(2, column)], found
    assert says in found[0][2]


# Days


@pytest.mark.parametrize(
    "text", ["2025-03-05", "05.03.2025", "5.3.2025", "05/03/2025", "5.3.25", "05.03.25", "45721", "05.03.2025."]
)
def test_a_day_may_be_written_in_five_ways(text):
    assert read_date(text) == date(2025, 3, 5)


@pytest.mark.parametrize(
    "text, day", [("30000", date(1982, 2, 18)), ("60000", date(2064, 4, 8)), ("1.2.03", date(2003, 2, 1)), ("29.2.24", date(2024, 2, 29))]
)  # fmt: skip
def test_serial_numbers_have_their_bounds_and_two_digits_are_of_this_century(text, day):
    assert read_date(text) == day


@pytest.mark.parametrize(
    "text",
    ["29999", "60001", "03/13/2025", "03.13.25", "2025-13-03", "29.02.2025", "2025-02-29", "31.4.2025", "5/3/25", "5-3-2025",
     "2025/03/05", "20250305", "yesterday", "2025-3-5", "5.3", "0.3.2025", "05.03/2025", "1979-12-31", "٢٠٢٥-٠٣-٠٥"],
)  # fmt: skip
def test_what_is_no_day_is_an_error_and_nothing_is_swapped(text):
    with pytest.raises(NoDate):
        read_date(text)


# Words


def test_words_are_read_without_regard_to_case_signs_and_spaces():
    words = Words.of([("F", ["Femër", "Žensko", "Female"]), ("M", ["Mashkull", "Muško"]), ("X", ["Đak"])])
    for text in ("f", "FEMER", "  femër ", "zensko", "Žensko"):
        assert words.read(text) == "F"
    assert words.read("musko") == "M" and words.read("djak") == words.read("dak") == "X" and words.read("femra") is None
    assert folded("Fushë  Kosovë") == "fushe kosove"


def test_a_label_of_two_codes_is_not_guessed():
    words = Words.of([("A", ["Tjetër", "B"]), ("B", ["tjeter"])])
    assert words.read("tjetër") is None and words.is_ambiguous("TJETER") and words.read("b") == "B"


def test_codes_and_labels_of_three_languages_mean_the_same():
    bring(
        {"case_ref": "1", "referred_on": "2025-03-01", "sex": "F", "municipality": "FKO", "citizenship": "XK;AL", "forms": "SEX_PROST"},
        {"case_ref": "2", "referred_on": "2025-03-01", "sex": "femer", "municipality": "fushe kosove", "citizenship": "kosova; shqiperi"},
        {"case_ref": "3", "referred_on": "2025-03-01", "sex": "Žensko", "municipality": "KOSOVO POLJE", "citizenship": "Kosovo;AL;al"},
    )  # fmt: skip
    found = Case.objects.values_list("sex", "municipality", "citizenship")
    assert set(map(str, found)) == {"('F', 'FKO', ['XK', 'AL'])"}


# The file itself


@pytest.mark.parametrize(
    "body, says",
    [
        (b"", "empty"),
        (b"case_ref,referred_on\n", "no cases"),
        ("case_ref,referred_on\nžena,2025-03-01\n".encode("cp1250"), "UTF-8"),
        ("case_ref,referred_on\nA,2025-03-01\n".encode("utf-16"), "UTF-8"),
        (b"case_ref;referred_on\nA;2025-03-01\n", "commas"),
        (b'case_ref,referred_on\nA,"2025-03-01\n', "quotation mark"),
        (b"case_ref,referred_on\nA\0,2025-03-01\n", "damaged"),
        (b"case_ref,referred_on,case_ref\nA,2025-03-01,B\n", "twice"),
        (b"case_ref,referred_on\nA,2025-03-01,F\n", "3 cells"),
        (b"referred_on\n2025-03-01\n", "missing"),
        (b"case_ref|referred_on\nA|2025-03-01\n", "commas"),
        (b"case_ref\treferred_on\nA\t2025-03-01\n", "commas"),
        (b"sep=,\ncase_ref,referred_on\nA,2025-03-01\n", "no header"),
        (b"\ncase_ref,referred_on\nA,2025-03-01\n", "no header"),
        (b"PK\x03\x04 a workbook\n", "no header"),
        (b"\x1f\x8b\x08\x00 packed", "UTF-8"),
        (b"case_ref,referred_on\n" + b"A,2025-03-01\n" * 9000 + "\u017e,2025-03-01\n".encode("cp1250"), "UTF-8"),
    ],
)
def test_a_file_that_is_no_table_of_cases_is_refused_with_a_sentence(body, says):
    found = problems(file=io.BytesIO(body))
    assert len(found) == 1 and says in found[0][2], found


def test_a_byte_order_mark_empty_lines_and_short_rows_do_no_harm():
    body = "\ufeffcase_ref,referred_on,sex,closed_on\n\nA,2025-03-01,F\n,,,\nB,2025-03-01,M,\n".encode()
    assert problems(file=io.BytesIO(body)) == []
    late = "\ufeffcase_ref,referred_on\n\nA,2025-03-01\n\nB,2025-13-01\n".encode()
    assert [one[0] for one in problems(file=io.BytesIO(late))] == [5]


@pytest.mark.parametrize(
    "column",
    ["name", "Surname", "EMRI", "mbiemri", "ime", "Prezime", "birth_date", "birthday", "document_no", "documents", "first name",
     "Date of birth", "Emri dhe mbiemri", "datum rođenja", "Datëlindja"],
)  # fmt: skip
def test_a_column_with_identities_is_refused_with_a_privacy_message(column):
    body = f"case_ref,referred_on,{column}\nA,2025-03-01,Secretname\n".encode()
    found = problems(file=io.BytesIO(body))
    assert len(found) == 1 and found[0][:2] == (1, column) and "privacy" in found[0][2]
    assert "Secretname" not in str(found)


def test_the_first_row_of_a_file_without_a_header_is_not_repeated():
    """It may be somebody's, and the problems of an uploaded file are kept."""
    found = problems(file=io.BytesIO(b"Secretname,17.03.1998,F,XK\nOthername,2025-03-01,M,AL\n"))
    assert [one[:2] for one in found] == [(1, "")] and "no header" in found[0][2]
    assert "Secretname" not in str(found)


def test_ends_of_lines_quotation_marks_and_spaces_do_no_harm():
    for body in (
        b"case_ref,referred_on\rA,2025-03-01\rB,2025-03-02\r",
        b'\xef\xbb\xbf"case_ref","referred_on"\r\n"A","2025-03-01"\r\n" B ","2.3.25"\r\n',
        " CASE_REF ,Referred_On\u00a0,\nA,  01.03.2025 ,\nB,45718,".encode(),
    ):
        reading, found = look_into(io.BytesIO(body), onatc())
        assert not found.problems, found.problems
        assert [(row.case_ref, row.referred_on) for row in reading.rows] == [
            ("A", date(2025, 3, 1)), ("B", date(2025, 3, 2))
        ]  # fmt: skip


def test_another_unknown_column_is_refused_and_named():
    found = problems(file=io.BytesIO(b"case_ref,referred_on,refered_on,colour\nA,2025-03-01,x,y\n"))
    assert [(where, "privacy" in says) for _row, where, says in found] == [("refered_on", False), ("colour", False)]
    assert "referred_on" in found[0][2]
    assert not any(is_identity(name) for name in COLUMNS)


@pytest.mark.parametrize(
    "header", ["dateofbirth", "VictimName", "DOB", "nr_personal", "NrTelefonit", "Ditëlindja", "Презиме", "ДатумРођења"]
)
def test_an_identity_column_is_known_however_it_is_written(header):
    found = problems(file=io.BytesIO(f"case_ref,referred_on,{header}\nA,2025-03-01,Secret\n".encode()))
    assert [where for _row, where, _says in found] == [header] and "privacy" in found[0][2]
    assert "Secret" not in str(found)


# Rows


def test_every_bad_cell_is_named_by_row_and_column_and_nothing_is_written():
    rows = [
        {"case_ref": "A", "referred_on": "2025-03-01", "sex": "F"},
        {"case_ref": "B", "referred_on": "2025-13-01", "sex": "woman", "age_at_referral": "111"},
        {"case_ref": "", "referred_on": "", "citizenship": "XK;Atlantis"},
    ]
    found = problems(*rows)
    assert [one[:2] for one in found] == [
        (3, "referred_on"), (3, "sex"), (3, "age_at_referral"), (4, "case_ref"), (4, "referred_on"), (4, "citizenship"),
    ]  # fmt: skip
    with pytest.raises(Unfit):
        bring(*rows)
    assert not Case.objects.exists() and not Person.objects.exists()
    assert not any("Atlantis" in reason or "woman" in reason for _row, _column, reason in found)


@pytest.mark.parametrize(
    "column, says, cells",
    [
        ("formal_on", "before the preliminary", {"preliminary_outcome": "D1_POS", "preliminary_on": "2025-03-09", "formal_outcome": "D2_POS", "formal_on": "2025-03-08"}),
        ("preliminary_on", "before the referral", {"preliminary_outcome": "D1_POS", "preliminary_on": "2025-02-28"}),
        ("formal_on", "before the referral", {"formal_outcome": "D2_POS", "formal_on": "2025-02-28"}),
        ("formal_outcome", "formal decision", {"formal_outcome": "D1_POS", "formal_on": "2025-03-08"}),
        ("preliminary_outcome", "preliminary decision", {"preliminary_outcome": "D2_POS", "preliminary_on": "2025-03-08"}),
        ("formal_on", "no day", {"formal_outcome": "D2_POS"}),
        ("formal_on", "no day", {"formal_outcome": "D2_POS", "formal_on": "NA_UNKNOWN"}),
        ("formal_outcome", "no outcome", {"formal_on": "2025-03-08"}),
        ("review_outcome", "there is none", {"review_outcome": "D_RECON_POS", "review_on": "2025-03-08"}),
        ("review_outcome", "outcome of a review", {"formal_outcome": "D2_POS", "formal_on": "2025-03-08", "review_outcome": "D2_NEG", "review_on": "2025-03-09"}),
        ("review_on", "does not lie before", {"formal_outcome": "D2_POS", "formal_on": "2025-03-08", "review_outcome": "D_RECON_NEG", "review_on": "2025-03-07"}),
        ("closed_on", "before it was opened", {"closed_on": "2025-02-28"}),
        ("risk_on", "closed before", {"risk_level": "RISK_LOW", "risk_on": "2025-04-01", "closed_on": "2025-03-28"}),
        ("risk_on", "no day", {"risk_level": "RISK_LOW"}),
        ("reflection_waived_on", "before it starts", {"reflection_start": "2025-03-09", "reflection_waived_on": "2025-03-08"}),
        ("reflection_start", "before the referral", {"reflection_start": "2025-02-01"}),
        ("age_at_exploitation", "older", {"age_at_referral": "20", "age_at_exploitation": "21"}),
        ("age_group_at_referral", "otherwise", {"age_at_referral": "17", "age_group_at_referral": "ADULT"}),
        ("age_at_referral", "0 to 110", {"age_at_referral": "17.5"}),
        ("assistance", "end must not lie", {"assistance": "AS_MED:RESP_ACC:2025-03-09:2025-03-08"}),
        ("assistance", "first day", {"assistance": "AS_MED:RESP_ACC::"}),
        ("assistance", "kind:response", {"assistance": "AS_MED"}),
        ("assistance", "no code", {"assistance": "AS_MED:YES:2025-03-09:"}),
        ("shelter", "overlap", {"shelter": "SH_NGO:2025-03-02:2025-03-20;SH_MEN:2025-03-19:2025-03-30"}),
        ("shelter", "overlap", {"shelter": "SH_NGO:2025-03-02:;SH_MEN:2025-03-19:2025-03-30"}),
        ("shelter", "end must not lie", {"shelter": "SH_NGO:2025-03-09:2025-03-08"}),
        ("shelter", "not born", {"age_at_referral": "0", "shelter": "SH_NGO:2024-03-01:2025-03-08"}),
        ("shelter", "more than a year", {"shelter": "SH_NGO:2024-02-20:2025-03-08"}),
        ("shelter", "29", {"shelter": "SH_NGO:29.02.2025:2025-03-08"}),
        ("return_on", "before the referral", {"return_outcome": "RT_VOL", "return_on": "2025-02-08"}),
        ("return_outcome", "no outcome", {"return_on": "2025-04-08"}),
        ("merge_into", "No row", {"merge_into": "Z", "merge_kind": "same_person"}),
        ("merge_into", "itself", {"merge_into": "A", "merge_kind": "same_person"}),
        ("merge_into", "into which", {"merge_kind": "same_person"}),
        ("sex", "no code", {"sex": "NA_FOO"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(column, says, cells):
    if says == "29":
        says = "no such day"
    complains(column, says, **cells)


def test_nothing_lies_in_the_future():
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    assert problems({"case_ref": "A", "referred_on": tomorrow})[0][1] == "referred_on"
    complains("closed_on", "future", closed_on=tomorrow)
    complains("assistance", "future", assistance=f"AS_MED:RESP_ACC:2025-03-02:{tomorrow}")


def test_a_leap_day_is_a_day():
    bring({"case_ref": "A", "referred_on": "29.2.24", "reflection_start": "29/02/2024"})
    assert Case.objects.get().opened_on == date(2024, 2, 29)


def test_an_institution_that_was_dissolved_refers_nobody_afterwards():
    Institution.objects.filter(code="PVPT").update(dissolved_on=date(2025, 1, 1))
    complains("referring_institution", "dissolved", referring_institution="PVPT")


def test_references_stand_once_and_merges_go_in_no_circle():
    first = {"referred_on": "2025-03-01"}
    twice = problems({"case_ref": "A", **first}, {"case_ref": "B", **first}, {"case_ref": "A", **first})
    assert [one[:2] for one in twice] == [(4, "case_ref")] and "Row 2" in twice[0][2]
    merge = {"merge_kind": "same_person", **first}
    circle = problems(
        {"case_ref": "A", "merge_into": "B", **merge}, {"case_ref": "B", "merge_into": "C", **merge},
        {"case_ref": "C", "merge_into": "A", **merge}, {"case_ref": "D", "merge_into": "A", **merge},
    )  # fmt: skip
    assert [one[:2] for one in circle] == [(2, "merge_into"), (3, "merge_into"), (4, "merge_into")]


def test_what_is_odd_is_told_and_brought_in():
    _reading, found = look_into(
        as_file(
            {"case_ref": "A", "referred_on": "2025-03-01", "age_at_referral": "30", "age_group_at_decision": "CHILD"}
        ),
        onatc(),
    )
    assert not found.problems and [(one.row, one.column) for one in found.remarks] == [(2, "age_group_at_decision")]


# What is written

WHOLE = {
    "case_ref": "KP 12/2023", "person_ref": "NA_UNKNOWN", "referred_on": "29.12.2023", "referring_entity": "Policia kufitare",
    "referring_institution": "kp-thb", "municipality": "PRZ", "sex": "F", "age_at_referral": "17", "age_at_exploitation": "16",
    "citizenship": "AL;XK", "forms": "SEX;BEG", "labour_sector": "NA_NOTAPP", "means_of_control": "NA_REFUSED",
    "geography": "GEO_IN", "preliminary_outcome": "D1_POS", "preliminary_on": "30.12.2023", "formal_outcome": "D2_NEG",
    "formal_on": "1.2.24", "review_outcome": "D_RECON_POS", "review_on": "1.3.24", "decision_maker": "DM_TEAM",
    "age_group_at_decision": "ADULT", "risk_level": "i lartë", "risk_on": "30.12.2023", "reflection_start": "31.12.2023",
    "assistance": "AS_MED:RESP_ACC:2024-01-02:2024-02-02;AS_PSY:RESP_REF:2024-01-03:;AS_EDU:RESP_NONE::",
    "shelter": "SH_SECURE:30.12.2023:5.1.24;SH_NGO:5.1.24:", "return_outcome": "RT_VOL", "return_on": "2024-06-01",
    "closed_on": "2024-07-01",
}  # fmt: skip


def test_a_whole_row_becomes_a_whole_case_whose_facts_count_as_recorded_on_their_own_day():
    found = bring(WHOLE)
    assert (found.rows, found.new, found.known, found.by_status) == (1, 1, 0, {"IDENTIFIED": 1})
    case = Case.objects.get()
    assert case.status == "IDENTIFIED" and case.is_imported and case.track == "CHILD" and case.is_child_procedure
    assert case.citizenship == ["AL", "XK"] and case.forms == ["SEX", "BEG"] and case.age_group_at_referral == "CHILD"
    assert case.missing["labour_sector"] == "NA_NOTAPP" and case.missing["means_of_control"] == "NA_REFUSED"
    assert "recruitment_methods" not in case.missing  # the file has no such column
    assert case.responsible.code == "KP-THB" and case.closed_on == date(2024, 7, 1) and case.outcome == "RT_VOL"
    referral = Referral.objects.get(case=case)
    assert referral.brings_in and referral.sender.code == "KP-THB" and referral.addressee.code == "ONATC"
    decisions = list(CaseDecision.objects.filter(case=case))
    assert [one.outcome for one in decisions] == ["D1_POS", "D2_NEG", "D_RECON_POS"]
    assert decisions[2].review_of == decisions[1] and {one.age_group_at_decision for one in decisions} == {"ADULT"}
    # The period began under the rule of thirty days, a day before the change of the law.
    assert ReflectionEvent.objects.get(case=case).days == 30
    assert set(Assistance.objects.values_list("kind", "response", "starts_on", "offered_on")) == {
        ("AS_MED", "RESP_ACC", date(2024, 1, 2), None), ("AS_PSY", "RESP_REF", None, date(2024, 1, 3)),
        ("AS_EDU", "RESP_NONE", None, None),
    }  # fmt: skip
    assert Stay.objects.filter(left_on=None).get().shelter_type == "SH_NGO"
    assert Return.objects.get().carried_out_on == date(2024, 6, 1)
    assert RiskAssessment.objects.get().level == "RISK_HIGH"
    for model, day in (
        (CaseDecision, "decided_on"),
        (ReflectionEvent, "on"),
        (Stay, "came_on"),
        (Return, "carried_out_on"),
    ):
        for one in model.objects.all():
            assert timezone.localdate(one.recorded_at) == getattr(one, day)
    kinds = list(Happening.objects.filter(case=case).values_list("kind", flat=True))
    assert {EventKind.REFERRED, EventKind.CHILD, EventKind.PRESUMED, EventKind.REVIEWED, EventKind.CLOSED} <= set(kinds)
    assert CaseParty.objects.filter(case=case, until=None).count() == 2
    # Each row has the entry in its history that a trigger would have written.
    history = Case.pgh_event_model.objects.get(pgh_obj_id=case.pk)
    assert history.pgh_label == "insert" and history.marker == case.marker and history.forms == ["SEX", "BEG"]
    assert CaseDecision.pgh_event_model.objects.count() == 3


def test_an_open_case_says_when_its_risk_is_assessed_again_and_what_is_owed_after_the_shelter():
    row = {
        "referred_on": "2026-03-01", "risk_level": "RISK_HIGH", "risk_on": "2026-03-02",
        "shelter": "SH_SECURE:2026-03-02:2026-03-20;SH_NGO:2026-03-20:2026-05-31;SH_NONE:2026-06-01:2026-06-02",
        "return_outcome": "RT_VOL", "return_on": "2026-06-30",
    }  # fmt: skip
    bring(row | {"case_ref": "A"}, row | {"case_ref": "B", "closed_on": "2026-07-01"})
    assert {one.next_due for one in RiskAssessment.objects.all()} == {date(2026, 4, 1)}
    owed = FollowUp.objects.order_by("after", "months").values_list("case__closed_on", "after", "months", "due_on")
    assert list(owed) == [
        (None, "return", 3, date(2026, 9, 30)), (None, "return", 6, date(2026, 12, 30)),
        (None, "return", 12, date(2027, 6, 30)), (None, "shelter", 3, date(2026, 8, 31)),
        (None, "shelter", 6, date(2026, 11, 30)), (None, "shelter", 12, date(2027, 5, 31)),
    ]  # fmt: skip


def test_the_clocks_of_an_open_case_follow_and_a_closed_one_owes_nothing():
    bring(
        {"case_ref": "A", "referred_on": "2026-03-01"},
        {"case_ref": "B", "referred_on": "2025-03-01", "closed_on": "2025-04-01"},
    )
    opened, closed = Case.objects.order_by("-opened_on")
    assert Clock.objects.filter(case=opened).exists() and not Clock.objects.filter(case=closed).exists()
    opened.refresh_from_db()
    assert opened.next_due_at is not None


def test_a_period_that_begins_after_the_change_of_the_law_has_ninety_days():
    bring({"case_ref": "A", "referred_on": "2024-01-01", "reflection_start": "2024-01-01"})
    assert ReflectionEvent.objects.get().days == 90


def test_a_row_with_a_reference_and_a_day_is_enough():
    bring({"case_ref": "A", "referred_on": "2025-03-01"})
    case = Case.objects.get()
    assert (case.sex, case.age_group_at_referral, case.geography, case.status) == ("U", "AGE_U", "GEO_U", "POTENTIAL")
    assert case.is_child_procedure and case.responsible.code == "ONATC" and Referral.objects.get().sender is None


def test_the_reference_is_kept_sealed_for_the_importing_institution_alone():
    bring(WHOLE)
    number = OwnFileNumber.objects.get()
    assert number.institution.code == "ONATC" and unseal(bytes(number.sealed), number.place) == b"KP 12/2023"
    assert b"KP 12/2023" not in bytes(number.sealed) and b"KP" not in bytes(ImportedCase.objects.get().token)


def test_the_same_text_in_person_ref_is_the_same_person_and_is_forgotten():
    bring(
        {"case_ref": "A", "person_ref": "x", "referred_on": "2025-06-01"},
        {"case_ref": "B", "person_ref": "x", "referred_on": "2025-03-01"},
        {"case_ref": "C", "person_ref": "NA_NOTCOLL", "referred_on": "2025-03-01"},
        {"case_ref": "D", "person_ref": "NA_NOTCOLL", "referred_on": "2025-03-01"},
    )
    assert Person.objects.count() == 3
    assert list(Case.objects.order_by("opened_on").filter(episode__gt=1).values_list("opened_on", flat=True)) == [
        date(2025, 6, 1)
    ]


def test_merges_are_dated_by_the_later_referral_and_can_be_told_apart():
    bring(
        {"case_ref": "A", "referred_on": "2025-06-01", "merge_into": "B", "merge_kind": "duplicate_record"},
        {"case_ref": "B", "referred_on": "2025-03-01"},
        {"case_ref": "C", "referred_on": "2025-04-01", "merge_into": "B", "merge_kind": "Same_Person"},
    )
    duplicate, same = Merge.objects.order_by("kind")
    assert duplicate.case.duplicate_of == duplicate.into and same.case.duplicate_of is None
    assert timezone.localdate(duplicate.recorded_at) == date(2025, 6, 1)
    assert (
        Case.objects.values("person").distinct().count() == 1
        and Case.objects.values("own_person").distinct().count() == 3
    )
    assert same.moved == [str(same.case_id)] and same.person_before_id == same.case.own_person_id


# The same file again


def test_the_same_file_twice_brings_nothing_new():
    rows = realistic(40, 3, timezone.localdate())
    first = bring(*rows)
    counts = [model.objects.count() for model in (Case, Person, Referral, CaseDecision, Merge, Happening)]
    again = bring(*rows)
    assert (first.new, again.new, again.known) == (40, 0, 40)
    assert [model.objects.count() for model in (Case, Person, Referral, CaseDecision, Merge, Happening)] == counts


def test_a_longer_file_adds_its_new_rows_to_the_persons_and_cases_that_came_before():
    old = {"case_ref": "A", "person_ref": "x", "referred_on": "2025-03-01"}
    bring(old)
    found = bring(
        old,
        {"case_ref": "B", "person_ref": "x", "referred_on": "2025-05-01"},
        {"case_ref": "C", "referred_on": "2025-02-01", "merge_into": "A", "merge_kind": "same_person"},
    )
    assert (found.new, found.known) == (2, 1)
    assert list(Case.objects.order_by("opened_on").values_list("episode", flat=True)) == [1, 2, 3]
    assert Case.objects.values("person").distinct().count() == 1


def test_another_institution_has_references_of_its_own():
    bring({"case_ref": "A", "referred_on": "2025-03-01"})
    bring({"case_ref": "A", "referred_on": "2025-03-01"}, institution=Institution.objects.get(code="PVPT"))
    assert Case.objects.count() == 2


def test_references_are_known_under_an_old_key_and_renewed_under_the_new_one(settings):
    old = settings.FIELD_KEYS[0]
    row = {"case_ref": "A", "referred_on": "2025-03-01"}
    bring(row)
    settings.FIELD_KEYS = ["another secret of more than 32 characters", old]
    assert bring(row).known == 1
    assert renew_tokens() == (1, 0) and renew_tokens() == (0, 0)
    assert bytes(ImportedCase.objects.get().token) == token("A", onatc())
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert bring(row).known == 1


# The command


def run(path: Any, *options: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_cases", str(path), *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_brings_a_file_in_says_so_and_does_it_once(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes(as_file(WHOLE, {"case_ref": "B", "referred_on": "2025-03-01"}).read())
    out, _err = run(path, "--dry-run")
    assert "2 new cases" in out and "dry run" in out and not Case.objects.exists()
    assert "2 new cases (1 POTENTIAL, 1 IDENTIFIED)" in run(path)[0]
    out, err = run(path)
    assert (
        "0 new cases, 2 there already" in out and "2 rows were brought in before" in err and Case.objects.count() == 2
    )


@pytest.mark.parametrize("option", [(), ("--dry-run",)])
def test_the_command_names_each_bad_row_and_fails(tmp_path, option):
    path = tmp_path / "cases.csv"
    path.write_bytes(
        as_file(
            {"case_ref": "A", "referred_on": "2025-03-01"}, {"case_ref": "B", "referred_on": "03/13/2025", "sex": "Z"}
        ).read()
    )
    err = io.StringIO()
    with pytest.raises(CommandError, match="2 problems; nothing was brought in"):
        call_command("import_cases", str(path), *option, stdout=io.StringIO(), stderr=err)
    lines = err.getvalue().splitlines()
    assert (
        len(lines) == 2
        and lines[0].startswith("row 3, column referred_on: ")
        and lines[1].startswith("row 3, column sex: ")
    )
    assert not Case.objects.exists()


def test_the_command_speaks_english_to_scripts_whatever_the_language_of_the_site(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_bytes(b"case_ref,referred_on,emri\nA,2025-03-01,X\n")
    err = io.StringIO()
    with translation.override("sq"), pytest.raises(CommandError, match="1 problem; nothing was brought in"):
        call_command("import_cases", str(path), stdout=io.StringIO(), stderr=err)
    assert err.getvalue().startswith("row 1, column emri: ") and "privacy" in err.getvalue()


def test_the_command_says_what_it_cannot_open_or_does_not_know(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.csv")
    with pytest.raises(CommandError, match="no institution"):
        run(tmp_path / "none.csv", "--institution", "NOBODY")


def test_one_bad_row_among_ten_thousand_is_found_and_nothing_is_written():
    hundred = [{**row, "merge_into": "", "merge_kind": ""} for row in realistic(100, 5, timezone.localdate())]
    rows = [{**hundred[number % 100], "case_ref": str(number)} for number in range(10_000)]
    rows[7_321]["referred_on"] = "31.02.2025"
    found = problems(*rows)
    assert [one[:2] for one in found] == [(7_323, "referred_on")]
    assert not Case.objects.exists()
