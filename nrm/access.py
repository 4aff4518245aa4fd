"""Who may do what with cases, and with what the office keeps about the mechanism."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from nrm.models import (
    Case,
    CaseParty,
    Destruction,
    EmergencyAccess,
    NeedsAnswer,
    Proceeding,
    ProceedingVictim,
    TrainingFollowUp,
)
from onatc.errors import Denied
from stakeholders.models import Role, User

MECHANISM_KEEPERS = (Role.DIRECTOR, Role.PLANNING, Role.MONITORING, Role.CHILD)


def may_keep_mechanism(user: User) -> bool | Denied:
    """The office keeps the services directory, the trainings, the SOP and the assessment of the mechanism."""
    return user.has_role(*MECHANISM_KEEPERS) or Denied(_("The office keeps what is recorded about the mechanism."))


# Trainings


def may_answer_needs(user: User, answer: NeedsAnswer) -> bool | Denied:
    """Whoever reports for the institution that was asked; in which state is for the act."""
    return answer.institution_id in user.institution_ids or Denied(
        _("Whoever reports for the institution answers for it.")
    )


def may_reopen_needs(user: User, answer: NeedsAnswer) -> bool | Denied:
    """The institution itself, as long as the assessment takes answers, or the office."""
    return user.has_role(*MECHANISM_KEEPERS) or may_answer_needs(user, answer)


def may_adopt_training_plan(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director adopts the training plan."))


def may_answer_follow_up(user: User, follow_up: TrainingFollowUp) -> bool | Denied:
    """The institution whose people were trained, or the office in its name."""
    if follow_up.institution_id in user.institution_ids or user.has_role(*MECHANISM_KEEPERS):
        return True
    return Denied(_("Whoever reports for the institution answers for it."))


def sees_all_trained(user: User) -> bool:
    """Sums over all institutions: the office, and observers; others see those of their own institution."""
    return user.is_office or user.is_observer


# Cases


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
