"""Who takes part in a case, who is responsible for it, and who manages it there."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note
from nrm.models import Case, CaseManagement, CaseParty, EventKind, PartyRole
from nrm.queries.referrals import people_of
from onatc.errors import Denied, Refused, require
from stakeholders.actions.records import locked, refuse_future
from stakeholders.models import Institution, User


def join(case: Case, institution: Institution, role: str, *, by: User | None) -> CaseParty:
    """The institution takes part in a locked case in this role from now on; once, however often it is asked."""
    party = CaseParty.objects.filter(case=case, institution=institution, role=role, until__isnull=True).first()
    return party or CaseParty.objects.create(
        case=case, institution=institution, role=role, recorded_by=by, recorded_for=institution
    )


def hand_over(case: Case, to: Institution, manager: User | None, *, by: User | None, on: date) -> None:
    """Move the responsibility for a locked case. The institution that had it keeps a part, so that it is not shut out of
    what it began; its manager ends with it."""
    if case.responsible_id != to.pk:
        now, former = timezone.now(), case.responsible
        CaseParty.objects.filter(case=case, role=PartyRole.RESPONSIBLE, until__isnull=True).update(until=now)
        join(case, to, PartyRole.RESPONSIBLE, by=by)
        if not CaseParty.objects.filter(case=case, institution=former, until__isnull=True).exists():
            join(case, former, PartyRole.REFERRED, by=by)
        case.responsible = to
        case.save(update_fields=["responsible"])
        note(case, EventKind.HANDED_OVER, on=on, by=by, institution=to)
    _put_manager(case, manager, by=by, on=on)


def _put_manager(case: Case, manager: User | None, *, by: User | None, on: date) -> None:
    current = CaseManagement.objects.filter(case=case, until__isnull=True).first()
    is_same = current is not None and (current.manager_id, current.institution_id) == (
        manager.pk if manager else None,
        case.responsible_id,
    )
    if is_same:
        return
    if current is not None:
        current.until = timezone.now()
        current.save(update_fields=["until"])
    case.manager = manager
    case.save(update_fields=["manager"])
    if manager is None:
        return
    made = CaseManagement.objects.create(
        case=case, institution=case.responsible, manager=manager, recorded_by=by, recorded_for=case.responsible
    )
    note(case, EventKind.MANAGER_NAMED, on=on, by=by, institution=case.responsible, record=made)


@transaction.atomic
def name_manager(case: Case, manager: User, *, by: User, instead_of: User | None, on: date | None = None) -> Case:
    """Name who manages the case at the responsible institution. `instead_of` is whom the form showed: of two people who name
    somebody at once the second is told, and sees whom the first one named.

    Raises PermissionDenied and Refused.
    """
    case = locked(case)
    require(access.may_record(by, case))
    require(access.may_manage(by, case))
    day = on or timezone.localdate()
    refuse_future(day, "on")
    if not people_of(case.responsible).filter(pk=manager.pk).exists():
        raise Refused(_("The case manager is somebody who reports for the responsible institution."), "manager")
    if case.manager_id == manager.pk:
        return case
    if case.manager_id != (instead_of.pk if instead_of else None):
        raise Refused(
            _("A colleague named another case manager meanwhile: %(person)s. Open the page anew.")
            % {"person": case.manager or _("nobody")},
            "manager",
        )
    _put_manager(case, manager, by=by, on=day)
    return case


@transaction.atomic
def take_over_management(management: CaseManagement, heir: User, by: User) -> None:
    """Whoever manages a case leaves: somebody of the same institution goes on, with the history of both. The right was
    asked where the account ends."""
    case = locked(management.case)
    if case.manager_id == management.manager_id:
        _put_manager(case, heir, by=by, on=timezone.localdate())


@transaction.atomic
def end_part(party: CaseParty, *, by: User) -> CaseParty:
    """An institution takes no part in the case any more, and sees it no longer unless it has another part. Twice is once.

    The institution itself ends its part, or the responsible one does; responsibility is handed over, never ended.
    """
    case = locked(party.case)
    party = locked(party)
    require(access.may_record(by, case))
    if party.institution_id not in by.institution_ids:
        require(
            access.may_manage(by, case) or Denied(_("The institution itself or the responsible one ends this part."))
        )
    if party.until is not None:
        return party
    if party.role == PartyRole.RESPONSIBLE:
        raise Refused(_("Responsibility does not end: hand the case over to another institution."))
    party.until = timezone.now()
    party.save(update_fields=["until"])
    return party
