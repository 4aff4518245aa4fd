"""A draft laid before institutions: who is asked, what they say, what the office answers, and what stands in the way."""

from __future__ import annotations

import threading
from datetime import date, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from onatc.errors import Refused
from onatc.models import Message
from stakeholders.models import Institution, KeptText, Role, RoleAssignment, User
from strategy.actions import consultation as actions
from strategy.actions import plan as plan_actions
from strategy.actions.consultation import Remark
from strategy.models import Comment, Consultation, Goal, Measure, Objective, PlanImport, PlanVersion
from strategy.queries import drafting
from tests.conftest import plan_that_runs


def changed_plan(old: str = "M4.4.2", new: str = "M4.4.9") -> object:
    file = plan_that_runs()
    file.write(file.getvalue().replace(old.encode(), new.encode()))
    file.seek(0)
    return file


@pytest.fixture
def draft(world) -> PlanVersion:
    """A second version of the plan, not adopted."""
    read = plan_actions.preview_import(changed_plan(), "second.csv", plan=world.plan, by=world.planning)
    return plan_actions.apply_import(read, by=world.planning)


def bodies(*codes: str) -> list[Institution]:
    return list(Institution.objects.filter(code__in=codes))


def opened(world, draft, *codes: str, days: int = 10, **changes) -> Consultation:
    today = timezone.localdate()
    said = {"opens_on": today, "closes_on": today + timedelta(days=days)} | changes
    invited = bodies(*(codes or ("KP-THB", "MOH", "OSCE")))
    return actions.open_consultation(draft, by=world.planning, institutions=invited, **said)


def said_by(world, consultation, name: str = "focal_point", code: str = "KP-THB", **changes) -> Comment:
    measure = Measure.objects.get(version=consultation.version_id, code="M1.2.3")
    values = {"text": "Çdo muaj, jo çdo tre muaj.", "thing": measure, "field": "title_sq",
              "proposed": measure.title_sq.replace("tremujore", "mujore")} | changes  # fmt: skip
    return actions.add_comment(consultation, Remark(**values), institution=bodies(code)[0], by=getattr(world, name))


def closed(world, consultation) -> Consultation:
    actions.close_consultation(consultation, by=world.planning)
    consultation.refresh_from_db()
    return consultation


def answered(world, comment, answer: str = "accepted", name: str = "planning") -> Comment:
    comment.refresh_from_db()
    return actions.answer_comment(
        comment, by=getattr(world, name), answer=answer, reason="Ashtu është.", language="sq", revision=comment.revision
    )


def addresses(template: str) -> set[str]:
    return {one.to.email for one in Message.objects.filter(occasion__startswith=template).select_related("to")}


# The term


def test_the_people_of_invited_institutions_are_told_once_in_their_language(world, draft):
    User.objects.filter(pk=world.other_focal_point.pk).update(language="sr-latn")
    consultation = opened(world, draft)
    assert addresses("consultation-invitation") == {"kp-thb@demo.example", "moh@demo.example", "observer@demo.example"}
    assert actions.invite_more(consultation, by=world.planning, institutions=bodies("MOH", "MIA")) == 1
    assert Message.objects.filter(occasion__startswith="consultation-invitation").count() == 4
    mail = Message.objects.get(occasion__startswith="consultation-invitation", to=world.other_focal_point)
    assert consultation.get_absolute_url() in mail.text and mail.subject.startswith("Vaši komentari na nacrt plana")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"days": -1}, "end must not lie before"),
        ({"opens_on": date(2020, 1, 1)}, "cannot begin in the past"),
    ],
)
def test_a_term_reversed_or_in_the_past_is_refused(world, draft, changes, sentence):
    with pytest.raises(Refused, match=sentence):
        opened(world, draft, **changes)


def test_no_institution_another_right_or_no_draft_is_refused(world, draft):
    today = timezone.localdate()
    with pytest.raises(Refused, match="at least one"):
        actions.open_consultation(draft, by=world.planning, institutions=[], opens_on=today, closes_on=today)
    with pytest.raises(PermissionDenied):
        actions.open_consultation(
            draft, by=world.monitoring, institutions=bodies("MOH"), opens_on=today, closes_on=today
        )
    with pytest.raises(Refused, match="Only a draft"):
        opened(world, world.version)


def test_one_is_open_at_a_time_and_the_draft_does_not_change_meanwhile(world, draft):
    consultation = opened(world, draft)
    with pytest.raises(Refused, match="open already"):
        opened(world, draft)
    assert draft.open_consultation == consultation
    third = plan_actions.preview_import(changed_plan("M4.4.1"), "third.csv", plan=world.plan, by=world.planning)
    with pytest.raises(Refused, match="until then it does not change"):
        plan_actions.apply_import(third, by=world.planning)
    with pytest.raises(Refused, match="until then it does not change"):
        plan_actions.undo_import(PlanImport.objects.get(version=draft), by=world.planning)
    closed(world, consultation)
    assert plan_actions.apply_import(third, by=world.planning).number == 3


def test_it_closes_by_itself_the_day_after_its_last_day(world, draft):
    consultation = opened(world, draft, days=3)
    last = consultation.closes_on
    assert actions.close_ended(on=last) == 0
    assert actions.close_ended(on=last + timedelta(days=1)) == 1
    assert actions.close_ended(on=last + timedelta(days=1)) == 0
    consultation.refresh_from_db()
    assert consultation.state == "closed" and consultation.closed_at is not None


def test_an_extension_lies_later_is_told_and_opens_what_was_over(world, draft):
    consultation = opened(world, draft, days=3)
    with pytest.raises(Refused, match="must lie after"):
        actions.extend_term(consultation, by=world.planning, closes_on=consultation.closes_on - timedelta(days=1))
    closed(world, consultation)
    actions.extend_term(consultation, by=world.planning, closes_on=consultation.closes_on + timedelta(days=5))
    consultation.refresh_from_db()
    assert consultation.is_open and consultation.closed_at is None
    assert Message.objects.filter(occasion__startswith="consultation-extended").count() == 3
    assert said_by(world, consultation)


def test_only_the_silent_are_reminded_once_for_each_occasion(world, draft):
    consultation = opened(world, draft, days=10)
    said_by(world, consultation)
    actions.sign_nothing(consultation, institution=bodies("OSCE")[0], by=world.observer)
    day = consultation.closes_on - timedelta(days=7)
    assert actions.remind(on=day - timedelta(days=1)) == 0
    assert actions.remind(on=day) == 1
    assert actions.remind(on=day + timedelta(days=1)) == 0
    assert actions.remind(on=consultation.closes_on - timedelta(days=1)) == 1
    assert actions.remind(on=consultation.closes_on + timedelta(days=1)) == 0
    assert addresses("consultation-reminder") == {"moh@demo.example"}


# Who sees what


def test_a_draft_is_seen_by_invited_institutions_alone_and_while_it_is_a_draft(world, draft):
    assert draft not in PlanVersion.objects.visible_to(world.focal_point)
    before = set(Measure.objects.visible_to(world.focal_point))
    consultation = opened(world, draft, "KP-THB", "OSCE")
    for name in ("focal_point", "observer"):
        reader = getattr(world, name)
        assert draft in PlanVersion.objects.visible_to(reader)
        assert Measure.objects.visible_to(reader).filter(version=draft).count() == draft.measures.count()
    assert draft not in PlanVersion.objects.visible_to(world.other_focal_point)
    assert not Measure.objects.visible_to(world.other_focal_point).filter(version=draft).exists()
    assert list(Consultation.objects.visible_to(world.other_focal_point)) == []
    assert list(Consultation.objects.visible_to(world.administrator)) == []
    closed(world, consultation)
    actions.publish_answers(consultation, by=world.planning)
    adopt(world, draft)
    # In force it is seen as every plan is: an institution sees the measures in which it takes part, and the consultation's
    # page leads to no other.
    _on_plan, tree = drafting.consultation_tree(consultation, world.focal_point)
    leaves = [leaf for goal in tree for objective in goal.below for leaf in objective.below]
    assert {leaf.thing.lineage for leaf in leaves if leaf.is_visible} == {one.lineage for one in before}
    after = Measure.objects.visible_to(world.focal_point).filter(version=draft)
    assert {one.lineage for one in after} == {one.lineage for one in before}


def adopt(world, draft):
    plan_actions.adopt_version(
        draft, by=world.director, adopted_on=timezone.localdate(), adopted_by=bodies("NATC")[0], decision_reference="2"
    )


def test_an_institution_sees_its_own_comments_and_all_once_they_are_published(world, draft):
    consultation = opened(world, draft)
    mine = said_by(world, consultation)
    other = said_by(world, consultation, "other_focal_point", "MOH", thing=None, field="other", proposed="")
    assert list(Comment.objects.visible_to(world.focal_point)) == [mine]
    assert set(Comment.objects.visible_to(world.natc)) == {mine, other}
    assert list(Comment.objects.visible_to(world.local)) == []
    closed(world, consultation)
    for comment in (mine, other):
        answered(world, comment)
    assert list(Comment.objects.visible_to(world.focal_point)) == [mine]
    actions.publish_answers(consultation, by=world.planning)
    assert set(Comment.objects.visible_to(world.focal_point)) == {mine, other}


# Comments


def test_a_comment_keeps_the_wording_it_was_written_on(world, draft):
    comment = said_by(world, opened(world, draft))
    assert comment.wording.startswith("Kontrolle të përbashkëta tremujore") and "mujore" in comment.proposed


def test_a_form_sent_twice_is_one_comment(world, draft):
    consultation = opened(world, draft)
    assert said_by(world, consultation) == said_by(world, consultation)
    assert Comment.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": "  "}, "Say what you remark"),
        ({"text": "x" * 4001}, "at most 4000"),
        ({"proposed": "x" * 4001}, "at most 4000"),
        ({"proposed": "x" * 501}, "at most 500"),
        ({"field": "lineage"}, "Choose what"),
        ({"field": ""}, "Say what of it"),
        ({"field": "ends_on", "proposed": "nesër"}, "31.12.2026"),
        ({"field": "ends_on", "proposed": "31.02.2026"}, "31.12.2026"),
        ({"thing": None, "field": "title_sq"}, "Choose what"),
    ],
)
def test_what_no_comment_may_be_is_refused(world, draft, changes, sentence):
    with pytest.raises(Refused, match=sentence):
        said_by(world, opened(world, draft), **changes)


def test_the_present_wording_is_no_proposal(world, draft):
    consultation = opened(world, draft)
    measure = Measure.objects.get(version=draft, code="M1.2.3")
    with pytest.raises(Refused, match="present one"):
        said_by(world, consultation, proposed=measure.title_sq)


def test_a_measure_of_another_version_and_two_things_at_once_are_refused(world, draft, client_for):
    consultation = opened(world, draft)
    with pytest.raises(Refused, match="does not belong to the draft"):
        said_by(world, consultation, thing=world.measure("M1.2.3"))
    comment = said_by(world, consultation)
    with pytest.raises(IntegrityError), transaction.atomic():
        Comment.objects.filter(pk=comment.pk).update(goal=Goal.objects.filter(version=draft).first())
    client = client_for("focal_point")
    address = reverse("strategy:consultation-comment", args=[consultation.pk])
    goal = Goal.objects.filter(version=draft).first()
    for query in (f"measure={world.measure('M1.2.3').pk}", f"measure={comment.measure_id}&goal={goal.pk}", "measure=x"):
        assert client.post(f"{address}?{query}", {"text": "x"}).status_code == 404


def test_others_comment_neither_for_it_nor_uninvited(world, draft):
    consultation = opened(world, draft, "KP-THB", "MOH")
    with pytest.raises(PermissionDenied):
        said_by(world, consultation, "observer", "OSCE")
    with pytest.raises(Refused, match="your own institution"):
        said_by(world, consultation, "focal_point", "MOH")
    comment = said_by(world, consultation)
    with pytest.raises(PermissionDenied):
        actions.withdraw_comment(comment, by=world.other_focal_point)
    with pytest.raises(PermissionDenied):
        actions.edit_comment(comment, Remark("x"), by=world.planning, revision=0)


def test_a_colleague_who_saved_meanwhile_is_shown(world, draft):
    consultation = opened(world, draft)
    comment = said_by(world, consultation)
    colleague = User.objects.create_user("second@demo.example", full_name="Second", language="en")
    RoleAssignment.objects.create(
        user=colleague, role=Role.FOCAL_POINT, institution=bodies("KP-THB")[0], starts_on=date(2020, 1, 1)
    )
    first = Remark("E para.", comment.measure, "other")
    actions.edit_comment(comment, first, by=colleague, revision=0)
    with pytest.raises(actions.Stale) as caught:
        actions.edit_comment(comment, Remark("E dyta.", comment.measure, "other"), by=world.focal_point, revision=0)
    assert caught.value.theirs.text == "E para."
    assert actions.edit_comment(comment, first, by=world.focal_point, revision=0).revision == 1
    actions.withdraw_comment(comment, by=world.focal_point)
    actions.withdraw_comment(comment, by=world.focal_point)
    with pytest.raises(Refused, match="withdrawn meanwhile"):
        actions.edit_comment(comment, first, by=colleague, revision=1)


def test_on_the_last_day_a_comment_is_taken_and_a_moment_later_it_is_not(world, draft):
    consultation = opened(world, draft, days=2)
    comment = said_by(world, consultation)
    last = timezone.make_aware(datetime.combine(consultation.closes_on, time(23, 59, 59)))
    with freeze_time(last):
        actions.edit_comment(comment, Remark("Në fund.", None, "other"), by=world.focal_point, revision=0)
    with freeze_time(last + timedelta(seconds=1)):
        for act in (
            lambda: said_by(world, consultation, text="Tepër vonë."),
            lambda: actions.edit_comment(comment, Remark("Jo."), by=world.focal_point, revision=1),
            lambda: actions.withdraw_comment(comment, by=world.focal_point),
            lambda: actions.sign_nothing(consultation, institution=bodies("KP-THB")[0], by=world.focal_point),
        ):
            with pytest.raises(actions.TermOver, match="term is over"):
                act()
    assert Comment.objects.get().text == "Në fund."


def test_before_its_first_day_nothing_is_taken(world, draft):
    consultation = opened(world, draft, opens_on=timezone.localdate() + timedelta(days=1))
    with pytest.raises(actions.TermOver, match="begins on"):
        said_by(world, consultation)


def test_what_comes_after_the_end_is_kept_for_its_writer_who_is_told(world, draft, client_for):
    consultation = opened(world, draft)
    client = client_for("focal_point")
    address = reverse("strategy:consultation-comment", args=[consultation.pk])
    assert client.get(address).status_code == 200
    closed(world, consultation)
    answer = client.post(address, {"text": "Një mendim i gjatë.", "field": "other", "language": "sq",
                                   "institution": bodies("KP-THB")[0].pk})  # fmt: skip
    page = answer.content.decode()
    kept = KeptText.objects.get(user=world.focal_point)
    assert "The term is over" in page and "Një mendim i gjatë." in page and reverse("kept-text", args=[kept.pk]) in page
    assert "Një mendim i gjatë." in client.get(reverse("kept-text", args=[kept.pk])).content.decode()
    assert Comment.objects.count() == 0
    assert client.get(address).url == consultation.get_absolute_url()


def test_nothing_to_remark_is_signed_once_and_undone_by_a_comment(world, draft):
    consultation = opened(world, draft)
    body = bodies("KP-THB")[0]
    actions.sign_nothing(consultation, institution=body, by=world.focal_point)
    actions.sign_nothing(consultation, institution=body, by=world.focal_point)
    states = {one.invitation.institution.code: one.state for one in drafting.invited_to(consultation)}
    assert states == {"KP-THB": "nothing", "MOH": "silent", "OSCE": "silent"}
    said_by(world, consultation)
    assert consultation.invitations.get(institution=body).answered_at is None


# Answers


def test_an_answer_needs_a_reason_a_right_and_the_end_of_the_term(world, draft):
    consultation = opened(world, draft)
    comment = said_by(world, consultation)
    with pytest.raises(Refused, match="when the term is over"):
        answered(world, comment)
    closed(world, consultation)
    for changes, sentence in (
        ({"reason": "  "}, "needs a reason"),
        ({"answer": "perhaps"}, "Choose whether"),
        ({"reason": "x" * 2001}, "at most 2000"),
    ):
        values = {"answer": "accepted", "reason": "Po.", "language": "sq", "revision": 0} | changes
        with pytest.raises(Refused, match=sentence):
            actions.answer_comment(comment, by=world.planning, **values)
    for name in ("focal_point", "monitoring", "natc"):
        with pytest.raises(PermissionDenied):
            answered(world, comment, name=name)


def test_nobody_answers_a_comment_of_their_own(world, draft):
    consultation = opened(world, draft, "NATC", "KP-THB")
    comment = said_by(world, consultation, "planning", "NATC")
    closed(world, consultation)
    with pytest.raises(PermissionDenied, match="of their own"):
        answered(world, comment)
    assert answered(world, comment, name="director").answer == "accepted"


def test_publishing_waits_for_every_answer_and_then_nothing_changes(world, draft):
    consultation = opened(world, draft)
    comment = said_by(world, consultation)
    with pytest.raises(Refused, match="still open"):
        actions.publish_answers(consultation, by=world.director)
    closed(world, consultation)
    with pytest.raises(Refused, match="1 comment is not answered yet"):
        actions.publish_answers(consultation, by=world.director)
    answered(world, comment)
    actions.publish_answers(consultation, by=world.director)
    actions.publish_answers(consultation, by=world.director)
    assert Message.objects.filter(occasion__startswith="consultation-published").count() == 3
    with pytest.raises(Refused, match="stay as they are"):
        actions.answer_comment(comment, by=world.planning, answer="rejected", reason="x", language="sq", revision=1)
    with pytest.raises(Refused, match="no longer be extended"):
        actions.extend_term(consultation, by=world.planning, closes_on=consultation.closes_on + timedelta(days=9))


def test_adoption_waits_for_the_published_answers_also_of_a_draft_that_was_replaced(world, draft):
    assert actions.consultation_obstacles(draft) == []
    consultation = opened(world, draft)
    with pytest.raises(Refused, match="open until"):
        adopt(world, draft)
    comment = said_by(world, consultation)
    closed(world, consultation)
    with pytest.raises(Refused, match="1 comment waits"):
        adopt(world, draft)
    third = plan_actions.preview_import(changed_plan("M4.4.1"), "third.csv", plan=world.plan, by=world.planning)
    newer = plan_actions.apply_import(third, by=world.planning)
    answered(world, comment)
    with pytest.raises(Refused, match="not published"):
        adopt(world, newer)
    actions.publish_answers(consultation, by=world.planning)
    adopt(world, newer)
    assert actions.consultation_obstacles(newer) == []


def test_an_accepted_wording_is_taken_over_once_and_never_over_another(world, draft):
    consultation = opened(world, draft)
    comment = said_by(world, consultation)
    measure = comment.measure
    deadline = said_by(world, consultation, "other_focal_point", "MOH", field="ends_on", proposed="01.06.2031")
    listed = said_by(world, consultation, "other_focal_point", "MOH", field="lead", proposed="MIA")
    closed(world, consultation)
    answered(world, comment, "partly")
    with pytest.raises(Refused, match="Only the wording of an accepted"):
        actions.take_over(comment, by=world.planning)
    for one in (comment, deadline, listed):
        answered(world, one)
    with pytest.raises(PermissionDenied):
        actions.take_over(comment, by=world.natc)
    actions.take_over(comment, by=world.planning)
    actions.take_over(comment, by=world.planning)
    actions.take_over(deadline, by=world.planning)
    measure.refresh_from_db()
    assert measure.title_sq == comment.proposed and measure.ends_on == date(2031, 6, 1)
    assert drafting.taken_over([comment, deadline, listed], draft) == {comment.pk, deadline.pk}
    with pytest.raises(Refused, match="by hand"):
        actions.take_over(listed, by=world.planning)
    Measure.objects.filter(pk=measure.pk).update(title_sq="Krejt ndryshe")
    with pytest.raises(actions.Moved) as caught:
        actions.take_over(comment, by=world.planning)
    assert caught.value.present == "Krejt ndryshe"
    measure.refresh_from_db()
    assert measure.title_sq == "Krejt ndryshe"


def test_a_wording_goes_into_the_draft_of_today_and_a_deadline_not_before_its_start(world, draft):
    consultation = opened(world, draft)
    goal = Goal.objects.filter(version=draft).first()
    objective = Objective.objects.filter(goal=goal).first()
    on_goal = said_by(world, consultation, thing=goal, field="title_sr", proposed="Sprečavanje")
    on_objective = said_by(world, consultation, thing=objective, field="title_en", proposed="Raise awareness")
    early = said_by(world, consultation, field="ends_on", proposed="01.06.2001")
    closed(world, consultation)
    for one in (on_goal, on_objective, early):
        answered(world, one)
    third = plan_actions.preview_import(changed_plan("M4.4.1"), "third.csv", plan=world.plan, by=world.planning)
    newer = plan_actions.apply_import(third, by=world.planning)
    actions.take_over(on_goal, by=world.planning)
    actions.take_over(on_objective, by=world.planning)
    assert Goal.objects.get(version=newer, code=goal.code).title_sr == "Sprečavanje"
    assert Objective.objects.get(goal__version=newer, code=objective.code).title_en == "Raise awareness"
    assert drafting.taken_over([on_goal, on_objective, early], newer) == {on_goal.pk, on_objective.pk}
    with pytest.raises(Refused, match="end must not lie before"):
        actions.take_over(early, by=world.planning)


@pytest.mark.django_db(transaction=True)
def test_two_people_answer_at_once_one_wins_and_the_other_is_told(world, draft):
    consultation = opened(world, draft)
    comment = said_by(world, consultation)
    closed(world, consultation)
    ready, outcomes = threading.Barrier(2), []

    def press(user, answer) -> None:
        try:
            ready.wait(10)
            actions.answer_comment(comment, by=user, answer=answer, reason=f"R {answer}", language="sq", revision=0)
            outcomes.append("kept")
        except actions.Stale as stale:
            outcomes.append(f"told of {stale.theirs.reason} of {stale.theirs.answered_by}")
        finally:
            connections.close_all()

    people = [(world.director, "accepted"), (world.planning, "rejected")]
    threads = [threading.Thread(target=press, args=pair) for pair in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    comment.refresh_from_db()
    assert sorted(outcomes) == ["kept", f"told of {comment.reason} of {comment.answered_by}"]


@pytest.mark.django_db(transaction=True)
def test_a_comment_and_the_end_of_the_term_come_one_after_the_other(world, draft):
    """Whichever is first: the comment is there and the consultation closed, or it is refused; never one after the end."""
    consultation = opened(world, draft)
    ready, outcomes = threading.Barrier(2), []

    def comment() -> None:
        try:
            ready.wait(10)
            said_by(world, consultation)
            outcomes.append(1)
        except actions.TermOver:
            outcomes.append(0)
        finally:
            connections.close_all()

    def end() -> None:
        try:
            ready.wait(10)
            actions.close_consultation(consultation, by=None)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for one in (comment, end)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.close()
    consultation.refresh_from_db()
    assert consultation.state == "closed" and Comment.objects.count() == outcomes[0]


# Pages


def test_the_whole_way_on_the_pages(world, draft, client_for):
    office, police, health, observer = (
        client_for(n) for n in ("planning", "focal_point", "other_focal_point", "observer")
    )
    create = reverse("strategy:consultation-create", args=[draft.pk])
    page = office.get(create).content.decode()
    members = Institution.objects.filter(is_authority_member=True, dissolved_on__isnull=True)
    assert page.count(" checked") == members.count()
    today = timezone.localdate()
    values = {"opens_on": today, "closes_on": today + timedelta(days=9), "note": "Lexoni afatet.", "language": "sq"}
    assert "at least one" in office.post(create, values).content.decode()
    late = office.post(create, values | {"closes_on": today - timedelta(days=1), "members": [members[0].pk]})
    assert "must not lie before" in late.content.decode() and "Lexoni afatet." in late.content.decode()
    chosen = {"members": [one.pk for one in bodies("KP-THB", "MOH")], "others": [one.pk for one in bodies("OSCE")]}
    answer = office.post(create, values | chosen)
    consultation = Consultation.objects.get()
    assert answer.url == consultation.get_absolute_url()
    for client in (police, observer):
        assert "Lexoni afatet." in client.get("/").content.decode()
    page = police.get(consultation.get_absolute_url()).content.decode()
    assert "M4.4.9" in page and "Nothing to remark" in page and "Who has answered" not in page
    measure = Measure.objects.get(version=draft, code="M1.2.3")
    form = reverse("strategy:consultation-comment", args=[consultation.pk]) + f"?measure={measure.pk}&field=title_sq"
    assert measure.title_sq in police.get(form).content.decode()
    said = {"institution": bodies("KP-THB")[0].pk, "field": "title_sq", "text": "=1+1 çdo muaj", "language": "sq",
            "proposed": measure.title_sq.replace("tremujore", "mujore")}  # fmt: skip
    page = police.post(form, said | {"preview": "1"}).content.decode()
    assert "<del>" in page and "<ins>" in page and Comment.objects.count() == 0
    assert "</textarea>" in police.post(form, said | {"text": "x" * 4001}).content.decode()
    assert police.post(form, said | {"send": "1"}).status_code == 302
    comment = Comment.objects.get()
    assert "1 comment is with the office" in police.get(consultation.get_absolute_url()).content.decode()
    # Left as it is, the present wording is no proposal.
    plain = said | {"institution": bodies("MOH")[0].pk, "proposed": measure.title_sq, "text": "Mirë."}
    assert health.post(form, plain).status_code == 302
    assert Comment.objects.get(text="Mirë.").proposed == ""
    assert health.get(reverse("strategy:comment-edit", args=[comment.pk])).status_code == 404
    answers = reverse("strategy:consultation-answers", args=[consultation.pk])
    assert police.get(answers).status_code == 403 and office.get(answers).status_code == 200
    early = office.get(reverse("strategy:comment-answer", args=[comment.pk])).content.decode()
    assert "Comments are answered when the term is over." in early and 'name="reason"' not in early
    nothing = reverse("strategy:consultation-nothing", args=[consultation.pk, bodies("OSCE")[0].pk])
    assert observer.get(nothing).status_code == 200 and observer.post(nothing).status_code == 302
    assert police.post(nothing).status_code == 404
    office.post(reverse("strategy:consultation-close", args=[consultation.pk]))
    page = office.get(consultation.get_absolute_url()).content.decode()
    assert "3 institutions were invited; 0 have said nothing yet." in page and "nothing to remark" in page
    assert "2 comments to be answered" in office.get("/").content.decode()
    reply = reverse("strategy:comment-answer", args=[comment.pk]) + "?goal=G1"
    told = {"answer": "accepted", "reason": "", "language": "sq", "revision": 0}
    assert "This field is required" in office.post(reply, told).content.decode()
    answer = office.post(reply, told | {"reason": "Po.", "next": "1"})
    assert answer.url == reverse("strategy:comment-answer", args=[Comment.objects.get(text="Mirë.").pk]) + "?goal=G1"
    stale = office.post(reply, told | {"reason": "Jo.", "answer": "rejected"}).content.decode()
    assert "Both answers are shown" in stale and "Po." in stale and "Jo." in stale
    assert "1 of 2 comments are answered" in office.get(answers).content.decode()
    assert office.get(answers + "?answer=none").content.decode().count("not answered</span>") == 1
    publish = reverse("strategy:consultation-publish", args=[consultation.pk])
    office.post(publish)
    consultation.refresh_from_db()
    assert consultation.state == "closed"
    answer = office.post(answer.url, told | {"answer": "rejected", "reason": "Jo tani.", "next": "1"})
    assert answer.url == answers + "?goal=G1"
    take = reverse("strategy:comment-take-over", args=[comment.pk])
    assert "<ins>" in office.get(take).content.decode()
    assert office.post(take).status_code == 302
    assert "stands in the draft" in office.get(answers).content.decode()
    Measure.objects.filter(pk=measure.pk).update(title_sq="Tjetër titull")
    page = office.post(take).content.decode()
    assert "Both are shown" in page and "Tjetër titull" in page
    office.post(publish)
    assert "Jo tani." in police.get(answers).content.decode() and "Po." in observer.get(answers).content.decode()
    assert police.get(reverse("strategy:consultation-print", args=[consultation.pk])).status_code == 200
    export = reverse("strategy:consultation-export", args=[consultation.pk])
    table = b"".join(police.get(export).streaming_content).decode()
    assert "Jo tani." in table and "'=1+1" in table
    assert police.get(export + "?format=xlsx").status_code == 200
    assert client_for("local").get(answers).status_code == 404


@pytest.mark.parametrize(
    "query", ["?goal=%00", "?on=x", "?answer=perhaps&institution=nobody", "?page=999", "?goal=plan"]
)
def test_a_filter_that_makes_no_sense_filters_nothing_and_breaks_nothing(world, draft, client_for, query):
    consultation = opened(world, draft)
    said_by(world, consultation)
    assert (
        client_for("director").get(reverse("strategy:consultation-answers", args=[consultation.pk]) + query).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("director", "detail"),
        ("focal_point", "detail"),
        ("director", "answers"),
        ("director", "print"),
        ("planning", "list"),
    ],
)
def test_a_page_costs_the_same_however_many_comments_there_are(world, draft, client_for, name, page):
    consultation = opened(world, draft)
    client = client_for(name)
    client.get(reverse("me"))
    url = reverse(f"strategy:consultation-{page}", args=[] if page == "list" else [consultation.pk])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    goal = Goal.objects.filter(version=draft).first()
    objective = Objective.objects.filter(goal=goal).first()
    said_by(world, consultation)
    said_by(world, consultation, thing=goal, proposed="")
    said_by(world, consultation, thing=objective, proposed="")
    client.get(url)
    few = queries()
    for number in range(6):
        said_by(world, consultation, text=f"Edhe {number}")
        said_by(world, consultation, thing=objective, proposed=f"P {number}", text=f"Po {number}")
        said_by(
            world, consultation, "other_focal_point", "MOH", text=f"Jo {number}", thing=None, field="other", proposed=""
        )
    assert queries() == few <= 24


def test_a_form_with_nonsense_is_shown_again(world, draft, client_for):
    consultation = opened(world, draft)
    comment = said_by(world, consultation)
    client = client_for("focal_point")
    edit = reverse("strategy:comment-edit", args=[comment.pk])
    create = reverse("strategy:consultation-comment", args=[consultation.pk]) + f"?measure={comment.measure_id}"
    for address in (edit, edit + "?field=lineage", create + "&field=lineage", create + "&field=budget"):
        assert client.get(address).status_code == 200
        for sent in (
            {},
            {"field": "lineage", "language": "\x00", "proposed": "x", "preview": "1"},
            {"revision": "9" * 30},
        ):
            assert client.post(address, {"text": "E mbajtur.", **sent}).status_code == 200
    assert "E mbajtur." in client.post(edit, {"text": "E mbajtur.", "language": "xx"}).content.decode()
    comment.refresh_from_db()
    assert comment.revision == 0 and Comment.objects.count() == 1


def test_withdrawn_and_changed_on_the_pages(world, draft, client_for):
    consultation = opened(world, draft)
    comment = said_by(world, consultation)
    client = client_for("focal_point")
    said = {"institution": bodies("KP-THB")[0].pk, "field": "title_sq", "text": "Më mirë kështu.", "language": "sq",
            "proposed": "Kontrolle mujore\r\n", "revision": 0}  # fmt: skip
    edit = reverse("strategy:comment-edit", args=[comment.pk])
    assert client.post(edit, said).url == consultation.get_absolute_url()
    comment.refresh_from_db()
    assert (comment.text, comment.proposed, comment.revision) == ("Më mirë kështu.", "Kontrolle mujore", 1)
    page = client.post(edit, said | {"text": "Edhe ndryshe."}).content.decode()
    assert "A colleague changed" in page and "Më mirë kështu." in page and "Edhe ndryshe." in page
    withdraw = reverse("strategy:comment-withdraw", args=[comment.pk])
    assert "Më mirë kështu." in client.get(withdraw).content.decode()
    client.post(withdraw)
    assert Comment.objects.count() == 0 and client.get(edit).status_code == 404
