"""What is known of a case is corrected and completed."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nrm import access
from nrm.actions.happenings import note
from nrm.ages import age_group_of, geography_of, procedure_track
from nrm.models import Case, EventKind
from nrm.queries.cases import field_label, profile_of
from onatc.errors import Refused, require
from stakeholders.actions.records import Stale, locked, save, set_fields
from stakeholders.models import User


def derived(values: dict[str, Any]) -> dict[str, Any]:
    """Profile values with what follows from them: the age group from the age, the geography from the countries."""
    values = dict(values)
    if "age_at_referral" in values or "age_group_at_referral" in values:
        values["age_group_at_referral"] = age_group_of(
            values.get("age_at_referral"), values.get("age_group_at_referral") or "AGE_U"
        )
    if values.get("age_at_exploitation") is not None:
        values["age_group_at_exploitation"] = age_group_of(values["age_at_exploitation"])
    if "recruitment_countries" in values and "exploitation_countries" in values:
        values["geography"] = geography_of(
            values["recruitment_countries"],
            values.get("transit_countries", ()),
            values["exploitation_countries"],
            values.get("geography") or "GEO_U",
        )
    return values


@transaction.atomic
def change_profile(case: Case, values: dict[str, Any], *, by: User, revision: int) -> Case:
    """Correct or complete the profile of an open case; an anonymous one becomes a full one by it, and no person is added.

    An adult who turns out to be a child, or whose age is in doubt, is treated as a child from now on. The other way the age
    is assessed (an age check), so that no typing error ends the protection of a child.

    Raises PermissionDenied, Stale and Refused.
    """
    case = locked(case)
    require(access.may_record(by, case))
    values = derived(values)
    group = values.get("age_group_at_referral", case.age_group_at_referral)
    was_child = case.is_child_procedure
    is_new_group = group != case.age_group_at_referral  # an age check may have said more than the age at the referral
    if is_new_group and was_child and procedure_track(group) == "ADULT" and case.track != "ADULT":
        raise Refused(
            _(
                "This person is treated as a child: record an age check, which ends that; then the age can be corrected."
            ),
            "age_at_referral" if values.get("age_at_referral") is not None else "age_group_at_referral",
        )
    before = copy(case)
    try:
        changed = set_fields(case, values, revision)
    except Stale as stale:
        shown = {one.name: one for one in profile_of(before)}
        names = [name.removesuffix("_id") for name, value in values.items() if getattr(before, name) != value]
        stale.changed = [
            (field_label(name), shown[name].text if name in shown else getattr(before, name))
            for name in names
            if name in shown or name == "note"
        ]
        raise
    if not changed:
        return case
    becomes_child = is_new_group and not was_child and procedure_track(group) == "CHILD"
    if becomes_child:
        case.is_child_procedure = True
    if becomes_child or (is_new_group and was_child and case.track != "ADULT"):
        case.track = group
    save(case)
    today = timezone.localdate()
    if becomes_child:
        if group == "AGE_U":
            note(case, EventKind.AGE_DOUBTED, on=today, by=by, institution=_for(by, case))
        note(case, EventKind.CHILD, on=today, by=by, institution=_for(by, case))
    return case


def _for(by: User, case: Case) -> Any:
    """For which of the institutions somebody writes: the responsible one if it is theirs, else another of theirs."""
    own = {one.institution_id: one.institution for one in by.assignments}
    return own.get(case.responsible_id) or next((one for key, one in own.items() if key in by.institution_ids), None)
