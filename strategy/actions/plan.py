"""Bringing a plan in, adopting it, undoing an import. Each act is one transaction and safe to repeat."""

from __future__ import annotations

import hashlib
import uuid
from datetime import date
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, override
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.ids import new_id
from onatc.texts import DJANGO_CODES
from stakeholders.models import Institution, User
from strategy import access
from strategy.actions.signals import refresh_version
from strategy.imports import compare, read_plan
from strategy.models import (
    BudgetLine,
    ConsultationState,
    Goal,
    ImportState,
    Indicator,
    IndicatorTarget,
    Measure,
    MeasurePartner,
    MeasureState,
    Objective,
    Plan,
    PlanImport,
    PlanVersion,
    ProgressRequest,
    Round,
    Strategy,
    VersionState,
)
from strategy.queries.plan import newest_version, version_as_rows


def preview_import(file: BinaryIO, name: str, *, plan: Plan | None, by: User | None) -> PlanImport:
    """Read a file and keep what it would change, or why it is refused; nothing of the plan changes yet."""
    if by is not None:
        require(access.may_import(by))
    data = file.read()
    file.seek(0)
    reading = read_plan(file, name, Institution.objects.values_list("code", flat=True))
    compared_with = newest_version(plan) if plan else None
    changes = {}
    if not reading.problems:
        content = reading.as_content()
        changes = compare(version_as_rows(compared_with) if compared_with else {}, content).as_json()
    return PlanImport.objects.create(
        plan=plan,
        compared_with=compared_with,
        original_name=name[:255],
        sha256=hashlib.sha256(data).hexdigest(),
        state=ImportState.REFUSED if reading.problems else ImportState.PREVIEWED,
        content=[] if reading.problems else content,
        problems=[{"row": p.row, "column": p.column, "reason": p.reason} for p in reading.problems],
        changes=changes,
        created_by=by,
    )


@transaction.atomic
def apply_import(plan_import: PlanImport, *, by: User | None) -> PlanVersion:
    """Make a new draft version of the plan from a previewed file; the draft that was open is replaced by it.

    Refused when it was applied already, when it changes nothing, or when the plan changed since the preview.
    """
    if by is not None:
        require(access.may_import(by))
    locked = PlanImport.objects.select_for_update(of=("self",)).get(pk=plan_import.pk)
    if locked.state == ImportState.APPLIED:
        raise Refused(_("This import was applied already."))
    if locked.state != ImportState.PREVIEWED:
        raise Refused(_("Only an import without problems can be applied."))
    if not any(locked.changes[kind] for kind in ("new", "changed", "removed")):
        raise Refused(_("The file changes nothing: the plan stands in it as it is."))
    plan = locked.plan or _plan_for(locked.content)
    Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    newest = newest_version(plan)
    if (newest.pk if newest else None) != locked.compared_with_id:
        raise Refused(_("The plan changed after this preview was made. Read the file again."))
    if newest is not None and newest.state == VersionState.DRAFT:
        if newest.consultations.filter(state=ConsultationState.OPEN).exists():
            raise Refused(_("The draft is in consultation and does not change until that is closed."))
        newest.state = VersionState.REPLACED
        newest.save(update_fields=["state"])
    last = plan.versions.order_by("-number").first()
    version = PlanVersion.objects.create(
        plan=plan, number=last.number + 1 if last else 1, state=VersionState.DRAFT, based_on=newest
    )
    _write(version, locked.content, newest)
    locked.plan, locked.version = plan, version
    locked.state, locked.applied_at = ImportState.APPLIED, timezone.now()
    locked.save(update_fields=["plan", "version", "state", "applied_at"])
    refresh_version(version)
    return version


@transaction.atomic
def undo_import(plan_import: PlanImport, *, by: User) -> None:
    """Take the version of an import back and reopen the draft that it replaced, unless something was built on it."""
    require(access.may_import(by))
    locked = PlanImport.objects.select_for_update(of=("self",)).get(pk=plan_import.pk)
    if locked.state == ImportState.UNDONE:
        raise Refused(_("This import was undone already."))
    if locked.state != ImportState.APPLIED or locked.version is None:
        raise Refused(_("This import was not applied."))
    version = PlanVersion.objects.select_for_update(of=("self",)).get(pk=locked.version.pk)
    if version.state in (VersionState.ADOPTED, VersionState.SUPERSEDED):
        raise Refused(_("The version was adopted; it can be amended, but not undone."))
    if version.state == VersionState.DISCARDED:
        raise Refused(_("The draft was discarded."))
    if version.state == VersionState.REPLACED:
        raise Refused(_("A later import was built on it. Undo that one first."))
    if (
        Round.objects.filter(version=version).exists()
        or ProgressRequest.objects.filter(measure__version=version).exists()
    ):
        raise Refused(_("A reporting round was built on it."))
    version.state = VersionState.UNDONE
    version.save(update_fields=["state"])
    before = version.based_on
    if before is not None and before.state == VersionState.REPLACED:
        before.state = VersionState.DRAFT
        before.save(update_fields=["state"])
    locked.state, locked.undone_at = ImportState.UNDONE, timezone.now()
    locked.save(update_fields=["state", "undone_at"])


def obstacles(version: PlanVersion) -> list[str]:
    """What stands in the way of an adoption, in sentences; empty when nothing does."""
    found = []
    if not version.measures.exists():
        found.append(gettext("The draft holds no measure."))
    for consultation in version.consultations.exclude(state=ConsultationState.PUBLISHED).order_by("opened_at"):
        if consultation.is_open:
            until = date_format(consultation.closes_on, "DATE_FORMAT")
            found.append(gettext("The draft is in consultation until %(date)s.") % {"date": until})
            continue
        answers = list(consultation.comments.values_list("answer", flat=True))
        if unanswered := answers.count(""):
            found.append(
                ngettext(
                    "%(count)d comment of the consultation is not answered.",
                    "%(count)d comments of the consultation are not answered.",
                    unanswered,
                )
                % {"count": unanswered}
            )
        if answers:
            found.append(gettext("The answers to the comments are not published."))
    return found


@transaction.atomic
def adopt_version(
    version: PlanVersion, *, by: User | None, adopted_on: date, adopted_by: Institution, decision_reference: str
) -> None:
    """Put a draft in force by a recorded decision; the version in force before is superseded, and what was reported on its
    measures while the draft was written goes on with their lineages."""
    plan = Plan.objects.select_for_update(of=("self",)).get(pk=version.plan_id)
    version = PlanVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if by is not None:
        require(access.may_adopt(by, version))
    if version.state != VersionState.DRAFT:
        raise Refused(_("Only a draft can be adopted."))
    if adopted_on > timezone.localdate():
        raise Refused(_("The decision cannot lie in the future."))
    if found := obstacles(version):
        raise Refused(" ".join(found))
    earlier = plan.versions.filter(state=VersionState.ADOPTED).first()
    if earlier is not None:
        if earlier.adopted_on and adopted_on < earlier.adopted_on:
            raise Refused(_("The decision cannot lie before the one that adopted the version in force."))
        reported = earlier.measures.filter(lineage=OuterRef("lineage"))
        version.measures.filter(Exists(reported)).update(state=Subquery(reported.values("state")[:1]))
        earlier.state = VersionState.SUPERSEDED
        earlier.save(update_fields=["state"])
    version.state = VersionState.ADOPTED
    version.adopted_on, version.adopted_by, version.decision_reference = adopted_on, adopted_by, decision_reference
    version.save(update_fields=["state", "adopted_on", "adopted_by", "decision_reference"])
    refresh_version(version)


def _plan_for(rows: list[dict[str, Any]]) -> Plan:
    """A new strategy and plan over the years that the measures span."""
    start = date(min(date.fromisoformat(row["starts_on"]).year for row in rows), 1, 1)
    end = date(max(date.fromisoformat(row["ends_on"]).year for row in rows), 12, 31)
    span = f"{start.year}-{end.year}"
    strategy_titles, plan_titles = {}, {}
    for column, language in DJANGO_CODES.items():
        with override(language):
            years = {"first": start.year, "last": end.year}
            strategy_titles[f"title_{column}"] = (
                gettext("National Strategy against Trafficking in Human Beings %(first)d–%(last)d") % years
            )
            plan_titles[f"title_{column}"] = (
                gettext("Action plan against trafficking in human beings %(first)d–%(last)d") % years
            )
    strategy, _created = Strategy.objects.get_or_create(
        code=f"NS-{span}", defaults={**strategy_titles, "starts_on": start, "ends_on": end}
    )
    code, number = f"AP-{span}", 1
    while Plan.objects.filter(code=code).exists():
        number += 1
        code = f"AP-{span}-{number}"
    return Plan.objects.create(
        strategy=strategy,
        code=code,
        **plan_titles,
        starts_on=start,
        ends_on=end,
        is_demonstration=settings.DEMO,
    )


def _write(version: PlanVersion, rows: list[dict[str, Any]], before: PlanVersion | None) -> None:
    """All rows of a version, in bulk; a measure keeps lineage and state, and an indicator its lineage, by code."""
    institutions = {institution.code: institution for institution in Institution.objects.all()}
    known: dict[str, Measure] = {}
    known_indicators: dict[str, uuid.UUID] = {}
    if before is not None:
        known = {measure.code: measure for measure in before.measures.all()}
        for indicator in Indicator.objects.filter(measure__version=before).select_related("measure"):
            known_indicators[indicator.measure.code] = indicator.lineage
    goals: dict[str, Goal] = {}
    objectives: dict[str, Objective] = {}
    measures: list[Measure] = []
    partners: list[MeasurePartner] = []
    indicators: list[Indicator] = []
    targets: list[IndicatorTarget] = []
    budget: list[BudgetLine] = []
    for position, row in enumerate(rows, 1):
        goal = goals.get(row["goal_code"])
        if goal is None:
            goal = goals[row["goal_code"]] = Goal(
                version=version, code=row["goal_code"], position=len(goals) + 1, **_titles(row["goal"])
            )
        objective = objectives.get(row["objective_code"])
        if objective is None:
            objective = objectives[row["objective_code"]] = Objective(
                goal=goal, code=row["objective_code"], position=len(objectives) + 1, **_titles(row["objective"])
            )
        earlier = known.get(row["code"])
        measure = Measure(
            version=version,
            objective=objective,
            code=row["code"],
            position=position,
            **_titles(row["title"]),
            lead=institutions[row["lead"]],
            starts_on=date.fromisoformat(row["starts_on"]),
            ends_on=date.fromisoformat(row["ends_on"]),
            source=row["source"],
            state=earlier.state if earlier else MeasureState.PLANNED,
            lineage=earlier.lineage if earlier else new_id(),
        )
        measures.append(measure)
        partners += [
            MeasurePartner(measure=measure, institution=institutions[code], position=place)
            for place, code in enumerate(row["partners"], 1)
        ]
        if row["indicator"]:
            found = row["indicator"]
            indicator = Indicator(
                measure=measure,
                lineage=known_indicators.get(row["code"]) or new_id(),
                **{f"name_{language}": text for language, text in found["name"].items()},
                unit=found["unit"],
                counting=found["counting"],
                lower_is_better=found["lower_is_better"],
                baseline=found["baseline"],
                disaggregation=found["disaggregation"],
            )
            indicators.append(indicator)
            if found["target"] is not None:
                targets.append(
                    IndicatorTarget(
                        indicator=indicator,
                        starts_on=measure.starts_on,
                        ends_on=measure.ends_on,
                        value=found["target"],
                    )
                )
        if row["budget_source"]:
            budget.append(
                BudgetLine(measure=measure, source=row["budget_source"], planned_cents=row["budget_cents"] or 0)
            )
    batch = 1_000
    Goal.objects.bulk_create(goals.values(), batch)
    Objective.objects.bulk_create(objectives.values(), batch)
    Measure.objects.bulk_create(measures, batch)
    MeasurePartner.objects.bulk_create(partners, batch)
    Indicator.objects.bulk_create(indicators, batch)
    IndicatorTarget.objects.bulk_create(targets, batch)
    BudgetLine.objects.bulk_create(budget, batch)


def _titles(texts: dict[str, str]) -> dict[str, str]:
    return {f"title_{language}": text for language, text in texts.items()}
