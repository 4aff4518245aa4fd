"""Who may do what with cases, and with what the office keeps about the mechanism."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
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
    Happening,
    NeedsAnswer,
    Proceeding,
    ProceedingVictim,
    Referral,
    Service,
    SopStep,
    TrainingFollowUp,
)
from onatc.errors import Denied
from stakeholders.models import REPORTERS, Institution, Role, RoleAssignment, User

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


def may_go_on(user: User, case: Case) -> bool | Denied:
    """Record what goes on after the closing: follow-ups, proceedings and protection, and what authorities decide on the
    identification, a permit or a compensation. Whoever takes part in the case, and the office's case roles."""
    if case.duplicate_of_id is not None:
        return Denied(_("This case was merged into another one."))
    if user.has_role(*CASE_KEEPERS) or (case.is_child_procedure and user.has_role(Role.CHILD)):
        return True
    return takes_part(user, case) or Denied(_("Only institutions that take part in the case record what happens."))


# Whose function it is, by the SOP: identification, risk, reflection, the age in doubt, and what is done for a child.
DECIDES = (Function.POLICE, Function.ADVOCATE, Function.COURT)
ASSESSES_RISK = (Function.POLICE, Function.ADVOCATE, Function.CSW, Function.CHILD_UNIT)
GRANTS_REFLECTION = (Function.POLICE, Function.ADVOCATE)
CHECKS_AGE = (Function.POLICE, Function.CSW, Function.CHILD_UNIT, Function.HEALTH)
CARES_FOR_CHILD = (Function.CSW, Function.CHILD_UNIT)


def has_function(user: User, case: Case, functions: Iterable[str]) -> bool:
    """One of the user's institutions has such a function today, in the whole country or where the case is. Asked once for
    each reading of the case: an act reads the case anew, under its lock."""
    known: dict[Any, set[str]] = case.__dict__.setdefault("_functions_here", {})
    if user.pk not in known:
        found = Competence.objects.on(timezone.localdate()).filter(institution__in=user.institution_ids)
        if case.municipality_id is not None:
            found = found.filter(Q(municipality=None) | Q(municipality=case.municipality_id))
        known[user.pk] = set(found.values_list("function", flat=True))
    return not known[user.pk].isdisjoint(functions)


def _may(
    user: User,
    case: Case,
    functions: Iterable[str],
    reason: str | Promise,
    *,
    recording: Callable[[User, Case], bool | Denied] = may_record,
) -> bool | Denied:
    if not (may := recording(user, case)):
        return may
    keeps = user.has_role(*CASE_KEEPERS) or (case.is_child_procedure and user.has_role(Role.CHILD))
    return keeps or has_function(user, case, functions) or Denied(reason)


def may_decide(user: User, case: Case) -> bool | Denied:
    """Record a decision on identification: the competent bodies, and the office for them; of a closed case too, of which a
    review or a court may still decide (nrm.actions.identification.decide)."""
    return _may(
        user,
        case,
        DECIDES,
        _("Only police, victim advocates and courts that are competent decide on identification."),
        recording=may_go_on,
    )


def may_assess_risk(user: User, case: Case) -> bool | Denied:
    return _may(user, case, ASSESSES_RISK, _("Police, victim advocates and social workers assess the risk together."))


def may_grant_reflection(user: User, case: Case) -> bool | Denied:
    return _may(
        user,
        case,
        GRANTS_REFLECTION,
        _("The police's directorate and victim advocates decide on the reflection period."),
    )


def may_check_age(user: User, case: Case) -> bool | Denied:
    return _may(user, case, CHECKS_AGE, _("Police, social workers and health services check an age in doubt."))


def may_care_for_child(user: User, case: Case) -> bool | Denied:
    """Name guardians and determine the best interest: the centre for social work, in the procedure of a child."""
    if not case.is_child_procedure:
        return Denied(_("This is not the procedure of a child."))
    return _may(user, case, CARES_FOR_CHILD, _("The Centre for Social Work does this for a child."))


def may_strike(user: User, case: Case, happening: Happening) -> bool | Denied:
    """Take back a step that consists of its day: whoever recorded it, their institution, and the office."""
    if not (recording := may_record(user, case)):
        return recording
    return (
        happening.recorded_by_id == user.pk
        or happening.recorded_for_id in user.institution_ids
        or user.has_role(*CASE_KEEPERS)
        or Denied(_("The institution that recorded the step corrects it."))
    )


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


def may_open_again(user: User, earlier: Case) -> bool | Denied:
    """Open a new episode of the person of a closed case: whoever sees that case and opens cases. As long as an episode that
    they see is open, one refers within it (data_dictionary.md, section 2)."""
    if earlier.duplicate_of_id is not None:
        return Denied(_("This case was merged into another one."))
    still = Case.objects.visible_to(user).open().filter(person=earlier.person_id).first()
    if still is not None:
        return Denied(format_lazy(_("Episode {marker} is still open: refer within it."), marker=str(still)))
    if not Case.objects.visible_to(user).filter(pk=earlier.pk).exists():
        return Denied(_("Only institutions that take part in the case record what happens."))
    return may_open_case(user)


def may_open_for(user: User, institution: Institution) -> bool | Denied:
    """In whose name a case is opened: one's own institutions'; the office opens for any."""
    return (
        institution.pk in user.institution_ids
        or user.has_role(*CASE_KEEPERS)
        or Denied(_("You open cases for your own institution."))
    )


def may_keep_file_number(user: User, case: Case, institution: Institution | None = None) -> bool | Denied:
    """The own file number, also of a closed case: institutions that take part in it."""
    own = {institution.pk} & user.institution_ids if institution is not None else user.institution_ids
    takes = CaseParty.objects.filter(case=case, institution__in=own, until__isnull=True).exists() if own else False
    return takes or Denied(_("Only an institution of the case keeps its own file number here."))


def may_look_for_twin(user: User, case: Case) -> bool | Denied:
    """Twins are looked for by institutions, of cases in which they take part; not by the office (T31)."""
    if case.duplicate_of_id is not None:
        return Denied(_("This record was entered twice."))
    return (bool(user.institution_ids) and takes_part(user, case)) or Denied(
        _("Only institutions of the case look for a twin of it.")
    )


def may_merge(user: User) -> bool | Denied:
    """Merge two cases and take that back, and settle what two institutions answered."""
    return user.has_role(*CASE_KEEPERS) or Denied(_("The Director and the monitoring officer merge cases."))


def pauses_of(user: User, case: Case) -> Callable[[SopStep], bool]:
    """Which steps of a case `user` may pause, with two queries for all of them."""
    may = bool(may_record(user, case))
    always = user.has_role(*CASE_KEEPERS) or (case.is_child_procedure and user.has_role(Role.CHILD))
    has = set()
    if may and not always:
        own = Competence.objects.on(timezone.localdate()).filter(institution__in=user.institution_ids)
        has = set(own.values_list("function", flat=True))
        if case.responsible_id in user.institution_ids:
            has.add(Function.RESPONSIBLE)
    return lambda step: may and (always or not has.isdisjoint(step.may_pause))


def may_pause(user: User, case: Case, step: SopStep) -> bool | Denied:
    """Let a clock stand still, and go on: the office's case roles, and an institution of the case that has a function which
    the step names for it."""
    may = may_record(user, case)
    return (pauses_of(user, case)(step) or Denied(_("Who may pause this step stands in the SOP."))) if may else may


def may_adopt_sop(user: User) -> bool | Denied:
    return user.has_role(Role.DIRECTOR) or Denied(_("The Director adopts a version of the SOP."))


def sees_all_cases(user: User) -> bool:
    """Whose counts are not protected: whoever may open every case."""
    return user.has_role(*CASE_KEEPERS)


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


# Referrals


def may_refer(user: User, case: Case) -> bool | Denied:
    """Whoever adds facts to the case refers from it."""
    return may_record(user, case)


def may_hand_over(user: User, case: Case) -> bool | Denied:
    """Offer the responsibility: who may name the case manager, in an open case."""
    return may_record(user, case) and may_manage(user, case)


def answers_here(institution: Institution | None) -> bool:
    """Whether somebody with an account reports for the institution, who finds the referral in the inbox."""
    if institution is None:
        return False
    there = RoleAssignment.objects.active().filter(role__in=REPORTERS, institution=institution)
    return there.filter(user__is_active=True).exists()


def may_answer(user: User, referral: Referral) -> bool | Denied:
    """The addressee's own people. For an addressee without an account, abroad for example, whoever takes part in the case
    records the answer that came by telephone or letter."""
    if referral.addressee_id in user.institution_ids:
        return True
    if answers_here(referral.addressee):
        return Denied(_("Only the institution that the referral is addressed to answers it."))
    return may_record(user, referral.case)


def may_withdraw(user: User, referral: Referral) -> bool | Denied:
    """The sender, while it waits; one without a sender, and any in need, the office's case roles."""
    if referral.sender_id is not None and referral.sender_id in user.institution_ids:
        return True
    return may_record(user, referral.case) and (
        user.has_role(*CASE_KEEPERS)
        or referral.sender_id is None
        or referral.recorded_by_id == user.pk
        or Denied(_("Only the institution that sent the referral withdraws it."))
    )


def may_correct_sending(user: User, referral: Referral) -> bool | Denied:
    """The day of a referral in an open case: whoever sent it or recorded it, and the office's case roles."""
    return may_record(user, referral.case) and (
        user.has_role(*CASE_KEEPERS)
        or referral.recorded_by_id == user.pk
        or (referral.sender_id or referral.recorded_for_id) in user.institution_ids
        or Denied(_("Each institution corrects the days that it recorded."))
    )


def may_correct_answer(user: User, referral: Referral) -> bool | Denied:
    """The days of its answer in an open case: the addressee, also one that declined and takes no part, whoever recorded the
    answer for it, and the office's case roles."""
    if referral.case.is_open and referral.addressee_id in user.institution_ids:
        return True
    return may_record(user, referral.case) and (
        user.has_role(*CASE_KEEPERS)
        or referral.answered_by_id == user.pk
        or Denied(_("Each institution corrects the days that it recorded."))
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


def may_import_cases(user: User) -> bool | Denied:
    """Bring a file of cases in: whoever sees all cases."""
    return user.has_role(*CASE_KEEPERS) or Denied(_("The Director and the monitoring officer bring files of cases in."))


def may_count_cases(user: User) -> bool | Denied:
    """Unprotected counts (disclosure_control.md, section 4): whoever sees all cases. Everybody else sees protected ones."""
    return user.has_role(*CASE_KEEPERS) or Denied(
        _("Unprotected counts are for the Director and the monitoring officer; tables that are released are protected.")
    )


# The services directory


def is_of_provider(user: User, service: Service) -> bool:
    """Reports for the institution that gives the service."""
    return service.provider_id in user.institution_ids


def may_tell_of_service(user: User, service: Service) -> bool | Denied:
    """How many places are free, and that an entry is still right: who reports for the provider, and the office, which is
    told by telephone."""
    return (
        is_of_provider(user, service)
        or user.has_role(*MECHANISM_KEEPERS)
        or Denied(_("The provider, or the office, says this of a service."))
    )


def may_propose_change(user: User, service: Service) -> bool | Denied:
    """The provider's own people; the office changes the entry itself."""
    return is_of_provider(user, service) or Denied(_("The provider proposes what is to be changed in its entry."))


def may_see_reserved(user: User) -> bool:
    """How institutions reach a service: the office, and who reports for an institution; an observer does not refer."""
    return user.is_office or user.is_reporter


def may_read_address(user: User, service: Service) -> bool | Denied:
    """The Director and the monitoring officer; the child protection officer where children are helped; the provider's own
    people. Whoever refers somebody is told by telephone (threats.md T35). `ServiceAddress.objects.visible_to` says the
    same to the database."""
    return (
        user.has_role(Role.DIRECTOR, Role.MONITORING)
        or (user.has_role(Role.CHILD) and service.for_children)
        or is_of_provider(user, service)
        or Denied(_("The address of a service is for few. Whoever refers somebody asks the provider by telephone."))
    )
