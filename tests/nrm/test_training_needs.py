"""Assessments of training needs: sent, answered by institutions, added up by function; who has not answered is missing."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connections, transaction
from django.urls import reverse
from django.utils import timezone, translation
from freezegun import freeze_time

from nrm.actions import training_needs as actions
from nrm.models import NeedsAnswer, NeedsAssessment, StaffNeed, TopicNeed
from nrm.queries.training import needs_results
from onatc.errors import Refused
from onatc.models import Message
from stakeholders.actions.records import Stale
from tests.nrm.trainings import a_row, an_assessment, answer_of, days_ago, institution, submitted

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"nrm:{name}", args=args)


def test_from_the_office_to_the_institution_and_back_in_the_browser(world, client_for):
    office, police = client_for("planning"), client_for("focal_point")
    form = {
        "key": str(uuid.uuid4()), "title_sq": "Nevojat", "title_sr": "", "title_en": "Needs", "starts_on": days_ago(30).isoformat(),
        "ends_on": days_ago(-300).isoformat(), "closes_on": days_ago(-10).isoformat(), "topics": ["T_INDICATORS", "T_CHILD"],
    }  # fmt: skip
    page = office.post(url("needs-assessment-create"), form, follow=True).content.decode()
    office.post(url("needs-assessment-create"), form)
    assessment = NeedsAssessment.objects.get()
    assert "Send it to the institutions." in page and assessment.state == "draft"
    assert police.get(assessment.get_absolute_url()).status_code == 404
    codes = [str(institution(code).pk) for code in ("KP-THB", "MOH")]
    office.post(url("needs-assessment-send", assessment.pk), {"institutions": codes})
    office.post(url("needs-assessment-send", assessment.pk), {"institutions": codes})
    assert NeedsAnswer.objects.count() == 2
    assert Message.objects.filter(occasion__startswith="training needs ").count() == 2
    answer = answer_of(assessment, "KP-THB")
    assert answer.get_absolute_url() in police.get(url("needs-assessment-list")).content.decode()
    row = {
        "key": str(uuid.uuid4()), "function": "police", "municipality": "PRN", "staff": "40", "trained": "10", "to_train": "25",
        "priority": "1", "topic_T_INDICATORS": "20", "topic_T_CHILD": "",
    }  # fmt: skip
    assert "Add the next function" in police.post(url("need-row-create", answer.pk), row, follow=True).content.decode()
    police.post(url("need-row-create", answer.pk), row)
    assert StaffNeed.objects.count() == 1 and TopicNeed.objects.get().number == 20
    answer.refresh_from_db()
    assert answer.state == "draft"
    sent = police.post(
        url("need-answer-submit", answer.pk), {"note": "Me turne.", "revision": answer.revision}, follow=True
    )
    assert "The answer was submitted." in sent.content.decode() and "Me turne." in sent.content.decode()
    page = office.get(assessment.get_absolute_url()).content.decode()
    assert "1 of 2 institutions" in page and "62.5" in page and "<svg" in page
    exported = b"".join(office.get(url("needs-assessment-export", assessment.pk) + "?format=csv")).decode()
    assert "front-line police,1,40,10,25,20,0" in exported and "not answered: MoH" in exported
    assert office.get(url("needs-assessment-export", assessment.pk) + "?format=xlsx").status_code == 200
    assert "62.5" not in police.get(assessment.get_absolute_url()).content.decode()
    office.post(url("needs-assessment-close", assessment.pk))
    assert (
        "takes no answers any more" in police.post(url("need-answer-reopen", answer.pk), follow=True).content.decode()
    )


def test_who_has_not_answered_is_missing_and_no_zero(world):
    by = world.monitoring
    assessment = an_assessment(by, "KP-THB", "MOH", "ISF")
    submitted(answer_of(assessment, "KP-THB"), world.focal_point)
    a_row(
        answer_of(assessment, "MOH"),
        world.other_focal_point,
        "health",
        staff=9,
        trained=0,
        to_train=9,
        topics={"T_CHILD": 9},
    )
    found = needs_results(assessment)
    assert (found.asked, found.submitted, [one.code for one in found.missing]) == (3, 1, ["ISF", "MOH"])
    assert [(one.label, one.to_train) for one in found.functions] == [("front-line police", 25)]
    assert found.total.to_train == sum(one.to_train for one in found.functions) == 25
    assert found.total.topics == {"T_INDICATORS": 20, "T_CHILD": 5}


def test_an_answer_after_the_close_or_the_last_day_is_refused(world):
    by, police = world.director, world.focal_point
    assessment = an_assessment(by, "KP-THB")
    answer = answer_of(assessment, "KP-THB")
    row = a_row(answer, police)
    with freeze_time(timezone.now() + timezone.timedelta(days=21)):
        with pytest.raises(Refused, match="last day for answers has passed"):
            a_row(answer, police, "border")
        with pytest.raises(Refused, match="last day for answers has passed"):
            actions.submit_answer(answer, by=police, revision=1)
    actions.close_assessment(assessment, by=by)
    assert actions.close_assessment(assessment, by=by).state == "closed"
    for act in (
        lambda: actions.submit_answer(answer, by=police, revision=1),
        lambda: actions.change_row(row, {"to_train": 1}, {}, by=police, revision=0),
        lambda: actions.remove_row(row, by=police),
        lambda: actions.open_assessment(assessment, [], by=by),
        lambda: actions.change_assessment(assessment, {"title_en": "x"}, by=by, revision=9),
    ):
        with pytest.raises(Refused, match="closed"):
            act()
    answer.refresh_from_db()
    assert answer.state == "draft" and needs_results(assessment).submitted == 0


def test_bad_numbers_are_refused_at_their_place(world, client_for):
    police = world.focal_point
    answer = answer_of(an_assessment(world.director, "KP-THB"), "KP-THB")
    for changes, sentence in (
        ({"trained": 41}, "No more can be trained than there are."),
        ({"to_train": 41}, "No more can need training"),
        ({"topics": {"T_CHILD": 26}}, "No more can need a topic"),
        ({"topics": {"T_COURT": 1}}, "This topic is not asked about."),
    ):
        with pytest.raises(Refused, match=sentence):
            a_row(answer, police, **changes)
    a_row(answer, police)
    with pytest.raises(Refused, match="is there already"):
        a_row(answer, police)
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffNeed.objects.update(trained=1000)
    form = {"key": str(uuid.uuid4()), "function": "judge", "municipality": "", "staff": "3", "trained": "4", "to_train": "-1", "priority": "2", "topic_T_CHILD": "7"}  # fmt: skip
    errors = client_for("focal_point").post(url("need-row-create", answer.pk), form).context["form"].errors
    assert set(errors) == {"trained", "to_train", "topic_T_CHILD"} or "trained" in errors
    with pytest.raises(Refused, match="Choose one institution"):
        actions.open_assessment(an_assessment(world.director), [], by=world.director)
    with pytest.raises(Refused, match="last day for answers has passed"):
        an_assessment(world.director, "KP-THB", closes_on=days_ago(1))
    with pytest.raises(Refused, match="topics stay"):
        actions.change_assessment(answer.assessment, {"topics": ["T_CHILD"]}, by=world.director, revision=1)


def test_double_and_stale_forms_are_safe(world):
    police = world.focal_point
    answer = answer_of(an_assessment(world.director, "KP-THB"), "KP-THB")
    with pytest.raises(Refused, match="Add one function at least"):
        actions.submit_answer(answer, by=police, revision=0)
    row = a_row(answer, police)
    values = {"staff": 40, "trained": 10, "to_train": 30}
    row = actions.change_row(row, values, {"T_CHILD": 5}, by=police, revision=0)
    assert actions.change_row(row, values, {"T_CHILD": 5}, by=police, revision=0).revision == row.revision
    with pytest.raises(Stale):
        actions.change_row(row, values | {"to_train": 12}, {"T_CHILD": 5}, by=police, revision=0)
    with pytest.raises(Stale):
        actions.change_row(row, values, {"T_CHILD": 7}, by=police, revision=0)
    assert TopicNeed.objects.get().number == 5
    with pytest.raises(Stale):  # a colleague changed a row since the page was made
        actions.submit_answer(answer, by=police, revision=1)
    answer.refresh_from_db()
    done = actions.submit_answer(answer, by=police, revision=answer.revision)
    assert actions.submit_answer(answer, by=police, revision=0).revision == done.revision
    with pytest.raises(Refused, match="Take it back first"):
        actions.change_row(row, values, {}, by=police, revision=row.revision)
    again = actions.reopen_answer(answer, by=police)
    assert again.state == "draft" and again.submitted_at is None


def test_rights_are_the_offices_and_the_institutions(world, client_for):
    assessment = an_assessment(world.child, "KP-THB")
    answer = answer_of(assessment, "KP-THB")
    for person in (world.natc, world.information, world.focal_point, world.observer, world.administrator):
        with pytest.raises(PermissionDenied):
            an_assessment(person)
    for person in (world.director, world.other_focal_point):
        with pytest.raises(PermissionDenied):
            a_row(answer, person)
    got = {name: client_for(name).get(answer.get_absolute_url()).status_code
           for name in ("director", "natc", "focal_point", "other_focal_point", "observer", "administrator", "stranger")}  # fmt: skip
    assert got == {"director": 200, "natc": 200, "focal_point": 200, "other_focal_point": 404, "observer": 404,
                   "administrator": 404, "stranger": 404}  # fmt: skip
    assert client_for("director").get(url("need-row-create", answer.pk)).status_code == 403
    assert client_for("other_focal_point").get(assessment.get_absolute_url()).status_code == 404
    assert client_for("administrator").get(url("needs-assessment-list")).status_code == 403


def test_a_reminder_goes_out_once_a_week_before_the_last_day(world):
    assessment = an_assessment(world.director, "KP-THB", "MOH", closes_on=days_ago(-6))
    submitted(answer_of(assessment, "MOH"), world.other_focal_point)
    assert actions.remind_of_needs(on=days_ago(3)) == 0  # nine days before
    assert actions.remind_of_needs() == 1 and actions.remind_of_needs() == 0
    mail = Message.objects.get(occasion__startswith="training needs due")
    assert mail.address == world.focal_point.email and "has not submitted" in mail.text


@pytest.mark.django_db(transaction=True)
def test_two_who_add_the_same_function_at_once_add_one(world):
    police = world.focal_point
    answer = answer_of(an_assessment(world.director, "KP-THB"), "KP-THB")
    ready, outcomes = threading.Barrier(2), []

    def press() -> None:
        try:
            with translation.override("en"):
                ready.wait(10)
                a_row(answer, police)
                outcomes.append("added")
        except Refused as refusal:
            outcomes.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["This function is there already for this municipality.", "added"]
    assert StaffNeed.objects.count() == 1
