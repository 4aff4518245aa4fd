"""Sessions from the plan to what became of them: participants without names, tests, certificates, follow-ups, reach."""

from __future__ import annotations

import threading
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from nrm import training_invariants
from nrm.actions import training, training_follow_ups, training_results
from nrm.actions.training_results import BadRows, Count
from nrm.models import Headcount, Participation, Trainee, Trainer, TrainingFollowUp, TrainingSession
from nrm.queries.training import effect_of, plan_progress, reach_of, session_people
from nrm.reach import new_certificate_number, read_certificate_number, spoken
from onatc.errors import Refused
from onatc.models import Message
from onatc.periods import months_after
from stakeholders.actions.events import record_event, settle
from stakeholders.actions.records import Stale
from tests.nrm.trainings import (
    a_course,
    a_plan,
    a_session,
    an_assessment,
    an_item,
    answer_of,
    days_ago,
    institution,
    person,
    registered,
    submitted,
)
from tests.stakeholders.outreach import asked

pytestmark = pytest.mark.django_db
HEAD = "institution,number,function,sex,municipality,pre,post\n"


def url(name: str, *args) -> str:
    return reverse(f"nrm:{name}", args=args)


def upload(text: str, revision: int, name: str = "results.csv") -> dict:
    return {"revision": revision, "file": SimpleUploadedFile(name, text.encode())}


def test_a_session_from_plan_to_certificate_in_the_browser(world, client_for):
    office = client_for("planning")
    course = a_course(world.planning, pass_mark=50)
    form = {
        "key": str(uuid.uuid4()), "course": course.pk, "plan_item": "", "event": "", "starts_on": days_ago(9).isoformat(),
        "ends_on": days_ago(8).isoformat(), "municipality": "PRN", "place": "Hoteli", "organiser": institution("ONATC").pk,
        "places": "3", "cost_planned_cents": "1,200.50", "payer": institution("OSCE").pk,
    }  # fmt: skip
    page = office.post(url("training-session-create"), form, follow=True).content.decode()
    office.post(url("training-session-create"), form)
    session = TrainingSession.objects.get()
    assert "The session is planned." in page and "1,200.50 €" in page
    office.post(
        url("training-session-settle", session.pk),
        {"state": "held", "cancel_reason": "", "cost_actual_cents": "1,000", "revision": 0},
    )
    session.refresh_from_db()
    kp, moh = institution("KP-THB").pk, institution("MOH").pk
    rows = {
        "revision": session.revision,
        "institution_0": kp, "number_0": "7", "function_0": "police", "sex_0": "F", "municipality_0": "PRN", "pre_0": "30", "post_0": "70",
        "institution_1": kp, "number_1": "8", "function_1": "police", "sex_1": "M", "municipality_1": "", "pre_1": "", "post_1": "40",
        "institution_2": moh, "number_2": "1", "function_2": "health", "sex_2": "U", "municipality_2": "", "pre_2": "0", "post_2": "60",
    }  # fmt: skip
    page = office.post(url("training-session-results", session.pk), rows, follow=True).content.decode()
    assert "The results are on record." in page and "2 of 3 participants took both tests" in page, page[:500]
    assert [str(one) for one in Trainee.objects.order_by("institution__code", "number")] == [
        "KP-THB-0007",
        "KP-THB-0008",
        "MOH-0001",
    ]
    page = office.post(url("training-session-certify", session.pk), follow=True).content.decode()
    office.post(url("training-session-certify", session.pk))
    held = Participation.objects.filter(certificate__isnull=False).order_by("trainee__institution__code")
    assert [str(one) for one in held] == ["KP-THB-0007", "MOH-0001"]  # of the others 40 points are too few
    first = held[0]
    printed = client_for("focal_point").get(url("certificate-detail", first.pk)).content.decode()
    assert spoken(first.certificate) in printed and "KP-THB-0007" in printed
    assert client_for("other_focal_point").get(url("certificate-detail", first.pk)).status_code == 404
    assert client_for("observer").get(url("certificate-detail", first.pk)).status_code == 404
    verify = client_for("other_focal_point")
    for typed, sentence in (
        (spoken(first.certificate).lower(), "This certificate was issued"),
        (first.certificate[:-1] + ("0" if first.certificate[-1] != "0" else "1"), "a sign was mistyped"),
        ("", "required"),
    ):
        assert sentence in verify.get(url("certificate-verify"), {"number": typed}).content.decode()
    own = client_for("focal_point").get(session.get_absolute_url()).content.decode()
    assert (
        "KP-THB-0007" in own
        and "MOH-0001" not in own
        and "1,200.50" not in own
        and "You see the people of your institution" in own
    )
    observer = client_for("observer").get(session.get_absolute_url()).content.decode()
    assert "Ministry of Health" in observer and "MOH-0001" not in observer and "1,000.00" in observer


def test_an_outsider_verifies_a_certificate_and_learns_nothing_else(world, client_for):
    """Whoever holds the paper has no account: the number is real, of which course and day; not whose it is."""
    by = world.director
    session = registered(a_session(by, held=True, place="Hoteli"), by, person("KP-THB", 7, pre=31, post=71))
    training_results.issue_certificates(session, by=by)
    number = spoken(session.participations.get().certificate)
    outsider, address = Client(HTTP_ACCEPT_LANGUAGE="en"), url("certificate-verify")
    for client, knows in ((outsider, False), (client_for("stranger"), False), (client_for("observer"), True)):
        answer = client.get(address, {"number": number})
        text = answer.content.decode()
        assert answer.status_code == 200 and "This certificate was issued" in text and "Indicators" in text
        assert ("KP-THB" in text) == knows and (str(institution("KP-THB").name) in text) == knows
        assert "Hoteli" not in text and "71" not in text.replace(number, "") and "no-store" in answer["Cache-Control"]
    unknown = outsider.get(address, {"number": new_certificate_number()}).content.decode()
    assert "No certificate with this number" in unknown
    assert address in outsider.get("/accounts/login/").content.decode()
    own = session.participations.get()
    printed = client_for("focal_point").get(url("certificate-detail", own.pk)).content.decode()
    assert f"http://testserver{address}" in printed
    assert outsider.get(url("certificate-detail", own.pk)).status_code == 302


def test_numbers_of_certificates_are_not_tried_by_the_thousand(world, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "certificate": "3/m/ip"}
    outsider, told = Client(REMOTE_ADDR="192.0.2.77"), []
    for _try in range(5):
        told.append(outsider.get(url("certificate-verify"), {"number": new_certificate_number()}).status_code)
    assert told == [200, 200, 200, 429, 429]


def test_more_participants_than_places_are_refused_and_none_is_kept(world):
    by = world.director
    session = a_session(by, held=True, places=2)
    with pytest.raises(Refused, match="There are 2 places and 3 participants"):
        registered(session, by, *(person("KP-THB", number) for number in (1, 2, 3)))
    assert not Participation.objects.exists() and not Trainee.objects.exists()
    session = registered(session, by, person("KP-THB", 1))
    with pytest.raises(Refused, match="2 places and 3"):
        training_results.count_people(
            session, [Count(institution("MOH"), "health", "", women=2)], by=by, revision=session.revision
        )
    with pytest.raises(Refused, match="as many places at least"):
        registered(session, by, person("KP-THB", 2))
        session.refresh_from_db()
        training.change_session(session, {"places": 1}, by=by, revision=session.revision)


def test_a_test_after_without_one_before_counts_in_no_gain(world):
    by = world.director
    session = registered(
        a_session(by, held=True), by, person("KP-THB", 1, post=90), person("KP-THB", 2, pre=20), person("KP-THB", 3, pre=20, post=50),
        person("KP-THB", 4, pre=60, post=40),
    )  # fmt: skip
    gain = session_people(session, by).gain
    assert (gain.people, gain.both, gain.before, gain.after, gain.gain, gain.improved) == (
        4,
        2,
        Decimal("40.0"),
        Decimal("45.0"),
        Decimal("5.0"),
        1,
    )


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        (person("KP-THB", 1, post=101), "post", "from 0 to 100"),
        (person("KP-THB", 1, pre=-1), "pre", "from 0 to 100"),
        (person("NOBODY", 1), "institution", "not known"),
        (person("MLSW", 1), "institution", "dissolved"),
        (person("KP-THB", 0), "number", "from 1 to 999999"),
        (person("KP-THB", 9, sex="M"), "sex", "is recorded as female"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_kept(world, row, column, sentence):
    by = world.director
    registered(a_session(by, held=True), by, person("KP-THB", 9))
    session = a_session(by, held=True)
    with pytest.raises(BadRows) as bad:
        registered(session, by, person("MOH", 1), row)
    assert [(place, name) for place, name, _said in bad.value.problems] == [
        (1, column)
    ] and sentence in bad.value.problems[0][2]
    assert not session.participations.exists()


def test_the_database_holds_the_bounds_too(world):
    by = world.director
    session = registered(a_session(by, held=True), by, person("KP-THB", 1, pre=1))
    one = session.participations.get()
    for change in ({"post": 101}, {"certificate": "X"}, {"pre": 101}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Participation.objects.filter(pk=one.pk).update(**change)
    for change in ({"state": "cancelled"}, {"places": 0}, {"ends_on": days_ago(99)}, {"cost_actual_cents": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TrainingSession.objects.filter(pk=session.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Participation.objects.create(session=session, trainee=one.trainee, function="police")


def test_a_session_in_the_future_is_not_held_and_one_that_had_people_is_not_cancelled(world):
    by = world.director
    later = a_session(by, starts_on=days_ago(-3), ends_on=days_ago(-3))
    with pytest.raises(Refused, match="cannot have been held yet") as refused:
        training.settle_session(later, state="held", by=by, revision=0)
    assert refused.value.field == "state"
    with pytest.raises(Refused, match="nobody can have taken part yet"):
        registered(later, by, person("KP-THB", 1))
    with pytest.raises(Refused, match="Say why"):
        training.settle_session(later, state="cancelled", by=by, revision=0, cancel_reason=" ")
    cancelled = training.settle_session(later, state="cancelled", by=by, revision=0, cancel_reason="Moti")
    assert (
        training.settle_session(later, state="cancelled", by=by, revision=0, cancel_reason="Moti").revision
        == cancelled.revision
    )
    with pytest.raises(Refused, match="was cancelled"):
        registered(cancelled, by, person("KP-THB", 1))
    held = registered(a_session(by, held=True), by, person("KP-THB", 1))
    with pytest.raises(Refused, match="Take them out first"):
        training.settle_session(held, state="cancelled", by=by, revision=held.revision, cancel_reason="x")
    with pytest.raises(Refused, match="lies in the future"):
        training.change_session(
            held, {"starts_on": days_ago(-1), "ends_on": days_ago(-1)}, by=by, revision=held.revision
        )
    with pytest.raises(Refused, match="once the session was held"):
        training_results.issue_certificates(a_session(by), by=by)


def test_results_of_two_people_do_not_overwrite_each_other(world):
    by = world.director
    session = a_session(by, held=True)
    revision = session.revision
    rows = [person("KP-THB", 1, pre=10, post=20)]
    first = training_results.register_results(session, rows, by=by, revision=revision)
    assert training_results.register_results(session, rows, by=by, revision=revision).revision == first.revision
    with pytest.raises(Stale):
        training_results.register_results(session, [person("KP-THB", 1, pre=99)], by=world.child, revision=revision)
    assert session.participations.get().pre == 10
    one = session.participations.get()
    training_results.issue_certificates(first, by=by)
    with pytest.raises(Refused, match="has a certificate"):
        training_results.register_results(first, [], by=by, revision=first.revision, taken_off=[one.pk])
    for reader in (world.natc, world.information, world.focal_point, world.observer):
        with pytest.raises(PermissionDenied):
            training_results.register_results(session, rows, by=reader, revision=revision)


def test_a_file_of_ten_thousand_rows_with_one_bad_keeps_nothing_and_names_it(world, client_for):
    session = a_session(world.director, held=True, places=20_000)
    office, address = client_for("director"), url("training-session-upload", session.pk)
    rows = [f"KP-THB,{number},police,F,PRN,40,{60 if number != 7_777 else 160}\n" for number in range(1, 10_001)]
    page = office.post(address, upload(HEAD + "".join(rows), session.revision))
    assert page.context["form"].errors["file"] == ["row 7778, column post: “160” is no number of points from 0 to 100."]
    assert not Participation.objects.exists() and not Trainee.objects.exists()
    good = upload(HEAD + "".join(rows[:500]), session.revision)
    assert "The results are on record." in office.post(address, good, follow=True).content.decode()
    assert Participation.objects.count() == 500 and TrainingFollowUp.objects.get().participants == 500


def test_a_larger_file_costs_one_statement_more_for_each_thousand_rows(world):
    """Ten thousand rows were 125 statements and more than a minute when they changed (issue 7, 08)."""
    by = world.director

    def cost(act) -> int:
        with CaptureQueriesContext(connection) as asked:
            act()
        return len(asked)

    def costs(code: str, number: int) -> list[int]:
        session = a_session(by, held=True, places=20_000)
        told = []
        for sex, points in (("U", 40), ("F", 50)):  # new; then what was not known, and the points
            rows = [person(code, one, sex=sex, pre=points, post=60) for one in range(1, number + 1)]
            told.append(cost(lambda rows=rows: registered(session, by, *rows)))
            session.refresh_from_db()
        told.append(cost(lambda: training_results.issue_certificates(session, by=by)))
        held = session.participations.filter(pre=50, trainee__sex="F", certificate__isnull=False, certified_by=by)
        assert held.count() == number and held.values("certificate").distinct().count() == number
        return told

    few, many = costs("KP-THB", 1_000), costs("MOH", 2_000)
    assert [more - less for less, more in zip(few, many, strict=True)] == [2, 2, 1]  # people and their results


def test_everybody_is_reached_in_the_form_and_on_the_page(world, client_for):
    """More than fit on one page: the form has pages, as the list has (a thousand fields are the most of one form)."""
    by, office = world.director, client_for("director")
    session = a_session(by, held=True, places=200)
    session = registered(session, by, *(person("KP-THB", number) for number in range(1, 121)))
    address = url("training-session-results", session.pk)
    first, last = office.get(address).content.decode(), office.get(address + "?page=3").content.decode()
    assert "KP-THB-0001" in first and "KP-THB-0120" not in first and "120 participants are registered" in first
    assert "KP-THB-0120" in last and "KP-THB-0001" not in last and "Page 3 of 3" in last
    form = office.get(address + "?page=3").context["form"]
    sent = {name: form[name].value() or "" for name in form.fields if not name.startswith("off_")}
    key = form.held and next(key for key, one in form.held.items() if one.trainee.number == 120)
    assert office.post(address + "?page=3", sent | {f"post_{key}": "77"}).status_code == 302
    assert session.participations.get(post=77).trainee.number == 120
    shown = office.get(session.get_absolute_url()).content.decode()
    assert "KP-THB-0120" not in shown and "Page 1 of 2" in shown
    assert "KP-THB-0120" in office.get(session.get_absolute_url() + "?page=2").content.decode()


def test_what_was_typed_stays_with_its_person_when_a_colleague_put_somebody_before(world, client_for):
    by, office = world.director, client_for("director")
    session = registered(a_session(by, held=True), by, person("KP-THB", 5), person("MOH", 1))
    address = url("training-session-results", session.pk)
    form = office.get(address).context["form"]
    sent = {name: form[name].value() or "" for name in form.fields if not name.startswith("off_")}
    key = next(key for key, one in form.held.items() if one.trainee.number == 5)
    sent |= {f"post_{key}": "66", "institution_0": institution("MOH").pk, "number_0": "2", "function_0": "health"}
    registered(session, world.child, person("KP-THB", 1), person("KP-THB", 2))
    stale = office.post(address, sent)
    assert "A colleague changed this" in stale.content.decode() and 'value="66"' in stale.content.decode()
    session.refresh_from_db()
    assert office.post(address, sent | {"revision": session.revision}).status_code == 302
    held = {str(one): one.post for one in session.participations.select_related("trainee__institution")}
    assert held == {"KP-THB-0001": None, "KP-THB-0002": None, "KP-THB-0005": 66, "MOH-0001": None, "MOH-0002": None}


def test_what_the_act_refuses_of_a_file_is_said_with_its_row(world, client_for):
    by = world.director
    registered(a_session(by, held=True), by, person("KP-THB", 9))
    session = a_session(by, held=True)
    office = client_for("director")
    with translation.override("sq"):
        function, sex = translation.gettext("front-line police"), translation.gettext("male")
    text = HEAD + f"\nMOH,1,health,F,,,\nKP-THB,9,{function},{sex},,,\n"
    errors = (
        office.post(url("training-session-upload", session.pk), upload(text, session.revision)).context["form"].errors
    )
    assert any("row 4, column sex" in one for one in errors["file"]), errors
    assert "Only .csv" in str(
        office.post(url("training-session-upload", session.pk), upload(text, 0, "a.xlsx")).context["form"].errors
    )
    assert not session.participations.exists()


def test_an_institution_is_counted_with_numbers_or_without_and_not_both(world, client_for):
    by = world.director
    session = registered(a_session(by, held=True), by, person("KP-THB", 1))
    with pytest.raises(Refused, match="have numbers in this session"):
        training_results.count_people(
            session, [Count(institution("KP-THB"), "police", "", men=2)], by=by, revision=session.revision
        )
    form = {"revision": session.revision, "institution_0": institution("MOH").pk, "function_0": "health", "municipality_0": "PEJ", "women_0": "3", "men_0": "0"}  # fmt: skip
    client_for("director").post(url("training-session-counts", session.pk), form)
    session.refresh_from_db()
    people = session_people(session, by)
    assert [(row.institution.code, row.sexes.parts, row.uncoded) for row in people.rows] == [
        ("KP-THB", (1, 0, 0, 0), 0), ("MOH", (3, 0, 0, 0), 3),
    ]  # fmt: skip
    assert (
        people.total.total
        == 4
        == sum(row.sexes.total for row in people.rows)
        == sum(number for _label, number in people.functions)
    )
    with pytest.raises(BadRows) as bad:
        registered(session, by, person("MOH", 1))
    assert bad.value.problems[0][1] == "institution"
    assert {one.institution.code: one.participants for one in session.follow_ups.select_related("institution")} == {
        "KP-THB": 1,
        "MOH": 3,
    }
    training_results.count_people(session, [], by=by, revision=session.revision)
    assert session.follow_ups.count() == 1


def test_six_months_after_the_institution_says_what_became_of_it(world, client_for):
    by, police = world.director, world.focal_point
    session = registered(
        a_session(by, starts_on=days_ago(186), ends_on=days_ago(185), held=True),
        by,
        *(person("KP-THB", n) for n in range(1, 5)),
    )
    early = registered(a_session(by, held=True), by, person("KP-THB", 1), person("MOH", 1))
    follow_up = TrainingFollowUp.objects.get(session=session)
    assert follow_up.due_on == months_after(session.ends_on, 6) and follow_up.participants == 4
    told = {"still_there": 4, "applying": 3, "judgement": "some", "note": ""}
    with pytest.raises(Refused, match="too early"):
        training_follow_ups.answer_follow_up(
            early.follow_ups.get(institution__code="KP-THB"), told, by=police, revision=0
        )
    with pytest.raises(Refused, match="No more can use it"):
        training_follow_ups.answer_follow_up(follow_up, told | {"applying": 5}, by=police, revision=0)
    with pytest.raises(PermissionDenied):
        training_follow_ups.answer_follow_up(follow_up, told, by=world.other_focal_point, revision=0)
    assert client_for("other_focal_point").get(url("training-follow-up-edit", follow_up.pk)).status_code == 404
    assert training_follow_ups.remind_of_follow_ups() == 1 and training_follow_ups.remind_of_follow_ups() == 0
    assert Message.objects.filter(occasion__startswith="training follow-ups").get().address == police.email
    form = {"still_there": "4", "applying": "3", "judgement": "some", "note": "", "revision": 0}
    page = (
        client_for("focal_point").post(url("training-follow-up-edit", follow_up.pk), form, follow=True).content.decode()
    )
    assert "75" in page and "1 of 1 answers that are due were given" in page
    with pytest.raises(Stale):
        training_follow_ups.answer_follow_up(follow_up, told | {"applying": 1}, by=police, revision=0)
    assert training_follow_ups.remind_of_follow_ups() == 0
    effect = effect_of(TrainingFollowUp.objects.all(), timezone.localdate())
    assert (effect.due, effect.answered, effect.people, effect.applying_pct) == (1, 1, 4, Decimal("75.0"))
    moved = training.change_session(
        early, {"starts_on": days_ago(20), "ends_on": days_ago(19)}, by=by, revision=early.revision
    )
    assert {one.due_on for one in moved.follow_ups.all()} == {months_after(days_ago(19), 6)}


def test_a_follow_up_of_the_last_of_august_is_due_on_the_last_of_february(world):
    by = world.director
    session = a_session(
        by, starts_on=timezone.datetime(2024, 8, 31).date(), ends_on=timezone.datetime(2024, 8, 31).date(), held=True
    )
    registered(session, by, person("KP-THB", 1))
    assert session.follow_ups.get().due_on.isoformat() == "2025-02-28"


def test_reach_counts_a_person_once_and_an_unknown_need_is_no_zero(world, client_for):
    by = world.director
    assessment = an_assessment(by, "KP-THB", "MOH", "ISF")
    submitted(answer_of(assessment, "KP-THB"), world.focal_point, municipality_id="PRN")
    first, second = a_session(by, held=True), a_session(by, held=True, starts_on=days_ago(3), ends_on=days_ago(3))
    child = a_session(by, a_course(by, title_en="Children", topic="T_CHILD"), held=True)
    old = a_session(by, held=True, starts_on=days_ago(400), ends_on=days_ago(400))
    registered(
        first, by, person("KP-THB", 1, municipality="PEJ"), person("KP-THB", 2), person("MOH", 1, function="health")
    )
    registered(second, by, person("KP-THB", 1, municipality="PRN"))
    registered(child, by, person("KP-THB", 3, function="border"))
    registered(old, by, person("KP-THB", 4))
    second.refresh_from_db()
    training_results.count_people(
        second, [Count(institution("ISF"), "shelter", "", women=2, unknown=1)], by=by, revision=second.revision
    )
    table = reach_of(assessment, by)
    found = {
        row.label: (row.reach.need, row.reach.distinct, row.reach.uncoded, row.is_missing) for row in table.institutions
    }
    assert found[str(institution("KP-THB").name)] == (25, 3, 0, False)
    assert found[str(institution("MOH").name)] == (None, 1, 0, True) and found[str(institution("ISF").name)] == (
        None,
        0,
        3,
        True,
    )
    assert (table.total.need, table.total.distinct, table.total.uncoded) == (25, 4, 3) and (
        table.asked,
        table.submitted,
    ) == (3, 1)
    for rows in (table.institutions, table.municipalities, table.functions):
        assert sum(row.reach.distinct for row in rows) == 4 and sum(row.reach.uncoded for row in rows) == 3
    places = {row.label: (row.reach.need, row.reach.distinct) for row in table.municipalities}
    assert places["Pristina"] == (25, 1) and places[""] == (None, 3)
    of_topic = reach_of(assessment, by, topic="T_CHILD")
    assert (of_topic.total.need, of_topic.total.distinct) == (5, 1)
    own = reach_of(assessment, world.focal_point)
    assert [row.label for row in own.institutions] == [str(institution("KP-THB").name)] and own.total.distinct == 3
    page = client_for("observer").get(url("training-reach")).content.decode()
    assert (
        "1 of 3 institutions said what they need" in page
        and "not answered" in page
        and "<svg" in page
        and "12 %" in page
    )
    assert (
        "You see the people of your institution."
        in client_for("focal_point").get(url("training-reach")).content.decode()
    )
    exported = b"".join(client_for("observer").get(url("training-reach-export") + "?format=csv&topic=T_CHILD")).decode()
    assert "municipality,Pristina,5,0" in exported
    assert client_for("focal_point").get(url("training-reach"), {"assessment": "x", "topic": "y"}).status_code == 200


def test_the_plan_shows_what_was_done_of_it(world, client_for):
    by = world.director
    plan, course = a_plan(by), a_course(by)
    item = an_item(plan, by, course, cost_cents=100_000, payer=institution("OSCE"))
    held = a_session(by, course, plan_item=item, held=True)
    held = training.settle_session(held, state="held", by=by, revision=held.revision, cost_actual_cents=30_000)
    registered(held, by, person("KP-THB", 1), person("KP-THB", 2))
    a_session(by, course, plan_item=item)
    a_session(by, course, plan_item=item, held=True)
    with pytest.raises(Refused, match="plan for this year already"):
        a_plan(by)
    with pytest.raises(Refused, match="Sessions belong to this line"):
        training.remove_item(item, by=by)
    for reader, status in (("focal_point", 404), ("observer", 404), ("natc", 200)):
        assert client_for(reader).get(plan.get_absolute_url()).status_code == status
    with pytest.raises(PermissionDenied):
        training.adopt_plan(plan, by=world.planning, adopted_on=days_ago(0), revision=0)
    with pytest.raises(Refused, match="future"):
        training.adopt_plan(plan, by=by, adopted_on=days_ago(-1), revision=0)
    client_for("director").post(
        url("training-plan-adopt", plan.pk), {"adopted_on": days_ago(1).isoformat(), "decision": "", "revision": 0}
    )
    plan.refresh_from_db()
    assert plan.state == "adopted"
    with pytest.raises(Refused, match="The plan is adopted"):
        an_item(plan, by, course)
    lines, total = plan_progress(plan, by)
    assert [(one.planned, one.held, one.people, one.cost, one.cost_unknown) for one in lines] == [(1, 2, 2, 30_000, 1)]
    assert (total.number, total.people, total.pct, total.planned_cents) == (40, 2, Decimal("5.0"), 100_000)
    page = client_for("observer").get(plan.get_absolute_url()).content.decode()
    assert "1,000.00" in page and "cost of 1 session not known" in page
    police = client_for("focal_point").get(plan.get_absolute_url()).content.decode()
    assert "1,000.00" not in police and "People trained are those of your institution" in police
    assert b"300" in b"".join(client_for("observer").get(url("training-plan-export", plan.pk) + "?format=csv"))
    training.reopen_plan(plan, by=by)
    assert client_for("observer").get(plan.get_absolute_url()).status_code == 404
    with pytest.raises(Refused, match="no lines"):
        training.adopt_plan(a_plan(by, year=2030), by=by, adopted_on=days_ago(0), revision=0)


def test_a_joint_event_says_days_and_place_once(world, client_for):
    by = world.director
    event = record_event(
        uuid.uuid4(),
        {"kind": "training", "title_en": "Joint", "starts_on": days_ago(5), "ends_on": days_ago(4), "municipality_id": "PEJ", "place": "Hotel", "organiser": institution("OSCE")},
        by=by,
    )  # fmt: skip
    course = a_course(by)
    form = {"key": str(uuid.uuid4()), "course": course.pk, "event": event.pk, "places": "10"}
    client_for("director").post(url("training-session-create"), form)
    session = TrainingSession.objects.get()
    assert (session.starts_on, session.municipality_id, session.organiser.code) == (days_ago(5), "PEJ", "OSCE")
    page = client_for("director").get(event.get_absolute_url()).content.decode()
    assert session.get_absolute_url() in page and url("training-session-create") in page
    settle(event, state="cancelled", by=by, revision=0, cancel_reason="x")
    with pytest.raises(Refused, match="This event was cancelled"):
        a_session(by, course, event=event)
    empty = client_for("director").post(
        url("training-session-create"), {"key": str(uuid.uuid4()), "course": course.pk, "places": "1"}
    )
    assert set(empty.context["form"].errors) == {"starts_on", "ends_on", "organiser"}


def test_a_trainer_is_certified_by_a_training_of_trainers(world, client_for):
    by = world.director
    plain, of_trainers = a_session(by, held=True), a_session(by, a_course(by, trains_trainers=True), held=True)
    values = {"institution": institution("KP-THB"), "function": "trainer 1", "topics": ["T_CHILD"]}
    for session, sentence in ((plain, "no training of trainers"), (a_session(by, of_trainers.course), "was not held")):
        with pytest.raises(Refused, match=sentence):
            training.add_trainer(uuid.uuid4(), values | {"certified_in": session}, by=by)
    key = uuid.uuid4()
    training.add_trainer(key, values | {"certified_in": of_trainers}, by=by)
    training.add_trainer(key, values | {"certified_in": of_trainers}, by=by)
    assert Trainer.objects.count() == 1
    with pytest.raises(Refused, match="trainer of this function already"):
        training.add_trainer(uuid.uuid4(), values, by=by)
    assert "trainer 1" in client_for("focal_point").get(url("trainer-list")).content.decode()
    assert "trainer 1" not in client_for("other_focal_point").get(url("trainer-list")).content.decode()


def test_what_stands_on_certificates_stays(world):
    by = world.director
    session = registered(a_session(by, held=True), by, person("KP-THB", 1))
    assert (
        training_results.issue_certificates(session, by=by) == 1
        and training_results.issue_certificates(session, by=by) == 0
    )
    with pytest.raises(Refused, match="Certificates were issued"):
        training.change_course(session.course, {"hours": 40}, by=by, revision=0)
    with pytest.raises(Refused, match="name the course"):
        training.change_session(session, {"course": a_course(by, title_en="Other")}, by=by, revision=session.revision)
    assert training.change_course(session.course, {"title_en": "Renamed"}, by=by, revision=0).title_en == "Renamed"
    number = session.participations.get().certificate
    assert read_certificate_number(spoken(number)) == number


def test_lists_cost_the_same_whatever_they_hold(world, client_for):
    by, office, police = world.director, client_for("director"), client_for("focal_point")
    assessment = an_assessment(by, "KP-THB")
    submitted(answer_of(assessment, "KP-THB"), world.focal_point)
    pages = [
        url(name)
        for name in (
            "training-session-list",
            "course-list",
            "training-follow-up-list",
            "trainer-list",
            "training-reach",
            "needs-assessment-list",
        )
    ]
    pages.append(assessment.get_absolute_url())
    training.add_trainer(uuid.uuid4(), {"institution": institution("KP-THB"), "function": "trainer"}, by=by)
    session = a_session(by, held=True)
    registered(session, by, person("KP-THB", 1), person("MOH", 1))
    pages.append(session.get_absolute_url())

    def cost() -> list[int]:
        found = []
        for client in (office, police):
            for page in pages:
                with CaptureQueriesContext(connection) as caught:
                    assert client.get(page).status_code == 200
                found.append(asked(caught))
        return found

    cost()
    before = cost()
    for number in range(4):
        more = registered(
            a_session(by, held=True), by, person("KP-THB", 10 + number), person("CSW", number + 1), person("VPAO", 1)
        )
        training.add_trainer(
            uuid.uuid4(),
            {"institution": institution("KP-THB"), "function": f"trainer {number}", "certified_in": None},
            by=by,
        )
        assert more.follow_ups.count() == 3
    session.refresh_from_db()
    registered(session, by, *(person("CSW", number, function="social") for number in range(50, 60)))
    assert cost() == before


@pytest.mark.django_db(transaction=True)
def test_two_sessions_register_the_same_new_person_at_once(world):
    by = world.director
    course = a_course(by)
    sessions = [a_session(by, course, held=True), a_session(by, course, held=True)]
    ready, outcomes = threading.Barrier(2), []

    def press(session) -> None:
        try:
            with translation.override("en"):
                ready.wait(10)
                registered(session, by, *(person("KP-THB", number) for number in range(1, 20)))
                outcomes.append("registered")
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes == ["registered", "registered"]
    assert Trainee.objects.count() == 19 and Participation.objects.count() == 38


@pytest.mark.django_db(transaction=True)
def test_two_who_register_results_of_one_session_at_once(world):
    by = world.director
    session = a_session(by, held=True)
    ready, outcomes = threading.Barrier(2), []

    def press(points: int) -> None:
        try:
            with translation.override("en"):
                ready.wait(10)
                training_results.register_results(
                    session, [person("KP-THB", 1, pre=points)], by=by, revision=session.revision
                )
                outcomes.append("registered")
        except Stale:
            outcomes.append("stale")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(points,)) for points in (10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["registered", "stale"] and Participation.objects.count() == 1


def test_what_must_always_be_true_of_trainings_is_found_when_it_is_not(world):
    by = world.director
    session = registered(a_session(by, held=True), by, person("KP-THB", 1), person("MOH", 1))
    rules = (
        training_invariants.nobody_took_part_twice,
        training_invariants.people_fit_the_places,
        training_invariants.follow_ups_ask_who_took_part,
    )
    assert [list(rule()) for rule in rules] == [[], [], []]
    Headcount.objects.create(session=session, institution=institution("MOH"), function="health", women=40)
    assert [len(list(rule())) for rule in rules] == [1, 1, 1]
