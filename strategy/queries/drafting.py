"""Questions about drafting with others: what a comment may be about, its wording now, who answered, how far the office is."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from onatc.templatetags.page import figure, money
from onatc.texts import SortKey
from strategy.models import (
    Comment,
    Consultation,
    ConsultationInvitation,
    ConsultationState,
    Goal,
    Indicator,
    Measure,
    Objective,
    PlanVersion,
    Proposal,
    ProposalState,
    VersionState,
)

Thing = Goal | Objective | Measure | None  # None: the plan as a whole

OTHER = "other"
TITLES = {
    "title_sq": _("title in Albanian"),
    "title_sr": _("title in Serbian"),
    "title_en": _("title in English"),
}
OF_A_MEASURE = TITLES | {
    "description_sq": _("description in Albanian"),
    "description_sr": _("description in Serbian"),
    "description_en": _("description in English"),
    "lead": _("lead institution"),
    "partners": _("partner institutions"),
    "starts_on": _("start"),
    "ends_on": _("deadline"),
    "indicator": _("indicator"),
    "budget": _("budget"),
}
DATES = ("starts_on", "ends_on")


def fields_of(thing: Thing) -> dict[str, Any]:
    """What of a thing a comment or a proposal may be about, key → label."""
    own = OF_A_MEASURE if isinstance(thing, Measure) else {} if thing is None else TITLES
    return {**own, OTHER: _("other")}


def field_label(key: str) -> str:
    return str({**OF_A_MEASURE, OTHER: _("other")}.get(key, "")) if key else ""


def can_be_taken_over(key: str) -> bool:
    """Whether the draft's field can be written from a proposed wording: texts and dates can, lists of records cannot."""
    return key in DATES or key.startswith(("title_", "description_"))


def language_of_field(key: str, otherwise: str) -> str:
    """The language in which a field is worded; of one that has none, that of the comment."""
    ending = {"sq": "sq", "sr": "sr-latn", "en": "en"}
    return ending.get(key.rsplit("_", 1)[-1], otherwise) if "_" in key and key not in DATES else otherwise


def wording_of(thing: Thing, key: str, language: str = "sq") -> str:
    """What the thing says now in the field, as a text; names and lists in `language`. Empty for "other"."""
    if thing is None or key in ("", OTHER):
        return ""
    if key in DATES:
        return f"{getattr(thing, key):%d.%m.%Y}"
    if not isinstance(thing, Measure) or key.startswith(("title_", "description_")):
        return str(getattr(thing, key))
    with override(language):
        if key == "lead":
            return str(thing.lead.name)
        if key == "partners":
            partners = thing.partnerships.select_related("institution")
            return ", ".join(str(one.institution.name) for one in partners)
        if key == "indicator":
            return "; ".join(_indicator(one) for one in thing.indicators.prefetch_related("targets"))
        lines = thing.budget_lines.all()
        return "; ".join(f"{money(one.planned_cents)} ({one.get_source_display()})" for one in lines)


def _indicator(one: Indicator) -> str:
    targets = list(one.targets.all())
    unknown = gettext("not known")
    start = unknown if one.baseline is None else figure(one.baseline, one.unit)
    end = figure(targets[-1].value, one.unit) if targets else unknown
    return f"{one.name}: {start} → {end}"


def read_date(text: str) -> date | None:
    """A day as wordings write it (31.12.2026), or as machines do; None when it is none."""
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text.strip(), re.A)
    try:
        return date(*(int(part) for part in reversed(found.groups()))) if found else date.fromisoformat(text.strip())
    except ValueError:
        return None


def counterpart(thing: Thing, version: PlanVersion) -> Thing:
    """The same thing in another version: a measure by its lineage, a goal or objective by its code. None when it is gone."""
    if isinstance(thing, Measure):
        return Measure.objects.filter(version=version, lineage=thing.lineage).select_related("lead").first()
    if isinstance(thing, Objective):
        return Objective.objects.filter(goal__version=version, goal__code=thing.goal.code, code=thing.code).first()
    if isinstance(thing, Goal):
        return Goal.objects.filter(version=version, code=thing.code).first()
    return None


def thing_of(version: PlanVersion, kind: str, pk: uuid.UUID) -> Thing:
    """The goal, objective or measure of a version; None when it is not of that version."""
    if kind == "goal":
        return Goal.objects.filter(version=version, pk=pk).first()
    if kind == "objective":
        return Objective.objects.filter(goal__version=version, pk=pk).select_related("goal").first()
    return Measure.objects.filter(version=version, pk=pk).select_related("lead", "version").first()


def draft_of(plan_id: uuid.UUID) -> PlanVersion | None:
    return PlanVersion.objects.filter(plan=plan_id, state=VersionState.DRAFT).first()


def and_replaced_before(version: PlanVersion) -> list[PlanVersion]:
    """A draft with the drafts that it replaced: what was said on those holds for it."""
    found = [version]
    while (before := found[-1].based_on) is not None and before.state == VersionState.REPLACED:
        found.append(before)
    return found


# A consultation


@dataclass
class Branch:
    """A goal or an objective with what is below it; `count` is the comments on it alone, `total` those below too."""

    thing: Any
    count: int
    below: list[Any] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.count + sum(one.total for one in self.below)


@dataclass
class Leaf:
    thing: Measure
    count: int
    is_visible: bool  # its page may be opened: after the adoption not every measure is everybody's

    @property
    def total(self) -> int:
        return self.count


def consultation_tree(consultation: Consultation, user: Any) -> tuple[int, list[Branch]]:
    """The draft as a tree with the comments that `user` sees on each thing; those on the whole plan first. Five queries, whatever
    the size."""
    comments = Comment.objects.visible_to(user).filter(consultation=consultation).order_by()
    visible = set(Measure.objects.visible_to(user).filter(version=consultation.version_id).values_list("pk", flat=True))
    counts: Counter[Any] = Counter()
    for goal, objective, measure in comments.values_list("goal", "objective", "measure"):
        counts[goal or objective or measure] += 1
    measures: dict[uuid.UUID, list[Leaf]] = {}
    for one in Measure.objects.filter(version=consultation.version_id).order_by("position"):
        measures.setdefault(one.objective_id, []).append(Leaf(one, counts[one.pk], one.pk in visible))
    objectives: dict[uuid.UUID, list[Branch]] = {}
    for middle in Objective.objects.filter(goal__version=consultation.version_id).order_by("position"):
        branch = Branch(middle, counts[middle.pk], list(measures.get(middle.pk, [])))
        objectives.setdefault(middle.goal_id, []).append(branch)
    goals = Goal.objects.filter(version=consultation.version_id).order_by("position")
    return counts[None], [Branch(one, counts[one.pk], list(objectives.get(one.pk, []))) for one in goals]


@dataclass(frozen=True)
class Invited:
    """An institution that was asked: how many comments it made, and whether it said that it has nothing more to remark."""

    invitation: ConsultationInvitation
    comments: int

    @property
    def state(self) -> str:
        if self.comments:
            return "commented"
        return "nothing" if self.invitation.answered_at else "silent"


def invited_to(consultation: Consultation) -> list[Invited]:
    """All who were asked, the silent ones first."""
    counts = dict(
        Comment.objects.filter(consultation=consultation).order_by().values_list("institution").annotate(Count("pk"))
    )
    rows = consultation.invitations.select_related("institution", "answered_by").order_by(SortKey("institution__name"))
    found = [Invited(one, counts.get(one.institution_id, 0)) for one in rows]
    order = {"silent": 0, "nothing": 1, "commented": 2}
    return sorted(found, key=lambda one: order[one.state])


def open_consultations(user: Any) -> QuerySet[Consultation]:
    """Where the user's institutions are asked now, the one that ends first on top; `has_said` once one of them commented
    or said that it has nothing to remark."""
    mine = user.consulted_institution_ids
    asked = ConsultationInvitation.objects.filter(consultation=OuterRef("pk"), institution__in=mine)
    said = Comment.objects.filter(consultation=OuterRef("pk"), institution__in=mine)
    return (
        Consultation.objects.visible_to(user)
        .filter(Exists(asked), state=ConsultationState.OPEN)
        .annotate(has_said=Exists(asked.filter(answered_at__isnull=False)) | Exists(said))
        .select_related("version__plan")
        .order_by("closes_on", "pk")
    )


def to_publish(user: Any) -> QuerySet[Consultation]:
    """Consultations whose term is over and whose answers wait for those who run them; `left` comments have none yet."""
    if not user.imports_plans:
        return Consultation.objects.none()
    return (
        Consultation.objects.visible_to(user)
        .filter(state=ConsultationState.CLOSED)
        .select_related("version__plan")
        .annotate(left=Count("comments", filter=Q(comments__answer="")))
        .order_by("closes_on", "pk")
    )


def answered_share(consultation: Consultation) -> tuple[int, int]:
    """How many comments are answered, and how many there are."""
    found = Comment.objects.filter(consultation=consultation).aggregate(
        answered=Count("pk", filter=~Q(answer="")), total=Count("pk")
    )
    return found["answered"], found["total"]


def in_plan_order(comments: QuerySet[Comment]) -> QuerySet[Comment]:
    """Comments as the plan runs, those on the plan as a whole first, with all that a row shows."""
    place = Coalesce("goal__position", "objective__goal__position", "measure__objective__goal__position")
    return comments.select_related(
        "institution", "author", "answered_by", "goal", "objective__goal", "measure__objective__goal"
    ).order_by(
        place.asc(nulls_first=True),
        Coalesce("objective__position", "measure__objective__position").asc(nulls_first=True),
        F("measure__position").asc(nulls_first=True),
        "created_at",
        "pk",
    )


def narrowed(comments: QuerySet[Comment], chosen: dict[str, Any]) -> QuerySet[Comment]:
    """Comments by answer, institution (code), goal (code, or "plan" for the whole) and the one thing they are on."""
    if answer := chosen.get("answer"):
        comments = comments.filter(answer="" if answer == "none" else answer)
    if code := chosen.get("institution"):
        comments = comments.filter(institution__code=code)
    if goal := chosen.get("goal"):
        whole = Q(goal__isnull=True, objective__isnull=True, measure__isnull=True)
        below = Q(goal__code=goal) | Q(objective__goal__code=goal) | Q(measure__objective__goal__code=goal)
        comments = comments.filter(whole if goal == "plan" else below)
    if thing := chosen.get("on"):
        comments = comments.filter(Q(goal=thing) | Q(objective=thing) | Q(measure=thing))
    return comments


def taken_over(comments: Iterable[Comment], draft: PlanVersion | None) -> set[uuid.UUID]:
    """Of these comments the ones whose proposed wording the draft says already; texts and dates alone. Three queries."""
    told = [one for one in comments if one.proposed and can_be_taken_over(one.field)]
    if draft is None or not told:
        return set()
    measures = {
        one.lineage: one
        for one in Measure.objects.filter(
            version=draft, lineage__in=[one.measure.lineage for one in told if one.measure]
        )
    }
    objectives = {
        (one.goal.code, one.code): one for one in Objective.objects.filter(goal__version=draft).select_related("goal")
    }
    goals = {one.code: one for one in Goal.objects.filter(version=draft)}

    def present(one: Comment) -> Thing:
        if one.measure:
            return measures.get(one.measure.lineage)
        if one.objective:
            return objectives.get((one.objective.goal.code, one.objective.code))
        return goals.get(one.goal.code) if one.goal else None

    return {one.pk for one in told if (now := present(one)) and wording_of(now, one.field) == one.proposed}


# Proposals


def to_decide(user: Any) -> QuerySet[Proposal]:
    """Proposals that wait for a decision, the longest waiting first; without those of the user's own."""
    return (
        Proposal.objects.visible_to(user)
        .filter(state=ProposalState.SUBMITTED)
        .exclude(author=user)
        .select_related("measure", "institution", "plan")
        .order_by("submitted_at", "pk")
    )


def proposals_on(measure: Measure, user: Any) -> list[Proposal]:
    """What was proposed on a measure in any of its versions, newest first."""
    return list(
        Proposal.objects.visible_to(user)
        .filter(measure__lineage=measure.lineage)
        .select_related("institution", "author", "measure", "amendment")
        .order_by("-submitted_at", "pk")
    )


def narrowed_proposals(proposals: QuerySet[Proposal], chosen: dict[str, Any]) -> QuerySet[Proposal]:
    """Proposals by all that the filter of their list asks for, the state apart (its counts stand above the list)."""
    if words := (chosen.get("q") or "").strip():
        found = Q(text__unaccent__icontains=words) | Q(measure__code__istartswith=words)
        proposals = proposals.filter(found)
    if origin := chosen.get("origin"):
        proposals = proposals.filter(origin=origin)
    if code := chosen.get("institution"):
        proposals = proposals.filter(institution__code=code)
    if plan := chosen.get("plan"):
        proposals = proposals.filter(plan=plan)
    return proposals
