"""Strategies, plans and their drafts, written in the browser. Each act is one transaction; whoever edits a draft holds its
row, so that two people never write into it at the same moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Max, ProtectedError, Q
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.periods import Period
from onatc.texts import COLUMNS
from stakeholders.models import Institution, User
from strategy import access
from strategy.actions.proposals import attach_accepted
from strategy.actions.signals import refresh
from strategy.models import (
    FROZEN_STATES,
    BudgetLine,
    Comment,
    Goal,
    Indicator,
    Measure,
    MeasureDependency,
    MeasureNorm,
    MeasureOrigin,
    MeasurePartner,
    MeasureRisk,
    MeasureState,
    MeasureTag,
    Milestone,
    Objective,
    Plan,
    PlanKind,
    PlanVersion,
    ServedMeasure,
    Strategy,
    VersionState,
)
from strategy.queries.drafts import (
    Wanted,
    national_measures,
    problems_of_code,
    problems_of_measure,
    problems_of_title,
    why_closed,
)
from strategy.versioning import BATCH, copy_content


class Faulty(Refused):
    """Refused for what was typed; `problems` says by field what is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class Stale(Refused):
    """Somebody else saved the record since the form was opened; `current` is the record as it is now."""

    def __init__(self, current: Any) -> None:
        super().__init__(
            _("Somebody else saved this meanwhile. What they changed is shown above; your text is kept here.")
        )
        self.current = current


def _save(record: Any, revision: int | None, values: dict[str, Any]) -> None:
    """Write the values into a locked record whose form was made at `revision`."""
    if revision is not None and record.revision != revision:
        raise Stale(record)
    for name, value in values.items():
        setattr(record, name, value)
    record.revision += 1
    record.save()


# Strategies and plans


@transaction.atomic
def save_strategy(
    strategy: Strategy | None, *, by: User, revision: int | None = None, code: str = "", **values: Any
) -> Strategy:
    """Create a strategy, or change one; its code stays as it was."""
    require(access.may_plan(by))
    if values["ends_on"] < values["starts_on"]:
        raise Faulty({"ends_on": gettext("The end must not lie before the start.")})
    if strategy is None:
        if Strategy.objects.filter(code=code).exists():
            raise Faulty({"code": gettext("There is a strategy with this code already.")})
        return Strategy.objects.create(code=code, **values)
    locked = Strategy.objects.select_for_update(of=("self",)).get(pk=strategy.pk)
    _save(locked, revision, values)
    return locked


def _check_plan(by: User, values: dict[str, Any]) -> None:
    """A period in order, an area exactly when it is a local plan; a local coordinator stays in the own area."""
    if values["ends_on"] < values["starts_on"]:
        raise Faulty({"ends_on": gettext("The end must not lie before the start.")})
    is_local = values["kind"] == PlanKind.LOCAL
    if is_local == (values["district"] is None and values["municipality"] is None):
        raise Faulty({"area": gettext("A local plan is of one district or one municipality; other plans are of none.")})
    require(access.may_draft(by, Plan(**{name: values[name] for name in ("kind", "district", "municipality")})))


@transaction.atomic
def create_plan(*, by: User, **values: Any) -> Plan:
    """A new plan with its first, empty draft."""
    require(access.may_plan_locally(by))
    _check_plan(by, values)
    if Plan.objects.filter(code=values["code"]).exists():
        raise Faulty({"code": gettext("There is a plan with this code already.")})
    plan = Plan.objects.create(is_demonstration=settings.DEMO, **values)
    PlanVersion.objects.create(plan=plan, number=1)
    return plan


@transaction.atomic
def edit_plan(plan: Plan, *, by: User, revision: int, **values: Any) -> None:
    """Change what a plan is called, whose it is and how long it runs. Kind and area stay once a version was adopted, and
    from then on only the office changes the rest."""
    locked = Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    require(access.may_draft(by, locked))
    if locked.versions.filter(state__in=FROZEN_STATES).exists():
        require(access.may_plan(by))
        if any(getattr(locked, name) != values[name] for name in ("kind", "district", "municipality")):
            raise Faulty({"kind": gettext("Kind and area of a plan that was adopted stay as they are.")})
    _check_plan(by, values)
    outside = Measure.objects.filter(
        Q(starts_on__lt=values["starts_on"]) | Q(ends_on__gt=values["ends_on"]),
        version__plan=locked,
        version__state__in=[VersionState.DRAFT, VersionState.ADOPTED],
    )
    if codes := list(outside.order_by("version__number", "position").values_list("code", flat=True)[:20]):
        raise Faulty(
            {"ends_on": gettext("These measures would lie outside the plan: %(codes)s.") % {"codes": ", ".join(codes)}}
        )
    _save(locked, revision, values)


# Drafts


@transaction.atomic
def start_draft(plan: Plan, *, by: User) -> PlanVersion:
    """A new draft that says what the version in force says, with all that belongs to it; or an empty first one."""
    plan = Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    require(access.may_draft(by, plan))
    if plan.versions.filter(state=VersionState.DRAFT).exists():
        raise Refused(_("There is a draft already. Go on with that one, or discard it."))
    source = plan.versions.filter(state=VersionState.ADOPTED).first()
    last = plan.versions.aggregate(last=Max("number"))["last"] or 0
    draft = PlanVersion.objects.create(plan=plan, number=last + 1, based_on=source)
    if source is not None:
        copy_content(source, draft)
        refresh(draft.measures.all(), [Period.quarter_of(timezone.localdate())])
    attach_accepted(plan)
    return draft


@transaction.atomic
def discard_draft(version: PlanVersion, *, by: User) -> None:
    """Put a draft away: nobody is shown it any more, but what was said about it stays on record."""
    locked = _draft(version, by)
    locked.state = VersionState.DISCARDED
    locked.save(update_fields=["state"])
    attach_accepted(locked.plan)


def _draft(version: PlanVersion | Any, by: User) -> PlanVersion:
    """The draft, locked for whoever may write into it; refused when it is none, or is in consultation."""
    locked = PlanVersion.objects.select_for_update(of=("self",)).select_related("plan__municipality")
    found = locked.get(pk=getattr(version, "pk", version))
    require(access.may_draft(by, found.plan))
    if reason := why_closed(found):
        raise Refused(reason)
    return found


def _beside(rows: Any, record: models.Model | None) -> models.QuerySet[Any]:
    return rows.all() if record is None else rows.exclude(pk=record.pk)


# Goals and objectives


@transaction.atomic
def save_goal(
    version: PlanVersion, goal: Goal | None, *, by: User, revision: int | None = None, code: str, **titles: str
) -> Goal:
    draft = _draft(version, by)
    others = _beside(draft.goals, goal)
    _check_heading(draft.plan, code, titles, others.values_list("code", flat=True))
    if goal is None:
        last = others.aggregate(last=Max("position"))["last"] or 0
        return Goal.objects.create(version=draft, code=code, position=last + 1, **titles)
    locked = draft.goals.select_for_update(of=("self",)).get(pk=goal.pk)
    _save(locked, revision, {"code": code, **titles})
    return locked


@transaction.atomic
def save_objective(
    goal: Goal, objective: Objective | None, *, by: User, revision: int | None = None, code: str, **titles: str
) -> Objective:
    """`goal` is where the objective is to stand: another one than before moves it, with its measures, to its end."""
    draft = _draft(goal.version_id, by)
    goal = draft.goals.get(pk=goal.pk)
    others = _beside(goal.objectives, objective)
    _check_heading(draft.plan, code, titles, others.values_list("code", flat=True))
    last = others.aggregate(last=Max("position"))["last"] or 0
    if objective is None:
        return Objective.objects.create(goal=goal, code=code, position=last + 1, **titles)
    locked = Objective.objects.select_for_update(of=("self",)).get(pk=objective.pk, goal__version=draft)
    place = {"position": last + 1} if locked.goal_id != goal.pk else {}
    _save(locked, revision, {"goal": goal, "code": code, **titles, **place})
    if place:
        _number(draft)
    return locked


def _check_heading(plan: Plan, code: str, titles: dict[str, str], taken: Iterable[str]) -> None:
    texts = {column: titles.get(f"title_{column}", "") for column in COLUMNS}
    if found := problems_of_code(code, taken) | problems_of_title(plan, texts):
        raise Faulty(found)


@transaction.atomic
def remove(record: Goal | Objective | Measure, *, by: User) -> None:
    """Take a goal, objective or measure out of the draft, with all that stands below it. Comments on it go to what stood
    above; done before, it stays done."""
    model = type(record)
    draft = _draft(version_of(record), by)
    found = model._default_manager.filter(pk=record.pk).first()
    if found is None:
        return
    _hand_comments_up(found)
    try:
        found.delete()
    except ProtectedError as error:
        kinds = sorted({str(capfirst(str(one._meta.verbose_name_plural))) for one in error.protected_objects})
        raise Refused(
            _("Other records point at it: %(kinds)s. Take them off first.") % {"kinds": ", ".join(kinds)}
        ) from error
    _number(draft)


def version_of(record: Goal | Objective | Measure) -> Any:
    return record.goal.version_id if isinstance(record, Objective) else record.version_id


def _hand_comments_up(record: Goal | Objective | Measure) -> None:
    """An institution's comment outlives what it was about: it stands with what is above, and says what it meant."""
    above: dict[str, Any] = {"goal": None, "objective": None, "measure": None}
    if isinstance(record, Measure):
        below, above["objective"] = Q(measure=record), record.objective
    elif isinstance(record, Objective):
        below, above["goal"] = Q(objective=record) | Q(measure__objective=record), record.goal
    else:
        below = Q(goal=record) | Q(objective__goal=record) | Q(measure__objective__goal=record)
    for comment in Comment.objects.filter(below).select_related("goal", "objective", "measure"):
        meant = comment.measure or comment.objective or comment.goal
        comment.wording = comment.wording or str(meant)
        for name, value in above.items():
            setattr(comment, name, value)
        comment.save(update_fields=[*above, "wording"])


@transaction.atomic
def shift(record: Goal | Objective | Measure, *, by: User, is_up: bool) -> None:
    """Change places with the neighbour above or below; the first stays first."""
    draft = _draft(version_of(record), by)
    above = {Goal: "version", Objective: "goal", Measure: "objective"}[type(record)]
    row: Any = type(record)._default_manager.get(pk=record.pk)
    beside = type(record)._default_manager.filter(**{above: getattr(row, f"{above}_id")})
    if is_up:
        other: Any = beside.filter(position__lt=row.position).order_by("-position").first()
    else:
        other = beside.filter(position__gt=row.position).order_by("position").first()
    if other is None:
        return
    row.position, other.position = other.position, row.position
    type(record)._default_manager.bulk_update([row, other], ["position"])
    _number(draft)


def _number(draft: PlanVersion) -> None:
    """Give the measures of a draft their places in the whole plan: by goal, objective and place in the objective."""
    changed = []
    rows = draft.measures.order_by("objective__goal__position", "objective__position", "position", "code")
    for position, measure in enumerate(rows.only("position"), 1):
        if measure.position != position:
            measure.position = position
            changed.append(measure)
    Measure.objects.bulk_update(changed, ["position"], BATCH)


# Measures


@dataclass(frozen=True)
class Partner:
    institution: Institution
    parts: dict[str, str] = field(default_factory=dict)


@transaction.atomic
def save_measure(
    objective: Objective,
    measure: Measure | None,
    *,
    by: User,
    lead: Institution,
    starts_on: date,
    ends_on: date,
    code: str,
    partners: list[Partner],
    serves: list[Measure] | None = None,
    revision: int | None = None,
    **texts: str,
) -> Measure:
    """Write a measure of the draft whole: wording, dates, lead, partners with their parts, what it serves (`None`: as it
    is). `objective` is where it is to stand; another one than before moves it to its end. Raises Faulty by field."""
    draft = _draft(objective.goal.version_id, by)
    taken = _beside(draft.measures, measure).values_list("code", flat=True)
    titles = {column: texts.get(f"title_{column}", "") for column in COLUMNS}
    wanted = Wanted(code, titles, starts_on, ends_on, lead, [one.institution for one in partners])
    if found := problems_of_measure(wanted, draft.plan, set(taken), timezone.localdate()):
        raise Faulty(found)
    values = {"lead": lead, "starts_on": starts_on, "ends_on": ends_on, "code": code, **texts}
    last = draft.measures.aggregate(last=Max("position"))["last"] or 0
    if measure is None:
        written = Measure.objects.create(version=draft, objective=objective, position=last + 1, **values)
    else:
        written = draft.measures.select_for_update(of=("self",)).get(pk=measure.pk)
        place = {"position": last + 1} if written.objective_id != objective.pk else {}
        _save(written, revision, {"objective": objective, **values, **place})
    _write_partners(written, partners)
    if serves is not None and draft.plan.kind == PlanKind.LOCAL:
        _point_up(written, serves)
    _number(draft)
    written.refresh_from_db()
    refresh([written], [Period.quarter_of(timezone.localdate())])
    return written


def _write_partners(measure: Measure, partners: list[Partner]) -> None:
    fields = [f"part_{column}" for column in COLUMNS]
    wanted: list[tuple[Any, ...]] = [
        (one.institution.pk, *(one.parts.get(column, "") for column in COLUMNS)) for one in partners
    ]
    if list(measure.partnerships.order_by("position").values_list("institution", *fields)) == wanted:
        return
    measure.partnerships.all().delete()
    MeasurePartner.objects.bulk_create(
        MeasurePartner(
            measure=measure, institution_id=institution, position=place, **dict(zip(fields, parts, strict=True))
        )
        for place, (institution, *parts) in enumerate(wanted, 1)
    )


def _point_up(measure: Measure, serves: list[Measure]) -> None:
    """By lineage: a pointer at an earlier version of the same measure stays as it is."""
    wanted = {one.lineage: one for one in serves}
    for pointer in measure.serves.select_related("serves"):
        if wanted.pop(pointer.serves.lineage, None) is None:
            pointer.delete()
    allowed = set(national_measures().values_list("pk", flat=True)) if wanted else set()
    if any(one.pk not in allowed for one in wanted.values()):
        raise Faulty({"serves": gettext("Only national measures in force can be served.")})
    ServedMeasure.objects.bulk_create(ServedMeasure(measure=measure, serves=one) for one in wanted.values())


def _in_force(measure: Measure) -> Measure | None:
    """The same measure in the version that the draft amends."""
    earlier = Measure.objects.filter(lineage=measure.lineage, version__plan=measure.version.plan_id)
    return earlier.filter(version__state=VersionState.ADOPTED).first()


@transaction.atomic
def split_measure(
    measure: Measure,
    *,
    by: User,
    code: str,
    indicators: Iterable[Indicator] = (),
    milestones: Iterable[Milestone] = (),
    budget_lines: Iterable[BudgetLine] = (),
    risks: Iterable[MeasureRisk] = (),
    **texts: str,
) -> Measure:
    """Make two of one: the first goes on with its lineage, the second is a new measure split off from it.

    What is named goes over to the second; partners, norms, tags and what is served hold for both.
    """
    draft = _draft(measure.version_id, by)
    first = draft.measures.select_for_update(of=("self",)).select_related("version").get(pk=measure.pk)
    titles = {column: texts.get(f"title_{column}", "") for column in COLUMNS}
    taken = set(draft.measures.values_list("code", flat=True))
    if found := problems_of_code(code, taken) | problems_of_title(draft.plan, titles):
        raise Faulty(found)
    draft.measures.filter(position__gt=first.position).update(position=F("position") + 1)
    second = Measure.objects.create(
        version=draft,
        objective_id=first.objective_id,
        code=code,
        position=first.position + 1,
        lead_id=first.lead_id,
        starts_on=first.starts_on,
        ends_on=first.ends_on,
        state=MeasureState.PLANNED if first.state == MeasureState.PLANNED else MeasureState.UNDER_WAY,
        source=first.source,
        **texts,
    )
    for repeated in (MeasurePartner, MeasureNorm, MeasureTag, ServedMeasure):
        _repeat(repeated, first, second)
    going: list[tuple[Any, Iterable[Any]]] = [
        (Milestone, milestones), (BudgetLine, budget_lines), (MeasureRisk, risks)
    ]  # fmt: skip
    for model, rows in going:
        for row in rows:
            model._default_manager.filter(pk=row.pk, measure=first).update(measure=second)
    _hand_indicators(first, second, [one.pk for one in indicators])
    if earlier := _in_force(first):
        MeasureOrigin.objects.create(measure=second, origin=earlier, kind=MeasureOrigin.Kind.SPLIT)
    else:  # of a measure that was itself split off in this draft: it comes from where that one came
        _repeat(MeasureOrigin, first, second)
    _touch(first)
    refresh([first, second], [Period.quarter_of(timezone.localdate())])
    return second


def _repeat(model: Any, first: Measure, second: Measure) -> None:
    rows = list(model._default_manager.filter(measure=first).order_by("pk"))
    for row in rows:
        row.pk, row.measure = None, second
    model._default_manager.bulk_create(rows)


def _hand_indicators(giver: Measure, taker: Measure, keys: list[Any] | None = None) -> None:
    """Indicators go over with their lineages and targets, after those that are there; the rest close up."""
    moving = giver.indicators.order_by("position")
    if keys is not None:
        moving = moving.filter(pk__in=keys)
    last = taker.indicators.aggregate(last=Max("position"))["last"] or 0
    for place, indicator in enumerate(list(moving), last + 1):
        indicator.measure, indicator.position = taker, place
        indicator.save(update_fields=["measure", "position"])
    for place, indicator in enumerate(giver.indicators.order_by("position"), 1):
        if indicator.position != place:
            indicator.position = place
            indicator.save(update_fields=["position"])


def _touch(measure: Measure) -> None:
    """Whoever has its form open is told."""
    Measure.objects.filter(pk=measure.pk).update(revision=F("revision") + 1)


@transaction.atomic
def merge_measures(measure: Measure, other: Measure, *, by: User) -> None:
    """Make one of two: `measure` goes on with its lineage and takes over all that belongs to `other`, which goes.

    The term covers both; the other's lead becomes a partner. Budget lines of the same year and source stay apart, each with
    its lineage, so that what was spent on them is still found.
    """
    draft = _draft(measure.version_id, by)
    rows = {
        one.pk: one for one in draft.measures.select_for_update(of=("self",)).select_related("version", "objective")
    }
    kept, gone = rows.get(measure.pk), rows.get(other.pk)
    if kept is None or gone is None or kept.pk == gone.pk:
        raise Refused(_("Two measures of the same draft are merged."))
    _take_over(kept, gone)
    if earlier := _in_force(gone):
        MeasureOrigin.objects.get_or_create(measure=kept, origin=earlier, defaults={"kind": MeasureOrigin.Kind.MERGED})
    # A measure that was split off in this draft hands on where it came from, unless that is where it goes back to.
    for origin in gone.origins.select_related("origin"):
        if origin.origin.lineage != kept.lineage:
            MeasureOrigin.objects.get_or_create(
                measure=kept, origin=origin.origin, defaults={"kind": MeasureOrigin.Kind.MERGED}
            )
    kept.starts_on, kept.ends_on = min(kept.starts_on, gone.starts_on), max(kept.ends_on, gone.ends_on)
    kept.revision += 1
    kept.save(update_fields=["starts_on", "ends_on", "revision"])
    Comment.objects.filter(measure=gone).update(measure=kept)
    remove(gone, by=by)
    refresh([kept], [Period.quarter_of(timezone.localdate())])


def _take_over(kept: Measure, gone: Measure) -> None:
    there = {kept.lead_id, *kept.partnerships.values_list("institution", flat=True)}
    place = kept.partnerships.count()
    partners = [MeasurePartner(institution_id=gone.lead_id), *gone.partnerships.order_by("position")]
    for partner in partners:
        if partner.institution_id not in there:
            there.add(partner.institution_id)
            place += 1
            parts = {f"part_{column}": getattr(partner, f"part_{column}") for column in COLUMNS}
            MeasurePartner.objects.create(measure=kept, institution_id=partner.institution_id, position=place, **parts)
    _hand_indicators(gone, kept)
    for line in gone.budget_lines.all():
        alike = kept.budget_lines.filter(
            year=line.year, source=line.source, reference=line.reference, funder=line.funder_id
        )
        if alike.exists():
            line.reference = f"{line.reference} ({gone.code})".strip()[-60:]
        line.measure = kept
        line.save(update_fields=["measure", "reference"])
    gone.milestones.update(measure=kept)
    gone.risks.update(measure=kept)
    for model, link in ((MeasureNorm, "norm_id"), (MeasureTag, "tag_id"), (ServedMeasure, "serves_id")):
        _unite(model, link, kept, gone)
    gone.needed_by.filter(measure=kept).delete()
    gone.dependencies.filter(needs=kept).delete()
    for dependency in gone.dependencies.exclude(needs__in=kept.dependencies.values("needs")):
        MeasureDependency.objects.filter(pk=dependency.pk).update(measure=kept)
    for dependency in gone.needed_by.exclude(measure__in=kept.needed_by.values("measure")):
        MeasureDependency.objects.filter(pk=dependency.pk).update(needs=kept)


def _unite(model: Any, link: str, kept: Measure, gone: Measure) -> None:
    there = set(model._default_manager.filter(measure=kept).values_list(link, flat=True))
    rows: models.QuerySet[Any] = model._default_manager.filter(measure=gone)
    rows.exclude(**{f"{link.removesuffix('_id')}__in": there}).update(measure=kept)
