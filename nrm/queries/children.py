"""What the page of a child's case tells of guardian, best interest, child protection unit and age."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nrm import access
from nrm.models import (
    AgeCheck,
    BestInterest,
    Case,
    CaseParty,
    EventKind,
    Guardianship,
    Happening,
    Purpose,
    Share,
    Track,
)
from nrm.queries.cases import may_record
from nrm.queries.identification import SHOWN, with_function
from nrm.sections import Act, Section, register
from stakeholders.models import User


def units_for(case: Case) -> Any:
    """Child protection units for the case: of its municipality, and of the whole country."""
    return with_function(case, access.CARES_FOR_CHILD)


def has_unit(case: Case) -> bool:
    """A child protection unit takes part in the case."""
    parties = CaseParty.objects.filter(case=case, until__isnull=True, institution__in=units_for(case).order_by())
    return parties.exists()


def turned_adult(case: Case) -> Happening | None:
    """The step by which a child of this case came of age, unless it was struck."""
    return (
        Happening.objects.filter(case=case, kind=EventKind.TURNED_ADULT, struck_at__isnull=True)
        .order_by("happened_at")
        .first()
    )


def _child(case: Case, user: User) -> dict[str, Any]:
    checks = list(AgeCheck.objects.filter(case=case).select_related("institution")[:SHOWN])
    if not case.is_child_procedure:
        return {"checks": checks}
    guardianships = list(Guardianship.objects.filter(case=case).select_related("appointed_by")[:SHOWN])
    today = timezone.localdate()
    return {
        "is_child": True,
        "lost_guardian": bool(guardianships) and all(one.ends_on and one.ends_on < today for one in guardianships),
        "turned_adult": turned_adult(case),
        "has_unit": has_unit(case),
        "guardianships": guardianships,
        "interests": list(BestInterest.objects.filter(case=case).select_related("institution")[:SHOWN]),
        "checks": checks,
        "may_care": bool(access.may_care_for_child(user, case)),
    }


def _acts(case: Case, user: User) -> Iterable[Act]:
    def url(name: str) -> str:
        return reverse(f"nrm:{name}", args=[case.marker])

    if access.may_check_age(user, case):
        yield Act(_("Record an age check"), url("case-age"), is_next=case.track == Track.UNKNOWN)
    if not case.is_child_procedure:
        return
    if may_record(case, user):
        units = list(units_for(case).values_list("pk", flat=True))
        if not has_unit(case):
            yield Act(_("Bring in the child protection unit"), url("case-child-unit"), is_next=True)
        elif case.responsible_id not in units and access.takes_part(user, case):
            # It becomes the case manager by accepting the responsibility, as everybody does.
            asked = {"purpose": Purpose.CHILD_PROTECTION, "share": Share.HANDOVER, "addressee": units[0]}
            yield Act(_("Refer the case to the child protection unit"), f"{url('referral-send')}?{urlencode(asked)}")
        if case.track == Track.CHILD and turned_adult(case) is None:
            yield Act(_("The person turned 18"), url("case-adult"))
    if access.may_care_for_child(user, case):
        yield Act(_("Name a guardian"), url("case-guardian"))
        yield Act(_("Determine the best interest"), url("case-best-interest"))


def register_sections() -> None:
    register(Section("child", _("Child protection"), "nrm/sections/child.html", _child, _acts, order=18))
