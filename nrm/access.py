"""Who may do what with cases, and with what the office keeps about the mechanism."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from nrm.models import NeedsAnswer, TrainingFollowUp
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
