"""What pages tell of deviations: what was found, in the reader's language and as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nrm import access
from nrm.models import Case, Deviation, DeviationState
from nrm.problems import RULES, sentence
from nrm.sections import Act, Section, register
from onatc.dated_settings import SettingName, setting
from onatc.texts import Text, written_in
from stakeholders.models import User


def for_list(rows: QuerySet[Deviation]) -> QuerySet[Deviation]:
    return rows.select_related("institution", "municipality", "step", "case")


def threshold_for(user: User) -> int | None:
    """From which count on the reader sees counts of cases; None for whoever sees all cases."""
    return None if access.sees_all_cases(user) else int(setting(SettingName.SMALL_COUNT, on=timezone.localdate()))


def told(rows: Iterable[Deviation], user: User) -> list[Deviation]:
    """Each with `said`, what was found, `rule_title`, and `shown_case`, the case for whoever sees it. Two queries."""
    found = list(rows)
    keys = [one.case_id for one in found if one.case_id is not None]
    cases = set(Case.objects.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()
    threshold = threshold_for(user)
    for one in found:
        shown: Any = one
        shown.said = said(one, user, threshold)
        shown.rule_title = RULES[one.rule].title if one.rule in RULES else ""
        shown.shown_case = one.case if one.case_id in cases else None
    return found


def said(one: Deviation, user: User, threshold: int | None) -> str:
    if one.what or one.rule not in RULES:
        return written_in(one.what, one.language)
    own = None if access.sees_figures_of(user, one) else threshold
    return Text(sentence(one.rule, one.figures, threshold=own))


# The page of a case


def section(case: Case, user: User) -> dict[str, Any]:
    rows = for_list(Deviation.objects.visible_to(user).filter(case=case)).order_by("-found_on", "pk")
    return {"rows": told(rows, user)}


def _acts(case: Case, user: User) -> Iterable[Act]:
    if not access.may_record_deviation(user, case):
        return []
    return [Act(_("Record a deviation"), reverse("nrm:case-deviation", args=[case.marker]))]


def register_sections() -> None:
    """Called when the app is ready (nrm/case_sections.py)."""
    register(Section("deviations", _("Deviations"), "nrm/sections/deviations.html", section, _acts, order=900))


def may_of(one: Deviation, user: User) -> dict[str, bool]:
    """What the reader may do with it now."""
    steers = bool(access.may_steer_deviation(user, one))
    return {
        "may_correct": steers and one.state in (DeviationState.OPEN, DeviationState.CORRECTING),
        "may_report": one.state == DeviationState.CORRECTING and bool(access.may_report_correction(user, one)),
        "may_check": steers and one.state == DeviationState.DONE and one.done_by_id != user.pk,
        "may_close": steers and one.state in (DeviationState.OPEN, DeviationState.CORRECTING),
        "may_reopen": steers and one.state == DeviationState.CLOSED,
        "is_own_report": steers and one.state == DeviationState.DONE and one.done_by_id == user.pk,
    }
