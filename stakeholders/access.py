"""Who may change institutions, accounts and roles; and what a person sees and may do, in words."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onatc.errors import Denied
from stakeholders.models import (
    REPORTERS,
    ActionPoint,
    AssignmentState,
    Body,
    Communication,
    Decision,
    Deputyship,
    Enquiry,
    EnquiryState,
    Invitation,
    Meeting,
    MeetingState,
    MinutesComment,
    MinutesState,
    Obligation,
    QuestionAssignment,
    Questionnaire,
    Recovery,
    Role,
    RoleAssignment,
    User,
)

OFFICE_ONLY = _("Only the Director and administrators keep accounts.")


def _is_oneself(user: User, *people: Any) -> bool:
    """Whether one of `people` (keys) is the user, or whom the user acts for: a deputy is nobody's second person."""
    return not {user.pk, user.acting_for.pk if user.acting_for else user.pk}.isdisjoint(people)


def may_edit_institutions(user: User) -> bool | Denied:
    """The Director and the strategic planning officer keep the directory; administrators do so in Django admin."""
    return user.has_role(Role.DIRECTOR, Role.PLANNING) or Denied(
        _("Only the Director and the strategic planning officer change institutions.")
    )


def may_invite(user: User) -> bool | Denied:
    """The Director, whose invitations go out at once, and administrators, whose invitations the Director approves."""
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_review_access(user: User) -> bool | Denied:
    """Who has access to what: the Director, administrators and the NATC."""
    return user.reviews_access or Denied(OFFICE_ONLY)


def may_approve(user: User, invitation: Invitation) -> bool | Denied:
    """The Director, never of an own invitation nor of one to the own address; the NATC where the Director's own role is
    at stake."""
    addresses = (user.email, user.acting_for.email if user.acting_for else "")
    if _is_oneself(user, invitation.invited_by_id) or invitation.email in addresses:
        return Denied(_("Nobody approves what they asked for themselves."))
    if invitation.role == Role.DIRECTOR:
        return user.has_role(Role.NATC, Role.DIRECTOR) or Denied(_("The Director or the Coordinator approves this."))
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director approves accounts."))


def may_keep_role(user: User, assignment: RoleAssignment) -> bool | Denied:
    """Confirm or end a role of somebody else; an own role is confirmed and ended by another."""
    if _is_oneself(user, assignment.user_id):
        return Denied(_("Nobody confirms or ends a role of their own."))
    if assignment.role == Role.DIRECTOR and user.has_role(Role.NATC):
        return True
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_appoint_deputy(user: User, principal: User) -> bool | Denied:
    """For oneself, or the Director and administrators for whoever is away. A deputy lends nobody what was lent."""
    if user.acting_for is not None and user.pk != principal.pk:
        return Denied(_("Whoever acts for another appoints deputies for themselves only."))
    return user.pk == principal.pk or user.manages_accounts or Denied(OFFICE_ONLY)


def may_end_deputyship(user: User, deputyship: Deputyship) -> bool | Denied:
    return user.pk in (deputyship.principal_id, deputyship.deputy_id) or user.manages_accounts or Denied(OFFICE_ONLY)


def may_ask_recovery(user: User, person: User) -> bool | Denied:
    """For another, by the office: whoever lost the factor cannot sign in to ask."""
    if _is_oneself(user, person.pk):
        return Denied(_("Nobody recovers their own account."))
    return user.manages_accounts or Denied(OFFICE_ONLY)


def may_approve_recovery(user: User, recovery: Recovery) -> bool | Denied:
    """A second person: the Director, an administrator or the NATC; neither who asked nor whose account it is."""
    if _is_oneself(user, recovery.asked_by_id, recovery.user_id):
        return Denied(_("A second person approves a recovery."))
    return user.manages_accounts or user.is_natc or Denied(OFFICE_ONLY)


def may_close(user: User, person: User) -> bool | Denied:
    if _is_oneself(user, person.pk):
        return Denied(_("Nobody closes their own account."))
    return user.manages_accounts or Denied(OFFICE_ONLY)


# Contacts, bodies and countries


def may_keep_contacts(user: User) -> bool | Denied:
    """The office keeps contacts, bodies with their seats, and what is exchanged with countries."""
    return user.is_secretariat or Denied(_("The office keeps these records."))


def may_remove_contact(user: User) -> bool | Denied:
    """The Director: what is removed cannot be brought back."""
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director removes the data of people."))


def may_follow_country(user: User) -> bool | Denied:
    """The Director: with a country that is followed, a yearly meeting and communications are due."""
    return user.has_role(Role.DIRECTOR) or Denied(
        _("The Director decides with which countries the office keeps contact.")
    )


def in_words(person: User) -> list[str]:
    """What somebody sees and may do today, for the review of access: read from the rights themselves, one sentence each.
    The roles of the person alone, without those of whom they act for."""
    names = ", ".join(sorted({one.institution.short for one in person.assignments if one.role in REPORTERS}))
    sees_all = person.is_office
    sentences: list[tuple[bool, Any]] = [
        (sees_all, _("Sees the whole action plan with its drafts, all rounds, accepted progress and all reports.")),
        (person.is_observer and not sees_all, _("Sees the plan in force, accepted progress and issued reports.")),
        (person.is_reporter, _("Reports progress for %(names)s and sees its measures.") % {"names": names}),
        (person.reviews_progress, _("Reviews, returns and accepts progress, and drafts reports.")),
        (person.has_role(Role.DIRECTOR, Role.MONITORING), _("Verifies accepted progress.")),
        (person.manages_rounds, _("Brings plans in and runs the reporting rounds.")),
        (person.has_role(Role.DIRECTOR), _("Records the adoption of a plan and approves accounts.")),
        (person.is_natc, _("Issues reports; confirms or ends the Director's role.")),
        (person.manages_accounts, _("Invites people, confirms and ends roles, recovers and closes accounts.")),
        (person.sees_trail, _("Sees who read what.")),
        (person.changes_settings, _("Changes settings and holidays, and sees the state of the system.")),
        (person.is_administrator, _("Keeps code lists and institutions; sees no plan, no progress and no report.")),
    ]
    return [str(sentence) for holds, sentence in sentences if holds]


# Meetings: the office calls and minutes them, a local coordinator those of bodies of the own area; the NATC chairs and
# adopts.


def _is_own_area(user: User, body: Body | None) -> bool:
    return body is not None and (
        body.district_id in user.district_codes or body.municipality_id in user.municipality_codes
    )


def may_keep_series(user: User) -> bool | Denied:
    """The office says which meetings are owed by what duty."""
    return user.is_secretariat or Denied(_("Only the office keeps the series of meetings."))


def may_prepare_meetings(user: User) -> bool | Denied:
    """Whoever prepares any meeting at all: the office, and local coordinators for the bodies of their area."""
    return (
        user.is_secretariat
        or bool(user.district_codes or user.municipality_codes)
        or Denied(_("Only the office and local coordinators prepare meetings."))
    )


def may_prepare_meeting(user: User, meeting: Meeting) -> bool | Denied:
    """Agenda, papers, who is called, the call, a change of it, cancelling, attendance: the office, and a local coordinator
    for a body of the own area."""
    return (
        user.is_secretariat
        or _is_own_area(user, meeting.body)
        or Denied(_("Only the office prepares this meeting; one of a body of an area also its local coordinator."))
    )


def may_write_minutes(user: User, meeting: Meeting) -> bool | Denied:
    if not meeting.takes_minutes:
        return Denied(_("Minutes are written of a meeting that is being held or was held, until they are adopted."))
    return may_prepare_meeting(user, meeting)


def may_read_minutes(user: User, meeting: Meeting) -> bool:
    """Whoever prepares the meeting and the NATC while they are written; everybody called once they are circulated."""
    is_out = meeting.minutes_state in (MinutesState.CIRCULATED, MinutesState.ADOPTED)
    return is_out or user.is_natc or bool(may_prepare_meeting(user, meeting))


def may_remark_on_minutes(user: User, meeting: Meeting) -> bool | Denied:
    """Institutions that were called, through their focal points and observers, while the minutes lie out for comment."""
    if meeting.minutes_state != MinutesState.CIRCULATED:
        return Denied(_("Remarks are taken while the minutes are circulated."))
    if meeting.comments_until is not None and meeting.comments_until < timezone.localdate():
        return Denied(_("The time for remarks is over."))
    return bool(user.consulted_institution_ids) or Denied(_("Only institutions that were called remark on minutes."))


def may_withdraw_remark(user: User, comment: MinutesComment, meeting: Meeting) -> bool | Denied:
    """Whoever made it, while the minutes lie out for comment and the office has not answered."""
    if not _is_oneself(user, comment.by_id):
        return Denied(_("Only whoever made a remark takes it back."))
    if comment.answered_at is not None:
        return Denied(_("What was answered is not taken back any more."))
    if comment.withdrawn_at is not None:
        return Denied(_("This remark was taken back already."))
    return may_remark_on_minutes(user, meeting)


def may_adopt_minutes(user: User) -> bool | Denied:
    """The NATC, who chairs, or the Director, who records what the body adopted."""
    return user.has_role(Role.NATC, Role.DIRECTOR) or Denied(
        _("The Coordinator or the Director records that minutes were adopted.")
    )


# Communications, enquiries and questionnaires (Article 8.4.6)


def may_keep_enquiries(user: User) -> bool | Denied:
    """Director, planning, M&E and information officers keep the log, answer enquiries and run questionnaires."""
    return user.has_role(Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.INFORMATION) or Denied(
        _("The Director, the planning, the monitoring and the information officer keep enquiries.")
    )


def may_edit_communication(user: User, communication: Communication) -> bool | Denied:
    """Who wrote it, while still keeping the log, and the Director."""
    if not may_keep_enquiries(user):
        return may_keep_enquiries(user)
    return _is_oneself(user, communication.by_id) or user.has_role(Role.DIRECTOR) or Denied(
        _("Whoever recorded a communication changes it, or the Director.")
    )  # fmt: skip


def may_edit_enquiry(user: User, enquiry: Enquiry) -> bool | Denied:
    if not enquiry.is_open:
        return Denied(_("What was answered or closed never changes."))
    return may_keep_enquiries(user)


def may_decide_enquiry(user: User, enquiry: Enquiry) -> bool | Denied:
    """The Director or the NATC, not whoever drafted the answer: four eyes. Only when nobody else holds one of the two
    roles is the draft approved by the one who is left, so that answers do not wait for an appointment."""
    if not user.has_role(Role.DIRECTOR, Role.NATC):
        return Denied(_("The Director or the Coordinator approves what the office answers."))
    if enquiry.state != EnquiryState.DRAFTED:
        return Denied(_("Only an answer that waits for approval can be approved or given back."))
    if _is_oneself(user, enquiry.drafted_by_id):
        others = User.objects.holding(Role.DIRECTOR, Role.NATC).exclude(pk__in=own_keys(user))
        return not others.exists() or Denied(_("Nobody approves an answer that they drafted themselves."))
    return True


def own_keys(user: User) -> set[Any]:
    """Of the user, and of whom the user acts for."""
    return {user.pk, user.acting_for.pk if user.acting_for else user.pk}


def may_send_enquiry(user: User, enquiry: Enquiry) -> bool | Denied:
    if enquiry.state != EnquiryState.APPROVED:
        return Denied(_("Only an approved answer is sent."))
    return may_keep_enquiries(user)


def may_edit_questionnaire(user: User, questionnaire: Questionnaire) -> bool | Denied:
    if not questionnaire.is_open:
        return Denied(_("What was sent never changes."))
    return may_keep_enquiries(user)


def may_approve_questions(user: User, questionnaire: Questionnaire) -> bool | Denied:
    """The Director approves the office's answers and records that the whole was sent."""
    if not questionnaire.is_open:
        return Denied(_("What was sent never changes."))
    return user.has_role(Role.DIRECTOR) or Denied(_("Only the Director approves what the office sends."))


def may_withdraw_assignment(user: User, assignment: QuestionAssignment) -> bool | Denied:
    """Whoever runs the questionnaire, until the institution's answer was accepted or stands in that of the office."""
    text, is_answered = assignment.answer.strip(), assignment.state == AssignmentState.ANSWERED
    if assignment.state == AssignmentState.ACCEPTED or (is_answered and text in assignment.question.answer):
        return Denied(_("The office uses this answer already; the question is not taken back any more."))
    return may_edit_questionnaire(user, assignment.question.questionnaire)


def may_answer_assignment(user: User, assignment: QuestionAssignment) -> bool | Denied:
    """Whoever reports for the institution to which the question was put, until the office accepts or takes it back."""
    if assignment.state == AssignmentState.WITHDRAWN:
        return Denied(_("The office took this question back; no answer is needed any more."))
    if not assignment.question.questionnaire.is_open or assignment.state == AssignmentState.ACCEPTED:
        return Denied(_("This answer was accepted; it does not change any more."))
    return assignment.institution_id in user.institution_ids or Denied(
        _("Only the institution that was asked answers.")
    )


# Decisions and action points

OFFICE_OR_AREA = _("Only the office does this; of a meeting of a body of an area also its local coordinator.")


def may_decide_at(user: User, meeting: Meeting) -> bool | Denied:
    """Whoever prepares the meeting records what it decided, once attendance is on record and until the minutes are
    adopted."""
    if not may_prepare_meeting(user, meeting):
        return Denied(_("Only the office records decisions; those of a body of an area also its local coordinator."))
    if meeting.state != MeetingState.HELD:
        return Denied(_("Decisions are recorded once the meeting is held and attendance is on record."))
    return meeting.takes_minutes or Denied(
        _("The minutes are adopted: what they hold does not change. A later meeting can decide otherwise.")
    )


def may_end_decision(user: User, decision: Decision) -> bool | Denied:
    """The office, by a later decision; also after the minutes were adopted."""
    return user.is_secretariat or Denied(_("Only the office records decisions."))


def may_give_points(user: User, meeting: Meeting) -> bool | Denied:
    """Whoever prepares the meeting says who does what, also when the minutes are adopted: a decision may need further
    hands later."""
    if not may_prepare_meeting(user, meeting):
        return Denied(OFFICE_OR_AREA)
    return meeting.state == MeetingState.HELD or Denied(
        _("Decisions are recorded once the meeting is held and attendance is on record.")
    )


def may_word_point(user: User, point: ActionPoint) -> bool | Denied:
    """Whoever gives points at its meeting, while the minutes are not adopted and the point is open."""
    if not may_prepare_meeting(user, point.meeting):
        return Denied(OFFICE_OR_AREA)
    if not point.is_open:
        return Denied(_("What is closed does not change. Open it again first."))
    return point.meeting.takes_minutes or Denied(
        _("The minutes are adopted: what they hold does not change. A later meeting can decide otherwise.")
    )


def may_work_on(user: User, point: ActionPoint) -> bool | Denied:
    """Progress and closing: whoever reports for the owner, and the office."""
    return (
        user.is_secretariat
        or point.owner_id in user.institution_ids
        or Denied(_("Only the institution that owns the action point, and the office, record what was done."))
    )


def may_steer(user: User, point: ActionPoint) -> bool | Denied:
    """A new date, another owner, dropping, opening again: the office; the owner asks it."""
    return user.is_secretariat or Denied(
        _("Only the office gives a new date, another owner, or drops an action point. Ask it.")
    )


# Calls, answers and calendar feeds


def may_send_calls(user: User, meeting: Meeting) -> bool | Denied:
    """The office and the NATC call meetings, and write down the answers that reach them; a local coordinator those of a
    body of the own area."""
    return user.keeps_cooperation or _is_own_area(user, meeting.body) or Denied(_("Only the office calls meetings."))


def may_keep_feeds(user: User) -> bool | Denied:
    """Whoever sees meetings at all; what a feed shows follows the person's rights each time it is read."""
    return user.sees_cooperation or Denied(_("Your role has no calendar."))


# Agreements (Article 8.3/2c)


def may_keep_agreements(user: User) -> bool | Denied:
    """The office prepares agreements, keeps their dates, wordings and obligations."""
    return user.is_secretariat or Denied(_("Only the office keeps agreements."))


def may_conclude_agreement(user: User) -> bool | Denied:
    """That one was signed, and that one ended, is recorded by the Director, or by the NATC, who signs."""
    return user.has_role(Role.DIRECTOR, Role.NATC) or Denied(
        _("The Director or the Coordinator records that an agreement was signed or ended.")
    )


def may_meet_obligation(user: User, obligation: Obligation) -> bool | Denied:
    """The office, and whoever reports for the institution that owes it."""
    return (
        user.is_secretariat
        or obligation.institution_id in user.institution_ids
        or Denied(_("The institution that owes it, or the office, records that it was met."))
    )


# Events and campaigns, circulars, the library

OUTREACH = (Role.DIRECTOR, Role.PLANNING, Role.CHILD, Role.INFORMATION)


def may_keep_events(user: User) -> bool | Denied:
    """Events, what they reached, their files, and international days: who works with the public, plans or protects
    children, and the Director."""
    return user.has_role(*OUTREACH) or Denied(
        _("The information officer, the planning and child protection officers and the Director keep this.")
    )


def may_write_circular(user: User) -> bool | Denied:
    return may_keep_events(user)


def may_send_circular(user: User) -> bool | Denied:
    """What goes out in the office's name is sent by the information officer or the Director."""
    return user.has_role(Role.DIRECTOR, Role.INFORMATION) or Denied(
        _("The information officer or the Director sends circulars.")
    )


def may_see_recipients(user: User) -> bool | Denied:
    return user.keeps_cooperation or Denied(_("Who got a circular is for the office."))


def may_keep_library(user: User) -> bool | Denied:
    return may_keep_events(user)
