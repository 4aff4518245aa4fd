"""What ends by itself: sessions, roles, deputyships and links; a clock set back reopens none of it (T7, T16, R16)."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from io import BytesIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.urls import reverse
from django.utils import timezone
from freezegun import freeze_time

from monitoring.demo.people import PASSWORD
from onatc.errors import Refused
from onatc.history import history_of
from onatc.models import Message, TrailEntry
from stakeholders import access, ownership
from stakeholders.actions import accounts
from stakeholders.models import Deputyship, Institution, Invitation, KeptText, Recovery, Role, RoleAssignment, User
from stakeholders.tasks import note_what_is_over
from tests.stakeholders.test_accounts import (
    GOOD,
    browser,
    deputise,
    link_in,
    mail_to,
    offer,
    open_invitation,
    password_sign_in,
)

pytestmark = pytest.mark.django_db


def yesterday():
    return timezone.localdate() - timedelta(days=1)


def back(**age):
    """The server's clock is set back."""
    return freeze_time(timezone.now() - timedelta(**age))


def session_of(client, **values):
    session = client.session
    for name, value in values.items():
        session[name] = value
    session.save()
    return client


# A clock set back


def test_a_clock_set_back_reopens_no_link_that_was_too_old(world):
    invitation = offer(world)
    recovery = accounts.ask_recovery(world.monitoring, by=world.administrator, reason="x")
    accounts.approve_recovery(recovery, by=world.director)
    links = [link_in(mail_to(invitation.email)), link_in(mail_to("monitoring@onatc.example"))]
    with freeze_time(timezone.now() + timedelta(days=8)):
        note_what_is_over()
    for link in links:  # today is a week before: the clock was set back
        assert browser().get(link, follow=True).status_code == 404
    invitation.refresh_from_db()
    assert invitation.state == "expired" and not invitation.is_open
    accounts.send_again(invitation, by=world.director)  # the office gives a new one
    assert browser().get(link_in(mail_to(invitation.email)), follow=True).status_code == 200


def test_a_clock_set_back_gives_an_old_code_no_more_time_and_does_not_hold_up_a_new_one(world):
    invitation = offer(world)
    client = browser()
    code = open_invitation(client, invitation.email)
    with back(hours=3):
        page = client.post(reverse("invitation"), {"code": code, "password1": GOOD, "password2": GOOD})
        assert "The code has expired" in page.content.decode()
        client.post(reverse("invitation"), {"send": "1"})
        assert Message.objects.filter(address=invitation.email).count() == 3


def test_a_clock_set_back_brings_no_ended_role_or_deputyship_back(world):
    today = timezone.localdate()
    role = RoleAssignment.objects.get(user=world.people["observer"])
    deputyship = deputise(world, days=0)
    RoleAssignment.objects.filter(user=world.people["information"]).update(confirmed_until=today)
    RoleAssignment.objects.filter(pk=role.pk).update(ends_on=today)
    with freeze_time(timezone.now() + timedelta(days=1)):
        note_what_is_over()
        note_what_is_over()  # repeated: nothing more
    assert timezone.localdate() == today
    assert not world.observer.roles and not world.information.roles
    deputyship.refresh_from_db()
    assert deputyship.ended_at and not world.planning.deputyships
    ended = TrailEntry.objects.filter(act="ended", actor=None)
    assert ended.count() == 3 and all(one.details["by_itself"] for one in ended)
    # A person brings the lapsed role back, on record.
    accounts.confirm_role(RoleAssignment.objects.get(user=world.people["information"]), by=world.director)
    assert world.information.is_secretariat


def test_a_clock_set_back_ends_a_session_rather_than_lengthens_it(world, client_for):
    client = client_for("planning")
    client.get("/")
    with back(days=1):
        assert "/accounts/login/" in client.get("/").url
    assert "/accounts/login/" in client.get("/").url


def test_a_clock_set_back_sends_no_second_reminder_of_the_review(world):
    RoleAssignment.objects.filter(user=world.people["observer"]).update(
        confirmed_until=timezone.localdate() + timedelta(days=10)
    )
    with freeze_time(timezone.now() + timedelta(hours=2)):
        assert accounts.remind_of_reviews() == 2
    assert accounts.remind_of_reviews() == 0


def test_a_lock_does_not_open_when_the_clock_is_set_back(world):
    for number in range(6):
        password_sign_in(browser(REMOTE_ADDR=f"10.5.{number}.1"), "kp-thb@demo.example", "wrong")
    with back(minutes=4):
        answer = password_sign_in(browser(REMOTE_ADDR="10.5.9.1"), "kp-thb@demo.example")
        assert "Too many failed attempts" in answer.content.decode()


# Sessions


def signed_in(email: str):
    client = browser()
    password_sign_in(client, email)
    assert client.get("/").status_code == 200
    return client


def test_sessions_end_with_the_role(world):
    """T16: at once when a person ends it, at the next look when its last day has passed."""
    client = signed_in("observer@demo.example")
    role = RoleAssignment.objects.get(user=world.people["observer"])
    accounts.end_role(role, by=world.director)
    assert not Session.objects.filter(session_key=client.session.session_key).exists()
    assert "/accounts/login/" in client.get("/").url
    other = signed_in("kp-thb@demo.example")
    RoleAssignment.objects.filter(user=world.people["focal_point"]).update(
        starts_on=yesterday() - timedelta(days=9), ends_on=yesterday()
    )
    assert not world.focal_point.roles  # the rights went with the day
    note_what_is_over()
    assert "/accounts/login/" in other.get("/").url


@pytest.mark.parametrize("event", ["password", "factor", "close", "address"])
def test_an_old_cookie_opens_nothing_after(world, client_for, event):
    """T16: replay of the cookie after each event."""
    client = signed_in("kp-thb@demo.example")
    person = world.focal_point
    if event == "password":
        other = signed_in("kp-thb@demo.example")
        other.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": GOOD, "password2": GOOD})
        assert world.focal_point.check_password(GOOD)
        assert other.get("/").status_code == 200
    elif event == "factor":
        from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
        from django.test import RequestFactory

        from stakeholders import account_events

        request = RequestFactory().post("/")
        other = signed_in("kp-thb@demo.example")
        request.session, request.user = other.session, person
        totp = TOTP.activate(person, generate_totp_secret())
        before = other.session.session_key
        account_events._factor_added(Authenticator, request, person, totp.instance)
        assert request.session.session_key != before  # a new key at the rise of rights
    elif event == "close":
        accounts.close_account(person, by=world.director, successors={})
    else:
        accounts.change_address(person, by=world.director, email="new@example.org")
    assert "/accounts/login/" in client.get("/").url


def test_the_session_key_changes_when_acting_for_another_begins_and_ends(world, client_for):
    deputyship = deputise(world)
    client = client_for("planning")
    seen = {client.session.session_key}
    client.post(reverse("act-for", args=[deputyship.pk]))
    seen.add(client.session.session_key)
    client.post(reverse("act-for-oneself"))
    seen.add(client.session.session_key)
    assert len(seen) == 3 and client.get("/").status_code == 200


def test_sessions_are_listed_with_the_one_in_use_marked(world):
    first = signed_in("kp-thb@demo.example")
    signed_in("kp-thb@demo.example")
    page = first.get(reverse("me")).content.decode()
    assert UserSession.objects.filter(user=world.people["focal_point"]).count() == 2
    assert page.count("this one") == 1 and page.count("127.0.0.1") == 2


@pytest.mark.parametrize(
    ("seen", "started", "shown"),
    [(0, 0, "wait-h0 wait-m45"), (3_000, 3_000, "wait-h0 wait-m0"), (0, 42_000, "wait-h0 wait-m5")],
)
def test_the_warning_stands_on_the_page_and_needs_no_script(world, client_for, seen, started, shown):
    """The style sheet shows it in time; idle and absolute limits, whichever comes first."""
    client = client_for("planning")
    client.get("/")
    now = time.time()
    session_of(client, seen=now - seen, started=now - started)
    page = client.get("/", headers={"HX-Request": "true"} if seen else {}).content.decode()
    assert f'class="session-warning noprint {shown}"' in page
    assert "Your session ends at" in page


def test_staying_is_noted_and_asking_how_long_is_no_sign_of_life(world, client_for):
    client = client_for("planning")
    client.get("/")
    session_of(client, seen=time.time() - 3_400)
    url = reverse("session-stay")
    assert 150 < client.get(url, headers={"HX-Request": "true"}).json()["left"] <= 200
    assert 150 < client.get(url, headers={"HX-Request": "true"}).json()["left"] <= 200
    assert client.post(url, headers={"HX-Request": "true"}).json()["left"] > 3_500
    page = client.post(url)
    assert page.status_code == 200 and "your session lasts until" in page.content.decode()


def test_a_text_is_kept_when_the_session_row_is_gone_too_and_says_which_files_are_not(world):
    """R9: signed out everywhere from another browser while a form was open."""
    client = browser()
    password_sign_in(client, "kp-thb@demo.example")
    client.get("/")
    accounts.sign_out_everywhere(world.focal_point, by=world.focal_point)
    upload = BytesIO(b"%PDF-1.7 x")
    upload.name = "prova.pdf"
    answer = client.post(reverse("report-problem"), {"text": "shumë fjalë", "file": upload}, follow=True)
    page = answer.content.decode()
    assert "but not the files" in page
    kept = KeptText.objects.get()
    assert kept.user == world.focal_point
    page = signed_in("kp-thb@demo.example").get(reverse("kept-text", args=[kept.pk])).content.decode()
    assert "shumë fjalë" in page and "prova.pdf" in page and "were not kept" in page


# The review


def test_the_review_says_in_words_what_each_may_do_and_only_what_is_so(world, client_for):
    deputise(world, "director", "information")
    client = client_for("director")
    page = client.get(reverse("stakeholders:person-list")).content.decode()
    assert "Reports progress for" in page and "Issues reports" in page and "acts for" in page
    words = {name: access.in_words(getattr(world, name)) for name in ("focal_point", "observer", "administrator")}
    assert len(words["observer"]) == 1 and "issued reports" in words["observer"][0]
    assert any("sees no plan" in one for one in words["administrator"]) and not any(
        "whole action plan" in one for one in words["administrator"]
    )
    RoleAssignment.objects.filter(user=world.people["observer"]).update(confirmed_until=yesterday())
    assert access.in_words(world.observer) == []
    page = client.get(reverse("stakeholders:person-detail", args=[world.focal_point.pk])).content.decode()
    assert "What this person sees and may do" in page and "so do the sessions" in page


@pytest.mark.parametrize("role", Role.values)
def test_every_role_has_words(world, role):
    user = User.objects.create(email=f"{role}@example.org", full_name=role)
    area = {"municipality_id": "PRN"} if role == Role.LOCAL else {}
    RoleAssignment.objects.create(user=user, role=role, institution=Institution.objects.get(code="ONATC"), **area)
    assert access.in_words(user)


def test_nobody_is_offered_a_button_that_refuses_them(world, client_for):
    """The list shows "Approve" and "Confirm" to those who may, and to nobody else."""
    invitation = offer(world, by=world.administrator, email="w@example.org")
    recovery = accounts.ask_recovery(world.monitoring, by=world.administrator, reason="x")
    RoleAssignment.objects.update(confirmed_until=timezone.localdate() + timedelta(days=5))
    for name in ("administrator", "director", "natc"):
        page = client_for(name).get(reverse("stakeholders:person-list")).content.decode()
        person = getattr(world, name)
        shown = reverse("stakeholders:invitation-approve", args=[invitation.pk]) in page
        assert shown == bool(access.may_approve(person, invitation)), name
        shown = reverse("stakeholders:recovery-approve", args=[recovery.pk]) in page
        assert shown == bool(access.may_approve_recovery(person, recovery)), name
        for role in RoleAssignment.objects.filter(role__in=[Role.DIRECTOR, Role.OBSERVER, Role.NATC]):
            shown = reverse("stakeholders:role-confirm", args=[role.pk]) in page
            assert shown == bool(access.may_keep_role(person, role)), (name, role)


# Leaving and coming back


# Links to a person that only say who did something: they stay with the name of whoever did it.
SAYS_WHO = {
    "nrm.caseimport.brought_by", "nrm.caseimport.applied_by",
    "nrm.case.recorded_by", "nrm.merge.recorded_by", "nrm.merge.undone_by", "nrm.twintoken.recorded_by", "nrm.twintry.user",
    "nrm.twinmatch.settled_by", "nrm.emergencyaccess.user", "nrm.emergencyaccess.reviewed_by", "nrm.assistance.recorded_by",
    "nrm.stay.recorded_by", "nrm.return.recorded_by", "nrm.followup.recorded_by", "nrm.residencepermit.recorded_by",
    "nrm.compensationclaim.recorded_by", "nrm.proceedingvictim.recorded_by", "nrm.protectivemeasure.recorded_by",
    "nrm.retentionrule.set_by", "nrm.destruction.prepared_by", "nrm.destruction.approved_by",
    "nrm.personrequest.recorded_by", "nrm.breach.reported_by",
    "onatc.job.owner", "onatc.job.on_behalf_of", "onatc.message.to", "strategy.entrytranslation.by", "onatc.trailentry.actor",
    "onatc.trailentry.on_behalf_of", "onatc.problemreport.reporter", "onatc.problemreport.answered_by",
    "stakeholders.invitation.approved_by", "stakeholders.deputyship.appointed_by", "stakeholders.recovery.asked_by",
    "stakeholders.recovery.approved_by", "stakeholders.roleassignment.confirmed_by",
    "strategy.progressentry.submitted_by", "strategy.progressentry.accepted_by", "strategy.progressentry.verified_by",
    "strategy.reviewnote.by", "strategy.signaloverride.by", "strategy.evidence.uploaded_by",
    "monitoring.report.issued_by", "monitoring.reportfile.uploaded_by",
    "strategy.consultation.opened_by", "strategy.consultationinvitation.answered_by", "strategy.comment.author",
    "strategy.comment.answered_by", "strategy.proposal.decided_by",
    "strategy.budgetexecution.by", "strategy.milestonereached.by", "strategy.rightscheck.assessed_by",
    "strategy.measuredocument.uploaded_by", "strategy.recommendationstep.by", "strategy.recommendationfile.uploaded_by",
    "strategy.evidencelink.added_by", "strategy.verificationsample.drawn_by", "strategy.planfile.uploaded_by",
    "strategy.legalact.created_by", "strategy.legalinput.approved_by", "strategy.legalinput.sent_by",
    "strategy.legalinputfile.uploaded_by", "strategy.legalstage.by", "strategy.practice.created_by",
    "strategy.studyfile.uploaded_by", "strategy.studystep.by", "strategy.trend.noted_by", "strategy.trend.reviewed_by",
    "stakeholders.communication.by", "stakeholders.communicationfile.uploaded_by", "stakeholders.answertemplate.created_by",
    "stakeholders.enquiry.drafted_by", "stakeholders.enquiry.approved_by", "stakeholders.enquiry.answered_by",
    "stakeholders.enquiry.created_by", "stakeholders.enquiryfile.uploaded_by", "stakeholders.questionnaire.sent_by",
    "stakeholders.questionnairefile.uploaded_by", "stakeholders.question.approved_by",
    "stakeholders.questionassignment.answered_by", "stakeholders.assignmentfile.uploaded_by",
    "stakeholders.decision.created_by", "stakeholders.actionpoint.created_by", "stakeholders.actionpoint.closed_by",
    "stakeholders.pointstep.by", "stakeholders.pointfile.uploaded_by", "strategy.pointmeasure.by",
    "stakeholders.agreementversion.by", "stakeholders.agreementfile.uploaded_by", "stakeholders.obligationmet.by",
    "stakeholders.obligationreminder.user",
    "strategy.dueextension.asked_by", "strategy.dueextension.decided_by", "strategy.roundworkbook.uploaded_by",
    "stakeholders.meeting.called_by", "stakeholders.meetingfile.uploaded_by",
    "stakeholders.minutescomment.by", "stakeholders.minutescomment.answered_by", "stakeholders.minutesfile.uploaded_by",
    "stakeholders.eventfile.uploaded_by", "stakeholders.circular.sent_by",
    "stakeholders.circularfile.uploaded_by", "stakeholders.librarydocument.created_by",
    "stakeholders.libraryfile.uploaded_by", "strategy.eventmeasure.by",
    "stakeholders.exchange.created_by", "stakeholders.exchangefile.uploaded_by",
    "stakeholders.event.created_by",
    "nrm.referral.recorded_by", "nrm.referral.answered_by", "nrm.referral.manager", "nrm.referralfile.uploaded_by",
    "nrm.referralreceipt.uploaded_by", "nrm.consent.recorded_by", "nrm.caseparty.recorded_by",
    "nrm.casemanagement.recorded_by", "nrm.case.manager",  # follows the management, which is handed over
    "nrm.screening.recorded_by", "nrm.casedecision.recorded_by", "nrm.riskassessment.recorded_by",
    "nrm.riskmeasure.recorded_by", "nrm.agecheck.recorded_by", "nrm.guardianship.recorded_by",
    "nrm.bestinterest.recorded_by", "nrm.happening.recorded_by", "nrm.happening.struck_by",
    "nrm.sopversion.adopted_by", "nrm.soptrial.tried_by", "nrm.clock.recorded_by", "nrm.clockpause.paused_by",
    "nrm.clockpause.ended_by",
    "nrm.deviation.recorded_by", "nrm.deviation.closed_by", "nrm.deviation.done_by", "nrm.adaptation.proposed_by",
    "nrm.assessment.created_by", "nrm.chapter.edited_by", "nrm.assessmentfile.uploaded_by",
    "nrm.service.places_by", "nrm.service.confirmed_by", "nrm.service.created_by", "nrm.serviceaddress.written_by",
    "nrm.placesreport.by", "nrm.serviceproposal.by", "nrm.serviceproposal.decided_by", "nrm.accreditation.created_by",
    "nrm.inspection.created_by", "nrm.correctivemeasure.done_by",
    "nrm.needsassessment.created_by", "nrm.needsanswer.submitted_by", "nrm.course.created_by", "nrm.coursefile.uploaded_by",
    "nrm.trainingplan.created_by", "nrm.trainingplan.adopted_by", "nrm.trainingsession.created_by",
    "nrm.participation.certified_by", "nrm.trainingfollowup.answered_by",
}  # fmt: skip
# The account's own: they end or go with it.
ITS_OWN = {
    "stakeholders.invitation.user", "stakeholders.deputyship.principal", "stakeholders.deputyship.deputy",
    "stakeholders.recovery.user", "stakeholders.kepttext.user", "stakeholders.roleassignment.user",
    "stakeholders.minutesdraft.by",
    "stakeholders.contact.user", "stakeholders.calendarfeed.user",
}  # fmt: skip


def test_every_link_to_a_person_is_handed_over_or_is_known_not_to_be():
    """A new kind of record that somebody answers for cannot be forgotten at the leaving."""
    links = {
        f"{model._meta.label_lower}.{field.name}"
        for app in ("onatc", "stakeholders", "strategy", "nrm", "monitoring")
        for model in apps.get_app_config(app).get_models()
        if not model.__name__.endswith("Event")
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model is User
    }
    held = {f"{kind.held_by(User()).model._meta.label_lower}.{kind.field}" for kind in ownership._kinds.values()}
    assert links - SAYS_WHO - ITS_OWN == held


def test_who_comes_back_opens_the_account_again_by_an_invitation(world):
    person = world.observer
    accounts.close_account(person, by=world.director, successors={})
    offer(world, email=person.email)
    assert not world.observer.is_active  # nothing yet
    client = browser()
    code = open_invitation(client, person.email)
    client.post(reverse("invitation"), {"code": code, "password1": GOOD, "password2": GOOD})
    again = world.observer
    assert again.is_active and again.is_observer and again.check_password(GOOD)
    assert [one.label for one in history_of(again)]


def test_the_last_director_is_not_ended_by_a_deputy(world):
    """Bad input: the last Director leaving; also through whoever acts for the NATC."""
    role = RoleAssignment.objects.get(user=world.people["director"])
    deputy = world.planning
    deputy.acting_for = world.natc
    with pytest.raises(Refused, match="last person"):
        accounts.end_role(role, by=deputy)
    assert world.director.has_role(Role.DIRECTOR)


def test_a_deputyship_holds_from_its_first_day_to_its_last(world):
    today = timezone.localdate()
    deputyship = accounts.appoint_deputy(
        by=world.director, principal=world.director, deputy=world.planning,
        starts_on=today + timedelta(days=1), ends_on=today + timedelta(days=2), reason="leave",
    )  # fmt: skip
    days = [today + timedelta(days=number) for number in range(4)]
    held = [Deputyship.objects.active(day).filter(pk=deputyship.pk).exists() for day in days]
    assert held == [False, True, True, False]
    assert not Invitation.objects.exists() and not Recovery.objects.exists()


def test_roles_of_the_office_are_given_at_the_office_alone(world):
    with pytest.raises(Refused, match="at the office itself"):
        offer(world, role=Role.MONITORING, code="OSCE")
    with pytest.raises(Refused, match="at the office itself"):
        offer(world, role=Role.NATC, code="ONATC")
    offer(world, role=Role.MONITORING, code="ONATC")


def test_the_page_of_a_person_shows_what_was_done_with_their_roles(world, client_for):
    accounts.end_role(RoleAssignment.objects.get(user=world.people["observer"]), by=world.director)
    page = client_for("director").get(reverse("stakeholders:person-detail", args=[world.observer.pk])).content.decode()
    assert f"{world.director}: ended" in page


def test_a_deputy_is_nobodys_second_person_and_passes_nothing_on(world):
    """Bad input: a deputy of a deputy, made by the deputy with the lent right."""
    today = timezone.localdate()
    deputise(world, "administrator", "planning")
    recovery = accounts.ask_recovery(world.monitoring, by=world.administrator, reason="x")
    deputy = world.planning
    deputy.acting_for = world.administrator
    assert deputy.manages_accounts
    assert not access.may_approve_recovery(deputy, recovery)
    with pytest.raises(PermissionDenied):
        accounts.appoint_deputy(
            by=deputy, principal=world.administrator, deputy=world.information,
            starts_on=today, ends_on=today, reason="x",
        )  # fmt: skip
    with pytest.raises(PermissionDenied):
        accounts.close_account(world.administrator, by=deputy, successors={})
    with pytest.raises(Refused, match="themselves"):
        offer(world, by=deputy, email=world.administrator.email, role=Role.OBSERVER)
    own = accounts.appoint_deputy(
        by=deputy, principal=world.planning, deputy=world.information, starts_on=today, ends_on=today, reason="x"
    )
    assert own.principal == world.planning


@pytest.mark.parametrize("what", ["role", "deputyship"])
def test_a_job_reads_the_rights_again_when_it_runs(world, what):
    """T7: between the button and the worker the Coordinator's role ends, or the deputyship of whoever pressed."""
    from monitoring import actions as reports
    from monitoring.tasks import issue_report
    from onatc.models import Job

    report = reports.draft_report(world.plan, world.round.period, by=world.director)
    presser = world.natc
    if what == "deputyship":
        deputise(world, "natc", "planning")
        presser = world.planning
        presser.acting_for = world.natc
    reports.request_issue(report, by=presser)
    if what == "role":
        accounts.end_role(RoleAssignment.objects.get(user=world.people["natc"]), by=world.director)
    else:
        accounts.end_deputyship(Deputyship.objects.get(), by=world.natc)
    with pytest.raises(PermissionDenied):
        issue_report(Job.objects.get(kind="issue_report"), lambda done, total: None)
    report.refresh_from_db()
    assert report.is_draft


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["end", "close"])
def test_two_directors_who_end_each_other_at_once_leave_one(world, way):
    """Bad input: the last Director leaving, by two connections."""
    first, second = world.director, world.planning
    RoleAssignment.objects.create(
        user=second,
        role=Role.DIRECTOR,
        institution=Institution.objects.get(code="ONATC"),
        starts_on=timezone.localdate(),
    )
    ready, outcomes = threading.Barrier(2), []

    def press(by: User, other: User) -> None:
        try:
            ready.wait(30)
            if way == "end":
                role = RoleAssignment.objects.get(user=other, role=Role.DIRECTOR)
                accounts.end_role(role, by=User.objects.get(pk=by.pk))
            else:
                heirs = {kind.key: by.pk for kind, _records in ownership.held_by(other)}
                accounts.close_account(other, by=User.objects.get(pk=by.pk), successors=heirs)
            outcomes.append("ended")
        except (Refused, PermissionDenied):
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    connection.close()
    assert sorted(outcomes) == ["ended", "told"]
    assert User.objects.holding(Role.DIRECTOR).count() == 1


def test_a_recovery_that_nobody_approved_lapses(world, client_for):
    recovery = accounts.ask_recovery(world.monitoring, by=world.administrator, reason="lost")
    page = client_for("director").get(reverse("stakeholders:person-list")).content.decode()
    assert "wait for a second person" in page
    Recovery.objects.filter(pk=recovery.pk).update(asked_at=timezone.now() - timedelta(days=8))
    page = client_for("director").get(reverse("stakeholders:person-list")).content.decode()
    assert "wait for a second person" not in page
    with pytest.raises(Refused, match="more than a week ago"):
        accounts.approve_recovery(recovery, by=world.director)
