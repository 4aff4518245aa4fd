"""What pages tell of deviations: what was found, in the reader's language and as far as the reader may see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nrm import access
from nrm.models import Adaptation, Assessment, Case, Deviation, DeviationState
from nrm.problems import RULES, sentence
from nrm.sections import Act, Section, register
from onatc.dated_settings import SettingName, setting
from onatc.texts import Text, written_in
from stakeholders import related
from stakeholders.models import ActionPoint, Decision, Role, User


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
    return Text(sentence(one.rule, one.figures, threshold=own, knows_children=user.has_role(Role.CHILD)))


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


# On the pages of what a meeting gave and decided


def _of_points(points: Collection[ActionPoint], user: User) -> dict[Any, list[related.Related]]:
    found: dict[Any, list[related.Related]] = {}
    rows = for_list(Deviation.objects.visible_to(user).filter(point__in=[one.pk for one in points]))
    for one in told(rows.order_by("found_on", "pk"), user):
        said_of: Any = one
        title = f"{one.institution.short}: {said_of.rule_title or one.what}"
        found.setdefault(one.point_id, []).append(
            related.Related(
                title, one.get_absolute_url(), state=f"deviation-{one.state}", state_label=one.get_state_display()
            )
        )
    return found


def _of_decisions(decisions: Collection[Decision], user: User) -> dict[Any, list[related.Related]]:
    found: dict[Any, list[related.Related]] = {}
    keys = [one.pk for one in decisions]
    for one in Adaptation.objects.visible_to(user).filter(decision__in=keys).order_by("proposed_on", "pk"):
        found.setdefault(one.decision_id, []).append(
            related.Related(
                one.title, one.get_absolute_url(), state=f"adaptation-{one.state}", state_label=one.get_state_display()
            )
        )
    for two in Assessment.objects.visible_to(user).filter(decision__in=keys).order_by("number"):
        found.setdefault(two.decision_id, []).append(
            related.Related(
                str(two), two.get_absolute_url(), state=f"assessment-{two.state}", state_label=two.get_state_display()
            )
        )
    return found


def register_related() -> None:
    related.register(related.Source("deviation", ActionPoint, _("Deviations from the SOP"), _of_points))
    related.register(related.Source("mechanism", Decision, _("The mechanism"), _of_decisions))
