"""Questions about plans while they are drafted: whether a draft is open, what stands wrong in it, what may be served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onatc.periods import Period
from onatc.texts import column_of
from stakeholders.models import Institution
from strategy.imports import CODE
from strategy.models import (
    ConsultationState,
    Measure,
    MeasureSignal,
    Plan,
    PlanKind,
    PlanVersion,
    ServedMeasure,
    VersionState,
)


class Status(models.TextChoices):
    """Where a plan stands, as its reader may know; several may hold: a plan in force with an amendment in consultation."""

    DRAFT = "draft", gettext_lazy("draft")
    CONSULTATION = "consultation", gettext_lazy("in consultation")
    IN_FORCE = "in_force", gettext_lazy("in force")
    OVER = "over", gettext_lazy("over")
    AMENDED = "amended", gettext_lazy("amended")


def with_status(plans: QuerySet[Plan], user: Any, chosen: str = "") -> QuerySet[Plan]:
    """The plans with `is_<status>` for each status, narrowed to one if one is chosen; no query of its own."""
    today = timezone.localdate()
    versions = PlanVersion.objects.visible_to(user).filter(plan=OuterRef("pk"))
    adopted = Exists(versions.filter(state=VersionState.ADOPTED))
    draft = versions.filter(state=VersionState.DRAFT)
    marked = plans.annotate(
        is_draft=Exists(draft),
        is_consultation=Exists(draft.filter(consultations__state=ConsultationState.OPEN)),
        is_in_force=Q(adopted, ends_on__gte=today),
        is_over=Q(adopted, ends_on__lt=today),
        is_amended=Exists(versions.filter(state=VersionState.SUPERSEDED)),
    )
    return marked.filter(**{f"is_{chosen}": True}) if chosen in Status.values else marked


def statuses_of(plan: Any) -> list[tuple[str, str]]:
    """Those that hold of a plan from `with_status`, with their words; in consultation it is not called a draft besides."""
    found = [(code, str(label)) for code, label in Status.choices if getattr(plan, f"is_{code}")]
    return [one for one in found if not (one[0] == Status.DRAFT and plan.is_consultation)]


def why_closed(version: PlanVersion) -> str:
    """Why nothing can be changed in a version; empty when it is a draft that is open."""
    if version.state != VersionState.DRAFT:
        return _("Only a draft can be changed. What was adopted is amended by a new draft.")
    if version.consultations.filter(state=ConsultationState.OPEN).exists():
        return _("The draft is in consultation and does not change until that is closed.")
    return ""


@dataclass(frozen=True)
class Wanted:
    """What a measure is to say, as far as it can be wrong."""

    code: str
    titles: dict[str, str]
    starts_on: date
    ends_on: date
    lead: Institution
    partners: list[Institution] = field(default_factory=list)


def problems_of_title(plan: Plan, titles: dict[str, str]) -> dict[str, str]:
    """A title is there in at least one language of the plan."""
    own = [column_of(language) for language in plan.languages]
    if any(titles.get(column, "").strip() for column in own):
        return {}
    return {f"title_{own[0] if own else 'sq'}": _("Give a title in a language of the plan.")}


def problems_of_code(code: str, taken: Iterable[str]) -> dict[str, str]:
    if not CODE.fullmatch(code):
        return {"code": _("A code is made of letters, digits, full stops, hyphens and underscores.")}
    if code in taken:
        return {"code": _("The code %(code)s stands in this version already.") % {"code": code}}
    return {}


def problems_of_measure(wanted: Wanted, plan: Plan, taken: Iterable[str], today: date) -> dict[str, str]:
    """What is wrong with a measure, by field: its code, titles, dates, lead and partners.

    An institution must exist today, or on the first day of a measure still to come, or on the last day of one that is over.
    """
    found = problems_of_code(wanted.code, taken) | problems_of_title(plan, wanted.titles)
    if wanted.ends_on < wanted.starts_on:
        found["ends_on"] = _("The end must not lie before the start.")
    outside = _("The plan runs from %(start)s to %(end)s.") % {
        "start": date_format(plan.starts_on, "DATE_FORMAT"),
        "end": date_format(plan.ends_on, "DATE_FORMAT"),
    }
    if not plan.starts_on <= wanted.starts_on <= plan.ends_on:
        found["starts_on"] = outside
    if not plan.starts_on <= wanted.ends_on <= plan.ends_on:
        found.setdefault("ends_on", outside)
    day = min(max(wanted.starts_on, today), max(wanted.starts_on, wanted.ends_on))
    if text := _dissolved(wanted.lead, day):
        found["lead"] = text
    for place, partner in enumerate(wanted.partners):
        if partner.pk == wanted.lead.pk:
            found[f"partner_{place}"] = _("%(institution)s is the lead institution; it cannot be a partner too.") % {
                "institution": partner.name
            }
        elif partner in wanted.partners[:place]:
            found[f"partner_{place}"] = _("%(institution)s stands among the partners twice.") % {
                "institution": partner.name
            }
        elif text := _dissolved(partner, day):
            found[f"partner_{place}"] = text
    return found


def _dissolved(institution: Institution, day: date) -> str:
    if institution.dissolved_on is None or institution.dissolved_on >= day:
        return ""
    names = {
        "institution": institution.name,
        "date": date_format(institution.dissolved_on, "DATE_FORMAT"),
        "successor": institution.successor.name if institution.successor else "",
    }
    if institution.successor:
        return _("%(institution)s was dissolved on %(date)s; its successor is %(successor)s.") % names
    return _("%(institution)s was dissolved on %(date)s.") % names


def national_measures(on: date | None = None) -> QuerySet[Measure]:
    """The measures in force that a local plan may point up to, in the order of their plans."""
    day = on or timezone.localdate()
    return (
        Measure.objects.current()
        .filter(version__plan__ends_on__gte=day)
        .exclude(version__plan__kind=PlanKind.LOCAL)
        .select_related("version__plan")
        .order_by("version__plan__kind", "-version__plan__starts_on", "position")
    )


@dataclass
class Serving:
    """One end of a pointer from a local measure up to a national one; `url` is empty when the reader may not open it."""

    code: str
    title: Any
    plan: Any
    url: str
    signal: str = ""


def serving_of(measure: Measure, user: Any) -> tuple[list[Serving], list[Serving]]:
    """The national measures that a local one serves, as worded now; and the local measures in force that serve this one,
    in whatever version they pointed at it, with their signals."""
    today = timezone.localdate()
    pointed = list(ServedMeasure.objects.filter(measure=measure).values_list("serves__lineage", "serves"))
    up = []
    if pointed:
        seen = Measure.objects.visible_to(user).filter(pk=OuterRef("pk"))
        found = list(
            Measure.objects.filter(
                Q(lineage__in=[lineage for lineage, _pk in pointed], version__state=VersionState.ADOPTED)
                | Q(pk__in=[pk for _lineage, pk in pointed])
            )
            .select_related("version__plan")
            .annotate(is_seen=Exists(seen))
            .order_by("version__plan__kind", "position", "version__number")
        )
        newest = {one.lineage: one for one in found}
        newest |= {one.lineage: one for one in found if one.version.state == VersionState.ADOPTED}
        up = [
            Serving(one.code, one.title, one.version.plan.title, one.get_absolute_url() if one.is_seen else "")  # type: ignore[attr-defined]
            for one in newest.values()
        ]
    below = list(
        Measure.objects.visible_to(user)
        .current()
        .filter(serves__serves__lineage=measure.lineage)
        .select_related("version__plan")
        .order_by("version__plan__code", "position")
        .distinct()
    )
    signals = {}
    if below:
        quarter = Period.quarter_of(today)
        signals = dict(
            MeasureSignal.objects.visible_to(user)
            .filter(measure__in=below, starts_on=quarter.start, ends_on=quarter.end)
            .values_list("measure", "signal")
        )
    down = [
        Serving(one.code, one.title, one.version.plan.title, one.get_absolute_url(), signals.get(one.pk, ""))
        for one in below
    ]
    return up, down
