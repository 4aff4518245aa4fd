"""Bringing a plan in, adopting it, undoing an import. Each act is one transaction and safe to repeat."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from onatc.errors import Refused, require
from onatc.periods import Period
from onatc.texts import DJANGO_CODES
from stakeholders.models import Institution, User
from strategy import access, workbook
from strategy.actions.consultation import consultation_obstacles, refuse_while_consulted
from strategy.actions.content import plan_of_sheets, write_version
from strategy.actions.proposals import attach_accepted, enact_proposals
from strategy.actions.signals import refresh, refresh_version
from strategy.excel import MAX_BYTES
from strategy.imports import OPTIONAL, Reading, compare, read_plan
from strategy.models import (
    ImportState,
    Plan,
    PlanImport,
    PlanVersion,
    ProgressRequest,
    Round,
    Strategy,
    VersionState,
)
from strategy.queries.plan import newest_version
from strategy.queries.workbook import version_as_sheets, what_is_known


def preview_import(file: BinaryIO, name: str, *, plan: Plan | None, by: User | None) -> PlanImport:
    """Read a file and keep what it would change, or why it is refused; nothing of the plan changes yet."""
    if by is not None:
        require(access.may_import(by))
    data = file.read()
    file.seek(0)
    compared_with = newest_version(plan) if plan else None
    base = version_as_sheets(compared_with) if compared_with else None
    changes: dict[str, Any] = {}
    reading: Reading
    if len(data) <= MAX_BYTES and name.lower().endswith(".xlsx") and workbook.is_workbook(data):
        reading = workbook.read(
            data,
            what_is_known(),
            base=base,
            plan=plan.code if plan else "",
            newest=str(compared_with.pk) if compared_with else "",
        )
        if not reading.problems:
            changes = workbook.compare(base or {}, reading.sheets).as_json() | {"notes": reading.notes}
    else:
        reading = read_plan(file, name, Institution.objects.values_list("code", flat=True))
        if not reading.problems:
            changes = _table_changes(reading, base)
    content = [] if reading.problems else reading.as_content()
    return PlanImport.objects.create(
        plan=plan,
        compared_with=compared_with,
        original_name=name[:255],
        sha256=hashlib.sha256(data).hexdigest(),
        state=ImportState.REFUSED if reading.problems else ImportState.PREVIEWED,
        content=content,
        problems=[asdict(one) for one in reading.problems],
        changes=changes,
        created_by=by,
    )


def _table_changes(reading: Reading, base: workbook.Sheets | None) -> dict[str, Any]:
    """What a simple table changes. What it has no column for stays: how an indicator counts, the texts of a language whose
    columns are not there, and how a budget of several lines is divided."""
    old = workbook.table_rows(base) if base else {}
    goals = {row["goal_code"]: row["goal"] for row in old.values()}
    objectives = {row["objective_code"]: row["objective"] for row in old.values()}
    lines = Counter(line["measure_code"] for line in base["Budget"]) if base else Counter()
    for row in reading.rows:
        known = old.get(row.code, {})
        before = known.get("indicator")
        if before and row.indicator and before["unit"] == row.indicator["unit"]:
            row.indicator |= {name: before[name] for name in ("counting", "lower_is_better")}
        if known and known["budget_cents"] == row.budget_cents and lines[row.code] > 1:
            row.budget_source = known["budget_source"]
        for column in set(OPTIONAL) - reading.columns:
            base_name, language = column.rsplit("_", 1)
            texts, kept = {
                "goal": (row.goal, goals.get(row.goal_code)),
                "objective": (row.objective, objectives.get(row.objective_code)),
                "measure": (row.title, known.get("title")),
                "indicator": ((row.indicator or {}).get("name", {}), (before or {}).get("name")),
            }[base_name]
            texts[language] = (kept or {}).get(language, "")
    return compare(old, reading.as_content()).as_json()


def changes_nothing(changes: dict[str, Any]) -> bool:
    """Whether the kept changes of an import are none at all."""
    return not any(changes.get(kind) for kind in ("new", "changed", "removed", "structure"))


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
    if changes_nothing(locked.changes):
        raise Refused(_("The file changes nothing: the plan stands in it as it is."))
    sheets = locked.content["sheets"] if isinstance(locked.content, dict) else None
    plan = locked.plan or (plan_of_sheets(sheets) if sheets else _plan_for(locked.content))
    Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    newest = newest_version(plan)
    if (newest.pk if newest else None) != locked.compared_with_id:
        raise Refused(_("The plan changed after this preview was made. Read the file again."))
    if newest is not None and newest.state == VersionState.DRAFT:
        refuse_while_consulted(newest)
        newest.state = VersionState.REPLACED
        newest.save(update_fields=["state"])
    last = plan.versions.order_by("-number").first()
    version = PlanVersion.objects.create(
        plan=plan, number=last.number + 1 if last else 1, state=VersionState.DRAFT, based_on=newest
    )
    if sheets is None:
        sheets = workbook.sheets_of_table(locked.content, version_as_sheets(newest) if newest else None)
    write_version(version, sheets, newest)
    locked.plan, locked.version = plan, version
    locked.state, locked.applied_at = ImportState.APPLIED, timezone.now()
    locked.save(update_fields=["plan", "version", "state", "applied_at"])
    attach_accepted(plan)
    # Of a draft nobody asks how it stood in the past.
    refresh(version.measures.all(), [Period.quarter_of(timezone.localdate())])
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
    refuse_while_consulted(version)
    version.state = VersionState.UNDONE
    version.save(update_fields=["state"])
    before = version.based_on
    if before is not None and before.state == VersionState.REPLACED:
        before.state = VersionState.DRAFT
        before.save(update_fields=["state"])
    attach_accepted(version.plan)
    locked.state, locked.undone_at = ImportState.UNDONE, timezone.now()
    locked.save(update_fields=["state", "undone_at"])


def obstacles(version: PlanVersion) -> list[str]:
    """What stands in the way of an adoption, in sentences; empty when nothing does."""
    found = []
    if not version.measures.exists():
        found.append(gettext("The draft holds no measure."))
    found += consultation_obstacles(version)
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
    enact_proposals(version)
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
