"""Who may do what with cases, and with what the office keeps about the mechanism."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nrm.models import (
    Adaptation,
    AdaptationState,
    Assessment,
    AssessmentState,
    Case,
    CaseParty,
    Competence,
    Destruction,
    Deviation,
    EmergencyAccess,
    Function,
    Proceeding,
    ProceedingVictim,
    SopStep,
)
from onatc.errors import Denied
from stakeholders.models import Role, User

MECHANISM_KEEPERS = (Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD)


def may_keep_mechanism(user: User) -> bool | Denied:
    """The office keeps the services directory, the trainings, the SOP and the assessment of the mechanism."""
    return user.has_role(*MECHANISM_KEEPERS) or Denied(_("The office keeps what is recorded about the mechanism."))


CASE_KEEPERS = (Role.DIRECTOR, Role.MONITORING)


def may_open_case(user: User) -> bool | Denied:
    """Whoever reports for an institution, and the office's case roles: a first responder may be any institution."""
    return bool(user.is_reporter or user.has_role(*CASE_KEEPERS)) or Denied(
        _("Cases are opened by institutions and by the office.")
    )


def may_record(user: User, case: Case) -> bool | Denied:
    """Add facts to an open case: the institutions that take part in it now, and the office's case roles; the child
    protection officer in the cases of children."""
    if case.closed_on is not None or case.duplicate_of_id is not None:
        return Denied(_("This case is closed: open a new episode if the person came again."))
    if user.has_role(*CASE_KEEPERS) or (case.is_child_procedure and user.has_role(Role.CHILD)):
        return True
    return takes_part(user, case) or Denied(_("Only institutions that take part in the case record what happens."))


def takes_part(user: User, case: Case) -> bool:
    return CaseParty.objects.filter(case=case, institution__in=user.institution_ids, until__isnull=True).exists()


def may_manage(user: User, case: Case) -> bool | Denied:
    """Name the case manager and hand the case over: the responsible institution, and the Director."""
    if case.closed_on is not None:
        return Denied(_("This case is closed."))
    return (
        case.responsible_id in user.institution_ids
        or user.has_role(Role.DIRECTOR)
        or Denied(_("The responsible institution decides this."))
    )


def may_pause(user: User, case: Case, step: SopStep) -> bool | Denied:
    """Let a clock stand still, and go on: the office's case roles, and an institution of the case that has a function which
    the step names for it."""
    may = may_record(user, case)
    if not may or user.has_role(*CASE_KEEPERS) or (case.is_child_procedure and user.has_role(Role.CHILD)):
        return may
    if Function.RESPONSIBLE in step.may_pause and case.responsible_id in user.institution_ids:
        return True
    able = Competence.objects.on(timezone.localdate()).filter(
        institution__in=user.institution_ids, function__in=step.may_pause
    )
    return able.exists() or Denied(_("Who may pause this step stands in the SOP."))


def may_adopt_sop(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director adopts a version of the SOP."))


def sees_all_cases(user: User) -> bool:
    """Whose counts are not protected: whoever may open every case."""
    return user.has_role(*CASE_KEEPERS)


def may_follow_up(user: User, case: Case) -> bool | Denied:
    """Follow-ups reach beyond the closing: whoever took part in the case, and the office's case roles."""
    if case.duplicate_of_id is not None:
        return Denied(_("This case was merged into another one."))
    if user.has_role(*CASE_KEEPERS) or (case.is_child_procedure and user.has_role(Role.CHILD)):
        return True
    return takes_part(user, case) or Denied(_("Only institutions that take part in the case record what happens."))


def may_close_case(user: User, case: Case) -> bool | Denied:
    """The responsible institution, and the Director."""
    if case.duplicate_of_id is not None:
        return Denied(_("This case was merged into another one."))
    return (
        case.responsible_id in user.institution_ids
        or user.has_role(Role.DIRECTOR)
        or Denied(_("The responsible institution closes the case."))
    )


def may_keep_proceeding(user: User, proceeding: Proceeding) -> bool | Denied:
    """Whoever reported it, those who record in a case of one of its victims, and the office's case roles."""
    if user.has_role(*CASE_KEEPERS) or proceeding.reported_by_id in user.institution_ids:
        return True
    own = CaseParty.objects.filter(institution__in=user.institution_ids, until__isnull=True)
    return ProceedingVictim.objects.filter(proceeding=proceeding, case__in=own.values("case")).exists() or Denied(
        _("Only institutions that take part in the case record what happens.")
    )


# What the office finds about the mechanism


def may_see_deviations(user: User) -> bool | Denied:
    """Open the pages of deviations at all; which ones is for `visible_to`."""
    return user.sees_deviations or Denied(
        _("Deviations are for the office and for the institutions that correct them.")
    )


def may_record_deviation(user: User, case: Case | None = None) -> bool | Denied:
    """The office: of a case, whoever keeps cases, and the child protection officer in the cases of children; without a
    case, the planning officer too."""
    if case is None:
        return may_keep_mechanism(user)
    is_kept = user.has_role(*CASE_KEEPERS) or (case.is_child_procedure and user.has_role(Role.CHILD))
    return is_kept or Denied(_("The office records deviations of cases."))


def may_steer_deviation(user: User, deviation: Deviation) -> bool | Denied:
    """State its cause and what is done, check it, open it again: as for recording it."""
    return may_record_deviation(user, deviation.case)


def may_report_correction(user: User, deviation: Deviation) -> bool | Denied:
    """Say that it was corrected: the institution that is to correct it, and the office."""
    return (
        deviation.institution_id in user.institution_ids
        or bool(may_steer_deviation(user, deviation))
        or Denied(_("The institution that corrects it, or the office, says that it was done."))
    )


def sees_figures_of(user: User, deviation: Deviation) -> bool:
    """Whose counts are not protected: whoever may open every case, and an institution for what is its own."""
    return sees_all_cases(user) or deviation.institution_id in user.institution_ids


def may_propose_adaptation(user: User) -> bool | Denied:
    return bool(may_keep_mechanism(user)) or user.is_reporter or Denied(_("The office and institutions propose."))


def may_edit_adaptation(user: User, adaptation: Adaptation) -> bool | Denied:
    """As long as it is not decided: the office, and the institution that proposed it."""
    if adaptation.state != AdaptationState.PROPOSED:
        return Denied(_("It is decided; a new proposal can be made."))
    own = adaptation.proposed_for_id is not None and adaptation.proposed_for_id in user.institution_ids
    return own or may_keep_mechanism(user)


def may_decide_adaptation(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director records what was decided."))


def may_write_assessment(user: User, assessment: Assessment | None = None) -> bool | Denied:
    """The office, as long as the version is not before the Authority."""
    if assessment is not None and assessment.state != AssessmentState.DRAFT:
        return Denied(_("This version is before the Authority or approved; it is not changed."))
    return may_keep_mechanism(user)


def may_approve_assessment(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director records that the Authority approved."))


# Emergencies, retention, requests of persons and breaches


def may_open_in_emergency(user: User) -> bool | Denied:
    """The secretariat and whoever reports for an institution: the Coordinator, observers and administrators see no case,
    not in an emergency either."""
    return bool(user.is_secretariat or user.is_reporter) or Denied(_("Your role does not open cases."))


def may_review_emergency(user: User, one: EmergencyAccess) -> bool | Denied:
    """The Director, never of an own one."""
    if one.user_id == user.pk:
        return Denied(_("Nobody reviews what they opened themselves."))
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director looks at this."))


def may_see_retention(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR, Role.MONITORING) or Denied(
        _("The Director and the monitoring officer look after retention.")
    )


def may_set_retention(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director sets for how long records are kept."))


def may_prepare_destruction(user: User) -> bool | Denied:
    return may_see_retention(user)


def may_approve_destruction(user: User, one: Destruction) -> bool | Denied:
    """The Director or the monitoring officer, whoever did not prepare it."""
    if one.prepared_by_id == user.pk:
        return Denied(_("Another person approves a destruction."))
    return may_see_retention(user)


def may_bring_request(user: User, case: Case) -> bool | Denied:
    """An institution that takes or took part in the case, or the Director."""
    own = CaseParty.objects.filter(case=case, institution__in=user.institution_ids)
    return (
        user.has_role(Role.DIRECTOR)
        or own.exists()
        or Denied(_("A request is brought by an institution that knows the person."))
    )


def may_answer_request(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director answers requests of persons."))


def may_report_breach(user: User) -> bool | Denied:
    return bool(user.roles) or Denied(_("Whoever holds a role reports a breach."))


def may_keep_breaches(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director keeps the register of breaches."))
